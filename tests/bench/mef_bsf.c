/*
 * A BSF for the benchmark of mefd: it knows every B-TID of mef_names.h and answers over Zn as a
 * web service, in the clear.  Its own cost is in no figure.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/zn_soap.h"
#include "tests/bench/mef_names.h"

struct question {
    char body[8192];
    size_t n;
};

static enum gba_err answer_body(const struct question *q, struct gba_wbuf *out)
{
    struct gba_zn_answer a = {.expiry_s = (int64_t)time(NULL) + 86400};
    struct gba_zn_request rq;
    unsigned i;
    enum gba_err err =
        gba_zn_request_parse((struct gba_bytes){(const uint8_t *)q->body, q->n}, &rq);

    if (err == GBA_OK && !bench_btid_number(rq.btid, &i))
        err = GBA_E_BTID;
    if (err != GBA_OK)
        return gba_zn_fault_print(&rq, err, out);
    bench_impi(i, a.impi);
    bench_naf_key(rq.btid, (struct gba_bytes){rq.naf_id, rq.naf_id_len}, a.me_key.octets);
    return gba_zn_answer_print(&rq, &a, out);
}

static enum MHD_Result answer(void *cls, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *body,
                              size_t *n, void **state)
{
    struct question *q = *state;
    static _Thread_local char text[8192];
    struct MHD_Response *r;
    struct gba_wbuf w;
    enum MHD_Result result;

    (void)cls, (void)url, (void)method, (void)version;
    if (q == NULL) {
        *state = calloc(1, sizeof(*q));
        return *state != NULL ? MHD_YES : MHD_NO;
    }
    if (*n > 0) {
        if (q->n + *n > sizeof(q->body))
            return MHD_NO;
        memcpy(q->body + q->n, body, *n);
        q->n += *n;
        *n = 0;
        return MHD_YES;
    }
    gba_wbuf_init(&w, text, sizeof(text));
    if (answer_body(q, &w) != GBA_OK)
        return MHD_NO;
    r = MHD_create_response_from_buffer(w.n, text, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(r, "Content-Type", "text/xml; charset=utf-8");
    result = MHD_queue_response(c, 200, r);
    MHD_destroy_response(r);
    return result;
}

static void completed(void *cls, struct MHD_Connection *c, void **state,
                      enum MHD_RequestTerminationCode why)
{
    (void)cls, (void)c, (void)why;
    free(*state);
    *state = NULL;
}

/* Prints its port and serves until standard input ends. */
int main(void)
{
    struct sockaddr_in loopback = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *d = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, NULL, MHD_OPTION_SOCK_ADDR,
        &loopback, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
    char c;

    if (d == NULL)
        return 1;
    printf("%u\n", MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    while (read(0, &c, 1) > 0)
        continue;
    MHD_stop_daemon(d);
    return 0;
}
