/*
 * A folder of the test's own, removed at exit; and work done as an unprivileged user, for CI is
 * root.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

/* Path of name in the folder.  A few live at a time. */
const char *scratch(const char *name);
/* Makes nobody the owner of name, or of a path from the root (as root; else the owner is fine already). */
void scratch_give(const char *name);
/* Runs work in a child process as nobody and returns what it returned. */
int scratch_as_nobody(int (*work)(void));

#endif
