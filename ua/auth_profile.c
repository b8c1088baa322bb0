/*
 * authenticationProfiles that a command names: see auth_profile.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/auth_profile.h"

#include <stdio.h>
#include <string.h>

#include "common/m2m_keys.h"

/* ------------------------------------------------------------ consistency */

/* 8.3.9.9.2: what a profile of this SUID needs.  Suites: one of the two, TLS's or DTLS's
 * (10.2.2, 10.2.3). */
static const struct rule {
    unsigned suid;
    enum gba_ue_mo_parent parent;
    bool symm_key_id, my_cert, mef_client, maf_client; /* the last two with keyRegDuration */
    uint16_t suites[2];                                /* 0: none is asked for */
} rules[] = {
    {11, GBA_UE_MO_MAF_CLIENT_REG, true, false, false, false, {0x00ae, 0xc0a8}},
    {12, GBA_UE_MO_REGISTRATION, true, false, false, false, {0x00ae, 0xc0a8}},
    {13, GBA_UE_MO_DATA_COLLECTION, true, false, false, false, {0, 0}},
    {21, GBA_UE_MO_MAF_CLIENT_REG, false, false, true, false, {0x00ae, 0xc0a8}},
    {22, GBA_UE_MO_REGISTRATION, false, false, true, false, {0x00ae, 0xc0a8}},
    {23, GBA_UE_MO_DATA_COLLECTION, false, false, true, false, {0, 0}},
    {32, GBA_UE_MO_REGISTRATION, false, false, false, true, {0x00ae, 0xc0a8}},
    {33, GBA_UE_MO_DATA_COLLECTION, false, false, false, true, {0, 0}},
    {41, GBA_UE_MO_MAF_CLIENT_REG, false, true, false, false, {0xc023, 0xc0ae}},
    {42, GBA_UE_MO_REGISTRATION, false, true, false, false, {0xc023, 0xc0ae}},
    {43, GBA_UE_MO_DATA_COLLECTION, false, true, false, false, {0xc023, 0xc0ae}},
};

static const struct rule *find_rule(unsigned suid)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].suid == suid)
            return &rules[i];
    return NULL;
}

static bool has_suite(const struct gba_ue_auth_profile *p, const uint16_t suites[static 2])
{
    for (size_t i = 0; i < p->n_suites; i++)
        if (p->suites[i] == suites[0] || p->suites[i] == suites[1])
            return true;
    return suites[0] == 0;
}

/* In an MEF's session no key value may come by a management object (8.3.8). */
unsigned ue_profile_check(const struct gba_ue_auth_profile *p, unsigned suid)
{
    const struct rule *r = find_rule(p->suid);

    if (suid != 0 && suid != p->suid)
        return M2M_CMD_S_MO_NODE_UNACCEPTABLE_ARGS;
    if (r == NULL || p->parent != r->parent || p->symm_key_value ||
        (r->symm_key_id && !p->symm_key_id) || (r->my_cert && !p->my_cert_fingerprint) ||
        (r->mef_client && !p->mef_client_reg) || (r->maf_client && !p->maf_client_reg) ||
        ((r->mef_client || r->maf_client) && p->key_reg_s <= 0) || !has_suite(p, r->suites))
        return M2M_CMD_S_MO_NODE_INCONSISTENT_CONFIG;
    return M2M_CMD_S_OK;
}

bool ue_profile_needs_key(const struct gba_ue_auth_profile *p)
{
    const struct rule *r = find_rule(p->suid);

    return r != NULL && r->mef_client;
}

/* ------------------------------------------------------------ key registration */

/* keyValue is left out: the key is the session's export on both sides (8.3.5.2.7). */
static enum gba_err fill(const struct ue_key_reg *k, const struct gba_ue_auth_profile *p,
                         int64_t now_s, struct m2m_resource *r)
{
    enum gba_err err;

    m2m_resource_init(r, M2M_SYMM_KEY_REG);
    err = m2m_set_time(r, M2M_A_EXPIRATION_TIME, now_s + p->key_reg_s);
    for (size_t i = 0; err == GBA_OK && i < p->n_labels; i++)
        err = m2m_add(r, M2M_A_LABELS, gba_text(p->labels[i]));
    if (err == GBA_OK)
        err = m2m_set_text(r, M2M_A_FQDN, gba_text(k->mef_fqdn));
    if (err == GBA_OK)
        err = m2m_set_text(r, M2M_A_ADMIN_FQDN, gba_text(k->admin_fqdn));
    if (err == GBA_OK)
        err = m2m_set_number(r, M2M_A_SUID, k->suid);
    return err == GBA_OK ? m2m_add(r, M2M_A_TARGET_IDS, gba_text(k->target)) : err;
}

enum gba_err ue_key_reg_begin(struct ue_key_reg *k, const struct gba_ue_auth_profile *p,
                              int64_t now_s, const uint8_t entropy[static 16])
{
    struct m2m_resource r;
    char to[GBA_UE_FQDN_SIZE + 8];
    enum gba_err err;

    k->suid = p->suid;
    if (p->target == NULL || p->key_reg_s > INT64_MAX - now_s ||
        gba_text_copy(k->target, sizeof(k->target), gba_text(p->target)) != GBA_OK)
        return GBA_E_ARGUMENT;
    snprintf(to, sizeof(to), "//%s/-", k->mef_fqdn);
    err = fill(k, p, now_s, &r);
    if (err == GBA_OK)
        err = m2m_exchange_begin(&k->q, M2M_OP_CREATE, to, k->originator, entropy, &r,
                                 M2M_EXPORT_CONNECTION);
    m2m_resource_wipe(&r);
    return err == GBA_OK ? GBA_OK : GBA_E_ARGUMENT;
}

/* 8.3.9.9.4: what the MEF says is what was asked for; it may shorten a life. */
static bool is_ours(const struct ue_key_reg *k, const struct m2m_resource *r, int64_t now_s)
{
    char admin[GBA_FQDN_SIZE];

    return m2m_time(r, M2M_A_EXPIRATION_TIME) > now_s &&
           (k->originator[0] == '\0' ||
            gba_text_is(m2m_text(r, M2M_A_CREATOR), k->originator)) &&
           gba_fqdn_canonical(m2m_text(r, M2M_A_ADMIN_FQDN), admin) == GBA_OK &&
           gba_text_is(gba_text(admin), k->admin_fqdn) &&
           m2m_number(r, M2M_A_SUID) == k->suid && m2m_items(r, M2M_A_TARGET_IDS) == 1 &&
           gba_text_is(m2m_item(r, M2M_A_TARGET_IDS, 0), k->target);
}

unsigned ue_key_reg_answer(struct ue_key_reg *k, const struct gba_ue_reply *reply,
                           int64_t now_s)
{
    struct m2m_problem problem;
    struct m2m_response rs;
    struct m2m_resource r;
    bool ok;

    if (m2m_exchange_read(&k->q, k->by_certificate, reply, &rs) != GBA_OK ||
        !m2m_rsc_is_success(rs.rsc) ||
        m2m_codec_read(rs.pc, rs.format, M2M_SYMM_KEY_REG, M2M_USE_ANSWER, &r, &problem) !=
            M2M_RSC_OK)
        return M2M_CMD_S_MO_NODE_EXECUTION_ERROR;
    k->expires_s = m2m_time(&r, M2M_A_EXPIRATION_TIME);
    ok = is_ours(k, &r, now_s) &&
         m2m_export_split(reply->exported, gba_text(k->mef_fqdn), k->key_id, &k->key) ==
             GBA_OK &&
         m2m_text(&r, M2M_A_RELATIVE_KEY_ID).n == 32 &&
         gba_text_eq_nocase(m2m_text(&r, M2M_A_RELATIVE_KEY_ID),
                            (struct gba_text){k->key_id, 32});
    m2m_resource_wipe(&r);
    return ok ? M2M_CMD_S_OK : M2M_CMD_S_MO_NODE_EXECUTION_ERROR;
}
