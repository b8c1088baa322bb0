/*
 * The files of a key and its certificate, replaced together: the new pair is written aside
 * whole (NAME.next) before the old one goes, and a switch that was interrupted is finished by
 * whoever comes next.  Both with mode 0600.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_EST_PAIR_H
#define UA_EST_PAIR_H

#include "common/bytes.h"

/* Finishes an interrupted switch, or removes what an interrupted preparation left.  To be
 * called before the pair is read.  GBA_E_IO: errno tells. */
enum gba_err est_pair_recover(const char *cert_file, const char *key_file);

/* cert_file and key_file may be one file, which then holds both, the key first.  On an error
 * the old pair is as before, or est_pair_recover makes it the new one; a special_file is never
 * replaced (errno ENOTSUP). */
enum gba_err est_pair_write(const char *cert_file, struct gba_bytes cert, const char *key_file,
                            struct gba_bytes key);

#endif
