/*
 * What the mains of all daemons share: options, configuration file, signals, log, metrics and
 * health page, ports file, privileges, readiness, exit code.  A main is a table of functions
 * and one call; it decides nothing here.
 *
 *   options -> configuration -> start() -> privileges dropped, settled() -> ports file, READY=1
 *   -> SIGHUP: reload() ... SIGTERM, SIGINT or daemon_end() -> drain() -> stop()
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_DAEMON_H
#define COMMON_HOST_DAEMON_H

#include <jansson.h>
#include <stddef.h>

#include "common/host/conf.h"
#include "common/host/log.h"
#include "common/host/metrics.h"

/* Exit codes, of sysexits.h. */
#define DAEMON_EXIT_OK       0
#define DAEMON_EXIT_USAGE    64
#define DAEMON_EXIT_INTERNAL 70 /* something that should have gone on did not */
#define DAEMON_EXIT_OS       71 /* the system refused: address in use, no such user, ... */
#define DAEMON_EXIT_CONFIG   78

/* 78 for GBA_E_CONFIG and GBA_E_ARGUMENT, 71 for GBA_E_IO, else 70. */
int daemon_exit_code(enum gba_err err);

/* The options of the configuration file that every daemon has.  Put one into your struct, and
 * DAEMON_CONF_ROWS(struct bsf_conf, daemon), among the rows of your schema. */
struct daemon_log_conf {
    int format; /* enum log_format */
    int level;  /* 0 error .. 4 debug */
    bool identities;
};
struct daemon_conf {
    char *user;
    struct daemon_log_conf log;
    char *metrics; /* address of the metrics and health page; NULL: none */
    int64_t drain_ms;
};
extern const struct conf_schema daemon_log_schema;

#define DAEMON_CONF_ROWS(owner, field)                                                         \
    {.name = "user",                                                                           \
     .type = CONF_STRING,                                                                      \
     .max = 64,                                                                                \
     .offset = offsetof(owner, field.user),                                                    \
     .help = "User to become once the addresses are bound."},                                  \
        {.name = "log",                                                                        \
         .type = CONF_SECTION,                                                                 \
         .sub = &daemon_log_schema,                                                            \
         .offset = offsetof(owner, field.log),                                                 \
         .help = "Log lines go to standard error."},                                           \
        {.name = "metrics",                                                                    \
         .type = CONF_ADDRESS,                                                                 \
         .offset = offsetof(owner, field.metrics),                                             \
         .help = "Where GET /metrics (Prometheus text) and GET /health (JSON) are answered; "  \
                 "keep it on a loopback address. Left out: nowhere."},                         \
    {                                                                                          \
        .name = "drain_timeout", .type = CONF_DURATION, .deflt = "10s", .min = 0,              \
        .max = 600000, .offset = offsetof(owner, field.drain_ms),                              \
        .help = "How long requests in flight may take to be answered after SIGTERM."           \
    }

/* An option of the command line beyond the common ones. */
struct daemon_option {
    const char *name;     /* without dashes */
    const char *argument; /* what --help calls it; NULL: takes none */
    const char *help;
    const char **value; /* where the argument goes (borrowed from argv), or NULL: */
    int (*run)(void);   /* ... done instead of everything else; its result is the exit code */
};

struct daemon;

struct daemon_program {
    const char *name;    /* "bsfd" */
    const char *summary; /* one line for --help */
    const struct conf_schema *schema;
    size_t common; /* offset of the struct daemon_conf in the filled one */
    const struct daemon_option *options; /* or NULL */
    size_t n_options;
    /* Optional: what the schema cannot check (files that can be read, ...); also run by
     * --check-config.  source: conf's, for conf_complain.  0, or the exit code after a line
     * that says why. */
    int (*check)(const void *conf, const struct conf *source, struct log *log);
    /* Binds and starts everything.  0 and *state, or the exit code after a log line. */
    int (*start)(struct daemon *d, const void *conf, void **state);
    /* Optional: runs once privileges are dropped.  0, or the exit code after a log line. */
    int (*settled)(void *state);
    void (*reload)(void *state); /* SIGHUP: read certificates again; or NULL */
    /* Optional: adds members to the health page.  False: not healthy, answered with 503. */
    bool (*health)(void *state, json_t *members);
    void (*drain)(void *state, unsigned grace_ms); /* answer what waits, accept nothing */
    void (*stop)(void *state);                     /* free everything */
};

/* The whole life of a daemon; return its result from main. */
int daemon_main(const struct daemon_program *p, int argc, char **argv);

struct log *daemon_log(const struct daemon *d);
struct metrics *daemon_metrics(const struct daemon *d);
const struct conf *daemon_source(const struct daemon *d); /* start()'s conf is of it */
/* For start(): a bound address for --ports-file.  Strings are copied. */
void daemon_port(struct daemon *d, const char *name, const char *address);
/* Ends the daemon as SIGTERM does, but with that exit code; from any thread, once start() has
 * been entered.  The first call counts. */
void daemon_end(struct daemon *d, int exit_code);

#endif
