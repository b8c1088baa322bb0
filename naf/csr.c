/*
 * What a certification request says: see csr.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/csr.h"

#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#define OID_SIZE               64
#define EXTENSIONS_MAX         8
#define DN_PARTS_MAX           8
#define OID_EXTENSION_REQUEST  "1.2.840.113549.1.9.14"
#define OID_CHALLENGE_PASSWORD "1.2.840.113549.1.9.7"

/* Requests and certificates have the same questions in different words. */
struct source {
    gnutls_x509_crq_t crq; /* NULL: */
    gnutls_x509_crt_t crt;
};

static enum gba_err no(enum gba_err err, const char *text, const char **why)
{
    *why = text;
    return err;
}

/* One SEQUENCE, all of the octets and nothing behind it: GnuTLS does not mind a tail. */
static bool is_one_sequence(struct gba_bytes b)
{
    size_t head = 2, n;

    if (b.n < 2 || b.p[0] != 0x30)
        return false;
    n = b.p[1];
    if (n >= 0x80) {
        size_t more = n & 0x7f;

        if (more == 0 || more > 2 || b.n < 2 + more)
            return false;
        head += more;
        n = more == 1 ? b.p[2] : (size_t)(b.p[2] << 8 | b.p[3]);
    }
    return b.n == head + n;
}

/* ------------------------------------------------------------ subject */

static int dn_oid(const struct source *s, unsigned i, char oid[static OID_SIZE])
{
    size_t n = OID_SIZE;

    return s->crq != NULL ? gnutls_x509_crq_get_dn_oid(s->crq, i, oid, &n)
                          : gnutls_x509_crt_get_dn_oid(s->crt, i, oid, &n);
}

static int dn_value(const struct source *s, const char *oid, char *out, size_t *n)
{
    return s->crq != NULL ? gnutls_x509_crq_get_dn_by_oid(s->crq, oid, 0, 0, out, n)
                          : gnutls_x509_crt_get_dn_by_oid(s->crt, oid, 0, 0, out, n);
}

static bool is_plain_part(const char *oid)
{
    static const char *const plain[] = {
        GNUTLS_OID_X520_COUNTRY_NAME, GNUTLS_OID_X520_ORGANIZATION_NAME,
        GNUTLS_OID_X520_ORGANIZATIONAL_UNIT_NAME, GNUTLS_OID_X520_LOCALITY_NAME,
        GNUTLS_OID_X520_STATE_OR_PROVINCE_NAME};

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (strcmp(oid, plain[i]) == 0)
            return true;
    return false;
}

static enum gba_err read_cn(const struct source *s, struct csr *out, const char **why)
{
    size_t n = sizeof(out->cn);

    if (out->cn[0] != '\0')
        return no(GBA_E_REPEATED, "two commonNames", why);
    if (dn_value(s, GNUTLS_OID_X520_COMMON_NAME, out->cn, &n) < 0 || n == 0 ||
        n >= sizeof(out->cn) || strlen(out->cn) != n)
        return no(GBA_E_SYNTAX, "commonName is empty, too long or not text", why);
    return GBA_OK;
}

static enum gba_err read_parts(const struct source *s, struct csr *out, const char **why)
{
    enum gba_err err = GBA_OK;
    char oid[OID_SIZE];

    for (unsigned i = 0; err == GBA_OK; i++) {
        int rc = dn_oid(s, i, oid);

        if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return GBA_OK;
        if (rc < 0)
            err = no(GBA_E_SYNTAX, "subject cannot be read", why);
        else if (i == DN_PARTS_MAX)
            err = no(GBA_E_UNSUPPORTED, "subject has too many parts", why);
        else if (strcmp(oid, GNUTLS_OID_X520_COMMON_NAME) == 0)
            err = read_cn(s, out, why);
        else if (!is_plain_part(oid))
            err = no(GBA_E_UNSUPPORTED,
                     "a part of the subject that is not C, ST, L, O, OU or CN", why);
    }
    return err;
}

static enum gba_err read_subject(const struct source *s, struct csr *out, const char **why)
{
    gnutls_datum_t dn = {NULL, 0};
    enum gba_err err = read_parts(s, out, why);
    int rc;

    if (err != GBA_OK)
        return err;
    rc = s->crq != NULL ? gnutls_x509_crq_get_dn3(s->crq, &dn, 0)
                        : gnutls_x509_crt_get_dn3(s->crt, &dn, 0);
    if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) /* empty */
        return GBA_OK;
    if (rc < 0 || dn.size >= sizeof(out->dn))
        err = no(GBA_E_SYNTAX, "subject cannot be read, or is too long", why);
    else
        memcpy(out->dn, dn.data, dn.size);
    gnutls_free(dn.data);
    return err;
}

/* ------------------------------------------------------------ alternative names */

static int alternative_name(const struct source *s, unsigned i, char *out, size_t *n,
                            unsigned *type)
{
    return s->crq != NULL
               ? gnutls_x509_crq_get_subject_alt_name(s->crq, i, out, n, type, NULL)
               : gnutls_x509_crt_get_subject_alt_name2(s->crt, i, out, n, type, NULL);
}

static enum gba_err read_names(const struct source *s, struct csr *out, const char **why)
{
    char *text = out->name.text;
    size_t n = sizeof(out->name.text), other = 0;
    unsigned type = 0;
    int rc = alternative_name(s, 0, text, &n, &type);

    if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return no(GBA_E_MISSING, "no subjectAltName", why);
    if (rc == GNUTLS_E_SHORT_MEMORY_BUFFER || (rc >= 0 && n >= sizeof(out->name.text)))
        return no(GBA_E_SYNTAX, "subjectAltName is too long", why);
    if (rc < 0 || (type != GNUTLS_SAN_DNSNAME && type != GNUTLS_SAN_URI))
        return no(GBA_E_UNSUPPORTED, "subjectAltName is neither dNSName nor URI", why);
    text[n] = '\0';
    if (n == 0 || strlen(text) != n)
        return no(GBA_E_SYNTAX, "subjectAltName is empty or has a NUL", why);
    out->name.type = type == GNUTLS_SAN_DNSNAME ? MEF_NAME_DNS : MEF_NAME_URI;
    if (alternative_name(s, 1, NULL, &other, &type) != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return no(GBA_E_REPEATED, "more than one subjectAltName", why);
    return GBA_OK;
}

/* ------------------------------------------------------------ the request's own */

/* basicConstraints may say what holds anyway, keyUsage nothing about signing certificates. */
static bool is_harmless_extension(gnutls_x509_crq_t crq, const char *oid)
{
    unsigned critical, ca = 1, usage = 0;
    int path_len;

    if (strcmp(oid, GNUTLS_X509EXT_OID_BASIC_CONSTRAINTS) == 0)
        return gnutls_x509_crq_get_basic_constraints(crq, &critical, &ca, &path_len) >= 0 &&
               ca == 0;
    if (strcmp(oid, GNUTLS_X509EXT_OID_KEY_USAGE) == 0)
        return gnutls_x509_crq_get_key_usage(crq, &usage, &critical) >= 0 &&
               (usage & (GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN)) == 0;
    return strcmp(oid, GNUTLS_X509EXT_OID_SAN) == 0 ||
           strcmp(oid, GNUTLS_X509EXT_OID_EXTENDED_KEY_USAGE) == 0 ||
           strcmp(oid, GNUTLS_X509EXT_OID_SUBJECT_KEY_ID) == 0;
}

/* GnuTLS reads the first extensionRequest, and its first value; whoever reads the next one must
 * find none. */
static bool has_second_list(gnutls_x509_crq_t crq)
{
    char oid[OID_SIZE];
    unsigned lists = 0;
    size_t n = sizeof(oid);
    int rc;

    for (unsigned i = 0; (rc = gnutls_x509_crq_get_attribute_info(crq, i, oid, &n)) >= 0; i++) {
        lists += strcmp(oid, OID_EXTENSION_REQUEST) == 0;
        n = sizeof(oid);
    }
    n = 0;
    return rc != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE || lists > 1 ||
           gnutls_x509_crq_get_attribute_by_oid(crq, OID_EXTENSION_REQUEST, 1, NULL, &n) ==
               GNUTLS_E_SHORT_MEMORY_BUFFER;
}

static enum gba_err check_extensions(gnutls_x509_crq_t crq, const char **why)
{
    char seen[EXTENSIONS_MAX][OID_SIZE];

    if (has_second_list(crq))
        return no(GBA_E_REPEATED, "two lists of extensions", why);
    for (unsigned i = 0;; i++) {
        char oid[OID_SIZE];
        size_t n = sizeof(oid);
        unsigned critical;
        int rc = gnutls_x509_crq_get_extension_info(crq, i, oid, &n, &critical);

        if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return GBA_OK;
        if (rc < 0)
            return no(GBA_E_SYNTAX, "extensions cannot be read", why);
        if (i == EXTENSIONS_MAX || !is_harmless_extension(crq, oid))
            return no(GBA_E_UNSUPPORTED, "an extension that is not granted here", why);
        for (unsigned k = 0; k < i; k++)
            if (strcmp(seen[k], oid) == 0)
                return no(GBA_E_REPEATED, "an extension twice", why);
        memcpy(seen[i], oid, sizeof(oid));
    }
}

static enum gba_err check_key(gnutls_x509_crq_t crq, const char **why)
{
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    gnutls_pubkey_t key;
    bool p256;

    if (gnutls_pubkey_init(&key) < 0)
        return GBA_E_NOMEM;
    p256 = gnutls_pubkey_import_x509_crq(key, crq, 0) >= 0 &&
           gnutls_pubkey_get_pk_algorithm(key, NULL) == GNUTLS_PK_ECDSA &&
           gnutls_pubkey_export_ecc_raw2(key, &curve, NULL, NULL, 0) >= 0 &&
           curve == GNUTLS_ECC_CURVE_SECP256R1;
    gnutls_pubkey_deinit(key);
    if (!p256)
        return no(GBA_E_UNSUPPORTED, "the key is not EC P-256", why);
    if (gnutls_x509_crq_get_signature_algorithm(crq) != GNUTLS_SIGN_ECDSA_SHA256)
        return no(GBA_E_UNSUPPORTED, "not signed by ECDSA with SHA-256", why);
    if (gnutls_x509_crq_verify(crq, 0) < 0)
        return no(GBA_E_SYNTAX, "the signature does not verify", why);
    return GBA_OK;
}

/* DirectoryString or IA5String of RFC 2985 5.4.1.  By its DER: GnuTLS's own text has characters
 * escaped, and base64 has some of these. */
static enum gba_err read_challenge(gnutls_x509_crq_t crq, struct csr *out, const char **why)
{
    uint8_t der[CSR_CHALLENGE_SIZE + 4];
    size_t n = sizeof(der), head;
    int rc = gnutls_x509_crq_get_attribute_by_oid(crq, OID_CHALLENGE_PASSWORD, 0, der, &n);

    if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE || rc == GNUTLS_E_ASN1_VALUE_NOT_FOUND)
        return GBA_OK;
    head = n > 2 && der[1] == 0x81 ? 3 : 2;
    if (rc < 0 || n < head ||
        (der[0] != 0x0c && der[0] != 0x13 && der[0] != 0x14 && der[0] != 0x16) ||
        der[head - 1] != n - head ||
        gba_text_copy(out->challenge, sizeof(out->challenge),
                      (struct gba_text){(const char *)der + head, n - head}) != GBA_OK)
        return no(GBA_E_SYNTAX, "challengePassword cannot be read, or is too long", why);
    return GBA_OK;
}

static enum gba_err read_request(gnutls_x509_crq_t crq, struct csr *out, const char **why)
{
    const struct source s = {.crq = crq};
    enum gba_err err = check_key(crq, why);

    if (err == GBA_OK)
        err = check_extensions(crq, why);
    if (err == GBA_OK)
        err = read_subject(&s, out, why);
    if (err == GBA_OK)
        err = read_names(&s, out, why);
    return err == GBA_OK ? read_challenge(crq, out, why) : err;
}

enum gba_err csr_read(struct gba_bytes der, struct csr *out, const char **why)
{
    const gnutls_datum_t d = {(unsigned char *)der.p, (unsigned)der.n};
    gnutls_x509_crq_t crq;
    enum gba_err err;

    *why = "";
    memset(out, 0, sizeof(*out));
    if (der.n > MEF_CA_CSR_MAX || !is_one_sequence(der))
        return no(GBA_E_SYNTAX, "not one PKCS#10 request in DER", why);
    if (gnutls_x509_crq_init(&crq) < 0)
        return GBA_E_NOMEM;
    err = gnutls_x509_crq_import(crq, &d, GNUTLS_X509_FMT_DER) < 0
              ? no(GBA_E_SYNTAX, "not one PKCS#10 request in DER", why)
              : read_request(crq, out, why);
    gnutls_x509_crq_deinit(crq);
    return err;
}

enum gba_err csr_read_certificate(struct gba_bytes der, struct csr *out, const char **why)
{
    const gnutls_datum_t d = {(unsigned char *)der.p, (unsigned)der.n};
    struct source s = {.crq = NULL};
    enum gba_err err;

    *why = "";
    memset(out, 0, sizeof(*out));
    if (der.n > MEF_CA_CERT_MAX || !is_one_sequence(der))
        return no(GBA_E_SYNTAX, "not one certificate in DER", why);
    if (gnutls_x509_crt_init(&s.crt) < 0)
        return GBA_E_NOMEM;
    err = gnutls_x509_crt_import(s.crt, &d, GNUTLS_X509_FMT_DER) < 0
              ? no(GBA_E_SYNTAX, "not one certificate in DER", why)
              : read_subject(&s, out, why);
    if (err == GBA_OK)
        err = read_names(&s, out, why);
    gnutls_x509_crt_deinit(s.crt);
    return err;
}

bool mef_cert_name_eq(const struct mef_cert_name *a, const struct mef_cert_name *b)
{
    if (a->type != b->type)
        return false;
    return a->type == MEF_NAME_DNS ? gba_text_eq_nocase(gba_text(a->text), gba_text(b->text))
                                   : strcmp(a->text, b->text) == 0;
}
