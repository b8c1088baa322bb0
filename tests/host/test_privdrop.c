/*
 * common/host/privdrop: the way down without a way back, and the ports file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/host/privdrop.h"

/* Runs f in a child: its result. */
static int in_child(int (*f)(void))
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(f());
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static int drop(void)
{
    struct passwd *pw = getpwnam("nobody");
    gid_t groups[64] = {0, 12345};
    int n;

    if (pw == NULL || setgroups(2, groups) != 0 || privdrop("nobody", NULL) != GBA_OK)
        return 1;
    if (getuid() != pw->pw_uid || geteuid() != pw->pw_uid || getgid() != pw->pw_gid)
        return 2;
    n = getgroups(64, groups);
    for (int i = 0; i < n; i++)
        if (groups[i] == 0 || groups[i] == 12345)
            return 3;
    if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
        return 4;
    /* Again is no error: it is that user already. */
    return privdrop("nobody", NULL) == GBA_OK ? 0 : 5;
}

/* As a user without the right to become another. */
static int drop_without_right(void)
{
    struct passwd *pw = getpwnam("nobody");

    if (pw == NULL || setgroups(0, NULL) != 0 || setresgid(12345, 12345, 12345) != 0 ||
        setresuid(12345, 12345, 12345) != 0)
        return 1;
    return privdrop("nobody", NULL) == GBA_E_IO ? 0 : 2;
}

/* Root of a namespace that has other users: newuidmap(1) makes one from /etc/subuid. */
#define AS_ROOT "unshare --map-root-user --map-auto"

/* The whole program once more, as root. */
static int run_as_root(void)
{
    char self[4096] = "", command[5000];

    if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
        return -1;
    snprintf(command, sizeof(command), AS_ROOT " '%s' >/dev/null", self);
    return system(command);
}

static void test_drop(void)
{
    if (geteuid() != 0 && system(AS_ROOT " true 2>/dev/null") != 0) {
        unit_skip("neither root nor a user namespace with other users (uidmap, /etc/subuid)");
        return;
    }
    if (geteuid() != 0) {
        CU_ASSERT_EQUAL(run_as_root(), 0);
        return;
    }
    CU_ASSERT_EQUAL(in_child(drop), 0);
    CU_ASSERT_EQUAL(in_child(drop_without_right), 0);
}

static void test_no_user(void)
{
    CU_ASSERT_EQUAL(privdrop(NULL, NULL), GBA_OK);
    CU_ASSERT_EQUAL(privdrop("", NULL), GBA_OK);
    CU_ASSERT_EQUAL(privdrop("no-such-user-here", NULL), GBA_E_CONFIG);
    CU_ASSERT_EQUAL(privdrop_check(NULL), GBA_OK);
    CU_ASSERT_EQUAL(privdrop_check("root"), GBA_OK);
    CU_ASSERT_EQUAL(privdrop_check("no-such-user-here"), GBA_E_CONFIG);
}

static void test_ports_file(void)
{
    static char ub[] = "ub", ub_at[] = "127.0.0.1:80", zn[] = "zn", zn_at[] = "[::1]:443";
    static const struct port ports[] = {{ub, ub_at}, {zn, zn_at}};
    char folder[] = "/tmp/test_ports.XXXXXX", path[64], other[80], text[100] = "";
    FILE *f;

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/ports", folder);
    CU_ASSERT_EQUAL(ports_file_write(path, ports, 1), GBA_OK);
    CU_ASSERT_EQUAL(ports_file_write(path, ports, 2), GBA_OK);
    f = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    (void)fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    CU_ASSERT_STRING_EQUAL(text, "ub=127.0.0.1:80\nzn=[::1]:443\n");
    snprintf(other, sizeof(other), "%s/none/ports", folder);
    CU_ASSERT_EQUAL(ports_file_write(other, ports, 2), GBA_E_IO);
    CU_ASSERT_EQUAL(ports_file_write(folder, ports, 2), GBA_E_IO);
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(rmdir(folder), 0); /* and no temporary file left behind */
}

/* A reader at the other end gets the lines; the FIFO stays one, also behind a link. */
static void test_ports_fifo(void)
{
    static char ub[] = "ub", ub_at[] = "127.0.0.1:80";
    static const struct port ports[] = {{ub, ub_at}};
    char folder[] = "/tmp/test_ports.XXXXXX", path[64], link[80], text[100] = "";
    struct stat st;
    int reader;

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/fifo", folder);
    snprintf(link, sizeof(link), "%s/link", folder);
    CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
    CU_ASSERT_EQUAL(symlink(path, link), 0);
    reader = open(path, O_RDWR | O_NONBLOCK);
    CU_ASSERT_EQUAL(ports_file_write(path, ports, 1), GBA_OK);
    CU_ASSERT_EQUAL(ports_file_write(link, ports, 1), GBA_OK);
    CU_ASSERT_EQUAL(read(reader, text, sizeof(text) - 1), 32);
    CU_ASSERT_STRING_EQUAL(text, "ub=127.0.0.1:80\nub=127.0.0.1:80\n");
    close(reader);
    CU_ASSERT_TRUE(lstat(path, &st) == 0 && S_ISFIFO(st.st_mode));
    CU_ASSERT_TRUE(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
    CU_ASSERT_EQUAL(unlink(link), 0);
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(rmdir(folder), 0);
}

/* /dev/stdout that leads to a file: the link stays, the lines come behind what is there. */
static void test_ports_descriptor(void)
{
    static char ub[] = "ub", ub_at[] = "127.0.0.1:80";
    static const struct port ports[] = {{ub, ub_at}};
    char folder[] = "/tmp/test_ports.XXXXXX", path[64], link[80], to[40], text[100] = "";
    struct stat st;
    int fd;

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/file", folder);
    snprintf(link, sizeof(link), "%s/link", folder);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    snprintf(to, sizeof(to), "/proc/self/fd/%d", fd);
    CU_ASSERT_EQUAL(write(fd, "first\n", 6), 6);
    CU_ASSERT_EQUAL(symlink(to, link), 0);
    CU_ASSERT_EQUAL(ports_file_write(link, ports, 1), GBA_OK);
    CU_ASSERT_EQUAL(pread(fd, text, sizeof(text) - 1, 0), 22);
    CU_ASSERT_STRING_EQUAL(text, "first\nub=127.0.0.1:80\n");
    close(fd);
    CU_ASSERT_TRUE(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
    CU_ASSERT_EQUAL(unlink(link), 0);
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(rmdir(folder), 0);
}

static const struct unit_test tests[] = {
    {"down, and no way back", test_drop},
    {"no user, unknown user", test_no_user},
    {"ports file", test_ports_file},
    {"ports through a FIFO", test_ports_fifo},
    {"ports through a descriptor", test_ports_descriptor},
};
UNIT_MAIN("privdrop", tests)
