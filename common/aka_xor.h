/*
 * The test algorithm of TS 34.108 8.1.2 ("XOR"), for test USIMs and labs.  It protects nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_AKA_XOR_H
#define COMMON_AKA_XOR_H

#include <stdint.h>

/* XMAC or XMAC-S: the same function (8.1.2.1, 8.1.2.2). */
void gba_xor_f1(const uint8_t k[static 16], const uint8_t rand[static 16],
                const uint8_t sqn[static 6], const uint8_t amf[static 2],
                uint8_t mac[static 8]);

/* RES is the first octets of out.res, as many as the test USIM is set to (4-16); AK* = AK. */
struct gba_xor {
    uint8_t res[16], ck[16], ik[16], ak[6];
};
void gba_xor_f2345(const uint8_t k[static 16], const uint8_t rand[static 16],
                   struct gba_xor *out);

#endif
