/*
 * Fuzz target: an answer of an HSS, from the octets of the connection through the guard
 * and libfdcore's parser to the vector.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/diameter_sys.h"

#include <stdlib.h>
#include <string.h>

#include "bsf/zh_mar.h"
#include "common/host/diameter_dict.h"
#include "common/host/diameter_guard.h"
#include "common/host/diameter_hooks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void start_once(void)
{
    static bool started;

    if (!started && (diameter_hooks_log(NULL) != 0 || fd_core_initialize() != 0 ||
                     diameter_dict_define() != 0))
        abort();
    started = true;
    diameter_hooks_quiet();
}

static void check_answer(enum gba_err err, const struct zh_maa *a)
{
    if (err == GBA_OK && (a->answer.av.res_len < 4 || a->answer.av.res_len > 16))
        abort();
    if (err != GBA_OK && a->answer.guss != NULL)
        abort();
}

static void guard(uint8_t *octets, size_t size)
{
    bool known = diameter_dict_answers(diameter_guard_command(octets, size));

    (void)diameter_guard_session_id(octets, size);
    (void)diameter_guard_result_code(octets, size, known);
}

/* What libfdcore asserts of an answer that does not parse: its first Result-Code was read. */
static void check_rescue(struct msg *msg)
{
    struct msg_hdr *header;
    struct avp_hdr *avp_header;
    struct avp *avp;

    if (fd_msg_hdr(msg, &header) != 0 || (header->msg_flags & CMD_FLAG_REQUEST) != 0)
        return;
    if (fd_msg_browse(msg, MSG_BRW_FIRST_CHILD, &avp, NULL) != 0)
        return;
    while (avp != NULL && fd_msg_avp_hdr(avp, &avp_header) == 0) {
        if (avp_header->avp_code == DIA_RESULT_CODE &&
            (avp_header->avp_flags & AVP_FLAG_VENDOR) == 0) {
            if (avp_header->avp_value == NULL)
                abort();
            return;
        }
        (void)fd_msg_browse(avp, MSG_BRW_NEXT, &avp, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fd_pei fault = {0};
    struct msg *msg = NULL;
    struct zh_maa a;
    uint8_t *octets;
    int err;

    start_once();
    if (size < 20 || size > 0xffff || (octets = malloc(size)) == NULL)
        return 0;
    memcpy(octets, data, size);
    octets[1] = 0; /* the length is what libfdcore cuts messages by */
    octets[2] = (uint8_t)(size >> 8);
    octets[3] = (uint8_t)size;
    guard(octets, size);
    if (fd_msg_parse_buffer(&octets, size, &msg) != 0) {
        free(octets);
        return 0;
    }
    err = fd_msg_parse_dict(msg, fd_g_config->cnf_dict, &fault);
    if (fault.pei_avp_free && fault.pei_avp != NULL)
        (void)fd_msg_free(fault.pei_avp);
    /* What does not parse is only wiped: libfdcore drops it. */
    if (err == 0) {
        check_answer(zh_maa_read(msg, (data[4] & 1) != 0, &a), &a);
        zh_maa_end(&a);
    } else {
        check_rescue(msg);
    }
    zh_maa_wipe(msg);
    (void)fd_msg_free(msg);
    return 0;
}
