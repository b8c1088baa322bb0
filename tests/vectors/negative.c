/*
 * What must be refused: an entry names the run that it spoils (`of`) and has the spoilt member.
 * Its `expect` is prose and is not read.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "common/digest_aka.h"
#include "common/gba_u.h"
#include "tests/vectors/e2e.h"

/* Each returns true when the spoilt member is refused. */

/* The USIM checks MAC-A; in GBA_U the UICC first takes MAC* back to MAC. */
static bool autn_refused(const struct vec_ub *ub, const uint8_t rand[static 16],
                         const uint8_t autn[static 16])
{
    uint8_t plain[16], sqn[6], amf[2];
    struct gba_av av;

    memcpy(plain, autn, 16);
    if (ub->gba_u)
        gba_u_autn(autn, ub->av.ik, plain);
    return gba_aka_open_autn(&ub->secret, rand, plain, sqn, amf, &av) == GBA_E_MAC;
}

static bool autn(const struct vec_node *n, const struct vec_ub *ub)
{
    const struct gba_bytes b = vec_hex(n, "autn");

    return b.n != 16 || autn_refused(ub, ub->av.rand, b.p);
}

static bool response(const struct vec_node *n, const struct vec_ub *ub)
{
    return !gba_digest_verify(&ub->in, vec_text(n, "response"));
}

static bool rspauth(const struct vec_node *n, const struct vec_ub *ub)
{
    struct gba_digest_input in = ub->in;

    in.method = gba_text("");
    in.body = ub->body;
    return !gba_digest_verify(&in, vec_text(n, "rspauth"));
}

static bool nonce(const struct vec_node *n, const struct vec_ub *ub)
{
    uint8_t rand[16], got[16];

    return gba_aka_nonce_parse(vec_text(n, "nonce"), rand, got) != GBA_OK ||
           autn_refused(ub, rand, got);
}

static bool auts(const struct vec_node *n, const struct vec_ub *ub)
{
    uint8_t octets[GBA_AUTS_LEN], sqn_ms[6];

    return gba_auts_parse(vec_text(n, "auts_base64"), octets) != GBA_OK ||
           gba_aka_open_auts(&ub->secret, ub->av.rand, octets, sqn_ms) == GBA_E_AUTS;
}

static const struct {
    const char *member;
    bool (*refused)(const struct vec_node *n, const struct vec_ub *ub);
    bool aka; /* needs a USIM: not for 2G GBA */
} spoilt[] = {
    {"autn", autn, true},   {"response", response, false}, {"rspauth", rspauth, false},
    {"nonce", nonce, true}, {"auts_base64", auts, true},
};

/* Runs the entry that is to be spoilt, as it is. */
static bool run_target(struct vec *v, json_t *target, struct vec_ub *ub, bool *aka)
{
    json_t *own = v->entry;
    uint8_t unused[GBA_AUTS_LEN];
    struct vec_node n, inputs;
    bool ok;

    v->entry = target;
    n = vec_root(v);
    inputs = vec_child(&n, "inputs");
    *aka = !vec_has(&inputs, "ks_input");
    if (!*aka)
        ok = vec_run_2g(v, ub);
    else if (vec_has(&inputs, "sqn_ms"))
        ok = vec_run_resynchronisation(v, ub, unused);
    else
        ok = vec_run_bootstrap(v, ub);
    v->entry = own;
    v->n_compared = 0; /* its outputs are its own entry's business */
    v->differs = false;
    return ok;
}

void vec_f_negative(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    const struct gba_text of = vec_text(&n, "of");
    json_t *target = vec_find(v->files, vec_cstr(v, of).s);
    struct vec_ub ub;
    bool aka;

    if (v->broken)
        return;
    if (target == NULL) {
        vec_fail(&n, "of", "an_entry", vec_cstr(v, of).s);
        return;
    }
    if (!run_target(v, target, &ub, &aka))
        return;
    for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
        if (!vec_has(&n, spoilt[i].member))
            continue;
        v->n_compared++;
        if (spoilt[i].aka && !aka)
            vec_fail(&n, spoilt[i].member, "a_run_with_AKA", "2G_GBA");
        else if (!spoilt[i].refused(&n, &ub))
            vec_differs(&n, spoilt[i].member, "refused", "accepted");
    }
}
