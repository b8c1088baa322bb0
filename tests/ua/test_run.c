/*
 * ua/run.c, ua/fetch.c, ua/enrol.c: whole procedures over real loopback sockets with a soft
 * USIM, a fake BSF and a NAF that checks what it gets with the key of the BSF.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "common/identity.h"
#include "common/kdf.h"
#include "common/ua_protocol.h"
#include "tests/scratch.h"
#include "tests/ua/tls_server.h"
#include "ua/gba_ue.h"

#define CARD                                                                                   \
    "imsi=001010123456789\nmnc_len=2\nk=465b5ce8b199b49faa5f0a2ee238a6bc\n"                    \
    "opc=cd63cb71954a9f4e48a5994e37a02baf\n"
#define IMPI "001010123456789@ims.mnc001.mcc001.3gppnetwork.org"
#define NAF  "naf.example"

/* --- a NAF -------------------------------------------------------------------------------- */

struct naf {
    struct fake_bsf *bsf;
    uint8_t ua_id[5];
    bool uicc;
    unsigned refuse; /* this many authorised requests get a 401 */
    bool stale;      /* ... with stale=true */
    unsigned n_plain, n_authorised, n_verified;
    bool wrong_rspauth;
    char method[8], body[256], username[300];
};

static void naf_key(const struct naf *n, struct gba_key *key)
{
    const struct gba_ks ks = fake_bsf_ks(n->bsf);
    struct gba_naf_id id;

    gba_naf_id_make(GBA_TEXT(NAF), n->ua_id, &id);
    gba_ks_naf(&ks, n->uicc ? GBA_USE_UICC : GBA_USE_ME, n->bsf->av.rand, GBA_TEXT(IMPI),
               (struct gba_bytes){id.octets, id.n}, key);
}

static size_t naf_challenge(const struct naf *n, const char *more, char *reply)
{
    return (size_t)sprintf(reply,
                           "HTTP/1.1 401 X\r\nContent-Length: 0\r\nWWW-Authenticate: Digest "
                           "realm=\"3GPP-bootstrapping%s@" NAF
                           "\", nonce=\"n%u\", qop=\"auth-int\", algorithm=SHA-256%s\r\n\r\n",
                           n->uicc ? "-uicc" : "", n->n_authorised, more);
}

static size_t naf_answer(void *ctx, const char *head, char reply[FAKE_REPLY_MAX])
{
    const char *field = fake_field(head, "Authorization"), *body = strstr(head, "\r\n\r\n") + 4;
    char copy[2048], pw[45], rspauth[GBA_DIGEST_HEX_SIZE];
    struct naf *n = ctx;
    struct gba_digest d;
    struct gba_digest_input in;
    struct gba_key key;

    snprintf(copy, sizeof(copy), "%s", field);
    snprintf(n->method, sizeof(n->method), "%.*s", (int)strcspn(head, " "), head);
    snprintf(n->body, sizeof(n->body), "%s", body);
    if (copy[0] == '\0') {
        n->n_plain++;
        return naf_challenge(n, "", reply);
    }
    n->n_authorised++;
    if (n->refuse > 0) {
        n->refuse--;
        return naf_challenge(n, n->stale ? ", stale=true" : "", reply);
    }
    if (gba_digest_parse(gba_text(copy), &d) != GBA_OK)
        return (size_t)sprintf(reply, "HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n");
    gba_text_copy(n->username, sizeof(n->username), d.p[GBA_DIGEST_USERNAME].value);
    naf_key(n, &key);
    gba_base64(pw, GBA_BYTES(key.octets));
    in = (struct gba_digest_input){.algorithm = GBA_DIGEST_SHA256,
                                   .qop = GBA_QOP_AUTH_INT,
                                   .username = d.p[GBA_DIGEST_USERNAME].value,
                                   .realm = d.p[GBA_DIGEST_REALM].value,
                                   .method = gba_text(n->method),
                                   .uri = d.p[GBA_DIGEST_URI].value,
                                   .nonce = d.p[GBA_DIGEST_NONCE].value,
                                   .nc = d.p[GBA_DIGEST_NC].value,
                                   .cnonce = d.p[GBA_DIGEST_CNONCE].value,
                                   .password = gba_text_bytes(gba_text(pw)),
                                   .body = gba_text_bytes(gba_text(body))};
    if (!gba_digest_verify(&in, d.p[GBA_DIGEST_RESPONSE].value))
        return naf_challenge(n, "", reply);
    n->n_verified++;
    in.method = GBA_TEXT("");
    in.body = GBA_TEXT("served").n != 0 ? gba_text_bytes(GBA_TEXT("served")) : in.body;
    gba_digest_response(&in, rspauth);
    if (n->wrong_rspauth)
        rspauth[0] = rspauth[0] == '0' ? '1' : '0';
    return (size_t)sprintf(reply,
                           "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nAuthentication-Info: "
                           "qop=auth-int, rspauth=\"%s\", "
                           "cnonce=\"%.*s\", nc=%.*s\r\n\r\nserved",
                           rspauth, (int)in.cnonce.n, in.cnonce.s, (int)in.nc.n, in.nc.s);
}

static size_t plain_answer(void *ctx, const char *head, char reply[FAKE_REPLY_MAX])
{
    (void)ctx, (void)head;
    return (size_t)sprintf(reply, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\npsk");
}

/* --- a device ----------------------------------------------------------------------------- */

struct bench {
    struct fake_bsf bsf;
    struct naf naf;
    struct fake_server *bsf_server, *naf_server;
    unsigned bsf_port, naf_port;
    char bsf_url[64], naf_url[64], connect_to[64];
    struct gba_ue_device d;
    struct gba_ue_fetch f;
    struct gba_ue_reply reply;
    void *ring;
};

static int64_t bench_now(void *ctx)
{
    return ((struct bench *)ctx)->bsf.now_s;
}

static enum gba_err bench_random(void *ctx, void *out, size_t n)
{
    (void)ctx;
    memset(out, 0x77, n);
    return GBA_OK;
}

static struct gba_ue_env env;

static void bench_begin(struct bench *b, const char *card, const char *ca_file)
{
    const size_t size = gba_ue_keyring_size(8, 4);
    char why[320];

    memset(b, 0, sizeof(*b));
    fake_bsf_init(&b->bsf);
    b->bsf.gba_u = strstr(card, "gba_u=yes") != NULL;
    b->naf.bsf = &b->bsf;
    memcpy(b->naf.ua_id, gba_ua_http_digest, 5);
    b->bsf_server = fake_server_start(fake_bsf_answer, &b->bsf, &b->bsf_port);
    b->naf_server = fake_server_start(naf_answer, &b->naf, &b->naf_port);
    snprintf(b->bsf_url, sizeof(b->bsf_url), "http://127.0.0.1:%u/", b->bsf_port);
    snprintf(b->naf_url, sizeof(b->naf_url), "http://" NAF ":%u/x?y=1", b->naf_port);
    snprintf(b->connect_to, sizeof(b->connect_to), "127.0.0.1:%u", b->naf_port);
    CU_ASSERT_EQUAL_FATAL(
        gba_ue_usim_soft_create(scratch("usim"), card, strlen(card), true, why), GBA_OK);
    CU_ASSERT_EQUAL_FATAL(gba_ue_usim_soft_open(scratch("usim"), &b->d.usim, why), GBA_OK);
    CU_ASSERT_EQUAL_FATAL(
        gba_ue_curl_new(&(struct gba_ue_curl_config){.ca_file = ca_file, .timeout_ms = 5000},
                        &b->d.ub),
        GBA_OK);
    CU_ASSERT_EQUAL_FATAL(
        gba_ue_curl_new(&(struct gba_ue_curl_config){.ca_file = ca_file, .timeout_ms = 5000},
                        &b->d.ua),
        GBA_OK);
    b->ring = malloc(size);
    b->d.ring = gba_ue_keyring_init(b->ring, size, 8, 4);
    env = (struct gba_ue_env){bench_now, bench_random, b};
    b->d.env = &env;
    b->d.bsf_url = b->bsf_url;
    b->f = (struct gba_ue_fetch){
        .method = "GET", .url = b->naf_url, .connect_to = b->connect_to, .allow_http = true};
}

static void bench_end(struct bench *b)
{
    b->d.ub->close(b->d.ub);
    b->d.ua->close(b->d.ua);
    b->d.usim->close(b->d.usim);
    gba_ue_keyring_end(b->d.ring);
    free(b->ring);
    fake_server_stop(b->bsf_server);
    fake_server_stop(b->naf_server);
}

static void test_bootstrap(void)
{
    struct gba_ue_session s;
    struct bench b;

    bench_begin(&b, CARD, NULL);
    CU_ASSERT_EQUAL(gba_ue_bootstrap(&b.d), GBA_OK);
    CU_ASSERT_STRING_EQUAL(b.bsf.username, IMPI);
    CU_ASSERT_EQUAL(strncmp(b.bsf.host, "bsf.mnc001.mcc001.pub.3gppnetwork.org:", 38), 0);
    CU_ASSERT_EQUAL(gba_ue_keyring_session(b.d.ring, b.bsf.now_s, &s), GBA_OK);
    CU_ASSERT_STRING_EQUAL(gba_ue_keyring_tmpi(b.d.ring), s.tmpi);
    CU_ASSERT_EQUAL(gba_ue_bootstrap(&b.d), GBA_OK); /* the second run sends the TMPI */
    CU_ASSERT_STRING_EQUAL(b.bsf.username, s.tmpi);
    b.bsf.refuse_tmpi = true;
    b.bsf.refuse_answer = 403;
    CU_ASSERT_EQUAL(gba_ue_bootstrap(&b.d), GBA_E_REFUSED);
    CU_ASSERT_STRING_EQUAL(gba_ue_keyring_tmpi(b.d.ring),
                           ""); /* forgotten though the run failed */
    CU_ASSERT_EQUAL(b.d.http_status, 403);
    CU_ASSERT_PTR_NOT_NULL(strstr(b.d.why, b.bsf_url));
    /* the session of before still stands */
    CU_ASSERT_EQUAL(gba_ue_keyring_session(b.d.ring, b.bsf.now_s, &s), GBA_OK);
    bench_end(&b);
}

static void test_resynchronisation(void)
{
    struct bench b;

    bench_begin(&b, CARD "sqn=0000000fffff\n", NULL);
    CU_ASSERT_EQUAL(gba_ue_bootstrap(&b.d), GBA_OK);
    CU_ASSERT_EQUAL(b.bsf.n_auts, 1);
    bench_end(&b);
}

static void test_bsf_names(void)
{
    static const struct {
        const char *url, *fqdn, *host;
        enum gba_err err;
    } rows[] = {
        {"ftp://x/", NULL, "", GBA_E_CONFIG},
        {"http://x y/", NULL, "", GBA_E_CONFIG},
        {"http://u:p@127.0.0.1/", NULL, "", GBA_E_CONFIG},
        {NULL, "not a name", "", GBA_E_CONFIG},
        {NULL, "other.example", "other.example",
         GBA_E_BINDING}, /* asked for another BSF than answers */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench b;

        bench_begin(&b, CARD, NULL);
        if (rows[i].url != NULL)
            b.d.bsf_url = rows[i].url;
        b.d.bsf_fqdn = rows[i].fqdn;
        CU_ASSERT_EQUAL(gba_ue_bootstrap(&b.d), rows[i].err);
        CU_ASSERT_EQUAL(strncmp(b.bsf.host, rows[i].host, strlen(rows[i].host)), 0);
        CU_ASSERT(b.d.why[0] != '\0');
        bench_end(&b);
    }
}

static void test_overload(void)
{
    struct bench b;

    bench_begin(&b, CARD, NULL);
    b.bsf.refuse_first = 503;
    CU_ASSERT_EQUAL(gba_ue_bootstrap(&b.d), GBA_E_OVERLOAD);
    CU_ASSERT_PTR_NOT_NULL(strstr(b.d.why, "after 7 s"));
    bench_end(&b);
}

static void test_unreachable(void)
{
    struct bench b;

    bench_begin(&b, CARD, NULL);
    b.d.bsf_url = "http://127.0.0.1:1/";
    CU_ASSERT_EQUAL(gba_ue_bootstrap(&b.d), GBA_E_UNREACHABLE);
    bench_end(&b);
}

static void test_digest(void)
{
    struct bench b;

    bench_begin(&b, CARD, NULL);
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_OK);
    CU_ASSERT_EQUAL(b.reply.status, 200);
    CU_ASSERT_EQUAL(memcmp(b.reply.body, "served", 6), 0);
    CU_ASSERT_EQUAL(b.naf.n_verified, 1);
    CU_ASSERT_EQUAL(b.bsf.n_ok, 1);
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_OK); /* the session is used again */
    CU_ASSERT_EQUAL(b.bsf.n_ok, 1);
    b.f.method = "PUT";
    b.f.body = (const uint8_t *)"<a/>";
    b.f.body_len = 4;
    b.f.content_type = "text/xml";
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_OK);
    CU_ASSERT_STRING_EQUAL(b.naf.method, "PUT");
    CU_ASSERT_STRING_EQUAL(b.naf.body, "<a/>");
    CU_ASSERT_EQUAL(b.naf.n_verified, 3);
    bench_end(&b);
}

static void test_one_ub_run_on_401(void)
{
    struct bench b;

    bench_begin(&b, CARD, NULL);
    CU_ASSERT_EQUAL(gba_ue_bootstrap(&b.d), GBA_OK);
    b.naf.refuse = 1;
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_OK);
    CU_ASSERT_EQUAL(b.bsf.n_ok, 2);
    b.naf.refuse = 1;
    b.naf.stale = true;
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_OK);
    CU_ASSERT_EQUAL(b.bsf.n_ok, 2); /* stale: no Ub */
    b.naf.stale = false;
    b.naf.refuse = 100;
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_E_REFUSED);
    CU_ASSERT_EQUAL(b.bsf.n_ok, 3); /* one, not a hundred */
    bench_end(&b);
}

static void test_http_only_if_allowed(void)
{
    struct bench b;

    bench_begin(&b, CARD, NULL);
    b.f.allow_http = false;
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_E_DOWNGRADE);
    CU_ASSERT_EQUAL(b.bsf.n_requests, 0);
    CU_ASSERT_EQUAL(b.naf.n_authorised, 0);
    bench_end(&b);
}

static void test_wrong_rspauth(void)
{
    struct bench b;

    bench_begin(&b, CARD, NULL);
    b.naf.wrong_rspauth = true;
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_E_RSPAUTH);
    bench_end(&b);
}

static void test_ub_fails_during_ua(void)
{
    struct bench b;

    bench_begin(&b, CARD, NULL);
    b.bsf.refuse_first = 403;
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(b.d.why, b.bsf_url)); /* the BSF is at fault, not the NAF */
    CU_ASSERT_EQUAL(b.naf.n_authorised, 0);
    bench_end(&b);
}

static void test_gba_u(void)
{
    struct gba_ue_naf_key key;
    struct bench b;

    bench_begin(&b, CARD "gba_u=yes\n", NULL);
    b.naf.uicc = true;
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_OK); /* Ks_int_NAF */
    CU_ASSERT_EQUAL(b.naf.n_verified, 1);
    b.naf.uicc = false;
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_OK); /* Ks_ext_NAF */
    CU_ASSERT_EQUAL(b.naf.n_verified, 2);
    CU_ASSERT_EQUAL(b.bsf.n_ok, 1);
    CU_ASSERT(gba_is_tmpi(gba_text(gba_ue_keyring_tmpi(b.d.ring))));
    CU_ASSERT_EQUAL(gba_ue_naf_key_get(&b.d, NAF, gba_ua_http_digest, true, false, &key),
                    GBA_OK);
    CU_ASSERT(key.internal);
    bench_end(&b);

    bench_begin(&b, CARD, NULL); /* no card for it: never the other key instead */
    b.naf.uicc = true;
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_E_FORBIDDEN);
    CU_ASSERT_EQUAL(gba_ue_naf_key_get(&b.d, NAF, gba_ua_http_digest, true, false, &key),
                    GBA_E_FORBIDDEN);
    bench_end(&b);
}

/* A run that fails after the card took the challenge: the card's Ks is a new one, so the
 * session before is over. */
static void test_gba_u_failed_run(void)
{
    struct gba_ue_session s;
    struct bench b;

    bench_begin(&b, CARD "gba_u=yes\n", NULL);
    CU_ASSERT_EQUAL(gba_ue_bootstrap(&b.d), GBA_OK);
    b.bsf.refuse_answer = 503;
    CU_ASSERT_EQUAL(gba_ue_bootstrap(&b.d), GBA_E_OVERLOAD);
    CU_ASSERT_EQUAL(gba_ue_keyring_session(b.d.ring, b.bsf.now_s, &s), GBA_E_NOT_FOUND);
    bench_end(&b);
}

/* TS 23.003 16.2: the BSF's name comes from the IMSI only with the MNC's length known. */
static void test_bsf_name(void)
{
    struct gba_ue_identity id = {
        .application = GBA_UE_USIM, .imsi = "310150123456789", .impi = "a@example.org"};
    char out[GBA_UE_FQDN_SIZE];

    CU_ASSERT_EQUAL(gba_ue_bsf_name(&id, out), GBA_E_MISSING);
    id.mnc_len = 3;
    CU_ASSERT_EQUAL(gba_ue_bsf_name(&id, out), GBA_OK);
    CU_ASSERT_STRING_EQUAL(out, "bsf.mnc150.mcc310.pub.3gppnetwork.org");
    id.application = GBA_UE_ISIM;
    CU_ASSERT_EQUAL(gba_ue_bsf_name(&id, out), GBA_OK);
    CU_ASSERT_STRING_EQUAL(out, "bsf.example.org");
}

/* A server with keys only, that would also speak TLS 1.3. */
static void test_psk_only_server(void)
{
    struct tls_server tls = {.answer = plain_answer,
                             .hint = "3GPP-bootstrapping",
                             .no_certificate = true,
                             .min_version = TLS1_2_VERSION,
                             .max_version = TLS1_3_VERSION,
                             .suites = "PSK-AES128-GCM-SHA256"};
    struct gba_key key;
    struct bench b;

    tls_server_start(&tls, scratch("ca.pem"));
    bench_begin(&b, CARD, NULL);
    snprintf(b.naf_url, sizeof(b.naf_url), "https://" NAF ":%u/", tls.port);
    snprintf(b.connect_to, sizeof(b.connect_to), "127.0.0.1:%u", tls.port);
    CU_ASSERT_EQUAL(gba_ue_bootstrap(&b.d), GBA_OK);
    gba_ua_tls12(0x00a8, b.naf.ua_id);
    naf_key(&b.naf, &key);
    memcpy(tls.key, key.octets, 32);
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_OK);
    CU_ASSERT(b.reply.psk);
    bench_end(&b);
    tls_server_stop(&tls);
}

static void test_keys_of_another_card(void)
{
    struct gba_ue_naf_key key;
    struct gba_ue_usim *other;
    struct bench b;
    char why[320];

    bench_begin(&b, CARD, NULL);
    CU_ASSERT_EQUAL(gba_ue_naf_key_get(&b.d, NAF, gba_ua_http_digest, false, false, &key),
                    GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_usim_soft_create(scratch("usim2"), CARD "impi=other@example.org\n",
                                            strlen(CARD) + 23, true, why),
                    GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_usim_soft_open(scratch("usim2"), &other, why), GBA_OK);
    b.d.usim->close(b.d.usim);
    b.d.usim = other;
    b.bsf.refuse_first = 403;
    CU_ASSERT_EQUAL(gba_ue_naf_key_get(&b.d, NAF, gba_ua_http_digest, false, false, &key),
                    GBA_E_REFUSED);
    bench_end(&b);
}

/* --- over TLS ----------------------------------------------------------------------------- */

/* The HTTPS NAF takes its key from the BSF: Ua id of the suite, TLS 1.2. */
static void test_https_digest(void)
{
    struct tls_server tls = {.min_version = TLS1_2_VERSION,
                             .max_version = TLS1_2_VERSION,
                             .answer = naf_answer,
                             .suites = "ECDHE-ECDSA-AES128-GCM-SHA256"};
    struct bench b;

    tls.ctx = &b.naf;
    tls_server_start(&tls, scratch("ca.pem"));
    bench_begin(&b, CARD, scratch("ca.pem"));
    gba_ua_tls12(0xc02b, b.naf.ua_id);
    snprintf(b.naf_url, sizeof(b.naf_url), "https://" NAF ":%u/", tls.port);
    snprintf(b.connect_to, sizeof(b.connect_to), "127.0.0.1:%u", tls.port);
    b.f.allow_http = false;
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_OK);
    CU_ASSERT_EQUAL(b.naf.n_verified, 1);
    CU_ASSERT(!b.reply.psk);
    CU_ASSERT_EQUAL(b.reply.suite, 0xc02b);
    b.d.ua->close(b.d.ua);
    gba_ue_curl_new(&(struct gba_ue_curl_config){.ca_file = scratch("ca.pem")}, &b.d.ua);
    bench_end(&b);
    tls_server_stop(&tls);
}

static void psk_round(bool tls13, enum gba_ue_ua_mode mode)
{
    struct tls_server tls = {.answer = plain_answer,
                             .hint = "3GPP-bootstrapping",
                             .psk13 = tls13,
                             .no_certificate = mode != GBA_UE_UA_AUTO,
                             .suites = "PSK-AES128-GCM-SHA256"};
    struct gba_key key;
    struct bench b;
    char expected[300];

    tls.min_version = tls.max_version = tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    tls_server_start(&tls, scratch("ca.pem"));
    bench_begin(&b, CARD, scratch("ca.pem"));
    snprintf(b.naf_url, sizeof(b.naf_url), "https://" NAF ":%u/", tls.port);
    snprintf(b.connect_to, sizeof(b.connect_to), "127.0.0.1:%u", tls.port);
    b.f.mode = mode;
    CU_ASSERT_EQUAL(gba_ue_bootstrap(&b.d), GBA_OK);
    if (tls13)
        memcpy(b.naf.ua_id, gba_ua_psk_tls13, 5);
    else
        gba_ua_tls12(0x00a8, b.naf.ua_id);
    naf_key(&b.naf, &key); /* what Zn would give the NAF */
    memcpy(tls.key, key.octets, 32);
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_OK);
    CU_ASSERT(b.reply.psk && b.reply.body_len == 3);
    snprintf(expected, sizeof(expected), "3GPP-bootstrapping;I1U8vgAAAAAAAAAAAAAAAQ==@%s",
             b.bsf.name);
    CU_ASSERT_STRING_EQUAL(tls.identity, expected);
    CU_ASSERT_EQUAL(b.bsf.n_ok, 1);
    bench_end(&b);
    tls_server_stop(&tls);
}

static void test_psk_tls(void)
{
    psk_round(false, GBA_UE_UA_PSK_TLS12);
    psk_round(true, GBA_UE_UA_PSK_TLS13);
    psk_round(false, GBA_UE_UA_AUTO); /* the server has both and chooses PSK */
}

/* TS 24.109 5.3.3: an alert for a B-TID in use: one Ub run, then it fails. */
static void test_psk_renewal(void)
{
    struct tls_server tls = {.answer = plain_answer,
                             .hint = "3GPP-bootstrapping",
                             .no_certificate = true,
                             .min_version = TLS1_2_VERSION,
                             .max_version = TLS1_2_VERSION,
                             .suites = "PSK-AES128-GCM-SHA256"};
    struct bench b;

    tls_server_start(&tls, scratch("ca.pem"));
    bench_begin(&b, CARD, NULL);
    snprintf(b.naf_url, sizeof(b.naf_url), "https://" NAF ":%u/", tls.port);
    snprintf(b.connect_to, sizeof(b.connect_to), "127.0.0.1:%u", tls.port);
    b.f.mode = GBA_UE_UA_PSK_TLS12;
    CU_ASSERT_EQUAL(gba_ue_bootstrap(&b.d), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply),
                    GBA_E_TLS); /* the server's key is another */
    CU_ASSERT_EQUAL(b.bsf.n_ok, 2);
    CU_ASSERT_EQUAL(tls.n_failures, 2);
    bench_end(&b);
    tls_server_stop(&tls);
}

/* A server that wants some other PSK never learns a B-TID unless PSK is asked for. */
static void test_no_b_tid_without_hint(void)
{
    struct tls_server tls = {.answer = plain_answer,
                             .hint = "other",
                             .no_certificate = true,
                             .min_version = TLS1_2_VERSION,
                             .max_version = TLS1_2_VERSION,
                             .suites = "PSK-AES128-GCM-SHA256"};
    struct bench b;

    tls_server_start(&tls, scratch("ca.pem"));
    bench_begin(&b, CARD, NULL);
    snprintf(b.naf_url, sizeof(b.naf_url), "https://" NAF ":%u/", tls.port);
    snprintf(b.connect_to, sizeof(b.connect_to), "127.0.0.1:%u", tls.port);
    CU_ASSERT_NOT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_OK);
    CU_ASSERT_STRING_EQUAL(tls.identity, "");
    CU_ASSERT_EQUAL(b.bsf.n_requests, 0);
    bench_end(&b);
    tls_server_stop(&tls);
}

static void ask_zn(void *ctx, uint8_t key[32])
{
    struct gba_key k;

    naf_key(ctx, &k);
    memcpy(key, k.octets, 32);
}

/* A device without a session: in TLS 1.2 the handshake shows what is missing, then Ub, then
 * again; in TLS 1.3 Ub comes before the ClientHello. */
static void psk_without_session(bool tls13, enum gba_ue_ua_mode mode)
{
    struct tls_server tls = {.answer = plain_answer,
                             .hint = "3GPP-bootstrapping",
                             .psk13 = tls13,
                             .no_certificate = true,
                             .find_key = ask_zn,
                             .suites = "PSK-AES128-GCM-SHA256"};
    struct bench b;

    tls.min_version = tls.max_version = tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    tls.ctx = &b.naf;
    tls_server_start(&tls, scratch("ca.pem"));
    bench_begin(&b, CARD, NULL);
    if (tls13)
        memcpy(b.naf.ua_id, gba_ua_psk_tls13, 5);
    else
        gba_ua_tls12(0x00a8, b.naf.ua_id);
    snprintf(b.naf_url, sizeof(b.naf_url), "https://" NAF ":%u/", tls.port);
    snprintf(b.connect_to, sizeof(b.connect_to), "127.0.0.1:%u", tls.port);
    b.f.mode = mode;
    CU_ASSERT_EQUAL(gba_ue_fetch(&b.d, &b.f, &b.reply), GBA_OK);
    CU_ASSERT(b.reply.psk);
    CU_ASSERT_EQUAL(b.bsf.n_ok, 1);
    CU_ASSERT_EQUAL(tls.n_handshakes, 1);
    CU_ASSERT_EQUAL(tls.n_failures, tls13 ? 0 : 1);
    bench_end(&b);
    tls_server_stop(&tls);
}

static void test_psk_without_session(void)
{
    psk_without_session(false, GBA_UE_UA_PSK_TLS12);
    psk_without_session(true, GBA_UE_UA_PSK_TLS13);
    psk_without_session(false, GBA_UE_UA_AUTO);
}

static void test_enrol_target_is_naf(void)
{
    const struct gba_ue_enrol_config config = {.target = "//lab.test/cse1"};
    struct gba_ue_credential c, kept;
    struct gba_naf_id id;
    struct gba_key key;
    struct gba_ks ks;
    struct bench b;

    bench_begin(&b, CARD, NULL);
    CU_ASSERT_EQUAL(gba_ue_enrol_target(&b.d, NULL, NULL, &config, NULL, false, &c), GBA_OK);
    ks = fake_bsf_ks(&b.bsf);
    gba_naf_id_make(GBA_TEXT("cse1.lab.test"), (const uint8_t[]){1, 0, 1, 0, 0xae}, &id);
    gba_ks_naf(&ks, GBA_USE_ME, b.bsf.av.rand, GBA_TEXT(IMPI),
               (struct gba_bytes){id.octets, id.n}, &key);
    CU_ASSERT(gba_equal_ct(c.key, key.octets, 32));
    CU_ASSERT_STRING_EQUAL(c.fqdn, "cse1.lab.test");
    CU_ASSERT_STRING_EQUAL(c.key_id,
                           "I1U8vgAAAAAAAAAAAAAAAQ==@bsf.mnc001.mcc001.pub.3gppnetwork.org");
    CU_ASSERT_EQUAL(c.kind, GBA_UE_KPSA);
    CU_ASSERT_EQUAL(c.expires_s, b.bsf.now_s + 3600);
    CU_ASSERT_EQUAL(gba_ue_keyring_credential(b.d.ring, "//lab.test/cse1", b.bsf.now_s, &kept),
                    GBA_OK);
    CU_ASSERT_STRING_EQUAL(c.suite, "PSK-AES128-CBC-SHA256");
    CU_ASSERT_EQUAL(
        gba_ue_enrol_target(
            &b.d, NULL, NULL,
            &(struct gba_ue_enrol_config){.target = "//lab.test/cse1", .target_suite = 0xc0a8},
            NULL, false, &c),
        GBA_OK);
    CU_ASSERT_STRING_EQUAL(c.suite, "PSK-AES128-CCM8");
    CU_ASSERT(!gba_equal_ct(c.key, key.octets, 32)); /* another Ua id, another key */
    CU_ASSERT_EQUAL(gba_ue_enrol_target(&b.d, NULL, NULL,
                                        &(struct gba_ue_enrol_config){.target = "/cse1"}, NULL,
                                        false, &c),
                    GBA_E_ARGUMENT);
    CU_ASSERT_EQUAL(gba_ue_enrol_target(&b.d, NULL, NULL,
                                        &(struct gba_ue_enrol_config){
                                            .target = "/cse1", .target_fqdn = "CSE1.lab.test"},
                                        NULL, false, &c),
                    GBA_OK);
    CU_ASSERT_STRING_EQUAL(c.fqdn, "cse1.lab.test");
    bench_end(&b);
}

static const struct unit_test tests[] = {
    {"bootstrap, with IMPI and TMPI", test_bootstrap},
    {"resynchronisation", test_resynchronisation},
    {"BSF names", test_bsf_names},
    {"unreachable", test_unreachable},
    {"a BSF that is busy", test_overload},
    {"Digest at a NAF", test_digest},
    {"one Ub run on 401", test_one_ub_run_on_401},
    {"http only if allowed", test_http_only_if_allowed},
    {"wrong rspauth", test_wrong_rspauth},
    {"Ub fails during Ua", test_ub_fails_during_ua},
    {"GBA_U", test_gba_u},
    {"GBA_U: a run that fails", test_gba_u_failed_run},
    {"the BSF's name", test_bsf_name},
    {"PSK-TLS: a server with keys only", test_psk_only_server},
    {"keys of another card", test_keys_of_another_card},
    {"Digest over https: the suite's Ua id", test_https_digest},
    {"PSK-TLS", test_psk_tls},
    {"PSK-TLS without a session", test_psk_without_session},
    {"PSK-TLS: one Ub run", test_psk_renewal},
    {"no B-TID without the hint", test_no_b_tid_without_hint},
    {"enrolment: the target is the NAF", test_enrol_target_is_naf},
};
UNIT_MAIN("run", tests)
