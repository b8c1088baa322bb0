/*
 * A thread that removes from the store what has expired, once a second, and
 * writes the audit log.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_SWEEPER_H
#define NAF_MEF_SWEEPER_H

#include "common/host/log.h"
#include "naf/mef_audit.h"
#include "naf/mef_store.h"

struct mef_sweeper;

/* What has expired at now(arg), seconds since 1970, goes; it is asked on the sweeper's thread.
 */
struct mef_sweeper_clock {
    int64_t (*now_s)(void *arg);
    void *arg;
};

/* audit: NULL, if none is kept.  GBA_E_NOMEM: no thread. */
enum gba_err mef_sweeper_start(struct mef_store *store, struct mef_audit *audit,
                               struct log *log, struct mef_sweeper **out);
/* The same by another clock than the system's. */
enum gba_err mef_sweeper_start_by(const struct mef_sweeper_clock *clock,
                                  struct mef_store *store, struct mef_audit *audit,
                                  struct log *log, struct mef_sweeper **out);
/* Has it sweep now, and returns when a sweep that began after this call has ended. */
void mef_sweeper_wake(struct mef_sweeper *s);
void mef_sweeper_stop(struct mef_sweeper *s); /* NULL is fine */

#endif
