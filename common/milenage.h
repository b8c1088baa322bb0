/*
 * Milenage, TS 35.206: f1-f5* over AES-128, and the GSM figures of TS 55.205 made from them.
 * Primitives only; AUTN and AUTS are common/aka.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_MILENAGE_H
#define COMMON_MILENAGE_H

#include <stdint.h>

/* TS 35.206 4.1: OPc = E_K(OP) xor OP. */
void gba_milenage_opc(const uint8_t k[static 16], const uint8_t op[static 16],
                      uint8_t opc[static 16]);

/* MAC-A (f1) and MAC-S (f1*). */
void gba_milenage_f1(const uint8_t k[static 16], const uint8_t opc[static 16],
                     const uint8_t rand[static 16], const uint8_t sqn[static 6],
                     const uint8_t amf[static 2], uint8_t mac_a[static 8],
                     uint8_t mac_s[static 8]);

/* RES (f2), CK (f3), IK (f4), AK (f5), AK* (f5*).  Wiped by the caller. */
struct gba_milenage {
    uint8_t res[8], ck[16], ik[16], ak[6], ak_star[6];
};
void gba_milenage_f2345(const uint8_t k[static 16], const uint8_t opc[static 16],
                        const uint8_t rand[static 16], struct gba_milenage *out);

/* TS 55.205 4: Kc = CK1 xor CK2 xor IK1 xor IK2; SRES by its two alternatives: #1 folds RES,
 * #2 takes its first half. */
void gba_milenage_gsm(const struct gba_milenage *m, uint8_t sres1[static 4],
                      uint8_t sres2[static 4], uint8_t kc[static 8]);

#endif
