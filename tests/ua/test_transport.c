/*
 * ua/transport_curl.c and ua/transport_tls.c over real loopback sockets: every trap of libcurl
 * and OpenSSL that would let a wrong peer in, one test each.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "tests/scratch.h"
#include "tests/ua/tls_server.h"
#include "ua/gba_ue.h"

/* --- plain http --------------------------------------------------------------------------- */

struct script {
    const char *reply; /* whole */
    char seen[8192];   /* last request */
    unsigned n;
};

static size_t play(void *ctx, const char *head, char out[FAKE_REPLY_MAX])
{
    struct script *s = ctx;

    s->n++;
    snprintf(s->seen, sizeof(s->seen), "%s", head);
    return (size_t)snprintf(out, FAKE_REPLY_MAX, "%s", s->reply);
}

#define OK_REPLY "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n\r\nhi"

static struct gba_ue_transport *new_transport(const struct gba_ue_curl_config *c)
{
    struct gba_ue_transport *t = NULL;

    CU_ASSERT_EQUAL_FATAL(gba_ue_curl_new(c, &t), GBA_OK);
    return t;
}

static enum gba_err get(struct gba_ue_transport *t, const char *url, struct gba_ue_reply *reply)
{
    const struct gba_ue_field fields[] = {{"Authorization", "Digest x=\"y\""},
                                          {"User-Agent", "test"}};
    const struct gba_ue_request r = {
        .method = "GET", .url = url, .fields = fields, .n_fields = 2};

    return t->exchange(t, &r, reply);
}

static enum gba_err get_once(const struct gba_ue_curl_config *c, const char *reply_text,
                             struct script *s, const char *path, unsigned *status)
{
    struct gba_ue_transport *t = new_transport(c);
    struct fake_server *server;
    struct gba_ue_reply reply;
    unsigned port;
    char url[128];
    enum gba_err err;

    memset(s, 0, sizeof(*s));
    s->reply = reply_text;
    server = fake_server_start(play, s, &port);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, path);
    err = get(t, url, &reply);
    *status = reply.status;
    t->close(t); /* first: the server serves one connection after another */
    fake_server_stop(server);
    return err;
}

static void test_plain(void)
{
    struct script s;
    unsigned status;

    CU_ASSERT_EQUAL(
        get_once(&(struct gba_ue_curl_config){0}, OK_REPLY, &s, "/a/../b?c=%20d", &status),
        GBA_OK);
    CU_ASSERT_EQUAL(status, 200);
    CU_ASSERT_EQUAL(strncmp(s.seen, "GET /a/../b?c=%20d HTTP/1.1\r\n", 29),
                    0); /* as is: Digest covers it */
    CU_ASSERT_STRING_EQUAL(fake_field(s.seen, "Authorization"), "Digest x=\"y\"");
    CU_ASSERT_STRING_EQUAL(fake_field(s.seen, "User-Agent"), "test");
    CU_ASSERT_STRING_EQUAL(fake_field(s.seen, "Content-Type"), "");
    CU_ASSERT_STRING_EQUAL(fake_field(s.seen, "Expect"), "");
}

static void test_ipv6(void)
{
    struct script s = {.reply = OK_REPLY};
    struct fake_server *server;
    struct gba_ue_transport *t;
    struct gba_ue_reply reply;
    unsigned port;
    char url[64];

    server = fake_server_start6(play, &s, &port);
    if (server == NULL) {
        unit_skip("no ::1 here");
        return;
    }
    t = new_transport(&(struct gba_ue_curl_config){0});
    snprintf(url, sizeof(url), "http://[::1]:%u/", port);
    CU_ASSERT_EQUAL(get(t, url, &reply), GBA_OK);
    CU_ASSERT_EQUAL(strncmp(fake_field(s.seen, "Host"), "[::1]:", 6), 0);
    t->close(t);
    fake_server_stop(server);
}

static void test_no_redirects(void)
{
    struct script s;
    unsigned status;

    CU_ASSERT_EQUAL(
        get_once(&(struct gba_ue_curl_config){0},
                 "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", &s,
                 "/", &status),
        GBA_OK);
    CU_ASSERT_EQUAL(status, 302);
    CU_ASSERT_EQUAL(s.n, 1);
}

static void test_no_environment_proxy(void)
{
    struct script s;
    unsigned status;

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    setenv("NO_PROXY", "*", 1);
    CU_ASSERT_EQUAL(get_once(&(struct gba_ue_curl_config){0}, OK_REPLY, &s, "/", &status),
                    GBA_OK);
    CU_ASSERT_EQUAL(get_once(&(struct gba_ue_curl_config){.proxy = "http://127.0.0.1:1"},
                             OK_REPLY, &s, "/", &status),
                    GBA_E_UNREACHABLE); /* asked for: used */
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    unsetenv("NO_PROXY");
}

static void test_proxy(void)
{
    struct script s = {.reply = OK_REPLY};
    struct fake_server *server;
    struct gba_ue_transport *t;
    struct gba_ue_reply reply;
    unsigned port;
    char proxy[64];

    server = fake_server_start(play, &s, &port);
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", port);
    t = new_transport(&(struct gba_ue_curl_config){.proxy = proxy});
    CU_ASSERT_EQUAL(get(t, "http://bsf.example/x", &reply), GBA_OK);
    CU_ASSERT_EQUAL(strncmp(s.seen, "GET http://bsf.example/x HTTP/1.1\r\n", 35), 0);
    t->close(t);
    fake_server_stop(server);
}

static void test_caps(void)
{
    static char long_field[9000];
    struct script s;
    unsigned status;

    CU_ASSERT_EQUAL(
        get_once(&(struct gba_ue_curl_config){.max_body = 1}, OK_REPLY, &s, "/", &status),
        GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(
        get_once(&(struct gba_ue_curl_config){.max_body = 4},
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
                 &s, "/", &status),
        GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(get_once(&(struct gba_ue_curl_config){.max_body = 5},
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                             "chunked\r\n\r\n5\r\nabcde\r\n0\r\nAuthentication-Info: t\r\n\r\n",
                             &s, "/", &status),
                    GBA_OK);
    snprintf(long_field, sizeof(long_field),
             "HTTP/1.1 200 OK\r\nX: %08000d\r\nContent-Length: 0\r\n\r\n", 0);
    CU_ASSERT_EQUAL(
        get_once(&(struct gba_ue_curl_config){.max_head = 4000}, long_field, &s, "/", &status),
        GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(get_once(&(struct gba_ue_curl_config){0}, long_field, &s, "/", &status),
                    GBA_OK);
}

static void test_broken_replies(void)
{
    static const struct {
        const char *reply;
        enum gba_err err;
    } rows[] = {
        {"", GBA_E_UNREACHABLE},
        {"nonsense\r\n\r\n", GBA_E_PROTOCOL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", GBA_E_UNREACHABLE},
        {"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n", GBA_E_PROTOCOL},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", GBA_OK},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_ue_transport *t =
            new_transport(&(struct gba_ue_curl_config){.timeout_ms = 2000});
        struct script s = {.reply = rows[i].reply};
        struct fake_server *server;
        struct gba_ue_reply reply;
        unsigned port;
        char url[128];
        enum gba_err err;

        /* A reply without an end needs a server that closes: a reply of no octets closes. */
        server = fake_server_start(play, &s, &port);
        snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
        err = get(t, url, &reply);
        if (err != rows[i].err && !(err == GBA_E_TIMEOUT && i == 2))
            printf("\n    row %zu: %s %s\n", i, gba_err_name(err), reply.why);
        CU_ASSERT(err == rows[i].err || (err == GBA_E_TIMEOUT && i == 2));
        t->close(t);
        fake_server_stop(server);
    }
}

static void test_no_header_injection(void)
{
    struct gba_ue_transport *t = new_transport(&(struct gba_ue_curl_config){0});
    const struct gba_ue_field bad = {"X", "a\r\nEvil: 1"};
    struct gba_ue_reply reply;

    CU_ASSERT_EQUAL(t->exchange(t,
                                &(struct gba_ue_request){.method = "GET",
                                                         .url = "http://127.0.0.1:1/",
                                                         .fields = &bad,
                                                         .n_fields = 1},
                                &reply),
                    GBA_E_ARGUMENT);
    CU_ASSERT_EQUAL(get(t, "file:///etc/passwd", &reply), GBA_E_ARGUMENT);
    CU_ASSERT_EQUAL(get(t, "http://user:pw@127.0.0.1:1/", &reply), GBA_E_ARGUMENT);
    CU_ASSERT_EQUAL(get(t, "http://127.0.0.1:1/", &reply), GBA_E_UNREACHABLE);
    CU_ASSERT_PTR_NOT_NULL(reply.why);
    t->close(t);
}

/* --- TLS ---------------------------------------------------------------------------------- */

/* Keys as a device has them. */
struct keys {
    const char *identity;
    uint8_t key[32], ua_id[5];
    char hint[256];
    unsigned asked;
    enum gba_err err;
};

static enum gba_err give_key(void *ctx, const uint8_t ua_id[5], const char *hint,
                             char identity[GBA_UE_PSK_IDENTITY_SIZE],
                             uint8_t key[GBA_UE_PSK_MAX], size_t *key_len)
{
    struct keys *k = ctx;

    k->asked++;
    memcpy(k->ua_id, ua_id, 5);
    snprintf(k->hint, sizeof(k->hint), "%s", hint != NULL ? hint : "(none)");
    snprintf(identity, GBA_UE_PSK_IDENTITY_SIZE, "%s", k->identity);
    memcpy(key, k->key, 32);
    *key_len = 32;
    return k->err;
}

struct tls_bench {
    struct tls_server server;
    struct script script;
    struct gba_ue_transport *t;
    struct gba_ue_reply reply;
    struct keys keys;
    struct gba_ue_psk psk;
    char url[128], connect_to[32];
    const char *elsewhere; /* connect_to, when the URL has a name */
};

static void tls_begin(struct tls_bench *b)
{
    memset(b, 0, sizeof(*b));
    b->script.reply = OK_REPLY;
    b->server.answer = play;
    b->server.ctx = &b->script;
    b->server.min_version = TLS1_2_VERSION;
    b->server.max_version = TLS1_3_VERSION;
    b->server.key[0] = b->keys.key[0] = 0x42;
    b->keys.identity = "3GPP-bootstrapping;x@bsf";
    b->psk = (struct gba_ue_psk){.key = give_key, .ctx = &b->keys};
}

/* ca: the server's own certificate, or not. */
static void tls_up(struct tls_bench *b, bool trust)
{
    const char *ca = scratch("ca.pem");
    FILE *f = fopen(scratch("empty.pem"), "w");

    fclose(f);
    tls_server_start(&b->server, ca);
    b->t = new_transport(&(struct gba_ue_curl_config){
        .ca_file = trust ? ca : scratch("other.pem"), .timeout_ms = 5000});
    snprintf(b->url, sizeof(b->url), "https://127.0.0.1:%u/", b->server.port);
}

/* Another transport; the old one's connection is closed (the server serves one at a time). */
static void tls_again(struct tls_bench *b)
{
    b->t->close(b->t);
    b->t = new_transport(
        &(struct gba_ue_curl_config){.ca_file = scratch("ca.pem"), .timeout_ms = 5000});
}

static void tls_down(struct tls_bench *b)
{
    if (b->t != NULL)
        b->t->close(b->t);
    b->t = NULL;
    tls_server_stop(&b->server);
}

static enum gba_err tls_get(struct tls_bench *b, const struct gba_ue_psk *psk,
                            const char *label, uint16_t suite)
{
    return b->t->exchange(b->t,
                          &(struct gba_ue_request){.method = "GET",
                                                   .url = b->url,
                                                   .psk = psk,
                                                   .connect_to = b->elsewhere,
                                                   .export_label = label,
                                                   .suite = suite},
                          &b->reply);
}

/* A root that signed nothing here. */
static void make_other_root(void)
{
    struct tls_server other = {
        .min_version = TLS1_2_VERSION, .max_version = TLS1_2_VERSION, .answer = play};

    tls_server_start(&other, scratch("other.pem"));
    tls_server_stop(&other);
}

static void test_certificates(void)
{
    struct tls_bench b;

    make_other_root();
    for (int auto_psk = 0; auto_psk < 2;
         auto_psk++) /* libcurl's verification, and the context's own */
        for (int version = 0; version < 2; version++) {
            const struct gba_ue_psk *psk;

            tls_begin(&b);
            psk = auto_psk ? &b.psk : NULL;
            b.server.min_version = b.server.max_version =
                version ? TLS1_3_VERSION : TLS1_2_VERSION;
            tls_up(&b, true);
            CU_ASSERT_EQUAL(tls_get(&b, psk, NULL, 0), GBA_OK);
            CU_ASSERT(!b.reply.psk && b.reply.tls13 == (version == 1) &&
                      b.reply.suite == b.server.suite);
            tls_down(&b);

            tls_begin(&b); /* not our root */
            b.server.min_version = b.server.max_version =
                version ? TLS1_3_VERSION : TLS1_2_VERSION;
            tls_up(&b, false);
            CU_ASSERT_EQUAL(tls_get(&b, psk, NULL, 0), GBA_E_TLS);
            CU_ASSERT_EQUAL(b.script.n, 0);
            tls_down(&b);

            tls_begin(&b); /* by name: the right one, then two wrong ones */
            b.server.min_version = b.server.max_version =
                version ? TLS1_3_VERSION : TLS1_2_VERSION;
            tls_up(&b, true);
            snprintf(b.connect_to, sizeof(b.connect_to), "127.0.0.1:%u", b.server.port);
            b.elsewhere = b.connect_to;
            snprintf(b.url, sizeof(b.url), "https://naf.example:%u/", b.server.port);
            CU_ASSERT_EQUAL(tls_get(&b, psk, NULL, 0), GBA_OK);
            tls_again(&b);
            snprintf(b.url, sizeof(b.url), "https://naf.example.org:%u/", b.server.port);
            CU_ASSERT_EQUAL(tls_get(&b, psk, NULL, 0), GBA_E_TLS);
            tls_again(&b);
            snprintf(b.url, sizeof(b.url), "https://x.naf.example:%u/", b.server.port);
            CU_ASSERT_EQUAL(tls_get(&b, psk, NULL, 0), GBA_E_TLS);
            CU_ASSERT_EQUAL(b.script.n, 1);
            tls_down(&b);

            tls_begin(&b); /* our root, another name */
            b.server.min_version = b.server.max_version =
                version ? TLS1_3_VERSION : TLS1_2_VERSION;
            b.server.dns = "other.example";
            tls_up(&b, true);
            CU_ASSERT_EQUAL(tls_get(&b, psk, NULL, 0), GBA_E_TLS);
            CU_ASSERT_EQUAL(b.script.n, 0);
            tls_down(&b);
        }
}

static void test_psk_tls12(void)
{
    struct tls_bench b;

    tls_begin(&b);
    b.server.max_version = TLS1_2_VERSION;
    b.server.suites = "PSK-AES128-CBC-SHA256:@SECLEVEL=1";
    b.server.hint = "3GPP-bootstrapping;3GPP-bootstrapping-uicc";
    b.server.no_certificate = true;
    b.psk.only = true;
    tls_up(&b, true);
    CU_ASSERT_EQUAL(tls_get(&b, &b.psk, NULL, 0), GBA_OK);
    CU_ASSERT(b.reply.psk);
    CU_ASSERT_EQUAL(b.reply.suite, 0x00ae);
    UNIT_BYTES_EQ(b.keys.ua_id, 5, "01000100ae");
    CU_ASSERT_STRING_EQUAL(b.keys.hint, "3GPP-bootstrapping;3GPP-bootstrapping-uicc");
    CU_ASSERT_STRING_EQUAL(b.server.identity, "3GPP-bootstrapping;x@bsf");
    tls_down(&b);
}

/* PSK was meant; a server with a certificate, even a good one, is refused. */
static void test_psk_fails_closed(void)
{
    for (int version = 0; version < 2; version++) {
        struct tls_bench b;

        tls_begin(&b);
        b.server.min_version = b.server.max_version = version ? TLS1_3_VERSION : TLS1_2_VERSION;
        b.psk.only = true;
        b.psk.tls13 = version == 1;
        if (version == 0)
            b.psk.suites =
                "PSK-AES128-CBC-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"; /* even if the list has
                                                                          it */
        b.server.suites = version == 0 ? "ECDHE-ECDSA-AES128-GCM-SHA256" : NULL;
        tls_up(&b, true);
        CU_ASSERT_EQUAL(tls_get(&b, &b.psk, NULL, 0), GBA_E_TLS);
        CU_ASSERT_EQUAL(b.script.n, 0);
        tls_down(&b);
    }
}

static void test_psk_tls13(void)
{
    struct tls_bench b;

    tls_begin(&b);
    b.server.psk13 = true;
    b.psk.only = b.psk.tls13 = true;
    tls_up(&b, true);
    CU_ASSERT_EQUAL(tls_get(&b, &b.psk, NULL, 0), GBA_OK);
    CU_ASSERT(b.reply.psk && b.reply.tls13);
    UNIT_BYTES_EQ(b.keys.ua_id, 5, "0100000007");
    CU_ASSERT_STRING_EQUAL(b.server.identity, "3GPP-bootstrapping;x@bsf");
    tls_down(&b);

    tls_begin(&b); /* another key */
    b.server.psk13 = true;
    b.psk.only = b.psk.tls13 = true;
    b.server.key[1] = 1;
    tls_up(&b, true);
    CU_ASSERT_EQUAL(tls_get(&b, &b.psk, NULL, 0), GBA_E_TLS);
    CU_ASSERT_EQUAL(b.script.n, 0);
    tls_down(&b);
}

static void test_psk_refused(void)
{
    struct tls_bench b;

    tls_begin(&b);
    b.server.max_version = TLS1_2_VERSION;
    b.server.suites = "PSK-AES128-CBC-SHA256:@SECLEVEL=1";
    b.server.refuse_identity = b.keys.identity;
    b.psk.only = true;
    tls_up(&b, true);
    CU_ASSERT_EQUAL(tls_get(&b, &b.psk, NULL, 0), GBA_E_TLS);
    CU_ASSERT_EQUAL(b.reply.alert, 115);
    b.server.refuse_identity = NULL;
    b.server.key[5] = 9; /* known, another key */
    CU_ASSERT_EQUAL(tls_get(&b, &b.psk, NULL, 0), GBA_E_TLS);
    CU_ASSERT(b.reply.alert == 20 || b.reply.alert == 51);
    b.keys.err = GBA_E_NOT_FOUND; /* the device has none: its reason comes out */
    CU_ASSERT_EQUAL(tls_get(&b, &b.psk, NULL, 0), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(b.script.n, 0);
    tls_down(&b);
}

/* libcurl does not see identities: two B-TIDs must never share a connection. */
static void test_no_connection_of_another_identity(void)
{
    struct tls_bench b;

    tls_begin(&b);
    b.server.max_version = TLS1_2_VERSION;
    b.server.suites = "ECDHE-PSK-CHACHA20-POLY1305";
    b.psk.only = true;
    tls_up(&b, true);
    CU_ASSERT_EQUAL(tls_get(&b, &b.psk, NULL, 0), GBA_OK);
    CU_ASSERT_EQUAL(b.server.n_handshakes, 1);
    b.keys.identity = "3GPP-bootstrapping;second@bsf";
    CU_ASSERT_EQUAL(tls_get(&b, &b.psk, NULL, 0), GBA_OK);
    CU_ASSERT_STRING_EQUAL(b.server.identity, "3GPP-bootstrapping;second@bsf");
    CU_ASSERT_EQUAL(b.server.n_handshakes, 2);
    CU_ASSERT_EQUAL(b.keys.asked, 2);
    tls_down(&b);
}

static void test_connection_is_kept_for_one_identity(void)
{
    struct tls_bench b;

    tls_begin(&b);
    tls_up(&b, true);
    CU_ASSERT_EQUAL(tls_get(&b, NULL, NULL, 0), GBA_OK);
    CU_ASSERT_EQUAL(tls_get(&b, NULL, NULL, b.reply.suite), GBA_OK);
    CU_ASSERT_EQUAL(b.server.n_accepted, 1);
    /* ... but not when the identity behind it changed */
    CU_ASSERT_EQUAL(
        b.t->exchange(b.t,
                      &(struct gba_ue_request){.method = "GET", .url = b.url, .fresh = true},
                      &b.reply),
        GBA_OK);
    CU_ASSERT_EQUAL(b.server.n_accepted, 2);
    tls_down(&b);
}

static void test_suite_is_checked_before_sending(void)
{
    struct tls_bench b;

    tls_begin(&b);
    tls_up(&b, true);
    CU_ASSERT_EQUAL(tls_get(&b, NULL, NULL, 0x00ae), GBA_E_MISDIRECTED);
    CU_ASSERT(b.reply.suite != 0 && b.reply.suite != 0x00ae);
    tls_down(&b);
    CU_ASSERT_EQUAL(b.script.n, 0);
}

static void test_export(void)
{
    static const char *const suites[] = {"ECDHE-PSK-CHACHA20-POLY1305",
                                         "DHE-PSK-AES128-GCM-SHA256"};

    for (size_t i = 0; i < 2; i++) {
        struct tls_bench b;

        tls_begin(&b);
        b.server.max_version = TLS1_2_VERSION;
        b.server.suites = suites[i];
        b.psk.only = true;
        tls_up(&b, true);
        CU_ASSERT_EQUAL(tls_get(&b, &b.psk, "EXPORTER-oneM2M-Bootstrap", 0), GBA_OK);
        CU_ASSERT(b.reply.has_exported);
        CU_ASSERT_EQUAL(memcmp(b.reply.exported, b.server.exported, 48), 0);
        tls_down(&b);
    }
    { /* between certificates too, in TLS 1.2: TLS 1.3 is not the profile, and not offered */
        struct tls_bench b;

        tls_begin(&b);
        tls_up(&b, true);
        CU_ASSERT_EQUAL(tls_get(&b, NULL, "EXPORTER-oneM2M-Bootstrap", 0), GBA_OK);
        CU_ASSERT(b.reply.has_exported && !b.reply.tls13 && !b.reply.psk);
        tls_down(&b);
        tls_begin(&b);
        b.server.min_version = TLS1_3_VERSION;
        tls_up(&b, true);
        CU_ASSERT_EQUAL(tls_get(&b, NULL, "EXPORTER-oneM2M-Bootstrap", 0), GBA_E_TLS);
        CU_ASSERT_EQUAL(b.script.n, 0);
        tls_down(&b);
    }
}

static void test_old_tls(void)
{
    struct tls_bench b;

    tls_begin(&b);
    b.server.min_version = b.server.max_version = TLS1_1_VERSION;
    b.server.suites = "ALL:@SECLEVEL=0";
    tls_up(&b, true);
    CU_ASSERT_EQUAL(tls_get(&b, NULL, NULL, 0), GBA_E_TLS);
    CU_ASSERT_EQUAL(b.script.n, 0);
    tls_down(&b);
}

static void test_pinned_key(void)
{
    struct tls_bench b;

    tls_begin(&b);
    tls_up(&b, true);
    b.t->close(b.t);
    b.t = new_transport(&(struct gba_ue_curl_config){
        .ca_file = scratch("ca.pem"),
        .pinned_key = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="});
    CU_ASSERT_EQUAL(tls_get(&b, NULL, NULL, 0), GBA_E_TLS);
    tls_down(&b);
    CU_ASSERT_EQUAL(b.script.n, 0);
}

static void test_timeout(void)
{
    struct tls_bench b;

    tls_begin(&b);
    b.server.silent = true;
    tls_up(&b, true);
    b.t->close(b.t);
    b.t = new_transport(
        &(struct gba_ue_curl_config){.ca_file = scratch("ca.pem"), .timeout_ms = 150});
    CU_ASSERT_EQUAL(tls_get(&b, NULL, NULL, 0), GBA_E_TIMEOUT);
    tls_down(&b);
}

/* The same exchange in an event loop of the caller. */
static void test_multi(void)
{
    struct gba_ue_request request = {.method = "GET"};
    CURLM *multi = curl_multi_init();
    struct tls_bench b;
    CURLMsg *msg;
    int running = 1, left;
    void *easy;

    tls_begin(&b);
    b.server.max_version = TLS1_2_VERSION;
    b.server.suites = "ECDHE-PSK-CHACHA20-POLY1305";
    b.psk.only = true;
    tls_up(&b, true);
    request.url = b.url;
    request.psk = &b.psk;
    CU_ASSERT_EQUAL(gba_ue_curl_begin(b.t, &request, &easy), GBA_OK);
    curl_multi_add_handle(multi, easy);
    while (running > 0 && curl_multi_perform(multi, &running) == CURLM_OK && running > 0)
        curl_multi_poll(multi, NULL, 0, 1000, NULL);
    msg = curl_multi_info_read(multi, &left);
    CU_ASSERT_PTR_NOT_NULL_FATAL(msg);
    const int code = (int)msg->data.result;

    curl_multi_remove_handle(multi, easy);
    CU_ASSERT_EQUAL(gba_ue_curl_end(b.t, code, &b.reply), GBA_OK);
    CU_ASSERT(b.reply.psk && b.reply.status == 200 && b.reply.body_len == 2);
    curl_multi_cleanup(multi);
    tls_down(&b);
}

static const struct unit_test tests[] = {
    {"a plain request", test_plain},
    {"IPv6", test_ipv6},
    {"redirects are not followed", test_no_redirects},
    {"no proxy from the environment", test_no_environment_proxy},
    {"a proxy, when asked", test_proxy},
    {"caps", test_caps},
    {"broken replies", test_broken_replies},
    {"no field injection, no other scheme", test_no_header_injection},
    {"certificates: path and name", test_certificates},
    {"PSK in TLS 1.2", test_psk_tls12},
    {"PSK fails closed", test_psk_fails_closed},
    {"PSK in TLS 1.3", test_psk_tls13},
    {"PSK refused", test_psk_refused},
    {"no connection of another identity", test_no_connection_of_another_identity},
    {"one connection for one identity", test_connection_is_kept_for_one_identity},
    {"the suite is checked before sending", test_suite_is_checked_before_sending},
    {"key export", test_export},
    {"no TLS 1.1", test_old_tls},
    {"pinned key", test_pinned_key},
    {"timeout", test_timeout},
    {"multi interface", test_multi},
};
UNIT_MAIN("transport", tests)
