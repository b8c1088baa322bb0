/*
 * Sequence numbers on disk: for each subscriber the highest SQN that may have been given out.
 * A number is used only after a mark at or above it was synced, so a crash skips numbers and
 * never repeats one.  One process at a time (the file is locked).  Not thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_SQN_FILE_H
#define BSF_SQN_FILE_H

#include <stddef.h>

#include "common/identity.h"

struct sqn_mark {
    char impi[GBA_IMPI_SIZE];
    uint64_t sqn;
};

struct sqn_file;

/* Reads the marks into those of the array (sorted by impi) whose subscribers it knows, and
 * leaves the others' sqn as they are; lines of subscribers unknown to the array are kept.
 * A torn last line (a crash while writing) is dropped: its number was never used.
 * GBA_E_EXISTS: another process has the file; GBA_E_SYNTAX: the file is damaged (*line), or
 * empty;
 * GBA_E_IO. */
enum gba_err sqn_file_open(const char *path, struct sqn_mark *marks, size_t n, size_t *line,
                           struct sqn_file **out);
/* Appends marks that must be on disk before their numbers are used; GBA_OK means synced.  After
 * GBA_E_IO none of them may be used; another append may succeed. */
enum gba_err sqn_file_append(struct sqn_file *f, const struct sqn_mark *marks, size_t n);
/* Writes the file anew with exactly these marks (and the unknown subscribers'), synced, in
 * place of the old one.  GBA_E_IO: the old one stands. */
enum gba_err sqn_file_rewrite(struct sqn_file *f, const struct sqn_mark *marks, size_t n);
/* May files be made beside it, as a rewrite does?  GBA_E_IO: errno says why not.  Thread-safe.
 */
enum gba_err sqn_file_can_rewrite(const struct sqn_file *f);
/* Octets of the file, to see when a rewrite pays. */
size_t sqn_file_size(const struct sqn_file *f);
void sqn_file_close(struct sqn_file *f);

#endif
