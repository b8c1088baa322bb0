/*
 * naf/mef_coap.c, mef_coap_peer.c: sessions over loopback, for peers of a registry; the port in
 * between fails as each test wants.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_coap.h"

#include <gnutls/abstract.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/crypto.h"
#include "common/m2m_coap.h"
#include "naf/mef_peers_registry.h"
#include "tests/host/certs.h"
#include "tests/host/dtls_client.h"
#include "tests/naf/mef_world.h"
#include "tests/unit.h"

#define PATIENCE 5000

static struct mef_world w;
static struct metrics *metrics;
static struct certs_pair ca, server, device, cse, stranger;

/* ------------------------------------------------------------ the port */

static struct {
    atomic_int look_up, know; /* enum gba_err: in place of the registry's */
    atomic_bool nobody;       /* knows nobody */
    atomic_uint asked;        /* look-ups */
} says;
static struct mef_peers_registry registry;
static const uint8_t kpm[16] = "a pre-shared key";

static enum gba_err look_up(struct mef_peers *self, struct gba_bytes identity,
                            struct gba_naf_psk_row *row)
{
    (void)self;
    says.asked++;
    return says.look_up != GBA_OK ? (enum gba_err)says.look_up
                                  : registry.port.look_up(&registry.port, identity, row);
}

static enum gba_err know_psk(struct mef_peers *self, struct gba_bytes identity, int64_t now_s,
                             struct mef_client *out)
{
    (void)self;
    if (says.know != GBA_OK || says.nobody)
        return (enum gba_err)says.know;
    return registry.port.know_psk(&registry.port, identity, now_s, out);
}

static enum gba_err know_certificate(struct mef_peers *self, gnutls_session_t session,
                                     int64_t now_s, struct mef_client *out)
{
    (void)self;
    if (says.know != GBA_OK || says.nobody)
        return (enum gba_err)says.know;
    return registry.port.know_certificate(&registry.port, session, now_s, out);
}

static struct mef_peers peers = {look_up, know_psk, know_certificate};

/* ------------------------------------------------------------ worlds */

static void add_credential(enum mef_credential_kind kind, const char *name, int64_t expires_s)
{
    struct mef_credential c = {.kind = kind, .enrolee = WORLD_ENROLEE, .expires_s = expires_s};

    CU_ASSERT_EQUAL(mef_credential_name(kind, gba_text(name), c.name), GBA_OK);
    if (kind == MEF_CRED_PSK) {
        memcpy(c.key, kpm, sizeof(kpm));
        c.key_len = sizeof(kpm);
    }
    CU_ASSERT_EQUAL(w.registry->add_credential(w.registry, &c, MEF_OF_CONFIG), GBA_OK);
}

/* The device's public key as a file of its own, and its digest in hexadecimal. */
static void raw_key(char hex[static 65])
{
    gnutls_pubkey_t key;
    gnutls_datum_t text;
    uint8_t digest[32];
    FILE *f = fopen(certs_path("device.pub"), "w");

    gnutls_pubkey_init(&key);
    gnutls_pubkey_import_x509(key, device.crt, 0);
    gnutls_pubkey_export2(key, GNUTLS_X509_FMT_PEM, &text);
    CU_ASSERT(f != NULL && fwrite(text.data, text.size, 1, f) == 1 && fclose(f) == 0);
    gnutls_free(text.data);
    gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &text);
    gba_hash(GBA_SHA256, &(struct gba_bytes){text.data, text.size}, 1, digest);
    gnutls_free(text.data);
    gnutls_pubkey_deinit(key);
    gba_hex(hex, GBA_BYTES(digest));
}

static void make_world(void)
{
    char hex[65];

    mef_world_begin(&w);
    mef_peers_registry_init(&registry, &w.mef);
    raw_key(hex);
    add_credential(MEF_CRED_PSK, "one", 0);
    add_credential(MEF_CRED_PSK, "old", 1); /* expired in 1970 */
    add_credential(MEF_CRED_CERT, "uri:" WORLD_ENROLEE, 0);
    add_credential(MEF_CRED_RPK, hex, 0);
}

static struct mef_coap *begin(bool certificates)
{
    static const char *const listen[] = {"127.0.0.1:0"};
    const struct tls_server_config t = {.cert_file = certs_path("server.pem"),
                                        .key_file = certs_path("server.key"),
                                        .client_ca_file = certs_path("ca.pem")};
    struct mef_coap_config c = {.mef = &w.mef,
                                .peers = &peers,
                                .listen = listen,
                                .n_listen = 1,
                                .certificates = certificates ? &t : NULL,
                                .metrics = metrics};
    struct mef_coap *m = NULL;

    make_world();
    says.look_up = says.know = GBA_OK;
    says.nobody = false;
    says.asked = 0;
    CU_ASSERT_EQUAL_FATAL(mef_coap_new(&c, &m), GBA_OK);
    return m;
}

static void end(struct mef_coap *m)
{
    mef_coap_drain(m);
    mef_coap_free(m);
    mef_world_end(&w);
}

static int open_client(struct dtls_client *c, const struct mef_coap *m, const char *identity)
{
    const struct dtls_client_config conf = {.identity = gba_text_bytes(gba_text(identity)),
                                            .key = GBA_BYTES(kpm),
                                            .patience_ms = 1500};

    return dtls_client_open(c, mef_coap_bound(m, 0), &conf);
}

struct answer {
    uint8_t octets[2048];
    struct coap_message m;
    struct m2m_response rs;
};

static const char *from = WORLD_ENROLEE;

/* A request primitive there and its answer back: the client's side of common/m2m_coap. */
static enum gba_err ask(struct dtls_client *c, enum m2m_op op, const char *to, unsigned ty,
                        const char *json, struct answer *a)
{
    static uint16_t id;
    struct m2m_request rq = {.op = op,
                             .ty = ty,
                             .rcn = M2M_RCN_DEFAULT,
                             .rqi = "r",
                             .rvi = "3",
                             .pc = gba_text_bytes(gba_text(json))};
    struct coap_message m;
    uint8_t room[2048];
    struct gba_wbuf wbuf;
    ssize_t n;

    gba_text_copy(rq.fr, sizeof(rq.fr), gba_text(from));
    gba_text_copy(rq.to, sizeof(rq.to), gba_text(to));
    coap_message_init(&m, COAP_CON, 0, ++id, unit_hex("01"));
    CU_ASSERT_EQUAL(m2m_coap_request_print(&rq, &m), GBA_OK);
    gba_wbuf_init(&wbuf, room, sizeof(room));
    coap_message_print(&m, &wbuf);
    CU_ASSERT(gba_wbuf_ok(&wbuf) && dtls_client_send(c, gba_wbuf_bytes(&wbuf)));
    n = dtls_client_receive(c, a->octets, sizeof(a->octets), PATIENCE);
    if (n <= 0 || coap_message_read((struct gba_bytes){a->octets, (size_t)n}, &a->m) != GBA_OK)
        return GBA_E_TIMEOUT;
    return m2m_coap_response_read(&a->m, &rq, &a->rs);
}

#define REG "{\"sec:mefcr\":{\"et\":\"20990101T000000\",\"adfq\":\"admin.example\"}}"

/* ------------------------------------------------------------ tests */

static void test_registers(void)
{
    struct mef_coap *m = begin(false);
    struct dtls_client c;
    struct answer a;
    struct mef_ke ke;
    uint8_t exported[M2M_EXPORT_LEN];
    char key_id[M2M_KEY_ID_SIZE];
    struct gba_key key;

    CU_ASSERT_EQUAL(open_client(&c, m, "one"), 0);
    CU_ASSERT_EQUAL(tls_suite(c.s), 0xc0a8);
    CU_ASSERT_EQUAL(ask(&c, M2M_OP_CREATE, "//mef.example/-/", 4, REG, &a), GBA_OK);
    CU_ASSERT_EQUAL(a.rs.rsc, M2M_RSC_CREATED);
    CU_ASSERT_EQUAL(a.m.code, COAP_CREATED);
    tls_export(c.s, M2M_EXPORT_BOOTSTRAP, exported, sizeof(exported));
    m2m_export_split(exported, GBA_TEXT("mef.example"), key_id, &key);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, key_id, &ke), GBA_OK);
    CU_ASSERT(gba_equal_ct(&ke.ke, &key, sizeof(key)));
    CU_ASSERT_EQUAL(ask(&c, M2M_OP_RETRIEVE, a.rs.location, 0, NULL, &a), GBA_OK);
    CU_ASSERT_EQUAL(a.rs.rsc, M2M_RSC_OK);
    CU_ASSERT_EQUAL(ask(&c, M2M_OP_RETRIEVE, "-/none", 0, NULL, &a), GBA_OK);
    CU_ASSERT_EQUAL(a.rs.rsc, M2M_RSC_NOT_FOUND);
    CU_ASSERT_EQUAL(says.asked, 1);
    CU_ASSERT_EQUAL(mef_coap_sessions(m), 1);
    dtls_client_close(&c);
    end(m);
}

/* Whatever is not known for sure ends the handshake, or the session before its first request.
 */
static void test_who(void)
{
    static const struct {
        const char *identity;
        enum gba_err look_up, know;
        bool nobody;
        int alert; /* of the handshake; -1: none, 0: up, and then refused */
    } rows[] = {
        {"two", GBA_OK, GBA_OK, false, -1},
        {"old", GBA_OK, GBA_OK, false, -1},
        {"one\n", GBA_OK, GBA_OK, false, -1},
        {"one", GBA_E_NOT_FOUND, GBA_OK, false, -1},
        {"one", GBA_E_IO, GBA_OK, false, GNUTLS_A_INTERNAL_ERROR},
        {"one", GBA_OK, GBA_E_IO, false, 0},
        {"one", GBA_OK, GBA_OK, true, 0},
    };
    uint8_t octets[64];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mef_coap *m = begin(false);
        struct dtls_client c;
        int rc;

        says.look_up = rows[i].look_up;
        says.know = rows[i].know;
        says.nobody = rows[i].nobody;
        rc = open_client(&c, m, rows[i].identity);
        if (rows[i].alert == 0) {
            if (rc == 0)
                rc = (int)dtls_client_receive(&c, octets, sizeof(octets), PATIENCE);
            CU_ASSERT_EQUAL(rc, GNUTLS_E_FATAL_ALERT_RECEIVED);
            CU_ASSERT_EQUAL(gnutls_alert_get(c.s), GNUTLS_A_ACCESS_DENIED);
        } else if (rows[i].alert > 0) {
            CU_ASSERT_EQUAL(rc, GNUTLS_E_FATAL_ALERT_RECEIVED);
            CU_ASSERT_EQUAL((int)gnutls_alert_get(c.s), rows[i].alert);
        } else {
            CU_ASSERT_EQUAL(rc, GNUTLS_E_TIMEDOUT);
        }
        if (rc == 0)
            printf("row %zu\n", i);
        dtls_client_close(&c);
        end(m);
    }
}

/* Trouble of ours ends nothing; a credential that goes takes its sessions with it. */
static void test_expires(void)
{
    struct mef_coap *m = begin(false);
    struct dtls_client c;
    struct answer a;

    CU_ASSERT_EQUAL(open_client(&c, m, "one"), 0);
    CU_ASSERT_EQUAL(ask(&c, M2M_OP_CREATE, "-/", 4, REG, &a), GBA_OK);
    CU_ASSERT_EQUAL(a.rs.rsc, M2M_RSC_CREATED);
    says.know = GBA_E_IO; /* not before an answer: only then the server's end is up for sure */
    ask(&c, M2M_OP_RETRIEVE, "-/", 0, NULL, &a);
    CU_ASSERT_EQUAL(a.m.code, COAP_UNAVAILABLE);
    CU_ASSERT_EQUAL(a.rs.rsc, M2M_RSC_INTERNAL_SERVER_ERROR);
    says.know = GBA_OK;
    CU_ASSERT_EQUAL(ask(&c, M2M_OP_RETRIEVE, "-/", 0, NULL, &a), GBA_OK);
    CU_ASSERT_EQUAL(a.rs.rsc, M2M_RSC_OK);
    CU_ASSERT_EQUAL(w.registry->begin_config(w.registry), GBA_OK); /* loaded without rows */
    CU_ASSERT_EQUAL(w.registry->end_config(w.registry, GBA_OK), GBA_OK);
    ask(&c, M2M_OP_RETRIEVE, "-/", 0, NULL, &a);
    CU_ASSERT_EQUAL(a.m.code, COAP_UNAUTHORIZED);
    CU_ASSERT_EQUAL(a.rs.rsc, M2M_RSC_ORIGINATOR_HAS_NOT_REGISTERED);
    CU_ASSERT_STRING_EQUAL(a.rs.rqi, "r");
    CU_ASSERT(gba_text_is(gba_bytes_text(a.rs.pc), "{\"m2m:dbg\":\"forbidden\"}"));
    CU_ASSERT_EQUAL(dtls_client_receive(&c, a.octets, sizeof(a.octets), PATIENCE), 0);
    dtls_client_close(&c);
    end(m);
}

/* Opens a session with a certificate: 0, or GnuTLS's error. */
static int open_certificate(struct dtls_client *c, const struct mef_coap *m, const char *pem,
                            const char *key)
{
    const struct dtls_client_config conf = {.priority = DTLS_C0AE,
                                            .cert_file = certs_path(pem),
                                            .key_file = certs_path(key),
                                            .patience_ms = 1500};

    return dtls_client_open(c, mef_coap_bound(m, 0), &conf);
}

static void test_certificate(void)
{
    struct mef_coap *m = begin(true);
    struct dtls_client c;
    struct answer a;

    CU_ASSERT_EQUAL(open_certificate(&c, m, "device.pem", "device.key"), 0);
    CU_ASSERT_EQUAL(tls_suite(c.s), 0xc0ae);
    CU_ASSERT_EQUAL(ask(&c, M2M_OP_CREATE, "-/", 4, REG, &a), GBA_OK);
    CU_ASSERT_EQUAL(a.rs.rsc, M2M_RSC_CREATED);
    dtls_client_close(&c);
    CU_ASSERT_EQUAL(open_certificate(&c, m, "cse.pem", "cse.key"), 0); /* a target */
    from = WORLD_CSE;
    CU_ASSERT_EQUAL(ask(&c, M2M_OP_RETRIEVE, "-/", 0, NULL, &a), GBA_OK);
    CU_ASSERT_EQUAL(a.rs.rsc, M2M_RSC_OK);
    from = WORLD_ENROLEE;
    CU_ASSERT_EQUAL(ask(&c, M2M_OP_RETRIEVE, "-/", 0, NULL, &a), GBA_OK);
    CU_ASSERT_EQUAL(a.rs.rsc, M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE);
    dtls_client_close(&c);
    mef_coap_reload(m);
    CU_ASSERT_EQUAL(open_certificate(&c, m, "stranger.pem", "stranger.key"),
                    GNUTLS_E_FATAL_ALERT_RECEIVED);
    dtls_client_close(&c);
    says.know = GBA_E_IO;
    CU_ASSERT_EQUAL(open_certificate(&c, m, "device.pem", "device.key"),
                    GNUTLS_E_FATAL_ALERT_RECEIVED);
    dtls_client_close(&c);
    CU_ASSERT_EQUAL(open_client(&c, m, "two"), GNUTLS_E_TIMEDOUT);
    dtls_client_close(&c);
    end(m);
}

static void test_raw_key(void)
{
    struct mef_coap *m = begin(true);
    struct dtls_client_config conf = {.priority = DTLS_C0AE_RAW,
                                      .raw_public_file = certs_path("device.pub"),
                                      .raw_key_file = certs_path("device.key"),
                                      .patience_ms = 1500};
    struct dtls_client c;
    struct answer a;

    CU_ASSERT_EQUAL(dtls_client_open(&c, mef_coap_bound(m, 0), &conf), 0);
    CU_ASSERT_EQUAL(ask(&c, M2M_OP_CREATE, "-/", 4, REG, &a), GBA_OK);
    CU_ASSERT_EQUAL(a.rs.rsc, M2M_RSC_CREATED);
    CU_ASSERT_EQUAL(w.registry->begin_config(w.registry), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->end_config(w.registry, GBA_OK), GBA_OK);
    ask(&c, M2M_OP_RETRIEVE, "-/", 0, NULL, &a);
    CU_ASSERT_EQUAL(a.m.code, COAP_UNAUTHORIZED);
    dtls_client_close(&c);
    CU_ASSERT_EQUAL(dtls_client_open(&c, mef_coap_bound(m, 0), &conf),
                    GNUTLS_E_FATAL_ALERT_RECEIVED);
    dtls_client_close(&c);
    end(m);
}

static void test_configuration(void)
{
    static const char *const bad[] = {"127.0.0.1"}, *const ours[] = {"127.0.0.1:0"};
    const struct tls_server_config t = {.cert_file = certs_path("server.pem"),
                                        .key_file = certs_path("nothing.key"),
                                        .client_ca_file = certs_path("ca.pem")};
    struct mef_coap_config c = {
        .mef = &w.mef, .peers = &peers, .listen = bad, .n_listen = 1, .metrics = metrics};
    struct mef_coap *m = NULL;

    CU_ASSERT_EQUAL(mef_coap_new(&c, &m), GBA_E_ARGUMENT);
    CU_ASSERT_PTR_NULL(m);
    c.listen = ours;
    c.certificates = &t;
    CU_ASSERT_EQUAL(mef_coap_new(&c, &m), GBA_E_CONFIG);
    CU_ASSERT_PTR_NULL(mef_coap_bound(NULL, 0));
    CU_ASSERT_EQUAL(mef_coap_sessions(NULL), 0);
    mef_coap_drain(NULL);
    mef_coap_free(NULL);
}

static const struct unit_test tests[] = {
    {"registers", test_registers},       {"who it is", test_who},
    {"a credential goes", test_expires}, {"certificates", test_certificate},
    {"raw public keys", test_raw_key},   {"configuration", test_configuration},
};

int main(void)
{
    int rc;

    certs_folder();
    ca = certs_make("ca", "Test CA", NULL, 24, 1);
    certs_next_dns("mef.example");
    server = certs_make("server", "server", &ca, 24, 2);
    certs_next_uri(WORLD_ENROLEE);
    device = certs_make("device", "device", &ca, 24, 3);
    certs_next_dns(WORLD_FQDN);
    cse = certs_make("cse", "cse", &ca, 24, 4);
    certs_next_dns("*.sp.example");
    stranger = certs_make("stranger", WORLD_FQDN, &ca, 24, 5); /* its CN is nothing to us */
    metrics = metrics_new();
    rc = unit_main("mef_coap", tests, sizeof(tests) / sizeof(tests[0]));
    metrics_free(metrics);
    certs_free(&stranger);
    certs_free(&cse);
    certs_free(&device);
    certs_free(&server);
    certs_free(&ca);
    certs_folder_remove();
    return rc;
}
