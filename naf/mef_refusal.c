/*
 * Refusals of the fronts: see mef_refusal.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_refusal.h"

#include <string.h>

/* TS-0004 6.6.3.  Who shows no identity, or no more, is nobody to the interface. */
static const struct {
    enum gba_err err;
    enum m2m_rsc rsc;
} codes[] = {
    {GBA_E_REPEATED, M2M_RSC_BAD_REQUEST},
    {GBA_E_BODY_TOO_LARGE, M2M_RSC_BAD_REQUEST},
    {GBA_E_FORBIDDEN, M2M_RSC_ORIGINATOR_HAS_NOT_REGISTERED},
    {GBA_E_TLS, M2M_RSC_ORIGINATOR_HAS_NOT_REGISTERED},
    {GBA_E_DOWNGRADE, M2M_RSC_ORIGINATOR_HAS_NOT_REGISTERED},
    {GBA_E_EXPIRED, M2M_RSC_SECURITY_ASSOCIATION_REQUIRED},
};

enum m2m_rsc mef_refusal_rsc(enum gba_err err)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].err == err)
            return codes[i].rsc;
    return M2M_RSC_INTERNAL_SERVER_ERROR;
}

void mef_refusal(const struct m2m_request *rq, enum m2m_rsc rsc, const char *what,
                 const char *why, struct mef_answer *out)
{
    struct gba_wbuf w;

    memset(out, 0, offsetof(struct mef_answer, content));
    m2m_answer(rq, rsc, &out->rs);
    gba_text_copy(out->problem.attribute, sizeof(out->problem.attribute), gba_text(what));
    out->problem.why = why != NULL ? why : m2m_rsc_name(rsc);
    gba_wbuf_init(&w, out->content, sizeof(out->content));
    if (m2m_codec_print_problem(&out->problem, out->rs.format, &w) == GBA_OK)
        out->rs.pc = gba_wbuf_bytes(&w);
}
