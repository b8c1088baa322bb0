/*
 * A CA in OpenSSL for the device's tests of EST: certificates for requests, right ones and
 * wrong ones, as certs-only PKCS#7.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UA_EST_CA_H
#define TESTS_UA_EST_CA_H

#include <openssl/x509.h>

#include "common/bytes.h"

struct est_ca {
    EVP_PKEY *key;
    X509 *cert;
};

enum est_ca_fault {
    EST_CA_RIGHT,
    EST_CA_OTHER_KEY,
    EST_CA_OTHER_NAME,
    EST_CA_TWO_NAMES,
    EST_CA_NO_NAME,
    EST_CA_EXPIRED,
    EST_CA_SERVER_ONLY, /* extendedKeyUsage */
    EST_CA_WITH_ITSELF, /* its own certificate stands first in the answer */
    EST_CA_N_FAULTS
};

void est_ca_begin(struct est_ca *ca, const char *cn);
void est_ca_end(struct est_ca *ca);

/* The answer to cacerts, DER; malloc'ed, for the caller to free. */
struct gba_bytes est_ca_certs(const struct est_ca *ca);
/* The answer to a request (DER), which must verify. */
struct gba_bytes est_ca_issue(const struct est_ca *ca, struct gba_bytes csr,
                              enum est_ca_fault fault);
/* What a request says: text of the subject ("/CN=x"), and of its one name ("URI:..."). */
void est_ca_read(struct gba_bytes csr, char subject[static 256], char name[static 512]);

#endif
