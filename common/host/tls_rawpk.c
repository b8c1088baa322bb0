/*
 * Raw public keys: see tls_rawpk.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/tls_rawpk.h"

#include <gnutls/abstract.h>

#include "common/crypto.h"
#include "common/secret.h"

static int export_public(const gnutls_datum_t *key_pem, gnutls_datum_t *out)
{
    gnutls_privkey_t key = NULL;
    gnutls_pubkey_t public = NULL;
    int rc = gnutls_privkey_init(&key);

    if (rc == 0)
        rc = gnutls_privkey_import_x509_raw(key, key_pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (rc == 0)
        rc = gnutls_pubkey_init(&public);
    if (rc == 0)
        rc = gnutls_pubkey_import_privkey(public, key, 0, 0);
    if (rc == 0)
        rc = gnutls_pubkey_export2(public, GNUTLS_X509_FMT_PEM, out);
    if (public != NULL)
        gnutls_pubkey_deinit(public);
    if (key != NULL)
        gnutls_privkey_deinit(key);
    return rc;
}

int tls_rawpk_add(gnutls_certificate_credentials_t creds, const char *key_file)
{
    gnutls_datum_t key = {NULL, 0}, public = {NULL, 0};
    int rc = gnutls_load_file(key_file, &key);

    if (rc == 0)
        rc = export_public(&key, &public);
    if (rc == 0)
        rc = gnutls_certificate_set_rawpk_key_mem(creds, &public, &key, GNUTLS_X509_FMT_PEM,
                                                  NULL, GNUTLS_KEY_DIGITAL_SIGNATURE, NULL, 0,
                                                  0);
    if (key.data != NULL)
        gba_wipe(key.data, key.size);
    gnutls_free(key.data);
    gnutls_free(public.data);
    return rc < 0 ? rc : 0;
}

/* GnuTLS gives the SubjectPublicKeyInfo in the place of a certificate. */
enum gba_err tls_peer_rawpk(gnutls_session_t s, uint8_t spki_sha256[static 32])
{
    const gnutls_datum_t *peer;
    unsigned n = 0;

    if (gnutls_auth_get_type(s) != GNUTLS_CRD_CERTIFICATE ||
        gnutls_certificate_type_get2(s, GNUTLS_CTYPE_PEERS) != GNUTLS_CRT_RAWPK)
        return GBA_E_NOT_FOUND;
    peer = gnutls_certificate_get_peers(s, &n);
    if (peer == NULL || n != 1)
        return GBA_E_NOT_FOUND;
    gba_hash(GBA_SHA256, &(struct gba_bytes){peer[0].data, peer[0].size}, 1, spki_sha256);
    return GBA_OK;
}
