/*
 * A whole run: Ub, the keys, Ua, as bootstraps, resynchronisation and other_modes have them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_VECTORS_E2E_H
#define TESTS_VECTORS_E2E_H

#include "common/secret.h"
#include "tests/vectors/run.h"

/* What both ends know when the run is over. */
struct vec_ub {
    struct gba_aka_secret secret;
    bool gba_u;
    struct gba_av av; /* AUTN and RES as they travel */
    struct gba_ks ks;
    struct gba_text impi, nonce, btid;
    struct gba_text opaque;     /* NULL: absent */
    struct gba_digest_input in; /* request 2: its body is empty */
    struct gba_bytes body;      /* of the 200 */
};

/* Reads the entry of a list of e2e.json and runs it up to the 200, comparing what its outputs
 * have.  False: broken. */
bool vec_run_bootstrap(struct vec *v, struct vec_ub *ub);
bool vec_run_resynchronisation(struct vec *v, struct vec_ub *ub, uint8_t auts[static 14]);
bool vec_run_2g(struct vec *v, struct vec_ub *ub);

/* inputs.ub: username, impi (of inputs.subscriber) and the Digest parameters. */
bool vec_read_ub(const struct vec_node *inputs, struct vec_ub *ub);
/* Ub from the challenge on: ub->av and ub->nonce are set.  Compares outputs.ub and btid. */
bool vec_run_ub(const struct vec_node *inputs, const struct vec_node *outputs,
                struct vec_ub *ub);
/* Ks is set: compares outputs.ks, naf, tmpi and ua. */
void vec_run_keys(const struct vec_node *inputs, const struct vec_node *outputs,
                  const struct vec_ub *ub);

/* Header values as this software prints them; opaque and auts may be absent (NULL). */
struct gba_text vec_print_challenge(struct vec *v, const struct vec_ub *ub);
struct gba_text vec_print_authorization(struct vec *v, const struct gba_digest_input *in,
                                        struct gba_text opaque, struct gba_text response,
                                        struct gba_text auts);
struct gba_text vec_print_info(struct vec *v, const struct gba_digest_input *in,
                               struct gba_text rspauth);

#endif
