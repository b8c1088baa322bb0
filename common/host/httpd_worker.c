/*
 * The daemons of libmicrohttpd under a listener.  Most have one, with a pool of threads.  Where
 * a handshake may wait for another party, each connection has a thread and a daemon of its own,
 * which are kept for the next one: a thread that is made for a connection and ends with it
 * costs as much as the whole handshake by a pre-shared key.
 *
 * Only the supervisor starts a daemon after the first, and ends one before the drain.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/httpd_internal.h"

#include <stdlib.h>

#include "common/host/clock.h"

#define KEEP_MS 2000 /* an idle daemon, the first excepted */

/* mhd is set in the first n_workers of l->workers, and nowhere else. */
struct httpd_worker {
    struct MHD_Daemon *mhd;
    bool busy;
    int64_t idle_since_ms;
};

enum gba_err httpd_workers_start(struct listener *l)
{
    l->workers = calloc(l->conf.thread_per_connection ? l->conf.connection_limit : 1,
                        sizeof(*l->workers));
    if (l->workers == NULL)
        return GBA_E_NOMEM;
    l->workers[0].mhd = httpd_serve(l);
    if (l->workers[0].mhd == NULL)
        return GBA_E_IO;
    l->n_workers = 1;
    return GBA_OK;
}

/* The first that is idle: so it is the last ones that nobody needs any more. */
static struct httpd_worker *first_idle(struct listener *l)
{
    struct httpd_worker *w = l->workers, *end = l->workers + l->conf.connection_limit;

    while (w < end && w->busy)
        w++;
    return w < end ? w : NULL;
}

struct httpd_worker *httpd_worker_take(struct listener *l)
{
    struct httpd_worker *w;
    struct MHD_Daemon *mhd;

    if (!l->conf.thread_per_connection)
        return l->workers;
    pthread_mutex_lock(&l->h->lock);
    w = first_idle(l);
    if (w != NULL)
        w->busy = true;
    pthread_mutex_unlock(&l->h->lock);
    if (w == NULL || w->mhd != NULL)
        return w;
    mhd = httpd_serve(l); /* not under the lock, which its thread may want */
    pthread_mutex_lock(&l->h->lock);
    w->mhd = mhd;
    if (mhd != NULL)
        l->n_workers++;
    else
        w->busy = false;
    pthread_mutex_unlock(&l->h->lock);
    return mhd != NULL ? w : NULL;
}

bool httpd_worker_add(struct httpd_worker *w, int fd, const struct sockaddr_storage *peer,
                      socklen_t len)
{
    return MHD_add_connection(w->mhd, fd, (const struct sockaddr *)peer, len) == MHD_YES;
}

void httpd_worker_give_back(struct httpd_worker *w)
{
    w->busy = false;
    w->idle_since_ms = clock_monotonic_ms();
}

bool httpd_workers_thin(struct listener *l, int64_t now_ms)
{
    struct MHD_Daemon *mhd = NULL;
    struct httpd_worker *last;

    pthread_mutex_lock(&l->h->lock);
    last = &l->workers[l->n_workers - 1];
    if (l->n_workers > 1 && !last->busy && now_ms - last->idle_since_ms >= KEEP_MS) {
        mhd = last->mhd;
        last->mhd = NULL;
        l->n_workers--;
    }
    pthread_mutex_unlock(&l->h->lock);
    if (mhd != NULL)
        MHD_stop_daemon(mhd);
    return mhd != NULL;
}

unsigned httpd_workers_connections(struct listener *l)
{
    unsigned n = 0;

    pthread_mutex_lock(&l->h->lock);
    for (unsigned i = 0; i < l->n_workers; i++)
        n += MHD_get_daemon_info(l->workers[i].mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
                 ->num_connections;
    pthread_mutex_unlock(&l->h->lock);
    return n;
}

void httpd_workers_stop(struct listener *l)
{
    for (unsigned i = 0; i < l->n_workers; i++)
        MHD_stop_daemon(l->workers[i].mhd);
    free(l->workers);
    l->workers = NULL;
    l->n_workers = 0;
}
