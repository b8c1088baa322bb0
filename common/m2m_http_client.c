/*
 * The HTTP binding, client's side: TS-0009 6 the other way round.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_http_form.h"

#include <string.h>

static const char *method_of(enum m2m_op op)
{
    switch (op) {
    case M2M_OP_CREATE:
    case M2M_OP_NOTIFY:
        return "POST";
    case M2M_OP_RETRIEVE:
        return "GET";
    case M2M_OP_UPDATE:
        return "PUT";
    case M2M_OP_DELETE:
        return "DELETE";
    }
    return NULL;
}

static void print_target(const struct m2m_request *rq, struct m2m_http_call *out)
{
    struct gba_wbuf w;

    gba_wbuf_init(&w, out->target, sizeof(out->target));
    m2m_http_path(rq->to, &w);
    if (rq->rcn != M2M_RCN_DEFAULT) {
        gba_wbuf_str(&w, "?rcn=");
        gba_wbuf_number(&w, rq->rcn);
    }
    gba_wbuf_cstr(&w);
}

static void print_content_type(const struct m2m_request *rq, struct m2m_http_call *out)
{
    struct gba_wbuf w;

    out->content_type[0] = '\0';
    if (rq->pc.n == 0)
        return;
    gba_wbuf_init(&w, out->content_type, sizeof(out->content_type));
    gba_wbuf_str(&w, m2m_http_type(rq->format, rq->vendor_type));
    if (rq->op == M2M_OP_CREATE) {
        gba_wbuf_str(&w, "; ty=");
        gba_wbuf_number(&w, rq->ty);
    }
    gba_wbuf_cstr(&w);
}

enum gba_err m2m_http_request_print(const struct m2m_request *rq, struct m2m_http_call *out)
{
    out->method = method_of(rq->op);
    out->n_fields = 0;
    if (out->method == NULL || rq->rqi[0] == '\0' || !m2m_is_plain(gba_text(rq->rqi)) ||
        !m2m_is_plain(gba_text(rq->fr)) || !m2m_is_plain(gba_text(rq->rvi)))
        return GBA_E_ARGUMENT;
    print_target(rq, out);
    print_content_type(rq, out);
    out->accept = m2m_http_type(rq->answer_in, rq->vendor_type);
    m2m_http_text_field(out->field, &out->n_fields, M2M_H_ORIGIN, rq->fr);
    m2m_http_text_field(out->field, &out->n_fields, M2M_H_RI, rq->rqi);
    m2m_http_text_field(out->field, &out->n_fields, M2M_H_RVI, rq->rvi);
    return GBA_OK;
}

/* --- answers ---------------------------------------------------------------------------- */

/* What a status alone says, from a proxy or a server that knows no oneM2M. */
static unsigned rsc_of_status(unsigned status)
{
    static const struct {
        unsigned status, rsc;
    } rows[] = {
        {200, M2M_RSC_OK},
        {201, M2M_RSC_CREATED},
        {202, M2M_RSC_ACCEPTED},
        {400, M2M_RSC_BAD_REQUEST},
        {403, M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE},
        {404, M2M_RSC_NOT_FOUND},
        {405, M2M_RSC_OPERATION_NOT_ALLOWED},
        {406, M2M_RSC_NOT_ACCEPTABLE},
        {409, M2M_RSC_CONFLICT},
        {415, M2M_RSC_UNSUPPORTED_MEDIA_TYPE},
        {501, M2M_RSC_NOT_IMPLEMENTED},
        {504, M2M_RSC_REQUEST_TIMEOUT},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].status == status)
            return rows[i].rsc;
    return status >= 400 && status < 500 ? M2M_RSC_BAD_REQUEST : M2M_RSC_INTERNAL_SERVER_ERROR;
}

static enum gba_err read_rsc(const struct m2m_http_answer *in, struct m2m_response *out)
{
    uint64_t rsc;

    out->rsc = rsc_of_status(in->status);
    if (in->rsc.n == 0)
        return GBA_OK;
    if (gba_text_number(m2m_http_trim(in->rsc), 9999, &rsc) != GBA_OK || rsc < 1000)
        return GBA_E_PROTOCOL;
    out->rsc = (unsigned)rsc;
    return (in->status / 100 == 2) == (rsc / 1000 <= 2) ? GBA_OK : GBA_E_PROTOCOL;
}

/* An error's body may be a proxy's page: only a success must be a resource. */
static enum gba_err read_body(const struct m2m_http_answer *in, struct m2m_response *out)
{
    struct gba_text type, rest;

    if (in->body.n == 0)
        return GBA_OK;
    gba_text_split(in->content_type, ';', &type, &rest);
    if (m2m_http_media_type(m2m_http_trim(type), &out->format, &out->vendor_type))
        out->pc = in->body;
    else if (m2m_rsc_is_success(out->rsc))
        return GBA_E_PROTOCOL;
    return GBA_OK;
}

enum gba_err m2m_http_response_read(const struct m2m_http_answer *in,
                                    const struct m2m_request *rq, struct m2m_response *out)
{
    enum gba_err err;

    m2m_answer(rq, M2M_RSC_INTERNAL_SERVER_ERROR, out);
    err = read_rsc(in, out);
    if (err != GBA_OK)
        return err;
    if (in->ri.n != 0 ? !gba_text_is(in->ri, rq->rqi) : in->rsc.n != 0)
        return GBA_E_PROTOCOL;
    if (m2m_http_path_read(in->location, out->location) != M2M_RSC_OK)
        out->location[0] = '\0';
    return read_body(in, out);
}
