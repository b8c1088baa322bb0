/*
 * Log and hooks of the Diameter node: see diameter_hooks.h.  libfdcore's own handling of its
 * hooks writes whole messages, keys included, into buffers that it never wipes, whatever the
 * log level; a registered hook of the type turns that off.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/diameter_hooks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/host/clock.h"
#include "common/host/diameter_dict.h"
#include "common/host/diameter_guard.h"
#include "common/host/diameter_leave.h"

#define LOG_BURST    5     /* lines ... */
#define LOG_BURST_MS 10000 /* ... in this time */

/* libfdcore's log handler gets no argument of ours. */
static struct {
    pthread_mutex_t lock;
    struct log *log;
    enum { GUARD_LOUD, GUARD_QUIET, GUARD_MUTE } mode;
    int64_t since_ms;
    unsigned lines;
    atomic_bool ending;
    pthread_rwlock_t events; /* held while one is told */
    bool ended;
} guard = {.lock = PTHREAD_MUTEX_INITIALIZER, .events = PTHREAD_RWLOCK_INITIALIZER};

static bool within_rate(void)
{
    int64_t now = clock_monotonic_ms();

    if (now - guard.since_ms > LOG_BURST_MS) {
        guard.since_ms = now;
        guard.lines = 0;
    }
    return guard.lines++ < LOG_BURST;
}

static void on_log(int level, const char *format, va_list args)
{
    char text[256];

    if (level < FD_LOG_ERROR)
        return;
    pthread_mutex_lock(&guard.lock);
    if (guard.mode == GUARD_LOUD) {
        vsnprintf(text, sizeof(text), format, args);
        LOG(guard.log, LOG_LV_WARNING, "diameter.library", LOG_STR("text", text));
    } else if (guard.mode == GUARD_QUIET && level >= FD_LOG_FATAL && within_rate()) {
        LOG(guard.log, LOG_LV_ERROR, "diameter.library", LOG_STR("format", format));
    }
    pthread_mutex_unlock(&guard.lock);
}

int diameter_hooks_log(struct log *log)
{
    guard.log = log;
    guard.mode = GUARD_LOUD;
    fd_g_debug_lvl = FD_LOG_ERROR;
    return fd_log_handler_register(on_log);
}

void diameter_hooks_quiet(void)
{
    fd_g_debug_lvl = FD_LOG_FATAL;
    pthread_mutex_lock(&guard.lock);
    guard.mode = GUARD_QUIET;
    pthread_mutex_unlock(&guard.lock);
}

void diameter_hooks_mute(void)
{
    pthread_rwlock_wrlock(&guard.events);
    guard.ended = true;
    pthread_rwlock_unlock(&guard.events);
    pthread_mutex_lock(&guard.lock);
    guard.mode = GUARD_MUTE;
    guard.log = NULL;
    pthread_mutex_unlock(&guard.lock);
}

bool diameter_hooks_ending(void)
{
    return atomic_load(&guard.ending);
}

static void on_sending(struct msg *msg)
{
    struct msg_hdr *header;

    if (msg != NULL && fd_msg_hdr(msg, &header) == 0 &&
        header->msg_code == CC_DISCONNECT_PEER && (header->msg_flags & CMD_FLAG_REQUEST) != 0)
        atomic_store(&guard.ending, true);
}

static void tell_repair(const char *event, const char *reason)
{
    pthread_mutex_lock(&guard.lock);
    if (guard.log != NULL && within_rate())
        LOG(guard.log, LOG_LV_WARNING, event, LOG_STR("reason", reason));
    pthread_mutex_unlock(&guard.lock);
}

static void on_data(const struct fd_cnx_rcvdata *data)
{
    bool known = diameter_dict_answers(diameter_guard_command(data->buffer, data->length));

    if (diameter_guard_session_id(data->buffer, data->length))
        tell_repair("diameter.session_id", "NUL in Session-Id overwritten");
    if (diameter_guard_result_code(data->buffer, data->length, known))
        tell_repair("diameter.result_code",
                    known ? "Result-Code cannot be read" : "answer to a command nobody knows");
}

static void on_received(struct msg *msg, const struct peer_hdr *peer)
{
    struct msg_hdr *header;

    if (msg != NULL && peer != NULL && fd_msg_hdr(msg, &header) == 0 &&
        header->msg_code == CC_DISCONNECT_PEER && (header->msg_flags & CMD_FLAG_REQUEST) == 0)
        diameter_leave_gone(peer->info.pi_diamid);
}

/* What is looked at to the last. */
static void on_any(enum fd_hook_type type, struct msg *msg, struct peer_hdr *peer, void *other)
{
    if (type == HOOK_DATA_RECEIVED)
        on_data(other);
    else if (type == HOOK_MESSAGE_SENDING)
        on_sending(msg);
    else if (type == HOOK_MESSAGE_RECEIVED)
        on_received(msg, peer);
    else if (type == HOOK_PEER_CONNECT_FAILED && peer != NULL)
        diameter_leave_gone(peer->info.pi_diamid);
}

static void tell(const struct diameter_events *events, enum fd_hook_type type, struct msg *msg,
                 struct peer_hdr *peer)
{
    if (type == HOOK_MESSAGE_DROPPED && msg != NULL && events->dropped != NULL)
        events->dropped(events->arg, msg);
    else if ((type == HOOK_PEER_CONNECT_SUCCESS || type == HOOK_PEER_CONNECT_FAILED) &&
             peer != NULL && events->peer != NULL)
        events->peer(events->arg, peer->info.pi_diamid, type == HOOK_PEER_CONNECT_SUCCESS);
}

static void on_hook(enum fd_hook_type type, struct msg *msg, struct peer_hdr *peer, void *other,
                    struct fd_hook_permsgdata *pmd, void *regdata)
{
    int cancel;

    (void)pmd;
    /* libfdcore ends its threads by cancelling them: not inside our callbacks. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    on_any(type, msg, peer, other);
    pthread_rwlock_rdlock(&guard.events);
    if (!guard.ended)
        tell(regdata, type, msg, peer);
    pthread_rwlock_unlock(&guard.events);
    pthread_setcancelstate(cancel, NULL);
}

int diameter_hooks_register(const struct diameter_events *events)
{
    struct fd_hook_hdl *handle; /* lives as long as libfdcore */
    uint32_t every = (1u << (HOOK_LAST + 1)) - 1;

    return fd_hook_register(every, on_hook, (void *)(uintptr_t)events, NULL, &handle);
}
