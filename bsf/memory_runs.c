/*
 * Challenges and sessions by RAND, in shards with a lock each; a second index finds challenges
 * by username.  The caps count over all shards.  Challenge and session of one RAND lie in one
 * shard, so that one lock makes the turn from one into the other, and the refusal of a repeated
 * RAND, atomic. Lock order: shard, then index or ages; two shards are never held at once.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/memory_runs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bsf/ages.h"
#include "common/keyed_hash.h"
#include "bsf/table.h"

struct challenge {
    struct table_link by_rand, by_name;
    struct age age;
    struct bsf_challenge c;
};

struct session {
    struct table_link by_rand;
    struct bsf_session s;
};

struct shard {
    pthread_mutex_t lock;
    struct table challenges, sessions;
    int64_t first_expiry_s; /* no session here expires before */
};

struct index {
    pthread_mutex_t lock;
    struct table names;
};

struct memory_runs {
    struct store_memory_config c;
    size_t n;                    /* shards and indexes; a power of two */
    struct ages ages;            /* of all challenges */
    _Atomic uint64_t n_sessions; /* in all shards, with those about to be opened */
    struct shard *shards;
    struct index *indexes;
};

size_t memory_n_shards(size_t cap)
{
    size_t n = 1;

    while (n < 64 && n * 512 <= cap)
        n *= 2;
    return n;
}

/* ---- keys ----------------------------------------------------------------------------- */

static uint64_t hash_rand(const struct memory_runs *m, const uint8_t rand[static 16])
{
    return keyed_hash(m->c.hash_key, (struct gba_bytes){rand, 16});
}

static uint64_t hash_name(const struct memory_runs *m, const char *username)
{
    return keyed_hash(m->c.hash_key, gba_text_bytes(gba_text(username)));
}

/* The low bits choose the slot in a table, the high ones the shard. */
static struct shard *shard_of(struct memory_runs *m, uint64_t hash)
{
    return &m->shards[(hash >> 48) & (m->n - 1)];
}

static struct index *index_of(struct memory_runs *m, uint64_t hash)
{
    return &m->indexes[(hash >> 48) & (m->n - 1)];
}

static struct challenge *challenge_in(const struct shard *s, uint64_t hash,
                                      const uint8_t rand[static 16])
{
    for (struct table_link *l = table_first(&s->challenges, hash); l != NULL;
         l = table_next(l)) {
        struct challenge *ch = TABLE_ENTRY(l, struct challenge, by_rand);

        if (gba_equal_ct(ch->c.rand, rand, 16))
            return ch;
    }
    return NULL;
}

static struct session *session_in(const struct shard *s, uint64_t hash,
                                  const uint8_t rand[static 16])
{
    for (struct table_link *l = table_first(&s->sessions, hash); l != NULL; l = table_next(l)) {
        struct session *se = TABLE_ENTRY(l, struct session, by_rand);

        if (gba_equal_ct(se->s.rand, rand, 16))
            return se;
    }
    return NULL;
}

/* ---- drops (the shard is locked) ------------------------------------------------------ */

static void drop_challenge(struct memory_runs *m, struct shard *s, struct challenge *ch)
{
    struct index *x = index_of(m, ch->by_name.hash);

    table_remove(&s->challenges, &ch->by_rand);
    ages_remove(&m->ages, &ch->age);
    pthread_mutex_lock(&x->lock);
    table_remove(&x->names, &ch->by_name);
    pthread_mutex_unlock(&x->lock);
    bsf_challenge_release(&ch->c);
    free(ch);
}

static void drop_session(struct memory_runs *m, struct shard *s, struct session *se)
{
    table_remove(&s->sessions, &se->by_rand);
    atomic_fetch_sub(&m->n_sessions, 1);
    bsf_session_release(&se->s);
    free(se);
}

static bool session_expired(const struct session *se, int64_t now_ms)
{
    return se->s.expires_s * 1000 <= now_ms;
}

static void expire_sessions_in(struct memory_runs *m, struct shard *s, int64_t now_ms)
{
    int64_t first = INT64_MAX;

    if (s->first_expiry_s > now_ms / 1000)
        return;
    for (size_t i = 0; i < s->sessions.n_slots; i++)
        for (struct table_link *l = s->sessions.slots[i], *next; l != NULL; l = next) {
            struct session *se = TABLE_ENTRY(l, struct session, by_rand);

            next = l->next;
            if (session_expired(se, now_ms))
                drop_session(m, s, se);
            else if (se->s.expires_s < first)
                first = se->s.expires_s;
        }
    s->first_expiry_s = first;
}

/* No shard is locked. */
static void expire_sessions(struct memory_runs *m, int64_t now_ms)
{
    for (size_t i = 0; i < m->n; i++) {
        pthread_mutex_lock(&m->shards[i].lock);
        expire_sessions_in(m, &m->shards[i], now_ms);
        pthread_mutex_unlock(&m->shards[i].lock);
    }
}

static bool take_session_room(struct memory_runs *m)
{
    if (atomic_fetch_add(&m->n_sessions, 1) < m->c.sessions)
        return true;
    atomic_fetch_sub(&m->n_sessions, 1);
    return false;
}

/* ---- challenges ----------------------------------------------------------------------- */

static void append(struct memory_runs *m, struct shard *s, struct challenge *ch, uint64_t hash)
{
    uint64_t name = hash_name(m, ch->c.username);
    struct index *x = index_of(m, name);

    ages_add(&m->ages, &ch->age, hash, ch->c.expires_ms);
    table_add(&s->challenges, &ch->by_rand, hash);
    pthread_mutex_lock(&x->lock);
    table_add(&x->names, &ch->by_name, name);
    pthread_mutex_unlock(&x->lock);
}

/* Drops what has expired, and the oldest over the cap.  No shard is locked. */
static void shed(struct memory_runs *m, int64_t now_ms)
{
    const struct age *g;
    uint64_t hash;

    while ((g = ages_take(&m->ages, m->c.challenges, now_ms, &hash)) != NULL) {
        struct shard *s = shard_of(m, hash);

        pthread_mutex_lock(&s->lock);
        for (struct table_link *l = table_first(&s->challenges, hash); l != NULL;
             l = table_next(l)) {
            struct challenge *ch = TABLE_ENTRY(l, struct challenge, by_rand);

            if (&ch->age == g && !ages_in(&m->ages, g)) {
                drop_challenge(m, s, ch);
                break;
            }
        }
        pthread_mutex_unlock(&s->lock);
    }
}

/* Makes room for a RAND whose last user has expired. */
static bool rand_is_free(struct memory_runs *m, struct shard *s, uint64_t hash,
                         const uint8_t rand[static 16], int64_t now_ms)
{
    struct challenge *ch = challenge_in(s, hash, rand);
    struct session *se = session_in(s, hash, rand);

    if (ch != NULL && ch->c.expires_ms <= now_ms) {
        drop_challenge(m, s, ch);
        ch = NULL;
    }
    if (se != NULL && session_expired(se, now_ms)) {
        drop_session(m, s, se);
        se = NULL;
    }
    return ch == NULL && se == NULL;
}

enum gba_err memory_put(struct memory_runs *m, const struct bsf_challenge *c, int64_t now_ms)
{
    uint64_t hash = hash_rand(m, c->rand);
    struct shard *s = shard_of(m, hash);
    struct challenge *ch = calloc(1, sizeof(*ch));
    enum gba_err err = GBA_OK;

    if (ch == NULL)
        return GBA_E_NOMEM;
    bsf_challenge_copy(&ch->c, c);
    pthread_mutex_lock(&s->lock);
    if (rand_is_free(m, s, hash, c->rand, now_ms))
        append(m, s, ch, hash);
    else
        err = GBA_E_RAND_REUSED;
    pthread_mutex_unlock(&s->lock);
    if (err == GBA_OK)
        shed(m, now_ms);
    if (err != GBA_OK) {
        bsf_challenge_release(&ch->c);
        free(ch);
    }
    return err;
}

/* The live challenge with this RAND. */
static enum gba_err live(const struct shard *s, uint64_t hash, const uint8_t rand[static 16],
                         int64_t now_ms, struct challenge **out)
{
    *out = challenge_in(s, hash, rand);
    if (*out == NULL)
        return GBA_E_NONCE;
    return (*out)->c.expires_ms > now_ms ? GBA_OK : GBA_E_NONCE_EXPIRED;
}

enum gba_err memory_get(struct memory_runs *m, const uint8_t rand[static 16], int64_t now_ms,
                        struct bsf_challenge *out)
{
    uint64_t hash = hash_rand(m, rand);
    struct shard *s = shard_of(m, hash);
    struct challenge *ch;
    enum gba_err err;

    pthread_mutex_lock(&s->lock);
    err = live(s, hash, rand, now_ms, &ch);
    if (err == GBA_OK)
        bsf_challenge_copy(out, &ch->c);
    pthread_mutex_unlock(&s->lock);
    return err;
}

static bool rand_of_name(struct memory_runs *m, const char *username, const char *realm,
                         uint8_t rand[static 16])
{
    uint64_t hash = hash_name(m, username);
    struct index *x = index_of(m, hash);
    bool found = false;

    pthread_mutex_lock(&x->lock);
    for (struct table_link *l = table_first(&x->names, hash); l != NULL && !found;
         l = table_next(l)) {
        const struct challenge *ch = TABLE_ENTRY(l, struct challenge, by_name);

        found = strcmp(ch->c.username, username) == 0 && strcmp(ch->c.realm, realm) == 0;
        if (found)
            memcpy(rand, ch->c.rand, 16);
    }
    pthread_mutex_unlock(&x->lock);
    return found;
}

enum gba_err memory_find(struct memory_runs *m, const char *username, const char *realm,
                         int64_t window_ms, int64_t now_ms, struct bsf_challenge *out)
{
    uint8_t rand[16];

    if (!rand_of_name(m, username, realm, rand) || memory_get(m, rand, now_ms, out) != GBA_OK)
        return GBA_E_NOT_FOUND;
    /* Between the two looks the RAND may have gone to somebody else. */
    if (strcmp(out->username, username) == 0 && strcmp(out->realm, realm) == 0 &&
        out->failures == 0 && !out->auts_used && !out->resynced &&
        now_ms - out->created_ms < window_ms)
        return GBA_OK;
    bsf_challenge_release(out);
    return GBA_E_NOT_FOUND;
}

enum gba_err memory_fail(struct memory_runs *m, const uint8_t rand[static 16], bool was_auts,
                         unsigned limit, int64_t now_ms, unsigned *failures)
{
    uint64_t hash = hash_rand(m, rand);
    struct shard *s = shard_of(m, hash);
    struct challenge *ch;
    enum gba_err err;

    *failures = 0;
    pthread_mutex_lock(&s->lock);
    err = live(s, hash, rand, now_ms, &ch);
    if (err == GBA_OK) {
        *failures = ++ch->c.failures;
        if (was_auts)
            ch->c.auts_used = false;
        if (ch->c.failures >= limit)
            drop_challenge(m, s, ch);
    }
    pthread_mutex_unlock(&s->lock);
    return err;
}

enum gba_err memory_claim_auts(struct memory_runs *m, const uint8_t rand[static 16],
                               int64_t now_ms)
{
    uint64_t hash = hash_rand(m, rand);
    struct shard *s = shard_of(m, hash);
    struct challenge *ch;
    enum gba_err err;

    pthread_mutex_lock(&s->lock);
    err = live(s, hash, rand, now_ms, &ch);
    if (err == GBA_OK && (ch->c.auts_used || ch->c.resynced))
        err = GBA_E_SECOND_AUTS;
    if (err == GBA_OK)
        ch->c.auts_used = true;
    pthread_mutex_unlock(&s->lock);
    return err;
}

void memory_drop(struct memory_runs *m, const uint8_t rand[static 16])
{
    uint64_t hash = hash_rand(m, rand);
    struct shard *s = shard_of(m, hash);
    struct challenge *ch;

    pthread_mutex_lock(&s->lock);
    ch = challenge_in(s, hash, rand);
    if (ch != NULL)
        drop_challenge(m, s, ch);
    pthread_mutex_unlock(&s->lock);
}

/* ---- sessions ------------------------------------------------------------------------- */

enum gba_err memory_turn(struct memory_runs *m, const struct bsf_session *session,
                         int64_t now_ms)
{
    uint64_t hash = hash_rand(m, session->rand);
    struct shard *s = shard_of(m, hash);
    struct session *se = calloc(1, sizeof(*se));
    struct challenge *ch;
    enum gba_err err;
    bool room;

    if (se == NULL)
        return GBA_E_NOMEM;
    room = take_session_room(m);
    if (!room) {
        expire_sessions(m, now_ms);
        room = take_session_room(m);
    }
    pthread_mutex_lock(&s->lock);
    err = live(s, hash, session->rand, now_ms, &ch);
    if (err == GBA_OK && !room)
        err = GBA_E_OVERLOAD;
    if (err == GBA_OK) {
        bsf_session_copy(&se->s, session);
        table_add(&s->sessions, &se->by_rand, hash);
        if (session->expires_s < s->first_expiry_s)
            s->first_expiry_s = session->expires_s;
        drop_challenge(m, s, ch);
    }
    pthread_mutex_unlock(&s->lock);
    if (err != GBA_OK) {
        if (room)
            atomic_fetch_sub(&m->n_sessions, 1);
        free(se);
    }
    return err;
}

enum gba_err memory_session(struct memory_runs *m, const char *btid, int64_t now_ms,
                            struct bsf_session *out)
{
    struct gba_text domain;
    uint8_t rand[16];
    struct session *se;
    struct shard *s;
    uint64_t hash;
    bool found;

    if (gba_btid_parse(gba_text(btid), rand, &domain) != GBA_OK)
        return GBA_E_BTID;
    hash = hash_rand(m, rand);
    s = shard_of(m, hash);
    pthread_mutex_lock(&s->lock);
    se = session_in(s, hash, rand);
    found = se != NULL && !session_expired(se, now_ms) && strcmp(se->s.btid, btid) == 0;
    if (found)
        bsf_session_copy(out, &se->s);
    pthread_mutex_unlock(&s->lock);
    return found ? GBA_OK : GBA_E_BTID;
}

void memory_drop_session(struct memory_runs *m, const uint8_t rand[static 16])
{
    uint64_t hash = hash_rand(m, rand);
    struct shard *s = shard_of(m, hash);
    struct session *se;

    pthread_mutex_lock(&s->lock);
    se = session_in(s, hash, rand);
    if (se != NULL)
        drop_session(m, s, se);
    pthread_mutex_unlock(&s->lock);
}

/* ---- the whole ------------------------------------------------------------------------ */

void memory_runs_expire(struct memory_runs *m, int64_t now_ms)
{
    shed(m, now_ms);
    expire_sessions(m, now_ms);
}

void memory_runs_stats(struct memory_runs *m, struct store_stats *out)
{
    for (size_t i = 0; i < m->n; i++) {
        struct shard *s = &m->shards[i];

        pthread_mutex_lock(&s->lock);
        out->challenges += s->challenges.n;
        out->sessions += s->sessions.n;
        pthread_mutex_unlock(&s->lock);
    }
    out->challenges_evicted += ages_evicted(&m->ages);
}

static bool init(struct memory_runs *m)
{
    size_t smaller = m->c.challenges < m->c.sessions ? m->c.challenges : m->c.sessions;
    bool ok = true;

    m->n = memory_n_shards(smaller);
    m->shards = calloc(m->n, sizeof(*m->shards));
    m->indexes = calloc(m->n, sizeof(*m->indexes));
    if (m->shards == NULL || m->indexes == NULL)
        return false;
    for (size_t i = 0; i < m->n; i++) {
        pthread_mutex_init(&m->shards[i].lock, NULL);
        pthread_mutex_init(&m->indexes[i].lock, NULL);
        ok = table_init(&m->shards[i].challenges) && table_init(&m->shards[i].sessions) &&
             table_init(&m->indexes[i].names) && ok;
    }
    return ok;
}

struct memory_runs *memory_runs_new(const struct store_memory_config *c)
{
    struct memory_runs *m = calloc(1, sizeof(*m));

    if (m == NULL)
        return NULL;
    m->c = *c;
    ages_init(&m->ages);
    if (init(m))
        return m;
    memory_runs_free(m);
    return NULL;
}

void memory_runs_free(struct memory_runs *m)
{
    if (m == NULL)
        return;
    if (m->shards != NULL && m->indexes != NULL)
        shed(m, INT64_MAX);
    for (size_t i = 0; m->shards != NULL && m->indexes != NULL && i < m->n; i++) {
        struct shard *s = &m->shards[i];

        if (s->sessions.slots != NULL)
            expire_sessions_in(m, s, INT64_MAX);
        table_free(&s->challenges);
        table_free(&s->sessions);
        pthread_mutex_destroy(&s->lock);
    }
    for (size_t i = 0; m->shards != NULL && m->indexes != NULL && i < m->n; i++) {
        table_free(&m->indexes[i].names);
        pthread_mutex_destroy(&m->indexes[i].lock);
    }
    ages_destroy(&m->ages);
    free(m->shards);
    free(m->indexes);
    free(m);
}
