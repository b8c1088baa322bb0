/*
 * The public face of libgba-naf: ties the Ua decisions, the key cache and Zn together.  It
 * decides nothing itself.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/gba_naf_impl.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "naf/zn_soap_client.h"

#define CACHE_MAX       10000
#define NEGATIVE_MAX    4096
#define NEGATIVE_S      10
#define OUTSTANDING_MAX 256

struct gba_naf_exchange {
    struct gba_naf *naf;
    struct ua_exchange x;
    char info[UA_HEADER_SIZE];
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool waiting; /* for the key */
    void (*ready)(void *arg);
    void *arg;
};

/* ------------------------------------------------------------ life */

static enum gba_err take_gsids(const struct gba_naf_config *c, struct gba_naf *naf)
{
    uint64_t number;

    if (c->n_gsids > GBA_ZN_MAX_GSIDS)
        return GBA_E_ARGUMENT;
    for (size_t i = 0; i < c->n_gsids; i++) {
        struct gba_text t = gba_text(c->gsids[i]);

        if (gba_text_number(t, UINT32_MAX, &number) != GBA_OK ||
            gba_text_copy(naf->gsid[i], GBA_ZN_GSID_SIZE, t) != GBA_OK)
            return GBA_E_ARGUMENT;
    }
    naf->n_gsids = c->n_gsids;
    return GBA_OK;
}

static enum gba_err make_secret(const uint8_t *given, uint8_t secret[static 32])
{
    size_t n = 0;

    if (given != NULL) {
        memcpy(secret, given, 32);
        return GBA_OK;
    }
    while (n < 32) {
        ssize_t got = getrandom(secret + n, 32 - n, 0);

        if (got < 0 && errno != EINTR)
            return GBA_E_ENTROPY;
        n += got > 0 ? (size_t)got : 0;
    }
    return GBA_OK;
}

static enum gba_err make_cache(const struct gba_naf_config *c, struct zn *zn,
                               struct keycache **out)
{
    const struct keycache_config k = {
        .max = c->cache_max != 0 ? c->cache_max : CACHE_MAX,
        .max_negative = NEGATIVE_MAX,
        .max_pending = c->zn_max_outstanding != 0 ? c->zn_max_outstanding : OUTSTANDING_MAX,
        .negative_s = c->negative_s != 0 ? c->negative_s : NEGATIVE_S,
        .key_max_life_s = c->key_max_life_s,
    };

    return keycache_new(zn, &k, out);
}

enum gba_err naf_new_with_zn(const struct gba_naf_config *config, struct zn *zn,
                             struct gba_naf **out)
{
    struct gba_naf *naf = calloc(1, sizeof(*naf));
    uint8_t secret[32];
    enum gba_err err;

    *out = NULL;
    if (naf == NULL) {
        zn->close(zn);
        return GBA_E_NOMEM;
    }
    err = make_cache(config, zn, &naf->keys);
    if (err == GBA_OK)
        err = take_gsids(config, naf);
    if (err == GBA_OK)
        err = make_secret(config->nonce_secret, secret);
    if (err == GBA_OK)
        err = ua_server_new(config, secret, &naf->ua);
    gba_wipe(secret, sizeof(secret));
    if (err != GBA_OK) {
        gba_naf_free(naf);
        return err;
    }
    *out = naf;
    return GBA_OK;
}

enum gba_err gba_naf_new(const struct gba_naf_config *config, struct gba_naf **out)
{
    struct zn *zn;
    enum gba_err err;

    *out = NULL;
    err = zn_soap_client_new(config, &zn);
    return err == GBA_OK ? naf_new_with_zn(config, zn, out) : err;
}

void gba_naf_free(struct gba_naf *naf)
{
    if (naf == NULL)
        return;
    keycache_free(naf->keys);
    ua_server_free(naf->ua);
    free(naf);
}

void naf_query(const struct gba_naf *naf, struct zn_query *q)
{
    memcpy(q->gsid, naf->gsid, sizeof(q->gsid));
    q->n_gsids = naf->n_gsids;
    q->gba_u_aware = q->gba_u_aware || (ua_server_keys(naf->ua) & GBA_NAF_KEY_UICC) != 0;
}

/* ------------------------------------------------------------ Ua, Digest */

static void key_came(void *arg, enum gba_err err, struct naf_key *key)
{
    struct gba_naf_exchange *x = arg;
    void (*ready)(void *);
    void *ready_arg;

    pthread_mutex_lock(&x->lock);
    x->x.key_err = err;
    x->x.key = key;
    ua_step(x->naf->ua, &x->x, UA_EV_KEY);
    x->waiting = false;
    ready = x->ready;
    ready_arg = x->arg;
    pthread_cond_broadcast(&x->cond);
    pthread_mutex_unlock(&x->lock); /* from here on the owner may free x */
    if (ready != NULL)
        ready(ready_arg);
}

enum gba_naf_verdict gba_naf_authenticate(struct gba_naf *naf,
                                          const struct gba_naf_request *request,
                                          struct gba_naf_exchange **out)
{
    struct gba_naf_exchange *x = calloc(1, sizeof(*x));
    struct naf_key *key;
    enum gba_err err;

    *out = x;
    if (x == NULL)
        return GBA_NAF_REFUSE;
    pthread_mutex_init(&x->lock, NULL);
    pthread_cond_init(&x->cond, NULL);
    x->naf = naf;
    x->x.rq = *request;
    ua_step(naf->ua, &x->x, UA_EV_REQUEST);
    if (x->x.state != UA_WAIT_KEY)
        return x->x.verdict;
    naf_query(naf, &x->x.query);
    x->waiting = true;
    if (keycache_get(naf->keys, &x->x.query, request->now_s, key_came, x, &err, &key))
        key_came(x, err, key);
    return gba_naf_exchange_verdict(x);
}

void gba_naf_notify(struct gba_naf_exchange *x, void (*ready)(void *arg), void *arg)
{
    bool now;

    pthread_mutex_lock(&x->lock);
    now = !x->waiting;
    if (!now) {
        x->ready = ready;
        x->arg = arg;
    }
    pthread_mutex_unlock(&x->lock);
    if (now)
        ready(arg);
}

enum gba_naf_verdict gba_naf_wait(struct gba_naf_exchange *x)
{
    pthread_mutex_lock(&x->lock);
    while (x->waiting)
        pthread_cond_wait(&x->cond, &x->lock);
    pthread_mutex_unlock(&x->lock);
    return x->x.verdict;
}

enum gba_naf_verdict gba_naf_exchange_verdict(struct gba_naf_exchange *x)
{
    enum gba_naf_verdict v;

    pthread_mutex_lock(&x->lock);
    v = x->waiting ? GBA_NAF_WAIT : x->x.verdict;
    pthread_mutex_unlock(&x->lock);
    return v;
}

void gba_naf_exchange_free(struct gba_naf_exchange *x)
{
    if (x == NULL)
        return;
    gba_naf_wait(x);
    ua_exchange_end(&x->x);
    pthread_cond_destroy(&x->cond);
    pthread_mutex_destroy(&x->lock);
    free(x);
}

/* ------------------------------------------------------------ what an exchange says */

unsigned gba_naf_status(const struct gba_naf_exchange *x)
{
    return x->x.status;
}

enum gba_err gba_naf_reason(const struct gba_naf_exchange *x)
{
    return x->x.reason;
}

bool gba_naf_header(const struct gba_naf_exchange *x, size_t i, const char **name,
                    const char **value)
{
    if (i >= x->x.n_headers)
        return false;
    *name = x->x.headers[i].name;
    *value = x->x.headers[i].value;
    return true;
}

static bool accepted(const struct gba_naf_exchange *x)
{
    return x->x.verdict == GBA_NAF_ACCEPT;
}

const char *gba_naf_btid(const struct gba_naf_exchange *x)
{
    return accepted(x) ? x->x.query.btid : "";
}

const char *gba_naf_impi(const struct gba_naf_exchange *x)
{
    return accepted(x) ? x->x.key->a.impi : "";
}

const char *gba_naf_uss_list(const struct gba_naf_exchange *x, size_t *len)
{
    *len = accepted(x) ? x->x.key->a.uss_list.n : 0;
    return *len > 0 ? (const char *)x->x.key->a.uss_list.p : NULL;
}

int64_t gba_naf_expires(const struct gba_naf_exchange *x)
{
    return accepted(x) ? x->x.key->a.expiry_s : 0;
}

unsigned gba_naf_key_type(const struct gba_naf_exchange *x)
{
    return accepted(x) ? x->x.key_type : 0;
}

enum gba_err gba_naf_finish(struct gba_naf_exchange *x, const uint8_t *body, size_t body_len,
                            const char **value)
{
    *value = x->info;
    return ua_info(x->naf->ua, &x->x, (struct gba_bytes){body, body_len}, x->info);
}

/* ------------------------------------------------------------ one key */

enum gba_err gba_naf_fetch(struct gba_naf *naf, const char *btid, const char *fqdn,
                           const uint8_t ua_id[5], int64_t now_s,
                           struct gba_naf_credential *out)
{
    struct zn_query q = {.n_gsids = 0};
    struct gba_text domain;
    struct naf_key *key;
    uint8_t rand[16];
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    if (gba_btid_parse(gba_text(btid), rand, &domain) != GBA_OK ||
        gba_text_copy(q.btid, sizeof(q.btid), gba_text(btid)) != GBA_OK)
        return GBA_E_SYNTAX;
    err = gba_naf_id_make(gba_text(fqdn), ua_id, &q.naf_id);
    if (err != GBA_OK)
        return err;
    naf_query(naf, &q);
    err = keycache_wait(naf->keys, &q, now_s, &key);
    if (err != GBA_OK)
        return err;
    memcpy(out->btid, key->btid, sizeof(out->btid));
    memcpy(out->impi, key->a.impi, sizeof(out->impi));
    memcpy(out->me_key, key->a.me_key.octets, sizeof(out->me_key));
    memcpy(out->uicc_key, key->a.uicc_key.octets, sizeof(out->uicc_key));
    out->has_uicc_key = key->a.has_uicc_key;
    out->expires_s = key->a.expiry_s;
    out->created_s = key->a.created_s;
    naf_key_unref(key);
    return GBA_OK;
}

void gba_naf_credential_wipe(struct gba_naf_credential *c)
{
    gba_wipe(c, sizeof(*c));
}
