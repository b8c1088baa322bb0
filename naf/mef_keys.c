/*
 * Key registration and key retrieval: TS-0003 8.3.5.2.7-10, 8.8.2.7-10.  A key is the client's
 * own (keyValue) or the session's export (10.3.5).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "naf/mef_call.h"

/* ------------------------------------------------------------ representation */

static void put_common(struct mef_call *k)
{
    const struct mef_key *y = &k->key;

    m2m_resource_init(&k->out, M2M_SYMM_KEY_REG);
    m2m_set_number(&k->out, M2M_A_RESOURCE_TYPE, m2m_type_name(M2M_SYMM_KEY_REG)->ty);
    m2m_set_text(&k->out, M2M_A_RESOURCE_ID, gba_text(y->relative_id));
    m2m_set_text(&k->out, M2M_A_PARENT_ID, GBA_TEXT("-"));
    m2m_set_time(&k->out, M2M_A_CREATION_TIME, y->created_s);
    m2m_set_time(&k->out, M2M_A_LAST_MODIFIED_TIME, y->modified_s);
}

/* Without keyValue, which is not echoed. */
static enum m2m_rsc represent(struct mef_call *k)
{
    const struct mef_key *y = &k->key;

    put_common(k);
    m2m_set_time(&k->out, M2M_A_EXPIRATION_TIME, y->expires_s);
    mef_list_unpack(&k->out, M2M_A_LABELS, y->labels);
    m2m_set_text(&k->out, M2M_A_CREATOR, gba_text(y->creator));
    m2m_set_text(&k->out, M2M_A_ADMIN_FQDN, gba_text(y->admin_fqdn));
    m2m_set_number(&k->out, M2M_A_SUID, y->suid);
    m2m_set_text(&k->out, M2M_A_RELATIVE_KEY_ID, gba_text(y->relative_id));
    return M2M_RSC_OK;
}

/* ------------------------------------------------------------ create, update */

/* As many targets as the SUID takes (8.3.5.2.8). */
static enum m2m_rsc take_targets(struct mef_call *k)
{
    const struct m2m_suid *suid = m2m_suid_find(k->key.suid);

    if (suid == NULL || suid->source != k->role->keys_of)
        return mef_no(k, M2M_RSC_CONTENTS_UNACCEPTABLE, "SUID is not of a key registered here");
    if (!m2m_suid_takes_targets(suid, m2m_items(&k->in, M2M_A_TARGET_IDS)))
        return mef_no(k, M2M_RSC_CONTENTS_UNACCEPTABLE, "number of targetIDs");
    return mef_list_pack(&k->in, M2M_A_TARGET_IDS, k->key.targets, sizeof(k->key.targets))
               ? M2M_RSC_OK
               : mef_no(k, M2M_RSC_CONTENTS_UNACCEPTABLE, "targetIDs");
}

/* What mef_may or mef_find_target says no with. */
static enum m2m_rsc no_right(struct mef_call *k, enum gba_err err, const char *why)
{
    if (err == GBA_E_NOT_AUTHORIZED)
        return mef_no(k, M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "5402: no USS names this target");
    if (err == GBA_E_NOT_FOUND || err == GBA_E_FORBIDDEN)
        return mef_no(k, M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE, why);
    return mef_store_rsc(k, err);
}

/* Targets this client may give keys to; *until_s: the soonest end of what allows it. */
static enum m2m_rsc may_give(struct mef_call *k, int64_t *until_s)
{
    const char *list = k->key.targets;
    struct gba_text item;

    *until_s = mef_by_uss(k->m, &k->c->uss) ? k->c->expires_s : INT64_MAX;
    while (mef_list_next(&list, &item)) {
        struct mef_target t;
        int64_t one_s = INT64_MAX;
        enum gba_err err = mef_find_target(k->m, item, &t);

        if (err == GBA_OK)
            err = mef_may(k->m, k->c->id, &k->c->uss, &t, k->key.suid, k->now_s, &one_s);
        if (err != GBA_OK)
            return no_right(k, err, "not for this target");
        if (one_s < *until_s)
            *until_s = one_s;
    }
    return M2M_RSC_OK;
}

static enum m2m_rsc take_labels(struct mef_call *k)
{
    return mef_list_pack(&k->in, M2M_A_LABELS, k->key.labels, sizeof(k->key.labels))
               ? M2M_RSC_OK
               : mef_no(k, M2M_RSC_CONTENTS_UNACCEPTABLE, "labels");
}

/* A key lives no longer than the registration of its stakeholder, which must be there, nor than
 * what allows it. */
static enum m2m_rsc take_expiry(struct mef_call *k)
{
    struct mef_store *s = k->m->store;
    int64_t until_s;
    enum m2m_rsc rsc = may_give(k, &until_s);
    enum gba_err err;

    if (rsc != M2M_RSC_OK)
        return rsc;
    err = s->find_reg(s, k->c->id, k->key.admin_fqdn, &k->reg);
    if (err == GBA_E_NOT_FOUND || (err == GBA_OK && k->reg.expires_s <= k->now_s))
        return mef_no(k, M2M_RSC_NOT_FOUND, "no registration with this adminFQDN");
    if (err != GBA_OK)
        return mef_store_rsc(k, err);
    if (m2m_has(&k->in, M2M_A_EXPIRATION_TIME)) {
        k->key.expires_s = m2m_time(&k->in, M2M_A_EXPIRATION_TIME);
        if (k->key.expires_s <= k->now_s)
            return mef_no(k, M2M_RSC_BAD_REQUEST, "expirationTime is past");
    }
    if (k->key.expires_s > k->reg.expires_s)
        k->key.expires_s = k->reg.expires_s;
    if (k->key.expires_s > until_s)
        k->key.expires_s = until_s;
    k->key.uss = k->c->uss; /* by which it was judged, and will be */
    return M2M_RSC_OK;
}

/* The client's own under an identifier of ours, or what both ends export: one a session, for a
 * session exports one value (10.3.5). */
static enum m2m_rsc take_key(struct mef_call *k)
{
    char key_id[M2M_KEY_ID_SIZE];
    const struct gba_key *given = m2m_key(&k->in);
    enum gba_err err;

    if (given != NULL) {
        k->key.key = *given;
        gba_hex_upper(k->key.relative_id, (struct gba_bytes){k->random, 16});
        return M2M_RSC_OK;
    }
    if (k->c->spent != NULL && *k->c->spent) /* also if it is deleted: another target has it */
        return mef_no(k, M2M_RSC_CONFLICT, "this session's key was registered");
    k->exported = true;
    err = m2m_export_split(k->c->connection, gba_text(k->m->policy->fqdn), key_id, &k->key.key);
    if (err != GBA_OK)
        return mef_store_rsc(k, err);
    memcpy(k->key.relative_id, key_id, 32); /* what stands left of '@' */
    k->key.relative_id[32] = '\0';
    if (k->c->expires_s < k->key.expires_s)
        k->key.expires_s = k->c->expires_s;
    return M2M_RSC_OK;
}

enum m2m_rsc mef_create_key(struct mef_call *k)
{
    struct mef_store *s = k->m->store;
    enum m2m_rsc rsc;

    if (!k->c->is_enrolee)
        return mef_no(k, M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "not an enrolee");
    rsc = mef_read(k, M2M_SYMM_KEY_REG, M2M_USE_CREATE);
    if (rsc == M2M_RSC_OK)
        rsc = mef_check_fqdn(k);
    if (rsc != M2M_RSC_OK)
        return rsc;
    k->key.suid = (unsigned)m2m_number(&k->in, M2M_A_SUID);
    k->key.created_s = k->key.modified_s = k->now_s;
    gba_text_copy(k->key.creator, sizeof(k->key.creator), gba_text(k->c->id));
    if (gba_fqdn_canonical(m2m_text(&k->in, M2M_A_ADMIN_FQDN), k->key.admin_fqdn) != GBA_OK)
        return mef_no(k, M2M_RSC_CONTENTS_UNACCEPTABLE, "adminFQDN");
    rsc = take_targets(k);
    if (rsc == M2M_RSC_OK)
        rsc = take_expiry(k);
    if (rsc == M2M_RSC_OK)
        rsc = take_labels(k);
    if (rsc == M2M_RSC_OK)
        rsc = take_key(k);
    if (rsc == M2M_RSC_OK)
        rsc = mef_store_rsc(k, s->add_key(s, &k->key, k->m->policy->limits.keys_max));
    if (rsc != M2M_RSC_OK)
        return rsc;
    mef_locate(k, k->key.relative_id);
    represent(k);
    mef_list_unpack(&k->out, M2M_A_TARGET_IDS, k->key.targets);
    return M2M_RSC_OK;
}

/* ------------------------------------------------------------ whose it is */

static bool is_source(const struct mef_call *k)
{
    return mef_is_entity(k->m->policy, gba_text(k->c->id), k->key.creator);
}

static bool is_target(const struct mef_call *k)
{
    const char *list = k->key.targets;
    struct gba_text item;

    while (mef_list_next(&list, &item))
        if (mef_is_entity(k->m->policy, item, k->c->id))
            return true;
    return false;
}

/* What let the source register it must let the target have it now: an instruction or a target's
 * row may have changed or gone, an enrolee too.  A GUSS that changed is not known here before
 * the source comes with it. */
static enum gba_err may_get(struct mef_call *k)
{
    struct mef_target t;
    int64_t until_s;
    enum gba_err err = mef_find_target(k->m, gba_text(k->c->id), &t);

    if (err == GBA_OK)
        err = mef_may(k->m, k->key.creator, &k->key.uss, &t, k->key.suid, k->now_s, &until_s);
    return err == GBA_E_NOT_FOUND ? GBA_E_FORBIDDEN : err;
}

/* With its line in the log. */
static enum gba_err give(void *arg)
{
    struct mef_call *k = arg;
    struct mef_store *s = k->m->store;
    char relative_id[MEF_RI_SIZE];
    enum gba_err err;

    memcpy(relative_id, k->key.relative_id, sizeof(relative_id));
    err = s->get_key(s, relative_id, &k->key);

    if (err == GBA_OK && k->key.expires_s <= k->now_s)
        err = GBA_E_NOT_FOUND;
    if (err == GBA_OK)
        err = is_target(k) ? may_get(k) : GBA_E_FORBIDDEN;
    return err == GBA_OK
               ? mef_note(k, "key.give", k->key.creator, k->key.relative_id, k->key.expires_s)
               : err;
}

/* 8.3.5.2.8: only a client that is in targetIDs, and still may be, gets the key.  It is read
 * again in the transaction of its line: what others have changed meanwhile is seen there, and
 * comes to the disk with the line or fails with it. */
enum m2m_rsc mef_retrieve_key(struct mef_call *k)
{
    struct mef_registry *g = k->m->registry;
    enum gba_err err = g->transact(g, give, k);

    if (err == GBA_E_NOT_FOUND) /* the key */
        return mef_store_rsc(k, err);
    if (err != GBA_OK)
        return no_right(k, err, is_target(k) ? "not allowed any more" : "not in targetIDs");
    represent(k);
    m2m_set_key(&k->out, &k->key.key);
    return M2M_RSC_OK;
}

/* An update lengthens no key past the end of the credential of the session that asks; one that
 * lived longer keeps its end.  (A key that another session exported is then kept by a client
 * that has proven itself anew.) */
static void cap_update(struct mef_call *k, int64_t before_s)
{
    int64_t until_s = before_s > k->c->expires_s ? before_s : k->c->expires_s;

    if (k->key.expires_s > until_s)
        k->key.expires_s = until_s;
}

enum m2m_rsc mef_update_key(struct mef_call *k)
{
    const int64_t before_s = k->key.expires_s;
    enum m2m_rsc rsc;
    bool labels, targets, expiry;

    if (!is_source(k))
        return mef_no(k, M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "key of another");
    rsc = mef_read(k, M2M_SYMM_KEY_REG, M2M_USE_UPDATE);
    if (rsc != M2M_RSC_OK)
        return rsc;
    labels = m2m_has(&k->in, M2M_A_LABELS) || m2m_is_null(&k->in, M2M_A_LABELS);
    targets = m2m_has(&k->in, M2M_A_TARGET_IDS);
    expiry = m2m_has(&k->in, M2M_A_EXPIRATION_TIME);
    if (targets)
        rsc = take_targets(k);
    if (rsc == M2M_RSC_OK)
        rsc = take_expiry(k);
    cap_update(k, before_s);
    if (rsc == M2M_RSC_OK && labels)
        rsc = take_labels(k);
    k->key.modified_s = k->now_s;
    if (rsc == M2M_RSC_OK)
        rsc = mef_store_rsc(k, k->m->store->set_key(k->m->store, &k->key));
    if (rsc != M2M_RSC_OK)
        return rsc;
    put_common(k); /* with what the request had, no more (8.3.5.2.9) */
    if (expiry)
        m2m_set_time(&k->out, M2M_A_EXPIRATION_TIME, k->key.expires_s);
    if (labels)
        mef_list_unpack(&k->out, M2M_A_LABELS, k->key.labels);
    if (targets)
        mef_list_unpack(&k->out, M2M_A_TARGET_IDS, k->key.targets);
    return M2M_RSC_OK;
}

enum m2m_rsc mef_delete_key(struct mef_call *k)
{
    if (!is_source(k))
        return mef_no(k, M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "key of another");
    return mef_store_rsc(k, k->m->store->del_key(k->m->store, k->key.relative_id));
}
