/*
 * What is inside a keyring; shared by keyring.c (what is kept and found) and keyring_save.c
 * (its octets). Not public.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_KEYRING_H
#define UA_KEYRING_H

#include "common/identity.h"
#include "common/secret.h"
#include "ua/gba_ue.h"

struct gba_ue_keyring {
    char uicc[GBA_UE_UICC_SIZE]; /* "": not bound yet */
    char tmpi[GBA_UE_TMPI_SIZE]; /* may outlive the session */
    bool has_session;
    struct gba_ue_session session;
    struct gba_ks ks; /* of the session, if session.has_ks */
    uint8_t rand[16];
    struct gba_ue_naf_key *naf_keys; /* both tables follow in the caller's memory */
    struct gba_ue_credential *credentials;
    size_t naf_keys_cap, n_naf_keys, credentials_cap, n_credentials;
};

#endif
