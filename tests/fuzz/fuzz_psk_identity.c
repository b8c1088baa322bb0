/*
 * Fuzz target: a PSK identity from a ClientHello or ClientKeyExchange (naf/psk_identity.c).
 * Besides not failing: what is taken is a B-TID and stands at the end of the identity.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "naf/psk_identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct gba_bytes identity, bool bare_only)
{
    struct psk_identity out;
    struct gba_text domain;
    uint8_t rand[16];
    size_t n;

    if (psk_identity_parse(identity, bare_only, &out) != GBA_OK)
        return;
    n = strlen(out.btid);
    if (n > identity.n || memcmp(identity.p + identity.n - n, out.btid, n) != 0 ||
        gba_btid_parse(gba_text(out.btid), rand, &domain) != GBA_OK ||
        (bare_only && (n != identity.n || out.key_type != 0)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check((struct gba_bytes){data, size}, false);
    check((struct gba_bytes){data, size}, true);
    return 0;
}
