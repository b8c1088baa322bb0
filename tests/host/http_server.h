/*
 * A server whose handler does what the path says, for the tests of common/host/httpd: "/keep" is
 * never answered, "/late/MS" later and on another thread, "/close" with Connection: close; all
 * else with a description of the request.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_HOST_HTTP_SERVER_H
#define TESTS_HOST_HTTP_SERVER_H

#include "common/host/httpd.h"

#define GET_LINE "GET / HTTP/1.1\r\nHost: x\r\n"

extern struct httpd_request *_Atomic server_kept; /* the last of "/keep" */
extern _Atomic unsigned server_n_kept, server_n_handled;

void server_handle(void *ctx, struct httpd_request *r);
/* Handler and refusal are the server's own. */
struct httpd *server_start(const struct httpd_listener *like, const char *address);
/* Answers with what the request was. */
void server_describe(struct httpd_request *r, bool close);
/* Until there are that many, for at most five seconds. */
bool server_wait_for_connections(const struct httpd *h, size_t n);
void server_wait_ms(long ms);

#endif
