/*
 * Who a (D)TLS session with an MEF or MAF is: the keys of provisioned PSK identities during the
 * handshake, and after it the client behind the PSK, the certificate or the raw public key,
 * with what the session exports.  It knows GnuTLS; who may what is naf/mef_rights.h's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_PEER_H
#define NAF_MEF_PEER_H

#include "naf/gba_naf.h"
#include "naf/mef_rights.h"

struct tls_peer; /* common/host/tls_peer.h */

/* Asks elsewhere for the key of an identifier without a row.  address: of who shows it, as
 * limiter_address has it.  GBA_E_NOT_FOUND: nobody to ask. */
typedef enum gba_err mef_peer_remote(void *arg, struct gba_text key_id,
                                     struct gba_bytes address, struct gba_naf_psk_row *row);
struct mef_peer_lookup {
    const struct mef *mef;
    bool plain_psk;          /* GBA identities may come without forward secrecy too */
    uint16_t gba_suite;      /* the only one with which they may; 0: any */
    mef_peer_remote *remote; /* NULL: none is asked */
    void *remote_arg;
};
/* A gba_naf_psk_lookup: a provisioned KpmID or KmID of the registry. */
enum gba_err mef_peer_look_up(void *arg, const struct gba_naf_handshake *h,
                              struct gba_naf_psk_row *row);

/* Fills c of an established session.  GBA_OK also when nobody is known (c->id is "").
 * GBA_E_DOWNGRADE: an enrolee's session without extended master secret (RFC 7627), or resumed:
 * what it exports is good for nothing; GBA_E_EXPIRED, GBA_E_TLS; the registry's. */
enum gba_err mef_peer_by_psk(const struct mef *m, struct gba_naf_psk *psk,
                             gnutls_session_t session, int64_t now_s, struct mef_client *c);
/* peer: of the session; NULL: no certificate. */
enum gba_err mef_peer_by_certificate(const struct mef *m, gnutls_session_t session,
                                     const struct tls_peer *peer, int64_t now_s,
                                     struct mef_client *c);

/* The two halves of that, for CoAP.  Who has shown the session's certificate, if it verifies,
 * or its raw public key; also within the handshake. */
enum gba_err mef_peer_know_certificate(const struct mef *m, gnutls_session_t session,
                                       int64_t now_s, struct mef_client *c);
/* What the session of an enrolee exports, established.  One who is a target too is none but
 * that where it is GBA_E_DOWNGRADE for the enrolee. */
enum gba_err mef_peer_export(gnutls_session_t session, struct mef_client *c);

#endif
