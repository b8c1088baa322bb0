/*
 * The MEF's store in an SQLite file: see mef_store_sqlite.h.  One connection under one lock; a
 * row's key is sealed with the row's name as associated data, so that rows cannot be exchanged.
 * The schema version is PRAGMA user_version.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_store_sqlite.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "common/crypto.h"

#define APPLICATION_ID 0x4d454631 /* "MEF1" */
#define VERSION        1
#define SEALED_LEN     (GBA_SEAL_NONCE + 32 + GBA_SEAL_TAG)
#define STR_(x)        #x
#define STR(x)         STR_(x)

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

#define REG_COLUMNS "ri,creator,admin,labels,created,modified,expires"
#define KEY_COLUMNS "id,creator,admin,labels,targets,suid,key,created,modified,expires"

static const char *const sql[N_STATEMENTS] = {
    [S_BEGIN] = "BEGIN IMMEDIATE",
    [S_COMMIT] = "COMMIT",
    [S_ROLLBACK] = "ROLLBACK",
    [S_PUT_KE] = "INSERT OR IGNORE INTO ke(id,enrolee,key,created,expires) VALUES(?,?,?,?,?)",
    [S_TRIM_KES] =
        "DELETE FROM ke WHERE enrolee=?1 AND rowid NOT IN(SELECT rowid FROM ke"
        " WHERE enrolee=?1 ORDER BY created DESC,rowid DESC LIMIT " STR(MEF_KES_MAX) ")",
    [S_GET_KE] = "SELECT id,enrolee,key,created,expires FROM ke WHERE id=?",
    [S_FIND_REG] = "SELECT " REG_COLUMNS " FROM reg WHERE creator=? AND admin=?",
    [S_COUNT_REGS] = "SELECT count(*) FROM reg WHERE creator=?",
    [S_ADD_REG] = "INSERT INTO reg(" REG_COLUMNS ") VALUES(?,?,?,?,?,?,?)",
    [S_GET_REG] = "SELECT " REG_COLUMNS " FROM reg WHERE ri=?",
    [S_SET_REG] = "UPDATE reg SET labels=?2,modified=?3,expires=?4 WHERE ri=?1",
    [S_DEL_REG] = "DELETE FROM reg WHERE ri=?",
    [S_DEL_REG_KEYS] = "DELETE FROM key WHERE creator=? AND admin=?",
    [S_DEL_LAST_KES] = "DELETE FROM ke WHERE enrolee=?1 AND NOT EXISTS"
                       "(SELECT 1 FROM reg WHERE creator=?1)",
    [S_COUNT_KEYS] = "SELECT count(*) FROM key WHERE creator=?",
    [S_ADD_KEY] = "INSERT INTO key(" KEY_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?)",
    [S_GET_KEY] = "SELECT " KEY_COLUMNS " FROM key WHERE id=?",
    [S_SET_KEY] = "UPDATE key SET labels=?2,targets=?3,modified=?4,expires=?5 WHERE id=?1",
    [S_DEL_KEY] = "DELETE FROM key WHERE id=?",
    [S_SWEEP_KE] = "DELETE FROM ke WHERE expires<=?",
    [S_SWEEP_KEY] = "DELETE FROM key WHERE expires<=?",
    [S_SWEEP_REG] = "DELETE FROM reg WHERE expires<=?",
    [S_GET_CHECK] = "SELECT value FROM meta WHERE name='check'",
    [S_PUT_CHECK] = "INSERT INTO meta(name,value) VALUES('check',?)",
};

static const char settings[] = "PRAGMA journal_mode=WAL;"
                               "PRAGMA synchronous=FULL;"
                               "PRAGMA secure_delete=ON;"
                               "PRAGMA foreign_keys=ON;"
                               "PRAGMA trusted_schema=OFF;";

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE ke(id TEXT PRIMARY KEY, enrolee TEXT NOT NULL, key BLOB NOT NULL,"
    " created INTEGER NOT NULL, expires INTEGER NOT NULL);"
    "CREATE INDEX ke_enrolee ON ke(enrolee);"
    "CREATE INDEX ke_expires ON ke(expires);"
    "CREATE TABLE reg(ri TEXT PRIMARY KEY, creator TEXT NOT NULL, admin TEXT NOT NULL,"
    " labels TEXT NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,"
    " expires INTEGER NOT NULL, UNIQUE(creator,admin));"
    "CREATE INDEX reg_expires ON reg(expires);"
    "CREATE TABLE key(id TEXT PRIMARY KEY, creator TEXT NOT NULL, admin TEXT NOT NULL,"
    " labels TEXT NOT NULL, targets TEXT NOT NULL, suid INTEGER NOT NULL, key BLOB NOT NULL,"
    " created INTEGER NOT NULL, modified INTEGER NOT NULL, expires INTEGER NOT NULL);"
    "CREATE INDEX key_creator ON key(creator,admin);"
    "CREATE INDEX key_expires ON key(expires);"
    "PRAGMA application_id=" STR(APPLICATION_ID) ";"
                                                 "PRAGMA user_version=" STR(VERSION) ";"
                                                                                     "COMMIT;";

struct sqlite_store {
    struct mef_store port;
    pthread_mutex_t lock;
    sqlite3 *db;
    sqlite3_stmt *st[N_STATEMENTS];
    uint8_t master[MEF_MASTER_KEY_LEN];
};

static struct sqlite_store *own(struct mef_store *self)
{
    return (struct sqlite_store *)(void *)self;
}

/* ------------------------------------------------------------ statements */

static enum gba_err db_error(int rc)
{
    return rc == SQLITE_NOMEM ? GBA_E_NOMEM : GBA_E_IO;
}

static sqlite3_stmt *use(struct sqlite_store *s, enum statement which)
{
    sqlite3_reset(s->st[which]);
    sqlite3_clear_bindings(s->st[which]);
    return s->st[which];
}

/* Texts are bound without a copy: they outlive the step. */
static void bind_text(sqlite3_stmt *st, int i, const char *text)
{
    sqlite3_bind_text(st, i, text, -1, SQLITE_STATIC);
}

/* A statement without rows.  GBA_E_EXISTS: a constraint. */
static enum gba_err run(sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);

    sqlite3_reset(st);
    if (rc == SQLITE_DONE)
        return GBA_OK;
    return rc == SQLITE_CONSTRAINT ? GBA_E_EXISTS : db_error(rc);
}

/* The same, and it must have changed a row. */
static enum gba_err run_on_row(struct sqlite_store *s, sqlite3_stmt *st)
{
    enum gba_err err = run(st);

    return err == GBA_OK && sqlite3_changes(s->db) == 0 ? GBA_E_NOT_FOUND : err;
}

/* Steps to the first row. */
static enum gba_err row(sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);

    if (rc == SQLITE_ROW)
        return GBA_OK;
    sqlite3_reset(st);
    return rc == SQLITE_DONE ? GBA_E_NOT_FOUND : db_error(rc);
}

static enum gba_err read_text(sqlite3_stmt *st, int i, char *out, size_t cap)
{
    const char *text = (const char *)sqlite3_column_text(st, i);
    size_t n = (size_t)sqlite3_column_bytes(st, i);

    if (text == NULL || gba_text_copy(out, cap, (struct gba_text){text, n}) != GBA_OK)
        return GBA_E_IO;
    return GBA_OK;
}

static enum gba_err count_below(sqlite3_stmt *st, const char *creator, size_t max)
{
    enum gba_err err;
    bool below;

    bind_text(st, 1, creator);
    err = row(st);
    if (err != GBA_OK)
        return err;
    below = (size_t)sqlite3_column_int64(st, 0) < max;
    sqlite3_reset(st);
    return below ? GBA_OK : GBA_E_OVERLOAD;
}

/* Ends a transaction that S_BEGIN began. */
static enum gba_err finish(struct sqlite_store *s, enum gba_err err)
{
    if (err == GBA_OK)
        err = run(use(s, S_COMMIT));
    if (err != GBA_OK && sqlite3_get_autocommit(s->db) == 0)
        run(use(s, S_ROLLBACK));
    return err;
}

/* ------------------------------------------------------------ sealed keys */

static enum gba_err seal(const struct sqlite_store *s, const char *name,
                         const struct gba_key *key, uint8_t out[static SEALED_LEN])
{
    /* random nonces: 2^32 rows of one master key before a repetition gets likely */
    if (getrandom(out, GBA_SEAL_NONCE, 0) != GBA_SEAL_NONCE)
        return GBA_E_ENTROPY;
    gba_seal(s->master, out, gba_text_bytes(gba_text(name)), GBA_BYTES(key->octets),
             out + GBA_SEAL_NONCE);
    return GBA_OK;
}

static enum gba_err unseal(const struct sqlite_store *s, const char *name, sqlite3_stmt *st,
                           int column, struct gba_key *key)
{
    const uint8_t *p = sqlite3_column_blob(st, column);

    if (p == NULL || sqlite3_column_bytes(st, column) != SEALED_LEN)
        return GBA_E_CRYPTO;
    return gba_unseal(s->master, p, gba_text_bytes(gba_text(name)),
                      (struct gba_bytes){p + GBA_SEAL_NONCE, SEALED_LEN - GBA_SEAL_NONCE},
                      key->octets);
}

/* ------------------------------------------------------------ Ke */

static enum gba_err put_ke_locked(struct sqlite_store *s, const struct mef_ke *ke,
                                  const uint8_t sealed[static SEALED_LEN])
{
    sqlite3_stmt *st = use(s, S_PUT_KE);
    enum gba_err err;

    bind_text(st, 1, ke->key_id);
    bind_text(st, 2, ke->enrolee);
    sqlite3_bind_blob(st, 3, sealed, SEALED_LEN, SQLITE_STATIC);
    sqlite3_bind_int64(st, 4, ke->created_s);
    sqlite3_bind_int64(st, 5, ke->expires_s);
    err = run(st);
    if (err != GBA_OK)
        return err;
    st = use(s, S_TRIM_KES);
    bind_text(st, 1, ke->enrolee);
    return run(st);
}

static enum gba_err put_ke(struct mef_store *self, const struct mef_ke *ke)
{
    struct sqlite_store *s = own(self);
    uint8_t sealed[SEALED_LEN];
    enum gba_err err = seal(s, ke->key_id, &ke->ke, sealed);

    if (err != GBA_OK)
        return err;
    pthread_mutex_lock(&s->lock);
    err = run(use(s, S_BEGIN));
    if (err == GBA_OK)
        err = finish(s, put_ke_locked(s, ke, sealed));
    pthread_mutex_unlock(&s->lock);
    return err;
}

static enum gba_err read_ke(struct sqlite_store *s, sqlite3_stmt *st, struct mef_ke *out)
{
    enum gba_err err = read_text(st, 0, out->key_id, sizeof(out->key_id));

    if (err == GBA_OK)
        err = read_text(st, 1, out->enrolee, sizeof(out->enrolee));
    if (err == GBA_OK)
        err = unseal(s, out->key_id, st, 2, &out->ke);
    out->created_s = sqlite3_column_int64(st, 3);
    out->expires_s = sqlite3_column_int64(st, 4);
    return err;
}

static enum gba_err get_ke(struct mef_store *self, const char *key_id, struct mef_ke *out)
{
    struct sqlite_store *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    pthread_mutex_lock(&s->lock);
    st = use(s, S_GET_KE);
    bind_text(st, 1, key_id);
    err = row(st);
    if (err == GBA_OK)
        err = read_ke(s, st, out);
    sqlite3_reset(st);
    pthread_mutex_unlock(&s->lock);
    return err;
}

/* ------------------------------------------------------------ registrations */

static enum gba_err read_reg(sqlite3_stmt *st, struct mef_reg *out)
{
    enum gba_err err = read_text(st, 0, out->ri, sizeof(out->ri));

    if (err == GBA_OK)
        err = read_text(st, 1, out->creator, sizeof(out->creator));
    if (err == GBA_OK)
        err = read_text(st, 2, out->admin_fqdn, sizeof(out->admin_fqdn));
    if (err == GBA_OK)
        err = read_text(st, 3, out->labels, sizeof(out->labels));
    out->created_s = sqlite3_column_int64(st, 4);
    out->modified_s = sqlite3_column_int64(st, 5);
    out->expires_s = sqlite3_column_int64(st, 6);
    return err;
}

static enum gba_err one_reg(sqlite3_stmt *st, struct mef_reg *out)
{
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    err = row(st);
    if (err == GBA_OK)
        err = read_reg(st, out);
    sqlite3_reset(st);
    return err;
}

static enum gba_err find_reg_locked(struct sqlite_store *s, const char *creator,
                                    const char *admin_fqdn, struct mef_reg *out)
{
    sqlite3_stmt *st = use(s, S_FIND_REG);

    bind_text(st, 1, creator);
    bind_text(st, 2, admin_fqdn);
    return one_reg(st, out);
}

static enum gba_err find_reg(struct mef_store *self, const char *creator,
                             const char *admin_fqdn, struct mef_reg *out)
{
    struct sqlite_store *s = own(self);
    enum gba_err err;

    pthread_mutex_lock(&s->lock);
    err = find_reg_locked(s, creator, admin_fqdn, out);
    pthread_mutex_unlock(&s->lock);
    return err;
}

static enum gba_err get_reg(struct mef_store *self, const char *ri, struct mef_reg *out)
{
    struct sqlite_store *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err;

    pthread_mutex_lock(&s->lock);
    st = use(s, S_GET_REG);
    bind_text(st, 1, ri);
    err = one_reg(st, out);
    pthread_mutex_unlock(&s->lock);
    return err;
}

/* A registration with all that hangs on it. */
static enum gba_err drop_reg(struct sqlite_store *s, const struct mef_reg *reg)
{
    sqlite3_stmt *st = use(s, S_DEL_REG);
    enum gba_err err;

    bind_text(st, 1, reg->ri);
    err = run_on_row(s, st);
    if (err != GBA_OK)
        return err;
    st = use(s, S_DEL_REG_KEYS);
    bind_text(st, 1, reg->creator);
    bind_text(st, 2, reg->admin_fqdn);
    err = run(st);
    if (err != GBA_OK)
        return err;
    st = use(s, S_DEL_LAST_KES);
    bind_text(st, 1, reg->creator);
    return run(st);
}

static enum gba_err insert_reg(struct sqlite_store *s, const struct mef_reg *reg)
{
    sqlite3_stmt *st = use(s, S_ADD_REG);

    bind_text(st, 1, reg->ri);
    bind_text(st, 2, reg->creator);
    bind_text(st, 3, reg->admin_fqdn);
    bind_text(st, 4, reg->labels);
    sqlite3_bind_int64(st, 5, reg->created_s);
    sqlite3_bind_int64(st, 6, reg->modified_s);
    sqlite3_bind_int64(st, 7, reg->expires_s);
    return run(st);
}

static enum gba_err add_reg_locked(struct sqlite_store *s, const struct mef_reg *reg,
                                   int64_t now_s, size_t max, struct mef_reg *out)
{
    enum gba_err err = find_reg_locked(s, reg->creator, reg->admin_fqdn, out);

    if (err == GBA_OK && out->expires_s > now_s)
        return GBA_E_EXISTS;
    if (err == GBA_OK)
        err = drop_reg(s, out);
    if (err != GBA_OK && err != GBA_E_NOT_FOUND)
        return err;
    err = count_below(use(s, S_COUNT_REGS), reg->creator, max);
    return err == GBA_OK ? insert_reg(s, reg) : err;
}

static enum gba_err add_reg(struct mef_store *self, const struct mef_reg *reg, int64_t now_s,
                            size_t max, struct mef_reg *out)
{
    struct sqlite_store *s = own(self);
    enum gba_err err;

    pthread_mutex_lock(&s->lock);
    err = run(use(s, S_BEGIN));
    if (err == GBA_OK)
        err = finish(s, add_reg_locked(s, reg, now_s, max, out));
    pthread_mutex_unlock(&s->lock);
    return err;
}

static enum gba_err set_reg(struct mef_store *self, const struct mef_reg *reg)
{
    struct sqlite_store *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err;

    pthread_mutex_lock(&s->lock);
    st = use(s, S_SET_REG);
    bind_text(st, 1, reg->ri);
    bind_text(st, 2, reg->labels);
    sqlite3_bind_int64(st, 3, reg->modified_s);
    sqlite3_bind_int64(st, 4, reg->expires_s);
    err = run_on_row(s, st);
    pthread_mutex_unlock(&s->lock);
    return err;
}

static enum gba_err del_reg_locked(struct sqlite_store *s, const char *ri)
{
    sqlite3_stmt *st = use(s, S_GET_REG);
    struct mef_reg reg;
    enum gba_err err;

    bind_text(st, 1, ri);
    err = one_reg(st, &reg);
    return err == GBA_OK ? drop_reg(s, &reg) : err;
}

static enum gba_err del_reg(struct mef_store *self, const char *ri)
{
    struct sqlite_store *s = own(self);
    enum gba_err err;

    pthread_mutex_lock(&s->lock);
    err = run(use(s, S_BEGIN));
    if (err == GBA_OK)
        err = finish(s, del_reg_locked(s, ri));
    pthread_mutex_unlock(&s->lock);
    return err;
}

/* ------------------------------------------------------------ keys */

static enum gba_err add_key_locked(struct sqlite_store *s, const struct mef_key *key,
                                   const uint8_t sealed[static SEALED_LEN], size_t max)
{
    enum gba_err err = count_below(use(s, S_COUNT_KEYS), key->creator, max);
    sqlite3_stmt *st = use(s, S_ADD_KEY);

    if (err != GBA_OK)
        return err;
    bind_text(st, 1, key->relative_id);
    bind_text(st, 2, key->creator);
    bind_text(st, 3, key->admin_fqdn);
    bind_text(st, 4, key->labels);
    bind_text(st, 5, key->targets);
    sqlite3_bind_int64(st, 6, key->suid);
    sqlite3_bind_blob(st, 7, sealed, SEALED_LEN, SQLITE_STATIC);
    sqlite3_bind_int64(st, 8, key->created_s);
    sqlite3_bind_int64(st, 9, key->modified_s);
    sqlite3_bind_int64(st, 10, key->expires_s);
    return run(st);
}

static enum gba_err add_key(struct mef_store *self, const struct mef_key *key, size_t max)
{
    struct sqlite_store *s = own(self);
    uint8_t sealed[SEALED_LEN];
    enum gba_err err = seal(s, key->relative_id, &key->key, sealed);

    if (err != GBA_OK)
        return err;
    pthread_mutex_lock(&s->lock);
    err = run(use(s, S_BEGIN));
    if (err == GBA_OK)
        err = finish(s, add_key_locked(s, key, sealed, max));
    pthread_mutex_unlock(&s->lock);
    return err;
}

static enum gba_err read_key(struct sqlite_store *s, sqlite3_stmt *st, struct mef_key *out)
{
    enum gba_err err = read_text(st, 0, out->relative_id, sizeof(out->relative_id));

    if (err == GBA_OK)
        err = read_text(st, 1, out->creator, sizeof(out->creator));
    if (err == GBA_OK)
        err = read_text(st, 2, out->admin_fqdn, sizeof(out->admin_fqdn));
    if (err == GBA_OK)
        err = read_text(st, 3, out->labels, sizeof(out->labels));
    if (err == GBA_OK)
        err = read_text(st, 4, out->targets, sizeof(out->targets));
    if (err == GBA_OK)
        err = unseal(s, out->relative_id, st, 6, &out->key);
    out->suid = (unsigned)sqlite3_column_int64(st, 5);
    out->created_s = sqlite3_column_int64(st, 7);
    out->modified_s = sqlite3_column_int64(st, 8);
    out->expires_s = sqlite3_column_int64(st, 9);
    return err;
}

static enum gba_err get_key(struct mef_store *self, const char *relative_id,
                            struct mef_key *out)
{
    struct sqlite_store *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    pthread_mutex_lock(&s->lock);
    st = use(s, S_GET_KEY);
    bind_text(st, 1, relative_id);
    err = row(st);
    if (err == GBA_OK)
        err = read_key(s, st, out);
    sqlite3_reset(st);
    pthread_mutex_unlock(&s->lock);
    return err;
}

static enum gba_err set_key(struct mef_store *self, const struct mef_key *key)
{
    struct sqlite_store *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err;

    pthread_mutex_lock(&s->lock);
    st = use(s, S_SET_KEY);
    bind_text(st, 1, key->relative_id);
    bind_text(st, 2, key->labels);
    bind_text(st, 3, key->targets);
    sqlite3_bind_int64(st, 4, key->modified_s);
    sqlite3_bind_int64(st, 5, key->expires_s);
    err = run_on_row(s, st);
    pthread_mutex_unlock(&s->lock);
    return err;
}

static enum gba_err del_key(struct mef_store *self, const char *relative_id)
{
    struct sqlite_store *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err;

    pthread_mutex_lock(&s->lock);
    st = use(s, S_DEL_KEY);
    bind_text(st, 1, relative_id);
    err = run_on_row(s, st);
    pthread_mutex_unlock(&s->lock);
    return err;
}

/* ------------------------------------------------------------ life */

static enum gba_err sweep_locked(struct sqlite_store *s, int64_t now_s, size_t *n)
{
    static const enum statement sweeps[] = {S_SWEEP_KEY, S_SWEEP_KE, S_SWEEP_REG};

    for (size_t i = 0; i < sizeof(sweeps) / sizeof(sweeps[0]); i++) {
        sqlite3_stmt *st = use(s, sweeps[i]);
        enum gba_err err;

        sqlite3_bind_int64(st, 1, now_s);
        err = run(st);
        if (err != GBA_OK)
            return err;
        *n += (size_t)sqlite3_changes(s->db);
    }
    return GBA_OK;
}

static enum gba_err sweep(struct mef_store *self, int64_t now_s, size_t *n)
{
    struct sqlite_store *s = own(self);
    enum gba_err err;

    *n = 0;
    pthread_mutex_lock(&s->lock);
    err = run(use(s, S_BEGIN));
    if (err == GBA_OK)
        err = finish(s, sweep_locked(s, now_s, n));
    if (err == GBA_OK && *n > 0) /* what was wiped shall not live on in the log file */
        sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    pthread_mutex_unlock(&s->lock);
    return err;
}

static void close_store(struct mef_store *self)
{
    struct sqlite_store *s = own(self);

    for (size_t i = 0; i < N_STATEMENTS; i++)
        sqlite3_finalize(s->st[i]);
    sqlite3_close(s->db);
    pthread_mutex_destroy(&s->lock);
    gba_wipe(s, sizeof(*s));
    free(s);
}

static int number_of(sqlite3 *db, const char *pragma)
{
    sqlite3_stmt *st;
    int v = -1;

    if (sqlite3_prepare_v2(db, pragma, -1, &st, NULL) != SQLITE_OK)
        return -1;
    if (sqlite3_step(st) == SQLITE_ROW)
        v = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return v;
}

/* An empty file becomes ours; another's is left alone. */
static enum gba_err prepare_schema(struct sqlite_store *s, const char **why)
{
    int version = number_of(s->db, "PRAGMA user_version");
    int application = number_of(s->db, "PRAGMA application_id");

    *why = NULL;
    if (version == 0 && application == 0 &&
        number_of(s->db, "SELECT count(*) FROM sqlite_master") == 0)
        return sqlite3_exec(s->db, schema, NULL, NULL, NULL) == SQLITE_OK ? GBA_OK : GBA_E_IO;
    if (version < 0 || application != APPLICATION_ID)
        *why = "not a database of mefd";
    else if (version != VERSION)
        *why = "of another version of mefd";
    return *why == NULL ? GBA_OK : GBA_E_CONFIG;
}

/* A row sealed when the file was made tells whether the master key is the same. */
static enum gba_err check_master(struct sqlite_store *s, const char **why)
{
    struct gba_key key = {{0}};
    uint8_t sealed[SEALED_LEN];
    sqlite3_stmt *st = use(s, S_GET_CHECK);
    enum gba_err err = row(st);

    if (err == GBA_OK) {
        err = unseal(s, "check", st, 0, &key);
        sqlite3_reset(st);
        *why = err != GBA_OK ? "sealed under another master key" : NULL;
        return err != GBA_OK ? GBA_E_CONFIG : GBA_OK;
    }
    if (err != GBA_E_NOT_FOUND)
        return err;
    err = seal(s, "check", &key, sealed);
    if (err != GBA_OK)
        return err;
    st = use(s, S_PUT_CHECK);
    sqlite3_bind_blob(st, 1, sealed, SEALED_LEN, SQLITE_STATIC);
    return run(st);
}

static enum gba_err open_db(struct sqlite_store *s, const char *file, const char **why)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    mode_t before = umask(077);
    int rc = sqlite3_open_v2(file, &s->db, flags, NULL);
    enum gba_err err = GBA_E_IO;

    if (rc == SQLITE_OK) {
        sqlite3_busy_timeout(s->db, 5000);
        rc = sqlite3_exec(s->db, settings, NULL, NULL, NULL);
        err = rc == SQLITE_OK       ? prepare_schema(s, why)
              : rc == SQLITE_NOTADB ? GBA_E_CONFIG
                                    : GBA_E_IO;
    }
    umask(before);
    for (size_t i = 0; err == GBA_OK && i < N_STATEMENTS; i++)
        if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->st[i], NULL) !=
            SQLITE_OK)
            err = GBA_E_CONFIG;
    return err == GBA_OK ? check_master(s, why) : err;
}

static const struct mef_store port = {
    .name = "sqlite",
    .put_ke = put_ke,
    .get_ke = get_ke,
    .add_reg = add_reg,
    .get_reg = get_reg,
    .find_reg = find_reg,
    .set_reg = set_reg,
    .del_reg = del_reg,
    .add_key = add_key,
    .get_key = get_key,
    .set_key = set_key,
    .del_key = del_key,
    .sweep = sweep,
    .close = close_store,
};

enum gba_err mef_store_sqlite_open(const char *file,
                                   const uint8_t master[static MEF_MASTER_KEY_LEN],
                                   struct mef_store **out, char *why, size_t why_size)
{
    struct sqlite_store *s = calloc(1, sizeof(*s));
    const char *text = NULL;
    enum gba_err err;

    *out = NULL;
    why[0] = '\0';
    if (s == NULL)
        return GBA_E_NOMEM;
    s->port = port;
    pthread_mutex_init(&s->lock, NULL);
    memcpy(s->master, master, sizeof(s->master));
    err = open_db(s, file, &text);
    if (err != GBA_OK) {
        snprintf(why, why_size, "%s",
                 text != NULL    ? text
                 : s->db != NULL ? sqlite3_errmsg(s->db)
                                 : "out of memory");
        close_store(&s->port);
        return err;
    }
    *out = &s->port;
    return GBA_OK;
}
