/*
 * common/aka_3gpp2.c: the RAND of S.S0055-A, the functions of its test program's inputs, and
 * that every input counts.  More figures: tests/vectors/3gpp2.json.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>

#include "common/aka_3gpp2.h"
#include "common/crypto.h"
#include "common/secret.h"

#define K    "ad1b5a159be86b2ca66c7ae40bba9b9d"
#define RAND "4b052b20e2a06c8ff700da512b4e111e"

/* One block of SHA-1 by hand: "abc" with its padding. */
static void test_compress(void)
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t block[64] = {'a', 'b', 'c', 0x80};
    static const uint32_t digest[5] = {0xa9993e36, 0x4706816a, 0xba3e2571, 0x7850c26c,
                                       0x9cd0d89d};

    block[63] = 24;
    gba_sha1_compress(state, block);
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(state[i], digest[i]);
}

/* The published figure: K's place, the filling, the counter, type, FMK, a, b, the polynomial.
 */
static void test_f0(void)
{
    const uint8_t *seed = unit_hex("b0abb99d6ac6a74eb98eb6c2dab1a551").p;
    uint8_t counter[8] = {0}, rand[16];

    gba_3gpp2_f0(seed, gba_3gpp2_fmk, counter, rand);
    counter[7] = 1;
    gba_3gpp2_f0(seed, gba_3gpp2_fmk, counter, rand + 8);
    UNIT_BYTES_EQ(rand, 16, RAND);
    counter[0] = 1; /* the counter has 64 bits */
    gba_3gpp2_f0(seed, gba_3gpp2_fmk, counter, rand);
    CU_ASSERT_NOT_EQUAL(memcmp(rand, rand + 8, 8), 0);
}

static void test_f1(void)
{
    uint8_t mac_a[8], mac_s[8];

    gba_3gpp2_f1(unit_hex(K).p, gba_3gpp2_fmk, unit_hex(RAND).p, unit_hex("000000000001").p,
                 unit_hex("0001").p, mac_a, mac_s);
    UNIT_BYTES_EQ(mac_a, 8, "6abdc4da73c61b8d");
    UNIT_BYTES_EQ(mac_s, 8, "b017359d5da881a0");
}

static void test_f2345(void)
{
    struct gba_3gpp2 x;

    gba_3gpp2_f2345(unit_hex(K).p, gba_3gpp2_fmk, unit_hex(RAND).p, &x);
    UNIT_BYTES_EQ(x.res, 16, "d82e282adc13c0f1686566339bf27eb6");
    UNIT_BYTES_EQ(x.ck, 16, "6efdd832f6ffd4dca84a5496fa6e2993");
    UNIT_BYTES_EQ(x.ik, 16, "c1436525fa607f1792fca89fb2a7bc4a");
    UNIT_BYTES_EQ(x.ak, 6, "594cc7c17c06");
    UNIT_BYTES_EQ(x.ak_star, 6, "b2d637365cea");
}

struct input {
    uint8_t k[16], fmk[4], rand[16], sqn[6], amf[2];
};

_Static_assert(sizeof(struct input) == 44, "no padding");

struct output {
    uint8_t mac_a[8], mac_s[8];
    struct gba_3gpp2 x;
};

static struct output outputs_of(const struct input *in)
{
    struct output out;

    gba_3gpp2_f1(in->k, in->fmk, in->rand, in->sqn, in->amf, out.mac_a, out.mac_s);
    gba_3gpp2_f2345(in->k, in->fmk, in->rand, &out.x);
    return out;
}

static bool keys_differ(const struct gba_3gpp2 *a, const struct gba_3gpp2 *b)
{
    return !gba_equal_ct(a->res, b->res, 8) && !gba_equal_ct(a->res + 8, b->res + 8, 8) &&
           !gba_equal_ct(a->ck, b->ck, 8) && !gba_equal_ct(a->ck + 8, b->ck + 8, 8) &&
           !gba_equal_ct(a->ik, b->ik, 8) && !gba_equal_ct(a->ik + 8, b->ik + 8, 8) &&
           !gba_equal_ct(a->ak, b->ak, 6) && !gba_equal_ct(a->ak_star, b->ak_star, 6);
}

/* One bit of K, FMK or RAND changes every output; one of SQN or AMF the MACs, and only these.
 */
static void test_every_bit_counts(void)
{
    struct input in = {.fmk = {'A', 'H', 'A', 'G'}};
    const struct output before = outputs_of(&in);
    uint8_t *octets = (uint8_t *)&in;

    for (size_t bit = 0; bit < 8 * sizeof(in); bit++) {
        struct output after;

        octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
        after = outputs_of(&in);
        octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT(!gba_equal_ct(before.mac_a, after.mac_a, 8));
        CU_ASSERT(!gba_equal_ct(before.mac_s, after.mac_s, 8));
        if (bit / 8 < offsetof(struct input, sqn))
            CU_ASSERT(keys_differ(&before.x, &after.x))
        else
            CU_ASSERT_EQUAL(memcmp(&before.x, &after.x, sizeof(after.x)), 0);
    }
}

static const struct unit_test tests[] = {
    {"one block of SHA-1", test_compress},
    {"f0: the published RAND", test_f0},
    {"f1 and f1*", test_f1},
    {"f2 to f5*", test_f2345},
    {"every bit of the inputs counts", test_every_bit_counts},
};
UNIT_MAIN("aka_3gpp2", tests)
