/*
 * Ub procedures that must end in a refusal: at the BSF with nothing left behind, at the UE with
 * nothing believed.  TS 24.109 4.3, 4.4, TS 33.102 6.3, RFC 3310.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/bootstrapping_info.h"
#include "tests/flow/lab.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))

static struct lab l;

static void open_lab(void)
{
    lab_init(&l);
    lab_open(&l);
}

/* Neither end has anything of the run. */
static void check_nothing_stands(void)
{
    const struct gba_ue_session s = lab_session(&l);
    const struct store_stats st = lab_stats(&l);

    CU_ASSERT_STRING_EQUAL(s.btid, "");
    CU_ASSERT_STRING_EQUAL(gba_ue_keyring_tmpi(l.ring), "");
    CU_ASSERT_EQUAL(st.sessions, 0);
    CU_ASSERT_EQUAL(st.challenges, 0);
    CU_ASSERT_EQUAL(st.subscribers, 0);
}

static void test_network_mac_failure(void)
{
    open_lab();
    l.zh.bad_mac = true;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_MAC);
    CU_ASSERT_EQUAL(l.to_bsf.n, 1); /* to another network nothing is said */
    fake_pass_s(60);
    l.store->expire(l.store, fake_now_ms());
    check_nothing_stands();
    l.device.report_mac_failure = true;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_MAC);
    CU_ASSERT_EQUAL(l.to_bsf.n, 3);
    CU_ASSERT_EQUAL(l.to_bsf.reply.status, 403);
    check_nothing_stands(); /* the BSF drops the challenge at once */
    CU_ASSERT_EQUAL(l.zh.n_asked, 2);
    l.zh.bad_mac = false;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    lab_close(&l);
}

static void test_third_wrong_res(void)
{
    struct fake_http_reply r;

    open_lab();
    l.usim.wrong_res = true;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_RES);
    CU_ASSERT_EQUAL(l.to_bsf.n, 2); /* the same nonce comes back: no use to repeat */
    CU_ASSERT_EQUAL(l.usim.n_auth, 1);
    CU_ASSERT_EQUAL(lab_stats(&l).challenges, 1);
    lab_ub_raw(&l, l.to_bsf.authorization, &r);
    CU_ASSERT_EQUAL(r.status, 401);
    fake_http_reply_end(&r);
    lab_ub_raw(&l, l.to_bsf.authorization, &r);
    CU_ASSERT_EQUAL(r.status, 403);
    CU_ASSERT_EQUAL(r.body_len, 0);
    fake_http_reply_end(&r);
    CU_ASSERT_EQUAL(l.zh.n_asked, 1);
    check_nothing_stands();
    l.usim.wrong_res = false; /* nobody is locked out */
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    lab_close(&l);
}

/* A forger who saw the challenge answers it wrongly; the subscriber's run goes on. */
static void test_forger_beside_the_subscriber(void)
{
    struct fake_http_reply r;

    open_lab();
    l.usim.wrong_res = true;
    lab_bootstrap(&l);
    l.usim.wrong_res = false;
    lab_ub_raw(&l, l.to_bsf.authorization, &r);
    CU_ASSERT_EQUAL(r.status, 401);
    fake_http_reply_end(&r);
    CU_ASSERT_EQUAL(lab_bootstrap(&l),
                    GBA_OK); /* a challenge touched by others is not reused */
    CU_ASSERT_EQUAL(l.zh.n_asked, 2);
    CU_ASSERT_EQUAL(lab_stats(&l).sessions, 1);
    lab_close(&l);
}

static void test_hss_refuses(void)
{
    static const struct {
        enum gba_err zh, ue;
        unsigned status;
    } cases[] = {{GBA_E_SUBSCRIBER_UNKNOWN, GBA_E_REFUSED, 403},
                 {GBA_E_SUBSCRIBER_BARRED, GBA_E_REFUSED, 403},
                 {GBA_E_ZH_UNREACHABLE, GBA_E_OVERLOAD, 503},
                 {GBA_E_ZH_TIMEOUT, GBA_E_OVERLOAD, 503},
                 {GBA_E_ZH_FAILURE, GBA_E_OVERLOAD, 503},
                 {GBA_E_ZH_MALFORMED, GBA_E_OVERLOAD, 503},
                 {GBA_E_OVERLOAD, GBA_E_OVERLOAD, 503},
                 {GBA_E_CANCELLED, GBA_E_OVERLOAD, 503}};

    open_lab();
    for (size_t i = 0; i < SIZE(cases); i++) {
        const char *retry;

        l.zh.fails = cases[i].zh;
        CU_ASSERT_EQUAL(lab_bootstrap(&l), cases[i].ue);
        CU_ASSERT_EQUAL(l.device.http_status, cases[i].status);
        retry = fake_http_reply_value(&l.to_bsf.reply, "Retry-After");
        CU_ASSERT_EQUAL(atoi(retry), cases[i].status == 503 ? 5 : 0);
        CU_ASSERT_EQUAL(l.to_bsf.n, i + 1);
        check_nothing_stands();
    }
    l.zh.fails = GBA_OK;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    lab_close(&l);
}

/* The HSS gives a RAND a second time: two sessions must not share a B-TID. */
static void test_repeated_rand(void)
{
    char btid[GBA_UE_BTID_SIZE];

    open_lab();
    l.zh.same_rand = true;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    strcpy(btid, lab_session(&l).btid);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_OVERLOAD);
    CU_ASSERT_EQUAL(l.device.http_status, 503);
    CU_ASSERT_STRING_EQUAL(lab_session(&l).btid, btid);
    CU_ASSERT_EQUAL(lab_stats(&l).sessions, 1);
    CU_ASSERT_EQUAL(lab_stats(&l).challenges, 0);
    fake_pass_s(LAB_LIFE); /* the session is over: nothing lives under this RAND */
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    lab_close(&l);
}

static void test_rate_limits(void)
{
    struct fake_http_reply r;

    lab_init(&l);
    l.limiter_config = (struct limiter_config){.subscriber = {3, 1}, .buckets = 64};
    lab_open(&l);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_OVERLOAD);
    CU_ASSERT_EQUAL(l.zh.n_asked, 3);
    CU_ASSERT(atoi(fake_http_reply_value(&l.to_bsf.reply, "Retry-After")) > 0);
    lab_ub_first(&l, LAB_IMPI, &r); /* the TMPI and the IMPI are one subscriber */
    CU_ASSERT_EQUAL(r.status, 503);
    fake_http_reply_end(&r);
    fake_pass_s(60);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    lab_close(&l);
}

/* What a UE must not accept, although AKA itself is right. */
static void test_tampered_replies(void)
{
    static const struct {
        const char *from, *to;
        enum gba_err err;
        unsigned n; /* exchanges */
    } cases[] = {
        {"qop=\"auth-int\"", "qop=\"auth\"", GBA_E_QOP, 1},
        {"AKAv1-MD5", "MD5", GBA_E_ALGORITHM, 1},
        {"AKAv1-MD5", "AKAv2-MD5", GBA_E_ALGORITHM, 1},
        {"realm=\"" LAB_BSF, "realm=\"bsf.example.org", GBA_E_BINDING, 1},
        {"nonce=\"", "nonce=\"A", GBA_E_NONCE, 1},
        {"Digest ", "Basic ", GBA_E_PROTOCOL, 1},
        {"rspauth=\"", "rspauth=\"0", GBA_E_RSPAUTH, 2},
        {"rspauth=\"", "other=\"", GBA_E_RSPAUTH, 2},
        {"qop=auth-int", "qop=auth", GBA_E_RSPAUTH, 2},
    };

    for (size_t i = 0; i < SIZE(cases); i++) {
        open_lab();
        l.to_bsf.tamper_from = cases[i].from;
        l.to_bsf.tamper_to = cases[i].to;
        CU_ASSERT_EQUAL(lab_bootstrap(&l), cases[i].err);
        CU_ASSERT_EQUAL(l.to_bsf.n, cases[i].n);
        CU_ASSERT_STRING_EQUAL(lab_session(&l).btid, "");
        CU_ASSERT_STRING_EQUAL(gba_ue_keyring_tmpi(l.ring), "");
        l.to_bsf.tamper_from = NULL;
        CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
        lab_close(&l);
    }
}

/* A BSF that does not know TMPIs, by its Server field: none is computed. */
static void test_no_tmpi_token(void)
{
    open_lab();
    l.to_bsf.tamper_from = "3gpp-gba-tmpi";
    l.to_bsf.tamper_to = "3gpp-gba-tmpi-not";
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT_STRING_EQUAL(lab_session(&l).tmpi, "");
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(l.to_bsf.authorization, "username=\"" LAB_IMPI));
    lab_close(&l);
}

/* Ub was configured with https: no trouble makes the UE try http. */
static void test_https_stays_https(void)
{
    open_lab();
    l.device.bsf_url = "https://" LAB_BSF "/";
    l.to_bsf.lose_request = 1;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_TIMEOUT);
    l.to_bsf.lose_reply = 3;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_TIMEOUT);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT_EQUAL(l.to_bsf.n, 1 + 2 + 2);
    CU_ASSERT_EQUAL(l.to_bsf.n_http, 0);
    lab_close(&l);
}

/* Neither a store at its caps nor an eviction leaves a run half done. */
static void test_full_store(void)
{
    struct fake_http_reply r;
    char user[80];

    lab_init(&l);
    l.store_config.challenges = 2;
    l.store_config.sessions = 2;
    l.store_config.sessions_per_subscriber = 1;
    lab_open(&l);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
        CU_ASSERT_EQUAL(lab_stats(&l).sessions, 1);
    }
    for (int i = 0; i < 3; i++) {
        l.zh.impi = user;
        snprintf(user, sizeof(user), "%d@example.org", i);
        lab_ub_first(&l, user, &r);
        CU_ASSERT_EQUAL(r.status, 401);
        fake_http_reply_end(&r);
    }
    CU_ASSERT_EQUAL(lab_stats(&l).challenges, 2);
    CU_ASSERT_EQUAL(lab_stats(&l).challenges_evicted, 1);
    l.zh.impi = LAB_IMPI;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT(lab_is_clean_after_all(&l));
    lab_close(&l);
}

static const struct unit_test tests[] = {
    {"MAC failure", test_network_mac_failure},
    {"wrong RES three times", test_third_wrong_res},
    {"a forger beside the subscriber", test_forger_beside_the_subscriber},
    {"refusals of the HSS", test_hss_refuses},
    {"a repeated RAND", test_repeated_rand},
    {"rate limits", test_rate_limits},
    {"tampered replies", test_tampered_replies},
    {"a BSF without TMPIs", test_no_tmpi_token},
    {"https stays https", test_https_stays_https},
    {"a full store", test_full_store},
};

UNIT_MAIN("flow: refusals on Ub", tests)
