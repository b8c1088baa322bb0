/*
 * A CA's own certificates, and the two questions that are asked of them: is a certificate of
 * this CA, and is a fresh one what was asked for.  Over GnuTLS.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_CA_CERTS_H
#define NAF_CA_CERTS_H

#include <gnutls/x509.h>

#include "naf/ca.h"

struct ca_certs {
    gnutls_x509_crt_t crt[MEF_CA_CERTS];
    gnutls_datum_t der[MEF_CA_CERTS];
    unsigned n;
    gnutls_x509_trust_list_t list;
};

/* The certificates of a PEM text, 1 to MEF_CA_CERTS.  GBA_E_CONFIG: none, too many, or one that
 * cannot be read (why: GnuTLS's word); GBA_E_NOMEM.  On errors there is nothing to free. */
enum gba_err ca_certs_read(const char *pem, size_t n, struct ca_certs *out, const char **why);
void ca_certs_free(struct ca_certs *c);
struct gba_bytes ca_certs_der(const struct ca_certs *c, size_t i); /* empty past the last */

/* Path of RFC 5280 without times, and a purpose as a client of TLS. */
bool ca_certs_issued(const struct ca_certs *c, struct gba_bytes cert);

/* A fresh certificate (DER): the key of the request, its one alternative name, no CA, valid
 * now, for clients of TLS, path to these certificates with their constraints.  NULL, or what is
 * wrong with it. */
const char *ca_certs_reject(const struct ca_certs *c, struct gba_bytes cert,
                            const struct mef_ca_request *rq, int64_t now_s);

#endif
