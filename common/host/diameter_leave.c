/*
 * Taking leave of the peers: see diameter_leave.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/diameter_leave.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/host/diameter_dict.h"

#define REBOOTING 0 /* Disconnect-Cause, RFC 6733 5.4.3 */

struct farewell {
    char *identity, *realm;
    bool gone;
    struct farewell *next;
};

/* The hooks have no argument of ours; the list is complete before anything is sent, and stays
 * for threads that come late. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct farewell *list;
} leave = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static char *copy_of(const char *s, size_t n)
{
    return s != NULL ? strndup(s, n) : strdup("");
}

static void note_peer(struct peer_hdr *peer)
{
    struct farewell *f = calloc(1, sizeof(*f));

    if (f == NULL)
        return;
    f->identity = copy_of(peer->info.pi_diamid, peer->info.pi_diamidlen);
    f->realm = copy_of(peer->info.runtime.pir_realm, peer->info.runtime.pir_realmlen);
    if (f->identity == NULL || f->realm == NULL) {
        free(f->identity);
        free(f->realm);
        free(f);
        return;
    }
    pthread_mutex_lock(&leave.lock);
    f->next = leave.list;
    leave.list = f;
    pthread_mutex_unlock(&leave.lock);
}

static void note_open_peers(void)
{
    pthread_rwlock_rdlock(&fd_g_peers_rw);
    for (struct fd_list *i = fd_g_peers.next; i != &fd_g_peers; i = i->next)
        if (fd_peer_get_state(i->o) == STATE_OPEN)
            note_peer(i->o);
    pthread_rwlock_unlock(&fd_g_peers_rw);
}

static int make_dpr(struct msg **dpr)
{
    struct dict_object *command = NULL;
    command_code_t code = CC_DISCONNECT_PEER;
    int err = fd_dict_search(fd_g_config->cnf_dict, DICT_COMMAND, CMD_BY_CODE_R, &code,
                             &command, ENOENT);

    if (err == 0)
        err = fd_msg_new(command, MSGFL_ALLOC_ETEID, dpr);
    if (err == 0)
        err = fd_msg_add_origin(*dpr, 0);
    if (err == 0)
        diameter_put_u32(*dpr, 0, DIA_DISCONNECT_CAUSE, REBOOTING, &err);
    return err;
}

/* A DPR names no destination: its way is given with it. */
static int give_way(struct msg *dpr, const struct farewell *f)
{
    struct rt_data *way = NULL;
    int err = fd_rtd_init(&way);

    if (err == 0)
        err = fd_rtd_candidate_add(way, f->identity, strlen(f->identity), f->realm,
                                   strlen(f->realm));
    if (err == 0)
        err = fd_msg_rt_associate(dpr, way);
    return err;
}

static void say_farewell(const struct farewell *f)
{
    struct msg *dpr = NULL;
    int err = make_dpr(&dpr);

    if (err == 0)
        err = give_way(dpr, f);
    if (err == 0)
        err = fd_msg_send(&dpr, NULL, NULL);
    if (err != 0) {
        if (dpr != NULL)
            (void)fd_msg_free(dpr);
        diameter_leave_gone(f->identity);
    }
}

/* libfdcore sends only where some AVP or callback speaks for the peer. */
static int on_route(void *arg, struct msg **msg, struct fd_list *candidates)
{
    struct msg_hdr *header;

    (void)arg;
    if (fd_msg_hdr(*msg, &header) != 0 || header->msg_code != CC_DISCONNECT_PEER)
        return 0;
    for (struct fd_list *i = candidates->next; i != candidates; i = i->next)
        ((struct rtd_candidate *)(void *)i)->score += FD_SCORE_FINALDEST;
    return 0;
}

/* A thread of its own: libfdcore blocks a sender whose peer does not read. */
static void *say_all(void *arg)
{
    (void)arg;
    for (const struct farewell *f = leave.list; f != NULL; f = f->next)
        say_farewell(f);
    return NULL;
}

void diameter_leave_gone(const char *identity)
{
    pthread_mutex_lock(&leave.lock);
    for (struct farewell *f = leave.list; f != NULL; f = f->next)
        if (strcasecmp(f->identity, identity) == 0)
            f->gone = true;
    pthread_cond_broadcast(&leave.changed);
    pthread_mutex_unlock(&leave.lock);
}

static bool all_gone_locked(void)
{
    for (const struct farewell *f = leave.list; f != NULL; f = f->next)
        if (!f->gone)
            return false;
    return true;
}

bool diameter_leave(unsigned seconds)
{
    struct fd_rt_out_hdl *handle; /* lives as long as libfdcore */
    struct timespec limit;
    pthread_t thread;
    bool all;
    int err;

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += seconds;
    note_open_peers();
    err = fd_rt_out_register(on_route, NULL, 1, &handle);
    if (err == 0)
        err = pthread_create(&thread, NULL, say_all, NULL);
    if (err == 0)
        err = pthread_detach(thread);
    pthread_mutex_lock(&leave.lock);
    while (err == 0 && !all_gone_locked())
        err = pthread_cond_timedwait(&leave.changed, &leave.lock, &limit);
    all = all_gone_locked();
    pthread_mutex_unlock(&leave.lock);
    return all;
}
