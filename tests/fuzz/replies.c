/*
 * HTTP replies out of a fuzz input: see replies.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/fuzz/replies.h"

#include <string.h>

void replies_begin(struct replies *r, const uint8_t *at, size_t left)
{
    r->at = at;
    r->left = left;
}

bool replies_next(struct replies *r, struct gba_ue_reply *reply)
{
    const uint8_t *from = r->at, *end = r->left != 0 ? memchr(from, 0, r->left) : NULL;
    size_t n = end != NULL ? (size_t)(end - from) : r->left, n_head;
    const uint8_t *body = memmem(from, n, "\r\n\r\n", 4);

    r->at += n + (end != NULL);
    r->left -= n + (end != NULL);
    n_head = body != NULL ? (size_t)(body - from) + 4 : n;
    memset(reply, 0, sizeof(*reply));
    if (n_head == 0 || n_head > sizeof(r->head))
        return false;
    memcpy(r->head, from, n_head);
    if (gba_ue_reply_parse(r->head, n_head, r->fields, reply) != GBA_OK)
        return false;
    reply->body = from + n_head;
    reply->body_len = n - n_head;
    return true;
}
