/*
 * Keys, requests and certificates of a device, over OpenSSL: an EC P-256 key, a PKCS#10 request
 * with one alternative name, what a certs-only answer holds, and whether a certificate is what
 * was asked for.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_EST_KEY_H
#define UA_EST_KEY_H

#include "ua/est_client.h"

#define EST_KEY_PEM_MAX  1024
#define EST_CERT_PEM_MAX 65536

struct est_key;

/* GBA_E_CRYPTO. */
enum gba_err est_key_new(struct est_key **out);
void est_key_free(struct est_key *k); /* NULL is fine */
/* PKCS#8, PEM: a secret. */
enum gba_err est_key_pem(const struct est_key *k, char out[static EST_KEY_PEM_MAX], size_t *n);

/* like_pem: a certificate (PEM) whose subject the request gets; NULL: an empty subject. */
enum gba_err est_key_request(const struct est_key *k, const struct ue_est_name *name,
                             const char *like_pem, uint8_t out[static UE_EST_CSR_MAX],
                             size_t *n);

/* The certificates of a certs-only PKCS#7 (DER) as PEM, in its order; *count: their number.
 * GBA_E_PROTOCOL: it is none, or has no certificate; GBA_E_TOO_LONG. */
enum gba_err est_certs_pem(struct gba_bytes pkcs7, char out[static EST_CERT_PEM_MAX],
                           size_t *count);

/* Of the certificates of pkcs7 the one with our key, as PEM: with exactly the name, valid at
 * now_s or soon after, for clients of TLS, verified by anchors_pem.  GBA_E_PROTOCOL and *why
 * (static). */
enum gba_err est_key_take(const struct est_key *k, const struct ue_est_name *name,
                          struct gba_bytes pkcs7, const char *anchors_pem, int64_t now_s,
                          char out[static EST_CERT_PEM_MAX], const char **why);

/* For people: serial number (hexadecimal) and end of a certificate in PEM. */
enum gba_err est_cert_describe(const char *pem, char serial[static 65], int64_t *expires_s);

#endif
