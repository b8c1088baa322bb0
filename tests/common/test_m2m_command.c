/*
 * common/m2m_command.c: every code has its name; commands of every class there and back in JSON
 * and XML; arguments that cannot be read, and such as are not acceptable, with their codes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_command.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit.h"

#define FQDN "mef.example"
#define AE   "//sp.example/cse1/Cone"

static const struct m2m_command commands[] = {
    {.id = "0", .class_id = M2M_CMD_NO_MORE_COMMANDS, .status = 10, .retry_s = 3600},
    {.id = "a1",
     .class_id = M2M_CMD_CERT_PROV,
     .status = 10,
     .protocol = 1,
     .uri = "https://mef.example:8443/.well-known/est",
     .subject_type = M2M_CMD_SUBJECT_AE,
     .subject = AE},
    {.id = "a2",
     .class_id = M2M_CMD_DEV_CFG,
     .status = 11,
     .target = AE,
     .management = 3,
     .uri = "coaps://mef.example:5684"},
    {.id = "a3",
     .class_id = M2M_CMD_MO_NODE,
     .status = 10,
     .path = "./auth/1",
     .object_type = 1,
     .has_specific = true,
     .suid = 22},
    {.id = "a4", .class_id = M2M_CMD_MO_NODE, .status = 10, .path = "./ta/1", .object_type = 2},
};
#define N (sizeof(commands) / sizeof(commands[0]))

static void test_codes(void)
{
    static const unsigned codes[] = {10,  11,  20,  40,  41,  42,  43,  100, 101,
                                     201, 202, 300, 301, 302, 303, 304, 305};
    unsigned n = 0;

    for (unsigned code = 0; code < 1000; code++)
        n += m2m_cmd_status_name(code) != NULL;
    CU_ASSERT_EQUAL(n, sizeof(codes) / sizeof(codes[0]));
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        CU_ASSERT_PTR_NOT_NULL(m2m_cmd_status_name(codes[i]));
        CU_ASSERT_PTR_NOT_NULL(m2m_cmd_status_words(codes[i]));
        CU_ASSERT_EQUAL(m2m_cmd_status_is_result(codes[i]), codes[i] > 11);
    }
    CU_ASSERT_STRING_EQUAL(m2m_cmd_status_name(40), "REPEATED_CMD_ID");
    CU_ASSERT_STRING_EQUAL(m2m_cmd_status_name(304), "MO_NODE_INCONSISTENT_CONFIG");
    CU_ASSERT(!m2m_cmd_status_is_result(0) && !m2m_cmd_status_is_result(12));
    for (unsigned class_id = 1; class_id <= 3; class_id++)
        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
            CU_ASSERT_EQUAL(m2m_cmd_status_is_result_of(codes[i], class_id),
                            codes[i] > 11 && (codes[i] < 100 || codes[i] / 100 == class_id));
    CU_ASSERT(!m2m_cmd_status_is_result_of(12, 1) && m2m_cmd_status_is_result_of(20, 0));
    CU_ASSERT_STRING_EQUAL(m2m_cmd_class_name(3), "MO_NODE");
    CU_ASSERT_STRING_EQUAL(m2m_cmd_class_word(1), "cert-prov");
    CU_ASSERT_PTR_NULL(m2m_cmd_class_name(4));
    CU_ASSERT_EQUAL(m2m_cmd_number(M2M_CMD_MANAGEMENT, GBA_TEXT("lwm2m")), 3);
    CU_ASSERT_EQUAL(m2m_cmd_number(M2M_CMD_MANAGEMENT, GBA_TEXT("4")), 4);
    CU_ASSERT_EQUAL(m2m_cmd_number(M2M_CMD_PROTOCOL, GBA_TEXT("3")), 0);
    CU_ASSERT_EQUAL(m2m_cmd_number(M2M_CMD_PROTOCOL, GBA_TEXT("")), 0);
    CU_ASSERT_PTR_NULL(m2m_cmd_word(M2M_CMD_PROTOCOL, 77));
}

static void check_same(const struct m2m_command *a, const struct m2m_command *b)
{
    CU_ASSERT_STRING_EQUAL(a->id, b->id);
    CU_ASSERT_EQUAL(a->class_id, b->class_id);
    CU_ASSERT_EQUAL(a->status, b->status);
    CU_ASSERT_STRING_EQUAL(a->target, b->target);
    CU_ASSERT_EQUAL(a->retry_s, b->retry_s);
    CU_ASSERT_EQUAL(a->protocol, b->protocol);
    CU_ASSERT_EQUAL(a->subject_type, b->subject_type);
    CU_ASSERT_STRING_EQUAL(a->subject, b->subject);
    CU_ASSERT_EQUAL(a->management, b->management);
    CU_ASSERT_STRING_EQUAL(a->uri, b->uri);
    CU_ASSERT_STRING_EQUAL(a->path, b->path);
    CU_ASSERT_EQUAL(a->object_type, b->object_type);
    CU_ASSERT_EQUAL(a->suid, b->suid);
}

static void test_there_and_back(void)
{
    for (size_t i = 0; i < 2 * N; i++) {
        enum m2m_format format = i % 2 == 0 ? M2M_JSON : M2M_XML;
        struct m2m_problem problem;
        struct m2m_command back;
        struct m2m_resource r;
        uint8_t room[4096];
        struct gba_wbuf w;
        unsigned status;

        m2m_resource_init(&r, M2M_MEF_CLIENT_CMD);
        CU_ASSERT_EQUAL(m2m_command_put(&commands[i / 2], &r), GBA_OK);
        gba_wbuf_init(&w, room, sizeof(room));
        CU_ASSERT_EQUAL(m2m_codec_print(&r, format, &w), GBA_OK);
        CU_ASSERT_EQUAL(m2m_command_read(gba_wbuf_bytes(&w), format, &back, &status, &problem),
                        GBA_OK);
        CU_ASSERT_EQUAL(status, M2M_CMD_S_OK);
        check_same(&commands[i / 2], &back);
        CU_ASSERT_EQUAL(m2m_command_judge(&back, FQDN), M2M_CMD_S_OK);
    }
}

#define CMD(description)                                                                       \
    "{\"sec:mefcc\":{\"cmdi\":\"7\",\"cmsc\":10,\"cmdd\":{" description "}}}"
#define CERT(id, more) CMD("\"cci\":1,\"cmda\":{\"cpca\":{" id more "}}")
#define WHOLE          "\"uri\":\"https://mef.example\",\"csty\":3,\"csid\":\"" AE "\""

static void test_reading(void)
{
    static const struct {
        const char *json;
        enum gba_err err;
        unsigned status;
    } rows[] = {
        {CERT("\"cppi\":1,", WHOLE), GBA_OK, 20},
        {CERT("\"certProvProtocolID\":1,", WHOLE), GBA_OK, 20},
        {CERT("", WHOLE), GBA_OK, 42},
        {CERT("\"cppi\":\"EST\",", WHOLE), GBA_OK, 42},
        {CERT("\"cppi\":-1,", WHOLE), GBA_OK, 42},
        {CERT("\"cppi\":null,", WHOLE), GBA_OK, 42},
        {CERT("\"later\":1,\"cppi\":2,", WHOLE), GBA_OK, 20},
        {CMD("\"cci\":1"), GBA_OK, 42},
        {CMD("\"cci\":1,\"cmda\":{}"), GBA_OK, 42},
        {CMD("\"cci\":1,\"cmda\":7"), GBA_OK, 42},
        {CMD("\"cci\":2,\"cmda\":{\"cpca\":{\"cppi\":1," WHOLE "}}"), GBA_OK, 42},
        {CMD("\"cci\":2,\"cmda\":{\"dcca\":{\"dcu\":\"3:coaps://mef.example\"},"
             "\"nmca\":{\"rdu\":\"P1D\"}}"),
         GBA_OK, 42}, /* xs:choice */
        {CMD("\"cci\":2,\"cmda\":{\"dcca\":{\"dcu\":\"coaps://mef.example\"}}"), GBA_OK, 42},
        {CMD("\"cci\":2,\"cmda\":{\"dcca\":{\"dcu\":\"3:\"}}"), GBA_OK, 42},
        {CMD("\"cci\":2,\"cmda\":{\"dcca\":{\"dcu\":\"3:coaps://mef.example\"}}"), GBA_OK, 20},
        {CMD("\"cci\":3,\"cmda\":{\"mnca\":{\"obp\":\"./"
             "a\",\"obti\":1,\"otsa\":{\"suid\":31}}}"),
         GBA_OK, 303},
        {CMD("\"cci\":3,\"cmda\":{\"mnca\":{\"obp\":\"./"
             "a\",\"obti\":1,\"otsa\":{\"suid\":\"x\"}}}"),
         GBA_OK, 302},
        {CMD("\"cci\":3,\"cmda\":{\"mnca\":{\"obp\":\"./a\",\"obti\":1,\"otsa\":3}}"), GBA_OK,
         302},
        {CMD("\"cci\":3,\"cmda\":{\"mnca\":{\"obti\":1}}"), GBA_OK, 42},
        {CMD("\"cci\":4,\"cmda\":{\"anew\":{}}"), GBA_OK, 41},
        {CMD("\"cci\":999"), GBA_OK, 41},
        {CMD("\"cci\":4,\"cmda\":{\"cpca\":{\"cppi\":\"x\"}}"), GBA_OK, 41},
        {CMD("\"cci\":0"), GBA_OK, 20},
        {CMD("\"cci\":0,\"cmda\":{\"nmca\":{\"rdu\":\"soon\"}}"), GBA_OK, 20},
        {"{\"sec:mefcc\":{\"cmsc\":10,\"cmdd\":{\"cci\":0}}}", GBA_E_PROTOCOL, 0},
        {"{\"sec:mefcc\":{\"cmdi\":\"7\",\"cmsc\":10}}", GBA_E_PROTOCOL, 0},
        {CMD("\"cci\":\"one\""), GBA_E_PROTOCOL, 0},
        {"{\"sec:mefcr\":{}}", GBA_E_PROTOCOL, 0},
        {"{", GBA_E_PROTOCOL, 0},
        {"", GBA_E_PROTOCOL, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct m2m_problem problem;
        struct m2m_command c;
        unsigned status;
        enum gba_err err = m2m_command_read(gba_text_bytes(gba_text(rows[i].json)), M2M_JSON,
                                            &c, &status, &problem);

        if (err != rows[i].err || (err == GBA_OK && status != rows[i].status))
            printf("\n    %s: %s %u", rows[i].json, gba_err_name(err), status);
        CU_ASSERT_EQUAL(err, rows[i].err);
        if (err == GBA_OK) {
            CU_ASSERT_EQUAL(status, rows[i].status);
            CU_ASSERT_STRING_EQUAL(c.id, "7");
        }
    }
}

/* Which value of a good command is spoilt, and what a client has to say of it. */
static void test_values(void)
{
    static const struct {
        size_t of;
        const char *what, *value;
        unsigned number, status;
    } rows[] = {
        {1, "uri", "https://evil.example/.well-known/est", 0, 43},
        {1, "uri", "https://MEF.example", 0, 20},
        {1, "uri", "http://mef.example", 0, 43},
        {1, "uri", "https://mef.example@evil.example/", 0, 43},
        {1, "uri", "https://mef.example:443@evil.example/", 0, 43}, /* a name and a password */
        {2, "uri", "coaps://mef.example:x@evil.example?", 0, 43},
        {1, "uri", "https://mef.example/@", 0, 20},
        {1, "uri", "https://mef.example.evil.example/", 0, 43},
        {1, "uri", "https://evil.example/mef.example", 0, 43},
        {1, "uri", "https://evil.example#://mef.example", 0, 43},
        {1, "uri", "//mef.example", 0, 43},
        {1, "uri", "mef.example", 0, 43},
        {1, "uri", "https://mef.example/a b", 0, 43},
        {1, "protocol", NULL, 0, 43},
        {1, "protocol", NULL, 3, 43},
        {1, "protocol", NULL, 2, 20},
        {1, "subject_type", NULL, 0, 43},
        {1, "subject_type", NULL, 4, 43},
        {1, "subject_type", NULL, 2, 43}, /* an AE-ID is no CSE-ID */
        {1, "subject_type", NULL, 1, 43}, /* ... and no Node-ID */
        {1, "subject", "//sp.example/cse1", 0, 43},
        {1, "subject", "", 0, 43},
        {1, "subject", "urn:dev:ops:7", 0, 43},
        {1, "node", "urn:dev:ops:7", 0, 20},
        {1, "node", "node7", 0, 43},
        {1, "node", "", 0, 43},
        {2, "management", NULL, 0, 43},
        {2, "management", NULL, 5, 43},
        {2, "uri", "coaps://evil.example", 0, 43},
        {2, "uri", "https://mef.example/dm", 0, 20},
        {3, "object_type", NULL, 0, 43},
        {3, "object_type", NULL, 9, 43},
        {3, "object_type", NULL, 2, 302}, /* only profiles have specific arguments */
        {3, "suid", NULL, 31, 303},
        {3, "path", "", 0, 43},
        {3, "class", NULL, 4, 41},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct m2m_command c = commands[rows[i].of];
        const char *what = rows[i].what;

        if (strcmp(what, "uri") == 0)
            strcpy(c.uri, rows[i].value);
        else if (strcmp(what, "subject") == 0)
            strcpy(c.subject, rows[i].value);
        else if (strcmp(what, "node") == 0) {
            c.subject_type = M2M_CMD_SUBJECT_NODE;
            strcpy(c.subject, rows[i].value);
        } else if (strcmp(what, "path") == 0)
            strcpy(c.path, rows[i].value);
        else if (strcmp(what, "protocol") == 0)
            c.protocol = rows[i].number;
        else if (strcmp(what, "subject_type") == 0)
            c.subject_type = rows[i].number;
        else if (strcmp(what, "management") == 0)
            c.management = rows[i].number;
        else if (strcmp(what, "object_type") == 0)
            c.object_type = rows[i].number;
        else if (strcmp(what, "suid") == 0)
            c.suid = rows[i].number;
        else
            c.class_id = rows[i].number;
        if (m2m_command_judge(&c, FQDN) != rows[i].status)
            printf("\n    %zu %s %s %u: %u", i, what, rows[i].value, rows[i].number,
                   m2m_command_judge(&c, FQDN));
        CU_ASSERT_EQUAL(m2m_command_judge(&c, FQDN), rows[i].status);
    }
}

static void test_duration(void)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: none */
    } rows[] = {
        {"P1D", 86400},
        {"PT1H", 3600},
        {"PT0S", 0},
        {"P1Y", 365 * 86400},
        {"P2M", 60 * 86400},
        {"P1DT2H3M4S", 93784},
        {"PT86400S", 86400},
        {"P", -1},
        {"PT", -1},
        {"1D", -1},
        {"P1", -1},
        {"P1H", -1},
        {"PT1D", -1},
        {"P1D1Y", -1},
        {"P1D1D", -1},
        {"-P1D", -1},
        {"P1DT", -1},
        {"PT1.5S", -1},
        {"PD", -1},
        {"", -1},
        {"P99999999999D", -1},
        {"P1000000000Y", (int64_t)100 * 365 * 86400},
    };
    char text[M2M_DURATION_SIZE];
    int64_t s;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum gba_err err = m2m_duration_parse(gba_text(rows[i].text), &s);

        if ((err == GBA_OK) != (rows[i].seconds >= 0))
            printf("\n    %s", rows[i].text);
        CU_ASSERT_EQUAL(err, rows[i].seconds >= 0 ? GBA_OK : GBA_E_SYNTAX);
        if (err == GBA_OK)
            CU_ASSERT_EQUAL(s, rows[i].seconds);
    }
    m2m_duration(INT64_MAX, text);
    CU_ASSERT_STRING_EQUAL(text, "PT9223372036854775807S");
    m2m_duration(-1, text);
    CU_ASSERT_STRING_EQUAL(text, "PT0S");
}

static const struct unit_test tests[] = {
    {"codes and their names", test_codes}, {"there and back", test_there_and_back},
    {"what cannot be read", test_reading}, {"what is not acceptable", test_values},
    {"durations", test_duration},
};
UNIT_MAIN("m2m_command", tests)
