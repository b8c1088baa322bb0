/*
 * Names and keys of the benchmark of mefd: see mef_names.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/bench/mef_names.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto.h"

int bench_kind_of(const char *text)
{
    static const char *const kinds[] = {"psk", "cert", "gba"};

    for (int k = 0; k < 3; k++)
        if (strcmp(kinds[k], text) == 0)
            return k;
    return -1;
}

char bench_letter(enum bench_kind kind)
{
    return "pcg"[kind];
}

void bench_origin(enum bench_kind kind, unsigned i, char out[static BENCH_ORIGIN])
{
    snprintf(out, BENCH_ORIGIN, "//lab.test/cse1/C%c%06u", bench_letter(kind), i);
}

void bench_btid(unsigned i, char out[static GBA_BTID_SIZE])
{
    uint8_t rand[16] = "bench";

    memcpy(rand + 12,
           (uint8_t[]){(uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i},
           4);
    gba_btid_make(rand, GBA_TEXT(BENCH_BSF), out);
}

bool bench_btid_number(const char *btid, unsigned *i)
{
    struct gba_text left, right;
    uint8_t rand[16];
    size_t n;

    if (!gba_text_split(gba_text(btid), '@', &left, &right) ||
        gba_unbase64(rand, sizeof(rand), left, &n) != GBA_OK || n != sizeof(rand) ||
        memcmp(rand, "bench", 6) != 0)
        return false;
    *i = (unsigned)rand[12] << 24 | (unsigned)rand[13] << 16 | (unsigned)rand[14] << 8 |
         rand[15];
    return true;
}

void bench_impi(unsigned i, char out[static GBA_IMPI_SIZE])
{
    snprintf(out, GBA_IMPI_SIZE, "00101%010u@ims.mnc001.mcc001.3gppnetwork.org", i);
}

void bench_naf_key(const char *btid, struct gba_bytes naf_id, uint8_t out[static 32])
{
    const struct gba_bytes parts[] = {gba_text_bytes(gba_text(btid)), naf_id};

    gba_hash(GBA_SHA256, parts, 2, out);
}
