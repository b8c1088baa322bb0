/*
 * A client that sends exactly the octets it is told to; see raw_client.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/host/raw_client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/host/clock.h"
#include "common/host/conf.h"

#define PATIENCE_MS 10000

int raw_connect(const char *address)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *list;
    char host[256], service[8];
    uint16_t port;
    int fd, on = 1;

    if (conf_address_split(address, host, &port) != GBA_OK)
        return -1;
    snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(host, service, &hints, &list) != 0)
        return -1;
    fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    if (fd >= 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

bool raw_send(int fd, const void *p, size_t n)
{
    const char *at = p;

    while (n > 0) {
        ssize_t done = send(fd, at, n, MSG_NOSIGNAL);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

bool raw_send_text(int fd, const char *text)
{
    return raw_send(fd, text, strlen(text));
}

/* 1: an octet; 0: closed; -1: too late. */
static int one_octet(int fd, char *c, int64_t until)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = until - clock_monotonic_ms();
        ssize_t n;

        if (left <= 0 || poll(&p, 1, (int)left) == 0)
            return -1;
        n = recv(fd, c, 1, 0);
        if (n == 1)
            return 1;
        if (n < 0 && errno == EINTR)
            continue;
        return 0;
    }
}

static int answer(int fd, char *text, size_t cap, bool body)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    size_t n = 0, want = SIZE_MAX;
    int status = 0, got;
    const char *length;

    text[0] = '\0';
    while (n < want && n + 1 < cap) {
        got = one_octet(fd, &text[n], until);
        if (got <= 0)
            return got;
        text[++n] = '\0';
        if (want == SIZE_MAX && n >= 4 && memcmp(text + n - 4, "\r\n\r\n", 4) == 0) {
            length = strcasestr(text, "\r\nContent-Length:");
            want = n + (body && length != NULL ? strtoul(length + 17, NULL, 10) : 0);
        }
    }
    return sscanf(text, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

int raw_answer(int fd, char *text, size_t cap)
{
    return answer(fd, text, cap, true);
}

int raw_answer_head(int fd, char *text, size_t cap)
{
    return answer(fd, text, cap, false);
}

bool raw_closes(int fd, int ms)
{
    int64_t until = clock_monotonic_ms() + ms;
    char c;
    int got;

    do
        got = one_octet(fd, &c, until);
    while (got == 1);
    return got == 0;
}

bool raw_is_at_end(int fd, int ms)
{
    char c;

    return one_octet(fd, &c, clock_monotonic_ms() + ms) == 0;
}

int raw_ask(const char *address, const char *text, char *reply, size_t cap)
{
    int fd = raw_connect(address), status;

    if (fd < 0)
        return -1;
    status = raw_send_text(fd, text) ? raw_answer(fd, reply, cap) : 0;
    close(fd);
    return status;
}
