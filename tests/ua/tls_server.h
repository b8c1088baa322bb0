/*
 * An HTTPS server on 127.0.0.1 for the UE's tests, on OpenSSL: with a certificate made on the
 * spot, with pre-shared keys, or both.  It remembers what each handshake came to.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UA_TLS_SERVER_H
#define TESTS_UA_TLS_SERVER_H

#include <pthread.h>

#include <openssl/ssl.h>

#include "tests/ua/fake_bsf.h"

struct tls_server {
    /* set before start; all else zero */
    fake_answer *answer;
    void *ctx;
    int min_version, max_version; /* TLS1_2_VERSION, ... */
    const char *suites;           /* TLS 1.2 list; NULL: OpenSSL's */
    const char *hint;
    bool no_certificate;
    const char *dns; /* dNSName; NULL: "naf.example" and 127.0.0.1 */
    uint8_t key[32];
    void (*find_key)(void *ctx, uint8_t key[32]); /* NULL: key as it is */
    const char *refuse_identity;                  /* this psk_identity is unknown */
    bool psk13;                                   /* takes an external PSK in TLS 1.3 */
    bool silent;                                  /* accepts TCP and says nothing */
    /* what happened */
    unsigned n_accepted, n_handshakes, n_failures;
    char identity[512];
    uint16_t suite;
    uint8_t exported[48];
    /* private */
    SSL_CTX *ssl_ctx;
    int fd;
    unsigned port;
    pthread_t thread;
};

/* ca_file gets the server's own certificate, PEM: the root to trust. */
void tls_server_start(struct tls_server *s, const char *ca_file);
void tls_server_stop(struct tls_server *s);

#endif
