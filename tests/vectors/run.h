/*
 * What the functions of the vector lists are written with: typed reading of an entry's inputs,
 * comparing of its outputs, and the verdict on the entry.
 * An input that is missing or has the wrong form breaks the entry: it fails, whatever its
 * confidence.  An output that differs fails a high or medium entry and skips a low one.
 * An output that the entry does not have is not compared.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_VECTORS_RUN_H
#define TESTS_VECTORS_RUN_H

#include <jansson.h>

#include "common/aka.h"
#include "common/bytes.h"
#include "common/digest.h"

/* All files of the folder: entries may name one another across files. */
struct vec_files {
    struct {
        char *name;
        json_t *root;
    } * file;
    size_t n;
};

/* One entry being run. */
struct vec {
    const char *file, *list;
    char id[128];
    json_t *entry;
    bool low;     /* of low confidence */
    bool broken;  /* an input is missing, or something was refused that must pass */
    bool differs; /* an output differs */
    bool skip;    /* nothing to compare, and that is as it should be */
    unsigned n_compared;
    void **memory; /* freed when the entry is done */
    size_t n_memory;
    const struct vec_files *files;
};

/* An object inside the entry and its path, for messages. */
struct vec_node {
    struct vec *v;
    json_t *json;     /* NULL where the entry has no such object */
    const char *path; /* "outputs.ub." */
};

typedef void vec_function(struct vec *v);

struct vec_node vec_root(struct vec *v);
struct vec_node vec_child(const struct vec_node *n, const char *name);
struct vec_node vec_item(const struct vec_node *n, const char *array, size_t i);
size_t vec_count(const struct vec_node *n, const char *array);
/* Is it there, and not null? */
bool vec_has(const struct vec_node *n, const char *name);

/* Zeroed octets that live as long as the entry is run. */
void *vec_alloc(struct vec *v, size_t n);
/* The parts joined, NUL after it; a NULL ends the list. */
struct gba_text vec_join(struct vec *v, const char *first, ...);
struct gba_text vec_base64(struct vec *v, struct gba_bytes b);
/* Octets from hexadecimal, or from the notation with explanations that long ones have. */
bool vec_unhex(struct vec *v, struct gba_text t, struct gba_bytes *out);
/* The same text with a NUL after it. */
struct gba_text vec_cstr(struct vec *v, struct gba_text t);

/* Inputs.  What breaks the entry gives a harmless value: "", or zeros of the wanted size. */
struct gba_text vec_text(const struct vec_node *n, const char *name);
struct gba_text vec_text_or(const struct vec_node *n, const char *name, const char *otherwise);
struct gba_bytes vec_hex(const struct vec_node *n, const char *name);
const uint8_t *vec_octets(const struct vec_node *n, const char *name, size_t size);
size_t vec_number_or(const struct vec_node *n, const char *name, size_t otherwise);
/* Octets of a hex member, 0 if there is none: for sizes that only the outputs tell. */
size_t vec_hex_len(const struct vec_node *n, const char *name);

/* Breaks the entry. */
void vec_fail(const struct vec_node *n, const char *name, const char *expected,
              const char *got);
/* Skips an entry of low confidence, fails the others. */
void vec_differs(const struct vec_node *n, const char *name, const char *expected,
                 const char *got);
/* As vec_fail unless err is GBA_OK. */
bool vec_ok(const struct vec_node *n, const char *name, enum gba_err err);

/* Outputs. */
void vec_is_hex(const struct vec_node *n, const char *name, const void *got, size_t size);
void vec_is_text(const struct vec_node *n, const char *name, struct gba_text got);
/* Text whose hexadecimal digits may have either case. */
void vec_is_text_nocase(const struct vec_node *n, const char *name, struct gba_text got);
/* A figure that must not come out. */
void vec_is_not_hex(const struct vec_node *n, const char *name, const void *got, size_t size);
/* A header value, compared parameter by parameter. */
enum vec_header { VEC_AUTHORIZATION, VEC_CHALLENGE, VEC_INFO };
void vec_is_header(const struct vec_node *n, const char *name, enum vec_header kind,
                   struct gba_text got);

/* An entry of any list of any file by its id, or NULL. */
json_t *vec_find(const struct vec_files *files, const char *id);

/* The lists. */
vec_function vec_f_test_sets, vec_f_gsm_test_sets, vec_f_aka_tokens, vec_f_keccak_f1600;
vec_function vec_f_f0;
vec_function vec_f_digest, vec_f_digest_aka, vec_f_digest_aka_computed;
vec_function vec_f_hmac_sha256, vec_f_generic_kdf, vec_f_gba_naf, vec_f_gba_modes;
vec_function vec_f_rejected, vec_f_tls, vec_f_key_derivation;
vec_function vec_f_bootstraps, vec_f_resynchronisation, vec_f_other_modes, vec_f_negative;

#endif
