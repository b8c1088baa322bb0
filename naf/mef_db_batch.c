/*
 * Transactions of the MEF's database.  One of them costs a wait for the disk, whatever is in
 * it: so those of requests that come at the same time are savepoints of one transaction of
 * SQLite, and whoever is the last to be done commits for all (group commit).  Nobody's end
 * returns before its rows are on the disk; a commit that fails fails for all that are in it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <semaphore.h>
#include <string.h>

#include "naf/mef_db.h"

#define BATCH_MAX 64 /* so that a stream of newcomers keeps nobody waiting for ever */

/* A transaction that is done and waits for the disk; on its thread's stack. */
struct mef_db_waiter {
    struct mef_db_waiter *next;
    sem_t ended;
    enum gba_err err;
};

void mef_db_batch_init(struct mef_db *s)
{
    pthread_mutexattr_t recursive;

    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&s->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
}

void mef_db_batch_destroy(struct mef_db *s)
{
    pthread_mutex_destroy(&s->lock);
}

void mef_db_lock(struct mef_db *s)
{
    pthread_mutex_lock(&s->lock);
}

void mef_db_unlock(struct mef_db *s)
{
    pthread_mutex_unlock(&s->lock);
}

/* ------------------------------------------------------------ the batch */

static enum gba_err open_batch(struct mef_db *s)
{
    enum gba_err err = mef_db_run(mef_db_use(s, S_BEGIN));

    s->batch.open = err == GBA_OK;
    return err;
}

/* SQLite ends a transaction itself on some errors (no memory, a full disk), with all that was
 * in it. */
static enum gba_err commit(struct mef_db *s)
{
    enum gba_err err =
        sqlite3_get_autocommit(s->db) != 0 ? GBA_E_IO : mef_db_run(mef_db_use(s, S_COMMIT));

    if (err != GBA_OK && sqlite3_get_autocommit(s->db) == 0)
        mef_db_run(mef_db_use(s, S_ROLLBACK));
    return err;
}

static void tell(struct mef_db *s, enum gba_err err)
{
    struct mef_db_waiter *next;

    for (struct mef_db_waiter *w = s->batch.wait; w != NULL; w = next) {
        next = w->next;
        w->err = err;
        sem_post(&w->ended); /* from here on it may be gone */
    }
    s->batch.wait = NULL;
    s->batch.n = 0;
    s->batch.open = false;
}

static enum gba_err settle(struct mef_db *s)
{
    enum gba_err err = commit(s);

    tell(s, err);
    return err;
}

/* Nobody of this batch that is done is left without one who will commit. */
static void settle_unless_more_come(struct mef_db *s)
{
    if (s->batch.open && s->batch.n > 0 &&
        (atomic_load(&s->coming) == 0 || s->batch.n >= BATCH_MAX))
        settle(s);
}

enum gba_err mef_db_lock_settled(struct mef_db *s)
{
    enum gba_err err = GBA_OK;

    mef_db_lock(s);
    if (s->depth > 0)
        err = GBA_E_UNEXPECTED;
    else if (s->batch.open)
        err = settle(s);
    if (err != GBA_OK)
        mef_db_unlock(s);
    return err;
}

/* ------------------------------------------------------------ one transaction */

/* The first of a batch needs no savepoint: before it there is nothing to go back to. */
static bool has_savepoint(const struct mef_db *s)
{
    return s->depth > 0 || s->batch.n > 0;
}

enum gba_err mef_db_begin(struct mef_db *s)
{
    enum gba_err err;

    atomic_fetch_add(&s->coming, 1);
    mef_db_lock(s);
    atomic_fetch_sub(&s->coming, 1);
    if (!s->batch.open)
        err = open_batch(s);
    else /* a savepoint outside of a transaction would be one of its own */
        err = sqlite3_get_autocommit(s->db) == 0 ? GBA_OK : GBA_E_IO;
    if (err == GBA_OK && has_savepoint(s))
        err = mef_db_run(mef_db_use(s, S_SAVE));
    if (err == GBA_OK) {
        s->depth++;
        return GBA_OK;
    }
    if (s->depth == 0)
        settle_unless_more_come(s);
    mef_db_unlock(s);
    return err;
}

/* What failed leaves the rest as it was before. */
static enum gba_err end_savepoint(struct mef_db *s, enum gba_err err)
{
    enum gba_err undone = err == GBA_OK ? GBA_OK : mef_db_run(mef_db_use(s, S_ROLLBACK_TO));
    enum gba_err released = mef_db_run(mef_db_use(s, S_RELEASE));

    return undone != GBA_OK ? undone : released;
}

/* Gives the lock up: others come in, and one of them commits. */
static enum gba_err unlock_and_wait(struct mef_db *s)
{
    struct mef_db_waiter self = {.next = s->batch.wait};

    sem_init(&self.ended, 0, 0);
    s->batch.wait = &self;
    s->batch.n++;
    settle_unless_more_come(s);
    mef_db_unlock(s);
    while (sem_wait(&self.ended) != 0 && errno == EINTR)
        continue;
    sem_destroy(&self.ended);
    return self.err;
}

/* The outermost, up to what the others of its batch have to do with it.  *joined: it is in
 * the batch. */
static enum gba_err end_outer(struct mef_db *s, enum gba_err err, bool *joined)
{
    enum gba_err broken = GBA_OK;

    if (sqlite3_get_autocommit(s->db) != 0)
        broken = GBA_E_IO;
    else if (has_savepoint(s))
        broken = end_savepoint(s, err);
    *joined = err == GBA_OK && broken == GBA_OK;
    if (broken != GBA_OK || (err != GBA_OK && s->batch.n == 0)) {
        if (sqlite3_get_autocommit(s->db) == 0)
            mef_db_run(mef_db_use(s, S_ROLLBACK));
        tell(s, broken);
    } else if (err != GBA_OK) {
        settle_unless_more_come(s);
    }
    return err != GBA_OK ? err : broken;
}

static enum gba_err end_inner(struct mef_db *s, enum gba_err err)
{
    enum gba_err broken = end_savepoint(s, err);

    return err != GBA_OK ? err : broken;
}

enum gba_err mef_db_end(struct mef_db *s, enum gba_err err)
{
    bool joined = false;

    s->depth--;
    err = s->depth == 0 ? end_outer(s, err, &joined) : end_inner(s, err);
    if (joined)
        return unlock_and_wait(s);
    mef_db_unlock(s);
    return err;
}

enum gba_err mef_db_end_with(struct mef_db *s, enum gba_err err,
                             const uint8_t master[static MEF_MASTER_KEY_LEN])
{
    bool joined;

    if (s->depth > 1)
        return mef_db_end(s, err != GBA_OK ? err : GBA_E_UNEXPECTED);
    s->depth--;
    err = end_outer(s, err, &joined);
    if (joined)
        err = settle(s); /* nobody reads or seals between the commit and the key */
    if (err == GBA_OK)
        memcpy(s->master, master, sizeof(s->master));
    mef_db_unlock(s);
    return err;
}

void mef_db_forget(struct mef_db *s)
{
    if (mef_db_lock_settled(s) != GBA_OK)
        return;
    sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    mef_db_unlock(s);
}
