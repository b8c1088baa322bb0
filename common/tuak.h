/*
 * TUAK, TS 35.231: f1-f5* over Keccak-f[1600], with every key and output size of the
 * standard.  Primitives only; AUTN and AUTS (which fix MAC, CK and IK) are common/aka.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_TUAK_H
#define COMMON_TUAK_H

#include "common/bytes.h"

#define GBA_TUAK_MAX_ITERATIONS 255

/* What one call is run with.  k: 16 or 32 octets.  topc: 32 octets.  iterations: Keccak
 * permutations, 1-255. */
struct gba_tuak {
    struct gba_bytes k;
    const uint8_t *topc;
    unsigned iterations;
};

/* Octets of the outputs: mac 8, 16, 32; res 4, 8, 16, 32; ck and ik 16, 32. */
struct gba_tuak_sizes {
    size_t mac, res, ck, ik;
};
bool gba_tuak_sizes_ok(const struct gba_tuak_sizes *z);

/* RES (f2), CK (f3), IK (f4), AK (f5), AK* (f5*).  Wiped by the caller. */
struct gba_tuak_out {
    uint8_t res[32], ck[32], ik[32], ak[6], ak_star[6];
};

/* All below: GBA_E_ARGUMENT for a size or a number of iterations that TUAK does not have. */

/* TS 35.231 6.1: TOPc from TOP. */
enum gba_err gba_tuak_topc(struct gba_bytes k, const uint8_t top[static 32],
                           unsigned iterations, uint8_t topc[static 32]);

/* TS 35.231 6.2, 6.3: MAC-A (f1) and MAC-S (f1*), z->mac octets each. */
enum gba_err gba_tuak_f1(const struct gba_tuak *t, const struct gba_tuak_sizes *z,
                         const uint8_t rand[static 16], const uint8_t sqn[static 6],
                         const uint8_t amf[static 2], uint8_t mac_a[static 32],
                         uint8_t mac_s[static 32]);

/* TS 35.231 6.4, 6.5. */
enum gba_err gba_tuak_f2345(const struct gba_tuak *t, const struct gba_tuak_sizes *z,
                            const uint8_t rand[static 16], struct gba_tuak_out *out);

#endif
