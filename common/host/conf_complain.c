/*
 * What is found wrong once a configuration is loaded, said as the loading says it: the path of
 * an option is found by its place in the filled struct.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/conf_internal.h"

#include <stdarg.h>
#include <string.h>

struct search {
    const struct conf *c;
    const void *value;
    struct conf_place at; /* of value, or of what is around it */
    char path[CONF_PATH_MAX];
};

/* A section and its first option have one address: the section's mark is the first. */
static void find_mark(struct search *s, const void *value, bool of_section)
{
    for (size_t i = 0; i < s->c->n_marks; i++)
        if (s->c->marks[i].value == value) {
            s->at = s->c->marks[i].at;
            if (of_section)
                return;
        }
}

/* Writes behind the first n of the path; how long it is then. */
static size_t add_name(struct search *s, size_t n, const char *name)
{
    snprintf(s->path + n, sizeof(s->path) - n, "%s%s", n > 0 ? "." : "", name);
    return strlen(s->path);
}

static size_t add_index(struct search *s, size_t n, size_t i)
{
    snprintf(s->path + n, sizeof(s->path) - n, "[%zu]", i);
    return strlen(s->path);
}

static bool in_map(struct search *s, const struct conf_schema *schema, const void *map,
                   size_t n);

static bool in_sections(struct search *s, const struct conf_row *row,
                        const struct conf_list *list, size_t n)
{
    const struct conf_place around = s->at;

    for (size_t i = 0; i < list->n; i++) {
        s->at = list->at[i];
        if (in_map(s, row->sub, (const uint8_t *)list->v + i * row->sub->size,
                   add_index(s, n, i)))
            return true;
    }
    s->at = around;
    s->path[n] = '\0';
    return false;
}

static bool in_strings(struct search *s, const struct conf_strings *list, size_t n)
{
    for (size_t i = 0; i < list->n; i++)
        if (s->value == &list->v[i]) {
            add_index(s, n, i);
            find_mark(s, s->value, false);
            return true;
        }
    return false;
}

static bool in_row(struct search *s, const struct conf_row *row, const void *place, size_t n)
{
    const struct conf_place around = s->at;

    if (row->type == CONF_SECTION) {
        find_mark(s, place, true);
        if (in_map(s, row->sub, place, n))
            return true;
        s->at = around;
        return false;
    }
    if ((row->type == CONF_SECTIONS && in_sections(s, row, place, n)) ||
        (conf_is_strings(row) && in_strings(s, place, n)))
        return true;
    if (place != s->value)
        return false;
    find_mark(s, place, false);
    return true;
}

static bool in_map(struct search *s, const struct conf_schema *schema, const void *map,
                   size_t n)
{
    for (size_t i = 0; i < schema->n_rows; i++)
        if (in_row(s, &schema->rows[i], (const uint8_t *)map + schema->rows[i].offset,
                   add_name(s, n, schema->rows[i].name)))
            return true;
    return false;
}

void conf_complain(const struct conf *c, FILE *err, const void *value, const char *format, ...)
{
    struct search s = {.c = c, .value = value, .at = {1, 1}};
    va_list args;

    if (!in_map(&s, c->schema, c->filled, 0))
        strcpy(s.path, "(file)");
    fprintf(err, "%s:%zu:%zu: %s: ", c->file, s.at.line, s.at.column, s.path);
    va_start(args, format);
    vfprintf(err, format, args);
    va_end(args);
    fputc('\n', err);
}
