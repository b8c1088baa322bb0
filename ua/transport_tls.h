/*
 * The OpenSSL side of transport_curl.c: what it does to the SSL_CTX before a handshake, and
 * what it asks of the SSL before a request goes out.  Not public.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_TRANSPORT_TLS_H
#define UA_TRANSPORT_TLS_H

#include <openssl/ssl.h>

#include "ua/gba_ue.h"

/* One exchange's view of TLS.  Wiped by transport_tls_reset. */
struct transport_tls {
    const struct gba_ue_request *request;    /* NULL between exchanges */
    const char *ca_file;                     /* NULL: the system's */
    const char *host;                        /* the name to verify */
    char identity[GBA_UE_PSK_IDENTITY_SIZE]; /* must live until the handshake is over */
    bool tls13, psk, has_exported;
    uint16_t suite;
    unsigned alert;
    uint8_t exported[GBA_UE_EXPORT_LEN];
    enum gba_err err; /* why the handshake or the request was given up by us */
    const char *why;
};

void transport_tls_reset(struct transport_tls *t);

/* For CURLOPT_SSL_CTX_FUNCTION, only with a PSK in the request: callbacks, versions, and
 * verification that fails closed.  GBA_E_CONFIG: CA file; GBA_E_ARGUMENT: suites. */
enum gba_err transport_tls_prepare(struct transport_tls *t, SSL_CTX *ctx);
/* Watches for alerts; with and without PSK.  GBA_E_ARGUMENT: peer_fqdn. */
enum gba_err transport_tls_watch(struct transport_tls *t, SSL_CTX *ctx);

/* For CURLOPT_PREREQFUNCTION: connected, nothing sent yet.  Fills suite, psk, exported.
 * GBA_E_TLS: the peer is not authenticated as asked; GBA_E_MISDIRECTED: another suite;
 * GBA_E_DOWNGRADE: nothing to export from. */
enum gba_err transport_tls_connected(struct transport_tls *t, SSL *ssl);

#endif
