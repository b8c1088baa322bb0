/*
 * Zh over Diameter: see zh_diameter.h.  ask() only queues: one thread sends, for libfdcore's
 * queues can block; another watches the deadlines, for libfdcore may lose an answer without a
 * word.  done() runs on these two or on a thread of libfdcore.
 *
 * Locking: one mutex.  libfdcore is never called with it held, and done() is never called
 * with it held; an entry of the table of pending requests is answered by whoever takes it out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/diameter_sys.h"

#include "bsf/zh_diameter.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bsf/zh_mar.h"
#include "bsf/zh_pending.h"
#include "common/host/clock.h"
#include "common/host/diameter.h"
#include "common/host/diameter_dict.h"
#include "common/host/metrics.h"

#define ATTEMPTS     2     /* the first HSS and one other */
#define AVOID_MS     10000 /* how long a peer that let a request expire comes last */
#define MIN_RETRY_MS 20    /* less time than this is not worth another attempt */
#define FORGET_MS    1000  /* libfdcore forgets a request this long after we did */
#define REFUSED_MAX  4096
#define QUIESCE_S    2

static const uint32_t application_ids[] = {DIAMETER_APP_ZH, DIAMETER_APP_ZN, DIAMETER_APP_CX};

struct peer {
    char identity[256], realm[256];
    bool name_host;
    int64_t avoid_until_ms;
    struct metric *up;
};

/* A request that got no place in the table. */
struct refused {
    zh_done *done;
    void *arg;
    enum gba_err err;
};

struct zh_diameter {
    struct zh port;
    struct log *log;
    struct diameter *node;
    struct peer peers[ZH_DIAMETER_PEERS_MAX];
    size_t n_peers;
    uint32_t application;
    char scheme[65], server_name[256 + 4];
    bool public_identity;
    int64_t deadline_ms, attempt_ms;
    void (*stopped)(void *arg);
    void *stopped_arg;

    pthread_mutex_t lock;
    pthread_cond_t work; /* for the sender */
    pthread_cond_t tick; /* for the timer */
    pthread_cond_t room; /* in the ring of the refused */
    struct zh_pending_table pending;
    struct refused refused[REFUSED_MAX];
    size_t refused_at, n_refused;
    int64_t timer_wakes_ms;
    bool closing;
    pthread_t sender, timer;

    struct metric *results[GBA_N_ERRORS], *latency, *failovers, *outstanding;
    struct metrics *metrics;
};

/* The callbacks of libfdcore get one word, which is the ticket; there is one node per process
 * anyway. */
static struct zh_diameter *the_adapter;

/* --- answering -------------------------------------------------------------------------- */

/* Takes p out of the table, unlocks, and answers it. */
static void finish_locked(struct zh_diameter *z, struct zh_pending *p, enum gba_err err,
                          const struct zh_answer *answer)
{
    zh_done *done = p->done;
    void *arg = p->arg;
    uint64_t asked_us = p->asked_us;

    zh_pending_release(&z->pending, p);
    metric_set(z->outstanding, (int64_t)z->pending.used);
    pthread_mutex_unlock(&z->lock);
    metric_add(z->results[err], 1);
    metric_observe_us(z->latency, clock_monotonic_us() - asked_us);
    done(arg, err, answer);
}

static void finish(struct zh_diameter *z, uintptr_t ticket, enum gba_err err,
                   const struct zh_answer *answer)
{
    struct zh_pending *p;

    pthread_mutex_lock(&z->lock);
    p = zh_pending_find(&z->pending, ticket);
    if (p != NULL)
        finish_locked(z, p, err, answer);
    else
        pthread_mutex_unlock(&z->lock);
}

static uint32_t open_peers(const struct zh_diameter *z)
{
    uint32_t open = 0;

    for (size_t i = 0; i < z->n_peers; i++)
        if (diameter_peer_open(z->node, z->peers[i].identity))
            open |= UINT32_C(1) << i;
    return open;
}

/* This attempt has failed: the next HSS, or the error.  `open` was looked up before locking. */
static void attempt_failed_locked(struct zh_diameter *z, struct zh_pending *p, enum gba_err err,
                                  uint32_t open)
{
    bool again = p->attempts < ATTEMPTS && (open & ~p->tried) != 0 && !z->closing &&
                 clock_monotonic_ms() + MIN_RETRY_MS < p->deadline_ms;

    if (!again) {
        finish_locked(z, p, err, NULL);
        return;
    }
    zh_pending_again(&z->pending, p);
    metric_add(z->failovers, 1);
    pthread_cond_signal(&z->work);
    pthread_mutex_unlock(&z->lock);
}

static void attempt_failed(struct zh_diameter *z, uintptr_t ticket, enum gba_err err,
                           bool elsewhere)
{
    uint32_t open = elsewhere ? open_peers(z) : 0;
    struct zh_pending *p;

    pthread_mutex_lock(&z->lock);
    p = zh_pending_find(&z->pending, ticket);
    if (p != NULL)
        attempt_failed_locked(z, p, err, open);
    else
        pthread_mutex_unlock(&z->lock);
}

/* --- from libfdcore --------------------------------------------------------------------- */

/* Is the ticket's attempt still waited for?  Then its peer has shown that it lives. */
static bool awaited(struct zh_diameter *z, uintptr_t ticket, bool *resync)
{
    struct zh_pending *p;

    pthread_mutex_lock(&z->lock);
    p = zh_pending_find(&z->pending, ticket);
    if (p != NULL) {
        *resync = p->query.resync;
        z->peers[p->peer].avoid_until_ms = 0;
    }
    pthread_mutex_unlock(&z->lock);
    return p != NULL;
}

static void read_answer(struct zh_diameter *z, uintptr_t ticket, struct msg *msg)
{
    struct zh_maa maa;
    enum gba_err err;
    bool resync;

    if (!awaited(z, ticket, &resync))
        return; /* late: answered already, or asked elsewhere */
    err = zh_maa_read(msg, resync, &maa);
    if (err == GBA_OK)
        finish(z, ticket, GBA_OK, &maa.answer);
    else
        attempt_failed(z, ticket, err, maa.elsewhere);
    if (err == GBA_E_ZH_MALFORMED || err == GBA_E_ZH_FAILURE)
        LOG(z->log, LOG_LV_WARNING, "zh.answer", LOG_ERR(err), LOG_INT("code", maa.code));
    zh_maa_end(&maa);
}

static void on_answer(void *data, struct msg **msg)
{
    int cancel;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    read_answer(the_adapter, (uintptr_t)data, *msg);
    zh_maa_wipe(*msg);
    (void)fd_msg_free(*msg);
    *msg = NULL;
    pthread_setcancelstate(cancel, NULL);
}

/* Our own deadline has answered long ago; on a thread that may outlive the adapter. */
static void on_expiry(void *data, DiamId_t peer, size_t peer_len, struct msg **msg)
{
    (void)data;
    (void)peer;
    (void)peer_len;
    (void)fd_msg_free(*msg);
    *msg = NULL;
}

/* libfdcore discards an answer that its dictionary does not understand, or a request that it
 * cannot place, without calling us back. */
static void on_dropped(void *arg, struct msg *msg)
{
    void (*callback)(void *, struct msg **) = NULL;
    struct msg_hdr *header;
    struct msg *request = msg;
    void *data = NULL;
    bool is_answer;

    if (fd_msg_hdr(msg, &header) != 0)
        return;
    is_answer = (header->msg_flags & CMD_FLAG_REQUEST) == 0;
    if (is_answer && (fd_msg_answ_getq(msg, &request) != 0 || request == NULL))
        return;
    if (fd_msg_anscb_get(request, &callback, NULL, &data) != 0 || callback != on_answer)
        return;
    if (is_answer) {
        zh_maa_wipe(msg);
        LOG(((struct zh_diameter *)arg)->log, LOG_LV_WARNING, "zh.answer",
            LOG_ERR(GBA_E_ZH_MALFORMED));
        attempt_failed(arg, (uintptr_t)data, GBA_E_ZH_MALFORMED, false);
    } else {
        attempt_failed(arg, (uintptr_t)data, GBA_E_ZH_UNREACHABLE, true);
    }
}

/* Called by libfdcore when it routes a request: the peer was chosen here. */
static int on_route(void *arg, struct msg **msg, struct fd_list *candidates)
{
    struct zh_diameter *z = arg;
    void (*callback)(void *, struct msg **) = NULL;
    char identity[256] = "";
    struct zh_pending *p;
    void *data = NULL;

    if (fd_msg_anscb_get(*msg, &callback, NULL, &data) != 0 || callback != on_answer)
        return 0;
    pthread_mutex_lock(&z->lock);
    p = zh_pending_find(&z->pending, (uintptr_t)data);
    if (p != NULL)
        memcpy(identity, z->peers[p->peer].identity, sizeof(identity));
    pthread_mutex_unlock(&z->lock);
    for (struct fd_list *i = candidates->next; i != candidates; i = i->next) {
        struct rtd_candidate *c = (struct rtd_candidate *)(void *)i;

        c->score += strcasecmp(c->diamid, identity) == 0 ? 1000 : -1000;
    }
    return 0;
}

static void on_peer(void *arg, const char *identity, bool up)
{
    struct zh_diameter *z = arg;

    for (size_t i = 0; i < z->n_peers; i++) {
        struct metric *gauge = z->peers[i].up;

        if (strcasecmp(z->peers[i].identity, identity) != 0)
            continue;
        if (up || metric_value(gauge) != 0)
            LOG(z->log, up ? LOG_LV_NOTICE : LOG_LV_WARNING, "zh.peer",
                LOG_STR("peer", identity), LOG_STR("state", up ? "connected" : "lost"));
        metric_set(gauge, up);
    }
}

static void on_stopped(void *arg)
{
    struct zh_diameter *z = arg;

    for (;;) {
        struct zh_pending *p;

        pthread_mutex_lock(&z->lock);
        p = zh_pending_earliest(&z->pending);
        if (p == NULL)
            break;
        finish_locked(z, p, GBA_E_ZH_UNREACHABLE, NULL);
    }
    pthread_mutex_unlock(&z->lock);
    if (z->stopped != NULL)
        z->stopped(z->stopped_arg);
}

/* --- the sender ------------------------------------------------------------------------- */

/* The first open peer that was not asked yet; one that let a request expire comes last. */
static bool choose_peer(const struct zh_diameter *z, uint32_t candidates, int64_t now,
                        size_t *chosen)
{
    for (int avoided = 0; avoided < 2; avoided++)
        for (size_t i = 0; i < z->n_peers; i++)
            if ((candidates >> i & 1) != 0 &&
                (avoided == 1 || z->peers[i].avoid_until_ms <= now)) {
                *chosen = i;
                return true;
            }
    return false;
}

static void timer_needed_locked(struct zh_diameter *z, int64_t due_ms)
{
    if (due_ms < z->timer_wakes_ms)
        pthread_cond_signal(&z->tick);
}

/* Gives the request a peer and this attempt its time.  False: it was answered. */
static bool begin_attempt(struct zh_diameter *z, uintptr_t ticket, size_t *peer, int64_t *due)
{
    uint32_t open = open_peers(z);
    int64_t now = clock_monotonic_ms();
    struct zh_pending *p;

    pthread_mutex_lock(&z->lock);
    p = zh_pending_find(&z->pending, ticket);
    if (p == NULL) {
        pthread_mutex_unlock(&z->lock);
        return false;
    }
    if (!choose_peer(z, open & ~p->tried, now, peer)) {
        finish_locked(z, p, GBA_E_ZH_UNREACHABLE, NULL);
        return false;
    }
    p->peer = *peer;
    p->tried |= UINT32_C(1) << *peer;
    p->attempts++;
    if (p->attempts < ATTEMPTS && (open & ~p->tried) != 0 &&
        now + z->attempt_ms < p->deadline_ms)
        p->due_ms = now + z->attempt_ms;
    *due = p->due_ms;
    timer_needed_locked(z, *due);
    pthread_mutex_unlock(&z->lock);
    return true;
}

static struct timespec realtime_in(int64_t ms)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static void send_attempt(struct zh_diameter *z, uintptr_t ticket, const struct zh_query *q)
{
    struct zh_mar mar = {.application = z->application,
                         .scheme = z->scheme,
                         .public_identity = z->public_identity,
                         .server_name = z->server_name};
    struct timespec forget;
    struct msg *msg = NULL;
    enum gba_err err;
    int64_t due;
    size_t i;

    if (!begin_attempt(z, ticket, &i, &due))
        return;
    mar.destination_realm = z->peers[i].realm;
    mar.destination_host = z->peers[i].name_host ? z->peers[i].identity : NULL;
    err = zh_mar_make(&mar, q, &msg);
    if (err != GBA_OK) {
        finish(z, ticket, err, NULL);
        return;
    }
    forget = realtime_in(due - clock_monotonic_ms() + FORGET_MS);
    if (fd_msg_send_timeout(&msg, on_answer, (void *)ticket, on_expiry, &forget) != 0) {
        if (msg != NULL)
            (void)fd_msg_free(msg);
        attempt_failed(z, ticket, GBA_E_ZH_UNREACHABLE, true);
    }
}

static void answer_refused_locked(struct zh_diameter *z)
{
    struct refused r = z->refused[z->refused_at];

    z->refused_at = (z->refused_at + 1) % REFUSED_MAX;
    z->n_refused--;
    pthread_cond_signal(&z->room);
    pthread_mutex_unlock(&z->lock);
    metric_add(z->results[r.err], 1);
    r.done(r.arg, r.err, NULL);
}

static void *send_loop(void *arg)
{
    struct zh_diameter *z = arg;

    for (;;) {
        struct zh_pending *p;
        struct zh_query query;
        uintptr_t ticket;

        pthread_mutex_lock(&z->lock);
        while (z->n_refused == 0 && TAILQ_EMPTY(&z->pending.queue) && !z->closing)
            pthread_cond_wait(&z->work, &z->lock);
        if (z->n_refused != 0) {
            answer_refused_locked(z);
            continue;
        }
        p = z->closing ? NULL : zh_pending_next(&z->pending);
        if (p == NULL) {
            pthread_mutex_unlock(&z->lock);
            return NULL;
        }
        query = p->query;
        ticket = p->ticket;
        pthread_mutex_unlock(&z->lock);
        send_attempt(z, ticket, &query);
    }
}

/* --- the timer -------------------------------------------------------------------------- */

static void wait_until_locked(struct zh_diameter *z, int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    z->timer_wakes_ms = ms;
    if (ms == INT64_MAX)
        pthread_cond_wait(&z->tick, &z->lock);
    else
        pthread_cond_timedwait(&z->tick, &z->lock, &t);
    z->timer_wakes_ms = INT64_MIN;
}

static void expire_locked(struct zh_diameter *z, struct zh_pending *p, int64_t now)
{
    uintptr_t ticket = p->ticket;
    bool was_sent = !p->queued && p->attempts > 0;

    if (was_sent)
        z->peers[p->peer].avoid_until_ms = now + AVOID_MS;
    pthread_mutex_unlock(&z->lock);
    attempt_failed(z, ticket, GBA_E_ZH_TIMEOUT, was_sent);
}

static void *timer_loop(void *arg)
{
    struct zh_diameter *z = arg;

    pthread_mutex_lock(&z->lock);
    for (;;) {
        struct zh_pending *p = zh_pending_earliest(&z->pending);
        int64_t now = clock_monotonic_ms();

        if (z->closing && p == NULL)
            break;
        if (z->closing)
            finish_locked(z, p, GBA_E_CANCELLED, NULL);
        else if (p != NULL && p->due_ms <= now)
            expire_locked(z, p, now);
        else {
            wait_until_locked(z, p != NULL ? p->due_ms : INT64_MAX);
            continue;
        }
        pthread_mutex_lock(&z->lock);
    }
    pthread_mutex_unlock(&z->lock);
    return NULL;
}

/* --- the port --------------------------------------------------------------------------- */

/* Still asynchronous: the sender answers it.  Waits for room when thousands are refused. */
static void refuse_locked(struct zh_diameter *z, zh_done *done, void *arg, enum gba_err err)
{
    while (z->n_refused == REFUSED_MAX)
        pthread_cond_wait(&z->room, &z->lock);
    z->refused[(z->refused_at + z->n_refused) % REFUSED_MAX] = (struct refused){done, arg, err};
    z->n_refused++;
}

static void ask(struct zh *self, const struct zh_query *q, zh_done *done, void *arg)
{
    struct zh_diameter *z = (struct zh_diameter *)(void *)self;
    struct zh_pending *p;

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
        timer_needed_locked(z, p->due_ms);
        metric_set(z->outstanding, (int64_t)z->pending.used);
    }
    pthread_cond_signal(&z->work);
    pthread_mutex_unlock(&z->lock);
}

static bool healthy(struct zh *self)
{
    return open_peers((struct zh_diameter *)(void *)self) != 0;
}

/* The sender must not be inside libfdcore when that goes, but it may be blocked there. */
static void join_sender(struct zh_diameter *z)
{
    struct timespec limit = realtime_in(QUIESCE_S * 1000);
    bool joined = pthread_timedjoin_np(z->sender, NULL, &limit) == 0;

    diameter_stop(z->node);
    if (!joined)
        pthread_join(z->sender, NULL);
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

static void close_adapter(struct zh *self)
{
    struct zh_diameter *z = (struct zh_diameter *)(void *)self;

    pthread_mutex_lock(&z->lock);
    z->closing = true;
    pthread_cond_broadcast(&z->work);
    pthread_cond_broadcast(&z->tick);
    pthread_mutex_unlock(&z->lock);
    pthread_join(z->timer, NULL);
    join_sender(z);
    destroy(z);
}

/* --- opening ---------------------------------------------------------------------------- */

static void copy_text(char *out, size_t cap, const char *s)
{
    snprintf(out, cap, "%s", s != NULL ? s : "");
}

static void copy_config(struct zh_diameter *z, const struct zh_diameter_config *c)
{
    const struct zh_diameter_peer_config *peers = c->peers.v;

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
        const struct zh_diameter_peer_config *p = &peers[i];

        copy_text(z->peers[i].identity, sizeof(z->peers[i].identity), p->identity);
        copy_text(z->peers[i].realm, sizeof(z->peers[i].realm),
                  p->destination_realm != NULL ? p->destination_realm : p->realm);
        z->peers[i].name_host = p->destination_host == ZH_DESTINATION_HOST_ALWAYS;
    }
}

static void make_metrics(struct zh_diameter *z, struct metrics *m)
{
    char label[300];

    if (m == NULL)
        return;
    for (int e = 0; e < GBA_N_ERRORS; e++) {
        snprintf(label, sizeof(label), "result=\"%s\"", gba_err_name((enum gba_err)e));
        z->results[e] = metrics_counter(m, "bsf_zh_requests_total", label,
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
    struct diameter_events events = {on_dropped, on_peer, on_stopped, z};

    for (size_t i = 0; i < z->n_peers; i++) {
        if (conf_address_split(from[i].address, hosts[i], &peers[i].port) != GBA_OK)
            return GBA_E_CONFIG;
        peers[i].identity = from[i].identity;
        peers[i].realm = from[i].realm;
        peers[i].host = hosts[i];
        peers[i].sctp = from[i].transport == 1;
        peers[i].tls = from[i].tls;
    }
    return diameter_open(&node, &events, z->log, &z->node);
}

static enum gba_err start(struct zh_diameter *z)
{
    struct fd_rt_out_hdl *route; /* lives as long as libfdcore */

    if (fd_rt_out_register(on_route, z, 1, &route) != 0)
        return GBA_E_NOMEM;
    if (pthread_create(&z->timer, NULL, timer_loop, z) != 0)
        return GBA_E_NOMEM;
    if (pthread_create(&z->sender, NULL, send_loop, z) != 0)
        return GBA_E_NOMEM;
    return diameter_start(z->node);
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
    return zh_pending_init(&z->pending, (size_t)c->max_outstanding);
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
    if (err == GBA_OK) {
        copy_config(z, config);
        make_metrics(z, metrics);
        err = open_node(z, config);
    }
    if (err != GBA_OK) {
        destroy(z);
        return err;
    }
    the_adapter = z;
    err = start(z);
    if (err != GBA_OK)
        return err; /* libfdcore points to z: it is left to the end of the process */
    *out = &z->port;
    return GBA_OK;
}
