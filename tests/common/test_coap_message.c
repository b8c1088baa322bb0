/*
 * common/coap_message.c: octets of RFC 7252 3 both ways.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/coap_message.h"

/* RFC 7252 A, figure 16: GET coap://server/temperature, and its answer. */
static void test_of_the_rfc(void)
{
    struct coap_message m;

    CU_ASSERT_EQUAL(coap_message_read(unit_hex("41017d3420bb74656d7065726174757265"), &m),
                    GBA_OK);
    CU_ASSERT_EQUAL(m.type, COAP_CON);
    CU_ASSERT_EQUAL(m.code, COAP_GET);
    CU_ASSERT_EQUAL(m.id, 0x7d34);
    UNIT_BYTES_EQ(m.token, m.token_len, "20");
    CU_ASSERT_EQUAL(m.n_options, 1);
    CU_ASSERT_EQUAL(m.option[0].number, COAP_URI_PATH);
    CU_ASSERT(gba_text_is(gba_bytes_text(m.option[0].value), "temperature"));
    CU_ASSERT_EQUAL(m.payload.n, 0);
    CU_ASSERT_EQUAL(coap_message_read(unit_hex("61457d3420ff32322e332043"), &m), GBA_OK);
    CU_ASSERT_EQUAL(m.type, COAP_ACK);
    CU_ASSERT_EQUAL(m.code, COAP_CONTENT);
    CU_ASSERT(gba_text_is(gba_bytes_text(m.payload), "22.3 C"));
}

static void test_malformed(void)
{
    static const struct {
        const char *hex;
        enum gba_err err;
    } rows[] = {
        {"", GBA_E_MISSING},
        {"400100", GBA_E_MISSING},
        {"00010001", GBA_E_MISSING},                  /* version 0 */
        {"80010001", GBA_E_MISSING},                  /* version 2 */
        {"40000001", GBA_OK},                         /* a ping */
        {"41000001aa", GBA_E_SYNTAX},                 /* empty with a token */
        {"40000001ff00", GBA_E_SYNTAX},               /* empty with a payload */
        {"49010001112233445566778899", GBA_E_SYNTAX}, /* token of nine */
        {"42010001aa", GBA_E_SYNTAX},                 /* token cut off */
        {"40200001", GBA_E_SYNTAX},                   /* code 1.00 */
        {"40c10001", GBA_E_SYNTAX},                   /* code 6.01 */
        {"40e10001", GBA_E_SYNTAX},                   /* code 7.01 */
        {"40010001ff", GBA_E_SYNTAX},                 /* marker without payload */
        {"40010001b5617461", GBA_E_SYNTAX},           /* value cut off */
        {"40010001d0", GBA_E_SYNTAX},                 /* delta cut off */
        {"40010001e000", GBA_E_SYNTAX},               /* delta cut off */
        {"4001000110", GBA_OK},                       /* empty option */
        {"400100010d", GBA_E_SYNTAX},                 /* length cut off */
        {"400100010e00", GBA_E_SYNTAX},               /* length cut off */
        {"400100010f", GBA_E_SYNTAX},                 /* reserved length */
        {"40010001f000", GBA_E_SYNTAX},               /* reserved delta */
        {"40010001e0fef2", GBA_OK},                   /* number 65535 */
        {"40010001e0fef3", GBA_E_SYNTAX},             /* number 65536 */
        {"40010001e0ffff", GBA_E_SYNTAX},
        {"40010001e0fef210", GBA_E_SYNTAX}, /* one more behind 65535 */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct coap_message m;
        enum gba_err err = coap_message_read(unit_hex(rows[i].hex), &m);

        CU_ASSERT_EQUAL(err, rows[i].err);
        if (err != rows[i].err)
            printf("%s: %s\n", rows[i].hex, gba_err_name(err));
        if (err == GBA_E_SYNTAX) { /* enough to reset it */
            CU_ASSERT_EQUAL(m.type, COAP_CON);
            CU_ASSERT_EQUAL(m.id, 1);
        }
    }
}

static void test_too_many_options(void)
{
    uint8_t octets[4 + 1 + COAP_OPTIONS_MAX + 3] = {0x41, 0x01, 0x12, 0x34, 0xaa};
    struct coap_message m;

    memset(octets + 5, 0x10, COAP_OPTIONS_MAX + 1);
    CU_ASSERT_EQUAL(coap_message_read((struct gba_bytes){octets, 5 + COAP_OPTIONS_MAX}, &m),
                    GBA_OK);
    CU_ASSERT_EQUAL(m.n_options, COAP_OPTIONS_MAX);
    CU_ASSERT_EQUAL(coap_message_read((struct gba_bytes){octets, 6 + COAP_OPTIONS_MAX}, &m),
                    GBA_E_TOO_LONG);
    UNIT_BYTES_EQ(m.token, m.token_len, "aa"); /* enough to answer it */
    octets[6 + COAP_OPTIONS_MAX] = 0xff;       /* and malformed */
    CU_ASSERT_EQUAL(coap_message_read((struct gba_bytes){octets, 7 + COAP_OPTIONS_MAX}, &m),
                    GBA_E_SYNTAX);
}

static void test_extended(void)
{
    static const uint16_t numbers[] = {0, 12, 13, 268, 269, 270, 65535};
    static const size_t lengths[] = {0, 12, 13, 268, 269, 300, 65804};
    static uint8_t value[65804], room[70000];
    struct coap_message m, back;
    struct gba_wbuf w;

    for (size_t i = 0; i < 7; i++)
        for (size_t j = 0; j < 7; j++) {
            size_t n = lengths[j] <= UINT16_MAX ? lengths[j] : UINT16_MAX;

            coap_message_init(&m, COAP_NON, COAP_PUT, 7, unit_hex("0102030405060708"));
            CU_ASSERT_EQUAL(coap_message_add(&m, numbers[i], (struct gba_bytes){value, n}),
                            GBA_OK);
            m.payload = unit_hex("ff");
            gba_wbuf_init(&w, room, sizeof(room));
            coap_message_print(&m, &w);
            CU_ASSERT(gba_wbuf_ok(&w));
            CU_ASSERT_EQUAL(coap_message_read(gba_wbuf_bytes(&w), &back), GBA_OK);
            CU_ASSERT_EQUAL(back.option[0].number, numbers[i]);
            CU_ASSERT_EQUAL(back.option[0].value.n, n);
            UNIT_BYTES_EQ(back.payload.p, back.payload.n, "ff");
            UNIT_BYTES_EQ(back.token, back.token_len, "0102030405060708");
        }
    CU_ASSERT_EQUAL(coap_message_add(&m, 1, (struct gba_bytes){value, 65536}), GBA_E_TOO_LONG);
}

static void test_order_and_numbers(void)
{
    struct coap_message m;
    uint8_t room[64];
    struct gba_wbuf w;

    coap_message_init(&m, COAP_ACK, COAP_CONTENT, 0x1234, unit_hex("aa"));
    CU_ASSERT_EQUAL(coap_message_add_number(&m, 307, 2000), GBA_OK);
    CU_ASSERT_EQUAL(coap_message_add(&m, COAP_URI_PATH, unit_hex("61")), GBA_OK);
    CU_ASSERT_EQUAL(coap_message_add_number(&m, COAP_MAX_AGE, 0), GBA_OK);
    CU_ASSERT_EQUAL(coap_message_add(&m, COAP_URI_PATH, unit_hex("62")), GBA_OK);
    CU_ASSERT_EQUAL(coap_message_add_number(&m, COAP_CONTENT_FORMAT, 50), GBA_OK);
    gba_wbuf_init(&w, room, sizeof(room));
    coap_message_print(&m, &w);
    UNIT_BYTES_EQ(w.p, w.n, "61451234aab1610162113220e2001807d0");
    CU_ASSERT_EQUAL(coap_message_add_number(&m, 20, 1 << 16), GBA_OK);
    UNIT_BYTES_EQ(coap_message_find(&m, 20)->value.p, coap_message_find(&m, 20)->value.n,
                  "010000");
    CU_ASSERT_PTR_NULL(coap_message_find(&m, 21));
    for (size_t i = 0; i < 6; i++)
        coap_message_add_number(&m, 60, UINT32_MAX);
    CU_ASSERT_EQUAL(coap_message_add_number(&m, 60, UINT32_MAX), GBA_E_TOO_LONG);
    while (m.n_options < COAP_OPTIONS_MAX)
        CU_ASSERT_EQUAL(coap_message_add(&m, 1, unit_hex("00")), GBA_OK);
    CU_ASSERT_EQUAL(coap_message_add(&m, 1, unit_hex("00")), GBA_E_TOO_LONG);
    gba_wbuf_init(&w, room, 10);
    coap_message_print(&m, &w);
    CU_ASSERT_FALSE(gba_wbuf_ok(&w));
}

static void test_number_read(void)
{
    static const struct {
        const char *hex;
        uint32_t max;
        enum gba_err err;
        uint32_t v;
    } rows[] = {
        {"", 9, GBA_OK, 0},
        {"00", 0, GBA_OK, 0},
        {"0000", 9, GBA_OK, 0},
        {"0009", 9, GBA_OK, 9},
        {"0a", 9, GBA_E_SYNTAX, 77},
        {"ffffffff", UINT32_MAX, GBA_OK, UINT32_MAX},
        {"0000000001", 9, GBA_E_SYNTAX, 77},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t v = 77;

        CU_ASSERT_EQUAL(coap_number_read(unit_hex(rows[i].hex), rows[i].max, &v), rows[i].err);
        CU_ASSERT_EQUAL(v, rows[i].v);
    }
}

/* The same but for blocks, token, id, payload; another in one octet of an option. */
static void test_operation(void)
{
    struct coap_message m;
    uint8_t one[32], other[32];

    coap_message_init(&m, COAP_CON, COAP_PUT, 1, unit_hex("aa"));
    coap_message_add(&m, COAP_URI_PATH, unit_hex("6162"));
    coap_message_operation(&m, one);
    coap_message_init(&m, COAP_NON, COAP_PUT, 2, unit_hex("bb"));
    coap_message_add(&m, COAP_URI_PATH, unit_hex("6162"));
    coap_message_add_number(&m, COAP_BLOCK1, 0x1e);
    coap_message_add_number(&m, COAP_BLOCK2, 0x06);
    coap_message_add_number(&m, COAP_SIZE1, 5000);
    m.payload = unit_hex("00");
    coap_message_operation(&m, other);
    CU_ASSERT(memcmp(one, other, 32) == 0);
    m.code = COAP_POST;
    coap_message_operation(&m, other);
    CU_ASSERT(memcmp(one, other, 32) != 0);
    coap_message_init(&m, COAP_CON, COAP_PUT, 1, unit_hex("aa"));
    coap_message_add(&m, COAP_URI_PATH, unit_hex("61"));
    coap_message_add(&m, COAP_URI_PATH, unit_hex("62"));
    coap_message_operation(&m, other);
    CU_ASSERT(memcmp(one, other, 32) != 0);
}

static const struct unit_test tests[] = {
    {"figure 16 of the RFC", test_of_the_rfc},
    {"malformed, row by row", test_malformed},
    {"too many options", test_too_many_options},
    {"extended numbers and lengths", test_extended},
    {"order, numbers, room", test_order_and_numbers},
    {"numbers of options", test_number_read},
    {"the operation", test_operation},
};
UNIT_MAIN("coap_message", tests)
