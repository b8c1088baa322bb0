/*
 * The peers that the Diameter node connects to: see diameter_internal.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/diameter_internal.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum gba_err diameter_peers_keep(struct diameter *d, const struct diameter_config *c)
{
    d->peers = calloc(c->n_peers + 1, sizeof(*d->peers));
    if (d->peers == NULL)
        return GBA_E_NOMEM;
    d->n_peers = c->n_peers;
    for (size_t i = 0; i < d->n_peers; i++) {
        struct known_peer *p = &d->peers[i];

        snprintf(p->identity, sizeof(p->identity), "%s", c->peers[i].identity);
        snprintf(p->realm, sizeof(p->realm), "%s", c->peers[i].realm);
        snprintf(p->host, sizeof(p->host), "%s", c->peers[i].host);
        p->port = c->peers[i].port;
        p->sctp = c->peers[i].sctp;
        p->tls = c->peers[i].tls;
    }
    return GBA_OK;
}

/* Adds every address of the host; without one libfdcore looks the identity up itself, each
 * time it connects. */
static int add_endpoints(const struct known_peer *p, struct fd_list *list)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int err = 0;

    if (getaddrinfo(p->host, NULL, &hints, &found) != 0)
        return strcasecmp(p->host, p->identity) == 0 ? 0 : EADDRNOTAVAIL;
    for (struct addrinfo *a = found; a != NULL && err == 0; a = a->ai_next)
        err = fd_ep_add_merge(list, a->ai_addr, a->ai_addrlen, EP_FL_CONF | EP_ACCEPTALL);
    freeaddrinfo(found);
    return err;
}

static int add_peer(struct known_peer *p)
{
    struct peer_info info;
    int err;

    memset(&info, 0, sizeof(info));
    fd_list_init(&info.pi_endpoints, NULL);
    info.pi_diamid = p->identity;
    info.pi_diamidlen = strlen(p->identity);
    info.config.pic_flags.pro4 = p->sctp ? PI_P4_SCTP : PI_P4_TCP;
    info.config.pic_flags.sec = p->tls ? PI_SEC_DEFAULT : PI_SEC_NONE;
    info.config.pic_flags.persist = PI_PRST_ALWAYS;
    info.config.pic_realm = p->realm;
    info.config.pic_port = p->port;
    err = add_endpoints(p, &info.pi_endpoints);
    return err == 0 ? fd_peer_add(&info, "configuration", NULL, NULL) : err;
}

/* libfdcore connects at once to the peers whose threads have begun when it starts; to others
 * after up to four seconds.  A thread that has begun leaves STATE_NEW. */
static void wait_begun(const struct known_peer *p)
{
    struct timespec pause = {.tv_nsec = DIAMETER_PAUSE_NS};
    struct peer_hdr *peer = NULL;

    for (int i = 0; i < DIAMETER_PAUSES; i++) {
        if (fd_peer_getbyid((DiamId_t)(uintptr_t)p->identity, strlen(p->identity), 0, &peer) !=
                0 ||
            peer == NULL || fd_peer_get_state(peer) != STATE_NEW)
            return;
        nanosleep(&pause, NULL);
    }
}

int diameter_peers_add(struct diameter *d)
{
    int err = 0;

    for (size_t i = 0; i < d->n_peers && err == 0; i++) {
        err = add_peer(&d->peers[i]);
        if (err != 0)
            LOG(d->log, LOG_LV_ERROR, "diameter.peer", LOG_STR("peer", d->peers[i].identity),
                LOG_STR("reason", strerror(err)));
    }
    for (size_t i = 0; i < d->n_peers && err == 0; i++)
        wait_begun(&d->peers[i]);
    return err;
}
