/*
 * The NAF's decisions about a request on Ua with HTTP Digest: TS 24.109 5.2, RFC 7616,
 * TS 33.220 4.5.3.  No I/O: the key comes in as an event.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_UA_SERVER_H
#define NAF_UA_SERVER_H

#include "common/digest.h"
#include "naf/keycache.h"
#include "naf/nonce.h"

#define UA_MAX_HEADERS 4
#define UA_HEADER_SIZE 1024

enum ua_state { UA_START, UA_WAIT_KEY, UA_DECIDED, UA_N_STATES };
enum ua_event { UA_EV_REQUEST, UA_EV_KEY, UA_N_EVENTS };

struct ua_server;

struct ua_header {
    const char *name;
    char value[UA_HEADER_SIZE];
};

/* One request.  Zero it, set rq, then ua_step(UA_EV_REQUEST). */
struct ua_exchange {
    struct gba_naf_request rq; /* its views stay the caller's */
    enum ua_state state;
    enum gba_naf_verdict verdict;
    unsigned status;
    enum gba_err reason;
    struct ua_header headers[UA_MAX_HEADERS];
    size_t n_headers;

    const char *fqdn;  /* the name the UE used, canonical; of the server */
    unsigned key_type; /* GBA_NAF_KEY_* of the realm it echoed */
    struct gba_digest d;
    enum gba_digest_algorithm algorithm;
    enum gba_digest_qop qop;
    struct zn_query query; /* of UA_WAIT_KEY */
    enum gba_err key_err;  /* of UA_EV_KEY */
    struct naf_key *key;   /* of UA_EV_KEY; owned by the exchange from then on */
};

/* Uses the fields of config that are about Ua.  secret: 32 octets.  Errors of gba_naf_new. */
enum gba_err ua_server_new(const struct gba_naf_config *config, const uint8_t secret[static 32],
                           struct ua_server **out);
void ua_server_free(struct ua_server *s);

/* GBA_OK, or GBA_E_UNEXPECTED for an event that the state does not take.  After UA_EV_REQUEST
 * with x->state UA_WAIT_KEY: fetch x->query, set key_err and key, step UA_EV_KEY. */
enum gba_err ua_step(struct ua_server *s, struct ua_exchange *x, enum ua_event ev);

/* Authentication-Info over the response's body.  GBA_E_UNEXPECTED: not accepted. */
enum gba_err ua_info(struct ua_server *s, struct ua_exchange *x, struct gba_bytes body,
                     char out[static UA_HEADER_SIZE]);

/* Drops the key. */
void ua_exchange_end(struct ua_exchange *x);

/* The canonical name of ours that host is (with or without port; the first for an empty one),
 * or NULL.  Lives as long as the server. */
const char *ua_server_find(const struct ua_server *s, struct gba_text host);
unsigned ua_server_keys(const struct ua_server *s); /* GBA_NAF_KEY_* */

#endif
