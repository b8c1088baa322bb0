/*
 * Client registration: TS-0003 8.3.5.2.3-6, 8.8.2.3-6.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "naf/mef_call.h"

/* ------------------------------------------------------------ representation */

static void put_common(struct mef_call *k)
{
    const struct mef_reg *g = &k->reg;

    m2m_resource_init(&k->out, k->role->registration);
    m2m_set_number(&k->out, M2M_A_RESOURCE_TYPE, m2m_type_name(k->role->registration)->ty);
    m2m_set_text(&k->out, M2M_A_RESOURCE_ID, gba_text(g->ri));
    m2m_set_text(&k->out, M2M_A_PARENT_ID, GBA_TEXT("-"));
    m2m_set_time(&k->out, M2M_A_CREATION_TIME, g->created_s);
    m2m_set_time(&k->out, M2M_A_LAST_MODIFIED_TIME, g->modified_s);
}

static enum m2m_rsc represent(struct mef_call *k)
{
    const struct mef_reg *g = &k->reg;

    put_common(k);
    m2m_set_time(&k->out, M2M_A_EXPIRATION_TIME, g->expires_s);
    mef_list_unpack(&k->out, M2M_A_LABELS, g->labels);
    m2m_set_text(&k->out, M2M_A_CREATOR, gba_text(g->creator));
    m2m_set_text(&k->out, M2M_A_FQDN, gba_text(k->m->policy->fqdn));
    m2m_set_text(&k->out, M2M_A_ADMIN_FQDN, gba_text(g->admin_fqdn));
    maf_put_km(k);
    mef_announce_cmd(k);
    return M2M_RSC_OK;
}

/* ------------------------------------------------------------ create, update */

/* The MEF may cut what was asked for (8.3.5.2.3). */
static enum m2m_rsc take_expiry(struct mef_call *k)
{
    int64_t longest = k->now_s + k->m->policy->limits.registration_s;

    if (!m2m_has(&k->in, M2M_A_EXPIRATION_TIME))
        return M2M_RSC_OK;
    k->reg.expires_s = m2m_time(&k->in, M2M_A_EXPIRATION_TIME);
    if (k->reg.expires_s <= k->now_s)
        return mef_no(k, M2M_RSC_BAD_REQUEST, "expirationTime is past");
    if (k->reg.expires_s > longest)
        k->reg.expires_s = longest;
    return M2M_RSC_OK;
}

static enum m2m_rsc take_labels(struct mef_call *k)
{
    return mef_list_pack(&k->in, M2M_A_LABELS, k->reg.labels, sizeof(k->reg.labels))
               ? M2M_RSC_OK
               : mef_no(k, M2M_RSC_CONTENTS_UNACCEPTABLE, "labels");
}

/* Ke and KeID of this session, kept for those who will ask for keys (8.3.2.1 step 4), also
 * where a registration stands from before: the handshake is a new one.  A Ke ends with the key
 * it was made under, or earlier. */
static enum m2m_rsc keep_ke(struct mef_call *k)
{
    const struct mef_client *c = k->c;
    struct mef_ke ke = {.created_s = k->now_s, .uss = c->uss};
    enum gba_err err;

    if (!c->is_enrolee || !k->role->enrols)
        return M2M_RSC_OK;
    ke.expires_s = k->now_s + k->m->policy->limits.enrolment_s;
    if (c->expires_s < ke.expires_s)
        ke.expires_s = c->expires_s;
    memcpy(ke.admin_fqdn, k->reg.admin_fqdn, sizeof(ke.admin_fqdn));
    err = gba_text_copy(ke.enrolee, sizeof(ke.enrolee), gba_text(c->id));
    if (err == GBA_OK)
        err = m2m_export_split(c->bootstrap, gba_text(k->m->policy->fqdn), ke.key_id, &ke.ke);
    if (err == GBA_OK)
        err = k->m->store->put_ke(k->m->store, &ke);
    if (err == GBA_OK)
        err = mef_note(k, "enrolment.keep", ke.enrolee, ke.key_id, ke.expires_s);
    gba_wipe(&ke, sizeof(ke));
    return mef_store_rsc(k, err);
}

/* The stakeholder of the registration is one this function serves (8.3.5.2.3). */
static enum m2m_rsc check_stakeholder(struct mef_call *k)
{
    struct mef_registry *g = k->m->registry;
    enum gba_err err = g->stakeholder(g, k->reg.admin_fqdn);

    return err == GBA_E_FORBIDDEN ? mef_no(k, M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE,
                                           "adminFQDN is no stakeholder here")
                                  : mef_store_rsc(k, err);
}

static enum m2m_rsc fill_new(struct mef_call *k)
{
    enum m2m_rsc rsc = take_expiry(k);

    if (rsc == M2M_RSC_OK)
        rsc = mef_check_fqdn(k);
    if (rsc != M2M_RSC_OK)
        return rsc;
    if (gba_fqdn_canonical(m2m_text(&k->in, M2M_A_ADMIN_FQDN), k->reg.admin_fqdn) != GBA_OK)
        return mef_no(k, M2M_RSC_CONTENTS_UNACCEPTABLE, "adminFQDN");
    rsc = check_stakeholder(k);
    if (rsc != M2M_RSC_OK)
        return rsc;
    k->reg.ri[0] = 'r'; /* no RelativeKeyID of ours begins so */
    gba_hex(k->reg.ri + 1, (struct gba_bytes){k->random, 16});
    gba_text_copy(k->reg.creator, sizeof(k->reg.creator), gba_text(k->c->id));
    k->reg.created_s = k->reg.modified_s = k->now_s;
    return take_labels(k);
}

enum m2m_rsc mef_create_reg(struct mef_call *k)
{
    struct mef_store *s = k->m->store;
    struct mef_reg live;
    enum m2m_rsc rsc = mef_read(k, k->role->registration, M2M_USE_CREATE);
    enum gba_err err;

    if (rsc == M2M_RSC_OK)
        rsc = fill_new(k);
    if (rsc != M2M_RSC_OK)
        return rsc;
    err = s->add_reg(s, &k->reg, k->now_s, k->m->policy->limits.registrations_max, &live);
    rsc = err == GBA_OK || err == GBA_E_EXISTS ? keep_ke(k) : mef_store_rsc(k, err);
    if (err == GBA_OK && rsc == M2M_RSC_OK)
        rsc = maf_name_km(k);
    if (rsc != M2M_RSC_OK)
        return rsc;
    if (err == GBA_E_EXISTS) { /* one a stakeholder; where it is helps a client that lost it */
        mef_locate(k, live.ri);
        return mef_no(k, M2M_RSC_ORIGINATOR_HAS_ALREADY_REGISTERED, "registered already");
    }
    mef_locate(k, k->reg.ri);
    return represent(k);
}

enum m2m_rsc mef_retrieve_reg(struct mef_call *k)
{
    return represent(k);
}

enum m2m_rsc mef_update_reg(struct mef_call *k)
{
    enum m2m_rsc rsc = mef_read(k, k->role->registration, M2M_USE_UPDATE);
    bool labels, expiry;

    if (rsc != M2M_RSC_OK)
        return rsc;
    expiry = m2m_has(&k->in, M2M_A_EXPIRATION_TIME);
    labels = m2m_has(&k->in, M2M_A_LABELS) || m2m_is_null(&k->in, M2M_A_LABELS);
    rsc = check_stakeholder(k); /* the list may be younger than the registration */
    if (rsc == M2M_RSC_OK)
        rsc = take_expiry(k);
    if (rsc == M2M_RSC_OK && labels)
        rsc = take_labels(k);
    if (rsc == M2M_RSC_OK)
        rsc = keep_ke(k);
    if (rsc != M2M_RSC_OK)
        return rsc;
    k->reg.modified_s = k->now_s;
    rsc = mef_store_rsc(k, k->m->store->set_reg(k->m->store, &k->reg));
    if (rsc == M2M_RSC_OK)
        rsc = maf_name_km(k);
    if (rsc != M2M_RSC_OK)
        return rsc;
    put_common(k); /* with what changed, no more (8.3.5.2.5) */
    if (expiry)
        m2m_set_time(&k->out, M2M_A_EXPIRATION_TIME, k->reg.expires_s);
    maf_put_km(k);
    if (labels)
        mef_list_unpack(&k->out, M2M_A_LABELS, k->reg.labels);
    return M2M_RSC_OK;
}

enum m2m_rsc mef_delete_reg(struct mef_call *k)
{
    return mef_store_rsc(k, k->m->store->del_reg(k->m->store, k->reg.ri));
}
