/*
 * The life of the embedded Diameter node: see diameter.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/diameter_hooks.h"

#include "common/host/diameter_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/diameter_dict.h"
#include "common/host/diameter_leave.h"

#define STOP_S 3

static atomic_flag opened = ATOMIC_FLAG_INIT;

/* One that libfdcore still points to; there is one node per process. */
static struct diameter *left_behind __attribute__((used));

void diameter_log_fault(struct log *log, const char *what, const char *reason)
{
    LOG(log, LOG_LV_ERROR, "diameter.start", LOG_STR("what", what), LOG_STR("reason", reason));
}

static int advertise(const struct diameter_config *c)
{
    struct dict_object *vendor = NULL;
    vendor_id_t id = DIAMETER_VENDOR_3GPP;
    int err =
        fd_dict_search(fd_g_config->cnf_dict, DICT_VENDOR, VENDOR_BY_ID, &id, &vendor, ENOENT);

    for (size_t i = 0; i < c->n_applications && err == 0; i++) {
        struct dict_object *app = diameter_dict_application(c->applications[i]);

        err = app != NULL ? fd_disp_app_support(app, vendor, 1, 0) : ENOENT;
    }
    return err;
}

static enum gba_err configure(struct diameter *d, const struct diameter_config *c)
{
    enum gba_err err = diameter_address_choose(d, c);
    int e;

    if (err == GBA_OK)
        err = diameter_peers_keep(d, c);
    if (err != GBA_OK)
        return err;
    e = diameter_hooks_log(d->log);
    if (e == 0)
        e = fd_core_initialize();
    if (e == 0)
        e = diameter_hooks_register(&d->events);
    if (e == 0)
        e = diameter_dict_define();
    if (e == 0)
        e = diameter_config_parse(d, c);
    if (e == 0)
        e = advertise(c);
    if (e == 0 && d->local_len != 0 && !diameter_address_is_any((struct sockaddr *)&d->local))
        e = fd_ep_add_merge(&fd_g_config->cnf_endpoints, (sSA *)&d->local, d->local_len,
                            EP_FL_CONF | EP_ACCEPTALL);
    if (e == 0)
        return GBA_OK;
    diameter_log_fault(d->log, "configuration", strerror(e));
    return e == ENOMEM ? GBA_E_NOMEM : GBA_E_CONFIG;
}

enum gba_err diameter_open(const struct diameter_config *c,
                           const struct diameter_events *events, struct log *log,
                           struct diameter **out)
{
    const char *fault = diameter_config_fault(c);
    struct diameter *d;
    enum gba_err err;

    if (fault != NULL) {
        diameter_log_fault(log, "configuration", fault);
        return GBA_E_CONFIG;
    }
    if (atomic_flag_test_and_set(&opened)) {
        diameter_log_fault(log, "configuration", "a Diameter node ran in this process before");
        return GBA_E_UNEXPECTED;
    }
    d = calloc(1, sizeof(*d));
    if (d == NULL)
        return GBA_E_NOMEM;
    d->log = log;
    d->events = *events;
    d->reserved = -1;
    err = configure(d, c);
    if (err == GBA_OK) {
        *out = d;
        return GBA_OK;
    }
    /* libfdcore cannot be taken down half-configured: its hooks keep pointing to d. */
    left_behind = d;
    diameter_hooks_mute();
    if (d->reserved >= 0)
        close(d->reserved);
    return err;
}

/* Learns that libfdcore has ended, by our wish or not. */
static void *watch(void *arg)
{
    struct diameter *d = arg;

    (void)fd_core_wait_shutdown_complete();
    atomic_store(&d->running, false);
    if (!atomic_load(&d->stopping)) {
        diameter_log_fault(d->log, "core", "libfdcore has ended by itself");
        if (d->events.stopped != NULL)
            d->events.stopped(d->events.arg);
    }
    return NULL;
}

enum gba_err diameter_start(struct diameter *d)
{
    int e;

    if (diameter_peers_add(d) != 0)
        return GBA_E_CONFIG;
    diameter_hooks_quiet();
    e = fd_core_start();
    if (d->reserved >= 0) {
        close(d->reserved);
        d->reserved = -1;
    }
    if (e == 0)
        e = fd_core_waitstartcomplete();
    if (e == 0 && d->port != 0 && !diameter_address_wait_listening(d))
        e = EADDRINUSE;
    if (e != 0) {
        diameter_log_fault(d->log, d->port != 0 ? "listen" : "core",
                           strerror(e == ENOMEM ? EADDRINUSE : e));
        return GBA_E_IO;
    }
    atomic_store(&d->running, true);
    if (pthread_create(&d->watchdog, NULL, watch, d) != 0)
        return GBA_E_NOMEM;
    d->started = true;
    return GBA_OK;
}

void diameter_stop(struct diameter *d)
{
    bool runs = diameter_running(d);

    atomic_store(&d->stopping, true);
    diameter_hooks_mute();
    if (runs)
        (void)diameter_leave(STOP_S);
    else if (d->started && !atomic_load(&d->running))
        pthread_join(d->watchdog, NULL); /* it may be telling that the core has ended */
    if (d->reserved >= 0)
        close(d->reserved);
    d->reserved = -1;
    left_behind = d;
}

bool diameter_running(const struct diameter *d)
{
    return atomic_load(&d->running) && !atomic_load(&d->stopping) && !diameter_hooks_ending();
}

uint16_t diameter_port(const struct diameter *d)
{
    return d->port;
}

bool diameter_peer_open(const struct diameter *d, const char *identity)
{
    struct peer_hdr *peer = NULL;

    if (!diameter_running(d) ||
        fd_peer_getbyid((DiamId_t)(uintptr_t)identity, strlen(identity), 0, &peer) != 0 ||
        peer == NULL)
        return false;
    return fd_peer_get_state(peer) == STATE_OPEN;
}
