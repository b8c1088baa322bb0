/*
 * ua/usim_file.c, ua/usim_soft.c, ua/private_file.c: the soft USIM, its file, and what survives
 * a crash.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/gba_u.h"
#include "common/kdf.h"
#include "common/sqn.h"
#include "tests/scratch.h"
#include "ua/gba_ue.h"
#include "ua/private_file.h"
#include "ua/usim_file.h"

#define CARD                                                                                   \
    "imsi=001010123456789\nmnc_len=2\nk=465b5ce8b199b49faa5f0a2ee238a6bc\n"                    \
    "opc=cd63cb71954a9f4e48a5994e37a02baf\n"
#define IMPI "001010123456789@ims.mnc001.mcc001.3gppnetwork.org"

static struct gba_ue_usim *open_card(const char *lines)
{
    struct gba_ue_usim *usim = NULL;
    char why[320];

    CU_ASSERT_EQUAL_FATAL(
        gba_ue_usim_soft_create(scratch("usim"), lines, strlen(lines), true, why), GBA_OK);
    CU_ASSERT_EQUAL_FATAL(gba_ue_usim_soft_open(scratch("usim"), &usim, why), GBA_OK);
    return usim;
}

/* A challenge as the network makes it. */
static void challenge(uint64_t seq, uint8_t n, bool gba, uint8_t rand[16], struct gba_av *av)
{
    struct gba_aka_secret s = {.algorithm = GBA_AKA_MILENAGE, .res_len = 8, .k_len = 16};
    uint8_t sqn[6], amf[2] = {0};

    gba_unhex_exact(s.k, 16, GBA_TEXT("465b5ce8b199b49faa5f0a2ee238a6bc"));
    gba_unhex_exact(s.opc, 16, GBA_TEXT("cd63cb71954a9f4e48a5994e37a02baf"));
    memset(rand, 0x31, 16);
    rand[0] = n;
    gba_sqn_put(seq << GBA_SQN_IND_BITS, sqn);
    gba_aka_vector(&s, rand, sqn, amf, av);
    if (gba)
        gba_u_autn(av->autn, av->ik, av->autn);
}

static void test_files(void)
{
    static const struct {
        const char *lines;
        enum gba_err err;
        const char *why;
    } rows[] = {
        {CARD, GBA_OK, ""},
        {"# comment\n\n  imsi = 001010123456789 "
         "\r\nmnc_len=2\r\nk=465b5ce8b199b49faa5f0a2ee238a6bc\r\n"
         "op=cdc202d5123e20f62b6d676ac72cb318",
         GBA_OK, ""},
        {"impi=a@b.example\ntype=isim\nk=465b5ce8b199b49faa5f0a2ee238a6bc\nalgorithm=xor\n",
         GBA_OK, ""},
        {"impi=a@b\nk="
         "465b5ce8b199b49faa5f0a2ee238a6bc465b5ce8b199b49faa5f0a2ee238a6bc\nalgorithm=tuak\n"
         "top=5555555555555555555555555555555555555555555555555555555555555555\n",
         GBA_OK, ""},
        {"impi=a@b\nk=465b5ce8b199b49faa5f0a2ee238a6bc\nalgorithm=3gpp2\n", GBA_OK, ""},
        {"impi=a@b\nk=465b5ce8b199b49faa5f0a2ee238a6bc\nalgorithm=3gpp2\nfmk=4f70656e\n"
         "res_len=4\n",
         GBA_OK, ""},
        {"impi=a@b\nk=465b5ce8b199b49faa5f0a2ee238a6bc\nalgorithm=3gpp2\nfmk=4f7065\n",
         GBA_E_SYNTAX, "line 4: fmk must be 8 hexadecimal digits"},
        {"impi=a@b\nk=465b5ce8b199b49faa5f0a2ee238a6bc465b5ce8b199b49faa5f0a2ee238a6bc\n"
         "algorithm=3gpp2\n",
         GBA_E_SYNTAX, "k=, res_len= or iterations= do not fit algorithm 3gpp2"},
        {CARD "algorithm=3gpp2\n", GBA_E_SYNTAX, "3gpp2 has no opc=, op=, topc= or top="},
        {CARD "fmk=41484147\n", GBA_E_SYNTAX, "fmk= is 3gpp2's"},
        {CARD "sqn=0000000003e1\ngba_u=yes\n", GBA_OK, ""},
        {"", GBA_E_MISSING, "a usim needs imsi= (or impi=)"},
        {"imsi=001010123456789\nk=465b5ce8b199b49faa5f0a2ee238a6bc\nopc="
         "cd63cb71954a9f4e48a5994e37a02baf\n",
         GBA_OK, ""},
        {"imsi=310150123456789\nk=465b5ce8b199b49faa5f0a2ee238a6bc\nopc="
         "cd63cb71954a9f4e48a5994e37a02baf\n",
         GBA_E_MISSING, "imsi= needs mnc_len= (2 or 3, as in EF_AD), or impi="},
        {"type=isim\nk=465b5ce8b199b49faa5f0a2ee238a6bc\n", GBA_E_MISSING,
         "an isim needs impi="},
        {"imsi=001010123456789\nmnc_len=2\nopc=cd63cb71954a9f4e48a5994e37a02baf\n",
         GBA_E_MISSING, "k= is missing"},
        {"imsi=001010123456789\nmnc_len=2\nk=465b5ce8b199b49faa5f0a2ee238a6bc\n", GBA_E_MISSING,
         "milenage needs opc= or op="},
        {CARD "algorithm=tuak\n", GBA_E_MISSING, "tuak needs topc= or top="},
        {CARD "k=465b5ce8b199b49faa5f0a2ee238a6bc\n", GBA_E_REPEATED, "line 5: k given twice"},
        {CARD "op=cdc202d5123e20f62b6d676ac72cb318\n", GBA_E_REPEATED,
         "line 5: op must be 32 hexadecimal digits, and only one of opc, op, topc, top"},
        {CARD "sqn=12\n", GBA_OK, ""},
        {CARD "amf=8000\n", GBA_OK, ""},
        {CARD "amf=80\n", GBA_E_SYNTAX, "line 5: amf must be 4 hexadecimal digits"},
        {CARD "sqn=0000000003e10\n", GBA_E_SYNTAX,
         "line 5: sqn must be 1 to 12 hexadecimal digits"},
        {CARD "mnc=2\n", GBA_E_SYNTAX, "line 5: unknown name"},
        {CARD "nonsense\n", GBA_E_SYNTAX, "line 5: not name=value"},
        {CARD "gba_u=maybe\n", GBA_E_SYNTAX, "line 5: gba_u must be yes or no"},
        {CARD "algorithm=des\n", GBA_E_SYNTAX,
         "line 5: algorithm must be milenage, tuak, xor or 3gpp2"},
        {CARD "seq=1,2,3\n", GBA_E_SYNTAX,
         "line 5: seq must be 32 decimal numbers with commas"},
        {CARD "res_len=3\n", GBA_E_SYNTAX,
         "k=, res_len= or iterations= do not fit algorithm milenage"},
        {"k=465b5ce8b199b49faa5f0a2ee238a6bc00\nimpi=a@b\nopc="
         "cd63cb71954a9f4e48a5994e37a02baf\n",
         GBA_E_SYNTAX, "k=, res_len= or iterations= do not fit algorithm milenage"},
        {"imsi=00101x\n", GBA_E_SYNTAX, "line 1: imsi must be 6 to 15 digits"},
        {"impi=nodomain\n", GBA_E_SYNTAX, "line 1: impi must be user@domain"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char why[USIM_WHY_SIZE];
        struct usim_file u;
        const enum gba_err err = usim_file_parse(gba_text(rows[i].lines), &u, why);

        if (err != rows[i].err)
            printf("\n    row %zu: %s: %s\n", i, gba_err_name(err), why);
        CU_ASSERT_EQUAL(err, rows[i].err);
        CU_ASSERT_STRING_EQUAL(why, rows[i].why);
    }
}

/* What is written is read as the same card. */
static void test_round_trip(void)
{
    static const char *const cards[] = {
        CARD "gba_u=yes\nsqn=0000000003e1\n",
        "impi=a@b.example\ntype=isim\nk=465b5ce8b199b49faa5f0a2ee238a6bc\nalgorithm=xor\nres_"
        "len=4\n",
        "impi=a@b\nk=465b5ce8b199b49faa5f0a2ee238a6bc\nalgorithm=tuak\niterations=3\nres_len="
        "16\n"
        "topc=5555555555555555555555555555555555555555555555555555555555555555\n",
        "impi=a@b\nk=465b5ce8b199b49faa5f0a2ee238a6bc\nalgorithm=3gpp2\n",
        "impi=a@b\nk=465b5ce8b199b49faa5f0a2ee238a6bc\nalgorithm=3gpp2\nfmk=00000000\n",
        CARD
        "gba_u=1\ngba_ks=0101010101010101010101010101010101010101010101010101010101010101\n"
        "gba_rand=23553cbe9637a89d218ae64dae47bf35\ngba_btid=x@y\ngba_expires=77\n",
    };

    for (size_t i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
        char why[USIM_WHY_SIZE], text[USIM_FILE_MAX];
        struct usim_file a, b;
        struct gba_wbuf w;

        memset(&a, 0, sizeof(a));
        memset(&b, 0, sizeof(b));
        CU_ASSERT_EQUAL(usim_file_parse(gba_text(cards[i]), &a, why), GBA_OK);
        gba_wbuf_init(&w, text, sizeof(text));
        CU_ASSERT_EQUAL(usim_file_print(&a, &w), GBA_OK);
        CU_ASSERT_EQUAL(usim_file_parse(gba_text(gba_wbuf_cstr(&w)), &b, why), GBA_OK);
        a.secret.iterations =
            a.secret.iterations == 0 ? b.secret.iterations : a.secret.iterations;
        CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof(a)), 0);
    }
}

static void test_sqn_line(void)
{
    struct gba_ue_usim *usim = open_card(CARD "sqn=0000000003e1\n");
    struct gba_ue_usim_facts facts;
    struct gba_ue_aka aka;
    struct gba_av av;
    uint8_t rand[16];

    gba_ue_usim_soft_facts(usim, &facts);
    CU_ASSERT_EQUAL(facts.sqn_ms, 0x3e1);
    challenge(1, 1, false, rand, &av);
    CU_ASSERT_EQUAL(usim->authenticate(usim, false, rand, av.autn, &aka), GBA_E_SYNC);
    challenge(32, 2, false, rand, &av);
    CU_ASSERT_EQUAL(usim->authenticate(usim, false, rand, av.autn, &aka), GBA_OK);
    usim->close(usim);
}

static void test_authenticate(void)
{
    struct gba_ue_usim *usim = open_card(CARD), *again;
    struct gba_ue_aka aka;
    struct gba_av av;
    uint8_t rand[16];

    challenge(5, 1, false, rand, &av);
    CU_ASSERT_EQUAL(usim->authenticate(usim, false, rand, av.autn, &aka), GBA_OK);
    CU_ASSERT_EQUAL(aka.res_len, 8);
    CU_ASSERT(gba_equal_ct(aka.res, av.res, 8));
    CU_ASSERT(gba_equal_ct(aka.ck, av.ck, 16));
    CU_ASSERT(gba_equal_ct(aka.ik, av.ik, 16));
    /* again: not fresh, also for another process that opens the file now */
    CU_ASSERT_EQUAL(usim->authenticate(usim, false, rand, av.autn, &aka), GBA_E_SYNC);
    CU_ASSERT_EQUAL(aka.res_len, 0);
    CU_ASSERT_EQUAL(gba_ue_usim_soft_open(scratch("usim"), &again, NULL), GBA_OK);
    CU_ASSERT_EQUAL(again->authenticate(again, false, rand, av.autn, &aka), GBA_E_SYNC);
    again->close(again);
    /* another octet of MAC: nothing is given, nothing moves */
    challenge(6, 2, false, rand, &av);
    av.autn[15] ^= 1;
    CU_ASSERT_EQUAL(usim->authenticate(usim, false, rand, av.autn, &aka), GBA_E_MAC);
    for (size_t i = 0; i < sizeof(aka.res); i++)
        CU_ASSERT(aka.res[i] == 0 && aka.ck[i] == 0 && aka.ik[i] == 0);
    av.autn[15] ^= 1;
    CU_ASSERT_EQUAL(usim->authenticate(usim, false, rand, av.autn, &aka), GBA_OK);
    usim->close(usim);
}

static void test_gba_u(void)
{
    static const char naf_id[] = "naf.example\x01\x00\x00\x00\x02";
    const size_t n = sizeof(naf_id) - 1;
    struct gba_ue_usim *usim = open_card(CARD "gba_u=yes\n");
    struct gba_ue_usim_facts facts;
    uint8_t rand[16], ext[32], internal[32];
    struct gba_key expected;
    struct gba_ue_aka aka;
    struct gba_av av;
    struct gba_ks ks;

    CU_ASSERT_EQUAL(usim->derive(usim, false, (const uint8_t *)naf_id, n, IMPI, ext),
                    GBA_E_NOT_FOUND);
    challenge(5, 1, true, rand, &av);
    CU_ASSERT_EQUAL(usim->authenticate(usim, false, rand, av.autn, &aka), GBA_E_MAC);
    CU_ASSERT_EQUAL(usim->authenticate(usim, true, rand, av.autn, &aka), GBA_OK);
    av.res[7] ^= 1; /* the flipped bit */
    CU_ASSERT(gba_equal_ct(aka.res, av.res, 8));
    for (size_t i = 0; i < 16; i++)
        CU_ASSERT(aka.ck[i] == 0 && aka.ik[i] == 0);
    CU_ASSERT_EQUAL(usim->bootstrapped(usim, "b@tid", 1234), GBA_OK);
    gba_ue_usim_soft_facts(usim, &facts);
    CU_ASSERT_STRING_EQUAL(facts.gba_btid, "b@tid");
    CU_ASSERT_EQUAL(facts.gba_expires_s, 1234);
    usim->close(usim);

    /* Ks is in the card's file: a later process derives. */
    CU_ASSERT_EQUAL(gba_ue_usim_soft_open(scratch("usim"), &usim, NULL), GBA_OK);
    memcpy(ks.octets, av.ck, 16);
    memcpy(ks.octets + 16, av.ik, 16);
    CU_ASSERT_EQUAL(usim->derive(usim, false, (const uint8_t *)naf_id, n, IMPI, ext), GBA_OK);
    gba_ks_naf(&ks, GBA_USE_ME, rand, GBA_TEXT(IMPI),
               (struct gba_bytes){(const uint8_t *)naf_id, n}, &expected);
    CU_ASSERT(gba_equal_ct(ext, expected.octets, 32));
    CU_ASSERT_EQUAL(usim->derive(usim, true, (const uint8_t *)naf_id, n, IMPI, internal),
                    GBA_OK);
    gba_ks_naf(&ks, GBA_USE_UICC, rand, GBA_TEXT(IMPI),
               (struct gba_bytes){(const uint8_t *)naf_id, n}, &expected);
    CU_ASSERT(gba_equal_ct(internal, expected.octets, 32));
    usim->close(usim);

    usim = open_card(CARD); /* a card without GBA_U has no GBA context */
    challenge(5, 3, true, rand, &av);
    CU_ASSERT_EQUAL(usim->authenticate(usim, true, rand, av.autn, &aka), GBA_E_USIM);
    usim->close(usim);
}

static void permissions(void)
{
    struct gba_ue_usim *usim = open_card(CARD);
    char why[320];
    struct stat st;

    CU_ASSERT_EQUAL(stat(scratch("usim"), &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
    usim->close(usim);
    CU_ASSERT_EQUAL(gba_ue_usim_soft_create(scratch("usim"), CARD, strlen(CARD), false, why),
                    GBA_E_EXISTS);
    CU_ASSERT_EQUAL(chmod(scratch("usim"), 0640), 0);
    CU_ASSERT_EQUAL(gba_ue_usim_soft_open(scratch("usim"), &usim, why), GBA_E_FORBIDDEN);
    CU_ASSERT_EQUAL(chmod(scratch("usim"), 0600), 0);
    CU_ASSERT_EQUAL(symlink(scratch("usim"), scratch("link")), 0);
    CU_ASSERT_EQUAL(gba_ue_usim_soft_open(scratch("link"), &usim, why), GBA_E_FORBIDDEN);
    CU_ASSERT_EQUAL(gba_ue_usim_soft_open(scratch("none"), &usim, why), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(gba_ue_usim_soft_open(scratch(""), &usim, why), GBA_E_FORBIDDEN);
}

static void test_permissions(void)
{
    scratch_give(scratch(""));
    unit_as_nobody(permissions);
}

/* gba key --out /dev/null as root: what is no plain file stays what it is; nor is /dev/stdout
 * one where that leads to a file. */
static void test_no_device_replaced(void)
{
    const struct gba_bytes data = {(const uint8_t *)"key", 3};
    struct stat st;
    char to[40];
    int fd;

    CU_ASSERT_EQUAL(mkfifo(scratch("fifo"), 0600), 0);
    CU_ASSERT_EQUAL(symlink("fifo", scratch("to_fifo")), 0);
    CU_ASSERT_EQUAL(private_file_write(scratch("fifo"), data, true), GBA_E_IO);
    CU_ASSERT_EQUAL(errno, ENOTSUP);
    CU_ASSERT_EQUAL(private_file_write(scratch("to_fifo"), data, true), GBA_E_IO);
    fd = open(scratch("plain"), O_RDWR | O_CREAT, 0600);
    snprintf(to, sizeof(to), "/proc/self/fd/%d", fd);
    CU_ASSERT_EQUAL(symlink(to, scratch("to_fd")), 0);
    CU_ASSERT_EQUAL(private_file_write(scratch("to_fd"), data, true), GBA_E_IO);
    CU_ASSERT_TRUE(lstat(scratch("to_fd"), &st) == 0 && S_ISLNK(st.st_mode));
    close(fd);
    CU_ASSERT_TRUE(lstat(scratch("fifo"), &st) == 0 && S_ISFIFO(st.st_mode));
    CU_ASSERT_TRUE(lstat(scratch("to_fifo"), &st) == 0 && S_ISLNK(st.st_mode));
}

/* No room for the new SQN: then no RES either.  The folder is not writable for this uid. */
static int in_read_only_folder(void)
{
    struct gba_ue_usim *usim;
    struct gba_ue_aka aka;
    struct gba_av av;
    uint8_t rand[16];
    enum gba_err err;

    challenge(5, 1, false, rand, &av);
    if (gba_ue_usim_soft_open(scratch("ro/usim"), &usim, NULL) != GBA_OK)
        return 1;
    err = usim->authenticate(usim, false, rand, av.autn, &aka);
    usim->close(usim);
    return err == GBA_E_IO && aka.res_len == 0 && aka.ck[0] == 0 ? 0 : 2;
}

static void test_no_res_without_write(void)
{
    char why[320];

    CU_ASSERT_EQUAL(mkdir(scratch("ro"), 0755), 0);
    CU_ASSERT_EQUAL(gba_ue_usim_soft_create(scratch("ro/usim"), CARD, strlen(CARD), true, why),
                    GBA_OK);
    scratch_give("ro/usim");
    scratch_give("ro");
    CU_ASSERT_EQUAL(chmod(scratch("ro"), 0555), 0);
    CU_ASSERT_EQUAL(scratch_as_nobody(in_read_only_folder), 0);
}

/* Killed at any moment: if RES was given, this challenge is never accepted again; the file is
 * always whole. */
static void test_crash(void)
{
    struct gba_ue_usim *usim = open_card(CARD);
    unsigned given = 0;

    usim->close(usim);
    for (unsigned i = 1; i <= 60; i++) {
        struct gba_ue_aka aka;
        struct gba_av av;
        uint8_t rand[16];
        char byte = 0;
        int fds[2];
        pid_t child;

        challenge(i, (uint8_t)i, false, rand, &av);
        CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
        child = fork();
        if (child == 0) {
            if (gba_ue_usim_soft_open(scratch("usim"), &usim, NULL) == GBA_OK &&
                usim->authenticate(usim, false, rand, av.autn, &aka) == GBA_OK)
                (void)!write(fds[1], "r", 1);
            _exit(0);
        }
        close(fds[1]);
        bool has_res = i % 6 == 0 && read(fds[0], &byte, 1) == 1; /* killed right after RES */

        if (i % 6 != 0)
            usleep((i * 131 % 4000) << i % 4);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        has_res = has_res || read(fds[0], &byte, 1) == 1;

        close(fds[0]);
        given += has_res;
        CU_ASSERT_EQUAL_FATAL(gba_ue_usim_soft_open(scratch("usim"), &usim, NULL), GBA_OK);
        if (has_res)
            CU_ASSERT_EQUAL(usim->authenticate(usim, false, rand, av.autn, &aka), GBA_E_SYNC);
        usim->close(usim);
    }
    printf("(%u of 60 gave RES) ", given);
}

static void test_two_at_once(void)
{
    struct gba_ue_usim *usim = open_card(CARD);
    unsigned accepted = 0;
    pid_t child[8];

    usim->close(usim);
    for (size_t i = 0; i < 8; i++) { /* the same challenge, eight processes: one may have it */
        child[i] = fork();
        if (child[i] == 0) {
            struct gba_ue_aka aka;
            struct gba_av av;
            uint8_t rand[16];

            challenge(5, 1, false, rand, &av);
            if (gba_ue_usim_soft_open(scratch("usim"), &usim, NULL) != GBA_OK)
                _exit(2);
            _exit(usim->authenticate(usim, false, rand, av.autn, &aka) == GBA_OK ? 1 : 0);
        }
    }
    for (size_t i = 0; i < 8; i++) {
        int status;

        waitpid(child[i], &status, 0);
        CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) != 2);
        accepted += WIFEXITED(status) && WEXITSTATUS(status) == 1;
    }
    CU_ASSERT_EQUAL(accepted, 1);
}

static const struct unit_test tests[] = {
    {"lines of the file", test_files},
    {"round trip", test_round_trip},
    {"sqn= is the highest accepted", test_sqn_line},
    {"AUTHENTICATE", test_authenticate},
    {"GBA_U", test_gba_u},
    {"permissions", test_permissions},
    {"no device is replaced", test_no_device_replaced},
    {"no RES without a write", test_no_res_without_write},
    {"killed at any moment", test_crash},
    {"eight processes, one challenge", test_two_at_once},
};
UNIT_MAIN("usim_soft", tests)
