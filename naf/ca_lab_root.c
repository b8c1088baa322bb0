/*
 * Key and root of the lab CA: loaded, or made at the first start (TS-0003 8.1.2.2, 10.1.1.3).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/clock.h"
#include "common/host/random.h"
#include "common/secret.h"
#include "naf/ca_file.h"
#include "naf/ca_lab_internal.h"

#define CN_MAX 64 /* RFC 5280 A.1 ub-common-name */

static const char *why_of(enum gba_err err)
{
    return err == GBA_E_FORBIDDEN ? "no plain file, or others may read it: mode must be 0600"
           : err == GBA_E_IO      ? strerror(errno)
                                  : gba_err_text(err);
}

static enum gba_err read_file(const struct ca_lab *l, const char *name, bool secret,
                              uint8_t **out, size_t *n)
{
    char *path = ca_lab_path(l, name);
    enum gba_err err = path != NULL ? ca_file_read(path, secret, out, n) : GBA_E_NOMEM;

    free(path);
    if (err != GBA_OK && err != GBA_E_NOT_FOUND)
        ca_lab_complain(l, name, why_of(err), err);
    return err == GBA_E_FORBIDDEN || err == GBA_E_TOO_LONG ? GBA_E_CONFIG : err;
}

static enum gba_err write_file(const struct ca_lab *l, const char *name, gnutls_datum_t d,
                               mode_t mode)
{
    char *path = ca_lab_path(l, name);
    enum gba_err err = path != NULL
                           ? ca_file_write(path, (struct gba_bytes){d.data, d.size}, mode)
                           : GBA_E_NOMEM;

    free(path);
    return err == GBA_OK ? GBA_OK : ca_lab_complain(l, name, why_of(err), err);
}

/* ------------------------------------------------------------ the key */

static enum gba_err make_key(struct ca_lab *l)
{
    gnutls_datum_t pem = {NULL, 0};
    enum gba_err err = GBA_E_CRYPTO;

    if (gnutls_x509_privkey_generate(l->key, GNUTLS_PK_ECDSA,
                                     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
                                     0) >= 0 &&
        gnutls_x509_privkey_export2_pkcs8(l->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                          &pem) >= 0)
        err = write_file(l, CA_LAB_KEY, pem, 0600);
    if (pem.data != NULL)
        gba_wipe(pem.data, pem.size);
    gnutls_free(pem.data);
    if (err == GBA_OK)
        LOG(l->log, LOG_LV_NOTICE, "ca.lab.key_made", LOG_STR("folder", l->folder));
    return err;
}

static enum gba_err load_key(struct ca_lab *l, uint8_t *pem, size_t n)
{
    const gnutls_datum_t d = {pem, (unsigned)n};
    int rc = gnutls_x509_privkey_import2(l->key, &d, GNUTLS_X509_FMT_PEM, NULL, 0);

    gba_wipe(pem, n);
    free(pem);
    return rc >= 0 ? GBA_OK : ca_lab_complain(l, CA_LAB_KEY, gnutls_strerror(rc), GBA_E_CONFIG);
}

/* ------------------------------------------------------------ the root */

static int permit(gnutls_x509_name_constraints_t nc, gnutls_x509_subject_alt_name_t type,
                  const char *dot, const char *domain)
{
    char text[GBA_FQDN_SIZE + 1];
    gnutls_datum_t d = {(unsigned char *)text, 0};

    d.size = (unsigned)snprintf(text, sizeof(text), "%s%s", dot, domain);
    return gnutls_x509_name_constraints_add_permitted(nc, type, &d);
}

/* RFC 5280 4.2.1.10: a dNSName covers what stands below it; of a URI's host, ".d" does. */
static enum gba_err set_constraints(const struct ca_lab_config *c, gnutls_x509_crt_t root)
{
    gnutls_x509_name_constraints_t nc;
    char domain[GBA_FQDN_SIZE];
    int rc = gnutls_x509_name_constraints_init(&nc);

    if (rc < 0)
        return GBA_E_NOMEM;
    for (size_t i = 0; rc >= 0 && i < c->n_domains; i++) {
        if (gba_fqdn_canonical(gba_text(c->domains[i]), domain) != GBA_OK)
            rc = -1;
        if (rc >= 0)
            rc = permit(nc, GNUTLS_SAN_DNSNAME, "", domain);
        if (rc >= 0 && c->constrain_uris)
            rc = permit(nc, GNUTLS_SAN_URI, "", domain);
        if (rc >= 0 && c->constrain_uris)
            rc = permit(nc, GNUTLS_SAN_URI, ".", domain);
    }
    if (rc >= 0)
        rc = gnutls_x509_crt_set_name_constraints(root, nc, 1);
    gnutls_x509_name_constraints_deinit(nc);
    return rc >= 0 ? GBA_OK : GBA_E_CONFIG;
}

static enum gba_err fill_root(struct ca_lab *l, const struct ca_lab_config *c,
                              gnutls_x509_crt_t root)
{
    const int64_t now_s = clock_unix_s();
    uint8_t serial[CA_LAB_SERIAL_LEN], key_id[64];
    size_t n = sizeof(key_id);
    char cn[CN_MAX + 1];

    snprintf(cn, sizeof(cn), "Lab CA of %s", l->mef);
    if (random_octets(serial, sizeof(serial)) != GBA_OK)
        return GBA_E_ENTROPY;
    serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40); /* positive, always 16 octets */
    if (gnutls_x509_crt_set_version(root, 3) < 0 ||
        gnutls_x509_crt_set_serial(root, serial, sizeof(serial)) < 0 ||
        gnutls_x509_crt_set_activation_time(root, (time_t)(now_s - CA_LAB_SKEW_S)) < 0 ||
        gnutls_x509_crt_set_expiration_time(root, (time_t)(now_s + c->root_life_s)) < 0 ||
        gnutls_x509_crt_set_dn_by_oid(root, GNUTLS_OID_X520_COMMON_NAME, 0, cn,
                                      (unsigned)strlen(cn)) < 0 ||
        gnutls_x509_crt_set_key(root, l->key) < 0 ||
        gnutls_x509_crt_set_basic_constraints(root, 1, 0) < 0 ||
        gnutls_x509_crt_set_key_usage(root, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN) <
            0 ||
        gnutls_x509_crt_get_key_id(root, GNUTLS_KEYID_USE_SHA1, key_id, &n) < 0 ||
        gnutls_x509_crt_set_subject_key_id(root, key_id, n) < 0)
        return GBA_E_CRYPTO;
    return set_constraints(c, root);
}

static enum gba_err make_root(struct ca_lab *l, const struct ca_lab_config *c)
{
    gnutls_x509_crt_t root;
    gnutls_datum_t pem = {NULL, 0};
    enum gba_err err;

    if (gnutls_x509_crt_init(&root) < 0)
        return GBA_E_NOMEM;
    err = fill_root(l, c, root);
    if (err == GBA_OK && (gnutls_x509_crt_sign2(root, root, l->key, GNUTLS_DIG_SHA256, 0) < 0 ||
                          gnutls_x509_crt_export2(root, GNUTLS_X509_FMT_PEM, &pem) < 0))
        err = GBA_E_CRYPTO;
    if (err == GBA_OK)
        err = write_file(l, CA_LAB_ROOT, pem, 0644);
    else
        ca_lab_complain(l, CA_LAB_ROOT, "cannot make it: are the domains names?", err);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(root);
    return err;
}

/* The domains that it permits: the root's, whatever the configuration says meanwhile. */
static void read_constraints(struct ca_lab *l)
{
    gnutls_x509_name_constraints_t nc;
    gnutls_datum_t name;
    unsigned type;

    if (gnutls_x509_name_constraints_init(&nc) < 0)
        return;
    if (gnutls_x509_crt_get_name_constraints(l->certs.crt[0], nc, 0, NULL) >= 0)
        for (unsigned i = 0;
             gnutls_x509_name_constraints_get_permitted(nc, i, &type, &name) >= 0; i++)
            if (type == GNUTLS_SAN_DNSNAME && l->n_domains < CA_LAB_DOMAINS &&
                gba_text_copy(l->domains[l->n_domains], GBA_FQDN_SIZE,
                              (struct gba_text){(const char *)name.data, name.size}) == GBA_OK)
                l->n_domains++;
    gnutls_x509_name_constraints_deinit(nc);
}

static const char *reject_root(const struct ca_lab *l)
{
    gnutls_x509_crt_t root = l->certs.crt[0];
    uint8_t of_key[64], of_root[64];
    size_t a = sizeof(of_key), b = sizeof(of_root);

    if (gnutls_x509_privkey_get_key_id(l->key, 0, of_key, &a) < 0 ||
        gnutls_x509_crt_get_key_id(root, 0, of_root, &b) < 0 || a != b ||
        !gba_equal_ct(of_key, of_root, a))
        return "it is not the key's certificate";
    if (gnutls_x509_crt_get_ca_status(root, NULL) <= 0)
        return "it is no CA's certificate";
    if (gnutls_x509_crt_get_expiration_time(root) <= clock_unix_s())
        return "it has expired";
    return NULL;
}

static enum gba_err load_root(struct ca_lab *l)
{
    const char *why = "";
    uint8_t *pem;
    size_t n;
    enum gba_err err = read_file(l, CA_LAB_ROOT, false, &pem, &n);

    if (err != GBA_OK)
        return err;
    err = ca_certs_read((const char *)pem, n, &l->certs, &why);
    free(pem);
    if (err == GBA_OK && (why = reject_root(l)) != NULL)
        err = GBA_E_CONFIG;
    if (err != GBA_OK)
        return ca_lab_complain(l, CA_LAB_ROOT, why, err);
    read_constraints(l);
    return GBA_OK;
}

/* The key first: a key without root is a start that was interrupted, a root without key is a
 * CA that has lost it. */
enum gba_err ca_lab_root_open(struct ca_lab *l, const struct ca_lab_config *c)
{
    uint8_t *pem;
    size_t n;
    enum gba_err key, err;

    if (gnutls_x509_privkey_init(&l->key) < 0)
        return GBA_E_NOMEM;
    key = read_file(l, CA_LAB_KEY, true, &pem, &n);
    if (key == GBA_OK)
        key = load_key(l, pem, n);
    if (key != GBA_OK && key != GBA_E_NOT_FOUND)
        return key;
    err = key == GBA_OK ? load_root(l) : GBA_E_NOT_FOUND;
    if (err != GBA_E_NOT_FOUND)
        return err;
    if (key == GBA_E_NOT_FOUND) {
        err = read_file(l, CA_LAB_ROOT, false, &pem, &n);
        if (err == GBA_OK)
            free(pem);
        if (err != GBA_E_NOT_FOUND)
            return err == GBA_OK
                       ? ca_lab_complain(l, CA_LAB_KEY, "missing, though the root exists",
                                         GBA_E_CONFIG)
                       : err;
        err = make_key(l);
    } else {
        err = GBA_OK;
    }
    if (err == GBA_OK)
        err = make_root(l, c);
    return err == GBA_OK ? load_root(l) : err;
}
