/*
 * A load generator for Ub: N virtual USIMs bootstrap over C connections, kept alive or fresh,
 * HTTP or HTTPS, one thread on epoll.  Every 200 is verified by its rspauth unless --constant
 * says that the server is the floor.  It measures, it asserts nothing about speed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <gnutls/gnutls.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/digest_aka.h"
#include "common/host/clock.h"
#include "common/identity.h"
#include "common/secret.h"

enum step { FIRST, SECOND };
enum io { CONNECTING, HANDSHAKE, SENDING, READING };

struct usim {
    char impi[GBA_IMPI_SIZE];
};

struct conn {
    size_t index, turn;
    uint64_t next_us; /* not before, when paced; idle until then */
    bool idle;
    int fd;
    enum io io;
    enum step step;
    gnutls_session_t tls;
    struct usim *usim;
    uint64_t started_us;
    char out[2048], in[8192];
    size_t out_n, out_at, in_n;
    struct gba_av av;
    char nonce[GBA_AKA_NONCE_MAX], cnonce[17];
};

struct load {
    struct sockaddr_in addr;
    const char *realm;
    struct gba_aka_secret secret;
    gnutls_certificate_credentials_t cred;
    bool tls, fresh, constant;
    struct usim *usims;
    size_t n_usims;
    struct conn *conns;
    size_t n_conns;
    size_t goal, begun, done, failed;
    double gap_us; /* between the runs of a connection, on average; 0: none */
    uint32_t *took_us;
    int ep;
    char last_error[256];
};

static void die(const char *what)
{
    fprintf(stderr, "ub_load: %s\n", what);
    exit(1);
}

static void watch(struct load *l, struct conn *c, int op, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.ptr = c};

    if (epoll_ctl(l->ep, op, c->fd, &ev) != 0)
        die("epoll_ctl");
}

static void hang_up(struct conn *c)
{
    if (c->tls != NULL)
        gnutls_deinit(c->tls);
    c->tls = NULL;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static void dial(struct load *l, struct conn *c)
{
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(c->fd, (struct sockaddr *)&l->addr, sizeof(l->addr)) != 0 &&
        errno != EINPROGRESS)
        die("connect");
    c->io = CONNECTING;
    watch(l, c, EPOLL_CTL_ADD, EPOLLOUT);
    if (!l->tls)
        return;
    if (gnutls_init(&c->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK) != 0 ||
        gnutls_set_default_priority(c->tls) != 0 ||
        gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, l->cred) != 0)
        die("gnutls");
    gnutls_transport_set_int(c->tls, c->fd);
}

static void make_request(struct load *l, struct conn *c)
{
    char response[GBA_DIGEST_HEX_SIZE] = "";
    struct gba_wbuf w;

    gba_wbuf_init(&w, c->out, sizeof(c->out) - 1);
    gba_wbuf_str(&w, "GET / HTTP/1.1\r\nHost: ");
    gba_wbuf_str(&w, l->realm);
    gba_wbuf_str(&w, "\r\nUser-Agent: bench 3gpp-gba-tmpi\r\nAccept: */*\r\n"
                     "Authorization: Digest username=\"");
    gba_wbuf_str(&w, c->usim->impi);
    gba_wbuf_str(&w, "\", realm=\"");
    gba_wbuf_str(&w, l->realm);
    gba_wbuf_str(&w, "\", nonce=\"");
    if (c->step == SECOND) {
        struct gba_digest_input in = {.algorithm = GBA_DIGEST_AKAV1_MD5,
                                      .qop = GBA_QOP_AUTH_INT,
                                      .username = gba_text(c->usim->impi),
                                      .realm = gba_text(l->realm),
                                      .method = GBA_TEXT("GET"),
                                      .uri = GBA_TEXT("/"),
                                      .nonce = gba_text(c->nonce),
                                      .nc = GBA_TEXT("00000001"),
                                      .cnonce = gba_text(c->cnonce),
                                      .password = {c->av.res, c->av.res_len}};

        gba_digest_response(&in, response);
        gba_wbuf_str(&w, c->nonce);
        gba_wbuf_str(&w, "\", qop=auth-int, nc=00000001, algorithm=AKAv1-MD5, cnonce=\"");
        gba_wbuf_str(&w, c->cnonce);
    }
    gba_wbuf_str(&w, "\", uri=\"/\", response=\"");
    gba_wbuf_str(&w, response);
    gba_wbuf_str(&w, "\"");
}

/* The opaque of a challenge goes back as it came. */
static void end_request(struct load *l, struct conn *c, struct gba_text opaque)
{
    struct gba_wbuf w = {.p = (uint8_t *)c->out, .cap = sizeof(c->out) - 1};

    make_request(l, c);
    w.n = strlen(c->out);
    if (opaque.n != 0) {
        gba_wbuf_str(&w, ", opaque=\"");
        gba_wbuf_text(&w, opaque);
        gba_wbuf_str(&w, "\"");
    }
    gba_wbuf_str(&w, "\r\n\r\n");
    if (!gba_wbuf_ok(&w))
        die("request does not fit");
    c->out_n = w.n;
    c->out_at = 0;
    c->in_n = 0;
}

/* A connection has USIMs of its own: one that two used at once would get one challenge for both
 * (RULES 2), and the slower of them a 401. */
static struct usim *next_usim(const struct load *l, struct conn *c)
{
    size_t own = l->n_usims / l->n_conns;

    return &l->usims[c->index + c->turn++ % own * l->n_conns];
}

static void start(struct load *l, struct conn *c)
{
    c->idle = false;
    c->usim = next_usim(l, c);
    c->step = FIRST;
    c->started_us = clock_monotonic_us();
    memset(c->out, 0, sizeof(c->out));
    end_request(l, c, (struct gba_text){"", 0});
    if (l->fresh && c->fd >= 0)
        hang_up(c);
    if (c->fd < 0) {
        dial(l, c);
    } else {
        c->io = SENDING;
        watch(l, c, EPOLL_CTL_MOD, EPOLLOUT);
    }
}

/* The next run, now or at the moment of a Poisson process. */
static void begin(struct load *l, struct conn *c)
{
    if (l->begun >= l->goal) {
        hang_up(c);
        return;
    }
    l->begun++;
    c->next_us += (uint64_t)(-log1p(-drand48()) * l->gap_us);
    if (c->next_us > clock_monotonic_us())
        c->idle = true;
    else
        start(l, c);
}

/* Begins what is due.  The time until the next one, at most ten seconds. */
static struct timespec begin_due(struct load *l)
{
    uint64_t now = clock_monotonic_us(), wait_us = 10000000;

    for (size_t i = 0; i < l->n_conns; i++) {
        struct conn *c = &l->conns[i];

        if (c->idle && c->next_us <= now)
            start(l, c);
        else if (c->idle && c->next_us - now < wait_us)
            wait_us = c->next_us - now;
    }
    return (struct timespec){.tv_sec = (time_t)(wait_us / 1000000),
                             .tv_nsec = (long)(wait_us % 1000000) * 1000};
}

static void fail(struct load *l, struct conn *c, const char *why)
{
    snprintf(l->last_error, sizeof(l->last_error), "%s: %.160s", why,
             c->in_n != 0 ? c->in : "");
    l->failed++;
    l->done++;
    hang_up(c);
    begin(l, c);
}

static struct gba_text field(const char *head, const char *name)
{
    const char *at = strcasestr(head, name), *end;

    if (at == NULL)
        return (struct gba_text){"", 0};
    at += strlen(name);
    end = strstr(at, "\r\n");
    return (struct gba_text){at, (size_t)(end - at)};
}

static void on_challenge(struct load *l, struct conn *c)
{
    struct gba_text rest = field(c->in, "\r\nWWW-Authenticate: ");
    uint8_t rand[16], autn[16], sqn[6], amf[2];
    struct gba_digest d;

    if (gba_digest_next_challenge(&rest, &d) != GBA_OK ||
        gba_text_copy(c->nonce, sizeof(c->nonce), d.p[GBA_DIGEST_NONCE].value) != GBA_OK ||
        gba_aka_nonce_parse(d.p[GBA_DIGEST_NONCE].value, rand, autn) != GBA_OK ||
        gba_aka_open_autn(&l->secret, rand, autn, sqn, amf, &c->av) != GBA_OK) {
        fail(l, c, "challenge");
        return;
    }
    snprintf(c->cnonce, sizeof(c->cnonce), "%016llx", (unsigned long long)c->started_us);
    c->step = SECOND;
    memset(c->out, 0, sizeof(c->out));
    end_request(l, c, d.p[GBA_DIGEST_OPAQUE].value);
    c->io = SENDING;
    watch(l, c, EPOLL_CTL_MOD, EPOLLOUT);
}

static bool rspauth_right(struct load *l, struct conn *c, struct gba_bytes body)
{
    struct gba_digest d;
    struct gba_digest_input in = {.algorithm = GBA_DIGEST_AKAV1_MD5,
                                  .qop = GBA_QOP_AUTH_INT,
                                  .username = gba_text(c->usim->impi),
                                  .realm = gba_text(l->realm),
                                  .uri = GBA_TEXT("/"),
                                  .nonce = gba_text(c->nonce),
                                  .nc = GBA_TEXT("00000001"),
                                  .cnonce = gba_text(c->cnonce),
                                  .password = {c->av.res, c->av.res_len},
                                  .body = body};

    return gba_digest_parse_info(field(c->in, "\r\nAuthentication-Info: "), &d) == GBA_OK &&
           gba_digest_verify(&in, d.p[GBA_DIGEST_RSPAUTH].value);
}

static void on_answer(struct load *l, struct conn *c, struct gba_bytes body)
{
    if (c->step == FIRST && strncmp(c->in, "HTTP/1.1 401", 12) == 0) {
        on_challenge(l, c);
        return;
    }
    if (c->step != SECOND || strncmp(c->in, "HTTP/1.1 200", 12) != 0) {
        fail(l, c, "status");
        return;
    }
    if (!l->constant && !rspauth_right(l, c, body)) {
        fail(l, c, "rspauth");
        return;
    }
    l->took_us[l->done++] = (uint32_t)(clock_monotonic_us() - c->started_us);
    begin(l, c);
}

static ssize_t move(struct conn *c, bool out)
{
    ssize_t n;

    if (c->tls == NULL)
        n = out ? send(c->fd, c->out + c->out_at, c->out_n - c->out_at, MSG_NOSIGNAL)
                : recv(c->fd, c->in + c->in_n, sizeof(c->in) - 1 - c->in_n, 0);
    else
        n = out ? gnutls_record_send(c->tls, c->out + c->out_at, c->out_n - c->out_at)
                : gnutls_record_recv(c->tls, c->in + c->in_n, sizeof(c->in) - 1 - c->in_n);
    if (c->tls == NULL && n < 0)
        return errno == EAGAIN ? -1 : -2;
    if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
        return -1;
    return n < 0 ? -2 : n;
}

static void on_readable(struct load *l, struct conn *c)
{
    ssize_t n = move(c, false);
    char *end;
    size_t head, length;

    if (n == -1)
        return;
    if (n <= 0) {
        fail(l, c, "connection lost");
        return;
    }
    c->in_n += (size_t)n;
    c->in[c->in_n] = '\0';
    end = strstr(c->in, "\r\n\r\n");
    if (end == NULL)
        return;
    head = (size_t)(end - c->in) + 4;
    length = strtoul(field(c->in, "\r\nContent-Length: ").s, NULL, 10);
    if (c->in_n < head + length)
        return;
    on_answer(l, c, (struct gba_bytes){(uint8_t *)c->in + head, length});
}

static void on_event(struct load *l, struct conn *c)
{
    ssize_t n;
    int rc;

    switch (c->io) {
    case CONNECTING:
        c->io = c->tls != NULL ? HANDSHAKE : SENDING;
        on_event(l, c);
        return;
    case HANDSHAKE:
        rc = gnutls_handshake(c->tls);
        if (rc == GNUTLS_E_AGAIN) {
            watch(l, c, EPOLL_CTL_MOD,
                  gnutls_record_get_direction(c->tls) ? EPOLLOUT : EPOLLIN);
            return;
        }
        if (rc != 0) {
            fail(l, c, gnutls_strerror(rc));
            return;
        }
        c->io = SENDING;
        on_event(l, c);
        return;
    case SENDING:
        n = move(c, true);
        if (n == -2) {
            fail(l, c, "send");
            return;
        }
        if (n > 0)
            c->out_at += (size_t)n;
        if (c->out_at == c->out_n)
            c->io = READING;
        watch(l, c, EPOLL_CTL_MOD, c->io == READING ? EPOLLIN : EPOLLOUT);
        return;
    case READING:
        on_readable(l, c);
        return;
    }
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* CPU time of a process so far, in microseconds. */
static uint64_t cpu_us(long pid)
{
    char path[64], text[1024], *at;
    unsigned long user = 0, sys = 0;
    size_t n;
    FILE *f;

    if (pid == 0)
        return 0;
    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    f = fopen(path, "r");
    if (f == NULL)
        return 0;
    n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = '\0';
    at = strrchr(text, ')');
    if (at == NULL || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                             &user, &sys) != 2)
        return 0;
    return (user + sys) * (1000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* Runs that a busy machine keeps waiting are counted as failed, and others take their place. */
static void give_up_waiting(struct load *l)
{
    for (size_t i = 0; i < l->n_conns; i++)
        if (l->conns[i].fd >= 0)
            fail(l, &l->conns[i], "no answer");
}

static void run(struct load *l)
{
    struct epoll_event ev[256];

    for (size_t i = 0; i < l->n_conns; i++) {
        l->conns[i].index = i;
        l->conns[i].fd = -1;
        l->conns[i].next_us = clock_monotonic_us();
        begin(l, &l->conns[i]);
    }
    while (l->done < l->goal) {
        struct timespec wait = begin_due(l);
        int n = epoll_pwait2(l->ep, ev, 256, &wait, NULL);

        if (n == 0 && wait.tv_sec == 10)
            give_up_waiting(l);
        for (int i = 0; i < n; i++) {
            struct conn *c = ev[i].data.ptr;

            if (c->fd >= 0)
                on_event(l, c);
        }
    }
}

static void prepare(struct load *l, const char *address, const char *k, const char *opc,
                    unsigned long long first_imsi)
{
    char host[64] = "";
    unsigned port = 0;

    l->secret =
        (struct gba_aka_secret){.algorithm = GBA_AKA_MILENAGE, .k_len = 16, .res_len = 8};
    if (gba_unhex_exact(l->secret.k, 16, gba_text(k)) != GBA_OK ||
        gba_unhex_exact(l->secret.opc, 16, gba_text(opc)) != GBA_OK)
        die("BENCH_K and BENCH_OPC must be 32 hex digits");
    if (sscanf(address, "%63[^:]:%u", host, &port) != 2)
        die("address must be IPV4:PORT");
    l->addr.sin_family = AF_INET;
    l->addr.sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, host, &l->addr.sin_addr) != 1)
        die("address must be IPV4:PORT");
    l->usims = calloc(l->n_usims, sizeof(*l->usims));
    l->conns = calloc(l->n_conns, sizeof(*l->conns));
    l->took_us = calloc(l->goal, sizeof(*l->took_us));
    l->ep = epoll_create1(EPOLL_CLOEXEC);
    if (l->usims == NULL || l->conns == NULL || l->took_us == NULL || l->ep < 0)
        die("out of memory");
    for (size_t i = 0; i < l->n_usims; i++) {
        char imsi[GBA_IMSI_SIZE];

        snprintf(imsi, sizeof(imsi), "%015llu", (first_imsi + i) % 1000000000000000ull);
        if (gba_impi_from_imsi(gba_text(imsi), 2, l->usims[i].impi) != GBA_OK)
            die("IMSI");
    }
    if (l->tls && gnutls_certificate_allocate_credentials(&l->cred) != 0)
        die("gnutls");
}

/* Keys of test subscribers come by the environment: no key stands on a command line. */
int main(int argc, char **argv)
{
    struct load l = {.n_usims = 1000, .n_conns = 32, .goal = 10000, .realm = "bsf.test"};
    const char *k = getenv("BENCH_K"), *opc = getenv("BENCH_OPC");
    unsigned long long first = 1010000000000ull;
    uint64_t t0, t1, cpu0, cpu1;
    double rate = 0;
    long pid = 0;
    int o;

    while ((o = getopt(argc, argv, "n:c:u:i:r:p:R:tfC")) != -1) {
        switch (o) {
        case 'n':
            l.goal = strtoul(optarg, NULL, 10);
            break;
        case 'c':
            l.n_conns = strtoul(optarg, NULL, 10);
            break;
        case 'u':
            l.n_usims = strtoul(optarg, NULL, 10);
            break;
        case 'i':
            first = strtoull(optarg, NULL, 10);
            break;
        case 'r':
            l.realm = optarg;
            break;
        case 'p':
            pid = strtol(optarg, NULL, 10);
            break;
        case 'R':
            rate = strtod(optarg, NULL);
            break;
        case 't':
            l.tls = true;
            break;
        case 'f':
            l.fresh = true;
            break;
        case 'C':
            l.constant = true;
            break;
        default:
            optind = argc + 1;
        }
    }
    if (optind != argc - 1 || k == NULL || opc == NULL) {
        fprintf(
            stderr,
            "usage: BENCH_K=.. BENCH_OPC=.. ub_load [-n bootstraps] [-c connections]"
            " [-u usims] [-i first-imsi] [-r realm] [-p server-pid] [-R rate] [-t] [-f] [-C]"
            " IPV4:PORT\n");
        return 64;
    }
    if (l.n_conns == 0 || l.n_usims < l.n_conns)
        die("a connection needs a USIM of its own");
    l.gap_us = rate > 0 ? (double)l.n_conns * 1e6 / rate : 0;
    prepare(&l, argv[optind], k, opc, first);
    cpu0 = cpu_us(pid);
    t0 = clock_monotonic_us();
    run(&l);
    t1 = clock_monotonic_us();
    cpu1 = cpu_us(pid);
    l.done -= l.failed;
    qsort(l.took_us, l.goal, sizeof(*l.took_us), by_value);
    if (l.done != 0)
        printf("bootstraps=%zu failed=%zu rate=%.0f p50_us=%u p99_us=%u cpu_us=%.1f\n", l.done,
               l.failed, (double)l.done * 1e6 / (double)(t1 - t0),
               l.took_us[l.failed + l.done / 2], l.took_us[l.failed + l.done * 99 / 100],
               (double)(cpu1 - cpu0) / (double)l.done);
    if (l.failed != 0)
        fprintf(stderr, "ub_load: %s\n", l.last_error);
    for (size_t i = 0; i < l.n_conns; i++)
        hang_up(&l.conns[i]);
    gba_wipe(&l.secret, sizeof(l.secret));
    free(l.usims);
    free(l.conns);
    free(l.took_us);
    close(l.ep);
    if (l.cred != NULL)
        gnutls_certificate_free_credentials(l.cred);
    return l.done == 0;
}
