/*
 * Client certificates in the handshake: who is refused is told so by an alert, and the log why.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_TLS_VERIFY_H
#define COMMON_HOST_TLS_VERIFY_H

#include "common/host/tls.h"

struct tls_verify {
    enum tls_client_cert client;
    struct log *log;
};

/* The rules for client certificates of one session, before its handshake; v lives as long as
 * the session. */
void tls_verify_attach(const struct tls_verify *v, gnutls_session_t s);

/* The address of a session's peer, for logs; "": its transport is no socket. */
void tls_verify_peer(gnutls_session_t s, char *out, size_t cap);

#endif
