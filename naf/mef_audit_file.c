/*
 * The audit log in a file beside the database: see mef_audit_file.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_audit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "naf/ca_file.h"
#include "naf/mef_db.h"

struct audit {
    struct mef_audit port;
    struct mef_db *db;
    char *file;
    int fd;
};

static struct audit *own(struct mef_audit *self)
{
    return (struct audit *)(void *)self;
}

/* ------------------------------------------------------------ what the database knows */

/* Count of lines ever noted, and the last HASH. */
static enum gba_err read_head(struct mef_db *db, uint64_t *n,
                              char hash[static MEF_AUDIT_HASH_SIZE])
{
    sqlite3_stmt *st = mef_db_use(db, S_GET_AUDIT_HEAD);
    enum gba_err err = mef_db_row(st);

    *n = 0;
    memset(hash, '0', MEF_AUDIT_HASH_SIZE - 1);
    hash[MEF_AUDIT_HASH_SIZE - 1] = '\0';
    if (err == GBA_E_NOT_FOUND)
        return GBA_OK;
    if (err == GBA_OK) {
        *n = (uint64_t)sqlite3_column_int64(st, 0);
        err = mef_db_read(st, 1, hash, MEF_AUDIT_HASH_SIZE);
    }
    sqlite3_reset(st);
    return err;
}

static enum gba_err note_locked(struct mef_db *db, const struct mef_audit_event *e,
                                int64_t now_s)
{
    char line[MEF_AUDIT_LINE_MAX], prev[MEF_AUDIT_HASH_SIZE], hash[MEF_AUDIT_HASH_SIZE];
    struct gba_wbuf w;
    sqlite3_stmt *st;
    uint64_t n;
    enum gba_err err = read_head(db, &n, prev);

    gba_wbuf_init(&w, line, sizeof(line));
    if (err == GBA_OK)
        err = mef_audit_line(e, n + 1, now_s, prev, hash, &w);
    if (err != GBA_OK)
        return err;
    st = mef_db_use(db, S_ADD_AUDIT);
    sqlite3_bind_int64(st, 1, (sqlite3_int64)(n + 1));
    sqlite3_bind_text(st, 2, line, (int)w.n, SQLITE_STATIC);
    err = mef_db_run(st);
    if (err != GBA_OK)
        return err;
    st = mef_db_use(db, S_SET_AUDIT_HEAD);
    sqlite3_bind_int64(st, 1, (sqlite3_int64)(n + 1));
    mef_db_text(st, 2, hash);
    return mef_db_run(st);
}

/* A row of the configuration has its word there. */
#define OF_FILE " WHEN old.origin<>" MEF_DB_STR(MEF_DB_STALE) " BEGIN"

/* Rows that went, whatever took them along. */
static const char watch[] =
    "CREATE TEMP TRIGGER IF NOT EXISTS ke_gone AFTER DELETE ON main.ke BEGIN"
    " INSERT INTO gone VALUES('enrolment.end',old.enrolee,NULL,old.id,0); END;"
    "CREATE TEMP TRIGGER IF NOT EXISTS reg_gone AFTER DELETE ON main.reg BEGIN"
    " INSERT INTO gone VALUES('registration.end',old.creator,NULL,old.ri,0); END;"
    "CREATE TEMP TRIGGER IF NOT EXISTS key_gone AFTER DELETE ON main.key BEGIN"
    " INSERT INTO gone VALUES('key.end',old.creator,NULL,old.id,old.suid); END;"
    "CREATE TEMP TRIGGER IF NOT EXISTS credential_gone AFTER DELETE ON main.credential" OF_FILE
    " INSERT INTO gone VALUES('credential.end',old.enrolee,NULL,old.name,0); END;"
    "CREATE TEMP TRIGGER IF NOT EXISTS instruction_gone AFTER DELETE ON "
    "main.instruction" OF_FILE
    " INSERT INTO gone VALUES('instruction.end',old.enrolee,old.target,NULL,0); END;";

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Is it the row itself that the event is about? */
static bool is_told(const struct mef_audit_event *e, const struct mef_audit_event *gone)
{
    return gone->key_id != NULL ? same(e->key_id, gone->key_id)
                                : same(e->whom, gone->whom) && same(e->target, gone->target);
}

static const char *column(sqlite3_stmt *st, int i)
{
    return (const char *)sqlite3_column_text(st, i);
}

static enum gba_err note_gone(struct mef_db *db, const struct mef_audit_event *e, int64_t now_s)
{
    sqlite3_stmt *st = mef_db_use(db, S_GET_GONE);
    enum gba_err err;
    bool any = false;

    while ((err = mef_db_row(st)) == GBA_OK) {
        const struct mef_audit_event gone = {.who = e->who,
                                             .what = column(st, 0),
                                             .whom = column(st, 1),
                                             .target = column(st, 2),
                                             .key_id = column(st, 3),
                                             .suid = (unsigned)sqlite3_column_int(st, 4)};

        any = true;
        if (!is_told(e, &gone))
            err = note_locked(db, &gone, now_s);
        if (err != GBA_OK)
            break;
    }
    sqlite3_reset(st);
    if (err != GBA_E_NOT_FOUND)
        return err;
    return any ? mef_db_run(mef_db_use(db, S_DEL_GONE)) : GBA_OK;
}

static enum gba_err note(struct mef_audit *self, const struct mef_audit_event *e, int64_t now_s)
{
    struct mef_db *db = own(self)->db;
    enum gba_err err = mef_db_begin(db);

    if (err != GBA_OK)
        return err;
    if (e->what != NULL)
        err = note_locked(db, e, now_s);
    return mef_db_end(db, err == GBA_OK ? note_gone(db, e, now_s) : err);
}

/* ------------------------------------------------------------ the file */

static enum gba_err open_file(const char *file, int *out)
{
    int fd = open(file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat st;
    enum gba_err err = GBA_OK;

    if (fd < 0)
        return GBA_E_IO;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & 022) != 0)
        err = GBA_E_FORBIDDEN;
    else if (!ca_file_sync_folder(file))
        err = GBA_E_IO;
    if (err != GBA_OK)
        close(fd);
    else
        *out = fd;
    return err;
}

/* Moved away or removed: lines go where the name says, not into a file nobody will find. */
static enum gba_err follow_name(struct audit *a)
{
    struct stat named, open_;
    enum gba_err err;
    int fd;

    if (lstat(a->file, &named) == 0 && fstat(a->fd, &open_) == 0 &&
        named.st_ino == open_.st_ino && named.st_dev == open_.st_dev)
        return GBA_OK;
    err = open_file(a->file, &fd);
    if (err != GBA_OK)
        return err;
    close(a->fd);
    a->fd = fd;
    return GBA_OK;
}

/* All of it, or the file is as it was. */
static enum gba_err append(struct audit *a, const char *text, size_t n)
{
    off_t before = lseek(a->fd, 0, SEEK_END);
    size_t done = 0;

    while (before >= 0 && done < n) {
        ssize_t w = write(a->fd, text + done, n - done);

        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0) {
            (void)!ftruncate(a->fd, before);
            return GBA_E_IO;
        }
        done += (size_t)w;
    }
    return before >= 0 ? GBA_OK : GBA_E_IO;
}

/* The number a line gives itself: {"n":N, behind its HASH. */
static uint64_t number_of(struct gba_text line)
{
    uint64_t n = 0;
    size_t at = MEF_AUDIT_HASH_SIZE + 5;

    for (; at < line.n && line.s[at] >= '0' && line.s[at] <= '9'; at++)
        n = n * 10 + (uint64_t)(line.s[at] - '0');
    return n;
}

/* The number of the last whole line of the file, and what was torn behind it cut off. */
static enum gba_err last_number(struct audit *a, uint64_t *n)
{
    char tail[2 * MEF_AUDIT_LINE_MAX];
    off_t size = lseek(a->fd, 0, SEEK_END), from;
    ssize_t got;
    size_t end, begin;

    *n = 0;
    if (size <= 0)
        return size < 0 ? GBA_E_IO : GBA_OK;
    from = size > (off_t)sizeof(tail) ? size - (off_t)sizeof(tail) : 0;
    got = pread(a->fd, tail, sizeof(tail), from);
    if (got != size - from)
        return GBA_E_IO;
    for (end = (size_t)got; end > 0 && tail[end - 1] != '\n'; end--)
        ;
    if (end == 0 && from > 0) /* no line is that long: not ours, kept, and written on */
        return append(a, "\n", 1);
    if (end < (size_t)got && ftruncate(a->fd, from + (off_t)end) != 0)
        return GBA_E_IO;
    if (end == 0)
        return GBA_OK;
    for (begin = end - 1; begin > 0 && tail[begin - 1] != '\n'; begin--)
        ;
    *n = number_of((struct gba_text){tail + begin, end - 1 - begin});
    return GBA_OK;
}

/* A file that ends beyond the database was altered: all that waits goes behind it. */
static enum gba_err forget_if_ahead(struct audit *a, uint64_t *in_file)
{
    char head[MEF_AUDIT_HASH_SIZE];
    uint64_t count;
    enum gba_err err = read_head(a->db, &count, head);

    if (err == GBA_OK && *in_file > count)
        *in_file = 0;
    return err;
}

/* Some lines that wait and are not in the file yet go there; *last: the number of the last one,
 * 0: none waits; *more: others may. */
static enum gba_err write_waiting(struct audit *a, uint64_t in_file, uint64_t *last, bool *more)
{
    sqlite3_stmt *st = mef_db_use(a->db, S_GET_AUDIT);
    char line[MEF_AUDIT_LINE_MAX + 1];
    unsigned lines = 0;
    enum gba_err err;

    *last = 0;
    while ((err = mef_db_row(st)) == GBA_OK) {
        lines++;
        *last = (uint64_t)sqlite3_column_int64(st, 0);
        err = mef_db_read(st, 1, line, MEF_AUDIT_LINE_MAX);
        if (err == GBA_OK && *last > in_file) {
            size_t n = strlen(line);

            line[n] = '\n';
            err = append(a, line, n + 1);
        }
        if (err != GBA_OK)
            break;
    }
    sqlite3_reset(st);
    *more = lines == MEF_DB_AUDIT_MAX;
    return err == GBA_E_NOT_FOUND ? GBA_OK : err;
}

/* What the disk did not take is not taken for written the next time either. */
static enum gba_err sync_or_cut(struct audit *a, off_t before)
{
    if (fdatasync(a->fd) == 0)
        return GBA_OK;
    (void)!ftruncate(a->fd, before);
    return GBA_E_IO;
}

static enum gba_err flush_some(struct audit *a, bool *more)
{
    sqlite3_stmt *st;
    uint64_t in_file, last = 0;
    off_t before;
    enum gba_err err = follow_name(a);

    *more = false;
    if (err == GBA_OK)
        err = last_number(a, &in_file);
    if (err == GBA_OK)
        err = forget_if_ahead(a, &in_file);
    before = lseek(a->fd, 0, SEEK_END);
    if (err == GBA_OK)
        err = write_waiting(a, in_file, &last, more);
    if (err != GBA_OK || last == 0)
        return err;
    err = sync_or_cut(a, before);
    if (err != GBA_OK)
        return err;
    st = mef_db_use(a->db, S_DEL_AUDIT);
    sqlite3_bind_int64(st, 1, (sqlite3_int64)last);
    return mef_db_run(st);
}

static enum gba_err flush_locked(struct audit *a)
{
    enum gba_err err;
    bool more;

    do {
        err = flush_some(a, &more);
    } while (err == GBA_OK && more);
    return err;
}

/* Others come to the database in between: a lock that is let go and taken at once is not
 * theirs. */
static enum gba_err flush(struct mef_audit *self)
{
    static const struct timespec pause = {.tv_nsec = 1000000};
    struct audit *a = own(self);
    enum gba_err err;
    bool more;

    do {
        err = mef_db_lock_settled(a->db); /* no line that might still be undone */
        if (err != GBA_OK)
            return err;
        err = flush_some(a, &more);
        mef_db_unlock(a->db);
        if (more)
            nanosleep(&pause, NULL);
    } while (err == GBA_OK && more);
    return err;
}

/* ------------------------------------------------------------ verifying */

/* A line of ours ends where its NUL would be, and is no longer than it may be. */
static bool next_follows(const char *line, uint64_t number,
                         char prev[static MEF_AUDIT_HASH_SIZE])
{
    struct gba_text t = gba_text(line);
    char hash[MEF_AUDIT_HASH_SIZE];
    bool good = t.n > 0 && t.s[t.n - 1] == '\n';

    t.n -= good;
    good = good && mef_audit_follows(t, prev, hash) && number_of(t) == number;
    if (good)
        memcpy(prev, hash, sizeof(hash));
    return good;
}

/* The first size octets: what comes behind them meanwhile is of later lines.  One line more
 * than the database knows is enough. */
static enum gba_err verify_lines(FILE *in, off_t size, uint64_t count,
                                 const char head[static MEF_AUDIT_HASH_SIZE], uint64_t *n)
{
    char line[MEF_AUDIT_LINE_MAX + 2], prev[MEF_AUDIT_HASH_SIZE];
    bool good = true;

    memset(prev, '0', sizeof(prev) - 1);
    prev[sizeof(prev) - 1] = '\0';
    for (*n = 0;
         good && *n <= count && ftello(in) < size && fgets(line, sizeof(line), in) != NULL;
         (*n)++)
        good = next_follows(line, *n + 1, prev);
    if (ferror(in))
        return GBA_E_IO;
    if (good && *n == count && strcmp(prev, head) == 0)
        return GBA_OK;
    if (good && *n < count)
        ++*n; /* the first that is missing */
    return GBA_E_ALTERED;
}

/* The database waits for this only, not for the reading of a file that may be long. */
static enum gba_err snapshot(struct audit *a, FILE **in, off_t *size, uint64_t *count,
                             char head[static MEF_AUDIT_HASH_SIZE])
{
    enum gba_err err = mef_db_lock_settled(a->db);

    *in = NULL;
    *size = 0;
    if (err != GBA_OK)
        return err;
    err = flush_locked(a);
    if (err == GBA_OK)
        err = read_head(a->db, count, head);
    *size = lseek(a->fd, 0, SEEK_END);
    *in = err == GBA_OK ? fopen(a->file, "re") : NULL;
    mef_db_unlock(a->db);
    return err == GBA_OK && (*in == NULL || *size < 0) ? GBA_E_IO : err;
}

static enum gba_err verify(struct mef_audit *self, uint64_t *n)
{
    char head[MEF_AUDIT_HASH_SIZE];
    uint64_t count;
    off_t size;
    FILE *in = NULL;
    enum gba_err err = flush(self);

    *n = 0;
    if (err == GBA_OK)
        err = snapshot(own(self), &in, &size, &count, head);
    if (err == GBA_OK)
        err = verify_lines(in, size, count, head, n);
    if (in != NULL)
        fclose(in);
    return err;
}

/* ------------------------------------------------------------ life */

static const struct mef_audit port = {
    .name = "file", .note = note, .flush = flush, .verify = verify};

/* The file may trail the database by what waits there, and never be ahead of it. */
static enum gba_err catch_up(struct audit *a, bool *altered)
{
    char head[MEF_AUDIT_HASH_SIZE];
    uint64_t count, in_file;
    bool ahead = false;
    enum gba_err err = mef_db_lock_settled(a->db);

    if (err != GBA_OK)
        return err;
    err = read_head(a->db, &count, head);
    if (err == GBA_OK)
        err = last_number(a, &in_file);
    if (err == GBA_OK) {
        ahead = in_file > count; /* which lines that wait would hide */
        err = flush_locked(a);
    }
    if (err == GBA_OK && sqlite3_exec(a->db->c.db, watch, NULL, NULL, NULL) != SQLITE_OK)
        err = GBA_E_IO;
    if (err == GBA_OK)
        err = last_number(a, &in_file);
    *altered = err == GBA_OK && (ahead || in_file != count);
    mef_db_unlock(a->db);
    return err;
}

enum gba_err mef_audit_file_open(struct mef_store *store, const char *file,
                                 struct mef_audit **out, bool *altered)
{
    struct audit *a = calloc(1, sizeof(*a));
    enum gba_err err = GBA_E_NOMEM;

    *out = NULL;
    *altered = false;
    if (a == NULL)
        return GBA_E_NOMEM;
    a->port = port;
    a->db = (struct mef_db *)(void *)store;
    a->file = strdup(file);
    a->fd = -1;
    if (a->file != NULL)
        err = open_file(file, &a->fd);
    if (err == GBA_OK)
        err = catch_up(a, altered);
    if (err != GBA_OK) {
        mef_audit_file_close(&a->port);
        return err;
    }
    *out = &a->port;
    return GBA_OK;
}

void mef_audit_file_close(struct mef_audit *self)
{
    struct audit *a;

    if (self == NULL)
        return;
    a = own(self);
    if (a->fd >= 0)
        close(a->fd);
    free(a->file);
    free(a);
}
