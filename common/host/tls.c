/*
 * TLS server credentials and sessions over GnuTLS.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/tls.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <gnutls/x509.h>

#include "common/host/tls_rawpk.h"
#include "common/host/tls_verify.h"
#include "common/secret.h"

/* One reading of the files.  Sessions hold the one they began with. */
struct tls_creds {
    _Atomic unsigned refs;
    gnutls_certificate_credentials_t cert;
    gnutls_priority_t priorities;
    struct tls_verify verify;
};

struct tls_server {
    pthread_mutex_t lock;
    struct tls_creds *now;
    struct tls_server_config conf;    /* strings are copies */
    gnutls_datum_t cert_pem, key_pem; /* of the first reading */
    struct log *log;
};

static enum gba_err complain(struct log *log, const char *file, const char *what)
{
    LOG(log, LOG_LV_ERROR, "tls.config", LOG_STR("file", file), LOG_STR("reason", what));
    return GBA_E_CONFIG;
}

/* --- files ------------------------------------------------------------------------------- */

static void check_mode(const char *file, struct log *log)
{
    struct stat st;

    if (stat(file, &st) == 0 && (st.st_mode & 077) != 0)
        LOG(log, LOG_LV_WARNING, "tls.key_mode", LOG_STR("file", file),
            LOG_STR("reason", "others may read this private key; make it 0600"));
}

static enum gba_err load_key_pair(struct tls_creds *c, const struct tls_server_config *conf,
                                  struct log *log)
{
    int rc = gnutls_certificate_set_x509_key_file(c->cert, conf->cert_file, conf->key_file,
                                                  GNUTLS_X509_FMT_PEM);

    if (rc >= 0 && conf->raw_public_key)
        rc = tls_rawpk_add(c->cert, conf->key_file);
    if (rc >= 0)
        return GBA_OK;
    LOG(log, LOG_LV_ERROR, "tls.config", LOG_STR("file", conf->cert_file),
        LOG_STR("key", conf->key_file), LOG_STR("reason", gnutls_strerror(rc)));
    return GBA_E_CONFIG;
}

static enum gba_err load_roots(struct tls_creds *c, const char *file, struct log *log)
{
    int rc = gnutls_certificate_set_x509_trust_file(c->cert, file, GNUTLS_X509_FMT_PEM);

    return rc > 0 ? GBA_OK
                  : complain(log, file, rc < 0 ? gnutls_strerror(rc) : "no certificate in it");
}

static enum gba_err load_crl(struct tls_creds *c, const char *file, struct log *log)
{
    int rc;

    if (file == NULL)
        return GBA_OK;
    rc = gnutls_certificate_set_x509_crl_file(c->cert, file, GNUTLS_X509_FMT_PEM);
    return rc > 0 ? GBA_OK : complain(log, file, rc < 0 ? gnutls_strerror(rc) : "no CRL in it");
}

static enum gba_err load_trust(struct tls_creds *c, const struct tls_server_config *conf,
                               struct log *log)
{
    enum gba_err err;

    if (conf->client == TLS_CLIENT_NONE)
        return GBA_OK;
    if (conf->client_ca_file == NULL)
        return complain(log, "", "client certificates are asked for, but no CA file is given");
    err = load_roots(c, conf->client_ca_file, log);
    if (err == GBA_OK && conf->more_ca_file != NULL)
        err = load_roots(c, conf->more_ca_file, log);
    if (err == GBA_OK)
        err = load_crl(c, conf->crl_file, log);
    return err == GBA_OK ? load_crl(c, conf->more_crl_file, log) : err;
}

static enum gba_err load_creds(const struct tls_server_config *conf, struct log *log,
                               struct tls_creds **out)
{
    struct tls_creds *c = calloc(1, sizeof(*c));
    const char *at = NULL;
    enum gba_err err;

    if (c == NULL)
        return GBA_E_NOMEM;
    atomic_store(&c->refs, 1);
    c->verify = (struct tls_verify){conf->client, log};
    if (gnutls_certificate_allocate_credentials(&c->cert) != 0) {
        free(c);
        return GBA_E_NOMEM;
    }
    err = gnutls_priority_init(&c->priorities, conf->priorities, &at) == 0
              ? GBA_OK
              : complain(log, conf->priorities, "not a GnuTLS priority string");
    if (err != GBA_OK)
        c->priorities = NULL;
    if (err == GBA_OK)
        err = load_key_pair(c, conf, log);
    if (err == GBA_OK)
        err = load_trust(c, conf, log);
    if (err != GBA_OK) {
        tls_creds_release(c);
        return err;
    }
    *out = c;
    return GBA_OK;
}

/* --- the server -------------------------------------------------------------------------- */

static char *copy_or_null(const char *s, bool *ok)
{
    char *copy = s != NULL ? strdup(s) : NULL;

    if (s != NULL && copy == NULL)
        *ok = false;
    return copy;
}

static bool copy_config(struct tls_server *t, const struct tls_server_config *c)
{
    bool ok = true;

    t->conf = (struct tls_server_config){
        .cert_file = copy_or_null(c->cert_file, &ok),
        .key_file = copy_or_null(c->key_file, &ok),
        .client_ca_file = copy_or_null(c->client_ca_file, &ok),
        .crl_file = copy_or_null(c->crl_file, &ok),
        .more_ca_file = copy_or_null(c->more_ca_file, &ok),
        .more_crl_file = copy_or_null(c->more_crl_file, &ok),
        .client = c->client,
        .priorities =
            copy_or_null(c->priorities != NULL ? c->priorities : TLS_PRIORITIES_DEFAULT, &ok),
        .raw_public_key = c->raw_public_key,
    };
    return ok;
}

/* libmicrohttpd wants a key pair at its start; sessions are then given the current one. */
static enum gba_err load_pem(struct tls_server *t)
{
    int rc = gnutls_load_file(t->conf.cert_file, &t->cert_pem);

    if (rc < 0)
        return complain(t->log, t->conf.cert_file, gnutls_strerror(rc));
    rc = gnutls_load_file(t->conf.key_file, &t->key_pem);
    if (rc < 0)
        return complain(t->log, t->conf.key_file, gnutls_strerror(rc));
    return GBA_OK;
}

enum gba_err tls_server_new(const struct tls_server_config *c, struct log *log,
                            struct tls_server **out)
{
    struct tls_server *t;
    enum gba_err err;

    if (c->cert_file == NULL || c->key_file == NULL)
        return complain(log, "", "a certificate file and a key file are needed");
    t = calloc(1, sizeof(*t));
    if (t == NULL)
        return GBA_E_NOMEM;
    pthread_mutex_init(&t->lock, NULL);
    t->log = log;
    err = copy_config(t, c) ? load_pem(t) : GBA_E_NOMEM;
    if (err == GBA_OK) {
        check_mode(c->key_file, log);
        err = load_creds(&t->conf, log, &t->now);
    }
    if (err != GBA_OK) {
        tls_server_free(t);
        return err;
    }
    *out = t;
    return GBA_OK;
}

void tls_server_free(struct tls_server *t)
{
    if (t == NULL)
        return;
    tls_creds_release(t->now);
    if (t->key_pem.data != NULL)
        gba_wipe(t->key_pem.data, t->key_pem.size);
    gnutls_free(t->key_pem.data);
    gnutls_free(t->cert_pem.data);
    free((char *)t->conf.cert_file);
    free((char *)t->conf.key_file);
    free((char *)t->conf.client_ca_file);
    free((char *)t->conf.crl_file);
    free((char *)t->conf.more_ca_file);
    free((char *)t->conf.more_crl_file);
    free((char *)t->conf.priorities);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

enum gba_err tls_server_reload(struct tls_server *t)
{
    struct tls_creds *fresh = NULL, *old;
    enum gba_err err = load_creds(&t->conf, t->log, &fresh);

    if (err != GBA_OK)
        return err;
    check_mode(t->conf.key_file, t->log);
    pthread_mutex_lock(&t->lock);
    old = t->now;
    t->now = fresh;
    pthread_mutex_unlock(&t->lock);
    tls_creds_release(old);
    return GBA_OK;
}

const char *tls_server_priorities(const struct tls_server *t)
{
    return t->conf.priorities;
}

const char *tls_server_cert_pem(const struct tls_server *t)
{
    return (const char *)t->cert_pem.data;
}

const char *tls_server_key_pem(const struct tls_server *t)
{
    return (const char *)t->key_pem.data;
}

/* --- credentials of one session ---------------------------------------------------------- */

struct tls_creds *tls_server_hold(struct tls_server *t)
{
    struct tls_creds *c;

    pthread_mutex_lock(&t->lock);
    c = t->now;
    atomic_fetch_add(&c->refs, 1);
    pthread_mutex_unlock(&t->lock);
    return c;
}

void tls_creds_release(struct tls_creds *c)
{
    if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    if (c->priorities != NULL)
        gnutls_priority_deinit(c->priorities);
    gnutls_certificate_free_credentials(c->cert);
    free(c);
}

enum gba_err tls_creds_apply(struct tls_creds *c, gnutls_session_t session)
{
    if (gnutls_priority_set(session, c->priorities) != 0 ||
        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, c->cert) != 0)
        return GBA_E_TLS;
    tls_verify_attach(&c->verify, session);
    return GBA_OK;
}

/* --- an established session -------------------------------------------------------------- */

bool tls_is_13(gnutls_session_t s)
{
    return gnutls_protocol_get_version(s) == GNUTLS_TLS1_3;
}

enum gba_err tls_export(gnutls_session_t s, const char *label, uint8_t *out, size_t n)
{
    if (gnutls_prf_rfc5705(s, strlen(label), label, 0, NULL, n, (char *)out) != 0) {
        gba_wipe(out, n);
        return GBA_E_TLS;
    }
    return GBA_OK;
}

/* GnuTLS names a suite by its parts only.  In TLS 1.3 the key exchange is not one of them. */
uint16_t tls_suite(gnutls_session_t s)
{
    gnutls_kx_algorithm_t kx, want_kx = gnutls_kx_get(s);
    gnutls_cipher_algorithm_t cipher, want_cipher = gnutls_cipher_get(s);
    gnutls_mac_algorithm_t mac, want_mac = gnutls_mac_get(s);
    gnutls_protocol_t since;
    uint8_t id[2];

    for (size_t i = 0; gnutls_cipher_suite_info(i, id, &kx, &cipher, &mac, &since) != NULL;
         i++) {
        bool of_13 = since == GNUTLS_TLS1_3;

        if (cipher == want_cipher && mac == want_mac && of_13 == tls_is_13(s) &&
            (of_13 || kx == want_kx))
            return (uint16_t)(id[0] << 8 | id[1]);
    }
    return 0;
}
