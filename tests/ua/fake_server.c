/*
 * A server on 127.0.0.1 for the UE's tests; see tests/ua/fake_bsf.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/ua/fake_bsf.h"

struct fake_server {
    int fd;
    pthread_t thread;
    fake_answer *answer;
    void *ctx;
};

/* Waits for octets; false: a new client waits while this one says nothing. */
static bool wait_for(const struct fake_server *s, int fd)
{
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = s->fd, .events = POLLIN}};

    poll(p, 2, -1);
    return p[0].revents != 0;
}

/* Head and, by Content-Length, body.  False: the peer went, or another one is to be served. */
static bool read_request(const struct fake_server *s, int fd, char *in, size_t cap)
{
    size_t n = 0, need = 0;
    char *end;

    for (;;) {
        ssize_t got;

        in[n] = '\0';
        end = strstr(in, "\r\n\r\n");
        if (end != NULL && need == 0)
            need = (size_t)(end - in) + 4 + strtoul(fake_field(in, "Content-Length"), NULL, 10);
        if (end != NULL && n >= need)
            return true;
        if (n + 1 >= cap || !wait_for(s, fd) || (got = recv(fd, in + n, cap - n - 1, 0)) <= 0)
            return false;
        n += (size_t)got;
    }
}

static void *serve(void *arg)
{
    struct fake_server *s = arg;
    static char in[FAKE_REPLY_MAX], out[FAKE_REPLY_MAX];
    int c;

    while ((c = accept(s->fd, NULL, NULL)) >= 0) {
        while (read_request(s, c, in, sizeof(in))) {
            const size_t n = s->answer(s->ctx, in, out);

            if (n == 0 || send(c, out, n, MSG_NOSIGNAL) != (ssize_t)n)
                break;
        }
        close(c);
    }
    return NULL;
}

static struct fake_server *start(int family, fake_answer *answer, void *ctx, unsigned *port)
{
    struct fake_server *s = calloc(1, sizeof(*s));
    struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const bool v4 = family == AF_INET;
    struct sockaddr *a = v4 ? (struct sockaddr *)&a4 : (struct sockaddr *)&a6;
    socklen_t n = v4 ? sizeof(a4) : sizeof(a6);

    s->answer = answer;
    s->ctx = ctx;
    s->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || bind(s->fd, a, n) != 0 || listen(s->fd, 8) != 0 ||
        getsockname(s->fd, a, &n) != 0) {
        close(s->fd);
        free(s);
        return NULL;
    }
    *port = ntohs(v4 ? a4.sin_port : a6.sin6_port);
    if (pthread_create(&s->thread, NULL, serve, s) != 0)
        abort();
    return s;
}

struct fake_server *fake_server_start(fake_answer *answer, void *ctx, unsigned *port)
{
    struct fake_server *s = start(AF_INET, answer, ctx, port);

    if (s == NULL)
        abort();
    return s;
}

struct fake_server *fake_server_start6(fake_answer *answer, void *ctx, unsigned *port)
{
    return start(AF_INET6, answer, ctx, port);
}

void fake_server_stop(struct fake_server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    free(s);
}
