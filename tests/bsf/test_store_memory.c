/*
 * bsf/store_memory.c: caps, ages, shards, what stays of a subscriber; threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "bsf/store_memory.h"
#include "common/secret.h"

#define BSF "bsf.home1.net"

static struct store *store;

static void open_store(size_t challenges, size_t sessions, unsigned per_subscriber)
{
    struct store_memory_config c = {.challenges = challenges,
                                    .sessions = sessions,
                                    .sessions_per_subscriber = per_subscriber,
                                    .tmpi_lifetime_ms = 1000000};

    CU_ASSERT_EQUAL_FATAL(store_memory_open(&c, &store), GBA_OK);
}

/* ---- results -------------------------------------------------------------------------- */

struct result {
    unsigned calls;
    enum gba_err err;
    struct bsf_challenge challenge;
    struct bsf_session session;
    char impi[GBA_IMPI_SIZE];
    struct gba_guss *guss;
    unsigned failures;
};

static void note(void *arg, enum gba_err err, const struct store_result *r)
{
    struct result *out = arg;

    out->calls++;
    out->err = err;
    if (r->challenge != NULL)
        out->challenge = *r->challenge;
    if (r->session != NULL)
        out->session = *r->session;
    if (r->impi != NULL)
        snprintf(out->impi, sizeof(out->impi), "%s", r->impi);
    out->guss = r->guss;
    out->failures = r->failures;
}

static struct bsf_challenge challenge(uint32_t i, const char *username, int64_t now)
{
    struct bsf_challenge c;

    memset(&c, 0, sizeof(c));
    memcpy(c.rand, &i, sizeof(i));
    snprintf(c.username, sizeof(c.username), "%s", username);
    snprintf(c.impi, sizeof(c.impi), "%s", username);
    strcpy(c.realm, BSF);
    c.created_ms = now;
    c.expires_ms = now + 1000;
    return c;
}

static enum gba_err put(uint32_t i, const char *username, int64_t now)
{
    struct bsf_challenge c = challenge(i, username, now);
    struct result r = {0};

    store->challenge_put(store, &c, now, note, &r);
    CU_ASSERT_EQUAL(r.calls, 1);
    return r.err;
}

static enum gba_err get(uint32_t i, int64_t now)
{
    uint8_t rand[16] = {0};
    struct result r = {0};

    memcpy(rand, &i, sizeof(i));
    store->challenge_get(store, rand, now, note, &r);
    CU_ASSERT_EQUAL(r.calls, 1);
    return r.err;
}

static struct bsf_session session_of(uint32_t i, const char *impi, const char *tmpi,
                                     int64_t expires_s)
{
    struct bsf_session s;

    memset(&s, 0, sizeof(s));
    memcpy(s.rand, &i, sizeof(i));
    snprintf(s.impi, sizeof(s.impi), "%s", impi);
    snprintf(s.tmpi, sizeof(s.tmpi), "%s", tmpi);
    CU_ASSERT_EQUAL_FATAL(gba_btid_make(s.rand, GBA_TEXT(BSF), s.btid), GBA_OK);
    s.expires_s = expires_s;
    return s;
}

static enum gba_err open_session(const struct bsf_session *s, const char *username, int64_t now)
{
    struct result r = {0};

    store->session_open(store, s, username, now, note, &r);
    CU_ASSERT_EQUAL(r.calls, 1);
    return r.err;
}

static enum gba_err bootstrap(uint32_t i, const char *impi, const char *tmpi, int64_t now,
                              int64_t expires_s)
{
    struct bsf_session s = session_of(i, impi, tmpi, expires_s);

    CU_ASSERT_EQUAL(put(i, impi, now), GBA_OK);
    return open_session(&s, impi, now);
}

static enum gba_err session_get(uint32_t i, int64_t now)
{
    struct bsf_session s = session_of(i, "x", "", 0);
    struct result r = {0};

    store->session_get(store, s.btid, now, note, &r);
    return r.err;
}

static struct store_stats stats(void)
{
    struct store_stats st;

    store->stats(store, &st);
    return st;
}

/* ---- challenges ----------------------------------------------------------------------- */

static void test_oldest_challenge_makes_room(void)
{
    open_store(3, 10, 2);
    for (uint32_t i = 1; i <= 5; i++)
        CU_ASSERT_EQUAL(put(i, "a@b", i), GBA_OK);
    CU_ASSERT_EQUAL(stats().challenges, 3);
    CU_ASSERT_EQUAL(stats().challenges_evicted, 2);
    CU_ASSERT_EQUAL(get(2, 5), GBA_E_NONCE);
    for (uint32_t i = 3; i <= 5; i++)
        CU_ASSERT_EQUAL(get(i, 5), GBA_OK);
    store->close(store);
}

/* However the keys fall on the shards: none is lost below the cap, and above it the oldest. */
static void test_cap_over_shards(void)
{
    enum { CAP = 32768 };
    uint32_t lost = 0;

    open_store(CAP, CAP, 2);
    for (uint32_t i = 1; i <= CAP; i++)
        if (put(i, "a@b", 1) != GBA_OK)
            lost++;
    CU_ASSERT_EQUAL(stats().challenges, CAP);
    CU_ASSERT_EQUAL(stats().challenges_evicted, 0);
    for (uint32_t i = 1; i <= 100; i++) {
        lost += put(CAP + i, "a@b", 1) != GBA_OK;
        lost += get(i, 1) != GBA_E_NONCE || get(i + 1, 1) != GBA_OK;
    }
    CU_ASSERT_EQUAL(lost, 0);
    CU_ASSERT_EQUAL(stats().challenges, CAP);
    CU_ASSERT_EQUAL(stats().challenges_evicted, 100);
    store->expire(store, 1001);
    CU_ASSERT_EQUAL(stats().challenges, 0);
    CU_ASSERT_EQUAL(stats().challenges_evicted, 100);
    store->close(store);
}

static void test_challenge_ages(void)
{
    open_store(10, 10, 2);
    CU_ASSERT_EQUAL(put(1, "a@b", 100), GBA_OK);
    CU_ASSERT_EQUAL(get(1, 1099), GBA_OK);
    CU_ASSERT_EQUAL(get(1, 1100), GBA_E_NONCE_EXPIRED);
    CU_ASSERT_EQUAL(put(1, "c@d", 1099), GBA_E_RAND_REUSED);
    CU_ASSERT_EQUAL(put(1, "c@d", 1100), GBA_OK); /* its last user has expired */
    store->expire(store, 1100);
    CU_ASSERT_EQUAL(stats().challenges, 1);
    store->close(store);
}

static void test_find(void)
{
    struct result r = {0};
    uint8_t rand[16] = {2};

    open_store(10, 10, 2);
    put(1, "a@b", 100);
    put(2, "a@b", 200);
    store->challenge_find(store, "a@b", BSF, 500, 600, note, &r);
    CU_ASSERT_EQUAL(r.err, GBA_OK);
    CU_ASSERT_EQUAL(r.challenge.rand[0], 2); /* the newest */
    store->challenge_find(store, "a@b", "other." BSF, 500, 600, note, &r);
    CU_ASSERT_EQUAL(r.err, GBA_E_NOT_FOUND);
    store->challenge_find(store, "A@b", BSF, 500, 600, note, &r);
    CU_ASSERT_EQUAL(r.err, GBA_E_NOT_FOUND);
    store->challenge_find(store, "a@b", BSF, 400, 600, note, &r);
    CU_ASSERT_EQUAL(r.err, GBA_E_NOT_FOUND); /* the window is over */
    store->challenge_claim_auts(store, rand, 300, note, &r);
    CU_ASSERT_EQUAL(r.err, GBA_OK);
    store->challenge_claim_auts(store, rand, 300, note, &r);
    CU_ASSERT_EQUAL(r.err, GBA_E_SECOND_AUTS);
    store->challenge_find(store, "a@b", BSF, 500, 600, note, &r);
    CU_ASSERT_EQUAL(r.err, GBA_E_NOT_FOUND); /* it was answered */
    store->challenge_fail(store, rand, false, 5, 300, note, &r);
    store->challenge_claim_auts(store, rand, 300, note, &r);
    CU_ASSERT_EQUAL(r.err, GBA_E_SECOND_AUTS);
    store->challenge_fail(store, rand, true, 5, 300, note, &r);
    CU_ASSERT_EQUAL(r.failures, 2);
    store->challenge_claim_auts(store, rand, 300, note, &r);
    CU_ASSERT_EQUAL(r.err, GBA_OK);
    store->close(store);
}

static void test_failures_use_up(void)
{
    struct result r = {0};
    uint8_t rand[16] = {1};

    open_store(10, 10, 2);
    put(1, "a@b", 0);
    for (unsigned i = 1; i <= 3; i++) {
        store->challenge_fail(store, rand, false, 3, 1, note, &r);
        CU_ASSERT_EQUAL(r.err, GBA_OK);
        CU_ASSERT_EQUAL(r.failures, i);
    }
    store->challenge_fail(store, rand, false, 3, 1, note, &r);
    CU_ASSERT_EQUAL(r.err, GBA_E_NONCE);
    CU_ASSERT_EQUAL(stats().challenges, 0);
    store->challenge_drop(store, rand, 1, note, &r);
    CU_ASSERT_EQUAL(r.err, GBA_OK);
    store->close(store);
}

/* ---- sessions ------------------------------------------------------------------------- */

static void test_newest_sessions_stay(void)
{
    open_store(100, 100, 2);
    for (uint32_t i = 1; i <= 4; i++)
        CU_ASSERT_EQUAL(bootstrap(i, "a@b", "", 0, 100), GBA_OK);
    CU_ASSERT_EQUAL(session_get(1, 1), GBA_E_BTID);
    CU_ASSERT_EQUAL(session_get(2, 1), GBA_E_BTID);
    CU_ASSERT_EQUAL(session_get(3, 1), GBA_OK);
    CU_ASSERT_EQUAL(session_get(4, 1), GBA_OK);
    CU_ASSERT_EQUAL(stats().sessions, 2);
    CU_ASSERT_EQUAL(stats().subscribers, 1);
    CU_ASSERT_EQUAL(session_get(4, 100000), GBA_E_BTID);
    store->expire(store, 100000);
    CU_ASSERT_EQUAL(stats().sessions, 0);
    CU_ASSERT_EQUAL(stats().subscribers, 0);
    store->close(store);
}

static void test_cap_of_sessions(void)
{
    open_store(100, 3, 2);
    CU_ASSERT_EQUAL(bootstrap(1, "a@b", "", 0, 100), GBA_OK);
    CU_ASSERT_EQUAL(bootstrap(2, "c@d", "", 0, 50), GBA_OK);
    CU_ASSERT_EQUAL(bootstrap(3, "e@f", "", 0, 100), GBA_OK);
    CU_ASSERT_EQUAL(bootstrap(4, "g@h", "", 0, 100), GBA_E_OVERLOAD);
    CU_ASSERT_EQUAL(stats().sessions, 3);
    CU_ASSERT_EQUAL(get(4, 1), GBA_OK);                           /* the challenge stays */
    CU_ASSERT_EQUAL(bootstrap(5, "g@h", "", 50000, 100), GBA_OK); /* one has expired */
    store->close(store);
}

static void test_open_consumes(void)
{
    struct bsf_session s = session_of(1, "a@b", "", 100);

    open_store(10, 10, 2);
    CU_ASSERT_EQUAL(open_session(&s, "a@b", 0), GBA_E_NONCE);
    CU_ASSERT_EQUAL(stats().sessions, 0);
    CU_ASSERT_EQUAL(stats().subscribers, 0);
    put(1, "a@b", 0);
    CU_ASSERT_EQUAL(open_session(&s, "a@b", 0), GBA_OK);
    CU_ASSERT_EQUAL(open_session(&s, "a@b", 0), GBA_E_NONCE);
    CU_ASSERT_EQUAL(put(1, "c@d", 1), GBA_E_RAND_REUSED);
    store->close(store);
}

static void test_btid_forms(void)
{
    static const char *const bad[] = {"",
                                      "@",
                                      "x@" BSF,
                                      "AQAAAAAAAAAAAAAAAAAAAA==",
                                      "AQAAAAAAAAAAAAAAAAAAAA==@other." BSF,
                                      "AQAAAAAAAAAAAAAAAAAAAA==@" BSF "x"};
    struct result r = {0};

    open_store(10, 10, 2);
    CU_ASSERT_EQUAL(bootstrap(1, "a@b", "", 0, 100), GBA_OK);
    CU_ASSERT_EQUAL(session_get(1, 1), GBA_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        store->session_get(store, bad[i], 1, note, &r);
        CU_ASSERT_EQUAL(r.err, GBA_E_BTID);
    }
    store->close(store);
}

/* ---- subscribers ---------------------------------------------------------------------- */

static enum gba_err tmpi(const char *name, struct result *r)
{
    store->tmpi_get(store, name, 1, note, r);
    return r->err;
}

static void test_tmpis(void)
{
    struct bsf_session s;
    struct result r = {0};

    open_store(100, 100, 2);
    CU_ASSERT_EQUAL(bootstrap(1, "a@b", "t1", 0, 100), GBA_OK);
    CU_ASSERT_EQUAL(tmpi("t1", &r), GBA_OK);
    CU_ASSERT_STRING_EQUAL(r.impi, "a@b");
    /* a run with the IMPI: t1 stays until t2 is used */
    CU_ASSERT_EQUAL(bootstrap(2, "a@b", "t2", 0, 100), GBA_OK);
    CU_ASSERT_EQUAL(tmpi("t1", &r), GBA_OK);
    CU_ASSERT_EQUAL(tmpi("t2", &r), GBA_OK);
    CU_ASSERT_EQUAL(tmpi("t1", &r), GBA_E_NOT_FOUND);
    /* a run of a UE without TMPIs changes nothing */
    CU_ASSERT_EQUAL(bootstrap(3, "a@b", "", 0, 100), GBA_OK);
    CU_ASSERT_EQUAL(tmpi("t2", &r), GBA_OK);
    /* runs with t2 whose 200 gets lost: t2 stays, the one never seen goes */
    put(4, "t2", 0);
    s = session_of(4, "a@b", "t3", 100);
    CU_ASSERT_EQUAL(open_session(&s, "t2", 0), GBA_OK);
    put(5, "t2", 0);
    s = session_of(5, "a@b", "t4", 100);
    CU_ASSERT_EQUAL(open_session(&s, "t2", 0), GBA_OK);
    CU_ASSERT_EQUAL(tmpi("t3", &r), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(tmpi("t2", &r), GBA_OK);
    CU_ASSERT_EQUAL(tmpi("t4", &r), GBA_OK);
    CU_ASSERT_EQUAL(tmpi("t2", &r), GBA_E_NOT_FOUND);
    /* it outlives the session, but not its own time */
    store->expire(store, 500000);
    CU_ASSERT_EQUAL(stats().sessions, 0);
    CU_ASSERT_EQUAL(tmpi("t4", &r), GBA_OK);
    store->expire(store, 1000000);
    CU_ASSERT_EQUAL(tmpi("t4", &r), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(stats().subscribers, 0);
    store->close(store);
}

static struct gba_guss *guss(const char *id)
{
    struct gba_guss *g;
    char xml[128];

    snprintf(xml, sizeof(xml), "<guss id=\"%s\"><ussList/></guss>", id);
    CU_ASSERT_EQUAL_FATAL(gba_guss_parse(gba_text_bytes(gba_text(xml)), &g), GBA_OK);
    return g;
}

static const char *seen_id;

static void note_guss(void *arg, enum gba_err err, const struct store_result *r)
{
    static char id[64];
    struct gba_guss *g = r->session != NULL ? r->session->guss : r->guss;

    *(enum gba_err *)arg = err;
    snprintf(id, sizeof(id), "%s", g != NULL ? gba_guss_id(g) : "none");
    seen_id = id;
}

/* A renewed GUSS is that of all sessions of its subscriber. */
static void test_guss_of_today(void)
{
    struct gba_guss *old = guss("old"), *renewed = guss("renewed"), *pushed = guss("pushed");
    struct bsf_session s = session_of(1, "a@b", "", 100);
    char btid[GBA_BTID_SIZE];
    enum gba_err err;

    memcpy(btid, s.btid, sizeof(btid));
    open_store(10, 10, 2);
    store->guss_put(store, "a@b", old, 0, note_guss, &err);
    CU_ASSERT_EQUAL(err, GBA_E_NOT_FOUND);
    put(1, "a@b", 0);
    s.guss = old;
    open_session(&s, "a@b", 0);
    store->session_get(store, btid, 1, note_guss, &err);
    CU_ASSERT_STRING_EQUAL(seen_id, "old");
    put(2, "a@b", 0);
    s = session_of(2, "a@b", "", 100);
    s.guss = renewed;
    open_session(&s, "a@b", 0);
    store->session_get(store, btid, 1, note_guss, &err);
    CU_ASSERT_STRING_EQUAL(seen_id, "renewed");
    store->guss_put(store, "a@b", pushed, 0, note_guss, &err);
    CU_ASSERT_EQUAL(err, GBA_OK);
    store->session_get(store, btid, 1, note_guss, &err);
    CU_ASSERT_STRING_EQUAL(seen_id, "pushed");
    store->guss_get(store, "a@b", 1, note_guss, &err);
    CU_ASSERT_STRING_EQUAL(seen_id, "pushed");
    store->guss_get(store, "c@d", 1, note_guss, &err);
    CU_ASSERT_EQUAL(err, GBA_E_NOT_FOUND);
    store->close(store);
    gba_guss_unref(old);
    gba_guss_unref(renewed);
    gba_guss_unref(pushed);
}

static void test_cap_of_subscribers(void)
{
    struct result r = {0};

    open_store(100, 2, 1);
    CU_ASSERT_EQUAL(bootstrap(1, "a@b", "ta", 0, 10), GBA_OK);
    CU_ASSERT_EQUAL(bootstrap(2, "c@d", "tc", 0, 10), GBA_OK);
    CU_ASSERT_EQUAL(bootstrap(3, "e@f", "te", 10000, 20), GBA_OK);
    CU_ASSERT_EQUAL(stats().subscribers, 2);
    CU_ASSERT_EQUAL(tmpi("ta", &r), GBA_E_NOT_FOUND); /* the longest unheard */
    CU_ASSERT_EQUAL(tmpi("tc", &r), GBA_OK);
    CU_ASSERT_EQUAL(tmpi("te", &r), GBA_OK);
    store->close(store);
}

static void test_cap_of_sessions_over_shards(void)
{
    enum { CAP = 4096 };
    struct result r = {0};
    uint32_t lost = 0;
    char impi[32], t[32];

    open_store(CAP, CAP, 1);
    for (uint32_t i = 0; i < CAP; i++) {
        snprintf(impi, sizeof(impi), "u%u@b", (unsigned)i);
        snprintf(t, sizeof(t), "t%u", (unsigned)i);
        lost += bootstrap(i, impi, t, 0, i < 3 ? 10 : 20) != GBA_OK;
    }
    CU_ASSERT_EQUAL(lost, 0);
    CU_ASSERT_EQUAL(stats().sessions, CAP);
    CU_ASSERT_EQUAL(stats().subscribers, CAP);
    CU_ASSERT_EQUAL(bootstrap(CAP, "x@b", "tx", 0, 20), GBA_E_OVERLOAD);
    /* wherever those that expire lie, there is room again for as many */
    for (uint32_t i = 0; i < 4; i++) {
        snprintf(impi, sizeof(impi), "v%u@b", (unsigned)i);
        CU_ASSERT_EQUAL(bootstrap(CAP + 1 + i, impi, "", 10000, 20),
                        i < 3 ? GBA_OK : GBA_E_OVERLOAD);
    }
    CU_ASSERT_EQUAL(stats().sessions, CAP);
    CU_ASSERT_EQUAL(stats().subscribers, CAP);
    CU_ASSERT_EQUAL(tmpi("t2", &r), GBA_E_NOT_FOUND); /* the longest unheard */
    CU_ASSERT_EQUAL(tmpi("t3", &r), GBA_OK);
    store->close(store);
}

/* ---- threads -------------------------------------------------------------------------- */

static void *hammer(void *arg)
{
    uint32_t base = (uint32_t)(uintptr_t)arg << 24;
    char impi[32], t[32];

    for (uint32_t i = 0; i < 3000; i++) {
        struct bsf_challenge c;
        struct bsf_session s;
        struct result r = {0};

        snprintf(impi, sizeof(impi), "u%u@b", (unsigned)(i % 50)); /* shared by all threads */
        snprintf(t, sizeof(t), "t%x", (unsigned)(base + i));
        c = challenge(base + i, impi, 0);
        store->challenge_put(store, &c, 0, note, &r);
        store->challenge_find(store, impi, BSF, 100, 1, note, &r);
        memset(&s, 0, sizeof(s));
        memcpy(s.rand, c.rand, 16);
        memcpy(s.impi, c.impi, sizeof(s.impi));
        snprintf(s.tmpi, sizeof(s.tmpi), "%s", t);
        if (gba_btid_make(s.rand, GBA_TEXT(BSF), s.btid) != GBA_OK)
            return (void *)1;
        s.expires_s = 100;
        store->session_open(store, &s, impi, 1, note, &r);
        store->tmpi_get(store, t, 1, note, &r);
        store->session_get(store, s.btid, 1, note, &r);
        if (i % 500 == 0)
            store->expire(store, 1);
        if (r.calls != 5)
            return (void *)1;
    }
    return NULL;
}

static void test_threads(void)
{
    pthread_t threads[4];
    void *failed;

    open_store(2000, 100000, 2);
    for (uintptr_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, hammer, (void *)(i + 1));
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &failed);
        CU_ASSERT_PTR_NULL(failed);
    }
    CU_ASSERT_EQUAL(stats().subscribers, 50);
    CU_ASSERT(stats().sessions <= 100);
    store->close(store);
}

static const struct unit_test tests[] = {
    {"the oldest challenge makes room", test_oldest_challenge_makes_room},
    {"the cap over shards", test_cap_over_shards},
    {"ages of challenges", test_challenge_ages},
    {"finding an unanswered challenge", test_find},
    {"wrong answers use a challenge up", test_failures_use_up},
    {"the newest sessions stay", test_newest_sessions_stay},
    {"the cap of sessions", test_cap_of_sessions},
    {"opening consumes the challenge", test_open_consumes},
    {"forms of a B-TID", test_btid_forms},
    {"TMPIs", test_tmpis},
    {"GUSS of today", test_guss_of_today},
    {"the cap of subscribers", test_cap_of_subscribers},
    {"the caps of sessions and subscribers over shards", test_cap_of_sessions_over_shards},
    {"threads", test_threads},
};
UNIT_MAIN("store_memory", tests)
