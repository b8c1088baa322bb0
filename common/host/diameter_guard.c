/*
 * The guard before libfdcore: see diameter_guard.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/diameter_guard.h"

#include <string.h>

#define HEADER_OCTETS 20 /* of a message */
#define COMMAND_AT    5
#define FLAGS_AT      4 /* of a message, and of an AVP */
#define FLAG_REQUEST  0x80u
#define FLAG_VENDOR   0x80u
#define AVP_OCTETS    8  /* of an AVP's header without Vendor-Id */
#define RESULT_OCTETS 12 /* of Result-Code, an Unsigned32 */

#define SESSION_ID  263u
#define RESULT_CODE 268u

struct avp_view {
    uint8_t *octets, *value;
    size_t length, value_n; /* padding not counted */
    uint32_t code;
    bool with_vendor;
    uint32_t vendor; /* 0 without */
};

static uint32_t u24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | u24(p + 1);
}

/* The AVP at *at, which moves on; false: the end, or a length that cannot be. */
static bool next_avp(uint8_t *message, size_t n, size_t *at, struct avp_view *avp)
{
    uint8_t *p = message + *at;
    size_t head;

    if (*at > n || n - *at < AVP_OCTETS)
        return false;
    avp->octets = p;
    avp->code = u32(p);
    avp->length = u24(p + 5);
    avp->with_vendor = (p[FLAGS_AT] & FLAG_VENDOR) != 0;
    head = AVP_OCTETS + (avp->with_vendor ? 4 : 0);
    if (avp->length < head || avp->length > n - *at)
        return false;
    avp->vendor = avp->with_vendor ? u32(p + AVP_OCTETS) : 0;
    avp->value = p + head;
    avp->value_n = avp->length - head;
    *at += (avp->length + 3) & ~(size_t)3;
    return true;
}

/* libfdcore takes vendor 0 for the base protocol where it looks for sessions ... */
static bool is_session_id(const struct avp_view *avp)
{
    return avp->code == SESSION_ID && avp->vendor == 0;
}

/* ... and no V bit where it looks for results. */
static bool is_result_code(const struct avp_view *avp)
{
    return avp->code == RESULT_CODE && !avp->with_vendor;
}

uint32_t diameter_guard_command(const uint8_t *message, size_t n)
{
    return n < HEADER_OCTETS ? 0 : u24(message + COMMAND_AT);
}

bool diameter_guard_session_id(uint8_t *message, size_t n)
{
    size_t at = HEADER_OCTETS;
    struct avp_view avp;
    bool found = false;

    while (next_avp(message, n, &at, &avp))
        for (size_t i = 0; i < avp.value_n && is_session_id(&avp); i++)
            if (avp.value[i] == 0) {
                avp.value[i] = '?';
                found = true;
            }
    return found;
}

/* Where Result-Code belongs: RFC 6733 8.8 has the Session-Id directly after the header. */
static size_t head_of(uint8_t *message, size_t n)
{
    size_t at = HEADER_OCTETS;
    struct avp_view first;

    return next_avp(message, n, &at, &first) && is_session_id(&first) ? at : HEADER_OCTETS;
}

static bool find_whole_result(uint8_t *message, size_t n, size_t *where)
{
    size_t at = HEADER_OCTETS;
    struct avp_view avp;

    while (next_avp(message, n, &at, &avp))
        if (is_result_code(&avp) && avp.length == RESULT_OCTETS) {
            *where = (size_t)(avp.octets - message);
            return true;
        }
    return false;
}

static void move_result(uint8_t *message, size_t from, size_t to)
{
    uint8_t result[RESULT_OCTETS];

    memcpy(result, message + from, RESULT_OCTETS);
    memmove(message + to + RESULT_OCTETS, message + to, from - to);
    memcpy(message + to, result, RESULT_OCTETS);
}

static bool hide_results(uint8_t *message, size_t n)
{
    size_t at = HEADER_OCTETS;
    struct avp_view avp;
    bool found = false;

    while (next_avp(message, n, &at, &avp))
        if (is_result_code(&avp)) {
            memset(avp.octets, 0xff, 4);
            avp.octets[FLAGS_AT] = 0; /* no M bit: it may be unknown */
            found = true;
        }
    return found;
}

bool diameter_guard_result_code(uint8_t *message, size_t n, bool command_known)
{
    size_t where;

    if (n < HEADER_OCTETS || (message[FLAGS_AT] & FLAG_REQUEST) != 0)
        return false;
    if (!command_known || !find_whole_result(message, n, &where))
        return hide_results(message, n);
    move_result(message, where, head_of(message, n));
    return false;
}
