/*
 * Fuzz target: the Zn web service, read as the BSF reads a request and as a NAF reads an
 * answer.  What was read prints and reads back.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/zn_soap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t room[2 * GBA_ZN_ANSWER_MAX];

static void as_request(struct gba_bytes in)
{
    struct gba_zn_request rq, back;
    struct gba_wbuf w;

    if (gba_zn_request_parse(in, &rq) != GBA_OK)
        return;
    gba_wbuf_init(&w, room, sizeof(room));
    if (gba_zn_request_print(&rq, &w) != GBA_OK ||
        gba_zn_request_parse(gba_wbuf_bytes(&w), &back) != GBA_OK ||
        strcmp(rq.btid, back.btid) != 0 || rq.naf_id_len != back.naf_id_len ||
        rq.n_gsids != back.n_gsids || rq.gba_u_aware != back.gba_u_aware)
        abort();
    gba_wbuf_init(&w, room, sizeof(room));
    if (gba_zn_fault_print(&rq, GBA_E_BTID, &w) != GBA_OK)
        abort();
}

static void as_answer(struct gba_bytes in)
{
    struct gba_zn_request rq = {.envelope = true, .ns = GBA_ZN_NS_DEFAULT};
    struct gba_zn_answer a;
    struct gba_zn_fault fault;
    struct gba_wbuf w;

    if (gba_zn_answer_parse(in, &a, &fault) != GBA_OK)
        return;
    gba_wbuf_init(&w, room, sizeof(room));
    if (gba_zn_answer_print(&rq, &a, &w) != GBA_OK)
        abort();
    gba_zn_answer_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_request((struct gba_bytes){data, size});
    as_answer((struct gba_bytes){data, size});
    return 0;
}
