/*
 * HTTP server: listeners, and the drain that ends them.  Accepting and deadlines are in
 * httpd_accept.c, libmicrohttpd's callbacks in httpd_serve.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/httpd_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/host/clock.h"
#include "common/host/conf.h"

#define POLL_MS       10
#define FLUSH_MS      2000 /* after the grace, for the 503s to go out */
#define CLOSE_WAIT_MS 5000

struct httpd *httpd_new(struct log *log)
{
    struct httpd *h = calloc(1, sizeof(*h));

    if (h == NULL)
        return NULL;
    h->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (h->wake_fd < 0) {
        free(h);
        return NULL;
    }
    signal(SIGPIPE, SIG_IGN); /* a peer that left is an error of write(2), not of the daemon */
    pthread_mutex_init(&h->lock, NULL);
    h->log = log;
    return h;
}

static int open_listener(const struct addrinfo *ai)
{
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (ai->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
        int why = errno;

        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

/* A name may have several addresses: the first that can be bound is taken, IPv4 first. */
static int bind_first(const struct addrinfo *list)
{
    static const int families[] = {AF_INET, AF_INET6};

    errno = EADDRNOTAVAIL;
    for (size_t f = 0; f < 2; f++) {
        for (const struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
            int fd = ai->ai_family == families[f] ? open_listener(ai) : -1;

            if (fd >= 0)
                return fd;
        }
    }
    return -1;
}

static enum gba_err name_bound(struct listener *l)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getsockname(l->fd, (struct sockaddr *)&at, &len) != 0 ||
        getnameinfo((struct sockaddr *)&at, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return GBA_E_IO;
    if (strlen(host) + strlen(port) + 4 > sizeof(l->bound))
        return GBA_E_IO;
    snprintf(l->bound, sizeof(l->bound),
             at.ss_family == AF_INET6 ? "[%.256s]:%.16s" : "%.256s:%.16s", host, port);
    return GBA_OK;
}

static enum gba_err bind_address(struct listener *l)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list = NULL;
    char host[256], service[8];
    uint16_t port;
    int rc;

    if (conf_address_split(l->conf.address, host, &port) != GBA_OK) {
        LOG(l->h->log, LOG_LV_ERROR, "http.bind", LOG_STR("listener", l->conf.name),
            LOG_STR("address", l->conf.address),
            LOG_STR("reason", "not HOST:PORT or [V6]:PORT"));
        return GBA_E_ARGUMENT;
    }
    snprintf(service, sizeof(service), "%u", port);
    rc = getaddrinfo(host, service, &hints, &list);
    l->fd = rc == 0 ? bind_first(list) : -1;
    if (l->fd < 0) {
        LOG(l->h->log, LOG_LV_ERROR, "http.bind", LOG_STR("listener", l->conf.name),
            LOG_STR("address", l->conf.address),
            LOG_STR("reason", rc != 0 ? gai_strerror(rc) : strerror(errno)));
    }
    if (list != NULL)
        freeaddrinfo(list);
    return l->fd < 0 ? GBA_E_IO : name_bound(l);
}

static void fill_defaults(struct httpd_listener *c)
{
    if (c->threads == 0)
        c->threads = 1;
    if (c->connection_limit == 0)
        c->connection_limit = 1024;
    if (c->body_limit == 0)
        c->body_limit = 64 * 1024;
    if (c->header_limit == 0)
        c->header_limit = 16 * 1024;
    if (c->idle_timeout_s == 0)
        c->idle_timeout_s = 15;
    if (c->deadline_ms == 0)
        c->deadline_ms = 10000;
}

static void listener_free(struct listener *l)
{
    if (l == NULL)
        return;
    if (l->fd >= 0)
        close(l->fd);
    httpd_workers_stop(l);
    free((char *)l->conf.name);
    free((char *)l->conf.address);
    free(l);
}

static enum gba_err add_listener(struct httpd *h, struct listener *l)
{
    struct listener **grown;

    pthread_mutex_lock(&h->lock);
    grown = realloc(h->listeners, (h->n_listeners + 1) * sizeof(struct listener *));
    if (grown != NULL) {
        h->listeners = grown;
        h->listeners[h->n_listeners++] = l;
    }
    pthread_mutex_unlock(&h->lock);
    return grown != NULL ? GBA_OK : GBA_E_NOMEM;
}

static struct listener *listener_new(struct httpd *h, const struct httpd_listener *conf)
{
    struct listener *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return NULL;
    l->h = h;
    l->fd = -1;
    l->conf = *conf;
    l->conf.name = strdup(conf->name != NULL ? conf->name : "http");
    l->conf.address = strdup(conf->address);
    if (l->conf.name == NULL || l->conf.address == NULL) {
        listener_free(l);
        return NULL;
    }
    fill_defaults(&l->conf);
    return l;
}

enum gba_err httpd_listen(struct httpd *h, const struct httpd_listener *conf)
{
    struct listener *l;
    enum gba_err err;

    if (conf->address == NULL || conf->handler == NULL || h->drained)
        return GBA_E_ARGUMENT;
    l = listener_new(h, conf);
    if (l == NULL)
        return GBA_E_NOMEM;
    l->index = h->n_listeners;
    err = bind_address(l);
    if (err == GBA_OK && (err = httpd_workers_start(l)) != GBA_OK)
        LOG(h->log, LOG_LV_ERROR, "http.start", LOG_STR("listener", l->conf.name),
            LOG_STR("reason", "libmicrohttpd does not start"));
    if (err == GBA_OK)
        err = httpd_supervise(h);
    if (err == GBA_OK)
        err = add_listener(h, l);
    if (err != GBA_OK) {
        listener_free(l);
        return err;
    }
    httpd_wake(h);
    return GBA_OK;
}

const char *httpd_bound(const struct httpd *h, size_t i)
{
    return i < h->n_listeners ? h->listeners[i]->bound : NULL;
}

size_t httpd_connections(const struct httpd *h)
{
    struct httpd *locked = (struct httpd *)h;
    size_t n;

    pthread_mutex_lock(&locked->lock);
    n = h->n_conns;
    pthread_mutex_unlock(&locked->lock);
    return n;
}

static void pause_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

static bool all_closed(struct httpd *h)
{
    unsigned left = 0;

    for (size_t i = 0; i < h->n_listeners; i++)
        left += httpd_workers_connections(h->listeners[i]);
    return left == 0;
}

/* Until no connection is left or ms have passed; connections are ended on the way. */
static bool wait_closed(struct httpd *h, int64_t ms, bool end_all)
{
    int64_t until = clock_monotonic_ms() + ms;

    for (;;) {
        httpd_conn_end(h, end_all);
        if (all_closed(h))
            return true;
        if (clock_monotonic_ms() >= until)
            return false;
        pause_ms(POLL_MS);
    }
}

/* One request whose owner has not answered, with a reference; NULL: none left. */
static struct httpd_request *next_pending(struct httpd *h)
{
    struct httpd_request *r;

    pthread_mutex_lock(&h->lock);
    r = h->pending;
    if (r != NULL)
        atomic_fetch_add(&r->refs, 1);
    pthread_mutex_unlock(&h->lock);
    return r;
}

/* From here on no request is handed to an owner, and none is left with one. */
static void refuse_all(struct httpd *h)
{
    struct httpd_request *r;
    size_t n = 0;

    pthread_mutex_lock(&h->lock);
    h->refusing = true;
    pthread_mutex_unlock(&h->lock);
    while ((r = next_pending(h)) != NULL) {
        httpd_request_force(r);
        httpd_request_unref(r);
        n++;
    }
    if (n > 0)
        LOG(h->log, LOG_LV_WARNING, "http.drain", LOG_INT("unanswered", n));
}

/* Stopping a daemon that has a suspended connection would abort the process: so no request may
 * have an owner by then. */
void httpd_drain(struct httpd *h, unsigned grace_ms)
{
    if (h->drained)
        return;
    h->drained = true;
    atomic_store(&h->draining, true);
    atomic_store(&h->stop_accepting, true);
    httpd_wake(h);
    if (!wait_closed(h, grace_ms, false)) {
        refuse_all(h);
        if (!wait_closed(h, FLUSH_MS, false))
            (void)wait_closed(h, CLOSE_WAIT_MS, true);
    }
    atomic_store(&h->stop_supervisor, true);
    httpd_wake(h);
    if (h->supervised)
        pthread_join(h->supervisor, NULL);
    /* One that was accepted as the supervisor stopped is begun only now, or never. */
    refuse_all(h);
    for (size_t i = 0; i < h->n_listeners; i++)
        httpd_workers_stop(h->listeners[i]);
    /* One that no thread of libmicrohttpd had begun is closed there without a word. */
    pthread_mutex_lock(&h->lock);
    h->n_conns = 0;
    pthread_mutex_unlock(&h->lock);
}

void httpd_free(struct httpd *h)
{
    if (h == NULL)
        return;
    httpd_drain(h, 0);
    for (size_t i = 0; i < h->n_listeners; i++)
        listener_free(h->listeners[i]);
    for (size_t fd = 0; fd < h->n_by_fd; fd++)
        free(h->by_fd[fd]);
    free(h->listeners);
    free(h->by_fd);
    close(h->wake_fd);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
