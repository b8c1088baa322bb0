/*
 * naf/keycache.c: one question for equal ones, expiry, refusals remembered, caps, cancellation,
 * and many threads at once.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/keycache.h"

#include <string.h>

#include "tests/naf/fake_zn.h"
#include "tests/unit.h"

#define T0 1000000

static struct fake_zn fake;
static const struct keycache_config usual = {
    .max = 4, .max_negative = 2, .max_pending = 3, .negative_s = 10};

static struct keycache *make(const struct keycache_config *c)
{
    struct keycache *kc;

    fake_zn_init(&fake);
    CU_ASSERT_EQUAL_FATAL(keycache_new(&fake.zn, c, &kc), GBA_OK);
    return kc;
}

static struct zn_query query(const char *btid, uint8_t ua)
{
    struct zn_query q = {.n_gsids = 0};
    const uint8_t ua_id[5] = {1, 0, 0, 0, ua};

    gba_text_copy(q.btid, sizeof(q.btid), gba_text(btid));
    CU_ASSERT_EQUAL(gba_naf_id_make(GBA_TEXT("naf.example"), ua_id, &q.naf_id), GBA_OK);
    return q;
}

static struct gba_zn_answer answer(uint8_t key, int64_t expiry_s)
{
    struct gba_zn_answer a = {.expiry_s = expiry_s};

    memset(a.me_key.octets, key, sizeof(a.me_key.octets));
    return a;
}

struct heard {
    int n;
    enum gba_err err;
    uint8_t octet;
};

static void hear(void *arg, enum gba_err err, struct naf_key *key)
{
    struct heard *h = arg;

    h->n++;
    h->err = err;
    h->octet = key != NULL ? key->a.me_key.octets[31] : 0;
    naf_key_unref(key);
}

/* Asks; what is there at once is heard at once. */
static struct heard get(struct keycache *kc, const char *btid, uint8_t ua, int64_t now,
                        struct heard *later)
{
    struct zn_query q = query(btid, ua);
    struct heard h = {.n = 0};
    struct naf_key *key;
    enum gba_err err;

    if (keycache_get(kc, &q, now, hear, later, &err, &key))
        hear(&h, err, key);
    return h;
}

/* Brings a key in. */
static void fill(struct keycache *kc, const char *btid, uint8_t octet, int64_t expiry_s)
{
    struct gba_zn_answer a = answer(octet, expiry_s);
    struct heard h = {.n = 0};

    CU_ASSERT_EQUAL(get(kc, btid, 2, T0, &h).n, 0);
    fake_zn_answer(&fake, GBA_OK, &a);
    CU_ASSERT_EQUAL(h.n, 1);
}

static void test_joined(void)
{
    struct keycache *kc = make(&usual);
    struct gba_zn_answer a = answer(5, T0 + 100);
    struct heard h[3] = {{.n = 0}};

    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(get(kc, "a@b", 2, T0, &h[i]).n, 0);
    CU_ASSERT_EQUAL(fake.n_asked, 1);
    fake_zn_answer(&fake, GBA_OK, &a);
    for (int i = 0; i < 3; i++)
        CU_ASSERT(h[i].n == 1 && h[i].err == GBA_OK && h[i].octet == 5);
    CU_ASSERT_EQUAL(get(kc, "a@b", 2, T0 + 99, NULL).octet, 5);
    CU_ASSERT_EQUAL(fake.n_asked, 1);
    CU_ASSERT_EQUAL(get(kc, "a@b", 7, T0, &h[0]).n, 0); /* another NAF_Id: another key */
    CU_ASSERT_EQUAL(fake.n_asked, 2);
    keycache_free(kc);
    CU_ASSERT(fake.closed);
    CU_ASSERT(h[0].n == 2 && h[0].err == GBA_E_CANCELLED);
}

static void test_expiry(void)
{
    struct keycache *kc = make(&usual);
    struct heard h = {.n = 0};
    struct gba_zn_answer late = answer(6, T0 + 99);

    fill(kc, "a@b", 5, T0 + 100);
    CU_ASSERT_EQUAL(get(kc, "a@b", 2, T0 + 100, NULL).err, GBA_E_EXPIRED);
    CU_ASSERT_EQUAL(keycache_count(kc), 0);
    CU_ASSERT_EQUAL(get(kc, "a@b", 2, T0 + 100, &h).n, 0);
    fake_zn_answer(&fake, GBA_OK, &late); /* dead on arrival */
    CU_ASSERT(h.n == 1 && h.err == GBA_E_EXPIRED && keycache_count(kc) == 0);
    keycache_free(kc);
}

static void test_local_limit(void)
{
    struct keycache_config c = usual;
    struct keycache *kc;
    struct gba_zn_answer a = answer(5, T0 + 1000);
    struct heard h = {.n = 0};

    c.key_max_life_s = 50;
    kc = make(&c);
    a.created_s = T0 - 20;
    get(kc, "a@b", 2, T0, &h);
    fake_zn_answer(&fake, GBA_OK, &a);
    CU_ASSERT_EQUAL(h.err, GBA_OK);
    CU_ASSERT_EQUAL(get(kc, "a@b", 2, T0 + 29, NULL).err, GBA_OK);
    CU_ASSERT_EQUAL(get(kc, "a@b", 2, T0 + 30, NULL).err, GBA_E_EXPIRED);
    keycache_free(kc);
}

static void test_negative(void)
{
    static const struct {
        enum gba_err err;
        bool remembered;
    } rows[] = {
        {GBA_E_BTID, true},     {GBA_E_NOT_AUTHORIZED, true},
        {GBA_E_TIMEOUT, false}, {GBA_E_ZN_UNREACHABLE, false},
        {GBA_E_TLS, false},     {GBA_E_FORBIDDEN, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct keycache *kc = make(&usual);
        struct heard h = {.n = 0}, again;

        get(kc, "a@b", 2, T0, &h);
        fake_zn_answer(&fake, rows[i].err, NULL);
        CU_ASSERT(h.n == 1 && h.err == rows[i].err);
        again = get(kc, "a@b", 2, T0 + 9, &h);
        CU_ASSERT_EQUAL(again.n, rows[i].remembered);
        if (rows[i].remembered) {
            CU_ASSERT_EQUAL(again.err, rows[i].err);
            CU_ASSERT_EQUAL(get(kc, "a@b", 2, T0 + 10, &h).n, 0);
        }
        CU_ASSERT_EQUAL(fake.n_asked, 2);
        keycache_free(kc);
    }
}

/* 5403 for one NAF_Id ends the keys of that B-TID under the others. */
static void test_unknown_ends_all(void)
{
    struct keycache *kc = make(&usual);
    struct heard h = {.n = 0};

    fill(kc, "a@b", 5, T0 + 100);
    fill(kc, "c@b", 6, T0 + 100);
    get(kc, "a@b", 7, T0, &h);
    fake_zn_answer(&fake, GBA_E_BTID, NULL);
    CU_ASSERT_EQUAL(keycache_count(kc), 1);
    CU_ASSERT_EQUAL(get(kc, "a@b", 2, T0, &h).n, 0);
    CU_ASSERT_EQUAL(get(kc, "c@b", 2, T0, NULL).octet, 6);
    keycache_drop(kc, "c@b");
    CU_ASSERT_EQUAL(keycache_count(kc), 0);
    keycache_free(kc);
}

static void test_caps(void)
{
    struct keycache *kc = make(&usual);
    struct heard h[4] = {{.n = 0}}, over;
    static const char *const btids[] = {"1@b", "2@b", "3@b", "4@b", "5@b"};

    for (uint8_t i = 0; i < 4; i++)
        fill(kc, btids[i], i, T0 + 100);
    CU_ASSERT_EQUAL(get(kc, "1@b", 2, T0, NULL).err, GBA_OK); /* used: 2 is now the oldest */
    fill(kc, btids[4], 4, T0 + 100);
    CU_ASSERT_EQUAL(keycache_count(kc), 4);
    CU_ASSERT_EQUAL(get(kc, "1@b", 2, T0, NULL).err, GBA_OK);
    CU_ASSERT_EQUAL(get(kc, "2@b", 2, T0, &h[0]).n, 0);
    CU_ASSERT_EQUAL(get(kc, "x@b", 2, T0, &h[1]).n, 0);
    CU_ASSERT_EQUAL(get(kc, "y@b", 2, T0, &h[2]).n, 0);
    over = get(kc, "z@b", 2, T0, &h[3]);
    CU_ASSERT(over.n == 1 && over.err == GBA_E_OVERLOAD);
    /* made-up B-TIDs do not push keys out */
    for (int i = 0; i < 3; i++)
        fake_zn_answer(&fake, GBA_E_BTID, NULL);
    CU_ASSERT_EQUAL(keycache_count(kc), 4);
    keycache_free(kc);
}

static void test_uss_copied(void)
{
    struct keycache *kc = make(&usual);
    struct gba_zn_answer a = answer(5, T0 + 100);
    struct zn_query q = query("a@b", 2);
    uint8_t uss[] = "<ussList/>";
    struct heard h = {.n = 0};
    struct naf_key *key;
    enum gba_err err;

    a.uss_list = (struct gba_bytes){uss, 10};
    get(kc, "a@b", 2, T0, &h);
    fake_zn_answer(&fake, GBA_OK, &a);
    memset(uss, 'x', 10); /* borrowed only */
    CU_ASSERT_FATAL(keycache_get(kc, &q, T0, hear, NULL, &err, &key));
    CU_ASSERT(gba_text_is(gba_bytes_text(key->a.uss_list), "<ussList/>"));
    keycache_free(kc); /* a reference outlives the cache */
    CU_ASSERT_EQUAL(key->a.me_key.octets[0], 5);
    naf_key_unref(key);
}

/* --- threads ----------------------------------------------------------------------------- */

#define THREADS 4
#define ROUNDS  2000

/* A port that answers on the asking thread's partner: right after ask, from another thread. */
struct busy {
    struct zn zn;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    struct zn_query q[THREADS * 2];
    zn_done *done[THREADS * 2];
    void *arg[THREADS * 2];
    size_t n;
    bool stop;
    pthread_t thread;
};

static void busy_ask(struct zn *self, const struct zn_query *q, zn_done *done, void *arg)
{
    struct busy *b = (struct busy *)(void *)self;

    pthread_mutex_lock(&b->lock);
    b->q[b->n] = *q;
    b->done[b->n] = done;
    b->arg[b->n] = arg;
    b->n++;
    pthread_cond_signal(&b->cond);
    pthread_mutex_unlock(&b->lock);
}

static void *busy_run(void *arg)
{
    struct busy *b = arg;

    pthread_mutex_lock(&b->lock);
    for (;;) {
        while (b->n == 0 && !b->stop)
            pthread_cond_wait(&b->cond, &b->lock);
        if (b->n == 0)
            break;
        b->n--;
        struct gba_zn_answer a = answer((uint8_t)b->q[b->n].btid[0], T0 + 100);
        zn_done *done = b->done[b->n];
        void *done_arg = b->arg[b->n];

        pthread_mutex_unlock(&b->lock);
        done(done_arg, a.me_key.octets[0] % 3 == 0 ? GBA_E_TIMEOUT : GBA_OK, &a);
        pthread_mutex_lock(&b->lock);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static void busy_close(struct zn *self)
{
    struct busy *b = (struct busy *)(void *)self;

    pthread_mutex_lock(&b->lock);
    b->stop = true;
    pthread_cond_signal(&b->cond);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
}

struct worker {
    struct keycache *kc;
    unsigned seed, wrong;
};

static void *work(void *arg)
{
    struct worker *w = arg;

    for (int i = 0; i < ROUNDS; i++) {
        char btid[8] = "A@b";
        struct zn_query q;
        struct naf_key *key;
        enum gba_err err;

        w->seed = w->seed * 1103515245 + 12345;
        btid[0] = (char)('A' + (w->seed >> 16) % 12);
        memset(&q, 0, sizeof(q));
        memcpy(q.btid, btid, sizeof(btid));
        q.naf_id.n = 6;
        err = keycache_wait(w->kc, &q, T0, &key);
        if ((err == GBA_OK) != (btid[0] % 3 != 0) ||
            (err == GBA_OK && key->a.me_key.octets[0] != (uint8_t)btid[0]))
            w->wrong++;
        naf_key_unref(key);
        if (i % 64 == 0)
            keycache_drop(w->kc, btid);
    }
    return NULL;
}

static void test_threads(void)
{
    static struct busy b;
    struct worker w[THREADS];
    pthread_t t[THREADS];
    struct keycache *kc;
    struct keycache_config c = usual;

    b = (struct busy){.zn = {.name = "busy", .ask = busy_ask, .close = busy_close}};
    pthread_mutex_init(&b.lock, NULL);
    pthread_cond_init(&b.cond, NULL);
    pthread_create(&b.thread, NULL, busy_run, &b);
    c.max_pending = THREADS * 2;
    CU_ASSERT_EQUAL_FATAL(keycache_new(&b.zn, &c, &kc), GBA_OK);
    for (unsigned i = 0; i < THREADS; i++) {
        w[i] = (struct worker){.kc = kc, .seed = i};
        pthread_create(&t[i], NULL, work, &w[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
        CU_ASSERT_EQUAL(w[i].wrong, 0);
    }
    keycache_free(kc);
}

static const struct unit_test tests[] = {
    {"equal questions are joined, answers kept", test_joined},
    {"nothing is served past its expiry", test_expiry},
    {"the local limit counts from the bootstrapping", test_local_limit},
    {"refusals are remembered for a moment, failures are not", test_negative},
    {"an unknown B-TID is unknown under every NAF_Id", test_unknown_ends_all},
    {"caps", test_caps},
    {"the USS list is the cache's own", test_uss_copied},
    {"many threads", test_threads},
};
UNIT_MAIN("keycache", tests)
