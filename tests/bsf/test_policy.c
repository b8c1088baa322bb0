/*
 * bsf/policy.c: who may ask for what; the table is deny by default.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>

#include "bsf/policy.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))

static const char *const bsf_names[] = {"bsf.home1.net", "bsf.ims.home1.net"};
static const char *const fqdns_a[] = {"naf1.home1.net", "alias.home1.net"};
static const char *const fqdns_b[] = {"*.devices.example.org", "bsf.home1.net"};
static const struct policy_ua_id ids_a[] = {{{1, 0, 0, 0, 2}, false}, {{1, 0, 1, 0, 0}, true}};
static const struct policy_ua_id ids_b[] = {{{1, 0, 0, 1, 0}, false}, {{1, 0, 0, 0, 7}, false}};
static const char *const gsids_a[] = {"0", "1"}, *const groups_a[] = {"A"};
static const struct policy_naf nafs[] = {
    {.certificate = "naf1.home1.net",
     .fqdns = fqdns_a,
     .n_fqdns = 2,
     .ua_ids = ids_a,
     .n_ua_ids = 2,
     .gsids = gsids_a,
     .n_gsids = 2,
     .groups = groups_a,
     .n_groups = 1},
    {.certificate = "proxy.example.org",
     .fqdns = fqdns_b,
     .n_fqdns = 2,
     .ua_ids = ids_b,
     .n_ua_ids = 2,
     .allow_default_ua = true},
};
static const struct policy policy = {nafs, 2, bsf_names, 2, false};

static void test_admit(void)
{
    static const struct {
        const char *name, *fqdn, *ua;
        int row; /* -1: refused */
    } rows[] = {
        {"naf1.home1.net", "naf1.home1.net", "0100000002", 0},
        {"NAF1.home1.net", "alias.home1.net", "0100000002", 0},
        {"naf1.home1.net", "naf1.home1.net", "01000100ae", 0},
        {"naf1.home1.net", "naf1.home1.net", "010001c02f", 0},
        {"naf1.home1.net", "naf1.home1.net", "0100000007", -1},
        {"naf1.home1.net", "naf1.home1.net", "0000000000", -1},
        {"naf1.home1.net", "naf2.home1.net", "0100000002", -1},
        {"naf1.home1.net", "x.naf1.home1.net", "0100000002", -1},
        {"naf2.home1.net", "naf1.home1.net", "0100000002", -1},
        {"proxy.example.org", "naf1.home1.net", "0100000007", -1},
        {"proxy.example.org", "t1.devices.example.org", "0100000007", 1},
        {"proxy.example.org", "t1.devices.example.org", "0000000000", 1},
        /* a wildcard is one label */
        {"proxy.example.org", "a.b.devices.example.org", "0100000007", -1},
        {"proxy.example.org", "devices.example.org", "0100000007", -1},
        {"proxy.example.org", ".devices.example.org", "0100000007", -1},
        /* always refused, whatever a row says: what derives TMPIs */
        {"proxy.example.org", "t1.devices.example.org", "0100000100", -1},
        {"proxy.example.org", "bsf.home1.net", "0100000007", -1},
        {"", "naf1.home1.net", "0100000002", -1},
    };

    for (size_t i = 0; i < SIZE(rows); i++) {
        const struct policy_naf *naf;
        struct policy_ua_id id;
        enum gba_err err;

        CU_ASSERT_EQUAL_FATAL(policy_ua_id_parse(gba_text(rows[i].ua), &id), GBA_OK);
        err = policy_admit(&policy, &rows[i].name, 1, gba_text(rows[i].fqdn), id.id, &naf);
        if (rows[i].row < 0) {
            CU_ASSERT_EQUAL(err, GBA_E_NOT_AUTHORIZED);
            CU_ASSERT_PTR_NULL(naf);
        } else {
            CU_ASSERT_EQUAL(err, GBA_OK);
            CU_ASSERT_PTR_EQUAL(naf, &nafs[rows[i].row]);
        }
    }
}

static void test_several_names(void)
{
    static const char *const names[] = {"www.home1.net", "naf1.home1.net"};
    const struct policy_naf *naf;

    CU_ASSERT_EQUAL(
        policy_admit(&policy, names, 2, GBA_TEXT("naf1.home1.net"), ids_a[0].id, &naf), GBA_OK);
    CU_ASSERT_EQUAL(
        policy_admit(&policy, names, 1, GBA_TEXT("naf1.home1.net"), ids_a[0].id, &naf),
        GBA_E_NOT_AUTHORIZED);
    CU_ASSERT_EQUAL(
        policy_admit(&policy, names, 0, GBA_TEXT("naf1.home1.net"), ids_a[0].id, &naf),
        GBA_E_NOT_AUTHORIZED);
}

static void test_ua_id_forms(void)
{
    static const char *const bad[] = {"",           "01000000",  "010000000g", "0100****00",
                                      "01********", "010001***", "**********", "01000100aeff"};
    struct policy_ua_id id;

    for (size_t i = 0; i < SIZE(bad); i++)
        CU_ASSERT_EQUAL(policy_ua_id_parse(gba_text(bad[i]), &id), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(policy_ua_id_parse(GBA_TEXT("010001****"), &id), GBA_OK);
    CU_ASSERT(id.any_suite);
    CU_ASSERT_EQUAL(policy_ua_id_parse(GBA_TEXT("01000100AE"), &id), GBA_OK);
    CU_ASSERT(!id.any_suite && id.id[4] == 0xae);
}

static void test_fqdn_forms(void)
{
    CU_ASSERT_EQUAL(policy_fqdn_check(GBA_TEXT("naf.example.org")), GBA_OK);
    CU_ASSERT_EQUAL(policy_fqdn_check(GBA_TEXT("*.example.org")), GBA_OK);
    CU_ASSERT_EQUAL(policy_fqdn_check(GBA_TEXT("*")), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(policy_fqdn_check(GBA_TEXT("*.")), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(policy_fqdn_check(GBA_TEXT("a.*.org")), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(policy_fqdn_check(GBA_TEXT("Naf.example.org")), GBA_E_SYNTAX);
}

static void test_uss(void)
{
    static const struct {
        const char *gsid, *id, *group;
        long type;
        bool by_type, sees;
    } rows[] = {
        {"0", "0", NULL, 0, false, true},   {"1", "1", "A", 1, false, true},
        {"1", "1", "B", 1, false, false},   {"1", "1", "", 1, false, false},
        {"2", "2", NULL, 2, false, false}, /* not in the row */
        {"1", "77", NULL, 1, false, false}, {"1", "77", NULL, 1, true, true},
        {"1", "77", "B", 1, true, false},   {"01", "1", NULL, 1, false, false},
    };

    for (size_t i = 0; i < SIZE(rows); i++) {
        struct policy p = policy;
        struct gba_uss uss = {
            .id = rows[i].id, .type = rows[i].type, .naf_group = rows[i].group};

        p.match_uss_by_type = rows[i].by_type;
        CU_ASSERT_EQUAL(policy_sees_uss(&p, &nafs[0], rows[i].gsid, &uss), rows[i].sees);
    }
}

static const struct unit_test tests[] = {
    {"who may ask for which NAF_Id", test_admit},
    {"a certificate with several names", test_several_names},
    {"forms of a Ua identifier", test_ua_id_forms},
    {"forms of a FQDN", test_fqdn_forms},
    {"which USS is seen", test_uss},
};
UNIT_MAIN("policy", tests)
