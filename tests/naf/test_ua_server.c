/*
 * Ua with HTTP Digest through the public functions, with virtual time and no BSF: what is
 * accepted, every refusal by table, nonces, realms, and the event x state table.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/gba_naf.h"

#include <stdio.h>
#include <string.h>

#include "naf/gba_naf_impl.h"
#include "tests/naf/fake_zn.h"
#include "tests/unit.h"

#define T0   1000000
#define BTID "AAECAwQFBgcICQoLDA0ODw==@bsf.example"

static const char *const names[] = {"naf.example", "other.example"};
static const uint8_t secret[32] = {1, 2, 3};
static const uint8_t entropy[16] = {9};
static struct fake_zn fake;

static struct gba_naf *make(const struct gba_naf_config *more)
{
    struct gba_naf_config c = *more;
    struct gba_naf *naf;

    c.fqdns = names;
    c.n_fqdns = 2;
    c.nonce_secret = secret;
    fake_zn_init(&fake);
    CU_ASSERT_EQUAL_FATAL(naf_new_with_zn(&c, &fake.zn, &naf), GBA_OK);
    return naf;
}

static struct gba_naf_request request(const char *authorization)
{
    return (struct gba_naf_request){.method = "GET",
                                    .target = "/a?b=c",
                                    .host = "naf.example:8080",
                                    .authorization = authorization,
                                    .n_authorization = authorization != NULL,
                                    .now_s = T0,
                                    .entropy = entropy};
}

static struct gba_zn_answer usual_answer(void)
{
    struct gba_zn_answer a = {.impi = "user@example", .expiry_s = T0 + 10000};

    memset(a.me_key.octets, 0x11, 32);
    memset(a.uicc_key.octets, 0x22, 32);
    return a;
}

/* What a UE puts into Authorization; fields that are NULL take the usual value, "-" leaves the
 * parameter out. */
struct ue {
    const char *username, *realm, *nonce, *uri, *algorithm, *qop, *nc, *opaque, *extra, *method;
    const char *response;
    uint8_t key;
    struct gba_bytes body;
};

static const char *or_else(const char *s, const char *usual)
{
    return s != NULL ? s : usual;
}

static void put(char *out, size_t cap, const char *name, const char *value, bool quoted)
{
    size_t n = strlen(out);

    if (strcmp(value, "-") != 0)
        snprintf(out + n, cap - n, quoted ? "%s%s=\"%s\"" : "%s%s=%s", n > 7 ? ", " : "", name,
                 value);
}

static const char *authorization(const struct ue *u, char out[static 2048])
{
    char password[45], response[GBA_DIGEST_HEX_SIZE];
    uint8_t key[32];
    const char *algorithm = or_else(u->algorithm, "SHA-256");
    struct gba_digest_input in = {
        .qop =
            strcmp(or_else(u->qop, "auth"), "auth-int") == 0 ? GBA_QOP_AUTH_INT : GBA_QOP_AUTH,
        .username = gba_text(or_else(u->username, BTID)),
        .realm = gba_text(or_else(u->realm, "3GPP-bootstrapping@naf.example")),
        .method = gba_text(or_else(u->method, "GET")),
        .uri = gba_text(or_else(u->uri, "/a?b=c")),
        .nonce = gba_text(u->nonce),
        .nc = gba_text(or_else(u->nc, "00000001")),
        .cnonce = GBA_TEXT("xyz"),
        .body = u->body,
    };

    memset(key, u->key != 0 ? u->key : 0x11, sizeof(key));
    gba_base64(password, GBA_BYTES(key));
    in.password = gba_text_bytes(gba_text(password));
    if (gba_digest_algorithm_by_name(gba_text(algorithm), &in.algorithm) != GBA_OK)
        in.algorithm = GBA_DIGEST_MD5;
    gba_digest_response(&in, response);
    memcpy(out, "Digest ", sizeof("Digest "));
    put(out, 2048, "username", or_else(u->username, BTID), true);
    put(out, 2048, "realm", or_else(u->realm, "3GPP-bootstrapping@naf.example"), true);
    put(out, 2048, "nonce", u->nonce, true);
    put(out, 2048, "uri", or_else(u->uri, "/a?b=c"), true);
    put(out, 2048, "algorithm", algorithm, false);
    put(out, 2048, "qop", or_else(u->qop, "auth"), false);
    put(out, 2048, "nc", or_else(u->nc, "00000001"), false);
    put(out, 2048, "cnonce", strcmp(or_else(u->nc, ""), "-") == 0 ? "-" : "xyz", true);
    put(out, 2048, "response", or_else(u->response, response), true);
    if (u->opaque != NULL)
        put(out, 2048, "opaque", u->opaque, true);
    if (u->extra != NULL)
        strcat(out, u->extra);
    return out;
}

/* The value of a parameter of a header field. */
static void param(const char *field, const char *name, char *out, size_t cap)
{
    char key[32];
    const char *p, *end;

    out[0] = '\0';
    snprintf(key, sizeof(key), "%s=\"", name);
    p = strstr(field, key);
    if (p == NULL)
        return;
    p += strlen(key);
    end = strchr(p, '"');
    gba_text_copy(out, cap, (struct gba_text){p, (size_t)(end - p)});
}

static const char *header(const struct gba_naf_exchange *x, size_t i)
{
    const char *name, *value;

    return gba_naf_header(x, i, &name, &value) ? value : "";
}

static void first_nonce_at(struct gba_naf *naf, int64_t now, const char *host,
                           char out[static 64])
{
    struct gba_naf_request rq = request(NULL);
    struct gba_naf_exchange *x;

    rq.now_s = now;
    rq.host = host;
    CU_ASSERT_EQUAL(gba_naf_authenticate(naf, &rq, &x), GBA_NAF_CHALLENGE);
    param(header(x, 0), "nonce", out, 64);
    gba_naf_exchange_free(x);
}

static void first_nonce(struct gba_naf *naf, char out[static 64])
{
    first_nonce_at(naf, T0, "naf.example", out);
}

/* One request to its end; a question over Zn gets this answer. */
static struct gba_naf_exchange *run(struct gba_naf *naf, const struct gba_naf_request *rq,
                                    enum gba_err err, const struct gba_zn_answer *a)
{
    struct gba_naf_exchange *x;

    if (gba_naf_authenticate(naf, rq, &x) == GBA_NAF_WAIT)
        fake_zn_answer(&fake, err, a);
    CU_ASSERT_NOT_EQUAL(gba_naf_exchange_verdict(x), GBA_NAF_WAIT);
    return x;
}

static void test_challenge(void)
{
    struct gba_naf *naf = make(&(struct gba_naf_config){.n_gsids = 0});
    struct gba_naf_request rq = request(NULL);
    struct gba_naf_exchange *x;
    char text[256];

    CU_ASSERT_EQUAL(gba_naf_authenticate(naf, &rq, &x), GBA_NAF_CHALLENGE);
    CU_ASSERT_EQUAL(gba_naf_status(x), 401);
    CU_ASSERT_EQUAL(gba_naf_reason(x), GBA_E_NO_AUTHORIZATION);
    CU_ASSERT_PTR_NOT_NULL(strstr(header(x, 0), "algorithm=SHA-256"));
    CU_ASSERT_PTR_NOT_NULL(strstr(header(x, 1), "algorithm=MD5"));
    CU_ASSERT_PTR_NULL(strstr(header(x, 0), "stale"));
    param(header(x, 0), "realm", text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "3GPP-bootstrapping@naf.example");
    param(header(x, 0), "qop", text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "auth,auth-int");
    CU_ASSERT_STRING_EQUAL(header(x, 2), "");
    CU_ASSERT_STRING_EQUAL(gba_naf_btid(x), "");
    gba_naf_exchange_free(x);
    CU_ASSERT_EQUAL(fake.n_asked, 0);
    gba_naf_free(naf);
}

static void check_info(struct gba_naf_exchange *x, const struct ue *u, const char *body)
{
    char expected[GBA_DIGEST_HEX_SIZE], got[80], password[45];
    uint8_t key[32];
    const char *info;
    struct gba_digest_input in = {
        .qop = u->qop != NULL ? GBA_QOP_AUTH_INT : GBA_QOP_AUTH,
        .algorithm = u->algorithm != NULL ? GBA_DIGEST_MD5 : GBA_DIGEST_SHA256,
        .username = GBA_TEXT(BTID),
        .realm = GBA_TEXT("3GPP-bootstrapping@naf.example"),
        .uri = GBA_TEXT("/a?b=c"),
        .nonce = gba_text(u->nonce),
        .nc = GBA_TEXT("00000001"),
        .cnonce = GBA_TEXT("xyz"),
        .body = gba_text_bytes(gba_text(body)),
    };

    memset(key, 0x11, sizeof(key));
    gba_base64(password, GBA_BYTES(key));
    in.password = gba_text_bytes(gba_text(password));
    gba_digest_response(&in, expected);
    CU_ASSERT_EQUAL(gba_naf_finish(x, (const uint8_t *)body, strlen(body), &info), GBA_OK);
    param(info, "rspauth", got, sizeof(got));
    CU_ASSERT_STRING_EQUAL(got, expected);
    CU_ASSERT_PTR_NOT_NULL(strstr(info, "nc=00000001"));
    CU_ASSERT_PTR_NOT_NULL(strstr(info, "cnonce=\"xyz\""));
}

static void test_accept(void)
{
    static const char upload[] = "hello";
    const struct {
        const char *algorithm, *qop;
    } rows[] = {{NULL, NULL}, {"MD5", NULL}, {NULL, "auth-int"}, {"MD5", "auth-int"}};

    for (size_t i = 0; i < 4; i++) {
        struct gba_naf *naf = make(&(struct gba_naf_config){.n_gsids = 0});
        struct gba_zn_answer a = usual_answer();
        struct ue u = {.algorithm = rows[i].algorithm, .qop = rows[i].qop};
        struct gba_naf_request rq;
        struct gba_naf_exchange *x;
        char nonce[64], text[2048];

        first_nonce(naf, nonce);
        u.nonce = nonce;
        u.body = gba_text_bytes(gba_text(upload));
        rq = request(authorization(&u, text));
        rq.body = u.body.p;
        rq.body_len = u.body.n;
        x = run(naf, &rq, GBA_OK, &a);
        CU_ASSERT_EQUAL(gba_naf_wait(x), GBA_NAF_ACCEPT);
        CU_ASSERT_STRING_EQUAL(gba_naf_btid(x), BTID);
        CU_ASSERT_STRING_EQUAL(gba_naf_impi(x), "user@example");
        CU_ASSERT_EQUAL(gba_naf_expires(x), T0 + 10000);
        CU_ASSERT_EQUAL(gba_naf_key_type(x), GBA_NAF_KEY_ME);
        check_info(x, &u, "a page");
        gba_naf_exchange_free(x);
        UNIT_BYTES_EQ(fake.asked[0].naf_id.octets, fake.asked[0].naf_id.n,
                      "6e61662e6578616d706c650100000002");
        if (rows[i].qop != NULL) { /* auth-int: another body is another request */
            u.nc = "00000002";
            rq.authorization = authorization(&u, text);
            rq.body = (const uint8_t *)"hellO";
            x = run(naf, &rq, GBA_OK, &a);
            CU_ASSERT_EQUAL(gba_naf_reason(x), GBA_E_RES);
            gba_naf_exchange_free(x);
        }
        gba_naf_free(naf);
    }
}

/* Each row changes one thing. */
static void test_refusals(void)
{
    static const struct {
        const char *what;
        struct ue u;
        const char *host, *sni, *target;
        unsigned n_authorization;
        unsigned status;
        enum gba_err reason;
        bool stale, asks;
    } rows[] = {
        {.what = "as it should be", .status = 200, .reason = GBA_OK, .asks = true},
        {.what = "wrong key",
         .u = {.key = 0x12},
         .status = 401,
         .reason = GBA_E_RES,
         .asks = true},
        {.what = "key of the UICC",
         .u = {.key = 0x22},
         .status = 401,
         .reason = GBA_E_RES,
         .asks = true},
        {.what = "another method",
         .u = {.method = "PUT"},
         .status = 401,
         .reason = GBA_E_RES,
         .asks = true},
        {.what = "not Digest",
         .u = {.response = "BASIC"},
         .status = 401,
         .reason = GBA_E_NOT_DIGEST},
        {.what = "two fields", .n_authorization = 2, .status = 400, .reason = GBA_E_REPEATED},
        {.what = "nonce twice",
         .u = {.extra = ", nonce=\"x\""},
         .status = 400,
         .reason = GBA_E_REPEATED},
        {.what = "xnonce is another",
         .u = {.extra = ", xnonce=\"x\""},
         .status = 200,
         .reason = GBA_OK,
         .asks = true},
        {.what = "no username", .u = {.username = "-"}, .status = 400, .reason = GBA_E_MISSING},
        {.what = "no uri", .u = {.uri = "-"}, .status = 400, .reason = GBA_E_MISSING},
        {.what = "no nc", .u = {.nc = "-"}, .status = 400, .reason = GBA_E_MISSING},
        {.what = "short nc", .u = {.nc = "1"}, .status = 400, .reason = GBA_E_SYNTAX},
        {.what = "response not hex",
         .u = {.response = "zz"},
         .status = 400,
         .reason = GBA_E_SYNTAX},
        {.what = "no qop", .u = {.qop = "-", .nc = "-"}, .status = 401, .reason = GBA_E_QOP},
        {.what = "qop unknown", .u = {.qop = "auth-conf"}, .status = 401, .reason = GBA_E_QOP},
        {.what = "algorithm unknown",
         .u = {.algorithm = "SHA-1"},
         .status = 400,
         .reason = GBA_E_ALGORITHM},
        {.what = "algorithm not offered",
         .u = {.algorithm = "MD5-sess"},
         .status = 400,
         .reason = GBA_E_ALGORITHM},
        {.what = "AKA is for Ub",
         .u = {.algorithm = "AKAv1-MD5"},
         .status = 400,
         .reason = GBA_E_ALGORITHM},
        {.what = "userhash",
         .u = {.extra = ", userhash=true"},
         .status = 400,
         .reason = GBA_E_UNSUPPORTED},
        {.what = "opaque not ours",
         .u = {.opaque = "abc"},
         .status = 401,
         .reason = GBA_E_BINDING},
        {.what = "realm without prefix",
         .u = {.realm = "naf.example"},
         .status = 401,
         .reason = GBA_E_BINDING},
        {.what = "realm not offered",
         .u = {.realm = "3GPP-bootstrapping-uicc@naf.example"},
         .status = 401,
         .reason = GBA_E_BINDING},
        {.what = "realm of another",
         .u = {.realm = "3GPP-bootstrapping@evil.example"},
         .status = 421,
         .reason = GBA_E_MISDIRECTED},
        {.what = "realm of another name of ours",
         .u = {.realm = "3GPP-bootstrapping@other.example"},
         .status = 421,
         .reason = GBA_E_MISDIRECTED},
        {.what = "host not ours",
         .host = "evil.example",
         .status = 421,
         .reason = GBA_E_MISDIRECTED},
        {.what = "host in capitals",
         .host = "NAF.Example.",
         .status = 200,
         .reason = GBA_OK,
         .asks = true},
        {.what = "SNI of another name",
         .sni = "other.example",
         .status = 421,
         .reason = GBA_E_MISDIRECTED},
        {.what = "no B-TID",
         .u = {.username = "user@example"},
         .status = 401,
         .reason = GBA_E_BTID},
        {.what = "B-TID of 15 octets",
         .u = {.username = "AAECAwQFBgcICQoLDA0O@bsf.example"},
         .status = 401,
         .reason = GBA_E_BTID},
        {.what = "uri of another resource",
         .u = {.uri = "/x"},
         .status = 400,
         .reason = GBA_E_HTTP},
        {.what = "uri without the query",
         .u = {.uri = "/a"},
         .status = 400,
         .reason = GBA_E_HTTP},
        {.what = "uri in absolute form",
         .u = {.uri = "http://naf.example:8080/a?b=c"},
         .status = 200,
         .reason = GBA_OK,
         .asks = true},
        {.what = "uri of another host",
         .u = {.uri = "http://other.example/a?b=c"},
         .status = 400,
         .reason = GBA_E_HTTP},
        {.what = "target in absolute form",
         .target = "http://naf.example/a?b=c",
         .status = 200,
         .reason = GBA_OK,
         .asks = true},
        {.what = "a slash more",
         .u = {.uri = "/a/?b=c"},
         .status = 200,
         .reason = GBA_OK,
         .asks = true},
        {.what = "nonce not ours",
         .u = {.nonce = "AAAA"},
         .status = 401,
         .reason = GBA_E_NONCE,
         .stale = true},
        {.what = "nc zero",
         .u = {.nc = "00000000"},
         .status = 401,
         .reason = GBA_E_NC,
         .stale = true,
         .asks = true},
        {.what = "nc far ahead",
         .u = {.nc = "00ffffff"},
         .status = 200,
         .reason = GBA_OK,
         .asks = true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_naf *naf = make(&(struct gba_naf_config){.n_gsids = 0});
        struct gba_zn_answer a = usual_answer();
        struct ue u = rows[i].u;
        struct gba_naf_request rq;
        struct gba_naf_exchange *x;
        char nonce[64], text[2048];

        first_nonce(naf, nonce);
        if (u.nonce == NULL)
            u.nonce = nonce;
        rq = request(authorization(&u, text));
        if (rows[i].reason == GBA_E_NOT_DIGEST)
            rq.authorization = "Basic dXNlcjpwYXNz";
        rq.host = or_else(rows[i].host, rq.host);
        rq.target = or_else(rows[i].target, rq.target);
        if (rows[i].n_authorization != 0)
            rq.n_authorization = rows[i].n_authorization;
        rq.tls = rows[i].sni != NULL;
        rq.tls_suite = 0x1301;
        rq.tls_sni = rows[i].sni;
        x = run(naf, &rq, GBA_OK, &a);
        if (gba_naf_status(x) != rows[i].status || gba_naf_reason(x) != rows[i].reason)
            printf("\n%s: %u %s", rows[i].what, gba_naf_status(x),
                   gba_err_name(gba_naf_reason(x)));
        CU_ASSERT_EQUAL(gba_naf_status(x), rows[i].status);
        CU_ASSERT_EQUAL(gba_naf_reason(x), rows[i].reason);
        CU_ASSERT_EQUAL(strstr(header(x, 0), "stale=true") != NULL, rows[i].stale);
        CU_ASSERT_EQUAL(fake.n_asked, rows[i].asks);
        CU_ASSERT_EQUAL(gba_naf_exchange_verdict(x) == GBA_NAF_ACCEPT, rows[i].status == 200);
        CU_ASSERT_EQUAL(gba_naf_exchange_verdict(x) == GBA_NAF_CHALLENGE,
                        rows[i].status == 401);
        gba_naf_exchange_free(x);
        gba_naf_free(naf);
    }
}

static void test_zn_errors(void)
{
    static const struct {
        enum gba_err err;
        unsigned status;
    } rows[] = {
        {GBA_E_BTID, 401},      {GBA_E_EXPIRED, 401},        {GBA_E_NOT_AUTHORIZED, 403},
        {GBA_E_FORBIDDEN, 403}, {GBA_E_ZN_UNREACHABLE, 503}, {GBA_E_TIMEOUT, 503},
        {GBA_E_TLS, 503},       {GBA_E_PROTOCOL, 503},       {GBA_E_ZN_FAILURE, 503},
        {GBA_E_OVERLOAD, 503},  {GBA_E_CANCELLED, 503},      {GBA_E_NOMEM, 503},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_naf *naf = make(&(struct gba_naf_config){.n_gsids = 0});
        char nonce[64], text[2048];
        struct ue u = {.nonce = nonce};
        struct gba_naf_request rq;
        struct gba_naf_exchange *x;
        const char *name, *value;

        first_nonce(naf, nonce);
        rq = request(authorization(&u, text));
        x = run(naf, &rq, rows[i].err, NULL);
        CU_ASSERT_EQUAL(gba_naf_status(x), rows[i].status);
        CU_ASSERT_EQUAL(gba_naf_reason(x), rows[i].err);
        if (rows[i].status == 401)
            CU_ASSERT_PTR_NULL(strstr(header(x, 0), "stale")); /* a UE bootstraps on it */
        if (rows[i].status == 503) {
            CU_ASSERT_FATAL(gba_naf_header(x, 0, &name, &value));
            CU_ASSERT_STRING_EQUAL(name, "Retry-After");
        }
        gba_naf_exchange_free(x);
        gba_naf_free(naf);
    }
}

static void test_nonces(void)
{
    struct gba_naf *naf = make(&(struct gba_naf_config){.nonce_life_s = 100});
    struct gba_zn_answer a = usual_answer();
    char nonce[64], next[64], text[2048];
    struct ue u = {.nonce = nonce};
    struct gba_naf_request rq;
    struct gba_naf_exchange *x;
    const char *info;

    first_nonce(naf, nonce);
    rq = request(authorization(&u, text));
    x = run(naf, &rq, GBA_OK, &a);
    CU_ASSERT_EQUAL(gba_naf_finish(x, NULL, 0, &info), GBA_OK);
    CU_ASSERT_PTR_NULL(strstr(info, "nextnonce"));
    gba_naf_exchange_free(x);

    x = run(naf, &rq, GBA_OK, &a); /* the same octets again */
    CU_ASSERT_EQUAL(gba_naf_reason(x), GBA_E_NC);
    CU_ASSERT_PTR_NOT_NULL(strstr(header(x, 0), "stale=true"));
    CU_ASSERT_EQUAL(gba_naf_finish(x, NULL, 0, &info), GBA_E_UNEXPECTED);
    gba_naf_exchange_free(x);

    u.nc = "00000002";
    rq = request(authorization(&u, text));
    rq.now_s = T0 + 50;
    x = run(naf, &rq, GBA_OK, &a);
    CU_ASSERT_EQUAL(gba_naf_wait(x), GBA_NAF_ACCEPT);
    CU_ASSERT_EQUAL(gba_naf_finish(x, NULL, 0, &info), GBA_OK);
    param(info, "nextnonce", next, sizeof(next));
    gba_naf_exchange_free(x);

    u.nc = "00000003";
    rq = request(authorization(&u, text));
    rq.now_s = T0 + 100;
    x = run(naf, &rq, GBA_OK, &a);
    CU_ASSERT_EQUAL(gba_naf_reason(x), GBA_E_NONCE_EXPIRED);
    CU_ASSERT_PTR_NOT_NULL(strstr(header(x, 0), "stale=true"));
    gba_naf_exchange_free(x);

    u.key = 0x33; /* an expired nonce under a wrong key is a wrong key */
    rq.authorization = authorization(&u, text);
    x = run(naf, &rq, GBA_OK, &a);
    CU_ASSERT_EQUAL(gba_naf_reason(x), GBA_E_RES);
    CU_ASSERT_PTR_NULL(strstr(header(x, 0), "stale"));
    gba_naf_exchange_free(x);

    u = (struct ue){.nonce = next};
    rq.authorization = authorization(&u, text);
    x = run(naf, &rq, GBA_OK, &a);
    CU_ASSERT_EQUAL(gba_naf_wait(x), GBA_NAF_ACCEPT);
    gba_naf_exchange_free(x);

    first_nonce_at(naf, T0, "other.example", nonce); /* of another name of ours */
    u = (struct ue){.nonce = nonce};
    rq = request(authorization(&u, text));
    x = run(naf, &rq, GBA_OK, &a);
    CU_ASSERT_EQUAL(gba_naf_reason(x), GBA_E_NONCE);
    gba_naf_exchange_free(x);
    CU_ASSERT_EQUAL(fake.n_asked, 1);
    gba_naf_free(naf);
}

static void test_key_expires(void)
{
    struct gba_naf *naf = make(&(struct gba_naf_config){.nonce_life_s = 100000});
    struct gba_zn_answer a = usual_answer();
    char nonce[64], text[2048];
    struct ue u = {.nonce = nonce};
    struct gba_naf_request rq;
    struct gba_naf_exchange *x;

    first_nonce(naf, nonce);
    rq = request(authorization(&u, text));
    gba_naf_exchange_free(run(naf, &rq, GBA_OK, &a));
    u.nc = "00000002";
    rq = request(authorization(&u, text));
    rq.now_s = a.expiry_s;
    x = run(naf, &rq, GBA_OK, &a);
    CU_ASSERT_EQUAL(gba_naf_status(x), 401);
    CU_ASSERT_EQUAL(gba_naf_reason(x), GBA_E_EXPIRED);
    CU_ASSERT_PTR_NULL(strstr(header(x, 0), "stale"));
    gba_naf_exchange_free(x);
    gba_naf_free(naf);
}

static void test_realms(void)
{
    static const struct {
        unsigned keys;
        const char *offered, *echoed;
        uint8_t key;
        bool has_uicc_key;
        enum gba_err reason;
    } rows[] = {
        {3, "3GPP-bootstrapping-uicc@naf.example;3GPP-bootstrapping@naf.example",
         "3GPP-bootstrapping-uicc@naf.example", 0x22, true, GBA_OK},
        {3, NULL, "3GPP-bootstrapping@naf.example", 0x11, true, GBA_OK},
        {3, NULL, "3GPP-bootstrapping-uicc@naf.example", 0x11, true, GBA_E_RES},
        {3, NULL, "3GPP-bootstrapping-uicc@naf.example", 0x11, false, GBA_E_RES},
        {3, NULL, "3GPP-bootstrapping-uicc@naf.example", 0x22, false, GBA_E_RES},
        {3, NULL, "3GPP-bootstrapping-uicc@naf.example;3GPP-bootstrapping@naf.example", 0x22,
         true, GBA_E_BINDING},
        {2, "3GPP-bootstrapping-uicc@naf.example", "3GPP-bootstrapping-uicc@naf.example", 0x22,
         true, GBA_OK},
        {2, NULL, "3GPP-bootstrapping@naf.example", 0x11, true, GBA_E_BINDING},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_naf *naf = make(&(struct gba_naf_config){.keys = rows[i].keys});
        struct gba_zn_answer a = usual_answer();
        char nonce[64], text[2048], realm[256];
        struct ue u = {.nonce = nonce, .realm = rows[i].echoed, .key = rows[i].key};
        struct gba_naf_request rq = request(NULL);
        struct gba_naf_exchange *x;

        a.has_uicc_key = rows[i].has_uicc_key;
        x = run(naf, &rq, GBA_OK, NULL);
        param(header(x, 0), "realm", realm, sizeof(realm));
        if (rows[i].offered != NULL)
            CU_ASSERT_STRING_EQUAL(realm, rows[i].offered);
        gba_naf_exchange_free(x);
        first_nonce(naf, nonce);
        rq.authorization = authorization(&u, text);
        rq.n_authorization = 1;
        x = run(naf, &rq, GBA_OK, &a);
        CU_ASSERT_EQUAL(gba_naf_reason(x), rows[i].reason);
        if (fake.n_asked != 0)
            CU_ASSERT(fake.asked[0].gba_u_aware);
        gba_naf_exchange_free(x);
        gba_naf_free(naf);
    }
}

static void test_tls_and_options(void)
{
    struct gba_naf *naf = make(&(struct gba_naf_config){.require_product_token = true,
                                                        .exact_uri = true,
                                                        .algorithms = GBA_NAF_MD5,
                                                        .qops = GBA_NAF_AUTH_INT});
    struct gba_zn_answer a = usual_answer();
    char nonce[64], text[2048];
    struct ue u = {.nonce = nonce, .algorithm = "MD5", .qop = "auth-int"};
    struct gba_naf_request rq = request(NULL);
    struct gba_naf_exchange *x = run(naf, &rq, GBA_OK, NULL);

    CU_ASSERT(gba_naf_status(x) == 403 && gba_naf_reason(x) == GBA_E_FORBIDDEN);
    gba_naf_exchange_free(x);
    rq.user_agent = "app/1 3gpp-gba";
    x = run(naf, &rq, GBA_OK, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(header(x, 0), "qop=\"auth-int\""));
    CU_ASSERT_STRING_EQUAL(header(x, 1), "");
    param(header(x, 0), "nonce", nonce, sizeof(nonce));
    gba_naf_exchange_free(x);
    rq.authorization = authorization(&u, text);
    rq.n_authorization = 1;
    rq.tls = true;
    x = run(naf, &rq, GBA_OK, NULL);
    CU_ASSERT_EQUAL(gba_naf_reason(x), GBA_E_ARGUMENT); /* TLS of no known suite */
    CU_ASSERT_EQUAL(gba_naf_exchange_verdict(x), GBA_NAF_REFUSE);
    gba_naf_exchange_free(x);
    rq.tls_suite = 0xc02f;
    rq.tls_sni = "naf.example";
    x = run(naf, &rq, GBA_OK, &a);
    CU_ASSERT_EQUAL(gba_naf_wait(x), GBA_NAF_ACCEPT);
    UNIT_BYTES_EQ(fake.asked[0].naf_id.octets + 11, 5, "010001c02f");
    gba_naf_exchange_free(x);
    u.uri = "/a/?b=c";
    u.nc = "00000002";
    rq.authorization = authorization(&u, text);
    x = run(naf, &rq, GBA_OK, &a);
    CU_ASSERT_EQUAL(gba_naf_reason(x), GBA_E_HTTP);
    gba_naf_exchange_free(x);
    gba_naf_free(naf);
}

static int n_ready;
static void count_ready(void *arg)
{
    CU_ASSERT_PTR_EQUAL(arg, &n_ready);
    n_ready++;
}

static void test_notify(void)
{
    struct gba_naf *naf = make(&(struct gba_naf_config){.n_gsids = 0});
    struct gba_zn_answer a = usual_answer();
    char nonce[64], text[2048];
    struct ue u = {.nonce = nonce};
    struct gba_naf_request rq;
    struct gba_naf_exchange *x, *y;

    n_ready = 0;
    first_nonce(naf, nonce);
    rq = request(authorization(&u, text));
    CU_ASSERT_EQUAL(gba_naf_authenticate(naf, &rq, &x), GBA_NAF_WAIT);
    CU_ASSERT_EQUAL(gba_naf_authenticate(naf, &rq, &y), GBA_NAF_WAIT);
    CU_ASSERT_EQUAL(fake.n_asked, 1);
    gba_naf_notify(x, count_ready, &n_ready);
    CU_ASSERT_EQUAL(n_ready, 0);
    fake_zn_answer(&fake, GBA_OK, &a);
    CU_ASSERT_EQUAL(n_ready, 1);
    gba_naf_notify(y, count_ready, &n_ready); /* there already */
    CU_ASSERT_EQUAL(n_ready, 2);
    /* the same octets twice at once: one wins */
    CU_ASSERT_NOT_EQUAL(gba_naf_wait(x), gba_naf_wait(y));
    gba_naf_exchange_free(x);
    gba_naf_exchange_free(y);
    gba_naf_free(naf);
}

static void test_every_pair(void)
{
    struct ua_server *s;
    const struct gba_naf_config c = {.fqdns = names, .n_fqdns = 2};

    CU_ASSERT_EQUAL_FATAL(ua_server_new(&c, secret, &s), GBA_OK);
    for (int state = 0; state < UA_N_STATES; state++)
        for (int ev = 0; ev < UA_N_EVENTS; ev++) {
            struct ua_exchange x = {.rq = request(NULL), .state = (enum ua_state)state};
            bool listed = (state == UA_START && ev == UA_EV_REQUEST) ||
                          (state == UA_WAIT_KEY && ev == UA_EV_KEY);

            x.key_err = GBA_E_TIMEOUT;
            x.fqdn = ua_server_find(s, GBA_TEXT(""));
            CU_ASSERT_EQUAL(ua_step(s, &x, (enum ua_event)ev),
                            listed ? GBA_OK : GBA_E_UNEXPECTED);
            CU_ASSERT_EQUAL(x.state, listed ? UA_DECIDED : (enum ua_state)state);
            CU_ASSERT_NOT_EQUAL(x.verdict, GBA_NAF_ACCEPT);
        }
    ua_server_free(s);
}

static void test_bad_configuration(void)
{
    static const char *const bad[] = {"not a name"};
    static const char *const gsid[] = {"x"};
    const struct {
        struct gba_naf_config c;
        enum gba_err err;
    } rows[] = {
        {{.n_fqdns = 0}, GBA_E_ARGUMENT},
        {{.fqdns = bad, .n_fqdns = 1}, GBA_E_SYNTAX},
        {{.fqdns = names, .n_fqdns = 1, .keys = 4}, GBA_E_ARGUMENT},
        {{.fqdns = names, .n_fqdns = 1, .gsids = gsid, .n_gsids = 1}, GBA_E_ARGUMENT},
        {{.fqdns = names, .n_fqdns = 1, .n_gsids = 33}, GBA_E_ARGUMENT},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_naf *naf;

        fake_zn_init(&fake);
        CU_ASSERT_EQUAL(naf_new_with_zn(&rows[i].c, &fake.zn, &naf), rows[i].err);
        CU_ASSERT_PTR_NULL(naf);
        CU_ASSERT(fake.closed);
    }
}

static const struct unit_test tests[] = {
    {"challenge", test_challenge},
    {"accepted, with rspauth", test_accept},
    {"refusals by table", test_refusals},
    {"errors of Zn", test_zn_errors},
    {"nonces: count, nextnonce, stale", test_nonces},
    {"an expired key is renegotiated", test_key_expires},
    {"two realms", test_realms},
    {"TLS and options", test_tls_and_options},
    {"waiting for a key", test_notify},
    {"every state and event", test_every_pair},
    {"bad configuration", test_bad_configuration},
};
UNIT_MAIN("ua_server", tests)
