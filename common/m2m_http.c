/*
 * The HTTP binding, server's side: TS-0009 6.  A request is read in steps, each of which fills
 * its part of the primitive, so that even a refused one can be answered in its own form; the
 * first refusal is the answer.  The client's side is common/m2m_http_client.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_http_form.h"

#include <string.h>

/* --- fields ----------------------------------------------------------------------------- */

struct gba_text m2m_http_trim(struct gba_text t)
{
    while (t.n != 0 && (t.s[0] == ' ' || t.s[0] == '\t'))
        t = (struct gba_text){t.s + 1, t.n - 1};
    while (t.n != 0 && (t.s[t.n - 1] == ' ' || t.s[t.n - 1] == '\t'))
        t.n--;
    return t;
}

/* The next "a", "b" of "a; b": *rest moves on. */
static struct gba_text next_part(struct gba_text *rest, char separator)
{
    struct gba_text head;

    gba_text_split(*rest, separator, &head, rest);
    return m2m_http_trim(head);
}

static struct gba_text unquoted(struct gba_text t)
{
    if (t.n >= 2 && t.s[0] == '"' && t.s[t.n - 1] == '"')
        return (struct gba_text){t.s + 1, t.n - 2};
    return t;
}

/* --- steps ------------------------------------------------------------------------------ */

static enum m2m_rsc read_method(const struct m2m_http_request *in, struct m2m_request *out)
{
    static const struct {
        const char *method;
        enum m2m_op op;
    } rows[] = {
        {"POST", M2M_OP_CREATE}, /* or NOTIFY, if no ty comes with the content */
        {"GET", M2M_OP_RETRIEVE},
        {"PUT", M2M_OP_UPDATE},
        {"DELETE", M2M_OP_DELETE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (gba_text_is(in->method, rows[i].method)) {
            out->op = rows[i].op;
            return M2M_RSC_OK;
        }
    return m2m_request_refuse(out, M2M_RSC_OPERATION_NOT_ALLOWED,
                              "no method of this binding: POST, GET, PUT and DELETE are");
}

static enum m2m_rsc read_rqi(const struct m2m_http_request *in, struct m2m_request *out)
{
    return m2m_request_take_rqi(out, in->ri);
}

static enum m2m_rsc read_rvi(const struct m2m_http_request *in, struct m2m_request *out)
{
    return m2m_request_take_rvi(out, in->rvi);
}

static enum m2m_rsc read_origin(const struct m2m_http_request *in, struct m2m_request *out)
{
    return m2m_request_take_fr(out, in->origin);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* A coded '/' would change the segments, a control character the log: both refused. */
static bool decode(struct gba_text t, struct gba_wbuf *w)
{
    for (size_t i = 0; i < t.n; i++) {
        char c = t.s[i];

        if (c == '%') {
            int hi = i + 2 < t.n ? hex_digit(t.s[i + 1]) : -1;
            int lo = i + 2 < t.n ? hex_digit(t.s[i + 2]) : -1;

            if (hi < 0 || lo < 0)
                return false;
            c = (char)(hi << 4 | lo);
            i += 2;
            if (c == '/')
                return false;
        }
        if ((unsigned char)c <= ' ' || (unsigned char)c >= 0x7f)
            return false;
        gba_wbuf_u8(w, (uint8_t)c);
    }
    return gba_wbuf_ok(w);
}

bool m2m_http_is_path(struct gba_text path)
{
    return gba_text_is(path, "/-") || gba_text_starts(path, "/-/") ||
           gba_text_starts(path, "/_/") || gba_text_starts(path, "/~/");
}

/* TS-0009 6.2.3: "/_" stands for the "/" before an Absolute, "/~" before an SP-relative. */
enum m2m_rsc m2m_http_path_read(struct gba_text path, char to[static M2M_TO_SIZE])
{
    size_t skip = gba_text_starts(path, "/-") ? 1 : 2;
    struct gba_wbuf w;

    to[0] = '\0';
    if (!m2m_http_is_path(path))
        return M2M_RSC_NOT_FOUND;
    gba_wbuf_init(&w, to, M2M_TO_SIZE);
    if (gba_text_starts(path, "/_"))
        gba_wbuf_str(&w, "/");
    if (!decode((struct gba_text){path.s + skip, path.n - skip}, &w) ||
        gba_wbuf_cstr(&w)[0] == '\0') {
        to[0] = '\0';
        return M2M_RSC_BAD_REQUEST;
    }
    return M2M_RSC_OK;
}

static enum m2m_rsc read_path(const struct m2m_http_request *in, struct m2m_request *out)
{
    enum m2m_rsc rsc = m2m_http_path_read(in->path, out->to);

    return rsc == M2M_RSC_OK ? rsc : m2m_request_refuse(out, rsc, "bad path");
}

bool m2m_http_media_type(struct gba_text t, enum m2m_format *format, bool *vendor)
{
    for (unsigned i = 0; i < 4; i++)
        if (gba_text_eq_nocase(t, gba_text(m2m_http_type((enum m2m_format)(i / 2), i % 2)))) {
            *format = (enum m2m_format)(i / 2);
            *vendor = i % 2 != 0;
            return true;
        }
    return false;
}

const char *m2m_http_type(enum m2m_format format, bool vendor)
{
    static const char *const names[2][2] = {
        [M2M_JSON] = {"application/json", "application/vnd.onem2m-res+json"},
        [M2M_XML] = {"application/xml", "application/vnd.onem2m-res+xml"},
    };

    return names[format][vendor];
}

static enum m2m_rsc read_parameter(struct gba_text p, struct m2m_request *out)
{
    struct gba_text name, value;
    uint64_t ty;

    gba_text_split(p, '=', &name, &value);
    name = m2m_http_trim(name);
    value = unquoted(m2m_http_trim(value));
    if (gba_text_eq_nocase(name, GBA_TEXT("charset")))
        return gba_text_eq_nocase(value, GBA_TEXT("utf-8"))
                   ? M2M_RSC_OK
                   : m2m_request_refuse(out, M2M_RSC_UNSUPPORTED_MEDIA_TYPE,
                                        "Content-Type: another charset than utf-8");
    if (!gba_text_eq_nocase(name, GBA_TEXT("ty")))
        return M2M_RSC_OK;
    if (out->ty != 0 || gba_text_number(value, UINT16_MAX, &ty) != GBA_OK || ty == 0)
        return m2m_request_refuse(out, M2M_RSC_BAD_REQUEST, "Content-Type: bad or repeated ty");
    out->ty = (unsigned)ty;
    return M2M_RSC_OK;
}

static enum m2m_rsc read_content(const struct m2m_http_request *in, struct m2m_request *out)
{
    struct gba_text rest = in->content_type;
    enum m2m_rsc rsc = M2M_RSC_OK;
    bool vendor;

    if (out->op == M2M_OP_RETRIEVE || out->op == M2M_OP_DELETE)
        return M2M_RSC_OK;
    if (!m2m_http_media_type(next_part(&rest, ';'), &out->format, &vendor))
        return m2m_request_refuse(out, M2M_RSC_UNSUPPORTED_MEDIA_TYPE,
                                  "Content-Type: JSON and XML are taken");
    while (rest.n != 0 && rsc == M2M_RSC_OK)
        rsc = read_parameter(next_part(&rest, ';'), out);
    if (rsc != M2M_RSC_OK)
        return rsc;
    if (out->op == M2M_OP_CREATE && out->ty == 0)
        out->op = M2M_OP_NOTIFY;
    out->pc = in->body;
    return out->pc.n != 0 ? M2M_RSC_OK
                          : m2m_request_refuse(out, M2M_RSC_BAD_REQUEST, "no content");
}

/* q of a media range in thousandths; RFC 9110 12.4.2. */
static unsigned quality(struct gba_text parameters)
{
    while (parameters.n != 0) {
        struct gba_text name, value, p = next_part(&parameters, ';');
        unsigned q = 0, scale = 100;

        gba_text_split(p, '=', &name, &value);
        if (!gba_text_eq_nocase(m2m_http_trim(name), GBA_TEXT("q")))
            continue;
        value = m2m_http_trim(value);
        if (value.n == 0 || value.s[0] != '0')
            return 1000;
        for (size_t i = 2; i < value.n && i < 5; i++, scale /= 10)
            if (value.s[i] >= '0' && value.s[i] <= '9')
                q += (unsigned)(value.s[i] - '0') * scale;
        return q;
    }
    return 1000;
}

/* Our four types; q of each, -1 where no range spoke of it yet. */
static void weigh(struct gba_text range, int q[2][2])
{
    struct gba_text parameters = range, type = next_part(&parameters, ';');
    bool any = gba_text_is(type, "*/*") || gba_text_eq_nocase(type, GBA_TEXT("application/*"));
    int weight = (int)quality(parameters);

    for (unsigned f = 0; f < 2; f++)
        for (unsigned v = 0; v < 2; v++) {
            const char *name = m2m_http_type((enum m2m_format)f, v != 0);

            if (gba_text_eq_nocase(type, gba_text(name)) || (any && q[f][v] < 0))
                q[f][v] = weight;
        }
}

static bool is_of(struct gba_text type, struct gba_text syntax)
{
    return type.n >= syntax.n &&
           gba_text_eq_nocase((struct gba_text){type.s + type.n - syntax.n, syntax.n}, syntax);
}

bool m2m_http_prefers_xml(struct gba_text accept)
{
    unsigned xml = 0, json = 0;

    while (accept.n != 0) {
        struct gba_text range = next_part(&accept, ','), type = next_part(&range, ';');
        unsigned q = quality(range);

        if (is_of(type, GBA_TEXT("xml")) && q > xml)
            xml = q;
        if (is_of(type, GBA_TEXT("json")) && q > json)
            json = q;
    }
    return xml > json;
}

/* No Accept: the format of the content, else JSON. */
static enum m2m_rsc read_accept(const struct m2m_http_request *in, struct m2m_request *out)
{
    int q[2][2] = {{-1, -1}, {-1, -1}}, best[2];
    struct gba_text rest = in->accept;
    unsigned chosen = out->format, other = 1 - chosen;

    out->answer_in = out->format;
    if (in->accept.n == 0)
        return M2M_RSC_OK;
    while (rest.n != 0)
        weigh(next_part(&rest, ','), q);
    for (unsigned f = 0; f < 2; f++)
        best[f] = q[f][0] > q[f][1] ? q[f][0] : q[f][1];
    if (best[other] > best[chosen])
        chosen = other;
    if (best[chosen] <= 0)
        return m2m_request_refuse(out, M2M_RSC_NOT_ACCEPTABLE,
                                  "Accept: JSON and XML are given");
    out->answer_in = (enum m2m_format)chosen;
    out->vendor_type = q[chosen][0] < q[chosen][1];
    return M2M_RSC_OK;
}

static enum m2m_rsc read_query(const struct m2m_http_request *in, struct m2m_request *out)
{
    struct gba_text rest = in->query;

    while (rest.n != 0) {
        enum m2m_rsc rsc = m2m_request_take_parameter(out, next_part(&rest, '&'));

        if (rsc != M2M_RSC_OK)
            return rsc;
    }
    return M2M_RSC_OK;
}

enum m2m_rsc m2m_http_request_read(const struct m2m_http_request *in, struct m2m_request *out)
{
    static enum m2m_rsc (*const steps[])(const struct m2m_http_request *,
                                         struct m2m_request *) = {
        read_method, read_path,    read_rqi,    read_rvi,
        read_origin, read_content, read_accept, read_query,
    };
    enum m2m_rsc first = M2M_RSC_OK;

    *out = (struct m2m_request){.rcn = M2M_RCN_DEFAULT};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        enum m2m_rsc rsc = steps[i](in, out);

        if (first == M2M_RSC_OK)
            first = rsc;
    }
    return first;
}

/* --- replies ---------------------------------------------------------------------------- */

struct gba_wbuf m2m_http_new_field(struct m2m_http_field *field, size_t *n, const char *name)
{
    struct gba_wbuf w;

    field[*n].name = name;
    gba_wbuf_init(&w, field[*n].value, sizeof(field[*n].value));
    ++*n;
    return w;
}

void m2m_http_text_field(struct m2m_http_field *field, size_t *n, const char *name,
                         const char *value)
{
    struct gba_wbuf w;

    if (value[0] == '\0')
        return;
    w = m2m_http_new_field(field, n, name);
    gba_wbuf_str(&w, value);
    gba_wbuf_cstr(&w);
}

void m2m_http_path(const char *to, struct gba_wbuf *w)
{
    struct gba_text t = gba_text(to);

    if (gba_text_starts(t, "//")) {
        gba_wbuf_str(w, "/_");
        t = (struct gba_text){t.s + 1, t.n - 1};
    } else {
        gba_wbuf_str(w, gba_text_starts(t, "/") ? "/~" : "/");
    }
    for (size_t i = 0; i < t.n; i++) {
        uint8_t c = (uint8_t)t.s[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~/", c) != NULL);

        if (plain) {
            gba_wbuf_u8(w, c);
        } else {
            char hex[3];

            gba_hex_upper(hex, (struct gba_bytes){&c, 1});
            gba_wbuf_str(w, "%");
            gba_wbuf_str(w, hex);
        }
    }
}

void m2m_http_response_print(const struct m2m_response *rs, struct m2m_http_reply *out)
{
    struct gba_wbuf w;

    out->status = m2m_rsc_http(rs->rsc);
    out->content_type = rs->pc.n != 0 ? m2m_http_type(rs->format, rs->vendor_type) : NULL;
    out->n_fields = 0;
    w = m2m_http_new_field(out->field, &out->n_fields, M2M_H_RSC);
    gba_wbuf_number(&w, rs->rsc);
    gba_wbuf_cstr(&w);
    m2m_http_text_field(out->field, &out->n_fields, M2M_H_RI, rs->rqi);
    m2m_http_text_field(out->field, &out->n_fields, M2M_H_RVI, rs->rvi);
    if (rs->location[0] != '\0') {
        w = m2m_http_new_field(out->field, &out->n_fields, "Content-Location");
        m2m_http_path(rs->location, &w);
        gba_wbuf_cstr(&w);
    }
}
