/*
 * What tells an MEF and a MAF apart: see mef_role.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_role.h"

static const struct mef_role_facts facts[MEF_N_ROLES] = {
    [MEF_ROLE_MEF] = {"MEF", M2M_MEF_BASE, M2M_MEF_CLIENT_REG, M2M_KEY_RSPF, true},
    [MEF_ROLE_MAF] = {"MAF", M2M_MAF_BASE, M2M_MAF_CLIENT_REG, M2M_KEY_MAF, false},
};

const struct mef_role_facts *mef_role(enum mef_role role)
{
    return &facts[role];
}
