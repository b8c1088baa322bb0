/*
 * The floor under Ub: a bare libmicrohttpd server that answers one constant 401 and one
 * constant 200 of the sizes bsfd's have.  What bsfd costs beyond it is bsfd's own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bootstrapping_info.h"
#include "common/digest_aka.h"
#include "common/secret.h"

struct floor {
    struct MHD_Response *challenge, *success;
};

static enum MHD_Result answer(void *cls, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *body,
                              size_t *body_n, void **state)
{
    const struct floor *f = cls;
    const char *a;

    (void)url, (void)method, (void)version, (void)body, (void)body_n;
    if (*state == NULL) {
        *state = (void *)(uintptr_t)1;
        return MHD_YES;
    }
    a = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
    if (a == NULL || strstr(a, "response=\"\"") != NULL)
        return MHD_queue_response(c, 401, f->challenge);
    return MHD_queue_response(c, 200, f->success);
}

static struct MHD_Response *response(const char *body, const char *type)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(
        strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);

    if (r == NULL)
        exit(1);
    MHD_add_response_header(r, "Server", "bsfd 3gpp-gba-tmpi");
    MHD_add_response_header(r, "Cache-Control", "no-store");
    if (type != NULL)
        MHD_add_response_header(r, "Content-Type", type);
    return r;
}

static void make_answers(struct floor *f, const char *realm, struct gba_aka_secret *secret)
{
    static const uint8_t rand[16] = {0x42}, sqn[6] = {0, 0, 0, 0, 0, 32}, amf[2] = {0, 0};
    struct gba_bootstrapping_info info = {.lifetime_s = 1900000000};
    char nonce[GBA_AKA_NONCE_SIZE], text[1024];
    struct gba_wbuf w;
    struct gba_av av;

    if (gba_aka_vector(secret, rand, sqn, amf, &av) != GBA_OK ||
        gba_btid_make(rand, gba_text(realm), info.btid) != GBA_OK)
        exit(1);
    gba_aka_nonce(av.rand, av.autn, nonce);
    f->challenge = response("", NULL);
    snprintf(text, sizeof(text),
             "Digest realm=\"%s\", nonce=\"%s\", qop=\"auth-int\", "
             "opaque=\"5ccc069c403ebaf9f0171e9517f30e41\", algorithm=AKAv1-MD5",
             realm, nonce);
    MHD_add_response_header(f->challenge, "WWW-Authenticate", text);
    gba_wbuf_init(&w, text, sizeof(text));
    if (gba_bootstrapping_info_print(&info, &w) != GBA_OK)
        exit(1);
    f->success = response(gba_wbuf_cstr(&w), GBA_BOOTSTRAPPING_INFO_TYPE);
    MHD_add_response_header(f->success, "Authentication-Info",
                            "qop=auth-int, rspauth=\"00112233445566778899aabbccddeeff\", "
                            "cnonce=\"0000000000000000\", nc=00000001");
    gba_wipe(&av, sizeof(av));
}

static char *read_file(const char *path)
{
    static char text[2][65536];
    static size_t turn;
    char *at = text[turn++ % 2];
    FILE *f = fopen(path, "r");
    size_t n = f != NULL ? fread(at, 1, sizeof(text[0]) - 1, f) : 0;

    if (f != NULL)
        fclose(f);
    at[n] = '\0';
    return at;
}

/* Prints its port and serves until standard input ends. */
int main(int argc, char **argv)
{
    struct gba_aka_secret secret = {.algorithm = GBA_AKA_MILENAGE, .k_len = 16, .res_len = 8};
    const char *k = getenv("BENCH_K"), *opc = getenv("BENCH_OPC");
    struct sockaddr_in loopback = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool tls = argc == 5;
    struct MHD_Daemon *d;
    struct floor f;
    char c;

    if ((argc != 3 && !tls) || k == NULL || opc == NULL ||
        gba_unhex_exact(secret.k, 16, gba_text(k)) != GBA_OK ||
        gba_unhex_exact(secret.opc, 16, gba_text(opc)) != GBA_OK) {
        fprintf(stderr, "usage: BENCH_K=.. BENCH_OPC=.. http_floor REALM THREADS [CERT KEY]\n");
        return 64;
    }
    make_answers(&f, argv[1], &secret);
    gba_wipe(&secret, sizeof(secret));
    d = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL,
                         answer, &f, MHD_OPTION_THREAD_POOL_SIZE,
                         (unsigned)strtoul(argv[2], NULL, 10), MHD_OPTION_SOCK_ADDR, &loopback,
                         tls ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END,
                         tls ? read_file(argv[3]) : NULL, MHD_OPTION_HTTPS_MEM_KEY,
                         tls ? read_file(argv[4]) : NULL, MHD_OPTION_END);
    if (d == NULL)
        return 1;
    printf("%u\n", MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    while (read(0, &c, 1) > 0)
        continue;
    MHD_stop_daemon(d);
    MHD_destroy_response(f.challenge);
    MHD_destroy_response(f.success);
    return 0;
}
