/*
 * Block-wise transfer, RFC 7959, as decisions over the caller's memory: one body that comes in
 * blocks (Block1), one that goes out in blocks (Block2).  In order only, one of each at a
 * time: what a client with one request under way needs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_COAP_BLOCK_H
#define COMMON_COAP_BLOCK_H

#include "common/coap_message.h"

#define COAP_SZX_MAX         6 /* blocks of 1024 octets */
#define COAP_BLOCK_SIZE(szx) ((size_t)16 << (szx))

struct coap_block {
    uint32_t num; /* of blocks of this size */
    bool more;
    unsigned szx; /* the size is 2 ** (szx + 4) */
};
/* GBA_E_SYNTAX: over three octets, or the reserved szx 7 (2.2). */
enum gba_err coap_block_read(struct gba_bytes value, struct coap_block *out);
uint32_t coap_block_number(const struct coap_block *b); /* for coap_message_add_number */

/* A body coming in.  The caller owns p (cap octets) and begins with active false. */
struct coap_body_in {
    uint8_t operation[COAP_OPERATION_LEN];
    uint8_t *p;
    size_t cap, n;
    bool active;
};
/* Takes a block of the operation (coap_message_operation).  GBA_OK: taken; with b->more false
 * the body is whole: p, n, and active is false.  Any refusal ends the transfer:
 * GBA_E_UNEXPECTED: not the next block of the one under way (4.08); GBA_E_TOO_LONG: more than
 * cap (4.13); GBA_E_SYNTAX: the payload is not of the block's size (4.00).  Block 0 begins
 * anew. */
enum gba_err coap_body_take(struct coap_body_in *in, const struct coap_block *b,
                            const uint8_t operation[static COAP_OPERATION_LEN],
                            struct gba_bytes payload);

/* The b->num-th block of body; b->more is set.  GBA_E_NOT_FOUND: behind its end. */
enum gba_err coap_body_slice(struct gba_bytes body, struct coap_block *b,
                             struct gba_bytes *out);

#endif
