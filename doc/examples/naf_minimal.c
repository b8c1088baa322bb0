/*
 * A whole NAF in a hundred lines: libmicrohttpd serves, libgba-naf decides who may.  Start from
 * here; <naf/gba_naf.h> is the manual.  Plain HTTP, for a laboratory: under TLS set the fields
 * tls, tls_suite and tls_sni of the request.
 *
 *   cc naf_minimal.c $(pkg-config --cflags --libs libgba-naf libmicrohttpd) -o naf_minimal
 *   ./naf_minimal naf.example.org 8080 bsf.example.org \
 *       https://bsf.example.org:8443/bsf/requestBootstrappingInfo ca.pem naf.pem naf.key
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <microhttpd.h>
#include <naf/gba_naf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

struct page { /* one request on its way */
    struct gba_naf_exchange *x;
    char target[2048];
    uint8_t entropy[16];
};

/* The request-target as it was sent, which the Digest covers. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *c)
{
    struct page *p = calloc(1, sizeof(*p));

    (void)cls;
    (void)c;
    if (p != NULL && strlen(target) < sizeof(p->target))
        strcpy(p->target, target);
    return p;
}

static void on_end(void *cls, struct MHD_Connection *c, void **page,
                   enum MHD_RequestTerminationCode why)
{
    struct page *p = *page;

    (void)cls;
    (void)c;
    (void)why;
    if (p != NULL)
        gba_naf_exchange_free(p->x);
    free(p);
}

static enum MHD_Result answer(struct MHD_Connection *c, struct page *p)
{
    char body[512] = "";
    const char *name, *value;
    struct MHD_Response *r;
    enum MHD_Result ok;

    if (gba_naf_exchange_verdict(p->x) == GBA_NAF_ACCEPT)
        snprintf(body, sizeof(body), "Hello, %s\n", gba_naf_btid(p->x));
    r = MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_COPY);
    for (size_t i = 0; gba_naf_header(p->x, i, &name, &value); i++)
        MHD_add_response_header(r, name, value);
    if (gba_naf_finish(p->x, (const uint8_t *)body, strlen(body), &value) == GBA_OK)
        MHD_add_response_header(r, "Authentication-Info", value);
    ok = MHD_queue_response(c, gba_naf_status(p->x), r);
    MHD_destroy_response(r);
    return ok;
}

static void on_key(void *c)
{
    MHD_resume_connection(c);
}

static enum MHD_Result on_request(void *naf, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **page)
{
    struct page *p = *page;
    struct gba_naf_request rq = {.method = method, .now_s = (int64_t)time(NULL)};

    (void)url;
    (void)version;
    (void)upload;
    if (p == NULL || *upload_size != 0) /* this server takes no bodies */
        return MHD_NO;
    if (p->x != NULL) /* again, after on_key */
        return answer(c, p);
    if (getrandom(p->entropy, sizeof(p->entropy), 0) != sizeof(p->entropy))
        return MHD_NO;
    rq.target = p->target;
    rq.entropy = p->entropy;
    rq.host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
    rq.user_agent = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "User-Agent");
    rq.authorization = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
    rq.n_authorization = rq.authorization != NULL;
    if (gba_naf_authenticate(naf, &rq, &p->x) != GBA_NAF_WAIT)
        return p->x != NULL ? answer(c, p) : MHD_NO;
    MHD_suspend_connection(c); /* no thread waits for the BSF */
    gba_naf_notify(p->x, on_key, c);
    return MHD_YES;
}

int main(int argc, char **argv)
{
    const unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct gba_naf *naf;
    struct MHD_Daemon *d;
    enum gba_err err;

    if (argc != 8) {
        fprintf(stderr, "usage: naf_minimal FQDN PORT DOMAIN ZN-URL CA CERT KEY\n");
        return 64;
    }
    err = gba_naf_new(
        &(struct gba_naf_config){.fqdns = (const char *const[]){argv[1]},
                                 .n_fqdns = 1,
                                 .bsfs = &(struct gba_naf_bsf){argv[3], argv[4], argv[5]},
                                 .n_bsfs = 1,
                                 .cert_file = argv[6],
                                 .key_file = argv[7]},
        &naf);
    if (err != GBA_OK) {
        fprintf(stderr, "naf_minimal: %s\n", gba_err_text(err));
        return 78;
    }
    d = MHD_start_daemon(flags, (uint16_t)atoi(argv[2]), NULL, NULL, on_request, naf,
                         MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL,
                         MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
    if (d != NULL) {
        printf("port=%u\n", (unsigned)MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
        fflush(stdout);
        while (getchar() != EOF) /* until standard input ends */
            ;
        MHD_stop_daemon(d);
    }
    gba_naf_free(naf);
    return d != NULL ? 0 : 71;
}
