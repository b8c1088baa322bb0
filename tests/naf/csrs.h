/*
 * Certification requests for tests, made with GnuTLS: good ones, and bad ones in every way that
 * GnuTLS lets itself be talked into.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_NAF_CSRS_H
#define TESTS_NAF_CSRS_H

#include <gnutls/x509.h>

#include "common/bytes.h"
#include "naf/ca.h"

struct csr_spec {
    enum { CSR_P256, CSR_P384, CSR_RSA } key;
    gnutls_digest_algorithm_t digest; /* 0: SHA-256 */
    const char *cn, *cn2, *organisation, *email_in_dn;
    const char *dns, *dns2, *uri, *email;
    const char *challenge;
    const char *extension; /* one more, by its OID */
    bool ca, not_ca, cert_sign, key_usage, no_names;
    gnutls_x509_privkey_t with; /* this key; NULL: a new one */
};

/* DER, valid until csrs_free; key (may be NULL): the request's, freed by csrs_free too. */
struct gba_bytes csrs_make(const struct csr_spec *s, gnutls_x509_privkey_t *key);
void csrs_free(void);

/* A request of the CA for this CSR and name. */
struct mef_ca_request csrs_request(struct gba_bytes csr, enum mef_name_type type,
                                   const char *name, const char *id);

/* The answer of a CA, waited for. */
struct csrs_answer {
    unsigned n; /* how often it came */
    enum gba_err err;
    uint8_t cert[MEF_CA_CERT_MAX];
    size_t len;
};
/* Asks and waits; a refusal of issue() itself is the answer as well (n stays 0). */
void csrs_ask(struct mef_ca *ca, const struct mef_ca_request *rq, struct csrs_answer *out);

#endif
