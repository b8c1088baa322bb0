/*
 * The walk that conf.c starts and conf_walk.c does.  Nobody else includes this.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_CONF_WALK_H
#define COMMON_HOST_CONF_WALK_H

#include <yaml.h>

#include "common/host/conf_internal.h"

#define CONF_ERRORS_MAX 100 /* more are counted, not written */

struct conf_walk {
    const char *file;
    char dir[4096]; /* with its slash; "" for the working folder */
    FILE *err;
    struct conf *c;
    yaml_document_t *doc;
    unsigned n_errors;
    bool secrets_are_safe;
};

/* `FILE:LINE:COL: path: reason`. */
void conf_report(struct conf_walk *w, yaml_mark_t at, const char *path, const char *reason);
/* A map of the document into the struct of its schema; defaults for what is absent. */
void conf_fill_map(struct conf_walk *w, const struct conf_schema *s, yaml_node_t *map,
                   const char *path, void *into);

#endif
