/*
 * A store in front of a real one: counts calls, lets one fail, and keeps a tally of what the
 * real one must hold, by what it promised to whom.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_FAKES_FAULTY_STORE_H
#define TESTS_FAKES_FAULTY_STORE_H

#include "bsf/store.h"
#include "tests/fakes/faults.h"

struct faulty_store {
    struct store port;
    struct store *real; /* borrowed */
    struct faults *faults;
    unsigned n_opened; /* sessions */
};

void faulty_store_init(struct faulty_store *f, struct store *real, struct faults *faults);

#endif
