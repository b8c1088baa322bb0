/*
 * Zh over Diameter: the port itself, opening and closing.  See zh_diameter.h and, for the
 * threads and the locking, zh_diameter_internal.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/zh_diameter_internal.h"

#include <stdlib.h>

#include "common/host/clock.h"

#define QUIESCE_MS 1000 /* for the sender to come out of libfdcore */

/* An adapter that was closed or could not be opened: libfdcore may point to it until the
 * process ends, and there is no second try in it anyway. */
static struct zh_diameter *left_behind __attribute__((used));

static const uint32_t application_ids[] = {DIAMETER_APP_ZH, DIAMETER_APP_ZN, DIAMETER_APP_CX};

/* --- the port --------------------------------------------------------------------------- */

/* Still asynchronous: the sender answers it.  Waits for room when thousands are refused. */
static void refuse_locked(struct zh_diameter *z, zh_done *done, void *arg, enum gba_err err)
{
    while (z->n_refused == ZH_REFUSED_MAX)
        pthread_cond_wait(&z->room, &z->lock);
    z->refused[(z->refused_at + z->n_refused) % ZH_REFUSED_MAX] =
        (struct zh_refused){done, arg, err};
    z->n_refused++;
    pthread_cond_signal(&z->work);
}

static void ask(struct zh *self, const struct zh_query *q, zh_done *done, void *arg)
{
    struct zh_diameter *z = (struct zh_diameter *)(void *)self;
    uint32_t open = zh_diameter_open_with_room(z);
    struct zh_attempt at_once;
    struct zh_pending *p;
    bool begun = false;

    pthread_mutex_lock(&z->lock);
    p = z->closing ? NULL : zh_pending_take(&z->pending);
    if (p == NULL) {
        refuse_locked(z, done, arg, z->closing ? GBA_E_CANCELLED : GBA_E_OVERLOAD);
    } else {
        p->query = *q;
        p->done = done;
        p->arg = arg;
        p->asked_us = clock_monotonic_us();
        p->deadline_ms = p->due_ms = clock_monotonic_ms() + z->deadline_ms;
        zh_diameter_timer_needed_locked(z, p->due_ms);
        metric_set(z->outstanding, (int64_t)z->pending.used);
        begun = zh_diameter_begin_locked(z, p, open, &at_once);
        if (!begun)
            zh_diameter_queue_locked(z, p);
    }
    pthread_mutex_unlock(&z->lock);
    if (begun)
        zh_diameter_send_now(z, &at_once);
}

static bool healthy(struct zh *self)
{
    return zh_diameter_open_peers((struct zh_diameter *)(void *)self) != 0;
}

static void destroy(struct zh_diameter *z)
{
    zh_pending_free(&z->pending);
    pthread_cond_destroy(&z->work);
    pthread_cond_destroy(&z->tick);
    pthread_cond_destroy(&z->room);
    pthread_mutex_destroy(&z->lock);
    free(z);
}

/* The sender may be blocked inside libfdcore, which runs until the process ends and knows z
 * until then: z stays, without a query in it. */
static void close_adapter(struct zh *self)
{
    struct zh_diameter *z = (struct zh_diameter *)(void *)self;
    struct timespec limit = zh_diameter_realtime_in(QUIESCE_MS);

    pthread_mutex_lock(&z->lock);
    z->closing = true;
    pthread_cond_broadcast(&z->work);
    pthread_cond_broadcast(&z->tick);
    pthread_mutex_unlock(&z->lock);
    pthread_join(z->timer, NULL);
    (void)pthread_timedjoin_np(z->sender, NULL, &limit);
    diameter_stop(z->node);
    left_behind = z;
}

/* --- opening ---------------------------------------------------------------------------- */

static void copy_text(char *out, size_t cap, const char *s)
{
    snprintf(out, cap, "%s", s != NULL ? s : "");
}

static void copy_config(struct zh_diameter *z, const struct zh_diameter_config *c)
{
    const struct zh_diameter_peer_config *from = c->peers.v;

    z->application = application_ids[c->application];
    z->public_identity = c->send_public_identity;
    z->deadline_ms = c->deadline_ms;
    z->attempt_ms = c->attempt_timeout_ms;
    z->stopped = c->stopped;
    z->stopped_arg = c->stopped_arg;
    copy_text(z->scheme, sizeof(z->scheme), c->scheme);
    if (c->server_name != NULL)
        copy_text(z->server_name, sizeof(z->server_name), c->server_name);
    else
        snprintf(z->server_name, sizeof(z->server_name), "sip:%s", c->identity);
    z->n_peers = c->peers.n;
    for (size_t i = 0; i < z->n_peers; i++) {
        struct zh_peer *p = &z->peers[i];

        copy_text(p->identity, sizeof(p->identity), from[i].identity);
        copy_text(p->destination_realm, sizeof(p->destination_realm),
                  from[i].destination_realm != NULL ? from[i].destination_realm
                                                    : from[i].realm);
        p->name_host = from[i].destination_host == ZH_DESTINATION_HOST_ALWAYS;
    }
}

static void make_metrics(struct zh_diameter *z, struct metrics *m)
{
    static const enum gba_err results[] = {
        GBA_OK,           GBA_E_SUBSCRIBER_UNKNOWN, GBA_E_SUBSCRIBER_BARRED,
        GBA_E_AUTS,       GBA_E_ZH_UNREACHABLE,     GBA_E_ZH_TIMEOUT,
        GBA_E_ZH_FAILURE, GBA_E_ZH_MALFORMED,       GBA_E_OVERLOAD,
        GBA_E_CANCELLED};
    char label[300];

    if (m == NULL)
        return;
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        snprintf(label, sizeof(label), "result=\"%s\"", gba_err_name(results[i]));
        z->results[results[i]] = metrics_counter(m, "bsf_zh_requests_total", label,
                                                 "Requests to the HSS by their result.");
    }
    for (size_t i = 0; i < z->n_peers; i++) {
        snprintf(label, sizeof(label), "peer=\"%s\"", z->peers[i].identity);
        z->peers[i].up = metrics_gauge(m, "bsf_zh_peer_up", label, "1: connected to that HSS.");
    }
    z->latency = metrics_histogram(m, "bsf_zh_seconds", NULL, "Time the HSS took to answer.");
    z->failovers = metrics_counter(m, "bsf_zh_failovers_total", NULL,
                                   "Requests asked a second time, at another HSS.");
    z->outstanding = metrics_gauge(m, "bsf_zh_outstanding", NULL, "Requests that wait now.");
}

static enum gba_err open_node(struct zh_diameter *z, const struct zh_diameter_config *c)
{
    const struct zh_diameter_peer_config *from = c->peers.v;
    struct diameter_peer peers[ZH_DIAMETER_PEERS_MAX] = {0};
    char hosts[ZH_DIAMETER_PEERS_MAX][256];
    struct diameter_events events = zh_diameter_events(z);
    struct diameter_config node = {.identity = c->identity,
                                   .realm = c->realm,
                                   .threads = (unsigned)c->threads,
                                   .reconnect_s = (unsigned)((c->reconnect_ms + 999) / 1000),
                                   .watchdog_s = (unsigned)((c->watchdog_ms + 999) / 1000),
                                   .tls_cert = c->tls_cert,
                                   .tls_key = c->tls_key,
                                   .tls_ca = c->tls_ca,
                                   .peers = peers,
                                   .n_peers = z->n_peers,
                                   .applications = &z->application,
                                   .n_applications = 1};

    for (size_t i = 0; i < z->n_peers; i++) {
        if (conf_address_split(from[i].address, hosts[i], &peers[i].port) != GBA_OK)
            return GBA_E_CONFIG;
        peers[i].identity = from[i].identity;
        peers[i].realm = from[i].realm;
        peers[i].host = hosts[i];
        peers[i].sctp = from[i].transport == ZH_TRANSPORT_SCTP;
        peers[i].tls = from[i].tls;
    }
    return diameter_open(&node, &events, z->log, &z->node);
}

static enum gba_err init(struct zh_diameter *z, const struct zh_diameter_config *c)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&z->lock, NULL);
    pthread_cond_init(&z->work, NULL);
    pthread_cond_init(&z->tick, &monotonic);
    pthread_cond_init(&z->room, NULL);
    pthread_condattr_destroy(&monotonic);
    z->timer_wakes_ms = INT64_MIN;
    if (c->peers.n == 0 || c->peers.n > ZH_DIAMETER_PEERS_MAX)
        return GBA_E_CONFIG;
    return zh_pending_init(&z->pending, (size_t)c->max_outstanding);
}

static enum gba_err start(struct zh_diameter *z)
{
    enum gba_err err = zh_diameter_attach(z);

    if (err == GBA_OK)
        err = diameter_start(z->node);
    if (err != GBA_OK)
        return err;
    if (pthread_create(&z->timer, NULL, zh_diameter_timer_loop, z) != 0 ||
        pthread_create(&z->sender, NULL, zh_diameter_send_loop, z) != 0)
        return GBA_E_NOMEM;
    return GBA_OK;
}

enum gba_err zh_diameter_open(const struct zh_diameter_config *config, struct log *log,
                              struct metrics *metrics, struct zh **out)
{
    struct zh_diameter *z = calloc(1, sizeof(*z));
    enum gba_err err;

    if (z == NULL)
        return GBA_E_NOMEM;
    z->port = (struct zh){"diameter", ask, healthy, close_adapter};
    z->log = log;
    err = init(z, config);
    if (err != GBA_OK) {
        destroy(z);
        return err;
    }
    copy_config(z, config);
    make_metrics(z, metrics);
    err = open_node(z, config);
    if (err == GBA_E_UNEXPECTED) {
        destroy(z);
        return err;
    }
    if (err == GBA_OK)
        err = start(z);
    if (err == GBA_OK)
        *out = &z->port;
    else
        left_behind = z;
    return err;
}
