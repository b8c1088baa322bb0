/*
 * ua/maf_client.c: the device's side of Mmaf without any I/O: what is asked in which order,
 * which answers count, and that Kc is what the session exports.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/m2m_keys.h"
#include "ua/maf_client.h"

#define NOW   1767312000
#define MAF   "maf.example.com"
#define KM_ID "thing@" MAF
#define KE_ID "404142434445464748494A4B4C4D4E4F@mef.example.com"
#define REG   "//" MAF "/-/r1"

static struct maf_client m;
static struct gba_ue_maf_config config;
static struct gba_ue_reply reply;
static struct gba_ue_field fields[5];
static char body[1024];

static const char *before;

static void begin(const char *km_id)
{
    config = (struct gba_ue_maf_config){.target = "//sp.example.com/in-cse-1",
                                        .maf_fqdn = "MAF.example.com",
                                        .expires_s = NOW + 3600};
    CU_ASSERT_EQUAL(maf_client_init(&m, &config, km_id, before), GBA_OK);
    memset(&reply, 0, sizeof(reply));
    reply.psk = km_id != NULL;
    reply.has_exported = true;
    for (size_t i = 0; i < 48; i++) /* onem2m.json: RelativeKeyID 40..4f */
        reply.exported[i] = (uint8_t)(0x40 + i);
}

static enum gba_err step(enum maf_event event)
{
    struct maf_happened ev = {
        .event = event, .reply = &reply, .err = GBA_E_TIMEOUT, .now_s = NOW};

    memset(ev.entropy, 0x5a, sizeof(ev.entropy));
    return maf_client_step(&m, &ev);
}

/* A MAF's answer; content: "short name":{members}, NULL: none. */
static void answer(unsigned status, const char *rsc, const char *content)
{
    size_t n = 0;

    fields[n++] = (struct gba_ue_field){"X-M2M-RSC", rsc};
    fields[n++] = (struct gba_ue_field){"X-M2M-RI", m.exchange.primitive.rqi};
    fields[n++] = (struct gba_ue_field){"Content-Location", "/_/" MAF "/-/r1"};
    body[0] = '\0';
    if (content != NULL) {
        fields[n++] = (struct gba_ue_field){"Content-Type", "application/json"};
        snprintf(body, sizeof(body), "{%s}", content);
    }
    reply.status = status;
    reply.fields = fields;
    reply.n_fields = n;
    reply.body = (const uint8_t *)body;
    reply.body_len = strlen(body);
    CU_ASSERT_EQUAL(step(MAF_ANSWER), GBA_OK);
}

static const char granted[] = "\"sec:skr\":{\"et\":\"20260102T003000\",\"suid\":32,"
                              "\"rki\":\"404142434445464748494a4b4c4d4e4f\"}";

static void asks(const char *method, enum m2m_type type, enum m2m_use use)
{
    struct m2m_problem problem;
    struct m2m_resource r;

    CU_ASSERT_STRING_EQUAL(m.exchange.request.method, method);
    CU_ASSERT_STRING_EQUAL(m.exchange.request.export_label, M2M_EXPORT_CONNECTION);
    CU_ASSERT(m.exchange.request.fresh);
    CU_ASSERT_EQUAL(m2m_codec_read(m.exchange.primitive.pc, M2M_JSON, type, use, &r, &problem),
                    M2M_RSC_OK);
    m2m_resource_wipe(&r);
}

static void test_road(void)
{
    struct gba_key kc;
    char key_id[M2M_KEY_ID_SIZE];

    begin(KM_ID);
    CU_ASSERT_EQUAL(step(MAF_START), GBA_OK);
    CU_ASSERT_EQUAL(m.state, MAF_REGISTERING);
    asks("POST", M2M_MAF_CLIENT_REG, M2M_USE_CREATE);
    answer(201, "2001", "\"sec:mafcr\":{}");
    CU_ASSERT_EQUAL(m.state, MAF_KEYING);
    CU_ASSERT_STRING_EQUAL(m.km_id, KM_ID);
    asks("POST", M2M_SYMM_KEY_REG, M2M_USE_CREATE);
    answer(201, "2001", granted);
    CU_ASSERT_EQUAL(m.state, MAF_DONE);
    CU_ASSERT_EQUAL(m2m_export_split(reply.exported, GBA_TEXT(MAF), key_id, &kc), GBA_OK);
    CU_ASSERT_STRING_EQUAL(m.kc.key_id, key_id);
    CU_ASSERT(gba_equal_ct(m.kc.key, kc.octets, sizeof(kc.octets)));
    CU_ASSERT_EQUAL(m.kc.kind, GBA_UE_KC);
    CU_ASSERT_STRING_EQUAL(m.kc.fqdn, "in-cse-1.sp.example.com");
    CU_ASSERT_EQUAL(m.kc.expires_s, NOW + 1800); /* less than was asked for */
}

/* 8.8.2.3: the MAF names a Km that came from an MEF. */
static void test_named(void)
{
    begin(KE_ID);
    step(MAF_START);
    answer(201, "2001", "\"sec:mafcr\":{\"aski\":\"r1@" MAF "\"}");
    CU_ASSERT_EQUAL(m.state, MAF_KEYING);
    CU_ASSERT_STRING_EQUAL(m.km_id, "r1@" MAF);
}

/* Registered from before: the update names it. */
static void test_renamed(void)
{
    begin(KE_ID);
    step(MAF_START);
    answer(403, "4117", NULL);
    CU_ASSERT_EQUAL(m.state, MAF_RENAMING);
    CU_ASSERT_STRING_EQUAL(m.exchange.primitive.to, REG);
    asks("PUT", M2M_MAF_CLIENT_REG, M2M_USE_UPDATE);
    answer(200, "2004", "\"sec:mafcr\":{\"aski\":\"r1@" MAF "\"}");
    CU_ASSERT_EQUAL(m.state, MAF_KEYING);
    CU_ASSERT_STRING_EQUAL(m.km_id, "r1@" MAF);
    answer(201, "2001", granted);
    CU_ASSERT_EQUAL(m.state, MAF_DONE);
}

/* ... which a Km of the MAF's own does not need. */
static void test_registered_already(void)
{
    static const char *const own[] = {KM_ID, "AAECAwQFBgcICQoLDA0ODw==@bsf.example.com"};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        begin(own[i]);
        step(MAF_START);
        answer(403, "4117", NULL);
        CU_ASSERT_EQUAL(m.state, MAF_KEYING);
        CU_ASSERT_STRING_EQUAL(m.km_id, own[i]);
    }
}

static void test_certificate(void)
{
    begin(NULL);
    step(MAF_START);
    answer(201, "2001", "\"sec:mafcr\":{\"aski\":\"r1@" MAF "\"}");
    CU_ASSERT_EQUAL(m.state, MAF_KEYING);
    CU_ASSERT_STRING_EQUAL(m.km_id, ""); /* there is no Km to name */
    answer(201, "2001", granted);
    CU_ASSERT_EQUAL(m.state, MAF_DONE);
}

/* Every answer that ends it, with its error. */
static void test_refusals(void)
{
    static const struct {
        const char *what;
        bool registered; /* it is the answer to the key registration */
        unsigned status;
        const char *rsc, *content;
        enum gba_err err;
    } rows[] = {
        {"refused", false, 403, "4103", NULL, GBA_E_REFUSED},
        {"not understood", false, 400, "4000", NULL, GBA_E_PROTOCOL},
        {"out of order", false, 500, "5000", NULL, GBA_E_OVERLOAD},
        {"no resource", false, 201, "2001", "\"sec:skr\":{}", GBA_E_PROTOCOL},
        {"no key for this target", true, 403, "4103", NULL, GBA_E_REFUSED},
        {"another key", true, 201, "2001",
         "\"sec:skr\":{\"et\":\"20260102T003000\",\"rki\":"
         "\"00000000000000000000000000000000\"}",
         GBA_E_PROTOCOL},
        {"no key identifier", true, 201, "2001", "\"sec:skr\":{\"et\":\"20260102T003000\"}",
         GBA_E_PROTOCOL},
        {"over at once", true, 201, "2001",
         "\"sec:skr\":{\"et\":\"20260102T000000\",\"rki\":"
         "\"404142434445464748494a4b4c4d4e4f\"}",
         GBA_E_EXPIRED},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        static const uint8_t none[GBA_UE_KEY_LEN];

        begin(KM_ID);
        step(MAF_START);
        if (rows[i].registered)
            answer(201, "2001", "\"sec:mafcr\":{}");
        answer(rows[i].status, rows[i].rsc, rows[i].content);
        if (m.state != MAF_FAILED || m.err != rows[i].err)
            printf("%s: %d %s\n", rows[i].what, m.state, gba_err_text(m.err));
        CU_ASSERT(m.state == MAF_FAILED && m.err == rows[i].err && m.why[0] != '\0');
        CU_ASSERT(gba_equal_ct(m.kc.key, none, sizeof(none)));
    }
}

/* A session that another key made, or none of ours; one that exports nothing; none. */
static void test_sessions(void)
{
    begin(KM_ID);
    step(MAF_START);
    reply.psk = false;
    answer(201, "2001", "\"sec:mafcr\":{}");
    CU_ASSERT_EQUAL(m.err, GBA_E_DOWNGRADE);
    begin(KM_ID);
    step(MAF_START);
    reply.has_exported = false;
    answer(201, "2001", "\"sec:mafcr\":{}");
    CU_ASSERT_EQUAL(m.err, GBA_E_DOWNGRADE);
    begin(NULL);
    step(MAF_START);
    reply.psk = true;
    answer(201, "2001", "\"sec:mafcr\":{}");
    CU_ASSERT_EQUAL(m.err, GBA_E_DOWNGRADE);
    begin(KM_ID);
    step(MAF_START);
    CU_ASSERT_EQUAL(step(MAF_LOST), GBA_OK);
    CU_ASSERT(m.state == MAF_FAILED && m.err == GBA_E_TIMEOUT);
    CU_ASSERT_EQUAL(step(MAF_ANSWER), GBA_E_UNEXPECTED);
    CU_ASSERT_EQUAL(step(MAF_START), GBA_E_UNEXPECTED);
}

#define KC_ID "00112233445566778899AABBCCDDEEFF@" MAF

static void replace(void)
{
    before = KC_ID;
    begin(KM_ID);
    before = NULL;
    step(MAF_START);
    answer(201, "2001", "\"sec:mafcr\":{}");
    answer(201, "2001", granted);
    CU_ASSERT_EQUAL(m.state, MAF_ENDING);
    CU_ASSERT_STRING_EQUAL(m.exchange.request.method, "DELETE");
    CU_ASSERT_STRING_EQUAL(m.exchange.primitive.to,
                           "//" MAF "/-/00112233445566778899AABBCCDDEEFF");
    CU_ASSERT(!m.exchange.request.fresh);
}

/* 8.8.2.10: the key of before ends when there is another; if not, the new one is good all the
 * same. */
static void test_replaces(void)
{
    static const struct {
        unsigned status;
        const char *rsc;
        bool ended;
    } rows[] = {
        {200, "2002", true}, {404, "4004", true}, {403, "4103", false}, {500, "5000", false}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        replace();
        answer(rows[i].status, rows[i].rsc, NULL);
        CU_ASSERT_EQUAL(m.state, MAF_DONE);
        CU_ASSERT_EQUAL(m.kc.kind, GBA_UE_KC);
        CU_ASSERT_EQUAL(m.why[0] == '\0', rows[i].ended);
    }
    replace();
    CU_ASSERT_EQUAL(step(MAF_LOST), GBA_OK);
    CU_ASSERT_EQUAL(m.state, MAF_DONE);
    CU_ASSERT_EQUAL(m.kc.kind, GBA_UE_KC);
    CU_ASSERT(m.why[0] != '\0');
    CU_ASSERT_EQUAL(maf_client_init(&m, &config, KM_ID, "00112233@other.example"),
                    GBA_E_ARGUMENT);
}

static void test_config(void)
{
    begin(KM_ID);
    config.suid = 22; /* an MEF's */
    CU_ASSERT_EQUAL(maf_client_init(&m, &config, KM_ID, NULL), GBA_E_ARGUMENT);
    config.suid = 34;
    CU_ASSERT_EQUAL(maf_client_init(&m, &config, KM_ID, NULL), GBA_OK);
    config.target = "/in-cse-1"; /* whose FQDN and stakeholder nobody said */
    CU_ASSERT_EQUAL(maf_client_init(&m, &config, KM_ID, NULL), GBA_E_ARGUMENT);
    config.target_fqdn = "in-cse-1.sp.example.com";
    config.admin_fqdn = "sp.example.com";
    CU_ASSERT_EQUAL(maf_client_init(&m, &config, KM_ID, NULL), GBA_OK);
    config.maf_fqdn = NULL;
    CU_ASSERT_EQUAL(maf_client_init(&m, &config, KM_ID, NULL), GBA_E_ARGUMENT);
}

static const struct unit_test tests[] = {
    {"the whole road", test_road},
    {"a Km from an MEF is named", test_named},
    {"... by an update", test_renamed},
    {"registered already", test_registered_already},
    {"by certificate", test_certificate},
    {"refusals", test_refusals},
    {"sessions that do not count", test_sessions},
    {"a key that takes another's place", test_replaces},
    {"configuration", test_config},
};
UNIT_MAIN("maf_client", tests)
