/*
 * Commands of the MEF in the SQLite file of its store: see mef_command.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <sys/random.h>

#include "naf/mef_db.h"

static struct mef_db *own(struct mef_store *self)
{
    return (struct mef_db *)(void *)self;
}

/* ------------------------------------------------------------ rows */

/* cmdID: nobody can guess one that was not given to him. */
static enum gba_err make_id(struct m2m_command *c)
{
    uint8_t octets[16];

    if (getrandom(octets, sizeof(octets), 0) != sizeof(octets))
        return GBA_E_ENTROPY;
    gba_hex(c->id, GBA_BYTES(octets));
    return GBA_OK;
}

enum gba_err mef_db_read_command(sqlite3_stmt *st, int at, struct mef_command *out)
{
    struct m2m_command *c = &out->what;
    enum gba_err err = mef_db_read(st, at, c->id, sizeof(c->id));

    if (err == GBA_OK)
        err = mef_db_read(st, at + 1, out->ri, sizeof(out->ri));
    out->state = (enum mef_command_state)sqlite3_column_int(st, at + 2);
    c->class_id = (unsigned)sqlite3_column_int(st, at + 3);
    if (err == GBA_OK)
        err = mef_db_read(st, at + 4, c->target, sizeof(c->target));
    c->protocol = (unsigned)sqlite3_column_int(st, at + 5);
    c->subject_type = (unsigned)sqlite3_column_int(st, at + 6);
    if (err == GBA_OK)
        err = mef_db_read(st, at + 7, c->subject, sizeof(c->subject));
    c->management = (unsigned)sqlite3_column_int(st, at + 8);
    if (err == GBA_OK)
        err = mef_db_read(st, at + 9, c->uri, sizeof(c->uri));
    if (err == GBA_OK)
        err = mef_db_read(st, at + 10, c->path, sizeof(c->path));
    c->object_type = (unsigned)sqlite3_column_int(st, at + 11);
    c->suid = (unsigned)sqlite3_column_int(st, at + 12);
    out->issued_s = sqlite3_column_int64(st, at + 13);
    out->given_s = sqlite3_column_int64(st, at + 14);
    out->done_s = sqlite3_column_int64(st, at + 15);
    out->result = (unsigned)sqlite3_column_int(st, at + 16);
    return err == GBA_OK && (unsigned)out->state > MEF_COMMAND_DONE ? GBA_E_IO : err;
}

static enum gba_err insert(struct mef_db *s, const struct mef_command *row)
{
    const struct m2m_command *c = &row->what;
    sqlite3_stmt *st = mef_db_use(s, S_ADD_COMMAND);

    mef_db_text(st, 1, c->id);
    mef_db_text(st, 2, row->ri);
    sqlite3_bind_int(st, 3, (int)c->class_id);
    mef_db_text(st, 4, c->target);
    sqlite3_bind_int(st, 5, (int)c->protocol);
    sqlite3_bind_int(st, 6, (int)c->subject_type);
    mef_db_text(st, 7, c->subject);
    sqlite3_bind_int(st, 8, (int)c->management);
    mef_db_text(st, 9, c->uri);
    mef_db_text(st, 10, c->path);
    sqlite3_bind_int(st, 11, (int)c->object_type);
    sqlite3_bind_int(st, 12, (int)c->suid);
    sqlite3_bind_int64(st, 13, row->issued_s);
    return mef_db_run(st);
}

/* ------------------------------------------------------------ the port */

static enum gba_err add(struct mef_store *self, struct mef_command *c, size_t max)
{
    struct mef_db *s = own(self);
    enum gba_err err = make_id(&c->what);

    if (err == GBA_OK)
        err = mef_db_begin(s);
    if (err != GBA_OK)
        return err;
    err = mef_db_count_below(mef_db_use(s, S_COUNT_COMMANDS), c->ri, max);
    return mef_db_end(s, err == GBA_OK ? insert(s, c) : err);
}

static enum gba_err next(struct mef_store *self, const char *ri, struct mef_command *out)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    st = mef_db_ask(s, S_NEXT_COMMAND);
    mef_db_text(st, 1, ri);
    err = mef_db_row(st);
    if (err == GBA_OK)
        err = mef_db_read_command(st, 0, out);
    mef_db_asked(s, st);
    return err;
}

static enum gba_err give(struct mef_store *self, const char *id, int64_t now_s)
{
    struct mef_db *s = own(self);
    sqlite3_stmt *st;
    enum gba_err err = mef_db_begin(s);

    if (err != GBA_OK)
        return err;
    st = mef_db_use(s, S_GIVE_COMMAND);
    mef_db_text(st, 1, id);
    sqlite3_bind_int64(st, 2, now_s);
    return mef_db_end(s, mef_db_run_on_row(s, st));
}

static enum gba_err finish_locked(struct mef_db *s, const char *ri, const char *id,
                                  unsigned result, int64_t now_s)
{
    sqlite3_stmt *st = mef_db_use(s, S_FINISH_COMMAND);
    enum gba_err err;

    mef_db_text(st, 1, ri);
    mef_db_text(st, 2, id);
    sqlite3_bind_int(st, 3, (int)result);
    sqlite3_bind_int64(st, 4, now_s);
    err = mef_db_run_on_row(s, st);
    if (err != GBA_OK)
        return err;
    st = mef_db_use(s, S_TRIM_COMMANDS);
    mef_db_text(st, 1, ri);
    return mef_db_run(st);
}

static enum gba_err finish(struct mef_store *self, const char *ri, const char *id,
                           unsigned result, int64_t now_s)
{
    struct mef_db *s = own(self);
    enum gba_err err = mef_db_begin(s);

    return err == GBA_OK ? mef_db_end(s, finish_locked(s, ri, id, result, now_s)) : err;
}

const struct mef_command_store mef_store_sqlite_commands = {
    .add = add, .next = next, .give = give, .finish = finish};
