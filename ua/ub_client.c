/*
 * Reference point Ub, UE side: the bootstrapping run as one state table (TS 33.220 4.5.2,
 * TS 24.109 4, RFC 3310).  It decides; it sends nothing, reads no clock and draws no entropy.
 * The octets are ub_messages.c's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/ub_client.h"

#include <stdalign.h>
#include <string.h>

#define MAX_LIFE_S (30u * 24 * 3600)

typedef enum gba_err ub_action(struct gba_ue *ue, const struct gba_ue_event *ev);

/* Ends the run with a reason; the text is a literal. */
static enum gba_err fail(struct gba_ue *ue, enum gba_err err, const char *why)
{
    ue->why = why;
    return err;
}

static void wipe_answer(struct gba_ue *ue)
{
    gba_wipe(ue->res, sizeof(ue->res));
    gba_wipe(&ue->ks, sizeof(ue->ks));
    ue->res_len = 0;
}

static enum gba_err start(struct gba_ue *ue, const struct gba_ue_event *ev)
{
    (void)ev;
    wipe_answer(ue);
    ue->err = GBA_OK;
    ue->why = "";
    ue->http_status = ue->retry_after_s = 0;
    ue->resynced = ue->asked_again = ue->tmpi_refused = false;
    ue->btid[0] = ue->new_tmpi[0] = '\0';
    ue->with_tmpi = ue->tmpi[0] != '\0';
    return ub_print_first(ue);
}

/* TS 33.220 4.5.2: any final 4xx to a TMPI makes the UE forget it and retry once with the IMPI.
 */
static enum gba_err refused(struct gba_ue *ue, const struct gba_ue_event *ev)
{
    (void)ev;
    if (ue->with_tmpi) {
        wipe_answer(ue);
        ue->with_tmpi = false;
        ue->tmpi_refused = true;
        ue->tmpi[0] = '\0';
        ue->resynced = ue->asked_again = false;
        ue->next = UB_ASKED;
        return ub_print_first(ue);
    }
    if (ue->state == UB_REPORTED)
        return fail(ue, GBA_E_MAC,
                    "the network's AUTN does not verify (MAC failure, reported)");
    return fail(ue, GBA_E_REFUSED, "the BSF refuses this subscriber or this request");
}

static enum gba_err challenged(struct gba_ue *ue, const struct gba_ue_event *ev)
{
    enum gba_err err = ub_read_challenge(ue, ev->reply);

    return err != GBA_OK && ue->with_tmpi ? refused(ue, ev) : err;
}

/* A 401 to our answer: the same nonce says that RES is wrong; another one gets one more try,
 * for the challenge may have expired while the card was busy. */
static enum gba_err challenged_again(struct gba_ue *ue, const struct gba_ue_event *ev)
{
    uint8_t before[16];
    enum gba_err err;

    memcpy(before, ue->rand, sizeof(before));
    wipe_answer(ue);
    err = ub_read_challenge(ue, ev->reply);
    if (err == GBA_OK && !ue->asked_again && memcmp(before, ue->rand, sizeof(before)) != 0) {
        ue->asked_again = true;
        return GBA_OK;
    }
    if (ue->with_tmpi)
        return refused(ue, ev);
    return fail(ue, GBA_E_RES, "the BSF does not accept this card's RES (another K or OPc?)");
}

static enum gba_err answer(struct gba_ue *ue, const struct gba_ue_event *ev)
{
    const struct gba_ue_aka *aka = ev->aka;

    if (aka->res_len < 4 || aka->res_len > sizeof(aka->res))
        return fail(ue, GBA_E_USIM, "the card's RES has no length of 4 to 16 octets");
    memcpy(ue->res, aka->res, aka->res_len);
    ue->res_len = aka->res_len;
    if (!ue->gba_u) { /* TS 33.220 4.5.2: Ks = CK || IK */
        memcpy(ue->ks.octets, aka->ck, 16);
        memcpy(ue->ks.octets + 16, aka->ik, 16);
    }
    return ub_print_response(ue, ev->entropy);
}

static enum gba_err resynchronise(struct gba_ue *ue, const struct gba_ue_event *ev)
{
    if (ue->resynced)
        return fail(ue, GBA_E_SYNC, "SQN still out of range after one resynchronisation");
    ue->resynced = true;
    return ub_print_auts(ue, ev->aka->auts, ev->entropy);
}

static enum gba_err mac_failure(struct gba_ue *ue, const struct gba_ue_event *ev)
{
    if (ue->report_mac_failure) {
        ue->next = UB_REPORTED;
        return ub_print_mac_failure(ue, ev->entropy);
    }
    return fail(
        ue, GBA_E_MAC,
        "the network's AUTN does not verify: not the home network, or another K or OPc");
}

static enum gba_err card_failed(struct gba_ue *ue, const struct gba_ue_event *ev)
{
    enum gba_err err = ev->aka->result;

    return fail(ue, err == GBA_OK ? GBA_E_USIM : err, "the card failed");
}

static enum gba_err lost(struct gba_ue *ue, const struct gba_ue_event *ev)
{
    if (ue->state == UB_REPORTED)
        return fail(ue, GBA_E_MAC,
                    "the network's AUTN does not verify (MAC failure, reported)");
    return fail(ue, ev->err == GBA_OK ? GBA_E_UNREACHABLE : ev->err, "");
}

static enum gba_err trouble(struct gba_ue *ue, const struct gba_ue_event *ev)
{
    ue->retry_after_s = ub_retry_after(ev->reply);
    if (ue->http_status >= 500 || ue->http_status == 429)
        return fail(ue, GBA_E_OVERLOAD, "the BSF cannot serve now");
    return fail(ue, GBA_E_PROTOCOL,
                "a status that Ub does not have (redirects are not followed)");
}

static enum gba_err no_challenge(struct gba_ue *ue, const struct gba_ue_event *ev)
{
    (void)ev;
    return fail(ue, GBA_E_PROTOCOL, "success without authentication: this is no BSF");
}

static enum gba_err reported(struct gba_ue *ue, const struct gba_ue_event *ev)
{
    (void)ev;
    return fail(ue, GBA_E_MAC, "the network's AUTN does not verify (MAC failure, reported)");
}

/* TS 33.220 B.4: the TMPI, where both sides know it; in GBA_U by the card's Ks_ext_NAF. */
static enum gba_err succeeded(struct gba_ue *ue, const struct gba_ue_event *ev)
{
    struct gba_text domain;
    uint8_t rand[16];
    enum gba_err err = ub_read_success(ue, ev->reply, ev->now_s);

    gba_wipe(ue->res, sizeof(ue->res));
    if (err != GBA_OK || !ub_server_knows_tmpi(ev->reply))
        return err;
    err = gba_btid_parse(gba_text(ue->btid), rand, &domain);
    if (err != GBA_OK)
        return fail(ue, GBA_E_PROTOCOL, "malformed B-TID");
    if (!ue->gba_u)
        return gba_tmpi(&ue->ks, ue->rand, gba_text(ue->impi), domain, ue->new_tmpi);
    if (gba_naf_id_make(domain, (const uint8_t[]){1, 0, 0, 1, 0}, &ue->bsf_id) == GBA_OK)
        ue->next = UB_DERIVING;
    return GBA_OK;
}

static enum gba_err tmpi_from_card(struct gba_ue *ue, const struct gba_ue_event *ev)
{
    gba_base64(ue->new_tmpi, (struct gba_bytes){ev->key, 24});
    memcpy(ue->new_tmpi + 32, "@" GBA_TMPI_DOMAIN, sizeof("@" GBA_TMPI_DOMAIN));
    return GBA_OK;
}

/* A session without TMPI is a session: the next run sends the IMPI. */
static enum gba_err no_tmpi(struct gba_ue *ue, const struct gba_ue_event *ev)
{
    (void)ev;
    ue->new_tmpi[0] = '\0';
    return GBA_OK;
}

static const struct ub_rule {
    ub_action *act;
    enum ub_state next; /* of success; an action may set another */
    const char *clause;
} rules[UB_N_STATES][UB_N_EVENTS] = {
    [UB_IDLE][UB_START] = {start, UB_ASKED, "TS 24.109 4.2, A.3"},

    [UB_ASKED][UB_CHALLENGE] = {challenged, UB_CHALLENGED, "TS 24.109 4.2"},
    [UB_ASKED][UB_SUCCESS] = {no_challenge, UB_FAILED, "TS 33.220 4.5.2"},
    [UB_ASKED][UB_REFUSAL] = {refused, UB_FAILED, "TS 24.109 4.3"},
    [UB_ASKED][UB_TROUBLE] = {trouble, UB_FAILED, "RFC 9110 15.6"},
    [UB_ASKED][UB_LOST] = {lost, UB_FAILED, ""},

    [UB_CHALLENGED][UB_RES] = {answer, UB_ANSWERED, "RFC 3310 3.3"},
    [UB_CHALLENGED][UB_AUTS] = {resynchronise, UB_RESYNCING, "RFC 3310 3.4"},
    [UB_CHALLENGED][UB_BAD_MAC] = {mac_failure, UB_FAILED, "TS 33.102 6.3.3"},
    [UB_CHALLENGED][UB_CARD_FAILED] = {card_failed, UB_FAILED, "TS 31.102 7.1.2"},

    [UB_ANSWERED][UB_SUCCESS] = {succeeded, UB_DONE, "TS 24.109 4.2, Annex C"},
    [UB_ANSWERED][UB_CHALLENGE] = {challenged_again, UB_CHALLENGED, "TS 24.109 4.3"},
    [UB_ANSWERED][UB_REFUSAL] = {refused, UB_FAILED, "TS 24.109 4.3"},
    [UB_ANSWERED][UB_TROUBLE] = {trouble, UB_FAILED, "RFC 9110 15.6"},
    [UB_ANSWERED][UB_LOST] = {lost, UB_FAILED, ""},

    [UB_RESYNCING][UB_CHALLENGE] = {challenged, UB_CHALLENGED, "TS 24.109 A.4"},
    [UB_RESYNCING][UB_SUCCESS] = {no_challenge, UB_FAILED, "TS 33.220 4.5.2"},
    [UB_RESYNCING][UB_REFUSAL] = {refused, UB_FAILED, "TS 24.109 4.3"},
    [UB_RESYNCING][UB_TROUBLE] = {trouble, UB_FAILED, "RFC 9110 15.6"},
    [UB_RESYNCING][UB_LOST] = {lost, UB_FAILED, ""},

    [UB_REPORTED][UB_CHALLENGE] = {reported, UB_FAILED, "TS 24.109 4.4"},
    [UB_REPORTED][UB_SUCCESS] = {reported, UB_FAILED, "TS 24.109 4.4"},
    [UB_REPORTED][UB_REFUSAL] = {reported, UB_FAILED, "TS 24.109 4.4"},
    [UB_REPORTED][UB_TROUBLE] = {reported, UB_FAILED, "TS 24.109 4.4"},
    [UB_REPORTED][UB_LOST] = {lost, UB_FAILED, "TS 24.109 4.4"},

    [UB_DERIVING][UB_KEY] = {tmpi_from_card, UB_DONE, "TS 33.220 B.4"},
    [UB_DERIVING][UB_NO_KEY] = {no_tmpi, UB_DONE, "TS 33.220 B.4"},

    [UB_DONE][UB_START] = {start, UB_ASKED, "TS 33.220 4.5.2"},
    [UB_FAILED][UB_START] = {start, UB_ASKED, "TS 33.220 4.5.2"},
}; /* every pair not listed is refused in gba_ue_step */

static const enum gba_ue_todo todos[UB_N_STATES] = {
    [UB_IDLE] = GBA_UE_FAILED,         [UB_ASKED] = GBA_UE_SEND,
    [UB_CHALLENGED] = GBA_UE_ASK_USIM, [UB_ANSWERED] = GBA_UE_SEND,
    [UB_RESYNCING] = GBA_UE_SEND,      [UB_REPORTED] = GBA_UE_SEND,
    [UB_DERIVING] = GBA_UE_ASK_KEY,    [UB_DONE] = GBA_UE_DONE,
    [UB_FAILED] = GBA_UE_FAILED,
};

static enum ub_event event_of_status(unsigned status)
{
    if (status == 401)
        return UB_CHALLENGE;
    if (status == 200)
        return UB_SUCCESS;
    /* 429 is about now, not about us: no reason to give up a TMPI (RFC 6585 4) */
    return status >= 400 && status < 500 && status != 429 ? UB_REFUSAL : UB_TROUBLE;
}

static enum ub_event event_of_card(enum gba_err result)
{
    switch (result) {
    case GBA_OK:
        return UB_RES;
    case GBA_E_SYNC:
        return UB_AUTS;
    case GBA_E_MAC:
        return UB_BAD_MAC;
    default:
        return UB_CARD_FAILED;
    }
}

static enum gba_err classify(const struct gba_ue_event *ev, enum ub_event *out)
{
    bool has_datum = true;

    switch (ev->happened) {
    case GBA_UE_EV_START:
        *out = UB_START;
        break;
    case GBA_UE_EV_REPLY:
        has_datum = ev->reply != NULL;
        *out = has_datum ? event_of_status(ev->reply->status) : UB_LOST;
        break;
    case GBA_UE_EV_NO_REPLY:
        *out = UB_LOST;
        break;
    case GBA_UE_EV_AKA:
        has_datum = ev->aka != NULL;
        *out = has_datum ? event_of_card(ev->aka->result) : UB_CARD_FAILED;
        break;
    case GBA_UE_EV_KEY:
        has_datum = ev->key != NULL;
        *out = UB_KEY;
        break;
    case GBA_UE_EV_NO_KEY:
        *out = UB_NO_KEY;
        break;
    default:
        has_datum = false;
    }
    return has_datum ? GBA_OK : GBA_E_ARGUMENT;
}

enum gba_err gba_ue_step(struct gba_ue *ue, const struct gba_ue_event *ev,
                         enum gba_ue_todo *todo)
{
    const struct ub_rule *rule;
    enum ub_event event;
    enum gba_err err = classify(ev, &event);

    if (err != GBA_OK)
        return err;
    rule = &rules[ue->state][event];
    if (rule->act == NULL)
        return GBA_E_UNEXPECTED; /* the only place that says no */
    if (ev->happened == GBA_UE_EV_REPLY)
        ue->http_status = ev->reply->status;
    ue->next = rule->next;
    err = rule->act(ue, ev);
    ue->state = err == GBA_OK ? ue->next : UB_FAILED;
    if (err != GBA_OK) {
        ue->err = err;
        wipe_answer(ue);
    }
    *todo = todos[ue->state];
    return GBA_OK;
}

size_t gba_ue_size(void)
{
    return sizeof(struct gba_ue);
}

static enum gba_err copy_config(struct gba_ue *ue, const struct gba_ue_config *c)
{
    struct gba_wbuf agent;
    enum gba_err err = gba_impi_check(gba_text(c->impi));

    if (err == GBA_OK)
        err = gba_text_copy(ue->impi, sizeof(ue->impi), gba_text(c->impi));
    if (err == GBA_OK)
        err = gba_fqdn_canonical(gba_text(c->bsf_fqdn), ue->bsf);
    if (err == GBA_OK)
        err = gba_text_copy(ue->uri, sizeof(ue->uri), gba_text(c->uri != NULL ? c->uri : "/"));
    /* A TMPI that is none is no reason to fail: the IMPI does. */
    if (err == GBA_OK && c->tmpi != NULL && gba_is_tmpi(gba_text(c->tmpi)))
        err = gba_text_copy(ue->tmpi, sizeof(ue->tmpi), gba_text(c->tmpi));
    gba_wbuf_init(&agent, ue->agent, sizeof(ue->agent));
    gba_wbuf_str(&agent, c->product != NULL ? c->product : "libgba-ue");
    gba_wbuf_str(&agent, " 3gpp-gba-tmpi");
    return err == GBA_OK && gba_wbuf_cstr(&agent)[0] == '\0' ? GBA_E_TOO_LONG : err;
}

struct gba_ue *gba_ue_init(void *mem, size_t len, const struct gba_ue_config *c)
{
    struct gba_ue *ue = mem;

    if (mem == NULL || len < sizeof(*ue) || (uintptr_t)mem % alignof(struct gba_ue) != 0 ||
        c->impi == NULL || c->bsf_fqdn == NULL)
        return NULL;
    memset(ue, 0, sizeof(*ue));
    ue->why = "";
    ue->max_life_s = c->max_life_s != 0 ? c->max_life_s : MAX_LIFE_S;
    ue->gba_u = c->gba_u;
    ue->report_mac_failure = c->report_mac_failure;
    return copy_config(ue, c) == GBA_OK ? ue : NULL;
}

const struct gba_ue_request *gba_ue_request(const struct gba_ue *ue)
{
    return &ue->request;
}

void gba_ue_challenge(const struct gba_ue *ue, const uint8_t **rand, const uint8_t **autn,
                      bool *gba)
{
    *rand = ue->rand;
    *autn = ue->autn;
    *gba = ue->gba_u;
}

const uint8_t *gba_ue_ask_naf_id(const struct gba_ue *ue, size_t *len)
{
    *len = ue->bsf_id.n;
    return ue->bsf_id.octets;
}

enum gba_err gba_ue_error(const struct gba_ue *ue)
{
    return ue->err;
}

const char *gba_ue_why(const struct gba_ue *ue)
{
    return ue->why;
}

unsigned gba_ue_http_status(const struct gba_ue *ue)
{
    return ue->http_status;
}

unsigned gba_ue_retry_after_s(const struct gba_ue *ue)
{
    return ue->retry_after_s;
}

bool gba_ue_tmpi_refused(const struct gba_ue *ue)
{
    return ue->tmpi_refused;
}

enum gba_err gba_ue_session(const struct gba_ue *ue, struct gba_ue_session *out)
{
    if (ue->state != UB_DONE)
        return GBA_E_UNEXPECTED;
    memset(out, 0, sizeof(*out));
    memcpy(out->btid, ue->btid, sizeof(out->btid));
    memcpy(out->impi, ue->impi, sizeof(out->impi));
    memcpy(out->bsf_fqdn, ue->bsf, sizeof(out->bsf_fqdn));
    memcpy(out->tmpi, ue->new_tmpi, sizeof(out->tmpi));
    out->expires_s = ue->expires_s;
    out->gba_u = ue->gba_u;
    out->has_ks = !ue->gba_u;
    return GBA_OK;
}

void gba_ue_end(struct gba_ue *ue)
{
    gba_wipe(ue, sizeof(*ue));
}

void gba_ue_wipe(void *p, size_t n)
{
    gba_wipe(p, n);
}
