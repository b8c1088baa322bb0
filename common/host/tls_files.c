/*
 * Looks at the files of TLS that a configuration names: see tls_files.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/tls_files.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "common/identity.h"
#include "common/secret.h"

static const char *read_fault(const char *file)
{
    gnutls_datum_t text;
    int rc = gnutls_load_file(file, &text);

    if (rc < 0)
        return "cannot be read";
    gba_wipe(text.data, text.size);
    gnutls_free(text.data);
    return NULL;
}

/* take: what GnuTLS has for files of that kind; it gives how many it took, or its error. */
static const char *fault_of(const char *file, const char *none,
                            int (*take)(gnutls_certificate_credentials_t, const char *,
                                        gnutls_x509_crt_fmt_t))
{
    gnutls_certificate_credentials_t x;
    int n = gnutls_certificate_allocate_credentials(&x);

    if (n < 0)
        return gnutls_strerror(n);
    n = take(x, file, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(x);
    return n > 0 ? NULL : n < 0 ? gnutls_strerror(n) : none;
}

static const char *roots_fault(const char *file)
{
    return fault_of(file, "no certificate in it", gnutls_certificate_set_x509_trust_file);
}

static const char *crl_fault(const char *file)
{
    return fault_of(file, "no CRL in it", gnutls_certificate_set_x509_crl_file);
}

static const char *pair_fault(const char *cert, const char *key)
{
    gnutls_certificate_credentials_t x;
    int rc = gnutls_certificate_allocate_credentials(&x);

    if (rc < 0)
        return gnutls_strerror(rc);
    rc = gnutls_certificate_set_x509_key_file(x, cert, key, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(x);
    return rc < 0 ? gnutls_strerror(rc) : NULL;
}

static bool has_dns_name(gnutls_x509_crt_t crt, const char *fqdn)
{
    char text[GBA_FQDN_SIZE], name[GBA_FQDN_SIZE];
    int type = 0;

    for (unsigned i = 0; type >= 0 || type == GNUTLS_E_SHORT_MEMORY_BUFFER; i++) {
        size_t n = sizeof(text);

        type = gnutls_x509_crt_get_subject_alt_name(crt, i, text, &n, NULL);
        if (type == GNUTLS_SAN_DNSNAME &&
            gba_fqdn_canonical((struct gba_text){text, n}, name) == GBA_OK &&
            strcmp(name, fqdn) == 0)
            return true;
    }
    return false;
}

static bool is_given(char *const *name)
{
    return name != NULL && *name != NULL;
}

static bool say(const struct conf *source, char *const *name, const char *why)
{
    if (why != NULL)
        conf_complain(source, stderr, name, "%s: %s", *name, why);
    return why == NULL;
}

bool tls_files_check(const struct tls_files *f, const struct conf *source)
{
    bool good = true, pair = is_given(f->cert) && is_given(f->key);

    if (pair)
        good = say(source, f->cert, read_fault(*f->cert));
    if (pair && good)
        good = say(source, f->key, read_fault(*f->key));
    if (pair && good)
        good = say(source, f->cert, pair_fault(*f->cert, *f->key));
    if (is_given(f->roots))
        good = say(source, f->roots, roots_fault(*f->roots)) && good;
    if (is_given(f->crl))
        good = say(source, f->crl, crl_fault(*f->crl)) && good;
    return good;
}

bool tls_files_has_name(const char *cert, const char *fqdn)
{
    gnutls_x509_crt_t *chain;
    gnutls_datum_t text;
    unsigned n = 0;
    bool good;
    int rc = gnutls_load_file(cert, &text);

    if (rc < 0)
        return false;
    rc = gnutls_x509_crt_list_import2(&chain, &n, &text, GNUTLS_X509_FMT_PEM, 0);
    gnutls_free(text.data);
    if (rc < 0)
        return false;
    good = n > 0 && has_dns_name(chain[0], fqdn);
    for (unsigned i = 0; i < n; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    return good;
}
