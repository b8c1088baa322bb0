/*
 * HTTP replies out of a fuzz input, one after another, parted by NUL.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_FUZZ_REPLIES_H
#define TESTS_FUZZ_REPLIES_H

#include "ua/gba_ue.h"

struct replies {
    const uint8_t *at;
    size_t left;
    struct gba_ue_field fields[GBA_UE_MAX_FIELDS];
    char head[65536];
};

void replies_begin(struct replies *r, const uint8_t *at, size_t left);
/* Fills reply, which is good until the next call.  False: no reply could be read, as if the
 * connection had broken. */
bool replies_next(struct replies *r, struct gba_ue_reply *reply);

#endif
