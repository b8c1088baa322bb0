/*
 * Files of devices for mefctl: CSV (RFC 4180, with a header line) or a JSON array.  Makes the
 * members of the daemon's rows of them, and leaves it to the daemon to judge their values.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "naf/mefctl.h"

#define COLUMNS_MAX 16

struct csv {
    const char *file;
    FILE *in;
    unsigned long line;
    char *cell;
    size_t n, room;
};

/* ---- cells ---- */

static bool put(struct csv *c, int ch)
{
    if (c->n + 1 >= c->room) {
        size_t room = c->room == 0 ? 256 : 2 * c->room;
        char *more = malloc(room);

        if (more == NULL)
            return false;
        if (c->n > 0)
            memcpy(more, c->cell, c->n);
        gba_wipe(c->cell, c->room);
        free(c->cell);
        c->cell = more;
        c->room = room;
    }
    c->cell[c->n++] = (char)ch;
    c->cell[c->n] = '\0';
    return true;
}

/* The inside of quotes, in which two are one; true at the closing one. */
static bool quoted(struct csv *c)
{
    for (;;) {
        int ch = getc(c->in);

        if (ch == EOF)
            return false;
        if (ch == '"') {
            ch = getc(c->in);
            if (ch != '"') {
                ungetc(ch, c->in);
                return true;
            }
        }
        c->line += ch == '\n';
        if (!put(c, ch))
            return false;
    }
}

enum cell_end { CELL_MORE, CELL_LINE, CELL_FILE, CELL_BAD };

static enum cell_end next_cell(struct csv *c)
{
    int ch = getc(c->in);

    c->n = 0;
    if (!put(c, 0))
        return CELL_BAD;
    c->n = 0;
    if (ch == '"') {
        if (!quoted(c))
            return CELL_BAD;
        ch = getc(c->in);
        if (ch != ',' && ch != '\n' && ch != '\r' && ch != EOF)
            return CELL_BAD;
    }
    while (ch != ',' && ch != '\n' && ch != EOF) {
        if (ch == 0 || ch == '"' || (ch != '\r' && !put(c, ch)))
            return CELL_BAD;
        ch = getc(c->in);
    }
    if (ch == ',')
        return CELL_MORE;
    c->line++;
    return ch == '\n' ? CELL_LINE : CELL_FILE;
}

/* ---- rows ---- */

/* Blanks between items. */
static json_t *list_of(const char *text)
{
    json_t *list = json_array();

    while (*text != '\0') {
        size_t n = strcspn(text, " ");

        if (n > 0)
            json_array_append_new(list, json_stringn(text, n));
        text += n + (text[n] != '\0');
    }
    return list;
}

static bool is_list(const char *column)
{
    return strcmp(column, "certificates") == 0 || strcmp(column, "targets") == 0;
}

static void set(json_t *row, const char *column, const char *text)
{
    if (text[0] != '\0') /* an empty cell is an absent member */
        json_object_set_new(row, column, is_list(column) ? list_of(text) : json_string(text));
}

static enum cell_end read_header(struct csv *c, char *columns[static COLUMNS_MAX], size_t *n)
{
    enum cell_end end;

    do {
        end = next_cell(c);
        if (end == CELL_BAD || *n == COLUMNS_MAX || c->n == 0)
            return CELL_BAD;
        columns[(*n)++] = strdup(c->cell);
    } while (end == CELL_MORE);
    return end;
}

static enum cell_end read_cells(struct csv *c, char *const *columns, size_t n, json_t *row)
{
    enum cell_end end = CELL_MORE;
    size_t i;

    for (i = 0; end == CELL_MORE; i++) {
        end = next_cell(c);
        if (end == CELL_BAD || (i == n && c->n > 0) || i > n)
            return CELL_BAD;
        if (i < n)
            set(row, columns[i], c->cell);
    }
    /* fewer cells than columns, or an empty line */
    return i == n || json_object_size(row) == 0 ? end : CELL_BAD;
}

static bool add(struct ctl_table *t, json_t *row, unsigned long line)
{
    size_t n = json_array_size(t->rows);
    unsigned long *more = realloc(t->lines, (n + 1) * sizeof(*more));

    if (more == NULL)
        return false;
    t->lines = more;
    t->lines[n] = line;
    return json_array_append(t->rows, row) == 0;
}

static bool read_csv(struct csv *c, struct ctl_table *t)
{
    char *columns[COLUMNS_MAX] = {NULL};
    size_t n = 0;
    enum cell_end end;

    c->line = 1;
    end = read_header(c, columns, &n);
    while (end == CELL_LINE) {
        unsigned long line = c->line;
        json_t *row = json_object();

        end = read_cells(c, columns, n, row);
        if (end != CELL_BAD && json_object_size(row) != 0 && !add(t, row, line))
            end = CELL_BAD;
        json_decref(row);
    }
    for (size_t i = 0; i < n; i++)
        free(columns[i]);
    return end == CELL_FILE;
}

static bool read_json(struct csv *c, struct ctl_table *t)
{
    json_error_t error;
    json_t *rows = json_loadf(c->in, JSON_REJECT_DUPLICATES, &error), *row;
    bool ok = json_is_array(rows);
    size_t i;

    c->line = rows == NULL ? (unsigned long)error.line : 1;
    json_array_foreach(rows, i, row)
    {
        ok = ok && add(t, row, i + 1);
    }
    json_decref(rows);
    return ok;
}

int ctl_table_read(const char *file, struct ctl_table *out)
{
    struct csv c = {.file = file, .in = strcmp(file, "-") == 0 ? stdin : fopen(file, "re")};
    bool ok;
    int first;

    *out = (struct ctl_table){.rows = json_array()};
    if (c.in == NULL) {
        ctl_say("%s: cannot be read", file);
        return CTL_IO;
    }
    first = getc(c.in);
    ungetc(first, c.in);
    ok = first == '[' ? read_json(&c, out) : read_csv(&c, out);
    if (c.in != stdin)
        fclose(c.in);
    gba_wipe(c.cell, c.room);
    free(c.cell);
    if (ok)
        return CTL_OK;
    ctl_say("%s:%lu: not CSV with a header line, nor a JSON array", file, c.line);
    return CTL_DATA;
}

void ctl_table_free(struct ctl_table *t)
{
    json_decref(t->rows);
    free(t->lines);
}
