/*
 * Sessions of a device with an MEF or MAF: see mef_session.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/mef_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/m2m_codec.h"
#include "common/m2m_http.h"
#include "common/secret.h"
#include "ua/keyring.h"
#include "ua/run.h"
#include "ua/ub_client.h"
#include "ua/url.h"

enum gba_err mef_session_base(struct gba_ue_device *d, const char *text,
                              char out[MEF_SESSION_BASE_SIZE])
{
    struct url url;

    if (url_parse(text, &url) != GBA_OK || !url.https)
        return run_explain(d, GBA_E_ARGUMENT, text, "MEF and MAF are reached by https only");
    snprintf(out, MEF_SESSION_BASE_SIZE, "https://%.*s%s%.*s", (int)url.host.n, url.host.s,
             url.port.n != 0 ? ":" : "", (int)url.port.n, url.port.n != 0 ? url.port.s : "");
    return GBA_OK;
}

static enum gba_err proof_key(void *ctx, const uint8_t ua_id[GBA_UE_UA_ID_LEN],
                              const char *hint, char identity[GBA_UE_PSK_IDENTITY_SIZE],
                              uint8_t key[GBA_UE_PSK_MAX], size_t *key_len)
{
    const struct gba_ue_proof *p = ctx;

    (void)ua_id; /* no NAF key: one for every suite */
    (void)hint;
    memcpy(key, p->psk, p->psk_len);
    *key_len = p->psk_len;
    return gba_text_copy(identity, GBA_UE_PSK_IDENTITY_SIZE, gba_text(p->psk_identity));
}

enum gba_err mef_session_prove(struct mef_session *s, const struct gba_ue_proof *proof,
                               const char *suites, struct gba_ue_psk *psk)
{
    bool by_certificate = proof->psk_identity == NULL;

    if (by_certificate ? proof->cert_file == NULL || proof->key_file == NULL
                       : proof->psk_len == 0 || proof->psk_len > GBA_UE_PSK_MAX)
        return run_explain(s->d, GBA_E_ARGUMENT, s->base, "neither a key nor a certificate");
    *psk = (struct gba_ue_psk){.key = proof_key,
                               .ctx = (void *)(uintptr_t)proof,
                               .only = true,
                               .suites = suites != NULL ? suites : MEF_SESSION_SUITES};
    s->psk = by_certificate ? NULL : psk;
    s->cert_file = by_certificate ? proof->cert_file : NULL;
    s->key_file = by_certificate ? proof->key_file : NULL;
    return GBA_OK;
}

/* ------------------------------------------------------------ by GBA */

/* Forward secrecy between device and MEF; both ends are ours (doc/CONFORMANCE.md, "Enrolment
 * with mefd as the NAF"). */
#define GBA_SUITES                                                                             \
    "ECDHE-PSK-CHACHA20-POLY1305:DHE-PSK-AES128-GCM-SHA256:DHE-PSK-CHACHA20-POLY1305"

/* Our profile of TS-0003 8.3.2.1: KpmID is the bare B-TID, Kpm = Ks_NAF(MEF's FQDN, the Ua id
 * of the negotiated suite). */
static enum gba_err gba_key(void *ctx, const uint8_t ua_id[GBA_UE_UA_ID_LEN], const char *hint,
                            char identity[GBA_UE_PSK_IDENTITY_SIZE],
                            uint8_t key[GBA_UE_PSK_MAX], size_t *key_len)
{
    struct mef_session_gba *gba = ctx;
    struct gba_ue_naf_key k;
    enum gba_err err = run_naf_key_local(gba->d, gba->mef_fqdn, ua_id, false, &k);

    (void)hint;
    if (err == GBA_OK)
        err = gba_ue_psk_identity(&k, true, identity);
    if (err == GBA_OK) {
        memcpy(key, k.key, GBA_UE_KEY_LEN);
        *key_len = GBA_UE_KEY_LEN;
        gba->given = true;
    }
    gba_wipe(&k, sizeof(k));
    return err;
}

/* TS 33.222 5.4: a B-TID the MEF no longer knows asks for one Ub run. */
static bool bootstrap_again(struct mef_session *s, int64_t now_s)
{
    const struct mef_session_gba *gba = s->ctx;

    return gba->given && ring_may_renew(s->d->ring, gba->mef_fqdn, now_s) &&
           gba_ue_bootstrap(s->d) == GBA_OK;
}

void mef_session_by_gba(struct mef_session *s, const char *mef_fqdn, const char *suites,
                        struct mef_session_gba *gba, struct gba_ue_psk *psk)
{
    *gba = (struct mef_session_gba){.d = s->d, .mef_fqdn = mef_fqdn};
    *psk = (struct gba_ue_psk){.key = gba_key,
                               .ctx = gba,
                               .only = true,
                               .suites = suites != NULL ? suites : GBA_SUITES};
    s->psk = psk;
    s->again = bootstrap_again;
    s->ctx = gba;
}

/* ------------------------------------------------------------ exchanges */

void mef_session_forget(struct gba_ue_device *d)
{
    d->why[0] = d->dbg[0] = '\0';
    d->rsc = d->http_status = 0;
    d->rsc_name = "";
}

/* For people; nothing is decided by it. */
static void note_answer(struct gba_ue_device *d, const struct gba_ue_reply *reply)
{
    struct gba_text type = gba_text(gba_ue_reply_field(reply, "Content-Type", 0));
    uint64_t rsc;

    d->http_status = reply->status;
    if (gba_text_number(gba_text(gba_ue_reply_field(reply, M2M_H_RSC, 0)), 9999, &rsc) !=
        GBA_OK)
        return;
    d->rsc = (unsigned)rsc;
    d->rsc_name = m2m_rsc_name(d->rsc);
    if (!m2m_rsc_is_success(d->rsc))
        m2m_codec_read_problem((struct gba_bytes){reply->body, reply->body_len},
                               memmem(type.s, type.n, "xml", 3) != NULL ? M2M_XML : M2M_JSON,
                               d->dbg, sizeof(d->dbg));
}

enum gba_err mef_session_exchange(const struct mef_session *s,
                                  const struct gba_ue_request *request, const char *target,
                                  struct gba_ue_reply *reply)
{
    struct gba_ue_device *d = s->d;
    struct gba_ue_request rq = *request;
    char *url;
    enum gba_err err;

    if (asprintf(&url, "%s%s", s->base, target) < 0)
        return GBA_E_NOMEM;
    rq.url = url;
    rq.connect_to = s->connect_to;
    rq.psk = s->psk;
    rq.cert_file = s->cert_file;
    rq.key_file = s->key_file;
    rq.peer_fqdn = s->peer_fqdn;
    if (d->trace != NULL)
        d->trace(d->trace_ctx, &rq, NULL);
    d->rsc = d->http_status = 0;
    d->dbg[0] = '\0';
    err = d->ua->exchange(d->ua, &rq, reply);
    if (err == GBA_OK)
        note_answer(d, reply);
    if (err == GBA_OK && d->trace != NULL)
        d->trace(d->trace_ctx, NULL, reply);
    free(url);
    return err;
}
