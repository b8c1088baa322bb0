/*
 * HTTP and HTTPS server over libmicrohttpd: any number of listeners, one handler each, and a
 * request object that answers exactly once, from any thread.  The gate refuses what
 * libmicrohttpd lets through (Content-Length with Transfer-Encoding, repeated Host/
 * Content-Length/Authorization, NUL, %00), counts the body, and ends slow clients by a total
 * deadline.  It knows no protocol above HTTP.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_HTTPD_H
#define COMMON_HOST_HTTPD_H

#include <gnutls/gnutls.h>
#include <sys/socket.h>

#include "common/bytes.h"
#include "common/host/log.h"
#include "common/host/metrics.h"
#include "common/limiter.h"

struct httpd;         /* a set of listeners that start and drain together */
struct httpd_request; /* one request; dead after httpd_reply */
struct tls_server;    /* common/host/tls.h */
struct tls_peer;      /* common/host/tls_peer.h */

struct httpd_header {
    const char *name;
    const char *value;
};

struct httpd_reply {
    unsigned status;
    const char *content_type;           /* NULL: none */
    const struct httpd_header *headers; /* copied */
    size_t n_headers;
    struct gba_bytes body; /* copied; wiped after sending */
    bool close;            /* Connection: close after it */
};

/* Called once per request that passed the gate, when its whole body is there, on a thread of
 * the listener: so it must not block, except on a thread-per-connection listener.  Must lead to
 * exactly one httpd_reply, now or later, from any thread; until then the connection is
 * suspended (or its thread waits).  The request's views stay valid until httpd_reply, also when
 * the client is gone or the drain has answered. */
typedef void httpd_handler(void *ctx, struct httpd_request *r);

/* What the gate or libmicrohttpd refused: so that the front can give the answer its form (body,
 * Server field, log line).  Runs instead of the handler; must call httpd_reply at once.  After
 * what could not be parsed, method, target and fields are empty.  NULL: an empty answer with
 * the status of err. */
typedef void httpd_refusal(void *ctx, struct httpd_request *r, enum gba_err err);

struct httpd_listener {
    const char *name;    /* for logs: "ub", "zn" */
    const char *address; /* HOST:PORT or [V6]:PORT; port 0: the kernel picks; of the addresses
                            of a name the first that can be bound, IPv4 before IPv6 */
    httpd_handler *handler;
    httpd_refusal *refusal;
    void *ctx;
    const char *server;     /* Server field of the drain's 503; NULL: none; borrowed */
    struct tls_server *tls; /* NULL: plain HTTP; borrowed, must outlive the httpd */
    /* Optional, TLS only: runs after gnutls_init and before the handshake (a NAF attaches its
     * PSK credentials here). */
    void (*tls_start)(void *ctx, gnutls_session_t session);
    /* For listeners whose TLS handshake may wait (PSK); the thread goes from one connection to
     * the next. */
    bool thread_per_connection;
    unsigned threads;           /* of the pool; 0: 1; ignored with thread_per_connection */
    unsigned connection_limit;  /* 0: 1024 */
    unsigned per_ip_limit;      /* connections of one address; 0: none */
    /* New connections of one address (its bucket address); NULL: any number; borrowed.  TLS
     * makes a handshake of each.  One more is closed at once and counted. */
    struct limiter *limiter;
    struct metric *limited; /* NULL: not counted */
    size_t body_limit;          /* octets; more is 413; 0: 64 KiB */
    /* Octets of request line and fields; more, or more than 100 fields, is 431; 0: 16 KiB. */
    size_t header_limit;
    unsigned idle_timeout_s; /* between requests; 0: 15 */
    /* From the first octet of a request (TLS handshake included) to its last, and again for its
     * reply; the time the handler takes does not count.  0: 10 s */
    unsigned deadline_ms;
};

/* GBA_E_ARGUMENT: address; GBA_E_IO: cannot bind (logged). */
struct httpd *httpd_new(struct log *log);
enum gba_err httpd_listen(struct httpd *h, const struct httpd_listener *l);
/* HOST:PORT as bound, of the i-th listener; NULL past the end. */
const char *httpd_bound(const struct httpd *h, size_t i);

/* Stops accepting, lets pending requests be answered for at most grace_ms (then answers 503
 * itself; a later httpd_reply is ignored, also after httpd_free), and ends the threads. */
void httpd_drain(struct httpd *h, unsigned grace_ms);
void httpd_free(struct httpd *h); /* drains with 0 if that was not done */
size_t httpd_connections(const struct httpd *h);

/* --- the request ----------------------------------------------------------------------- */
uint64_t httpd_request_id(const struct httpd_request *r); /* unique in this process */
struct gba_text httpd_method(const struct httpd_request *r);
/* The request-target as sent: undecoded, with query; absolute form is not reduced. */
struct gba_text httpd_target(const struct httpd_request *r);
/* Path of the target without query, scheme and authority; still percent-encoded. */
struct gba_text httpd_path(const struct httpd_request *r);
struct gba_text httpd_query(const struct httpd_request *r); /* without '?' */
/* The only field of that name (any case); several: joined values are not made, the first is
 * given and *count says how many there are.  count may be NULL. */
struct gba_text httpd_field(const struct httpd_request *r, const char *name, size_t *count);
struct gba_bytes httpd_body(const struct httpd_request *r);
const struct sockaddr *httpd_peer(const struct httpd_request *r);
/* "127.0.0.1" or "::1", without port. */
const char *httpd_peer_text(const struct httpd_request *r);
size_t httpd_listener_index(const struct httpd_request *r);
/* NULL on plain HTTP.  For the handler's own call; an owner that answers later copies what it
 * needs of it, for the session ends when the drain answers in its place. */
gnutls_session_t httpd_tls(const struct httpd_request *r);
/* Who the client is by its certificate, read once for a connection; for the handler's own call,
 * or with tls_peer_hold for longer.  GBA_E_NOT_FOUND: it has shown none, or it has expired since;
 * GBA_E_NOMEM; *out is then NULL. */
enum gba_err httpd_tls_peer(struct httpd_request *r, struct tls_peer **out);
/* The handlers' own mark of the connection, false at its beginning; for the handler's own call. */
bool *httpd_mark(struct httpd_request *r);

void httpd_reply(struct httpd_request *r, const struct httpd_reply *reply);

#endif
