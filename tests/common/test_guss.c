/*
 * common/guss.c: GUSS and USS documents of every release and of the field; what goes to a NAF
 * and what never does.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/guss.h"

#define R9 "urn:3gpp:gba:GBAGUSSSchema-R9:2010-02"

static const char example[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<guss xmlns=\"" R9 "\" id=\"001010000000001@ims.mnc001.mcc001.3gppnetwork.org\">\n"
    "  "
    "<bsfInfo><uiccType>GBA_U</uiccType><lifeTime>3600</lifeTime><secret>S</secret></bsfInfo>\n"
    "  <Extension><timestamp>2026-01-02T03:04:05Z</timestamp></Extension>\n"
    "  <ussList>\n"
    "    <uss id=\"0\" type=\"0\"><uids><uid>sip:user@example.org</uid></uids></uss>\n"
    "    <uss id=\"1\" type=\"1\" "
    "nafGroup=\"A\"><uids><uid>tel:+15551234</uid><uid>b</uid></uids>"
    "<flags><flag>1</flag><flag>2</flag></flags><keyChoice>UICC_BASED_KEY</keyChoice></uss>\n"
    "  </ussList>\n</guss>\n";

static struct gba_guss *read_ok(const char *xml)
{
    struct gba_guss *g;

    CU_ASSERT_EQUAL_FATAL(gba_guss_parse(gba_text_bytes(gba_text(xml)), &g), GBA_OK);
    return g;
}

static void test_example(void)
{
    struct gba_guss *g = read_ok(example);
    const struct gba_uss *u;

    CU_ASSERT_STRING_EQUAL(gba_guss_id(g), "001010000000001@ims.mnc001.mcc001.3gppnetwork.org");
    CU_ASSERT_EQUAL(gba_guss_uicc_type(g), GBA_UICC_U);
    CU_ASSERT_EQUAL(gba_guss_lifetime_s(g), 3600);
    CU_ASSERT_EQUAL(gba_guss_timestamp_s(g), 1767323045);
    CU_ASSERT_EQUAL_FATAL(gba_guss_n_uss(g), 2);
    u = gba_guss_uss(g, 0);
    CU_ASSERT_STRING_EQUAL(u->id, "0");
    CU_ASSERT_EQUAL(u->type, 0);
    CU_ASSERT_PTR_NULL(u->naf_group);
    CU_ASSERT_EQUAL(u->n_uids, 1);
    CU_ASSERT_EQUAL(u->n_flags, 0);
    CU_ASSERT_EQUAL(u->key_choice, GBA_KEY_ANY);
    u = gba_guss_uss(g, 1);
    CU_ASSERT_STRING_EQUAL(u->naf_group, "A");
    CU_ASSERT_EQUAL_FATAL(u->n_uids, 2);
    CU_ASSERT_STRING_EQUAL(u->uids[0], "tel:+15551234");
    CU_ASSERT_EQUAL_FATAL(u->n_flags, 2);
    CU_ASSERT_EQUAL(u->flags[1], 2);
    CU_ASSERT_EQUAL(u->key_choice, GBA_KEY_UICC);
    CU_ASSERT(gba_text_is(gba_bytes_text(gba_guss_xml(g)), example));
    gba_guss_unref(g);
}

static void test_namespaces(void)
{
    static const char *const documents[] = {
        "<guss><ussList><uss id='7' type='5'><uids><uid>u</uid></uids></uss></ussList></guss>",
        "<guss xmlns='guss-schema-of-3gpp-gaa'><ussList><uss id='7' type='5'><uids><uid>u</uid>"
        "</uids></uss></ussList></guss>",
        "<t:guss xmlns:t='" R9 "'><t:ussList><t:uss id='7' type='5'><t:uids><t:uid>u</t:uid>"
        "</t:uids></t:uss></t:ussList></t:guss>",
        "<guss xmlns='urn:carrier:own'><ussList><uss type='5' id='7'><uids><uid> u "
        "</uid></uids>"
        "</uss></ussList></guss>",
    };
    const bool pick[] = {true};

    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        struct gba_guss *g = read_ok(documents[i]), *back;
        char room[1024];
        struct gba_wbuf w;

        CU_ASSERT_EQUAL_FATAL(gba_guss_n_uss(g), 1);
        CU_ASSERT_STRING_EQUAL(gba_guss_uss(g, 0)->id, "7");
        CU_ASSERT_EQUAL(gba_guss_uss(g, 0)->type, 5);
        CU_ASSERT_STRING_EQUAL(gba_guss_uss(g, 0)->uids[0], "u");
        CU_ASSERT_EQUAL(gba_guss_uicc_type(g), GBA_UICC_ME);
        CU_ASSERT_EQUAL(gba_guss_lifetime_s(g), -1);
        gba_wbuf_init(&w, room, sizeof(room));
        CU_ASSERT_EQUAL(gba_uss_list_print(g, pick, &w), GBA_OK);
        CU_ASSERT_PTR_NOT_NULL(strstr(gba_wbuf_cstr(&w), "<uss xmlns=\"" R9 "\""));
        CU_ASSERT_EQUAL_FATAL(gba_uss_list_parse(gba_wbuf_bytes(&w), &back), GBA_OK);
        CU_ASSERT_STRING_EQUAL(gba_guss_uss(back, 0)->uids[0], "u");
        gba_guss_unref(back);
        gba_guss_unref(g);
    }
}

static const char *print_picked(struct gba_guss *g, const bool *pick, char *room, size_t cap)
{
    struct gba_wbuf w;

    gba_wbuf_init(&w, room, cap);
    CU_ASSERT_EQUAL(gba_uss_list_print(g, pick, &w), GBA_OK);
    return gba_wbuf_cstr(&w);
}

static void test_nothing_else_leaks(void)
{
    struct gba_guss *g = read_ok(example);
    const bool none[] = {false, false}, second[] = {false, true};
    char room[2048];

    CU_ASSERT_STRING_EQUAL(print_picked(g, none, room, sizeof(room)),
                           "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                           "<ussList xmlns=\"" R9 "\"></ussList>");
    CU_ASSERT_STRING_EQUAL(
        print_picked(g, second, room, sizeof(room)),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ussList xmlns=\"" R9 "\">"
        "<uss xmlns=\"" R9
        "\" id=\"1\" type=\"1\" nafGroup=\"A\"><uids><uid>tel:+15551234</uid>"
        "<uid>b</uid></uids><flags><flag>1</flag><flag>2</flag></flags>"
        "<keyChoice>UICC_BASED_KEY</keyChoice></uss></ussList>");
    gba_guss_unref(g);
}

static void test_extensions_survive(void)
{
    struct gba_guss *g =
        read_ok("<guss xmlns='guss-schema-of-3gpp-gaa' xmlns:v='urn:vendor'><ussList>"
                "<uss id='1000001' type='6' v:rank='3'><uids><uid>a&amp;b</uid></uids>"
                "<v:more v:of='v:it'><other xmlns='urn:third'>&lt;</other></v:more></uss>"
                "</ussList></guss>");
    const bool pick[] = {true};
    char room[2048];

    CU_ASSERT_PTR_NOT_NULL(
        strstr(print_picked(g, pick, room, sizeof(room)),
               "<uss xmlns=\"" R9 "\" xmlns:v=\"urn:vendor\" id=\"1000001\" type=\"6\" "
               "v:rank=\"3\"><uids><uid>a&amp;b</uid></uids><v:more v:of=\"v:it\">"
               "<other xmlns=\"urn:third\">&lt;</other></v:more></uss></ussList>"));
    CU_ASSERT_STRING_EQUAL(gba_guss_uss(g, 0)->uids[0], "a&b");
    gba_guss_unref(g);
}

static void test_odd_documents(void)
{
    static const struct {
        const char *xml;
        enum gba_err err;
    } rows[] = {
        {"<guss/>", GBA_OK},
        {"<guss id=''><bsfInfo/><ussList/></guss>", GBA_OK},
        {"<guss><bsfInfo><lifeTime>-5</lifeTime></bsfInfo></guss>", GBA_OK},
        {"<guss><bsfInfo><lifeTime>1h</lifeTime></bsfInfo></guss>", GBA_OK},
        {"<guss><Extension><timestamp>yesterday</timestamp></Extension></guss>", GBA_OK},
        {"<guss><ussList><uss><uids/><flags><flag>x</flag></flags></uss><new/></ussList></"
         "guss>",
         GBA_OK},
        {"<ussList/>", GBA_E_SYNTAX},
        {"<guss><bsfInfo/><bsfInfo/></guss>", GBA_E_SYNTAX},
        {"<guss><ussList/><ussList/></guss>", GBA_E_SYNTAX},
        {"<guss><ussList><uss id='1'><uids/><uids/></uss></ussList></guss>", GBA_E_SYNTAX},
        {"<guss><ussList><uss id='1'><uids><uid>a<b/></uid></uids></uss></ussList></guss>",
         GBA_E_SYNTAX},
        {"<!DOCTYPE guss [<!ENTITY e 'x'>]><guss id='&e;'/>", GBA_E_SYNTAX},
        {"not xml", GBA_E_SYNTAX},
        {"", GBA_E_SYNTAX},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_guss *g;
        enum gba_err err = gba_guss_parse(gba_text_bytes(gba_text(rows[i].xml)), &g);

        CU_ASSERT_EQUAL(err, rows[i].err);
        if (err != rows[i].err)
            printf("row %zu: %s\n", i, gba_err_name(err));
        if (err == GBA_OK) {
            CU_ASSERT_EQUAL(gba_guss_lifetime_s(g), -1);
            CU_ASSERT_EQUAL(gba_guss_timestamp_s(g), 0);
            if (gba_guss_n_uss(g) != 0)
                CU_ASSERT(gba_guss_uss(g, 0)->type == -1 && gba_guss_uss(g, 0)->n_flags == 0);
        }
        gba_guss_unref(g);
    }
}

static void test_key_choice(void)
{
    static const struct {
        const char *text;
        enum gba_key_choice choice;
    } rows[] = {
        {"ME_BASED_KEY", GBA_KEY_ME},     {"ME-based-key", GBA_KEY_ME},
        {"UICC_BASED_KEY", GBA_KEY_UICC}, {"ME_UICC_BASED_KEYS", GBA_KEY_BOTH},
        {"UICC based key", GBA_KEY_UICC}, {"", GBA_KEY_ANY},
        {"something else", GBA_KEY_ANY},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char xml[256];
        struct gba_guss *g;

        snprintf(xml, sizeof(xml),
                 "<guss><ussList><uss id='1'><Extension><keyChoice>%s</keyChoice></Extension>"
                 "</uss></ussList></guss>",
                 rows[i].text);
        g = read_ok(xml);
        CU_ASSERT_EQUAL(gba_guss_uss(g, 0)->key_choice, rows[i].choice);
        gba_guss_unref(g);
    }
}

/* A guss with n USSs, each with m uids. */
static enum gba_err sized(size_t n, size_t m)
{
    char *xml = malloc(200 + n * (32 + m * 16)), *at = xml;
    struct gba_guss *g;
    enum gba_err err;

    at += sprintf(at, "<guss><ussList>");
    for (size_t i = 0; i < n; i++) {
        at += sprintf(at, "<uss id='%zu'><uids>", i);
        for (size_t k = 0; k < m; k++)
            at += sprintf(at, "<uid>u</uid>");
        at += sprintf(at, "</uids></uss>");
    }
    at += sprintf(at, "</ussList></guss>");
    err = gba_guss_parse((struct gba_bytes){(uint8_t *)xml, (size_t)(at - xml)}, &g);
    gba_guss_unref(g);
    free(xml);
    return err;
}

/* One namespace declared for all, many USSs: each copy carries it, and the sum has a cap. */
static enum gba_err amplified(size_t length)
{
    char *xml = malloc(64 + length + 128 * 16), *at = xml;
    struct gba_guss *g;
    enum gba_err err;

    at += sprintf(at, "<guss xmlns:x='");
    memset(at, 'u', length);
    at += length;
    at += sprintf(at, "'><ussList>");
    for (int i = 0; i < 128; i++)
        at += sprintf(at, "<uss id='1'/>");
    at += sprintf(at, "</ussList></guss>");
    err = gba_guss_parse((struct gba_bytes){(uint8_t *)xml, (size_t)(at - xml)}, &g);
    gba_guss_unref(g);
    free(xml);
    return err;
}

static void test_limits(void)
{
    CU_ASSERT_EQUAL(amplified(500), GBA_OK);
    CU_ASSERT_EQUAL(amplified(1000), GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(sized(128, 1), GBA_OK);
    CU_ASSERT_EQUAL(sized(129, 1), GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(sized(1, 64), GBA_OK);
    CU_ASSERT_EQUAL(sized(1, 65), GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(sized(4000, 1), GBA_E_TOO_LONG);
}

static void *share(void *arg)
{
    struct gba_guss *g = arg;
    const bool pick[] = {true, true};
    char room[2048];

    for (int i = 0; i < 2000; i++) {
        struct gba_wbuf w;
        struct gba_guss *mine = gba_guss_ref(g);

        gba_wbuf_init(&w, room, sizeof(room));
        if (gba_uss_list_print(mine, pick, &w) != GBA_OK)
            return g;
        gba_guss_unref(mine);
    }
    gba_guss_unref(g);
    return NULL;
}

static void test_shared_by_threads(void)
{
    struct gba_guss *g = read_ok(example);
    pthread_t threads[4];
    void *result;

    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, share, gba_guss_ref(g)), 0);
    gba_guss_unref(g);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &result);
        CU_ASSERT_PTR_NULL(result);
    }
}

/* Out of range is asking for the most or the least, not for nothing. */
static void test_lifetimes(void)
{
    static const struct {
        const char *text;
        int64_t lifetime_s;
    } rows[] = {
        {"0", 0},
        {"+3600", 3600},
        {" 0007200 ", 7200},
        {"2147483647", INT32_MAX},
        {"2147483648", INT32_MAX},
        {"99999999999999", INT32_MAX},
        {"9999999999999999999999999999999999999999", INT32_MAX},
        {"-1", -1},
        {"+", -1},
        {"", -1},
        {"++1", -1},
        {"36e2", -1},
        {"3600.0", -1},
    };
    char xml[256];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_guss *g;

        snprintf(xml, sizeof(xml), "<guss><bsfInfo><lifeTime>%s</lifeTime></bsfInfo></guss>",
                 rows[i].text);
        g = read_ok(xml);
        CU_ASSERT_EQUAL(gba_guss_lifetime_s(g), rows[i].lifetime_s);
        gba_guss_unref(g);
    }
}

static const struct unit_test tests[] = {
    {"the example", test_example},
    {"any namespace", test_namespaces},
    {"nothing else leaks", test_nothing_else_leaks},
    {"extensions survive", test_extensions_survive},
    {"odd documents", test_odd_documents},
    {"lifetimes", test_lifetimes},
    {"key choice", test_key_choice},
    {"limits", test_limits},
    {"shared by threads", test_shared_by_threads},
};
UNIT_MAIN("guss", tests)
