/*
 * Fuzz target: an answer of an HSS, from the octets of the connection through the NUL guard
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void start_once(void)
{
    static bool started;

    if (!started && (diameter_guard_log(NULL) != 0 || fd_core_initialize() != 0 ||
                     diameter_dict_define() != 0))
        abort();
    started = true;
    diameter_guard_quiet();
}

static void check_answer(enum gba_err err, const struct zh_maa *a)
{
    if (err == GBA_OK && (a->answer.av.res_len < 4 || a->answer.av.res_len > 16))
        abort();
    if (err != GBA_OK && a->answer.guss != NULL)
        abort();
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
    (void)diameter_guard_session_id(octets, size);
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
    }
    zh_maa_wipe(msg);
    (void)fd_msg_free(msg);
    return 0;
}
