/*
 * Whole enrolments by GBA, from a device without any credential to a key that its registrar
 * gets: the target is the NAF, or the MEF is.  TS-0003 8.3.2.1, 8.3.2.3, 10.3.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/flow/mef.h"

static struct lab l;
static struct flow_mef m;

static void open_all(enum mef_derivation derivation)
{
    lab_init(&l);
    flow_mef_configure(&l);
    lab_open(&l);
    flow_mef_open(&m, &l, derivation);
}

static void close_all(void)
{
    flow_mef_close(&m);
    lab_close(&l);
}

static enum gba_err enrol_by(const char *url, enum gba_ue_derivation derivation,
                             struct gba_ue_credential *out)
{
    memset(out, 0, sizeof(*out));
    return gba_ue_enrol_target(&l.device, url, NULL,
                               &(struct gba_ue_enrol_config){.target = MEF_CSE,
                                                             .mef_fqdn = MEF_FQDN,
                                                             .suid = MEF_SUID,
                                                             .derivation = derivation},
                               NULL, false, out);
}

static enum gba_err enrol(const char *url, struct gba_ue_credential *out)
{
    return enrol_by(url, GBA_UE_DERIVE_USAGE, out);
}

/* The target gets the device's key by the device's KeID, and the Enrolee-ID with it. */
static void check_target_gets(const struct gba_ue_credential *c)
{
    char json[1024];
    struct mef_fetch f;
    struct gba_wbuf w;

    flow_mef_fetch(&m, c->key_id, &f);
    CU_ASSERT_EQUAL(f.err, GBA_OK);
    CU_ASSERT(gba_equal_ct(f.key.octets, c->key, sizeof(c->key)));
    CU_ASSERT(f.expires_s >= c->expires_s);
    gba_wbuf_init(&w, json, sizeof(json));
    CU_ASSERT_EQUAL(mef_fetch_print(&f, false, &w), GBA_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(gba_wbuf_cstr(&w), "\"EnroleeID\":\"" MEF_ENROLEE "\""));
    CU_ASSERT_PTR_NULL(strstr(json, "001010123456789")); /* never the IMPI */
    mef_fetch_end(&f);
}

static enum gba_err target_gets(const char *key_id)
{
    struct mef_fetch f;

    flow_mef_fetch(&m, key_id, &f);
    mef_fetch_end(&f);
    return f.err;
}

/* ---- the target is the NAF ------------------------------------------------------------------
 */

static void test_target_is_naf(void)
{
    static const uint8_t ua_id[] = {1, 0, 1, 0, 0xae};
    struct gba_naf_credential by_zn;
    struct gba_ue_credential c;

    open_all(MEF_USAGE_KEY);
    CU_ASSERT_EQUAL(enrol(NULL, &c), GBA_OK);
    CU_ASSERT_EQUAL(m.n, 0); /* no message but the bootstrapping's */
    CU_ASSERT_EQUAL(l.to_bsf.n, 2);
    CU_ASSERT_EQUAL(c.kind, GBA_UE_KPSA);
    CU_ASSERT_STRING_EQUAL(c.key_id, lab_session(&l).btid);
    CU_ASSERT_STRING_EQUAL(c.fqdn, "cse1.sp.example");
    CU_ASSERT_EQUAL(c.expires_s, fake_now_ms() / 1000 + LAB_LIFE);
    check_target_gets(&c);
    CU_ASSERT_EQUAL(gba_naf_fetch(l.naf, c.key_id, c.fqdn, ua_id, fake_now_ms() / 1000, &by_zn),
                    GBA_OK); /* a target with Zn of its own gets the same */
    CU_ASSERT(gba_equal_ct(by_zn.me_key, c.key, sizeof(c.key)));
    CU_ASSERT_EQUAL(target_gets("AAAAAAAAAAAAAAAAAAAAAA==@" LAB_BSF), GBA_E_NOT_FOUND);
    fake_pass_s(LAB_LIFE);
    CU_ASSERT_EQUAL(target_gets(c.key_id), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(enrol(NULL, &c), GBA_OK); /* bootstraps again */
    CU_ASSERT_EQUAL(l.to_bsf.n, 4);
    check_target_gets(&c);
    close_all();
}

/* ---- the MEF is the NAF ---------------------------------------------------------------------
 */

static void test_mef_is_naf(void)
{
    static const struct {
        enum mef_derivation mef;
        enum gba_ue_derivation ue;
        enum gba_ue_credential_kind kind;
    } cases[] = {{MEF_USAGE_KEY, GBA_UE_DERIVE_USAGE, GBA_UE_USAGE_KEY},
                 {MEF_KPSA, GBA_UE_DERIVE_KPSA, GBA_UE_KPSA},
                 {MEF_KM, GBA_UE_DERIVE_KM, GBA_UE_KM}};
    struct gba_ue_credential c;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        open_all(cases[i].mef);
        CU_ASSERT_EQUAL(enrol_by(MEF_URL, cases[i].ue, &c), GBA_OK);
        CU_ASSERT_EQUAL(m.n, 1);
        CU_ASSERT_EQUAL(l.to_bsf.n, 2);
        CU_ASSERT_EQUAL(c.kind, cases[i].kind);
        CU_ASSERT_PTR_NOT_NULL(strstr(c.key_id, "@" MEF_FQDN));
        check_target_gets(&c);
        fake_pass_s(LAB_LIFE); /* Ke ends with the key it was made under */
        CU_ASSERT_EQUAL(target_gets(c.key_id), GBA_E_NOT_FOUND);
        close_all();
    }
}

/* Enrolling again: the registration stands, the session and its Ke are new. */
static void test_enrol_again(void)
{
    struct gba_ue_credential first, second, kept;

    open_all(MEF_USAGE_KEY);
    CU_ASSERT_EQUAL(enrol(MEF_URL, &first), GBA_OK);
    CU_ASSERT_EQUAL(enrol(MEF_URL, &second), GBA_OK);
    CU_ASSERT_EQUAL(l.to_bsf.n, 2);
    CU_ASSERT_STRING_NOT_EQUAL(first.key_id, second.key_id);
    check_target_gets(&first);
    check_target_gets(&second);
    CU_ASSERT_EQUAL(gba_ue_keyring_credential(l.ring, MEF_CSE, fake_now_ms() / 1000, &kept),
                    GBA_OK);
    CU_ASSERT_STRING_EQUAL(kept.key_id, second.key_id);
    close_all();
}

/* The BSF has lost the session: the handshake fails, one Ub run mends it. */
static void test_unknown_btid(void)
{
    struct gba_ue_credential c;

    open_all(MEF_USAGE_KEY);
    lab_bootstrap(&l);
    lab_restart_bsf(&l);
    CU_ASSERT_EQUAL(enrol(MEF_URL, &c), GBA_OK);
    CU_ASSERT_EQUAL(m.n, 2);
    CU_ASSERT_EQUAL(l.to_bsf.n, 2 + 3);
    check_target_gets(&c);
    close_all();
}

/* Our profile: by the device's own key, with an export, or not at all. */
static void test_weaker_sessions(void)
{
    struct gba_ue_credential c;

    open_all(MEF_USAGE_KEY);
    m.certificate = true;
    CU_ASSERT_EQUAL(enrol(MEF_URL, &c), GBA_E_DOWNGRADE);
    m.certificate = false;
    m.no_export = true;
    CU_ASSERT_EQUAL(enrol(MEF_URL, &c), GBA_E_DOWNGRADE);
    CU_ASSERT_EQUAL(gba_ue_keyring_credential(l.ring, MEF_CSE, fake_now_ms() / 1000, &c),
                    GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(enrol("http://" MEF_FQDN, &c), GBA_E_ARGUMENT);
    m.no_export = false;
    CU_ASSERT_EQUAL(enrol(MEF_URL, &c), GBA_OK);
    close_all();
}

/* ---- rights by the GUSS ---------------------------------------------------------------------
 */

#define GUSS(more, uss)                                                                        \
    "<guss id=\"1\"><bsfInfo>" more "</bsfInfo><ussList>" uss "</ussList></guss>"
#define USS(id, uid)                                                                           \
    "<uss id=\"" id "\" type=\"1\"><uids><uid>a@b</uid><uid>" uid "</uid></uids></uss>"

static void open_by(enum mef_enrolee_policy policy, const char *guss)
{
    lab_init(&l);
    flow_mef_configure(&l);
    lab_set_guss(&l, guss);
    lab_open(&l);
    flow_mef_open(&m, &l, MEF_USAGE_KEY);
    m.policy.enrolee_policy = policy;
    m.policy.gsid = 1; /* the lab's */
}

/* From the subscriber's record to the target's key, both ways. */
static void test_by_guss(void)
{
    static const struct {
        const char *guss;
        bool named, given;
    } rows[] = {
        {GUSS("", USS("1", MEF_CSE)), true, true},
        {GUSS("", USS("1", "CSE1.sp.example")), true, true},
        {GUSS("", USS("2", MEF_CSE)), false, false},
        {GUSS("", USS("1", "cse2.sp.example")), false, true},
        {GUSS("", ""), false, false},
    };
    struct gba_ue_credential c;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (int policy = MEF_BY_CONFIG; policy <= MEF_BY_BOTH; policy++) {
            bool may = policy == MEF_BY_CONFIG || rows[i].named;

            open_by((enum mef_enrolee_policy)policy, rows[i].guss);
            CU_ASSERT_EQUAL(enrol(NULL, &c), GBA_OK); /* the device asks nobody */
            CU_ASSERT_EQUAL(target_gets(c.key_id), may ? GBA_OK : GBA_E_NOT_AUTHORIZED);
            if (may)
                check_target_gets(&c);
            CU_ASSERT_EQUAL(enrol(MEF_URL, &c) == GBA_OK, may || rows[i].given);
            if (may)
                check_target_gets(&c);
            else if (rows[i].given)
                CU_ASSERT_EQUAL(target_gets(c.key_id), GBA_E_NOT_AUTHORIZED);
            close_all();
        }
}

/* TS-0003 8.3.2.3 with a card in GBA_U: the target has the key that its client has. */
static void test_gba_u(void)
{
    static const uint8_t ua_id[] = {1, 0, 1, 0, 0xae};
    struct gba_ue_naf_key key;
    struct mef_fetch f;

    for (int uicc = 0; uicc < 2; uicc++) {
        lab_init(&l);
        flow_mef_configure(&l);
        l.usim_lines = "gba_u=yes\n";
        lab_set_guss(&l, GUSS("<uiccType>GBA_U</uiccType>", ""));
        lab_open(&l);
        flow_mef_open(&m, &l, MEF_USAGE_KEY);
        m.uicc = uicc != 0;
        CU_ASSERT_EQUAL(
            gba_ue_naf_key_get(&l.device, "cse1.sp.example", ua_id, uicc != 0, false, &key),
            GBA_OK);
        flow_mef_fetch(&m, key.btid, &f);
        CU_ASSERT_EQUAL(f.err, GBA_OK);
        CU_ASSERT(gba_equal_ct(f.key.octets, key.key, sizeof(f.key.octets)));
        CU_ASSERT_EQUAL(f.expires_s, fake_now_ms() / 1000 + LAB_LIFE);
        mef_fetch_end(&f);
        close_all();
    }
    open_all(MEF_USAGE_KEY); /* a card in GBA_ME: nothing stands in for Ks_int_NAF */
    m.uicc = true;
    CU_ASSERT_EQUAL(gba_ue_naf_key_get(&l.device, "cse1.sp.example", ua_id, false, false, &key),
                    GBA_OK);
    CU_ASSERT_EQUAL(target_gets(key.btid), GBA_E_NOT_FOUND);
    close_all();
}

/* ---- every call fails once
 * -------------------------------------------------------------------- */

static bool is_clean(enum gba_err err)
{
    switch (err) {
    case GBA_E_TIMEOUT:
    case GBA_E_ENTROPY:
    case GBA_E_USIM:
    case GBA_E_TLS:
    case GBA_E_OVERLOAD:
        return true;
    default:
        return false;
    }
}

/* No credential without its other half, no registration without its Ke. */
static void check_after(const char *url, enum gba_err err)
{
    struct gba_ue_credential c;
    static struct mef_reg reg;

    l.faults.fail_at = 0;
    if (l.faults.hit != NULL && strcmp(l.faults.hit, "mef put_ke") == 0)
        CU_ASSERT_EQUAL(m.real->find_reg(m.real, MEF_ENROLEE, "sp.example", &reg),
                        GBA_E_NOT_FOUND);
    if (gba_ue_keyring_credential(l.ring, MEF_CSE, fake_now_ms() / 1000, &c) == GBA_OK)
        check_target_gets(&c);
    else
        CU_ASSERT_NOT_EQUAL(err, GBA_OK);
    CU_ASSERT_EQUAL(enrol(url, &c), GBA_OK);
    check_target_gets(&c);
    CU_ASSERT(lab_is_clean_after_all(&l));
}

static void fail_every_call(const char *url, bool answer_lost)
{
    struct gba_ue_credential c;
    bool was_hit = true;

    for (unsigned k = 1; was_hit && k < 100; k++) {
        enum gba_err err;

        open_all(MEF_USAGE_KEY);
        l.faults = (struct faults){.fail_at = k, .answer_lost = answer_lost};
        err = enrol(url, &c);
        was_hit = l.faults.hit != NULL;
        /* what fails in a handshake is mended by the Ub run that follows */
        if (was_hit && !is_clean(err) && err != GBA_OK) {
            printf("\n    call %u (%s): %s", k, l.faults.hit, gba_err_name(err));
            CU_FAIL("not an error of a port");
        }
        CU_ASSERT(was_hit || (err == GBA_OK && k > 8));
        check_after(url, err);
        close_all();
    }
    CU_ASSERT(!was_hit);
}

static void test_every_call(void)
{
    for (int lost = 0; lost < 2; lost++) {
        fail_every_call(NULL, lost != 0);
        fail_every_call(MEF_URL, lost != 0);
    }
}

static const struct unit_test tests[] = {
    {"the target is the NAF", test_target_is_naf},
    {"the MEF is the NAF", test_mef_is_naf},
    {"enrolling again", test_enrol_again},
    {"unknown B-TID: one Ub run", test_unknown_btid},
    {"weaker sessions are refused", test_weaker_sessions},
    {"rights by the GUSS", test_by_guss},
    {"a card in GBA_U", test_gba_u},
    {"every call of a port fails once", test_every_call},
};

UNIT_MAIN("flow: enrolment", tests)
