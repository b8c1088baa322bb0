/*
 * DTLS of coapd: cookies, handshakes, sessions and their end.  Nothing is kept for a stranger
 * before he has shown by a cookie that he receives at his address (RFC 6347 4.2.1).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/coapd_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/clock.h"
#include "common/secret.h"

#define RETRANSMIT_MS   1000
#define UNUSED_MS       30000 /* an idle session may then give way to a new one */
#define SLOW_MS         3000  /* so may a handshake */
#define LONGEST_WAIT_MS 10000
#define LEAST_WAIT_MS   100 /* GnuTLS may say 0 and then have nothing to repeat */

/* ------------------------------------------------------------ lists and table */

static struct coapd_list *list_of(const struct coapd_session *s)
{
    return s->up ? &s->d->ups : &s->d->handshakes;
}

static void link_newest(struct coapd_session *s)
{
    struct coapd_list *l = list_of(s);

    s->older = l->newest;
    s->newer = NULL;
    if (l->newest != NULL)
        l->newest->newer = s;
    else
        l->oldest = s;
    l->newest = s;
    l->n++;
}

static void unlink_session(struct coapd_session *s)
{
    struct coapd_list *l = list_of(s);

    if (s->older != NULL)
        s->older->newer = s->newer;
    else
        l->oldest = s->newer;
    if (s->newer != NULL)
        s->newer->older = s->older;
    else
        l->newest = s->older;
    l->n--;
}

static struct coapd_session **chain_of(struct coapd *d, const struct coapd_path *p)
{
    return &d->table[coapd_path_hash(d, p) & d->table_mask];
}

/* Of one path there may be two: one that is up, and one in its handshake to take its place. */
static struct coapd_session *find(struct coapd *d, const struct coapd_path *p, bool up)
{
    struct coapd_session *s = *chain_of(d, p);

    while (s != NULL && (s->up != up || !coapd_same_path(&s->path, p)))
        s = s->next_hashed;
    return s;
}

static void count(struct coapd *d)
{
    size_t n = d->handshakes.n + d->ups.n;

    atomic_store(&d->n_sessions, n);
    metric_set(d->conf.sessions_now, (int64_t)n);
}

/* ------------------------------------------------------------ GnuTLS's transport */

static ssize_t pull(gnutls_transport_ptr_t p, void *out, size_t cap)
{
    struct coapd_session *s = p;
    size_t n = s->in.n < cap ? s->in.n : cap;

    if (s->in.p == NULL) {
        gnutls_transport_set_errno(s->tls, EAGAIN);
        return -1;
    }
    memcpy(out, s->in.p, n); /* a datagram is read whole or lost, as from a socket */
    s->in = (struct gba_bytes){NULL, 0};
    return (ssize_t)n;
}

static int pull_timeout(gnutls_transport_ptr_t p, unsigned ms)
{
    const struct coapd_session *s = p;

    (void)ms;
    return s->in.p != NULL;
}

/* What the kernel does not take is lost, like on the way. */
static ssize_t push(gnutls_transport_ptr_t p, const void *octets, size_t n)
{
    struct coapd_session *s = p;

    coapd_send(s->d, &s->path, (struct gba_bytes){octets, n});
    return (ssize_t)n;
}

struct stranger {
    struct coapd *d;
    const struct coapd_path *path;
};

static ssize_t push_to_stranger(gnutls_transport_ptr_t p, const void *octets, size_t n)
{
    struct stranger *to = p;

    coapd_send(to->d, to->path, (struct gba_bytes){octets, n});
    return (ssize_t)n;
}

/* ------------------------------------------------------------ end */

void coapd_session_free(struct coapd_session *s, bool say)
{
    struct coapd *d = s->d;
    struct coapd_session **at = chain_of(d, &s->path);

    while (*at != s)
        at = &(*at)->next_hashed;
    *at = s->next_hashed;
    unlink_session(s);
    if (say)
        gnutls_bye(s->tls, GNUTLS_SHUT_WR);
    d->conf.session_end(d->conf.ctx, s->tls, s->owner);
    gnutls_deinit(s->tls);
    coapd_exchanges_wipe(s);
    gba_wipe(s, sizeof(*s));
    free(s);
    count(d);
}

static void fail(struct coapd_session *s, enum gba_err err, const char *what)
{
    metric_add(s->d->conf.handshakes_failed, 1);
    LOG(s->d->conf.log, LOG_LV_INFO, "coap.handshake", LOG_STR("peer", s->peer), LOG_ERR(err),
        LOG_STR("what", what));
    coapd_session_free(s, false);
}

/* ------------------------------------------------------------ beginning */

/* The random of a first ClientHello (epoch 0, not a fragment's rest); NULL: something else. */
static const uint8_t *hello_random(struct gba_bytes b)
{
    const size_t record = 13, handshake = 12, version = 2;

    if (b.n < record + handshake + version + 32 || b.p[0] != 22 || b.p[1] != 0xfe ||
        b.p[3] != 0 || b.p[4] != 0 || b.p[record] != GNUTLS_HANDSHAKE_CLIENT_HELLO)
        return NULL;
    return b.p + record + handshake + version;
}

static size_t of_address(const struct coapd_list *l, const struct coapd_path *p)
{
    size_t n = 0;

    for (const struct coapd_session *s = l->oldest; s != NULL; s = s->newer)
        n += coapd_same_address(&s->path, p);
    return n;
}

/* Room for one more, if need be in place of one that nobody seems to need. */
static bool make_room(struct coapd *d, const struct coapd_path *p, int64_t now_ms)
{
    if (d->conf.per_address != 0 &&
        of_address(&d->handshakes, p) + of_address(&d->ups, p) >= d->conf.per_address)
        return false;
    if (d->handshakes.n >= d->conf.handshakes) {
        if (now_ms - d->handshakes.oldest->since_ms < SLOW_MS)
            return false;
        fail(d->handshakes.oldest, GBA_E_OVERLOAD, "given up for another");
    }
    if (d->handshakes.n + d->ups.n < d->conf.sessions)
        return true;
    if (d->ups.oldest == NULL || now_ms - d->ups.oldest->seen_ms < UNUSED_MS)
        return false;
    coapd_session_free(d->ups.oldest, true);
    return true;
}

/* What one address may cost: its cookie has shown that it is there. */
static bool may_begin(struct coapd *d, const struct coapd_path *p, int64_t now_ms)
{
    unsigned retry_after_s;

    if (d->conf.limiter == NULL ||
        limiter_take(d->conf.limiter, GBA_TEXT(""),
                     limiter_address((const struct sockaddr *)&p->peer), now_ms,
                     &retry_after_s) == GBA_OK)
        return true;
    metric_add(d->conf.limited, 1);
    return false;
}

static bool start_tls(struct coapd_session *s, gnutls_dtls_prestate_st *prestate)
{
    struct coapd *d = s->d;

    if (gnutls_init(&s->tls, GNUTLS_SERVER | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK |
                                 GNUTLS_ENABLE_RAWPK | GNUTLS_NO_SIGNAL) != 0)
        return false;
    gnutls_transport_set_ptr(s->tls, s);
    gnutls_transport_set_pull_function(s->tls, pull);
    gnutls_transport_set_pull_timeout_function(s->tls, pull_timeout);
    gnutls_transport_set_push_function(s->tls, push);
    gnutls_dtls_set_mtu(s->tls, COAPD_MTU);
    gnutls_dtls_set_timeouts(s->tls, RETRANSMIT_MS, d->conf.handshake_s * 1000);
    gnutls_dtls_prestate_set(s->tls, prestate);
    if (d->conf.session_start(d->conf.ctx, s->tls, &s->owner) == GBA_OK)
        return true;
    gnutls_deinit(s->tls);
    return false;
}

/* One line a second is enough to know it. */
static void say_full(struct coapd *d, const struct coapd_path *from, int64_t now_ms)
{
    char peer[COAPD_ADDRESS_LEN];

    metric_add(d->conf.handshakes_failed, 1);
    if (now_ms - d->full_ms < 1000 && d->full_ms != 0)
        return;
    d->full_ms = now_ms;
    coapd_path_text(from, peer);
    LOG(d->conf.log, LOG_LV_WARNING, "coap.full", LOG_STR("peer", peer),
        LOG_INT("sessions", d->ups.n), LOG_INT("handshakes", d->handshakes.n));
}

static struct coapd_session *begin(struct coapd *d, const struct coapd_path *from,
                                   const uint8_t *random, gnutls_dtls_prestate_st *prestate,
                                   int64_t now_ms)
{
    struct coapd_session *s, **at = chain_of(d, from);

    if (!may_begin(d, from, now_ms) || !make_room(d, from, now_ms) ||
        (s = calloc(1, sizeof(*s))) == NULL) {
        say_full(d, from, now_ms);
        return NULL;
    }
    s->d = d;
    s->path = *from;
    s->since_ms = s->seen_ms = now_ms;
    memcpy(s->hello, random, sizeof(s->hello));
    coapd_path_text(from, s->peer);
    if (!start_tls(s, prestate)) {
        LOG(d->conf.log, LOG_LV_ERROR, "coap.session", LOG_STR("peer", s->peer),
            LOG_ERR(GBA_E_CRYPTO));
        free(s);
        return NULL;
    }
    s->next_hashed = *at;
    *at = s;
    link_newest(s);
    count(d);
    return s;
}

/* Who repeats the hello of a handshake under way wants its answer again; who shows a cookie
 * begins another.  A session that is up stays until the new one is: a cookie may have been
 * overheard, and its hello be sent in the name of another (RFC 6347 4.2.8). */
static struct coapd_session *greet(struct coapd *d, const struct coapd_path *from,
                                   struct gba_bytes octets, const uint8_t *random,
                                   int64_t now_ms)
{
    struct coapd_session *s = find(d, from, false);
    struct stranger stranger = {d, from};
    gnutls_dtls_prestate_st prestate = {0};
    char who[COAPD_ADDRESS_LEN + 8];

    if (s != NULL && memcmp(s->hello, random, sizeof(s->hello)) == 0)
        return s;
    memset(who, 0, sizeof(who));
    coapd_path_text(from, who);
    who[sizeof(who) - 1] = (char)from->socket;
    if (gnutls_dtls_cookie_verify(&d->cookie_key, who, sizeof(who), (void *)(uintptr_t)octets.p,
                                  octets.n, &prestate) != 0) {
        gnutls_dtls_cookie_send(&d->cookie_key, who, sizeof(who), &prestate, &stranger,
                                push_to_stranger);
        return NULL;
    }
    if (s != NULL)
        coapd_session_free(s, false);
    return begin(d, from, random, &prestate, now_ms);
}

/* ------------------------------------------------------------ running */

/* False, as below: the session is gone. */
static bool come_up(struct coapd_session *s, int64_t now_ms)
{
    struct coapd *d = s->d;
    struct coapd_session *before = find(d, &s->path, true);
    enum gba_err err = d->conf.session_up(d->conf.ctx, s->tls, s->owner);

    if (err != GBA_OK) {
        gnutls_alert_send(s->tls, GNUTLS_AL_FATAL, GNUTLS_A_ACCESS_DENIED);
        fail(s, err, "refused");
        return false;
    }
    if (before != NULL)
        coapd_session_free(before, false);
    unlink_session(s);
    s->up = true;
    s->seen_ms = now_ms;
    link_newest(s);
    metric_add(d->conf.handshakes_ok, 1);
    return true;
}

static bool shake_hands(struct coapd_session *s, int64_t now_ms)
{
    int rc;

    do
        rc = gnutls_handshake(s->tls);
    while (rc < 0 && rc != GNUTLS_E_AGAIN && rc != GNUTLS_E_INTERRUPTED &&
           gnutls_error_is_fatal(rc) == 0);
    if (rc == GNUTLS_E_SUCCESS)
        return come_up(s, now_ms);
    if (rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED)
        return true;
    if (rc != GNUTLS_E_FATAL_ALERT_RECEIVED)
        gnutls_alert_send_appropriate(s->tls, rc);
    fail(s, rc == GNUTLS_E_TIMEDOUT ? GBA_E_TIMEOUT : GBA_E_TLS, gnutls_strerror(rc));
    return false;
}

enum gba_err coapd_session_send(struct coapd_session *s, struct gba_bytes octets)
{
    ssize_t n = gnutls_record_send(s->tls, octets.p, octets.n);

    return n == (ssize_t)octets.n       ? GBA_OK
           : n == GNUTLS_E_LARGE_PACKET ? GBA_E_TOO_LONG
                                        : GBA_E_TLS;
}

/* Every record of the datagram. */
static void read_records(struct coapd_session *s, int64_t now_ms)
{
    struct coapd *d = s->d;
    ssize_t n;

    for (;;) {
        n = gnutls_record_recv(s->tls, d->plain, sizeof(d->plain));
        if (n > 0) {
            unlink_session(s);
            s->seen_ms = now_ms;
            link_newest(s);
            coapd_message(s, (struct gba_bytes){d->plain, (size_t)n}, now_ms);
        }
        if (s->closing || n == 0 || n == GNUTLS_E_REHANDSHAKE ||
            (n < 0 && gnutls_error_is_fatal((int)n) != 0)) {
            coapd_session_free(s, n != 0);
            return;
        }
        if (n < 0) /* nothing more, or what is not for us */
            return;
    }
}

static void feed(struct coapd_session *s, const struct coapd_path *from,
                 struct gba_bytes octets, int64_t now_ms)
{
    s->path = *from; /* the address of ours it came to */
    s->in = octets;
    if (!s->up && !shake_hands(s, now_ms))
        return;
    if (s->up)
        read_records(s, now_ms);
}

/* Behind the ChangeCipherSpec: of a session that is up, or the last of a handshake. */
static bool is_protected(struct gba_bytes b)
{
    return b.n > 13 && (b.p[3] != 0 || b.p[4] != 0);
}

/* What is of neither of the two sessions of a path fails its MAC there, and nothing comes of
 * it. */
void coapd_datagram(struct coapd *d, const struct coapd_path *from, struct gba_bytes octets,
                    int64_t now_ms)
{
    const uint8_t *random = hello_random(octets);
    struct coapd_session *up = find(d, from, true), *s;

    if (octets.n == 0)
        return;
    s = random != NULL ? greet(d, from, octets, random, now_ms) : find(d, from, false);
    if (s != NULL)
        feed(s, from, octets, now_ms);
    if (up != NULL && up == find(d, from, true) && is_protected(octets))
        feed(up, from, octets, now_ms);
}

/* ------------------------------------------------------------ time */

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int coapd_timers(struct coapd *d, int64_t now_ms)
{
    int64_t wait_ms = LONGEST_WAIT_MS, idle_ms = (int64_t)d->conf.idle_s * 1000;
    struct coapd_session *s, *next;

    for (s = d->handshakes.oldest; s != NULL; s = next) {
        next = s->newer;
        s->in = (struct gba_bytes){NULL, 0};
        if (now_ms - s->since_ms > (int64_t)d->conf.handshake_s * 1000)
            fail(s, GBA_E_TIMEOUT, "handshake not finished");
        else if (gnutls_dtls_get_timeout(s->tls) > 0 || (shake_hands(s, now_ms) && !s->up))
            wait_ms = sooner(wait_ms, gnutls_dtls_get_timeout(s->tls));
    }
    while (d->ups.oldest != NULL && now_ms - d->ups.oldest->seen_ms >= idle_ms)
        coapd_session_free(d->ups.oldest, true);
    if (d->ups.oldest != NULL)
        wait_ms = sooner(wait_ms, d->ups.oldest->seen_ms + idle_ms - now_ms);
    return (int)(wait_ms > LEAST_WAIT_MS ? wait_ms : LEAST_WAIT_MS);
}
