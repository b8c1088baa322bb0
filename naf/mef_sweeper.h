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

/* audit: NULL, if none is kept.  GBA_E_NOMEM: no thread. */
enum gba_err mef_sweeper_start(struct mef_store *store, struct mef_audit *audit,
                               struct log *log, struct mef_sweeper **out);
void mef_sweeper_stop(struct mef_sweeper *s); /* NULL is fine */

#endif
