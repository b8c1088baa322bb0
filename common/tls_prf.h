/*
 * TLS key exporters as calculators, SHA-256 suites: RFC 5705 over the PRF of RFC 5246 5, and
 * RFC 8446 7.5.  On a live connection the TLS library exports; this is what its result is
 * checked against, and what works from recorded secrets.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_TLS_PRF_H
#define COMMON_TLS_PRF_H

#include "common/bytes.h"

/* RFC 5246 5: PRF(secret, label, seed) = P_SHA256(secret, label || seed), n octets. */
void gba_tls12_prf(struct gba_bytes secret, struct gba_text label, struct gba_bytes seed,
                   uint8_t *out, size_t n);

/* RFC 5705 4.  context NULL: no context value, which is not the same as an empty one.
 * GBA_E_TOO_LONG: a context of more than 65535 octets. */
enum gba_err gba_tls12_export(const uint8_t master_secret[static 48],
                              const uint8_t client_random[static 32],
                              const uint8_t server_random[static 32], struct gba_text label,
                              const struct gba_bytes *context, uint8_t *out, size_t n);

/* RFC 8446 7.5; no context and an empty one are the same.  GBA_E_TOO_LONG: a label of more
 * than 249 octets or n over 255 * 32. */
enum gba_err gba_tls13_export(const uint8_t exporter_master_secret[static 32],
                              struct gba_text label, struct gba_bytes context, uint8_t *out,
                              size_t n);

#endif
