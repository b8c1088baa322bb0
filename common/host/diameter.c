/*
 * The embedded Diameter node: see diameter.h.  libfdcore reads its configuration from a file;
 * it is written into memory (memfd) and never touches a disk.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/diameter_guard.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/host/diameter_dict.h"

/* Waiting for threads of libfdcore to have begun: up to two seconds. */
#define PAUSES   2000
#define PAUSE_NS 1000000
#define STOP_S   3

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

static atomic_flag opened = ATOMIC_FLAG_INIT;

/* One that libfdcore still points to; there is one node per process. */
static struct diameter *left_behind __attribute__((used));

static void loge(struct log *log, const char *what, const char *reason)
{
    LOG(log, LOG_LV_ERROR, "diameter.start", LOG_STR("what", what), LOG_STR("reason", reason));
}

/* --- the configuration ----------------------------------------------------------------- */

/* Quoted text of libfdcore's grammar knows no escapes. */
static bool quotable(const char *s)
{
    if (s == NULL || *s == '\0')
        return false;
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == '"' || *s == '\\' || *s == 0x7f)
            return false;
    return true;
}

/* RFC 6733 4.3.1 DiameterIdentity; names without a dot are met in the field. */
static bool is_identity(const char *s)
{
    size_t n = s != NULL ? strlen(s) : 0;

    return n > 0 && n <= 255 &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == n;
}

static const char *config_fault(const struct diameter_config *c)
{
    if (!is_identity(c->identity) || !is_identity(c->realm))
        return "identity and realm must be Diameter identities";
    if (c->tls_cert != NULL && (!quotable(c->tls_cert) || !quotable(c->tls_key)))
        return "TLS needs a certificate and a key, their paths without quotes";
    if (c->tls_ca != NULL && !quotable(c->tls_ca))
        return "the path of the TLS CA holds a quote";
    if (c->listen_tls && c->tls_cert == NULL)
        return "listening with TLS needs a certificate";
    for (size_t i = 0; i < c->n_peers; i++) {
        const struct diameter_peer *p = &c->peers[i];

        if (!is_identity(p->identity) || !is_identity(p->realm))
            return "a peer's identity and realm must be Diameter identities";
        if (p->host == NULL || strlen(p->host) > 255 || p->port == 0)
            return "a peer needs an address and a port";
        if (p->tls && c->tls_cert == NULL)
            return "a peer with TLS needs our certificate";
    }
    return NULL;
}

static void write_config(FILE *f, const struct diameter_config *c, uint16_t port)
{
    bool sctp = false;

    for (size_t i = 0; i < c->n_peers; i++)
        sctp = sctp || c->peers[i].sctp;
    fprintf(f, "Identity = \"%s\";\nRealm = \"%s\";\n", c->identity, c->realm);
    fprintf(f, "Port = %u;\nSecPort = %u;\n", c->listen_tls ? 0u : port,
            c->listen_tls ? port : 0u);
    fprintf(f, "NoRelay;\n%s", sctp ? "" : "No_SCTP;\n");
    fprintf(f, "TcTimer = %u;\nTwTimer = %u;\nAppServThreads = %u;\n",
            c->reconnect_s != 0 ? c->reconnect_s : 5, c->watchdog_s != 0 ? c->watchdog_s : 30,
            c->threads != 0 ? c->threads : 2);
    if (c->tls_cert != NULL)
        fprintf(f, "TLS_Cred = \"%s\", \"%s\";\n", c->tls_cert, c->tls_key);
    if (c->tls_ca != NULL)
        fprintf(f, "TLS_CA = \"%s\";\n", c->tls_ca);
}

/* Hands the configuration to libfdcore.  0 or an errno. */
static int parse_config(struct diameter *d, const struct diameter_config *c)
{
    int fd = memfd_create("diameter", MFD_CLOEXEC), err;
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (f == NULL) {
        err = errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    write_config(f, c, d->port);
    err = fflush(f) == 0 ? 0 : errno;
    snprintf(d->conf_path, sizeof(d->conf_path), "/proc/self/fd/%d", fd);
    if (err == 0)
        err = fd_core_parseconf(d->conf_path);
    fclose(f);
    return err;
}

/* --- our address ------------------------------------------------------------------------ */

static bool is_loopback(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr) >> 24 ==
               127;
    return sa->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

static bool resolve(const char *host, uint16_t port, struct sockaddr_storage *out,
                    socklen_t *len)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    char service[8];

    snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(host, service, &hints, &found) != 0 || found == NULL)
        return false;
    memcpy(out, found->ai_addr, found->ai_addrlen);
    *len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static bool has_outer_address(void)
{
    struct ifaddrs *all = NULL;
    bool found = false;

    if (getifaddrs(&all) != 0)
        return false;
    for (struct ifaddrs *i = all; i != NULL && !found; i = i->ifa_next)
        found = i->ifa_addr != NULL && (i->ifa_flags & IFF_UP) != 0 &&
                (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6) &&
                !is_loopback(i->ifa_addr);
    freeifaddrs(all);
    return found;
}

/* libfdcore advertises the addresses of the interfaces except loopback ones, and does not
 * start without any: a node that speaks over loopback says so itself. */
static void choose_client_address(struct diameter *d, const struct diameter_config *c)
{
    bool loopback = !has_outer_address();

    for (size_t i = 0; i < c->n_peers && !loopback; i++)
        loopback = resolve(c->peers[i].host, 0, &d->local, &d->local_len) &&
                   is_loopback((struct sockaddr *)&d->local);
    d->local_len = 0;
    if (loopback)
        (void)resolve("127.0.0.1", 0, &d->local, &d->local_len);
}

/* Port 0 means "do not listen" to libfdcore.  A bound socket that does not listen keeps a
 * free port ours until libfdcore binds it too (both with SO_REUSEADDR). */
static enum gba_err reserve_port(struct diameter *d)
{
    struct sockaddr *sa = (struct sockaddr *)&d->local;
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);
    int one = 1;

    d->reserved = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (d->reserved < 0 ||
        setsockopt(d->reserved, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(d->reserved, sa, d->local_len) != 0 ||
        getsockname(d->reserved, (struct sockaddr *)&bound, &len) != 0) {
        loge(d->log, "listen", strerror(errno));
        return GBA_E_IO;
    }
    d->port =
        ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&bound)->sin6_port
                                          : ((struct sockaddr_in *)(void *)&bound)->sin_port);
    return GBA_OK;
}

static enum gba_err choose_address(struct diameter *d, const struct diameter_config *c)
{
    if (c->listen_host == NULL) {
        choose_client_address(d, c);
        return GBA_OK;
    }
    if (!resolve(c->listen_host, c->listen_port, &d->local, &d->local_len)) {
        loge(d->log, "listen", "no such address");
        return GBA_E_CONFIG;
    }
    d->port = c->listen_port;
    return d->port == 0 ? reserve_port(d) : GBA_OK;
}

static bool is_any(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        return ((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr == INADDR_ANY;
    return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

/* --- peers ------------------------------------------------------------------------------ */

static enum gba_err keep_peers(struct diameter *d, const struct diameter_config *c)
{
    d->peers = calloc(c->n_peers + 1, sizeof(*d->peers));
    if (d->peers == NULL)
        return GBA_E_NOMEM;
    d->n_peers = c->n_peers;
    for (size_t i = 0; i < d->n_peers; i++) {
        struct known_peer *p = &d->peers[i];

        snprintf(p->identity, sizeof(p->identity), "%s", c->peers[i].identity);
        snprintf(p->realm, sizeof(p->realm), "%s", c->peers[i].realm);
        snprintf(p->host, sizeof(p->host), "%s", c->peers[i].host);
        p->port = c->peers[i].port;
        p->sctp = c->peers[i].sctp;
        p->tls = c->peers[i].tls;
    }
    return GBA_OK;
}

/* Adds every address of the host; without one libfdcore looks the identity up itself, each
 * time it connects. */
static int add_endpoints(const struct known_peer *p, struct fd_list *list)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int err = 0;

    if (getaddrinfo(p->host, NULL, &hints, &found) != 0)
        return strcasecmp(p->host, p->identity) == 0 ? 0 : EADDRNOTAVAIL;
    for (struct addrinfo *a = found; a != NULL && err == 0; a = a->ai_next)
        err = fd_ep_add_merge(list, a->ai_addr, a->ai_addrlen, EP_FL_CONF | EP_ACCEPTALL);
    freeaddrinfo(found);
    return err;
}

static int add_peer(struct known_peer *p)
{
    struct peer_info info;
    int err;

    memset(&info, 0, sizeof(info));
    fd_list_init(&info.pi_endpoints, NULL);
    info.pi_diamid = p->identity;
    info.pi_diamidlen = strlen(p->identity);
    info.config.pic_flags.pro4 = p->sctp ? PI_P4_SCTP : PI_P4_TCP;
    info.config.pic_flags.sec = p->tls ? PI_SEC_DEFAULT : PI_SEC_NONE;
    info.config.pic_flags.persist = PI_PRST_ALWAYS;
    info.config.pic_realm = p->realm;
    info.config.pic_port = p->port;
    err = add_endpoints(p, &info.pi_endpoints);
    return err == 0 ? fd_peer_add(&info, "configuration", NULL, NULL) : err;
}

/* libfdcore connects at once to the peers whose threads have begun when it starts; to others
 * after up to four seconds.  A thread that has begun leaves STATE_NEW. */
static void wait_begun(const struct known_peer *p)
{
    struct timespec pause = {.tv_nsec = PAUSE_NS};
    struct peer_hdr *peer = NULL;

    for (int i = 0; i < PAUSES; i++) {
        if (fd_peer_getbyid((DiamId_t)(uintptr_t)p->identity, strlen(p->identity), 0, &peer) !=
                0 ||
            peer == NULL || fd_peer_get_state(peer) != STATE_NEW)
            return;
        nanosleep(&pause, NULL);
    }
}

/* Before fd_core_start. */
static int add_peers(struct diameter *d)
{
    int err = 0;

    for (size_t i = 0; i < d->n_peers && err == 0; i++) {
        err = add_peer(&d->peers[i]);
        if (err != 0)
            LOG(d->log, LOG_LV_ERROR, "diameter.peer", LOG_STR("peer", d->peers[i].identity),
                LOG_STR("reason", strerror(err)));
    }
    for (size_t i = 0; i < d->n_peers && err == 0; i++)
        wait_begun(&d->peers[i]);
    return err;
}

/* --- life ------------------------------------------------------------------------------- */

static int advertise(const struct diameter_config *c)
{
    struct dict_object *vendor = NULL;
    vendor_id_t id = DIAMETER_VENDOR_3GPP;
    int err =
        fd_dict_search(fd_g_config->cnf_dict, DICT_VENDOR, VENDOR_BY_ID, &id, &vendor, ENOENT);

    for (size_t i = 0; i < c->n_applications && err == 0; i++) {
        struct dict_object *app = diameter_dict_application(c->applications[i]);

        err = app != NULL ? fd_disp_app_support(app, vendor, 1, 0) : ENOENT;
    }
    return err;
}

static enum gba_err configure(struct diameter *d, const struct diameter_config *c)
{
    enum gba_err err = choose_address(d, c);
    int e;

    if (err == GBA_OK)
        err = keep_peers(d, c);
    if (err != GBA_OK)
        return err;
    e = diameter_guard_log(d->log);
    if (e == 0)
        e = fd_core_initialize();
    if (e == 0)
        e = diameter_guard_hooks(&d->events);
    if (e == 0)
        e = diameter_dict_define();
    if (e == 0)
        e = parse_config(d, c);
    if (e == 0)
        e = advertise(c);
    if (e == 0 && d->local_len != 0 && !is_any((struct sockaddr *)&d->local))
        e = fd_ep_add_merge(&fd_g_config->cnf_endpoints, (sSA *)&d->local, d->local_len,
                            EP_FL_CONF | EP_ACCEPTALL);
    if (e == 0)
        return GBA_OK;
    loge(d->log, "configuration", strerror(e));
    return e == ENOMEM ? GBA_E_NOMEM : GBA_E_CONFIG;
}

enum gba_err diameter_open(const struct diameter_config *c,
                           const struct diameter_events *events, struct log *log,
                           struct diameter **out)
{
    const char *fault = config_fault(c);
    struct diameter *d;
    enum gba_err err;

    if (fault != NULL) {
        loge(log, "configuration", fault);
        return GBA_E_CONFIG;
    }
    if (atomic_flag_test_and_set(&opened)) {
        loge(log, "configuration", "a Diameter node ran in this process before");
        return GBA_E_UNEXPECTED;
    }
    d = calloc(1, sizeof(*d));
    if (d == NULL)
        return GBA_E_NOMEM;
    d->log = log;
    d->events = *events;
    d->reserved = -1;
    err = configure(d, c);
    if (err == GBA_OK) {
        *out = d;
        return GBA_OK;
    }
    /* libfdcore cannot be taken down half-configured: its hooks keep pointing to d. */
    left_behind = d;
    diameter_guard_mute();
    if (d->reserved >= 0)
        close(d->reserved);
    return err;
}

/* Learns that libfdcore has ended, by our wish or not. */
static void *watch(void *arg)
{
    struct diameter *d = arg;

    (void)fd_core_wait_shutdown_complete();
    atomic_store(&d->running, false);
    if (!atomic_load(&d->stopping)) {
        loge(d->log, "core", "libfdcore has ended by itself");
        if (d->events.stopped != NULL)
            d->events.stopped(d->events.arg);
    }
    return NULL;
}

/* libfdcore begins to listen on a thread, some time after fd_core_start. */
static bool wait_listening(const struct diameter *d)
{
    struct sockaddr_storage to = d->local;
    struct timespec pause = {.tv_nsec = PAUSE_NS};
    bool listening = false;

    if (to.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)&to)->sin6_port = htons(d->port);
    else
        ((struct sockaddr_in *)(void *)&to)->sin_port = htons(d->port);
    for (int i = 0; i < PAUSES && !listening; i++) {
        int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        listening = fd >= 0 && connect(fd, (struct sockaddr *)&to, d->local_len) == 0;
        if (fd >= 0)
            close(fd);
        if (!listening)
            nanosleep(&pause, NULL);
    }
    return listening;
}

enum gba_err diameter_start(struct diameter *d)
{
    int e;

    if (add_peers(d) != 0)
        return GBA_E_CONFIG;
    diameter_guard_quiet();
    e = fd_core_start();
    if (d->reserved >= 0) {
        close(d->reserved);
        d->reserved = -1;
    }
    if (e == 0)
        e = fd_core_waitstartcomplete();
    if (e == 0 && d->port != 0 && !wait_listening(d))
        e = EADDRINUSE;
    if (e != 0) {
        loge(d->log, d->port != 0 ? "listen" : "core", strerror(e == ENOMEM ? EADDRINUSE : e));
        return GBA_E_IO;
    }
    atomic_store(&d->running, true);
    if (pthread_create(&d->watchdog, NULL, watch, d) != 0)
        return GBA_E_NOMEM;
    d->started = true;
    return GBA_OK;
}

static bool wait_ended(struct diameter *d)
{
    struct timespec limit;

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += STOP_S;
    return pthread_timedjoin_np(d->watchdog, NULL, &limit) == 0;
}

bool diameter_stop(struct diameter *d)
{
    bool ended;

    atomic_store(&d->stopping, true);
    diameter_guard_mute();
    if (d->started && atomic_load(&d->running))
        (void)fd_core_shutdown();
    ended = d->started && wait_ended(d);
    if (d->reserved >= 0)
        close(d->reserved);
    d->reserved = -1;
    /* A node that did not end, or never ran, stays with libfdcore until the process ends. */
    if (ended) {
        free(d->peers);
        free(d);
    } else {
        left_behind = d;
    }
    return ended;
}

bool diameter_running(const struct diameter *d)
{
    return atomic_load(&d->running) && !atomic_load(&d->stopping) && !diameter_guard_ending();
}

uint16_t diameter_port(const struct diameter *d)
{
    return d->port;
}

bool diameter_peer_open(const struct diameter *d, const char *identity)
{
    struct peer_hdr *peer = NULL;

    if (!diameter_running(d) ||
        fd_peer_getbyid((DiamId_t)(uintptr_t)identity, strlen(identity), 0, &peer) != 0 ||
        peer == NULL)
        return false;
    return fd_peer_get_state(peer) == STATE_OPEN;
}
