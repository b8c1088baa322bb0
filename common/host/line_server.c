/*
 * A server of lines on a local socket: see line_server.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/line_server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/secret.h"

#define CLIENTS_MAX 64
#define FIRST_ROOM  512
#define PAUSE_MS    100

struct client {
    int fd; /* -1: nobody */
    uid_t uid;
    char *in; /* what came: the lines before `at` are answered and wiped */
    size_t n, at, room;
    size_t seen;   /* no line ends between `at` and here */
    bool skipping; /* the rest of a line that is too long */
    char *out;     /* not sent yet, from out_at on */
    size_t out_n, out_at;
};

struct line_server {
    struct line_server_config c;
    struct sockaddr_un address;
    int listener, wake;
    bool bound;
    struct client clients[CLIENTS_MAX];
    pthread_t thread;
};

/* ------------------------------------------------------------ one client */

static void forget_reply(struct client *l)
{
    free(l->out);
    l->out = NULL;
    l->out_n = l->out_at = 0;
}

static void drop(struct client *l)
{
    close(l->fd);
    gba_wipe(l->in, l->room);
    free(l->in);
    forget_reply(l);
    *l = (struct client){.fd = -1};
}

static bool is_waiting(const struct client *l)
{
    return l->out_at < l->out_n;
}

static void flush(struct client *l)
{
    ssize_t sent =
        send(l->fd, l->out + l->out_at, l->out_n - l->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent > 0)
        l->out_at += (size_t)sent;
    else if (sent < 0 && errno != EAGAIN && errno != EINTR)
        drop(l);
    if (l->fd >= 0 && !is_waiting(l))
        forget_reply(l);
}

/* A reply of ours, or what answer() writes about this line. */
static void reply(const struct line_server *s, struct client *l, const char *ours,
                  struct gba_text line)
{
    FILE *out = open_memstream(&l->out, &l->out_n);

    if (out == NULL) {
        drop(l);
        return;
    }
    if (ours != NULL)
        fputs(ours, out);
    else
        s->c.answer(s->c.arg, l->uid, line, out);
    fputc('\n', out);
    if (fclose(out) != 0) {
        drop(l);
        return;
    }
    l->out_at = 0;
    flush(l);
}

/* The next n octets are used up. */
static void consume(struct client *l, size_t n)
{
    gba_wipe(l->in + l->at, n);
    l->at += n;
    l->seen = l->at;
}

/* What is not used up yet moves to the front: once for all lines that came together. */
static void compact(struct client *l)
{
    if (l->at == 0)
        return;
    memmove(l->in, l->in + l->at, l->n - l->at);
    gba_wipe(l->in + l->n - l->at, l->at);
    l->n -= l->at;
    l->seen -= l->at;
    l->at = 0;
}

static void serve_line(const struct line_server *s, struct client *l, size_t n)
{
    if (l->skipping)
        l->skipping = false; /* it was answered when it became too long */
    else
        reply(s, l, NULL, (struct gba_text){l->in + l->at, n});
    if (l->fd >= 0)
        consume(l, n + 1);
}

/* A line that is too long is answered when it is, and the rest of it skipped. */
static void refuse_line(const struct line_server *s, struct client *l)
{
    consume(l, l->n - l->at);
    if (!l->skipping)
        reply(s, l, s->c.too_long, GBA_TEXT(""));
    l->skipping = l->fd >= 0;
}

static void serve_lines(const struct line_server *s, struct client *l)
{
    const char *end;

    while (l->fd >= 0 && !is_waiting(l)) {
        end = memchr(l->in + l->seen, '\n', l->n - l->seen);
        if (end == NULL) {
            l->seen = l->n;
            break;
        }
        serve_line(s, l, (size_t)(end - l->in) - l->at);
    }
    if (l->fd >= 0 && !is_waiting(l) && l->n - l->at > s->c.line_max)
        refuse_line(s, l);
    if (l->fd >= 0 && !is_waiting(l))
        compact(l);
}

/* What no line feed ends, where the end of the stream is to end a line. */
static void serve_rest(const struct line_server *s, struct client *l)
{
    const size_t n = l->n - l->at;

    reply(s, l, NULL, (struct gba_text){l->in + l->at, n});
    if (l->fd >= 0) {
        consume(l, n);
        compact(l);
    }
}

/* Room for more, up to a line over the limit by one. */
static bool grow(const struct line_server *s, struct client *l)
{
    size_t most = s->c.line_max + 1, room = l->room == 0 ? FIRST_ROOM : 2 * l->room;
    char *line;

    if (l->n < l->room)
        return true;
    if (room > most)
        room = most;
    line = room > l->room ? malloc(room) : NULL;
    if (line == NULL)
        return false;
    if (l->n > 0)
        memcpy(line, l->in, l->n);
    gba_wipe(l->in, l->room);
    free(l->in);
    l->in = line;
    l->room = room;
    return true;
}

static void attend(const struct line_server *s, struct client *l)
{
    ssize_t got;

    if (is_waiting(l)) {
        flush(l);
    } else if (!grow(s, l)) {
        drop(l);
    } else {
        got = recv(l->fd, l->in + l->n, l->room - l->n, MSG_DONTWAIT);
        if (got > 0)
            l->n += (size_t)got;
        else if (got == 0 && s->c.end_ends_line && !l->skipping && l->n > l->at)
            serve_rest(s, l); /* hung up on when the end is read again */
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
            drop(l);
    }
    if (l->fd >= 0 && l->n > 0)
        serve_lines(s, l);
}

/* ------------------------------------------------------------ all of them */

static uid_t peer_of(int fd)
{
    struct ucred who;
    socklen_t n = sizeof(who);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 ? who.uid : (uid_t)-1;
}

static void refuse_client(const struct line_server *s, int fd)
{
    struct iovec parts[] = {
        {.iov_base = (void *)(uintptr_t)s->c.full, .iov_len = strlen(s->c.full)},
        {.iov_base = (char[]){'\n'}, .iov_len = 1}};
    const struct msghdr whole = {.msg_iov = parts, .msg_iovlen = 2};

    (void)!sendmsg(fd, &whole, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

static void take_client(struct line_server *s, int fd)
{
    for (unsigned i = 0; i < s->c.clients; i++)
        if (s->clients[i].fd < 0) {
            s->clients[i].fd = fd;
            s->clients[i].uid = peer_of(fd);
            return;
        }
    refuse_client(s, fd);
}

static void accept_client(struct line_server *s)
{
    struct pollfd stop = {.fd = s->wake, .events = POLLIN};
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0)
        take_client(s, fd);
    else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        poll(&stop, 1, PAUSE_MS); /* no descriptor or no memory: it would fail on and on */
}

static void *serve(void *arg)
{
    struct line_server *s = arg;
    struct pollfd fds[CLIENTS_MAX + 2];

    for (;;) {
        fds[0] = (struct pollfd){.fd = s->wake, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = s->listener, .events = POLLIN};
        for (unsigned i = 0; i < s->c.clients; i++)
            fds[i + 2] =
                (struct pollfd){.fd = s->clients[i].fd,
                                .events = is_waiting(&s->clients[i]) ? POLLOUT : POLLIN};
        if (poll(fds, s->c.clients + 2, -1) < 0)
            continue;
        if (fds[0].revents != 0)
            return NULL;
        for (unsigned i = 0; i < s->c.clients; i++)
            if (fds[i + 2].revents != 0)
                attend(s, &s->clients[i]);
        if (fds[1].revents != 0)
            accept_client(s);
    }
}

/* ------------------------------------------------------------ life */

/* A socket that a dead process left behind goes; anything else at that path stays. */
static void remove_stale(const struct sockaddr_un *a)
{
    /* a live one with a full backlog is not waited for */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat st;

    if (fd < 0)
        return;
    if (lstat(a->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
        connect(fd, (const struct sockaddr *)a, sizeof(*a)) != 0 && errno == ECONNREFUSED)
        unlink(a->sun_path);
    close(fd);
}

static bool bind_to(struct line_server *s)
{
    mode_t before;

    remove_stale(&s->address);
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->listener < 0)
        return false;
    before = umask(0177);
    s->bound = bind(s->listener, (struct sockaddr *)&s->address, sizeof(s->address)) == 0;
    umask(before);
    return s->bound && listen(s->listener, 16) == 0;
}

static void release(struct line_server *s)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        if (s->clients[i].fd >= 0)
            drop(&s->clients[i]);
    if (s->bound)
        unlink(s->address.sun_path);
    if (s->listener >= 0)
        close(s->listener);
    if (s->wake >= 0)
        close(s->wake);
    free(s);
}

enum gba_err line_server_start(const struct line_server_config *c, struct log *log,
                               struct line_server **out)
{
    struct line_server *s = calloc(1, sizeof(*s));

    *out = NULL;
    if (s == NULL)
        return GBA_E_NOMEM;
    s->c = *c;
    s->listener = s->wake = -1;
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        s->clients[i].fd = -1;
    s->address.sun_family = AF_UNIX;
    if (c->clients > CLIENTS_MAX ||
        gba_text_copy(s->address.sun_path, sizeof(s->address.sun_path), gba_text(c->path)) !=
            GBA_OK) {
        release(s);
        return GBA_E_ARGUMENT;
    }
    s->wake = eventfd(0, EFD_CLOEXEC);
    if (s->wake < 0 || !bind_to(s) ||
        (errno = pthread_create(&s->thread, NULL, serve, s)) != 0) {
        LOG(log, LOG_LV_ERROR, "control.start", LOG_STR("path", c->path),
            LOG_STR("reason", strerror(errno)));
        release(s);
        return GBA_E_IO;
    }
    *out = s;
    return GBA_OK;
}

void line_server_stop(struct line_server *s)
{
    uint64_t one = 1;

    if (s == NULL)
        return;
    if (write(s->wake, &one, sizeof(one)) == (ssize_t)sizeof(one))
        pthread_join(s->thread, NULL);
    release(s);
}
