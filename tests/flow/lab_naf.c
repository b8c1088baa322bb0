/*
 * The lab's NAF: libgba-naf as a server embeds it, and a Zn port that takes the web service's
 * octets to the lab's BSF in process; see tests/flow/lab.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "naf/gba_naf_impl.h"
#include "tests/flow/lab.h"

#define RESOURCE "what only this subscriber may see\n"

/* ---- Zn --------------------------------------------------------------------------------- */

struct bridge {
    struct zn port;
    struct lab *lab;
};

static void make_request(const struct zn_query *q, struct gba_zn_request *rq)
{
    memset(rq, 0, sizeof(*rq));
    rq->envelope = true;
    strcpy(rq->ns, GBA_ZN_NS_DEFAULT);
    memcpy(rq->btid, q->btid, sizeof(rq->btid));
    memcpy(rq->naf_id, q->naf_id.octets, q->naf_id.n);
    rq->naf_id_len = q->naf_id.n;
    memcpy(rq->gsid, q->gsid, sizeof(rq->gsid));
    rq->n_gsids = q->n_gsids;
    rq->gba_u_aware = q->gba_u_aware;
}

static enum gba_err ask_bsf(struct lab *l, const struct zn_query *q, struct gba_zn_answer *a)
{
    static uint8_t octets[GBA_ZN_REQUEST_MAX];
    struct gba_zn_request rq;
    struct gba_zn_fault fault;
    struct fake_http_reply reply;
    struct gba_wbuf w;
    enum gba_err err;

    make_request(q, &rq);
    gba_wbuf_init(&w, octets, sizeof(octets));
    if (gba_zn_request_print(&rq, &w) != GBA_OK)
        return GBA_E_ARGUMENT;
    lab_serve_zn(l, gba_wbuf_bytes(&w), &reply);
    err = GBA_E_ZN_FAILURE;
    if (reply.status == 200 || (reply.status == 500 && reply.body_len != 0))
        err = gba_zn_answer_parse((struct gba_bytes){reply.body, reply.body_len}, a, &fault);
    fake_http_reply_end(&reply);
    return err;
}

static void ask(struct zn *self, const struct zn_query *q, zn_done *done, void *arg)
{
    struct lab *l = ((struct bridge *)(void *)self)->lab;
    const bool fails = faults_hit(&l->faults, "zn");
    struct gba_zn_answer a;
    struct gba_text domain;
    uint8_t rand[16];
    enum gba_err err = GBA_E_TIMEOUT;

    memset(&a, 0, sizeof(a));
    if (gba_btid_parse(gba_text(q->btid), rand, &domain) != GBA_OK ||
        !(gba_text_is(domain, LAB_BSF) || gba_text_is(domain, LAB_ISIM)))
        err = GBA_E_FORBIDDEN;
    else if (!fails || l->faults.answer_lost)
        err = ask_bsf(l, q, &a);
    if (fails)
        err = GBA_E_TIMEOUT;
    done(arg, err, err == GBA_OK ? &a : NULL);
    gba_zn_answer_release(&a);
}

static void close_bridge(struct zn *self)
{
    free(self);
}

/* ---- the server ------------------------------------------------------------------------- */

void lab_open_naf(struct lab *l)
{
    struct bridge *b = calloc(1, sizeof(*b));

    b->port = (struct zn){"in process", ask, close_bridge};
    b->lab = l;
    if (naf_new_with_zn(&l->naf_config, &b->port, &l->naf) != GBA_OK)
        abort();
}

void lab_close_naf(struct lab *l)
{
    gba_naf_free(l->naf);
}

void lab_restart_naf(struct lab *l)
{
    lab_close_naf(l);
    lab_open_naf(l);
}

static const char *field_of(const struct gba_ue_request *rq, const char *name)
{
    for (size_t i = 0; i < rq->n_fields; i++)
        if (strcasecmp(rq->fields[i].name, name) == 0)
            return rq->fields[i].value;
    return NULL;
}

static uint16_t suite_of(const struct lab *l)
{
    char four[5] = "";

    memcpy(four, l->to_naf.suites, 4);
    return (uint16_t)strtoul(four, NULL, 16);
}

/* What an embedding server does with an exchange. */
static void answer(struct lab *l, struct gba_naf_exchange *x, enum gba_naf_verdict verdict,
                   struct fake_http_reply *out)
{
    const char *name, *value, *uss;
    size_t n;

    fake_http_reply_start(out, x != NULL ? gba_naf_status(x) : 503);
    if (x == NULL)
        return;
    l->naf_reason = gba_naf_reason(x);
    for (size_t i = 0; gba_naf_header(x, i, &name, &value); i++)
        fake_http_reply_field(out, name, value);
    if (verdict != GBA_NAF_ACCEPT)
        return;
    l->naf_key_type = gba_naf_key_type(x);
    strcpy(l->naf_btid, gba_naf_btid(x));
    uss = gba_naf_uss_list(x, &n);
    snprintf(l->naf_uss, sizeof(l->naf_uss), "%.*s", (int)n, uss != NULL ? uss : "");
    fake_http_reply_body(out, RESOURCE, strlen(RESOURCE));
    if (gba_naf_finish(x, out->body, out->body_len, &value) == GBA_OK)
        fake_http_reply_field(out, "Authentication-Info", value);
}

void lab_serve_naf(struct lab *l, const struct gba_ue_request *rq, struct fake_http_reply *out)
{
    char host[256], target[512];
    uint8_t entropy[16];
    struct gba_naf_request in = {.method = rq->method,
                                 .target = target,
                                 .host = host,
                                 .authorization = field_of(rq, "Authorization"),
                                 .user_agent = field_of(rq, "User-Agent"),
                                 .body = rq->body,
                                 .body_len = rq->body_len,
                                 .tls = l->tls,
                                 .now_s = fake_now_ms() / 1000,
                                 .entropy = entropy};
    struct gba_naf_exchange *x;
    enum gba_naf_verdict verdict;

    lab_url(rq->url, host, target);
    in.n_authorization = in.authorization != NULL;
    in.tls_suite = l->tls ? suite_of(l) : 0;
    in.tls_sni = l->tls ? host : NULL;
    fake_random(entropy, sizeof(entropy));
    verdict = gba_naf_authenticate(l->naf, &in, &x);
    if (verdict == GBA_NAF_WAIT)
        verdict = gba_naf_wait(x);
    answer(l, x, verdict, out);
    gba_naf_exchange_free(x);
}
