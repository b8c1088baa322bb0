/*
 * What the files of the HTTP server share: a listener over one libmicrohttpd daemon, a
 * connection in the supervisor's table, a request with its two owners.  Nobody else includes
 * this.
 *
 * Locks: a request's lock may be held when the server's lock is taken, never the other way.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_HTTPD_INTERNAL_H
#define COMMON_HOST_HTTPD_INTERNAL_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/host/httpd.h"
#include "common/host/tls.h"

#define HTTPD_FIELDS_MAX 100
/* So much of a body over the limit is read and thrown away, so that the 413 arrives; a client
 * that sends still more meets a closed connection. */
#define HTTPD_DISCARD_MAX (1u << 24)

/* Where a connection stands, for the supervisor's clock. */
enum httpd_phase {
    PHASE_FRESH,     /* accepted; not an octet yet */
    PHASE_BETWEEN,   /* a reply went out just now */
    PHASE_IDLE,      /* as BETWEEN, and the supervisor has noted how much had come by then */
    PHASE_READING,   /* TLS handshake or request under way: the deadline runs */
    PHASE_HANDLING,  /* the handler has it: its own deadlines hold */
    PHASE_ANSWERING, /* reply on its way out: the deadline runs */
    PHASE_ENDED      /* socket shut down; libmicrohttpd is about to close it */
};

struct listener {
    struct httpd *h;
    size_t index;
    struct httpd_listener conf; /* name and address are copies of our own */
    int fd;                     /* -1 once drained */
    char bound[288];
    unsigned n_conns;             /* under the server's lock */
    struct httpd_worker *workers; /* as many as connections may come, or one for all */
    unsigned n_workers;           /* of them started; under the server's lock */
};

struct httpd_conn {
    struct listener *l;
    struct httpd_worker *worker;
    int fd;
    bool started;                /* libmicrohttpd has it; under the server's lock */
    _Atomic int phase;           /* enum httpd_phase */
    _Atomic int64_t deadline_ms; /* monotonic; READING and ANSWERING */
    uint64_t octets;             /* received before this request; the supervisor's own */
    bool left;                   /* the peer was seen to have left; the supervisor's own */
    struct tls_creds *creds;
    struct tls_peer *tls_peer;     /* once a handler has asked; libmicrohttpd's thread only */
    bool mark;                     /* the handlers'; the same */
    struct httpd_request *request; /* from its line to its end; libmicrohttpd's thread only */
    struct sockaddr_storage peer;
    socklen_t peer_len;
    char peer_text[INET6_ADDRSTRLEN];
};

struct httpd {
    struct log *log;
    pthread_mutex_t lock;
    struct listener **listeners; /* grows under the lock */
    size_t n_listeners;
    struct httpd_conn **by_fd; /* the connection table: file descriptor -> connection */
    size_t n_by_fd, n_conns;
    struct httpd_request *pending; /* with their owners, unanswered */
    pthread_t supervisor;
    bool supervised;
    int wake_fd;
    _Atomic bool stop_accepting, stop_supervisor;
    _Atomic bool draining; /* every reply closes its connection */
    bool refusing;         /* no request gets an owner any more: 503; under the lock */
    bool drained;
};

struct httpd_field {
    struct gba_text name, value;
};

/* Owned by libmicrohttpd's side until the connection is done with it, and by the handler's
 * side until httpd_reply: whoever is last frees it. */
struct httpd_request {
    _Atomic unsigned refs;
    pthread_mutex_t lock;
    pthread_cond_t answered; /* thread-per-connection listeners wait here */
    struct httpd *h;
    struct listener *l;
    struct httpd_conn *conn; /* valid on libmicrohttpd's side only */
    struct MHD_Connection *c;
    uint64_t id;
    size_t listener_index;
    gnutls_session_t tls;
    struct sockaddr_storage peer;
    char peer_text[INET6_ADDRSTRLEN];
    struct httpd_request *prev, *next; /* pending list, under the server's lock */

    bool begun;           /* the gate has seen it */
    const char *why;      /* what the gate or libmicrohttpd dislikes, for the log */
    bool past;            /* answered past libmicrohttpd, which has refused it */
    enum gba_err refused; /* not GBA_OK: the body is thrown away, then this is the answer */
    const char *raw;      /* the target inside libmicrohttpd's buffer; for the gate only */
    char *target;
    size_t target_n;
    char *block; /* method, names and values */
    size_t block_n;
    struct gba_text method;
    struct httpd_field *fields;
    size_t n_fields;
    uint8_t *body;
    size_t body_n, body_cap;
    uint64_t body_seen;

    /* under lock */
    bool replied, suspended;
    bool forced; /* answered by the drain; the owner's reply will be swallowed */
    struct MHD_Response *response;
    struct gba_bytes held; /* the body in response, as long as that is here */
    unsigned status;
};

/* --- httpd_accept.c ---------------------------------------------------------------------- */
enum gba_err httpd_supervise(struct httpd *h); /* starts the thread once */
void httpd_wake(struct httpd *h);
/* The accepted connection with that socket, now libmicrohttpd's; NULL: unknown. */
struct httpd_conn *httpd_conn_started(struct httpd *h, int fd);
/* Octets came that made no request line, and it is we who closed. */
bool httpd_conn_was_closed_unheard(const struct httpd_conn *conn);
void httpd_conn_closed(struct httpd_conn *conn);
void httpd_conn_phase(struct httpd_conn *conn, enum httpd_phase phase);
/* Ends connections: those between requests, or all. */
void httpd_conn_end(struct httpd *h, bool all);

/* --- httpd_gate.c ------------------------------------------------------------------------ */
/* Copies method and fields into r and refuses what is ambiguous.  *length: the body announced
 * by Content-Length, else 0. */
enum gba_err httpd_gate(struct httpd_request *r, const char *method, const char *version,
                        uint64_t *length);

/* --- httpd_request.c --------------------------------------------------------------------- */
struct httpd_request *httpd_request_new(struct httpd_conn *conn, struct MHD_Connection *c,
                                        const char *target);
void httpd_request_unref(struct httpd_request *r);
/* Gives the owner's side its reference and enters r among the pending; false: the server has no
 * owners any more. */
bool httpd_request_hand_over(struct httpd_request *r);
bool httpd_request_is_answered(struct httpd_request *r);
void httpd_request_force(struct httpd_request *r); /* 503 in the owner's place */
enum gba_err httpd_request_body(struct httpd_request *r, const void *p, size_t n);

/* --- httpd_refuse.c ---------------------------------------------------------------------- */
/* Logs, and lets the front answer. */
void httpd_refuse(struct httpd_request *r, enum gba_err err);
/* In the place of libmicrohttpd's own refusal, on its thread; the connection then ends. */
void httpd_refuse_past(struct httpd_conn *conn, struct MHD_Connection *c, unsigned status);
void httpd_send_past(struct httpd_request *r, const struct httpd_reply *reply);
/* The answer that is there and that libmicrohttpd did not come to. */
void httpd_send_unsent(struct httpd_request *r);
enum MHD_Result httpd_queue(struct httpd_request *r, struct MHD_Response *response);

/* --- httpd_serve.c ----------------------------------------------------------------------- */
struct MHD_Daemon *httpd_serve(struct listener *l);

/* --- httpd_worker.c ---------------------------------------------------------------------- */
/* The first one; GBA_E_IO: libmicrohttpd does not start. */
enum gba_err httpd_workers_start(struct listener *l);
/* One for a new connection, on the supervisor's thread; NULL: none can be had. */
struct httpd_worker *httpd_worker_take(struct listener *l);
/* False: the socket was closed. */
bool httpd_worker_add(struct httpd_worker *w, int fd, const struct sockaddr_storage *peer,
                      socklen_t len);
void httpd_worker_give_back(struct httpd_worker *w); /* under the server's lock */
/* Ends one that has been idle, on the supervisor's thread.  False: there is none. */
bool httpd_workers_thin(struct listener *l, int64_t now_ms);
unsigned httpd_workers_connections(struct listener *l);
void httpd_workers_stop(struct listener *l); /* when there is no supervisor any more */

#endif
