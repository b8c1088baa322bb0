/*
 * Sequence numbers by TS 33.102 Annex C: SQN (48 bits) = SEQ (43) || IND (5); freshness limit
 * delta = 2^28, no age limit L.  State is the caller's to keep; nothing here stores.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_SQN_H
#define COMMON_SQN_H

#include "common/err.h"

#include <stdint.h>

#define GBA_SQN_IND_BITS 5
#define GBA_SQN_ARRAY    (1u << GBA_SQN_IND_BITS)
#define GBA_SQN_DELTA    (UINT64_C(1) << 28)
#define GBA_SQN_MAX      ((UINT64_C(1) << 48) - 1)

uint64_t gba_sqn_get(const uint8_t sqn[static 6]);
void gba_sqn_put(uint64_t value, uint8_t sqn[static 6]);

/* USIM: the array of the highest SEQ accepted per IND (C.2.1). */
struct gba_sqn_usim {
    uint64_t seq[GBA_SQN_ARRAY];
};

/* GBA_OK: accepted, the array is moved on; GBA_E_SYNC: not fresh, the array is untouched. */
enum gba_err gba_sqn_accept(struct gba_sqn_usim *u, uint64_t sqn);
/* SQN_MS: SEQ_MS (the highest of the array) || its IND (C.2.2). */
uint64_t gba_sqn_ms(const struct gba_sqn_usim *u);

/* AuC: from the last SQN issued to the next one: SEQ + 1, the given IND (0-31).
 * GBA_E_OVERLOAD: the counter is at its end (C.1: it never wraps); GBA_E_ARGUMENT: no such IND. */
enum gba_err gba_sqn_next(uint64_t last, unsigned ind, uint64_t *next);
/* AuC after a verified AUTS: if SQN_MS is ahead, or `last` so far ahead that the USIM would not take the
 * next one (C.1.1.3, C.2.1), *last becomes SQN_MS, so that the next SEQ is SEQ_MS + 1; else it is kept. */
void gba_sqn_resync(uint64_t *last, uint64_t sqn_ms);

#endif
