/*
 * The hands of ub.c: does what ub_step says at the ports and feeds back what they answer.
 * It decides nothing.  Ports may answer on any thread; a run is never at two ports at once,
 * so it needs no lock.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/ub_run.h"

#include <stdlib.h>
#include <string.h>

struct call {
    const struct ub_env *env;
    struct ub_run run;
    uint8_t address[16];
    size_t address_len;
    ub_run_done *done;
    void *arg;
};

static void perform(struct call *call, enum ub_do todo);

static void feed(struct call *call, struct ub_event *ev, enum gba_err err)
{
    if (ub_wants_random(&call->run) &&
        call->env->random(ev->random, sizeof(ev->random)) != GBA_OK)
        err = GBA_E_ENTROPY;
    ev->kind = ub_event_of(err);
    ev->err = err;
    ev->now_ms = call->env->now_ms();
    perform(call, ub_step(&call->run, ev));
}

static void stored(void *arg, enum gba_err err, const struct store_result *r)
{
    struct ub_event ev = {.kind = UB_EV_ERROR};

    if (r != NULL) {
        ev.challenge = r->challenge;
        ev.impi = r->impi;
        ev.guss = r->guss;
        ev.failures = r->failures;
    }
    feed(arg, &ev, err);
}

static void asked(void *arg, enum gba_err err, const struct zh_answer *a)
{
    struct ub_event ev = {.kind = UB_EV_ERROR};

    if (a != NULL) {
        ev.av = &a->av;
        ev.guss = a->guss;
    }
    feed(arg, &ev, err == GBA_OK && a == NULL ? GBA_E_ZH_FAILURE : err);
}

static void admit(struct call *call)
{
    const struct ub_env *env = call->env;
    struct ub_event ev = {.kind = UB_EV_ERROR};
    enum gba_err err = GBA_OK;

    if (env->limiter != NULL)
        err = limiter_take(env->limiter, gba_text(call->run.impi),
                           (struct gba_bytes){call->address, call->address_len}, env->now_ms(),
                           &ev.retry_after_s);
    feed(call, &ev, err);
}

static void finish(struct call *call)
{
    call->done(call->arg, &call->run.answer, &call->run);
    ub_run_release(&call->run);
    free(call);
}

/* After a port was called, call may be gone: every branch ends with it. */
static void perform(struct call *call, enum ub_do todo)
{
    struct store *s = call->env->store;
    struct ub_run *run = &call->run;
    int64_t now = call->env->now_ms();

    switch (todo) {
    case UB_DO_ANSWER:
        finish(call);
        return;
    case UB_DO_RESOLVE:
        s->tmpi_get(s, run->username, now, stored, call);
        return;
    case UB_DO_FIND:
        s->challenge_find(s, run->username, run->realm, run->policy->repeat_window_ms, now,
                          stored, call);
        return;
    case UB_DO_ADMIT:
        admit(call);
        return;
    case UB_DO_RECALL:
        s->guss_get(s, run->impi, now, stored, call);
        return;
    case UB_DO_ASK:
        call->env->zh->ask(call->env->zh, &run->query, asked, call);
        return;
    case UB_DO_KEEP:
        s->challenge_put(s, &run->challenge, now, stored, call);
        return;
    case UB_DO_GET:
        s->challenge_get(s, run->rand, now, stored, call);
        return;
    case UB_DO_OPEN:
        s->session_open(s, &run->session, run->username, now, stored, call);
        return;
    case UB_DO_COUNT:
        s->challenge_fail(s, run->rand, run->state == UB_UNCLAIMING, run->policy->max_failures,
                          now, stored, call);
        return;
    case UB_DO_CLAIM:
        s->challenge_claim_auts(s, run->rand, now, stored, call);
        return;
    case UB_DO_DROP:
        s->challenge_drop(s, run->rand, now, stored, call);
        return;
    }
}

static void refuse_no_memory(ub_run_done *done, void *arg)
{
    static const struct ub_answer answer = {
        .verdict = UB_REFUSED, .reason = GBA_E_NOMEM, .retry_after_s = 1};

    done(arg, &answer, NULL);
}

void ub_run_start(const struct ub_env *env, const struct ub_request *request,
                  struct gba_bytes address, ub_run_done *done, void *arg)
{
    struct ub_event ev = {.kind = UB_EV_REQUEST, .request = request};
    struct call *call = malloc(sizeof(*call));

    if (call == NULL) {
        refuse_no_memory(done, arg);
        return;
    }
    call->env = env;
    call->done = done;
    call->arg = arg;
    call->address_len = address.n < sizeof(call->address) ? address.n : sizeof(call->address);
    memcpy(call->address, address.p, call->address_len);
    ub_run_init(&call->run, env->policy);
    ev.now_ms = env->now_ms();
    perform(call, ub_step(&call->run, &ev));
}
