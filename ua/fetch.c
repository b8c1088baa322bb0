/*
 * The convenience loop of reference point Ua: one request to a NAF through the ports, by Digest
 * or by PSK-TLS (TS 33.222 5.3, 5.4).  Digest's decisions are ua_client.c's; here are the
 * exchange and the keys of PSK-TLS.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/identity.h"
#include "common/secret.h"
#include "common/ua_protocol.h"
#include "ua/keyring.h"
#include "ua/run.h"
#include "ua/url.h"

/* What one fetch works with; also the PSK callback's context. */
struct job {
    struct gba_ue_device *d;
    const struct gba_ue_fetch *f;
    char fqdn[GBA_UE_FQDN_SIZE], uri[2048];
    bool https;
    struct gba_ue_ua *ua;
    struct gba_ue_psk psk;
    bool psk_off;     /* the server chose certificates: Digest goes on without PSK */
    bool key_missing; /* the handshake needed a key that only Ub can give */
    bool key_given;   /* the handshake had our key */
    bool no_hint;     /* the server wants a PSK and does not say which */
    bool bootstrapped, fresh;
};

/* The hint is a list joined by ";" (TS 24.109 5.3.3).  Without a hint the server may want any
 * PSK: only where PSK is asked for by the user. */
static bool read_hint(const struct job *j, const char *hint, bool *internal)
{
    struct gba_text rest = gba_text(hint), name;
    bool me = false, uicc = false, more = true;

    while (more) {
        more = gba_text_split(rest, ';', &name, &rest);
        me = me || gba_text_is(name, "3GPP-bootstrapping");
        uicc = uicc || gba_text_is(name, "3GPP-bootstrapping-uicc");
    }
    *internal = uicc && !me;
    return me || uicc || j->f->mode != GBA_UE_UA_AUTO;
}

static enum gba_err psk_key(void *ctx, const uint8_t ua_id[GBA_UE_UA_ID_LEN], const char *hint,
                            char identity[GBA_UE_PSK_IDENTITY_SIZE],
                            uint8_t key[GBA_UE_PSK_MAX], size_t *key_len)
{
    struct gba_ue_naf_key k;
    struct job *j = ctx;
    bool internal;
    enum gba_err err;

    j->no_hint = !read_hint(j, hint, &internal);
    if (j->no_hint)
        return GBA_E_REFUSED;
    err = run_naf_key_local(j->d, j->fqdn, ua_id, internal, &k);
    j->key_missing = err == GBA_E_NOT_FOUND;
    if (err == GBA_OK)
        err = gba_ue_psk_identity(&k, j->f->bare_identity, identity);
    if (err == GBA_OK) {
        memcpy(key, k.key, GBA_UE_KEY_LEN);
        *key_len = GBA_UE_KEY_LEN;
        j->key_given = true;
    }
    gba_wipe(&k, sizeof(k));
    return err;
}

/* TS 24.109 5.3.3: a handshake that fails with a B-TID in use (alerts 20, 40, 51, 115) asks for
 * one Ub run.  Some servers send no alert and just close. */
static bool b_tid_refused(const struct job *j, enum gba_err err, unsigned alert)
{
    return j->key_given && (err == GBA_E_TLS || err == GBA_E_UNREACHABLE) &&
           (alert == 0 || alert == 20 || alert == 40 || alert == 51 || alert == 115);
}

static enum gba_err exchange(struct job *j, struct gba_ue_reply *reply)
{
    struct gba_ue_request request = *gba_ue_ua_request(j->ua);
    struct gba_ue_field fields[4];
    enum gba_err err;

    memcpy(fields, request.fields, request.n_fields * sizeof(fields[0]));
    if (j->f->content_type != NULL)
        fields[request.n_fields++] = (struct gba_ue_field){"Content-Type", j->f->content_type};
    request.fields = fields;
    request.url = j->f->url;
    request.connect_to = j->f->connect_to;
    request.psk = j->https && j->f->mode != GBA_UE_UA_DIGEST && !j->psk_off ? &j->psk : NULL;
    request.fresh = j->fresh;
    j->key_given = j->key_missing = false;
    if (j->d->trace != NULL)
        j->d->trace(j->d->trace_ctx, &request, NULL);
    err = j->d->ua->exchange(j->d->ua, &request, reply);
    j->fresh = false;
    if (err == GBA_OK && j->d->trace != NULL)
        j->d->trace(j->d->trace_ctx, NULL, reply);
    return err;
}

/* A server without a certificate may refuse a hello that offers TLS 1.3, where no PSK was
 * offered: then PSK of TLS 1.2 alone.  No downgrade: the key authenticates both ends. */
static bool wants_psk_only(const struct job *j, enum gba_err err)
{
    return err == GBA_E_TLS && j->https && j->f->mode == GBA_UE_UA_AUTO && !j->psk_off &&
           !j->psk.only && !j->key_given && !j->key_missing;
}

static bool may_renew(struct job *j)
{
    return ring_may_renew(j->d->ring, j->fqdn, j->d->env->now_s(j->d->env->ctx));
}

/* One exchange, and a second one when the handshake's key was missing or refused. */
static enum gba_err exchange_with_key(struct job *j, struct gba_ue_reply *reply)
{
    enum gba_err err = exchange(j, reply);

    if (wants_psk_only(j, err) && (reply->alert == 40 || reply->alert == 80)) {
        j->psk.only = true;
        err = exchange(j, reply);
    }
    if (err == GBA_OK)
        j->psk_off = j->psk_off || !reply->psk;
    if (err == GBA_OK || j->bootstrapped ||
        (!j->key_missing && !(b_tid_refused(j, err, reply->alert) && may_renew(j))))
        return err;
    j->bootstrapped = j->fresh = true;
    err = gba_ue_bootstrap(j->d);
    if (err != GBA_OK) {
        reply->why = j->d->why;
        return err;
    }
    return exchange(j, reply);
}

static void get_key(struct job *j, bool renew, struct gba_ue_naf_key *key,
                    struct gba_ue_ua_event *ev)
{
    uint8_t ua_id[GBA_UE_UA_ID_LEN];
    bool internal;

    gba_ue_ua_wanted(j->ua, ua_id, &internal);
    if (renew)
        gba_ue_keyring_drop_naf(j->d->ring, j->fqdn);
    if (renew && !may_renew(j))
        ev->err = run_explain(j->d, GBA_E_RATE_LIMITED, j->fqdn,
                              "the NAF asks for a new bootstrapping too often");
    else
        ev->err = gba_ue_naf_key_get(j->d, j->fqdn, ua_id, internal, renew, key);
    ev->happened = ev->err == GBA_OK ? GBA_UE_UA_EV_KEY : GBA_UE_UA_EV_NO_KEY;
    ev->key = key;
    j->fresh = renew; /* nothing of the old identity's connection is used on */
}

static enum gba_err run(struct job *j, struct gba_ue_reply *reply)
{
    struct gba_ue_ua_event ev = {.happened = GBA_UE_UA_EV_START,
                                 .method = j->f->method,
                                 .uri = j->uri,
                                 .body = j->f->body,
                                 .body_len = j->f->body_len};
    enum gba_ue_ua_todo todo = GBA_UE_UA_FAILED;
    struct gba_ue_naf_key key;
    enum gba_err err;

    do {
        err = j->d->env->random(j->d->env->ctx, ev.entropy, sizeof(ev.entropy));
        if (err == GBA_OK)
            err = gba_ue_ua_step(j->ua, &ev, &todo);
        if (err == GBA_OK && todo == GBA_UE_UA_SEND) {
            ev.err = exchange_with_key(j, reply);
            ev.happened = ev.err == GBA_OK ? GBA_UE_UA_EV_REPLY : GBA_UE_UA_EV_NO_REPLY;
            ev.reply = reply;
        }
        if (err == GBA_OK && (todo == GBA_UE_UA_GET_KEY || todo == GBA_UE_UA_RENEW))
            get_key(j, todo == GBA_UE_UA_RENEW, &key, &ev);
    } while (err == GBA_OK && todo != GBA_UE_UA_DONE && todo != GBA_UE_UA_FAILED);
    gba_wipe(&key, sizeof(key));
    j->d->http_status = reply->status;
    if (err != GBA_OK)
        return run_explain(j->d, err, j->f->url, NULL);
    if (todo != GBA_UE_UA_DONE && j->no_hint)
        reply->why =
            "the server wants a PSK but sends no hint 3GPP-bootstrapping; a Ua protocol "
            "can be asked for";
    if (todo == GBA_UE_UA_DONE)
        return GBA_OK;
    err = gba_ue_ua_error(j->ua);
    if (ev.happened == GBA_UE_UA_EV_NO_KEY)
        return err; /* d->why tells of Ub */
    if (reply->why == j->d->why && reply->why != NULL)
        return err;
    return run_explain(j->d, err, j->f->url,
                       gba_ue_ua_why(j->ua)[0] != '\0' ? gba_ue_ua_why(j->ua) : reply->why);
}

static enum gba_err prepare(struct job *j)
{
    const struct gba_ue_fetch *f = j->f;
    struct url url;
    const bool psk_mode = f->mode == GBA_UE_UA_PSK_TLS12 || f->mode == GBA_UE_UA_PSK_TLS13;
    struct gba_ue_naf_key key;
    enum gba_err err;

    if (url_parse(f->url, &url) != GBA_OK ||
        gba_text_copy(j->uri, sizeof(j->uri), url.target) != GBA_OK ||
        gba_fqdn_canonical(url.host, j->fqdn) != GBA_OK)
        return run_explain(j->d, GBA_E_ARGUMENT, "URL", "not an http or https URL");
    j->https = url.https;
    if (psk_mode && !url.https)
        return run_explain(j->d, GBA_E_ARGUMENT, f->url, "PSK-TLS needs https");
    j->psk = (struct gba_ue_psk){.key = psk_key,
                                 .ctx = j,
                                 .only = psk_mode,
                                 .suites = f->suites,
                                 .tls13 = f->mode == GBA_UE_UA_PSK_TLS13};
    if (f->mode != GBA_UE_UA_PSK_TLS13)
        return GBA_OK;
    /* TS 33.222 5.4.0.2: in TLS 1.3 the key is needed before the ClientHello. */
    err = gba_ue_naf_key_get(j->d, j->fqdn, gba_ua_psk_tls13, false, false, &key);
    gba_wipe(&key, sizeof(key));
    return err;
}

enum gba_err gba_ue_fetch(struct gba_ue_device *d, const struct gba_ue_fetch *f,
                          struct gba_ue_reply *reply)
{
    struct job j = {.d = d, .f = f};
    struct gba_ue_identity id;
    void *mem = malloc(gba_ue_ua_size());
    struct url url;
    enum gba_err err;

    memset(reply, 0, sizeof(*reply));
    d->why[0] = '\0';
    err = mem == NULL ? GBA_E_NOMEM : d->usim->identity(d->usim, &id);
    if (err == GBA_OK)
        err = gba_ue_keyring_bind(d->ring, id.uicc);
    if (err == GBA_OK)
        err = prepare(&j);
    if (err == GBA_OK) {
        j.ua = url_parse(f->url, &url) == GBA_OK
                   ? gba_ue_ua_init(
                         mem, gba_ue_ua_size(),
                         &(struct gba_ue_ua_config){
                             .fqdn = j.fqdn,
                             .https = j.https,
                             .allow_http = f->allow_http || url_host_is_loopback(url.host),
                             .gba_u = id.gba_u,
                             .ua_id = f->ua_id})
                   : NULL;
        err = j.ua == NULL ? GBA_E_ARGUMENT : run(&j, reply);
    }
    if (j.ua != NULL)
        gba_ue_ua_end(j.ua);
    free(mem);
    return err;
}
