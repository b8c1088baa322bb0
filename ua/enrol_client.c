/*
 * The device's side of oneM2M enrolment (TS-0003 8.3.2).  Where the target is a NAF (8.3.2.3)
 * nothing is exchanged.  Else the device registers with the MEF in the TLS session whose
 * exporter gives Ke and KeID: by a pre-provisioned key (8.3.2.1, also the NAF key of a MEF that
 * is a NAF) or by certificate (8.3.2.2).  Decisions only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/enrol_client.h"

#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "common/secret.h"

typedef enum gba_err enrol_action(struct gba_ue_enrol *e, const struct gba_ue_enrol_event *ev);

/* A MAF-ID is an FQDN, a CSE-ID begins with '/' (TS-0001 7.2). */
static bool is_maf(const char *target)
{
    return target[0] != '/' && strchr(target, '.') != NULL;
}

enum gba_err gba_ue_target_fqdn(const char *target, char out[GBA_UE_FQDN_SIZE])
{
    struct m2m_id id;
    enum gba_err err;

    if (is_maf(target))
        return gba_fqdn_canonical(gba_text(target), out);
    err = m2m_cse_id_parse(gba_text(target), &id);
    return err == GBA_OK ? m2m_cse_domain(&id, GBA_TEXT(""), out) : err;
}

/* TS-0003 8.3.2.3: Kpsa is the NAF key, KpsaID = KeID = B-TID. */
enum gba_err gba_ue_enrol_gba(const char *target, const struct gba_ue_naf_key *key,
                              struct gba_ue_credential *out)
{
    memset(out, 0, sizeof(*out));
    if (gba_text_copy(out->target, sizeof(out->target), gba_text(target)) != GBA_OK)
        return GBA_E_TOO_LONG;
    out->kind = is_maf(target) ? GBA_UE_KM : GBA_UE_KPSA;
    memcpy(out->fqdn, key->fqdn, sizeof(out->fqdn));
    strcpy(out->key_id, key->btid);
    out->expires_s = key->expires_s;
    memcpy(out->key, key->key, sizeof(out->key));
    return GBA_OK;
}

/* --- the second way ----------------------------------------------------------------------- */

static enum gba_err fail(struct gba_ue_enrol *e, enum gba_err err, const char *why)
{
    e->why = why;
    return err;
}

/* TS-0003 8.3.5.2.3: expirationTime and adminFQDN are mandatory. */
static enum gba_err begin(struct gba_ue_enrol *e, const struct gba_ue_enrol_event *ev)
{
    char to[M2M_TO_SIZE];
    struct m2m_resource r;
    enum gba_err err;

    e->err = GBA_OK;
    e->why = "";
    e->rsc = 0;
    e->dbg[0] = '\0';
    snprintf(to, sizeof(to), "//%s/-", e->mef_fqdn);
    m2m_resource_init(&r, M2M_MEF_CLIENT_REG);
    err = m2m_set_time(&r, M2M_A_EXPIRATION_TIME, e->expires_s);
    if (err == GBA_OK)
        err = m2m_set_text(&r, M2M_A_FQDN, gba_text(e->mef_fqdn));
    if (err == GBA_OK)
        err = m2m_set_text(&r, M2M_A_ADMIN_FQDN, gba_text(e->admin_fqdn));
    if (err == GBA_OK)
        err = m2m_exchange_begin(&e->exchange, M2M_OP_CREATE, to, e->originator, ev->entropy,
                                 &r, M2M_EXPORT_BOOTSTRAP);
    m2m_resource_wipe(&r);
    return err == GBA_OK ? GBA_OK : fail(e, GBA_E_ARGUMENT, "the registration does not fit");
}

/* Enrolee-B-ID of 10.3.3: the Absolute form of the target's CSE-ID. */
static enum gba_err kpsa(const struct gba_ue_enrol *e, const struct gba_key *ke,
                         struct gba_key *key)
{
    char absolute[M2M_ID_SIZE];
    struct m2m_id id;
    enum gba_err err = m2m_cse_id_parse(gba_text(e->target), &id);

    if (err == GBA_OK)
        err = m2m_id_absolute(&id, gba_text(e->admin_fqdn), absolute);
    return err == GBA_OK ? m2m_kpsa(ke, gba_text(absolute), key) : err;
}

/* TS-0003 10.3.1, 10.3.4, then 10.3.7, 10.3.3 or 10.3.2: what the target will get for this
 * KeID. */
static enum gba_err derive(struct gba_ue_enrol *e, const struct gba_ue_reply *reply)
{
    struct gba_ue_credential *c = &e->credential;
    char suid[8];
    struct gba_key ke, key;
    enum gba_err err = m2m_export_split(reply->exported, gba_text(e->mef_fqdn), c->key_id, &ke);

    snprintf(suid, sizeof(suid), "%u", e->suid);
    if (err == GBA_OK && e->derivation == GBA_UE_DERIVE_USAGE)
        err =
            m2m_usage_key(&ke, gba_text_bytes(gba_text(suid)), gba_text(e->target_fqdn), &key);
    else if (err == GBA_OK && e->derivation == GBA_UE_DERIVE_KPSA)
        err = kpsa(e, &ke, &key);
    else if (err == GBA_OK)
        err = m2m_km(&ke, gba_text(e->target_fqdn), &key);
    if (err == GBA_OK)
        memcpy(c->key, key.octets, sizeof(c->key));
    gba_wipe(&ke, sizeof(ke));
    gba_wipe(&key, sizeof(key));
    return err == GBA_OK ? GBA_OK : fail(e, err, "no key could be derived");
}

static void name_credential(struct gba_ue_enrol *e)
{
    static const enum gba_ue_credential_kind kinds[] = {[GBA_UE_DERIVE_USAGE] =
                                                            GBA_UE_USAGE_KEY,
                                                        [GBA_UE_DERIVE_KPSA] = GBA_UE_KPSA,
                                                        [GBA_UE_DERIVE_KM] = GBA_UE_KM};

    memset(&e->credential, 0, sizeof(e->credential));
    e->credential.kind = kinds[e->derivation];
    strcpy(e->credential.target, e->target);
    strcpy(e->credential.fqdn, e->target_fqdn);
    e->credential.expires_s = e->expires_s;
}

/* The MEF may grant less than was asked (8.3.5.2.3), never more: Kpsa must not outlive Ke
 * (10.7). */
static enum gba_err read_registration(struct gba_ue_enrol *e, const struct m2m_response *rs,
                                      int64_t now_s)
{
    struct m2m_problem problem;
    struct m2m_resource r;
    enum gba_err err = GBA_OK;

    if (rs->pc.n == 0)
        return GBA_OK;
    if (m2m_codec_read(rs->pc, rs->format, M2M_MEF_CLIENT_REG, M2M_USE_ANSWER, &r, &problem) !=
        M2M_RSC_OK)
        return fail(e, GBA_E_PROTOCOL, "the MEF's registration cannot be read");
    if (m2m_has(&r, M2M_A_EXPIRATION_TIME) &&
        m2m_time(&r, M2M_A_EXPIRATION_TIME) < e->credential.expires_s)
        e->credential.expires_s = m2m_time(&r, M2M_A_EXPIRATION_TIME);
    if (e->credential.expires_s <= now_s)
        err = fail(e, GBA_E_EXPIRED, "the MEF grants a lifetime that is over");
    else if (m2m_has(&r, M2M_A_ADMIN_FQDN) &&
             !gba_text_eq_nocase(m2m_text(&r, M2M_A_ADMIN_FQDN), gba_text(e->admin_fqdn)))
        err = fail(e, GBA_E_PROTOCOL, "the MEF registers for another stakeholder");
    m2m_resource_wipe(&r);
    return err;
}

static enum gba_err refusal(struct gba_ue_enrol *e, const struct m2m_response *rs)
{
    m2m_codec_read_problem(rs->pc, rs->format, e->dbg, sizeof(e->dbg));
    if (rs->rsc >= 5000 && rs->rsc != M2M_RSC_RECEIVER_HAS_NO_PRIVILEGE)
        return fail(e, GBA_E_OVERLOAD, "the MEF cannot serve now");
    if (rs->rsc == M2M_RSC_BAD_REQUEST || rs->rsc == M2M_RSC_CONTENTS_UNACCEPTABLE)
        return fail(e, GBA_E_PROTOCOL, "the MEF does not understand the registration");
    return fail(e, GBA_E_REFUSED, "the MEF refuses the registration");
}

/* Where the registration is, also one of before; only at this MEF. */
static void note_registration(struct gba_ue_enrol *e, const struct m2m_response *rs)
{
    struct m2m_target to;

    e->registration[0] = '\0';
    if (m2m_target_parse(gba_text(rs->location), &to) == GBA_OK && to.n == 1 &&
        (to.fqdn.n == 0 || gba_text_eq_nocase(to.fqdn, gba_text(e->mef_fqdn))))
        memcpy(e->registration, rs->location, sizeof(e->registration));
}

static enum gba_err read_answer(struct gba_ue_enrol *e, const struct gba_ue_enrol_event *ev,
                                struct m2m_response *rs)
{
    /* Authenticated by Kpm alone, or by certificates on both sides; without export it is not
     * this framework. */
    enum gba_err err = m2m_exchange_read(&e->exchange, e->by_certificate, ev->reply, rs);

    if (err == GBA_E_DOWNGRADE)
        return fail(e, err, "the session was not made with the device's key");
    if (err != GBA_OK)
        return fail(e, err, "not an answer of a MEF");
    e->rsc = rs->rsc;
    name_credential(e);
    return GBA_OK;
}

/* 8.3.5.2.5: the registration of before stands, and lives on; the handshake has made a new Ke.
 */
static enum gba_err renew(struct gba_ue_enrol *e, const struct gba_ue_enrol_event *ev)
{
    struct m2m_resource r;
    enum gba_err err;

    m2m_resource_init(&r, M2M_MEF_CLIENT_REG);
    err = m2m_set_time(&r, M2M_A_EXPIRATION_TIME, e->expires_s);
    if (err == GBA_OK)
        err = m2m_exchange_begin(&e->exchange, M2M_OP_UPDATE, e->registration, e->originator,
                                 ev->entropy, &r, M2M_EXPORT_BOOTSTRAP);
    m2m_resource_wipe(&r);
    e->next = ENROL_RENEWING;
    return err == GBA_OK ? GBA_OK : fail(e, GBA_E_ARGUMENT, "the update does not fit");
}

static enum gba_err accepted(struct gba_ue_enrol *e, const struct gba_ue_enrol_event *ev,
                             const struct m2m_response *rs)
{
    enum gba_err err = read_registration(e, rs, ev->now_s);

    return err == GBA_OK ? derive(e, ev->reply) : err;
}

static enum gba_err answered(struct gba_ue_enrol *e, const struct gba_ue_enrol_event *ev)
{
    struct m2m_response rs;
    enum gba_err err = read_answer(e, ev, &rs);

    if (err != GBA_OK)
        return err;
    note_registration(e, &rs);
    if (rs.rsc == M2M_RSC_ORIGINATOR_HAS_ALREADY_REGISTERED || rs.rsc == M2M_RSC_CONFLICT)
        return e->registration[0] != '\0' ? renew(e, ev) : derive(e, ev->reply);
    return m2m_rsc_is_success(rs.rsc) ? accepted(e, ev, &rs) : refusal(e, &rs);
}

static enum gba_err renewed(struct gba_ue_enrol *e, const struct gba_ue_enrol_event *ev)
{
    struct m2m_response rs;
    enum gba_err err = read_answer(e, ev, &rs);

    if (err != GBA_OK)
        return err;
    return m2m_rsc_is_success(rs.rsc) ? accepted(e, ev, &rs) : refusal(e, &rs);
}

static enum gba_err lost(struct gba_ue_enrol *e, const struct gba_ue_enrol_event *ev)
{
    return fail(e, ev->err == GBA_OK ? GBA_E_UNREACHABLE : ev->err, "");
}

static const struct enrol_rule {
    enrol_action *act;
    enum enrol_state next;
    const char *clause;
} rules[ENROL_N_STATES][ENROL_N_EVENTS] = {
    [ENROL_IDLE][ENROL_START] = {begin, ENROL_REGISTERING, "TS-0003 8.3.5.2.3"},
    [ENROL_REGISTERING][ENROL_ANSWER] = {answered, ENROL_DONE, "TS-0003 8.3.2.1"},
    [ENROL_REGISTERING][ENROL_LOST] = {lost, ENROL_FAILED, ""},
    [ENROL_RENEWING][ENROL_ANSWER] = {renewed, ENROL_DONE, "TS-0003 8.3.5.2.5"},
    [ENROL_RENEWING][ENROL_LOST] = {lost, ENROL_FAILED, ""},
    [ENROL_DONE][ENROL_START] = {begin, ENROL_REGISTERING, "TS-0003 10.7"},
    [ENROL_FAILED][ENROL_START] = {begin, ENROL_REGISTERING, "TS-0003 10.7"},
}; /* every pair not listed is refused in gba_ue_enrol_step */

static const enum gba_ue_enrol_todo todos[ENROL_N_STATES] = {
    [ENROL_IDLE] = GBA_UE_ENROL_FAILED,   [ENROL_REGISTERING] = GBA_UE_ENROL_SEND,
    [ENROL_RENEWING] = GBA_UE_ENROL_SEND, [ENROL_DONE] = GBA_UE_ENROL_DONE,
    [ENROL_FAILED] = GBA_UE_ENROL_FAILED,
};

enum gba_err gba_ue_enrol_step(struct gba_ue_enrol *e, const struct gba_ue_enrol_event *ev,
                               enum gba_ue_enrol_todo *todo)
{
    static const enum enrol_event events[] = {[GBA_UE_ENROL_EV_START] = ENROL_START,
                                              [GBA_UE_ENROL_EV_REPLY] = ENROL_ANSWER,
                                              [GBA_UE_ENROL_EV_NO_REPLY] = ENROL_LOST};
    const struct enrol_rule *rule;
    enum gba_err err;

    if ((size_t)ev->happened >= sizeof(events) / sizeof(events[0]) ||
        (ev->happened == GBA_UE_ENROL_EV_REPLY && ev->reply == NULL))
        return GBA_E_ARGUMENT;
    rule = &rules[e->state][events[ev->happened]];
    if (rule->act == NULL)
        return GBA_E_UNEXPECTED; /* the only place that says no */
    e->next = rule->next;
    err = rule->act(e, ev);
    e->state = err == GBA_OK ? e->next : ENROL_FAILED;
    if (err != GBA_OK) {
        e->err = err;
        gba_wipe(&e->credential, sizeof(e->credential));
    }
    *todo = todos[e->state];
    return GBA_OK;
}

size_t gba_ue_enrol_size(void)
{
    return sizeof(struct gba_ue_enrol);
}

static bool copy(char *out, size_t cap, const char *text)
{
    return gba_text_copy(out, cap, gba_text(text)) == GBA_OK;
}

struct gba_ue_enrol *gba_ue_enrol_init(void *mem, size_t len,
                                       const struct gba_ue_enrol_config *c)
{
    struct gba_ue_enrol *e = mem;

    if (mem == NULL || len < sizeof(*e) || (uintptr_t)mem % alignof(struct gba_ue_enrol) != 0 ||
        c->target == NULL || c->mef_fqdn == NULL)
        return NULL;
    memset(e, 0, sizeof(*e));
    e->why = "";
    e->suid = c->suid != 0 ? c->suid : 22;
    e->derivation = c->derivation;
    e->by_certificate = c->by_certificate;
    e->expires_s = c->expires_s;
    if (!copy(e->target, sizeof(e->target), c->target) ||
        (c->originator != NULL && !copy(e->originator, sizeof(e->originator), c->originator)) ||
        gba_fqdn_canonical(gba_text(c->mef_fqdn), e->mef_fqdn) != GBA_OK ||
        m2m_suid_find(e->suid) == NULL ||
        (c->target_fqdn != NULL ? gba_fqdn_canonical(gba_text(c->target_fqdn), e->target_fqdn)
                                : gba_ue_target_fqdn(c->target, e->target_fqdn)) != GBA_OK ||
        m2m_exchange_admin(c->admin_fqdn, c->target, e->admin_fqdn) != GBA_OK)
        return NULL;
    return e;
}

const struct gba_ue_request *gba_ue_enrol_request(const struct gba_ue_enrol *e,
                                                  const char **target)
{
    *target = e->exchange.call.target;
    return &e->exchange.request;
}

enum gba_err gba_ue_enrol_credential(const struct gba_ue_enrol *e,
                                     struct gba_ue_credential *out)
{
    if (e->state != ENROL_DONE)
        return GBA_E_UNEXPECTED;
    *out = e->credential;
    return GBA_OK;
}

enum gba_err gba_ue_enrol_error(const struct gba_ue_enrol *e)
{
    return e->err;
}

const char *gba_ue_enrol_why(const struct gba_ue_enrol *e)
{
    return e->why;
}

const char *gba_ue_enrol_registration(const struct gba_ue_enrol *e)
{
    return e->registration;
}

unsigned gba_ue_enrol_rsc(const struct gba_ue_enrol *e)
{
    return e->rsc;
}

const char *gba_ue_enrol_rsc_name(const struct gba_ue_enrol *e)
{
    return e->rsc != 0 ? m2m_rsc_name(e->rsc) : "";
}

const char *gba_ue_enrol_dbg(const struct gba_ue_enrol *e)
{
    return e->dbg;
}

void gba_ue_enrol_end(struct gba_ue_enrol *e)
{
    gba_wipe(e, sizeof(*e));
}
