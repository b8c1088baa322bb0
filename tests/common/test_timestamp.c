/*
 * common/timestamp.c: xs:dateTime, m2m:timestamp, Diameter Time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>
#include <time.h>

#include "common/timestamp.h"

static void test_known(void)
{
    static const struct {
        int64_t unix_s;
        const char *xs, *m2m;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z", "19700101T000000"},
        {951782400, "2000-02-29T00:00:00Z", "20000229T000000"},
        {1767323045, "2026-01-02T03:04:05Z", "20260102T030405"},
        {4107542399, "2100-02-28T23:59:59Z", "21000228T235959"},
        {4107542400, "2100-03-01T00:00:00Z", "21000301T000000"},
        {253402300799, "9999-12-31T23:59:59Z", "99991231T235959"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[GBA_DATETIME_SIZE];
        int64_t t;

        gba_datetime(rows[i].unix_s, out);
        CU_ASSERT_STRING_EQUAL(out, rows[i].xs);
        CU_ASSERT_EQUAL(gba_datetime_parse(gba_text(out), &t), GBA_OK);
        CU_ASSERT_EQUAL(t, rows[i].unix_s);
        gba_m2m_timestamp(rows[i].unix_s, out);
        CU_ASSERT_STRING_EQUAL(out, rows[i].m2m);
        CU_ASSERT_EQUAL(gba_m2m_timestamp_parse(gba_text(out), &t), GBA_OK);
        CU_ASSERT_EQUAL(t, rows[i].unix_s);
    }
}

/* The C library as the other opinion: one instant about every 11 days up to the year 9999. */
static void test_against_libc(void)
{
    for (int64_t t = 0; t < INT64_C(253402300799); t += 999983) {
        char out[GBA_DATETIME_SIZE], want[64];
        time_t libc = (time_t)t;
        struct tm tm;
        int64_t back;

        gmtime_r(&libc, &tm);
        strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
        gba_datetime(t, out);
        if (strcmp(out, want) != 0 || gba_datetime_parse(gba_text(out), &back) != GBA_OK ||
            back != t) {
            CU_FAIL("differs from gmtime");
            printf("\n%s %s\n", out, want);
            return;
        }
    }
}

static void test_out_of_range_is_clamped(void)
{
    char out[GBA_DATETIME_SIZE];

    gba_datetime(-1, out);
    CU_ASSERT_STRING_EQUAL(out, "1970-01-01T00:00:00Z");
    gba_datetime(INT64_MIN, out);
    CU_ASSERT_STRING_EQUAL(out, "1970-01-01T00:00:00Z");
    gba_datetime(INT64_MAX, out);
    CU_ASSERT_STRING_EQUAL(out, "9999-12-31T23:59:59Z");
}

static void test_datetime_parse(void)
{
    static const struct {
        const char *text;
        int64_t unix_s; /* -1: refused */
    } rows[] = {
        {"2026-01-02T03:04:05", 1767323045},
        {"2026-01-02T03:04:05.000Z", 1767323045},
        {"2026-01-02T03:04:05.999999999", 1767323045},
        {"2026-01-02T03:04:05+00:00", 1767323045},
        {"2026-01-02T04:04:05+01:00", 1767323045},
        {"2026-01-01T21:34:05-05:30", 1767323045},
        {"2026-01-02T03:04:05.5-00:00", 1767323045},
        {"2026-01-01T24:00:00Z", 1767312000},
        {"2026-01-02T00:00:00Z", 1767312000},
        {"2024-02-29T00:00:00Z", 1709164800},
        {"1970-01-01T14:00:00+14:00", 0},
        {"1970-01-01T00:00:00+00:01", -1}, /* before 1970 */
        {"1969-12-31T23:59:59Z", -1},
        {"9999-12-31T23:59:59-00:01", -1},
        {"2026-01-02T09:03:05+05:59", 1767323045},
        {"2026-12-32T00:00:00Z", -1},
        {"2026-01-02T03:04:0:Z", -1},
        {"2026-01-02T03:04:0/Z", -1},
        {"2026-01-02T24:00:01Z", -1},
        {"2026-01-02T25:00:00Z", -1},
        {"2026-01-02T23:60:00Z", -1},
        {"2026-01-02T23:59:60Z", -1},
        {"2023-02-29T00:00:00Z", -1},
        {"2100-02-29T00:00:00Z", -1},
        {"2026-00-01T00:00:00Z", -1},
        {"2026-13-01T00:00:00Z", -1},
        {"2026-01-00T00:00:00Z", -1},
        {"2026-01-32T00:00:00Z", -1},
        {"2026-04-31T00:00:00Z", -1},
        {"2026-01-02T03:04:05z", -1},
        {"2026-01-02t03:04:05Z", -1},
        {"2026-01-02 03:04:05Z", -1},
        {"2026-01-02T03:04:05.Z", -1},
        {"2026-01-02T03:04:05,5Z", -1},
        {"2026-01-02T03:04:05+14:01", -1},
        {"2026-01-02T03:04:05+1:00", -1},
        {"2026-01-02T03:04:05+01:60", -1},
        {"2026-01-02T03:04:05+0100", -1},
        {"2026-01-02T03:04:05Zx", -1},
        {"2026-01-02T03:04:05ZZ", -1},
        {" 2026-01-02T03:04:05Z", -1},
        {"2026-01-02T03:04", -1},
        {"2026-01-02", -1},
        {"026-01-02T03:04:05Z", -1},
        {"-2026-01-02T03:04:05Z", -1},
        {"12026-01-02T03:04:05Z", -1},
        {"", -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool good = rows[i].unix_s >= 0;
        int64_t t = 7;
        enum gba_err err = gba_datetime_parse(gba_text(rows[i].text), &t);

        if (err != (good ? GBA_OK : GBA_E_SYNTAX))
            printf("\n<%s>: %s\n", rows[i].text, gba_err_name(err));
        CU_ASSERT_EQUAL(err, good ? GBA_OK : GBA_E_SYNTAX);
        CU_ASSERT_EQUAL(t, good ? rows[i].unix_s : 0);
    }
}

static void test_m2m_parse(void)
{
    static const char *const bad[] = {"",
                                      "20260102",
                                      "20260102T0304",
                                      "2026-01-02T03:04:05",
                                      "20260102T030405Z",
                                      "20260102T030405,",
                                      "20260102T030405.5",
                                      "20261302T030405",
                                      "20260102T240000",
                                      "19691231T235959",
                                      "20260102t030405"};
    int64_t t;

    CU_ASSERT_EQUAL(gba_m2m_timestamp_parse(GBA_TEXT("20260102T030405"), &t), GBA_OK);
    CU_ASSERT_EQUAL(t, 1767323045);
    CU_ASSERT_EQUAL(gba_m2m_timestamp_parse(GBA_TEXT("20260102T030405,123456"), &t), GBA_OK);
    CU_ASSERT_EQUAL(t, 1767323045);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_EQUAL(gba_m2m_timestamp_parse(gba_text(bad[i]), &t), GBA_E_SYNTAX);
}

/* RFC 6733 4.3.1: the wrap at 2036-02-07T06:28:16Z. */
static void test_diameter(void)
{
    CU_ASSERT_EQUAL(gba_diameter_time(0), UINT32_C(2208988800));
    CU_ASSERT_EQUAL(gba_diameter_time_parse(UINT32_C(2208988800)), 0);
    CU_ASSERT_EQUAL(gba_diameter_time(INT64_C(2085978495)), UINT32_MAX);
    CU_ASSERT_EQUAL(gba_diameter_time(INT64_C(2085978496)), 0);
    CU_ASSERT_EQUAL(gba_diameter_time_parse(0), INT64_C(2085978496));
    CU_ASSERT_EQUAL(gba_diameter_time_parse(UINT32_MAX), INT64_C(2085978495));
    for (int64_t t = 0; t < INT64_C(4200000000); t += 7654321)
        CU_ASSERT_EQUAL(gba_diameter_time_parse(gba_diameter_time(t)), t);
}

static const struct unit_test tests[] = {
    {"known instants", test_known},
    {"against the C library", test_against_libc},
    {"out of range is clamped", test_out_of_range_is_clamped},
    {"xs:dateTime", test_datetime_parse},
    {"m2m:timestamp", test_m2m_parse},
    {"Diameter Time", test_diameter},
};
UNIT_MAIN("timestamp", tests)
