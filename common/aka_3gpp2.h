/*
 * The SHA-1-based AKA functions of 3GPP2 S.S0055-A (TR45.AHAG): f1-f5*, and f0.  K has 128 bits
 * and FMK, the family key, 32; RES may be cut to 4-16 octets.  Primitives only; AUTN and AUTS
 * are common/aka.h.  f11 (the key of UMAC) is not part of AKA and not here.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_AKA_3GPP2_H
#define COMMON_AKA_3GPP2_H

#include <stdint.h>

/* The family key that S.S0055-A proposes: "AHAG". */
extern const uint8_t gba_3gpp2_fmk[4];

/* MAC-A (f1) and MAC-S (f1*). */
void gba_3gpp2_f1(const uint8_t k[static 16], const uint8_t fmk[static 4],
                  const uint8_t rand[static 16], const uint8_t sqn[static 6],
                  const uint8_t amf[static 2], uint8_t mac_a[static 8],
                  uint8_t mac_s[static 8]);

/* RES (f2), CK (f3), IK (f4), AK (f5), AK* (f5*).  Wiped by the caller. */
struct gba_3gpp2 {
    uint8_t res[16], ck[16], ik[16], ak[6], ak_star[6];
};
void gba_3gpp2_f2345(const uint8_t k[static 16], const uint8_t fmk[static 4],
                     const uint8_t rand[static 16], struct gba_3gpp2 *out);

/* f0: 64 bits of RAND from a seed and a counter.  An AuC of ours takes RAND from the system;
 * this is here because its figures are published and pin down what all the functions share. */
void gba_3gpp2_f0(const uint8_t seed[static 16], const uint8_t fmk[static 4],
                  const uint8_t counter[static 8], uint8_t out[static 8]);

#endif
