/*
 * The front of Ub: takes an HTTP request apart for ub_run, and gives its answer a status,
 * fields, a log line and a counter.  The only place of Ub where a reason becomes wire form.
 * TS 24.109 4, TS 33.220 4.5.2.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/ub_http.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/clock.h"

#define MAX_FIELDS 5

struct ub_http {
    const struct ub_env *env;
    struct log *log;
    struct metric *refused[GBA_N_ERRORS], *challenged[GBA_N_ERRORS], *repeated, *bootstrapped;
    struct metric *seconds_challenge, *seconds_answer;
};

/* One request on its way through ub_run. */
struct call {
    struct ub_http *front;
    struct httpd_request *http;
    struct ub_request request;
    uint64_t start_us;
};

/* ---- answers -------------------------------------------------------------------------- */

struct wire {
    struct httpd_header fields[MAX_FIELDS];
    struct httpd_reply reply;
    char retry_after[16];
};

static void add_field(struct wire *w, const char *name, const char *value)
{
    w->fields[w->reply.n_headers++] = (struct httpd_header){name, value};
    w->reply.headers = w->fields;
}

static void start_reply(struct wire *w, unsigned status)
{
    memset(w, 0, sizeof(*w));
    w->reply.status = status;
    add_field(w, "Server", UB_SERVER);
    add_field(w, "Cache-Control", "no-store");
}

static void refusal_reply(struct wire *w, enum gba_err err, unsigned retry_after_s)
{
    static const char tmpi_unknown[] =
        "{\"type\":\"about:blank\",\"title\":\"Forbidden\",\"status\":403,"
        "\"detail\":\"unknown TMPI\",\"cause\":\"TMPI_UNKNOWN\"}";

    start_reply(w, gba_err_http(err));
    if (err == GBA_E_METHOD)
        add_field(w, "Allow", "GET");
    if (w->reply.status == 503) {
        snprintf(w->retry_after, sizeof(w->retry_after), "%u",
                 retry_after_s != 0 ? retry_after_s : 1);
        add_field(w, "Retry-After", w->retry_after);
    }
    if (err == GBA_E_TMPI_UNKNOWN) {
        w->reply.content_type = "application/problem+json";
        w->reply.body = gba_text_bytes(gba_text(tmpi_unknown));
    }
}

static void answer_reply(struct wire *w, const struct ub_answer *a)
{
    switch (a->verdict) {
    case UB_REFUSED:
        refusal_reply(w, a->reason, a->retry_after_s);
        return;
    case UB_CHALLENGED:
        start_reply(w, 401);
        add_field(w, "WWW-Authenticate", a->field);
        return;
    case UB_BOOTSTRAPPED:
        start_reply(w, 200);
        add_field(w, "Authentication-Info", a->field);
        w->reply.content_type = GBA_BOOTSTRAPPING_INFO_TYPE;
        w->reply.body = (struct gba_bytes){a->body, a->body_len};
        return;
    }
}

/* ---- log and metrics ------------------------------------------------------------------ */

static enum log_level level_of(const struct ub_answer *a)
{
    if (a->verdict != UB_REFUSED)
        return a->reason == GBA_OK ? LOG_LV_INFO : LOG_LV_NOTICE;
    return gba_err_http(a->reason) >= 500 ? LOG_LV_WARNING : LOG_LV_NOTICE;
}

static void log_answer(const struct call *c, const struct ub_answer *a,
                       const struct ub_run *run)
{
    static const char *const events[] = {"ub.refused", "ub.challenged", "ub.bootstrapped"};
    struct log_field fields[8] = {LOG_INT("rq", httpd_request_id(c->http)),
                                  LOG_STR("peer", httpd_peer_text(c->http)), LOG_ERR(a->reason),
                                  LOG_INT("us", clock_monotonic_us() - c->start_us)};
    size_t n = 4;

    if (run != NULL && run->realm != NULL)
        fields[n++] = LOG_STR("bsf", run->realm);
    if (run != NULL && run->username[0] != '\0' && strcmp(run->username, run->impi) != 0)
        fields[n++] = LOG_ID("username", gba_text(run->username));
    if (run != NULL && run->impi[0] != '\0')
        fields[n++] = LOG_ID("impi", gba_text(run->impi));
    log_event(c->front->log, level_of(a), events[a->verdict], fields, n);
    if (a->weak_res)
        LOG(c->front->log, LOG_LV_WARNING, "ub.short_res",
            LOG_INT("rq", httpd_request_id(c->http)),
            LOG_STR("why", "the RES of this subscriber has fewer than 64 bits"));
}

static void count_answer(const struct call *c, const struct ub_answer *a)
{
    struct ub_http *u = c->front;
    uint64_t us = clock_monotonic_us() - c->start_us;

    switch (a->verdict) {
    case UB_REFUSED:
        metric_add(u->refused[a->reason], 1);
        return;
    case UB_CHALLENGED:
        metric_add(u->challenged[a->reason], 1);
        metric_add(u->repeated, a->repeated);
        metric_observe_us(u->seconds_challenge, us);
        return;
    case UB_BOOTSTRAPPED:
        metric_add(u->bootstrapped, 1);
        metric_observe_us(u->seconds_answer, us);
        return;
    }
}

/* ---- requests ------------------------------------------------------------------------- */

static void reply(struct call *c, const struct ub_answer *a, const struct ub_run *run)
{
    struct wire w;

    log_answer(c, a, run);
    count_answer(c, a);
    answer_reply(&w, a);
    httpd_reply(c->http, &w.reply);
}

static void done(void *arg, const struct ub_answer *a, const struct ub_run *run)
{
    reply(arg, a, run);
    free(arg);
}

static enum gba_err check_resource(const struct httpd_request *r)
{
    struct gba_text path = httpd_path(r);

    if (path.n != 0 && !gba_text_is(path, "/"))
        return GBA_E_PATH;
    return gba_text_is(httpd_method(r), "GET") ? GBA_OK : GBA_E_METHOD;
}

static void refuse(struct ub_http *u, struct httpd_request *r, enum gba_err err)
{
    struct call c = {.front = u, .http = r, .start_us = clock_monotonic_us()};
    struct ub_answer a = {.verdict = UB_REFUSED, .reason = err};

    reply(&c, &a, NULL);
}

void ub_http_handle(void *ctx, struct httpd_request *r)
{
    struct ub_http *u = ctx;
    enum gba_err err = check_resource(r);
    struct call *c = err == GBA_OK ? calloc(1, sizeof(*c)) : NULL;

    if (c == NULL) {
        refuse(u, r, err != GBA_OK ? err : GBA_E_NOMEM);
        return;
    }
    c->front = u;
    c->http = r;
    c->start_us = clock_monotonic_us();
    c->request.authorization = httpd_field(r, "Authorization", &c->request.n_authorization);
    c->request.method = httpd_method(r);
    c->request.target = httpd_target(r);
    c->request.host = httpd_field(r, "Host", NULL);
    c->request.user_agent = httpd_field(r, "User-Agent", NULL);
    c->request.body = httpd_body(r);
    ub_run_start(u->env, &c->request, limiter_address(httpd_peer(r)), done, c);
}

void ub_http_refused(void *ctx, struct httpd_request *r, enum gba_err err)
{
    refuse(ctx, r, err);
}

static struct metric *counter(struct metrics *m, const char *name, enum gba_err err,
                              const char *help)
{
    char labels[64];

    snprintf(labels, sizeof(labels), "reason=\"%s\"", gba_err_name(err));
    return metrics_counter(m, name, labels, help);
}

struct ub_http *ub_http_new(const struct ub_env *env, struct log *log, struct metrics *metrics)
{
    struct ub_http *u = calloc(1, sizeof(*u));

    if (u == NULL)
        return NULL;
    u->env = env;
    u->log = log;
    for (size_t e = 0; e < GBA_N_ERRORS; e++) {
        if (e != GBA_OK)
            u->refused[e] = counter(metrics, "bsf_ub_refused_total", (enum gba_err)e,
                                    "Requests on Ub that were refused.");
        if (e == GBA_OK || gba_err_http((enum gba_err)e) == 401)
            u->challenged[e] = counter(metrics, "bsf_ub_challenges_total", (enum gba_err)e,
                                       "Challenges sent; OK: asked for, else why again.");
    }
    u->repeated = metrics_counter(metrics, "bsf_ub_challenges_repeated_total", NULL,
                                  "Challenges among them that had been sent before.");
    u->bootstrapped =
        metrics_counter(metrics, "bsf_ub_bootstraps_total", NULL, "Sessions opened.");
    u->seconds_challenge = metrics_histogram(metrics, "bsf_ub_seconds", "answer=\"challenge\"",
                                             "Time from request to answer.");
    u->seconds_answer = metrics_histogram(metrics, "bsf_ub_seconds", "answer=\"success\"",
                                          "Time from request to answer.");
    return u;
}

void ub_http_free(struct ub_http *u)
{
    free(u);
}
