/*
 * Taking leave of the peers (RFC 6733 5.4).  Internal to the Diameter node.
 *
 * libfdcore's own end is not asked for: it takes down queues on which its threads still wait,
 * and asserts that each of them notices within 20 ms, which on a busy machine they do not.  So
 * the peers are told, and the core stays as it is until the process ends.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_DIAMETER_LEAVE_H
#define COMMON_HOST_DIAMETER_LEAVE_H

#include "common/host/diameter_sys.h"

/* Sends a DPR (REBOOTING) to every open peer and waits until each has answered or hung up;
 * false: one has not within that time.  Once per process. */
bool diameter_leave(unsigned seconds);

/* A DPA came from that peer, or its connection is gone. */
void diameter_leave_gone(const char *identity);

#endif
