/*
 * The rows of mefd's configuration, put into the registry at each start.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEFD_ROWS_H
#define NAF_MEFD_ROWS_H

#include "naf/mef_registry.h"
#include "naf/mefd_conf.h"

/* All rows or none; a log line names the one that is wrong.  GBA_E_CONFIG: a row is malformed,
 * repeated, names a target without a row, or is there already by the administration; the
 * registry's errors. */
enum gba_err mefd_load_rows(const struct mef_policy *p, const struct mefd_conf *c,
                            struct mef_registry *g, struct log *log);

#endif
