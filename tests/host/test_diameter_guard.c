/*
 * The guard before libfdcore: NUL octets in Session-Id, and nothing else, are overwritten; a
 * Result-Code is where libfdcore has read it when anything else fails, or there is none.
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

/* A vendor's AVP with that code is its own affair; vendor 0 is the base protocol. */
static void test_vendor(void)
{
    begin();
    put(263, "\0\0\x28\xafs\0i", 7);
    message[24] |= 0x80;
    CU_ASSERT(!diameter_guard_session_id(message, n));
    CU_ASSERT(message[33] == 0);
    memset(message + 28, 0, 4);
    CU_ASSERT(diameter_guard_session_id(message, n));
    CU_ASSERT(memcmp(message + 28, "\0\0\0\0s?i", 7) == 0);
}

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

/* --- Result-Code ------------------------------------------------------------------------ */

static const char success[4] = {0, 0, 7, (char)0xd1};

static bool is_at(size_t at, uint32_t code)
{
    return message[at] == 0 && message[at + 1] == 0 && message[at + 2] == code >> 8 &&
           message[at + 3] == (code & 0xff);
}

static void test_result_moves_to_the_head(void)
{
    begin();
    put(9999, "?", 1);
    put(260, "abcdefgh", 8);
    put(268, success, 4);
    put(1, "user", 4);
    CU_ASSERT(!diameter_guard_result_code(message, n, true));
    CU_ASSERT(is_at(20, 268) && memcmp(message + 28, success, 4) == 0);
    CU_ASSERT(is_at(32, 9999) && message[40] == '?');
    CU_ASSERT(is_at(44, 260) && is_at(60, 1) && n == 72);
}

static void test_result_stays_behind_session_id(void)
{
    begin();
    put(263, "a;1;2", 5);
    put(9999, "?", 1);
    put(268, success, 4);
    CU_ASSERT(!diameter_guard_result_code(message, n, true));
    CU_ASSERT(is_at(20, 263) && is_at(36, 268) && is_at(48, 9999));
    CU_ASSERT(!diameter_guard_result_code(message, n, true));
    CU_ASSERT(is_at(20, 263) && is_at(36, 268) && is_at(48, 9999));
}

/* libfdcore looks at the first: a whole one is put before those that are not. */
static void test_first_result_is_whole(void)
{
    begin();
    put(268, "abc", 3);
    put(268, success, 4);
    CU_ASSERT(!diameter_guard_result_code(message, n, true));
    CU_ASSERT(is_at(20, 268) && message[27] == 12 && is_at(32, 268) && message[39] == 11);
}

static void test_result_that_cannot_be_read(void)
{
    static const size_t lengths[] = {0, 3, 5, 8};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        begin();
        put(263, "a;1;2", 5);
        put(268, "\0\0\7\xd1\0\0\0\0", lengths[i]);
        put(268, "abc", 3);
        CU_ASSERT(diameter_guard_result_code(message, n, true));
        CU_ASSERT(message[36] == 0xff && message[39] == 0xff && message[40] == 0);
        CU_ASSERT(message[36 + ((8 + lengths[i] + 3) & ~(size_t)3)] == 0xff);
        CU_ASSERT(is_at(20, 263));
        CU_ASSERT(!diameter_guard_result_code(message, n, true));
    }
}

/* Of such an answer libfdcore reads no AVP at all. */
static void test_unknown_command(void)
{
    begin();
    put(268, success, 4);
    CU_ASSERT(diameter_guard_result_code(message, n, false));
    CU_ASSERT(message[20] == 0xff && message[24] == 0);
    CU_ASSERT(memcmp(message + 28, success, 4) == 0);
}

static void test_result_left_alone(void)
{
    uint8_t before[sizeof(message)];

    begin();
    put(9999, "?", 1);
    put(268, success, 4);
    message[4] = 0x80; /* a request */
    memcpy(before, message, sizeof(before));
    CU_ASSERT(!diameter_guard_result_code(message, n, false));
    CU_ASSERT(memcmp(before, message, sizeof(before)) == 0);

    begin();
    put(268, "\0\0\x28\xaf!", 5);
    message[24] |= 0x80; /* a vendor's */
    memcpy(before, message, sizeof(before));
    CU_ASSERT(!diameter_guard_result_code(message, n, false));
    CU_ASSERT(memcmp(before, message, sizeof(before)) == 0);

    begin();
    put(9999, "?", 1);
    put(268, success, 4);
    message[27] = 7; /* libfdcore closes the connection over it */
    memcpy(before, message, sizeof(before));
    for (size_t short_n = 0; short_n <= n; short_n++)
        CU_ASSERT(!diameter_guard_result_code(message, short_n, true));
    CU_ASSERT(memcmp(before, message, sizeof(before)) == 0);
}

static void test_command(void)
{
    static const uint8_t maa[20] = {1, 0, 0, 20, 0x40, 0, 1, 47};

    CU_ASSERT(diameter_guard_command(maa, 20) == 303);
    CU_ASSERT(diameter_guard_command(maa, 19) == 0);
}

static const struct unit_test tests[] = {
    {"NUL is overwritten", test_overwrites},
    {"in every Session-Id", test_every_session_id},
    {"but no vendor's", test_vendor},
    {"bad lengths", test_bad_lengths},
    {"Result-Code moves to the head", test_result_moves_to_the_head},
    {"behind the Session-Id", test_result_stays_behind_session_id},
    {"the first one is whole", test_first_result_is_whole},
    {"one that cannot be read is hidden", test_result_that_cannot_be_read},
    {"and those of unknown commands", test_unknown_command},
    {"requests and vendors are left alone", test_result_left_alone},
    {"command code", test_command},
};

UNIT_MAIN("guard of the Diameter node", tests)
