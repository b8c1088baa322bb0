/*
 * A CA behind a program, with shell scripts as the programs: what it is told, what is taken of
 * it, and how it is ended.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/ca_command.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/host/certs.h"
#include "tests/naf/csrs.h"
#include "tests/unit.h"

#define CSE_NAME "cse1.sp.example"
#define CSE      "//sp.example/cse1"
#define LIMIT_MS 20000 /* nothing here takes so long unless it has to */

static struct certs_pair ca_pair, other_ca;
static struct gba_bytes csr;
static gnutls_x509_privkey_t csr_key;
static struct mef_ca_request rq;

static void write_file(const char *name, const char *text, mode_t mode)
{
    FILE *f;

    (void)unlink(certs_path(name));
    f = fopen(certs_path(name), "w");
    if (f == NULL || fputs(text, f) < 0 || fchmod(fileno(f), mode) != 0 || fclose(f) != 0)
        abort();
}

static void write_script(const char *body)
{
    char text[1024];

    snprintf(text, sizeof(text), "#!/bin/sh\ncd '%s' || exit 1\n%s\n", certs_folder(), body);
    write_file("ca.sh", text, 0700);
}

/* good.pem: a certificate of the CA for the request's key. */
static void write_certificate(const char *name, gnutls_x509_privkey_t key,
                              const struct certs_pair *issuer, const char *dns, bool ca,
                              int hours)
{
    gnutls_x509_crt_t crt;
    gnutls_datum_t pem;
    time_t now = time(NULL);

    if (gnutls_x509_crt_init(&crt) < 0 || gnutls_x509_crt_set_version(crt, 3) < 0 ||
        gnutls_x509_crt_set_serial(crt, "\x07", 1) < 0 ||
        gnutls_x509_crt_set_activation_time(crt, now - 7200) < 0 ||
        gnutls_x509_crt_set_expiration_time(crt, now + hours * 3600) < 0 ||
        gnutls_x509_crt_set_key(crt, key) < 0 ||
        gnutls_x509_crt_set_basic_constraints(crt, ca, -1) < 0 ||
        gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, dns,
                                             (unsigned)strlen(dns), GNUTLS_FSAN_SET) < 0 ||
        gnutls_x509_crt_sign2(crt, issuer->crt, issuer->key, GNUTLS_DIG_SHA256, 0) < 0 ||
        gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem) < 0)
        abort();
    write_file(name, (const char *)pem.data, 0600);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(crt);
}

static void make_world(void)
{
    const struct csr_spec spec = {.dns = CSE_NAME}, another = {.dns = CSE_NAME};
    gnutls_x509_privkey_t other_key;

    ca_pair = certs_make("ca", "ca", NULL, 10, 1);
    other_ca = certs_make("other_ca", "other ca", NULL, 10, 1);
    csr = csrs_make(&spec, &csr_key);
    csrs_make(&another, &other_key);
    rq = csrs_request(csr, MEF_NAME_DNS, CSE_NAME, CSE);
    write_certificate("good.pem", csr_key, &ca_pair, CSE_NAME, false, 1);
    write_certificate("key.pem", other_key, &ca_pair, CSE_NAME, false, 1);
    write_certificate("name.pem", csr_key, &ca_pair, "cse2.sp.example", false, 1);
    write_certificate("issuer.pem", csr_key, &other_ca, CSE_NAME, false, 1);
    write_certificate("isca.pem", csr_key, &ca_pair, CSE_NAME, true, 1);
    write_certificate("expired.pem", csr_key, &ca_pair, CSE_NAME, false, -1);
}

static struct mef_ca *open_ca(unsigned limit_ms)
{
    const char *const argv[] = {certs_path("ca.sh"), "one", "two words"};
    const struct ca_command_config c = {.argv = argv,
                                        .n_argv = 3,
                                        .certs_file = certs_path("ca.pem"),
                                        .limit_ms = limit_ms,
                                        .queue = 4};
    struct mef_ca *ca = NULL;

    CU_ASSERT_FATAL(ca_command_open(&c, &ca) == GBA_OK && ca != NULL);
    return ca;
}

static void ask(const char *script, unsigned limit_ms, struct csrs_answer *a)
{
    struct mef_ca *ca;

    write_script(script);
    ca = open_ca(limit_ms);
    csrs_ask(ca, &rq, a);
    ca->close(ca);
    CU_ASSERT(a->n == 1);
    CU_ASSERT((a->len != 0) == (a->err == GBA_OK));
}

static void read_path(const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "r");
    size_t n = f != NULL ? fread(out, 1, cap - 1, f) : 0;

    out[n] = '\0';
    if (f != NULL)
        fclose(f);
}

static void read_text(const char *name, char *out, size_t cap)
{
    read_path(certs_path(name), out, cap);
}

/* ------------------------------------------------------------ what it is told, what it says */

static void test_good(void)
{
    char text[8192];
    struct csrs_answer a;
    struct mef_ca *ca;

    setenv("SECRET_OF_THE_DAEMON", "x", 1);
    write_script("cat >stdin; env | sort >env; echo \"$# $1 $2\" >argv; cat good.pem; "
                 "cat other_ca.pem; echo noise >&2");
    ca = open_ca(LIMIT_MS);
    CU_ASSERT_STRING_EQUAL(ca->name, "command");
    CU_ASSERT(ca->certs(ca, 0).n > 0 && ca->certs(ca, 1).n == 0);
    csrs_ask(ca, &rq, &a);
    CU_ASSERT_FATAL(a.err == GBA_OK && a.n == 1);
    CU_ASSERT(ca->issued(ca, (struct gba_bytes){a.cert, a.len}));
    ca->close(ca);
    read_text("argv", text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "2 one two words\n");
    read_text("stdin", text, sizeof(text));
    CU_ASSERT(strlen(text) > 100 &&
              strncmp(text, "-----BEGIN CERTIFICATE REQUEST-----\n", 36) == 0);
    CU_ASSERT(strstr(text, "-----END CERTIFICATE REQUEST-----\n") != NULL);
    read_text("env", text, sizeof(text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "EST_PROFILE=cse\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "EST_NAME=DNS:" CSE_NAME "\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "EST_ID=" CSE "\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "EST_DAYS=1\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "LC_ALL=C\n"));
    CU_ASSERT_PTR_NULL(strstr(text, "SECRET"));
    CU_ASSERT_PTR_NULL(strstr(text, "HOME"));
}

static void test_descriptors(void)
{
    struct csrs_answer a;
    int fd = dup(0); /* one without close-on-exec */
    char text[256];

    ask("ls /proc/self/fd >fds; cat good.pem", LIMIT_MS, &a);
    CU_ASSERT(a.err == GBA_OK);
    read_text("fds", text, sizeof(text));
    /* 0 to 2, and the one ls itself looks with */
    CU_ASSERT_STRING_EQUAL(text, "0\n1\n2\n3\n");
    close(fd);
}

static void test_answers(void)
{
    static const struct {
        const char *script;
        enum gba_err err;
    } rows[] = {
        {"cat good.pem", GBA_OK},
        {"exec <&-; cat good.pem", GBA_OK}, /* it need not read */
        {"echo words; cat good.pem", GBA_OK},
        {"cat good.pem; exit 75", GBA_E_OVERLOAD},
        {"cat good.pem; exit 77", GBA_E_REFUSED},
        {"cat good.pem; exit 1", GBA_E_CA},
        {"kill -9 $$", GBA_E_CA},
        {"exit 0", GBA_E_CA},
        {"echo hello", GBA_E_CA},
        {"head -c 100 good.pem", GBA_E_CA},
        {"cat good.pem; head -c 100000 /dev/zero", GBA_E_CA},
        {"exec yes", GBA_E_CA},
        {"cat key.pem", GBA_E_CA},
        {"cat name.pem", GBA_E_CA},
        {"cat issuer.pem", GBA_E_CA},
        {"cat isca.pem", GBA_E_CA},
        {"cat expired.pem", GBA_E_CA},
        {"cat ca.pem good.pem", GBA_E_CA},
    };
    struct csrs_answer a;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ask(rows[i].script, LIMIT_MS, &a);
        if (a.err != rows[i].err)
            printf("%s: %s ", rows[i].script, gba_err_name(a.err));
        CU_ASSERT(a.err == rows[i].err);
    }
}

/* ------------------------------------------------------------ how it ends */

/* Gone, or a zombie that nobody but init will collect. */
static bool is_dead(long pid)
{
    char path[64], stat[512];
    const char *state;

    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    read_path(path, stat, sizeof(stat));
    state = strrchr(stat, ')');
    return state == NULL || state[2] == 'Z' || state[2] == 'X';
}

static bool is_gone(const char *file)
{
    char text[32];

    read_text(file, text, sizeof(text));
    for (int i = 0; i < 5000 && !is_dead(atol(text)); i++)
        usleep(1000); /* a kill needs its moment */
    return atol(text) > 1 && is_dead(atol(text));
}

static void test_hangs(void)
{
    struct csrs_answer a;

    ask("echo $$ >pid; sleep 1000 & echo $! >child; wait", 300, &a);
    CU_ASSERT(a.err == GBA_E_TIMEOUT);
    CU_ASSERT(is_gone("pid") && is_gone("child"));
    ask("echo $$ >pid; exec >&- 2>&-; sleep 1000", 300, &a); /* says no more, but lives */
    CU_ASSERT(a.err == GBA_E_TIMEOUT);
    CU_ASSERT(is_gone("pid"));
    ask("trap '' TERM INT HUP; echo $$ >pid; while :; do sleep 1; done", 300, &a);
    CU_ASSERT(a.err == GBA_E_TIMEOUT);
    CU_ASSERT(is_gone("pid"));
}

/* What it leaves running with its outputs open neither holds the answer up nor stays. */
static void test_leaves_something(void)
{
    struct csrs_answer a;

    ask("sleep 1000 & echo $! >child; cat good.pem", LIMIT_MS, &a);
    CU_ASSERT(a.err == GBA_OK);
    CU_ASSERT(is_gone("child"));
}

static void *close_soon(void *arg)
{
    struct mef_ca *ca = arg;
    char text[32] = "";

    while (text[0] == '\0')
        read_text("pid", text, sizeof(text));
    ca->close(ca);
    return NULL;
}

static void test_close(void)
{
    struct csrs_answer a;
    struct mef_ca *ca;
    pthread_t thread;

    (void)unlink(certs_path("pid"));
    write_script("echo $$ >pid; sleep 1000");
    ca = open_ca(600000);
    CU_ASSERT_FATAL(pthread_create(&thread, NULL, close_soon, ca) == 0);
    csrs_ask(ca, &rq, &a);
    pthread_join(thread, NULL);
    CU_ASSERT(a.err == GBA_E_CANCELLED && a.n == 1);
    CU_ASSERT(is_gone("pid"));
}

static void test_vanishes(void)
{
    struct csrs_answer a;
    struct mef_ca *ca;

    write_script("cat good.pem");
    ca = open_ca(LIMIT_MS);
    CU_ASSERT(unlink(certs_path("ca.sh")) == 0);
    csrs_ask(ca, &rq, &a);
    CU_ASSERT(a.err == GBA_E_IO);
    write_script("cat good.pem"); /* and it is there again */
    csrs_ask(ca, &rq, &a);
    CU_ASSERT(a.err == GBA_OK);
    ca->close(ca);
}

static void test_open(void)
{
    const char *argv[] = {certs_path("ca.sh")};
    struct ca_command_config c = {.argv = argv,
                                  .n_argv = 1,
                                  .certs_file = certs_path("ca.pem"),
                                  .limit_ms = LIMIT_MS,
                                  .queue = 1};
    struct mef_ca *ca;

    write_script("cat good.pem");
    c.certs_file = certs_path("nothing.pem");
    CU_ASSERT(ca_command_open(&c, &ca) == GBA_E_CONFIG && ca == NULL);
    c.certs_file = certs_path("ca.key");
    CU_ASSERT(ca_command_open(&c, &ca) == GBA_E_CONFIG);
    c.certs_file = certs_path("ca.pem");
    argv[0] = "ca.sh"; /* never looked for in a PATH */
    CU_ASSERT(ca_command_open(&c, &ca) == GBA_E_CONFIG);
    argv[0] = certs_path("good.pem");
    CU_ASSERT(ca_command_open(&c, &ca) == GBA_E_CONFIG);
    c.n_argv = 0;
    CU_ASSERT(ca_command_open(&c, &ca) == GBA_E_CONFIG);
}

static void test_begin(void)
{
    make_world();
}

static void test_end(void)
{
    certs_free(&ca_pair);
    certs_free(&other_ca);
    csrs_free();
    certs_folder_remove();
}

static const struct unit_test tests[] = {
    {"begin", test_begin},
    {"good", test_good},
    {"descriptors", test_descriptors},
    {"answers", test_answers},
    {"hangs", test_hangs},
    {"leaves something", test_leaves_something},
    {"close", test_close},
    {"vanishes", test_vanishes},
    {"open", test_open},
    {"end", test_end},
};
UNIT_MAIN("ca_command", tests)
