/*
 * Log and hooks of the Diameter node: see diameter_guard.h.  libfdcore's own handling of its
 * hooks writes whole messages, keys included, into buffers that it never wipes, whatever the
 * log level; a registered hook of the type turns that off.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/diameter_guard.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/host/clock.h"
#include "common/host/diameter_dict.h"

#define LOG_BURST      5     /* lines ... */
#define LOG_BURST_MS   10000 /* ... in this time */
#define HEADER_OCTETS  20    /* of a Diameter message, RFC 6733 3 */
#define AVP_MIN_OCTETS 8     /* RFC 6733 4.1 */

/* libfdcore's log handler gets no argument of ours. */
static struct {
    pthread_mutex_t lock;
    struct log *log;
    enum { GUARD_LOUD, GUARD_QUIET, GUARD_MUTE } mode;
    int64_t since_ms;
    unsigned lines;
    atomic_bool ending, ended;
} guard = {.lock = PTHREAD_MUTEX_INITIALIZER};

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

int diameter_guard_log(struct log *log)
{
    guard.log = log;
    guard.mode = GUARD_LOUD;
    fd_g_debug_lvl = FD_LOG_ERROR;
    return fd_log_handler_register(on_log);
}

void diameter_guard_quiet(void)
{
    fd_g_debug_lvl = FD_LOG_FATAL;
    pthread_mutex_lock(&guard.lock);
    guard.mode = GUARD_QUIET;
    pthread_mutex_unlock(&guard.lock);
}

void diameter_guard_mute(void)
{
    atomic_store(&guard.ended, true);
    pthread_mutex_lock(&guard.lock);
    guard.mode = GUARD_MUTE;
    guard.log = NULL;
    pthread_mutex_unlock(&guard.lock);
}

bool diameter_guard_ending(void)
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

static size_t u24(const uint8_t *p)
{
    return (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];
}

bool diameter_guard_session_id(uint8_t *message, size_t n)
{
    bool found = false;
    size_t at = HEADER_OCTETS;

    while (at + AVP_MIN_OCTETS <= n) {
        uint8_t *avp = message + at;
        uint32_t code = (uint32_t)avp[0] << 24 | (uint32_t)u24(avp + 1);
        size_t length = u24(avp + 5);

        if (length < AVP_MIN_OCTETS || length > n - at)
            break; /* libfdcore closes the connection over it */
        if (code == DIA_SESSION_ID)
            for (uint8_t *p = avp + AVP_MIN_OCTETS; p < avp + length; p++)
                if (*p == 0) {
                    *p = '?';
                    found = true;
                }
        at += (length + 3) & ~(size_t)3;
    }
    return found;
}

static void on_data(const struct fd_cnx_rcvdata *data)
{
    if (!diameter_guard_session_id(data->buffer, data->length))
        return;
    pthread_mutex_lock(&guard.lock);
    if (within_rate())
        LOG(guard.log, LOG_LV_WARNING, "diameter.session_id",
            LOG_STR("reason", "NUL in Session-Id overwritten"));
    pthread_mutex_unlock(&guard.lock);
}

static void on_hook(enum fd_hook_type type, struct msg *msg, struct peer_hdr *peer, void *other,
                    struct fd_hook_permsgdata *pmd, void *regdata)
{
    const struct diameter_events *events = regdata;
    int cancel;

    (void)pmd;
    if (atomic_load(&guard.ended))
        return;
    /* libfdcore ends its threads by cancelling them: not inside our callbacks. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    switch (type) {
    case HOOK_DATA_RECEIVED:
        on_data(other);
        break;
    case HOOK_MESSAGE_SENDING:
        on_sending(msg);
        break;
    case HOOK_MESSAGE_DROPPED:
        if (msg != NULL && events->dropped != NULL)
            events->dropped(events->arg, msg);
        break;
    case HOOK_PEER_CONNECT_SUCCESS:
    case HOOK_PEER_CONNECT_FAILED:
        if (peer != NULL && events->peer != NULL)
            events->peer(events->arg, peer->info.pi_diamid, type == HOOK_PEER_CONNECT_SUCCESS);
        break;
    default:
        break;
    }
    pthread_setcancelstate(cancel, NULL);
}

int diameter_guard_hooks(const struct diameter_events *events)
{
    struct fd_hook_hdl *handle; /* lives as long as libfdcore */
    uint32_t every = (1u << (HOOK_LAST + 1)) - 1;

    return fd_hook_register(every, on_hook, (void *)(uintptr_t)events, NULL, &handle);
}
