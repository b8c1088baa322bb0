/*
 * Rows of the administration in JSON, read strictly and written: for mef_admin.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_ADMIN_ROWS_H
#define NAF_MEF_ADMIN_ROWS_H

#include <jansson.h>

#include "naf/mef_registry.h"

#define MEF_ADMIN_AT_SIZE  128
#define MEF_ADMIN_WHY_SIZE (GBA_FQDN_SIZE + 160)
#define MEF_ADMIN_LIST     32 /* certificates, or targets, of one device */

/* Reads the members of an object, each once; what was not asked for in the end is refused. */
struct mef_in {
    const struct mef_policy *policy;
    const json_t *object;
    size_t taken;
    char at[MEF_ADMIN_AT_SIZE];   /* the member an error is about */
    char why[MEF_ADMIN_WHY_SIZE]; /* what is wrong with it; "": as the error says */
};

void mef_in_init(struct mef_in *in, const struct mef_policy *p, const json_t *object);
/* An optional one that is absent is empty.  GBA_E_MISSING, GBA_E_SYNTAX. */
enum gba_err mef_in_text(struct mef_in *in, const char *name, bool required,
                         struct gba_text *out);
enum gba_err mef_in_number(struct mef_in *in, const char *name, uint64_t max, uint64_t deflt,
                           uint64_t *out);
/* NULL: absent. */
enum gba_err mef_in_array(struct mef_in *in, const char *name, size_t max, json_t **out);
/* err, of that member and for that reason. */
enum gba_err mef_in_refuse(struct mef_in *in, const char *name, enum gba_err err,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));
/* A stakeholder's or an own FQDN, canonical. */
enum gba_err mef_in_fqdn(struct mef_in *in, const char *name, char out[static GBA_FQDN_SIZE]);
/* GBA_E_UNSUPPORTED: a member nobody took. */
enum gba_err mef_in_end(struct mef_in *in);

/* "stakeholder", "target", ...  GBA_E_NOT_FOUND. */
enum gba_err mef_noun_by_name(struct gba_text name, enum mef_noun *out);
const char *mef_noun_name(enum mef_noun noun);

/* A whole row of the first five nouns, which the administration adds; the rest of the object is
 * taken.  A credential's key is wiped by the caller. */
enum gba_err mef_row_read(struct mef_in *in, enum mef_noun noun, struct mef_row *row);
/* What names a row of any noun. */
enum gba_err mef_row_read_name(struct mef_in *in, enum mef_noun noun, struct mef_row *row);
/* As an object, never a key.  NULL: no memory. */
json_t *mef_row_write(const struct mef_row *row);
/* The texts of a row's name, for the audit log; second may come out NULL. */
void mef_row_names(const struct mef_row *row, const char **first, const char **second);

/* An enrolee with all that lets it enrol. */
struct mef_device {
    struct mef_enrolee enrolee;
    size_t n_credentials, n_targets;
    struct mef_credential credentials[MEF_ADMIN_LIST + 3];
    struct mef_instruction targets[MEF_ADMIN_LIST]; /* suids 0: all of the target's */
};
enum gba_err mef_device_read(struct mef_in *in, struct mef_device *d);

#endif
