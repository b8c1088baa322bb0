/*
 * The transport port: one HTTP request, one reply, over TCP or TLS.  A struct of functions;
 * adapter: transport_curl.c.  It carries octets and reports what TLS negotiated; it knows no
 * Digest, no GBA, follows no redirect and never falls back from https to http.
 *
 * Installed; included by <ua/gba_ue.h>.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_TRANSPORT_H
#define UA_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "ua/usim.h"

#define GBA_UE_EXPORT_LEN        48
#define GBA_UE_PSK_IDENTITY_SIZE 512
#define GBA_UE_PSK_MAX           64 /* octets of a key for TLS-PSK */

/* One header field.  Both NUL-terminated. */
struct gba_ue_field {
    const char *name, *value;
};

/* Where a TLS-PSK handshake gets its key.  key() runs inside the handshake and must not block
 * on the network. */
struct gba_ue_psk {
    /* ua_id: 01 00 01 yy zz of the suite the server chose (TLS 1.2), or 01 00 00 00 07 before a
     * TLS 1.3 ClientHello.  hint: the server's psk_identity_hint, NULL if none was sent (always
     * in TLS 1.3).  Fills identity, key and its length and returns GBA_OK; anything else ends the handshake
     * (TLS 1.2) or offers no PSK (TLS 1.3). */
    enum gba_err (*key)(void *ctx, const uint8_t ua_id[GBA_UE_UA_ID_LEN], const char *hint,
                        char identity[GBA_UE_PSK_IDENTITY_SIZE], uint8_t key[GBA_UE_PSK_MAX],
                        size_t *key_len);
    void *ctx;
    bool only;          /* no certificate is accepted in its place (fail closed) */
    const char *suites; /* TLS 1.2 list in OpenSSL's names; NULL: forward secret ones first */
    bool tls13;         /* offer an external PSK in TLS 1.3; false: TLS 1.2 for PSK */
};

struct gba_ue_request {
    const char *method;     /* "GET", "PUT", "POST", "DELETE" */
    const char *url;        /* http or https; its authority becomes Host and the TLS name */
    const char *connect_to; /* HOST:PORT or [V6]:PORT to connect to instead; NULL: as url */
    const char *host; /* Host field, where it differs from url's authority; NULL: as url */
    const struct gba_ue_field *fields; /* Authorization, User-Agent, ...; not Host */
    size_t n_fields;
    const uint8_t *body;
    size_t body_len;
    const struct gba_ue_psk *psk; /* NULL: certificates only */
    /* PEM: how the client shows itself, where the server asks; NULL: it does not.  The key file
     * must not be readable by others. */
    const char *cert_file, *key_file;
    /* The server's certificate has this dNSName, as it stands, beside what url asks of it; NULL:
     * what url asks will do. */
    const char *peer_fqdn;
    bool fresh;     /* a new connection: the identity behind the old one changed */
    uint16_t suite; /* not 0: send only if this suite was negotiated, else GBA_E_MISDIRECTED */
    const char *export_label; /* not NULL: export 48 octets, no context (RFC 5705), TLS 1.2 with
                                 extended master secret only, before the request goes out */
};

/* Everything pointed to belongs to the transport and lives until its next exchange or close. */
struct gba_ue_reply {
    unsigned status;                   /* 100-599 */
    const struct gba_ue_field *fields; /* trailers at the end */
    size_t n_fields;
    const uint8_t *body;
    size_t body_len;
    uint16_t suite;  /* of the connection; 0: no TLS */
    bool tls13, psk; /* psk: authenticated by our key, not by a certificate */
    unsigned alert;  /* TLS alert the server sent when the exchange failed; 0: none */
    bool has_exported;
    uint8_t exported[GBA_UE_EXPORT_LEN]; /* secret */
    const char *why; /* detail for people when the exchange failed; may be NULL */
};

struct gba_ue_transport {
    const char *name; /* "curl" */
    /* Blocks until the reply is complete or its deadlines pass.  reply is filled as far as
     * known also on failure.  GBA_E_UNREACHABLE: name or connection; GBA_E_TIMEOUT; GBA_E_TLS:
     * handshake failed or peer not verified; GBA_E_TOO_LONG: reply over its cap;
     * GBA_E_PROTOCOL: no HTTP; GBA_E_MISDIRECTED: another suite than asked, nothing was sent;
     * GBA_E_ARGUMENT; GBA_E_NOMEM. */
    enum gba_err (*exchange)(struct gba_ue_transport *self,
                             const struct gba_ue_request *request, struct gba_ue_reply *reply);
    void (*close)(struct gba_ue_transport *self);
};

#endif
