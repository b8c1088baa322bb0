/*
 * Looks at the files of TLS that a configuration names: see tls_files.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/tls_files.h"

#include <gnutls/gnutls.h>

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
