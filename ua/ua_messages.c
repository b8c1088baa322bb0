/*
 * Reference point Ua, UE side: the fields of the requests, the judgement of challenges and of
 * Authentication-Info (TS 24.109 5.2, RFC 7616).  When they are due is ua_client.c's decision.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "common/ua_protocol.h"
#include "ua/ua_client.h"
#include "ua/ub_client.h"

static enum gba_err judge(struct gba_ue_ua *ua, enum gba_err err, const char *why)
{
    ua->why = why;
    return err;
}

/* --- requests --------------------------------------------------------------------------- */

static void finish_request(struct gba_ue_ua *ua, bool authorised)
{
    ua->fields[0] = (struct gba_ue_field){"User-Agent", ua->agent};
    ua->fields[1] = (struct gba_ue_field){"Accept", "*/*"};
    ua->fields[2] = (struct gba_ue_field){"Authorization", ua->authorization};
    ua->request =
        (struct gba_ue_request){.method = ua->method,
                                .fields = ua->fields,
                                .n_fields = authorised ? 3 : 2,
                                .body = ua->body,
                                .body_len = ua->body_len,
                                .suite = authorised && !ua->ua_id_given ? ua->suite : 0};
}

enum gba_err ua_print_plain(struct gba_ue_ua *ua)
{
    finish_request(ua, false);
    return GBA_OK;
}

/* password: the base64 text of Ks_NAF (TS 24.109 5.2.4); pw holds 44 characters and NUL. */
static struct gba_digest_input digest_input(const struct gba_ue_ua *ua, const char *method,
                                            struct gba_bytes body, char pw[static 45])
{
    gba_base64(pw, GBA_BYTES(ua->key.key));
    return (struct gba_digest_input){.algorithm = ua->algorithm,
                                     .qop = ua->qop,
                                     .username = gba_text(ua->key.btid),
                                     .realm = gba_text(ua->realm),
                                     .method = gba_text(method),
                                     .uri = gba_text(ua->uri),
                                     .nonce = gba_text(ua->nonce),
                                     .nc = gba_text(ua->nc_text),
                                     .cnonce = gba_text(ua->cnonce),
                                     .password = {(const uint8_t *)pw, 44},
                                     .body = body};
}

enum gba_err ua_print_authorised(struct gba_ue_ua *ua, const uint8_t entropy[static 16])
{
    char response[GBA_DIGEST_HEX_SIZE], pw[45];
    struct gba_digest_input in;
    struct gba_wbuf w;

    snprintf(ua->nc_text, sizeof(ua->nc_text), "%08x", (unsigned)++ua->nc);
    gba_hex(ua->cnonce, (struct gba_bytes){entropy, 16});
    in = digest_input(ua, ua->method, (struct gba_bytes){ua->body, ua->body_len}, pw);
    gba_digest_response(&in, response);
    gba_wipe(pw, sizeof(pw));
    gba_wbuf_init(&w, ua->authorization, sizeof(ua->authorization));
    gba_wbuf_str(&w, "Digest ");
    gba_digest_print(&w, GBA_DIGEST_USERNAME, in.username);
    gba_digest_print(&w, GBA_DIGEST_REALM, in.realm);
    gba_digest_print(&w, GBA_DIGEST_NONCE, in.nonce);
    gba_digest_print(&w, GBA_DIGEST_URI, in.uri);
    gba_digest_print(&w, GBA_DIGEST_QOP, gba_text(gba_digest_qop_name(ua->qop)));
    gba_digest_print(&w, GBA_DIGEST_NC, in.nc);
    gba_digest_print(&w, GBA_DIGEST_CNONCE, in.cnonce);
    gba_digest_print(&w, GBA_DIGEST_RESPONSE, gba_text(response));
    if (ua->has_opaque)
        gba_digest_print(&w, GBA_DIGEST_OPAQUE, gba_text(ua->opaque));
    gba_digest_print(&w, GBA_DIGEST_ALGORITHM,
                     gba_text(gba_digest_algorithm_name(ua->algorithm)));
    if (gba_wbuf_cstr(&w)[0] == '\0')
        return judge(ua, GBA_E_TOO_LONG, "Authorization does not fit");
    finish_request(ua, true);
    return GBA_OK;
}

/* --- challenges ------------------------------------------------------------------------- */

/* What a challenge comes to, best first; less is better. */
enum merit { BEST, NOT_OURS = 100 };

struct choice {
    enum merit merit;
    enum gba_err err; /* of the last that was for GBA and could not be answered */
    const char *why;
};

/* One name of a realm "prefix@fqdn;prefix@fqdn".  TS 24.109 5.2.4. */
static bool realm_name(struct gba_text name, const char *prefix, struct gba_text *fqdn)
{
    struct gba_text head;

    return gba_text_split(name, '@', &head, fqdn) && gba_text_eq_nocase(head, gba_text(prefix));
}

/* Picks the name this UE can serve.  GBA_E_NOT_FOUND: no GBA realm; GBA_E_BINDING: another
 * NAF's; GBA_E_FORBIDDEN: only for a client in the UICC. */
static enum gba_err pick_realm(const struct gba_ue_ua *ua, struct gba_text realm,
                               struct gba_text *picked, bool *internal)
{
    enum gba_err err = GBA_E_NOT_FOUND;
    char canonical[GBA_FQDN_SIZE];
    struct gba_text name, fqdn;
    bool more = true, have = false;

    while (more) {
        bool uicc, ours;

        more = gba_text_split(realm, ';', &name, &realm);
        while (name.n > 0 && name.s[0] == ' ')
            name = (struct gba_text){name.s + 1, name.n - 1};
        uicc = realm_name(name, "3GPP-bootstrapping-uicc", &fqdn);
        if (!uicc && !realm_name(name, "3GPP-bootstrapping", &fqdn))
            continue;
        ours =
            gba_fqdn_canonical(fqdn, canonical) == GBA_OK && strcmp(canonical, ua->fqdn) == 0;
        if (!ours)
            return GBA_E_BINDING;
        if (uicc && !ua->gba_u) {
            err = have ? err : GBA_E_FORBIDDEN;
        } else if (!have ||
                   !uicc) { /* this client is in the ME: Ks_(ext_)NAF before Ks_int_NAF */
            *picked = name;
            *internal = uicc;
            have = true;
            err = GBA_OK;
        }
    }
    return err;
}

static enum gba_err complain(struct choice *c, enum gba_err err, const char *why)
{
    if (c->merit == NOT_OURS) {
        c->err = err;
        c->why = why;
    }
    return err;
}

static enum gba_err take(struct gba_ue_ua *ua, const struct gba_digest *d,
                         struct gba_text realm)
{
    ua->has_opaque = d->p[GBA_DIGEST_OPAQUE].present;
    ua->stale = gba_text_eq_nocase(d->p[GBA_DIGEST_STALE].value, GBA_TEXT("true"));
    if (gba_text_copy(ua->realm, sizeof(ua->realm), realm) != GBA_OK ||
        gba_text_copy(ua->nonce, sizeof(ua->nonce), d->p[GBA_DIGEST_NONCE].value) != GBA_OK ||
        gba_text_copy(ua->opaque, sizeof(ua->opaque), d->p[GBA_DIGEST_OPAQUE].value) !=
            GBA_OK) {
        ua->nonce[0] = '\0';
        return GBA_E_PROTOCOL;
    }
    return GBA_OK;
}

static void consider(struct gba_ue_ua *ua, const struct gba_digest *d, struct choice *c)
{
    const struct gba_text offered = d->p[GBA_DIGEST_QOP].value;
    enum gba_digest_algorithm algorithm = GBA_DIGEST_MD5; /* RFC 7616 3.3: the default */
    enum gba_digest_param which;
    struct gba_text realm;
    enum merit merit;
    bool internal = false, whole;
    enum gba_err err = pick_realm(ua, d->p[GBA_DIGEST_REALM].value, &realm, &internal);

    if (err == GBA_E_NOT_FOUND)
        return; /* a plain Digest realm never gets a B-TID */
    if (err != GBA_OK) {
        complain(c, err,
                 err == GBA_E_BINDING
                     ? "the realm names another NAF than the one addressed"
                     : "only Ks_int_NAF is accepted, and the card runs GBA_ME");
        return;
    }
    if ((d->p[GBA_DIGEST_ALGORITHM].present &&
         gba_digest_algorithm_by_name(d->p[GBA_DIGEST_ALGORITHM].value, &algorithm) !=
             GBA_OK) ||
        (algorithm != GBA_DIGEST_MD5 && algorithm != GBA_DIGEST_SHA256)) {
        complain(c, GBA_E_ALGORITHM, "neither MD5 nor SHA-256");
        return;
    }
    whole = gba_digest_offers(offered, GBA_QOP_AUTH_INT);
    if (!whole && !gba_digest_offers(offered, GBA_QOP_AUTH)) {
        complain(c, GBA_E_QOP, "neither qop auth-int nor auth");
        return;
    }
    if (gba_digest_check(d, GBA_DIGEST_UA_CHALLENGE, &which) != GBA_OK ||
        d->p[GBA_DIGEST_NONCE].value.n == 0) {
        complain(c, GBA_E_PROTOCOL, "the challenge lacks a parameter or has a malformed one");
        return;
    }
    merit = (enum merit)(BEST + (algorithm == GBA_DIGEST_MD5 ? 4 : 0) + (internal ? 2 : 0) +
                         (whole ? 0 : 1));
    if (merit >= c->merit)
        return;
    if (take(ua, d, realm) != GBA_OK) {
        complain(c, GBA_E_PROTOCOL, "nonce, realm or opaque too long");
        return;
    }
    ua->algorithm = algorithm;
    ua->qop = whole ? GBA_QOP_AUTH_INT : GBA_QOP_AUTH;
    ua->internal = internal;
    c->merit = merit;
}

enum gba_err ua_read_challenge(struct gba_ue_ua *ua, const struct gba_ue_reply *reply)
{
    struct choice c = {NOT_OURS, GBA_E_REFUSED,
                       "the server asks for credentials other than GBA's"};
    struct gba_digest d;
    const char *value;

    if (!ua->https && !ua->allow_http)
        return judge(ua, GBA_E_DOWNGRADE, "a challenge over plain http is not answered");
    for (size_t i = 0; (value = gba_ue_reply_field(reply, "WWW-Authenticate", i)) != NULL;
         i++) {
        struct gba_text rest = gba_text(value);
        enum gba_err err;

        while ((err = gba_digest_next_challenge(&rest, &d)) == GBA_OK)
            consider(ua, &d, &c);
        if (err != GBA_E_NOT_FOUND)
            return judge(ua, GBA_E_PROTOCOL, "malformed WWW-Authenticate");
    }
    return c.merit == NOT_OURS ? judge(ua, c.err, c.why) : judge(ua, GBA_OK, "");
}

void ua_choose_key(struct gba_ue_ua *ua, const struct gba_ue_reply *reply)
{
    if (ua->ua_id_given)
        return;
    if (ua->https) {
        ua->suite = reply->suite;
        gba_ua_tls12(reply->suite, ua->ua_id); /* TS 33.222 5.3: the suite of the connection */
    } else {
        memcpy(ua->ua_id, gba_ua_http_digest, sizeof(ua->ua_id));
    }
}

/* --- Authentication-Info ----------------------------------------------------------------- */

static bool same_or_absent(const struct gba_digest *d, enum gba_digest_param p,
                           const char *value)
{
    return !d->p[p].present || gba_text_eq_nocase(d->p[p].value, gba_text(value));
}

static bool rspauth_verifies(const struct gba_ue_ua *ua, const struct gba_digest *d,
                             const struct gba_ue_reply *reply)
{
    char pw[45];
    struct gba_digest_input in =
        digest_input(ua, "", (struct gba_bytes){reply->body, reply->body_len}, pw);
    const bool ok = same_or_absent(d, GBA_DIGEST_QOP, gba_digest_qop_name(ua->qop)) &&
                    same_or_absent(d, GBA_DIGEST_NC, ua->nc_text) &&
                    (!d->p[GBA_DIGEST_CNONCE].present ||
                     gba_text_is(d->p[GBA_DIGEST_CNONCE].value, ua->cnonce)) &&
                    gba_digest_verify(&in, d->p[GBA_DIGEST_RSPAUTH].value);

    gba_wipe(pw, sizeof(pw));
    return ok;
}

static void take_nextnonce(struct gba_ue_ua *ua, const struct gba_digest *d)
{
    if (!d->p[GBA_DIGEST_NEXTNONCE].present || d->p[GBA_DIGEST_NEXTNONCE].value.n == 0)
        return;
    if (gba_text_copy(ua->nonce, sizeof(ua->nonce), d->p[GBA_DIGEST_NEXTNONCE].value) != GBA_OK)
        ua->nonce[0] = '\0';
    ua->nc = 0;
}

enum gba_err ua_check_info(struct gba_ue_ua *ua, const struct gba_ue_reply *reply, bool must)
{
    const char *value = gba_ue_reply_field(reply, "Authentication-Info", 0);
    struct gba_digest d;

    /* Over https the certificate has authenticated the NAF; over http only rspauth can. */
    if (value == NULL)
        return must && !ua->https
                   ? judge(ua, GBA_E_RSPAUTH, "no Authentication-Info: not the NAF's answer")
                   : GBA_OK;
    if (gba_ue_reply_field(reply, "Authentication-Info", 1) != NULL ||
        gba_digest_parse_info(gba_text(value), &d) != GBA_OK)
        return judge(ua, GBA_E_RSPAUTH, "malformed Authentication-Info");
    if (!d.p[GBA_DIGEST_RSPAUTH].present)
        return must && !ua->https ? judge(ua, GBA_E_RSPAUTH, "no rspauth: not the NAF's answer")
                                  : GBA_OK;
    if (!rspauth_verifies(ua, &d, reply))
        return judge(ua, GBA_E_RSPAUTH, "rspauth is wrong: not the NAF's answer");
    take_nextnonce(ua, &d);
    return GBA_OK;
}
