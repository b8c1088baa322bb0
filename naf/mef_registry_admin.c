/*
 * The administration's part of the registry in the SQLite file: lists, removal, revocation and
 * which batches of imports are in.  See mef_registry.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "naf/mef_db.h"

static struct mef_db *own(struct mef_registry *self)
{
    return (struct mef_db *)(void *)((char *)self - offsetof(struct mef_db, registry));
}

/* ------------------------------------------------------------ lists */

/* Columns behind the rowid.  The first text that does not fit shows in *err. */
static void text(sqlite3_stmt *st, int i, char *out, size_t cap, enum gba_err *err)
{
    if (*err == GBA_OK)
        *err = mef_db_read(st, i, out, cap);
}
#define TEXT(i, member) text(st, i, member, sizeof(member), &err)

/* The last column.  Numbers that name nothing are a damaged file's. */
static enum gba_err read_origin(sqlite3_stmt *st, struct mef_row *r, enum gba_err err)
{
    int origin = sqlite3_column_int(st, sqlite3_column_count(st) - 1);

    if (origin < 0 || origin > MEF_OF_PROCEDURE ||
        (r->noun == MEF_TARGET && (unsigned)r->u.target.derivation > MEF_KM) ||
        (r->noun == MEF_CREDENTIAL && (unsigned)r->u.credential.kind >= MEF_N_CRED_KINDS))
        return GBA_E_IO;
    r->origin = (enum mef_origin)origin;
    return err;
}

static enum gba_err read_standing(sqlite3_stmt *st, struct mef_row *r)
{
    struct mef_target *t = &r->u.target;
    struct mef_credential *c = &r->u.credential;
    struct mef_instruction *i = &r->u.instruction;
    enum gba_err err = GBA_OK;

    switch (r->noun) {
    case MEF_STAKEHOLDER:
        TEXT(1, r->u.stakeholder);
        break;
    case MEF_TARGET:
        TEXT(1, t->id);
        TEXT(2, t->fqdn);
        t->is_maf = sqlite3_column_int(st, 3) != 0;
        if (sqlite3_column_bytes(st, 4) != (int)sizeof(t->ua_id))
            return GBA_E_IO;
        memcpy(t->ua_id, sqlite3_column_blob(st, 4), sizeof(t->ua_id));
        t->suids = (uint64_t)sqlite3_column_int64(st, 5);
        t->derivation = (enum mef_derivation)sqlite3_column_int(st, 6);
        t->uicc = sqlite3_column_int(st, 7) != 0;
        break;
    case MEF_ENROLEE:
        TEXT(1, r->u.enrolee.id);
        break;
    case MEF_CREDENTIAL:
        c->kind = (enum mef_credential_kind)sqlite3_column_int(st, 1);
        TEXT(2, c->name);
        TEXT(3, c->enrolee);
        c->expires_s = sqlite3_column_int64(st, 5);
        break;
    default:
        TEXT(1, i->enrolee);
        TEXT(2, i->target);
        i->suids = (uint64_t)sqlite3_column_int64(st, 3);
        i->expires_s = sqlite3_column_int64(st, 4);
        break;
    }
    return read_origin(st, r, err);
}

/* What enrolees made; it is of no origin. */
static enum gba_err read_made(sqlite3_stmt *st, struct mef_row *r)
{
    struct mef_ke *e = &r->u.enrolment;
    struct mef_reg *g = &r->u.registration;
    struct mef_key *k = &r->u.key;
    enum gba_err err = GBA_OK;

    r->origin = MEF_OF_ADMIN;
    switch (r->noun) {
    case MEF_ENROLMENT:
        TEXT(1, e->key_id);
        TEXT(2, e->enrolee);
        e->created_s = sqlite3_column_int64(st, 4);
        e->expires_s = sqlite3_column_int64(st, 5);
        break;
    case MEF_REGISTRATION:
        TEXT(1, g->ri);
        TEXT(2, g->creator);
        TEXT(3, g->admin_fqdn);
        TEXT(4, g->labels);
        g->created_s = sqlite3_column_int64(st, 5);
        g->modified_s = sqlite3_column_int64(st, 6);
        g->expires_s = sqlite3_column_int64(st, 7);
        break;
    case MEF_COMMAND:
        TEXT(1, r->u.command.enrolee);
        TEXT(2, r->u.command.admin_fqdn);
        if (err == GBA_OK)
            err = mef_db_read_command(st, 3, &r->u.command);
        break;
    default:
        TEXT(1, k->relative_id);
        TEXT(2, k->creator);
        TEXT(3, k->admin_fqdn);
        TEXT(4, k->labels);
        TEXT(5, k->targets);
        k->suid = (unsigned)sqlite3_column_int(st, 6);
        k->created_s = sqlite3_column_int64(st, 8);
        k->modified_s = sqlite3_column_int64(st, 9);
        k->expires_s = sqlite3_column_int64(st, 10);
        break;
    }
    return err;
}

static enum gba_err read_row(sqlite3_stmt *st, enum mef_noun noun, struct mef_row *r)
{
    memset(r, 0, sizeof(*r));
    r->noun = noun;
    r->at = sqlite3_column_int64(st, 0);
    return noun < MEF_ENROLMENT ? read_standing(st, r) : read_made(st, r);
}

enum gba_err mef_registry_list(struct mef_registry *self, enum mef_noun noun,
                               const char *enrolee, int64_t after, size_t max, mef_visit *visit,
                               void *arg)
{
    struct mef_db *s = own(self);
    struct mef_row row;
    sqlite3_stmt *st;
    enum gba_err err;

    st = mef_db_ask(s, (enum statement)(S_LIST + (int)noun));
    sqlite3_bind_int64(st, 1, after);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)max);
    if (enrolee != NULL)
        mef_db_text(st, 3, enrolee);
    while ((err = mef_db_row(st)) == GBA_OK) {
        err = read_row(st, noun, &row);
        if (err == GBA_OK)
            err = visit(arg, &row);
        if (err != GBA_OK)
            break;
    }
    mef_db_asked(s, st);
    return err == GBA_E_NOT_FOUND ? GBA_OK : err;
}

/* ------------------------------------------------------------ removal */

static enum gba_err run_named(struct mef_db *s, enum statement which, const char *name)
{
    sqlite3_stmt *st = mef_db_use(s, which);

    mef_db_text(st, 1, name);
    return mef_db_run(st);
}

static void bind_name(sqlite3_stmt *st, const struct mef_row *r)
{
    switch (r->noun) {
    case MEF_STAKEHOLDER:
        mef_db_text(st, 1, r->u.stakeholder);
        return;
    case MEF_TARGET:
        mef_db_text(st, 1, r->u.target.id);
        return;
    case MEF_ENROLEE:
        mef_db_text(st, 1, r->u.enrolee.id);
        return;
    case MEF_CREDENTIAL:
        mef_db_text(st, 1, r->u.credential.name);
        sqlite3_bind_int(st, 2, (int)r->u.credential.kind);
        return;
    case MEF_INSTRUCTION:
        mef_db_text(st, 1, r->u.instruction.enrolee);
        mef_db_text(st, 2, r->u.instruction.target);
        return;
    case MEF_ENROLMENT:
        mef_db_text(st, 1, r->u.enrolment.key_id);
        return;
    case MEF_REGISTRATION:
        mef_db_text(st, 1, r->u.registration.ri);
        return;
    case MEF_COMMAND:
        mef_db_text(st, 1, r->u.command.what.id);
        return;
    default:
        mef_db_text(st, 1, r->u.key.relative_id);
        return;
    }
}

/* Is there such a row, and not of the configuration? */
static enum gba_err check_origin(struct mef_db *s, const struct mef_row *row)
{
    sqlite3_stmt *st = mef_db_use(s, (enum statement)(S_ORIGIN + (int)row->noun));
    enum gba_err err;

    bind_name(st, row);
    err = mef_db_row(st);
    if (err == GBA_OK && sqlite3_column_int(st, 0) == MEF_OF_CONFIG)
        err = GBA_E_FORBIDDEN;
    sqlite3_reset(st);
    return err;
}

static enum gba_err run_all(struct mef_db *s, const enum statement *which, size_t n,
                            const char *name, size_t *changed)
{
    enum gba_err err = GBA_OK;

    *changed = 0;
    for (size_t i = 0; err == GBA_OK && i < n; i++) {
        err = run_named(s, which[i], name);
        *changed += (size_t)sqlite3_changes(s->c.db);
    }
    return err;
}

static enum gba_err revoke_of(struct mef_db *s, const char *enrolee, size_t *n)
{
    static const enum statement all[] = {S_REVOKE_KES, S_REVOKE_KEYS, S_REVOKE_REGS,
                                         S_REVOKE_KMS};

    return run_all(s, all, sizeof(all) / sizeof(all[0]), enrolee, n);
}

/* Registrations under a stakeholder, and what they let be. */
static enum gba_err end_stakeholder(struct mef_db *s, const char *fqdn, size_t *n)
{
    static const enum statement all[] = {S_DEL_STAKEHOLDER_KEYS,     S_DEL_STAKEHOLDER_KES,
                                         S_DEL_STAKEHOLDER_KE_ADMIN, S_DEL_ORPHAN_KES,
                                         S_DEL_STAKEHOLDER_KMS,      S_DEL_ORPHAN_KMS,
                                         S_DEL_STAKEHOLDER_REGS};

    return run_all(s, all, sizeof(all) / sizeof(all[0]), fqdn, n);
}

/* What hangs on a row beyond what its foreign keys take along. */
static enum gba_err remove_below(struct mef_db *s, const struct mef_row *row)
{
    struct mef_store *store = &s->port;
    size_t n;

    switch (row->noun) {
    case MEF_STAKEHOLDER:
        return end_stakeholder(s, row->u.stakeholder, &n);
    case MEF_ENROLEE:
        return revoke_of(s, row->u.enrolee.id, &n);
    case MEF_REGISTRATION:
        return store->del_reg(store, row->u.registration.ri);
    default:
        return GBA_OK;
    }
}

enum gba_err mef_registry_remove(struct mef_registry *self, const struct mef_row *row)
{
    struct mef_db *s = own(self);
    enum gba_err err = mef_db_begin(s);
    sqlite3_stmt *st;

    if (err != GBA_OK)
        return err;
    err = check_origin(s, row);
    if (err == GBA_OK)
        err = remove_below(s, row);
    if (err == GBA_OK) {
        st = mef_db_use(s, (enum statement)(S_REMOVE + (int)row->noun));
        bind_name(st, row);
        err = mef_db_run(st);
    }
    return mef_db_end(s, err);
}

enum gba_err mef_registry_revoke(struct mef_registry *self, const char *enrolee, size_t *n)
{
    struct mef_db *s = own(self);
    enum gba_err err = mef_db_begin(s);

    *n = 0;
    return err == GBA_OK ? mef_db_end(s, revoke_of(s, enrolee, n)) : err;
}

/* ------------------------------------------------------------ the configuration */

/* Each stale row of a table, and first what hangs on it. */
static enum gba_err drop_each(struct mef_db *s, enum statement next, enum statement remove,
                              enum gba_err (*end)(struct mef_db *s, const char *name,
                                                  size_t *n))
{
    sqlite3_int64 at = 0;
    char name[M2M_ID_SIZE];
    enum gba_err err;
    size_t n;

    do {
        sqlite3_stmt *st = mef_db_use(s, next);

        sqlite3_bind_int64(st, 1, at);
        err = mef_db_row(st);
        at = sqlite3_column_int64(st, 0);
        if (err == GBA_OK)
            err = mef_db_read(st, 1, name, sizeof(name));
        sqlite3_reset(st);
        if (err == GBA_OK)
            err = end(s, name, &n);
        if (err == GBA_OK)
            err = run_named(s, remove, name);
    } while (err == GBA_OK);
    return err == GBA_E_NOT_FOUND ? GBA_OK : err;
}

enum gba_err mef_registry_drop_stale(struct mef_db *s)
{
    enum gba_err err = drop_each(s, S_NEXT_STALE_STAKEHOLDER,
                                 (enum statement)(S_REMOVE + MEF_STAKEHOLDER), end_stakeholder);

    return err == GBA_OK ? drop_each(s, S_NEXT_STALE_ENROLEE,
                                     (enum statement)(S_REMOVE + MEF_ENROLEE), revoke_of)
                         : err;
}

/* ------------------------------------------------------------ imports */

enum gba_err mef_registry_note_batch(struct mef_registry *self, const char *token,
                                     uint64_t batch)
{
    struct mef_db *s = own(self);
    enum gba_err err = mef_db_begin(s);
    sqlite3_stmt *st;

    if (err != GBA_OK)
        return err;
    st = mef_db_use(s, S_ADD_BATCH);
    mef_db_text(st, 1, token);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)batch);
    err = mef_db_run(st);
    if (err == GBA_OK)
        err = mef_db_run(mef_db_use(s, S_TRIM_BATCHES));
    return mef_db_end(s, err);
}
