/*
 * The SQLite file under the MEF's store: see mef_db.h.  The schema version is PRAGMA
 * user_version.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_db.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define APPLICATION_ID 0x4d454631 /* "MEF1" */
#define VERSION        8

#define REG_COLUMNS         "ri,creator,admin,labels,created,modified,expires"
#define KEY_COLUMNS                                                                            \
    "id,creator,admin,labels,targets,suid,key,created,modified,expires,uss,uids"
#define TARGET_COLUMNS      "id,fqdn,maf,ua,suids,derivation,uicc,origin"
#define CREDENTIAL_COLUMNS  "kind,name,enrolee,key,expires,origin"
#define INSTRUCTION_COLUMNS "enrolee,target,suids,expires,origin"
#define COMMAND_COLUMNS                                                                        \
    "c.id,c.reg,c.state,c.class,c.target,c.protocol,c.subject_type,c.subject,c.management,"    \
    "c.uri,c.path,c.object_type,c.suid,c.issued,c.given,c.done,c.result"
#define BATCHES_KEPT        100000
/* A page of a list: behind ?1, ?2 rows, of the enrolee ?3 if that is given. */
#define PAGE(table, columns, enrolee)                                                          \
    "SELECT rowid," columns " FROM " table " WHERE rowid>?1 AND (?3 IS NULL OR " enrolee       \
    "=?3) ORDER BY rowid LIMIT ?2"
/* Not all at once: others wait meanwhile. */
#define SWEEP(table, which)                                                                    \
    "DELETE FROM " table " WHERE rowid IN(SELECT rowid FROM " table " WHERE " which            \
    " LIMIT " MEF_DB_STR(MEF_DB_SWEEP_MAX) ")"
/* Km's that came from an MEF, under their KeIDs and, the others, as registrations name them. */
#define KMS "key IS NOT NULL AND origin=" MEF_DB_STR(MEF_DB_PROCEDURE)
#define NAMED       "substr(name,1,length(ri)+1)=ri||'@'" /* naf/maf_km.c */
#define UNNAMED_KMS KMS " AND NOT EXISTS(SELECT 1 FROM reg WHERE creator=enrolee AND " NAMED ")"
#define OTHER_NAMES "kind=" MEF_DB_STR(MEF_DB_CERT) " AND name GLOB 'other:*'"
/* A row of the configuration takes the place of the one of the start before. */
#define UNLESS_STALE " WHERE origin=" MEF_DB_STR(MEF_DB_STALE)
#define BUT_STALE " AND origin<>" MEF_DB_STR(MEF_DB_STALE)
#define NEXT_STALE(table, name)                                                                \
    "SELECT rowid," name " FROM " table " WHERE rowid>? AND origin=" MEF_DB_STR(MEF_DB_STALE)         \
    " ORDER BY rowid LIMIT 1"

static const char *const sql[N_STATEMENTS] = {
    [S_BEGIN] = "BEGIN IMMEDIATE",
    [S_COMMIT] = "COMMIT",
    [S_ROLLBACK] = "ROLLBACK",
    [S_SAVE] = "SAVEPOINT inner_one",
    [S_RELEASE] = "RELEASE inner_one",
    [S_ROLLBACK_TO] = "ROLLBACK TO inner_one",
    [S_PUT_KE] = "INSERT OR IGNORE INTO ke(id,enrolee,key,created,expires,uss,uids)"
                 " VALUES(?,?,?,?,?,?,?)",
    [S_PUT_KE_ADMIN] = "INSERT OR IGNORE INTO ke_admin(ke,admin) VALUES(?,?)",
    [S_TRIM_KES] =
        "DELETE FROM ke WHERE rowid IN(SELECT rowid FROM ke WHERE enrolee=?"
        " ORDER BY created DESC,rowid DESC LIMIT -1 OFFSET " MEF_DB_STR(MEF_KES_MAX) ")",
    [S_GET_KE] = "SELECT id,enrolee,key,created,expires,uss,uids FROM ke WHERE id=?",
    [S_FIND_REG] = "SELECT " REG_COLUMNS " FROM reg WHERE creator=? AND admin=?",
    [S_COUNT_REGS] = "SELECT count(*) FROM reg WHERE creator=?",
    [S_ADD_REG] = "INSERT INTO reg(" REG_COLUMNS ") VALUES(?,?,?,?,?,?,?)",
    [S_GET_REG] = "SELECT " REG_COLUMNS " FROM reg WHERE ri=?",
    [S_SET_REG] = "UPDATE reg SET labels=?2,modified=?3,expires=?4 WHERE ri=?1",
    [S_CUT_REG_KEYS] = "UPDATE key SET expires=?3 WHERE creator=?1 AND admin=?2 AND expires>?3",
    [S_DEL_REG] = "DELETE FROM reg WHERE ri=?",
    [S_DEL_REG_KEYS] = "DELETE FROM key WHERE creator=? AND admin=?",
    [S_DEL_ADMIN_KES] = "DELETE FROM ke WHERE enrolee=?1"
                        " AND id IN(SELECT ke FROM ke_admin WHERE admin=?2)"
                        " AND id NOT IN(SELECT ke FROM ke_admin WHERE admin<>?2)",
    [S_DEL_KE_ADMIN] = "DELETE FROM ke_admin WHERE admin=?2"
                       " AND ke IN(SELECT id FROM ke WHERE enrolee=?1)",
    [S_DEL_LAST_KES] = "DELETE FROM ke WHERE enrolee=?1 AND NOT EXISTS"
                       "(SELECT 1 FROM reg WHERE creator=?1)",
    [S_DEL_REG_KM] = "DELETE FROM credential WHERE " KMS " AND EXISTS(SELECT 1 FROM reg"
                     " WHERE ri=? AND creator=enrolee AND " NAMED ")",
    [S_DEL_LAST_KMS] = "DELETE FROM credential WHERE enrolee=?1 AND " KMS
                       " AND NOT EXISTS(SELECT 1 FROM reg WHERE creator=?1)",
    [S_TRIM_KMS] = "DELETE FROM credential WHERE enrolee=?1 AND " UNNAMED_KMS
                   " AND rowid NOT IN(SELECT rowid FROM credential WHERE enrolee=?1"
                   " AND " UNNAMED_KMS " ORDER BY rowid DESC LIMIT " MEF_DB_STR(MEF_KES_MAX) ")",
    [S_COUNT_KEYS] = "SELECT count(*) FROM key WHERE creator=?",
    [S_ADD_KEY] = "INSERT INTO key(" KEY_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
    [S_GET_KEY] = "SELECT " KEY_COLUMNS " FROM key WHERE id=?",
    [S_SET_KEY] = "UPDATE key SET labels=?2,targets=?3,modified=?4,expires=?5,uss=?6,uids=?7"
                  " WHERE id=?1",
    [S_DEL_KEY] = "DELETE FROM key WHERE id=?",
    [S_COUNT_COMMANDS] = "SELECT count(*) FROM command WHERE reg=? AND state<2",
    [S_ADD_COMMAND] = "INSERT INTO command(id,reg,class,target,protocol,subject_type,subject,"
                      "management,uri,path,object_type,suid,issued)"
                      " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [S_NEXT_COMMAND] = "SELECT " COMMAND_COLUMNS " FROM command c WHERE reg=? AND state<2"
                       " ORDER BY state DESC,n LIMIT 1",
    [S_GIVE_COMMAND] = "UPDATE command SET state=1,given=?2 WHERE id=?1 AND state<2",
    [S_FINISH_COMMAND] =
        "UPDATE command SET state=2,result=?3,done=?4 WHERE reg=?1 AND id=?2 AND state=1",
    [S_TRIM_COMMANDS] =
        "DELETE FROM command WHERE reg=?1 AND state=2 AND n NOT IN(SELECT n FROM command"
        " WHERE reg=?1 AND state=2 ORDER BY done DESC,n DESC LIMIT " MEF_DB_STR(
            MEF_COMMANDS_DONE_MAX) ")",
    [S_SWEEP_KE] = SWEEP("ke", "expires<=?"),
    [S_SWEEP_KEY] = SWEEP("key", "expires<=?"),
    [S_SWEEP_REG] = SWEEP("reg", "expires<=?"),
    [S_SWEEP_CREDENTIAL] = SWEEP("credential", "expires<=? AND expires<>0"),
    [S_SWEEP_INSTRUCTION] = SWEEP("instruction", "expires<=? AND expires<>0"),
    [S_GET_CHECK] = "SELECT value FROM meta WHERE name='check'",
    [S_TOUCH_CHECK] = "INSERT OR REPLACE INTO meta(name,value)"
                      " VALUES('touched',randomblob(8))", /* the same would not be written */
    [S_PUT_CHECK] = "INSERT INTO meta(name,value) VALUES('check',?)",
    [S_TARGET_BY_FQDN] = "SELECT " TARGET_COLUMNS " FROM target WHERE fqdn=?",
    [S_TARGET_BY_ID] = "SELECT " TARGET_COLUMNS " FROM target WHERE id=?",
    [S_ADD_TARGET] = "INSERT INTO target(" TARGET_COLUMNS ") VALUES(?,?,?,?,?,?,?,?)"
                     " ON CONFLICT(id) DO UPDATE SET fqdn=excluded.fqdn,maf=excluded.maf,"
                     "ua=excluded.ua,suids=excluded.suids,derivation=excluded.derivation,"
                     "uicc=excluded.uicc,"
                     "origin=excluded.origin" UNLESS_STALE,
    [S_GET_ENROLEE] = "SELECT id FROM enrolee WHERE id=?",
    [S_ADD_ENROLEE] = "INSERT INTO enrolee(id,origin) VALUES(?,?)"
                      " ON CONFLICT(id) DO UPDATE SET origin=excluded.origin" UNLESS_STALE,
    [S_TARGET_NAMED] = "SELECT 1 FROM target WHERE fqdn=?1 AND id<>?2" BUT_STALE,
    [S_HOLDER_NAMED] = "SELECT 1 FROM credential WHERE kind=" MEF_DB_STR(MEF_DB_CERT)
                       " AND name='dns:'||?1 AND enrolee<>?2" BUT_STALE,
    [S_GET_CREDENTIAL] =
        "SELECT " CREDENTIAL_COLUMNS " FROM credential WHERE kind=? AND name=?",
    [S_ADD_CREDENTIAL] =
        "INSERT INTO credential(" CREDENTIAL_COLUMNS ") VALUES(?,?,?,?,?,?)"
        " ON CONFLICT(kind,name) DO UPDATE SET enrolee=excluded.enrolee,"
        "key=excluded.key,expires=excluded.expires,origin=excluded.origin" UNLESS_STALE
        " OR (origin=" MEF_DB_STR(MEF_DB_PROCEDURE) " AND enrolee=excluded.enrolee)",
    [S_GET_INSTRUCTION] =
        "SELECT " INSTRUCTION_COLUMNS " FROM instruction WHERE enrolee=? AND target=?",
    [S_ADD_INSTRUCTION] = "INSERT INTO instruction(" INSTRUCTION_COLUMNS ") VALUES(?,?,?,?,?)"
                          " ON CONFLICT(enrolee,target) DO UPDATE SET suids=excluded.suids,"
                          "expires=excluded.expires,origin=excluded.origin" UNLESS_STALE,
    [S_GET_STAKEHOLDER] = "SELECT EXISTS(SELECT 1 FROM stakeholder),"
                          "EXISTS(SELECT 1 FROM stakeholder WHERE fqdn=?)",
    [S_ADD_STAKEHOLDER] =
        "INSERT INTO stakeholder(fqdn,origin) VALUES(?,?)"
        " ON CONFLICT(fqdn) DO UPDATE SET origin=excluded.origin" UNLESS_STALE,
    [S_ADD_BATCH] = "INSERT INTO batch(token,n) VALUES(?,?)",
    [S_TRIM_BATCHES] =
        "DELETE FROM batch WHERE rowid<=(SELECT max(rowid) FROM batch)-" MEF_DB_STR(BATCHES_KEPT),
    [S_LIST + MEF_STAKEHOLDER] = PAGE("stakeholder", "fqdn,origin", "NULL"),
    [S_LIST + MEF_TARGET] = PAGE("target", TARGET_COLUMNS, "NULL"),
    [S_LIST + MEF_ENROLEE] = PAGE("enrolee", "id,origin", "id"),
    [S_LIST + MEF_CREDENTIAL] = PAGE("credential", CREDENTIAL_COLUMNS, "enrolee"),
    [S_LIST + MEF_INSTRUCTION] = PAGE("instruction", INSTRUCTION_COLUMNS, "enrolee"),
    [S_LIST + MEF_ENROLMENT] = PAGE("ke", "id,enrolee,NULL,created,expires", "enrolee"),
    [S_LIST + MEF_REGISTRATION] = PAGE("reg", REG_COLUMNS, "creator"),
    [S_LIST + MEF_KEY] = PAGE("key", KEY_COLUMNS, "creator"),
    [S_LIST + MEF_COMMAND] = "SELECT c.n,r.creator,r.admin," COMMAND_COLUMNS
                             " FROM command c JOIN reg r ON r.ri=c.reg WHERE c.n>?1"
                             " AND (?3 IS NULL OR r.creator=?3) ORDER BY c.n LIMIT ?2",
    [S_ORIGIN + MEF_STAKEHOLDER] = "SELECT origin FROM stakeholder WHERE fqdn=?1",
    [S_ORIGIN + MEF_TARGET] = "SELECT origin FROM target WHERE id=?1",
    [S_ORIGIN + MEF_ENROLEE] = "SELECT origin FROM enrolee WHERE id=?1",
    [S_ORIGIN + MEF_CREDENTIAL] = "SELECT origin FROM credential WHERE name=?1 AND kind=?2",
    [S_ORIGIN + MEF_INSTRUCTION] =
        "SELECT origin FROM instruction WHERE enrolee=?1 AND target=?2",
    [S_ORIGIN + MEF_ENROLMENT] = "SELECT 1 FROM ke WHERE id=?1",
    [S_ORIGIN + MEF_REGISTRATION] = "SELECT 1 FROM reg WHERE ri=?1",
    [S_ORIGIN + MEF_KEY] = "SELECT 1 FROM key WHERE id=?1",
    [S_ORIGIN + MEF_COMMAND] = "SELECT 1 FROM command WHERE id=?1",
    [S_REMOVE + MEF_STAKEHOLDER] = "DELETE FROM stakeholder WHERE fqdn=?1",
    [S_REMOVE + MEF_TARGET] = "DELETE FROM target WHERE id=?1",
    [S_REMOVE + MEF_ENROLEE] = "DELETE FROM enrolee WHERE id=?1",
    [S_REMOVE + MEF_CREDENTIAL] = "DELETE FROM credential WHERE name=?1 AND kind=?2",
    [S_REMOVE + MEF_INSTRUCTION] = "DELETE FROM instruction WHERE enrolee=?1 AND target=?2",
    [S_REMOVE + MEF_ENROLMENT] = "DELETE FROM ke WHERE id=?1",
    [S_REMOVE + MEF_REGISTRATION] = "DELETE FROM reg WHERE ri=?1",
    [S_REMOVE + MEF_KEY] = "DELETE FROM key WHERE id=?1",
    [S_REMOVE + MEF_COMMAND] = "DELETE FROM command WHERE id=?1",
    [S_REVOKE_KES] = "DELETE FROM ke WHERE enrolee=?",
    [S_REVOKE_KEYS] = "DELETE FROM key WHERE creator=?",
    [S_REVOKE_REGS] = "DELETE FROM reg WHERE creator=?",
    [S_REVOKE_KMS] = "DELETE FROM credential WHERE enrolee=? AND " KMS,
    [S_DEL_STAKEHOLDER_KEYS] = "DELETE FROM key WHERE admin=?",
    [S_DEL_STAKEHOLDER_KES] = "DELETE FROM ke WHERE id IN(SELECT ke FROM ke_admin WHERE admin=?1)"
                              " AND id NOT IN(SELECT ke FROM ke_admin WHERE admin<>?1)",
    [S_DEL_STAKEHOLDER_KE_ADMIN] = "DELETE FROM ke_admin WHERE admin=?1",
    [S_DEL_ORPHAN_KES] =
        "DELETE FROM ke WHERE enrolee IN(SELECT creator FROM reg WHERE admin=?1)"
        " AND enrolee NOT IN(SELECT creator FROM reg WHERE admin<>?1)",
    [S_DEL_STAKEHOLDER_KMS] = "DELETE FROM credential WHERE " KMS " AND EXISTS(SELECT 1 FROM reg"
                              " WHERE admin=? AND creator=enrolee AND " NAMED ")",
    [S_DEL_ORPHAN_KMS] =
        "DELETE FROM credential WHERE enrolee IN(SELECT creator FROM reg WHERE admin=?1)"
        " AND enrolee NOT IN(SELECT creator FROM reg WHERE admin<>?1) AND " KMS,
    [S_DEL_STAKEHOLDER_REGS] = "DELETE FROM reg WHERE admin=?",
    [S_NEXT_STALE_STAKEHOLDER] = NEXT_STALE("stakeholder", "fqdn"),
    [S_NEXT_STALE_ENROLEE] = NEXT_STALE("enrolee", "id"),
    [S_GET_AUDIT_HEAD] = "SELECT n,hash FROM audit_head",
    [S_SET_AUDIT_HEAD] = "INSERT OR REPLACE INTO audit_head(id,n,hash) VALUES(1,?,?)",
    [S_ADD_AUDIT] = "INSERT INTO audit(n,line) VALUES(?,?)",
    [S_GET_AUDIT] =
        "SELECT n,line FROM audit ORDER BY n LIMIT " MEF_DB_STR(MEF_DB_AUDIT_MAX),
    [S_DEL_AUDIT] = "DELETE FROM audit WHERE n<=?",
    [S_GET_GONE] = "SELECT what,whose,target,id,suid FROM gone ORDER BY rowid",
    [S_DEL_GONE] = "DELETE FROM gone",
};

static const char settings[] = "PRAGMA journal_mode=WAL;"
                               "PRAGMA synchronous=FULL;"
                               "PRAGMA secure_delete=ON;"
                               "PRAGMA foreign_keys=ON;"
                               "PRAGMA trusted_schema=OFF;"
                               "PRAGMA temp_store=MEMORY;" /* what a SAVEPOINT may undo */
                               /* what has no line in the audit log yet (mef_audit_file.c) */
                               "CREATE TEMP TABLE gone(what TEXT, whose TEXT, target TEXT,"
                               " id TEXT, suid INTEGER);";

/* One script a version: a file of version n gets those from n on.  Never changed once
 * released; what is new is a new one. */
static const char *const schema[VERSION] = {
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
    "PRAGMA application_id=" MEF_DB_STR(APPLICATION_ID) ";",

    "CREATE TABLE target(id TEXT PRIMARY KEY, fqdn TEXT NOT NULL UNIQUE,"
    " maf INTEGER NOT NULL, ua BLOB NOT NULL, suids INTEGER NOT NULL,"
    " derivation INTEGER NOT NULL, origin INTEGER NOT NULL);"
    "CREATE TABLE enrolee(id TEXT PRIMARY KEY, origin INTEGER NOT NULL);"
    "CREATE TABLE credential(kind INTEGER NOT NULL, name TEXT NOT NULL,"
    " enrolee TEXT NOT NULL REFERENCES enrolee(id) ON DELETE CASCADE, key BLOB,"
    " expires INTEGER NOT NULL, origin INTEGER NOT NULL, PRIMARY KEY(kind,name));"
    "CREATE INDEX credential_enrolee ON credential(enrolee);"
    "CREATE INDEX credential_expires ON credential(expires) WHERE expires<>0;"
    "CREATE TABLE instruction("
    " enrolee TEXT NOT NULL REFERENCES enrolee(id) ON DELETE CASCADE,"
    " target TEXT NOT NULL REFERENCES target(id) ON DELETE CASCADE,"
    " suids INTEGER NOT NULL, expires INTEGER NOT NULL, origin INTEGER NOT NULL,"
    " PRIMARY KEY(enrolee,target));"
    "CREATE INDEX instruction_target ON instruction(target);"
    "CREATE INDEX instruction_expires ON instruction(expires) WHERE expires<>0;",

    "CREATE TABLE stakeholder(fqdn TEXT PRIMARY KEY, origin INTEGER NOT NULL);"
    "CREATE TABLE batch(token TEXT NOT NULL, n INTEGER NOT NULL, UNIQUE(token,n));"
    "CREATE INDEX key_admin ON key(admin);"
    "CREATE INDEX reg_admin ON reg(admin);"
    "CREATE TABLE audit_head(id INTEGER PRIMARY KEY CHECK(id=1), n INTEGER NOT NULL,"
    " hash TEXT NOT NULL);"
    "CREATE TABLE audit(n INTEGER PRIMARY KEY, line TEXT NOT NULL);",

    /* A Ke of before counts as one by GBA without a USS: under a policy that wants one the
     * enrolee enrols again. */
    "ALTER TABLE ke ADD COLUMN uss INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE ke ADD COLUMN uids TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE target ADD COLUMN uicc INTEGER NOT NULL DEFAULT 0;",

    "CREATE TABLE command(n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " reg TEXT NOT NULL REFERENCES reg(ri) ON DELETE CASCADE,"
    " state INTEGER NOT NULL DEFAULT 0, class INTEGER NOT NULL, target TEXT NOT NULL,"
    " protocol INTEGER NOT NULL, subject_type INTEGER NOT NULL, subject TEXT NOT NULL,"
    " management INTEGER NOT NULL, uri TEXT NOT NULL, path TEXT NOT NULL,"
    " object_type INTEGER NOT NULL, suid INTEGER NOT NULL, issued INTEGER NOT NULL,"
    " given INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0,"
    " result INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX command_reg ON command(reg,state);",

    /* For which stakeholders a Ke is kept; one of before goes with the last registration. */
    "CREATE TABLE ke_admin(ke TEXT NOT NULL REFERENCES ke(id) ON DELETE CASCADE,"
    " admin TEXT NOT NULL, PRIMARY KEY(ke,admin)) WITHOUT ROWID;"
    "CREATE INDEX ke_admin_admin ON ke_admin(admin);",

    /* A registered key of before is as a Ke of before. */
    "ALTER TABLE key ADD COLUMN uss INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE key ADD COLUMN uids TEXT NOT NULL DEFAULT '';",

    /* otherNames were kept as they were written: one that is there in lower case too stays so. */
    "UPDATE OR IGNORE credential SET name=lower(name) WHERE " OTHER_NAMES ";"
    "DELETE FROM credential WHERE " OTHER_NAMES " AND name<>lower(name);",
};

/* ------------------------------------------------------------ statements */

static enum gba_err db_error(int rc)
{
    return rc == SQLITE_NOMEM ? GBA_E_NOMEM : GBA_E_IO;
}

sqlite3_stmt *mef_db_use_of(struct mef_db_connection *c, enum statement which)
{
    sqlite3_reset(c->st[which]);
    sqlite3_clear_bindings(c->st[which]);
    return c->st[which];
}

sqlite3_stmt *mef_db_use(struct mef_db *s, enum statement which)
{
    return mef_db_use_of(&s->c, which);
}

void mef_db_text(sqlite3_stmt *st, int i, const char *text)
{
    sqlite3_bind_text(st, i, text, -1, SQLITE_STATIC);
}

enum gba_err mef_db_run(sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);

    sqlite3_reset(st);
    if (rc == SQLITE_DONE)
        return GBA_OK;
    if (rc != SQLITE_CONSTRAINT)
        return db_error(rc);
    return sqlite3_extended_errcode(sqlite3_db_handle(st)) == SQLITE_CONSTRAINT_FOREIGNKEY
               ? GBA_E_NOT_FOUND
               : GBA_E_EXISTS;
}

enum gba_err mef_db_run_on_row(struct mef_db *s, sqlite3_stmt *st)
{
    enum gba_err err = mef_db_run(st);

    return err == GBA_OK && sqlite3_changes(s->c.db) == 0 ? GBA_E_NOT_FOUND : err;
}

enum gba_err mef_db_row(sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);

    if (rc == SQLITE_ROW)
        return GBA_OK;
    sqlite3_reset(st);
    return rc == SQLITE_DONE ? GBA_E_NOT_FOUND : db_error(rc);
}

enum gba_err mef_db_read(sqlite3_stmt *st, int i, char *out, size_t cap)
{
    const char *text = (const char *)sqlite3_column_text(st, i);
    size_t n = (size_t)sqlite3_column_bytes(st, i);

    if (text == NULL || gba_text_copy(out, cap, (struct gba_text){text, n}) != GBA_OK)
        return GBA_E_IO;
    return GBA_OK;
}

enum gba_err mef_db_count_below(sqlite3_stmt *st, const char *creator, size_t max)
{
    enum gba_err err;
    bool below;

    mef_db_text(st, 1, creator);
    err = mef_db_row(st);
    if (err != GBA_OK)
        return err;
    below = (size_t)sqlite3_column_int64(st, 0) < max;
    sqlite3_reset(st);
    return below ? GBA_OK : GBA_E_OVERLOAD;
}

/* ------------------------------------------------------------ sealed keys */

enum gba_err mef_db_seal(const struct mef_db *s, const char *name, struct gba_bytes plain,
                         uint8_t *out)
{
    /* random nonces: 2^32 rows of one master key before a repetition gets likely */
    if (getrandom(out, GBA_SEAL_NONCE, 0) != GBA_SEAL_NONCE)
        return GBA_E_ENTROPY;
    gba_seal(s->master, out, gba_text_bytes(gba_text(name)), plain, out + GBA_SEAL_NONCE);
    return GBA_OK;
}

enum gba_err mef_db_unseal(const struct mef_db *s, const char *name, sqlite3_stmt *st,
                           int column, uint8_t *out, size_t cap, size_t *n)
{
    const uint8_t *p = sqlite3_column_blob(st, column);
    size_t sealed = (size_t)sqlite3_column_bytes(st, column);

    *n = 0;
    if (p == NULL || sealed < MEF_DB_SEAL_MORE || sealed - MEF_DB_SEAL_MORE > cap)
        return GBA_E_CRYPTO;
    *n = sealed - MEF_DB_SEAL_MORE;
    return gba_unseal(s->master, p, gba_text_bytes(gba_text(name)),
                      (struct gba_bytes){p + GBA_SEAL_NONCE, sealed - GBA_SEAL_NONCE}, out);
}

enum gba_err mef_db_unseal_key(const struct mef_db *s, const char *name, sqlite3_stmt *st,
                               int column, struct gba_key *key)
{
    size_t n;
    enum gba_err err = mef_db_unseal(s, name, st, column, key->octets, sizeof(key->octets), &n);

    return err == GBA_OK && n != sizeof(key->octets) ? GBA_E_CRYPTO : err;
}

/* ------------------------------------------------------------ opening */

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

/* One step up, with the new version in the same transaction. */
static enum gba_err migrate(struct mef_db *s, int from)
{
    char version[64];
    bool ok = sqlite3_exec(s->c.db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;

    snprintf(version, sizeof(version), "PRAGMA user_version=%d;COMMIT;", from + 1);
    ok = ok && sqlite3_exec(s->c.db, schema[from], NULL, NULL, NULL) == SQLITE_OK &&
         sqlite3_exec(s->c.db, version, NULL, NULL, NULL) == SQLITE_OK;
    if (!ok && sqlite3_get_autocommit(s->c.db) == 0)
        sqlite3_exec(s->c.db, "ROLLBACK", NULL, NULL, NULL);
    return ok ? GBA_OK : GBA_E_IO;
}

/* An empty file becomes ours, an older one of ours is brought up to date; another's is left
 * alone. */
static enum gba_err prepare_schema(struct mef_db *s, const char **why)
{
    int version = number_of(s->c.db, "PRAGMA user_version");
    int application = number_of(s->c.db, "PRAGMA application_id");
    bool empty = version == 0 && application == 0 &&
                 number_of(s->c.db, "SELECT count(*) FROM sqlite_master") == 0;
    enum gba_err err = GBA_OK;

    *why = NULL;
    if (!empty && (version < 1 || application != APPLICATION_ID))
        *why = "not a database of mefd";
    else if (version > VERSION)
        *why = "of a newer version of mefd";
    if (*why != NULL)
        return GBA_E_CONFIG;
    for (; err == GBA_OK && version < VERSION; version++)
        err = migrate(s, version);
    return err;
}

/* A row sealed when the file was made tells whether the master key is the same. */
static enum gba_err check_master(struct mef_db *s, const char **why)
{
    struct gba_key key = {{0}};
    uint8_t sealed[MEF_DB_SEALED];
    sqlite3_stmt *st = mef_db_use(s, S_GET_CHECK);
    enum gba_err err = mef_db_row(st);

    if (err == GBA_OK) {
        err = mef_db_unseal_key(s, "check", st, 0, &key);
        sqlite3_reset(st);
        *why = err != GBA_OK ? "sealed under another master key" : NULL;
        return err != GBA_OK ? GBA_E_CONFIG : GBA_OK;
    }
    if (err != GBA_E_NOT_FOUND)
        return err;
    err = mef_db_seal(s, "check", GBA_BYTES(key.octets), sealed);
    if (err != GBA_OK)
        return err;
    st = mef_db_use(s, S_PUT_CHECK);
    sqlite3_bind_blob(st, 1, sealed, MEF_DB_SEALED, SQLITE_STATIC);
    return mef_db_run(st);
}

static enum gba_err connect(struct mef_db_connection *c, const char *file, int flags)
{
    int rc = sqlite3_open_v2(file, &c->db, flags | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK)
        return GBA_E_IO;
    sqlite3_busy_timeout(c->db, 5000);
    rc = sqlite3_exec(c->db, settings, NULL, NULL, NULL);
    return rc == SQLITE_OK ? GBA_OK : rc == SQLITE_NOTADB ? GBA_E_CONFIG : GBA_E_IO;
}

static enum gba_err prepare(struct mef_db_connection *c, enum statement which)
{
    return sqlite3_prepare_v3(c->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, &c->st[which],
                              NULL) == SQLITE_OK
               ? GBA_OK
               : GBA_E_CONFIG;
}

/* The connection of mef_db_ask, with what only reads. */
static enum gba_err open_asking(struct mef_db *s, const char *file)
{
    enum gba_err err;

    if (strcmp(file, ":memory:") == 0)
        return GBA_OK;
    err = connect(&s->asking.c, file, SQLITE_OPEN_READONLY);
    for (size_t i = 0; err == GBA_OK && i < N_STATEMENTS; i++)
        if (sqlite3_stmt_readonly(s->c.st[i]))
            err = prepare(&s->asking.c, (enum statement)i);
    return err;
}

enum gba_err mef_db_open(struct mef_db *s, const char *file, const char **why)
{
    mode_t before = umask(077);
    enum gba_err err = connect(&s->c, file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

    if (err == GBA_OK)
        err = prepare_schema(s, why);
    umask(before);
    for (size_t i = 0; err == GBA_OK && i < N_STATEMENTS; i++)
        err = prepare(&s->c, (enum statement)i);
    if (err == GBA_OK)
        err = check_master(s, why);
    if (err != GBA_OK)
        return err;
    err = open_asking(s, file);
    if (err != GBA_OK)
        *why = "cannot be opened a second time";
    return err;
}

static void disconnect(struct mef_db_connection *c)
{
    for (size_t i = 0; i < N_STATEMENTS; i++)
        sqlite3_finalize(c->st[i]);
    sqlite3_close(c->db);
}

void mef_db_close(struct mef_db *s)
{
    disconnect(&s->asking.c);
    disconnect(&s->c); /* the last one empties the write-ahead log */
}

static void init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t recursive;

    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
}

void mef_db_init(struct mef_db *s)
{
    init_lock(&s->lock);
    init_lock(&s->asking.lock);
    pthread_mutex_init(&s->queue.lock, NULL);
}

void mef_db_destroy(struct mef_db *s)
{
    pthread_mutex_destroy(&s->queue.lock);
    pthread_mutex_destroy(&s->asking.lock);
    pthread_mutex_destroy(&s->lock);
}
