/*
 * The daemon that is an MEF or a MAF, by its role (naf/mef_role.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEFD_DAEMON_H
#define NAF_MEFD_DAEMON_H

#include "common/host/daemon.h"

extern const struct daemon_program mefd_program, mafd_program;

#endif
