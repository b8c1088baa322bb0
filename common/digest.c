/*
 * HTTP Digest fields: the parser (RFC 9110 11, RFC 7616 3.3-3.5) and the printer.  Each octet
 * is looked at once, from left to right; nothing is searched for, so nothing inside a quoted
 * string can be taken for a parameter, and after an error nothing more is read.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/digest.h"

#include <string.h>

static const struct param {
    const char *name;
    bool token; /* printed without quotes: RFC 7616 3.3, 3.4, RFC 7615 3 */
} params[GBA_DIGEST_N_PARAMS] = {
    [GBA_DIGEST_USERNAME] = {"username", false},
    [GBA_DIGEST_REALM] = {"realm", false},
    [GBA_DIGEST_NONCE] = {"nonce", false},
    [GBA_DIGEST_URI] = {"uri", false},
    [GBA_DIGEST_RESPONSE] = {"response", false},
    [GBA_DIGEST_ALGORITHM] = {"algorithm", true},
    [GBA_DIGEST_CNONCE] = {"cnonce", false},
    [GBA_DIGEST_OPAQUE] = {"opaque", false},
    [GBA_DIGEST_QOP] = {"qop", true},
    [GBA_DIGEST_NC] = {"nc", true},
    [GBA_DIGEST_AUTS] = {"auts", false},
    [GBA_DIGEST_STALE] = {"stale", true},
    [GBA_DIGEST_DOMAIN] = {"domain", false},
    [GBA_DIGEST_NEXTNONCE] = {"nextnonce", false},
    [GBA_DIGEST_RSPAUTH] = {"rspauth", false},
    [GBA_DIGEST_USERHASH] = {"userhash", true},
    [GBA_DIGEST_CHARSET] = {"charset", true},
};

const char *gba_digest_param_name(enum gba_digest_param p)
{
    return (size_t)p < GBA_DIGEST_N_PARAMS ? params[p].name : "";
}

/* ------------------------------------------------------------ octets and tokens */

struct cursor {
    const char *at, *end;
};

static bool at_end(const struct cursor *c)
{
    return c->at == c->end;
}

static bool next_is(const struct cursor *c, char octet)
{
    return c->at != c->end && *c->at == octet;
}

/* RFC 9110 5.6.3: OWS and BWS. */
static bool skip_space(struct cursor *c)
{
    const char *from = c->at;

    while (next_is(c, ' ') || next_is(c, '\t'))
        c->at++;
    return c->at != from;
}

/* RFC 9110 5.6.1.2: empty list elements are ignored. */
static void skip_commas(struct cursor *c)
{
    while (skip_space(c) || next_is(c, ','))
        if (next_is(c, ','))
            c->at++;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* RFC 9110 5.6.2: tchar. */
static bool is_tchar(char c)
{
    return is_alnum(c) || is_one_of(c, "!#$%&'*+-.^_`|~");
}

/* RFC 9110 5.6.4: what may stand in a quoted string at all, escaped or not. */
static bool is_text(char c)
{
    unsigned char u = (unsigned char)c;

    return u == '\t' || (u >= ' ' && u != 0x7f);
}

static bool is_token(struct gba_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if (!is_tchar(t.s[i]))
            return false;
    return t.n != 0;
}

static enum gba_err read_token(struct cursor *c, struct gba_text *out)
{
    const char *from = c->at;

    while (!at_end(c) && is_tchar(*c->at))
        c->at++;
    *out = (struct gba_text){from, (size_t)(c->at - from)};
    return out->n != 0 ? GBA_OK : GBA_E_SYNTAX;
}

/* The raw inside of a quoted string; the cursor stands on its opening quote. */
static enum gba_err read_quoted(struct cursor *c, struct gba_text *inside, bool *escaped)
{
    const char *from = ++c->at;

    *escaped = false;
    while (!at_end(c) && *c->at != '"') {
        if (*c->at == '\\') {
            *escaped = true;
            c->at++;
        }
        if (at_end(c) || !is_text(*c->at))
            return GBA_E_SYNTAX;
        c->at++;
    }
    if (at_end(c))
        return GBA_E_SYNTAX;
    *inside = (struct gba_text){from, (size_t)(c->at - from)};
    c->at++;
    return GBA_OK;
}

/* ------------------------------------------------------------ parameters */

static enum gba_err unescape(struct gba_digest *d, struct gba_text *value)
{
    char *to = d->unescaped + d->n_unescaped;
    size_t room = sizeof(d->unescaped) - d->n_unescaped, n = 0;

    for (size_t i = 0; i < value->n; i++) {
        if (value->s[i] == '\\')
            i++; /* read_quoted saw that one follows */
        if (n == room)
            return GBA_E_TOO_LONG;
        to[n++] = value->s[i];
    }
    d->n_unescaped += n;
    *value = (struct gba_text){to, n};
    return GBA_OK;
}

/* RFC 7616 3.3: an unknown parameter is ignored, but it is there once at the most. */
static enum gba_err note_unknown(struct gba_digest *d, struct gba_text name)
{
    for (size_t i = 0; i < d->n_unknown; i++)
        if (gba_text_eq_nocase(d->unknown[i], name))
            return GBA_E_REPEATED;
    if (d->n_unknown == GBA_DIGEST_UNKNOWN_MAX)
        return GBA_E_TOO_LONG;
    d->unknown[d->n_unknown++] = name;
    return GBA_OK;
}

static enum gba_err store(struct gba_digest *d, struct gba_text name, struct gba_text value,
                          bool quoted, bool escaped)
{
    size_t p = 0;

    while (p < GBA_DIGEST_N_PARAMS && !gba_text_eq_nocase(name, gba_text(params[p].name)))
        p++;
    if (p == GBA_DIGEST_N_PARAMS)
        return note_unknown(d, name);
    if (d->p[p].present)
        return GBA_E_REPEATED;
    if (escaped) {
        enum gba_err err = unescape(d, &value);

        if (err != GBA_OK)
            return err;
    }
    d->p[p].present = true;
    d->p[p].quoted = quoted;
    d->p[p].value = value;
    return GBA_OK;
}

/* BWS "=" BWS ( token / quoted-string ), after the name.  d is NULL where another scheme's
 * parameters are passed over. */
static enum gba_err read_value(struct cursor *c, struct gba_text name, struct gba_digest *d)
{
    struct gba_text value;
    bool quoted, escaped = false;
    enum gba_err err;

    skip_space(c);
    if (!next_is(c, '='))
        return GBA_E_SYNTAX;
    c->at++;
    skip_space(c);
    quoted = next_is(c, '"');
    err = quoted ? read_quoted(c, &value, &escaped) : read_token(c, &value);
    if (err != GBA_OK)
        return err;
    skip_space(c);
    if (!at_end(c) && !next_is(c, ','))
        return GBA_E_SYNTAX;
    return d != NULL ? store(d, name, value, quoted, escaped) : GBA_OK;
}

/* Is the token just read a scheme and no parameter's name?  The cursor is behind it. */
static bool is_scheme(struct cursor c)
{
    skip_space(&c);
    return !next_is(&c, '=');
}

/* #auth-param up to the end or, where more challenges may follow, up to the next scheme. */
static enum gba_err read_params(struct cursor *c, bool schemes, struct gba_digest *d)
{
    for (skip_commas(c); !at_end(c); skip_commas(c)) {
        const char *from = c->at;
        struct gba_text name;
        enum gba_err err = read_token(c, &name);

        if (err != GBA_OK)
            return err;
        if (schemes && is_scheme(*c)) {
            c->at = from;
            return GBA_OK;
        }
        err = read_value(c, name, d);
        if (err != GBA_OK)
            return err;
    }
    return GBA_OK;
}

static enum gba_err start(struct gba_text field, struct cursor *c, struct gba_digest *d)
{
    memset(d, 0, sizeof(*d));
    *c = (struct cursor){field.s, field.s};
    if (field.n > GBA_DIGEST_FIELD_MAX)
        return GBA_E_TOO_LONG;
    if (field.n != 0)
        c->end = field.s + field.n;
    return GBA_OK;
}

enum gba_err gba_digest_parse(struct gba_text field, struct gba_digest *out)
{
    struct cursor c;
    struct gba_text scheme;
    enum gba_err err = start(field, &c, out);

    if (err != GBA_OK)
        return err;
    skip_space(&c);
    if (read_token(&c, &scheme) != GBA_OK)
        return GBA_E_SYNTAX;
    if (!gba_text_eq_nocase(scheme, GBA_TEXT("Digest")))
        return GBA_E_NOT_DIGEST;
    if (!skip_space(&c) && !at_end(&c))
        return GBA_E_SYNTAX;
    return read_params(&c, false, out);
}

enum gba_err gba_digest_parse_info(struct gba_text field, struct gba_digest *out)
{
    struct cursor c;
    enum gba_err err = start(field, &c, out);

    return err == GBA_OK ? read_params(&c, false, out) : err;
}

/* RFC 9110 11.2: token68, which is all of a challenge or none of it. */
static void skip_token68(struct cursor *c)
{
    struct cursor t = *c;

    while (!at_end(&t) && (is_alnum(*t.at) || is_one_of(*t.at, "-._~+/")))
        t.at++;
    if (t.at == c->at)
        return;
    while (next_is(&t, '='))
        t.at++;
    skip_space(&t);
    if (at_end(&t) || next_is(&t, ','))
        *c = t;
}

/* One challenge of any scheme; *digest says whether it was ours. */
static enum gba_err read_challenge(struct cursor *c, struct gba_digest *out, bool *digest)
{
    struct gba_text scheme;

    if (read_token(c, &scheme) != GBA_OK)
        return GBA_E_SYNTAX;
    *digest = gba_text_eq_nocase(scheme, GBA_TEXT("Digest"));
    if (!skip_space(c) && !at_end(c) && !next_is(c, ','))
        return GBA_E_SYNTAX;
    if (!*digest)
        skip_token68(c);
    return read_params(c, true, *digest ? out : NULL);
}

enum gba_err gba_digest_next_challenge(struct gba_text *rest, struct gba_digest *out)
{
    struct cursor c;
    bool digest = false;
    enum gba_err err = start(*rest, &c, out);

    while (err == GBA_OK && !digest) {
        skip_commas(&c);
        err = at_end(&c) ? GBA_E_NOT_FOUND : read_challenge(&c, out, &digest);
    }
    /* After an error the rest cannot be trusted to begin where it seems to. */
    *rest = err == GBA_OK ? (struct gba_text){c.at, (size_t)(c.end - c.at)} : GBA_TEXT("");
    return err;
}

/* ------------------------------------------------------------ printer */

static void print_quoted(struct gba_wbuf *w, struct gba_text value)
{
    gba_wbuf_u8(w, '"');
    for (size_t i = 0; i < value.n; i++) {
        if (!is_text(value.s[i])) {
            w->overflow = true;
            return;
        }
        if (value.s[i] == '"' || value.s[i] == '\\')
            gba_wbuf_u8(w, '\\');
        gba_wbuf_u8(w, (uint8_t)value.s[i]);
    }
    gba_wbuf_u8(w, '"');
}

static void print_param(struct gba_wbuf *w, enum gba_digest_param p, struct gba_text value,
                        bool token)
{
    if (w->n != 0 && w->p[w->n - 1] != ' ')
        gba_wbuf_str(w, ", ");
    gba_wbuf_str(w, params[p].name);
    gba_wbuf_u8(w, '=');
    if (!token)
        print_quoted(w, value);
    else if (is_token(value))
        gba_wbuf_text(w, value);
    else
        w->overflow = true;
}

void gba_digest_print(struct gba_wbuf *w, enum gba_digest_param p, struct gba_text value)
{
    print_param(w, p, value, params[p].token);
}

void gba_digest_print_offer(struct gba_wbuf *w, struct gba_text qop_list)
{
    print_param(w, GBA_DIGEST_QOP, qop_list, false);
}
