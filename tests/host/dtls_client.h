/*
 * A DTLS client for tests: GnuTLS over a connected socket, datagrams in and out as they are. It
 * shares nothing with common/host/coapd.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_HOST_DTLS_CLIENT_H
#define TESTS_HOST_DTLS_CLIENT_H

#include <gnutls/gnutls.h>

#include "common/bytes.h"

/* DTLS 1.2 with TLS_PSK_WITH_AES_128_CCM_8 and nothing else. */
#define DTLS_C0A8 "NONE:+VERS-DTLS1.2:+COMP-NULL:+PSK:+AES-128-CCM-8:+AEAD:+SIGN-ALL:+GROUP-ALL"
/* TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, certificates and raw public keys. */
#define DTLS_C0AE                                                                              \
    "NONE:+VERS-DTLS1.2:+COMP-NULL:+ECDHE-ECDSA:+AES-128-CCM-8:+AEAD:+SIGN-ALL:+GROUP-ALL"     \
    ":+CTYPE-CLI-X509:+CTYPE-SRV-X509"
#define DTLS_C0AE_RAW                                                                          \
    "NONE:+VERS-DTLS1.2:+COMP-NULL:+ECDHE-ECDSA:+AES-128-CCM-8:+AEAD:+SIGN-ALL:+GROUP-ALL"     \
    ":+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK"

struct dtls_client_config {
    const char *priority;                       /* NULL: DTLS_C0A8 */
    struct gba_bytes identity, key;             /* PSK */
    const char *cert_file, *key_file;           /* X.509 */
    const char *raw_public_file, *raw_key_file; /* PEM: a raw public key and its private one */
    unsigned drop;        /* bit i: the i-th datagram that comes is lost */
    unsigned patience_ms; /* for the handshake; 0: 10 s */
};

struct dtls_client {
    int fd;
    gnutls_session_t s;
    gnutls_psk_client_credentials_t psk;
    gnutls_certificate_credentials_t cert;
    unsigned drop, seen;
    uint8_t hello[1024]; /* the last ClientHello that was sent */
    size_t hello_len;
};

/* address: "127.0.0.1:PORT", "[::1]:PORT". */
bool dtls_client_connect(struct dtls_client *c, const char *address);
bool dtls_client_start(struct dtls_client *c, const struct dtls_client_config *conf);
/* 0, or GnuTLS's error; GNUTLS_E_AGAIN with block false. */
int dtls_client_handshake(struct dtls_client *c, bool block);
/* All three. */
int dtls_client_open(struct dtls_client *c, const char *address,
                     const struct dtls_client_config *conf);
bool dtls_client_send(struct dtls_client *c, struct gba_bytes octets);
/* One datagram's octets; 0: the server said goodbye; GNUTLS_E_TIMEDOUT: none within ms. */
ssize_t dtls_client_receive(struct dtls_client *c, uint8_t *out, size_t cap, int ms);
/* Ends the session, not the socket; say: with a close_notify. */
void dtls_client_end(struct dtls_client *c, bool say);
void dtls_client_close(struct dtls_client *c);

#endif
