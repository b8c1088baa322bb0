/*
 * TLS-PSK and fail-closed verification on OpenSSL (RFC 4279, RFC 8446 4.2.11, TS 33.222 5.4);
 * see ua/transport_tls.h.  A handshake ends well only with our key, or with a certificate that
 * verifies for the host, and never with a certificate where only the key was meant.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/transport_tls.h"

#include <string.h>

#include <openssl/x509v3.h>

#include "common/secret.h"
#include "common/ua_protocol.h"

/* Forward secret suites first; OpenSSL 3.0 knows no RFC 8442 suites.  00AE last: oneM2M and
 * TS 33.222's minimum. */
#define PSK_SUITES                                                                             \
    "ECDHE-PSK-CHACHA20-POLY1305:DHE-PSK-AES128-GCM-SHA256:DHE-PSK-CHACHA20-POLY1305:"         \
    "ECDHE-PSK-AES128-CBC-SHA256:PSK-AES128-GCM-SHA256:PSK-AES128-CBC-SHA256"
#define CERT_SUITES ":ECDHE+AESGCM:ECDHE+CHACHA20"

void transport_tls_reset(struct transport_tls *t)
{
    const char *ca_file = t->ca_file;

    gba_wipe(t, sizeof(*t));
    t->ca_file = ca_file;
}

static struct transport_tls *of(const SSL *ssl)
{
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

static enum gba_err give_up(struct transport_tls *t, enum gba_err err, const char *why)
{
    t->err = err;
    t->why = why;
    return err;
}

/* --- keys ------------------------------------------------------------------------------- */

/* TLS 1.2: the suite is chosen (pending), so the Ua id is known (TS 33.222 5.4).  OpenSSL also
 * calls this before a TLS 1.3 hello, when nothing is pending: no key then, TLS 1.3 has its own
 * callback. */
static unsigned psk_tls12(SSL *ssl, const char *hint, char *identity, unsigned identity_size,
                          unsigned char *psk, unsigned psk_size)
{
    struct transport_tls *t = of(ssl);
    const SSL_CIPHER *suite = SSL_get_pending_cipher(ssl);
    const struct gba_ue_psk *provider = t->request->psk;
    uint8_t ua_id[GBA_UA_ID_LEN], key[GBA_UE_PSK_MAX];
    size_t key_len = 0;
    unsigned n = 0;
    enum gba_err err;

    if (suite == NULL)
        return 0;
    t->suite = SSL_CIPHER_get_protocol_id(suite);
    gba_ua_tls12(t->suite, ua_id);
    err = provider->key(provider->ctx, ua_id, hint, t->identity, key, &key_len);
    if (err != GBA_OK) {
        give_up(t, err, "no key for the suite the server chose");
    } else if (strlen(t->identity) >= identity_size || psk_size < key_len) {
        give_up(t, GBA_E_TOO_LONG, "psk_identity too long");
    } else {
        memcpy(identity, t->identity, strlen(t->identity) + 1);
        memcpy(psk, key, key_len);
        n = (unsigned)key_len;
    }
    gba_wipe(key, sizeof(key));
    return n;
}

static SSL_SESSION *session_of_key(SSL *ssl, struct gba_bytes key)
{
    static const unsigned char aes128_gcm[2] = {0x13, 0x01};
    const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, aes128_gcm);
    SSL_SESSION *session = SSL_SESSION_new();

    if (session != NULL && cipher != NULL &&
        SSL_SESSION_set1_master_key(session, key.p, key.n) == 1 &&
        SSL_SESSION_set_cipher(session, cipher) == 1 &&
        SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1)
        return session;
    SSL_SESSION_free(session);
    return NULL;
}

/* TLS 1.3: an external PSK, bound to SHA-256; Ua id 01 00 00 00 07 (TS 33.222 5.4.0.2). */
static int psk_tls13(SSL *ssl, const EVP_MD *md, const unsigned char **identity, size_t *len,
                     SSL_SESSION **session)
{
    struct transport_tls *t = of(ssl);
    const struct gba_ue_psk *provider = t->request->psk;
    uint8_t key[GBA_UE_PSK_MAX];
    size_t key_len = 0;
    enum gba_err err;

    *session = NULL;
    if (!provider->tls13 || (md != NULL && !EVP_MD_is_a(md, "SHA256")))
        return 1;
    err = provider->key(provider->ctx, gba_ua_psk_tls13, NULL, t->identity, key,
                        &key_len);
    if (err == GBA_OK) {
        *session = session_of_key(ssl, (struct gba_bytes){key, key_len});
        *identity = (const unsigned char *)t->identity;
        *len = strlen(t->identity);
    } else {
        give_up(t, err, "no key for TLS 1.3");
    }
    gba_wipe(key, sizeof(key));
    return *session != NULL || err != GBA_OK;
}

/* --- verification ------------------------------------------------------------------------ */

static int refuse_certificate(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

/* Where a PSK may be answered by a certificate: libcurl's own verification cannot be on (it
 * wants a certificate always), so the context verifies path and name itself. */
static enum gba_err verify_certificates(struct transport_tls *t, SSL_CTX *ctx)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

    if (t->ca_file != NULL ? SSL_CTX_load_verify_locations(ctx, t->ca_file, NULL) != 1
                           : SSL_CTX_set_default_verify_paths(ctx) != 1)
        return give_up(t, GBA_E_CONFIG, "cannot read the CA file");
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, t->host) != 1 &&
        X509_VERIFY_PARAM_set1_host(param, t->host, 0) != 1)
        return give_up(t, GBA_E_ARGUMENT, "no name to verify");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return GBA_OK;
}

static void on_info(const SSL *ssl, int where, int ret)
{
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (ret >> 8) == SSL3_AL_FATAL)
        of(ssl)->alert = (unsigned)ret & 0xff;
}

/* libcurl looks for the URL's host, with wildcards; the name of an MEF or MAF is matched exactly
 * (TS-0003 8.1.2.5). */
static enum gba_err name_peer(struct transport_tls *t, SSL_CTX *ctx)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                               X509_CHECK_FLAG_NO_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, t->request->peer_fqdn, 0) == 1
               ? GBA_OK
               : give_up(t, GBA_E_ARGUMENT, "no name to verify");
}

enum gba_err transport_tls_watch(struct transport_tls *t, SSL_CTX *ctx)
{
    SSL_CTX_set_app_data(ctx, t);
    if (t->request->export_label != NULL) /* what is exported is TLS 1.2's (TS-0003 10.2.1) */
        SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_info_callback(ctx, on_info);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    return t->request->psk == NULL && t->request->peer_fqdn != NULL ? name_peer(t, ctx) : GBA_OK;
}

enum gba_err transport_tls_prepare(struct transport_tls *t, SSL_CTX *ctx)
{
    const struct gba_ue_psk *psk = t->request->psk;
    const char *suites = psk->suites != NULL ? psk->suites
                         : psk->only         ? PSK_SUITES
                                             : PSK_SUITES CERT_SUITES;

    SSL_CTX_set_psk_client_callback(ctx, psk_tls12);
    SSL_CTX_set_psk_use_session_callback(ctx, psk_tls13);
    if (SSL_CTX_set_cipher_list(ctx, suites) != 1)
        return give_up(t, GBA_E_ARGUMENT, "unknown TLS suite");
    if (!psk->only)
        return verify_certificates(t, ctx);
    /* An external PSK is bound to SHA-256: a SHA-384 suite could not use it. */
    if (SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") !=
        1)
        return give_up(t, GBA_E_CRYPTO, "no TLS 1.3 suites");
    SSL_CTX_set_min_proto_version(ctx, psk->tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(ctx, psk->tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, refuse_certificate, NULL);
    return GBA_OK;
}

/* --- what was negotiated ----------------------------------------------------------------- */

/* Did the key authenticate?  Session cache and tickets are off, so a "reused" TLS 1.3 session
 * is the external PSK.  RSA-PSK is not counted: it is not offered. */
static bool key_authenticated(SSL *ssl)
{
    const SSL_CIPHER *suite = SSL_get_current_cipher(ssl);

    if (SSL_version(ssl) >= TLS1_3_VERSION)
        return SSL_session_reused(ssl) == 1;
    return suite != NULL && SSL_CIPHER_get_auth_nid(suite) == NID_auth_psk;
}

/* A second look after the handshake: whatever callback failed to run, this one stands. */
static bool peer_verified(SSL *ssl)
{
    return SSL_get0_peer_certificate(ssl) != NULL && SSL_get_verify_result(ssl) == X509_V_OK;
}

static enum gba_err export_key(struct transport_tls *t, SSL *ssl)
{
    const char *label = t->request->export_label;

    if (SSL_version(ssl) != TLS1_2_VERSION || SSL_get_extms_support(ssl) != 1 ||
        SSL_session_reused(ssl) != 0)
        return give_up(t, GBA_E_DOWNGRADE,
                       "no TLS 1.2 with extended master secret to export from");
    if (SSL_export_keying_material(ssl, t->exported, sizeof(t->exported), label, strlen(label),
                                   NULL, 0, 0) != 1)
        return give_up(t, GBA_E_CRYPTO, "key export failed");
    t->has_exported = true;
    return GBA_OK;
}

enum gba_err transport_tls_connected(struct transport_tls *t, SSL *ssl)
{
    const struct gba_ue_request *r = t->request;

    t->suite = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl));
    t->tls13 = SSL_version(ssl) >= TLS1_3_VERSION;
    t->psk = key_authenticated(ssl);
    if (r->psk != NULL && !t->psk && (r->psk->only || !peer_verified(ssl)))
        return give_up(t, GBA_E_TLS, "the server did not prove the key, nor a certificate");
    if (r->suite != 0 && r->suite != t->suite)
        return give_up(t, GBA_E_MISDIRECTED, "another TLS suite than the key was derived for");
    return r->export_label != NULL ? export_key(t, ssl) : GBA_OK;
}
