/*
 * Which Digest parameter must, may, must not stand in which message, as one table, and the
 * form of those that have one.  It compares no values with a challenge: that is the work of
 * the Ub and Ua decision files.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/digest.h"

enum rule {
    NOT = 0, /* GBA_E_SYNTAX if it is there */
    MAY,
    MUST, /* GBA_E_MISSING if it is not */
    QOP   /* RFC 7616 3.4: must, if qop is there.  A missing qop is the caller's GBA_E_QOP. */
};

/* clang-format off */
/*
 * Columns: enum gba_digest_message.  Clauses: first request and answer RFC 3310 3.3, 3.4 and
 * TS 24.109 A.3, A.4; challenge RFC 3310 3.1 and TS 24.109 4.2; Ua RFC 7616 3.3, 3.4 and
 * TS 24.109 5.2; Authentication-Info RFC 7616 3.5.  What changes nothing when it is there
 * besides its message (an algorithm before the challenge, parameters of the request echoed in
 * Authentication-Info) may be there.
 */
static const uint8_t rules[GBA_DIGEST_N_PARAMS][GBA_DIGEST_N_MESSAGES] = {
    /*                           Ub                             Ua                    */
    /*                           first chall. answer resync     chall. answer    info */
    [GBA_DIGEST_USERNAME]     = {MUST, NOT,  MUST, MUST,        NOT,  MUST,      NOT},
    [GBA_DIGEST_REALM]        = {MUST, MUST, MUST, MUST,        MUST, MUST,      MAY},
    [GBA_DIGEST_NONCE]        = {MUST, MUST, MUST, MUST,        MUST, MUST,      MAY},
    [GBA_DIGEST_URI]          = {MUST, NOT,  MUST, MUST,        NOT,  MUST,      NOT},
    [GBA_DIGEST_RESPONSE]     = {MUST, NOT,  MUST, MUST,        NOT,  MUST,      NOT},
    [GBA_DIGEST_ALGORITHM]    = {MAY,  MUST, MAY,  MAY,         MAY,  MAY,       MAY},
    [GBA_DIGEST_CNONCE]       = {MAY,  NOT,  QOP,  QOP,         NOT,  QOP,       MAY},
    [GBA_DIGEST_OPAQUE]       = {MAY,  MAY,  MAY,  MAY,         MAY,  MAY,       MAY},
    [GBA_DIGEST_QOP]          = {MAY,  MUST, MAY,  MAY,         MAY,  MAY,       MAY},
    [GBA_DIGEST_NC]           = {MAY,  NOT,  QOP,  QOP,         NOT,  QOP,       MAY},
    [GBA_DIGEST_AUTS]         = {NOT,  NOT,  NOT,  MUST,        NOT,  NOT,       NOT},
    [GBA_DIGEST_STALE]        = {NOT,  MAY,  NOT,  NOT,         MAY,  NOT,       NOT},
    [GBA_DIGEST_DOMAIN]       = {NOT,  MAY,  NOT,  NOT,         MAY,  NOT,       NOT},
    [GBA_DIGEST_NEXTNONCE]    = {NOT,  NOT,  NOT,  NOT,         NOT,  NOT,       MAY},
    [GBA_DIGEST_RSPAUTH]      = {NOT,  NOT,  NOT,  NOT,         NOT,  NOT,       MAY},
    [GBA_DIGEST_USERHASH]     = {MAY,  MAY,  MAY,  MAY,         MAY,  MAY,       NOT},
    [GBA_DIGEST_CHARSET]      = {MAY,  MAY,  MAY,  MAY,         MAY,  MAY,       NOT},
};
/* clang-format on */

static bool is_hex(struct gba_text t)
{
    for (size_t i = 0; i < t.n; i++) {
        char c = t.s[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

/* The digest of one of the hashes, in hex. */
static bool is_hex_digest(struct gba_text t)
{
    return (t.n == 32 || t.n == 64) && is_hex(t);
}

/* An empty response is not malformed on Ub: it is the first request's, and with the nonce and
 * no auts the UE's report of a MAC failure (TS 24.109 4.4).  Beside auts its value does not
 * matter (RFC 3310 3.4). */
static bool form_ok(enum gba_digest_param p, enum gba_digest_message m, struct gba_text v)
{
    switch (p) {
    case GBA_DIGEST_NONCE:
        return m == GBA_DIGEST_UB_FIRST ? v.n == 0 : v.n != 0 || m == GBA_DIGEST_INFO;
    case GBA_DIGEST_NC:
        return m == GBA_DIGEST_UB_FIRST || (v.n == 8 && is_hex(v));
    case GBA_DIGEST_RESPONSE:
        return m == GBA_DIGEST_UB_FIRST || m == GBA_DIGEST_UB_RESYNC || is_hex_digest(v) ||
               (m == GBA_DIGEST_UB_RESPONSE && v.n == 0);
    case GBA_DIGEST_RSPAUTH:
        return is_hex_digest(v);
    default:
        return true;
    }
}

static enum gba_err check_one(const struct gba_digest *d, enum gba_digest_message m,
                              enum gba_digest_param p)
{
    enum rule rule = (enum rule)rules[p][m];

    if (rule == QOP)
        rule = d->p[GBA_DIGEST_QOP].present ? MUST : MAY;
    if (!d->p[p].present)
        return rule == MUST ? GBA_E_MISSING : GBA_OK;
    return rule != NOT && form_ok(p, m, d->p[p].value) ? GBA_OK : GBA_E_SYNTAX;
}

enum gba_err gba_digest_check(const struct gba_digest *d, enum gba_digest_message m,
                              enum gba_digest_param *which)
{
    if ((size_t)m >= GBA_DIGEST_N_MESSAGES)
        return GBA_E_ARGUMENT;
    for (size_t p = 0; p < GBA_DIGEST_N_PARAMS; p++) {
        enum gba_err err = check_one(d, m, (enum gba_digest_param)p);

        if (err != GBA_OK) {
            *which = (enum gba_digest_param)p;
            return err;
        }
    }
    return GBA_OK;
}
