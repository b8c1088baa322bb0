/*
 * naf/key_fetch.c against a real HTTPS server: whom it believes, and what it takes for a key.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/key_fetch.h"

#include <stdio.h>
#include <string.h>

#include "common/host/httpd.h"
#include "common/host/tls.h"
#include "tests/host/certs.h"
#include "tests/unit.h"

#define KE_ID "404142434445464748494A4B4C4D4E4F@mef.example"
#define B64   "AQIDBAUGBwgBAgMEBQYHCAECAwQFBgcIAQIDBAUGBwg="

static struct tls_server *tls;
static struct httpd *httpd;
static char port[16], cert[128], key[128], ca[128], stranger[128], old_cert[128], old_key[128];
static const char *body;
static unsigned status;
static char path[256];

static void on_request(void *ctx, struct httpd_request *r)
{
    static const struct httpd_header elsewhere = {"Location", "https://localhost:1/"};

    (void)ctx;
    gba_text_copy(path, sizeof(path), httpd_path(r));
    httpd_reply(r, &(struct httpd_reply){.status = status,
                                         .content_type = "application/json",
                                         .headers = &elsewhere,
                                         .n_headers = status == 302,
                                         .body = gba_text_bytes(gba_text(body))});
}

static void keep(char out[static 128], const char *file)
{
    snprintf(out, 128, "%s", certs_path(file));
}

static void begin(void)
{
    struct certs_pair root = certs_make("ca", "ca", NULL, 24, 1), p;
    struct tls_server_config t = {.client = TLS_CLIENT_REQUIRED};
    struct httpd_listener l = {
        .name = "mef", .handler = on_request, .address = "127.0.0.1:0", .body_limit = 1000};
    char mef_cert[128], mef_key[128];

    certs_next_dns("localhost");
    p = certs_make("mef", "mef", &root, 24, 2);
    certs_free(&p);
    certs_next_dns("maf.example");
    p = certs_make("maf", "maf", &root, 24, 3);
    certs_free(&p);
    p = certs_make("other", "other", NULL, 24, 4);
    certs_free(&p);
    certs_next_dns("maf.example");
    p = certs_make("old", "old", &root, -1, 5);
    certs_free(&p);
    certs_free(&root);
    keep(cert, "maf.pem");
    keep(key, "maf.key");
    keep(ca, "ca.pem");
    keep(stranger, "other.pem");
    keep(old_cert, "old.pem");
    keep(old_key, "old.key");
    keep(mef_cert, "mef.pem");
    keep(mef_key, "mef.key");
    t.cert_file = mef_cert;
    t.key_file = mef_key;
    t.client_ca_file = ca;
    CU_ASSERT_EQUAL_FATAL(tls_server_new(&t, NULL, &tls), GBA_OK);
    l.tls = tls;
    httpd = httpd_new(NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(httpd);
    CU_ASSERT_EQUAL_FATAL(httpd_listen(httpd, &l), GBA_OK);
    snprintf(port, sizeof(port), "%s", strrchr(httpd_bound(httpd, 0), ':') + 1);
    status = 200;
    body = "{\"Status\":true,\"Credential\":\"" B64 "\",\"EnroleeID\":\"//sp.example/Sone\","
           "\"Lifetime\":\"2026-01-01T00:01:00Z\"}";
    path[0] = '\0';
}

static void end(void)
{
    httpd_free(httpd);
    tls_server_free(tls);
    certs_folder_remove();
}

/* From there, with what the caller has changed in from. */
static enum gba_err fetch(const char *scheme_and_host, struct key_fetch_source from,
                          struct key_fetched *out)
{
    char url[64];

    snprintf(url, sizeof(url), "%s:%s", scheme_and_host, port);
    from.url = url;
    from.ca = from.ca != NULL ? from.ca : ca;
    from.cert = from.cert != NULL ? from.cert : cert;
    from.key = from.key != NULL ? from.key : key;
    from.origin = "maf.example";
    from.deadline_ms = 5000;
    return key_fetch_credential(&from, GBA_TEXT(KE_ID), 21, out);
}

static const struct key_fetch_source as_it_is;

/* The name of the URL, the roots that are configured, and https: nothing else will do. */
static void test_whom(void)
{
    const struct key_fetch_source other_ca = {.ca = stranger}, no_ca = {.ca = "/nowhere"},
                                  expired = {.cert = old_cert, .key = old_key};
    const struct {
        const char *at;
        struct key_fetch_source from;
        enum gba_err err;
    } rows[] = {
        {"https://localhost", as_it_is, GBA_OK},
        {"https://127.0.0.1", as_it_is, GBA_E_UNREACHABLE}, /* not its name */
        {"http://localhost", as_it_is, GBA_E_UNREACHABLE},
        {"https://localhost", other_ca, GBA_E_UNREACHABLE},
        {"https://localhost", no_ca, GBA_E_UNREACHABLE},
        {"https://localhost", expired, GBA_E_UNREACHABLE}, /* we are not believed */
    };
    struct key_fetched got;

    begin();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        path[0] = '\0';
        CU_ASSERT_EQUAL(fetch(rows[i].at, rows[i].from, &got), rows[i].err);
        CU_ASSERT_EQUAL(path[0] != '\0', rows[i].err == GBA_OK);
        CU_ASSERT_EQUAL(got.why[0] != '\0', rows[i].err != GBA_OK);
    }
    end();
}

static void test_answers(void)
{
#define OF(credential, lifetime)                                                               \
    "{\"Status\":true,\"Credential\":\"" credential "\",\"EnroleeID\":\"//sp.example/Sone\","  \
    "\"Lifetime\":\"" lifetime "\"}"
    static const struct {
        unsigned status;
        const char *body;
        enum gba_err err;
    } rows[] = {
        {404, "{\"Status\":false}", GBA_E_NOT_FOUND},
        {403, "{\"Status\":false}", GBA_E_FORBIDDEN},
        {503, "", GBA_E_UNREACHABLE},
        {400, "", GBA_E_PROTOCOL},
        {302, "", GBA_E_PROTOCOL}, /* and not followed */
        {200, "", GBA_E_PROTOCOL},
        {200, "{\"Status\":false}", GBA_E_PROTOCOL},
        {200, OF("AQID", "2026-01-01T00:01:00Z"), GBA_E_PROTOCOL},
        {200, OF(B64, "tomorrow"), GBA_E_PROTOCOL},
        {200, OF(B64, "2026-01-01T00:01:00Z"), GBA_OK},
    };
    static const struct key_fetched nothing;
    struct key_fetched got;

    begin();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        status = rows[i].status;
        body = rows[i].body;
        CU_ASSERT_EQUAL(fetch("https://localhost", as_it_is, &got), rows[i].err);
        if (rows[i].err != GBA_OK)
            CU_ASSERT(gba_equal_ct(&got.key, &nothing.key, sizeof(got.key)));
    }
    CU_ASSERT_STRING_EQUAL(path, "/fetchCredentials/404142434445464748494A4B4C4D4E4F"
                                 "%40mef.example/21");
    CU_ASSERT_STRING_EQUAL(got.enrolee, "//sp.example/Sone");
    CU_ASSERT_EQUAL(got.expires_s, 1767225660);
    CU_ASSERT(got.key.octets[0] == 1 && got.key.octets[31] == 8);
    end();
}

static const struct unit_test tests[] = {
    {"who is believed", test_whom},
    {"answers", test_answers},
};
UNIT_MAIN("key_fetch", tests)
