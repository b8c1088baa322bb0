/*
 * What stands between libfdcore and the rest: its log and its hooks.  What it receives goes
 * through diameter_guard.h first.  Internal to the Diameter node (diameter.c).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_DIAMETER_HOOKS_H
#define COMMON_HOST_DIAMETER_HOOKS_H

#include "common/host/diameter_sys.h"

#include "common/host/diameter.h"

/* Takes over libfdcore's log.  Until diameter_hooks_quiet its errors are passed on with their
 * text, for they speak of the configuration; from then on only fatal ones, rate-limited, and
 * only their format: an argument may hold AVPs. */
int diameter_hooks_log(struct log *log);
void diameter_hooks_quiet(void);
/* The end: no more lines, no more events, and those that were being told have been. */
void diameter_hooks_mute(void);

/* libfdcore takes its leave of a peer (DPR): it is about to end, and its peers with it. */
bool diameter_hooks_ending(void);

/* Registers for every hook, so that libfdcore never turns a message into text by itself. */
int diameter_hooks_register(const struct diameter_events *events);

#endif
