/*
 * URLs; see ua/url.h.  RFC 3986 as far as http and https use it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/url.h"

#include <string.h>

static enum gba_err split_authority(struct gba_text authority, struct url *out)
{
    struct gba_text host, tail;
    uint64_t port;

    if (authority.n > 0 && authority.s[0] == '[') {
        if (!gba_text_split(authority, ']', &host, &tail))
            return GBA_E_SYNTAX;
        out->host = (struct gba_text){authority.s, host.n + 1};
        out->port = tail;
        if (tail.n > 0 && tail.s[0] != ':')
            return GBA_E_SYNTAX;
        out->port = tail.n > 0 ? (struct gba_text){tail.s + 1, tail.n - 1} : tail;
    } else {
        gba_text_split(authority, ':', &out->host, &out->port);
    }
    if (out->host.n == 0 || out->host.n > 255)
        return GBA_E_SYNTAX;
    if (out->port.n > 0 && (gba_text_number(out->port, 65535, &port) != GBA_OK || port == 0))
        return GBA_E_SYNTAX;
    return GBA_OK;
}

enum gba_err url_parse(const char *text, struct url *out)
{
    struct gba_text t = gba_text(text), authority;
    size_t n;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < t.n; i++)
        if (t.s[i] <= ' ' || t.s[i] > '~' || strchr("\"<>\\^`{|}", t.s[i]) != NULL)
            return GBA_E_SYNTAX;
    if (strncmp(text, "https://", 8) == 0)
        out->https = true;
    else if (strncmp(text, "http://", 7) != 0)
        return GBA_E_SYNTAX;
    t = gba_text(text + (out->https ? 8 : 7));
    n = strcspn(t.s, "/?#");
    authority = (struct gba_text){t.s, n};
    if (memchr(authority.s, '@', n) != NULL)
        return GBA_E_SYNTAX;
    out->target = (struct gba_text){t.s + n, strcspn(t.s + n, "#")};
    if (out->target.n > 0 && out->target.s[0] == '?')
        return GBA_E_SYNTAX; /* a query without a path: say which path is meant */
    if (out->target.n == 0)
        out->target = GBA_TEXT("/");
    return split_authority(authority, out);
}

bool url_host_is_address(struct gba_text host)
{
    if (host.n > 0 && host.s[0] == '[')
        return true;
    for (size_t i = 0; i < host.n; i++)
        if (host.s[i] != '.' && (host.s[i] < '0' || host.s[i] > '9'))
            return false;
    return host.n > 0;
}

bool url_host_is_loopback(struct gba_text host)
{
    return (url_host_is_address(host) && gba_text_starts(host, "127.")) ||
           gba_text_is(host, "[::1]") || gba_text_eq_nocase(host, GBA_TEXT("localhost"));
}
