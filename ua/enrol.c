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
#include "ua/run.h"
#include "ua/url.h"

/* Forward secrecy between device and MEF; both ends are ours (doc/CONFORMANCE.md, "Enrolment
 * with mefd as the NAF"). */
#define MEF_SUITES                                                                             \
    "ECDHE-PSK-CHACHA20-POLY1305:DHE-PSK-AES128-GCM-SHA256:DHE-PSK-CHACHA20-POLY1305"

/* TS-0003 10.2.2 has 00AE, without forward secrecy, and tells to think of RFC 4279's others. */
#define KPM_SUITES                                                                             \
    "ECDHE-PSK-CHACHA20-POLY1305:ECDHE-PSK-AES128-CBC-SHA256:DHE-PSK-AES128-CBC-SHA256:"       \
    "PSK-AES128-CBC-SHA256"

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

/* How this device shows itself in the sessions of one enrolment. */
struct session {
    struct gba_ue_device *d;
    const char *base, *connect_to; /* scheme and authority of the MEF */
    const struct gba_ue_psk *psk;  /* NULL: by certificate */
    const char *cert_file, *key_file;
    /* After a handshake failed: once more?  NULL: no. */
    bool (*again)(struct session *s, int64_t now_s);
    void *ctx;
};

static enum gba_err exchange(const struct session *s, const struct gba_ue_enrol *e,
                             struct gba_ue_reply *reply)
{
    struct gba_ue_device *d = s->d;
    const char *target;
    struct gba_ue_request request = *gba_ue_enrol_request(e, &target);
    char *url;
    enum gba_err err;

    if (asprintf(&url, "%s%s", s->base, target) < 0)
        return GBA_E_NOMEM;
    request.url = url;
    request.connect_to = s->connect_to;
    request.psk = s->psk;
    request.cert_file = s->cert_file;
    request.key_file = s->key_file;
    if (d->trace != NULL)
        d->trace(d->trace_ctx, &request, NULL);
    err = d->ua->exchange(d->ua, &request, reply);
    if (err == GBA_OK && d->trace != NULL)
        d->trace(d->trace_ctx, NULL, reply);
    free(url);
    return err;
}

static enum gba_err run(struct session *s, struct gba_ue_enrol *e)
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
    if (err == GBA_OK && todo == GBA_UE_ENROL_SEND) {
        ev.err = exchange(s, e, &reply);
        if (ev.err == GBA_E_TLS && s->again != NULL && s->again(s, ev.now_s))
            ev.err = exchange(s, e, &reply);
        ev.happened = ev.err == GBA_OK ? GBA_UE_ENROL_EV_REPLY : GBA_UE_ENROL_EV_NO_REPLY;
        ev.reply = &reply;
        err = gba_ue_enrol_step(e, &ev, &todo);
    }
    gba_wipe(reply.exported, sizeof(reply.exported));
    d->http_status = reply.status;
    if (err == GBA_OK && todo != GBA_UE_ENROL_DONE)
        return run_explain(d, gba_ue_enrol_error(e), s->base,
                           gba_ue_enrol_why(e)[0] != '\0' ? gba_ue_enrol_why(e) : reply.why);
    return err == GBA_OK ? GBA_OK : run_explain(d, err, s->base, NULL);
}

/* "https://HOST[:PORT]" of the MEF's URL. */
static enum gba_err take_base(struct gba_ue_device *d, const char *mef_url, char *base,
                              size_t cap)
{
    struct url url;

    if (url_parse(mef_url, &url) != GBA_OK || !url.https)
        return run_explain(d, GBA_E_ARGUMENT, mef_url, "the MEF is reached by https only");
    snprintf(base, cap, "https://%.*s%s%.*s", (int)url.host.n, url.host.s,
             url.port.n != 0 ? ":" : "", (int)url.port.n, url.port.n != 0 ? url.port.s : "");
    return GBA_OK;
}

static enum gba_err enrol(struct session *s, const struct gba_ue_enrol_config *config,
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
    if (e != NULL)
        gba_ue_enrol_end(e);
    free(mem);
    return err;
}

/* ------------------------------------------------------------ the MEF is a NAF */

struct naf_kpm {
    struct gba_ue_device *d;
    const char *mef_fqdn;
    bool given;
};

/* Our profile of TS-0003 8.3.2.1: KpmID is the bare B-TID, Kpm = Ks_NAF(MEF's FQDN, the Ua id
 * of the negotiated suite). */
static enum gba_err naf_kpm_key(void *ctx, const uint8_t ua_id[GBA_UE_UA_ID_LEN],
                                const char *hint, char identity[GBA_UE_PSK_IDENTITY_SIZE],
                                uint8_t key[GBA_UE_PSK_MAX], size_t *key_len)
{
    struct naf_kpm *kpm = ctx;
    struct gba_ue_naf_key k;
    enum gba_err err = run_naf_key_local(kpm->d, kpm->mef_fqdn, ua_id, false, &k);

    (void)hint;
    if (err == GBA_OK)
        err = gba_ue_psk_identity(&k, true, identity);
    if (err == GBA_OK) {
        memcpy(key, k.key, GBA_UE_KEY_LEN);
        *key_len = GBA_UE_KEY_LEN;
        kpm->given = true;
    }
    gba_wipe(&k, sizeof(k));
    return err;
}

/* TS 33.222 5.4: a B-TID the MEF no longer knows asks for one Ub run. */
static bool bootstrap_again(struct session *s, int64_t now_s)
{
    const struct naf_kpm *kpm = s->ctx;

    return kpm->given && ring_may_renew(s->d->ring, kpm->mef_fqdn, now_s) &&
           gba_ue_bootstrap(s->d) == GBA_OK;
}

static enum gba_err mef_is_naf(struct gba_ue_device *d, const char *mef_url,
                               const char *connect_to, const struct gba_ue_enrol_config *config,
                               const char *mef_suites, bool renew,
                               struct gba_ue_credential *out)
{
    struct gba_ue_enrol_config c = *config;
    struct naf_kpm kpm = {.d = d, .mef_fqdn = config->mef_fqdn};
    const struct gba_ue_psk psk = {.key = naf_kpm_key,
                                   .ctx = &kpm,
                                   .only = true,
                                   .suites = mef_suites != NULL ? mef_suites : MEF_SUITES};
    struct gba_ue_session session;
    char base[600];
    struct session s = {.d = d,
                        .base = base,
                        .connect_to = connect_to,
                        .psk = &psk,
                        .again = bootstrap_again,
                        .ctx = &kpm};
    enum gba_err err = take_base(d, mef_url, base, sizeof(base));

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

static enum gba_err proof_key(void *ctx, const uint8_t ua_id[GBA_UE_UA_ID_LEN],
                              const char *hint, char identity[GBA_UE_PSK_IDENTITY_SIZE],
                              uint8_t key[GBA_UE_PSK_MAX], size_t *key_len)
{
    const struct gba_ue_proof *p = ctx;

    (void)ua_id; /* Kpm is no NAF key: one for every suite */
    (void)hint;
    memcpy(key, p->psk, p->psk_len);
    *key_len = p->psk_len;
    return gba_text_copy(identity, GBA_UE_PSK_IDENTITY_SIZE, gba_text(p->psk_identity));
}

enum gba_err gba_ue_enrol_provisioned(struct gba_ue_device *d, const struct gba_ue_proof *proof,
                                      const char *mef_url, const char *connect_to,
                                      const struct gba_ue_enrol_config *config,
                                      const char *mef_suites, struct gba_ue_credential *out)
{
    struct gba_ue_enrol_config c = *config;
    const struct gba_ue_psk psk = {.key = proof_key,
                                   .ctx = (void *)(uintptr_t)proof,
                                   .only = true,
                                   .suites = mef_suites != NULL ? mef_suites : KPM_SUITES};
    char base[600];
    struct session s = {.d = d, .base = base, .connect_to = connect_to};
    enum gba_err err;

    d->why[0] = '\0';
    c.by_certificate = proof->psk_identity == NULL;
    if (c.by_certificate ? proof->cert_file == NULL || proof->key_file == NULL
                         : proof->psk_len == 0 || proof->psk_len > GBA_UE_PSK_MAX)
        return run_explain(d, GBA_E_ARGUMENT, mef_url, "neither a key nor a certificate");
    s.psk = c.by_certificate ? NULL : &psk;
    s.cert_file = c.by_certificate ? proof->cert_file : NULL;
    s.key_file = c.by_certificate ? proof->key_file : NULL;
    err = take_base(d, mef_url, base, sizeof(base));
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

    d->why[0] = '\0';
    if (err == GBA_OK)
        err = gba_ue_keyring_bind(d->ring, id.uicc);
    if (err == GBA_OK)
        err = mef_url == NULL
                  ? target_is_naf(d, config, renew, out)
                  : mef_is_naf(d, mef_url, connect_to, config, mef_suites, renew, out);
    return err == GBA_OK ? gba_ue_keyring_put_credential(d->ring, out) : err;
}
