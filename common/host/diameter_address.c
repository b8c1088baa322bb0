/*
 * The address of the Diameter node: see diameter_internal.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/diameter_internal.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_loopback(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr) >> 24 ==
               127;
    return sa->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

static bool resolve(const char *host, uint16_t port, struct sockaddr_storage *out,
                    socklen_t *len)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    char service[8];

    snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(host, service, &hints, &found) != 0 || found == NULL)
        return false;
    memcpy(out, found->ai_addr, found->ai_addrlen);
    *len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static bool has_outer_address(void)
{
    struct ifaddrs *all = NULL;
    bool found = false;

    if (getifaddrs(&all) != 0)
        return false;
    for (struct ifaddrs *i = all; i != NULL && !found; i = i->ifa_next)
        found = i->ifa_addr != NULL && (i->ifa_flags & IFF_UP) != 0 &&
                (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6) &&
                !is_loopback(i->ifa_addr);
    freeifaddrs(all);
    return found;
}

/* libfdcore advertises the addresses of the interfaces except loopback ones, and does not
 * start without any: a node that speaks over loopback says so itself. */
static void choose_client_address(struct diameter *d, const struct diameter_config *c)
{
    bool loopback = !has_outer_address();

    for (size_t i = 0; i < c->n_peers && !loopback; i++)
        loopback = resolve(c->peers[i].host, 0, &d->local, &d->local_len) &&
                   is_loopback((struct sockaddr *)&d->local);
    d->local_len = 0;
    if (loopback)
        (void)resolve("127.0.0.1", 0, &d->local, &d->local_len);
}

/* Port 0 means "do not listen" to libfdcore.  A bound socket that does not listen keeps a
 * free port ours until libfdcore binds it too (both with SO_REUSEADDR). */
static enum gba_err reserve_port(struct diameter *d)
{
    struct sockaddr *sa = (struct sockaddr *)&d->local;
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);
    int one = 1;

    d->reserved = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (d->reserved < 0 ||
        setsockopt(d->reserved, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(d->reserved, sa, d->local_len) != 0 ||
        getsockname(d->reserved, (struct sockaddr *)&bound, &len) != 0) {
        diameter_log_fault(d->log, "listen", strerror(errno));
        return GBA_E_IO;
    }
    d->port =
        ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&bound)->sin6_port
                                          : ((struct sockaddr_in *)(void *)&bound)->sin_port);
    return GBA_OK;
}

enum gba_err diameter_address_choose(struct diameter *d, const struct diameter_config *c)
{
    if (c->listen_host == NULL) {
        choose_client_address(d, c);
        return GBA_OK;
    }
    if (!resolve(c->listen_host, c->listen_port, &d->local, &d->local_len)) {
        diameter_log_fault(d->log, "listen", "no such address");
        return GBA_E_CONFIG;
    }
    d->port = c->listen_port;
    return d->port == 0 ? reserve_port(d) : GBA_OK;
}

bool diameter_address_is_any(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        return ((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr == INADDR_ANY;
    return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

bool diameter_address_wait_listening(const struct diameter *d)
{
    struct sockaddr_storage to = d->local;
    struct timespec pause = {.tv_nsec = DIAMETER_PAUSE_NS};
    bool listening = false;

    if (to.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)&to)->sin6_port = htons(d->port);
    else
        ((struct sockaddr_in *)(void *)&to)->sin_port = htons(d->port);
    for (int i = 0; i < DIAMETER_PAUSES && !listening; i++) {
        int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        listening = fd >= 0 && connect(fd, (struct sockaddr *)&to, d->local_len) == 0;
        if (fd >= 0)
            close(fd);
        if (!listening)
            nanosleep(&pause, NULL);
    }
    return listening;
}
