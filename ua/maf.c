/*
 * Kc from a MAF through the ports, for devices that may block: what maf_client.c decides, done.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "ua/maf_client.h"
#include "ua/mef_session.h"
#include "ua/run.h"

/* One exchange and what follows of it. */
static enum gba_err advance(struct mef_session *s, struct maf_client *m)
{
    struct gba_ue_device *d = s->d;
    struct maf_happened ev = {.event = MAF_ANSWER, .now_s = d->env->now_s(d->env->ctx)};
    struct gba_ue_reply reply;
    enum gba_err err;

    memset(&reply, 0, sizeof(reply));
    err = d->env->random(d->env->ctx, ev.entropy, sizeof(ev.entropy));
    if (err != GBA_OK)
        return err;
    ev.err = mef_session_exchange(s, &m->exchange.request, m->exchange.call.target, &reply);
    if (ev.err != GBA_OK)
        ev.event = MAF_LOST;
    ev.reply = &reply;
    err = maf_client_step(m, &ev);
    gba_wipe(reply.exported, sizeof(reply.exported));
    if (err == GBA_OK && m->state == MAF_FAILED)
        err = run_explain(d, m->err, s->base, m->why[0] != '\0' ? m->why : reply.why);
    return err;
}

static enum gba_err run(struct mef_session *s, struct gba_ue_proof *proof, struct maf_client *m)
{
    struct gba_ue_device *d = s->d;
    struct maf_happened ev = {.event = MAF_START, .now_s = d->env->now_s(d->env->ctx)};
    enum gba_err err = d->env->random(d->env->ctx, ev.entropy, sizeof(ev.entropy));

    if (err == GBA_OK)
        err = maf_client_step(m, &ev);
    if (err == GBA_OK && m->state == MAF_FAILED)
        err = run_explain(d, m->err, s->base, m->why);
    while (err == GBA_OK && m->state != MAF_DONE) {
        if (!m->by_certificate)
            proof->psk_identity = m->km_id; /* as the MAF has named it meanwhile */
        err = advance(s, m);
    }
    return err;
}

/* The KcID of the target's key of before, if this MAF has it still; "" if not. */
static void find_before(struct gba_ue_device *d, const struct gba_ue_maf_config *c,
                        char out[static GBA_UE_KEY_ID_SIZE])
{
    struct gba_ue_credential k;
    struct gba_text left, fqdn;

    out[0] = '\0';
    if (c->target != NULL && c->maf_fqdn != NULL &&
        gba_ue_keyring_credential(d->ring, c->target, d->env->now_s(d->env->ctx), &k) ==
            GBA_OK) {
        if (k.kind == GBA_UE_KC && gba_text_split(gba_text(k.key_id), '@', &left, &fqdn) &&
            gba_text_eq_nocase(fqdn, gba_text(c->maf_fqdn)))
            memcpy(out, k.key_id, sizeof(k.key_id));
        gba_wipe(&k, sizeof(k));
    }
}

enum gba_err gba_ue_maf_key(struct gba_ue_device *d, const struct gba_ue_proof *proof,
                            const char *maf_url, const char *connect_to,
                            const struct gba_ue_maf_config *config, const char *suites,
                            char km_id[GBA_UE_KEY_ID_SIZE], struct gba_ue_credential *kc)
{
    struct maf_client *m = malloc(sizeof(*m));
    struct gba_ue_proof own = *proof;
    struct gba_ue_psk psk;
    char base[MEF_SESSION_BASE_SIZE], before[GBA_UE_KEY_ID_SIZE];
    struct mef_session s = {
        .d = d, .base = base, .connect_to = connect_to, .peer_fqdn = config->maf_fqdn};
    enum gba_err err = GBA_E_NOMEM;

    mef_session_forget(d);
    km_id[0] = '\0';
    memset(kc, 0, sizeof(*kc));
    if (m != NULL)
        err = mef_session_base(d, maf_url, base);
    if (err == GBA_OK)
        err = mef_session_prove(&s, &own, suites, &psk);
    find_before(d, config, before);
    if (err == GBA_OK && maf_client_init(m, config, proof->psk_identity,
                                         before[0] != '\0' ? before : NULL) != GBA_OK)
        err = run_explain(d, GBA_E_ARGUMENT, config->target,
                          "target, MAF name, stakeholder or SUID are not usable");
    if (err == GBA_OK) {
        err = run(&s, &own, m);
        memcpy(km_id, m->km_id, sizeof(m->km_id)); /* a name that was given stays given */
    }
    if (err == GBA_OK) {
        *kc = m->kc;
        if (m->why[0] != '\0')
            run_explain(d, GBA_OK, base, m->why);
        err = gba_ue_keyring_put_credential(d->ring, kc);
    }
    if (m != NULL)
        gba_wipe(m, sizeof(*m));
    free(m);
    return err;
}
