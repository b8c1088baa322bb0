/*
 * The MAF's role of naf/mef*.c, and maf_km.c: Mmaf over the real store (TS-0003 8.8.2).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "common/m2m_keys.h"
#include "naf/mef.h"
#include "tests/naf/mef_world.h"
#include "tests/unit.h"

#define KE_ID "404142434445464748494A4B4C4D4E4F@mef.example"
#define ET    "\"et\":\"20260101T010000\"" /* T0 + 3600 */
#define UNTIL (WORLD_T0 + 2000)
#define REG   3
#define KEY   5

static struct mef_world w;
static struct mef_client one, cse;
static struct mef_answer a;
static uint8_t random_octets[16];
static char location[M2M_TO_SIZE];
static const struct gba_key km = {{1, 2, 3}};

static const char reg_json[] = "{\"sec:mafcr\":{" ET ",\"adfq\":\"admin.example\"}}";
static const char key_json[] = "{\"sec:skr\":{" ET ",\"adfq\":\"admin.example\",\"suid\":32,"
                               "\"tgis\":[\"" WORLD_CSE "\"]}}";

static void begin(void)
{
    static const unsigned suids[] = {32};
    static const uint8_t ua[] = {1, 0, 1, 0, 0xae};
    struct mef_registry *g;
    struct mef_target t;
    uint64_t bit;

    mef_world_begin(&w);
    g = w.registry;
    strcpy(w.policy.fqdn, WORLD_MAF);
    w.policy.role = MEF_ROLE_MAF;
    mef_suid_bit(32, &bit);
    CU_ASSERT_EQUAL_FATAL(g->begin_config(g),
                          GBA_OK); /* instead of the rows of the MEF's world */
    CU_ASSERT_EQUAL_FATAL(
        mef_target_make(&w.policy, GBA_TEXT(WORLD_CSE), NULL, ua, bit, MEF_USAGE_KEY, &t),
        GBA_OK);
    CU_ASSERT_EQUAL_FATAL(g->add_target(g, &t, MEF_OF_CONFIG), GBA_OK);
    mef_world_enrolee(&w, WORLD_IMPI, WORLD_ENROLEE);
    mef_world_enrolee(&w, "two@example", WORLD_OTHER);
    mef_world_allow(&w, WORLD_ENROLEE, WORLD_CSE, suids, 1, 0);
    CU_ASSERT_EQUAL_FATAL(g->end_config(g, GBA_OK), GBA_OK);
    memset(&one, 0, sizeof(one));
    strcpy(one.id, WORLD_ENROLEE);
    one.is_enrolee = true;
    one.expires_s = UNTIL;
    memset(one.connection, 0xc0, sizeof(one.connection));
    cse = mef_world_target(&w, WORLD_FQDN);
    random_octets[0]++;
}

static unsigned ask(const struct mef_client *c, enum m2m_op op, const char *to, unsigned ty,
                    const char *json)
{
    struct m2m_request rq = {.op = op,
                             .ty = ty,
                             .rcn = M2M_RCN_DEFAULT,
                             .format = M2M_JSON,
                             .answer_in = M2M_JSON,
                             .rqi = "1"};

    gba_text_copy(rq.to, sizeof(rq.to), gba_text(to));
    gba_text_copy(rq.fr, sizeof(rq.fr), gba_text(c->id));
    rq.pc = gba_text_bytes(gba_text(json));
    random_octets[1]++;
    mef_request(&w.mef, c, &rq, WORLD_T0, random_octets, &a);
    memcpy(location, a.rs.location, sizeof(location));
    return a.rs.rsc;
}

static bool says(const char *text)
{
    return memmem(a.rs.pc.p, a.rs.pc.n, text, strlen(text)) != NULL;
}

/* The name after "aski". */
static void assigned(char out[static MEF_CRED_NAME_SIZE])
{
    static const char member[] = "\"aski\":\"";
    const char *p = memmem(a.rs.pc.p, a.rs.pc.n, member, strlen(member));
    size_t n = 0;

    out[0] = '\0';
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    for (p += strlen(member); p[n] != '"'; n++)
        ;
    CU_ASSERT_EQUAL(gba_text_copy(out, MEF_CRED_NAME_SIZE, (struct gba_text){p, n}), GBA_OK);
}

static enum gba_err find(const char *name, struct mef_credential *out)
{
    return w.registry->credential(w.registry, MEF_CRED_PSK, name, out);
}

static enum gba_err learn(const char *key_id, const char *enrolee)
{
    return mef_learn_km(&w.mef, "mef.example", gba_text(key_id), gba_text(enrolee), &km,
                        WORLD_T0, UNTIL);
}

static enum gba_err find_reg(struct mef_reg *out)
{
    return w.store->find_reg(w.store, WORLD_ENROLEE, "admin.example", out);
}

static enum gba_err count_one(void *arg, const struct mef_row *row)
{
    size_t *n = arg;

    *n += row->origin == MEF_OF_PROCEDURE && row->u.credential.kind == MEF_CRED_PSK;
    return GBA_OK;
}

static size_t count_kms(void)
{
    size_t n = 0;

    CU_ASSERT_EQUAL(w.registry->list(w.registry, MEF_CREDENTIAL, NULL, 0, 1000, count_one, &n),
                    GBA_OK);
    return n;
}

/* ------------------------------------------------------------ the role */

static void test_base(void)
{
    begin();
    CU_ASSERT_EQUAL(ask(&cse, M2M_OP_RETRIEVE, "-/", 0, ""), M2M_RSC_OK);
    CU_ASSERT(says("sec:mafb") && says(WORLD_MAF));
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    CU_ASSERT(says("sec:mafcr"));
    CU_ASSERT(!says("aski")); /* a Km with a name of its own */
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", 4, "{\"sec:mefcr\":{" ET "}}"),
                    M2M_RSC_INVALID_CHILD_RESOURCE_TYPE);
    mef_world_end(&w);
}

/* What only an MEF has. */
static void test_no_commands(void)
{
    char cmd[M2M_TO_SIZE + 8];

    begin();
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    snprintf(cmd, sizeof(cmd), "%s/cmd", location);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, cmd, 0, ""), M2M_RSC_NOT_FOUND);
    mef_world_end(&w);
}

/* 8.8.2.7, 8.8.2.8: Kc is what the session exports, for the target alone. */
static void test_keys(void)
{
    char key_id[M2M_KEY_ID_SIZE], base64[64];
    struct gba_wbuf b;
    struct gba_key kc;

    begin();
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, key_json), M2M_RSC_NOT_FOUND);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, key_json), M2M_RSC_CREATED);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, location, 0, ""),
                    M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, key_json), M2M_RSC_CONFLICT);
    CU_ASSERT_EQUAL(m2m_export_split(one.connection, GBA_TEXT(WORLD_MAF), key_id, &kc), GBA_OK);
    gba_wbuf_init(&b, base64, sizeof(base64));
    gba_wbuf_base64(&b, (struct gba_bytes){kc.octets, sizeof(kc.octets)});
    gba_wbuf_cstr(&b);
    snprintf(location, sizeof(location), "//%s/-/%.32s", WORLD_MAF, key_id);
    CU_ASSERT_EQUAL(ask(&cse, M2M_OP_RETRIEVE, location, 0, ""), M2M_RSC_OK);
    CU_ASSERT(says(base64) && says("\"suid\":32") && says("\"cr\":\"" WORLD_ENROLEE));
    mef_world_end(&w);
}

/* Kc is the target's as long as an instruction says so. */
static void test_right_removed(void)
{
    static const struct mef_row right = {.noun = MEF_INSTRUCTION,
                                         .u.instruction = {.enrolee = WORLD_OTHER,
                                                           .target = WORLD_CSE,
                                                           .suids = (uint64_t)1 << 32}};
    struct mef_registry *g;
    char key[M2M_TO_SIZE];

    begin();
    g = w.registry;
    strcpy(one.id, WORLD_OTHER);
    CU_ASSERT_EQUAL(g->add_instruction(g, &right.u.instruction, MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, key_json), M2M_RSC_CREATED);
    strcpy(key, location);
    CU_ASSERT_EQUAL(ask(&cse, M2M_OP_RETRIEVE, key, 0, ""), M2M_RSC_OK);
    CU_ASSERT_EQUAL(g->remove(g, &right), GBA_OK);
    CU_ASSERT_EQUAL(ask(&cse, M2M_OP_RETRIEVE, key, 0, ""),
                    M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    CU_ASSERT(!says("\"kv\""));
    mef_world_end(&w);
}

/* SUIDs 32-35 are a MAF's; one target for 32 (TS-0004 6.3.4.2.39). */
static void test_suids(void)
{
    static const struct {
        unsigned suid;
        unsigned rsc;
    } rows[] = {{21, M2M_RSC_CONTENTS_UNACCEPTABLE},
                {22, M2M_RSC_CONTENTS_UNACCEPTABLE},
                {31, M2M_RSC_CONTENTS_UNACCEPTABLE},
                {42, M2M_RSC_CONTENTS_UNACCEPTABLE},
                {33, M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE}};
    char json[512];

    begin();
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(json, sizeof(json),
                 "{\"sec:skr\":{" ET
                 ",\"adfq\":\"admin.example\",\"suid\":%u,\"tgis\":[\"%s\"]}}",
                 rows[i].suid, WORLD_CSE);
        CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", KEY, json), rows[i].rsc);
    }
    mef_world_end(&w);
}

/* ------------------------------------------------------------ a Km that came from an MEF */

static void test_learned(void)
{
    struct mef_client c = {.is_enrolee = false};
    struct mef_credential row;

    begin();
    CU_ASSERT_EQUAL(learn(KE_ID, WORLD_ENROLEE), GBA_OK);
    CU_ASSERT_EQUAL(learn(KE_ID, WORLD_ENROLEE), GBA_OK); /* once more is no harm */
    CU_ASSERT_EQUAL(learn(KE_ID, WORLD_OTHER), GBA_E_EXISTS);
    CU_ASSERT_EQUAL(
        learn("414142434445464748494A4B4C4D4E4F@mef.example", "//sp.example/Snobody"),
        GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(learn("a b", WORLD_ENROLEE), GBA_E_SYNTAX);
    for (int64_t until_s = 0; until_s <= WORLD_T0; until_s += WORLD_T0) /* 0: not for ever */
        CU_ASSERT_EQUAL(mef_learn_km(&w.mef, "mef.example", GBA_TEXT(KE_ID),
                                     GBA_TEXT(WORLD_ENROLEE), &km, WORLD_T0, until_s),
                        GBA_E_EXPIRED);
    CU_ASSERT_EQUAL(find(KE_ID, &row), GBA_OK);
    CU_ASSERT_EQUAL(row.expires_s, UNTIL);
    CU_ASSERT(row.key_len == 32 && gba_equal_ct(row.key, km.octets, 32));
    CU_ASSERT_EQUAL(
        mef_know_enrolee(&w.mef, MEF_CRED_PSK, GBA_TEXT(KE_ID), WORLD_T0, INT64_MAX, &c),
        GBA_OK);
    CU_ASSERT(c.is_enrolee && strcmp(c.id, WORLD_ENROLEE) == 0);
    CU_ASSERT_STRING_EQUAL(c.key_id, KE_ID);
    CU_ASSERT_EQUAL(c.expires_s, UNTIL);
    mef_world_end(&w);
}

/* 8.8.2.3: the registration names it, and it can be used under that name until it ends. */
static void test_named(void)
{
    char name[MEF_CRED_NAME_SIZE], again[MEF_CRED_NAME_SIZE], reg[M2M_TO_SIZE];
    struct mef_credential row;
    size_t n;

    begin();
    CU_ASSERT_EQUAL(learn(KE_ID, WORLD_ENROLEE), GBA_OK);
    strcpy(one.key_id, KE_ID);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    memcpy(reg, location, sizeof(reg));
    assigned(name);
    CU_ASSERT_STRING_EQUAL(strchr(name, '@'), "@" WORLD_MAF);
    CU_ASSERT_EQUAL(find(name, &row), GBA_OK);
    CU_ASSERT_EQUAL(row.expires_s, UNTIL);
    CU_ASSERT_STRING_EQUAL(row.enrolee, WORLD_ENROLEE);
    CU_ASSERT(row.key_len == 32 && gba_equal_ct(row.key, km.octets, 32));
    strcpy(one.key_id, name); /* and in a session of that name nothing is named anew */
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_RETRIEVE, reg, 0, ""), M2M_RSC_OK);
    assigned(again);
    CU_ASSERT_STRING_EQUAL(again, name);
    CU_ASSERT_EQUAL(w.store->sweep(w.store, UNTIL - 1, NULL, &n), GBA_OK);
    CU_ASSERT_EQUAL(find(name, &row), GBA_OK);
    CU_ASSERT_EQUAL(w.store->sweep(w.store, UNTIL, NULL, &n), GBA_OK);
    CU_ASSERT_EQUAL(find(name, &row), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(find(KE_ID, &row), GBA_E_NOT_FOUND);
    mef_world_end(&w);
}

/* The device enrolled anew: its registration stands, an update names the new Km. */
static void test_renamed(void)
{
    static const char other[] = "505142434445464748494A4B4C4D4E4F@mef.example";
    static const struct gba_key newer = {{9}};
    char name[MEF_CRED_NAME_SIZE], again[MEF_CRED_NAME_SIZE];
    struct mef_credential row;

    begin();
    CU_ASSERT_EQUAL(learn(KE_ID, WORLD_ENROLEE), GBA_OK);
    strcpy(one.key_id, KE_ID);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    assigned(name);
    CU_ASSERT_EQUAL(mef_learn_km(&w.mef, "mef.example", gba_text(other),
                                 GBA_TEXT(WORLD_ENROLEE), &newer, WORLD_T0, UNTIL),
                    GBA_OK);
    strcpy(one.key_id, other);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json),
                    M2M_RSC_ORIGINATOR_HAS_ALREADY_REGISTERED);
    CU_ASSERT_EQUAL(find(name, &row), GBA_OK);
    CU_ASSERT_EQUAL(row.key[0], 1);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_UPDATE, location, 0, "{\"sec:mafcr\":{" ET "}}"),
                    M2M_RSC_UPDATED);
    assigned(again);
    CU_ASSERT_STRING_EQUAL(again, name);
    CU_ASSERT_EQUAL(find(name, &row), GBA_OK);
    CU_ASSERT_EQUAL(row.key[0], 9);
    mef_world_end(&w);
}

/* A refusal leaves nothing behind: here the Km of the session was revoked meanwhile. */
static void test_nothing_of_a_refusal(void)
{
    struct mef_reg before, after;
    char *ri;
    size_t n;

    begin();
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    ri = strrchr(location, '/') + 1;
    CU_ASSERT_EQUAL(w.store->get_reg(w.store, ri, &before), GBA_OK);
    strcpy(one.key_id, KE_ID);
    CU_ASSERT_EQUAL(
        ask(&one, M2M_OP_UPDATE, location, 0, "{\"sec:mafcr\":{\"lbl\":[\"new\"]}}"),
        M2M_RSC_NOT_FOUND);
    CU_ASSERT_EQUAL(find_reg(&after), GBA_OK);
    CU_ASSERT_STRING_EQUAL(after.labels, before.labels);
    CU_ASSERT_EQUAL(w.registry->revoke(w.registry, WORLD_ENROLEE, &n), GBA_OK);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_NOT_FOUND);
    CU_ASSERT_EQUAL(find_reg(&after), GBA_E_NOT_FOUND);
    mef_world_end(&w);
}

/* 8.8.2.6, 10.7: with the registration goes the name, with the last one every Km of an MEF,
 * also where the administration removes it. */
static void test_last_registration(void)
{
    static const char more_json[] = "{\"sec:mafcr\":{" ET ",\"adfq\":\"more.example\"}}";
    struct mef_row row = {.noun = MEF_REGISTRATION};
    char first[M2M_TO_SIZE], second[M2M_TO_SIZE];
    struct mef_credential c;

    for (int by_admin = 0; by_admin < 2; by_admin++) {
        begin();
        CU_ASSERT_EQUAL(learn(KE_ID, WORLD_ENROLEE), GBA_OK);
        strcpy(one.key_id, KE_ID);
        CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
        memcpy(first, location, sizeof(first));
        CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, more_json), M2M_RSC_CREATED);
        memcpy(second, location, sizeof(second));
        CU_ASSERT_EQUAL(count_kms(), 3);
        strcpy(row.u.registration.ri, strrchr(first, '/') + 1);
        if (by_admin != 0) {
            CU_ASSERT_EQUAL(w.registry->remove(w.registry, &row), GBA_OK);
        } else {
            CU_ASSERT_EQUAL(ask(&one, M2M_OP_DELETE, first, 0, ""), M2M_RSC_DELETED);
        }
        CU_ASSERT_EQUAL(count_kms(), 2);
        CU_ASSERT_EQUAL(find(KE_ID, &c), GBA_OK);
        strcpy(row.u.registration.ri, strrchr(second, '/') + 1);
        if (by_admin != 0) {
            CU_ASSERT_EQUAL(w.registry->remove(w.registry, &row), GBA_OK);
        } else {
            CU_ASSERT_EQUAL(ask(&one, M2M_OP_DELETE, second, 0, ""), M2M_RSC_DELETED);
        }
        CU_ASSERT_EQUAL(find(KE_ID, &c), GBA_E_NOT_FOUND);
        CU_ASSERT_EQUAL(count_kms(), 0);
        mef_world_end(&w);
    }
}

/* A row that the administration has put in the place of the name is its own. */
static void test_row_of_admin(void)
{
    char name[MEF_CRED_NAME_SIZE];
    struct mef_credential c;

    begin();
    CU_ASSERT_EQUAL(learn(KE_ID, WORLD_ENROLEE), GBA_OK);
    strcpy(one.key_id, KE_ID);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    assigned(name);
    CU_ASSERT_EQUAL(find(name, &c), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->add_credential(w.registry, &c, MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_DELETE, location, 0, ""), M2M_RSC_DELETED);
    CU_ASSERT_EQUAL(find(name, &c), GBA_OK);
    CU_ASSERT_EQUAL(find(KE_ID, &c), GBA_E_NOT_FOUND);
    mef_world_end(&w);
}

static void test_stakeholder_removed(void)
{
    static const char more_json[] = "{\"sec:mafcr\":{" ET ",\"adfq\":\"more.example\"}}";
    struct mef_row row = {.noun = MEF_STAKEHOLDER};

    begin();
    CU_ASSERT_EQUAL(w.registry->add_stakeholder(w.registry, "admin.example", MEF_OF_ADMIN),
                    GBA_OK);
    CU_ASSERT_EQUAL(w.registry->add_stakeholder(w.registry, "more.example", MEF_OF_ADMIN),
                    GBA_OK);
    CU_ASSERT_EQUAL(learn(KE_ID, WORLD_ENROLEE), GBA_OK);
    strcpy(one.key_id, KE_ID);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, more_json), M2M_RSC_CREATED);
    strcpy(row.u.stakeholder, "admin.example");
    CU_ASSERT_EQUAL(w.registry->remove(w.registry, &row), GBA_OK);
    CU_ASSERT_EQUAL(count_kms(), 2);
    strcpy(row.u.stakeholder, "more.example");
    CU_ASSERT_EQUAL(w.registry->remove(w.registry, &row), GBA_OK);
    CU_ASSERT_EQUAL(count_kms(), 0);
    mef_world_end(&w);
}

/* The last ones, and the one with a name. */
static void test_many(void)
{
    char name[MEF_CRED_NAME_SIZE], key_id[64];
    struct mef_credential c;

    begin();
    CU_ASSERT_EQUAL(learn(KE_ID, WORLD_ENROLEE), GBA_OK);
    strcpy(one.key_id, KE_ID);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    assigned(name);
    CU_ASSERT_EQUAL(learn("FF42434445464748494A4B4C4D4E4F50@mef.example", WORLD_OTHER), GBA_OK);
    for (unsigned i = 0; i < 3 * MEF_KES_MAX; i++) {
        snprintf(key_id, sizeof(key_id), "%032X@mef.example", i);
        CU_ASSERT_EQUAL(learn(key_id, WORLD_ENROLEE), GBA_OK);
        CU_ASSERT_EQUAL(find(key_id, &c), GBA_OK);
    }
    CU_ASSERT_EQUAL(count_kms(), MEF_KES_MAX + 2);
    CU_ASSERT_EQUAL(find(name, &c), GBA_OK);
    CU_ASSERT_EQUAL(find("FF42434445464748494A4B4C4D4E4F50@mef.example", &c), GBA_OK);
    CU_ASSERT_EQUAL(find(KE_ID, &c), GBA_E_NOT_FOUND);
    mef_world_end(&w);
}

/* 8.8.2.6: with the registration goes the name. */
static void test_forgotten(void)
{
    char name[MEF_CRED_NAME_SIZE];
    struct mef_credential row;

    begin();
    CU_ASSERT_EQUAL(learn(KE_ID, WORLD_ENROLEE), GBA_OK);
    strcpy(one.key_id, KE_ID);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    assigned(name);
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_DELETE, location, 0, ""), M2M_RSC_DELETED);
    CU_ASSERT_EQUAL(find(name, &row), GBA_E_NOT_FOUND);
    mef_world_end(&w);
}

/* 8.3.2.3: KmID is the B-TID, and stays it. */
static void test_gba(void)
{
    begin();
    CU_ASSERT_EQUAL(learn("AAECAwQFBgcICQoLDA0ODw==@bsf.example", WORLD_ENROLEE), GBA_OK);
    strcpy(one.key_id, "AAECAwQFBgcICQoLDA0ODw==@bsf.example");
    CU_ASSERT_EQUAL(ask(&one, M2M_OP_CREATE, "-/", REG, reg_json), M2M_RSC_CREATED);
    CU_ASSERT(!says("aski"));
    mef_world_end(&w);
}

static const struct unit_test tests[] = {
    {"base and registration", test_base},
    {"no commands", test_no_commands},
    {"Kc", test_keys},
    {"what allowed Kc is gone", test_right_removed},
    {"SUIDs of a MAF", test_suids},
    {"a Km from an MEF", test_learned},
    {"it gets a name", test_named},
    {"a new Km under the old name", test_renamed},
    {"the name goes with the registration", test_forgotten},
    {"with the last one goes every Km", test_last_registration},
    {"a row of the administration stays", test_row_of_admin},
    {"with a stakeholder go its Km's", test_stakeholder_removed},
    {"not more Km's than Ke's", test_many},
    {"nothing stays of a refusal", test_nothing_of_a_refusal},
    {"a B-TID is its own name", test_gba},
};
UNIT_MAIN("maf", tests)
