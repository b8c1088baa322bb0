/*
 * The front of mefd and mafd over CoAP: see mef_coap.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/host/clock.h"
#include "common/host/random.h"
#include "common/m2m_coap.h"
#include "naf/mef_coap_impl.h"
#include "naf/mef_refusal.h"

/* ------------------------------------------------------------ requests */

static void reply_code(const struct coapd_request *r, uint8_t code)
{
    struct coap_message m;

    coap_message_init(&m, COAP_ACK, code, 0, (struct gba_bytes){NULL, 0});
    coapd_reply(r, &m);
}

static void log_primitive(struct mef_coap *f, const struct coapd_request *r,
                          const struct mef_client *c, const struct m2m_request *rq,
                          const struct mef_answer *a)
{
    bool ok = m2m_rsc_is_success(a->rs.rsc);

    metric_add(ok ? f->requests_ok : f->requests_refused, 1);
    LOG(f->log, a->rs.rsc != M2M_RSC_INTERNAL_SERVER_ERROR ? LOG_LV_INFO : LOG_LV_ERROR,
        "mef.primitive", LOG_STR("over", "coap"), LOG_INT("rq", r->number),
        LOG_INT("op", rq->op), LOG_STR("to", rq->to), LOG_STR("client", c->id),
        LOG_INT("ty", rq->ty), LOG_INT("rsc", a->rs.rsc),
        LOG_STR("why", a->problem.why != NULL ? a->problem.why : ""),
        LOG_STR("attribute", a->problem.attribute));
}

static void primitive(struct mef_coap *f, const struct mef_client *c,
                      const struct coapd_request *r, struct m2m_request *rq,
                      struct mef_answer *a, const uint8_t random[static 16])
{
    enum m2m_rsc rsc = m2m_coap_request_read(r->message, rq);
    struct coap_message m;

    if (rsc != M2M_RSC_OK)
        mef_refusal(rq, rsc, "", rq->why, a);
    else
        mef_request(f->mef, c, rq, clock_unix_s(), random, a);
    log_primitive(f, r, c, rq, a);
    coap_message_init(&m, COAP_ACK, 0, 0, (struct gba_bytes){NULL, 0});
    if (m2m_coap_response_print(&a->rs, rq->op, &m) == GBA_OK)
        coapd_reply(r, &m);
    else
        reply_code(r, COAP_INTERNAL_ERROR);
}

/* In the form of the binding, as far as the request could be read, with a code of our own.  A
 * repeated identifier says nothing. */
static void reply_refusal(const struct coapd_request *r, uint8_t code, enum m2m_rsc rsc,
                          const char *why)
{
    struct m2m_request *rq = calloc(1, sizeof(*rq));
    struct mef_answer *a = calloc(1, sizeof(*a));
    struct coap_message m;

    coap_message_init(&m, COAP_ACK, code, 0, (struct gba_bytes){NULL, 0});
    if (rq != NULL && a != NULL) {
        const struct coap_option *rqi = coap_message_find(r->message, M2M_COAP_RQI);

        m2m_coap_request_read(r->message, rq);
        if (rqi != NULL && rqi + 1 < r->message->option + r->message->n_options &&
            rqi[1].number == M2M_COAP_RQI)
            rq->rqi[0] = '\0';
        mef_refusal(rq, rsc, "", why, a);
        if (m2m_coap_response_print(&a->rs, rq->op, &m) != GBA_OK)
            coap_message_init(&m, COAP_ACK, code, 0, (struct gba_bytes){NULL, 0});
        m.code = code;
    }
    coapd_reply(r, &m);
    free(rq);
    free(a);
}

/* A session ends with the credential it stands on. */
static void refuse(struct mef_coap *f, const struct coapd_request *r, enum gba_err err)
{
    bool nobody = err == GBA_E_FORBIDDEN || err == GBA_E_TLS || err == GBA_E_DOWNGRADE;

    LOG(f->log, LOG_LV_INFO, "mef.refused", LOG_STR("over", "coap"), LOG_INT("rq", r->number),
        LOG_ERR(err), LOG_STR("peer", r->peer));
    metric_add(f->requests_refused, 1);
    reply_refusal(r, nobody ? COAP_UNAUTHORIZED : COAP_UNAVAILABLE, mef_refusal_rsc(err),
                  gba_err_text(err));
    if (nobody)
        coapd_close(r);
}

/* What CoAP itself refuses. */
static void on_refused(void *ctx, const struct coapd_request *r, uint8_t code)
{
    static const struct {
        uint8_t code;
        enum m2m_rsc rsc;
        const char *why;
    } rows[] = {
        {COAP_BAD_OPTION, M2M_RSC_BAD_REQUEST,
         "an option that is unknown, repeated or of a wrong length"},
        {COAP_BAD_REQUEST, M2M_RSC_BAD_REQUEST, "a malformed block"},
        {COAP_INCOMPLETE, M2M_RSC_BAD_REQUEST, "a block out of order"},
        {COAP_TOO_LARGE, M2M_RSC_BAD_REQUEST, "body too large"},
        {COAP_NO_PROXYING, M2M_RSC_NOT_IMPLEMENTED, "no proxy"},
    };
    struct mef_coap *f = ctx;
    enum m2m_rsc rsc = M2M_RSC_INTERNAL_SERVER_ERROR;
    const char *why = gba_err_text(GBA_E_NOMEM);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].code == code) {
            rsc = rows[i].rsc;
            why = rows[i].why;
        }
    LOG(f->log, LOG_LV_INFO, "mef.refused", LOG_STR("over", "coap"), LOG_INT("rq", r->number),
        LOG_STR("why", why), LOG_STR("peer", r->peer));
    metric_add(f->requests_refused, 1);
    reply_refusal(r, code, rsc, why);
}

static void serve(struct mef_coap *f, const struct mef_client *c, const struct coapd_request *r)
{
    struct m2m_request *rq = calloc(1, sizeof(*rq));
    struct mef_answer *a = calloc(1, sizeof(*a));
    uint8_t random[16];

    if (rq == NULL || a == NULL) {
        refuse(f, r, GBA_E_NOMEM);
    } else if (random_octets(random, sizeof(random)) != GBA_OK) {
        refuse(f, r, GBA_E_ENTROPY);
    } else {
        primitive(f, c, r, rq, a, random);
        gba_wipe(rq, sizeof(*rq));
        mef_answer_wipe(a);
    }
    free(rq);
    free(a);
}

static void on_request(void *ctx, void *owner, const struct coapd_request *r)
{
    struct mef_coap *f = ctx;
    struct mef_client c;
    struct mef_coap_peer *peer = owner;
    enum gba_err err = mef_coap_know(peer, &c);

    c.spent = &peer->spent;
    if (err == GBA_OK)
        serve(f, &c, r);
    else
        refuse(f, r, err);
    mef_client_wipe(&c);
}

/* ------------------------------------------------------------ life */

/* What a program counts is named after the program. */
static const struct {
    const char *requests, *handshakes, *sessions;
} metric_names[MEF_N_ROLES] = {
    [MEF_ROLE_MEF] = {"mefd_requests_total", "mefd_coap_handshakes_total",
                      "mefd_coap_sessions"},
    [MEF_ROLE_MAF] = {"mafd_requests_total", "mafd_coap_handshakes_total",
                      "mafd_coap_sessions"},
};

static void count_requests(struct mef_coap *m, struct metrics *x)
{
    const char *name = metric_names[m->mef->policy->role].requests;
    static const char help[] = "Requests on Mmef or Mmaf by result";

    m->requests_ok = metrics_counter(x, name, "result=\"ok\"", help);
    m->requests_refused = metrics_counter(x, name, "result=\"refused\"", help);
}

static void count_sessions(struct coapd_config *d, enum mef_role role, struct metrics *x)
{
    const char *name = metric_names[role].handshakes;
    static const char help[] = "DTLS handshakes by result";

    d->handshakes_ok = metrics_counter(x, name, "result=\"ok\"", help);
    d->handshakes_failed = metrics_counter(x, name, "result=\"refused\"", help);
    d->sessions_now = metrics_gauge(x, metric_names[role].sessions, NULL, "DTLS sessions");
}

static enum gba_err listen_all(struct mef_coap *m, const struct mef_coap_config *c)
{
    struct coapd_config d = {
        .name = "coap",
        .log = c->log,
        .ctx = m,
        .session_start = mef_coap_session_start,
        .session_up = mef_coap_session_up,
        .session_end = mef_coap_session_end,
        .check = m2m_coap_check,
        .handler = on_request,
        .refused = on_refused,
        .sessions = c->sessions,
        .per_address = c->per_address,
        .handshakes = c->handshakes,
        .limiter = c->limiter,
        .limited = c->limited,
        .body_limit = M2M_CONTENT_MAX,
        .idle_s = c->idle_s,
    };
    enum gba_err err;

    count_sessions(&d, c->mef->policy->role, c->metrics);
    err = coapd_new(&d, &m->coapd);
    for (size_t i = 0; err == GBA_OK && i < c->n_listen; i++)
        err = coapd_listen(m->coapd, c->listen[i]);
    return err == GBA_OK ? coapd_start(m->coapd) : err;
}

enum gba_err mef_coap_new(const struct mef_coap_config *c, struct mef_coap **out)
{
    struct mef_coap *m = calloc(1, sizeof(*m));
    enum gba_err err;

    *out = NULL;
    if (m == NULL)
        return GBA_E_NOMEM;
    m->mef = c->mef;
    m->peers = c->peers;
    m->log = c->log;
    m->unknown_identity_alert = c->unknown_identity_alert;
    count_requests(m, c->metrics);
    err = mef_coap_credentials(m, c->certificates);
    if (err == GBA_OK)
        err = listen_all(m, c);
    if (err != GBA_OK) {
        mef_coap_free(m);
        return err;
    }
    *out = m;
    return GBA_OK;
}

const char *mef_coap_bound(const struct mef_coap *m, size_t i)
{
    return m != NULL ? coapd_bound(m->coapd, i) : NULL;
}

size_t mef_coap_sessions(const struct mef_coap *m)
{
    return m != NULL ? coapd_sessions(m->coapd) : 0;
}

void mef_coap_reload(struct mef_coap *m)
{
    if (m != NULL && m->tls != NULL)
        tls_server_reload(m->tls);
}

void mef_coap_drain(struct mef_coap *m)
{
    if (m != NULL)
        coapd_drain(m->coapd);
}

void mef_coap_free(struct mef_coap *m)
{
    if (m == NULL)
        return;
    coapd_free(m->coapd);
    if (m->psk != NULL)
        gnutls_psk_free_server_credentials(m->psk);
    if (m->priorities != NULL)
        gnutls_priority_deinit(m->priorities);
    tls_server_free(m->tls);
    free(m);
}
