/*
 * Commands in the administration's JSON, read strictly and written: for mef_admin.c and
 * mef_admin_rows.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_ADMIN_COMMAND_H
#define NAF_MEF_ADMIN_COMMAND_H

#include "naf/mef_admin_rows.h"

/* The rest of a request: enrolee, stakeholder, class and the class's arguments, with values
 * that a client of this MEF would take. */
enum gba_err mef_command_read(struct mef_in *in, struct mef_command *out);
/* Its members, into o. */
void mef_command_write(json_t *o, const struct mef_command *c);

#endif
