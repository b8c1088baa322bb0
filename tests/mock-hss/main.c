/*
 * mock-hss: the program.  It wires the parts of mock_hss.h and waits for a signal.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "tests/mock-hss/mock_hss.h"

#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/host/log.h"
#include "common/host/privdrop.h"

struct options {
    const char *config, *ports_file;
    bool check;
};

static atomic_bool core_lost;

static void on_stopped(void *arg)
{
    (void)arg;
    atomic_store(&core_lost, true);
    kill(getpid(), SIGTERM);
}

static void usage(FILE *out)
{
    fprintf(out, "usage: mock-hss --config FILE [--check-config] [--ports-file FILE]\n"
                 "       mock-hss --print-config-sample | --help | --version\n\n"
                 "A test HSS: Zh over Diameter for labs. Options of the file:\n\n");
    conf_print_help(&hss_schema, out);
}

/* -1: go on; else the exit code. */
static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"check-config", no_argument, NULL, 'k'},
                                          {"ports-file", required_argument, NULL, 'p'},
                                          {"print-config-sample", no_argument, NULL, 's'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'V'},
                                          {NULL, 0, NULL, 0}};

    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'c')
            o->config = optarg;
        else if (c == 'k')
            o->check = true;
        else if (c == 'p')
            o->ports_file = optarg;
        else if (c == 's')
            return conf_print_sample(&hss_schema, stdout), EX_OK;
        else if (c == 'h')
            return usage(stdout), EX_OK;
        else if (c == 'V')
            return printf("mock-hss %s\n", PACKAGE_VERSION) > 0 ? EX_OK : EX_IOERR;
        else
            return EX_USAGE;
    }
    if (o->config == NULL || optind != argc)
        return usage(stderr), EX_USAGE;
    return -1;
}

static bool write_ports(const struct options *o, const struct hss_config *c,
                        const struct server *server)
{
    const char *names[] = {"diameter", "control"};
    const char *addresses[2];
    char host[256], address[300];
    uint16_t port;

    if (o->ports_file == NULL)
        return true;
    (void)conf_address_split(c->listen, host, &port);
    snprintf(address, sizeof(address), strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host,
             server_port(server));
    addresses[0] = address;
    addresses[1] = c->control;
    return ports_file_write(o->ports_file, names, addresses, c->control != NULL ? 2 : 1) ==
           GBA_OK;
}

static int serve(const struct options *o, const struct hss_config *c, struct auc *auc,
                 struct log *log, const sigset_t *signals)
{
    struct control *control = NULL;
    struct server *server;
    struct faults faults;
    int signal;

    faults_init(&faults);
    if (server_start(c, auc, &faults, log, on_stopped, NULL, &server) != GBA_OK)
        return EX_UNAVAILABLE;
    if (c->control != NULL &&
        control_start(c->control, auc, &faults, server, log, &control) != GBA_OK)
        return server_stop(server), EX_UNAVAILABLE;
    if (!write_ports(o, c, server) || privdrop(c->user, log) != GBA_OK)
        return EX_UNAVAILABLE;
    LOG(log, LOG_LV_NOTICE, "mock-hss.ready", LOG_STR("identity", c->identity),
        LOG_INT("port", server_port(server)), LOG_INT("subscribers", auc->n));
    notify_systemd("READY=1");
    sigwait(signals, &signal);
    notify_systemd("STOPPING=1");
    control_stop(control);
    server_stop(server);
    return atomic_load(&core_lost) ? EX_SOFTWARE : EX_OK;
}

int main(int argc, char **argv)
{
    struct options o = {0};
    struct hss_config c;
    struct conf *conf;
    struct auc auc;
    struct log *log;
    sigset_t signals;
    int code = parse_options(argc, argv, &o);

    if (code >= 0)
        return code;
    if (conf_load(&hss_schema, o.config, 0, &c, stderr, &conf) != GBA_OK)
        return EX_CONFIG;
    if (auc_init(&auc, &c, stderr) != GBA_OK)
        return EX_CONFIG;
    if (o.check)
        return EX_OK;
    log = log_open((enum log_format)c.log_format, (enum log_level)(LOG_LV_ERROR + c.log_level),
                   false);
    if (log == NULL)
        return EX_OSERR;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    code = serve(&o, &c, &auc, log, &signals);
    auc_free(&auc);
    conf_free(conf);
    log_close(log);
    return code;
}
