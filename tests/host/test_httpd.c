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

static const struct unit_test tests[] = {
    {"views of a request", test_views},
};
UNIT_MAIN("httpd", tests)
