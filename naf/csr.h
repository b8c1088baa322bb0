/*
 * What a certification request (PKCS#10, RFC 2986) or a certificate says, read once and
 * strictly, with GnuTLS as the parser: key, names, challengePassword.  It decides nothing about
 * whose the names are (naf/est.c does).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_CSR_H
#define NAF_CSR_H

#include "naf/ca.h"

#define CSR_DN_SIZE        512 /* text of a subject */
#define CSR_CN_SIZE        65
#define CSR_CHALLENGE_SIZE 256

struct csr {
    char dn[CSR_DN_SIZE]; /* the subject as text of RFC 4514; "" */
    char cn[CSR_CN_SIZE]; /* its commonName; "" */
    struct mef_cert_name name;
    char challenge[CSR_CHALLENGE_SIZE]; /* challengePassword; "" */
};

/* A request in DER, nothing behind it: EC P-256, ECDSA with SHA-256, signed by its key, exactly
 * one alternative name, a dNSName or a URI; at most one commonName beside names of an
 * organisation and a place; no extension that makes more of the certificate than an end
 * entity's. GBA_E_SYNTAX: not DER, a field too long; GBA_E_CRYPTO: the signature does not
 * verify; GBA_E_UNSUPPORTED: another key, another hash, another extension or part of a name;
 * GBA_E_MISSING: no alternative name; GBA_E_REPEATED: more than one; GBA_E_NOMEM.
 * why: a static text for people. */
enum gba_err csr_read(struct gba_bytes der, struct csr *out, const char **why);

/* The subject and the one alternative name of a certificate (challenge stays ""); its signature
 * is not looked at.  Errors as above. */
enum gba_err csr_read_certificate(struct gba_bytes der, struct csr *out, const char **why);

/* The same name?  dNSNames in any case. */
bool mef_cert_name_eq(const struct mef_cert_name *a, const struct mef_cert_name *b);

#endif
