/*
 * The guard before libfdcore: NUL octets in Session-Id, and nothing else, are overwritten.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/diameter_guard.h"

#include <string.h>

#include "tests/unit.h"

static uint8_t message[256];
static size_t n;

static void begin(void)
{
    memset(message, 0, sizeof(message));
    n = 20;
}

static void put(uint32_t code, const char *value, size_t length)
{
    uint8_t *avp = message + n;
    size_t whole = 8 + length;

    avp[2] = (uint8_t)(code >> 8);
    avp[3] = (uint8_t)code;
    avp[4] = 0x40;
    avp[7] = (uint8_t)whole;
    memcpy(avp + 8, value, length);
    n += (whole + 3) & ~(size_t)3;
}

static void test_overwrites(void)
{
    begin();
    put(264, "a\0b", 3);
    put(263, "s\0i\0d", 5);
    put(1, "u\0", 2);
    CU_ASSERT(diameter_guard_session_id(message, n));
    CU_ASSERT(memcmp(message + 28, "a\0b", 3) == 0);
    CU_ASSERT(memcmp(message + 40, "s?i?d\0\0\0", 8) == 0); /* padding stays */
    CU_ASSERT(memcmp(message + 56, "u\0", 2) == 0);
    CU_ASSERT(!diameter_guard_session_id(message, n));
}

static void test_every_session_id(void)
{
    begin();
    put(263, "fine", 4);
    put(263, "\0", 1);
    CU_ASSERT(diameter_guard_session_id(message, n));
    CU_ASSERT(message[40] == '?');
}

/* A vendor's AVP with that code is hit too: harmless, and cheaper than asking. */
static void test_bad_lengths(void)
{
    begin();
    put(263, "x\0y", 3);
    message[27] = 7; /* below the header's eight octets */
    CU_ASSERT(!diameter_guard_session_id(message, n));
    message[27] = 255; /* past the end */
    CU_ASSERT(!diameter_guard_session_id(message, n));
    for (size_t short_n = 0; short_n < n; short_n++)
        (void)diameter_guard_session_id(message, short_n);
    CU_ASSERT(message[29] == 0);
}

static const struct unit_test tests[] = {
    {"NUL is overwritten", test_overwrites},
    {"in every Session-Id", test_every_session_id},
    {"bad lengths", test_bad_lengths},
};

UNIT_MAIN("guard of the Diameter node", tests)
