/*
 * naf/mef_uss.c and what mef_rights.c makes of it: each policy, with every kind of USS, by a
 * B-TID, by a Ke and within a session.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_uss.h"

#include <stdio.h>
#include <string.h>

#include "naf/mef.h"
#include "naf/mef_fetch.h"
#include "tests/naf/mef_world.h"
#include "tests/unit.h"

#define LIST(usss)      "<ussList xmlns=\"urn:3gpp:gba:GBAGUSSSchema-R9:2010-02\">" usss "</ussList>"
#define USS(gsid, uids) "<uss id=\"" gsid "\" type=\"9\"><uids>" uids "</uids></uss>"
#define UID(uid)        "<uid>" uid "</uid>"
#define OURS(uids)      LIST(USS("1000001", uids))
#define BTID_PATH       "/fetchCredentials/AAECAwQFBgcICQoLDA0O%2Fw%3D%3D%40bsf.example/22"
#define KE_PATH         "/fetchCredentials/B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0%40mef.example/22"
#define INSTRUCTED      "three@example" /* its instruction has this target */
#define INSTRUCTED_ID   "//sp.example/cse1/Cthree"
#define UNINSTRUCTED    "two@example" /* WORLD_OTHER, which has none */

static struct mef_world w;

static struct gba_bytes bytes(const char *text)
{
    return gba_text_bytes(gba_text(text != NULL ? text : ""));
}

/* ------------------------------------------------------------ reading */

static void test_reading(void)
{
    static const struct {
        const char *xml;
        enum mef_uss_kind kind;
        const char *uids;
    } rows[] = {
        {NULL, MEF_USS_NONE, ""},
        {"<ussList><uss", MEF_USS_NONE, ""},
        {"<other/>", MEF_USS_NONE, ""},
        {LIST(""), MEF_USS_NONE, ""},
        {LIST(USS("1", UID(WORLD_FQDN))), MEF_USS_NONE, ""},
        {LIST(USS("", UID(WORLD_FQDN))), MEF_USS_NONE, ""},
        {LIST(USS("10000010", UID(WORLD_FQDN))), MEF_USS_NONE, ""},
        {"<guss>" OURS(UID(WORLD_FQDN)) "</guss>", MEF_USS_GIVEN, WORLD_FQDN "\n"},
        {OURS(""), MEF_USS_GIVEN, ""},
        {OURS(UID("CSE1.sp.Example")), MEF_USS_GIVEN, WORLD_FQDN "\n"},
        {OURS(UID("cse1.sp.example.")), MEF_USS_GIVEN, WORLD_FQDN "\n"},
        {OURS(UID("//SP.example/cse1")), MEF_USS_GIVEN, WORLD_CSE "\n"},
        {OURS(UID("//sp.example/CSE1")), MEF_USS_GIVEN, "//sp.example/CSE1\n"},
        {OURS(UID("/cse1") UID("cse1") UID("https://cse1.sp.example") UID("sip:a@b.example")
                  UID("cse1.sp.example:443") UID("*.sp.example") UID("")),
         MEF_USS_GIVEN, ""},
        {OURS(UID("/cse1") UID("a.example") UID(WORLD_CSE)), MEF_USS_GIVEN,
         "a.example\n" WORLD_CSE "\n"},
        {LIST(USS("1000001", UID("a.example")) USS("7", UID("b.example"))
                  USS("1000001", UID("c.example"))),
         MEF_USS_GIVEN, "a.example\nc.example\n"},
    };
    struct mef_uss u;

    mef_world_begin(&w);
    CU_ASSERT_EQUAL(w.policy.gsid, 1000001);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(&u, 'x', sizeof(u));
        CU_ASSERT_EQUAL(mef_uss_read(&w.policy, bytes(rows[i].xml), &u), GBA_OK);
        if (u.kind != rows[i].kind || strcmp(u.uids, rows[i].uids) != 0)
            printf("\n    row %zu: %d %s", i, (int)u.kind, u.uids);
        CU_ASSERT_EQUAL(u.kind, rows[i].kind);
        CU_ASSERT_STRING_EQUAL(u.uids, rows[i].uids);
    }
    w.policy.gsid = 7;
    CU_ASSERT_EQUAL(mef_uss_read(&w.policy, bytes(LIST(USS("7", UID("b.example")))), &u),
                    GBA_OK);
    CU_ASSERT_STRING_EQUAL(u.uids, "b.example\n");
    mef_world_end(&w);
}

/* More than there is room for: those that fit count, whole. */
static void test_no_room(void)
{
    static char xml[65536];
    struct mef_target t = {.id = "//sp.example/last", .fqdn = "last.sp.example"};
    struct mef_uss u;
    size_t n = (size_t)sprintf(xml, "<ussList><uss id=\"1000001\" type=\"1\"><uids>");

    for (int i = 0; i < 63; i++)
        n += (size_t)sprintf(xml + n, "<uid>%0*d.%063d.example</uid>", 60, i, i);
    sprintf(xml + n, "<uid>last.sp.example</uid></uids></uss></ussList>");
    mef_world_begin(&w);
    CU_ASSERT_EQUAL(mef_uss_read(&w.policy, bytes(xml), &u), GBA_OK);
    n = strlen(u.uids);
    CU_ASSERT(n < sizeof(u.uids) && n > sizeof(u.uids) - 140 && u.uids[n - 1] == '\n');
    CU_ASSERT(mef_uss_names(&u, &t)); /* a short one behind long ones still fits */
    strcpy(t.id, "//sp.example/las");
    strcpy(t.fqdn, "ast.sp.example");
    CU_ASSERT(!mef_uss_names(&u, &t));
    mef_world_end(&w);
}

/* ------------------------------------------------------------ who may */

static void begin(enum mef_enrolee_policy policy)
{
    static const unsigned saef[] = {22};

    mef_world_begin(&w);
    w.policy.enrolee_policy = policy;
    mef_world_enrolee(&w, INSTRUCTED, INSTRUCTED_ID);
    mef_world_allow(&w, INSTRUCTED_ID, WORLD_CSE, saef, 1, WORLD_T0 + 30);
}

static enum gba_err fetch(const char *path, const char *impi, const char *uss, int64_t *until_s)
{
    struct naf_key k = {.a = {.expiry_s = WORLD_T0 + 60, .uss_list = bytes(uss)}};
    struct mef_client target = mef_world_target(&w, WORLD_FQDN);
    struct mef_fetch f;
    char body[256];
    struct gba_wbuf b;
    enum gba_err err;

    mef_fetch_begin(&w.mef, &target.target, gba_text(path), GBA_TEXT(""), GBA_TEXT(WORLD_CSE),
                    WORLD_T0, &f);
    if (f.ask) {
        memset(k.a.me_key.octets, 0x77, 32);
        strcpy(k.a.impi, impi);
        mef_fetch_key(&w.mef, &f, GBA_OK, &k, WORLD_T0);
    }
    err = f.err;
    *until_s = f.expires_s;
    gba_wbuf_init(&b, body, sizeof(body));
    CU_ASSERT_EQUAL(mef_fetch_print(&f, false, &b), GBA_OK);
    CU_ASSERT_EQUAL(strstr(gba_wbuf_cstr(&b), "\"Status\":true") != NULL, err == GBA_OK);
    if (err == GBA_E_NOT_AUTHORIZED) {
        CU_ASSERT_EQUAL(gba_err_http(err), 403);
        CU_ASSERT_EQUAL(gba_err_diameter(err), 5402);
    }
    mef_fetch_end(&f);
    return err;
}

static char location[M2M_TO_SIZE];

static unsigned ask(const struct mef_client *c, enum m2m_op op, const char *to, unsigned ty,
                    const char *json, int64_t now_s)
{
    static struct mef_answer a;
    static uint8_t random[16];
    struct m2m_request rq = {.op = op,
                             .ty = ty,
                             .rcn = M2M_RCN_DEFAULT,
                             .format = M2M_JSON,
                             .answer_in = M2M_JSON,
                             .rqi = "1"};
    unsigned rsc;

    strcpy(rq.to, to);
    strcpy(rq.fr, c->id);
    rq.pc = gba_text_bytes(gba_text(json));
    random[0]++;
    mef_request(&w.mef, c, &rq, now_s, random, &a);
    rsc = a.rs.rsc;
    memcpy(location, a.rs.location, sizeof(location));
    if (rsc == M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE)
        CU_ASSERT_PTR_NOT_NULL(a.problem.why);
    mef_answer_wipe(&a);
    return rsc;
}

static unsigned create(const struct mef_client *c, unsigned ty, const char *json)
{
    return ask(c, M2M_OP_CREATE, "-/", ty, json, WORLD_T0);
}

static const char reg_json[] =
    "{\"sec:mefcr\":{\"et\":\"20260101T010000\",\"adfq\":\"a.example\"}}";
static const char key_json[] =
    "{\"sec:skr\":{\"et\":\"20260101T010000\",\"adfq\":\"a.example\",\"suid\":22,"
    "\"tgis\":[\"" WORLD_CSE "\"],\"kv\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}}";

/* What the three ways answer to an enrolee under a policy. */
static void check(enum mef_enrolee_policy policy, const char *impi, const char *uss,
                  enum gba_err err, bool served, int64_t life_s)
{
    struct mef_client c = {.is_target = false};
    int64_t until_s;

    begin(policy);
    CU_ASSERT_EQUAL(fetch(BTID_PATH, impi, uss, &until_s), err);
    if (err == GBA_OK)
        CU_ASSERT_EQUAL(until_s, WORLD_T0 + life_s);
    CU_ASSERT_EQUAL(
        mef_know_gba(&w.mef, gba_text(impi), bytes(uss), WORLD_T0, WORLD_T0 + 60, &c), GBA_OK);
    CU_ASSERT(c.is_enrolee);
    memset(c.bootstrap, 0xb0, sizeof(c.bootstrap));
    CU_ASSERT_EQUAL(create(&c, 4, reg_json),
                    served ? M2M_RSC_CREATED : M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    CU_ASSERT_EQUAL(create(&c, 5, key_json),
                    err == GBA_OK ? M2M_RSC_CREATED : M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    mef_client_wipe(&c);
    mef_world_reopen(&w); /* what the session knew outlives it, and the process */
    CU_ASSERT_EQUAL(fetch(KE_PATH, "", NULL, &until_s), served ? err : GBA_E_NOT_FOUND);
    if (err == GBA_OK)
        CU_ASSERT_EQUAL(until_s, WORLD_T0 + life_s);
    mef_world_end(&w);
}

static void test_policies(void)
{
    static const struct {
        const char *uss;
        bool given, names;
    } usss[] = {
        {NULL, false, false},
        {LIST(USS("1", UID(WORLD_FQDN))), false, false}, /* another GSID */
        {OURS(""), true, false},
        {OURS(UID("cse9.sp.example")), true, false},
        {OURS(UID("/cse1") UID("https://cse1.sp.example")), true, false},
        {OURS(UID(WORLD_FQDN)), true, true},
        {OURS(UID("CSE1.SP.example")), true, true},
        {OURS(UID(WORLD_CSE)), true, true},
        {OURS(UID("cse9.sp.example") UID("/x") UID(WORLD_CSE)), true, true},
    };

    for (size_t i = 0; i < sizeof(usss) / sizeof(usss[0]); i++) {
        const char *uss = usss[i].uss;
        bool given = usss[i].given, names = usss[i].names;
        enum gba_err by_uss = names ? GBA_OK : GBA_E_NOT_AUTHORIZED;

        check(MEF_BY_CONFIG, INSTRUCTED, uss, GBA_OK, true, 30);
        check(MEF_BY_CONFIG, UNINSTRUCTED, uss, GBA_E_FORBIDDEN, true, 0);
        /* the USS alone: no instruction is needed, and none ends it */
        check(MEF_BY_GUSS, INSTRUCTED, uss, by_uss, given, 60);
        check(MEF_BY_GUSS, UNINSTRUCTED, uss, by_uss, given, 60);
        check(MEF_BY_BOTH, INSTRUCTED, uss, by_uss, given, 30);
        check(MEF_BY_BOTH, UNINSTRUCTED, uss, names ? GBA_E_FORBIDDEN : by_uss, given, 0);
    }
}

/* ------------------------------------------------------------ a registered key, later */

/* An enrolee by GBA with this USS registers a key of its own for the target, in key. */
static void register_key(const char *impi, const char *uss, char key[static M2M_TO_SIZE])
{
    struct mef_client c = {.is_target = false};

    CU_ASSERT_EQUAL(
        mef_know_gba(&w.mef, gba_text(impi), bytes(uss), WORLD_T0, WORLD_T0 + 60, &c), GBA_OK);
    memset(c.bootstrap, 0xb0, sizeof(c.bootstrap));
    CU_ASSERT_EQUAL(create(&c, 4, reg_json), M2M_RSC_CREATED);
    CU_ASSERT_EQUAL(create(&c, 5, key_json), M2M_RSC_CREATED);
    strcpy(key, location);
    mef_client_wipe(&c);
}

static unsigned retrieve(const char *key, int64_t now_s)
{
    struct mef_client target = mef_world_target(&w, WORLD_FQDN);

    return ask(&target, M2M_OP_RETRIEVE, key, 0, "", now_s);
}

/* What the USS of the session said is asked again when the target comes, under the policy of
 * then; it counts no longer than the NAF key it came with. */
static void test_key_later(void)
{
    static const unsigned no = M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE;
    static const struct {
        enum mef_enrolee_policy before, then;
        const char *impi, *uss;
        unsigned rsc;
    } rows[] = {
        {MEF_BY_GUSS, MEF_BY_GUSS, UNINSTRUCTED, OURS(UID(WORLD_FQDN)), M2M_RSC_OK},
        {MEF_BY_GUSS, MEF_BY_CONFIG, UNINSTRUCTED, OURS(UID(WORLD_FQDN)), no},
        {MEF_BY_GUSS, MEF_BY_BOTH, UNINSTRUCTED, OURS(UID(WORLD_FQDN)), no},
        {MEF_BY_GUSS, MEF_BY_BOTH, INSTRUCTED, OURS(UID(WORLD_FQDN)), M2M_RSC_OK},
        {MEF_BY_CONFIG, MEF_BY_GUSS, INSTRUCTED, NULL, no},
        {MEF_BY_CONFIG, MEF_BY_BOTH, INSTRUCTED, OURS(UID("cse9.sp.example")), no},
        {MEF_BY_CONFIG, MEF_BY_CONFIG, INSTRUCTED, NULL, M2M_RSC_OK},
    };
    char key[M2M_TO_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(rows[i].before);
        register_key(rows[i].impi, rows[i].uss, key);
        mef_world_reopen(&w);
        w.policy.enrolee_policy = rows[i].then;
        CU_ASSERT_EQUAL(retrieve(key, WORLD_T0 + 29), rows[i].rsc);
        w.policy.enrolee_policy = rows[i].before;
        CU_ASSERT_EQUAL(retrieve(key, WORLD_T0 + 29), M2M_RSC_OK);
        CU_ASSERT_EQUAL(retrieve(key, WORLD_T0 + 60), M2M_RSC_NOT_FOUND);
        mef_world_end(&w);
    }
}

/* An enrolee that went from the configuration: what its USS allowed went with it. */
static void test_enrolee_gone(void)
{
    static const uint8_t ua[] = {1, 0, 1, 0, 0xae};
    struct mef_registry *g;
    struct mef_target t;
    char key[M2M_TO_SIZE];
    int64_t until_s;

    begin(MEF_BY_GUSS);
    g = w.registry;
    register_key(INSTRUCTED, OURS(UID(WORLD_FQDN)), key);
    CU_ASSERT_EQUAL(retrieve(key, WORLD_T0), M2M_RSC_OK);
    CU_ASSERT_EQUAL(fetch(KE_PATH, "", NULL, &until_s), GBA_OK);
    CU_ASSERT_EQUAL(mef_target_make(&w.policy, GBA_TEXT(WORLD_CSE), NULL, ua, (uint64_t)1 << 22,
                                    MEF_USAGE_KEY, &t),
                    GBA_OK);
    CU_ASSERT_EQUAL(g->begin_config(g), GBA_OK);
    CU_ASSERT_EQUAL(g->add_target(g, &t, MEF_OF_CONFIG), GBA_OK);
    CU_ASSERT_EQUAL(g->end_config(g, GBA_OK), GBA_OK);
    CU_ASSERT_EQUAL(retrieve(key, WORLD_T0), M2M_RSC_NOT_FOUND);
    CU_ASSERT_EQUAL(fetch(KE_PATH, "", NULL, &until_s), GBA_E_NOT_FOUND);
    mef_world_end(&w);
}

/* The IMPI's row stays needed, and the target's SUIDs bind. */
static void test_still_needed(void)
{
    int64_t until_s;

    begin(MEF_BY_GUSS);
    CU_ASSERT_EQUAL(fetch(BTID_PATH, "nobody@example", OURS(UID(WORLD_FQDN)), &until_s),
                    GBA_E_FORBIDDEN);
    CU_ASSERT_EQUAL(fetch(BTID_PATH, "", OURS(UID(WORLD_FQDN)), &until_s), GBA_E_FORBIDDEN);
    CU_ASSERT_EQUAL(fetch("/fetchCredentials/AAECAwQFBgcICQoLDA0O%2Fw%3D%3D%40bsf.example/21",
                          INSTRUCTED, OURS(UID(WORLD_FQDN)), &until_s),
                    GBA_E_FORBIDDEN);
    mef_world_end(&w);
}

/* Who does not come by GBA has no USS, and is judged by instructions under every policy; who
 * does is never taken for one of those. */
static void test_others(void)
{
    struct mef_credential psk = {
        .kind = MEF_CRED_PSK, .name = "kpm@mef.example", .key_len = 16};
    struct mef_target t;

    for (int policy = MEF_BY_CONFIG; policy <= MEF_BY_BOTH; policy++) {
        struct mef_client c = {.is_target = false};
        int64_t until_s;

        begin((enum mef_enrolee_policy)policy);
        strcpy(psk.enrolee, INSTRUCTED_ID);
        CU_ASSERT_EQUAL(w.registry->add_credential(w.registry, &psk, MEF_OF_ADMIN), GBA_OK);
        CU_ASSERT_EQUAL(mef_know_enrolee(&w.mef, MEF_CRED_PSK, GBA_TEXT("kpm@mef.example"),
                                         WORLD_T0, WORLD_T0 + 60, &c),
                        GBA_OK);
        CU_ASSERT(c.is_enrolee && c.uss.kind == MEF_USS_NO_GBA);
        t = mef_world_target(&w, WORLD_FQDN).target;
        CU_ASSERT_EQUAL(mef_admit(&w.mef, &c.uss), GBA_OK);
        CU_ASSERT_EQUAL(mef_may(&w.mef, c.id, &c.uss, &t, 22, WORLD_T0, &until_s), GBA_OK);
        CU_ASSERT_EQUAL(mef_may(&w.mef, WORLD_OTHER, &c.uss, &t, 22, WORLD_T0, &until_s),
                        GBA_E_FORBIDDEN);
        memset(&c, 0, sizeof(c));
        CU_ASSERT_EQUAL(mef_know_enrolee(&w.mef, MEF_CRED_GBA, GBA_TEXT(INSTRUCTED), WORLD_T0,
                                         WORLD_T0 + 60, &c),
                        GBA_OK);
        CU_ASSERT(c.is_enrolee && c.uss.kind == MEF_USS_NONE);
        CU_ASSERT_EQUAL(mef_may(&w.mef, c.id, &c.uss, &t, 22, WORLD_T0, &until_s),
                        policy == MEF_BY_CONFIG ? GBA_OK : GBA_E_NOT_AUTHORIZED);
        mef_world_end(&w);
    }
}

static const struct unit_test tests[] = {
    {"reading a USS", test_reading},
    {"more uids than there is room for", test_no_room},
    {"each policy with each USS", test_policies},
    {"a registered key, later", test_key_later},
    {"its enrolee is gone", test_enrolee_gone},
    {"what stays needed", test_still_needed},
    {"enrolees that do not come by GBA", test_others},
};
UNIT_MAIN("mef_uss", tests)
