/*
 * mefd's EST: the CA of the configuration behind the front of naf/est_http.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEFD_EST_H
#define NAF_MEFD_EST_H

#include "naf/ca_certs.h"
#include "naf/est_http.h"
#include "naf/mefd_conf.h"

struct mefd_est {
    struct est_front front;
    struct ca_certs anchors;
    /* What the listener for certificates needs to take those that are issued here; NULL: no
     * EST, or the CA has no CRL here. */
    char *ca_file, *crl_file;
};

/* Opens the CA; without one in the configuration front.est.ca stays NULL.  e: zeroed but for
 * the metrics.  changed(arg): the CRL is a new one; on any thread.  GBA_E_CONFIG,
 * GBA_E_IO, with a line of conf_complain or the log.  source: c's. */
enum gba_err mefd_est_open(struct mefd_est *e, const struct mefd_conf *c,
                           const struct conf *source, struct log *log,
                           void (*changed)(void *arg), void *arg);
/* When no request is under way any more.  Fine on a zeroed one. */
void mefd_est_close(struct mefd_est *e);

/* For --check-config: what can be seen without making files. */
enum gba_err mefd_est_check(const struct mefd_conf *c, const struct conf *source,
                            struct log *log);

#endif
