/*
 * Names behind which there is no plain file: to write aside and rename would put one there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_SPECIAL_FILE_H
#define COMMON_HOST_SPECIAL_FILE_H

#include <stdbool.h>

/* A device, a FIFO at whose end one waits, a socket; or an open descriptor, such as
 * /dev/stdout, whatever that is. */
bool special_file(const char *path);

#endif
