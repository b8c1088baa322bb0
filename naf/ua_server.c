/*
 * The NAF's decisions on Ua with HTTP Digest: see ua_server.h.  A request that is not
 * authenticated is challenged where the UE can do something about it (bootstrap, or repeat with
 * a new nonce) and refused where it cannot.  It reads no field itself (ua_request.c) and keeps
 * no nonce (nonce.c).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/ua_server.h"

#include <stdlib.h>
#include <string.h>

#include "common/ua_protocol.h"
#include "naf/ua_answer.h"

#define NAMES_MAX     64
#define NONCE_LIFE_S  3600
#define NONCES_MAX    16384
#define PRODUCT_TOKEN "3gpp-gba" /* also begins 3gpp-gba-uicc: TS 24.109 5.2 */

/* ------------------------------------------------------------ life */

static enum gba_err take_names(const struct gba_naf_config *c, struct ua_rules *r)
{
    if (c->n_fqdns == 0 || c->n_fqdns > NAMES_MAX)
        return GBA_E_ARGUMENT;
    r->fqdns = calloc(c->n_fqdns, sizeof(*r->fqdns));
    if (r->fqdns == NULL)
        return GBA_E_NOMEM;
    r->n_fqdns = c->n_fqdns;
    for (size_t i = 0; i < c->n_fqdns; i++)
        if (gba_fqdn_canonical(gba_text(c->fqdns[i]), r->fqdns[i]) != GBA_OK)
            return GBA_E_SYNTAX;
    return GBA_OK;
}

static enum gba_err take_rules(const struct gba_naf_config *c, const uint8_t secret[static 32],
                               struct ua_rules *r)
{
    static const char label[] = "opaque";
    const struct gba_bytes part = gba_text_bytes(gba_text(label));
    uint8_t mac[32];

    r->keys = c->keys != 0 ? c->keys : GBA_NAF_KEY_ME;
    r->algorithms = c->algorithms != 0 ? c->algorithms : GBA_NAF_MD5 | GBA_NAF_SHA256;
    r->qops = c->qops != 0 ? c->qops : GBA_NAF_AUTH | GBA_NAF_AUTH_INT;
    if ((r->keys | r->algorithms | r->qops) > 3 || c->nc > GBA_NAF_NC_WINDOW)
        return GBA_E_ARGUMENT;
    r->exact_uri = c->exact_uri;
    r->require_product_token = c->require_product_token;
    gba_hmac(GBA_SHA256, (struct gba_bytes){secret, 32}, &part, 1, mac);
    gba_hex(r->opaque, (struct gba_bytes){mac, (UA_OPAQUE_SIZE - 1) / 2});
    return take_names(c, r);
}

enum gba_err ua_server_new(const struct gba_naf_config *config, const uint8_t secret[static 32],
                           struct ua_server **out)
{
    struct ua_server *s = calloc(1, sizeof(*s));
    enum gba_err err;

    *out = NULL;
    if (s == NULL)
        return GBA_E_NOMEM;
    err = take_rules(config, secret, &s->rules);
    if (err == GBA_OK)
        err = nonces_new(
            secret, config->nonce_life_s != 0 ? config->nonce_life_s : NONCE_LIFE_S,
            config->nonces_max != 0 ? config->nonces_max : NONCES_MAX, config->nc, &s->nonces);
    if (err != GBA_OK) {
        ua_server_free(s);
        return err;
    }
    *out = s;
    return GBA_OK;
}

void ua_server_free(struct ua_server *s)
{
    if (s == NULL)
        return;
    nonces_free(s->nonces);
    free(s->rules.fqdns);
    free(s);
}

const char *ua_server_find(const struct ua_server *s, struct gba_text host)
{
    return host.n == 0 ? s->rules.fqdns[0] : ua_find_fqdn(&s->rules, host);
}

unsigned ua_server_keys(const struct ua_server *s)
{
    return s->rules.keys;
}

/* ------------------------------------------------------------ verdicts */

/* Which errors a UE can mend by an answer to a challenge. */
static bool challenged(enum gba_err err)
{
    switch (err) {
    case GBA_E_NO_AUTHORIZATION:
    case GBA_E_NOT_DIGEST:
    case GBA_E_BINDING:
    case GBA_E_QOP:
    case GBA_E_BTID:
    case GBA_E_EXPIRED:
    case GBA_E_RES:
        return true;
    default:
        return false;
    }
}

static void settle(const struct ua_server *s, struct ua_exchange *x, enum gba_err err)
{
    if (challenged(err))
        ua_challenge(s, x, err, false);
    else
        ua_refuse(x, err);
}

/* ------------------------------------------------------------ events */

static bool has_product_token(const struct ua_exchange *x)
{
    return x->rq.user_agent != NULL && strstr(x->rq.user_agent, PRODUCT_TOKEN) != NULL;
}

static enum gba_err make_naf_id(struct ua_exchange *x)
{
    uint8_t ua_id[GBA_UA_ID_LEN];

    /* TS 33.220 Annex H: the suite of the connection that carries Authorization */
    if (x->rq.tls)
        gba_ua_tls12(x->rq.tls_suite, ua_id);
    else
        memcpy(ua_id, gba_ua_http_digest, sizeof(ua_id));
    return gba_naf_id_make(gba_text(x->fqdn), ua_id, &x->query.naf_id);
}

static void on_request(struct ua_server *s, struct ua_exchange *x)
{
    enum gba_err err = ua_read_name(&s->rules, x);

    if (err == GBA_OK && s->rules.require_product_token && !has_product_token(x))
        err = GBA_E_FORBIDDEN;
    if (err == GBA_OK)
        err = ua_read_authorization(&s->rules, x);
    if (err == GBA_OK)
        err = make_naf_id(x);
    if (err != GBA_OK) {
        settle(s, x, err);
        return;
    }
    err =
        nonce_check(s->nonces, gba_text(x->fqdn), x->d.p[GBA_DIGEST_NONCE].value, x->rq.now_s);
    if (err == GBA_E_NONCE) { /* not ours: nobody is asked for a key because of it */
        ua_challenge(s, x, err, true);
        return;
    }
    x->query.gba_u_aware = (s->rules.keys & GBA_NAF_KEY_UICC) != 0;
    x->state = UA_WAIT_KEY;
    x->verdict = GBA_NAF_WAIT;
}

/* The password is base64(Ks_NAF), of the key that the echoed realm names. */
static enum gba_err digest_input(const struct ua_exchange *x, char password[static 45],
                                 struct gba_digest_input *in)
{
    const struct gba_zn_answer *a = &x->key->a;
    const struct gba_key *key = x->key_type == GBA_NAF_KEY_UICC ? &a->uicc_key : &a->me_key;

    if (x->key_type == GBA_NAF_KEY_UICC && !a->has_uicc_key)
        return GBA_E_RES; /* Ks_ext_NAF never stands in for Ks_int_NAF */
    gba_base64(password, GBA_BYTES(key->octets));
    *in = (struct gba_digest_input){
        .algorithm = x->algorithm,
        .qop = x->qop,
        .username = x->d.p[GBA_DIGEST_USERNAME].value,
        .realm = x->d.p[GBA_DIGEST_REALM].value,
        .method = gba_text(x->rq.method),
        .uri = x->d.p[GBA_DIGEST_URI].value,
        .nonce = x->d.p[GBA_DIGEST_NONCE].value,
        .nc = x->d.p[GBA_DIGEST_NC].value,
        .cnonce = x->d.p[GBA_DIGEST_CNONCE].value,
        .password = gba_text_bytes(gba_text(password)),
        .body = {x->rq.body, x->rq.body_len},
    };
    return GBA_OK;
}

static enum gba_err verify(const struct ua_exchange *x)
{
    struct gba_digest_input in;
    char password[GBA_BASE64_LEN(32) + 1];
    enum gba_err err = digest_input(x, password, &in);

    if (err == GBA_OK && !gba_digest_verify(&in, x->d.p[GBA_DIGEST_RESPONSE].value))
        err = GBA_E_RES;
    gba_wipe(password, sizeof(password));
    return err;
}

/* check made sure of the eight digits */
static uint32_t nonce_count(struct gba_text nc)
{
    uint8_t o[4] = {0};

    if (gba_unhex_exact(o, sizeof(o), nc) != GBA_OK)
        return 0;
    return (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 | (uint32_t)o[2] << 8 | o[3];
}

static enum gba_err use_nonce(struct ua_server *s, const struct ua_exchange *x)
{
    struct gba_text nonce = x->d.p[GBA_DIGEST_NONCE].value;
    enum gba_err err = nonce_check(s->nonces, gba_text(x->fqdn), nonce, x->rq.now_s);

    if (err != GBA_OK)
        return err;
    return nonce_use(s->nonces, nonce, x->d.p[GBA_DIGEST_USERNAME].value,
                     nonce_count(x->d.p[GBA_DIGEST_NC].value), x->rq.now_s);
}

static void on_key(struct ua_server *s, struct ua_exchange *x)
{
    enum gba_err err = x->key_err;

    if (err == GBA_OK)
        err = verify(x);
    if (err != GBA_OK) {
        settle(s, x, err);
        return;
    }
    err = use_nonce(s, x);
    if (err != GBA_OK) /* the key is right, only the nonce is not */
        ua_challenge(s, x, err, true);
    else
        ua_decide(x, GBA_NAF_ACCEPT, 200, GBA_OK);
}

/* State x event; every pair not listed is refused in ua_step. */
static void (*const rules[UA_N_STATES][UA_N_EVENTS])(struct ua_server *,
                                                     struct ua_exchange *) = {
    [UA_START][UA_EV_REQUEST] = on_request, /* TS 24.109 5.2.4, 5.2.5 */
    [UA_WAIT_KEY][UA_EV_KEY] = on_key,      /* TS 33.220 4.5.3 */
};

enum gba_err ua_step(struct ua_server *s, struct ua_exchange *x, enum ua_event ev)
{
    if (rules[x->state][ev] == NULL)
        return GBA_E_UNEXPECTED;
    rules[x->state][ev](s, x);
    return GBA_OK;
}

/* ------------------------------------------------------------ after acceptance */

enum gba_err ua_info(struct ua_server *s, struct ua_exchange *x, struct gba_bytes body,
                     char out[static UA_HEADER_SIZE])
{
    char password[GBA_BASE64_LEN(32) + 1], rspauth[GBA_DIGEST_HEX_SIZE], nonce[NONCE_SIZE];
    struct gba_digest_input in;
    struct gba_wbuf w;

    out[0] = '\0';
    if (x->verdict != GBA_NAF_ACCEPT || digest_input(x, password, &in) != GBA_OK)
        return GBA_E_UNEXPECTED;
    in.method = GBA_TEXT(""); /* RFC 7616 3.5 */
    in.body = body;
    gba_digest_response(&in, rspauth);
    gba_wipe(password, sizeof(password));
    gba_wbuf_init(&w, out, UA_HEADER_SIZE);
    gba_digest_print(&w, GBA_DIGEST_QOP, gba_text(gba_digest_qop_name(x->qop)));
    gba_digest_print(&w, GBA_DIGEST_RSPAUTH, gba_text(rspauth));
    gba_digest_print(&w, GBA_DIGEST_CNONCE, in.cnonce);
    gba_digest_print(&w, GBA_DIGEST_NC, in.nc);
    if (nonce_aged(s->nonces, in.nonce, x->rq.now_s)) {
        nonce_make(s->nonces, gba_text(x->fqdn), x->rq.now_s, x->rq.entropy, nonce);
        gba_digest_print(&w, GBA_DIGEST_NEXTNONCE, gba_text(nonce));
    }
    gba_wbuf_cstr(&w);
    return gba_wbuf_ok(&w) ? GBA_OK : GBA_E_TOO_LONG;
}

void ua_exchange_end(struct ua_exchange *x)
{
    naf_key_unref(x->key);
    x->key = NULL;
}
