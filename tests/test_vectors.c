/*
 * test_vectors [DIR]: runs every *.json of the format of tests/vectors/README.md in DIR through
 * the functions of common/.  One line per output that differs, then the totals over entries.
 * A new vector needs no C; a new list is a row below and its function.
 *
 * Exit: 0 nothing failed and something passed, 1 otherwise, 2 DIR cannot be read.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/vectors/run.h"

static const struct {
    const char *name;
    vec_function *run;
} lists[] = {
    {"test_sets", vec_f_test_sets},
    {"gsm_test_sets", vec_f_gsm_test_sets},
    {"aka_tokens", vec_f_aka_tokens},
    {"keccak_f1600", vec_f_keccak_f1600},
    {"f0", vec_f_f0},
    {"digest", vec_f_digest},
    {"digest_aka", vec_f_digest_aka},
    {"digest_aka_computed", vec_f_digest_aka_computed},
    {"hmac_sha256", vec_f_hmac_sha256},
    {"generic_kdf", vec_f_generic_kdf},
    {"gba_naf", vec_f_gba_naf},
    {"gba_modes", vec_f_gba_modes},
    {"tls_mk_extr", vec_f_tls},
    {"rejected", vec_f_rejected},
    {"key_derivation", vec_f_key_derivation},
    {"tls_export", vec_f_tls},
    {"bootstraps", vec_f_bootstraps},
    {"resynchronisation", vec_f_resynchronisation},
    {"other_modes", vec_f_other_modes},
    {"negative", vec_f_negative},
};

static struct {
    unsigned passed, failed, skipped;
} total;

static vec_function *function_of(const char *list)
{
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (strcmp(lists[i].name, list) == 0)
            return lists[i].run;
    return NULL;
}

static void fail_file(const char *file, const char *list, const char *expected, const char *got)
{
    printf("FAIL %s/%s/- - %s %s\n", file, list, expected, got);
    total.failed++;
}

static void judge(struct vec *v)
{
    const struct vec_node root = vec_root(v);

    if (v->n_compared == 0 && !v->broken && !v->skip)
        vec_fail(&root, "-", "an_output", "none");
    if (v->broken || (v->differs && !v->low))
        total.failed++;
    else if (v->differs || v->skip)
        total.skipped++;
    else
        total.passed++;
}

static void run_entry(const char *file, const char *list, size_t i, json_t *entry,
                      vec_function *run, const struct vec_files *files)
{
    const char *id = json_string_value(json_object_get(entry, "id"));
    const char *confidence = json_string_value(json_object_get(entry, "confidence"));
    struct vec v = {.file = file, .list = list, .entry = entry, .files = files};

    if (id != NULL)
        snprintf(v.id, sizeof(v.id), "%s", id);
    else
        snprintf(v.id, sizeof(v.id), "#%zu", i);
    v.low = confidence != NULL && strcmp(confidence, "low") == 0;
    if (json_is_object(entry)) {
        run(&v);
    } else {
        const struct vec_node root = vec_root(&v);

        vec_fail(&root, "-", "object", "other");
    }
    judge(&v);
    while (v.n_memory > 0)
        free(v.memory[--v.n_memory]);
    free(v.memory);
}

static void run_file(const char *file, json_t *root, const struct vec_files *files)
{
    const char *list;
    json_t *entries, *entry;
    size_t i;

    json_object_foreach(root, list, entries)
    {
        vec_function *run = function_of(list);

        if (run == NULL) {
            if (json_is_array(entries))
                fail_file(file, list, "known_list", "unknown");
            continue;
        }
        if (!json_is_array(entries)) {
            fail_file(file, list, "array", "other");
            continue;
        }
        json_array_foreach(entries, i, entry) run_entry(file, list, i, entry, run, files);
    }
}

static int is_json(const struct dirent *d)
{
    return d->d_name[0] != '.' && gba_text_ends(gba_text(d->d_name), ".json");
}

/* Adds DIR/name to the files, or says why not. */
static void load(const char *dir, const char *name, struct vec_files *files)
{
    char path[8192];
    json_error_t error;
    json_t *root;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    root = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!json_is_object(root)) {
        if (root == NULL)
            fprintf(stderr, "test_vectors: %s:%d: %s\n", path, error.line, error.text);
        fail_file(name, "-", "object", root == NULL ? "unreadable" : "other");
        json_decref(root);
        return;
    }
    files->file[files->n].name = strdup(name);
    files->file[files->n].root = root;
    files->n++;
}

static int load_dir(const char *dir, struct vec_files *files)
{
    struct dirent **names;
    int n = scandir(dir, &names, is_json, alphasort);

    if (n < 0) {
        fprintf(stderr, "test_vectors: %s: %s\n", dir, strerror(errno));
        return -1;
    }
    files->file = calloc((size_t)n + 1, sizeof(*files->file));
    for (int i = 0; i < n; i++) {
        if (files->file != NULL)
            load(dir, names[i]->d_name, files);
        free(names[i]);
    }
    free(names);
    return files->file == NULL ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct vec_files files = {.n = 0};
    const char *top = getenv("top_srcdir");
    char dir[4096];

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        fprintf(stderr, "usage: test_vectors [DIR]\n");
        return 2;
    }
    snprintf(dir, sizeof(dir), "%s/tests/vectors", top != NULL ? top : SOURCE_DIR);
    if (load_dir(argc == 2 ? argv[1] : dir, &files) != 0)
        return 2;
    for (size_t i = 0; i < files.n; i++)
        run_file(files.file[i].name, files.file[i].root, &files);
    for (size_t i = 0; i < files.n; i++) {
        free(files.file[i].name);
        json_decref(files.file[i].root);
    }
    free(files.file);
    printf("%u passed, %u failed, %u skipped\n", total.passed, total.failed, total.skipped);
    return total.failed == 0 && total.passed != 0 ? 0 : 1;
}
