/*
 * Rows that the configurations of mefd and mafd share.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEFD_CONF_ROWS_H
#define NAF_MEFD_CONF_ROWS_H

#include "naf/mefd_conf.h"

#define ROW(struct_, member_) .offset = offsetof(struct struct_, member_)
#define COUNT(rows)           (sizeof(rows) / sizeof((rows)[0]))

/* clang-format off */
#define MEFD_LISTEN_ROWS                                                                       \
    {.name = "sp",                                                                             \
     .type = CONF_STRING,                                                                      \
     .max = 255,                                                                               \
     ROW(mefd_conf, sp),                                                                       \
     .help = "FQDN of the M2M service provider to which SP-relative identifiers belong. Left " \
             "out: only Absolute ones are taken."},                                            \
    {.name = "listen",                                                                         \
     .type = CONF_ADDRESSES,                                                                   \
     .flags = CONF_REQUIRED,                                                                   \
     ROW(mefd_conf, listen),                                                                   \
     .example = "127.0.0.1:8443",                                                              \
     .help = "HOST:PORT for targets, and enrolees with certificates: mutual TLS."},            \
    {.name = "connections",                                                                    \
     .type = CONF_INT,                                                                         \
     .deflt = "1024",                                                                          \
     .min = 1,                                                                                 \
     .max = 65536,                                                                             \
     ROW(mefd_conf, connections),                                                              \
     .help = "Connections of each of these listeners at a time; each has a thread, for it waits "  \
             "for the disk."},                                                                 \
    {.name = "tls",                                                                            \
     .type = CONF_SECTION,                                                                     \
     .sub = &mefd_tls_schema,                                                                  \
     .flags = CONF_REQUIRED,                                                                   \
     ROW(mefd_conf, tls),                                                                      \
     .help = "How this function shows itself, and whom it believes."},                         \
    {.name = "psk",                                                                            \
     .type = CONF_SECTION,                                                                     \
     .sub = &mefd_psk_schema,                                                                  \
     ROW(mefd_conf, psk),                                                                      \
     .help = "Enrolees with keys of their own."},                                              \
    {.name = "coap",                                                                           \
     .type = CONF_SECTION,                                                                     \
     .sub = &mefd_coap_schema,                                                                 \
     ROW(mefd_conf, coap),                                                                     \
     .help = "The same procedures for constrained devices."},                                  \
    {.name = "zn",                                                                             \
     .type = CONF_SECTION,                                                                     \
     .sub = &mefd_zn_schema,                                                                   \
     .flags = CONF_SHOWN,                                                                      \
     ROW(mefd_conf, zn),                                                                       \
     .help = "In the BSF's table this MEF is a proxy for the FQDNs of its targets."},          \
    {.name = "rate_limits",                                                                    \
     .type = CONF_SECTION,                                                                     \
     .sub = &mefd_limits_schema,                                                               \
     ROW(mefd_conf, limits),                                                                   \
     .help = "What one address may cost: an IPv4 address, an IPv6 /64."}

#define MEFD_STORE_ROWS(who)                                                                  \
    {.name = "database",                                                                       \
     .type = CONF_PATH,                                                                        \
     .flags = CONF_REQUIRED,                                                                   \
     ROW(mefd_conf, database),                                                                 \
     .example = who ".db",                                                                    \
     .help = "SQLite file of registrations and keys; made when it is not there."},             \
    {.name = "master_key",                                                                     \
     .type = CONF_PATH,                                                                        \
     .flags = CONF_SHOWN,                                                                      \
     ROW(mefd_conf, master_key),                                                               \
     .example = who ".master",                                                                \
     .help =                                                                                   \
         "File of 32 octets or 64 hexadecimal digits, mode 0600, under which keys are sealed " \
         "in the database; made together with the database."},                                 \
    {.name = "master_key_credential",                                                          \
     .type = CONF_STRING,                                                                      \
     .max = 255,                                                                               \
     ROW(mefd_conf, master_key_credential),                                                    \
     .help = "In place of master_key: name of a systemd credential (LoadCredential= or "       \
             "LoadCredentialEncrypted= of the unit) that holds the same; mefctl rekey cannot " \
             "change it."},                                                                    \
    {.name = "audit",                                                                          \
     .type = CONF_PATH,                                                                        \
     ROW(mefd_conf, audit),                                                                    \
     .help = "The audit log: a line for each change and each key given out. Left out: the "    \
             "database's name with .audit behind it."},                                        \
    {.name = "admin",                                                                          \
     .type = CONF_SECTION,                                                                     \
     .sub = &mefd_admin_schema,                                                                \
     ROW(mefd_conf, admin),                                                                    \
     .help = "Where mefctl may come."}

#define MEFD_LIMIT_ROWS                                                                        \
    {.name = "registration_life",                                                              \
     .type = CONF_DURATION,                                                                    \
     .deflt = "30d",                                                                           \
     .min = 1000,                                                                              \
     .max = 315360000000,                                                                      \
     ROW(mefd_conf, registration_ms),                                                          \
     .help = "How long a registration may be asked for; a longer one is cut."},                \
    {.name = "registrations_per_client",                                                       \
     .type = CONF_INT,                                                                         \
     .deflt = "8",                                                                             \
     .min = 1,                                                                                 \
     .max = 1000,                                                                              \
     ROW(mefd_conf, registrations_max),                                                        \
     .help = "One for each administrating stakeholder."},                                      \
    {.name = "keys_per_client",                                                                \
     .type = CONF_INT,                                                                         \
     .deflt = "32",                                                                            \
     .min = 1,                                                                                 \
     .max = 10000,                                                                             \
     ROW(mefd_conf, keys_max),                                                                 \
     .help = "Key registrations of one client."},                                              \
    {.name = "stakeholders",                                                                   \
     .type = CONF_STRINGS,                                                                     \
     ROW(mefd_conf, stakeholders),                                                             \
     .help =                                                                                   \
         "FQDNs of administrating stakeholders: the adminFQDNs registrations may have. None, " \
         "here and by mefctl: any."}
/* clang-format on */

#endif
