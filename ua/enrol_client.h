/*
 * The state of one enrolment with a MEF; used by enrol_client.c and its tests.  Not public.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_ENROL_CLIENT_H
#define UA_ENROL_CLIENT_H

#include "common/m2m_keys.h"
#include "ua/m2m_exchange.h"

enum enrol_state { ENROL_IDLE, ENROL_REGISTERING, ENROL_RENEWING, ENROL_DONE, ENROL_FAILED, ENROL_N_STATES };

enum enrol_event {
    ENROL_START,
    ENROL_ANSWER, /* an HTTP reply, whatever it says */
    ENROL_LOST,
    ENROL_N_EVENTS
};

struct gba_ue_enrol {
    /* configuration */
    char target[GBA_UE_CSE_ID_SIZE], target_fqdn[GBA_UE_FQDN_SIZE], mef_fqdn[GBA_UE_FQDN_SIZE],
        admin_fqdn[GBA_UE_FQDN_SIZE], originator[M2M_ID_SIZE];
    unsigned suid;
    enum gba_ue_derivation derivation;
    bool by_certificate;
    int64_t expires_s;
    /* the run */
    enum enrol_state state, next;
    enum gba_err err;
    const char *why;
    unsigned rsc;
    char dbg[GBA_UE_DBG_SIZE];
    struct m2m_exchange exchange;
    struct gba_ue_credential credential;
    char registration[M2M_TO_SIZE]; /* where it is; "": not told */
};

#endif
