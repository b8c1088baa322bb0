/*
 * Revocation at the lab CA: one CRL (RFC 5280 5), whose file is also its memory.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/clock.h"
#include "naf/ca_file.h"
#include "naf/ca_lab_internal.h"

#define NUMBER_LEN 8
#define SERIAL_MAX 20 /* RFC 5280 4.1.2.2 */

/* ------------------------------------------------------------ the old one */

/* NULL and GBA_E_NOT_FOUND: there is none.  One that cannot be read stops everything: the new
 * one would forget who is revoked. */
static enum gba_err load(const struct ca_lab *l, gnutls_x509_crl_t *out)
{
    char *path = ca_lab_path(l, CA_LAB_CRL);
    uint8_t *pem = NULL;
    size_t n = 0;
    enum gba_err err = path != NULL ? ca_file_read(path, false, &pem, &n) : GBA_E_NOMEM;
    gnutls_datum_t d = {pem, (unsigned)n};

    free(path);
    *out = NULL;
    if (err != GBA_OK)
        return err == GBA_E_NOT_FOUND || err == GBA_E_NOMEM
                   ? err
                   : ca_lab_complain(l, CA_LAB_CRL, gba_err_text(err), GBA_E_CONFIG);
    if (gnutls_x509_crl_init(out) < 0)
        err = GBA_E_NOMEM;
    else if (gnutls_x509_crl_import(*out, &d, GNUTLS_X509_FMT_PEM) < 0 ||
             gnutls_x509_crl_check_issuer(*out, l->certs.crt[0]) == 0)
        err = ca_lab_complain(l, CA_LAB_CRL, "not a CRL of this CA", GBA_E_CONFIG);
    free(pem);
    if (err != GBA_OK && *out != NULL) {
        gnutls_x509_crl_deinit(*out);
        *out = NULL;
    }
    return err;
}

static uint64_t number_of(gnutls_x509_crl_t crl)
{
    uint8_t octets[32];
    size_t n = sizeof(octets);
    uint64_t v = 0;

    if (crl == NULL || gnutls_x509_crl_get_number(crl, octets, &n, NULL) < 0)
        return 0;
    for (size_t i = n > NUMBER_LEN ? n - NUMBER_LEN : 0; i < n; i++)
        v = v << 8 | octets[i];
    return v;
}

/* Copies the entries; true: serial is one of them. */
static bool copy_entries(gnutls_x509_crl_t from, gnutls_x509_crl_t to, struct gba_bytes serial,
                         bool *ok)
{
    gnutls_x509_crl_iter_t it = NULL;
    uint8_t octets[64];
    size_t n = sizeof(octets);
    bool found = false;
    time_t when;

    while (gnutls_x509_crl_iter_crt_serial(from, &it, octets, &n, &when) >= 0) {
        found = found || (n == serial.n && memcmp(octets, serial.p, n) == 0);
        if (gnutls_x509_crl_set_crt_serial(to, octets, n, when) < 0)
            *ok = false;
        n = sizeof(octets);
    }
    gnutls_x509_crl_iter_deinit(it);
    return found;
}

/* ------------------------------------------------------------ the new one */

static bool sign(const struct ca_lab *l, gnutls_x509_crl_t crl, uint64_t number)
{
    uint8_t octets[NUMBER_LEN], id[64];
    int64_t now_s = clock_unix_s();
    size_t n = sizeof(id);

    for (size_t i = 0; i < NUMBER_LEN; i++)
        octets[i] = (uint8_t)(number >> (8 * (NUMBER_LEN - 1 - i)));
    return gnutls_x509_crl_set_version(crl, 2) >= 0 &&
           gnutls_x509_crl_set_this_update(crl, (time_t)(now_s - CA_LAB_SKEW_S)) >= 0 &&
           gnutls_x509_crl_set_next_update(crl, (time_t)(now_s + l->crl_life_s)) >= 0 &&
           gnutls_x509_crl_set_number(crl, octets, sizeof(octets)) >= 0 &&
           gnutls_x509_crt_get_subject_key_id(l->certs.crt[0], id, &n, NULL) >= 0 &&
           gnutls_x509_crl_set_authority_key_id(crl, id, n) >= 0 &&
           gnutls_x509_crl_sign2(crl, l->certs.crt[0], l->key, GNUTLS_DIG_SHA256, 0) >= 0;
}

static enum gba_err write_crl(struct ca_lab *l, gnutls_x509_crl_t crl)
{
    char *path = ca_lab_path(l, CA_LAB_CRL);
    gnutls_datum_t pem = {NULL, 0};
    enum gba_err err = GBA_E_CRYPTO;

    if (path == NULL)
        return GBA_E_NOMEM;
    if (gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &pem) >= 0)
        err = ca_file_write(path, (struct gba_bytes){pem.data, pem.size}, 0644);
    if (err != GBA_OK)
        ca_lab_complain(l, CA_LAB_CRL, err == GBA_E_IO ? strerror(errno) : gba_err_text(err),
                        err);
    gnutls_free(pem.data);
    free(path);
    return err;
}

/* serial empty: nobody is added. */
static enum gba_err renew(struct ca_lab *l, gnutls_x509_crl_t old, struct gba_bytes serial)
{
    gnutls_x509_crl_t crl;
    enum gba_err err = GBA_OK;
    bool ok = true;

    if (gnutls_x509_crl_init(&crl) < 0)
        return GBA_E_NOMEM;
    if (old != NULL && copy_entries(old, crl, serial, &ok))
        err = GBA_E_EXISTS;
    if (serial.n != 0 && ok)
        ok = gnutls_x509_crl_set_crt_serial(crl, serial.p, serial.n, (time_t)clock_unix_s()) >=
             0;
    if (err == GBA_OK && (!ok || !sign(l, crl, number_of(old) + 1)))
        err = ca_lab_complain(l, CA_LAB_CRL, "GnuTLS does not make it", GBA_E_CRYPTO);
    if (err == GBA_OK)
        err = write_crl(l, crl);
    gnutls_x509_crl_deinit(crl);
    if (err == GBA_OK)
        LOG(l->log, LOG_LV_NOTICE, "ca.lab.crl", LOG_STR("folder", l->folder),
            LOG_INT("revoked", serial.n != 0));
    return err;
}

static enum gba_err replace(struct ca_lab *l, struct gba_bytes serial)
{
    gnutls_x509_crl_t old;
    enum gba_err err;

    pthread_mutex_lock(&l->lock);
    err = load(l, &old);
    if (err == GBA_E_NOT_FOUND)
        err = GBA_OK;
    if (err == GBA_OK && serial.n == 0 && old != NULL &&
        gnutls_x509_crl_get_next_update(old) - clock_unix_s() > l->crl_life_s / 2)
        err = GBA_E_EXISTS; /* good enough */
    if (err == GBA_OK)
        err = renew(l, old, serial);
    if (old != NULL)
        gnutls_x509_crl_deinit(old);
    pthread_mutex_unlock(&l->lock);
    if (err == GBA_OK && l->crl_changed != NULL)
        l->crl_changed(l->arg);
    return err;
}

enum gba_err ca_lab_crl_refresh(struct ca_lab *l)
{
    enum gba_err err = replace(l, (struct gba_bytes){NULL, 0});

    return err == GBA_E_EXISTS ? GBA_OK : err;
}

/* ------------------------------------------------------------ revoking */

/* Does a line of the record begin with this serial number? */
static enum gba_err find(const struct ca_lab *l, struct gba_text hex)
{
    char *path = ca_lab_path(l, CA_LAB_RECORD), *line = NULL;
    FILE *f = path != NULL ? fopen(path, "re") : NULL;
    enum gba_err err = f != NULL ? GBA_E_NOT_FOUND : path != NULL ? GBA_E_IO : GBA_E_NOMEM;
    size_t cap = 0;
    ssize_t n;

    while (err == GBA_E_NOT_FOUND && (n = getline(&line, &cap, f)) >= 0)
        if ((size_t)n > hex.n && line[hex.n] == ' ' &&
            gba_text_eq((struct gba_text){line, hex.n}, hex))
            err = GBA_OK;
    if (err == GBA_E_NOT_FOUND && ferror(f) != 0)
        err = GBA_E_IO;
    if (f != NULL)
        fclose(f);
    free(line);
    free(path);
    return err;
}

enum gba_err ca_lab_revoke(struct mef_ca *ca, const char *serial)
{
    struct ca_lab *l = (struct ca_lab *)ca;
    uint8_t octets[SERIAL_MAX];
    char hex[2 * SERIAL_MAX + 1];
    size_t n;
    enum gba_err err = gba_unhex(octets, sizeof(octets), gba_text(serial), &n);

    if (err != GBA_OK || n == 0)
        return GBA_E_SYNTAX;
    gba_hex(hex, (struct gba_bytes){octets, n});
    err = find(l, gba_text(hex));
    return err == GBA_OK ? replace(l, (struct gba_bytes){octets, n}) : err;
}
