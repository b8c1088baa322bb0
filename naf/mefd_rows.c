/*
 * The rows of mefd's configuration, put into the registry: see mefd_rows.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefd_rows.h"

#include <string.h>

/* One load: what every row needs, and the words of a complaint. */
struct load {
    const struct mef_policy *p;
    struct mef_registry *g;
    struct log *log;
};

static enum gba_err complain(const struct load *l, const char *where, const char *what,
                             enum gba_err err)
{
    LOG(l->log, LOG_LV_ERROR, "mef.config", LOG_STR("option", where), LOG_STR("value", what),
        LOG_ERR(err));
    return err == GBA_E_SYNTAX || err == GBA_E_ARGUMENT || err == GBA_E_EXISTS ||
                   err == GBA_E_NOT_FOUND || err == GBA_E_MISSING
               ? GBA_E_CONFIG
               : err;
}

/* ------------------------------------------------------------ stakeholders */

static enum gba_err add_stakeholder(const struct load *l, const char *name)
{
    char fqdn[GBA_FQDN_SIZE];
    enum gba_err err = gba_fqdn_canonical(gba_text(name), fqdn);

    if (err == GBA_OK)
        err = l->g->add_stakeholder(l->g, fqdn, MEF_OF_CONFIG);
    return err == GBA_OK ? GBA_OK : complain(l, "stakeholders", name, err);
}

/* ------------------------------------------------------------ targets */

static enum gba_err read_suids(const struct conf_strings *list, uint64_t *out)
{
    uint64_t v, bit;
    enum gba_err err = GBA_OK;

    *out = 0;
    for (size_t i = 0; err == GBA_OK && i < list->n; i++) {
        err = gba_text_number(gba_text(list->v[i]), 99, &v);
        if (err == GBA_OK)
            err = mef_suid_bit(v, &bit);
        if (err == GBA_OK)
            *out |= bit;
    }
    return err;
}

static enum gba_err add_target(const struct load *l, const struct mefd_target_conf *t)
{
    struct mef_target row;
    uint64_t suids;
    enum gba_err err = read_suids(&t->suids, &suids);

    if (err != GBA_OK)
        return complain(l, "targets.suids", t->id, err);
    err = mef_target_make(l->p, gba_text(t->id), t->fqdn, t->ua_id.p, suids,
                          (enum mef_derivation)t->derivation, &row);
    row.uicc = t->naf_key != 0;
    if (err == GBA_OK)
        err = l->g->add_target(l->g, &row, MEF_OF_CONFIG);
    return err == GBA_OK ? GBA_OK : complain(l, "targets", t->id, err);
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
                               const char *where)
{
    for (size_t i = 0; i < list->n; i++) {
        enum gba_err err = add_credential(l, e, kind, list->v[i], NULL);

        if (err != GBA_OK)
            return complain(l, where, list->v[i], err);
    }
    return GBA_OK;
}

static enum gba_err add_credentials(const struct load *l, const struct mefd_enrolee_conf *c,
                                    const struct mef_enrolee *e)
{
    enum gba_err err = GBA_OK;

    if (c->impi != NULL)
        err = add_credential(l, e, MEF_CRED_GBA, c->impi, NULL);
    if (err != GBA_OK)
        return complain(l, "enrolees.impi", c->id, err);
    if ((c->kpm_id != NULL) != (c->kpm.n != 0))
        return complain(l, "enrolees.kpm_id, enrolees.kpm", c->id, GBA_E_MISSING);
    if (c->kpm_id != NULL)
        err = add_credential(l, e, MEF_CRED_PSK, c->kpm_id, &c->kpm);
    if (err != GBA_OK)
        return complain(l, "enrolees.kpm_id", c->id, err);
    err = add_listed(l, e, MEF_CRED_CERT, &c->certificates, "enrolees.certificates");
    if (err == GBA_OK)
        err = add_listed(l, e, MEF_CRED_RPK, &c->public_keys, "enrolees.public_keys");
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
    if (err != GBA_OK)
        return complain(l, "enrolees", c->id, err);
    err = add_credentials(l, c, &row);
    for (size_t i = 0; err == GBA_OK && i < c->targets.n; i++) {
        err = add_instruction(l, &row, c->targets.v[i]);
        if (err != GBA_OK)
            err = complain(l, "enrolees.targets", c->targets.v[i], err);
    }
    return err;
}

enum gba_err mefd_load_rows(const struct mef_policy *p, const struct mefd_conf *c,
                            struct mef_registry *g, struct log *log)
{
    const struct load l = {p, g, log};
    const struct mefd_target_conf *t = c->targets.v;
    const struct mefd_enrolee_conf *e = c->enrolees.v;
    enum gba_err err = g->begin_config(g);

    if (err != GBA_OK)
        return err;
    for (size_t i = 0; err == GBA_OK && i < c->stakeholders.n; i++)
        err = add_stakeholder(&l, c->stakeholders.v[i]);
    for (size_t i = 0; err == GBA_OK && i < c->targets.n; i++)
        err = add_target(&l, &t[i]);
    for (size_t i = 0; err == GBA_OK && i < c->enrolees.n; i++)
        err = add_enrolee(&l, &e[i]);
    return g->end_config(g, err);
}
