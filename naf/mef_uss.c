/*
 * What a USS says of an enrolee: see mef_uss.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_uss.h"

#include <string.h>

#include "common/guss.h"

/* GSIDs are numbers (TS 29.109 6.3.1.4), in a USS written as its id. */
static bool is_of(const struct gba_uss *uss, uint32_t gsid)
{
    uint64_t v;

    return gba_text_number(gba_text(uss->id), UINT32_MAX, &v) == GBA_OK && v == gsid;
}

/* An FQDN, or what begins like an Absolute identifier: an SP-relative one would name another
 * target with each service provider. */
static enum gba_err canonical(const struct mef_policy *p, const char *uid,
                              char out[static M2M_ID_SIZE])
{
    struct gba_text t = gba_text(uid);

    if (memchr(t.s, '/', t.n) != NULL && !gba_text_starts(t, "//"))
        return GBA_E_SYNTAX;
    return mef_absolute(p, t, out);
}

static void take_uids(const struct mef_policy *p, const struct gba_uss *uss,
                      struct mef_uss *out)
{
    size_t n = strlen(out->uids);

    for (size_t i = 0; i < uss->n_uids; i++) {
        char id[M2M_ID_SIZE];
        size_t len;

        if (canonical(p, uss->uids[i], id) != GBA_OK)
            continue;
        len = strlen(id);
        if (len + 2 > sizeof(out->uids) - n)
            continue;
        memcpy(out->uids + n, id, len);
        n += len;
        out->uids[n++] = '\n';
        out->uids[n] = '\0';
    }
}

enum gba_err mef_uss_read(const struct mef_policy *p, struct gba_bytes uss_list,
                          struct mef_uss *out)
{
    struct gba_guss *list;
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    out->kind = MEF_USS_NONE;
    if (uss_list.n == 0)
        return GBA_OK;
    err = gba_uss_list_parse(uss_list, &list);
    if (err != GBA_OK)
        return err == GBA_E_NOMEM ? err : GBA_OK;
    for (size_t i = 0; i < gba_guss_n_uss(list); i++) {
        const struct gba_uss *uss = gba_guss_uss(list, i);

        if (!is_of(uss, p->gsid))
            continue;
        out->kind = MEF_USS_GIVEN;
        take_uids(p, uss, out);
    }
    gba_guss_unref(list);
    return GBA_OK;
}

bool mef_uss_names(const struct mef_uss *u, const struct mef_target *target)
{
    struct gba_text rest = gba_text(u->uids), uid;

    if (u->kind != MEF_USS_GIVEN)
        return false;
    while (gba_text_split(rest, '\n', &uid, &rest))
        if (gba_text_is(uid, target->id) || gba_text_is(uid, target->fqdn))
            return true;
    return false;
}
