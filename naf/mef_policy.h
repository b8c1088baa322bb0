/*
 * Who may have whose keys: targets, enrolees and limits of an MEF, from its configuration
 * (TS-0003 9.2.2.3, the bootstrap instructions).  Deny by default.  Made once, then only read.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_POLICY_H
#define NAF_MEF_POLICY_H

#include "common/m2m_id.h"
#include "common/ua_protocol.h"

enum mef_derivation {
    MEF_USAGE_KEY, /* TS-0003 10.3.7 */
    MEF_KPSA,      /* 10.3.3, with the target's Absolute identifier as Enrolee-B-ID */
    MEF_KM         /* 10.3.2, with its FQDN as MAF-ID */
};

struct mef_target {
    char id[M2M_ID_SIZE]; /* Absolute CSE-ID; a MAF's FQDN */
    bool is_maf;
    char fqdn[GBA_FQDN_SIZE]; /* canonical; in NAF_Id and in its certificate */
    uint8_t ua_id[GBA_UA_ID_LEN];
    uint64_t suids; /* bit i: SUID i */
    enum mef_derivation derivation;
};

struct mef_enrolee {
    char impi[GBA_IMPI_SIZE];
    char id[M2M_ID_SIZE];              /* Absolute AE-ID or CSE-ID */
    const struct mef_target **targets; /* that may have its keys */
    size_t n_targets;
};

struct mef_limits {
    int64_t enrolment_s, registration_s;
    size_t registrations_max, keys_max; /* of one client */
    bool suid_as_octet;
};

struct mef_policy;

/* fqdn: MEF-ID; sp: FQDN of SP-relative identifiers, or NULL.  GBA_E_SYNTAX, GBA_E_NOMEM. */
enum gba_err mef_policy_new(const char *fqdn, const char *sp, const struct mef_limits *limits,
                            struct mef_policy **out);
void mef_policy_free(struct mef_policy *p);

/* fqdn NULL: from id.  GBA_E_SYNTAX: id, or an fqdn that is not the public domain name of that
 * CSE-ID; GBA_E_ARGUMENT: a Ua id that is not 01 00 01 yy zz, a SUID outside 21-25, or 21
 * and 22 both (one KpsaID would name two keys); GBA_E_EXISTS: id or fqdn of an earlier row;
 * GBA_E_NOMEM. */
enum gba_err mef_policy_add_target(struct mef_policy *p, const char *id, const char *fqdn,
                                   const uint8_t ua_id[static GBA_UA_ID_LEN],
                                   const unsigned *suids, size_t n_suids,
                                   enum mef_derivation derivation);
/* After the targets.  GBA_E_NOT_FOUND: a target without a row; else as above. */
enum gba_err mef_policy_add_enrolee(struct mef_policy *p, const char *impi, const char *id,
                                    const char *const *targets, size_t n_targets);
/* When all rows are in.  GBA_E_EXISTS: an IMPI or Enrolee-ID twice. */
enum gba_err mef_policy_ready(struct mef_policy *p);

const char *mef_policy_fqdn(const struct mef_policy *p);
struct gba_text mef_policy_sp(const struct mef_policy *p);
const struct mef_limits *mef_policy_limits(const struct mef_policy *p);

const struct mef_target *mef_target_by_fqdn(const struct mef_policy *p, const char *fqdn);
/* An identifier in any form (Absolute, SP-relative, a MAF's FQDN). */
const struct mef_target *mef_target_by_id(const struct mef_policy *p, struct gba_text id);
const struct mef_enrolee *mef_enrolee_by_impi(const struct mef_policy *p, const char *impi);
const struct mef_enrolee *mef_enrolee_by_id(const struct mef_policy *p, const char *id);

/* May this target have keys of this enrolee for this SUID? */
bool mef_allows(const struct mef_enrolee *e, const struct mef_target *t, unsigned suid);
/* Is text (any form) the entity whose Absolute identifier is id? */
bool mef_is_entity(const struct mef_policy *p, struct gba_text text, const char *id);

#endif
