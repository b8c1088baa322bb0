/*
 * ua/command_client.c and ua/auth_profile.c without any I/O: what is retrieved and reported, in
 * which order, every status a device gives by itself, all pairs of states and events, profiles
 * by SUID, and the key registration they ask for.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/command_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/m2m_keys.h"
#include "tests/unit.h"
#include "ua/auth_profile.h"

#define MEF "mef.example"
#define AE  "//sp.example/cse1/Cone"
#define NOW 1767312000

struct bench {
    struct gba_ue_commands *m;
    enum gba_ue_commands_todo todo;
    struct gba_ue_reply reply;
    struct gba_ue_field fields[3];
    char rqi[M2M_RQI_SIZE], body[4096];
    unsigned status; /* EV_RESULT */
};

static enum gba_err step(struct bench *b, enum gba_ue_commands_happened happened)
{
    struct gba_ue_commands_event ev = {
        .happened = happened, .reply = &b->reply, .err = GBA_E_TIMEOUT, .status = b->status};

    memset(ev.entropy, 0x5a, sizeof(ev.entropy));
    return gba_ue_commands_step(b->m, &ev, &b->todo);
}

static void begin(struct bench *b)
{
    const struct gba_ue_commands_config config = {
        .registration = "//" MEF "/-/r1", .mef_fqdn = "MEF.example", .originator = AE};

    memset(b, 0, sizeof(*b));
    b->reply.psk = true;
    b->m =
        gba_ue_commands_init(malloc(gba_ue_commands_size()), gba_ue_commands_size(), &config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b->m);
    CU_ASSERT_EQUAL(step(b, GBA_UE_COMMANDS_EV_START), GBA_OK);
    CU_ASSERT_EQUAL(b->todo, GBA_UE_COMMANDS_SEND);
}

static void end(struct bench *b)
{
    gba_ue_commands_end(b->m);
    free(b->m);
}

static enum gba_err answer(struct bench *b, unsigned status, const char *rsc, const char *json)
{
    snprintf(b->rqi, sizeof(b->rqi), "%s", b->m->q.primitive.rqi);
    snprintf(b->body, sizeof(b->body), "%s", json);
    b->fields[0] = (struct gba_ue_field){"X-M2M-RSC", rsc};
    b->fields[1] = (struct gba_ue_field){"X-M2M-RI", b->rqi};
    b->fields[2] = (struct gba_ue_field){"Content-Type", "application/json"};
    b->reply.status = status;
    b->reply.fields = b->fields;
    b->reply.n_fields = 3;
    b->reply.body = (const uint8_t *)b->body;
    b->reply.body_len = strlen(b->body);
    return step(b, GBA_UE_COMMANDS_EV_REPLY);
}

#define CMD(id, description)                                                                   \
    "{\"sec:mefcc\":{\"cmdi\":\"" id "\",\"cmsc\":10,\"cmdd\":{" description "}}}"
#define CERT                                                                                   \
    "\"cci\":1,\"cmda\":{\"cpca\":{\"cppi\":1,\"uri\":\"https://mef.example\",\"csty\":3,"     \
    "\"csid\":\"" AE "\"}}"
#define NODE(more) "\"cci\":3,\"cmda\":{\"mnca\":{\"obp\":\"./a\"," more "}}"
#define NO_MORE    CMD("0", "\"cci\":0,\"cmda\":{\"nmca\":{\"rdu\":\"PT1H\"}}")

static bool sends(const struct bench *b, const char *method, const char *text)
{
    const char *target;
    const struct gba_ue_request *rq = gba_ue_commands_request(b->m, &target);

    return strcmp(rq->method, method) == 0 && strcmp(target, "/_/" MEF "/-/r1/cmd") == 0 &&
           (text[0] == '\0' ? rq->body_len == 0
                            : memmem(rq->body, rq->body_len, text, strlen(text)) != NULL);
}

static void test_round(void)
{
    struct gba_ue_command c;
    struct bench b;

    begin(&b);
    CU_ASSERT(sends(&b, "GET", ""));
    CU_ASSERT_EQUAL(gba_ue_commands_reported(b.m), 0);
    CU_ASSERT_EQUAL(answer(&b, 200, "2000", CMD("a", CERT)), GBA_OK);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_COMMANDS_RUN);
    gba_ue_commands_command(b.m, &c);
    CU_ASSERT(c.class_id == 1 && c.protocol == 1 && c.subject_type == 3 && !c.reissued);
    CU_ASSERT_STRING_EQUAL(c.subject, AE);
    CU_ASSERT_STRING_EQUAL(c.target, "");
    b.status = 100;
    CU_ASSERT_EQUAL(step(&b, GBA_UE_COMMANDS_EV_RESULT), GBA_OK);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_COMMANDS_SEND);
    CU_ASSERT(sends(&b, "PUT", "{\"sec:mefcc\":{\"cmdi\":\"a\",\"cmsc\":100}}"));
    CU_ASSERT_EQUAL(gba_ue_commands_reported(b.m), 100);
    /* the answer to the update is the next command */
    CU_ASSERT_EQUAL(answer(&b, 200, "2004", CMD("b", NODE("\"obti\":2"))), GBA_OK);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_COMMANDS_RUN);
    b.status = 20;
    CU_ASSERT_EQUAL(step(&b, GBA_UE_COMMANDS_EV_RESULT), GBA_OK);
    CU_ASSERT_EQUAL(answer(&b, 200, "2004", NO_MORE), GBA_OK);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_COMMANDS_DONE);
    CU_ASSERT_EQUAL(gba_ue_commands_retry_s(b.m), 3600);
    CU_ASSERT_EQUAL(step(&b, GBA_UE_COMMANDS_EV_START), GBA_OK); /* the timer is over */
    CU_ASSERT(sends(&b, "GET", ""));
    CU_ASSERT_EQUAL(answer(&b, 200, "2000", CMD("b", NODE("\"obti\":2"))), GBA_OK);
    CU_ASSERT(sends(&b, "PUT", "\"cmsc\":40")); /* that of the last update */
    end(&b);
}

/* What a device reports without carrying anything out. */
static void test_reported(void)
{
    static const struct {
        const char *json;
        unsigned status; /* 0: it is carried out */
    } rows[] = {
        {CMD("a", CERT), 0},
        {CMD("x", CERT), 40},
        {CMD("x", "\"cci\":9"), 40}, /* the same again is said first */
        {CMD("a", "\"cci\":9"), 41},
        {CMD("a", "\"cci\":1,\"cmda\":{}"), 42},
        {CMD("a", NODE("\"obti\":\"x\"")), 42},
        {CMD("a", "\"cci\":2,\"cmda\":{\"dcca\":{\"dcu\":\"3:coaps://evil.example\"}}"), 43},
        {CMD("a", "\"cci\":2,\"cmda\":{\"dcca\":{\"dcu\":\"3:coaps://mef.example\"}}"), 0},
        {CMD("a", NODE("\"obti\":7")), 43},
        {CMD("a", NODE("\"obti\":1,\"otsa\":{\"suid\":\"x\"}")), 302},
        {CMD("a", NODE("\"obti\":2,\"otsa\":{\"suid\":22}")), 302},
        {CMD("a", NODE("\"obti\":1,\"otsa\":{\"suid\":31}")), 303},
        {CMD("a", NODE("\"obti\":1,\"otsa\":{\"suid\":22}")), 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench b;
        char text[32];

        begin(&b);
        strcpy(b.m->last_sent, "x");
        CU_ASSERT_EQUAL(answer(&b, 200, "2000", rows[i].json), GBA_OK);
        CU_ASSERT_EQUAL(b.todo,
                        rows[i].status == 0 ? GBA_UE_COMMANDS_RUN : GBA_UE_COMMANDS_SEND);
        snprintf(text, sizeof(text), "\"cmsc\":%u}", rows[i].status);
        if (rows[i].status != 0 && !sends(&b, "PUT", text))
            printf("\n    %s: %u", rows[i].json, gba_ue_commands_reported(b.m));
        CU_ASSERT(rows[i].status == 0 || sends(&b, "PUT", text));
        end(&b);
    }
}

static void test_answers(void)
{
    static const struct {
        unsigned status;
        const char *rsc, *json;
        bool psk;
        enum gba_err err;
    } rows[] = {
        {200, "2000", NO_MORE, true, GBA_OK},
        {200, "2000", NO_MORE, false, GBA_E_DOWNGRADE},
        {200, "2000", "{}", true, GBA_E_PROTOCOL},
        {200, "2000", "", true, GBA_E_PROTOCOL},
        {200, "2000", "{\"sec:mefcc\":{\"cmdi\":\"1\"}}", true, GBA_E_PROTOCOL},
        {200, "4004", NO_MORE, true, GBA_E_PROTOCOL},
        {404, "4004", "", true, GBA_E_NOT_FOUND},
        {403, "4103", "", true, GBA_E_REFUSED},
        {400, "4000", "", true, GBA_E_REFUSED},
        {500, "5000", "", true, GBA_E_OVERLOAD},
    };
    struct bench b;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(&b);
        b.reply.psk = rows[i].psk;
        CU_ASSERT_EQUAL(answer(&b, rows[i].status, rows[i].rsc, rows[i].json), GBA_OK);
        CU_ASSERT_EQUAL(gba_ue_commands_error(b.m), rows[i].err);
        CU_ASSERT_EQUAL(b.todo,
                        rows[i].err == GBA_OK ? GBA_UE_COMMANDS_DONE : GBA_UE_COMMANDS_FAILED);
        end(&b);
    }
    begin(&b);
    CU_ASSERT_EQUAL(step(&b, GBA_UE_COMMANDS_EV_NO_REPLY), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_commands_error(b.m), GBA_E_TIMEOUT);
    CU_ASSERT_EQUAL(step(&b, GBA_UE_COMMANDS_EV_START), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_commands_error(b.m), GBA_OK);
    end(&b);
}

/* A MEF that has commands for ever. */
static void test_without_end(void)
{
    struct bench b;
    unsigned n = 0;
    char json[200];

    begin(&b);
    do {
        snprintf(json, sizeof(json), CMD("%u", "\"cci\":9"), n);
        CU_ASSERT_EQUAL(answer(&b, 200, "2000", json), GBA_OK);
        n++;
    } while (b.todo == GBA_UE_COMMANDS_SEND && n < 1000);
    CU_ASSERT_EQUAL(n, UE_COMMANDS_MAX + 1);
    CU_ASSERT_EQUAL(gba_ue_commands_error(b.m), GBA_E_OVERLOAD);
    end(&b);
}

/* A handler that answers nonsense. */
static void test_results(void)
{
    for (unsigned status = 0; status < 400; status++) {
        struct bench b;

        begin(&b);
        answer(&b, 200, "2000", CMD("a", CERT));
        b.status = status;
        CU_ASSERT_EQUAL(step(&b, GBA_UE_COMMANDS_EV_RESULT), GBA_OK);
        CU_ASSERT_EQUAL(gba_ue_commands_reported(b.m),
                        m2m_cmd_status_is_result_of(status, M2M_CMD_CERT_PROV) ? status : 41);
        end(&b);
    }
}

static void test_all_pairs(void)
{
    static const char allowed[COMMANDS_N_STATES][COMMANDS_N_EVENTS + 1] = {
        [COMMANDS_IDLE] = "x...",    [COMMANDS_RETRIEVING] = ".xx.",
        [COMMANDS_RUNNING] = "...x", [COMMANDS_UPDATING] = ".xx.",
        [COMMANDS_DONE] = "x...",    [COMMANDS_FAILED] = "x..."};

    for (int state = 0; state < COMMANDS_N_STATES; state++)
        for (int event = 0; event < COMMANDS_N_EVENTS; event++) {
            struct bench b;

            begin(&b);
            b.m->state = (enum commands_state)state;
            CU_ASSERT_EQUAL(step(&b, (enum gba_ue_commands_happened)event),
                            allowed[state][event] == 'x' ? GBA_OK : GBA_E_UNEXPECTED);
            if (allowed[state][event] != 'x')
                CU_ASSERT_EQUAL((int)b.m->state, state);
            end(&b);
        }
}

static void test_configuration(void)
{
    static const struct gba_ue_commands_config rows[] = {
        {.registration = NULL, .mef_fqdn = MEF},
        {.registration = "", .mef_fqdn = MEF},
        {.registration = "-/r1", .mef_fqdn = NULL},
        {.registration = "-/r1", .mef_fqdn = "a..b"}};
    void *mem = malloc(gba_ue_commands_size());

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT_PTR_NULL(gba_ue_commands_init(mem, gba_ue_commands_size(), &rows[i]));
    CU_ASSERT_PTR_NULL(gba_ue_commands_init(
        mem, 10, &(struct gba_ue_commands_config){.registration = "-/r", .mef_fqdn = MEF}));
    free(mem);
}

/* ------------------------------------------------------------ profiles */

static const uint16_t suites[] = {0x1301, 0x00ae, 0xc023};

static struct gba_ue_auth_profile profile(unsigned suid)
{
    static const enum gba_ue_mo_parent parents[] = {
        GBA_UE_MO_MAF_CLIENT_REG, GBA_UE_MO_REGISTRATION, GBA_UE_MO_DATA_COLLECTION};

    return (struct gba_ue_auth_profile){.suid = suid,
                                        .parent = parents[(suid + 2) % 10 % 3],
                                        .symm_key_id = suid / 10 == 1,
                                        .my_cert_fingerprint = suid / 10 == 4,
                                        .mef_client_reg = suid / 10 == 2,
                                        .maf_client_reg = suid / 10 == 3,
                                        .suites = suites,
                                        .n_suites = 3,
                                        .key_reg_s = 1000,
                                        .target = "//sp.example/cse1"};
}

static void test_profiles(void)
{
    static const unsigned suids[] = {11, 12, 13, 21, 22, 23, 32, 33, 41, 42, 43};

    for (size_t i = 0; i < sizeof(suids) / sizeof(suids[0]); i++) {
        unsigned suid = suids[i], source = suid / 10;
        bool no_suites = suid == 13 || suid == 23 || suid == 33;
        struct gba_ue_auth_profile p = profile(suid);

        p.parent = suid % 10 == 1   ? GBA_UE_MO_MAF_CLIENT_REG
                   : suid % 10 == 2 ? GBA_UE_MO_REGISTRATION
                                    : GBA_UE_MO_DATA_COLLECTION;
        CU_ASSERT_EQUAL(ue_profile_check(&p, 0), 20);
        CU_ASSERT_EQUAL(ue_profile_check(&p, suid), 20);
        CU_ASSERT_EQUAL(ue_profile_check(&p, 25), 303);
        CU_ASSERT_EQUAL(ue_profile_needs_key(&p), source == 2);
        p.parent = (enum gba_ue_mo_parent)((p.parent + 1) % 3);
        CU_ASSERT_EQUAL(ue_profile_check(&p, 0), 304);
        p.parent = (enum gba_ue_mo_parent)((p.parent + 2) % 3);
        p.symm_key_value = true;
        CU_ASSERT_EQUAL(ue_profile_check(&p, 0), 304);
        p.symm_key_value = false;
        p.n_suites = 1;
        CU_ASSERT_EQUAL(ue_profile_check(&p, 0), no_suites ? 20 : 304);
        p.n_suites = 3;
        p.key_reg_s = 0;
        CU_ASSERT_EQUAL(ue_profile_check(&p, 0), source == 2 || source == 3 ? 304 : 20);
        p.key_reg_s = 1;
        p.symm_key_id = p.my_cert_fingerprint = p.mef_client_reg = p.maf_client_reg = false;
        CU_ASSERT_EQUAL(ue_profile_check(&p, 0), 304);
    }
    for (unsigned suid = 0; suid < 100; suid++) {
        struct gba_ue_auth_profile p = {.suid = suid};

        CU_ASSERT_NOT_EQUAL(ue_profile_check(&p, 0), 20);
    }
}

/* ------------------------------------------------------------ their keys */

static unsigned key_answer(struct ue_key_reg *k, const char *rsc, const char *json,
                           bool exported)
{
    struct gba_ue_field fields[] = {{"X-M2M-RSC", rsc},
                                    {"X-M2M-RI", k->q.primitive.rqi},
                                    {"Content-Type", "application/json"}};
    struct gba_ue_reply reply = {.status = rsc[0] == '2' ? 201 : 403,
                                 .fields = fields,
                                 .n_fields = 3,
                                 .body = (const uint8_t *)json,
                                 .body_len = strlen(json),
                                 .psk = true,
                                 .has_exported = exported};

    for (size_t i = 0; i < 48; i++)
        reply.exported[i] = (uint8_t)(0x40 + i);
    return ue_key_reg_answer(k, &reply, NOW);
}

#define RKI "404142434445464748494A4B4C4D4E4F"
#define KEY(et, cr, adfq, suid, tgis, rki)                                                     \
    "{\"sec:skr\":{\"et\":\"" et "\",\"cr\":\"" cr "\",\"adfq\":\"" adfq "\",\"suid\":" suid   \
    ",\"tgis\":[\"" tgis "\"],\"rki\":\"" rki "\"}}"
#define GOOD KEY("20260103T000000", AE, "SP.example", "22", "//sp.example/cse1", RKI)

static void test_key(void)
{
    static const struct {
        const char *rsc, *json;
        bool exported;
        unsigned status;
    } rows[] = {
        {"2001", GOOD, true, 20},
        {"2001", GOOD, false, 305},
        {"4103", GOOD, true, 305},
        {"2001", "", true, 305},
        {"2001", KEY("20260102T000000", AE, "sp.example", "22", "//sp.example/cse1", RKI), true,
         305}, /* over */
        {"2001",
         KEY("20260103T000000", "//x.example/c/Cx", "sp.example", "22", "//sp.example/cse1",
             RKI),
         true, 305},
        {"2001", KEY("20260103T000000", AE, "x.example", "22", "//sp.example/cse1", RKI), true,
         305},
        {"2001", KEY("20260103T000000", AE, "sp.example", "23", "//sp.example/cse1", RKI), true,
         305},
        {"2001", KEY("20260103T000000", AE, "sp.example", "22", "//sp.example/cse2", RKI), true,
         305},
        {"2001", KEY("20260103T000000", AE, "sp.example", "22", "//sp.example/cse1", "00"),
         true, 305}, /* not the key of this session */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        static const char *const labels[] = {"a", "b"};
        static const uint8_t entropy[16] = {1};
        struct gba_ue_auth_profile p = profile(22);
        struct ue_key_reg *k = calloc(1, sizeof(*k));

        p.labels = labels;
        p.n_labels = 2;
        strcpy(k->mef_fqdn, MEF);
        strcpy(k->admin_fqdn, "sp.example");
        strcpy(k->originator, AE);
        CU_ASSERT_EQUAL(ue_key_reg_begin(k, &p, NOW, entropy), GBA_OK);
        CU_ASSERT(k->q.request.fresh);
        CU_ASSERT_STRING_EQUAL(k->q.request.export_label, M2M_EXPORT_CONNECTION);
        CU_ASSERT(memmem(k->q.content, sizeof(k->q.content), "\"lbl\":[\"a\",\"b\"]", 15) !=
                  NULL);
        CU_ASSERT_PTR_NULL(memmem(k->q.content, sizeof(k->q.content), "\"kv\"", 4));
        CU_ASSERT_EQUAL(key_answer(k, rows[i].rsc, rows[i].json, rows[i].exported),
                        rows[i].status);
        if (rows[i].status == 20) {
            CU_ASSERT_STRING_EQUAL(k->key_id, RKI "@" MEF);
            CU_ASSERT_EQUAL(k->key.octets[0], 0x50);
        }
        free(k);
    }
}

static const struct unit_test tests[] = {
    {"a round", test_round},
    {"what is reported at once", test_reported},
    {"answers", test_answers},
    {"commands without end", test_without_end},
    {"every result", test_results},
    {"all pairs", test_all_pairs},
    {"configurations", test_configuration},
    {"authentication profiles", test_profiles},
    {"keys of profiles", test_key},
};
UNIT_MAIN("command_client", tests)
