/*
 * Subscribers and AKA outputs, as several lists have them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_VECTORS_AKA_H
#define TESTS_VECTORS_AKA_H

#include "tests/vectors/run.h"

/* Of an entry that names no algorithm and has neither TOP nor TOPc, which make it TUAK, nor
 * FMK, which makes it 3GPP2's. */
#define VEC_NAMED GBA_AKA_N_ALGORITHMS

/* The algorithm of member `name`, or `otherwise` (VEC_NAMED: the entry is broken). */
bool vec_algorithm(const struct vec_node *n, const char *name, enum gba_aka_algorithm otherwise,
                   enum gba_aka_algorithm *out);

/* k, op|opc|top|topc|fmk, iterations, res_len of an algorithm; res_len 0: its usual one. False:
 * the entry is broken. */
bool vec_secret(const struct vec_node *n, enum gba_aka_algorithm a, size_t res_len,
                struct gba_aka_secret *s);

/* Compares mac_a, res, ck, ik, ak, ak_star, autn and auts, and fills *av. */
void vec_is_aka(const struct vec_node *out, const struct gba_aka_secret *s,
                const uint8_t rand[static 16], const uint8_t sqn[static 6],
                const uint8_t amf[static 2], struct gba_av *av);

#endif
