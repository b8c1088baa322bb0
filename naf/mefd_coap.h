/*
 * The CoAP part of mefd: its section of the configuration, and starting it from there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEFD_COAP_H
#define NAF_MEFD_COAP_H

#include "naf/mef_coap.h"
#include "naf/mefd_conf.h"
#include "naf/mefd_est.h"

struct mefd_coap;

/* Of handshakes; shared with the listeners for TLS. */
struct mefd_coap_limit {
    struct limiter *handshakes;
    struct metric *refused;
};

/* From the sections coap and tls and the CA of est (zeroed: none), for the peers of mef's
 * registry; what is wrong is logged.
 * Without addresses *out is NULL, which the functions below take.  GBA_E_CONFIG, and as
 * mef_coap_new. */
enum gba_err mefd_coap_start(const struct mefd_conf *c, const struct mefd_est *est,
                             const struct mef *mef, const struct mefd_coap_limit *limit,
                             struct log *log, struct metrics *metrics, struct mefd_coap **out);
/* --check-config: everything but the sockets. */
enum gba_err mefd_coap_check(const struct mefd_conf *c, struct log *log);
struct mef_coap *mefd_coap_front(struct mefd_coap *m);
void mefd_coap_free(struct mefd_coap *m);

#endif
