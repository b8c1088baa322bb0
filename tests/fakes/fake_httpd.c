/*
 * Requests and replies without a server; see tests/fakes/fake_httpd.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/fakes/fake_httpd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/fakes/faults.h"

struct httpd_request {
    uint64_t id;
    const struct fake_http_request *in;
    struct fake_http_reply *out;
};

/* ---- what a front asks of its request --------------------------------------------------- */

uint64_t httpd_request_id(const struct httpd_request *r)
{
    return r->id;
}

struct gba_text httpd_method(const struct httpd_request *r)
{
    return gba_text(r->in->method);
}

struct gba_text httpd_target(const struct httpd_request *r)
{
    return gba_text(r->in->target);
}

struct gba_text httpd_path(const struct httpd_request *r)
{
    struct gba_text path, query;

    gba_text_split(httpd_target(r), '?', &path, &query);
    return path;
}

struct gba_text httpd_query(const struct httpd_request *r)
{
    struct gba_text path, query;

    return gba_text_split(httpd_target(r), '?', &path, &query) ? query : GBA_TEXT("");
}

struct gba_text httpd_field(const struct httpd_request *r, const char *name, size_t *count)
{
    struct gba_text first = {NULL, 0};
    size_t n = 0;

    for (size_t i = 0; i < r->in->n_fields; i++) {
        if (strcasecmp(r->in->fields[i].name, name) != 0)
            continue;
        if (n++ == 0)
            first = gba_text(r->in->fields[i].value);
    }
    if (count != NULL)
        *count = n;
    return first;
}

struct gba_bytes httpd_body(const struct httpd_request *r)
{
    return r->in->body;
}

const struct sockaddr *httpd_peer(const struct httpd_request *r)
{
    return (const struct sockaddr *)(const void *)&r->in->peer;
}

const char *httpd_peer_text(const struct httpd_request *r)
{
    (void)r;
    return "192.0.2.1";
}

size_t httpd_listener_index(const struct httpd_request *r)
{
    (void)r;
    return 0;
}

gnutls_session_t httpd_tls(const struct httpd_request *r)
{
    (void)r;
    return NULL;
}

bool *httpd_mark(struct httpd_request *r)
{
    static bool mark;

    (void)r;
    return &mark;
}

enum gba_err httpd_tls_peer(struct httpd_request *r, struct tls_peer **out)
{
    (void)r;
    *out = NULL;
    return GBA_E_NOT_FOUND;
}

void httpd_reply(struct httpd_request *r, const struct httpd_reply *reply)
{
    if (r->out->status != 0)
        abort(); /* a request is answered once */
    fake_http_reply_start(r->out, reply->status);
    if (reply->content_type != NULL)
        fake_http_reply_field(r->out, "Content-Type", reply->content_type);
    for (size_t i = 0; i < reply->n_headers; i++)
        fake_http_reply_field(r->out, reply->headers[i].name, reply->headers[i].value);
    fake_http_reply_body(r->out, reply->body.p, reply->body.n);
}

/* ---- the test's side -------------------------------------------------------------------- */

void fake_http_field(struct fake_http_request *rq, const char *name, const char *value)
{
    if (rq->n_fields == FAKE_HTTPD_FIELDS)
        abort();
    rq->fields[rq->n_fields++] = (struct httpd_header){name, value};
}

void fake_http_serve(httpd_handler *handler, void *ctx, const struct fake_http_request *rq,
                     bool (*pump)(void *arg), void *arg, struct fake_http_reply *out)
{
    static uint64_t last_id;
    struct httpd_request r = {++last_id, rq, out};

    out->status = 0;
    handler(ctx, &r);
    while (out->status == 0)
        if (!pump(arg))
            abort(); /* nothing waits, and nobody answered */
}

void fake_http_reply_start(struct fake_http_reply *r, unsigned status)
{
    memset(r, 0, sizeof(*r));
    r->status = status;
}

void fake_http_reply_field(struct fake_http_reply *r, const char *name, const char *value)
{
    if (r->n_fields == FAKE_HTTPD_FIELDS)
        abort();
    fake_own_allocations++;
    r->names[r->n_fields] = strdup(name);
    r->values[r->n_fields++] = strdup(value);
    fake_own_allocations--;
}

void fake_http_reply_body(struct fake_http_reply *r, const void *body, size_t n)
{
    free(r->body);
    fake_own_allocations++;
    r->body = n != 0 ? malloc(n) : NULL;
    fake_own_allocations--;
    r->body_len = n;
    if (n != 0)
        memcpy(r->body, body, n);
}

void fake_http_reply_end(struct fake_http_reply *r)
{
    for (size_t i = 0; i < r->n_fields; i++) {
        free(r->names[i]);
        free(r->values[i]);
    }
    free(r->body);
    memset(r, 0, sizeof(*r));
}

const char *fake_http_reply_value(const struct fake_http_reply *r, const char *name)
{
    for (size_t i = 0; i < r->n_fields; i++)
        if (strcasecmp(r->names[i], name) == 0)
            return r->values[i];
    return "";
}
