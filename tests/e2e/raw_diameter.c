/*
 * A Diameter peer made of octets: see raw_diameter.h.  RFC 6733 3, 4.1, 5.3.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/e2e/raw_diameter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define REALM "hss.test"

uint32_t raw_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_u32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

void raw_begin(struct raw_message *m, uint8_t flags, uint32_t code, uint32_t application,
               uint32_t hop_by_hop, uint32_t end_to_end)
{
    memset(m, 0, sizeof(*m));
    put_u32(m->octets + 4, code);
    m->octets[4] = flags;
    put_u32(m->octets + 8, application);
    put_u32(m->octets + 12, hop_by_hop);
    put_u32(m->octets + 16, end_to_end);
    m->n = 20;
}

void raw_put(struct raw_message *m, uint32_t vendor, uint32_t code, const void *p, size_t n)
{
    size_t head = vendor != 0 ? 12 : 8;
    uint8_t *avp = m->octets + m->n;

    put_u32(avp, code);
    put_u32(avp + 4, (uint32_t)(head + n));
    avp[4] = (uint8_t)((vendor != 0 ? 0x80 : 0) | 0x40);
    if (vendor != 0)
        put_u32(avp + 8, vendor);
    memcpy(avp + head, p, n);
    m->n += (head + n + 3) & ~(size_t)3;
}

void raw_put_text(struct raw_message *m, uint32_t vendor, uint32_t code, const char *text)
{
    raw_put(m, vendor, code, text, strlen(text));
}

void raw_put_u32(struct raw_message *m, uint32_t vendor, uint32_t code, uint32_t value)
{
    uint8_t octets[4];

    put_u32(octets, value);
    raw_put(m, vendor, code, octets, 4);
}

uint32_t raw_code(const struct raw_message *m)
{
    return raw_u32(m->octets + 4) & 0xffffff;
}

bool raw_is_request(const struct raw_message *m)
{
    return (m->octets[4] & RAW_REQUEST) != 0;
}

void raw_answer(struct raw_message *m, const struct raw_message *request, uint8_t flags,
                const char *identity)
{
    struct raw_avp session;

    raw_begin(m, flags, raw_code(request), raw_u32(request->octets + 8),
              raw_u32(request->octets + 12), raw_u32(request->octets + 16));
    if (raw_find(request, 0, 263, &session))
        raw_put(m, 0, 263, session.p, session.n);
    raw_put_text(m, 0, 264, identity);
    raw_put_text(m, 0, 296, REALM);
}

bool raw_next(const struct raw_message *m, size_t *at, struct raw_avp *avp)
{
    const uint8_t *p = m->octets + *at;
    size_t head, length;

    if (*at + 8 > m->n)
        return false;
    avp->code = raw_u32(p);
    avp->flags = p[4];
    length = raw_u32(p + 4) & 0xffffff;
    head = (avp->flags & 0x80) != 0 ? 12 : 8;
    avp->vendor = head == 12 ? raw_u32(p + 8) : 0;
    if (length < head || *at + length > m->n)
        return false;
    avp->p = p + head;
    avp->n = length - head;
    *at += (length + 3) & ~(size_t)3;
    return true;
}

bool raw_find(const struct raw_message *m, uint32_t vendor, uint32_t code, struct raw_avp *avp)
{
    size_t at = 20;

    while (raw_next(m, &at, avp))
        if (avp->code == code && avp->vendor == vendor)
            return true;
    return false;
}

/* --- sockets ---------------------------------------------------------------------------- */

int raw_listen(char address[static 64])
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(sin);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 || listen(fd, 4) != 0 ||
        getsockname(fd, (struct sockaddr *)&sin, &n) != 0)
        return -1;
    snprintf(address, 64, "127.0.0.1:%u", ntohs(sin.sin_port));
    return fd;
}

int raw_connect(const char *address)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sin.sin_port = htons((uint16_t)atoi(strchr(address, ':') + 1));
    if (fd < 0 || connect(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0)
        return -1;
    return fd;
}

bool raw_send(int fd, struct raw_message *m)
{
    put_u32(m->octets, (uint32_t)m->n);
    m->octets[0] = 1;
    return send(fd, m->octets, m->n, MSG_NOSIGNAL) == (ssize_t)m->n;
}

static bool receive_exact(int fd, uint8_t *p, size_t n)
{
    struct timeval limit = {5, 0};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return recv(fd, p, n, MSG_WAITALL) == (ssize_t)n;
}

bool raw_receive(int fd, struct raw_message *m)
{
    if (!receive_exact(fd, m->octets, 20))
        return false;
    m->n = raw_u32(m->octets) & 0xffffff;
    return m->n >= 20 && m->n <= sizeof(m->octets) &&
           receive_exact(fd, m->octets + 20, m->n - 20);
}

/* --- capabilities ----------------------------------------------------------------------- */

void raw_put_capabilities(struct raw_message *m, uint32_t application)
{
    static const uint8_t address[] = {0, 1, 127, 0, 0, 1};
    uint8_t vsai[24] = {0};

    raw_put(m, 0, 257, address, sizeof(address));
    raw_put_u32(m, 0, 266, 0);
    raw_put_text(m, 0, 269, "raw");
    if (application == 0)
        return;
    raw_put_u32(m, 0, 265, 10415);
    put_u32(vsai, 266);
    put_u32(vsai + 4, 12 | 0x40000000);
    put_u32(vsai + 8, 10415);
    put_u32(vsai + 12, 258);
    put_u32(vsai + 16, 12 | 0x40000000);
    put_u32(vsai + 20, application);
    raw_put(m, 0, 260, vsai, sizeof(vsai));
}

bool raw_serve_cer(int fd, const char *identity, uint32_t application)
{
    struct raw_message cer, cea;

    if (!raw_receive(fd, &cer) || raw_code(&cer) != 257)
        return false;
    raw_answer(&cea, &cer, 0, identity);
    raw_put_u32(&cea, 0, 268, 2001);
    raw_put_capabilities(&cea, application);
    return raw_send(fd, &cea);
}

bool raw_send_cer(int fd, const char *identity, uint32_t application)
{
    struct raw_message cer, cea;
    struct raw_avp result;

    raw_begin(&cer, RAW_REQUEST, 257, 0, 1, 1);
    raw_put_text(&cer, 0, 264, identity);
    raw_put_text(&cer, 0, 296, REALM);
    raw_put_capabilities(&cer, application);
    return raw_send(fd, &cer) && raw_receive(fd, &cea) && raw_find(&cea, 0, 268, &result) &&
           raw_u32(result.p) == 2001;
}

bool raw_next_request(int fd, const char *identity, struct raw_message *m)
{
    while (raw_receive(fd, m)) {
        struct raw_message answer;

        if (!raw_is_request(m))
            continue;
        if (raw_code(m) != 280 && raw_code(m) != 282)
            return true;
        raw_answer(&answer, m, 0, identity);
        raw_put_u32(&answer, 0, 268, 2001);
        if (!raw_send(fd, &answer))
            return false;
    }
    return false;
}
