/*
 * DTLS of the CoAP front: the suites of TS-0003 10.2, credentials of this MEF's own, and whose
 * session it is.  A PSK identity is octets from end to end.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/host/clock.h"
#include "naf/mef_coap_impl.h"
#include "naf/mef_peer.h"

#define SUITE_PSK         0xc0a8 /* TLS_PSK_WITH_AES_128_CCM_8, TS-0003 10.2.2 */
#define SUITE_CERTIFICATE 0xc0ae /* TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, 10.2.3 */

/* Nothing but these: each credential has one suite, so what is derived of it is one key.  Ours
 * is the order: who offers a PSK has one, but many offer certificates that have none. */
#define PRIORITIES                                                                             \
    "NONE:+VERS-DTLS1.2:+COMP-NULL:+AES-128-CCM-8:+AEAD:+SIGN-ECDSA-SHA256"                    \
    ":+GROUP-SECP256R1:%SERVER_PRECEDENCE:+PSK"
#define PRIORITIES_CERTIFICATES                                                                \
    PRIORITIES ":+ECDHE-ECDSA:+CTYPE-SRV-X509:+CTYPE-CLI-X509:+CTYPE-SRV-RAWPK"                \
               ":+CTYPE-CLI-RAWPK"

/* ------------------------------------------------------------ PSK */

/* Our own trouble must not look like a key that does not exist. */
static int refuse_identity(const struct mef_coap *m, gnutls_session_t s, enum gba_err err)
{
    if (err != GBA_E_NOT_FOUND && err != GBA_E_EXPIRED && err != GBA_E_TOO_LONG) {
        gnutls_alert_send(s, GNUTLS_AL_FATAL, GNUTLS_A_INTERNAL_ERROR);
        return -1;
    }
    if (m->unknown_identity_alert) {
        gnutls_alert_send(s, GNUTLS_AL_FATAL, GNUTLS_A_UNKNOWN_PSK_IDENTITY);
        return -1;
    }
    return 1; /* GnuTLS goes on with a random key: as with a wrong one */
}

static enum gba_err look_up(struct mef_coap_peer *p, const gnutls_datum_t *id,
                            gnutls_datum_t *key)
{
    struct gba_naf_psk_row row = {.key_len = 0};
    struct mef_peers *peers = p->front->peers;
    enum gba_err err;

    if (id->size == 0 || id->size > sizeof(p->identity))
        return GBA_E_TOO_LONG;
    err = peers->look_up(peers, (struct gba_bytes){id->data, id->size}, &row);
    if (err == GBA_OK && row.expires_s != 0 && row.expires_s <= clock_unix_s())
        err = GBA_E_EXPIRED;
    if (err == GBA_OK && (row.key_len == 0 || row.key_len > sizeof(row.key)))
        err = GBA_E_ARGUMENT;
    if (err == GBA_OK) {
        key->data = gnutls_malloc(row.key_len);
        err = key->data != NULL ? GBA_OK : GBA_E_NOMEM;
    }
    if (err == GBA_OK) {
        memcpy(key->data, row.key, row.key_len);
        key->size = (unsigned)row.key_len;
        memcpy(p->identity, id->data, id->size);
        p->identity_len = id->size;
    }
    gba_wipe(&row, sizeof(row));
    return err;
}

static int on_identity(gnutls_session_t s, const gnutls_datum_t *id, gnutls_datum_t *key)
{
    struct mef_coap_peer *p = gnutls_session_get_ptr(s);
    enum gba_err err = look_up(p, id, key);

    return err == GBA_OK ? 0 : refuse_identity(p->front, s, err);
}

/* The session's identity must be the one that was looked up, octet by octet. */
static enum gba_err know_by_psk(const struct mef_coap_peer *p, int64_t now_s,
                                struct mef_client *c)
{
    struct mef_peers *peers = p->front->peers;
    gnutls_datum_t id;

    if (gnutls_psk_server_get_username2(p->session, &id) != 0 || id.size == 0 ||
        id.size != p->identity_len || memcmp(id.data, p->identity, id.size) != 0)
        return GBA_E_TLS;
    return peers->know_psk(peers, (struct gba_bytes){id.data, id.size}, now_s, c);
}

/* ------------------------------------------------------------ certificates, raw keys */

static enum gba_err know_by_certificate(const struct mef_coap_peer *p, int64_t now_s,
                                        struct mef_client *c)
{
    struct mef_peers *peers = p->front->peers;
    enum gba_err err = peers->know_certificate(peers, p->session, now_s, c);

    return err == GBA_OK && c->id[0] == '\0' ? GBA_E_FORBIDDEN : err;
}

/* TS-0003 8.1.2.5: path and revocation, then exactly an identifier that is known; else the
 * handshake ends. */
static int on_certificate(gnutls_session_t s)
{
    struct mef_client c = {.is_enrolee = false};
    enum gba_err err = know_by_certificate(gnutls_session_get_ptr(s), clock_unix_s(), &c);

    mef_client_wipe(&c);
    return err == GBA_OK ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

enum gba_err mef_coap_know(const struct mef_coap_peer *p, struct mef_client *c)
{
    int64_t now_s = clock_unix_s();
    enum gba_err err;

    memset(c, 0, sizeof(*c));
    if (gnutls_auth_get_type(p->session) == GNUTLS_CRD_PSK)
        err = know_by_psk(p, now_s, c);
    else
        err = know_by_certificate(p, now_s, c);
    if (err == GBA_OK && c->id[0] == '\0')
        err = GBA_E_FORBIDDEN;
    return err == GBA_OK ? mef_peer_export(p->session, c) : err;
}

/* ------------------------------------------------------------ sessions */

enum gba_err mef_coap_credentials(struct mef_coap *m, const struct tls_server_config *certs)
{
    struct tls_server_config t;

    if (gnutls_psk_allocate_server_credentials(&m->psk) != 0)
        return GBA_E_NOMEM;
    gnutls_psk_set_server_credentials_function2(m->psk, on_identity);
    if (certs == NULL)
        return gnutls_priority_init(&m->priorities, PRIORITIES, NULL) == 0 ? GBA_OK
                                                                           : GBA_E_CRYPTO;
    t = *certs;
    t.client = TLS_CLIENT_REQUIRED;
    t.priorities = PRIORITIES_CERTIFICATES;
    t.raw_public_key = true;
    return tls_server_new(&t, m->log, &m->tls);
}

static enum gba_err apply(struct mef_coap_peer *p, gnutls_session_t s)
{
    struct mef_coap *m = p->front;
    enum gba_err err = GBA_OK;

    if (m->tls == NULL) {
        err = gnutls_priority_set(s, m->priorities) == 0 ? GBA_OK : GBA_E_CRYPTO;
    } else {
        p->creds = tls_server_hold(m->tls);
        err = tls_creds_apply(p->creds, s);
        gnutls_session_set_verify_function(s, on_certificate);
    }
    if (err == GBA_OK && gnutls_credentials_set(s, GNUTLS_CRD_PSK, m->psk) != 0)
        err = GBA_E_CRYPTO;
    return err;
}

enum gba_err mef_coap_session_start(void *ctx, gnutls_session_t s, void **owner)
{
    struct mef_coap_peer *p = calloc(1, sizeof(*p));
    enum gba_err err;

    if (p == NULL)
        return GBA_E_NOMEM;
    p->front = ctx;
    p->session = s;
    gnutls_session_set_ptr(s, p);
    err = apply(p, s);
    if (err != GBA_OK) {
        tls_creds_release(p->creds);
        free(p);
        return err;
    }
    *owner = p;
    return GBA_OK;
}

/* What a session exports is only as good as the session: extended master secret (RFC 7627),
 * full handshake. */
static enum gba_err check_session(gnutls_session_t s)
{
    uint16_t suite = tls_suite(s);
    bool psk = gnutls_auth_get_type(s) == GNUTLS_CRD_PSK;

    if (gnutls_session_is_resumed(s) != 0 || gnutls_session_ext_master_secret_status(s) == 0 ||
        gnutls_protocol_get_version(s) != GNUTLS_DTLS1_2 ||
        suite != (psk ? SUITE_PSK : SUITE_CERTIFICATE))
        return GBA_E_DOWNGRADE;
    return GBA_OK;
}

enum gba_err mef_coap_session_up(void *ctx, gnutls_session_t s, void *owner)
{
    struct mef_client c;
    enum gba_err err = check_session(s);

    (void)ctx;
    if (err != GBA_OK)
        return err;
    err = mef_coap_know(owner, &c);
    mef_client_wipe(&c);
    return err;
}

void mef_coap_session_end(void *ctx, gnutls_session_t s, void *owner)
{
    struct mef_coap_peer *p = owner;

    (void)ctx;
    (void)s;
    tls_creds_release(p->creds);
    gba_wipe(p, sizeof(*p));
    free(p);
}
