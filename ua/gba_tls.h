/*
 * The TLS client of gba connect, by a pre-shared key or by a certificate, and the names of TLS
 * suites.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_GBA_TLS_H
#define UA_GBA_TLS_H

#include "ua/gba_ue.h"

struct gba_tls {
    /* set by the caller; all else zero */
    const char *identity; /* NULL: by certificate */
    uint8_t key[GBA_UE_KEY_LEN];
    const char *cert_file, *key_file; /* PEM: this end's chain and its private key */
    const char *ca_file;              /* PEM: the peer's roots; NULL: the system's */
    /* state */
    int fd;              /* not blocking */
    int64_t deadline_ms; /* of the whole, on the monotonic clock */
    struct ssl_ctx_st *ctx;
    struct ssl_st *ssl;
    bool key_given; /* the handshake came as far as our key or certificate */
    bool asked;     /* the peer asked for our certificate */
    unsigned alert; /* fatal, from the peer */
    bool closed;    /* the peer ended the session */
    char why[200];
};

/* By key: TLS 1.2, PSK suites of the list only, no certificate.  By certificate: TLS 1.2 or 1.3,
 * suites for 1.2, and the peer's certificate verifies for the name sni, exactly, which then is
 * no option, and the peer asks for ours (TS-0003 8.2.2.2); GBA_E_CONFIG: a file.  sni "": none.
 * timeout_s: from here to the end of gba_tls_ask.  GBA_E_UNREACHABLE; GBA_E_TIMEOUT;
 * GBA_E_REFUSED: the peer ended the handshake after it had the identity; GBA_E_TLS;
 * GBA_E_ARGUMENT: suites.  Always followed by gba_tls_close. */
enum gba_err gba_tls_open(struct gba_tls *t, const char *host, const char *port,
                          const char *sni, const char *suites, unsigned timeout_s);
/* RFC name and code of the negotiated suite. */
const char *gba_tls_suite(const struct gba_tls *t, uint16_t *code);
/* Sends text as it is and reads the answer's first line, of an HTTP answer the first line of
 * its body; line is "" where none comes within 5 s: the session stands all the same.
 * GBA_E_REFUSED: the target closed, or its HTTP status is no 2xx. */
enum gba_err gba_tls_ask(struct gba_tls *t, const char *send, char *line, size_t cap);
void gba_tls_close(struct gba_tls *t);

#endif
