/*
 * A USIM port in front of a real one: counts commands, lets one fail, and can be slow or wrong.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_FAKES_FAULTY_USIM_H
#define TESTS_FAKES_FAULTY_USIM_H

#include "tests/fakes/faults.h"
#include "ua/usim.h"

struct faulty_usim {
    struct gba_ue_usim port;
    struct gba_ue_usim *real; /* borrowed */
    struct faults *faults;
    int64_t takes_s; /* virtual time per AUTHENTICATE */
    bool wrong_res;  /* spoils the first octet of RES */
    bool unflipped;  /* GBA_U: gives RES without its last bit flipped */
    unsigned n_auth; /* AUTHENTICATEs */
};

void faulty_usim_init(struct faulty_usim *f, struct gba_ue_usim *real, struct faults *faults);

#endif
