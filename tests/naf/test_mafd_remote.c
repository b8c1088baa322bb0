/*
 * naf/mafd_remote.c: what a stranger's KeID costs an MEF.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "naf/mafd_remote.h"
#include "tests/naf/mef_world.h"
#include "tests/unit.h"

#define KE_ID "404142434445464748494A4B4C4D4E4F@mef.example"
#define BURST 3

static struct mef_world w;
static struct mefd_mef_conf mefs[] = {
    {.fqdn = (char *)"mef.example", .url = (char *)"https://mef.example", .deadline_ms = 1}};
static struct mefd_conf conf = {.mefs = {.v = mefs, .n = 1},
                                .limits = {.btids = {BURST, 60}, .buckets = 64}};
static struct mafd_remote *m;
static unsigned asked;
static int64_t now_ms, expires_s;
static enum gba_err answer;
static const char *enrolee;
static const uint8_t home[] = {192, 0, 2, 1}, away[] = {192, 0, 2, 2};

static int64_t get_now_ms(void)
{
    return now_ms;
}

static enum gba_err fetch(const struct key_fetch_source *from, struct gba_text key_id,
                          unsigned suid, struct key_fetched *out)
{
    CU_ASSERT_STRING_EQUAL(from->origin, w.policy.fqdn);
    CU_ASSERT(key_id.n != 0 && suid == 21);
    asked++;
    memset(out, 0, sizeof(*out));
    if (answer == GBA_OK) {
        memset(out->key.octets, 7, sizeof(out->key.octets));
        strcpy(out->enrolee, enrolee);
        out->expires_s = expires_s;
    }
    return answer;
}

static void begin(void)
{
    const struct mafd_remote_config c = {
        .mef = &w.mef, .conf = &conf, .fetch = fetch, .now_ms = get_now_ms};

    mef_world_begin(&w);
    asked = 0;
    now_ms = (int64_t)WORLD_T0 * 1000;
    expires_s = WORLD_T0 + 100;
    answer = GBA_OK;
    enrolee = WORLD_ENROLEE;
    CU_ASSERT_EQUAL_FATAL(mafd_remote_new(&c, &m), GBA_OK);
}

static void end(void)
{
    mafd_remote_free(m);
    mef_world_end(&w);
}

static enum gba_err show(const char *key_id, const uint8_t address[static 4],
                         struct gba_naf_psk_row *row)
{
    memset(row, 0, sizeof(*row));
    return mafd_remote_km(m, gba_text(key_id), (struct gba_bytes){address, 4}, row);
}

static void test_given(void)
{
    struct mef_credential c;
    struct gba_naf_psk_row row;

    begin();
    CU_ASSERT_EQUAL(show(KE_ID, home, &row), GBA_OK);
    CU_ASSERT(row.key_len == 32 && row.key[31] == 7 && row.expires_s == expires_s);
    CU_ASSERT_EQUAL(w.registry->credential(w.registry, MEF_CRED_PSK, KE_ID, &c), GBA_OK);
    CU_ASSERT_STRING_EQUAL(c.enrolee, WORLD_ENROLEE);
    expires_s = 0; /* 1970: over, not for ever */
    CU_ASSERT_EQUAL(show("504142434445464748494A4B4C4D4E4F@mef.example", home, &row),
                    GBA_E_EXPIRED);
    CU_ASSERT_EQUAL(row.key_len, 0);
    end();
}

/* Nobody is asked about what no MEF of ours has issued. */
static void test_elsewhere(void)
{
    struct gba_naf_psk_row row;

    begin();
    CU_ASSERT_EQUAL(show("404142434445464748494A4B4C4D4E4F@evil.example", home, &row),
                    GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(show("name@mef.example", home, &row), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(asked, 0);
    end();
}

/* RULES of a PSK identity: made-up KeIDs of one address do not keep the MEF busy. */
static void test_limit(void)
{
    struct gba_naf_psk_row row;
    char key_id[64];

    begin();
    answer = GBA_E_NOT_FOUND;
    for (unsigned i = 0; i < 100; i++) {
        snprintf(key_id, sizeof(key_id), "%032X@mef.example", i);
        CU_ASSERT_EQUAL(show(key_id, home, &row),
                        i < BURST ? GBA_E_FORBIDDEN : GBA_E_RATE_LIMITED);
    }
    CU_ASSERT_EQUAL(asked, BURST);
    answer = GBA_OK;
    CU_ASSERT_EQUAL(show(KE_ID, home, &row), GBA_E_RATE_LIMITED);
    CU_ASSERT_EQUAL(show(KE_ID, away, &row), GBA_OK);
    now_ms += 1000; /* 60 a minute */
    CU_ASSERT_EQUAL(show(KE_ID, home, &row), GBA_OK);
    end();
}

/* What was not given is not asked for at once again, and that costs nothing. */
static void test_refused(void)
{
    struct gba_naf_psk_row row;

    for (int i = 0; i < 3; i++) {
        begin();
        answer = i == 0 ? GBA_E_NOT_FOUND : i == 1 ? GBA_E_FORBIDDEN : GBA_OK;
        enrolee = "//sp.example/Snobody"; /* without a row */
        for (int n = 0; n < 10; n++)
            CU_ASSERT_EQUAL(show(KE_ID, home, &row), GBA_E_FORBIDDEN);
        CU_ASSERT_EQUAL(asked, 1);
        answer = GBA_OK;
        enrolee = WORLD_ENROLEE;
        now_ms += (MAFD_REMOTE_NEGATIVE_S - 1) * 1000;
        CU_ASSERT_EQUAL(show(KE_ID, home, &row), GBA_E_FORBIDDEN);
        now_ms += 1000;
        CU_ASSERT_EQUAL(show(KE_ID, home, &row), GBA_OK);
        end();
    }
}

/* An MEF that cannot answer now may answer the next time. */
static void test_unreachable(void)
{
    struct gba_naf_psk_row row;

    begin();
    answer = GBA_E_UNREACHABLE;
    CU_ASSERT_EQUAL(show(KE_ID, home, &row), GBA_E_UNREACHABLE);
    answer = GBA_OK;
    CU_ASSERT_EQUAL(show(KE_ID, home, &row), GBA_OK);
    CU_ASSERT_EQUAL(asked, 2);
    end();
}

/* An MEF that vouches for somebody else's client gives nothing away. */
static void test_vouched(void)
{
    static const struct {
        const char *listed[2];
        const char *enrolee;
        bool ok;
    } rows[] = {
        {{NULL}, WORLD_OTHER, true},
        {{WORLD_ENROLEE}, WORLD_ENROLEE, true},
        {{"//SP.example/cse1/Cone"}, WORLD_ENROLEE, true},
        {{WORLD_OTHER, WORLD_ENROLEE}, WORLD_ENROLEE, true},
        {{"//mef.example", "//SP.Example"}, WORLD_ENROLEE, true},
        {{WORLD_ENROLEE}, "//Sp.example/cse1/Cone", true},
        {{WORLD_ENROLEE}, WORLD_OTHER, false},
        {{WORLD_ENROLEE}, "//sp.example/cse1/cone", false},
        {{"//sp.example/cse1"}, WORLD_ENROLEE, false}, /* the CSE alone */
        {{"//sp.example/cse1/C"}, WORLD_ENROLEE, false},
        {{"//sp.exampl", "//example"}, WORLD_ENROLEE, false},
        {{"//other.example"}, WORLD_ENROLEE, false},
        {{"//sp.example"}, "sp.example", false},
        {{"//sp.example"}, "", false},
    };
    struct gba_naf_psk_row row;
    struct mef_credential c;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mefs[0].enrolees.v = (char **)rows[i].listed;
        mefs[0].enrolees.n = rows[i].listed[0] == NULL ? 0 : rows[i].listed[1] == NULL ? 1 : 2;
        begin();
        enrolee = rows[i].enrolee;
        CU_ASSERT_EQUAL(show(KE_ID, home, &row), rows[i].ok ? GBA_OK : GBA_E_FORBIDDEN);
        CU_ASSERT_EQUAL(row.key_len, rows[i].ok ? 32 : 0);
        CU_ASSERT_EQUAL(w.registry->credential(w.registry, MEF_CRED_PSK, KE_ID, &c),
                        rows[i].ok ? GBA_OK : GBA_E_NOT_FOUND);
        show(KE_ID, home, &row);
        CU_ASSERT_EQUAL(asked, rows[i].ok ? 2 : 1); /* and is not asked again at once */
        end();
    }
    mefs[0].enrolees.n = 0;
}

static void test_vouched_forms(void)
{
    static const struct {
        const char *entry, *sp;
    } rows[] = {
        {WORLD_ENROLEE, ""},
        {WORLD_CSE, ""},
        {"//sp.example/Sone", ""},
        {"//SP.Example", "sp.example"},
        {"", NULL},
        {"/", NULL},
        {"//", NULL},
        {"///cse1", NULL},
        {"/cse1/Cone", NULL},
        {"Cone", NULL},
        {"sp.example", NULL},
        {"//sp.example/", NULL},
        {"//sp example", NULL},
        {"//sp.example/cse1/Cone/x", NULL},
    };
    char sp[GBA_FQDN_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_EQUAL(mafd_vouched_read(gba_text(rows[i].entry), sp),
                        rows[i].sp != NULL ? GBA_OK : GBA_E_SYNTAX);
        CU_ASSERT_STRING_EQUAL(sp, rows[i].sp != NULL ? rows[i].sp : "");
    }
}

static const struct unit_test tests[] = {
    {"given", test_given},
    {"of another", test_elsewhere},
    {"a limit", test_limit},
    {"refused", test_refused},
    {"unreachable", test_unreachable},
    {"whom an MEF may vouch for", test_vouched},
    {"forms of that", test_vouched_forms},
};
UNIT_MAIN("mafd_remote", tests)
