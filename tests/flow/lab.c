/*
 * The lab as a whole, and its UE: libgba-ue's loop over a soft USIM and two wires; see
 * tests/flow/lab.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/flow/lab.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define K   "465b5ce8b199b49faa5f0a2ee238a6bc"
#define OPC "cd63cb71954a9f4e48a5994e37a02baf"

/* ---- a folder for card and files
 * -------------------------------------------------------------- */

static char folder[256];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void clean(void)
{
    nftw(folder, remove_one, 8, FTW_PHYS | FTW_DEPTH);
}

const char *lab_path(const char *name)
{
    static char path[2][384];
    static unsigned turn;
    const char *base = getenv("TMPDIR");

    if (folder[0] == '\0') {
        if (base == NULL) /* the card syncs for every RES; memory has no disk to wait for */
            base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        snprintf(folder, sizeof(folder), "%s/gba-flow.XXXXXX", base);
        if (mkdtemp(folder) == NULL)
            abort();
        atexit(clean);
    }
    turn = 1 - turn;
    snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
    return path[turn];
}

/* ---- ports of the UE -------------------------------------------------------------------- */

static int64_t ue_now_s(void *ctx)
{
    (void)ctx;
    return fake_now_ms() / 1000;
}

static enum gba_err ue_random(void *ctx, void *out, size_t n)
{
    struct lab *l = ctx;

    if (faults_hit(&l->faults, "ue entropy"))
        return GBA_E_ENTROPY;
    fake_random(out, n);
    return GBA_OK;
}

static void note_authorization(struct lab_wire *w, const struct gba_ue_request *rq)
{
    for (size_t i = 0; i < rq->n_fields; i++) {
        if (strcmp(rq->fields[i].name, "Authorization") != 0)
            continue;
        snprintf(w->authorization, sizeof(w->authorization), "%s", rq->fields[i].value);
        w->any_authorization = true;
    }
}

static void tamper(struct lab_wire *w)
{
    for (size_t i = 0; w->tamper_from != NULL && i < w->reply.n_fields; i++) {
        char *value = w->reply.values[i], *at = strstr(value, w->tamper_from), *changed;

        if (at == NULL)
            continue;
        changed = malloc(strlen(value) + strlen(w->tamper_to) + 1);
        sprintf(changed, "%.*s%s%s", (int)(at - value), value, w->tamper_to,
                at + strlen(w->tamper_from));
        free(value);
        w->reply.values[i] = changed;
    }
}

/* The next connection has the next suite. */
static uint16_t negotiate(struct lab_wire *w)
{
    char four[5] = "";

    if (w->suites[4] != '\0')
        memmove(w->suites, w->suites + 4, strlen(w->suites + 4) + 1);
    memcpy(four, w->suites, 4);
    return (uint16_t)strtoul(four, NULL, 16);
}

static void show(struct lab_wire *w, struct gba_ue_reply *reply)
{
    for (size_t i = 0; i < w->reply.n_fields; i++)
        w->fields[i] = (struct gba_ue_field){w->reply.names[i], w->reply.values[i]};
    reply->status = w->reply.status;
    reply->fields = w->fields;
    reply->n_fields = w->reply.n_fields;
    reply->body = w->reply.body;
    reply->body_len = w->reply.body_len;
}

static enum gba_err exchange(struct gba_ue_transport *port, const struct gba_ue_request *rq,
                             struct gba_ue_reply *reply)
{
    struct lab_wire *w = (struct lab_wire *)(void *)port;
    const bool fails = faults_hit(&w->lab->faults, "transport");
    const bool https = strncmp(rq->url, "https:", 6) == 0;

    memset(reply, 0, sizeof(*reply));
    fake_http_reply_end(&w->reply);
    w->n++;
    w->n_http += !https;
    if (https) {
        reply->suite = negotiate(w);
        if (rq->suite != 0 && rq->suite != reply->suite)
            return GBA_E_MISDIRECTED;
    }
    note_authorization(w, rq);
    if (w->n == w->lose_request || (fails && !w->lab->faults.answer_lost))
        return GBA_E_TIMEOUT;
    w->serve(w->lab, rq, &w->reply);
    tamper(w);
    if (w->n == w->lose_reply || fails)
        return GBA_E_TIMEOUT;
    show(w, reply);
    return GBA_OK;
}

static void close_wire(struct gba_ue_transport *port)
{
    (void)port;
}

static void open_wire(struct lab *l, struct lab_wire *w,
                      void (*serve)(struct lab *, const struct gba_ue_request *,
                                    struct fake_http_reply *))
{
    w->port = (struct gba_ue_transport){"in process", exchange, close_wire};
    w->lab = l;
    w->serve = serve;
    if (w->suites[0] == '\0')
        strcpy(w->suites, "c02f");
}

/* ---- life ------------------------------------------------------------------------------- */

static const char *const bsf_names[] = {LAB_BSF, LAB_ISIM};
static const char *const naf_names[] = {LAB_NAF, LAB_NAF2};
static const struct policy_ua_id naf_ua_ids[] = {{{1, 0, 0, 0, 2}, false},
                                                 {{1, 0, 1, 0, 0}, true}};
static const char *const naf_gsids[] = {"1"};
static const uint8_t nonce_secret[32] = {7};

static void init_bsf(struct lab *l)
{
    l->ub_policy = (struct ub_policy){.names = bsf_names,
                                      .n_names = 2,
                                      .lifetimes = {LAB_LIFE, 60, 86400},
                                      .challenge_ttl_ms = 60000,
                                      .repeat_window_ms = 5000,
                                      .max_failures = 3,
                                      .retry_after_s = 5};
    l->store_config = (struct store_memory_config){.challenges = 100,
                                                   .sessions = 100,
                                                   .sessions_per_subscriber = 2,
                                                   .tmpi_lifetime_ms = 86400000};
    l->naf_row = (struct policy_naf){.certificate = LAB_CERT,
                                     .fqdns = naf_names,
                                     .n_fqdns = 2,
                                     .ua_ids = naf_ua_ids,
                                     .n_ua_ids = 2,
                                     .gsids = naf_gsids,
                                     .n_gsids = 1};
    l->policy = (struct policy){
        .nafs = &l->naf_row, .n_nafs = 1, .bsf_names = bsf_names, .n_bsf_names = 2};
    l->zn_name = LAB_CERT;
}

void lab_init(struct lab *l)
{
    struct gba_aka_secret secret = {.algorithm = GBA_AKA_MILENAGE, .res_len = 8};
    size_t n;

    memset(l, 0, sizeof(*l));
    gba_unhex(secret.k, sizeof(secret.k), GBA_TEXT(K), &secret.k_len);
    gba_unhex(secret.opc, sizeof(secret.opc), GBA_TEXT(OPC), &n);
    fake_zh_init(&l->zh, LAB_IMPI, &secret, &l->faults);
    l->zh.sqn = 0x20000;
    init_bsf(l);
    l->naf_config = (struct gba_naf_config){.fqdns = naf_names,
                                            .n_fqdns = 2,
                                            .gsids = naf_gsids,
                                            .n_gsids = 1,
                                            .nonce_secret = nonce_secret};
    l->usim_lines = "";
    l->secret_lines = "k=" K "\nopc=" OPC "\nalgorithm=milenage\n";
}

static void open_card(struct lab *l)
{
    char lines[512], why[320];
    int n = snprintf(lines, sizeof(lines),
                     "imsi=001010123456789\nmnc_len=2\nsqn=000000010000\n%s%s", l->secret_lines,
                     l->usim_lines);

    if (gba_ue_usim_soft_create(lab_path("usim"), lines, (size_t)n, true, why) != GBA_OK ||
        gba_ue_usim_soft_open(lab_path("usim"), &l->card, why) != GBA_OK) {
        fprintf(stderr, "soft USIM: %s\n", why);
        abort();
    }
    faulty_usim_init(&l->usim, l->card, &l->faults);
}

void lab_open(struct lab *l)
{
    const size_t size = gba_ue_keyring_size(8, 4);

    lab_open_bsf(l);
    lab_open_naf(l);
    open_card(l);
    open_wire(l, &l->to_bsf, lab_serve_ub);
    open_wire(l, &l->to_naf, lab_serve_naf);
    l->ring = gba_ue_keyring_init(malloc(size), size, 8, 4);
    l->env = (struct gba_ue_env){ue_now_s, ue_random, l};
    l->device = (struct gba_ue_device){.usim = &l->usim.port,
                                       .ub = &l->to_bsf.port,
                                       .ua = &l->to_naf.port,
                                       .ring = l->ring,
                                       .env = &l->env};
}

void lab_close(struct lab *l)
{
    gba_ue_keyring_end(l->ring);
    free(l->ring);
    l->card->close(l->card);
    fake_http_reply_end(&l->to_bsf.reply);
    fake_http_reply_end(&l->to_naf.reply);
    lab_close_naf(l);
    lab_close_bsf(l);
    fake_zh_end(&l->zh);
}

void lab_age_hss(struct lab *l)
{
    l->zh.sqn = 0x100;
}

void lab_set_guss(struct lab *l, const char *xml)
{
    gba_guss_unref(l->zh.guss);
    if (gba_guss_parse(gba_text_bytes(gba_text(xml)), &l->zh.guss) != GBA_OK)
        abort();
}

/* ---- the UE ----------------------------------------------------------------------------- */

enum gba_err lab_bootstrap(struct lab *l)
{
    return gba_ue_bootstrap(&l->device);
}

struct gba_ue_session lab_session(struct lab *l)
{
    struct gba_ue_session s;

    if (gba_ue_keyring_session(l->ring, fake_now_ms() / 1000, &s) != GBA_OK)
        memset(&s, 0, sizeof(s));
    return s;
}

unsigned lab_get(struct lab *l, const char *url, enum gba_err *err)
{
    struct gba_ue_reply reply;

    l->tls = strncmp(url, "https:", 6) == 0;
    *err = gba_ue_fetch(
        &l->device,
        &(struct gba_ue_fetch){
            .method = "GET", .url = url, .mode = GBA_UE_UA_DIGEST, .allow_http = true},
        &reply);
    return *err == GBA_OK ? reply.status : 0;
}

void lab_ub_first(struct lab *l, const char *username, struct fake_http_reply *out)
{
    char field[1024];

    snprintf(field, sizeof(field),
             "Digest username=\"%s\", realm=\"" LAB_BSF
             "\", nonce=\"\", uri=\"/\", response=\"\"",
             username);
    lab_ub_raw(l, field, out);
}
