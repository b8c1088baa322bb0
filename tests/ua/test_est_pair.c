/*
 * The files of a key and its certificate: the old pair stays until the new one is whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/est_pair.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/scratch.h"
#include "tests/unit.h"

static char cert[256], key[256], next_cert[264], next_key[264];

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
}

/* "" if it is not there. */
static const char *get(const char *path)
{
    static char text[4][64];
    static unsigned turn;
    FILE *f = fopen(path, "r");
    char *t = text[turn = (turn + 1) % 4];

    t[f != NULL ? fread(t, 1, sizeof(text[0]) - 1, f) : 0] = '\0';
    if (f != NULL)
        fclose(f);
    return t;
}

static void set(const char *c, const char *k, const char *nc, const char *nk)
{
    const char *const paths[] = {cert, key, next_cert, next_key};
    const char *const texts[] = {c, k, nc, nk};

    for (size_t i = 0; i < 4; i++) {
        (void)unlink(paths[i]);
        if (texts[i][0] != '\0')
            put(paths[i], texts[i]);
    }
}

static bool are(const char *c, const char *k, const char *nc, const char *nk)
{
    return strcmp(get(cert), c) == 0 && strcmp(get(key), k) == 0 &&
           strcmp(get(next_cert), nc) == 0 && strcmp(get(next_key), nk) == 0;
}

static enum gba_err write_pair(const char *cert_file, const char *c, const char *key_file,
                               const char *k)
{
    return est_pair_write(cert_file, gba_text_bytes(gba_text(c)), key_file,
                          gba_text_bytes(gba_text(k)));
}

static void test_write(void)
{
    struct stat st;

    set("", "", "", "");
    CU_ASSERT(write_pair(cert, "C1", key, "K1") == GBA_OK);
    CU_ASSERT(are("C1", "K1", "", ""));
    CU_ASSERT(stat(key, &st) == 0 && (st.st_mode & 0777) == 0600);
    CU_ASSERT(stat(cert, &st) == 0 && (st.st_mode & 0777) == 0600);
    CU_ASSERT(write_pair(cert, "C2", key, "K2") == GBA_OK);
    CU_ASSERT(are("C2", "K2", "", ""));
}

static void test_one_file(void)
{
    set("", "", "", "");
    CU_ASSERT(write_pair(cert, "C1", cert, "K1") == GBA_OK);
    CU_ASSERT_STRING_EQUAL(get(cert), "K1C1");
    CU_ASSERT(est_pair_recover(cert, cert) == GBA_OK);
    CU_ASSERT_STRING_EQUAL(get(cert), "K1C1");
}

/* Every state that a kill can leave. */
static void test_recover(void)
{
    set("C1", "K1", "", "K2"); /* the new certificate had not come */
    CU_ASSERT(est_pair_recover(cert, key) == GBA_OK);
    CU_ASSERT(are("C1", "K1", "", ""));
    set("C1", "K1", "C2", "K2"); /* both were whole */
    CU_ASSERT(est_pair_recover(cert, key) == GBA_OK);
    CU_ASSERT(are("C2", "K2", "", ""));
    set("C1", "K2", "C2", ""); /* one of them had been moved */
    CU_ASSERT(est_pair_recover(cert, key) == GBA_OK);
    CU_ASSERT(are("C2", "K2", "", ""));
    set("", "", "C2", "K2"); /* a first pair */
    CU_ASSERT(est_pair_recover(cert, key) == GBA_OK);
    CU_ASSERT(are("C2", "K2", "", ""));
    CU_ASSERT(est_pair_recover(cert, key) == GBA_OK); /* nothing to do */
    CU_ASSERT(are("C2", "K2", "", ""));
    set("", "", "", "");
    CU_ASSERT(est_pair_recover(cert, key) == GBA_OK);
}

static void test_errors(void)
{
    char nowhere[300];

    snprintf(nowhere, sizeof(nowhere), "%s/no/such/folder", scratch("x"));
    set("C1", "K1", "", "");
    CU_ASSERT(write_pair(nowhere, "C2", key, "K2") == GBA_E_IO);
    CU_ASSERT(are("C1", "K1", "", "")); /* no half, nothing left aside */
    CU_ASSERT(write_pair(cert, "C2", nowhere, "K2") == GBA_E_IO);
    CU_ASSERT(are("C1", "K1", "", ""));
}

/* ------------------------------------------------------------ killed while it writes */

static bool die_at_sync;

int fsync(int fd)
{
    if (die_at_sync)
        raise(SIGKILL);
    return (int)syscall(SYS_fsync, fd);
}

static unsigned files_of_folder(void)
{
    DIR *d = opendir(scratch(""));
    unsigned n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

/* No copy of a key that nobody knows of is left. */
static void test_killed(void)
{
    int fd = open(scratch(""), O_TMPFILE | O_WRONLY, 0600), status = 0;
    pid_t child;

    if (fd < 0)
        return; /* there the file aside has a name */
    close(fd);
    set("C1", "K1", "", "");
    child = fork();
    if (child == 0) {
        die_at_sync = true;
        write_pair(cert, "C2", key, "K2");
        _exit(0);
    }
    CU_ASSERT(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    CU_ASSERT(are("C1", "K1", "", ""));
    CU_ASSERT_EQUAL(files_of_folder(), 2);
}

/* gba est enrol --key-out /dev/null as root. */
static void test_special(void)
{
    struct stat st;
    char fifo[256];

    snprintf(fifo, sizeof(fifo), "%s", scratch("fifo"));
    CU_ASSERT(mkfifo(fifo, 0600) == 0);
    set("C1", "K1", "", "");
    CU_ASSERT(write_pair(fifo, "C2", key, "K2") == GBA_E_IO && errno == ENOTSUP);
    CU_ASSERT(write_pair(cert, "C2", fifo, "K2") == GBA_E_IO && errno == ENOTSUP);
    CU_ASSERT(are("C1", "K1", "", ""));
    CU_ASSERT(lstat(fifo, &st) == 0 && S_ISFIFO(st.st_mode));
}

static void test_begin(void)
{
    snprintf(cert, sizeof(cert), "%s", scratch("cert.pem"));
    snprintf(key, sizeof(key), "%s", scratch("key.pem"));
    snprintf(next_cert, sizeof(next_cert), "%s.next", cert);
    snprintf(next_key, sizeof(next_key), "%s.next", key);
}

static const struct unit_test tests[] = {
    {"begin", test_begin},           {"write", test_write},   {"one file", test_one_file},
    {"recover", test_recover},       {"errors", test_errors}, {"killed", test_killed},
    {"special files", test_special},
};
UNIT_MAIN("est_pair", tests)
