/*
 * A Zn port without a BSF behind it, for tests with virtual time: it keeps each question until
 * the test answers it, or answers by itself from a table.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_NAF_FAKE_ZN_H
#define TESTS_NAF_FAKE_ZN_H

#include <pthread.h>

#include "naf/zn.h"

#define FAKE_ZN_MAX 64

struct fake_zn {
    struct zn zn; /* lies in the test: close does not free it */
    pthread_mutex_t lock;
    struct zn_query asked[FAKE_ZN_MAX];
    zn_done *done[FAKE_ZN_MAX];
    void *arg[FAKE_ZN_MAX];
    size_t n_asked, n_answered;
    bool closed;
};

void fake_zn_init(struct fake_zn *f);
/* Answers the oldest open question. */
void fake_zn_answer(struct fake_zn *f, enum gba_err err, const struct gba_zn_answer *a);

#endif
