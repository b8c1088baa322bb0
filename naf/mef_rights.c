/*
 * Who is at the other end of a session, and what it may: see mef_rights.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_rights.h"

#include <stdio.h>
#include <string.h>

#include "naf/mef_audit.h"

void mef_client_wipe(struct mef_client *c)
{
    gba_wipe(c, sizeof(*c));
}

/* One session has one entity behind it: a second name of another is not taken. */
static bool is_or_becomes(struct mef_client *c, const char *id)
{
    if (c->id[0] == '\0')
        memcpy(c->id, id, sizeof(c->id));
    return strcmp(c->id, id) == 0;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

enum gba_err mef_know_enrolee(const struct mef *m, enum mef_credential_kind kind,
                              struct gba_text name, int64_t now_s, int64_t until_s,
                              struct mef_client *c)
{
    struct mef_registry *g = m->registry;
    char canonical[MEF_CRED_NAME_SIZE];
    struct mef_credential row;
    enum gba_err err;

    if (kind == MEF_CRED_GBA && c->uss.kind == MEF_USS_NO_GBA)
        c->uss.kind = MEF_USS_NONE; /* nobody by GBA escapes a policy that wants one */
    if (mef_credential_name(kind, name, canonical) != GBA_OK)
        return GBA_OK;
    err = g->credential(g, kind, canonical, &row);
    if (err == GBA_OK && (row.expires_s == 0 || row.expires_s > now_s) &&
        is_or_becomes(c, row.enrolee)) {
        c->is_enrolee = true;
        if (kind == MEF_CRED_PSK)
            memcpy(c->key_id, canonical, sizeof(c->key_id));
        c->expires_s = row.expires_s != 0 ? sooner(row.expires_s, until_s) : until_s;
    }
    gba_wipe(&row, sizeof(row));
    return err == GBA_E_NOT_FOUND ? GBA_OK : err;
}

enum gba_err mef_know_gba(const struct mef *m, struct gba_text impi, struct gba_bytes uss_list,
                          int64_t now_s, int64_t until_s, struct mef_client *c)
{
    enum gba_err err = mef_uss_read(m->policy, uss_list, &c->uss);

    return err == GBA_OK ? mef_know_enrolee(m, MEF_CRED_GBA, impi, now_s, until_s, c) : err;
}

/* The target whose public domain name is that subjectAltName.  GBA_E_NOT_FOUND. */
static enum gba_err target_of(const struct mef *m, struct gba_text san, struct mef_target *out)
{
    char fqdn[GBA_FQDN_SIZE];
    struct gba_text kind, value;

    if (!gba_text_split(san, ':', &kind, &value) || !gba_text_is(kind, "dns") ||
        gba_fqdn_canonical(value, fqdn) != GBA_OK)
        return GBA_E_NOT_FOUND;
    return m->registry->target_by_fqdn(m->registry, fqdn, out);
}

enum gba_err mef_know_certificate(const struct mef *m, struct gba_text san, int64_t now_s,
                                  int64_t until_s, struct mef_client *c)
{
    struct mef_target target;
    enum gba_err err = target_of(m, san, &target);

    if (err == GBA_OK && is_or_becomes(c, target.id)) {
        c->is_target = true;
        c->target = target;
    }
    if (err != GBA_OK && err != GBA_E_NOT_FOUND)
        return err;
    return mef_know_enrolee(m, MEF_CRED_CERT, san, now_s, until_s, c);
}

/* Whose credential certificates of that name are: an Enrolee-ID, or "". */
static enum gba_err holder_of(const struct mef *m, const char *name,
                              char out[static M2M_ID_SIZE])
{
    struct mef_credential row;
    enum gba_err err = m->registry->credential(m->registry, MEF_CRED_CERT, name, &row);

    out[0] = '\0';
    if (err == GBA_OK)
        memcpy(out, row.enrolee, sizeof(row.enrolee));
    gba_wipe(&row, sizeof(row));
    return err == GBA_E_NOT_FOUND ? GBA_OK : err;
}

enum gba_err mef_check_certificate(const struct mef *m, const char *id, struct gba_text san)
{
    char name[MEF_CRED_NAME_SIZE], holder[M2M_ID_SIZE];
    struct mef_target target;
    enum gba_err err = target_of(m, san, &target);

    if (err == GBA_OK && strcmp(target.id, id) != 0)
        return GBA_E_EXISTS;
    if (err != GBA_OK && err != GBA_E_NOT_FOUND)
        return err;
    err = mef_credential_name(MEF_CRED_CERT, san, name);
    if (err == GBA_OK)
        err = holder_of(m, name, holder);
    return err == GBA_OK && holder[0] != '\0' && strcmp(holder, id) != 0 ? GBA_E_EXISTS : err;
}

enum gba_err mef_check_node(const struct mef *m, const char *enrolee, const char *node_id)
{
    char san[sizeof("uri:") + M2M_ID_SIZE], name[MEF_CRED_NAME_SIZE], holder[M2M_ID_SIZE];
    enum gba_err err;

    if (!m2m_is_node_id(gba_text(node_id)) || enrolee[0] == '\0')
        return GBA_E_FORBIDDEN;
    snprintf(san, sizeof(san), "uri:%s", node_id);
    if (mef_credential_name(MEF_CRED_CERT, gba_text(san), name) != GBA_OK)
        return GBA_E_FORBIDDEN;
    err = holder_of(m, name, holder);
    return err == GBA_OK && strcmp(holder, enrolee) != 0 ? GBA_E_FORBIDDEN : err;
}

enum gba_err mef_learn_certificate(const struct mef *m, const char *enrolee,
                                   struct gba_text san)
{
    struct mef_credential row = {.kind = MEF_CRED_CERT};
    char holder[M2M_ID_SIZE];
    enum gba_err err = mef_credential_name(MEF_CRED_CERT, san, row.name);

    if (err == GBA_OK)
        err = gba_text_copy(row.enrolee, sizeof(row.enrolee), gba_text(enrolee));
    if (err == GBA_OK)
        err = holder_of(m, row.name, holder);
    if (err != GBA_OK)
        return err;
    if (holder[0] != '\0')
        return strcmp(holder, enrolee) == 0 ? GBA_OK : GBA_E_EXISTS;
    return m->registry->add_credential(m->registry, &row, MEF_OF_PROCEDURE);
}

static enum gba_err note_km(const struct mef *m, const struct mef_credential *row,
                            const char *mef_fqdn, int64_t now_s)
{
    const struct mef_audit_event e = {.who = mef_fqdn,
                                      .what = "km.keep",
                                      .whom = row->enrolee,
                                      .key_id = row->name,
                                      .expires_s = row->expires_s};

    return m->audit != NULL ? m->audit->note(m->audit, &e, now_s) : GBA_OK;
}

enum gba_err mef_learn_km(const struct mef *m, const char *mef_fqdn, struct gba_text key_id,
                          struct gba_text enrolee, const struct gba_key *km, int64_t now_s,
                          int64_t expires_s)
{
    struct mef_registry *g = m->registry;
    struct mef_credential row = {
        .kind = MEF_CRED_PSK, .key_len = sizeof(km->octets), .expires_s = expires_s};
    enum gba_err err = mef_credential_name(MEF_CRED_PSK, key_id, row.name);

    if (err == GBA_OK && expires_s <= now_s) /* 0 in a row would be: for ever */
        err = GBA_E_EXPIRED;
    if (err == GBA_OK)
        err = mef_absolute(m->policy, enrolee, row.enrolee);
    if (err == GBA_OK)
        err = g->begin(g);
    if (err != GBA_OK)
        return err;
    memcpy(row.key, km->octets, sizeof(km->octets));
    err = g->add_credential(g, &row, MEF_OF_PROCEDURE);
    if (err == GBA_OK)
        err = note_km(m, &row, mef_fqdn, now_s);
    gba_wipe(&row, sizeof(row));
    return g->end(g, err);
}

enum gba_err mef_find_target(const struct mef *m, struct gba_text id, struct mef_target *out)
{
    char absolute[M2M_ID_SIZE];

    memset(out, 0, sizeof(*out));
    return mef_absolute(m->policy, id, absolute) == GBA_OK
               ? m->registry->target_by_id(m->registry, absolute, out)
               : GBA_E_NOT_FOUND;
}

bool mef_by_uss(const struct mef *m, const struct mef_uss *uss)
{
    return m->policy->enrolee_policy != MEF_BY_CONFIG && uss->kind != MEF_USS_NO_GBA;
}

enum gba_err mef_admit(const struct mef *m, const struct mef_uss *uss)
{
    return mef_by_uss(m, uss) && uss->kind != MEF_USS_GIVEN ? GBA_E_NOT_AUTHORIZED : GBA_OK;
}

static enum gba_err by_instruction(const struct mef *m, const char *enrolee,
                                   const struct mef_target *target, unsigned suid,
                                   int64_t now_s, int64_t *until_s)
{
    struct mef_instruction row;
    enum gba_err err = m->registry->instruction(m->registry, enrolee, target->id, &row);

    if (err != GBA_OK)
        return err;
    if (row.expires_s != 0)
        *until_s = row.expires_s;
    return mef_suid_in(row.suids, suid) && *until_s > now_s ? GBA_OK : GBA_E_FORBIDDEN;
}

enum gba_err mef_may(const struct mef *m, const char *enrolee, const struct mef_uss *uss,
                     const struct mef_target *target, unsigned suid, int64_t now_s,
                     int64_t *until_s)
{
    struct mef_enrolee row;
    enum gba_err err;

    *until_s = INT64_MAX;
    if (!mef_suid_in(target->suids, suid))
        return GBA_E_FORBIDDEN;
    if (mef_by_uss(m, uss) && !mef_uss_names(uss, target))
        return GBA_E_NOT_AUTHORIZED;
    if (mef_by_uss(m, uss) && m->policy->enrolee_policy == MEF_BY_GUSS)
        err = m->registry->enrolee(m->registry, enrolee, &row); /* no row, no key */
    else
        err = by_instruction(m, enrolee, target, suid, now_s, until_s);
    return err == GBA_E_NOT_FOUND ? GBA_E_FORBIDDEN : err;
}
