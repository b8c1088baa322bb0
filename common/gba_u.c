/*
 * GBA_U: MAC* and the flipped bit of RES (TS 33.220 5.3.2).  No keys: Ks_ext_NAF and Ks_int_NAF
 * are gba_ks_naf's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/gba_u.h"

#include <string.h>

#include "common/crypto.h"
#include "common/secret.h"

void gba_u_autn(const uint8_t autn[static 16], const uint8_t ik[static 16],
                uint8_t out[static 16])
{
    const struct gba_bytes in = {ik, 16};
    uint8_t digest[GBA_HASH_MAX];

    gba_hash(GBA_SHA1, &in, 1, digest);
    memmove(out, autn, 16);
    for (size_t i = 0; i < 8; i++)
        out[8 + i] ^= digest[i];
    gba_wipe(digest, sizeof(digest));
}

void gba_u_res(uint8_t *res, size_t n)
{
    if (n != 0)
        res[n - 1] ^= 0x01;
}
