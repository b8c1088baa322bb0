/*
 * Borrowed views of octets and text, a bounded writer that remembers overflow, and the two
 * encodings of every protocol here: hexadecimal and base64 (RFC 4648 4, with padding).
 * Nothing here owns memory.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_BYTES_H
#define COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* A view: pointer and length in octets, borrowed from whoever made it.  p may be NULL only
 * with n == 0. */
struct gba_bytes {
    const uint8_t *p;
    size_t n;
};

/* Text: n characters (octets of UTF-8), not NUL-terminated. */
struct gba_text {
    const char *s;
    size_t n;
};

#define GBA_BYTES(array)  ((struct gba_bytes){(array), sizeof(array)})
#define GBA_TEXT(literal) ((struct gba_text){"" literal, sizeof(literal) - 1})

struct gba_text gba_text(const char *cstr); /* NULL gives an empty view */
struct gba_bytes gba_text_bytes(struct gba_text t);
struct gba_text gba_bytes_text(struct gba_bytes b);

bool gba_text_eq(struct gba_text a, struct gba_text b);
bool gba_text_eq_nocase(struct gba_text a, struct gba_text b); /* ASCII case folding */
bool gba_text_is(struct gba_text a, const char *cstr);
bool gba_text_ends(struct gba_text a, const char *suffix);
bool gba_text_starts(struct gba_text a, const char *prefix);

/* Copies t and a NUL.  GBA_E_TOO_LONG: t.n >= cap (out is then ""); GBA_E_SYNTAX: t holds a
 * NUL. */
enum gba_err gba_text_copy(char *out, size_t cap, struct gba_text t);

/* Splits at the first or last c: true and both halves, or false and head = all of t. */
bool gba_text_split(struct gba_text t, char c, struct gba_text *head, struct gba_text *tail);
bool gba_text_rsplit(struct gba_text t, char c, struct gba_text *head, struct gba_text *tail);

/* Decimal digits only, at most max.  GBA_E_SYNTAX otherwise. */
enum gba_err gba_text_number(struct gba_text t, uint64_t max, uint64_t *out);

/* A writer over the caller's memory.  Writing past cap writes nothing and sets overflow;
 * check gba_wbuf_ok once at the end. */
struct gba_wbuf {
    uint8_t *p;
    size_t cap, n;
    bool overflow;
};

void gba_wbuf_init(struct gba_wbuf *w, void *p, size_t cap);
void gba_wbuf_put(struct gba_wbuf *w, struct gba_bytes b);
void gba_wbuf_text(struct gba_wbuf *w, struct gba_text t);
void gba_wbuf_str(struct gba_wbuf *w, const char *cstr);
void gba_wbuf_u8(struct gba_wbuf *w, uint8_t v);
void gba_wbuf_u16(struct gba_wbuf *w, uint16_t v); /* big-endian */
void gba_wbuf_number(struct gba_wbuf *w, uint64_t v); /* decimal digits */
void gba_wbuf_hex(struct gba_wbuf *w, struct gba_bytes b); /* lower case */
void gba_wbuf_base64(struct gba_wbuf *w, struct gba_bytes b);
bool gba_wbuf_ok(const struct gba_wbuf *w);
/* Ends with a NUL (not counted in n) and returns the text; "" after an overflow. */
const char *gba_wbuf_cstr(struct gba_wbuf *w);
struct gba_bytes gba_wbuf_bytes(const struct gba_wbuf *w);

/* Hexadecimal.  out holds 2 * b.n + 1 characters, NUL included. */
void gba_hex(char *out, struct gba_bytes b); /* lower case */
void gba_hex_upper(char *out, struct gba_bytes b);
/* Either case, an even number of digits, at most cap octets; *n is their number.
 * GBA_E_SYNTAX: another character or an odd count; GBA_E_TOO_LONG: more than cap. */
enum gba_err gba_unhex(uint8_t *out, size_t cap, struct gba_text t, size_t *n);
/* Exactly n octets, or GBA_E_SYNTAX. */
enum gba_err gba_unhex_exact(uint8_t *out, size_t n, struct gba_text t);

/* Characters of the base64 of n octets, without the NUL. */
#define GBA_BASE64_LEN(n) (((n) + 2) / 3 * 4)
/* out holds GBA_BASE64_LEN(b.n) + 1 characters. */
void gba_base64(char *out, struct gba_bytes b);
/* Strict: alphabet of RFC 4648 4, padding required, no white space, unused bits zero.
 * Errors as gba_unhex. */
enum gba_err gba_unbase64(uint8_t *out, size_t cap, struct gba_text t, size_t *n);

#endif
