/*
 * Secrets have their own types and verbs.  Whoever holds one ends it with gba_wipe; no log
 * call takes these types; comparison is gba_equal_ct only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_SECRET_H
#define COMMON_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ks = CK || IK (TS 33.220 4.5.2).  Only the BSF and the UE core ever hold one. */
struct gba_ks {
    uint8_t octets[32];
};

/* A 32-octet derived key: Ks_NAF, Ks_ext_NAF, Ks_int_NAF, Ke, Km, Kpsa, Kc. */
struct gba_key {
    uint8_t octets[32];
};

/* Overwrites n octets; not optimised away.  p may be NULL with n == 0. */
void gba_wipe(void *p, size_t n);

/* Constant time in the contents; the lengths are public. */
bool gba_equal_ct(const void *a, const void *b, size_t n);

#endif
