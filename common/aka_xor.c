/*
 * The test algorithm of TS 34.108 8.1.2.1: everything is K xor RAND, rotated or cut.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/aka_xor.h"

#include <string.h>

#include "common/secret.h"

/* XDOUT = K xor RAND. */
static void xdout(const uint8_t k[static 16], const uint8_t rand[static 16],
                  uint8_t out[static 16])
{
    for (int i = 0; i < 16; i++)
        out[i] = k[i] ^ rand[i];
}

void gba_xor_f1(const uint8_t k[static 16], const uint8_t rand[static 16],
                const uint8_t sqn[static 6], const uint8_t amf[static 2], uint8_t mac[static 8])
{
    uint8_t x[16];

    xdout(k, rand, x);
    for (int i = 0; i < 6; i++)
        mac[i] = x[i] ^ sqn[i];
    mac[6] = x[6] ^ amf[0];
    mac[7] = x[7] ^ amf[1];
    gba_wipe(x, sizeof(x));
}

void gba_xor_f2345(const uint8_t k[static 16], const uint8_t rand[static 16],
                   struct gba_xor *out)
{
    uint8_t x[16];

    xdout(k, rand, x);
    memcpy(out->res, x, 16);
    for (int i = 0; i < 16; i++) {
        out->ck[i] = x[(i + 1) % 16];
        out->ik[i] = x[(i + 2) % 16];
    }
    memcpy(out->ak, x + 3, 6);
    gba_wipe(x, sizeof(x));
}
