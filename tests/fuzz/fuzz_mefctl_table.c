/*
 * Fuzz target: mefctl's files of devices (naf/mefctl_table.c).  Besides not failing: a fault
 * has a place within the file, every row one where it begins, and a table that is written as
 * CSV with all in quotes says the same again.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefctl.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COLUMNS_MAX 16

static bool parse(const void *text, size_t n, struct ctl_table *out,
                  struct ctl_table_fault *why)
{
    /* fmemopen may refuse a file of no octets */
    FILE *in = n != 0 ? fmemopen((void *)(uintptr_t)text, n, "r") : fopen("/dev/null", "r");
    bool ok;

    if (in == NULL)
        abort();
    ok = ctl_table_parse(in, out, why);
    fclose(in);
    return ok;
}

/* ---- a table as CSV ---- */

static bool is_list(const char *name)
{
    return strcmp(name, "certificates") == 0 || strcmp(name, "targets") == 0;
}

/* Whether CSV can say it: JSON can say more. */
static bool is_plain(const char *name, const json_t *v)
{
    const json_t *item;
    size_t i;

    if (!is_list(name))
        return json_string_length(v) != 0;
    json_array_foreach(v, i, item)
    {
        if (json_string_length(item) == 0 || strchr(json_string_value(item), ' ') != NULL)
            return false;
    }
    return json_is_array(v);
}

/* All members that any row has; false: CSV cannot say this table. */
static bool find_columns(const json_t *rows, const char *columns[static COLUMNS_MAX], size_t *n)
{
    json_t *row, *v;
    const char *name;
    size_t i, j;

    json_array_foreach(rows, i, row)
    {
        if (json_object_size(row) == 0)
            return false;
        json_object_foreach(row, name, v)
        {
            for (j = 0; j < *n && strcmp(columns[j], name) != 0; j++)
                ;
            if (j == COLUMNS_MAX || name[0] == '\0' || !is_plain(name, v))
                return false;
            if (j == *n)
                columns[(*n)++] = name;
        }
    }
    return *n != 0;
}

static void print_text(FILE *out, const char *s)
{
    for (; s != NULL && *s != '\0'; s++)
        fprintf(out, *s == '"' ? "\"\"" : "%c", *s);
}

static void print_cell(FILE *out, const json_t *v, char end)
{
    const json_t *item;
    size_t i;

    fputc('"', out);
    print_text(out, json_string_value(v));
    if (json_is_array(v))
        fputc(' ', out); /* no items are not no cell */
    json_array_foreach(v, i, item)
    {
        print_text(out, json_string_value(item));
        fputc(' ', out);
    }
    fprintf(out, "\"%c", end);
}

static void print_table(FILE *out, const json_t *rows, const char *const *columns, size_t n)
{
    const json_t *row;
    size_t i, j;

    for (j = 0; j < n; j++) {
        fputc('"', out);
        print_text(out, columns[j]);
        fprintf(out, "\"%c", j + 1 < n ? ',' : '\n');
    }
    json_array_foreach(rows, i, row)
    {
        for (j = 0; j < n; j++)
            print_cell(out, json_object_get(row, columns[j]), j + 1 < n ? ',' : '\n');
    }
}

/* ---- properties ---- */

static void check_again(const struct ctl_table *t)
{
    const char *columns[COLUMNS_MAX];
    struct ctl_table_fault why;
    struct ctl_table again;
    size_t n = 0, size = 0;
    char *text = NULL;
    FILE *out;

    if (!find_columns(t->rows, columns, &n))
        return;
    out = open_memstream(&text, &size);
    if (out == NULL)
        abort();
    print_table(out, t->rows, columns, n);
    fclose(out);
    if (!parse(text, size, &again, &why) || !json_equal(t->rows, again.rows))
        abort();
    ctl_table_free(&again);
    free(text);
}

static void check_lines(const struct ctl_table *t)
{
    for (size_t i = 0; i < json_array_size(t->rows); i++)
        if (t->lines[i] == 0 || (i > 0 && t->lines[i] <= t->lines[i - 1]))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctl_table_fault why = {0, 0, NULL};
    struct ctl_table t;
    unsigned long last = 1;

    for (size_t i = 0; i < size; i++)
        last += data[i] == '\n';
    if (parse(data, size, &t, &why)) {
        check_lines(&t);
        check_again(&t);
    } else if (why.why == NULL || why.line == 0 || why.line > last || why.column == 0) {
        abort();
    }
    ctl_table_free(&t);
    return 0;
}
