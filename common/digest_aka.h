/*
 * Digest AKA (RFC 3310, RFC 4169): nonce, password and auts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_DIGEST_AKA_H
#define COMMON_DIGEST_AKA_H

#include "common/aka.h"
#include "common/digest.h"

#define GBA_AKA_NONCE_SIZE 45 /* base64 of RAND || AUTN, and NUL */
#define GBA_AKA_NONCE_MAX  256 /* longest nonce we read, in characters */

/* RFC 3310 3.2: nonce = base64(RAND || AUTN). */
void gba_aka_nonce(const uint8_t rand[static 16], const uint8_t autn[static 16],
                   char out[static GBA_AKA_NONCE_SIZE]);
/* At least 32 octets; the rest is server data, ignored.  GBA_E_SYNTAX, GBA_E_TOO_LONG. */
enum gba_err gba_aka_nonce_parse(struct gba_text nonce, uint8_t rand[static 16],
                                 uint8_t autn[static 16]);

/* The Digest password: AKAv1: RES as it is; AKAv2: base64(HMAC(RES || IK || CK,
 * "http-digest-akav2-password")).  out holds 64 octets, *n are used; wipe it. */
#define GBA_AKA_PASSWORD_MAX 64
enum gba_err gba_aka_password(enum gba_digest_algorithm a, const struct gba_av *av,
                              uint8_t out[static GBA_AKA_PASSWORD_MAX], size_t *n);

/* RFC 3310 3.4: base64 of 14 octets. */
enum gba_err gba_auts_parse(struct gba_text auts, uint8_t out[static GBA_AUTS_LEN]);
void gba_auts_print(const uint8_t auts[static GBA_AUTS_LEN], char out[static 21]);

#endif
