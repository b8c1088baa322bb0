/*
 * Ua and Zn where something must be refused or must not be weakened: a NAF without right,
 * settings it may not see, tampered challenges, forged answers, other suites and hosts.
 * TS 24.109 5.2, TS 33.220 4.5.3, TS 33.222 5.3.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>

#include "tests/flow/lab.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define HTTP        "http://" LAB_NAF "/x"
#define HTTPS       "https://" LAB_NAF "/x"

static struct lab l;

static void open_lab(void)
{
    lab_init(&l);
    lab_open(&l);
}

static bool sent(const char *parameter)
{
    return strstr(l.to_naf.authorization, parameter) != NULL;
}

/* ---- Zn --------------------------------------------------------------------------------- */

static void test_zn_refusals(void)
{
    static const uint8_t ua_id[] = {1, 0, 0, 0, 2}, tmpi_id[] = {1, 0, 0, 1, 0};
    struct gba_naf_credential c;
    const int64_t now_s = fake_now_ms() / 1000;
    char btid[GBA_UE_BTID_SIZE];

    open_lab();
    lab_bootstrap(&l);
    strcpy(btid, lab_session(&l).btid);
    CU_ASSERT_EQUAL(gba_naf_fetch(l.naf, btid, "naf3.home1.net", ua_id, now_s, &c),
                    GBA_E_NOT_AUTHORIZED);
    CU_ASSERT_EQUAL(gba_naf_fetch(l.naf, btid, LAB_NAF, tmpi_id, now_s, &c),
                    GBA_E_NOT_AUTHORIZED);
    CU_ASSERT_EQUAL(gba_naf_fetch(l.naf, btid, LAB_BSF, ua_id, now_s, &c),
                    GBA_E_NOT_AUTHORIZED);
    CU_ASSERT_EQUAL(
        gba_naf_fetch(l.naf, "AAAAAAAAAAAAAAAAAAAAAA==@" LAB_BSF, LAB_NAF, ua_id, now_s, &c),
        GBA_E_BTID);
    CU_ASSERT_EQUAL(
        gba_naf_fetch(l.naf, "AAAAAAAAAAAAAAAAAAAAAA==@example.org", LAB_NAF, ua_id, now_s, &c),
        GBA_E_FORBIDDEN);
    CU_ASSERT_EQUAL(gba_naf_fetch(l.naf, btid, LAB_NAF, ua_id, now_s, &c), GBA_OK);
    CU_ASSERT_STRING_EQUAL(c.impi, ""); /* its row does not say that it may learn it */
    gba_naf_credential_wipe(&c);
    lab_close(&l);

    lab_init(&l);
    l.zn_name = "other.home1.net"; /* a certificate without a row */
    lab_open(&l);
    lab_bootstrap(&l);
    CU_ASSERT_EQUAL(gba_naf_fetch(l.naf, lab_session(&l).btid, LAB_NAF, ua_id, now_s, &c),
                    GBA_E_NOT_AUTHORIZED);
    lab_close(&l);
}

#define USS(id, group)                                                                         \
    "<uss id=\"" id "\" type=\"1\"" group "><uids><uid>sip:u" id "@b</uid></uids><flags/></"   \
    "uss>"
#define GUSS(usss)                                                                             \
    "<guss id=\"x\"><bsfInfo><lifeTime>600</lifeTime></bsfInfo><ussList>" usss                 \
    "</ussList></guss>"

/* The subscriber's settings on their way from the HSS: lifetime, and the USS this NAF sees. */
static void test_user_security_settings(void)
{
    char btid[GBA_UE_BTID_SIZE];
    enum gba_err err;

    lab_init(&l);
    lab_set_guss(&l, GUSS(USS("1", "") USS("2", "") USS("1", " nafGroup=\"other\"")));
    lab_open(&l);
    CU_ASSERT_EQUAL(lab_get(&l, HTTP, &err), 200);
    CU_ASSERT_EQUAL(lab_session(&l).expires_s, fake_now_ms() / 1000 + 600);
    CU_ASSERT_PTR_NOT_NULL(strstr(l.naf_uss, "sip:u1@b"));
    CU_ASSERT_PTR_NULL(strstr(l.naf_uss, "sip:u2@b")); /* not a GSID of its row */
    CU_ASSERT_PTR_NULL(strstr(l.naf_uss, "other"));    /* not a group of its row */
    CU_ASSERT_PTR_NULL(strstr(l.naf_uss, "bsfInfo"));  /* never */
    strcpy(btid, l.naf_btid);
    /* the next run brings the renewed GUSS */
    lab_set_guss(&l, GUSS(USS("1", " nafGroup=\"g\"")));
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    lab_restart_naf(&l);
    CU_ASSERT_EQUAL(lab_get(&l, HTTP, &err), 200);
    CU_ASSERT_STRING_NOT_EQUAL(l.naf_btid, btid);
    CU_ASSERT_STRING_EQUAL(l.naf_uss, "");
    lab_close(&l);
}

static void test_no_bsf_over_zn(void)
{
    enum gba_err err;

    open_lab();
    lab_bootstrap(&l);
    l.faults = (struct faults){.fail_at = 0};
    lab_get(&l, HTTP, &err); /* find Zn's call */
    for (l.faults.fail_at = 1; l.faults.hit == NULL || strcmp(l.faults.hit, "zn") != 0;
         l.faults.fail_at++) {
        lab_restart_naf(&l);
        l.faults.n_calls = 0;
        lab_get(&l, HTTP, &err);
    }
    CU_ASSERT_EQUAL(err, GBA_OK);
    CU_ASSERT_EQUAL(l.to_naf.reply.status, 503);
    CU_ASSERT_STRING_NOT_EQUAL(fake_http_reply_value(&l.to_naf.reply, "Retry-After"), "");
    CU_ASSERT_EQUAL(l.to_bsf.n, 2); /* the B-TID is not to blame */
    l.faults.fail_at = 0;
    CU_ASSERT_EQUAL(lab_get(&l, HTTP, &err), 200);
    lab_close(&l);
}

/* ---- what must not be weakened ---------------------------------------------------------- */

static void test_tampered_challenges(void)
{
    static const struct {
        const char *from, *to;
        enum gba_err err;
    } cases[] = {
        {"3GPP-bootstrapping@" LAB_NAF, "3GPP-bootstrapping@naf.example.org", GBA_E_BINDING},
        {"3GPP-bootstrapping@" LAB_NAF, "users@" LAB_NAF, GBA_E_REFUSED},
        {"3GPP-bootstrapping@" LAB_NAF, "3GPP-bootstrapping-akma@" LAB_NAF, GBA_E_REFUSED},
        {"3GPP-bootstrapping@", "3GPP-bootstrapping-uicc@", GBA_E_FORBIDDEN},
        {"SHA-256", "SHA-512-256", GBA_E_ALGORITHM},
        {"SHA-256", "SHA-256-sess", GBA_E_ALGORITHM},
        {"auth,auth-int", "token", GBA_E_QOP},
        {"nonce=\"", "nonce=\"\", xnonce=\"", GBA_E_PROTOCOL},
    };
    enum gba_err err;

    for (size_t i = 0; i < SIZE(cases) * 2; i++) {
        const bool https = i >= SIZE(cases);

        lab_init(&l);
        l.naf_config.algorithms = GBA_NAF_SHA256;
        lab_open(&l);
        l.to_naf.tamper_from = cases[i % SIZE(cases)].from;
        l.to_naf.tamper_to = cases[i % SIZE(cases)].to;
        CU_ASSERT_EQUAL(lab_get(&l, https ? HTTPS : HTTP, &err), 0);
        CU_ASSERT_EQUAL(err, cases[i % SIZE(cases)].err);
        CU_ASSERT(!l.to_naf.any_authorization); /* no B-TID went out */
        CU_ASSERT_EQUAL(l.to_bsf.n, 0);         /* and nobody bootstrapped for it */
        lab_close(&l);
    }
}

static void test_http_not_allowed(void)
{
    struct gba_ue_fetch f = {.method = "GET", .url = HTTP};
    struct gba_ue_reply reply;

    open_lab();
    CU_ASSERT_EQUAL(gba_ue_fetch(&l.device, &f, &reply), GBA_E_DOWNGRADE);
    CU_ASSERT(!l.to_naf.any_authorization);
    CU_ASSERT_EQUAL(l.to_bsf.n, 0);
    lab_close(&l);
}

static void test_forged_answers(void)
{
    static const char *const from[] = {"rspauth=\"", "rspauth=\""},
                             *to[] = {"rspauth=\"0", "other=\""};
    enum gba_err err;

    for (size_t i = 0; i < SIZE(from); i++) {
        open_lab();
        l.to_naf.tamper_from = from[i];
        l.to_naf.tamper_to = to[i];
        CU_ASSERT_EQUAL(lab_get(&l, HTTP, &err), 0);
        CU_ASSERT_EQUAL(err, GBA_E_RSPAUTH);
        lab_close(&l);
    }
}

/* TS 33.220 Annex H: the Ua id is that of the connection that carries Authorization. */
static void test_suites_change(void)
{
    enum gba_err err;

    open_lab();
    strcpy(l.to_naf.suites, "....c02f1301130113011301");
    CU_ASSERT_EQUAL(lab_get(&l, HTTPS, &err), 200);
    CU_ASSERT_EQUAL(l.to_naf.n, 3); /* 401; another suite: nothing sent; 200 with its key */
    CU_ASSERT_EQUAL(l.to_bsf.n, 2);
    lab_close(&l);
    open_lab();
    strcpy(l.to_naf.suites, "....c02f1301c02f1301c02f1301");
    CU_ASSERT_EQUAL(lab_get(&l, HTTPS, &err), 0);
    CU_ASSERT_EQUAL(err, GBA_E_MISDIRECTED);
    CU_ASSERT(!l.to_naf.any_authorization);
    lab_close(&l);
}

static void test_misdirected(void)
{
    enum gba_err err;

    open_lab();
    CU_ASSERT_EQUAL(lab_get(&l, "https://naf3.home1.net/x", &err), 421);
    CU_ASSERT_EQUAL(l.to_bsf.n, 0);
    CU_ASSERT_EQUAL(lab_get(&l, "https://" LAB_NAF2 "/x", &err), 200);
    CU_ASSERT(sent("realm=\"3GPP-bootstrapping@" LAB_NAF2 "\""));
    lab_close(&l);
}

static const struct unit_test tests[] = {
    {"5402, 5403 and foreign domains", test_zn_refusals},
    {"user security settings", test_user_security_settings},
    {"no BSF over Zn", test_no_bsf_over_zn},
    {"tampered challenges", test_tampered_challenges},
    {"http is not allowed", test_http_not_allowed},
    {"forged answers", test_forged_answers},
    {"suites that change", test_suites_change},
    {"other hosts", test_misdirected},
};

UNIT_MAIN("flow: refusals on Ua and Zn", tests)
