/*
 * 3GPP2 S.S0055-A, AKA.  Each function is one keyed function of a block of 64 octets: the
 * inputs are XORed into a block of octets 5C, K into SHA-1's initial value; SHA-1 compresses
 * the block, without padding, and the result X becomes a.X + b in GF(2^160).  The functions
 * differ in their type identifier, in where the inputs lie, and in how much of the result they
 * keep.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/aka_3gpp2.h"

#include <stddef.h>
#include <string.h>

#include "common/crypto.h"
#include "common/secret.h"

const uint8_t gba_3gpp2_fmk[4] = {'A', 'H', 'A', 'G'};

enum type { F0 = 0x41, F1, F1_STAR, F2, F3, F4, F5, F5_STAR };

/* Where the inputs lie in the block. */
enum place { AT_TYPE = 11, AT_FMK = 12, AT_RAND = 16, AT_SQN = 34, AT_AMF = 42 };
#define AT_RAND_OF_KEYS 24 /* f2, f3, f4 */

static void xor_into(uint8_t block[static 64], size_t at, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        block[at + i] ^= p[i];
}

static void begin(uint8_t block[static 64], enum type type, const uint8_t fmk[static 4])
{
    memset(block, 0x5c, 64);
    block[AT_TYPE] ^= (uint8_t)type;
    xor_into(block, AT_FMK, fmk, 4);
}

/* A counter is there four times. */
static void count(uint8_t block[static 64], const uint8_t *counter, size_t n)
{
    for (size_t at = 0; at < 64; at += 16)
        xor_into(block, at, counter, n);
}

/* x = T.x in GF(2)[T] / T^160 + T^5 + T^3 + T^2 + 1; x[0] has the highest powers. */
static void times_t(uint32_t x[static 5])
{
    const uint32_t carry = x[0] >> 31;

    for (size_t i = 0; i < 4; i++)
        x[i] = (x[i] << 1) | (x[i + 1] >> 31);
    x[4] = (x[4] << 1) ^ (carry * UINT32_C(0x2d));
}

/* x = a.x + b, the same steps whatever x is: it comes from K.  a and b are public. */
static void whiten(uint32_t x[static 5])
{
    static const uint32_t a[5] = {0x9de9c9c8, 0xefd57811, 0x48231401, 0x901f2d49, 0x3f4c6365};
    static const uint32_t b[5] = {0x75efd15c, 0x4b8f8f51, 0x4ef3bcc3, 0x794a765e, 0x7eec45e0};
    uint32_t sum[5] = {0};

    for (size_t power = 160; power-- > 0;) {
        times_t(sum);
        if ((a[4 - power / 32] >> (power % 32)) & 1)
            for (size_t i = 0; i < 5; i++)
                sum[i] ^= x[i];
    }
    for (size_t i = 0; i < 5; i++)
        x[i] = sum[i] ^ b[i];
    gba_wipe(sum, sizeof(sum));
}

/* The first n octets of the keyed function of the block, which is done with: SQN is in it. */
static void keyed(const uint8_t k[static 16], uint8_t block[static 64], uint8_t *out, size_t n)
{
    uint32_t x[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};

    for (size_t i = 0; i < 16; i++)
        x[i / 4] ^= (uint32_t)k[i] << (24 - 8 * (i % 4));
    gba_sha1_compress(x, block);
    whiten(x);
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(x[i / 4] >> (24 - 8 * (i % 4)));
    gba_wipe(x, sizeof(x));
    gba_wipe(block, 64);
}

static void mac(enum type type, const uint8_t k[static 16], const uint8_t fmk[static 4],
                const uint8_t rand[static 16], const uint8_t sqn[static 6],
                const uint8_t amf[static 2], uint8_t out[static 8])
{
    uint8_t block[64];

    begin(block, type, fmk);
    xor_into(block, AT_RAND, rand, 16);
    xor_into(block, AT_SQN, sqn, 6);
    xor_into(block, AT_AMF, amf, 2);
    keyed(k, block, out, 8);
}

void gba_3gpp2_f1(const uint8_t k[static 16], const uint8_t fmk[static 4],
                  const uint8_t rand[static 16], const uint8_t sqn[static 6],
                  const uint8_t amf[static 2], uint8_t mac_a[static 8], uint8_t mac_s[static 8])
{
    mac(F1, k, fmk, rand, sqn, amf, mac_a);
    mac(F1_STAR, k, fmk, rand, sqn, amf, mac_s);
}

/* Two halves of 64 bits, counted. */
static void key(enum type type, const uint8_t k[static 16], const uint8_t fmk[static 4],
                const uint8_t rand[static 16], uint8_t out[static 16])
{
    uint8_t block[64], counter[4] = {0};

    for (; counter[3] < 2; counter[3]++) {
        begin(block, type, fmk);
        xor_into(block, AT_RAND_OF_KEYS, rand, 16);
        count(block, counter, sizeof(counter));
        keyed(k, block, out + 8 * counter[3], 8);
    }
}

static void anonymity_key(enum type type, const uint8_t k[static 16],
                          const uint8_t fmk[static 4], const uint8_t rand[static 16],
                          uint8_t out[static 6])
{
    uint8_t block[64];

    begin(block, type, fmk);
    xor_into(block, AT_RAND, rand, 16);
    keyed(k, block, out, 6);
}

void gba_3gpp2_f2345(const uint8_t k[static 16], const uint8_t fmk[static 4],
                     const uint8_t rand[static 16], struct gba_3gpp2 *out)
{
    key(F2, k, fmk, rand, out->res);
    key(F3, k, fmk, rand, out->ck);
    key(F4, k, fmk, rand, out->ik);
    anonymity_key(F5, k, fmk, rand, out->ak);
    anonymity_key(F5_STAR, k, fmk, rand, out->ak_star);
}

void gba_3gpp2_f0(const uint8_t seed[static 16], const uint8_t fmk[static 4],
                  const uint8_t counter[static 8], uint8_t out[static 8])
{
    uint8_t block[64];

    begin(block, F0, fmk);
    count(block, counter, 8);
    keyed(seed, block, out, 8);
}
