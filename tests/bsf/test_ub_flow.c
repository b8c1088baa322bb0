/*
 * Whole procedures on Ub and Zn, in one process: decisions, the real memory store, a fake Zh,
 * a UE with real AKA, virtual time; every call of a port failing once; two answers racing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "bsf/zn_run.h"
#include "common/kdf.h"
#include "common/secret.h"
#include "tests/bsf/ub_lab.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))

static struct lab l;

static void open_lab(void)
{
    lab_init(&l);
    lab_open(&l);
}

static struct gba_guss *guss(const char *xml)
{
    struct gba_guss *g = NULL;

    CU_ASSERT_EQUAL_FATAL(gba_guss_parse(gba_text_bytes(gba_text(xml)), &g), GBA_OK);
    return g;
}

static struct store_stats stats(void)
{
    struct store_stats st;

    l.store->stats(l.store, &st);
    return st;
}

/* ---- wrong answers, repeats, replays -------------------------------------------------- */

static void test_third_wrong_answer(void)
{
    struct lab_result first, r;
    struct lab_ue ue;

    open_lab();
    lab_first(&l, LAB_IMPI, &first);
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
    ue.res[0] ^= 1;
    for (int i = 0; i < 2; i++) {
        lab_ue_answer(&l, &ue, &r);
        CU_ASSERT_EQUAL(r.answer.verdict, UB_CHALLENGED);
        CU_ASSERT_STRING_EQUAL(r.answer.field, first.answer.field);
    }
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(r.answer.verdict, UB_REFUSED);
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_ATTEMPTS);
    CU_ASSERT_EQUAL(gba_err_http(r.answer.reason), 403);
    ue.res[0] ^= 1; /* right, but the challenge is used up */
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(r.answer.verdict, UB_CHALLENGED);
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_NONCE);
    lab_bootstrap(&l, LAB_IMPI, &r); /* nobody is locked out */
    CU_ASSERT_EQUAL(r.answer.verdict, UB_BOOTSTRAPPED);
    lab_close(&l);
}

static void test_repeated_first_request(void)
{
    struct lab_result a, b, c, d;
    struct lab_ue ue;

    open_lab();
    lab_first(&l, LAB_IMPI, &a);
    lab_pass(4000);
    lab_first(&l, LAB_IMPI, &b);
    CU_ASSERT_STRING_EQUAL(a.answer.field, b.answer.field);
    CU_ASSERT(b.answer.repeated && !a.answer.repeated);
    CU_ASSERT_EQUAL(l.n_asked, 1);
    lab_pass(1000); /* the window is over */
    lab_first(&l, LAB_IMPI, &c);
    CU_ASSERT_STRING_NOT_EQUAL(a.answer.field, c.answer.field);
    /* both are answered: the window only saves vectors */
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &a));
    lab_ue_answer(&l, &ue, &d);
    CU_ASSERT_EQUAL(d.answer.verdict, UB_BOOTSTRAPPED);
    /* an answered-wrongly challenge is not handed out again to a first request */
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &c));
    ue.res[0] ^= 1;
    lab_ue_answer(&l, &ue, &d);
    lab_first(&l, LAB_IMPI, &d);
    CU_ASSERT_STRING_NOT_EQUAL(d.answer.field, c.answer.field);
    /* another username, another realm: another challenge */
    lab_first(&l, LAB_OTHER, &d);
    CU_ASSERT_STRING_NOT_EQUAL(d.answer.field, c.answer.field);
    lab_close(&l);
}

static void test_expired_challenge(void)
{
    struct lab_result first, r;
    struct lab_ue ue;

    open_lab();
    lab_first(&l, LAB_IMPI, &first);
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
    lab_pass(60000);
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(r.answer.verdict, UB_CHALLENGED);
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_NONCE_EXPIRED);
    CU_ASSERT_STRING_NOT_EQUAL(r.answer.field, first.answer.field);
    l.store->expire(l.store, lab_now());
    CU_ASSERT_EQUAL(stats().challenges, 1); /* the fresh one */
    lab_close(&l);
}

/* A replay of an answered request gets fresh challenges only within the limits. */
static void test_replays_cost_bounded_vectors(void)
{
    struct lab_result first, r;
    struct lab_ue ue;

    lab_init(&l);
    l.limiter_config =
        (struct limiter_config){.subscriber = {5, 1}, .address = {100, 100}, .buckets = 64};
    lab_open(&l);
    lab_first(&l, LAB_IMPI, &first);
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(r.answer.verdict, UB_BOOTSTRAPPED);
    for (int i = 0; i < 100; i++) {
        lab_ue_answer(&l, &ue, &r);
        CU_ASSERT_NOT_EQUAL(r.answer.verdict, UB_BOOTSTRAPPED);
        if (r.answer.verdict == UB_REFUSED) {
            CU_ASSERT_EQUAL(r.answer.reason, GBA_E_RATE_LIMITED);
            CU_ASSERT(r.answer.retry_after_s > 0 && r.answer.retry_after_s <= 61);
        }
        lab_pass(100);
    }
    CU_ASSERT(l.n_asked <= 5); /* and the repeat window has made it fewer */
    CU_ASSERT_EQUAL(stats().sessions, 1);
    lab_pass(60000);
    lab_pass(60000);
    lab_first(&l, LAB_IMPI, &r);
    CU_ASSERT_EQUAL(r.answer.verdict, UB_CHALLENGED);
    lab_close(&l);
}

static void test_address_limit(void)
{
    struct lab_result r;
    char name[64];

    lab_init(&l);
    l.limiter_config =
        (struct limiter_config){.subscriber = {0, 1}, .address = {10, 60}, .buckets = 64};
    lab_open(&l);
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "nobody%d@example.org", i);
        lab_first(&l, name, &r);
        CU_ASSERT_EQUAL(r.answer.reason, GBA_E_SUBSCRIBER_UNKNOWN);
    }
    lab_first(&l, "one-more@example.org", &r);
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_RATE_LIMITED);
    CU_ASSERT_EQUAL(l.n_asked, 10);
    lab_pass(1000);
    lab_first(&l, LAB_IMPI, &r);
    CU_ASSERT_EQUAL(r.answer.verdict, UB_CHALLENGED);
    lab_close(&l);
}

/* ---- resynchronisation ---------------------------------------------------------------- */

static void test_resynchronisation(void)
{
    struct lab_result first, second, r;
    struct lab_ue ue, fresh;
    uint8_t rand[16], autn[16];

    open_lab();
    l.sqn = 5 << 5;
    lab_first(&l, LAB_IMPI, &first);
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
    lab_ue_set_auts(&ue, 1000 << 5);
    lab_ue_answer(&l, &ue, &second);
    CU_ASSERT_EQUAL_FATAL(second.answer.verdict, UB_CHALLENGED);
    CU_ASSERT_STRING_NOT_EQUAL(second.answer.field, first.answer.field);
    CU_ASSERT(l.last_query.resync);
    CU_ASSERT_EQUAL(gba_aka_nonce_parse(gba_text(ue.nonce), rand, autn), GBA_OK);
    CU_ASSERT_EQUAL(memcmp(l.last_query.auts_rand, rand, 16), 0);
    CU_ASSERT_FATAL(lab_ue_take(&l, &fresh, LAB_IMPI, &second));
    CU_ASSERT_EQUAL(gba_sqn_get(fresh.sqn) >> 5, 1001);
    /* the same AUTS again, and one to the new challenge: one per run */
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_SECOND_AUTS);
    ue = fresh;
    lab_ue_set_auts(&ue, 2000 << 5);
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_SECOND_AUTS);
    CU_ASSERT_EQUAL(gba_err_http(r.answer.reason), 403);
    CU_ASSERT_EQUAL(l.n_asked, 2);
    /* the run itself goes on */
    lab_ue_answer(&l, &fresh, &r);
    CU_ASSERT_EQUAL(r.answer.verdict, UB_BOOTSTRAPPED);
    lab_close(&l);
}

static void test_auts_of_a_forger(void)
{
    struct lab_result first, r;
    struct lab_ue ue;

    open_lab();
    lab_first(&l, LAB_IMPI, &first);
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
    snprintf(ue.auts, sizeof(ue.auts), "AAAAAAAAAAAAAAAAAAA=");
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_AUTS);
    CU_ASSERT_EQUAL(gba_err_http(r.answer.reason), 403);
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_AUTS);
    /* a first request now starts a run of its own, in which an AUTS is possible */
    lab_first(&l, LAB_IMPI, &r);
    CU_ASSERT_STRING_NOT_EQUAL(r.answer.field, first.answer.field);
    /* and the right answer to the old challenge still counts */
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(r.answer.verdict, UB_BOOTSTRAPPED);
    lab_close(&l);
}

/* Forged ones use up failures, not the one AUTS of the run. */
static void test_auts_after_forged_ones(void)
{
    struct lab_result first, r;
    struct lab_ue ue, forger;

    open_lab();
    lab_first(&l, LAB_IMPI, &first);
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
    forger = ue;
    snprintf(forger.auts, sizeof(forger.auts), "AAAAAAAAAAAAAAAAAAA=");
    for (unsigned i = 1; i < l.policy.max_failures; i++) {
        lab_ue_answer(&l, &forger, &r);
        CU_ASSERT_EQUAL(r.answer.reason, GBA_E_AUTS);
    }
    lab_ue_set_auts(&ue, 1000 << 5);
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(r.answer.verdict, UB_CHALLENGED);
    lab_ue_answer(&l, &forger, &r); /* now it was used */
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_SECOND_AUTS);
    lab_close(&l);
    open_lab();
    lab_first(&l, LAB_IMPI, &first);
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
    snprintf(ue.auts, sizeof(ue.auts), "AAAAAAAAAAAAAAAAAAA=");
    for (unsigned i = 0; i < l.policy.max_failures; i++)
        lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_AUTS);
    lab_ue_answer(&l, &ue, &r); /* the challenge is used up */
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_NONCE);
    lab_close(&l);
}

/* ---- what Zh says --------------------------------------------------------------------- */

static void test_zh_refusals(void)
{
    static const struct {
        enum gba_err zh;
        unsigned status;
    } rows[] = {
        {GBA_E_SUBSCRIBER_UNKNOWN, 403}, {GBA_E_SUBSCRIBER_BARRED, 403},
        {GBA_E_ZH_UNREACHABLE, 503},     {GBA_E_ZH_TIMEOUT, 503},
        {GBA_E_ZH_FAILURE, 503},         {GBA_E_ZH_MALFORMED, 503},
        {GBA_E_OVERLOAD, 503},           {GBA_E_CANCELLED, 503},
    };

    for (size_t i = 0; i < SIZE(rows); i++) {
        struct lab_result r;

        open_lab();
        l.zh_fails = rows[i].zh;
        lab_first(&l, LAB_IMPI, &r);
        CU_ASSERT_EQUAL(r.answer.verdict, UB_REFUSED);
        CU_ASSERT_EQUAL(r.answer.reason, rows[i].zh);
        CU_ASSERT_EQUAL(gba_err_http(r.answer.reason), rows[i].status);
        CU_ASSERT_EQUAL(r.answer.retry_after_s != 0, rows[i].status == 503);
        CU_ASSERT_EQUAL(stats().challenges, 0);
        lab_close(&l);
    }
}

static void test_repeated_rand(void)
{
    struct lab_result first, r;
    struct lab_ue ue;

    open_lab();
    l.same_rand = true;
    lab_first(&l, LAB_IMPI, &first);
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
    lab_first(&l, LAB_OTHER, &r); /* of a live challenge */
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_RAND_REUSED);
    CU_ASSERT_EQUAL(gba_err_http(r.answer.reason), 503);
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(r.answer.verdict, UB_BOOTSTRAPPED);
    lab_first(&l, LAB_OTHER, &r); /* of a live session */
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_RAND_REUSED);
    lab_pass(3600 * 1000);
    lab_first(&l, LAB_OTHER, &r); /* which has expired */
    CU_ASSERT_EQUAL(r.answer.verdict, UB_CHALLENGED);
    lab_close(&l);
}

static void test_decoy(void)
{
    struct lab_result real, first, r;
    struct lab_ue ue;
    uint8_t rand[16], autn[16];
    char nonce[64], opaque[64];

    lab_init(&l);
    l.policy.decoy = true;
    lab_open(&l);
    lab_first(&l, LAB_IMPI, &real);
    lab_first(&l, "nobody@example.org", &first);
    CU_ASSERT_EQUAL_FATAL(first.answer.verdict, UB_CHALLENGED);
    CU_ASSERT_EQUAL(strlen(first.answer.field), strlen(real.answer.field));
    lab_param(first.answer.field, "nonce", nonce, sizeof(nonce));
    lab_param(first.answer.field, "opaque", opaque, sizeof(opaque));
    CU_ASSERT_EQUAL(gba_aka_nonce_parse(gba_text(nonce), rand, autn), GBA_OK);
    CU_ASSERT(autn[6] == 0 && autn[7] == 0);
    lab_first(&l, "nobody@example.org", &r); /* repeats like a real one */
    CU_ASSERT_STRING_EQUAL(r.answer.field, first.answer.field);
    /* answers: 401, 401, 403, whatever the response; here the one of an all-zero XRES */
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &real));
    snprintf(ue.username, sizeof(ue.username), "nobody@example.org");
    memcpy(ue.nonce, nonce, sizeof(ue.nonce));
    memcpy(ue.opaque, opaque, sizeof(ue.opaque));
    memset(ue.res, 0, sizeof(ue.res));
    for (int i = 0; i < 2; i++) {
        lab_ue_answer(&l, &ue, &r);
        CU_ASSERT_EQUAL(r.answer.reason, GBA_E_RES);
        CU_ASSERT_STRING_EQUAL(r.answer.field, first.answer.field);
    }
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_ATTEMPTS);
    /* an AUTS goes to Zh as for a real subscriber, and does not verify */
    lab_pass(6000);
    lab_first(&l, "nobody@example.org", &first);
    lab_param(first.answer.field, "nonce", ue.nonce, sizeof(ue.nonce));
    lab_param(first.answer.field, "opaque", ue.opaque, sizeof(ue.opaque));
    snprintf(ue.auts, sizeof(ue.auts), "AAAAAAAAAAAAAAAAAAA=");
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_AUTS);
    /* a name no HSS can know is no different */
    lab_first(&l, "nobody", &r);
    CU_ASSERT_EQUAL(r.answer.verdict, UB_CHALLENGED);
    CU_ASSERT_EQUAL(stats().sessions, 0);
    lab_close(&l);
}

static void test_no_entropy(void)
{
    struct lab_result r;

    open_lab();
    lab_random_fails(true);
    lab_first(&l, LAB_IMPI, &r);
    lab_random_fails(false);
    CU_ASSERT_EQUAL(r.answer.reason, GBA_E_ENTROPY);
    CU_ASSERT_EQUAL(stats().challenges, 0);
    lab_close(&l);
}

/* ---- GUSS: lifetime, timestamp, GBA_U ------------------------------------------------- */

#define GUSS(info, ext)                                                                        \
    "<guss id=\"x\"><bsfInfo>" info "</bsfInfo>" ext                                           \
    "<ussList><uss id=\"0\" type=\"0\"><uids><uid>sip:a@b</uid></uids></uss></ussList></guss>"
#define STAMP(t) "<Extension><timestamp>" t "</timestamp></Extension>"

static void test_lifetime(void)
{
    static const struct {
        const char *guss;
        int64_t lifetime_s;
    } rows[] = {
        {GUSS("", ""), 3600},
        {GUSS("<lifeTime>7200</lifeTime>", ""), 7200},
        {GUSS("<lifeTime>5</lifeTime>", ""), 60},
        {GUSS("<lifeTime>999999999</lifeTime>", ""), 86400},
        {GUSS("<lifeTime>99999999999999</lifeTime>", ""), 86400},
        {GUSS("<lifeTime>0</lifeTime>", ""), 60},
        {GUSS("<lifeTime>+7200</lifeTime>", ""), 7200},
        {GUSS("<lifeTime>-3</lifeTime>", ""), 3600},
        {GUSS("<lifeTime>soon</lifeTime>", ""), 3600},
    };

    for (size_t i = 0; i < SIZE(rows); i++) {
        struct lab_result r;

        open_lab();
        l.guss = guss(rows[i].guss);
        lab_bootstrap(&l, LAB_IMPI, &r);
        CU_ASSERT_EQUAL(r.answer.verdict, UB_BOOTSTRAPPED);
        CU_ASSERT_EQUAL(r.answer.expires_s, lab_now() / 1000 + rows[i].lifetime_s);
        lab_close(&l);
    }
}

static void test_guss_timestamp(void)
{
    struct lab_result r;

    open_lab();
    l.guss = guss(GUSS("<lifeTime>7200</lifeTime>", STAMP("2026-01-01T00:00:00Z")));
    lab_bootstrap(&l, LAB_IMPI, &r);
    CU_ASSERT_EQUAL(l.last_query.guss_timestamp_s, 0);
    lab_bootstrap(&l, LAB_IMPI, &r);
    CU_ASSERT_EQUAL(l.last_query.guss_timestamp_s, 1767225600);
    /* unchanged: left out, and the cached one goes on */
    gba_guss_unref(l.guss);
    l.guss = NULL;
    lab_bootstrap(&l, LAB_IMPI, &r);
    CU_ASSERT_EQUAL(r.answer.expires_s, lab_now() / 1000 + 7200);
    /* one without timestamp replaces it, and no timestamp is sent any more */
    l.guss = guss(GUSS("<lifeTime>600</lifeTime>", ""));
    lab_bootstrap(&l, LAB_IMPI, &r);
    CU_ASSERT_EQUAL(r.answer.expires_s, lab_now() / 1000 + 600);
    /* then none sent means none there is */
    gba_guss_unref(l.guss);
    l.guss = NULL;
    lab_bootstrap(&l, LAB_IMPI, &r);
    CU_ASSERT_EQUAL(l.last_query.guss_timestamp_s, 0);
    CU_ASSERT_EQUAL(r.answer.expires_s, lab_now() / 1000 + 3600);
    lab_close(&l);
}

static void take_gba_u(struct lab_ue *ue, struct lab_result *first)
{
    lab_first(&l, LAB_IMPI, first);
    CU_ASSERT_FATAL(lab_ue_take(&l, ue, LAB_IMPI, first));
    CU_ASSERT(ue->flip);
}

static void test_gba_u(void)
{
    struct lab_result first, r;
    struct lab_ue ue;

    for (int lab_switch = 0; lab_switch < 2; lab_switch++) {
        lab_init(&l);
        l.policy.accept_unflipped_res = lab_switch;
        lab_open(&l);
        l.guss = guss(GUSS("<uiccType>GBA_U</uiccType>", ""));
        take_gba_u(&ue, &first);
        lab_ue_answer(&l, &ue, &r);
        CU_ASSERT_EQUAL(r.answer.verdict, UB_BOOTSTRAPPED);
        take_gba_u(&ue, &first);
        ue.res[ue.res_len - 1] ^= 1; /* as the ME's AUTHENTICATE without GBA context gives it */
        lab_ue_answer(&l, &ue, &r);
        CU_ASSERT_EQUAL(r.answer.verdict, lab_switch ? UB_BOOTSTRAPPED : UB_CHALLENGED);
        lab_close(&l);
    }
}

/* RES of 4 to 16 octets; a vector with another is the HSS's mistake. */
static void test_res_sizes(void)
{
    for (size_t n = 4; n <= 16; n++) {
        struct lab_result first, r;
        struct lab_ue ue;

        open_lab();
        l.secret.algorithm = GBA_AKA_XOR;
        l.secret.res_len = n;
        lab_first(&l, LAB_IMPI, &first);
        CU_ASSERT_EQUAL(first.answer.weak_res, n < 8);
        CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
        ue.res[n - 1] ^= 0x80; /* every octet counts */
        lab_ue_answer(&l, &ue, &r);
        CU_ASSERT_EQUAL(r.answer.reason, GBA_E_RES);
        ue.res[n - 1] ^= 0x80;
        lab_ue_answer(&l, &ue, &r);
        CU_ASSERT_EQUAL(r.answer.verdict, UB_BOOTSTRAPPED);
        lab_close(&l);
    }
}

static void test_res_out_of_range(void)
{
    static const size_t sizes[] = {0, 1, 3, 17};

    for (size_t i = 0; i < SIZE(sizes); i++) {
        struct gba_av av = {.res_len = sizes[i]};
        struct bsf_challenge c = {.xres_len = 0};

        CU_ASSERT_EQUAL(bsf_challenge_set_vector(&c, &av, false), GBA_E_ZH_MALFORMED);
    }
}

/* ---- TMPI ----------------------------------------------------------------------------- */

/* Bootstraps and gives the TMPI the UE derives from the run. */
static void bootstrap_tmpi(const char *username, char tmpi[static GBA_TMPI_SIZE])
{
    struct lab_result first, r;
    struct gba_ks ks;
    struct lab_ue ue;

    tmpi[0] = '\0';
    lab_first(&l, username, &first);
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, username, &first));
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL_FATAL(r.answer.verdict, UB_BOOTSTRAPPED);
    memcpy(ks.octets, ue.av.ck, 16);
    memcpy(ks.octets + 16, ue.av.ik, 16);
    CU_ASSERT_EQUAL(gba_tmpi(&ks, ue.av.rand, GBA_TEXT(LAB_IMPI), GBA_TEXT(LAB_BSF), tmpi),
                    GBA_OK);
}

static enum gba_err first_reason(const char *username)
{
    struct lab_result r;

    lab_pass(6000); /* past the repeat window */
    lab_first(&l, username, &r);
    return r.answer.reason;
}

static void test_tmpi(void)
{
    char t1[GBA_TMPI_SIZE], t2[GBA_TMPI_SIZE], t3[GBA_TMPI_SIZE];

    open_lab();
    bootstrap_tmpi(LAB_IMPI, t1);
    bootstrap_tmpi(t1, t2);
    CU_ASSERT_STRING_EQUAL(l.last_query.impi, LAB_IMPI);
    /* the 200 may have been lost: the UE still has t1, and uses it */
    CU_ASSERT_EQUAL(first_reason(t1), GBA_OK);
    bootstrap_tmpi(t1, t3); /* again lost */
    CU_ASSERT_EQUAL(first_reason(t2), GBA_E_TMPI_UNKNOWN);
    CU_ASSERT_EQUAL(first_reason(t1), GBA_OK);
    /* the new one is used: the one before ends */
    CU_ASSERT_EQUAL(first_reason(t3), GBA_OK);
    CU_ASSERT_EQUAL(first_reason(t1), GBA_E_TMPI_UNKNOWN);
    CU_ASSERT_EQUAL(first_reason("2rBy9bL8T/1NFq7GP5vqj0H26PadfXr8@tmpi.bsf.3gppnetwork.org"),
                    GBA_E_TMPI_UNKNOWN);
    /* it may outlive its Ks, but not for ever */
    lab_pass(2 * 3600 * 1000);
    l.store->expire(l.store, lab_now());
    CU_ASSERT_EQUAL(stats().sessions, 0);
    CU_ASSERT_EQUAL(first_reason(t3), GBA_OK);
    lab_pass(86400 * 1000);
    CU_ASSERT_EQUAL(first_reason(t3), GBA_E_TMPI_UNKNOWN);
    l.store->expire(l.store, lab_now());
    CU_ASSERT_EQUAL(stats().subscribers, 0);
    lab_close(&l);
}

static void test_ue_without_token(void)
{
    struct ub_request rq = {.n_authorization = 1,
                            .method = GBA_TEXT("GET"),
                            .target = GBA_TEXT("/"),
                            .user_agent = GBA_TEXT("old client; 3gpp-gba")};
    char tmpi[GBA_TMPI_SIZE], field[2048];
    struct lab_result first, r;
    struct gba_ks ks;
    struct lab_ue ue;

    open_lab();
    lab_first(&l, LAB_IMPI, &first);
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
    lab_ue_print(&ue, field, sizeof(field));
    rq.authorization = gba_text(field);
    lab_request(&l, &rq, &r);
    CU_ASSERT_EQUAL(r.answer.verdict, UB_BOOTSTRAPPED);
    memcpy(ks.octets, ue.av.ck, 16);
    memcpy(ks.octets + 16, ue.av.ik, 16);
    CU_ASSERT_EQUAL(gba_tmpi(&ks, ue.av.rand, GBA_TEXT(LAB_IMPI), GBA_TEXT(LAB_BSF), tmpi),
                    GBA_OK);
    CU_ASSERT_EQUAL(first_reason(tmpi), GBA_E_TMPI_UNKNOWN);
    lab_close(&l);
}

/* ---- every call failing once ---------------------------------------------------------- */

static bool run_with_failure(unsigned call, bool resync)
{
    struct lab_result first, r;
    bool failed = false;
    struct lab_ue ue;

    open_lab();
    l.fail_call = call;
    lab_first(&l, LAB_IMPI, &first);
    failed = first.answer.verdict == UB_REFUSED;
    if (!failed && lab_ue_take(&l, &ue, LAB_IMPI, &first)) {
        if (resync) {
            lab_ue_set_auts(&ue, 77 << 5);
            lab_ue_answer(&l, &ue, &first);
            failed = first.answer.verdict == UB_REFUSED;
            if (!failed)
                CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
        } else {
            ue.res[0] ^= 1;
            lab_ue_answer(&l, &ue, &r);
            failed = r.answer.verdict == UB_REFUSED;
            ue.res[0] ^= 1;
        }
        if (!failed) {
            lab_ue_answer(&l, &ue, &r);
            failed = r.answer.verdict == UB_REFUSED;
            CU_ASSERT(failed || r.answer.verdict == UB_BOOTSTRAPPED);
        }
    }
    if (failed)
        CU_ASSERT_EQUAL(stats().sessions, 0); /* nothing half done */
    l.fail_call = 0;
    lab_pass(6000);
    lab_bootstrap(&l, LAB_IMPI, &r); /* and nobody locked out */
    CU_ASSERT_EQUAL(r.answer.verdict, UB_BOOTSTRAPPED);
    lab_close(&l);
    return failed;
}

static void test_every_call_failing_once(void)
{
    for (int resync = 0; resync < 2; resync++) {
        unsigned call = 1, failures = 0;

        while (run_with_failure(call, resync))
            call++, failures++;
        CU_ASSERT_EQUAL(failures, resync ? 11 : 8);
    }
}

/* ---- two answers at once -------------------------------------------------------------- */

#define RACERS 4
#define ROUNDS 300

struct racer {
    struct lab_ue *ue;
    pthread_barrier_t *start;
    struct lab_result result;
};

static void *race(void *arg)
{
    struct racer *r = arg;

    pthread_barrier_wait(r->start);
    lab_ue_answer(&l, r->ue, &r->result);
    return NULL;
}

static void test_one_winner(void)
{
    open_lab();
    l.answers_at_once = true;
    for (int round = 0; round < ROUNDS; round++) {
        struct racer racers[RACERS];
        pthread_t threads[RACERS];
        pthread_barrier_t start;
        struct lab_result first;
        struct lab_ue ue;
        int winners = 0;

        lab_pass(6000);
        lab_first(&l, LAB_IMPI, &first);
        CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
        pthread_barrier_init(&start, NULL, RACERS);
        for (int i = 0; i < RACERS; i++) {
            racers[i] = (struct racer){.ue = &ue, .start = &start};
            pthread_create(&threads[i], NULL, race, &racers[i]);
        }
        for (int i = 0; i < RACERS; i++) {
            pthread_join(threads[i], NULL);
            winners += racers[i].result.answer.verdict == UB_BOOTSTRAPPED;
        }
        pthread_barrier_destroy(&start);
        if (winners != 1)
            CU_FAIL("not exactly one winner");
    }
    CU_ASSERT(stats().sessions <= 2);
    lab_close(&l);
}

/* ---- the key at the end of the road --------------------------------------------------- */

struct zn_result {
    enum gba_err err;
    struct gba_key key;
    int64_t expiry_s;
    char impi[GBA_IMPI_SIZE];
};

static void note_zn(void *arg, const struct zn_outcome *o)
{
    struct zn_result *r = arg;

    r->err = o->err;
    if (o->answer == NULL)
        return;
    r->key = o->answer->me_key;
    r->expiry_s = o->answer->expiry_s;
    memcpy(r->impi, o->answer->impi, sizeof(r->impi));
}

static void test_key_over_zn(void)
{
    static const char *const fqdns[] = {"naf1.home1.net"}, *const names[] = {"naf1.home1.net"};
    static const char *const bsf[] = {LAB_BSF};
    static const struct policy_ua_id ids[] = {{{1, 0, 0, 0, 2}, false}};
    static const struct policy_naf naf = {.certificate = "naf1.home1.net",
                                          .fqdns = fqdns,
                                          .n_fqdns = 1,
                                          .ua_ids = ids,
                                          .n_ua_ids = 1};
    static const struct policy policy = {&naf, 1, bsf, 1, false};
    struct gba_zn_request rq = {.envelope = false};
    struct zn_query q = {names, 1, &rq};
    struct gba_bootstrapping_info info;
    struct lab_result first, r;
    struct zn_result z;
    struct gba_naf_id id;
    struct gba_key mine;
    struct gba_ks ks;
    struct lab_ue ue;
    struct zn_env env;

    open_lab();
    env = (struct zn_env){&policy, l.store, lab_now};
    lab_first(&l, LAB_IMPI, &first);
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(gba_bootstrapping_info_parse(
                        (struct gba_bytes){r.answer.body, r.answer.body_len}, &info),
                    GBA_OK);
    memcpy(rq.btid, info.btid, sizeof(rq.btid));
    CU_ASSERT_EQUAL(gba_naf_id_make(GBA_TEXT("naf1.home1.net"), gba_ua_http_digest, &id),
                    GBA_OK);
    memcpy(rq.naf_id, id.octets, id.n);
    rq.naf_id_len = id.n;
    zn_run_start(&env, &q, note_zn, &z);
    CU_ASSERT_EQUAL(z.err, GBA_OK);
    memcpy(ks.octets, ue.av.ck, 16);
    memcpy(ks.octets + 16, ue.av.ik, 16);
    CU_ASSERT_EQUAL(gba_ks_naf(&ks, GBA_USE_ME, ue.av.rand, GBA_TEXT(LAB_IMPI),
                               (struct gba_bytes){id.octets, id.n}, &mine),
                    GBA_OK);
    CU_ASSERT(gba_equal_ct(mine.octets, z.key.octets, 32));
    CU_ASSERT_EQUAL(z.expiry_s, info.lifetime_s);
    CU_ASSERT_STRING_EQUAL(z.impi, "");
    lab_pass(3600 * 1000); /* nothing is served past expiry */
    zn_run_start(&env, &q, note_zn, &z);
    CU_ASSERT_EQUAL(z.err, GBA_E_BTID);
    lab_close(&l);
}

static const struct unit_test tests[] = {
    {"the third wrong answer", test_third_wrong_answer},
    {"a repeated first request", test_repeated_first_request},
    {"an expired challenge", test_expired_challenge},
    {"replays cost bounded vectors", test_replays_cost_bounded_vectors},
    {"limit of an address", test_address_limit},
    {"resynchronisation", test_resynchronisation},
    {"AUTS of a forger", test_auts_of_a_forger},
    {"AUTS after forged ones", test_auts_after_forged_ones},
    {"refusals of Zh", test_zh_refusals},
    {"a repeated RAND", test_repeated_rand},
    {"decoys", test_decoy},
    {"no entropy", test_no_entropy},
    {"lifetime of Ks", test_lifetime},
    {"GUSS timestamp", test_guss_timestamp},
    {"GBA_U", test_gba_u},
    {"sizes of RES", test_res_sizes},
    {"RES out of range", test_res_out_of_range},
    {"TMPI", test_tmpi},
    {"a UE that knows no TMPI", test_ue_without_token},
    {"every call failing once", test_every_call_failing_once},
    {"one winner", test_one_winner},
    {"the key over Zn", test_key_over_zn},
};
UNIT_MAIN("ub_flow", tests)
