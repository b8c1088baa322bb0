/*
 * The smallest daemon on common/host/daemon: one listener, one option, ways to fail.
 * tests/host/test_daemon.c runs it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/daemon.h"
#include "common/host/httpd.h"

struct sample_conf {
    struct daemon_conf daemon;
    char *listen;
    int64_t number;
};

struct sample {
    struct daemon *d;
    struct httpd *h;
    struct metric *requests, *reloads;
    bool healthy;
};

static const struct conf_row rows[] = {
    {.name = "listen",
     .type = CONF_ADDRESS,
     .offset = offsetof(struct sample_conf, listen),
     .flags = CONF_REQUIRED,
     .help = "Where to listen."},
    {.name = "number",
     .type = CONF_INT,
     .offset = offsetof(struct sample_conf, number),
     .deflt = "1",
     .min = 0,
     .max = 9,
     .help = "7 is refused by the check function."},
    DAEMON_CONF_ROWS(struct sample_conf, daemon),
};
static const struct conf_schema schema = {.title = "The sample daemon",
                                          .rows = rows,
                                          .n_rows = sizeof(rows) / sizeof(rows[0]),
                                          .size = sizeof(struct sample_conf)};

static const char *word = "none";

static int print_word(void)
{
    puts("word");
    return 0;
}

static const struct daemon_option options[] = {
    {.name = "word", .argument = "WORD", .help = "a word", .value = &word},
    {.name = "print-word", .help = "print a word", .run = print_word},
};

static void handle(void *ctx, struct httpd_request *r)
{
    struct sample *s = ctx;
    struct gba_text path = httpd_path(r);

    metric_add(s->requests, 1);
    if (gba_text_is(path, "/end"))
        daemon_end(s->d, DAEMON_EXIT_INTERNAL);
    if (gba_text_is(path, "/sick"))
        s->healthy = false;
    httpd_reply(r,
                &(struct httpd_reply){.status = 200, .body = gba_text_bytes(gba_text(word))});
}

static int check(const void *conf, const struct conf *source, struct log *log)
{
    const struct sample_conf *c = conf;

    if (c->number != 7)
        return 0;
    conf_complain(source, stderr, &c->number, "%d is refused", 7);
    LOG(log, LOG_LV_ERROR, "sample.number", LOG_INT("number", c->number));
    return DAEMON_EXIT_CONFIG;
}

static int start(struct daemon *d, const void *conf, void **state)
{
    const struct sample_conf *c = conf;
    struct sample *s = calloc(1, sizeof(*s));
    enum gba_err err;

    if (s == NULL)
        return DAEMON_EXIT_OS;
    s->d = d;
    s->healthy = true;
    s->requests =
        metrics_counter(daemon_metrics(d), "sample_requests_total", NULL, "Requests.");
    s->reloads = metrics_counter(daemon_metrics(d), "sample_reloads_total", NULL, "Reloads.");
    s->h = httpd_new(daemon_log(d));
    err = httpd_listen(
        s->h, &(struct httpd_listener){
                  .name = "sample", .address = c->listen, .handler = handle, .ctx = s});
    if (err != GBA_OK) {
        httpd_free(s->h);
        free(s);
        return daemon_exit_code(err);
    }
    daemon_port(d, "sample", httpd_bound(s->h, 0));
    *state = s;
    return 0;
}

static void reload(void *state)
{
    metric_add(((struct sample *)state)->reloads, 1);
}

static bool health(void *state, json_t *members)
{
    json_object_set_new(members, "mood", json_string("fine"));
    return ((struct sample *)state)->healthy;
}

static void drain(void *state, unsigned grace_ms)
{
    httpd_drain(((struct sample *)state)->h, grace_ms);
}

static void stop(void *state)
{
    httpd_free(((struct sample *)state)->h);
    free(state);
}

int main(int argc, char **argv)
{
    static const struct daemon_program program = {
        .name = "sample",
        .summary = "A daemon for tests.",
        .schema = &schema,
        .common = offsetof(struct sample_conf, daemon),
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .check = check,
        .start = start,
        .reload = reload,
        .health = health,
        .drain = drain,
        .stop = stop,
    };

    return daemon_main(&program, argc, argv);
}
