/*
 * The device's decisions on EST: see est_client.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/est_client.h"

#include <string.h>

#include "ua/ub_client.h"

static const struct row {
    const char *target, *method, *type; /* type: of the answer */
} rows[UE_EST_N_OPS] = {
    [UE_EST_CACERTS] = {"/.well-known/est/cacerts", "GET", "application/pkcs7-mime"},
    [UE_EST_CSRATTRS] = {"/.well-known/est/csrattrs", "GET", "application/csrattrs"},
    [UE_EST_ENROL] = {"/.well-known/est/simpleenroll", "POST", "application/pkcs7-mime"},
    [UE_EST_RENEW] = {"/.well-known/est/simplereenroll", "POST", "application/pkcs7-mime"},
};

/* ------------------------------------------------------------ names */

static enum gba_err dns(const char *fqdn, struct ue_est_name *out)
{
    out->is_uri = false;
    return gba_fqdn_canonical(gba_text(fqdn), out->text) == GBA_OK ? GBA_OK : GBA_E_ARGUMENT;
}

static enum gba_err uri(const char *text, struct ue_est_name *out)
{
    out->is_uri = true;
    return gba_text_copy(out->text, sizeof(out->text), gba_text(text)) == GBA_OK
               ? GBA_OK
               : GBA_E_ARGUMENT;
}

enum gba_err ue_est_name(const char *id, const char *fqdn, struct ue_est_name *out)
{
    struct m2m_id m2m;

    memset(out, 0, sizeof(*out));
    if (m2m_is_node_id(gba_text(id)))
        return fqdn == NULL ? uri(id, out) : GBA_E_ARGUMENT;
    if (strchr(id, '/') == NULL)
        return strchr(id, '.') != NULL && fqdn == NULL ? dns(id, out) : GBA_E_ARGUMENT;
    if (m2m_entity_parse(gba_text(id), &m2m) != GBA_OK || m2m.sp.n == 0 ||
        (fqdn != NULL && m2m.ae.n != 0))
        return GBA_E_ARGUMENT;
    if (fqdn != NULL)
        return dns(fqdn, out);
    if (m2m.ae.n == 0 && m2m.cse.s[0] != 'S')
        return m2m_cse_domain(&m2m, GBA_TEXT(""), out->text) == GBA_OK ? GBA_OK
                                                                       : GBA_E_ARGUMENT;
    return uri(id, out);
}

/* ------------------------------------------------------------ requests */

enum gba_err ue_est_begin(struct ue_est_call *c, enum ue_est_op op, struct gba_bytes csr)
{
    struct gba_wbuf w;
    size_t n = 0;

    c->op = op;
    c->target = rows[op].target;
    c->why = "";
    c->retry_s = 0;
    c->n = 0;
    gba_wbuf_init(&w, c->body, sizeof(c->body));
    if (csr.n != 0) {
        gba_wbuf_base64(&w, csr);
        c->fields[n++] = (struct gba_ue_field){"Content-Type", "application/pkcs10"};
        c->fields[n++] = (struct gba_ue_field){"Content-Transfer-Encoding", "base64"};
    }
    c->fields[n++] = (struct gba_ue_field){"Accept", rows[op].type};
    c->request = (struct gba_ue_request){.method = rows[op].method,
                                         .fields = c->fields,
                                         .n_fields = n,
                                         .body = (const uint8_t *)c->body,
                                         .body_len = w.n};
    return gba_wbuf_ok(&w) ? GBA_OK : GBA_E_TOO_LONG;
}

/* ------------------------------------------------------------ replies */

static enum gba_err no(struct ue_est_call *c, enum gba_err err, const char *why)
{
    c->why = why;
    c->n = 0;
    return err;
}

static bool has_type(const struct gba_ue_reply *reply, const char *type)
{
    struct gba_text head, params;
    const char *field = gba_ue_reply_field(reply, "Content-Type", 0);

    if (field == NULL)
        return false;
    gba_text_split(gba_text(field), ';', &head, &params);
    while (head.n > 0 && (head.s[head.n - 1] == ' ' || head.s[head.n - 1] == '\t'))
        head.n--;
    return gba_text_eq_nocase(head, gba_text(type));
}

/* base64 with white space between its characters. */
static enum gba_err decode(struct ue_est_call *c, const struct gba_ue_reply *reply)
{
    uint8_t part[4];
    size_t in_part = 0, n;
    bool over = false;

    for (size_t i = 0; i < reply->body_len; i++) {
        uint8_t o = reply->body[i];

        if (o == '\n' || o == '\r' || o == ' ' || o == '\t')
            continue;
        part[in_part++] = o;
        if (in_part < 4)
            continue;
        in_part = 0;
        if (over || gba_unbase64(c->der + c->n, sizeof(c->der) - c->n,
                                 (struct gba_text){(const char *)part, 4}, &n) != GBA_OK)
            return no(c, GBA_E_PROTOCOL, "its answer is not base64, or too long");
        c->n += n;
        over = n < 3; /* padding: the end */
    }
    return in_part == 0 ? GBA_OK : no(c, GBA_E_PROTOCOL, "its answer is not base64");
}

/* The first line of an error's text, for people: printable characters only. */
static const char *keep_text(struct ue_est_call *c, const struct gba_ue_reply *reply,
                             const char *otherwise)
{
    size_t n = 0;

    if (!has_type(reply, "text/plain"))
        return otherwise;
    for (size_t i = 0; i < reply->body_len && n < sizeof(c->said) - 1; i++) {
        if (reply->body[i] < ' ' || reply->body[i] > '~')
            break;
        c->said[n++] = (char)reply->body[i];
    }
    c->said[n] = '\0';
    return n != 0 ? c->said : otherwise;
}

static enum gba_err refusal(struct ue_est_call *c, const struct gba_ue_reply *reply)
{
    const char *retry = gba_ue_reply_field(reply, "Retry-After", 0);
    uint64_t seconds = 0;

    switch (reply->status) {
    case 202:
    case 503:
        if (retry != NULL && gba_text_number(gba_text(retry), 86400, &seconds) == GBA_OK)
            c->retry_s = (unsigned)seconds;
        return no(c, GBA_E_OVERLOAD, keep_text(c, reply, "the MEF asks to come again later"));
    case 401:
    case 403:
        return no(c, GBA_E_REFUSED, keep_text(c, reply, "the MEF refuses"));
    case 404:
    case 501:
        return no(c, GBA_E_NOT_FOUND, keep_text(c, reply, "the MEF has no such operation"));
    default:
        return no(c, GBA_E_PROTOCOL, keep_text(c, reply, "the MEF does not take the request"));
    }
}

enum gba_err ue_est_answer(struct ue_est_call *c, const struct gba_ue_reply *reply)
{
    enum gba_err err;

    c->n = 0;
    c->why = "";
    if (c->op == UE_EST_CSRATTRS && (reply->status == 204 || reply->status == 404))
        return GBA_OK; /* RFC 7030 4.5.2: it has none */
    if (reply->status != 200)
        return refusal(c, reply);
    if (!has_type(reply, rows[c->op].type))
        return no(c, GBA_E_PROTOCOL, "its answer has another media type");
    err = decode(c, reply);
    if (err == GBA_OK && c->n == 0)
        err = no(c, GBA_E_PROTOCOL, "its answer is empty");
    return err;
}

/* ------------------------------------------------------------ CsrAttrs */

/* One element off the front: tag and content.  False: no DER, or longer than what is there. */
static bool element(struct gba_bytes *rest, uint8_t *tag, struct gba_bytes *content)
{
    size_t head = 2, n;

    if (rest->n < 2)
        return false;
    n = rest->p[1];
    if (n >= 0x80) {
        size_t more = n & 0x7f;

        if (more == 0 || more > 2 || rest->n < 2 + more)
            return false;
        head += more;
        n = more == 1 ? rest->p[2] : (size_t)(rest->p[2] << 8 | rest->p[3]);
    }
    if (rest->n - head < n)
        return false;
    *tag = rest->p[0];
    *content = (struct gba_bytes){rest->p + head, n};
    *rest = (struct gba_bytes){rest->p + head + n, rest->n - head - n};
    return true;
}

enum gba_err ue_est_wants_link(struct gba_bytes csrattrs, bool *link)
{
    static const uint8_t challenge_password[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 7};
    struct gba_bytes list, item;
    uint8_t tag;

    *link = false;
    if (csrattrs.n == 0)
        return GBA_OK;
    if (!element(&csrattrs, &tag, &list) || tag != 0x30 || csrattrs.n != 0)
        return GBA_E_PROTOCOL;
    while (list.n != 0) {
        if (!element(&list, &tag, &item) || (tag != 0x06 && tag != 0x30))
            return GBA_E_PROTOCOL;
        if (tag == 0x06 && item.n == sizeof(challenge_password) &&
            memcmp(item.p, challenge_password, item.n) == 0)
            *link = true;
    }
    return GBA_OK;
}
