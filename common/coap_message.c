/*
 * CoAP messages: see coap_message.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/coap_message.h"

#include <string.h>

#include "common/crypto.h"

#define HEADER_LEN     4
#define VERSION        1
#define PAYLOAD_MARKER 0xff

/* ------------------------------------------------------------ reading */

static bool take(struct gba_bytes *rest, size_t n, struct gba_bytes *out)
{
    if (n > rest->n)
        return false;
    *out = (struct gba_bytes){rest->p, n};
    *rest = (struct gba_bytes){rest->p + n, rest->n - n};
    return true;
}

/* Four bits of an option's first octet, with what they are extended by (3.1). */
static bool read_extended(unsigned nibble, struct gba_bytes *rest, uint32_t *out)
{
    struct gba_bytes more;

    if (nibble == 15)
        return false;
    *out = nibble;
    if (nibble < 13)
        return true;
    if (!take(rest, nibble - 12, &more))
        return false;
    *out = nibble == 13 ? more.p[0] + 13U : (uint32_t)(more.p[0] << 8 | more.p[1]) + 269U;
    return true;
}

static enum gba_err read_option(struct gba_bytes *rest, uint32_t *number,
                                struct coap_message *out)
{
    struct gba_bytes first, value;
    uint32_t delta, length;

    if (!take(rest, 1, &first) || !read_extended(first.p[0] >> 4, rest, &delta) ||
        !read_extended(first.p[0] & 15, rest, &length) || !take(rest, length, &value))
        return GBA_E_SYNTAX;
    *number += delta;
    if (*number > UINT16_MAX)
        return GBA_E_SYNTAX;
    if (out->n_options == COAP_OPTIONS_MAX)
        return GBA_E_TOO_LONG;
    out->option[out->n_options++] = (struct coap_option){(uint16_t)*number, value};
    return GBA_OK;
}

static enum gba_err read_options(struct gba_bytes rest, struct coap_message *out)
{
    uint32_t number = 0;
    enum gba_err err = GBA_OK, first = GBA_OK;

    while (rest.n != 0 && rest.p[0] != PAYLOAD_MARKER) {
        err = read_option(&rest, &number, out);
        if (err == GBA_E_SYNTAX)
            return err;
        if (first == GBA_OK) /* too many, but are they well formed? */
            first = err;
    }
    if (rest.n == 1) /* a marker and nothing behind it (3) */
        return GBA_E_SYNTAX;
    if (rest.n != 0)
        out->payload = (struct gba_bytes){rest.p + 1, rest.n - 1};
    return first;
}

/* 4.2: reserved classes are refused like what is malformed. */
static bool is_reserved(uint8_t code)
{
    return COAP_CLASS(code) == 1 || COAP_CLASS(code) > 5;
}

enum gba_err coap_message_read(struct gba_bytes datagram, struct coap_message *out)
{
    struct gba_bytes rest = datagram, header, token;

    memset(out, 0, sizeof(*out));
    if (!take(&rest, HEADER_LEN, &header) || header.p[0] >> 6 != VERSION)
        return GBA_E_MISSING;
    out->type = (enum coap_type)(header.p[0] >> 4 & 3);
    out->code = header.p[1];
    out->id = (uint16_t)(header.p[2] << 8 | header.p[3]);
    if ((header.p[0] & 15) > COAP_TOKEN_MAX || !take(&rest, header.p[0] & 15, &token))
        return GBA_E_SYNTAX;
    if (token.n != 0)
        memcpy(out->token, token.p, token.n);
    out->token_len = token.n;
    if (is_reserved(out->code) || (out->code == COAP_EMPTY && datagram.n != HEADER_LEN))
        return GBA_E_SYNTAX;
    return read_options(rest, out);
}

/* ------------------------------------------------------------ making */

void coap_message_init(struct coap_message *m, enum coap_type type, uint8_t code, uint16_t id,
                       struct gba_bytes token)
{
    memset(m, 0, sizeof(*m));
    m->type = type;
    m->code = code;
    m->id = id;
    m->token_len = token.n <= COAP_TOKEN_MAX ? token.n : 0;
    if (m->token_len != 0)
        memcpy(m->token, token.p, m->token_len);
}

enum gba_err coap_message_add(struct coap_message *m, uint16_t number, struct gba_bytes value)
{
    size_t at = m->n_options;

    if (at == COAP_OPTIONS_MAX || value.n > UINT16_MAX)
        return GBA_E_TOO_LONG;
    while (at > 0 && m->option[at - 1].number > number) {
        m->option[at] = m->option[at - 1];
        at--;
    }
    m->option[at] = (struct coap_option){number, value};
    m->n_options++;
    return GBA_OK;
}

enum gba_err coap_message_add_number(struct coap_message *m, uint16_t number, uint32_t value)
{
    uint8_t *at = m->room + m->room_len;
    size_t n = value == 0         ? 0
               : value < 1U << 8  ? 1
               : value < 1U << 16 ? 2
               : value < 1U << 24 ? 3
                                  : 4;

    if (m->room_len + n > sizeof(m->room))
        return GBA_E_TOO_LONG;
    for (size_t i = 0; i < n; i++)
        at[i] = (uint8_t)(value >> 8 * (n - 1 - i));
    m->room_len += n;
    return coap_message_add(m, number, (struct gba_bytes){at, n});
}

static unsigned nibble_of(uint32_t v)
{
    return v < 13 ? v : v < 269 ? 13 : 14;
}

static void print_extended(uint32_t v, struct gba_wbuf *w)
{
    if (v >= 269)
        gba_wbuf_u16(w, (uint16_t)(v - 269));
    else if (v >= 13)
        gba_wbuf_u8(w, (uint8_t)(v - 13));
}

void coap_message_print(const struct coap_message *m, struct gba_wbuf *w)
{
    uint16_t last = 0;

    gba_wbuf_u8(w, (uint8_t)(VERSION << 6 | (unsigned)m->type << 4 | m->token_len));
    gba_wbuf_u8(w, m->code);
    gba_wbuf_u16(w, m->id);
    gba_wbuf_put(w, (struct gba_bytes){m->token, m->token_len});
    for (size_t i = 0; i < m->n_options; i++) {
        const struct coap_option *o = &m->option[i];
        uint32_t delta = (uint32_t)(o->number - last), length = (uint32_t)o->value.n;

        gba_wbuf_u8(w, (uint8_t)(nibble_of(delta) << 4 | nibble_of(length)));
        print_extended(delta, w);
        print_extended(length, w);
        gba_wbuf_put(w, o->value);
        last = o->number;
    }
    if (m->payload.n != 0) {
        gba_wbuf_u8(w, PAYLOAD_MARKER);
        gba_wbuf_put(w, m->payload);
    }
}

/* ------------------------------------------------------------ looking */

const struct coap_option *coap_message_find(const struct coap_message *m, uint16_t number)
{
    for (size_t i = 0; i < m->n_options; i++)
        if (m->option[i].number == number)
            return &m->option[i];
    return NULL;
}

enum gba_err coap_number_read(struct gba_bytes value, uint32_t max, uint32_t *out)
{
    uint32_t v = 0;

    if (value.n > 4)
        return GBA_E_SYNTAX;
    for (size_t i = 0; i < value.n; i++)
        v = v << 8 | value.p[i];
    if (v > max)
        return GBA_E_SYNTAX;
    *out = v;
    return GBA_OK;
}

/* Of the blocks themselves, or NoCacheKey (RFC 7252 5.4.6). */
static bool is_outside_key(uint16_t number)
{
    return number == COAP_BLOCK1 || number == COAP_BLOCK2 || (number & 0x1e) == 0x1c;
}

void coap_message_operation(const struct coap_message *m,
                            uint8_t out[static COAP_OPERATION_LEN])
{
    uint8_t head[COAP_OPTIONS_MAX][4];
    struct gba_bytes parts[2 * COAP_OPTIONS_MAX + 1] = {{&m->code, 1}};
    size_t n = 1;

    for (size_t i = 0; i < m->n_options; i++) {
        const struct coap_option *o = &m->option[i];

        if (is_outside_key(o->number))
            continue;
        head[i][0] = (uint8_t)(o->number >> 8);
        head[i][1] = (uint8_t)o->number;
        head[i][2] = (uint8_t)(o->value.n >> 8);
        head[i][3] = (uint8_t)o->value.n;
        parts[n++] = (struct gba_bytes){head[i], sizeof(head[i])};
        parts[n++] = o->value;
    }
    gba_hash(GBA_SHA256, parts, n, out);
}
