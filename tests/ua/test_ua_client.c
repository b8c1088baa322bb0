/*
 * ua/ua_client.c and ua/ua_messages.c: Ua Digest without any I/O.  All pairs of state and
 * event, the published figures, which challenge is answered and which is not, when Ub is run
 * again.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ua_protocol.h"
#include "ua/ua_client.h"

#define NAF "xcap.ims.mnc001.mcc001.pub.3gppnetwork.org"
#define URI                                                                                    \
    "/simservs.ngn.etsi.org/users/sip:+15550100@ims.mnc001.mcc001.3gppnetwork.org/"            \
    "simservs.xml"
#define BTID "I1U8vpY3qJ0hiuZNrke/NQ==@bsf.mnc001.mcc001.pub.3gppnetwork.org"
#define GBA  "realm=\"3GPP-bootstrapping@" NAF "\""

struct bench {
    struct gba_ue_ua *ua;
    struct gba_ue_ua_config config;
    enum gba_ue_ua_todo todo;
    struct gba_ue_naf_key key;
};

static void bench_begin(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    b->config = (struct gba_ue_ua_config){.fqdn = NAF, .allow_http = true};
    strcpy(b->key.btid, BTID);
    memcpy(b->key.key,
           unit_hex("fd1ac8d09e974a83d864e40f158ddb173379a13316de75a7f659d3b4ab4dffab").p, 32);
}

static void bench_init(struct bench *b)
{
    b->ua = gba_ue_ua_init(malloc(gba_ue_ua_size()), gba_ue_ua_size(), &b->config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b->ua);
}

static void bench_end(struct bench *b)
{
    gba_ue_ua_end(b->ua);
    free(b->ua);
}

static enum gba_err step(struct bench *b, struct gba_ue_ua_event *ev)
{
    for (size_t i = 0; i < 4; i++)
        memcpy(ev->entropy + 4 * i, "\x66\x29\xfa\xe4", 4);
    return gba_ue_ua_step(b->ua, ev, &b->todo);
}

static void start(struct bench *b)
{
    struct gba_ue_ua_event ev = {.happened = GBA_UE_UA_EV_START, .method = "GET", .uri = URI};

    CU_ASSERT_EQUAL(step(b, &ev), GBA_OK);
}

/* Up to three fields in text: "Name: value". */
static void reply(struct bench *b, unsigned status, uint16_t suite, const char *body,
                  const char *f0, const char *f1)
{
    struct gba_ue_field fields[2];
    struct gba_ue_reply r = {.status = status, .suite = suite, .fields = fields};
    struct gba_ue_ua_event ev = {.happened = GBA_UE_UA_EV_REPLY, .reply = &r};
    static char name[2][64];
    const char *const text[2] = {f0, f1};

    r.body = (const uint8_t *)body;
    r.body_len = strlen(body);
    for (size_t i = 0; i < 2 && text[i] != NULL; i++) {
        const size_t n = strcspn(text[i], ":");

        snprintf(name[i], sizeof(name[i]), "%.*s", (int)n, text[i]);
        fields[r.n_fields++] = (struct gba_ue_field){name[i], text[i] + n + 2};
    }
    CU_ASSERT_EQUAL(step(b, &ev), GBA_OK);
}

static void give_key(struct bench *b)
{
    struct gba_ue_ua_event ev = {.happened = GBA_UE_UA_EV_KEY, .key = &b->key};

    CU_ASSERT_EQUAL(step(b, &ev), GBA_OK);
}

static const char *authorization(const struct bench *b)
{
    const struct gba_ue_request *r = gba_ue_ua_request(b->ua);

    return r->n_fields == 3 ? r->fields[2].value : "";
}

#define CHALLENGE                                                                              \
    "WWW-Authenticate: Digest " GBA ", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "         \
    "algorithm=MD5, qop=\"auth-int\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""

static void make_info(const struct bench *b, const char *body, const char *more, char out[512])
{
    char pw[45], rspauth[GBA_DIGEST_HEX_SIZE];
    struct gba_digest_input in = {.algorithm = b->ua->algorithm,
                                  .qop = b->ua->qop,
                                  .username = gba_text(b->key.btid),
                                  .realm = gba_text(b->ua->realm),
                                  .uri = GBA_TEXT(URI),
                                  .nonce = gba_text(b->ua->nonce),
                                  .nc = gba_text(b->ua->nc_text),
                                  .cnonce = gba_text(b->ua->cnonce),
                                  .body = gba_text_bytes(gba_text(body))};

    gba_base64(pw, GBA_BYTES(b->key.key));
    in.password = gba_text_bytes(gba_text(pw));
    gba_digest_response(&in, rspauth);
    snprintf(out, 512, "Authentication-Info: qop=%s, rspauth=\"%s\", cnonce=\"%s\", nc=%s%s",
             gba_digest_qop_name(b->ua->qop), rspauth, b->ua->cnonce, b->ua->nc_text, more);
}

static void test_whole_request(void)
{
    uint8_t ua_id[5];
    char info[512];
    bool internal;
    struct bench b;

    bench_begin(&b);
    bench_init(&b);
    start(&b);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_SEND);
    CU_ASSERT_EQUAL(gba_ue_ua_request(b.ua)->n_fields, 2);
    CU_ASSERT_STRING_EQUAL(gba_ue_ua_request(b.ua)->fields[0].value, "libgba-ue 3gpp-gba");
    reply(&b, 401, 0, "", CHALLENGE, NULL);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_GET_KEY);
    gba_ue_ua_wanted(b.ua, ua_id, &internal);
    UNIT_BYTES_EQ(ua_id, 5, "0100000002");
    CU_ASSERT(!internal);
    give_key(&b);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_SEND);
    CU_ASSERT_EQUAL(
        strncmp(authorization(&b),
                "Digest username=\"" BTID "\", " GBA
                ", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
                "uri=\"" URI
                "\", qop=auth-int, nc=00000001, cnonce=\"6629fae46629fae46629fae46629fae4\", ",
                300),
        0);
    make_info(&b, "<simservs/>", "", info);
    reply(&b, 200, 0, "<simservs/>", info, NULL);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_DONE);
    bench_end(&b);
}

/* e2e.json, gba-me-1-imsi-auth-int: response and rspauth with the published cnonce. */
static void test_published_figures(void)
{
    static const struct {
        const char *method, *body, *nc, *response, *answer_body, *rspauth;
    } rows[] = {
        {"GET", "", "00000001", "3021118e887ccb5ff56d43e7af7a689d", "",
         "0a7220ca58591ab82caab8bfe617b70f"},
        {"PUT",
         "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<communication-waiting "
         "xmlns=\"http://uri.etsi.org/ngn/params/xml/simservs/xcap\" active=\"true\"/>\n",
         "00000002", "437496817a666ffd096f8df46de80716", "",
         "b47a9b9b858fdf0431a56488ef2819d7"},
        {"GET", "", "00000001", "3021118e887ccb5ff56d43e7af7a689d", "<simservs/>",
         "fca19faf116ff2c70baad209b95a847e"},
    };

    for (size_t i = 0; i < 3; i++) {
        char pw[45], got[GBA_DIGEST_HEX_SIZE], info[256];
        struct bench b;

        bench_begin(&b);
        bench_init(&b);
        start(&b);
        reply(&b, 401, 0, "", CHALLENGE, NULL);
        give_key(&b);
        /* the same state with the published cnonce of 16 digits */
        strcpy(b.ua->cnonce, "6629fae49393a053");
        strcpy(b.ua->nc_text, rows[i].nc);
        gba_base64(pw, GBA_BYTES(b.key.key));
        const struct gba_digest_input in = {.algorithm = b.ua->algorithm,
                                            .qop = b.ua->qop,
                                            .username = gba_text(b.ua->key.btid),
                                            .realm = gba_text(b.ua->realm),
                                            .method = gba_text(rows[i].method),
                                            .uri = gba_text(b.ua->uri),
                                            .nonce = gba_text(b.ua->nonce),
                                            .nc = gba_text(b.ua->nc_text),
                                            .cnonce = gba_text(b.ua->cnonce),
                                            .password = gba_text_bytes(gba_text(pw)),
                                            .body = gba_text_bytes(gba_text(rows[i].body))};
        gba_digest_response(&in, got);
        CU_ASSERT_STRING_EQUAL(got, rows[i].response);
        snprintf(info, sizeof(info),
                 "Authentication-Info: qop=auth-int, rspauth=\"%s\", "
                 "cnonce=\"6629fae49393a053\", nc=%s",
                 rows[i].rspauth, rows[i].nc);
        reply(&b, 200, 0, rows[i].answer_body, info, NULL);
        CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_DONE);
        bench_end(&b);
    }
}

static void test_challenges(void)
{
    enum { HTTP, HTTPS, HTTP_REFUSED, UICC };
    static const struct {
        const char *what;
        int how;
        const char *f0, *f1;
        enum gba_err err;
        const char *expect; /* in Authorization */
    } rows[] = {
        {"plain Digest realm", HTTP,
         "WWW-Authenticate: Digest realm=\"x\", nonce=\"n\", qop=\"auth\"", NULL, GBA_E_REFUSED,
         ""},
        {"Basic", HTTP, "WWW-Authenticate: Basic realm=\"3GPP-bootstrapping@" NAF "\"", NULL,
         GBA_E_REFUSED, ""},
        {"nothing", HTTP, "X-Other: 1", NULL, GBA_E_REFUSED, ""},
        {"another NAF's realm", HTTP,
         "WWW-Authenticate: Digest realm=\"3GPP-bootstrapping@evil.example\", nonce=\"n\", "
         "qop=\"auth\"",
         NULL, GBA_E_BINDING, ""},
        {"no FQDN", HTTP,
         "WWW-Authenticate: Digest realm=\"3GPP-bootstrapping@\", nonce=\"n\", qop=\"auth\"",
         NULL, GBA_E_BINDING, ""},
        {"prefix of a name", HTTP,
         "WWW-Authenticate: Digest realm=\"3GPP-bootstrapping@" NAF
         ".evil\", nonce=\"n\", qop=\"auth\"",
         NULL, GBA_E_BINDING, ""},
        {"one realm of two is foreign", HTTP,
         "WWW-Authenticate: Digest realm=\"3GPP-bootstrapping@" NAF
         ";3GPP-bootstrapping-uicc@evil\", nonce=\"n\", qop=\"auth\"",
         NULL, GBA_E_BINDING, ""},
        {"SHA-512-256", HTTP,
         "WWW-Authenticate: Digest " GBA ", nonce=\"n\", qop=\"auth\", algorithm=SHA-512-256",
         NULL, GBA_E_ALGORITHM, ""},
        {"-sess", HTTP,
         "WWW-Authenticate: Digest " GBA ", nonce=\"n\", qop=\"auth\", algorithm=MD5-sess",
         NULL, GBA_E_ALGORITHM, ""},
        {"AKA", HTTP,
         "WWW-Authenticate: Digest " GBA ", nonce=\"n\", qop=\"auth\", algorithm=AKAv1-MD5",
         NULL, GBA_E_ALGORITHM, ""},
        {"no qop", HTTP, "WWW-Authenticate: Digest " GBA ", nonce=\"n\"", NULL, GBA_E_QOP, ""},
        {"empty nonce", HTTP, "WWW-Authenticate: Digest " GBA ", nonce=\"\", qop=\"auth\"",
         NULL, GBA_E_PROTOCOL, ""},
        {"repeated nonce", HTTP,
         "WWW-Authenticate: Digest " GBA ", nonce=\"a\", nonce=\"b\", qop=\"auth\"", NULL,
         GBA_E_PROTOCOL, ""},
        {"only for the UICC", HTTP,
         "WWW-Authenticate: Digest realm=\"3GPP-bootstrapping-uicc@" NAF
         "\", nonce=\"n\", qop=\"auth\"",
         NULL, GBA_E_FORBIDDEN, ""},
        {"http, not allowed", HTTP_REFUSED, CHALLENGE, NULL, GBA_E_DOWNGRADE, ""},
        {"https", HTTPS, CHALLENGE, NULL, GBA_OK, "algorithm=MD5"},
        {"two realms", HTTP,
         "WWW-Authenticate: Digest realm=\"3GPP-bootstrapping-uicc@" NAF
         ";3GPP-bootstrapping@" NAF "\", nonce=\"n\", qop=\"auth\"",
         NULL, GBA_OK, "realm=\"3GPP-bootstrapping@" NAF "\""},
        {"two realms, card with GBA_U: the ME's all the same", UICC,
         "WWW-Authenticate: Digest realm=\"3GPP-bootstrapping-uicc@" NAF
         ";3GPP-bootstrapping@" NAF "\", nonce=\"n\", qop=\"auth\"",
         NULL, GBA_OK, "realm=\"3GPP-bootstrapping@" NAF "\""},
        {"the UICC's realm with GBA_U", UICC,
         "WWW-Authenticate: Digest realm=\"3GPP-bootstrapping-uicc@" NAF
         "\", nonce=\"n\", qop=\"auth\"",
         NULL, GBA_OK, "realm=\"3GPP-bootstrapping-uicc@" NAF "\""},
        {"upper-case host", HTTP,
         "WWW-Authenticate: Digest "
         "realm=\"3GPP-bootstrapping@XCAP.ims.mnc001.mcc001.pub.3gppnetwork.org\", "
         "nonce=\"n\", qop=\"auth\"",
         NULL, GBA_OK, "realm=\"3GPP-bootstrapping@XCAP."},
        {"SHA-256 before MD5", HTTP, CHALLENGE,
         "WWW-Authenticate: Digest " GBA ", nonce=\"m\", qop=\"auth\", algorithm=SHA-256",
         GBA_OK, "algorithm=SHA-256"},
        {"SHA-256 first", HTTP,
         "WWW-Authenticate: Digest " GBA ", nonce=\"m\", qop=\"auth\", algorithm=SHA-256",
         CHALLENGE, GBA_OK, "algorithm=SHA-256"},
        {"auth-int before auth", HTTP,
         "WWW-Authenticate: Digest " GBA ", nonce=\"m\", qop=\"auth,auth-int\"", NULL, GBA_OK,
         "qop=auth-int"},
        {"auth alone", HTTP, "WWW-Authenticate: Digest " GBA ", nonce=\"m\", qop=\"auth\"",
         NULL, GBA_OK, "qop=auth,"},
        {"among others", HTTP,
         "WWW-Authenticate: Basic realm=\"a\", Digest realm=\"plain\", nonce=\"x\", "
         "qop=\"auth\", Digest " GBA ", nonce=\"m\", qop=\"auth\"",
         NULL, GBA_OK, "nonce=\"m\""},
        {"hidden names", HTTP,
         "WWW-Authenticate: Digest " GBA
         ", xnonce=\"evil\", opaque=\"z, nonce=inner\", nonce=\"m\", qop=\"auth\"",
         NULL, GBA_OK, "nonce=\"m\""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench b;

        bench_begin(&b);
        b.config.https = rows[i].how == HTTPS;
        b.config.allow_http = rows[i].how == HTTP || rows[i].how == UICC;
        b.config.gba_u = rows[i].how == UICC;
        bench_init(&b);
        start(&b);
        reply(&b, 401, 0xc02f, "", rows[i].f0, rows[i].f1);
        if (gba_ue_ua_error(b.ua) != rows[i].err)
            printf("\n    %s: %s\n", rows[i].what, gba_err_name(gba_ue_ua_error(b.ua)));
        CU_ASSERT_EQUAL(gba_ue_ua_error(b.ua), rows[i].err);
        CU_ASSERT_EQUAL(b.todo, rows[i].err == GBA_OK ? GBA_UE_UA_GET_KEY : GBA_UE_UA_FAILED);
        if (rows[i].err == GBA_OK)
            give_key(&b);
        if (strstr(authorization(&b), rows[i].expect) == NULL)
            printf("\n    %s: %s\n", rows[i].what, authorization(&b));
        CU_ASSERT_PTR_NOT_NULL(strstr(authorization(&b), rows[i].expect));
        bench_end(&b);
    }
}

/* TS 33.220 H: the Ua id belongs to the connection that carries Authorization. */
static void test_suite_of_the_connection(void)
{
    struct gba_ue_reply other = {.suite = 0x1301};
    struct gba_ue_ua_event ev = {
        .happened = GBA_UE_UA_EV_NO_REPLY, .err = GBA_E_MISDIRECTED, .reply = &other};
    uint8_t ua_id[5];
    bool internal;
    struct bench b;

    bench_begin(&b);
    b.config.https = true;
    bench_init(&b);
    start(&b);
    CU_ASSERT_EQUAL(gba_ue_ua_request(b.ua)->suite, 0);
    reply(&b, 401, 0xc02f, "", CHALLENGE, NULL);
    gba_ue_ua_wanted(b.ua, ua_id, &internal);
    UNIT_BYTES_EQ(ua_id, 5, "010001c02f");
    give_key(&b);
    CU_ASSERT_EQUAL(gba_ue_ua_request(b.ua)->suite, 0xc02f);
    CU_ASSERT_EQUAL(step(&b, &ev), GBA_OK);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_GET_KEY);
    gba_ue_ua_wanted(b.ua, ua_id, &internal);
    UNIT_BYTES_EQ(ua_id, 5, "0100011301");
    give_key(&b);
    CU_ASSERT_EQUAL(gba_ue_ua_request(b.ua)->suite, 0x1301);
    CU_ASSERT_EQUAL(step(&b, &ev), GBA_OK);
    give_key(&b);
    CU_ASSERT_EQUAL(step(&b, &ev), GBA_OK); /* not for ever */
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_FAILED);
    CU_ASSERT_EQUAL(gba_ue_ua_error(b.ua), GBA_E_MISDIRECTED);
    bench_end(&b);
}

#define STALE    "WWW-Authenticate: Digest " GBA ", nonce=\"new\", qop=\"auth-int\", stale=true"
#define NOTSTALE "WWW-Authenticate: Digest " GBA ", nonce=\"newer\", qop=\"auth-int\""

/* TS 24.109 5.2.5: stale=true asks for a digest, a 401 without it for one Ub run. */
static void test_renewal(void)
{
    char info[512];
    struct bench b;

    bench_begin(&b);
    bench_init(&b);
    start(&b);
    reply(&b, 401, 0, "", CHALLENGE, NULL);
    give_key(&b);
    reply(&b, 401, 0, "", STALE, NULL);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_SEND);
    CU_ASSERT_PTR_NOT_NULL(strstr(authorization(&b), "nonce=\"new\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(authorization(&b), "nc=00000001"));
    reply(&b, 401, 0, "", NOTSTALE, NULL);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_RENEW);
    strcpy(b.key.btid, "bmV3@x");
    give_key(&b);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_SEND);
    CU_ASSERT_PTR_NOT_NULL(strstr(authorization(&b), "username=\"bmV3@x\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(authorization(&b), "nonce=\"newer\""));
    make_info(&b, "", "", info);
    reply(&b, 200, 0, "", info, NULL);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_DONE);
    bench_end(&b);

    bench_begin(&b);
    bench_init(&b);
    start(&b);
    reply(&b, 401, 0, "", CHALLENGE, NULL);
    give_key(&b);
    reply(&b, 401, 0, "", NOTSTALE, NULL);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_RENEW);
    give_key(&b);
    reply(&b, 401, 0, "", NOTSTALE, NULL);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_FAILED);
    CU_ASSERT_EQUAL(gba_ue_ua_error(b.ua), GBA_E_REFUSED);
    bench_end(&b);

    bench_begin(&b); /* a NAF that says stale for ever */
    bench_init(&b);
    start(&b);
    reply(&b, 401, 0, "", CHALLENGE, NULL);
    give_key(&b);
    for (int i = 0; i < 10 && b.todo == GBA_UE_UA_SEND; i++)
        reply(&b, 401, 0, "", STALE, NULL);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_RENEW);
    give_key(&b);
    for (int i = 0; i < 10 && b.todo == GBA_UE_UA_SEND; i++)
        reply(&b, 401, 0, "", STALE, NULL);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_FAILED);
    bench_end(&b);

    bench_begin(&b); /* stale with another realm is no stale */
    b.config.gba_u = true;
    bench_init(&b);
    start(&b);
    reply(&b, 401, 0, "", CHALLENGE, NULL);
    give_key(&b);
    reply(&b, 401, 0, "",
          "WWW-Authenticate: Digest realm=\"3GPP-bootstrapping-uicc@" NAF
          "\", nonce=\"n\", qop=\"auth\", stale=true",
          NULL);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_RENEW);
    bench_end(&b);
}

static void test_info(void)
{
    static const struct {
        const char *what;
        bool https, must_fail;
        unsigned status;
        const char *from, *to;
    } rows[] = {
        {"right", false, false, 200, "", ""},
        {"no field", false, true, 200, "Authentication-Info", "X-Other"},
        {"no field over https", true, false, 200, "Authentication-Info", "X-Other"},
        {"no rspauth", false, true, 200, "rspauth", "xspauth"},
        {"wrong rspauth", false, true, 200, "rspauth=\"", "rspauth=\"00"},
        {"wrong rspauth over https", true, true, 200, "rspauth=\"", "rspauth=\"00"},
        {"another nc", false, true, 200, "nc=00000001", "nc=00000009"},
        {"another cnonce", false, true, 200, "cnonce=\"6", "cnonce=\"7"},
        {"another qop", false, true, 200, "qop=auth-int", "qop=auth"},
        {"malformed", false, true, 200, "qop=auth-int", "qop=\""},
        {"404 with the right one", false, false, 404, "", ""},
        {"404 without", false, false, 404, "Authentication-Info", "X-Other"},
        {"404 with a wrong one", false, true, 404, "rspauth=\"", "rspauth=\"00"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char info[512], changed[600], *at;
        struct bench b;

        bench_begin(&b);
        b.config.https = rows[i].https;
        bench_init(&b);
        start(&b);
        reply(&b, 401, 0xc02f, "", CHALLENGE, NULL);
        give_key(&b);
        make_info(&b, "body", "", info);
        at = strstr(info, rows[i].from);
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - info), info, rows[i].to,
                 at + strlen(rows[i].from));
        reply(&b, rows[i].status, 0xc02f, "body", changed, NULL);
        if ((b.todo == GBA_UE_UA_FAILED) != rows[i].must_fail)
            printf("\n    %s\n", rows[i].what);
        CU_ASSERT_EQUAL(b.todo == GBA_UE_UA_FAILED, rows[i].must_fail);
        CU_ASSERT_EQUAL(gba_ue_ua_error(b.ua), rows[i].must_fail ? GBA_E_RSPAUTH : GBA_OK);
        bench_end(&b);
    }
}

/* The next request goes out authorised at once: nc counts on, or begins again with nextnonce.
 */
static void test_next_request(void)
{
    char info[512];
    struct bench b;

    bench_begin(&b);
    bench_init(&b);
    start(&b);
    reply(&b, 401, 0, "", CHALLENGE, NULL);
    give_key(&b);
    make_info(&b, "", "", info);
    reply(&b, 200, 0, "", info, NULL);
    start(&b);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_SEND);
    CU_ASSERT_PTR_NOT_NULL(strstr(authorization(&b), "nc=00000002"));
    make_info(&b, "", ", nextnonce=\"later\"", info);
    reply(&b, 200, 0, "", info, NULL);
    start(&b);
    CU_ASSERT_PTR_NOT_NULL(strstr(authorization(&b), "nonce=\"later\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(authorization(&b), "nc=00000001"));
    bench_end(&b);
}

static void test_no_challenge(void)
{
    static const unsigned statuses[] = {200, 204, 302, 403, 404, 500};

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct bench b;

        bench_begin(&b);
        bench_init(&b);
        start(&b);
        reply(&b, statuses[i], 0, "", "X: y", NULL);
        CU_ASSERT_EQUAL(b.todo, GBA_UE_UA_DONE);
        bench_end(&b);
    }
}

static void test_all_pairs(void)
{
    static const char allowed[UA_N_STATES][UA_N_EVENTS + 1] = {
        /* START 401 2xx other LOST SUITE KEY NOKEY */
        [UA_IDLE] = "x.......",       [UA_ASKING] = ".xxxx...",   [UA_KEYING] = "......xx",
        [UA_AUTHORISED] = ".xxxxx..", [UA_RENEWING] = "......xx", [UA_DONE] = "x.......",
        [UA_FAILED] = "x.......",
    };
    static const unsigned statuses[] = {
        [UA_CHALLENGE] = 401, [UA_ANSWER] = 200, [UA_OTHER] = 404};
    static const enum gba_ue_ua_happened happened[] = {
        [UA_START] = GBA_UE_UA_EV_START,   [UA_CHALLENGE] = GBA_UE_UA_EV_REPLY,
        [UA_ANSWER] = GBA_UE_UA_EV_REPLY,  [UA_OTHER] = GBA_UE_UA_EV_REPLY,
        [UA_LOST] = GBA_UE_UA_EV_NO_REPLY, [UA_SUITE] = GBA_UE_UA_EV_NO_REPLY,
        [UA_KEY] = GBA_UE_UA_EV_KEY,       [UA_NO_KEY] = GBA_UE_UA_EV_NO_KEY};

    for (int state = 0; state < UA_N_STATES; state++)
        for (int event = 0; event < UA_N_EVENTS; event++) {
            struct gba_ue_reply r = {.status = event <= UA_OTHER ? statuses[event] : 0};
            struct gba_ue_ua_event ev = {.happened = happened[event],
                                         .reply = &r,
                                         .method = "GET",
                                         .uri = "/",
                                         .err = event == UA_SUITE ? GBA_E_MISDIRECTED
                                                                  : GBA_E_TIMEOUT};
            struct gba_ue_ua before;
            struct bench b;
            enum gba_err err;

            bench_begin(&b);
            bench_init(&b);
            ev.key = &b.key;
            b.ua->state = (enum ua_state)state;
            before = *b.ua;
            err = step(&b, &ev);
            if (allowed[state][event] == 'x') {
                CU_ASSERT_EQUAL(err, GBA_OK);
            } else {
                CU_ASSERT_EQUAL(err, GBA_E_UNEXPECTED);
                CU_ASSERT_EQUAL(memcmp(b.ua, &before, sizeof(before)), 0);
            }
            bench_end(&b);
        }
}

static void test_psk_identity(void)
{
    char out[GBA_UE_PSK_IDENTITY_SIZE];
    struct bench b;

    bench_begin(&b);
    CU_ASSERT_EQUAL(gba_ue_psk_identity(&b.key, false, out), GBA_OK);
    CU_ASSERT_STRING_EQUAL(out, "3GPP-bootstrapping;" BTID);
    CU_ASSERT_EQUAL(gba_ue_psk_identity(&b.key, true, out), GBA_OK);
    CU_ASSERT_STRING_EQUAL(out, BTID);
    b.key.internal = true;
    CU_ASSERT_EQUAL(gba_ue_psk_identity(&b.key, false, out), GBA_OK);
    CU_ASSERT_STRING_EQUAL(out, "3GPP-bootstrapping-uicc;" BTID);
}

static const struct unit_test tests[] = {
    {"a whole request", test_whole_request},
    {"published figures", test_published_figures},
    {"which challenge is answered", test_challenges},
    {"the suite of the connection", test_suite_of_the_connection},
    {"stale, and one Ub run", test_renewal},
    {"Authentication-Info", test_info},
    {"the next request", test_next_request},
    {"no challenge", test_no_challenge},
    {"all pairs of state and event", test_all_pairs},
    {"psk_identity", test_psk_identity},
};
UNIT_MAIN("ua_client", tests)
