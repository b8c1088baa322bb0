/*
 * What a schema says about itself: the sample file, the lines of --help, and the list of
 * options in a man page.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/conf_internal.h"

#include <stdlib.h>
#include <string.h>

#define WIDTH 92

/* --- the sample -------------------------------------------------------------------------- */

struct sample {
    FILE *out;
    bool commented; /* inside a section that is optional: every line has a '#' to take away */
    int indent;
    bool first; /* nothing above it in its section */
    bool dash;  /* the next line begins an element of a list */
};

static void begin_line(struct sample *s)
{
    if (s->commented)
        fputc('#', s->out);
    fprintf(s->out, "%*s%s", s->dash ? s->indent - 2 : s->indent, "", s->dash ? "- " : "");
    s->dash = false;
}

/* Wraps text into comment lines. */
static void comment(struct sample *s, const char *text)
{
    while (*text != '\0') {
        size_t room = (size_t)(WIDTH - s->indent), n = strlen(text);

        if (n > room) {
            for (n = room; n > 0 && text[n] != ' ';)
                n--;
            if (n == 0)
                n = strcspn(text, " ");
        }
        if (s->commented)
            fputc('#', s->out);
        fprintf(s->out, "%*s# %.*s\n", s->indent, "", (int)n, text);
        text += n;
        text += strspn(text, " ");
    }
}

static void describe(const struct conf_row *row, char *out, size_t cap)
{
    char range[80];
    size_t n;

    n = (size_t)snprintf(out, cap, "%s", conf_type_name(row->type));
    for (size_t i = 0; row->type == CONF_ENUM && row->choices[i] != NULL && n < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s", i == 0 ? ": " : "|", row->choices[i]);
    conf_range_text(row, range, sizeof(range));
    if (row->unit != NULL && n < cap)
        n += (size_t)snprintf(out + n, cap - n, ", %s", row->unit);
    if (range[0] != '\0' && n < cap)
        n += (size_t)snprintf(out + n, cap - n, ", %s", range);
    if (n < cap)
        snprintf(out + n, cap - n, "%s%s",
                 (row->flags & CONF_REQUIRED) != 0 ? ", required" : "",
                 (row->flags & CONF_SECRET) != 0 ? ", secret" : "");
}

/* A plain scalar of YAML that reads back as itself. */
static bool is_plain(const char *s)
{
    return s[0] != '\0' && strpbrk(s, "#,[]{}&*!|>'\"%@`\\\n\t") == NULL &&
           strstr(s, ": ") == NULL && s[0] != '-' && s[0] != '?' && s[0] != ':' &&
           s[0] != ' ' && s[strlen(s) - 1] != ' ' && s[strlen(s) - 1] != ':' &&
           strcmp(s, "~") != 0 && strcmp(s, "null") != 0;
}

static void print_scalar(FILE *out, const char *s)
{
    if (is_plain(s) || (s[0] == '-' && s[1] >= '0' && s[1] <= '9')) {
        fputs(s, out);
        return;
    }
    fputc('"', out);
    for (; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\')
            fputc('\\', out);
        fputc(*s, out);
    }
    fputc('"', out);
}

/* Something of the right form, for a row that must be given. */
static void print_example(FILE *out, const struct conf_row *row)
{
    if (row->example != NULL) {
        print_scalar(out, row->example);
        return;
    }
    switch (row->type) {
    case CONF_BOOL:
        fputs("false", out);
        break;
    case CONF_INT:
        fprintf(out, "%lld", (long long)row->min);
        break;
    case CONF_DURATION:
        fprintf(out, "%lldms", (long long)row->min);
        break;
    case CONF_SIZE:
        fprintf(out, "%lld", (long long)row->min);
        break;
    case CONF_PATH:
        fputs("/etc/opengaa/FILE", out);
        break;
    case CONF_ENUM:
        fputs(row->choices[0], out);
        break;
    case CONF_HEX:
        fputc('"', out);
        for (int64_t i = 0; i < (row->min > 0 ? row->min : 1); i++)
            fputs("00", out);
        fputc('"', out);
        break;
    case CONF_ADDRESS:
        fputs("127.0.0.1:0", out);
        break;
    case CONF_STRINGS:
        fputs("[ example ]", out);
        break;
    case CONF_ADDRESSES:
        fputs("[ 127.0.0.1:0 ]", out);
        break;
    case CONF_STRING:
    case CONF_SECTION:
    case CONF_SECTIONS:
        fputs("example", out);
        break;
    }
}

static void sample_rows(struct sample *s, const struct conf_schema *schema);

static void sample_section(struct sample *s, const struct conf_row *row)
{
    bool was = s->commented, list = row->type == CONF_SECTIONS;

    s->commented = was || (row->flags & (CONF_REQUIRED | CONF_SHOWN)) == 0;
    begin_line(s);
    fprintf(s->out, "%s:\n", row->name);
    s->indent += list ? 4 : 2;
    s->dash = list;
    s->first = true;
    sample_rows(s, row->sub);
    s->dash = false;
    s->indent -= list ? 4 : 2;
    s->commented = was;
}

static void sample_value(struct sample *s, const struct conf_row *row)
{
    bool was = s->commented, stands = (row->flags & (CONF_REQUIRED | CONF_SHOWN)) != 0;

    s->commented = was || !stands;
    begin_line(s);
    fprintf(s->out, "%s: ", row->name);
    if (stands || row->deflt == NULL)
        print_example(s->out, row);
    else if (conf_is_strings(row))
        fputs(row->deflt, s->out);
    else
        print_scalar(s->out, row->deflt);
    fputc('\n', s->out);
    s->commented = was;
}

static void sample_row(struct sample *s, const struct conf_row *row)
{
    char what[256];

    describe(row, what, sizeof(what));
    if (!s->first)
        fputc('\n', s->out);
    s->first = false;
    if (row->help != NULL)
        comment(s, row->help);
    if (row->type == CONF_SECTION || row->type == CONF_SECTIONS) {
        sample_section(s, row);
        return;
    }
    comment(s, what);
    sample_value(s, row);
}

/* In a list, an element must begin with a line that stands: the required rows come first. */
static void sample_rows(struct sample *s, const struct conf_schema *schema)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < schema->n_rows; i++)
            if (((schema->rows[i].flags & CONF_REQUIRED) == 0) == (pass == 1))
                sample_row(s, &schema->rows[i]);
}

void conf_print_sample(const struct conf_schema *schema, FILE *out)
{
    struct sample s = {.out = out};

    comment(&s, schema->title);
    comment(&s, "What is commented out shows the default, or an example where there is none.");
    sample_rows(&s, schema);
}

/* --- help and man ------------------------------------------------------------------------ */

typedef void print_row(FILE *out, const char *path, const struct conf_row *row);

static void each_row(const struct conf_schema *schema, const char *above, print_row *print,
                     FILE *out)
{
    for (size_t i = 0; i < schema->n_rows; i++) {
        const struct conf_row *row = &schema->rows[i];
        char path[256];

        snprintf(path, sizeof(path), "%s%s%s", above, row->name,
                 row->type == CONF_SECTIONS ? "[]" : "");
        print(out, path, row);
        if (row->sub != NULL) {
            strncat(path, ".", sizeof(path) - strlen(path) - 1);
            each_row(row->sub, path, print, out);
        }
    }
}

static void help_row(FILE *out, const char *path, const struct conf_row *row)
{
    char what[256];

    describe(row, what, sizeof(what));
    fprintf(out, "  %s  %s", path, what);
    if (row->deflt != NULL)
        fprintf(out, " (default %s)", row->deflt);
    fprintf(out, "\n      %s\n", row->help != NULL ? row->help : "");
}

void conf_print_help(const struct conf_schema *schema, FILE *out)
{
    fprintf(out, "%s\n", schema->title);
    each_row(schema, "", help_row, out);
}

/* roff takes a backslash, a leading dot or quote, and a hyphen for itself. */
static void man_text(FILE *out, const char *s)
{
    if (*s == '.' || *s == '\'')
        fputs("\\&", out);
    for (; *s != '\0'; s++) {
        if (*s == '\\')
            fputs("\\e", out);
        else if (*s == '-')
            fputs("\\-", out);
        else
            fputc(*s == '\n' ? ' ' : *s, out);
    }
}

static void man_row(FILE *out, const char *path, const struct conf_row *row)
{
    char what[256];

    describe(row, what, sizeof(what));
    fputs(".TP\n.B ", out);
    man_text(out, path);
    fputc('\n', out);
    if (row->help != NULL)
        man_text(out, row->help);
    fputs("\n.br\n", out);
    man_text(out, what);
    if (row->deflt != NULL) {
        fputs("; default ", out);
        man_text(out, row->deflt);
    }
    fputc('\n', out);
}

void conf_print_man(const struct conf_schema *schema, FILE *out)
{
    each_row(schema, "", man_row, out);
}
