/*
 * mock-hss: the program.  It wires the parts of mock_hss.h into a daemon.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/mock-hss/mock_hss.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/tls_files.h"

struct hss {
    struct auc auc;
    struct faults faults;
    struct server *server;
    struct control *control;
};

static int check(const void *conf, const struct conf *source, struct log *log)
{
    const struct hss_config *c = conf;
    const struct tls_files files = {&c->tls_cert, &c->tls_key, &c->tls_ca, NULL};
    struct auc auc;
    enum gba_err err = auc_init(&auc, conf, source);

    (void)log;
    if (err == GBA_OK)
        auc_free(&auc);
    if (!tls_files_check(&files, source))
        return DAEMON_EXIT_CONFIG;
    return err == GBA_OK ? DAEMON_EXIT_OK : daemon_exit_code(err);
}

static void on_stopped(void *arg)
{
    daemon_end(arg, DAEMON_EXIT_INTERNAL);
}

static void tell_ports(struct daemon *d, const struct hss_config *c,
                       const struct server *server)
{
    char host[256], address[300];
    uint16_t port;

    (void)conf_address_split(c->listen, host, &port);
    snprintf(address, sizeof(address), strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host,
             server_port(server));
    daemon_port(d, "diameter", address);
    if (c->control != NULL)
        daemon_port(d, "control", c->control);
}

static int start(struct daemon *d, const void *conf, void **state)
{
    const struct hss_config *c = conf;
    struct hss *h = calloc(1, sizeof(*h));
    enum gba_err err;

    if (h == NULL)
        return DAEMON_EXIT_OS;
    faults_init(&h->faults);
    err = auc_init(&h->auc, c, daemon_source(d));
    if (err == GBA_OK) {
        auc_warn(&h->auc, daemon_log(d));
        err = server_start(c, &h->auc, &h->faults, daemon_log(d), on_stopped, d, &h->server);
    }
    if (err == GBA_OK && c->control != NULL)
        err = control_start(c->control, &h->auc, &h->faults, h->server, daemon_log(d),
                            &h->control);
    if (err != GBA_OK)
        return daemon_exit_code(err);
    tell_ports(d, c, h->server);
    *state = h;
    return DAEMON_EXIT_OK;
}

static bool health(void *state, json_t *members)
{
    struct hss *h = state;
    struct server_stats stats;

    server_get_stats(h->server, &stats);
    json_object_set_new(members, "requests", json_integer((json_int_t)stats.requests));
    json_object_set_new(members, "vectors", json_integer((json_int_t)stats.vectors));
    return true;
}

static void drain(void *state, unsigned grace_ms)
{
    (void)state;
    (void)grace_ms; /* answers are given at once, or were ordered to be late */
}

static void stop(void *state)
{
    struct hss *h = state;

    control_stop(h->control);
    server_stop(h->server);
    auc_free(&h->auc);
    free(h);
}

int main(int argc, char **argv)
{
    static const struct daemon_program program = {
        .name = "mock-hss",
        .summary = "a test HSS: Zh over Diameter, with faults on demand",
        .schema = &hss_schema,
        .common = offsetof(struct hss_config, daemon),
        .check = check,
        .start = start,
        .health = health,
        .drain = drain,
        .stop = stop,
    };

    return daemon_main(&program, argc, argv);
}
