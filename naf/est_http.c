/*
 * The front of EST: see est_http.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/est_http.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/clock.h"
#include "common/host/tls.h"

#define RETRY_S "5"

struct call {
    struct est_front *front;
    struct httpd_request *r;
    struct est_call est;
};

/* ------------------------------------------------------------ who it is */

static struct gba_bytes peer_certificate(gnutls_session_t s)
{
    unsigned n = 0;
    const gnutls_datum_t *chain;

    if (gnutls_auth_get_type(s) != GNUTLS_CRD_CERTIFICATE)
        return (struct gba_bytes){NULL, 0};
    chain = gnutls_certificate_get_peers(s, &n);
    return chain != NULL && n > 0 ? (struct gba_bytes){chain[0].data, chain[0].size}
                                  : (struct gba_bytes){NULL, 0};
}

/* RFC 7030 3.5: tls-unique (RFC 5929); TLS 1.3 has tls-exporter in its place (RFC 9266). */
static void bind_to_session(gnutls_session_t s, char out[static EST_LINK_SIZE])
{
    gnutls_datum_t unique = {NULL, 0};
    uint8_t exported[32];
    struct gba_bytes b = {NULL, 0};

    out[0] = '\0';
    if (tls_is_13(s)) {
        if (tls_export(s, "EXPORTER-Channel-Binding", exported, sizeof(exported)) == GBA_OK)
            b = GBA_BYTES(exported);
    } else if (gnutls_session_channel_binding(s, GNUTLS_CB_TLS_UNIQUE, &unique) == 0) {
        b = (struct gba_bytes){unique.data, unique.size};
    }
    if (b.n != 0 && GBA_BASE64_LEN(b.n) < EST_LINK_SIZE)
        gba_base64(out, b);
    gnutls_free(unique.data);
}

static void know(const struct est_front *f, const struct mef_client *c, gnutls_session_t s,
                 struct est_client *out)
{
    *out = (struct est_client){.who = c, .certificate = peer_certificate(s)};
    if (f->est.link)
        bind_to_session(s, out->link);
}

/* ------------------------------------------------------------ answers */

static unsigned status_of(enum gba_err err)
{
    unsigned status = gba_err_http(err);

    return status == 502 || status == 504 ? 503 : status; /* the CA's fault, not a gateway's */
}

static void reply_refusal(struct call *c, unsigned status)
{
    const struct httpd_header headers[] = {
        {"Cache-Control", "no-store"},
        status == 405 ? (struct httpd_header){"Allow", est_method(c->est.op)}
                      : (struct httpd_header){"Retry-After", RETRY_S}};
    const char *text = c->est.why[0] != '\0' ? c->est.why : gba_err_text(c->est.err);
    char body[256];
    struct gba_wbuf w;

    gba_wbuf_init(&w, body, sizeof(body));
    gba_wbuf_str(&w, text);
    gba_wbuf_u8(&w, '\n');
    httpd_reply(c->r, &(struct httpd_reply){.status = status,
                                            .content_type = "text/plain",
                                            .headers = headers,
                                            .n_headers = status == 405 || status == 503 ? 2 : 1,
                                            .body = gba_wbuf_bytes(&w)});
}

static void reply(struct call *c)
{
    static const struct httpd_header headers[] = {{"Content-Transfer-Encoding", "base64"},
                                                  {"Cache-Control", "no-store"}};
    unsigned status = status_of(c->est.err);
    bool ok = c->est.err == GBA_OK;

    metric_add(ok ? c->front->answered : c->front->refused, 1);
    if (ok && (c->est.op == EST_SIMPLEENROLL || c->est.op == EST_SIMPLEREENROLL))
        metric_add(c->front->issued, 1);
    LOG(c->front->log, status >= 500 && status != 501 ? LOG_LV_ERROR : LOG_LV_INFO, "mef.est",
        LOG_INT("rq", httpd_request_id(c->r)), LOG_STR("op", est_op_name(c->est.op)),
        LOG_STR("client", c->est.id), LOG_ERR(c->est.err), LOG_STR("why", c->est.why),
        LOG_INT("status", status));
    if (ok)
        httpd_reply(c->r, &(struct httpd_reply){.status = 200,
                                                .content_type = c->est.content_type,
                                                .headers = headers,
                                                .n_headers = 2,
                                                .body = c->est.body});
    else
        reply_refusal(c, status);
    free(c);
}

static void cert_came(void *arg, enum gba_err err, struct gba_bytes cert)
{
    struct call *c = arg;

    est_issued(&c->front->est, &c->est, err, cert, clock_unix_s());
    reply(c);
}

void est_http_serve(struct est_front *f, const struct mef_client *client,
                    struct httpd_request *r)
{
    const struct est_request rq = {.method = httpd_method(r),
                                   .path = httpd_path(r),
                                   .content_type = httpd_field(r, "Content-Type", NULL),
                                   .body = httpd_body(r)};
    struct call *c = malloc(sizeof(*c));
    struct est_client who;
    enum gba_err err;

    if (c == NULL) {
        httpd_reply(r, &(struct httpd_reply){.status = 503, .close = true});
        return;
    }
    c->front = f;
    c->r = r;
    know(f, client, httpd_tls(r), &who);
    est_begin(&f->est, &who, &rq, &c->est);
    if (!c->est.ask) {
        reply(c);
        return;
    }
    /* from the moment the CA has it, c is cert_came's */
    err = f->est.ca->issue(f->est.ca, &c->est.rq, cert_came, c);
    if (err != GBA_OK)
        cert_came(c, err, (struct gba_bytes){NULL, 0});
}
