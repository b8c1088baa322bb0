/*
 * One NAF key with what came with it: see naf_key.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/naf_key.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct shared_key { /* its count in front */
    atomic_uint refs;
    struct naf_key k;
};

static struct shared_key *shared(struct naf_key *k)
{
    return (struct shared_key *)(void *)((char *)k - offsetof(struct shared_key, k));
}

struct naf_key *naf_key_ref(struct naf_key *k)
{
    atomic_fetch_add_explicit(&shared(k)->refs, 1, memory_order_relaxed);
    return k;
}

void naf_key_unref(struct naf_key *k)
{
    struct shared_key *s;

    if (k == NULL)
        return;
    s = shared(k);
    if (atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    gba_wipe((void *)(uintptr_t)k->a.uss_list.p, k->a.uss_list.n);
    free((void *)(uintptr_t)k->a.uss_list.p);
    gba_wipe(s, sizeof(*s));
    free(s);
}

struct naf_key *naf_key_new(const char *btid, const struct gba_naf_id *naf_id,
                            const struct gba_zn_answer *a, int64_t expiry_s)
{
    struct shared_key *s = calloc(1, sizeof(*s));
    uint8_t *uss = a->uss_list.n > 0 ? malloc(a->uss_list.n) : NULL;

    if (s == NULL || (uss == NULL && a->uss_list.n > 0)) {
        free(uss);
        free(s);
        return NULL;
    }
    atomic_init(&s->refs, 1);
    gba_text_copy(s->k.btid, sizeof(s->k.btid), gba_text(btid));
    s->k.naf_id = *naf_id;
    s->k.a = *a;
    s->k.a.expiry_s = expiry_s;
    if (uss != NULL)
        memcpy(uss, a->uss_list.p, a->uss_list.n);
    s->k.a.uss_list = (struct gba_bytes){uss, uss != NULL ? a->uss_list.n : 0};
    return &s->k;
}
