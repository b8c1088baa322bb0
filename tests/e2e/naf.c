/*
 * A NAF for the end-to-end tests: Ua Digest over HTTP, and on a TLS port Digest under a
 * certificate or PSK-TLS (TS 33.222 5.3, 5.4).  Tells who was at the other end, with the Ua id
 * of NAF_Id. Ends with its standard input.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "common/host/clock.h"
#include "common/host/httpd.h"
#include "common/host/log.h"
#include "common/host/random.h"
#include "common/host/tls.h"
#include "naf/gba_naf.h"

struct test_naf {
    struct log *log;
    struct gba_naf *naf;
    struct gba_naf_psk *psk;
    struct tls_server *tls;
    struct httpd *httpd;
};

/* The field as a C string; NULL where there is none. */
static const char *field(struct httpd_request *rq, const char *name, size_t *count, char *out,
                         size_t cap)
{
    const struct gba_text t = httpd_field(rq, name, count);

    snprintf(out, cap, "%.*s", (int)t.n, t.s);
    return *count != 0 ? out : NULL;
}

static void answer_digest(struct httpd_request *rq, struct gba_naf_exchange *x)
{
    const enum gba_naf_verdict verdict = gba_naf_wait(x);
    struct httpd_header headers[8];
    struct httpd_reply reply = {.status = gba_naf_status(x), .headers = headers};
    char body[512] = "";

    for (const char *name, *value;
         reply.n_headers < 6 && gba_naf_header(x, reply.n_headers, &name, &value);)
        headers[reply.n_headers++] = (struct httpd_header){name, value};
    if (verdict == GBA_NAF_ACCEPT) {
        const struct gba_bytes sent = httpd_body(rq);

        snprintf(body, sizeof(body), "digest %s %zu\n", gba_naf_btid(x), sent.n);
        reply.content_type = "text/plain";
        reply.body = gba_text_bytes(gba_text(body));
        headers[reply.n_headers].name = "Authentication-Info";
        if (gba_naf_finish(x, reply.body.p, reply.body.n, &headers[reply.n_headers].value) ==
            GBA_OK)
            reply.n_headers++;
    }
    httpd_reply(rq, &reply);
}

static void do_digest(struct test_naf *n, struct httpd_request *rq, gnutls_session_t session)
{
    char target[1024], host[300], agent[300], authorization[4096], sni[256];
    size_t sni_len = sizeof(sni), n_fields;
    uint8_t entropy[16];
    unsigned type;
    const struct gba_text at = httpd_target(rq), method = httpd_method(rq);
    char verb[16];
    struct gba_naf_request ua = {.method = verb, .target = target, .entropy = entropy};
    struct gba_naf_exchange *x;

    snprintf(target, sizeof(target), "%.*s", (int)at.n, at.s);
    snprintf(verb, sizeof(verb), "%.*s", (int)method.n, method.s);
    ua.host = field(rq, "Host", &n_fields, host, sizeof(host));
    ua.user_agent = field(rq, "User-Agent", &n_fields, agent, sizeof(agent));
    ua.authorization =
        field(rq, "Authorization", &ua.n_authorization, authorization, sizeof(authorization));
    ua.body = httpd_body(rq).p;
    ua.body_len = httpd_body(rq).n;
    ua.now_s = clock_unix_s();
    if (session != NULL) {
        ua.tls = true;
        ua.tls_suite = tls_suite(session);
        if (gnutls_server_name_get(session, sni, &sni_len, &type, 0) == 0)
            ua.tls_sni = sni;
    }
    if (random_octets(entropy, sizeof(entropy)) != GBA_OK) {
        httpd_reply(rq, &(struct httpd_reply){.status = 503});
        return;
    }
    gba_naf_authenticate(n->naf, &ua, &x);
    if (x == NULL)
        httpd_reply(rq, &(struct httpd_reply){.status = 503});
    else
        answer_digest(rq, x);
    gba_naf_exchange_free(x);
}

static void on_request(void *ctx, struct httpd_request *rq)
{
    struct test_naf *n = ctx;
    gnutls_session_t session = httpd_tls(rq);
    struct gba_naf_peer peer;
    enum gba_err err =
        session != NULL ? gba_naf_psk_peer(n->psk, session, &peer) : GBA_E_NOT_FOUND;
    struct httpd_reply reply = {.status = 403, .close = true};
    char body[1024];

    if (err == GBA_E_NOT_FOUND) {
        do_digest(n, rq, session);
        return;
    }
    if (err == GBA_OK) {
        snprintf(body, sizeof(body), "psk %s %02x%02x%02x%02x%02x\n", peer.btid, peer.ua_id[0],
                 peer.ua_id[1], peer.ua_id[2], peer.ua_id[3], peer.ua_id[4]);
        reply = (struct httpd_reply){.status = 200,
                                     .content_type = "text/plain",
                                     .body = gba_text_bytes(gba_text(body))};
    }
    httpd_reply(rq, &reply);
}

static void on_tls(void *ctx, gnutls_session_t session)
{
    struct test_naf *n = ctx;

    if (gnutls_priority_set_direct(session, gba_naf_tls_priorities(GBA_NAF_TLS_33222_CERT),
                                   NULL) != 0 ||
        gba_naf_psk_attach(n->psk, session) != GBA_OK)
        LOG(n->log, LOG_LV_ERROR, "naf.tls", LOG_ERR(GBA_E_CRYPTO));
}

static enum gba_err open_all(struct test_naf *n, const struct gba_naf_config *config)
{
    const struct tls_server_config tls = {.cert_file = config->cert_file,
                                          .key_file = config->key_file};
    struct gba_naf_psk_config psk = {0};
    struct httpd_listener l = {.name = "http",
                               .address = "127.0.0.1:0",
                               .handler = on_request,
                               .ctx = n,
                               .thread_per_connection = true,
                               .connection_limit = 64};
    enum gba_err err = gba_naf_new(config, &n->naf);

    psk.naf = n->naf;
    if (err == GBA_OK)
        err = gba_naf_psk_new(&psk, &n->psk);
    if (err == GBA_OK)
        err = tls_server_new(&tls, n->log, &n->tls);
    if (err == GBA_OK)
        err = httpd_listen(n->httpd, &l);
    l.name = "https";
    l.tls = n->tls;
    l.tls_start = on_tls;
    return err == GBA_OK ? httpd_listen(n->httpd, &l) : err;
}

int main(int argc, char **argv)
{
    struct gba_naf_bsf bsf;
    struct gba_naf_config config = {
        .fqdns = (const char *const *)argv + 1, .n_fqdns = 1, .bsfs = &bsf, .n_bsfs = 1};
    struct test_naf n = {.log = log_open(LOG_FORMAT_TEXT, LOG_LV_DEBUG, false)};
    enum gba_err err;

    if (argc != 7) {
        fprintf(stderr, "usage: naf FQDN BSF-DOMAIN ZN-URL CA CERT KEY\n");
        return 64;
    }
    bsf = (struct gba_naf_bsf){.domain = argv[2], .url = argv[3], .ca_file = argv[4]};
    config.cert_file = argv[5];
    config.key_file = argv[6];
    n.httpd = httpd_new(n.log);
    err = n.httpd != NULL ? open_all(&n, &config) : GBA_E_NOMEM;
    if (err == GBA_OK) {
        printf("http=%s\nhttps=%s\n", httpd_bound(n.httpd, 0), httpd_bound(n.httpd, 1));
        fflush(stdout);
        while (getchar() != EOF) /* until standard input ends */
            ;
    }
    if (n.httpd != NULL) {
        httpd_drain(n.httpd, 1000);
        httpd_free(n.httpd);
    }
    tls_server_free(n.tls);
    gba_naf_psk_free(n.psk);
    gba_naf_free(n.naf);
    log_close(n.log);
    return err == GBA_OK ? 0 : 78;
}
