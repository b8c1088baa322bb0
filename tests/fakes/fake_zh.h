/*
 * An HSS behind the Zh port, in process: real vectors by common/aka.h, real SQN handling and
 * resynchronisation, a GUSS, and faults.  Answers wait until fake_zh_serve, as an adapter's do.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_FAKES_FAKE_ZH_H
#define TESTS_FAKES_FAKE_ZH_H

#include "bsf/zh.h"
#include "tests/fakes/faults.h"

#define FAKE_ZH_QUEUE 8

struct fake_zh {
    struct zh port;
    struct faults *faults;

    /* the one subscriber */
    const char *impi;
    struct gba_aka_secret secret;
    uint64_t sqn;          /* last issued */
    struct gba_guss *guss; /* NULL: none; owned */

    enum gba_err fails; /* GBA_OK, or what every answer is */
    bool same_rand;     /* repeats one RAND */
    bool bad_mac;       /* AUTN of another network */
    bool ignores_auts;  /* takes a resynchronisation for an ordinary question */

    struct zh_query last;
    unsigned n_asked;
    struct {
        struct zh_query q;
        zh_done *done;
        void *arg;
    } queue[FAKE_ZH_QUEUE];
    size_t n_queue;
};

void fake_zh_init(struct fake_zh *z, const char *impi, const struct gba_aka_secret *secret,
                  struct faults *faults);
/* Answers what waits; false: nothing waited. */
bool fake_zh_serve(struct fake_zh *z);
void fake_zh_end(struct fake_zh *z);

#endif
