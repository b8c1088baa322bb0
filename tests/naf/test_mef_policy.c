/*
 * naf/mef_policy.c, naf/mef_registry_sqlite.c, naf/mef_rights.c: forms of rows, how they are
 * kept, and whom they let do what.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "tests/naf/mef_world.h"
#include "tests/unit.h"

static struct mef_world w;

static void test_targets(void)
{
    static const uint8_t ua[5] = {1, 0, 1, 0, 0xae}, digest[5] = {1, 0, 0, 0, 2};
    static const struct {
        const char *id, *fqdn;
        const uint8_t *ua;
        uint64_t suids;
        enum gba_err err;
        const char *absolute, *domain;
    } rows[] = {
        {"/cse1", NULL, ua, 1 << 22, GBA_OK, "//sp.example/cse1", "cse1.sp.example"},
        {"//SP.example/cse1", NULL, ua, 1 << 22, GBA_OK, "//sp.example/cse1",
         "cse1.sp.example"},
        {"/c3", "C3.in.sp.example", ua, 1 << 22, GBA_OK, "//sp.example/c3", "c3.in.sp.example"},
        {"MAF.example", NULL, ua, 1 << 21, GBA_OK, "maf.example", "maf.example"},
        {"/c3", "other.example", ua, 1 << 22, GBA_E_SYNTAX, NULL, NULL},
        {"/c3", "c4.in.sp.example", ua, 1 << 22, GBA_E_SYNTAX, NULL, NULL},
        {"/c3", "c3.a.b.sp.example", ua, 1 << 22, GBA_E_SYNTAX, NULL, NULL},
        {"//sp.example/cse1/Cx", NULL, ua, 1 << 22, GBA_E_SYNTAX, NULL, NULL}, /* an AE */
        {"a b", NULL, ua, 1 << 22, GBA_E_SYNTAX, NULL, NULL},
        {"", NULL, ua, 1 << 22, GBA_E_SYNTAX, NULL, NULL},
        {"/cse1", NULL, digest, 1 << 22, GBA_E_ARGUMENT, NULL, NULL},
        {"/cse1", NULL, ua, 1 << 21 | 1 << 22, GBA_E_ARGUMENT, NULL, NULL},
    };
    struct mef_target t;

    mef_world_begin(&w);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum gba_err err = mef_target_make(&w.policy, gba_text(rows[i].id), rows[i].fqdn,
                                           rows[i].ua, rows[i].suids, MEF_KPSA, &t);

        CU_ASSERT_EQUAL(err, rows[i].err);
        if (err == GBA_OK && rows[i].err == GBA_OK) {
            CU_ASSERT_STRING_EQUAL(t.id, rows[i].absolute);
            CU_ASSERT_STRING_EQUAL(t.fqdn, rows[i].domain);
        }
    }
    mef_world_end(&w);
}

static void test_suids(void)
{
    uint64_t bit;

    for (unsigned v = 0; v < 100; v++) {
        bool of_mef = v >= 21 && v <= 25, of_maf = v >= 32 && v <= 35;

        CU_ASSERT_EQUAL(mef_suid_bit(v, &bit), of_mef || of_maf ? GBA_OK : GBA_E_ARGUMENT);
        CU_ASSERT_EQUAL(mef_suid_in(bit, v), of_mef || of_maf);
    }
}

static void test_credential_names(void)
{
    static const struct {
        enum mef_credential_kind kind;
        const char *name, *canonical; /* NULL: refused */
    } rows[] = {
        {MEF_CRED_GBA, "one@example", "one@example"},
        {MEF_CRED_GBA, "one", NULL},
        {MEF_CRED_GBA, "", NULL},
        {MEF_CRED_PSK, "ThisKey@MyMEF.com", "thiskey@mymef.com"}, /* 10.6: in any case */
        {MEF_CRED_PSK, "any-text", "any-text"},
        {MEF_CRED_PSK, "two words", NULL},
        {MEF_CRED_PSK, "", NULL},
        {MEF_CRED_CERT, "dns:Device.Example", "dns:device.example"},
        {MEF_CRED_CERT, "uri://sp.example/cse1/Cx", "uri://sp.example/cse1/Cx"},
        {MEF_CRED_CERT, "other:1.2.3:0c0141", "other:1.2.3:0c0141"},
        {MEF_CRED_CERT, "other:1.2.30.0:0C01aF", "other:1.2.30.0:0c01af"},
        {MEF_CRED_CERT, "other:1.2.3:", NULL},
        {MEF_CRED_CERT, "other:1.2.3:0c0", NULL},
        {MEF_CRED_CERT, "other:1.2.3:zz", NULL},
        {MEF_CRED_CERT, "other:1.2.3", NULL},
        {MEF_CRED_CERT, "other:x:00", NULL},
        {MEF_CRED_CERT, "other:1:00", NULL},
        {MEF_CRED_CERT, "other:01.3.6:00", NULL},
        {MEF_CRED_CERT, "other:1..3:00", NULL},
        {MEF_CRED_CERT, "dns:*.example", NULL},
        {MEF_CRED_CERT, "email:a@b.example", NULL},
        {MEF_CRED_CERT, "dns:", NULL},
        {MEF_CRED_CERT, "device.example", NULL},
        {MEF_CRED_RPK, "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff",
         "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
        {MEF_CRED_RPK, "0011", NULL},
    };
    char out[MEF_CRED_NAME_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum gba_err err = mef_credential_name(rows[i].kind, gba_text(rows[i].name), out);

        CU_ASSERT_EQUAL(err, rows[i].canonical != NULL ? GBA_OK : GBA_E_SYNTAX);
        if (rows[i].canonical != NULL)
            CU_ASSERT_STRING_EQUAL(out, rows[i].canonical);
    }
}

/* ------------------------------------------------------------ kept */

static enum gba_err add_psk(const char *name, const char *enrolee, uint8_t octet,
                            int64_t expires_s, enum mef_origin origin)
{
    struct mef_credential c = {.kind = MEF_CRED_PSK, .key_len = 20, .expires_s = expires_s};

    strcpy(c.name, name);
    strcpy(c.enrolee, enrolee);
    memset(c.key, octet, c.key_len);
    return w.registry->add_credential(w.registry, &c, origin);
}

static void test_rows_are_kept(void)
{
    struct mef_credential c;

    mef_world_begin(&w);
    CU_ASSERT_EQUAL(add_psk("key@mef", WORLD_ENROLEE, 7, 99, MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_EQUAL(add_psk("key@mef", WORLD_OTHER, 8, 0, MEF_OF_ADMIN), GBA_E_EXISTS);
    CU_ASSERT_EQUAL(add_psk("key2@mef", "//sp.example/nobody", 8, 0, MEF_OF_ADMIN),
                    GBA_E_NOT_FOUND);
    mef_world_reopen(&w);
    CU_ASSERT_EQUAL(w.registry->credential(w.registry, MEF_CRED_PSK, "key@mef", &c), GBA_OK);
    CU_ASSERT_STRING_EQUAL(c.enrolee, WORLD_ENROLEE);
    CU_ASSERT(c.key_len == 20 && c.key[0] == 7 && c.key[19] == 7 && c.expires_s == 99);
    CU_ASSERT_EQUAL(w.registry->credential(w.registry, MEF_CRED_CERT, "key@mef", &c),
                    GBA_E_NOT_FOUND);
    mef_world_end(&w);
}

/* A configuration that is loaded again keeps what hangs on rows that stay, and only that. */
static void test_configuration_again(void)
{
    struct mef_registry *g;
    struct mef_credential c;
    struct mef_enrolee e = {.id = WORLD_ENROLEE};

    mef_world_begin(&w);
    g = w.registry;
    CU_ASSERT_EQUAL(add_psk("one@mef", WORLD_ENROLEE, 1, 0, MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_EQUAL(add_psk("two@mef", WORLD_OTHER, 2, 0, MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_EQUAL(g->begin_config(g), GBA_OK);
    CU_ASSERT_EQUAL(g->add_enrolee(g, &e, MEF_OF_CONFIG), GBA_OK);
    CU_ASSERT_EQUAL(g->add_enrolee(g, &e, MEF_OF_CONFIG), GBA_E_EXISTS); /* twice in the file */
    CU_ASSERT_EQUAL(g->end_config(g, GBA_OK), GBA_OK);
    CU_ASSERT_EQUAL(g->credential(g, MEF_CRED_PSK, "one@mef", &c), GBA_OK);
    CU_ASSERT_EQUAL(g->credential(g, MEF_CRED_PSK, "two@mef", &c), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(g->credential(g, MEF_CRED_GBA, WORLD_IMPI, &c), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(g->enrolee(g, WORLD_OTHER, &e), GBA_E_NOT_FOUND);

    /* one that fails changes nothing */
    CU_ASSERT_EQUAL(g->begin_config(g), GBA_OK);
    CU_ASSERT_EQUAL(g->end_config(g, GBA_E_SYNTAX), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(g->credential(g, MEF_CRED_PSK, "one@mef", &c), GBA_OK);

    /* nor may it take a row of the administration */
    strcpy(e.id, "//sp.example/cse1/Cnew");
    CU_ASSERT_EQUAL(g->add_enrolee(g, &e, MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_EQUAL(g->begin_config(g), GBA_OK);
    CU_ASSERT_EQUAL(g->add_enrolee(g, &e, MEF_OF_CONFIG), GBA_E_EXISTS);
    CU_ASSERT_EQUAL(g->end_config(g, GBA_E_EXISTS), GBA_E_EXISTS);
    mef_world_end(&w);
}

/* Credentials that EST leaves: they outlive the start, a row of the configuration for the same
 * enrolee takes their place, one for another does not. */
static void test_learned(void)
{
    struct mef_credential row = {.kind = MEF_CRED_CERT, .name = "dns:gw.example"}, got;
    struct mef_target t;
    struct gba_text san = GBA_TEXT("dns:GW.example");

    mef_world_begin(&w);
    CU_ASSERT_EQUAL(mef_check_certificate(&w.mef, WORLD_ENROLEE, san), GBA_OK);
    CU_ASSERT_EQUAL(mef_learn_certificate(&w.mef, WORLD_ENROLEE, san), GBA_OK);
    CU_ASSERT_EQUAL(mef_learn_certificate(&w.mef, WORLD_ENROLEE, san), GBA_OK);
    CU_ASSERT_EQUAL(mef_learn_certificate(&w.mef, WORLD_OTHER, san), GBA_E_EXISTS);
    CU_ASSERT_EQUAL(mef_check_certificate(&w.mef, WORLD_ENROLEE, san), GBA_OK);
    CU_ASSERT_EQUAL(mef_check_certificate(&w.mef, WORLD_OTHER, san), GBA_E_EXISTS);
    CU_ASSERT_EQUAL(mef_learn_certificate(&w.mef, WORLD_OTHER, GBA_TEXT("gw")), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(
        mef_learn_certificate(&w.mef, "//sp.example/none", GBA_TEXT("uri://sp.example/none")),
        GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(mef_check_certificate(&w.mef, WORLD_OTHER, GBA_TEXT("dns:CSE1.sp.example")),
                    GBA_E_EXISTS); /* a target's */
    CU_ASSERT_EQUAL(mef_check_certificate(&w.mef, WORLD_CSE, GBA_TEXT("dns:cse1.sp.example")),
                    GBA_OK);
    CU_ASSERT_EQUAL(w.registry->target_by_id(w.registry, WORLD_CSE, &t), GBA_OK);

    CU_ASSERT_EQUAL(w.registry->begin_config(w.registry), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->add_target(w.registry, &t, MEF_OF_CONFIG), GBA_OK);
    mef_world_enrolee(&w, WORLD_IMPI, WORLD_ENROLEE);
    mef_world_enrolee(&w, "two@example", WORLD_OTHER);
    strcpy(row.enrolee, WORLD_OTHER);
    CU_ASSERT_EQUAL(w.registry->add_credential(w.registry, &row, MEF_OF_CONFIG), GBA_E_EXISTS);
    CU_ASSERT_EQUAL(w.registry->end_config(w.registry, GBA_OK), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->credential(w.registry, MEF_CRED_CERT, row.name, &got), GBA_OK);
    CU_ASSERT_STRING_EQUAL(got.enrolee, WORLD_ENROLEE);
    strcpy(row.enrolee, WORLD_ENROLEE);
    CU_ASSERT_EQUAL(w.registry->add_credential(w.registry, &row, MEF_OF_CONFIG), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->add_credential(w.registry, &row, MEF_OF_CONFIG), GBA_E_EXISTS);

    CU_ASSERT_EQUAL(w.registry->begin_config(w.registry), GBA_OK); /* with nothing in it */
    CU_ASSERT_EQUAL(w.registry->end_config(w.registry, GBA_OK), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->credential(w.registry, MEF_CRED_CERT, row.name, &got),
                    GBA_E_NOT_FOUND);
    mef_world_end(&w);
}

static enum gba_err add_name(const char *name, const char *enrolee, enum mef_origin origin)
{
    struct mef_credential row = {.kind = MEF_CRED_CERT};

    strcpy(row.name, name);
    strcpy(row.enrolee, enrolee);
    return w.registry->add_credential(w.registry, &row, origin);
}

static enum gba_err add_named(const char *id, const char *fqdn, enum mef_origin origin)
{
    struct mef_target t = {.ua_id = {1, 0, 1, 0, 0xae}, .suids = (uint64_t)1 << 22};

    strcpy(t.id, id);
    strcpy(t.fqdn, fqdn);
    return w.registry->add_target(w.registry, &t, origin);
}

/* A dNSName is a target's or an enrolee's, whichever comes first, or of one that is both. */
static void test_two_roles(void)
{
    struct mef_enrolee both = {.id = "//sp.example/mn1"};
    struct mef_client c = {.is_enrolee = false};
    struct mef_registry *g;

    mef_world_begin(&w);
    g = w.registry;
    CU_ASSERT_EQUAL(add_name("dns:" WORLD_FQDN, WORLD_ENROLEE, MEF_OF_ADMIN), GBA_E_FORBIDDEN);
    CU_ASSERT_EQUAL(mef_learn_certificate(&w.mef, WORLD_ENROLEE, GBA_TEXT("dns:" WORLD_FQDN)),
                    GBA_E_FORBIDDEN);
    CU_ASSERT_EQUAL(add_name("uri:" WORLD_FQDN, WORLD_ENROLEE, MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_EQUAL(add_name("dns:gw.example", WORLD_ENROLEE, MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_EQUAL(add_named("gw.example", "gw.example", MEF_OF_ADMIN), GBA_E_FORBIDDEN);
    CU_ASSERT_EQUAL(add_named("//sp.example/x", "x.sp.example", MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_EQUAL(
        mef_know_certificate(&w.mef, GBA_TEXT("dns:gw.example"), WORLD_T0, WORLD_T0 + 9, &c),
        GBA_OK);
    CU_ASSERT(c.is_enrolee && !c.is_target);

    /* an MN-CSE enrols, and is a registrar */
    CU_ASSERT_EQUAL(g->add_enrolee(g, &both, MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_EQUAL(add_name("dns:mn1.sp.example", both.id, MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_EQUAL(add_named(both.id, "mn1.sp.example", MEF_OF_ADMIN), GBA_OK);
    memset(&c, 0, sizeof(c));
    CU_ASSERT_EQUAL(mef_know_certificate(&w.mef, GBA_TEXT("dns:mn1.sp.example"), WORLD_T0,
                                         WORLD_T0 + 9, &c),
                    GBA_OK);
    CU_ASSERT(c.is_enrolee && c.is_target);
    mef_world_end(&w);
}

/* What a configuration says no more does not stand in its way. */
static void test_roles_exchanged(void)
{
    struct mef_enrolee e = {.id = WORLD_ENROLEE};
    struct mef_registry *g;

    mef_world_begin(&w);
    g = w.registry;
    CU_ASSERT_EQUAL(add_name("dns:gw.example", WORLD_ENROLEE, MEF_OF_CONFIG), GBA_OK);
    CU_ASSERT_EQUAL(g->begin_config(g), GBA_OK);
    CU_ASSERT_EQUAL(add_named("gw.example", "gw.example", MEF_OF_CONFIG), GBA_OK);
    CU_ASSERT_EQUAL(g->add_enrolee(g, &e, MEF_OF_CONFIG), GBA_OK);
    CU_ASSERT_EQUAL(add_name("dns:" WORLD_FQDN, WORLD_ENROLEE, MEF_OF_CONFIG), GBA_OK);
    CU_ASSERT_EQUAL(add_name("dns:gw.example", WORLD_ENROLEE, MEF_OF_CONFIG), GBA_E_FORBIDDEN);
    CU_ASSERT_EQUAL(g->end_config(g, GBA_OK), GBA_OK);
    CU_ASSERT_EQUAL(add_named(WORLD_CSE, WORLD_FQDN, MEF_OF_ADMIN), GBA_E_FORBIDDEN);
    mef_world_end(&w);
}

static void test_transactions(void)
{
    struct mef_registry *g;
    struct mef_enrolee e = {.id = "//sp.example/cse1/Ca"};

    mef_world_begin(&w);
    g = w.registry;
    CU_ASSERT_EQUAL(g->begin(g), GBA_OK);
    CU_ASSERT_EQUAL(g->add_enrolee(g, &e, MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_EQUAL(g->begin(g), GBA_OK); /* one within */
    strcpy(e.id, "//sp.example/cse1/Cb");
    CU_ASSERT_EQUAL(g->add_enrolee(g, &e, MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_EQUAL(g->end(g, GBA_E_SYNTAX), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(g->end(g, GBA_OK), GBA_OK);
    CU_ASSERT_EQUAL(g->enrolee(g, "//sp.example/cse1/Ca", &e), GBA_OK);
    CU_ASSERT_EQUAL(g->enrolee(g, "//sp.example/cse1/Cb", &e), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(g->begin(g), GBA_OK);
    strcpy(e.id, "//sp.example/cse1/Cc");
    CU_ASSERT_EQUAL(g->add_enrolee(g, &e, MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_EQUAL(g->end(g, GBA_E_IO), GBA_E_IO);
    CU_ASSERT_EQUAL(g->enrolee(g, "//sp.example/cse1/Cc", &e), GBA_E_NOT_FOUND);
    mef_world_end(&w);
}

/* ------------------------------------------------------------ rights */

static void test_who_it_is(void)
{
    struct mef_client c = {.is_enrolee = false};

    mef_world_begin(&w);
    add_psk("key@mef.example", WORLD_ENROLEE, 7, WORLD_T0 + 50, MEF_OF_ADMIN);
    CU_ASSERT_EQUAL(mef_know_enrolee(&w.mef, MEF_CRED_PSK, GBA_TEXT("KEY@mef.example"),
                                     WORLD_T0, INT64_MAX, &c),
                    GBA_OK);
    CU_ASSERT(c.is_enrolee && c.expires_s == WORLD_T0 + 50);
    CU_ASSERT_STRING_EQUAL(c.id, WORLD_ENROLEE);

    memset(&c, 0, sizeof(c)); /* over */
    CU_ASSERT_EQUAL(mef_know_enrolee(&w.mef, MEF_CRED_PSK, GBA_TEXT("key@mef.example"),
                                     WORLD_T0 + 50, INT64_MAX, &c),
                    GBA_OK);
    CU_ASSERT(!c.is_enrolee && c.id[0] == '\0');

    /* the certificate of a target, and of an enrolee; of two entities the first counts */
    CU_ASSERT_EQUAL(mef_know_certificate(&w.mef, GBA_TEXT("dns:CSE1.sp.example"), WORLD_T0,
                                         WORLD_T0 + 9, &c),
                    GBA_OK);
    CU_ASSERT(c.is_target && !c.is_enrolee);
    CU_ASSERT_EQUAL(
        mef_know_certificate(&w.mef, GBA_TEXT("dns:maf.example"), WORLD_T0, WORLD_T0 + 9, &c),
        GBA_OK);
    CU_ASSERT_STRING_EQUAL(c.target.id, WORLD_CSE);
    mef_world_end(&w);
}

/* TS-0003 12.4.4: as a DEV_CFG command has it. */
static void test_device_config(void)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {{"3:coaps://mef.example:5684", true},
                {"4:https://MEF.example/acs", true},
                {"1:http://mef.example", true},
                {"5:coaps://mef.example", false},
                {"0:coaps://mef.example", false},
                {"3:coaps://mef.example.org", false},
                {"3:coaps://mef.example@evil.example", false},
                {"3:mef.example", false},
                {"coaps://mef.example", false},
                {"3:", false},
                {"3", false},
                {"", false}};
    const struct mef_limits limits = {.enrolment_s = 1};
    struct mef_policy p;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_EQUAL(mef_policy_init(&p, "mef.example", NULL, &limits), GBA_OK);
        CU_ASSERT_EQUAL(mef_policy_device_config(&p, rows[i].text),
                        rows[i].good ? GBA_OK : GBA_E_SYNTAX);
        CU_ASSERT_STRING_EQUAL(p.device_config_uri, rows[i].good ? rows[i].text : "");
    }
}

static const struct unit_test tests[] = {
    {"targets", test_targets},
    {"SUIDs", test_suids},
    {"names of credentials", test_credential_names},
    {"rows are kept", test_rows_are_kept},
    {"a configuration loaded again", test_configuration_again},
    {"credentials of EST", test_learned},
    {"a name of two entities", test_two_roles},
    {"names that change sides", test_roles_exchanged},
    {"transactions", test_transactions},
    {"who it is", test_who_it_is},
    {"deviceConfigURI", test_device_config},
};
UNIT_MAIN("mef_policy", tests)
