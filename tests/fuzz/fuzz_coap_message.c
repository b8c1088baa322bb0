/*
 * Fuzz target: a CoAP datagram.  What is read prints and reads back the same; bodies in blocks
 * stay within their room.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/coap_block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct coap_message *a, const struct coap_message *b)
{
    if (a->type != b->type || a->code != b->code || a->id != b->id ||
        a->token_len != b->token_len || memcmp(a->token, b->token, a->token_len) != 0 ||
        a->n_options != b->n_options || a->payload.n != b->payload.n)
        abort();
    for (size_t i = 0; i < a->n_options; i++)
        if (a->option[i].number != b->option[i].number ||
            a->option[i].value.n != b->option[i].value.n ||
            memcmp(a->option[i].value.p, b->option[i].value.p, a->option[i].value.n) != 0)
            abort();
}

static void blocks(const struct coap_message *m)
{
    static uint8_t room[256];
    static struct coap_body_in in = {.p = room, .cap = sizeof(room)};
    const struct coap_option *o = coap_message_find(m, COAP_BLOCK1);
    uint8_t operation[COAP_OPERATION_LEN];
    struct coap_block b;
    struct gba_bytes slice;

    coap_message_operation(m, operation);
    if (o == NULL || coap_block_read(o->value, &b) != GBA_OK)
        return;
    if (coap_body_take(&in, &b, operation, m->payload) == GBA_OK && in.n > sizeof(room))
        abort();
    if (coap_body_slice(m->payload, &b, &slice) == GBA_OK &&
        (slice.n > m->payload.n || slice.n > COAP_BLOCK_SIZE(b.szx)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[1 << 20];
    struct coap_message m, back;
    struct gba_wbuf w;

    if (size > sizeof(room) / 2 ||
        coap_message_read((struct gba_bytes){data, size}, &m) != GBA_OK)
        return 0;
    gba_wbuf_init(&w, room, sizeof(room));
    coap_message_print(&m, &w);
    if (!gba_wbuf_ok(&w) || w.n > size ||
        coap_message_read(gba_wbuf_bytes(&w), &back) != GBA_OK)
        abort();
    same(&m, &back);
    blocks(&m);
    return 0;
}
