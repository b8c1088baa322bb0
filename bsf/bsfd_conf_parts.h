/*
 * The sections of bsfd's configuration, for bsfd_conf.c alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_BSFD_CONF_PARTS_H
#define BSF_BSFD_CONF_PARTS_H

#include "bsf/bsfd_conf.h"

#define BSFD_CONF_SIZE(array) (sizeof(array) / sizeof((array)[0]))

extern const struct conf_schema bsfd_ub_schema;      /* struct bsfd_ub_conf */
extern const struct conf_schema bsfd_zn_schema;      /* struct bsfd_zn_conf */
extern const struct conf_schema bsfd_naf_schema;     /* struct bsfd_naf_conf */
extern const struct conf_schema bsfd_session_schema; /* struct bsfd_session_conf */
extern const struct conf_schema bsfd_limits_schema;  /* struct bsfd_limits_conf */
extern const struct conf_schema bsfd_http_schema;    /* struct bsfd_http_conf */

#endif
