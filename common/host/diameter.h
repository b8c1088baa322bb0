/*
 * The embedded Diameter node (RFC 6733) over freeDiameter's libfdcore: starts it from a
 * struct, guards it against what would stop it from afar, and says when it has stopped all
 * the same.  libfdcore can be started once per process and never again: there is one node per
 * process, and who loses it ends the process.  What is said over it (Zh) is not here.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_DIAMETER_H
#define COMMON_HOST_DIAMETER_H

#include "common/bytes.h"

struct log;
struct msg; /* freeDiameter's */

#define DIAMETER_VENDOR_3GPP 10415u
#define DIAMETER_APP_CX      16777216u /* TS 29.229 */
#define DIAMETER_APP_ZN      16777220u /* TS 29.109 */
#define DIAMETER_APP_ZH      16777221u

struct diameter_peer {
    const char *identity; /* its Origin-Host, exactly */
    const char *realm;
    const char *host; /* name or address to connect to */
    uint16_t port;
    bool sctp;
    bool tls;
};

struct diameter_config {
    const char *identity; /* ours: Origin-Host */
    const char *realm;
    const char *listen_host; /* NULL: no listener; "0.0.0.0" or "::": every address */
    uint16_t listen_port;    /* 0: a free one is picked */
    bool listen_tls;         /* else clear TCP */
    unsigned threads;        /* that run callbacks; 0: 2 */
    unsigned reconnect_s;    /* Tc of RFC 6733; 0: 5 */
    unsigned watchdog_s;     /* Tw of RFC 3539, 6 or more; 0: 30 */
    const char *tls_cert;    /* PEM; NULL: TLS is off */
    const char *tls_key;
    const char *tls_ca;
    const struct diameter_peer *peers; /* connections we open and keep */
    size_t n_peers;
    const uint32_t *applications; /* 3GPP authentication applications we advertise */
    size_t n_applications;
};

/* What the node tells its user.  Each may be NULL.  They run on threads of the node, except
 * stopped, which has its own. */
struct diameter_events {
    /* An answer to one of our requests, or such a request itself, that libfdcore is about to
     * discard: no other callback will run for it.  The message stays the node's. */
    void (*dropped)(void *arg, struct msg *msg);
    /* A peer came up, or a connection to it failed or was lost. */
    void (*peer)(void *arg, const char *identity, bool up);
    /* libfdcore has ended without diameter_stop: nothing can be sent any more. */
    void (*stopped)(void *arg);
    void *arg;
};

/* RFC 6733 4.3.1 DiameterIdentity, also of a realm; names without a dot are met in the field.
 * NULL is none. */
bool diameter_is_identity(const char *s);

struct diameter;

/* Reads the configuration and defines the dictionary; callbacks of libfdcore may be
 * registered between this and diameter_start.  Everything is copied.
 * GBA_E_CONFIG: a value libfdcore does not take (logged); GBA_E_UNEXPECTED: the second node of
 * this process; GBA_E_IO, GBA_E_NOMEM. */
enum gba_err diameter_open(const struct diameter_config *c,
                           const struct diameter_events *events, struct log *log,
                           struct diameter **out);
/* Listens and connects.  GBA_E_IO: the address is taken or there is none (logged). */
enum gba_err diameter_start(struct diameter *d);
/* Takes leave of the peers (DPR), three seconds at most.  Events have ceased then, but
 * libfdcore runs until the process ends, which is to be soon: d stays with it, and so must
 * whatever callbacks registered with libfdcore point to, unless they are unregistered. */
void diameter_stop(struct diameter *d);

/* False once libfdcore ends. */
bool diameter_running(const struct diameter *d);
/* Port of the listener; 0 without one. */
uint16_t diameter_port(const struct diameter *d);
/* Is the connection to that peer open for requests? */
bool diameter_peer_open(const struct diameter *d, const char *identity);

#endif
