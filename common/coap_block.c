/*
 * Block-wise transfer: see coap_block.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/coap_block.h"

#include <string.h>

enum gba_err coap_block_read(struct gba_bytes value, struct coap_block *out)
{
    uint32_t v;

    if (value.n > 3 || coap_number_read(value, 0xffffff, &v) != GBA_OK ||
        (v & 7) > COAP_SZX_MAX)
        return GBA_E_SYNTAX;
    *out = (struct coap_block){.num = v >> 4, .more = (v & 8) != 0, .szx = v & 7};
    return GBA_OK;
}

uint32_t coap_block_number(const struct coap_block *b)
{
    return b->num << 4 | (b->more ? 8U : 0U) | b->szx;
}

static enum gba_err end(struct coap_body_in *in, enum gba_err err)
{
    in->active = false;
    return err;
}

enum gba_err coap_body_take(struct coap_body_in *in, const struct coap_block *b,
                            const uint8_t operation[static COAP_OPERATION_LEN],
                            struct gba_bytes payload)
{
    size_t size = COAP_BLOCK_SIZE(b->szx);

    if (b->num == 0) {
        memcpy(in->operation, operation, sizeof(in->operation));
        in->n = 0;
        in->active = true;
    }
    if (!in->active || memcmp(in->operation, operation, sizeof(in->operation)) != 0 ||
        (uint64_t)b->num * size != in->n)
        return end(in, GBA_E_UNEXPECTED);
    if (payload.n > size || (b->more && payload.n != size))
        return end(in, GBA_E_SYNTAX);
    if (payload.n > in->cap - in->n)
        return end(in, GBA_E_TOO_LONG);
    if (payload.n != 0)
        memcpy(in->p + in->n, payload.p, payload.n);
    in->n += payload.n;
    in->active = b->more;
    return GBA_OK;
}

enum gba_err coap_body_slice(struct gba_bytes body, struct coap_block *b, struct gba_bytes *out)
{
    size_t size = COAP_BLOCK_SIZE(b->szx);
    uint64_t from = (uint64_t)b->num * size;

    if (from != 0 && from >= body.n)
        return GBA_E_NOT_FOUND;
    b->more = body.n - from > size;
    *out = (struct gba_bytes){body.n != 0 ? body.p + from : NULL,
                              b->more ? size : body.n - (size_t)from};
    return GBA_OK;
}
