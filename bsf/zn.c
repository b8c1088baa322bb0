/*
 * The decision of Zn: checks in the order transport identity, NAF_Id, FQDN, (store) B-TID,
 * USSs, keys.  It reads no wire format and looks nothing up.  TS 33.220 4.5.3, TS 29.109 5.2.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/zn.h"

#include <string.h>

#define MAX_USS 256 /* of one subscriber; the reader of GUSSs allows fewer */

enum gba_err zn_admit(const struct policy *p, const struct zn_query *q,
                      const struct policy_naf **naf)
{
    struct gba_bytes naf_id = {q->request->naf_id, q->request->naf_id_len};
    const uint8_t *ua_id;
    struct gba_text fqdn;

    *naf = NULL;
    if (gba_naf_id_parse(naf_id, &fqdn, &ua_id) != GBA_OK)
        return GBA_E_NOT_AUTHORIZED;
    return policy_admit(p, q->names, q->n_names, fqdn, ua_id, naf);
}

struct selection {
    bool pick[MAX_USS];
    size_t n_uss, n_picked;
    bool me, uicc; /* what the keyChoices of the picked USSs leave */
};

/* TS 29.109 Annex A keyChoice: several USSs restrict together. */
static void restrict_keys(struct selection *s, enum gba_key_choice choice)
{
    if (choice == GBA_KEY_ME)
        s->uicc = false;
    if (choice == GBA_KEY_UICC)
        s->me = false;
}

static bool pick(const struct policy *p, const struct policy_naf *naf, const char *gsid,
                 const struct gba_guss *guss, struct selection *s)
{
    bool some = false;

    for (size_t i = 0; i < s->n_uss; i++) {
        const struct gba_uss *uss = gba_guss_uss(guss, i);

        if (!policy_sees_uss(p, naf, gsid, uss))
            continue;
        some = true;
        if (!s->pick[i]) {
            s->pick[i] = true;
            s->n_picked++;
            restrict_keys(s, uss->key_choice);
        }
    }
    return some;
}

static enum gba_err select_uss(const struct policy *p, const struct policy_naf *naf,
                               const struct gba_zn_request *rq, const struct gba_guss *guss,
                               struct selection *s)
{
    struct selection required = {.n_uss = 0};

    memset(s, 0, sizeof(*s));
    s->me = s->uicc = true;
    s->n_uss = guss != NULL ? gba_guss_n_uss(guss) : 0;
    if (s->n_uss > MAX_USS)
        return GBA_E_TOO_LONG;
    required.n_uss = s->n_uss;
    for (size_t i = 0; i < naf->n_required_gsids; i++)
        if (!pick(p, naf, naf->required_gsids[i], guss, &required))
            return GBA_E_NOT_AUTHORIZED;
    for (size_t i = 0; i < rq->n_gsids; i++)
        pick(p, naf, rq->gsid[i], guss, s);
    return GBA_OK;
}

static enum gba_err derive(const struct bsf_session *s, enum gba_ks_use use,
                           const struct gba_zn_request *rq, struct gba_key *out)
{
    return gba_ks_naf(&s->ks, use, s->rand, gba_text(s->impi),
                      (struct gba_bytes){rq->naf_id, rq->naf_id_len}, out);
}

/* TS 33.220 5.3.3: a GBA_U run gives Ks_ext_NAF, and Ks_int_NAF to a NAF that knows of it. */
static enum gba_err derive_keys(const struct bsf_session *s, const struct gba_zn_request *rq,
                                const struct selection *chosen, struct gba_zn_answer *out)
{
    bool uicc = s->gba_u && rq->gba_u_aware && chosen->uicc;
    enum gba_err err;

    if (!chosen->me && !uicc)
        return GBA_E_NOT_AUTHORIZED;
    err = derive(s, GBA_USE_ME, rq, &out->me_key);
    if (err == GBA_OK && uicc)
        err = derive(s, GBA_USE_UICC, rq, &out->uicc_key);
    out->has_uicc_key = err == GBA_OK && uicc;
    return err;
}

enum gba_err zn_decide(const struct policy *p, const struct policy_naf *naf,
                       const struct zn_query *q, const struct bsf_session *s, int64_t now_s,
                       struct gba_zn_answer *out, struct gba_wbuf *list)
{
    struct selection chosen;
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    if (s->expires_s <= now_s)
        return GBA_E_BTID;
    err = select_uss(p, naf, q->request, s->guss, &chosen);
    if (err == GBA_OK)
        err = derive_keys(s, q->request, &chosen, out);
    if (err == GBA_OK && chosen.n_picked != 0)
        err = gba_uss_list_print(s->guss, chosen.pick, list);
    if (err != GBA_OK) {
        gba_wipe(out, sizeof(*out));
        return err;
    }
    if (chosen.n_picked != 0)
        out->uss_list = gba_wbuf_bytes(list);
    if (naf->may_learn_impi)
        memcpy(out->impi, s->impi, sizeof(out->impi));
    out->expiry_s = s->expires_s;
    out->created_s = s->created_s;
    out->type = GBA_TYPE_3G;
    return GBA_OK;
}
