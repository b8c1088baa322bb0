/*
 * libgba-ue: the UE side of 3GPP GBA (TS 33.220, TS 24.109, TS 33.222) for devices.
 *
 * This is the whole public interface and its manual.  Two faces:
 *   - the decisions, without input or output: gba_ue (reference point Ub), gba_ue_ua (Ua) and
 *     gba_ue_keyring.  They open no socket, read no clock, draw no random numbers, keep no
 *     globals and allocate nothing: time, 16 octets of entropy and what the peer said are
 *     arguments, the memory is the caller's.  A device with a modem or an own event loop uses
 *     these.
 *   - a convenience on top for programs that may block: struct gba_ue_device with the ports
 *     "ua/usim.h" and "ua/transport.h" and their adapters (soft USIM, libcurl).
 *
 * Conventions.  Strings are UTF-8 and NUL-terminated; times are seconds since
 * 1970-01-01T00:00:00Z; sizes are octets.  Inputs are borrowed for the call only, unless a
 * comment says otherwise.  Functions return enum gba_err: GBA_OK or the reason, whose text is
 * gba_err_text().  Threads: no function locks; an object is used by one thread at a time,
 * different objects by different threads at once.
 *
 * Secrets.  Ks (TS 33.220 4.5.2) is never handed out: keys of NAFs are derived inside.  What
 * holds a secret is ended with its own _wipe function, or gba_ue_wipe.
 *
 * Compile with `pkg-config --cflags --libs libgba-ue`, #include <ua/gba_ue.h>.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_GBA_UE_H
#define UA_GBA_UE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "common/err.h"
#include "ua/transport.h"
#include "ua/usim.h"

#define GBA_UE_TMPI_SIZE   64
#define GBA_UE_KEY_ID_SIZE 320
#define GBA_UE_CSE_ID_SIZE 256
#define GBA_UE_DBG_SIZE    256
#define GBA_UE_ENTITY_SIZE 512

/* Overwrites n octets in a way no compiler removes. */
void gba_ue_wipe(void *p, size_t n);

/* --- identities ------------------------------------------------------------------------- */

/* The BSF of an identity by TS 23.003 16.2: bsf.mncNNN.mccNNN.pub.3gppnetwork.org from a USIM's
 * IMSI, "bsf." and the domain from an ISIM's IMPI.  GBA_E_MISSING: a USIM whose MNC length is
 * not known (it is not guessed); GBA_E_SYNTAX. */
enum gba_err gba_ue_bsf_name(const struct gba_ue_identity *id, char out[GBA_UE_FQDN_SIZE]);

/* "http-digest", "psk-tls12:XXXX" (suite in hex), "psk-tls13", or ten hexadecimal digits.
 * GBA_E_SYNTAX. */
enum gba_err gba_ue_ua_protocol(const char *text, uint8_t ua_id[GBA_UE_UA_ID_LEN]);

/* --- HTTP replies ----------------------------------------------------------------------- */

#define GBA_UE_MAX_FIELDS 64
/* Splits the head of a reply ("HTTP/1.1 401 ...\r\nName: value\r\n...") in place: head[0..n-1]
 * is changed (field values get their NUL) and must outlive the fields.  Fills status, fields
 * and n_fields of reply.  Lines end with CRLF or LF; an empty line ends the head.
 * GBA_E_PROTOCOL: no status line, a NUL, a folded or nameless field, more than
 * GBA_UE_MAX_FIELDS. */
enum gba_err gba_ue_reply_parse(char *head, size_t n,
                                struct gba_ue_field fields[GBA_UE_MAX_FIELDS],
                                struct gba_ue_reply *reply);

/* --- reference point Ub: one bootstrapping run (TS 33.220 4.5.2, TS 24.109 4) --------------
 */

struct gba_ue; /* lives in memory of the caller: gba_ue_size() octets, aligned as malloc's */

struct gba_ue_config {
    const char *impi;     /* 1-255 octets, "user@domain" */
    const char *bsf_fqdn; /* the BSF addressed; the realm it must prove */
    const char *uri;      /* request-target and Digest uri; NULL: "/" */
    const char *tmpi;     /* of an earlier run; NULL: none */
    const char *product;  /* User-Agent products before 3gpp-gba-tmpi; NULL: "libgba-ue" */
    uint32_t max_life_s;  /* a longer key lifetime is cut to this; 0: 30 days */
    bool gba_u; /* the card runs GBA_U: it keeps Ks, the run gives B-TID and lifetime */
    bool report_mac_failure; /* after an AUTN whose MAC fails, tell the BSF by an empty response
                                without auts (TS 24.109 4.4; not settled, hence off) */
};

/* What happened since the last step: exactly one of these. */
enum gba_ue_happened {
    GBA_UE_EV_START,    /* begin (again) */
    GBA_UE_EV_REPLY,    /* reply: the HTTP reply is here, whatever its status */
    GBA_UE_EV_NO_REPLY, /* err: the transport failed */
    GBA_UE_EV_AKA,      /* aka: the card answered */
    GBA_UE_EV_KEY,      /* key: Ks_ext_NAF for gba_ue_ask_naf_id (GBA_U only) */
    GBA_UE_EV_NO_KEY    /* the card gave none */
};

struct gba_ue_event {
    enum gba_ue_happened happened;
    const struct gba_ue_reply *reply;
    const struct gba_ue_aka *aka;
    const uint8_t *key; /* GBA_UE_KEY_LEN */
    enum gba_err err;
    int64_t now_s;
    uint8_t entropy[16]; /* fresh for every event */
};

/* What the caller does next. */
enum gba_ue_todo {
    GBA_UE_SEND,     /* send gba_ue_request(), then EV_REPLY or EV_NO_REPLY */
    GBA_UE_ASK_USIM, /* AUTHENTICATE with gba_ue_challenge(), then EV_AKA; in GBA mode it
                        replaces the card's Ks, so that the session before is gone:
                        gba_ue_keyring_forget_ks */
    GBA_UE_ASK_KEY, /* NAF derivation in the card for gba_ue_ask_naf_id(), then EV_KEY/EV_NO_KEY
                     */
    GBA_UE_DONE,    /* the session stands: gba_ue_session(), gba_ue_keyring_take() */
    GBA_UE_FAILED   /* gba_ue_error(), gba_ue_why() */
};

size_t gba_ue_size(void);
/* NULL: len too small, or a string of c missing, malformed or too long.  c is copied. */
struct gba_ue *gba_ue_init(void *mem, size_t len, const struct gba_ue_config *c);

/* One step.  Returns GBA_OK with *todo (also GBA_UE_FAILED: then gba_ue_error() has the
 * reason), or GBA_E_UNEXPECTED (this event cannot happen now; nothing changed) or
 * GBA_E_ARGUMENT (the event lacks its datum; nothing changed).
 *
 * Nothing of a reply is believed before its rspauth (auth-int, over the body) verifies.
 * Errors a run may end with:
 *   GBA_E_PROTOCOL   no usable challenge, a 200 without one, redirect, malformed fields or XML
 *   GBA_E_ALGORITHM, GBA_E_QOP, GBA_E_BINDING, GBA_E_NONCE   the challenge: not AKAv1-MD5, no
 *                    auth-int, a realm that is not bsf_fqdn, no RAND||AUTN
 *   GBA_E_MAC        AUTN is not the home network's
 *   GBA_E_SYNC       the card refuses SQN a second time, after one AUTS
 *   GBA_E_RES        the BSF refuses RES
 *   GBA_E_RSPAUTH    the 200 is not from who sent the challenge
 *   GBA_E_EXPIRED    the lifetime granted is over already
 *   GBA_E_REFUSED    403 or another final 4xx
 *   GBA_E_OVERLOAD   503 or another 5xx; gba_ue_retry_after_s()
 *   GBA_E_USIM, GBA_E_IO   the card; and the transport's errors as they are. */
enum gba_err gba_ue_step(struct gba_ue *ue, const struct gba_ue_event *event,
                         enum gba_ue_todo *todo);

/* Borrowed until the next step. */
const struct gba_ue_request *
gba_ue_request(const struct gba_ue *ue); /* url is NULL: the caller's */
/* *rand and *autn: 16 octets each; *gba: in the GBA context, bootstrapping mode. */
void gba_ue_challenge(const struct gba_ue *ue, const uint8_t **rand, const uint8_t **autn,
                      bool *gba);
const uint8_t *gba_ue_ask_naf_id(const struct gba_ue *ue, size_t *len);
enum gba_err gba_ue_error(const struct gba_ue *ue);
const char *gba_ue_why(const struct gba_ue *ue);      /* never NULL; "" when nothing is known */
unsigned gba_ue_http_status(const struct gba_ue *ue); /* of the last reply; 0: none */
unsigned gba_ue_retry_after_s(const struct gba_ue *ue);
bool gba_ue_tmpi_refused(const struct gba_ue *ue); /* the TMPI given is to be forgotten */

/* The public part of a bootstrapping session. */
struct gba_ue_session {
    char btid[GBA_UE_BTID_SIZE];
    char impi[GBA_UE_IMPI_SIZE];
    char bsf_fqdn[GBA_UE_FQDN_SIZE]; /* as addressed; the domain of the B-TID may differ */
    char tmpi[GBA_UE_TMPI_SIZE];     /* "": none */
    int64_t expires_s;
    bool gba_u;  /* Ks is in the card */
    bool has_ks; /* NAF keys can still be derived here */
};
/* GBA_E_UNEXPECTED unless the run is done. */
enum gba_err gba_ue_session(const struct gba_ue *ue, struct gba_ue_session *out);

/* Ends ue: wipes everything.  gba_ue_init may follow. */
void gba_ue_end(struct gba_ue *ue);

/* --- the keyring: what one UICC application has (TS 33.220 4.4) -----------------------------
 */

struct gba_ue_keyring; /* in memory of the caller */

struct gba_ue_naf_key {
    char fqdn[GBA_UE_FQDN_SIZE];
    uint8_t ua_id[GBA_UE_UA_ID_LEN];
    bool internal; /* Ks_int_NAF */
    char btid[GBA_UE_BTID_SIZE];
    int64_t expires_s;
    uint8_t key[GBA_UE_KEY_LEN]; /* secret */
};

enum gba_ue_credential_kind {
    GBA_UE_KPSA,     /* TS-0003 Kpsa, for a CSE */
    GBA_UE_KM,       /* TS-0003 Km, for a MAF */
    GBA_UE_USAGE_KEY, /* TS-0003 10.3.7 */
    GBA_UE_KC         /* of a MAF: TS-0003 10.3.1, 8.2.2.3 */
};

struct gba_ue_credential {
    enum gba_ue_credential_kind kind;
    char target[GBA_UE_CSE_ID_SIZE]; /* CSE-ID as the user wrote it */
    char fqdn[GBA_UE_FQDN_SIZE];     /* the target's public domain name */
    char key_id[GBA_UE_KEY_ID_SIZE]; /* KpsaID: B-TID, or KeID */
    char suite[48]; /* TLS 1.2 suite it is pinned to, OpenSSL's name; "": any */
    char entity[GBA_UE_ENTITY_SIZE]; /* whose it is, where its file says so; "": not said */
    int64_t expires_s;
    uint8_t key[GBA_UE_KEY_LEN]; /* secret */
};

/* Octets for a keyring with that many places; and its beginning.  NULL: len too small. */
size_t gba_ue_keyring_size(size_t naf_keys, size_t credentials);
struct gba_ue_keyring *gba_ue_keyring_init(void *mem, size_t len, size_t naf_keys,
                                           size_t credentials);
void gba_ue_keyring_end(struct gba_ue_keyring *ring); /* wipes */

/* The UICC application in use.  Another one than the keyring's: Ks and TMPI are wiped, and the
 * keys with them (they belong to the other card).  GBA_E_TOO_LONG. */
enum gba_err gba_ue_keyring_bind(struct gba_ue_keyring *ring, const char *uicc);

/* Takes Ks and the session out of a run that is done (ue is ended): they replace the session
 * before; NAF keys and credentials of that one stay until they expire.  GBA_E_UNEXPECTED: the
 * run is not done. */
enum gba_err gba_ue_keyring_take(struct gba_ue_keyring *ring, struct gba_ue *ue);

/* GBA_E_NOT_FOUND: no session, or expired at now_s. */
enum gba_err gba_ue_keyring_session(const struct gba_ue_keyring *ring, int64_t now_s,
                                    struct gba_ue_session *out);
const char *gba_ue_keyring_tmpi(const struct gba_ue_keyring *ring); /* "": none */
void gba_ue_keyring_forget_tmpi(struct gba_ue_keyring *ring);
/* Power-off (TS 33.220 4.4.11): wipes Ks and session; NAF keys and TMPI stay. */
void gba_ue_keyring_forget_ks(struct gba_ue_keyring *ring);

/* The key for a NAF: NAF_Id = FQDN (made canonical) || ua_id.  From the live session if Ks is
 * here; else one derived before and still valid.  GBA_E_NOT_FOUND: bootstrap first;
 * GBA_E_UNSUPPORTED: Ks is in the card, which must derive (gba_ue_keyring_put follows);
 * GBA_E_SYNTAX: fqdn. */
enum gba_err gba_ue_keyring_naf_key(struct gba_ue_keyring *ring, const char *fqdn,
                                    const uint8_t ua_id[GBA_UE_UA_ID_LEN], bool internal,
                                    int64_t now_s, struct gba_ue_naf_key *out);
/* Keeps a key (derived by a card).  It replaces the one of the same NAF_Id and kind; when all
 * places are taken, the one that expires first goes.  GBA_E_TOO_LONG: the ring was made with no
 * place for NAF keys. */
enum gba_err gba_ue_keyring_put(struct gba_ue_keyring *ring, const struct gba_ue_naf_key *key);
/* A NAF refused the B-TID: its keys of it are of no use. */
void gba_ue_keyring_drop_naf(struct gba_ue_keyring *ring, const char *fqdn);

/* One credential per target.  GBA_E_NOT_FOUND: none, or expired at now_s.  drop wipes it, if it is
 * there. */
enum gba_err gba_ue_keyring_put_credential(struct gba_ue_keyring *ring,
                                           const struct gba_ue_credential *c);
void gba_ue_keyring_drop_credential(struct gba_ue_keyring *ring, const char *target);
enum gba_err gba_ue_keyring_credential(const struct gba_ue_keyring *ring, const char *target,
                                       int64_t now_s, struct gba_ue_credential *out);

/* The i-th valid entry, for listing.  GBA_E_NOT_FOUND: past the end. */
enum gba_err gba_ue_keyring_naf_key_at(const struct gba_ue_keyring *ring, size_t i,
                                       int64_t now_s, struct gba_ue_naf_key *out);
enum gba_err gba_ue_keyring_credential_at(const struct gba_ue_keyring *ring, size_t i,
                                          int64_t now_s, struct gba_ue_credential *out);

/* Serialisation (format: doc/KEYRING.md), without what is expired at now_s.  keep_ks false, the
 * default to choose: Ks is left out.  GBA_E_TOO_LONG: cap too small (nothing useful in out);
 * save needs at most gba_ue_keyring_saved_max octets.  out holds secrets. */
size_t gba_ue_keyring_saved_max(const struct gba_ue_keyring *ring);
enum gba_err gba_ue_keyring_save(const struct gba_ue_keyring *ring, bool keep_ks, int64_t now_s,
                                 uint8_t *out, size_t cap, size_t *n);
/* Replaces the contents.  GBA_E_SYNTAX: not a keyring, or damaged (the ring is then empty).
 * What does not fit its places is dropped, soonest to expire first. */
enum gba_err gba_ue_keyring_load(struct gba_ue_keyring *ring, const uint8_t *in, size_t n);

/* A keyring in a file of mode 0600, replaced atomically (written aside, synced, renamed).
 * seal_key, 32 octets or NULL: the file is one blob sealed with AES-256-GCM.  load:
 * GBA_E_NOT_FOUND: no such file; GBA_E_FORBIDDEN: readable by others, or not a plain file;
 * GBA_E_CRYPTO: wrong seal_key, or sealed and none given; GBA_E_SYNTAX; GBA_E_IO.  save:
 * GBA_E_IO (the old file stands), GBA_E_ENTROPY. */
enum gba_err gba_ue_keyring_load_file(struct gba_ue_keyring *ring, const char *path,
                                      const uint8_t *seal_key);
enum gba_err gba_ue_keyring_save_file(const struct gba_ue_keyring *ring, const char *path,
                                      bool keep_ks, int64_t now_s, const uint8_t *seal_key);

/* --- reference point Ua: one HTTP request with a B-TID (TS 24.109 5, TS 33.222 5) ----------
 */

struct gba_ue_ua; /* in memory of the caller; serves requests to one NAF, one after another */

struct gba_ue_ua_config {
    const char *fqdn; /* the NAF: host of the URL, the name in its certificate */
    bool https;
    bool allow_http; /* answer a challenge over plain http (no protection but the Digest's) */
    bool gba_u;      /* Ks_int_NAF can be used: "3gpp-gba-uicc" is offered too */
    const uint8_t *ua_id; /* NULL: 01 00 00 00 02 over http, 01 00 01 yy zz over https */
    const char *product;  /* as gba_ue_config.product */
};

enum gba_ue_ua_happened {
    GBA_UE_UA_EV_START,    /* request: begin */
    GBA_UE_UA_EV_REPLY,    /* reply */
    GBA_UE_UA_EV_NO_REPLY, /* err; reply may carry suite and alert */
    GBA_UE_UA_EV_KEY,      /* key */
    GBA_UE_UA_EV_NO_KEY    /* err: no key could be had */
};

struct gba_ue_ua_event {
    enum gba_ue_ua_happened happened;
    const char *method, *uri; /* EV_START: uri is the request-target; both and body must stay
                                 until the request ends */
    const uint8_t *body;
    size_t body_len;
    const struct gba_ue_reply *reply;
    const struct gba_ue_naf_key *key;
    enum gba_err err;
    uint8_t entropy[16];
};

enum gba_ue_ua_todo {
    GBA_UE_UA_SEND,    /* send gba_ue_ua_request() */
    GBA_UE_UA_GET_KEY, /* get the key gba_ue_ua_wanted() names, by a Ub run if there is none */
    GBA_UE_UA_RENEW,   /* the same, but the NAF refused the B-TID in use: run Ub first */
    GBA_UE_UA_DONE,    /* the last reply is the answer */
    GBA_UE_UA_FAILED
};

size_t gba_ue_ua_size(void);
/* NULL: mem NULL, not aligned or len too small; fqdn NULL or no FQDN; product over 168 octets,
 * or 182 without gba_u.  c is copied. */
struct gba_ue_ua *gba_ue_ua_init(void *mem, size_t len, const struct gba_ue_ua_config *c);
/* As gba_ue_step.  Errors a request may end with: GBA_E_DOWNGRADE (challenge over http, not
 * allowed), GBA_E_BINDING (the realm's FQDN is not the NAF's), GBA_E_ALGORITHM, GBA_E_QOP,
 * GBA_E_PROTOCOL, GBA_E_RSPAUTH (missing or wrong after an authorised 2xx; over https with a
 * verified certificate it may be missing), GBA_E_REFUSED (401 after a fresh bootstrapping),
 * GBA_E_FORBIDDEN (Ks_int_NAF asked, not to be had), the transport's, and EV_NO_KEY's err. */
enum gba_err gba_ue_ua_step(struct gba_ue_ua *ua, const struct gba_ue_ua_event *event,
                            enum gba_ue_ua_todo *todo);
const struct gba_ue_request *gba_ue_ua_request(const struct gba_ue_ua *ua);
void gba_ue_ua_wanted(const struct gba_ue_ua *ua, uint8_t ua_id[GBA_UE_UA_ID_LEN],
                      bool *internal);
enum gba_err gba_ue_ua_error(const struct gba_ue_ua *ua);
const char *gba_ue_ua_why(const struct gba_ue_ua *ua);
void gba_ue_ua_end(struct gba_ue_ua *ua); /* wipes */

/* The psk_identity of a key: "3GPP-bootstrapping;" B-TID (TS 24.109 5.3.3; internal:
 * "3GPP-bootstrapping-uicc;"), or the bare B-TID as oneM2M has it.  GBA_E_TOO_LONG: it does
 * not fit, or a bare one is empty. */
enum gba_err gba_ue_psk_identity(const struct gba_ue_naf_key *key, bool bare,
                                 char out[GBA_UE_PSK_IDENTITY_SIZE]);

/* --- convenience: a device that may block ------------------------------------------------ */

/* Clock and entropy.  gba_ue_env_system: CLOCK_REALTIME and getrandom. */
struct gba_ue_env {
    int64_t (*now_s)(void *ctx);
    enum gba_err (*random)(void *ctx, void *out, size_t n); /* GBA_E_ENTROPY */
    void *ctx;
};
extern const struct gba_ue_env gba_ue_env_system;

struct gba_ue_command_port;

struct gba_ue_device {
    struct gba_ue_usim *usim;
    struct gba_ue_transport *ub; /* to the BSF */
    struct gba_ue_transport *ua; /* to NAFs; another object, never shared with ub */
    struct gba_ue_keyring *ring;
    const struct gba_ue_env *env;
    const char *bsf_url;  /* NULL: http://<BSF name>/; an https URL never falls back to http */
    const char *bsf_fqdn; /* NULL: bsf_url's host if it is a name of a domain, else derived from
                             the identity (TS 23.003 16.2) */
    bool report_mac_failure;
    /* Optional: every HTTP message as it passes (out: request set; in: reply set). */
    void (*trace)(void *ctx, const struct gba_ue_request *out, const struct gba_ue_reply *in);
    void *trace_ctx;
    /* What commands of an MEF are carried out by, after each enrolment with one
     * (TS-0003 8.3.9); NULL: they are not asked for. */
    const struct gba_ue_command_port *commands;
    /* Filled by the library when a call fails: what and where, for people. */
    char why[320];
    unsigned http_status;
    /* ... what an MEF or MAF has answered last; rsc 0: nothing, or no primitive. */
    unsigned rsc;
    const char *rsc_name;
    char dbg[GBA_UE_DBG_SIZE];
    /* ... and of the commands, after an enrolment that did not fail: GBA_OK, or why they could
     * not be had (why has it in words); seconds after which to ask again, 0: not told.  Who
     * keeps this timer stops it at every successful exchange with the MEF (8.3.9.4). */
    enum gba_err commands_err;
    int64_t commands_retry_s;
};

/* One Ub run; the session replaces the one in the ring.  Errors of gba_ue_step, of the ports,
 * GBA_E_CONFIG (no BSF known, malformed URL), GBA_E_ARGUMENT (the card's IMPI), GBA_E_NOMEM. */
enum gba_err gba_ue_bootstrap(struct gba_ue_device *d);

/* gba_ue_keyring_naf_key, with a Ub run when needed (or always, with renew) and the card's help
 * for GBA_U.  GBA_E_SYNTAX: fqdn, or an IMPI that is not UTF-8; GBA_E_FORBIDDEN: internal, and
 * the card runs GBA_ME or does not give it away; GBA_E_NOT_FOUND: the card has lost its Ks, or
 * the new session is over already; GBA_E_USIM, GBA_E_IO: the card; GBA_E_TOO_LONG: its name;
 * and of a Ub run those of gba_ue_bootstrap. */
enum gba_err gba_ue_naf_key_get(struct gba_ue_device *d, const char *fqdn,
                                const uint8_t ua_id[GBA_UE_UA_ID_LEN], bool internal,
                                bool renew, struct gba_ue_naf_key *out);

/* One request to a NAF, with all that the NAF asks for: Digest with a B-TID, or PSK-TLS. */
enum gba_ue_ua_mode {
    GBA_UE_UA_AUTO,      /* https: PSK of TLS 1.2 or a certificate, as the server chooses */
    GBA_UE_UA_DIGEST,    /* certificates and Digest only */
    GBA_UE_UA_PSK_TLS12, /* PSK only, fail closed */
    GBA_UE_UA_PSK_TLS13
};
struct gba_ue_fetch {
    const char *method, *url;
    const char *connect_to;   /* as gba_ue_request */
    const char *content_type; /* of body; NULL: none */
    const uint8_t *body;
    size_t body_len;
    enum gba_ue_ua_mode mode;
    const uint8_t *ua_id; /* forced for Digest; NULL: by scheme and suite */
    const char *suites;   /* PSK_TLS12: OpenSSL's names; NULL: default list */
    bool bare_identity;   /* psk_identity without prefix */
    bool allow_http;
};
/* reply belongs to d->ua, as in transport.h.  GBA_OK: the NAF's answer, whatever its status.
 * GBA_E_ARGUMENT: url is no http or https URL, its path and query are over 2047 octets, method
 * over 15, a mode of PSK-TLS without https, or suites unknown; GBA_E_NOMEM; GBA_E_RATE_LIMITED:
 * the NAF asks for new bootstrappings too often; GBA_E_MISDIRECTED: the server changes its TLS
 * suite with every connection; GBA_E_TOO_LONG: its challenge needs a longer answer than fits.
 * Else the errors of gba_ue_ua_step, of gba_ue_naf_key_get, of the transport (libcurl's:
 * gba_ue_curl_begin and _end) and of env's random. */
enum gba_err gba_ue_fetch(struct gba_ue_device *d, const struct gba_ue_fetch *f,
                          struct gba_ue_reply *reply);

/* --- oneM2M enrolment (TS-0003 8.3.2; doc/MMEF.md) -------------------------------------------
 */

/* The public domain name of a CSE from its Absolute CSE-ID: "//sp.example/cse1" ->
 * "cse1.sp.example" (TS-0001 6.5.1.1); a MAF-ID is an FQDN itself.  GBA_E_SYNTAX: SP-relative
 * ("/cse1"), or no CSE-ID. */
enum gba_err gba_ue_target_fqdn(const char *target, char out[GBA_UE_FQDN_SIZE]);

/* The first way: the target is the NAF.  key is the NAF key of its FQDN and of the Ua id agreed
 * for targets (01 00 01 00 AE); no message is exchanged.  GBA_E_TOO_LONG. */
enum gba_err gba_ue_enrol_gba(const char *target, const struct gba_ue_naf_key *key,
                              struct gba_ue_credential *out);

/* The second way: a client registration with the MEF in the TLS session that gives Ke and KeID,
 * or, where one stands, its update in a second session; by a PSK (of the MEF as a NAF, or
 * pre-provisioned) or by certificates. */
struct gba_ue_enrol; /* in memory of the caller */

enum gba_ue_derivation {
    GBA_UE_DERIVE_USAGE, /* TS-0003 10.3.7, with suid */
    GBA_UE_DERIVE_KPSA,  /* 10.3.3, with the target's CSE-ID as Enrolee-B-ID */
    GBA_UE_DERIVE_KM     /* 10.3.2, with the target's FQDN as MAF-ID */
};

struct gba_ue_enrol_config {
    const char *target;      /* CSE-ID, or a MAF's FQDN */
    const char *target_fqdn; /* NULL: from target */
    const char *mef_fqdn;    /* MEF-ID: the NAF's name, and the right half of KeID */
    const char *admin_fqdn;  /* administrating stakeholder; NULL: the target's SP */
    const char *originator;  /* X-M2M-Origin; NULL: the MEF knows the Enrolee-ID */
    unsigned suid;           /* 0: 22 */
    uint16_t target_suite;   /* first way: the suite agreed with the target, in the Ua id 01 00
                                01 yy zz (no id is assigned to oneM2M); 0: 00AE */
    enum gba_ue_derivation derivation;
    bool by_certificate; /* the session has certificates on both sides, and no PSK */
    int64_t expires_s;   /* expiry asked for; never more than Kpm's */
};

enum gba_ue_enrol_happened {
    GBA_UE_ENROL_EV_START,
    GBA_UE_ENROL_EV_REPLY,
    GBA_UE_ENROL_EV_NO_REPLY
};
struct gba_ue_enrol_event {
    enum gba_ue_enrol_happened happened;
    const struct gba_ue_reply *reply; /* with psk and exported */
    enum gba_err err;
    int64_t now_s;
    uint8_t entropy[16];
};
enum gba_ue_enrol_todo { GBA_UE_ENROL_SEND, GBA_UE_ENROL_DONE, GBA_UE_ENROL_FAILED };

size_t gba_ue_enrol_size(void);
/* NULL: mem NULL, not aligned or len too small; target or mef_fqdn NULL; a string too long;
 * target no Absolute CSE-ID or FQDN, and no target_fqdn; mef_fqdn, target_fqdn or admin_fqdn no
 * FQDN; no admin_fqdn, and no SP in target; suid none of TS-0003.  c is copied. */
struct gba_ue_enrol *gba_ue_enrol_init(void *mem, size_t len,
                                       const struct gba_ue_enrol_config *c);
/* As gba_ue_step.  Errors an enrolment may end with: GBA_E_DOWNGRADE (session without our key
 * or without export), GBA_E_PROTOCOL, GBA_E_REFUSED, GBA_E_OVERLOAD, GBA_E_EXPIRED, the
 * transport's. */
enum gba_err gba_ue_enrol_step(struct gba_ue_enrol *e, const struct gba_ue_enrol_event *event,
                               enum gba_ue_enrol_todo *todo);
/* target: the request-target to append to the MEF's scheme and authority. */
const struct gba_ue_request *gba_ue_enrol_request(const struct gba_ue_enrol *e,
                                                  const char **target);
enum gba_err gba_ue_enrol_credential(const struct gba_ue_enrol *e,
                                     struct gba_ue_credential *out);
enum gba_err gba_ue_enrol_error(const struct gba_ue_enrol *e);
const char *gba_ue_enrol_why(const struct gba_ue_enrol *e);
/* The MEF's response status code, 0: it has not answered; its name, "" then.  What it said of a
 * refusal (m2m:dbg), printable; "": nothing. */
unsigned gba_ue_enrol_rsc(const struct gba_ue_enrol *e);
const char *gba_ue_enrol_rsc_name(const struct gba_ue_enrol *e);
const char *gba_ue_enrol_dbg(const struct gba_ue_enrol *e);
/* Where the registration is; "": the MEF has not told. */
const char *gba_ue_enrol_registration(const struct gba_ue_enrol *e);
void gba_ue_enrol_end(struct gba_ue_enrol *e);           /* wipes */

/* Both ways of GBA for a device that may block; the credential goes into its ring.  mef_url
 * NULL: the first way.  Else https://HOST[:PORT], and config (whose expires_s is set here) says
 * who the MEF is; suites NULL: ECDHE-PSK-CHACHA20-POLY1305 or DHE-PSK.  renew: bootstrap first.
 * GBA_E_ARGUMENT: mef_url, or what gba_ue_enrol_init does not take of config; GBA_E_TOO_LONG:
 * the target's name, or the ring has no place for credentials; GBA_E_NOMEM; GBA_E_NOT_FOUND:
 * the new session is over already.  Else the errors of gba_ue_naf_key_get (also in the second
 * way, for the key of the MEF), of gba_ue_enrol_step, of the transport and of env's random. */
enum gba_err gba_ue_enrol_target(struct gba_ue_device *d, const char *mef_url,
                                 const char *connect_to,
                                 const struct gba_ue_enrol_config *config, const char *suites,
                                 bool renew, struct gba_ue_credential *out);

/* How a device without GBA shows itself to a MEF: by Kpm (TS-0003 8.3.2.1) or by a certificate
 * (8.3.2.2).  Borrowed for the call. */
struct gba_ue_proof {
    const char *psk_identity; /* KpmID; NULL: by certificate */
    const uint8_t *psk;
    size_t psk_len;                    /* 1 to GBA_UE_PSK_MAX */
    const char *cert_file, *key_file; /* PEM; the transport's CA file says whom it trusts */
};
/* Enrols with the MEF at https://HOST[:PORT]; the credential goes into d's ring.  d needs no
 * usim and no ub.  config->expires_s is the expiry asked for.  suites NULL: those of TS-0003
 * 10.2, with forward secrecy first where both sides have it.  Errors of gba_ue_enrol_step and of
 * the transport; GBA_E_ARGUMENT: proof, URL or config. */
enum gba_err gba_ue_enrol_provisioned(struct gba_ue_device *d, const struct gba_ue_proof *proof,
                                      const char *mef_url, const char *connect_to,
                                      const struct gba_ue_enrol_config *config,
                                      const char *suites, struct gba_ue_credential *out);

/* After an enrolment with another service provider (now): ends what was before.  The registration
 * with before's stakeholder is deleted at the MEF, and with it the Ke's and keys that are kept for
 * no other, unless it is now's stakeholder too; then the credential of before's target goes from
 * d's ring, unless it is now's target.  Until that is done, and after an error, the old credential
 * is good as long as it was.  May be called again.  proof NULL: the MEF is a NAF.  mef_url NULL:
 * there is no MEF (TS-0003 8.3.2.3), and only the credential goes.  Errors as of
 * gba_ue_enrol_provisioned. */
enum gba_err gba_ue_leave(struct gba_ue_device *d, const struct gba_ue_proof *proof,
                          const char *mef_url, const char *connect_to,
                          const struct gba_ue_enrol_config *now,
                          const struct gba_ue_enrol_config *before, const char *suites);

/* --- M2M Authentication Function (TS-0003 8.2.2.3, 8.8.2) -------------------------------------- */

struct gba_ue_maf_config {
    const char *target;      /* Entity B: Absolute CSE-ID */
    const char *target_fqdn; /* NULL: from target */
    const char *maf_fqdn;    /* MAF-ID, and the right half of KcID */
    const char *admin_fqdn;  /* administrating stakeholder; NULL: the target's SP */
    const char *originator;  /* X-M2M-Origin; NULL: the MAF knows it */
    unsigned suid;           /* 0: 32 */
    int64_t expires_s;       /* asked for; the MAF may grant less */
};

/* Registers with the MAF at https://HOST[:PORT] and with it a key for the target, Kc, which both
 * ends of the session export; kc (kind GBA_UE_KC) goes into d's ring.  A Kc of this MAF that it
 * replaces there ends at the MAF too (8.8.2.10); if that cannot be done, d->why says so after
 * GBA_OK.  proof: Km under KmID, under
 * KeID where it came from an MEF, or a certificate.  km_id: what to call Km from now on, also where
 * an error follows; "" by certificate, or where nothing was said yet.  suites as in
 * gba_ue_enrol_provisioned.  Errors of that too; GBA_E_REFUSED: no key for this target. */
enum gba_err gba_ue_maf_key(struct gba_ue_device *d, const struct gba_ue_proof *proof,
                            const char *maf_url, const char *connect_to,
                            const struct gba_ue_maf_config *config, const char *suites,
                            char km_id[GBA_UE_KEY_ID_SIZE], struct gba_ue_credential *kc);

/* --- commands of an MEF (TS-0003 8.3.9) ----------------------------------------------------
 */

/* One command; strings live until the next step. */
struct gba_ue_command {
    const char *id;
    unsigned class_id;     /* cmdClassID: 1 CERT_PROV, 2 DEV_CFG, 3 MO_NODE */
    bool reissued;         /* it was given before */
    const char *target;    /* whom a Node acts for; "": the device itself */
    unsigned protocol;     /* CERT_PROV: certProvProtocolID, 1 EST, 2 SCEP */
    unsigned subject_type; /* 1 Node, 2 CSE, 3 AE */
    const char *subject;
    unsigned management; /* DEV_CFG: devMgmtID, 1 OMA DM 1.3, 2 OMA DM 2.0, 3 LwM2M, 4 TR-069 */
    const char *uri;     /* CERT_PROV, DEV_CFG: its host is the MEF's name */
    const char *path;    /* MO_NODE: objectPath */
    unsigned object_type; /* 1 authenticationProfile, 2 trustAnchorCred, 3 MAFClientRegCfg */
    unsigned suid;        /* 0: none */
};
const char *gba_ue_command_class(unsigned class_id); /* "CERT_PROV"; "UNKNOWN" */
const char *gba_ue_command_status(unsigned status);  /* of a cmdStatusCode: "OK"; "UNKNOWN" */
const char *gba_ue_command_words(unsigned status);   /* the same in words; "" */

/* The decisions, without input or output. */
struct gba_ue_commands; /* in memory of the caller: it outlives a round, as cmdIDs do */

struct gba_ue_commands_config {
    const char *registration; /* gba_ue_enrol_registration */
    const char *mef_fqdn;
    const char *originator; /* X-M2M-Origin; NULL: none */
    bool by_certificate;    /* as gba_ue_enrol_config */
};

enum gba_ue_commands_happened {
    GBA_UE_COMMANDS_EV_START,    /* after a registration, or when the timer is over */
    GBA_UE_COMMANDS_EV_REPLY,    /* reply */
    GBA_UE_COMMANDS_EV_NO_REPLY, /* err */
    GBA_UE_COMMANDS_EV_RESULT    /* status: the cmdStatusCode of what was carried out */
};
struct gba_ue_commands_event {
    enum gba_ue_commands_happened happened;
    const struct gba_ue_reply *reply;
    enum gba_err err;
    unsigned status;
    uint8_t entropy[16];
};
enum gba_ue_commands_todo {
    GBA_UE_COMMANDS_SEND,  /* send gba_ue_commands_request() */
    GBA_UE_COMMANDS_RUN,   /* carry out gba_ue_commands_command(), then EV_RESULT */
    GBA_UE_COMMANDS_DONE,  /* no more commands; ask again after gba_ue_commands_retry_s() */
    GBA_UE_COMMANDS_FAILED /* gba_ue_commands_error(); EV_START begins again */
};

size_t gba_ue_commands_size(void);
/* NULL: mem NULL, not aligned or len too small; registration NULL, "" or too long; mef_fqdn
 * NULL or no FQDN; originator too long.  c is copied. */
struct gba_ue_commands *gba_ue_commands_init(void *mem, size_t len,
                                             const struct gba_ue_commands_config *c);
/* As gba_ue_step.  What cannot be accepted (a repeated cmdID, an unknown class, bad arguments,
 * a URI of another host) is reported without being carried out.  Errors a round may end with:
 * GBA_E_DOWNGRADE, GBA_E_PROTOCOL, GBA_E_NOT_FOUND (the registration), GBA_E_REFUSED,
 * GBA_E_OVERLOAD (also: more than 64 commands), the transport's. */
enum gba_err gba_ue_commands_step(struct gba_ue_commands *m,
                                  const struct gba_ue_commands_event *event,
                                  enum gba_ue_commands_todo *todo);
/* target: as gba_ue_enrol_request. */
const struct gba_ue_request *gba_ue_commands_request(const struct gba_ue_commands *m,
                                                     const char **target);
void gba_ue_commands_command(const struct gba_ue_commands *m, struct gba_ue_command *out);
/* What the request reports of the command; 0: it reports nothing, it retrieves. */
unsigned gba_ue_commands_reported(const struct gba_ue_commands *m);
int64_t gba_ue_commands_retry_s(const struct gba_ue_commands *m);
enum gba_err gba_ue_commands_error(const struct gba_ue_commands *m);
const char *gba_ue_commands_why(const struct gba_ue_commands *m);
void gba_ue_commands_end(struct gba_ue_commands *m);

/* What a management object that a command names has in it (TS-0003 8.3.9.9, 12.4). */
enum gba_ue_mo_parent {
    GBA_UE_MO_REGISTRATION,
    GBA_UE_MO_DATA_COLLECTION,
    GBA_UE_MO_MAF_CLIENT_REG
};
struct gba_ue_auth_profile {
    unsigned suid;
    enum gba_ue_mo_parent parent;
    bool symm_key_id, symm_key_value, my_cert_fingerprint; /* it has them */
    bool mef_client_reg, maf_client_reg; /* it has a child MEFClientRegCfg, MAFClientRegCfg */
    const uint16_t *suites;              /* TLSCiphersuites */
    size_t n_suites;
    int64_t key_reg_s; /* keyRegDuration; 0: none */
    const char *const *labels;
    size_t n_labels;
    const char *target; /* whom the key is for: the registrar's or the container's CSE-ID, or
                           the MAF's FQDN */
};
struct gba_ue_mo {
    unsigned object_type;               /* what it is, as in a command */
    struct gba_ue_auth_profile profile; /* of an authenticationProfile; lives as the object */
};

/* How a device that may block carries commands out.  Functions left NULL are what it cannot do:
 * the library answers for it.  Statuses are cmdStatusCodes. */
struct gba_ue_command_port {
    /* CERT_PROV: the library has run EST with the proof of the enrolment; PEM.  NULL: the class
     * is not supported.  An error: 101. */
    enum gba_err (*take_certificate)(void *ctx, const struct gba_ue_command *c,
                                     const char *cert_pem, const char *key_pem, size_t key_len);
    /* The M2M-Node-ID of the node this device is, for CERT_PROV with a Node as subject; NULL:
     * it acts for none, and such commands are not acceptable (43). */
    const char *node_id;
    /* DEV_CFG: 20, 201 or 202.  NULL: the class is not supported. */
    unsigned (*dev_cfg)(void *ctx, const struct gba_ue_command *c);
    /* MO_NODE: the object of c->path.  GBA_E_NOT_FOUND: 300; another error: 305.  NULL: the
     * class is not supported. */
    enum gba_err (*find_mo)(void *ctx, const struct gba_ue_command *c, struct gba_ue_mo *out);
    /* The key of an authenticationProfile that was registered with the MEF.  An error: 305. */
    enum gba_err (*take_key)(void *ctx, const struct gba_ue_command *c, const char *key_id,
                             const uint8_t key[GBA_UE_KEY_LEN], int64_t expires_s);
    /* Objects that need no key of the MEF (trustAnchorCred, MAFClientRegCfg, profiles with a
     * key or a certificate of their own or a MAF's key): 20 or 305.  NULL: 305. */
    unsigned (*use_mo)(void *ctx, const struct gba_ue_command *c);
    /* What is reported of a command, before it is sent.  May be NULL. */
    void (*did)(void *ctx, const struct gba_ue_command *c, unsigned status);
    void *ctx;
};

/* --- adapters --------------------------------------------------------------------------- */

/* A soft USIM: a text file of mode 0600 with the lines of gba(1): imsi= impi= mnc_len= k=
 * opc=|op=|topc=|top= algorithm=milenage|tuak|xor|3gpp2 fmk= res_len= iterations= sqn=
 * type=usim|isim gba_u=yes|no.  The SQN array is in the file and is on the disk before RES is
 * given out.  why (may be NULL) gets "line N: ...".  GBA_E_NOT_FOUND, GBA_E_FORBIDDEN (readable
 * by others), GBA_E_SYNTAX, GBA_E_IO, GBA_E_NOMEM. */
enum gba_err gba_ue_usim_soft_open(const char *path, struct gba_ue_usim **out, char why[320]);
/* Checks text (n octets of such lines) and writes the file, 0600.  GBA_E_EXISTS: path exists
 * and replace is false. */
enum gba_err gba_ue_usim_soft_create(const char *path, const char *text, size_t n, bool replace,
                                     char why[320]);
/* Public facts of an open soft USIM, for people. */
struct gba_ue_usim_facts {
    const char *algorithm;
    uint64_t sqn_ms;                 /* highest SQN accepted */
    char gba_btid[GBA_UE_BTID_SIZE]; /* EF_GBABP; "": none */
    int64_t gba_expires_s;
};
void gba_ue_usim_soft_facts(const struct gba_ue_usim *usim, struct gba_ue_usim_facts *out);

/* HTTP and TLS by libcurl (OpenSSL flavour).  Strings are copied. */
struct gba_ue_curl_config {
    const char *ca_file;         /* PEM; NULL: the system's */
    const char *pinned_key;      /* "sha256//BASE64" of SubjectPublicKeyInfo; NULL: none */
    const char *proxy;           /* URL; NULL: none (never from the environment) */
    const char *interface;       /* local address or device; NULL: any */
    unsigned connect_timeout_ms; /* 0: 10000 */
    unsigned timeout_ms;         /* of the whole exchange; 0: 30000 */
    size_t max_body;             /* octets; 0: 1 MiB */
    size_t max_head;             /* octets; 0: 32 KiB */
    bool ipv4_only, ipv6_only;
};
/* GBA_E_NOMEM: no memory, or libcurl does not start or does not take an option.  That ca_file
 * can be read shows in an exchange. */
enum gba_err gba_ue_curl_new(const struct gba_ue_curl_config *c, struct gba_ue_transport **out);

/* For an event loop of the caller: begin gives a handle (CURL *) ready for
 * curl_multi_add_handle; when curl_multi_info_read reports it, remove it and call end with the
 * CURLcode.  request and what it points to live until end.  One exchange at a time per
 * transport.  The program ignores SIGPIPE (OpenSSL writes to sockets; exchange() sees to it
 * itself).  begin: GBA_E_ARGUMENT: no method, no http or https URL or one with a user's name,
 * or a field with CR or LF in it; GBA_E_NOMEM; end does not follow then. */
enum gba_err gba_ue_curl_begin(struct gba_ue_transport *t, const struct gba_ue_request *request,
                               void **easy);
/* reply is filled as far as known also on failure.  The errors of exchange() in transport.h
 * (GBA_E_ARGUMENT also: unknown suites, or no name to verify); GBA_E_CONFIG: ca_file cannot be
 * read, or there is no such interface; GBA_E_DOWNGRADE: nothing to export from, for it is not
 * TLS 1.2 with extended master secret; GBA_E_CRYPTO: OpenSSL fails; what the PSK's key() has
 * given. */
enum gba_err gba_ue_curl_end(struct gba_ue_transport *t, int curl_code,
                             struct gba_ue_reply *reply);

#ifdef __cplusplus
}
#endif

#endif
