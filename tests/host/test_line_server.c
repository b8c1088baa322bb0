/*
 * common/host/line_server.c: lines in pieces, by the thousand, too long, with a NUL; clients
 * that do not read, stay silent, are too many; the socket's file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/line_server.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/scratch.h"
#include "tests/unit.h"

#define LINE_MAX_ 1000
#define WAIT_MS   20000

static struct log *const log_ = NULL; /* swallows every line */
static struct line_server *server;
static char path[108];
static atomic_uint answered;

/* "big N": N octets; else the length and the line, a NUL as '0'. */
static void answer(void *arg, uid_t uid, struct gba_text line, FILE *out)
{
    char copy[LINE_MAX_ + 1];
    size_t n = line.n;

    CU_ASSERT(arg == &answered && uid == getuid() && line.n <= LINE_MAX_);
    answered++;
    memcpy(copy, line.s, line.n);
    copy[line.n] = '\0';
    if (strncmp(copy, "big ", 4) == 0) {
        for (n = strtoul(copy + 4, NULL, 10); n > 0; n--)
            fputc('b', out);
        return;
    }
    fprintf(out, "%zu:", n);
    for (size_t i = 0; i < n; i++)
        fputc(line.s[i] != '\0' ? line.s[i] : '0', out);
}

static struct line_server_config config(void)
{
    return (struct line_server_config){.path = path,
                                       .clients = 3,
                                       .line_max = LINE_MAX_,
                                       .full = "full",
                                       .too_long = "too long",
                                       .answer = answer,
                                       .arg = &answered};
}

static void begin_with(bool end_ends_line)
{
    struct line_server_config c = config();

    snprintf(path, sizeof(path), "%s", scratch("socket"));
    answered = 0;
    c.end_ends_line = end_ends_line;
    CU_ASSERT_EQUAL_FATAL(line_server_start(&c, log_, &server), GBA_OK);
}

static void begin(void)
{
    begin_with(false);
}

static void end(void)
{
    line_server_stop(server);
    CU_ASSERT(access(path, F_OK) != 0);
}

/* ------------------------------------------------------------ a client */

static int dial(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(a.sun_path, path);
    CU_ASSERT_FATAL(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
    return fd;
}

static bool give(int fd, const void *p, size_t n)
{
    return send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static bool readable(int fd)
{
    struct pollfd f = {.fd = fd, .events = POLLIN};

    return poll(&f, 1, WAIT_MS) > 0;
}

/* One line without its end; what is longer than cap is cut.  -1: closed. */
static long take(int fd, char *out, size_t cap)
{
    long n = 0;
    char c;

    out[0] = '\0';
    for (;;) {
        if (!readable(fd) || recv(fd, &c, 1, 0) != 1)
            return -1;
        if (c == '\n')
            return n;
        if ((size_t)n + 1 < cap) {
            out[n] = c;
            out[n + 1] = '\0';
        }
        n++;
    }
}

static void check_answer(int fd, const char *expected)
{
    char line[2 * LINE_MAX_];

    CU_ASSERT(take(fd, line, sizeof(line)) >= 0);
    CU_ASSERT_STRING_EQUAL(line, expected);
}

/* ------------------------------------------------------------ lines */

static void test_lines(void)
{
    int fd;

    begin();
    fd = dial();
    CU_ASSERT(give(fd, "hello\n", 6));
    check_answer(fd, "5:hello");
    CU_ASSERT(give(fd, "\n", 1));
    check_answer(fd, "0:");
    CU_ASSERT(give(fd, "a\0b\n", 4));
    check_answer(fd, "3:a0b");
    CU_ASSERT(give(fd, "one\ntwo\nthr", 11));
    check_answer(fd, "3:one");
    check_answer(fd, "3:two");
    CU_ASSERT(give(fd, "ee\n", 3));
    check_answer(fd, "5:three");
    for (const char *p = "slow\n"; *p != '\0'; p++)
        CU_ASSERT(give(fd, p, 1));
    check_answer(fd, "4:slow");
    close(fd);
    end();
}

/* Half a line and the end is no line; a line and the end is answered. */
static void test_half(void)
{
    char line[32];
    int fd;

    begin();
    fd = dial();
    CU_ASSERT(give(fd, "half", 4));
    shutdown(fd, SHUT_WR);
    CU_ASSERT_EQUAL(take(fd, line, sizeof(line)), -1);
    CU_ASSERT_EQUAL(answered, 0);
    close(fd);
    fd = dial();
    CU_ASSERT(give(fd, "whole\nhalf", 10));
    shutdown(fd, SHUT_WR);
    check_answer(fd, "5:whole");
    CU_ASSERT_EQUAL(take(fd, line, sizeof(line)), -1);
    CU_ASSERT_EQUAL(answered, 1);
    close(fd);
    end();
}

/* Where the end of the stream ends a line: it does so once, and no line that was too long. */
static void test_last_line(void)
{
    static const struct {
        const char *lines, *answers[3];
    } rows[] = {
        {"stats", {"5:stats"}},
        {"one\nstats", {"3:one", "5:stats"}},
        {"big 300000\nlast", {NULL, "4:last"}},
        {"one\n", {"3:one"}},
        {"\n", {"0:"}},
        {"", {NULL}},
    };
    static char much[LINE_MAX_ + 1], line[2 * LINE_MAX_];
    int fd;

    begin_with(true);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fd = dial();
        CU_ASSERT(give(fd, rows[i].lines, strlen(rows[i].lines)));
        shutdown(fd, SHUT_WR);
        if (strncmp(rows[i].lines, "big ", 4) == 0)
            CU_ASSERT_EQUAL(take(fd, line, sizeof(line)), 300000);
        for (size_t j = 0; j < 3; j++)
            if (rows[i].answers[j] != NULL)
                check_answer(fd, rows[i].answers[j]);
        CU_ASSERT_EQUAL(take(fd, line, sizeof(line)), -1);
        close(fd);
    }
    CU_ASSERT_EQUAL(answered, 7);
    memset(much, 'x', sizeof(much));
    fd = dial();
    CU_ASSERT(give(fd, much, sizeof(much)));
    check_answer(fd, "too long");
    CU_ASSERT(give(fd, "rest", 4));
    shutdown(fd, SHUT_WR);
    CU_ASSERT_EQUAL(take(fd, line, sizeof(line)), -1);
    close(fd);
    fd = dial();
    CU_ASSERT(give(fd, much, LINE_MAX_));
    shutdown(fd, SHUT_WR);
    CU_ASSERT_EQUAL(take(fd, line, sizeof(line)), LINE_MAX_ + 5);
    close(fd);
    CU_ASSERT_EQUAL(answered, 8);
    end();
}

static void test_limit(void)
{
    static const size_t over[] = {1, 2, LINE_MAX_, 7 * LINE_MAX_, 300000};
    static char much[LINE_MAX_ + 300002], expected[LINE_MAX_ + 16];
    int fd;

    begin();
    fd = dial();
    memset(much, 'x', sizeof(much));
    much[LINE_MAX_] = '\n';
    CU_ASSERT(give(fd, much, LINE_MAX_ + 1));
    snprintf(expected, sizeof(expected), "%d:%.*s", LINE_MAX_, LINE_MAX_, much);
    check_answer(fd, expected);
    much[LINE_MAX_] = 'x';
    for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++) {
        CU_ASSERT(give(fd, much, LINE_MAX_ + over[i]));
        check_answer(fd, "too long"); /* before its end */
        CU_ASSERT(give(fd, "\nnext\n", 6));
        check_answer(fd, "4:next");
    }
    CU_ASSERT_EQUAL(answered, 6);
    close(fd);
    end();
}

/* Thousands at once, in order; the answers are read after all were sent. */
static void test_pipelined(void)
{
    enum { N = 5000 };
    char *all = malloc(N * 8), expected[16];
    size_t n = 0;
    int fd;

    CU_ASSERT_FATAL(all != NULL);
    begin();
    fd = dial();
    for (int i = 0; i < N; i++)
        n += (size_t)sprintf(all + n, "%d\n", i);
    CU_ASSERT(give(fd, all, n));
    for (int i = 0; i < N; i++) {
        snprintf(expected, sizeof(expected), "%d:%d", snprintf(NULL, 0, "%d", i), i);
        check_answer(fd, expected);
    }
    CU_ASSERT_EQUAL(answered, N);
    close(fd);
    end();
    free(all);
}

/* ------------------------------------------------------------ clients */

/* It is not read from any more, and others are served. */
static void test_does_not_read(void)
{
    char line[16];
    int deaf, fd;

    begin();
    deaf = dial();
    CU_ASSERT(give(deaf, "big 500000\nafter\n", 17));
    fd = dial();
    CU_ASSERT(give(fd, "other\n", 6));
    check_answer(fd, "5:other");
    CU_ASSERT_EQUAL(answered, 2);
    CU_ASSERT_EQUAL(take(deaf, line, sizeof(line)), 500000);
    check_answer(deaf, "5:after");
    CU_ASSERT_EQUAL(answered, 3);
    CU_ASSERT(give(deaf, "big 500000\n", 11)); /* and it leaves in the middle */
    CU_ASSERT(readable(deaf));
    close(deaf);
    CU_ASSERT(give(fd, "still\n", 6));
    check_answer(fd, "5:still");
    close(fd);
    end();
}

static void test_too_many(void)
{
    char line[16];
    int fd[4];

    begin();
    for (int i = 0; i < 3; i++) {
        fd[i] = dial();
        CU_ASSERT(give(fd[i], "in\n", 3));
        check_answer(fd[i], "2:in");
    }
    fd[3] = dial();
    check_answer(fd[3], "full");
    CU_ASSERT_EQUAL(take(fd[3], line, sizeof(line)), -1);
    close(fd[3]);
    close(fd[1]);
    for (int i = 0; i < 1000; i++) { /* until the server has seen that it left */
        fd[3] = dial();
        if (give(fd[3], "in\n", 3) && take(fd[3], line, sizeof(line)) > 0 &&
            strcmp(line, "2:in") == 0)
            break;
        close(fd[3]);
        usleep(1000);
    }
    CU_ASSERT_STRING_EQUAL(line, "2:in");
    close(fd[0]);
    close(fd[2]);
    close(fd[3]);
    end();
}

/* Hung up on, whatever they are at. */
static void test_stop(void)
{
    char line[16];
    int half, deaf;

    begin();
    half = dial();
    deaf = dial();
    CU_ASSERT(give(half, "half", 4));
    CU_ASSERT(give(deaf, "big 500000\n", 11));
    CU_ASSERT(readable(deaf));
    end();
    CU_ASSERT_EQUAL(take(half, line, sizeof(line)), -1);
    close(half);
    close(deaf);
    line_server_stop(NULL);
}

/* ------------------------------------------------------------ the socket's file */

static void test_mode(void)
{
    mode_t before = umask(0);
    struct stat st;

    begin();
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    CU_ASSERT(S_ISSOCK(st.st_mode));
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
    CU_ASSERT_EQUAL(umask(before), 0); /* as it was */
    end();
}

/* What a dead process left goes; a living one's and what is no socket stays. */
static void test_stale(void)
{
    const struct line_server_config c = config();
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct line_server *second = server;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    FILE *f;

    snprintf(path, sizeof(path), "%s", scratch("socket"));
    strcpy(a.sun_path, path);
    CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    close(fd);
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
    begin();
    CU_ASSERT_EQUAL(line_server_start(&c, log_, &second), GBA_E_IO);
    CU_ASSERT_PTR_NULL(second);
    fd = dial(); /* the first is where it was */
    CU_ASSERT(give(fd, "here\n", 5));
    check_answer(fd, "4:here");
    close(fd);
    end();
    f = fopen(path, "w");
    fclose(f);
    CU_ASSERT_EQUAL(line_server_start(&c, log_, &second), GBA_E_IO);
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
    unlink(path);
}

static void test_arguments(void)
{
    struct line_server_config c = config();
    struct line_server *none;
    char much[200];

    snprintf(path, sizeof(path), "%s", scratch("socket"));
    memset(much, 'p', sizeof(much));
    much[sizeof(much) - 1] = '\0';
    c.path = much;
    CU_ASSERT_EQUAL(line_server_start(&c, log_, &none), GBA_E_ARGUMENT);
    c = config();
    c.clients = 65;
    CU_ASSERT_EQUAL(line_server_start(&c, log_, &none), GBA_E_ARGUMENT);
    c = config();
    c.path = "/nowhere/at/all";
    CU_ASSERT_EQUAL(line_server_start(&c, log_, &none), GBA_E_IO);
    CU_ASSERT_PTR_NULL(none);
}

static const struct unit_test tests[] = {
    {"a line, an answer", test_lines},
    {"half a line", test_half},
    {"a last line without its end", test_last_line},
    {"the limit of a line", test_limit},
    {"thousands at once", test_pipelined},
    {"a client that does not read", test_does_not_read},
    {"too many clients", test_too_many},
    {"an end in the middle", test_stop},
    {"the socket is its owner's", test_mode},
    {"what a dead process left", test_stale},
    {"arguments", test_arguments},
};
UNIT_MAIN("line_server", tests)
