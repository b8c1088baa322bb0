/*
 * common/unicode.c: NFKC, and what is not UTF-8.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include "common/unicode.h"

static void test_nfkc(void)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", ""},
        {"user@example", "user@example"},
        {"b\xc3\xbc", "b\xc3\xbc"},         /* composed stays */
        {"bu\xcc\x88", "b\xc3\xbc"},        /* u + combining diaeresis composes */
        {"\xef\xbd\x95\xef\xbc\xa0", "u@"}, /* wide forms */
        {"\xef\xac\x81", "fi"},             /* ligature */
        {"\xe2\x84\xab", "\xc3\x85"},       /* ANGSTROM SIGN */
        {"\xc2\xb2", "2"},                  /* superscript two */
        {"\xf0\x9d\x9f\x8e", "0"},          /* mathematical bold zero, outside the BMP */
        {"A", "A"},                         /* no case folding */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t room[32];
        struct gba_wbuf w;

        gba_wbuf_init(&w, room, sizeof(room));
        CU_ASSERT_EQUAL(gba_nfkc(gba_text(rows[i].in), &w), GBA_OK);
        CU_ASSERT_STRING_EQUAL(gba_wbuf_cstr(&w), rows[i].out);
    }
}

static void test_not_utf8(void)
{
    static const char *const bad[] = {
        "\x80", "\xc3", "a\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t room[32];
        struct gba_wbuf w;

        gba_wbuf_init(&w, room, sizeof(room));
        CU_ASSERT_EQUAL(gba_nfkc(gba_text(bad[i]), &w), GBA_E_SYNTAX);
        CU_ASSERT_EQUAL(w.n, 0);
    }
}

/* U+FDFA grows from 3 octets to 33. */
static void test_growth_is_bounded(void)
{
    uint8_t room[33];
    struct gba_wbuf w;

    gba_wbuf_init(&w, room, 33);
    CU_ASSERT_EQUAL(gba_nfkc(GBA_TEXT("\xef\xb7\xba"), &w), GBA_OK);
    CU_ASSERT_EQUAL(w.n, 33);
    gba_wbuf_init(&w, room, 32);
    CU_ASSERT_EQUAL(gba_nfkc(GBA_TEXT("\xef\xb7\xba"), &w), GBA_E_TOO_LONG);
}

static void test_appends(void)
{
    uint8_t room[8];
    struct gba_wbuf w;

    gba_wbuf_init(&w, room, sizeof(room));
    gba_wbuf_str(&w, "a");
    CU_ASSERT_EQUAL(gba_nfkc(GBA_TEXT("b\0c"), &w), GBA_OK); /* a NUL is a character */
    UNIT_BYTES_EQ(w.p, w.n, "61620063");
}

static const struct unit_test tests[] = {
    {"NFKC", test_nfkc},
    {"what is not UTF-8", test_not_utf8},
    {"growth is bounded", test_growth_is_bounded},
    {"appends", test_appends},
};
UNIT_MAIN("unicode", tests)
