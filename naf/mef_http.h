/*
 * The front of mefd and mafd: requests of common/host/httpd.h into primitives and into
 * fetchCredentials, answers back.  It knows who a TLS session is; it decides nothing else.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_HTTP_H
#define NAF_MEF_HTTP_H

#include "common/host/httpd.h"
#include "common/host/metrics.h"
#include "naf/est_http.h"
#include "naf/gba_naf_impl.h"
#include "naf/mef.h"

struct mef_front {
    struct mef mef;
    struct gba_naf *naf; /* for Zn, and for its own name */
    struct gba_naf_psk *psk;
    struct est_front *est; /* NULL: no EST here */
    struct log *log;
    struct metric *requests_ok, *requests_refused, *fetches_ok, *fetches_refused;
    struct metric *lookups_limited;
};

/* Handlers of the two listeners; ctx is the front. */
void mef_http_certificate(void *ctx, struct httpd_request *r); /* mutual TLS */
void mef_http_psk(void *ctx, struct httpd_request *r);         /* TLS-PSK */
/* What the gate refused. */
void mef_http_refusal(void *ctx, struct httpd_request *r, enum gba_err err);
/* tls_start of the PSK listener. */
void mef_http_tls_start(void *ctx, gnutls_session_t session);
/* refused of its PSK look-ups. */
void mef_http_psk_refused(void *ctx, enum gba_err err, gnutls_session_t session);

#endif
