/*
 * mefctl import: thousands of devices, a batch of them in one transaction of the daemon.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/secret.h"
#include "naf/mefctl.h"

#define TOKEN_OCTETS 8
#define TOKEN_SIZE   40
#define BAR          30

struct import {
    const struct ctl_options *o;
    struct ctl_table table;
    char token[TOKEN_SIZE]; /* with the size of a batch, for batches must be the same again */
    size_t batch, n, at;
    size_t added, skipped, refused; /* rows */
};

/* ---- the file ---- */

/* Keys are in files of their owner only. */
static bool is_open_secret(FILE *in, const json_t *rows)
{
    struct stat st;
    const json_t *row;
    size_t i;

    if (fstat(fileno(in), &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & 077) == 0)
        return false;
    json_array_foreach(rows, i, row)
    {
        if (json_object_get(row, "kpm") != NULL)
            return true;
    }
    return false;
}

static int judge(const char *file, FILE *in, bool ok, const struct ctl_table *t,
                 const struct ctl_table_fault *fault)
{
    char place[4200];

    if (ferror(in)) {
        ctl_say(file, "cannot be read"); /* a part of a table may have been one */
        return CTL_IO;
    }
    if (!ok) {
        snprintf(place, sizeof(place), "%s:%lu:%lu", file, fault->line, fault->column);
        ctl_say(place, "%s (CSV with a header line, or a JSON array; doc/ADMIN.md)",
                fault->why);
    } else if (is_open_secret(in, t->rows))
        ctl_say(file, "holds keys and others may read it: mode must be 0600");
    else
        return CTL_OK;
    return CTL_DATA;
}

/* "-" is standard input. */
static int read_table(const char *file, struct ctl_table *out)
{
    static char buffer[1 << 16]; /* of the stream: to be wiped */
    FILE *in = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");
    struct ctl_table_fault fault;
    bool ok;
    int rc;

    if (in == NULL) {
        ctl_say(file, "%s", strerror(errno));
        return CTL_IO;
    }
    setvbuf(in, buffer, _IOFBF, sizeof(buffer));
    ok = ctl_table_parse(in, out, &fault);
    rc = judge(file, in, ok, out, &fault);
    if (in != stdin)
        fclose(in);
    gba_wipe(buffer, sizeof(buffer));
    return rc;
}

/* ---- batches ---- */

/* A new token, or the one of --resume with its size of a batch. */
static int begin(struct import *i)
{
    uint8_t random[TOKEN_OCTETS];
    char hex[2 * TOKEN_OCTETS + 1];
    const char *dash = i->o->resume != NULL ? strrchr(i->o->resume, '-') : NULL;
    uint64_t size = i->o->batch;

    if (i->o->resume == NULL) {
        if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
            ctl_say(NULL, "%s", gba_err_text(GBA_E_ENTROPY));
            return CTL_IO;
        }
        gba_hex(hex, GBA_BYTES(random));
        snprintf(i->token, sizeof(i->token), "%s-%zu", hex, i->o->batch);
    } else if (dash == NULL || gba_text_number(gba_text(dash + 1), 10000, &size) != GBA_OK ||
               size == 0 ||
               gba_text_copy(i->token, sizeof(i->token), gba_text(i->o->resume)) != GBA_OK) {
        ctl_say(i->o->resume, "not a token of mefctl import");
        return CTL_USAGE;
    }
    i->batch = (size_t)size;
    i->n = json_array_size(i->table.rows);
    if (i->o->json)
        printf("{\"resume\":\"%s\"}\n", i->token);
    else
        fprintf(stderr, "mefctl: to go on after an interruption: --resume %s\n", i->token);
    fflush(stdout); /* for whoever is interrupted */
    return CTL_OK;
}

static void draw(const struct import *i)
{
    int done = i->n != 0 ? (int)(i->at * BAR / i->n) : BAR;

    if (!i->o->json && isatty(STDERR_FILENO))
        fprintf(stderr, "\r[%.*s%*s] %zu of %zu, %zu refused%s", done,
                "##############################", BAR - done, "", i->at, i->n, i->refused,
                i->at == i->n ? "\n" : "");
}

static json_t *request(const struct import *i, size_t n)
{
    json_t *o = json_object(), *rows = json_array();

    json_object_set_new(o, "do", json_string("batch"));
    json_object_set_new(o, "import", json_string(i->token));
    json_object_set_new(o, "batch", json_integer((json_int_t)(i->at / i->batch)));
    for (size_t j = 0; j < n; j++)
        json_array_append(rows, json_array_get(i->table.rows, i->at + j));
    json_object_set_new(o, "rows", rows);
    return o;
}

static const char *text_of(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s != NULL ? s : "";
}

/* Which row, why, and what went with it. */
static void report(const struct import *i, const json_t *reply, size_t n)
{
    json_t *row = json_object_get(reply, "row"), *o;
    size_t bad = i->at + (size_t)json_integer_value(row);
    unsigned long line = row != NULL && bad < i->n ? i->table.lines[bad] : 0;

    if (i->o->json) {
        o = json_pack("{s:s, s:I, s:s, s:s, s:I, s:I}", "refused", text_of(reply, "error"),
                      "line", (json_int_t)line, "at", text_of(reply, "at"), "text",
                      text_of(reply, "text"), "first", (json_int_t)i->table.lines[i->at],
                      "rows", (json_int_t)n);
        json_dumpf(o, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
        json_decref(o);
        ctl_told();
        return;
    }
    if (isatty(STDERR_FILENO))
        fputc('\r', stderr);
    if (line != 0)
        printf("line %lu: ", line);
    printf("%s%s%s; none of the %zu rows from line %lu on was added\n", text_of(reply, "at"),
           text_of(reply, "at")[0] != '\0' ? ": " : "", text_of(reply, "text"), n,
           i->table.lines[i->at]);
}

static int send_batch(struct import *i, struct ctl_link *l)
{
    size_t n = i->n - i->at < i->batch ? i->n - i->at : i->batch;
    json_t *reply;
    int rc = ctl_ask(l, request(i, n), &reply);

    if (rc == CTL_OK && !json_is_true(json_object_get(reply, "ok"))) {
        report(i, reply, n);
        i->refused += n;
    } else if (rc == CTL_OK && json_is_true(json_object_get(reply, "skipped"))) {
        i->skipped += n;
    } else if (rc == CTL_OK) {
        i->added += n;
    }
    json_decref(reply);
    i->at += n;
    draw(i);
    return rc;
}

/* ctl_end adds nothing to what is refused here, but why an import ended before its end. */
static int finish(const struct import *i, int rc)
{
    if (i->o->json)
        printf("{%s\"added\":%zu,\"skipped\":%zu,\"refused\":%zu,\"resume\":\"%s\"}\n",
               rc != CTL_OK      ? ""
               : i->refused == 0 ? "\"ok\":true,"
                                 : "\"ok\":false,\"error\":\"REFUSED\","
                                   "\"text\":\"not all batches were added\",",
               i->added, i->skipped, i->refused, i->token);
    else
        printf("%zu added, %zu in already, %zu refused\n", i->added, i->skipped, i->refused);
    return rc != CTL_OK ? rc : i->refused != 0 ? CTL_REFUSED : CTL_OK;
}

int ctl_import(struct ctl_link *l, const struct ctl_options *o, const char *file)
{
    struct import i = {.o = o};
    int rc = read_table(file, &i.table);

    if (rc == CTL_OK)
        rc = begin(&i);
    if (rc == CTL_OK) {
        while (rc == CTL_OK && i.at < i.n)
            rc = send_batch(&i, l);
        rc = finish(&i, rc);
    }
    ctl_table_free(&i.table);
    return rc;
}
