/*
 * The walk of a YAML document along a schema: each node into its place in the struct, each
 * complaint with the node's place in the file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/conf_walk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void conf_report(struct conf_walk *w, yaml_mark_t at, const char *path, const char *reason)
{
    if (w->n_errors++ < CONF_ERRORS_MAX)
        fprintf(w->err, "%s:%zu:%zu: %s: %s\n", w->file, at.line + 1, at.column + 1,
                path[0] != '\0' ? path : "(file)", reason);
}

/* Without memory the place is that of what is around it. */
static void mark(struct conf *c, const void *value, yaml_mark_t at)
{
    if (c->n_marks == c->marks_cap) {
        size_t cap = 2 * c->marks_cap + 64;
        struct conf_mark *more = realloc(c->marks, cap * sizeof(*more));

        if (more == NULL)
            return;
        c->marks = more;
        c->marks_cap = cap;
    }
    c->marks[c->n_marks++] = (struct conf_mark){value, {at.line + 1, at.column + 1}};
}

/* --- values ------------------------------------------------------------------------------ */

static struct gba_text scalar(const yaml_node_t *node)
{
    return (struct gba_text){(const char *)node->data.scalar.value, node->data.scalar.length};
}

static bool is_null(const yaml_node_t *node)
{
    struct gba_text t = scalar(node);

    return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (t.n == 0 || gba_text_is(t, "~") || gba_text_is(t, "null"));
}

static void fill_scalar(struct conf_walk *w, const struct conf_row *row,
                        const yaml_node_t *node, const char *path, void *place)
{
    char reason[CONF_REASON_MAX];

    if (node->type != YAML_SCALAR_NODE)
        conf_report(w, node->start_mark, path, "a single value is wanted");
    else if (is_null(node))
        conf_report(w, node->start_mark, path, "has no value");
    else if (!conf_value(row, scalar(node), w->dir, w->c, place, reason))
        conf_report(w, node->start_mark, path, reason);
}

static bool right_count(struct conf_walk *w, const struct conf_row *row,
                        const yaml_node_t *list, size_t n, const char *path)
{
    char reason[CONF_REASON_MAX];

    if ((row->min == 0 && row->max == 0) || ((int64_t)n >= row->min && (int64_t)n <= row->max))
        return true;
    snprintf(reason, sizeof(reason), "%zu entries; %" PRId64 " .. %" PRId64 " are wanted", n,
             row->min, row->max);
    conf_report(w, list->start_mark, path, reason);
    return false;
}

static void fill_strings(struct conf_walk *w, const struct conf_row *row, yaml_node_t *node,
                         const char *path, struct conf_strings *out)
{
    bool one = node->type == YAML_SCALAR_NODE;
    size_t n =
        one ? 1 : (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);

    if (!one && node->type != YAML_SEQUENCE_NODE) {
        conf_report(w, node->start_mark, path, "a list of strings is wanted");
        return;
    }
    if (!right_count(w, row, node, n, path))
        return;
    out->v = conf_alloc(w->c, (n + 1) * sizeof(char *));
    if (out->v == NULL) {
        conf_report(w, node->start_mark, path, "out of memory");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        yaml_node_t *item =
            one ? node : yaml_document_get_node(w->doc, node->data.sequence.items.start[i]);
        char at[CONF_PATH_MAX];

        snprintf(at, sizeof(at), "%.200s[%zu]", path, i);
        mark(w->c, &out->v[i], item->start_mark);
        fill_scalar(w, row, item, one ? path : at, &out->v[i]);
    }
    out->n = n;
}

static void fill_sections(struct conf_walk *w, const struct conf_row *row, yaml_node_t *node,
                          const char *path, struct conf_list *out)
{
    size_t n;

    if (node->type == YAML_SCALAR_NODE && is_null(node))
        return; /* "name:" with all its elements commented out */
    if (node->type != YAML_SEQUENCE_NODE) {
        conf_report(w, node->start_mark, path, "a list of maps is wanted");
        return;
    }
    n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (!right_count(w, row, node, n, path))
        return;
    out->v = conf_alloc(w->c, (n + 1) * row->sub->size);
    out->at = conf_alloc(w->c, (n + 1) * sizeof(*out->at));
    if (out->v == NULL || out->at == NULL) {
        conf_report(w, node->start_mark, path, "out of memory");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        yaml_node_t *map = yaml_document_get_node(w->doc, node->data.sequence.items.start[i]);
        char at[CONF_PATH_MAX];

        snprintf(at, sizeof(at), "%.200s[%zu]", path, i);
        out->at[i] = (struct conf_place){map->start_mark.line + 1, map->start_mark.column + 1};
        conf_fill_map(w, row->sub, map, at, (uint8_t *)out->v + i * row->sub->size);
    }
    out->n = n;
}

static void fill_row(struct conf_walk *w, const struct conf_row *row, yaml_node_t *key,
                     yaml_node_t *node, const char *path, void *place)
{
    if ((row->flags & CONF_SECRET) != 0 && !w->secrets_are_safe)
        conf_report(w, key->start_mark, path,
                    "a secret: the file must be a regular file of mode 0600");
    mark(w->c, place, key->start_mark);
    if (row->type == CONF_SECTION)
        conf_fill_map(w, row->sub, node, path, place);
    else if (row->type == CONF_SECTIONS)
        fill_sections(w, row, node, path, place);
    else if (conf_is_strings(row))
        fill_strings(w, row, node, path, place);
    else
        fill_scalar(w, row, node, path, place);
}

/* --- defaults ---------------------------------------------------------------------------- */

/* "[a, b]" or "a": lists of strings have no other syntax in a default. */
static bool default_strings(struct conf_walk *w, const struct conf_row *row,
                            struct conf_strings *out)
{
    struct gba_text t = gba_text(row->deflt), item;
    char reason[CONF_REASON_MAX];
    size_t n = 0;

    if (t.n >= 2 && t.s[0] == '[' && t.s[t.n - 1] == ']')
        t = (struct gba_text){t.s + 1, t.n - 2};
    for (size_t i = 0; i < t.n; i++)
        n += t.s[i] == ',';
    out->v = conf_alloc(w->c, (n + 2) * sizeof(char *));
    if (out->v == NULL)
        return false;
    for (bool more = t.n > 0; more; out->n++) {
        more = gba_text_split(t, ',', &item, &t);
        while (item.n > 0 && item.s[0] == ' ')
            item = (struct gba_text){item.s + 1, item.n - 1};
        if (!conf_value(row, item, w->dir, w->c, &out->v[out->n], reason))
            return false;
    }
    return true;
}

/* Fills what the file leaves out; a section that is absent gets its own defaults. */
static void fill_default(struct conf_walk *w, const struct conf_row *row, const char *path,
                         void *place)
{
    char reason[CONF_REASON_MAX] = "out of memory";
    bool ok = true;

    if (row->type == CONF_SECTION) {
        for (size_t i = 0; i < row->sub->n_rows; i++)
            fill_default(w, &row->sub->rows[i], path,
                         (uint8_t *)place + row->sub->rows[i].offset);
        return;
    }
    if (row->deflt == NULL)
        return;
    if (conf_is_strings(row))
        ok = default_strings(w, row, place);
    else
        ok = conf_value(row, gba_text(row->deflt), w->dir, w->c, place, reason);
    if (!ok)
        conf_report(w, (yaml_mark_t){0}, path, reason);
}

/* --- maps -------------------------------------------------------------------------------- */

static const struct conf_row *find_row(const struct conf_schema *s, struct gba_text name)
{
    for (size_t i = 0; i < s->n_rows; i++)
        if (gba_text_is(name, s->rows[i].name))
            return &s->rows[i];
    return NULL;
}

static yaml_node_pair_t *find_pair(struct conf_walk *w, yaml_node_t *map, struct gba_text name)
{
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        yaml_node_t *key = yaml_document_get_node(w->doc, p->key);

        if (key->type == YAML_SCALAR_NODE && gba_text_eq(scalar(key), name))
            return p;
    }
    return NULL;
}

static void path_below(char out[static CONF_PATH_MAX], const char *path, struct gba_text name)
{
    snprintf(out, CONF_PATH_MAX, "%s%s%.*s", path, path[0] != '\0' ? "." : "", (int)name.n,
             name.s);
}

/* Keys are written into messages: only harmless ones as they are. */
static bool is_name(struct gba_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if ((t.s[i] < 'a' || t.s[i] > 'z') && (t.s[i] < 'A' || t.s[i] > 'Z') &&
            (t.s[i] < '0' || t.s[i] > '9') && t.s[i] != '_' && t.s[i] != '-')
            return false;
    return t.n > 0 && t.n <= 64;
}

static void fill_pair(struct conf_walk *w, const struct conf_schema *s, yaml_node_t *map,
                      yaml_node_pair_t *pair, const char *path, void *into)
{
    yaml_node_t *key = yaml_document_get_node(w->doc, pair->key);
    const struct conf_row *row;
    char at[CONF_PATH_MAX];

    if (key->type != YAML_SCALAR_NODE || !is_name(scalar(key))) {
        conf_report(w, key->start_mark, path, "not the name of an option");
        return;
    }
    path_below(at, path, scalar(key));
    row = find_row(s, scalar(key));
    if (row == NULL)
        conf_report(w, key->start_mark, at, "unknown option");
    else if (find_pair(w, map, scalar(key)) != pair)
        conf_report(w, key->start_mark, at, "given twice");
    else
        fill_row(w, row, key, yaml_document_get_node(w->doc, pair->value), at,
                 (uint8_t *)into + row->offset);
}

static void run_check(struct conf_walk *w, const struct conf_schema *s, yaml_node_t *map,
                      const char *path, const void *into)
{
    const char *name = "", *reason = s->check(into, &name);
    yaml_node_pair_t *pair;
    char at[CONF_PATH_MAX];

    if (reason == NULL)
        return;
    pair = find_pair(w, map, gba_text(name));
    path_below(at, path, gba_text(name));
    conf_report(w,
                pair != NULL ? yaml_document_get_node(w->doc, pair->key)->start_mark
                             : map->start_mark,
                at, reason);
}

void conf_fill_map(struct conf_walk *w, const struct conf_schema *s, yaml_node_t *map,
                   const char *path, void *into)
{
    yaml_node_t empty = {.type = YAML_MAPPING_NODE};
    unsigned before = w->n_errors;
    char at[CONF_PATH_MAX];

    if (map->type == YAML_SCALAR_NODE && is_null(map)) {
        empty.start_mark = map->start_mark; /* "name:" with all its options commented out */
        map = &empty;
    }
    if (map->type != YAML_MAPPING_NODE) {
        conf_report(w, map->start_mark, path, "a map of options is wanted");
        return;
    }
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++)
        fill_pair(w, s, map, p, path, into);
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct conf_row *row = &s->rows[i];

        if (find_pair(w, map, gba_text(row->name)) != NULL)
            continue;
        path_below(at, path, gba_text(row->name));
        if ((row->flags & CONF_REQUIRED) != 0)
            conf_report(w, map->start_mark, at, "missing");
        else
            fill_default(w, row, at, (uint8_t *)into + row->offset);
    }
    if (s->check != NULL && w->n_errors == before)
        run_check(w, s, map, path, into);
}
