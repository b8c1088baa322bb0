/*
 * Wiping and constant-time comparison.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "common/secret.h"

#include <string.h>

#include <nettle/memops.h>

void gba_wipe(void *p, size_t n)
{
    if (n != 0)
        explicit_bzero(p, n);
}

bool gba_equal_ct(const void *a, const void *b, size_t n)
{
    return memeql_sec(a, b, n) != 0;
}
