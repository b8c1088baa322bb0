/*
 * The store port in memory: operations in terms of its two halves, challenges and sessions by
 * RAND (memory_runs.c) and subscribers (memory_subscribers.c).  It answers before it returns,
 * keeps nothing over a restart, and wipes what it drops.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/store_memory.h"

#include <stdlib.h>

#include "bsf/memory_runs.h"
#include "bsf/memory_subscribers.h"

struct memory {
    struct store port;
    struct memory_runs *runs;
    struct memory_subscribers *subscribers;
};

static struct memory *self(struct store *s)
{
    return (struct memory *)(void *)s; /* port is the first member */
}

static void answer(store_done *done, void *arg, enum gba_err err)
{
    struct store_result r = {.failures = 0};

    done(arg, err, &r);
}

static void answer_challenge(store_done *done, void *arg, enum gba_err err,
                             struct bsf_challenge *c)
{
    struct store_result r = {.challenge = err == GBA_OK ? c : NULL};

    done(arg, err, &r);
    if (err == GBA_OK)
        bsf_challenge_release(c);
}

static void challenge_put(struct store *s, const struct bsf_challenge *c, int64_t now_ms,
                          store_done *done, void *arg)
{
    answer(done, arg, memory_put(self(s)->runs, c, now_ms));
}

static void challenge_find(struct store *s, const char *username, const char *realm,
                           int64_t window_ms, int64_t now_ms, store_done *done, void *arg)
{
    struct bsf_challenge c;

    answer_challenge(done, arg,
                     memory_find(self(s)->runs, username, realm, window_ms, now_ms, &c), &c);
}

static void challenge_get(struct store *s, const uint8_t rand[static 16], int64_t now_ms,
                          store_done *done, void *arg)
{
    struct bsf_challenge c;

    answer_challenge(done, arg, memory_get(self(s)->runs, rand, now_ms, &c), &c);
}

static void challenge_fail(struct store *s, const uint8_t rand[static 16], bool was_auts,
                           unsigned limit, int64_t now_ms, store_done *done, void *arg)
{
    struct store_result r = {.failures = 0};
    enum gba_err err = memory_fail(self(s)->runs, rand, was_auts, limit, now_ms, &r.failures);

    done(arg, err, &r);
}

static void challenge_claim_auts(struct store *s, const uint8_t rand[static 16], int64_t now_ms,
                                 store_done *done, void *arg)
{
    answer(done, arg, memory_claim_auts(self(s)->runs, rand, now_ms));
}

static void challenge_drop(struct store *s, const uint8_t rand[static 16], int64_t now_ms,
                           store_done *done, void *arg)
{
    (void)now_ms;
    memory_drop(self(s)->runs, rand);
    answer(done, arg, GBA_OK);
}

static void session_open(struct store *s, const struct bsf_session *session,
                         const char *username, int64_t now_ms, store_done *done, void *arg)
{
    uint8_t too_many[STORE_MEMORY_MAX_PER_SUBSCRIBER][16];
    struct memory_room room;
    enum gba_err err;
    size_t n = 0;

    if (!memory_room_take(&room)) {
        answer(done, arg, GBA_E_NOMEM);
        return;
    }
    err = memory_turn(self(s)->runs, session, now_ms);
    if (err == GBA_OK)
        memory_enter(self(s)->subscribers, session, username, now_ms, &room, too_many, &n);
    for (size_t i = 0; i < n; i++)
        memory_drop_session(self(s)->runs, too_many[i]);
    memory_room_return(&room);
    answer(done, arg, err);
}

static void session_get(struct store *s, const char *btid, int64_t now_ms, store_done *done,
                        void *arg)
{
    struct store_result r = {.failures = 0};
    struct bsf_session session;
    struct gba_guss *guss;
    enum gba_err err = memory_session(self(s)->runs, btid, now_ms, &session);

    if (err != GBA_OK) {
        answer(done, arg, err);
        return;
    }
    if (memory_guss(self(s)->subscribers, session.impi, now_ms, &guss) == GBA_OK) {
        gba_guss_unref(session.guss);
        session.guss = guss;
    }
    r.session = &session;
    done(arg, GBA_OK, &r);
    bsf_session_release(&session);
}

static void tmpi_get(struct store *s, const char *tmpi, int64_t now_ms, store_done *done,
                     void *arg)
{
    char impi[GBA_IMPI_SIZE];
    enum gba_err err = memory_tmpi(self(s)->subscribers, tmpi, now_ms, impi);
    struct store_result r = {.impi = err == GBA_OK ? impi : NULL};

    done(arg, err, &r);
}

static void guss_get(struct store *s, const char *impi, int64_t now_ms, store_done *done,
                     void *arg)
{
    struct store_result r = {.guss = NULL};
    enum gba_err err = memory_guss(self(s)->subscribers, impi, now_ms, &r.guss);

    done(arg, r.guss != NULL ? err : GBA_E_NOT_FOUND, &r);
    gba_guss_unref(r.guss);
}

static void guss_put(struct store *s, const char *impi, struct gba_guss *guss, int64_t now_ms,
                     store_done *done, void *arg)
{
    answer(done, arg, memory_set_guss(self(s)->subscribers, impi, guss, now_ms));
}

static void expire(struct store *s, int64_t now_ms)
{
    memory_runs_expire(self(s)->runs, now_ms);
    memory_subscribers_expire(self(s)->subscribers, now_ms);
}

static void stats(struct store *s, struct store_stats *out)
{
    *out = (struct store_stats){0};
    memory_runs_stats(self(s)->runs, out);
    out->subscribers = memory_subscribers_count(self(s)->subscribers);
}

static void close_store(struct store *s)
{
    memory_runs_free(self(s)->runs);
    memory_subscribers_free(self(s)->subscribers);
    free(s);
}

static const struct store operations = {
    .name = "memory",
    .challenge_put = challenge_put,
    .challenge_find = challenge_find,
    .challenge_get = challenge_get,
    .challenge_fail = challenge_fail,
    .challenge_claim_auts = challenge_claim_auts,
    .challenge_drop = challenge_drop,
    .session_open = session_open,
    .session_get = session_get,
    .tmpi_get = tmpi_get,
    .guss_get = guss_get,
    .guss_put = guss_put,
    .expire = expire,
    .stats = stats,
    .close = close_store,
};

enum gba_err store_memory_open(const struct store_memory_config *c, struct store **out)
{
    struct memory *m;

    *out = NULL;
    if (c->challenges == 0 || c->sessions == 0 || c->sessions_per_subscriber == 0 ||
        c->sessions_per_subscriber > STORE_MEMORY_MAX_PER_SUBSCRIBER)
        return GBA_E_ARGUMENT;
    m = calloc(1, sizeof(*m));
    if (m == NULL)
        return GBA_E_NOMEM;
    m->port = operations;
    m->runs = memory_runs_new(c);
    m->subscribers = memory_subscribers_new(c);
    if (m->runs == NULL || m->subscribers == NULL) {
        close_store(&m->port);
        return GBA_E_NOMEM;
    }
    *out = &m->port;
    return GBA_OK;
}
