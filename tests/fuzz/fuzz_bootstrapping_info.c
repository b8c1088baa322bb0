/*
 * Fuzz target: BootstrappingInfo as a UE reads it.  What was read prints again and reads back
 * the same.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/bootstrapping_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gba_bootstrapping_info i, back;
    uint8_t room[4096];
    struct gba_wbuf w;

    if (gba_bootstrapping_info_parse((struct gba_bytes){data, size}, &i) != GBA_OK)
        return 0;
    gba_wbuf_init(&w, room, sizeof(room));
    if (gba_bootstrapping_info_print(&i, &w) != GBA_OK ||
        gba_bootstrapping_info_parse(gba_wbuf_bytes(&w), &back) != GBA_OK ||
        strcmp(i.btid, back.btid) != 0 || i.lifetime_s != back.lifetime_s)
        abort();
    return 0;
}
