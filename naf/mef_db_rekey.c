/*
 * Another master key for the MEF's SQLite file: every sealed key is opened and sealed again, in
 * one transaction.  See mef_store_sqlite.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "naf/mef_db.h"

#define NAME_SIZE (M2M_ID_SIZE + 16)

/* Where sealed keys are: rowid, the name a key is sealed as, the key. */
static const struct sealed_table {
    const char *read, *write;
} tables[] = {
    {"SELECT rowid,'check',value FROM meta WHERE name='check' AND rowid>? LIMIT 1",
     "UPDATE meta SET value=?2 WHERE rowid=?1"},
    {"SELECT rowid,id,key FROM ke WHERE rowid>? ORDER BY rowid LIMIT 1",
     "UPDATE ke SET key=?2 WHERE rowid=?1"},
    {"SELECT rowid,id,key FROM key WHERE rowid>? ORDER BY rowid LIMIT 1",
     "UPDATE key SET key=?2 WHERE rowid=?1"},
    {"SELECT rowid,'credential '||kind||' '||name,key FROM credential"
     " WHERE rowid>? AND key IS NOT NULL ORDER BY rowid LIMIT 1",
     "UPDATE credential SET key=?2 WHERE rowid=?1"},
};

/* The row after *at under the key of from, written back under the key of to. */
static enum gba_err reseal_next(const struct mef_db *from, const struct mef_db *to,
                                sqlite3_stmt *read, sqlite3_stmt *write, int64_t *at)
{
    uint8_t plain[MEF_PSK_MAX], sealed[MEF_PSK_MAX + MEF_DB_SEAL_MORE];
    char name[NAME_SIZE];
    enum gba_err err;
    size_t n;

    sqlite3_bind_int64(read, 1, *at);
    err = mef_db_row(read);
    if (err != GBA_OK)
        return err;
    *at = sqlite3_column_int64(read, 0);
    err = mef_db_read(read, 1, name, sizeof(name));
    if (err == GBA_OK)
        err = mef_db_unseal(from, name, read, 2, plain, sizeof(plain), &n);
    sqlite3_reset(read);
    if (err == GBA_OK)
        err = mef_db_seal(to, name, (struct gba_bytes){plain, n}, sealed);
    gba_wipe(plain, sizeof(plain));
    if (err != GBA_OK)
        return err;
    sqlite3_bind_int64(write, 1, *at);
    sqlite3_bind_blob(write, 2, sealed, (int)(n + MEF_DB_SEAL_MORE), SQLITE_STATIC);
    return mef_db_run(write);
}

static enum gba_err reseal_table(const struct mef_db *from, const struct mef_db *to,
                                 const struct sealed_table *t, size_t *rows)
{
    sqlite3_stmt *read = NULL, *write = NULL;
    enum gba_err err = GBA_E_IO;
    int64_t at = 0;

    if (sqlite3_prepare_v2(from->c.db, t->read, -1, &read, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(from->c.db, t->write, -1, &write, NULL) == SQLITE_OK)
        while ((err = reseal_next(from, to, read, write, &at)) == GBA_OK)
            ++*rows;
    sqlite3_finalize(read);
    sqlite3_finalize(write);
    return err == GBA_E_NOT_FOUND ? GBA_OK : err;
}

/* *rows: keys; the row that tells one master key from another is none. */
static enum gba_err reseal_all(const struct mef_db *from, const struct mef_db *to, size_t *rows)
{
    enum gba_err err = reseal_table(from, to, &tables[0], rows);

    *rows = 0;
    for (size_t i = 1; err == GBA_OK && i < sizeof(tables) / sizeof(tables[0]); i++)
        err = reseal_table(from, to, &tables[i], rows);
    return err;
}

enum gba_err mef_store_sqlite_rekey(struct mef_store *store,
                                    const uint8_t master[static MEF_MASTER_KEY_LEN],
                                    enum gba_err (*also)(void *arg), void *arg, size_t *rows)
{
    struct mef_db *s = (struct mef_db *)(void *)store;
    struct mef_db *to = calloc(1, sizeof(*to)); /* only its key is used */
    enum gba_err err;

    *rows = 0;
    if (to == NULL)
        return GBA_E_NOMEM;
    memcpy(to->master, master, sizeof(to->master));
    err = mef_db_begin(s);
    if (err == GBA_OK) {
        err = reseal_all(s, to, rows);
        if (err == GBA_OK && also != NULL)
            err = also(arg);
        err = mef_db_end_with(s, err, master);
    }
    if (err == GBA_OK)
        mef_db_forget(s);
    gba_wipe(to, sizeof(*to));
    free(to);
    return err;
}
