/*
 * The lab's BSF: both fronts, the decisions, the memory store behind a faulty one, the fake
 * HSS; see tests/flow/lab.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "bsf/zn_http.h"
#include "tests/flow/lab.h"

struct lab_zn {
    struct zn_env env;
    struct zn_http *front;
};

static struct lab *current; /* the environment's random() has no context */

static enum gba_err bsf_random(void *out, size_t n)
{
    if (faults_hit(&current->faults, "bsf entropy"))
        return GBA_E_ENTROPY;
    fake_random(out, n);
    return GBA_OK;
}

static void open_store(struct lab *l)
{
    if (store_memory_open(&l->store_config, &l->store) != GBA_OK)
        abort();
    faulty_store_init(&l->faulty_store, l->store, &l->faults);
}

void lab_open_bsf(struct lab *l)
{
    current = l;
    open_store(l);
    l->metrics = metrics_new();
    l->ub_env = (struct ub_env){.policy = &l->ub_policy,
                                .store = &l->faulty_store.port,
                                .zh = &l->zh.port,
                                .now_ms = fake_now_ms,
                                .random = bsf_random};
    if (l->limiter_config.buckets != 0)
        l->ub_env.limiter = limiter_new(&l->limiter_config);
    l->ub = ub_http_new(&l->ub_env, NULL, l->metrics);
    l->zn = calloc(1, sizeof(*l->zn));
    l->zn->env = (struct zn_env){&l->policy, &l->faulty_store.port, fake_now_ms};
    l->zn->front = zn_http_new(
        &l->zn->env,
        &(struct zn_http_config){.path = ZN_PATH_DEFAULT, .insecure_naf = l->zn_name}, NULL,
        l->metrics);
}

void lab_close_bsf(struct lab *l)
{
    ub_http_free(l->ub);
    zn_http_free(l->zn->front);
    free(l->zn);
    limiter_free(l->ub_env.limiter);
    metrics_free(l->metrics);
    l->store->close(l->store);
}

void lab_restart_bsf(struct lab *l)
{
    l->store->close(l->store);
    open_store(l);
}

static bool pump(void *arg)
{
    struct lab *l = arg;

    return fake_zh_serve(&l->zh);
}

static void set_peer(struct fake_http_request *rq)
{
    struct sockaddr_in *peer = (struct sockaddr_in *)(void *)&rq->peer;

    peer->sin_family = AF_INET;
    peer->sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1 */
}

void lab_url(const char *url, char host[256], char target[512])
{
    const char *at = strstr(url, "//");
    size_t n;

    if (at == NULL)
        abort();
    at += 2;
    n = strcspn(at, "/");
    if (n >= 256 || strlen(at + n) >= 512)
        abort();
    memcpy(host, at, n);
    host[n] = '\0';
    strcpy(target, at[n] != '\0' ? at + n : "/");
}

void lab_serve_ub(struct lab *l, const struct gba_ue_request *rq, struct fake_http_reply *out)
{
    struct fake_http_request in = {.method = rq->method, .body = {rq->body, rq->body_len}};
    char host[256], target[512];

    lab_url(rq->url, host, target);
    in.target = target;
    set_peer(&in);
    fake_http_field(&in, "Host", rq->host != NULL ? rq->host : host);
    for (size_t i = 0; i < rq->n_fields; i++)
        fake_http_field(&in, rq->fields[i].name, rq->fields[i].value);
    fake_http_serve(ub_http_handle, l->ub, &in, pump, l, out);
}

void lab_serve_zn(struct lab *l, struct gba_bytes body, struct fake_http_reply *out)
{
    struct fake_http_request in = {.method = "POST", .target = ZN_PATH_DEFAULT, .body = body};

    set_peer(&in);
    fake_http_field(&in, "Host", LAB_BSF);
    fake_http_field(&in, "Content-Type", "text/xml; charset=utf-8");
    fake_http_serve(zn_http_handle, l->zn->front, &in, pump, l, out);
}

void lab_ub_raw(struct lab *l, const char *authorization, struct fake_http_reply *out)
{
    struct fake_http_request in = {.method = "GET", .target = "/"};

    set_peer(&in);
    fake_http_field(&in, "Host", LAB_BSF);
    fake_http_field(&in, "User-Agent", "raw 3gpp-gba-tmpi");
    if (authorization != NULL)
        fake_http_field(&in, "Authorization", authorization);
    fake_http_serve(ub_http_handle, l->ub, &in, pump, l, out);
}

struct store_stats lab_stats(struct lab *l)
{
    struct store_stats st;

    l->store->stats(l->store, &st);
    return st;
}

bool lab_is_clean_after_all(struct lab *l)
{
    struct store_stats st;

    fake_pass_s(10 * 86400);
    l->store->expire(l->store, fake_now_ms());
    st = lab_stats(l);
    return st.challenges == 0 && st.sessions == 0 && st.subscribers == 0;
}
