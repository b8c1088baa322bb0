/*
 * Who may have whose keys: see mef_policy.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_policy.h"

#include <stdlib.h>
#include <string.h>

#define SUID_FIRST 21 /* keys that an MEF distributes: TS-0004 6.3.4.2.39 */
#define SUID_LAST  25
#define BIT(n)     ((uint64_t)1 << (n))

struct mef_policy {
    char fqdn[GBA_FQDN_SIZE], sp[GBA_FQDN_SIZE];
    struct mef_limits limits;
    struct mef_target **targets;
    size_t n_targets;
    struct mef_enrolee **by_impi, **by_id; /* sorted by mef_policy_ready */
    size_t n_enrolees, room;
};

enum gba_err mef_policy_new(const char *fqdn, const char *sp, const struct mef_limits *limits,
                            struct mef_policy **out)
{
    struct mef_policy *p = calloc(1, sizeof(*p));

    *out = NULL;
    if (p == NULL)
        return GBA_E_NOMEM;
    p->limits = *limits;
    if (gba_fqdn_canonical(gba_text(fqdn), p->fqdn) != GBA_OK ||
        (sp != NULL && gba_fqdn_canonical(gba_text(sp), p->sp) != GBA_OK)) {
        free(p);
        return GBA_E_SYNTAX;
    }
    *out = p;
    return GBA_OK;
}

void mef_policy_free(struct mef_policy *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->n_targets; i++)
        free(p->targets[i]);
    for (size_t i = 0; i < p->n_enrolees; i++) {
        free(p->by_impi[i]->targets);
        free(p->by_impi[i]);
    }
    free(p->targets);
    free(p->by_impi);
    free(p->by_id);
    free(p);
}

/* ------------------------------------------------------------ targets */

/* The public domain name of a CSE: <CSE-ID>.<SP>, or <CSE-ID>.<IN-CSE-ID>.<SP> below an IN-CSE
 * that only fqdn tells (TS-0001 6.5.1.1); no other name proves this CSE. */
static enum gba_err read_domain(const struct m2m_id *cse, const char *fqdn,
                                char out[static GBA_FQDN_SIZE])
{
    char own[GBA_FQDN_SIZE];
    struct gba_text given, name, rest, in_cse;
    enum gba_err err = m2m_cse_domain(cse, GBA_TEXT(""), own);

    if (err != GBA_OK || fqdn == NULL) {
        memcpy(out, own, sizeof(own));
        return err;
    }
    err = gba_fqdn_canonical(gba_text(fqdn), out);
    if (err != GBA_OK || strcmp(out, own) == 0)
        return err;
    given = gba_text(out);
    if (!gba_text_split(given, '.', &name, &rest) || !gba_text_split(rest, '.', &in_cse, &rest))
        return GBA_E_SYNTAX;
    err = m2m_cse_domain(cse, in_cse, own);
    return err == GBA_OK && strcmp(out, own) == 0 ? GBA_OK : GBA_E_SYNTAX;
}

/* 33.222's identifier of a TLS 1.2 suite: no other is of TLS-PSK as TS-0003 10.2.2 has it. */
static bool is_tls12_ua(const uint8_t ua_id[static GBA_UA_ID_LEN])
{
    static const uint8_t prefix[] = {1, 0, 1};

    return memcmp(ua_id, prefix, sizeof(prefix)) == 0;
}

/* A name without '/' is a MAF's FQDN. */
static enum gba_err read_target_id(const struct mef_policy *p, const char *id, const char *fqdn,
                                   struct mef_target *t)
{
    struct m2m_id cse;

    t->is_maf = strchr(id, '/') == NULL;
    if (t->is_maf) {
        if (gba_fqdn_canonical(gba_text(id), t->id) != GBA_OK)
            return GBA_E_SYNTAX;
        return gba_fqdn_canonical(gba_text(fqdn != NULL ? fqdn : id), t->fqdn);
    }
    if (m2m_cse_id_parse(gba_text(id), &cse) != GBA_OK ||
        m2m_id_absolute(&cse, gba_text(p->sp), t->id) != GBA_OK)
        return GBA_E_SYNTAX;
    return m2m_cse_id_parse(gba_text(t->id), &cse) == GBA_OK ? read_domain(&cse, fqdn, t->fqdn)
                                                             : GBA_E_SYNTAX;
}

static enum gba_err read_suids(const unsigned *suids, size_t n, struct mef_target *t)
{
    for (size_t i = 0; i < n; i++) {
        if (suids[i] < SUID_FIRST || suids[i] > SUID_LAST)
            return GBA_E_ARGUMENT;
        t->suids |= BIT(suids[i]);
    }
    return (t->suids & BIT(21)) != 0 && (t->suids & BIT(22)) != 0 ? GBA_E_ARGUMENT : GBA_OK;
}

enum gba_err mef_policy_add_target(struct mef_policy *p, const char *id, const char *fqdn,
                                   const uint8_t ua_id[static GBA_UA_ID_LEN],
                                   const unsigned *suids, size_t n_suids,
                                   enum mef_derivation derivation)
{
    struct mef_target *t = calloc(1, sizeof(*t));
    struct mef_target **longer =
        realloc(p->targets, (p->n_targets + 1) * sizeof(struct mef_target *));
    enum gba_err err = GBA_E_NOMEM;

    if (longer != NULL)
        p->targets = longer;
    if (t != NULL && longer != NULL) {
        memcpy(t->ua_id, ua_id, sizeof(t->ua_id));
        t->derivation = derivation;
        err = is_tls12_ua(ua_id) ? read_target_id(p, id, fqdn, t) : GBA_E_ARGUMENT;
        if (err == GBA_OK)
            err = read_suids(suids, n_suids, t);
    }
    if (err == GBA_OK && (mef_target_by_fqdn(p, t->fqdn) != NULL ||
                          mef_target_by_id(p, gba_text(t->id)) != NULL))
        err = GBA_E_EXISTS;
    if (err != GBA_OK) {
        free(t);
        return err;
    }
    p->targets[p->n_targets++] = t;
    return GBA_OK;
}

const struct mef_target *mef_target_by_fqdn(const struct mef_policy *p, const char *fqdn)
{
    for (size_t i = 0; i < p->n_targets; i++)
        if (strcmp(p->targets[i]->fqdn, fqdn) == 0)
            return p->targets[i];
    return NULL;
}

bool mef_is_entity(const struct mef_policy *p, struct gba_text text, const char *id)
{
    struct m2m_id a, b;
    char fqdn[GBA_FQDN_SIZE];

    if (strchr(id, '/') == NULL) /* a MAF */
        return gba_fqdn_canonical(text, fqdn) == GBA_OK && strcmp(fqdn, id) == 0;
    return m2m_entity_parse(text, &a) == GBA_OK &&
           m2m_entity_parse(gba_text(id), &b) == GBA_OK && m2m_id_eq(&a, &b, gba_text(p->sp));
}

const struct mef_target *mef_target_by_id(const struct mef_policy *p, struct gba_text id)
{
    for (size_t i = 0; i < p->n_targets; i++)
        if (mef_is_entity(p, id, p->targets[i]->id))
            return p->targets[i];
    return NULL;
}

/* ------------------------------------------------------------ enrolees */

static enum gba_err read_enrolee(const struct mef_policy *p, const char *impi, const char *id,
                                 const char *const *targets, size_t n, struct mef_enrolee *e)
{
    struct m2m_id entity;

    if (gba_impi_check(gba_text(impi)) != GBA_OK ||
        gba_text_copy(e->impi, sizeof(e->impi), gba_text(impi)) != GBA_OK ||
        m2m_entity_parse(gba_text(id), &entity) != GBA_OK ||
        m2m_id_absolute(&entity, gba_text(p->sp), e->id) != GBA_OK)
        return GBA_E_SYNTAX;
    e->targets = calloc(n + 1, sizeof(const struct mef_target *));
    if (e->targets == NULL)
        return GBA_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        e->targets[i] = mef_target_by_id(p, gba_text(targets[i]));
        if (e->targets[i] == NULL)
            return GBA_E_NOT_FOUND;
        e->n_targets++;
    }
    return GBA_OK;
}

static enum gba_err grow(struct mef_policy *p)
{
    size_t room = p->room != 0 ? 2 * p->room : 16;
    struct mef_enrolee **a, **b;

    if (p->n_enrolees < p->room)
        return GBA_OK;
    a = realloc(p->by_impi, room * sizeof(struct mef_enrolee *));
    if (a != NULL)
        p->by_impi = a;
    b = realloc(p->by_id, room * sizeof(struct mef_enrolee *));
    if (b != NULL)
        p->by_id = b;
    if (a == NULL || b == NULL)
        return GBA_E_NOMEM;
    p->room = room;
    return GBA_OK;
}

enum gba_err mef_policy_add_enrolee(struct mef_policy *p, const char *impi, const char *id,
                                    const char *const *targets, size_t n_targets)
{
    struct mef_enrolee *e = calloc(1, sizeof(*e));
    enum gba_err err = e != NULL ? grow(p) : GBA_E_NOMEM;

    if (err == GBA_OK)
        err = read_enrolee(p, impi, id, targets, n_targets, e);
    if (err != GBA_OK) {
        free(e != NULL ? e->targets : NULL);
        free(e);
        return err;
    }
    p->by_impi[p->n_enrolees] = e;
    p->by_id[p->n_enrolees] = e;
    p->n_enrolees++;
    return GBA_OK;
}

static int compare_impi(const void *a, const void *b)
{
    return strcmp((*(struct mef_enrolee *const *)a)->impi,
                  (*(struct mef_enrolee *const *)b)->impi);
}

static int compare_id(const void *a, const void *b)
{
    return strcmp((*(struct mef_enrolee *const *)a)->id, (*(struct mef_enrolee *const *)b)->id);
}

enum gba_err mef_policy_ready(struct mef_policy *p)
{
    if (p->n_enrolees == 0)
        return GBA_OK;
    qsort(p->by_impi, p->n_enrolees, sizeof(struct mef_enrolee *), compare_impi);
    qsort(p->by_id, p->n_enrolees, sizeof(struct mef_enrolee *), compare_id);
    for (size_t i = 1; i < p->n_enrolees; i++)
        if (compare_impi(&p->by_impi[i - 1], &p->by_impi[i]) == 0 ||
            compare_id(&p->by_id[i - 1], &p->by_id[i]) == 0)
            return GBA_E_EXISTS;
    return GBA_OK;
}

static const struct mef_enrolee *search(struct mef_enrolee *const *rows, size_t n,
                                        const struct mef_enrolee *key,
                                        int (*compare)(const void *, const void *))
{
    struct mef_enrolee *const *found =
        n != 0 ? bsearch(&key, rows, n, sizeof(*rows), compare) : NULL;

    return found != NULL ? *found : NULL;
}

const struct mef_enrolee *mef_enrolee_by_impi(const struct mef_policy *p, const char *impi)
{
    struct mef_enrolee key = {.n_targets = 0};

    if (gba_text_copy(key.impi, sizeof(key.impi), gba_text(impi)) != GBA_OK)
        return NULL;
    return search(p->by_impi, p->n_enrolees, &key, compare_impi);
}

const struct mef_enrolee *mef_enrolee_by_id(const struct mef_policy *p, const char *id)
{
    struct mef_enrolee key = {.n_targets = 0};

    if (gba_text_copy(key.id, sizeof(key.id), gba_text(id)) != GBA_OK)
        return NULL;
    return search(p->by_id, p->n_enrolees, &key, compare_id);
}

/* ------------------------------------------------------------ questions */

const char *mef_policy_fqdn(const struct mef_policy *p)
{
    return p->fqdn;
}

struct gba_text mef_policy_sp(const struct mef_policy *p)
{
    return gba_text(p->sp);
}

const struct mef_limits *mef_policy_limits(const struct mef_policy *p)
{
    return &p->limits;
}

bool mef_allows(const struct mef_enrolee *e, const struct mef_target *t, unsigned suid)
{
    if (suid > SUID_LAST || (t->suids & BIT(suid)) == 0)
        return false;
    for (size_t i = 0; i < e->n_targets; i++)
        if (e->targets[i] == t)
            return true;
    return false;
}
