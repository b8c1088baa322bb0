/*
 * common/host/tls with common/host/httpd: certificates accepted and refused in the handshake,
 * names, PSK beside certificates, reloading, and slow handshakes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/stat.h>

#include "common/host/httpd.h"
#include "common/host/tls.h"
#include "common/host/tls_peer.h"
#include "tests/host/certs.h"
#include "tests/host/raw_client.h"

#define PSK_PRIORITIES                                                                         \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-PSK:+DHE-PSK:+PSK:"             \
    "+ECDHE-ECDSA:+ECDHE-RSA:+SHA256:+SHA384:%SERVER_PRECEDENCE"

static struct certs_pair ca, other_ca, third_ca, server, server2, naf, revoked, expired, rogue,
    nul_name, other, many, third, third_revoked;
static struct log *quiet;

#define MANY 140 /* names of each of two types: more than TLS_PEER_NAMES */
static char many_names[MANY][32];

static void make_certificates(void)
{
    for (int i = 0; i < MANY; i++)
        snprintf(many_names[i], sizeof(many_names[i]), "naf%d.example", i);
    ca = certs_make("ca", "Test CA", NULL, 24, 1);
    other_ca = certs_make("other-ca", "Test CA", NULL, 24, 1);
    certs_next_dns("localhost");
    server = certs_make("server", "server", &ca, 24, 2);
    certs_next_dns("localhost");
    server2 = certs_make("server2", "server two", &ca, 24, 3);
    certs_next_dns("naf.example");
    certs_next_uri("urn:naf");
    certs_next_dns("naf2.example");
    naf = certs_make("naf", "cn.example", &ca, 24, 4);
    revoked = certs_make("revoked", "revoked", &ca, 24, 5);
    expired = certs_make("expired", "expired", &ca, -1, 6);
    rogue = certs_make("rogue", "naf.example", &other_ca, 24, 7);
    for (int i = 0; i < MANY; i++) {
        certs_next_uri("urn:between");
        certs_next_dns(many_names[i]);
    }
    many = certs_make("many", "many", &ca, 24, 9);
    certs_next_names_der("\x30\x13\x82\x11naf.example\0.evil", 21);
    nul_name = certs_make("nul", "nul", &ca, 24, 8);
    /* otherName 1.2.3.4, registeredID 1.2.3.4, dNSName */
    certs_next_names_der("\x30\x1f\xa0\x0b\x06\x03\x2a\x03\x04\xa0\x04\x0c\x02xy"
                         "\x88\x03\x2a\x03\x04\x82\x0bnaf.example",
                         33);
    other = certs_make("other", "other", &ca, 24, 10);
    certs_crl("crl", &ca, &revoked);
    third_ca = certs_make("third-ca", "Third CA", NULL, 24, 9);
    third = certs_make("third", "third", &third_ca, 24, 10);
    third_revoked = certs_make("third-revoked", "third revoked", &third_ca, 24, 11);
    certs_crl("third-crl", &third_ca, &third_revoked);
}

/* Says who the client is and what was negotiated. */
static void handle(void *ctx, struct httpd_request *r)
{
    gnutls_session_t s = httpd_tls(r);
    struct tls_peer *peer, none = {.n = 0}, *p;
    char text[1024];
    uint8_t key[16];
    enum gba_err err = httpd_tls_peer(r, &peer);
    const char *last;
    int n;

    (void)ctx;
    p = peer != NULL ? peer : &none;
    last = p->n != 0 ? p->name[p->n - 1] : "";
    CU_ASSERT_EQUAL(tls_export(s, "EXPORTER-test", key, sizeof(key)), GBA_OK);
    n = snprintf(text, sizeof(text), "%s names=%zu more=%d last=%s expires=%d",
                 gba_err_name(err), p->n, p->more, last, p->expires_s > time(NULL));
    for (size_t i = 0; i < p->n && i < 4; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, " %s", p->name[i]);
    n += snprintf(text + n, sizeof(text) - (size_t)n, " suite=%04x 13=%d key=", tls_suite(s),
                  tls_is_13(s));
    gba_hex(text + n, GBA_BYTES(key));
    httpd_reply(r,
                &(struct httpd_reply){.status = 200, .body = {(uint8_t *)text, strlen(text)}});
}

static struct tls_server *make_tls(enum tls_client_cert client, const char *priorities)
{
    struct tls_server *t = NULL;

    CU_ASSERT_EQUAL_FATAL(
        tls_server_new(&(struct tls_server_config){.cert_file = certs_path("server.pem"),
                                                   .key_file = certs_path("server.key"),
                                                   .client_ca_file = certs_path("ca.pem"),
                                                   .crl_file = certs_path("crl.pem"),
                                                   .client = client,
                                                   .priorities = priorities},
                       quiet, &t),
        GBA_OK);
    return t;
}

static struct httpd *start(struct tls_server *t,
                           void (*tls_start)(void *ctx, gnutls_session_t session),
                           bool thread_per_connection)
{
    struct httpd_listener l = {.name = "tls",
                               .address = "127.0.0.1:0",
                               .handler = handle,
                               .tls = t,
                               .tls_start = tls_start,
                               .deadline_ms = 3000,
                               .thread_per_connection = thread_per_connection};
    struct httpd *h = httpd_new(NULL);

    CU_ASSERT_EQUAL_FATAL(httpd_listen(h, &l), GBA_OK);
    return h;
}

/* --- the client -------------------------------------------------------------------------- */

struct client {
    const char *priorities; /* NULL: NORMAL */
    const char *pair;       /* certificate, or NULL */
    const char *identity;   /* PSK identity, or NULL */
    const char *psk_hex;
    int again_s;                      /* not 0: a request, and another so long after */
    char server_cn[64];               /* out */
    char key[40];                     /* out: exported, in hexadecimal */
    gnutls_alert_description_t alert; /* out: the server's last word; 0: none */
};

static void credentials(const struct client *c, gnutls_session_t s,
                        gnutls_certificate_credentials_t cert,
                        gnutls_psk_client_credentials_t psk)
{
    char pem[160], key[160];

    if (c->pair != NULL) {
        snprintf(pem, sizeof(pem), "%s.pem", certs_path(c->pair));
        snprintf(key, sizeof(key), "%s.key", certs_path(c->pair));
        if (gnutls_certificate_set_x509_key_file(cert, pem, key, GNUTLS_X509_FMT_PEM) < 0)
            abort();
        /* Sent even if the server did not name its issuer. */
        gnutls_certificate_set_flags(cert, 0);
    }
    gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, cert);
    if (c->identity != NULL) {
        gnutls_datum_t k = {(unsigned char *)c->psk_hex, (unsigned)strlen(c->psk_hex)};

        gnutls_psk_set_client_credentials(psk, c->identity, &k, GNUTLS_PSK_KEY_HEX);
        gnutls_credentials_set(s, GNUTLS_CRD_PSK, psk);
    }
}

static void note_server(struct client *c, gnutls_session_t s)
{
    size_t n = sizeof(c->server_cn);
    const gnutls_datum_t *chain;
    gnutls_x509_crt_t crt;
    uint8_t key[16];

    c->server_cn[0] = '\0';
    if (gnutls_prf_rfc5705(s, 13, "EXPORTER-test", 0, NULL, sizeof(key), (char *)key) == 0)
        gba_hex(c->key, GBA_BYTES(key));
    chain = gnutls_auth_get_type(s) == GNUTLS_CRD_CERTIFICATE
                ? gnutls_certificate_get_peers(s, &(unsigned){0})
                : NULL;
    if (chain == NULL || gnutls_x509_crt_init(&crt) != 0)
        return;
    if (gnutls_x509_crt_import(crt, chain, GNUTLS_X509_FMT_DER) == 0)
        (void)gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0,
                                            c->server_cn, &n);
    gnutls_x509_crt_deinit(crt);
}

/* The whole answer, or "" when the handshake or the exchange fails.  In TLS 1.3 a client learns
 * only by its first reading that its certificate was refused. */
static void ask(const char *address, struct client *c, char *answer, size_t cap)
{
    gnutls_certificate_credentials_t cert;
    gnutls_psk_client_credentials_t psk;
    gnutls_session_t s;
    int fd = raw_connect(address), rc;
    ssize_t n = 0;

    answer[0] = '\0';
    gnutls_init(&s, GNUTLS_CLIENT);
    gnutls_certificate_allocate_credentials(&cert);
    gnutls_psk_allocate_client_credentials(&psk);
    if (gnutls_priority_set_direct(s, c->priorities != NULL ? c->priorities : "NORMAL", NULL) !=
        0)
        abort();
    credentials(c, s, cert, psk);
    gnutls_transport_set_int(s, fd);
    gnutls_handshake_set_timeout(s, 10000);
    gnutls_record_set_timeout(s, 10000);
    do
        rc = gnutls_handshake(s);
    while (rc < 0 && !gnutls_error_is_fatal(rc));
    if (rc == 0) {
        note_server(c, s);
        if (c->again_s != 0) {
            gnutls_record_send(s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
            nanosleep(&(struct timespec){.tv_sec = c->again_s}, NULL);
        }
        gnutls_record_send(s, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 46);
        for (size_t at = 0; at + 1 < cap; at += (size_t)n) {
            do
                n = gnutls_record_recv(s, answer + at, cap - 1 - at);
            while (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED);
            if (n <= 0)
                break;
            answer[at + (size_t)n] = '\0';
        }
    }
    if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED || n == GNUTLS_E_FATAL_ALERT_RECEIVED)
        c->alert = gnutls_alert_get(s);
    gnutls_deinit(s);
    gnutls_certificate_free_credentials(cert);
    gnutls_psk_free_client_credentials(psk);
    close(fd);
}

#define TLS12 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define TLS13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

static bool answers(const struct httpd *h, struct client c, const char *part)
{
    char text[4096];

    ask(httpd_bound(h, 0), &c, text, sizeof(text));
    if (part == NULL)
        return text[0] == '\0';
    if (strstr(text, part) == NULL)
        printf("\n  no %s in: %s\n", part, text);
    return strstr(text, part) != NULL && strstr(text, c.key) != NULL;
}

/* --- tests ------------------------------------------------------------------------------- */

static void test_certificates_required(void)
{
    struct tls_server *t = make_tls(TLS_CLIENT_REQUIRED, NULL);
    struct httpd *h = start(t, NULL, false);
    static const char *const versions[] = {TLS12, TLS13};

    for (size_t i = 0; i < 2; i++) {
        const char *v = versions[i];

        CU_ASSERT(
            answers(h, (struct client){.priorities = v, .pair = "naf"}, "OK names=3 more=0 "));
        CU_ASSERT(answers(h, (struct client){.priorities = v}, NULL));
        CU_ASSERT(answers(h, (struct client){.priorities = v, .pair = "rogue"}, NULL));
        CU_ASSERT(answers(h, (struct client){.priorities = v, .pair = "expired"}, NULL));
        CU_ASSERT(answers(h, (struct client){.priorities = v, .pair = "revoked"}, NULL));
        CU_ASSERT(answers(h, (struct client){.priorities = v, .pair = "nul"}, "OK names=0 "));
        CU_ASSERT(answers(h, (struct client){.priorities = v, .pair = "server2"},
                          " dns:localhost suite"));
    }
    CU_ASSERT(answers(
        h, (struct client){.priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.1", .pair = "naf"},
        NULL));
    httpd_free(h);
    tls_server_free(t);
}

/* Its names are read once for a connection; its end counts all the same. */
static void test_certificate_ends(void)
{
    struct tls_server *t = make_tls(TLS_CLIENT_REQUIRED, NULL);
    struct httpd *h = start(t, NULL, false);
    struct client c = {.pair = "short", .again_s = 4};
    char text[4096];
    struct certs_pair brief;

    certs_next_lasts(3);
    certs_next_dns("naf.example");
    brief = certs_make("short", "short", &ca, 24, 12);
    ask(httpd_bound(h, 0), &c, text, sizeof(text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "OK names=1 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "NOT_FOUND names=0 "));
    c = (struct client){.pair = "naf", .again_s = 1};
    ask(httpd_bound(h, 0), &c, text, sizeof(text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "OK names=3 "));
    CU_ASSERT_PTR_NULL(strstr(text, "NOT_FOUND"));
    certs_free(&brief);
    httpd_free(h);
    tls_server_free(t);
}

static void test_certificates_optional(void)
{
    struct tls_server *t = make_tls(TLS_CLIENT_OPTIONAL, NULL);
    struct httpd *h = start(t, NULL, false);

    CU_ASSERT(answers(h, (struct client){0}, "NOT_FOUND names=0 more=0 last= expires=0 suite"));
    CU_ASSERT(answers(h, (struct client){.priorities = TLS12}, "NOT_FOUND names=0 "));
    CU_ASSERT(answers(h, (struct client){.pair = "naf"}, "OK names=3 "));
    CU_ASSERT(answers(h, (struct client){.pair = "rogue"}, NULL));
    CU_ASSERT(answers(h, (struct client){.pair = "revoked"}, NULL));
    httpd_free(h);
    tls_server_free(t);
}

static struct tls_server *more_roots(const char *roots, const char *crl)
{
    const struct tls_server_config c = {.cert_file = certs_path("server.pem"),
                                        .key_file = certs_path("server.key"),
                                        .client_ca_file = certs_path("ca.pem"),
                                        .more_ca_file = certs_path(roots),
                                        .more_crl_file = crl != NULL ? certs_path(crl) : NULL,
                                        .client = TLS_CLIENT_REQUIRED};
    struct tls_server *t = NULL;

    return tls_server_new(&c, quiet, &t) == GBA_OK ? t : NULL;
}

/* A second file of roots, and its CRL; roots that both files have are no error. */
static void test_more_roots(void)
{
    struct tls_server *t = more_roots("third-ca.pem", "third-crl.pem");
    struct httpd *h;

    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    h = start(t, NULL, false);
    CU_ASSERT(answers(h, (struct client){.pair = "naf"}, "OK names=3 "));
    CU_ASSERT(answers(h, (struct client){.pair = "third"}, "OK names=0 "));
    CU_ASSERT(answers(h, (struct client){.pair = "third-revoked"}, NULL));
    CU_ASSERT(answers(h, (struct client){.pair = "rogue"}, NULL));
    CU_ASSERT_EQUAL(tls_server_reload(t), GBA_OK);
    CU_ASSERT(answers(h, (struct client){.pair = "third"}, "OK names=0 "));
    httpd_free(h);
    tls_server_free(t);
    t = more_roots("ca.pem", NULL);
    CU_ASSERT_PTR_NOT_NULL(t);
    tls_server_free(t);
    CU_ASSERT_PTR_NULL(more_roots("missing.pem", NULL));
    CU_ASSERT_PTR_NULL(more_roots("third-ca.pem", "ca.pem"));
}

static void check_alert(const struct httpd *h, const char *priorities, const char *pair,
                        gnutls_alert_description_t alert)
{
    struct client c = {.priorities = priorities, .pair = pair};
    char text[4096];

    ask(httpd_bound(h, 0), &c, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "");
    CU_ASSERT_EQUAL(c.alert, alert);
    if (c.alert != alert)
        printf("\n  %s %s: %s\n", priorities, pair, gnutls_alert_get_name(c.alert));
}

/* Whoever is refused learns why. */
static void test_alerts(void)
{
    static const struct {
        const char *priorities, *pair;
        gnutls_alert_description_t alert;
    } rows[] = {
        {TLS12, NULL, GNUTLS_A_HANDSHAKE_FAILURE},
        {TLS13, NULL, GNUTLS_A_CERTIFICATE_REQUIRED},
        {TLS12, "rogue", GNUTLS_A_BAD_CERTIFICATE}, /* a CA of the same name */
        {TLS13, "rogue", GNUTLS_A_BAD_CERTIFICATE},
        {TLS12, "expired", GNUTLS_A_CERTIFICATE_EXPIRED},
        {TLS13, "expired", GNUTLS_A_CERTIFICATE_EXPIRED},
        {TLS12, "revoked", GNUTLS_A_CERTIFICATE_REVOKED},
        {TLS13, "revoked", GNUTLS_A_CERTIFICATE_REVOKED},
    };
    struct tls_server *t = make_tls(TLS_CLIENT_REQUIRED, NULL);
    struct tls_server *o = make_tls(TLS_CLIENT_OPTIONAL, NULL);
    struct httpd *h = start(t, NULL, false), *g = start(o, NULL, false);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_alert(h, rows[i].priorities, rows[i].pair, rows[i].alert);
        if (rows[i].pair != NULL)
            check_alert(g, rows[i].priorities, rows[i].pair, rows[i].alert);
    }
    httpd_free(h);
    httpd_free(g);
    tls_server_free(t);
    tls_server_free(o);
}

/* Every name, in order, whatever stands between them; and where there are too many. */
static void test_names(void)
{
    static const struct {
        const char *pair, *part;
    } rows[] = {
        {"naf", "OK names=3 more=0 last=dns:naf2.example expires=1 dns:naf.example "
                "uri:urn:naf dns:naf2.example suite"},
        {"nul", "OK names=0 more=0 last= expires=1 suite"}, /* nobody's name */
        {"other", "OK names=2 more=0 last=dns:naf.example expires=1 "
                  "other:1.2.3.4:0c027879 dns:naf.example suite"},
        {"many", "OK names=256 more=1 last=dns:naf127.example expires=1 uri:urn:between "
                 "dns:naf0.example uri:urn:between dns:naf1.example suite"},
    };
    struct tls_server *t = make_tls(TLS_CLIENT_REQUIRED, NULL);
    struct httpd *h = start(t, NULL, false);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT(answers(h, (struct client){.pair = rows[i].pair}, rows[i].part));
    httpd_free(h);
    tls_server_free(t);
}

/* Not asked for: a certificate proves nothing. */
static void test_certificates_ignored(void)
{
    struct tls_server *t = make_tls(TLS_CLIENT_NONE, NULL);
    struct httpd *h = start(t, NULL, false);

    CU_ASSERT(answers(h, (struct client){.pair = "naf"}, "NOT_FOUND names=0 "));
    CU_ASSERT(answers(h, (struct client){.pair = "rogue", .priorities = TLS12},
                      "NOT_FOUND names=0 "));
    httpd_free(h);
    tls_server_free(t);
}

static void test_suites(void)
{
    static const struct {
        const char *priorities, *part;
    } rows[] = {
        {TLS12 ":-CIPHER-ALL:+AES-128-GCM:-KX-ALL:+ECDHE-ECDSA", "suite=c02b 13=0"},
        {TLS12 ":-CIPHER-ALL:+CHACHA20-POLY1305:-KX-ALL:+ECDHE-ECDSA", "suite=cca9 13=0"},
        {TLS13 ":-CIPHER-ALL:+AES-128-GCM", "suite=1301 13=1"},
        {TLS13 ":-CIPHER-ALL:+AES-256-GCM", "suite=1302 13=1"},
        {TLS13 ":-CIPHER-ALL:+CHACHA20-POLY1305", "suite=1303 13=1"},
    };
    struct tls_server *t = make_tls(TLS_CLIENT_NONE, NULL);
    struct httpd *h = start(t, NULL, false);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT(answers(h, (struct client){.priorities = rows[i].priorities}, rows[i].part));
    httpd_free(h);
    tls_server_free(t);
}

/* --- PSK beside certificates ------------------------------------------------------------- */

static gnutls_psk_server_credentials_t psk_server;

static int give_psk(gnutls_session_t s, const gnutls_datum_t *identity, gnutls_datum_t *key)
{
    (void)s;
    if (identity->size != 5 || memcmp(identity->data, "alice", 5) != 0)
        return -1;
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL); /* a look-up that waits */
    key->data = gnutls_malloc(4);
    key->size = 4;
    memcpy(key->data, "\x01\x02\x03\x04", 4);
    return 0;
}

static void attach_psk(void *ctx, gnutls_session_t s)
{
    (void)ctx;
    gnutls_credentials_set(s, GNUTLS_CRD_PSK, psk_server);
}

static void test_psk_beside_certificates(void)
{
    struct tls_server *t = make_tls(TLS_CLIENT_OPTIONAL, PSK_PRIORITIES);
    struct httpd *h;
    struct client alice = {.priorities =
                               TLS12 ":-KX-ALL:+PSK:-CIPHER-ALL:+AES-128-CBC:-MAC-ALL:+SHA256",
                           .identity = "alice",
                           .psk_hex = "01020304"};
    struct client c = alice;

    gnutls_psk_allocate_server_credentials(&psk_server);
    gnutls_psk_set_server_credentials_function2(psk_server, give_psk);
    h = start(t, attach_psk, true);
    CU_ASSERT(answers(h, c, "NOT_FOUND names=0 more=0 last= expires=0 suite=00ae 13=0"));
    c.priorities = TLS12 ":-KX-ALL:+ECDHE-PSK:-CIPHER-ALL:+CHACHA20-POLY1305";
    CU_ASSERT(answers(h, c, "suite=ccac 13=0"));
    c.priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+PSK:+DHE-PSK:+ECDHE-PSK";
    CU_ASSERT(answers(h, c, " 13=1"));
    c.psk_hex = "01020305";
    CU_ASSERT(answers(h, c, NULL));
    c = alice;
    c.identity = "bob";
    CU_ASSERT(answers(h, c, NULL));
    CU_ASSERT(answers(h, (struct client){.pair = "naf"}, "OK names=3 "));
    httpd_free(h);
    gnutls_psk_free_server_credentials(psk_server);
    tls_server_free(t);
}

/* --- reload, files, clocks --------------------------------------------------------------- */

static void copy_file(const char *from, const char *to)
{
    char buffer[8192];
    FILE *in = fopen(certs_path(from), "r"), *out = fopen(certs_path(to), "w");
    size_t n = fread(buffer, 1, sizeof(buffer), in);

    fwrite(buffer, 1, n, out);
    fclose(in);
    fclose(out);
}

static void test_reload(void)
{
    struct tls_server *t;
    struct httpd *h;
    struct client c = {.priorities = TLS12};
    char text[4096];

    copy_file("server.pem", "live.pem");
    copy_file("server.key", "live.key");
    CU_ASSERT_EQUAL_FATAL(
        tls_server_new(&(struct tls_server_config){.cert_file = certs_path("live.pem"),
                                                   .key_file = certs_path("live.key")},
                       quiet, &t),
        GBA_OK);
    h = start(t, NULL, false);
    ask(httpd_bound(h, 0), &c, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(c.server_cn, "server");
    copy_file("server2.pem", "live.pem");
    CU_ASSERT_EQUAL(tls_server_reload(t), GBA_E_CONFIG); /* the key is not its own */
    ask(httpd_bound(h, 0), &c, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(c.server_cn, "server");
    copy_file("server2.key", "live.key");
    CU_ASSERT_EQUAL(tls_server_reload(t), GBA_OK);
    ask(httpd_bound(h, 0), &c, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(c.server_cn, "server two");
    httpd_free(h);
    tls_server_free(t);
}

static void test_bad_files(void)
{
    static const struct {
        const char *cert, *key, *trust, *crl, *priorities;
    } rows[] = {
        {"missing.pem", "server.key", "ca.pem", NULL, NULL},
        {"server.pem", "missing.key", "ca.pem", NULL, NULL},
        {"server.pem", "server2.key", "ca.pem", NULL, NULL},
        {"server.key", "server.key", "ca.pem", NULL, NULL},
        {"server.pem", "server.key", NULL, NULL, NULL},
        {"server.pem", "server.key", "missing.pem", NULL, NULL},
        {"server.pem", "server.key", "server.key", NULL, NULL},
        {"server.pem", "server.key", "ca.pem", "missing.pem", NULL},
        {"server.pem", "server.key", "ca.pem", "ca.pem", NULL},
        {"server.pem", "server.key", "ca.pem", NULL, "NONSENSE"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tls_server *t = NULL;
        struct tls_server_config c = {
            .cert_file = certs_path(rows[i].cert),
            .key_file = certs_path(rows[i].key),
            .client_ca_file = rows[i].trust != NULL ? certs_path(rows[i].trust) : NULL,
            .crl_file = rows[i].crl != NULL ? certs_path(rows[i].crl) : NULL,
            .client = TLS_CLIENT_REQUIRED,
            .priorities = rows[i].priorities};

        CU_ASSERT_EQUAL(tls_server_new(&c, quiet, &t), GBA_E_CONFIG);
        CU_ASSERT_PTR_NULL(t);
    }
}

/* A client that sends a ClientHello octet by octet, one that stops in the middle, and one that
 * speaks plain HTTP. */
static void test_slow_handshake(bool thread_per_connection)
{
    struct tls_server *t = make_tls(TLS_CLIENT_NONE, NULL);
    struct httpd *h = start(t, NULL, thread_per_connection);
    int slow = raw_connect(httpd_bound(h, 0)), stuck = raw_connect(httpd_bound(h, 0));
    int plain = raw_connect(httpd_bound(h, 0));
    bool ended = false;

    raw_send(stuck, "\x16\x03\x01\x01\x00\x01", 6);
    raw_send_text(plain, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CU_ASSERT(raw_closes(plain, 5000));
    raw_send(slow, "\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03", 11);
    for (int i = 0; i < 200 && !ended; i++)
        ended = !raw_send(slow, "a", 1) || raw_closes(slow, 100);
    CU_ASSERT(ended);
    CU_ASSERT(raw_closes(stuck, 10000));
    close(slow);
    close(stuck);
    close(plain);
    httpd_free(h);
    tls_server_free(t);
}

static void test_handshake_deadline(void)
{
    test_slow_handshake(false);
    test_slow_handshake(true);
}

static int64_t processor_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A client that leaves its handshake half done keeps nobody busy. */
static void test_waiting_is_idle(bool thread_per_connection)
{
    struct tls_server *t = make_tls(TLS_CLIENT_NONE, NULL);
    struct httpd *h = start(t, NULL, thread_per_connection);
    int stuck = raw_connect(httpd_bound(h, 0));
    int64_t before;

    raw_send(stuck, "\x16\x03\x01\x01\x00\x01", 6);
    CU_ASSERT(answers(h, (struct client){0}, "200 OK")); /* it was seen by now */
    before = processor_ms();
    CU_ASSERT(!raw_closes(stuck, 1000));
    CU_ASSERT(processor_ms() - before < 500);
    close(stuck);
    httpd_free(h);
    tls_server_free(t);
}

static void test_waiting_handshake(void)
{
    test_waiting_is_idle(false);
    test_waiting_is_idle(true);
}

/* The end of the server while handshakes hang and a session idles. */
static void test_drain(void)
{
    struct tls_server *t = make_tls(TLS_CLIENT_NONE, NULL);
    struct httpd *h = start(t, NULL, false);
    int stuck = raw_connect(httpd_bound(h, 0));

    raw_send(stuck, "\x16\x03\x01\x01\x00\x01", 6);
    CU_ASSERT(answers(h, (struct client){0}, "200 OK"));
    httpd_drain(h, 100);
    CU_ASSERT_EQUAL(httpd_connections(h), 0);
    CU_ASSERT(raw_closes(stuck, 1000));
    close(stuck);
    httpd_free(h);
    tls_server_free(t);
}

static const struct unit_test tests[] = {
    {"client certificates required", test_certificates_required},
    {"client certificates optional", test_certificates_optional},
    {"a certificate that ends", test_certificate_ends},
    {"more roots", test_more_roots},
    {"client certificates ignored", test_certificates_ignored},
    {"alerts", test_alerts},
    {"names of certificates", test_names},
    {"negotiated suites", test_suites},
    {"PSK beside certificates", test_psk_beside_certificates},
    {"reload", test_reload},
    {"bad files", test_bad_files},
    {"handshakes meet a deadline", test_handshake_deadline},
    {"a handshake that waits", test_waiting_handshake},
    {"drain", test_drain},
};

int main(void)
{
    struct certs_pair *all[] = {&ca,      &other_ca, &server, &server2,      &naf,
                                &revoked, &expired,  &rogue,  &nul_name,     &other,
                                &many,    &third_ca, &third,  &third_revoked};
    int code;

    make_certificates();
    code = unit_main("tls", tests, sizeof(tests) / sizeof(tests[0]));
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        certs_free(all[i]);
    certs_folder_remove();
    return code;
}
