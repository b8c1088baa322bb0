/*
 * NFKC over libunistring.  Only what key derivation needs: no case folding, no IDNA.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/unicode.h"

#include <errno.h>
#include <stdlib.h>

#include <uninorm.h>
#include <unistr.h>

static bool is_ascii(struct gba_text t)
{
    unsigned char all = 0;

    for (size_t i = 0; i < t.n; i++)
        all |= (unsigned char)t.s[i];
    return all < 0x80;
}

enum gba_err gba_nfkc(struct gba_text t, struct gba_wbuf *out)
{
    const uint8_t *in = (const uint8_t *)t.s;
    uint8_t *made;
    size_t n = 0;

    if (is_ascii(t)) { /* NFKC keeps ASCII as it is, and nearly every identifier is ASCII */
        gba_wbuf_text(out, t);
        return gba_wbuf_ok(out) ? GBA_OK : GBA_E_TOO_LONG;
    }
    if (u8_check(in, t.n) != NULL)
        return GBA_E_SYNTAX;
    made = u8_normalize(UNINORM_NFKC, in, t.n, NULL, &n);
    if (made == NULL)
        return errno == ENOMEM ? GBA_E_NOMEM : GBA_E_SYNTAX;
    gba_wbuf_put(out, (struct gba_bytes){made, n});
    free(made);
    return gba_wbuf_ok(out) ? GBA_OK : GBA_E_TOO_LONG;
}
