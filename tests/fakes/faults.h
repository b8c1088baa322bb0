/*
 * Faults on demand for tests: one count over the calls of all ports, and the call that fails.
 * Also virtual time and counted randomness, the same in every run.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_FAKES_FAULTS_H
#define TESTS_FAKES_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct faults {
    unsigned n_calls; /* of ports, since the last reset */
    unsigned fail_at; /* this one fails; 0: none */
    bool answer_lost; /* where a port can: it does its work and only its answer is lost */
    const char *hit;  /* the port whose call failed; NULL: none yet */
};

/* Counts one call of a port: does it fail?  faults NULL: never. */
bool faults_hit(struct faults *f, const char *port);

/* Milliseconds since 1970. */
int64_t fake_now_ms(void);
void fake_set_now_ms(int64_t ms);
void fake_pass_s(int64_t s);

/* While above 0, allocations are the test's own: none of them is made to fail. */
extern int fake_own_allocations;

/* SHA-256 of a count that never goes back. */
void fake_random(void *out, size_t n);

#endif
