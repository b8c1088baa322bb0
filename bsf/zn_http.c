/*
 * The front of Zn as a web service: names the caller by its certificate, reads the request for
 * zn_run, prints answer or fault, a log line and a counter.  The only place of Zn where a
 * reason becomes wire form.  TS 29.109 5.3, Annex D.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/zn_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/clock.h"
#include "common/host/tls_peer.h"

#define XML_TYPE "text/xml; charset=utf-8"

#define ANSWER_WITHOUT_USS 8192 /* octets: names, two keys, times, or a fault */

struct zn_http {
    const struct zn_env *env;
    struct zn_http_config c;
    struct log *log;
    struct metric *answers[GBA_N_ERRORS], *seconds;
};

struct call {
    struct zn_http *front;
    struct httpd_request *http;
    struct gba_zn_request request;
    struct tls_peer *peer;             /* NULL: no certificate */
    const char *names[TLS_PEER_NAMES]; /* its dNSNames */
    struct zn_query query;
    uint64_t start_us;
};

/* ---- answers -------------------------------------------------------------------------- */

static void note(const struct call *c, const struct zn_outcome *o)
{
    const struct zn_http *z = c->front;
    uint64_t us = clock_monotonic_us() - c->start_us;
    const uint8_t *ua_id = NULL;
    struct gba_text fqdn = {NULL, 0};
    struct log_field fields[8];
    char ua[2 * GBA_UA_ID_LEN + 1] = "";
    size_t n = 0;

    if (gba_naf_id_parse((struct gba_bytes){c->request.naf_id, c->request.naf_id_len}, &fqdn,
                         &ua_id) == GBA_OK)
        gba_hex(ua, (struct gba_bytes){ua_id, GBA_UA_ID_LEN});
    fields[n++] = LOG_INT("rq", httpd_request_id(c->http));
    fields[n++] = LOG_STR("peer", httpd_peer_text(c->http));
    fields[n++] = LOG_ERR(o->err);
    fields[n++] = LOG_INT("us", us);
    if (c->query.n_names != 0)
        fields[n++] = LOG_STR("naf", c->names[0]);
    if (ua_id != NULL) {
        fields[n++] = LOG_TEXT("fqdn", fqdn);
        fields[n++] = LOG_STR("ua", ua);
    }
    if (o->impi != NULL)
        fields[n++] = LOG_ID("impi", gba_text(o->impi));
    log_event(z->log, o->err == GBA_OK ? LOG_LV_INFO : LOG_LV_NOTICE,
              o->err == GBA_OK ? "zn.answered" : "zn.refused", fields, n);
    metric_add(z->answers[o->err], 1);
    metric_observe_us(z->seconds, us);
}

static void reply_empty(const struct call *c, enum gba_err err)
{
    struct httpd_header allow = {"Allow", "POST"};
    struct httpd_reply r = {.status = gba_err_http(err)};

    if (err == GBA_E_METHOD) {
        r.headers = &allow;
        r.n_headers = 1;
    }
    if (r.status == 503) {
        allow = (struct httpd_header){"Retry-After", "1"};
        r.headers = &allow;
        r.n_headers = 1;
    }
    httpd_reply(c->http, &r);
}

/* SOAP 1.1 6.2: a fault travels with status 500. */
static enum gba_err print_outcome(const struct call *c, const struct zn_outcome *o,
                                  struct gba_wbuf *w)
{
    if (o->err == GBA_OK)
        return gba_zn_answer_print(&c->request, o->answer, w);
    return gba_zn_fault_print(&c->request, o->err, w);
}

static void reply_outcome(const struct call *c, const struct zn_outcome *o)
{
    static const struct httpd_header no_store = {"Cache-Control", "no-store"};
    struct httpd_reply r = {.status = o->err == GBA_OK ? 200 : 500,
                            .content_type = XML_TYPE,
                            .headers = &no_store,
                            .n_headers = 1};
    size_t size = c->request.n_gsids != 0 ? GBA_ZN_ANSWER_MAX : ANSWER_WITHOUT_USS;
    uint8_t *room = malloc(size);
    struct gba_wbuf w;

    if (room == NULL) {
        reply_empty(c, GBA_E_NOMEM);
        return;
    }
    gba_wbuf_init(&w, room, size);
    if (print_outcome(c, o, &w) == GBA_OK) {
        r.body = gba_wbuf_bytes(&w);
        httpd_reply(c->http, &r);
    } else {
        reply_empty(c, GBA_E_ARGUMENT);
    }
    gba_wipe(room, w.n);
    free(room);
}

static void free_call(struct call *c)
{
    if (c == NULL)
        return;
    tls_peer_release(c->peer);
    free(c);
}

static void done(void *arg, const struct zn_outcome *o)
{
    struct call *c = arg;

    note(c, o);
    reply_outcome(c, o);
    free_call(c);
}

/* ---- requests ------------------------------------------------------------------------- */

/* The verified dNSNames; a CN is never looked at. */
static enum gba_err name_caller(struct call *c)
{
    const struct zn_http *z = c->front;
    struct tls_peer *peer;
    enum gba_err err = httpd_tls_peer(c->http, &peer);

    c->peer = tls_peer_hold(peer);
    c->query = (struct zn_query){.names = c->names, .request = &c->request};
    if (httpd_tls(c->http) == NULL && z->c.insecure_naf != NULL)
        c->names[c->query.n_names++] = z->c.insecure_naf;
    for (size_t i = 0; peer != NULL && i < peer->n; i++)
        if (strncmp(peer->name[i], "dns:", 4) == 0)
            c->names[c->query.n_names++] = peer->name[i] + 4;
    if (peer != NULL && peer->more)
        LOG(z->log, LOG_LV_WARNING, "zn.names", LOG_STR("peer", httpd_peer_text(c->http)),
            LOG_INT("max", TLS_PEER_NAMES), LOG_STR("reason", "a certificate with more names"));
    return err == GBA_E_NOT_FOUND ? GBA_OK : err;
}

static enum gba_err read_request(const struct zn_http *z, const struct httpd_request *r,
                                 struct gba_zn_request *out)
{
    if (!gba_text_is(httpd_path(r), z->c.path))
        return GBA_E_PATH;
    if (!gba_text_is(httpd_method(r), "POST"))
        return GBA_E_METHOD;
    return gba_zn_request_parse(httpd_body(r), out);
}

/* A header that must be understood has a fault of its own; what else is no request has none. */
static void refuse(struct zn_http *z, struct httpd_request *r, enum gba_err err)
{
    struct call c = {.front = z,
                     .http = r,
                     .request.ns = GBA_ZN_NS_DEFAULT,
                     .start_us = clock_monotonic_us()};
    struct zn_outcome o = {.err = err};

    note(&c, &o);
    if (err == GBA_E_SOAP_HEADER)
        reply_outcome(&c, &o);
    else
        reply_empty(&c, err);
}

static enum gba_err begin(struct zn_http *z, struct httpd_request *r, struct call *c)
{
    enum gba_err err = read_request(z, r, &c->request);

    if (err != GBA_OK)
        return err;
    c->front = z;
    c->http = r;
    c->start_us = clock_monotonic_us();
    return name_caller(c);
}

void zn_http_handle(void *ctx, struct httpd_request *r)
{
    struct zn_http *z = ctx;
    struct call *c = calloc(1, sizeof(*c));
    enum gba_err err = c == NULL ? GBA_E_NOMEM : begin(z, r, c);

    if (err == GBA_OK) {
        zn_run_start(z->env, &c->query, done, c);
        return;
    }
    free_call(c);
    refuse(z, r, err);
}

void zn_http_refused(void *ctx, struct httpd_request *r, enum gba_err err)
{
    refuse(ctx, r, err);
}

struct zn_http *zn_http_new(const struct zn_env *env, const struct zn_http_config *c,
                            struct log *log, struct metrics *metrics)
{
    struct zn_http *z = calloc(1, sizeof(*z));
    char labels[64];

    if (z == NULL)
        return NULL;
    z->env = env;
    z->c = *c;
    z->log = log;
    for (size_t e = 0; e < GBA_N_ERRORS; e++) {
        snprintf(labels, sizeof(labels), "reason=\"%s\"", gba_err_name((enum gba_err)e));
        z->answers[e] = metrics_counter(metrics, "bsf_zn_answers_total", labels,
                                        "Requests on Zn by what came of them.");
    }
    z->seconds =
        metrics_histogram(metrics, "bsf_zn_seconds", NULL, "Time from request to answer.");
    return z;
}

void zn_http_free(struct zn_http *z)
{
    free(z);
}
