/*
 * Client certificates in the handshake: see tls_verify.h.  GnuTLS, left alone, ends a handshake
 * without a word: a client could not tell a wrong certificate from a broken network.  Alerts as
 * RFC 8446 6.2 and RFC 5246 7.2.2, 7.4.6 have them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/tls_verify.h"

#include <netdb.h>
#include <sys/socket.h>

#include "common/host/log.h"

struct refusal {
    unsigned status; /* of gnutls_certificate_status_t: any of these bits */
    gnutls_alert_description_t alert;
    const char *reason;
};

/* The first that fits. */
static const struct refusal refusals[] = {
    {GNUTLS_CERT_REVOKED, GNUTLS_A_CERTIFICATE_REVOKED, "certificate revoked"},
    {GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA, GNUTLS_A_UNKNOWN_CA,
     "certificate of an unknown CA"},
    {GNUTLS_CERT_EXPIRED, GNUTLS_A_CERTIFICATE_EXPIRED, "certificate expired"},
    {GNUTLS_CERT_NOT_ACTIVATED, GNUTLS_A_CERTIFICATE_EXPIRED, "certificate not valid yet"},
    {GNUTLS_CERT_PURPOSE_MISMATCH, GNUTLS_A_UNSUPPORTED_CERTIFICATE,
     "certificate for another purpose"},
    {GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED | GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE,
     GNUTLS_A_BAD_CERTIFICATE, "revocation list out of date"},
    {GNUTLS_CERT_INSECURE_ALGORITHM, GNUTLS_A_BAD_CERTIFICATE,
     "certificate with an insecure algorithm"},
    {~0u, GNUTLS_A_BAD_CERTIFICATE, "bad certificate"},
};

static const struct refusal *refusal_of(unsigned status)
{
    const struct refusal *r = refusals;

    while ((r->status & status) == 0)
        r++;
    return r;
}

static const struct refusal *missing(gnutls_session_t s)
{
    static const struct refusal of_13 = {0, GNUTLS_A_CERTIFICATE_REQUIRED, "no certificate"};
    static const struct refusal of_12 = {0, GNUTLS_A_HANDSHAKE_FAILURE, "no certificate"};

    return tls_is_13(s) ? &of_13 : &of_12;
}

void tls_verify_peer(gnutls_session_t s, char *out, size_t cap)
{
    struct sockaddr_storage sa;
    socklen_t n = sizeof(sa);

    out[0] = '\0';
    if (getpeername(gnutls_transport_get_int(s), (struct sockaddr *)&sa, &n) != 0 ||
        getnameinfo((struct sockaddr *)&sa, n, out, (socklen_t)cap, NULL, 0, NI_NUMERICHOST) !=
            0)
        out[0] = '\0';
}

static int refuse(gnutls_session_t s, const struct tls_verify *v, const struct refusal *r)
{
    char peer[64];

    (void)gnutls_alert_send(s, GNUTLS_AL_FATAL, r->alert);
    tls_verify_peer(s, peer, sizeof(peer));
    LOG(v->log, LOG_LV_NOTICE, "tls.refused", LOG_STR("peer", peer),
        LOG_STR("reason", r->reason));
    return GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
}

/* GnuTLS's own rules (GNUTLS_CERT_REQUIRE, gnutls_session_set_verify_cert) would end the
 * handshake before an alert could be sent, and refuse to do without a certificate that was only
 * asked for. */
static int verify(gnutls_session_t s)
{
    const struct tls_verify *v = gnutls_db_get_ptr(s);
    unsigned status = 0, n = 0;

    if (gnutls_auth_get_type(s) != GNUTLS_CRD_CERTIFICATE)
        return 0; /* PSK beside certificates */
    if (gnutls_certificate_get_peers(s, &n) == NULL || n == 0)
        return v->client == TLS_CLIENT_REQUIRED ? refuse(s, v, missing(s)) : 0;
    if (gnutls_certificate_verify_peers2(s, &status) != 0)
        status = GNUTLS_CERT_INVALID;
    return status == 0 ? 0 : refuse(s, v, refusal_of(status));
}

void tls_verify_attach(const struct tls_verify *v, gnutls_session_t s)
{
    if (v->client == TLS_CLIENT_NONE) {
        gnutls_certificate_server_set_request(s, GNUTLS_CERT_IGNORE);
        return;
    }
    gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUEST);
    /* There is no session cache; its pointer is the one that libmicrohttpd leaves to us. */
    gnutls_db_set_ptr(s, (void *)(uintptr_t)v);
    gnutls_session_set_verify_function(s, verify);
}
