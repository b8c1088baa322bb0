/*
 * libmicrohttpd's callbacks: from the request line to the queued reply.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/httpd_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/host/clock.h"

/* --- answering --------------------------------------------------------------------------- */

/* On libmicrohttpd's own thread, after r was answered. */
static enum MHD_Result queue(struct httpd_request *r)
{
    struct MHD_Response *response;
    enum MHD_Result result;

    pthread_mutex_lock(&r->lock);
    response = r->response;
    r->response = NULL;
    pthread_mutex_unlock(&r->lock);
    if (response == NULL)
        return MHD_NO;
    httpd_conn_phase(r->conn, PHASE_ANSWERING);
    result = httpd_queue(r, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct httpd_request *r, enum gba_err err)
{
    httpd_refuse(r, err);
    return queue(r);
}

/* To the handler; then either the answer is there already, or the connection is suspended
 * (its thread waits, where it has one of its own) until httpd_reply. */
static enum MHD_Result hand_over(struct httpd_request *r)
{
    bool answered;

    if (!httpd_request_hand_over(r))
        return refuse(r, GBA_E_CANCELLED);
    httpd_conn_phase(r->conn, PHASE_HANDLING);
    r->l->conf.handler(r->l->conf.ctx, r);
    pthread_mutex_lock(&r->lock);
    if (r->l->conf.thread_per_connection) {
        while (!r->replied)
            pthread_cond_wait(&r->answered, &r->lock);
    } else if (!r->replied) {
        r->suspended = true;
        MHD_suspend_connection(r->c);
    }
    answered = r->replied;
    pthread_mutex_unlock(&r->lock);
    return answered ? queue(r) : MHD_YES;
}

/* --- the stages of a request ------------------------------------------------------------- */

static bool expects_continue(const struct httpd_request *r)
{
    return gba_text_eq_nocase(httpd_field(r, "Expect", NULL), GBA_TEXT("100-continue"));
}

/* An answer now, before the body, also closes the connection: libmicrohttpd will not read on.
 */
static enum MHD_Result header_complete(struct httpd_request *r, const char *method,
                                       const char *version)
{
    uint64_t length;
    enum gba_err err = httpd_gate(r, method, version, &length);

    if (err != GBA_OK)
        return refuse(r, err);
    if (length > r->l->conf.body_limit) {
        if (expects_continue(r) || length > r->l->conf.body_limit + HTTPD_DISCARD_MAX)
            return refuse(r, GBA_E_BODY_TOO_LARGE);
        r->refused = GBA_E_BODY_TOO_LARGE;
    }
    return MHD_YES;
}

static enum MHD_Result body_part(struct httpd_request *r, const char *data, size_t n)
{
    r->body_seen += n;
    if (r->refused == GBA_OK)
        r->refused = httpd_request_body(r, data, n);
    if (r->body_seen > r->l->conf.body_limit + HTTPD_DISCARD_MAX)
        return MHD_NO;
    return MHD_YES;
}

static enum MHD_Result body_complete(struct httpd_request *r)
{
    if (httpd_request_is_answered(r))
        return queue(r);
    if (r->refused != GBA_OK)
        return refuse(r, r->refused);
    return hand_over(r);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *n, void **con_cls)
{
    struct httpd_request *r = *con_cls;

    (void)cls;
    (void)c;
    (void)url;
    if (r == NULL)
        return MHD_NO;
    if (!r->begun) {
        r->begun = true;
        return header_complete(r, method, version);
    }
    if (*n > 0) {
        size_t part = *n;

        *n = 0;
        return body_part(r, data, part);
    }
    return body_complete(r);
}

/* --- the connection ---------------------------------------------------------------------- */

static void *on_request_line(void *cls, const char *target, struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct httpd_conn *conn = info != NULL ? info->socket_context : NULL;

    (void)cls;
    if (target == NULL || conn == NULL)
        return NULL;
    httpd_conn_phase(conn, PHASE_READING);
    return conn->request = httpd_request_new(conn, c, target);
}

static void on_completed(void *cls, struct MHD_Connection *c, void **con_cls,
                         enum MHD_RequestTerminationCode code)
{
    struct httpd_request *r = *con_cls;

    (void)cls;
    (void)c;
    *con_cls = NULL;
    if (r == NULL)
        return;
    if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK && r->l->conf.tls == NULL)
        httpd_send_unsent(r);
    r->conn->request = NULL;
    httpd_conn_phase(r->conn, PHASE_BETWEEN);
    httpd_request_unref(r);
}

/* After gnutls_init, before the handshake. */
static void start_tls(struct listener *l, struct MHD_Connection *c, struct httpd_conn *conn)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_session_t session = info != NULL ? info->tls_session : NULL;

    if (session == NULL)
        return;
    conn->creds = tls_server_hold(l->conf.tls);
    if (tls_creds_apply(conn->creds, session) != GBA_OK) {
        /* Without our rules the handshake must fail: take away what it would need. */
        gnutls_credentials_clear(session);
        return;
    }
    if (l->conf.tls_start != NULL)
        l->conf.tls_start(l->conf.ctx, session);
}

static void on_connection(void *cls, struct MHD_Connection *c, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct listener *l = cls;
    const union MHD_ConnectionInfo *info;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*socket_context != NULL) {
            /* libmicrohttpd says nothing to a request line without a space. */
            if (httpd_conn_was_closed_unheard(*socket_context))
                httpd_refuse_past(*socket_context, c, MHD_HTTP_BAD_REQUEST);
            httpd_conn_closed(*socket_context);
        }
        *socket_context = NULL;
        return;
    }
    info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info == NULL)
        return;
    *socket_context = httpd_conn_started(l->h, info->connect_fd);
    if (*socket_context != NULL && l->conf.tls != NULL)
        start_tls(l, c, *socket_context);
}

/* --- starting ---------------------------------------------------------------------------- */

/* The target stays as it was sent. */
static size_t do_not_unescape(void *cls, struct MHD_Connection *c, char *s)
{
    (void)cls;
    (void)c;
    return strlen(s);
}

/* What libmicrohttpd has to say is about peers, who could fill the log with it. */
static void on_message(void *cls, const char *format, va_list args)
{
    struct listener *l = cls;
    char text[256];

    if (vsnprintf(text, sizeof(text), format, args) > 0) {
        text[strcspn(text, "\n")] = '\0';
        LOG(l->h->log, LOG_LV_DEBUG, "http.library", LOG_STR("listener", l->conf.name),
            LOG_STR("text", text));
    }
}

/* Above our limit, so that it is the gate that refuses.  libmicrohttpd clears all of it after
 * each request, and up to 32 KiB come from malloc(3) and not from mmap(2): more than that costs
 * a third of a request. */
static size_t memory_of(const struct listener *l)
{
    size_t twice = 2 * l->conf.header_limit;

    return twice > 32768 ? twice : 32768;
}

struct MHD_Daemon *httpd_serve(struct listener *l)
{
    unsigned flags = MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem options[8];
    size_t n = 0;

    if (!l->conf.thread_per_connection) {
        flags |= MHD_ALLOW_SUSPEND_RESUME;
        if (l->conf.threads > 1)
            options[n++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE,
                                                   (intptr_t)l->conf.threads, NULL};
    }
    /* Under TLS, libmicrohttpd 0.9.75 asks epoll(7) again and again for the rest of a
     * handshake: one octet from a client would cost a core until its deadline. */
    flags |= l->conf.tls != NULL || l->conf.thread_per_connection
                 ? MHD_USE_POLL_INTERNAL_THREAD
                 : MHD_USE_EPOLL_INTERNAL_THREAD;
    if (l->conf.tls != NULL) {
        flags |= MHD_USE_TLS;
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
                                               (void *)tls_server_cert_pem(l->conf.tls)};
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
                                               (void *)tls_server_key_pem(l->conf.tls)};
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
                                               (void *)tls_server_priorities(l->conf.tls)};
    } else {
        flags |= MHD_USE_TURBO; /* leaves shutdown(2) to on_connection */
    }
    options[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, l, MHD_OPTION_EXTERNAL_LOGGER, on_message, l,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, l, MHD_OPTION_UNESCAPE_CALLBACK,
        do_not_unescape, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, l,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, l, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        memory_of(l), MHD_OPTION_CONNECTION_TIMEOUT, l->conf.idle_timeout_s,
        MHD_OPTION_CONNECTION_LIMIT, l->conf.threads * (l->conf.connection_limit + 16),
        MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}
