/*
 * Fuzz target: a CoAP datagram to the oneM2M binding, as a request and as a response.  A
 * request that was read prints and reads back the same.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/m2m_coap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void there_and_back(const struct m2m_request *rq)
{
    struct coap_message m;
    struct m2m_request back;
    enum gba_err err;

    coap_message_init(&m, COAP_CON, 0, 1, (struct gba_bytes){NULL, 0});
    err = m2m_coap_request_print(rq, &m);
    if (err == GBA_E_TOO_LONG || (err == GBA_E_ARGUMENT && rq->ty == 0))
        return; /* CREATE without ty is refused above the binding */
    if (err != GBA_OK || m2m_coap_check(&m) != 0)
        abort();
    if (m2m_coap_request_read(&m, &back) != M2M_RSC_OK || back.op != rq->op ||
        strcmp(back.to, rq->to) != 0 || strcmp(back.rqi, rq->rqi) != 0 ||
        strcmp(back.fr, rq->fr) != 0 || back.ty != rq->ty || back.rcn != rq->rcn ||
        back.answer_in != rq->answer_in)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct coap_message m, out;
    struct m2m_response rs;
    struct m2m_request rq;
    enum m2m_rsc rsc;

    if (coap_message_read((struct gba_bytes){data, size}, &m) != GBA_OK)
        return 0;
    rsc = m2m_coap_request_read(&m, &rq);
    m2m_answer(&rq, rsc, &rs);
    memcpy(rs.location, rq.to, sizeof(rs.location));
    coap_message_init(&out, COAP_ACK, 0, 1, (struct gba_bytes){NULL, 0});
    m2m_coap_response_print(&rs, rq.op, &out);
    if (rsc == M2M_RSC_OK && m2m_coap_check(&m) == 0)
        there_and_back(&rq);
    m2m_coap_response_read(&m, &rq, &rs);
    return 0;
}
