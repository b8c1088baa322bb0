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

/* ------------------------------------------------------------ what a binding found */

enum m2m_rsc m2m_request_refuse(struct m2m_request *rq, enum m2m_rsc rsc, const char *why)
{
    if (rq->why == NULL)
        rq->why = why;
    return rsc;
}

static bool take(char *out, size_t cap, struct gba_text t)
{
    return m2m_is_plain(t) && gba_text_copy(out, cap, t) == GBA_OK;
}

enum m2m_rsc m2m_request_take_rqi(struct m2m_request *rq, struct gba_text t)
{
    if (t.n == 0)
        return m2m_request_refuse(rq, M2M_RSC_BAD_REQUEST, "no request identifier");
    return take(rq->rqi, sizeof(rq->rqi), t)
               ? M2M_RSC_OK
               : m2m_request_refuse(rq, M2M_RSC_BAD_REQUEST, "bad request identifier");
}

/* TS-0032 began with release 2A. */
enum m2m_rsc m2m_request_take_rvi(struct m2m_request *rq, struct gba_text t)
{
    static const char *const known[] = {"2a", "3", "4", "5"};

    if (t.n == 0)
        return M2M_RSC_OK;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (gba_text_is(t, known[i]))
            return take(rq->rvi, sizeof(rq->rvi), t) ? M2M_RSC_OK : M2M_RSC_BAD_REQUEST;
    strcpy(rq->rvi, "3"); /* what the answer speaks */
    return m2m_request_refuse(rq, M2M_RSC_RELEASE_VERSION_NOT_SUPPORTED,
                              "release version not supported: 2a, 3, 4 and 5 are");
}

enum m2m_rsc m2m_request_take_fr(struct m2m_request *rq, struct gba_text t)
{
    return take(rq->fr, sizeof(rq->fr), t)
               ? M2M_RSC_OK
               : m2m_request_refuse(rq, M2M_RSC_BAD_REQUEST, "bad originator");
}

/* rcn, and rt: only blocking requests are served (TS-0004 6.3.4.2.6). */
enum m2m_rsc m2m_request_take_parameter(struct m2m_request *rq, struct gba_text parameter)
{
    struct gba_text name, value;
    uint64_t v;

    gba_text_split(parameter, '=', &name, &value);
    if (gba_text_is(name, "rcn")) {
        if (rq->rcn != M2M_RCN_DEFAULT || gba_text_number(value, 9, &v) != GBA_OK)
            return m2m_request_refuse(rq, M2M_RSC_BAD_REQUEST, "bad or repeated rcn");
        rq->rcn = (unsigned)v;
    } else if (gba_text_is(name, "rt") && !gba_text_is(value, "3") &&
               !gba_text_is(value, "4")) {
        return m2m_request_refuse(rq, M2M_RSC_NON_BLOCKING_REQUEST_NOT_SUPPORTED,
                                  "only blocking requests are served");
    }
    return M2M_RSC_OK;
}

/* ------------------------------------------------------------ targets */

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
    if (gba_text_starts(to, "//")) {
        gba_text_split((struct gba_text){to.s + 2, to.n - 2}, '/', &out->fqdn, &rest);
        if (out->fqdn.n == 0) /* nobody's, not ours */
            return GBA_E_NOT_FOUND;
    } else if (gba_text_starts(to, "/")) {
        rest = (struct gba_text){to.s + 1, to.n - 1};
    }
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
