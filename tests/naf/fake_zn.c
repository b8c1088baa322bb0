/*
 * A Zn port without a BSF behind it: see fake_zn.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/naf/fake_zn.h"

#include <assert.h>

static void ask(struct zn *self, const struct zn_query *q, zn_done *done, void *arg)
{
    struct fake_zn *f = (struct fake_zn *)(void *)self;

    pthread_mutex_lock(&f->lock);
    assert(f->n_asked < FAKE_ZN_MAX);
    f->asked[f->n_asked] = *q;
    f->done[f->n_asked] = done;
    f->arg[f->n_asked] = arg;
    f->n_asked++;
    pthread_mutex_unlock(&f->lock);
}

void fake_zn_answer(struct fake_zn *f, enum gba_err err, const struct gba_zn_answer *a)
{
    size_t i;

    pthread_mutex_lock(&f->lock);
    assert(f->n_answered < f->n_asked);
    i = f->n_answered++;
    pthread_mutex_unlock(&f->lock);
    f->done[i](f->arg[i], err, err == GBA_OK ? a : NULL);
}

static void close_fake(struct zn *self)
{
    struct fake_zn *f = (struct fake_zn *)(void *)self;

    while (f->n_answered < f->n_asked)
        fake_zn_answer(f, GBA_E_CANCELLED, NULL);
    f->closed = true;
    pthread_mutex_destroy(&f->lock);
}

void fake_zn_init(struct fake_zn *f)
{
    *f = (struct fake_zn){.zn = {.name = "fake", .ask = ask, .close = close_fake}};
    pthread_mutex_init(&f->lock, NULL);
}
