/*
 * The MEF's decisions on EST: see est.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/est.h"

#include <string.h>

#include "common/secret.h"
#include "naf/est_der.h"
#include "naf/mef_audit.h"

#define SAN_SIZE (M2M_ID_SIZE + 8)
#define LINE     64 /* characters of base64; LF, which every decoder takes */

typedef enum gba_err est_action(const struct est *e, const struct est_client *c,
                                const struct est_request *rq, struct est_call *out);

static est_action cacerts, csrattrs, simpleenroll, simplereenroll;

static const struct est_row {
    const char *name, *method;
    est_action *act;
} rows[EST_N_OPS] = {
    [EST_CACERTS] = {"cacerts", "GET", cacerts},
    [EST_CSRATTRS] = {"csrattrs", "GET", csrattrs},
    [EST_SIMPLEENROLL] = {"simpleenroll", "POST", simpleenroll},
    [EST_SIMPLEREENROLL] = {"simplereenroll", "POST", simplereenroll},
};

static enum gba_err no(struct est_call *call, enum gba_err err, const char *why)
{
    call->why = why;
    return err;
}

/* ------------------------------------------------------------ names */

static bool add_dns(const char *fqdn, enum mef_cert_profile profile, struct est_name *out)
{
    *out = (struct est_name){.name.type = MEF_NAME_DNS, .profile = profile};
    return gba_fqdn_canonical(gba_text(fqdn), out->name.text) == GBA_OK;
}

static bool add_uri(const char *uri, enum mef_cert_profile profile, struct est_name *out)
{
    *out = (struct est_name){.name.type = MEF_NAME_URI, .profile = profile};
    return gba_text_copy(out->name.text, sizeof(out->name.text), gba_text(uri)) == GBA_OK;
}

static bool add_cse(const char *fqdn, const struct m2m_id *id, struct est_name *out)
{
    char made[GBA_FQDN_SIZE];

    if (fqdn != NULL)
        return add_dns(fqdn, MEF_CERT_CSE, out);
    return m2m_cse_domain(id, GBA_TEXT(""), made) == GBA_OK && add_dns(made, MEF_CERT_CSE, out);
}

size_t est_names(const char *text, const char *fqdn, struct est_name out[static EST_NAMES_MAX])
{
    struct m2m_id id;
    size_t n = 0;

    if (strchr(text, '/') == NULL)
        return strchr(text, '.') != NULL && add_dns(text, MEF_CERT_FQDN, &out[0]);
    if (m2m_entity_parse(gba_text(text), &id) != GBA_OK || id.sp.n == 0)
        return 0;
    if (id.ae.n != 0 || (fqdn == NULL && id.cse.s[0] == 'S'))
        n += add_uri(text, MEF_CERT_AE, &out[n]);
    if (id.ae.n == 0)
        n += add_cse(fqdn, &id, &out[n]);
    return n;
}

static enum gba_err registry_fails(struct est_call *call, enum gba_err err)
{
    return no(call, err, "the registry cannot be asked");
}

/* Of a CSE with a row as a target, that says its domain name. */
static enum gba_err names_of(const struct est *e, const struct mef_client *c,
                             struct est_call *call, struct est_name out[static EST_NAMES_MAX],
                             size_t *n)
{
    struct mef_target row = c->target;
    enum gba_err err = c->is_target ? GBA_OK : mef_find_target(e->mef, gba_text(c->id), &row);

    if (err != GBA_OK && err != GBA_E_NOT_FOUND)
        return registry_fails(call, err);
    *n = est_names(c->id, err == GBA_OK && !row.is_maf ? row.fqdn : NULL, out);
    return GBA_OK;
}

/* ------------------------------------------------------------ answers */

static void put_lines(struct gba_bytes der, struct gba_wbuf *w)
{
    const size_t part = LINE / 4 * 3;

    for (size_t at = 0; at < der.n; at += part) {
        gba_wbuf_base64(w,
                        (struct gba_bytes){der.p + at, der.n - at < part ? der.n - at : part});
        gba_wbuf_u8(w, '\n');
    }
}

/* RFC 7030 4.1.3, 4.2.3, 4.5.2: base64, whatever the media type. */
static enum gba_err answer(struct est_call *call, const struct gba_wbuf *der, const char *type)
{
    struct gba_wbuf w;

    gba_wbuf_init(&w, call->text, sizeof(call->text));
    put_lines(gba_wbuf_bytes(der), &w);
    if (!gba_wbuf_ok(der) || !gba_wbuf_ok(&w))
        return no(call, GBA_E_CONFIG, "the answer is too long");
    call->content_type = type;
    call->body = gba_wbuf_bytes(&w);
    return GBA_OK;
}

static enum gba_err answer_certs(struct est_call *call, const struct gba_bytes *certs, size_t n)
{
    uint8_t der[EST_BODY_MAX / 4 * 3];
    struct gba_wbuf w;

    gba_wbuf_init(&w, der, sizeof(der));
    est_der_certs_only(certs, n, &w);
    return answer(call, &w, "application/pkcs7-mime; smime-type=certs-only");
}

static enum gba_err cacerts(const struct est *e, const struct est_client *c,
                            const struct est_request *rq, struct est_call *out)
{
    struct gba_bytes certs[2 * MEF_CA_CERTS];
    size_t n = 0;

    (void)c, (void)rq; /* for whoever comes so far: RFC 7030 4.1 */
    while (n < MEF_CA_CERTS && e->ca->certs(e->ca, n).n != 0) {
        certs[n] = e->ca->certs(e->ca, n);
        n++;
    }
    for (size_t i = 0; i < e->n_anchors; i++)
        certs[n++] = e->anchors[i];
    return answer_certs(out, certs, n);
}

static enum gba_err csrattrs(const struct est *e, const struct est_client *c,
                             const struct est_request *rq, struct est_call *out)
{
    struct est_name names[EST_NAMES_MAX];
    uint8_t der[1024];
    struct gba_wbuf w;
    size_t n = 0;
    enum gba_err err = names_of(e, c->who, out, names, &n);

    (void)rq;
    if (err != GBA_OK)
        return err;
    gba_wbuf_init(&w, der, sizeof(der));
    est_der_csr_attrs(n != 0 ? &names[0].name : NULL, e->link, &w);
    return answer(out, &w, "application/csrattrs");
}

/* ------------------------------------------------------------ requests for certificates */

static bool is_pkcs10(struct gba_text type)
{
    struct gba_text head, params;

    gba_text_split(type, ';', &head, &params);
    while (head.n > 0 && (head.s[head.n - 1] == ' ' || head.s[head.n - 1] == '\t'))
        head.n--;
    return gba_text_eq_nocase(head, GBA_TEXT("application/pkcs10"));
}

/* base64 with white space between its characters (RFC 8951 leaves Content-Transfer-Encoding
 * without a meaning: the body is base64 always). */
static enum gba_err read_body(struct gba_bytes body, struct est_call *out, size_t *n)
{
    char *text = out->text;
    size_t len = 0;

    if (body.n > EST_TEXT_MAX)
        return no(out, GBA_E_TOO_LONG, "the request is too long");
    for (size_t i = 0; i < body.n; i++)
        if (body.p[i] != '\n' && body.p[i] != '\r' && body.p[i] != ' ' && body.p[i] != '\t')
            text[len++] = (char)body.p[i];
    switch (gba_unbase64(out->csr, sizeof(out->csr), (struct gba_text){text, len}, n)) {
    case GBA_OK:
        return *n > 0 ? GBA_OK : no(out, GBA_E_MISSING, "no request in the body");
    case GBA_E_TOO_LONG:
        return no(out, GBA_E_TOO_LONG, "the request is too long");
    default:
        return no(out, GBA_E_SYNTAX, "the body is not base64");
    }
}

/* A commonName is decoration; but there are those that take it for a name, so it must be the
 * client's own or look like no identifier at all. */
static bool is_harmless_cn(const char *cn, const char *id, const struct mef_cert_name *own)
{
    if (strcmp(cn, id) == 0 || gba_text_eq_nocase(gba_text(cn), gba_text(own->text)))
        return true;
    for (; *cn != '\0'; cn++)
        if (!((*cn >= 'a' && *cn <= 'z') || (*cn >= 'A' && *cn <= 'Z') ||
              (*cn >= '0' && *cn <= '9') || *cn == ' ' || *cn == '_' || *cn == '-'))
            return false;
    return true;
}

/* A name as the registry writes it. */
static struct gba_text san_of(const struct mef_cert_name *name, char out[static SAN_SIZE])
{
    struct gba_wbuf w;

    gba_wbuf_init(&w, out, SAN_SIZE);
    gba_wbuf_str(&w, name->type == MEF_NAME_DNS ? "dns:" : "uri:");
    gba_wbuf_str(&w, name->text);
    gba_wbuf_cstr(&w);
    return gba_bytes_text(gba_wbuf_bytes(&w));
}

/* Whatever rows make of two identifiers, one name is known for one entity only. */
static enum gba_err check_free(const struct est *e, const char *id,
                               const struct mef_cert_name *name, struct est_call *out)
{
    char san[SAN_SIZE];
    enum gba_err err = mef_check_certificate(e->mef, id, san_of(name, san));

    if (err == GBA_E_EXISTS)
        return no(out, GBA_E_FORBIDDEN, "the name is known as another's");
    if (err == GBA_E_SYNTAX)
        return no(out, GBA_E_FORBIDDEN, "no session could be known by the name");
    return err == GBA_OK ? GBA_OK : registry_fails(out, err);
}

/* Of its node, for which it acts (10.1.1.8). */
static enum gba_err find_node(const struct est *e, const struct mef_client *c,
                              const struct mef_cert_name *wanted, struct est_call *out)
{
    enum gba_err err = wanted->type == MEF_NAME_URI
                           ? mef_check_node(e->mef, c->id, wanted->text)
                           : GBA_E_FORBIDDEN;

    if (err != GBA_OK && err != GBA_E_FORBIDDEN)
        return registry_fails(out, err);
    out->rq.name = *wanted;
    out->rq.profile = MEF_CERT_NODE;
    return err;
}

/* The name that is asked for, if it is one of the client's. */
static enum gba_err find_name(const struct est *e, const struct mef_client *c,
                              const struct mef_cert_name *wanted, struct est_call *out)
{
    struct est_name names[EST_NAMES_MAX];
    size_t n = 0;
    enum gba_err err = names_of(e, c, out, names, &n);

    if (err != GBA_OK)
        return err;
    for (size_t i = 0; i < n; i++)
        if (mef_cert_name_eq(wanted, &names[i].name)) {
            out->rq.name = names[i].name;
            out->rq.profile = names[i].profile;
            return GBA_OK;
        }
    err = find_node(e, c, wanted, out);
    if (err != GBA_E_FORBIDDEN)
        return err;
    return no(out, err,
              n == 0 ? "no certificate has a name for this client"
                     : "subjectAltName is not the name of whom the session authenticated");
}

/* TS-0003 8.3.6.2.2 3.d: the identity of the request is the authenticated one. */
static enum gba_err check_names(const struct est *e, const struct est_client *c,
                                const struct csr *csr, struct est_call *out)
{
    enum gba_err err = find_name(e, c->who, &csr->name, out);

    if (err != GBA_OK)
        return err;
    if (!is_harmless_cn(csr->cn, c->who->id, &out->rq.name))
        return no(out, GBA_E_FORBIDDEN, "commonName is another's name");
    return check_free(e, c->who->id, &out->rq.name, out);
}

static enum gba_err check_link(const struct est *e, const struct est_client *c,
                               const struct csr *csr, struct est_call *out)
{
    size_t n = strlen(c->link);

    if (!e->link)
        return GBA_OK;
    if (n == 0 || strlen(csr->challenge) != n || !gba_equal_ct(csr->challenge, c->link, n))
        return no(out, GBA_E_FORBIDDEN, "challengePassword does not bind to this session");
    return GBA_OK;
}

static enum gba_err enrol(const struct est *e, const struct est_client *c,
                          const struct est_request *rq, struct est_call *out, struct csr *csr)
{
    size_t n = 0;
    enum gba_err err;

    if (c->who->id[0] == '\0')
        return no(out, GBA_E_FORBIDDEN, "nobody is known by what the session authenticated");
    if (mef_admit(e->mef, &c->who->uss) != GBA_OK)
        return no(out, GBA_E_FORBIDDEN, "5402: no USS of the GSID");
    if (!is_pkcs10(rq->content_type))
        return no(out, GBA_E_MEDIA_TYPE, "Content-Type must be application/pkcs10");
    err = read_body(rq->body, out, &n);
    if (err == GBA_OK)
        err = csr_read((struct gba_bytes){out->csr, n}, csr, &out->why);
    if (err == GBA_OK)
        err = check_names(e, c, csr, out);
    if (err == GBA_OK)
        err = check_link(e, c, csr, out);
    if (err != GBA_OK)
        return err;
    out->rq.csr = (struct gba_bytes){out->csr, n};
    out->rq.id = out->id;
    out->rq.life_s = e->life_s;
    out->learn = c->who->is_enrolee;
    out->ask = true;
    return GBA_OK;
}

static enum gba_err simpleenroll(const struct est *e, const struct est_client *c,
                                 const struct est_request *rq, struct est_call *out)
{
    struct csr csr;

    return enrol(e, c, rq, out, &csr);
}

/* RFC 7030 4.2.2: subject and alternative name are those of the certificate in use. */
static enum gba_err simplereenroll(const struct est *e, const struct est_client *c,
                                   const struct est_request *rq, struct est_call *out)
{
    struct csr csr, now;
    const char *why;
    enum gba_err err;

    if (c->certificate.n == 0 || !e->ca->issued(e->ca, c->certificate))
        return no(out, GBA_E_FORBIDDEN,
                  "the session was not made with a certificate of this MEF: use simpleenroll");
    err = enrol(e, c, rq, out, &csr);
    if (err != GBA_OK)
        return err;
    if (csr_read_certificate(c->certificate, &now, &why) == GBA_OK &&
        strcmp(now.dn, csr.dn) == 0 && mef_cert_name_eq(&now.name, &csr.name))
        return GBA_OK;
    out->ask = false;
    return no(out, GBA_E_FORBIDDEN, "subject and subjectAltName must be the certificate's");
}

/* ------------------------------------------------------------ which of them */

bool est_is_path(struct gba_text path)
{
    return gba_text_starts(path, EST_PATH) &&
           (path.n == sizeof(EST_PATH) - 1 || path.s[sizeof(EST_PATH) - 1] == '/');
}

const char *est_method(enum est_op op)
{
    return op < EST_N_OPS ? rows[op].method : "";
}

const char *est_op_name(enum est_op op)
{
    return op < EST_N_OPS ? rows[op].name : "";
}

static enum gba_err find_op(struct gba_text path, struct est_call *out)
{
    struct gba_text name = {"", 0};

    if (path.n > sizeof(EST_PATH))
        name = (struct gba_text){path.s + sizeof(EST_PATH), path.n - sizeof(EST_PATH)};
    for (out->op = 0; out->op < EST_N_OPS; out->op++)
        if (gba_text_is(name, rows[out->op].name))
            return GBA_OK;
    if (gba_text_is(name, "serverkeygen") || gba_text_is(name, "fullcmc"))
        return no(out, GBA_E_NOT_IMPLEMENTED, "this operation of EST is not offered");
    return no(out, GBA_E_PATH, "no such operation of EST");
}

void est_begin(const struct est *e, const struct est_client *c, const struct est_request *rq,
               struct est_call *out)
{
    out->ask = false;
    out->why = "";
    out->content_type = NULL;
    out->body = (struct gba_bytes){NULL, 0};
    out->learn = false;
    memcpy(out->id, c->who->id, sizeof(out->id));
    out->err = find_op(rq->path, out);
    if (out->err != GBA_OK)
        return;
    if (!gba_text_is(rq->method, rows[out->op].method))
        out->err = no(out, GBA_E_METHOD, "method not allowed");
    else
        out->err = rows[out->op].act(e, c, rq, out);
}

/* The certificate is good for what the device enrols with (TS-0003 8.3.2.2). */
static enum gba_err learn(const struct est *e, struct est_call *call)
{
    char san[SAN_SIZE];
    enum gba_err err =
        call->learn ? mef_learn_certificate(e->mef, call->id, san_of(&call->rq.name, san))
                    : GBA_OK;

    return err == GBA_OK ? GBA_OK : no(call, err, "the registry does not take the certificate");
}

static enum gba_err note(const struct est *e, struct est_call *call, int64_t now_s)
{
    struct mef_audit *log = e->mef->audit;
    char san[SAN_SIZE];
    const struct mef_audit_event event = {.who = call->id,
                                          .what = "certificate.issue",
                                          .whom = call->learn ? call->id : NULL,
                                          .key_id = san_of(&call->rq.name, san).s};
    enum gba_err err = log->note(log, &event, now_s);

    return err == GBA_OK ? GBA_OK : no(call, err, "the audit log cannot be written");
}

/* The credential and its line in the audit log: both, or neither. */
static enum gba_err learn_and_note(const struct est *e, struct est_call *call, int64_t now_s)
{
    struct mef_registry *g = e->mef->registry;
    enum gba_err err;

    if (e->mef->audit == NULL)
        return learn(e, call);
    err = g->begin(g);
    if (err != GBA_OK)
        return registry_fails(call, err);
    err = learn(e, call);
    if (err == GBA_OK)
        err = note(e, call, now_s);
    return g->end(g, err);
}

void est_issued(const struct est *e, struct est_call *call, enum gba_err err,
                struct gba_bytes cert, int64_t now_s)
{
    call->ask = false;
    if (err == GBA_OK)
        err = learn_and_note(e, call, now_s);
    else
        call->why = err == GBA_E_REFUSED ? "the certification authority refuses"
                                         : "the certification authority cannot serve now";
    call->err = err == GBA_OK ? answer_certs(call, &cert, 1) : err;
}
