/*
 * The identities of PSK-TLS that name a B-TID (TS 24.109 5.3.3, TS 33.222 5.4; oneM2M TS-0003
 * 8.3.2.3), read from the octets on the wire before anybody is asked for a key.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_PSK_IDENTITY_H
#define NAF_PSK_IDENTITY_H

#include "common/identity.h"

struct psk_identity {
    char btid[GBA_BTID_SIZE];
    unsigned key_type; /* GBA_NAF_KEY_* by the prefix; 0: bare */
};

/* "3GPP-bootstrapping" or "3GPP-bootstrapping-uicc", then one of ; . : or nothing (the texts
 * differ), then the B-TID; or the B-TID alone.  bare_only: nothing but the latter.
 * GBA_E_SYNTAX: neither; GBA_E_UNSUPPORTED: a prefix that is not taken. */
enum gba_err psk_identity_parse(struct gba_bytes octets, bool bare_only,
                                struct psk_identity *out);

#endif
