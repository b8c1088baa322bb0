/*
 * The gate: what libmicrohttpd 0.9.75 lets through and this server does not.  Two parsers
 * that understand one message differently are how requests are smuggled (RFC 9112 11.2), so
 * everything that has two readings is refused: Content-Length with Transfer-Encoding, repeated
 * Content-Length, Host or Authorization, NUL, folded lines, bare CR, blanks in names.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/httpd_internal.h"

#include <stdlib.h>
#include <string.h>

/* Letters of RFC 9110 5.6.2. */
static bool is_token(struct gba_text t)
{
    for (size_t i = 0; i < t.n; i++) {
        unsigned char c = (unsigned char)t.s[i];

        if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c) != NULL)
            return false;
    }
    return t.n > 0;
}

static bool is_value(struct gba_text t)
{
    for (size_t i = 0; i < t.n; i++) {
        unsigned char c = (unsigned char)t.s[i];

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static struct gba_text trim(struct gba_text t)
{
    while (t.n > 0 && (t.s[t.n - 1] == ' ' || t.s[t.n - 1] == '\t'))
        t.n--;
    while (t.n > 0 && (t.s[0] == ' ' || t.s[0] == '\t')) {
        t.s++;
        t.n--;
    }
    return t;
}

static enum gba_err because(struct httpd_request *r, const char *why)
{
    r->why = why;
    return GBA_E_HTTP;
}

/* --- reading libmicrohttpd's buffer ------------------------------------------------------ */

/* libmicrohttpd up to 0.9.75 parses in place with the C string functions: a NUL hides the rest
 * of its line.  There each piece must begin where the one before it ended, past the two NULs
 * that stand for CR LF; a folded line is moved elsewhere and fails the same test.  Later
 * versions refuse NUL themselves. */
static bool parses_in_place(void)
{
    return strverscmp(MHD_get_version(), "0.9.76") < 0;
}

struct copy {
    struct httpd_request *r;
    char *at;        /* in r->block */
    size_t room;     /* octets left there */
    size_t max;      /* fields that r->fields has room for */
    const char *end; /* of the piece before, in libmicrohttpd's buffer */
    bool in_place;
    enum gba_err err;
};

static struct gba_text copy_text(struct copy *c, const char *s, size_t n)
{
    struct gba_text t = {c->at, n};

    if (n > c->room) {
        c->err = GBA_E_HEADER_TOO_LARGE;
        return GBA_TEXT("");
    }
    if (n > 0)
        memcpy(c->at, s, n);
    c->at += n;
    c->room -= n;
    return t;
}

static enum MHD_Result copy_field(void *cls, enum MHD_ValueKind kind, const char *key,
                                  size_t key_n, const char *value, size_t value_n)
{
    struct copy *c = cls;
    struct httpd_field *f = &c->r->fields[c->r->n_fields];

    (void)kind;
    if (value == NULL || c->r->n_fields == c->max || (c->in_place && key != c->end + 2)) {
        c->err = because(c->r, "NUL_OR_FOLDED_LINE");
        return MHD_NO;
    }
    f->name = copy_text(c, key, key_n);
    f->value = trim(copy_text(c, value, value_n));
    if (c->err == GBA_OK && !is_token(f->name))
        c->err = because(c->r, "FIELD_NAME");
    if (c->err == GBA_OK && !is_value(f->value))
        c->err = because(c->r, "FIELD_VALUE");
    c->r->n_fields++;
    c->end = value + value_n;
    return c->err == GBA_OK ? MHD_YES : MHD_NO;
}

static enum gba_err copy_header(struct httpd_request *r, const char *method,
                                const char *version, size_t header_n)
{
    int n = MHD_get_connection_values_n(r->c, MHD_HEADER_KIND, NULL, NULL);
    struct copy c = {.r = r, .end = version + strlen(version), .in_place = parses_in_place()};
    size_t method_n = strlen(method);

    if (n < 0 || n > HTTPD_FIELDS_MAX)
        return GBA_E_HEADER_TOO_LARGE;
    r->block_n = header_n + method_n;
    r->block = malloc(r->block_n + 1);
    r->fields = calloc((size_t)n + 1, sizeof(*r->fields));
    if (r->block == NULL || r->fields == NULL)
        return GBA_E_NOMEM;
    c.at = r->block;
    c.room = r->block_n;
    c.max = (size_t)n;
    r->method = copy_text(&c, method, method_n);
    (void)MHD_get_connection_values_n(r->c, MHD_HEADER_KIND, copy_field, &c);
    if (c.err == GBA_OK && c.in_place && c.end + 4 != method + header_n)
        /* CR LF CR LF, and nothing hidden before it */
        c.err = because(r, "NUL_OR_BARE_LF");
    return c.err;
}

/* --- rules ------------------------------------------------------------------------------- */

/* One space on either side of the target, and no NUL within. */
static bool is_one_line(const struct httpd_request *r, const char *method, const char *version)
{
    return !parses_in_place() ||
           (method + strlen(method) + 1 == r->raw && r->raw + r->target_n + 1 == version);
}

static enum gba_err check_target(struct httpd_request *r)
{
    struct gba_text t = httpd_target(r), scheme, rest;

    for (size_t i = 0; i < t.n; i++) {
        unsigned char c = (unsigned char)t.s[i];

        if (c <= ' ' || c >= 0x7f || c == '#')
            return because(r, "TARGET");
        if (c == '%' && t.n - i >= 3 && t.s[i + 1] == '0' && t.s[i + 2] == '0')
            return because(r, "NUL_IN_TARGET");
    }
    if (gba_text_is(t, "*") || gba_text_starts(t, "/"))
        return GBA_OK;
    gba_text_split(t, ':', &scheme, &rest);
    if ((gba_text_eq_nocase(scheme, GBA_TEXT("http")) ||
         gba_text_eq_nocase(scheme, GBA_TEXT("https"))) &&
        gba_text_starts(rest, "//"))
        return GBA_OK;
    return because(r, "TARGET");
}

static enum gba_err check_host(struct httpd_request *r, bool http_10)
{
    size_t n;
    struct gba_text host = httpd_field(r, "Host", &n);

    if (n > 1)
        return because(r, "REPEATED_HOST");
    if (n == 0 && !http_10)
        return because(r, "NO_HOST");
    for (size_t i = 0; i < host.n; i++) {
        unsigned char c = (unsigned char)host.s[i];

        if (c <= ' ' || c >= 0x7f || strchr("\"#,/<>?@\\", c) != NULL)
            return because(r, "HOST");
    }
    return GBA_OK;
}

/* RFC 9112 6.3, without its liberties. */
static enum gba_err check_length(struct httpd_request *r, bool http_10, uint64_t *length)
{
    size_t n_length, n_coding;
    struct gba_text text = httpd_field(r, "Content-Length", &n_length);
    struct gba_text coding = httpd_field(r, "Transfer-Encoding", &n_coding);

    *length = 0;
    if (n_length > 0 && n_coding > 0)
        return because(r, "CL_AND_TE");
    if (n_length > 1)
        return because(r, "REPEATED_CONTENT_LENGTH");
    if (n_coding > 1 ||
        (n_coding == 1 && (http_10 || !gba_text_eq_nocase(coding, GBA_TEXT("chunked")))))
        return because(r, "TRANSFER_ENCODING");
    if (n_length == 1 && gba_text_number(text, INT64_MAX, length) != GBA_OK)
        return because(r, "CONTENT_LENGTH");
    return GBA_OK;
}

enum gba_err httpd_gate(struct httpd_request *r, const char *method, const char *version,
                        uint64_t *length)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->c, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    bool http_10 = strcmp(version, "HTTP/1.0") == 0;
    size_t n_authorization;
    enum gba_err err;

    *length = 0;
    if (info == NULL)
        return GBA_E_NOMEM;
    if (info->header_size > r->l->conf.header_limit)
        return GBA_E_HEADER_TOO_LARGE;
    err = copy_header(r, method, version, info->header_size);
    if (err != GBA_OK)
        return err;
    (void)httpd_field(r, "Authorization", &n_authorization);
    if (n_authorization > 1)
        return because(r, "REPEATED_AUTHORIZATION");
    if (!is_token(r->method) || !is_one_line(r, method, version))
        return because(r, "REQUEST_LINE");
    if ((err = check_target(r)) != GBA_OK || (err = check_host(r, http_10)) != GBA_OK)
        return err;
    return check_length(r, http_10, length);
}
