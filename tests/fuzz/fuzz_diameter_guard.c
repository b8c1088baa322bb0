/*
 * Fuzz target: raw Diameter messages before libfdcore sees them (common/host/diameter_guard.c).
 * Besides not failing: of Session-Ids only NUL octets change, and none is left; the first
 * Result-Code of an answer is whole and stands where nothing before it can be at fault; and a
 * second look finds nothing left to do.
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

/* RFC 6733 4.1, a second time and without the guard's code.  False: the end. */
static bool avp_at(const uint8_t *m, size_t n, size_t at, uint32_t *code, size_t *length)
{
    if (at > n || n - at < 8)
        return false;
    *code = (uint32_t)m[at] << 24 | (uint32_t)m[at + 1] << 16 | (uint32_t)m[at + 2] << 8 |
            m[at + 3];
    *length = (size_t)m[at + 5] << 16 | (size_t)m[at + 6] << 8 | m[at + 7];
    return *length >= ((m[at + 4] & 0x80) != 0 ? 12u : 8u) && *length <= n - at;
}

static size_t after(size_t at, size_t length)
{
    return at + ((length + 3) & ~(size_t)3);
}

static void check_sessions(const uint8_t *m, size_t n)
{
    uint32_t code;
    size_t length;

    for (size_t at = 20; avp_at(m, n, at, &code, &length); at = after(at, length))
        if (code == 263 && (m[at + 4] & 0x80) == 0)
            need(length == 8 || memchr(m + at + 8, 0, length - 8) == NULL);
}

/* What libfdcore's search comes to first must have been read by then. */
static void check_result(const uint8_t *m, size_t n, bool known)
{
    bool only_session = true;
    uint32_t code;
    size_t length;

    for (size_t at = 20; avp_at(m, n, at, &code, &length); at = after(at, length)) {
        if (code == 268 && (m[at + 4] & 0x80) == 0) {
            need(known && only_session && length == 12);
            return;
        }
        only_session = at == 20 && code == 263;
    }
}

static void look_at_sessions(uint8_t *m, const uint8_t *data, size_t size)
{
    bool found;

    memcpy(m, data, size);
    found = diameter_guard_session_id(m, size);
    need(found == (memcmp(m, data, size) != 0));
    for (size_t i = 0; i < size; i++)
        need(m[i] == data[i] || data[i] == 0);
    need(!diameter_guard_session_id(m, size));
    check_sessions(m, size);
}

static void look_at_results(uint8_t *m, const uint8_t *data, size_t size, bool known)
{
    uint8_t *once = malloc(size);
    bool request = size >= 20 && (data[4] & 0x80) != 0;

    need(once != NULL);
    memcpy(m, data, size);
    (void)diameter_guard_result_code(m, size, known);
    need(memcmp(m, data, size < 20 ? size : 20) == 0);
    if (request)
        need(memcmp(m, data, size) == 0);
    else
        check_result(m, size, known);
    memcpy(once, m, size);
    need(!diameter_guard_result_code(m, size, known) && memcmp(m, once, size) == 0);
    free(once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *message;

    if (size == 0)
        return 0;
    message = malloc(size);
    need(message != NULL);
    look_at_sessions(message, data, size);
    look_at_results(message, data, size, true);
    look_at_results(message, data, size, false);
    free(message);
    return 0;
}
