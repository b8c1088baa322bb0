/*
 * The way of one Zn question: admit, session from the store, decide.  It decides nothing itself
 * and knows no wire format.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/zn_run.h"

#include <stdlib.h>

struct call {
    const struct zn_env *env;
    const struct zn_query *query;
    const struct policy_naf *naf;
    zn_run_done *done;
    void *arg;
};

static void finish(struct call *call, struct zn_outcome *o)
{
    o->naf = call->naf;
    call->done(call->arg, o);
    free(call);
}

static void decide(struct call *call, const struct bsf_session *s)
{
    struct zn_outcome o = {.err = GBA_E_NOMEM};
    /* Without a GSID in the question there is no list in the answer. */
    size_t size = call->query->request->n_gsids != 0 ? ZN_USS_LIST_SIZE : 1;
    uint8_t *room = malloc(size);
    struct gba_zn_answer answer;
    struct gba_wbuf list;

    if (room != NULL) {
        gba_wbuf_init(&list, room, size);
        o.err = zn_decide(call->env->policy, call->naf, call->query, s,
                          call->env->now_ms() / 1000, &answer, &list);
    }
    if (o.err == GBA_OK) {
        o.answer = &answer;
        o.impi = s->impi;
    }
    finish(call, &o);
    gba_wipe(&answer, sizeof(answer));
    free(room);
}

static void found(void *arg, enum gba_err err, const struct store_result *r)
{
    struct call *call = arg;
    struct zn_outcome o = {.err = err};

    if (err == GBA_OK && r != NULL && r->session != NULL)
        decide(call, r->session);
    else
        finish(call, &o);
}

void zn_run_start(const struct zn_env *env, const struct zn_query *query, zn_run_done *done,
                  void *arg)
{
    struct zn_outcome o = {.err = GBA_E_NOMEM};
    struct call *call = calloc(1, sizeof(*call));

    if (call == NULL) {
        done(arg, &o);
        return;
    }
    *call = (struct call){env, query, NULL, done, arg};
    o.err = zn_admit(env->policy, query, &call->naf);
    if (o.err != GBA_OK) {
        finish(call, &o);
        return;
    }
    env->store->session_get(env->store, query->request->btid, env->now_ms(), found, call);
}
