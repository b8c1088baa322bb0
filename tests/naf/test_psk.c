/*
 * naf/psk.c in real handshakes: a GnuTLS server with libgba-naf against an OpenSSL client over
 * a socket pair.  The fake BSF derives the key from B-TID and NAF_Id and the client from the
 * suite it negotiated, so a handshake that works proves that both mean the same Ua id.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/ua_protocol.h"
#include "naf/gba_naf_impl.h"
#include "naf/psk_identity.h"
#include "tests/unit.h"

#define T0   1000000
#define BTID "AAECAwQFBgcICQoLDA0ODw==@bsf.example"

static const char *const names[] = {"naf.example", "other.example"};

/* ------------------------------------------------------------ the BSF */

static void derive(const char *btid, struct gba_bytes naf_id, uint8_t use,
                   uint8_t out[static 32])
{
    const struct gba_bytes parts[] = {gba_text_bytes(gba_text(btid)), naf_id, {&use, 1}};

    gba_hash(GBA_SHA256, parts, 3, out);
}

static enum gba_err bsf_error;
static bool bsf_has_uicc_key;
static const char *bsf_uss_list = "";
static size_t n_asked;

/* Answers on the spot, which the port allows where no lock is held. */
static void bsf_ask(struct zn *self, const struct zn_query *q, zn_done *done, void *arg)
{
    struct gba_zn_answer a = {.impi = "user@example", .expiry_s = T0 + 100};
    struct gba_bytes naf_id = {q->naf_id.octets, q->naf_id.n};

    (void)self;
    n_asked++;
    a.has_uicc_key = bsf_has_uicc_key;
    a.uss_list = gba_text_bytes(gba_text(bsf_uss_list));
    derive(q->btid, naf_id, 'm', a.me_key.octets);
    derive(q->btid, naf_id, 'u', a.uicc_key.octets);
    done(arg, bsf_error, bsf_error == GBA_OK ? &a : NULL);
}

static void bsf_close(struct zn *self)
{
    (void)self;
}

static struct zn bsf = {.name = "bsf", .ask = bsf_ask, .close = bsf_close};

static struct gba_naf *make_naf(unsigned keys)
{
    const struct gba_naf_config c = {.fqdns = names, .n_fqdns = 2, .keys = keys};
    struct gba_naf *naf;

    bsf_error = GBA_OK;
    bsf_has_uicc_key = true;
    n_asked = 0;
    CU_ASSERT_EQUAL_FATAL(naf_new_with_zn(&c, &bsf, &naf), GBA_OK);
    return naf;
}

/* ------------------------------------------------------------ the client */

struct client {
    const char *identity; /* prefix and B-TID */
    const char *btid;
    const char *sni, *suites, *groups;
    const char *fqdn;  /* of its NAF_Id */
    const char *fixed; /* this key instead, text */
    uint8_t use;       /* 'm', 'u' */
    bool tls13, wrong;
    int fd;
    bool ok;
    int alert;
    uint16_t suite;
    char hint[64]; /* TLS 1.2 */
};

static void client_key(const struct client *c, const uint8_t ua_id[static 5],
                       uint8_t key[static 32])
{
    struct gba_naf_id id;

    gba_naf_id_make(gba_text(c->fqdn), ua_id, &id);
    derive(c->btid, (struct gba_bytes){id.octets, id.n}, c->use, key);
    if (c->wrong)
        key[31] ^= 1;
}

static unsigned on_psk(SSL *ssl, const char *hint, char *identity, unsigned max_identity,
                       unsigned char *key, unsigned max_key)
{
    struct client *c = SSL_get_app_data(ssl);
    uint8_t ua_id[5];

    snprintf(c->hint, sizeof(c->hint), "%s", hint != NULL ? hint : "");
    if (strlen(c->identity) >= max_identity || max_key < 32)
        return 0;
    memcpy(identity, c->identity, strlen(c->identity) + 1);
    if (c->fixed != NULL) {
        memcpy(key, c->fixed, strlen(c->fixed));
        return (unsigned)strlen(c->fixed);
    }
    gba_ua_tls12(SSL_CIPHER_get_protocol_id(SSL_get_pending_cipher(ssl)), ua_id);
    client_key(c, ua_id, key);
    return 32;
}

static int on_psk13(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *len,
                    SSL_SESSION **out)
{
    static const unsigned char aes128[] = {0x13, 0x01};
    const struct client *c = SSL_get_app_data(ssl);
    const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, aes128);
    uint8_t key[32];

    *out = NULL;
    if (md != NULL &&
        EVP_MD_get_type(md) != EVP_MD_get_type(SSL_CIPHER_get_handshake_digest(cipher)))
        return 1;
    client_key(c, gba_ua_psk_tls13, key);
    *out = SSL_SESSION_new();
    *id = (const unsigned char *)c->identity;
    *len = strlen(c->identity);
    return SSL_SESSION_set1_master_key(*out, key, sizeof(key)) == 1 &&
           SSL_SESSION_set_cipher(*out, cipher) == 1 &&
           SSL_SESSION_set_protocol_version(*out, TLS1_3_VERSION) == 1;
}

static int no_certificate(X509_STORE_CTX *x, void *arg)
{
    (void)x;
    (void)arg;
    return 0;
}

static SSL_CTX *client_context(const struct client *c)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    int version = c->tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;

    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, no_certificate, NULL);
    if (c->tls13)
        SSL_CTX_set_psk_use_session_callback(ctx, on_psk13);
    else
        SSL_CTX_set_psk_client_callback(ctx, on_psk);
    if (c->suites != NULL && SSL_CTX_set_cipher_list(ctx, c->suites) != 1)
        abort(); /* CUnit asserts on the main thread only */
    if (c->groups != NULL)
        SSL_CTX_set1_groups_list(ctx, c->groups);
    return ctx;
}

static void *client_run(void *arg)
{
    struct client *c = arg;
    SSL_CTX *ctx = client_context(c);
    SSL *ssl = SSL_new(ctx);
    char octet;

    SSL_set_app_data(ssl, c);
    SSL_set_fd(ssl, c->fd);
    if (c->sni != NULL)
        SSL_set_tlsext_host_name(ssl, c->sni);
    ERR_clear_error();
    c->ok = SSL_connect(ssl) == 1;
    if (c->ok) {
        c->suite = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl));
        c->ok = SSL_read(ssl, &octet, 1) == 1; /* the server is content as well */
    }
    if (!c->ok && ERR_GET_REASON(ERR_peek_error()) > SSL_AD_REASON_OFFSET)
        c->alert = ERR_GET_REASON(ERR_peek_error()) - SSL_AD_REASON_OFFSET;
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(c->fd);
    return NULL;
}

/* ------------------------------------------------------------ the server */

static int64_t fixed_now(void *arg)
{
    return *(const int64_t *)arg;
}

struct outcome {
    int rc; /* of the handshake */
    enum gba_err peer_err, reason;
    struct gba_naf_peer peer;
    enum gba_err later_err; /* of gba_naf_psk_peer, an hour later */
    char uss_list[64];
};

static int64_t *clock_of; /* set: the clock that handshake() advances */

static struct outcome handshake(struct gba_naf_psk *psk, const char *priorities,
                                struct client *c)
{
    struct outcome o = {.rc = -1};
    gnutls_session_t s;
    pthread_t thread;
    int fds[2];

    signal(SIGPIPE, SIG_IGN);
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    c->fd = fds[1];
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, client_run, c), 0);
    gnutls_init(&s, GNUTLS_SERVER);
    CU_ASSERT_EQUAL(gnutls_priority_set_direct(s, priorities, NULL), 0);
    CU_ASSERT_EQUAL(gba_naf_psk_attach(psk, s), GBA_OK);
    gnutls_transport_set_int(s, fds[0]);
    do
        o.rc = gnutls_handshake(s);
    while (o.rc < 0 && gnutls_error_is_fatal(o.rc) == 0);
    if (o.rc == 0) {
        size_t n = 0;
        const char *uss = gba_naf_psk_uss_list(psk, s, &n);

        CU_ASSERT(n < sizeof(o.uss_list) && (uss != NULL) == (n > 0));
        memcpy(o.uss_list, uss != NULL ? uss : "", n);
        o.peer_err = gba_naf_psk_peer(psk, s, &o.peer);
        if (clock_of != NULL) {
            struct gba_naf_peer nobody;

            *clock_of += 3600;
            o.later_err = gba_naf_psk_peer(psk, s, &nobody);
            CU_ASSERT_STRING_EQUAL(nobody.identity, "");
            *clock_of -= 3600;
        }
        gnutls_record_send(s, "!", 1);
    } else {
        gnutls_alert_send_appropriate(s, o.rc);
    }
    o.reason = gba_naf_psk_reason(psk, s);
    shutdown(fds[0], SHUT_WR);
    pthread_join(thread, NULL);
    gnutls_deinit(s);
    close(fds[0]);
    return o;
}

/* ------------------------------------------------------------ tests */

static void test_identities(void)
{
    static const struct {
        const char *text;
        bool bare_only;
        enum gba_err err;
        unsigned key_type;
    } rows[] = {
        {"3GPP-bootstrapping;" BTID, false, GBA_OK, GBA_NAF_KEY_ME},
        {"3GPP-bootstrapping." BTID, false, GBA_OK, GBA_NAF_KEY_ME},
        {"3GPP-bootstrapping:" BTID, false, GBA_OK, GBA_NAF_KEY_ME},
        {"3GPP-bootstrapping" BTID, false, GBA_OK, GBA_NAF_KEY_ME},
        {"3GPP-bootstrapping-uicc;" BTID, false, GBA_OK, GBA_NAF_KEY_UICC},
        {"3GPP-bootstrapping-uicc" BTID, false, GBA_OK, GBA_NAF_KEY_UICC},
        {"3GPP-bootstrapping-digest;" BTID, false, GBA_E_UNSUPPORTED, 0},
        {BTID, false, GBA_OK, 0},
        {BTID, true, GBA_OK, 0},
        {"3GPP-bootstrapping;" BTID, true, GBA_E_UNSUPPORTED, 0},
        {"3GPP-bootstrapping;;" BTID, false, GBA_E_SYNTAX, 0},
        {"3GPP-bootstrapping;", false, GBA_E_SYNTAX, 0},
        {"3gpp-bootstrapping;" BTID, false, GBA_E_SYNTAX, 0},
        {"3GPP-bootstrapping-uicc-x;" BTID, false, GBA_E_SYNTAX, 0},
        {"AAECAwQFBgcICQoLDA0O@bsf.example", false, GBA_E_SYNTAX, 0},
        {"AAECAwQFBgcICQoLDA0ODxA=@bsf.example", false, GBA_E_SYNTAX, 0},
        {"AAECAwQFBgcICQoLDA0ODw==@", false, GBA_E_SYNTAX, 0},
        {"AAECAwQFBgcICQoLDA0ODw==", false, GBA_E_SYNTAX, 0},
        {"user@example", false, GBA_E_SYNTAX, 0},
        {"", false, GBA_E_SYNTAX, 0},
    };
    struct psk_identity id;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_EQUAL(
            psk_identity_parse(gba_text_bytes(gba_text(rows[i].text)), rows[i].bare_only, &id),
            rows[i].err);
        if (rows[i].err == GBA_OK) {
            CU_ASSERT_STRING_EQUAL(id.btid, BTID);
            CU_ASSERT_EQUAL(id.key_type, rows[i].key_type);
        }
    }
    CU_ASSERT_EQUAL(psk_identity_parse(gba_text_bytes(GBA_TEXT(BTID "\0x")), false, &id),
                    GBA_E_SYNTAX);
}

static void test_suites(void)
{
    static const struct {
        enum gba_naf_tls_profile profile;
        const char *suites;
        uint16_t suite; /* 0: no handshake */
    } rows[] = {
        {GBA_NAF_TLS_33222, "PSK-AES128-CBC-SHA256", 0x00ae},
        {GBA_NAF_TLS_33222, "PSK-AES128-GCM-SHA256", 0x00a8},
        {GBA_NAF_TLS_33222, "ECDHE-PSK-CHACHA20-POLY1305", 0xccac},
        {GBA_NAF_TLS_33222, "DHE-PSK-AES128-GCM-SHA256", 0x00aa},
        {GBA_NAF_TLS_33222, "ECDHE-PSK-AES128-CBC-SHA256", 0xc037},
        {GBA_NAF_TLS_33222, "PSK", 0xccac},
        {GBA_NAF_TLS_ONEM2M_GBA, "PSK-AES128-CBC-SHA256", 0x00ae},
        {GBA_NAF_TLS_ONEM2M_GBA, "PSK", 0x00ae},
        {GBA_NAF_TLS_ONEM2M_GBA, "PSK-AES128-GCM-SHA256", 0},
        {GBA_NAF_TLS_ONEM2M_GBA, "DHE-PSK-AES128-CBC-SHA256", 0},
        {GBA_NAF_TLS_ONEM2M, "PSK", 0x00b2},
        {GBA_NAF_TLS_ONEM2M, "PSK-AES128-CBC-SHA256", 0x00ae},
        {GBA_NAF_TLS_ONEM2M_EXTENDED, "PSK", 0xccac},
        {GBA_NAF_TLS_MEF, "PSK", 0xccac},
        {GBA_NAF_TLS_MEF, "PSK-AES128-CBC-SHA256", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_naf *naf = make_naf(GBA_NAF_KEY_ME);
        const int64_t now = T0;
        const struct gba_naf_psk_config pc = {
            .naf = naf, .now = fixed_now, .now_arg = (void *)(uintptr_t)&now};
        struct client c = {.identity = "3GPP-bootstrapping;" BTID,
                           .btid = BTID,
                           .sni = "naf.example",
                           .fqdn = "naf.example",
                           .use = 'm',
                           .suites = rows[i].suites};
        struct gba_naf_psk *psk;
        struct outcome o;
        uint8_t ua_id[5];

        CU_ASSERT_EQUAL_FATAL(gba_naf_psk_new(&pc, &psk), GBA_OK);
        o = handshake(psk, gba_naf_tls_priorities(rows[i].profile), &c);
        CU_ASSERT_EQUAL(c.ok, rows[i].suite != 0);
        CU_ASSERT_EQUAL(o.rc == 0, rows[i].suite != 0);
        if (o.rc == 0) {
            CU_ASSERT_EQUAL(c.suite, rows[i].suite);
            CU_ASSERT_EQUAL(o.peer_err, GBA_OK);
            CU_ASSERT(o.peer.gba);
            CU_ASSERT_STRING_EQUAL(o.peer.btid, BTID);
            CU_ASSERT_STRING_EQUAL(o.peer.impi, "user@example");
            CU_ASSERT_STRING_EQUAL(o.peer.identity, "3GPP-bootstrapping;" BTID);
            CU_ASSERT_EQUAL(o.peer.expires_s, T0 + 100);
            gba_ua_tls12(rows[i].suite, ua_id);
            CU_ASSERT_EQUAL(memcmp(o.peer.ua_id, ua_id, 5), 0);
        }
        gba_naf_psk_free(psk);
        gba_naf_free(naf);
    }
}

/* Each row changes one thing; what the client sees and what the server knows. */
static void test_cases(void)
{
    static const struct {
        const char *what;
        struct client c; /* NULL fields: usual */
        unsigned keys;
        enum gba_err bsf;
        bool no_uicc_key, alert_unknown, bare_only;
        bool ok;
        enum gba_err reason;
        int alert, alert13; /* 0: any, or none */
        size_t asked;
    } rows[] = {
        {.what = "as it should be", .ok = true, .asked = 1},
        {.what = "bare", .c = {.identity = BTID}, .ok = true, .asked = 1},
        {.what = "bare only",
         .c = {.identity = BTID},
         .bare_only = true,
         .ok = true,
         .asked = 1},
        {.what = "prefix where bare is asked for",
         .bare_only = true,
         .reason = GBA_E_UNSUPPORTED},
        {.what = "second name",
         .c = {.sni = "other.example", .fqdn = "other.example"},
         .ok = true,
         .asked = 1},
        {.what = "SNI in capitals", .c = {.sni = "NAF.example"}, .ok = true, .asked = 1},
        {.what = "no SNI: the first name", .c = {.sni = ""}, .ok = true, .asked = 1},
        {.what = "SNI not ours", .c = {.sni = "evil.example"}, .reason = GBA_E_MISDIRECTED},
        {.what = "key of another name",
         .c = {.fqdn = "other.example"},
         .reason = GBA_OK,
         .asked = 1},
        {.what = "wrong key", .c = {.wrong = true}, .reason = GBA_OK, .asked = 1},
        {.what = "unknown B-TID", .bsf = GBA_E_BTID, .reason = GBA_E_BTID, .asked = 1},
        {.what = "unknown B-TID, said so",
         .bsf = GBA_E_BTID,
         .alert_unknown = true,
         .reason = GBA_E_BTID,
         .alert = 115,
         .asked = 1},
        {.what = "no B-TID, said so",
         .c = {.identity = "joe"},
         .alert_unknown = true,
         .reason = GBA_E_SYNTAX,
         .alert = 115},
        {.what = "no B-TID", .c = {.identity = "joe"}, .reason = GBA_E_SYNTAX},
        {.what = "BSF away",
         .bsf = GBA_E_ZN_UNREACHABLE,
         .reason = GBA_E_ZN_UNREACHABLE,
         .alert = 80,
         .asked = 1},
        {.what = "UICC",
         .keys = 3,
         .c = {.identity = "3GPP-bootstrapping-uicc;" BTID, .use = 'u'},
         .ok = true,
         .asked = 1},
        {.what = "UICC without its key",
         .keys = 3,
         .no_uicc_key = true,
         .c = {.identity = "3GPP-bootstrapping-uicc;" BTID, .use = 'u'},
         .reason = GBA_E_NOT_FOUND,
         .asked = 1},
        {.what = "Ks_ext for Ks_int",
         .keys = 3,
         .c = {.identity = "3GPP-bootstrapping-uicc;" BTID, .use = 'm'},
         .reason = GBA_OK,
         .asked = 1},
        {.what = "UICC not taken",
         .c = {.identity = "3GPP-bootstrapping-uicc;" BTID, .use = 'u'},
         .reason = GBA_E_MISDIRECTED},
        {.what = "ME not taken", .keys = 2, .reason = GBA_E_MISDIRECTED},
        {.what = "another group first", .c = {.groups = "P-521:P-256"}, .ok = true, .asked = 1},
    };

    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        size_t r = i / 2;
        struct gba_naf *naf = make_naf(rows[r].keys);
        const int64_t now = T0;
        const struct gba_naf_psk_config pc = {.naf = naf,
                                              .now = fixed_now,
                                              .now_arg = (void *)(uintptr_t)&now,
                                              .bare_only = rows[r].bare_only,
                                              .unknown_psk_identity = rows[r].alert_unknown};
        struct client c = rows[r].c;
        struct gba_naf_psk *psk;
        struct outcome o;

        c.tls13 = i % 2 == 1;
        c.btid = BTID;
        c.identity = c.identity != NULL ? c.identity : "3GPP-bootstrapping;" BTID;
        c.fqdn = c.fqdn != NULL ? c.fqdn : "naf.example";
        c.sni = c.sni == NULL ? "naf.example" : c.sni[0] != '\0' ? c.sni : NULL;
        c.use = c.use != 0 ? c.use : 'm';
        c.suites = c.tls13 ? NULL : "ECDHE-PSK-CHACHA20-POLY1305:PSK-AES128-CBC-SHA256";
        bsf_error = rows[r].bsf;
        bsf_has_uicc_key = !rows[r].no_uicc_key;
        CU_ASSERT_EQUAL_FATAL(gba_naf_psk_new(&pc, &psk), GBA_OK);
        o = handshake(psk, gba_naf_tls_priorities(GBA_NAF_TLS_33222), &c);
        if (c.ok != rows[r].ok || o.reason != rows[r].reason || n_asked != rows[r].asked)
            printf("\n%s (TLS 1.%d): ok %d rc %d reason %s asked %zu alert %d\n", rows[r].what,
                   c.tls13 ? 3 : 2, c.ok, o.rc, gba_err_name(o.reason), n_asked, c.alert);
        CU_ASSERT_EQUAL(c.ok, rows[r].ok);
        CU_ASSERT_EQUAL(o.rc == 0, rows[r].ok);
        CU_ASSERT_EQUAL(o.reason, rows[r].reason);
        CU_ASSERT_EQUAL(n_asked, rows[r].asked);
        if (rows[r].alert != 0)
            CU_ASSERT_EQUAL(c.alert, rows[r].alert);
        if (o.rc == 0) {
            CU_ASSERT_EQUAL(o.peer_err, GBA_OK);
            CU_ASSERT_STRING_EQUAL(o.peer.fqdn, c.fqdn);
            if (c.tls13)
                UNIT_BYTES_EQ(o.peer.ua_id, 5, "0100000007");
        }
        gba_naf_psk_free(psk);
        gba_naf_free(naf);
    }
}

static enum gba_err row_err;
static enum gba_err look_up_row(void *arg, const struct gba_naf_handshake *h,
                                struct gba_naf_psk_row *row)
{
    CU_ASSERT_STRING_EQUAL((const char *)arg, "rows");
    CU_ASSERT_EQUAL(h->suite, 0x00ae);
    if (h->identity_len != 7 || memcmp(h->identity, "kpsa@in", 7) != 0)
        return GBA_E_NOT_FOUND;
    memcpy(row->key, "a-provisioned-key", 17);
    row->key_len = 17;
    row->expires_s = T0 + 5;
    memcpy(row->name, "//sp/cse", 9);
    return row_err;
}

static void test_rows(void)
{
    static const struct {
        const char *identity;
        enum gba_err row_err;
        int64_t now;
        bool ok, gba;
    } rows[] = {
        {"kpsa@in", GBA_OK, T0, true, false},
        {"kpsa@in", GBA_OK, T0 + 5, false, false},
        {"kpsa@in", GBA_E_FORBIDDEN, T0, false, false},
        {"kpsa@iN", GBA_OK, T0, false, false},
        {BTID, GBA_OK, T0, true, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_naf *naf = make_naf(0);
        const struct gba_naf_psk_config pc = {.naf = naf,
                                              .lookup = look_up_row,
                                              .lookup_arg = "rows",
                                              .now = fixed_now,
                                              .now_arg = (void *)(uintptr_t)&rows[i].now};
        struct client c = {.identity = rows[i].identity,
                           .btid = BTID,
                           .fqdn = "naf.example",
                           .use = 'm',
                           .fixed = rows[i].gba ? NULL : "a-provisioned-key",
                           .suites = "PSK-AES128-CBC-SHA256"};
        struct gba_naf_psk *psk;
        struct outcome o;

        row_err = rows[i].row_err;
        CU_ASSERT_EQUAL_FATAL(gba_naf_psk_new(&pc, &psk), GBA_OK);
        o = handshake(psk, gba_naf_tls_priorities(GBA_NAF_TLS_ONEM2M_GBA), &c);
        CU_ASSERT_EQUAL(c.ok, rows[i].ok);
        CU_ASSERT_EQUAL(o.rc == 0, rows[i].ok);
        if (o.rc == 0) {
            CU_ASSERT_EQUAL(o.peer.gba, rows[i].gba);
            CU_ASSERT_STRING_EQUAL(o.peer.name, rows[i].gba ? "" : "//sp/cse");
        }
        gba_naf_psk_free(psk);
        gba_naf_free(naf);
    }
}

static struct sockaddr_in peer_now = {.sin_family = AF_INET};
static const struct sockaddr *tell_peer(void *arg, gnutls_session_t session)
{
    (void)arg;
    (void)session;
    return (const struct sockaddr *)&peer_now;
}

static void note_refusal(void *arg, enum gba_err err, gnutls_session_t session)
{
    (void)session;
    *(enum gba_err *)arg = err;
}

/* RULES 21: what one address may have the BSF be asked, by a clock of ours. */
static void test_asks_of_an_address(void)
{
    static const struct {
        const char *btid;
        uint8_t address;
        int64_t now_s;
        enum gba_err bsf, err;
        size_t asked;
        int alert; /* 0: any, or none */
    } rows[] = {
        {BTID, 1, 0, GBA_OK, GBA_OK, 1, 0},
        {"AAAAAAAAAAAAAAAAAAAAAQ==@bsf.example", 1, 0, GBA_E_BTID, GBA_E_BTID, 2, 0},
        {"AAAAAAAAAAAAAAAAAAAAAg==@bsf.example", 1, 0, GBA_OK, GBA_E_RATE_LIMITED, 2, 80},
        {BTID, 1, 0, GBA_OK, GBA_OK, 2, 0}, /* known, and known to be unknown: free */
        {"AAAAAAAAAAAAAAAAAAAAAQ==@bsf.example", 1, 0, GBA_OK, GBA_E_BTID, 2, 0},
        {"joe", 1, 0, GBA_OK, GBA_E_SYNTAX, 2, 0},
        {"AAAAAAAAAAAAAAAAAAAAAg==@bsf.example", 2, 0, GBA_OK, GBA_OK, 3, 0},
        {"AAAAAAAAAAAAAAAAAAAAAw==@bsf.example", 1, 29, GBA_OK, GBA_E_RATE_LIMITED, 3, 80},
        {"AAAAAAAAAAAAAAAAAAAAAw==@bsf.example", 1, 30, GBA_OK, GBA_OK, 4, 0},
        {"AAAAAAAAAAAAAAAAAAAABA==@bsf.example", 1, 30, GBA_OK, GBA_E_RATE_LIMITED, 4, 80},
    };
    struct gba_naf *naf = make_naf(0);
    enum gba_err refused = GBA_OK;
    int64_t now = T0;
    const struct gba_naf_psk_config pc = {.naf = naf,
                                          .now = fixed_now,
                                          .now_arg = &now,
                                          .asks_burst = 2,
                                          .asks_per_minute = 2,
                                          .peer = tell_peer,
                                          .refused = note_refusal,
                                          .refused_arg = &refused};
    struct gba_naf_psk *psk;

    CU_ASSERT_EQUAL_FATAL(gba_naf_psk_new(&pc, &psk), GBA_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct client c = {.identity = rows[i].btid,
                           .btid = rows[i].btid,
                           .fqdn = "naf.example",
                           .use = 'm',
                           .suites = "PSK-AES128-CBC-SHA256"};
        struct outcome o;

        now = T0 + rows[i].now_s;
        peer_now.sin_addr.s_addr = rows[i].address;
        bsf_error = rows[i].bsf;
        refused = GBA_OK;
        o = handshake(psk, gba_naf_tls_priorities(GBA_NAF_TLS_33222), &c);
        if (o.reason != rows[i].err || n_asked != rows[i].asked)
            printf("\nrow %zu: reason %s asked %zu\n", i, gba_err_name(o.reason), n_asked);
        CU_ASSERT_EQUAL(c.ok, rows[i].err == GBA_OK);
        CU_ASSERT_EQUAL(o.reason, rows[i].err);
        CU_ASSERT_EQUAL(refused, rows[i].err);
        CU_ASSERT_EQUAL(n_asked, rows[i].asked);
        if (rows[i].alert != 0)
            CU_ASSERT_EQUAL(c.alert, rows[i].alert);
    }
    gba_naf_psk_free(psk);
    gba_naf_free(naf);
}

static void test_expired_since(void)
{
    struct gba_naf *naf = make_naf(0);
    int64_t now = T0;
    const struct gba_naf_psk_config pc = {.naf = naf, .now = fixed_now, .now_arg = &now};
    struct gba_naf_psk *psk;
    struct client c = {
        .identity = BTID, .btid = BTID, .fqdn = "naf.example", .use = 'm', .suites = "PSK"};
    struct outcome o;

    CU_ASSERT_EQUAL_FATAL(gba_naf_psk_new(&pc, &psk), GBA_OK);
    clock_of = &now;
    o = handshake(psk, gba_naf_tls_priorities(GBA_NAF_TLS_33222), &c);
    clock_of = NULL;
    CU_ASSERT(o.rc == 0 && o.peer_err == GBA_OK);
    CU_ASSERT_EQUAL(o.later_err, GBA_E_EXPIRED); /* the connection is to end then */
    now = T0 + 100;                              /* the cache serves nothing past expiry */
    o = handshake(psk, gba_naf_tls_priorities(GBA_NAF_TLS_33222), &c);
    CU_ASSERT(o.rc != 0 && o.reason == GBA_E_EXPIRED);
    gba_naf_psk_free(psk);
    gba_naf_free(naf);
}

/* The ussList that came with the key is the session's, also when the key is cached. */
static void test_uss_list(void)
{
    struct gba_naf *naf = make_naf(0);
    const int64_t now = T0;
    const struct gba_naf_psk_config pc = {
        .naf = naf, .now = fixed_now, .now_arg = (void *)(uintptr_t)&now};
    struct gba_naf_psk *psk;
    struct outcome o;

    CU_ASSERT_EQUAL_FATAL(gba_naf_psk_new(&pc, &psk), GBA_OK);
    for (int i = 0; i < 4; i++) {
        struct client c = {.identity = BTID,
                           .btid = BTID,
                           .fqdn = "naf.example",
                           .use = 'm',
                           .suites = "PSK",
                           .wrong = i == 2,
                           .tls13 = i == 3};

        bsf_uss_list = i == 3 ? "" : "<ussList/>";
        o = handshake(psk, gba_naf_tls_priorities(GBA_NAF_TLS_33222), &c);
        CU_ASSERT_EQUAL(o.rc == 0, i != 2);
        CU_ASSERT_STRING_EQUAL(o.uss_list, i < 2 ? "<ussList/>" : "");
    }
    bsf_uss_list = "";
    gba_naf_psk_free(psk);
    gba_naf_free(naf);
}

static void test_hints(void)
{
    static const struct {
        unsigned keys;
        const char *given, *hint;
        bool bare_only;
    } rows[] = {
        {GBA_NAF_KEY_ME, NULL, "3GPP-bootstrapping", false},
        {GBA_NAF_KEY_ME | GBA_NAF_KEY_UICC, NULL, "3GPP-bootstrapping-uicc;3GPP-bootstrapping",
         false},
        {GBA_NAF_KEY_ME, NULL, "", true}, /* oneM2M has no hints */
        {GBA_NAF_KEY_ME, "mine", "mine", false},
        {GBA_NAF_KEY_ME, "", "", false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_naf *naf = make_naf(rows[i].keys);
        int64_t now = T0;
        const struct gba_naf_psk_config pc = {.naf = naf,
                                              .hint = rows[i].given,
                                              .bare_only = rows[i].bare_only,
                                              .now = fixed_now,
                                              .now_arg = &now};
        struct client c = {
            .identity = BTID, .btid = BTID, .fqdn = "naf.example", .use = 'm', .suites = "PSK"};
        struct gba_naf_psk *psk;

        CU_ASSERT_EQUAL_FATAL(gba_naf_psk_new(&pc, &psk), GBA_OK);
        CU_ASSERT_EQUAL(handshake(psk, gba_naf_tls_priorities(GBA_NAF_TLS_33222), &c).rc, 0);
        CU_ASSERT_STRING_EQUAL(c.hint, rows[i].hint);
        gba_naf_psk_free(psk);
        gba_naf_free(naf);
    }
}

static void test_configuration(void)
{
    struct gba_naf_psk *psk;

    CU_ASSERT_EQUAL(gba_naf_psk_new(&(struct gba_naf_psk_config){.hint = ""}, &psk),
                    GBA_E_ARGUMENT);
    CU_ASSERT_EQUAL(
        gba_naf_psk_new(
            &(struct gba_naf_psk_config){.lookup = look_up_row, .identity_max = 513}, &psk),
        GBA_E_ARGUMENT);
}

static const struct unit_test tests[] = {
    {"identities", test_identities},
    {"profiles and suites", test_suites},
    {"handshakes by table, TLS 1.2 and 1.3", test_cases},
    {"keys of the server's own", test_rows},
    {"asks of an address", test_asks_of_an_address},
    {"an expired key is not used", test_expired_since},
    {"the ussList of a session", test_uss_list},
    {"hints", test_hints},
    {"configuration", test_configuration},
};
UNIT_MAIN("psk", tests)
