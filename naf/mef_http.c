/*
 * The front of mefd and mafd: see mef_http.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_http.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/clock.h"
#include "common/host/random.h"
#include "common/host/tls_verify.h"
#include "common/m2m_http.h"
#include "naf/mef_fetch.h"
#include "naf/mef_peer.h"
#include "naf/mef_refusal.h"

#define PROBLEM_SIZE 512

/* ------------------------------------------------------------ primitives */

/* status: of the answer, where HTTP has one of its own for it. */
static void reply_primitive(struct httpd_request *r, const struct m2m_response *rs,
                            unsigned status, bool close)
{
    struct m2m_http_reply *out = calloc(1, sizeof(*out));
    struct httpd_header headers[M2M_HTTP_FIELDS + 1];
    size_t n = 0;

    if (out == NULL) {
        httpd_reply(r, &(struct httpd_reply){.status = 503, .close = true});
        return;
    }
    m2m_http_response_print(rs, out);
    for (; n < out->n_fields; n++)
        headers[n] = (struct httpd_header){out->field[n].name, out->field[n].value};
    if (status == 503)
        headers[n++] = (struct httpd_header){"Retry-After", "5"};
    httpd_reply(r, &(struct httpd_reply){.status = status != 0 ? status : out->status,
                                         .content_type = out->content_type,
                                         .headers = headers,
                                         .n_headers = n,
                                         .body = rs->pc,
                                         .close = close});
    free(out);
}

static const char *const binding_fields[] = {M2M_H_ORIGIN, M2M_H_RI, M2M_H_RVI};
#define N_BINDING_FIELDS (sizeof(binding_fields) / sizeof(binding_fields[0]))

/* The field that stands twice, and so says nothing; "": none. */
static const char *repeated_field(const struct httpd_request *r)
{
    for (size_t i = 0; i < N_BINDING_FIELDS; i++) {
        size_t n;

        httpd_field(r, binding_fields[i], &n);
        if (n > 1)
            return binding_fields[i];
    }
    return "";
}

static struct gba_text only_field(const struct httpd_request *r, const char *name)
{
    size_t n;
    struct gba_text value = httpd_field(r, name, &n);

    return n == 1 ? value : (struct gba_text){"", 0};
}

static struct m2m_http_request binding_request(const struct httpd_request *r)
{
    return (struct m2m_http_request){
        .method = httpd_method(r),
        .path = httpd_path(r),
        .query = httpd_query(r),
        .content_type = httpd_field(r, "Content-Type", NULL),
        .accept = httpd_field(r, "Accept", NULL),
        .origin = only_field(r, M2M_H_ORIGIN),
        .ri = only_field(r, M2M_H_RI),
        .rvi = only_field(r, M2M_H_RVI),
        .body = httpd_body(r),
    };
}

/* ------------------------------------------------------------ refusals of the front */

/* A connection whose credential has expired ends (TS 33.222 5.4). */
static bool ends_connection(enum gba_err err)
{
    return err == GBA_E_EXPIRED || err == GBA_E_FORBIDDEN;
}

/* HTTP itself was not understood: nothing of it is told as if it had been. */
static bool is_malformed(enum gba_err err)
{
    return err == GBA_E_HTTP || err == GBA_E_HEADER_TOO_LARGE || err == GBA_E_HTTP_VERSION;
}

/* On the paths of the binding, in its form, as far as the request could be read.  False: no
 * memory. */
static bool refuse_primitive(struct httpd_request *r, enum gba_err err)
{
    const struct m2m_http_request in = binding_request(r);
    struct m2m_request *rq = calloc(1, sizeof(*rq));
    struct mef_answer *a = malloc(sizeof(*a));
    bool can = rq != NULL && a != NULL;

    if (can) {
        m2m_http_request_read(&in, rq);
        mef_refusal(rq, mef_refusal_rsc(err), err == GBA_E_REPEATED ? repeated_field(r) : "",
                    err == GBA_E_REPEATED ? "repeated" : gba_err_text(err), a);
        reply_primitive(r, &a->rs, gba_err_http(err), ends_connection(err));
    }
    free(rq);
    free(a);
    return can;
}

/* application/problem+json (RFC 9457). */
static void refuse_plainly(struct httpd_request *r, enum gba_err err)
{
    static const struct httpd_header retry = {"Retry-After", "5"};
    static const struct httpd_header allow = {"Allow", "GET"};
    char body[PROBLEM_SIZE];
    struct gba_wbuf w;
    unsigned status = gba_err_http(err);

    gba_wbuf_init(&w, body, sizeof(body));
    gba_wbuf_str(&w, "{\"status\":");
    gba_wbuf_number(&w, status);
    gba_wbuf_str(&w, ",\"title\":\"");
    gba_wbuf_str(&w, gba_err_text(err));
    gba_wbuf_str(&w, "\"}");
    httpd_reply(r, &(struct httpd_reply){.status = status,
                                         .content_type = "application/problem+json",
                                         .headers = status == 405 ? &allow : &retry,
                                         .n_headers = status == 503 || status == 405,
                                         .body = gba_wbuf_bytes(&w),
                                         .close = ends_connection(err)});
}

static void refuse(struct mef_front *f, struct httpd_request *r, enum gba_err err)
{
    LOG(f->log, LOG_LV_INFO, "mef.refused", LOG_INT("rq", httpd_request_id(r)), LOG_ERR(err),
        LOG_STR("peer", httpd_peer_text(r)), LOG_INT("status", gba_err_http(err)));
    if (is_malformed(err) || !m2m_http_is_path(httpd_path(r)) || !refuse_primitive(r, err))
        refuse_plainly(r, err);
}

void mef_http_refusal(void *ctx, struct httpd_request *r, enum gba_err err)
{
    struct mef_front *f = ctx;

    metric_add(f->requests_refused, 1);
    refuse(f, r, err);
}

/* ------------------------------------------------------------ who it is */

void mef_http_tls_start(void *ctx, gnutls_session_t session)
{
    struct mef_front *f = ctx;
    enum gba_err err = gba_naf_psk_attach(f->psk, session);

    if (err != GBA_OK) /* then there is no PSK, and the handshake fails */
        LOG(f->log, LOG_LV_ERROR, "mef.tls", LOG_ERR(err));
}

/* Strangers have unknown identities; who is over the limit may have a good one. */
void mef_http_psk_refused(void *ctx, enum gba_err err, gnutls_session_t session)
{
    struct mef_front *f = ctx;
    char peer[64];

    if (err != GBA_E_RATE_LIMITED)
        return;
    metric_add(f->lookups_limited, 1);
    tls_verify_peer(session, peer, sizeof(peer));
    LOG(f->log, LOG_LV_INFO, "mef.psk_refused", LOG_ERR(err), LOG_STR("peer", peer));
}

/* ------------------------------------------------------------ Mmef */

static void log_primitive(struct mef_front *f, const struct httpd_request *r,
                          const struct mef_client *c, const struct m2m_request *rq,
                          const struct mef_answer *a)
{
    bool ok = m2m_rsc_is_success(a->rs.rsc);

    metric_add(ok ? f->requests_ok : f->requests_refused, 1);
    LOG(f->log, ok || a->rs.rsc != M2M_RSC_INTERNAL_SERVER_ERROR ? LOG_LV_INFO : LOG_LV_ERROR,
        "mef.primitive", LOG_INT("rq", httpd_request_id(r)), LOG_INT("op", rq->op),
        LOG_STR("to", rq->to), LOG_STR("client", c->id), LOG_INT("ty", rq->ty),
        LOG_INT("rsc", a->rs.rsc), LOG_STR("why", a->problem.why != NULL ? a->problem.why : ""),
        LOG_STR("attribute", a->problem.attribute));
}

static void primitive(struct mef_front *f, const struct mef_client *c, struct httpd_request *r)
{
    const struct m2m_http_request in = binding_request(r);
    struct m2m_request *rq = calloc(1, sizeof(*rq));
    struct mef_answer *a = malloc(sizeof(*a));
    uint8_t random[16];
    enum m2m_rsc rsc;

    if (rq == NULL || a == NULL || random_octets(random, sizeof(random)) != GBA_OK) {
        free(rq);
        free(a);
        refuse(f, r, GBA_E_NOMEM);
        return;
    }
    rsc = m2m_http_request_read(&in, rq);
    if (rsc != M2M_RSC_OK)
        mef_refusal(rq, rsc, "", rq->why, a);
    else
        mef_request(&f->mef, c, rq, clock_unix_s(), random, a);
    log_primitive(f, r, c, rq, a);
    reply_primitive(r, &a->rs, 0, false);
    mef_answer_wipe(a);
    free(a);
    gba_wipe(rq, sizeof(*rq));
    free(rq);
}

/* ------------------------------------------------------------ fetchCredentials */

struct fetch_call {
    struct mef_front *front;
    struct httpd_request *r;
    struct mef_target target;
    struct mef_fetch fetch;
};

static void fetch_reply(struct fetch_call *c)
{
    static const struct httpd_header headers[] = {{"Cache-Control", "no-store"},
                                                  {"Retry-After", "5"}};
    bool xml = m2m_http_prefers_xml(httpd_field(c->r, "Accept", NULL));
    unsigned status = gba_err_http(c->fetch.err);
    uint8_t body[2048];
    struct gba_wbuf w;

    if (status == 502 || status == 504) /* the BSF's fault, not a gateway's */
        status = 503;
    gba_wbuf_init(&w, body, sizeof(body));
    if (mef_fetch_print(&c->fetch, xml, &w) != GBA_OK)
        status = 500;
    metric_add(status == 200 ? c->front->fetches_ok : c->front->fetches_refused, 1);
    LOG(c->front->log, status == 500 ? LOG_LV_ERROR : LOG_LV_INFO, "mef.fetch",
        LOG_INT("rq", httpd_request_id(c->r)), LOG_STR("key_id", c->fetch.text),
        LOG_INT("suid", c->fetch.suid),
        LOG_STR("target", c->fetch.target != NULL ? c->fetch.target->id : ""),
        LOG_STR("enrolee", c->fetch.enrolee), LOG_ERR(c->fetch.err),
        LOG_INT("diameter", gba_err_diameter(c->fetch.err)), LOG_INT("status", status));
    httpd_reply(c->r, &(struct httpd_reply){.status = status,
                                            .content_type =
                                                xml ? "application/xml" : "application/json",
                                            .headers = headers,
                                            .n_headers = status == 503 ? 2 : 1,
                                            .body = gba_wbuf_bytes(&w)});
    gba_wipe(body, sizeof(body));
    mef_fetch_end(&c->fetch);
    free(c);
}

static void fetch_key_came(void *arg, enum gba_err err, struct naf_key *key)
{
    struct fetch_call *c = arg;

    mef_fetch_key(&c->front->mef, &c->fetch, err, key, clock_unix_s());
    naf_key_unref(key);
    fetch_reply(c);
}

static void fetch(struct mef_front *f, const struct mef_client *client, struct httpd_request *r)
{
    struct fetch_call *c = calloc(1, sizeof(*c));
    int64_t now_s = clock_unix_s();
    struct naf_key *key;
    enum gba_err err;

    if (c == NULL) {
        refuse(f, r, GBA_E_NOMEM);
        return;
    }
    c->front = f;
    c->r = r;
    c->target = client->target;
    mef_fetch_begin(&f->mef, client->is_target ? &c->target : NULL, httpd_path(r),
                    httpd_query(r), httpd_field(r, M2M_H_ORIGIN, NULL), now_s, &c->fetch);
    if (!c->fetch.ask) {
        fetch_reply(c);
        return;
    }
    naf_query(f->naf, &c->fetch.query);
    if (keycache_get(f->naf->keys, &c->fetch.query, now_s, fetch_key_came, c, &err, &key))
        fetch_key_came(c, err, key);
}

/* ------------------------------------------------------------ handlers */

static void serve(struct mef_front *f, const struct mef_client *c, struct httpd_request *r)
{
    if (repeated_field(r)[0] != '\0') {
        refuse(f, r, GBA_E_REPEATED);
    } else if (mef_role(f->mef.policy->role)->enrols &&
               gba_text_starts(httpd_path(r), MEF_FETCH_PATH)) {
        if (gba_text_is(httpd_method(r), "GET"))
            fetch(f, c, r);
        else
            refuse(f, r, GBA_E_METHOD);
    } else if (f->est != NULL && est_is_path(httpd_path(r))) {
        est_http_serve(f->est, c, r);
    } else if (m2m_http_is_path(httpd_path(r))) {
        primitive(f, c, r);
    } else {
        refuse(f, r, GBA_E_PATH);
    }
}

static void serve_known(struct mef_front *f, struct httpd_request *r, enum gba_err err,
                        struct mef_client *c)
{
    c->spent = httpd_mark(r);
    if (err != GBA_OK)
        refuse(f, r, err == GBA_E_TLS || err == GBA_E_DOWNGRADE ? GBA_E_FORBIDDEN : err);
    else
        serve(f, c, r);
    mef_client_wipe(c);
}

void mef_http_certificate(void *ctx, struct httpd_request *r)
{
    struct mef_front *f = ctx;
    struct mef_client c;
    gnutls_session_t s = httpd_tls(r);
    struct tls_peer *peer = NULL;
    enum gba_err err = s != NULL ? httpd_tls_peer(r, &peer) : GBA_E_TLS;

    if (err == GBA_OK || err == GBA_E_NOT_FOUND)
        err = mef_peer_by_certificate(&f->mef, s, peer, clock_unix_s(), &c);
    serve_known(f, r, err, &c);
}

void mef_http_psk(void *ctx, struct httpd_request *r)
{
    struct mef_front *f = ctx;
    struct mef_client c;
    gnutls_session_t s = httpd_tls(r);
    enum gba_err err =
        s != NULL ? mef_peer_by_psk(&f->mef, f->psk, s, clock_unix_s(), &c) : GBA_E_TLS;

    serve_known(f, r, err, &c);
}
