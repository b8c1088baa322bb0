/*
 * The port for who is who with an MEF or MAF: stakeholders, targets, enrolees, their
 * credentials, instructions.  Adapter: mef_registry_sqlite.c, in the store's database.
 *
 * Rows are copied both ways; a key in a credential is sealed at rest, and wiped by whoever got
 * it.  A row is of the configuration, which is loaded anew at each start, of the
 * administration, or of a procedure: a certificate that EST issued, a Km that came from an MEF.  Any thread may call.  Errors of
 * all: GBA_E_IO, GBA_E_NOMEM, GBA_E_CRYPTO (a sealed key does not open), GBA_E_ENTROPY.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_REGISTRY_H
#define NAF_MEF_REGISTRY_H

#include "naf/mef_policy.h"
#include "naf/mef_store.h"

enum mef_origin { MEF_OF_CONFIG, MEF_OF_ADMIN, MEF_OF_PROCEDURE };

/* What the administration sees: rows of the registry, and what enrolees have made of them. */
enum mef_noun {
    MEF_STAKEHOLDER,
    MEF_TARGET,
    MEF_ENROLEE,
    MEF_CREDENTIAL,
    MEF_INSTRUCTION,
    MEF_ENROLMENT,    /* a Ke */
    MEF_REGISTRATION, /* mefClientReg */
    MEF_KEY,          /* symmKeyReg */
    MEF_COMMAND,      /* mefClientCmd; the administration's, of a registration */
    MEF_N_NOUNS
};

struct mef_row {
    enum mef_noun noun;
    int64_t at; /* its place in a list */
    enum mef_origin origin;
    union {
        char stakeholder[GBA_FQDN_SIZE]; /* canonical */
        struct mef_target target;
        struct mef_enrolee enrolee;
        struct mef_credential credential; /* no key in a list */
        struct mef_instruction instruction;
        struct mef_ke enrolment; /* the same */
        struct mef_reg registration;
        struct mef_key key; /* the same */
        struct mef_command command;
    } u;
};
typedef enum gba_err mef_visit(void *arg, const struct mef_row *row);

struct mef_registry {
    const char *name; /* "sqlite" */

    /* Everything between begin and end(GBA_OK) is done together or not at all; other threads
     * wait.  end returns what it was given, or why it could not be done. */
    enum gba_err (*begin)(struct mef_registry *self);
    enum gba_err (*end)(struct mef_registry *self, enum gba_err err);
    /* Both with work between them, perhaps on another thread while this one waits: what many do
     * at once costs less so. */
    enum gba_err (*transact)(struct mef_registry *self, enum gba_err (*work)(void *arg),
                             void *arg);
    /* begin and end for loading the configuration: rows of it that are not added again go,
     * with what hangs on them as by remove. */
    enum gba_err (*begin_config)(struct mef_registry *self);
    enum gba_err (*end_config)(struct mef_registry *self, enum gba_err err);

    /* Look-ups: GBA_E_NOT_FOUND. */
    enum gba_err (*target_by_fqdn)(struct mef_registry *self, const char *fqdn,
                                   struct mef_target *out);
    enum gba_err (*target_by_id)(struct mef_registry *self, const char *absolute,
                                 struct mef_target *out);
    enum gba_err (*enrolee)(struct mef_registry *self, const char *absolute,
                            struct mef_enrolee *out);
    enum gba_err (*credential)(struct mef_registry *self, enum mef_credential_kind kind,
                               const char *name, struct mef_credential *out);
    enum gba_err (*instruction)(struct mef_registry *self, const char *enrolee,
                                const char *target, struct mef_instruction *out);

    /* May there be registrations of this administrating stakeholder?  Of any, while none has a
     * row.  GBA_E_FORBIDDEN. */
    enum gba_err (*stakeholder)(struct mef_registry *self, const char *fqdn);

    /* Up to max rows of that kind behind after (0: from the first), in the order they came; of
     * enrolees' things those of enrolee only, unless NULL.  Ends with visit's first error. */
    enum gba_err (*list)(struct mef_registry *self, enum mef_noun noun, const char *enrolee,
                         int64_t after, size_t max, mef_visit *visit, void *arg);
    /* Removes what row names, and all that hangs on it: of a stakeholder its registrations and
     * keys; of a target instructions; of an enrolee everything.  GBA_E_NOT_FOUND;
     * GBA_E_FORBIDDEN: it is of the configuration. */
    enum gba_err (*remove)(struct mef_registry *self, const struct mef_row *row);
    /* Ke's, Km's of procedures, registrations and keys of an enrolee; *n how many. */
    enum gba_err (*revoke)(struct mef_registry *self, const char *enrolee, size_t *n);

    /* Notes that this batch of an import, named by its token, is in.  GBA_E_EXISTS: it was. */
    enum gba_err (*note_batch)(struct mef_registry *self, const char *token, uint64_t batch);

    /* New rows; a credential takes the place of one that a procedure left with the same enrolee.
     * Of an enrolee's Km's of procedures the last MEF_KES_MAX stay, and those that its
     * registrations name.
     * GBA_E_EXISTS: its name is taken; GBA_E_NOT_FOUND: the enrolee or target it
     * names has no row; GBA_E_FORBIDDEN: certificates of its dNSName (a target's fqdn, a
     * credential "dns:...") are already another entity's in the other role. */
    enum gba_err (*add_stakeholder)(struct mef_registry *self, const char *fqdn,
                                    enum mef_origin origin);
    enum gba_err (*add_target)(struct mef_registry *self, const struct mef_target *row,
                               enum mef_origin origin);
    enum gba_err (*add_enrolee)(struct mef_registry *self, const struct mef_enrolee *row,
                                enum mef_origin origin);
    enum gba_err (*add_credential)(struct mef_registry *self, const struct mef_credential *row,
                                   enum mef_origin origin);
    enum gba_err (*add_instruction)(struct mef_registry *self,
                                    const struct mef_instruction *row, enum mef_origin origin);
};

#endif
