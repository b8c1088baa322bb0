/*
 * The convenience loop: a Ub run through the ports (TS 33.220 4.5.2), and NAF keys with one
 * when needed.  What to do is decided in ub_client.c and keyring.c; here it is done.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/identity.h"
#include "common/secret.h"
#include "common/ua_protocol.h"
#include "ua/run.h"
#include "ua/url.h"

/* Where the BSF is and what it must call itself. */
struct bsf_address {
    char url[512], fqdn[GBA_UE_FQDN_SIZE], host[GBA_UE_FQDN_SIZE + 8], uri[256];
    bool own_host; /* the Host field differs from the URL's authority */
};

enum gba_err run_explain(struct gba_ue_device *d, enum gba_err err, const char *what,
                         const char *why)
{
    /* however long the URL is, some of the reason is seen */
    snprintf(d->why, sizeof(d->why), "%.160s%s%.157s", what,
             why != NULL && why[0] != '\0' ? ": " : "", why != NULL ? why : "");
    return err;
}

enum gba_err gba_ue_bsf_name(const struct gba_ue_identity *id, char out[GBA_UE_FQDN_SIZE])
{
    if (id->application == GBA_UE_ISIM || id->imsi[0] == '\0')
        return gba_bsf_from_impi(gba_text(id->impi), out);
    if (id->mnc_len == 0)
        return GBA_E_MISSING;
    return gba_bsf_from_imsi(gba_text(id->imsi), id->mnc_len, out);
}

enum gba_err gba_ue_ua_protocol(const char *text, uint8_t ua_id[GBA_UE_UA_ID_LEN])
{
    return gba_ua_parse(gba_text(text), ua_id);
}

/* A URL with an address or a bare host name says where the BSF is, not what it is called. */
static bool names_a_domain(struct gba_text host)
{
    return !url_host_is_address(host) && memchr(host.s, '.', host.n) != NULL;
}

static enum gba_err bsf_name(const struct gba_ue_device *d, const struct gba_ue_identity *id,
                             const struct url *url, char out[GBA_UE_FQDN_SIZE])
{
    if (d->bsf_fqdn != NULL)
        return gba_fqdn_canonical(gba_text(d->bsf_fqdn), out);
    if (d->bsf_url != NULL && names_a_domain(url->host))
        return gba_fqdn_canonical(url->host, out);
    return gba_ue_bsf_name(id, out);
}

static enum gba_err find_bsf(struct gba_ue_device *d, const struct gba_ue_identity *id,
                             struct bsf_address *a)
{
    struct url url = {.target = GBA_TEXT("/")};
    enum gba_err err;

    if (d->bsf_url != NULL && url_parse(d->bsf_url, &url) != GBA_OK)
        return run_explain(d, GBA_E_CONFIG, "BSF URL", "not an http or https URL");
    err = bsf_name(d, id, &url, a->fqdn);
    if (err != GBA_OK)
        return run_explain(d, GBA_E_CONFIG, "BSF name",
                           err == GBA_E_MISSING
                               ? "the MNC's length is not known; set mnc_len or the BSF's name"
                               : gba_err_text(err));
    if (d->bsf_url == NULL)
        snprintf(a->url, sizeof(a->url), "http://%s/", a->fqdn); /* TS 24.109 A.3: port 80 */
    else if (gba_text_copy(a->url, sizeof(a->url), gba_text(d->bsf_url)) != GBA_OK)
        return run_explain(d, GBA_E_CONFIG, "BSF URL", "too long");
    if (gba_text_copy(a->uri, sizeof(a->uri), url.target) != GBA_OK)
        return run_explain(d, GBA_E_CONFIG, "BSF URL", "path too long");
    a->own_host = d->bsf_url != NULL && !gba_text_eq_nocase(url.host, gba_text(a->fqdn));
    snprintf(a->host, sizeof(a->host), "%s%s%.*s", a->fqdn, url.port.n != 0 ? ":" : "",
             (int)url.port.n, url.port.n != 0 ? url.port.s : "");
    return GBA_OK;
}

/* --- the loop --------------------------------------------------------------------------- */

static void send_request(struct gba_ue_device *d, const struct bsf_address *a,
                         const struct gba_ue *ue, struct gba_ue_reply *reply,
                         struct gba_ue_event *ev)
{
    struct gba_ue_request request = *gba_ue_request(ue);

    request.url = a->url;
    request.host = a->own_host ? a->host : NULL;
    if (d->trace != NULL)
        d->trace(d->trace_ctx, &request, NULL);
    ev->err = d->ub->exchange(d->ub, &request, reply);
    ev->happened = ev->err == GBA_OK ? GBA_UE_EV_REPLY : GBA_UE_EV_NO_REPLY;
    ev->reply = reply;
    if (d->trace != NULL && ev->err == GBA_OK)
        d->trace(d->trace_ctx, NULL, reply);
}

static void ask_usim(struct gba_ue_device *d, const struct gba_ue *ue, struct gba_ue_aka *aka,
                     struct gba_ue_event *ev)
{
    const uint8_t *rand, *autn;
    bool gba;

    gba_ue_challenge(ue, &rand, &autn, &gba);
    aka->result = d->usim->authenticate(d->usim, gba, rand, autn, aka);
    /* TS 33.220 G.1: the card's Ks is another one now (or may be, if it failed on the way); no
     * key of it may go by the B-TID before. */
    if (gba && aka->result != GBA_E_SYNC && aka->result != GBA_E_MAC)
        gba_ue_keyring_forget_ks(d->ring);
    ev->happened = GBA_UE_EV_AKA;
    ev->aka = aka;
}

static void ask_key(struct gba_ue_device *d, const struct gba_ue *ue, const char *impi,
                    uint8_t key[GBA_UE_KEY_LEN], struct gba_ue_event *ev)
{
    const uint8_t *naf_id;
    size_t n;

    naf_id = gba_ue_ask_naf_id(ue, &n);
    ev->err = d->usim->derive(d->usim, false, naf_id, n, impi, key);
    ev->happened = ev->err == GBA_OK ? GBA_UE_EV_KEY : GBA_UE_EV_NO_KEY;
    ev->key = key;
}

static enum gba_err run(struct gba_ue_device *d, const struct bsf_address *a, const char *impi,
                        struct gba_ue *ue)
{
    struct gba_ue_event ev = {.happened = GBA_UE_EV_START};
    enum gba_ue_todo todo = GBA_UE_FAILED;
    struct gba_ue_reply reply;
    struct gba_ue_aka aka;
    uint8_t key[GBA_UE_KEY_LEN];
    enum gba_err err;

    memset(&reply, 0, sizeof(reply));
    do {
        ev.now_s = d->env->now_s(d->env->ctx);
        err = d->env->random(d->env->ctx, ev.entropy, sizeof(ev.entropy));
        if (err == GBA_OK)
            err = gba_ue_step(ue, &ev, &todo);
        if (err == GBA_OK && todo == GBA_UE_SEND)
            send_request(d, a, ue, &reply, &ev);
        if (err == GBA_OK && todo == GBA_UE_ASK_USIM)
            ask_usim(d, ue, &aka, &ev);
        if (err == GBA_OK && todo == GBA_UE_ASK_KEY)
            ask_key(d, ue, impi, key, &ev);
    } while (err == GBA_OK && todo != GBA_UE_DONE && todo != GBA_UE_FAILED);
    gba_wipe(&aka, sizeof(aka));
    gba_wipe(key, sizeof(key));
    if (err != GBA_OK)
        return run_explain(d, err, "bootstrapping", NULL);
    d->http_status = gba_ue_http_status(ue);
    if (todo == GBA_UE_DONE)
        return GBA_OK;
    run_explain(d, gba_ue_error(ue), a->url,
                gba_ue_why(ue)[0] != '\0' ? gba_ue_why(ue) : reply.why);
    if (gba_ue_retry_after_s(ue) != 0)
        snprintf(d->why, sizeof(d->why), "%.255s: busy, try again after %u s", a->url,
                 gba_ue_retry_after_s(ue));
    return gba_ue_error(ue);
}

/* The card learns its session, then the ring takes Ks over. */
static enum gba_err keep_session(struct gba_ue_device *d, struct gba_ue *ue)
{
    struct gba_ue_session session;
    enum gba_err err = gba_ue_session(ue, &session);

    if (err == GBA_OK && session.gba_u)
        err = d->usim->bootstrapped(d->usim, session.btid, session.expires_s);
    return err == GBA_OK ? gba_ue_keyring_take(d->ring, ue)
                         : run_explain(d, err, "USIM", "cannot store the B-TID");
}

enum gba_err gba_ue_bootstrap(struct gba_ue_device *d)
{
    struct gba_ue_identity id;
    struct bsf_address a;
    struct gba_ue *ue;
    void *mem;
    enum gba_err err;

    d->why[0] = '\0';
    d->http_status = 0;
    err = d->usim->identity(d->usim, &id);
    if (err == GBA_OK)
        err = gba_ue_keyring_bind(d->ring, id.uicc);
    if (err != GBA_OK)
        return run_explain(d, err, "USIM", gba_err_text(err));
    err = find_bsf(d, &id, &a);
    if (err != GBA_OK)
        return err;
    mem = malloc(gba_ue_size());
    ue = gba_ue_init(mem, gba_ue_size(),
                     &(struct gba_ue_config){.impi = id.impi,
                                             .bsf_fqdn = a.fqdn,
                                             .uri = a.uri,
                                             .tmpi = gba_ue_keyring_tmpi(d->ring),
                                             .gba_u = id.gba_u,
                                             .report_mac_failure = d->report_mac_failure});
    if (ue == NULL) {
        free(mem);
        return run_explain(d, mem == NULL ? GBA_E_NOMEM : GBA_E_ARGUMENT, "bootstrapping",
                           "IMPI or BSF name");
    }
    err = run(d, &a, id.impi, ue);
    if (gba_ue_tmpi_refused(ue))
        gba_ue_keyring_forget_tmpi(d->ring);
    if (err == GBA_OK)
        err = keep_session(d, ue);
    gba_ue_end(ue);
    free(mem);
    return err;
}

/* --- NAF keys --------------------------------------------------------------------------- */

static enum gba_err derive_in_card(struct gba_ue_device *d, const char *fqdn,
                                   const uint8_t *ua_id, bool internal,
                                   struct gba_ue_naf_key *out)
{
    struct gba_ue_session session;
    struct gba_naf_id naf_id;
    enum gba_err err = gba_ue_keyring_session(d->ring, d->env->now_s(d->env->ctx), &session);

    memset(out, 0, sizeof(*out));
    if (err == GBA_OK)
        err = gba_naf_id_make(gba_text(fqdn), ua_id, &naf_id);
    if (err == GBA_OK)
        err =
            d->usim->derive(d->usim, internal, naf_id.octets, naf_id.n, session.impi, out->key);
    if (err != GBA_OK)
        return run_explain(d, err, "USIM", "no NAF key from the card");
    memcpy(out->fqdn, naf_id.octets, naf_id.n - GBA_UE_UA_ID_LEN);
    memcpy(out->ua_id, ua_id, GBA_UE_UA_ID_LEN);
    memcpy(out->btid, session.btid, sizeof(out->btid));
    out->internal = internal;
    out->expires_s = session.expires_s;
    gba_ue_keyring_put(d->ring, out);
    return GBA_OK;
}

enum gba_err run_naf_key_local(struct gba_ue_device *d, const char *fqdn, const uint8_t *ua_id,
                               bool internal, struct gba_ue_naf_key *out)
{
    enum gba_err err =
        gba_ue_keyring_naf_key(d->ring, fqdn, ua_id, internal, d->env->now_s(d->env->ctx), out);

    if (err == GBA_E_UNSUPPORTED)
        return derive_in_card(d, fqdn, ua_id, internal, out);
    if (err == GBA_E_FORBIDDEN)
        return run_explain(d, err, fqdn, "Ks_int_NAF is asked for, and the card runs GBA_ME");
    return err == GBA_OK ? err : run_explain(d, err, fqdn, gba_err_text(err));
}

enum gba_err gba_ue_naf_key_get(struct gba_ue_device *d, const char *fqdn,
                                const uint8_t ua_id[GBA_UE_UA_ID_LEN], bool internal,
                                bool renew, struct gba_ue_naf_key *out)
{
    struct gba_ue_identity id;
    enum gba_err err = d->usim->identity(d->usim, &id);

    if (err == GBA_OK)
        err = gba_ue_keyring_bind(d->ring, id.uicc); /* never a key of another card */
    if (err != GBA_OK)
        return run_explain(d, err, "USIM", gba_err_text(err));
    if (!renew) {
        err = run_naf_key_local(d, fqdn, ua_id, internal, out);
        if (err != GBA_E_NOT_FOUND)
            return err;
    }
    err = gba_ue_bootstrap(d);
    return err == GBA_OK ? run_naf_key_local(d, fqdn, ua_id, internal, out) : err;
}
