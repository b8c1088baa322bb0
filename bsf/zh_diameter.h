/*
 * Zh over Diameter (TS 29.109 4.2, 6, 7): the adapter of zh.h that asks HSSs with
 * Multimedia-Auth-Requests.  It embeds a Diameter node (common/host/diameter.h), of which a
 * process has one, once: a second zh_diameter_open fails.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_ZH_DIAMETER_H
#define BSF_ZH_DIAMETER_H

#include "bsf/zh.h"
#include "common/host/conf.h"

struct log;
struct metrics;

enum zh_transport { ZH_TRANSPORT_TCP, ZH_TRANSPORT_SCTP };
enum zh_destination_host { ZH_DESTINATION_HOST_ALWAYS, ZH_DESTINATION_HOST_NEVER };

struct zh_diameter_peer_config {
    char *identity;
    char *realm;
    char *address;
    int transport; /* enum zh_transport */
    bool tls;
    int destination_host;    /* enum zh_destination_host */
    char *destination_realm; /* NULL: realm */
};

#define ZH_DIAMETER_PEERS_MAX 16

/* Filled from the file by zh_diameter_schema; the last two by the caller. */
struct zh_diameter_config {
    char *identity;
    char *realm;
    struct conf_list peers; /* struct zh_diameter_peer_config, in order of priority */
    int application;        /* index into the choices of zh_app_id: Zh, Zn, Cx */
    char *scheme;           /* "": no SIP-Authentication-Scheme is sent */
    bool send_public_identity;
    char *server_name; /* Cx only */
    int64_t deadline_ms;
    int64_t attempt_timeout_ms;
    int64_t max_outstanding;
    int64_t threads;
    int64_t reconnect_ms;
    int64_t watchdog_ms;
    char *tls_cert, *tls_key, *tls_ca;

    /* The Diameter core has ended by itself and cannot be started again in this process: log
     * it and exit (bsfd: 70).  Called once, on a thread of its own; what waited has been
     * answered with GBA_E_ZH_UNREACHABLE by then. */
    void (*stopped)(void *arg);
    void *stopped_arg;
};

extern const struct conf_schema zh_diameter_schema;

/* Starts connecting; does not wait for a peer.  The configuration may be freed afterwards.
 * GBA_E_CONFIG, GBA_E_IO, GBA_E_NOMEM, GBA_E_UNEXPECTED (a second node in this process); the
 * reason is in the log. */
enum gba_err zh_diameter_open(const struct zh_diameter_config *config, struct log *log,
                              struct metrics *metrics, struct zh **out);

#endif
