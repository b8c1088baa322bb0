/*
 * What the files of the configuration share.  Nobody else includes this.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_CONF_INTERNAL_H
#define COMMON_HOST_CONF_INTERNAL_H

#include "common/host/conf.h"

#define CONF_REASON_MAX 256
#define CONF_PATH_MAX   256

/* Where the file has an option, or an element of a list of strings. */
struct conf_mark {
    const void *value;
    struct conf_place at;
};

/* Everything a filled struct points to; wiped when freed. */
struct conf_block;
struct conf {
    struct conf_block *blocks;
    const struct conf_schema *schema; /* of filled, for conf_complain */
    const void *filled;
    char *file;
    struct conf_mark *marks; /* a section's before those in it */
    size_t n_marks, marks_cap;
};
void *conf_alloc(struct conf *c, size_t n); /* zeroed; NULL without memory */

/* One scalar into its place.  dir: what relative paths are taken from ("" or "/etc/x/").
 * False: reason is filled. */
bool conf_value(const struct conf_row *row, struct gba_text text, const char *dir,
                struct conf *c, void *place, char reason[static CONF_REASON_MAX]);

/* Whether its place is a struct conf_strings. */
bool conf_is_strings(const struct conf_row *row);
const char *conf_type_name(enum conf_type type);
/* "1 .. 10", in the type's own units; "" without limits. */
void conf_range_text(const struct conf_row *row, char *out, size_t cap);

#endif
