/*
 * An http or https URL in its parts, as the UE needs them: scheme, host, port, request-target.
 * Strict: printable ASCII, no user information.  Not public.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_URL_H
#define UA_URL_H

#include "common/bytes.h"

struct url {
    bool https;
    struct gba_text host;   /* an IPv6 address keeps its brackets */
    struct gba_text port;   /* digits; empty: the scheme's */
    struct gba_text target; /* path and query, at least "/" */
};

/* Views into text.  GBA_E_SYNTAX. */
enum gba_err url_parse(const char *text, struct url *out);
/* An IPv4 address or a bracketed IPv6 address. */
bool url_host_is_address(struct gba_text host);
/* 127.0.0.0/8, [::1], localhost. */
bool url_host_is_loopback(struct gba_text host);

#endif
