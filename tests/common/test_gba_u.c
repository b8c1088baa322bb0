/*
 * common/gba_u.c: AUTN* and back, RES.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>

#include "common/gba_u.h"

static void test_autn(void)
{
    const uint8_t *ik = unit_hex("f769bcd751044604127672711c6d3441").p;
    uint8_t autn[16];

    gba_u_autn(unit_hex("55f328b43577b9b94a9ffac354dfafb3").p, ik, autn);
    UNIT_BYTES_EQ(autn, 16, "55f328b43577b9b98c7f3f0d723fb244");
    gba_u_autn(autn, ik, autn); /* the same step leads back, also in place */
    UNIT_BYTES_EQ(autn, 16, "55f328b43577b9b94a9ffac354dfafb3");
}

static void test_res(void)
{
    uint8_t res[8];

    memcpy(res, unit_hex("a54211d5e3ba50bf").p, 8);
    gba_u_res(res, 8);
    UNIT_BYTES_EQ(res, 8, "a54211d5e3ba50be");
    gba_u_res(res, 4);
    UNIT_BYTES_EQ(res, 8, "a54211d4e3ba50be");
    gba_u_res(res, 0);
    UNIT_BYTES_EQ(res, 8, "a54211d4e3ba50be");
}

static const struct unit_test tests[] = {
    {"AUTN*", test_autn},
    {"RES", test_res},
};
UNIT_MAIN("gba_u", tests)
