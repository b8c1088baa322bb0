/*
 * Sending over Zh, at once or by the sender's thread, and the thread that watches the
 * deadlines. See zh_diameter_internal.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/zh_diameter_internal.h"

#include "bsf/zh_mar.h"
#include "common/host/clock.h"
#include "common/secret.h"

#define AVOID_MS  10000 /* how long a peer that let a request expire comes last */
#define FORGET_MS 1000  /* libfdcore forgets a request this long after we did */
#define GRACE_MS  10000 /* how long after a loss a request waits for the connection */
#define PARK_MS   50    /* how often it looks */
#define LOOK_MS   1000  /* how often the peers are looked at while nothing happens */

/* --- an attempt -------------------------------------------------------------------------- */

/* The first of the candidates in order of priority; one that is avoided comes last. */
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

/* Some HSSs hang up after every answer: a connection that was there a moment ago is waited
 * for. */
static bool lost_lately(const struct zh_diameter *z, int64_t now)
{
    for (size_t i = 0; i < z->n_peers; i++) {
        int64_t lost_ms = atomic_load(&z->peers[i].lost_ms);

        if (lost_ms != 0 && now - lost_ms < GRACE_MS)
            return true;
    }
    return false;
}

/* Gives the request a peer, and this attempt its time: all that is left, if nobody else could
 * be asked after it.  False: no peer is there for it. */
static bool begin_locked(struct zh_diameter *z, struct zh_pending *p, uint32_t open,
                         struct zh_attempt *a)
{
    int64_t now = clock_monotonic_ms();
    uint32_t wanted = p->wanted != 0 ? p->wanted : ZH_ANYWHERE;

    if (!choose_peer(z, open & ~p->tried & wanted, now, &p->peer))
        return false;
    p->tried |= UINT32_C(1) << p->peer;
    p->attempts++;
    if (p->attempts < ZH_ATTEMPTS && (open & ~p->tried) != 0 &&
        now + z->attempt_ms < p->deadline_ms)
        p->due_ms = now + z->attempt_ms;
    zh_diameter_timer_needed_locked(z, p->due_ms);
    *a = (struct zh_attempt){p->ticket, p->query, p->peer, p->due_ms - now};
    return true;
}

struct timespec zh_diameter_realtime_in(int64_t ms)
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

/* GBA_E_ZH_UNREACHABLE: libfdcore did not take it. */
static enum gba_err send_attempt(struct zh_diameter *z, const struct zh_attempt *a)
{
    const struct zh_peer *peer = &z->peers[a->peer];
    struct zh_mar mar = {.application = z->application,
                         .scheme = z->scheme,
                         .public_identity = z->public_identity,
                         .server_name = z->server_name,
                         .destination_realm = peer->destination_realm,
                         .destination_host = peer->name_host ? peer->identity : NULL};
    struct timespec forget = zh_diameter_realtime_in(a->left_ms + FORGET_MS);
    struct msg *msg = NULL;
    enum gba_err err = zh_mar_make(&mar, &a->query, &msg);

    if (err != GBA_OK || zh_diameter_hand_over(&msg, a->ticket, &forget) == 0)
        return err;
    if (msg != NULL)
        (void)fd_msg_free(msg);
    return GBA_E_ZH_UNREACHABLE;
}

/* --- at once ---------------------------------------------------------------------------- */

/* Is libfdcore's queue empty enough for all threads that may look at this moment? */
static bool room_to_send(void)
{
    int waiting = 0, limit = 0;

    return fd_stat_getstats(STAT_G_OUTGOING, NULL, &waiting, &limit, NULL, NULL, NULL, NULL,
                            NULL) == 0 &&
           (limit == 0 || waiting <= limit / 4);
}

uint32_t zh_diameter_open_with_room(struct zh_diameter *z)
{
    return room_to_send() ? zh_diameter_open_peers(z) : 0;
}

bool zh_diameter_begin_locked(struct zh_diameter *z, struct zh_pending *p, uint32_t open,
                              struct zh_attempt *a)
{
    return TAILQ_EMPTY(&z->pending.queue) && begin_locked(z, p, open, a);
}

void zh_diameter_send_now(struct zh_diameter *z, struct zh_attempt *a)
{
    enum gba_err err = send_attempt(z, a);
    struct zh_pending *p;

    gba_wipe(&a->query, sizeof(a->query));
    if (err == GBA_OK)
        return;
    pthread_mutex_lock(&z->lock);
    p = zh_pending_find(&z->pending, a->ticket);
    if (p != NULL) { /* the sender tries from the beginning, and may answer */
        p->attempts = 0;
        p->tried = 0;
        zh_diameter_queue_locked(z, p);
    }
    pthread_mutex_unlock(&z->lock);
}

/* --- the sender ------------------------------------------------------------------------- */

void zh_diameter_queue_locked(struct zh_diameter *z, struct zh_pending *p)
{
    zh_pending_enqueue(&z->pending, p);
    pthread_cond_signal(&z->work);
}

/* Waits for a connection, if that is worth it, and for no longer than the deadline. */
static void park_or_finish_locked(struct zh_diameter *z, struct zh_pending *p, int64_t now)
{
    if (p->attempts > 0 || now >= p->deadline_ms || !lost_lately(z, now)) {
        zh_diameter_finish_locked(z, p, GBA_E_ZH_UNREACHABLE, NULL);
        return;
    }
    p->parked = true;
    p->due_ms = now + PARK_MS < p->deadline_ms ? now + PARK_MS : p->deadline_ms;
    zh_diameter_timer_needed_locked(z, p->due_ms);
    pthread_mutex_unlock(&z->lock);
}

static void answer_refused_locked(struct zh_diameter *z)
{
    struct zh_refused r = z->refused[z->refused_at];

    z->refused_at = (z->refused_at + 1) % ZH_REFUSED_MAX;
    z->n_refused--;
    pthread_cond_signal(&z->room);
    pthread_mutex_unlock(&z->lock);
    metric_add(z->results[r.err], 1);
    r.done(r.arg, r.err, NULL);
}

static void send_queued(struct zh_diameter *z, uintptr_t ticket)
{
    uint32_t open = zh_diameter_open_peers(z);
    struct zh_attempt a;
    struct zh_pending *p;
    enum gba_err err;

    pthread_mutex_lock(&z->lock);
    p = zh_pending_find(&z->pending, ticket);
    if (p != NULL && !begin_locked(z, p, open, &a)) {
        park_or_finish_locked(z, p, clock_monotonic_ms());
        return;
    }
    pthread_mutex_unlock(&z->lock);
    if (p == NULL)
        return;
    err = send_attempt(z, &a);
    if (err == GBA_E_ZH_UNREACHABLE)
        zh_diameter_attempt_failed(z, ticket, err, ZH_ANYWHERE);
    else if (err != GBA_OK)
        zh_diameter_finish(z, ticket, err, NULL);
    gba_wipe(&a, sizeof(a));
}

void *zh_diameter_send_loop(void *arg)
{
    struct zh_diameter *z = arg;

    for (;;) {
        struct zh_pending *p;
        uintptr_t ticket;

        pthread_mutex_lock(&z->lock);
        while (z->n_refused == 0 && TAILQ_EMPTY(&z->pending.queue) && !z->closing)
            pthread_cond_wait(&z->work, &z->lock);
        if (z->n_refused != 0) {
            answer_refused_locked(z);
            continue;
        }
        p = z->closing ? NULL : zh_pending_next(&z->pending);
        ticket = p != NULL ? p->ticket : 0;
        pthread_mutex_unlock(&z->lock);
        if (ticket == 0)
            return NULL;
        send_queued(z, ticket);
    }
}

/* --- the timer -------------------------------------------------------------------------- */

void zh_diameter_timer_needed_locked(struct zh_diameter *z, int64_t due_ms)
{
    if (due_ms < z->timer_wakes_ms)
        pthread_cond_signal(&z->tick);
}

static void wait_until_locked(struct zh_diameter *z, int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    z->timer_wakes_ms = ms;
    pthread_cond_timedwait(&z->tick, &z->lock, &t);
    z->timer_wakes_ms = INT64_MIN;
}

static void look_again(struct zh_diameter *z, uintptr_t ticket)
{
    uint32_t open = zh_diameter_open_peers(z);
    struct zh_pending *p;

    pthread_mutex_lock(&z->lock);
    p = zh_pending_find(&z->pending, ticket);
    if (p != NULL && open == 0) {
        park_or_finish_locked(z, p, clock_monotonic_ms());
        return;
    }
    if (p != NULL)
        zh_diameter_queue_locked(z, p);
    pthread_mutex_unlock(&z->lock);
}

static void expire_locked(struct zh_diameter *z, struct zh_pending *p, int64_t now)
{
    uintptr_t ticket = p->ticket;
    bool was_sent = !p->queued && !p->parked, parked = p->parked;

    if (was_sent)
        z->peers[p->peer].avoid_until_ms = now + AVOID_MS;
    pthread_mutex_unlock(&z->lock);
    if (parked) {
        look_again(z, ticket);
        return;
    }
    zh_diameter_attempt_failed(z, ticket, GBA_E_ZH_TIMEOUT,
                               was_sent ? ZH_ANYWHERE : ZH_NOWHERE);
}

void *zh_diameter_timer_loop(void *arg)
{
    struct zh_diameter *z = arg;
    int64_t looked_ms = 0;

    pthread_mutex_lock(&z->lock);
    for (;;) {
        struct zh_pending *p = zh_pending_earliest(&z->pending);
        int64_t now = clock_monotonic_ms();

        if (z->closing && p == NULL)
            break;
        if (z->closing) {
            zh_diameter_finish_locked(z, p, GBA_E_CANCELLED, NULL);
        } else if (p != NULL && p->due_ms <= now) {
            expire_locked(z, p, now);
        } else if (now - looked_ms >= LOOK_MS) {
            looked_ms = now;
            pthread_mutex_unlock(&z->lock);
            (void)zh_diameter_open_peers(z);
        } else {
            int64_t look_ms = looked_ms + LOOK_MS;

            wait_until_locked(z, p != NULL && p->due_ms < look_ms ? p->due_ms : look_ms);
            continue;
        }
        pthread_mutex_lock(&z->lock);
    }
    pthread_mutex_unlock(&z->lock);
    return NULL;
}
