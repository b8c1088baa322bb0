/*
 * PSK-TLS for any GnuTLS server: the glue of gba_naf.h, "Ua with PSK-TLS".  The identity is a
 * datum from end to end.  NAF_Id needs the negotiated suite, which GnuTLS does not tell a PSK
 * callback: a hook reads it from the outgoing ServerHello (TLS 1.2); TLS 1.3 has a fixed Ua id,
 * for there the key comes before the suite (TS 33.222 5.4.0.2).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/psk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/crypto.h>

/* GnuTLS keeps data of ours with a session, and frees it with the session, only under the
 * number of a TLS extension; this one is private (RFC 8446 11) and never sent. */
#define SESSION_DATA 0xff47

#define ASKS_BURST      500
#define ASKS_PER_MINUTE 3000
#define ASKS_BUCKETS    16384 /* addresses that are remembered, 24 octets each */

/* ------------------------------------------------------------ data of a session */

static void handshake_free(gnutls_ext_priv_data_t data)
{
    struct handshake *h = data;

    psk_drop_uss(h);
    gba_wipe(h, sizeof(*h));
    free(h);
}

static int ext_recv(gnutls_session_t s, const unsigned char *data, size_t len)
{
    (void)s;
    (void)data;
    (void)len;
    return 0; /* a stranger who sends our number: ignored */
}

static int ext_send(gnutls_session_t s, gnutls_buffer_t extdata)
{
    (void)s;
    (void)extdata;
    return 0;
}

static struct handshake *handshake_of(gnutls_session_t s)
{
    gnutls_ext_priv_data_t data = NULL;

    return gnutls_ext_get_data(s, SESSION_DATA, &data) == 0 ? data : NULL;
}

/* ------------------------------------------------------------ GnuTLS's callbacks */

/* The SNI as it was sent; what is not a DNS name gives "?", which nothing is called. */
static struct gba_text read_sni(gnutls_session_t s, char room[static GBA_FQDN_SIZE])
{
    size_t n = GBA_FQDN_SIZE;
    unsigned type;
    int rc = gnutls_server_name_get(s, room, &n, &type, 0);

    if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return GBA_TEXT("");
    if (rc != 0 || type != GNUTLS_NAME_DNS)
        return GBA_TEXT("?");
    if (n > 0 && room[n - 1] == '\0')
        n--;
    return n > 0 ? (struct gba_text){room, n} : GBA_TEXT("?");
}

/* The suite stands behind version, random and session id. */
static int on_server_hello(gnutls_session_t s, unsigned type, unsigned when, unsigned incoming,
                           const gnutls_datum_t *msg)
{
    struct handshake *h = handshake_of(s);
    size_t at;

    (void)when;
    if (h == NULL || incoming != 0 || type != GNUTLS_HANDSHAKE_SERVER_HELLO || msg->size < 35)
        return 0;
    at = 35 + (size_t)msg->data[34];
    if (msg->size >= at + 2)
        h->suite = (uint16_t)(msg->data[at] << 8 | msg->data[at + 1]);
    return 0;
}

/* The BSF cannot be asked, or not now: that is not the UE's fault, so it is not told to
 * bootstrap.  A suite that is too weak for an identity fails as an unknown identity does, or it
 * would tell the known ones apart. */
static bool is_our_trouble(enum gba_err err)
{
    return (gba_err_http(err) >= 500 && err != GBA_E_DOWNGRADE) || err == GBA_E_RATE_LIMITED;
}

static int refuse(const struct handshake *h, gnutls_session_t s)
{
    if (is_our_trouble(h->err)) {
        gnutls_alert_send(s, GNUTLS_AL_FATAL, GNUTLS_A_INTERNAL_ERROR);
        return -1;
    }
    if (h->psk->unknown_psk_identity) {
        gnutls_alert_send(s, GNUTLS_AL_FATAL, GNUTLS_A_UNKNOWN_PSK_IDENTITY);
        return -1;
    }
    return 1; /* GnuTLS goes on with a random key: as with a wrong one */
}

static struct gba_bytes address_of(const struct gba_naf_psk *psk, gnutls_session_t s,
                                   struct sockaddr_storage *room)
{
    const struct sockaddr *peer = (const struct sockaddr *)(const void *)room;
    socklen_t n = sizeof(*room);

    memset(room, 0, sizeof(*room));
    if (psk->peer != NULL)
        peer = psk->peer(psk->peer_arg, s);
    else if (getpeername(gnutls_transport_get_int(s), (struct sockaddr *)(void *)room, &n) != 0)
        peer = NULL;
    return peer != NULL ? limiter_address(peer) : (struct gba_bytes){NULL, 0};
}

static void look_up(struct handshake *h, gnutls_session_t s, const gnutls_datum_t *id)
{
    struct sockaddr_storage room;
    char sni[GBA_FQDN_SIZE];

    h->err = psk_look_up(h, (struct gba_bytes){id->data, id->size},
                         gnutls_protocol_get_version(s) == GNUTLS_TLS1_3, read_sni(s, sni),
                         address_of(h->psk, s, &room));
    h->looked_up = true;
    if (h->err != GBA_OK && h->psk->refused != NULL)
        h->psk->refused(h->psk->refused_arg, h->err, s);
}

static int on_identity(gnutls_session_t s, const gnutls_datum_t *id, gnutls_datum_t *key)
{
    struct handshake *h = handshake_of(s);

    if (h == NULL)
        return -1;
    /* TLS 1.3 asks twice, and again after a HelloRetryRequest */
    if (!h->looked_up || h->peer.identity_len != id->size ||
        memcmp(h->peer.identity, id->data, id->size) != 0)
        look_up(h, s, id);
    if (h->err != GBA_OK)
        return refuse(h, s);
    key->data = gnutls_malloc(h->key_len);
    if (key->data == NULL)
        return -1;
    memcpy(key->data, h->key, h->key_len);
    key->size = (unsigned)h->key_len;
    return 0;
}

/* ------------------------------------------------------------ life */

static const char *default_hint(const struct gba_naf_psk_config *c)
{
    unsigned keys = c->naf != NULL && !c->bare_only ? ua_server_keys(c->naf->ua) : 0;

    switch (keys) {
    case GBA_NAF_KEY_ME:
        return "3GPP-bootstrapping";
    case GBA_NAF_KEY_UICC:
        return "3GPP-bootstrapping-uicc";
    case GBA_NAF_KEY_ME | GBA_NAF_KEY_UICC:
        return "3GPP-bootstrapping-uicc;3GPP-bootstrapping";
    default:
        return "";
    }
}

static enum gba_err set_credentials(struct gba_naf_psk *psk, const char *hint)
{
    if (gnutls_psk_allocate_server_credentials(&psk->cred) < 0)
        return GBA_E_NOMEM;
    gnutls_psk_set_server_credentials_function2(psk->cred, on_identity);
    if (hint[0] != '\0' && gnutls_psk_set_server_credentials_hint(psk->cred, hint) < 0)
        return GBA_E_CRYPTO;
    if (gnutls_psk_set_server_known_dh_params(psk->cred, GNUTLS_SEC_PARAM_MEDIUM) < 0)
        return GBA_E_CRYPTO;
    return GBA_OK;
}

static enum gba_err set_limit(struct gba_naf_psk *psk, const struct gba_naf_psk_config *c)
{
    struct limiter_config l = {
        .address = {c->asks_burst != 0 ? c->asks_burst : ASKS_BURST,
                    c->asks_per_minute != 0 ? c->asks_per_minute : ASKS_PER_MINUTE},
        .buckets = ASKS_BUCKETS};

    psk->peer = c->peer;
    psk->peer_arg = c->peer_arg;
    if (c->asks_burst == GBA_NAF_NO_LIMIT || c->naf == NULL)
        return GBA_OK;
    if (gnutls_rnd(GNUTLS_RND_RANDOM, l.hash_key, sizeof(l.hash_key)) < 0)
        return GBA_E_ENTROPY;
    psk->limiter = limiter_new(&l);
    return psk->limiter != NULL ? GBA_OK : GBA_E_NOMEM;
}

enum gba_err gba_naf_psk_new(const struct gba_naf_psk_config *config, struct gba_naf_psk **out)
{
    struct gba_naf_psk *psk;
    enum gba_err err;

    *out = NULL;
    if ((config->naf == NULL && config->lookup == NULL) ||
        config->identity_max > PSK_IDENTITY_MAX)
        return GBA_E_ARGUMENT;
    psk = calloc(1, sizeof(*psk));
    if (psk == NULL)
        return GBA_E_NOMEM;
    psk->naf = config->naf;
    psk->lookup = config->lookup;
    psk->lookup_arg = config->lookup_arg;
    psk->bare_only = config->bare_only;
    psk->unknown_psk_identity = config->unknown_psk_identity;
    psk->identity_max = config->identity_max != 0 ? config->identity_max : PSK_IDENTITY_MAX;
    psk->now = config->now;
    psk->now_arg = config->now_arg;
    psk->refused = config->refused;
    psk->refused_arg = config->refused_arg;
    err = set_limit(psk, config);
    if (err == GBA_OK)
        err = set_credentials(psk, config->hint != NULL ? config->hint : default_hint(config));
    if (err != GBA_OK) {
        gba_naf_psk_free(psk);
        return err;
    }
    *out = psk;
    return GBA_OK;
}

void gba_naf_psk_free(struct gba_naf_psk *psk)
{
    if (psk == NULL)
        return;
    if (psk->cred != NULL)
        gnutls_psk_free_server_credentials(psk->cred);
    limiter_free(psk->limiter);
    free(psk);
}

enum gba_err gba_naf_psk_attach(struct gba_naf_psk *psk, gnutls_session_t session)
{
    const unsigned flags =
        GNUTLS_EXT_FLAG_CLIENT_HELLO | GNUTLS_EXT_FLAG_TLS | GNUTLS_EXT_FLAG_DTLS;
    struct handshake *h = calloc(1, sizeof(*h));

    if (h == NULL)
        return GBA_E_NOMEM;
    h->psk = psk;
    if (gnutls_session_ext_register(session, "gba-naf", SESSION_DATA, GNUTLS_EXT_TLS, ext_recv,
                                    ext_send, handshake_free, NULL, NULL, flags) < 0) {
        free(h);
        return GBA_E_CRYPTO;
    }
    gnutls_ext_set_data(session, SESSION_DATA, h);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_SERVER_HELLO, GNUTLS_HOOK_BOTH,
                                       on_server_hello);
    return gnutls_credentials_set(session, GNUTLS_CRD_PSK, psk->cred) == 0 ? GBA_OK
                                                                           : GBA_E_CRYPTO;
}

/* ------------------------------------------------------------ who it was */

enum gba_err gba_naf_psk_peer(struct gba_naf_psk *psk, gnutls_session_t session,
                              struct gba_naf_peer *out)
{
    struct handshake *h = handshake_of(session);
    gnutls_datum_t id;

    memset(out, 0, sizeof(*out));
    if (gnutls_session_is_resumed(session) != 0)
        return GBA_E_TLS;
    if (gnutls_auth_get_type(session) != GNUTLS_CRD_PSK)
        return GBA_E_NOT_FOUND;
    if (h == NULL || h->psk != psk || !h->looked_up || h->err != GBA_OK ||
        gnutls_psk_server_get_username2(session, &id) != 0 || id.size != h->peer.identity_len ||
        memcmp(id.data, h->peer.identity, id.size) != 0)
        return GBA_E_TLS;
    gba_wipe(h->key, sizeof(h->key));
    if (h->peer.expires_s != 0 && h->peer.expires_s <= psk_now_s(psk))
        return GBA_E_EXPIRED;
    *out = h->peer;
    return GBA_OK;
}

const char *gba_naf_psk_uss_list(struct gba_naf_psk *psk, gnutls_session_t session, size_t *len)
{
    const struct handshake *h = handshake_of(session);
    bool ok = h != NULL && h->psk == psk && h->looked_up && h->err == GBA_OK;

    *len = ok ? h->uss_len : 0;
    return ok ? (const char *)h->uss : NULL;
}

enum gba_err gba_naf_psk_reason(struct gba_naf_psk *psk, gnutls_session_t session)
{
    const struct handshake *h = handshake_of(session);

    return h != NULL && h->psk == psk && h->looked_up ? h->err : GBA_OK;
}

/* With %SERVER_PRECEDENCE the order of groups is ours too: X25519 first, or every OpenSSL
 * client of TLS 1.3 would be sent round by a HelloRetryRequest. */
#define GROUPS                                                                                 \
    ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1"             \
    ":+GROUP-FFDHE2048:+GROUP-FFDHE3072"
#define OF_33222  "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL"
#define OF_ONEM2M "NONE:+VERS-TLS1.2:+COMP-NULL:+SIGN-ALL:+SHA256:+AES-128-CBC"
#define LAST      GROUPS ":%SERVER_PRECEDENCE"

const char *gba_naf_tls_priorities(enum gba_naf_tls_profile profile)
{
    static const char *const strings[GBA_NAF_N_TLS_PROFILES] = {
        [GBA_NAF_TLS_33222] = OF_33222 ":+ECDHE-PSK:+DHE-PSK:+PSK:+SHA256:+SHA384" LAST,
        [GBA_NAF_TLS_33222_CERT] =
            OF_33222 ":+ECDHE-PSK:+DHE-PSK:+PSK:+ECDHE-ECDSA:+ECDHE-RSA:+SHA256:+SHA384" LAST,
        [GBA_NAF_TLS_ONEM2M_GBA] = OF_ONEM2M ":+PSK" LAST,
        [GBA_NAF_TLS_ONEM2M] = OF_ONEM2M ":+DHE-PSK:+PSK" LAST,
        [GBA_NAF_TLS_ONEM2M_EXTENDED] =
            OF_ONEM2M ":-AES-128-CBC:+CHACHA20-POLY1305:+AES-128-GCM:+AES-128-CBC:+AES-128-CCM"
                      ":+AES-128-CCM-8:+AEAD:+ECDHE-PSK:+DHE-PSK:+PSK" LAST,
        [GBA_NAF_TLS_MEF] = OF_ONEM2M ":-AES-128-CBC:+CHACHA20-POLY1305:+AES-128-GCM"
                                      ":+AES-128-CBC:+AEAD:+ECDHE-PSK:+DHE-PSK" LAST,
    };

    return (size_t)profile < GBA_NAF_N_TLS_PROFILES ? strings[profile] : strings[0];
}
