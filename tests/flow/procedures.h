/*
 * Whole procedures as data, each run with something failing at its first, second, ... last
 * chance; and what must hold whatever failed: a clean error, nothing half-stored, and the next
 * undisturbed run succeeds.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_FLOW_PROCEDURES_H
#define TESTS_FLOW_PROCEDURES_H

#include "tests/flow/lab.h"

struct procedure {
    const char *name;
    void (*configure)(struct lab *l); /* between lab_init and lab_open; may be NULL */
    void (*prepare)(struct lab *l);   /* what went before; may be NULL */
    enum gba_err (*run)(struct lab *l);
    enum gba_err outcome; /* undisturbed */
};

extern const struct procedure procedures[];
extern const size_t n_procedures;

void procedure_open(const struct procedure *p, struct lab *l);
/* After a disturbed run: asserts all of the above, and closes the lab. */
void procedure_check(const struct procedure *p, struct lab *l, enum gba_err err);

#endif
