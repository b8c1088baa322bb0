/*
 * Token buckets per subscriber and per address: what a stranger may cost in vectors.
 * Bounded memory; the time is an argument.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_LIMITER_H
#define COMMON_LIMITER_H

#include <sys/socket.h>

#include "common/bytes.h"

struct limiter;

struct limiter_rate {
    unsigned burst;      /* tokens of a full bucket; 0: no limit */
    unsigned per_minute; /* tokens that come back */
};
struct limiter_config {
    struct limiter_rate subscriber, address;
    size_t buckets; /* of the table; when full, the bucket nearest to full makes room */
    uint8_t hash_key[16];
};

/* NULL: no memory. */
struct limiter *limiter_new(const struct limiter_config *c);
void limiter_free(struct limiter *l);

/* What stands for a peer: an IPv4 address, or the /64 of IPv6, for whoever has one address of
 * it has all.  A view into peer; empty: NULL, or of another family, which no bucket limits. */
struct gba_bytes limiter_address(const struct sockaddr *peer);

/* Takes one token for both names, or none.  GBA_E_RATE_LIMITED: one bucket is empty,
 * *retry_after_s (1 or more) says when it has a token again.  Thread-safe. */
enum gba_err limiter_take(struct limiter *l, struct gba_text impi, struct gba_bytes address,
                          int64_t now_ms, unsigned *retry_after_s);

#endif
