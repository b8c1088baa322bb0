/*
 * What the files of libgba-naf share behind gba_naf.h, and what mefd and the tests may use of
 * it: a NAF with a Zn port of their own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_GBA_NAF_IMPL_H
#define NAF_GBA_NAF_IMPL_H

#include "naf/ua_server.h"

struct gba_naf {
    struct ua_server *ua;
    struct keycache *keys;
    char gsid[GBA_ZN_MAX_GSIDS][GBA_ZN_GSID_SIZE];
    size_t n_gsids;
};

/* gba_naf_new with this port in place of the configuration's BSFs; takes zn over, also when it
 * fails. */
enum gba_err naf_new_with_zn(const struct gba_naf_config *config, struct zn *zn,
                             struct gba_naf **out);

/* btid and naf_id into a query, with what this NAF always asks for. */
void naf_query(const struct gba_naf *naf, struct zn_query *q);

#endif
