/*
 * The MEF's store in an SQLite file: see mef_store_sqlite.h.  A row's key is sealed with the
 * row's name as associated data, so that rows cannot be exchanged.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_store_sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "naf/mef_audit.h"
#include "naf/mef_db.h"

static struct mef_db *own(struct mef_store *self)
{
    return (struct mef_db *)(void *)self;
}

/* ------------------------------------------------------------ USS */

/* Two columns. */
static void bind_uss(sqlite3_stmt *st, int i, const struct mef_uss *uss)
{
    sqlite3_bind_int(st, i, (int)uss->kind);
    mef_db_text(st, i + 1, uss->uids);
}

static enum gba_err read_uss(sqlite3_stmt *st, int i, struct mef_uss *out)
{
    int kind = sqlite3_column_int(st, i);

    out->kind = (enum mef_uss_kind)kind;
    return kind < MEF_USS_NO_GBA || kind > MEF_USS_GIVEN
               ? GBA_E_IO
               : mef_db_read(st, i + 1, out->uids, sizeof(out->uids));
}

/* ------------------------------------------------------------ Ke */

static enum gba_err put_ke_locked(struct mef_db *s, const struct mef_ke *ke,
                                  const uint8_t sealed[static MEF_DB_SEALED])
{
    sqlite3_stmt *st = mef_db_use(s, S_PUT_KE);
    enum gba_err err;

    mef_db_text(st, 1, ke->key_id);
    mef_db_text(st, 2, ke->enrolee);
    sqlite3_bind_blob(st, 3, sealed, MEF_DB_SEALED, SQLITE_STATIC);
    sqlite3_bind_int64(st, 4, ke->created_s);
    sqlite3_bind_int64(st, 5, ke->expires_s);
    bind_uss(st, 6, &ke->uss);
    err = mef_db_run(st);
    if (err == GBA_OK && ke->admin_fqdn[0] != '\0') {
        st = mef_db_use(s, S_PUT_KE_ADMIN);
        mef_db_text(st, 1, ke->key_id);
        mef_db_text(st, 2, ke->admin_fqdn);
        err = mef_db_run(st);
    }
    if (err != GBA_OK)
        return err;
    st = mef_db_use(s, S_TRIM_KES);
    mef_db_text(st, 1, ke->enrolee);
    return mef_db_run(st);
}

static enum gba_err check(struct mef_store *self)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st = mef_db_ask(s, S_GET_CHECK);
    enum gba_err err = mef_db_row(st);

    mef_db_asked(s, st);
    if (err == GBA_OK && atomic_load(&s->failing)) {
        err = mef_db_begin(s);
        if (err == GBA_OK)
            err = mef_db_end(s, mef_db_run_on_row(s, mef_db_use(s, S_TOUCH_CHECK)));
    }
    return err;
}

static enum gba_err put_ke(struct mef_store *self, const struct mef_ke *ke)
{
    struct mef_db *s = own(self);
    uint8_t sealed[MEF_DB_SEALED];
    enum gba_err err = mef_db_begin(s);

    if (err != GBA_OK)
        return err;
    /* the master key may change until here */
    err = mef_db_seal(s, ke->key_id, GBA_BYTES(ke->ke.octets), sealed);
    return mef_db_end(s, err == GBA_OK ? put_ke_locked(s, ke, sealed) : err);
}

static enum gba_err read_ke(struct mef_db *s, sqlite3_stmt *st, struct mef_ke *out)
{
    enum gba_err err = mef_db_read(st, 0, out->key_id, sizeof(out->key_id));

    if (err == GBA_OK)
        err = mef_db_read(st, 1, out->enrolee, sizeof(out->enrolee));
    if (err == GBA_OK)
        err = mef_db_unseal_key(s, out->key_id, st, 2, &out->ke);
    out->created_s = sqlite3_column_int64(st, 3);
    out->expires_s = sqlite3_column_int64(st, 4);
    return err == GBA_OK ? read_uss(st, 5, &out->uss) : err;
}

static enum gba_err get_ke(struct mef_store *self, const char *key_id, struct mef_ke *out)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    st = mef_db_ask(s, S_GET_KE);
    mef_db_text(st, 1, key_id);
    err = mef_db_row(st);
    if (err == GBA_OK)
        err = read_ke(s, st, out);
    mef_db_asked(s, st);
    return err;
}

/* ------------------------------------------------------------ registrations */

static enum gba_err read_reg(sqlite3_stmt *st, struct mef_reg *out)
{
    enum gba_err err = mef_db_read(st, 0, out->ri, sizeof(out->ri));

    if (err == GBA_OK)
        err = mef_db_read(st, 1, out->creator, sizeof(out->creator));
    if (err == GBA_OK)
        err = mef_db_read(st, 2, out->admin_fqdn, sizeof(out->admin_fqdn));
    if (err == GBA_OK)
        err = mef_db_read(st, 3, out->labels, sizeof(out->labels));
    out->created_s = sqlite3_column_int64(st, 4);
    out->modified_s = sqlite3_column_int64(st, 5);
    out->expires_s = sqlite3_column_int64(st, 6);
    return err;
}

static enum gba_err one_reg(struct mef_db *s, sqlite3_stmt *st, struct mef_reg *out)
{
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    err = mef_db_row(st);
    if (err == GBA_OK)
        err = read_reg(st, out);
    mef_db_asked(s, st);
    return err;
}

static enum gba_err find_reg(struct mef_store *self, const char *creator,
                             const char *admin_fqdn, struct mef_reg *out)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st = mef_db_ask(s, S_FIND_REG);

    mef_db_text(st, 1, creator);
    mef_db_text(st, 2, admin_fqdn);
    return one_reg(s, st, out);
}

static enum gba_err get_reg(struct mef_store *self, const char *ri, struct mef_reg *out)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st = mef_db_ask(s, S_GET_REG);

    mef_db_text(st, 1, ri);
    return one_reg(s, st, out);
}

/* A registration with all that hangs on it. */
static enum gba_err drop_reg(struct mef_db *s, const struct mef_reg *reg)
{
    static const enum statement of_admin[] = {S_DEL_REG_KEYS, S_DEL_ADMIN_KES, S_DEL_KE_ADMIN};
    sqlite3_stmt *st = mef_db_use(s, S_DEL_REG);
    enum gba_err err;

    mef_db_text(st, 1, reg->ri);
    err = mef_db_run_on_row(s, st);
    if (err != GBA_OK)
        return err;
    for (size_t i = 0; err == GBA_OK && i < sizeof(of_admin) / sizeof(of_admin[0]); i++) {
        st = mef_db_use(s, of_admin[i]);
        mef_db_text(st, 1, reg->creator);
        mef_db_text(st, 2, reg->admin_fqdn);
        err = mef_db_run(st);
    }
    if (err != GBA_OK)
        return err;
    st = mef_db_use(s, S_DEL_LAST_KES);
    mef_db_text(st, 1, reg->creator);
    return mef_db_run(st);
}

static enum gba_err insert_reg(struct mef_db *s, const struct mef_reg *reg)
{
    sqlite3_stmt *st = mef_db_use(s, S_ADD_REG);

    mef_db_text(st, 1, reg->ri);
    mef_db_text(st, 2, reg->creator);
    mef_db_text(st, 3, reg->admin_fqdn);
    mef_db_text(st, 4, reg->labels);
    sqlite3_bind_int64(st, 5, reg->created_s);
    sqlite3_bind_int64(st, 6, reg->modified_s);
    sqlite3_bind_int64(st, 7, reg->expires_s);
    return mef_db_run(st);
}

static enum gba_err add_reg_locked(struct mef_db *s, const struct mef_reg *reg, int64_t now_s,
                                   size_t max, struct mef_reg *out)
{
    enum gba_err err = find_reg(&s->port, reg->creator, reg->admin_fqdn, out);

    if (err == GBA_OK && out->expires_s > now_s)
        return GBA_E_EXISTS;
    if (err == GBA_OK)
        err = drop_reg(s, out);
    if (err != GBA_OK && err != GBA_E_NOT_FOUND)
        return err;
    err = mef_db_count_below(mef_db_use(s, S_COUNT_REGS), reg->creator, max);
    return err == GBA_OK ? insert_reg(s, reg) : err;
}

static enum gba_err add_reg(struct mef_store *self, const struct mef_reg *reg, int64_t now_s,
                            size_t max, struct mef_reg *out)
{
    struct mef_db *s = own(self);
    enum gba_err err;

    err = mef_db_begin(s);
    if (err == GBA_OK)
        err = mef_db_end(s, add_reg_locked(s, reg, now_s, max, out));
    return err;
}

static enum gba_err set_reg_locked(struct mef_db *s, const struct mef_reg *reg)
{
    sqlite3_stmt *st = mef_db_use(s, S_SET_REG);
    enum gba_err err;

    mef_db_text(st, 1, reg->ri);
    mef_db_text(st, 2, reg->labels);
    sqlite3_bind_int64(st, 3, reg->modified_s);
    sqlite3_bind_int64(st, 4, reg->expires_s);
    err = mef_db_run_on_row(s, st);
    if (err != GBA_OK)
        return err;
    st = mef_db_use(s, S_CUT_REG_KEYS);
    mef_db_text(st, 1, reg->creator);
    mef_db_text(st, 2, reg->admin_fqdn);
    sqlite3_bind_int64(st, 3, reg->expires_s);
    return mef_db_run(st);
}

static enum gba_err set_reg(struct mef_store *self, const struct mef_reg *reg)
{
    struct mef_db *s = own(self);
    enum gba_err err = mef_db_begin(s);

    return err == GBA_OK ? mef_db_end(s, set_reg_locked(s, reg)) : err;
}

static enum gba_err del_reg_locked(struct mef_db *s, const char *ri)
{
    struct mef_reg reg;
    enum gba_err err = get_reg(&s->port, ri, &reg);
    sqlite3_stmt *st;

    if (err != GBA_OK)
        return err;
    st = mef_db_use(s, S_DEL_REG_KM);
    mef_db_text(st, 1, ri);
    err = mef_db_run(st);
    if (err == GBA_OK)
        err = drop_reg(s, &reg);
    if (err != GBA_OK)
        return err;
    st = mef_db_use(s, S_DEL_LAST_KMS); /* not where another takes its place at once */
    mef_db_text(st, 1, reg.creator);
    return mef_db_run(st);
}

static enum gba_err del_reg(struct mef_store *self, const char *ri)
{
    struct mef_db *s = own(self);
    enum gba_err err;

    err = mef_db_begin(s);
    if (err == GBA_OK)
        err = mef_db_end(s, del_reg_locked(s, ri));
    return err;
}

/* ------------------------------------------------------------ keys */

static enum gba_err add_key_locked(struct mef_db *s, const struct mef_key *key,
                                   const uint8_t sealed[static MEF_DB_SEALED], size_t max)
{
    enum gba_err err = mef_db_count_below(mef_db_use(s, S_COUNT_KEYS), key->creator, max);
    sqlite3_stmt *st = mef_db_use(s, S_ADD_KEY);

    if (err != GBA_OK)
        return err;
    mef_db_text(st, 1, key->relative_id);
    mef_db_text(st, 2, key->creator);
    mef_db_text(st, 3, key->admin_fqdn);
    mef_db_text(st, 4, key->labels);
    mef_db_text(st, 5, key->targets);
    sqlite3_bind_int64(st, 6, key->suid);
    sqlite3_bind_blob(st, 7, sealed, MEF_DB_SEALED, SQLITE_STATIC);
    sqlite3_bind_int64(st, 8, key->created_s);
    sqlite3_bind_int64(st, 9, key->modified_s);
    sqlite3_bind_int64(st, 10, key->expires_s);
    bind_uss(st, 11, &key->uss);
    return mef_db_run(st);
}

static enum gba_err add_key(struct mef_store *self, const struct mef_key *key, size_t max)
{
    struct mef_db *s = own(self);
    uint8_t sealed[MEF_DB_SEALED];
    enum gba_err err = mef_db_begin(s);

    if (err != GBA_OK)
        return err;
    err = mef_db_seal(s, key->relative_id, GBA_BYTES(key->key.octets), sealed);
    return mef_db_end(s, err == GBA_OK ? add_key_locked(s, key, sealed, max) : err);
}

static enum gba_err read_key(struct mef_db *s, sqlite3_stmt *st, struct mef_key *out)
{
    enum gba_err err = mef_db_read(st, 0, out->relative_id, sizeof(out->relative_id));

    if (err == GBA_OK)
        err = mef_db_read(st, 1, out->creator, sizeof(out->creator));
    if (err == GBA_OK)
        err = mef_db_read(st, 2, out->admin_fqdn, sizeof(out->admin_fqdn));
    if (err == GBA_OK)
        err = mef_db_read(st, 3, out->labels, sizeof(out->labels));
    if (err == GBA_OK)
        err = mef_db_read(st, 4, out->targets, sizeof(out->targets));
    if (err == GBA_OK)
        err = mef_db_unseal_key(s, out->relative_id, st, 6, &out->key);
    out->suid = (unsigned)sqlite3_column_int64(st, 5);
    out->created_s = sqlite3_column_int64(st, 7);
    out->modified_s = sqlite3_column_int64(st, 8);
    out->expires_s = sqlite3_column_int64(st, 9);
    return err == GBA_OK ? read_uss(st, 10, &out->uss) : err;
}

static enum gba_err get_key(struct mef_store *self, const char *relative_id,
                            struct mef_key *out)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    st = mef_db_ask(s, S_GET_KEY);
    mef_db_text(st, 1, relative_id);
    err = mef_db_row(st);
    if (err == GBA_OK)
        err = read_key(s, st, out);
    mef_db_asked(s, st);
    return err;
}

static enum gba_err set_key(struct mef_store *self, const struct mef_key *key)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err = mef_db_begin(s);

    if (err != GBA_OK)
        return err;
    st = mef_db_use(s, S_SET_KEY);
    mef_db_text(st, 1, key->relative_id);
    mef_db_text(st, 2, key->labels);
    mef_db_text(st, 3, key->targets);
    sqlite3_bind_int64(st, 4, key->modified_s);
    sqlite3_bind_int64(st, 5, key->expires_s);
    bind_uss(st, 6, &key->uss);
    return mef_db_end(s, mef_db_run_on_row(s, st));
}

static enum gba_err del_key(struct mef_store *self, const char *relative_id)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err = mef_db_begin(s);

    if (err != GBA_OK)
        return err;
    st = mef_db_use(s, S_DEL_KEY);
    mef_db_text(st, 1, relative_id);
    return mef_db_end(s, mef_db_run_on_row(s, st));
}

/* ------------------------------------------------------------ life */

static enum gba_err sweep_locked(struct mef_db *s, int64_t now_s, size_t *n)
{
    static const enum statement sweeps[] = {S_SWEEP_KEY, S_SWEEP_KE, S_SWEEP_REG,
                                            S_SWEEP_CREDENTIAL, S_SWEEP_INSTRUCTION};

    for (size_t i = 0; i < sizeof(sweeps) / sizeof(sweeps[0]); i++) {
        sqlite3_stmt *st = mef_db_use(s, sweeps[i]);
        enum gba_err err;

        sqlite3_bind_int64(st, 1, now_s);
        err = mef_db_run(st);
        if (err != GBA_OK)
            return err;
        *n += (size_t)sqlite3_changes(s->c.db);
    }
    return GBA_OK;
}

/* One transaction, with the lines in the audit log. */
static enum gba_err sweep_some(struct mef_db *s, int64_t now_s, struct mef_audit *audit,
                               size_t *n)
{
    static const struct mef_audit_event sweeper = {.who = "sweeper"};
    enum gba_err err = mef_db_begin(s);

    *n = 0;
    if (err != GBA_OK)
        return err;
    err = sweep_locked(s, now_s, n);
    if (err == GBA_OK && audit != NULL && *n > 0)
        err = audit->note(audit, &sweeper, now_s);
    return mef_db_end(s, err);
}

/* A mutex goes to whoever runs, not to who has waited for it: readers would get few turns. */
static void let_others_in(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static enum gba_err sweep(struct mef_store *self, int64_t now_s, struct mef_audit *audit,
                          size_t *n)
{
    struct mef_db *s = own(self);
    size_t some = 0;
    enum gba_err err;

    *n = 0;
    do {
        if (some != 0)
            let_others_in();
        err = sweep_some(s, now_s, audit, &some);
        if (err == GBA_OK)
            *n += some;
    } while (err == GBA_OK && some >= MEF_DB_SWEEP_MAX);
    if (*n > 0)
        mef_db_forget(s);
    return err;
}

static void close_store(struct mef_store *self)
{
    struct mef_db *s = own(self);

    mef_db_close(s);
    mef_db_destroy(s);
    gba_wipe(s, sizeof(*s));
    free(s);
}

static const struct mef_store port = {
    .name = "sqlite",
    .check = check,
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
    .commands = &mef_store_sqlite_commands,
    .sweep = sweep,
    .close = close_store,
};

enum gba_err mef_store_sqlite_open(const char *file,
                                   const uint8_t master[static MEF_MASTER_KEY_LEN],
                                   struct mef_store **out, char *why, size_t why_size)
{
    struct mef_db *s = calloc(1, sizeof(*s));
    const char *text = NULL;
    enum gba_err err;

    *out = NULL;
    why[0] = '\0';
    if (s == NULL)
        return GBA_E_NOMEM;
    s->port = port;
    s->registry = mef_registry_sqlite;
    mef_db_init(s);
    memcpy(s->master, master, sizeof(s->master));
    err = mef_db_open(s, file, &text);
    if (err != GBA_OK) {
        snprintf(why, why_size, "%s",
                 text != NULL      ? text
                 : s->c.db != NULL ? sqlite3_errmsg(s->c.db)
                                   : "out of memory");
        close_store(&s->port);
        return err;
    }
    *out = &s->port;
    return GBA_OK;
}

struct mef_registry *mef_store_sqlite_registry(struct mef_store *store)
{
    return &own(store)->registry;
}
