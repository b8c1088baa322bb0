/*
 * The front of Ub: HTTP to ub_run and back (TS 24.109 4).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_UB_HTTP_H
#define BSF_UB_HTTP_H

#include "bsf/ub_run.h"
#include "common/host/httpd.h"
#include "common/host/metrics.h"

#define UB_BODY_LIMIT   4096
#define UB_HEADER_LIMIT 16384

/* TS 33.220 4.5.2 step 0: the BSF always shows that it knows TMPIs. */
#define UB_SERVER "bsfd " BSF_TMPI_TOKEN

struct ub_http;

/* env, log and metrics are borrowed.  NULL: no memory. */
struct ub_http *ub_http_new(const struct ub_env *env, struct log *log, struct metrics *metrics);
void ub_http_free(struct ub_http *u);

/* For httpd_listen, with the struct ub_http as ctx. */
httpd_handler ub_http_handle;
httpd_refusal ub_http_refused;

#endif
