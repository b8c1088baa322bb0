/*
 * A long life: bootstrappings and requests at random, while replies are lost, daemons restart,
 * the HSS falls back or away, time passes and ports fail.  After every stretch the trouble
 * ends, and everything must work again.  The dice are the same in every run.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/flow/lab.h"

#define STRETCHES 150
#define STEPS     20
#define HTTP      "http://" LAB_NAF "/x"
#define HTTPS     "https://" LAB_NAF2 "/x"

static struct lab l;
static uint64_t dice;

/* 0 .. n-1, by SplitMix64's mixing. */
static unsigned roll(unsigned n)
{
    uint64_t x = dice += 0x9e3779b97f4a7c15;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return (unsigned)((x ^ x >> 31) >> 32) % n;
}

/* ---- what a UE does -----------------------------------------------------------------------
 */

static void bootstrap(void)
{
    char before[GBA_UE_BTID_SIZE];

    strcpy(before, lab_session(&l).btid);
    if (lab_bootstrap(&l) == GBA_OK)
        CU_ASSERT_STRING_NOT_EQUAL(lab_session(&l).btid, before);
}

/* A request costs one Ub run at most; whoever is let in is who the UE says it is. */
static void get(const char *url)
{
    const unsigned auth = l.usim.n_auth, asked = l.zh.n_asked;
    enum gba_err err;
    const unsigned status = lab_get(&l, url, &err);

    /* with the TMPI and then the IMPI: a vector, one after AUTS, one for a slow card */
    CU_ASSERT(l.usim.n_auth - auth <= 6);
    CU_ASSERT(l.zh.n_asked - asked <= 6);
    CU_ASSERT(status == 0 || status == 200 || status == 503);
    if (status == 200 && lab_session(&l).btid[0] != '\0')
        CU_ASSERT_STRING_EQUAL(l.naf_btid, lab_session(&l).btid);
}

/* ---- what happens to it -------------------------------------------------------------------
 */

static void disturb(void)
{
    static const enum gba_err hss[] = {GBA_E_ZH_TIMEOUT, GBA_E_SUBSCRIBER_UNKNOWN,
                                       GBA_E_ZH_MALFORMED, GBA_OK, GBA_OK};

    switch (roll(12)) {
    case 0:
        lab_restart_bsf(&l);
        break;
    case 1:
        lab_restart_naf(&l);
        break;
    case 2:
        lab_age_hss(&l);
        break;
    case 3:
        l.zh.fails = hss[roll(5)];
        break;
    case 4:
        l.zh.bad_mac = roll(4) == 0;
        break;
    case 5:
        l.usim.wrong_res = roll(4) == 0;
        break;
    case 6:
        l.usim.takes_s = roll(4) == 0 ? 61 : 0;
        break;
    case 7:
        l.to_bsf.lose_reply = l.to_bsf.n + 1 + roll(3);
        break;
    case 8:
        l.to_naf.lose_request = l.to_naf.n + 1 + roll(3);
        break;
    case 9:
        fake_pass_s((int64_t)roll(2 * LAB_LIFE));
        break;
    case 10:
        gba_ue_keyring_forget_ks(l.ring); /* power-off */
        break;
    default:
        l.faults = (struct faults){.fail_at = 1 + roll(30), .answer_lost = roll(2) == 0};
    }
}

static void end_trouble(void)
{
    l.faults.fail_at = 0;
    l.zh.fails = GBA_OK;
    l.zh.bad_mac = l.usim.wrong_res = false;
    l.usim.takes_s = 0;
    l.to_bsf.lose_reply = l.to_naf.lose_request = 0;
    fake_pass_s(301); /* past the repeat of a bad challenge and the limit of renewals */
}

static void step(void)
{
    switch (roll(5)) {
    case 0:
        bootstrap();
        break;
    case 1:
        get(HTTP);
        break;
    case 2:
        get(HTTPS);
        break;
    default:
        disturb();
    }
    CU_ASSERT(lab_stats(&l).sessions <= 2);
    CU_ASSERT(lab_stats(&l).challenges <= l.store_config.challenges);
}

static bool stretch(void)
{
    enum gba_err err;

    for (int i = 0; i < STEPS; i++)
        step();
    end_trouble();
    if (lab_get(&l, HTTP, &err) != 200 || lab_bootstrap(&l) != GBA_OK ||
        lab_get(&l, HTTPS, &err) != 200)
        return false;
    l.store->expire(l.store, fake_now_ms());
    return true;
}

static void walk(const char *usim_lines, const char *guss, unsigned naf_keys)
{
    lab_init(&l);
    l.usim_lines = usim_lines;
    l.naf_config.keys = naf_keys;
    if (guss != NULL)
        lab_set_guss(&l, guss);
    lab_open(&l);
    for (unsigned i = 0; i < STRETCHES; i++) {
        const uint64_t start = dice;

        if (!stretch()) {
            printf("\n    stretch %u, dice %016llx: %s", i, (unsigned long long)start,
                   l.device.why);
            CU_FAIL("something stays broken");
            break;
        }
    }
    end_trouble();
    CU_ASSERT(lab_is_clean_after_all(&l));
    lab_close(&l);
}

static void test_gba_me(void)
{
    dice = 1;
    walk("", NULL, GBA_NAF_KEY_ME);
}

static void test_gba_u(void)
{
    dice = 2;
    walk("gba_u=yes\n", "<guss id=\"1\"><bsfInfo><uiccType>GBA_U</uiccType></bsfInfo></guss>",
         GBA_NAF_KEY_ME | GBA_NAF_KEY_UICC);
}

static void test_internal_keys(void)
{
    dice = 3;
    walk("gba_u=yes\n", "<guss id=\"1\"><bsfInfo><uiccType>GBA_U</uiccType></bsfInfo></guss>",
         GBA_NAF_KEY_UICC);
}

static const struct unit_test tests[] = {
    {"GBA_ME", test_gba_me},
    {"GBA_U", test_gba_u},
    {"GBA_U, Ks_int_NAF", test_internal_keys},
};

UNIT_MAIN("flow: a long life", tests)
