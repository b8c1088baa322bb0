/*
 * What a certification request says, and what is not taken as one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/csr.h"

#include <stdio.h>
#include <string.h>

#include "tests/host/certs.h"
#include "tests/naf/csrs.h"
#include "tests/unit.h"

#define AE "//sp.example/cse1/Cone"

static enum gba_err read_spec(const struct csr_spec *s, struct csr *out)
{
    const char *why = NULL;
    enum gba_err err = csr_read(csrs_make(s, NULL), out, &why);

    CU_ASSERT_PTR_NOT_NULL(why);
    CU_ASSERT((err == GBA_OK) == (why[0] == '\0'));
    return err;
}

static void test_good(void)
{
    struct csr c;

    CU_ASSERT(read_spec(&(struct csr_spec){.dns = "cse1.sp.example", .cn = "one"}, &c) ==
              GBA_OK);
    CU_ASSERT(c.name.type == MEF_NAME_DNS);
    CU_ASSERT_STRING_EQUAL(c.name.text, "cse1.sp.example");
    CU_ASSERT_STRING_EQUAL(c.cn, "one");
    CU_ASSERT_STRING_EQUAL(c.dn, "CN=one");
    CU_ASSERT_STRING_EQUAL(c.challenge, "");
    CU_ASSERT(read_spec(&(struct csr_spec){.uri = AE, .challenge = "abc"}, &c) == GBA_OK);
    CU_ASSERT(c.name.type == MEF_NAME_URI);
    CU_ASSERT_STRING_EQUAL(c.name.text, AE);
    CU_ASSERT_STRING_EQUAL(c.dn, "");
    CU_ASSERT_STRING_EQUAL(c.cn, "");
    CU_ASSERT_STRING_EQUAL(c.challenge, "abc");
    CU_ASSERT(read_spec(&(struct csr_spec){.uri = AE, .challenge = "a+b/c,d=="}, &c) == GBA_OK);
    CU_ASSERT_STRING_EQUAL(c.challenge, "a+b/c,d==");
    CU_ASSERT(
        read_spec(
            &(struct csr_spec){
                .uri = AE, .cn = "x", .organisation = "Org", .not_ca = true, .key_usage = true},
            &c) == GBA_OK);
    CU_ASSERT_STRING_EQUAL(c.cn, "x");
}

static void test_bad(void)
{
    static char long_challenge[CSR_CHALLENGE_SIZE + 2], long_uri[M2M_ID_SIZE + 8];
    static const struct {
        struct csr_spec spec;
        enum gba_err err;
    } rows[] = {
        {{.key = CSR_P384, .dns = "a.example"}, GBA_E_UNSUPPORTED},
        {{.key = CSR_RSA, .dns = "a.example"}, GBA_E_UNSUPPORTED},
        {{.digest = GNUTLS_DIG_SHA384, .dns = "a.example"}, GBA_E_UNSUPPORTED},
        {{.digest = GNUTLS_DIG_SHA1, .dns = "a.example"}, GBA_E_UNSUPPORTED},
        {{.cn = "a.example"}, GBA_E_MISSING},
        {{.dns = "a.example", .dns2 = "b.example"}, GBA_E_REPEATED},
        {{.dns = "a.example", .uri = AE}, GBA_E_REPEATED},
        {{.email = "a@b.example"}, GBA_E_UNSUPPORTED},
        {{.dns = "a.example", .email = "a@b.example"}, GBA_E_REPEATED},
        {{.dns = "a.example", .cn = "a", .cn2 = "b"}, GBA_E_REPEATED},
        {{.dns = "a.example", .email_in_dn = "a@b.example"}, GBA_E_UNSUPPORTED},
        {{.dns = "a.example", .ca = true}, GBA_E_UNSUPPORTED},
        {{.dns = "a.example", .cert_sign = true}, GBA_E_UNSUPPORTED},
        {{.dns = "a.example", .extension = "1.2.3.4"}, GBA_E_UNSUPPORTED},
        {{.dns = "a.example", .extension = "2.5.29.30"}, GBA_E_UNSUPPORTED},
        {{.dns = "a.example", .challenge = long_challenge}, GBA_E_SYNTAX},
        {{.uri = long_uri}, GBA_E_SYNTAX},
    };
    struct csr c;

    memset(long_challenge, 'x', sizeof(long_challenge) - 1);
    memset(long_uri, 'x', sizeof(long_uri) - 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum gba_err err = read_spec(&rows[i].spec, &c);

        if (err != rows[i].err)
            printf("row %zu: %s ", i, gba_err_name(err));
        CU_ASSERT(err == rows[i].err);
    }
}

static void test_signature(void)
{
    const struct csr_spec spec = {.dns = "cse1.sp.example"};
    struct gba_bytes good = csrs_make(&spec, NULL);
    uint8_t copy[MEF_CA_CSR_MAX];
    const char *why;
    struct csr c;

    CU_ASSERT_FATAL(good.n < sizeof(copy));
    memcpy(copy, good.p, good.n);
    copy[good.n - 1] ^= 1;
    CU_ASSERT(csr_read((struct gba_bytes){copy, good.n}, &c, &why) == GBA_E_SYNTAX);
    CU_ASSERT_STRING_EQUAL(why, "the signature does not verify");
    memcpy(copy, good.p, good.n);
    memcpy(memmem(copy, good.n, "cse1.", 5), "cse2.", 5);
    CU_ASSERT(csr_read((struct gba_bytes){copy, good.n}, &c, &why) == GBA_E_SYNTAX);
    CU_ASSERT_STRING_EQUAL(why, "the signature does not verify");
}

static void test_octets(void)
{
    const struct csr_spec spec = {.dns = "cse1.sp.example"};
    struct gba_bytes good = csrs_make(&spec, NULL);
    uint8_t copy[MEF_CA_CSR_MAX + 1] = {0x30, 0};
    const char *why;
    struct csr c;

    for (size_t n = 0; n < good.n; n++)
        CU_ASSERT(csr_read((struct gba_bytes){good.p, n}, &c, &why) == GBA_E_SYNTAX);
    memcpy(copy, good.p, good.n);
    copy[good.n] = 0;
    CU_ASSERT(csr_read((struct gba_bytes){copy, good.n + 1}, &c, &why) == GBA_E_SYNTAX);
    CU_ASSERT(csr_read((struct gba_bytes){copy, sizeof(copy)}, &c, &why) == GBA_E_SYNTAX);
    CU_ASSERT(csr_read(GBA_BYTES(((uint8_t[]){0x30, 0x80, 0, 0})), &c, &why) == GBA_E_SYNTAX);
    CU_ASSERT(csr_read(GBA_BYTES(((uint8_t[]){0x30, 0})), &c, &why) != GBA_OK);
}

/* Two lists of extensions with a name each: two attributes, and one attribute with two values.
 * Rightly signed. */
static void test_two_lists(void)
{
    static const char two_attributes[] =
        "308201133081ba02010030003059301306072a8648ce3d020106082a8648ce3d0301070342000416"
        "63fb0a58b0c06d8e4afe0c69e76cb0d47e3df5690081a948b9e2fe960e30145efe99b6dd895e2479"
        "c8ff7fdf354f84d5dff290344f891725a8c485149ee221a058302a06092a864886f70d01090e311d"
        "301b30190603551d1104123010820e6161612e73702e6578616d706c65302a06092a864886f70d01"
        "090e311d301b30190603551d1104123010820e6262622e73702e6578616d706c65300a06082a8648"
        "ce3d040302034800304502202e2561961daa71de5b11bf78bf63f5f5aac0924f73dbf8c9fd49f19c"
        "4177ec0a0221008418ed92e873add4980718fdfe11b77718b8be6fbefeb4a3290c5486f076bf87";
    static const char two_values[] =
        "308201043081ab02010030003059301306072a8648ce3d020106082a8648ce3d0301070342000416"
        "63fb0a58b0c06d8e4afe0c69e76cb0d47e3df5690081a948b9e2fe960e30145efe99b6dd895e2479"
        "c8ff7fdf354f84d5dff290344f891725a8c485149ee221a049304706092a864886f70d01090e313a"
        "301b30190603551d1104123010820e6161612e73702e6578616d706c65301b30190603551d110412"
        "3010820e6262622e73702e6578616d706c65300a06082a8648ce3d0403020348003045022100e0c2"
        "37f1287130d45d4ed86afa8045ca7480e3203866fc34a18b25ef859889a80220116d30e83bc1ed48"
        "728e7fcef8e38a950738de2d97ca643222ccffe4ccf02e70";
    const char *why;
    struct csr c;

    CU_ASSERT(csr_read(unit_hex(two_attributes), &c, &why) == GBA_E_REPEATED);
    CU_ASSERT_STRING_EQUAL(why, "two lists of extensions");
    CU_ASSERT(csr_read(unit_hex(two_values), &c, &why) == GBA_E_REPEATED);
}

static void test_certificate(void)
{
    struct certs_pair ca = certs_make("ca", "ca", NULL, 10, 1), one;
    gnutls_datum_t der;
    const char *why;
    struct csr c;

    certs_next_uri(AE);
    one = certs_make("one", "one", &ca, 10, 2);
    CU_ASSERT_FATAL(gnutls_x509_crt_export2(one.crt, GNUTLS_X509_FMT_DER, &der) >= 0);
    CU_ASSERT(csr_read_certificate((struct gba_bytes){der.data, der.size}, &c, &why) == GBA_OK);
    CU_ASSERT_STRING_EQUAL(c.dn, "CN=one");
    CU_ASSERT_STRING_EQUAL(c.name.text, AE);
    CU_ASSERT(csr_read_certificate((struct gba_bytes){der.data, der.size - 1}, &c, &why) ==
              GBA_E_SYNTAX);
    gnutls_free(der.data);
    certs_free(&one);
    certs_free(&ca);
    certs_folder_remove();
}

static void test_equal(void)
{
    const struct mef_cert_name a = {MEF_NAME_DNS, "A.example"}, b = {MEF_NAME_DNS, "a.Example"},
                               c = {MEF_NAME_URI, "A.example"}, d = {MEF_NAME_URI, "a.example"};

    CU_ASSERT(mef_cert_name_eq(&a, &b));
    CU_ASSERT(!mef_cert_name_eq(&a, &c));
    CU_ASSERT(!mef_cert_name_eq(&c, &d));
    CU_ASSERT(mef_cert_name_eq(&c, &c));
}

static void test_end(void)
{
    csrs_free();
}

static const struct unit_test tests[] = {
    {"good requests", test_good},    {"bad requests", test_bad},
    {"signature", test_signature},   {"octets", test_octets},
    {"two lists", test_two_lists},   {"certificate", test_certificate},
    {"names are equal", test_equal}, {"end", test_end},
};
UNIT_MAIN("csr", tests)
