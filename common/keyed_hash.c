/*
 * SipHash-2-4: a short-input hash under a secret key, so that nobody outside can make the
 * chains of a hash table long.  Not a MAC of anything on the wire.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/keyed_hash.h"

static uint64_t rotl(uint64_t x, unsigned b)
{
    return x << b | x >> (64 - b);
}

static uint64_t load_le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static void rounds(uint64_t v[static 4], unsigned n)
{
    while (n-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotl(v[1], 13) ^ v[0];
        v[3] = rotl(v[3], 16) ^ v[2];
        v[0] = rotl(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotl(v[1], 17) ^ v[2];
        v[3] = rotl(v[3], 21) ^ v[0];
        v[2] = rotl(v[2], 32);
    }
}

uint64_t keyed_hash(const uint8_t key[static 16], struct gba_bytes data)
{
    uint64_t k0 = load_le(key, 8), k1 = load_le(key + 8, 8), last;
    uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                     k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
    size_t whole = data.n / 8 * 8;

    for (size_t i = 0; i < whole; i += 8) {
        uint64_t m = load_le(data.p + i, 8);

        v[3] ^= m;
        rounds(v, 2);
        v[0] ^= m;
    }
    last = (uint64_t)data.n << 56;
    if (data.n > whole)
        last |= load_le(data.p + whole, data.n - whole);
    v[3] ^= last;
    rounds(v, 2);
    v[0] ^= last;
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
