/*
 * common/coap_block.c: bodies in blocks, RFC 7959.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>

#include "common/coap_block.h"

static void test_option(void)
{
    static const struct {
        const char *hex;
        enum gba_err err;
        struct coap_block b;
    } rows[] = {
        {"", GBA_OK, {0, false, 0}},
        {"06", GBA_OK, {0, false, 6}},
        {"1e", GBA_OK, {1, true, 6}},
        {"ffffeb", GBA_OK, {0xffffe, true, 3}},
        {"07", GBA_E_SYNTAX, {9, false, 0}},
        {"0f", GBA_E_SYNTAX, {9, false, 0}},
        {"00000006", GBA_E_SYNTAX, {9, false, 0}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct coap_block b = {9, false, 0};

        CU_ASSERT_EQUAL(coap_block_read(unit_hex(rows[i].hex), &b), rows[i].err);
        CU_ASSERT(b.num == rows[i].b.num && b.more == rows[i].b.more && b.szx == rows[i].b.szx);
    }
    CU_ASSERT_EQUAL(coap_block_number(&(struct coap_block){1, true, 6}), 0x1e);
    CU_ASSERT_EQUAL(coap_block_number(&(struct coap_block){0xfffff, true, 6}), 0xfffffe);
}

#define CAP 100
struct world {
    uint8_t room[CAP], op[32];
    struct coap_body_in in;
};

static void begin(struct world *w)
{
    memset(w, 0, sizeof(*w));
    w->in.p = w->room;
    w->in.cap = CAP;
}

static enum gba_err take(struct world *w, uint32_t num, bool more, unsigned szx, size_t n)
{
    static uint8_t octets[2048];

    memset(octets, (int)('a' + num), sizeof(octets));
    return coap_body_take(&w->in, &(struct coap_block){num, more, szx}, w->op,
                          (struct gba_bytes){octets, n});
}

static void test_in_order(void)
{
    struct world w;

    begin(&w);
    CU_ASSERT_EQUAL(take(&w, 0, true, 0, 16), GBA_OK);
    CU_ASSERT_TRUE(w.in.active);
    CU_ASSERT_EQUAL(take(&w, 1, true, 0, 16), GBA_OK);
    CU_ASSERT_EQUAL(take(&w, 1, true, 1, 32), GBA_OK); /* larger blocks from here */
    CU_ASSERT_EQUAL(take(&w, 4, false, 0, 3), GBA_OK);
    CU_ASSERT_FALSE(w.in.active);
    CU_ASSERT_EQUAL(w.in.n, 67);
    CU_ASSERT(w.room[0] == 'a' && w.room[16] == 'b' && w.room[63] == 'b' && w.room[64] == 'e');
    CU_ASSERT_EQUAL(take(&w, 0, false, 0, 0), GBA_OK); /* an empty one */
    CU_ASSERT_EQUAL(w.in.n, 0);
    CU_ASSERT_EQUAL(take(&w, 0, true, 0, 16), GBA_OK);
    CU_ASSERT_EQUAL(take(&w, 0, true, 0, 16), GBA_OK); /* begins anew */
    CU_ASSERT_EQUAL(w.in.n, 16);
}

static void test_refused(void)
{
    struct world w;

    begin(&w);
    CU_ASSERT_EQUAL(take(&w, 1, true, 0, 16), GBA_E_UNEXPECTED); /* none under way */
    CU_ASSERT_EQUAL(take(&w, 0, true, 0, 16), GBA_OK);
    CU_ASSERT_EQUAL(take(&w, 2, true, 0, 16), GBA_E_UNEXPECTED); /* one is missing */
    CU_ASSERT_EQUAL(take(&w, 1, true, 0, 16), GBA_E_UNEXPECTED); /* and now all is over */
    CU_ASSERT_EQUAL(take(&w, 0, true, 0, 16), GBA_OK);
    w.op[31] = 1; /* another request */
    CU_ASSERT_EQUAL(take(&w, 1, true, 0, 16), GBA_E_UNEXPECTED);
    CU_ASSERT_EQUAL(take(&w, 0, true, 0, 15), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(take(&w, 0, true, 0, 17), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(take(&w, 0, false, 0, 17), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(take(&w, 0, true, 2, 64), GBA_OK);
    CU_ASSERT_EQUAL(take(&w, 1, false, 2, 37), GBA_E_TOO_LONG);
    CU_ASSERT_FALSE(w.in.active);
    CU_ASSERT_EQUAL(take(&w, 0, true, 2, 64), GBA_OK);
    CU_ASSERT_EQUAL(take(&w, 1, false, 2, 36), GBA_OK); /* just so */
    CU_ASSERT_EQUAL(take(&w, 0xfffff, true, 6, 1024), GBA_E_UNEXPECTED);
}

static void test_slices(void)
{
    uint8_t octets[40];
    struct gba_bytes body = {octets, sizeof(octets)}, out;
    struct coap_block b = {.szx = 0};
    static const size_t lengths[] = {16, 16, 8};

    for (b.num = 0; b.num < 3; b.num++) {
        CU_ASSERT_EQUAL(coap_body_slice(body, &b, &out), GBA_OK);
        CU_ASSERT(out.p == octets + 16 * b.num && out.n == lengths[b.num]);
        CU_ASSERT_EQUAL(b.more, b.num < 2);
    }
    CU_ASSERT_EQUAL(coap_body_slice(body, &b, &out), GBA_E_NOT_FOUND);
    b = (struct coap_block){.num = 1, .szx = 1};
    body.n = 32; /* nothing behind a full block */
    CU_ASSERT_EQUAL(coap_body_slice(body, &b, &out), GBA_E_NOT_FOUND);
    b.num = 0;
    CU_ASSERT_EQUAL(coap_body_slice(body, &b, &out), GBA_OK);
    CU_ASSERT(!b.more && out.n == 32);
    CU_ASSERT_EQUAL(coap_body_slice((struct gba_bytes){NULL, 0}, &b, &out), GBA_OK);
    CU_ASSERT(!b.more && out.n == 0);
    b = (struct coap_block){.num = 0xfffff, .szx = 6};
    CU_ASSERT_EQUAL(coap_body_slice(body, &b, &out), GBA_E_NOT_FOUND);
}

static const struct unit_test tests[] = {
    {"the option", test_option},
    {"in order", test_in_order},
    {"refused", test_refused},
    {"slices", test_slices},
};
UNIT_MAIN("coap_block", tests)
