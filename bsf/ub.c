/*
 * The decisions of Ub: one request's run as one table of state x event with one refusal.
 * No I/O, no clock, no entropy; reading and printing is ub_request.c's, wire form of a refusal
 * is ub_http.c's.  TS 33.220 4.5.2, TS 24.109 4, RFC 3310.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/ub.h"

#include <string.h>

#include "bsf/ub_request.h"
#include "common/gba_u.h"

#define NOTHING UB_N_EVENTS

/* What an action finds out follows at once as the next event; NOTHING: the row's todo is to be
 * done by the caller (or an answer, if the action could not do its part). */
typedef enum ub_event_kind action(struct ub_run *run, const struct ub_event *ev);

/* ---- answers -------------------------------------------------------------------------- */

/* All but the room for texts, which an empty text ends. */
static void reset_answer(struct ub_answer *a)
{
    memset(a, 0, offsetof(struct ub_answer, field));
    a->field[0] = '\0';
}

static enum ub_event_kind end_with(struct ub_run *run, enum gba_err err)
{
    reset_answer(&run->answer);
    run->answer.verdict = UB_REFUSED;
    run->answer.reason = err;
    if (gba_err_http(err) == 503)
        run->answer.retry_after_s = run->policy->retry_after_s;
    run->todo = UB_DO_ANSWER;
    return NOTHING;
}

static enum ub_event_kind refuse(struct ub_run *run, const struct ub_event *ev)
{
    end_with(run, ev->err);
    if (ev->retry_after_s != 0)
        run->answer.retry_after_s = ev->retry_after_s;
    return NOTHING;
}

static enum ub_event_kind send_challenge(struct ub_run *run, bool repeated)
{
    enum gba_err err = ub_print_challenge(&run->answer, &run->challenge);

    if (err != GBA_OK)
        return end_with(run, err);
    run->answer.verdict = UB_CHALLENGED;
    run->answer.reason = run->reason;
    run->answer.repeated = repeated;
    run->answer.weak_res = run->challenge.xres_len < 8;
    return NOTHING;
}

static enum ub_event_kind challenge_new(struct ub_run *run, const struct ub_event *ev)
{
    (void)ev;
    return send_challenge(run, false);
}

static enum ub_event_kind challenge_found(struct ub_run *run, const struct ub_event *ev)
{
    bsf_challenge_copy(&run->challenge, ev->challenge);
    return send_challenge(run, true);
}

static enum ub_event_kind bootstrapped(struct ub_run *run, const struct ub_event *ev)
{
    (void)ev;
    run->answer.verdict = UB_BOOTSTRAPPED;
    run->answer.reason = GBA_OK;
    run->answer.expires_s = run->session.expires_s;
    return NOTHING;
}

/* ---- the request ---------------------------------------------------------------------- */

static enum ub_event_kind read_request(struct ub_run *run, const struct ub_event *ev)
{
    const struct gba_digest *d = &run->digest;
    uint8_t autn[16];

    run->request = ev->request;
    run->reason = ub_read_authorization(run, ev->request);
    if (run->reason != GBA_OK)
        return UB_EV_BAD;
    if (!d->p[GBA_DIGEST_NONCE].present || d->p[GBA_DIGEST_NONCE].value.n == 0) {
        run->reason = ub_check_first(d);
        return run->reason == GBA_OK ? UB_EV_FIRST : UB_EV_BAD;
    }
    if (gba_aka_nonce_parse(d->p[GBA_DIGEST_NONCE].value, run->rand, autn) == GBA_OK)
        return UB_EV_ANSWER;
    run->reason = GBA_E_NONCE; /* never one of ours: a fresh challenge */
    return UB_EV_FIRST;
}

static enum ub_event_kind refuse_bad(struct ub_run *run, const struct ub_event *ev)
{
    (void)ev;
    return end_with(run, run->reason);
}

/* ---- a challenge is wanted ------------------------------------------------------------ */

static enum ub_event_kind sort_name(struct ub_run *run, const struct ub_event *ev)
{
    (void)ev;
    bsf_challenge_release(&run->challenge);
    bsf_session_release(&run->session);
    reset_answer(&run->answer);
    if (run->kind == BSF_USERNAME_TMPI)
        return UB_EV_TMPI;
    memcpy(run->impi, run->username, sizeof(run->impi));
    return UB_EV_IMPI;
}

/* The nonce did not serve: a fresh challenge, within the limits. */
static enum ub_event_kind start_again(struct ub_run *run, const struct ub_event *ev)
{
    run->reason = ev->err;
    return sort_name(run, ev);
}

static enum ub_event_kind start_again_foreign(struct ub_run *run, const struct ub_event *ev)
{
    run->reason = GBA_E_NONCE;
    return sort_name(run, ev);
}

static enum ub_event_kind resolved(struct ub_run *run, const struct ub_event *ev)
{
    if (gba_text_copy(run->impi, sizeof(run->impi), gba_text(ev->impi)) != GBA_OK)
        return end_with(run, GBA_E_IO);
    return NOTHING;
}

static enum ub_event_kind refuse_tmpi(struct ub_run *run, const struct ub_event *ev)
{
    (void)ev;
    return end_with(run, GBA_E_TMPI_UNKNOWN);
}

static enum ub_event_kind ask(struct ub_run *run, const struct ub_event *ev)
{
    if (run->kind == BSF_USERNAME_STRANGER)
        return UB_EV_STRANGER; /* the HSS need not be asked */
    if (ev->kind == UB_EV_YES && ev->guss != NULL)
        run->guss = gba_guss_ref(ev->guss);
    memcpy(run->query.impi, run->impi, sizeof(run->query.impi));
    run->query.guss_timestamp_s = run->guss != NULL ? gba_guss_timestamp_s(run->guss) : 0;
    return NOTHING;
}

static void new_challenge(struct ub_run *run, const struct ub_event *ev)
{
    struct bsf_challenge *c = &run->challenge;
    const struct ub_policy *p = run->policy;

    bsf_challenge_release(c);
    memcpy(c->username, run->username, sizeof(c->username));
    memcpy(c->impi, run->impi, sizeof(c->impi));
    memcpy(c->realm, run->realm, strlen(run->realm) + 1);
    gba_hex(c->opaque, (struct gba_bytes){ev->random + 32, 16});
    c->created_ms = ev->now_ms;
    c->expires_ms = ev->now_ms + p->challenge_ttl_ms;
    c->resynced = run->query.resync;
}

/* An HSS that was told our GUSS's timestamp leaves an unchanged one out (TS 29.109 6.3.1.10).
 */
static struct gba_guss *guss_of(struct ub_run *run, struct gba_guss *sent)
{
    if (sent == NULL && run->query.guss_timestamp_s != 0)
        sent = run->guss;
    return sent != NULL ? gba_guss_ref(sent) : NULL;
}

static enum ub_event_kind keep(struct ub_run *run, const struct ub_event *ev)
{
    struct bsf_challenge *c = &run->challenge;
    enum gba_err err;

    new_challenge(run, ev);
    c->guss = guss_of(run, ev->guss);
    err = bsf_challenge_set_vector(
        c, ev->av, c->guss != NULL && gba_guss_uicc_type(c->guss) == GBA_UICC_U);
    if (err != GBA_OK)
        return end_with(run, err);
    return NOTHING;
}

/* The HSS, or the form of the name, says that there is no such subscriber. */
static enum ub_event_kind doubt(struct ub_run *run, const struct ub_event *ev)
{
    run->answer.reason = ev->kind == UB_EV_NO ? ev->err : GBA_E_SUBSCRIBER_UNKNOWN;
    if (run->query.resync && run->challenge.decoy)
        run->answer.reason = GBA_E_AUTS; /* as the HSS would say of a real one */
    else if (run->policy->decoy && !run->query.resync &&
             (run->answer.reason == GBA_E_SUBSCRIBER_UNKNOWN ||
              run->answer.reason == GBA_E_SUBSCRIBER_BARRED))
        return UB_EV_DECOY;
    /* Anybody can send an AUTS that does not verify: it must not use up the subscriber's. */
    if (run->query.resync && run->answer.reason == GBA_E_AUTS)
        return UB_EV_WRONG;
    return UB_EV_STRANGER;
}

static enum ub_event_kind refuse_stranger(struct ub_run *run, const struct ub_event *ev)
{
    (void)ev;
    return end_with(run, run->answer.reason);
}

/* A challenge like every other, but no answer will verify. */
static enum ub_event_kind keep_decoy(struct ub_run *run, const struct ub_event *ev)
{
    struct bsf_challenge *c = &run->challenge;

    new_challenge(run, ev);
    memcpy(c->rand, ev->random, 16);
    memcpy(c->autn, ev->random + 16, 16);
    memcpy(c->autn + 6, run->policy->decoy_amf, 2);
    c->xres_len = 8;
    c->decoy = true;
    return NOTHING;
}

/* ---- an answer to a challenge --------------------------------------------------------- */

/* TS 33.220 5.3.2: with a GBA_U UICC only the flipped RES counts, but for the lab switch. */
static bool verifies(struct ub_run *run)
{
    struct bsf_challenge *c = &run->challenge;

    if (ub_response_verifies(run, c))
        return true;
    if (!c->gba_u || !run->policy->accept_unflipped_res)
        return false;
    gba_u_res(c->xres, c->xres_len); /* stays so for rspauth */
    return ub_response_verifies(run, c);
}

static enum ub_event_kind judge(struct ub_run *run, const struct ub_event *ev)
{
    const struct gba_digest *d = &run->digest;
    bool auts = d->p[GBA_DIGEST_AUTS].present;
    enum gba_err err;

    bsf_challenge_copy(&run->challenge, ev->challenge);
    if (strcmp(run->challenge.username, run->username) != 0)
        return UB_EV_FOREIGN;
    memcpy(run->impi, run->challenge.impi, sizeof(run->impi));
    if (!auts && d->p[GBA_DIGEST_RESPONSE].present && d->p[GBA_DIGEST_RESPONSE].value.n == 0) {
        run->reason = GBA_E_BINDING;
        return ub_is_bound(run, &run->challenge) ? UB_EV_MAC_FAILURE : UB_EV_WRONG;
    }
    err = ub_check_binding(run, &run->challenge);
    if (err == GBA_OK && auts)
        err = gba_auts_parse(d->p[GBA_DIGEST_AUTS].value, run->auts);
    if (err == GBA_OK && auts)
        return UB_EV_AUTS;
    if (err == GBA_OK && verifies(run))
        return UB_EV_RIGHT;
    run->reason = err == GBA_OK ? GBA_E_RES : err;
    return gba_err_http(run->reason) == 401 ? UB_EV_WRONG : UB_EV_BAD;
}

static enum ub_event_kind open_session(struct ub_run *run, const struct ub_event *ev)
{
    int64_t now_s = ev->now_ms / 1000;
    enum gba_err err;

    err = bsf_session_make(&run->challenge, &run->policy->lifetimes, now_s,
                           bsf_knows_tmpi(run->request->user_agent), &run->session);
    if (err == GBA_OK)
        err = ub_print_success(run, now_s);
    if (err != GBA_OK)
        return end_with(run, err);
    return NOTHING;
}

static enum ub_event_kind counted(struct ub_run *run, const struct ub_event *ev)
{
    if (ev->failures >= run->policy->max_failures)
        return end_with(run, GBA_E_ATTEMPTS);
    return send_challenge(run, true);
}

static enum ub_event_kind not_claimed(struct ub_run *run, const struct ub_event *ev)
{
    run->reason = ev->err;
    return ev->err == GBA_E_SECOND_AUTS ? UB_EV_BAD : UB_EV_FOREIGN;
}

/* The RAND that Zh gets is the stored one, never one from the wire. */
static enum ub_event_kind resynchronise(struct ub_run *run, const struct ub_event *ev)
{
    (void)ev;
    run->query.resync = true;
    memcpy(run->query.auts_rand, run->challenge.rand, 16);
    memcpy(run->query.auts, run->auts, sizeof(run->query.auts));
    return NOTHING;
}

static enum ub_event_kind refuse_mac_failure(struct ub_run *run, const struct ub_event *ev)
{
    (void)ev;
    return end_with(run, GBA_E_UE_MAC_FAILURE);
}

/* ---- the table ------------------------------------------------------------------------ */

struct row {
    struct ub_row r;
    action *act; /* NULL: none */
};

#define PASS UB_DO_ANSWER /* an event follows at once: its row says what to do */

/* clang-format off */
static const struct row table[] = {
    /* state         event              next           todo */
    {{UB_IDLE,       UB_EV_REQUEST,     UB_SORTING,    PASS,          "TS 24.109 4.2"},      read_request},
    {{UB_SORTING,    UB_EV_BAD,         UB_DONE,       UB_DO_ANSWER,  "RFC 7616 3.4"},       refuse_bad},
    {{UB_SORTING,    UB_EV_FIRST,       UB_NAMING,     PASS,          "TS 33.220 4.5.2 1"},  sort_name},
    {{UB_SORTING,    UB_EV_ANSWER,      UB_LOOKING_UP, UB_DO_GET,     "TS 33.220 4.5.2 5"},  NULL},

    {{UB_NAMING,     UB_EV_TMPI,        UB_RESOLVING,  UB_DO_RESOLVE, "TS 33.220 4.5.2 2"},  NULL},
    {{UB_NAMING,     UB_EV_IMPI,        UB_FINDING,    UB_DO_FIND,    "TS 33.220 4.5.2 2"},  NULL},
    {{UB_RESOLVING,  UB_EV_YES,         UB_FINDING,    UB_DO_FIND,    "TS 33.220 4.5.2 2"},  resolved},
    {{UB_RESOLVING,  UB_EV_NO,          UB_DONE,       UB_DO_ANSWER,  "TS 33.220 4.5.2 2"},  refuse_tmpi},
    {{UB_RESOLVING,  UB_EV_ERROR,       UB_DONE,       UB_DO_ANSWER,  ""},                   refuse},
    {{UB_FINDING,    UB_EV_YES,         UB_DONE,       UB_DO_ANSWER,  "TS 33.220 4.5.2 3"},  challenge_found},
    {{UB_FINDING,    UB_EV_NO,          UB_ADMITTING,  UB_DO_ADMIT,   ""},                   NULL},
    {{UB_FINDING,    UB_EV_ERROR,       UB_DONE,       UB_DO_ANSWER,  ""},                   refuse},
    {{UB_ADMITTING,  UB_EV_YES,         UB_RECALLING,  UB_DO_RECALL,  ""},                   NULL},
    {{UB_ADMITTING,  UB_EV_NO,          UB_DONE,       UB_DO_ANSWER,  ""},                   refuse},
    {{UB_ADMITTING,  UB_EV_ERROR,       UB_DONE,       UB_DO_ANSWER,  ""},                   refuse},
    {{UB_RECALLING,  UB_EV_YES,         UB_ASKING,     UB_DO_ASK,     "TS 29.109 6.3.1.10"}, ask},
    {{UB_RECALLING,  UB_EV_NO,          UB_ASKING,     UB_DO_ASK,     "TS 29.109 4.2"},      ask},
    {{UB_RECALLING,  UB_EV_ERROR,       UB_DONE,       UB_DO_ANSWER,  ""},                   refuse},
    {{UB_ASKING,     UB_EV_YES,         UB_KEEPING,    UB_DO_KEEP,    "TS 33.220 4.5.2 2"},  keep},
    {{UB_ASKING,     UB_EV_NO,          UB_DOUBTING,   PASS,          "TS 29.109 6.2.2.1"},  doubt},
    {{UB_ASKING,     UB_EV_STRANGER,    UB_DOUBTING,   PASS,          "TS 23.003 13.3"},     doubt},
    {{UB_ASKING,     UB_EV_ERROR,       UB_DONE,       UB_DO_ANSWER,  ""},                   refuse},
    {{UB_DOUBTING,   UB_EV_STRANGER,    UB_DONE,       UB_DO_ANSWER,  "TS 24.109 4.2"},      refuse_stranger},
    {{UB_DOUBTING,   UB_EV_DECOY,       UB_KEEPING,    UB_DO_KEEP,    ""},                   keep_decoy},
    {{UB_DOUBTING,   UB_EV_WRONG,       UB_UNCLAIMING, UB_DO_COUNT,   "TS 33.102 6.3.5"},    NULL},
    {{UB_KEEPING,    UB_EV_YES,         UB_DONE,       UB_DO_ANSWER,  "TS 33.220 4.5.2 3"},  challenge_new},
    {{UB_KEEPING,    UB_EV_NO,          UB_DONE,       UB_DO_ANSWER,  ""},                   refuse},
    {{UB_KEEPING,    UB_EV_ERROR,       UB_DONE,       UB_DO_ANSWER,  ""},                   refuse},

    {{UB_LOOKING_UP, UB_EV_YES,         UB_JUDGING,    PASS,          "TS 33.220 4.5.2 6"},  judge},
    {{UB_LOOKING_UP, UB_EV_NO,          UB_NAMING,     PASS,          "RFC 3310 3.3"},       start_again},
    {{UB_LOOKING_UP, UB_EV_ERROR,       UB_DONE,       UB_DO_ANSWER,  ""},                   refuse},
    {{UB_JUDGING,    UB_EV_RIGHT,       UB_OPENING,    UB_DO_OPEN,    "TS 33.220 4.5.2 7"},  open_session},
    {{UB_JUDGING,    UB_EV_WRONG,       UB_COUNTING,   UB_DO_COUNT,   "RFC 3310 3.3"},       NULL},
    {{UB_JUDGING,    UB_EV_AUTS,        UB_CLAIMING,   UB_DO_CLAIM,   "RFC 3310 3.4"},       NULL},
    {{UB_JUDGING,    UB_EV_MAC_FAILURE, UB_DROPPING,   UB_DO_DROP,    "TS 24.109 4.2"},      NULL},
    {{UB_JUDGING,    UB_EV_FOREIGN,     UB_NAMING,     PASS,          "RFC 3310 3.3"},       start_again_foreign},
    {{UB_JUDGING,    UB_EV_BAD,         UB_DONE,       UB_DO_ANSWER,  "RFC 7616 3.4"},       refuse_bad},
    {{UB_OPENING,    UB_EV_YES,         UB_DONE,       UB_DO_ANSWER,  "TS 33.220 4.5.2 8"},  bootstrapped},
    {{UB_OPENING,    UB_EV_NO,          UB_NAMING,     PASS,          "RFC 3310 3.3"},       start_again},
    {{UB_OPENING,    UB_EV_ERROR,       UB_DONE,       UB_DO_ANSWER,  ""},                   refuse},
    {{UB_COUNTING,   UB_EV_YES,         UB_DONE,       UB_DO_ANSWER,  "RFC 3310 3.3"},       counted},
    {{UB_COUNTING,   UB_EV_NO,          UB_NAMING,     PASS,          "RFC 3310 3.3"},       start_again},
    {{UB_COUNTING,   UB_EV_ERROR,       UB_DONE,       UB_DO_ANSWER,  ""},                   refuse},
    {{UB_CLAIMING,   UB_EV_YES,         UB_RECALLING,  UB_DO_RECALL,  "TS 33.102 6.3.5"},    resynchronise},
    {{UB_CLAIMING,   UB_EV_NO,          UB_JUDGING,    PASS,          "TS 33.102 6.3.5"},    not_claimed},
    {{UB_CLAIMING,   UB_EV_ERROR,       UB_DONE,       UB_DO_ANSWER,  ""},                   refuse},
    {{UB_UNCLAIMING, UB_EV_YES,         UB_DONE,       UB_DO_ANSWER,  "TS 33.102 6.3.5"},    refuse_stranger},
    {{UB_UNCLAIMING, UB_EV_NO,          UB_DONE,       UB_DO_ANSWER,  "TS 33.102 6.3.5"},    refuse_stranger},
    {{UB_UNCLAIMING, UB_EV_ERROR,       UB_DONE,       UB_DO_ANSWER,  ""},                   refuse},
    {{UB_DROPPING,   UB_EV_YES,         UB_DONE,       UB_DO_ANSWER,  "TS 24.109 4.2"},      refuse_mac_failure},
    {{UB_DROPPING,   UB_EV_NO,          UB_DONE,       UB_DO_ANSWER,  "TS 24.109 4.2"},      refuse_mac_failure},
    {{UB_DROPPING,   UB_EV_ERROR,       UB_DONE,       UB_DO_ANSWER,  ""},                   refuse},
};
/* clang-format on */

static const struct row *row_find(enum ub_state state, enum ub_event_kind event)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].r.state == state && table[i].r.event == event)
            return &table[i];
    return NULL;
}

const struct ub_row *ub_row_find(enum ub_state state, enum ub_event_kind event)
{
    const struct row *row = row_find(state, event);

    return row != NULL ? &row->r : NULL;
}

enum ub_event_kind ub_event_of(enum gba_err err)
{
    switch (err) {
    case GBA_OK:
        return UB_EV_YES;
    case GBA_E_NOT_FOUND:
    case GBA_E_NONCE:
    case GBA_E_NONCE_EXPIRED:
    case GBA_E_RAND_REUSED:
    case GBA_E_RATE_LIMITED:
    case GBA_E_SECOND_AUTS:
    case GBA_E_AUTS:
    case GBA_E_SUBSCRIBER_UNKNOWN:
    case GBA_E_SUBSCRIBER_BARRED:
        return UB_EV_NO;
    default:
        return UB_EV_ERROR;
    }
}

void ub_run_init(struct ub_run *run, const struct ub_policy *policy)
{
    memset(run, 0, offsetof(struct ub_run, digest)); /* which the parser fills */
    reset_answer(&run->answer);
    run->policy = policy;
    run->state = UB_IDLE;
}

void ub_run_release(struct ub_run *run)
{
    gba_guss_unref(run->guss);
    bsf_challenge_release(&run->challenge);
    bsf_session_release(&run->session);
    gba_wipe(run->auts, sizeof(run->auts));
}

/* For the opaque of a new challenge, and for all of a decoy. */
bool ub_wants_random(const struct ub_run *run)
{
    return run->todo == UB_DO_ASK ||
           (run->todo == UB_DO_RECALL && run->kind == BSF_USERNAME_STRANGER);
}

enum ub_do ub_step(struct ub_run *run, const struct ub_event *ev)
{
    struct ub_event next = *ev;

    while (next.kind != NOTHING) {
        const struct row *row = row_find(run->state, next.kind);

        if (row == NULL) { /* the one refusal of every pair that is not in the table */
            run->state = UB_DONE;
            end_with(run, GBA_E_UNEXPECTED);
            break;
        }
        run->state = row->r.next;
        run->todo = row->r.todo;
        next.kind = row->act != NULL ? row->act(run, &next) : NOTHING;
    }
    if (run->todo == UB_DO_ANSWER)
        run->state = UB_DONE; /* also where an action could not do its part */
    gba_wipe(next.random, sizeof(next.random));
    return run->todo;
}
