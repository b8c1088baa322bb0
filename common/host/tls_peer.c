/*
 * Who the peer of an established TLS session is by its certificate: see tls_peer.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/tls_peer.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/x509.h>

#define OID_SIZE   128
#define VALUE_SIZE 512
#define NAME_SIZE  (OID_SIZE + 2 * VALUE_SIZE + 16)

static gnutls_x509_crt_t peer_certificate(gnutls_session_t s)
{
    unsigned n = 0;
    const gnutls_datum_t *chain;
    gnutls_x509_crt_t crt = NULL;

    if (s == NULL || gnutls_auth_get_type(s) != GNUTLS_CRD_CERTIFICATE)
        return NULL;
    chain = gnutls_certificate_get_peers(s, &n);
    if (chain == NULL || n == 0 || gnutls_x509_crt_init(&crt) != 0)
        return NULL;
    if (gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) != 0) {
        gnutls_x509_crt_deinit(crt);
        return NULL;
    }
    return crt;
}

/* Its end, or not even a list of names. */
static bool is_end(int type)
{
    return type < 0 && type != GNUTLS_E_SHORT_MEMORY_BUFFER &&
           type != GNUTLS_E_X509_UNKNOWN_SAN;
}

static bool print_text(struct gba_wbuf *w, const char *type, struct gba_text value)
{
    if (value.n == 0 || value.n >= VALUE_SIZE || memchr(value.s, '\0', value.n) != NULL)
        return false;
    gba_wbuf_str(w, type);
    gba_wbuf_text(w, value);
    return true;
}

static bool print_other(struct gba_wbuf *w, gnutls_x509_crt_t crt, unsigned at,
                        struct gba_bytes value)
{
    char oid[OID_SIZE];
    size_t n = sizeof(oid);

    if (gnutls_x509_crt_get_subject_alt_othername_oid(crt, at, oid, &n) < 0 ||
        n >= sizeof(oid) || value.n == 0)
        return false;
    gba_wbuf_str(w, "other:");
    gba_wbuf_text(w, (struct gba_text){oid, n});
    gba_wbuf_str(w, ":");
    gba_wbuf_hex(w, value);
    return true;
}

/* The at-th name as text, or "": not one of ours.  False: there is no at-th. */
static bool print_name(gnutls_x509_crt_t crt, unsigned at, char out[static NAME_SIZE])
{
    char value[VALUE_SIZE];
    size_t n = sizeof(value);
    int type = gnutls_x509_crt_get_subject_alt_name(crt, at, value, &n, NULL);
    struct gba_text text = {value, n};
    struct gba_wbuf w;
    bool ours = false;

    gba_wbuf_init(&w, out, NAME_SIZE);
    if (type == GNUTLS_SAN_DNSNAME)
        ours = print_text(&w, "dns:", text);
    else if (type == GNUTLS_SAN_URI)
        ours = print_text(&w, "uri:", text);
    else if (type == GNUTLS_SAN_OTHERNAME)
        ours = print_other(&w, crt, at, gba_text_bytes(text));
    (void)gba_wbuf_cstr(&w);
    if (!ours || !gba_wbuf_ok(&w))
        out[0] = '\0';
    return !is_end(type);
}

static enum gba_err read_names(gnutls_x509_crt_t crt, struct tls_peer *p)
{
    char name[NAME_SIZE];

    for (unsigned at = 0; print_name(crt, at, name); at++) {
        if (name[0] == '\0')
            continue;
        p->more = p->n == TLS_PEER_NAMES;
        if (p->more)
            break;
        p->name[p->n] = strdup(name);
        if (p->name[p->n] == NULL)
            return GBA_E_NOMEM;
        p->n++;
    }
    return GBA_OK;
}

enum gba_err tls_peer_read(gnutls_session_t s, struct tls_peer **out)
{
    gnutls_x509_crt_t crt = peer_certificate(s);
    struct tls_peer *p;
    enum gba_err err = GBA_E_NOMEM;

    *out = NULL;
    if (crt == NULL)
        return GBA_E_NOT_FOUND;
    p = calloc(1, sizeof(*p));
    if (p != NULL) {
        atomic_store(&p->refs, 1);
        p->expires_s = gnutls_x509_crt_get_expiration_time(crt);
        err = read_names(crt, p);
    }
    gnutls_x509_crt_deinit(crt);
    if (err == GBA_OK)
        *out = p;
    else
        tls_peer_release(p);
    return err;
}

enum gba_err tls_peer_verify(gnutls_session_t s, struct tls_peer **out)
{
    unsigned status = 0;

    *out = NULL;
    if (s == NULL || gnutls_certificate_verify_peers2(s, &status) != 0 || status != 0)
        return GBA_E_NOT_FOUND;
    return tls_peer_read(s, out);
}

struct tls_peer *tls_peer_hold(struct tls_peer *p)
{
    if (p != NULL)
        atomic_fetch_add(&p->refs, 1);
    return p;
}

void tls_peer_release(struct tls_peer *p)
{
    if (p == NULL || atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    for (size_t i = 0; i < p->n; i++)
        free(p->name[i]);
    free(p);
}
