/*
 * What an MO_NODE command asks of an authenticationProfile: are its values consistent (TS-0003
 * 8.3.9.9.2), and the key registration that follows (8.3.9.9.4).  Decisions only.  Not public.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_AUTH_PROFILE_H
#define UA_AUTH_PROFILE_H

#include "common/m2m_command.h"
#include "common/m2m_keys.h"
#include "ua/m2m_exchange.h"

/* suid: of the command, 0: none.  M2M_CMD_S_OK, or 303 or 304. */
unsigned ue_profile_check(const struct gba_ue_auth_profile *p, unsigned suid);
/* Has its key to be made with the MEF? */
bool ue_profile_needs_key(const struct gba_ue_auth_profile *p);

struct ue_key_reg {
    char mef_fqdn[GBA_UE_FQDN_SIZE], admin_fqdn[GBA_UE_FQDN_SIZE], originator[M2M_ID_SIZE],
        target[M2M_ID_SIZE];
    unsigned suid;
    bool by_certificate;
    struct m2m_exchange q;
    /* what came of it; secret */
    char key_id[M2M_KEY_ID_SIZE];
    struct gba_key key;
    int64_t expires_s;
};

/* mef_fqdn, admin_fqdn, originator ("": not known) and by_certificate are set.  The request
 * must go over a new connection, whose export is the key.  GBA_E_ARGUMENT: values that do not
 * fit. */
enum gba_err ue_key_reg_begin(struct ue_key_reg *k, const struct gba_ue_auth_profile *p,
                              int64_t now_s, const uint8_t entropy[static 16]);
/* M2M_CMD_S_OK, or 305: refused, or not what was asked for. */
unsigned ue_key_reg_answer(struct ue_key_reg *k, const struct gba_ue_reply *reply,
                           int64_t now_s);

#endif
