/*
 * Who the peer of an established TLS session is by its certificate: see tls.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <gnutls/x509.h>
#include <string.h>

#include "common/host/tls.h"

#define OID_SIZE   128
#define VALUE_SIZE 512

/* The verified certificate of the peer.  Whoever asks for names trusts them: so what the
 * handshake checked is checked again, with the credentials of the session. */
static gnutls_x509_crt_t peer_certificate(gnutls_session_t s)
{
    unsigned n = 0, status = 0;
    const gnutls_datum_t *chain;
    gnutls_x509_crt_t crt = NULL;

    if (s == NULL || gnutls_auth_get_type(s) != GNUTLS_CRD_CERTIFICATE)
        return NULL;
    chain = gnutls_certificate_get_peers(s, &n);
    if (chain == NULL || n == 0 || gnutls_certificate_verify_peers2(s, &status) != 0 ||
        status != 0 || gnutls_x509_crt_init(&crt) != 0)
        return NULL;
    if (gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) != 0) {
        gnutls_x509_crt_deinit(crt);
        return NULL;
    }
    return crt;
}

/* The i-th alternative name of that type. */
static enum gba_err alternative_name(gnutls_x509_crt_t crt, unsigned type, unsigned i,
                                     char *out, size_t cap)
{
    for (unsigned at = 0, seen = 0;; at++) {
        size_t n = cap;
        int rc = gnutls_x509_crt_get_subject_alt_name(crt, at, out, &n, NULL);

        if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return GBA_E_NOT_FOUND;
        if (rc == GNUTLS_E_SHORT_MEMORY_BUFFER) {
            unsigned other = 0;

            n = 0;
            rc = gnutls_x509_crt_get_subject_alt_name2(crt, at, NULL, &n, &other, NULL);
            if (other == type && seen++ == i)
                return GBA_E_TOO_LONG;
            continue;
        }
        if (rc < 0)
            return GBA_E_SYNTAX;
        if ((unsigned)rc != type || seen++ != i)
            continue;
        if (n >= cap || memchr(out, '\0', n) != NULL)
            return GBA_E_SYNTAX;
        out[n] = '\0';
        return GBA_OK;
    }
}

static enum gba_err peer_name(gnutls_session_t s, unsigned type, unsigned i, char *out,
                              size_t cap)
{
    gnutls_x509_crt_t crt = peer_certificate(s);
    enum gba_err err = GBA_E_NOT_FOUND;

    if (crt != NULL) {
        err = alternative_name(crt, type, i, out, cap);
        gnutls_x509_crt_deinit(crt);
    }
    if (err != GBA_OK)
        out[0] = '\0';
    return err;
}

enum gba_err tls_peer_dns_name(gnutls_session_t s, unsigned i, char out[static 256])
{
    return peer_name(s, GNUTLS_SAN_DNSNAME, i, out, 256);
}

enum gba_err tls_peer_uri(gnutls_session_t s, unsigned i, char *out, size_t cap)
{
    return peer_name(s, GNUTLS_SAN_URI, i, out, cap);
}

/* --- all names at once ------------------------------------------------------------------- */

static void add_name(struct tls_peer *p, const char *type, struct gba_text value)
{
    struct gba_wbuf w;

    if (p->n == TLS_PEER_NAMES || value.n == 0)
        return;
    gba_wbuf_init(&w, p->name[p->n], sizeof(p->name[p->n]));
    gba_wbuf_str(&w, type);
    gba_wbuf_text(&w, value);
    gba_wbuf_cstr(&w);
    if (gba_wbuf_ok(&w))
        p->n++;
}

/* otherName: "other:OID:HEX", the DER of its value in hexadecimal. */
static void add_other(struct tls_peer *p, gnutls_x509_crt_t crt, unsigned at,
                      struct gba_bytes value)
{
    char oid[OID_SIZE], text[OID_SIZE + 2 * VALUE_SIZE + 2];
    size_t n = sizeof(oid);
    struct gba_wbuf w;

    if (gnutls_x509_crt_get_subject_alt_othername_oid(crt, at, oid, &n) < 0 || n >= sizeof(oid))
        return;
    gba_wbuf_init(&w, text, sizeof(text));
    gba_wbuf_text(&w, (struct gba_text){oid, n});
    gba_wbuf_str(&w, ":");
    gba_wbuf_hex(&w, value);
    add_name(p, "other:", gba_bytes_text(gba_wbuf_bytes(&w)));
}

/* One that is too long, or holds a NUL, is nobody's name here. */
static bool add_san(struct tls_peer *p, gnutls_x509_crt_t crt, unsigned at)
{
    char value[VALUE_SIZE];
    size_t n = sizeof(value);
    int type = gnutls_x509_crt_get_subject_alt_name(crt, at, value, &n, NULL);
    struct gba_text text = {value, n};

    if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return false;
    if (type == GNUTLS_SAN_OTHERNAME)
        add_other(p, crt, at, gba_text_bytes(text));
    else if ((type == GNUTLS_SAN_DNSNAME || type == GNUTLS_SAN_URI) && n < sizeof(value) &&
             memchr(value, '\0', n) == NULL)
        add_name(p, type == GNUTLS_SAN_URI ? "uri:" : "dns:", text);
    return true;
}

enum gba_err tls_peer_read(gnutls_session_t s, struct tls_peer *out)
{
    gnutls_x509_crt_t crt = peer_certificate(s);

    out->n = 0;
    out->expires_s = 0;
    if (crt == NULL)
        return GBA_E_NOT_FOUND;
    out->expires_s = gnutls_x509_crt_get_expiration_time(crt);
    for (unsigned at = 0; at < TLS_PEER_NAMES && add_san(out, crt, at); at++)
        ;
    gnutls_x509_crt_deinit(crt);
    return GBA_OK;
}
