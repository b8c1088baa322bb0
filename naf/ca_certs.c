/*
 * A CA's own certificates: see ca_certs.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/ca_certs.h"

#include <string.h>

#include <gnutls/abstract.h>

#include "naf/csr.h"

/* ------------------------------------------------------------ reading */

void ca_certs_free(struct ca_certs *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        gnutls_free(c->der[i].data);
        gnutls_x509_crt_deinit(c->crt[i]);
    }
    if (c->list != NULL)
        gnutls_x509_trust_list_deinit(c->list, 0);
    memset(c, 0, sizeof(*c));
}

static enum gba_err keep_der(struct ca_certs *c)
{
    for (unsigned i = 0; i < c->n; i++)
        if (gnutls_x509_crt_export2(c->crt[i], GNUTLS_X509_FMT_DER, &c->der[i]) < 0)
            return GBA_E_NOMEM;
    return GBA_OK;
}

enum gba_err ca_certs_read(const char *pem, size_t n, struct ca_certs *out, const char **why)
{
    const gnutls_datum_t d = {(unsigned char *)pem, (unsigned)n};
    unsigned max = MEF_CA_CERTS;
    enum gba_err err;
    int rc;

    memset(out, 0, sizeof(*out));
    *why = "no certificate in it";
    rc = gnutls_x509_crt_list_import(out->crt, &max, &d, GNUTLS_X509_FMT_PEM,
                                     GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
    if (rc <= 0) {
        if (rc < 0)
            *why = gnutls_strerror(rc);
        return GBA_E_CONFIG;
    }
    out->n = (unsigned)rc;
    err = keep_der(out);
    if (err == GBA_OK && gnutls_x509_trust_list_init(&out->list, 0) < 0)
        err = GBA_E_NOMEM;
    if (err == GBA_OK && gnutls_x509_trust_list_add_cas(out->list, out->crt, out->n, 0) < 0)
        err = GBA_E_CONFIG;
    if (err != GBA_OK)
        ca_certs_free(out);
    return err;
}

struct gba_bytes ca_certs_der(const struct ca_certs *c, size_t i)
{
    return i < c->n ? (struct gba_bytes){c->der[i].data, c->der[i].size}
                    : (struct gba_bytes){NULL, 0};
}

/* ------------------------------------------------------------ questions */

static bool verifies(const struct ca_certs *c, gnutls_x509_crt_t cert, unsigned flags)
{
    unsigned status = 0;

    return gnutls_x509_trust_list_verify_crt(c->list, &cert, 1, flags, &status, NULL) >= 0 &&
           status == 0;
}

static bool is_for_clients(gnutls_x509_crt_t cert)
{
    unsigned usage = 0;
    int rc = gnutls_x509_crt_get_key_usage(cert, &usage, NULL);

    return (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ||
            (rc >= 0 && (usage & GNUTLS_KEY_DIGITAL_SIGNATURE) != 0)) &&
           gnutls_x509_crt_check_key_purpose(cert, GNUTLS_KP_TLS_WWW_CLIENT, 0) != 0;
}

bool ca_certs_issued(const struct ca_certs *c, struct gba_bytes cert)
{
    const gnutls_datum_t d = {(unsigned char *)cert.p, (unsigned)cert.n};
    gnutls_x509_crt_t crt;
    bool ok;

    if (cert.n == 0 || cert.n > MEF_CA_CERT_MAX || gnutls_x509_crt_init(&crt) < 0)
        return false;
    ok = gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_DER) >= 0 && is_for_clients(crt) &&
         verifies(c, crt, GNUTLS_VERIFY_DISABLE_TIME_CHECKS);
    gnutls_x509_crt_deinit(crt);
    return ok;
}

/* The public keys, octet by octet. */
static bool same_key(gnutls_x509_crt_t cert, struct gba_bytes csr)
{
    const gnutls_datum_t d = {(unsigned char *)csr.p, (unsigned)csr.n};
    gnutls_datum_t a = {NULL, 0}, b = {NULL, 0};
    gnutls_pubkey_t of_cert = NULL, of_csr = NULL;
    gnutls_x509_crq_t crq = NULL;
    bool same;

    same = gnutls_pubkey_init(&of_cert) >= 0 && gnutls_pubkey_init(&of_csr) >= 0 &&
           gnutls_x509_crq_init(&crq) >= 0 &&
           gnutls_x509_crq_import(crq, &d, GNUTLS_X509_FMT_DER) >= 0 &&
           gnutls_pubkey_import_x509(of_cert, cert, 0) >= 0 &&
           gnutls_pubkey_import_x509_crq(of_csr, crq, 0) >= 0 &&
           gnutls_pubkey_export2(of_cert, GNUTLS_X509_FMT_DER, &a) >= 0 &&
           gnutls_pubkey_export2(of_csr, GNUTLS_X509_FMT_DER, &b) >= 0 && a.size == b.size &&
           memcmp(a.data, b.data, a.size) == 0;
    gnutls_free(a.data);
    gnutls_free(b.data);
    if (of_cert != NULL)
        gnutls_pubkey_deinit(of_cert);
    if (of_csr != NULL)
        gnutls_pubkey_deinit(of_csr);
    if (crq != NULL)
        gnutls_x509_crq_deinit(crq);
    return same;
}

static bool has_the_name(struct gba_bytes cert, const struct mef_cert_name *name)
{
    struct csr read;
    const char *why;

    return csr_read_certificate(cert, &read, &why) == GBA_OK &&
           mef_cert_name_eq(&read.name, name);
}

static const char *reject(const struct ca_certs *c, gnutls_x509_crt_t cert,
                          const struct mef_ca_request *rq, int64_t now_s)
{
    if (!same_key(cert, rq->csr))
        return "its key is not the request's";
    if (gnutls_x509_crt_get_ca_status(cert, NULL) > 0)
        return "it is a CA's";
    if (gnutls_x509_crt_get_activation_time(cert) > now_s ||
        gnutls_x509_crt_get_expiration_time(cert) <= now_s)
        return "it is not valid now";
    if (!is_for_clients(cert))
        return "no client of TLS may use it";
    if (!verifies(c, cert, 0))
        return "it does not verify by the CA's own certificates";
    return NULL;
}

const char *ca_certs_reject(const struct ca_certs *c, struct gba_bytes cert,
                            const struct mef_ca_request *rq, int64_t now_s)
{
    const gnutls_datum_t d = {(unsigned char *)cert.p, (unsigned)cert.n};
    gnutls_x509_crt_t crt;
    const char *why;

    if (cert.n > MEF_CA_CERT_MAX)
        return "it is too long";
    if (!has_the_name(cert, &rq->name))
        return "its subject or alternative name is not the client's";
    if (gnutls_x509_crt_init(&crt) < 0)
        return "out of memory";
    why = gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_DER) >= 0 ? reject(c, crt, rq, now_s)
                                                                    : "it cannot be read";
    gnutls_x509_crt_deinit(crt);
    return why;
}
