/*
 * Certificates by EST through the transport port: see est.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/est.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "ua/url.h"

static enum gba_err fail(struct ue_est *e, enum gba_err err, const char *why)
{
    e->why = why;
    return err;
}

static enum gba_err make_url(struct ue_est *e, char **out)
{
    struct url u;

    *out = NULL;
    if (url_parse(e->url, &u) != GBA_OK || !u.https)
        return fail(e, GBA_E_ARGUMENT, "the MEF's URL must be https://HOST:PORT");
    if (asprintf(out, "https://%.*s%s%.*s%s", (int)u.host.n, u.host.s, u.port.n != 0 ? ":" : "",
                 (int)u.port.n, u.port.n != 0 ? u.port.s : "", e->call.target) < 0)
        return fail(e, GBA_E_NOMEM, "");
    return GBA_OK;
}

static enum gba_err exchange(struct ue_est *e, enum ue_est_op op, struct gba_bytes csr)
{
    struct gba_ue_reply reply;
    char *url;
    enum gba_err err = ue_est_begin(&e->call, op, csr);

    e->why = "";
    e->retry_s = 0;
    if (err == GBA_OK)
        err = make_url(e, &url);
    if (err != GBA_OK)
        return err;
    e->call.request.url = url;
    e->call.request.connect_to = e->connect_to;
    e->call.request.psk = e->psk;
    e->call.request.cert_file = e->cert_file;
    e->call.request.key_file = e->key_file;
    e->call.request.peer_fqdn = e->peer_fqdn;
    if (e->trace != NULL)
        e->trace(e->trace_ctx, &e->call.request, NULL);
    err = e->transport->exchange(e->transport, &e->call.request, &reply);
    if (err != GBA_OK) {
        e->why = reply.why != NULL ? reply.why : "";
    } else {
        if (e->trace != NULL)
            e->trace(e->trace_ctx, NULL, &reply);
        err = ue_est_answer(&e->call, &reply);
        e->why = e->call.why;
        e->retry_s = e->call.retry_s;
    }
    free(url);
    e->call.request.url = NULL;
    return err;
}

enum gba_err ue_est_ask(struct ue_est *e, enum ue_est_op op)
{
    return exchange(e, op, (struct gba_bytes){NULL, 0});
}

/* Memory of one run; too much for a small stack. */
struct run {
    char anchors[EST_CERT_PEM_MAX];
    uint8_t csr[UE_EST_CSR_MAX];
    size_t csr_len;
    struct est_key *key;
};

static struct gba_bytes answer(const struct ue_est *e)
{
    return (struct gba_bytes){e->call.der, e->call.n};
}

/* 8.3.6.2.2, steps 1 and 2. */
static enum gba_err ask_first(struct ue_est *e, struct run *r)
{
    bool link = false;
    size_t count;
    enum gba_err err = ue_est_ask(e, UE_EST_CACERTS);

    if (err == GBA_OK && est_certs_pem(answer(e), r->anchors, &count) != GBA_OK)
        err = fail(e, GBA_E_PROTOCOL, "cacerts gives no certificates");
    if (err == GBA_OK)
        err = ue_est_ask(e, UE_EST_CSRATTRS);
    if (err == GBA_OK && ue_est_wants_link(answer(e), &link) != GBA_OK)
        err = fail(e, GBA_E_PROTOCOL, "csrattrs gives no attributes");
    if (err == GBA_OK && link)
        err = fail(e, GBA_E_UNSUPPORTED,
                   "the MEF wants a challengePassword that binds to the session");
    return err;
}

static enum gba_err take(struct ue_est *e, const struct run *r, const struct ue_est_name *name,
                         struct ue_est_pair *out)
{
    const int64_t now_s = e->env->now_s(e->env->ctx); /* a CA takes its time */
    const char *why;
    enum gba_err err =
        est_key_take(r->key, name, answer(e), r->anchors, now_s, out->cert, &why);

    if (err != GBA_OK)
        return fail(e, err, why);
    err = est_key_pem(r->key, out->key, &out->key_len);
    return err == GBA_OK ? GBA_OK : fail(e, err, "the key cannot be written");
}

enum gba_err ue_est_get_pair(struct ue_est *e, enum ue_est_op op,
                             const struct ue_est_name *name, const char *like_pem,
                             struct ue_est_pair *out)
{
    struct run *r = calloc(1, sizeof(*r));
    enum gba_err err;

    if (r == NULL)
        return fail(e, GBA_E_NOMEM, "");
    err = ask_first(e, r);
    if (err == GBA_OK && (err = est_key_new(&r->key)) != GBA_OK)
        fail(e, err, "no key could be made");
    if (err == GBA_OK &&
        (err = est_key_request(r->key, name, like_pem, r->csr, &r->csr_len)) != GBA_OK)
        fail(e, err, "no request could be made");
    if (err == GBA_OK)
        err = exchange(e, op, (struct gba_bytes){r->csr, r->csr_len});
    if (err == GBA_OK)
        err = take(e, r, name, out);
    if (err != GBA_OK)
        gba_wipe(out, sizeof(*out));
    est_key_free(r->key);
    free(r);
    return err;
}
