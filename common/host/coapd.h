/*
 * CoAP server over DTLS 1.2 on GnuTLS: one thread, any number of sockets, no cleartext.  It
 * has the cookies, handshakes, retransmissions and limits of DTLS, and of CoAP the message
 * layer (RFC 7252 4: a repeated message gets the same answer and is not done again) and the
 * blocks (RFC 7959).  Whom a session belongs to, and what a request means, its owner says.  Why
 * not libcoap: doc/ARCHITECTURE.md.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_COAPD_H
#define COMMON_HOST_COAPD_H

#include <gnutls/gnutls.h>

#include "common/coap_message.h"
#include "common/host/log.h"
#include "common/host/metrics.h"
#include "common/limiter.h"

struct coapd;

/* One request, whole.  For the handler's call only. */
struct coapd_request {
    const struct coap_message *message; /* its payload is the whole body */
    uint64_t number;                    /* unique in this process, for the log */
    const char *peer;                   /* "127.0.0.1:40000" */
    struct coapd_session *session;
};

/* On coapd's thread, which serves all: must not wait for others, and must lead to one
 * coapd_reply (or else 5.00 is sent). */
typedef void coapd_handler(void *ctx, void *owner, const struct coapd_request *r);

/* What coapd refuses itself with that code, of 4 or 5: so that the owner can give the answer its
 * form, by one coapd_reply with the same code.  The message's payload is what came with it. */
typedef void coapd_refused(void *ctx, const struct coapd_request *r, uint8_t code);

struct coapd_config {
    const char *name; /* for logs */
    struct log *log;
    void *ctx; /* of the functions below */
    /* A session begins: sets priorities and credentials before the handshake, and *owner, which
     * the others get.  Anything but GBA_OK: there is no session, and no owner. */
    enum gba_err (*session_start)(void *ctx, gnutls_session_t s, void **owner);
    /* Its handshake is done.  Anything but GBA_OK closes it. */
    enum gba_err (*session_up)(void *ctx, gnutls_session_t s, void *owner);
    /* Exactly once for each that began; the GnuTLS session is still there. */
    void (*session_end)(void *ctx, gnutls_session_t s, void *owner);
    /* What a message's options alone are refused for: a code, or 0; before anything of it is
     * kept. */
    uint8_t (*check)(const struct coap_message *m);
    coapd_handler *handler;
    coapd_refused *refused; /* NULL: the code alone */
    unsigned sessions;    /* at a time; 0: 1024 */
    unsigned per_address; /* of one address; 0: any number */
    unsigned handshakes;  /* under way at a time; 0: 128 */
    struct limiter *limiter; /* a handshake takes a token of its address; NULL: no limit */
    size_t body_limit;    /* octets; more is 4.13; 0: 64 KiB */
    unsigned idle_s;      /* then a session ends; 0: 300 */
    unsigned handshake_s; /* for a handshake, at most; 0: 30 */
    struct metric *handshakes_ok, *handshakes_failed, *sessions_now, *limited; /* or NULL */
};

/* GBA_E_NOMEM, GBA_E_ENTROPY, GBA_E_IO. */
enum gba_err coapd_new(const struct coapd_config *c, struct coapd **out);
/* HOST:PORT, [V6]:PORT; port 0: the kernel picks.  GBA_E_ARGUMENT: address; GBA_E_IO: cannot
 * bind (logged).  Before coapd_start. */
enum gba_err coapd_listen(struct coapd *d, const char *address);
/* HOST:PORT as bound, of the i-th; NULL past the end. */
const char *coapd_bound(const struct coapd *d, size_t i);
enum gba_err coapd_start(struct coapd *d); /* GBA_E_IO: no thread */
size_t coapd_sessions(const struct coapd *d);

/* Ends the sessions, with an alert, and the thread.  A request is answered before or not begun:
 * nothing has to be waited for. */
void coapd_drain(struct coapd *d);
void coapd_free(struct coapd *d); /* drains; NULL is fine */

/* Code, options and payload of m, which are copied; type, id, token and the options of blocks
 * are put in here. */
void coapd_reply(const struct coapd_request *r, const struct coap_message *m);
/* The session ends after the reply. */
void coapd_close(const struct coapd_request *r);

#endif
