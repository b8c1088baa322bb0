/*
 * What stands between libfdcore and the rest: its log, its hooks and the octets it receives.
 * Internal to the Diameter node (diameter.c).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_DIAMETER_GUARD_H
#define COMMON_HOST_DIAMETER_GUARD_H

#include "common/host/diameter_sys.h"

#include "common/host/diameter.h"

/* Takes over libfdcore's log.  Until diameter_guard_quiet its errors are passed on with their
 * text, for they speak of the configuration; from then on only fatal ones, rate-limited, and
 * only their format: an argument may hold AVPs. */
int diameter_guard_log(struct log *log);
void diameter_guard_quiet(void);
/* The end: no more lines, no more events. */
void diameter_guard_mute(void);

/* libfdcore takes its leave of a peer (DPR): it is about to end, and its peers with it. */
bool diameter_guard_ending(void);

/* Registers for every hook, so that libfdcore never turns a message into text by itself. */
int diameter_guard_hooks(const struct diameter_events *events);

/* Overwrites NUL octets in top-level Session-Id AVPs of a raw message; true: there were some.
 * libfdcore shuts down on a request that has one (the session's hash takes a C string). */
bool diameter_guard_session_id(uint8_t *message, size_t n);

#endif
