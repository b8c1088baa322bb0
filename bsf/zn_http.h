/*
 * The front of Zn as a web service: HTTP and SOAP to zn_run and back (TS 29.109 5.3, Annex D).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_ZN_HTTP_H
#define BSF_ZN_HTTP_H

#include "bsf/zn_run.h"
#include "common/host/httpd.h"
#include "common/host/metrics.h"

#define ZN_PATH_DEFAULT "/bsf/requestBootstrappingInfo"

struct zn_http_config {
    const char *path;
    /* Zn without TLS: the name every caller is taken for; NULL: callers prove theirs by
     * certificate. */
    const char *insecure_naf;
};

struct zn_http;

/* env, config strings, log and metrics are borrowed.  NULL: no memory. */
struct zn_http *zn_http_new(const struct zn_env *env, const struct zn_http_config *c,
                            struct log *log, struct metrics *metrics);
void zn_http_free(struct zn_http *z);

/* For httpd_listen, with the struct zn_http as ctx. */
httpd_handler zn_http_handle;
httpd_refusal zn_http_refused;

#endif
