/*
 * Milenage, TS 35.206 4.1, with the constants c1-c5 and r1-r5 of the standard's own choice, and
 * TS 55.205.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/milenage.h"

#include <string.h>

#include "common/crypto.h"
#include "common/secret.h"

static void xor16(uint8_t out[static 16], const uint8_t a[static 16],
                  const uint8_t b[static 16])
{
    for (size_t i = 0; i < 16; i++)
        out[i] = a[i] ^ b[i];
}

void gba_milenage_opc(const uint8_t k[static 16], const uint8_t op[static 16],
                      uint8_t opc[static 16])
{
    uint8_t e[16];

    gba_aes128(k, op, e);
    xor16(opc, e, op);
    gba_wipe(e, sizeof(e));
}

/* TEMP = E_K(RAND xor OPc). */
static void temp_of(const struct gba_aes128_key *key, const uint8_t opc[static 16],
                    const uint8_t rand[static 16], uint8_t temp[static 16])
{
    uint8_t in[16];

    xor16(in, rand, opc);
    gba_aes128_block(key, in, temp);
    gba_wipe(in, sizeof(in));
}

/* OUT = E_K(rot(a xor OPc, r) xor b xor c) xor OPc; r in octets, c is the last octet; b may be
 * NULL. */
static void out_of(const struct gba_aes128_key *key, const uint8_t opc[static 16],
                   const uint8_t a[static 16], size_t r, const uint8_t *b, uint8_t c,
                   uint8_t out[static 16])
{
    uint8_t in[16];

    for (size_t i = 0; i < 16; i++)
        in[i] = a[(i + r) % 16] ^ opc[(i + r) % 16];
    if (b != NULL)
        xor16(in, in, b);
    in[15] ^= c;
    gba_aes128_block(key, in, out);
    xor16(out, out, opc);
    gba_wipe(in, sizeof(in));
}

void gba_milenage_f1(const uint8_t k[static 16], const uint8_t opc[static 16],
                     const uint8_t rand[static 16], const uint8_t sqn[static 6],
                     const uint8_t amf[static 2], uint8_t mac_a[static 8],
                     uint8_t mac_s[static 8])
{
    struct gba_aes128_key key;
    uint8_t temp[16], in1[16], out1[16];

    memcpy(in1, sqn, 6);
    memcpy(in1 + 6, amf, 2);
    memcpy(in1 + 8, in1, 8);
    gba_aes128_set(&key, k);
    temp_of(&key, opc, rand, temp);
    out_of(&key, opc, in1, 8, temp, 0x00, out1);
    memcpy(mac_a, out1, 8);
    memcpy(mac_s, out1 + 8, 8);
    gba_wipe(&key, sizeof(key));
    gba_wipe(temp, sizeof(temp));
    gba_wipe(in1, sizeof(in1));
    gba_wipe(out1, sizeof(out1));
}

void gba_milenage_f2345(const uint8_t k[static 16], const uint8_t opc[static 16],
                        const uint8_t rand[static 16], struct gba_milenage *out)
{
    struct gba_aes128_key key;
    uint8_t temp[16], block[16];

    gba_aes128_set(&key, k);
    temp_of(&key, opc, rand, temp);
    out_of(&key, opc, temp, 0, NULL, 0x01, block);
    memcpy(out->ak, block, 6);
    memcpy(out->res, block + 8, 8);
    out_of(&key, opc, temp, 4, NULL, 0x02, out->ck);
    out_of(&key, opc, temp, 8, NULL, 0x04, out->ik);
    out_of(&key, opc, temp, 12, NULL, 0x08, block);
    memcpy(out->ak_star, block, 6);
    gba_wipe(&key, sizeof(key));
    gba_wipe(temp, sizeof(temp));
    gba_wipe(block, sizeof(block));
}

void gba_milenage_gsm(const struct gba_milenage *m, uint8_t sres1[static 4],
                      uint8_t sres2[static 4], uint8_t kc[static 8])
{
    for (size_t i = 0; i < 4; i++) {
        sres1[i] = m->res[i] ^ m->res[i + 4];
        sres2[i] = m->res[i];
    }
    for (size_t i = 0; i < 8; i++)
        kc[i] = m->ck[i] ^ m->ck[i + 8] ^ m->ik[i] ^ m->ik[i + 8];
}
