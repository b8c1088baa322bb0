/*
 * The database of a running MEF or MAF: that no other daemon has it, its master key, the rows
 * of the configuration in its registry, and the audit log beside it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEFD_DATABASE_H
#define NAF_MEFD_DATABASE_H

#include "naf/mef_rights.h"
#include "naf/mefd_conf.h"

struct mefd_database {
    const struct mefd_conf *conf;
    const struct conf *source; /* of conf, for complaints */
    struct log *log;
    struct mef *mef; /* has its policy; gets the store, the registry and the audit log */
    int lock_fd;     /* -1: not locked */
};

/* All log what is wrong, or complain with the place in the configuration.
 * GBA_E_CONFIG: another daemon has it open; another master key's; a row is wrong; its name is
 * too long. */
enum gba_err mefd_database_open(struct mefd_database *d);
/* For --check-config: an empty one in memory takes the rows. */
enum gba_err mefd_database_try(struct mefd_database *d);
/* Also of what was never opened. */
void mefd_database_close(struct mefd_database *d);

#endif
