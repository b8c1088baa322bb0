/*
 * Sessions of a device with an MEF or MAF: how it shows itself in them, and one exchange over
 * the device's transport.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_MEF_SESSION_H
#define UA_MEF_SESSION_H

#include "ua/gba_ue.h"

#define MEF_SESSION_BASE_SIZE 600

/* TS-0003 10.2.2 has 00AE, without forward secrecy, and tells to think of RFC 4279's others. */
#define MEF_SESSION_SUITES                                                                     \
    "ECDHE-PSK-CHACHA20-POLY1305:ECDHE-PSK-AES128-CBC-SHA256:DHE-PSK-AES128-CBC-SHA256:"       \
    "PSK-AES128-CBC-SHA256"

struct mef_session {
    struct gba_ue_device *d;
    const char *base, *connect_to; /* scheme and authority */
    const struct gba_ue_psk *psk;  /* NULL: by certificate */
    const char *cert_file, *key_file;
    const char *peer_fqdn; /* by certificate: whose the other end's is */
    /* After a handshake failed: once more?  NULL: no. */
    bool (*again)(struct mef_session *s, int64_t now_s);
    void *ctx;
};

/* "https://HOST[:PORT]" of that URL into out.  GBA_E_ARGUMENT, explained. */
enum gba_err mef_session_base(struct gba_ue_device *d, const char *url,
                              char out[MEF_SESSION_BASE_SIZE]);

/* The session shows proof, which must stay; psk is its memory; suites NULL: MEF_SESSION_SUITES.
 * GBA_E_ARGUMENT: neither a key nor a certificate, explained. */
enum gba_err mef_session_prove(struct mef_session *s, const struct gba_ue_proof *proof,
                               const char *suites, struct gba_ue_psk *psk);

/* The session shows the B-TID and the NAF key of a MEF that is a NAF; gba and psk are its
 * memory. */
struct mef_session_gba {
    struct gba_ue_device *d;
    const char *mef_fqdn;
    bool given;
};
void mef_session_by_gba(struct mef_session *s, const char *mef_fqdn, const char *suites,
                        struct mef_session_gba *gba, struct gba_ue_psk *psk);

/* What d says of the call before is forgotten. */
void mef_session_forget(struct gba_ue_device *d);
/* target: request-target, behind base.  What was answered is in d's http_status, rsc, rsc_name
 * and dbg.  reply belongs to d->ua; what it exported is the
 * caller's to wipe. */
enum gba_err mef_session_exchange(const struct mef_session *s,
                                  const struct gba_ue_request *request, const char *target,
                                  struct gba_ue_reply *reply);

/* Fetches the MEF's commands and carries them out through d->commands, if that is set; what
 * came of it is in d->commands_err and d->commands_retry_s (command.c). */
void mef_session_commands(const struct mef_session *s, const struct gba_ue_enrol *e);

#endif
