/*
 * A whole NAF in a hundred lines: libmicrohttpd serves, libgba-naf decides who may.  Start from
 * here; <naf/gba_naf.h> is the manual.  Plain HTTP, for a laboratory: under TLS set tls,
 * tls_suite and tls_sni of the request; in a busy server suspend the connection and use
 * gba_naf_notify in place of gba_naf_wait.
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

struct request {
    bool begun;
    char target[]; /* as it was sent, for the Digest covers it */
};

static void *on_target(void *naf, const char *target, struct MHD_Connection *c)
{
    struct request *r = calloc(1, sizeof(*r) + strlen(target) + 1);

    (void)naf;
    (void)c;
    return r != NULL ? strcpy(r->target, target), r : NULL;
}

static void on_end(void *naf, struct MHD_Connection *c, void **request,
                   enum MHD_RequestTerminationCode why)
{
    (void)naf;
    (void)c;
    (void)why;
    free(*request);
}

static enum MHD_Result answer(struct MHD_Connection *c, struct gba_naf_exchange *x)
{
    char body[512] = "";
    const char *name, *value;
    struct MHD_Response *r;
    enum MHD_Result ok;

    if (gba_naf_wait(x) == GBA_NAF_ACCEPT)
        snprintf(body, sizeof(body), "Hello, %s\n", gba_naf_btid(x));
    r = MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_COPY);
    for (size_t i = 0; gba_naf_header(x, i, &name, &value); i++)
        MHD_add_response_header(r, name, value);
    if (gba_naf_finish(x, (const uint8_t *)body, strlen(body), &value) == GBA_OK)
        MHD_add_response_header(r, "Authentication-Info", value);
    ok = MHD_queue_response(c, gba_naf_status(x), r);
    MHD_destroy_response(r);
    return ok;
}

/* The first of them, and how many: the library refuses a repeated one. */
static enum MHD_Result on_field(void *cls, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    struct gba_naf_request *rq = cls;

    (void)kind;
    if (strcasecmp(name, "Authorization") == 0 && rq->n_authorization++ == 0)
        rq->authorization = value;
    return MHD_YES;
}

static enum MHD_Result on_request(void *naf, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request)
{
    struct request *r = *request;
    uint8_t entropy[16];
    struct gba_naf_request rq = {
        .method = method, .entropy = entropy, .now_s = (int64_t)time(NULL)};
    struct gba_naf_exchange *x;
    enum MHD_Result ok = MHD_NO;

    (void)url;
    (void)version;
    (void)upload;
    if (r == NULL || *upload_size != 0 || /* this server takes no bodies */
        getrandom(entropy, sizeof(entropy), 0) != sizeof(entropy))
        return MHD_NO;
    if (!r->begun) { /* an answer to the first call would close the connection */
        r->begun = true;
        return MHD_YES;
    }
    rq.target = r->target;
    rq.host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
    rq.user_agent = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "User-Agent");
    MHD_get_connection_values(c, MHD_HEADER_KIND, on_field, &rq);
    gba_naf_authenticate(naf, &rq, &x);
    if (x != NULL)
        ok = answer(c, x);
    gba_naf_exchange_free(x);
    return ok;
}

int main(int argc, char **argv)
{
    const unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD;
    struct gba_naf_config config = {
        .fqdns = (const char *const *)argv + 1, .n_fqdns = 1, .n_bsfs = 1};
    struct gba_naf_bsf bsf;
    struct gba_naf *naf;
    struct MHD_Daemon *d;

    if (argc != 8)
        return 64;
    bsf = (struct gba_naf_bsf){.domain = argv[3], .url = argv[4], .ca_file = argv[5]};
    config.bsfs = &bsf;
    config.cert_file = argv[6];
    config.key_file = argv[7];
    if (gba_naf_new(&config, &naf) != GBA_OK)
        return 78;
    d = MHD_start_daemon(flags, (uint16_t)atoi(argv[2]), NULL, NULL, on_request, naf,
                         MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL,
                         MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
    if (d == NULL)
        return 71;
    printf("port=%u\n", (unsigned)MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    while (getchar() != EOF) /* until standard input ends */
        ;
    MHD_stop_daemon(d);
    gba_naf_free(naf);
    return 0;
}
