/*
 * Response status codes, and where a request points.  No binding.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_primitive.h"

#include <string.h>

static const struct rsc {
    unsigned code, http;
    const char *name;
} rscs[] = {
#define X(name, code, http) {code, http, #name},
    M2M_RSC_TABLE(X)
#undef X
};

static const struct rsc *find(unsigned code)
{
    for (size_t i = 0; i < sizeof(rscs) / sizeof(rscs[0]); i++)
        if (rscs[i].code == code)
            return &rscs[i];
    return NULL;
}

const char *m2m_rsc_name(unsigned rsc)
{
    const struct rsc *row = find(rsc);

    return row != NULL ? row->name : "UNKNOWN";
}

unsigned m2m_rsc_http(unsigned rsc)
{
    const struct rsc *row = find(rsc);

    return row != NULL ? row->http : 500;
}

bool m2m_rsc_is_success(unsigned rsc)
{
    return rsc / 1000 == 2;
}

void m2m_answer(const struct m2m_request *rq, unsigned rsc, struct m2m_response *out)
{
    *out = (struct m2m_response){
        .rsc = rsc, .format = rq->answer_in, .vendor_type = rq->vendor_type};
    memcpy(out->rqi, rq->rqi, sizeof(out->rqi));
    memcpy(out->rvi, rq->rvi, sizeof(out->rvi));
}

/* "-" alone, or "-/..." : what stands behind it. */
static bool below_base(struct gba_text t, struct gba_text *rest)
{
    struct gba_text head;

    gba_text_split(t, '/', &head, rest);
    return gba_text_is(head, "-");
}

enum gba_err m2m_target_parse(struct gba_text to, struct m2m_target *out)
{
    struct gba_text rest = to;

    *out = (struct m2m_target){.n = 0};
    if (gba_text_starts(to, "//"))
        gba_text_split((struct gba_text){to.s + 2, to.n - 2}, '/', &out->fqdn, &rest);
    else if (gba_text_starts(to, "/"))
        rest = (struct gba_text){to.s + 1, to.n - 1};
    if (!below_base(rest, &rest))
        return GBA_E_NOT_FOUND;
    while (rest.n != 0) {
        struct gba_text head;

        gba_text_split(rest, '/', &head, &rest);
        if (head.n == 0 || out->n == M2M_TARGET_SEGMENTS)
            return GBA_E_NOT_FOUND;
        out->segment[out->n++] = head;
    }
    return GBA_OK;
}
