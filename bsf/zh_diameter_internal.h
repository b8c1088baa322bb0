/*
 * The parts of Zh over Diameter among themselves: zh_diameter.c (the port, opening and
 * closing), zh_diameter_answer.c (what libfdcore calls), zh_diameter_send.c (the two threads).
 *
 * ask() sends by itself while libfdcore has room, which spares a change of threads; else it
 * queues, and one thread sends, for libfdcore's queues can block.  Another thread watches the
 * deadlines, for libfdcore may lose an answer without a word.  done() runs on these two or on
 * a thread of libfdcore.
 *
 * Locking: one mutex.  libfdcore is never called with it held, and done() is never called with
 * it held; an entry of the table of pending requests is answered by whoever takes it out.
 * Functions *_locked are entered with the mutex held; those that answer release it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_ZH_DIAMETER_INTERNAL_H
#define BSF_ZH_DIAMETER_INTERNAL_H

#include "common/host/diameter_sys.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "bsf/zh_diameter.h"
#include "bsf/zh_pending.h"
#include "common/host/diameter.h"
#include "common/host/metrics.h"

#define ZH_ATTEMPTS    2 /* the first HSS and one other */
#define ZH_REFUSED_MAX 4096

struct zh_peer {
    char identity[256], destination_realm[256];
    bool name_host;
    int64_t avoid_until_ms; /* it let a request expire: others come first until then */
    enum { ZH_PEER_NEW, ZH_PEER_UP, ZH_PEER_DOWN } _Atomic state; /* as logged last */
    _Atomic int64_t lost_ms; /* when it went down last; 0: it never was up */
    struct metric *up;
};

/* What is sent of a pending request: a copy, for the entry may be answered meanwhile. */
struct zh_attempt {
    uintptr_t ticket;
    struct zh_query query;
    size_t peer;
    int64_t left_ms;
};

/* A request that got no place in the table. */
struct zh_refused {
    zh_done *done;
    void *arg;
    enum gba_err err;
};

struct zh_diameter {
    struct zh port;
    struct log *log;
    struct diameter *node;
    struct zh_peer peers[ZH_DIAMETER_PEERS_MAX];
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
    struct zh_refused refused[ZH_REFUSED_MAX];
    size_t refused_at, n_refused;
    int64_t timer_wakes_ms; /* INT64_MIN: it is awake */
    bool closing;
    pthread_t sender, timer;

    struct metric *results[GBA_N_ERRORS], *latency, *failovers, *outstanding;
};

/* --- zh_diameter_answer.c --------------------------------------------------------------- */

/* Answers p and releases the mutex. */
void zh_diameter_finish_locked(struct zh_diameter *z, struct zh_pending *p, enum gba_err err,
                               const struct zh_answer *answer);
/* The same by ticket; nothing happens if that attempt is over.  Without the mutex. */
void zh_diameter_finish(struct zh_diameter *z, uintptr_t ticket, enum gba_err err,
                        const struct zh_answer *answer);
#define ZH_NOWHERE  0u
#define ZH_ANYWHERE UINT32_MAX
/* This attempt has failed: asks the next HSS, one of elsewhere (bit per peer), or answers with
 * err. */
void zh_diameter_attempt_failed(struct zh_diameter *z, uintptr_t ticket, enum gba_err err,
                                uint32_t elsewhere);
/* Bit per peer that is connected; what changed is logged.  Without the mutex. */
uint32_t zh_diameter_open_peers(struct zh_diameter *z);
struct diameter_events zh_diameter_events(struct zh_diameter *z);
/* Makes z the receiver of libfdcore's callbacks; between diameter_open and diameter_start. */
enum gba_err zh_diameter_attach(struct zh_diameter *z);
/* Hands a request over; *msg is consumed.  0 or an errno. */
int zh_diameter_hand_over(struct msg **msg, uintptr_t ticket, const struct timespec *forget);

/* --- zh_diameter_send.c ----------------------------------------------------------------- */

/* zh_diameter_open_peers, if libfdcore would take a request without blocking; else 0. */
uint32_t zh_diameter_open_with_room(struct zh_diameter *z);
/* May p, which is not queued, be sent at once to one of open?  Not before others that wait. */
bool zh_diameter_begin_locked(struct zh_diameter *z, struct zh_pending *p, uint32_t open,
                              struct zh_attempt *a);
/* Sends what was begun, or leaves it to the sender; never answers.  Without the mutex. */
void zh_diameter_send_now(struct zh_diameter *z, struct zh_attempt *a);
/* Leaves p to the sender. */
void zh_diameter_queue_locked(struct zh_diameter *z, struct zh_pending *p);
/* The timer has to wake up by due_ms. */
void zh_diameter_timer_needed_locked(struct zh_diameter *z, int64_t due_ms);
void *zh_diameter_send_loop(void *z);
void *zh_diameter_timer_loop(void *z);
struct timespec zh_diameter_realtime_in(int64_t ms);

#endif
