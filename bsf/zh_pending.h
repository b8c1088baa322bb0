/*
 * The requests that wait for an HSS: a table of fixed size.  A ticket names one attempt of one
 * request and is never used again, so that an answer which comes too late, twice or after
 * another attempt finds nothing.  Whoever takes an entry out answers it: this is what makes
 * "exactly once" hold.  No locks, no clock: both are the caller's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_ZH_PENDING_H
#define BSF_ZH_PENDING_H

#include <sys/queue.h>

#include "bsf/zh.h"

#define ZH_PENDING_MAX 4096

struct zh_pending {
    uintptr_t ticket; /* 0: the entry is free */
    struct zh_query query;
    zh_done *done;
    void *arg;
    uint64_t asked_us;
    int64_t deadline_ms; /* of the request */
    int64_t due_ms;      /* of this attempt, or the deadline while it is queued */
    unsigned attempts;
    uint32_t tried;  /* bit per peer */
    uint32_t wanted; /* peers for the next attempt; 0: any */
    size_t peer;     /* of this attempt */
    bool queued;
    bool parked; /* waits for a connection */
    TAILQ_ENTRY(zh_pending) link;
};

TAILQ_HEAD(zh_pending_queue, zh_pending);

struct zh_pending_table {
    struct zh_pending *entries;
    size_t n, used;
    uintptr_t serial;
    struct zh_pending_queue free;
    struct zh_pending_queue queue; /* to be sent, in order */
};

/* GBA_E_ARGUMENT: n is 0 or over ZH_PENDING_MAX; GBA_E_NOMEM. */
enum gba_err zh_pending_init(struct zh_pending_table *t, size_t n);
void zh_pending_free(struct zh_pending_table *t);

/* A zeroed entry with a ticket, not queued.  NULL: all are taken. */
struct zh_pending *zh_pending_take(struct zh_pending_table *t);
/* NULL: no such attempt (any more). */
struct zh_pending *zh_pending_find(struct zh_pending_table *t, uintptr_t ticket);
/* Queues the next attempt at the end, with a new ticket: no answer to an earlier one counts. */
void zh_pending_enqueue(struct zh_pending_table *t, struct zh_pending *p);
/* The first of the queue, out of it; NULL: empty. */
struct zh_pending *zh_pending_next(struct zh_pending_table *t);
/* Wipes and frees the entry; its done and arg have been copied. */
void zh_pending_release(struct zh_pending_table *t, struct zh_pending *p);
/* The entry that is due first; NULL: none waits. */
struct zh_pending *zh_pending_earliest(struct zh_pending_table *t);

#endif
