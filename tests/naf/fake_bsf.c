/*
 * The Zn side of a BSF over real TLS: see fake_bsf.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/naf/fake_bsf.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/crypto.h"
#include "common/host/tls.h"
#include "tests/host/certs.h"
#include "tests/unit.h"

void fake_bsf_key(const char *btid, struct gba_bytes naf_id, uint8_t out[static 32])
{
    const struct gba_bytes parts[] = {gba_text_bytes(gba_text(btid)), naf_id};

    gba_hash(GBA_SHA256, parts, 2, out);
}

static void print_answer(const struct fake_bsf *b, struct gba_wbuf *w)
{
    static const uint8_t uss[] =
        "<ussList xmlns=\"urn:3gpp:gba:GBAGUSSSchema-R9:2010-02\"><uss id=\"1\" type=\"1\">"
        "<uids><uid>u</uid></uids></uss></ussList>";
    struct gba_zn_answer a = {.impi = "user@example", .expiry_s = b->expiry_s};

    fake_bsf_key(b->last.btid, (struct gba_bytes){b->last.naf_id, b->last.naf_id_len},
                 a.me_key.octets);
    if (b->last.n_gsids > 0)
        a.uss_list = (struct gba_bytes){uss, sizeof(uss) - 1};
    gba_zn_answer_print(&b->last, &a, w);
}

static void on_request(void *ctx, struct httpd_request *r)
{
    static const enum gba_err faults[BSF_N_MOODS] = {[BSF_UNKNOWN_BTID] = GBA_E_BTID,
                                                     [BSF_NOT_AUTHORIZED] =
                                                         GBA_E_NOT_AUTHORIZED,
                                                     [BSF_FAILS] = GBA_E_ZN_FAILURE,
                                                     [BSF_FAULT_WITH_200] = GBA_E_BTID};
    static const struct httpd_header elsewhere = {"Location", "https://localhost:1/"};
    static uint8_t text[GBA_ZN_ANSWER_MAX + 4096];
    struct fake_bsf *b = ctx;
    struct httpd_reply reply = {.status = 200, .content_type = "text/xml"};
    struct gba_wbuf w;

    b->n_asked++;
    gba_wbuf_init(&w, text, sizeof(text));
    if (gba_zn_request_parse(httpd_body(r), &b->last) != GBA_OK) {
        httpd_reply(r, &(struct httpd_reply){.status = 400});
        return;
    }
    if (b->mood == BSF_SILENT && b->n_unanswered < 16) {
        b->unanswered[b->n_unanswered++] = r; /* until the end */
        return;
    }
    if (faults[b->mood] != GBA_OK)
        gba_zn_fault_print(&b->last, faults[b->mood], &w);
    else if (b->mood == BSF_NOT_XML)
        gba_wbuf_str(&w, "<oops");
    else if (b->mood == BSF_ENDLESS)
        w.n = sizeof(text);
    else
        print_answer(b, &w);
    if ((faults[b->mood] != GBA_OK && b->mood != BSF_FAULT_WITH_200) ||
        b->mood == BSF_ANSWER_WITH_500)
        reply.status = 500;
    if (b->mood == BSF_REDIRECTS) {
        reply.status = 307;
        reply.headers = &elsewhere;
        reply.n_headers = 1;
    }
    if (b->mood == BSF_NOT_FOUND)
        reply.status = 404;
    reply.body = gba_wbuf_bytes(&w);
    httpd_reply(r, &reply);
}

void fake_bsf_start(struct fake_bsf *b)
{
    char cert[128], key[128], ca[128];
    struct tls_server_config t = {.cert_file = cert,
                                  .key_file = key,
                                  .client_ca_file = ca,
                                  .client = TLS_CLIENT_REQUIRED};
    struct httpd_listener l = {
        .name = "zn", .address = "127.0.0.1:0", .handler = on_request, .ctx = b};
    const char *bound;

    memset(b, 0, sizeof(*b));
    b->expiry_s = (int64_t)time(NULL) + 3600;
    snprintf(cert, sizeof(cert), "%s", certs_path("bsf.pem"));
    snprintf(key, sizeof(key), "%s", certs_path("bsf.key"));
    snprintf(ca, sizeof(ca), "%s", certs_path("ca.pem"));
    CU_ASSERT_EQUAL_FATAL(tls_server_new(&t, NULL, &b->tls), GBA_OK);
    b->httpd = httpd_new(NULL);
    l.tls = b->tls;
    CU_ASSERT_EQUAL_FATAL(httpd_listen(b->httpd, &l), GBA_OK);
    bound = httpd_bound(b->httpd, 0);
    snprintf(b->url, sizeof(b->url), "https://localhost%s/bsf/requestBootstrappingInfo",
             strrchr(bound, ':'));
}

void fake_bsf_stop(struct fake_bsf *b)
{
    httpd_drain(b->httpd, 0); /* a question that nobody waits for any more may come until here */
    for (size_t i = 0; i < b->n_unanswered; i++)
        httpd_reply(b->unanswered[i], &(struct httpd_reply){.status = 503});
    httpd_free(b->httpd);
    tls_server_free(b->tls);
}
