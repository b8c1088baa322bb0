/*
 * The registry of Ua security protocol identifiers, TS 33.220 Annex H: an octet for the
 * organisation (H.2), four it has given itself (H.3 for 3GPP, the OMNA page for OMA).  A
 * registry and its texts; which identifier a NAF may use is policy and not decided here.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/ua_protocol.h"

#include <string.h>

/* clang-format off */
#define ONE {0xff, 0xff, 0xff, 0xff, 0xff}
#define TLS {0xff, 0xff, 0xff, 0x00, 0x00} /* yy zz: the negotiated cipher suite */
const struct gba_ua_protocol gba_ua_protocols[] = {
    /* 00: no separation between protocols */
    {{0x00, 0x00, 0x00, 0x00, 0x00}, ONE, "default",                  "TS 33.220 H.2"},
    /* 01: 3GPP */
    {{0x01, 0x00, 0x00, 0x00, 0x00}, ONE, "subscriber-certificates",  "TS 33.221"},
    {{0x01, 0x00, 0x00, 0x00, 0x01}, ONE, "mbms",                     "TS 33.246"},
    {{0x01, 0x00, 0x00, 0x00, 0x02}, ONE, "http-digest",              "TS 24.109 5.2"},
    {{0x01, 0x00, 0x00, 0x00, 0x03}, ONE, "mbms-http",                "TS 26.237"},
    {{0x01, 0x00, 0x00, 0x00, 0x04}, ONE, "mbms-sip",                 "TS 26.237"},
    {{0x01, 0x00, 0x00, 0x00, 0x05}, ONE, "generic-push-layer",       "TS 33.224"},
    {{0x01, 0x00, 0x00, 0x00, 0x06}, ONE, "ims-kms-http",             "TS 33.328"},
    {{0x01, 0x00, 0x00, 0x00, 0x07}, ONE, "psk-tls13",                "TS 33.222 5.4.0.2"},
    {{0x01, 0x00, 0x00, 0x01, 0x00}, ONE, "tmpi",                     "TS 33.220 B.4"},
    {{0x01, 0x00, 0x01, 0x00, 0x00}, TLS, "tls12",                    "TS 33.222 5.3, 5.4"},
    {{0x01, 0x00, 0x02, 0x00, 0x00}, TLS, "tls-browser",              "TS 33.222 Annex D"},
    /* 03: OMA */
    {{0x03, 0x00, 0x00, 0x00, 0x01}, ONE, "oma-supl2",                "OMNA: OMA SUPL 2.0"},
    {{0x03, 0x00, 0x00, 0x00, 0x02}, ONE, "oma-locsip",               "OMNA: OMA LOCSIP 1.0"},
    {{0x03, 0x00, 0x00, 0x00, 0x03}, ONE, "oma-sip-digest",           "OMNA: OMA SEC CF 1.1"},
    {{0x03, 0x00, 0x01, 0x00, 0x00}, TLS, "oma-tls",                  "OMNA: OMA SEC CF 1.1"},
};
/* clang-format on */
#undef ONE
#undef TLS
const size_t gba_n_ua_protocols = sizeof(gba_ua_protocols) / sizeof(gba_ua_protocols[0]);

const uint8_t gba_ua_default[GBA_UA_ID_LEN] = {0};
const uint8_t gba_ua_http_digest[GBA_UA_ID_LEN] = {1, 0, 0, 0, 2};
const uint8_t gba_ua_psk_tls13[GBA_UA_ID_LEN] = {1, 0, 0, 0, 7};
const uint8_t gba_ua_tmpi[GBA_UA_ID_LEN] = {1, 0, 0, 1, 0};

static bool matches(const struct gba_ua_protocol *row, const uint8_t id[static GBA_UA_ID_LEN])
{
    for (size_t i = 0; i < GBA_UA_ID_LEN; i++)
        if ((id[i] & row->mask[i]) != row->id[i])
            return false;
    return true;
}

const struct gba_ua_protocol *gba_ua_protocol_find(const uint8_t id[static GBA_UA_ID_LEN])
{
    for (size_t i = 0; i < gba_n_ua_protocols; i++)
        if (matches(&gba_ua_protocols[i], id))
            return &gba_ua_protocols[i];
    return NULL;
}

void gba_ua_tls12(uint16_t suite, uint8_t id[static GBA_UA_ID_LEN])
{
    const uint8_t octets[GBA_UA_ID_LEN] = {1, 0, 1, (uint8_t)(suite >> 8),
                                           (uint8_t)(suite & 0xff)};

    memcpy(id, octets, sizeof(octets));
}

enum gba_err gba_ua_parse(struct gba_text t, uint8_t id[static GBA_UA_ID_LEN])
{
    static const char psk12[] = "psk-tls12:";
    const size_t n_psk12 = sizeof(psk12) - 1;
    uint8_t read[GBA_UA_ID_LEN] = {1, 0, 1};

    if (gba_text_is(t, "http-digest"))
        memcpy(read, gba_ua_http_digest, sizeof(read));
    else if (gba_text_is(t, "psk-tls13"))
        memcpy(read, gba_ua_psk_tls13, sizeof(read));
    else if (gba_text_starts(t, psk12)) {
        if (gba_unhex_exact(read + 3, 2, (struct gba_text){t.s + n_psk12, t.n - n_psk12}))
            return GBA_E_SYNTAX;
    } else if (gba_unhex_exact(read, sizeof(read), t) != GBA_OK)
        return GBA_E_SYNTAX;
    memcpy(id, read, sizeof(read));
    return GBA_OK;
}
