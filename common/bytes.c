/*
 * Views, the bounded writer, hexadecimal and base64.  The decoders are our own because they
 * must be strict and must not branch on table look-ups of secret octets more than needed;
 * see common/bytes.h for their contracts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/bytes.h"

#include <string.h>

struct gba_text gba_text(const char *cstr)
{
    return (struct gba_text){cstr, cstr != NULL ? strlen(cstr) : 0};
}

struct gba_bytes gba_text_bytes(struct gba_text t)
{
    return (struct gba_bytes){(const uint8_t *)t.s, t.n};
}

struct gba_text gba_bytes_text(struct gba_bytes b)
{
    return (struct gba_text){(const char *)b.p, b.n};
}

bool gba_text_eq(struct gba_text a, struct gba_text b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool gba_text_eq_nocase(struct gba_text a, struct gba_text b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.s[i]) != lower(b.s[i]))
            return false;
    return true;
}

bool gba_text_is(struct gba_text a, const char *cstr)
{
    return gba_text_eq(a, gba_text(cstr));
}

bool gba_text_ends(struct gba_text a, const char *suffix)
{
    size_t n = strlen(suffix);

    return a.n >= n && (n == 0 || memcmp(a.s + a.n - n, suffix, n) == 0);
}

bool gba_text_starts(struct gba_text a, const char *prefix)
{
    size_t n = strlen(prefix);

    return a.n >= n && (n == 0 || memcmp(a.s, prefix, n) == 0);
}

enum gba_err gba_text_copy(char *out, size_t cap, struct gba_text t)
{
    if (cap == 0)
        return GBA_E_TOO_LONG;
    out[0] = '\0';
    if (t.n >= cap)
        return GBA_E_TOO_LONG;
    if (t.n == 0)
        return GBA_OK;
    if (memchr(t.s, '\0', t.n) != NULL)
        return GBA_E_SYNTAX;
    memcpy(out, t.s, t.n);
    out[t.n] = '\0';
    return GBA_OK;
}

static bool split_at(struct gba_text t, const char *c, struct gba_text *head,
                     struct gba_text *tail)
{
    size_t at;

    *head = t;
    *tail = (struct gba_text){"", 0};
    if (c == NULL)
        return false;
    at = (size_t)(c - t.s);
    *head = (struct gba_text){t.s, at};
    *tail = (struct gba_text){c + 1, t.n - at - 1};
    return true;
}

bool gba_text_split(struct gba_text t, char c, struct gba_text *head, struct gba_text *tail)
{
    return split_at(t, t.n != 0 ? memchr(t.s, c, t.n) : NULL, head, tail);
}

bool gba_text_rsplit(struct gba_text t, char c, struct gba_text *head, struct gba_text *tail)
{
    return split_at(t, t.n != 0 ? memrchr(t.s, c, t.n) : NULL, head, tail);
}

enum gba_err gba_text_number(struct gba_text t, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (t.n == 0)
        return GBA_E_SYNTAX;
    for (size_t i = 0; i < t.n; i++) {
        unsigned digit = (unsigned char)t.s[i] - (unsigned)'0';

        if (digit > 9 || v > (max - digit) / 10 || digit > max)
            return GBA_E_SYNTAX;
        v = v * 10 + digit;
    }
    *out = v;
    return GBA_OK;
}

void gba_wbuf_init(struct gba_wbuf *w, void *p, size_t cap)
{
    *w = (struct gba_wbuf){.p = p, .cap = cap};
}

static uint8_t *room(struct gba_wbuf *w, size_t n)
{
    uint8_t *at;

    if (w->overflow || n > w->cap - w->n) {
        w->overflow = true;
        return NULL;
    }
    at = w->p + w->n;
    w->n += n;
    return at;
}

void gba_wbuf_put(struct gba_wbuf *w, struct gba_bytes b)
{
    uint8_t *at = room(w, b.n);

    if (at != NULL && b.n != 0)
        memcpy(at, b.p, b.n);
}

void gba_wbuf_text(struct gba_wbuf *w, struct gba_text t)
{
    gba_wbuf_put(w, gba_text_bytes(t));
}

void gba_wbuf_str(struct gba_wbuf *w, const char *cstr)
{
    gba_wbuf_text(w, gba_text(cstr));
}

void gba_wbuf_u8(struct gba_wbuf *w, uint8_t v)
{
    gba_wbuf_put(w, (struct gba_bytes){&v, 1});
}

void gba_wbuf_u16(struct gba_wbuf *w, uint16_t v)
{
    gba_wbuf_u8(w, (uint8_t)(v >> 8));
    gba_wbuf_u8(w, (uint8_t)(v & 0xff));
}

void gba_wbuf_number(struct gba_wbuf *w, uint64_t v)
{
    uint8_t digits[20];
    size_t n = sizeof(digits);

    do
        digits[--n] = (uint8_t)('0' + v % 10);
    while ((v /= 10) != 0);
    gba_wbuf_put(w, (struct gba_bytes){digits + n, sizeof(digits) - n});
}

static void hex_to(char *at, struct gba_bytes b, const char *digits)
{
    for (size_t i = 0; i < b.n; i++) {
        *at++ = digits[b.p[i] >> 4];
        *at++ = digits[b.p[i] & 15];
    }
}

void gba_wbuf_hex(struct gba_wbuf *w, struct gba_bytes b)
{
    uint8_t *at = room(w, b.n * 2);

    if (at != NULL)
        hex_to((char *)at, b, "0123456789abcdef");
}

static void base64_to(char *at, struct gba_bytes b)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < b.n; i += 3) {
        size_t left = b.n - i;
        uint32_t v = (uint32_t)b.p[i] << 16;

        if (left > 1)
            v |= (uint32_t)b.p[i + 1] << 8;
        if (left > 2)
            v |= b.p[i + 2];
        *at++ = alphabet[v >> 18];
        *at++ = alphabet[v >> 12 & 63];
        *at++ = left > 1 ? alphabet[v >> 6 & 63] : '=';
        *at++ = left > 2 ? alphabet[v & 63] : '=';
    }
}

void gba_wbuf_base64(struct gba_wbuf *w, struct gba_bytes b)
{
    uint8_t *at = room(w, GBA_BASE64_LEN(b.n));

    if (at != NULL)
        base64_to((char *)at, b);
}

bool gba_wbuf_ok(const struct gba_wbuf *w)
{
    return !w->overflow;
}

const char *gba_wbuf_cstr(struct gba_wbuf *w)
{
    if (w->overflow || w->n >= w->cap) {
        w->overflow = true;
        return "";
    }
    w->p[w->n] = '\0';
    return (const char *)w->p;
}

struct gba_bytes gba_wbuf_bytes(const struct gba_wbuf *w)
{
    return (struct gba_bytes){w->p, w->overflow ? 0 : w->n};
}

void gba_hex(char *out, struct gba_bytes b)
{
    hex_to(out, b, "0123456789abcdef");
    out[2 * b.n] = '\0';
}

void gba_hex_upper(char *out, struct gba_bytes b)
{
    hex_to(out, b, "0123456789ABCDEF");
    out[2 * b.n] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum gba_err gba_unhex(uint8_t *out, size_t cap, struct gba_text t, size_t *n)
{
    *n = 0;
    if (t.n % 2 != 0)
        return GBA_E_SYNTAX;
    if (t.n / 2 > cap)
        return GBA_E_TOO_LONG;
    for (size_t i = 0; i < t.n; i += 2) {
        int hi = hex_digit(t.s[i]), lo = hex_digit(t.s[i + 1]);

        if (hi < 0 || lo < 0)
            return GBA_E_SYNTAX;
        out[i / 2] = (uint8_t)(hi << 4 | lo);
    }
    *n = t.n / 2;
    return GBA_OK;
}

enum gba_err gba_unhex_exact(uint8_t *out, size_t n, struct gba_text t)
{
    size_t got;

    return t.n == 2 * n ? gba_unhex(out, n, t, &got) : GBA_E_SYNTAX;
}

void gba_base64(char *out, struct gba_bytes b)
{
    base64_to(out, b);
    out[GBA_BASE64_LEN(b.n)] = '\0';
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

enum gba_err gba_unbase64(uint8_t *out, size_t cap, struct gba_text t, size_t *n)
{
    size_t pad = 0, len;
    uint32_t v = 0;

    *n = 0;
    if (t.n % 4 != 0)
        return GBA_E_SYNTAX;
    if (t.n != 0 && t.s[t.n - 1] == '=')
        pad = t.s[t.n - 2] == '=' ? 2 : 1;
    len = t.n / 4 * 3 - pad;
    if (len > cap)
        return GBA_E_TOO_LONG;
    for (size_t i = 0; i < t.n; i++) {
        bool padding = i >= t.n - pad;
        int digit = padding ? 0 : base64_digit(t.s[i]);

        if (digit < 0)
            return GBA_E_SYNTAX;
        v = v << 6 | (uint32_t)digit;
        if (i % 4 != 3)
            continue;
        for (size_t k = 0; k < 3; k++) {
            uint8_t octet = (uint8_t)(v >> (16 - 8 * k));

            if (i / 4 * 3 + k < len)
                out[i / 4 * 3 + k] = octet;
            else if (octet != 0)
                return GBA_E_SYNTAX; /* unused bits must be zero: one encoding per value */
        }
        v = 0;
    }
    *n = len;
    return GBA_OK;
}
