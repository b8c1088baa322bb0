/*
 * bsfd: reads the configuration, wires store, Zh, Ub and Zn together, runs.  It decides
 * nothing; the shared life of a daemon is common/host/daemon.c's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bsf/bsfd_conf.h"
#include "bsf/store_memory.h"
#include "bsf/ub_http.h"
#include "bsf/zn_http.h"
#include "common/host/httpd.h"
#include "common/host/random.h"
#include "common/host/tls.h"
#include "common/host/tls_files.h"

#define EXPIRE_EVERY_S 1
#define ZN_BODY_LIMIT  GBA_ZN_REQUEST_MAX

struct bsfd {
    struct daemon *daemon;
    const struct bsfd_conf *conf;
    struct log *log;
    struct ub_policy ub_policy;
    struct policy policy;
    struct store *store;
    struct limiter *limiter;
    struct zh *zh;
    struct ub_env ub_env;
    struct zn_env zn_env;
    struct ub_http *ub;
    struct zn_http *zn;
    struct tls_server **tls; /* of the listeners that have it */
    size_t n_tls;
    struct httpd *httpd;

    pthread_t sweeper;
    bool sweeping, ending;
    pthread_mutex_t lock;
    pthread_cond_t end;
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the sweeper ---------------------------------------------------------------------- */

static void *sweep(void *arg)
{
    struct bsfd *b = arg;
    struct timespec until;

    pthread_mutex_lock(&b->lock);
    while (!b->ending) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += EXPIRE_EVERY_S;
        if (pthread_cond_timedwait(&b->end, &b->lock, &until) != ETIMEDOUT)
            continue;
        pthread_mutex_unlock(&b->lock);
        b->store->expire(b->store, now_ms());
        pthread_mutex_lock(&b->lock);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static void end_sweeper(struct bsfd *b)
{
    if (!b->sweeping)
        return;
    pthread_mutex_lock(&b->lock);
    b->ending = true;
    pthread_cond_signal(&b->end);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->sweeper, NULL);
    b->sweeping = false;
}

/* ---- parts ---------------------------------------------------------------------------- */

static struct limiter_rate rate_of(const struct bsfd_rate_conf *c)
{
    return (struct limiter_rate){(unsigned)c->burst, (unsigned)c->per_minute};
}

static enum gba_err open_store(struct bsfd *b)
{
    const struct bsfd_session_conf *s = &b->conf->session;
    struct store_memory_config sc = {
        .challenges = (size_t)s->max_challenges,
        .sessions = (size_t)s->max_sessions,
        .sessions_per_subscriber = (unsigned)s->per_subscriber,
        .tmpi_lifetime_ms = s->tmpi_lifetime_ms,
    };
    struct limiter_config lc = {
        .subscriber = rate_of(&b->conf->limits.subscriber),
        .address = rate_of(&b->conf->limits.address),
        .buckets = (size_t)b->conf->limits.buckets,
    };
    enum gba_err err = random_octets(sc.hash_key, sizeof(sc.hash_key));

    if (err == GBA_OK)
        err = random_octets(lc.hash_key, sizeof(lc.hash_key));
    if (err == GBA_OK)
        err = store_memory_open(&sc, &b->store);
    if (err == GBA_OK && (b->limiter = limiter_new(&lc)) == NULL)
        err = GBA_E_NOMEM;
    return err;
}

/* An adapter writes what is wrong with its files to a stream; here it becomes log lines. */
static void log_lines(struct log *log, const char *event, char *text)
{
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        LOG(log, LOG_LV_ERROR, event, LOG_STR("why", line));
}

static enum gba_err open_zh_file(struct bsfd *b)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    enum gba_err err;

    if (f == NULL)
        return GBA_E_NOMEM;
    err = zh_file_open(&b->conf->zh.file, b->log, f, &b->zh);
    fclose(f);
    log_lines(b->log, "bsfd.zh_file", text);
    free(text);
    return err;
}

#ifdef WITH_DIAMETER
/* A process can start the Diameter core once: only a new process helps. */
static void core_stopped(void *arg)
{
    struct bsfd *b = arg;

    LOG(b->log, LOG_LV_ERROR, "bsfd.diameter_stopped",
        LOG_STR("why", "the Diameter core has ended by itself"));
    daemon_end(b->daemon, DAEMON_EXIT_INTERNAL);
}
#endif

static enum gba_err open_zh(struct bsfd *b)
{
    if (b->conf->zh.file.subscribers != NULL)
        return open_zh_file(b);
#ifdef WITH_DIAMETER
    struct zh_diameter_config c = b->conf->zh.diameter;

    c.stopped = core_stopped;
    c.stopped_arg = b;
    return zh_diameter_open(&c, b->log, daemon_metrics(b->daemon), &b->zh);
#else
    return GBA_E_CONFIG;
#endif
}

static enum gba_err make_fronts(struct bsfd *b)
{
    struct zn_http_config zc = {b->conf->zn.path,
                                b->conf->zn.insecure ? b->conf->zn.insecure_naf : NULL};
    struct metrics *m = daemon_metrics(b->daemon);

    b->ub_env =
        (struct ub_env){&b->ub_policy, b->store, b->zh, b->limiter, now_ms, random_octets};
    b->zn_env = (struct zn_env){&b->policy, b->store, now_ms};
    b->ub = ub_http_new(&b->ub_env, b->log, m);
    b->zn = zn_http_new(&b->zn_env, &zc, b->log, m);
    return b->ub != NULL && b->zn != NULL ? GBA_OK : GBA_E_NOMEM;
}

/* ---- listeners ------------------------------------------------------------------------ */

/* *out is NULL where no certificate is given. */
static enum gba_err open_tls(const struct bsfd_tls_conf *c, struct log *log,
                             struct tls_server **out)
{
    struct tls_server_config tc = {
        .cert_file = c->cert,
        .key_file = c->key,
        .client_ca_file = c->client_ca,
        .crl_file = c->crl,
        .client = c->client_ca != NULL ? TLS_CLIENT_REQUIRED : TLS_CLIENT_NONE,
    };

    *out = NULL;
    return c->cert != NULL ? tls_server_new(&tc, log, out) : GBA_OK;
}

static enum gba_err make_tls(struct bsfd *b, const struct bsfd_tls_conf *c,
                             struct tls_server **out)
{
    enum gba_err err = open_tls(c, b->log, out);

    if (*out != NULL)
        b->tls[b->n_tls++] = *out;
    return err;
}

static enum gba_err listen_on(struct bsfd *b, struct httpd_listener *l, size_t i)
{
    const struct bsfd_http_conf *h = &b->conf->http;
    enum gba_err err;

    l->threads = (unsigned)h->threads;
    l->connection_limit = (unsigned)h->connections;
    l->per_ip_limit = (unsigned)h->connections_per_address;
    l->idle_timeout_s = (unsigned)(h->idle_timeout_ms / 1000);
    l->deadline_ms = (unsigned)h->deadline_ms;
    err = httpd_listen(b->httpd, l);
    if (err == GBA_OK)
        daemon_port(b->daemon, l->name, httpd_bound(b->httpd, i));
    return err;
}

static enum gba_err listen_ub(struct bsfd *b, size_t *n)
{
    enum gba_err err = GBA_OK;

    for (size_t i = 0; err == GBA_OK && i < b->conf->ub.n; i++) {
        const struct bsfd_ub_conf *c = (const struct bsfd_ub_conf *)b->conf->ub.v + i;
        struct httpd_listener l = {.name = c->tls.cert != NULL ? "ub_tls" : "ub",
                                   .address = c->listen,
                                   .handler = ub_http_handle,
                                   .refusal = ub_http_refused,
                                   .ctx = b->ub,
                                   .server = UB_SERVER,
                                   .body_limit = UB_BODY_LIMIT,
                                   .header_limit = UB_HEADER_LIMIT};

        err = make_tls(b, &c->tls, &l.tls);
        if (err == GBA_OK)
            err = listen_on(b, &l, (*n)++);
    }
    return err;
}

static enum gba_err listen_zn(struct bsfd *b, size_t *n)
{
    const struct bsfd_zn_conf *c = &b->conf->zn;
    struct httpd_listener l = {.name = "zn",
                               .handler = zn_http_handle,
                               .refusal = zn_http_refused,
                               .ctx = b->zn,
                               .body_limit = ZN_BODY_LIMIT,
                               .header_limit = UB_HEADER_LIMIT};
    enum gba_err err = GBA_OK;

    if (c->listen.n == 0)
        return GBA_OK;
    if (c->insecure)
        LOG(b->log, LOG_LV_WARNING, "bsfd.insecure_zn", LOG_STR("naf", c->insecure_naf),
            LOG_STR("why", "Zn without TLS: whoever reaches it gets keys"));
    else
        err = make_tls(b, &c->tls, &l.tls);
    for (size_t i = 0; err == GBA_OK && i < c->listen.n; i++) {
        l.address = c->listen.v[i];
        err = listen_on(b, &l, (*n)++);
    }
    return err;
}

static enum gba_err open_listeners(struct bsfd *b)
{
    enum gba_err err;
    size_t n = 0;

    b->tls = calloc(b->conf->ub.n + 1, sizeof(struct tls_server *));
    b->httpd = httpd_new(b->log);
    if (b->tls == NULL || b->httpd == NULL)
        return GBA_E_NOMEM;
    err = listen_ub(b, &n);
    return err == GBA_OK ? listen_zn(b, &n) : err;
}

/* ---- the daemon's functions ----------------------------------------------------------- */

static double count_sessions(void *arg)
{
    struct store *s = arg;
    struct store_stats st;

    s->stats(s, &st);
    return (double)st.sessions;
}

static double count_challenges(void *arg)
{
    struct store *s = arg;
    struct store_stats st;

    s->stats(s, &st);
    return (double)st.challenges;
}

static double count_evicted(void *arg)
{
    struct store *s = arg;
    struct store_stats st;

    s->stats(s, &st);
    return (double)st.challenges_evicted;
}

static void add_probes(struct bsfd *b)
{
    struct metrics *m = daemon_metrics(b->daemon);

    metrics_probe(m, "bsf_sessions", NULL, "Sessions in the store.", count_sessions, b->store);
    metrics_probe(m, "bsf_challenges", NULL, "Pending challenges in the store.",
                  count_challenges, b->store);
    metrics_probe(m, "bsf_challenges_evicted", NULL,
                  "Pending challenges pushed out by the cap since the start.", count_evicted,
                  b->store);
}

/* Everything in its order; the first error ends it. */
static enum gba_err open_parts(struct bsfd *b)
{
    enum gba_err err = bsfd_policy_make(b->conf, &b->policy);

    bsfd_ub_policy(b->conf, &b->ub_policy);
    if (err == GBA_OK)
        err = open_store(b);
    if (err == GBA_OK)
        err = open_zh(b);
    if (err == GBA_OK)
        err = make_fronts(b);
    if (err == GBA_OK)
        err = open_listeners(b);
    if (err == GBA_OK && pthread_create(&b->sweeper, NULL, sweep, b) != 0)
        err = GBA_E_NOMEM;
    b->sweeping = err == GBA_OK;
    return err;
}

static void drain(void *state, unsigned grace_ms)
{
    struct bsfd *b = state;

    if (b->httpd != NULL)
        httpd_drain(b->httpd, grace_ms);
}

static void stop(void *state)
{
    struct bsfd *b = state;

    end_sweeper(b);
    if (b->httpd != NULL)
        httpd_drain(b->httpd, 0);
    if (b->zh != NULL)
        b->zh->close(b->zh); /* answers what waits, so the requests are still there */
    httpd_free(b->httpd);
    for (size_t i = 0; i < b->n_tls; i++)
        tls_server_free(b->tls[i]);
    free(b->tls);
    ub_http_free(b->ub);
    zn_http_free(b->zn);
    limiter_free(b->limiter);
    if (b->store != NULL)
        b->store->close(b->store);
    bsfd_policy_free(&b->policy);
    pthread_cond_destroy(&b->end);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static int start(struct daemon *d, const void *conf, void **state)
{
    struct bsfd *b = calloc(1, sizeof(*b));
    enum gba_err err;

    if (b == NULL)
        return DAEMON_EXIT_OS;
    b->daemon = d;
    b->conf = conf;
    b->log = daemon_log(d);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->end, NULL);
    err = open_parts(b);
    if (err != GBA_OK) {
        LOG(b->log, LOG_LV_ERROR, "bsfd.start", LOG_ERR(err));
        stop(b);
        return daemon_exit_code(err);
    }
    add_probes(b);
    *state = b;
    return 0;
}

static int settled(void *state)
{
    struct bsfd *b = state;

    if (b->conf->zh.file.subscribers == NULL)
        return 0;
    return daemon_exit_code(zh_file_check_rewrite(b->zh));
}

static void reload(void *state)
{
    struct bsfd *b = state;

    for (size_t i = 0; i < b->n_tls; i++)
        tls_server_reload(b->tls[i]);
}

static bool health(void *state, json_t *members)
{
    struct bsfd *b = state;
    struct store_stats st;
    bool up = b->zh->healthy(b->zh);

    b->store->stats(b->store, &st);
    json_object_set_new(members, "zh", json_string(b->zh->name));
    json_object_set_new(members, "zh_healthy", json_boolean(up));
    json_object_set_new(members, "sessions", json_integer((json_int_t)st.sessions));
    json_object_set_new(members, "challenges", json_integer((json_int_t)st.challenges));
    return up;
}

static bool tls_loads(const struct bsfd_tls_conf *c, const struct conf *source, struct log *log)
{
    const struct tls_files files = {&c->cert, &c->key, &c->client_ca, &c->crl};
    struct tls_server *t = NULL;
    bool loads = tls_files_check(&files, source) && open_tls(c, log, &t) == GBA_OK;

    tls_server_free(t);
    return loads;
}

/* The files a schema only names. */
static int check_files(const void *conf, const struct conf *source, struct log *log)
{
    const struct bsfd_conf *c = conf;
    const struct bsfd_ub_conf *ub = c->ub.v;
    bool good = c->zh.file.subscribers == NULL || zh_file_check(&c->zh.file, stderr) == GBA_OK;
#ifdef WITH_DIAMETER
    const struct zh_diameter_config *d = &c->zh.diameter;
    const struct tls_files files = {&d->tls_cert, &d->tls_key, &d->tls_ca, NULL};

    good = tls_files_check(&files, source) && good;
#endif
    for (size_t i = 0; i < c->ub.n; i++)
        good = tls_loads(&ub[i].tls, source, log) && good;
    good = tls_loads(&c->zn.tls, source, log) && good;
    return good ? 0 : DAEMON_EXIT_CONFIG;
}

int main(int argc, char **argv)
{
    static const struct daemon_program program = {
        .name = "bsfd",
        .summary =
            "3GPP Bootstrapping Server Function: Ub to devices, Zh to the HSS, Zn to NAFs",
        .schema = &bsfd_schema,
        .common = offsetof(struct bsfd_conf, daemon),
        .check = check_files,
        .start = start,
        .settled = settled,
        .reload = reload,
        .health = health,
        .drain = drain,
        .stop = stop,
    };

    return daemon_main(&program, argc, argv);
}
