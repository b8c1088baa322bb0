/*
 * common/milenage.c: TS 35.207/35.208 set 1 and 2, TS 55.205 set 1.  The other published sets
 * run in tests/test_vectors.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include "common/milenage.h"

#define K    "465b5ce8b199b49faa5f0a2ee238a6bc"
#define OPC  "cd63cb71954a9f4e48a5994e37a02baf"
#define RAND "23553cbe9637a89d218ae64dae47bf35"

static void test_opc(void)
{
    uint8_t opc[16];

    gba_milenage_opc(unit_hex(K).p, unit_hex("cdc202d5123e20f62b6d676ac72cb318").p, opc);
    UNIT_BYTES_EQ(opc, 16, OPC);
}

static void test_f1(void)
{
    uint8_t mac_a[8], mac_s[8];

    gba_milenage_f1(unit_hex(K).p, unit_hex(OPC).p, unit_hex(RAND).p,
                    unit_hex("ff9bb4d0b607").p, unit_hex("b9b9").p, mac_a, mac_s);
    UNIT_BYTES_EQ(mac_a, 8, "4a9ffac354dfafb3");
    UNIT_BYTES_EQ(mac_s, 8, "01cfaf9ec4e871e9");
}

static void test_f2345(void)
{
    struct gba_milenage m;

    gba_milenage_f2345(unit_hex(K).p, unit_hex(OPC).p, unit_hex(RAND).p, &m);
    UNIT_BYTES_EQ(m.res, 8, "a54211d5e3ba50bf");
    UNIT_BYTES_EQ(m.ck, 16, "b40ba9a3c58b2a05bbf0d987b21bf8cb");
    UNIT_BYTES_EQ(m.ik, 16, "f769bcd751044604127672711c6d3441");
    UNIT_BYTES_EQ(m.ak, 6, "aa689c648370");
    UNIT_BYTES_EQ(m.ak_star, 6, "451e8beca43b");
}

static void test_gsm(void)
{
    struct gba_milenage m;
    uint8_t sres1[4], sres2[4], kc[8];

    gba_milenage_f2345(unit_hex(K).p, unit_hex(OPC).p, unit_hex(RAND).p, &m);
    gba_milenage_gsm(&m, sres1, sres2, kc);
    UNIT_BYTES_EQ(sres1, 4, "46f8416a");
    UNIT_BYTES_EQ(sres2, 4, "a54211d5");
    UNIT_BYTES_EQ(kc, 8, "eae4be823af9a08b");
}

static const struct unit_test tests[] = {
    {"OPc from OP", test_opc},
    {"f1 and f1*", test_f1},
    {"f2 to f5*", test_f2345},
    {"SRES and Kc of TS 55.205", test_gsm},
};
UNIT_MAIN("milenage", tests)
