/*
 * NAF keys by (B-TID, NAF_Id): asked once over Zn, kept until they expire, equal questions
 * joined, refusals remembered for a moment.  Knows no protocol above Zn and no clock.
 * Thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_KEYCACHE_H
#define NAF_KEYCACHE_H

#include "naf/naf_key.h"
#include "naf/zn.h"

struct keycache_config {
    size_t max;          /* keys */
    size_t max_negative; /* remembered refusals */
    size_t max_pending;  /* questions under way */
    int64_t negative_s;
    int64_t key_max_life_s; /* after the bootstrapping; 0: as the BSF says */
};

struct keycache;

/* Takes zn over, also when it fails (GBA_E_NOMEM). */
enum gba_err keycache_new(struct zn *zn, const struct keycache_config *c,
                          struct keycache **out);
/* Answers what waits with GBA_E_CANCELLED, closes zn, wipes. */
void keycache_free(struct keycache *kc);

/* key is NULL unless GBA_OK; a reference of the receiver.  Errors of zn.h, and GBA_E_EXPIRED:
 * the key has expired; GBA_E_OVERLOAD: max_pending; GBA_E_NOMEM. */
typedef void keycache_done(void *arg, enum gba_err err, struct naf_key *key);

/* True: answered at once, in *err and *key, done will not run.  False: done runs exactly once,
 * on a thread of the Zn adapter, which may be before this has returned. */
bool keycache_get(struct keycache *kc, const struct zn_query *q, int64_t now_s,
                  keycache_done *done, void *arg, enum gba_err *err, struct naf_key **key);

/* The same for callers that may wait. */
enum gba_err keycache_wait(struct keycache *kc, const struct zn_query *q, int64_t now_s,
                           struct naf_key **key);

/* Would the question be answered without another one over Zn? */
bool keycache_knows(struct keycache *kc, const struct zn_query *q, int64_t now_s);

/* Forgets a B-TID under every NAF_Id (5403, or the owner knows better). */
void keycache_drop(struct keycache *kc, const char *btid);

/* Keys held now, for metrics and tests. */
size_t keycache_count(struct keycache *kc);

#endif
