/*
 * What is changed in a Diameter message before libfdcore reads it, because libfdcore would end
 * the process over it.  Pure functions over the octets of one message (RFC 6733 3, 4.1); AVPs
 * with impossible lengths end the walk, for libfdcore closes the connection over them.
 * Internal to the Diameter node.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_DIAMETER_GUARD_H
#define COMMON_HOST_DIAMETER_GUARD_H

#include "common/bytes.h"

/* The command code; 0: shorter than a header. */
uint32_t diameter_guard_command(const uint8_t *message, size_t n);

/* Overwrites NUL octets in top-level Session-Id AVPs; true: there were some.  libfdcore shuts
 * down on a request that has one (the session's hash takes a C string). */
bool diameter_guard_session_id(uint8_t *message, size_t n);

/* Sees to it that libfdcore, when something in an answer is not as its dictionary has it, finds
 * a Result-Code that it has read, or none: it asserts that.  It reads the AVPs in order and
 * stops at the first fault, or before all of them when it does not know the command.  So a
 * whole Result-Code moves to the head, behind the Session-Id; where none is whole, or the
 * command is not known, every one becomes an AVP of a code that nobody knows.  True: that was
 * so. */
bool diameter_guard_result_code(uint8_t *message, size_t n, bool command_known);

#endif
