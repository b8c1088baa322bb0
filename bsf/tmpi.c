/*
 * The tmpi token and the forms of a username.  Which TMPI belongs to whom is the store's
 * knowledge; how one is derived is gba_tmpi's.  TS 33.220 4.5.2.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/tmpi.h"

#include <string.h>

#include "common/unicode.h"

static bool is_token_char(char c)
{
    return c > ' ' && c < 127 && strchr("()<>@,;:\\\"/[]?={}", c) == NULL;
}

bool bsf_knows_tmpi(struct gba_text user_agent)
{
    size_t depth = 0, start;

    for (size_t i = 0; i < user_agent.n;) {
        char c = user_agent.s[i];

        if (c == '(')
            depth++;
        else if (c == ')' && depth > 0)
            depth--;
        if (!is_token_char(c)) {
            i++;
            continue;
        }
        start = i;
        while (i < user_agent.n && is_token_char(user_agent.s[i]))
            i++;
        if (depth == 0 && gba_text_eq_nocase((struct gba_text){user_agent.s + start, i - start},
                                             GBA_TEXT(BSF_TMPI_TOKEN)))
            return true;
    }
    return false;
}

/* Well-formed UTF-8 without control characters that fits. */
static bool is_plain_text(struct gba_text t)
{
    uint8_t room[4 * GBA_IMPI_SIZE];
    struct gba_wbuf w;

    if (t.n >= GBA_IMPI_SIZE)
        return false;
    for (size_t i = 0; i < t.n; i++)
        if ((uint8_t)t.s[i] < 0x20 || t.s[i] == 0x7f)
            return false;
    gba_wbuf_init(&w, room, sizeof(room));
    return gba_nfkc(t, &w) != GBA_E_SYNTAX;
}

enum bsf_username bsf_username_kind(struct gba_text username)
{
    if (gba_is_tmpi(username))
        return BSF_USERNAME_TMPI;
    if (gba_impi_check(username) == GBA_OK)
        return BSF_USERNAME_IMPI;
    return is_plain_text(username) ? BSF_USERNAME_STRANGER : BSF_USERNAME_MALFORMED;
}
