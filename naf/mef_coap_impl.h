/*
 * What the two files of the CoAP front share: mef_coap.c (requests, life) and mef_coap_peer.c
 * (credentials, and whose session it is).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_COAP_IMPL_H
#define NAF_MEF_COAP_IMPL_H

#include "common/host/coapd.h"
#include "naf/mef_coap.h"

#define MEF_COAP_IDENTITY_MAX 512

struct mef_coap {
    const struct mef *mef;
    struct mef_peers *peers;
    struct log *log;
    bool unknown_identity_alert;
    gnutls_psk_server_credentials_t psk;
    gnutls_priority_t priorities; /* PSK alone */
    struct tls_server *tls;       /* else NULL */
    struct coapd *coapd;
    struct metric *requests_ok, *requests_refused;
};

/* Of one session. */
struct mef_coap_peer {
    struct mef_coap *front;
    gnutls_session_t session;
    struct tls_creds *creds;
    uint8_t identity[MEF_COAP_IDENTITY_MAX]; /* that was looked up */
    size_t identity_len;
    bool spent; /* of struct mef_client */
};

/* Whose session it is now, with what it exports.  Asked for each request, so a credential that
 * expires or goes takes its sessions with it.  GBA_E_FORBIDDEN: nobody's (any more); else the
 * port's.  Wiped by its owner. */
enum gba_err mef_coap_know(const struct mef_coap_peer *p, struct mef_client *c);

enum gba_err mef_coap_credentials(struct mef_coap *m, const struct tls_server_config *certs);
/* Hooks of coapd; the owner of a session is its struct mef_coap_peer. */
enum gba_err mef_coap_session_start(void *ctx, gnutls_session_t s, void **owner);
enum gba_err mef_coap_session_up(void *ctx, gnutls_session_t s, void *owner);
void mef_coap_session_end(void *ctx, gnutls_session_t s, void *owner);

#endif
