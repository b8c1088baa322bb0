/*
 * The SQLite file under the MEF's store: opening it, its schema and statements, and the sealing
 * of keys.  For mef_store_sqlite.c only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_DB_H
#define NAF_MEF_DB_H

#include <pthread.h>
#include <sqlite3.h>

#include "common/crypto.h"
#include "naf/mef_store_sqlite.h"

#define MEF_DB_SEALED (GBA_SEAL_NONCE + 32 + GBA_SEAL_TAG)

enum statement {
    S_BEGIN,
    S_COMMIT,
    S_ROLLBACK,
    S_PUT_KE,
    S_TRIM_KES,
    S_GET_KE,
    S_FIND_REG,
    S_COUNT_REGS,
    S_ADD_REG,
    S_GET_REG,
    S_SET_REG,
    S_DEL_REG,
    S_DEL_REG_KEYS,
    S_DEL_LAST_KES,
    S_COUNT_KEYS,
    S_ADD_KEY,
    S_GET_KEY,
    S_SET_KEY,
    S_DEL_KEY,
    S_SWEEP_KE,
    S_SWEEP_KEY,
    S_SWEEP_REG,
    S_GET_CHECK,
    S_PUT_CHECK,
    N_STATEMENTS
};

struct mef_db {
    struct mef_store port;
    pthread_mutex_t lock;
    sqlite3 *db;
    sqlite3_stmt *st[N_STATEMENTS];
    uint8_t master[MEF_MASTER_KEY_LEN];
};

/* Errors of mef_store_sqlite_open; *why is static text or NULL.  db and st are to be released
 * by mef_db_close in any case. */
enum gba_err mef_db_open(struct mef_db *s, const char *file, const char **why);
void mef_db_close(struct mef_db *s);

/* A statement, reset and without bindings. */
sqlite3_stmt *mef_db_use(struct mef_db *s, enum statement which);
/* Texts are bound without a copy: they must outlive the step. */
void mef_db_text(sqlite3_stmt *st, int i, const char *text);
/* A statement without rows.  GBA_E_EXISTS: a constraint. */
enum gba_err mef_db_run(sqlite3_stmt *st);
/* The same, and it must have changed a row: else GBA_E_NOT_FOUND. */
enum gba_err mef_db_run_on_row(struct mef_db *s, sqlite3_stmt *st);
/* Steps to the first row, or GBA_E_NOT_FOUND. */
enum gba_err mef_db_row(sqlite3_stmt *st);
enum gba_err mef_db_read(sqlite3_stmt *st, int i, char *out, size_t cap);
/* Is the count for creator below max?  GBA_E_OVERLOAD. */
enum gba_err mef_db_count_below(sqlite3_stmt *st, const char *creator, size_t max);
/* Ends a transaction that S_BEGIN began: commits if err is GBA_OK. */
enum gba_err mef_db_finish(struct mef_db *s, enum gba_err err);

/* A key under the master key, bound to the name of its row. */
enum gba_err mef_db_seal(const struct mef_db *s, const char *name, const struct gba_key *key,
                         uint8_t out[static MEF_DB_SEALED]);
enum gba_err mef_db_unseal(const struct mef_db *s, const char *name, sqlite3_stmt *st,
                           int column, struct gba_key *key);

#endif
