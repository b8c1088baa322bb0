/*
 * The state of one client's dealing with commands of its MEF; used by command_client.c, the
 * runner and tests.  Not public.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_COMMAND_CLIENT_H
#define UA_COMMAND_CLIENT_H

#include "common/m2m_command.h"
#include "ua/m2m_exchange.h"

#define UE_COMMANDS_MAX 64 /* of one round: a MEF that has more is not obeyed for ever */

enum commands_state {
    COMMANDS_IDLE,
    COMMANDS_RETRIEVING,
    COMMANDS_RUNNING, /* the caller carries one out */
    COMMANDS_UPDATING,
    COMMANDS_DONE, /* there are no more */
    COMMANDS_FAILED,
    COMMANDS_N_STATES
};

enum commands_event {
    COMMANDS_START,
    COMMANDS_ANSWER,
    COMMANDS_LOST,
    COMMANDS_RESULT, /* the command was carried out, or could not be */
    COMMANDS_N_EVENTS
};

struct gba_ue_commands {
    /* configuration */
    char to[M2M_TO_SIZE], originator[M2M_ID_SIZE], mef_fqdn[GBA_UE_FQDN_SIZE];
    bool by_certificate;
    /* the round */
    enum commands_state state, next;
    enum gba_err err;
    const char *why;
    unsigned n;                      /* commands so far */
    unsigned reported;               /* what the request reports; 0: it retrieves */
    char last_sent[M2M_CMD_ID_SIZE]; /* cmdID of the last update */
    struct m2m_command command;
    uint8_t entropy[16]; /* of this step */
    struct m2m_exchange q;
};

#endif
