/*
 * Configuration: a YAML file walked by a schema.  The file is read twice: once as events, to
 * refuse what a configuration does not need (aliases, tags, several documents, deep nesting),
 * then as a document whose nodes know their place.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/conf_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yaml.h>

#include "common/secret.h"

#define FILE_MAX_DEFAULT (1u << 20)
#define DEPTH_MAX        16
#define ERRORS_MAX       100
#define PATH_TEXT_MAX    256

struct walk {
    const char *file;
    char dir[4096]; /* with its slash; "" for the working folder */
    FILE *err;
    struct conf *c;
    yaml_document_t *doc;
    unsigned n_errors;
    bool secrets_are_safe;
};

static void report(struct walk *w, yaml_mark_t at, const char *path, const char *reason)
{
    if (w->n_errors++ < ERRORS_MAX)
        fprintf(w->err, "%s:%zu:%zu: %s: %s\n", w->file, at.line + 1, at.column + 1,
                path[0] != '\0' ? path : "(file)", reason);
}

/* --- the file ---------------------------------------------------------------------------- */

struct input {
    uint8_t *p;
    size_t n;
};

static void input_free(struct input *in)
{
    if (in->p != NULL)
        gba_wipe(in->p, in->n);
    free(in->p);
}

/* Reads at most max octets; one more is an error. */
static bool read_all(struct walk *w, int fd, size_t max, struct input *in)
{
    in->p = malloc(max + 1);
    in->n = 0;
    if (in->p == NULL) {
        report(w, (yaml_mark_t){0}, "", "out of memory");
        return false;
    }
    while (in->n <= max) {
        ssize_t got = read(fd, in->p + in->n, max + 1 - in->n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            report(w, (yaml_mark_t){0}, "", strerror(errno));
            return false;
        }
        if (got == 0)
            return true;
        in->n += (size_t)got;
    }
    report(w, (yaml_mark_t){0}, "", "the file is too large");
    return false;
}

/* Opened once, so that what is checked is what is read. */
static bool read_file(struct walk *w, size_t max, struct input *in)
{
    bool from_stdin = strcmp(w->file, "-") == 0;
    int fd = from_stdin ? STDIN_FILENO : open(w->file, O_RDONLY | O_CLOEXEC);
    struct stat st;
    bool ok;

    if (fd < 0) {
        report(w, (yaml_mark_t){0}, "", strerror(errno));
        return false;
    }
    w->secrets_are_safe =
        fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    ok = read_all(w, fd, max, in);
    if (!from_stdin)
        close(fd);
    return ok;
}

static void find_dir(struct walk *w)
{
    const char *slash = strrchr(w->file, '/');
    size_t n = slash != NULL ? (size_t)(slash - w->file) + 1 : 0;

    if (n < sizeof(w->dir)) {
        memcpy(w->dir, w->file, n);
        w->dir[n] = '\0';
    }
}

/* --- as events --------------------------------------------------------------------------- */

/* A reader error (octets that are not UTF-8) has an offset instead of a mark. */
static yaml_mark_t place_of_problem(const yaml_parser_t *p, const struct input *in)
{
    yaml_mark_t at = p->problem_mark;

    if (p->error == YAML_READER_ERROR) {
        at = (yaml_mark_t){0};
        for (size_t i = 0; i < p->problem_offset && i < in->n; i++) {
            at.column++;
            if (in->p[i] == '\n') {
                at.line++;
                at.column = 0;
            }
        }
    }
    return at;
}

static const char *what_is_wrong(const yaml_event_t *e, unsigned depth, unsigned documents)
{
    switch (e->type) {
    case YAML_ALIAS_EVENT:
        return "aliases are not used here";
    case YAML_SCALAR_EVENT:
        if (e->data.scalar.anchor != NULL)
            return "anchors are not used here";
        return e->data.scalar.tag != NULL ? "tags are not used here" : NULL;
    case YAML_SEQUENCE_START_EVENT:
        if (e->data.sequence_start.anchor != NULL)
            return "anchors are not used here";
        if (e->data.sequence_start.tag != NULL)
            return "tags are not used here";
        return depth > DEPTH_MAX ? "nested too deeply" : NULL;
    case YAML_MAPPING_START_EVENT:
        if (e->data.mapping_start.anchor != NULL)
            return "anchors are not used here";
        if (e->data.mapping_start.tag != NULL)
            return "tags are not used here";
        return depth > DEPTH_MAX ? "nested too deeply" : NULL;
    case YAML_DOCUMENT_START_EVENT:
        return documents > 1 ? "a second document" : NULL;
    default:
        return NULL;
    }
}

/* True: the input is one plain YAML document. */
static bool check_events(struct walk *w, const struct input *in)
{
    yaml_parser_t parser;
    unsigned depth = 0, documents = 0;
    bool more = true;

    if (!yaml_parser_initialize(&parser)) {
        report(w, (yaml_mark_t){0}, "", "out of memory");
        return false;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, in->p, in->n);
    while (more) {
        yaml_event_t e;
        const char *wrong;

        if (!yaml_parser_parse(&parser, &e)) {
            report(w, place_of_problem(&parser, in), "",
                   parser.problem != NULL ? parser.problem : "not YAML");
            break;
        }
        depth += e.type == YAML_SEQUENCE_START_EVENT || e.type == YAML_MAPPING_START_EVENT;
        documents += e.type == YAML_DOCUMENT_START_EVENT;
        wrong = what_is_wrong(&e, depth, documents);
        if (wrong != NULL)
            report(w, e.start_mark, "", wrong);
        depth -= e.type == YAML_SEQUENCE_END_EVENT || e.type == YAML_MAPPING_END_EVENT;
        more =
            e.type != YAML_STREAM_END_EVENT && depth <= DEPTH_MAX && w->n_errors < ERRORS_MAX;
        yaml_event_delete(&e);
    }
    yaml_parser_delete(&parser);
    return w->n_errors == 0;
}

/* --- as a document ----------------------------------------------------------------------- */

static void fill_map(struct walk *w, const struct conf_schema *s, yaml_node_t *map,
                     const char *path, void *into);

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

static void fill_scalar(struct walk *w, const struct conf_row *row, const yaml_node_t *node,
                        const char *path, void *place)
{
    char reason[CONF_REASON_MAX];

    if (node->type != YAML_SCALAR_NODE)
        report(w, node->start_mark, path, "a single value is wanted");
    else if (is_null(node))
        report(w, node->start_mark, path, "has no value");
    else if (!conf_value(row, scalar(node), w->dir, w->c, place, reason))
        report(w, node->start_mark, path, reason);
}

static bool right_count(struct walk *w, const struct conf_row *row, const yaml_node_t *list,
                        size_t n, const char *path)
{
    char reason[CONF_REASON_MAX];

    if ((row->min == 0 && row->max == 0) || ((int64_t)n >= row->min && (int64_t)n <= row->max))
        return true;
    snprintf(reason, sizeof(reason), "%zu entries; %" PRId64 " .. %" PRId64 " are wanted", n,
             row->min, row->max);
    report(w, list->start_mark, path, reason);
    return false;
}

static void fill_strings(struct walk *w, const struct conf_row *row, yaml_node_t *node,
                         const char *path, struct conf_strings *out)
{
    bool one = node->type == YAML_SCALAR_NODE;
    size_t n =
        one ? 1 : (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);

    if (!one && node->type != YAML_SEQUENCE_NODE) {
        report(w, node->start_mark, path, "a list of strings is wanted");
        return;
    }
    if (!right_count(w, row, node, n, path))
        return;
    out->v = conf_alloc(w->c, (n + 1) * sizeof(char *));
    if (out->v == NULL) {
        report(w, node->start_mark, path, "out of memory");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        char at[PATH_TEXT_MAX];

        snprintf(at, sizeof(at), "%.200s[%zu]", path, i);
        fill_scalar(w, row,
                    one ? node
                        : yaml_document_get_node(w->doc, node->data.sequence.items.start[i]),
                    one ? path : at, &out->v[i]);
    }
    out->n = n;
}

static void fill_sections(struct walk *w, const struct conf_row *row, yaml_node_t *node,
                          const char *path, struct conf_list *out)
{
    size_t n;

    if (node->type == YAML_SCALAR_NODE && is_null(node))
        return; /* "name:" with all its elements commented out */
    if (node->type != YAML_SEQUENCE_NODE) {
        report(w, node->start_mark, path, "a list of maps is wanted");
        return;
    }
    n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (!right_count(w, row, node, n, path))
        return;
    out->v = conf_alloc(w->c, (n + 1) * row->sub->size);
    if (out->v == NULL) {
        report(w, node->start_mark, path, "out of memory");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        char at[PATH_TEXT_MAX];

        snprintf(at, sizeof(at), "%.200s[%zu]", path, i);
        fill_map(w, row->sub,
                 yaml_document_get_node(w->doc, node->data.sequence.items.start[i]), at,
                 (uint8_t *)out->v + i * row->sub->size);
    }
    out->n = n;
}

static void fill_row(struct walk *w, const struct conf_row *row, yaml_node_t *key,
                     yaml_node_t *node, const char *path, void *place)
{
    if ((row->flags & CONF_SECRET) != 0 && !w->secrets_are_safe)
        report(w, key->start_mark, path,
               "a secret: the file must be a regular file of mode 0600");
    if (row->type == CONF_SECTION)
        fill_map(w, row->sub, node, path, place);
    else if (row->type == CONF_SECTIONS)
        fill_sections(w, row, node, path, place);
    else if (row->type == CONF_STRINGS)
        fill_strings(w, row, node, path, place);
    else
        fill_scalar(w, row, node, path, place);
}

/* --- defaults ---------------------------------------------------------------------------- */

/* "[a, b]" or "a": lists of strings have no other syntax in a default. */
static bool default_strings(struct walk *w, const struct conf_row *row,
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
static void fill_default(struct walk *w, const struct conf_row *row, const char *path,
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
    if (row->type == CONF_STRINGS)
        ok = default_strings(w, row, place);
    else
        ok = conf_value(row, gba_text(row->deflt), w->dir, w->c, place, reason);
    if (!ok)
        report(w, (yaml_mark_t){0}, path, reason);
}

/* --- maps -------------------------------------------------------------------------------- */

static const struct conf_row *find_row(const struct conf_schema *s, struct gba_text name)
{
    for (size_t i = 0; i < s->n_rows; i++)
        if (gba_text_is(name, s->rows[i].name))
            return &s->rows[i];
    return NULL;
}

static yaml_node_pair_t *find_pair(struct walk *w, yaml_node_t *map, struct gba_text name)
{
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        yaml_node_t *key = yaml_document_get_node(w->doc, p->key);

        if (key->type == YAML_SCALAR_NODE && gba_text_eq(scalar(key), name))
            return p;
    }
    return NULL;
}

static void path_below(char out[static PATH_TEXT_MAX], const char *path, struct gba_text name)
{
    snprintf(out, PATH_TEXT_MAX, "%s%s%.*s", path, path[0] != '\0' ? "." : "", (int)name.n,
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

static void fill_pair(struct walk *w, const struct conf_schema *s, yaml_node_t *map,
                      yaml_node_pair_t *pair, const char *path, void *into)
{
    yaml_node_t *key = yaml_document_get_node(w->doc, pair->key);
    const struct conf_row *row;
    char at[PATH_TEXT_MAX];

    if (key->type != YAML_SCALAR_NODE || !is_name(scalar(key))) {
        report(w, key->start_mark, path, "not the name of an option");
        return;
    }
    path_below(at, path, scalar(key));
    row = find_row(s, scalar(key));
    if (row == NULL)
        report(w, key->start_mark, at, "unknown option");
    else if (find_pair(w, map, scalar(key)) != pair)
        report(w, key->start_mark, at, "given twice");
    else
        fill_row(w, row, key, yaml_document_get_node(w->doc, pair->value), at,
                 (uint8_t *)into + row->offset);
}

static void run_check(struct walk *w, const struct conf_schema *s, yaml_node_t *map,
                      const char *path, const void *into)
{
    const char *name = "", *reason = s->check(into, &name);
    yaml_node_pair_t *pair;
    char at[PATH_TEXT_MAX];

    if (reason == NULL)
        return;
    pair = find_pair(w, map, gba_text(name));
    path_below(at, path, gba_text(name));
    report(w,
           pair != NULL ? yaml_document_get_node(w->doc, pair->key)->start_mark
                        : map->start_mark,
           at, reason);
}

static void fill_map(struct walk *w, const struct conf_schema *s, yaml_node_t *map,
                     const char *path, void *into)
{
    yaml_node_t empty = {.type = YAML_MAPPING_NODE};
    unsigned before = w->n_errors;
    char at[PATH_TEXT_MAX];

    if (map->type == YAML_SCALAR_NODE && is_null(map)) {
        empty.start_mark = map->start_mark; /* "name:" with all its options commented out */
        map = &empty;
    }
    if (map->type != YAML_MAPPING_NODE) {
        report(w, map->start_mark, path, "a map of options is wanted");
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
            report(w, map->start_mark, at, "missing");
        else
            fill_default(w, row, at, (uint8_t *)into + row->offset);
    }
    if (s->check != NULL && w->n_errors == before)
        run_check(w, s, map, path, into);
}

/* An empty file is an empty map, if nothing is required. */
static void fill_document(struct walk *w, const struct conf_schema *s, const struct input *in,
                          void *into)
{
    yaml_parser_t parser;
    yaml_document_t doc;
    yaml_node_t empty = {.type = YAML_MAPPING_NODE}, *root;

    if (!yaml_parser_initialize(&parser)) {
        report(w, (yaml_mark_t){0}, "", "out of memory");
        return;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, in->p, in->n);
    if (!yaml_parser_load(&parser, &doc)) {
        report(w, place_of_problem(&parser, in), "", "not YAML");
        yaml_parser_delete(&parser);
        return;
    }
    w->doc = &doc;
    root = yaml_document_get_root_node(&doc);
    fill_map(w, s, root != NULL ? root : &empty, "", into);
    yaml_document_delete(&doc);
    yaml_parser_delete(&parser);
}

enum gba_err conf_load(const struct conf_schema *schema, const char *file, size_t max_size,
                       void *into, FILE *err, struct conf **out)
{
    struct walk w = {.file = file, .err = err, .c = calloc(1, sizeof(struct conf))};
    struct input in = {0};

    memset(into, 0, schema->size);
    *out = NULL;
    if (w.c == NULL)
        return GBA_E_NOMEM;
    find_dir(&w);
    if (read_file(&w, max_size != 0 ? max_size : FILE_MAX_DEFAULT, &in) &&
        check_events(&w, &in))
        fill_document(&w, schema, &in, into);
    input_free(&in);
    if (w.n_errors > 0) {
        gba_wipe(into, schema->size);
        conf_free(w.c);
        return GBA_E_CONFIG;
    }
    *out = w.c;
    return GBA_OK;
}
