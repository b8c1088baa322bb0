/*
 * The SQLite file under the MEF's store and registry: opening it, its schema and statements,
 * transactions (mef_db_batch.c), questions (mef_db_ask.c), and the sealing of keys.  For
 * mef_store_sqlite.c and mef_registry_sqlite.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_DB_H
#define NAF_MEF_DB_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "common/crypto.h"
#include "naf/mef_store_sqlite.h"

#define MEF_DB_PROCEDURE 2 /* MEF_OF_PROCEDURE */
#define MEF_DB_CERT      2 /* MEF_CRED_CERT */
#define MEF_DB_STALE     9 /* origin: of the configuration of the start before */
#define MEF_DB_STR_(x)   #x
#define MEF_DB_STR(x)    MEF_DB_STR_(x) /* a number in SQL */
#define MEF_DB_SWEEP_MAX 1000           /* rows of a kind that go in one transaction */
#define MEF_DB_AUDIT_MAX 2000           /* lines that go to the audit log's file at a time */
#define MEF_DB_SEAL_MORE (GBA_SEAL_NONCE + GBA_SEAL_TAG)
#define MEF_DB_SEALED    (32 + MEF_DB_SEAL_MORE)

enum statement {
    S_BEGIN,
    S_COMMIT,
    S_ROLLBACK,
    S_SAVE,
    S_RELEASE,
    S_ROLLBACK_TO,
    S_PUT_KE,
    S_PUT_KE_ADMIN,
    S_TRIM_KES,
    S_GET_KE,
    S_FIND_REG,
    S_COUNT_REGS,
    S_ADD_REG,
    S_GET_REG,
    S_SET_REG,
    S_CUT_REG_KEYS,
    S_DEL_REG,
    S_DEL_REG_KEYS,
    S_DEL_ADMIN_KES,
    S_DEL_KE_ADMIN,
    S_DEL_LAST_KES,
    S_DEL_REG_KM,
    S_DEL_LAST_KMS,
    S_TRIM_KMS,
    S_COUNT_KEYS,
    S_ADD_KEY,
    S_GET_KEY,
    S_SET_KEY,
    S_DEL_KEY,
    S_COUNT_COMMANDS,
    S_ADD_COMMAND,
    S_NEXT_COMMAND,
    S_GIVE_COMMAND,
    S_FINISH_COMMAND,
    S_TRIM_COMMANDS,
    S_SWEEP_KE,
    S_SWEEP_KEY,
    S_SWEEP_REG,
    S_SWEEP_CREDENTIAL,
    S_SWEEP_INSTRUCTION,
    S_GET_CHECK,
    S_PUT_CHECK,
    S_TOUCH_CHECK,
    /* registry */
    S_TARGET_BY_FQDN,
    S_TARGET_BY_ID,
    S_ADD_TARGET,
    S_GET_ENROLEE,
    S_ADD_ENROLEE,
    S_TARGET_NAMED,
    S_HOLDER_NAMED,
    S_GET_CREDENTIAL,
    S_ADD_CREDENTIAL,
    S_GET_INSTRUCTION,
    S_ADD_INSTRUCTION,
    S_GET_STAKEHOLDER,
    S_ADD_STAKEHOLDER,
    S_ADD_BATCH,
    S_TRIM_BATCHES,
    /* administration: one for each noun, in their order */
    S_LIST,
    S_ORIGIN = S_LIST + MEF_N_NOUNS,
    S_REMOVE = S_ORIGIN + MEF_N_NOUNS,
    S_REVOKE_KES = S_REMOVE + MEF_N_NOUNS,
    S_REVOKE_KEYS,
    S_REVOKE_REGS,
    S_REVOKE_KMS,
    S_DEL_STAKEHOLDER_KEYS,
    S_DEL_STAKEHOLDER_REGS,
    S_DEL_STAKEHOLDER_KES,
    S_DEL_STAKEHOLDER_KE_ADMIN,
    S_DEL_ORPHAN_KES,
    S_DEL_STAKEHOLDER_KMS,
    S_DEL_ORPHAN_KMS,
    S_NEXT_STALE_STAKEHOLDER,
    S_NEXT_STALE_ENROLEE,
    /* audit log */
    S_GET_AUDIT_HEAD,
    S_SET_AUDIT_HEAD,
    S_ADD_AUDIT,
    S_GET_AUDIT,
    S_DEL_AUDIT,
    S_GET_GONE,
    S_DEL_GONE,
    N_STATEMENTS
};

struct mef_db_waiter;
struct mef_db_job;

struct mef_db_connection {
    sqlite3 *db;
    sqlite3_stmt *st[N_STATEMENTS];
};

struct mef_db {
    struct mef_store port;
    struct mef_registry registry;
    pthread_mutex_t lock; /* recursive: a transaction holds it */
    unsigned depth;       /* of transactions */
    struct {
        bool open;
        unsigned n;                 /* transactions in it, done but not on the disk yet */
        struct mef_db_waiter *wait; /* whose those are */
    } batch;
    _Atomic unsigned coming; /* threads that are about to begin a transaction */
    _Atomic bool failing;    /* the last transaction could not be written */
    struct {
        pthread_mutex_t lock; /* nothing else is asked for under it */
        struct mef_db_job *first, *last;
        unsigned n;
        bool led; /* somebody is doing, or is about to do, what stands here */
    } queue;
    struct mef_db_connection c;
    struct {
        pthread_mutex_t lock;       /* recursive, as the other; the other first */
        struct mef_db_connection c; /* only reads; nothing if the database is in memory */
    } asking;
    uint8_t master[MEF_MASTER_KEY_LEN]; /* written under both locks */
};

/* Errors of mef_store_sqlite_open; *why is static text or NULL.  The connections are to be
 * released by mef_db_close in any case. */
enum gba_err mef_db_open(struct mef_db *s, const char *file, const char **why);
void mef_db_close(struct mef_db *s);
/* The locks, before mef_db_open and after mef_db_close. */
void mef_db_init(struct mef_db *s);
void mef_db_destroy(struct mef_db *s);

/* A statement of the connection that writes, reset and without bindings.  Inside a transaction,
 * or under mef_db_lock_settled. */
sqlite3_stmt *mef_db_use(struct mef_db *s, enum statement which);
sqlite3_stmt *mef_db_use_of(struct mef_db_connection *c, enum statement which);
/* One that only reads: inside a transaction of this thread it sees what that has done;
 * elsewhere it sees what is on the disk, and waits for nobody's transaction.  mef_db_asked must
 * follow. */
sqlite3_stmt *mef_db_ask(struct mef_db *s, enum statement which);
void mef_db_asked(struct mef_db *s, sqlite3_stmt *st);
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

/* Keeps transactions out, with everything on the disk.  Not inside one.  The store's errors:
 * then the lock is not held. */
enum gba_err mef_db_lock_settled(struct mef_db *s);
void mef_db_unlock(struct mef_db *s);
/* Is this thread inside a transaction of s? */
bool mef_db_is_inside(const struct mef_db *s);
/* A transaction, or one within another; it holds the lock.  After GBA_OK of begin, end must
 * follow: it commits if err is GBA_OK, and returns err or why it could not.  Outermost ones
 * that come at the same time go to the disk together, each by itself all or nothing; end
 * returns when its own is there. */
enum gba_err mef_db_begin(struct mef_db *s);
enum gba_err mef_db_end(struct mef_db *s, enum gba_err err);
/* Work in a transaction; the end of that is returned.  Perhaps another thread does it, together
 * with others' work, while this one waits: many that come at once cost less so. */
enum gba_err mef_db_transact(struct mef_db *s, enum gba_err (*work)(void *arg), void *arg);
/* The same for an outermost one, after which keys are under that master key. */
enum gba_err mef_db_end_with(struct mef_db *s, enum gba_err err,
                             const uint8_t master[static MEF_MASTER_KEY_LEN]);

/* What was deleted or written over shall not live on in the write-ahead log either. */
void mef_db_forget(struct mef_db *s);

/* Octets under the master key, bound to the name of their row; out holds plain.n +
 * MEF_DB_SEAL_MORE. */
enum gba_err mef_db_seal(const struct mef_db *s, const char *name, struct gba_bytes plain,
                         uint8_t *out);
/* Back, at most cap octets, *n of them.  GBA_E_CRYPTO. */
enum gba_err mef_db_unseal(const struct mef_db *s, const char *name, sqlite3_stmt *st,
                           int column, uint8_t *out, size_t cap, size_t *n);
/* A key of 32 octets. */
enum gba_err mef_db_unseal_key(const struct mef_db *s, const char *name, sqlite3_stmt *st,
                               int column, struct gba_key *key);

/* Commands (mef_store_command.c); at: the column of the id. */
extern const struct mef_command_store mef_store_sqlite_commands;
enum gba_err mef_db_read_command(sqlite3_stmt *st, int at, struct mef_command *out);

/* The registry's functions (mef_registry_sqlite.c), and those among them for the administration
 * (mef_registry_admin.c). */
extern const struct mef_registry mef_registry_sqlite;
enum gba_err mef_registry_list(struct mef_registry *self, enum mef_noun noun,
                               const char *enrolee, int64_t after, size_t max, mef_visit *visit,
                               void *arg);
enum gba_err mef_registry_remove(struct mef_registry *self, const struct mef_row *row);
/* Removes stakeholders and enrolees that are marked stale, and all that hangs on them; inside a
 * transaction. */
enum gba_err mef_registry_drop_stale(struct mef_db *s);
enum gba_err mef_registry_revoke(struct mef_registry *self, const char *enrolee, size_t *n);
enum gba_err mef_registry_note_batch(struct mef_registry *self, const char *token,
                                     uint64_t batch);

#endif
