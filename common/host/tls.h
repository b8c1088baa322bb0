/*
 * TLS server credentials over GnuTLS, and what may be asked of an established session: the
 * negotiated suite, exported keys.  Who its peer is: tls_peer.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_TLS_H
#define COMMON_HOST_TLS_H

#include <gnutls/gnutls.h>

#include "common/bytes.h"
#include "common/host/log.h"

enum tls_client_cert { TLS_CLIENT_NONE, TLS_CLIENT_OPTIONAL, TLS_CLIENT_REQUIRED };

struct tls_server_config {
    const char *cert_file;       /* PEM chain */
    const char *key_file;        /* PEM; must not be readable by others (warning in the log) */
    const char *client_ca_file;  /* PEM; NULL with TLS_CLIENT_NONE */
    const char *crl_file;        /* PEM; NULL: none */
    const char *more_ca_file;    /* PEM; further roots for clients, and their CRL; NULL: none */
    const char *more_crl_file;
    enum tls_client_cert client; /* OPTIONAL/REQUIRED: a certificate that does not verify ends
                                    the handshake; REQUIRED: so does none */
    const char *priorities; /* GnuTLS string; NULL: TLS 1.2 and 1.3, forward secrecy, no PSK */
    bool raw_public_key;    /* key_file's as a raw public key too (tls_rawpk.h) */
};

/* X25519 first: it is the share OpenSSL's clients send, so no HelloRetryRequest. */
#define TLS_PRIORITIES_DEFAULT                                                                 \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"              \
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:%SERVER_PRECEDENCE"

struct tls_server;
/* GBA_E_CONFIG with a log line that names the file and what is wrong with it. */
enum gba_err tls_server_new(const struct tls_server_config *c, struct log *log,
                            struct tls_server **out);
void tls_server_free(struct tls_server *t);
/* Reads the same files again, for new sessions; those that run keep what they have.  On an
 * error (as tls_server_new) everything stays as it was. */
enum gba_err tls_server_reload(struct tls_server *t);

/* For httpd: the current credentials, counted; released when the session is gone.  Applying
 * them puts certificate, priorities and the rules for client certificates on a new session. */
struct tls_creds;
struct tls_creds *tls_server_hold(struct tls_server *t);
enum gba_err tls_creds_apply(struct tls_creds *c, gnutls_session_t session);
void tls_creds_release(struct tls_creds *c); /* NULL is fine */
const char *tls_server_priorities(const struct tls_server *t);
/* The PEM texts, for libmicrohttpd's own options. */
const char *tls_server_cert_pem(const struct tls_server *t);
const char *tls_server_key_pem(const struct tls_server *t);

/* The negotiated suite's two octets (00AE -> 0x00ae); 0 before the handshake is done. */
uint16_t tls_suite(gnutls_session_t s);
bool tls_is_13(gnutls_session_t s);
/* RFC 5705 without context. */
enum gba_err tls_export(gnutls_session_t s, const char *label, uint8_t *out, size_t n);

#endif
