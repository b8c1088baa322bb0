/*
 * Who the peer of a TLS session is by its certificate, once the handshake is done: its
 * alternative names, of which the front of Zn wants the dNSNames and an MEF all.  The CN is
 * never read.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_TLS_PEER_H
#define COMMON_HOST_TLS_PEER_H

#include <gnutls/gnutls.h>

#include "common/bytes.h"

/* Text, in the order of the certificate: "dns:NAME", "uri:URI" and "other:OID:HEX" (the DER of
 * the value).  Names of other types, with NUL or of more than 511 octets are nobody's and left
 * out. */
#define TLS_PEER_NAMES 256
struct tls_peer {
    _Atomic unsigned refs;
    char *name[TLS_PEER_NAMES];
    size_t n;
    bool more; /* there are more than these */
    int64_t expires_s;
};

/* Of a session with tls_creds_apply, whose handshake has verified the certificate, and is done.
 * GBA_E_NOT_FOUND: there is none; GBA_E_NOMEM.  *out has one reference, or is NULL. */
enum gba_err tls_peer_read(gnutls_session_t s, struct tls_peer **out);
/* The same of any session, also within the handshake: verifies with its credentials first. */
enum gba_err tls_peer_verify(gnutls_session_t s, struct tls_peer **out);
struct tls_peer *tls_peer_hold(struct tls_peer *p); /* NULL: none */
void tls_peer_release(struct tls_peer *p);

#endif
