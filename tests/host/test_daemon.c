/*
 * common/host/daemon: the sample daemon as a process of its own, from its command line to its
 * exit code.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/host/raw_client.h"

#define ARGS_MAX 8
#define METRICS  "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
#define HEALTH   "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"

static char folder[64], out_text[65536], err_text[65536];

static const char *in_folder(const char *name)
{
    static char paths[16][128];
    static size_t turn;

    turn = (turn + 1) % 16;
    snprintf(paths[turn], sizeof(paths[turn]), "%s/%s", folder, name);
    return paths[turn];
}

static void write_config(const char *text)
{
    FILE *f = fopen(in_folder("c.yaml"), "w");

    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
}

static void read_text(const char *name, char *text, size_t cap)
{
    int fd = open(in_folder(name), O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, cap - 1) : 0;

    text[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

static pid_t begin(const char *const *args)
{
    const char *top = getenv("top_builddir");
    char program[4096];
    const char *argv[ARGS_MAX + 2] = {program};
    pid_t pid;

    snprintf(program, sizeof(program), "%s/tests/host/sample_daemon", top != NULL ? top : ".");
    for (size_t i = 0; i < ARGS_MAX && args[i] != NULL; i++)
        argv[i + 1] = args[i];
    (void)unlink(in_folder("ports"));
    pid = fork();
    if (pid != 0)
        return pid;
    if (freopen(in_folder("out"), "w", stdout) == NULL ||
        freopen(in_folder("err"), "w", stderr) == NULL)
        _exit(99);
    execv(program, (char **)argv);
    _exit(98);
}

static int finish(pid_t pid)
{
    int status;

    if (pid <= 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    read_text("out", out_text, sizeof(out_text));
    read_text("err", err_text, sizeof(err_text));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

#define RUN(...) finish(begin((const char *const[]){__VA_ARGS__, NULL}))

/* The address of a name in the ports file, once it is there. */
static const char *port(const char *name)
{
    static char addresses[2][64];
    static size_t turn;
    char text[1024], want[64], *at;

    turn = (turn + 1) % 2;
    snprintf(want, sizeof(want), "%s=", name);
    for (int i = 0; i < 1000; i++) {
        read_text("ports", text, sizeof(text));
        at = strstr(text, want);
        if (at != NULL) {
            snprintf(addresses[turn], sizeof(addresses[turn]), "%.*s",
                     (int)strcspn(at + strlen(want), "\n"), at + strlen(want));
            return addresses[turn];
        }
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return "";
}

static pid_t begin_with_config(const char *text)
{
    const char *config = in_folder("c.yaml"), *ports = in_folder("ports");

    write_config(text);
    return begin((const char *const[]){"--config", config, "--ports-file", ports, NULL});
}

/* --- tests ------------------------------------------------------------------------------- */

static void test_command_line(void)
{
    CU_ASSERT_EQUAL(RUN("--version"), 0);
    CU_ASSERT_EQUAL(strncmp(out_text, "sample (OpenGAA) ", 17), 0);
    CU_ASSERT_EQUAL(RUN("--help"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(out_text, "--config FILE"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out_text, "--word WORD"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out_text, "  listen  HOST:PORT, required"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out_text, "  log.level  choice"));
    CU_ASSERT_EQUAL(RUN("--print-word"), 0);
    CU_ASSERT_STRING_EQUAL(out_text, "word\n");
    CU_ASSERT_EQUAL(RUN("--print-man-options"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(out_text, ".B drain_timeout\n"));
    CU_ASSERT_EQUAL(RUN(NULL), 64);
    CU_ASSERT_EQUAL(RUN("--nonsense"), 64);
    CU_ASSERT_EQUAL(RUN("--config"), 64);
    CU_ASSERT_EQUAL(RUN("--config", "x", "y"), 64);
    CU_ASSERT_EQUAL(RUN("--print-word", "extra"), 64);
    CU_ASSERT_STRING_EQUAL(out_text, "");
    CU_ASSERT_PTR_NOT_NULL(strstr(err_text, "unexpected argument"));
    CU_ASSERT_EQUAL(RUN("extra", "--print-config-sample"), 64);
    CU_ASSERT_EQUAL(RUN("--print-man-options", "extra"), 64);
    CU_ASSERT_EQUAL(RUN("--print-word", "--nonsense"), 64);
}

static void test_check_config(void)
{
    char config[128], *sample;

    strcpy(config, in_folder("c.yaml"));
    write_config("listen: 127.0.0.1:0\n");
    CU_ASSERT_EQUAL(RUN("--config", config, "--check-config"), 0);
    CU_ASSERT_STRING_EQUAL(out_text, "");
    CU_ASSERT_STRING_EQUAL(err_text, "");
    write_config("listen: 127.0.0.1\nnumber: 10\n");
    CU_ASSERT_EQUAL(RUN("--check-config", "--config", config), 78);
    CU_ASSERT_PTR_NOT_NULL(strstr(err_text, "c.yaml:1:9: listen: not HOST:PORT"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err_text, "c.yaml:2:9: number: out of range (0 .. 9)"));
    write_config("listen: 127.0.0.1:0\nnumber: 7\n");
    CU_ASSERT_EQUAL(RUN("--config", config, "--check-config"), 78);
    CU_ASSERT_PTR_NOT_NULL(strstr(err_text, "sample.number number=7"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err_text, "c.yaml:2:1: number: 7 is refused\n"));
    write_config("listen: 127.0.0.1:0\nuser: no-such-user-here\n");
    CU_ASSERT_EQUAL(RUN("--config", config, "--check-config"), 78);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(err_text, "c.yaml:2:1: user: there is no user no-such-user-here\n"));
    CU_ASSERT_EQUAL(RUN("--config", in_folder("none.yaml")), 78);
    CU_ASSERT_EQUAL(RUN("--print-config-sample"), 0);
    sample = strdup(out_text);
    write_config(sample);
    free(sample);
    CU_ASSERT_EQUAL(RUN("--config", config, "--check-config"), 0);
}

static void test_life(void)
{
    pid_t pid = begin_with_config("listen: 127.0.0.1:0\nmetrics: \"[::1]:0\"\n");
    char text[8192], at[64], page[64];

    strcpy(at, port("sample"));
    strcpy(page, port("metrics"));
    CU_ASSERT_EQUAL(raw_ask(at, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof(text)), 200);
    CU_ASSERT_EQUAL(raw_ask(page, METRICS, text, sizeof(text)), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nsample_requests_total 1\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Content-Type: text/plain; version=0.0.4"));
    CU_ASSERT_EQUAL(raw_ask(page, HEALTH, text, sizeof(text)), 200);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\"mood\":\"fine\",\"status\":\"ok\",\"program\":\"sample\""));
    CU_ASSERT_EQUAL(raw_ask(page, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof(text)),
                    404);
    CU_ASSERT_EQUAL(
        raw_ask(page, "PUT /health HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof(text)), 405);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Allow: GET, HEAD\r\n"));
    CU_ASSERT_EQUAL(raw_ask(at, "GET /sick HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof(text)),
                    200);
    CU_ASSERT_EQUAL(raw_ask(page, HEALTH, text, sizeof(text)), 503);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"status\":\"failing\""));
    kill(pid, SIGHUP);
    for (int i = 0; i < 500 && strstr(text, "\nsample_reloads_total 1\n") == NULL; i++)
        (void)raw_ask(page, METRICS, text, sizeof(text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nsample_reloads_total 1\n"));
    kill(pid, SIGTERM);
    CU_ASSERT_EQUAL(finish(pid), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err_text, " daemon.ready "));
    CU_ASSERT_EQUAL(raw_connect(at), -1);
}

static void test_ends(void)
{
    pid_t pid = begin_with_config("listen: 127.0.0.1:0\n");
    char text[4096], at[64], config[256];

    CU_ASSERT_EQUAL(
        raw_ask(port("sample"), "GET /end HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof(text)),
        200);
    CU_ASSERT_EQUAL(finish(pid), 70);

    pid = begin_with_config("listen: 127.0.0.1:0\n");
    strcpy(at, port("sample"));
    snprintf(config, sizeof(config), "listen: %s\n", at);
    write_config(config);
    CU_ASSERT_EQUAL(finish(begin((const char *const[]){"--config", in_folder("c.yaml"), NULL})),
                    71);
    CU_ASSERT_PTR_NOT_NULL(strstr(err_text, " http.bind "));
    kill(pid, SIGINT);
    CU_ASSERT_EQUAL(finish(pid), 0);

    CU_ASSERT_EQUAL(finish(begin_with_config("listen: 127.0.0.1:0\nuser: no-such-user-here\n")),
                    78);
    write_config("listen: 127.0.0.1:0\n");
    CU_ASSERT_EQUAL(RUN("--config", in_folder("c.yaml"), "--ports-file", in_folder("no/ports")),
                    71);
}

static const struct unit_test tests[] = {
    {"command line", test_command_line},
    {"--check-config", test_check_config},
    {"from start to SIGTERM", test_life},
    {"other ends", test_ends},
};

int main(void)
{
    static const char *const files[] = {"c.yaml", "out", "err", "ports"};
    int code;

    strcpy(folder, "/tmp/test_daemon.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return 99;
    code = unit_main("daemon", tests, sizeof(tests) / sizeof(tests[0]));
    for (size_t i = 0; i < 4; i++)
        (void)unlink(in_folder(files[i]));
    (void)rmdir(folder);
    return code;
}
