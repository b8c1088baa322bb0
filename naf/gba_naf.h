/*
 * libgba-naf: makes any server a NAF of 3GPP GBA (TS 33.220, TS 24.109 5, TS 33.222).
 * This header is the manual.  It opens no listening socket and speaks no HTTP of its own: the
 * server that embeds it hands over what it received and sends what it is given.
 *
 *   Ua, HTTP Digest   gba_naf_authenticate -> accept, challenge, refuse, or wait for the key
 *   Ua, PSK-TLS       gba_naf_psk_attach on each GnuTLS session before its handshake
 *   Zn                asked by the library itself, on a thread of its own (web service, TLS)
 *
 * Conventions.  Functions return enum gba_err (common/err.h; texts by gba_err_text).  Strings
 * are NUL-terminated UTF-8.  Times are seconds since 1970-01-01T00:00:00Z; names that end in
 * _s are seconds, _ms milliseconds.  Inputs are borrowed until the call returns unless it says
 * otherwise; out-parameters come last.  A zero field of a configuration means its default.
 * A struct gba_naf may be used by many threads at once; an exchange by one at a time.
 * Nothing is printed; no proxy is taken from the environment.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_GBA_NAF_H
#define NAF_GBA_NAF_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- the NAF --------------------------------------------------------------------------- */

struct gba_naf;

/* One BSF.  Its domain is what stands after the '@' of its B-TIDs; a B-TID of any other domain
 * is refused before anything is sent (the domain of an identifier is no address to trust). */
struct gba_naf_bsf {
    const char *domain;
    const char *url;     /* https://HOST[:PORT]/bsf/requestBootstrappingInfo */
    const char *ca_file; /* PEM; the only roots the BSF's certificate may have */
};

/* Which key types this NAF takes (TS 33.220 4.5.3, 5.3.3): the realms it offers. */
#define GBA_NAF_KEY_ME   1u /* 3GPP-bootstrapping@FQDN: Ks_NAF or Ks_ext_NAF */
#define GBA_NAF_KEY_UICC 2u /* 3GPP-bootstrapping-uicc@FQDN: Ks_int_NAF */

#define GBA_NAF_MD5      1u
#define GBA_NAF_SHA256   2u
#define GBA_NAF_AUTH     1u
#define GBA_NAF_AUTH_INT 2u

/* What a nonce count must be (RFC 7616 3.4). */
enum gba_naf_nc {
    GBA_NAF_NC_MONOTONIC, /* above every earlier one of the nonce; jumps are fine */
    GBA_NAF_NC_STRICT,    /* 1, 2, 3 ... without a gap */
    GBA_NAF_NC_WINDOW     /* any one not used before, at most 64 behind the highest: for clients
                             with parallel connections */
};

struct gba_naf_config {
    /* Names under which UEs reach this server (Host, SNI, realm, NAF_Id): 1 to 64 FQDNs.  The
     * first serves TLS clients that send no SNI. */
    const char *const *fqdns;
    size_t n_fqdns;

    /* Zn as a web service (TS 29.109 5.3, Annex D).  No row: no key can be fetched. */
    const struct gba_naf_bsf *bsfs;
    size_t n_bsfs;
    const char *cert_file;       /* PEM; how the BSF knows this NAF */
    const char *key_file;        /* PEM */
    const char *zn_namespace;    /* "http://www.3gpp.org/GBAService" */
    bool zn_bare;                /* no SOAP envelope */
    bool zn_insecure;            /* lets a BSF row say http:// (laboratory) */
    unsigned zn_deadline_ms;     /* 2000: from question to answer, TLS included */
    unsigned zn_max_outstanding; /* 256 questions; one more is GBA_E_OVERLOAD */
    const char *const *gsids;    /* USSs asked for: up to 32 decimal numbers, 0-4294967295 */
    size_t n_gsids;

    /* Key cache, by (B-TID, NAF_Id).  It serves nothing past its expiry. */
    size_t cache_max;    /* 10000 keys; the least recently used goes */
    unsigned negative_s; /* 10: how long an "unknown B-TID" or "not authorized" is remembered */
    unsigned
        key_max_life_s; /* 0: as the BSF says; else at most so long after the bootstrapping */

    /* Ua, HTTP Digest */
    unsigned keys;         /* GBA_NAF_KEY_*; 0: GBA_NAF_KEY_ME */
    unsigned algorithms;   /* GBA_NAF_MD5 | GBA_NAF_SHA256; 0: both, SHA-256 first */
    unsigned qops;         /* GBA_NAF_AUTH | GBA_NAF_AUTH_INT; 0: both */
    unsigned nonce_life_s; /* 3600; past half of it the client gets a nextnonce */
    size_t nonces_max;     /* 16384 nonces in use at a time */
    enum gba_naf_nc nc;
    bool exact_uri;             /* else the Digest uri may differ by one trailing slash */
    bool require_product_token; /* a User-Agent without "3gpp-gba" is refused (403) */
    /* 32 octets shared by the instances of one NAF, so that each knows the others' nonces (not
     * their counts).  NULL: random. */
    const uint8_t *nonce_secret;

    /* Optional: what a log should know (a BSF that fails and why; never a key).  Runs on any
     * thread, must not call back. */
    void (*event)(void *arg, enum gba_err err, const char *what);
    void *event_arg;
};

/* GBA_E_ARGUMENT: a field is out of its range or missing; GBA_E_SYNTAX: not an FQDN or URL;
 * GBA_E_CONFIG: a certificate, key or CA file cannot be used (told to event);
 * GBA_E_ENTROPY; GBA_E_NOMEM.  The configuration is copied. */
enum gba_err gba_naf_new(const struct gba_naf_config *config, struct gba_naf **out);

/* Wipes every key.  Exchanges and PSK credentials of it must be freed before; questions on
 * their way are answered GBA_E_CANCELLED.  NULL is fine. */
void gba_naf_free(struct gba_naf *naf);

/* --- Ua with HTTP Digest (TS 24.109 5.2, RFC 7616) -----------------------------------------
 */

/* One HTTP request as received.  Everything is borrowed until the exchange is freed. */
struct gba_naf_request {
    const char *method;
    const char *target;        /* request-target as sent: undecoded, with the query */
    const char *host;          /* Host field; NULL: absent (refused) */
    const char *authorization; /* NULL: absent */
    size_t n_authorization;    /* how many Authorization fields there were */
    const char *user_agent;    /* NULL: absent */
    const uint8_t *body;       /* whole; NULL with body_len 0 */
    size_t body_len;

    /* The connection that carried it: the Ua security protocol identifier is 01 00 01 yy zz
     * under TLS and 01 00 00 00 02 without.  Behind a TLS terminator hand over what it reports,
     * and only from a terminator you trust. */
    bool tls;
    uint16_t tls_suite;  /* its two octets, 0x1301; 0 with tls is GBA_E_ARGUMENT */
    const char *tls_sni; /* NULL: none was sent */

    int64_t now_s;
    const uint8_t *entropy; /* 16 fresh random octets, for a nonce */
};

enum gba_naf_verdict {
    GBA_NAF_REFUSE,    /* gba_naf_status with the header fields, no resource */
    GBA_NAF_CHALLENGE, /* 401 with the header fields of the exchange */
    GBA_NAF_WAIT,      /* the key is being fetched: gba_naf_notify or gba_naf_wait */
    GBA_NAF_ACCEPT     /* authenticated: serve it, then gba_naf_finish */
};

struct gba_naf_exchange;

/* Decides about one request.  *out is set on every return and lives until
 * gba_naf_exchange_free; NULL means out of memory (then GBA_NAF_REFUSE: send 503).
 * Statuses: 401 no or unusable credentials, B-TID unknown or expired (the UE bootstraps again),
 * wrong response, wrong qop, stale nonce (stale=true: the UE repeats without bootstrapping);
 * 400 malformed, repeated, not offered; 403 B-TID of a foreign domain, not authorized by the
 * BSF, no product token; 421 Host, SNI and realm disagree; 503 no key to be had now. */
enum gba_naf_verdict gba_naf_authenticate(struct gba_naf *naf,
                                          const struct gba_naf_request *request,
                                          struct gba_naf_exchange **out);

/* After GBA_NAF_WAIT, once: ready(arg) runs exactly once when the verdict is there, on a thread
 * of the library, or before this returns if it is there already.  Suspend the connection
 * first. */
void gba_naf_notify(struct gba_naf_exchange *x, void (*ready)(void *arg), void *arg);

/* The verdict; blocks while it is GBA_NAF_WAIT. */
enum gba_naf_verdict gba_naf_wait(struct gba_naf_exchange *x);
/* The verdict; GBA_NAF_WAIT if it is not there yet. */
enum gba_naf_verdict gba_naf_exchange_verdict(struct gba_naf_exchange *x);

/* What to send, once the verdict is there (undefined before). */
unsigned gba_naf_status(const struct gba_naf_exchange *x);     /* HTTP status; 200 accepted */
enum gba_err gba_naf_reason(const struct gba_naf_exchange *x); /* for the log */
/* The i-th header field to add; false past the last.  Views into the exchange. */
bool gba_naf_header(const struct gba_naf_exchange *x, size_t i, const char **name,
                    const char **value);

/* Accepted: who.  B-TID as sent; IMPI "" where the BSF does not tell it; the ussList document
 * (TS 29.109 Annex A) or NULL, borrowed from the exchange; which key type was used. */
const char *gba_naf_btid(const struct gba_naf_exchange *x);
const char *gba_naf_impi(const struct gba_naf_exchange *x);
const char *gba_naf_uss_list(const struct gba_naf_exchange *x, size_t *len);
int64_t gba_naf_expires(const struct gba_naf_exchange *x);
unsigned gba_naf_key_type(const struct gba_naf_exchange *x); /* GBA_NAF_KEY_ME or _UICC */

/* Accepted: gives the value of the Authentication-Info field over the response body (auth-int
 * covers it; with auth it is not looked at), with rspauth and, when due, nextnonce.  *value is
 * a view into the exchange.  GBA_E_UNEXPECTED: not accepted. */
enum gba_err gba_naf_finish(struct gba_naf_exchange *x, const uint8_t *body, size_t body_len,
                            const char **value);

/* Waits for the verdict if it must; not before ready has run, where that was asked for.  NULL
 * is fine. */
void gba_naf_exchange_free(struct gba_naf_exchange *x);

/* --- one key, for servers with a Ua protocol of their own ------------------------------------
 */

/* Wipe it with gba_naf_credential_wipe. */
struct gba_naf_credential {
    char btid[281];
    char impi[256];       /* "": not told */
    uint8_t me_key[32];   /* Ks_NAF or Ks_ext_NAF */
    uint8_t uicc_key[32]; /* Ks_int_NAF, where has_uicc_key */
    bool has_uicc_key;
    int64_t expires_s;
    int64_t created_s; /* of the bootstrapping; 0: not told */
};

/* TS 33.220 4.5.3: the keys of btid for NAF_Id = fqdn || ua_id.  Blocks for at most the Zn
 * deadline.  GBA_E_SYNTAX: not a B-TID or FQDN; GBA_E_FORBIDDEN: a domain without a row;
 * GBA_E_BTID (5403), GBA_E_NOT_AUTHORIZED (5402), GBA_E_EXPIRED; GBA_E_ZN_UNREACHABLE,
 * GBA_E_ZN_FAILURE, GBA_E_TIMEOUT, GBA_E_TLS, GBA_E_PROTOCOL, GBA_E_OVERLOAD,
 * GBA_E_CANCELLED, GBA_E_NOMEM. */
enum gba_err gba_naf_fetch(struct gba_naf *naf, const char *btid, const char *fqdn,
                           const uint8_t ua_id[5], int64_t now_s,
                           struct gba_naf_credential *out);
void gba_naf_credential_wipe(struct gba_naf_credential *c);

/* --- Ua with PSK-TLS (TS 33.222 5.4, TS 24.109 5.3.3)
 * ----------------------------------------- */

/* Suites and versions: strings for gnutls_priority_init. */
enum gba_naf_tls_profile {
    GBA_NAF_TLS_33222,      /* TLS 1.3 and 1.2, PSK only, forward secrecy preferred */
    GBA_NAF_TLS_33222_CERT, /* the same, certificates too (Digest inside TLS on one port) */
    GBA_NAF_TLS_ONEM2M_GBA, /* TLS 1.2, 00AE and nothing else: one suite, one KpsaID, one key
                               (TS-0003 8.3.2.3, 10.2.2) */
    GBA_NAF_TLS_ONEM2M,     /* TLS 1.2, 00AE and 00B2 (TS-0003 10.2.2) */
    GBA_NAF_TLS_ONEM2M_EXTENDED, /* ECDHE-PSK and AEAD suites added */
    GBA_NAF_TLS_MEF,             /* TLS 1.2, ECDHE-PSK and DHE-PSK only: a MEF that is a NAF */
    GBA_NAF_N_TLS_PROFILES
};
const char *gba_naf_tls_priorities(enum gba_naf_tls_profile profile);

/* What is known of a handshake when a key is looked up. */
struct gba_naf_handshake {
    const uint8_t *identity; /* octets, may hold NUL; borrowed */
    size_t identity_len;
    const char *sni; /* canonical; NULL: none */
    bool tls13;
    uint16_t suite; /* TLS 1.2: the negotiated one; 0 with TLS 1.3 */
    /* Of the peer: an IPv4 address, the /64 of an IPv6 address; NULL: not known. */
    const uint8_t *address;
    size_t address_len;
};

/* A key that is not from the BSF. */
struct gba_naf_psk_row {
    uint8_t key[64];
    size_t key_len;    /* 1 to 64 */
    char name[256];    /* whose it is, for gba_naf_psk_peer; may be "" */
    int64_t expires_s; /* 0: does not */
};

/* Looks up such a key (a provisioned KpsaID, a KpmID).  Runs inside the handshake and may
 * block. GBA_OK: use the row (the library wipes it); GBA_E_NOT_FOUND: go on and ask the BSF, if
 * the identity has the form of a GBA identity; anything else: unknown identity. */
typedef enum gba_err gba_naf_psk_lookup(void *arg, const struct gba_naf_handshake *h,
                                        struct gba_naf_psk_row *row);

#define GBA_NAF_NO_LIMIT 0xffffffffu

struct gba_naf_psk_config {
    struct gba_naf *naf;        /* NULL: rows only, nobody is asked over Zn */
    gba_naf_psk_lookup *lookup; /* NULL: GBA identities only */
    void *lookup_arg;
    const char *hint;      /* NULL: "3GPP-bootstrapping" (and "-uicc", as the NAF's keys say);
                              "": none */
    bool bare_only;        /* oneM2M: the identity is the bare B-TID, prefixes are refused */
    unsigned identity_max; /* 512 octets */
    /* An identity nobody knows gets a random key, so that the handshake fails exactly as with a
     * wrong key (default), or the alert unknown_psk_identity. */
    bool unknown_psk_identity;
    int64_t (*now)(void *arg); /* NULL: the clock of the system */
    void *now_arg;

    /* B-TIDs of one peer (an IPv4 address, an IPv6 /64) about which Zn is asked: so many at
     * once, and so many a minute in the long run.  What the key cache can answer is free.  One
     * more ends the handshake with internal_error, for the B-TID may be good. */
    unsigned asks_burst;      /* 500; GBA_NAF_NO_LIMIT */
    unsigned asks_per_minute; /* 3000 */
    /* Whose session it is, valid until the look-up returns; NULL: nobody's, not limited.  NULL:
     * the peer of the socket that is the session's transport. */
    const struct sockaddr *(*peer)(void *arg, gnutls_session_t session);
    void *peer_arg;

    /* Optional, for a log: a look-up has found no key, and why (GBA_E_RATE_LIMITED: the limit
     * above).  Inside the handshake. */
    void (*refused)(void *arg, enum gba_err err, gnutls_session_t session);
    void *refused_arg;
};

struct gba_naf_psk;

/* GBA_E_ARGUMENT, GBA_E_CRYPTO (GnuTLS), GBA_E_ENTROPY, GBA_E_NOMEM.  One serves any number of sessions and
 * must outlive them. */
enum gba_err gba_naf_psk_new(const struct gba_naf_psk_config *config, struct gba_naf_psk **out);
void gba_naf_psk_free(struct gba_naf_psk *psk);

/* On a server session after gnutls_init and before the handshake; the priorities are the
 * caller's.  Do not enable tickets or a session database: a resumed session has no identity and
 * is refused by gba_naf_psk_peer.  During the handshake the look-up may block for the Zn
 * deadline: use a thread per connection, or a pool with that in mind.
 * GBA_E_CRYPTO: GnuTLS refuses; GBA_E_NOMEM. */
enum gba_err gba_naf_psk_attach(struct gba_naf_psk *psk, gnutls_session_t session);

struct gba_naf_peer {
    bool gba;           /* by a key of the BSF; else a row of lookup */
    char identity[513]; /* as sent, with a NUL after identity_len octets */
    size_t identity_len;
    char btid[281];    /* GBA: the identity without its prefix */
    char impi[256];    /* GBA: "" where the BSF does not tell it */
    char name[256];    /* rows: gba_naf_psk_row.name */
    uint8_t ua_id[5];  /* GBA: of NAF_Id */
    char fqdn[256];    /* GBA: of NAF_Id */
    unsigned key_type; /* GBA: GBA_NAF_KEY_* */
    int64_t expires_s; /* end the connection then (TS 33.222 5.4); 0: never */
};

/* Who is at the other end of an established session.  GBA_E_NOT_FOUND: no PSK was used;
 * GBA_E_TLS: resumed, or the session's identity is not the one that was looked up;
 * GBA_E_EXPIRED: the key has expired since.  On anything but GBA_OK close the connection
 * (GBA_E_NOT_FOUND: unless certificates will do). */
enum gba_err gba_naf_psk_peer(struct gba_naf_psk *psk, gnutls_session_t session,
                              struct gba_naf_peer *out);
/* After GBA_OK of gba_naf_psk_peer: the ussList document (TS 29.109 Annex A) that the BSF gave
 * with the key, or NULL; borrowed from the session. */
const char *gba_naf_psk_uss_list(struct gba_naf_psk *psk, gnutls_session_t session,
                                 size_t *len);
/* Why the look-up of a session that failed to establish found no key; GBA_OK: it found one
 * (then the key was wrong), or none was asked for. */
enum gba_err gba_naf_psk_reason(struct gba_naf_psk *psk, gnutls_session_t session);

#ifdef __cplusplus
}
#endif

#endif
