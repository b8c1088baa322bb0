/*
 * Datagrams of coapd: sockets, who sent what to which of our addresses, and answers from that
 * same address.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/coapd_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/conf.h"

/* ------------------------------------------------------------ opening */

static void ask_local_address(int fd, int family)
{
    const int on = 1;

    if (family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
    } else {
        setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
    }
}

static int bind_one(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    ask_local_address(fd, a->ai_family);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0)
        return fd;
    close(fd);
    return -1;
}

/* IPv4 before IPv6, as common/host/httpd.h. */
static int bind_first(const struct addrinfo *list, int *family)
{
    static const int families[] = {AF_INET, AF_INET6};

    for (size_t i = 0; i < 2; i++)
        for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
            int fd = a->ai_family == families[i] ? bind_one(a) : -1;

            *family = families[i];
            if (fd >= 0)
                return fd;
        }
    return -1;
}

static char *bound_text(int fd)
{
    struct coapd_path p = {.peer_len = sizeof(p.peer)};
    char text[COAPD_ADDRESS_LEN];

    if (getsockname(fd, (struct sockaddr *)&p.peer, &p.peer_len) != 0)
        return NULL;
    coapd_path_text(&p, text);
    return strdup(text);
}

enum gba_err coapd_socket_open(struct coapd *d, const char *address)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_DGRAM};
    struct coapd_socket *s = &d->socket[d->n_sockets];
    struct addrinfo *found = NULL;
    char host[256], service[8];
    uint16_t port;

    if (d->n_sockets == COAPD_SOCKETS_MAX || conf_address_split(address, host, &port) != GBA_OK)
        return GBA_E_ARGUMENT;
    snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return GBA_E_ARGUMENT;
    s->fd = bind_first(found, &s->family);
    freeaddrinfo(found);
    if (s->fd < 0)
        return GBA_E_IO;
    s->bound = bound_text(s->fd);
    d->n_sockets++;
    return s->bound != NULL ? GBA_OK : GBA_E_NOMEM;
}

void coapd_sockets_close(struct coapd *d)
{
    for (size_t i = 0; i < d->n_sockets; i++) {
        close(d->socket[i].fd);
        free(d->socket[i].bound);
    }
    d->n_sockets = 0;
}

/* ------------------------------------------------------------ datagrams */

union control {
    struct cmsghdr align;
    char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static void read_local(struct msghdr *m, struct coapd_path *p)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
            memcpy(&p->local6, CMSG_DATA(c), sizeof(p->local6));
        else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
            memcpy(&p->local4, CMSG_DATA(c), sizeof(p->local4));
        else
            continue;
        p->has_local = true;
    }
}

bool coapd_receive(struct coapd *d, size_t socket, struct coapd_path *from,
                   struct gba_bytes *out)
{
    struct iovec v = {d->datagram, sizeof(d->datagram)};
    union control control;
    struct msghdr m = {.msg_name = &from->peer,
                       .msg_namelen = sizeof(from->peer),
                       .msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof(control)};
    ssize_t n;

    memset(from, 0, sizeof(*from));
    do
        n = recvmsg(d->socket[socket].fd, &m, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return false;
    from->socket = socket;
    from->peer_len = m.msg_namelen;
    read_local(&m, from);
    *out = (struct gba_bytes){d->datagram, (size_t)n};
    return true;
}

/* The interface may change underway; the address may not. */
static void put_local(const struct coapd_path *p, struct msghdr *m)
{
    bool v6 = p->peer.ss_family == AF_INET6;
    struct in6_pktinfo info6 = {.ipi6_addr = p->local6.ipi6_addr};
    struct in_pktinfo info4 = {.ipi_spec_dst = p->local4.ipi_spec_dst};
    size_t n = v6 ? sizeof(info6) : sizeof(info4);
    struct cmsghdr *c = CMSG_FIRSTHDR(m);

    c->cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    c->cmsg_type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(n);
    memcpy(CMSG_DATA(c), v6 ? (const void *)&info6 : (const void *)&info4, n);
    m->msg_controllen = CMSG_SPACE(n);
}

bool coapd_send(struct coapd *d, const struct coapd_path *to, struct gba_bytes octets)
{
    struct iovec v = {(void *)(uintptr_t)octets.p, octets.n};
    union control control = {.room = {0}};
    struct msghdr m = {.msg_name = (void *)(uintptr_t)&to->peer,
                       .msg_namelen = to->peer_len,
                       .msg_iov = &v,
                       .msg_iovlen = 1};
    ssize_t n;

    if (to->has_local) {
        m.msg_control = &control;
        m.msg_controllen = sizeof(control);
        put_local(to, &m);
    }
    do
        n = sendmsg(d->socket[to->socket].fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)octets.n;
}

/* ------------------------------------------------------------ addresses */

static struct gba_bytes address_of(const struct coapd_path *p)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&p->peer;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&p->peer;

    return p->peer.ss_family == AF_INET6
               ? (struct gba_bytes){(const uint8_t *)&v6->sin6_addr, sizeof(v6->sin6_addr)}
               : (struct gba_bytes){(const uint8_t *)&v4->sin_addr, sizeof(v4->sin_addr)};
}

static uint16_t port_of(const struct coapd_path *p)
{
    return p->peer.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)&p->peer)->sin6_port
                                         : ((const struct sockaddr_in *)&p->peer)->sin_port;
}

static uint32_t scope_of(const struct coapd_path *p)
{
    return p->peer.ss_family == AF_INET6
               ? ((const struct sockaddr_in6 *)&p->peer)->sin6_scope_id
               : 0;
}

bool coapd_same_address(const struct coapd_path *a, const struct coapd_path *b)
{
    struct gba_bytes x = address_of(a), y = address_of(b);

    return x.n == y.n && memcmp(x.p, y.p, x.n) == 0 && scope_of(a) == scope_of(b);
}

bool coapd_same_path(const struct coapd_path *a, const struct coapd_path *b)
{
    return a->socket == b->socket && port_of(a) == port_of(b) && coapd_same_address(a, b);
}

/* Keyed, so that nobody chooses the chain he falls into (FNV-1a between two halves of the key;
 * who is in the table has shown that he receives at his address). */
uint64_t coapd_path_hash(const struct coapd *d, const struct coapd_path *p)
{
    struct gba_bytes address = address_of(p);
    uint64_t h, last;

    memcpy(&h, d->hash_key, sizeof(h));
    memcpy(&last, d->hash_key + sizeof(h), sizeof(last));
    for (size_t i = 0; i < address.n; i++)
        h = (h ^ address.p[i]) * 0x100000001b3u;
    h = (h ^ port_of(p)) * 0x100000001b3u;
    h = (h ^ p->socket ^ last) * 0x100000001b3u;
    return h ^ h >> 32;
}

void coapd_path_text(const struct coapd_path *p, char out[static COAPD_ADDRESS_LEN])
{
    char host[INET6_ADDRSTRLEN] = "?";

    inet_ntop(p->peer.ss_family, address_of(p).p, host, sizeof(host));
    snprintf(out, COAPD_ADDRESS_LEN, p->peer.ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host,
             ntohs(port_of(p)));
}
