/*
 * A server whose handler does what the path says: see http_server.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/host/http_server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit.h"

struct late {
    struct httpd_request *r;
    long ms;
};

void server_wait_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

void server_describe(struct httpd_request *r, bool close)
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
        server_wait_ms(l->ms);
    server_describe(l->r, false);
    free(l);
    return NULL;
}

/* Requests that nobody answers, for the drain. */
struct httpd_request *_Atomic server_kept;
_Atomic unsigned server_n_kept, server_n_handled;

void server_handle(void *ctx, struct httpd_request *r)
{
    struct gba_text path = httpd_path(r);
    pthread_t thread;
    struct late *l;

    (void)ctx;
    server_n_handled++;
    if (gba_text_is(path, "/keep")) {
        server_kept = r;
        server_n_kept++;
        return;
    }
    if (!gba_text_starts(path, "/late/")) {
        server_describe(r, gba_text_is(path, "/close"));
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

struct httpd *server_start(const struct httpd_listener *like, const char *address)
{
    struct httpd_listener l = *like;
    struct httpd *h = httpd_new(NULL);

    l.name = "test";
    l.address = address;
    l.handler = server_handle;
    l.refusal = refuse;
    if (h == NULL || httpd_listen(h, &l) != GBA_OK) {
        CU_FAIL_FATAL("the server does not server_start");
    }
    return h;
}

bool server_wait_for_connections(const struct httpd *h, size_t n)
{
    for (int i = 0; i < 500; i++) {
        if (httpd_connections(h) == n)
            return true;
        server_wait_ms(10);
    }
    return false;
}
