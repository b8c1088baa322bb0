/*
 * One thread with a bounded queue, behind which a CA makes one certificate after the other:
 * what makes a blocking CA the asynchronous one of naf/ca.h.  The thread has every signal
 * blocked.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_CA_WORKER_H
#define NAF_CA_WORKER_H

#include "naf/ca.h"

struct ca_worker;

/* idle: called every period_s while the thread has nothing better to do; NULL: never.
 * GBA_E_NOMEM: no thread. */
enum gba_err ca_worker_start(mef_ca_make *make, void (*idle)(void *ctx), unsigned period_s,
                             void *ctx, size_t depth, struct ca_worker **out);
/* As mef_ca.issue; depth counts what waits, not what is being made. */
enum gba_err ca_worker_ask(struct ca_worker *w, const struct mef_ca_request *rq,
                           mef_ca_done *done, void *arg);
/* Should what is being made be given up? */
bool ca_worker_is_stopping(struct ca_worker *w);
/* Lets what is being made end, answers what waits with GBA_E_CANCELLED.  NULL is fine. */
void ca_worker_stop(struct ca_worker *w);

#endif
