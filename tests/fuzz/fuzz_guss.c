/*
 * Fuzz target: a GUSS from an HSS.  Its whole ussList prints and reads back with as many USSs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/guss.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_all(const struct gba_guss *g)
{
    static uint8_t room[4 * GBA_GUSS_MAX];
    static bool pick[1024];
    struct gba_guss *back;
    struct gba_wbuf w;

    memset(pick, 1, sizeof(pick));
    gba_wbuf_init(&w, room, sizeof(room));
    if (gba_uss_list_print(g, pick, &w) != GBA_OK)
        abort();
    if (gba_wbuf_bytes(&w).n > GBA_GUSS_MAX)
        return;
    if (gba_uss_list_parse(gba_wbuf_bytes(&w), &back) != GBA_OK ||
        gba_guss_n_uss(back) != gba_guss_n_uss(g))
        abort();
    for (size_t i = 0; i < gba_guss_n_uss(g); i++)
        if (strcmp(gba_guss_uss(g, i)->id, gba_guss_uss(back, i)->id) != 0)
            abort();
    gba_guss_unref(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gba_guss *g;

    if (gba_uss_list_parse((struct gba_bytes){data, size}, &g) != GBA_OK)
        return 0;
    print_all(g);
    gba_guss_unref(g);
    return 0;
}
