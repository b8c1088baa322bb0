/*
 * Configuration values: one scalar of each type, strictly.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/conf_internal.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"

#define STRING_MAX_DEFAULT 1024

struct conf_block {
    struct conf_block *next;
    size_t n;
    _Alignas(max_align_t) uint8_t octets[];
};

void *conf_alloc(struct conf *c, size_t n)
{
    struct conf_block *b = calloc(1, sizeof(*b) + n);

    if (b == NULL)
        return NULL;
    b->n = n;
    b->next = c->blocks;
    c->blocks = b;
    return b->octets;
}

void conf_free(struct conf *c)
{
    if (c == NULL)
        return;
    while (c->blocks != NULL) {
        struct conf_block *b = c->blocks;

        c->blocks = b->next;
        gba_wipe(b->octets, b->n);
        free(b);
    }
    free(c->marks);
    free(c->file);
    free(c);
}

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit durations[] = {{"ms", 1},    {"s", 1000},    {"", 1000},
                                        {"m", 60000}, {"h", 3600000}, {"d", 86400000},
                                        {NULL, 0}};
static const struct unit sizes[] = {{"", 1},        {"k", 1024},       {"K", 1024},
                                    {"M", 1048576}, {"G", 1073741824}, {NULL, 0}};

__attribute__((format(printf, 2, 3))) static bool no(char *reason, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reason, CONF_REASON_MAX, format, args);
    va_end(args);
    return false;
}

static void print_in_units(const struct unit *units, int64_t v, char *out, size_t cap)
{
    const struct unit *best = NULL;

    for (const struct unit *u = units; u->name != NULL; u++)
        if (v % u->factor == 0 &&
            (best == NULL || u->factor > best->factor ||
             (u->factor == best->factor && u->name[0] != '\0' && best->name[0] == '\0')))
            best = u;
    if (best == NULL || v == 0)
        snprintf(out, cap, "0");
    else
        snprintf(out, cap, "%" PRId64 "%s", v / best->factor, best->name);
}

static void number_text(const struct conf_row *row, int64_t v, char *out, size_t cap)
{
    if (row->type == CONF_DURATION)
        print_in_units(durations, v, out, cap);
    else if (row->type == CONF_SIZE)
        print_in_units(sizes, v, out, cap);
    else
        snprintf(out, cap, "%" PRId64, v);
}

void conf_range_text(const struct conf_row *row, char *out, size_t cap)
{
    char low[32], high[32];

    out[0] = '\0';
    if (row->min == 0 && row->max == 0)
        return;
    number_text(row, row->min, low, sizeof(low));
    number_text(row, row->max, high, sizeof(high));
    if (row->type == CONF_STRING)
        snprintf(out, cap, "at most %s octets", high);
    else if (row->type == CONF_HEX && row->min == row->max)
        snprintf(out, cap, "%s octets", low);
    else
        snprintf(out, cap, "%s .. %s%s", low, high, row->type == CONF_HEX ? " octets" : "");
}

bool conf_is_strings(const struct conf_row *row)
{
    return row->type == CONF_STRINGS || row->type == CONF_ADDRESSES;
}

const char *conf_type_name(enum conf_type type)
{
    static const char *const names[] = {
        [CONF_BOOL] = "true|false",       [CONF_INT] = "number",
        [CONF_DURATION] = "duration",     [CONF_SIZE] = "size",
        [CONF_STRING] = "string",         [CONF_PATH] = "path",
        [CONF_ENUM] = "choice",           [CONF_HEX] = "hex",
        [CONF_ADDRESS] = "HOST:PORT",     [CONF_STRINGS] = "strings",
        [CONF_ADDRESSES] = "addresses",   [CONF_SECTION] = "map",
        [CONF_SECTIONS] = "list of maps",
    };

    return names[type];
}

/* --- numbers ----------------------------------------------------------------------------- */

static bool in_range(const struct conf_row *row, int64_t v, char *reason)
{
    char range[80];

    if ((row->min == 0 && row->max == 0) || (v >= row->min && v <= row->max))
        return true;
    conf_range_text(row, range, sizeof(range));
    return no(reason, "out of range (%s)", range);
}

/* Digits, then the rest of the text. */
static bool leading_number(struct gba_text t, bool sign, int64_t *v, struct gba_text *rest)
{
    bool minus = sign && t.n > 0 && t.s[0] == '-';
    size_t at = minus, n;
    uint64_t magnitude;

    for (n = at; n < t.n && t.s[n] >= '0' && t.s[n] <= '9';)
        n++;
    if (gba_text_number((struct gba_text){t.s + at, n - at}, INT64_MAX, &magnitude) != GBA_OK)
        return false;
    *v = minus ? -(int64_t)magnitude : (int64_t)magnitude;
    *rest = (struct gba_text){t.s + n, t.n - n};
    return true;
}

static bool value_int(const struct conf_row *row, struct gba_text t, int64_t *out, char *reason)
{
    struct gba_text rest;

    if (!leading_number(t, true, out, &rest) || rest.n != 0)
        return no(reason, "not a number");
    return in_range(row, *out, reason);
}

static bool value_with_unit(const struct conf_row *row, const struct unit *units,
                            struct gba_text t, int64_t *out, char *reason)
{
    struct gba_text rest;
    int64_t v;

    if (leading_number(t, false, &v, &rest)) {
        for (const struct unit *u = units; u->name != NULL; u++) {
            if (!gba_text_is(rest, u->name))
                continue;
            if (v > INT64_MAX / u->factor)
                return no(reason, "too large");
            *out = v * u->factor;
            return in_range(row, *out, reason);
        }
    }
    return no(reason, units == sizes ? "not a size (a number, with k, M or G)"
                                     : "not a duration (a number with ms, s, m, h or d)");
}

/* --- text -------------------------------------------------------------------------------- */

static bool no_memory(char *reason)
{
    return no(reason, "out of memory");
}

static bool value_string(const struct conf_row *row, struct gba_text t, struct conf *c,
                         char **out, char *reason)
{
    size_t max =
        row->max > 0 && row->type == CONF_STRING ? (size_t)row->max : STRING_MAX_DEFAULT;

    if (t.n > max)
        return no(reason, "longer than %zu octets", max);
    if (memchr(t.s, '\0', t.n) != NULL)
        return no(reason, "holds a NUL");
    *out = conf_alloc(c, t.n + 1);
    if (*out == NULL)
        return no_memory(reason);
    memcpy(*out, t.s, t.n);
    return true;
}

static bool value_path(struct gba_text t, const char *dir, struct conf *c, char **out,
                       char *reason)
{
    size_t prefix = t.n > 0 && t.s[0] != '/' ? strlen(dir) : 0;

    if (t.n == 0)
        return no(reason, "empty path");
    if (prefix + t.n > 4095 || memchr(t.s, '\0', t.n) != NULL)
        return no(reason, "not a path");
    *out = conf_alloc(c, prefix + t.n + 1);
    if (*out == NULL)
        return no_memory(reason);
    memcpy(*out, dir, prefix);
    memcpy(*out + prefix, t.s, t.n);
    return true;
}

static bool value_address(const struct conf_row *row, struct gba_text t, struct conf *c,
                          char **out, char *reason)
{
    char host[256];
    uint16_t port;

    if (!value_string(row, t, c, out, reason))
        return false;
    if (conf_address_split(*out, host, &port) != GBA_OK)
        return no(reason, "not HOST:PORT or [IPv6]:PORT");
    return true;
}

static bool wrong_length(const struct conf_row *row, size_t n, char *reason)
{
    char range[80];

    conf_range_text(row, range, sizeof(range));
    return no(reason, "%zu octets; %s are wanted", n, range);
}

static bool value_hex(const struct conf_row *row, struct gba_text t, struct conf *c,
                      struct conf_octets *out, char *reason)
{
    size_t cap = t.n / 2;

    out->p = conf_alloc(c, cap + 1);
    if (out->p == NULL)
        return no_memory(reason);
    if (gba_unhex(out->p, cap, t, &out->n) != GBA_OK)
        return no(reason, "not hexadecimal digits in pairs");
    if ((row->min != 0 || row->max != 0) &&
        ((int64_t)out->n < row->min || (int64_t)out->n > row->max))
        return wrong_length(row, out->n, reason);
    return true;
}

static bool value_choice(const struct conf_row *row, struct gba_text t, int *out, char *reason)
{
    char list[160] = "";

    for (int i = 0; row->choices[i] != NULL; i++) {
        if (gba_text_is(t, row->choices[i])) {
            *out = i;
            return true;
        }
        if (strlen(list) + strlen(row->choices[i]) + 3 < sizeof(list)) {
            strcat(list, i > 0 ? ", " : "");
            strcat(list, row->choices[i]);
        }
    }
    return no(reason, "not one of: %s", list);
}

static bool value_bool(struct gba_text t, bool *out, char *reason)
{
    *out = gba_text_is(t, "true");
    return *out || gba_text_is(t, "false") || no(reason, "neither true nor false");
}

bool conf_value(const struct conf_row *row, struct gba_text t, const char *dir, struct conf *c,
                void *place, char reason[static CONF_REASON_MAX])
{
    switch (row->type) {
    case CONF_BOOL:
        return value_bool(t, place, reason);
    case CONF_INT:
        return value_int(row, t, place, reason);
    case CONF_DURATION:
        return value_with_unit(row, durations, t, place, reason);
    case CONF_SIZE:
        return value_with_unit(row, sizes, t, place, reason);
    case CONF_STRING:
    case CONF_STRINGS: /* one of them; place is a char * */
        return value_string(row, t, c, place, reason);
    case CONF_PATH:
        return value_path(t, dir, c, place, reason);
    case CONF_ENUM:
        return value_choice(row, t, place, reason);
    case CONF_HEX:
        return value_hex(row, t, c, place, reason);
    case CONF_ADDRESS:
    case CONF_ADDRESSES: /* one of them too */
        return value_address(row, t, c, place, reason);
    case CONF_SECTION:
    case CONF_SECTIONS:
        break;
    }
    return no(reason, "not a single value");
}

enum gba_err conf_address_split(const char *address, char host[static 256], uint16_t *port)
{
    struct gba_text all = gba_text(address), name, digits;
    struct in6_addr v6;
    uint64_t v;

    host[0] = '\0';
    if (!gba_text_rsplit(all, ':', &name, &digits) || digits.n > 5 ||
        gba_text_number(digits, 65535, &v) != GBA_OK)
        return GBA_E_SYNTAX;
    if (name.n >= 2 && name.s[0] == '[' && name.s[name.n - 1] == ']') {
        name = (struct gba_text){name.s + 1, name.n - 2};
        if (gba_text_copy(host, 256, name) != GBA_OK || inet_pton(AF_INET6, host, &v6) != 1) {
            host[0] = '\0';
            return GBA_E_SYNTAX;
        }
    } else if (name.n == 0 || name.n > 253 || memchr(name.s, ':', name.n) != NULL ||
               memchr(name.s, '[', name.n) != NULL || memchr(name.s, ' ', name.n) != NULL ||
               gba_text_copy(host, 256, name) != GBA_OK) {
        return GBA_E_SYNTAX;
    }
    *port = (uint16_t)v;
    return GBA_OK;
}
