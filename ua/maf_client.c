/*
 * The device's decisions with a MAF: see maf_client.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/maf_client.h"

#include <stdio.h>
#include <string.h>

#include "common/m2m_keys.h"
#include "common/secret.h"

typedef enum gba_err maf_action(struct maf_client *m, const struct maf_happened *ev);

static enum gba_err fail(struct maf_client *m, enum gba_err err, const char *why)
{
    m->why = why;
    return err;
}

/* ------------------------------------------------------------ requests */

static enum gba_err send(struct maf_client *m, const struct maf_happened *ev, enum m2m_op op,
                         const char *to, struct m2m_resource *r, enum gba_err err,
                         const char *export_label)
{
    if (err == GBA_OK)
        err = m2m_exchange_begin(&m->exchange, op, to, m->originator, ev->entropy, r,
                                 export_label);
    m2m_resource_wipe(r);
    return err == GBA_OK ? GBA_OK : fail(m, GBA_E_ARGUMENT, "the request does not fit");
}

static void base(const struct maf_client *m, char to[static M2M_TO_SIZE])
{
    snprintf(to, M2M_TO_SIZE, "//%s/-", m->maf_fqdn);
}

/* 8.8.2.3 */
static enum gba_err register_client(struct maf_client *m, const struct maf_happened *ev)
{
    char to[M2M_TO_SIZE];
    struct m2m_resource r;
    enum gba_err err;

    m->err = GBA_OK;
    m->why = "";
    base(m, to);
    m2m_resource_init(&r, M2M_MAF_CLIENT_REG);
    err = m2m_set_time(&r, M2M_A_EXPIRATION_TIME, m->expires_s);
    if (err == GBA_OK)
        err = m2m_set_text(&r, M2M_A_FQDN, gba_text(m->maf_fqdn));
    if (err == GBA_OK)
        err = m2m_set_text(&r, M2M_A_ADMIN_FQDN, gba_text(m->admin_fqdn));
    return send(m, ev, M2M_OP_CREATE, to, &r, err, M2M_EXPORT_CONNECTION);
}

/* 8.8.2.5: an update of the registration of before, in a session of the new Km. */
static enum gba_err rename_key(struct maf_client *m, const struct maf_happened *ev,
                               const char *location)
{
    struct m2m_resource r;
    enum gba_err err;

    m2m_resource_init(&r, M2M_MAF_CLIENT_REG);
    err = m2m_set_time(&r, M2M_A_EXPIRATION_TIME, m->expires_s);
    m->next = MAF_RENAMING;
    return send(m, ev, M2M_OP_UPDATE, location, &r, err, M2M_EXPORT_CONNECTION);
}

/* 8.8.2.7: without keyValue, for both ends export it. */
static enum gba_err register_key(struct maf_client *m, const struct maf_happened *ev)
{
    char to[M2M_TO_SIZE];
    struct m2m_resource r;
    enum gba_err err;

    base(m, to);
    m2m_resource_init(&r, M2M_SYMM_KEY_REG);
    err = m2m_set_time(&r, M2M_A_EXPIRATION_TIME, m->expires_s);
    if (err == GBA_OK)
        err = m2m_set_text(&r, M2M_A_ADMIN_FQDN, gba_text(m->admin_fqdn));
    if (err == GBA_OK)
        err = m2m_set_number(&r, M2M_A_SUID, m->suid);
    if (err == GBA_OK)
        err = m2m_add(&r, M2M_A_TARGET_IDS, gba_text(m->target));
    m->next = MAF_KEYING;
    return send(m, ev, M2M_OP_CREATE, to, &r, err, M2M_EXPORT_CONNECTION);
}

/* 8.8.2.10 */
static enum gba_err end_key(struct maf_client *m, const struct maf_happened *ev)
{
    char to[M2M_TO_SIZE];
    struct m2m_key_id id;

    if (m2m_key_id_parse(gba_text(m->before), &id) != GBA_OK)
        return fail(m, GBA_E_ARGUMENT, "not a KcID");
    snprintf(to, sizeof(to), "//%s/-/%.*s", m->maf_fqdn, (int)id.left.n, id.left.s);
    m->next = MAF_ENDING;
    return m2m_exchange_begin(&m->exchange, M2M_OP_DELETE, to, m->originator, ev->entropy, NULL,
                              NULL);
}

/* ------------------------------------------------------------ answers */

static enum gba_err refusal(struct maf_client *m, const struct m2m_response *rs)
{
    if (rs->rsc >= 5000 && rs->rsc != M2M_RSC_RECEIVER_HAS_NO_PRIVILEGE)
        return fail(m, GBA_E_OVERLOAD, "the MAF cannot serve now");
    if (rs->rsc == M2M_RSC_BAD_REQUEST || rs->rsc == M2M_RSC_CONTENTS_UNACCEPTABLE)
        return fail(m, GBA_E_PROTOCOL, "the MAF does not understand the request");
    return fail(m, GBA_E_REFUSED,
                m->state == MAF_KEYING ? "the MAF refuses a key for this target"
                                       : "the MAF refuses the registration");
}

static enum gba_err read_answer(struct maf_client *m, const struct maf_happened *ev,
                                struct m2m_response *rs)
{
    /* Authenticated by Km alone, or by certificates on both sides. */
    enum gba_err err = m2m_exchange_read(&m->exchange, m->by_certificate, ev->reply, rs);

    if (err == GBA_E_DOWNGRADE)
        return fail(m, err, "the session was not made with the device's key");
    if (err != GBA_OK)
        return fail(m, err, "not an answer of a MAF");
    m->rsc = rs->rsc;
    return GBA_OK;
}

static enum gba_err read_content(struct maf_client *m, const struct m2m_response *rs,
                                 enum m2m_type type, struct m2m_resource *r)
{
    struct m2m_problem problem;

    return m2m_codec_read(rs->pc, rs->format, type, M2M_USE_ANSWER, r, &problem) == M2M_RSC_OK
               ? GBA_OK
               : fail(m, GBA_E_PROTOCOL, "the MAF's answer cannot be read");
}

/* assignedSymmKeyID: Km's name from now on. */
static enum gba_err take_name(struct maf_client *m, const struct m2m_response *rs)
{
    struct m2m_resource r;
    struct gba_text name;
    enum gba_err err = read_content(m, rs, M2M_MAF_CLIENT_REG, &r);

    if (err != GBA_OK)
        return err;
    name = m2m_text(&r, M2M_A_ASSIGNED_SYMM_KEY_ID);
    if (name.n != 0 && m->km_id[0] != '\0' &&
        gba_text_copy(m->km_id, sizeof(m->km_id), name) != GBA_OK)
        err = fail(m, GBA_E_PROTOCOL, "the MAF's name of Km is too long");
    m2m_resource_wipe(&r);
    return err;
}

static enum gba_err registered(struct maf_client *m, const struct maf_happened *ev)
{
    struct m2m_response rs;
    enum gba_err err = read_answer(m, ev, &rs);

    if (err != GBA_OK)
        return err;
    if (rs.rsc == M2M_RSC_ORIGINATOR_HAS_ALREADY_REGISTERED || rs.rsc == M2M_RSC_CONFLICT)
        return m2m_is_ke_id_of_another(gba_text(m->km_id), m->maf_fqdn) &&
                       rs.location[0] != '\0'
                   ? rename_key(m, ev, rs.location)
                   : register_key(m, ev);
    if (!m2m_rsc_is_success(rs.rsc))
        return refusal(m, &rs);
    err = take_name(m, &rs);
    return err == GBA_OK ? register_key(m, ev) : err;
}

static enum gba_err renamed(struct maf_client *m, const struct maf_happened *ev)
{
    struct m2m_response rs;
    enum gba_err err = read_answer(m, ev, &rs);

    if (err == GBA_OK && !m2m_rsc_is_success(rs.rsc))
        err = refusal(m, &rs);
    if (err == GBA_OK)
        err = take_name(m, &rs);
    return err == GBA_OK ? register_key(m, ev) : err;
}

/* The MAF may grant less than was asked for; its identifier must be the exporter's (10.3.5). */
static enum gba_err check_key(struct maf_client *m, const struct m2m_resource *r, int64_t now_s)
{
    struct m2m_key_id id;
    struct gba_text relative = m2m_text(r, M2M_A_RELATIVE_KEY_ID);
    struct gba_text taken = m2m_text(r, M2M_A_RESOURCE_ID);

    if (relative.n == 0)
        relative = taken;
    if (m2m_key_id_parse(gba_text(m->kc.key_id), &id) != GBA_OK ||
        !gba_text_eq_nocase(relative, id.left))
        return fail(m, GBA_E_PROTOCOL, "the MAF names another key than the session exports");
    if (m2m_has(r, M2M_A_EXPIRATION_TIME) &&
        m2m_time(r, M2M_A_EXPIRATION_TIME) < m->kc.expires_s)
        m->kc.expires_s = m2m_time(r, M2M_A_EXPIRATION_TIME);
    return m->kc.expires_s > now_s
               ? GBA_OK
               : fail(m, GBA_E_EXPIRED, "the MAF grants a lifetime that is over");
}

static enum gba_err keyed(struct maf_client *m, const struct maf_happened *ev)
{
    struct m2m_response rs;
    struct m2m_resource r;
    struct gba_key kc;
    enum gba_err err = read_answer(m, ev, &rs);

    if (err == GBA_OK && !m2m_rsc_is_success(rs.rsc))
        err = refusal(m, &rs);
    if (err != GBA_OK)
        return err;
    memset(&m->kc, 0, sizeof(m->kc));
    m->kc.kind = GBA_UE_KC;
    memcpy(m->kc.target, m->target, sizeof(m->kc.target));
    memcpy(m->kc.fqdn, m->target_fqdn, sizeof(m->kc.fqdn));
    m->kc.expires_s = m->expires_s;
    err = m2m_export_split(ev->reply->exported, gba_text(m->maf_fqdn), m->kc.key_id, &kc);
    if (err == GBA_OK) {
        memcpy(m->kc.key, kc.octets, sizeof(m->kc.key));
        err = read_content(m, &rs, M2M_SYMM_KEY_REG, &r);
    }
    if (err == GBA_OK) {
        err = check_key(m, &r, ev->now_s);
        m2m_resource_wipe(&r);
    }
    gba_wipe(&kc, sizeof(kc));
    m->next = MAF_DONE;
    return err == GBA_OK && m->before[0] != '\0' ? end_key(m, ev) : err;
}

/* The new key is good, whatever becomes of the other. */
static enum gba_err ended(struct maf_client *m, const struct maf_happened *ev)
{
    struct m2m_response rs;

    if (m2m_exchange_read(&m->exchange, m->by_certificate, ev->reply, &rs) != GBA_OK ||
        (!m2m_rsc_is_success(rs.rsc) && rs.rsc != M2M_RSC_NOT_FOUND))
        m->why = "the MAF keeps the key of before until that expires";
    return GBA_OK;
}

static enum gba_err not_ended(struct maf_client *m, const struct maf_happened *ev)
{
    (void)ev;
    m->why = "the MAF could not be told that the key of before is not used any more";
    return GBA_OK;
}

static enum gba_err lost(struct maf_client *m, const struct maf_happened *ev)
{
    return fail(m, ev->err == GBA_OK ? GBA_E_UNREACHABLE : ev->err, "");
}

/* ------------------------------------------------------------ the machine */

static const struct {
    maf_action *act;
    enum maf_state next; /* unless the action says another */
    const char *clause;
} rules[MAF_N_STATES][MAF_N_EVENTS] = {
    [MAF_IDLE][MAF_START] = {register_client, MAF_REGISTERING, "TS-0003 8.8.2.3"},
    [MAF_REGISTERING][MAF_ANSWER] = {registered, MAF_KEYING, "TS-0003 8.8.2.3"},
    [MAF_REGISTERING][MAF_LOST] = {lost, MAF_FAILED, ""},
    [MAF_RENAMING][MAF_ANSWER] = {renamed, MAF_KEYING, "TS-0003 8.8.2.5"},
    [MAF_RENAMING][MAF_LOST] = {lost, MAF_FAILED, ""},
    [MAF_KEYING][MAF_ANSWER] = {keyed, MAF_DONE, "TS-0003 8.8.2.7, 10.3.5"},
    [MAF_KEYING][MAF_LOST] = {lost, MAF_FAILED, ""},
    [MAF_ENDING][MAF_ANSWER] = {ended, MAF_DONE, "TS-0003 8.8.2.10"},
    [MAF_ENDING][MAF_LOST] = {not_ended, MAF_DONE, ""},
}; /* every pair not listed is refused in maf_client_step */

enum gba_err maf_client_step(struct maf_client *m, const struct maf_happened *ev)
{
    enum gba_err err;

    if ((size_t)ev->event >= MAF_N_EVENTS || (ev->event == MAF_ANSWER && ev->reply == NULL))
        return GBA_E_ARGUMENT;
    if (rules[m->state][ev->event].act == NULL)
        return GBA_E_UNEXPECTED; /* the only place that says no */
    m->next = rules[m->state][ev->event].next;
    err = rules[m->state][ev->event].act(m, ev);
    m->state = err == GBA_OK ? m->next : MAF_FAILED;
    if (err != GBA_OK) {
        m->err = err;
        gba_wipe(&m->kc, sizeof(m->kc));
    }
    return GBA_OK;
}

static bool copy(char *out, size_t cap, const char *text)
{
    return gba_text_copy(out, cap, gba_text(text)) == GBA_OK;
}

/* A KcID is at the MAF that its right half names. */
static bool is_of(const char *kc_id, const char *maf_fqdn)
{
    struct m2m_key_id id;

    return m2m_key_id_parse(gba_text(kc_id), &id) == GBA_OK &&
           gba_text_eq_nocase(id.fqdn, gba_text(maf_fqdn));
}

enum gba_err maf_client_init(struct maf_client *m, const struct gba_ue_maf_config *c,
                             const char *km_id, const char *before)
{
    memset(m, 0, sizeof(*m));
    m->why = "";
    m->suid = c->suid != 0 ? c->suid : 32;
    m->expires_s = c->expires_s;
    m->by_certificate = km_id == NULL;
    if (c->target == NULL || c->maf_fqdn == NULL || m2m_suid_find(m->suid) == NULL ||
        m2m_suid_find(m->suid)->source != M2M_KEY_MAF ||
        !copy(m->target, sizeof(m->target), c->target) ||
        (km_id != NULL && !copy(m->km_id, sizeof(m->km_id), km_id)) ||
        (c->originator != NULL && !copy(m->originator, sizeof(m->originator), c->originator)) ||
        gba_fqdn_canonical(gba_text(c->maf_fqdn), m->maf_fqdn) != GBA_OK ||
        (c->target_fqdn != NULL ? gba_fqdn_canonical(gba_text(c->target_fqdn), m->target_fqdn)
                                : gba_ue_target_fqdn(c->target, m->target_fqdn)) != GBA_OK ||
        m2m_exchange_admin(c->admin_fqdn, c->target, m->admin_fqdn) != GBA_OK ||
        (before != NULL &&
         (!is_of(before, m->maf_fqdn) || !copy(m->before, sizeof(m->before), before))))
        return GBA_E_ARGUMENT;
    return GBA_OK;
}
