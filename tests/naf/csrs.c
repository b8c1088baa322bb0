/*
 * Certification requests for tests; see csrs.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/naf/csrs.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP 256

static gnutls_datum_t kept[KEEP];
static gnutls_x509_privkey_t keys[KEEP];
static size_t n_kept, n_keys;

static void must(int rc)
{
    if (rc < 0) {
        fprintf(stderr, "csrs: %s\n", gnutls_strerror(rc));
        abort();
    }
}

static gnutls_x509_privkey_t make_key(const struct csr_spec *s)
{
    gnutls_x509_privkey_t key;

    must(gnutls_x509_privkey_init(&key));
    if (s->key == CSR_RSA)
        must(gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, 2048, 0));
    else
        must(gnutls_x509_privkey_generate(
            key, GNUTLS_PK_ECDSA,
            s->key == CSR_P256 ? (unsigned)GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)
                               : (unsigned)GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1),
            0));
    if (n_keys == KEEP)
        abort();
    keys[n_keys++] = key;
    return key;
}

static void set_dn(gnutls_x509_crq_t crq, const char *oid, const char *value)
{
    if (value != NULL)
        must(gnutls_x509_crq_set_dn_by_oid(crq, oid, 0, value, (unsigned)strlen(value)));
}

static void add_name(gnutls_x509_crq_t crq, gnutls_x509_subject_alt_name_t type,
                     const char *name)
{
    if (name != NULL)
        must(gnutls_x509_crq_set_subject_alt_name(crq, type, name, (unsigned)strlen(name),
                                                  GNUTLS_FSAN_APPEND));
}

static void add_names(gnutls_x509_crq_t crq, const struct csr_spec *s)
{
    add_name(crq, GNUTLS_SAN_DNSNAME, s->dns);
    add_name(crq, GNUTLS_SAN_DNSNAME, s->dns2);
    add_name(crq, GNUTLS_SAN_URI, s->uri);
    add_name(crq, GNUTLS_SAN_RFC822NAME, s->email);
}

static void add_extensions(gnutls_x509_crq_t crq, const struct csr_spec *s)
{
    if (s->ca || s->not_ca)
        must(gnutls_x509_crq_set_basic_constraints(crq, s->ca, -1));
    if (s->cert_sign || s->key_usage)
        must(gnutls_x509_crq_set_key_usage(crq, s->cert_sign ? GNUTLS_KEY_KEY_CERT_SIGN
                                                             : GNUTLS_KEY_DIGITAL_SIGNATURE));
    if (s->extension != NULL)
        must(gnutls_x509_crq_set_extension_by_oid(crq, s->extension, "\x05\x00", 2, 0));
}

struct gba_bytes csrs_make(const struct csr_spec *s, gnutls_x509_privkey_t *out)
{
    gnutls_x509_privkey_t key = s->with != NULL ? s->with : make_key(s);
    gnutls_x509_crq_t crq;

    must(gnutls_x509_crq_init(&crq));
    must(gnutls_x509_crq_set_version(crq, 1));
    set_dn(crq, GNUTLS_OID_X520_ORGANIZATION_NAME, s->organisation);
    set_dn(crq, GNUTLS_OID_X520_COMMON_NAME, s->cn);
    set_dn(crq, GNUTLS_OID_X520_COMMON_NAME, s->cn2);
    set_dn(crq, GNUTLS_OID_PKCS9_EMAIL, s->email_in_dn);
    if (!s->no_names)
        add_names(crq, s);
    add_extensions(crq, s);
    if (s->challenge != NULL)
        must(gnutls_x509_crq_set_challenge_password(crq, s->challenge));
    must(gnutls_x509_crq_set_key(crq, key));
    must(gnutls_x509_crq_sign2(crq, key, s->digest != 0 ? s->digest : GNUTLS_DIG_SHA256, 0));
    if (n_kept == KEEP)
        abort();
    must(gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_DER, &kept[n_kept++]));
    gnutls_x509_crq_deinit(crq);
    if (out != NULL)
        *out = key;
    return (struct gba_bytes){kept[n_kept - 1].data, kept[n_kept - 1].size};
}

void csrs_free(void)
{
    while (n_kept > 0)
        gnutls_free(kept[--n_kept].data);
    while (n_keys > 0)
        gnutls_x509_privkey_deinit(keys[--n_keys]);
}

struct mef_ca_request csrs_request(struct gba_bytes csr, enum mef_name_type type,
                                   const char *name, const char *id)
{
    struct mef_ca_request rq = {.csr = csr,
                                .profile = type == MEF_NAME_DNS ? MEF_CERT_CSE : MEF_CERT_AE,
                                .name.type = type,
                                .id = id,
                                .life_s = 3600};

    if (gba_text_copy(rq.name.text, sizeof(rq.name.text), gba_text(name)) != GBA_OK)
        abort();
    return rq;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t came = PTHREAD_COND_INITIALIZER;

static void on_answer(void *arg, enum gba_err err, struct gba_bytes cert)
{
    struct csrs_answer *a = arg;

    pthread_mutex_lock(&lock);
    a->n++;
    a->err = err;
    a->len = cert.n;
    if (cert.n != 0)
        memcpy(a->cert, cert.p, cert.n);
    pthread_cond_signal(&came);
    pthread_mutex_unlock(&lock);
}

void csrs_ask(struct mef_ca *ca, const struct mef_ca_request *rq, struct csrs_answer *out)
{
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    err = ca->issue(ca, rq, on_answer, out);
    if (err != GBA_OK) {
        out->err = err;
        return;
    }
    pthread_mutex_lock(&lock);
    while (out->n == 0)
        pthread_cond_wait(&came, &lock);
    pthread_mutex_unlock(&lock);
}
