/*
 * common/m2m_id.c: identifiers of entities, keys and credentials; SUID.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/m2m_id.h"

static bool is(struct gba_text t, const char *s)
{
    return gba_text_is(t, s);
}

static void test_cse_id(void)
{
    static const struct {
        const char *text;
        enum gba_err err;
        const char *sp, *cse;
    } rows[] = {
        {"//sp.example.com/in-cse-1", GBA_OK, "sp.example.com", "in-cse-1"},
        {"/in-cse-1", GBA_OK, "", "in-cse-1"},
        {"//SP.Example/Cse~1._", GBA_OK, "SP.Example", "Cse~1._"},
        {"in-cse-1", GBA_E_SYNTAX, NULL, NULL},
        {"", GBA_E_SYNTAX, NULL, NULL},
        {"/", GBA_E_SYNTAX, NULL, NULL},
        {"//sp.example.com", GBA_E_SYNTAX, NULL, NULL},
        {"//sp.example.com/", GBA_E_SYNTAX, NULL, NULL},
        {"///cse", GBA_E_SYNTAX, NULL, NULL},
        {"//sp..example/cse", GBA_E_SYNTAX, NULL, NULL},
        {"//sp example/cse", GBA_E_SYNTAX, NULL, NULL},
        {"/cse/", GBA_E_SYNTAX, NULL, NULL},
        {"/cse/Cae", GBA_E_SYNTAX, NULL, NULL},
        {"/c se", GBA_E_SYNTAX, NULL, NULL},
        {"/c@e", GBA_E_SYNTAX, NULL, NULL},
        {"/c%41e", GBA_E_SYNTAX, NULL, NULL},
        {"/c\xc3\xa9", GBA_E_SYNTAX, NULL, NULL},
        {"//sp.example/a/b/c", GBA_E_SYNTAX, NULL, NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct m2m_id id;
        enum gba_err err = m2m_cse_id_parse(gba_text(rows[i].text), &id);

        CU_ASSERT_EQUAL(err, rows[i].err);
        if (err != rows[i].err)
            printf("row %zu: %s\n", i, gba_err_name(err));
        if (err == GBA_OK)
            CU_ASSERT(is(id.sp, rows[i].sp) && is(id.cse, rows[i].cse) && id.ae.n == 0);
    }
}

static void test_ae_id(void)
{
    static const struct {
        const char *text;
        enum gba_err err;
        const char *sp, *cse, *ae, *absolute;
    } rows[] = {
        {"//sp.example/cse/Cae1", GBA_OK, "sp.example", "cse", "Cae1", "//sp.example/cse/Cae1"},
        {"//sp.example/Sae1", GBA_OK, "sp.example", "", "Sae1", "//sp.example/Sae1"},
        {"/cse/Cae1", GBA_OK, "", "cse", "Cae1", "//home.example/cse/Cae1"},
        {"/Sae1", GBA_OK, "", "", "Sae1", "//home.example/Sae1"},
        {"CAE01", GBA_OK, "", "", "CAE01", NULL},
        {"S1", GBA_OK, "", "", "S1", "//home.example/S1"},
        {"//sp.example/Cae1", GBA_E_SYNTAX, NULL, NULL, NULL, NULL},
        {"/Cae1", GBA_E_SYNTAX, NULL, NULL, NULL, NULL},
        {"/cse/ae", GBA_E_SYNTAX, NULL, NULL, NULL, NULL},
        {"ae", GBA_E_SYNTAX, NULL, NULL, NULL, NULL},
        {"a/b", GBA_E_SYNTAX, NULL, NULL, NULL, NULL},
        {"", GBA_E_SYNTAX, NULL, NULL, NULL, NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct m2m_id id;
        char out[M2M_ID_SIZE];
        enum gba_err err = m2m_ae_id_parse(gba_text(rows[i].text), &id);

        CU_ASSERT_EQUAL(err, rows[i].err);
        if (err != GBA_OK)
            continue;
        CU_ASSERT(is(id.sp, rows[i].sp) && is(id.cse, rows[i].cse) && is(id.ae, rows[i].ae));
        CU_ASSERT_EQUAL(m2m_id_absolute(&id, GBA_TEXT("home.example"), out),
                        rows[i].absolute != NULL ? GBA_OK : GBA_E_SYNTAX);
        CU_ASSERT_STRING_EQUAL(out, rows[i].absolute != NULL ? rows[i].absolute : "");
    }
}

static void test_entity(void)
{
    struct m2m_id id, other;
    char longest[M2M_ID_SIZE + 1];

    CU_ASSERT_EQUAL(m2m_entity_parse(GBA_TEXT("//sp.example/x"), &id), GBA_OK);
    CU_ASSERT(is(id.cse, "x") && id.ae.n == 0);
    CU_ASSERT_EQUAL(m2m_entity_parse(GBA_TEXT("//sp.example/x/Cy"), &id), GBA_OK);
    CU_ASSERT(is(id.cse, "x") && is(id.ae, "Cy"));
    CU_ASSERT_EQUAL(m2m_entity_parse(GBA_TEXT("//sp.example/x/y"), &id), GBA_E_SYNTAX);
    memset(longest, 'a', M2M_ID_SIZE);
    longest[0] = '/';
    longest[M2M_ID_SIZE] = '\0';
    CU_ASSERT_EQUAL(m2m_entity_parse(gba_text(longest), &id), GBA_E_TOO_LONG);

    CU_ASSERT_EQUAL(m2m_entity_parse(GBA_TEXT("//SP.example/x"), &id), GBA_OK);
    CU_ASSERT_EQUAL(m2m_entity_parse(GBA_TEXT("/x"), &other), GBA_OK);
    CU_ASSERT(m2m_id_eq(&id, &other, GBA_TEXT("sp.example")));
    CU_ASSERT(!m2m_id_eq(&id, &other, GBA_TEXT("other.example")));
    CU_ASSERT_EQUAL(m2m_entity_parse(GBA_TEXT("/X"), &other), GBA_OK);
    CU_ASSERT(!m2m_id_eq(&id, &other, GBA_TEXT("sp.example")));
}

static void test_domain(void)
{
    static const struct {
        const char *cse, *in_cse;
        enum gba_err err;
        const char *domain;
    } rows[] = {
        {"//sp.example.com/in-cse-1", "", GBA_OK, "in-cse-1.sp.example.com"},
        {"//SP.example.com/IN-CSE-1", "", GBA_OK, "in-cse-1.sp.example.com"},
        {"//sp.example.com/mn-7", "in-cse-1", GBA_OK, "mn-7.in-cse-1.sp.example.com"},
        {"/in-cse-1", "", GBA_E_SYNTAX, ""},
        {"//sp.example.com/a~b", "", GBA_E_SYNTAX, ""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct m2m_id id;
        char out[GBA_FQDN_SIZE];

        CU_ASSERT_EQUAL_FATAL(m2m_cse_id_parse(gba_text(rows[i].cse), &id), GBA_OK);
        CU_ASSERT_EQUAL(m2m_cse_domain(&id, gba_text(rows[i].in_cse), out), rows[i].err);
        CU_ASSERT_STRING_EQUAL(out, rows[i].domain);
    }
}

static void test_key_id(void)
{
    static const struct {
        const char *text;
        enum gba_err err;
        enum m2m_key_id_form form;
        const char *canonical;
    } rows[] = {
        {"I1U8vpY3qJ0hiuZNrke/NQ==@BSF.example", GBA_OK, M2M_KEY_ID_GBA,
         "I1U8vpY3qJ0hiuZNrke/NQ==@bsf.example"},
        {"404142434445464748494A4b4c4d4E4F@mef.example.com", GBA_OK, M2M_KEY_ID_HEX,
         "404142434445464748494A4B4C4D4E4F@mef.example.com"},
        {"My.Key_1-a@maf.example", GBA_OK, M2M_KEY_ID_NAMED, "my.key_1-a@maf.example"},
        /* 31 and 33 digits are names */
        {"404142434445464748494A4B4C4D4E4@mef.example", GBA_OK, M2M_KEY_ID_NAMED,
         "404142434445464748494a4b4c4d4e4@mef.example"},
        {"404142434445464748494A4B4C4D4E4F0@mef.example", GBA_OK, M2M_KEY_ID_NAMED,
         "404142434445464748494a4b4c4d4e4f0@mef.example"},
        {"abcdef0123456789ABCDEF0123456789@MEF", GBA_OK, M2M_KEY_ID_HEX,
         "ABCDEF0123456789ABCDEF0123456789@mef"},
        {"AZaz09-@mef", GBA_OK, M2M_KEY_ID_NAMED, "azaz09-@mef"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@mef", GBA_OK,
         M2M_KEY_ID_NAMED,
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@mef"},
        {"key", GBA_E_SYNTAX, 0, NULL},
        {"@mef.example", GBA_E_SYNTAX, 0, NULL},
        {"key@", GBA_E_SYNTAX, 0, NULL},
        {"key@a@b.example", GBA_E_SYNTAX, 0, NULL},
        {"k~y@mef.example", GBA_E_SYNTAX, 0, NULL},
        {"k y@mef.example", GBA_E_SYNTAX, 0, NULL},
        {"key@mef..example", GBA_E_SYNTAX, 0, NULL},
        {"I1U8vpY3qJ0hiuZNrke/NR==@bsf.example", GBA_E_SYNTAX, 0, NULL}, /* unused bits set */
        {"I1U8vpY3qJ0hiuZNrke/@bsf.example", GBA_E_SYNTAX, 0, NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@mef.example",
         GBA_E_TOO_LONG, 0, NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct m2m_key_id id;
        char out[M2M_KEY_ID_TEXT_SIZE];
        enum gba_err err = m2m_key_id_parse(gba_text(rows[i].text), &id);

        CU_ASSERT_EQUAL(err, rows[i].err);
        if (err != rows[i].err)
            printf("row %zu: %s\n", i, gba_err_name(err));
        if (err != GBA_OK)
            continue;
        CU_ASSERT_EQUAL(id.form, rows[i].form);
        CU_ASSERT_EQUAL(m2m_key_id_canonical(&id, out), GBA_OK);
        CU_ASSERT_STRING_EQUAL(out, rows[i].canonical);
    }
}

static void test_key_id_octets(void)
{
    struct m2m_key_id id;

    CU_ASSERT_EQUAL(m2m_key_id_parse(GBA_TEXT("I1U8vpY3qJ0hiuZNrke/NQ==@bsf.example"), &id),
                    GBA_OK);
    UNIT_BYTES_EQ(id.octets, 16, "23553cbe9637a89d218ae64dae47bf35");
    CU_ASSERT_EQUAL(m2m_key_id_parse(GBA_TEXT("404142434445464748494a4b4c4d4e4f@m"), &id),
                    GBA_OK);
    UNIT_BYTES_EQ(id.octets, 16, "404142434445464748494a4b4c4d4e4f");
    CU_ASSERT(is(id.fqdn, "m"));
}

static void test_credential_id(void)
{
    static const struct {
        const char *text;
        enum gba_err err;
        unsigned type;
        const char *value;
    } rows[] = {
        {"10-thiskey@mymef.com", GBA_OK, 10, "thiskey@mymef.com"},
        {"12-I1U8vpY3qJ0hiuZNrke/NQ==@bsf.example", GBA_OK, 12,
         "I1U8vpY3qJ0hiuZNrke/NQ==@bsf.example"},
        {"34-1.2.3-4", GBA_OK, 34, "1.2.3-4"},
        {"17-x", GBA_E_SYNTAX, 0, NULL},
        {"1-x", GBA_E_SYNTAX, 0, NULL},
        {"010-x", GBA_E_SYNTAX, 0, NULL},
        {"12-", GBA_E_SYNTAX, 0, NULL},
        {"12", GBA_E_SYNTAX, 0, NULL},
        {"12-a b", GBA_E_SYNTAX, 0, NULL},
        {"12-a/b", GBA_E_SYNTAX, 0, NULL},
        {"-x", GBA_E_SYNTAX, 0, NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_text value;
        unsigned type;
        char room[256];
        struct gba_wbuf w;

        CU_ASSERT_EQUAL(m2m_credential_id_parse(gba_text(rows[i].text), &type, &value),
                        rows[i].err);
        if (rows[i].err != GBA_OK)
            continue;
        CU_ASSERT(type == rows[i].type && is(value, rows[i].value));
        gba_wbuf_init(&w, room, sizeof(room));
        CU_ASSERT_EQUAL(m2m_credential_id_print(type, value, &w), GBA_OK);
        CU_ASSERT_STRING_EQUAL(gba_wbuf_cstr(&w), rows[i].text);
    }
}

static void test_credential_types(void)
{
    static const unsigned known[] = {10, 11, 12, 13, 14, 15, 16, 30, 31, 32, 33,
                                     34, 41, 42, 43, 44, 45, 51, 52, 53, 54, 55};
    size_t found = 0;

    for (unsigned v = 0; v < 120; v++) {
        const struct m2m_credential_type *t = m2m_credential_type_find(v);

        if (t == NULL)
            continue;
        CU_ASSERT_FATAL(found < sizeof(known) / sizeof(known[0]));
        CU_ASSERT(t->id == v && known[found] == v && t->name[0] != '\0');
        found++;
    }
    CU_ASSERT_EQUAL(found, sizeof(known) / sizeof(known[0]));
    CU_ASSERT(strstr(m2m_credential_type_find(33)->name, "AE-ID") != NULL);
    CU_ASSERT(strstr(m2m_credential_type_find(43)->name, "CSE-ID") != NULL);
}

static void test_suid(void)
{
    static const unsigned known[] = {10, 11, 12, 13, 14, 15, 21, 22, 23, 24, 25,
                                     32, 33, 34, 35, 40, 41, 42, 43, 44, 45};
    size_t found = 0;

    for (unsigned v = 0; v < 100; v++) {
        const struct m2m_suid *s = m2m_suid_find(v);
        bool listed = false;

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            listed = listed || known[i] == v;
        CU_ASSERT_EQUAL(s != NULL, listed);
        if (s == NULL)
            continue;
        found++;
        CU_ASSERT_EQUAL((unsigned)s->source, v / 10);
        CU_ASSERT_EQUAL((unsigned)s->feature, v % 10);
        CU_ASSERT(!m2m_suid_takes_targets(s, 0) && m2m_suid_takes_targets(s, 1));
        CU_ASSERT_EQUAL(m2m_suid_takes_targets(s, 2), v % 10 >= 4);
    }
    CU_ASSERT_EQUAL(found, sizeof(known) / sizeof(known[0]));
    CU_ASSERT_PTR_NULL(m2m_suid_find(31)); /* TS-0003 8.3.9.9.2 names it, TS-0004 has it not */
    CU_ASSERT_PTR_NULL(m2m_suid_find((uint64_t)UINT32_MAX + 23));
}

/* One name type of certificates for all of them, apart from AE-IDs and CSE-IDs by form. */
static void test_node_id(void)
{
    static const struct {
        const char *text;
        bool is;
    } rows[] = {
        {"urn:gsma:imei:90420156-025763-0", true},
        {"urn:dev:ops:32473-meter-7", true},
        {"urn:oid:0.2.481.1.1.7", true},
        {"x-a+1.b:y", true},
        {"https://node.example/7", true},
        {"node7", false},
        {"node7.example", false},
        {"352099001761481", false},
        {"//sp.example/cse1/Cone", false},
        {"/cse1", false},
        {"", false},
        {":x", false},
        {"urn:", false},
        {"1urn:x", false},
        {"+urn:x", false},
        {"u_n:x", false},
        {"urn:a b", false},
        {"urn:a\x7f", false},
        {"urn:\xc3\xa9", false},
    };
    char big[M2M_ID_SIZE + 1];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (m2m_is_node_id(gba_text(rows[i].text)) != rows[i].is)
            printf("%s ", rows[i].text);
        CU_ASSERT_EQUAL(m2m_is_node_id(gba_text(rows[i].text)), rows[i].is);
    }
    CU_ASSERT_FALSE(m2m_is_node_id((struct gba_text){"urn:a\0b", 7}));
    CU_ASSERT_FALSE(m2m_is_node_id((struct gba_text){"u\0n:a", 5}));
    memset(big, 'a', sizeof(big));
    memcpy(big, "urn:", 4);
    CU_ASSERT(m2m_is_node_id((struct gba_text){big, M2M_ID_SIZE - 1}));
    CU_ASSERT_FALSE(m2m_is_node_id((struct gba_text){big, M2M_ID_SIZE}));
}

static const struct unit_test tests[] = {
    {"CSE-ID", test_cse_id},
    {"AE-ID", test_ae_id},
    {"either entity", test_entity},
    {"public domain name", test_domain},
    {"M2M-Node-ID", test_node_id},
    {"key identifiers", test_key_id},
    {"octets of key identifiers", test_key_id_octets},
    {"Credential-ID", test_credential_id},
    {"credential types", test_credential_types},
    {"SUID", test_suid},
};
UNIT_MAIN("m2m_id", tests)
