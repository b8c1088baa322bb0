/*
 * A DTLS client for tests: see dtls_client.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/host/dtls_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/dtls.h>

bool dtls_client_connect(struct dtls_client *c, const char *address)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    in_port_t port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
    bool is6 = address[0] == '[';

    memset(c, 0, sizeof(*c));
    v6.sin6_port = v4.sin_port = port;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(is6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
    return c->fd >= 0 && connect(c->fd, is6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
                                 is6 ? sizeof(v6) : sizeof(v4)) == 0;
}

/* ------------------------------------------------------------ transport */

static int wait_for(gnutls_transport_ptr_t p, unsigned ms)
{
    const struct dtls_client *c = p;
    struct pollfd fd = {.fd = c->fd, .events = POLLIN};

    return poll(&fd, 1, ms > 60000 ? 60000 : (int)ms);
}

static ssize_t pull(gnutls_transport_ptr_t p, void *out, size_t cap)
{
    struct dtls_client *c = p;
    ssize_t n = recv(c->fd, out, cap, MSG_DONTWAIT);
    bool lost = n >= 0 && c->seen < 32 && (c->drop >> c->seen & 1) != 0;

    c->seen += n >= 0;
    if (n < 0 || lost) {
        gnutls_transport_set_errno(c->s, EAGAIN);
        return -1;
    }
    return n;
}

static ssize_t push(gnutls_transport_ptr_t p, const void *octets, size_t n)
{
    struct dtls_client *c = p;
    const uint8_t *o = octets;

    if (n > 13 && n <= sizeof(c->hello) && o[0] == 22 && o[4] == 0 && o[13] == 1) {
        memcpy(c->hello, o, n);
        c->hello_len = n;
    }
    return send(c->fd, octets, n, MSG_NOSIGNAL);
}

/* ------------------------------------------------------------ session */

static gnutls_datum_t datum(struct gba_bytes b)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)b.p, (unsigned)b.n};
}

static bool set_credentials(struct dtls_client *c, const struct dtls_client_config *conf)
{
    gnutls_datum_t id = datum(conf->identity), key = datum(conf->key);
    bool ok = gnutls_psk_allocate_client_credentials(&c->psk) == 0 &&
              gnutls_certificate_allocate_credentials(&c->cert) == 0;

    if (ok && conf->key.n != 0)
        ok = gnutls_psk_set_client_credentials2(c->psk, &id, &key, GNUTLS_PSK_KEY_RAW) == 0 &&
             gnutls_credentials_set(c->s, GNUTLS_CRD_PSK, c->psk) == 0;
    if (ok && conf->cert_file != NULL)
        ok = gnutls_certificate_set_x509_key_file(c->cert, conf->cert_file, conf->key_file,
                                                  GNUTLS_X509_FMT_PEM) >= 0;
    if (ok && conf->raw_public_file != NULL)
        ok = gnutls_certificate_set_rawpk_key_file(c->cert, conf->raw_public_file,
                                                   conf->raw_key_file, GNUTLS_X509_FMT_PEM,
                                                   NULL, 0, NULL, 0, 0, 0) >= 0;
    return ok && gnutls_credentials_set(c->s, GNUTLS_CRD_CERTIFICATE, c->cert) == 0;
}

bool dtls_client_start(struct dtls_client *c, const struct dtls_client_config *conf)
{
    if (gnutls_init(&c->s, GNUTLS_CLIENT | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK |
                               GNUTLS_ENABLE_RAWPK) != 0)
        return false;
    c->drop = conf->drop;
    c->seen = 0;
    gnutls_transport_set_ptr(c->s, c);
    gnutls_transport_set_pull_function(c->s, pull);
    gnutls_transport_set_pull_timeout_function(c->s, wait_for);
    gnutls_transport_set_push_function(c->s, push);
    gnutls_dtls_set_timeouts(c->s, 300, conf->patience_ms != 0 ? conf->patience_ms : 10000);
    gnutls_dtls_set_mtu(c->s, 1400);
    return gnutls_priority_set_direct(c->s, conf->priority != NULL ? conf->priority : DTLS_C0A8,
                                      NULL) == 0 &&
           set_credentials(c, conf);
}

int dtls_client_handshake(struct dtls_client *c, bool block)
{
    int rc;

    do {
        rc = gnutls_handshake(c->s);
        if (rc == GNUTLS_E_AGAIN && block)
            wait_for(c, gnutls_dtls_get_timeout(c->s) + 1);
    } while (block && rc < 0 && gnutls_error_is_fatal(rc) == 0);
    return rc;
}

int dtls_client_open(struct dtls_client *c, const char *address,
                     const struct dtls_client_config *conf)
{
    if (!dtls_client_connect(c, address) || !dtls_client_start(c, conf))
        return GNUTLS_E_INTERNAL_ERROR;
    return dtls_client_handshake(c, true);
}

bool dtls_client_send(struct dtls_client *c, struct gba_bytes octets)
{
    return gnutls_record_send(c->s, octets.p, octets.n) == (ssize_t)octets.n;
}

ssize_t dtls_client_receive(struct dtls_client *c, uint8_t *out, size_t cap, int ms)
{
    for (;;) {
        ssize_t n = gnutls_record_recv(c->s, out, cap);

        if (n != GNUTLS_E_AGAIN && n != GNUTLS_E_INTERRUPTED)
            return n;
        if (wait_for(c, (unsigned)ms) <= 0)
            return GNUTLS_E_TIMEDOUT;
    }
}

void dtls_client_end(struct dtls_client *c, bool say)
{
    if (c->s != NULL) {
        if (say)
            gnutls_bye(c->s, GNUTLS_SHUT_WR);
        gnutls_deinit(c->s);
    }
    if (c->psk != NULL)
        gnutls_psk_free_client_credentials(c->psk);
    if (c->cert != NULL)
        gnutls_certificate_free_credentials(c->cert);
    c->s = NULL;
    c->psk = NULL;
    c->cert = NULL;
}

void dtls_client_close(struct dtls_client *c)
{
    dtls_client_end(c, false);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}
