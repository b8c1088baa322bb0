/*
 * Transactions of the MEF's database.  One of them costs a wait for the disk, whatever is in
 * it: so those of requests that come at the same time are savepoints of one transaction of
 * SQLite, and whoever is the last to be done commits for all (group commit).  Nobody's end
 * returns before its rows are on the disk; a commit that fails fails for all that are in it.
 *
 * A lock that goes from thread to thread costs each of them a wait more.  So the work of
 * mef_db_transact stands in a queue while a batch is put on the disk, and one of those who
 * stand there does it for all, commits, and leaves what has come meanwhile to the next.
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

/* Work that waits to be done, with that; the same. */
struct mef_db_job {
    struct mef_db_job *next;
    enum gba_err (*work)(void *arg);
    void *arg;
    struct mef_db_waiter self;
    bool leads; /* its thread is to do what stands in the queue */
};

/* The database of whose transaction this thread is inside; one at a time. */
static _Thread_local const struct mef_db *inside;

void mef_db_unlock(struct mef_db *s)
{
    pthread_mutex_unlock(&s->lock);
}

bool mef_db_is_inside(const struct mef_db *s)
{
    return inside == s;
}

/* ------------------------------------------------------------ the batch */

static enum gba_err open_batch(struct mef_db *s)
{
    enum gba_err err = mef_db_run(mef_db_use(s, S_BEGIN));

    s->batch.open = err == GBA_OK;
    if (err != GBA_OK)
        atomic_store(&s->failing, true);
    return err;
}

/* SQLite ends a transaction itself on some errors (no memory, a full disk), with all that was
 * in it. */
static enum gba_err commit(struct mef_db *s)
{
    enum gba_err err =
        sqlite3_get_autocommit(s->c.db) != 0 ? GBA_E_IO : mef_db_run(mef_db_use(s, S_COMMIT));

    if (err != GBA_OK && sqlite3_get_autocommit(s->c.db) == 0)
        mef_db_run(mef_db_use(s, S_ROLLBACK));
    atomic_store(&s->failing, err != GBA_OK);
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

    pthread_mutex_lock(&s->lock);
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

static void come_in(struct mef_db *s)
{
    atomic_fetch_add(&s->coming, 1);
    pthread_mutex_lock(&s->lock);
    atomic_fetch_sub(&s->coming, 1);
}

static enum gba_err begin_one(struct mef_db *s)
{
    enum gba_err err;

    if (!s->batch.open)
        err = open_batch(s);
    else /* a savepoint outside of a transaction would be one of its own */
        err = sqlite3_get_autocommit(s->c.db) == 0 ? GBA_OK : GBA_E_IO;
    if (err == GBA_OK && has_savepoint(s))
        err = mef_db_run(mef_db_use(s, S_SAVE));
    if (err == GBA_OK) {
        s->depth++;
        inside = s;
    } else if (s->depth == 0) {
        settle_unless_more_come(s);
    }
    return err;
}

enum gba_err mef_db_begin(struct mef_db *s)
{
    enum gba_err err;

    come_in(s);
    err = begin_one(s);
    if (err != GBA_OK)
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

static void join_batch(struct mef_db *s, struct mef_db_waiter *w)
{
    w->next = s->batch.wait;
    s->batch.wait = w;
    s->batch.n++;
}

static void wait_for_end(struct mef_db_waiter *w)
{
    while (sem_wait(&w->ended) != 0 && errno == EINTR)
        continue;
}

/* Gives the lock up: others come in, and one of them commits. */
static enum gba_err unlock_and_wait(struct mef_db *s)
{
    struct mef_db_waiter self;

    sem_init(&self.ended, 0, 0);
    join_batch(s, &self);
    settle_unless_more_come(s);
    mef_db_unlock(s);
    wait_for_end(&self);
    sem_destroy(&self.ended);
    return self.err;
}

/* The outermost, up to what the others of its batch have to do with it.  *joined: it is in
 * the batch. */
static enum gba_err end_outer(struct mef_db *s, enum gba_err err, bool *joined)
{
    enum gba_err broken = GBA_OK;

    inside = NULL;
    if (sqlite3_get_autocommit(s->c.db) != 0)
        broken = GBA_E_IO;
    else if (has_savepoint(s))
        broken = end_savepoint(s, err);
    *joined = err == GBA_OK && broken == GBA_OK;
    if (err == GBA_E_IO || broken != GBA_OK)
        atomic_store(&s->failing, true);
    if (broken != GBA_OK || (err != GBA_OK && s->batch.n == 0)) {
        if (sqlite3_get_autocommit(s->c.db) == 0)
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
    pthread_mutex_lock(&s->asking.lock); /* nobody opens a key between the commit and the key */
    if (joined)
        err = settle(s);
    if (err == GBA_OK)
        memcpy(s->master, master, sizeof(s->master));
    pthread_mutex_unlock(&s->asking.lock);
    mef_db_unlock(s);
    return err;
}

/* ------------------------------------------------------------ work in a queue */

/* j leads if nobody does.  As soon as it stands there another may give it the lead: only under
 * the lock is that written. */
static void push(struct mef_db *s, struct mef_db_job *j)
{
    pthread_mutex_lock(&s->queue.lock);
    if (s->queue.last != NULL)
        s->queue.last->next = j;
    else
        s->queue.first = j;
    s->queue.last = j;
    s->queue.n++;
    j->leads = !s->queue.led;
    s->queue.led = true;
    if (j->leads)
        sem_post(&j->self.ended);
    pthread_mutex_unlock(&s->queue.lock);
}

static struct mef_db_job *pop(struct mef_db *s)
{
    struct mef_db_job *j;

    pthread_mutex_lock(&s->queue.lock);
    j = s->queue.first;
    if (j != NULL) {
        s->queue.first = j->next;
        s->queue.n--;
    }
    if (s->queue.first == NULL)
        s->queue.last = NULL;
    pthread_mutex_unlock(&s->queue.lock);
    return j;
}

static void pass_lead(struct mef_db *s)
{
    struct mef_db_job *next;

    pthread_mutex_lock(&s->queue.lock);
    next = s->queue.first;
    s->queue.led = next != NULL;
    if (next != NULL) {
        next->leads = true;
        sem_post(&next->self.ended);
    }
    pthread_mutex_unlock(&s->queue.lock);
}

static void run_job(struct mef_db *s, struct mef_db_job *j)
{
    enum gba_err err = begin_one(s);
    bool joined = false;

    if (err == GBA_OK) {
        err = j->work(j->arg);
        s->depth--;
        err = end_outer(s, err, &joined);
    }
    if (joined) {
        join_batch(s, &j->self);
    } else {
        j->self.err = err;
        sem_post(&j->self.ended); /* from here on it may be gone */
    }
}

static void lead(struct mef_db *s)
{
    struct mef_db_job *j;

    come_in(s);
    for (unsigned n = 0; n < BATCH_MAX && (j = pop(s)) != NULL; n++)
        run_job(s, j);
    settle_unless_more_come(s);
    mef_db_unlock(s);
    pass_lead(s);
}

static enum gba_err transact_inside(struct mef_db *s, enum gba_err (*work)(void *arg),
                                    void *arg)
{
    enum gba_err err = mef_db_begin(s);

    return err == GBA_OK ? mef_db_end(s, work(arg)) : err;
}

enum gba_err mef_db_transact(struct mef_db *s, enum gba_err (*work)(void *arg), void *arg)
{
    struct mef_db_job self = {.work = work, .arg = arg};

    if (mef_db_is_inside(s))
        return transact_inside(s, work, arg);
    sem_init(&self.self.ended, 0, 0);
    push(s, &self);
    wait_for_end(&self.self); /* for the lead, or for what became of it */
    if (self.leads) {
        lead(s);
        wait_for_end(&self.self);
    }
    sem_destroy(&self.self.ended);
    return self.self.err;
}

void mef_db_forget(struct mef_db *s)
{
    if (mef_db_lock_settled(s) != GBA_OK)
        return;
    pthread_mutex_lock(&s->asking.lock); /* a reader keeps the log as it is */
    sqlite3_wal_checkpoint_v2(s->c.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    pthread_mutex_unlock(&s->asking.lock);
    mef_db_unlock(s);
}
