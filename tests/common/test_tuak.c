/*
 * common/tuak.c: sizes of TS 35.231 one by one on TS 35.233 sets 1, 2 and 3, iterations, and
 * what is refused.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>

#include "common/crypto.h"
#include "common/tuak.h"

#define K128  "abababababababababababababababab"
#define K256  "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"
#define TOPC1 "bd04d9530e87513c5d837ac2ad954623a8e2330c115305a73eb45d1f40cccbff"
#define TOPC2 "305425427e18c503c8a4b294ea72c95d0c36c6c6b29d0c65de5974d5977f8524"
#define RAND2 "0123456789abcdef0123456789abcdef"

static void test_topc(void)
{
    uint8_t topc[32], top[32];

    memset(top, 0x55, sizeof(top));
    CU_ASSERT_EQUAL(gba_tuak_topc(unit_hex(K128), top, 1, topc), GBA_OK);
    UNIT_BYTES_EQ(topc, 32, TOPC1);
    for (size_t i = 0; i < 32; i++)
        top[i] = (uint8_t)(0x80 + i);
    CU_ASSERT_EQUAL(gba_tuak_topc(unit_hex(K256), top, 1, topc), GBA_OK);
    UNIT_BYTES_EQ(topc, 32, TOPC2);
}

static void test_set_1(void)
{
    const struct gba_tuak t = {unit_hex(K128), unit_hex(TOPC1).p, 1};
    const struct gba_tuak_sizes z = {8, 4, 16, 16};
    uint8_t rand[16], sqn[6], a[32], s[32];
    struct gba_tuak_out o;

    memset(rand, 0x42, sizeof(rand));
    memset(sqn, 0x11, sizeof(sqn));
    CU_ASSERT_EQUAL(gba_tuak_f1(&t, &z, rand, sqn, unit_hex("ffff").p, a, s), GBA_OK);
    UNIT_BYTES_EQ(a, 8, "f9a54e6aeaa8618d");
    UNIT_BYTES_EQ(s, 8, "e94b4dc6c7297df3");
    CU_ASSERT_EQUAL(gba_tuak_f2345(&t, &z, rand, &o), GBA_OK);
    UNIT_BYTES_EQ(o.res, 4, "657acd64");
    UNIT_BYTES_EQ(o.ck, 16, "d71a1e5c6caffe986a26f783e5c78be1");
    UNIT_BYTES_EQ(o.ik, 16, "be849fa2564f869aecee6f62d4337e72");
    UNIT_BYTES_EQ(o.ak, 6, "719f1e9b9054");
    UNIT_BYTES_EQ(o.ak_star, 6, "e7af6b3d0e38");
}

static void test_sizes(void)
{
    static const struct {
        struct gba_tuak_sizes z;
        const char *mac, *res, *ik;
    } rows[] = {
        {{16, 8, 16, 16},
         "c0b8c2d4148ec7aa5f1d78a97e4d1d58",
         "e9d749dc4eea0035",
         "2274155ccf4199d5e2abcbf621907f90"},
        {{32, 8, 16, 32},
         "d97b75a1776065271b1e212bc3b1bf173f438b21e6c64a55a96c372e085e5cc5",
         "07021c73e7635c7d",
         "126d47500136fdc5ddfd14f19ebf16749ce4b6435323fbb5715a3a796a6082bd"},
    };
    const struct gba_tuak t = {unit_hex(K256), unit_hex(TOPC2).p, 1};
    uint8_t a[32], s[32];
    struct gba_tuak_out o;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct gba_tuak_sizes *z = &rows[i].z;

        CU_ASSERT_EQUAL(gba_tuak_f1(&t, z, unit_hex(RAND2).p, unit_hex("0123456789ab").p,
                                    unit_hex("abcd").p, a, s),
                        GBA_OK);
        UNIT_BYTES_EQ(a, z->mac, rows[i].mac);
        CU_ASSERT_EQUAL(gba_tuak_f2345(&t, z, unit_hex(RAND2).p, &o), GBA_OK);
        UNIT_BYTES_EQ(o.res, z->res, rows[i].res);
        UNIT_BYTES_EQ(o.ik, z->ik, rows[i].ik);
    }
}

/* TOPc with two iterations is the permutation of what one iteration leaves. */
static void test_iterations(void)
{
    uint8_t state[200] = {0}, top[32], want[32], got[32];
    struct gba_bytes k = unit_hex(K128);

    memset(top, 0x55, sizeof(top));
    memset(state, 0x55, 32);
    memcpy(state + 33, "TUAK1.0", 7);
    for (size_t i = 0; i < 7; i++)
        state[33 + i] = (uint8_t) "TUAK1.0"[6 - i];
    memcpy(state + 64, k.p, 16);
    state[96] = 0x1f;
    state[135] = 0x80;
    gba_keccak_f1600(state);
    gba_keccak_f1600(state);
    for (size_t i = 0; i < 32; i++)
        want[i] = state[31 - i];
    CU_ASSERT_EQUAL(gba_tuak_topc(k, top, 2, got), GBA_OK);
    CU_ASSERT_EQUAL(memcmp(want, got, 32), 0);
}

static void test_refused(void)
{
    static const struct gba_tuak_sizes bad[] = {
        {4, 8, 16, 16},  {0, 8, 16, 16}, {8, 5, 16, 16},
        {8, 64, 16, 16}, {8, 8, 8, 16},  {8, 8, 16, 0},
    };
    const uint8_t topc[32] = {0}, rand[16] = {0}, sqn[6] = {0}, amf[2] = {0};
    struct gba_tuak t = {unit_hex(K128), topc, 1};
    const struct gba_tuak_sizes good = {8, 8, 16, 16};
    struct gba_tuak_out o;
    uint8_t a[32], s[32];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CU_ASSERT_EQUAL(gba_tuak_f1(&t, &bad[i], rand, sqn, amf, a, s), GBA_E_ARGUMENT);
        CU_ASSERT_EQUAL(gba_tuak_f2345(&t, &bad[i], rand, &o), GBA_E_ARGUMENT);
    }
    t.iterations = 0;
    CU_ASSERT_EQUAL(gba_tuak_f2345(&t, &good, rand, &o), GBA_E_ARGUMENT);
    t.iterations = 256;
    CU_ASSERT_EQUAL(gba_tuak_f1(&t, &good, rand, sqn, amf, a, s), GBA_E_ARGUMENT);
    CU_ASSERT_EQUAL(gba_tuak_topc(unit_hex("abab"), topc, 1, a), GBA_E_ARGUMENT);
}

static const struct unit_test tests[] = {
    {"TOPc from TOP", test_topc},
    {"set 1: K 128, RES 32", test_set_1},
    {"MAC 128 and 256, IK 256", test_sizes},
    {"iterations", test_iterations},
    {"sizes that TUAK does not have", test_refused},
};
UNIT_MAIN("tuak", tests)
