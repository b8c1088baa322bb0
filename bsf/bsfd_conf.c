/*
 * The configuration of bsfd: its schema, what the schema's types cannot check, and the tables
 * the decisions work with.  It opens nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "bsf/bsfd_conf_parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- Zh ------------------------------------------------------------------------------- */

static const struct conf_row zh_rows[] = {
    {.name = "file",
     .type = CONF_SECTION,
     .sub = &zh_file_schema,
     .offset = offsetof(struct bsfd_zh_conf, file),
     .flags = CONF_SHOWN,
     .help = "Vectors made here, from a file of subscribers: for a lab without an HSS."},
#ifdef WITH_DIAMETER
    {.name = "diameter",
     .type = CONF_SECTION,
     .sub = &zh_diameter_schema,
     .offset = offsetof(struct bsfd_zh_conf, diameter),
     .help = "Vectors and user security settings from an HSS (TS 29.109)."},
#endif
};

static const char *check_zh(const void *filled, const char **row)
{
    const struct bsfd_zh_conf *c = filled;

    *row = "file";
    if ((c->file.subscribers != NULL) == (c->diameter.identity != NULL))
        return "give one of file and diameter";
    return NULL;
}

static const struct conf_schema zh_schema = {"Zh", zh_rows, BSFD_CONF_SIZE(zh_rows),
                                             sizeof(struct bsfd_zh_conf), check_zh};

/* ---- the whole ------------------------------------------------------------------------ */

static const char *const unknown_choices[] = {"refuse", "decoy", NULL};

#define AT(member) offsetof(struct bsfd_conf, member)
static const struct conf_row rows[] = {
    {.name = "names",
     .type = CONF_STRINGS,
     .min = 1,
     .max = 64,
     .offset = AT(names),
     .flags = CONF_REQUIRED,
     .help = "BSF names (TS 23.003 16.2), the default first: that for USIMs "
             "(bsf.mnc001.mcc001.pub.3gppnetwork.org) and that for ISIMs "
             "(bsf.ims.mnc001.mcc001.pub.3gppnetwork.org)."},
    {.name = "ub",
     .type = CONF_SECTIONS,
     .min = 1,
     .max = 65536,
     .sub = &bsfd_ub_schema,
     .offset = AT(ub),
     .flags = CONF_REQUIRED,
     .help = "Addresses on which UEs bootstrap."},
    {.name = "zh",
     .type = CONF_SECTION,
     .sub = &zh_schema,
     .offset = AT(zh),
     .flags = CONF_REQUIRED,
     .help = "Where authentication vectors come from: one of the two."},
    {.name = "zn",
     .type = CONF_SECTION,
     .sub = &bsfd_zn_schema,
     .offset = AT(zn),
     .help = "Where NAFs ask for keys."},
    {.name = "nafs",
     .type = CONF_SECTIONS,
     .max = 100000,
     .sub = &bsfd_naf_schema,
     .offset = AT(nafs),
     .help = "The NAFs that are served. What no row allows is refused."},
    {.name = "session",
     .type = CONF_SECTION,
     .sub = &bsfd_session_schema,
     .offset = AT(session),
     .help = "Lifetimes and caps."},
    {.name = "rate_limits",
     .type = CONF_SECTION,
     .sub = &bsfd_limits_schema,
     .offset = AT(limits),
     .help = "How many vectors strangers may cost. Every first request costs one."},
    {.name = "http",
     .type = CONF_SECTION,
     .sub = &bsfd_http_schema,
     .offset = AT(http),
     .help = "Limits of the HTTP servers, Ub and Zn."},
    {.name = "unknown_subscriber",
     .type = CONF_ENUM,
     .deflt = "refuse",
     .choices = unknown_choices,
     .offset = AT(unknown_subscriber),
     .help = "What a UE without subscription gets: refuse (403), or decoy: a challenge that "
             "never verifies, so that nobody learns which subscribers exist."},
    {.name = "decoy_amf",
     .type = CONF_HEX,
     .deflt = "0000",
     .min = 2,
     .max = 2,
     .offset = AT(decoy_amf),
     .help = "AMF in decoys: the one the HSS uses."},
    {.name = "match_uss_by_type",
     .type = CONF_BOOL,
     .deflt = "false",
     .offset = AT(match_uss_by_type),
     .help =
         "Look for a GSID in a USS's type as well as in its id, for HSSs that mix them up."},
    {.name = "accept_unflipped_res",
     .type = CONF_BOOL,
     .deflt = "false",
     .offset = AT(accept_unflipped_res),
     .help = "For a lab only: accept a GBA_U UICC that does not flip the last bit of RES."},
    DAEMON_CONF_ROWS(struct bsfd_conf, daemon),
};
#undef AT

static const char *check_nafs(const struct bsfd_conf *c)
{
    const struct bsfd_naf_conf *nafs = c->nafs.v;

    for (size_t i = 0; i < c->nafs.n; i++)
        for (size_t k = 0; k < nafs[i].fqdns.n; k++)
            for (size_t b = 0; b < c->names.n; b++)
                if (strcmp(nafs[i].fqdns.v[k], c->names.v[b]) == 0)
                    return "a BSF name cannot be a NAF's FQDN";
    return NULL;
}

static const char *check(const void *filled, const char **row)
{
    const struct bsfd_conf *c = filled;

    *row = "names";
    if (c->names.n == 0)
        return "at least one name is needed";
    for (size_t i = 0; i < c->names.n; i++)
        if (gba_fqdn_check(gba_text(c->names.v[i])) != GBA_OK)
            return "no FQDN in lower case";
    *row = "ub";
    if (c->ub.n == 0)
        return "at least one address is needed";
    *row = "nafs";
    return check_nafs(c);
}

const struct conf_schema bsfd_schema = {"bsfd, the Bootstrapping Server Function", rows,
                                        BSFD_CONF_SIZE(rows), sizeof(struct bsfd_conf), check};

/* ---- the tables of the decisions ------------------------------------------------------ */

void bsfd_ub_policy(const struct bsfd_conf *c, struct ub_policy *out)
{
    *out = (struct ub_policy){
        .names = (const char *const *)c->names.v,
        .n_names = c->names.n,
        .lifetimes = {c->session.lifetime_ms / 1000, c->session.min_lifetime_ms / 1000,
                      c->session.max_lifetime_ms / 1000},
        .challenge_ttl_ms = c->session.challenge_lifetime_ms,
        .repeat_window_ms = c->session.repeat_window_ms,
        .max_failures = 3,
        .retry_after_s = 5,
        .decoy = c->unknown_subscriber == 1,
        .accept_unflipped_res = c->accept_unflipped_res,
    };
    memcpy(out->decoy_amf, c->decoy_amf.p, sizeof(out->decoy_amf));
}

static enum gba_err make_naf(const struct bsfd_naf_conf *c, struct policy_naf *out)
{
    struct policy_ua_id *ids = calloc(c->ua_ids.n + 1, sizeof(*ids));

    if (ids == NULL)
        return GBA_E_NOMEM;
    for (size_t i = 0; i < c->ua_ids.n; i++)
        policy_ua_id_parse(gba_text(c->ua_ids.v[i]), &ids[i]); /* check_naf has seen them */
    *out = (struct policy_naf){
        .certificate = c->certificate,
        .fqdns = (const char *const *)c->fqdns.v,
        .n_fqdns = c->fqdns.n,
        .ua_ids = ids,
        .n_ua_ids = c->ua_ids.n,
        .gsids = (const char *const *)c->gsids.v,
        .n_gsids = c->gsids.n,
        .required_gsids = (const char *const *)c->required_gsids.v,
        .n_required_gsids = c->required_gsids.n,
        .groups = (const char *const *)c->groups.v,
        .n_groups = c->groups.n,
        .may_learn_impi = c->may_learn_impi,
        .allow_default_ua = c->allow_default_ua,
    };
    return GBA_OK;
}

enum gba_err bsfd_policy_make(const struct bsfd_conf *c, struct policy *out)
{
    struct policy_naf *nafs = calloc(c->nafs.n + 1, sizeof(*nafs));
    enum gba_err err = nafs != NULL ? GBA_OK : GBA_E_NOMEM;

    *out = (struct policy){.nafs = nafs,
                           .bsf_names = (const char *const *)c->names.v,
                           .n_bsf_names = c->names.n,
                           .match_uss_by_type = c->match_uss_by_type};
    for (size_t i = 0; err == GBA_OK && i < c->nafs.n; i++) {
        err = make_naf((const struct bsfd_naf_conf *)c->nafs.v + i, &nafs[i]);
        out->n_nafs += err == GBA_OK;
    }
    if (err != GBA_OK)
        bsfd_policy_free(out);
    return err;
}

void bsfd_policy_free(struct policy *p)
{
    for (size_t i = 0; i < p->n_nafs; i++)
        free((void *)(uintptr_t)p->nafs[i].ua_ids);
    free((void *)(uintptr_t)p->nafs);
    *p = (struct policy){.nafs = NULL};
}
