/*
 * Giving up root, and telling systemd that a daemon is ready.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_PRIVDROP_H
#define COMMON_HOST_PRIVDROP_H

#include "common/host/log.h"

/* NULL, "" or a user that there is; else GBA_E_CONFIG. */
enum gba_err privdrop_check(const char *user);
/* user NULL or "": stays (a warning when that is root).  GBA_E_CONFIG: no such user;
 * GBA_E_IO: the kernel refused; checked that there is no way back. */
enum gba_err privdrop(const char *user, struct log *log);

/* sd_notify(3) where built with libsystemd; "READY=1", "STOPPING=1". */
void notify_systemd(const char *state);

struct port {
    char *name, *address;
};
/* Writes "name=address" lines to FILE, whole or not at all (temporary file and rename); to a
 * special_file as it stands. */
enum gba_err ports_file_write(const char *file, const struct port *ports, size_t n);

#endif
