/*
 * One HTTP request: the copies its owner may look at, and the one answer.  The copies outlive
 * the connection, so that an owner that answers after the drain has done it for him reads and
 * frees memory of his own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/httpd_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/clock.h"
#include "common/host/tls_peer.h"
#include "common/secret.h"

static _Atomic uint64_t last_id;

static gnutls_session_t session_of(const struct listener *l, struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        l->conf.tls != NULL ? MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION)
                            : NULL;

    return info != NULL ? info->tls_session : NULL;
}

struct httpd_request *httpd_request_new(struct httpd_conn *conn, struct MHD_Connection *c,
                                        const char *target)
{
    struct httpd_request *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->target = strdup(target);
    if (r->target == NULL) {
        free(r);
        return NULL;
    }
    r->target_n = strlen(r->target);
    r->raw = target;
    atomic_store(&r->refs, 1);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->answered, NULL);
    r->h = conn->l->h;
    r->l = conn->l;
    r->listener_index = conn->l->index;
    r->conn = conn;
    r->c = c;
    r->peer = conn->peer;
    memcpy(r->peer_text, conn->peer_text, sizeof(r->peer_text));
    r->tls = session_of(conn->l, c);
    r->id = atomic_fetch_add(&last_id, 1) + 1;
    return r;
}

void httpd_request_unref(struct httpd_request *r)
{
    if (r == NULL || atomic_fetch_sub(&r->refs, 1) != 1)
        return;
    if (r->response != NULL)
        MHD_destroy_response(r->response);
    if (r->body != NULL)
        gba_wipe(r->body, r->body_cap);
    if (r->block != NULL)
        gba_wipe(r->block, r->block_n); /* Authorization is among the fields */
    gba_wipe(r->target, r->target_n);
    free(r->body);
    free(r->block);
    free(r->fields);
    free(r->target);
    pthread_cond_destroy(&r->answered);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

enum gba_err httpd_request_body(struct httpd_request *r, const void *p, size_t n)
{
    size_t limit = r->l->conf.body_limit, room = r->body_cap == 0 ? 1024 : r->body_cap;
    uint8_t *grown;

    if (n > limit - r->body_n)
        return GBA_E_BODY_TOO_LARGE;
    while (room - r->body_n < n)
        room *= 2;
    if (room != r->body_cap) {
        grown = malloc(room);
        if (grown == NULL)
            return GBA_E_NOMEM;
        if (r->body != NULL) {
            memcpy(grown, r->body, r->body_n);
            gba_wipe(r->body, r->body_cap);
            free(r->body);
        }
        r->body = grown;
        r->body_cap = room;
    }
    memcpy(r->body + r->body_n, p, n);
    r->body_n += n;
    return GBA_OK;
}

/* --- the pending list -------------------------------------------------------------------- */

bool httpd_request_hand_over(struct httpd_request *r)
{
    bool taken;

    pthread_mutex_lock(&r->h->lock);
    taken = !r->h->refusing;
    if (taken) {
        atomic_fetch_add(&r->refs, 1);
        r->next = r->h->pending;
        if (r->next != NULL)
            r->next->prev = r;
        r->h->pending = r;
    }
    pthread_mutex_unlock(&r->h->lock);
    return taken;
}

static void no_longer_pending(struct httpd_request *r)
{
    pthread_mutex_lock(&r->h->lock);
    if (r->prev != NULL)
        r->prev->next = r->next;
    else if (r->h->pending == r)
        r->h->pending = r->next;
    if (r->next != NULL)
        r->next->prev = r->prev;
    r->prev = r->next = NULL;
    pthread_mutex_unlock(&r->h->lock);
}

/* Under r's lock.  From here on libmicrohttpd's side may end the connection, and after it the
 * server may go: nothing of the server is touched any more. */
static void settle(struct httpd_request *r, unsigned status, struct MHD_Response *response)
{
    r->status = status;
    r->response = response;
    no_longer_pending(r);
    r->replied = true;
    if (r->suspended) {
        r->suspended = false;
        MHD_resume_connection(r->c);
    }
    pthread_cond_signal(&r->answered);
}

/* --- the answer -------------------------------------------------------------------------- */

struct wiped_body {
    size_t n;
    uint8_t octets[];
};

static void wipe_body(void *cls)
{
    struct wiped_body *b = cls;

    gba_wipe(b->octets, b->n);
    free(b);
}

static struct MHD_Response *make_response(struct gba_bytes body, struct gba_bytes *held)
{
    struct wiped_body *b = malloc(sizeof(*b) + body.n);
    struct MHD_Response *response;

    if (b == NULL)
        return NULL;
    b->n = body.n;
    if (body.n > 0)
        memcpy(b->octets, body.p, body.n);
    response =
        MHD_create_response_from_buffer_with_free_callback_cls(body.n, b->octets, wipe_body, b);
    if (response == NULL)
        wipe_body(b);
    else
        *held = (struct gba_bytes){b->octets, b->n};
    return response;
}

static bool add_fields(struct MHD_Response *response, const struct httpd_reply *reply,
                       bool close)
{
    bool ok = true;

    if (reply->content_type != NULL)
        ok = MHD_add_response_header(response, "Content-Type", reply->content_type) == MHD_YES;
    for (size_t i = 0; i < reply->n_headers; i++)
        ok = ok && MHD_add_response_header(response, reply->headers[i].name,
                                           reply->headers[i].value) == MHD_YES;
    if (close)
        ok = ok && MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    return ok;
}

/* NULL without memory, or if a field cannot stand in a message (CR, LF): the connection is
 * then closed without an answer. */
static struct MHD_Response *build(struct httpd_request *r, const struct httpd_reply *reply,
                                  bool close)
{
    struct MHD_Response *response = make_response(reply->body, &r->held);

    if (response != NULL && !add_fields(response, reply, close)) {
        MHD_destroy_response(response);
        response = NULL;
    }
    return response;
}

void httpd_reply(struct httpd_request *r, const struct httpd_reply *reply)
{
    pthread_mutex_lock(&r->lock);
    if (!r->forced) {
        assert(!r->replied);
        if (r->past)
            httpd_send_past(r, reply);
        settle(r, reply->status,
               r->past ? NULL : build(r, reply, reply->close || atomic_load(&r->h->draining)));
    }
    pthread_mutex_unlock(&r->lock);
    httpd_request_unref(r);
}

bool httpd_request_is_answered(struct httpd_request *r)
{
    bool answered;

    pthread_mutex_lock(&r->lock);
    answered = r->replied;
    pthread_mutex_unlock(&r->lock);
    return answered;
}

void httpd_request_force(struct httpd_request *r)
{
    const struct httpd_header fields[] = {{"Retry-After", "5"}, {"Server", r->l->conf.server}};
    const struct httpd_reply unavailable = {.status = MHD_HTTP_SERVICE_UNAVAILABLE,
                                            .headers = fields,
                                            .n_headers = fields[1].value != NULL ? 2 : 1};

    pthread_mutex_lock(&r->lock);
    if (!r->replied) {
        r->forced = true;
        r->tls = NULL;
        settle(r, unavailable.status, build(r, &unavailable, true));
    }
    pthread_mutex_unlock(&r->lock);
}

/* --- what the owner may ask -------------------------------------------------------------- */

uint64_t httpd_request_id(const struct httpd_request *r)
{
    return r->id;
}

struct gba_text httpd_method(const struct httpd_request *r)
{
    return r->method;
}

struct gba_text httpd_target(const struct httpd_request *r)
{
    return (struct gba_text){r->target, r->target_n};
}

/* RFC 9112 3.2: origin-form, absolute-form ("http://host/path"), or something else that has
 * no path and stays as it is. */
static struct gba_text without_authority(struct gba_text target)
{
    const char *mark = memmem(target.s, target.n, "://", 3), *end = target.s + target.n, *at;

    if (target.n == 0 || target.s[0] == '/' || mark == NULL)
        return target;
    at = mark + 3;
    while (at < end && *at != '/' && *at != '?')
        at++;
    return (struct gba_text){at, (size_t)(end - at)};
}

struct gba_text httpd_path(const struct httpd_request *r)
{
    struct gba_text head, tail;

    gba_text_split(without_authority(httpd_target(r)), '?', &head, &tail);
    return head.n > 0 ? head : GBA_TEXT("/");
}

struct gba_text httpd_query(const struct httpd_request *r)
{
    struct gba_text head, tail;

    gba_text_split(without_authority(httpd_target(r)), '?', &head, &tail);
    return tail;
}

struct gba_text httpd_field(const struct httpd_request *r, const char *name, size_t *count)
{
    struct gba_text first = {"", 0};
    size_t n = 0;

    for (size_t i = 0; i < r->n_fields; i++)
        if (gba_text_eq_nocase(r->fields[i].name, gba_text(name)) && n++ == 0)
            first = r->fields[i].value;
    if (count != NULL)
        *count = n;
    return first;
}

struct gba_bytes httpd_body(const struct httpd_request *r)
{
    return (struct gba_bytes){r->body, r->body_n};
}

const struct sockaddr *httpd_peer(const struct httpd_request *r)
{
    return (const struct sockaddr *)&r->peer;
}

const char *httpd_peer_text(const struct httpd_request *r)
{
    return r->peer_text;
}

size_t httpd_listener_index(const struct httpd_request *r)
{
    return r->listener_index;
}

gnutls_session_t httpd_tls(const struct httpd_request *r)
{
    return r->tls;
}

bool *httpd_mark(struct httpd_request *r)
{
    return &r->conn->mark;
}

enum gba_err httpd_tls_peer(struct httpd_request *r, struct tls_peer **out)
{
    struct httpd_conn *conn = r->conn;
    enum gba_err err = GBA_OK;

    *out = NULL;
    if (conn->tls_peer == NULL)
        err = tls_peer_read(r->tls, &conn->tls_peer);
    if (err == GBA_OK && conn->tls_peer->expires_s <= clock_unix_s())
        err = GBA_E_NOT_FOUND;
    if (err == GBA_OK)
        *out = conn->tls_peer;
    return err;
}
