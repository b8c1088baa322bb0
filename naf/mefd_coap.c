/*
 * The CoAP part of mefd: see mefd_coap.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefd_coap.h"

#include <stdlib.h>

#include "naf/mef_peers_registry.h"

struct mefd_coap {
    struct mef_peers_registry peers;
    struct mef_coap *front;
};

static struct tls_server_config certificates(const struct mefd_conf *c,
                                             const struct mefd_est *est)
{
    return (struct tls_server_config){
        .cert_file = c->coap.certificate != NULL ? c->coap.certificate : c->tls.certificate,
        .key_file = c->coap.key != NULL ? c->coap.key : c->tls.key,
        .client_ca_file = c->tls.client_ca,
        .crl_file = c->tls.crl,
        .more_ca_file = est->ca_file,
        .more_crl_file = est->crl_file,
        .client = TLS_CLIENT_REQUIRED,
        .raw_public_key = true,
    };
}

enum gba_err mefd_coap_start(const struct mefd_conf *c, const struct mefd_est *est,
                             const struct mef *mef, const struct mefd_coap_limit *limit,
                             struct log *log, struct metrics *metrics, struct mefd_coap **out)
{
    const struct tls_server_config t = certificates(c, est);
    struct mef_coap_config m = {
        .mef = mef,
        .listen = (const char *const *)c->coap.listen.v,
        .n_listen = c->coap.listen.n,
        .certificates = c->coap.certificates ? &t : NULL,
        .unknown_identity_alert = c->coap.unknown_identity_alert,
        .sessions = (unsigned)c->coap.sessions,
        .per_address = (unsigned)c->coap.per_address,
        .handshakes = (unsigned)c->coap.handshakes,
        .idle_s = (unsigned)(c->coap.idle_ms / 1000),
        .limiter = limit->handshakes,
        .limited = limit->refused,
        .log = log,
        .metrics = metrics,
    };
    struct mefd_coap *self;
    enum gba_err err;

    *out = NULL;
    if (c->coap.listen.n == 0)
        return GBA_OK;
    self = calloc(1, sizeof(*self));
    if (self == NULL)
        return GBA_E_NOMEM;
    mef_peers_registry_init(&self->peers, mef);
    m.peers = &self->peers.port;
    err = mef_coap_new(&m, &self->front);
    if (err != GBA_OK) {
        mefd_coap_free(self);
        return err;
    }
    *out = self;
    return GBA_OK;
}

enum gba_err mefd_coap_check(const struct mefd_conf *c, struct log *log)
{
    static const struct mefd_est none;
    const struct tls_server_config t = certificates(c, &none);
    struct tls_server *tls = NULL;
    enum gba_err err = c->coap.certificates ? tls_server_new(&t, log, &tls) : GBA_OK;

    tls_server_free(tls);
    return err;
}

struct mef_coap *mefd_coap_front(struct mefd_coap *m)
{
    return m != NULL ? m->front : NULL;
}

void mefd_coap_free(struct mefd_coap *m)
{
    if (m == NULL)
        return;
    mef_coap_free(m->front);
    free(m);
}
