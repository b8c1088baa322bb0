/*
 * common/host/tls_rawpk.c: raw public keys shown and known, against certtool's and openssl's
 * way of naming one: SHA-256 of the SubjectPublicKeyInfo.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/abstract.h>

#include "common/crypto.h"
#include "common/host/tls.h"
#include "common/host/tls_rawpk.h"
#include "tests/host/certs.h"

#define PRIORITIES                                                                             \
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:+CTYPE-SRV-RAWPK:+CTYPE-CLI-RAWPK:-CTYPE-SRV-X509"          \
    ":-CTYPE-CLI-X509"

static struct certs_pair ca, pair;

static void digest_of(gnutls_x509_privkey_t key, uint8_t out[static 32])
{
    gnutls_privkey_t private;
    gnutls_pubkey_t public;
    gnutls_datum_t der;

    gnutls_privkey_init(&private);
    gnutls_pubkey_init(&public);
    gnutls_privkey_import_x509(private, key, 0);
    gnutls_pubkey_import_privkey(public, private, 0, 0);
    gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, &der);
    gba_hash(GBA_SHA256, &(struct gba_bytes){der.data, der.size}, 1, out);
    gnutls_free(der.data);
    gnutls_pubkey_deinit(public);
    gnutls_privkey_deinit(private);
}

static int accept_all(gnutls_session_t s)
{
    (void)s;
    return 0;
}

static gnutls_session_t make_session(unsigned flags, const char *priorities,
                                     gnutls_certificate_credentials_t creds, int fd)
{
    gnutls_session_t s;

    gnutls_init(&s, flags | GNUTLS_NONBLOCK | GNUTLS_ENABLE_RAWPK);
    CU_ASSERT_EQUAL(gnutls_priority_set_direct(s, priorities, NULL), 0);
    gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, creds);
    gnutls_session_set_verify_function(s, accept_all);
    if ((flags & GNUTLS_SERVER) != 0)
        gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUEST);
    gnutls_transport_set_int(s, fd);
    return s;
}

/* Both ends of one connection by turns. */
static void shake_hands(gnutls_session_t a, gnutls_session_t b)
{
    int x = GNUTLS_E_AGAIN, y = GNUTLS_E_AGAIN;

    for (unsigned i = 0; i < 100 && (x == GNUTLS_E_AGAIN || y == GNUTLS_E_AGAIN); i++) {
        if (x == GNUTLS_E_AGAIN)
            x = gnutls_handshake(a);
        if (y == GNUTLS_E_AGAIN)
            y = gnutls_handshake(b);
    }
    CU_ASSERT_EQUAL(x, 0);
    CU_ASSERT_EQUAL(y, 0);
}

static void connect_pair(const char *priorities, bool raw, bool known)
{
    gnutls_certificate_credentials_t creds;
    gnutls_session_t client, server;
    uint8_t want[32], got[32];
    int fd[2];

    gnutls_certificate_allocate_credentials(&creds);
    if (raw)
        CU_ASSERT_EQUAL(tls_rawpk_add(creds, certs_path("pair.key")), 0);
    if (!known)
        CU_ASSERT_EQUAL(gnutls_certificate_set_x509_key_file(creds, certs_path("pair.pem"),
                                                             certs_path("pair.key"),
                                                             GNUTLS_X509_FMT_PEM),
                        0);
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    client = make_session(GNUTLS_CLIENT, priorities, creds, fd[0]);
    server = make_session(GNUTLS_SERVER, priorities, creds, fd[1]);
    shake_hands(client, server);
    digest_of(pair.key, want);
    CU_ASSERT_EQUAL(tls_peer_rawpk(server, got), known ? GBA_OK : GBA_E_NOT_FOUND);
    if (known)
        CU_ASSERT(memcmp(want, got, sizeof(want)) == 0);
    CU_ASSERT_EQUAL(tls_peer_rawpk(client, got), known ? GBA_OK : GBA_E_NOT_FOUND);
    gnutls_deinit(client);
    gnutls_deinit(server);
    close(fd[0]);
    close(fd[1]);
    gnutls_certificate_free_credentials(creds);
}

static void test_digest(void)
{
    connect_pair(PRIORITIES, true, true);
}

static void test_x509_is_none(void)
{
    connect_pair("NORMAL:-VERS-ALL:+VERS-TLS1.2", true, false);
}

static void test_bad_files(void)
{
    gnutls_certificate_credentials_t creds;

    gnutls_certificate_allocate_credentials(&creds);
    CU_ASSERT(tls_rawpk_add(creds, certs_path("none.key")) < 0);
    CU_ASSERT(tls_rawpk_add(creds, certs_path("pair.pem")) < 0); /* no private key */
    gnutls_certificate_free_credentials(creds);
}

static const struct unit_test tests[] = {
    {"both ends know the key", test_digest},
    {"a certificate is none", test_x509_is_none},
    {"files", test_bad_files},
};

int main(void)
{
    int rc;

    certs_folder();
    ca = certs_make("ca", "Test CA", NULL, 24, 1);
    pair = certs_make("pair", "pair", &ca, 24, 2);
    rc = unit_main("tls_rawpk", tests, sizeof(tests) / sizeof(tests[0]));
    certs_free(&pair);
    certs_free(&ca);
    certs_folder_remove();
    return rc;
}
