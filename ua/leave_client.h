/*
 * The device's decisions when it leaves an administrating stakeholder (TS-0003 8.3.5.2.6):
 * where the registration of before is, the MEF says when one more is asked for; then it is
 * deleted, and with it what the MEF keeps for it.  Requests to send, replies to read; no I/O.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_LEAVE_CLIENT_H
#define UA_LEAVE_CLIENT_H

#include "ua/m2m_exchange.h"

enum leave_state {
    LEAVE_IDLE,
    LEAVE_FINDING,
    LEAVE_DELETING,
    LEAVE_DONE,
    LEAVE_FAILED,
    LEAVE_N_STATES
};
enum leave_event { LEAVE_START, LEAVE_ANSWER, LEAVE_LOST, LEAVE_N_EVENTS };

struct leave_client {
    char mef_fqdn[GBA_UE_FQDN_SIZE], admin_fqdn[GBA_UE_FQDN_SIZE], originator[M2M_ID_SIZE];
    bool by_certificate;
    enum leave_state state, next;
    enum gba_err err;
    const char *why; /* static; "" */
    struct m2m_exchange exchange;
};

struct leave_happened {
    enum leave_event event;
    const struct gba_ue_reply *reply; /* LEAVE_ANSWER */
    enum gba_err err;                 /* LEAVE_LOST */
    int64_t now_s;
    uint8_t entropy[16];
};

/* Of config count mef_fqdn, admin_fqdn (NULL: of target), originator, by_certificate.
 * GBA_E_ARGUMENT. */
enum gba_err leave_client_init(struct leave_client *l,
                               const struct gba_ue_enrol_config *config);
/* GBA_OK: in LEAVE_FINDING and LEAVE_DELETING send l->exchange; LEAVE_DONE also where there was
 * nothing to leave.  GBA_E_UNEXPECTED. */
enum gba_err leave_client_step(struct leave_client *l, const struct leave_happened *ev);

#endif
