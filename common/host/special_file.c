/*
 * See special_file.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/special_file.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTORS "/proc/"

static bool is_descriptor(const char *path)
{
    char to[sizeof(DESCRIPTORS) - 1];

    return readlink(path, to, sizeof(to)) == (ssize_t)sizeof(to) &&
           memcmp(to, DESCRIPTORS, sizeof(to)) == 0;
}

bool special_file(const char *path)
{
    struct stat st;

    return is_descriptor(path) ||
           (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode));
}
