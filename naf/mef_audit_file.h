/*
 * The audit log in a file beside the database: see mef_audit.h.  Lines wait in the database
 * until they are on the disk of the file, so that a crash between the two loses none and
 * doubles none.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_AUDIT_FILE_H
#define NAF_MEF_AUDIT_FILE_H

#include "naf/mef_audit.h"
#include "naf/mef_store.h"

/* Opens or makes the file (0600, append only) and brings it up to date.  It belongs to the
 * store, which must outlive it.  *altered: the file ends otherwise than the database says,
 * which mef_audit.verify tells more about; it is written on.  GBA_E_FORBIDDEN: not a plain
 * file, or others may write it; GBA_E_IO, GBA_E_NOMEM. */
enum gba_err mef_audit_file_open(struct mef_store *store, const char *file,
                                 struct mef_audit **out, bool *altered);
void mef_audit_file_close(struct mef_audit *a); /* NULL is fine */

#endif
