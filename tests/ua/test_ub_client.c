/*
 * ua/ub_client.c and ua/ub_messages.c: the Ub run without any I/O.  All pairs of state and
 * event; the published flow to the letter; every way a challenge or a 200 may be wrong.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/sqn.h"
#include "tests/ua/fake_bsf.h"
#include "ua/ub_client.h"

#define IMPI "001010123456789@ims.mnc001.mcc001.3gppnetwork.org"
#define BSF  "bsf.mnc001.mcc001.pub.3gppnetwork.org"
#define TMPI "2rBy9bL8T/1NFq7GP5vqj0H26PadfXr8@tmpi.bsf.3gppnetwork.org"

/* One device against one fake BSF, stepped by hand. */
struct bench {
    struct fake_bsf bsf;
    struct gba_sqn_usim sqn;
    struct gba_aka_secret card;
    struct gba_ue *ue;
    enum gba_ue_todo todo;
    char reply_text[FAKE_REPLY_MAX];
    struct gba_ue_field fields[GBA_UE_MAX_FIELDS];
    struct gba_ue_config config;
    int64_t now_s;
};

static void bench_begin(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    fake_bsf_init(&b->bsf);
    b->card = b->bsf.secret;
    b->now_s = b->bsf.now_s;
    b->config = (struct gba_ue_config){.impi = IMPI, .bsf_fqdn = BSF};
}

static void card_answers(struct bench *b, struct gba_ue_aka *aka)
{
    const uint8_t *rand, *autn;
    uint8_t sqn[6], amf[2], masked[16], mask[20];
    struct gba_aka_functions f;
    struct gba_av av;
    bool gba;

    memset(aka, 0, sizeof(*aka));
    gba_ue_challenge(b->ue, &rand, &autn, &gba);
    memcpy(masked, autn, 16);
    if (gba) {
        gba_aka_functions(&b->card, rand, (const uint8_t[6]){0}, (const uint8_t[2]){0}, &f);
        gba_hash(GBA_SHA1, &GBA_BYTES(f.ik), 1, mask);
        for (size_t i = 0; i < 8; i++)
            masked[8 + i] ^= mask[i];
    }
    aka->result = gba_aka_open_autn(&b->card, rand, masked, sqn, amf, &av);
    if (aka->result == GBA_OK)
        aka->result = gba_sqn_accept(&b->sqn, gba_sqn_get(sqn));
    if (aka->result == GBA_E_SYNC) {
        gba_sqn_put(gba_sqn_ms(&b->sqn), sqn);
        gba_aka_make_auts(&b->card, rand, sqn, aka->auts);
    }
    if (aka->result != GBA_OK)
        return;
    aka->res_len = av.res_len;
    memcpy(aka->res, av.res, av.res_len);
    memcpy(aka->ck, av.ck, 16);
    memcpy(aka->ik, av.ik, 16);
    if (gba)
        aka->res[av.res_len - 1] ^= 1;
}

static size_t request_text(const struct gba_ue *ue, char *out, size_t cap)
{
    const struct gba_ue_request *r = gba_ue_request(ue);
    size_t n = (size_t)snprintf(out, cap, "%s / HTTP/1.1\r\n", r->method);

    for (size_t i = 0; i < r->n_fields; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s: %s\r\n", r->fields[i].name,
                              r->fields[i].value);
    return n + (size_t)snprintf(out + n, cap - n, "\r\n");
}

/* From the fake's octets to a reply. */
static void reply_of(struct bench *b, size_t n, struct gba_ue_reply *reply)
{
    char *body = strstr(b->reply_text, "\r\n\r\n");

    memset(reply, 0, sizeof(*reply));
    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    body += 4;
    reply->body = (const uint8_t *)body;
    reply->body_len = n - (size_t)(body - b->reply_text);
    CU_ASSERT_EQUAL(
        gba_ue_reply_parse(b->reply_text, (size_t)(body - b->reply_text), b->fields, reply),
        GBA_OK);
}

static void step(struct bench *b, struct gba_ue_event *ev)
{
    ev->now_s = b->now_s;
    memset(ev->entropy, 0x5a, sizeof(ev->entropy));
    CU_ASSERT_EQUAL(gba_ue_step(b->ue, ev, &b->todo), GBA_OK);
}

/* Runs to the end; returns the error of the run. */
static enum gba_err bench_run(struct bench *b)
{
    struct gba_ue_event ev = {.happened = GBA_UE_EV_START};
    struct gba_ue_reply reply;
    struct gba_ue_aka aka;
    static const uint8_t card_key[32] = {7};
    char request[8192];

    if (b->ue == NULL)
        b->ue = gba_ue_init(malloc(gba_ue_size()), gba_ue_size(), &b->config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b->ue);
    for (int i = 0; i < 20; i++) {
        step(b, &ev);
        if (b->todo == GBA_UE_DONE || b->todo == GBA_UE_FAILED)
            return gba_ue_error(b->ue);
        if (b->todo == GBA_UE_SEND) {
            request_text(b->ue, request, sizeof(request));
            reply_of(b, fake_bsf_answer(&b->bsf, request, b->reply_text), &reply);
            ev = (struct gba_ue_event){.happened = GBA_UE_EV_REPLY, .reply = &reply};
        } else if (b->todo == GBA_UE_ASK_USIM) {
            card_answers(b, &aka);
            ev = (struct gba_ue_event){.happened = GBA_UE_EV_AKA, .aka = &aka};
        } else {
            ev = (struct gba_ue_event){.happened = GBA_UE_EV_KEY, .key = card_key};
        }
    }
    CU_FAIL("the run does not end");
    return GBA_E_UNEXPECTED;
}

static void bench_end(struct bench *b)
{
    if (b->ue != NULL)
        gba_ue_end(b->ue);
    free(b->ue);
    b->ue = NULL;
}

static void test_whole_run(void)
{
    struct gba_ue_session s;
    struct bench b;

    bench_begin(&b);
    CU_ASSERT_EQUAL(bench_run(&b), GBA_OK);
    CU_ASSERT_EQUAL(b.bsf.n_requests, 2);
    CU_ASSERT_EQUAL(b.bsf.n_ok, 1);
    CU_ASSERT_EQUAL(gba_ue_session(b.ue, &s), GBA_OK);
    CU_ASSERT_STRING_EQUAL(s.btid, "I1U8vgAAAAAAAAAAAAAAAQ==@" BSF);
    CU_ASSERT_STRING_EQUAL(s.impi, IMPI);
    CU_ASSERT(gba_is_tmpi(gba_text(s.tmpi)));
    CU_ASSERT_EQUAL(s.expires_s, b.now_s + 3600);
    CU_ASSERT(s.has_ks && !s.gba_u);
    CU_ASSERT_STRING_EQUAL(b.bsf.agent, "libgba-ue 3gpp-gba-tmpi");
    bench_end(&b);
}

/* e2e.json gba-me-1-imsi-auth-int, octet by octet. */
static void test_published_flow(void)
{
    static const char first[] =
        "Digest username=\"" IMPI "\", realm=\"" BSF "\", nonce=\"\", uri=\"/\", response=\"\"";
    static const char second[] = "Digest username=\"" IMPI "\", realm=\"" BSF
                                 "\", nonce=\"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=\", "
                                 "uri=\"/\", qop=auth-int, nc=00000001, "
                                 "cnonce=\"0a4f113b0a4f113b0a4f113b0a4f113b\", response=\"";
    struct gba_ue_event ev = {.happened = GBA_UE_EV_START};
    struct gba_ue_field field = {
        "WWW-Authenticate",
        "Digest realm=\"" BSF "\", nonce=\"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=\", "
        "algorithm=AKAv1-MD5, qop=\"auth-int\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""};
    struct gba_ue_reply reply = {.status = 401, .fields = &field, .n_fields = 1};
    const struct gba_bytes res = unit_hex("a54211d5e3ba50bf");
    struct gba_ue_aka aka = {.result = GBA_OK, .res_len = 8};
    const char *authorization;
    struct bench b;

    bench_begin(&b);
    b.ue = gba_ue_init(malloc(gba_ue_size()), gba_ue_size(), &b.config);
    step(&b, &ev);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_SEND);
    CU_ASSERT_STRING_EQUAL(gba_ue_request(b.ue)->fields[2].value, first);
    ev = (struct gba_ue_event){.happened = GBA_UE_EV_REPLY, .reply = &reply};
    step(&b, &ev);
    CU_ASSERT_EQUAL(b.todo, GBA_UE_ASK_USIM);
    memcpy(aka.res, res.p, 8);
    ev = (struct gba_ue_event){.happened = GBA_UE_EV_AKA, .aka = &aka};
    for (int i = 0; i < 4; i++)
        memcpy(ev.entropy + 4 * i, "\x0a\x4f\x11\x3b", 4);
    CU_ASSERT_EQUAL(gba_ue_step(b.ue, &ev, &b.todo), GBA_OK);
    authorization = gba_ue_request(b.ue)->fields[2].value;
    CU_ASSERT_EQUAL(strncmp(authorization, second, strlen(second)), 0);
    CU_ASSERT_STRING_EQUAL(
        authorization + strlen(second) + 32,
        "\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", algorithm=AKAv1-MD5");
    bench_end(&b);
}

/* Every pair not in this list is refused, and changes nothing. */
static void test_all_pairs(void)
{
    static const char allowed[UB_N_STATES][UB_N_EVENTS + 1] = {
        /*                  S4254LRABCKN  START 401 200 4xx 5xx LOST RES AUTS BADMAC CARD KEY
           NOKEY */
        [UB_IDLE] = "x...........",       [UB_ASKED] = ".xxxxx......",
        [UB_CHALLENGED] = "......xxxx..", [UB_ANSWERED] = ".xxxxx......",
        [UB_RESYNCING] = ".xxxxx......",  [UB_REPORTED] = ".xxxxx......",
        [UB_DERIVING] = "..........xx",   [UB_DONE] = "x...........",
        [UB_FAILED] = "x...........",
    };
    static const unsigned statuses[] = {
        [UB_CHALLENGE] = 401, [UB_SUCCESS] = 200, [UB_REFUSAL] = 404, [UB_TROUBLE] = 503};
    static const enum gba_err results[] = {[UB_RES] = GBA_OK,
                                           [UB_AUTS] = GBA_E_SYNC,
                                           [UB_BAD_MAC] = GBA_E_MAC,
                                           [UB_CARD_FAILED] = GBA_E_USIM};
    static const uint8_t key[32];

    for (int state = 0; state < UB_N_STATES; state++)
        for (int event = 0; event < UB_N_EVENTS; event++) {
            struct gba_ue_reply reply = {
                .status = event >= UB_CHALLENGE && event <= UB_TROUBLE ? statuses[event] : 0};
            struct gba_ue_aka aka = {
                .result = event >= UB_RES && event <= UB_CARD_FAILED ? results[event] : GBA_OK,
                .res_len = 8};
            struct gba_ue_event ev = {.happened = event == UB_START         ? GBA_UE_EV_START
                                                  : event <= UB_TROUBLE     ? GBA_UE_EV_REPLY
                                                  : event == UB_LOST        ? GBA_UE_EV_NO_REPLY
                                                  : event <= UB_CARD_FAILED ? GBA_UE_EV_AKA
                                                  : event == UB_KEY         ? GBA_UE_EV_KEY
                                                                            : GBA_UE_EV_NO_KEY,
                                      .reply = &reply,
                                      .aka = &aka,
                                      .key = key,
                                      .err = GBA_E_TIMEOUT};
            enum gba_ue_todo todo = (enum gba_ue_todo)77;
            struct gba_ue *ue, before;
            struct bench b;
            enum gba_err err;

            bench_begin(&b);
            ue = gba_ue_init(malloc(gba_ue_size()), gba_ue_size(), &b.config);
            ue->state = (enum ub_state)state;
            before = *ue;
            err = gba_ue_step(ue, &ev, &todo);
            if (allowed[state][event] == 'x') {
                CU_ASSERT_EQUAL(err, GBA_OK);
                CU_ASSERT(ue->state != before.state);
            } else {
                CU_ASSERT_EQUAL(err, GBA_E_UNEXPECTED);
                CU_ASSERT_EQUAL(memcmp(ue, &before, sizeof(before)), 0);
                CU_ASSERT_EQUAL((int)todo, 77);
            }
            free(ue);
        }
}

static void test_bad_replies(void)
{
    static const struct {
        const char *what;
        struct fake_edit edits[2];
        enum gba_err err;
    } rows[] = {
        {"no field", {{401, false, "WWW-Authenticate", "X-Other"}}, GBA_E_PROTOCOL},
        {"another scheme", {{401, false, "Digest realm", "Basic realm"}}, GBA_E_PROTOCOL},
        {"another realm", {{401, false, "realm=\"bsf.", "realm=\"evil."}}, GBA_E_BINDING},
        {"empty realm", {{401, false, "realm=\"" BSF "\"", "realm=\"\""}}, GBA_E_BINDING},
        {"MD5", {{401, false, "AKAv1-MD5", "MD5"}}, GBA_E_ALGORITHM},
        {"-sess", {{401, false, "AKAv1-MD5", "AKAv1-MD5-sess"}}, GBA_E_ALGORITHM},
        {"AKAv2", {{401, false, "AKAv1-MD5", "AKAv2-SHA-256"}}, GBA_E_ALGORITHM},
        {"no algorithm", {{401, false, "algorithm=AKAv1-MD5, ", ""}}, GBA_E_ALGORITHM},
        {"qop auth", {{401, false, "auth-int", "auth"}}, GBA_E_QOP},
        {"no qop", {{401, false, "qop=\"auth-int\", ", ""}}, GBA_E_QOP},
        {"repeated nonce", {{401, false, "opaque=", "nonce=\"x\", opaque="}}, GBA_E_PROTOCOL},
        {"nonce of 31 octets",
         {{401, false, "nonce=\"I1U8vgAAAAAAAAAAAAAA", "nonce=\"I1U8vgAAAAAAAAAA"}},
         GBA_E_NONCE},
        {"empty nonce", {{401, false, "nonce=\"", "nonce=\"\", xx=\""}}, GBA_E_PROTOCOL},
        {"nonce not base64", {{401, false, "nonce=\"I", "nonce=\"!"}}, GBA_E_NONCE},
        {"redirect", {{401, false, "HTTP/1.1 401", "HTTP/1.1 302"}}, GBA_E_PROTOCOL},
        {"200 at once", {{401, false, "HTTP/1.1 401", "HTTP/1.1 200"}}, GBA_E_PROTOCOL},
        {"407", {{401, false, "HTTP/1.1 401", "HTTP/1.1 407"}}, GBA_E_REFUSED},
        {"201 instead of 200", {{200, false, "HTTP/1.1 200", "HTTP/1.1 201"}}, GBA_E_PROTOCOL},
        {"no Authentication-Info",
         {{200, false, "Authentication-Info", "X-Other"}},
         GBA_E_RSPAUTH},
        {"two Authentication-Info",
         {{200, false, "Content-Length",
           "Authentication-Info: qop=auth-int\r\nContent-Length"}},
         GBA_E_RSPAUTH},
        {"no rspauth", {{200, false, "rspauth=", "xrspauth="}}, GBA_E_RSPAUTH},
        {"empty rspauth", {{200, false, "rspauth=\"", "rspauth=\"\", x=\""}}, GBA_E_RSPAUTH},
        {"rspauth too long", {{200, false, "rspauth=\"", "rspauth=\"0"}}, GBA_E_RSPAUTH},
        {"another body", {{200, false, "<btid>I", "<btid>J"}}, GBA_E_RSPAUTH},
        {"longer body",
         {{200, false, "</BootstrappingInfo>", "</BootstrappingInfo> "}},
         GBA_E_RSPAUTH},
        {"qop auth in the info", {{200, false, "qop=auth-int", "qop=auth"}}, GBA_E_RSPAUTH},
        {"another cnonce", {{200, false, "cnonce=\"5", "cnonce=\"6"}}, GBA_E_RSPAUTH},
        {"another nc", {{200, false, "nc=00000001", "nc=00000002"}}, GBA_E_RSPAUTH},
        {"another RAND's B-TID", {{200, true, "<btid>I", "<btid>J"}}, GBA_E_PROTOCOL},
        {"B-TID without domain", {{200, true, "@" BSF, ""}}, GBA_E_PROTOCOL},
        {"no B-TID",
         {{200, true, "btid>", "xtid>"}, {200, true, "/btid>", "/xtid>"}},
         GBA_E_PROTOCOL},
        {"no XML", {{200, true, "<?xml", "xml"}}, GBA_E_PROTOCOL},
        {"a DTD", {{200, true, "<Bootstr", "<!DOCTYPE x><Bootstr"}}, GBA_E_PROTOCOL},
        {"no lifetime", {{200, true, "2026-01-02T04:04:05Z", ""}}, GBA_E_PROTOCOL},
        {"lifetime over",
         {{200, true, "2026-01-02T04:04:05Z", "2026-01-02T03:04:05Z"}},
         GBA_E_EXPIRED},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_ue_session s;
        struct bench b;
        enum gba_err err;

        bench_begin(&b);
        memcpy(b.bsf.edits, rows[i].edits, sizeof(rows[i].edits));
        err = bench_run(&b);
        if (err != rows[i].err)
            printf("\n    %s: expected %s got %s\n", rows[i].what, gba_err_name(rows[i].err),
                   gba_err_name(err));
        CU_ASSERT_EQUAL(err, rows[i].err);
        CU_ASSERT_EQUAL(b.todo, GBA_UE_FAILED);
        CU_ASSERT_EQUAL(gba_ue_session(b.ue, &s), GBA_E_UNEXPECTED);
        CU_ASSERT(gba_ue_why(b.ue)[0] != '\0');
        bench_end(&b);
    }
}

/* What real servers and proxies do. */
static void test_tolerated_replies(void)
{
    static const struct fake_edit rows[] = {
        {401, false, "WWW-Authenticate", "www-authenticate"},
        {401, false, "WWW-Authenticate",
         "WWW-Authenticate: Basic realm=\"x\"\r\nWWW-Authenticate"},
        {401, false, "Digest realm", "Negotiate, Digest realm"},
        {401, false, "WWW-Authenticate",
         "WWW-Authenticate: Digest realm=\"" BSF
         "\", nonce=\"x\", algorithm=MD5, qop=\"auth\"\r\nWWW-Authenticate"},
        {401, false, "qop=\"auth-int\"", "qop=\"auth,auth-int\""},
        {401, false, "qop=\"auth-int\"", "qop=auth-int"},
        {401, false, "algorithm=AKAv1-MD5", "algorithm=\"akav1-md5\""},
        {401, false, ", opaque=\"5ccc069c\"", ""},
        {401, false, "opaque=\"5ccc069c\"", "opaque=\"a, \\\"b\\\" nonce=x\""},
        {401, false, "opaque=", "xnonce=\"evil\", stale=false, opaque="},
        {401, false, "realm=\"bsf.", "realm=\"BSF."},
        {401, false, "Server:", "Via: 1.1 proxy\r\nServer:"},
        {200, false, ", cnonce=", ", xcnonce="},
        {200, false, "Authentication-Info", "authentication-info"},
        {200, false, "rspauth=", "nextnonce=\"abc\", rspauth="},
        {200, false, "application/vnd.3gpp.bsf+xml", "text/xml"},
        {200, true, BSF, "bsf.ims.mnc001.mcc001.pub.3gppnetwork.org"},
        {200, true, "uri:3gpp-gba", "uri:other"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench b;
        enum gba_err err;

        bench_begin(&b);
        b.bsf.edits[0] = rows[i];
        err = bench_run(&b);
        if (err != GBA_OK)
            printf("\n    %s -> %s: %s (%s)\n", rows[i].from, rows[i].to, gba_err_name(err),
                   gba_ue_why(b.ue));
        CU_ASSERT_EQUAL(err, GBA_OK);
        bench_end(&b);
    }
}

static void test_statuses(void)
{
    static const struct {
        unsigned first, answer;
        enum gba_err err;
        unsigned retry_after_s;
    } rows[] = {
        {400, 0, GBA_E_REFUSED, 0},  {403, 0, GBA_E_REFUSED, 0},  {404, 0, GBA_E_REFUSED, 0},
        {500, 0, GBA_E_OVERLOAD, 7}, {503, 0, GBA_E_OVERLOAD, 7}, {302, 0, GBA_E_PROTOCOL, 7},
        {429, 0, GBA_E_OVERLOAD, 7}, /* too many: not a refusal of this identity */
        {0, 403, GBA_E_REFUSED, 0},  {0, 503, GBA_E_OVERLOAD, 0}, {0, 404, GBA_E_REFUSED, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench b;

        bench_begin(&b);
        b.bsf.refuse_first = rows[i].first;
        b.bsf.refuse_answer = rows[i].answer;
        CU_ASSERT_EQUAL(bench_run(&b), rows[i].err);
        CU_ASSERT_EQUAL(gba_ue_http_status(b.ue),
                        rows[i].first != 0 ? rows[i].first : rows[i].answer);
        CU_ASSERT_EQUAL(gba_ue_retry_after_s(b.ue), rows[i].retry_after_s);
        bench_end(&b);
    }
}

/* RFC 3310 3.4: one AUTS per run. */
static void test_resynchronisation(void)
{
    struct bench b;

    bench_begin(&b);
    b.sqn.seq[3] = 1000;
    b.sqn.seq[0] = 900;
    CU_ASSERT_EQUAL(bench_run(&b), GBA_OK);
    CU_ASSERT_EQUAL(b.bsf.n_auts, 1);
    CU_ASSERT_EQUAL(b.bsf.n_challenges, 2);
    CU_ASSERT_EQUAL(b.sqn.seq[0], 1001);
    bench_end(&b);

    bench_begin(&b);
    b.sqn.seq[0] = 900;
    b.bsf.stale_always = true;
    CU_ASSERT_EQUAL(bench_run(&b), GBA_E_SYNC);
    CU_ASSERT_EQUAL(b.bsf.n_auts, 1);
    CU_ASSERT_EQUAL(b.bsf.n_requests, 2);
    bench_end(&b);
}

static void test_mac_failure(void)
{
    struct bench b;

    bench_begin(&b);
    b.card.k[0] ^= 1;
    CU_ASSERT_EQUAL(bench_run(&b), GBA_E_MAC);
    CU_ASSERT_EQUAL(b.bsf.n_requests, 1); /* by default nothing more is sent */
    bench_end(&b);

    bench_begin(&b);
    b.card.k[0] ^= 1;
    b.config.report_mac_failure = true;
    CU_ASSERT_EQUAL(bench_run(&b), GBA_E_MAC);
    CU_ASSERT_EQUAL(b.bsf.n_mac_failures, 1);
    CU_ASSERT_PTR_NULL(strstr(b.bsf.authorization, "auts"));
    bench_end(&b);
}

/* Any final 4xx to a TMPI: forget it, once more with the IMPI. */
static void test_tmpi(void)
{
    struct bench b;

    bench_begin(&b);
    b.config.tmpi = TMPI;
    CU_ASSERT_EQUAL(bench_run(&b), GBA_OK);
    CU_ASSERT_STRING_EQUAL(b.bsf.username, TMPI);
    CU_ASSERT(!gba_ue_tmpi_refused(b.ue));
    bench_end(&b);

    bench_begin(&b);
    b.config.tmpi = TMPI;
    b.bsf.refuse_tmpi = true;
    CU_ASSERT_EQUAL(bench_run(&b), GBA_OK);
    CU_ASSERT_STRING_EQUAL(b.bsf.username, IMPI);
    CU_ASSERT(gba_ue_tmpi_refused(b.ue));
    CU_ASSERT_EQUAL(b.bsf.n_requests, 3);
    bench_end(&b);

    bench_begin(&b); /* refused at the answer, and the IMPI as well: twice, not for ever */
    b.config.tmpi = TMPI;
    b.bsf.refuse_answer = 403;
    CU_ASSERT_EQUAL(bench_run(&b), GBA_E_REFUSED);
    CU_ASSERT(gba_ue_tmpi_refused(b.ue));
    CU_ASSERT_EQUAL(b.bsf.n_requests, 4);
    bench_end(&b);

    bench_begin(&b); /* a 401 that is no challenge is a refusal as well */
    b.config.tmpi = TMPI;
    b.bsf.edits[0] = (struct fake_edit){401, false, "WWW-Authenticate", "X"};
    CU_ASSERT_EQUAL(bench_run(&b), GBA_E_PROTOCOL);
    CU_ASSERT(gba_ue_tmpi_refused(b.ue));
    CU_ASSERT_EQUAL(b.bsf.n_requests, 2);
    bench_end(&b);

    bench_begin(&b); /* something that is no TMPI is not sent */
    b.config.tmpi = "x@tmpi.bsf.3gppnetwork.org";
    CU_ASSERT_EQUAL(bench_run(&b), GBA_OK);
    CU_ASSERT_STRING_EQUAL(b.bsf.username, IMPI);
    bench_end(&b);

    bench_begin(&b); /* no token, no TMPI */
    b.bsf.edits[0] = (struct fake_edit){200, false, "3gpp-gba-tmpi", "3gpp-gba-tmpix"};
    CU_ASSERT_EQUAL(bench_run(&b), GBA_OK);
    CU_ASSERT_STRING_EQUAL(b.ue->new_tmpi, "");
    bench_end(&b);
}

static void test_wrong_res_is_tried_twice_at_most(void)
{
    struct bench b;

    bench_begin(&b);
    b.bsf.refuse_answer = 401; /* a 401 without challenge */
    CU_ASSERT_EQUAL(bench_run(&b), GBA_E_RES);
    bench_end(&b);

    bench_begin(&b);
    b.config.bsf_fqdn = BSF;
    b.bsf.gba_u =
        true; /* a BSF that wants another RES than this card gives, with a valid MAC for none */
    CU_ASSERT_EQUAL(bench_run(&b), GBA_E_MAC);
    bench_end(&b);
}

/* A challenge that expired gets one more try; a BSF that is never content does not get a
 * hundred. */
static void test_new_challenge_once(void)
{
    struct bench b;

    bench_begin(&b);
    b.bsf.never_satisfied = true;
    CU_ASSERT_EQUAL(bench_run(&b), GBA_E_RES);
    CU_ASSERT_EQUAL(b.bsf.n_challenges, 3);
    bench_end(&b);
}

static void test_lifetime(void)
{
    struct gba_ue_session s;
    struct bench b;

    bench_begin(&b); /* a device without a clock: currenttime says how long */
    b.bsf.currenttime = true;
    b.now_s = 1000;
    CU_ASSERT_EQUAL(bench_run(&b), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_session(b.ue, &s), GBA_OK);
    CU_ASSERT_EQUAL(s.expires_s, 1000 + 3600);
    bench_end(&b);

    bench_begin(&b);
    b.config.max_life_s = 60;
    CU_ASSERT_EQUAL(bench_run(&b), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_session(b.ue, &s), GBA_OK);
    CU_ASSERT_EQUAL(s.expires_s, b.now_s + 60);
    bench_end(&b);
}

static void test_gba_u(void)
{
    struct gba_ue_session s;
    struct bench b;

    bench_begin(&b);
    b.config.gba_u = b.bsf.gba_u = true;
    CU_ASSERT_EQUAL(bench_run(&b), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_session(b.ue, &s), GBA_OK);
    CU_ASSERT(s.gba_u && !s.has_ks);
    /* The TMPI from the card's Ks_ext_NAF (here 07 00 ...). */
    CU_ASSERT_STRING_EQUAL(s.tmpi, "BwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA@tmpi.bsf.3gppnetwork.org");
    for (size_t i = 0; i < sizeof(b.ue->ks); i++)
        CU_ASSERT_EQUAL(b.ue->ks.octets[i], 0);
    bench_end(&b);

    bench_begin(&b); /* a GBA_U card does not run GBA_ME instead */
    b.config.gba_u = true;
    CU_ASSERT_EQUAL(bench_run(&b), GBA_E_MAC);
    bench_end(&b);
}

static void test_bad_configuration(void)
{
    static char long_name[400];
    void *mem = malloc(gba_ue_size());
    const struct gba_ue_config rows[] = {
        {.impi = NULL, .bsf_fqdn = BSF},
        {.impi = "", .bsf_fqdn = BSF},
        {.impi = "nodomain", .bsf_fqdn = BSF},
        {.impi = IMPI, .bsf_fqdn = NULL},
        {.impi = IMPI, .bsf_fqdn = ""},
        {.impi = IMPI, .bsf_fqdn = "a b"},
        {.impi = IMPI, .bsf_fqdn = long_name},
        {.impi = IMPI, .bsf_fqdn = BSF, .uri = long_name},
        {.impi = IMPI, .bsf_fqdn = BSF, .product = long_name},
    };

    memset(long_name, 'a', sizeof(long_name) - 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT_PTR_NULL(gba_ue_init(mem, gba_ue_size(), &rows[i]));
    CU_ASSERT_PTR_NULL(gba_ue_init(mem, gba_ue_size() - 1,
                                   &(struct gba_ue_config){.impi = IMPI, .bsf_fqdn = BSF}));
    free(mem);
}

/* Nothing secret is left where a run ended, well or not. */
static void test_secrets_are_wiped(void)
{
    struct bench b;

    bench_begin(&b);
    b.bsf.refuse_answer = 403;
    CU_ASSERT_EQUAL(bench_run(&b), GBA_E_REFUSED);
    for (size_t i = 0; i < sizeof(b.ue->ks); i++)
        CU_ASSERT_EQUAL(b.ue->ks.octets[i], 0);
    for (size_t i = 0; i < sizeof(b.ue->res); i++)
        CU_ASSERT_EQUAL(b.ue->res[i], 0);
    bench_end(&b);
}

static const struct unit_test tests[] = {
    {"a whole run", test_whole_run},
    {"the published flow", test_published_flow},
    {"all pairs of state and event", test_all_pairs},
    {"wrong challenges and wrong 200s", test_bad_replies},
    {"what is tolerated", test_tolerated_replies},
    {"statuses", test_statuses},
    {"resynchronisation, once", test_resynchronisation},
    {"MAC failure", test_mac_failure},
    {"TMPI", test_tmpi},
    {"wrong RES", test_wrong_res_is_tried_twice_at_most},
    {"a new challenge, once", test_new_challenge_once},
    {"lifetime", test_lifetime},
    {"GBA_U", test_gba_u},
    {"bad configuration", test_bad_configuration},
    {"secrets are wiped", test_secrets_are_wiped},
};
UNIT_MAIN("ub_client", tests)
