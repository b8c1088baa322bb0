/*
 * Files of devices for mefctl: CSV (RFC 4180, with a header line) or a JSON array.  Makes the
 * members of the daemon's rows of them, and leaves it to the daemon to judge their values.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
        if (ch == 0 || !put(c, ch))
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
        int next = getc(c->in);
        bool end = ch == '\r' && (next == '\n' || next == EOF);

        if (ch == 0 || ch == '"' || (!end && (ch == '\r' || !put(c, ch))))
            return CELL_BAD;
        ch = next;
    }
    if (ch == ',')
        return CELL_MORE;
    c->line++;
    return ch == '\n' ? CELL_LINE : CELL_FILE;
}

/* ---- rows ---- */

/* Blanks between items.  NULL: not UTF-8. */
static json_t *list_of(const char *text)
{
    json_t *list = json_array();

    while (*text != '\0') {
        size_t n = strcspn(text, " ");

        if (n > 0 && json_array_append_new(list, json_stringn(text, n)) != 0) {
            json_decref(list);
            return NULL;
        }
        text += n + (text[n] != '\0');
    }
    return list;
}

static bool is_list(const char *column)
{
    return strcmp(column, "certificates") == 0 || strcmp(column, "targets") == 0;
}

/* An empty cell is an absent member.  False: not UTF-8. */
static bool set(json_t *row, const char *column, const char *text)
{
    return text[0] == '\0' ||
           json_object_set_new(row, column,
                               is_list(column) ? list_of(text) : json_string(text)) == 0;
}

static bool is_new(const char *name, char *const *columns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(columns[i], name) == 0)
            return false;
    return true;
}

static enum cell_end read_header(struct csv *c, char *columns[static COLUMNS_MAX], size_t *n)
{
    enum cell_end end;

    do {
        end = next_cell(c);
        if (end == CELL_BAD || *n == COLUMNS_MAX || c->n == 0 || !is_new(c->cell, columns, *n))
            return CELL_BAD;
        columns[*n] = strdup(c->cell);
        if (columns[*n] == NULL)
            return CELL_BAD;
        ++*n;
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
        if (i < n && !set(row, columns[i], c->cell))
            return CELL_BAD;
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

/* What programs put before a table: a mark of UTF-8, blank lines.  The octet behind it. */
static int first_of(struct csv *c)
{
    int ch = getc(c->in);

    if (ch == 0xef && getc(c->in) == 0xbb && getc(c->in) == 0xbf)
        ch = getc(c->in);
    for (; ch == '\n' || ch == '\r' || ch == ' '; ch = getc(c->in))
        c->line += ch == '\n';
    ungetc(ch, c->in);
    return ch;
}

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

static int judge(const struct csv *c, bool ok, const struct ctl_table *t)
{
    if (!ok)
        ctl_say("%s:%lu: not CSV with a header line, nor a JSON array, in UTF-8", c->file,
                c->line);
    else if (is_open_secret(c->in, t->rows))
        ctl_say("%s: holds keys and others may read it: mode must be 0600", c->file);
    else
        return CTL_OK;
    return CTL_DATA;
}

int ctl_table_read(const char *file, struct ctl_table *out)
{
    static char buffer[1 << 16]; /* of the stream: to be wiped */
    struct csv c = {.file = file, .in = strcmp(file, "-") == 0 ? stdin : fopen(file, "re")};
    bool ok;
    int rc;

    *out = (struct ctl_table){.rows = json_array()};
    if (c.in == NULL) {
        ctl_say("%s: cannot be read", file);
        return CTL_IO;
    }
    setvbuf(c.in, buffer, _IOFBF, sizeof(buffer));
    c.line = 1;
    ok = first_of(&c) == '[' ? read_json(&c, out) : read_csv(&c, out);
    rc = judge(&c, ok, out);
    if (c.in != stdin)
        fclose(c.in);
    gba_wipe(buffer, sizeof(buffer));
    gba_wipe(c.cell, c.room);
    free(c.cell);
    return rc;
}

void ctl_table_free(struct ctl_table *t)
{
    json_decref(t->rows);
    free(t->lines);
}
