/*
 * The CoAP binding, server's side: TS-0008 6.  As in common/m2m_http.c a request is read in
 * steps, so that even a refused one can be answered in its own form; the first refusal is the
 * answer.  The client's side is common/m2m_coap_client.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_coap_form.h"

#include <string.h>

/* --- options ---------------------------------------------------------------------------- */

#define OPTION_REPEATS 1u
#define OPTION_PROXY   2u /* asks for what we are not */
#define OPTION_ONCE    4u /* elective, but two of them would be two meanings */

static const struct rule {
    uint16_t number, shortest, longest;
    unsigned flags;
} rules[] = {{COAP_URI_HOST, 1, 255, 0},
             {COAP_URI_PORT, 0, 2, 0},
             {COAP_LOCATION_PATH, 0, 255, OPTION_REPEATS},
             {COAP_URI_PATH, 0, 255, OPTION_REPEATS},
             {COAP_CONTENT_FORMAT, 0, 2, OPTION_ONCE},
             {COAP_URI_QUERY, 0, 255, OPTION_REPEATS},
             {COAP_ACCEPT, 0, 2, 0},
             {COAP_BLOCK2, 0, 3, 0},
             {COAP_BLOCK1, 0, 3, 0},
             {COAP_PROXY_URI, 1, 1034, OPTION_PROXY},
             {COAP_PROXY_SCHEME, 1, 255, OPTION_PROXY},
#define X(name, number, shortest, longest) {(number), (shortest), (longest), 0},
             M2M_COAP_OPTION_TABLE(X)
#undef X
};

static const struct rule *rule_of(uint16_t number)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].number == number)
            return &rules[i];
    return NULL;
}

static uint8_t check_option(const struct coap_option *o, bool repeated)
{
    const struct rule *r = rule_of(o->number);
    bool counts = COAP_IS_CRITICAL(o->number) || (r != NULL && (r->flags & OPTION_ONCE) != 0);

    if (!counts)
        return 0;
    if (r == NULL || o->value.n < r->shortest || o->value.n > r->longest ||
        (repeated && (r->flags & OPTION_REPEATS) == 0))
        return COAP_BAD_OPTION;
    return (r->flags & OPTION_PROXY) != 0 ? COAP_NO_PROXYING : 0;
}

uint8_t m2m_coap_check(const struct coap_message *m)
{
    for (size_t i = 0; i < m->n_options; i++) {
        bool repeated = i > 0 && m->option[i - 1].number == m->option[i].number;
        uint8_t code = check_option(&m->option[i], repeated);

        if (code != 0)
            return code;
    }
    return 0;
}

struct gba_text m2m_coap_find_text(const struct coap_message *in, uint16_t number)
{
    const struct coap_option *o = coap_message_find(in, number);

    return o != NULL ? gba_bytes_text(o->value) : (struct gba_text){"", 0};
}

enum gba_err m2m_coap_text(struct coap_message *out, uint16_t number, const char *text)
{
    const struct rule *r = rule_of(number);
    struct gba_text t = gba_text(text);

    if (t.n == 0)
        return GBA_OK;
    if (r == NULL || t.n < r->shortest || t.n > r->longest || !m2m_is_plain(t))
        return GBA_E_ARGUMENT;
    return coap_message_add(out, number, gba_text_bytes(t));
}

/* --- formats ---------------------------------------------------------------------------- */

uint16_t m2m_coap_format(enum m2m_format format, bool vendor)
{
    static const uint16_t numbers[2][2] = {[M2M_JSON] = {50, 10001}, [M2M_XML] = {41, 10014}};

    return numbers[format][vendor];
}

bool m2m_coap_format_read(uint32_t number, enum m2m_format *format, bool *vendor)
{
    for (unsigned i = 0; i < 4; i++)
        if (m2m_coap_format((enum m2m_format)(i / 2), i % 2 != 0) == number) {
            *format = (enum m2m_format)(i / 2);
            *vendor = i % 2 != 0;
            return true;
        }
    return false;
}

/* --- codes ------------------------------------------------------------------------------ */

uint8_t m2m_rsc_coap(unsigned rsc, enum m2m_op op)
{
    static const struct {
        unsigned rsc;
        uint8_t code;
    } rows[] = {
        {M2M_RSC_ACCEPTED, COAP_CREATED},
        {M2M_RSC_OK, COAP_CONTENT},
        {M2M_RSC_CREATED, COAP_CREATED},
        {M2M_RSC_DELETED, COAP_DELETED},
        {M2M_RSC_UPDATED, COAP_CHANGED},
        {M2M_RSC_BAD_REQUEST, COAP_BAD_REQUEST},
        {M2M_RSC_RELEASE_VERSION_NOT_SUPPORTED, COAP_NOT_IMPLEMENTED},
        {M2M_RSC_NOT_FOUND, COAP_NOT_FOUND},
        {M2M_RSC_OPERATION_NOT_ALLOWED, COAP_NOT_ALLOWED},
        {M2M_RSC_REQUEST_TIMEOUT, COAP_GATEWAY_TIMEOUT},
        {M2M_RSC_UNSUPPORTED_MEDIA_TYPE, COAP_UNSUPPORTED_FORMAT},
        {M2M_RSC_CONTENTS_UNACCEPTABLE, COAP_BAD_REQUEST},
        {M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE, COAP_FORBIDDEN},
        {M2M_RSC_CONFLICT, COAP_FORBIDDEN},
        {M2M_RSC_ORIGINATOR_HAS_NOT_REGISTERED, COAP_FORBIDDEN},
        {M2M_RSC_SECURITY_ASSOCIATION_REQUIRED, COAP_FORBIDDEN},
        {M2M_RSC_INVALID_CHILD_RESOURCE_TYPE, COAP_FORBIDDEN},
        {M2M_RSC_ORIGINATOR_HAS_ALREADY_REGISTERED, COAP_FORBIDDEN},
        {M2M_RSC_APP_RULE_VALIDATION_FAILED, COAP_FORBIDDEN},
        {M2M_RSC_OPERATION_DENIED_BY_REMOTE_ENTITY, COAP_FORBIDDEN},
        {M2M_RSC_INTERNAL_SERVER_ERROR, COAP_INTERNAL_ERROR},
        {M2M_RSC_NOT_IMPLEMENTED, COAP_NOT_IMPLEMENTED},
        {M2M_RSC_TARGET_NOT_REACHABLE, COAP_NOT_FOUND},
        {M2M_RSC_RECEIVER_HAS_NO_PRIVILEGE, COAP_FORBIDDEN},
        {M2M_RSC_ALREADY_EXISTS, COAP_BAD_REQUEST},
        {M2M_RSC_REMOTE_ENTITY_NOT_REACHABLE, COAP_NOT_FOUND},
        {M2M_RSC_NON_BLOCKING_REQUEST_NOT_SUPPORTED, COAP_NOT_IMPLEMENTED},
        {M2M_RSC_NOT_ACCEPTABLE, COAP_NOT_ACCEPTABLE},
    };

    if (rsc == M2M_RSC_OK && op == M2M_OP_NOTIFY)
        return COAP_CHANGED;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].rsc == rsc)
            return rows[i].code;
    return COAP_INTERNAL_ERROR;
}

/* --- paths ------------------------------------------------------------------------------ */

/* What "_" and "~" stand for (6.2.2.3); this MEF's own base is "-". */
static bool read_scope(struct gba_text segment, struct gba_wbuf *w)
{
    if (gba_text_is(segment, "_"))
        gba_wbuf_str(w, "//");
    else if (gba_text_is(segment, "~"))
        gba_wbuf_str(w, "/");
    else if (gba_text_is(segment, "-"))
        gba_wbuf_str(w, "-");
    else
        return false;
    return true;
}

enum m2m_rsc m2m_coap_path_read(const struct coap_message *in, uint16_t number,
                                char to[static M2M_TO_SIZE])
{
    struct gba_wbuf w;
    size_t n = 0;

    to[0] = '\0';
    gba_wbuf_init(&w, to, M2M_TO_SIZE);
    for (size_t i = 0; i < in->n_options; i++) {
        struct gba_text segment = gba_bytes_text(in->option[i].value);

        if (in->option[i].number != number)
            continue;
        if (!m2m_is_plain(segment) ||
            (segment.n != 0 && memchr(segment.s, '/', segment.n) != NULL)) {
            to[0] = '\0';
            return M2M_RSC_BAD_REQUEST;
        }
        if (n == 0 && !read_scope(segment, &w))
            return M2M_RSC_NOT_FOUND;
        if (n > 1 || (n == 1 && to[0] == '-'))
            gba_wbuf_str(&w, "/");
        if (n++ > 0)
            gba_wbuf_text(&w, segment);
    }
    if (gba_wbuf_cstr(&w)[0] == '\0' || !gba_wbuf_ok(&w)) {
        to[0] = '\0';
        return n == 0 ? M2M_RSC_NOT_FOUND : M2M_RSC_BAD_REQUEST;
    }
    return n > 1 || to[0] == '-' ? M2M_RSC_OK : M2M_RSC_NOT_FOUND;
}

enum gba_err m2m_coap_path_print(const char *to, uint16_t number, struct coap_message *out)
{
    struct gba_text rest = gba_text(to), segment;
    enum gba_err err = GBA_OK;
    bool more = true;

    if (gba_text_starts(rest, "//")) {
        err = coap_message_add(out, number, gba_text_bytes(GBA_TEXT("_")));
        rest = (struct gba_text){rest.s + 2, rest.n - 2};
    } else if (gba_text_starts(rest, "/")) {
        err = coap_message_add(out, number, gba_text_bytes(GBA_TEXT("~")));
        rest = (struct gba_text){rest.s + 1, rest.n - 1};
    }
    while (err == GBA_OK && more) {
        more = gba_text_split(rest, '/', &segment, &rest);
        if (segment.n > 255 || !m2m_is_plain(segment))
            return GBA_E_ARGUMENT;
        err = coap_message_add(out, number, gba_text_bytes(segment));
    }
    return err;
}

/* --- steps ------------------------------------------------------------------------------ */

static enum m2m_rsc read_code(const struct coap_message *in, struct m2m_request *out)
{
    switch (in->code) {
    case COAP_POST: /* CREATE; NOTIFY, if no TY comes with it */
        out->op = coap_message_find(in, M2M_COAP_TY) != NULL ? M2M_OP_CREATE : M2M_OP_NOTIFY;
        return M2M_RSC_OK;
    case COAP_GET:
        out->op = M2M_OP_RETRIEVE;
        return M2M_RSC_OK;
    case COAP_PUT:
        out->op = M2M_OP_UPDATE;
        return M2M_RSC_OK;
    case COAP_DELETE:
        out->op = M2M_OP_DELETE;
        return M2M_RSC_OK;
    default:
        return m2m_request_refuse(out, M2M_RSC_OPERATION_NOT_ALLOWED,
                                  "no method of this binding: POST, GET, PUT and DELETE are");
    }
}

static enum m2m_rsc read_path(const struct coap_message *in, struct m2m_request *out)
{
    enum m2m_rsc rsc = m2m_coap_path_read(in, COAP_URI_PATH, out->to);

    return rsc == M2M_RSC_OK ? rsc : m2m_request_refuse(out, rsc, "bad path");
}

static enum m2m_rsc read_rqi(const struct coap_message *in, struct m2m_request *out)
{
    return m2m_request_take_rqi(out, m2m_coap_find_text(in, M2M_COAP_RQI));
}

static enum m2m_rsc read_rvi(const struct coap_message *in, struct m2m_request *out)
{
    return m2m_request_take_rvi(out, m2m_coap_find_text(in, M2M_COAP_RVI));
}

static enum m2m_rsc read_fr(const struct coap_message *in, struct m2m_request *out)
{
    return m2m_request_take_fr(out, m2m_coap_find_text(in, M2M_COAP_FR));
}

/* The operation in the query: a request that may be answered later says it so, with POST
 * (6.2.1); else it must be what the method says.  A number that is none's has the code of an
 * unknown method. */
static enum m2m_rsc read_op(const struct coap_message *in, struct gba_text value,
                            struct m2m_request *out)
{
    uint64_t op;

    if (gba_text_number(value, UINT32_MAX, &op) == GBA_OK && (op == 0 || op > M2M_OP_NOTIFY))
        return m2m_request_refuse(out, M2M_RSC_OPERATION_NOT_ALLOWED, "op: no such operation");
    if (gba_text_number(value, M2M_OP_NOTIFY, &op) != GBA_OK ||
        (in->code != COAP_POST && op != out->op))
        return m2m_request_refuse(out, M2M_RSC_BAD_REQUEST, "op: not what the method says");
    out->op = (enum m2m_op)op;
    return M2M_RSC_OK;
}

static enum m2m_rsc read_query(const struct coap_message *in, struct m2m_request *out)
{
    enum m2m_rsc rsc = M2M_RSC_OK;
    bool op_seen = false;

    for (size_t i = 0; rsc == M2M_RSC_OK && i < in->n_options; i++) {
        struct gba_text p = gba_bytes_text(in->option[i].value);

        if (in->option[i].number != COAP_URI_QUERY)
            continue;
        if (!gba_text_starts(p, "op=")) {
            rsc = m2m_request_take_parameter(out, p);
        } else {
            rsc = op_seen ? m2m_request_refuse(out, M2M_RSC_BAD_REQUEST, "op: repeated")
                          : read_op(in, (struct gba_text){p.s + 3, p.n - 3}, out);
            op_seen = true;
        }
    }
    return rsc;
}

static enum m2m_rsc read_ty(const struct coap_message *in, struct m2m_request *out)
{
    const struct coap_option *o = coap_message_find(in, M2M_COAP_TY);
    uint32_t ty = 0;

    if (o != NULL && (coap_number_read(o->value, UINT16_MAX, &ty) != GBA_OK || ty == 0))
        return m2m_request_refuse(out, M2M_RSC_BAD_REQUEST, "bad resource type");
    out->ty = out->op == M2M_OP_CREATE ? ty : 0;
    return M2M_RSC_OK;
}

static enum m2m_rsc read_content(const struct coap_message *in, struct m2m_request *out)
{
    const struct coap_option *o = coap_message_find(in, COAP_CONTENT_FORMAT);
    uint32_t number;
    bool vendor;

    if (out->op == M2M_OP_RETRIEVE || out->op == M2M_OP_DELETE)
        return M2M_RSC_OK;
    if (o == NULL || coap_number_read(o->value, UINT16_MAX, &number) != GBA_OK ||
        !m2m_coap_format_read(number, &out->format, &vendor))
        return m2m_request_refuse(out, M2M_RSC_UNSUPPORTED_MEDIA_TYPE,
                                  "Content-Format: JSON and XML are taken");
    out->pc = in->payload;
    return out->pc.n != 0 ? M2M_RSC_OK
                          : m2m_request_refuse(out, M2M_RSC_BAD_REQUEST, "no content");
}

/* No Accept: the format of the content, else JSON. */
static enum m2m_rsc read_accept(const struct coap_message *in, struct m2m_request *out)
{
    const struct coap_option *o = coap_message_find(in, COAP_ACCEPT);
    uint32_t number;

    out->answer_in = out->format;
    if (o == NULL)
        return M2M_RSC_OK;
    if (coap_number_read(o->value, UINT16_MAX, &number) != GBA_OK ||
        !m2m_coap_format_read(number, &out->answer_in, &out->vendor_type))
        return m2m_request_refuse(out, M2M_RSC_NOT_ACCEPTABLE,
                                  "Accept: JSON and XML are given");
    return M2M_RSC_OK;
}

enum m2m_rsc m2m_coap_request_read(const struct coap_message *in, struct m2m_request *out)
{
    static enum m2m_rsc (*const steps[])(const struct coap_message *, struct m2m_request *) = {
        read_code,  read_path, read_rqi,     read_rvi,    read_fr,
        read_query, read_ty,   read_content, read_accept,
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

/* The RSC is said always, though some codes would do alone (6.2.4); no answer of Mmef may be
 * kept by a cache (6.4). */
enum gba_err m2m_coap_response_print(const struct m2m_response *rs, enum m2m_op op,
                                     struct coap_message *out)
{
    enum gba_err err = GBA_OK;

    out->code = m2m_rsc_coap(rs->rsc, op);
    if (rs->location[0] != '\0')
        err = m2m_coap_path_print(rs->location, COAP_LOCATION_PATH, out);
    if (err == GBA_OK && rs->pc.n != 0)
        err = coap_message_add_number(out, COAP_CONTENT_FORMAT,
                                      m2m_coap_format(rs->format, rs->vendor_type));
    if (err == GBA_OK)
        err = coap_message_add_number(out, COAP_MAX_AGE, 0);
    if (err == GBA_OK)
        err = m2m_coap_text(out, M2M_COAP_RVI, rs->rvi);
    if (err == GBA_OK)
        err = m2m_coap_text(out, M2M_COAP_RQI, rs->rqi);
    if (err == GBA_OK)
        err = coap_message_add_number(out, M2M_COAP_RSC, rs->rsc);
    out->payload = rs->pc;
    return err;
}
