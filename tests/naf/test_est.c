/*
 * The decisions on EST: which request is answered how, and who may have which certificate.  The
 * CA is a fake that knows its certificates by their first octet.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/est.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/pkcs7.h>

#include "naf/est_der.h"
#include "tests/host/certs.h"
#include "tests/naf/csrs.h"
#include "naf/mef_audit.h"
#include "tests/naf/mef_world.h"
#include "tests/unit.h"

#define CSE_NAME WORLD_FQDN
#define CSE      WORLD_CSE
#define AE       WORLD_ENROLEE
#define NOTHING  ((struct gba_bytes){NULL, 0})

static gnutls_datum_t ca_der, cse_der, ae_der; /* certificates: the CA's, and two of it */
static bool ca_says_issued;

static struct gba_bytes fake_certs(const struct mef_ca *self, size_t i)
{
    (void)self;
    return i == 0 ? (struct gba_bytes){ca_der.data, ca_der.size} : (struct gba_bytes){NULL, 0};
}

static bool fake_issued(const struct mef_ca *self, struct gba_bytes cert)
{
    (void)self;
    return cert.n != 0 && ca_says_issued;
}

static struct mef_ca fake_ca = {"fake", fake_certs, NULL, fake_issued, NULL};
static struct mef_world world;
static struct est est = {.ca = &fake_ca, .mef = &world.mef, .life_s = 3600};

/* An enrolee, a target, a stranger. */
static const struct mef_client who_ae = {.id = AE, .is_enrolee = true},
                               who_cse = {.id = CSE, .is_enrolee = true},
                               who_nobody = {.id = ""};
static struct mef_client who_maf;
static const struct est_client by_psk = {.who = &who_ae}, cse_by_psk = {.who = &who_cse},
                               nobody = {.who = &who_nobody}, maf = {.who = &who_maf};

static struct est_call *call; /* 70 KiB */

static struct gba_bytes der_of(gnutls_datum_t d)
{
    return (struct gba_bytes){d.data, d.size};
}

static void begin(const struct est_client *c, const char *method, const char *path,
                  const char *type, struct gba_bytes body)
{
    const struct est_request rq = {gba_text(method), gba_text(path), gba_text(type), body};

    memset(call, 0xaa, sizeof(*call));
    est_begin(&est, c, &rq, call);
    CU_ASSERT((call->err == GBA_OK) == (call->why[0] == '\0'));
    CU_ASSERT(!call->ask || call->err == GBA_OK);
}

static const char *base64(struct gba_bytes der)
{
    static char text[2 * MEF_CA_CSR_MAX];

    if (GBA_BASE64_LEN(der.n) >= sizeof(text))
        abort();
    gba_base64(text, der);
    return text;
}

static void enrol(const struct est_client *c, const char *op, const struct csr_spec *spec)
{
    char path[64];

    snprintf(path, sizeof(path), "/.well-known/est/%s", op);
    begin(c, "POST", path, "application/pkcs10",
          gba_text_bytes(gba_text(base64(csrs_make(spec, NULL)))));
}

/* The body's base64, decoded; line ends are where they should be. */
static struct gba_bytes decoded(void)
{
    static uint8_t der[EST_BODY_MAX];
    static char text[EST_BODY_MAX];
    size_t n = 0, len;

    CU_ASSERT_FATAL(call->err == GBA_OK && call->body.n > 0);
    CU_ASSERT(call->body.p[call->body.n - 1] == '\n');
    for (size_t i = 0, column = 0; i < call->body.n; i++) {
        CU_ASSERT(column <= 64);
        column = call->body.p[i] == '\n' ? 0 : column + 1;
        if (call->body.p[i] != '\n')
            text[n++] = (char)call->body.p[i];
    }
    CU_ASSERT_FATAL(gba_unbase64(der, sizeof(der), (struct gba_text){text, n}, &len) == GBA_OK);
    return (struct gba_bytes){der, len};
}

/* ------------------------------------------------------------ paths and methods */

static void test_operations(void)
{
    static const struct {
        const char *method, *path;
        enum gba_err err;
    } rows[] = {
        {"GET", "/.well-known/est/cacerts", GBA_OK},
        {"GET", "/.well-known/est/csrattrs", GBA_OK},
        {"HEAD", "/.well-known/est/cacerts", GBA_E_METHOD},
        {"POST", "/.well-known/est/cacerts", GBA_E_METHOD},
        {"POST", "/.well-known/est/csrattrs", GBA_E_METHOD},
        {"GET", "/.well-known/est/simpleenroll", GBA_E_METHOD},
        {"PUT", "/.well-known/est/simplereenroll", GBA_E_METHOD},
        {"POST", "/.well-known/est/serverkeygen", GBA_E_NOT_IMPLEMENTED},
        {"POST", "/.well-known/est/fullcmc", GBA_E_NOT_IMPLEMENTED},
        {"GET", "/.well-known/est", GBA_E_PATH},
        {"GET", "/.well-known/est/", GBA_E_PATH},
        {"GET", "/.well-known/est/cacerts/", GBA_E_PATH},
        {"GET", "/.well-known/est/label/cacerts", GBA_E_PATH},
        {"GET", "/.well-known/est/CACERTS", GBA_E_PATH},
        {"GET", "/.well-known/est/cacert", GBA_E_PATH},
        {"GET", "/.well-known/est//cacerts", GBA_E_PATH},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(&by_psk, rows[i].method, rows[i].path, "", NOTHING);
        if (call->err != rows[i].err)
            printf("%s: %s ", rows[i].path, gba_err_name(call->err));
        CU_ASSERT(call->err == rows[i].err);
    }
    CU_ASSERT(est_is_path(GBA_TEXT("/.well-known/est")));
    CU_ASSERT(est_is_path(GBA_TEXT("/.well-known/est/x")));
    CU_ASSERT(!est_is_path(GBA_TEXT("/.well-known/estx")));
    CU_ASSERT(!est_is_path(GBA_TEXT("/.well-known/es")));
    CU_ASSERT_STRING_EQUAL(est_method(EST_CSRATTRS), "GET");
    CU_ASSERT_STRING_EQUAL(est_method(EST_SIMPLEREENROLL), "POST");
    CU_ASSERT_STRING_EQUAL(est_method(EST_N_OPS), "");
    CU_ASSERT_STRING_EQUAL(est_op_name(EST_SIMPLEENROLL), "simpleenroll");
    CU_ASSERT_STRING_EQUAL(est_op_name(EST_N_OPS), "");
}

static int count_certs(struct gba_bytes p7, struct gba_bytes *first)
{
    static gnutls_datum_t kept;
    const gnutls_datum_t d = {(unsigned char *)p7.p, (unsigned)p7.n};
    gnutls_pkcs7_t pkcs7;
    int n;

    gnutls_free(kept.data);
    CU_ASSERT_FATAL(gnutls_pkcs7_init(&pkcs7) >= 0);
    CU_ASSERT_FATAL(gnutls_pkcs7_import(pkcs7, &d, GNUTLS_X509_FMT_DER) >= 0);
    n = gnutls_pkcs7_get_crt_count(pkcs7);
    CU_ASSERT(gnutls_pkcs7_get_crl_count(pkcs7) == 0);
    CU_ASSERT_FATAL(gnutls_pkcs7_get_crt_raw2(pkcs7, 0, &kept) >= 0);
    *first = der_of(kept);
    gnutls_pkcs7_deinit(pkcs7);
    return n;
}

static void test_cacerts(void)
{
    struct gba_bytes first;

    begin(&nobody, "GET", "/.well-known/est/cacerts", "", NOTHING); /* whoever asks */
    CU_ASSERT_STRING_EQUAL(call->content_type, "application/pkcs7-mime; smime-type=certs-only");
    CU_ASSERT(count_certs(decoded(), &first) == 1);
    CU_ASSERT(first.n == ca_der.size && memcmp(first.p, ca_der.data, first.n) == 0);
    est.anchors[0] = der_of(cse_der);
    est.n_anchors = 1;
    begin(&nobody, "GET", "/.well-known/est/cacerts", "", NOTHING);
    CU_ASSERT(count_certs(decoded(), &first) == 2);
    est.n_anchors = 0;
}

/* A hundred certificates' length in three octets, and the writer's cap. */
static void test_der_lengths(void)
{
    static uint8_t big[70000], out[80000];
    struct gba_bytes certs[] = {GBA_BYTES(big)};
    static const size_t lengths[] = {0, 1, 100, 127, 128, 200, 255, 256, 65535, 65536, 70000};
    struct gba_wbuf w;

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        size_t head = 2, n;

        certs[0].n = lengths[i];
        gba_wbuf_init(&w, out, sizeof(out));
        est_der_certs_only(certs, 1, &w);
        CU_ASSERT(gba_wbuf_ok(&w) && out[0] == 0x30);
        n = out[1];
        if (n >= 0x80) {
            size_t more = n & 0x7f;

            for (n = 0, head += more; more > 0; more--)
                n = n << 8 | out[2 + (head - 2) - more];
        }
        CU_ASSERT(w.n == head + n);
    }
    gba_wbuf_init(&w, out, 100);
    certs[0].n = 200;
    est_der_certs_only(certs, 1, &w);
    CU_ASSERT(!gba_wbuf_ok(&w));
}

static void test_csrattrs(void)
{
    struct gba_bytes der;

    begin(&nobody, "GET", "/.well-known/est/csrattrs", "", NOTHING);
    CU_ASSERT_STRING_EQUAL(call->content_type, "application/csrattrs");
    der = decoded();
    UNIT_BYTES_EQ(der.p, der.n,
                  "3035"
                  "301506072a8648ce3d0201310a06082a8648ce3d030107"
                  "301206092a864886f70d01090e31050603551d11"
                  "06082a8648ce3d040302");
    begin(&cse_by_psk, "GET", "/.well-known/est/csrattrs", "", NOTHING);
    der = decoded();
    UNIT_BYTES_EQ(der.p, der.n,
                  "304e"
                  "301506072a8648ce3d0201310a06082a8648ce3d030107"
                  "302b06092a864886f70d01090e311e301c301a0603551d1104133011820f"
                  "637365312e73702e6578616d706c65"
                  "06082a8648ce3d040302");
    est.link = true;
    begin(&by_psk, "GET", "/.well-known/est/csrattrs", "", NOTHING);
    der = decoded();
    CU_ASSERT(der.n > 13 &&
              memcmp(der.p + 2, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07", 11) == 0);
    CU_ASSERT(memmem(der.p, der.n, "\x86\x16" AE, 2 + sizeof(AE) - 1) != NULL);
    est.link = false;
}

/* ------------------------------------------------------------ bodies */

static void test_bodies(void)
{
    static char wrapped[4 * MEF_CA_CSR_MAX], big[EST_TEXT_MAX + 2];
    const struct csr_spec spec = {.uri = AE};
    const char *text = base64(csrs_make(&spec, NULL)), *path = "/.well-known/est/simpleenroll";
    size_t n = 0;

    for (size_t i = 0; text[i] != '\0'; i++) {
        wrapped[n++] = text[i];
        if (i % 10 == 9)
            n += (size_t)sprintf(wrapped + n, "%s", i % 20 == 9 ? "\r\n" : " \t\n");
    }
    begin(&by_psk, "POST", path, "application/pkcs10",
          (struct gba_bytes){(uint8_t *)wrapped, n});
    CU_ASSERT(call->err == GBA_OK && call->ask);
    for (size_t i = 0; i < 3; i++) {
        static const char *const types[] = {"Application/PKCS10", "application/pkcs10; a=b",
                                            "application/pkcs10 ;charset=x"};

        begin(&by_psk, "POST", path, types[i], gba_text_bytes(gba_text(text)));
        CU_ASSERT(call->err == GBA_OK && call->ask);
    }
    for (size_t i = 0; i < 3; i++) {
        static const char *const types[] = {"", "application/x-www-form-urlencoded",
                                            "application/pkcs10x"};

        begin(&by_psk, "POST", path, types[i], gba_text_bytes(gba_text(text)));
        CU_ASSERT(call->err == GBA_E_MEDIA_TYPE && !call->ask);
    }
    begin(&by_psk, "POST", path, "application/pkcs10", NOTHING);
    CU_ASSERT(call->err == GBA_E_MISSING);
    begin(&by_psk, "POST", path, "application/pkcs10", gba_text_bytes(GBA_TEXT("====")));
    CU_ASSERT(call->err == GBA_E_SYNTAX);
    begin(&by_psk, "POST", path, "application/pkcs10", gba_text_bytes(GBA_TEXT("AAAA")));
    CU_ASSERT(call->err == GBA_E_SYNTAX);
    begin(&by_psk, "POST", path, "application/pkcs10",
          gba_text_bytes(GBA_TEXT("-----BEGIN CERTIFICATE REQUEST-----")));
    CU_ASSERT(call->err == GBA_E_SYNTAX);
    begin(&by_psk, "POST", path, "application/pkcs10", csrs_make(&spec, NULL)); /* raw DER */
    CU_ASSERT(call->err == GBA_E_SYNTAX);
    memset(big, 'A', sizeof(big));
    begin(&by_psk, "POST", path, "application/pkcs10",
          (struct gba_bytes){(uint8_t *)big, EST_TEXT_MAX + 1});
    CU_ASSERT(call->err == GBA_E_TOO_LONG);
    begin(&by_psk, "POST", path, "application/pkcs10",
          (struct gba_bytes){(uint8_t *)big, EST_TEXT_MAX}); /* more DER than a request has */
    CU_ASSERT(call->err == GBA_E_TOO_LONG);
}

/* ------------------------------------------------------------ names */

static void test_names(void)
{
    static const struct {
        const char *id, *fqdn;
        size_t n;
        enum mef_name_type type;
        const char *name;
        enum mef_cert_profile profile;
    } rows[] = {
        {AE, NULL, 1, MEF_NAME_URI, AE, MEF_CERT_AE},
        {CSE, NULL, 1, MEF_NAME_DNS, CSE_NAME, MEF_CERT_CSE},
        {CSE, "mn.in.sp.example", 1, MEF_NAME_DNS, "mn.in.sp.example", MEF_CERT_CSE},
        {"//sp.example/Sone", NULL, 2, MEF_NAME_URI, "//sp.example/Sone", MEF_CERT_AE},
        {"//sp.example/Sone", "sone.sp.example", 1, MEF_NAME_DNS, "sone.sp.example",
         MEF_CERT_CSE},
        {"maf.example", NULL, 1, MEF_NAME_DNS, "maf.example", MEF_CERT_FQDN},
        {"352099001761481", NULL, 0, 0, "", 0},
        {"/cse1", NULL, 0, 0, "", 0},
        {"/cse1/Cone", NULL, 0, 0, "", 0},
        {"//sp.example/cse1/Xone", NULL, 0, 0, "", 0},
        {"", NULL, 0, 0, "", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct est_name out[EST_NAMES_MAX];
        size_t n = est_names(rows[i].id, rows[i].fqdn, out);

        if (n != rows[i].n)
            printf("row %zu: %zu ", i, n);
        CU_ASSERT(n == rows[i].n);
        if (n == 0)
            continue;
        CU_ASSERT(out[0].name.type == rows[i].type);
        CU_ASSERT_STRING_EQUAL(out[0].name.text, rows[i].name);
        CU_ASSERT(out[0].profile == rows[i].profile);
        if (n == 2) {
            CU_ASSERT(out[1].name.type == MEF_NAME_DNS && out[1].profile == MEF_CERT_CSE);
            CU_ASSERT_STRING_EQUAL(out[1].name.text, "sone.sp.example");
        }
    }
}

static void test_whose_name(void)
{
    const struct {
        const struct est_client *c;
        struct csr_spec spec;
        enum gba_err err;
    } rows[] = {
        {&by_psk, {.uri = AE}, GBA_OK},
        {&by_psk, {.uri = AE, .cn = "Cone"}, GBA_OK},
        {&by_psk, {.uri = AE, .cn = AE}, GBA_OK},
        {&by_psk, {.uri = AE, .cn = "device 7", .organisation = "O"}, GBA_OK},
        {&by_psk, {.uri = AE, .cn = "cse1.sp.example"}, GBA_E_FORBIDDEN},
        {&by_psk, {.uri = AE, .cn = "//sp.example/cse1/Ctwo"}, GBA_E_FORBIDDEN},
        {&by_psk, {.uri = AE, .cn = "*"}, GBA_E_FORBIDDEN},
        {&by_psk, {.uri = "//sp.example/cse1/Ctwo"}, GBA_E_FORBIDDEN},
        {&by_psk, {.uri = "//sp.example/cse1/cone"}, GBA_E_FORBIDDEN},
        {&by_psk, {.uri = "/cse1/Cone"}, GBA_E_FORBIDDEN},
        {&by_psk, {.uri = "coap:" AE}, GBA_E_FORBIDDEN},
        {&by_psk, {.dns = AE}, GBA_E_FORBIDDEN}, /* the wrong type */
        {&by_psk, {.dns = CSE_NAME}, GBA_E_FORBIDDEN},
        {&by_psk, {.cn = AE}, GBA_E_MISSING},
        {&by_psk, {.uri = AE, .dns = CSE_NAME}, GBA_E_REPEATED},
        {&by_psk, {.uri = AE, .key = CSR_RSA}, GBA_E_UNSUPPORTED},
        {&cse_by_psk, {.dns = CSE_NAME}, GBA_OK},
        {&cse_by_psk, {.dns = "CSE1.SP.example", .cn = "CSE1.sp.example"}, GBA_OK},
        {&cse_by_psk, {.dns = "cse2.sp.example"}, GBA_E_FORBIDDEN},
        {&cse_by_psk, {.dns = "*.sp.example"}, GBA_E_FORBIDDEN},
        {&cse_by_psk, {.uri = CSE}, GBA_E_FORBIDDEN},
        {&maf, {.dns = "maf.example"}, GBA_OK},
        {&nobody, {.uri = AE}, GBA_E_FORBIDDEN},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enrol(rows[i].c, "simpleenroll", &rows[i].spec);
        if (call->err != rows[i].err)
            printf("row %zu: %s ", i, gba_err_name(call->err));
        CU_ASSERT(call->err == rows[i].err);
        CU_ASSERT(call->ask == (rows[i].err == GBA_OK));
    }
}

/* What the CA is asked for is ours, not the request's: the canonical name, the profile. */
static void test_what_the_ca_gets(void)
{
    const struct csr_spec spec = {.dns = "CSE1.sp.example"};

    enrol(&cse_by_psk, "simpleenroll", &spec);
    CU_ASSERT_FATAL(call->ask);
    CU_ASSERT(call->rq.name.type == MEF_NAME_DNS);
    CU_ASSERT_STRING_EQUAL(call->rq.name.text, CSE_NAME);
    CU_ASSERT(call->rq.profile == MEF_CERT_CSE);
    CU_ASSERT_STRING_EQUAL(call->rq.id, CSE);
    CU_ASSERT(call->rq.life_s == 3600);
    CU_ASSERT(call->rq.csr.n > 100 && call->rq.csr.p == call->csr);
}

/* A target with a domain name of its own has that one in its certificate. */
static void test_a_rows_name(void)
{
    static const uint8_t ua[] = {1, 0, 1, 0, 0xae};
    const struct mef_client mn = {.id = "//sp.example/mn", .is_enrolee = true};
    const struct est_client c = {.who = &mn};
    const struct csr_spec of_row = {.dns = "mn.in.sp.example"},
                          of_id = {.dns = "mn.sp.example"};
    struct mef_target t;

    CU_ASSERT_EQUAL(mef_target_make(&world.policy, GBA_TEXT("//sp.example/mn"),
                                    "mn.in.sp.example", ua, 1 << 22, MEF_USAGE_KEY, &t),
                    GBA_OK);
    CU_ASSERT_EQUAL(world.registry->add_target(world.registry, &t, MEF_OF_CONFIG), GBA_OK);
    enrol(&c, "simpleenroll", &of_row);
    CU_ASSERT(call->err == GBA_OK && call->ask);
    enrol(&c, "simpleenroll", &of_id);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN && !call->ask);
}

static void test_ca_answers(void)
{
    const struct csr_spec spec = {.uri = AE};
    struct gba_bytes first;

    enrol(&by_psk, "simpleenroll", &spec);
    CU_ASSERT_FATAL(call->ask);
    est_issued(&est, call, GBA_OK, der_of(ae_der), WORLD_T0);
    CU_ASSERT(!call->ask);
    CU_ASSERT_STRING_EQUAL(call->content_type, "application/pkcs7-mime; smime-type=certs-only");
    CU_ASSERT(count_certs(decoded(), &first) == 1); /* 4.2.3: the certificate, nothing else */
    CU_ASSERT(first.n == ae_der.size && memcmp(first.p, ae_der.data, first.n) == 0);
    enrol(&by_psk, "simpleenroll", &spec);
    est_issued(&est, call, GBA_E_OVERLOAD, (struct gba_bytes){NULL, 0}, WORLD_T0);
    CU_ASSERT(call->err == GBA_E_OVERLOAD && !call->ask && call->why[0] != '\0');
    est_issued(&est, call, GBA_E_REFUSED, (struct gba_bytes){NULL, 0}, WORLD_T0);
    CU_ASSERT(call->err == GBA_E_REFUSED);
}

/* ------------------------------------------------------------ re-enrolment */

static void test_reenroll(void)
{
    const struct csr_spec cse = {.dns = CSE_NAME, .cn = "cse"}, other_cn = {.dns = CSE_NAME},
                          other_org = {.dns = CSE_NAME, .cn = "cse", .organisation = "O"},
                          other_name = {.dns = "cse2.sp.example", .cn = "cse"};
    struct est_client c = {.who = &who_cse, .certificate = der_of(cse_der)};

    ca_says_issued = true;
    enrol(&c, "simplereenroll", &cse);
    CU_ASSERT(call->err == GBA_OK && call->ask && call->op == EST_SIMPLEREENROLL);
    enrol(&c, "simplereenroll", &other_cn);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN);
    enrol(&c, "simplereenroll", &other_org);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN);
    enrol(&c, "simplereenroll", &other_name);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN);
    c.certificate = der_of(ae_der); /* of this CA, but another name */
    enrol(&c, "simplereenroll", &cse);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN);
    c.certificate = der_of(cse_der);
    ca_says_issued = false;
    enrol(&c, "simplereenroll", &cse);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN);
    enrol(&c, "simpleenroll", &cse); /* with a certificate of another CA */
    CU_ASSERT(call->err == GBA_OK);
    ca_says_issued = true;
    c.certificate = NOTHING; /* a PSK */
    enrol(&c, "simplereenroll", &cse);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN);
    c.certificate = der_of(cse_der);
    c.who = &who_nobody; /* its row is gone */
    enrol(&c, "simplereenroll", &cse);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN);
}

/* ------------------------------------------------------------ challengePassword */

static void test_link(void)
{
    static const char unique[] = "dGxzLXVuaXF1ZTEyMw==";
    const struct csr_spec right = {.uri = AE, .challenge = unique},
                          wrong = {.uri = AE, .challenge = "dGxzLXVuaXF1ZTEyMg=="},
                          part = {.uri = AE, .challenge = "dGxz"},
                          more = {.uri = AE, .challenge = "dGxzLXVuaXF1ZTEyMw==x"},
                          none = {.uri = AE};
    struct est_client c = by_psk;

    enrol(&c, "simpleenroll", &wrong); /* not looked at */
    CU_ASSERT(call->err == GBA_OK);
    est.link = true;
    strcpy(c.link, unique);
    enrol(&c, "simpleenroll", &right);
    CU_ASSERT(call->err == GBA_OK && call->ask);
    enrol(&c, "simpleenroll", &wrong);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN && !call->ask);
    enrol(&c, "simpleenroll", &part);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN);
    enrol(&c, "simpleenroll", &more);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN);
    enrol(&c, "simpleenroll", &none);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN);
    c.link[0] = '\0'; /* a session that gives nothing to bind to */
    enrol(&c, "simpleenroll", &none);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN);
    est.link = false;
}

/* A name that rows have for somebody else: a target's, an enrolee's. */
static void test_anothers_name(void)
{
    const struct mef_client mn7 = {.id = "//sp.example/mn7", .is_enrolee = true},
                            mn8 = {.id = "//sp.example/mn8", .is_enrolee = true};
    const struct est_client c7 = {.who = &mn7}, c8 = {.who = &mn8};
    const struct csr_spec name7 = {.dns = "mn7.sp.example"}, name8 = {.dns = "mn8.sp.example"};
    struct mef_credential taken = {
        .kind = MEF_CRED_CERT, .name = "dns:mn7.sp.example", .enrolee = WORLD_OTHER};
    static const uint8_t ua[] = {1, 0, 1, 0, 0xae};
    struct mef_target t;

    CU_ASSERT_EQUAL(mef_target_make(&world.policy, GBA_TEXT("//sp.example/cse8"), NULL, ua,
                                    1 << 22, MEF_USAGE_KEY, &t),
                    GBA_OK);
    strcpy(t.fqdn, "mn8.sp.example");
    CU_ASSERT_EQUAL(world.registry->add_target(world.registry, &t, MEF_OF_CONFIG), GBA_OK);
    enrol(&c7, "simpleenroll", &name7);
    CU_ASSERT(call->err == GBA_OK && call->ask);
    CU_ASSERT_EQUAL(world.registry->add_credential(world.registry, &taken, MEF_OF_CONFIG),
                    GBA_OK);
    enrol(&c7, "simpleenroll", &name7);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN && !call->ask);
    enrol(&c8, "simpleenroll", &name8);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN && !call->ask);
}

/* What the registry says of a session with a certificate of that name. */
static bool is_known_as(const char *san, const char *id)
{
    struct mef_client c = {.id = ""};

    CU_ASSERT_EQUAL(
        mef_know_certificate(&world.mef, gba_text(san), WORLD_T0, WORLD_T0 + 1000, &c), GBA_OK);
    return c.is_enrolee && strcmp(c.id, id) == 0 && c.expires_s == WORLD_T0 + 1000;
}

/* An enrolee is known by its certificate once it has one, and not before; a target is not made
 * an enrolee by it. */
static void test_known_by_it(void)
{
    static const struct mef_client two = {.id = WORLD_OTHER, .is_enrolee = true};
    const struct est_client c = {.who = &two};
    const struct csr_spec spec = {.uri = WORLD_OTHER}, of_maf = {.dns = WORLD_MAF};

    enrol(&c, "simpleenroll", &spec);
    CU_ASSERT_FATAL(call->ask);
    CU_ASSERT(!is_known_as("uri:" WORLD_OTHER, WORLD_OTHER));
    est_issued(&est, call, GBA_E_CA, NOTHING, WORLD_T0);
    CU_ASSERT(!is_known_as("uri:" WORLD_OTHER, WORLD_OTHER));
    for (int i = 0; i < 2; i++) { /* the second time, for a renewal */
        enrol(&c, "simpleenroll", &spec);
        est_issued(&est, call, GBA_OK, der_of(ae_der), WORLD_T0);
        CU_ASSERT(call->err == GBA_OK && is_known_as("uri:" WORLD_OTHER, WORLD_OTHER));
    }
    enrol(&maf, "simpleenroll", &of_maf);
    est_issued(&est, call, GBA_OK, der_of(cse_der), WORLD_T0);
    CU_ASSERT(call->err == GBA_OK && !is_known_as("dns:" WORLD_MAF, WORLD_MAF));
    enrol(&c, "simpleenroll", &spec);
    strcpy(call->id, "//sp.example/gone"); /* its row went while the CA was at it */
    strcpy(call->rq.name.text, "//sp.example/gone");
    est_issued(&est, call, GBA_OK, der_of(ae_der), WORLD_T0);
    CU_ASSERT(call->err == GBA_E_NOT_FOUND && call->why[0] != '\0' && call->body.n == 0);
}

/* ------------------------------------------------------------ the audit log */

static unsigned noted;
static enum gba_err note_result;

static enum gba_err fake_note(struct mef_audit *self, const struct mef_audit_event *e,
                              int64_t now_s)
{
    CU_ASSERT(self == world.mef.audit && now_s == WORLD_T0);
    CU_ASSERT_STRING_EQUAL(e->who, WORLD_ENROLEE);
    CU_ASSERT_STRING_EQUAL(e->what, "certificate.issue");
    CU_ASSERT_STRING_EQUAL(e->whom, WORLD_ENROLEE);
    CU_ASSERT_STRING_EQUAL(e->key_id, "uri:" WORLD_ENROLEE);
    noted++;
    return note_result;
}

/* TS-0003 10.1.1.8: its node's name, which rows say, and no other. */
static void test_node(void)
{
#define NODE "urn:dev:ops:32473-node-7"
    static const struct mef_client two = {.id = WORLD_OTHER, .is_enrolee = true};
    const struct est_client c = {.who = &two};
    const struct csr_spec good = {.uri = NODE}, named = {.uri = NODE, .cn = NODE},
                          other = {.uri = "urn:dev:ops:32473-node-8"},
                          as_dns = {.dns = "node7.example"}, as_uri = {.uri = "node7.example"},
                          dns_urn = {.dns = NODE}, cn = {.uri = NODE, .cn = "cse2.sp.example"},
                          ae = {.uri = WORLD_OTHER};
    static const char *const names[] = {"dns:node7.example", "uri:node7.example",
                                        ("uri:" NODE)};
    struct mef_credential row = {.kind = MEF_CRED_CERT, .enrolee = WORLD_OTHER};
    const struct csr_spec *const bad[] = {&other, &as_dns, &as_uri, &dns_urn};

    enrol(&c, "simpleenroll", &good);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN && !call->ask);
    for (size_t i = 0; i < 3; i++) {
        strcpy(row.name, names[i]);
        CU_ASSERT_EQUAL(world.registry->add_credential(world.registry, &row, MEF_OF_CONFIG),
                        GBA_OK);
    }
    enrol(&c, "simpleenroll", &good);
    CU_ASSERT_FATAL(call->ask);
    CU_ASSERT(call->rq.profile == MEF_CERT_NODE && call->rq.name.type == MEF_NAME_URI &&
              call->learn);
    CU_ASSERT_STRING_EQUAL(call->rq.name.text, NODE);
    CU_ASSERT_STRING_EQUAL(call->rq.id, WORLD_OTHER);
    est_issued(&est, call, GBA_OK, der_of(ae_der), WORLD_T0);
    CU_ASSERT(call->err == GBA_OK && is_known_as("uri:" NODE, WORLD_OTHER));
    enrol(&c, "simpleenroll", &named);
    CU_ASSERT(call->ask);
    enrol(&c, "simpleenroll", &ae); /* its own name is no node's */
    CU_ASSERT(call->ask && call->rq.profile == MEF_CERT_AE);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        enrol(&c, "simpleenroll", bad[i]);
        CU_ASSERT(call->err == GBA_E_FORBIDDEN && !call->ask);
        CU_ASSERT_STRING_EQUAL(
            call->why, "subjectAltName is not the name of whom the session authenticated");
    }
    enrol(&c, "simpleenroll", &cn);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN && !call->ask);
    enrol(&by_psk, "simpleenroll", &good); /* another enrolee */
    CU_ASSERT(call->err == GBA_E_FORBIDDEN && !call->ask);
    enrol(&maf, "simpleenroll", &good);
    CU_ASSERT(call->err == GBA_E_FORBIDDEN && !call->ask);
#undef NODE
}

/* What is not noted is neither learnt nor given out. */
static void test_noted(void)
{
    static const struct mef_client one = {.id = WORLD_ENROLEE, .is_enrolee = true};
    static struct mef_audit audit = {.note = fake_note};
    const struct est_client c = {.who = &one};
    const struct csr_spec spec = {.uri = WORLD_ENROLEE};

    world.registry->remove(world.registry,
                           &(struct mef_row){.noun = MEF_CREDENTIAL,
                                             .u.credential = {.kind = MEF_CRED_CERT,
                                                              .name = "uri:" WORLD_ENROLEE}});
    world.mef.audit = &audit;
    note_result = GBA_E_IO;
    enrol(&c, "simpleenroll", &spec);
    CU_ASSERT_FATAL(call->ask);
    est_issued(&est, call, GBA_OK, der_of(ae_der), WORLD_T0);
    CU_ASSERT(call->err == GBA_E_IO && call->body.n == 0 && noted == 1);
    CU_ASSERT(!is_known_as("uri:" WORLD_ENROLEE, WORLD_ENROLEE));
    note_result = GBA_OK;
    enrol(&c, "simpleenroll", &spec);
    est_issued(&est, call, GBA_OK, der_of(ae_der), WORLD_T0);
    CU_ASSERT(call->err == GBA_OK && noted == 2);
    CU_ASSERT(is_known_as("uri:" WORLD_ENROLEE, WORLD_ENROLEE));
    est_issued(&est, call, GBA_E_REFUSED, NOTHING, WORLD_T0);
    CU_ASSERT_EQUAL(noted, 2);
    world.mef.audit = NULL;
}

/* ------------------------------------------------------------ frame */

static void export(struct certs_pair *p, gnutls_datum_t *out)
{
    if (gnutls_x509_crt_export2(p->crt, GNUTLS_X509_FMT_DER, out) < 0)
        abort();
}

static void test_begin(void)
{
    struct certs_pair ca = certs_make("ca", "ca", NULL, 10, 1), cse, ae;

    mef_world_begin(&world);
    who_maf = mef_world_target(&world, WORLD_MAF);
    call = malloc(sizeof(*call));
    CU_ASSERT_FATAL(call != NULL);
    certs_next_dns(CSE_NAME);
    cse = certs_make("cse", "cse", &ca, 10, 2);
    certs_next_uri(AE);
    ae = certs_make("ae", "ae", &ca, 10, 3);
    export(&ca, &ca_der);
    export(&cse, &cse_der);
    export(&ae, &ae_der);
    certs_free(&ca);
    certs_free(&cse);
    certs_free(&ae);
}

static void test_end(void)
{
    gnutls_free(ca_der.data);
    gnutls_free(cse_der.data);
    gnutls_free(ae_der.data);
    csrs_free();
    certs_folder_remove();
    mef_world_end(&world);
    free(call);
}

static const struct unit_test tests[] = {
    {"begin", test_begin},
    {"operations", test_operations},
    {"cacerts", test_cacerts},
    {"DER lengths", test_der_lengths},
    {"csrattrs", test_csrattrs},
    {"bodies", test_bodies},
    {"names", test_names},
    {"whose name", test_whose_name},
    {"what the CA gets", test_what_the_ca_gets},
    {"the CA's answers", test_ca_answers},
    {"re-enrolment", test_reenroll},
    {"challengePassword", test_link},
    {"a row's name", test_a_rows_name},
    {"another's name", test_anothers_name},
    {"known by it", test_known_by_it},
    {"a node's name", test_node},
    {"what is issued is noted", test_noted},
    {"end", test_end},
};
UNIT_MAIN("est", tests)
