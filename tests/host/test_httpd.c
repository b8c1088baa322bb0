/*
 * common/host/httpd: a real server on a loopback socket, and a client that sends what no
 * honest one would.
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
#include "tests/host/raw_client.h"

#define GET_LINE "GET / HTTP/1.1\r\nHost: x\r\n"

/* --- a handler that does what the path says ---------------------------------------------- */

struct late {
    struct httpd_request *r;
    long ms;
};

static void wait_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void describe(struct httpd_request *r, bool close)
{
    static const struct httpd_header fields[] = {{"Server", "test"}};
    struct gba_text m = httpd_method(r), t = httpd_target(r), p = httpd_path(r),
                    q = httpd_query(r), a = httpd_field(r, "X-Test", NULL);
    char text[4096];
    int n = snprintf(text, sizeof(text), "m=%.*s t=%.*s p=%.*s q=%.*s x=[%.*s] b=%zu from=%s",
                     (int)m.n, m.s, (int)t.n, t.s, (int)p.n, p.s, (int)q.n, q.s, (int)a.n, a.s,
                     httpd_body(r).n, httpd_peer_text(r));

    httpd_reply(r, &(struct httpd_reply){.status = 200,
                                         .content_type = "text/plain",
                                         .headers = fields,
                                         .n_headers = 1,
                                         .body = {(uint8_t *)text, (size_t)n},
                                         .close = close});
}

static void *answer_late(void *arg)
{
    struct late *l = arg;

    if (l->ms > 0)
        wait_ms(l->ms);
    describe(l->r, false);
    free(l);
    return NULL;
}

/* Requests that nobody answers, for the drain. */
static struct httpd_request *_Atomic kept;
static _Atomic unsigned n_kept, n_handled;

static void handle(void *ctx, struct httpd_request *r)
{
    struct gba_text path = httpd_path(r);
    pthread_t thread;
    struct late *l;

    (void)ctx;
    n_handled++;
    if (gba_text_is(path, "/keep")) {
        kept = r;
        n_kept++;
        return;
    }
    if (!gba_text_starts(path, "/late/")) {
        describe(r, gba_text_is(path, "/close"));
        return;
    }
    l = malloc(sizeof(*l));
    *l = (struct late){r, atol(path.s + 6)};
    if (pthread_create(&thread, NULL, answer_late, l) == 0)
        pthread_detach(thread);
}

static void refuse(void *ctx, struct httpd_request *r, enum gba_err err)
{
    static const struct httpd_header fields[] = {{"Server", "ours"}};

    (void)ctx;
    httpd_reply(r, &(struct httpd_reply){
                       .status = gba_err_http(err), .headers = fields, .n_headers = 1});
}

static struct httpd *start(const struct httpd_listener *like, const char *address)
{
    struct httpd_listener l = *like;
    struct httpd *h = httpd_new(NULL);

    l.name = "test";
    l.address = address;
    l.handler = handle;
    l.refusal = refuse;
    if (h == NULL || httpd_listen(h, &l) != GBA_OK) {
        CU_FAIL_FATAL("the server does not start");
    }
    return h;
}

/* --- plain requests ---------------------------------------------------------------------- */

static void test_views(void)
{
    struct httpd *h = start(&(struct httpd_listener){.threads = 2}, "127.0.0.1:0");
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
        struct httpd_listener l = {.address = addresses[i], .handler = handle};

        CU_ASSERT_EQUAL_FATAL(httpd_listen(h, &l), GBA_OK);
        CU_ASSERT_EQUAL(raw_ask(httpd_bound(h, i), GET_LINE "\r\n", text, sizeof(text)), 200);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, i == 1 ? "from=::1" : "from=127.0.0.1"));
    }
    CU_ASSERT_EQUAL(
        httpd_listen(h, &(struct httpd_listener){.address = "nonsense", .handler = handle}),
        GBA_E_ARGUMENT);
    CU_ASSERT_EQUAL(httpd_listen(h, &(struct httpd_listener){.address = httpd_bound(h, 0),
                                                             .handler = handle}),
                    GBA_E_IO);
    httpd_free(h);
}

static void test_many_listeners(void)
{
    struct httpd *h = httpd_new(NULL);
    struct httpd_listener l = {.address = "127.0.0.1:0", .handler = handle};
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
    struct httpd *h = start(&(struct httpd_listener){0}, "127.0.0.1:0");
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

static void test_pipelined(bool thread_per_connection)
{
    struct httpd *h =
        start(&(struct httpd_listener){.thread_per_connection = thread_per_connection},
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
    struct httpd *h = start(&(struct httpd_listener){.threads = 3}, "127.0.0.1:0");
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
    struct httpd *h = start(&(struct httpd_listener){0}, "127.0.0.1:0");
    char text[4096];

    for (size_t i = 0; i < sizeof(gate_rows) / sizeof(gate_rows[0]); i++) {
        unsigned before = n_handled;
        int fd = raw_connect(httpd_bound(h, 0)), status;

        raw_send(fd, gate_rows[i].text, gate_rows[i].n);
        status = raw_answer(fd, text, sizeof(text));
        if (status != gate_rows[i].status)
            printf("\n  row %zu: %d instead of %d", i, status, gate_rows[i].status);
        CU_ASSERT_EQUAL(status, gate_rows[i].status);
        CU_ASSERT_EQUAL(n_handled - before, gate_rows[i].status == 200);
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
    struct httpd *h = start(&(struct httpd_listener){.header_limit = 2048}, "127.0.0.1:0");
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
    struct httpd *h = start(&(struct httpd_listener){.body_limit = 5000}, "127.0.0.1:0");
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
    struct httpd *h = start(&(struct httpd_listener){.body_limit = 5000}, "127.0.0.1:0");
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

static bool wait_for_connections(const struct httpd *h, size_t n)
{
    for (int i = 0; i < 500; i++) {
        if (httpd_connections(h) == n)
            return true;
        wait_ms(10);
    }
    return false;
}

static void test_connection_limits(void)
{
    struct httpd *h =
        start(&(struct httpd_listener){.connection_limit = 2, .threads = 2}, "127.0.0.1:0");
    int a = raw_connect(httpd_bound(h, 0)), b = raw_connect(httpd_bound(h, 0)), c;
    char text[4096];

    CU_ASSERT(wait_for_connections(h, 2));
    c = raw_connect(httpd_bound(h, 0)); /* the kernel accepts it; it waits its turn */
    raw_send_text(c, GET_LINE "\r\n");
    wait_ms(300);
    CU_ASSERT_EQUAL(httpd_connections(h), 2);
    close(a);
    CU_ASSERT_EQUAL(raw_answer(c, text, sizeof(text)), 200);
    close(b);
    close(c);
    httpd_free(h);

    h = start(&(struct httpd_listener){.per_ip_limit = 2}, "127.0.0.1:0");
    a = raw_connect(httpd_bound(h, 0));
    b = raw_connect(httpd_bound(h, 0));
    c = raw_connect(httpd_bound(h, 0));
    CU_ASSERT(raw_closes(c, 5000));
    raw_send_text(a, GET_LINE "\r\n");
    CU_ASSERT_EQUAL(raw_answer(a, text, sizeof(text)), 200);
    close(a);
    CU_ASSERT(wait_for_connections(h, 1));
    CU_ASSERT_EQUAL(raw_ask(httpd_bound(h, 0), GET_LINE "\r\n", text, sizeof(text)), 200);
    close(b);
    close(c);
    httpd_free(h);
}

/* A peer that closed in the middle gives its slot back long before the deadline; one that only
 * will not send more gets its answer. */
static void test_peer_left_halfway(void)
{
    struct httpd *h = start(
        &(struct httpd_listener){.deadline_ms = 60000, .idle_timeout_s = 60}, "127.0.0.1:0");
    static const char *const halves[] = {
        "GET / HT", GET_LINE "X: y\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"};
    char text[4096];
    int fd;

    for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
        fd = raw_connect(httpd_bound(h, 0));
        raw_send_text(fd, halves[i]);
        CU_ASSERT(wait_for_connections(h, 1));
        close(fd);
        CU_ASSERT(wait_for_connections(h, 0));
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
        start(&(struct httpd_listener){.deadline_ms = 1000,
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
    struct httpd *h = start(&(struct httpd_listener){.deadline_ms = 1000, .idle_timeout_s = 30},
                            "127.0.0.1:0");
    int fd = raw_connect(httpd_bound(h, 0));
    char text[4096];

    wait_ms(1300);
    raw_send_text(fd, "GET /late/1300 HTTP/1.1\r\nHost: x\r\n\r\n");
    CU_ASSERT_EQUAL(raw_answer(fd, text, sizeof(text)), 200);
    wait_ms(1300);
    raw_send_text(fd, GET_LINE "\r\n");
    CU_ASSERT_EQUAL(raw_answer(fd, text, sizeof(text)), 200);
    close(fd);
    httpd_free(h);
}

/* Time-outs do not run while a handler has the request. */
static void test_slow_handler(bool thread_per_connection)
{
    struct httpd *h =
        start(&(struct httpd_listener){.deadline_ms = 500,
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
    struct httpd *h = start(&(struct httpd_listener){.idle_timeout_s = 1}, "127.0.0.1:0");
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

/* --- the end ----------------------------------------------------------------------------- */

static void test_drain_answers_what_waits(void)
{
    struct httpd *h = start(&(struct httpd_listener){.threads = 2}, "127.0.0.1:0");
    int busy = raw_connect(httpd_bound(h, 0)), idle = raw_connect(httpd_bound(h, 0));
    unsigned before = n_handled;
    char text[4096], address[64];

    strcpy(address, httpd_bound(h, 0));
    raw_send_text(busy, "GET /late/400 HTTP/1.1\r\nHost: x\r\n\r\n");
    while (n_handled == before)
        wait_ms(5);
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
    struct httpd *h = start(
        &(struct httpd_listener){.threads = 2, .thread_per_connection = thread_per_connection},
        "127.0.0.1:0");
    int fds[3];
    struct httpd_request *owned[3];
    char text[4096];

    for (size_t i = 0; i < 3; i++) {
        unsigned before = n_kept;

        fds[i] = raw_connect(httpd_bound(h, 0));
        raw_send_text(fds[i], "POST /keep HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok");
        while (n_kept == before)
            wait_ms(5);
        owned[i] = kept;
    }
    httpd_drain(h, 50);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(raw_answer(fds[i], text, sizeof(text)), 503);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nRetry-After: "));
        CU_ASSERT(raw_closes(fds[i], 1000));
        close(fds[i]);
    }
    httpd_free(h);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT(gba_text_is(httpd_path(owned[i]), "/keep"));
        CU_ASSERT_EQUAL(httpd_body(owned[i]).n, 2);
        describe(owned[i], false);
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
        struct httpd *h = start(&(struct httpd_listener){.threads = 3}, "127.0.0.1:0");
        pthread_t threads[4];
        char address[64];
        int bad[4] = {0};

        strcpy(address, httpd_bound(h, 0));
        crowd_at = address;
        for (size_t i = 0; i < 4; i++)
            CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, storm, &bad[i]), 0);
        wait_ms(40);
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
    struct httpd *h = start(&(struct httpd_listener){0}, "127.0.0.1:0");
    unsigned before = n_kept;
    int fd = raw_connect(httpd_bound(h, 0));
    char text[4096];

    raw_send_text(fd, "GET /keep HTTP/1.1\r\nHost: x\r\n\r\n");
    while (n_kept == before)
        wait_ms(5);
    close(fd);
    describe(kept, false);
    CU_ASSERT(wait_for_connections(h, 0));
    CU_ASSERT_EQUAL(raw_ask(httpd_bound(h, 0), GET_LINE "\r\n", text, sizeof(text)), 200);
    httpd_free(h);
}

static const struct unit_test tests[] = {
    {"views of a request", test_views},
    {"IPv4, IPv6, a name; bad addresses", test_families},
    {"HEAD, keep-alive, close", test_head_and_keep_alive},
    {"pipelined, answered late", test_late_answers},
    {"many at once", test_crowd},
    {"the gate", test_gate},
    {"header limit: the answer is ours", test_header_limit},
    {"body limit: the answer is ours", test_body_limit},
    {"a body without end", test_endless_body},
    {"a hundred listeners", test_many_listeners},
    {"limits of connections", test_connection_limits},
    {"the peer leaves halfway", test_peer_left_halfway},
    {"slow clients meet a deadline", test_deadline},
    {"the deadline spares handlers and idle connections", test_deadline_spares},
    {"time-outs spare slow handlers", test_slow_handlers},
    {"idle connections end", test_idle_timeout},
    {"drain answers what waits", test_drain_answers_what_waits},
    {"drain with requests left over", test_drain_with_unanswered},
    {"drain under load", test_drain_under_load},
    {"the peer leaves", test_peer_leaves},
};
UNIT_MAIN("httpd", tests)
