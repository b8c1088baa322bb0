/*
 * The Zh server of mock-hss: see mock_hss.h.  A delayed answer waits in a list; one thread
 * sends it when its time has come.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/mock-hss/maa.h"

#include <dirent.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>

#include "common/host/clock.h"
#include "common/host/diameter.h"
#include "common/host/diameter_dict.h"
#include "common/secret.h"

#define N_APPLICATIONS 3

static const uint32_t applications[N_APPLICATIONS] = {DIAMETER_APP_ZH, DIAMETER_APP_ZN,
                                                      DIAMETER_APP_CX};

struct delayed {
    struct msg *answer;
    int64_t due_ms;
    TAILQ_ENTRY(delayed) link;
};

struct server {
    struct diameter *node;
    struct log *log;
    struct auc *auc;
    struct faults *faults;
    const struct hss_config *config;
    void (*stopped)(void *arg);
    void *stopped_arg;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    TAILQ_HEAD(, delayed) delayed;
    bool stopping; /* log and configuration are about to go */
    pthread_t thread;
    struct server_stats stats;
    struct disp_hdl *handlers[N_APPLICATIONS];
};

/* fd_peer_validate_register has no argument of ours; there is one node per process.  It stays
 * when it has stopped, for libfdcore runs until the process ends. */
static struct server *the_server;

static void count(struct server *s, uint64_t *counter)
{
    pthread_mutex_lock(&s->lock);
    ++*counter;
    pthread_mutex_unlock(&s->lock);
}

/* --- delayed answers -------------------------------------------------------------------- */

static bool delay(struct server *s, struct msg *answer, uint32_t ms)
{
    struct delayed *d = malloc(sizeof(*d));

    if (d == NULL)
        return false;
    d->answer = answer;
    d->due_ms = clock_monotonic_ms() + ms;
    pthread_mutex_lock(&s->lock);
    s->stats.delayed++;
    TAILQ_INSERT_TAIL(&s->delayed, d, link);
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    return true;
}

static struct delayed *earliest_locked(struct server *s)
{
    struct delayed *first = TAILQ_FIRST(&s->delayed), *d;

    TAILQ_FOREACH(d, &s->delayed, link)
    if (d->due_ms < first->due_ms)
        first = d;
    return first;
}

static void wait_locked(struct server *s, const struct delayed *first)
{
    struct timespec t;

    if (first == NULL) {
        pthread_cond_wait(&s->wake, &s->lock);
        return;
    }
    t.tv_sec = first->due_ms / 1000;
    t.tv_nsec = first->due_ms % 1000 * 1000000;
    pthread_cond_timedwait(&s->wake, &s->lock, &t);
}

static void *delay_loop(void *arg)
{
    struct server *s = arg;

    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        struct delayed *first = earliest_locked(s);

        if (first == NULL || first->due_ms > clock_monotonic_ms()) {
            wait_locked(s, first);
            continue;
        }
        TAILQ_REMOVE(&s->delayed, first, link);
        pthread_mutex_unlock(&s->lock);
        if (fd_msg_send(&first->answer, NULL, NULL) != 0 && first->answer != NULL)
            (void)fd_msg_free(first->answer);
        free(first);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* --- answering -------------------------------------------------------------------------- */

static struct gba_bytes guss_for(const struct server *s, const struct subscriber *sub,
                                 const struct mar *m)
{
    bool known = s->config->guss_timestamps && m->guss_timestamp_s != 0 &&
                 sub->guss_timestamp_s != 0 && sub->guss_timestamp_s <= m->guss_timestamp_s;

    if (sub->guss == NULL || known || m->application == DIAMETER_APP_CX)
        return (struct gba_bytes){NULL, 0};
    return (struct gba_bytes){(const uint8_t *)sub->guss, sub->guss_n};
}

/* Takes a vector out of the AuC; 0 or the code that refuses. */
static uint32_t serve_locked(struct server *s, struct subscriber *sub, const struct mar *m,
                             enum malformed form, struct gba_av *av, enum error_form *how)
{
    struct fault fault;

    *how = ERROR_RESULT;
    if (sub == NULL) {
        *how = ERROR_EXPERIMENTAL;
        return 5401;
    }
    if (sub->barred)
        return 5003;
    if (m->scheme.n != 0 && !gba_text_is(m->scheme, "Digest-AKAv1-MD5")) {
        *how = ERROR_EXPERIMENTAL;
        return 5006;
    }
    if (m->resync && auc_resync(sub, m->rand_auts.p, m->rand_auts.p + 16) != GBA_OK)
        return 4001;
    if (auc_vector(sub, form == MALFORMED_SAME_RAND, av) != GBA_OK)
        return 5012;
    if (faults_take(s->faults, FAULT_BAD_MAC, m->impi, &fault))
        av->autn[15] ^= 0x5a;
    return 0;
}

/* 0, or the code that was answered. */
static uint32_t compose(struct server *s, struct msg *answer, const struct mar *m, int *error)
{
    enum malformed form = MALFORMED_NONE;
    enum error_form how;
    struct fault fault;
    struct subscriber *sub;
    struct gba_av av = {0};
    uint32_t code;

    if (faults_take(s->faults, FAULT_ERROR, m->impi, &fault)) {
        maa_failure(answer, m, fault.value, fault.form, error);
        return fault.value;
    }
    if (faults_take(s->faults, FAULT_MALFORMED, m->impi, &fault))
        form = (enum malformed)fault.value;
    pthread_mutex_lock(&s->auc->lock);
    sub = auc_find(s->auc, m->impi);
    code = serve_locked(s, sub, m, form, &av, &how);
    if (code == 0)
        maa_success(answer, m, &av, guss_for(s, sub, m), form, error);
    else
        maa_failure(answer, m, code, how, error);
    pthread_mutex_unlock(&s->auc->lock);
    gba_wipe(&av, sizeof(av));
    return code;
}

static void log_answer(struct server *s, const struct mar *m, uint32_t code)
{
    LOG(s->log, LOG_LV_INFO, "zh.answer", LOG_ID("impi", m->impi),
        LOG_INT("application", m->application), LOG_INT("resync", m->resync),
        LOG_INT("code", code == 0 ? 2001 : code));
}

static void answer(struct server *s, struct msg **msg, enum disp_action *action)
{
    struct msg *request = *msg;
    struct fault fault;
    struct mar m;
    uint32_t code = mar_read(request, &m);
    int error;

    count(s, &s->stats.requests);
    if (faults_take(s->faults, FAULT_DROP, m.impi, &fault)) {
        count(s, &s->stats.dropped);
        (void)fd_msg_free(request);
        *msg = NULL;
        return;
    }
    error = fd_msg_new_answer_from_req(fd_g_config->cnf_dict, msg, 0);
    if (code != 0)
        maa_failure(*msg, &m, code, ERROR_RESULT, &error);
    else
        code = compose(s, *msg, &m, &error);
    if (error != 0)
        LOG(s->log, LOG_LV_ERROR, "zh.answer", LOG_STR("reason", strerror(error)));
    log_answer(s, &m, code);
    count(s, code == 0 ? &s->stats.vectors : &s->stats.errors);
    if (code == 0 && m.resync)
        count(s, &s->stats.resyncs);
    if (faults_take(s->faults, FAULT_DELAY, m.impi, &fault) && delay(s, *msg, fault.value))
        *msg = NULL;
    else
        *action = DISP_ACT_SEND;
}

static int on_mar(struct msg **msg, struct avp *avp, struct session *session, void *arg,
                  enum disp_action *action)
{
    int cancel;

    (void)avp;
    (void)session;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    answer(arg, msg, action);
    pthread_setcancelstate(cancel, NULL);
    return 0;
}

/* --- connections ------------------------------------------------------------------------ */

static bool admit(const struct server *s, struct peer_info *info)
{
    const struct hss_config *c = s->config;
    bool admitted = c->clients.n == 0;

    for (size_t i = 0; i < c->clients.n; i++)
        admitted = admitted || strcasecmp(c->clients.v[i], info->pi_diamid) == 0;
    if (c->tls_cert == NULL)
        info->config.pic_flags.sec = PI_SEC_NONE;
    LOG(s->log, admitted ? LOG_LV_NOTICE : LOG_LV_WARNING, "zh.client",
        LOG_STR("peer", info->pi_diamid), LOG_STR("state", admitted ? "admitted" : "refused"));
    return admitted;
}

static int on_client(struct peer_info *info, int *auth, int (**unused)(struct peer_info *))
{
    struct server *s = the_server;

    (void)unused;
    pthread_mutex_lock(&s->lock);
    *auth = !s->stopping && admit(s, info) ? 1 : -1;
    pthread_mutex_unlock(&s->lock);
    return 0;
}

static bool is_connection(const struct server *s, int fd)
{
    struct sockaddr_storage local, remote;
    socklen_t n = sizeof(local), m = sizeof(remote);
    uint16_t port;

    if (getsockname(fd, (struct sockaddr *)&local, &n) != 0 ||
        getpeername(fd, (struct sockaddr *)&remote, &m) != 0)
        return false;
    if (local.ss_family == AF_INET)
        port = ((struct sockaddr_in *)(void *)&local)->sin_port;
    else if (local.ss_family == AF_INET6)
        port = ((struct sockaddr_in6 *)(void *)&local)->sin6_port;
    else
        return false;
    return ntohs(port) == server_port(s);
}

/* libfdcore has no call for this: the sockets are found among the process's descriptors. */
unsigned server_disconnect(struct server *s)
{
    DIR *fds = opendir("/proc/self/fd");
    unsigned n = 0;

    for (struct dirent *e; fds != NULL && (e = readdir(fds)) != NULL;) {
        int fd = atoi(e->d_name);

        if (e->d_name[0] != '.' && is_connection(s, fd) && shutdown(fd, SHUT_RDWR) == 0)
            n++;
    }
    if (fds != NULL)
        closedir(fds);
    return n;
}

/* --- life ------------------------------------------------------------------------------- */

static void on_stopped(void *arg)
{
    struct server *s = arg;

    if (s->stopped != NULL)
        s->stopped(s->stopped_arg);
}

static enum gba_err open_node(struct server *s, const struct hss_config *c)
{
    static const struct diameter_events none = {0};
    struct diameter_events events = none;
    char host[256];
    struct diameter_config node = {.identity = c->identity,
                                   .realm = c->realm,
                                   .listen_host = host,
                                   .listen_tls = c->tls_cert != NULL,
                                   .threads = (unsigned)c->threads,
                                   .tls_cert = c->tls_cert,
                                   .tls_key = c->tls_key,
                                   .tls_ca = c->tls_ca,
                                   .applications = applications,
                                   .n_applications = N_APPLICATIONS};

    events.stopped = on_stopped;
    events.arg = s;
    if (conf_address_split(c->listen, host, &node.listen_port) != GBA_OK)
        return GBA_E_CONFIG;
    return diameter_open(&node, &events, s->log, &s->node);
}

static enum gba_err start_node(struct server *s)
{
    struct disp_when when = {.command = diameter_dict_mar()};

    if (maa_define() != 0 || fd_peer_validate_register(on_client) != 0)
        return GBA_E_NOMEM;
    for (size_t i = 0; i < N_APPLICATIONS; i++) {
        when.app = diameter_dict_application(applications[i]);
        if (fd_disp_register(on_mar, DISP_HOW_CC, &when, s, &s->handlers[i]) != 0)
            return GBA_E_NOMEM;
    }
    return diameter_start(s->node);
}

enum gba_err server_start(const struct hss_config *c, struct auc *auc, struct faults *faults,
                          struct log *log, void (*stopped)(void *arg), void *arg,
                          struct server **out)
{
    struct server *s = calloc(1, sizeof(*s));
    pthread_condattr_t monotonic;
    enum gba_err err;

    if (s == NULL)
        return GBA_E_NOMEM;
    *s = (struct server){.log = log,
                         .auc = auc,
                         .faults = faults,
                         .config = c,
                         .stopped = stopped,
                         .stopped_arg = arg};
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, &monotonic);
    TAILQ_INIT(&s->delayed);
    the_server = s;
    err = open_node(s, c);
    if (err == GBA_OK && pthread_create(&s->thread, NULL, delay_loop, s) != 0)
        err = GBA_E_NOMEM;
    if (err == GBA_OK)
        err = start_node(s);
    *out = s; /* after a failure libfdcore may still point to it: the process ends anyway */
    return err;
}

uint16_t server_port(const struct server *s)
{
    return diameter_port(s->node);
}

void server_get_stats(struct server *s, struct server_stats *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->stats;
    pthread_mutex_unlock(&s->lock);
}

/* From the first line on no client is admitted, after the last no request is served. */
void server_stop(struct server *s)
{
    struct delayed *d;

    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    diameter_stop(s->node);
    for (size_t i = 0; i < N_APPLICATIONS; i++)
        (void)fd_disp_unregister(&s->handlers[i], NULL); /* waits for those that are served */
    while ((d = TAILQ_FIRST(&s->delayed)) != NULL) {
        TAILQ_REMOVE(&s->delayed, d, link);
        (void)fd_msg_free(d->answer);
        free(d);
    }
}
