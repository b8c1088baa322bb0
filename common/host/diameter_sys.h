/*
 * freeDiameter's headers and the log's, in the one order in which both can be used:
 * libfdproto.h defines a macro LOG of its own, which is dropped here.  Include this before
 * any other header, in files that call libfdcore only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_DIAMETER_SYS_H
#define COMMON_HOST_DIAMETER_SYS_H

#include <freeDiameter/freeDiameter-host.h>
#include <freeDiameter/libfdcore.h>

#undef LOG

#include "common/host/log.h"

#endif
