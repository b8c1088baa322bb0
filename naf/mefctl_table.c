/*
 * Files of devices for mefctl: CSV (RFC 4180, with a header line) or a JSON array.  Makes the
 * members of the daemon's rows of them, and leaves it to the daemon to judge their values.
 * Opens nothing and says nothing; a fault has no text of the file, which may be a key.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "naf/mefctl.h"

#define COLUMNS_MAX 16

struct csv {
    FILE *in;
    int ch;                     /* what comes next, an octet or EOF, */
    unsigned long line, column; /* and where it stands, from 1 */
    char *cell;
    size_t n, room;
    unsigned long cell_line, cell_column; /* where the cell begins */
    struct ctl_table_fault *fault;
};

/* ---- octets ---- */

/* Columns are characters, as in an editor: an octet within one does not count. */
static void step(struct csv *c)
{
    if (c->ch == '\n') {
        c->line++;
        c->column = 0;
    }
    c->ch = getc(c->in);
    c->column += c->column == 0 || (c->ch & 0xc0) != 0x80;
}

static bool fault(struct csv *c, const char *why)
{
    *c->fault = (struct ctl_table_fault){c->line, c->column, why};
    return false;
}

static bool cell_fault(struct csv *c, const char *why)
{
    *c->fault = (struct ctl_table_fault){c->cell_line, c->cell_column, why};
    return false;
}

/* ---- cells ---- */

/* What comes next goes into the cell. */
static bool put(struct csv *c)
{
    if (c->ch == 0)
        return fault(c, "a NUL");
    if (c->n + 1 >= c->room) {
        size_t room = c->room == 0 ? 256 : 2 * c->room;
        char *more = malloc(room);

        if (more == NULL)
            return fault(c, "no memory");
        if (c->n > 0)
            memcpy(more, c->cell, c->n);
        gba_wipe(c->cell, c->room);
        free(c->cell);
        c->cell = more;
        c->room = room;
    }
    c->cell[c->n++] = (char)c->ch;
    c->cell[c->n] = '\0';
    step(c);
    return true;
}

static bool is_end(int ch)
{
    return ch == ',' || ch == '\n' || ch == '\r' || ch == EOF;
}

static bool plain(struct csv *c)
{
    while (!is_end(c->ch)) {
        if (c->ch == '"')
            return fault(c, "a quote inside a cell that does not begin with one");
        if (!put(c))
            return false;
    }
    return true;
}

/* Two quotes within quotes are one. */
static bool quoted(struct csv *c)
{
    step(c);
    for (;;) {
        if (c->ch == EOF)
            return cell_fault(c, "a quote that is never closed");
        if (c->ch == '"') {
            step(c);
            if (c->ch != '"')
                break;
        }
        if (!put(c))
            return false;
    }
    return is_end(c->ch) || fault(c, "text behind a closing quote");
}

/* Up to the comma, the end of the line or of the file that ends it. */
static bool read_cell(struct csv *c)
{
    c->cell_line = c->line;
    c->cell_column = c->column;
    c->n = 0;
    if (!(c->ch == '"' ? quoted(c) : plain(c)))
        return false;
    if (c->ch == '\r') {
        step(c);
        if (c->ch != '\n' && c->ch != EOF)
            return fault(c, "a carriage return without a line feed");
    }
    return true;
}

static const char *text_of(const struct csv *c)
{
    return c->n != 0 ? c->cell : "";
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

static bool read_name(struct csv *c, char *columns[static COLUMNS_MAX], size_t *n)
{
    json_t *utf8;

    if (!read_cell(c))
        return false;
    if (c->n == 0)
        return cell_fault(c, "a column without a name");
    if (*n == COLUMNS_MAX)
        return cell_fault(c, "more than 16 columns");
    if (!is_new(c->cell, columns, *n))
        return cell_fault(c, "a column told twice");
    utf8 = json_stringn(c->cell, c->n);
    json_decref(utf8);
    if (utf8 == NULL)
        return cell_fault(c, "not UTF-8");
    columns[*n] = strdup(c->cell);
    return columns[(*n)++] != NULL || fault(c, "no memory");
}

static bool read_header(struct csv *c, char *columns[static COLUMNS_MAX], size_t *n)
{
    if (c->ch == EOF)
        return fault(c, "no header line");
    while (read_name(c, columns, n)) {
        if (c->ch != ',')
            return true;
        step(c);
    }
    return false;
}

/* A row of empty cells only is an empty line, however many they are. */
static bool read_row(struct csv *c, char *const *columns, size_t n, json_t *row)
{
    size_t i;

    for (i = 0; read_cell(c); i++) {
        if (i >= n && c->n > 0)
            return cell_fault(c, "more cells than the header has");
        if (i < n && !set(row, columns[i], text_of(c)))
            return cell_fault(c, "not UTF-8");
        if (c->ch != ',')
            return i + 1 == n || json_object_size(row) == 0 ||
                   fault(c, i < n ? "fewer cells than the header has"
                                  : "more cells than the header has");
        step(c);
    }
    return false;
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
    bool ok = read_header(c, columns, &n);

    while (ok && c->ch != EOF) {
        json_t *row = json_object();
        unsigned long line;

        step(c);
        line = c->line;
        ok = read_row(c, columns, n, row);
        if (ok && json_object_size(row) != 0 && !add(t, row, line))
            ok = fault(c, "no memory");
        json_decref(row);
    }
    for (size_t i = 0; i < n; i++)
        free(columns[i]);
    return ok;
}

/* In our words: jansson's have what stands at the place. */
static const char *json_problem(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_invalid_utf8:
        return "not UTF-8";
    case json_error_duplicate_key:
        return "a member told twice";
    case json_error_premature_end_of_input:
        return "JSON that ends too early";
    default:
        return "not JSON";
    }
}

static bool read_json(struct csv *c, struct ctl_table *t)
{
    json_error_t error;
    json_t *rows, *row;
    bool ok = true;
    size_t i;

    ungetc(c->ch, c->in);
    rows = json_loadf(c->in, JSON_REJECT_DUPLICATES, &error);
    if (rows == NULL) {
        /* jansson has a column 0, for an octet that begins a line and is no UTF-8 */
        c->column = (error.column > 0 ? (unsigned long)error.column : 1) +
                    (error.line == 1 ? c->column - 1 : 0);
        c->line += (unsigned long)error.line - 1;
        return fault(c, json_problem(&error));
    }
    if (!json_is_array(rows))
        ok = fault(c, "no array of devices");
    json_array_foreach(rows, i, row)
    {
        ok = ok && (add(t, row, i + 1) || fault(c, "no memory"));
    }
    json_decref(rows);
    return ok;
}

/* What programs put before a table: a mark of UTF-8, blank lines. */
static bool begin(struct csv *c)
{
    static const int mark[] = {0xef, 0xbb, 0xbf};

    step(c);
    for (size_t i = 0; i < 3 && (i > 0 || c->ch == mark[0]); i++) {
        if (c->ch != mark[i])
            return fault(c, "neither a mark of UTF-8 nor a column");
        step(c);
    }
    c->column = 1;
    while (c->ch == '\n' || c->ch == '\r' || c->ch == ' ')
        step(c);
    return true;
}

bool ctl_table_parse(FILE *in, struct ctl_table *out, struct ctl_table_fault *why)
{
    struct csv c = {.in = in, .line = 1, .fault = why};
    bool ok;

    *out = (struct ctl_table){.rows = json_array()};
    ok = begin(&c) && (c.ch == '[' || c.ch == '{' ? read_json(&c, out) : read_csv(&c, out));
    gba_wipe(c.cell, c.room);
    free(c.cell);
    return ok;
}

void ctl_table_free(struct ctl_table *t)
{
    json_decref(t->rows);
    free(t->lines);
}
