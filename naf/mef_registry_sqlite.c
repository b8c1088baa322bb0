/*
 * The MEF's registry in the SQLite file of its store: see mef_registry.h.  The rows of the
 * configuration are marked stale before they are loaded again, so that what hangs on one that
 * stays (rows of the administration) stays too.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "naf/mef_db.h"

#define SEALED_NAME_SIZE (MEF_CRED_NAME_SIZE + 16)

static struct mef_db *own(struct mef_registry *self)
{
    return (struct mef_db *)(void *)((char *)self - offsetof(struct mef_db, registry));
}

/* ------------------------------------------------------------ transactions */

static enum gba_err begin(struct mef_registry *self)
{
    return mef_db_begin(own(self));
}

static enum gba_err end(struct mef_registry *self, enum gba_err err)
{
    return mef_db_end(own(self), err);
}

static enum gba_err transact(struct mef_registry *self, enum gba_err (*work)(void *arg),
                             void *arg)
{
    return mef_db_transact(own(self), work, arg);
}

static enum gba_err execute(struct mef_db *s, const char *sql)
{
    return sqlite3_exec(s->c.db, sql, NULL, NULL, NULL) == SQLITE_OK ? GBA_OK : GBA_E_IO;
}

static enum gba_err begin_config(struct mef_registry *self)
{
    static const char mark[] = "UPDATE stakeholder SET origin=9 WHERE origin=0;"
                               "UPDATE instruction SET origin=9 WHERE origin=0;"
                               "UPDATE credential SET origin=9 WHERE origin=0;"
                               "UPDATE enrolee SET origin=9 WHERE origin=0;"
                               "UPDATE target SET origin=9 WHERE origin=0;";
    struct mef_db *s = own(self);
    enum gba_err err = mef_db_begin(s);

    if (err != GBA_OK)
        return err;
    err = execute(s, mark);
    return err == GBA_OK ? GBA_OK : mef_db_end(s, err);
}

static enum gba_err end_config(struct mef_registry *self, enum gba_err err)
{
    static const char drop[] = "DELETE FROM instruction WHERE origin=9;"
                               "DELETE FROM credential WHERE origin=9;"
                               "DELETE FROM target WHERE origin=9;";
    struct mef_db *s = own(self);

    if (err == GBA_OK)
        err = mef_registry_drop_stale(s);
    return mef_db_end(s, err == GBA_OK ? execute(s, drop) : err);
}

/* A row that is taken in place of nothing, or of a stale one. */
static enum gba_err add(struct mef_db *s, sqlite3_stmt *st)
{
    enum gba_err err = mef_db_run(st);

    return err == GBA_OK && sqlite3_changes(s->c.db) == 0 ? GBA_E_EXISTS : err;
}

/* A certificate with that dNSName is one entity's: the rights of a target and of an enrolee
 * meet in it only where they are the same CSE. */
static enum gba_err check_alone(struct mef_db *s, enum statement others, const char *fqdn,
                                const char *id)
{
    sqlite3_stmt *st = mef_db_use(s, others);
    enum gba_err err;

    mef_db_text(st, 1, fqdn);
    mef_db_text(st, 2, id);
    err = mef_db_row(st);
    sqlite3_reset(st);
    if (err == GBA_OK)
        return GBA_E_FORBIDDEN;
    return err == GBA_E_NOT_FOUND ? GBA_OK : err;
}

/* ------------------------------------------------------------ stakeholders */

static enum gba_err stakeholder(struct mef_registry *self, const char *fqdn)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st = mef_db_ask(s, S_GET_STAKEHOLDER);
    enum gba_err err;

    mef_db_text(st, 1, fqdn);
    err = mef_db_row(st);
    if (err == GBA_OK && sqlite3_column_int64(st, 0) != 0 && sqlite3_column_int64(st, 1) == 0)
        err = GBA_E_FORBIDDEN;
    mef_db_asked(s, st);
    return err;
}

static enum gba_err add_stakeholder(struct mef_registry *self, const char *fqdn,
                                    enum mef_origin origin)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err = mef_db_begin(s);

    if (err != GBA_OK)
        return err;
    st = mef_db_use(s, S_ADD_STAKEHOLDER);
    mef_db_text(st, 1, fqdn);
    sqlite3_bind_int(st, 2, (int)origin);
    return mef_db_end(s, add(s, st));
}

/* ------------------------------------------------------------ targets */

static enum gba_err read_target(sqlite3_stmt *st, struct mef_target *out)
{
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    err = mef_db_row(st);
    if (err != GBA_OK)
        return err;
    err = mef_db_read(st, 0, out->id, sizeof(out->id));
    if (err == GBA_OK)
        err = mef_db_read(st, 1, out->fqdn, sizeof(out->fqdn));
    out->is_maf = sqlite3_column_int(st, 2) != 0;
    if (err == GBA_OK && sqlite3_column_bytes(st, 3) == (int)sizeof(out->ua_id))
        memcpy(out->ua_id, sqlite3_column_blob(st, 3), sizeof(out->ua_id));
    else if (err == GBA_OK)
        err = GBA_E_IO;
    out->suids = (uint64_t)sqlite3_column_int64(st, 4);
    out->derivation = (enum mef_derivation)sqlite3_column_int(st, 5);
    out->uicc = sqlite3_column_int(st, 6) != 0;
    return err;
}

static enum gba_err find_target(struct mef_db *s, enum statement which, const char *name,
                                struct mef_target *out)
{
    sqlite3_stmt *st = mef_db_ask(s, which);
    enum gba_err err;

    mef_db_text(st, 1, name);
    err = read_target(st, out);
    mef_db_asked(s, st);
    return err;
}

static enum gba_err target_by_fqdn(struct mef_registry *self, const char *fqdn,
                                   struct mef_target *out)
{
    return find_target(own(self), S_TARGET_BY_FQDN, fqdn, out);
}

static enum gba_err target_by_id(struct mef_registry *self, const char *absolute,
                                 struct mef_target *out)
{
    return find_target(own(self), S_TARGET_BY_ID, absolute, out);
}

static enum gba_err add_target(struct mef_registry *self, const struct mef_target *row,
                               enum mef_origin origin)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err = mef_db_begin(s);

    if (err != GBA_OK)
        return err;
    err = check_alone(s, S_HOLDER_NAMED, row->fqdn, row->id);
    if (err != GBA_OK)
        return mef_db_end(s, err);
    st = mef_db_use(s, S_ADD_TARGET);
    mef_db_text(st, 1, row->id);
    mef_db_text(st, 2, row->fqdn);
    sqlite3_bind_int(st, 3, row->is_maf);
    sqlite3_bind_blob(st, 4, row->ua_id, sizeof(row->ua_id), SQLITE_STATIC);
    sqlite3_bind_int64(st, 5, (sqlite3_int64)row->suids);
    sqlite3_bind_int(st, 6, (int)row->derivation);
    sqlite3_bind_int(st, 7, row->uicc);
    sqlite3_bind_int(st, 8, (int)origin);
    return mef_db_end(s, add(s, st));
}

/* ------------------------------------------------------------ enrolees */

static enum gba_err enrolee(struct mef_registry *self, const char *absolute,
                            struct mef_enrolee *out)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    st = mef_db_ask(s, S_GET_ENROLEE);
    mef_db_text(st, 1, absolute);
    err = mef_db_row(st);
    if (err == GBA_OK)
        err = mef_db_read(st, 0, out->id, sizeof(out->id));
    mef_db_asked(s, st);
    return err;
}

static enum gba_err add_enrolee(struct mef_registry *self, const struct mef_enrolee *row,
                                enum mef_origin origin)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err = mef_db_begin(s);

    if (err != GBA_OK)
        return err;
    st = mef_db_use(s, S_ADD_ENROLEE);
    mef_db_text(st, 1, row->id);
    sqlite3_bind_int(st, 2, (int)origin);
    return mef_db_end(s, add(s, st));
}

/* ------------------------------------------------------------ credentials */

/* What a key is sealed with: rows of two kinds may have one name. */
static void seal_name(enum mef_credential_kind kind, const char *name,
                      char out[static SEALED_NAME_SIZE])
{
    snprintf(out, SEALED_NAME_SIZE, "credential %u %s", (unsigned)kind, name);
}

static enum gba_err read_credential(struct mef_db *s, sqlite3_stmt *st,
                                    struct mef_credential *out)
{
    char sealed_as[SEALED_NAME_SIZE];
    enum gba_err err = mef_db_read(st, 1, out->name, sizeof(out->name));

    out->kind = (enum mef_credential_kind)sqlite3_column_int(st, 0);
    if (err == GBA_OK)
        err = mef_db_read(st, 2, out->enrolee, sizeof(out->enrolee));
    if (err == GBA_OK && out->kind == MEF_CRED_PSK) {
        seal_name(out->kind, out->name, sealed_as);
        err = mef_db_unseal(s, sealed_as, st, 3, out->key, sizeof(out->key), &out->key_len);
    }
    out->expires_s = sqlite3_column_int64(st, 4);
    return err;
}

static enum gba_err credential(struct mef_registry *self, enum mef_credential_kind kind,
                               const char *name, struct mef_credential *out)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    st = mef_db_ask(s, S_GET_CREDENTIAL);
    sqlite3_bind_int(st, 1, (int)kind);
    mef_db_text(st, 2, name);
    err = mef_db_row(st);
    if (err == GBA_OK)
        err = read_credential(s, st, out);
    mef_db_asked(s, st);
    return err;
}

/* A client that enrols again and again with its MEF has no more here than there. */
static enum gba_err trim_kms(struct mef_db *s, const char *enrolee)
{
    sqlite3_stmt *st = mef_db_use(s, S_TRIM_KMS);

    mef_db_text(st, 1, enrolee);
    return mef_db_run(st);
}

static enum gba_err add_credential(struct mef_registry *self, const struct mef_credential *row,
                                   enum mef_origin origin)
{
    struct mef_db *s = own(self);
    uint8_t sealed[MEF_PSK_MAX + MEF_DB_SEAL_MORE];
    char sealed_as[SEALED_NAME_SIZE];
    sqlite3_stmt *st;
    enum gba_err err;

    if (row->key_len > MEF_PSK_MAX)
        return GBA_E_ARGUMENT;
    seal_name(row->kind, row->name, sealed_as);
    err = mef_db_begin(s); /* before it is sealed: the master key may change until then */
    if (err != GBA_OK)
        return err;
    if (row->kind == MEF_CRED_CERT && strncmp(row->name, "dns:", 4) == 0)
        err = check_alone(s, S_TARGET_NAMED, row->name + 4, row->enrolee);
    if (err == GBA_OK)
        err = mef_db_seal(s, sealed_as, (struct gba_bytes){row->key, row->key_len}, sealed);
    if (err != GBA_OK)
        return mef_db_end(s, err);
    st = mef_db_use(s, S_ADD_CREDENTIAL);
    sqlite3_bind_int(st, 1, (int)row->kind);
    mef_db_text(st, 2, row->name);
    mef_db_text(st, 3, row->enrolee);
    if (row->kind == MEF_CRED_PSK)
        sqlite3_bind_blob(st, 4, sealed, (int)(row->key_len + MEF_DB_SEAL_MORE), SQLITE_STATIC);
    sqlite3_bind_int64(st, 5, row->expires_s);
    sqlite3_bind_int(st, 6, (int)origin);
    err = add(s, st);
    if (err == GBA_OK && row->kind == MEF_CRED_PSK && origin == MEF_OF_PROCEDURE)
        err = trim_kms(s, row->enrolee);
    return mef_db_end(s, err);
}

/* ------------------------------------------------------------ instructions */

static enum gba_err read_instruction(sqlite3_stmt *st, struct mef_instruction *out)
{
    enum gba_err err = mef_db_read(st, 0, out->enrolee, sizeof(out->enrolee));

    if (err == GBA_OK)
        err = mef_db_read(st, 1, out->target, sizeof(out->target));
    out->suids = (uint64_t)sqlite3_column_int64(st, 2);
    out->expires_s = sqlite3_column_int64(st, 3);
    return err;
}

static enum gba_err instruction(struct mef_registry *self, const char *enrolee_id,
                                const char *target, struct mef_instruction *out)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    st = mef_db_ask(s, S_GET_INSTRUCTION);
    mef_db_text(st, 1, enrolee_id);
    mef_db_text(st, 2, target);
    err = mef_db_row(st);
    if (err == GBA_OK)
        err = read_instruction(st, out);
    mef_db_asked(s, st);
    return err;
}

static enum gba_err add_instruction(struct mef_registry *self,
                                    const struct mef_instruction *row, enum mef_origin origin)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err = mef_db_begin(s);

    if (err != GBA_OK)
        return err;
    st = mef_db_use(s, S_ADD_INSTRUCTION);
    mef_db_text(st, 1, row->enrolee);
    mef_db_text(st, 2, row->target);
    sqlite3_bind_int64(st, 3, (sqlite3_int64)row->suids);
    sqlite3_bind_int64(st, 4, row->expires_s);
    sqlite3_bind_int(st, 5, (int)origin);
    return mef_db_end(s, add(s, st));
}

const struct mef_registry mef_registry_sqlite = {
    .name = "sqlite",
    .begin = begin,
    .end = end,
    .transact = transact,
    .begin_config = begin_config,
    .end_config = end_config,
    .target_by_fqdn = target_by_fqdn,
    .target_by_id = target_by_id,
    .enrolee = enrolee,
    .credential = credential,
    .instruction = instruction,
    .stakeholder = stakeholder,
    .list = mef_registry_list,
    .remove = mef_registry_remove,
    .revoke = mef_registry_revoke,
    .note_batch = mef_registry_note_batch,
    .add_stakeholder = add_stakeholder,
    .add_target = add_target,
    .add_enrolee = add_enrolee,
    .add_credential = add_credential,
    .add_instruction = add_instruction,
};
