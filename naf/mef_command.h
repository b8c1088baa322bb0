/*
 * Commands that wait for clients of an MEF (TS-0003 8.3.9): the part of the store's port that
 * keeps a queue for each registration.  Adapter: mef_store_command.c.
 *
 * Of a registration one command at a time is outstanding: given to the client, and not reported
 * on.  Commands go with their registration, however that goes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_COMMAND_H
#define NAF_MEF_COMMAND_H

#include "common/m2m_command.h"

#define MEF_COMMAND_RI_SIZE   80 /* a registration's resource identifier and NUL */
#define MEF_COMMANDS_DONE_MAX 16 /* of a registration: what is kept of those with a result */

enum mef_command_state { MEF_COMMAND_QUEUED, MEF_COMMAND_OUTSTANDING, MEF_COMMAND_DONE };

struct mef_command {
    struct m2m_command what;
    enum mef_command_state state;
    unsigned result;              /* cmdStatusCode of the client; 0: none yet */
    char ri[MEF_COMMAND_RI_SIZE]; /* of the registration */
    char enrolee[M2M_ID_SIZE];    /* its creator and its stakeholder, in a list */
    char admin_fqdn[GBA_FQDN_SIZE];
    int64_t issued_s, given_s, done_s; /* 0: not yet */
};

struct mef_store;
struct mef_registry;
struct mef_command_store {
    /* Behind those that wait; what.id is made here, as no other is.  GBA_E_OVERLOAD: max of the
     * registration's wait or are outstanding; GBA_E_NOT_FOUND: no such registration. */
    enum gba_err (*add)(struct mef_store *self, struct mef_command *c, size_t max);
    /* The outstanding one, or the next.  GBA_E_NOT_FOUND: none. */
    enum gba_err (*next)(struct mef_store *self, const char *ri, struct mef_command *out);
    /* It is outstanding from now on.  GBA_E_NOT_FOUND. */
    enum gba_err (*give)(struct mef_store *self, const char *id, int64_t now_s);
    /* The result of the outstanding one.  GBA_E_NOT_FOUND: of this registration no command of
     * that id is outstanding. */
    enum gba_err (*finish)(struct mef_store *self, const char *ri, const char *id,
                           unsigned result, int64_t now_s);
};

#endif
