/*
 * Subscribers by IMPI and TMPIs, in shards with a lock each; no two are ever held at once.  The
 * cap counts over all shards.
 * The TMPI table only says where to look: the subscriber's record says which TMPIs are his.
 * TS 33.220 4.5.2, B.4.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/memory_subscribers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bsf/ages.h"
#include "common/keyed_hash.h"
#include "bsf/memory_runs.h"
#include "bsf/table.h"

struct subscriber {
    struct table_link by_impi;
    struct age age; /* since the last session */
    char impi[GBA_IMPI_SIZE];
    char tmpi[GBA_TMPI_SIZE], previous_tmpi[GBA_TMPI_SIZE];
    int64_t tmpi_until_ms, keep_until_ms;
    struct gba_guss *guss;
    uint8_t rands[STORE_MEMORY_MAX_PER_SUBSCRIBER][16]; /* of his sessions, the oldest first */
    size_t n_rands;
};

struct tmpi {
    struct table_link by_tmpi;
    char tmpi[GBA_TMPI_SIZE], impi[GBA_IMPI_SIZE];
};

struct shard {
    pthread_mutex_t lock;
    struct table subscribers, tmpis;
};

struct memory_subscribers {
    struct store_memory_config c;
    size_t n;
    struct ages ages;
    struct shard *shards;
};

static uint64_t hash_of(const struct memory_subscribers *m, const char *name)
{
    return keyed_hash(m->c.hash_key, gba_text_bytes(gba_text(name)));
}

static struct shard *shard_of(struct memory_subscribers *m, uint64_t hash)
{
    return &m->shards[(hash >> 48) & (m->n - 1)];
}

/* ---- in one locked shard -------------------------------------------------------------- */

static struct subscriber *subscriber_in(const struct shard *s, uint64_t hash, const char *impi)
{
    for (struct table_link *l = table_first(&s->subscribers, hash); l != NULL;
         l = table_next(l)) {
        struct subscriber *u = TABLE_ENTRY(l, struct subscriber, by_impi);

        if (strcmp(u->impi, impi) == 0)
            return u;
    }
    return NULL;
}

static struct tmpi *tmpi_in(const struct shard *s, uint64_t hash, const char *tmpi)
{
    for (struct table_link *l = table_first(&s->tmpis, hash); l != NULL; l = table_next(l)) {
        struct tmpi *t = TABLE_ENTRY(l, struct tmpi, by_tmpi);

        if (strcmp(t->tmpi, tmpi) == 0)
            return t;
    }
    return NULL;
}

/* TMPIs that nobody may use any more, to be taken out of their table without this lock. */
struct retired {
    char tmpi[4][GBA_TMPI_SIZE];
    size_t n;
};

static void retire(struct retired *r, const char *tmpi)
{
    if (tmpi[0] != '\0' && r->n < 4)
        memcpy(r->tmpi[r->n++], tmpi, GBA_TMPI_SIZE);
}

static void drop_subscriber(struct memory_subscribers *m, struct shard *s, struct subscriber *u,
                            struct retired *r)
{
    retire(r, u->tmpi);
    retire(r, u->previous_tmpi);
    ages_remove(&m->ages, &u->age);
    table_remove(&s->subscribers, &u->by_impi);
    gba_guss_unref(u->guss);
    gba_wipe(u, sizeof(*u));
    free(u);
}

static void remove_retired(struct memory_subscribers *m, const struct retired *r)
{
    for (size_t i = 0; i < r->n; i++) {
        uint64_t hash = hash_of(m, r->tmpi[i]);
        struct shard *s = shard_of(m, hash);
        struct tmpi *t;

        pthread_mutex_lock(&s->lock);
        t = tmpi_in(s, hash, r->tmpi[i]);
        if (t != NULL)
            table_remove(&s->tmpis, &t->by_tmpi);
        pthread_mutex_unlock(&s->lock);
        free(t);
    }
}

/* ---- a new session -------------------------------------------------------------------- */

bool memory_room_take(struct memory_room *room)
{
    room->subscriber = calloc(1, sizeof(struct subscriber));
    room->tmpi = calloc(1, sizeof(struct tmpi));
    if (room->subscriber != NULL && room->tmpi != NULL)
        return true;
    memory_room_return(room);
    return false;
}

void memory_room_return(struct memory_room *room)
{
    free(room->subscriber);
    free(room->tmpi);
    *room = (struct memory_room){NULL, NULL};
}

/* The TMPI the UE came with is the one it has if the 200 gets lost; else the newest it may
 * have.  It stays valid until the new one is used. */
static void set_tmpi(struct subscriber *u, const char *tmpi, const char *username,
                     struct retired *r)
{
    if (tmpi[0] == '\0')
        return;
    if (u->previous_tmpi[0] != '\0' && strcmp(username, u->previous_tmpi) == 0) {
        retire(r, u->tmpi);
    } else {
        retire(r, u->previous_tmpi);
        memcpy(u->previous_tmpi, u->tmpi, sizeof(u->previous_tmpi));
    }
    memcpy(u->tmpi, tmpi, sizeof(u->tmpi));
}

static void add_rand(struct subscriber *u, const uint8_t rand[static 16], unsigned most,
                     uint8_t rands[static STORE_MEMORY_MAX_PER_SUBSCRIBER][16], size_t *n)
{
    for (*n = 0; u->n_rands >= most; u->n_rands--) {
        memcpy(rands[(*n)++], u->rands[0], 16);
        memmove(u->rands[0], u->rands[1], (u->n_rands - 1) * 16);
    }
    memcpy(u->rands[u->n_rands++], rand, 16);
}

static struct subscriber *add_subscriber(struct shard *s, uint64_t hash, const char *impi,
                                         struct memory_room *room)
{
    struct subscriber *u = room->subscriber;

    room->subscriber = NULL;
    memcpy(u->impi, impi, strlen(impi) + 1);
    table_add(&s->subscribers, &u->by_impi, hash);
    return u;
}

/* Drops the subscriber that ages_take gave, unless he came again meanwhile. */
static void drop_taken(struct memory_subscribers *m, const struct age *g, uint64_t hash)
{
    struct shard *s = shard_of(m, hash);
    struct retired r = {.n = 0};

    pthread_mutex_lock(&s->lock);
    for (struct table_link *l = table_first(&s->subscribers, hash); l != NULL;
         l = table_next(l)) {
        struct subscriber *u = TABLE_ENTRY(l, struct subscriber, by_impi);

        if (&u->age == g && !ages_in(&m->ages, g)) {
            drop_subscriber(m, s, u, &r);
            break;
        }
    }
    pthread_mutex_unlock(&s->lock);
    remove_retired(m, &r);
}

/* Drops who has not been heard of for long enough, and the longest unheard over the cap.
 * No shard is locked. */
void memory_subscribers_expire(struct memory_subscribers *m, int64_t now_ms)
{
    const struct age *g;
    uint64_t hash;

    while ((g = ages_take(&m->ages, m->c.sessions, now_ms, &hash)) != NULL)
        drop_taken(m, g, hash);
}

static void add_tmpi(struct memory_subscribers *m, const struct bsf_session *s,
                     struct memory_room *room)
{
    struct tmpi *t = room->tmpi;
    uint64_t hash = hash_of(m, s->tmpi);
    struct shard *sh = shard_of(m, hash);

    if (s->tmpi[0] == '\0')
        return;
    room->tmpi = NULL;
    memcpy(t->tmpi, s->tmpi, sizeof(t->tmpi));
    memcpy(t->impi, s->impi, sizeof(t->impi));
    pthread_mutex_lock(&sh->lock);
    table_add(&sh->tmpis, &t->by_tmpi, hash);
    pthread_mutex_unlock(&sh->lock);
}

void memory_enter(struct memory_subscribers *m, const struct bsf_session *s,
                  const char *username, int64_t now_ms, struct memory_room *room,
                  uint8_t rands[static STORE_MEMORY_MAX_PER_SUBSCRIBER][16], size_t *n)
{
    uint64_t hash = hash_of(m, s->impi);
    struct shard *sh = shard_of(m, hash);
    struct retired r = {.n = 0};
    struct gba_guss *old_guss;
    struct subscriber *u;

    add_tmpi(m, s, room);
    pthread_mutex_lock(&sh->lock);
    u = subscriber_in(sh, hash, s->impi);
    if (u == NULL)
        u = add_subscriber(sh, hash, s->impi, room);
    set_tmpi(u, s->tmpi, username, &r);
    old_guss = u->guss;
    u->guss = s->guss != NULL ? gba_guss_ref(s->guss) : NULL;
    add_rand(u, s->rand, m->c.sessions_per_subscriber, rands, n);
    if (s->tmpi[0] != '\0')
        u->tmpi_until_ms = now_ms + m->c.tmpi_lifetime_ms;
    u->keep_until_ms = s->expires_s * 1000;
    if (u->keep_until_ms < u->tmpi_until_ms)
        u->keep_until_ms = u->tmpi_until_ms;
    ages_add(&m->ages, &u->age, hash, u->keep_until_ms);
    pthread_mutex_unlock(&sh->lock);
    gba_guss_unref(old_guss);
    remove_retired(m, &r);
    memory_subscribers_expire(m, now_ms);
}

/* ---- look-ups ------------------------------------------------------------------------- */

static bool impi_of_tmpi(struct memory_subscribers *m, const char *tmpi,
                         char impi[static GBA_IMPI_SIZE])
{
    uint64_t hash = hash_of(m, tmpi);
    struct shard *s = shard_of(m, hash);
    const struct tmpi *t;

    pthread_mutex_lock(&s->lock);
    t = tmpi_in(s, hash, tmpi);
    if (t != NULL)
        memcpy(impi, t->impi, GBA_IMPI_SIZE);
    pthread_mutex_unlock(&s->lock);
    return t != NULL;
}

enum gba_err memory_tmpi(struct memory_subscribers *m, const char *tmpi, int64_t now_ms,
                         char impi[static GBA_IMPI_SIZE])
{
    struct retired r = {.n = 0};
    enum gba_err err = GBA_E_NOT_FOUND;
    struct subscriber *u;
    struct shard *s;
    uint64_t hash;

    if (!impi_of_tmpi(m, tmpi, impi))
        return GBA_E_NOT_FOUND;
    hash = hash_of(m, impi);
    s = shard_of(m, hash);
    pthread_mutex_lock(&s->lock);
    u = subscriber_in(s, hash, impi);
    if (u != NULL && u->tmpi_until_ms > now_ms) {
        if (strcmp(u->tmpi, tmpi) == 0) {
            err = GBA_OK; /* the new one is used: the one before ends */
            retire(&r, u->previous_tmpi);
            u->previous_tmpi[0] = '\0';
        } else if (strcmp(u->previous_tmpi, tmpi) == 0) {
            err = GBA_OK;
        }
    }
    pthread_mutex_unlock(&s->lock);
    remove_retired(m, &r);
    return err;
}

enum gba_err memory_guss(struct memory_subscribers *m, const char *impi, int64_t now_ms,
                         struct gba_guss **guss)
{
    uint64_t hash = hash_of(m, impi);
    struct shard *s = shard_of(m, hash);
    const struct subscriber *u;

    *guss = NULL;
    pthread_mutex_lock(&s->lock);
    u = subscriber_in(s, hash, impi);
    if (u != NULL && u->keep_until_ms <= now_ms)
        u = NULL;
    if (u != NULL && u->guss != NULL)
        *guss = gba_guss_ref(u->guss);
    pthread_mutex_unlock(&s->lock);
    return u != NULL ? GBA_OK : GBA_E_NOT_FOUND;
}

enum gba_err memory_set_guss(struct memory_subscribers *m, const char *impi,
                             struct gba_guss *guss, int64_t now_ms)
{
    uint64_t hash = hash_of(m, impi);
    struct shard *s = shard_of(m, hash);
    struct gba_guss *old = NULL;
    struct subscriber *u;

    pthread_mutex_lock(&s->lock);
    u = subscriber_in(s, hash, impi);
    if (u != NULL && u->keep_until_ms <= now_ms)
        u = NULL;
    if (u != NULL) {
        old = u->guss;
        u->guss = guss != NULL ? gba_guss_ref(guss) : NULL;
    }
    pthread_mutex_unlock(&s->lock);
    gba_guss_unref(old);
    return u != NULL ? GBA_OK : GBA_E_NOT_FOUND;
}

/* ---- the whole ------------------------------------------------------------------------ */

uint64_t memory_subscribers_count(struct memory_subscribers *m)
{
    uint64_t n = 0;

    for (size_t i = 0; i < m->n; i++) {
        pthread_mutex_lock(&m->shards[i].lock);
        n += m->shards[i].subscribers.n;
        pthread_mutex_unlock(&m->shards[i].lock);
    }
    return n;
}

struct memory_subscribers *memory_subscribers_new(const struct store_memory_config *c)
{
    struct memory_subscribers *m = calloc(1, sizeof(*m));
    bool ok;

    if (m == NULL)
        return NULL;
    m->c = *c;
    m->n = memory_n_shards(c->sessions);
    ages_init(&m->ages);
    m->shards = calloc(m->n, sizeof(*m->shards));
    ok = m->shards != NULL;
    for (size_t i = 0; m->shards != NULL && i < m->n; i++) {
        pthread_mutex_init(&m->shards[i].lock, NULL);
        ok = table_init(&m->shards[i].subscribers) && table_init(&m->shards[i].tmpis) && ok;
    }
    if (ok)
        return m;
    memory_subscribers_free(m);
    return NULL;
}

static void free_tmpis(struct shard *s)
{
    for (size_t i = 0; s->tmpis.slots != NULL && i < s->tmpis.n_slots; i++)
        for (struct table_link *l = s->tmpis.slots[i], *next; l != NULL; l = next) {
            next = l->next;
            free(TABLE_ENTRY(l, struct tmpi, by_tmpi));
        }
}

void memory_subscribers_free(struct memory_subscribers *m)
{
    if (m == NULL)
        return;
    if (m->shards != NULL)
        memory_subscribers_expire(m, INT64_MAX);
    for (size_t i = 0; m->shards != NULL && i < m->n; i++) {
        struct shard *s = &m->shards[i];

        free_tmpis(s);
        table_free(&s->subscribers);
        table_free(&s->tmpis);
        pthread_mutex_destroy(&s->lock);
    }
    ages_destroy(&m->ages);
    free(m->shards);
    free(m);
}
