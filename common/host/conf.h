/*
 * Configuration: a YAML file walked by one schema table.  The table fills a C struct and also
 * prints --help, the commented sample and the man page's section.  Errors are
 * `FILE:LINE:COL: path: reason`, all of them, not only the first.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_CONF_H
#define COMMON_HOST_CONF_H

#include <stdio.h>

#include "common/bytes.h"

enum conf_type {
    CONF_BOOL,     /* bool: true/false */
    CONF_INT,      /* int64_t, min..max */
    CONF_DURATION, /* int64_t milliseconds: "250ms", "30s", "5m", "8h", "1d"; a bare number is
                      seconds; min..max in milliseconds */
    CONF_SIZE,     /* int64_t octets: "64k", "1M"; min..max */
    CONF_STRING,   /* char *, max = longest in octets (0: 1024) */
    CONF_PATH, /* char *: a file or folder; relative paths are taken from the file's folder */
    CONF_ENUM, /* int: index into choices (NULL-terminated) */
    CONF_HEX,  /* struct conf_octets, min..max octets */
    CONF_ADDRESS,   /* char *: HOST:PORT, [V6]:PORT; port 0 allowed; HOST may be a name */
    CONF_STRINGS,   /* struct conf_strings: a list of strings, or one string */
    CONF_ADDRESSES, /* struct conf_strings: a list of addresses, or one address */
    CONF_SECTION,   /* nested struct at offset: a map */
    CONF_SECTIONS   /* struct conf_list: a list of maps, each one element of sub->size octets */
};

#define CONF_REQUIRED 1u /* must be in the file */
#define CONF_SECRET   2u /* wiped by conf_free, never printed; the file must be mode 0600 */
#define CONF_SHOWN    4u /* may be left out, but the sample has it: it would not be complete */

struct conf_octets {
    uint8_t *p;
    size_t n;
};
struct conf_strings {
    char **v;
    size_t n;
};
struct conf_place {
    size_t line, column; /* from 1 */
};
struct conf_list {
    void *v; /* n elements of sub->size octets */
    size_t n;
    struct conf_place *at; /* where each begins, for those who find something wrong later */
};

struct conf_schema;

struct conf_row {
    const char *name;
    enum conf_type type;
    const char *unit;  /* for people: "s", "octets", or NULL */
    const char *deflt; /* text in the file's syntax, or NULL: zero / NULL / empty */
    int64_t min, max;  /* both 0: any */
    const char *const *choices;
    const struct conf_schema *sub;
    size_t offset;
    unsigned flags;
    const char *help;    /* one or more sentences; the sample shows it as a comment */
    const char *example; /* for the sample, if there is no default; NULL: one of the type */
};

struct conf_schema {
    const char *title; /* one line, for the sample and the man page */
    const struct conf_row *rows;
    size_t n_rows;
    size_t size; /* of the struct that is filled */
    /* Optional: looks at a filled struct; NULL or the reason (static text) and, in *row, the
     * name of the option to point at. */
    const char *(*check)(const void *filled, const char **row);
};

struct conf; /* owns everything the filled struct points to */

/* Reads and checks FILE ("-": standard input) into `into` (schema->size octets, zeroed by this
 * call).  Errors are written to err, one a line; GBA_E_CONFIG then, and `into` is zeroed again.
 * Unknown and repeated keys, anchors/aliases and several documents are errors.  If a secret was
 * given, group and others must not be able to read the file, a regular one, or the pipe that
 * standard input may be.
 * max_size: octets of the file (0: 8 MiB). */
enum gba_err conf_load(const struct conf_schema *schema, const char *file, size_t max_size,
                       void *into, FILE *err, struct conf **out);
void conf_free(struct conf *c); /* wipes; NULL is fine */

/* For who finds something wrong after conf_load: a line as conf_load's.  value: where in the
 * struct that conf_load filled, or in what that points to, the option has its value; the path
 * follows from it.  What the file leaves out has the place of what is around it. */
void conf_complain(const struct conf *c, FILE *err, const void *value, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A complete commented file with every default; valid input of conf_load once its required
 * rows are filled. */
void conf_print_sample(const struct conf_schema *schema, FILE *out);
/* "name  type unit (default X, range)  help" lines for --help. */
void conf_print_help(const struct conf_schema *schema, FILE *out);
/* mdoc/man list of the options, for the man page build. */
void conf_print_man(const struct conf_schema *schema, FILE *out);

/* Splits "HOST:PORT" / "[V6]:PORT".  GBA_E_SYNTAX. */
enum gba_err conf_address_split(const char *address, char host[static 256], uint16_t *port);

#endif
