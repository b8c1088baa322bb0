/*
 * Nonces of Ua Digest: see nonce.h.  The table is set-associative: a nonce has eight possible
 * places.  When one in use must give way, the set remembers how young it was, and whatever is
 * as old or older and not in the set counts as used: forgetting never opens a replay.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/nonce.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/secret.h"

#define NONCE_LEN   32
#define TIME_LEN    8
#define ID_LEN      16 /* time and random */
#define USER_LEN    16 /* of SHA-256(user) */
#define WAYS        8
#define WINDOW_BITS 64

struct place {
    uint8_t id[ID_LEN];
    uint8_t user[USER_LEN];
    int64_t issued_s; /* 0: free */
    int64_t used_s;
    uint32_t highest;
    uint64_t window; /* bit i: highest - i was used */
};

struct set {
    struct place place[WAYS];
    int64_t forgotten_s; /* issue time of the youngest nonce that gave way */
};

struct nonces {
    pthread_mutex_t lock;
    uint8_t secret[32];
    int64_t life_s;
    enum gba_naf_nc policy;
    size_t n_sets;
    struct set *sets;
};

enum gba_err nonces_new(const uint8_t secret[static 32], unsigned life_s, size_t max,
                        enum gba_naf_nc policy, struct nonces **out)
{
    struct nonces *t = calloc(1, sizeof(*t));

    *out = NULL;
    if (t == NULL)
        return GBA_E_NOMEM;
    t->n_sets = (max + WAYS - 1) / WAYS;
    t->sets = calloc(t->n_sets, sizeof(*t->sets));
    if (t->sets == NULL) {
        free(t);
        return GBA_E_NOMEM;
    }
    pthread_mutex_init(&t->lock, NULL);
    memcpy(t->secret, secret, sizeof(t->secret));
    t->life_s = life_s;
    t->policy = policy;
    *out = t;
    return GBA_OK;
}

void nonces_free(struct nonces *t)
{
    if (t == NULL)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t->sets);
    gba_wipe(t, sizeof(*t));
    free(t);
}

static void seal(const struct nonces *t, struct gba_text realm, const uint8_t id[static ID_LEN],
                 uint8_t mac[static 32])
{
    const struct gba_bytes parts[] = {{id, ID_LEN}, gba_text_bytes(realm)};

    gba_hmac(GBA_SHA256, GBA_BYTES(t->secret), parts, 2, mac);
}

void nonce_make(const struct nonces *t, struct gba_text realm, int64_t now_s,
                const uint8_t random[static 8], char out[static NONCE_SIZE])
{
    uint8_t octets[ID_LEN + 32];

    for (int i = 0; i < TIME_LEN; i++)
        octets[i] = (uint8_t)((uint64_t)now_s >> (8 * (TIME_LEN - 1 - i)));
    memcpy(octets + TIME_LEN, random, ID_LEN - TIME_LEN);
    seal(t, realm, octets, octets + ID_LEN);
    gba_base64(out, (struct gba_bytes){octets, NONCE_LEN});
}

static bool split(struct gba_text nonce, uint8_t octets[static NONCE_LEN], int64_t *issued_s)
{
    uint64_t s = 0;
    size_t n;

    if (gba_unbase64(octets, NONCE_LEN, nonce, &n) != GBA_OK || n != NONCE_LEN)
        return false;
    for (int i = 0; i < TIME_LEN; i++)
        s = s << 8 | octets[i];
    *issued_s = (int64_t)s;
    return true;
}

enum gba_err nonce_check(const struct nonces *t, struct gba_text realm, struct gba_text nonce,
                         int64_t now_s)
{
    uint8_t octets[NONCE_LEN], mac[32];
    int64_t issued_s;

    if (!split(nonce, octets, &issued_s))
        return GBA_E_NONCE;
    seal(t, realm, octets, mac);
    if (!gba_equal_ct(mac, octets + ID_LEN, NONCE_LEN - ID_LEN))
        return GBA_E_NONCE;
    return now_s - issued_s < t->life_s ? GBA_OK : GBA_E_NONCE_EXPIRED;
}

bool nonce_aged(const struct nonces *t, struct gba_text nonce, int64_t now_s)
{
    uint8_t octets[NONCE_LEN];
    int64_t issued_s;

    return split(nonce, octets, &issued_s) && now_s - issued_s >= t->life_s / 2;
}

/* The place of id, or the one it may take: free or expired first, else the least recently
 * used. */
static struct place *find(const struct nonces *t, struct set *set, const uint8_t *id,
                          int64_t now_s)
{
    struct place *best = &set->place[0];

    for (int i = 0; i < WAYS; i++) {
        struct place *p = &set->place[i];

        if (p->issued_s != 0 && memcmp(p->id, id, ID_LEN) == 0)
            return p;
        if (p->issued_s != 0 && now_s - p->issued_s >= t->life_s)
            p->issued_s = p->used_s = 0;
        if (p->used_s < best->used_s)
            best = p;
    }
    return best;
}

/* Marks nc as used in p, if the policy takes it. */
static enum gba_err count(enum gba_naf_nc policy, struct place *p, uint32_t nc)
{
    uint32_t behind;

    if (nc == 0 || (policy == GBA_NAF_NC_STRICT && nc != p->highest + 1))
        return GBA_E_NC;
    if (nc > p->highest) {
        uint32_t ahead = nc - p->highest;

        p->window = ahead < WINDOW_BITS ? p->window << ahead | 1 : 1;
        p->highest = nc;
        return GBA_OK;
    }
    behind = p->highest - nc;
    if (policy != GBA_NAF_NC_WINDOW || behind >= WINDOW_BITS || (p->window >> behind & 1) != 0)
        return GBA_E_NC;
    p->window |= (uint64_t)1 << behind;
    return GBA_OK;
}

static enum gba_err use_locked(struct nonces *t, const uint8_t *id, int64_t issued_s,
                               const uint8_t *user, uint32_t nc, int64_t now_s)
{
    struct set *set;
    struct place *p;
    size_t where = 0;
    enum gba_err err;

    for (int i = 0; i < 4; i++) /* random octets of our own: evenly spread */
        where = where << 8 | id[TIME_LEN + i];
    set = &t->sets[where % t->n_sets];
    p = find(t, set, id, now_s);
    if (p->issued_s == 0 || memcmp(p->id, id, ID_LEN) != 0) {
        struct place fresh = {.issued_s = issued_s, .used_s = now_s};

        if (issued_s <= set->forgotten_s)
            return GBA_E_NONCE_EXPIRED;
        err = count(t->policy, &fresh, nc);
        if (err != GBA_OK)
            return err;
        if (p->issued_s > set->forgotten_s)
            set->forgotten_s = p->issued_s;
        memcpy(fresh.id, id, ID_LEN);
        memcpy(fresh.user, user, USER_LEN);
        *p = fresh;
        return GBA_OK;
    }
    if (memcmp(p->user, user, USER_LEN) != 0)
        return GBA_E_NONCE;
    p->used_s = now_s;
    return count(t->policy, p, nc);
}

enum gba_err nonce_use(struct nonces *t, struct gba_text nonce, struct gba_text user,
                       uint32_t nc, int64_t now_s)
{
    uint8_t octets[NONCE_LEN], hash[32];
    const struct gba_bytes part = gba_text_bytes(user);
    int64_t issued_s;
    enum gba_err err;

    if (!split(nonce, octets, &issued_s))
        return GBA_E_NONCE;
    gba_hash(GBA_SHA256, &part, 1, hash);
    pthread_mutex_lock(&t->lock);
    err = use_locked(t, octets, issued_s, hash, nc, now_s);
    pthread_mutex_unlock(&t->lock);
    return err;
}
