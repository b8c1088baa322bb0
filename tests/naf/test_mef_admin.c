/*
 * naf/mef_admin.c with its rows, devices and the registry behind it: good and bad requests,
 * every noun, batches, lists in pages, what belongs to the configuration, one transaction with
 * the audit log.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_admin.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "naf/mef_audit_file.h"
#include "tests/naf/mef_world.h"
#include "tests/unit.h"

#define DEV     "//sp.example/cse1/Cdev"
#define KPM     "000102030405060708090a0b0c0d0e0f"
#define WHO     "admin:7"
#define ENROLEE "\"enrolee\":\"" DEV "\""

static struct mef_world w;
static struct mef_admin admin;
static char file[128];
static json_t *reply;

static void begin(void)
{
    bool altered;

    mef_world_begin(&w);
    snprintf(file, sizeof(file), "%s.audit", w.file);
    CU_ASSERT_EQUAL_FATAL(mef_audit_file_open(w.store, file, &w.mef.audit, &altered), GBA_OK);
    admin = (struct mef_admin){.mef = &w.mef};
}

static void end(void)
{
    json_decref(reply);
    reply = NULL;
    mef_audit_file_close(w.mef.audit);
    mef_world_end(&w);
}

static void ask_n(const char *request, size_t n)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    CU_ASSERT_FATAL(out != NULL);
    mef_admin_answer(&admin, WHO, (struct gba_text){request, n}, WORLD_T0, out);
    fclose(out);
    CU_ASSERT(strchr(text, '\n') == NULL);
    json_decref(reply);
    reply = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT(json_is_object(reply));
    free(text);
}

static const char *member(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s != NULL ? s : "";
}

static bool ok(const char *request)
{
    ask_n(request, strlen(request));
    if (!json_is_true(json_object_get(reply, "ok")))
        fprintf(stderr, "%.100s: %s at %s\n", request, member(reply, "error"),
                member(reply, "at"));
    return json_is_true(json_object_get(reply, "ok"));
}

static void check_refused(const char *request, const char *error, const char *at)
{
    ask_n(request, strlen(request));
    if (strcmp(member(reply, "error"), error) != 0 || strcmp(member(reply, "at"), at) != 0)
        fprintf(stderr, "%.100s: %s at %s\n", request, member(reply, "error"),
                member(reply, "at"));
    CU_ASSERT(json_is_false(json_object_get(reply, "ok")));
    CU_ASSERT_STRING_EQUAL(member(reply, "error"), error);
    CU_ASSERT_STRING_EQUAL(member(reply, "at"), at);
    CU_ASSERT(member(reply, "text")[0] != '\0');
}

static size_t rows(const char *what)
{
    char request[128];

    snprintf(request, sizeof(request), "{\"do\":\"list\",\"what\":\"%s\"}", what);
    CU_ASSERT(ok(request));
    return json_array_size(json_object_get(reply, "rows"));
}

static const json_t *row(size_t i)
{
    return json_array_get(json_object_get(reply, "rows"), i);
}

/* How many lines of the log have that in them. */
static unsigned lines_with(const char *part)
{
    char line[1024];
    unsigned n = 0;
    uint64_t all;
    FILE *f;

    CU_ASSERT_EQUAL(w.mef.audit->verify(w.mef.audit, &all), GBA_OK);
    f = fopen(file, "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        n += strstr(line, part) != NULL;
    fclose(f);
    return n;
}

/* The last line of the log, and how many there are. */
static uint64_t last_line(char out[static 1024])
{
    char line[1024] = "";
    uint64_t n;
    FILE *f;

    CU_ASSERT_EQUAL(w.mef.audit->verify(w.mef.audit, &n), GBA_OK);
    f = fopen(file, "r");
    out[0] = '\0';
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        strcpy(out, line);
    fclose(f);
    return n;
}

static void check_log(uint64_t n, const char *part)
{
    char line[1024];

    CU_ASSERT_EQUAL(last_line(line), n);
    CU_ASSERT(strstr(line, part) != NULL);
    CU_ASSERT(n == 0 || strstr(line, "\"who\":\"" WHO "\"") != NULL);
}

/* ------------------------------------------------------------ requests */

static void test_bad(void)
{
    static const struct {
        const char *request, *error, *at;
    } bad[] = {
        {"", "SYNTAX", "request"},
        {"{", "SYNTAX", "request"},
        {"[]", "SYNTAX", "request"},
        {"null", "SYNTAX", "request"},
        {"{}{}", "SYNTAX", "request"},
        {"{\"do\":\"list\",\"do\":\"list\"}", "SYNTAX", "request"},
        {"{\"do\":\"\\u0000\"}", "SYNTAX", "request"},
        {"{\"do\":\"\xff\"}", "SYNTAX", "request"},
        {"{}", "MISSING", "do"},
        {"{\"do\":1}", "SYNTAX", "do"},
        {"{\"do\":\"\"}", "SYNTAX", "do"},
        {"{\"do\":\"paint\"}", "NOT_FOUND", "do"},
        {"{\"do\":\"add\"}", "MISSING", "what"},
        {"{\"do\":\"add\",\"what\":\"thing\"}", "NOT_FOUND", "what"},
        {"{\"do\":\"add\",\"what\":\"key\",\"id\":\"x\"}", "UNSUPPORTED", "what"},
        {"{\"do\":\"add\",\"what\":\"enrolment\"}", "UNSUPPORTED", "what"},
        {"{\"do\":\"add\",\"what\":\"registration\"}", "UNSUPPORTED", "what"},
        {"{\"do\":\"add\",\"what\":\"enrolee\"}", "MISSING", "id"},
        {"{\"do\":\"add\",\"what\":\"enrolee\",\"id\":\"a b\"}", "SYNTAX", "id"},
        {"{\"do\":\"add\",\"what\":\"enrolee\",\"id\":\"" DEV "\",\"x\":1}", "UNSUPPORTED",
         "a member that is not known here"},
        {"{\"do\":\"add\",\"what\":\"stakeholder\",\"fqdn\":\"a..b\"}", "SYNTAX", "fqdn"},
        {"{\"do\":\"add\",\"what\":\"target\",\"id\":\"//a.example/c\"}", "MISSING", "suids"},
        {"{\"do\":\"add\",\"what\":\"target\",\"id\":\"//a.example/c\",\"suids\":[1]}",
         "ARGUMENT", "suids"},
        {"{\"do\":\"add\",\"what\":\"target\",\"id\":\"//a.example/c\",\"suids\":[\"22\"]}",
         "SYNTAX", "suids"},
        {"{\"do\":\"add\",\"what\":\"target\",\"id\":\"//a.example/c\",\"suids\":22}", "SYNTAX",
         "suids"},
        {"{\"do\":\"add\",\"what\":\"target\",\"id\":\"//a.example/c\",\"suids\":[21,22]}",
         "ARGUMENT", "id"},
        {"{\"do\":\"add\",\"what\":\"target\",\"id\":\"//a.example/c\",\"suids\":[22],"
         "\"ua_id\":\"0100\"}",
         "SYNTAX", "ua_id"},
        {"{\"do\":\"add\",\"what\":\"target\",\"id\":\"//a.example/c\",\"suids\":[22],"
         "\"derivation\":\"none\"}",
         "SYNTAX", "derivation"},
        {"{\"do\":\"add\",\"what\":\"credential\",\"kind\":\"sim\",\"name\":\"x\"," ENROLEE "}",
         "SYNTAX", "kind"},
        {"{\"do\":\"add\",\"what\":\"credential\",\"kind\":\"gba\",\"name\":\"x@y\"," ENROLEE
         "}",
         "NOT_FOUND", "enrolee"},
        {"{\"do\":\"add\",\"what\":\"credential\",\"kind\":\"psk\",\"name\":\"x\"," ENROLEE "}",
         "MISSING", "key"},
        {"{\"do\":\"add\",\"what\":\"credential\",\"kind\":\"psk\",\"name\":\"x\"," ENROLEE
         ",\"key\":\"0011\"}",
         "SYNTAX", "key"},
        {"{\"do\":\"add\",\"what\":\"credential\",\"kind\":\"psk\",\"name\":\"x\"," ENROLEE
         ",\"key\":\"" KPM "0\"}",
         "SYNTAX", "key"},
        {"{\"do\":\"add\",\"what\":\"credential\",\"kind\":\"psk\",\"name\":\"x\"," ENROLEE
         ",\"key\":\"" KPM KPM KPM KPM "00\"}",
         "TOO_LONG", "key"},
        {"{\"do\":\"add\",\"what\":\"credential\",\"kind\":\"gba\",\"name\":\"x@y\"," ENROLEE
         ",\"key\":\"" KPM "\"}",
         "UNSUPPORTED", "key"},
        {"{\"do\":\"add\",\"what\":\"instruction\"," ENROLEE ",\"target\":\"" WORLD_CSE "\"}",
         "NOT_FOUND", "enrolee"},
        {"{\"do\":\"add\",\"what\":\"instruction\",\"enrolee\":\"" WORLD_OTHER
         "\",\"target\":\"//a.example/c\"}",
         "NOT_FOUND", "target"},
        {"{\"do\":\"add\",\"what\":\"instruction\",\"enrolee\":\"" WORLD_OTHER
         "\",\"target\":\"" WORLD_CSE "\",\"suids\":[22,24]}",
         "FORBIDDEN", "suids"},
        {"{\"do\":\"add\",\"what\":\"instruction\",\"enrolee\":\"" WORLD_OTHER
         "\",\"target\":\"" WORLD_CSE "\",\"expires\":\"soon\"}",
         "SYNTAX", "expires"},
        {"{\"do\":\"add\",\"what\":\"instruction\",\"enrolee\":\"" WORLD_ENROLEE
         "\",\"target\":\"" WORLD_CSE "\"}",
         "EXISTS", "target"},
        {"{\"do\":\"remove\",\"what\":\"enrolee\",\"id\":\"" DEV "\"}", "NOT_FOUND", "enrolee"},
        {"{\"do\":\"remove\",\"what\":\"key\",\"id\":\"x\",\"y\":1}", "UNSUPPORTED",
         "a member that is not known here"},
        {"{\"do\":\"revoke\"}", "MISSING", "enrolee"},
        {"{\"do\":\"revoke\"," ENROLEE "}", "NOT_FOUND", "enrolee"},
        {"{\"do\":\"list\",\"what\":\"key\",\"max\":0}", "SYNTAX", "max"},
        {"{\"do\":\"list\",\"what\":\"key\",\"max\":1001}", "SYNTAX", "max"},
        {"{\"do\":\"list\",\"what\":\"key\",\"after\":-1}", "SYNTAX", "after"},
        {"{\"do\":\"list\",\"what\":\"key\",\"after\":99999999999999999999}", "SYNTAX",
         "request"},
        {"{\"do\":\"list\",\"what\":\"target\"," ENROLEE "}", "UNSUPPORTED", "enrolee"},
        {"{\"do\":\"list\",\"what\":\"key\",\"enrolee\":\"a b\"}", "SYNTAX", "enrolee"},
        {"{\"do\":\"device\"}", "MISSING", "row"},
        {"{\"do\":\"device\",\"row\":1}", "SYNTAX", "row"},
        {"{\"do\":\"device\",\"row\":{},\"x\":1}", "UNSUPPORTED",
         "a member that is not known here"},
        {"{\"do\":\"device\",\"row\":{}}", "MISSING", "id"},
        {"{\"do\":\"device\",\"row\":{\"id\":\"" DEV "\",\"kpm_id\":\"x\"}}", "MISSING", "kpm"},
        {"{\"do\":\"device\",\"row\":{\"id\":\"" DEV "\",\"kpm\":\"" KPM "\"}}", "MISSING",
         "kpm_id"},
        {"{\"do\":\"device\",\"row\":{\"id\":\"" DEV "\",\"certificates\":[\"x\"]}}", "SYNTAX",
         "certificates"},
        {"{\"do\":\"device\",\"row\":{\"id\":\"" DEV "\",\"certificates\":[1]}}", "SYNTAX",
         "certificates"},
        {"{\"do\":\"device\",\"row\":{\"id\":\"" DEV "\",\"targets\":{}}}", "SYNTAX",
         "targets"},
        {"{\"do\":\"device\",\"row\":{\"id\":\"" DEV "\",\"targets\":[\"//a.example/c\"]}}",
         "NOT_FOUND", "target"},
        {"{\"do\":\"device\",\"row\":{\"id\":\"" DEV "\",\"impi\":\"" WORLD_IMPI "\"}}",
         "EXISTS", WORLD_IMPI},
        {"{\"do\":\"device\",\"row\":{\"id\":\"" DEV "\",\"certificates\":[\"dns:" WORLD_FQDN
         "\"]}}",
         "FORBIDDEN", "dns:" WORLD_FQDN},
        {"{\"do\":\"batch\"}", "MISSING", "import"},
        {"{\"do\":\"batch\",\"import\":\"t\"}", "MISSING", "rows"},
        {"{\"do\":\"batch\",\"import\":\"" KPM KPM "0\",\"rows\":[]}", "TOO_LONG", "import"},
        {"{\"do\":\"batch\",\"import\":\"t\",\"rows\":[1]}", "SYNTAX", "row"},
        {"{\"do\":\"audit\",\"x\":1}", "UNSUPPORTED", "a member that is not known here"},
        {"{\"do\":\"rekey\"}", "UNSUPPORTED", "master_key"},
    };

    begin();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        check_refused(bad[i].request, bad[i].error, bad[i].at);
    ask_n("{\"do\":\"list\0\"}", 14);
    CU_ASSERT(json_is_false(json_object_get(reply, "ok")));
    CU_ASSERT_EQUAL(rows("enrolee"), 2); /* nothing came of any */
    check_log(0, "");
    end();
}

static void add_device(void)
{
    CU_ASSERT(ok("{\"do\":\"device\",\"row\":{\"id\":\"" DEV
                 "\",\"impi\":\"dev@example\",\"kpm_id\":\"dev\",\"kpm\":\"" KPM "\","
                 "\"certificates\":[\"dns:Dev.example\",\"uri:urn:dev\"],"
                 "\"targets\":[\"" WORLD_CSE "\",\"" WORLD_MAF "\"],"
                 "\"expires\":\"2099-01-01T00:00:00Z\"}}"));
}

static void test_device(void)
{
    struct mef_credential c;
    struct mef_instruction i;

    begin();
    add_device();
    check_log(7, "\"what\":\"instruction.add\",\"for\":\"" DEV "\",\"target\":\"" WORLD_MAF
                 "\",\"suids\":[21],\"expires\":\"2099-01-01T00:00:00Z\"}");
    CU_ASSERT_EQUAL(lines_with("\"what\":\"device.add\",\"for\":\"" DEV "\"}"), 1);
    CU_ASSERT_EQUAL(lines_with("\"what\":\"credential.add\",\"for\":\"" DEV
                               "\",\"key_id\":\"dns:dev.example\"}"),
                    1);
    CU_ASSERT_EQUAL(lines_with("\"what\":\"credential.add\",\"for\":\"" DEV "\""), 4);
    CU_ASSERT_EQUAL(lines_with("\"target\":\"" WORLD_CSE "\",\"suids\":[22,23],"), 1);
    CU_ASSERT_EQUAL(lines_with(KPM), 0);
    CU_ASSERT_EQUAL(w.registry->credential(w.registry, MEF_CRED_PSK, "dev", &c), GBA_OK);
    CU_ASSERT(c.key_len == 16 && c.key[15] == 15 && c.expires_s == 0);
    CU_ASSERT_EQUAL(w.registry->credential(w.registry, MEF_CRED_CERT, "dns:dev.example", &c),
                    GBA_OK);
    CU_ASSERT_STRING_EQUAL(c.enrolee, DEV);
    CU_ASSERT_EQUAL(w.registry->instruction(w.registry, DEV, WORLD_CSE, &i), GBA_OK);
    CU_ASSERT(mef_suid_in(i.suids, 22) && mef_suid_in(i.suids, 23));
    CU_ASSERT_EQUAL(i.expires_s, 4070908800);
    CU_ASSERT(ok("{\"do\":\"list\",\"what\":\"credential\"," ENROLEE "}"));
    CU_ASSERT_EQUAL(json_array_size(json_object_get(reply, "rows")), 4);
    for (size_t r = 0; r < 4; r++)
        CU_ASSERT(json_object_get(row(r), "key") == NULL);
    check_refused("{\"do\":\"device\",\"row\":{\"id\":\"" DEV "\"}}", "EXISTS", "id");
    check_refused("{\"do\":\"add\",\"what\":\"target\",\"id\":\"dev.example\",\"suids\":[21]}",
                  "FORBIDDEN", "id");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(reply, "text")),
                           "one dNSName for a target and another enrolee");
    end();
}

/* ------------------------------------------------------------ every noun */

/* What enrolees make: one of each. */
static void make_made(const char *enrolee)
{
    struct mef_ke ke = {.key_id = "AB@mef.example", .expires_s = WORLD_T0 + 100};
    struct mef_reg reg = {.ri = "r1", .admin_fqdn = "a.example", .expires_s = WORLD_T0 + 100};
    struct mef_key key = {.relative_id = "CD",
                          .admin_fqdn = "a.example",
                          .labels = "one\ntwo\n",
                          .targets = WORLD_CSE "\n",
                          .suid = 22,
                          .expires_s = WORLD_T0 + 100};
    struct mef_reg live;

    strcpy(ke.enrolee, enrolee);
    strcpy(reg.creator, enrolee);
    strcpy(key.creator, enrolee);
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &ke), GBA_OK);
    CU_ASSERT_EQUAL(w.store->add_reg(w.store, &reg, WORLD_T0, 3, &live), GBA_OK);
    CU_ASSERT_EQUAL(w.store->add_key(w.store, &key, 3), GBA_OK);
}

struct noun {
    const char *noun, *name; /* what names it, and */
    const char *more;        /* the rest of it */
    size_t before;           /* rows of the world */
};

static const struct noun nouns[] = {
    {"stakeholder", "\"fqdn\":\"a.example\"", "", 0},
    {"target", "\"id\":\"//a.example/c\"", ",\"suids\":[22]", 2},
    {"enrolee", "\"id\":\"" DEV "\"", "", 2},
    {"credential", "\"kind\":\"psk\",\"name\":\"dev\"", "," ENROLEE ",\"key\":\"" KPM "\"", 2},
    {"instruction", ENROLEE ",\"target\":\"//a.example/c\"", "", 2},
};

static void ask_noun(const struct noun *n, const char *verb, const char *more, bool good)
{
    char request[512];

    snprintf(request, sizeof(request), "{\"do\":\"%s\",\"what\":\"%s\",%s%s}", verb, n->noun,
             n->name, more);
    if (good)
        CU_ASSERT(ok(request));
    if (!good) {
        ask_n(request, strlen(request));
        CU_ASSERT(json_is_false(json_object_get(reply, "ok")));
    }
}

static void test_nouns(void)
{
    const size_t n = sizeof(nouns) / sizeof(nouns[0]);
    char what[64];
    uint64_t line = 0;

    begin();
    for (size_t i = 0; i < n; i++) {
        ask_noun(&nouns[i], "add", nouns[i].more, true);
        snprintf(what, sizeof(what), "\"what\":\"%s.add\"", nouns[i].noun);
        check_log(++line, what);
        ask_noun(&nouns[i], "add", nouns[i].more, false); /* again */
        CU_ASSERT_STRING_EQUAL(member(reply, "error"), "EXISTS");
        CU_ASSERT_EQUAL(rows(nouns[i].noun), nouns[i].before + 1);
        CU_ASSERT_STRING_EQUAL(member(row(nouns[i].before), "origin"), "administration");
    }
    for (size_t i = n; i-- > 0;) {
        ask_noun(&nouns[i], "remove", "", true);
        snprintf(what, sizeof(what), "\"what\":\"%s.remove\"", nouns[i].noun);
        check_log(++line, what);
        if (strcmp(nouns[i].noun, "credential") == 0)
            check_log(line, "\"for\":\"" DEV "\"");
        CU_ASSERT_EQUAL(lines_with(".end"), 0);
        CU_ASSERT_EQUAL(rows(nouns[i].noun), nouns[i].before);
        ask_noun(&nouns[i], "remove", "", false);
        CU_ASSERT_STRING_EQUAL(member(reply, "error"), "NOT_FOUND");
    }
    check_log(line, "stakeholder.remove");
    CU_ASSERT_EQUAL(lines_with("\"target.add\",\"target\":\"//a.example/c\",\"suids\":[22]}"),
                    1);
    end();
}

static void test_made(void)
{
    static const char *const made[] = {"enrolment", "registration", "key"};
    static const char *const ids[] = {"AB@mef.example", "r1", "CD"};
    char request[256];

    begin();
    make_made(WORLD_ENROLEE);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(rows(made[i]), 1);
        CU_ASSERT_STRING_EQUAL(member(row(0), "id"), ids[i]);
        CU_ASSERT_STRING_EQUAL(member(row(0), "enrolee"), WORLD_ENROLEE);
        CU_ASSERT_STRING_EQUAL(member(row(0), "expires"), "2026-01-01T00:01:40Z");
    }
    CU_ASSERT_EQUAL(json_array_size(json_object_get(row(0), "labels")), 2);
    CU_ASSERT(ok("{\"do\":\"list\",\"what\":\"key\",\"enrolee\":\"" WORLD_OTHER "\"}"));
    CU_ASSERT_EQUAL(json_array_size(json_object_get(reply, "rows")), 0);
    for (size_t i = 3; i-- > 0;) { /* the key first: a registration takes it along */
        snprintf(request, sizeof(request), "{\"do\":\"remove\",\"what\":\"%s\",\"id\":\"%s\"}",
                 made[i], ids[i]);
        if (i != 0) { /* the last registration has taken the Ke along */
            CU_ASSERT(ok(request));
            check_log(i == 2 ? 1 : 3, "\"for\":\"" WORLD_ENROLEE "\"");
        }
        CU_ASSERT_EQUAL(rows(made[i]), 0);
        check_refused(request, "NOT_FOUND", made[i]);
    }
    make_made(WORLD_ENROLEE); /* now the Ke by itself */
    CU_ASSERT(ok("{\"do\":\"remove\",\"what\":\"enrolment\",\"id\":\"AB@mef.example\"}"));
    check_log(4, "\"what\":\"enrolment.remove\",\"for\":\"" WORLD_ENROLEE "\"");
    end();
}

/* What the configuration says is changed there. */
static void test_configuration(void)
{
    static const struct {
        const char *noun, *name;
    } of[] = {
        {"target", "\"id\":\"" WORLD_CSE "\""},
        {"enrolee", "\"id\":\"" WORLD_ENROLEE "\""},
        {"credential", "\"kind\":\"gba\",\"name\":\"" WORLD_IMPI "\""},
        {"instruction", "\"enrolee\":\"" WORLD_ENROLEE "\",\"target\":\"" WORLD_CSE "\""},
        {"stakeholder", "\"fqdn\":\"conf.example\""},
    };
    char request[256];

    begin();
    CU_ASSERT_EQUAL(w.registry->add_stakeholder(w.registry, "conf.example", MEF_OF_CONFIG),
                    GBA_OK);
    make_made(WORLD_ENROLEE);
    for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
        snprintf(request, sizeof(request), "{\"do\":\"remove\",\"what\":\"%s\",%s}", of[i].noun,
                 of[i].name);
        check_refused(request, "FORBIDDEN", of[i].noun);
    }
    CU_ASSERT(rows("target") == 2 && rows("enrolee") == 2 && rows("stakeholder") == 1);
    CU_ASSERT(rows("credential") == 2 && rows("instruction") == 2 && rows("key") == 1);
    CU_ASSERT_EQUAL(rows("enrolee"), 2);
    CU_ASSERT_STRING_EQUAL(member(row(0), "origin"), "configuration");
    check_log(0, "");
    end();
}

static void test_revoke(void)
{
    begin();
    add_device();
    make_made(DEV);
    CU_ASSERT(ok("{\"do\":\"revoke\"," ENROLEE "}"));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(reply, "revoked")), 3);
    check_log(7 + 4, ".end\",\"for\":\"" DEV "\"");
    CU_ASSERT_EQUAL(lines_with("\"what\":\"enrolee.revoke\",\"for\":\"" DEV "\"}"), 1);
    CU_ASSERT_EQUAL(lines_with("\"key.end\",\"for\":\"" DEV "\",\"key_id\":\"CD\""), 1);
    CU_ASSERT_EQUAL(lines_with("\"enrolment.end\""), 1);
    CU_ASSERT_EQUAL(lines_with("\"registration.end\""), 1);
    CU_ASSERT(rows("enrolment") == 0 && rows("registration") == 0 && rows("key") == 0);
    CU_ASSERT(ok("{\"do\":\"revoke\"," ENROLEE "}")); /* nothing is left */
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(reply, "revoked")), 0);
    make_made(DEV);
    CU_ASSERT(ok("{\"do\":\"remove\",\"what\":\"enrolee\",\"id\":\"" DEV "\"}"));
    CU_ASSERT(rows("key") == 0 && rows("credential") == 2 && rows("instruction") == 2);
    /* of one that has no row any more */
    make_made(DEV);
    CU_ASSERT(ok("{\"do\":\"revoke\"," ENROLEE "}"));
    CU_ASSERT_EQUAL(rows("key"), 0);
    end();
}

/* A stakeholder goes with its registrations and keys, others' stay. */
static void test_stakeholder(void)
{
    begin();
    CU_ASSERT(ok("{\"do\":\"add\",\"what\":\"stakeholder\",\"fqdn\":\"A.Example\"}"));
    CU_ASSERT(ok("{\"do\":\"add\",\"what\":\"stakeholder\",\"fqdn\":\"b.example\"}"));
    CU_ASSERT_EQUAL(w.registry->stakeholder(w.registry, "a.example"), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->stakeholder(w.registry, "c.example"), GBA_E_FORBIDDEN);
    make_made(WORLD_ENROLEE);
    CU_ASSERT(ok("{\"do\":\"remove\",\"what\":\"stakeholder\",\"fqdn\":\"b.example\"}"));
    CU_ASSERT_EQUAL(rows("key"), 1);
    CU_ASSERT(ok("{\"do\":\"remove\",\"what\":\"stakeholder\",\"fqdn\":\"a.example\"}"));
    CU_ASSERT(rows("key") == 0 && rows("registration") == 0 && rows("enrolment") == 0);
    CU_ASSERT_EQUAL(w.registry->stakeholder(w.registry, "c.example"), GBA_OK);
    end();
}

/* ------------------------------------------------------------ batches, pages */

static char *make_batch(unsigned first, unsigned n, unsigned bad)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    CU_ASSERT_FATAL(out != NULL);
    fprintf(out, "{\"do\":\"batch\",\"import\":\"t\",\"batch\":%u,\"rows\":[", first);
    for (unsigned i = 0; i < n; i++)
        fprintf(out,
                "%s{\"id\":\"" DEV "%u\",\"kpm_id\":\"dev%u\",\"kpm\":\"%s\","
                "\"targets\":[\"" WORLD_CSE "\"]}",
                i > 0 ? "," : "", first + i, first + i, i == bad ? "no" : KPM);
    fputs("]}", out);
    fclose(out);
    return text;
}

static void test_batch(void)
{
    char *text = make_batch(0, 100, 70);

    begin();
    check_refused(text, "SYNTAX", "kpm");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(reply, "row")), 70);
    CU_ASSERT_EQUAL(rows("enrolee"), 2); /* none of it */
    check_log(0, "");
    free(text);
    text = make_batch(0, 100, 100);
    CU_ASSERT(ok(text));
    CU_ASSERT(json_object_get(reply, "skipped") == NULL);
    CU_ASSERT(ok(text)); /* the answer was lost */
    CU_ASSERT(json_is_true(json_object_get(reply, "skipped")));
    CU_ASSERT_EQUAL(rows("enrolee"), 102);
    check_log(300, "instruction.add");
    CU_ASSERT_EQUAL(lines_with("device.add"), 100);
    CU_ASSERT_EQUAL(lines_with("\"key_id\":\"dev99\""), 1);
    CU_ASSERT(ok("{\"do\":\"batch\",\"import\":\"t\",\"batch\":1,\"rows\":[]}"));
    free(text);
    end();
}

static void test_pages(void)
{
    char *text = make_batch(0, 25, 25), request[128];
    json_int_t after = 0;
    size_t seen = 0;

    begin();
    CU_ASSERT(ok(text));
    free(text);
    for (int pages = 0; pages < 5; pages++) {
        const json_t *next;

        snprintf(request, sizeof(request),
                 "{\"do\":\"list\",\"what\":\"enrolee\",\"max\":10,\"after\":%lld}",
                 (long long)after);
        CU_ASSERT(ok(request));
        seen += json_array_size(json_object_get(reply, "rows"));
        next = json_object_get(reply, "next");
        if (next == NULL)
            break;
        CU_ASSERT(json_integer_value(next) > after);
        after = json_integer_value(next);
    }
    CU_ASSERT_EQUAL(seen, 27);
    CU_ASSERT(ok("{\"do\":\"list\",\"what\":\"enrolee\",\"enrolee\":\"" DEV "3\"}"));
    CU_ASSERT_EQUAL(json_array_size(json_object_get(reply, "rows")), 1);
    end();
}

/* ------------------------------------------------------------ the audit log */

static enum gba_err no_note(struct mef_audit *self, const struct mef_audit_event *e,
                            int64_t now_s)
{
    (void)self, (void)e, (void)now_s;
    return GBA_E_IO;
}

/* What cannot be noted is not done. */
static void test_not_noted(void)
{
    struct mef_audit broken = {.note = no_note}, *real;

    begin();
    add_device();
    make_made(DEV);
    real = w.mef.audit;
    w.mef.audit = &broken;
    for (size_t i = 0; i < 2; i++) {
        ask_noun(&nouns[i], "add", nouns[i].more, false);
        CU_ASSERT_STRING_EQUAL(member(reply, "error"), "IO");
        CU_ASSERT_EQUAL(rows(nouns[i].noun), nouns[i].before);
    }
    check_refused("{\"do\":\"revoke\"," ENROLEE "}", "IO", "");
    CU_ASSERT(json_object_get(reply, "revoked") == NULL);
    check_refused("{\"do\":\"remove\",\"what\":\"enrolee\",\"id\":\"" DEV "\"}", "IO", "");
    CU_ASSERT(rows("enrolee") == 3 && rows("key") == 1 && rows("credential") == 6);
    w.mef.audit = NULL;
    check_refused("{\"do\":\"audit\"}", "UNSUPPORTED", "audit");
    w.mef.audit = real;
    CU_ASSERT(ok("{\"do\":\"audit\"}"));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(reply, "lines")), 7);
    CU_ASSERT_EQUAL(truncate(file, 0), 0);
    check_refused("{\"do\":\"audit\"}", "ALTERED", "line 1");
    end();
}

static enum gba_err fake_rekey(void *arg, enum gba_err (*also)(void *of), void *of,
                               size_t *rows_, const char **why)
{
    *rows_ = 5;
    *why = "database";
    return *(bool *)arg ? also(of) : GBA_E_CRYPTO;
}

static void test_rekey(void)
{
    bool good = false;

    begin();
    admin.rekey = fake_rekey;
    admin.rekey_arg = &good;
    check_refused("{\"do\":\"rekey\"}", "CRYPTO", "database");
    check_log(0, "");
    good = true;
    CU_ASSERT(ok("{\"do\":\"rekey\"}"));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(reply, "keys")), 5);
    check_log(1, "\"what\":\"master_key.change\"");
    end();
}

static const struct unit_test tests[] = {
    {"bad requests", test_bad},
    {"a device", test_device},
    {"every noun", test_nouns},
    {"what enrolees made", test_made},
    {"what the configuration says", test_configuration},
    {"revocation", test_revoke},
    {"a stakeholder", test_stakeholder},
    {"a batch", test_batch},
    {"a list in pages", test_pages},
    {"what cannot be noted is not done", test_not_noted},
    {"another master key", test_rekey},
};
UNIT_MAIN("mef_admin", tests)
