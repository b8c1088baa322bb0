/*
 * Certificates of the lab CA (TS-0003 10.1.1: EC P-256, SHA-256, keyUsage digitalSignature).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <string.h>

#include <gnutls/x509-ext.h>

#include "common/host/clock.h"
#include "common/host/random.h"
#include "naf/ca_file.h"
#include "naf/ca_lab_internal.h"

static bool is_below(struct gba_text name, const char *domain)
{
    size_t n = strlen(domain);

    return name.n >= n &&
           gba_text_eq_nocase((struct gba_text){name.s + name.n - n, n}, gba_text(domain)) &&
           (name.n == n || name.s[name.n - n - 1] == '.');
}

/* RFC 5280 name constraints are for schemes; the host of an AE-ID ("//host/...") is looked at
 * here. */
static bool is_permitted(const struct ca_lab *l, const struct mef_cert_name *name)
{
    struct gba_text host = gba_text(name->text), rest;

    if (name->type == MEF_NAME_URI) {
        const char *slashes = strstr(name->text, "//");

        if (slashes == NULL) /* a URN has no host */
            return true;
        gba_text_split(gba_text(slashes + 2), '/', &host, &rest);
    }
    for (size_t i = 0; i < l->n_domains; i++)
        if (is_below(host, l->domains[i]))
            return true;
    return l->n_domains == 0;
}

/* Critical where the subject is empty (RFC 5280 4.2.1.6), which gnutls_x509_crt_set_subject_
 * alt_name cannot say. */
static int set_name(gnutls_x509_crt_t crt, const struct mef_cert_name *name)
{
    const gnutls_datum_t text = {(unsigned char *)name->text, (unsigned)strlen(name->text)};
    gnutls_subject_alt_names_t names;
    gnutls_datum_t der = {NULL, 0};
    char oid[64];
    size_t n = sizeof(oid);
    bool empty = gnutls_x509_crt_get_dn_oid(crt, 0, oid, &n) < 0;
    int rc = gnutls_subject_alt_names_init(&names);

    if (rc < 0)
        return rc;
    rc = gnutls_subject_alt_names_set(
        names, name->type == MEF_NAME_DNS ? GNUTLS_SAN_DNSNAME : GNUTLS_SAN_URI, &text, NULL);
    if (rc >= 0)
        rc = gnutls_x509_ext_export_subject_alt_names(names, &der);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_extension_by_oid(crt, GNUTLS_X509EXT_OID_SAN, der.data,
                                                  der.size, empty);
    gnutls_free(der.data);
    gnutls_subject_alt_names_deinit(names);
    return rc;
}

static int set_usage(gnutls_x509_crt_t crt, enum mef_cert_profile profile)
{
    bool server = profile == MEF_CERT_CSE || profile == MEF_CERT_FQDN;
    int rc = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);

    if (rc >= 0)
        rc = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
    if (rc >= 0 && server)
        rc = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
    return rc;
}

static int set_key_ids(const struct ca_lab *l, gnutls_x509_crt_t crt)
{
    uint8_t id[64];
    size_t n = sizeof(id);
    int rc = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id, &n);

    if (rc >= 0)
        rc = gnutls_x509_crt_set_subject_key_id(crt, id, n);
    n = sizeof(id);
    if (rc >= 0)
        rc = gnutls_x509_crt_get_subject_key_id(l->certs.crt[0], id, &n, NULL);
    return rc >= 0 ? gnutls_x509_crt_set_authority_key_id(crt, id, n) : rc;
}

/* Never longer than the root's own life (the end of a chain is its first end). */
static int set_times(const struct ca_lab *l, gnutls_x509_crt_t crt, int64_t life_s)
{
    gnutls_x509_crt_t root = l->certs.crt[0];
    int64_t now_s = clock_unix_s(), from = now_s - CA_LAB_SKEW_S, until = now_s + life_s;

    if (from < gnutls_x509_crt_get_activation_time(root))
        from = gnutls_x509_crt_get_activation_time(root);
    if (until > gnutls_x509_crt_get_expiration_time(root))
        until = gnutls_x509_crt_get_expiration_time(root);
    if (gnutls_x509_crt_set_activation_time(crt, (time_t)from) < 0)
        return -1;
    return gnutls_x509_crt_set_expiration_time(crt, (time_t)until);
}

/* Key and subject are the request's; nothing else of it is taken. */
static bool fill(const struct ca_lab *l, const struct mef_ca_request *rq,
                 const uint8_t serial[static CA_LAB_SERIAL_LEN], gnutls_x509_crt_t crt)
{
    const gnutls_datum_t d = {(unsigned char *)rq->csr.p, (unsigned)rq->csr.n};
    gnutls_x509_crq_t crq;
    bool ok;

    if (gnutls_x509_crq_init(&crq) < 0)
        return false;
    ok = gnutls_x509_crq_import(crq, &d, GNUTLS_X509_FMT_DER) >= 0 &&
         gnutls_x509_crt_set_crq(crt, crq) >= 0 && gnutls_x509_crt_set_version(crt, 3) >= 0 &&
         gnutls_x509_crt_set_serial(crt, serial, CA_LAB_SERIAL_LEN) >= 0 &&
         set_times(l, crt, rq->life_s) >= 0 && set_usage(crt, rq->profile) >= 0 &&
         set_name(crt, &rq->name) >= 0 && set_key_ids(l, crt) >= 0 &&
         gnutls_x509_crt_sign2(crt, l->certs.crt[0], l->key, GNUTLS_DIG_SHA256, 0) >= 0;
    gnutls_x509_crq_deinit(crq);
    return ok;
}

static enum gba_err record(struct ca_lab *l, const struct mef_ca_request *rq,
                           const uint8_t serial[static CA_LAB_SERIAL_LEN],
                           gnutls_x509_crt_t crt)
{
    char line[2 * CA_LAB_SERIAL_LEN + 24 + M2M_ID_SIZE];
    struct gba_wbuf w;
    enum gba_err err;

    gba_wbuf_init(&w, line, sizeof(line));
    gba_wbuf_hex(&w, (struct gba_bytes){serial, CA_LAB_SERIAL_LEN});
    gba_wbuf_u8(&w, ' ');
    gba_wbuf_number(&w, (uint64_t)gnutls_x509_crt_get_expiration_time(crt));
    gba_wbuf_u8(&w, ' ');
    gba_wbuf_str(&w, rq->id);
    gba_wbuf_u8(&w, '\n');
    err = gba_wbuf_ok(&w) ? ca_file_append(l->record, gba_wbuf_bytes(&w)) : GBA_E_TOO_LONG;
    return err == GBA_OK ? GBA_OK : ca_lab_complain(l, CA_LAB_RECORD, strerror(errno), err);
}

/* What is looked at is what will be handed out. */
static enum gba_err finish(struct ca_lab *l, const struct mef_ca_request *rq,
                           const uint8_t serial[static CA_LAB_SERIAL_LEN],
                           gnutls_x509_crt_t crt, uint8_t *out, size_t *n)
{
    gnutls_datum_t der = {NULL, 0};
    const char *why = "GnuTLS does not make it";
    enum gba_err err;

    if (fill(l, rq, serial, crt) &&
        gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der) >= 0)
        why = ca_certs_reject(&l->certs, (struct gba_bytes){der.data, der.size}, rq,
                              clock_unix_s());
    err = why == NULL ? record(l, rq, serial, crt) : ca_lab_complain(l, "", why, GBA_E_CA);
    if (err == GBA_OK) {
        memcpy(out, der.data, der.size);
        *n = der.size;
    }
    gnutls_free(der.data);
    return err;
}

enum gba_err ca_lab_make(void *ctx, const struct mef_ca_request *rq,
                         uint8_t out[static MEF_CA_CERT_MAX], size_t *n)
{
    struct ca_lab *l = ctx;
    uint8_t serial[CA_LAB_SERIAL_LEN];
    gnutls_x509_crt_t crt;
    enum gba_err err;

    if (!is_permitted(l, &rq->name)) {
        ca_lab_complain(l, CA_LAB_ROOT, "its name constraints do not permit this name",
                        GBA_E_REFUSED);
        return GBA_E_REFUSED;
    }
    if (random_octets(serial, sizeof(serial)) != GBA_OK)
        return GBA_E_ENTROPY;
    serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40); /* positive, always 16 octets */
    if (gnutls_x509_crt_init(&crt) < 0)
        return GBA_E_NOMEM;
    pthread_mutex_lock(&l->lock);
    err = finish(l, rq, serial, crt, out, n);
    pthread_mutex_unlock(&l->lock);
    gnutls_x509_crt_deinit(crt);
    return err;
}
