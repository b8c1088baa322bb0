/*
 * One thread with a bounded queue: see ca_worker.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/ca_worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct job {
    struct job *next;
    struct mef_ca_request rq;
    mef_ca_done *done;
    void *arg;
    char id[M2M_ID_SIZE];
    uint8_t csr[MEF_CA_CSR_MAX];
};

struct ca_worker {
    mef_ca_make *make;
    void (*idle)(void *ctx);
    unsigned period_s;
    void *ctx;
    size_t depth, n;
    struct job *first, *last;
    bool stop;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t cond; /* of CLOCK_MONOTONIC */
};

static struct job *make_job(const struct mef_ca_request *rq, mef_ca_done *done, void *arg)
{
    struct job *j = calloc(1, sizeof(*j));

    if (j == NULL)
        return NULL;
    j->rq = *rq;
    memcpy(j->csr, rq->csr.p, rq->csr.n);
    memcpy(j->id, rq->id, strlen(rq->id) + 1);
    j->rq.csr.p = j->csr;
    j->rq.id = j->id;
    j->done = done;
    j->arg = arg;
    return j;
}

enum gba_err ca_worker_ask(struct ca_worker *w, const struct mef_ca_request *rq,
                           mef_ca_done *done, void *arg)
{
    enum gba_err err = GBA_OK;
    struct job *j;

    if (rq->csr.n > MEF_CA_CSR_MAX || strlen(rq->id) >= M2M_ID_SIZE)
        return GBA_E_TOO_LONG;
    j = make_job(rq, done, arg);
    if (j == NULL)
        return GBA_E_NOMEM;
    pthread_mutex_lock(&w->lock);
    if (w->stop)
        err = GBA_E_CANCELLED;
    else if (w->n >= w->depth)
        err = GBA_E_OVERLOAD;
    if (err == GBA_OK) {
        *(w->first != NULL ? &w->last->next : &w->first) = j;
        w->last = j;
        w->n++;
        pthread_cond_signal(&w->cond);
    }
    pthread_mutex_unlock(&w->lock);
    if (err != GBA_OK)
        free(j);
    return err;
}

/* With the lock held.  NULL: none came within the period, or the end has. */
static struct job *wait_for_job(struct ca_worker *w, const struct timespec *until)
{
    struct job *j;
    int rc = 0;

    while (w->first == NULL && !w->stop && rc == 0)
        rc = until != NULL ? pthread_cond_timedwait(&w->cond, &w->lock, until)
                           : pthread_cond_wait(&w->cond, &w->lock);
    j = w->first;
    if (j == NULL || w->stop)
        return NULL;
    w->first = j->next;
    w->n--;
    return j;
}

static void do_job(struct ca_worker *w, struct job *j)
{
    uint8_t *cert = malloc(MEF_CA_CERT_MAX);
    size_t n = 0;
    enum gba_err err = cert != NULL ? w->make(w->ctx, &j->rq, cert, &n) : GBA_E_NOMEM;

    j->done(j->arg, err,
            err == GBA_OK ? (struct gba_bytes){cert, n} : (struct gba_bytes){NULL, 0});
    free(cert);
    free(j);
}

static void next_period(const struct ca_worker *w, struct timespec *until)
{
    clock_gettime(CLOCK_MONOTONIC, until);
    until->tv_sec += (time_t)w->period_s;
}

static void *run(void *arg)
{
    struct ca_worker *w = arg;
    struct timespec until = {0};
    struct job *j;

    next_period(w, &until);
    pthread_mutex_lock(&w->lock);
    while (!w->stop) {
        j = wait_for_job(w, w->idle != NULL ? &until : NULL);
        pthread_mutex_unlock(&w->lock);
        if (j != NULL) {
            do_job(w, j);
        } else if (w->idle != NULL && !ca_worker_is_stopping(w)) {
            w->idle(w->ctx);
            next_period(w, &until);
        }
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* Signals are the main thread's. */
static int start_thread(struct ca_worker *w)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&w->thread, NULL, run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

enum gba_err ca_worker_start(mef_ca_make *make, void (*idle)(void *ctx), unsigned period_s,
                             void *ctx, size_t depth, struct ca_worker **out)
{
    struct ca_worker *w = calloc(1, sizeof(*w));
    pthread_condattr_t attr;

    *out = NULL;
    if (w == NULL)
        return GBA_E_NOMEM;
    w->make = make;
    w->idle = idle;
    w->period_s = period_s;
    w->ctx = ctx;
    w->depth = depth;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->cond, &attr);
    pthread_condattr_destroy(&attr);
    if (start_thread(w) != 0) {
        free(w);
        return GBA_E_NOMEM;
    }
    *out = w;
    return GBA_OK;
}

bool ca_worker_is_stopping(struct ca_worker *w)
{
    bool stop;

    pthread_mutex_lock(&w->lock);
    stop = w->stop;
    pthread_mutex_unlock(&w->lock);
    return stop;
}

void ca_worker_stop(struct ca_worker *w)
{
    struct job *j, *next;

    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    for (j = w->first; j != NULL; j = next) {
        next = j->next;
        j->done(j->arg, GBA_E_CANCELLED, (struct gba_bytes){NULL, 0});
        free(j);
    }
    pthread_cond_destroy(&w->cond);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
