/*
 * Requests that wait for an HSS: see zh_pending.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/zh_pending.h"

#include <stdlib.h>

#include "common/secret.h"

enum gba_err zh_pending_init(struct zh_pending_table *t, size_t n)
{
    *t = (struct zh_pending_table){.n = n};
    TAILQ_INIT(&t->free);
    TAILQ_INIT(&t->queue);
    if (n == 0 || n > ZH_PENDING_MAX)
        return GBA_E_ARGUMENT;
    t->entries = calloc(n, sizeof(*t->entries));
    if (t->entries == NULL)
        return GBA_E_NOMEM;
    for (size_t i = 0; i < n; i++)
        TAILQ_INSERT_TAIL(&t->free, &t->entries[i], link);
    return GBA_OK;
}

void zh_pending_free(struct zh_pending_table *t)
{
    free(t->entries);
    t->entries = NULL;
    t->n = 0;
}

/* The low bits are the entry, the rest counts up; wrapping is harmless, for no answer is that
 * late. */
static uintptr_t new_ticket(struct zh_pending_table *t, const struct zh_pending *p)
{
    t->serial++;
    if (t->serial > UINTPTR_MAX / ZH_PENDING_MAX)
        t->serial = 1;
    return t->serial * ZH_PENDING_MAX + (uintptr_t)(p - t->entries);
}

struct zh_pending *zh_pending_take(struct zh_pending_table *t)
{
    struct zh_pending *p = TAILQ_FIRST(&t->free);

    if (p == NULL)
        return NULL;
    TAILQ_REMOVE(&t->free, p, link);
    *p = (struct zh_pending){0};
    p->ticket = new_ticket(t, p);
    t->used++;
    return p;
}

struct zh_pending *zh_pending_find(struct zh_pending_table *t, uintptr_t ticket)
{
    size_t i = ticket % ZH_PENDING_MAX;

    if (ticket == 0 || i >= t->n || t->entries[i].ticket != ticket)
        return NULL;
    return &t->entries[i];
}

void zh_pending_enqueue(struct zh_pending_table *t, struct zh_pending *p)
{
    if (p->queued)
        TAILQ_REMOVE(&t->queue, p, link);
    p->due_ms = p->deadline_ms;
    p->parked = false;
    p->ticket = new_ticket(t, p);
    p->queued = true;
    TAILQ_INSERT_TAIL(&t->queue, p, link);
}

struct zh_pending *zh_pending_next(struct zh_pending_table *t)
{
    struct zh_pending *p = TAILQ_FIRST(&t->queue);

    if (p != NULL) {
        TAILQ_REMOVE(&t->queue, p, link);
        p->queued = false;
    }
    return p;
}

void zh_pending_release(struct zh_pending_table *t, struct zh_pending *p)
{
    if (p->queued)
        TAILQ_REMOVE(&t->queue, p, link);
    gba_wipe(p, sizeof(*p));
    TAILQ_INSERT_TAIL(&t->free, p, link);
    t->used--;
}

struct zh_pending *zh_pending_earliest(struct zh_pending_table *t)
{
    struct zh_pending *first = NULL;

    for (size_t i = 0; i < t->n; i++) {
        struct zh_pending *p = &t->entries[i];

        if (p->ticket != 0 && (first == NULL || p->due_ms < first->due_ms))
            first = p;
    }
    return first;
}
