/*
 * The front of EST: requests of common/host/httpd.h into naf/est.h's decisions, answers back,
 * the CA asked in between.  It knows who a TLS session is; it decides nothing else.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_EST_HTTP_H
#define NAF_EST_HTTP_H

#include "common/host/httpd.h"
#include "common/host/metrics.h"
#include "naf/est.h"
#include "naf/mef_rights.h"

struct est_front {
    struct est est;
    struct log *log;
    struct metric *answered, *refused, *issued;
};

/* A request whose path is est_is_path; c: whom mef_http.c made of the session. */
void est_http_serve(struct est_front *f, const struct mef_client *c, struct httpd_request *r);

#endif
