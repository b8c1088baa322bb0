/*
 * The store in memory: sharded, bounded, wiped on drop; a restart forgets everything.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_STORE_MEMORY_H
#define BSF_STORE_MEMORY_H

#include "bsf/store.h"

#define STORE_MEMORY_MAX_PER_SUBSCRIBER 8

struct store_memory_config {
    size_t challenges;                /* cap; the oldest makes room */
    size_t sessions;                  /* cap; also of subscribers remembered */
    unsigned sessions_per_subscriber; /* 1 to 8: the newest stay */
    int64_t tmpi_lifetime_ms;         /* a TMPI may outlive its Ks */
    uint8_t hash_key[16];             /* random */
};

/* done() of every operation runs before the call returns. */
enum gba_err store_memory_open(const struct store_memory_config *c, struct store **out);

#endif
