/*
 * One NAF key with what came with it over Zn: immutable, shared by reference count, wiped with
 * its last reference.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_NAF_KEY_H
#define NAF_NAF_KEY_H

#include "common/identity.h"
#include "common/zn_soap.h"

struct naf_key {
    char btid[GBA_BTID_SIZE];
    struct gba_naf_id naf_id;
    struct gba_zn_answer
        a; /* uss_list is owned by this; expiry_s is the earlier of both limits */
};

/* Copies; one reference.  NULL: out of memory. */
struct naf_key *naf_key_new(const char *btid, const struct gba_naf_id *naf_id,
                            const struct gba_zn_answer *a, int64_t expiry_s);
struct naf_key *naf_key_ref(struct naf_key *k);
void naf_key_unref(struct naf_key *k); /* NULL is fine */

#endif
