/*
 * The embedded CA: its files, its certificates, its CRL.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/ca_lab.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "naf/csr.h"
#include "tests/naf/csrs.h"
#include "tests/unit.h"

#define CSE_NAME "cse1.sp.example"
#define CSE      "//sp.example/cse1"
#define AE       "//sp.example/cse1/Cone"
#define YEAR_S   31536000

static char folder[64];
static unsigned n_changed;

static void on_change(void *arg)
{
    CU_ASSERT(arg == folder);
    n_changed++;
}

static const char *const domains[] = {"sp.example", "Other.Example."};

static struct ca_lab_config config(void)
{
    return (struct ca_lab_config){.folder = folder,
                                  .name = "mef.example",
                                  .domains = domains,
                                  .n_domains = 2,
                                  .root_life_s = YEAR_S,
                                  .crl_life_s = 1000,
                                  .queue = 4,
                                  .crl_changed = on_change,
                                  .arg = folder};
}

static const char *path(const char *name)
{
    static char paths[4][128];
    static unsigned turn;

    turn = (turn + 1) % 4;
    snprintf(paths[turn], sizeof(paths[0]), "%s/%s", folder, name);
    return paths[turn];
}

static void remove_files(void)
{
    static const char *const names[] = {CA_LAB_ROOT, CA_LAB_KEY, CA_LAB_CRL, CA_LAB_RECORD};

    for (size_t i = 0; i < 4; i++)
        (void)unlink(path(names[i]));
    CU_ASSERT(rmdir(folder) == 0); /* nothing else was left behind */
}

static void begin(void)
{
    strcpy(folder, "/tmp/test_ca_lab.XXXXXX");
    if (mkdtemp(folder) == NULL || rmdir(folder) != 0)
        abort();
    n_changed = 0;
}

static struct mef_ca *open_lab(void)
{
    const struct ca_lab_config c = config();
    struct mef_ca *ca = NULL;

    CU_ASSERT_FATAL(ca_lab_open(&c, &ca) == GBA_OK && ca != NULL);
    return ca;
}

static enum gba_err open_error(const struct ca_lab_config *c)
{
    struct mef_ca *ca;
    enum gba_err err = ca_lab_open(c, &ca);

    if (ca != NULL)
        ca->close(ca);
    return err;
}

static unsigned mode_of(const char *name)
{
    struct stat st;

    return stat(path(name), &st) == 0 ? (unsigned)st.st_mode & 0777 : 0;
}

static off_t size_of(const char *name)
{
    struct stat st;

    return stat(path(name), &st) == 0 ? st.st_size : -1;
}

static gnutls_x509_crt_t import(const uint8_t *p, size_t n)
{
    const gnutls_datum_t d = {(unsigned char *)p, (unsigned)n};
    gnutls_x509_crt_t crt;

    CU_ASSERT_FATAL(gnutls_x509_crt_init(&crt) >= 0);
    CU_ASSERT_FATAL(gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_DER) >= 0);
    return crt;
}

static gnutls_x509_crl_t import_crl(void)
{
    gnutls_datum_t pem;
    gnutls_x509_crl_t crl;

    CU_ASSERT_FATAL(gnutls_load_file(path(CA_LAB_CRL), &pem) >= 0);
    CU_ASSERT_FATAL(gnutls_x509_crl_init(&crl) >= 0);
    CU_ASSERT_FATAL(gnutls_x509_crl_import(crl, &pem, GNUTLS_X509_FMT_PEM) >= 0);
    gnutls_free(pem.data);
    return crl;
}

/* ------------------------------------------------------------ files */

static void test_files(void)
{
    struct mef_ca *ca;
    uint8_t root[MEF_CA_CERT_MAX];
    struct gba_bytes der;
    mode_t before = umask(077); /* a service's */

    begin();
    ca = open_lab();
    umask(before);
    CU_ASSERT_STRING_EQUAL(ca->name, "lab");
    CU_ASSERT(mode_of(CA_LAB_KEY) == 0600);
    CU_ASSERT(mode_of(CA_LAB_ROOT) == 0644);
    CU_ASSERT(mode_of(CA_LAB_CRL) == 0644);
    CU_ASSERT(mode_of(CA_LAB_RECORD) == 0600);
    der = ca->certs(ca, 0);
    CU_ASSERT_FATAL(der.n > 0 && der.n < sizeof(root));
    memcpy(root, der.p, der.n);
    CU_ASSERT(ca->certs(ca, 1).n == 0);
    ca->close(ca);
    ca = open_lab();
    CU_ASSERT(ca->certs(ca, 0).n == der.n && memcmp(ca->certs(ca, 0).p, root, der.n) == 0);
    ca->close(ca);
    CU_ASSERT(unlink(path(CA_LAB_ROOT)) == 0); /* a first start that was interrupted */
    ca = open_lab();
    CU_ASSERT(ca->certs(ca, 0).n > 0);
    ca->close(ca);
    remove_files();
}

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(path(name), "w");

    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
}

static void test_files_that_do_not_fit(void)
{
    const struct ca_lab_config c = config();
    struct ca_lab_config bad = c;
    static const char *const no_name[] = {"not a name"};
    struct mef_ca *ca;

    begin();
    bad.domains = no_name;
    bad.n_domains = 1;
    CU_ASSERT(open_error(&bad) == GBA_E_CONFIG);
    remove_files();
    begin();
    ca = open_lab();
    CU_ASSERT(open_error(&c) == GBA_E_CONFIG); /* in use */
    ca->close(ca);
    CU_ASSERT(chmod(path(CA_LAB_KEY), 0640) == 0);
    CU_ASSERT(open_error(&c) == GBA_E_CONFIG);
    CU_ASSERT(chmod(path(CA_LAB_KEY), 0600) == 0);
    CU_ASSERT(open_error(&c) == GBA_OK);
    CU_ASSERT(unlink(path(CA_LAB_KEY)) == 0); /* lost: no second CA of that name */
    CU_ASSERT(open_error(&c) == GBA_E_CONFIG);
    CU_ASSERT(mode_of(CA_LAB_KEY) == 0);
    write_text(CA_LAB_KEY, "no key");
    CU_ASSERT(chmod(path(CA_LAB_KEY), 0600) == 0);
    CU_ASSERT(open_error(&c) == GBA_E_CONFIG);
    remove_files();
    begin();
    ca = open_lab();
    ca->close(ca);
    write_text(CA_LAB_CRL, "no CRL");
    CU_ASSERT(open_error(&c) == GBA_E_CONFIG); /* a new one would forget who is revoked */
    remove_files();
    bad = c;
    bad.folder = "/nonexistent/folder";
    CU_ASSERT(open_error(&bad) == GBA_E_IO);
}

static void test_another_key(void)
{
    const struct ca_lab_config c = config();
    struct mef_ca *ca;
    char saved[160];

    begin();
    ca = open_lab();
    ca->close(ca);
    snprintf(saved, sizeof(saved), "%s.root", folder);
    CU_ASSERT(rename(path(CA_LAB_ROOT), saved) == 0);
    CU_ASSERT(unlink(path(CA_LAB_KEY)) == 0 && unlink(path(CA_LAB_CRL)) == 0);
    ca = open_lab();
    ca->close(ca);
    CU_ASSERT(rename(saved, path(CA_LAB_ROOT)) == 0);
    CU_ASSERT(open_error(&c) == GBA_E_CONFIG);
    remove_files();
}

/* ------------------------------------------------------------ certificates */

static bool has_purpose(gnutls_x509_crt_t crt, const char *oid)
{
    return gnutls_x509_crt_check_key_purpose(crt, oid, 0) != 0;
}

static void check_common(struct mef_ca *ca, gnutls_x509_crt_t crt)
{
    gnutls_x509_crt_t root = import(ca->certs(ca, 0).p, ca->certs(ca, 0).n);
    unsigned status = 0, usage = 0, critical = 0;
    gnutls_x509_trust_list_t list;
    uint8_t serial[64];
    size_t n = sizeof(serial);

    CU_ASSERT(gnutls_x509_crt_get_version(crt) == 3);
    CU_ASSERT(gnutls_x509_crt_get_pk_algorithm(crt, NULL) == GNUTLS_PK_ECDSA);
    CU_ASSERT(gnutls_x509_crt_get_signature_algorithm(crt) == GNUTLS_SIGN_ECDSA_SHA256);
    CU_ASSERT(gnutls_x509_crt_get_serial(crt, serial, &n) >= 0 && n == 16 && serial[0] < 0x80);
    CU_ASSERT(gnutls_x509_crt_get_key_usage(crt, &usage, &critical) >= 0);
    CU_ASSERT(usage == GNUTLS_KEY_DIGITAL_SIGNATURE && critical == 1);
    CU_ASSERT(gnutls_x509_crt_get_ca_status(crt, &critical) == 0 && critical == 1);
    CU_ASSERT_FATAL(gnutls_x509_trust_list_init(&list, 0) >= 0);
    CU_ASSERT(gnutls_x509_trust_list_add_cas(list, &root, 1, 0) == 1);
    CU_ASSERT(gnutls_x509_trust_list_verify_crt(list, &crt, 1, 0, &status, NULL) >= 0 &&
              status == 0);
    gnutls_x509_trust_list_deinit(list, 1);
}

static void test_cse(void)
{
    const struct csr_spec spec = {.dns = CSE_NAME, .cn = "anything"};
    struct mef_ca_request rq =
        csrs_request(csrs_make(&spec, NULL), MEF_NAME_DNS, CSE_NAME, CSE);
    struct csrs_answer a;
    gnutls_x509_crt_t crt;
    struct mef_ca *ca;
    const char *why;
    struct csr read;

    begin();
    ca = open_lab();
    csrs_ask(ca, &rq, &a);
    CU_ASSERT_FATAL(a.err == GBA_OK && a.n == 1);
    crt = import(a.cert, a.len);
    check_common(ca, crt);
    CU_ASSERT(has_purpose(crt, GNUTLS_KP_TLS_WWW_CLIENT));
    CU_ASSERT(has_purpose(crt, GNUTLS_KP_TLS_WWW_SERVER));
    CU_ASSERT(csr_read_certificate((struct gba_bytes){a.cert, a.len}, &read, &why) == GBA_OK);
    CU_ASSERT_STRING_EQUAL(read.dn, "CN=anything");
    CU_ASSERT(mef_cert_name_eq(&read.name, &rq.name));
    CU_ASSERT(ca->issued(ca, (struct gba_bytes){a.cert, a.len}));
    CU_ASSERT(!ca->issued(ca, (struct gba_bytes){a.cert, a.len - 1}));
    a.cert[a.len - 1] ^= 1; /* its signature */
    CU_ASSERT(!ca->issued(ca, (struct gba_bytes){a.cert, a.len}));
    CU_ASSERT(!ca->issued(ca, (struct gba_bytes){NULL, 0}));
    CU_ASSERT(!ca->issued(ca, ca->certs(ca, 0))); /* nobody is the root */
    CU_ASSERT(size_of(CA_LAB_RECORD) == 32 + 1 + 10 + 1 + (off_t)strlen(CSE) + 1);
    gnutls_x509_crt_deinit(crt);
    ca->close(ca);
    remove_files();
}

static bool is_critical(gnutls_x509_crt_t crt, const char *oid)
{
    char found[64];
    size_t n = sizeof(found);
    unsigned critical = 0;

    for (unsigned i = 0; gnutls_x509_crt_get_extension_info(crt, i, found, &n, &critical) >= 0;
         i++) {
        if (strcmp(found, oid) == 0)
            return critical == 1;
        n = sizeof(found);
    }
    return false;
}

/* Of a client, with that URI. */
static void check_client(struct mef_ca *ca, const struct csrs_answer *a, const char *uri)
{
    char name[M2M_ID_SIZE];
    size_t n = sizeof(name);
    gnutls_x509_crt_t crt;
    unsigned type;

    CU_ASSERT_FATAL(a->err == GBA_OK);
    crt = import(a->cert, a->len);
    check_common(ca, crt);
    CU_ASSERT(has_purpose(crt, GNUTLS_KP_TLS_WWW_CLIENT));
    CU_ASSERT(!has_purpose(crt, GNUTLS_KP_TLS_WWW_SERVER));
    CU_ASSERT(gnutls_x509_crt_get_subject_alt_name2(crt, 0, name, &n, &type, NULL) >= 0);
    CU_ASSERT(type == GNUTLS_SAN_URI && n == strlen(uri) && memcmp(name, uri, n) == 0);
    /* the subject is empty, so the name is critical (RFC 5280 4.2.1.6) */
    CU_ASSERT(is_critical(crt, GNUTLS_X509EXT_OID_SAN));
    gnutls_x509_crt_deinit(crt);
}

static void test_ae(void)
{
    const struct csr_spec spec = {.uri = AE};
    struct mef_ca_request rq = csrs_request(csrs_make(&spec, NULL), MEF_NAME_URI, AE, AE);
    struct csrs_answer a, b;
    struct mef_ca *ca;

    begin();
    ca = open_lab();
    csrs_ask(ca, &rq, &a);
    check_client(ca, &a, AE);
    csrs_ask(ca, &rq, &b); /* the same request again: another certificate */
    CU_ASSERT(b.err == GBA_OK && (a.len != b.len || memcmp(a.cert, b.cert, a.len) != 0));
    ca->close(ca);
    remove_files();
}

/* TS-0003 10.1.1.8: a client; no server is looked up by a URN. */
static void test_node(void)
{
    static const char node[] = "urn:dev:ops:32473-node-7";
    const struct csr_spec spec = {.uri = node};
    struct mef_ca_request rq = csrs_request(csrs_make(&spec, NULL), MEF_NAME_URI, node, AE);
    struct csrs_answer a;
    struct mef_ca *ca;

    rq.profile = MEF_CERT_NODE;
    begin();
    ca = open_lab();
    csrs_ask(ca, &rq, &a);
    check_client(ca, &a, node);
    ca->close(ca);
    remove_files();
}

static void test_not_permitted(void)
{
    static const struct {
        enum mef_name_type type;
        const char *name;
        bool ok;
    } rows[] = {
        {MEF_NAME_DNS, "sp.example", true},
        {MEF_NAME_DNS, "a.b.sp.example", true},
        {MEF_NAME_DNS, "cse1.other.example", true},
        {MEF_NAME_DNS, "cse1.evil.example", false},
        {MEF_NAME_DNS, "evilsp.example", false},
        {MEF_NAME_DNS, "example", false},
        {MEF_NAME_URI, "//sp.example/cse1/Cone", true},
        {MEF_NAME_URI, "//SP.example/cse1/Cone", true},
        {MEF_NAME_URI, "//evil.example/cse1/Cone", false},
        {MEF_NAME_URI, "//evilsp.example/cse1/Cone", false},
        {MEF_NAME_URI, "urn:example:node:1", true},
    };
    struct csrs_answer a;
    struct mef_ca *ca;
    off_t size;

    begin();
    ca = open_lab();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const bool dns = rows[i].type == MEF_NAME_DNS;
        const struct csr_spec spec = {.dns = dns ? rows[i].name : NULL,
                                      .uri = dns ? NULL : rows[i].name};
        struct mef_ca_request rq =
            csrs_request(csrs_make(&spec, NULL), rows[i].type, rows[i].name, "id");

        size = size_of(CA_LAB_RECORD);
        csrs_ask(ca, &rq, &a);
        if ((a.err == GBA_OK) != rows[i].ok)
            printf("%s: %s ", rows[i].name, gba_err_name(a.err));
        CU_ASSERT(a.err == (rows[i].ok ? GBA_OK : GBA_E_REFUSED));
        CU_ASSERT((size_of(CA_LAB_RECORD) > size) == rows[i].ok);
    }
    ca->close(ca);
    remove_files();
}

static void test_life(void)
{
    const struct csr_spec spec = {.dns = CSE_NAME};
    struct mef_ca_request rq =
        csrs_request(csrs_make(&spec, NULL), MEF_NAME_DNS, CSE_NAME, CSE);
    struct csrs_answer a;
    gnutls_x509_crt_t crt, root;
    struct mef_ca *ca;
    time_t left;

    begin();
    ca = open_lab();
    root = import(ca->certs(ca, 0).p, ca->certs(ca, 0).n);
    csrs_ask(ca, &rq, &a);
    CU_ASSERT_FATAL(a.err == GBA_OK);
    crt = import(a.cert, a.len);
    left = gnutls_x509_crt_get_expiration_time(crt) - time(NULL);
    CU_ASSERT(left > 3600 - 120 && left <= 3600);
    CU_ASSERT(gnutls_x509_crt_get_activation_time(crt) <= time(NULL));
    CU_ASSERT(gnutls_x509_crt_get_activation_time(crt) >=
              gnutls_x509_crt_get_activation_time(root));
    gnutls_x509_crt_deinit(crt);
    rq.life_s = 10 * (int64_t)YEAR_S; /* the root has one */
    csrs_ask(ca, &rq, &a);
    CU_ASSERT_FATAL(a.err == GBA_OK);
    crt = import(a.cert, a.len);
    CU_ASSERT(gnutls_x509_crt_get_expiration_time(crt) ==
              gnutls_x509_crt_get_expiration_time(root));
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_crt_deinit(root);
    ca->close(ca);
    remove_files();
}

/* A certificate is handed out only when the record has it. */
static void test_full_disk(void)
{
    const struct csr_spec spec = {.dns = CSE_NAME};
    struct mef_ca_request rq =
        csrs_request(csrs_make(&spec, NULL), MEF_NAME_DNS, CSE_NAME, CSE);
    struct rlimit before;
    struct csrs_answer a;
    struct mef_ca *ca;
    off_t size;

    begin();
    ca = open_lab();
    csrs_ask(ca, &rq, &a);
    CU_ASSERT(a.err == GBA_OK);
    size = size_of(CA_LAB_RECORD);
    signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_FATAL(getrlimit(RLIMIT_FSIZE, &before) == 0);
    CU_ASSERT_FATAL(
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){(rlim_t)size + 5, before.rlim_max}) == 0);
    csrs_ask(ca, &rq, &a);
    CU_ASSERT(a.err == GBA_E_IO && a.n == 1 && a.len == 0);
    CU_ASSERT(size_of(CA_LAB_RECORD) == size); /* no half line either */
    CU_ASSERT(ca_lab_revoke(ca, "00") == GBA_E_NOT_FOUND);
    CU_ASSERT_FATAL(setrlimit(RLIMIT_FSIZE, &before) == 0);
    csrs_ask(ca, &rq, &a);
    CU_ASSERT(a.err == GBA_OK);
    CU_ASSERT(size_of(CA_LAB_RECORD) == 2 * size);
    ca->close(ca);
    remove_files();
}

/* ------------------------------------------------------------ revocation */

static void serial_of(const struct csrs_answer *a, char hex[static 65])
{
    gnutls_x509_crt_t crt = import(a->cert, a->len);
    uint8_t serial[32];
    size_t n = sizeof(serial);

    CU_ASSERT_FATAL(gnutls_x509_crt_get_serial(crt, serial, &n) >= 0);
    gba_hex_upper(hex, (struct gba_bytes){serial, n});
    gnutls_x509_crt_deinit(crt);
}

static bool is_revoked(struct mef_ca *ca, const struct csrs_answer *a)
{
    gnutls_x509_crt_t crt = import(a->cert, a->len),
                      root = import(ca->certs(ca, 0).p, ca->certs(ca, 0).n);
    gnutls_x509_crl_t crl = import_crl();
    unsigned status = 0;
    int revoked;

    CU_ASSERT(gnutls_x509_crl_verify(crl, &root, 1, 0, &status) >= 0 && status == 0);
    revoked = gnutls_x509_crt_check_revocation(crt, &crl, 1);
    CU_ASSERT(revoked >= 0);
    gnutls_x509_crl_deinit(crl);
    gnutls_x509_crt_deinit(root);
    gnutls_x509_crt_deinit(crt);
    return revoked == 1;
}

static void test_revoke(void)
{
    const struct csr_spec spec = {.dns = CSE_NAME};
    struct mef_ca_request rq =
        csrs_request(csrs_make(&spec, NULL), MEF_NAME_DNS, CSE_NAME, CSE);
    struct csrs_answer a, b, c;
    struct mef_ca *ca;
    char serial[65];

    begin();
    ca = open_lab();
    CU_ASSERT(n_changed == 1); /* the first CRL */
    csrs_ask(ca, &rq, &a);
    csrs_ask(ca, &rq, &b);
    csrs_ask(ca, &rq, &c);
    CU_ASSERT(!is_revoked(ca, &a) && !is_revoked(ca, &b));
    serial_of(&a, serial);
    CU_ASSERT(ca_lab_revoke(ca, serial) == GBA_OK);
    CU_ASSERT(n_changed == 2);
    CU_ASSERT(is_revoked(ca, &a) && !is_revoked(ca, &b));
    CU_ASSERT(ca_lab_revoke(ca, serial) == GBA_E_EXISTS);
    CU_ASSERT(ca_lab_revoke(ca, "0123456789abcdef0123456789abcdef") == GBA_E_NOT_FOUND);
    CU_ASSERT(ca_lab_revoke(ca, "xyz") == GBA_E_SYNTAX);
    CU_ASSERT(ca_lab_revoke(ca, "") == GBA_E_SYNTAX);
    serial[8] = '\0'; /* the beginning of one is none */
    CU_ASSERT(ca_lab_revoke(ca, serial) == GBA_E_NOT_FOUND);
    ca->close(ca);
    ca = open_lab(); /* remembered, and added to */
    CU_ASSERT(n_changed == 2);
    serial_of(&b, serial);
    CU_ASSERT(ca_lab_revoke(ca, serial) == GBA_OK);
    CU_ASSERT(is_revoked(ca, &a) && is_revoked(ca, &b) && !is_revoked(ca, &c));
    CU_ASSERT(mode_of(CA_LAB_CRL) == 0644);
    ca->close(ca);
    remove_files();
}

static uint64_t crl_number(void)
{
    gnutls_x509_crl_t crl = import_crl();
    uint8_t octets[32];
    size_t n = sizeof(octets);
    uint64_t v = 0;

    CU_ASSERT(gnutls_x509_crl_get_number(crl, octets, &n, NULL) >= 0);
    for (size_t i = 0; i < n; i++)
        v = v << 8 | octets[i];
    gnutls_x509_crl_deinit(crl);
    return v;
}

/* More than half of its life over: a new one with the same entries. */
static void test_refresh(void)
{
    const struct csr_spec spec = {.dns = CSE_NAME};
    struct mef_ca_request rq =
        csrs_request(csrs_make(&spec, NULL), MEF_NAME_DNS, CSE_NAME, CSE);
    struct ca_lab_config longer = config();
    struct csrs_answer a;
    struct mef_ca *ca;
    char serial[65];

    begin();
    ca = open_lab();
    csrs_ask(ca, &rq, &a);
    serial_of(&a, serial);
    CU_ASSERT(ca_lab_revoke(ca, serial) == GBA_OK);
    ca->close(ca);
    CU_ASSERT(crl_number() == 2);
    longer.crl_life_s = 4000; /* of which 1000 are left */
    CU_ASSERT_FATAL(ca_lab_open(&longer, &ca) == GBA_OK);
    CU_ASSERT(crl_number() == 3 && n_changed == 3);
    CU_ASSERT(is_revoked(ca, &a));
    ca->close(ca);
    CU_ASSERT_FATAL(ca_lab_open(&longer, &ca) == GBA_OK);
    CU_ASSERT(crl_number() == 3);
    ca->close(ca);
    remove_files();
}

/* TS-0003 10.1.1.5 to the letter. */
static void test_uri_constraints(void)
{
    const struct csr_spec spec = {.uri = AE};
    struct mef_ca_request rq = csrs_request(csrs_make(&spec, NULL), MEF_NAME_URI, AE, AE);
    gnutls_x509_name_constraints_t nc;
    struct ca_lab_config c = config();
    struct csrs_answer a;
    gnutls_x509_crt_t root;
    gnutls_datum_t name;
    struct mef_ca *ca;
    unsigned type, uris = 0, critical = 0;

    begin();
    c.constrain_uris = true;
    CU_ASSERT_FATAL(ca_lab_open(&c, &ca) == GBA_OK);
    root = import(ca->certs(ca, 0).p, ca->certs(ca, 0).n);
    CU_ASSERT_FATAL(gnutls_x509_name_constraints_init(&nc) >= 0);
    CU_ASSERT(gnutls_x509_crt_get_name_constraints(root, nc, 0, &critical) >= 0);
    CU_ASSERT(critical == 1);
    for (unsigned i = 0; gnutls_x509_name_constraints_get_permitted(nc, i, &type, &name) >= 0;
         i++)
        uris += type == GNUTLS_SAN_URI;
    CU_ASSERT(uris == 4);
    csrs_ask(ca, &rq, &a);
    CU_ASSERT(a.err == GBA_OK);
    gnutls_x509_name_constraints_deinit(nc);
    gnutls_x509_crt_deinit(root);
    ca->close(ca);
    remove_files();
}

static void test_end(void)
{
    csrs_free();
}

static const struct unit_test tests[] = {
    {"files", test_files},
    {"files that do not fit", test_files_that_do_not_fit},
    {"another key", test_another_key},
    {"CSE", test_cse},
    {"AE", test_ae},
    {"Node", test_node},
    {"not permitted", test_not_permitted},
    {"life", test_life},
    {"full disk", test_full_disk},
    {"revoke", test_revoke},
    {"refresh", test_refresh},
    {"URI constraints", test_uri_constraints},
    {"end", test_end},
};
UNIT_MAIN("ca_lab", tests)
