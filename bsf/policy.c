/*
 * The NAF table: who a NAF is by its certificate name, and which FQDNs, Ua protocols and USSs
 * are its own.  Everything not written in a row is refused.  TS 33.220 4.5.3,
 * TS 29.109 6.2.2.2.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/policy.h"

#include <stdio.h>
#include <string.h>

#include "common/identity.h"

enum gba_err policy_ua_id_parse(struct gba_text t, struct policy_ua_id *out)
{
    memset(out, 0, sizeof(*out));
    if (t.n != 2 * GBA_UA_ID_LEN)
        return GBA_E_SYNTAX;
    if (gba_text_ends(t, "****")) {
        out->any_suite = true;
        return gba_unhex_exact(out->id, 3, (struct gba_text){t.s, 6});
    }
    return gba_unhex_exact(out->id, GBA_UA_ID_LEN, t);
}

enum gba_err policy_fqdn_check(struct gba_text t)
{
    if (gba_text_starts(t, "*."))
        t = (struct gba_text){t.s + 2, t.n - 2};
    return gba_fqdn_check(t);
}

static bool fqdn_matches(const char *row, struct gba_text fqdn)
{
    struct gba_text label, rest;

    if (strncmp(row, "*.", 2) != 0)
        return gba_text_is(fqdn, row);
    return gba_text_split(fqdn, '.', &label, &rest) && label.n != 0 &&
           gba_text_is(rest, row + 2);
}

static bool has_fqdn(const struct policy_naf *naf, struct gba_text fqdn)
{
    for (size_t i = 0; i < naf->n_fqdns; i++)
        if (fqdn_matches(naf->fqdns[i], fqdn))
            return true;
    return false;
}

/* TS 33.220 H.2: the default identifier separates nothing, so a row must name it. */
static bool has_ua_id(const struct policy_naf *naf, const uint8_t ua_id[static GBA_UA_ID_LEN])
{
    if (memcmp(ua_id, gba_ua_tmpi, GBA_UA_ID_LEN) == 0)
        return false;
    if (memcmp(ua_id, gba_ua_default, GBA_UA_ID_LEN) == 0)
        return naf->allow_default_ua;
    for (size_t i = 0; i < naf->n_ua_ids; i++)
        if (memcmp(ua_id, naf->ua_ids[i].id, naf->ua_ids[i].any_suite ? 3 : GBA_UA_ID_LEN) == 0)
            return true;
    return false;
}

static bool is_bsf_name(const struct policy *p, struct gba_text fqdn)
{
    for (size_t i = 0; i < p->n_bsf_names; i++)
        if (gba_text_eq_nocase(fqdn, gba_text(p->bsf_names[i])))
            return true;
    return false;
}

static bool is_named(const struct policy_naf *naf, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (gba_text_eq_nocase(gba_text(naf->certificate), gba_text(names[i])))
            return true;
    return false;
}

enum gba_err policy_admit(const struct policy *p, const char *const *names, size_t n_names,
                          struct gba_text fqdn, const uint8_t ua_id[static GBA_UA_ID_LEN],
                          const struct policy_naf **out)
{
    *out = NULL;
    if (is_bsf_name(p, fqdn))
        return GBA_E_NOT_AUTHORIZED;
    for (size_t i = 0; i < p->n_nafs; i++)
        if (is_named(&p->nafs[i], names, n_names) && has_fqdn(&p->nafs[i], fqdn) &&
            has_ua_id(&p->nafs[i], ua_id)) {
            *out = &p->nafs[i];
            return GBA_OK;
        }
    return GBA_E_NOT_AUTHORIZED;
}

static bool listed(const char *const *list, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], what) == 0)
            return true;
    return false;
}

bool policy_sees_uss(const struct policy *p, const struct policy_naf *naf, const char *gsid,
                     const struct gba_uss *uss)
{
    char type[24];

    snprintf(type, sizeof(type), "%ld", uss->type);
    if (strcmp(uss->id, gsid) != 0 && !(p->match_uss_by_type && strcmp(type, gsid) == 0))
        return false;
    return listed(naf->gsids, naf->n_gsids, gsid) &&
           (uss->naf_group == NULL || listed(naf->groups, naf->n_groups, uss->naf_group));
}
