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

#define RING_RENEWALS    4   /* NAFs remembered that refused a B-TID */
#define RENEWAL_WINDOW_S 300

/* How often a NAF made this UE bootstrap again, in the window that began at since_s. */
struct ring_renewal {
    char fqdn[GBA_UE_FQDN_SIZE]; /* "": free */
    int64_t since_s;
    unsigned n;
};

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
    struct ring_renewal renewals[RING_RENEWALS];
};

/* A NAF refused the B-TID in use (TS 24.109 5.2.5): may it cost one more Ub run?  Counts it if
 * so; at most 5 in 5 minutes for one NAF, or a broken one would use vectors up without end. */
bool ring_may_renew(struct gba_ue_keyring *ring, const char *fqdn, int64_t now_s);

#endif
