/*
 * Which NAF may ask for what: the operator's table, deny by default (TS 33.220 4.5.3, TS 29.109
 * 5.2).  Read-only after it was made.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_POLICY_H
#define BSF_POLICY_H

#include "common/guss.h"
#include "common/ua_protocol.h"

/* Five octets; a wildcard stands for the two octets of the TLS suite: 010001**** */
struct policy_ua_id {
    uint8_t id[GBA_UA_ID_LEN];
    bool any_suite;
};

struct policy_naf {
    const char *certificate;  /* the dNSName by which the NAF proves who it is */
    const char *const *fqdns; /* canonical; "*.example.org" stands for one label */
    size_t n_fqdns;
    const struct policy_ua_id *ua_ids;
    size_t n_ua_ids;
    const char *const *gsids; /* USSs it may see */
    size_t n_gsids;
    const char *const *required_gsids; /* without these no key */
    size_t n_required_gsids;
    const char *const *groups; /* nafGroups it belongs to */
    size_t n_groups;
    bool may_learn_impi;
    bool allow_default_ua; /* 00 00 00 00 00 */
};

struct policy {
    const struct policy_naf *nafs;
    size_t n_nafs;
    const char *const *bsf_names; /* never a NAF's FQDN: their NAF_Ids derive TMPIs */
    size_t n_bsf_names;
    bool match_uss_by_type; /* GSID against uss/@type as well as uss/@id */
};

/* "0100010000" or "010001****": ten characters.  GBA_E_SYNTAX. */
enum gba_err policy_ua_id_parse(struct gba_text t, struct policy_ua_id *out);
/* An FQDN of a NAF row: canonical, perhaps behind "*.".  GBA_E_SYNTAX. */
enum gba_err policy_fqdn_check(struct gba_text t);

/* The row of the NAF that proved one of these names and may ask for this NAF_Id.
 * GBA_E_NOT_AUTHORIZED. */
enum gba_err policy_admit(const struct policy *p, const char *const *names, size_t n_names,
                          struct gba_text fqdn, const uint8_t ua_id[static GBA_UA_ID_LEN],
                          const struct policy_naf **out);

/* May this NAF see this USS: the GSID asked for is its row's, and the nafGroup, if any, one of
 * its groups? */
bool policy_sees_uss(const struct policy *p, const struct policy_naf *naf, const char *gsid,
                     const struct gba_uss *uss);

#endif
