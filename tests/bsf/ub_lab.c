/*
 * The lab of the Ub tests: fake Zh, faulty store, virtual clock, and a UE over the real AKA
 * and Digest calculators.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/bsf/ub_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/digest_aka.h"
#include "common/gba_u.h"
#include "common/secret.h"

static int64_t now = 1767323045000; /* 2026-01-02T03:04:05Z */
static uint64_t n_random;
static bool random_fails;
static pthread_mutex_t random_lock = PTHREAD_MUTEX_INITIALIZER;

void lab_set_now(int64_t ms)
{
    now = ms;
}

void lab_pass(int64_t ms)
{
    now += ms;
}

int64_t lab_now(void)
{
    return now;
}

void lab_random_fails(bool fails)
{
    random_fails = fails;
}

static enum gba_err counted_random(void *out, size_t n)
{
    uint8_t hash[32];
    uint64_t count;

    if (random_fails)
        return GBA_E_ENTROPY;
    for (size_t at = 0; at < n; at += sizeof(hash)) {
        struct gba_bytes part = {(const uint8_t *)&count, sizeof(count)};

        pthread_mutex_lock(&random_lock);
        count = ++n_random;
        pthread_mutex_unlock(&random_lock);
        gba_hash(GBA_SHA256, &part, 1, hash);
        memcpy((uint8_t *)out + at, hash, n - at < sizeof(hash) ? n - at : sizeof(hash));
    }
    return GBA_OK;
}

/* ---- the fake Zh ---------------------------------------------------------------------- */

static struct lab *lab_of_zh(struct zh *z)
{
    return (struct lab *)(void *)((char *)z - offsetof(struct lab, zh));
}

static enum gba_err make_answer(struct lab *l, const struct zh_query *q, struct zh_answer *a)
{
    uint8_t rand[16], sqn[6], amf[2] = {0, 0}, sqn_ms[6];
    uint64_t next;

    if (l->zh_fails != GBA_OK)
        return l->zh_fails;
    if (strcmp(q->impi, LAB_IMPI) != 0 && strcmp(q->impi, LAB_OTHER) != 0)
        return GBA_E_SUBSCRIBER_UNKNOWN;
    if (l->barred != NULL && strcmp(q->impi, l->barred) == 0)
        return GBA_E_SUBSCRIBER_BARRED;
    if (q->resync) {
        if (gba_aka_open_auts(&l->secret, q->auts_rand, q->auts, sqn_ms) != GBA_OK)
            return GBA_E_AUTS;
        l->sqn = gba_sqn_get(sqn_ms);
    }
    if (gba_sqn_next(l->sqn, 0, &next) != GBA_OK)
        return GBA_E_ZH_FAILURE;
    l->sqn = next;
    gba_sqn_put(next, sqn);
    memset(rand, 0x5a, sizeof(rand));
    if (!l->same_rand)
        counted_random(rand, sizeof(rand));
    a->guss = l->guss;
    return gba_aka_vector(&l->secret, rand, sqn, amf, &a->av);
}

static void answer_ask(struct lab *l, const struct lab_ask *ask)
{
    struct zh_answer a = {.guss = NULL};
    enum gba_err err;

    pthread_mutex_lock(&l->lock);
    l->last_query = ask->q;
    l->n_asked++;
    err = make_answer(l, &ask->q, &a);
    pthread_mutex_unlock(&l->lock);
    ask->done(ask->arg, err, err == GBA_OK ? &a : NULL);
}

static void fake_ask(struct zh *z, const struct zh_query *q, zh_done *done, void *arg)
{
    struct lab *l = lab_of_zh(z);
    struct lab_ask ask = {*q, done, arg};

    if (l->answers_at_once) {
        answer_ask(l, &ask);
        return;
    }
    if (++l->n_calls == l->fail_call) {
        done(arg, GBA_E_ZH_TIMEOUT, NULL);
        return;
    }
    if (l->n_queue == LAB_QUEUE)
        abort();
    l->queue[l->n_queue++] = ask;
}

static bool fake_healthy(struct zh *z)
{
    (void)z;
    return true;
}

static void fake_close(struct zh *z)
{
    (void)z;
}

static void serve_zh(struct lab *l)
{
    while (l->n_queue > 0) {
        struct lab_ask ask = l->queue[--l->n_queue];

        answer_ask(l, &ask);
    }
}

/* ---- a store whose n-th call fails ---------------------------------------------------- */

static struct lab *lab_of_store(struct store *s)
{
    return (struct lab *)(void *)((char *)s - offsetof(struct lab, faulty));
}

static bool fails(struct lab *l, store_done *done, void *arg)
{
    struct store_result r = {.failures = 0};

    if (__atomic_add_fetch(&l->n_calls, 1, __ATOMIC_RELAXED) != l->fail_call)
        return false;
    done(arg, GBA_E_IO, &r);
    return true;
}

static void f_put(struct store *s, const struct bsf_challenge *c, int64_t t, store_done *d,
                  void *a)
{
    struct lab *l = lab_of_store(s);

    if (!fails(l, d, a))
        l->store->challenge_put(l->store, c, t, d, a);
}

static void f_find(struct store *s, const char *u, const char *r, int64_t w, int64_t t,
                   store_done *d, void *a)
{
    struct lab *l = lab_of_store(s);

    if (!fails(l, d, a))
        l->store->challenge_find(l->store, u, r, w, t, d, a);
}

static void f_get(struct store *s, const uint8_t r[static 16], int64_t t, store_done *d,
                  void *a)
{
    struct lab *l = lab_of_store(s);

    if (!fails(l, d, a))
        l->store->challenge_get(l->store, r, t, d, a);
}

static void f_fail(struct store *s, const uint8_t r[static 16], bool was_auts, unsigned n,
                   int64_t t, store_done *d, void *a)
{
    struct lab *l = lab_of_store(s);

    if (!fails(l, d, a))
        l->store->challenge_fail(l->store, r, was_auts, n, t, d, a);
}

static void f_claim(struct store *s, const uint8_t r[static 16], int64_t t, store_done *d,
                    void *a)
{
    struct lab *l = lab_of_store(s);

    if (!fails(l, d, a))
        l->store->challenge_claim_auts(l->store, r, t, d, a);
}

static void f_drop(struct store *s, const uint8_t r[static 16], int64_t t, store_done *d,
                   void *a)
{
    struct lab *l = lab_of_store(s);

    if (!fails(l, d, a))
        l->store->challenge_drop(l->store, r, t, d, a);
}

static void f_open(struct store *s, const struct bsf_session *se, const char *u, int64_t t,
                   store_done *d, void *a)
{
    struct lab *l = lab_of_store(s);

    if (!fails(l, d, a))
        l->store->session_open(l->store, se, u, t, d, a);
}

static void f_tmpi(struct store *s, const char *n, int64_t t, store_done *d, void *a)
{
    struct lab *l = lab_of_store(s);

    if (!fails(l, d, a))
        l->store->tmpi_get(l->store, n, t, d, a);
}

static void f_guss(struct store *s, const char *n, int64_t t, store_done *d, void *a)
{
    struct lab *l = lab_of_store(s);

    if (!fails(l, d, a))
        l->store->guss_get(l->store, n, t, d, a);
}

/* ---- the lab -------------------------------------------------------------------------- */

void lab_init(struct lab *l)
{
    static const char *const names[] = {LAB_BSF, LAB_ISIM};
    uint8_t k[16] = {0x46, 0x5b, 0x5c, 0xe8, 0xb1, 0x99, 0xb4, 0x9f,
                     0xaa, 0x5f, 0x0a, 0x2e, 0xe2, 0x38, 0xa6, 0xbc};

    memset(l, 0, sizeof(*l));
    l->policy = (struct ub_policy){
        .names = names,
        .n_names = 2,
        .lifetimes = {3600, 60, 86400},
        .challenge_ttl_ms = 60000,
        .repeat_window_ms = 5000,
        .max_failures = 3,
        .retry_after_s = 5,
    };
    l->store_config = (struct store_memory_config){.challenges = 1000,
                                                   .sessions = 1000,
                                                   .sessions_per_subscriber = 2,
                                                   .tmpi_lifetime_ms = 86400000};
    l->secret =
        (struct gba_aka_secret){.algorithm = GBA_AKA_MILENAGE, .k_len = 16, .res_len = 8};
    memcpy(l->secret.k, k, sizeof(k));
    memset(l->secret.opc, 0xcd, 16);
    l->zh = (struct zh){"fake", fake_ask, fake_healthy, fake_close};
    l->faulty = (struct store){.name = "faulty",
                               .challenge_put = f_put,
                               .challenge_find = f_find,
                               .challenge_get = f_get,
                               .challenge_fail = f_fail,
                               .challenge_claim_auts = f_claim,
                               .challenge_drop = f_drop,
                               .session_open = f_open,
                               .tmpi_get = f_tmpi,
                               .guss_get = f_guss};
    pthread_mutex_init(&l->lock, NULL);
}

void lab_open(struct lab *l)
{
    if (store_memory_open(&l->store_config, &l->store) != GBA_OK)
        abort();
    l->env = (struct ub_env){.policy = &l->policy,
                             .store = &l->faulty,
                             .zh = &l->zh,
                             .now_ms = lab_now,
                             .random = counted_random};
    if (l->limiter_config.buckets != 0)
        l->env.limiter = limiter_new(&l->limiter_config);
}

void lab_close(struct lab *l)
{
    limiter_free(l->env.limiter);
    l->store->close(l->store);
    gba_guss_unref(l->guss);
    pthread_mutex_destroy(&l->lock);
}

static void note_result(void *arg, const struct ub_answer *a, const struct ub_run *run)
{
    struct lab_result *r = arg;

    (void)run;
    if (r->ended)
        abort(); /* a run answers once */
    r->ended = true;
    r->answer = *a;
}

void lab_request(struct lab *l, const struct ub_request *rq, struct lab_result *out)
{
    static const uint8_t address[4] = {192, 0, 2, 1};

    memset(out, 0, sizeof(*out));
    ub_run_start(&l->env, rq, (struct gba_bytes){address, sizeof(address)}, note_result, out);
    if (!l->answers_at_once)
        serve_zh(l);
    if (!out->ended)
        abort();
}

void lab_authorization(struct lab *l, const char *authorization, const char *user_agent,
                       struct lab_result *out)
{
    struct ub_request rq = {.authorization = gba_text(authorization),
                            .n_authorization = authorization != NULL,
                            .method = GBA_TEXT("GET"),
                            .target = GBA_TEXT("/"),
                            .host = GBA_TEXT(LAB_BSF),
                            .user_agent = gba_text(user_agent)};

    lab_request(l, &rq, out);
}

void lab_first(struct lab *l, const char *username, struct lab_result *out)
{
    char field[1024];

    snprintf(field, sizeof(field),
             "Digest username=\"%s\", realm=\"" LAB_BSF
             "\", nonce=\"\", uri=\"/\", response=\"\"",
             username);
    lab_authorization(l, field, "test 3gpp-gba-tmpi", out);
}

/* ---- the UE --------------------------------------------------------------------------- */

void lab_param(const char *field, const char *name, char *out, size_t cap)
{
    char key[64];
    const char *at;
    size_t n;

    snprintf(key, sizeof(key), "%s=", name);
    out[0] = '\0';
    at = strstr(field, key);
    if (at == NULL)
        return;
    at += strlen(key);
    n = *at == '"' ? strcspn(++at, "\"") : strcspn(at, ", ");
    if (n < cap) {
        memcpy(out, at, n);
        out[n] = '\0';
    }
}

bool lab_ue_take(struct lab *l, struct lab_ue *ue, const char *username,
                 const struct lab_result *challenge)
{
    const char *f = challenge->answer.field;
    uint8_t rand[16], autn[16], amf[2] = {0, 0}, ik[16];

    if (challenge->answer.verdict != UB_CHALLENGED)
        return false;
    *ue = (struct lab_ue){.secret = l->secret,
                          .uri = "/",
                          .nc = "00000001",
                          .cnonce = "0a4f113b",
                          .method = "GET"};
    snprintf(ue->username, sizeof(ue->username), "%s", username);
    lab_param(f, "realm", ue->realm, sizeof(ue->realm));
    lab_param(f, "nonce", ue->nonce, sizeof(ue->nonce));
    lab_param(f, "opaque", ue->opaque, sizeof(ue->opaque));
    lab_param(f, "algorithm", ue->algorithm, sizeof(ue->algorithm));
    lab_param(f, "qop", ue->qop, sizeof(ue->qop));
    if (gba_aka_nonce_parse(gba_text(ue->nonce), rand, autn) != GBA_OK)
        return false;
    memcpy(ue->av.rand, rand, 16);
    if (gba_aka_open_autn(&ue->secret, rand, autn, ue->sqn, amf, &ue->av) != GBA_OK) {
        struct gba_aka_functions
            fn; /* AUTN* of a GBA_U run: IK first, then the AUTN under it */

        if (gba_aka_functions(&ue->secret, rand, ue->sqn, amf, &fn) != GBA_OK)
            return false;
        memcpy(ik, fn.ik, 16);
        gba_u_autn(autn, ik, autn);
        if (gba_aka_open_autn(&ue->secret, rand, autn, ue->sqn, amf, &ue->av) != GBA_OK)
            return false;
        ue->flip = true;
    }
    ue->res_len = ue->av.res_len;
    memcpy(ue->res, ue->av.res, ue->res_len);
    if (ue->flip)
        gba_u_res(ue->res, ue->res_len);
    return true;
}

void lab_ue_set_auts(struct lab_ue *ue, uint64_t sqn_ms)
{
    uint8_t sqn[6], auts[14];

    gba_sqn_put(sqn_ms, sqn);
    if (gba_aka_make_auts(&ue->secret, ue->av.rand, sqn, auts) != GBA_OK)
        abort();
    gba_auts_print(auts, ue->auts);
    ue->res_len = 0; /* RFC 3310 3.4: an empty password */
}

static void compute_response(const struct lab_ue *ue, char out[static GBA_DIGEST_HEX_SIZE])
{
    struct gba_digest_input in = {.algorithm = GBA_DIGEST_AKAV1_MD5,
                                  .qop = GBA_QOP_AUTH_INT,
                                  .username = gba_text(ue->username),
                                  .realm = gba_text(ue->realm),
                                  .method = gba_text(ue->method),
                                  .uri = gba_text(ue->uri),
                                  .nonce = gba_text(ue->nonce),
                                  .nc = gba_text(ue->nc),
                                  .cnonce = gba_text(ue->cnonce),
                                  .password = {ue->res, ue->res_len},
                                  .body = ue->body};

    gba_digest_response(&in, out);
}

void lab_ue_print(const struct lab_ue *ue, char *out, size_t cap)
{
    char response[GBA_DIGEST_HEX_SIZE];
    const struct {
        const char *name, *value;
        bool quoted;
    } params[] = {{"username", ue->username, true}, {"realm", ue->realm, true},
                  {"nonce", ue->nonce, true},       {"uri", ue->uri, true},
                  {"qop", ue->qop, false},          {"nc", ue->nc, false},
                  {"cnonce", ue->cnonce, true},     {"response", response, true},
                  {"opaque", ue->opaque, true},     {"algorithm", ue->algorithm, false},
                  {"auts", ue->auts, true}};
    size_t n = (size_t)snprintf(out, cap, "Digest ");
    const char *separator = "";

    compute_response(ue, response);
    if (ue->response != NULL)
        snprintf(response, sizeof(response), "%s", ue->response);
    for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
        const char *quote = params[i].quoted ? "\"" : "";

        if ((ue->without != NULL && strcmp(ue->without, params[i].name) == 0) ||
            (strcmp(params[i].name, "auts") == 0 && ue->auts[0] == '\0'))
            continue;
        n += (size_t)snprintf(out + n, cap - n, "%s%s=%s%s%s", separator, params[i].name, quote,
                              params[i].value, quote);
        separator = ", ";
    }
    if (ue->extra != NULL)
        snprintf(out + n, cap - n, "%s", ue->extra);
}

void lab_ue_answer(struct lab *l, const struct lab_ue *ue, struct lab_result *out)
{
    char field[4096];
    struct ub_request rq = {.n_authorization = 1,
                            .method = GBA_TEXT("GET"),
                            .target = GBA_TEXT("/"),
                            .host = GBA_TEXT(LAB_BSF),
                            .user_agent = GBA_TEXT("test; Release-6; 3gpp-gba-tmpi"),
                            .body = ue->body};

    lab_ue_print(ue, field, sizeof(field));
    rq.authorization = gba_text(field);
    lab_request(l, &rq, out);
}

void lab_bootstrap(struct lab *l, const char *username, struct lab_result *out)
{
    struct lab_result challenge;
    struct lab_ue ue;

    lab_first(l, username, &challenge);
    if (!lab_ue_take(l, &ue, username, &challenge)) {
        *out = challenge;
        return;
    }
    lab_ue_answer(l, &ue, out);
}
