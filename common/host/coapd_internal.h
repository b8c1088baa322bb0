/*
 * What the files of coapd share: coapd.c (life, loop), coapd_socket.c (datagrams),
 * coapd_session.c (DTLS), coapd_exchange.c (CoAP).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_COAPD_INTERNAL_H
#define COMMON_HOST_COAPD_INTERNAL_H

#include <gnutls/dtls.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "common/coap_block.h"
#include "common/host/coapd.h"

#define COAPD_SOCKETS_MAX  16
#define COAPD_DATAGRAM_MAX 65536
#define COAPD_PLAIN_MAX    16384 /* of one DTLS record */
/* UDP payload that passes every IPv6 path (RFC 8200 5: 1280 without both headers). */
#define COAPD_MTU 1232
/* Answers that are kept for repetitions: NSTART is 1 (RFC 7252 4.7), so few are alive. */
#define COAPD_EXCHANGES   8
#define COAPD_ADDRESS_LEN 64 /* "[v6%scope]:port" */

/* Where a datagram came from and, for a socket of all addresses, where it came to. */
struct coapd_path {
    size_t socket;
    struct sockaddr_storage peer;
    socklen_t peer_len;
    bool has_local;
    struct in6_pktinfo local6;
    struct in_pktinfo local4;
};

struct coapd_socket {
    int fd;
    int family;
    char *bound;
};

struct coapd_exchange {
    uint16_t id;
    int64_t at_ms;
    uint8_t *reply; /* NULL: free */
    size_t n;
};

struct coapd_session {
    struct coapd *d;
    struct coapd_session *next_hashed;
    struct coapd_session *older, *newer; /* in handshakes, or in ups */
    struct coapd_path path;
    char peer[COAPD_ADDRESS_LEN];
    gnutls_session_t tls;
    void *owner;
    bool up, closing;
    int64_t since_ms, seen_ms;
    uint8_t hello[32];   /* random of the ClientHello that began it */
    struct gba_bytes in; /* the datagram that is being read */

    struct coapd_exchange exchange[COAPD_EXCHANGES];
    size_t next_exchange;
    struct coap_body_in body_in;
    uint8_t *out; /* a reply longer than a block, printed whole; NULL: none */
    size_t out_len;
    uint8_t out_operation[COAP_OPERATION_LEN];
    /* The request in the handler's hands. */
    struct coap_message *rq;
    uint8_t operation[COAP_OPERATION_LEN];
    bool replied;
};

/* Ordered by time: of their beginning, of their last datagram. */
struct coapd_list {
    struct coapd_session *oldest, *newest;
    size_t n;
};

struct coapd {
    struct coapd_config conf;
    struct coapd_socket socket[COAPD_SOCKETS_MAX];
    size_t n_sockets;
    int wake; /* eventfd */
    pthread_t thread;
    bool started;
    atomic_bool stopping;
    atomic_size_t n_sessions;
    gnutls_datum_t cookie_key;
    uint8_t hash_key[16];
    struct coapd_session **table; /* table_mask + 1 chains */
    size_t table_mask;
    struct coapd_list handshakes, ups;
    uint64_t requests;
    int64_t full_ms; /* when it was last said that there is no room */
    uint8_t datagram[COAPD_DATAGRAM_MAX], plain[COAPD_PLAIN_MAX];
};

/* --- coapd_socket.c */
enum gba_err coapd_socket_open(struct coapd *d, const char *address);
void coapd_sockets_close(struct coapd *d);
/* The next datagram, into d->datagram; false: none waits. */
bool coapd_receive(struct coapd *d, size_t socket, struct coapd_path *from,
                   struct gba_bytes *out);
bool coapd_send(struct coapd *d, const struct coapd_path *to, struct gba_bytes octets);
bool coapd_same_address(const struct coapd_path *a, const struct coapd_path *b);
bool coapd_same_path(const struct coapd_path *a, const struct coapd_path *b);
uint64_t coapd_path_hash(const struct coapd *d, const struct coapd_path *p);
void coapd_path_text(const struct coapd_path *p, char out[static COAPD_ADDRESS_LEN]);

/* --- coapd_session.c */
void coapd_datagram(struct coapd *d, const struct coapd_path *from, struct gba_bytes octets,
                    int64_t now_ms);
/* Retransmissions and deadlines; milliseconds until the next. */
int coapd_timers(struct coapd *d, int64_t now_ms);
/* say: with a close_notify. */
void coapd_session_free(struct coapd_session *s, bool say);
enum gba_err coapd_session_send(struct coapd_session *s, struct gba_bytes octets);

/* --- coapd_exchange.c */
void coapd_message(struct coapd_session *s, struct gba_bytes octets, int64_t now_ms);
void coapd_exchanges_wipe(struct coapd_session *s);

#endif
