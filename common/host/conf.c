/*
 * Configuration: a YAML file walked by a schema.  The file is read twice: once as events, to
 * refuse what a configuration does not need (aliases, tags, several documents, deep nesting),
 * then as a document whose nodes know their place.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/conf_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yaml.h>

#include "common/secret.h"

#define FILE_MAX_DEFAULT (8u << 20)
#define DEPTH_MAX        16

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

/* A byte order mark says nothing in UTF-8, but some editors write it. */
static void drop_mark(struct input *in)
{
    if (in->n < 3 || memcmp(in->p, "\xef\xbb\xbf", 3) != 0)
        return;
    memmove(in->p, in->p + 3, in->n - 3);
    gba_wipe(in->p + in->n - 3, 3);
    in->n -= 3;
}

/* Reads at most max octets; one more is an error. */
static bool read_all(struct conf_walk *w, int fd, size_t max, struct input *in)
{
    in->p = malloc(max + 1);
    in->n = 0;
    if (in->p == NULL) {
        conf_report(w, (yaml_mark_t){0}, "", "out of memory");
        return false;
    }
    while (in->n <= max) {
        ssize_t got = read(fd, in->p + in->n, max + 1 - in->n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            conf_report(w, (yaml_mark_t){0}, "", strerror(errno));
            return false;
        }
        if (got == 0) {
            drop_mark(in);
            return true;
        }
        in->n += (size_t)got;
    }
    conf_report(w, (yaml_mark_t){0}, "", "the file is too large");
    return false;
}

/* Opened once, so that what is checked is what is read. */
static bool read_file(struct conf_walk *w, size_t max, struct input *in)
{
    bool from_stdin = strcmp(w->file, "-") == 0;
    int fd = from_stdin ? STDIN_FILENO : open(w->file, O_RDONLY | O_CLOEXEC);
    struct stat st;
    bool ok;

    if (fd < 0) {
        conf_report(w, (yaml_mark_t){0}, "", strerror(errno));
        return false;
    }
    w->secrets_are_safe = fstat(fd, &st) == 0 &&
                          (S_ISREG(st.st_mode) || (from_stdin && S_ISFIFO(st.st_mode))) &&
                          (st.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    ok = read_all(w, fd, max, in);
    if (!from_stdin)
        close(fd);
    return ok;
}

static void find_dir(struct conf_walk *w)
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
static bool check_events(struct conf_walk *w, const struct input *in)
{
    yaml_parser_t parser;
    unsigned depth = 0, documents = 0;
    bool more = true;

    if (!yaml_parser_initialize(&parser)) {
        conf_report(w, (yaml_mark_t){0}, "", "out of memory");
        return false;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, in->p, in->n);
    while (more) {
        yaml_event_t e;
        const char *wrong;

        if (!yaml_parser_parse(&parser, &e)) {
            conf_report(w, place_of_problem(&parser, in), "",
                        parser.problem != NULL ? parser.problem : "not YAML");
            break;
        }
        depth += e.type == YAML_SEQUENCE_START_EVENT || e.type == YAML_MAPPING_START_EVENT;
        documents += e.type == YAML_DOCUMENT_START_EVENT;
        wrong = what_is_wrong(&e, depth, documents);
        if (wrong != NULL)
            conf_report(w, e.start_mark, "", wrong);
        depth -= e.type == YAML_SEQUENCE_END_EVENT || e.type == YAML_MAPPING_END_EVENT;
        more = e.type != YAML_STREAM_END_EVENT && depth <= DEPTH_MAX &&
               w->n_errors < CONF_ERRORS_MAX;
        yaml_event_delete(&e);
    }
    yaml_parser_delete(&parser);
    return w->n_errors == 0;
}

/* --- as a document ----------------------------------------------------------------------- */

/* An empty file is an empty map, if nothing is required. */
static void fill_document(struct conf_walk *w, const struct conf_schema *s,
                          const struct input *in, void *into)
{
    yaml_parser_t parser;
    yaml_document_t doc;
    yaml_node_t empty = {.type = YAML_MAPPING_NODE}, *root;

    if (!yaml_parser_initialize(&parser)) {
        conf_report(w, (yaml_mark_t){0}, "", "out of memory");
        return;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, in->p, in->n);
    if (!yaml_parser_load(&parser, &doc)) {
        conf_report(w, place_of_problem(&parser, in), "", "not YAML");
        yaml_parser_delete(&parser);
        return;
    }
    w->doc = &doc;
    root = yaml_document_get_root_node(&doc);
    conf_fill_map(w, s, root != NULL ? root : &empty, "", into);
    yaml_document_delete(&doc);
    yaml_parser_delete(&parser);
}

enum gba_err conf_load(const struct conf_schema *schema, const char *file, size_t max_size,
                       void *into, FILE *err, struct conf **out)
{
    struct conf_walk w = {.file = file, .err = err, .c = calloc(1, sizeof(struct conf))};
    struct input in = {0};

    memset(into, 0, schema->size);
    *out = NULL;
    if (w.c == NULL)
        return GBA_E_NOMEM;
    w.c->schema = schema;
    w.c->filled = into;
    w.c->file = strdup(file);
    if (w.c->file == NULL) {
        conf_free(w.c);
        return GBA_E_NOMEM;
    }
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
