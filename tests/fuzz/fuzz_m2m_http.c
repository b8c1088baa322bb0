/*
 * Fuzz target: what an HTTP request brings to the oneM2M binding.  Fields are the lines of the
 * input, the rest is the body.  What was read prints as a call and reads back the same.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/m2m_http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void there_and_back(const struct m2m_request *rq)
{
    static struct m2m_http_call call;
    struct m2m_http_request in = {.ri = gba_text(rq->rqi), .rvi = gba_text(rq->rvi)};
    struct m2m_request back;

    if (m2m_http_request_print(rq, &call) != GBA_OK)
        abort();
    in.method = gba_text(call.method);
    gba_text_split(gba_text(call.target), '?', &in.path, &in.query);
    in.content_type = gba_text(call.content_type);
    in.accept = gba_text(call.accept);
    in.origin = gba_text(rq->fr);
    in.body = rq->pc;
    if (m2m_http_request_read(&in, &back) != M2M_RSC_OK || back.op != rq->op ||
        strcmp(back.to, rq->to) != 0 || back.ty != rq->ty || back.rcn != rq->rcn ||
        back.answer_in != rq->answer_in)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gba_text rest = {(const char *)data, size}, line[8];
    static struct m2m_http_reply reply;
    struct m2m_target target;
    struct m2m_response rs;
    struct m2m_request rq;
    enum m2m_rsc rsc;

    for (size_t i = 0; i < 8; i++)
        gba_text_split(rest, '\n', &line[i], &rest);

    struct m2m_http_request in = {line[0], line[1], line[2],
                                  line[3], line[4], line[5],
                                  line[6], line[7], gba_text_bytes(rest)};

    rsc = m2m_http_request_read(&in, &rq);
    m2m_answer(&rq, rsc, &rs);
    memcpy(rs.location, rq.to, sizeof(rs.location));
    m2m_http_response_print(&rs, &reply);
    m2m_target_parse(gba_text(rq.to), &target);
    if (rsc == M2M_RSC_OK)
        there_and_back(&rq);
    return 0;
}
