/*
 * naf/mef.c, mef_reg.c, mef_keys.c: procedures of Mmef over the real store, and every refusal
 * with its response status code.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef.h"

#include <stdio.h>
#include <string.h>

#include "common/m2m_keys.h"
#include "common/timestamp.h"
#include "naf/mef_audit.h"
#include "tests/naf/mef_world.h"
#include "tests/unit.h"

static struct mef_world w;
static struct mef mef;
static struct mef_client one, two, cse, maf, nobody;
static struct mef_answer a;
static uint8_t random_octets[16];
static char location[M2M_TO_SIZE];

static void begin(void)
{
    mef_world_begin(&w);
    mef = w.mef;
    one = (struct mef_client){
        .id = WORLD_ENROLEE, .is_enrolee = true, .expires_s = WORLD_T0 + 3000};
    memset(one.bootstrap, 0xb0, sizeof(one.bootstrap));
    memset(one.connection, 0xc0, sizeof(one.connection));
    two = (struct mef_client){
        .id = WORLD_OTHER, .is_enrolee = true, .expires_s = WORLD_T0 + 3000};
    cse = mef_world_target(&w, WORLD_FQDN);
    maf = mef_world_target(&w, WORLD_MAF);
    random_octets[0]++;
}

/* One request of c; the answer is in a. */
static unsigned ask_at(const struct mef_client *c, enum m2m_op op, const char *to, unsigned ty,
                       const char *json, const char *fr, int64_t now_s)
{
    struct m2m_request rq = {.op = op,
                             .ty = ty,
                             .rcn = M2M_RCN_DEFAULT,
                             .format = M2M_JSON,
                             .answer_in = M2M_JSON,
                             .rqi = "1"};

    gba_text_copy(rq.to, sizeof(rq.to), gba_text(to));
    gba_text_copy(rq.fr, sizeof(rq.fr), gba_text(fr));
    rq.pc = gba_text_bytes(gba_text(json));
    random_octets[1]++;
    mef_request(&mef, c, &rq, now_s, random_octets, &a);
    memcpy(location, a.rs.location, sizeof(location));
    return a.rs.rsc;
}

static unsigned ask(const struct mef_client *c, enum m2m_op op, const char *to, unsigned ty,
                    const char *json)
{
    return ask_at(c, op, to, ty, json, c->id, WORLD_T0);
}

static bool says(const char *text)
{
    return memmem(a.rs.pc.p, a.rs.pc.n, text, strlen(text)) != NULL;
}

#define REG  4
#define KEY  5
#define ET   "\"et\":\"20260101T010000\"" /* T0 + 3600 */
#define SOON "\"et\":\"20260101T000100\"" /* T0 + 60 */
#define LATE "\"et\":\"20260201T000000\""

static const char reg_json[] =
    "{\"sec:mefcr\":{" ET ",\"adfq\":\"Admin.example\",\"lbl\":[\"a\"]}}";
static const char key_json[] = "{\"sec:skr\":{" ET ",\"adfq\":\"admin.example\",\"suid\":22,"
                               "\"tgis\":[\"" WORLD_CSE "\"]}}";
static const char given_json[] =
    "{\"sec:skr\":{" ET ",\"adfq\":\"admin.example\",\"suid\":22,\"tgis\":[\"" WORLD_CSE "\"],"
    "\"kv\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}}";

static void test_registration(void)
{
    char ri[M2M_TO_SIZE];
    struct mef_ke ke;

    begin();
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    CU_ASSERT(says("\"adfq\":\"admin.example\"") && says("\"cr\":\"" WORLD_ENROLEE "\""));
    CU_ASSERT(says("\"et\":\"20260101T010000\"") && says("\"lbl\":[\"a\"]"));
    CU_ASSERT_EQUAL(strncmp(location, "//mef.example/-/r", 17), 0);
    strcpy(ri, location);
    /* 8.3.2.1 step 4: KeID = hex(first 16 octets)@MEF, Ke = the other 32 */
    CU_ASSERT_EQUAL(
        w.store->get_ke(w.store, "B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0@mef.example", &ke), GBA_OK);
    CU_ASSERT_EQUAL(ke.ke.octets[31], 0xb0);
    CU_ASSERT_STRING_EQUAL(ke.enrolee, WORLD_ENROLEE);
    CU_ASSERT_EQUAL(ke.expires_s, WORLD_T0 + 3000); /* not beyond the key under it */

    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, ri, 0, ""), M2M_RSC_OK);
    CU_ASSERT(says("\"lbl\":[\"a\"]"));
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_UPDATE, ri, 0, "{\"sec:mefcr\":{\"lbl\":null}}"),
                    M2M_RSC_UPDATED);
    CU_ASSERT(!says("lbl") && !says("\"et\""));
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_UPDATE, ri, 0, "{\"sec:mefcr\":{" LATE "}}"),
                    M2M_RSC_UPDATED);
    CU_ASSERT(says("\"et\":\"20260101T024640\"")); /* cut to registration_life */
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, ri, 0, ""), M2M_RSC_OK);
    CU_ASSERT(!says("lbl"));
    mef_world_reopen(&w);
    mef = w.mef;
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, ri, 0, ""), M2M_RSC_OK);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_DELETE, ri, 0, ""), M2M_RSC_DELETED);
    CU_ASSERT_EQUAL(a.rs.pc.n, 0);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, ri, 0, ""), M2M_RSC_NOT_FOUND);
    CU_ASSERT_EQUAL(
        w.store->get_ke(w.store, "B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0@mef.example", &ke),
        GBA_E_NOT_FOUND);
    mef_world_end(&w);
}

/* 10.3.5: what a session exports is registered once, also when that key is deleted: whoever was
 * its target has it. */
static void test_one_key_a_session(void)
{
    char first[M2M_TO_SIZE];
    bool spent = false;

    begin();
    one.spent = &spent;
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, key_json), M2M_RSC_NOT_FOUND);
    CU_ASSERT(!spent); /* nothing was registered */
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, given_json), M2M_RSC_CREATED);
    CU_ASSERT(!spent); /* a key of the client's own */
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, key_json), M2M_RSC_CREATED);
    CU_ASSERT(spent);
    strcpy(first, location);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_DELETE, first, 0, ""), M2M_RSC_DELETED);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, key_json), M2M_RSC_CONFLICT);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, given_json), M2M_RSC_CREATED);
    mef_world_end(&w);
}

/* One registration a stakeholder; a new handshake's Ke is kept all the same. */
static void test_registered_already(void)
{
    char first[M2M_TO_SIZE];
    struct mef_ke ke;

    begin();
    ask(&one, M2M_OP_CREATE, "-/", REG, reg_json);
    strcpy(first, location);
    memset(one.bootstrap, 0xb1, sizeof(one.bootstrap));
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json),
                    M2M_RSC_ORIGINATOR_HAS_ALREADY_REGISTERED);
    CU_ASSERT_STRING_EQUAL(location, first);
    CU_ASSERT_EQUAL(
        w.store->get_ke(w.store, "B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1@mef.example", &ke), GBA_OK);
    CU_ASSERT_EQUAL(ask_at(&one, M2M_OP_CREATE, "-/", REG,
                           "{\"sec:mefcr\":{" LATE ",\"adfq\":\"admin.example\"}}",
                           WORLD_ENROLEE, WORLD_T0 + 3600),
                    M2M_RSC_CREATED); /* the first has expired */
    mef_world_end(&w);
}

static void test_keys(void)
{
    char exported[M2M_TO_SIZE], given[M2M_TO_SIZE], lower[M2M_TO_SIZE];

    begin();
    ask(&one, M2M_OP_CREATE, "-/", REG, reg_json);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, key_json), M2M_RSC_CREATED);
    CU_ASSERT(says("\"rki\":\"C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0\"") && !says("\"kv\""));
    CU_ASSERT(says("\"tgis\":[\"" WORLD_CSE "\"]"));
    CU_ASSERT(says("\"et\":\"20260101T005000\"")); /* the session's key ends at T0 + 3000 */
    strcpy(exported, location);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, key_json), M2M_RSC_CONFLICT);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, given_json), M2M_RSC_CREATED);
    strcpy(given, location);

    CU_ASSERT_EQUAL(ask(&cse, M2M_OP_RETRIEVE, exported, 0, ""), M2M_RSC_OK);
    CU_ASSERT(says("\"kv\":\"wMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMA=\""));
    CU_ASSERT(says("\"cr\":\"" WORLD_ENROLEE "\""));
    CU_ASSERT_EQUAL(ask(&cse, M2M_OP_RETRIEVE, given, 0, ""), M2M_RSC_OK);
    CU_ASSERT(says("\"kv\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\""));
    strcpy(lower, exported);
    for (char *p = lower + 16; *p != '\0'; p++)
        if (*p == 'C')
            *p = 'c';
    CU_ASSERT_EQUAL(ask(&cse, M2M_OP_RETRIEVE, lower, 0, ""), M2M_RSC_OK);

    CU_ASSERT_EQUAL(ask(&maf, M2M_OP_RETRIEVE, exported, 0, ""),
                    M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    CU_ASSERT_EQUAL(a.rs.pc.n > 0 && says("kv"), false);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, exported, 0, ""),
                    M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    CU_ASSERT_EQUAL(ask(&two, M2M_OP_UPDATE, given, 0, "{\"sec:skr\":{\"lbl\":[\"x\"]}}"),
                    M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    CU_ASSERT_EQUAL(ask(&two, M2M_OP_DELETE, given, 0, ""),
                    M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_UPDATE, given, 0, "{\"sec:skr\":{\"lbl\":[\"x\"]}}"),
                    M2M_RSC_UPDATED);
    CU_ASSERT(says("\"lbl\":[\"x\"]") && !says("tgis"));
    /* not past the end of the credential that asks; what has more keeps it */
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_UPDATE, exported, 0, "{\"sec:skr\":{" ET "}}"),
                    M2M_RSC_UPDATED);
    CU_ASSERT(says("\"et\":\"20260101T005000\""));
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_UPDATE, given, 0, "{\"sec:skr\":{" ET "}}"),
                    M2M_RSC_UPDATED);
    CU_ASSERT(says("\"et\":\"20260101T010000\""));
    CU_ASSERT_EQUAL(ask_at(&cse, M2M_OP_RETRIEVE, exported, 0, "", WORLD_CSE, WORLD_T0 + 3000),
                    M2M_RSC_NOT_FOUND); /* expired */
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_DELETE, given, 0, ""), M2M_RSC_DELETED);
    CU_ASSERT_EQUAL(ask(&cse, M2M_OP_RETRIEVE, given, 0, ""), M2M_RSC_NOT_FOUND);
    mef_world_end(&w);
}

/* A registration that is cut short takes its keys along; one of another stakeholder does not.
 */
static void test_keys_end_with_registration(void)
{
    char reg[M2M_TO_SIZE], other[M2M_TO_SIZE], key[M2M_TO_SIZE];

    begin();
    ask(&one, M2M_OP_CREATE, "-/", REG, reg_json);
    strcpy(reg, location);
    ask(&one, M2M_OP_CREATE, "-/", REG, "{\"sec:mefcr\":{" ET ",\"adfq\":\"b.example\"}}");
    strcpy(other, location);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, given_json), M2M_RSC_CREATED);
    strcpy(key, location);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_UPDATE, other, 0, "{\"sec:mefcr\":{" SOON "}}"),
                    M2M_RSC_UPDATED);
    CU_ASSERT_EQUAL(ask_at(&cse, M2M_OP_RETRIEVE, key, 0, "", WORLD_CSE, WORLD_T0 + 60),
                    M2M_RSC_OK);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_UPDATE, reg, 0, "{\"sec:mefcr\":{" SOON "}}"),
                    M2M_RSC_UPDATED);
    CU_ASSERT_EQUAL(ask(&cse, M2M_OP_RETRIEVE, key, 0, ""), M2M_RSC_OK);
    CU_ASSERT(says("\"et\":\"20260101T000100\""));
    CU_ASSERT_EQUAL(ask_at(&cse, M2M_OP_RETRIEVE, key, 0, "", WORLD_CSE, WORLD_T0 + 60),
                    M2M_RSC_NOT_FOUND);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_UPDATE, reg, 0, "{\"sec:mefcr\":{" ET "}}"),
                    M2M_RSC_UPDATED); /* which lengthens no key */
    CU_ASSERT_EQUAL(ask(&cse, M2M_OP_RETRIEVE, key, 0, ""), M2M_RSC_OK);
    CU_ASSERT(says("\"et\":\"20260101T000100\""));
    mef_world_end(&w);
}

/* Each row in a MEF with a registration of `one`. */
static void test_refusals(void)
{
#define K(suid, targets, more)                                                                 \
    "{\"sec:skr\":{" ET ",\"adfq\":\"admin.example\",\"suid\":" suid ",\"tgis\":[" targets     \
    "]" more "}}"
#define C1 "\"" WORLD_CSE "\""
    static const struct {
        const char *what;
        const struct mef_client *c;
        enum m2m_op op;
        const char *to;
        unsigned ty;
        const char *json;
        const char *fr;
        unsigned rsc;
    } rows[] = {
        {"base", &one, M2M_OP_RETRIEVE, "-/", 0, "", WORLD_ENROLEE, M2M_RSC_OK},
        {"absolute base", &one, M2M_OP_RETRIEVE, "//MEF.example/-/", 0, "", WORLD_ENROLEE,
         M2M_RSC_OK},
        {"SP-relative originator", &one, M2M_OP_RETRIEVE, "-/", 0, "", "/cse1/Cone",
         M2M_RSC_OK},
        {"an enrolee need not say who it is", &one, M2M_OP_RETRIEVE, "-/", 0, "", "",
         M2M_RSC_OK},
        {"a target must", &cse, M2M_OP_RETRIEVE, "-/", 0, "", "", M2M_RSC_BAD_REQUEST},
        {"another originator", &one, M2M_OP_RETRIEVE, "-/", 0, "", WORLD_OTHER,
         M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE},
        {"originator of another provider", &one, M2M_OP_RETRIEVE, "-/", 0, "",
         "//evil.example/cse1/Cone", M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE},
        {"nobody", &nobody, M2M_OP_RETRIEVE, "-/", 0, "", WORLD_CSE,
         M2M_RSC_ORIGINATOR_HAS_NOT_REGISTERED},
        {"another MEF", &one, M2M_OP_RETRIEVE, "//other.example/-/", 0, "", WORLD_ENROLEE,
         M2M_RSC_NOT_FOUND},
        {"no such resource", &one, M2M_OP_RETRIEVE, "-/nosuch", 0, "", WORLD_ENROLEE,
         M2M_RSC_NOT_FOUND},
        {"too deep", &one, M2M_OP_RETRIEVE, "-/a/b/c", 0, "", WORLD_ENROLEE, M2M_RSC_NOT_FOUND},
        {"delete the base", &one, M2M_OP_DELETE, "-/", 0, "", WORLD_ENROLEE,
         M2M_RSC_OPERATION_NOT_ALLOWED},
        {"update the base", &one, M2M_OP_UPDATE, "-/", 0, "{}", WORLD_ENROLEE,
         M2M_RSC_OPERATION_NOT_ALLOWED},
        {"notify", &one, M2M_OP_NOTIFY, "-/", 0, "", WORLD_ENROLEE,
         M2M_RSC_OPERATION_NOT_ALLOWED},
        {"no type", &one, M2M_OP_CREATE, "-/", 0, reg_json, WORLD_ENROLEE, M2M_RSC_BAD_REQUEST},
        {"unknown type", &one, M2M_OP_CREATE, "-/", 999, reg_json, WORLD_ENROLEE,
         M2M_RSC_INVALID_CHILD_RESOURCE_TYPE},
        {"a type of the MAF", &one, M2M_OP_CREATE, "-/", 3, reg_json, WORLD_ENROLEE,
         M2M_RSC_INVALID_CHILD_RESOURCE_TYPE},
        {"a command", &one, M2M_OP_CREATE, "-/", 6, reg_json, WORLD_ENROLEE,
         M2M_RSC_INVALID_CHILD_RESOURCE_TYPE},
        {"no content", &one, M2M_OP_CREATE, "-/", REG, "", WORLD_ENROLEE, M2M_RSC_BAD_REQUEST},
        {"not JSON", &one, M2M_OP_CREATE, "-/", REG, "{", WORLD_ENROLEE, M2M_RSC_BAD_REQUEST},
        {"no expirationTime", &one, M2M_OP_CREATE, "-/", REG,
         "{\"sec:mefcr\":{\"adfq\":\"b.example\"}}", WORLD_ENROLEE, M2M_RSC_BAD_REQUEST},
        {"no adminFQDN", &one, M2M_OP_CREATE, "-/", REG, "{\"sec:mefcr\":{" ET "}}",
         WORLD_ENROLEE, M2M_RSC_BAD_REQUEST},
        {"expired at once", &one, M2M_OP_CREATE, "-/", REG,
         "{\"sec:mefcr\":{\"et\":\"20260101T000000\",\"adfq\":\"b.example\"}}", WORLD_ENROLEE,
         M2M_RSC_BAD_REQUEST},
        {"of another MEF", &one, M2M_OP_CREATE, "-/", REG,
         "{\"sec:mefcr\":{" ET ",\"adfq\":\"b.example\",\"fqdn\":\"x.example\"}}",
         WORLD_ENROLEE, M2M_RSC_CONTENTS_UNACCEPTABLE},
        {"creator is not for the client", &one, M2M_OP_CREATE, "-/", REG,
         "{\"sec:mefcr\":{" ET ",\"adfq\":\"b.example\",\"cr\":\"" WORLD_OTHER "\"}}",
         WORLD_ENROLEE, M2M_RSC_BAD_REQUEST},
        {"a key without registration", &two, M2M_OP_CREATE, "-/", KEY, key_json, WORLD_OTHER,
         M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE},
        {"a key of another stakeholder", &one, M2M_OP_CREATE, "-/", KEY,
         "{\"sec:skr\":{" ET ",\"adfq\":\"b.example\",\"suid\":22,\"tgis\":[" C1 "]}}",
         WORLD_ENROLEE, M2M_RSC_NOT_FOUND},
        {"a target registers no keys", &cse, M2M_OP_CREATE, "-/", KEY, key_json, WORLD_CSE,
         M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE},
        {"SUID of certificates", &one, M2M_OP_CREATE, "-/", KEY, K("42", C1, ""), WORLD_ENROLEE,
         M2M_RSC_CONTENTS_UNACCEPTABLE},
        {"SUID 31", &one, M2M_OP_CREATE, "-/", KEY, K("31", C1, ""), WORLD_ENROLEE,
         M2M_RSC_CONTENTS_UNACCEPTABLE},
        {"SUID of the MAF's target", &one, M2M_OP_CREATE, "-/", KEY, K("21", C1, ""),
         WORLD_ENROLEE, M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE},
        {"an unknown target", &one, M2M_OP_CREATE, "-/", KEY,
         K("22", "\"//sp.example/cse9\"", ""), WORLD_ENROLEE,
         M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE},
        {"a line feed in a label", &one, M2M_OP_CREATE, "-/", REG,
         "{\"sec:mefcr\":{" ET ",\"adfq\":\"b.example\",\"lbl\":[\"a\\nb\"]}}", WORLD_ENROLEE,
         M2M_RSC_BAD_REQUEST},
        {"a short key", &one, M2M_OP_CREATE, "-/", KEY, K("22", C1, ",\"kv\":\"AAEC\""),
         WORLD_ENROLEE, M2M_RSC_CONTENTS_UNACCEPTABLE},
        {"a key of another MEF", &one, M2M_OP_CREATE, "-/", KEY,
         K("22", C1, ",\"fqdn\":\"x.example\""), WORLD_ENROLEE, M2M_RSC_CONTENTS_UNACCEPTABLE},
        {"for a MAF", &one, M2M_OP_CREATE, "-/", KEY, K("21", "\"" WORLD_MAF "\"", ""),
         WORLD_ENROLEE, M2M_RSC_CREATED},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned rsc;

        begin();
        ask(&one, M2M_OP_CREATE, "-/", REG, reg_json);
        rsc = ask_at(rows[i].c, rows[i].op, rows[i].to, rows[i].ty, rows[i].json, rows[i].fr,
                     WORLD_T0);
        if (rsc != rows[i].rsc)
            printf("\n%s: %u %.*s", rows[i].what, rsc, (int)a.rs.pc.n, (const char *)a.rs.pc.p);
        CU_ASSERT_EQUAL(rsc, rows[i].rsc);
        CU_ASSERT_STRING_EQUAL(a.rs.rqi, "1");
        mef_world_end(&w);
    }
}

static void test_targets_count(void)
{
    begin();
    ask(&one, M2M_OP_CREATE, "-/", REG, reg_json);
    CU_ASSERT_NOT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, K("22", C1 "," C1, "")),
                        M2M_RSC_CREATED);
    CU_ASSERT_NOT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY,
                            "{\"sec:skr\":{" ET ",\"adfq\":\"admin.example\",\"suid\":22}}"),
                        M2M_RSC_CREATED);
    mef_world_end(&w);
}

/* Others neither see nor touch a registration. */
static void test_of_another(void)
{
    static const enum m2m_op ops[] = {M2M_OP_RETRIEVE, M2M_OP_UPDATE, M2M_OP_DELETE};
    char ri[M2M_TO_SIZE], cmd[M2M_TO_SIZE + 8];

    begin();
    ask(&one, M2M_OP_CREATE, "-/", REG, reg_json);
    strcpy(ri, location);
    snprintf(cmd, sizeof(cmd), "%s/cmd", ri);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(ask(&two, ops[i], ri, 0, "{\"sec:mefcr\":{" ET "}}"),
                        M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
        CU_ASSERT_EQUAL(ask(&cse, ops[i], ri, 0, ""), M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
        CU_ASSERT_EQUAL(ask(&two, ops[i], cmd, 0, ""), M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    }
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, ri, 0, ""), M2M_RSC_OK);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, ri, KEY, key_json), M2M_RSC_OPERATION_NOT_ALLOWED);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_DELETE, cmd, 0, ""), M2M_RSC_OPERATION_NOT_ALLOWED);
    mef_world_end(&w);
}

static void test_command(void)
{
    char cmd[M2M_TO_SIZE + 8];

    begin();
    ask(&one, M2M_OP_CREATE, "-/", REG, reg_json);
    snprintf(cmd, sizeof(cmd), "%s/cmd", location);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, cmd, 0, ""), M2M_RSC_OK);
    CU_ASSERT(says("\"cci\":0") && says("\"cmsc\":10") && says("\"rdu\":"));
    CU_ASSERT_EQUAL(
        ask(&one, M2M_OP_UPDATE, cmd, 0, "{\"sec:mefcc\":{\"cmdi\":\"77\",\"cmsc\":20}}"),
        M2M_RSC_UPDATED);
    CU_ASSERT(says("\"cci\":0")); /* the next command is the answer */
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_UPDATE, cmd, 0, "{\"sec:mefcc\":{\"cmsc\":20}}"),
                    M2M_RSC_BAD_REQUEST);
    mef_world_end(&w);
}

static void test_limits(void)
{
    char json[256];

    begin();
    for (int i = 0; i < 4; i++) {
        snprintf(json, sizeof(json), "{\"sec:mefcr\":{" ET ",\"adfq\":\"a%d.example\"}}", i);
        CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, json),
                        i < 3 ? M2M_RSC_CREATED : M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    }
    mef_world_end(&w);
    begin();
    ask(&one, M2M_OP_CREATE, "-/", REG, reg_json);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, given_json),
                        i < 3 ? M2M_RSC_CREATED : M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    mef_world_end(&w);
}

/* An entity that is an enrolee and a target (an MN-CSE) may come with its certificate to change
 * a key it made as an enrolee; a target without such a row may not. */
static void test_own_target(void)
{
    struct mef_client both;
    char key[M2M_TO_SIZE];

    begin();
    ask(&one, M2M_OP_CREATE, "-/", REG, reg_json);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, key_json), M2M_RSC_CREATED);
    strcpy(key, location);
    both = cse;
    strcpy(both.id, WORLD_ENROLEE);
    CU_ASSERT_EQUAL(
        ask(&both, M2M_OP_UPDATE, key, 0, "{\"sec:skr\":{\"tgis\":[\"" WORLD_CSE "\"]}}"),
        M2M_RSC_UPDATED);
    CU_ASSERT_EQUAL(
        ask(&both, M2M_OP_UPDATE, key, 0, "{\"sec:skr\":{\"tgis\":[\"//sp.example/c9\"]}}"),
        M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    mef_world_end(&w);
}

/* ------------------------------------------------------------ what allowed a key goes */

static const struct mef_row right = {
    .noun = MEF_INSTRUCTION,
    .u.instruction = {.enrolee = WORLD_OTHER, .target = WORLD_CSE, .suids = (uint64_t)1 << 22}};

static void allow(unsigned suid, int64_t expires_s)
{
    struct mef_instruction row = right.u.instruction;

    row.suids = (uint64_t)1 << suid;
    row.expires_s = expires_s;
    CU_ASSERT_EQUAL(w.registry->add_instruction(w.registry, &row, MEF_OF_ADMIN), GBA_OK);
}

static void forbid(void)
{
    CU_ASSERT_EQUAL(w.registry->remove(w.registry, &right), GBA_OK);
}

static void check_not_given(const char *key, int64_t now_s)
{
    CU_ASSERT_EQUAL(ask_at(&cse, M2M_OP_RETRIEVE, key, 0, "", WORLD_CSE, now_s),
                    M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    CU_ASSERT(says("not allowed any more") && !says("\"kv\""));
}

/* A key that was registered under an instruction is the target's as long as that allows it. */
static void test_right_removed(void)
{
    char key[M2M_TO_SIZE];

    begin();
    allow(22, 0);
    ask(&two, M2M_OP_CREATE, "-/", REG, reg_json);
    CU_ASSERT_EQUAL(ask(&two, M2M_OP_CREATE, "-/", KEY, given_json), M2M_RSC_CREATED);
    strcpy(key, location);
    CU_ASSERT_EQUAL(ask(&cse, M2M_OP_RETRIEVE, key, 0, ""), M2M_RSC_OK);
    forbid();
    check_not_given(key, WORLD_T0);
    allow(23, 0); /* another SUID's */
    check_not_given(key, WORLD_T0);
    forbid();
    allow(22, WORLD_T0 + 10);
    CU_ASSERT_EQUAL(ask_at(&cse, M2M_OP_RETRIEVE, key, 0, "", WORLD_CSE, WORLD_T0 + 9),
                    M2M_RSC_OK);
    check_not_given(key, WORLD_T0 + 10);
    /* its source has it still, and may take it back */
    CU_ASSERT_EQUAL(ask_at(&two, M2M_OP_DELETE, key, 0, "", WORLD_OTHER, WORLD_T0 + 10),
                    M2M_RSC_DELETED);
    mef_world_end(&w);
}

/* The target's row goes while its session is open. */
static void test_target_removed(void)
{
    const struct mef_enrolee stays = {.id = WORLD_ENROLEE};
    char key[M2M_TO_SIZE];

    begin();
    ask(&one, M2M_OP_CREATE, "-/", REG, reg_json);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, given_json), M2M_RSC_CREATED);
    strcpy(key, location);
    CU_ASSERT_EQUAL(w.registry->begin_config(w.registry), GBA_OK); /* without a target */
    CU_ASSERT_EQUAL(w.registry->add_enrolee(w.registry, &stays, MEF_OF_CONFIG), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->end_config(w.registry, GBA_OK), GBA_OK);
    check_not_given(key, WORLD_T0);
    mef_world_end(&w);
}

/* ------------------------------------------------------------ the audit log */

static char events[1024];
static const char *note_fails; /* what cannot be noted */

static enum gba_err fake_note(struct mef_audit *self, const struct mef_audit_event *e,
                              int64_t now_s)
{
    size_t n = strlen(events);

    (void)self;
    CU_ASSERT_EQUAL(now_s, WORLD_T0);
    snprintf(events + n, sizeof(events) - n, "%s %s of %s;", e->who, e->what, e->whom);
    return note_fails != NULL && strcmp(e->what, note_fails) == 0 ? GBA_E_IO : GBA_OK;
}

/* What is done is noted, and what cannot be noted is not done: no key is given out. */
static void test_noted(void)
{
    static struct mef_audit audit = {.note = fake_note};
    char key[M2M_TO_SIZE];

    begin();
    mef.audit = &audit;
    events[0] = '\0';
    note_fails = "enrolment.keep";
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json),
                    M2M_RSC_INTERNAL_SERVER_ERROR);
    note_fails = "registration.create";
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json),
                    M2M_RSC_INTERNAL_SERVER_ERROR);
    CU_ASSERT_STRING_EQUAL(location, "");
    note_fails = NULL;
    events[0] = '\0';
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    CU_ASSERT_STRING_EQUAL(events,
                           WORLD_ENROLEE " enrolment.keep of " WORLD_ENROLEE ";" WORLD_ENROLEE
                                         " registration.create of " WORLD_ENROLEE ";");
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, given_json), M2M_RSC_CREATED);
    strcpy(key, location);
    events[0] = '\0';
    CU_ASSERT_EQUAL(ask(&cse, M2M_OP_RETRIEVE, key, 0, ""), M2M_RSC_OK);
    CU_ASSERT_STRING_EQUAL(events, WORLD_CSE " key.give of " WORLD_ENROLEE ";");
    CU_ASSERT(says("\"kv\""));
    note_fails = "key.give";
    CU_ASSERT_EQUAL(ask(&cse, M2M_OP_RETRIEVE, key, 0, ""), M2M_RSC_INTERNAL_SERVER_ERROR);
    CU_ASSERT(!says("kv") && !says("AAECAwQF"));
    note_fails = "key.delete";
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_DELETE, key, 0, ""), M2M_RSC_INTERNAL_SERVER_ERROR);
    note_fails = NULL;
    CU_ASSERT_EQUAL(ask(&cse, M2M_OP_RETRIEVE, key, 0, ""), M2M_RSC_OK); /* still there */
    events[0] = '\0';
    CU_ASSERT_EQUAL(ask(&maf, M2M_OP_RETRIEVE, key, 0, ""),
                    M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    CU_ASSERT_STRING_EQUAL(events, ""); /* refusals are the log's, not the audit log's */
    mef_world_end(&w);
}

static char ends[1024];

static enum gba_err note_ends(struct mef_audit *self, const struct mef_audit_event *e,
                              int64_t now_s)
{
    size_t n = strlen(ends);

    (void)self, (void)now_s;
    snprintf(ends + n, sizeof(ends) - n, "%s %s %u +%d;", e->what,
             e->target != NULL ? e->target : "", e->suid,
             e->expires_s != 0 ? (int)(e->expires_s - WORLD_T0) : -1);
    return GBA_OK;
}

static void add_target(const char *id, const char *fqdn, int64_t expires_s)
{
    static const unsigned esdata[] = {24};
    struct mef_target t = cse.target;

    strcpy(t.id, id);
    strcpy(t.fqdn, fqdn);
    t.suids = (uint64_t)1 << 24;
    CU_ASSERT_EQUAL(w.registry->add_target(w.registry, &t, MEF_OF_ADMIN), GBA_OK);
    mef_world_allow(&w, WORLD_ENROLEE, id, esdata, 1, expires_s);
}

/* For whom, for what, and until when: a line for each target. */
static void test_noted_whole(void)
{
    static struct mef_audit audit = {.note = note_ends};
    static const char two_targets[] =
        "{\"sec:skr\":{" ET ",\"adfq\":\"admin.example\",\"suid\":24,\"kv\":"
        "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
        "\"tgis\":[\"//sp.example/cse2\",\"//sp.example/cse3\"]}}";
    struct mef_client cse2;
    char key[M2M_TO_SIZE];

    begin();
    add_target("//sp.example/cse2", "cse2.sp.example", WORLD_T0 + 500);
    add_target("//sp.example/cse3", "cse3.sp.example", 0);
    cse2 = mef_world_target(&w, "cse2.sp.example");
    mef.audit = &audit;
    ends[0] = '\0';
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    CU_ASSERT_STRING_EQUAL(ends, "enrolment.keep  0 +3000;registration.create  0 +3600;");
    ends[0] = '\0';
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, two_targets), M2M_RSC_CREATED);
    CU_ASSERT_STRING_EQUAL(ends, "key.create //sp.example/cse2 24 +500;"
                                 "key.create //sp.example/cse3 24 +500;");
    strcpy(key, location);
    ends[0] = '\0';
    CU_ASSERT_EQUAL(ask(&cse2, M2M_OP_RETRIEVE, key, 0, ""), M2M_RSC_OK);
    CU_ASSERT_STRING_EQUAL(ends, "key.give  24 +500;");
    ends[0] = '\0';
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_DELETE, key, 0, ""), M2M_RSC_DELETED);
    CU_ASSERT_STRING_EQUAL(ends, "key.delete  24 +-1;");
    mef_world_end(&w);
}

static void test_stakeholders(void)
{
    static const char longer[] = "{\"sec:mefcr\":{\"et\":\"20270101T000000\"}}";
    char reg[M2M_TO_SIZE];

    begin();
    ask(&two, M2M_OP_CREATE, "-/", REG, reg_json); /* while there is none */
    strcpy(reg, location);
    CU_ASSERT_EQUAL(ask(&two, M2M_OP_UPDATE, reg, 0, longer), M2M_RSC_UPDATED);
    w.registry->add_stakeholder(w.registry, "other.example", MEF_OF_ADMIN);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json),
                    M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    CU_ASSERT_EQUAL(ask(&two, M2M_OP_UPDATE, reg, 0, longer),
                    M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE); /* it ends, no later than it would */
    CU_ASSERT_EQUAL(ask(&two, M2M_OP_RETRIEVE, reg, 0, ""), M2M_RSC_OK);
    w.registry->add_stakeholder(w.registry, "admin.example", MEF_OF_ADMIN);
    CU_ASSERT_EQUAL(ask(&two, M2M_OP_UPDATE, reg, 0, longer), M2M_RSC_UPDATED);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    mef_world_end(&w);
}

static const struct unit_test tests[] = {
    {"an enrolee that is a target too", test_own_target},
    {"client registration", test_registration},
    {"one key a session", test_one_key_a_session},
    {"registered already", test_registered_already},
    {"key registration and retrieval", test_keys},
    {"keys end with their registration", test_keys_end_with_registration},
    {"refusals by table", test_refusals},
    {"number of targets", test_targets_count},
    {"what belongs to another", test_of_another},
    {"commands: there are none", test_command},
    {"limits", test_limits},
    {"what allowed a key is gone", test_right_removed},
    {"its target is gone", test_target_removed},
    {"what is done is noted", test_noted},
    {"with targets and ends", test_noted_whole},
    {"stakeholders", test_stakeholders},
};
UNIT_MAIN("mef", tests)
