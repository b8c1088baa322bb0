/*
 * common/aka.c: AUTN and AUTS over every algorithm, their refusals, and the sizes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>

#include "common/aka.h"
#include "common/secret.h"

static struct gba_aka_secret secret(enum gba_aka_algorithm a, const char *k, const char *opc,
                                    size_t res_len)
{
    struct gba_aka_secret s = {.algorithm = a, .res_len = res_len};
    struct gba_bytes key = unit_hex(k), o = unit_hex(opc);

    memcpy(s.k, key.p, key.n);
    s.k_len = key.n;
    memcpy(s.opc, o.p, o.n);
    return s;
}

static struct gba_aka_secret milenage(void)
{
    return secret(GBA_AKA_MILENAGE, "465b5ce8b199b49faa5f0a2ee238a6bc",
                  "cd63cb71954a9f4e48a5994e37a02baf", 8);
}

static struct gba_aka_secret tuak(void)
{
    return secret(GBA_AKA_TUAK, "abababababababababababababababab",
                  "bd04d9530e87513c5d837ac2ad954623a8e2330c115305a73eb45d1f40cccbff", 4);
}

static struct gba_aka_secret test_usim(void)
{
    return secret(GBA_AKA_XOR, "000102030405060708090a0b0c0d0e0f", "", 16);
}

static struct gba_aka_secret a3gpp2(void)
{
    return secret(GBA_AKA_3GPP2, "ad1b5a159be86b2ca66c7ae40bba9b9d", "", 16);
}

#define RAND "23553cbe9637a89d218ae64dae47bf35"
#define SQN  "ff9bb4d0b607"

static void test_milenage_tokens(void)
{
    const struct gba_aka_secret s = milenage();
    uint8_t auts[14];
    struct gba_av av;

    CU_ASSERT_EQUAL(
        gba_aka_vector(&s, unit_hex(RAND).p, unit_hex(SQN).p, unit_hex("b9b9").p, &av), GBA_OK);
    UNIT_BYTES_EQ(av.rand, 16, RAND);
    UNIT_BYTES_EQ(av.autn, 16, "55f328b43577b9b94a9ffac354dfafb3");
    UNIT_BYTES_EQ(av.res, av.res_len, "a54211d5e3ba50bf");
    CU_ASSERT_EQUAL(gba_aka_make_auts(&s, unit_hex(RAND).p, unit_hex(SQN).p, auts), GBA_OK);
    UNIT_BYTES_EQ(auts, 14, "ba853f3c123ccf44e93596e355c6");
}

static void test_tuak_tokens(void)
{
    const struct gba_aka_secret s = tuak();
    uint8_t rand[16], sqn[6], auts[14];
    struct gba_av av;

    memset(rand, 0x42, sizeof(rand));
    memset(sqn, 0x11, sizeof(sqn));
    CU_ASSERT_EQUAL(gba_aka_vector(&s, rand, sqn, unit_hex("ffff").p, &av), GBA_OK);
    UNIT_BYTES_EQ(av.autn, 16, "608e0f8a8145fffff9a54e6aeaa8618d");
    UNIT_BYTES_EQ(av.res, av.res_len, "657acd64");
    CU_ASSERT_EQUAL(gba_aka_make_auts(&s, rand, sqn, auts), GBA_OK);
    UNIT_BYTES_EQ(auts, 14, "f6be7a2c1f29a31fbcf6547c4682");
}

static void test_xor_tokens(void)
{
    struct gba_aka_secret s = test_usim();
    struct gba_bytes rand = unit_hex("b5039c57e4a75051551d1a390a71ce48");
    const uint8_t zero[6] = {0};
    struct gba_av av;

    CU_ASSERT_EQUAL(gba_aka_vector(&s, rand.p, zero, zero, &av), GBA_OK);
    UNIT_BYTES_EQ(av.autn, 16, "54e0a256565d0000b5029e54e0a25656");
    UNIT_BYTES_EQ(av.res, av.res_len, "b5029e54e0a256565d141032067cc047");
    UNIT_BYTES_EQ(av.ck, 16, "029e54e0a256565d141032067cc047b5");
    UNIT_BYTES_EQ(av.ik, 16, "9e54e0a256565d141032067cc047b502");
    s.res_len = 4;
    CU_ASSERT_EQUAL(gba_aka_vector(&s, rand.p, zero, zero, &av), GBA_OK);
    UNIT_BYTES_EQ(av.res, av.res_len, "b5029e54");
}

static void test_3gpp2_tokens(void)
{
    struct gba_aka_secret s = a3gpp2();
    const uint8_t *rand = unit_hex("4b052b20e2a06c8ff700da512b4e111e").p;
    const uint8_t *sqn = unit_hex("000000000001").p, *amf = unit_hex("0001").p;
    uint8_t auts[14];
    struct gba_av av;

    CU_ASSERT_EQUAL(gba_aka_vector(&s, rand, sqn, amf, &av), GBA_OK);
    UNIT_BYTES_EQ(av.autn, 16, "594cc7c17c0700016abdc4da73c61b8d");
    UNIT_BYTES_EQ(av.res, av.res_len, "d82e282adc13c0f1686566339bf27eb6");
    UNIT_BYTES_EQ(av.ck, 16, "6efdd832f6ffd4dca84a5496fa6e2993");
    UNIT_BYTES_EQ(av.ik, 16, "c1436525fa607f1792fca89fb2a7bc4a");
    CU_ASSERT_EQUAL(gba_aka_make_auts(&s, rand, sqn, auts), GBA_OK);
    UNIT_BYTES_EQ(auts, 6, "b2d637365ceb");
    s.res_len = 5;
    CU_ASSERT_EQUAL(gba_aka_vector(&s, rand, sqn, amf, &av), GBA_OK);
    UNIT_BYTES_EQ(av.res, av.res_len, "d82e282adc");
}

/* FMK is part of the secret: AHAG unless it is given, and another one is another card. */
static void test_fmk(void)
{
    struct gba_aka_secret s = a3gpp2(), other = a3gpp2();
    uint8_t sqn[6], amf[2];
    struct gba_av av, got;

    CU_ASSERT_EQUAL(
        gba_aka_vector(&s, unit_hex(RAND).p, unit_hex(SQN).p, unit_hex("0000").p, &av), GBA_OK);
    other.own_fmk = true;
    CU_ASSERT_EQUAL(gba_aka_open_autn(&other, av.rand, av.autn, sqn, amf, &got), GBA_E_MAC);
    memcpy(other.fmk, "AHAG", 4);
    CU_ASSERT_EQUAL(gba_aka_open_autn(&other, av.rand, av.autn, sqn, amf, &got), GBA_OK);
    CU_ASSERT_EQUAL(memcmp(&got, &av, sizeof(av)), 0);
}

/* What the AuC makes the USIM opens, and the other way round; one flipped bit anywhere fails.
 */
static void round_trip(const struct gba_aka_secret *s)
{
    const uint8_t *rand = unit_hex(RAND).p;
    uint8_t sqn[6], amf[2], auts[14];
    struct gba_av av, got;

    CU_ASSERT_EQUAL(gba_aka_vector(s, rand, unit_hex(SQN).p, unit_hex("8000").p, &av), GBA_OK);
    CU_ASSERT_EQUAL(gba_aka_open_autn(s, rand, av.autn, sqn, amf, &got), GBA_OK);
    UNIT_BYTES_EQ(sqn, 6, SQN);
    UNIT_BYTES_EQ(amf, 2, "8000");
    CU_ASSERT_EQUAL(got.res_len, s->res_len);
    CU_ASSERT(gba_equal_ct(got.res, av.res, av.res_len));
    CU_ASSERT(gba_equal_ct(got.ck, av.ck, 16));
    CU_ASSERT(gba_equal_ct(got.ik, av.ik, 16));
    CU_ASSERT_EQUAL(memcmp(got.autn, av.autn, 16), 0);
    for (size_t bit = 0; bit < 128; bit++) {
        av.autn[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_EQUAL(gba_aka_open_autn(s, rand, av.autn, sqn, amf, &got), GBA_E_MAC);
        av.autn[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CU_ASSERT_EQUAL(gba_aka_make_auts(s, rand, unit_hex("000000000020").p, auts), GBA_OK);
    CU_ASSERT_EQUAL(gba_aka_open_auts(s, rand, auts, sqn), GBA_OK);
    UNIT_BYTES_EQ(sqn, 6, "000000000020");
    for (size_t bit = 0; bit < 112; bit++) {
        auts[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_EQUAL(gba_aka_open_auts(s, rand, auts, sqn), GBA_E_AUTS);
        auts[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    UNIT_BYTES_EQ(sqn, 6, "000000000020"); /* a refused AUTS gives nothing out */
}

static void test_round_trips(void)
{
    struct gba_aka_secret s = milenage();

    round_trip(&s);
    s = tuak();
    for (size_t i = 0; i < 3; i++) {
        s.res_len = (size_t[]){4, 8, 16}[i];
        round_trip(&s);
    }
    s.k_len = 32;
    s.iterations = 3;
    round_trip(&s);
    s = test_usim();
    for (s.res_len = 4; s.res_len <= 16; s.res_len++)
        round_trip(&s);
    s = a3gpp2();
    for (s.res_len = 4; s.res_len <= 16; s.res_len++)
        round_trip(&s);
    s.res_len = 16;
    s.own_fmk = true;
    memcpy(s.fmk, "Open", 4);
    round_trip(&s);
}

/* An AUTS of one RAND is worthless for another. */
static void test_auts_is_bound_to_rand(void)
{
    const struct gba_aka_secret s = milenage();
    uint8_t auts[14], sqn[6];

    CU_ASSERT_EQUAL(gba_aka_make_auts(&s, unit_hex(RAND).p, unit_hex(SQN).p, auts), GBA_OK);
    CU_ASSERT_EQUAL(
        gba_aka_open_auts(&s, unit_hex("00000000000000000000000000000000").p, auts, sqn),
        GBA_E_AUTS);
}

static void test_sizes(void)
{
    static const struct {
        enum gba_aka_algorithm a;
        size_t k_len, res_len;
        unsigned iterations;
        enum gba_err err;
    } rows[] = {
        {GBA_AKA_MILENAGE, 16, 8, 0, GBA_OK},
        {GBA_AKA_MILENAGE, 16, 4, 0, GBA_E_ARGUMENT},
        {GBA_AKA_MILENAGE, 16, 16, 0, GBA_E_ARGUMENT},
        {GBA_AKA_MILENAGE, 32, 8, 0, GBA_E_ARGUMENT},
        {GBA_AKA_MILENAGE, 0, 8, 0, GBA_E_ARGUMENT},
        {GBA_AKA_TUAK, 16, 4, 1, GBA_OK},
        {GBA_AKA_TUAK, 32, 8, 0, GBA_OK},
        {GBA_AKA_TUAK, 32, 16, 255, GBA_OK},
        {GBA_AKA_TUAK, 32, 16, 256, GBA_E_ARGUMENT},
        {GBA_AKA_TUAK, 24, 8, 1, GBA_E_ARGUMENT},
        {GBA_AKA_TUAK, 16, 5, 1, GBA_E_ARGUMENT},
        {GBA_AKA_TUAK, 16, 32, 1, GBA_E_ARGUMENT},
        {GBA_AKA_XOR, 16, 3, 0, GBA_E_ARGUMENT},
        {GBA_AKA_XOR, 16, 17, 0, GBA_E_ARGUMENT},
        {GBA_AKA_XOR, 16, SIZE_MAX, 0, GBA_E_ARGUMENT},
        {GBA_AKA_3GPP2, 16, 4, 0, GBA_OK},
        {GBA_AKA_3GPP2, 16, 16, 0, GBA_OK},
        {GBA_AKA_3GPP2, 16, 3, 0, GBA_E_ARGUMENT},
        {GBA_AKA_3GPP2, 16, 17, 0, GBA_E_ARGUMENT},
        {GBA_AKA_3GPP2, 32, 16, 0, GBA_E_ARGUMENT},
        {GBA_AKA_N_ALGORITHMS, 16, 8, 0, GBA_E_ARGUMENT},
    };
    struct gba_av av;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct gba_aka_secret s = {.algorithm = rows[i].a,
                                         .k_len = rows[i].k_len,
                                         .res_len = rows[i].res_len,
                                         .iterations = rows[i].iterations};

        CU_ASSERT_EQUAL(gba_aka_check_secret(&s), rows[i].err);
        CU_ASSERT_EQUAL(
            gba_aka_vector(&s, unit_hex(RAND).p, unit_hex(SQN).p, unit_hex("0000").p, &av),
            rows[i].err);
    }
}

static void test_opc(void)
{
    struct gba_aka_secret s = milenage();

    memset(s.opc, 0, sizeof(s.opc));
    CU_ASSERT_EQUAL(gba_aka_derive_opc(&s, unit_hex("cdc202d5123e20f62b6d676ac72cb318")),
                    GBA_OK);
    UNIT_BYTES_EQ(s.opc, 16, "cd63cb71954a9f4e48a5994e37a02baf");
    CU_ASSERT_EQUAL(gba_aka_derive_opc(&s, unit_hex("cdc2")), GBA_E_ARGUMENT);
    s = tuak();
    CU_ASSERT_EQUAL(gba_aka_derive_opc(&s, unit_hex("555555555555555555555555555555555555555555"
                                                    "5555555555555555555555")),
                    GBA_OK);
    UNIT_BYTES_EQ(s.opc, 32,
                  "bd04d9530e87513c5d837ac2ad954623a8e2330c115305a73eb45d1f40cccbff");
    s = test_usim();
    CU_ASSERT_EQUAL(gba_aka_derive_opc(&s, unit_hex("")), GBA_E_ARGUMENT);
    s = a3gpp2();
    CU_ASSERT_EQUAL(gba_aka_derive_opc(&s, unit_hex("41484147")), GBA_E_ARGUMENT);
}

static void test_names(void)
{
    enum gba_aka_algorithm a;

    for (int i = 0; i < GBA_AKA_N_ALGORITHMS; i++) {
        const char *name = gba_aka_name((enum gba_aka_algorithm)i);

        CU_ASSERT_EQUAL(gba_aka_by_name(gba_text(name), &a), GBA_OK);
        CU_ASSERT_EQUAL((int)a, i);
    }
    CU_ASSERT_EQUAL(gba_aka_by_name(GBA_TEXT("TUAK"), &a), GBA_OK);
    CU_ASSERT_EQUAL(gba_aka_by_name(GBA_TEXT("comp128"), &a), GBA_E_UNSUPPORTED);
}

static const struct unit_test tests[] = {
    {"Milenage: AUTN, AUTS", test_milenage_tokens},
    {"TUAK: AUTN, AUTS", test_tuak_tokens},
    {"test algorithm: AUTN, RES sizes", test_xor_tokens},
    {"3GPP2: AUTN, AUTS, RES sizes", test_3gpp2_tokens},
    {"3GPP2: FMK", test_fmk},
    {"AuC and USIM agree, one flipped bit is refused", test_round_trips},
    {"AUTS is bound to RAND", test_auts_is_bound_to_rand},
    {"sizes", test_sizes},
    {"OPc and TOPc", test_opc},
    {"names", test_names},
};
UNIT_MAIN("aka", tests)
