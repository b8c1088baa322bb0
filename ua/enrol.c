/*
 * Enrolment through the ports, for devices that may block: what enrol_client.c decides, done.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/identity.h"
#include "common/secret.h"
#include "common/ua_protocol.h"
#include "ua/keyring.h"
#include "ua/mef_session.h"
#include "ua/run.h"

/* One suite per target, else one KpsaID would have several keys.  00AE is what every target has
 * on TLS, C0A8 on DTLS (TS-0003 10.2.2); a suite without a row is pinned by its Ua id alone. */
static const struct {
    uint16_t code;
    const char *name;
} suites[] = {{0x00ae, "PSK-AES128-CBC-SHA256"},       {0x00b2, "DHE-PSK-AES128-CBC-SHA256"},
              {0x00a8, "PSK-AES128-GCM-SHA256"},       {0xc0a8, "PSK-AES128-CCM8"},
              {0xc037, "ECDHE-PSK-AES128-CBC-SHA256"}, {0xccac, "ECDHE-PSK-CHACHA20-POLY1305"}};

static const char *suite_name(uint16_t code)
{
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
        if (suites[i].code == code)
            return suites[i].name;
    return "";
}

static enum gba_err target_is_naf(struct gba_ue_device *d,
                                  const struct gba_ue_enrol_config *config, bool renew,
                                  struct gba_ue_credential *out)
{
    const uint16_t suite = config->target_suite != 0 ? config->target_suite : suites[0].code;
    char fqdn[GBA_UE_FQDN_SIZE];
    uint8_t ua_id[GBA_UE_UA_ID_LEN];
    struct gba_ue_naf_key key;
    enum gba_err err = config->target_fqdn != NULL
                           ? gba_fqdn_canonical(gba_text(config->target_fqdn), fqdn)
                           : gba_ue_target_fqdn(config->target, fqdn);

    if (err != GBA_OK)
        return run_explain(d, GBA_E_ARGUMENT, config->target,
                           "no Absolute CSE-ID (//SP-FQDN/CSE); name the target's FQDN");
    gba_ua_tls12(suite, ua_id);
    err = gba_ue_naf_key_get(d, fqdn, ua_id, false, renew, &key);
    if (err == GBA_OK)
        err = gba_ue_enrol_gba(config->target, &key, out);
    if (err == GBA_OK)
        strcpy(out->suite, suite_name(suite));
    gba_wipe(&key, sizeof(key));
    return err;
}

/* ------------------------------------------------------------ with the MEF */

/* One exchange, in a session of its own, and what follows of it. */
static enum gba_err advance(struct mef_session *s, struct gba_ue_enrol *e,
                            struct gba_ue_enrol_event *ev, struct gba_ue_reply *reply,
                            enum gba_ue_enrol_todo *todo)
{
    struct gba_ue_device *d = s->d;
    const char *target;
    const struct gba_ue_request *request = gba_ue_enrol_request(e, &target);
    enum gba_err err;

    ev->err = mef_session_exchange(s, request, target, reply);
    if (ev->err == GBA_E_TLS && s->again != NULL && s->again(s, ev->now_s))
        ev->err = mef_session_exchange(s, request, target, reply);
    ev->happened = ev->err == GBA_OK ? GBA_UE_ENROL_EV_REPLY : GBA_UE_ENROL_EV_NO_REPLY;
    ev->reply = reply;
    err = d->env->random(d->env->ctx, ev->entropy, sizeof(ev->entropy));
    if (err == GBA_OK)
        err = gba_ue_enrol_step(e, ev, todo);
    gba_wipe(reply->exported, sizeof(reply->exported));
    return err;
}

static enum gba_err run(struct mef_session *s, struct gba_ue_enrol *e)
{
    struct gba_ue_device *d = s->d;
    struct gba_ue_enrol_event ev = {.happened = GBA_UE_ENROL_EV_START,
                                    .now_s = d->env->now_s(d->env->ctx)};
    enum gba_ue_enrol_todo todo = GBA_UE_ENROL_FAILED;
    struct gba_ue_reply reply;
    enum gba_err err;

    memset(&reply, 0, sizeof(reply));
    err = d->env->random(d->env->ctx, ev.entropy, sizeof(ev.entropy));
    if (err == GBA_OK)
        err = gba_ue_enrol_step(e, &ev, &todo);
    while (err == GBA_OK && todo == GBA_UE_ENROL_SEND)
        err = advance(s, e, &ev, &reply, &todo);
    if (err == GBA_OK && todo != GBA_UE_ENROL_DONE)
        return run_explain(d, gba_ue_enrol_error(e), s->base,
                           gba_ue_enrol_why(e)[0] != '\0' ? gba_ue_enrol_why(e) : reply.why);
    return err == GBA_OK ? GBA_OK : run_explain(d, err, s->base, NULL);
}

static enum gba_err enrol(struct mef_session *s, const struct gba_ue_enrol_config *config,
                          struct gba_ue_credential *out)
{
    void *mem = malloc(gba_ue_enrol_size());
    struct gba_ue_enrol *e = gba_ue_enrol_init(mem, gba_ue_enrol_size(), config);
    enum gba_err err =
        e == NULL
            ? run_explain(s->d, mem == NULL ? GBA_E_NOMEM : GBA_E_ARGUMENT, config->target,
                          "target, MEF name, stakeholder or SUID are not usable")
            : run(s, e);

    if (err == GBA_OK)
        err = gba_ue_enrol_credential(e, out);
    if (err == GBA_OK)
        mef_session_commands(s, e); /* 8.3.9.1: after each registration procedure */
    if (e != NULL)
        gba_ue_enrol_end(e);
    free(mem);
    return err;
}

/* ------------------------------------------------------------ the MEF is a NAF */

static enum gba_err mef_is_naf(struct gba_ue_device *d, const char *mef_url,
                               const char *connect_to, const struct gba_ue_enrol_config *config,
                               const char *mef_suites, bool renew,
                               struct gba_ue_credential *out)
{
    struct gba_ue_enrol_config c = *config;
    struct mef_session_gba gba;
    struct gba_ue_psk psk;
    struct gba_ue_session session;
    char base[MEF_SESSION_BASE_SIZE];
    struct mef_session s = {.d = d, .base = base, .connect_to = connect_to};
    enum gba_err err = mef_session_base(d, mef_url, base);

    mef_session_by_gba(&s, config->mef_fqdn, mef_suites, &gba, &psk);

    if (err == GBA_OK && (renew || gba_ue_keyring_session(d->ring, d->env->now_s(d->env->ctx),
                                                          &session) != GBA_OK))
        err = gba_ue_bootstrap(d);
    if (err == GBA_OK)
        err = gba_ue_keyring_session(d->ring, d->env->now_s(d->env->ctx), &session);
    if (err != GBA_OK)
        return err;
    c.expires_s = session.expires_s; /* Kpm's; the MEF may grant less */
    return enrol(&s, &c, out);
}

/* ------------------------------------------------------------ a credential of before */

enum gba_err gba_ue_enrol_provisioned(struct gba_ue_device *d, const struct gba_ue_proof *proof,
                                      const char *mef_url, const char *connect_to,
                                      const struct gba_ue_enrol_config *config,
                                      const char *mef_suites, struct gba_ue_credential *out)
{
    struct gba_ue_enrol_config c = *config;
    struct gba_ue_psk psk;
    char base[MEF_SESSION_BASE_SIZE];
    struct mef_session s = {
        .d = d, .base = base, .connect_to = connect_to, .peer_fqdn = config->mef_fqdn};
    enum gba_err err;

    mef_session_forget(d);
    err = mef_session_base(d, mef_url, base);
    c.by_certificate = proof->psk_identity == NULL;
    if (err == GBA_OK)
        err = mef_session_prove(&s, proof, mef_suites, &psk);
    if (err == GBA_OK)
        err = enrol(&s, &c, out);
    return err == GBA_OK ? gba_ue_keyring_put_credential(d->ring, out) : err;
}

/* ------------------------------------------------------------ by GBA */

enum gba_err gba_ue_enrol_target(struct gba_ue_device *d, const char *mef_url,
                                 const char *connect_to,
                                 const struct gba_ue_enrol_config *config,
                                 const char *mef_suites, bool renew,
                                 struct gba_ue_credential *out)
{
    struct gba_ue_identity id;
    enum gba_err err = d->usim->identity(d->usim, &id);

    mef_session_forget(d);
    if (err == GBA_OK)
        err = gba_ue_keyring_bind(d->ring, id.uicc);
    if (err == GBA_OK)
        err = mef_url == NULL
                  ? target_is_naf(d, config, renew, out)
                  : mef_is_naf(d, mef_url, connect_to, config, mef_suites, renew, out);
    return err == GBA_OK ? gba_ue_keyring_put_credential(d->ring, out) : err;
}
