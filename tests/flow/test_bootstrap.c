/*
 * Whole Ub procedures between libgba-ue and the BSF's front, decisions and store: with IMPI and
 * with TMPI, resynchronisation, what is lost, late or repeated on the way.  TS 33.220 4.5.2,
 * TS 24.109 4.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/digest_aka.h"
#include "common/identity.h"
#include "tests/flow/lab.h"

#define K16   "000102030405060708090a0b0c0d0e0f"
#define K32   K16 "101112131415161718191a1b1c1d1e1f"
#define OPC32 "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"

static struct lab l;

static void open_lab(void)
{
    lab_init(&l);
    lab_open(&l);
}

/* The key for LAB_NAF, as the UE derives it. */
static struct gba_ue_naf_key ue_key(void)
{
    static const uint8_t ua_id[] = {1, 0, 0, 0, 2};
    struct gba_ue_naf_key k;

    memset(&k, 0, sizeof(k));
    gba_ue_keyring_naf_key(l.ring, LAB_NAF, ua_id, false, fake_now_ms() / 1000, &k);
    return k;
}

/* Both ends have the same Ks: seen by a key derived from it, which is all that leaves it. */
static void check_same_ks(void)
{
    static const uint8_t ua_id[] = {1, 0, 0, 0, 2};
    const struct gba_ue_naf_key k = ue_key();
    struct gba_naf_credential c;

    CU_ASSERT_EQUAL(gba_naf_fetch(l.naf, k.btid, LAB_NAF, ua_id, fake_now_ms() / 1000, &c),
                    GBA_OK);
    CU_ASSERT(gba_equal_ct(c.me_key, k.key, sizeof(k.key)));
    CU_ASSERT_EQUAL(c.expires_s, k.expires_s);
}

/* The username of the last request on Ub. */
static bool came_as(const char *username)
{
    char parameter[320];

    snprintf(parameter, sizeof(parameter), "username=\"%s\"", username);
    return strstr(l.to_bsf.authorization, parameter) != NULL;
}

static void test_with_impi(void)
{
    struct gba_ue_session s;
    struct gba_text domain;
    uint8_t rand[16];

    open_lab();
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT_EQUAL(l.to_bsf.n, 2);
    CU_ASSERT(came_as(LAB_IMPI));
    CU_ASSERT_STRING_EQUAL(fake_http_reply_value(&l.to_bsf.reply, "Content-Type"),
                           GBA_BOOTSTRAPPING_INFO_TYPE);
    s = lab_session(&l);
    CU_ASSERT_EQUAL(gba_btid_parse(gba_text(s.btid), rand, &domain), GBA_OK);
    CU_ASSERT(gba_text_is(domain, LAB_BSF));
    CU_ASSERT_STRING_EQUAL(s.impi, LAB_IMPI);
    CU_ASSERT_EQUAL(s.expires_s, fake_now_ms() / 1000 + LAB_LIFE);
    CU_ASSERT(gba_is_tmpi(gba_text(s.tmpi)));
    check_same_ks();
    CU_ASSERT_EQUAL(lab_stats(&l).sessions, 1);
    CU_ASSERT_EQUAL(lab_stats(&l).challenges, 0);
    CU_ASSERT(lab_is_clean_after_all(&l));
    lab_close(&l);
}

static void test_algorithms(void)
{
    static const struct {
        enum gba_aka_algorithm algorithm;
        const char *k, *opc, *lines;
        size_t res_len;
        const char *fmk;
    } cases[] = {
        {GBA_AKA_TUAK, K32, OPC32, "algorithm=tuak\nk=" K32 "\ntopc=" OPC32 "\nres_len=16\n",
         16, NULL},
        {GBA_AKA_TUAK, K16, OPC32, "algorithm=tuak\nk=" K16 "\ntopc=" OPC32 "\nres_len=4\n", 4,
         NULL},
        {GBA_AKA_XOR, K16, "", "algorithm=xor\nk=" K16 "\nres_len=10\n", 10, NULL},
        {GBA_AKA_3GPP2, K16, "", "algorithm=3gpp2\nk=" K16 "\n", 16, NULL},
        {GBA_AKA_3GPP2, K16, "", "algorithm=3gpp2\nk=" K16 "\nfmk=4f70656e\nres_len=8\n", 8,
         "Open"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gba_aka_secret *s = &l.zh.secret;
        size_t n;

        lab_init(&l);
        *s = (struct gba_aka_secret){.algorithm = cases[i].algorithm,
                                     .res_len = cases[i].res_len};
        gba_unhex(s->k, sizeof(s->k), gba_text(cases[i].k), &s->k_len);
        gba_unhex(s->opc, sizeof(s->opc), gba_text(cases[i].opc), &n);
        s->own_fmk = cases[i].fmk != NULL;
        if (s->own_fmk)
            memcpy(s->fmk, cases[i].fmk, sizeof(s->fmk));
        l.secret_lines = cases[i].lines;
        lab_open(&l);
        CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
        check_same_ks();
        lab_age_hss(&l);
        CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
        CU_ASSERT_EQUAL(l.to_bsf.n, 2 + 3);
        check_same_ks();
        lab_close(&l);
    }
}

static void test_isim_name(void)
{
    lab_init(&l);
    l.usim_lines = "type=isim\nimpi=" LAB_IMPI "\n";
    lab_open(&l);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT_STRING_EQUAL(lab_session(&l).bsf_fqdn, LAB_ISIM);
    CU_ASSERT_PTR_NOT_NULL(strstr(lab_session(&l).btid, "@" LAB_ISIM));
    CU_ASSERT_PTR_NOT_NULL(strstr(l.to_bsf.authorization, "realm=\"" LAB_ISIM "\""));
    check_same_ks();
    lab_close(&l);
}

static void test_with_tmpi(void)
{
    char first[GBA_UE_TMPI_SIZE], second[GBA_UE_TMPI_SIZE];
    struct fake_http_reply r;

    open_lab();
    lab_bootstrap(&l);
    strcpy(first, lab_session(&l).tmpi);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT_EQUAL(l.to_bsf.n, 4);
    CU_ASSERT(came_as(first));
    CU_ASSERT_STRING_EQUAL(l.zh.last.impi, LAB_IMPI);
    strcpy(second, lab_session(&l).tmpi);
    CU_ASSERT_STRING_NOT_EQUAL(first, second);
    check_same_ks(); /* the IMPI, not the TMPI, is under the KDF */
    /* the first one lives until the second has been used */
    lab_ub_first(&l, first, &r);
    CU_ASSERT_EQUAL(r.status, 401);
    fake_http_reply_end(&r);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT(came_as(second));
    lab_ub_first(&l, first, &r);
    CU_ASSERT_EQUAL(r.status, 403);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r.body);
    CU_ASSERT_PTR_NOT_NULL(memmem(r.body, r.body_len, "TMPI_UNKNOWN", 12));
    fake_http_reply_end(&r);
    CU_ASSERT_EQUAL(lab_stats(&l).subscribers, 1);
    CU_ASSERT(lab_is_clean_after_all(&l));
    lab_close(&l);
}

static void test_tmpi_unknown(void)
{
    char first[GBA_UE_TMPI_SIZE];

    open_lab();
    lab_bootstrap(&l);
    strcpy(first, lab_session(&l).tmpi);
    lab_restart_bsf(&l);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT_EQUAL(l.to_bsf.n, 2 + 3); /* refused, asked, answered */
    CU_ASSERT(came_as(LAB_IMPI));
    CU_ASSERT_STRING_NOT_EQUAL(lab_session(&l).tmpi, first);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK); /* and the new one serves */
    CU_ASSERT_EQUAL(l.to_bsf.n, 5 + 2);
    lab_close(&l);
}

/* TS 33.220 4.5.2: the TMPI that was refused is forgotten also when the retry fails. */
static void test_tmpi_unknown_and_no_hss(void)
{
    open_lab();
    lab_bootstrap(&l);
    lab_restart_bsf(&l);
    l.zh.fails = GBA_E_ZH_UNREACHABLE;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_OVERLOAD);
    CU_ASSERT_STRING_EQUAL(gba_ue_keyring_tmpi(l.ring), "");
    l.zh.fails = GBA_OK;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT_EQUAL(l.to_bsf.n, 2 + 2 + 2);
    lab_close(&l);
}

static void test_resynchronisation(void)
{
    open_lab();
    lab_age_hss(&l);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT_EQUAL(l.to_bsf.n, 3);
    CU_ASSERT_EQUAL(l.zh.n_asked, 2);
    CU_ASSERT(l.zh.last.resync);
    CU_ASSERT_EQUAL(l.usim.n_auth, 2);
    check_same_ks();
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK); /* HSS and card agree from now on */
    CU_ASSERT_EQUAL(l.to_bsf.n, 3 + 2);
    CU_ASSERT_EQUAL(lab_stats(&l).sessions, 2);
    CU_ASSERT(lab_is_clean_after_all(&l));
    lab_close(&l);
}

/* What a UE without our UE's limit would say to the last challenge: AUTS. */
static void answer_with_auts(char authorization[2048])
{
    struct gba_ue *ue =
        gba_ue_init(malloc(gba_ue_size()), gba_ue_size(),
                    &(struct gba_ue_config){.impi = LAB_IMPI, .bsf_fqdn = LAB_BSF});
    const struct gba_ue_reply reply = {
        .status = 401, .fields = l.to_bsf.fields, .n_fields = l.to_bsf.reply.n_fields};
    struct gba_ue_event ev = {.happened = GBA_UE_EV_START, .reply = &reply};
    enum gba_ue_todo todo;
    const uint8_t *rand, *autn;
    struct gba_ue_aka aka;
    bool gba;

    CU_ASSERT_EQUAL(gba_ue_step(ue, &ev, &todo), GBA_OK);
    ev.happened = GBA_UE_EV_REPLY;
    CU_ASSERT_EQUAL(gba_ue_step(ue, &ev, &todo), GBA_OK);
    CU_ASSERT_EQUAL_FATAL(todo, GBA_UE_ASK_USIM);
    gba_ue_challenge(ue, &rand, &autn, &gba);
    CU_ASSERT_EQUAL(l.card->authenticate(l.card, gba, rand, autn, &aka), GBA_E_SYNC);
    ev.happened = GBA_UE_EV_AKA;
    ev.aka = &aka;
    CU_ASSERT_EQUAL(gba_ue_step(ue, &ev, &todo), GBA_OK);
    CU_ASSERT_EQUAL_FATAL(todo, GBA_UE_SEND);
    strcpy(authorization, gba_ue_request(ue)->fields[2].value);
    gba_ue_end(ue);
    free(ue);
}

/* An HSS that does not resynchronise: the UE sends one AUTS, the BSF takes one a run. */
static void test_second_auts(void)
{
    struct fake_http_reply r;
    char second[2048];

    open_lab();
    lab_age_hss(&l);
    l.zh.ignores_auts = true;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_SYNC);
    CU_ASSERT_EQUAL(l.to_bsf.n, 2);
    CU_ASSERT_EQUAL(l.zh.n_asked, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(l.to_bsf.authorization, "auts="));
    lab_ub_raw(&l, l.to_bsf.authorization, &r); /* again for the first challenge */
    CU_ASSERT_EQUAL(r.status, 403);
    fake_http_reply_end(&r);
    answer_with_auts(second); /* another one, for the second challenge */
    CU_ASSERT_STRING_NOT_EQUAL(second, l.to_bsf.authorization);
    lab_ub_raw(&l, second, &r);
    CU_ASSERT_EQUAL(r.status, 403);
    fake_http_reply_end(&r);
    CU_ASSERT_EQUAL(l.zh.n_asked, 2);
    CU_ASSERT_EQUAL(lab_stats(&l).sessions, 0);
    CU_ASSERT_STRING_EQUAL(lab_session(&l).btid, "");
    l.zh.ignores_auts = false; /* the next run is a new one */
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    lab_close(&l);
}

/* Somebody on the way spoils AUTS: the HSS refuses it, and the run ends. */
static void test_forged_auts(void)
{
    struct fake_http_reply r;
    char *at;

    open_lab();
    lab_age_hss(&l);
    l.to_bsf.lose_request = 2;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_TIMEOUT);
    at = strstr(l.to_bsf.authorization, "auts=\"");
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    at[6] = at[6] == 'A' ? 'B' : 'A';
    for (unsigned i = 0; i < 2; i++) {
        lab_ub_raw(&l, l.to_bsf.authorization, &r);
        CU_ASSERT_EQUAL(r.status, 403);
        fake_http_reply_end(&r);
        CU_ASSERT_EQUAL(l.zh.n_asked, 2 + i);
    }
    CU_ASSERT_EQUAL(l.zh.sqn, 0x120); /* and did not move by it */
    CU_ASSERT_EQUAL(lab_stats(&l).sessions, 0);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    lab_close(&l);
}

static void test_repeated_first_request(void)
{
    struct fake_http_reply a, b;

    open_lab();
    lab_ub_first(&l, LAB_IMPI, &a);
    fake_pass_s(4);
    lab_ub_first(&l, LAB_IMPI, &b);
    CU_ASSERT_EQUAL(a.status, 401);
    CU_ASSERT_STRING_EQUAL(fake_http_reply_value(&a, "WWW-Authenticate"),
                           fake_http_reply_value(&b, "WWW-Authenticate"));
    CU_ASSERT_EQUAL(l.zh.n_asked, 1);
    /* a stranger's repeated GETs do not stop the subscriber */
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT_EQUAL(l.zh.n_asked, 1);
    fake_http_reply_end(&a);
    fake_http_reply_end(&b);
    lab_close(&l);
}

/* The BSF has opened the session, the UE never hears of it. */
static void test_lost_success(void)
{
    char tmpi[GBA_UE_TMPI_SIZE], btid[GBA_UE_BTID_SIZE];

    open_lab();
    lab_bootstrap(&l);
    strcpy(tmpi, lab_session(&l).tmpi);
    strcpy(btid, lab_session(&l).btid);
    l.to_bsf.lose_reply = 4;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_TIMEOUT);
    CU_ASSERT_EQUAL(lab_stats(&l).sessions, 2);
    CU_ASSERT_STRING_EQUAL(lab_session(&l).btid, btid); /* the session before stands ... */
    check_same_ks();                                    /* ... at both ends */
    CU_ASSERT_STRING_EQUAL(gba_ue_keyring_tmpi(l.ring), tmpi);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT(came_as(tmpi)); /* the TMPI before is still known */
    CU_ASSERT_EQUAL(l.to_bsf.n, 6);
    check_same_ks();
    CU_ASSERT_EQUAL(lab_stats(&l).sessions, 2); /* the newest two of this subscriber */
    CU_ASSERT(lab_is_clean_after_all(&l));
    lab_close(&l);
}

static void test_replayed_answer(void)
{
    struct fake_http_reply r;
    char answer[2048];

    open_lab();
    lab_bootstrap(&l);
    strcpy(answer, l.to_bsf.authorization);
    for (int i = 0; i < 3; i++) {
        lab_ub_raw(&l, answer, &r);
        CU_ASSERT_EQUAL(r.status, 401);
        CU_ASSERT_STRING_EQUAL(fake_http_reply_value(&r, "Authentication-Info"), "");
        fake_http_reply_end(&r);
    }
    CU_ASSERT_EQUAL(l.zh.n_asked, 2); /* one fresh challenge, then the same again */
    CU_ASSERT_EQUAL(lab_stats(&l).sessions, 1);
    check_same_ks();
    lab_close(&l);
}

/* The card is so slow that the challenge has gone: the UE takes the fresh one, once. */
static void test_expired_challenge(void)
{
    open_lab();
    l.usim.takes_s = 61;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_RES);
    CU_ASSERT_EQUAL(l.usim.n_auth, 2);
    CU_ASSERT_EQUAL(lab_stats(&l).sessions, 0);
    l.usim.takes_s = 0;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT(lab_is_clean_after_all(&l));
    lab_close(&l);
}

static void test_expired_ks(void)
{
    static const uint8_t ua_id[] = {1, 0, 0, 0, 2};
    struct gba_naf_credential c;
    char btid[GBA_UE_BTID_SIZE];

    open_lab();
    lab_bootstrap(&l);
    strcpy(btid, lab_session(&l).btid);
    fake_pass_s(LAB_LIFE - 1);
    check_same_ks();
    lab_restart_naf(&l);
    fake_pass_s(1);
    CU_ASSERT_STRING_EQUAL(lab_session(&l).btid, "");
    CU_ASSERT_STRING_EQUAL(ue_key().btid, "");
    CU_ASSERT_EQUAL(gba_naf_fetch(l.naf, btid, LAB_NAF, ua_id, fake_now_ms() / 1000, &c),
                    GBA_E_BTID);
    l.store->expire(l.store, fake_now_ms());
    CU_ASSERT_EQUAL(lab_stats(&l).sessions, 0);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK); /* by the TMPI, which outlives Ks */
    CU_ASSERT(!came_as(LAB_IMPI));
    check_same_ks();
    lab_close(&l);
}

static const struct unit_test tests[] = {
    {"with the IMPI", test_with_impi},
    {"TUAK, the test algorithm and 3GPP2", test_algorithms},
    {"an ISIM's BSF name", test_isim_name},
    {"with the TMPI", test_with_tmpi},
    {"TMPI unknown: again with the IMPI", test_tmpi_unknown},
    {"TMPI unknown, then no HSS", test_tmpi_unknown_and_no_hss},
    {"resynchronisation", test_resynchronisation},
    {"a second AUTS is refused", test_second_auts},
    {"a forged AUTS is refused", test_forged_auts},
    {"repeated first request", test_repeated_first_request},
    {"lost 200", test_lost_success},
    {"replayed answer", test_replayed_answer},
    {"expired challenge", test_expired_challenge},
    {"expired Ks", test_expired_ks},
};

UNIT_MAIN("flow: bootstrapping", tests)
