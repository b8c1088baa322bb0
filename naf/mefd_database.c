/*
 * See mefd_database.h.  A change of the master key that was cut short is brought to its end as
 * the database is opened.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefd_database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "naf/mef_audit_file.h"
#include "naf/mef_store_sqlite.h"
#include "naf/mefd_rows.h"

static enum gba_err open_file(struct mefd_database *d, const char *file,
                              const uint8_t master[static MEF_MASTER_KEY_LEN])
{
    char why[256];
    enum gba_err err = mef_store_sqlite_open(file, master, &d->mef->store, why, sizeof(why));

    if (err == GBA_OK)
        d->mef->registry = mef_store_sqlite_registry(d->mef->store);
    else
        LOG(d->log, LOG_LV_ERROR, "mef.database", LOG_STR("file", file), LOG_STR("why", why),
            LOG_ERR(err));
    return err;
}

static enum gba_err load_rows(const struct mefd_database *d)
{
    return mefd_load_rows(d->mef->policy, d->conf, d->source, d->mef->registry, d->mef->audit,
                          d->log);
}

#define NAME_SIZE 4096

/* The name of a file beside the database. */
static enum gba_err name_beside(const struct mefd_database *d, const char *suffix,
                                char out[static NAME_SIZE])
{
    if ((size_t)snprintf(out, NAME_SIZE, "%s%s", d->conf->database, suffix) < NAME_SIZE)
        return GBA_OK;
    LOG(d->log, LOG_LV_ERROR, "mef.database", LOG_STR("file", d->conf->database),
        LOG_STR("why", "the name is too long"));
    return GBA_E_CONFIG;
}

/* One daemon a database: another would go on under a master key that this one has changed.  The
 * lock is on a file beside it, for to close any descriptor of the database itself would drop
 * SQLite's own locks. */
static enum gba_err lock(struct mefd_database *d)
{
    const char *why = "another daemon has it open";
    char file[NAME_SIZE];
    enum gba_err err = name_beside(d, ".lock", file);

    if (err != GBA_OK)
        return err;
    d->lock_fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (d->lock_fd >= 0 && flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return GBA_OK;
    if (d->lock_fd < 0 || errno != EWOULDBLOCK)
        why = strerror(errno);
    LOG(d->log, LOG_LV_ERROR, "mef.database", LOG_STR("file", d->conf->database),
        LOG_STR("why", why));
    return d->lock_fd < 0 ? GBA_E_IO : GBA_E_CONFIG;
}

/* A change of the master key that was cut short ends here, either way. */
static enum gba_err open_with(struct mefd_database *d,
                              uint8_t master[static MEF_MASTER_KEY_LEN])
{
    enum gba_err err = open_file(d, d->conf->database, master);

    if (d->conf->master_key == NULL) /* a credential, which is not changed here */
        return err;
    if (err == GBA_OK)
        return mef_master_key_settle(d->conf->master_key, false);
    if (err != GBA_E_CONFIG || d->mef->store != NULL ||
        mef_master_key_next(d->conf->master_key, master) != GBA_OK)
        return err;
    err = open_file(d, d->conf->database, master);
    if (err != GBA_OK)
        return err;
    LOG(d->log, LOG_LV_NOTICE, "mef.master_key",
        LOG_STR("why", "the change that was cut short is done"));
    return mef_master_key_settle(d->conf->master_key, true);
}

static enum gba_err open_audit(struct mefd_database *d)
{
    char beside[NAME_SIZE];
    const char *file = d->conf->audit != NULL ? d->conf->audit : beside;
    bool altered;
    enum gba_err err = file == beside ? name_beside(d, ".audit", beside) : GBA_OK;

    if (err != GBA_OK)
        return err;
    err = mef_audit_file_open(d->mef->store, file, &d->mef->audit, &altered);
    if (err != GBA_OK)
        LOG(d->log, LOG_LV_ERROR, "mef.audit", LOG_STR("file", file), LOG_ERR(err));
    else if (altered)
        LOG(d->log, LOG_LV_ERROR, "mef.audit", LOG_STR("file", file), LOG_ERR(GBA_E_ALTERED),
            LOG_STR("why", "mefctl audit tells where"));
    return err;
}

enum gba_err mefd_database_open(struct mefd_database *d)
{
    uint8_t master[MEF_MASTER_KEY_LEN];
    char why[256];
    enum gba_err err = lock(d);

    if (err != GBA_OK)
        return err;
    err = d->conf->master_key != NULL
              ? mef_master_key_load(d->conf->master_key, d->conf->database, master, why,
                                    sizeof(why))
              : mef_master_key_credential(d->conf->master_key_credential, master, why,
                                          sizeof(why));
    if (err == GBA_OK)
        err = open_with(d, master);
    else
        LOG(d->log, LOG_LV_ERROR, "mef.master_key",
            LOG_STR("file", d->conf->master_key != NULL ? d->conf->master_key
                                                        : d->conf->master_key_credential),
            LOG_STR("why", why), LOG_ERR(err));
    gba_wipe(master, sizeof(master));
    if (err == GBA_OK)
        err = open_audit(d);
    return err == GBA_OK ? load_rows(d) : err;
}

enum gba_err mefd_database_try(struct mefd_database *d)
{
    static const uint8_t no_master[MEF_MASTER_KEY_LEN];
    enum gba_err err = open_file(d, ":memory:", no_master);

    return err == GBA_OK ? load_rows(d) : err;
}

void mefd_database_close(struct mefd_database *d)
{
    mef_audit_file_close(d->mef->audit);
    if (d->mef->store != NULL)
        d->mef->store->close(d->mef->store);
    if (d->lock_fd >= 0)
        close(d->lock_fd);
}
