/*
 * The rows of mefd's configuration, put into the registry: see mefd_rows.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefd_rows.h"

#include <stdio.h>
#include <string.h>

#include "common/host/clock.h"

/* One load: what every row needs, and the words of a complaint. */
struct load {
    const struct mef_policy *p;
    const struct conf *source;
    struct mef_registry *g;
    struct log *log;
};

/* value: which option; why: what GBA_E_SYNTAX, GBA_E_ARGUMENT or GBA_E_NOT_FOUND means there.
 * A row that is there already means the same everywhere, and the others are not the row's. */
static enum gba_err complain(const struct load *l, const void *value, const char *why,
                             enum gba_err err)
{
    switch (err) {
    case GBA_OK:
        return GBA_OK;
    case GBA_E_EXISTS:
        why = "is there twice, or was added by mefctl";
        break;
    case GBA_E_FORBIDDEN:
        why = "has one dNSName for a target and another enrolee";
        break;
    case GBA_E_SYNTAX:
    case GBA_E_TOO_LONG:
    case GBA_E_ARGUMENT:
    case GBA_E_NOT_FOUND:
        break;
    default:
        LOG(l->log, LOG_LV_ERROR, "mef.rows", LOG_ERR(err));
        return err;
    }
    conf_complain(l->source, stderr, value, "%s", why);
    return GBA_E_CONFIG;
}

/* ------------------------------------------------------------ stakeholders */

static enum gba_err add_stakeholder(const struct load *l, char *const *name)
{
    char fqdn[GBA_FQDN_SIZE];
    enum gba_err err = gba_fqdn_canonical(gba_text(*name), fqdn);

    if (err == GBA_OK)
        err = l->g->add_stakeholder(l->g, fqdn, MEF_OF_CONFIG);
    return complain(l, name, "no FQDN", err);
}

/* ------------------------------------------------------------ targets */

static enum gba_err read_suids(const struct load *l, const struct conf_strings *list,
                               uint64_t *out)
{
    uint64_t v, bit;

    *out = 0;
    for (size_t i = 0; i < list->n; i++) {
        enum gba_err err = gba_text_number(gba_text(list->v[i]), 99, &v);

        if (err == GBA_OK)
            err = mef_suid_bit(v, &bit);
        if (err != GBA_OK)
            return complain(l, &list->v[i], "no SUID of keys of an MEF (21-25) or MAF (32-35)",
                            err);
        *out |= bit;
    }
    return GBA_OK;
}

/* Which option it is for which mef_target_make refused the row. */
static enum gba_err complain_of_target(const struct load *l, const struct mefd_target_conf *t,
                                       uint64_t suids, enum gba_err err)
{
    struct mef_target alone;

    if (err == GBA_E_ARGUMENT && mef_suid_in(suids, 21) && mef_suid_in(suids, 22))
        return complain(l, &t->suids, "21 is of a MAF and 22 of a registrar: not both", err);
    if (err == GBA_E_ARGUMENT)
        return complain(l, &t->ua_id, "does not begin with 010001, as for a suite of TLS", err);
    if (t->fqdn != NULL && mef_target_make(l->p, gba_text(t->id), NULL, t->ua_id.p, suids,
                                           MEF_USAGE_KEY, &alone) != GBA_E_SYNTAX)
        return complain(l, &t->fqdn, "not the public domain name of id", err);
    return complain(l, &t->id,
                    "neither a CSE-ID (Absolute, or SP-relative with sp given) nor the FQDN of "
                    "a MAF",
                    err);
}

static enum gba_err add_target(const struct load *l, const struct mefd_target_conf *t)
{
    struct mef_target row;
    uint64_t suids;
    enum gba_err err = read_suids(l, &t->suids, &suids);

    if (err != GBA_OK)
        return err;
    err = mef_target_make(l->p, gba_text(t->id), t->fqdn, t->ua_id.p, suids,
                          (enum mef_derivation)t->derivation, &row);
    if (err != GBA_OK)
        return complain_of_target(l, t, suids, err);
    row.uicc = t->naf_key != 0;
    return complain(l, &t->id, "", l->g->add_target(l->g, &row, MEF_OF_CONFIG));
}

/* ------------------------------------------------------------ enrolees */

static enum gba_err add_credential(const struct load *l, const struct mef_enrolee *e,
                                   enum mef_credential_kind kind, const char *name,
                                   const struct conf_octets *key)
{
    struct mef_credential row = {.kind = kind};
    enum gba_err err = mef_credential_name(kind, gba_text(name), row.name);

    memcpy(row.enrolee, e->id, sizeof(row.enrolee));
    if (key != NULL && key->n <= sizeof(row.key)) {
        memcpy(row.key, key->p, key->n);
        row.key_len = key->n;
    }
    if (err == GBA_OK)
        err = l->g->add_credential(l->g, &row, MEF_OF_CONFIG);
    gba_wipe(&row, sizeof(row));
    return err;
}

static enum gba_err add_listed(const struct load *l, const struct mef_enrolee *e,
                               enum mef_credential_kind kind, const struct conf_strings *list,
                               const char *why)
{
    enum gba_err err = GBA_OK;

    for (size_t i = 0; err == GBA_OK && i < list->n; i++)
        err = complain(l, &list->v[i], why, add_credential(l, e, kind, list->v[i], NULL));
    return err;
}

static enum gba_err add_credentials(const struct load *l, const struct mefd_enrolee_conf *c,
                                    const struct mef_enrolee *e)
{
    enum gba_err err = GBA_OK;

    if (c->impi != NULL)
        err =
            complain(l, &c->impi, "no IMPI", add_credential(l, e, MEF_CRED_GBA, c->impi, NULL));
    if (err != GBA_OK)
        return err;
    if ((c->kpm_id != NULL) != (c->kpm.n != 0))
        return complain(l, c->kpm_id != NULL ? (const void *)&c->kpm_id : &c->kpm,
                        "a key and its identifier come together", GBA_E_ARGUMENT);
    if (c->kpm_id != NULL)
        err = complain(l, &c->kpm_id, "holds blanks, or nothing",
                       add_credential(l, e, MEF_CRED_PSK, c->kpm_id, &c->kpm));
    if (err == GBA_OK)
        err = add_listed(l, e, MEF_CRED_CERT, &c->certificates,
                         "not dns:FQDN, uri:URI or other:OID:HEX");
    if (err == GBA_OK)
        err = add_listed(l, e, MEF_CRED_RPK, &c->public_keys,
                         "not the 64 hexadecimal digits of a SHA-256");
    return err;
}

/* Whatever the target's row allows, and no expiry of its own. */
static enum gba_err add_instruction(const struct load *l, const struct mef_enrolee *e,
                                    const char *target)
{
    struct mef_instruction row = {.expires_s = 0};
    struct mef_target t;
    enum gba_err err = mef_absolute(l->p, gba_text(target), row.target);

    if (err == GBA_OK)
        err = l->g->target_by_id(l->g, row.target, &t);
    if (err != GBA_OK)
        return err;
    memcpy(row.enrolee, e->id, sizeof(row.enrolee));
    row.suids = t.suids;
    return l->g->add_instruction(l->g, &row, MEF_OF_CONFIG);
}

static enum gba_err add_enrolee(const struct load *l, const struct mefd_enrolee_conf *c)
{
    struct mef_enrolee row;
    enum gba_err err = mef_enrolee_make(l->p, gba_text(c->id), &row);

    if (err == GBA_OK)
        err = l->g->add_enrolee(l->g, &row, MEF_OF_CONFIG);
    err =
        complain(l, &c->id, "no AE-ID or CSE-ID (Absolute, or SP-relative with sp given)", err);
    if (err == GBA_OK)
        err = add_credentials(l, c, &row);
    for (size_t i = 0; err == GBA_OK && i < c->targets.n; i++)
        err = complain(l, &c->targets.v[i], "not the id of a row of targets",
                       add_instruction(l, &row, c->targets.v[i]));
    return err;
}

static enum gba_err load_all(const struct load *l, const struct mefd_conf *c)
{
    struct mef_registry *g = l->g;
    const struct mefd_target_conf *t = c->targets.v;
    const struct mefd_enrolee_conf *e = c->enrolees.v;
    enum gba_err err = g->begin_config(g);

    if (err != GBA_OK)
        return err;
    for (size_t i = 0; err == GBA_OK && i < c->stakeholders.n; i++)
        err = add_stakeholder(l, &c->stakeholders.v[i]);
    for (size_t i = 0; err == GBA_OK && i < c->targets.n; i++)
        err = add_target(l, &t[i]);
    for (size_t i = 0; err == GBA_OK && i < c->enrolees.n; i++)
        err = add_enrolee(l, &e[i]);
    return g->end_config(g, err);
}

enum gba_err mefd_load_rows(const struct mef_policy *p, const struct mefd_conf *c,
                            const struct conf *source, struct mef_registry *g,
                            struct mef_audit *audit, struct log *log)
{
    static const struct mef_audit_event event = {.who = "configuration"};
    const struct load l = {p, source, g, log};
    enum gba_err err = g->begin(g);

    if (err == GBA_OK) {
        err = load_all(&l, c);
        if (err == GBA_OK && audit != NULL)
            err = audit->note(audit, &event, clock_unix_s());
        err = g->end(g, err);
    }
    if (err != GBA_OK && err != GBA_E_CONFIG) /* of which the place is told */
        LOG(log, LOG_LV_ERROR, "mef.database",
            LOG_STR("why", "cannot be written with the rows of the configuration"),
            LOG_ERR(err));
    return err;
}

/* ------------------------------------------------------------ BSFs */

enum gba_err mefd_check_zn(const struct mefd_zn_conf *c, const struct conf *source)
{
    const struct mefd_bsf_conf *b = c->bsfs.v;
    char fqdn[GBA_FQDN_SIZE];

    for (size_t i = 0; i < c->bsfs.n; i++) {
        bool tls = strncasecmp(b[i].url, "https://", 8) == 0;
        const void *wrong = NULL;
        const char *why = NULL;

        if (gba_fqdn_canonical(gba_text(b[i].domain), fqdn) != GBA_OK) {
            wrong = &b[i].domain;
            why = "no FQDN";
        } else if (!tls && !(c->insecure && strncasecmp(b[i].url, "http://", 7) == 0)) {
            wrong = &b[i].url;
            why = "must begin with https:// (or, in a lab with insecure: true, http://)";
        } else if (tls && b[i].ca == NULL) {
            wrong = &b[i].ca;
            why = "missing; whom to trust is never left to the system's list";
        }
        if (why != NULL) {
            conf_complain(source, stderr, wrong, "%s", why);
            return GBA_E_CONFIG;
        }
    }
    return GBA_OK;
}
