/*
 * KDF layouts, as several lists have them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_VECTORS_KDF_H
#define TESTS_VECTORS_KDF_H

#include "tests/vectors/run.h"

/* Compares the octets under the HMAC (TS 33.220 B.2). */
void vec_is_s(const struct vec_node *n, const char *name, struct gba_bytes fc,
              const struct gba_bytes *p, size_t n_p);

/* NFKC of a text; name is for messages. */
struct gba_bytes vec_nfkc(const struct vec_node *n, const char *name, struct gba_text t);

/* NAF_Id of the FQDN in member `fqdn`: NFKC, no case folding (the KDF does none); where the
 * name is canonical, gba_naf_id_make must agree. */
struct gba_bytes vec_naf_id(const struct vec_node *n, const char *fqdn,
                            const uint8_t ua_id[static 5]);

#endif
