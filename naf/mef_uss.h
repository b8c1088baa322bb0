/*
 * What a USS (TS 29.109 Annex A) says of an enrolee: the uids of the USS of the GSID of M2M
 * enrolment name the targets that may have keys of it.  Reads and compares; whether that
 * counts is naf/mef_rights.h's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_USS_H
#define NAF_MEF_USS_H

#include "naf/mef_policy.h"

#define MEF_UIDS_SIZE 4096

enum mef_uss_kind {
    MEF_USS_NO_GBA, /* not by GBA: there is none to be judged by */
    MEF_USS_NONE,   /* by GBA, without a USS of that GSID; also one that was not asked for */
    MEF_USS_GIVEN
};

struct mef_uss {
    enum mef_uss_kind kind;
    /* MEF_USS_GIVEN: FQDNs and Absolute CSE-IDs, canonical, each ended by a line feed. */
    char uids[MEF_UIDS_SIZE];
};

/* Reads a ussList (root ussList or guss) as it came over Zn; empty: none.  Several USSs of the
 * GSID count together.  A uid that is neither an FQDN nor an Absolute identifier, or that
 * finds no room any more, names nothing; a document that cannot be read has no USS.
 * GBA_E_NOMEM. */
enum gba_err mef_uss_read(const struct mef_policy *p, struct gba_bytes uss_list,
                          struct mef_uss *out);

/* Is one of the uids the target's FQDN or identifier? */
bool mef_uss_names(const struct mef_uss *u, const struct mef_target *target);

#endif
