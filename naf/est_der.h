/*
 * The two DER structures of EST that nothing else here has: a certs-only SignedData (RFC 5652,
 * RFC 5272 3.1: the Simple PKI Response) and CsrAttrs (RFC 7030 4.5.2 as RFC 9908 reads it).
 * Pure.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_EST_DER_H
#define NAF_EST_DER_H

#include "naf/ca.h"

/* certs: DER of certificates.  Check gba_wbuf_ok. */
void est_der_certs_only(const struct gba_bytes *certs, size_t n, struct gba_wbuf *w);

/* What a request must have (TS-0003 10.1.4): a key on P-256, ECDSA with SHA-256, this
 * alternative name (NULL: one) and, if link, a challengePassword. */
void est_der_csr_attrs(const struct mef_cert_name *name, bool link, struct gba_wbuf *w);

#endif
