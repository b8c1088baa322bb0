/*
 * A thread that removes from the store what has expired, once a minute.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_SWEEPER_H
#define NAF_MEF_SWEEPER_H

#include "common/host/log.h"
#include "naf/mef_store.h"

struct mef_sweeper;

/* GBA_E_NOMEM: no thread. */
enum gba_err mef_sweeper_start(struct mef_store *store, struct log *log,
                               struct mef_sweeper **out);
void mef_sweeper_stop(struct mef_sweeper *s); /* NULL is fine */

#endif
