/*
 * The supervisor: one thread of the server that accepts connections, keeps to the limits, and
 * ends those that are slow.  libmicrohttpd's own time-out counts inactivity only, and its way
 * to stop accepting races with its pool; so it gets no listening socket.
 *
 * The first octet of a request is seen in the kernel's count of octets received (TCP_INFO),
 * so that a client that spreads its request line over minutes is ended too.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/httpd_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/host/clock.h"
#include "common/host/tls_peer.h"

#define TICK_MS        100
#define ACCEPT_AT_ONCE 64
#define THIN_AT_ONCE   16

/* tcpi_state of the kernel's <net/tcp_states.h>, which no header beside <linux/tcp.h> gives. */
enum { STATE_ESTABLISHED = 1, STATE_CLOSE = 7, STATE_CLOSE_WAIT = 8 };

void httpd_wake(struct httpd *h)
{
    uint64_t one = 1;
    ssize_t n = write(h->wake_fd, &one, sizeof(one));

    (void)n; /* a full counter wakes as well */
}

/* --- the table --------------------------------------------------------------------------- */

static bool table_reaches(struct httpd *h, int fd)
{
    size_t want = (size_t)fd + 1, room = h->n_by_fd == 0 ? 64 : h->n_by_fd;
    struct httpd_conn **grown;

    if (want <= h->n_by_fd)
        return true;
    while (room < want)
        room *= 2;
    grown = realloc(h->by_fd, room * sizeof(struct httpd_conn *));
    if (grown == NULL)
        return false;
    memset(grown + h->n_by_fd, 0, (room - h->n_by_fd) * sizeof(struct httpd_conn *));
    h->by_fd = grown;
    h->n_by_fd = room;
    return true;
}

static void table_drop(struct httpd *h, int fd)
{
    struct httpd_conn *conn = h->by_fd[fd];

    if (conn == NULL)
        return;
    h->by_fd[fd] = NULL;
    h->n_conns--;
    conn->l->n_conns--;
    httpd_worker_give_back(conn->worker);
    free(conn);
}

/* An old entry with this descriptor is one that libmicrohttpd closed before it began. */
static bool table_add(struct httpd *h, struct httpd_conn *conn)
{
    bool room;

    pthread_mutex_lock(&h->lock);
    room = table_reaches(h, conn->fd);
    if (room) {
        table_drop(h, conn->fd);
        h->by_fd[conn->fd] = conn;
        h->n_conns++;
        conn->l->n_conns++;
    }
    pthread_mutex_unlock(&h->lock);
    return room;
}

struct httpd_conn *httpd_conn_started(struct httpd *h, int fd)
{
    struct httpd_conn *conn = NULL;

    pthread_mutex_lock(&h->lock);
    if (fd >= 0 && (size_t)fd < h->n_by_fd)
        conn = h->by_fd[fd];
    if (conn != NULL)
        conn->started = true;
    pthread_mutex_unlock(&h->lock);
    return conn;
}

static struct tcp_info tcp_info_of(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);

    memset(&info, 0, sizeof(info));
    (void)getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
    return info;
}

bool httpd_conn_was_closed_unheard(const struct httpd_conn *conn)
{
    int phase = atomic_load(&conn->phase);
    struct tcp_info info;

    if (conn->request != NULL || conn->l->conf.tls != NULL ||
        (phase != PHASE_FRESH && phase != PHASE_READING && phase != PHASE_IDLE))
        return false;
    info = tcp_info_of(conn->fd);
    if (info.tcpi_state == STATE_CLOSE_WAIT) /* their end counts as an octet */
        return info.tcpi_bytes_received > conn->octets + 1;
    return info.tcpi_state == STATE_ESTABLISHED && info.tcpi_bytes_received > conn->octets;
}

/* Runs before the socket is closed: its number cannot be in use again yet. */
void httpd_conn_closed(struct httpd_conn *conn)
{
    struct httpd *h = conn->l->h;
    bool was_full;

    (void)shutdown(conn->fd, SHUT_WR); /* an end before the reset that unread octets bring */
    tls_creds_release(conn->creds);
    tls_peer_release(conn->tls_peer);
    pthread_mutex_lock(&h->lock);
    was_full = conn->l->n_conns >= conn->l->conf.connection_limit;
    table_drop(h, conn->fd);
    pthread_mutex_unlock(&h->lock);
    if (was_full)
        httpd_wake(h);
}

void httpd_conn_phase(struct httpd_conn *conn, enum httpd_phase phase)
{
    if (conn == NULL)
        return;
    if (phase == PHASE_READING && atomic_load(&conn->phase) == PHASE_READING)
        return; /* its deadline runs since the first octet */
    if (phase == PHASE_READING || phase == PHASE_ANSWERING)
        atomic_store(&conn->deadline_ms, clock_monotonic_ms() + conn->l->conf.deadline_ms);
    atomic_store(&conn->phase, phase);
}

static void end(struct httpd_conn *conn)
{
    (void)shutdown(conn->fd, SHUT_RDWR);
    atomic_store(&conn->phase, PHASE_ENDED);
}

void httpd_conn_end(struct httpd *h, bool all)
{
    pthread_mutex_lock(&h->lock);
    for (size_t fd = 0; fd < h->n_by_fd; fd++) {
        struct httpd_conn *conn = h->by_fd[fd];

        if (conn == NULL || !conn->started)
            continue;
        switch ((enum httpd_phase)atomic_load(&conn->phase)) {
        case PHASE_FRESH:
        case PHASE_BETWEEN:
        case PHASE_IDLE:
            end(conn);
            break;
        case PHASE_READING:
        case PHASE_HANDLING:
        case PHASE_ANSWERING:
            if (all)
                end(conn);
            break;
        case PHASE_ENDED:
            break;
        }
    }
    pthread_mutex_unlock(&h->lock);
}

/* --- deadlines --------------------------------------------------------------------------- */

/* The first octet of a request starts its deadline, unless the request line is there already
 * and did so. */
static void look_for_octets(struct httpd_conn *conn, int phase, int64_t now)
{
    uint64_t octets = tcp_info_of(conn->fd).tcpi_bytes_received;
    int expected = phase;

    if (phase == PHASE_BETWEEN) {
        conn->octets = octets;
        atomic_compare_exchange_strong(&conn->phase, &expected, PHASE_IDLE);
    } else if (octets > conn->octets) {
        atomic_store(&conn->deadline_ms, now + conn->l->conf.deadline_ms);
        atomic_compare_exchange_strong(&conn->phase, &expected, PHASE_READING);
    }
}

/* It has shut down its side, and all it had sent is read. */
static bool peer_has_left(const struct httpd_conn *conn)
{
    uint8_t state = tcp_info_of(conn->fd).tcpi_state;
    int unread = 0;

    return (state == STATE_CLOSE_WAIT || state == STATE_CLOSE) &&
           ioctl(conn->fd, FIONREAD, &unread) == 0 && unread == 0;
}

/* No more can come of a request that is not whole, nor another after an answer.  Only at the
 * second look, so that libmicrohttpd has done what it can with what it read. */
static bool ended_for_peer(struct httpd_conn *conn, int phase)
{
    bool before = conn->left, halfway = phase == PHASE_FRESH || phase == PHASE_READING;

    conn->left =
        (halfway || phase == PHASE_BETWEEN || phase == PHASE_IDLE) && peer_has_left(conn);
    if (!before || !conn->left)
        return false;
    if (halfway)
        LOG(conn->l->h->log, LOG_LV_INFO, "http.peer_left",
            LOG_STR("listener", conn->l->conf.name), LOG_STR("peer", conn->peer_text));
    end(conn);
    return true;
}

static void check(struct httpd_conn *conn, int64_t now)
{
    int phase = atomic_load(&conn->phase);

    if (ended_for_peer(conn, phase))
        return;
    if (phase == PHASE_FRESH || phase == PHASE_BETWEEN || phase == PHASE_IDLE) {
        look_for_octets(conn, phase, now);
    } else if ((phase == PHASE_READING || phase == PHASE_ANSWERING) &&
               now >= atomic_load(&conn->deadline_ms)) {
        LOG(conn->l->h->log, LOG_LV_INFO, "http.deadline",
            LOG_STR("listener", conn->l->conf.name), LOG_STR("peer", conn->peer_text),
            LOG_STR("phase", phase == PHASE_READING ? "request" : "reply"));
        end(conn);
    }
}

static void check_all(struct httpd *h)
{
    int64_t now = clock_monotonic_ms();

    pthread_mutex_lock(&h->lock);
    for (size_t fd = 0; fd < h->n_by_fd; fd++)
        if (h->by_fd[fd] != NULL && h->by_fd[fd]->started)
            check(h->by_fd[fd], now);
    pthread_mutex_unlock(&h->lock);
}

/* The table of listeners may grow meanwhile. */
static struct listener *listener_at(struct httpd *h, size_t i)
{
    struct listener *l;

    pthread_mutex_lock(&h->lock);
    l = i < h->n_listeners ? h->listeners[i] : NULL;
    pthread_mutex_unlock(&h->lock);
    return l;
}

static void thin_all(struct httpd *h)
{
    struct listener *l;

    for (size_t i = 0; (l = listener_at(h, i)) != NULL; i++)
        for (int n = 0; n < THIN_AT_ONCE && httpd_workers_thin(l, clock_monotonic_ms()); n++)
            continue;
}

/* --- accepting --------------------------------------------------------------------------- */

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    if (a->ss_family != b->ss_family)
        return false;
    if (a->ss_family == AF_INET)
        return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)b)->sin_addr.s_addr;
    return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
                  &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

static bool over_ip_limit(struct httpd *h, const struct listener *l,
                          const struct sockaddr_storage *peer)
{
    unsigned n = 0;

    if (l->conf.per_ip_limit == 0)
        return false;
    pthread_mutex_lock(&h->lock);
    for (size_t fd = 0; fd < h->n_by_fd; fd++)
        if (h->by_fd[fd] != NULL && h->by_fd[fd]->l == l &&
            same_address(&h->by_fd[fd]->peer, peer))
            n++;
    pthread_mutex_unlock(&h->lock);
    return n >= l->conf.per_ip_limit;
}

static bool over_rate(const struct listener *l, const struct sockaddr_storage *peer)
{
    unsigned retry_after_s;

    if (l->conf.limiter == NULL || limiter_take(l->conf.limiter, GBA_TEXT(""),
                                                limiter_address((const struct sockaddr *)peer),
                                                clock_monotonic_ms(), &retry_after_s) == GBA_OK)
        return false;
    metric_add(l->conf.limited, 1);
    return true;
}

static void name_peer(struct httpd_conn *conn)
{
    const void *address = conn->peer.ss_family == AF_INET6
                              ? (const void *)&((struct sockaddr_in6 *)&conn->peer)->sin6_addr
                              : (const void *)&((struct sockaddr_in *)&conn->peer)->sin_addr;

    if (inet_ntop(conn->peer.ss_family, address, conn->peer_text, sizeof(conn->peer_text)) ==
        NULL)
        conn->peer_text[0] = '\0';
}

static void dismiss(struct listener *l, struct httpd_worker *w)
{
    pthread_mutex_lock(&l->h->lock);
    httpd_worker_give_back(w);
    pthread_mutex_unlock(&l->h->lock);
}

/* The entry stands before libmicrohttpd knows the socket: its thread looks for it at once. */
static void admit(struct listener *l, struct httpd_worker *w, int fd,
                  const struct sockaddr_storage *peer, socklen_t len)
{
    struct httpd *h = l->h;
    struct httpd_conn *conn = calloc(1, sizeof(*conn));
    const char *over;

    if (conn == NULL) {
        dismiss(l, w);
        close(fd);
        return;
    }
    conn->l = l;
    conn->worker = w;
    conn->fd = fd;
    conn->peer = *peer;
    conn->peer_len = len;
    name_peer(conn);
    over = over_ip_limit(h, l, peer) ? "CONNECTIONS_PER_ADDRESS"
           : over_rate(l, peer)      ? "RATE_OF_ADDRESS"
                                     : NULL;
    if (over != NULL)
        LOG(h->log, LOG_LV_INFO, "http.refused", LOG_STR("listener", l->conf.name),
            LOG_STR("peer", conn->peer_text), LOG_STR("why", over));
    if (over != NULL || !table_add(h, conn)) {
        dismiss(l, w);
        free(conn);
        close(fd);
        return;
    }
    /* On failure the socket is closed there; the entry goes with the next use of its number. */
    (void)httpd_worker_add(w, fd, peer, len);
}

static bool has_room(struct listener *l)
{
    bool room;

    pthread_mutex_lock(&l->h->lock);
    room = l->n_conns < l->conf.connection_limit;
    pthread_mutex_unlock(&l->h->lock);
    return room;
}

static bool has_client(const struct listener *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

/* False: no descriptors, threads or memory; better to wait a tick than to spin.  Who is to
 * serve the client is found first: without one the client is left in the backlog, as it is
 * without a descriptor. */
static bool accept_some(struct listener *l)
{
    for (int i = 0; i < ACCEPT_AT_ONCE && has_room(l) && (i == 0 || has_client(l)); i++) {
        struct httpd_worker *w = httpd_worker_take(l);
        struct sockaddr_storage peer;
        socklen_t len = sizeof(peer);
        int fd = -1, why = EAGAIN;

        if (w != NULL)
            fd = accept4(l->fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            admit(l, w, fd, &peer, len);
            continue;
        }
        if (w != NULL) {
            why = errno;
            dismiss(l, w);
        }
        if (w == NULL || why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM) {
            LOG(l->h->log, LOG_LV_WARNING, "http.accept", LOG_STR("listener", l->conf.name),
                LOG_STR("reason", w == NULL ? "no thread" : strerror(why)));
            return false;
        }
        if (why == EAGAIN || why == EWOULDBLOCK)
            break;
    }
    return true;
}

static void close_listeners(struct httpd *h)
{
    for (size_t i = 0; i < h->n_listeners; i++) {
        if (h->listeners[i]->fd >= 0)
            close(h->listeners[i]->fd);
        h->listeners[i]->fd = -1;
    }
}

/* What the supervisor waits for: the listeners of[0..n), then wake_fd. */
struct watch {
    struct pollfd *polls;
    struct listener **of;
    size_t room;
    nfds_t n;
};

static bool watch_reaches(struct watch *w, size_t n)
{
    struct pollfd *polls;
    struct listener **of;

    if (n <= w->room)
        return true;
    polls = realloc(w->polls, (n + 1) * sizeof(*polls));
    if (polls != NULL)
        w->polls = polls;
    of = realloc(w->of, n * sizeof(struct listener *));
    if (of != NULL)
        w->of = of;
    if (polls == NULL || of == NULL)
        return false;
    w->room = n;
    return true;
}

/* Those that may accept; a full one leaves its clients in the backlog. */
static void watch_listeners(struct watch *w, struct httpd *h)
{
    pthread_mutex_lock(&h->lock);
    if (atomic_load(&h->stop_accepting))
        close_listeners(h);
    (void)watch_reaches(w, h->n_listeners); /* else those that there is room for */
    for (size_t i = 0; i < h->n_listeners && w->n < w->room; i++) {
        struct listener *l = h->listeners[i];

        if (l->fd >= 0 && l->n_conns < l->conf.connection_limit) {
            w->polls[w->n] = (struct pollfd){.fd = l->fd, .events = POLLIN};
            w->of[w->n++] = l;
        }
    }
    pthread_mutex_unlock(&h->lock);
}

/* There are connections to look after, or threads to end. */
static bool has_work(struct httpd *h)
{
    bool found;

    pthread_mutex_lock(&h->lock);
    found = h->n_conns > 0;
    for (size_t i = 0; !found && i < h->n_listeners; i++)
        found = h->listeners[i]->n_workers > 1;
    pthread_mutex_unlock(&h->lock);
    return found;
}

static void *supervise(void *arg)
{
    struct httpd *h = arg;
    struct watch w = {.room = 0};
    int64_t next = 0;
    bool starved = false;

    while (!atomic_load(&h->stop_supervisor)) {
        uint64_t count;

        if (!watch_reaches(&w, 1)) {
            (void)poll(NULL, 0, TICK_MS);
            continue;
        }
        w.n = 0;
        if (!starved)
            watch_listeners(&w, h);
        w.polls[w.n] = (struct pollfd){.fd = h->wake_fd, .events = POLLIN};
        (void)poll(w.polls, w.n + 1, starved || has_work(h) ? TICK_MS : -1);
        if ((w.polls[w.n].revents & POLLIN) != 0 && read(h->wake_fd, &count, sizeof(count)) < 0)
            continue;
        starved = false;
        for (nfds_t i = 0; i < w.n; i++)
            if (w.polls[i].revents != 0 && !accept_some(w.of[i]))
                starved = true;
        if (clock_monotonic_ms() >= next) {
            check_all(h);
            thin_all(h);
            next = clock_monotonic_ms() + TICK_MS;
        }
    }
    free(w.polls);
    free(w.of);
    return NULL;
}

enum gba_err httpd_supervise(struct httpd *h)
{
    if (h->supervised)
        return GBA_OK;
    h->supervised = pthread_create(&h->supervisor, NULL, supervise, h) == 0;
    return h->supervised ? GBA_OK : GBA_E_IO;
}
