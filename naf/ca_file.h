/*
 * Files of the lab CA: read whole, replaced atomically (written aside, synced, renamed, folder
 * synced), or grown by one synced line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_CA_FILE_H
#define NAF_CA_FILE_H

#include <sys/types.h>

#include "common/bytes.h"

#define CA_FILE_MAX (4u * 1024 * 1024) /* a CRL of some 100,000 entries */

/* malloc'ed, for the caller to wipe and free; a NUL stands behind it.  secret: group and others
 * may have no right to it, else GBA_E_FORBIDDEN.  GBA_E_NOT_FOUND; GBA_E_TOO_LONG; GBA_E_IO:
 * errno tells. */
enum gba_err ca_file_read(const char *path, bool secret, uint8_t **out, size_t *n);
/* GBA_E_IO: errno tells, and path is as before. */
enum gba_err ca_file_write(const char *path, struct gba_bytes data, mode_t mode);
/* A file that was not there, mode 0600, on the disk with its folder.  GBA_E_IO: errno tells, EEXIST
 * among it, and no file of ours is left. */
enum gba_err ca_file_write_new(const char *path, struct gba_bytes data);
/* GBA_E_IO: errno tells, and fd's file is as before. */
enum gba_err ca_file_append(int fd, struct gba_bytes line);

/* That a file of this path was made, renamed or removed is on the disk. */
bool ca_file_sync_folder(const char *path);

#endif
