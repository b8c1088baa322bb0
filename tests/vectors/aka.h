/*
 * Subscribers and AKA outputs, as several lists have them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_VECTORS_AKA_H
#define TESTS_VECTORS_AKA_H

#include "tests/vectors/run.h"

/* The algorithm of member `name`; without it TUAK if there is a TOP or TOPc, else Milenage. */
bool vec_algorithm(const struct vec_node *n, const char *name, enum gba_aka_algorithm *out);

/* k, op|opc|top|topc, iterations, res_len; res_len 0: the algorithm's usual one.  False: the
 * entry is broken. */
bool vec_secret(const struct vec_node *n, const char *algorithm, size_t res_len,
                struct gba_aka_secret *s);

/* Compares mac_a, res, ck, ik, ak, ak_star, autn and auts, and fills *av. */
void vec_is_aka(const struct vec_node *out, const struct gba_aka_secret *s,
                const uint8_t rand[static 16], const uint8_t sqn[static 6],
                const uint8_t amf[static 2], struct gba_av *av);

#endif
