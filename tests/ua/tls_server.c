/*
 * HTTPS server of the UE's tests; see tests/ua/tls_server.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/ua/tls_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static struct tls_server *of(SSL *ssl)
{
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

static unsigned on_psk12(SSL *ssl, const char *identity, unsigned char *psk, unsigned max)
{
    struct tls_server *s = of(ssl);

    if (SSL_version(ssl) >= TLS1_3_VERSION)
        return 0; /* OpenSSL would take this one's key there too */
    snprintf(s->identity, sizeof(s->identity), "%s", identity);
    if (max < 32 || (s->refuse_identity != NULL && strcmp(identity, s->refuse_identity) == 0))
        return 0;
    if (s->find_key != NULL)
        s->find_key(s->ctx, s->key);
    memcpy(psk, s->key, 32);
    return 32;
}

static int on_psk13(SSL *ssl, const unsigned char *identity, size_t n, SSL_SESSION **session)
{
    static const unsigned char suite[2] = {0x13, 0x01};
    struct tls_server *s = of(ssl);

    *session = NULL;
    if (!s->psk13)
        return 1;
    snprintf(s->identity, sizeof(s->identity), "%.*s", (int)n, (const char *)identity);
    if (s->find_key != NULL)
        s->find_key(s->ctx, s->key);
    *session = SSL_SESSION_new();
    SSL_SESSION_set1_master_key(*session, s->key, 32);
    SSL_SESSION_set_cipher(*session, SSL_CIPHER_find(ssl, suite));
    SSL_SESSION_set_protocol_version(*session, TLS1_3_VERSION);
    return 1;
}

static void make_certificate(struct tls_server *s, const char *ca_file)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    char san[128];
    X509_EXTENSION *ext;
    FILE *f;

    snprintf(san, sizeof(san), s->dns != NULL ? "DNS:%s" : "IP:127.0.0.1,DNS:%s",
             s->dns != NULL ? s->dns : "naf.example");
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_version(x, 2);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
    X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);
    X509_sign(x, key, EVP_sha256());
    SSL_CTX_use_certificate(s->ssl_ctx, x);
    SSL_CTX_use_PrivateKey(s->ssl_ctx, key);
    f = fopen(ca_file, "w");
    if (f == NULL || PEM_write_X509(f, x) != 1)
        abort();
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(key);
}

/* Waits for octets; false: a new client waits while this one says nothing. */
static bool wait_for(const struct tls_server *s, SSL *ssl)
{
    struct pollfd p[2] = {{.fd = SSL_get_fd(ssl), .events = POLLIN},
                          {.fd = s->fd, .events = POLLIN}};

    if (SSL_pending(ssl) > 0)
        return true;
    poll(p, 2, -1);
    return p[0].revents != 0;
}

static bool read_request(const struct tls_server *s, SSL *ssl, char *in, size_t cap)
{
    size_t n = 0, need = 0;
    char *end;
    int got;

    for (;;) {
        in[n] = '\0';
        end = strstr(in, "\r\n\r\n");
        if (end != NULL && need == 0)
            need = (size_t)(end - in) + 4 + strtoul(fake_field(in, "Content-Length"), NULL, 10);
        if (end != NULL && n >= need)
            return true;
        if (n + 1 >= cap || !wait_for(s, ssl) ||
            (got = SSL_read(ssl, in + n, (int)(cap - n - 1))) <= 0)
            return false;
        n += (size_t)got;
    }
}

static void serve_one(struct tls_server *s, int fd)
{
    static char in[FAKE_REPLY_MAX], out[FAKE_REPLY_MAX];
    static const char label[] = "EXPORTER-oneM2M-Bootstrap";
    SSL *ssl = SSL_new(s->ssl_ctx);

    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
        s->n_handshakes++;
        s->suite = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl));
        SSL_export_keying_material(ssl, s->exported, 48, label, sizeof(label) - 1, NULL, 0, 0);
        while (read_request(s, ssl, in, sizeof(in)))
            if (SSL_write(ssl, out, (int)s->answer(s->ctx, in, out)) <= 0)
                break;
        SSL_shutdown(ssl);
    } else {
        s->n_failures++;
    }
    SSL_free(ssl);
}

static void *serve(void *arg)
{
    struct tls_server *s = arg;
    sigset_t pipe_signal;
    int c;

    /* In this thread only: the client under test has to see to itself. */
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    while ((c = accept(s->fd, NULL, NULL)) >= 0) {
        struct pollfd wait = {.fd = c, .events = POLLRDHUP};

        s->n_accepted++;
        if (s->silent)
            poll(&wait, 1, 10000); /* until the client goes */
        else
            serve_one(s, c);
        close(c);
    }
    return NULL;
}

void tls_server_start(struct tls_server *s, const char *ca_file)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);

    s->ssl_ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_app_data(s->ssl_ctx, s);
    SSL_CTX_set_min_proto_version(s->ssl_ctx, s->min_version);
    SSL_CTX_set_max_proto_version(s->ssl_ctx, s->max_version);
    SSL_CTX_set_options(s->ssl_ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (s->suites != NULL && SSL_CTX_set_cipher_list(s->ssl_ctx, s->suites) != 1)
        abort();
    SSL_CTX_set_dh_auto(s->ssl_ctx, 1);
    SSL_CTX_set_psk_server_callback(s->ssl_ctx, on_psk12);
    SSL_CTX_set_psk_find_session_callback(s->ssl_ctx, on_psk13);
    if (s->hint != NULL)
        SSL_CTX_use_psk_identity_hint(s->ssl_ctx, s->hint);
    if (!s->no_certificate)
        make_certificate(s, ca_file);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
        listen(s->fd, 8) != 0 || getsockname(s->fd, (struct sockaddr *)&a, &n) != 0)
        abort();
    s->port = ntohs(a.sin_port);
    if (pthread_create(&s->thread, NULL, serve, s) != 0)
        abort();
}

void tls_server_stop(struct tls_server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    SSL_CTX_free(s->ssl_ctx);
}
