/*
 * Keys, requests and certificates of a device: see est_key.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/est_key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>

#include "common/secret.h"

#define AHEAD_S 300

struct est_key {
    EVP_PKEY *pkey;
};

/* ------------------------------------------------------------ the key */

enum gba_err est_key_new(struct est_key **out)
{
    struct est_key *k = calloc(1, sizeof(*k));

    *out = NULL;
    if (k == NULL)
        return GBA_E_NOMEM;
    k->pkey = EVP_EC_gen("P-256");
    if (k->pkey == NULL) {
        free(k);
        return GBA_E_CRYPTO;
    }
    *out = k;
    return GBA_OK;
}

void est_key_free(struct est_key *k)
{
    if (k == NULL)
        return;
    EVP_PKEY_free(k->pkey);
    free(k);
}

enum gba_err est_key_pem(const struct est_key *k, char out[static EST_KEY_PEM_MAX], size_t *n)
{
    BIO *bio = BIO_new(BIO_s_mem());
    enum gba_err err = GBA_E_CRYPTO;
    char *text = NULL;
    long len;

    *n = 0;
    if (bio != NULL &&
        PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) == 1) {
        len = BIO_get_mem_data(bio, &text);
        if (len > 0 && len < EST_KEY_PEM_MAX) {
            memcpy(out, text, (size_t)len);
            out[len] = '\0';
            *n = (size_t)len;
            err = GBA_OK;
        }
        gba_wipe(text, len > 0 ? (size_t)len : 0);
    }
    BIO_free(bio);
    return err;
}

/* ------------------------------------------------------------ PEM */

static X509 *read_pem(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return x;
}

static enum gba_err append_pem(X509 *x, char out[static EST_CERT_PEM_MAX], size_t *n)
{
    BIO *bio = BIO_new(BIO_s_mem());
    enum gba_err err = GBA_E_CRYPTO;
    char *text = NULL;

    if (bio != NULL && PEM_write_bio_X509(bio, x) == 1) {
        long len = BIO_get_mem_data(bio, &text);

        err = len <= 0                               ? GBA_E_CRYPTO
              : (size_t)len >= EST_CERT_PEM_MAX - *n ? GBA_E_TOO_LONG
                                                     : GBA_OK;
        if (err == GBA_OK) {
            memcpy(out + *n, text, (size_t)len);
            *n += (size_t)len;
            out[*n] = '\0';
        }
    }
    BIO_free(bio);
    return err;
}

/* ------------------------------------------------------------ the request */

static bool add_name(X509_REQ *req, const struct ue_est_name *name)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    GENERAL_NAME *one = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    bool ok = names != NULL && one != NULL && text != NULL &&
              ASN1_STRING_set(text, name->text, -1) == 1;

    if (ok) {
        GENERAL_NAME_set0_value(one, name->is_uri ? GEN_URI : GEN_DNS, text);
        text = NULL;
        ok = sk_GENERAL_NAME_push(names, one) > 0;
        one = ok ? NULL : one;
    }
    ok =
        ok &&
        X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1 &&
        X509_REQ_add_extensions(req, extensions) == 1;
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    ASN1_IA5STRING_free(text);
    GENERAL_NAME_free(one);
    GENERAL_NAMES_free(names);
    return ok;
}

static bool set_subject(X509_REQ *req, const char *like_pem)
{
    X509 *like = like_pem != NULL ? read_pem(like_pem) : NULL;
    bool ok =
        like_pem == NULL ||
        (like != NULL && X509_REQ_set_subject_name(req, X509_get_subject_name(like)) == 1);

    X509_free(like);
    return ok;
}

enum gba_err est_key_request(const struct est_key *k, const struct ue_est_name *name,
                             const char *like_pem, uint8_t out[static UE_EST_CSR_MAX],
                             size_t *n)
{
    X509_REQ *req = X509_REQ_new();
    enum gba_err err = GBA_E_CRYPTO;
    unsigned char *der = NULL;
    int len = -1;

    *n = 0;
    if (req != NULL && X509_REQ_set_version(req, 0) == 1 &&
        X509_REQ_set_pubkey(req, k->pkey) == 1 && set_subject(req, like_pem) &&
        add_name(req, name) && X509_REQ_sign(req, k->pkey, EVP_sha256()) > 0)
        len = i2d_X509_REQ(req, &der);
    if (len > UE_EST_CSR_MAX)
        err = GBA_E_TOO_LONG;
    if (len > 0 && len <= UE_EST_CSR_MAX) {
        memcpy(out, der, (size_t)len);
        *n = (size_t)len;
        err = GBA_OK;
    }
    OPENSSL_free(der);
    X509_REQ_free(req);
    return err;
}

/* ------------------------------------------------------------ answers */

/* NULL: no certs-only PKCS#7, or something behind it. */
static PKCS7 *read_pkcs7(struct gba_bytes der)
{
    const unsigned char *p = der.p;
    PKCS7 *p7 = d2i_PKCS7(NULL, &p, (long)der.n);

    if (p7 != NULL && p == der.p + der.n && PKCS7_type_is_signed(p7) && p7->d.sign != NULL &&
        sk_X509_num(p7->d.sign->cert) > 0)
        return p7;
    PKCS7_free(p7);
    return NULL;
}

enum gba_err est_certs_pem(struct gba_bytes pkcs7, char out[static EST_CERT_PEM_MAX],
                           size_t *count)
{
    PKCS7 *p7 = read_pkcs7(pkcs7);
    enum gba_err err = p7 != NULL ? GBA_OK : GBA_E_PROTOCOL;
    size_t n = 0;

    out[0] = '\0';
    *count = 0;
    for (int i = 0; err == GBA_OK && i < sk_X509_num(p7->d.sign->cert); i++) {
        err = append_pem(sk_X509_value(p7->d.sign->cert, i), out, &n);
        *count += err == GBA_OK;
    }
    PKCS7_free(p7);
    return err;
}

static bool has_the_name(X509 *x, const struct ue_est_name *name)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    bool same = false;

    if (names != NULL && sk_GENERAL_NAME_num(names) == 1) {
        int type;
        const ASN1_STRING *s = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, 0), &type);

        if (type == (name->is_uri ? GEN_URI : GEN_DNS)) {
            struct gba_text text = {(const char *)ASN1_STRING_get0_data(s),
                                    (size_t)ASN1_STRING_length(s)};

            same = name->is_uri ? gba_text_is(text, name->text)
                                : gba_text_eq_nocase(text, gba_text(name->text));
        }
    }
    GENERAL_NAMES_free(names);
    return same;
}

static X509_STORE *read_anchors(const char *pem)
{
    X509_STORE *store = X509_STORE_new();
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x;
    bool any = false;

    while (store != NULL && bio != NULL &&
           (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        any = X509_STORE_add_cert(store, x) == 1 || any;
        X509_free(x);
    }
    BIO_free(bio);
    if (any)
        return store;
    X509_STORE_free(store);
    return NULL;
}

/* Now; for a CA whose clock is a little ahead of ours, when the certificate begins. */
static int64_t time_of_check(const X509 *x, int64_t now_s)
{
    struct tm tm;
    int64_t begins_s;

    if (ASN1_TIME_to_tm(X509_get0_notBefore(x), &tm) != 1)
        return now_s;
    begins_s = timegm(&tm);
    return begins_s > now_s && begins_s - now_s <= AHEAD_S ? begins_s : now_s;
}

/* What cacerts gives are explicit trust anchors (RFC 7030 1.1), also those in the middle. */
static bool verifies(X509 *x, STACK_OF(X509) * others, const char *anchors_pem, int64_t now_s)
{
    X509_STORE *store = read_anchors(anchors_pem);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    bool ok = store != NULL && ctx != NULL && X509_STORE_CTX_init(ctx, store, x, others) == 1;

    if (ok) {
        X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN);
        X509_STORE_CTX_set_time(ctx, 0, (time_t)time_of_check(x, now_s));
        ok = X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT) == 1 &&
             X509_verify_cert(ctx) == 1;
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return ok;
}

static X509 *ours(const struct est_key *k, STACK_OF(X509) * certs)
{
    for (int i = 0; i < sk_X509_num(certs); i++)
        if (EVP_PKEY_eq(X509_get0_pubkey(sk_X509_value(certs, i)), k->pkey) == 1)
            return sk_X509_value(certs, i);
    return NULL;
}

enum gba_err est_key_take(const struct est_key *k, const struct ue_est_name *name,
                          struct gba_bytes pkcs7, const char *anchors_pem, int64_t now_s,
                          char out[static EST_CERT_PEM_MAX], const char **why)
{
    PKCS7 *p7 = read_pkcs7(pkcs7);
    X509 *x = p7 != NULL ? ours(k, p7->d.sign->cert) : NULL;
    size_t n = 0;
    enum gba_err err = GBA_E_PROTOCOL;

    out[0] = '\0';
    *why = "";
    if (p7 == NULL)
        *why = "the answer is no certificate";
    else if (x == NULL)
        *why = "the certificate is of another key";
    else if (!has_the_name(x, name))
        *why = "the certificate has another name";
    else if (!verifies(x, p7->d.sign->cert, anchors_pem, now_s))
        *why = "the certificate does not verify by the MEF's CA certificates";
    else
        err = append_pem(x, out, &n);
    PKCS7_free(p7);
    return err;
}

enum gba_err est_cert_describe(const char *pem, char serial[static 65], int64_t *expires_s)
{
    X509 *x = read_pem(pem);
    BIGNUM *bn = x != NULL ? ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL) : NULL;
    uint8_t octets[32];
    struct tm tm;
    bool ok = bn != NULL && BN_num_bytes(bn) <= (int)sizeof(octets) &&
              ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) == 1;

    serial[0] = '\0';
    if (ok) {
        gba_hex(serial, (struct gba_bytes){octets, (size_t)BN_bn2bin(bn, octets)});
        *expires_s = timegm(&tm);
    }
    BN_free(bn);
    X509_free(x);
    return ok ? GBA_OK : GBA_E_SYNTAX;
}
