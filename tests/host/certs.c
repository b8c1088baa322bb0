/*
 * Throw-away certificates; see certs.h.  Any failure ends the test program.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/host/certs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAMES_MAX 320
#define RAW_NAMES 1000 /* no gnutls_x509_subject_alt_name_t */

static char folder[64];
static struct {
    unsigned type, n;
    const void *p;
} next_names[NAMES_MAX];
static size_t n_next;

static void must(int rc)
{
    if (rc < 0) {
        fprintf(stderr, "certs: %s\n", gnutls_strerror(rc));
        abort();
    }
}

const char *certs_folder(void)
{
    if (folder[0] == '\0') {
        strcpy(folder, "/tmp/test_certs.XXXXXX");
        if (mkdtemp(folder) == NULL)
            abort();
    }
    return folder;
}

const char *certs_path(const char *name)
{
    static char paths[8][160];
    static size_t turn;

    turn = (turn + 1) % 8;
    snprintf(paths[turn], sizeof(paths[turn]), "%s/%s", certs_folder(), name);
    return paths[turn];
}

void certs_folder_remove(void)
{
    DIR *d = folder[0] != '\0' ? opendir(folder) : NULL;

    if (d == NULL)
        return;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        if (e->d_name[0] != '.')
            (void)unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    (void)rmdir(folder);
    folder[0] = '\0';
}

static void write_file(const char *name, const char *suffix, gnutls_datum_t text, mode_t mode)
{
    char full[200];
    FILE *f;

    snprintf(full, sizeof(full), "%s%s", certs_path(name), suffix);
    (void)unlink(full);
    f = fopen(full, "w");
    if (f == NULL || fchmod(fileno(f), mode) != 0 ||
        fwrite(text.data, 1, text.size, f) != text.size || fclose(f) != 0)
        abort();
    gnutls_free(text.data);
}

static int next_lasts_s; /* 0: not said */

void certs_next_lasts(int seconds)
{
    next_lasts_s = seconds;
}

static void next_name(unsigned type, const void *p, unsigned n)
{
    if (n_next == NAMES_MAX)
        abort();
    next_names[n_next].type = type;
    next_names[n_next].p = p;
    next_names[n_next++].n = n;
}

void certs_next_dns(const char *name)
{
    next_name(GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name));
}

void certs_next_uri(const char *uri)
{
    next_name(GNUTLS_SAN_URI, uri, (unsigned)strlen(uri));
}

void certs_next_names_der(const void *der, unsigned n)
{
    next_name(RAW_NAMES, der, n);
}

static void add_names(gnutls_x509_crt_t crt)
{
    for (size_t i = 0; i < n_next; i++) {
        if (next_names[i].type == RAW_NAMES)
            must(gnutls_x509_crt_set_extension_by_oid(crt, "2.5.29.17", next_names[i].p,
                                                      next_names[i].n, 0));
        else
            must(gnutls_x509_crt_set_subject_alt_name(crt, next_names[i].type, next_names[i].p,
                                                      next_names[i].n, GNUTLS_FSAN_APPEND));
    }
    n_next = 0;
}

static void fill(gnutls_x509_crt_t crt, const char *cn, bool ca, int hours,
                 unsigned char serial)
{
    time_t now = time(NULL);

    must(gnutls_x509_crt_set_version(crt, 3));
    must(gnutls_x509_crt_set_serial(crt, &serial, 1));
    must(gnutls_x509_crt_set_activation_time(crt, now - 7200));
    must(gnutls_x509_crt_set_expiration_time(
        crt, now + (next_lasts_s != 0 ? next_lasts_s : hours * 3600)));
    next_lasts_s = 0;
    must(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, cn,
                                       (unsigned)strlen(cn)));
    must(gnutls_x509_crt_set_basic_constraints(crt, ca, -1));
    must(gnutls_x509_crt_set_key_usage(crt, ca ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
                                               : GNUTLS_KEY_DIGITAL_SIGNATURE));
    add_names(crt);
}

struct certs_pair certs_make(const char *name, const char *cn, const struct certs_pair *issuer,
                             int hours, unsigned char serial)
{
    struct certs_pair p;
    gnutls_datum_t text;

    must(gnutls_x509_privkey_init(&p.key));
    must(gnutls_x509_privkey_generate(p.key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    must(gnutls_x509_crt_init(&p.crt));
    fill(p.crt, cn, issuer == NULL, hours, serial);
    must(gnutls_x509_crt_set_key(p.crt, p.key));
    must(gnutls_x509_crt_sign2(p.crt, issuer != NULL ? issuer->crt : p.crt,
                               issuer != NULL ? issuer->key : p.key, GNUTLS_DIG_SHA256, 0));
    must(gnutls_x509_crt_export2(p.crt, GNUTLS_X509_FMT_PEM, &text));
    write_file(name, ".pem", text, 0644);
    must(gnutls_x509_privkey_export2_pkcs8(p.key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                           &text));
    write_file(name, ".key", text, 0600);
    return p;
}

void certs_crl(const char *name, const struct certs_pair *ca, const struct certs_pair *revoked)
{
    time_t now = time(NULL);
    gnutls_x509_crl_t crl;
    gnutls_datum_t text;

    must(gnutls_x509_crl_init(&crl));
    must(gnutls_x509_crl_set_version(crl, 2));
    must(gnutls_x509_crl_set_this_update(crl, now - 3600));
    must(gnutls_x509_crl_set_next_update(crl, now + 3600));
    must(gnutls_x509_crl_set_number(crl, "\x01", 1));
    if (revoked != NULL)
        must(gnutls_x509_crl_set_crt(crl, revoked->crt, now - 1800));
    must(gnutls_x509_crl_sign2(crl, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0));
    must(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &text));
    write_file(name, ".pem", text, 0644);
    gnutls_x509_crl_deinit(crl);
}

void certs_free(struct certs_pair *p)
{
    gnutls_x509_crt_deinit(p->crt);
    gnutls_x509_privkey_deinit(p->key);
}
