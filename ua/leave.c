/*
 * Leaving a target and its stakeholder through the ports, for devices that may block: what
 * leave_client.c decides, done, and then the credential is wiped.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "ua/leave_client.h"
#include "ua/mef_session.h"
#include "ua/run.h"

static enum gba_err advance(struct mef_session *s, struct leave_client *l,
                            enum leave_event event)
{
    struct gba_ue_device *d = s->d;
    struct leave_happened ev = {.event = event, .now_s = d->env->now_s(d->env->ctx)};
    struct gba_ue_reply reply;
    enum gba_err err;

    memset(&reply, 0, sizeof(reply));
    err = d->env->random(d->env->ctx, ev.entropy, sizeof(ev.entropy));
    if (err == GBA_OK && event == LEAVE_ANSWER) {
        ev.err = mef_session_exchange(s, &l->exchange.request, l->exchange.call.target, &reply);
        if (ev.err == GBA_E_TLS && s->again != NULL && s->again(s, ev.now_s))
            ev.err =
                mef_session_exchange(s, &l->exchange.request, l->exchange.call.target, &reply);
        ev.event = ev.err == GBA_OK ? LEAVE_ANSWER : LEAVE_LOST;
        ev.reply = &reply;
    }
    if (err == GBA_OK)
        err = leave_client_step(l, &ev);
    if (err == GBA_OK && l->state == LEAVE_FAILED)
        err = run_explain(d, l->err, s->base, l->why[0] != '\0' ? l->why : reply.why);
    return err;
}

static enum gba_err run(struct mef_session *s, struct leave_client *l)
{
    enum gba_err err = advance(s, l, LEAVE_START);

    while (err == GBA_OK && l->state != LEAVE_DONE)
        err = advance(s, l, LEAVE_ANSWER);
    return err;
}

static enum gba_err deregister(struct gba_ue_device *d, const struct gba_ue_proof *proof,
                               const char *mef_url, const char *connect_to,
                               const struct gba_ue_enrol_config *before, const char *suites)
{
    struct leave_client *l = malloc(sizeof(*l));
    struct gba_ue_enrol_config c = *before;
    struct mef_session_gba gba;
    struct gba_ue_psk psk;
    char base[MEF_SESSION_BASE_SIZE];
    struct mef_session s = {
        .d = d, .base = base, .connect_to = connect_to, .peer_fqdn = before->mef_fqdn};
    enum gba_err err = l != NULL ? mef_session_base(d, mef_url, base) : GBA_E_NOMEM;

    c.by_certificate = proof != NULL && proof->psk_identity == NULL;
    if (err == GBA_OK && proof != NULL)
        err = mef_session_prove(&s, proof, suites, &psk);
    else if (err == GBA_OK)
        mef_session_by_gba(&s, c.mef_fqdn, suites, &gba, &psk);
    if (err == GBA_OK && leave_client_init(l, &c) != GBA_OK)
        err = run_explain(d, GBA_E_ARGUMENT, before->target,
                          "MEF name or stakeholder are not usable");
    if (err == GBA_OK)
        err = run(&s, l);
    free(l);
    return err;
}

enum gba_err gba_ue_leave(struct gba_ue_device *d, const struct gba_ue_proof *proof,
                          const char *mef_url, const char *connect_to,
                          const struct gba_ue_enrol_config *now,
                          const struct gba_ue_enrol_config *before, const char *suites)
{
    char stays[GBA_UE_FQDN_SIZE], goes[GBA_UE_FQDN_SIZE];
    enum gba_err err = GBA_OK;

    mef_session_forget(d);
    if (mef_url != NULL) {
        if (m2m_exchange_admin(now->admin_fqdn, now->target, stays) != GBA_OK ||
            m2m_exchange_admin(before->admin_fqdn, before->target, goes) != GBA_OK)
            return run_explain(d, GBA_E_ARGUMENT, before->target, "whose it was is not said");
        if (strcmp(stays, goes) != 0) /* else the registration is the new one's too */
            err = deregister(d, proof, mef_url, connect_to, before, suites);
    }
    if (err == GBA_OK && strcmp(now->target, before->target) != 0)
        gba_ue_keyring_drop_credential(d->ring, before->target);
    return err;
}
