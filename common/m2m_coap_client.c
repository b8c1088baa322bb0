/*
 * The CoAP binding, client's side: TS-0008 6 the other way round.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_coap_form.h"

#include <string.h>

static uint8_t code_of(enum m2m_op op)
{
    switch (op) {
    case M2M_OP_CREATE:
    case M2M_OP_NOTIFY:
        return COAP_POST;
    case M2M_OP_RETRIEVE:
        return COAP_GET;
    case M2M_OP_UPDATE:
        return COAP_PUT;
    case M2M_OP_DELETE:
        return COAP_DELETE;
    }
    return COAP_EMPTY;
}

static enum gba_err print_query(const struct m2m_request *rq, struct coap_message *out)
{
    static const char *const texts[] = {"rcn=0", "rcn=1", "rcn=2", "rcn=3", "rcn=4",
                                        "rcn=5", "rcn=6", "rcn=7", "rcn=8", "rcn=9"};

    if (rq->rcn == M2M_RCN_DEFAULT)
        return GBA_OK;
    if (rq->rcn >= sizeof(texts) / sizeof(texts[0]))
        return GBA_E_ARGUMENT;
    return coap_message_add(out, COAP_URI_QUERY, gba_text_bytes(gba_text(texts[rq->rcn])));
}

static enum gba_err print_content(const struct m2m_request *rq, struct coap_message *out)
{
    enum gba_err err = GBA_OK;

    if (rq->pc.n != 0)
        err = coap_message_add_number(out, COAP_CONTENT_FORMAT,
                                      m2m_coap_format(rq->format, rq->vendor_type));
    if (err == GBA_OK && rq->op == M2M_OP_CREATE)
        err = rq->ty != 0 && rq->ty <= UINT16_MAX
                  ? coap_message_add_number(out, M2M_COAP_TY, rq->ty)
                  : GBA_E_ARGUMENT;
    out->payload = rq->pc;
    return err == GBA_OK
               ? coap_message_add_number(out, COAP_ACCEPT,
                                         m2m_coap_format(rq->answer_in, rq->vendor_type))
               : err;
}

enum gba_err m2m_coap_request_print(const struct m2m_request *rq, struct coap_message *out)
{
    enum gba_err err;

    out->code = code_of(rq->op);
    if (out->code == COAP_EMPTY || rq->rqi[0] == '\0')
        return GBA_E_ARGUMENT;
    err = m2m_coap_path_print(rq->to, COAP_URI_PATH, out);
    if (err == GBA_OK)
        err = print_query(rq, out);
    if (err == GBA_OK)
        err = print_content(rq, out);
    if (err == GBA_OK)
        err = m2m_coap_text(out, M2M_COAP_FR, rq->fr);
    if (err == GBA_OK)
        err = m2m_coap_text(out, M2M_COAP_RQI, rq->rqi);
    return err == GBA_OK ? m2m_coap_text(out, M2M_COAP_RVI, rq->rvi) : err;
}

/* --- answers ---------------------------------------------------------------------------- */

/* What a code alone says, from a server that leaves out an RSC that it implies, or that refused
 * below oneM2M. */
static unsigned rsc_of_code(uint8_t code)
{
    static const struct {
        uint8_t code;
        unsigned rsc;
    } rows[] = {
        {COAP_CREATED, M2M_RSC_CREATED},
        {COAP_DELETED, M2M_RSC_DELETED},
        {COAP_CHANGED, M2M_RSC_UPDATED},
        {COAP_CONTENT, M2M_RSC_OK},
        {COAP_FORBIDDEN, M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE},
        {COAP_NOT_FOUND, M2M_RSC_NOT_FOUND},
        {COAP_NOT_ALLOWED, M2M_RSC_OPERATION_NOT_ALLOWED},
        {COAP_NOT_ACCEPTABLE, M2M_RSC_NOT_ACCEPTABLE},
        {COAP_UNSUPPORTED_FORMAT, M2M_RSC_UNSUPPORTED_MEDIA_TYPE},
        {COAP_NOT_IMPLEMENTED, M2M_RSC_NOT_IMPLEMENTED},
        {COAP_GATEWAY_TIMEOUT, M2M_RSC_REQUEST_TIMEOUT},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].code == code)
            return rows[i].rsc;
    return COAP_CLASS(code) == 4 ? M2M_RSC_BAD_REQUEST : M2M_RSC_INTERNAL_SERVER_ERROR;
}

static enum gba_err read_rsc(const struct coap_message *in, struct m2m_response *out)
{
    const struct coap_option *o = coap_message_find(in, M2M_COAP_RSC);
    uint32_t rsc;

    if (COAP_CLASS(in->code) != 2 && COAP_CLASS(in->code) != 4 && COAP_CLASS(in->code) != 5)
        return GBA_E_PROTOCOL;
    out->rsc = rsc_of_code(in->code);
    if (o == NULL)
        return GBA_OK;
    if (coap_number_read(o->value, 9999, &rsc) != GBA_OK || rsc < 1000)
        return GBA_E_PROTOCOL;
    out->rsc = rsc;
    return (COAP_CLASS(in->code) == 2) == (rsc / 1000 <= 2) ? GBA_OK : GBA_E_PROTOCOL;
}

/* An error's payload may be a diagnostic text (RFC 7252 5.5.2): only a success must be a
 * resource. */
static enum gba_err read_payload(const struct coap_message *in, struct m2m_response *out)
{
    const struct coap_option *o = coap_message_find(in, COAP_CONTENT_FORMAT);
    uint32_t number;

    if (in->payload.n == 0)
        return GBA_OK;
    if (o != NULL && coap_number_read(o->value, UINT16_MAX, &number) == GBA_OK &&
        m2m_coap_format_read(number, &out->format, &out->vendor_type))
        out->pc = in->payload;
    else if (m2m_rsc_is_success(out->rsc))
        return GBA_E_PROTOCOL;
    return GBA_OK;
}

enum gba_err m2m_coap_response_read(const struct coap_message *in, const struct m2m_request *rq,
                                    struct m2m_response *out)
{
    struct gba_text rqi = m2m_coap_find_text(in, M2M_COAP_RQI);
    enum gba_err err;

    m2m_answer(rq, M2M_RSC_INTERNAL_SERVER_ERROR, out);
    if (m2m_coap_check(in) != 0)
        return GBA_E_PROTOCOL;
    err = read_rsc(in, out);
    if (err != GBA_OK)
        return err;
    if (rqi.n != 0 ? !gba_text_is(rqi, rq->rqi) : coap_message_find(in, M2M_COAP_RSC) != NULL)
        return GBA_E_PROTOCOL;
    if (m2m_coap_path_read(in, COAP_LOCATION_PATH, out->location) != M2M_RSC_OK)
        out->location[0] = '\0';
    return read_payload(in, out);
}
