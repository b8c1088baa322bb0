/*
 * The port for what an MEF must remember: Ke's, client registrations, key registrations
 * (TS-0003 8.3.5.2).  Adapter: mef_store_sqlite.c.
 *
 * A call is done, and on stable storage, when it returns; any thread may call.  Strings and
 * lists are copied both ways.  Keys are sealed at rest by the adapter.  Nothing here looks at
 * a clock: what has expired stays until mef_store_sweep, and the caller checks.
 * Errors of all: GBA_E_IO (a full or broken disk), GBA_E_NOMEM, GBA_E_CRYPTO (a sealed key does
 * not open), GBA_E_ENTROPY.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_STORE_H
#define NAF_MEF_STORE_H

#include "common/m2m_id.h"
#include "common/secret.h"
#include "naf/mef_command.h"
#include "naf/mef_uss.h"

#define MEF_RI_SIZE     MEF_COMMAND_RI_SIZE /* resource identifier, or RelativeKeyID, and NUL */
#define MEF_TEXT_SIZE   2560  /* labels of one resource: items ended by line feeds */
#define MEF_TARGET_SIZE 16640 /* targetIDs of one resource, the same */

/* Wiped by its owner. */
struct mef_ke {
    char key_id[M2M_KEY_ID_TEXT_SIZE]; /* KeID, canonical */
    char enrolee[M2M_ID_SIZE];         /* Enrolee-ID, Absolute */
    char admin_fqdn[GBA_FQDN_SIZE];    /* put_ke: of the registration it is kept for; "": none */
    struct gba_key ke;
    int64_t created_s, expires_s;
    struct mef_uss uss; /* of the session it was made in */
};

struct mef_reg {
    char ri[MEF_RI_SIZE];
    char creator[M2M_ID_SIZE];
    char admin_fqdn[GBA_FQDN_SIZE]; /* canonical */
    char labels[MEF_TEXT_SIZE];
    int64_t created_s, modified_s, expires_s;
};

/* Wiped by its owner. */
struct mef_key {
    char relative_id[MEF_RI_SIZE]; /* RelativeKeyID, upper-case hex; its resource identifier too
                                    */
    char creator[M2M_ID_SIZE];     /* Source client ID */
    char admin_fqdn[GBA_FQDN_SIZE];
    char labels[MEF_TEXT_SIZE];
    char targets[MEF_TARGET_SIZE];
    unsigned suid;
    struct gba_key key;
    int64_t created_s, modified_s, expires_s;
    struct mef_uss uss; /* of the session that registered it, or updated it last */
};

#define MEF_KES_MAX 16

struct mef_audit;

struct mef_store {
    const char *name; /* "sqlite" */

    /* Does it answer, and where the last transaction failed, can it be written again? */
    enum gba_err (*check)(struct mef_store *self);

    /* A KeID that is there already stays as it is, and is kept for one stakeholder more (one
     * session, several registrations); it goes with the last of these registrations.  Of one
     * enrolee the youngest MEF_KES_MAX are kept. */
    enum gba_err (*put_ke)(struct mef_store *self, const struct mef_ke *ke);
    /* GBA_E_NOT_FOUND. */
    enum gba_err (*get_ke)(struct mef_store *self, const char *key_id, struct mef_ke *out);

    /* GBA_E_EXISTS: a registration of this creator with this stakeholder, not expired at now_s
     * (an expired one gives way); *out is then it.  GBA_E_OVERLOAD: max of the creator's. */
    enum gba_err (*add_reg)(struct mef_store *self, const struct mef_reg *reg, int64_t now_s,
                            size_t max, struct mef_reg *out);
    enum gba_err (*get_reg)(struct mef_store *self, const char *ri, struct mef_reg *out);
    /* By stakeholder.  GBA_E_NOT_FOUND. */
    enum gba_err (*find_reg)(struct mef_store *self, const char *creator,
                             const char *admin_fqdn, struct mef_reg *out);
    /* Labels and times; the creator's keys of that stakeholder end with it at the latest.
     * GBA_E_NOT_FOUND. */
    enum gba_err (*set_reg)(struct mef_store *self, const struct mef_reg *reg);
    /* With it go its commands, the creator's keys of that stakeholder, the Km that it names, the
     * Ke's that are kept for no other, and with the last registration all Ke's, or the Km's that a
     * MAF has from MEFs.  GBA_E_NOT_FOUND. */
    enum gba_err (*del_reg)(struct mef_store *self, const char *ri);

    /* GBA_E_EXISTS: the RelativeKeyID is taken; GBA_E_OVERLOAD: max of the creator's. */
    enum gba_err (*add_key)(struct mef_store *self, const struct mef_key *key, size_t max);
    enum gba_err (*get_key)(struct mef_store *self, const char *relative_id,
                            struct mef_key *out);
    /* Labels, targets, times and USS.  GBA_E_NOT_FOUND. */
    enum gba_err (*set_key)(struct mef_store *self, const struct mef_key *key);
    enum gba_err (*del_key)(struct mef_store *self, const char *relative_id);

    const struct mef_command_store *commands;

    /* Removes what expired at or before now_s; *n how many.  audit: where each gets its line;
     * NULL: nowhere. */
    enum gba_err (*sweep)(struct mef_store *self, int64_t now_s, struct mef_audit *audit,
                          size_t *n);
    void (*close)(struct mef_store *self);
};

#endif
