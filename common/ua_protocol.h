/*
 * Ua security protocol identifiers, TS 33.220 Annex H, as one table in the annex's shape.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_UA_PROTOCOL_H
#define COMMON_UA_PROTOCOL_H

#include "common/bytes.h"

#define GBA_UA_ID_LEN 5

struct gba_ua_protocol {
    uint8_t id[GBA_UA_ID_LEN];
    uint8_t mask[GBA_UA_ID_LEN]; /* FF: fixed octet; 00: variable (yy zz = TLS suite) */
    const char *name;            /* "http-digest", "psk-tls13", ... for people */
    const char *clause;
};

extern const struct gba_ua_protocol gba_ua_protocols[];
extern const size_t gba_n_ua_protocols;

/* The row that matches, or NULL. */
const struct gba_ua_protocol *gba_ua_protocol_find(const uint8_t id[static GBA_UA_ID_LEN]);

/* 01 00 01 yy zz: TLS 1.2 with this suite (33.222 5.3 and 5.4). */
void gba_ua_tls12(uint16_t suite, uint8_t id[static GBA_UA_ID_LEN]);

extern const uint8_t gba_ua_default[GBA_UA_ID_LEN];     /* 00 00 00 00 00 */
extern const uint8_t gba_ua_http_digest[GBA_UA_ID_LEN]; /* 01 00 00 00 02 */
extern const uint8_t gba_ua_psk_tls13[GBA_UA_ID_LEN];   /* 01 00 00 00 07 */
extern const uint8_t gba_ua_tmpi[GBA_UA_ID_LEN];        /* 01 00 00 01 00 */

/* Ten hexadecimal digits, or "http-digest", "psk-tls12:XXXX" (suite in hex), "psk-tls13". */
enum gba_err gba_ua_parse(struct gba_text t, uint8_t id[static GBA_UA_ID_LEN]);

#endif
