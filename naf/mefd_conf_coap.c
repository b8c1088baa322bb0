/*
 * The section coap of mefd's configuration.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefd_conf.h"

#define ROW(struct_, member_) .offset = offsetof(struct struct_, member_)
#define COUNT(rows)           (sizeof(rows) / sizeof((rows)[0]))

static const struct conf_row rows[] = {
    {.name = "listen",
     .type = CONF_ADDRESSES,
     ROW(mefd_coap_conf, listen),
     .help = "HOST:PORT (UDP; 5684 is usual) for CoAP over DTLS 1.2, suite C0A8. Left out: no "
             "CoAP."},
    {.name = "certificates",
     .type = CONF_BOOL,
     .deflt = "false",
     ROW(mefd_coap_conf, certificates),
     .help = "Takes certificates and raw public keys too (suite C0AE). Certificates are "
             "believed as in the section tls."},
    {.name = "certificate",
     .type = CONF_PATH,
     ROW(mefd_coap_conf, certificate),
     .help = "PEM chain with a P-256 key. Left out: that of the section tls."},
    {.name = "key", .type = CONF_PATH, ROW(mefd_coap_conf, key), .help = "PEM."},
    {.name = "sessions",
     .type = CONF_INT,
     .deflt = "1024",
     .min = 1,
     .max = 1000000,
     ROW(mefd_coap_conf, sessions),
     .help = "Sessions at a time; one that has been idle for 30s gives way to a new one."},
    {.name = "sessions_per_address",
     .type = CONF_INT,
     .deflt = "64",
     .min = 0,
     .max = 1000000,
     ROW(mefd_coap_conf, per_address),
     .help = "Sessions of one address at a time; 0: no limit."},
    {.name = "handshakes",
     .type = CONF_INT,
     .deflt = "128",
     .min = 1,
     .max = 65536,
     ROW(mefd_coap_conf, handshakes),
     .help = "Handshakes under way at a time."},
    {.name = "idle",
     .type = CONF_DURATION,
     .deflt = "5m",
     .min = 1000,
     .max = 86400000,
     ROW(mefd_coap_conf, idle_ms),
     .help = "How long a session may be silent."},
    {.name = "unknown_identity_alert",
     .type = CONF_BOOL,
     .deflt = "false",
     ROW(mefd_coap_conf, unknown_identity_alert),
     .help = "Answers an unknown identity with the alert unknown_psk_identity; else it fails "
             "like a wrong key."},
};

static const char *check(const void *filled, const char **row)
{
    const struct mefd_coap_conf *c = filled;

    *row = c->key == NULL ? "certificate" : "key";
    return (c->certificate == NULL) == (c->key == NULL) ? NULL
                                                        : "certificate and key come together";
}

const struct conf_schema mefd_coap_schema = {.title = "CoAP over DTLS",
                                             .rows = rows,
                                             .n_rows = COUNT(rows),
                                             .size = sizeof(struct mefd_coap_conf),
                                             .check = check};
