/*
 * The gba command: its options, what every subcommand shares, and the subcommands.  Over the
 * public interface of libgba-ue only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_GBA_H
#define UA_GBA_H

#include <sysexits.h>

#include "ua/gba_ue.h"

struct gba_options {
    /* common */
    const char *usim, *bsf, *bsf_name, *ca, *pin, *state, *seal, *proxy, *interface, *timeout;
    const char *json, *show_keys, *trace, *ipv4, *ipv6,
        *report_mac; /* flags: not NULL when given */
    /* of some commands */
    const char *naf, *ua_protocol, *out, *internal, *renew, *connect_to, *content_type, *data,
        *allow_http, *bare, *file, *force, *mef, *target, *framework, *gba_mef, *psk, *suites,
        *send, *key_id, *key_file, *originator, *target_fqdn, *usage, *admin, *derive,
        *mef_fqdn, *kpm_file, *cert, *key, *device, *file_seal, *id, *fqdn, *cert_out, *node_id,
        *key_out, *maf, *maf_fqdn, *replaces, *replaces_admin, *valid_for;
    const char *args[2]; /* what is no option */
    int n_args;
};

/* Whose keyring a subcommand works with: that of the UICC application of --usim, or the device's
 * own, for credentials that no card is behind. */
enum gba_holder { GBA_OF_CARD, GBA_OF_DEVICE };

/* What a subcommand works with; opened by gba_open, ended by gba_close. */
struct gba_context {
    const struct gba_options *o;
    struct gba_ue_device device;
    struct gba_ue_identity identity;
    char *keyring_path;
    int lock; /* on the state folder */
    uint8_t seal_key[32];
    const uint8_t *seal; /* NULL: plain */
    void *ring_mem;
};

/* Each returns an exit status (sysexits), after a line on standard error if it is not 0. */
int gba_open(const struct gba_options *o, enum gba_holder holder, struct gba_context *c);
/* Writes the keyring back. */
int gba_save(struct gba_context *c);
void gba_close(struct gba_context *c);

/* Is there a soft USIM to open: named, or in the state folder, and not passed over by --device? */
bool gba_has_card(const struct gba_options *o);

/* The octets of a file of mode 0600; *n of at most cap.  EX_OK, or an exit status after a line on
 * standard error. */
int gba_read_private(const char *path, uint8_t *out, size_t cap, size_t *n);
/* --seal: 32 octets, or none (*seal NULL). */
int gba_read_seal_key(const struct gba_options *o, uint8_t key[32], const uint8_t **seal);
/* What the common options say of connections. */
int gba_transport_config(const struct gba_options *o, struct gba_ue_curl_config *out);


/* OpenSSL name of a TLS 1.2 PSK suite (gba_tls.c).  GBA_E_NOT_FOUND. */
enum gba_err gba_suite_name(uint16_t suite, char *out, size_t cap);

int gba_cmd_bootstrap(const struct gba_options *o);
int gba_cmd_key(const struct gba_options *o);
int gba_cmd_get(const struct gba_options *o);
int gba_cmd_put(const struct gba_options *o);
int gba_cmd_show(const struct gba_options *o);
int gba_cmd_enrol(const struct gba_options *o);
int gba_cmd_connect(const struct gba_options *o);
int gba_cmd_est(const struct gba_options *o);
int gba_cmd_usim(const struct gba_options *o);
int gba_cmd_credential(const struct gba_options *o);

/* The host of an https URL, if it is a name.  EX_OK, or an exit status after a line. */
int gba_name_of_url(const char *option, const char *url, char *out, size_t cap);

/* connect --maf: Kc for the target. */
int gba_maf_key(const struct gba_options *o, struct gba_ue_credential *kc);

/* A credential file (doc/CREDENTIALS.md), sealed with --file-seal or plain.  EX_OK, or an exit
 * status after a line on standard error; out is wiped by the caller. */
struct m2m_credential;
int gba_credential_read(const struct gba_options *o, const char *path,
                        struct m2m_credential *out);

/* --- output (gba_output.c) --------------------------------------------------------------- */

/* "gba: WHAT: WHY" on standard error; the exit status of err. */
int gba_complain(enum gba_err err, const char *what, const char *why);
/* The same of a call of the library, with what the MEF or MAF has answered; with --json an object
 * with ok false too.  more: NULL, or what else is to be known. */
int gba_complain_device(const struct gba_options *o, const struct gba_ue_device *d,
                        enum gba_err err, const char *more);
/* That answer alone, on standard error; nothing where there is none. */
void gba_say_answer(const struct gba_ue_device *d);
int gba_exit_of(enum gba_err err);
int gba_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Lines "  name     value", or members of one JSON object: the same calls make both.  A report
 * is printed whole by gba_report_end. */
struct gba_report {
    bool json;
    void *object; /* json_t */
};
void gba_report_begin(struct gba_report *r, const struct gba_options *o, const char *title);
void gba_report_text(struct gba_report *r, const char *member, const char *label,
                     const char *value);
void gba_report_time(struct gba_report *r, const char *member, const char *label,
                     int64_t unix_s);
void gba_report_hex(struct gba_report *r, const char *member, const char *label,
                    const uint8_t *p, size_t n);
void gba_report_number(struct gba_report *r, const char *member, const char *label, int64_t v);
void gba_report_bool(struct gba_report *r, const char *member, const char *label, bool v);
/* An object in the array `member` of r; human: a block of its own.  end it before r goes on. */
void gba_report_item(struct gba_report *r, const char *member, const char *title,
                     struct gba_report *item);
int gba_report_end(struct gba_report *r); /* GBA_OK's exit, or EX_IOERR */
void gba_report_key(struct gba_report *r, const struct gba_options *o,
                    const struct gba_ue_naf_key *k);

void gba_report_credential(struct gba_report *r, const struct gba_context *c,
                           const struct gba_ue_credential *k);

/* Device trace: the HTTP messages, abridged, on standard error. */
void gba_trace(void *ctx, const struct gba_ue_request *out, const struct gba_ue_reply *in);

#endif
