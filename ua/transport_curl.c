/*
 * The transport port over libcurl, OpenSSL flavour.  libcurl's own ideas are switched off:
 * proxies of the environment, redirects, its Digest, session resumption, reuse of a connection
 * by another identity.  One easy handle per transport; easy or multi interface.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "ua/transport_curl.h"

#define DEFAULT_BODY (1024u * 1024)
#define DEFAULT_HEAD (32u * 1024)

static struct curl_transport *of(struct gba_ue_transport *port)
{
    return (struct curl_transport *)port;
}

/* --- libcurl's callbacks ------------------------------------------------------------------ */

static size_t on_head(char *data, size_t size, size_t n, void *arg)
{
    struct curl_transport *t = arg;

    n *= size;
    if (n >= 5 && memcmp(data, "HTTP/", 5) == 0)
        t->head_len = 0; /* an interim reply or a proxy's came before */
    if (n > 0 && (data[0] == '\r' || data[0] == '\n'))
        return n; /* trailers follow the fields */
    if (n > t->max_head - t->head_len) {
        t->too_long = true;
        return 0;
    }
    memcpy(t->head + t->head_len, data, n);
    t->head_len += n;
    return n;
}

static bool grow(struct curl_transport *t, size_t need)
{
    size_t cap = t->body_cap != 0 ? t->body_cap : 4096;
    uint8_t *bigger;

    while (cap < need)
        cap *= 2;
    if (cap == t->body_cap)
        return true;
    bigger = malloc(cap);
    if (bigger == NULL)
        return false;
    if (t->body_len != 0)
        memcpy(bigger, t->body, t->body_len);
    gba_wipe(t->body, t->body_cap);
    free(t->body);
    t->body = bigger;
    t->body_cap = cap;
    return true;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct curl_transport *t = arg;

    n *= size;
    if (n > t->max_body - t->body_len) {
        t->too_long = true;
        return 0;
    }
    if (!grow(t, t->body_len + n))
        return 0;
    if (n != 0)
        memcpy(t->body + t->body_len, data, n);
    t->body_len += n;
    return n;
}

static CURLcode on_context(CURL *easy, void *ctx, void *arg)
{
    struct curl_transport *t = arg;

    (void)easy;
    if (transport_tls_watch(&t->tls, ctx) != GBA_OK ||
        (t->tls.request->psk != NULL && transport_tls_prepare(&t->tls, ctx) != GBA_OK))
        return CURLE_ABORTED_BY_CALLBACK;
    return CURLE_OK;
}

/* Connected and nothing sent: the last moment to say no. */
static int on_connected(void *arg, char *peer_ip, char *local_ip, int peer_port, int local_port)
{
    struct curl_transport *t = arg;
    struct curl_tlssessioninfo *info = NULL;

    (void)peer_ip, (void)local_ip, (void)peer_port, (void)local_port;
    if (strncmp(t->tls.request->url, "https:", 6) != 0)
        return CURL_PREREQFUNC_OK;
    if (curl_easy_getinfo(t->easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || info == NULL ||
        info->internals == NULL) {
        t->tls.err = GBA_E_TLS;
        return CURL_PREREQFUNC_ABORT;
    }
    return transport_tls_connected(&t->tls, info->internals) == GBA_OK ? CURL_PREREQFUNC_OK
                                                                       : CURL_PREREQFUNC_ABORT;
}

/* --- one exchange ------------------------------------------------------------------------- */

static enum gba_err error_of(const struct curl_transport *t, CURLcode code)
{
    if (code != CURLE_OK && t->too_long)
        return GBA_E_TOO_LONG;
    if (code != CURLE_OK && t->tls.err != GBA_OK)
        return t->tls.err;
    switch (code) {
    case CURLE_OK:
        return GBA_OK;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_PROXY:
        return GBA_E_UNREACHABLE;
    case CURLE_OPERATION_TIMEDOUT:
        return GBA_E_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_ISSUER_ERROR:
        return GBA_E_TLS;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_INTERFACE_FAILED:
        return GBA_E_CONFIG;
    case CURLE_URL_MALFORMAT:
        return GBA_E_ARGUMENT;
    case CURLE_OUT_OF_MEMORY:
        return GBA_E_NOMEM;
    case CURLE_FILESIZE_EXCEEDED:
        return GBA_E_TOO_LONG;
    default:
        return GBA_E_PROTOCOL;
    }
}

enum gba_err gba_ue_curl_begin(struct gba_ue_transport *port, const struct gba_ue_request *r,
                               void **easy)
{
    struct curl_transport *t = of(port);

    transport_tls_reset(&t->tls);
    gba_wipe(t->body, t->body_cap);
    t->head_len = t->body_len = 0;
    t->too_long = false;
    t->error[0] = '\0';
    *easy = t->easy;
    return transport_request_set(t, r);
}

enum gba_err gba_ue_curl_end(struct gba_ue_transport *port, int curl_code,
                             struct gba_ue_reply *reply)
{
    struct curl_transport *t = of(port);
    enum gba_err err = error_of(t, (CURLcode)curl_code);

    memset(reply, 0, sizeof(*reply));
    reply->fields = t->fields;
    reply->body = t->body;
    reply->body_len = t->body_len;
    reply->suite = t->tls.suite;
    reply->tls13 = t->tls.tls13;
    reply->psk = t->tls.psk;
    reply->alert = t->tls.alert;
    reply->has_exported = t->tls.has_exported;
    memcpy(reply->exported, t->tls.exported, sizeof(reply->exported));
    if (err == GBA_OK) {
        err = gba_ue_reply_parse(t->head, t->head_len, t->fields, reply);
        reply->why = err == GBA_OK ? NULL : "malformed HTTP reply";
    } else {
        reply->why = t->tls.why != NULL    ? t->tls.why
                     : t->error[0] != '\0' ? t->error
                                           : curl_easy_strerror((CURLcode)curl_code);
    }
    gba_wipe(t->tls.exported, sizeof(t->tls.exported));
    transport_request_clear(t);
    return err;
}

/* OpenSSL writes to a socket whose peer has gone without MSG_NOSIGNAL, and with
 * CURLOPT_NOSIGNAL libcurl leaves SIGPIPE alone: a library must not let it end the program. */
static CURLcode perform_without_sigpipe(CURL *easy)
{
    const struct timespec now = {0, 0};
    sigset_t pipe_signal, before, pending;
    CURLcode code;
    bool was_pending;

    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    code = curl_easy_perform(easy);
    if (!was_pending)
        while (sigtimedwait(&pipe_signal, NULL, &now) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static enum gba_err curl_exchange(struct gba_ue_transport *port,
                                  const struct gba_ue_request *request,
                                  struct gba_ue_reply *reply)
{
    void *easy;
    enum gba_err err = gba_ue_curl_begin(port, request, &easy);

    memset(reply, 0, sizeof(*reply));
    if (err != GBA_OK) {
        reply->why = err == GBA_E_ARGUMENT ? "malformed URL or field" : NULL;
        return err;
    }
    return gba_ue_curl_end(port, (int)perform_without_sigpipe(easy), reply);
}

/* --- life --------------------------------------------------------------------------------- */

static void curl_close(struct gba_ue_transport *port)
{
    struct curl_transport *t = of(port);

    if (t == NULL)
        return;
    if (t->easy != NULL) {
        transport_request_clear(t);
        curl_easy_cleanup(t->easy);
        curl_global_cleanup();
    }
    transport_tls_reset(&t->tls);
    gba_wipe(t->body, t->body_cap);
    free(t->body);
    free(t->head);
    free(t->host);
    free(t->ca_file);
    free(t);
}

static void set_callbacks(struct curl_transport *t)
{
    CURL *c = t->easy;

    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->error);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, on_context);
    curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, t);
    curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(c, CURLOPT_PREREQDATA, t);
}

/* What holds for every exchange. */
static bool set_options(struct curl_transport *t, const struct gba_ue_curl_config *c)
{
    CURL *e = t->easy;
    bool ok = true;

    set_callbacks(t);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L); /* Digest's uri is what stands in the URL */
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(e, CURLOPT_SSL_ENABLE_ALPN, 0L);
    curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(e, CURLOPT_MAXCONNECTS, 1L);
    curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->max_body);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(c->connect_timeout_ms != 0 ? c->connect_timeout_ms : 10000));
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(c->timeout_ms != 0 ? c->timeout_ms : 30000));
    if (c->ipv4_only != c->ipv6_only)
        curl_easy_setopt(e, CURLOPT_IPRESOLVE,
                         c->ipv4_only ? CURL_IPRESOLVE_V4 : CURL_IPRESOLVE_V6);
    ok = ok && curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    /* "": none, and the environment is not asked. */
    ok = ok && curl_easy_setopt(e, CURLOPT_PROXY, c->proxy != NULL ? c->proxy : "") == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_NOPROXY, "") == CURLE_OK; /* nor its exceptions */
    if (c->ca_file != NULL)
        ok = ok && curl_easy_setopt(e, CURLOPT_CAINFO, c->ca_file) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK;
    if (c->pinned_key != NULL)
        ok = ok && curl_easy_setopt(e, CURLOPT_PINNEDPUBLICKEY, c->pinned_key) == CURLE_OK;
    if (c->interface != NULL)
        ok = ok && curl_easy_setopt(e, CURLOPT_INTERFACE, c->interface) == CURLE_OK;
    return ok;
}

enum gba_err gba_ue_curl_new(const struct gba_ue_curl_config *c, struct gba_ue_transport **out)
{
    struct curl_transport *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return GBA_E_NOMEM;
    t->port = (struct gba_ue_transport){"curl", curl_exchange, curl_close};
    t->max_body = c->max_body != 0 ? c->max_body : DEFAULT_BODY;
    t->max_head = c->max_head != 0 ? c->max_head : DEFAULT_HEAD;
    t->head = malloc(t->max_head + 1);
    t->ca_file = c->ca_file != NULL ? strdup(c->ca_file) : NULL;
    t->tls.ca_file = t->ca_file;
    if (t->head != NULL && (c->ca_file == NULL || t->ca_file != NULL) &&
        curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
        t->easy = curl_easy_init();
        if (t->easy == NULL)
            curl_global_cleanup();
    }
    if (t->easy == NULL || !set_options(t, c)) {
        curl_close(&t->port);
        return GBA_E_NOMEM;
    }
    *out = &t->port;
    return GBA_OK;
}
