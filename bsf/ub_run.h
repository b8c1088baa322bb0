/*
 * Drives one run of ub.c between its ports: store, Zh, limiter, clock, entropy.  No HTTP here,
 * so that any front, and a test with virtual time, can start runs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_UB_RUN_H
#define BSF_UB_RUN_H

#include "common/limiter.h"
#include "bsf/store.h"
#include "bsf/ub.h"

struct ub_env {
    const struct ub_policy *policy;
    struct store *store;
    struct zh *zh;
    struct limiter *limiter; /* NULL: no limits */
    int64_t (*now_ms)(void); /* since 1970 */
    enum gba_err (*random)(void *out, size_t n);
};

/* run, as far as a log line needs it, is borrowed until done() returns; NULL without memory. */
typedef void ub_run_done(void *arg, const struct ub_answer *a, const struct ub_run *run);

/* Runs one request; done() exactly once, on any thread, perhaps before this returns.  request
 * and its views must stay valid until then.  address: of the peer, for the limits. */
void ub_run_start(const struct ub_env *env, const struct ub_request *request,
                  struct gba_bytes address, ub_run_done *done, void *arg);

#endif
