/*
 * The identities of PSK-TLS that name a B-TID: see psk_identity.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/psk_identity.h"

#include <string.h>

#include "naf/gba_naf.h"

/* longest first: each begins with the one below it */
static const struct {
    const char *text;
    unsigned key_type; /* 0: another variant of GBA */
} prefixes[] = {
    {"3GPP-bootstrapping-uicc", GBA_NAF_KEY_UICC},
    {"3GPP-bootstrapping-digest", 0},
    {"3GPP-bootstrapping", GBA_NAF_KEY_ME},
};

static struct gba_text skip(struct gba_text t, size_t n)
{
    return (struct gba_text){t.s + n, t.n - n};
}

static enum gba_err take_btid(struct gba_text t, struct psk_identity *out)
{
    struct gba_text domain;
    uint8_t rand[16];

    if (gba_btid_parse(t, rand, &domain) != GBA_OK)
        return GBA_E_SYNTAX;
    return gba_text_copy(out->btid, sizeof(out->btid), t) == GBA_OK ? GBA_OK : GBA_E_SYNTAX;
}

enum gba_err psk_identity_parse(struct gba_bytes octets, bool bare_only,
                                struct psk_identity *out)
{
    struct gba_text t = gba_bytes_text(octets);

    *out = (struct psk_identity){.key_type = 0};
    if (octets.n == 0 || memchr(octets.p, '\0', octets.n) != NULL)
        return GBA_E_SYNTAX;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (!gba_text_starts(t, prefixes[i].text))
            continue;
        if (bare_only || prefixes[i].key_type == 0)
            return GBA_E_UNSUPPORTED;
        t = skip(t, strlen(prefixes[i].text));
        if (t.n > 0 && (t.s[0] == ';' || t.s[0] == '.' || t.s[0] == ':'))
            t = skip(t, 1);
        out->key_type = prefixes[i].key_type;
        break;
    }
    return take_btid(t, out);
}
