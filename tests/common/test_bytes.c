/*
 * common/bytes.c: views, writer, hexadecimal, base64.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>

static void test_base64_strict(void)
{
    static const struct {
        const char *text;
        enum gba_err err;
        const char *hex;
    } rows[] = {
        {"", GBA_OK, ""},           {"Zg==", GBA_OK, "66"},        {"Zm8=", GBA_OK, "666f"},
        {"Zm9v", GBA_OK, "666f6f"}, {"Zh==", GBA_E_SYNTAX, ""},    {"Zm9=", GBA_E_SYNTAX, ""},
        {"Zg", GBA_E_SYNTAX, ""},   {"Zg=", GBA_E_SYNTAX, ""},     {"====", GBA_E_SYNTAX, ""},
        {"Zm 9v", GBA_E_SYNTAX, ""}, {"Z-_=", GBA_E_SYNTAX, ""},   {"Zg==Zg==", GBA_E_SYNTAX, ""},
        {"Zm9vZm9v", GBA_OK, "666f6f666f6f"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t out[16];
        size_t n;

        CU_ASSERT_EQUAL(gba_unbase64(out, sizeof(out), gba_text(rows[i].text), &n), rows[i].err);
        if (rows[i].err == GBA_OK)
            UNIT_BYTES_EQ(out, n, rows[i].hex);
    }
}

static void test_base64_round_trip(void)
{
    uint8_t in[40], out[40];
    char text[GBA_BASE64_LEN(40) + 1];
    size_t n;

    for (size_t len = 0; len <= sizeof(in); len++) {
        for (size_t i = 0; i < len; i++)
            in[i] = (uint8_t)(i * 37 + len);
        gba_base64(text, (struct gba_bytes){in, len});
        CU_ASSERT_EQUAL(strlen(text), GBA_BASE64_LEN(len));
        CU_ASSERT_EQUAL(gba_unbase64(out, len, gba_text(text), &n), GBA_OK);
        CU_ASSERT_EQUAL(n, len);
        CU_ASSERT_EQUAL(memcmp(in, out, len), 0);
        if (len > 0)
            CU_ASSERT_EQUAL(gba_unbase64(out, len - 1, gba_text(text), &n), GBA_E_TOO_LONG);
    }
}

static void test_hex(void)
{
    uint8_t out[4];
    size_t n;

    CU_ASSERT_EQUAL(gba_unhex(out, 4, GBA_TEXT("00fFaB"), &n), GBA_OK);
    UNIT_BYTES_EQ(out, n, "00ffab");
    CU_ASSERT_EQUAL(gba_unhex(out, 4, GBA_TEXT("0"), &n), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_unhex(out, 4, GBA_TEXT("0g"), &n), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_unhex(out, 2, GBA_TEXT("001122"), &n), GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(gba_unhex_exact(out, 4, GBA_TEXT("001122")), GBA_E_SYNTAX);
}

static void test_number(void)
{
    uint64_t v;

    CU_ASSERT_EQUAL(gba_text_number(GBA_TEXT("65535"), 65535, &v), GBA_OK);
    CU_ASSERT_EQUAL(v, 65535);
    CU_ASSERT_EQUAL(gba_text_number(GBA_TEXT("65536"), 65535, &v), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_text_number(GBA_TEXT("18446744073709551615"), UINT64_MAX, &v), GBA_OK);
    CU_ASSERT_EQUAL(v, UINT64_MAX);
    CU_ASSERT_EQUAL(gba_text_number(GBA_TEXT("18446744073709551616"), UINT64_MAX, &v), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_text_number(GBA_TEXT(""), 9, &v), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_text_number(GBA_TEXT("-1"), 9, &v), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_text_number(GBA_TEXT("5"), 4, &v), GBA_E_SYNTAX);
}

static void test_writer_remembers_overflow(void)
{
    uint8_t room[4];
    struct gba_wbuf w;

    gba_wbuf_init(&w, room, sizeof(room));
    gba_wbuf_str(&w, "abc");
    CU_ASSERT(gba_wbuf_ok(&w));
    gba_wbuf_str(&w, "de");
    CU_ASSERT(!gba_wbuf_ok(&w));
    gba_wbuf_str(&w, "f");
    CU_ASSERT_EQUAL(w.n, 3);
    CU_ASSERT_STRING_EQUAL(gba_wbuf_cstr(&w), "");
    gba_wbuf_init(&w, room, sizeof(room));
    gba_wbuf_number(&w, 120);
    CU_ASSERT_STRING_EQUAL(gba_wbuf_cstr(&w), "120");
}

static void test_text(void)
{
    struct gba_text head, tail;
    char out[4];

    CU_ASSERT(gba_text_split(GBA_TEXT("a@b@c"), '@', &head, &tail));
    CU_ASSERT(gba_text_is(head, "a") && gba_text_is(tail, "b@c"));
    CU_ASSERT(gba_text_rsplit(GBA_TEXT("a@b@c"), '@', &head, &tail));
    CU_ASSERT(gba_text_is(head, "a@b") && gba_text_is(tail, "c"));
    CU_ASSERT(!gba_text_split(GBA_TEXT("abc"), '@', &head, &tail));
    CU_ASSERT(gba_text_is(head, "abc") && tail.n == 0);
    CU_ASSERT_EQUAL(gba_text_copy(out, sizeof(out), GBA_TEXT("abcd")), GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(gba_text_copy(out, sizeof(out), GBA_TEXT("a\0b")), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_text_copy(out, sizeof(out), GBA_TEXT("abc")), GBA_OK);
    CU_ASSERT(gba_text_eq_nocase(GBA_TEXT("Digest"), GBA_TEXT("dIGEST")));
}

static void test_errors_have_rows(void)
{
    CU_ASSERT_STRING_EQUAL(gba_err_name(GBA_OK), "OK");
    CU_ASSERT_STRING_EQUAL(gba_err_name(GBA_E_RES), "RES");
    CU_ASSERT_EQUAL(gba_err_diameter(GBA_E_BTID), 5403);
    for (int e = 0; e < GBA_N_ERRORS; e++) {
        CU_ASSERT(gba_err_http((enum gba_err)e) >= 200 && gba_err_http((enum gba_err)e) < 600);
        CU_ASSERT(gba_err_text((enum gba_err)e)[0] != '\0');
    }
    CU_ASSERT_STRING_EQUAL(gba_err_name(GBA_N_ERRORS), "UNKNOWN");
}

static const struct unit_test tests[] = {
    {"base64 is strict", test_base64_strict},
    {"base64 round trip", test_base64_round_trip},
    {"hexadecimal", test_hex},
    {"numbers", test_number},
    {"writer remembers overflow", test_writer_remembers_overflow},
    {"text", test_text},
    {"every error has a row", test_errors_have_rows},
};
UNIT_MAIN("bytes", tests)
