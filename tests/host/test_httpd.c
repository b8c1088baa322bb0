/*
 * common/host/httpd: a real server on a loopback socket: requests, answers, drain.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/host/clock.h"
#include "common/host/httpd.h"
#include "tests/host/http_server.h"
#include "tests/host/raw_client.h"

/* --- plain requests ---------------------------------------------------------------------- */

static void test_views(void)
{
    struct httpd *h = server_start(&(struct httpd_listener){.threads = 2}, "127.0.0.1:0");
    const char *at = httpd_bound(h, 0);
    char text[8192];

    CU_ASSERT_EQUAL(raw_ask(at,
                            "POST /a%2fb%20c?x=1&y=%41 HTTP/1.1\r\nHost: x\r\n"
                            "x-test:   a, b \t\r\nContent-Length: 3\r\n\r\nabc",
                            text, sizeof(text)),
                    200);
    CU_ASSERT_PTR_NOT_NULL(strstr(text,
                                  "m=POST t=/a%2fb%20c?x=1&y=%41 p=/a%2fb%20c q=x=1&y=%41 "
                                  "x=[a, b] b=3 from=127.0.0.1"));
    CU_ASSERT_EQUAL(
        raw_ask(at, "GET http://h:80?q HTTP/1.1\r\nHost: h\r\n\r\n", text, sizeof(text)), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "t=http://h:80?q p=/ q=q "));
    CU_ASSERT_EQUAL(
        raw_ask(at, "GET HTTPS://h/a/b?q?r HTTP/1.1\r\nHost: h\r\n\r\n", text, sizeof(text)),
        200);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "p=/a/b q=q?r "));
    CU_ASSERT_EQUAL(raw_ask(at, "GET /?u=http://z/ HTTP/1.0\r\n\r\n", text, sizeof(text)), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "p=/ q=u=http://z/ "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nDate: "));
    CU_ASSERT_PTR_NULL(httpd_bound(h, 1));
    httpd_free(h);
}

static void test_families(void)
{
    static const char *const addresses[] = {"127.0.0.1:0", "[::1]:0", "localhost:0"};
    struct httpd *h = httpd_new(NULL);
    char text[4096];

    for (size_t i = 0; i < 3; i++) {
        struct httpd_listener l = {.address = addresses[i], .handler = server_handle};

        CU_ASSERT_EQUAL_FATAL(httpd_listen(h, &l), GBA_OK);
        CU_ASSERT_EQUAL(raw_ask(httpd_bound(h, i), GET_LINE "\r\n", text, sizeof(text)), 200);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, i == 1 ? "from=::1" : "from=127.0.0.1"));
    }
    CU_ASSERT_EQUAL(httpd_listen(h, &(struct httpd_listener){.address = "nonsense",
                                                             .handler = server_handle}),
                    GBA_E_ARGUMENT);
    CU_ASSERT_EQUAL(httpd_listen(h, &(struct httpd_listener){.address = httpd_bound(h, 0),
                                                             .handler = server_handle}),
                    GBA_E_IO);
    httpd_free(h);
}

static void test_many_listeners(void)
{
    struct httpd *h = httpd_new(NULL);
    struct httpd_listener l = {.address = "127.0.0.1:0", .handler = server_handle};
    char text[4096];

    for (size_t i = 0; i < 100; i++) {
        CU_ASSERT_EQUAL_FATAL(httpd_listen(h, &l), GBA_OK);
        if (i % 33 == 0)
            CU_ASSERT_EQUAL(raw_ask(httpd_bound(h, i), GET_LINE "\r\n", text, sizeof(text)),
                            200);
    }
    CU_ASSERT_EQUAL(raw_ask(httpd_bound(h, 0), GET_LINE "\r\n", text, sizeof(text)), 200);
    httpd_free(h);
}

static void test_head_and_keep_alive(void)
{
    struct httpd *h = server_start(&(struct httpd_listener){0}, "127.0.0.1:0");
    int fd = raw_connect(httpd_bound(h, 0));
    char text[4096];

    raw_send_text(fd, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    CU_ASSERT_EQUAL(raw_answer_head(fd, text, sizeof(text)), 200);
    raw_send_text(fd, GET_LINE "\r\n");
    CU_ASSERT_EQUAL(raw_answer(fd, text, sizeof(text)), 200);
    raw_send_text(fd, "GET /close HTTP/1.1\r\nHost: x\r\n\r\n");
    CU_ASSERT_EQUAL(raw_answer(fd, text, sizeof(text)), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Connection: close\r\n"));
    CU_ASSERT(raw_closes(fd, 5000));
    close(fd);
    httpd_free(h);
}

/* He who has shut down his side gets the answer, whole, and an end; HEAD no body. */
static void test_half_closed(void)
{
    struct httpd *h = server_start(&(struct httpd_listener){0}, "127.0.0.1:0");
    char text[4096];
    int fd = raw_connect(httpd_bound(h, 0));

    raw_send_text(fd, "GET /late/100 HTTP/1.1\r\nHost: x\r\n\r\n");
    shutdown(fd, SHUT_WR);
    CU_ASSERT_EQUAL(raw_answer(fd, text, sizeof(text)), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "m=GET t=/late/100 "));
    CU_ASSERT(raw_is_at_end(fd, 5000));
    close(fd);
    fd = raw_connect(httpd_bound(h, 0));
    raw_send_text(fd, "HEAD /late/100 HTTP/1.1\r\nHost: x\r\n\r\n");
    shutdown(fd, SHUT_WR);
    CU_ASSERT_EQUAL(raw_answer_head(fd, text, sizeof(text)), 200);
    CU_ASSERT(raw_is_at_end(fd, 5000));
    close(fd);
    httpd_free(h);
}

static void test_pipelined(bool thread_per_connection)
{
    struct httpd *h =
        server_start(&(struct httpd_listener){.thread_per_connection = thread_per_connection},
                     "127.0.0.1:0");
    int fd = raw_connect(httpd_bound(h, 0));
    char text[4096], want[32], all[8192] = "";

    for (int i = 0; i < 20; i++)
        sprintf(all + strlen(all), "GET /late/%d?%d HTTP/1.1\r\nHost: x\r\n\r\n", i % 3, i);
    raw_send_text(fd, all);
    for (int i = 0; i < 20; i++) {
        CU_ASSERT_EQUAL(raw_answer(fd, text, sizeof(text)), 200);
        sprintf(want, " q=%d ", i);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, want));
    }
    close(fd);
    httpd_free(h);
}

static void test_late_answers(void)
{
    test_pipelined(false);
    test_pipelined(true);
}

/* --- many at once ------------------------------------------------------------------------ */

static const char *crowd_at;

static void *crowd(void *arg)
{
    int fd = raw_connect(crowd_at), good = 0;
    char text[4096];

    for (int i = 0; i < 200; i++) {
        if (!raw_send_text(fd, i % 2 == 0 ? "GET /late/0 HTTP/1.1\r\nHost: x\r\n\r\n"
                                          : GET_LINE "\r\n") ||
            raw_answer(fd, text, sizeof(text)) != 200)
            break;
        good++;
    }
    close(fd);
    *(int *)arg = good;
    return NULL;
}

static void test_crowd(void)
{
    struct httpd *h = server_start(&(struct httpd_listener){.threads = 3}, "127.0.0.1:0");
    pthread_t threads[8];
    int good[8] = {0};

    crowd_at = httpd_bound(h, 0);
    for (size_t i = 0; i < 8; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, crowd, &good[i]), 0);
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(good[i], 200);
    }
    httpd_free(h);
}

/* --- the end ----------------------------------------------------------------------------- */

static void test_drain_answers_what_waits(void)
{
    struct httpd *h = server_start(&(struct httpd_listener){.threads = 2}, "127.0.0.1:0");
    int busy = raw_connect(httpd_bound(h, 0)), idle = raw_connect(httpd_bound(h, 0));
    unsigned before = server_n_handled;
    char text[4096], address[64];

    strcpy(address, httpd_bound(h, 0));
    raw_send_text(busy, "GET /late/400 HTTP/1.1\r\nHost: x\r\n\r\n");
    while (server_n_handled == before)
        server_wait_ms(5);
    httpd_drain(h, 10000);
    CU_ASSERT_EQUAL(raw_answer(busy, text, sizeof(text)), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Connection: close\r\n"));
    CU_ASSERT(raw_closes(idle, 1000));
    CU_ASSERT_EQUAL(raw_connect(address), -1);
    CU_ASSERT_EQUAL(httpd_connections(h), 0);
    close(busy);
    close(idle);
    httpd_free(h);
}

/* An owner that answers after the server is gone: its views are still there, its answer is
 * swallowed. */
static void test_drain_answers_itself(bool thread_per_connection)
{
    struct httpd *h = server_start(
        &(struct httpd_listener){
            .threads = 2, .server = "drained", .thread_per_connection = thread_per_connection},
        "127.0.0.1:0");
    int fds[3];
    struct httpd_request *owned[3];
    char text[4096];

    for (size_t i = 0; i < 3; i++) {
        unsigned before = server_n_kept;

        fds[i] = raw_connect(httpd_bound(h, 0));
        raw_send_text(fds[i], "POST /keep HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok");
        while (server_n_kept == before)
            server_wait_ms(5);
        owned[i] = server_kept;
    }
    httpd_drain(h, 50);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(raw_answer(fds[i], text, sizeof(text)), 503);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nRetry-After: "));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nServer: drained\r\n"));
        CU_ASSERT(raw_closes(fds[i], 1000));
        close(fds[i]);
    }
    httpd_free(h);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT(gba_text_is(httpd_path(owned[i]), "/keep"));
        CU_ASSERT_EQUAL(httpd_body(owned[i]).n, 2);
        server_describe(owned[i], false);
    }
}

static void test_drain_with_unanswered(void)
{
    test_drain_answers_itself(false);
    test_drain_answers_itself(true);
}

/* Asks until the server is gone; only whole answers count. */
static void *storm(void *arg)
{
    char text[4096];
    int *bad = arg;

    for (int i = 0;; i++) {
        int fd = raw_connect(crowd_at), status;

        if (fd < 0)
            return NULL;
        for (int j = 0; j < 5; j++) {
            if (!raw_send_text(fd, i % 2 == 0 ? "GET /late/1 HTTP/1.1\r\nHost: x\r\n\r\n"
                                              : GET_LINE "\r\n"))
                break;
            status = raw_answer(fd, text, sizeof(text));
            if (status == 0)
                break;
            *bad += status != 200 && status != 503;
        }
        close(fd);
    }
}

static void test_drain_under_load(void)
{
    for (unsigned round = 0; round < 10; round++) {
        struct httpd *h = server_start(&(struct httpd_listener){.threads = 3}, "127.0.0.1:0");
        pthread_t threads[4];
        char address[64];
        int bad[4] = {0};

        strcpy(address, httpd_bound(h, 0));
        crowd_at = address;
        for (size_t i = 0; i < 4; i++)
            CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, storm, &bad[i]), 0);
        server_wait_ms(40);
        httpd_drain(h, round % 2 == 0 ? 0 : 1000);
        CU_ASSERT_EQUAL(httpd_connections(h), 0);
        httpd_free(h);
        for (size_t i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            CU_ASSERT_EQUAL(bad[i], 0);
        }
    }
}

/* A client that left while its request waited. */
static void test_peer_leaves(void)
{
    struct httpd *h = server_start(&(struct httpd_listener){0}, "127.0.0.1:0");
    unsigned before = server_n_kept;
    int fd = raw_connect(httpd_bound(h, 0));
    char text[4096];

    raw_send_text(fd, "GET /keep HTTP/1.1\r\nHost: x\r\n\r\n");
    while (server_n_kept == before)
        server_wait_ms(5);
    close(fd);
    server_describe(server_kept, false);
    CU_ASSERT(server_wait_for_connections(h, 0));
    CU_ASSERT_EQUAL(raw_ask(httpd_bound(h, 0), GET_LINE "\r\n", text, sizeof(text)), 200);
    httpd_free(h);
}

static const struct unit_test tests[] = {
    {"views of a request", test_views},
    {"IPv4, IPv6, a name; bad addresses", test_families},
    {"HEAD, keep-alive, close", test_head_and_keep_alive},
    {"half-closed", test_half_closed},
    {"pipelined, answered late", test_late_answers},
    {"many at once", test_crowd},
    {"a hundred listeners", test_many_listeners},
    {"drain answers what waits", test_drain_answers_what_waits},
    {"drain with requests left over", test_drain_with_unanswered},
    {"drain under load", test_drain_under_load},
    {"the peer leaves", test_peer_leaves},
};
UNIT_MAIN("httpd", tests)
