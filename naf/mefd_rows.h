/*
 * The rows of mefd's configuration, put into the registry at each start.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEFD_ROWS_H
#define NAF_MEFD_ROWS_H

#include "naf/mef_audit.h"
#include "naf/mef_registry.h"
#include "naf/mefd_conf.h"

/* The form of the rows of zn.bsfs.  GBA_E_CONFIG, with a line of conf_complain. */
enum gba_err mefd_check_zn(const struct mefd_zn_conf *c, const struct conf *source);

/* All rows or none.  source: c's.  GBA_E_CONFIG, with a line of conf_complain: a row is
 * malformed, repeated, names a target without a row, or is there already by the administration;
 * the registry's errors, with a log line.
 * audit, unless NULL, is told what ended with rows of the start before. */
enum gba_err mefd_load_rows(const struct mef_policy *p, const struct mefd_conf *c,
                            const struct conf *source, struct mef_registry *g,
                            struct mef_audit *audit, struct log *log);

#endif
