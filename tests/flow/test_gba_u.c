/*
 * The whole road of GBA_U: the GUSS says so, the card keeps Ks, the ME has Ks_ext_NAF, the
 * client "in the UICC" Ks_int_NAF, and neither stands in for the other.  TS 33.220 5, 4.5.3.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>

#include "tests/flow/lab.h"

#define GUSS_U                                                                                 \
    "<guss id=\"1\"><bsfInfo><uiccType>GBA_U</uiccType></bsfInfo>"                             \
    "<ussList><uss id=\"1\" type=\"1\"><uids><uid>sip:a@b</uid></uids><flags/></uss>"          \
    "</ussList></guss>"
#define URL "http://" LAB_NAF "/x"

static const uint8_t ua_id[] = {1, 0, 0, 0, 2};
static struct lab l;

static void open_lab(unsigned naf_keys)
{
    lab_init(&l);
    l.usim_lines = "gba_u=yes\n";
    l.naf_config.keys = naf_keys;
    lab_set_guss(&l, GUSS_U);
    lab_open(&l);
}

static enum gba_err ue_key(bool internal, struct gba_ue_naf_key *k)
{
    return gba_ue_naf_key_get(&l.device, LAB_NAF, ua_id, internal, false, k);
}

static enum gba_err bsf_keys(const char *btid, struct gba_naf_credential *c)
{
    return gba_naf_fetch(l.naf, btid, LAB_NAF, ua_id, fake_now_ms() / 1000, c);
}

static void test_both_keys(void)
{
    struct gba_ue_naf_key ext, internal;
    struct gba_naf_credential c;

    open_lab(GBA_NAF_KEY_ME | GBA_NAF_KEY_UICC);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT(lab_session(&l).gba_u && !lab_session(&l).has_ks);
    CU_ASSERT_STRING_NOT_EQUAL(lab_session(&l).tmpi, ""); /* by Ks_ext_NAF of the BSF's name */
    CU_ASSERT_EQUAL(ue_key(false, &ext), GBA_OK);
    CU_ASSERT_EQUAL(ue_key(true, &internal), GBA_OK);
    CU_ASSERT_EQUAL(bsf_keys(ext.btid, &c), GBA_OK);
    CU_ASSERT(c.has_uicc_key);
    CU_ASSERT(gba_equal_ct(c.me_key, ext.key, 32));
    CU_ASSERT(gba_equal_ct(c.uicc_key, internal.key, 32));
    CU_ASSERT(!gba_equal_ct(ext.key, internal.key, 32));
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK); /* with the TMPI: both ends agree on it */
    CU_ASSERT_EQUAL(l.to_bsf.n, 4);
    CU_ASSERT(lab_is_clean_after_all(&l));
    lab_close(&l);
}

static void test_unaware_naf(void)
{
    struct gba_ue_naf_key ext;
    struct gba_naf_credential c;

    open_lab(GBA_NAF_KEY_ME);
    CU_ASSERT_EQUAL(ue_key(false, &ext), GBA_OK);
    CU_ASSERT_EQUAL(bsf_keys(ext.btid, &c), GBA_OK);
    CU_ASSERT(!c.has_uicc_key);
    CU_ASSERT(gba_equal_ct(c.me_key, ext.key, 32));
    lab_close(&l);
}

/* TS 24.109 5.2.4: two realms; the NAF takes the one that comes back and the key that goes with
 * it. */
static void test_realms(void)
{
    static const struct {
        unsigned naf_keys, used;
    } cases[] = {{GBA_NAF_KEY_ME, GBA_NAF_KEY_ME},
                 {GBA_NAF_KEY_UICC, GBA_NAF_KEY_UICC},
                 {GBA_NAF_KEY_ME | GBA_NAF_KEY_UICC, GBA_NAF_KEY_ME}};
    enum gba_err err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        open_lab(cases[i].naf_keys);
        CU_ASSERT_EQUAL(lab_get(&l, URL, &err), 200);
        CU_ASSERT_EQUAL(l.naf_key_type, cases[i].used);
        CU_ASSERT_EQUAL(l.to_bsf.n, 2);
        lab_close(&l);
    }
}

/* A card in GBA_ME and a NAF that wants Ks_int_NAF: no Ks_NAF in its place, no Ub run. */
static void test_no_internal_key(void)
{
    enum gba_err err;

    lab_init(&l);
    l.naf_config.keys = GBA_NAF_KEY_UICC;
    lab_open(&l);
    CU_ASSERT_EQUAL(lab_get(&l, URL, &err), 0);
    CU_ASSERT_EQUAL(err, GBA_E_FORBIDDEN);
    CU_ASSERT_EQUAL(l.to_bsf.n, 0);
    CU_ASSERT(!l.to_naf.any_authorization);
    lab_close(&l);
}

/* The subscriber's record says GBA_ME, the card runs GBA_U: the NAF gets one key only, and the
 * run itself fails, for AUTN has no mask. */
static void test_modes_differ(void)
{
    open_lab(GBA_NAF_KEY_ME);
    lab_set_guss(&l, "<guss id=\"1\"/>");
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_MAC);
    CU_ASSERT_EQUAL(lab_stats(&l).sessions, 0);
    lab_set_guss(&l, GUSS_U);
    fake_pass_s(5);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    lab_close(&l);
}

static void test_unflipped_res(void)
{
    open_lab(GBA_NAF_KEY_ME);
    l.usim.unflipped = true;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_RES);
    CU_ASSERT_EQUAL(lab_stats(&l).sessions, 0);
    l.ub_policy.accept_unflipped_res = true;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    l.usim.unflipped = false; /* the switch takes both */
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    lab_close(&l);
}

static void test_resynchronisation(void)
{
    struct gba_ue_naf_key ext;
    struct gba_naf_credential c;

    open_lab(GBA_NAF_KEY_ME);
    lab_age_hss(&l);
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_OK);
    CU_ASSERT_EQUAL(l.to_bsf.n, 3);
    CU_ASSERT_EQUAL(ue_key(false, &ext), GBA_OK);
    CU_ASSERT_EQUAL(bsf_keys(ext.btid, &c), GBA_OK);
    CU_ASSERT(gba_equal_ct(c.me_key, ext.key, 32));
    lab_close(&l);
}

/* TS 33.220 G.1: a new run replaces Ks in the card as soon as RES is given.  Where the 200 is
 * lost, no key may come out of the new Ks under the old B-TID. */
static void check_no_mixed_key(void)
{
    struct gba_ue_naf_key k;
    struct gba_naf_credential c;

    CU_ASSERT_EQUAL(gba_ue_naf_key_get(&l.device, LAB_NAF2, ua_id, false, false, &k), GBA_OK);
    CU_ASSERT_EQUAL(gba_naf_fetch(l.naf, k.btid, LAB_NAF2, ua_id, fake_now_ms() / 1000, &c),
                    GBA_OK);
    CU_ASSERT(gba_equal_ct(c.me_key, k.key, 32));
}

static void test_lost_success(void)
{
    open_lab(GBA_NAF_KEY_ME);
    lab_bootstrap(&l);
    l.to_bsf.lose_reply = 4;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_TIMEOUT);
    check_no_mixed_key();
    lab_close(&l);
}

static void test_card_does_not_take_btid(void)
{
    open_lab(GBA_NAF_KEY_ME);
    lab_bootstrap(&l);
    l.faults = (struct faults){.fail_at = 0};
    lab_bootstrap(&l); /* how many calls, the last of which is the card's */
    l.faults.fail_at = l.faults.n_calls;
    l.faults.n_calls = 0;
    CU_ASSERT_EQUAL(lab_bootstrap(&l), GBA_E_USIM);
    CU_ASSERT_STRING_EQUAL(l.faults.hit, "usim bootstrapped");
    l.faults.fail_at = 0;
    check_no_mixed_key();
    lab_close(&l);
}

static const struct unit_test tests[] = {
    {"Ks_ext_NAF and Ks_int_NAF", test_both_keys},
    {"a NAF that does not know GBA_U", test_unaware_naf},
    {"realms", test_realms},
    {"no Ks_int_NAF from GBA_ME", test_no_internal_key},
    {"modes that differ", test_modes_differ},
    {"RES without its bit flipped", test_unflipped_res},
    {"resynchronisation", test_resynchronisation},
    {"lost 200", test_lost_success},
    {"a card that does not take the B-TID", test_card_does_not_take_btid},
};

UNIT_MAIN("flow: GBA_U", tests)
