/*
 * Instants on the wire: xs:dateTime (TS 24.109 C.1, TS 29.109 Annex D), m2m:timestamp (oneM2M
 * TS-0004 6.3.3) and the Time of Diameter (RFC 6733 4.3.1).  Own calendar arithmetic, because
 * the C library's knows time zones and keeps state.  No clock here.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/timestamp.h"

#include <string.h>

#define SECONDS_1900_1970 INT64_C(2208988800)
#define LAST_SECOND       INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* A civil time is six numbers.  In a pattern the letters YMDhms stand for their digits and
 * everything else for itself. */
enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, N_FIELDS };
static const char letters[] = "YMDhms";
static const char pattern_xs[] = "YYYY-MM-DDThh:mm:ss";
static const char pattern_m2m[] = "YYYYMMDDThhmmss";

static int field_of(char c)
{
    const char *at = strchr(letters, c);

    return at != NULL && c != '\0' ? (int)(at - letters) : -1;
}

static bool is_leap(unsigned y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

/* Days from 1970-01-01 to the first of January of a year not before 1970. */
static int64_t days_before_year(unsigned year)
{
    unsigned y = year - 1;

    return (int64_t)(year - 1970) * 365 + (y / 4 - 1969 / 4) - (y / 100 - 1969 / 100) +
           (y / 400 - 1969 / 400);
}

static int64_t to_unix(const unsigned f[static N_FIELDS])
{
    int64_t days = days_before_year(f[YEAR]) + f[DAY] - 1;

    for (unsigned m = 1; m < f[MONTH]; m++)
        days += month_days(f[YEAR], m);
    return ((days * 24 + f[HOUR]) * 60 + f[MINUTE]) * 60 + f[SECOND];
}

static void from_unix(int64_t t, unsigned f[static N_FIELDS])
{
    int64_t days;

    t = t < 0 ? 0 : t > LAST_SECOND ? LAST_SECOND : t;
    f[HOUR] = (unsigned)(t / 3600 % 24);
    f[MINUTE] = (unsigned)(t / 60 % 60);
    f[SECOND] = (unsigned)(t % 60);
    days = t / 86400;
    f[YEAR] = (unsigned)(1970 + days / 366); /* never too late; corrected upwards */
    while (days_before_year(f[YEAR] + 1) <= days)
        f[YEAR]++;
    days -= days_before_year(f[YEAR]);
    for (f[MONTH] = 1; days >= month_days(f[YEAR], f[MONTH]); f[MONTH]++)
        days -= month_days(f[YEAR], f[MONTH]);
    f[DAY] = (unsigned)days + 1;
}

static void print_pattern(int64_t unix_s, const char *pattern, char *out)
{
    unsigned f[N_FIELDS];
    size_t n = strlen(pattern);

    from_unix(unix_s, f);
    out[n] = '\0';
    while (n-- > 0) {
        int field = field_of(pattern[n]);

        out[n] = field < 0 ? pattern[n] : (char)('0' + f[field] % 10);
        if (field >= 0)
            f[field] /= 10;
    }
}

/* Takes the pattern off the front of t. */
static enum gba_err parse_pattern(struct gba_text *t, const char *pattern,
                                  unsigned f[static N_FIELDS])
{
    size_t n = strlen(pattern);

    memset(f, 0, N_FIELDS * sizeof(f[0]));
    if (t->n < n)
        return GBA_E_SYNTAX;
    for (size_t i = 0; i < n; i++) {
        int field = field_of(pattern[i]);
        unsigned digit = (unsigned char)t->s[i] - (unsigned)'0';

        if (field < 0 ? t->s[i] != pattern[i] : digit > 9)
            return GBA_E_SYNTAX;
        if (field >= 0)
            f[field] = f[field] * 10 + digit;
    }
    *t = (struct gba_text){t->s + n, t->n - n};
    return GBA_OK;
}

static bool in_range(const unsigned f[static N_FIELDS])
{
    /* XML Schema Part 2, 3.2.7: 24:00:00 is the end of the day. */
    bool midnight = f[HOUR] == 24 && f[MINUTE] == 0 && f[SECOND] == 0;

    return f[YEAR] >= 1970 && f[MONTH] >= 1 && f[MONTH] <= 12 && f[DAY] >= 1 &&
           f[DAY] <= month_days(f[YEAR], f[MONTH]) && (f[HOUR] <= 23 || midnight) &&
           f[MINUTE] <= 59 && f[SECOND] <= 59;
}

/* Takes "." or "," and at least one digit off the front of t, if they are there. */
static enum gba_err skip_fraction(struct gba_text *t, char mark)
{
    size_t i = 1;

    if (t->n == 0 || t->s[0] != mark)
        return GBA_OK;
    while (i < t->n && t->s[i] >= '0' && t->s[i] <= '9')
        i++;
    *t = (struct gba_text){t->s + i, t->n - i};
    return i > 1 ? GBA_OK : GBA_E_SYNTAX;
}

/* Nothing, "Z", or a sign and hh:mm up to 14:00: the rest of t, in seconds east of UTC. */
static enum gba_err parse_zone(struct gba_text t, int64_t *offset)
{
    unsigned f[N_FIELDS];
    bool east = t.n != 0 && t.s[0] == '+';

    *offset = 0;
    if (t.n == 0 || gba_text_is(t, "Z"))
        return GBA_OK;
    if (!east && t.s[0] != '-')
        return GBA_E_SYNTAX;
    t = (struct gba_text){t.s + 1, t.n - 1};
    if (parse_pattern(&t, "hh:mm", f) != GBA_OK || t.n != 0 || f[MINUTE] > 59 ||
        f[HOUR] * 60 + f[MINUTE] > 14 * 60)
        return GBA_E_SYNTAX;
    *offset = (int64_t)(f[HOUR] * 60 + f[MINUTE]) * (east ? 60 : -60);
    return GBA_OK;
}

void gba_datetime(int64_t unix_s, char out[static GBA_DATETIME_SIZE])
{
    print_pattern(unix_s, "YYYY-MM-DDThh:mm:ssZ", out);
}

enum gba_err gba_datetime_parse(struct gba_text t, int64_t *unix_s)
{
    unsigned f[N_FIELDS];
    int64_t offset, instant;

    *unix_s = 0;
    if (parse_pattern(&t, pattern_xs, f) != GBA_OK || !in_range(f) ||
        skip_fraction(&t, '.') != GBA_OK || parse_zone(t, &offset) != GBA_OK)
        return GBA_E_SYNTAX;
    instant = to_unix(f) - offset;
    if (instant < 0 || instant > LAST_SECOND)
        return GBA_E_SYNTAX;
    *unix_s = instant;
    return GBA_OK;
}

void gba_m2m_timestamp(int64_t unix_s, char out[static GBA_DATETIME_SIZE])
{
    print_pattern(unix_s, pattern_m2m, out);
}

enum gba_err gba_m2m_timestamp_parse(struct gba_text t, int64_t *unix_s)
{
    unsigned f[N_FIELDS];

    *unix_s = 0;
    if (parse_pattern(&t, pattern_m2m, f) != GBA_OK || !in_range(f) || f[HOUR] == 24 ||
        skip_fraction(&t, ',') != GBA_OK || t.n != 0)
        return GBA_E_SYNTAX;
    *unix_s = to_unix(f);
    return GBA_OK;
}

uint32_t gba_diameter_time(int64_t unix_s)
{
    return (uint32_t)(((uint64_t)unix_s + SECONDS_1900_1970) & UINT32_MAX);
}

int64_t gba_diameter_time_parse(uint32_t t)
{
    /* RFC 5905 6: with the high bit set the era of 1900, else that of 2036. */
    int64_t era = (t & UINT32_C(0x80000000)) != 0 ? 0 : INT64_C(1) << 32;

    return era + t - SECONDS_1900_1970;
}
