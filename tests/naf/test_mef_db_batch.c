/*
 * naf/mef_db_batch.c: transactions of several threads in one commit, each by itself all or
 * nothing, and none told of before it is on the disk.  naf/mef_db_ask.c: what others see.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "naf/mef_db.h"
#include "tests/naf/mef_world.h"
#include "tests/unit.h"

#define THREADS 8
#define EACH    40

static struct mef_world w;
static unsigned n_commits;

struct worker {
    pthread_t thread;
    unsigned number, from;
    enum gba_err told[2 * EACH];
};

static struct mef_db *db(void)
{
    return (struct mef_db *)(void *)w.store;
}

static void make_key(struct mef_key *key, unsigned worker, unsigned i)
{
    memset(key, 0, sizeof(*key));
    snprintf(key->relative_id, sizeof(key->relative_id), "K%u-%u", worker, i);
    strcpy(key->creator, WORLD_ENROLEE);
    strcpy(key->admin_fqdn, "sp.example");
    key->suid = 22;
    key->expires_s = 100;
}

static enum gba_err add_key(unsigned worker, unsigned i)
{
    struct mef_key key;

    make_key(&key, worker, i);
    return w.store->add_key(w.store, &key, 1000000);
}

static bool is_there(unsigned worker, unsigned i)
{
    struct mef_key key, got;
    enum gba_err err;

    make_key(&key, worker, i);
    err = w.store->get_key(w.store, key.relative_id, &got);
    CU_ASSERT(err == GBA_OK || err == GBA_E_NOT_FOUND);
    return err == GBA_OK;
}

struct pair {
    unsigned worker, i;
};

/* Two rows in one transaction, of which every third is given up; within it a row that is there
 * already, whose refusal undoes nothing else. */
static enum gba_err add_pair(void *arg)
{
    const struct pair *p = arg;
    enum gba_err err = add_key(p->worker, 2 * p->i);

    if (err == GBA_OK && add_key(p->worker, 2 * p->i) != GBA_E_EXISTS)
        err = GBA_E_IO;
    if (err == GBA_OK)
        err = add_key(p->worker, 2 * p->i + 1);
    return err == GBA_OK && p->i % 3 == 0 ? GBA_E_CANCELLED : err;
}

/* Half of the threads leave their work in the queue. */
static void *work(void *arg)
{
    struct mef_registry *g = w.registry;
    struct worker *self = arg;

    for (unsigned i = self->from; i < self->from + EACH; i++) {
        struct pair p = {self->number, i};
        enum gba_err err = GBA_OK;

        if (self->number % 2 == 0) {
            err = g->transact(g, add_pair, &p);
        } else {
            err = g->begin(g);
            if (err == GBA_OK)
                err = g->end(g, add_pair(&p));
        }
        self->told[i] = err;
    }
    return NULL;
}

static void run_workers(struct worker workers[static THREADS], unsigned from)
{
    for (unsigned t = 0; t < THREADS; t++) {
        workers[t].number = t;
        workers[t].from = from;
        CU_ASSERT_EQUAL_FATAL(pthread_create(&workers[t].thread, NULL, work, &workers[t]), 0);
    }
    for (unsigned t = 0; t < THREADS; t++)
        pthread_join(workers[t].thread, NULL);
}

/* What they were told is what the file says. */
static void check_workers(const struct worker workers[static THREADS], unsigned n)
{
    for (unsigned t = 0; t < THREADS; t++)
        for (unsigned i = 0; i < n; i++) {
            bool ok = workers[t].told[i] == GBA_OK;

            CU_ASSERT_EQUAL(is_there(t, 2 * i), ok);
            CU_ASSERT_EQUAL(is_there(t, 2 * i + 1), ok);
        }
}

static void test_each_by_itself(void)
{
    static struct worker workers[THREADS];

    mef_world_begin(&w);
    run_workers(workers, 0);
    for (unsigned t = 0; t < THREADS; t++)
        for (unsigned i = 0; i < EACH; i++)
            CU_ASSERT_EQUAL(workers[t].told[i], i % 3 == 0 ? GBA_E_CANCELLED : GBA_OK);
    mef_world_reopen(&w);
    check_workers(workers, EACH);
    mef_world_end(&w);
}

/* A commit that fails fails for all that were in it. */
static void test_full_disk(void)
{
    static struct worker workers[THREADS];
    struct rlimit before, full;
    unsigned refused = 0;

    mef_world_begin(&w);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    full = (struct rlimit){400000, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &full);
    run_workers(workers, 0);
    setrlimit(RLIMIT_FSIZE, &before);
    for (unsigned t = 0; t < THREADS; t++)
        for (unsigned i = 0; i < EACH; i++)
            refused += i % 3 != 0 && workers[t].told[i] != GBA_OK;
    CU_ASSERT(refused > 0);
    check_workers(workers, EACH);
    run_workers(workers, EACH); /* space again */
    mef_world_reopen(&w);
    check_workers(workers, 2 * EACH);
    for (unsigned t = 0; t < THREADS; t++)
        CU_ASSERT_EQUAL(workers[t].told[2 * EACH - 1],
                        (2 * EACH - 1) % 3 == 0 ? GBA_E_CANCELLED : GBA_OK);
    mef_world_end(&w);
}

static int on_commit(void *arg)
{
    (void)arg;
    n_commits++;
    return 0;
}

static void *add_one(void *arg)
{
    struct worker *self = arg;

    self->told[0] = add_key(self->number, 0);
    return NULL;
}

static bool all_come(void)
{
    return atomic_load(&db()->coming) == THREADS;
}

static bool all_stand(void)
{
    unsigned n;

    pthread_mutex_lock(&db()->queue.lock);
    n = db()->queue.n;
    pthread_mutex_unlock(&db()->queue.lock);
    return n == THREADS;
}

/* All that wait while one has the database go to the disk with it, and not before. */
static void wait_and_go_together(void *(*add)(void *), bool (*all_wait)(void))
{
    static struct worker workers[THREADS];

    mef_world_begin(&w);
    n_commits = 0;
    sqlite3_commit_hook(db()->c.db, on_commit, NULL);
    CU_ASSERT_EQUAL_FATAL(mef_db_begin(db()), GBA_OK);
    for (unsigned t = 0; t < THREADS; t++) {
        workers[t].number = t;
        CU_ASSERT_EQUAL_FATAL(pthread_create(&workers[t].thread, NULL, add, &workers[t]), 0);
    }
    while (!all_wait())
        sched_yield();
    CU_ASSERT_EQUAL(add_key(100, 0), GBA_OK);
    CU_ASSERT_EQUAL(n_commits, 0);
    CU_ASSERT_EQUAL(mef_db_end(db(), GBA_OK), GBA_OK);
    for (unsigned t = 0; t < THREADS; t++) {
        pthread_join(workers[t].thread, NULL);
        CU_ASSERT_EQUAL(workers[t].told[0], GBA_OK);
    }
    CU_ASSERT_EQUAL(n_commits, 1);
    sqlite3_commit_hook(db()->c.db, NULL, NULL);
    mef_world_reopen(&w);
    for (unsigned t = 0; t < THREADS; t++)
        CU_ASSERT(is_there(t, 0));
    mef_world_end(&w);
}

static void test_one_commit(void)
{
    wait_and_go_together(add_one, all_come);
}

static enum gba_err add_first(void *arg)
{
    const struct worker *self = arg;

    CU_ASSERT(mef_db_is_inside(db()));
    return add_key(self->number, 0);
}

static void *add_queued(void *arg)
{
    struct worker *self = arg;

    self->told[0] = w.registry->transact(w.registry, add_first, self);
    CU_ASSERT(!mef_db_is_inside(db()));
    return NULL;
}

static void test_queue(void)
{
    wait_and_go_together(add_queued, all_stand);
}

#define TURNS 5000

struct turn {
    unsigned done;
};

static enum gba_err take_turn(void *arg)
{
    struct turn *t = arg;

    t->done++;
    return GBA_E_CANCELLED; /* nothing for the disk, which would only take time */
}

static void *take_turns(void *arg)
{
    struct worker *self = arg;

    self->told[0] = GBA_E_CANCELLED;
    for (unsigned i = 0; i < TURNS && self->told[0] == GBA_E_CANCELLED; i++) {
        struct turn t = {0};

        self->told[0] = w.registry->transact(w.registry, take_turn, &t);
        if (t.done != 1)
            self->told[0] = GBA_E_UNEXPECTED;
    }
    return NULL;
}

/* The lead goes from thread to thread while others come: nobody leaves before his work is done,
 * and nobody stands there for ever. */
static void test_lead(void)
{
    static struct worker workers[THREADS];

    mef_world_begin(&w);
    for (unsigned t = 0; t < THREADS; t++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&workers[t].thread, NULL, take_turns, &workers[t]),
                              0);
    for (unsigned t = 0; t < THREADS; t++) {
        pthread_join(workers[t].thread, NULL);
        CU_ASSERT_EQUAL(workers[t].told[0], GBA_E_CANCELLED);
    }
    CU_ASSERT_PTR_NULL(db()->queue.first);
    CU_ASSERT_EQUAL(db()->queue.n, 0);
    mef_world_end(&w);
}

/* Work within a transaction is done there and then, and is a part of it. */
static void test_work_inside(void)
{
    struct pair kept = {1, 1}, given_up = {1, 3};

    mef_world_begin(&w);
    CU_ASSERT_EQUAL_FATAL(mef_db_begin(db()), GBA_OK);
    CU_ASSERT_EQUAL(mef_db_transact(db(), add_pair, &kept), GBA_OK);
    CU_ASSERT(is_there(1, 2));
    CU_ASSERT_EQUAL(mef_db_transact(db(), add_pair, &given_up), GBA_E_CANCELLED);
    CU_ASSERT(!is_there(1, 6));
    CU_ASSERT_EQUAL(mef_db_end(db(), GBA_E_CANCELLED), GBA_E_CANCELLED);
    CU_ASSERT(!is_there(1, 2));
    mef_world_end(&w);
}

/* ------------------------------------------------------------ questions */

static void *look(void *arg)
{
    *(bool *)arg = is_there(1, 1);
    return NULL;
}

static bool others_see_it(void)
{
    pthread_t thread;
    bool seen = false;

    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, look, &seen), 0);
    pthread_join(thread, NULL);
    return seen;
}

/* Others see what is on the disk, and do not wait for what is not. */
static void test_ask(void)
{
    mef_world_begin(&w);
    CU_ASSERT_EQUAL_FATAL(mef_db_begin(db()), GBA_OK);
    CU_ASSERT_EQUAL(add_key(1, 1), GBA_OK);
    CU_ASSERT(is_there(1, 1));
    CU_ASSERT(!others_see_it());
    CU_ASSERT_EQUAL(mef_db_end(db(), GBA_OK), GBA_OK);
    CU_ASSERT(others_see_it());
    CU_ASSERT(is_there(1, 1));
    mef_world_end(&w);
}

static void *look_on(void *arg)
{
    atomic_bool *stop = arg;

    while (!atomic_load(stop))
        CU_ASSERT(is_there(1, 1)); /* a key under the wrong master key does not open */
    return NULL;
}

/* Keys open while the master key changes. */
static void test_ask_while_rekeyed(void)
{
    uint8_t master[MEF_MASTER_KEY_LEN];
    atomic_bool stop = false;
    pthread_t thread;
    size_t rows;

    mef_world_begin(&w);
    CU_ASSERT_EQUAL(add_key(1, 1), GBA_OK);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, look_on, &stop), 0);
    for (unsigned i = 0; i < 50; i++) {
        memset(master, (int)i, sizeof(master));
        CU_ASSERT_EQUAL(mef_store_sqlite_rekey(w.store, master, NULL, NULL, &rows), GBA_OK);
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    mef_world_end(&w);
}

/* The last one to come is given up: those before it are committed all the same. */
static void *give_up(void *arg)
{
    enum gba_err err = mef_db_begin(db());

    (void)arg;
    if (err == GBA_OK) {
        add_key(7, 7);
        mef_db_end(db(), GBA_E_CANCELLED);
    }
    return NULL;
}

static void test_last_gives_up(void)
{
    pthread_t thread;

    mef_world_begin(&w);
    CU_ASSERT_EQUAL_FATAL(mef_db_begin(db()), GBA_OK);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, give_up, NULL), 0);
    while (atomic_load(&db()->coming) < 1)
        sched_yield();
    CU_ASSERT_EQUAL(add_key(1, 1), GBA_OK);
    CU_ASSERT_EQUAL(mef_db_end(db(), GBA_OK), GBA_OK);
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(sqlite3_get_autocommit(db()->c.db), 1);
    mef_world_reopen(&w);
    CU_ASSERT(is_there(1, 1));
    CU_ASSERT(!is_there(7, 7));
    mef_world_end(&w);
}

/* SQLite gives a transaction up by itself (a full disk): what comes after that within it is not
 * one of its own. */
static void test_given_up_below(void)
{
    mef_world_begin(&w);
    CU_ASSERT_EQUAL_FATAL(mef_db_begin(db()), GBA_OK);
    CU_ASSERT_EQUAL(add_key(1, 1), GBA_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db()->c.db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    CU_ASSERT_EQUAL(add_key(2, 2), GBA_E_IO);
    CU_ASSERT_EQUAL(mef_db_end(db(), GBA_OK), GBA_E_IO);
    CU_ASSERT(!is_there(1, 1));
    CU_ASSERT(!is_there(2, 2));
    CU_ASSERT_EQUAL(add_key(3, 3), GBA_OK);
    mef_world_end(&w);
}

static void test_settled(void)
{
    mef_world_begin(&w);
    CU_ASSERT_EQUAL_FATAL(mef_db_begin(db()), GBA_OK);
    CU_ASSERT_EQUAL(mef_db_lock_settled(db()), GBA_E_UNEXPECTED);
    CU_ASSERT_EQUAL(mef_db_end(db(), GBA_OK), GBA_OK);
    CU_ASSERT_EQUAL(mef_db_lock_settled(db()), GBA_OK);
    CU_ASSERT_EQUAL(sqlite3_get_autocommit(db()->c.db), 1);
    mef_db_unlock(db());
    mef_world_end(&w);
}

static const struct unit_test tests[] = {
    {"each by itself", test_each_by_itself},
    {"full disk", test_full_disk},
    {"one commit", test_one_commit},
    {"work in a queue", test_queue},
    {"the lead goes on", test_lead},
    {"work inside a transaction", test_work_inside},
    {"questions", test_ask},
    {"questions under a new master key", test_ask_while_rekeyed},
    {"the last gives up", test_last_gives_up},
    {"given up by SQLite", test_given_up_below},
    {"settled", test_settled},
};
UNIT_MAIN("mef_db_batch", tests)
