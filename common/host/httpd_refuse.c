/*
 * Refusals of the HTTP server: the gate's, and libmicrohttpd's own.  The pages of the latter
 * (HTML, no Server field, the header twice after a bad Content-Length) never reach the wire.
 *
 * libmicrohttpd has no option for that, but it queues its pages by its public function, which
 * the dynamic linker finds here first.  Where it does not (a library linked with -Bsymbolic),
 * the pages go out as they are; host/test_httpd.c tells.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/httpd_internal.h"

#include <dlfcn.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/secret.h"

#define ANSWER_MAX  8192
#define DISCARD_MAX (1u << 20) /* of what a refused client has sent, at once */

void httpd_refuse(struct httpd_request *r, enum gba_err err)
{
    LOG(r->h->log, LOG_LV_INFO, "http.refused", LOG_INT("rq", r->id),
        LOG_STR("listener", r->l->conf.name), LOG_STR("peer", r->peer_text), LOG_ERR(err),
        LOG_STR("why", r->why != NULL ? r->why : gba_err_text(err)));
    atomic_fetch_add(&r->refs, 1); /* the front's, which answers at once */
    if (r->l->conf.refusal != NULL)
        r->l->conf.refusal(r->l->conf.ctx, r, err);
    else
        httpd_reply(r, &(struct httpd_reply){.status = gba_err_http(err)});
}

/* --- past libmicrohttpd ------------------------------------------------------------------ */

static void print_field(struct gba_wbuf *w, const char *name, const char *value)
{
    gba_wbuf_str(w, name);
    gba_wbuf_str(w, ": ");
    gba_wbuf_str(w, value);
    gba_wbuf_str(w, "\r\n");
}

static void print_answer(struct gba_wbuf *w, const struct httpd_reply *reply, bool head)
{
    time_t now = time(NULL);
    struct tm tm;
    char date[64] = "";

    gba_wbuf_str(w, "HTTP/1.1 ");
    gba_wbuf_number(w, reply->status);
    gba_wbuf_str(w, " ");
    gba_wbuf_str(w, MHD_get_reason_phrase_for(reply->status));
    gba_wbuf_str(w, "\r\n");
    if (gmtime_r(&now, &tm) != NULL &&
        strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0)
        print_field(w, "Date", date);
    print_field(w, "Connection", "close");
    if (reply->content_type != NULL)
        print_field(w, "Content-Type", reply->content_type);
    for (size_t i = 0; i < reply->n_headers; i++)
        print_field(w, reply->headers[i].name, reply->headers[i].value);
    gba_wbuf_str(w, "Content-Length: ");
    gba_wbuf_number(w, reply->body.n);
    gba_wbuf_str(w, "\r\n\r\n");
    if (!head)
        gba_wbuf_put(w, reply->body);
}

/* What does not fit at once is lost with its connection: it is a refusal, or short.  What the
 * client still has on the way is read, for to close with unread octets is to reset, and a reset
 * can overtake the answer. */
static void send_at_once(struct httpd_request *r, struct gba_bytes text)
{
    if (r->tls != NULL) {
        (void)gnutls_record_send(r->tls, text.p, text.n);
        (void)gnutls_bye(r->tls, GNUTLS_SHUT_WR);
    } else {
        (void)send(r->conn->fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    (void)recv(r->conn->fd, NULL, DISCARD_MAX, MSG_TRUNC | MSG_DONTWAIT);
}

void httpd_send_past(struct httpd_request *r, const struct httpd_reply *reply)
{
    char text[ANSWER_MAX];
    struct gba_wbuf w;

    gba_wbuf_init(&w, text, sizeof(text));
    print_answer(&w, reply, gba_text_is(r->method, "HEAD"));
    if (gba_wbuf_ok(&w))
        send_at_once(r, gba_wbuf_bytes(&w));
    gba_wipe(text, sizeof(text)); /* answers of Zn without TLS have keys */
}

#define UNSENT_FIELDS 16

struct unsent {
    struct httpd_header fields[UNSENT_FIELDS];
    struct httpd_reply reply;
};

static enum MHD_Result take_field(void *cls, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct unsent *u = cls;

    (void)kind;
    if (u->reply.n_headers == UNSENT_FIELDS)
        return MHD_NO;
    if (strcasecmp(name, "Connection") != 0) /* printed in any case */
        u->fields[u->reply.n_headers++] = (struct httpd_header){name, value};
    return MHD_YES;
}

/* It reads on as a suspended connection is resumed, and closes at the end of a client who has
 * shut down his side and waits.  With MHD_USE_TURBO ours is still open then. */
void httpd_send_unsent(struct httpd_request *r)
{
    struct unsent u;

    memset(&u, 0, sizeof(u));
    pthread_mutex_lock(&r->lock);
    if (r->response != NULL) {
        u.reply =
            (struct httpd_reply){.status = r->status, .headers = u.fields, .body = r->held};
        MHD_get_response_headers(r->response, take_field, &u);
        httpd_send_past(r, &u.reply);
    }
    pthread_mutex_unlock(&r->lock);
}

/* --- libmicrohttpd's own ----------------------------------------------------------------- */

static enum gba_err error_of(unsigned status)
{
    switch (status) {
    case MHD_HTTP_CONTENT_TOO_LARGE:
        return GBA_E_BODY_TOO_LARGE;
    case MHD_HTTP_URI_TOO_LONG:
    case MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE:
        return GBA_E_HEADER_TOO_LARGE;
    case MHD_HTTP_HTTP_VERSION_NOT_SUPPORTED:
        return GBA_E_HTTP_VERSION;
    case MHD_HTTP_INTERNAL_SERVER_ERROR:
        return GBA_E_NOMEM;
    default:
        return GBA_E_HTTP;
    }
}

/* As precise as what has been read by then allows. */
static const char *why(const struct httpd_conn *conn, struct MHD_Connection *c,
                       enum gba_err err)
{
    if (err == GBA_E_NOMEM || err == GBA_E_HEADER_TOO_LARGE || err == GBA_E_HTTP_VERSION)
        return gba_err_text(err);
    if (conn->request == NULL)
        return "REQUEST_LINE";
    if (conn->request->begun)
        return "CHUNK";
    if (MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Length") != NULL)
        return "CONTENT_LENGTH";
    return "FIELD_OR_VERSION";
}

void httpd_refuse_past(struct httpd_conn *conn, struct MHD_Connection *c, unsigned status)
{
    enum gba_err err = error_of(status);
    struct httpd_request *known = conn->request;
    struct httpd_request *r = known != NULL ? known : httpd_request_new(conn, c, "");

    if (r == NULL || httpd_request_is_answered(r))
        return;
    r->past = true;
    r->why = why(conn, c, err);
    httpd_refuse(r, err);
    if (known != NULL)
        return;
    httpd_conn_phase(conn, PHASE_BETWEEN); /* it was heard */
    httpd_request_unref(r);
}

typedef enum MHD_Result queue_function(struct MHD_Connection *c, unsigned int status,
                                       struct MHD_Response *response);

static queue_function *real_queue;

static void find_real_queue(void)
{
    void *found = dlsym(RTLD_NEXT, "MHD_queue_response");

    memcpy(&real_queue, &found, sizeof(real_queue));
}

enum MHD_Result httpd_queue(struct httpd_request *r, struct MHD_Response *response)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, find_real_queue);
    return real_queue != NULL ? real_queue(r->c, r->status, response) : MHD_NO;
}

/* Only libmicrohttpd calls this.  MHD_NO makes it close the connection. */
enum MHD_Result MHD_queue_response(struct MHD_Connection *c, unsigned int status,
                                   struct MHD_Response *response)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    (void)response;
    if (info != NULL && info->socket_context != NULL)
        httpd_refuse_past(info->socket_context, c, status);
    return MHD_NO;
}
