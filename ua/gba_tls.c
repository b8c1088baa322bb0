/*
 * The TLS client of gba connect, on OpenSSL: TLS 1.2 with a pre-shared key and nothing else, or
 * TLS with a certificate at either end.  And the names of suites.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/gba_tls.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <netdb.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define ANSWER_WAIT_S 5
#define FIELDS_MAX    100 /* of an HTTP answer */

enum gba_err gba_suite_name(uint16_t suite, char *out, size_t cap)
{
    const unsigned char code[2] = {(unsigned char)(suite >> 8), (unsigned char)suite};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = ctx != NULL ? SSL_new(ctx) : NULL;
    const SSL_CIPHER *cipher = ssl != NULL ? SSL_CIPHER_find(ssl, code) : NULL;
    enum gba_err err = GBA_E_NOT_FOUND;

    if (cipher != NULL && SSL_CIPHER_get_auth_nid(cipher) == NID_auth_psk &&
        strlen(SSL_CIPHER_get_name(cipher)) < cap) {
        strcpy(out, SSL_CIPHER_get_name(cipher));
        err = GBA_OK;
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return err;
}

static unsigned give_key(SSL *ssl, const char *hint, char *identity, unsigned identity_size,
                         unsigned char *psk, unsigned psk_size)
{
    struct gba_tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    (void)hint;
    if (SSL_get_pending_cipher(ssl) == NULL || strlen(t->identity) >= identity_size ||
        psk_size < GBA_UE_KEY_LEN)
        return 0;
    t->key_given = true;
    strcpy(identity, t->identity);
    memcpy(psk, t->key, GBA_UE_KEY_LEN);
    return GBA_UE_KEY_LEN;
}

static void on_info(const SSL *ssl, int where, int ret)
{
    struct gba_tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (ret >> 8) == SSL3_AL_FATAL)
        t->alert = (unsigned)ret & 0xff;
}

/* Called where the target asks for our certificate, which is there already. */
static int on_request(SSL *ssl, void *arg)
{
    struct gba_tls *t = arg;

    (void)ssl;
    t->asked = true;
    return 1;
}

static int refuse_certificate(X509_STORE_CTX *store, void *arg)
{
    (void)store, (void)arg;
    return 0;
}

/* --- one deadline over all that is waited for --------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum gba_err wait_for(struct gba_tls *t, short events)
{
    struct pollfd p = {.fd = t->fd, .events = events};
    int64_t left;
    int n;

    do {
        left = t->deadline_ms - now_ms();
        n = left > 0 ? poll(&p, 1, (int)left) : 0;
    } while (n < 0 && errno == EINTR);
    if (n > 0)
        return GBA_OK;
    snprintf(t->why, sizeof(t->why), "no answer in time");
    return GBA_E_TIMEOUT;
}

/* After a call of OpenSSL that gave rc: GBA_OK: call again. */
static enum gba_err wait_ssl(struct gba_tls *t, int rc)
{
    switch (SSL_get_error(t->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        return wait_for(t, POLLIN);
    case SSL_ERROR_WANT_WRITE:
        return wait_for(t, POLLOUT);
    default:
        return GBA_E_TLS;
    }
}

/* --- connecting --------------------------------------------------------------------------- */

static enum gba_err connect_one(struct gba_tls *t, const struct addrinfo *a)
{
    socklen_t len = sizeof(int);
    int failed = 0;
    enum gba_err err = GBA_OK;

    t->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (t->fd < 0)
        return GBA_E_UNREACHABLE;
    if (connect(t->fd, a->ai_addr, a->ai_addrlen) != 0) {
        failed = errno;
        if (failed == EINPROGRESS) {
            err = wait_for(t, POLLOUT);
            if (err == GBA_OK)
                getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &failed, &len);
        }
    }
    if (err == GBA_OK && failed == 0)
        return GBA_OK;
    if (err == GBA_OK)
        snprintf(t->why, sizeof(t->why), "%s", strerror(failed));
    close(t->fd);
    t->fd = -1;
    return err != GBA_OK ? err : GBA_E_UNREACHABLE;
}

static enum gba_err connect_tcp(struct gba_tls *t, const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all;
    enum gba_err err = GBA_E_UNREACHABLE;
    int rc = getaddrinfo(host, port, &hints, &all);

    if (rc != 0) {
        snprintf(t->why, sizeof(t->why), "%s", gai_strerror(rc));
        return GBA_E_UNREACHABLE;
    }
    for (struct addrinfo *a = all; a != NULL && err == GBA_E_UNREACHABLE; a = a->ai_next)
        err = connect_one(t, a);
    freeaddrinfo(all);
    return err;
}

/* Plain PSK has no forward secrecy; the suite is the target's profile (TS-0003 10.2.2), not a
 * choice of ours. */
static void set_up_psk(struct gba_tls *t)
{
    SSL_CTX_set_psk_client_callback(t->ctx, give_key);
    SSL_CTX_set_max_proto_version(t->ctx, TLS1_2_VERSION);
    SSL_CTX_set_cert_verify_callback(t->ctx, refuse_certificate,
                                     NULL); /* a certificate is never enough */
}

static enum gba_err set_up_certificate(struct gba_tls *t)
{
    const char *wrong = NULL;

    SSL_CTX_set_cert_cb(t->ctx, on_request, t);
    if (t->ca_file != NULL ? SSL_CTX_load_verify_file(t->ctx, t->ca_file) != 1
                           : SSL_CTX_set_default_verify_paths(t->ctx) != 1)
        wrong = t->ca_file;
    else if (SSL_CTX_use_certificate_chain_file(t->ctx, t->cert_file) != 1)
        wrong = t->cert_file;
    else if (SSL_CTX_use_PrivateKey_file(t->ctx, t->key_file, SSL_FILETYPE_PEM) != 1 ||
             SSL_CTX_check_private_key(t->ctx) != 1)
        wrong = t->key_file;
    else
        return GBA_OK;
    snprintf(t->why, sizeof(t->why), "%s: %s", wrong != NULL ? wrong : "the system's roots",
             ERR_reason_error_string(ERR_peek_last_error()));
    return GBA_E_CONFIG;
}

static enum gba_err name_peer(struct gba_tls *t, const char *sni)
{
    if (sni[0] != '\0')
        SSL_set_tlsext_host_name(t->ssl, sni);
    if (t->identity != NULL)
        return GBA_OK;
    /* the target's name exactly (TS-0003 8.1.2.5), and no wildcards (10.1.1) */
    SSL_set_hostflags(t->ssl,
                      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS);
    return sni[0] != '\0' && SSL_set1_host(t->ssl, sni) == 1 ? GBA_OK : GBA_E_ARGUMENT;
}

static enum gba_err set_up(struct gba_tls *t, const char *sni, const char *suites)
{
    enum gba_err err = GBA_OK;

    t->ctx = SSL_CTX_new(TLS_client_method());
    if (t->ctx == NULL)
        return GBA_E_NOMEM;
    SSL_CTX_set_app_data(t->ctx, t);
    SSL_CTX_set_info_callback(t->ctx, on_info);
    SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(t->ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
    if (t->identity != NULL)
        set_up_psk(t);
    else
        err = set_up_certificate(t);
    if (err != GBA_OK)
        return err;
    if (SSL_CTX_set_cipher_list(t->ctx, suites) != 1) {
        snprintf(t->why, sizeof(t->why), "unknown suite: %s", suites);
        return GBA_E_ARGUMENT;
    }
    t->ssl = SSL_new(t->ctx);
    if (t->ssl == NULL || SSL_set_fd(t->ssl, t->fd) != 1)
        return GBA_E_NOMEM;
    return name_peer(t, sni);
}

static enum gba_err shake_hands(struct gba_tls *t)
{
    enum gba_err err = GBA_OK;
    int rc;

    ERR_clear_error();
    while (err == GBA_OK && (rc = SSL_connect(t->ssl)) != 1)
        err = wait_ssl(t, rc);
    if (err == GBA_OK && t->identity != NULL &&
        SSL_CIPHER_get_auth_nid(SSL_get_current_cipher(t->ssl)) != NID_auth_psk)
        err = GBA_E_TLS;
    if (err == GBA_OK && t->identity == NULL && !t->asked)
        err = GBA_E_TLS; /* 8.2.2.2: each end knows the other */
    return err;
}

/* Of our own verification: the peer is not who it should be, or wants to know nobody. */
static void explain_certificate(struct gba_tls *t)
{
    long verified = t->ssl != NULL ? SSL_get_verify_result(t->ssl) : X509_V_OK;

    snprintf(t->why, sizeof(t->why), "%s",
             verified != X509_V_OK ? X509_verify_cert_error_string(verified)
             : t->ssl != NULL && SSL_is_init_finished(t->ssl)
                 ? "the target asks for no certificate of this device"
                 : "TLS handshake failed");
}

enum gba_err gba_tls_open(struct gba_tls *t, const char *host, const char *port,
                          const char *sni, const char *suites, unsigned timeout_s)
{
    enum gba_err err;

    t->fd = -1;
    t->deadline_ms = now_ms() + (int64_t)timeout_s * 1000;
    err = connect_tcp(t, host, port);
    if (err == GBA_OK)
        err = set_up(t, sni, suites);
    if (err == GBA_OK)
        err = shake_hands(t);
    if (err != GBA_E_TLS)
        return err;
    if (t->alert != 0)
        snprintf(t->why, sizeof(t->why), "the target refuses the %s: TLS alert %u (%s)",
                 t->identity != NULL ? "key" : "certificate", t->alert,
                 SSL_alert_desc_string_long((int)t->alert));
    else if (t->identity == NULL)
        explain_certificate(t);
    else
        snprintf(t->why, sizeof(t->why), "%s",
                 t->key_given
                     ? "the target ended the handshake: it refuses this key or its identifier"
                     : "TLS handshake failed");
    /* GnuTLS under libmicrohttpd sends no alert, it just closes. */
    return t->alert != 0 || t->key_given ? GBA_E_REFUSED : GBA_E_TLS;
}

const char *gba_tls_suite(const struct gba_tls *t, uint16_t *code)
{
    const SSL_CIPHER *c = SSL_get_current_cipher(t->ssl);

    *code = SSL_CIPHER_get_protocol_id(c);
    return SSL_CIPHER_standard_name(c);
}

static bool read_octet(struct gba_tls *t, char *c)
{
    int rc;

    while ((rc = SSL_read(t->ssl, c, 1)) != 1) {
        enum gba_err err = wait_ssl(t, rc);

        t->closed = err == GBA_E_TLS;
        if (err != GBA_OK)
            return false;
    }
    return true;
}

/* One line without its end; false: nothing came, or not its end in time. */
static bool read_line(struct gba_tls *t, char *line, size_t cap)
{
    size_t n = 0;
    char c = '\0';

    while (read_octet(t, &c) && c != '\n')
        if (n + 1 < cap)
            line[n++] = c;
    while (n > 0 && line[n - 1] == '\r')
        n--;
    line[n] = '\0';
    return n > 0 || c == '\n';
}

static bool write_all(struct gba_tls *t, const char *text)
{
    int rc;

    while ((rc = SSL_write(t->ssl, text, (int)strlen(text))) <= 0)
        if (wait_ssl(t, rc) != GBA_OK)
            return false;
    return true;
}

enum gba_err gba_tls_ask(struct gba_tls *t, const char *send, char *line, size_t cap)
{
    const int64_t patience_ms = now_ms() + ANSWER_WAIT_S * 1000;
    char field[512];

    if (patience_ms < t->deadline_ms)
        t->deadline_ms = patience_ms;
    line[0] = '\0';
    if (!write_all(t, send)) {
        snprintf(t->why, sizeof(t->why), "the target closed the session");
        return GBA_E_REFUSED;
    }
    if (!read_line(t, line, cap) && t->closed && t->identity == NULL) {
        /* TLS 1.3 ends before the target has looked at our certificate */
        if (t->alert != 0)
            snprintf(t->why, sizeof(t->why), "the target refuses the certificate: TLS alert %u (%s)",
                     t->alert, SSL_alert_desc_string_long((int)t->alert));
        else
            snprintf(t->why, sizeof(t->why), "the target closed the session");
        return GBA_E_REFUSED;
    }
    if (strncmp(line, "HTTP/1.", 7) != 0)
        return GBA_OK; /* the session stands; a target need not speak HTTP, or at all */
    if (strlen(line) < 12 || line[9] != '2') {
        snprintf(t->why, sizeof(t->why), "the target answers: %.100s", line);
        return GBA_E_REFUSED;
    }
    for (int i = 0; i < FIELDS_MAX && read_line(t, field, sizeof(field)); i++)
        if (field[0] == '\0') {
            if (read_line(t, field, sizeof(field)) && strlen(field) < cap)
                memcpy(line, field, strlen(field) + 1);
            break;
        }
    return GBA_OK;
}

void gba_tls_close(struct gba_tls *t)
{
    if (t->ssl != NULL)
        SSL_shutdown(t->ssl);
    SSL_free(t->ssl);
    SSL_CTX_free(t->ctx);
    if (t->fd >= 0)
        close(t->fd);
    gba_ue_wipe(t->key, sizeof(t->key));
}
