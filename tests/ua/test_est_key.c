/*
 * Keys, requests and certificates of a device.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/est_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>

#include "tests/ua/est_ca.h"
#include "tests/unit.h"

static struct est_ca ca, other_ca;
static char ca_pem[EST_CERT_PEM_MAX], other_pem[EST_CERT_PEM_MAX], cert[EST_CERT_PEM_MAX];
static const struct ue_est_name cse = {false, "cse1.sp.example"},
                                ae = {true, "//sp.example/cse1/Cone"};

static void to_pem(const struct est_ca *of, char out[static EST_CERT_PEM_MAX])
{
    struct gba_bytes p7 = est_ca_certs(of);
    size_t count;

    CU_ASSERT_FATAL(est_certs_pem(p7, out, &count) == GBA_OK && count == 1);
    free((uint8_t *)p7.p);
}

static struct est_key *new_key(void)
{
    struct est_key *k = NULL;

    CU_ASSERT_FATAL(est_key_new(&k) == GBA_OK && k != NULL);
    return k;
}

static struct gba_bytes request(const struct est_key *k, const struct ue_est_name *name,
                                const char *like)
{
    static uint8_t der[UE_EST_CSR_MAX];
    size_t n;

    CU_ASSERT_FATAL(est_key_request(k, name, like, der, &n) == GBA_OK);
    return (struct gba_bytes){der, n};
}

static enum gba_err take(const struct est_key *k, const struct ue_est_name *name,
                         const struct est_ca *by, enum est_ca_fault fault, const char *anchors,
                         int64_t later_s, const char **why)
{
    struct gba_bytes p7 = est_ca_issue(by, request(k, name, NULL), fault);
    enum gba_err err = est_key_take(k, name, p7, anchors, time(NULL) + later_s, cert, why);

    free((uint8_t *)p7.p);
    CU_ASSERT((err == GBA_OK) == (cert[0] != '\0'));
    CU_ASSERT((err == GBA_OK) == ((*why)[0] == '\0'));
    return err;
}

static void test_requests(void)
{
    struct est_key *k = new_key();
    char subject[256], name[512];

    est_ca_read(request(k, &cse, NULL), subject, name);
    CU_ASSERT_STRING_EQUAL(subject, "");
    CU_ASSERT_STRING_EQUAL(name, "DNS:cse1.sp.example");
    est_ca_read(request(k, &ae, NULL), subject, name);
    CU_ASSERT_STRING_EQUAL(name, "URI://sp.example/cse1/Cone");
    est_ca_read(request(k, &ae, ca_pem), subject, name);
    CU_ASSERT_STRING_EQUAL(subject, "/CN=ca");
    CU_ASSERT(est_key_request(k, &ae, "no certificate", (uint8_t[UE_EST_CSR_MAX]){0},
                              &(size_t){0}) == GBA_E_CRYPTO);
    est_key_free(k);
    est_key_free(NULL);
}

static void test_key(void)
{
    struct est_key *k = new_key();
    char pem[EST_KEY_PEM_MAX];
    EVP_PKEY *read;
    size_t n;
    BIO *bio;

    CU_ASSERT(est_key_pem(k, pem, &n) == GBA_OK && n == strlen(pem));
    bio = BIO_new_mem_buf(pem, (int)n);
    read = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    CU_ASSERT_FATAL(read != NULL);
    CU_ASSERT(EVP_PKEY_get_bits(read) == 256 && EVP_PKEY_is_a(read, "EC"));
    EVP_PKEY_free(read);
    BIO_free(bio);
    est_key_free(k);
}

static void test_take(void)
{
    static const struct {
        enum est_ca_fault fault;
        const char *why;
    } rows[] = {
        {EST_CA_RIGHT, ""},
        {EST_CA_WITH_ITSELF, ""},
        {EST_CA_OTHER_KEY, "the certificate is of another key"},
        {EST_CA_OTHER_NAME, "the certificate has another name"},
        {EST_CA_TWO_NAMES, "the certificate has another name"},
        {EST_CA_NO_NAME, "the certificate has another name"},
        {EST_CA_EXPIRED, "the certificate does not verify by the MEF's CA certificates"},
        {EST_CA_SERVER_ONLY, "the certificate does not verify by the MEF's CA certificates"},
    };
    struct est_key *k = new_key();
    char serial[65];
    int64_t expires_s;
    const char *why;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum gba_err err = take(k, &cse, &ca, rows[i].fault, ca_pem, 0, &why);

        CU_ASSERT(err == (rows[i].why[0] == '\0' ? GBA_OK : GBA_E_PROTOCOL));
        CU_ASSERT_STRING_EQUAL(why, rows[i].why);
        if (err == GBA_OK)
            CU_ASSERT(strstr(strstr(cert, "BEGIN") + 1, "BEGIN") == NULL); /* one */
    }
    CU_ASSERT(take(k, &ae, &ca, EST_CA_RIGHT, ca_pem, 0, &why) == GBA_OK);
    CU_ASSERT(est_cert_describe(cert, serial, &expires_s) == GBA_OK);
    CU_ASSERT_STRING_EQUAL(serial, "1267");
    CU_ASSERT(expires_s > time(NULL) + 9 * 86400 && expires_s < time(NULL) + 11 * 86400);
    CU_ASSERT(take(k, &ae, &ca, EST_CA_RIGHT, ca_pem, 11 * 86400, &why) == GBA_E_PROTOCOL);
    /* it began two days ago: our clock is a minute and a half behind the CA's, or an hour */
    CU_ASSERT(take(k, &ae, &ca, EST_CA_RIGHT, ca_pem, -2 * 86400 - 90, &why) == GBA_OK);
    CU_ASSERT(take(k, &ae, &ca, EST_CA_RIGHT, ca_pem, -2 * 86400 - 3600, &why) ==
              GBA_E_PROTOCOL);
    CU_ASSERT(take(k, &ae, &other_ca, EST_CA_RIGHT, ca_pem, 0, &why) == GBA_E_PROTOCOL);
    CU_ASSERT(take(k, &ae, &other_ca, EST_CA_RIGHT, other_pem, 0, &why) == GBA_OK);
    CU_ASSERT(take(k, &ae, &ca, EST_CA_RIGHT, "no anchors", 0, &why) == GBA_E_PROTOCOL);
    CU_ASSERT(est_cert_describe("nothing", serial, &expires_s) == GBA_E_SYNTAX);
    est_key_free(k);
}

static void test_octets(void)
{
    struct est_key *k = new_key();
    struct gba_bytes good = est_ca_issue(&ca, request(k, &cse, NULL), EST_CA_RIGHT);
    uint8_t *copy = malloc(good.n + 1);
    const char *why;
    size_t count;

    CU_ASSERT_FATAL(copy != NULL);
    memcpy(copy, good.p, good.n);
    copy[good.n] = 0;
    CU_ASSERT(est_certs_pem(good, cert, &count) == GBA_OK && count == 1);
    for (size_t n = 0; n < good.n; n++) {
        CU_ASSERT(est_certs_pem((struct gba_bytes){copy, n}, cert, &count) == GBA_E_PROTOCOL);
        CU_ASSERT(est_key_take(k, &cse, (struct gba_bytes){copy, n}, ca_pem, time(NULL), cert,
                               &why) == GBA_E_PROTOCOL);
    }
    CU_ASSERT(est_certs_pem((struct gba_bytes){copy, good.n + 1}, cert, &count) ==
              GBA_E_PROTOCOL);
    free(copy);
    free((uint8_t *)good.p);
    est_key_free(k);
}

static void test_begin(void)
{
    est_ca_begin(&ca, "ca");
    est_ca_begin(&other_ca, "other ca");
    to_pem(&ca, ca_pem);
    to_pem(&other_ca, other_pem);
}

static void test_end(void)
{
    est_ca_end(&ca);
    est_ca_end(&other_ca);
}

static const struct unit_test tests[] = {
    {"begin", test_begin}, {"requests", test_requests}, {"key", test_key},
    {"take", test_take},   {"octets", test_octets},     {"end", test_end},
};
UNIT_MAIN("est_key", tests)
