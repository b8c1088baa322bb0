/*
 * common/host/httpd: a client that sends what no honest one would, too much of it, or too
 * slowly.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/host/clock.h"
#include "common/host/httpd.h"
#include "tests/host/http_server.h"
#include "tests/host/raw_client.h"

/* --- the gate ---------------------------------------------------------------------------- */

#define ROW(status, text)                                                                      \
    {                                                                                          \
        status, "" text, sizeof(text) - 1                                                      \
    }
static const struct {
    int status;
    const char *text;
    size_t n;
} gate_rows[] = {
    ROW(400,
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n"),
    ROW(400,
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
        "0\r\n\r\n"),
    ROW(400, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
    ROW(400, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    ROW(400, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc"),
    ROW(400, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc"),
    ROW(400, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n"),
    ROW(400, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ROW(400, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n"),
    ROW(400, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
             "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW(400, "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: x, y\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nAccept: x\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n\r\n"),
    ROW(200, "GET / HTTP/1.0\r\n\r\n"),
    ROW(200, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    ROW(400, GET_LINE "Authorization: Digest a=\"b\"\r\nAuthorization: Digest a=\"b\"\r\n\r\n"),
    ROW(200, GET_LINE "Authorization: Digest a=\"b\"\r\n\r\n"),
    ROW(400, GET_LINE "X-Test: a\0b\r\n\r\n"),
    ROW(400, GET_LINE "X-Test: a\0b\r\nX: y\r\n\r\n"),
    ROW(400, GET_LINE "X-Test: a\0\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: x\0y\r\nX: y\r\n\r\n"),
    ROW(400, GET_LINE "X-Te\0st: a\r\n\r\n"),
    ROW(400, GET_LINE "X-Test\0: a\r\n\r\n"),
    ROW(400, GET_LINE "X-Test: a\r\n\0\r\n\r\n"),
    ROW(400, GET_LINE "X-Test: a\rb\r\n\r\n"),
    ROW(400, GET_LINE "X-Test: a\x01"
                      "b\r\n\r\n"),
    ROW(400, GET_LINE "X-Test: a\x7f\r\n\r\n"),
    ROW(400, GET_LINE "X Test: a\r\n\r\n"),
    ROW(400, GET_LINE "X-Test : a\r\n\r\n"),
    ROW(400, GET_LINE ": a\r\n\r\n"),
    ROW(400, GET_LINE "no colon\r\n\r\n"),
    ROW(400, GET_LINE "X-Test: a\r\n b\r\n\r\n"),
    ROW(400, GET_LINE "X-Test: a\r\n\tb\r\nX: y\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n Host: x\r\n\r\n"),
    ROW(200, GET_LINE "X-Test: a\tb\r\n\r\n"),
    ROW(200, GET_LINE "X-Test:\r\nX: y\r\n\r\n"),
    ROW(400, "GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n"),
    ROW(400, "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"),
    ROW(400, "GET /?a\0b HTTP/1.1\r\nHost: x\r\n\r\n"),
    ROW(400, "GET /x%00y HTTP/1.1\r\nHost: x\r\n\r\n"),
    ROW(400, "GET /?q=%00 HTTP/1.1\r\nHost: x\r\n\r\n"),
    ROW(400, "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n"),
    ROW(400, "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"),
    ROW(400, "GET  / HTTP/1.1\r\nHost: x\r\n\r\n\r\n"),
    ROW(400, "GET /  HTTP/1.1\r\nHost: x\r\n\r\n"),
    ROW(400, "GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n"),
    ROW(400, "GET a HTTP/1.1\r\nHost: x\r\n\r\n"),
    ROW(400, "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    ROW(400, "GET http:/x HTTP/1.1\r\nHost: x\r\n\r\n"),
    ROW(400, "G(T / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\nHost: x\n\n"),
    ROW(400, GET_LINE "X-Test: a\nX: y\r\n\r\n"),
    /* what libmicrohttpd refuses by itself */
    ROW(400, GET_LINE "Content-Length: +0\r\n\r\n"),
    ROW(400, GET_LINE "Content-Length: -1\r\n\r\n"),
    ROW(400, GET_LINE "Content-Length: 0x1\r\n\r\n"),
    ROW(400, GET_LINE "Content-Length: 0, 0\r\n\r\n"),
    ROW(413, GET_LINE "Content-Length: 99999999999999999999999\r\n\r\n"),
    ROW(400, "GET /\r\nHost: x\r\n\r\n"),
    ROW(400, "rubbish\r\n\r\n"),
    ROW(400, "rubbish\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ROW(400, "GET / JUNK\r\nHost: x\r\n\r\n"),
    ROW(505, "GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
    ROW(400, GET_LINE "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"),
    ROW(413, GET_LINE "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\nabc"),
    ROW(200, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"),
    ROW(200, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
             "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
};

/* Only one answer, and it is ours: empty, with the field that the refusal callback adds. */
static bool is_ours(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");

    return end != NULL && end[4] == '\0' && strstr(text, "\r\nServer: ours\r\n") != NULL &&
           strstr(text, "\r\nContent-Length: 0\r\n") != NULL &&
           strstr(text, "\r\nConnection: close\r\n") != NULL;
}

/* A refused request never reaches the handler, and what follows it on its connection is not
 * read as another. */
static void test_gate(void)
{
    struct httpd *h = server_start(&(struct httpd_listener){0}, "127.0.0.1:0");
    char text[4096];

    for (size_t i = 0; i < sizeof(gate_rows) / sizeof(gate_rows[0]); i++) {
        unsigned before = server_n_handled;
        int fd = raw_connect(httpd_bound(h, 0)), status;

        raw_send(fd, gate_rows[i].text, gate_rows[i].n);
        status = raw_answer(fd, text, sizeof(text));
        if (status != gate_rows[i].status)
            printf("\n  row %zu: %d instead of %d", i, status, gate_rows[i].status);
        CU_ASSERT_EQUAL(status, gate_rows[i].status);
        CU_ASSERT_EQUAL(server_n_handled - before, gate_rows[i].status == 200);
        if (status != 200) {
            CU_ASSERT(is_ours(text));
            if (!is_ours(text))
                printf("\n  row %zu: %s", i, text);
            CU_ASSERT(raw_is_at_end(fd, 5000));
        }
        close(fd);
    }
    httpd_free(h);
}

/* --- limits ------------------------------------------------------------------------------ */

static char *long_text(const char *head, size_t n, const char *tail)
{
    char *text = malloc(strlen(head) + n + strlen(tail) + 1);

    strcpy(text, head);
    memset(text + strlen(head), 'a', n);
    strcpy(text + strlen(head) + n, tail);
    return text;
}

static int ask_long(const struct httpd *h, const char *head, size_t n, const char *tail,
                    char *answer, size_t cap)
{
    char *text = long_text(head, n, tail);
    int status = raw_ask(httpd_bound(h, 0), text, answer, cap);

    free(text);
    return status;
}

/* The answer to what is too large is ours: it has the field that the refusal callback adds. */
static void test_header_limit(void)
{
    static const size_t over[] = {2048, 3000, 5000, 6000, 7500};
    struct httpd *h =
        server_start(&(struct httpd_listener){.header_limit = 2048}, "127.0.0.1:0");
    char text[8192], many[8192] = GET_LINE;

    CU_ASSERT_EQUAL(ask_long(h, GET_LINE "X: ", 1900, "\r\n\r\n", text, sizeof(text)), 200);
    CU_ASSERT_EQUAL(
        ask_long(h, "GET /", 1900, " HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof(text)), 200);
    for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++) {
        CU_ASSERT_EQUAL(ask_long(h, GET_LINE "X: ", over[i], "\r\n\r\n", text, sizeof(text)),
                        431);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nServer: ours\r\n"));
        CU_ASSERT_EQUAL(
            ask_long(h, "GET /", over[i], " HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof(text)),
            431);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nServer: ours\r\n"));
        CU_ASSERT_EQUAL(
            ask_long(h, "GET /?", over[i], " HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof(text)),
            431);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nServer: ours\r\n"));
    }
    CU_ASSERT_EQUAL(ask_long(h, GET_LINE "X: ", 31000, "\r\n\r\n", text, sizeof(text)), 431);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nServer: ours\r\n"));
    CU_ASSERT_EQUAL(ask_long(h, GET_LINE "X: ", 100000, "\r\n\r\n", text, sizeof(text)), 431);
    CU_ASSERT(is_ours(text));
    CU_ASSERT_EQUAL(ask_long(h, "GET /", 100000, " HTTP/1.1\r\n\r\n", text, sizeof(text)), 431);
    CU_ASSERT(is_ours(text));
    for (int i = 0; i < 120; i++)
        strcat(many, "a:\r\n");
    strcat(many, "\r\n");
    CU_ASSERT_EQUAL(raw_ask(httpd_bound(h, 0), many, text, sizeof(text)), 431);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nServer: ours\r\n"));
    httpd_free(h);
}

static void test_body_limit(void)
{
    static const char announced[] =
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5001\r\n\r\n";
    struct httpd *h = server_start(&(struct httpd_listener){.body_limit = 5000}, "127.0.0.1:0");
    char text[4096];

    CU_ASSERT_EQUAL(ask_long(h, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n",
                             5000, "", text, sizeof(text)),
                    200);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " b=5000 "));
    CU_ASSERT_EQUAL(ask_long(h, announced, 5001, "", text, sizeof(text)), 413);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nServer: ours\r\n"));
    CU_ASSERT_EQUAL(ask_long(h, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n",
                             900000, "", text, sizeof(text)),
                    413);
    CU_ASSERT_EQUAL(raw_ask(httpd_bound(h, 0),
                            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
                            text, sizeof(text)),
                    413);
    CU_ASSERT_EQUAL(raw_ask(httpd_bound(h, 0),
                            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6000\r\n"
                            "Expect: 100-continue\r\n\r\n",
                            text, sizeof(text)),
                    413);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nServer: ours\r\n"));
    CU_ASSERT_EQUAL(
        ask_long(h, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1389\r\n",
                 5001, "\r\n0\r\n\r\n", text, sizeof(text)),
        413);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nServer: ours\r\n"));
    httpd_free(h);
}

/* Endless chunks end at last, with the connection. */
static void test_endless_body(void)
{
    struct httpd *h = server_start(&(struct httpd_listener){.body_limit = 5000}, "127.0.0.1:0");
    int fd = raw_connect(httpd_bound(h, 0));
    char *chunk = long_text("10000\r\n", 0x10000, "\r\n");
    int sent = 0;

    raw_send_text(fd, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (sent < 1000 && raw_send_text(fd, chunk))
        sent++;
    CU_ASSERT(sent < 1000);
    close(fd);
    free(chunk);
    httpd_free(h);
}

static void test_connection_limits(void)
{
    struct httpd *h = server_start(
        &(struct httpd_listener){.connection_limit = 2, .threads = 2}, "127.0.0.1:0");
    int a = raw_connect(httpd_bound(h, 0)), b = raw_connect(httpd_bound(h, 0)), c;
    char text[4096];

    CU_ASSERT(server_wait_for_connections(h, 2));
    c = raw_connect(httpd_bound(h, 0)); /* the kernel accepts it; it waits its turn */
    raw_send_text(c, GET_LINE "\r\n");
    server_wait_ms(300);
    CU_ASSERT_EQUAL(httpd_connections(h), 2);
    close(a);
    CU_ASSERT_EQUAL(raw_answer(c, text, sizeof(text)), 200);
    close(b);
    close(c);
    httpd_free(h);

    h = server_start(&(struct httpd_listener){.per_ip_limit = 2}, "127.0.0.1:0");
    a = raw_connect(httpd_bound(h, 0));
    b = raw_connect(httpd_bound(h, 0));
    c = raw_connect(httpd_bound(h, 0));
    CU_ASSERT(raw_closes(c, 5000));
    raw_send_text(a, GET_LINE "\r\n");
    CU_ASSERT_EQUAL(raw_answer(a, text, sizeof(text)), 200);
    close(a);
    CU_ASSERT(server_wait_for_connections(h, 1));
    CU_ASSERT_EQUAL(raw_ask(httpd_bound(h, 0), GET_LINE "\r\n", text, sizeof(text)), 200);
    close(b);
    close(c);
    httpd_free(h);
}

static unsigned n_threads(void)
{
    DIR *d = opendir("/proc/self/task");
    unsigned n = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static bool threads_become(unsigned n)
{
    for (int i = 0; i < 1000 && n_threads() != n; i++)
        server_wait_ms(10);
    return n_threads() == n;
}

#define N_CROWD 8

/* As many threads as connections at a time, whose handlers wait for nobody else; they are kept
 * for those that come next, and end some time after. */
static void test_thread_per_connection(void)
{
    struct httpd *h = server_start(&(struct httpd_listener){.thread_per_connection = true,
                                                            .connection_limit = N_CROWD + 1},
                                   "127.0.0.1:0");
    unsigned with_one = n_threads();
    char text[4096];
    int kept, fds[N_CROWD];

    for (int i = 0; i < 20; i++) {
        CU_ASSERT_EQUAL(raw_ask(httpd_bound(h, 0), GET_LINE "\r\n", text, sizeof(text)), 200);
        CU_ASSERT(server_wait_for_connections(h, 0));
    }
    CU_ASSERT_EQUAL(n_threads(), with_one);
    server_n_kept = 0;
    kept = raw_connect(httpd_bound(h, 0));
    raw_send_text(kept, "GET /keep HTTP/1.1\r\nHost: x\r\n\r\n");
    for (size_t i = 0; i < N_CROWD; i++) {
        fds[i] = raw_connect(httpd_bound(h, 0));
        raw_send_text(fds[i], GET_LINE "\r\n");
        CU_ASSERT_EQUAL(raw_answer(fds[i], text, sizeof(text)), 200);
    }
    CU_ASSERT_EQUAL(server_n_kept, 1);
    CU_ASSERT_EQUAL(n_threads(), with_one + N_CROWD);
    server_describe(server_kept, false);
    CU_ASSERT_EQUAL(raw_answer(kept, text, sizeof(text)), 200);
    for (size_t i = 0; i < N_CROWD; i++)
        close(fds[i]);
    close(kept);
    CU_ASSERT(threads_become(with_one));
    CU_ASSERT_EQUAL(raw_ask(httpd_bound(h, 0), GET_LINE "\r\n", text, sizeof(text)), 200);
    httpd_free(h);
}

/* So many descriptors are left. */
static void leave_descriptors(unsigned n)
{
    struct rlimit limit;
    int fd = 0;

    for (unsigned found = 0; found < n; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            found++;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = (rlim_t)fd;
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* A connection for whose thread there is no descriptor waits its turn. */
static void test_no_thread(void)
{
    struct httpd *h =
        server_start(&(struct httpd_listener){.thread_per_connection = true}, "127.0.0.1:0");
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port =
                                 htons((uint16_t)atoi(strrchr(httpd_bound(h, 0), ':') + 1))};
    int first = socket(AF_INET, SOCK_STREAM, 0), next = socket(AF_INET, SOCK_STREAM, 0);
    struct rlimit before;
    char text[4096];

    getrlimit(RLIMIT_NOFILE, &before);
    leave_descriptors(2);
    CU_ASSERT_EQUAL(connect(first, (struct sockaddr *)&at, sizeof(at)), 0);
    raw_send_text(first, GET_LINE "\r\n");
    CU_ASSERT_EQUAL(raw_answer(first, text, sizeof(text)), 200);
    CU_ASSERT_EQUAL(connect(next, (struct sockaddr *)&at, sizeof(at)), 0);
    raw_send_text(next, GET_LINE "\r\n");
    CU_ASSERT(!raw_closes(next, 300));
    close(first);
    CU_ASSERT_EQUAL(raw_answer(next, text, sizeof(text)), 200);
    close(next);
    setrlimit(RLIMIT_NOFILE, &before);
    httpd_free(h);
}

/* The rate is of the address, whatever becomes of its connections; the count is for metrics. */
static void test_rate_of_address(void)
{
    const struct limiter_config lc = {.address = {2, 1}, .buckets = 16};
    struct limiter *limiter = limiter_new(&lc);
    struct metrics *metrics = metrics_new();
    struct metric *limited = metrics_counter(metrics, "limited", NULL, "");
    struct httpd *h = server_start(
        &(struct httpd_listener){.limiter = limiter, .limited = limited}, "127.0.0.1:0");
    char text[4096];
    int fd;

    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(raw_ask(httpd_bound(h, 0), GET_LINE "\r\n", text, sizeof(text)), 200);
    CU_ASSERT_EQUAL(metric_value(limited), 0);
    fd = raw_connect(httpd_bound(h, 0));
    CU_ASSERT(raw_closes(fd, 5000));
    CU_ASSERT_EQUAL(metric_value(limited), 1);
    close(fd);
    httpd_free(h);
    limiter_free(limiter);
    metrics_free(metrics);
}

/* A peer that closed in the middle gives its slot back long before the deadline; one that only
 * will not send more gets its answer. */
static void test_peer_left_halfway(void)
{
    struct httpd *h = server_start(
        &(struct httpd_listener){.deadline_ms = 60000, .idle_timeout_s = 60}, "127.0.0.1:0");
    static const char *const halves[] = {
        "GET / HT", GET_LINE "X: y\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"};
    char text[4096];
    int fd;

    for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
        fd = raw_connect(httpd_bound(h, 0));
        raw_send_text(fd, halves[i]);
        CU_ASSERT(server_wait_for_connections(h, 1));
        close(fd);
        CU_ASSERT(server_wait_for_connections(h, 0));
    }
    fd = raw_connect(httpd_bound(h, 0));
    raw_send_text(fd, "GET /late/500 HTTP/1.1\r\nHost: x\r\n\r\n");
    shutdown(fd, SHUT_WR);
    CU_ASSERT_EQUAL(raw_answer(fd, text, sizeof(text)), 200);
    close(fd);
    httpd_free(h);
}

/* --- slow clients ------------------------------------------------------------------------ */

#define N_SLOW 3

/* Sends each text on its connection, an octet every 50 ms, until the server has ended all of
 * them or a text is through. */
static bool are_ended(const int fds[static N_SLOW], const char *const texts[static N_SLOW])
{
    bool ended[N_SLOW] = {false};
    size_t n = 0;

    for (size_t at = 0; n < N_SLOW && at < 300; at++) {
        for (size_t i = 0; i < N_SLOW; i++) {
            if (!ended[i] && (!raw_send(fds[i], texts[i] + at, 1) || raw_closes(fds[i], 17))) {
                ended[i] = true;
                n++;
            }
        }
    }
    return n == N_SLOW;
}

static void test_slow_clients(bool thread_per_connection)
{
    struct httpd *h =
        server_start(&(struct httpd_listener){.deadline_ms = 1000,
                                              .idle_timeout_s = 30,
                                              .thread_per_connection = thread_per_connection},
                     "127.0.0.1:0");
    char *line = long_text("GET /", 300, ""), *head = long_text(GET_LINE "X: ", 300, "");
    char *body =
        long_text("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n", 300, "");
    const char *const texts[N_SLOW] = {line, head, body};
    char text[4096];
    int fds[N_SLOW];

    for (int honest = 0; honest < 2; honest++) { /* at once, and after an honest request */
        for (size_t i = 0; i < N_SLOW; i++) {
            fds[i] = raw_connect(httpd_bound(h, 0));
            if (honest) {
                raw_send_text(fds[i], GET_LINE "\r\n");
                CU_ASSERT_EQUAL(raw_answer(fds[i], text, sizeof(text)), 200);
            }
        }
        CU_ASSERT(are_ended(fds, texts));
        for (size_t i = 0; i < N_SLOW; i++)
            close(fds[i]);
    }
    free(line);
    free(head);
    free(body);
    httpd_free(h);
}

static void test_deadline(void)
{
    test_slow_clients(false);
    test_slow_clients(true);
}

/* The deadline is for clients: a handler may take longer, an idle connection too. */
static void test_deadline_spares(void)
{
    struct httpd *h = server_start(
        &(struct httpd_listener){.deadline_ms = 1000, .idle_timeout_s = 30}, "127.0.0.1:0");
    int fd = raw_connect(httpd_bound(h, 0));
    char text[4096];

    server_wait_ms(1300);
    raw_send_text(fd, "GET /late/1300 HTTP/1.1\r\nHost: x\r\n\r\n");
    CU_ASSERT_EQUAL(raw_answer(fd, text, sizeof(text)), 200);
    server_wait_ms(1300);
    raw_send_text(fd, GET_LINE "\r\n");
    CU_ASSERT_EQUAL(raw_answer(fd, text, sizeof(text)), 200);
    close(fd);
    httpd_free(h);
}

/* Time-outs do not run while a handler has the request. */
static void test_slow_handler(bool thread_per_connection)
{
    struct httpd *h =
        server_start(&(struct httpd_listener){.deadline_ms = 500,
                                              .idle_timeout_s = 1,
                                              .thread_per_connection = thread_per_connection},
                     "127.0.0.1:0");
    int fd = raw_connect(httpd_bound(h, 0));
    char text[4096];

    raw_send_text(fd, "GET /late/2300 HTTP/1.1\r\nHost: x\r\n\r\n");
    CU_ASSERT_EQUAL(raw_answer(fd, text, sizeof(text)), 200);
    raw_send_text(fd, GET_LINE "\r\n");
    CU_ASSERT_EQUAL(raw_answer(fd, text, sizeof(text)), 200);
    close(fd);
    httpd_free(h);
}

static void test_slow_handlers(void)
{
    test_slow_handler(false);
    test_slow_handler(true);
}

static void test_idle_timeout(void)
{
    struct httpd *h =
        server_start(&(struct httpd_listener){.idle_timeout_s = 1}, "127.0.0.1:0");
    int fd = raw_connect(httpd_bound(h, 0)), other = raw_connect(httpd_bound(h, 0));
    char text[4096];

    raw_send_text(other, GET_LINE "\r\n");
    CU_ASSERT_EQUAL(raw_answer(other, text, sizeof(text)), 200);
    CU_ASSERT(raw_closes(fd, 8000));
    CU_ASSERT(raw_closes(other, 8000));
    close(fd);
    close(other);
    httpd_free(h);
}

static const struct unit_test tests[] = {
    {"the gate", test_gate},
    {"header limit: the answer is ours", test_header_limit},
    {"body limit: the answer is ours", test_body_limit},
    {"a body without end", test_endless_body},
    {"limits of connections", test_connection_limits},
    {"a thread for each connection", test_thread_per_connection},
    {"no thread for a connection", test_no_thread},
    {"rate of an address", test_rate_of_address},
    {"the peer leaves halfway", test_peer_left_halfway},
    {"slow clients meet a deadline", test_deadline},
    {"the deadline spares handlers and idle connections", test_deadline_spares},
    {"time-outs spare slow handlers", test_slow_handlers},
    {"idle connections end", test_idle_timeout},
};
UNIT_MAIN("httpd_limits", tests)
