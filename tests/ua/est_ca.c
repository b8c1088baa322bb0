/*
 * A CA in OpenSSL for the device's tests of EST; see est_ca.h.  Any failure ends the program.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/ua/est_ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "est_ca: %s\n", what);
        abort();
    }
}

static X509 *new_certificate(long days)
{
    X509 *x = X509_new();

    must(x != NULL && X509_set_version(x, 2) == 1 &&
             ASN1_INTEGER_set(X509_get_serialNumber(x), 4711) == 1 &&
             X509_gmtime_adj(X509_getm_notBefore(x), -2 * 86400L) != NULL &&
             X509_gmtime_adj(X509_getm_notAfter(x), days * 86400L) != NULL,
         "certificate");
    return x;
}

static void add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    must(e != NULL && X509_add_ext(x, e, -1) == 1, value);
    X509_EXTENSION_free(e);
}

void est_ca_begin(struct est_ca *ca, const char *cn)
{
    X509_NAME *name;

    ca->key = EVP_EC_gen("P-256");
    ca->cert = new_certificate(30);
    name = X509_get_subject_name(ca->cert);
    must(ca->key != NULL &&
             X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1,
                                        -1, 0) == 1 &&
             X509_set_issuer_name(ca->cert, name) == 1 &&
             X509_set_pubkey(ca->cert, ca->key) == 1,
         "CA");
    add_extension(ca->cert, ca->cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(ca->cert, ca->cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(ca->cert, ca->cert, NID_subject_key_identifier, "hash");
    must(X509_sign(ca->cert, ca->key, EVP_sha256()) > 0, "signature");
}

void est_ca_end(struct est_ca *ca)
{
    EVP_PKEY_free(ca->key);
    X509_free(ca->cert);
}

static struct gba_bytes certs_only(X509 *first, X509 *second)
{
    PKCS7 *p7 = PKCS7_new();
    unsigned char *der = NULL;
    uint8_t *copy;
    int n;

    must(p7 != NULL && PKCS7_set_type(p7, NID_pkcs7_signed) == 1 &&
             PKCS7_content_new(p7, NID_pkcs7_data) == 1 &&
             PKCS7_add_certificate(p7, first) == 1 &&
             (second == NULL || PKCS7_add_certificate(p7, second) == 1),
         "PKCS#7");
    ASN1_OCTET_STRING_free(p7->d.sign->contents->d.data); /* certs-only has no content */
    p7->d.sign->contents->d.data = NULL;
    n = i2d_PKCS7(p7, &der);
    must(n > 0, "PKCS#7");
    copy = malloc((size_t)n);
    must(copy != NULL, "memory");
    memcpy(copy, der, (size_t)n);
    OPENSSL_free(der);
    PKCS7_free(p7);
    return (struct gba_bytes){copy, (size_t)n};
}

struct gba_bytes est_ca_certs(const struct est_ca *ca)
{
    return certs_only(ca->cert, NULL);
}

static X509_REQ *read_request(struct gba_bytes csr)
{
    const unsigned char *p = csr.p;
    X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)csr.n);

    must(req != NULL && X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) == 1, "request");
    return req;
}

static void copy_names(X509_REQ *req, X509 *x)
{
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(req);

    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++)
        must(X509_add_ext(x, sk_X509_EXTENSION_value(extensions, i), -1) == 1, "extension");
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

static void add_names(const struct est_ca *ca, X509_REQ *req, X509 *x, enum est_ca_fault fault)
{
    if (fault == EST_CA_OTHER_NAME)
        add_extension(x, ca->cert, NID_subject_alt_name, "DNS:other.example");
    else if (fault == EST_CA_TWO_NAMES)
        add_extension(x, ca->cert, NID_subject_alt_name,
                      "DNS:cse1.sp.example,DNS:other.example");
    else if (fault != EST_CA_NO_NAME)
        copy_names(req, x);
}

struct gba_bytes est_ca_issue(const struct est_ca *ca, struct gba_bytes csr,
                              enum est_ca_fault fault)
{
    X509_REQ *req = read_request(csr);
    X509 *x = new_certificate(fault == EST_CA_EXPIRED ? -1 : 10);
    EVP_PKEY *other = EVP_EC_gen("P-256");
    struct gba_bytes answer;

    must(X509_set_subject_name(x, X509_REQ_get_subject_name(req)) == 1 &&
             X509_set_issuer_name(x, X509_get_subject_name(ca->cert)) == 1 &&
             X509_set_pubkey(x, fault == EST_CA_OTHER_KEY ? other
                                                          : X509_REQ_get0_pubkey(req)) == 1,
         "certificate");
    add_names(ca, req, x, fault);
    add_extension(x, ca->cert, NID_key_usage, "critical,digitalSignature");
    add_extension(x, ca->cert, NID_ext_key_usage,
                  fault == EST_CA_SERVER_ONLY ? "serverAuth" : "clientAuth");
    must(X509_sign(x, ca->key, EVP_sha256()) > 0, "signature");
    answer = fault == EST_CA_WITH_ITSELF ? certs_only(ca->cert, x) : certs_only(x, NULL);
    X509_free(x);
    X509_REQ_free(req);
    EVP_PKEY_free(other);
    return answer;
}

void est_ca_read(struct gba_bytes csr, char subject[static 256], char name[static 512])
{
    X509_REQ *req = read_request(csr);
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(req);
    GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    const ASN1_STRING *s;
    int type;

    X509_NAME_oneline(X509_REQ_get_subject_name(req), subject, 256);
    must(sk_X509_EXTENSION_num(extensions) == 1 && sk_GENERAL_NAME_num(names) == 1, "names");
    s = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, 0), &type);
    snprintf(name, 512, "%s:%.*s",
             type == GEN_URI   ? "URI"
             : type == GEN_DNS ? "DNS"
                               : "?",
             ASN1_STRING_length(s), (const char *)ASN1_STRING_get0_data(s));
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_REQ_free(req);
}
