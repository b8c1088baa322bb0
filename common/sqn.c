/*
 * Sequence numbers, TS 33.102 Annex C: time-independent SEQ, five bits of IND, a window of one
 * SEQ per IND, freshness limit delta.  No storage: who keeps the state decides when it is safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/sqn.h"

#include <stdbool.h>
#include <stddef.h>

#define SEQ_MAX (GBA_SQN_MAX >> GBA_SQN_IND_BITS)

static uint64_t seq_of(uint64_t sqn)
{
    return (sqn & GBA_SQN_MAX) >> GBA_SQN_IND_BITS;
}

uint64_t gba_sqn_get(const uint8_t sqn[static 6])
{
    uint64_t v = 0;

    for (size_t i = 0; i < 6; i++)
        v = v << 8 | sqn[i];
    return v;
}

void gba_sqn_put(uint64_t value, uint8_t sqn[static 6])
{
    for (size_t i = 0; i < 6; i++)
        sqn[i] = (uint8_t)(value >> (8 * (5 - i)));
}

/* The index of the highest SQN accepted; among equal SEQ the highest IND. */
static size_t highest(const struct gba_sqn_usim *u)
{
    size_t best = 0;

    for (size_t i = 1; i < GBA_SQN_ARRAY; i++)
        if (u->seq[i] != 0 && u->seq[i] >= u->seq[best])
            best = i;
    return best;
}

enum gba_err gba_sqn_accept(struct gba_sqn_usim *u, uint64_t sqn)
{
    const uint64_t seq = seq_of(sqn), seq_ms = u->seq[highest(u)];
    const size_t ind = sqn % GBA_SQN_ARRAY;

    if (sqn > GBA_SQN_MAX)
        return GBA_E_SYNC;
    if (seq > seq_ms && seq - seq_ms > GBA_SQN_DELTA) /* C.2.2 (i) */
        return GBA_E_SYNC;
    if (seq <= u->seq[ind]) /* C.2.2 (iii); the age limit L of (ii) is not used */
        return GBA_E_SYNC;
    u->seq[ind] = seq;
    return GBA_OK;
}

uint64_t gba_sqn_ms(const struct gba_sqn_usim *u)
{
    const size_t i = highest(u);

    return u->seq[i] << GBA_SQN_IND_BITS | i;
}

enum gba_err gba_sqn_next(uint64_t last, unsigned ind, uint64_t *next)
{
    if (ind >= GBA_SQN_ARRAY || last > GBA_SQN_MAX)
        return GBA_E_ARGUMENT;
    if (seq_of(last) == SEQ_MAX)
        return GBA_E_OVERLOAD;
    *next = (seq_of(last) + 1) << GBA_SQN_IND_BITS | ind;
    return GBA_OK;
}

void gba_sqn_resync(uint64_t *last, uint64_t sqn_ms)
{
    const uint64_t next = seq_of(*last) + 1, seq_ms = seq_of(sqn_ms);
    const bool fresh = next > seq_ms && next - seq_ms <= GBA_SQN_DELTA && next <= SEQ_MAX;

    if (!fresh)
        *last = sqn_ms & GBA_SQN_MAX;
}
