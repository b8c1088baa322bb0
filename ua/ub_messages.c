/*
 * Reference point Ub, UE side: the fields of the requests (TS 24.109 A.3, A.4; RFC 3310) and
 * the judgement of a challenge and of the 200 OK.  Which of them is due is ub_client.c's
 * decision.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/ub_client.h"

#include <string.h>

#include "common/bootstrapping_info.h"

static const char *username(const struct gba_ue *ue)
{
    return ue->with_tmpi ? ue->tmpi : ue->impi;
}

static enum gba_err finish_request(struct gba_ue *ue, struct gba_wbuf *w)
{
    if (gba_wbuf_cstr(w)[0] == '\0') {
        ue->why = "Authorization does not fit";
        return GBA_E_TOO_LONG;
    }
    ue->fields[0] = (struct gba_ue_field){"User-Agent", ue->agent};
    ue->fields[1] = (struct gba_ue_field){"Accept", "*/*"};
    ue->fields[2] = (struct gba_ue_field){"Authorization", ue->authorization};
    ue->request = (struct gba_ue_request){.method = "GET", .fields = ue->fields, .n_fields = 3};
    return GBA_OK;
}

/* TS 24.109 A.3: this parameter set, in this order. */
enum gba_err ub_print_first(struct gba_ue *ue)
{
    struct gba_wbuf w;

    gba_wbuf_init(&w, ue->authorization, sizeof(ue->authorization));
    gba_wbuf_str(&w, "Digest ");
    gba_digest_print(&w, GBA_DIGEST_USERNAME, gba_text(username(ue)));
    gba_digest_print(&w, GBA_DIGEST_REALM, gba_text(ue->bsf));
    gba_digest_print(&w, GBA_DIGEST_NONCE, GBA_TEXT(""));
    gba_digest_print(&w, GBA_DIGEST_URI, gba_text(ue->uri));
    gba_digest_print(&w, GBA_DIGEST_RESPONSE, GBA_TEXT(""));
    return finish_request(ue, &w);
}

/* The calculation both ends make; an empty method gives rspauth. */
static struct gba_digest_input digest_input(const struct gba_ue *ue, const char *method,
                                            struct gba_bytes body)
{
    return (struct gba_digest_input){.algorithm = GBA_DIGEST_AKAV1_MD5,
                                     .qop = GBA_QOP_AUTH_INT,
                                     .username = gba_text(username(ue)),
                                     .realm = gba_text(ue->realm),
                                     .method = gba_text(method),
                                     .uri = gba_text(ue->uri),
                                     .nonce = gba_text(ue->nonce),
                                     .nc = GBA_TEXT("00000001"),
                                     .cnonce = gba_text(ue->cnonce),
                                     .password = {ue->res, ue->res_len},
                                     .body = body};
}

static enum gba_err print_answer(struct gba_ue *ue, const char *response, const char *auts)
{
    struct gba_wbuf w;

    gba_wbuf_init(&w, ue->authorization, sizeof(ue->authorization));
    gba_wbuf_str(&w, "Digest ");
    gba_digest_print(&w, GBA_DIGEST_USERNAME, gba_text(username(ue)));
    gba_digest_print(&w, GBA_DIGEST_REALM, gba_text(ue->realm));
    gba_digest_print(&w, GBA_DIGEST_NONCE, gba_text(ue->nonce));
    gba_digest_print(&w, GBA_DIGEST_URI, gba_text(ue->uri));
    gba_digest_print(&w, GBA_DIGEST_QOP, GBA_TEXT("auth-int"));
    gba_digest_print(&w, GBA_DIGEST_NC, GBA_TEXT("00000001"));
    gba_digest_print(&w, GBA_DIGEST_CNONCE, gba_text(ue->cnonce));
    gba_digest_print(&w, GBA_DIGEST_RESPONSE, gba_text(response));
    if (ue->has_opaque)
        gba_digest_print(&w, GBA_DIGEST_OPAQUE, gba_text(ue->opaque));
    gba_digest_print(&w, GBA_DIGEST_ALGORITHM, GBA_TEXT("AKAv1-MD5"));
    if (auts != NULL)
        gba_digest_print(&w, GBA_DIGEST_AUTS, gba_text(auts));
    return finish_request(ue, &w);
}

static void make_response(struct gba_ue *ue, const uint8_t entropy[static 16],
                          char response[static GBA_DIGEST_HEX_SIZE])
{
    struct gba_digest_input in;

    gba_hex(ue->cnonce, (struct gba_bytes){entropy, 16});
    in = digest_input(ue, "GET", (struct gba_bytes){NULL, 0});
    gba_digest_response(&in, response);
}

enum gba_err ub_print_response(struct gba_ue *ue, const uint8_t entropy[static 16])
{
    char response[GBA_DIGEST_HEX_SIZE];

    make_response(ue, entropy, response);
    return print_answer(ue, response, NULL);
}

enum gba_err ub_print_auts(struct gba_ue *ue, const uint8_t auts[static 14],
                           const uint8_t entropy[static 16])
{
    char response[GBA_DIGEST_HEX_SIZE], text[21];

    ue->res_len = 0; /* RFC 3310 3.4: the password is empty */
    make_response(ue, entropy, response);
    gba_auts_print(auts, text);
    return print_answer(ue, response, text);
}

enum gba_err ub_print_mac_failure(struct gba_ue *ue, const uint8_t entropy[static 16])
{
    gba_hex(ue->cnonce, (struct gba_bytes){entropy, 16});
    return print_answer(ue, "", NULL);
}

/* --- the challenge ---------------------------------------------------------------------- */

static enum gba_err judge(struct gba_ue *ue, enum gba_err err, const char *why)
{
    ue->why = why;
    return err;
}

/* Is this a challenge for us?  Nothing is taken from it before all of it fits. */
static enum gba_err judge_challenge(struct gba_ue *ue, const struct gba_digest *d)
{
    const struct gba_text realm = d->p[GBA_DIGEST_REALM].value;
    enum gba_digest_param which;
    enum gba_digest_algorithm algorithm;

    if (gba_digest_algorithm_by_name(d->p[GBA_DIGEST_ALGORITHM].value, &algorithm) != GBA_OK ||
        algorithm != GBA_DIGEST_AKAV1_MD5)
        return judge(ue, GBA_E_ALGORITHM, "the challenge is not for AKAv1-MD5");
    if (!gba_text_eq_nocase(realm, gba_text(ue->bsf)))
        return judge(ue, GBA_E_BINDING, "the challenge's realm is not the BSF addressed");
    if (!gba_digest_offers(d->p[GBA_DIGEST_QOP].value, GBA_QOP_AUTH_INT))
        return judge(ue, GBA_E_QOP, "the challenge does not offer qop auth-int");
    if (gba_digest_check(d, GBA_DIGEST_UB_CHALLENGE, &which) != GBA_OK)
        return judge(ue, GBA_E_PROTOCOL,
                     "the challenge lacks a parameter or has a malformed one");
    return GBA_OK;
}

static enum gba_err take_challenge(struct gba_ue *ue, const struct gba_digest *d)
{
    const struct gba_text nonce = d->p[GBA_DIGEST_NONCE].value;
    uint8_t rand[16], autn[16];

    if (gba_aka_nonce_parse(nonce, rand, autn) != GBA_OK ||
        gba_text_copy(ue->nonce, sizeof(ue->nonce), nonce) != GBA_OK)
        return judge(ue, GBA_E_NONCE, "the nonce is not base64 of RAND and AUTN");
    if (gba_text_copy(ue->realm, sizeof(ue->realm), d->p[GBA_DIGEST_REALM].value) != GBA_OK ||
        gba_text_copy(ue->opaque, sizeof(ue->opaque), d->p[GBA_DIGEST_OPAQUE].value) != GBA_OK)
        return judge(ue, GBA_E_PROTOCOL, "opaque or realm too long");
    ue->has_opaque = d->p[GBA_DIGEST_OPAQUE].present;
    memcpy(ue->rand, rand, sizeof(rand));
    memcpy(ue->autn, autn, sizeof(autn));
    ue->why = "";
    return GBA_OK;
}

/* The first challenge that fits counts; if none does, the reason of the last. */
enum gba_err ub_read_challenge(struct gba_ue *ue, const struct gba_ue_reply *reply)
{
    enum gba_err verdict = judge(ue, GBA_E_PROTOCOL, "a 401 without a Digest challenge");
    struct gba_digest d;
    const char *value;

    for (size_t i = 0; (value = gba_ue_reply_field(reply, "WWW-Authenticate", i)) != NULL;
         i++) {
        struct gba_text rest = gba_text(value);
        enum gba_err err;

        while ((err = gba_digest_next_challenge(&rest, &d)) == GBA_OK) {
            verdict = judge_challenge(ue, &d);
            if (verdict == GBA_OK)
                return take_challenge(ue, &d);
        }
        if (err != GBA_E_NOT_FOUND)
            return judge(ue, GBA_E_PROTOCOL, "malformed WWW-Authenticate");
    }
    return verdict;
}

/* --- the 200 OK ------------------------------------------------------------------------- */

static bool absent_or(const struct gba_digest *d, enum gba_digest_param p, const char *value)
{
    return !d->p[p].present || gba_text_eq_nocase(d->p[p].value, gba_text(value));
}

/* RFC 7616 3.5: the sender knows RES, and this body is what it sent.  Only auth-int covers it.
 */
static enum gba_err check_rspauth(struct gba_ue *ue, const struct gba_ue_reply *reply)
{
    const char *field = gba_ue_reply_field(reply, "Authentication-Info", 0);
    struct gba_digest_input in =
        digest_input(ue, "", (struct gba_bytes){reply->body, reply->body_len});
    struct gba_digest d;

    if (field == NULL)
        return judge(ue, GBA_E_RSPAUTH, "the 200 has no Authentication-Info");
    if (gba_ue_reply_field(reply, "Authentication-Info", 1) != NULL ||
        gba_digest_parse_info(gba_text(field), &d) != GBA_OK)
        return judge(ue, GBA_E_RSPAUTH, "malformed Authentication-Info");
    if (!absent_or(&d, GBA_DIGEST_QOP, "auth-int") ||
        !absent_or(&d, GBA_DIGEST_NC, "00000001") ||
        (d.p[GBA_DIGEST_CNONCE].present &&
         !gba_text_is(d.p[GBA_DIGEST_CNONCE].value, ue->cnonce)))
        return judge(ue, GBA_E_RSPAUTH, "Authentication-Info is not for this request");
    if (!d.p[GBA_DIGEST_RSPAUTH].present ||
        !gba_digest_verify(&in, d.p[GBA_DIGEST_RSPAUTH].value))
        return judge(ue, GBA_E_RSPAUTH,
                     "rspauth missing or wrong: the 200 is not from this BSF");
    return GBA_OK;
}

/* TS 24.109 C.1: lifetime is the expiry instant.  With currenttime the BSF's clock decides how
 * long that is, so that a device without a right clock can use the key. */
static enum gba_err take_lifetime(struct gba_ue *ue, const struct gba_bootstrapping_info *info,
                                  int64_t now_s)
{
    const int64_t from = info->currenttime_s != 0 ? info->currenttime_s : now_s;
    int64_t life = info->lifetime_s - from;

    if (life <= 0)
        return judge(ue, GBA_E_EXPIRED, "the lifetime granted is over (is the clock right?)");
    if (life > ue->max_life_s)
        life = ue->max_life_s;
    ue->expires_s = now_s + life;
    return GBA_OK;
}

enum gba_err ub_read_success(struct gba_ue *ue, const struct gba_ue_reply *reply, int64_t now_s)
{
    struct gba_bootstrapping_info info;
    struct gba_text domain;
    uint8_t rand[16];
    enum gba_err err = check_rspauth(ue, reply);

    if (err != GBA_OK)
        return err;
    if (gba_bootstrapping_info_parse((struct gba_bytes){reply->body, reply->body_len}, &info) !=
        GBA_OK)
        return judge(ue, GBA_E_PROTOCOL, "the 200's body is not BootstrappingInfo");
    if (gba_btid_parse(gba_text(info.btid), rand, &domain) != GBA_OK ||
        memcmp(rand, ue->rand, sizeof(rand)) != 0)
        return judge(ue, GBA_E_PROTOCOL, "the B-TID is not of this run's RAND");
    err = take_lifetime(ue, &info, now_s);
    if (err == GBA_OK)
        memcpy(ue->btid, info.btid, sizeof(ue->btid));
    return err;
}

bool ub_server_knows_tmpi(const struct gba_ue_reply *reply)
{
    const char *value;

    for (size_t i = 0; (value = gba_ue_reply_field(reply, "Server", i)) != NULL; i++) {
        struct gba_text rest = gba_text(value), token;

        while (rest.n > 0) {
            const size_t n = strcspn(rest.s, " \t;,()/");

            token = (struct gba_text){rest.s, n};
            if (gba_text_eq_nocase(token, GBA_TEXT("3gpp-gba-tmpi")))
                return true;
            rest =
                n < rest.n ? (struct gba_text){rest.s + n + 1, rest.n - n - 1} : GBA_TEXT("");
        }
    }
    return false;
}

unsigned ub_retry_after(const struct gba_ue_reply *reply)
{
    const char *value = gba_ue_reply_field(reply, "Retry-After", 0);
    uint64_t s;

    return value != NULL && gba_text_number(gba_text(value), 86400, &s) == GBA_OK ? (unsigned)s
                                                                                  : 0;
}
