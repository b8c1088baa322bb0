/*
 * naf/zn_soap_client.c against a real HTTPS server: answers, faults, and every way of failing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/zn_soap_client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ua_protocol.h"
#include "tests/host/certs.h"
#include "tests/naf/fake_bsf.h"
#include "tests/unit.h"

#define BTID "AAECAwQFBgcICQoLDA0ODw==@bsf.example"

static struct fake_bsf bsf;
static char naf_cert[128], naf_key[128], ca_file[128], stranger_ca[128], expired_cert[128],
    expired_key[128];

static void make_certificates(void)
{
    struct certs_pair ca = certs_make("ca", "ca", NULL, 24, 1), other, p;

    certs_next_dns("localhost");
    p = certs_make("bsf", "bsf", &ca, 24, 2);
    certs_free(&p);
    certs_next_dns("naf.example");
    p = certs_make("naf", "naf", &ca, 24, 3);
    certs_free(&p);
    certs_next_dns("naf.example");
    p = certs_make("old", "old", &ca, -1, 4);
    certs_free(&p);
    other = certs_make("other", "other", NULL, 24, 5);
    certs_free(&other);
    certs_free(&ca);
    snprintf(naf_cert, sizeof(naf_cert), "%s", certs_path("naf.pem"));
    snprintf(naf_key, sizeof(naf_key), "%s", certs_path("naf.key"));
    snprintf(expired_cert, sizeof(expired_cert), "%s", certs_path("old.pem"));
    snprintf(expired_key, sizeof(expired_key), "%s", certs_path("old.key"));
    snprintf(ca_file, sizeof(ca_file), "%s", certs_path("ca.pem"));
    snprintf(stranger_ca, sizeof(stranger_ca), "%s", certs_path("other.pem"));
}

/* ------------------------------------------------------------ one question */

struct heard {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    int n;
    enum gba_err err;
    uint8_t key[32];
    char impi[256], uss[256];
};

static void hear(void *arg, enum gba_err err, const struct gba_zn_answer *a)
{
    struct heard *h = arg;

    pthread_mutex_lock(&h->lock);
    h->n++;
    h->err = err;
    if (a != NULL) {
        memcpy(h->key, a->me_key.octets, 32);
        snprintf(h->impi, sizeof(h->impi), "%s", a->impi);
        snprintf(h->uss, sizeof(h->uss), "%.*s", (int)a->uss_list.n,
                 (const char *)a->uss_list.p);
    }
    pthread_cond_signal(&h->cond);
    pthread_mutex_unlock(&h->lock);
}

static struct zn_query query(const char *btid)
{
    struct zn_query q = {.n_gsids = 1, .gsid = {"1"}, .gba_u_aware = true};

    gba_text_copy(q.btid, sizeof(q.btid), gba_text(btid));
    gba_naf_id_make(GBA_TEXT("naf.example"), gba_ua_http_digest, &q.naf_id);
    return q;
}

static struct heard ask(struct zn *zn, const char *btid, unsigned deadline_ms)
{
    struct heard h = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
    struct zn_query q = query(btid);

    q.deadline_ms = deadline_ms;
    zn->ask(zn, &q, hear, &h);
    pthread_mutex_lock(&h.lock);
    while (h.n == 0)
        pthread_cond_wait(&h.cond, &h.lock);
    pthread_mutex_unlock(&h.lock);
    return h;
}

static atomic_int n_events; /* CUnit asserts on the main thread only */
static void on_event(void *arg, enum gba_err err, const char *what)
{
    (void)arg;
    n_events += err != GBA_OK && what[0] != '\0' ? 1 : 1000;
}

static struct gba_naf_bsf row;
static struct gba_naf_config config(void)
{
    row = (struct gba_naf_bsf){"bsf.example", bsf.url, ca_file};
    return (struct gba_naf_config){.bsfs = &row,
                                   .n_bsfs = 1,
                                   .cert_file = naf_cert,
                                   .key_file = naf_key,
                                   .zn_deadline_ms = 10000,
                                   .event = on_event};
}

static struct zn *client(const struct gba_naf_config *c)
{
    struct zn *zn;

    CU_ASSERT_EQUAL_FATAL(zn_soap_client_new(c, &zn), GBA_OK);
    return zn;
}

/* ------------------------------------------------------------ tests */

static void test_answer(void)
{
    struct gba_naf_config c;
    struct heard h;
    uint8_t key[32];
    struct zn_query q = query(BTID);

    fake_bsf_start(&bsf);
    fake_bsf_key(BTID, (struct gba_bytes){q.naf_id.octets, q.naf_id.n}, key);
    for (int bare = 0; bare < 2; bare++) {
        struct zn *zn;

        c = config();
        c.zn_bare = bare != 0;
        c.zn_namespace = bare != 0 ? "urn:x" : NULL;
        zn = client(&c);
        h = ask(zn, BTID, 0);
        CU_ASSERT(h.n == 1 && h.err == GBA_OK);
        CU_ASSERT(gba_equal_ct(h.key, key, 32));
        CU_ASSERT_STRING_EQUAL(h.impi, "user@example");
        CU_ASSERT_PTR_NOT_NULL(strstr(h.uss, "uss id=\"1\""));
        CU_ASSERT_EQUAL(bsf.last.envelope, bare == 0);
        CU_ASSERT_STRING_EQUAL(bsf.last.ns, bare != 0 ? "urn:x" : GBA_ZN_NS_DEFAULT);
        CU_ASSERT_STRING_EQUAL(bsf.last.gsid[0], "1");
        CU_ASSERT(bsf.last.gba_u_aware);
        zn->close(zn);
    }
    fake_bsf_stop(&bsf);
}

static void test_moods(void)
{
    static const enum gba_err expected[BSF_N_MOODS] = {
        [BSF_ANSWERS] = GBA_OK,
        [BSF_UNKNOWN_BTID] = GBA_E_BTID,
        [BSF_NOT_AUTHORIZED] = GBA_E_NOT_AUTHORIZED,
        [BSF_FAILS] = GBA_E_ZN_FAILURE,
        [BSF_FAULT_WITH_200] = GBA_E_BTID,
        [BSF_NOT_XML] = GBA_E_PROTOCOL,
        [BSF_ANSWER_WITH_500] = GBA_E_PROTOCOL,
        [BSF_REDIRECTS] = GBA_E_ZN_FAILURE,
        [BSF_NOT_FOUND] = GBA_E_ZN_FAILURE,
        [BSF_ENDLESS] = GBA_E_PROTOCOL,
        [BSF_SILENT] = GBA_E_TIMEOUT,
    };
    struct gba_naf_config c;
    struct zn *zn;

    fake_bsf_start(&bsf);
    c = config();
    zn = client(&c);
    for (int mood = 0; mood < BSF_N_MOODS; mood++) {
        int before = n_events;
        struct heard h;

        bsf.mood = (enum fake_bsf_mood)mood;
        h = ask(zn, BTID, mood == BSF_SILENT ? 300 : 0);
        if (h.err != expected[mood])
            printf("\nmood %d: %s", mood, gba_err_name(h.err));
        CU_ASSERT(h.n == 1 && h.err == expected[mood]);
        CU_ASSERT_EQUAL(n_events - before, mood != BSF_ANSWERS);
    }
    zn->close(zn);
    fake_bsf_stop(&bsf);
}

/* The domain of a B-TID picks a row, and is never an address. */
static void test_foreign_domain(void)
{
    static const char *const foreign[] = {"AAECAwQFBgcICQoLDA0ODw==@localhost",
                                          "AAECAwQFBgcICQoLDA0ODw==@bsf.example.org", "x", ""};
    struct gba_naf_config c;
    struct zn *zn;

    fake_bsf_start(&bsf);
    c = config();
    zn = client(&c);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(ask(zn, foreign[i], 0).err, GBA_E_FORBIDDEN);
    CU_ASSERT_EQUAL(bsf.n_asked, 0);
    CU_ASSERT_EQUAL(ask(zn, "AAECAwQFBgcICQoLDA0ODw==@BSF.Example", 0).err, GBA_OK);
    zn->close(zn);
    fake_bsf_stop(&bsf);
}

static void test_tls(void)
{
    struct gba_naf_config c;
    struct heard h;
    char url[128];
    struct zn *zn;

    fake_bsf_start(&bsf);
    c = config();
    row.ca_file = stranger_ca;
    zn = client(&c);
    CU_ASSERT_EQUAL(ask(zn, BTID, 0).err, GBA_E_TLS); /* whom we do not trust */
    zn->close(zn);
    c = config();
    snprintf(url, sizeof(url), "https://127.0.0.1%s", strrchr(bsf.url, ':'));
    row.url = url;
    zn = client(&c);
    CU_ASSERT_EQUAL(ask(zn, BTID, 0).err, GBA_E_TLS); /* another name */
    zn->close(zn);
    c = config();
    c.cert_file = expired_cert;
    c.key_file = expired_key;
    zn = client(&c);
    h = ask(zn, BTID, 0); /* the BSF does not trust us */
    CU_ASSERT(h.err == GBA_E_TLS || h.err == GBA_E_ZN_UNREACHABLE);
    zn->close(zn);
    CU_ASSERT_EQUAL(bsf.n_asked, 0);
    fake_bsf_stop(&bsf);
    c = config();
    zn = client(&c);
    CU_ASSERT_EQUAL(ask(zn, BTID, 0).err, GBA_E_ZN_UNREACHABLE); /* nobody listens */
    zn->close(zn);
}

static void test_no_proxy(void)
{
    struct gba_naf_config c;
    struct zn *zn;

    fake_bsf_start(&bsf);
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    c = config();
    zn = client(&c);
    CU_ASSERT_EQUAL(ask(zn, BTID, 0).err, GBA_OK);
    zn->close(zn);
    unsetenv("https_proxy");
    unsetenv("ALL_PROXY");
    fake_bsf_stop(&bsf);
}

/* A cap on what is under way; and closing answers what waits. */
static void test_cap_and_close(void)
{
    struct heard h[3] = {{.n = 0}};
    struct zn_query q = query(BTID);
    struct gba_naf_config c;
    struct zn *zn;

    fake_bsf_start(&bsf);
    bsf.mood = BSF_SILENT;
    c = config();
    c.zn_max_outstanding = 2;
    zn = client(&c);
    for (int i = 0; i < 2; i++) {
        pthread_mutex_init(&h[i].lock, NULL);
        pthread_cond_init(&h[i].cond, NULL);
        zn->ask(zn, &q, hear, &h[i]);
    }
    CU_ASSERT_EQUAL(ask(zn, BTID, 0).err, GBA_E_OVERLOAD);
    zn->close(zn);
    for (int i = 0; i < 2; i++)
        CU_ASSERT(h[i].n == 1 && h[i].err == GBA_E_CANCELLED);
    fake_bsf_stop(&bsf);
}

#define MANY 64

static void test_many(void)
{
    static struct heard h[MANY];
    struct gba_naf_config c;
    struct zn *zn;

    fake_bsf_start(&bsf);
    c = config();
    zn = client(&c);
    for (int i = 0; i < MANY; i++) {
        struct zn_query q = query(BTID);

        q.btid[0] = (char)('A' + i % 16);
        pthread_mutex_init(&h[i].lock, NULL);
        pthread_cond_init(&h[i].cond, NULL);
        zn->ask(zn, &q, hear, &h[i]);
    }
    for (int i = 0; i < MANY; i++) {
        pthread_mutex_lock(&h[i].lock);
        while (h[i].n == 0)
            pthread_cond_wait(&h[i].cond, &h[i].lock);
        pthread_mutex_unlock(&h[i].lock);
        if (h[i].err != GBA_OK)
            printf("\n%d: %s", i, gba_err_name(h[i].err));
        CU_ASSERT(h[i].n == 1 && h[i].err == GBA_OK);
    }
    zn->close(zn);
    fake_bsf_stop(&bsf);
}

static void test_configuration(void)
{
    static const struct {
        const char *domain, *url;
        enum gba_err err;
    } rows[] = {
        {"bsf.example", "http://localhost/x", GBA_E_SYNTAX},
        {"bsf.example", "ftp://localhost/x", GBA_E_SYNTAX},
        {"bsf.example", "https://user@localhost/x", GBA_E_SYNTAX},
        {"bsf.example", "", GBA_E_SYNTAX},
        {"bsf.example", NULL, GBA_E_SYNTAX},
        {"not a name", "https://localhost/x", GBA_E_SYNTAX},
        {"bsf.example", "https://localhost/x", GBA_OK},
    };
    struct gba_naf_config c = config();
    struct zn *zn;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        row = (struct gba_naf_bsf){rows[i].domain, rows[i].url, ca_file};
        CU_ASSERT_EQUAL(zn_soap_client_new(&c, &zn), rows[i].err);
        if (zn != NULL)
            zn->close(zn);
    }
    row.url = "http://localhost/x";
    c.zn_insecure = true;
    CU_ASSERT_EQUAL(zn_soap_client_new(&c, &zn), GBA_OK);
    zn->close(zn);
    c = config();
    row.url = "https://localhost/x";
    row.ca_file = NULL;
    CU_ASSERT_EQUAL(zn_soap_client_new(&c, &zn), GBA_E_ARGUMENT); /* trust is never implied */
    row.ca_file = naf_key;
    CU_ASSERT_EQUAL(zn_soap_client_new(&c, &zn), GBA_E_CONFIG);
    row.ca_file = "/nowhere";
    CU_ASSERT_EQUAL(zn_soap_client_new(&c, &zn), GBA_E_CONFIG);
    row.ca_file = ca_file;
    c.key_file = expired_key;
    CU_ASSERT_EQUAL(zn_soap_client_new(&c, &zn), GBA_E_CONFIG);
    c.key_file = NULL;
    CU_ASSERT_EQUAL(zn_soap_client_new(&c, &zn), GBA_E_ARGUMENT);
}

static void clean(void)
{
    certs_folder_remove();
}

static const struct unit_test tests[] = {
    {"certificates", make_certificates},
    {"an answer, in both forms", test_answer},
    {"faults and other answers", test_moods},
    {"a foreign domain is refused before any I/O", test_foreign_domain},
    {"TLS, both sides", test_tls},
    {"no proxy of the environment", test_no_proxy},
    {"cap, and close", test_cap_and_close},
    {"many at once", test_many},
    {"configuration", test_configuration},
    {"clean", clean},
};
UNIT_MAIN("zn_soap_client", tests)
