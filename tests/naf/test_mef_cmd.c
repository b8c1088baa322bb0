/*
 * naf/mef_cmd.c over the real store: one outstanding command, ISSUED and REISSUED, every
 * result, what is dropped, caps, what goes with a registration, the audit log, and the
 * administration's part (naf/mef_admin_command.c).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "naf/mef.h"
#include "naf/mef_admin.h"
#include "tests/naf/mef_world.h"
#include "tests/unit.h"

#define REG_JSON "{\"sec:mefcr\":{\"et\":\"20260101T010000\",\"adfq\":\"admin.example\"}}"
#define FOR      "\"enrolee\":\"" WORLD_ENROLEE "\",\"stakeholder\":\"admin.example\""
#define CERT                                                                                   \
    "\"class\":\"cert-prov\",\"subject_type\":\"ae\",\"subject\":\"" WORLD_ENROLEE             \
    "\",\"uri\":\"https://mef.example/.well-known/est\""
#define CONFIG                                                                                 \
    "\"class\":\"dev-cfg\",\"management\":\"lwm2m\",\"uri\":\"coaps://mef.example:5684\""
#define NODE "\"class\":\"mo-node\",\"path\":\"./a\",\"object_type\":\"trust-anchor-cred\""

static struct mef_world w;
static struct mef_client one, two;
static struct mef_answer a;
static char reg[M2M_TO_SIZE], cmd[M2M_TO_SIZE + 8], id[80], log_[4096];
static const char *note_fails;
static json_t *reply;
static int64_t admin_now_s;

static enum gba_err note(struct mef_audit *self, const struct mef_audit_event *e, int64_t now_s)
{
    size_t n = strlen(log_);

    (void)self, (void)now_s;
    snprintf(log_ + n, sizeof(log_) - n, "%s %u;", e->what, e->code);
    return note_fails != NULL && strcmp(note_fails, e->what) == 0 ? GBA_E_IO : GBA_OK;
}
static struct mef_audit audit = {.note = note};

static unsigned ask_at(const struct mef_client *c, enum m2m_op op, const char *to,
                       const char *json, int64_t now_s)
{
    static uint8_t random[16];
    struct m2m_request rq = {.op = op,
                             .ty = op == M2M_OP_CREATE ? 4 : 0,
                             .rcn = M2M_RCN_DEFAULT,
                             .format = M2M_JSON,
                             .answer_in = M2M_JSON,
                             .rqi = "1"};

    gba_text_copy(rq.to, sizeof(rq.to), gba_text(to));
    gba_text_copy(rq.fr, sizeof(rq.fr), gba_text(c->id));
    rq.pc = gba_text_bytes(gba_text(json));
    random[0]++;
    mef_request(&w.mef, c, &rq, now_s, random, &a);
    return a.rs.rsc;
}

static unsigned ask(const struct mef_client *c, enum m2m_op op, const char *to,
                    const char *json)
{
    return ask_at(c, op, to, json, WORLD_T0);
}

static bool says(const char *text)
{
    return memmem(a.rs.pc.p, a.rs.pc.n, text, strlen(text)) != NULL;
}

static void register_one(void)
{
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG_JSON), M2M_RSC_CREATED);
    strcpy(reg, a.rs.location);
    snprintf(cmd, sizeof(cmd), "%s/cmd", reg);
}

static void begin(void)
{
    mef_world_begin(&w);
    w.mef.audit = &audit;
    log_[0] = '\0';
    note_fails = NULL;
    admin_now_s = WORLD_T0;
    one = (struct mef_client){
        .id = WORLD_ENROLEE, .is_enrolee = true, .expires_s = WORLD_T0 + 3000};
    two = (struct mef_client){
        .id = WORLD_OTHER, .is_enrolee = true, .expires_s = WORLD_T0 + 3000};
    register_one();
}

static void end(void)
{
    json_decref(reply);
    reply = NULL;
    mef_world_end(&w);
}

/* A request of the administration; what is wrong with it, "" if nothing is. */
static const char *admin(const char *request)
{
    const struct mef_admin m = {.mef = &w.mef};
    static char wrong[200];
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    const char *error, *at;

    mef_admin_answer(&m, "admin:0", gba_text(request), admin_now_s, out);
    fclose(out);
    json_decref(reply);
    reply = json_loads(text, 0, NULL);
    free(text);
    error = json_string_value(json_object_get(reply, "error"));
    at = json_string_value(json_object_get(reply, "at"));
    snprintf(wrong, sizeof(wrong), "%s%s%s", error != NULL ? error : "", at != NULL ? " " : "",
             at != NULL ? at : "");
    return wrong;
}

/* id: of the new command. */
static void issue(const char *members)
{
    char request[1024];

    snprintf(request, sizeof(request), "{\"do\":\"issue\"," FOR ",%s}", members);
    CU_ASSERT_STRING_EQUAL(admin(request), "");
    snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(reply, "id")));
    CU_ASSERT_EQUAL(strlen(id), 32);
}

static unsigned report(const char *of, unsigned code)
{
    char json[256];

    snprintf(json, sizeof(json), "{\"sec:mefcc\":{\"cmdi\":\"%s\",\"cmsc\":%u}}", of, code);
    return ask(&one, M2M_OP_UPDATE, cmd, json);
}

static const json_t *listed(size_t i)
{
    CU_ASSERT_STRING_EQUAL(admin("{\"do\":\"list\",\"what\":\"command\"}"), "");
    return json_array_get(json_object_get(reply, "rows"), i);
}

static size_t n_listed(void)
{
    listed(0);
    return json_array_size(json_object_get(reply, "rows"));
}

static const char *member(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s != NULL ? s : "";
}

static void test_one(void)
{
    char first[80];

    begin();
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, cmd, ""), M2M_RSC_OK);
    CU_ASSERT(says("\"cci\":0") && says("\"cmsc\":10") && says("\"rdu\":\"PT86400S\""));
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, reg, ""), M2M_RSC_OK);
    CU_ASSERT(!says("\"ch\""));
    issue(CERT);
    strcpy(first, id);
    issue(NODE);
    CU_ASSERT_STRING_NOT_EQUAL(first, id);
    CU_ASSERT_STRING_EQUAL(member(listed(0), "state"), "queued");
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, reg, ""), M2M_RSC_OK);
    CU_ASSERT(says("\"ch\":[{\"nm\":\"cmd\",\"typ\":6"));
    for (int i = 0; i < 3; i++) { /* the first one, again and again */
        CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, cmd, ""), M2M_RSC_OK);
        CU_ASSERT(says(first) && says("\"cci\":1") && says("\"csid\":\"" WORLD_ENROLEE "\""));
        CU_ASSERT(says(i == 0 ? "\"cmsc\":10" : "\"cmsc\":11"));
    }
    CU_ASSERT_STRING_EQUAL(member(listed(0), "state"), "outstanding");
    mef_world_reopen(&w); /* what is outstanding stays so */
    w.mef.audit = &audit;
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, cmd, ""), M2M_RSC_OK);
    CU_ASSERT(says(first) && says("\"cmsc\":11"));
    CU_ASSERT_EQUAL(report(first, 20), M2M_RSC_UPDATED);
    CU_ASSERT(says(id) && says("\"cci\":3") && says("\"cmsc\":10")); /* the next */
    CU_ASSERT_STRING_EQUAL(member(listed(0), "state"), "done");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(listed(0), "result")), 20);
    CU_ASSERT_EQUAL(report(first, 201), M2M_RSC_UPDATED); /* of a done one: dropped */
    CU_ASSERT(says(id) && says("\"cmsc\":11"));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(listed(0), "result")), 20);
    CU_ASSERT_EQUAL(report(id, 300), M2M_RSC_UPDATED);
    CU_ASSERT(says("\"cci\":0"));
    CU_ASSERT_STRING_EQUAL(member(listed(1), "result_text"), "no such management object");
    end();
}

static void test_dropped(void)
{
    begin();
    issue(CERT);
    CU_ASSERT_EQUAL(report("0", 20), M2M_RSC_UPDATED);
    CU_ASSERT(says(id) && says("\"cmsc\":10")); /* unknown: answered with the next */
    mef_world_end(&w);
    begin();
    issue(CERT);
    CU_ASSERT_EQUAL(report(id, 20), M2M_RSC_UPDATED); /* one it was never given */
    CU_ASSERT(says(id) && says("\"cmsc\":10"));
    CU_ASSERT_STRING_EQUAL(member(listed(0), "state"), "outstanding");
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_UPDATE, cmd, "{\"sec:mefcc\":{\"cmsc\":20}}"),
                    M2M_RSC_BAD_REQUEST);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_UPDATE, cmd, "{"), M2M_RSC_BAD_REQUEST);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_UPDATE, cmd, ""), M2M_RSC_BAD_REQUEST);
    CU_ASSERT_EQUAL(report(id, 10), M2M_RSC_BAD_REQUEST); /* the MEF's own */
    CU_ASSERT_EQUAL(report(id, 21), M2M_RSC_BAD_REQUEST);
    CU_ASSERT_EQUAL(ask(&two, M2M_OP_RETRIEVE, cmd, ""), M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    CU_ASSERT_STRING_EQUAL(member(listed(0), "state"), "outstanding");
    end();
}

static void test_every_result(void)
{
    /* of any class, then of one */
    static const struct {
        const char *of;
        unsigned result;
    } rows[] = {{CERT, 20},   {CERT, 40},   {CONFIG, 41}, {CONFIG, 42}, {NODE, 43},
                {CERT, 100},  {CERT, 101},  {CONFIG, 201}, {CONFIG, 202}, {NODE, 300},
                {NODE, 301},  {NODE, 302},  {NODE, 303},  {NODE, 304},  {NODE, 305}};

    begin();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        issue(rows[i].of);
        ask(&one, M2M_OP_RETRIEVE, cmd, "");
        CU_ASSERT_EQUAL(report(id, rows[i].result), M2M_RSC_UPDATED);
        CU_ASSERT(says("\"cci\":0"));
        CU_ASSERT_EQUAL(json_integer_value(json_object_get(listed(i), "result")),
                        rows[i].result);
    }
    for (size_t i = 0; i < 2; i++) { /* of done ones only the youngest are kept */
        issue(CERT);
        ask(&one, M2M_OP_RETRIEVE, cmd, "");
        report(id, 20);
    }
    CU_ASSERT_EQUAL(n_listed(), MEF_COMMANDS_DONE_MAX);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(listed(0), "result")), 40);
    end();
}

/* 12.3.2.4: what only another class can have come to.  It stays outstanding, and unnoted. */
static void test_foreign_result(void)
{
    static const struct {
        const char *of;
        unsigned result;
    } rows[] = {{CERT, 201}, {CERT, 202},   {CERT, 300},   {CERT, 305},   {CONFIG, 100},
                {CONFIG, 101}, {CONFIG, 302}, {NODE, 100}, {NODE, 101}, {NODE, 201},
                {NODE, 202}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin();
        issue(rows[i].of);
        ask(&one, M2M_OP_RETRIEVE, cmd, "");
        CU_ASSERT_EQUAL(report(id, rows[i].result), M2M_RSC_BAD_REQUEST);
        CU_ASSERT(says("cmdStatusCode is of another class of commands"));
        CU_ASSERT_STRING_EQUAL(member(listed(0), "state"), "outstanding");
        CU_ASSERT_PTR_NULL(strstr(log_, "command.result"));
        CU_ASSERT_EQUAL(report("0", rows[i].result), M2M_RSC_UPDATED); /* of none: dropped */
        CU_ASSERT_EQUAL(report(id, 41), M2M_RSC_UPDATED);
        CU_ASSERT_STRING_EQUAL(member(listed(0), "state"), "done");
        end();
    }
}

static void test_cap(void)
{
    char request[1024];

    begin();
    snprintf(request, sizeof(request), "{\"do\":\"issue\"," FOR "," CERT "}");
    for (int i = 0; i < 3; i++)
        issue(CERT);
    ask(&one, M2M_OP_RETRIEVE, cmd, ""); /* an outstanding one counts */
    CU_ASSERT_STRING_EQUAL(admin(request), "OVERLOAD enrolee");
    CU_ASSERT_EQUAL(n_listed(), 3);
    report(member(listed(0), "id"), 20);
    CU_ASSERT_STRING_EQUAL(admin(request), "");
    end();
}

static void test_refusals(void)
{
#define R(members, ...)                                                                        \
    {                                                                                          \
        "{\"do\":\"issue\"," members "}", __VA_ARGS__                                          \
    }
    static const struct {
        const char *request, *wrong;
    } rows[] = {
        R("\"class\":\"cert-prov\"", "MISSING enrolee"),
        R("\"enrolee\":\"" WORLD_OTHER "\",\"stakeholder\":\"admin.example\"," NODE,
          "NOT_FOUND enrolee"),
        R("\"enrolee\":\"" WORLD_ENROLEE "\",\"stakeholder\":\"b.example\"," NODE,
          "NOT_FOUND enrolee"),
        R("\"enrolee\":\"" WORLD_ENROLEE "\"," NODE, "MISSING stakeholder"),
        R(FOR, "MISSING class"),
        R(FOR ",\"class\":\"no-more-commands\"", "SYNTAX class"),
        R(FOR ",\"class\":\"reboot\"", "SYNTAX class"),
        R(FOR ",\"class\":\"cert-prov\"", "MISSING subject_type"),
        R(FOR ",\"class\":\"cert-prov\",\"subject_type\":\"car\"", "SYNTAX subject_type"),
        R(FOR ",\"class\":\"cert-prov\",\"subject_type\":\"ae\"", "MISSING subject"),
        R(FOR ",\"class\":\"cert-prov\",\"subject_type\":\"ae\",\"subject\":\"" WORLD_ENROLEE
              "\"",
          "MISSING uri"),
        R(FOR ",\"class\":\"cert-prov\",\"subject_type\":\"ae\",\"subject\":\"" WORLD_ENROLEE
              "\",\"uri\":\"https://evil.example\"",
          "ARGUMENT uri"),
        R(FOR ",\"class\":\"cert-prov\",\"subject_type\":\"ae\",\"subject\":\"" WORLD_ENROLEE
              "\",\"uri\":\"http://mef.example\"",
          "ARGUMENT uri"),
        R(FOR ",\"class\":\"cert-prov\",\"subject_type\":\"cse\",\"subject\":\"" WORLD_ENROLEE
              "\",\"uri\":\"https://mef.example\"",
          "ARGUMENT subject"),
        R(FOR "," CERT ",\"protocol\":\"cmp\"", "SYNTAX protocol"),
        R(FOR "," CERT ",\"protocol\":\"scep\"", "UNSUPPORTED protocol"),
        R(FOR "," CERT ",\"protocol\":\"2\"", "UNSUPPORTED protocol"),
        R(FOR "," CERT ",\"path\":\"./a\"", "UNSUPPORTED a member that is not known here"),
        R(FOR "," CERT ",\"target\":\"a b\"", "SYNTAX target"),
        R(FOR ",\"class\":\"dev-cfg\",\"uri\":\"coaps://mef.example\"", "MISSING management"),
        R(FOR ",\"class\":\"dev-cfg\",\"management\":\"lwm2m\",\"uri\":\"coaps://x.example\"",
          "ARGUMENT uri"),
        R(FOR ",\"class\":\"mo-node\",\"object_type\":\"trust-anchor-cred\"", "MISSING path"),
        R(FOR "," NODE ",\"suid\":22", "ARGUMENT suid"),
        R(FOR ",\"class\":\"mo-node\",\"path\":\"./a\",\"object_type\":\"1\",\"suid\":31",
          "ARGUMENT suid"),
    };

    begin();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT_STRING_EQUAL(admin(rows[i].request), rows[i].wrong);
    CU_ASSERT_EQUAL(n_listed(), 0);
    admin_now_s = WORLD_T0 + 3600; /* the registration is over */
    CU_ASSERT_STRING_EQUAL(admin("{\"do\":\"issue\"," FOR "," CERT "}"), "NOT_FOUND enrolee");
    admin_now_s = WORLD_T0;
    issue(
        "\"class\":\"dev-cfg\",\"management\":\"lwm2m\",\"uri\":\"coaps://mef.example:5684\"");
    issue("\"class\":\"mo-node\",\"path\":\"./a\",\"object_type\":\"authentication-profile\","
          "\"suid\":22,\"target\":\"" WORLD_OTHER "\"");
    CU_ASSERT_STRING_EQUAL(member(listed(0), "management"), "lwm2m");
    CU_ASSERT_STRING_EQUAL(member(listed(1), "target"), WORLD_OTHER);
    CU_ASSERT_STRING_EQUAL(member(listed(1), "object_type"), "authentication-profile");
    CU_ASSERT_STRING_EQUAL(member(listed(1), "stakeholder"), "admin.example");
    ask(&one, M2M_OP_RETRIEVE, cmd, "");
    CU_ASSERT(says("\"dcu\":\"3:coaps://mef.example:5684\""));
    report(member(listed(0), "id"), 202);
    CU_ASSERT(says("\"tgi\":\"" WORLD_OTHER "\"") && says("\"otsa\":{\"suid\":22}"));
    end();
}

/* TS-0003 8.3.9.7: the Node-ID of the node which the enrolee is on, as a row has it. */
static void test_node(void)
{
#define URN "urn:dev:ops:32473-node-7"
#define OF(who, id)                                                                            \
    "{\"do\":\"issue\",\"enrolee\":\"" who "\",\"stakeholder\":\"admin.example\","             \
    "\"class\":\"cert-prov\",\"subject_type\":\"node\",\"subject\":\"" id                      \
    "\",\"uri\":\"https://mef.example/\"}"
    struct mef_credential row = {
        .kind = MEF_CRED_CERT, .name = "uri:" URN, .enrolee = WORLD_OTHER};

    begin();
    CU_ASSERT_STRING_EQUAL(admin(OF(WORLD_ENROLEE, URN)), "FORBIDDEN subject");
    CU_ASSERT_EQUAL(w.registry->add_credential(w.registry, &row, MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_STRING_EQUAL(admin(OF(WORLD_ENROLEE, URN)), "FORBIDDEN subject"); /* another's */
    CU_ASSERT_EQUAL(w.registry->remove(w.registry, &(struct mef_row){.noun = MEF_CREDENTIAL,
                                                                     .u.credential = row}),
                    GBA_OK);
    strcpy(row.enrolee, WORLD_ENROLEE);
    CU_ASSERT_EQUAL(w.registry->add_credential(w.registry, &row, MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_STRING_EQUAL(admin(OF(WORLD_ENROLEE, URN "7")), "FORBIDDEN subject");
    CU_ASSERT_STRING_EQUAL(admin(OF(WORLD_ENROLEE, "node7")), "ARGUMENT subject");
    CU_ASSERT_STRING_EQUAL(admin(OF(WORLD_ENROLEE, WORLD_ENROLEE)), "ARGUMENT subject");
    CU_ASSERT_EQUAL(n_listed(), 0);
    CU_ASSERT_STRING_EQUAL(admin(OF(WORLD_ENROLEE, URN)), "");
    CU_ASSERT_STRING_EQUAL(member(listed(0), "subject_type"), "node");
    ask(&one, M2M_OP_RETRIEVE, cmd, "");
    CU_ASSERT(says("\"csty\":1") && says("\"csid\":\"" URN "\""));
    end();
#undef URN
#undef OF
}

/* Words for people, who see neither this code nor the clause. */
static void test_reasons(void)
{
    static const struct {
        const char *request, *at, *text;
    } rows[] = {
        R(FOR ",\"class\":\"cert-prov\",\"subject_type\":\"ae\",\"subject\":\"" WORLD_ENROLEE
              "\",\"uri\":\"https://evil.example\"",
          "uri", "not https://mef.example...: clients follow to no other host"),
        R(FOR ",\"class\":\"dev-cfg\",\"management\":\"lwm2m\",\"uri\":\"coaps://x.example\"",
          "uri", "not SCHEME://mef.example...: clients follow to no other host"),
        R("\"enrolee\":\"" WORLD_ENROLEE "\",\"stakeholder\":\"a b\"," NODE, "stakeholder",
          "not an FQDN"),
        R("\"enrolee\":\"" WORLD_ENROLEE "\",\"stakeholder\":\"b.example\"," NODE, "enrolee",
          "has no registration for the stakeholder b.example"),
        R(FOR ",\"class\":\"reboot\"", "class", "none of cert-prov, dev-cfg, mo-node"),
        R(FOR ",\"class\":\"cert-prov\",\"subject_type\":\"car\"", "subject_type",
          "none of node, cse, ae"),
        R(FOR ",\"class\":\"cert-prov\",\"subject_type\":\"cse\",\"subject\":\"" WORLD_ENROLEE
              "\",\"uri\":\"https://mef.example\"",
          "subject", "not the Absolute identifier of a CSE"),
        R(FOR ",\"class\":\"cert-prov\",\"subject_type\":\"node\",\"subject\":\"node1\","
              "\"uri\":\"https://mef.example\"",
          "subject", "not the URI of a Node, with its scheme"),
        R(FOR ",\"class\":\"cert-prov\",\"subject_type\":\"node\",\"subject\":\"urn:x:1\","
              "\"uri\":\"https://mef.example\"",
          "subject", "not the node of this enrolee: it has no credential uri:urn:x:1"),
        R(FOR "," CERT ",\"protocol\":\"scep\"", "protocol",
          "this MEF serves no SCEP; est is served"),
        R(FOR "," NODE ",\"suid\":22", "suid", "only an authentication-profile has one"),
        R(FOR, "class", "missing parameter"),
        {"{\"do\":\"add\",\"what\":\"stakeholder\",\"fqdn\":\"a b\"}", "fqdn", "not an FQDN"},
    };

    begin();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        admin(rows[i].request);
        CU_ASSERT_STRING_EQUAL(member(reply, "at"), rows[i].at);
        CU_ASSERT_STRING_EQUAL(member(reply, "text"), rows[i].text);
    }
    end();
}

static void test_cancel(void)
{
    char first[80], request[200];

    begin();
    issue(CERT);
    strcpy(first, id);
    issue(NODE);
    ask(&one, M2M_OP_RETRIEVE, cmd, "");
    snprintf(request, sizeof(request), "{\"do\":\"remove\",\"what\":\"command\",\"id\":\"%s\"}",
             first);
    CU_ASSERT_STRING_EQUAL(admin(request), "");
    CU_ASSERT_STRING_EQUAL(admin(request), "NOT_FOUND command");
    CU_ASSERT_EQUAL(report(first, 20), M2M_RSC_UPDATED); /* it did it all the same: dropped */
    CU_ASSERT(says(id) && says("\"cmsc\":10"));
    CU_ASSERT_EQUAL(n_listed(), 1);
    end();
}

static void take_away(int how)
{
    size_t n;

    switch (how) {
    case 0:
        CU_ASSERT_EQUAL(ask(&one, M2M_OP_DELETE, reg, ""), M2M_RSC_DELETED);
        return;
    case 1:
        CU_ASSERT_STRING_EQUAL(admin("{\"do\":\"revoke\",\"enrolee\":\"" WORLD_ENROLEE "\"}"),
                               "");
        return;
    case 2:
        CU_ASSERT_EQUAL(w.store->sweep(w.store, WORLD_T0 + 3600, NULL, &n), GBA_OK);
        return;
    case 3: /* an expired one gives way */
        CU_ASSERT_EQUAL(ask_at(&one, M2M_OP_CREATE, "-/",
                               "{\"sec:mefcr\":{\"et\":\"20260101T020000\","
                               "\"adfq\":\"admin.example\"}}",
                               WORLD_T0 + 3600),
                        M2M_RSC_CREATED);
        return;
    default:
        w.registry->add_stakeholder(w.registry, "admin.example", MEF_OF_ADMIN);
        CU_ASSERT_STRING_EQUAL(
            admin("{\"do\":\"remove\",\"what\":\"stakeholder\",\"fqdn\":\"admin.example\"}"),
            "");
    }
}

/* However a registration goes. */
static void test_goes_along(void)
{
    for (int how = 0; how < 5; how++) {
        begin();
        issue(CERT);
        CU_ASSERT_EQUAL(n_listed(), 1);
        take_away(how);
        CU_ASSERT_EQUAL(n_listed(), 0);
        end();
    }
}

static void test_noted(void)
{
    char request[1024];

    begin();
    log_[0] = '\0';
    issue(CERT);
    ask(&one, M2M_OP_RETRIEVE, cmd, "");
    ask(&one, M2M_OP_RETRIEVE, cmd, "");
    report("x", 20);
    report(id, 101);
    CU_ASSERT_STRING_EQUAL(log_, "command.issue 0;command.give 10;command.give 11;"
                                 "command.give 11;command.result 101;");
    note_fails = "command.issue";
    snprintf(request, sizeof(request), "{\"do\":\"issue\"," FOR "," CERT "}");
    CU_ASSERT_STRING_EQUAL(admin(request), "IO");
    CU_ASSERT_EQUAL(n_listed(), 1); /* the done one */
    note_fails = NULL;
    issue(CERT);
    note_fails = "command.give";
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, cmd, ""), M2M_RSC_INTERNAL_SERVER_ERROR);
    CU_ASSERT(!says(id));
    CU_ASSERT_STRING_EQUAL(member(listed(1), "state"), "queued");
    note_fails = NULL;
    ask(&one, M2M_OP_RETRIEVE, cmd, "");
    CU_ASSERT(says(id) && says("\"cmsc\":10"));
    note_fails = "command.result";
    CU_ASSERT_EQUAL(report(id, 20), M2M_RSC_INTERNAL_SERVER_ERROR);
    CU_ASSERT_STRING_EQUAL(member(listed(1), "state"), "outstanding");
    note_fails = NULL;
    end();
}

/* A MAF's clients never ask for commands: none may wait for them, not even as many as 0. */
static void test_maf(void)
{
    static const char request[] = "{\"do\":\"issue\"," FOR "," CERT "}";

    begin();
    w.policy.role = MEF_ROLE_MAF;
    CU_ASSERT_STRING_EQUAL(admin(request), "UNSUPPORTED a MAF has no commands");
    w.policy.limits.commands_max = 0; /* as mafd's */
    CU_ASSERT_STRING_EQUAL(admin(request), "UNSUPPORTED a MAF has no commands");
    CU_ASSERT_EQUAL(n_listed(), 0);
    CU_ASSERT_PTR_NULL(strstr(log_, "command.issue"));
    end();
}

/* A database of the fourth version, which had no commands, is brought up to date in place. */
static void test_migration(void)
{
    sqlite3 *db;

    begin();
    sqlite3_open(w.file, &db);
    CU_ASSERT_EQUAL(
        sqlite3_exec(db,
                     "DROP TABLE ke_admin;DROP TABLE command;ALTER TABLE key DROP COLUMN uss;"
                     "ALTER TABLE key DROP COLUMN uids;PRAGMA user_version=4;",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    mef_world_reopen(&w);
    w.mef.audit = &audit;
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, cmd, ""), M2M_RSC_OK);
    issue(CERT);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, cmd, ""), M2M_RSC_OK);
    CU_ASSERT(says(id));
    end();
}

static const struct unit_test tests[] = {
    {"one after the other", test_one},
    {"what is dropped, what is refused", test_dropped},
    {"every result", test_every_result},
    {"a result of another class", test_foreign_result},
    {"as many as may wait", test_cap},
    {"what the administration may not issue", test_refusals},
    {"certificates for nodes", test_node},
    {"why not", test_reasons},
    {"a MAF has none", test_maf},
    {"cancelled", test_cancel},
    {"commands go with their registration", test_goes_along},
    {"given and noted, or neither", test_noted},
    {"a file of the fourth version", test_migration},
};
UNIT_MAIN("mef_cmd", tests)
