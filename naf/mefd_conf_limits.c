/*
 * The section rate_limits of mefd's configuration.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefd_conf.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct conf_row rate_rows[] = {
    {.name = "burst",
     .type = CONF_INT,
     .deflt = "500",
     .max = 1000000,
     .offset = offsetof(struct mefd_rate_conf, burst),
     .help = "So many at once. 0: no limit."},
    {.name = "per_minute",
     .type = CONF_INT,
     .deflt = "3000",
     .min = 1,
     .max = 1000000,
     .offset = offsetof(struct mefd_rate_conf, per_minute),
     .help = "So many in the long run."},
};
static const struct conf_schema rate_schema = {.title = "Rate of an address",
                                               .rows = rate_rows,
                                               .n_rows = COUNT(rate_rows),
                                               .size = sizeof(struct mefd_rate_conf)};

static const struct conf_row rows[] = {
    {.name = "handshakes",
     .type = CONF_SECTION,
     .sub = &rate_schema,
     .offset = offsetof(struct mefd_limits_conf, handshakes),
     .help = "New connections to listen and psk.listen together, each a handshake of TLS; one "
             "more is closed at once."},
    {.name = "btids",
     .type = CONF_SECTION,
     .sub = &rate_schema,
     .offset = offsetof(struct mefd_limits_conf, btids),
     .help = "B-TIDs used as psk_identity about which the BSF is asked, and KeIDs about which "
             "mafd asks an MEF; what is known, or was unknown a moment ago, is free."},
    {.name = "buckets",
     .type = CONF_INT,
     .deflt = "16384",
     .min = 16,
     .max = 16777216,
     .offset = offsetof(struct mefd_limits_conf, buckets),
     .help = "Addresses whose handshakes are remembered, 24 octets each."},
};
const struct conf_schema mefd_limits_schema = {.title = "Rate limits",
                                               .rows = rows,
                                               .n_rows = COUNT(rows),
                                               .size = sizeof(struct mefd_limits_conf)};
