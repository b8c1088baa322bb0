/*
 * An MEF and an M2M Authentication Function are one machine: what tells them apart, as a table
 * (TS-0003 8.3.5.2, 8.8.2).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_ROLE_H
#define NAF_MEF_ROLE_H

#include "common/m2m_id.h"
#include "common/m2m_names.h"

enum mef_role { MEF_ROLE_MEF, MEF_ROLE_MAF, MEF_N_ROLES };

struct mef_role_facts {
    const char *name;           /* "MEF", "MAF" */
    enum m2m_type base;         /* MEFBase, MAFBase */
    enum m2m_type registration; /* mefClientReg, mafClientReg */
    enum m2m_key_source
        keys_of; /* the SUIDs that its key registrations have (TS-0004 6.3.4.2.39) */
    bool enrols; /* keeps Ke's, and answers fetchCredentials; else it names Km's */
};

const struct mef_role_facts *mef_role(enum mef_role role);

#endif
