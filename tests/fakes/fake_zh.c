/*
 * The HSS of the flow tests; see tests/fakes/fake_zh.h.  TS 33.102 6.3, Annex C.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/fakes/fake_zh.h"

#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "common/sqn.h"

static void fake_ask(struct zh *port, const struct zh_query *q, zh_done *done, void *arg)
{
    struct fake_zh *z = (struct fake_zh *)(void *)port;

    if (z->n_queue == FAKE_ZH_QUEUE)
        abort();
    z->queue[z->n_queue].q = *q;
    z->queue[z->n_queue].done = done;
    z->queue[z->n_queue++].arg = arg;
}

static bool fake_healthy(struct zh *port)
{
    (void)port;
    return true;
}

static void fake_close(struct zh *port)
{
    (void)port;
}

void fake_zh_init(struct fake_zh *z, const char *impi, const struct gba_aka_secret *secret,
                  struct faults *faults)
{
    memset(z, 0, sizeof(*z));
    z->port = (struct zh){"fake", fake_ask, fake_healthy, fake_close};
    z->impi = impi;
    z->secret = *secret;
    z->faults = faults;
}

static enum gba_err resynchronise(struct fake_zh *z, const struct zh_query *q)
{
    uint8_t sqn_ms[6];

    if (gba_aka_open_auts(&z->secret, q->auts_rand, q->auts, sqn_ms) != GBA_OK)
        return GBA_E_AUTS;
    gba_sqn_resync(&z->sqn, gba_sqn_get(sqn_ms));
    return GBA_OK;
}

static enum gba_err make_vector(struct fake_zh *z, struct gba_av *av)
{
    static const uint8_t amf[2] = {0, 0};
    uint8_t rand[16], sqn[6];
    enum gba_err err = gba_sqn_next(z->sqn, 0, &z->sqn);

    gba_sqn_put(z->sqn, sqn);
    memset(rand, 0x5a, sizeof(rand));
    if (!z->same_rand)
        fake_random(rand, sizeof(rand));
    if (err == GBA_OK)
        err = gba_aka_vector(&z->secret, rand, sqn, amf, av);
    if (z->bad_mac)
        av->autn[15] ^= 1;
    return err;
}

static enum gba_err make_answer(struct fake_zh *z, const struct zh_query *q,
                                struct zh_answer *a)
{
    enum gba_err err = GBA_OK;

    if (z->fails != GBA_OK)
        return z->fails;
    if (strcmp(q->impi, z->impi) != 0)
        return GBA_E_SUBSCRIBER_UNKNOWN;
    if (q->resync && !z->ignores_auts)
        err = resynchronise(z, q);
    a->guss = z->guss;
    return err == GBA_OK ? make_vector(z, &a->av) : err;
}

bool fake_zh_serve(struct fake_zh *z)
{
    struct zh_answer a = {.guss = NULL};
    enum gba_err err;
    size_t i;

    if (z->n_queue == 0)
        return false;
    i = --z->n_queue;
    z->last = z->queue[i].q;
    z->n_asked++;
    err = faults_hit(z->faults, "zh") ? GBA_E_ZH_TIMEOUT : make_answer(z, &z->queue[i].q, &a);
    z->queue[i].done(z->queue[i].arg, err, err == GBA_OK ? &a : NULL);
    gba_wipe(&a.av, sizeof(a.av));
    return true;
}

void fake_zh_end(struct fake_zh *z)
{
    gba_guss_unref(z->guss);
    gba_wipe(z, sizeof(*z));
}
