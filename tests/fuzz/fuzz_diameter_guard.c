/*
 * Fuzz target: raw Diameter messages before libfdcore sees them (common/host/diameter_guard.c).
 * Besides not failing: only NUL octets change, a second look finds nothing left, and no
 * Session-Id that can be reached holds a NUL.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/host/diameter_guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool condition)
{
    if (!condition)
        abort();
}

/* The first AVP of a message (RFC 6733 3, 4.1), if it is whole and a Session-Id. */
static void check_first(const uint8_t *message, size_t n)
{
    static const uint8_t session_id[4] = {0, 0, 1, 7};
    size_t length;

    if (n < 28 || memcmp(message + 20, session_id, 4) != 0)
        return;
    length = (size_t)message[25] << 16 | (size_t)message[26] << 8 | message[27];
    if (length >= 8 && length <= n - 20)
        need(length == 8 || memchr(message + 28, 0, length - 8) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *message = malloc(size != 0 ? size : 1);
    bool found;

    need(message != NULL);
    if (size != 0)
        memcpy(message, data, size);
    found = diameter_guard_session_id(message, size);
    need(found == (size != 0 && memcmp(message, data, size) != 0));
    for (size_t i = 0; i < size; i++)
        need(message[i] == data[i] || data[i] == 0);
    need(!diameter_guard_session_id(message, size));
    check_first(message, size);
    free(message);
    return 0;
}
