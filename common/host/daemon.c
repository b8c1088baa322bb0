/*
 * The life of a daemon; see daemon.h.  The page with metrics and health is daemon_page.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "common/host/daemon.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/host/daemon_page.h"
#include "common/host/privdrop.h"

#define OPTIONS_MAX 16
#define GO_ON       (-1)

struct daemon {
    const struct daemon_program *p;
    const struct daemon_conf *common;
    struct conf *source;
    struct log *log;
    struct metrics *metrics;
    struct daemon_page *page;
    void *state;
    int signal_fd, end_fd;
    _Atomic int exit_code; /* GO_ON until something ends the daemon */
    struct port *ports;
    size_t n_ports;
};

static const char *const formats[] = {"text", "json", NULL};
static const char *const levels[] = {"error", "warning", "notice", "info", "debug", NULL};
static const struct conf_row log_rows[] = {
    {.name = "format",
     .type = CONF_ENUM,
     .choices = formats,
     .deflt = "text",
     .offset = offsetof(struct daemon_log_conf, format),
     .help = "key=value lines, or one JSON object a line."},
    {.name = "level",
     .type = CONF_ENUM,
     .choices = levels,
     .deflt = "info",
     .offset = offsetof(struct daemon_log_conf, level),
     .help = "The least important lines that are written."},
    {.name = "identities_in_clear",
     .type = CONF_BOOL,
     .deflt = "false",
     .offset = offsetof(struct daemon_log_conf, identities),
     .help = "Write IMPIs, IMSIs and TMPIs as they are, not as a keyed hash. For labs."},
};
const struct conf_schema daemon_log_schema = {
    .title = "Log",
    .rows = log_rows,
    .n_rows = sizeof(log_rows) / sizeof(log_rows[0]),
    .size = sizeof(struct daemon_log_conf),
};

int daemon_exit_code(enum gba_err err)
{
    switch (err) {
    case GBA_OK:
        return DAEMON_EXIT_OK;
    case GBA_E_CONFIG:
    case GBA_E_ARGUMENT:
        return DAEMON_EXIT_CONFIG;
    case GBA_E_IO:
        return DAEMON_EXIT_OS;
    default:
        return DAEMON_EXIT_INTERNAL;
    }
}

/* --- the command line -------------------------------------------------------------------- */

struct command_line {
    const char *config, *ports_file;
    bool check_only;
    int print; /* an option that is done instead of everything else; 0: none */
};

enum {
    OPT_CONFIG = 1,
    OPT_CHECK,
    OPT_PORTS,
    OPT_SAMPLE,
    OPT_HELP,
    OPT_VERSION,
    OPT_MAN,
    OPT_OWN = 1000 /* above '?', which getopt gives for what it does not know */
};

static const struct {
    int id;
    const char *name, *argument, *help;
} common_options[] = {
    {OPT_CONFIG, "config", "FILE", "configuration, YAML (-: standard input)"},
    {OPT_CHECK, "check-config", NULL, "check the configuration, start nothing"},
    {OPT_PORTS, "ports-file", "FILE", "write the bound addresses there, as name=address lines"},
    {OPT_SAMPLE, "print-config-sample", NULL,
     "print a commented configuration with all options"},
    {OPT_HELP, "help", NULL, "print this"},
    {OPT_VERSION, "version", NULL, "print the version"},
    {OPT_MAN, "print-man-options", NULL,
     "print the options of the configuration for a man page"},
};
#define N_COMMON (sizeof(common_options) / sizeof(common_options[0]))

static void print_option(const char *name, const char *argument, const char *help)
{
    char left[64];

    snprintf(left, sizeof(left), "--%s%s%s", name, argument != NULL ? " " : "",
             argument != NULL ? argument : "");
    printf("  %-24s %s\n", left, help);
}

static void print_help(const struct daemon_program *p)
{
    printf("Usage: %s --config FILE [OPTION]...\n%s\n\n", p->name, p->summary);
    for (size_t i = 0; i < N_COMMON; i++)
        print_option(common_options[i].name, common_options[i].argument,
                     common_options[i].help);
    for (size_t i = 0; i < p->n_options; i++)
        print_option(p->options[i].name, p->options[i].argument, p->options[i].help);
    printf("\nExit codes: 0 ended as asked, 64 usage, 70 internal failure, 71 refused by the "
           "system,\n78 configuration.\n\nThe configuration:\n\n");
    conf_print_help(p->schema, stdout);
}

static size_t long_options(const struct daemon_program *p, struct option *out)
{
    size_t n = 0;

    for (size_t i = 0; i < N_COMMON; i++)
        out[n++] = (struct option){
            .name = common_options[i].name,
            .has_arg = common_options[i].argument != NULL ? required_argument : no_argument,
            .val = common_options[i].id};
    for (size_t i = 0; i < p->n_options && n < N_COMMON + OPTIONS_MAX; i++)
        out[n++] = (struct option){.name = p->options[i].name,
                                   .has_arg = p->options[i].argument != NULL ? required_argument
                                                                             : no_argument,
                                   .val = OPT_OWN + (int)i};
    out[n] = (struct option){0};
    return n;
}

/* Text on standard output counts only once it is there. */
static int printed(void)
{
    return fflush(stdout) == 0 && !ferror(stdout) ? DAEMON_EXIT_OK : DAEMON_EXIT_OS;
}

/* GO_ON, or the exit code. */
static int take_option(const struct daemon_program *p, int id, struct command_line *cl)
{
    switch (id) {
    case OPT_CONFIG:
        cl->config = optarg;
        return GO_ON;
    case OPT_CHECK:
        cl->check_only = true;
        return GO_ON;
    case OPT_PORTS:
        cl->ports_file = optarg;
        return GO_ON;
    case OPT_SAMPLE:
    case OPT_MAN:
        cl->print = id;
        return GO_ON;
    case OPT_HELP:
        print_help(p);
        return printed();
    case OPT_VERSION:
        printf("%s (OpenGAA) %s\n", p->name, PACKAGE_VERSION);
        return printed();
    default:
        break;
    }
    if (id < OPT_OWN)
        return DAEMON_EXIT_USAGE; /* getopt has said why */
    if (p->options[id - OPT_OWN].run != NULL)
        cl->print = id;
    else
        *p->options[id - OPT_OWN].value = optarg;
    return GO_ON;
}

static int print(const struct daemon_program *p, int id)
{
    int code = DAEMON_EXIT_OK;

    if (id == OPT_SAMPLE)
        conf_print_sample(p->schema, stdout);
    else if (id == OPT_MAN)
        conf_print_man(p->schema, stdout);
    else
        code = p->options[id - OPT_OWN].run();
    return code == DAEMON_EXIT_OK ? printed() : code;
}

static int read_command_line(const struct daemon_program *p, int argc, char **argv,
                             struct command_line *cl)
{
    struct option options[N_COMMON + OPTIONS_MAX + 1];
    int id, code;

    (void)long_options(p, options);
    while ((id = getopt_long(argc, argv, "", options, NULL)) != -1)
        if ((code = take_option(p, id, cl)) != GO_ON)
            return code;
    if (optind == argc && cl->print != 0)
        return print(p, cl->print);
    if (optind < argc || cl->config == NULL) {
        fprintf(stderr,
                optind < argc ? "%s: unexpected argument; see --help\n"
                              : "%s: --config FILE is needed; see --help\n",
                p->name);
        return DAEMON_EXIT_USAGE;
    }
    return GO_ON;
}

/* --- running ----------------------------------------------------------------------------- */

struct log *daemon_log(const struct daemon *d)
{
    return d->log;
}

struct metrics *daemon_metrics(const struct daemon *d)
{
    return d->metrics;
}

const struct conf *daemon_source(const struct daemon *d)
{
    return d->source;
}

void daemon_port(struct daemon *d, const char *name, const char *address)
{
    struct port p = {strdup(name), strdup(address)}, *more = NULL;

    LOG(d->log, LOG_LV_NOTICE, "daemon.listen", LOG_STR("name", name),
        LOG_STR("address", address));
    if (p.name != NULL && p.address != NULL)
        more = realloc(d->ports, (d->n_ports + 1) * sizeof(*more));
    if (more == NULL) {
        free(p.name);
        free(p.address);
        return;
    }
    d->ports = more;
    d->ports[d->n_ports++] = p;
}

void daemon_end(struct daemon *d, int exit_code)
{
    int nobody = GO_ON;
    uint64_t one = 1;

    if (atomic_compare_exchange_strong(&d->exit_code, &nobody, exit_code) &&
        write(d->end_fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
        abort(); /* an eventfd at zero takes a one */
}

/* Before any thread exists, so that all inherit the mask and signals come by the descriptor. */
static bool take_signals(struct daemon *d)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit of files is an error of write(2), as a full disk */
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return false;
    d->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
    d->end_fd = eventfd(0, EFD_CLOEXEC);
    return d->signal_fd >= 0 && d->end_fd >= 0;
}

/* Each connection is a descriptor; the soft limit of 1024 is for programs with select(2). */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void wait_for_the_end(struct daemon *d)
{
    struct pollfd polls[2] = {{.fd = d->signal_fd, .events = POLLIN},
                              {.fd = d->end_fd, .events = POLLIN}};

    while (atomic_load(&d->exit_code) == GO_ON) {
        struct signalfd_siginfo info;

        if (poll(polls, 2, -1) < 0 || (polls[0].revents & POLLIN) == 0)
            continue;
        if (read(d->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
            continue;
        if (info.ssi_signo != SIGHUP) {
            LOG(d->log, LOG_LV_NOTICE, "daemon.signal", LOG_INT("number", info.ssi_signo));
            return;
        }
        LOG(d->log, LOG_LV_NOTICE, "daemon.reload", LOG_STR("program", d->p->name));
        if (d->p->reload != NULL)
            d->p->reload(d->state);
    }
}

static int start_page(struct daemon *d)
{
    enum gba_err err;

    if (d->common->metrics == NULL)
        return GO_ON;
    err = daemon_page_new(d->p, d->state, d->metrics, d->log, d->common->metrics, &d->page);
    if (err != GBA_OK)
        return daemon_exit_code(err);
    daemon_port(d, "metrics", daemon_page_address(d->page));
    return GO_ON;
}

static int become_ready(struct daemon *d, const struct command_line *cl)
{
    enum gba_err err = privdrop(d->common->user, d->log);
    int code;

    if (err != GBA_OK)
        return daemon_exit_code(err);
    if (d->p->settled != NULL && (code = d->p->settled(d->state)) != 0)
        return code;
    if (cl->ports_file != NULL &&
        ports_file_write(cl->ports_file, d->ports, d->n_ports) != GBA_OK) {
        LOG(d->log, LOG_LV_ERROR, "daemon.ports_file", LOG_STR("file", cl->ports_file),
            LOG_STR("reason", strerror(errno)));
        return DAEMON_EXIT_OS;
    }
    notify_systemd("READY=1");
    LOG(d->log, LOG_LV_NOTICE, "daemon.ready", LOG_STR("program", d->p->name),
        LOG_STR("version", PACKAGE_VERSION));
    return GO_ON;
}

static int serve(struct daemon *d, const void *conf, const struct command_line *cl)
{
    int code = d->p->start(d, conf, &d->state);

    if (code != 0)
        return code;
    code = start_page(d);
    if (code == GO_ON)
        code = become_ready(d, cl);
    if (code == GO_ON) {
        wait_for_the_end(d);
        code =
            atomic_load(&d->exit_code) != GO_ON ? atomic_load(&d->exit_code) : DAEMON_EXIT_OK;
    }
    notify_systemd("STOPPING=1");
    d->p->drain(d->state, (unsigned)d->common->drain_ms);
    daemon_page_free(d->page);
    d->p->stop(d->state);
    LOG(d->log, LOG_LV_NOTICE, "daemon.end", LOG_INT("code", code));
    return code;
}

static int run(struct daemon *d, const void *conf, const struct command_line *cl)
{
    const struct daemon_log_conf *l = &d->common->log;

    d->log = log_open((enum log_format)l->format, (enum log_level)(LOG_LV_ERROR + l->level),
                      l->identities);
    if (d->log == NULL)
        return DAEMON_EXIT_OS;
    if (privdrop_check(d->common->user) != GBA_OK) {
        conf_complain(d->source, stderr, &d->common->user, "there is no user %s",
                      d->common->user);
        return DAEMON_EXIT_CONFIG;
    }
    if (d->p->check != NULL) {
        int code = d->p->check(conf, d->source, d->log);

        if (code != 0)
            return code;
    }
    if (cl->check_only)
        return DAEMON_EXIT_OK;
    raise_descriptor_limit();
    if (!take_signals(d)) {
        LOG(d->log, LOG_LV_ERROR, "daemon.signals", LOG_STR("reason", strerror(errno)));
        return DAEMON_EXIT_OS;
    }
    d->metrics = metrics_new();
    return serve(d, conf, cl);
}

static void daemon_clear(struct daemon *d)
{
    for (size_t i = 0; i < d->n_ports; i++) {
        free(d->ports[i].name);
        free(d->ports[i].address);
    }
    free(d->ports);
    if (d->signal_fd >= 0)
        close(d->signal_fd);
    if (d->end_fd >= 0)
        close(d->end_fd);
    metrics_free(d->metrics);
    log_close(d->log);
}

int daemon_main(const struct daemon_program *p, int argc, char **argv)
{
    struct command_line cl = {0};
    struct daemon d = {.p = p, .signal_fd = -1, .end_fd = -1, .exit_code = GO_ON};
    int code = read_command_line(p, argc, argv, &cl);
    void *conf;

    if (code != GO_ON)
        return code;
    conf = calloc(1, p->schema->size);
    if (conf == NULL)
        return DAEMON_EXIT_OS;
    if (conf_load(p->schema, cl.config, 0, conf, stderr, &d.source) != GBA_OK) {
        free(conf);
        return DAEMON_EXIT_CONFIG;
    }
    d.common = (const struct daemon_conf *)((const uint8_t *)conf + p->common);
    code = run(&d, conf, &cl);
    daemon_clear(&d);
    conf_free(d.source);
    free(conf);
    return code;
}
