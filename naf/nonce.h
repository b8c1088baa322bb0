/*
 * Nonces of Ua Digest: made without state, and the table of those in use with their counts
 * (RFC 7616 3.3, 3.4, 5.4).  A nonce is base64(issue time 8 || random 8 || MAC 16); only nonces
 * that carried a right answer take a place in the table, so strangers cannot fill it.
 * Thread-safe; times and randomness are arguments.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_NONCE_H
#define NAF_NONCE_H

#include "common/bytes.h"
#include "naf/gba_naf.h"

#define NONCE_SIZE 45 /* base64 of 32 octets, and NUL */

struct nonces;

/* secret: 32 octets.  GBA_E_NOMEM. */
enum gba_err nonces_new(const uint8_t secret[static 32], unsigned life_s, size_t max,
                        enum gba_naf_nc policy, struct nonces **out);
void nonces_free(struct nonces *t);

/* realm binds the nonce to the name under which it was given out. */
void nonce_make(const struct nonces *t, struct gba_text realm, int64_t now_s,
                const uint8_t random[static 8], char out[static NONCE_SIZE]);

/* GBA_OK: one of ours; GBA_E_NONCE: not ours; GBA_E_NONCE_EXPIRED. */
enum gba_err nonce_check(const struct nonces *t, struct gba_text realm, struct gba_text nonce,
                         int64_t now_s);

/* Takes count nc of a nonce that nonce_check knows, for user; call it when the response has
 * proved right.  GBA_E_NC: used before or against the policy; GBA_E_NONCE: in use by another
 * user; GBA_E_NONCE_EXPIRED: it may have been in use and was forgotten. */
enum gba_err nonce_use(struct nonces *t, struct gba_text nonce, struct gba_text user,
                       uint32_t nc, int64_t now_s);

/* Past half of its life: time for a nextnonce. */
bool nonce_aged(const struct nonces *t, struct gba_text nonce, int64_t now_s);

#endif
