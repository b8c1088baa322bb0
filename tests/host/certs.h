/*
 * Throw-away certificates for tests, made with GnuTLS in a folder of their own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_HOST_CERTS_H
#define TESTS_HOST_CERTS_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>

struct certs_pair {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
};

/* A new folder below /tmp; certs_folder_remove takes its files away too. */
const char *certs_folder(void);
void certs_folder_remove(void);
/* FOLDER/name, in one of several static buffers. */
const char *certs_path(const char *name);

/* A certificate named cn, signed by issuer (NULL: a CA, by itself), valid from now - 1 h.
 * hours may be negative: expired.  serial in one octet.  Written as NAME.pem and NAME.key
 * (0600). */
struct certs_pair certs_make(const char *name, const char *cn, const struct certs_pair *issuer,
                             int hours, unsigned char serial);
/* The next certificate ends so soon, whatever its hours say. */
void certs_next_lasts(int seconds);
/* Alternative names of the next certificate. */
void certs_next_dns(const char *name);
void certs_next_uri(const char *uri);
/* ... or the whole extension in DER, for names that GnuTLS would not write. */
void certs_next_names_der(const void *der, unsigned n);
/* Revokes revoked (NULL: nobody); written as NAME.pem. */
void certs_crl(const char *name, const struct certs_pair *ca, const struct certs_pair *revoked);
void certs_free(struct certs_pair *p);

#endif
