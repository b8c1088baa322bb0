/*
 * The NAF's key cache: see keycache.h.  A hash table on the B-TID alone (so that all NAF_Ids of
 * one are in one chain), and two lists by last use: keys, and refusals with a cap of their own,
 * so that made-up B-TIDs cannot push keys out.  Questions under way are entries too.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/keycache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"

struct waiter {
    struct waiter *next;
    keycache_done *done;
    void *arg;
};

enum entry_state { ENTRY_PENDING, ENTRY_KEY, ENTRY_NEGATIVE };

struct entry {
    struct entry *chain;         /* of the hash table */
    struct entry *newer, *older; /* of its list by last use */
    struct keycache *kc;
    enum entry_state state;
    char btid[GBA_BTID_SIZE];
    struct gba_naf_id naf_id;
    struct naf_key *key;    /* ENTRY_KEY */
    enum gba_err err;       /* ENTRY_NEGATIVE */
    int64_t until_s;        /* exclusive */
    int64_t asked_s;        /* ENTRY_PENDING */
    struct waiter *waiters; /* ENTRY_PENDING, last in first out */
};

struct use_list {
    struct entry *newest, *oldest;
    size_t n;
};

struct keycache {
    pthread_mutex_t lock;
    struct zn *zn;
    struct keycache_config c;
    struct use_list keys, negative;
    size_t n_pending;
    size_t n_chains;
    struct entry **chains;
};

/* --- the table --------------------------------------------------------------------------- */

static struct entry **chain_of(struct keycache *kc, const char *btid)
{
    const struct gba_bytes part = gba_text_bytes(gba_text(btid));
    uint8_t h[32];
    size_t where = 0;

    /* a digest, for the B-TID is the stranger's choice */
    gba_hash(GBA_SHA256, &part, 1, h);
    for (int i = 0; i < 4; i++)
        where = where << 8 | h[i];
    return &kc->chains[where % kc->n_chains];
}

static struct entry *find(struct keycache *kc, const struct zn_query *q)
{
    struct entry *e = *chain_of(kc, q->btid);

    while (e != NULL && (strcmp(e->btid, q->btid) != 0 || e->naf_id.n != q->naf_id.n ||
                         memcmp(e->naf_id.octets, q->naf_id.octets, q->naf_id.n) != 0))
        e = e->chain;
    return e;
}

static struct use_list *list_of(struct entry *e)
{
    return e->state == ENTRY_KEY ? &e->kc->keys : &e->kc->negative;
}

static void unlink_use(struct entry *e)
{
    struct use_list *l = list_of(e);

    *(e->newer != NULL ? &e->newer->older : &l->newest) = e->older;
    *(e->older != NULL ? &e->older->newer : &l->oldest) = e->newer;
    e->newer = e->older = NULL;
    l->n--;
}

static void link_use(struct entry *e)
{
    struct use_list *l = list_of(e);

    e->newer = NULL;
    e->older = l->newest;
    *(l->newest != NULL ? &l->newest->newer : &l->oldest) = e;
    l->newest = e;
    l->n++;
}

/* Takes e out of everything and frees it.  Pending entries stay: their answer is to come. */
static void drop(struct entry *e)
{
    struct entry **p = chain_of(e->kc, e->btid);

    while (*p != e)
        p = &(*p)->chain;
    *p = e->chain;
    if (e->state == ENTRY_PENDING)
        e->kc->n_pending--;
    else
        unlink_use(e);
    naf_key_unref(e->key);
    free(e);
}

static void settle(struct entry *e, enum entry_state state, size_t max)
{
    e->kc->n_pending--;
    e->state = state;
    link_use(e);
    if (list_of(e)->n > max)
        drop(list_of(e)->oldest);
}

static void drop_btid(struct keycache *kc, const char *btid, const struct entry *except)
{
    struct entry *e = *chain_of(kc, btid), *next;

    for (; e != NULL; e = next) {
        next = e->chain;
        if (e != except && e->state == ENTRY_KEY && strcmp(e->btid, btid) == 0)
            drop(e);
    }
}

/* --- answers ----------------------------------------------------------------------------- */

/* The earlier of the BSF's expiry and the local limit (TS 33.220 4.5.3). */
static int64_t expiry_of(const struct keycache *kc, const struct gba_zn_answer *a,
                         int64_t asked_s)
{
    int64_t from = a->created_s != 0 ? a->created_s : asked_s;
    int64_t limit = from + kc->c.key_max_life_s;

    return kc->c.key_max_life_s != 0 && limit < a->expiry_s ? limit : a->expiry_s;
}

/* Makes the pending entry what the answer says; with GBA_OK *key is a new reference. */
static enum gba_err take(struct entry *e, enum gba_err err, const struct gba_zn_answer *a,
                         struct naf_key **key)
{
    struct keycache *kc = e->kc;

    *key = NULL;
    if (err == GBA_OK) {
        int64_t expiry_s = expiry_of(kc, a, e->asked_s);

        if (expiry_s <= e->asked_s)
            err = GBA_E_EXPIRED;
        else if ((e->key = naf_key_new(e->btid, &e->naf_id, a, expiry_s)) == NULL)
            err = GBA_E_NOMEM;
        else {
            *key = naf_key_ref(e->key);
            e->until_s = expiry_s;
            settle(e, ENTRY_KEY, kc->c.max);
            return GBA_OK;
        }
    }
    if (err == GBA_E_BTID || err == GBA_E_EXPIRED)
        drop_btid(kc, e->btid, e);
    if (err == GBA_E_BTID || err == GBA_E_NOT_AUTHORIZED || err == GBA_E_EXPIRED) {
        e->err = err;
        e->until_s = e->asked_s + kc->c.negative_s;
        settle(e, ENTRY_NEGATIVE, kc->c.max_negative);
    } else {
        drop(e); /* the next question may find the BSF well again */
    }
    return err;
}

/* The Zn port's answer: settles the entry, then tells everyone who waits for it. */
static void answered(void *arg, enum gba_err err, const struct gba_zn_answer *a)
{
    struct entry *e = arg;
    struct keycache *kc = e->kc;
    struct waiter *w, *next;
    struct naf_key *key;

    pthread_mutex_lock(&kc->lock);
    w = e->waiters;
    e->waiters = NULL;
    err = take(e, err, a, &key);
    pthread_mutex_unlock(&kc->lock);

    for (; w != NULL; w = next) {
        next = w->next;
        w->done(w->arg, err, key != NULL ? naf_key_ref(key) : NULL);
        free(w);
    }
    naf_key_unref(key);
}

/* --- questions --------------------------------------------------------------------------- */

/* A new pending entry in its chain, or NULL. */
static struct entry *pending_new(struct keycache *kc, const struct zn_query *q, int64_t now_s)
{
    struct entry *e = calloc(1, sizeof(*e)), **chain = chain_of(kc, q->btid);

    if (e == NULL)
        return NULL;
    e->kc = kc;
    e->state = ENTRY_PENDING;
    memcpy(e->btid, q->btid, sizeof(e->btid));
    e->naf_id = q->naf_id;
    e->asked_s = now_s;
    e->chain = *chain;
    *chain = e;
    kc->n_pending++;
    return e;
}

/* What the table knows: true with *err and *key. */
static bool known(struct entry **e, int64_t now_s, enum gba_err *err, struct naf_key **key)
{
    if (*e == NULL || (*e)->state == ENTRY_PENDING)
        return false;
    if (now_s >= (*e)->until_s) {
        bool was_key = (*e)->state == ENTRY_KEY;

        drop(*e);
        *e = NULL;
        *err = GBA_E_EXPIRED;
        return was_key; /* the BSF would say the same */
    }
    unlink_use(*e);
    link_use(*e);
    *err = (*e)->state == ENTRY_KEY ? GBA_OK : (*e)->err;
    *key = (*e)->state == ENTRY_KEY ? naf_key_ref((*e)->key) : NULL;
    return true;
}

/* Puts a waiter on the pending entry *e, made if there is none; *ask: it is new. */
static enum gba_err enlist(struct keycache *kc, const struct zn_query *q, int64_t now_s,
                           struct waiter *w, struct entry **e, bool *ask)
{
    *ask = false;
    if (*e == NULL) {
        if (kc->n_pending >= kc->c.max_pending)
            return GBA_E_OVERLOAD;
        *e = pending_new(kc, q, now_s);
        if (*e == NULL)
            return GBA_E_NOMEM;
        *ask = true;
    }
    w->next = (*e)->waiters;
    (*e)->waiters = w;
    return GBA_OK;
}

bool keycache_get(struct keycache *kc, const struct zn_query *q, int64_t now_s,
                  keycache_done *done, void *arg, enum gba_err *err, struct naf_key **key)
{
    struct waiter *w = malloc(sizeof(*w));
    struct entry *e;
    bool ask = false, at_once;

    *key = NULL;
    *err = GBA_E_NOMEM;
    if (w == NULL)
        return true;
    *w = (struct waiter){.done = done, .arg = arg};
    pthread_mutex_lock(&kc->lock);
    e = find(kc, q);
    at_once = known(&e, now_s, err, key);
    if (!at_once) {
        *err = enlist(kc, q, now_s, w, &e, &ask);
        at_once = *err != GBA_OK;
    }
    pthread_mutex_unlock(&kc->lock);
    if (at_once)
        free(w);
    else if (ask)
        kc->zn->ask(kc->zn, q, answered, e);
    return at_once;
}

/* A key that has expired is an answer too. */
bool keycache_knows(struct keycache *kc, const struct zn_query *q, int64_t now_s)
{
    const struct entry *e;
    bool knows;

    pthread_mutex_lock(&kc->lock);
    e = find(kc, q);
    knows = e != NULL && (e->state != ENTRY_NEGATIVE || now_s < e->until_s);
    pthread_mutex_unlock(&kc->lock);
    return knows;
}

struct sync {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
    enum gba_err err;
    struct naf_key *key;
};

static void wake(void *arg, enum gba_err err, struct naf_key *key)
{
    struct sync *s = arg;

    pthread_mutex_lock(&s->lock);
    s->err = err;
    s->key = key;
    s->done = true;
    pthread_cond_signal(&s->cond);
    pthread_mutex_unlock(&s->lock);
}

enum gba_err keycache_wait(struct keycache *kc, const struct zn_query *q, int64_t now_s,
                           struct naf_key **key)
{
    struct sync s = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
    enum gba_err err;

    if (keycache_get(kc, q, now_s, wake, &s, &err, key))
        return err;
    pthread_mutex_lock(&s.lock);
    while (!s.done)
        pthread_cond_wait(&s.cond, &s.lock);
    pthread_mutex_unlock(&s.lock);
    pthread_mutex_destroy(&s.lock);
    pthread_cond_destroy(&s.cond);
    *key = s.key;
    return s.err;
}

/* --- life -------------------------------------------------------------------------------- */

void keycache_drop(struct keycache *kc, const char *btid)
{
    pthread_mutex_lock(&kc->lock);
    drop_btid(kc, btid, NULL);
    pthread_mutex_unlock(&kc->lock);
}

size_t keycache_count(struct keycache *kc)
{
    size_t n;

    pthread_mutex_lock(&kc->lock);
    n = kc->keys.n;
    pthread_mutex_unlock(&kc->lock);
    return n;
}

enum gba_err keycache_new(struct zn *zn, const struct keycache_config *c, struct keycache **out)
{
    struct keycache *kc = calloc(1, sizeof(*kc));

    *out = NULL;
    if (kc != NULL) {
        kc->n_chains = c->max + c->max_negative + 1;
        kc->chains = calloc(kc->n_chains, sizeof(struct entry *));
    }
    if (kc == NULL || kc->chains == NULL) {
        free(kc);
        zn->close(zn);
        return GBA_E_NOMEM;
    }
    pthread_mutex_init(&kc->lock, NULL);
    kc->zn = zn;
    kc->c = *c;
    *out = kc;
    return GBA_OK;
}

void keycache_free(struct keycache *kc)
{
    if (kc == NULL)
        return;
    kc->zn->close(kc->zn); /* settles whatever is pending */
    while (kc->keys.oldest != NULL)
        drop(kc->keys.oldest);
    while (kc->negative.oldest != NULL)
        drop(kc->negative.oldest);
    pthread_mutex_destroy(&kc->lock);
    free(kc->chains);
    free(kc);
}
