/*
 * Drives one Zn question between its two halves and the store, for any binding (HTTP, and later
 * Diameter and SBI).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_ZN_RUN_H
#define BSF_ZN_RUN_H

#include "bsf/store.h"
#include "bsf/zn.h"

struct zn_env {
    const struct policy *policy;
    struct store *store;
    int64_t (*now_ms)(void); /* since 1970 */
};

/* What came out, borrowed until done() returns.  answer and impi are NULL unless GBA_OK; naf is
 * NULL if no row matched. */
struct zn_outcome {
    enum gba_err err;
    const struct gba_zn_answer *answer;
    const struct policy_naf *naf;
    const char *impi; /* for the log */
};
typedef void zn_run_done(void *arg, const struct zn_outcome *o);

/* done() exactly once, perhaps before this returns.  query and all below it must stay valid
 * until then. */
void zn_run_start(const struct zn_env *env, const struct zn_query *query, zn_run_done *done,
                  void *arg);

#endif
