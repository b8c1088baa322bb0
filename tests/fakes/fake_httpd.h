/*
 * common/host/httpd.h's request without sockets: a front of a daemon (bsf/ub_http.c,
 * bsf/zn_http.c) is handed a request and its reply is collected, in process.  Programs that
 * link this get these httpd_ functions in place of the server's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_FAKES_FAKE_HTTPD_H
#define TESTS_FAKES_FAKE_HTTPD_H

#include "common/host/httpd.h"

#define FAKE_HTTPD_FIELDS 16

struct fake_http_request {
    const char *method, *target;
    struct httpd_header fields[FAKE_HTTPD_FIELDS];
    size_t n_fields;
    struct gba_bytes body;
    struct sockaddr_storage peer;
};

/* Ends with fake_http_reply_end. */
struct fake_http_reply {
    unsigned status; /* 0: none yet */
    char *names[FAKE_HTTPD_FIELDS], *values[FAKE_HTTPD_FIELDS];
    size_t n_fields;
    uint8_t *body;
    size_t body_len;
};

void fake_http_field(struct fake_http_request *rq, const char *name, const char *value);
/* Runs the handler; then pump, which makes ports answer, until there is a reply.  Aborts when
 * a handler answers twice, or never. */
void fake_http_serve(httpd_handler *handler, void *ctx, const struct fake_http_request *rq,
                     bool (*pump)(void *arg), void *arg, struct fake_http_reply *out);

/* For replies that no front made. */
void fake_http_reply_start(struct fake_http_reply *r, unsigned status);
void fake_http_reply_field(struct fake_http_reply *r, const char *name, const char *value);
void fake_http_reply_body(struct fake_http_reply *r, const void *body, size_t n);
void fake_http_reply_end(struct fake_http_reply *r);
/* The value of a field, or "". */
const char *fake_http_reply_value(const struct fake_http_reply *r, const char *name);

#endif
