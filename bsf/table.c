/*
 * A chained hash table of intrusive links.  Whoever chooses the keys must not choose the hash:
 * callers hash with keyed_hash.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/table.h"

#include <stdlib.h>

bool table_init(struct table *t)
{
    t->n_slots = 64;
    t->n = 0;
    t->slots = calloc(t->n_slots, sizeof(*t->slots));
    return t->slots != NULL;
}

void table_free(struct table *t)
{
    free(t->slots);
    t->slots = NULL;
}

static struct table_link **slot_of(const struct table *t, uint64_t hash)
{
    return &t->slots[hash & (t->n_slots - 1)];
}

/* Chains keep their order, so that the last added of one hash stays first. */
static void grow(struct table *t)
{
    struct table bigger = {.n_slots = t->n_slots * 2, .n = t->n};

    bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
    if (bigger.slots == NULL)
        return;
    for (size_t i = 0; i < t->n_slots; i++) {
        struct table_link **low = &bigger.slots[i], **high = &bigger.slots[i + t->n_slots];

        for (struct table_link *l = t->slots[i], *next; l != NULL; l = next) {
            struct table_link ***end = (l->hash & t->n_slots) != 0 ? &high : &low;

            next = l->next;
            l->next = NULL;
            **end = l;
            *end = &l->next;
        }
    }
    free(t->slots);
    *t = bigger;
}

void table_add(struct table *t, struct table_link *l, uint64_t hash)
{
    struct table_link **slot;

    if (t->n >= t->n_slots)
        grow(t);
    slot = slot_of(t, hash);
    l->hash = hash;
    l->next = *slot;
    *slot = l;
    t->n++;
}

void table_remove(struct table *t, struct table_link *l)
{
    for (struct table_link **at = slot_of(t, l->hash); *at != NULL; at = &(*at)->next)
        if (*at == l) {
            *at = l->next;
            t->n--;
            return;
        }
}

struct table_link *table_first(const struct table *t, uint64_t hash)
{
    struct table_link *l = *slot_of(t, hash);

    return l == NULL || l->hash == hash ? l : table_next(&(struct table_link){l->next, hash});
}

struct table_link *table_next(const struct table_link *l)
{
    struct table_link *n = l->next;

    while (n != NULL && n->hash != l->hash)
        n = n->next;
    return n;
}
