/*
 * bsf/zh_file.c and bsf/sqn_file.c: vectors, resynchronisation, refusals, and that no crash
 * repeats a sequence number.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bsf/sqn_file.h"
#include "bsf/zh_file.h"
#include "bsf/zh_file_subscribers.h"
#include "common/secret.h"
#include "common/sqn.h"
#include "tests/scratch.h"

#define IMPI "001010123456789@ims.mnc001.mcc001.3gppnetwork.org"
#define HEAD                                                                                   \
    "subscribers:\n"                                                                           \
    "  - imsi: \"001010123456789\"\n"                                                          \
    "    mnc_len: 2\n"                                                                         \
    "    k: 465b5ce8b199b49faa5f0a2ee238a6bc\n"                                                \
    "    opc: cd63cb71954a9f4e48a5994e37a02baf\n"
#define GUSS_LINE                                                                              \
    "    guss: '<guss><Extension><timestamp>2026-01-01T00:00:00Z</timestamp></Extension>"      \
    "<ussList/></guss>'\n"

static char folder[] = "/tmp/test_zh_file.XXXXXX";
static char subscribers[64], sqn[80];

static void write_subscribers(const char *text, mode_t mode)
{
    FILE *f;

    unlink(subscribers);
    f = fopen(subscribers, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(text, f);
    fclose(f);
    CU_ASSERT_EQUAL_FATAL(chmod(subscribers, mode), 0);
    unlink(sqn);
}

static struct zh_file_config config(void)
{
    return (struct zh_file_config){
        .subscribers = subscribers, .step = 4, .ind = 16, .max_outstanding = 100};
}

static enum gba_err open_zh(struct zh **out)
{
    struct zh_file_config c = config();
    FILE *devnull = fopen("/dev/null", "w");
    enum gba_err err = zh_file_open(&c, NULL, devnull, out);

    fclose(devnull);
    return err;
}

/* ---- asking --------------------------------------------------------------------------- */

struct answer {
    pthread_mutex_t lock;
    pthread_cond_t come;
    bool done;
    enum gba_err err;
    struct gba_av av;
    bool guss;
};

static void note(void *arg, enum gba_err err, const struct zh_answer *a)
{
    struct answer *out = arg;

    pthread_mutex_lock(&out->lock);
    out->done = true;
    out->err = err;
    if (a != NULL) {
        out->av = a->av;
        out->guss = a->guss != NULL;
    }
    pthread_cond_signal(&out->come);
    pthread_mutex_unlock(&out->lock);
}

static enum gba_err ask(struct zh *z, const struct zh_query *q, struct answer *out)
{
    *out = (struct answer){.lock = PTHREAD_MUTEX_INITIALIZER, .come = PTHREAD_COND_INITIALIZER};
    z->ask(z, q, note, out);
    pthread_mutex_lock(&out->lock);
    while (!out->done)
        pthread_cond_wait(&out->come, &out->lock);
    pthread_mutex_unlock(&out->lock);
    return out->err;
}

static struct gba_aka_secret secret(void)
{
    struct gba_aka_secret s = {.algorithm = GBA_AKA_MILENAGE, .k_len = 16, .res_len = 8};

    memcpy(s.k, unit_hex("465b5ce8b199b49faa5f0a2ee238a6bc").p, 16);
    memcpy(s.opc, unit_hex("cd63cb71954a9f4e48a5994e37a02baf").p, 16);
    return s;
}

/* The SQN of a vector as the USIM sees it. */
static uint64_t sqn_of(const struct gba_av *av)
{
    struct gba_aka_secret s = secret();
    uint8_t number[6], amf[2];
    struct gba_av mine;

    CU_ASSERT_EQUAL(gba_aka_open_autn(&s, av->rand, av->autn, number, amf, &mine), GBA_OK);
    CU_ASSERT(gba_equal_ct(mine.res, av->res, 8));
    return gba_sqn_get(number);
}

/* ---- the port ------------------------------------------------------------------------- */

static void test_vectors(void)
{
    struct zh_query q = {.impi = IMPI};
    struct answer a, b;
    struct zh *z;

    write_subscribers(HEAD GUSS_LINE, 0600);
    CU_ASSERT_EQUAL_FATAL(open_zh(&z), GBA_OK);
    CU_ASSERT(z->healthy(z));
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_OK);
    CU_ASSERT_EQUAL(sqn_of(&a.av), (1 << 5) + 16);
    CU_ASSERT(a.guss);
    q.guss_timestamp_s = 1767225600; /* the BSF has this very GUSS */
    CU_ASSERT_EQUAL(ask(z, &q, &b), GBA_OK);
    CU_ASSERT_EQUAL(sqn_of(&b.av), (2 << 5) + 16);
    CU_ASSERT(!b.guss);
    CU_ASSERT_NOT_EQUAL(memcmp(a.av.rand, b.av.rand, 16), 0);
    for (uint64_t i = 3; i < 20; i++) {
        CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_OK);
        CU_ASSERT_EQUAL(sqn_of(&a.av), (i << 5) + 16);
    }
    z->close(z);
    /* an orderly end skips nothing */
    CU_ASSERT_EQUAL_FATAL(open_zh(&z), GBA_OK);
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_OK);
    CU_ASSERT_EQUAL(sqn_of(&a.av), (20 << 5) + 16);
    z->close(z);
}

static void test_resynchronisation(void)
{
    struct zh_query q = {.impi = IMPI, .resync = true};
    struct gba_aka_secret s = secret();
    uint8_t number[6];
    struct answer a;
    struct zh *z;

    write_subscribers(HEAD, 0600);
    CU_ASSERT_EQUAL_FATAL(open_zh(&z), GBA_OK);
    memset(q.auts_rand, 7, 16);
    gba_sqn_put(UINT64_C(5000) << 5 | 3, number);
    CU_ASSERT_EQUAL(gba_aka_make_auts(&s, q.auts_rand, number, q.auts), GBA_OK);
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_OK);
    CU_ASSERT_EQUAL(sqn_of(&a.av) >> 5, 5001);
    q.auts[13] ^= 1;
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_E_AUTS);
    q.auts[13] ^= 1;
    q.auts_rand[0] ^= 1;
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_E_AUTS);
    q.resync = false;
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_OK);
    CU_ASSERT_EQUAL(sqn_of(&a.av) >> 5, 5002);
    z->close(z);
}

static void test_refusals(void)
{
    struct zh_query q = {.impi = "nobody@example.org"};
    struct answer a;
    struct zh *z, *second;

    write_subscribers(HEAD "    barred: true\n", 0600);
    CU_ASSERT_EQUAL_FATAL(open_zh(&z), GBA_OK);
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_E_SUBSCRIBER_UNKNOWN);
    strcpy(q.impi, IMPI);
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_E_SUBSCRIBER_BARRED);
    CU_ASSERT_EQUAL(open_zh(&second), GBA_E_IO); /* the SQN file has one owner */
    z->close(z);
}

static void count_done(void *arg, enum gba_err err, const struct zh_answer *a)
{
    int *counts = arg;

    (void)a;
    __atomic_add_fetch(&counts[err == GBA_OK           ? 0
                               : err == GBA_E_OVERLOAD ? 1
                                                       : 2],
                       1, __ATOMIC_SEQ_CST);
}

/* Every ask is answered once: served, refused as overload, or cancelled by close. */
static void test_every_ask_is_answered(void)
{
    struct zh_query q = {.impi = IMPI};
    int counts[3] = {0, 0, 0};
    struct answer a;
    struct zh *z;

    write_subscribers(HEAD, 0600);
    CU_ASSERT_EQUAL_FATAL(open_zh(&z), GBA_OK);
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_OK);
    for (int i = 0; i < 5000; i++)
        z->ask(z, &q, count_done, counts);
    z->close(z);
    CU_ASSERT_EQUAL(counts[0] + counts[1] + counts[2], 5000);
}

/* ---- the subscribers' file ------------------------------------------------------------ */

static void bad_files(void)
{
    static const struct {
        const char *text;
        mode_t mode;
        const char *says;
    } rows[] = {
        {HEAD, 0644, "0600"},
        {"subscribers: []\nmore: 1\n", 0600, "more"},
        {HEAD HEAD, 0600, "given twice"},
        {"subscribers:\n  - impi: a@b\n    opc: 00112233445566778899aabbccddeeff\n", 0600,
         "subscribers[0].k"},
        {"subscribers:\n  - impi: a@b\n    k: 00112233445566778899aabbccddeeff\n", 0600,
         "milenage needs opc or op"},
        {"subscribers:\n  - impi: a@b\n    algorithm: xor\n"
         "    k: 00112233445566778899aabbccddeeff\n    opc: 00112233445566778899aabbccddeeff\n",
         0600, "xor has no opc"},
        {"subscribers:\n  - imsi: \"123456789012345\"\n"
         "    k: 00112233445566778899aabbccddeeff\n    opc: 00112233445566778899aabbccddeeff\n",
         0600, "mnc_len"},
        {"subscribers:\n  - impi: nobody\n"
         "    k: 00112233445566778899aabbccddeeff\n    opc: 00112233445566778899aabbccddeeff\n",
         0600, "no IMPI"},
        {HEAD "    guss: '<x/>'\n", 0600, "no GUSS document"},
        {HEAD "    guss_file: /nonexistent/guss.xml\n", 0600, "guss_file"},
        {HEAD "    res_len: 16\n", 0600, "lengths"},
        {HEAD "    res_len: 3\n", 0600, "lengths"},
        {HEAD "    res_len: 17\n", 0600, "res_len"},
        {HEAD "    fmk: 41484147\n", 0600, "fmk is 3gpp2's"},
        {HEAD "    algorithm: 3gpp2\n", 0600, "3gpp2 has no opc"},
        {"subscribers:\n  - impi: a@b\n    algorithm: 3gpp2\n"
         "    k: 00112233445566778899aabbccddeeff\n    fmk: 414841\n",
         0600, "subscribers[0].fmk"},
        {"subscribers:\n  - impi: a@b\n    algorithm: 3gpp2\n    res_len: 2\n"
         "    k: 00112233445566778899aabbccddeeff\n",
         0600, "lengths"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct zh_file_config c = config();
        char *said = NULL;
        size_t n = 0;
        FILE *f = open_memstream(&said, &n);

        write_subscribers(rows[i].text, rows[i].mode);
        CU_ASSERT_EQUAL(zh_file_check(&c, f), GBA_E_CONFIG);
        fclose(f);
        CU_ASSERT_PTR_NOT_NULL(strstr(said, rows[i].says));
        if (strstr(said, rows[i].says) == NULL)
            printf("\n    row %zu: %s\n", i, said);
        /* what is said names the file and no key */
        CU_ASSERT_PTR_NOT_NULL(strstr(said, subscribers));
        CU_ASSERT_PTR_NULL(strstr(said, "465b5ce8"));
        free(said);
    }
}

static void test_bad_files(void)
{
    unit_as_nobody(bad_files);
}

static void test_same_subscriber_twice(void)
{
    struct zh_file_config c = config();
    char *said = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&said, &n);

    write_subscribers(HEAD "  - impi: " IMPI "\n    k: 00112233445566778899aabbccddeeff\n"
                           "    opc: 00112233445566778899aabbccddeeff\n",
                      0600);
    CU_ASSERT_EQUAL(zh_file_check(&c, f), GBA_E_CONFIG);
    fclose(f);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "twice"));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, ".yaml:6:5: subscribers[1].impi: "));
    CU_ASSERT_PTR_NULL(strstr(said, IMPI));
    free(said);
    f = open_memstream(&said, &n);
    write_subscribers(HEAD "    guss_file: /none\n", 0600);
    CU_ASSERT_EQUAL(zh_file_check(&c, f), GBA_E_CONFIG);
    fclose(f);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, ".yaml:2:5: subscribers[0].guss_file: /none: "));
    free(said);
}

static void test_algorithms(void)
{
    struct zh_file_subscribers s;

    write_subscribers(
        "subscribers:\n"
        "  - impi: op@example.org\n"
        "    k: 465b5ce8b199b49faa5f0a2ee238a6bc\n"
        "    op: cdc202d5123e20f62b6d676ac72cb318\n"
        "  - impi: tuak@example.org\n    algorithm: tuak\n    iterations: 2\n    res_len: 16\n"
        "    k: 465b5ce8b199b49faa5f0a2ee238a6bc465b5ce8b199b49faa5f0a2ee238a6bc\n"
        "    topc: 5555555555555555555555555555555555555555555555555555555555555555\n"
        "  - impi: xor@example.org\n    algorithm: xor\n    res_len: 12\n"
        "    k: 465b5ce8b199b49faa5f0a2ee238a6bc\n    amf: '8000'\n    sqn: 000000000400\n"
        "  - impi: 3gpp2@example.org\n    algorithm: 3gpp2\n"
        "    k: ad1b5a159be86b2ca66c7ae40bba9b9d\n"
        "  - impi: fmk@example.org\n    algorithm: 3gpp2\n    fmk: 4f70656e\n    res_len: 8\n"
        "    k: ad1b5a159be86b2ca66c7ae40bba9b9d\n",
        0600);
    CU_ASSERT_EQUAL_FATAL(zh_file_subscribers_load(subscribers, NULL, stderr, &s), GBA_OK);
    CU_ASSERT_EQUAL(s.n, 5);
    UNIT_BYTES_EQ(zh_file_subscriber_find(&s, "op@example.org")->secret.opc, 16,
                  "cd63cb71954a9f4e48a5994e37a02baf");
    CU_ASSERT_EQUAL(zh_file_subscriber_find(&s, "tuak@example.org")->secret.iterations, 2);
    CU_ASSERT_EQUAL(zh_file_subscriber_find(&s, "xor@example.org")->secret.res_len, 12);
    CU_ASSERT_EQUAL(zh_file_subscriber_find(&s, "xor@example.org")->sqn, 0x400);
    CU_ASSERT_EQUAL(zh_file_subscriber_find(&s, "xor@example.org")->amf[0], 0x80);
    CU_ASSERT_EQUAL(zh_file_subscriber_find(&s, "op@example.org")->secret.res_len, 8);
    CU_ASSERT_EQUAL(zh_file_subscriber_find(&s, "3gpp2@example.org")->secret.res_len, 16);
    CU_ASSERT_FALSE(zh_file_subscriber_find(&s, "3gpp2@example.org")->secret.own_fmk);
    CU_ASSERT_EQUAL(zh_file_subscriber_find(&s, "fmk@example.org")->secret.res_len, 8);
    CU_ASSERT_TRUE(zh_file_subscriber_find(&s, "fmk@example.org")->secret.own_fmk);
    UNIT_BYTES_EQ(zh_file_subscriber_find(&s, "fmk@example.org")->secret.fmk, 4, "4f70656e");
    CU_ASSERT_PTR_NULL(zh_file_subscriber_find(&s, "x@example.org"));
    zh_file_subscribers_free(&s);
}

/* ---- sequence numbers on disk --------------------------------------------------------- */

static void write_sqn(const char *text)
{
    FILE *f = fopen(sqn, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(text, f);
    fclose(f);
}

static void test_sqn_file_forms(void)
{
    static const struct {
        const char *text;
        enum gba_err err;
        uint64_t first; /* SEQ of the first vector after it */
    } rows[] = {
        {"opengaa-sqn 1\n000000000a00 " IMPI "\n", GBA_OK, 0x51},
        {"opengaa-sqn 1\n000000000a00 " IMPI "\n000000000c00 " IMPI "\n", GBA_OK, 0x61},
        {"opengaa-sqn 1\n000000000c00 " IMPI "\n000000000a00 " IMPI "\n", GBA_OK, 0x51},
        {"opengaa-sqn 1\n000000000a00 " IMPI "\n0000000", GBA_OK, 0x51}, /* torn */
        {"opengaa-sqn 1\n000000000a00 " IMPI "\n000000000c00 " IMPI, GBA_OK, 0x51},
        {"opengaa-sqn 1\n", GBA_OK, 1},
        {"", GBA_E_IO, 0},
        {"opengaa-sq", GBA_E_IO, 0},
        {"opengaa-sqn 2\n", GBA_E_IO, 0},
        {"opengaa-sqn 1\nrubbish\n", GBA_E_IO, 0},
        {"opengaa-sqn 1\n00000000g000 " IMPI "\n", GBA_E_IO, 0},
        {"opengaa-sqn 1\n0000000a00 " IMPI "\n", GBA_E_IO, 0},
    };
    struct zh_query q = {.impi = IMPI};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct answer a;
        struct zh *z;
        enum gba_err err;

        write_subscribers(HEAD, 0600);
        write_sqn(rows[i].text);
        err = open_zh(&z);
        CU_ASSERT_EQUAL(err, rows[i].err);
        if (err != GBA_OK)
            continue;
        CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_OK);
        CU_ASSERT_EQUAL(sqn_of(&a.av) >> 5, rows[i].first);
        z->close(z);
    }
}

/* Numbers of a subscriber who is not in the file today are kept for tomorrow. */
static void test_unknown_subscribers_are_kept(void)
{
    char text[256] = "";
    struct zh *z;
    FILE *f;

    write_subscribers(HEAD, 0600);
    write_sqn("opengaa-sqn 1\n000000000a00 gone@example.org\n");
    CU_ASSERT_EQUAL_FATAL(open_zh(&z), GBA_OK);
    z->close(z);
    f = fopen(sqn, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT(fread(text, 1, sizeof(text) - 1, f) > 0);
    fclose(f);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "000000000a00 gone@example.org\n"));
}

struct vector {
    uint64_t sqn;
};

/* The child: vectors as fast as they come, each SQN told to the parent once it is given out. */
static void child(int fd)
{
    struct zh_query q = {.impi = IMPI};
    struct answer a;
    struct zh *z;

    if (open_zh(&z) != GBA_OK)
        _exit(1);
    for (;;) {
        struct gba_aka_secret s = secret();
        uint8_t number[6], amf[2];
        struct gba_av mine;
        struct vector v;

        if (ask(z, &q, &a) != GBA_OK ||
            gba_aka_open_autn(&s, a.av.rand, a.av.autn, number, amf, &mine) != GBA_OK)
            _exit(2);
        v.sqn = gba_sqn_get(number);
        if (write(fd, &v, sizeof(v)) != sizeof(v))
            _exit(3);
    }
}

static void test_kill_never_repeats(void)
{
    uint64_t last = 0, total = 0;

    write_subscribers(HEAD, 0600);
    for (int round = 0; round < 30; round++) {
        int pipe_fd[2], status;
        struct vector v;
        unsigned n = 0;
        pid_t pid;

        CU_ASSERT_EQUAL_FATAL(pipe(pipe_fd), 0);
        fflush(NULL);
        pid = fork();
        CU_ASSERT_FATAL(pid >= 0);
        if (pid == 0) {
            close(pipe_fd[0]);
            child(pipe_fd[1]);
        }
        close(pipe_fd[1]);
        while (read(pipe_fd[0], &v, sizeof(v)) == sizeof(v)) {
            if (v.sqn <= last)
                CU_FAIL("a sequence number came twice");
            last = v.sqn;
            total++;
            if (++n == 3u + (unsigned)round * 2)
                kill(pid, SIGKILL); /* somewhere among reserving, syncing, giving out */
        }
        close(pipe_fd[0]);
        CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
        CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    CU_ASSERT(total > 300);
    /* and what was skipped is bounded: a step for each crash, and one for what was reserved */
    CU_ASSERT(last >> 5 <= total + 30 * 8);
}

/* A disk that takes no more: no number that is not safe is given out, and all goes on after. */
static void test_full_disk(void)
{
    struct rlimit was, none;
    struct zh_query q = {.impi = IMPI};
    struct answer a;
    uint64_t last;
    unsigned served = 0;
    struct zh *z;

    write_subscribers(HEAD, 0600);
    CU_ASSERT_EQUAL_FATAL(open_zh(&z), GBA_OK);
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_OK);
    getrlimit(RLIMIT_FSIZE, &was);
    none = was;
    none.rlim_cur = 20;
    signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &none), 0);
    while (ask(z, &q, &a) == GBA_OK && served < 100)
        served++;
    CU_ASSERT(served < 16); /* what was reserved */
    CU_ASSERT_EQUAL(a.err, GBA_E_ZH_FAILURE);
    CU_ASSERT(!z->healthy(z));
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &was), 0);
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_OK);
    CU_ASSERT(z->healthy(z));
    last = sqn_of(&a.av);
    z->close(z);
    CU_ASSERT_EQUAL_FATAL(open_zh(&z), GBA_OK);
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_OK);
    CU_ASSERT(sqn_of(&a.av) > last);
    z->close(z);
}

/* No rewrite is possible (a folder that has become another's): the file is whole all the same,
 * and the next append serves. */
static void test_append_heals(void)
{
    struct zh_query q = {.impi = IMPI};
    struct rlimit was, little;
    char temporary[96];
    struct answer a;
    struct stat st;
    uint64_t last;
    struct zh *z;

    write_subscribers(HEAD, 0600);
    CU_ASSERT_EQUAL_FATAL(open_zh(&z), GBA_OK);
    CU_ASSERT_EQUAL(zh_file_check_rewrite(z), GBA_OK);
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_OK);
    snprintf(temporary, sizeof(temporary), "%s.new", sqn);
    CU_ASSERT_EQUAL_FATAL(mkdir(temporary, 0700), 0);
    CU_ASSERT_EQUAL_FATAL(stat(sqn, &st), 0);
    getrlimit(RLIMIT_FSIZE, &was);
    little = was;
    little.rlim_cur = (rlim_t)st.st_size + 10; /* less than a line */
    signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &little), 0);
    for (unsigned i = 0; i < 100 && ask(z, &q, &a) == GBA_OK; i++)
        ;
    CU_ASSERT_EQUAL(a.err, GBA_E_ZH_FAILURE);
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_E_ZH_FAILURE);
    CU_ASSERT(!z->healthy(z));
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &was), 0);
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_OK);
    CU_ASSERT(z->healthy(z));
    last = sqn_of(&a.av);
    z->close(z); /* without the rewrite that an orderly end does */
    CU_ASSERT_EQUAL(rmdir(temporary), 0);
    CU_ASSERT_EQUAL_FATAL(open_zh(&z), GBA_OK);
    CU_ASSERT_EQUAL(ask(z, &q, &a), GBA_OK);
    CU_ASSERT(sqn_of(&a.av) > last);
    z->close(z);
}

static const struct unit_test tests[] = {
    {"vectors", test_vectors},
    {"resynchronisation", test_resynchronisation},
    {"refusals", test_refusals},
    {"every ask is answered", test_every_ask_is_answered},
    {"bad subscribers' files", test_bad_files},
    {"the same subscriber twice", test_same_subscriber_twice},
    {"algorithms", test_algorithms},
    {"forms of the SQN file", test_sqn_file_forms},
    {"unknown subscribers are kept", test_unknown_subscribers_are_kept},
    {"SIGKILL never repeats a number", test_kill_never_repeats},
    {"a full disk", test_full_disk},
    {"an append heals without a rewrite", test_append_heals},
};

int main(void)
{
    char command[128];
    int result;

    if (mkdtemp(folder) == NULL)
        return 99;
    scratch_give(folder);
    snprintf(subscribers, sizeof(subscribers), "%s/subscribers.yaml", folder);
    snprintf(sqn, sizeof(sqn), "%s.sqn", subscribers);
    result = unit_main("zh_file", tests, sizeof(tests) / sizeof(tests[0]));
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    if (system(command) != 0)
        result = 99;
    return result;
}
