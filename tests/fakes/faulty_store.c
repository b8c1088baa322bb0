/*
 * A store whose n-th call fails: before it has done anything, or (answer_lost) after it has;
 * see tests/fakes/faulty_store.h and the contract in bsf/store.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/fakes/faulty_store.h"

#include <string.h>

static const struct store_result nothing;

/* One call on its way; the real store answers before the call returns. */
struct call {
    bool lost;
    enum gba_err err;
    store_done *done;
    void *arg;
};

static struct faulty_store *self_of(struct store *s)
{
    return (struct faulty_store *)(void *)s;
}

/* False: the call fails here, done has run. */
static bool pass(struct store *s, struct call *c, const char *port, store_done *done, void *arg)
{
    struct faulty_store *f = self_of(s);

    *c = (struct call){.done = done, .arg = arg};
    if (!faults_hit(f->faults, port))
        return true;
    c->lost = f->faults->answer_lost;
    if (!c->lost)
        done(arg, GBA_E_IO, &nothing);
    return c->lost;
}

static void answered(void *arg, enum gba_err err, const struct store_result *r)
{
    struct call *c = arg;

    c->err = err;
    if (c->lost)
        c->done(c->arg, GBA_E_IO, &nothing);
    else
        c->done(c->arg, err, r);
}

static void f_put(struct store *s, const struct bsf_challenge *ch, int64_t t, store_done *d,
                  void *a)
{
    struct store *real = self_of(s)->real;
    struct call c;

    if (pass(s, &c, "challenge_put", d, a))
        real->challenge_put(real, ch, t, answered, &c);
}

static void f_find(struct store *s, const char *u, const char *r, int64_t w, int64_t t,
                   store_done *d, void *a)
{
    struct store *real = self_of(s)->real;
    struct call c;

    if (pass(s, &c, "challenge_find", d, a))
        real->challenge_find(real, u, r, w, t, answered, &c);
}

static void f_get(struct store *s, const uint8_t r[static 16], int64_t t, store_done *d,
                  void *a)
{
    struct store *real = self_of(s)->real;
    struct call c;

    if (pass(s, &c, "challenge_get", d, a))
        real->challenge_get(real, r, t, answered, &c);
}

static void f_fail(struct store *s, const uint8_t r[static 16], bool was_auts, unsigned n,
                   int64_t t, store_done *d, void *a)
{
    struct store *real = self_of(s)->real;
    struct call c;

    if (pass(s, &c, "challenge_fail", d, a))
        real->challenge_fail(real, r, was_auts, n, t, answered, &c);
}

static void f_claim(struct store *s, const uint8_t r[static 16], int64_t t, store_done *d,
                    void *a)
{
    struct store *real = self_of(s)->real;
    struct call c;

    if (pass(s, &c, "challenge_claim_auts", d, a))
        real->challenge_claim_auts(real, r, t, answered, &c);
}

static void f_drop(struct store *s, const uint8_t r[static 16], int64_t t, store_done *d,
                   void *a)
{
    struct store *real = self_of(s)->real;
    struct call c;

    if (pass(s, &c, "challenge_drop", d, a))
        real->challenge_drop(real, r, t, answered, &c);
}

static void f_open(struct store *s, const struct bsf_session *se, const char *u, int64_t t,
                   store_done *d, void *a)
{
    struct faulty_store *f = self_of(s);
    struct call c;

    if (!pass(s, &c, "session_open", d, a))
        return;
    f->real->session_open(f->real, se, u, t, answered, &c);
    f->n_opened += c.err == GBA_OK;
}

static void f_session(struct store *s, const char *b, int64_t t, store_done *d, void *a)
{
    struct store *real = self_of(s)->real;
    struct call c;

    if (pass(s, &c, "session_get", d, a))
        real->session_get(real, b, t, answered, &c);
}

static void f_tmpi(struct store *s, const char *n, int64_t t, store_done *d, void *a)
{
    struct store *real = self_of(s)->real;
    struct call c;

    if (pass(s, &c, "tmpi_get", d, a))
        real->tmpi_get(real, n, t, answered, &c);
}

static void f_guss(struct store *s, const char *n, int64_t t, store_done *d, void *a)
{
    struct store *real = self_of(s)->real;
    struct call c;

    if (pass(s, &c, "guss_get", d, a))
        real->guss_get(real, n, t, answered, &c);
}

static void f_guss_put(struct store *s, const char *n, struct gba_guss *g, int64_t t,
                       store_done *d, void *a)
{
    struct store *real = self_of(s)->real;
    struct call c;

    if (pass(s, &c, "guss_put", d, a))
        real->guss_put(real, n, g, t, answered, &c);
}

static void f_expire(struct store *s, int64_t t)
{
    self_of(s)->real->expire(self_of(s)->real, t);
}

static void f_stats(struct store *s, struct store_stats *out)
{
    self_of(s)->real->stats(self_of(s)->real, out);
}

static void f_close(struct store *s)
{
    (void)s; /* the real one's owner closes it */
}

void faulty_store_init(struct faulty_store *f, struct store *real, struct faults *faults)
{
    *f = (struct faulty_store){.real = real, .faults = faults};
    f->port = (struct store){.name = "faulty",
                             .challenge_put = f_put,
                             .challenge_find = f_find,
                             .challenge_get = f_get,
                             .challenge_fail = f_fail,
                             .challenge_claim_auts = f_claim,
                             .challenge_drop = f_drop,
                             .session_open = f_open,
                             .session_get = f_session,
                             .tmpi_get = f_tmpi,
                             .guss_get = f_guss,
                             .guss_put = f_guss_put,
                             .expire = f_expire,
                             .stats = f_stats,
                             .close = f_close};
}
