/*
 * A whole enrolment by EST through a transport that is a MEF of our own: what is sent in which
 * order, and that nothing comes of an answer that is wrong at any step.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/est.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/ua/est_ca.h"
#include "tests/unit.h"

static struct est_ca ca, other_ca;
static const struct ue_est_name name = {true, "//sp.example/cse1/Cone"};

static struct mef {
    struct gba_ue_transport port;
    /* set by tests */
    size_t fail_at; /* this exchange is lost; 1 is the first */
    unsigned status[4];
    const char *csrattrs; /* base64; NULL: none */
    bool garbage_certs;
    enum est_ca_fault fault;
    const struct est_ca *issuer;
    /* what came */
    size_t n;
    char seen[4][128];
    char subject[256], name[512];
    /* memory of the answer */
    char body[EST_CERT_PEM_MAX];
    struct gba_ue_field fields[1];
} mef;

static void encode(struct gba_bytes der)
{
    CU_ASSERT_FATAL(GBA_BASE64_LEN(der.n) < sizeof(mef.body));
    gba_base64(mef.body, der);
    free((uint8_t *)der.p);
}

static void issue(const struct gba_ue_request *r)
{
    static uint8_t csr[UE_EST_CSR_MAX];
    size_t n = 0;

    CU_ASSERT_FATAL(gba_unbase64(csr, sizeof(csr),
                                 (struct gba_text){(const char *)r->body, r->body_len},
                                 &n) == GBA_OK);
    est_ca_read((struct gba_bytes){csr, n}, mef.subject, mef.name);
    encode(est_ca_issue(mef.issuer, (struct gba_bytes){csr, n}, mef.fault));
}

static enum gba_err exchange(struct gba_ue_transport *self, const struct gba_ue_request *r,
                             struct gba_ue_reply *reply)
{
    const char *type = "application/pkcs7-mime";

    (void)self;
    memset(reply, 0, sizeof(*reply));
    CU_ASSERT_FATAL(mef.n < 4);
    snprintf(mef.seen[mef.n], sizeof(mef.seen[0]), "%s %s", r->method, r->url);
    if (++mef.n == mef.fail_at) {
        reply->why = "lost";
        return GBA_E_UNREACHABLE;
    }
    reply->status = mef.status[mef.n - 1] != 0 ? mef.status[mef.n - 1] : 200;
    mef.body[0] = '\0';
    if (reply->status != 200) {
        type = "text/plain";
        strcpy(mef.body, "a reason");
    } else if (strstr(r->url, "cacerts") != NULL && mef.garbage_certs) {
        strcpy(mef.body, "MAA=");
    } else if (strstr(r->url, "cacerts") != NULL) {
        encode(est_ca_certs(&ca));
    } else if (strstr(r->url, "csrattrs") != NULL) {
        type = "application/csrattrs";
        strcpy(mef.body, mef.csrattrs != NULL ? mef.csrattrs : "MAA=");
    } else {
        issue(r);
    }
    mef.fields[0] = (struct gba_ue_field){"Content-Type", type};
    reply->fields = mef.fields;
    reply->n_fields = 1;
    reply->body = (const uint8_t *)mef.body;
    reply->body_len = strlen(mef.body);
    return GBA_OK;
}

static struct ue_est *est;
static struct ue_est_pair *pair;

static void begin(void)
{
    memset(&mef, 0, sizeof(mef));
    mef.port.exchange = exchange;
    mef.issuer = &ca;
    memset(est, 0, sizeof(*est));
    est->transport = &mef.port;
    est->env = &gba_ue_env_system;
    est->url = "https://mef.example:8443/ignored";
    memset(pair, 0xaa, sizeof(*pair));
}

static enum gba_err run(enum ue_est_op op, const char *like)
{
    enum gba_err err = ue_est_get_pair(est, op, &name, like, pair);

    CU_ASSERT((err == GBA_OK) == (est->why[0] == '\0'));
    if (err != GBA_OK) /* nothing of a pair is left */
        CU_ASSERT(pair->key_len == 0 && pair->key[0] == '\0' && pair->cert[0] == '\0');
    return err;
}

static void test_enrol(void)
{
    begin();
    CU_ASSERT(run(UE_EST_ENROL, NULL) == GBA_OK);
    CU_ASSERT(mef.n == 3);
    CU_ASSERT_STRING_EQUAL(mef.seen[0], "GET https://mef.example:8443/.well-known/est/cacerts");
    CU_ASSERT_STRING_EQUAL(mef.seen[1],
                           "GET https://mef.example:8443/.well-known/est/csrattrs");
    CU_ASSERT_STRING_EQUAL(mef.seen[2],
                           "POST https://mef.example:8443/.well-known/est/simpleenroll");
    CU_ASSERT_STRING_EQUAL(mef.name, "URI://sp.example/cse1/Cone");
    CU_ASSERT_STRING_EQUAL(mef.subject, "");
    CU_ASSERT(strstr(pair->key, "BEGIN PRIVATE KEY") != NULL);
    CU_ASSERT(strlen(pair->key) == pair->key_len);
    CU_ASSERT(strstr(pair->cert, "BEGIN CERTIFICATE") != NULL);
}

static void test_renew(void)
{
    struct gba_bytes p7 = est_ca_certs(&other_ca); /* any certificate, for its subject */
    static char like[EST_CERT_PEM_MAX];
    size_t count;

    CU_ASSERT_FATAL(est_certs_pem(p7, like, &count) == GBA_OK);
    free((uint8_t *)p7.p);
    begin();
    CU_ASSERT(run(UE_EST_RENEW, like) == GBA_OK);
    CU_ASSERT_STRING_EQUAL(mef.seen[2],
                           "POST https://mef.example:8443/.well-known/est/simplereenroll");
    CU_ASSERT_STRING_EQUAL(mef.subject, "/CN=other");
    begin();
    CU_ASSERT(run(UE_EST_RENEW, "no certificate") == GBA_E_CRYPTO);
    CU_ASSERT(mef.n == 2); /* nothing was asked for */
}

static void test_every_step(void)
{
    for (size_t i = 1; i <= 3; i++) {
        begin();
        mef.fail_at = i;
        CU_ASSERT(run(UE_EST_ENROL, NULL) == GBA_E_UNREACHABLE);
        CU_ASSERT_STRING_EQUAL(est->why, "lost");
        CU_ASSERT(mef.n == i);
        begin();
        mef.status[i - 1] = 503;
        CU_ASSERT(run(UE_EST_ENROL, NULL) == GBA_E_OVERLOAD);
        CU_ASSERT_STRING_EQUAL(est->why, "a reason");
        CU_ASSERT(mef.n == i);
    }
    begin();
    mef.status[1] = 404; /* no csrattrs: an operation that a server may leave out */
    CU_ASSERT(run(UE_EST_ENROL, NULL) == GBA_OK);
    begin();
    mef.garbage_certs = true;
    CU_ASSERT(run(UE_EST_ENROL, NULL) == GBA_E_PROTOCOL);
    begin();
    mef.csrattrs = "AAEC";
    CU_ASSERT(run(UE_EST_ENROL, NULL) == GBA_E_PROTOCOL);
    begin();
    mef.csrattrs = "MAsGCSqGSIb3DQEJBw==";
    CU_ASSERT(run(UE_EST_ENROL, NULL) == GBA_E_UNSUPPORTED);
    CU_ASSERT(mef.n == 2);
}

static void test_wrong_certificates(void)
{
    for (enum est_ca_fault fault = EST_CA_RIGHT; fault < EST_CA_N_FAULTS; fault++) {
        begin();
        mef.fault = fault;
        CU_ASSERT(
            run(UE_EST_ENROL, NULL) ==
            (fault == EST_CA_RIGHT || fault == EST_CA_WITH_ITSELF ? GBA_OK : GBA_E_PROTOCOL));
    }
    begin();
    mef.issuer = &other_ca;
    CU_ASSERT(run(UE_EST_ENROL, NULL) == GBA_E_PROTOCOL);
}

static void test_urls(void)
{
    static const char *const bad[] = {"http://mef.example/", "mef.example", "https://", ""};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        begin();
        est->url = bad[i];
        CU_ASSERT(run(UE_EST_ENROL, NULL) == GBA_E_ARGUMENT);
        CU_ASSERT(mef.n == 0);
    }
    begin();
    est->url = "https://[::1]:8443";
    CU_ASSERT(ue_est_ask(est, UE_EST_CACERTS) == GBA_OK);
    CU_ASSERT_STRING_EQUAL(mef.seen[0], "GET https://[::1]:8443/.well-known/est/cacerts");
    begin();
    est->url = "https://mef.example";
    CU_ASSERT(ue_est_ask(est, UE_EST_CSRATTRS) == GBA_OK);
    CU_ASSERT_STRING_EQUAL(mef.seen[0], "GET https://mef.example/.well-known/est/csrattrs");
}

static void test_begin(void)
{
    est_ca_begin(&ca, "ca");
    est_ca_begin(&other_ca, "other");
    est = calloc(1, sizeof(*est));
    pair = calloc(1, sizeof(*pair));
    CU_ASSERT_FATAL(est != NULL && pair != NULL);
}

static void test_end(void)
{
    est_ca_end(&ca);
    est_ca_end(&other_ca);
    free(est);
    free(pair);
}

static const struct unit_test tests[] = {
    {"begin", test_begin},
    {"enrol", test_enrol},
    {"renew", test_renew},
    {"every step", test_every_step},
    {"wrong certificates", test_wrong_certificates},
    {"URLs", test_urls},
    {"end", test_end},
};
UNIT_MAIN("est", tests)
