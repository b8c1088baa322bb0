/*
 * From vector to challenge and from challenge to session: Ks, B-TID, expiry, TMPI, and the
 * changes GBA_U makes to AUTN and XRES.  Stores nothing, looks nothing up.
 * TS 33.220 4.5.2, 5.3.2, B.4.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/session.h"

#include <string.h>

#include "common/gba_u.h"

void bsf_challenge_copy(struct bsf_challenge *to, const struct bsf_challenge *from)
{
    *to = *from;
    if (to->guss != NULL)
        gba_guss_ref(to->guss);
}

void bsf_challenge_release(struct bsf_challenge *c)
{
    gba_guss_unref(c->guss);
    gba_wipe(c, sizeof(*c));
}

void bsf_session_copy(struct bsf_session *to, const struct bsf_session *from)
{
    *to = *from;
    if (to->guss != NULL)
        gba_guss_ref(to->guss);
}

void bsf_session_release(struct bsf_session *s)
{
    gba_guss_unref(s->guss);
    gba_wipe(s, sizeof(*s));
}

enum gba_err bsf_challenge_set_vector(struct bsf_challenge *c, const struct gba_av *av,
                                      bool gba_u)
{
    if (av->res_len < 4 || av->res_len > sizeof(c->xres))
        return GBA_E_ZH_MALFORMED;
    memcpy(c->rand, av->rand, 16);
    memcpy(c->autn, av->autn, 16);
    memcpy(c->xres, av->res, av->res_len);
    c->xres_len = av->res_len;
    memcpy(c->ks.octets, av->ck, 16);
    memcpy(c->ks.octets + 16, av->ik, 16);
    c->gba_u = gba_u;
    if (gba_u) {
        gba_u_autn(av->autn, av->ik, c->autn);
        gba_u_res(c->xres, c->xres_len);
    }
    return GBA_OK;
}

int64_t bsf_ks_lifetime_s(const struct bsf_lifetimes *l, const struct gba_guss *guss)
{
    int64_t asked = guss != NULL ? gba_guss_lifetime_s(guss) : -1;

    if (asked < 0)
        return l->deflt_s;
    if (asked < l->min_s)
        return l->min_s;
    return asked > l->max_s ? l->max_s : asked;
}

enum gba_err bsf_session_make(const struct bsf_challenge *c, const struct bsf_lifetimes *l,
                              int64_t now_s, bool with_tmpi, struct bsf_session *out)
{
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    memcpy(out->rand, c->rand, 16);
    out->ks = c->ks;
    memcpy(out->impi, c->impi, sizeof(out->impi));
    out->created_s = now_s;
    out->expires_s = now_s + bsf_ks_lifetime_s(l, c->guss);
    out->gba_u = c->gba_u;
    err = gba_btid_make(c->rand, gba_text(c->realm), out->btid);
    if (err == GBA_OK && with_tmpi)
        err = gba_tmpi(&c->ks, c->rand, gba_text(c->impi), gba_text(c->realm), out->tmpi);
    if (err != GBA_OK) {
        bsf_session_release(out);
        return err;
    }
    out->guss = c->guss != NULL ? gba_guss_ref(c->guss) : NULL;
    return GBA_OK;
}
