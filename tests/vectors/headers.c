/*
 * Digest header values of a run, printed by the functions that the daemons print with.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/vectors/e2e.h"

enum { ROOM = 8192 };

static void begin(struct vec *v, struct gba_wbuf *w, const char *scheme)
{
    gba_wbuf_init(w, vec_alloc(v, ROOM), ROOM);
    gba_wbuf_str(w, scheme);
}

static struct gba_text end(struct gba_wbuf *w)
{
    return gba_text(gba_wbuf_cstr(w));
}

static void print_if_there(struct gba_wbuf *w, enum gba_digest_param p, struct gba_text t)
{
    if (t.s != NULL)
        gba_digest_print(w, p, t);
}

static struct gba_text algorithm_of(const struct gba_digest_input *in)
{
    return gba_text(gba_digest_algorithm_name(in->algorithm));
}

struct gba_text vec_print_challenge(struct vec *v, const struct vec_ub *ub)
{
    struct gba_wbuf w;

    begin(v, &w, "Digest ");
    gba_digest_print(&w, GBA_DIGEST_REALM, ub->in.realm);
    gba_digest_print(&w, GBA_DIGEST_NONCE, ub->in.nonce);
    gba_digest_print(&w, GBA_DIGEST_ALGORITHM, algorithm_of(&ub->in));
    if (ub->in.qop != GBA_QOP_NONE)
        gba_digest_print_offer(&w, gba_text(gba_digest_qop_name(ub->in.qop)));
    print_if_there(&w, GBA_DIGEST_OPAQUE, ub->opaque);
    return end(&w);
}

struct gba_text vec_print_authorization(struct vec *v, const struct gba_digest_input *in,
                                        struct gba_text opaque, struct gba_text response,
                                        struct gba_text auts)
{
    struct gba_wbuf w;

    begin(v, &w, "Digest ");
    gba_digest_print(&w, GBA_DIGEST_USERNAME, in->username);
    gba_digest_print(&w, GBA_DIGEST_REALM, in->realm);
    gba_digest_print(&w, GBA_DIGEST_NONCE, in->nonce);
    gba_digest_print(&w, GBA_DIGEST_URI, in->uri);
    if (in->nonce.n != 0 && in->qop != GBA_QOP_NONE) {
        gba_digest_print(&w, GBA_DIGEST_QOP, gba_text(gba_digest_qop_name(in->qop)));
        gba_digest_print(&w, GBA_DIGEST_NC, in->nc);
        gba_digest_print(&w, GBA_DIGEST_CNONCE, in->cnonce);
    }
    gba_digest_print(&w, GBA_DIGEST_RESPONSE, response);
    print_if_there(&w, GBA_DIGEST_OPAQUE, opaque);
    if (in->nonce.n != 0) /* the first request on Ub names none (TS 24.109 A.3) */
        gba_digest_print(&w, GBA_DIGEST_ALGORITHM, algorithm_of(in));
    print_if_there(&w, GBA_DIGEST_AUTS, auts);
    return end(&w);
}

struct gba_text vec_print_info(struct vec *v, const struct gba_digest_input *in,
                               struct gba_text rspauth)
{
    struct gba_wbuf w;

    begin(v, &w, "");
    if (in->qop != GBA_QOP_NONE)
        gba_digest_print(&w, GBA_DIGEST_QOP, gba_text(gba_digest_qop_name(in->qop)));
    gba_digest_print(&w, GBA_DIGEST_RSPAUTH, rspauth);
    if (in->qop != GBA_QOP_NONE) {
        gba_digest_print(&w, GBA_DIGEST_CNONCE, in->cnonce);
        gba_digest_print(&w, GBA_DIGEST_NC, in->nc);
    }
    return end(&w);
}
