/*
 * The names and keys of the benchmark of mefd: what the load generator and the fake BSF must
 * agree on.  Numbered enrolees, for each a KpmID, a certificate's name, a B-TID.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_BENCH_MEF_NAMES_H
#define TESTS_BENCH_MEF_NAMES_H

#include "common/identity.h"

#define BENCH_BSF    "bsf.lab.test"
#define BENCH_KPM    "bench-kpm-of-32-octets-a-row-has"
#define BENCH_ORIGIN 64

enum bench_kind { BENCH_PSK, BENCH_CERT, BENCH_GBA };

/* -1: no such kind. */
int bench_kind_of(const char *text);
/* The Enrolee-ID, and what stands before its number in other names: 'p', 'c', 'g'. */
char bench_letter(enum bench_kind kind);
void bench_origin(enum bench_kind kind, unsigned i, char out[static BENCH_ORIGIN]);

void bench_btid(unsigned i, char out[static GBA_BTID_SIZE]);
/* Whose it is; false: not one of ours. */
bool bench_btid_number(const char *btid, unsigned *i);
void bench_impi(unsigned i, char out[static GBA_IMPI_SIZE]);
/* Any function of both will do. */
void bench_naf_key(const char *btid, struct gba_bytes naf_id, uint8_t out[static 32]);

#endif
