/*
 * A chained hash table of intrusive links that grows by doubling.  Keys and equality are the
 * caller's; it owns nothing but its slots.  Not thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_TABLE_H
#define BSF_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_link {
    struct table_link *next;
    uint64_t hash;
};

struct table {
    struct table_link **slots;
    size_t n_slots, n;
};

bool table_init(struct table *t); /* false: no memory */
void table_free(struct table *t);

/* Becomes the first of its hash.  Growing may fail; the chains are then longer. */
void table_add(struct table *t, struct table_link *l, uint64_t hash);
void table_remove(struct table *t, struct table_link *l);

/* The links of one hash, the last added first; NULL: no more. */
struct table_link *table_first(const struct table *t, uint64_t hash);
struct table_link *table_next(const struct table_link *l);

#define TABLE_ENTRY(link, type, member)                                                        \
    ((type *)(void *)((char *)(link)-offsetof(type, member)))

#endif
