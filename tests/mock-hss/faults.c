/*
 * What is to go wrong: see mock_hss.h.  Faults are used up in the order in which they came.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/mock-hss/mock_hss.h"

#include <limits.h>
#include <string.h>

static const char *const kinds[MALFORMED_N] = {
#define X(name, text) [MALFORMED_##name] = text,
    MALFORMED_KINDS(X)
#undef X
};

void faults_init(struct faults *f)
{
    memset(f, 0, sizeof(*f));
    pthread_mutex_init(&f->lock, NULL);
}

static void remove_at(struct faults *f, size_t i)
{
    memmove(&f->list[i], &f->list[i + 1], (f->n - i - 1) * sizeof(f->list[0]));
    f->n--;
}

bool faults_add(struct faults *f, const struct fault *fault)
{
    bool room;

    pthread_mutex_lock(&f->lock);
    room = f->n < FAULTS_MAX;
    if (room)
        f->list[f->n++] = *fault;
    pthread_mutex_unlock(&f->lock);
    return room;
}

void faults_clear(struct faults *f)
{
    pthread_mutex_lock(&f->lock);
    f->n = 0;
    pthread_mutex_unlock(&f->lock);
}

void faults_remove(struct faults *f, enum fault_kind kind, const char *impi)
{
    pthread_mutex_lock(&f->lock);
    for (size_t i = f->n; i-- > 0;)
        if (f->list[i].kind == kind && strcmp(f->list[i].impi, impi) == 0)
            remove_at(f, i);
    pthread_mutex_unlock(&f->lock);
}

bool faults_take(struct faults *f, enum fault_kind kind, struct gba_text impi,
                 struct fault *out)
{
    bool found = false;

    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->n && !found; i++) {
        struct fault *one = &f->list[i];

        if (one->kind != kind || (strcmp(one->impi, "*") != 0 && !gba_text_is(impi, one->impi)))
            continue;
        *out = *one;
        found = true;
        if (one->left != UINT_MAX && --one->left == 0)
            remove_at(f, i);
    }
    pthread_mutex_unlock(&f->lock);
    return found;
}

enum malformed malformed_by_name(struct gba_text name)
{
    for (int i = MALFORMED_NONE + 1; i < MALFORMED_N; i++)
        if (gba_text_is(name, kinds[i]))
            return (enum malformed)i;
    return MALFORMED_NONE;
}

const char *malformed_name(enum malformed kind)
{
    return kinds[kind];
}
