/*
 * Reading a request on Ub, judging an answer against its challenge, and printing the two
 * Digest fields.  It keeps nothing and decides no status; ub.c does.
 * TS 24.109 4, RFC 3310 3, RFC 7616 3.4-3.5.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/ub_request.h"

#include <string.h>

/* host of "host", "host:port", "[v6]:port", without a trailing dot */
static struct gba_text without_port(struct gba_text host)
{
    struct gba_text head, tail;

    if (gba_text_starts(host, "[")) {
        if (gba_text_split(host, ']', &head, &tail))
            return (struct gba_text){host.s, head.n + 1};
        return host;
    }
    gba_text_split(host, ':', &head, &tail);
    if (head.n > 1 && head.s[head.n - 1] == '.')
        head.n--;
    return head;
}

/* Splits http://authority/path?query; false for the origin form, and for other schemes. */
static bool split_absolute(struct gba_text uri, struct gba_text *authority,
                           struct gba_text *rest)
{
    struct gba_text scheme, tail;
    size_t at = 0;

    if (!gba_text_split(uri, ':', &scheme, &tail) || !gba_text_starts(tail, "//") ||
        !(gba_text_eq_nocase(scheme, GBA_TEXT("http")) ||
          gba_text_eq_nocase(scheme, GBA_TEXT("https"))))
        return false;
    tail = (struct gba_text){tail.s + 2, tail.n - 2};
    while (at < tail.n && tail.s[at] != '/' && tail.s[at] != '?')
        at++;
    *authority = (struct gba_text){tail.s, at};
    *rest = (struct gba_text){tail.s + at, tail.n - at};
    return true;
}

/* NULL: none of ours. */
static const char *name_of(const struct ub_policy *p, struct gba_text host)
{
    struct gba_text name = without_port(host);

    for (size_t i = 0; i < p->n_names; i++)
        if (gba_text_eq_nocase(name, gba_text(p->names[i])))
            return p->names[i];
    return NULL;
}

const char *ub_choose_name(const struct ub_policy *p, struct gba_text host)
{
    const char *name = name_of(p, host);

    return name != NULL ? name : p->names[0];
}

/* RFC 9112 3.2.2: the authority of an absolute form stands above Host. */
static struct gba_text host_of(const struct ub_request *rq)
{
    struct gba_text authority, rest;

    return split_absolute(rq->target, &authority, &rest) ? authority : rq->host;
}

/* Does the Digest uri name the resource that was asked for, in either form?  A trailing slash
 * more or less is what real clients do; an authority is one of ours, or what was asked. */
static bool same_resource(const struct ub_run *run, struct gba_text uri)
{
    struct gba_text authority, target = run->request->target;

    if (split_absolute(uri, &authority, &uri) && name_of(run->policy, authority) == NULL &&
        !gba_text_eq_nocase(without_port(authority), without_port(host_of(run->request))))
        return false;
    (void)split_absolute(target, &authority, &target);
    if (gba_text_ends(uri, "/"))
        uri.n--;
    if (gba_text_ends(target, "/"))
        target.n--;
    return gba_text_eq(uri, target);
}

static struct gba_text value_of(const struct gba_digest *d, enum gba_digest_param p)
{
    return d->p[p].present ? d->p[p].value : (struct gba_text){NULL, 0};
}

enum gba_err ub_read_authorization(struct ub_run *run, const struct ub_request *rq)
{
    const struct gba_digest *d = &run->digest;
    enum gba_digest_algorithm a = GBA_DIGEST_AKAV1_MD5;
    enum gba_err err;

    run->realm = ub_choose_name(run->policy, host_of(rq));
    if (rq->n_authorization == 0)
        return GBA_E_NO_AUTHORIZATION;
    if (rq->n_authorization > 1)
        return GBA_E_REPEATED;
    err = gba_digest_parse(rq->authorization, &run->digest);
    if (err != GBA_OK)
        return err == GBA_E_TOO_LONG ? GBA_E_SYNTAX : err;
    if (value_of(d, GBA_DIGEST_USERNAME).n == 0)
        return GBA_E_EMPTY_USERNAME;
    run->kind = bsf_username_kind(value_of(d, GBA_DIGEST_USERNAME));
    if (run->kind == BSF_USERNAME_MALFORMED ||
        gba_text_copy(run->username, sizeof(run->username), value_of(d, GBA_DIGEST_USERNAME)) !=
            GBA_OK)
        return GBA_E_SYNTAX;
    if (d->p[GBA_DIGEST_ALGORITHM].present &&
        (gba_digest_algorithm_by_name(value_of(d, GBA_DIGEST_ALGORITHM), &a) != GBA_OK ||
         a != GBA_DIGEST_AKAV1_MD5))
        return GBA_E_ALGORITHM;
    return GBA_OK;
}

enum gba_err ub_check_first(const struct gba_digest *d)
{
    enum gba_digest_param which;

    return gba_digest_check(d, GBA_DIGEST_UB_FIRST, &which);
}

bool ub_is_bound(const struct ub_run *run, const struct bsf_challenge *c)
{
    const struct gba_digest *d = &run->digest;
    char nonce[GBA_AKA_NONCE_SIZE];

    gba_aka_nonce(c->rand, c->autn, nonce);
    return gba_text_is(value_of(d, GBA_DIGEST_NONCE), nonce) &&
           gba_text_is(value_of(d, GBA_DIGEST_REALM), c->realm) &&
           gba_text_is(value_of(d, GBA_DIGEST_OPAQUE), c->opaque) &&
           d->p[GBA_DIGEST_URI].present && same_resource(run, value_of(d, GBA_DIGEST_URI));
}

enum gba_err ub_check_binding(const struct ub_run *run, const struct bsf_challenge *c)
{
    const struct gba_digest *d = &run->digest;
    enum gba_digest_message m =
        d->p[GBA_DIGEST_AUTS].present ? GBA_DIGEST_UB_RESYNC : GBA_DIGEST_UB_RESPONSE;
    enum gba_digest_param which = GBA_DIGEST_N_PARAMS;

    if (!gba_text_eq_nocase(value_of(d, GBA_DIGEST_QOP), GBA_TEXT("auth-int")))
        return GBA_E_QOP;
    if (!gba_text_is(value_of(d, GBA_DIGEST_NC), "00000001"))
        return GBA_E_NC;
    if (!d->p[GBA_DIGEST_ALGORITHM].present || !ub_is_bound(run, c))
        return GBA_E_BINDING;
    if (value_of(d, GBA_DIGEST_CNONCE).n > UB_CNONCE_MAX)
        return GBA_E_SYNTAX;
    return gba_digest_check(d, m, &which);
}

static void fill_input(const struct ub_run *run, const struct bsf_challenge *c,
                       struct gba_digest_input *in)
{
    const struct gba_digest *d = &run->digest;

    *in = (struct gba_digest_input){
        .algorithm = GBA_DIGEST_AKAV1_MD5,
        .qop = GBA_QOP_AUTH_INT,
        .username = value_of(d, GBA_DIGEST_USERNAME),
        .realm = value_of(d, GBA_DIGEST_REALM),
        .method = run->request->method,
        .uri = value_of(d, GBA_DIGEST_URI),
        .nonce = value_of(d, GBA_DIGEST_NONCE),
        .nc = value_of(d, GBA_DIGEST_NC),
        .cnonce = value_of(d, GBA_DIGEST_CNONCE),
        .password = {c->xres, c->xres_len},
        .body = run->request->body,
    };
}

bool ub_response_verifies(const struct ub_run *run, const struct bsf_challenge *c)
{
    struct gba_digest_input in;
    bool right;

    fill_input(run, c, &in);
    right = gba_digest_verify(&in, value_of(&run->digest, GBA_DIGEST_RESPONSE));
    return right && !c->decoy;
}

enum gba_err ub_print_challenge(struct ub_answer *a, const struct bsf_challenge *c)
{
    char nonce[GBA_AKA_NONCE_SIZE];
    struct gba_wbuf w;

    gba_aka_nonce(c->rand, c->autn, nonce);
    gba_wbuf_init(&w, a->field, sizeof(a->field));
    gba_wbuf_str(&w, "Digest ");
    gba_digest_print(&w, GBA_DIGEST_REALM, gba_text(c->realm));
    gba_digest_print(&w, GBA_DIGEST_NONCE, gba_text(nonce));
    gba_digest_print(&w, GBA_DIGEST_ALGORITHM, GBA_TEXT("AKAv1-MD5"));
    gba_digest_print_offer(&w, GBA_TEXT("auth-int"));
    gba_digest_print(&w, GBA_DIGEST_OPAQUE, gba_text(c->opaque));
    return gba_wbuf_cstr(&w)[0] != '\0' ? GBA_OK : GBA_E_TOO_LONG;
}

/* RFC 7616 3.5: rspauth is a response without method, over the body of the answer. */
static enum gba_err print_info(struct ub_run *run)
{
    struct gba_digest_input in;
    char rspauth[GBA_DIGEST_HEX_SIZE];
    struct gba_wbuf w;

    fill_input(run, &run->challenge, &in);
    in.method = (struct gba_text){NULL, 0};
    in.body = (struct gba_bytes){run->answer.body, run->answer.body_len};
    gba_digest_response(&in, rspauth);
    gba_wbuf_init(&w, run->answer.field, sizeof(run->answer.field));
    gba_digest_print(&w, GBA_DIGEST_QOP, GBA_TEXT("auth-int"));
    gba_digest_print(&w, GBA_DIGEST_RSPAUTH, gba_text(rspauth));
    gba_digest_print(&w, GBA_DIGEST_CNONCE, in.cnonce);
    gba_digest_print(&w, GBA_DIGEST_NC, in.nc);
    return gba_wbuf_cstr(&w)[0] != '\0' ? GBA_OK : GBA_E_TOO_LONG;
}

enum gba_err ub_print_success(struct ub_run *run, int64_t now_s)
{
    struct gba_bootstrapping_info info = {.lifetime_s = run->session.expires_s,
                                          .currenttime_s = now_s};
    struct gba_wbuf w;
    enum gba_err err;

    memcpy(info.btid, run->session.btid, sizeof(info.btid));
    gba_wbuf_init(&w, run->answer.body, sizeof(run->answer.body));
    err = gba_bootstrapping_info_print(&info, &w);
    if (err != GBA_OK)
        return err;
    run->answer.body_len = w.n;
    return print_info(run);
}
