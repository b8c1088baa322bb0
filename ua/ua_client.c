/*
 * Reference point Ua, UE side: HTTP Digest with a B-TID (TS 24.109 5.2, TS 33.222 5.3, RFC
 * 7616) as one state table. Which challenge is answered, with which key, when to bootstrap
 * again, whether the answer is the NAF's.  It decides; it sends nothing and keeps no clock.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/ua_client.h"

#include <stdalign.h>
#include <string.h>

#include "common/ua_protocol.h"

typedef enum gba_err ua_action(struct gba_ue_ua *ua, const struct gba_ue_ua_event *ev);

#define MAX_STALE 2 /* new nonces taken per request without Ub */

static enum gba_err fail(struct gba_ue_ua *ua, enum gba_err err, const char *why)
{
    ua->why = why;
    return err;
}

static enum gba_err begin(struct gba_ue_ua *ua, const struct gba_ue_ua_event *ev)
{
    ua->err = GBA_OK;
    ua->why = "";
    ua->renewed = false;
    ua->n_stale = ua->n_suites = 0;
    ua->body = ev->body;
    ua->body_len = ev->body_len;
    if (gba_text_copy(ua->method, sizeof(ua->method), gba_text(ev->method)) != GBA_OK ||
        gba_text_copy(ua->uri, sizeof(ua->uri), gba_text(ev->uri)) != GBA_OK)
        return fail(ua, GBA_E_ARGUMENT, "method or URI too long");
    if (ua->has_key &&
        ua->nonce[0] != '\0') { /* a nonce of before: nextnonce, or the last again */
        ua->next = UA_AUTHORISED;
        return ua_print_authorised(ua, ev->entropy);
    }
    return ua_print_plain(ua);
}

static enum gba_err answered(struct gba_ue_ua *ua, const struct gba_ue_ua_event *ev)
{
    (void)ua, (void)ev;
    return GBA_OK;
}

static enum gba_err challenged(struct gba_ue_ua *ua, const struct gba_ue_ua_event *ev)
{
    enum gba_err err = ua_read_challenge(ua, ev->reply);

    if (err == GBA_OK)
        ua_choose_key(ua, ev->reply);
    return err;
}

static enum gba_err authorise(struct gba_ue_ua *ua, const struct gba_ue_ua_event *ev)
{
    ua->key = *ev->key;
    ua->has_key = true;
    ua->nc = 0;
    return ua_print_authorised(ua, ev->entropy);
}

static enum gba_err no_key(struct gba_ue_ua *ua, const struct gba_ue_ua_event *ev)
{
    return fail(ua, ev->err == GBA_OK ? GBA_E_NOT_FOUND : ev->err, "");
}

static enum gba_err accepted(struct gba_ue_ua *ua, const struct gba_ue_ua_event *ev)
{
    return ua_check_info(ua, ev->reply, true);
}

/* An error of the application: it need not carry Authentication-Info, but a wrong one counts.
 */
static enum gba_err other_status(struct gba_ue_ua *ua, const struct gba_ue_ua_event *ev)
{
    return ua_check_info(ua, ev->reply, false);
}

/* TS 24.109 5.2.5: a 401 to a B-TID in use asks for a new one, once; stale=true with the same
 * realm asks for a new digest only (doc/CONFORMANCE.md, "Renegotiation and stale"). */
static enum gba_err challenged_again(struct gba_ue_ua *ua, const struct gba_ue_ua_event *ev)
{
    char realm[sizeof(ua->realm)];
    enum gba_err err;

    memcpy(realm, ua->realm, sizeof(realm));
    err = ua_read_challenge(ua, ev->reply);
    if (err != GBA_OK)
        return err;
    if (ua->stale && strcmp(realm, ua->realm) == 0 && ua->n_stale++ < MAX_STALE) {
        ua->next = UA_AUTHORISED;
        ua->nc = 0;
        return ua_print_authorised(ua, ev->entropy);
    }
    if (ua->renewed)
        return fail(ua, GBA_E_REFUSED, "the NAF refuses a B-TID that is new");
    ua->renewed = true;
    ua_choose_key(ua, ev->reply);
    return GBA_OK;
}

static enum gba_err lost(struct gba_ue_ua *ua, const struct gba_ue_ua_event *ev)
{
    return fail(ua, ev->err == GBA_OK ? GBA_E_UNREACHABLE : ev->err, "");
}

/* TS 33.220 Annex H: the Ua id belongs to the connection that carries Authorization.  A new
 * connection came to another suite, nothing was sent: another key. */
static enum gba_err other_suite(struct gba_ue_ua *ua, const struct gba_ue_ua_event *ev)
{
    if (ua->ua_id_given || ua->n_suites++ >= 2)
        return fail(ua, GBA_E_MISDIRECTED,
                    "the server changes the TLS suite with every connection");
    ua_choose_key(ua, ev->reply);
    return GBA_OK;
}

static const struct ua_rule {
    ua_action *act;
    enum ua_state next;
    const char *clause;
} rules[UA_N_STATES][UA_N_EVENTS] = {
    [UA_IDLE][UA_START] = {begin, UA_ASKING, "TS 24.109 5.2.2"},

    [UA_ASKING][UA_CHALLENGE] = {challenged, UA_KEYING, "TS 24.109 5.2.4"},
    [UA_ASKING][UA_ANSWER] = {answered, UA_DONE, "TS 33.220 4.5.1"},
    [UA_ASKING][UA_OTHER] = {answered, UA_DONE, "TS 33.220 4.5.1"},
    [UA_ASKING][UA_LOST] = {lost, UA_FAILED, ""},

    [UA_KEYING][UA_KEY] = {authorise, UA_AUTHORISED, "TS 24.109 5.2.4"},
    [UA_KEYING][UA_NO_KEY] = {no_key, UA_FAILED, ""},

    [UA_AUTHORISED][UA_CHALLENGE] = {challenged_again, UA_RENEWING, "TS 24.109 5.2.5"},
    [UA_AUTHORISED][UA_ANSWER] = {accepted, UA_DONE, "RFC 7616 3.5"},
    [UA_AUTHORISED][UA_OTHER] = {other_status, UA_DONE, "RFC 7616 3.5"},
    [UA_AUTHORISED][UA_LOST] = {lost, UA_FAILED, ""},
    [UA_AUTHORISED][UA_SUITE] = {other_suite, UA_KEYING, "TS 33.220 H.3"},

    [UA_RENEWING][UA_KEY] = {authorise, UA_AUTHORISED, "TS 24.109 5.2.5"},
    [UA_RENEWING][UA_NO_KEY] = {no_key, UA_FAILED, ""},

    [UA_DONE][UA_START] = {begin, UA_ASKING, ""},
    [UA_FAILED][UA_START] = {begin, UA_ASKING, ""},
}; /* every pair not listed is refused in gba_ue_ua_step */

static const enum gba_ue_ua_todo todos[UA_N_STATES] = {
    [UA_IDLE] = GBA_UE_UA_FAILED,    [UA_ASKING] = GBA_UE_UA_SEND,
    [UA_KEYING] = GBA_UE_UA_GET_KEY, [UA_AUTHORISED] = GBA_UE_UA_SEND,
    [UA_RENEWING] = GBA_UE_UA_RENEW, [UA_DONE] = GBA_UE_UA_DONE,
    [UA_FAILED] = GBA_UE_UA_FAILED,
};

static enum gba_err classify(const struct gba_ue_ua_event *ev, enum ua_event *out)
{
    bool has_datum = true;

    switch (ev->happened) {
    case GBA_UE_UA_EV_START:
        has_datum =
            ev->method != NULL && ev->uri != NULL && (ev->body != NULL || ev->body_len == 0);
        *out = UA_START;
        break;
    case GBA_UE_UA_EV_REPLY:
        has_datum = ev->reply != NULL;
        *out = !has_datum                                            ? UA_LOST
               : ev->reply->status == 401                            ? UA_CHALLENGE
               : ev->reply->status >= 200 && ev->reply->status < 300 ? UA_ANSWER
                                                                     : UA_OTHER;
        break;
    case GBA_UE_UA_EV_NO_REPLY:
        has_datum = ev->err != GBA_E_MISDIRECTED || ev->reply != NULL;
        *out = ev->err == GBA_E_MISDIRECTED ? UA_SUITE : UA_LOST;
        break;
    case GBA_UE_UA_EV_KEY:
        has_datum = ev->key != NULL;
        *out = UA_KEY;
        break;
    case GBA_UE_UA_EV_NO_KEY:
        *out = UA_NO_KEY;
        break;
    default:
        has_datum = false;
    }
    return has_datum ? GBA_OK : GBA_E_ARGUMENT;
}

static void forget_key(struct gba_ue_ua *ua)
{
    gba_wipe(&ua->key, sizeof(ua->key));
    ua->has_key = false;
    ua->nonce[0] = '\0';
}

enum gba_err gba_ue_ua_step(struct gba_ue_ua *ua, const struct gba_ue_ua_event *ev,
                            enum gba_ue_ua_todo *todo)
{
    const struct ua_rule *rule;
    enum ua_event event;
    enum gba_err err = classify(ev, &event);

    if (err != GBA_OK)
        return err;
    rule = &rules[ua->state][event];
    if (rule->act == NULL)
        return GBA_E_UNEXPECTED; /* the only place that says no */
    ua->next = rule->next;
    err = rule->act(ua, ev);
    ua->state = err == GBA_OK ? ua->next : UA_FAILED;
    if (err != GBA_OK) {
        ua->err = err;
        forget_key(ua);
    }
    *todo = todos[ua->state];
    return GBA_OK;
}

size_t gba_ue_ua_size(void)
{
    return sizeof(struct gba_ue_ua);
}

struct gba_ue_ua *gba_ue_ua_init(void *mem, size_t len, const struct gba_ue_ua_config *c)
{
    struct gba_ue_ua *ua = mem;
    struct gba_wbuf agent;

    if (mem == NULL || len < sizeof(*ua) || (uintptr_t)mem % alignof(struct gba_ue_ua) != 0 ||
        c->fqdn == NULL)
        return NULL;
    memset(ua, 0, sizeof(*ua));
    ua->why = "";
    ua->https = c->https;
    ua->allow_http = c->allow_http;
    ua->gba_u = c->gba_u;
    ua->ua_id_given = c->ua_id != NULL;
    if (c->ua_id != NULL)
        memcpy(ua->ua_id, c->ua_id, sizeof(ua->ua_id));
    gba_wbuf_init(&agent, ua->agent, sizeof(ua->agent));
    gba_wbuf_str(&agent, c->product != NULL ? c->product : "libgba-ue");
    gba_wbuf_str(&agent, ua->gba_u ? " 3gpp-gba 3gpp-gba-uicc" : " 3gpp-gba");
    if (gba_wbuf_cstr(&agent)[0] == '\0' ||
        gba_fqdn_canonical(gba_text(c->fqdn), ua->fqdn) != GBA_OK)
        return NULL;
    return ua;
}

const struct gba_ue_request *gba_ue_ua_request(const struct gba_ue_ua *ua)
{
    return &ua->request;
}

void gba_ue_ua_wanted(const struct gba_ue_ua *ua, uint8_t ua_id[GBA_UE_UA_ID_LEN],
                      bool *internal)
{
    memcpy(ua_id, ua->ua_id, GBA_UE_UA_ID_LEN);
    *internal = ua->internal;
}

enum gba_err gba_ue_ua_error(const struct gba_ue_ua *ua)
{
    return ua->err;
}

const char *gba_ue_ua_why(const struct gba_ue_ua *ua)
{
    return ua->why;
}

void gba_ue_ua_end(struct gba_ue_ua *ua)
{
    gba_wipe(ua, sizeof(*ua));
}

enum gba_err gba_ue_psk_identity(const struct gba_ue_naf_key *key, bool bare,
                                 char out[GBA_UE_PSK_IDENTITY_SIZE])
{
    struct gba_wbuf w;

    gba_wbuf_init(&w, out, GBA_UE_PSK_IDENTITY_SIZE);
    if (!bare)
        gba_wbuf_str(&w, key->internal ? "3GPP-bootstrapping-uicc;" : "3GPP-bootstrapping;");
    gba_wbuf_str(&w, key->btid);
    return gba_wbuf_cstr(&w)[0] != '\0' ? GBA_OK : GBA_E_TOO_LONG;
}
