/*
 * The device's decisions when it leaves an administrating stakeholder: see leave_client.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/leave_client.h"

#include <stdio.h>
#include <string.h>

#include "common/secret.h"

#define ASKED_LIFE_S 60 /* of a registration that is made only to be deleted */

typedef enum gba_err leave_action(struct leave_client *l, const struct leave_happened *ev);

static enum gba_err fail(struct leave_client *l, enum gba_err err, const char *why)
{
    l->why = why;
    return err;
}

/* The registration of before is named by 4117; a new one, where there was none, is ours to
 * delete too. */
static enum gba_err find(struct leave_client *l, const struct leave_happened *ev)
{
    char to[M2M_TO_SIZE];
    struct m2m_resource r;
    enum gba_err err;

    l->err = GBA_OK;
    l->why = "";
    snprintf(to, sizeof(to), "//%s/-", l->mef_fqdn);
    m2m_resource_init(&r, M2M_MEF_CLIENT_REG);
    err = m2m_set_time(&r, M2M_A_EXPIRATION_TIME, ev->now_s + ASKED_LIFE_S);
    if (err == GBA_OK)
        err = m2m_set_text(&r, M2M_A_ADMIN_FQDN, gba_text(l->admin_fqdn));
    if (err == GBA_OK)
        err = m2m_exchange_begin(&l->exchange, M2M_OP_CREATE, to, l->originator, ev->entropy,
                                 &r, NULL);
    m2m_resource_wipe(&r);
    return err == GBA_OK ? GBA_OK : fail(l, GBA_E_ARGUMENT, "the request does not fit");
}

static enum gba_err read_answer(struct leave_client *l, const struct leave_happened *ev,
                                struct m2m_response *rs)
{
    enum gba_err err = m2m_exchange_read(&l->exchange, l->by_certificate, ev->reply, rs);

    if (err == GBA_E_DOWNGRADE)
        return fail(l, err, "the session was not made with the device's key");
    return err == GBA_OK ? GBA_OK : fail(l, err, "not an answer of a MEF");
}

static enum gba_err refusal(struct leave_client *l, const struct m2m_response *rs)
{
    if (rs->rsc >= 5000 && rs->rsc != M2M_RSC_RECEIVER_HAS_NO_PRIVILEGE)
        return fail(l, GBA_E_OVERLOAD, "the MEF cannot serve now");
    return fail(l, GBA_E_REFUSED, "the MEF refuses to end the registration of before");
}

static enum gba_err found(struct leave_client *l, const struct leave_happened *ev)
{
    struct m2m_response rs;
    struct m2m_target to;
    enum gba_err err = read_answer(l, ev, &rs);

    if (err != GBA_OK)
        return err;
    if (rs.rsc ==
        M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE) { /* no stakeholder of this MEF any more */
        l->next = LEAVE_DONE;
        return GBA_OK;
    }
    if (!m2m_rsc_is_success(rs.rsc) && rs.rsc != M2M_RSC_CONFLICT &&
        rs.rsc != M2M_RSC_ORIGINATOR_HAS_ALREADY_REGISTERED)
        return refusal(l, &rs);
    if (m2m_target_parse(gba_text(rs.location), &to) != GBA_OK || to.n != 1 ||
        (to.fqdn.n != 0 && !gba_text_eq_nocase(to.fqdn, gba_text(l->mef_fqdn))))
        return fail(l, GBA_E_PROTOCOL, "the MEF does not say where the registration is");
    return m2m_exchange_begin(&l->exchange, M2M_OP_DELETE, rs.location, l->originator,
                              ev->entropy, NULL, NULL);
}

static enum gba_err deleted(struct leave_client *l, const struct leave_happened *ev)
{
    struct m2m_response rs;
    enum gba_err err = read_answer(l, ev, &rs);

    if (err != GBA_OK)
        return err;
    return m2m_rsc_is_success(rs.rsc) || rs.rsc == M2M_RSC_NOT_FOUND ? GBA_OK : refusal(l, &rs);
}

static enum gba_err lost(struct leave_client *l, const struct leave_happened *ev)
{
    return fail(l, ev->err == GBA_OK ? GBA_E_UNREACHABLE : ev->err, "");
}

static const struct {
    leave_action *act;
    enum leave_state next; /* unless the action says another */
    const char *clause;
} rules[LEAVE_N_STATES][LEAVE_N_EVENTS] = {
    [LEAVE_IDLE][LEAVE_START] = {find, LEAVE_FINDING, "TS-0003 8.3.5.2.3"},
    [LEAVE_FINDING][LEAVE_ANSWER] = {found, LEAVE_DELETING, "TS-0003 8.3.5.2.6"},
    [LEAVE_FINDING][LEAVE_LOST] = {lost, LEAVE_FAILED, ""},
    [LEAVE_DELETING][LEAVE_ANSWER] = {deleted, LEAVE_DONE, "TS-0003 8.3.5.2.6"},
    [LEAVE_DELETING][LEAVE_LOST] = {lost, LEAVE_FAILED, ""},
}; /* every pair not listed is refused in leave_client_step */

enum gba_err leave_client_step(struct leave_client *l, const struct leave_happened *ev)
{
    enum gba_err err;

    if ((size_t)ev->event >= LEAVE_N_EVENTS || (ev->event == LEAVE_ANSWER && ev->reply == NULL))
        return GBA_E_ARGUMENT;
    if (rules[l->state][ev->event].act == NULL)
        return GBA_E_UNEXPECTED; /* the only place that says no */
    l->next = rules[l->state][ev->event].next;
    err = rules[l->state][ev->event].act(l, ev);
    l->state = err == GBA_OK ? l->next : LEAVE_FAILED;
    if (err != GBA_OK)
        l->err = err;
    return GBA_OK;
}

enum gba_err leave_client_init(struct leave_client *l, const struct gba_ue_enrol_config *c)
{
    memset(l, 0, sizeof(*l));
    l->why = "";
    l->by_certificate = c->by_certificate;
    if (c->mef_fqdn == NULL ||
        gba_fqdn_canonical(gba_text(c->mef_fqdn), l->mef_fqdn) != GBA_OK ||
        (c->originator != NULL && gba_text_copy(l->originator, sizeof(l->originator),
                                                gba_text(c->originator)) != GBA_OK) ||
        m2m_exchange_admin(c->admin_fqdn, c->target, l->admin_fqdn) != GBA_OK)
        return GBA_E_ARGUMENT;
    return GBA_OK;
}
