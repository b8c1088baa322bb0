/*
 * Digest calculations, as several lists have them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_VECTORS_DIGEST_H
#define TESTS_VECTORS_DIGEST_H

#include "tests/vectors/run.h"

bool vec_digest_algorithm(const struct vec_node *n, const char *name,
                          enum gba_digest_algorithm *out);

/* algorithm, qop, realm, method, uri, nc and cnonce; username, nonce, password and body are the
 * caller's.  False: the entry is broken. */
bool vec_digest_input(const struct vec_node *n, struct gba_digest_input *in);

/* The members that hold a calculation's figures; NULL: none. */
struct vec_response_names {
    const char *ha1, *ha2, *response, *hbody;
};
void vec_is_response(const struct vec_node *n, const struct vec_response_names *names,
                     const struct gba_digest_input *in);
/* H(entity body). */
void vec_is_hbody(const struct vec_node *n, const char *name,
                  const struct gba_digest_input *in);

#endif
