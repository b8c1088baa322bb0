/*
 * Reading of inputs and comparing of outputs; see run.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/vectors/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"

void *vec_alloc(struct vec *v, size_t n)
{
    void **memory = realloc(v->memory, (v->n_memory + 1) * sizeof(*memory));
    void *p = calloc(1, n + 1);

    if (memory == NULL || p == NULL) {
        fputs("test_vectors: out of memory\n", stderr);
        exit(2);
    }
    v->memory = memory;
    v->memory[v->n_memory++] = p;
    return p;
}

struct gba_text vec_join(struct vec *v, const char *first, ...)
{
    size_t n = 0;
    va_list ap;
    char *p;

    va_start(ap, first);
    for (const char *s = first; s != NULL; s = va_arg(ap, const char *))
        n += strlen(s);
    va_end(ap);
    p = vec_alloc(v, n);
    va_start(ap, first);
    for (const char *s = first; s != NULL; s = va_arg(ap, const char *))
        strcat(p, s);
    va_end(ap);
    return (struct gba_text){p, n};
}

struct gba_text vec_base64(struct vec *v, struct gba_bytes b)
{
    char *p = vec_alloc(v, GBA_BASE64_LEN(b.n));

    gba_base64(p, b);
    return gba_text(p);
}

struct gba_text vec_cstr(struct vec *v, struct gba_text t)
{
    char *p = vec_alloc(v, t.n);

    memcpy(p, t.s, t.n);
    return (struct gba_text){p, t.n};
}

struct vec_node vec_root(struct vec *v)
{
    return (struct vec_node){.v = v, .json = v->entry, .path = ""};
}

static json_t *member(const struct vec_node *n, const char *name)
{
    json_t *j = json_object_get(n->json, name);

    return json_is_null(j) ? NULL : j;
}

struct vec_node vec_child(const struct vec_node *n, const char *name)
{
    const char *path = vec_join(n->v, n->path, name, ".", NULL).s;

    if (member(n, name) != NULL && !json_is_object(member(n, name)))
        vec_fail(n, name, "object", "other");
    return (struct vec_node){.v = n->v, .json = member(n, name), .path = path};
}

struct vec_node vec_item(const struct vec_node *n, const char *array, size_t i)
{
    json_t *item = json_array_get(member(n, array), i);
    char index[32];

    snprintf(index, sizeof(index), "[%zu].", i);
    return (struct vec_node){
        .v = n->v, .json = item, .path = vec_join(n->v, n->path, array, index, NULL).s};
}

size_t vec_count(const struct vec_node *n, const char *array)
{
    if (member(n, array) != NULL && !json_is_array(member(n, array)))
        vec_fail(n, array, "array", "other");
    return json_array_size(member(n, array));
}

bool vec_has(const struct vec_node *n, const char *name)
{
    return member(n, name) != NULL;
}

/* One blank-free word, so that the line stays five columns. */
static void print_word(const char *s)
{
    if (*s == '\0')
        fputs("-", stdout);
    for (; *s != '\0'; s++) {
        if (*s == ' ')
            putchar('_');
        else if ((unsigned char)*s < 0x20)
            printf("\\x%02x", (unsigned)(unsigned char)*s);
        else
            putchar(*s);
    }
}

static void print_line(const char *verdict, const struct vec_node *n, const char *name,
                       const char *expected, const char *got)
{
    printf("%s %s/%s/%s %s%s ", verdict, n->v->file, n->v->list, n->v->id, n->path, name);
    print_word(expected);
    putchar(' ');
    print_word(got);
    putchar('\n');
}

void vec_fail(const struct vec_node *n, const char *name, const char *expected, const char *got)
{
    n->v->broken = true;
    print_line("FAIL", n, name, expected, got);
}

bool vec_ok(const struct vec_node *n, const char *name, enum gba_err err)
{
    if (err != GBA_OK)
        vec_fail(n, name, "accepted", gba_err_name(err));
    return err == GBA_OK;
}

void vec_differs(const struct vec_node *n, const char *name, const char *expected,
                 const char *got)
{
    n->v->differs = true;
    print_line(n->v->low ? "LOW" : "FAIL", n, name, expected, got);
}

static struct gba_text json_text(const json_t *j)
{
    return (struct gba_text){json_string_value(j), json_string_length(j)};
}

struct gba_text vec_text(const struct vec_node *n, const char *name)
{
    const json_t *j = member(n, name);

    if (!json_is_string(j)) {
        vec_fail(n, name, "text", j == NULL ? "missing" : "other");
        return gba_text("");
    }
    return json_text(j);
}

struct gba_text vec_text_or(const struct vec_node *n, const char *name, const char *otherwise)
{
    return vec_has(n, name) ? vec_text(n, name) : gba_text(otherwise);
}

/* The next blank-separated word. */
static struct gba_text next_word(struct gba_text *rest)
{
    struct gba_text word;

    do
        if (!gba_text_split(*rest, ' ', &word, rest))
            *rest = gba_text("");
    while (word.n == 0 && rest->n != 0);
    return word;
}

/* "(fc) 01 (repeat) 5a x 65535 (l0) ffff": hexadecimal with words of explanation in brackets,
 * "x N" repeats what stands before it.  False: another character, or too much. */
static bool explained_hex(struct gba_text t, struct gba_wbuf *out)
{
    struct gba_text before = gba_text("");
    uint8_t octets[256];
    size_t n = 0;
    uint64_t times;

    while (t.n != 0) {
        const struct gba_text word = next_word(&t);

        if (gba_text_starts(word, "("))
            continue;
        if (gba_text_is(word, "x")) {
            if (before.n == 0 || gba_text_number(next_word(&t), 65536, &times) != GBA_OK)
                return false;
            for (; times > 1; times--)
                gba_wbuf_put(out, (struct gba_bytes){octets, n});
            continue;
        }
        if (gba_unhex(octets, sizeof(octets), word, &n) != GBA_OK)
            return false;
        gba_wbuf_put(out, (struct gba_bytes){octets, n});
        before = word;
    }
    return gba_wbuf_ok(out);
}

bool vec_unhex(struct vec *v, struct gba_text t, struct gba_bytes *out)
{
    const bool explained = gba_text_starts(t, "(");
    const size_t cap = explained ? 1u << 20 : t.n / 2;
    struct gba_wbuf w;
    bool ok;

    gba_wbuf_init(&w, vec_alloc(v, cap), cap);
    if (explained)
        ok = explained_hex(t, &w);
    else
        ok = gba_unhex(w.p, cap, t, &w.n) == GBA_OK;
    *out = ok ? gba_wbuf_bytes(&w) : (struct gba_bytes){w.p, 0};
    return ok;
}

struct gba_bytes vec_hex(const struct vec_node *n, const char *name)
{
    const struct gba_text t = vec_text(n, name);
    struct gba_bytes b;

    if (!vec_unhex(n->v, t, &b))
        vec_fail(n, name, "hexadecimal", vec_cstr(n->v, t).s);
    return b;
}

const uint8_t *vec_octets(const struct vec_node *n, const char *name, size_t size)
{
    const json_t *j = member(n, name);
    char want[32];
    struct gba_bytes b;

    if (json_is_string(j) && vec_unhex(n->v, json_text(j), &b) && b.n == size)
        return b.p;
    snprintf(want, sizeof(want), "%zu_octets", size);
    vec_fail(n, name, want, j == NULL ? "missing" : "other");
    return vec_alloc(n->v, size);
}

size_t vec_number_or(const struct vec_node *n, const char *name, size_t otherwise)
{
    const json_t *j = member(n, name);

    if (j == NULL)
        return otherwise;
    if (!json_is_integer(j) || json_integer_value(j) < 0 || json_integer_value(j) > 1000000) {
        vec_fail(n, name, "number", "other");
        return otherwise;
    }
    return (size_t)json_integer_value(j);
}

size_t vec_hex_len(const struct vec_node *n, const char *name)
{
    return json_string_length(member(n, name)) / 2;
}

/* The expected text of an output, or false if the entry does not have it. */
static bool expected_text(const struct vec_node *n, const char *name, struct gba_text *t)
{
    const json_t *j = member(n, name);

    if (j == NULL)
        return false;
    n->v->n_compared++;
    if (!json_is_string(j)) {
        vec_fail(n, name, "text", "other");
        return false;
    }
    *t = json_text(j);
    return true;
}

static bool same_hex(struct gba_text t, const void *got, size_t size, struct vec *v)
{
    struct gba_bytes want;

    return vec_unhex(v, t, &want) && want.n == size && gba_equal_ct(want.p, got, size);
}

void vec_is_hex(const struct vec_node *n, const char *name, const void *got, size_t size)
{
    struct gba_text t;
    char *hex;

    if (!expected_text(n, name, &t) || same_hex(t, got, size, n->v))
        return;
    hex = vec_alloc(n->v, 2 * size);
    gba_hex(hex, (struct gba_bytes){got, size});
    vec_differs(n, name, vec_cstr(n->v, t).s, hex);
}

void vec_is_not_hex(const struct vec_node *n, const char *name, const void *got, size_t size)
{
    struct gba_text t;

    if (expected_text(n, name, &t) && same_hex(t, got, size, n->v))
        vec_differs(n, name, "another_value", vec_cstr(n->v, t).s);
}

void vec_is_text(const struct vec_node *n, const char *name, struct gba_text got)
{
    struct gba_text t;

    if (expected_text(n, name, &t) && !gba_text_eq(t, got))
        vec_differs(n, name, vec_cstr(n->v, t).s, vec_cstr(n->v, got).s);
}

void vec_is_text_nocase(const struct vec_node *n, const char *name, struct gba_text got)
{
    struct gba_text t;

    if (expected_text(n, name, &t) && !gba_text_eq_nocase(t, got))
        vec_differs(n, name, vec_cstr(n->v, t).s, vec_cstr(n->v, got).s);
}

/* Only one challenge, and nothing after it. */
static enum gba_err parse_challenge(struct gba_text t, struct gba_digest *d)
{
    enum gba_err err = gba_digest_next_challenge(&t, d);

    return err == GBA_OK && t.n != 0 ? GBA_E_SYNTAX : err;
}

static enum gba_err parse_header(enum vec_header kind, struct gba_text t, struct gba_digest *d)
{
    switch (kind) {
    case VEC_AUTHORIZATION:
        return gba_digest_parse(t, d);
    case VEC_CHALLENGE:
        return parse_challenge(t, d);
    case VEC_INFO:
        break;
    }
    return gba_digest_parse_info(t, d);
}

/* Every name in front of a '=' outside quotes is one the parser took up: it passes over those
 * it does not know, which the daemons never print. */
static size_t count_params(struct gba_text t)
{
    bool quoted = false;
    size_t n = 0;

    for (size_t i = 0; i < t.n; i++) {
        if (quoted && t.s[i] == '\\')
            i++;
        else if (t.s[i] == '"')
            quoted = !quoted;
        else if (!quoted && t.s[i] == '=' && i != 0 && t.s[i - 1] != '=' &&
                 (i + 1 < t.n && t.s[i + 1] != ',' && t.s[i + 1] != '='))
            n++;
    }
    return n;
}

static size_t count_known(const struct gba_digest *d)
{
    size_t n = 0;

    for (int p = 0; p < GBA_DIGEST_N_PARAMS; p++)
        n += d->p[p].present;
    return n;
}

void vec_is_header(const struct vec_node *n, const char *name, enum vec_header kind,
                   struct gba_text got)
{
    struct gba_digest *want_d = vec_alloc(n->v, sizeof(*want_d));
    struct gba_digest *got_d = vec_alloc(n->v, sizeof(*got_d));
    struct gba_text t;

    if (!expected_text(n, name, &t) || !vec_ok(n, name, parse_header(kind, t, want_d)) ||
        !vec_ok(n, name, parse_header(kind, got, got_d)))
        return;
    if (count_params(t) != count_known(want_d))
        vec_fail(n, name, "known_parameters_only", vec_cstr(n->v, t).s);
    for (int p = 0; p < GBA_DIGEST_N_PARAMS; p++) {
        const struct gba_text a = want_d->p[p].value, b = got_d->p[p].value;

        if (want_d->p[p].present == got_d->p[p].present && gba_text_eq(a, b))
            continue;
        vec_differs(
            n,
            vec_join(n->v, name, ":", gba_digest_param_name((enum gba_digest_param)p), NULL).s,
            want_d->p[p].present ? vec_cstr(n->v, a).s : "absent",
            got_d->p[p].present ? vec_cstr(n->v, b).s : "absent");
    }
}

json_t *vec_find(const struct vec_files *files, const char *id)
{
    for (size_t f = 0; f < files->n; f++) {
        const char *list;
        json_t *entries, *e;
        size_t i;

        json_object_foreach(files->file[f].root, list, entries)
        {
            json_array_foreach(entries, i, e)
            {
                const char *s = json_string_value(json_object_get(e, "id"));

                /* A run has inputs under that name; a derivation that is called like it has
                 * its own in the entry, and a negative entry is never what another means. */
                if (s != NULL && strcmp(s, id) == 0 && json_object_get(e, "of") == NULL &&
                    json_is_object(json_object_get(e, "inputs")))
                    return e;
            }
        }
    }
    return NULL;
}
