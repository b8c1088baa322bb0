/*
 * A thread that removes from the store what has expired: see mef_sweeper.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_sweeper.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "common/host/clock.h"

#define PERIOD_S 1

struct mef_sweeper {
    struct mef_sweeper_clock clock;
    struct mef_store *store;
    struct mef_audit *audit;
    struct log *log;
    bool audit_failed; /* and said so */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t cond, swept;
    unsigned long asked, done; /* sweeps that somebody waits for: the last one's number */
    bool stop;
};

static void sweep(struct mef_sweeper *s)
{
    size_t n;
    enum gba_err err = s->store->sweep(s->store, s->clock.now_s(s->clock.arg), s->audit, &n);

    if (err != GBA_OK)
        LOG(s->log, LOG_LV_ERROR, "mef.sweep", LOG_ERR(err));
    else if (n > 0)
        LOG(s->log, LOG_LV_INFO, "mef.sweep", LOG_INT("expired", n));
}

static void write_audit(struct mef_sweeper *s)
{
    enum gba_err err = s->audit != NULL ? s->audit->flush(s->audit) : GBA_OK;

    if (err != GBA_OK && !s->audit_failed)
        LOG(s->log, LOG_LV_ERROR, "mef.audit", LOG_ERR(err),
            LOG_STR("why", "lines stay in the database until they can be written"));
    s->audit_failed = err != GBA_OK;
}

static void *run(void *arg)
{
    struct mef_sweeper *s = arg;
    struct timespec until;

    pthread_mutex_lock(&s->lock);
    while (!s->stop) {
        unsigned long asked = s->asked;

        pthread_mutex_unlock(&s->lock);
        sweep(s);
        write_audit(s);
        clock_gettime(CLOCK_MONOTONIC, &until); /* the other one may be set back */
        until.tv_sec += PERIOD_S;
        pthread_mutex_lock(&s->lock);
        s->done = asked;
        pthread_cond_broadcast(&s->swept);
        if (!s->stop && s->asked == asked)
            pthread_cond_timedwait(&s->cond, &s->lock, &until);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

enum gba_err mef_sweeper_start_by(const struct mef_sweeper_clock *clock,
                                  struct mef_store *store, struct mef_audit *audit,
                                  struct log *log, struct mef_sweeper **out)
{
    struct mef_sweeper *s = calloc(1, sizeof(*s));
    pthread_condattr_t attr;

    *out = NULL;
    if (s == NULL)
        return GBA_E_NOMEM;
    s->clock = *clock;
    s->store = store;
    s->audit = audit;
    s->log = log;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->cond, &attr);
    pthread_condattr_destroy(&attr);
    pthread_cond_init(&s->swept, NULL);
    if (pthread_create(&s->thread, NULL, run, s) != 0) {
        free(s);
        return GBA_E_NOMEM;
    }
    *out = s;
    return GBA_OK;
}

static int64_t system_now_s(void *arg)
{
    (void)arg;
    return clock_unix_s();
}

enum gba_err mef_sweeper_start(struct mef_store *store, struct mef_audit *audit,
                               struct log *log, struct mef_sweeper **out)
{
    static const struct mef_sweeper_clock clock = {.now_s = system_now_s};

    return mef_sweeper_start_by(&clock, store, audit, log, out);
}

void mef_sweeper_wake(struct mef_sweeper *s)
{
    unsigned long mine;

    pthread_mutex_lock(&s->lock);
    mine = ++s->asked;
    pthread_cond_signal(&s->cond);
    while (s->done < mine)
        pthread_cond_wait(&s->swept, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

void mef_sweeper_stop(struct mef_sweeper *s)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->cond);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    write_audit(s);
    pthread_cond_destroy(&s->cond);
    pthread_cond_destroy(&s->swept);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
