/*
 * ua/enrol_client.c: the device's side of enrolment without any I/O: what is asked, which
 * answers count, and that the key is the one the target will get.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/timestamp.h"
#include "ua/enrol_client.h"

#define NOW 1767312000

struct bench {
    struct gba_ue_enrol *e;
    struct gba_ue_enrol_config config;
    enum gba_ue_enrol_todo todo;
    struct gba_ue_reply reply;
    struct gba_ue_field fields[4];
    char rqi[M2M_RQI_SIZE], body[1024];
};

static void bench_begin(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    b->config = (struct gba_ue_enrol_config){.target = "//sp.example.com/in-cse-1",
                                             .mef_fqdn = "MEF.example.com",
                                             .expires_s = NOW + 3600};
    b->reply.psk = b->reply.has_exported = true;
    for (size_t i = 0; i < 48; i++) /* onem2m.json: RelativeKeyID 40..4f, Ke 50..6f */
        b->reply.exported[i] = (uint8_t)(0x40 + i);
}

static enum gba_err step(struct bench *b, enum gba_ue_enrol_happened happened)
{
    struct gba_ue_enrol_event ev = {
        .happened = happened, .reply = &b->reply, .err = GBA_E_TIMEOUT, .now_s = NOW};

    memset(ev.entropy, 0x5a, sizeof(ev.entropy));
    return gba_ue_enrol_step(b->e, &ev, &b->todo);
}

static void bench_start(struct bench *b)
{
    b->e = gba_ue_enrol_init(malloc(gba_ue_enrol_size()), gba_ue_enrol_size(), &b->config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b->e);
    CU_ASSERT_EQUAL(step(b, GBA_UE_ENROL_EV_START), GBA_OK);
    CU_ASSERT_EQUAL(b->todo, GBA_UE_ENROL_SEND);
}

/* A MEF's answer. */
static void answer(struct bench *b, unsigned status, const char *rsc, const char *et,
                   const char *admin)
{
    struct m2m_resource r;
    struct gba_wbuf w;
    int64_t when;

    snprintf(b->rqi, sizeof(b->rqi), "%s", b->e->exchange.primitive.rqi);
    b->fields[0] = (struct gba_ue_field){"X-M2M-RSC", rsc};
    b->fields[1] = (struct gba_ue_field){"X-M2M-RI", b->rqi};
    b->fields[2] = (struct gba_ue_field){"Content-Type", "application/json"};
    b->reply.status = status;
    b->reply.fields = b->fields;
    b->reply.n_fields = et != NULL ? 3 : 2;
    gba_wbuf_init(&w, b->body, sizeof(b->body));
    if (et != NULL) {
        m2m_resource_init(&r, M2M_MEF_CLIENT_REG);
        CU_ASSERT_EQUAL(gba_m2m_timestamp_parse(gba_text(et), &when), GBA_OK);
        m2m_set_time(&r, M2M_A_EXPIRATION_TIME, when);
        m2m_set_text(&r, M2M_A_ADMIN_FQDN, gba_text(admin));
        CU_ASSERT_EQUAL(m2m_codec_print(&r, M2M_JSON, &w), GBA_OK);
    }
    b->reply.body = (const uint8_t *)b->body;
    b->reply.body_len = w.n;
}

static void bench_end(struct bench *b)
{
    gba_ue_enrol_end(b->e);
    free(b->e);
}

static void test_registration(void)
{
    struct m2m_problem problem;
    struct m2m_resource r;
    const char *target;
    const struct gba_ue_request *request;
    struct bench b;

    bench_begin(&b);
    bench_start(&b);
    request = gba_ue_enrol_request(b.e, &target);
    CU_ASSERT_STRING_EQUAL(request->method, "POST");
    CU_ASSERT_EQUAL(strncmp(target, "/_/mef.example.com/-", 20), 0);
    CU_ASSERT_STRING_EQUAL(request->export_label, "EXPORTER-oneM2M-Bootstrap");
    CU_ASSERT(request->fresh);
    CU_ASSERT_EQUAL(m2m_codec_read((struct gba_bytes){request->body, request->body_len},
                                   M2M_JSON, M2M_MEF_CLIENT_REG, M2M_USE_CREATE, &r, &problem),
                    M2M_RSC_OK);
    CU_ASSERT_EQUAL(m2m_time(&r, M2M_A_EXPIRATION_TIME), NOW + 3600);
    CU_ASSERT(gba_text_is(m2m_text(&r, M2M_A_ADMIN_FQDN), "sp.example.com"));
    m2m_resource_wipe(&r);
    bench_end(&b);
}

/* TS-0003 10.3: the figures both ends come to. */
static void test_keys(void)
{
    static const struct {
        enum gba_ue_derivation derivation;
        unsigned suid;
        enum gba_ue_credential_kind kind;
    } rows[] = {{GBA_UE_DERIVE_USAGE, 0, GBA_UE_USAGE_KEY},
                {GBA_UE_DERIVE_USAGE, 21, GBA_UE_USAGE_KEY},
                {GBA_UE_DERIVE_KPSA, 0, GBA_UE_KPSA},
                {GBA_UE_DERIVE_KM, 0, GBA_UE_KM}};
    struct gba_key ke, expected[4];

    for (size_t i = 0; i < 32; i++)
        ke.octets[i] = (uint8_t)(0x50 + i);
    m2m_usage_key(&ke, gba_text_bytes(GBA_TEXT("22")), GBA_TEXT("in-cse-1.sp.example.com"),
                  &expected[0]);
    m2m_usage_key(&ke, gba_text_bytes(GBA_TEXT("21")), GBA_TEXT("in-cse-1.sp.example.com"),
                  &expected[1]);
    m2m_kpsa(&ke, GBA_TEXT("//sp.example.com/in-cse-1"), &expected[2]);
    m2m_km(&ke, GBA_TEXT("in-cse-1.sp.example.com"), &expected[3]);
    for (size_t i = 0; i < 4; i++) {
        struct gba_ue_credential c;
        struct bench b;

        bench_begin(&b);
        b.config.derivation = rows[i].derivation;
        b.config.suid = rows[i].suid;
        bench_start(&b);
        answer(&b, 201, "2001", "20260103T000000", "sp.example.com");
        CU_ASSERT_EQUAL(step(&b, GBA_UE_ENROL_EV_REPLY), GBA_OK);
        CU_ASSERT_EQUAL(b.todo, GBA_UE_ENROL_DONE);
        CU_ASSERT_EQUAL(gba_ue_enrol_credential(b.e, &c), GBA_OK);
        CU_ASSERT_STRING_EQUAL(c.key_id, "404142434445464748494A4B4C4D4E4F@mef.example.com");
        CU_ASSERT_STRING_EQUAL(c.fqdn, "in-cse-1.sp.example.com");
        CU_ASSERT_EQUAL(c.kind, rows[i].kind);
        CU_ASSERT(gba_equal_ct(c.key, expected[i].octets, 32));
        bench_end(&b);
    }
}

/* The MEF may shorten a life, not lengthen it. */
static void test_lifetime(void)
{
    struct gba_ue_credential c;
    char when[GBA_DATETIME_SIZE];
    struct bench b;

    for (int64_t life = -1; life < 10000; life += 2000) {
        bench_begin(&b);
        bench_start(&b);
        gba_m2m_timestamp(NOW + life, when);
        answer(&b, 201, "2001", when, "sp.example.com");
        CU_ASSERT_EQUAL(step(&b, GBA_UE_ENROL_EV_REPLY), GBA_OK);
        CU_ASSERT_EQUAL(gba_ue_enrol_error(b.e), life <= 0 ? GBA_E_EXPIRED : GBA_OK);
        if (life > 0) {
            CU_ASSERT_EQUAL(gba_ue_enrol_credential(b.e, &c), GBA_OK);
            CU_ASSERT_EQUAL(c.expires_s, NOW + (life < 3600 ? life : 3600));
        }
        bench_end(&b);
    }
}

static void test_answers(void)
{
    static const struct {
        unsigned status;
        const char *rsc, *et, *admin;
        bool psk, exported;
        enum gba_err err;
    } rows[] = {
        {201, "2001", "20260103T000000", "sp.example.com", true, true, GBA_OK},
        {201, "2001", NULL, NULL, true, true, GBA_OK},
        {403, "4117", NULL, NULL, true, true,
         GBA_OK}, /* registered before: the new Ke counts */
        {409, "4105", NULL, NULL, true, true, GBA_OK},
        {201, "2001", "20260103T000000", "evil.example", true, true, GBA_E_PROTOCOL},
        {201, "2001", NULL, NULL, false, true, GBA_E_DOWNGRADE},
        {201, "2001", NULL, NULL, true, false, GBA_E_DOWNGRADE},
        {403, "4103", NULL, NULL, true, true, GBA_E_REFUSED},
        {400, "4000", NULL, NULL, true, true, GBA_E_PROTOCOL},
        {500, "5000", NULL, NULL, true, true, GBA_E_OVERLOAD},
        {201, "4103", NULL, NULL, true, true, GBA_E_PROTOCOL}, /* RSC and status disagree */
        {404, "4004", NULL, NULL, true, true, GBA_E_REFUSED},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_ue_credential c;
        struct bench b;

        bench_begin(&b);
        b.reply.psk = rows[i].psk;
        b.reply.has_exported = rows[i].exported;
        bench_start(&b);
        answer(&b, rows[i].status, rows[i].rsc, rows[i].et, rows[i].admin);
        CU_ASSERT_EQUAL(step(&b, GBA_UE_ENROL_EV_REPLY), GBA_OK);
        if (gba_ue_enrol_error(b.e) != rows[i].err)
            printf("\n    row %zu: %s %s\n", i, gba_err_name(gba_ue_enrol_error(b.e)),
                   gba_ue_enrol_why(b.e));
        CU_ASSERT_EQUAL(gba_ue_enrol_error(b.e), rows[i].err);
        CU_ASSERT_EQUAL(gba_ue_enrol_credential(b.e, &c),
                        rows[i].err == GBA_OK ? GBA_OK : GBA_E_UNEXPECTED);
        bench_end(&b);
    }
}

/* What the MEF says of it reaches the user, tamed. */
static void test_refused(void)
{
    static const char dbg[] = "{\"m2m:dbg\":\"5402: no \\u001b[1mUSS\"}";
    struct bench b;

    bench_begin(&b);
    bench_start(&b);
    CU_ASSERT_EQUAL(gba_ue_enrol_rsc(b.e), 0);
    CU_ASSERT_STRING_EQUAL(gba_ue_enrol_rsc_name(b.e), "");
    answer(&b, 403, "4103", NULL, NULL);
    b.reply.n_fields = 3;
    b.reply.body = (const uint8_t *)dbg;
    b.reply.body_len = sizeof(dbg) - 1;
    CU_ASSERT_EQUAL(step(&b, GBA_UE_ENROL_EV_REPLY), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_enrol_error(b.e), GBA_E_REFUSED);
    CU_ASSERT_EQUAL(gba_ue_enrol_rsc(b.e), 4103);
    CU_ASSERT_STRING_EQUAL(gba_ue_enrol_rsc_name(b.e), "ORIGINATOR_HAS_NO_PRIVILEGE");
    CU_ASSERT_STRING_EQUAL(gba_ue_enrol_dbg(b.e), "5402: no \\x1b[1mUSS");
    CU_ASSERT_EQUAL(step(&b, GBA_UE_ENROL_EV_START), GBA_OK); /* again: forgotten */
    CU_ASSERT_EQUAL(gba_ue_enrol_rsc(b.e), 0);
    CU_ASSERT_STRING_EQUAL(gba_ue_enrol_dbg(b.e), "");
    bench_end(&b);
}

/* 8.3.5.2.5: a registration of before is updated, in a session whose Ke then counts. */
static void test_renewed(void)
{
    struct gba_ue_credential c;
    const struct gba_ue_request *request;
    const char *target;
    struct bench b;

    bench_begin(&b);
    bench_start(&b);
    answer(&b, 403, "4117", NULL, NULL);
    b.fields[b.reply.n_fields++] =
        (struct gba_ue_field){"Content-Location", "/_/mef.example.com/-/r1"};
    CU_ASSERT_EQUAL(step(&b, GBA_UE_ENROL_EV_REPLY), GBA_OK);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_ENROL_SEND);
    CU_ASSERT_EQUAL(gba_ue_enrol_credential(b.e, &c), GBA_E_UNEXPECTED);
    request = gba_ue_enrol_request(b.e, &target);
    CU_ASSERT_STRING_EQUAL(request->method, "PUT");
    CU_ASSERT_STRING_EQUAL(target, "/_/mef.example.com/-/r1");
    CU_ASSERT(request->fresh);
    CU_ASSERT_STRING_EQUAL(request->export_label, "EXPORTER-oneM2M-Bootstrap");
    b.reply.exported[0] = 0xab;
    answer(&b, 200, "2004", "20260102T003000", "sp.example.com");
    CU_ASSERT_EQUAL(step(&b, GBA_UE_ENROL_EV_REPLY), GBA_OK);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_ENROL_DONE);
    CU_ASSERT_EQUAL(gba_ue_enrol_credential(b.e, &c), GBA_OK);
    CU_ASSERT_EQUAL(strncmp(c.key_id, "AB41", 4), 0);
    CU_ASSERT_EQUAL(c.expires_s, NOW + 1800);
    bench_end(&b);
    bench_begin(&b); /* and it is gone meanwhile */
    bench_start(&b);
    answer(&b, 403, "4117", NULL, NULL);
    b.fields[b.reply.n_fields++] =
        (struct gba_ue_field){"Content-Location", "/_/mef.example.com/-/r1"};
    step(&b, GBA_UE_ENROL_EV_REPLY);
    answer(&b, 404, "4004", NULL, NULL);
    CU_ASSERT_EQUAL(step(&b, GBA_UE_ENROL_EV_REPLY), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_enrol_error(b.e), GBA_E_REFUSED);
    bench_end(&b);
}

static void test_other_request(void)
{
    struct bench b;

    bench_begin(&b);
    bench_start(&b);
    answer(&b, 201, "2001", NULL, NULL);
    b.rqi[0] ^= 1;
    CU_ASSERT_EQUAL(step(&b, GBA_UE_ENROL_EV_REPLY), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_enrol_error(b.e), GBA_E_PROTOCOL);
    bench_end(&b);
}

static void test_all_pairs(void)
{
    static const char allowed[ENROL_N_STATES][ENROL_N_EVENTS + 1] = {[ENROL_IDLE] = "x..",
                                                                     [ENROL_REGISTERING] =
                                                                         ".xx",
                                                                     [ENROL_RENEWING] = ".xx",
                                                                     [ENROL_DONE] = "x..",
                                                                     [ENROL_FAILED] = "x.."};

    for (int state = 0; state < ENROL_N_STATES; state++)
        for (int event = 0; event < ENROL_N_EVENTS; event++) {
            struct bench b;

            bench_begin(&b);
            bench_start(&b);
            b.e->state = (enum enrol_state)state;
            CU_ASSERT_EQUAL(step(&b, (enum gba_ue_enrol_happened)event),
                            allowed[state][event] == 'x' ? GBA_OK : GBA_E_UNEXPECTED);
            if (allowed[state][event] != 'x')
                CU_ASSERT_EQUAL((int)b.e->state, state);
            bench_end(&b);
        }
}

static void test_configuration(void)
{
    void *mem = malloc(gba_ue_enrol_size());
    const struct gba_ue_enrol_config rows[] = {
        {.target = NULL, .mef_fqdn = "m.example"},
        {.target = "//sp/cse", .mef_fqdn = NULL},
        {.target = "/cse", .mef_fqdn = "m.example"},
        {.target = "nonsense", .mef_fqdn = "m.example"},
        {.target = "//sp.example/cse", .mef_fqdn = "a b"},
        {.target = "//sp.example/cse", .mef_fqdn = "m.example", .suid = 31},
    };
    struct gba_ue_naf_key key = {.btid = "x@y"};
    struct gba_ue_credential c;
    char fqdn[GBA_UE_FQDN_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT_PTR_NULL(gba_ue_enrol_init(mem, gba_ue_enrol_size(), &rows[i]));
    CU_ASSERT_PTR_NOT_NULL(
        gba_ue_enrol_init(mem, gba_ue_enrol_size(),
                          &(struct gba_ue_enrol_config){.target = "/cse",
                                                        .target_fqdn = "cse.sp.example",
                                                        .mef_fqdn = "m.example",
                                                        .admin_fqdn = "sp.example"}));
    CU_ASSERT_EQUAL(gba_ue_target_fqdn("//SP.example.com/In-CSE", fqdn), GBA_OK);
    CU_ASSERT_STRING_EQUAL(fqdn, "in-cse.sp.example.com");
    CU_ASSERT_NOT_EQUAL(gba_ue_target_fqdn("/cse", fqdn), GBA_OK);
    CU_ASSERT_NOT_EQUAL(gba_ue_target_fqdn("cse", fqdn), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_target_fqdn("MAF.example.com", fqdn), GBA_OK); /* a MAF-ID */
    CU_ASSERT_STRING_EQUAL(fqdn, "maf.example.com");
    CU_ASSERT_EQUAL(gba_ue_enrol_gba("maf.example.com", &key, &c), GBA_OK);
    CU_ASSERT_EQUAL(c.kind, GBA_UE_KM);
    free(mem);
}

static const struct unit_test tests[] = {
    {"the registration", test_registration},
    {"keys", test_keys},
    {"lifetime", test_lifetime},
    {"answers", test_answers},
    {"what the MEF says of a refusal", test_refused},
    {"a registration of before", test_renewed},
    {"an answer to another request", test_other_request},
    {"all pairs of state and event", test_all_pairs},
    {"configuration", test_configuration},
};
UNIT_MAIN("enrol_client", tests)
