/*
 * What libfdcore calls: answers, dropped messages, routing, peers, its end.  See
 * zh_diameter_internal.h.  Each of these may run at the same time as any other, as the timer
 * and as close(); the ticket decides who answers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/zh_diameter_internal.h"

#include <string.h>

#include "bsf/zh_mar.h"
#include "common/host/clock.h"

#define MIN_RETRY_MS 20 /* less time than this is not worth another attempt */
#define CHOSEN_SCORE 1000

/* libfdcore's callback for answers gets one word, which is the ticket; there is one node per
 * process anyway. */
static struct zh_diameter *the_adapter;

/* --- answering -------------------------------------------------------------------------- */

void zh_diameter_finish_locked(struct zh_diameter *z, struct zh_pending *p, enum gba_err err,
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

void zh_diameter_finish(struct zh_diameter *z, uintptr_t ticket, enum gba_err err,
                        const struct zh_answer *answer)
{
    struct zh_pending *p;

    pthread_mutex_lock(&z->lock);
    p = zh_pending_find(&z->pending, ticket);
    if (p != NULL)
        zh_diameter_finish_locked(z, p, err, answer);
    else
        pthread_mutex_unlock(&z->lock);
}

static void note_state(struct zh_diameter *z, struct zh_peer *peer, bool up)
{
    int state = up ? ZH_PEER_UP : ZH_PEER_DOWN;
    int before = (int)atomic_exchange(&peer->state, state);

    if (before == state)
        return;
    if (before == ZH_PEER_UP)
        atomic_store(&peer->lost_ms, clock_monotonic_ms());
    metric_set(peer->up, up);
    LOG(z->log, up ? LOG_LV_NOTICE : LOG_LV_WARNING, "zh.peer", LOG_STR("peer", peer->identity),
        LOG_STR("state", up ? "connected" : "not connected"));
}

uint32_t zh_diameter_open_peers(struct zh_diameter *z)
{
    uint32_t open = 0;

    for (size_t i = 0; i < z->n_peers; i++) {
        bool up = diameter_peer_open(z->node, z->peers[i].identity);

        if (up)
            open |= UINT32_C(1) << i;
        if (up || atomic_load(&z->peers[i].state) == ZH_PEER_UP)
            note_state(z, &z->peers[i], up);
    }
    return open;
}

static void again_or_finish_locked(struct zh_diameter *z, struct zh_pending *p,
                                   enum gba_err err, uint32_t candidates)
{
    bool again = p->attempts < ZH_ATTEMPTS && (candidates & ~p->tried) != 0 && !z->closing &&
                 clock_monotonic_ms() + MIN_RETRY_MS < p->deadline_ms;

    if (!again) {
        zh_diameter_finish_locked(z, p, err, NULL);
        return;
    }
    p->wanted = candidates;
    zh_diameter_queue_locked(z, p);
    metric_add(z->failovers, 1);
    pthread_mutex_unlock(&z->lock);
}

void zh_diameter_attempt_failed(struct zh_diameter *z, uintptr_t ticket, enum gba_err err,
                                uint32_t elsewhere)
{
    uint32_t candidates = elsewhere != ZH_NOWHERE ? elsewhere & zh_diameter_open_peers(z) : 0;
    struct zh_pending *p;

    pthread_mutex_lock(&z->lock);
    p = zh_pending_find(&z->pending, ticket);
    if (p != NULL)
        again_or_finish_locked(z, p, err, candidates);
    else
        pthread_mutex_unlock(&z->lock);
}

/* --- answers ---------------------------------------------------------------------------- */

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

static void log_fault(struct zh_diameter *z, enum gba_err err, uint32_t code)
{
    if (err != GBA_OK && err != GBA_E_SUBSCRIBER_UNKNOWN && err != GBA_E_SUBSCRIBER_BARRED)
        LOG(z->log, LOG_LV_WARNING, "zh.answer", LOG_ERR(err), LOG_INT("code", code));
}

/* Where an answer sends us: to the peer it names, if it is one of ours. */
static uint32_t elsewhere(const struct zh_diameter *z, const struct zh_maa *maa)
{
    if (!maa->elsewhere)
        return ZH_NOWHERE;
    if (maa->redirect.n == 0)
        return ZH_ANYWHERE;
    for (size_t i = 0; i < z->n_peers; i++)
        if (gba_text_eq_nocase(maa->redirect, gba_text(z->peers[i].identity)))
            return UINT32_C(1) << i;
    return ZH_NOWHERE;
}

static void read_answer(struct zh_diameter *z, uintptr_t ticket, struct msg *msg)
{
    struct zh_maa maa;
    enum gba_err err;
    bool resync;

    if (!awaited(z, ticket, &resync))
        return; /* late: answered already, or asked elsewhere */
    err = zh_maa_read(msg, resync, &maa);
    log_fault(z, err, maa.code);
    if (err == GBA_OK)
        zh_diameter_finish(z, ticket, GBA_OK, &maa.answer);
    else
        zh_diameter_attempt_failed(z, ticket, err, elsewhere(z, &maa));
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

/* Our own deadline has answered before; this runs on a thread that may outlive the adapter. */
static void on_expiry(void *data, DiamId_t peer, size_t peer_len, struct msg **msg)
{
    (void)data;
    (void)peer;
    (void)peer_len;
    (void)fd_msg_free(*msg);
    *msg = NULL;
}

int zh_diameter_hand_over(struct msg **msg, uintptr_t ticket, const struct timespec *forget)
{
    return fd_msg_send_timeout(msg, on_answer, (void *)ticket, on_expiry, forget);
}

/* --- events of the node ----------------------------------------------------------------- */

/* The ticket of one of our requests; 0: not ours. */
static uintptr_t ticket_of(struct msg *request)
{
    void (*callback)(void *, struct msg **) = NULL;
    void *data = NULL;

    if (request == NULL || fd_msg_anscb_get(request, &callback, NULL, &data) != 0 ||
        callback != on_answer)
        return 0;
    return (uintptr_t)data;
}

/* libfdcore discards, without calling back, an answer that its dictionary does not understand
 * (an unknown AVP with the M bit, a broken group) and a request that it cannot place. */
static void on_dropped(void *arg, struct msg *msg)
{
    struct zh_diameter *z = arg;
    struct msg *request = msg;
    struct msg_hdr *header;
    uintptr_t ticket;
    bool is_answer;

    if (fd_msg_hdr(msg, &header) != 0)
        return;
    is_answer = (header->msg_flags & CMD_FLAG_REQUEST) == 0;
    if (is_answer && fd_msg_answ_getq(msg, &request) != 0)
        return;
    ticket = ticket_of(request);
    if (ticket == 0)
        return;
    if (!is_answer) {
        zh_diameter_attempt_failed(z, ticket, GBA_E_ZH_UNREACHABLE, ZH_ANYWHERE);
        return;
    }
    zh_maa_wipe(msg);
    log_fault(z, GBA_E_ZH_MALFORMED, 0);
    zh_diameter_attempt_failed(z, ticket, GBA_E_ZH_MALFORMED, ZH_NOWHERE);
}

/* The peer was chosen when the request was made: libfdcore must not prefer another one, nor
 * send it elsewhere when the connection breaks. */
static int on_route(void *arg, struct msg **msg, struct fd_list *candidates)
{
    struct zh_diameter *z = arg;
    uintptr_t ticket = ticket_of(*msg);
    char identity[256] = "";
    struct zh_pending *p;

    if (ticket == 0)
        return 0;
    pthread_mutex_lock(&z->lock);
    p = zh_pending_find(&z->pending, ticket);
    if (p != NULL)
        memcpy(identity, z->peers[p->peer].identity, sizeof(identity));
    pthread_mutex_unlock(&z->lock);
    for (struct fd_list *i = candidates->next; i != candidates; i = i->next) {
        struct rtd_candidate *c = (struct rtd_candidate *)(void *)i;

        c->score += strcasecmp(c->diamid, identity) == 0 ? CHOSEN_SCORE : -CHOSEN_SCORE;
    }
    return 0;
}

/* Tells of failures only: a peer that is said to be up here is not open yet.  libfdcore holds
 * locks of its own: ours is not taken. */
static void on_peer(void *arg, const char *identity, bool up)
{
    struct zh_diameter *z = arg;

    for (size_t i = 0; i < z->n_peers && !up; i++)
        if (strcasecmp(z->peers[i].identity, identity) == 0)
            note_state(z, &z->peers[i], false);
}

static void on_stopped(void *arg)
{
    struct zh_diameter *z = arg;
    struct zh_pending *p;

    for (;;) {
        pthread_mutex_lock(&z->lock);
        p = zh_pending_earliest(&z->pending);
        if (p == NULL)
            break;
        zh_diameter_finish_locked(z, p, GBA_E_ZH_UNREACHABLE, NULL);
    }
    pthread_mutex_unlock(&z->lock);
    if (z->stopped != NULL)
        z->stopped(z->stopped_arg);
}

struct diameter_events zh_diameter_events(struct zh_diameter *z)
{
    return (struct diameter_events){on_dropped, on_peer, on_stopped, z};
}

enum gba_err zh_diameter_attach(struct zh_diameter *z)
{
    struct fd_rt_out_hdl *handle; /* lives as long as libfdcore */

    the_adapter = z;
    return fd_rt_out_register(on_route, z, 1, &handle) == 0 ? GBA_OK : GBA_E_NOMEM;
}
