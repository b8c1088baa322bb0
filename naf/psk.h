/*
 * What the two files of PSK-TLS share: the credentials, and one handshake (psk.c speaks to
 * GnuTLS, psk_lookup.c finds the key).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_PSK_H
#define NAF_PSK_H

#include "common/limiter.h"
#include "naf/gba_naf_impl.h"

#define PSK_IDENTITY_MAX 512
#define PSK_KEY_MAX      64

struct gba_naf_psk {
    struct gba_naf *naf;
    gba_naf_psk_lookup *lookup;
    void *lookup_arg;
    bool bare_only, unknown_psk_identity;
    unsigned identity_max;
    int64_t (*now)(void *arg);
    void *now_arg;
    struct limiter *limiter; /* NULL: none */
    const struct sockaddr *(*peer)(void *arg, gnutls_session_t session);
    void *peer_arg;
    void (*refused)(void *arg, enum gba_err err, gnutls_session_t session);
    void *refused_arg;
    gnutls_psk_server_credentials_t cred;
};

struct handshake {
    struct gba_naf_psk *psk;
    uint16_t suite; /* of the ServerHello; 0: none yet */
    bool looked_up;
    enum gba_err err; /* of the look-up */
    struct gba_naf_peer peer;
    uint8_t key[PSK_KEY_MAX];
    size_t key_len;
    uint8_t *uss; /* the ussList that came with a key of the BSF; NULL: none */
    size_t uss_len;
};

int64_t psk_now_s(const struct gba_naf_psk *psk);

/* Forgets the ussList. */
void psk_drop_uss(struct handshake *h);

/* The key of identity, into h: from the server's own rows, else from the BSF.  Blocks.  sni: ""
 * for none, or not canonical.  address: as limiter_address has it. */
enum gba_err psk_look_up(struct handshake *h, struct gba_bytes identity, bool tls13,
                         struct gba_text sni, struct gba_bytes address);

#endif
