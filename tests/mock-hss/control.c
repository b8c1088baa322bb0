/*
 * The control socket of mock-hss: see mock_hss.h.  One command a line, one reply line each:
 * "ok [key=value ...]" or "error TEXT".
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/mock-hss/mock_hss.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/line_server.h"

#define CLIENTS         8
#define LINE_MAX_OCTETS 511
#define REPLY_MAX       1024
#define WORDS           5

struct control {
    struct auc *auc;
    struct faults *faults;
    struct server *server;
    struct line_server *lines;
};

struct reply {
    char text[REPLY_MAX];
};

__attribute__((format(printf, 2, 3))) static void say(struct reply *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(r->text, sizeof(r->text), format, args);
    va_end(args);
}

/* --- commands --------------------------------------------------------------------------- */

typedef void command(struct control *c, char **words, size_t n, struct reply *r);

static bool number(const char *word, uint64_t max, uint32_t *out)
{
    uint64_t v;

    if (gba_text_number(gba_text(word), max, &v) != GBA_OK)
        return false;
    *out = (uint32_t)v;
    return true;
}

/* IMPI or "*"; a real IMPI must be one of ours, for a typing error would go unnoticed. */
static bool whom(struct control *c, const char *impi, bool any, struct fault *f,
                 struct reply *r)
{
    bool known = any && strcmp(impi, "*") == 0;

    if (!known) {
        pthread_mutex_lock(&c->auc->lock);
        known = auc_find(c->auc, gba_text(impi)) != NULL;
        pthread_mutex_unlock(&c->auc->lock);
    }
    if (!known || gba_text_copy(f->impi, sizeof(f->impi), gba_text(impi)) != GBA_OK) {
        say(r, "error no such subscriber");
        return false;
    }
    return true;
}

static void order(struct control *c, const struct fault *f, struct reply *r)
{
    if (f->left == 0)
        say(r, "error N must be 1 or more");
    else if (faults_add(c->faults, f))
        say(r, "ok");
    else
        say(r, "error too many faults, clear them first");
}

static void do_delay(struct control *c, char **w, size_t n, struct reply *r)
{
    struct fault f = {.kind = FAULT_DELAY, .left = UINT_MAX};

    (void)n;
    if (!number(w[2], 3600000, &f.value))
        say(r, "error MS is not a number of milliseconds");
    else if (whom(c, w[1], true, &f, r)) {
        faults_remove(c->faults, FAULT_DELAY, f.impi);
        if (f.value != 0)
            order(c, &f, r);
        else
            say(r, "ok");
    }
}

static void counted(struct control *c, enum fault_kind kind, char **w, bool any,
                    struct reply *r)
{
    struct fault f = {.kind = kind};

    if (!number(w[2], 1000000, &f.left))
        say(r, "error N is not a number");
    else if (whom(c, w[1], any, &f, r))
        order(c, &f, r);
}

static void do_drop(struct control *c, char **w, size_t n, struct reply *r)
{
    (void)n;
    counted(c, FAULT_DROP, w, true, r);
}

static void do_bad_mac(struct control *c, char **w, size_t n, struct reply *r)
{
    (void)n;
    counted(c, FAULT_BAD_MAC, w, true, r);
}

static void do_stale_sqn(struct control *c, char **w, size_t n, struct reply *r)
{
    struct fault f;

    (void)n;
    if (!whom(c, w[1], false, &f, r))
        return;
    pthread_mutex_lock(&c->auc->lock);
    auc_find(c->auc, gba_text(w[1]))->stale = true;
    pthread_mutex_unlock(&c->auc->lock);
    say(r, "ok");
}

/* CODE, xCODE (Experimental-Result) or bCODE (both result AVPs); the codes of 3GPP are
 * Experimental-Results without being told. */
static bool error_code(const char *word, struct fault *f)
{
    bool tagged = word[0] == 'x' || word[0] == 'b' || word[0] == 'r';

    if (!number(word + tagged, 9999, &f->value) || f->value < 1000)
        return false;
    f->form = f->value / 100 == 54 || f->value == 5001 ? ERROR_EXPERIMENTAL : ERROR_RESULT;
    if (tagged)
        f->form = word[0] == 'x'   ? ERROR_EXPERIMENTAL
                  : word[0] == 'b' ? ERROR_BOTH
                                   : ERROR_RESULT;
    return true;
}

static void do_error(struct control *c, char **w, size_t n, struct reply *r)
{
    struct fault f = {.kind = FAULT_ERROR};

    (void)n;
    if (!error_code(w[2], &f))
        say(r,
            "error CODE is 1000 to 9999, after x for Experimental-Result, r for Result-Code, "
            "b for both");
    else if (!number(w[3], 1000000, &f.left))
        say(r, "error N is not a number");
    else if (strcmp(w[1], "*") == 0 || strlen(w[1]) < sizeof(f.impi)) {
        snprintf(f.impi, sizeof(f.impi), "%s", w[1]); /* unknown subscribers have errors too */
        order(c, &f, r);
    } else {
        say(r, "error IMPI is too long");
    }
}

static void do_malformed(struct control *c, char **w, size_t n, struct reply *r)
{
    struct fault f = {.kind = FAULT_MALFORMED};

    (void)n;
    f.value = malformed_by_name(gba_text(w[2]));
    if (f.value == MALFORMED_NONE)
        say(r, "error no such kind, see help");
    else if (!number(w[3], 1000000, &f.left))
        say(r, "error N is not a number");
    else if (whom(c, w[1], true, &f, r))
        order(c, &f, r);
}

static void do_disconnect(struct control *c, char **w, size_t n, struct reply *r)
{
    (void)w;
    (void)n;
    say(r, "ok connections=%u", server_disconnect(c->server));
}

static void do_clear(struct control *c, char **w, size_t n, struct reply *r)
{
    (void)w;
    (void)n;
    faults_clear(c->faults);
    pthread_mutex_lock(&c->auc->lock);
    for (size_t i = 0; i < c->auc->n; i++)
        c->auc->subscribers[i].stale = false;
    pthread_mutex_unlock(&c->auc->lock);
    say(r, "ok");
}

static void do_stats(struct control *c, char **w, size_t n, struct reply *r)
{
    struct server_stats s;

    (void)w;
    (void)n;
    server_get_stats(c->server, &s);
    say(r,
        "ok requests=%llu vectors=%llu resyncs=%llu errors=%llu dropped=%llu delayed=%llu "
        "subscribers=%zu",
        (unsigned long long)s.requests, (unsigned long long)s.vectors,
        (unsigned long long)s.resyncs, (unsigned long long)s.errors,
        (unsigned long long)s.dropped, (unsigned long long)s.delayed, c->auc->n);
}

static command do_help;

static const struct {
    const char *name;
    size_t words; /* with the name */
    const char *usage;
    command *run;
} commands[] = {
    {"delay", 3, "IMPI|*,MS", do_delay},
    {"drop", 3, "IMPI|*,N", do_drop},
    {"bad-mac", 3, "IMPI|*,N", do_bad_mac},
    {"stale-sqn", 2, "IMPI", do_stale_sqn},
    {"error", 4, "IMPI|*,[x|r|b]CODE,N", do_error},
    {"malformed", 4, "IMPI|*,KIND,N", do_malformed},
    {"disconnect", 1, "", do_disconnect},
    {"clear", 1, "", do_clear},
    {"stats", 1, "", do_stats},
    {"help", 1, "[KIND]", do_help},
};

static void do_help(struct control *c, char **w, size_t n, struct reply *r)
{
    size_t at = 2;

    (void)c;
    if (n == 2) {
        enum malformed kind = malformed_by_name(gba_text(w[1]));

        say(r, kind != MALFORMED_NONE ? "ok kind=%s" : "error no such kind", w[1]);
        return;
    }
    say(r, "ok");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        at += (size_t)snprintf(r->text + at, sizeof(r->text) - at, " %s=%s", commands[i].name,
                               commands[i].usage);
    for (int i = MALFORMED_NONE + 1; i < MALFORMED_N; i++)
        at += (size_t)snprintf(r->text + at, sizeof(r->text) - at, "%s%s",
                               i == MALFORMED_NONE + 1 ? " KIND=" : ",",
                               malformed_name((enum malformed)i));
}

static void run_line(struct control *c, char *line, struct reply *r)
{
    char *words[WORDS], *save = NULL;
    size_t n = 0;

    for (char *w = strtok_r(line, " \t\r", &save); w != NULL;
         w = strtok_r(NULL, " \t\r", &save)) {
        if (n == WORDS) {
            say(r, "error too many words");
            return;
        }
        words[n++] = w;
    }
    for (size_t i = 0; n > 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(words[0], commands[i].name) == 0) {
            if (n == commands[i].words || (commands[i].run == do_help && n == 2))
                commands[i].run(c, words, n, r);
            else
                say(r, "error usage: %s %s", commands[i].name, commands[i].usage);
            return;
        }
    say(r, "error no such command, see help");
}

/* --- the socket ------------------------------------------------------------------------- */

static void answer(void *arg, uid_t uid, struct gba_text line, FILE *out)
{
    struct reply r = {.text = "error no reply"};
    char copy[LINE_MAX_OCTETS + 1];

    (void)uid;
    if (gba_text_copy(copy, sizeof(copy), line) != GBA_OK || strlen(copy) != line.n)
        say(&r, "error NUL in the line");
    else
        run_line(arg, copy, &r);
    fputs(r.text, out);
}

enum gba_err control_start(const char *path, struct auc *auc, struct faults *faults,
                           struct server *server, struct log *log, struct control **out)
{
    struct control *c = calloc(1, sizeof(*c));
    struct line_server_config config = {.path = path,
                                        .clients = CLIENTS,
                                        .line_max = LINE_MAX_OCTETS,
                                        .full = "error too many clients",
                                        .too_long = "error line too long",
                                        .end_ends_line = true,
                                        .answer = answer,
                                        .arg = c};
    enum gba_err err;

    if (c == NULL)
        return GBA_E_NOMEM;
    *c = (struct control){.auc = auc, .faults = faults, .server = server};
    err = line_server_start(&config, log, &c->lines);
    if (err != GBA_OK) {
        free(c);
        return err;
    }
    *out = c;
    return GBA_OK;
}

void control_stop(struct control *c)
{
    if (c == NULL)
        return;
    line_server_stop(c->lines);
    free(c);
}
