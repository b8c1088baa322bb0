/*
 * CoAP server over DTLS: life and loop; see coapd.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/coapd_internal.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/host/clock.h"
#include "common/host/random.h"
#include "common/secret.h"

#define BURST 64 /* datagrams of one socket before the timers have their turn */

/* ------------------------------------------------------------ life */

static void set_defaults(struct coapd_config *c)
{
    if (c->sessions == 0)
        c->sessions = 1024;
    if (c->handshakes == 0)
        c->handshakes = 128;
    if (c->body_limit == 0)
        c->body_limit = 64 * 1024;
    if (c->idle_s == 0)
        c->idle_s = 300;
    if (c->handshake_s == 0)
        c->handshake_s = 30;
}

static enum gba_err make_table(struct coapd *d)
{
    size_t n = 64;

    while (n < d->conf.sessions)
        n *= 2;
    d->table = calloc(n, sizeof(struct coapd_session *));
    d->table_mask = n - 1;
    return d->table != NULL ? GBA_OK : GBA_E_NOMEM;
}

enum gba_err coapd_new(const struct coapd_config *c, struct coapd **out)
{
    struct coapd *d = calloc(1, sizeof(*d));
    enum gba_err err;

    *out = NULL;
    if (d == NULL)
        return GBA_E_NOMEM;
    d->conf = *c;
    set_defaults(&d->conf);
    d->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    err = d->wake >= 0 ? make_table(d) : GBA_E_IO;
    if (err == GBA_OK)
        err = random_octets(d->hash_key, sizeof(d->hash_key));
    if (err == GBA_OK && gnutls_key_generate(&d->cookie_key, GNUTLS_COOKIE_KEY_SIZE) != 0)
        err = GBA_E_ENTROPY;
    if (err != GBA_OK) {
        coapd_free(d);
        return err;
    }
    *out = d;
    return GBA_OK;
}

enum gba_err coapd_listen(struct coapd *d, const char *address)
{
    enum gba_err err = coapd_socket_open(d, address);

    if (err != GBA_OK)
        LOG(d->conf.log, LOG_LV_ERROR, "coap.listen", LOG_STR("listener", d->conf.name),
            LOG_STR("address", address), LOG_ERR(err));
    return err;
}

const char *coapd_bound(const struct coapd *d, size_t i)
{
    return i < d->n_sockets ? d->socket[i].bound : NULL;
}

size_t coapd_sessions(const struct coapd *d)
{
    return atomic_load(&d->n_sessions);
}

void coapd_drain(struct coapd *d)
{
    const uint64_t one = 1;

    if (!d->started)
        return;
    atomic_store(&d->stopping, true);
    while (write(d->wake, &one, sizeof(one)) < 0)
        ; /* interrupted: it cannot be full */
    pthread_join(d->thread, NULL);
    d->started = false;
}

void coapd_free(struct coapd *d)
{
    if (d == NULL)
        return;
    coapd_drain(d);
    coapd_sockets_close(d);
    if (d->wake >= 0)
        close(d->wake);
    if (d->cookie_key.data != NULL)
        gba_wipe(d->cookie_key.data, d->cookie_key.size);
    gnutls_free(d->cookie_key.data);
    free(d->table);
    gba_wipe(d, sizeof(*d));
    free(d);
}

/* ------------------------------------------------------------ the thread */

static void read_socket(struct coapd *d, size_t i)
{
    struct coapd_path from;
    struct gba_bytes octets;

    for (unsigned n = 0; n < BURST && coapd_receive(d, i, &from, &octets); n++)
        coapd_datagram(d, &from, octets, clock_monotonic_ms());
}

static void end_all(struct coapd *d)
{
    while (d->handshakes.oldest != NULL)
        coapd_session_free(d->handshakes.oldest, false);
    while (d->ups.oldest != NULL)
        coapd_session_free(d->ups.oldest, true);
}

static void *run(void *arg)
{
    struct coapd *d = arg;
    struct pollfd fds[COAPD_SOCKETS_MAX + 1];

    for (size_t i = 0; i < d->n_sockets; i++)
        fds[i] = (struct pollfd){.fd = d->socket[i].fd, .events = POLLIN};
    fds[d->n_sockets] = (struct pollfd){.fd = d->wake, .events = POLLIN};
    while (!atomic_load(&d->stopping)) {
        int wait_ms = coapd_timers(d, clock_monotonic_ms());

        if (poll(fds, d->n_sockets + 1, wait_ms) <= 0)
            continue;
        for (size_t i = 0; i < d->n_sockets; i++)
            if (fds[i].revents != 0)
                read_socket(d, i);
    }
    end_all(d);
    gba_wipe(d->plain, sizeof(d->plain));
    return NULL;
}

enum gba_err coapd_start(struct coapd *d)
{
    if (pthread_create(&d->thread, NULL, run, d) != 0)
        return GBA_E_IO;
    d->started = true;
    return GBA_OK;
}
