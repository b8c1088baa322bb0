/*
 * The parts of the Diameter node among themselves: diameter.c (its life), diameter_address.c
 * (the address it listens on or calls its own), diameter_config.c (the file that libfdcore
 * reads), diameter_peers.c (the peers it connects to).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_DIAMETER_INTERNAL_H
#define COMMON_HOST_DIAMETER_INTERNAL_H

#include "common/host/diameter_sys.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

#include "common/host/diameter.h"

/* Waiting for threads of libfdcore to have begun: up to two seconds. */
#define DIAMETER_PAUSES   2000
#define DIAMETER_PAUSE_NS 1000000

/* A peer to connect to, kept until libfdcore runs. */
struct known_peer {
    char identity[256], realm[256], host[256];
    uint16_t port;
    bool sctp, tls;
};

struct diameter {
    struct log *log;
    struct diameter_events events;
    struct sockaddr_storage local; /* of the listener, or what we call our address */
    socklen_t local_len;           /* 0: libfdcore finds out */
    int reserved; /* socket that holds the picked port until libfdcore has it */
    uint16_t port;
    char conf_path[32]; /* libfdcore keeps the pointer */
    pthread_t watchdog;
    bool started;
    atomic_bool running;
    atomic_bool stopping;
    struct known_peer *peers;
    size_t n_peers;
};

/* One line for what keeps a node from starting. */
void diameter_log_fault(struct log *log, const char *what, const char *reason);

/* NULL, or what libfdcore would not take. */
const char *diameter_config_fault(const struct diameter_config *c);
/* Hands the configuration to libfdcore, listening on d->port.  0 or an errno. */
int diameter_config_parse(struct diameter *d, const struct diameter_config *c);

/* Chooses d->local and d->port.  GBA_E_CONFIG: no such address; GBA_E_IO: no port. */
enum gba_err diameter_address_choose(struct diameter *d, const struct diameter_config *c);
bool diameter_address_is_any(const struct sockaddr *sa);
/* libfdcore begins to listen on a thread, some time after fd_core_start. */
bool diameter_address_wait_listening(const struct diameter *d);

/* Copies the peers. */
enum gba_err diameter_peers_keep(struct diameter *d, const struct diameter_config *c);
/* Adds them to libfdcore, before fd_core_start; what fails is logged.  0 or an errno. */
int diameter_peers_add(struct diameter *d);

#endif
