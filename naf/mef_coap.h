/*
 * The front of mefd and mafd over CoAP and DTLS (TS-0008): who a session is, requests of
 * common/host/coapd.h into primitives of Mmef or Mmaf, answers back.  The counterpart of
 * mef_http.h; it decides nothing else, and serves no fetchCredentials.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_COAP_H
#define NAF_MEF_COAP_H

#include "common/host/metrics.h"
#include "common/host/tls.h"
#include "naf/gba_naf.h"
#include "naf/mef.h"

/* Port: who has a credential of this MEF's own.  Called on coapd's one thread: it may ask a
 * database, but no other machine. */
struct mef_peers {
    /* The key of a KpmID, which is octets and may hold NUL.  GBA_E_NOT_FOUND: there is none;
     * other errors are this MEF's trouble. */
    enum gba_err (*look_up)(struct mef_peers *self, struct gba_bytes identity,
                            struct gba_naf_psk_row *row);
    /* ... and, when it has proved right, whose it is.  GBA_OK also when nobody is known, here
     * and below: then out stays empty.  What the session exports is put in by the front. */
    enum gba_err (*know_psk)(struct mef_peers *self, struct gba_bytes identity, int64_t now_s,
                             struct mef_client *out);
    /* Whose certificate or raw public key it is that this session shows.  Within the handshake,
     * and after it. */
    enum gba_err (*know_certificate)(struct mef_peers *self, gnutls_session_t session,
                                     int64_t now_s, struct mef_client *out);
};

struct mef_coap_config {
    const struct mef *mef;
    struct mef_peers *peers;
    const char *const *listen; /* HOST:PORT */
    size_t n_listen;
    /* TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8 beside the PSK suite, with certificates and raw public
     * keys; client, priorities and raw_public_key are set here.  NULL: PSK alone. */
    const struct tls_server_config *certificates;
    /* An unknown KpmID gets the alert unknown_psk_identity; else it fails like a wrong key. */
    bool unknown_identity_alert;
    unsigned sessions, per_address, handshakes, idle_s; /* as coapd_config */
    struct limiter *limiter;
    struct metric *limited;
    struct log *log;
    struct metrics *metrics; /* named after the program of mef's role */
};

struct mef_coap;

/* Binds and serves.  GBA_E_CONFIG, GBA_E_ARGUMENT, GBA_E_IO (logged), GBA_E_NOMEM,
 * GBA_E_CRYPTO. What the configuration points to must outlive it, but for the lists and
 * certificates. */
enum gba_err mef_coap_new(const struct mef_coap_config *c, struct mef_coap **out);
const char *mef_coap_bound(const struct mef_coap *m, size_t i);
size_t mef_coap_sessions(const struct mef_coap *m); /* NULL is fine, here and below */
void mef_coap_reload(struct mef_coap *m);
void mef_coap_drain(struct mef_coap *m);
void mef_coap_free(struct mef_coap *m);

#endif
