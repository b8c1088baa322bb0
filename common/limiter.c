/*
 * Token buckets in a fixed table: four places per set, keyed by a hash that strangers cannot
 * steer.  A bucket that is pushed out comes back full, so the fullest goes first.  It limits
 * and knows nothing else; its users decide what costs a token (every anonymous GET on Ub costs
 * the subscriber a vector).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/limiter.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/keyed_hash.h"

#define WAYS  4
#define TOKEN 60000 /* a token in the unit in which buckets fill: per_minute units each ms */

struct bucket {
    uint64_t print; /* hash of the name; 0: free */
    int64_t filled_ms;
    int64_t level; /* units of 1/TOKEN */
};

struct limiter {
    pthread_mutex_t lock;
    struct limiter_config c;
    size_t n_sets; /* a power of two */
    struct bucket (*sets)[WAYS];
};

struct limiter *limiter_new(const struct limiter_config *c)
{
    struct limiter *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return NULL;
    l->c = *c;
    for (l->n_sets = 1; l->n_sets * WAYS < c->buckets;)
        l->n_sets *= 2;
    l->sets = calloc(l->n_sets, sizeof(*l->sets));
    if (l->sets == NULL || pthread_mutex_init(&l->lock, NULL) != 0) {
        free(l->sets);
        free(l);
        return NULL;
    }
    return l;
}

void limiter_free(struct limiter *l)
{
    if (l == NULL)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l->sets);
    free(l);
}

static void fill(struct bucket *b, const struct limiter_rate *r, int64_t now_ms)
{
    int64_t full = (int64_t)r->burst * TOKEN, passed = now_ms - b->filled_ms;

    b->filled_ms = now_ms;
    if (passed <= 0)
        return;
    if (r->per_minute != 0 && passed > full / (int64_t)r->per_minute)
        b->level = full;
    else
        b->level += passed * (int64_t)r->per_minute;
    if (b->level > full)
        b->level = full;
}

/* The bucket of this name, filled up to now; the free or fullest place where it has none. */
static struct bucket *bucket_of(struct limiter *l, char kind, struct gba_bytes name,
                                const struct limiter_rate *r, int64_t now_ms)
{
    uint64_t hash = keyed_hash(l->c.hash_key, name);
    uint64_t print = (hash & ~UINT64_C(3)) | 2 | (kind == 'a');
    struct bucket *set = l->sets[(hash >> 2) & (l->n_sets - 1)], *best = &set[0];

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].print == print) {
            fill(&set[i], r, now_ms);
            return &set[i];
        }
        if (best->print != 0 && (set[i].print == 0 || set[i].level > best->level))
            best = &set[i];
    }
    *best = (struct bucket){print, now_ms, (int64_t)r->burst * TOKEN};
    return best;
}

static unsigned seconds_until_token(const struct bucket *b, const struct limiter_rate *r)
{
    int64_t ms = r->per_minute != 0 ? (TOKEN - b->level) / (int64_t)r->per_minute : 60000;

    return ms > 1000 ? (unsigned)((ms + 999) / 1000) : 1;
}

enum gba_err limiter_take(struct limiter *l, struct gba_text impi, struct gba_bytes address,
                          int64_t now_ms, unsigned *retry_after_s)
{
    const struct limiter_rate *rs = &l->c.subscriber, *ra = &l->c.address;
    struct bucket *s = NULL, *a = NULL;
    enum gba_err err = GBA_OK;

    *retry_after_s = 0;
    pthread_mutex_lock(&l->lock);
    if (ra->burst != 0 && address.n != 0) {
        a = bucket_of(l, 'a', address, ra, now_ms);
        if (a->level < TOKEN) {
            *retry_after_s = seconds_until_token(a, ra);
            err = GBA_E_RATE_LIMITED;
        }
    }
    if (err == GBA_OK && rs->burst != 0) {
        s = bucket_of(l, 's', gba_text_bytes(impi), rs, now_ms);
        if (s->level < TOKEN) {
            *retry_after_s = seconds_until_token(s, rs);
            err = GBA_E_RATE_LIMITED;
        }
    }
    if (err == GBA_OK && s != NULL)
        s->level -= TOKEN;
    if (err == GBA_OK && a != NULL && a != s) /* equal: s has just taken its place */
        a->level -= TOKEN;
    pthread_mutex_unlock(&l->lock);
    return err;
}

struct gba_bytes limiter_address(const struct sockaddr *peer)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)peer;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)peer;

    if (peer != NULL && peer->sa_family == AF_INET)
        return (struct gba_bytes){(const uint8_t *)&v4->sin_addr, 4};
    if (peer == NULL || peer->sa_family != AF_INET6)
        return (struct gba_bytes){NULL, 0};
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        return (struct gba_bytes){v6->sin6_addr.s6_addr + 12, 4};
    return (struct gba_bytes){v6->sin6_addr.s6_addr, 8};
}
