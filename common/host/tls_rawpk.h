/*
 * Raw public keys (RFC 7250): ours beside a certificate, and the digest of a peer's (RFC 6920).
 * Only sessions begun with GNUTLS_ENABLE_RAWPK can use them, so not those of libmicrohttpd.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_TLS_RAWPK_H
#define COMMON_HOST_TLS_RAWPK_H

#include <gnutls/gnutls.h>

#include "common/bytes.h"

/* 0, or GnuTLS's error. */
int tls_rawpk_add(gnutls_certificate_credentials_t creds, const char *key_file);
/* SHA-256 of the SubjectPublicKeyInfo that the peer has shown.  GBA_E_NOT_FOUND: none. */
enum gba_err tls_peer_rawpk(gnutls_session_t s, uint8_t spki_sha256[static 32]);

#endif
