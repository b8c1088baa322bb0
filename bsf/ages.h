/*
 * Entries of the memory store in the order of their coming, over all shards: which one makes
 * room at the cap, and which have had their time.  One short lock of its own, taken last of
 * all; entries are the caller's, each under the lock of its shard.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_AGES_H
#define BSF_AGES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Part of an entry; zero before the first ages_add. */
struct age {
    struct age *older, *newer;
    uint64_t hash; /* where the entry lies */
    int64_t until_ms;
    bool in;
};

struct ages {
    pthread_mutex_t lock;
    struct age *oldest, *newest;
    size_t n;
    uint64_t evicted; /* taken out before their time */
};

void ages_init(struct ages *a);
void ages_destroy(struct ages *a);

/* The newest from now on, also if it was in before. */
void ages_add(struct ages *a, struct age *g, uint64_t hash, int64_t until_ms);
void ages_remove(struct ages *a, struct age *g); /* fine when it was taken */

/* Takes the oldest out, if there are more than cap or its time is over, and gives its hash;
 * NULL: none.  Another thread may end the entry meanwhile: the caller compares the pointer with
 * what lies in its shard, and under that lock asks ages_in whether it came in again. */
const struct age *ages_take(struct ages *a, size_t cap, int64_t now_ms, uint64_t *hash);
bool ages_in(struct ages *a, const struct age *g);

uint64_t ages_evicted(struct ages *a);

#endif
