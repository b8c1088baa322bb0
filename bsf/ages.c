/*
 * Entries in the order of their coming; see ages.h.  It frees nothing and looks at no key.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/ages.h"

void ages_init(struct ages *a)
{
    *a = (struct ages){.oldest = NULL};
    pthread_mutex_init(&a->lock, NULL);
}

void ages_destroy(struct ages *a)
{
    pthread_mutex_destroy(&a->lock);
}

static void unlink_age(struct ages *a, struct age *g)
{
    if (!g->in)
        return;
    *(g->older != NULL ? &g->older->newer : &a->oldest) = g->newer;
    *(g->newer != NULL ? &g->newer->older : &a->newest) = g->older;
    g->in = false;
    a->n--;
}

void ages_add(struct ages *a, struct age *g, uint64_t hash, int64_t until_ms)
{
    pthread_mutex_lock(&a->lock);
    unlink_age(a, g);
    *g = (struct age){.older = a->newest, .hash = hash, .until_ms = until_ms, .in = true};
    *(a->newest != NULL ? &a->newest->newer : &a->oldest) = g;
    a->newest = g;
    a->n++;
    pthread_mutex_unlock(&a->lock);
}

void ages_remove(struct ages *a, struct age *g)
{
    pthread_mutex_lock(&a->lock);
    unlink_age(a, g);
    pthread_mutex_unlock(&a->lock);
}

const struct age *ages_take(struct ages *a, size_t cap, int64_t now_ms, uint64_t *hash)
{
    struct age *g;

    pthread_mutex_lock(&a->lock);
    g = a->oldest;
    if (g != NULL && g->until_ms > now_ms) {
        if (a->n > cap)
            a->evicted++;
        else
            g = NULL;
    }
    if (g != NULL) {
        *hash = g->hash;
        unlink_age(a, g);
    }
    pthread_mutex_unlock(&a->lock);
    return g;
}

bool ages_in(struct ages *a, const struct age *g)
{
    bool in;

    pthread_mutex_lock(&a->lock);
    in = g->in;
    pthread_mutex_unlock(&a->lock);
    return in;
}

uint64_t ages_evicted(struct ages *a)
{
    uint64_t n;

    pthread_mutex_lock(&a->lock);
    n = a->evicted;
    pthread_mutex_unlock(&a->lock);
    return n;
}
