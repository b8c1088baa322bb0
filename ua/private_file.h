/*
 * Files that hold secrets: mode 0600, read whole, replaced atomically (written aside, synced,
 * renamed, folder synced), so that a crash leaves the old one or the new one,
 * and where the file system has files without a name (O_TMPFILE) no copy aside, but for the
 * instant before the rename.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_PRIVATE_FILE_H
#define UA_PRIVATE_FILE_H

#include "common/bytes.h"

/* Reads at most cap octets of an open file.  GBA_E_FORBIDDEN: not a plain file, or group or
 * others may read or write it; GBA_E_TOO_LONG; GBA_E_IO. */
enum gba_err private_file_read(int fd, uint8_t *out, size_t cap, size_t *n);

/* replace false: GBA_E_EXISTS if path exists.  GBA_E_IO: errno tells, path is as before; a
 * special_file is never replaced (ENOTSUP). */
enum gba_err private_file_write(const char *path, struct gba_bytes data, bool replace);

#endif
