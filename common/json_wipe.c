/*
 * Jansson's memory, wiped before it is freed: see json_wipe.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/json_wipe.h"

#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>

#include "common/secret.h"

static void wipe_and_free(void *p)
{
    if (p != NULL)
        gba_wipe(p, malloc_usable_size(p));
    free(p);
}

void gba_json_wipe(void)
{
    json_set_alloc_funcs(malloc, wipe_and_free);
}
