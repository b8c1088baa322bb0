/*
 * A load generator for mefd: N virtual enrolees, each in a TLS session of its own, register as
 * clients and register a key (TS-0003 8.3.5.2.3, 8.3.5.2.7), over C connections at a time, one
 * thread on epoll.  It measures, it asserts nothing about speed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/host/clock.h"
#include "tests/bench/mef_names.h"

#define MEF      "mef.lab.test"
#define GBA_UA   "\x01\x00\x01\xcc\xac" /* ECDHE-PSK with ChaCha20-Poly1305 */
#define NEVER_US 10000000

/* The mandatory suites 00AE and C023 of TS-0003 10.2, and one with forward secrecy, which mefd
 * wants of GBA. */
static const char *const suites[] = {
    [BENCH_PSK] = "NONE:+VERS-TLS1.2:+COMP-NULL:+PSK:+AES-128-CBC:+SHA256:+SIGN-ALL",
    [BENCH_CERT] = "NONE:+VERS-TLS1.2:+COMP-NULL:+ECDHE-ECDSA:+AES-128-CBC:+SHA256:+SIGN-ALL"
                   ":+GROUP-X25519:+GROUP-SECP256R1:+CTYPE-X509",
    [BENCH_GBA] = "NONE:+VERS-TLS1.2:+COMP-NULL:+ECDHE-PSK:+CHACHA20-POLY1305:+AEAD"
                  ":+GROUP-X25519:+GROUP-SECP256R1:+SIGN-ALL",
};

enum io { IDLE, CONNECTING, HANDSHAKE, SENDING, READING };
enum step { REGISTER, REGISTER_KEY, N_STEPS };

struct conn {
    int fd;
    enum io io;
    enum step step;
    gnutls_session_t tls;
    gnutls_psk_client_credentials_t psk;
    unsigned enrolee;
    uint64_t next_us, started_us;
    char out[2048], in[8192];
    size_t out_n, out_at, in_n;
};

struct load {
    struct sockaddr_in addr;
    enum bench_kind kind;
    bool constant, warm;
    gnutls_priority_t priorities;
    gnutls_certificate_credentials_t *certs; /* one an enrolee */
    struct conn *conns;
    size_t n_conns, n, begun, done, failed;
    unsigned first;
    double gap_us; /* between the enrolments of a connection, on average; 0: none */
    uint32_t *took_us;
    char expires[32], last_error[256];
    int ep;
};

static void die(const char *what)
{
    fprintf(stderr, "mef_load: %s\n", what);
    exit(1);
}

/* ------------------------------------------------------------ credentials */

/* One key for all, a certificate for each. */
static void make_certificate(struct load *l, size_t i, gnutls_x509_crt_t ca,
                             gnutls_x509_privkey_t ca_key, gnutls_x509_privkey_t key)
{
    gnutls_x509_crt_t crt;
    uint32_t serial = htonl((uint32_t)(l->first + i + 1));
    char name[64];

    snprintf(name, sizeof(name), "c%06u.lab.test", l->first + (unsigned)i);
    if (gnutls_x509_crt_init(&crt) != 0 || gnutls_x509_crt_set_version(crt, 3) != 0 ||
        gnutls_x509_crt_set_serial(crt, &serial, sizeof(serial)) != 0 ||
        gnutls_x509_crt_set_activation_time(crt, time(NULL) - 3600) != 0 ||
        gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 86400) != 0 ||
        gnutls_x509_crt_set_key(crt, key) != 0 ||
        gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name,
                                             (unsigned)strlen(name), GNUTLS_FSAN_SET) != 0 ||
        gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE) != 0 ||
        gnutls_x509_crt_sign2(crt, ca, ca_key, GNUTLS_DIG_SHA256, 0) != 0 ||
        gnutls_certificate_allocate_credentials(&l->certs[i]) != 0 ||
        gnutls_certificate_set_x509_key(l->certs[i], &crt, 1, key) != 0)
        die("certificate");
    gnutls_x509_crt_deinit(crt);
}

static void make_certificates(struct load *l, const char *ca_file, const char *ca_key_file)
{
    gnutls_x509_crt_t ca;
    gnutls_x509_privkey_t ca_key, key;
    gnutls_datum_t pem, key_pem;

    if (gnutls_load_file(ca_file, &pem) != 0 || gnutls_load_file(ca_key_file, &key_pem) != 0 ||
        gnutls_x509_crt_init(&ca) != 0 || gnutls_x509_privkey_init(&ca_key) != 0 ||
        gnutls_x509_privkey_init(&key) != 0 ||
        gnutls_x509_crt_import(ca, &pem, GNUTLS_X509_FMT_PEM) != 0 ||
        gnutls_x509_privkey_import2(ca_key, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0) != 0 ||
        gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) != 0)
        die("CA");
    l->certs = calloc(l->n, sizeof(gnutls_certificate_credentials_t));
    if (l->certs == NULL)
        die("out of memory");
    for (size_t i = 0; i < l->n; i++)
        make_certificate(l, i, ca, ca_key, key);
    gnutls_x509_privkey_deinit(key);
    gnutls_x509_privkey_deinit(ca_key);
    gnutls_x509_crt_deinit(ca);
    gnutls_free(pem.data);
    gnutls_free(key_pem.data);
}

static void set_psk(const struct load *l, struct conn *c)
{
    uint8_t derived[32];
    gnutls_datum_t key = {(uint8_t *)(uintptr_t)BENCH_KPM, 32};
    char identity[GBA_BTID_SIZE];
    struct gba_naf_id id;

    if (l->kind == BENCH_PSK) {
        snprintf(identity, sizeof(identity), "p%06u", c->enrolee);
    } else {
        bench_btid(c->enrolee, identity);
        gba_naf_id_make(GBA_TEXT(MEF), (const uint8_t *)GBA_UA, &id);
        bench_naf_key(identity, (struct gba_bytes){id.octets, id.n}, derived);
        if (!l->constant)
            key.data = derived;
    }
    if (gnutls_psk_allocate_client_credentials(&c->psk) != 0 ||
        gnutls_psk_set_client_credentials(c->psk, identity, &key, GNUTLS_PSK_KEY_RAW) != 0 ||
        gnutls_credentials_set(c->tls, GNUTLS_CRD_PSK, c->psk) != 0)
        die("PSK");
}

/* ------------------------------------------------------------ connections */

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
    if (c->psk != NULL)
        gnutls_psk_free_client_credentials(c->psk);
    if (c->fd >= 0)
        close(c->fd);
    c->tls = NULL;
    c->psk = NULL;
    c->fd = -1;
    c->io = IDLE;
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
    if (gnutls_init(&c->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS) != 0 ||
        gnutls_priority_set(c->tls, l->priorities) != 0)
        die("gnutls");
    gnutls_server_name_set(c->tls, GNUTLS_NAME_DNS, MEF, strlen(MEF));
    if (l->kind != BENCH_CERT)
        set_psk(l, c);
    else
        gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, l->certs[c->enrolee - l->first]);
    gnutls_transport_set_int(c->tls, c->fd);
}

static void make_request(const struct load *l, struct conn *c)
{
    char origin[BENCH_ORIGIN], body[512];
    bool key = c->step == REGISTER_KEY;
    int n, length = snprintf(body, sizeof(body),
                             key ? "{\"sec:skr\":{\"et\":\"%s\",\"adfq\":\"lab.test\","
                                   "\"suid\":22,\"tgis\":[\"//lab.test/cse1\"]}}"
                                 : "{\"sec:mefcr\":{\"et\":\"%s\",\"fqdn\":\"" MEF
                                   "\",\"adfq\":\"lab.test\"}}",
                             l->expires);

    bench_origin(l->kind, c->enrolee, origin);
    n = snprintf(c->out, sizeof(c->out),
                 "POST /-/ HTTP/1.1\r\nHost: " MEF "\r\nX-M2M-Origin: %s\r\nX-M2M-RI: %u\r\n"
                 "X-M2M-RVI: 3\r\nContent-Type: application/json; ty=%d\r\n"
                 "Accept: application/json\r\nContent-Length: %d\r\n\r\n%s",
                 origin, (unsigned)c->step, key ? 5 : 4, length, body);
    if (length < 0 || n < 0 || (size_t)n >= sizeof(c->out))
        die("request does not fit");
    c->out_n = (size_t)n;
    c->out_at = c->in_n = 0;
}

static void start(struct load *l, struct conn *c)
{
    c->step = REGISTER;
    c->started_us = clock_monotonic_us();
    make_request(l, c);
    dial(l, c);
}

/* The next enrolment, at the moment of a Poisson process. */
static void begin(struct load *l, struct conn *c)
{
    hang_up(c);
    if (l->begun >= l->n) {
        c->next_us = UINT64_MAX;
        return;
    }
    c->enrolee = l->first + (unsigned)l->begun++;
    c->next_us += (uint64_t)(-log1p(-drand48()) * l->gap_us);
    if (c->next_us <= clock_monotonic_us())
        start(l, c);
}

static uint64_t begin_due(struct load *l)
{
    uint64_t now = clock_monotonic_us(), wait_us = NEVER_US;

    for (size_t i = 0; i < l->n_conns; i++) {
        struct conn *c = &l->conns[i];

        if (c->io != IDLE || c->next_us == UINT64_MAX)
            continue;
        if (c->next_us <= now)
            start(l, c);
        else if (c->next_us - now < wait_us)
            wait_us = c->next_us - now;
    }
    return wait_us;
}

static void fail(struct load *l, struct conn *c, const char *why)
{
    snprintf(l->last_error, sizeof(l->last_error), "enrolee %u: %s: %.160s", c->enrolee, why,
             c->in_n != 0 ? c->in : "");
    l->failed++;
    begin(l, c);
}

static void succeed(struct load *l, struct conn *c)
{
    l->took_us[l->done++] = (uint32_t)(clock_monotonic_us() - c->started_us);
    begin(l, c);
}

static void on_answer(struct load *l, struct conn *c)
{
    if (strncmp(c->in, "HTTP/1.1 201", 12) != 0 ||
        strcasestr(c->in, "\r\nX-M2M-RSC: 2001\r\n") == NULL) {
        fail(l, c, "refused");
    } else if (++c->step == N_STEPS) {
        succeed(l, c);
    } else {
        make_request(l, c);
        c->io = SENDING;
        watch(l, c, EPOLL_CTL_MOD, EPOLLOUT);
    }
}

/* An answer is whole when its body is. */
static void on_readable(struct load *l, struct conn *c)
{
    ssize_t n = gnutls_record_recv(c->tls, c->in + c->in_n, sizeof(c->in) - 1 - c->in_n);
    const char *end, *length;

    if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
        return;
    if (n <= 0) {
        fail(l, c, "connection lost");
        return;
    }
    c->in_n += (size_t)n;
    c->in[c->in_n] = '\0';
    end = strstr(c->in, "\r\n\r\n");
    length = strcasestr(c->in, "\r\nContent-Length: ");
    if (end == NULL || length == NULL)
        return;
    if (c->in_n >= (size_t)(end + 4 - c->in) + strtoul(length + 18, NULL, 10))
        on_answer(l, c);
}

static void on_handshake(struct load *l, struct conn *c)
{
    int rc = gnutls_handshake(c->tls);

    if (rc == GNUTLS_E_AGAIN) {
        watch(l, c, EPOLL_CTL_MOD, gnutls_record_get_direction(c->tls) ? EPOLLOUT : EPOLLIN);
    } else if (rc != 0) {
        fail(l, c, gnutls_strerror(rc));
    } else if (l->warm) {
        succeed(l, c);
    } else {
        c->io = SENDING;
        watch(l, c, EPOLL_CTL_MOD, EPOLLOUT);
    }
}

static void on_writable(struct load *l, struct conn *c)
{
    ssize_t n = gnutls_record_send(c->tls, c->out + c->out_at, c->out_n - c->out_at);

    if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
        return;
    if (n < 0) {
        fail(l, c, "send");
        return;
    }
    c->out_at += (size_t)n;
    if (c->out_at == c->out_n) {
        c->io = READING;
        watch(l, c, EPOLL_CTL_MOD, EPOLLIN);
    }
}

static void on_event(struct load *l, struct conn *c)
{
    switch (c->io) {
    case IDLE:
        return;
    case CONNECTING:
        c->io = HANDSHAKE;
        on_handshake(l, c);
        return;
    case HANDSHAKE:
        on_handshake(l, c);
        return;
    case SENDING:
        on_writable(l, c);
        return;
    case READING:
        on_readable(l, c);
        return;
    }
}

static void run(struct load *l)
{
    struct epoll_event ev[256];

    for (size_t i = 0; i < l->n_conns; i++) {
        l->conns[i].fd = -1;
        l->conns[i].next_us = clock_monotonic_us();
        begin(l, &l->conns[i]);
    }
    while (l->done + l->failed < l->n) {
        uint64_t wait_us = begin_due(l);
        struct timespec wait = {.tv_sec = (time_t)(wait_us / 1000000),
                                .tv_nsec = (long)(wait_us % 1000000) * 1000};
        int n = epoll_pwait2(l->ep, ev, 256, &wait, NULL);

        if (n == 0 && wait_us == NEVER_US)
            for (size_t i = 0; i < l->n_conns; i++)
                if (l->conns[i].io != IDLE)
                    fail(l, &l->conns[i], "no answer");
        for (int i = 0; i < n; i++)
            on_event(l, ev[i].data.ptr);
    }
}

/* ------------------------------------------------------------ what it cost the server */

/* CPU time of a process so far, in microseconds. */
static double cpu_us(long pid)
{
    struct timespec t;
    clockid_t clock;

    if (pid == 0 || clock_getcpuclockid((pid_t)pid, &clock) != 0 ||
        clock_gettime(clock, &t) != 0)
        return 0;
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double rss_octets(long pid)
{
    unsigned long size = 0, resident = 0;
    char path[64];
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%ld/statm", pid);
    f = pid != 0 ? fopen(path, "r") : NULL;
    if (f == NULL)
        return 0;
    if (fscanf(f, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void measure(struct load *l, long pid)
{
    double cpu = cpu_us(pid), rss = rss_octets(pid);
    uint64_t began = clock_monotonic_us();

    run(l);
    if (l->done == 0)
        return;
    qsort(l->took_us, l->done, sizeof(*l->took_us), by_value);
    printf("enrolments=%zu failed=%zu rate=%.0f p50_us=%u p99_us=%u cpu_us=%.1f rss=%.0f\n",
           l->done, l->failed, (double)l->done * 1e6 / (double)(clock_monotonic_us() - began),
           l->took_us[l->done / 2], l->took_us[l->done * 99 / 100],
           (cpu_us(pid) - cpu) / (double)l->done, (rss_octets(pid) - rss) / (double)l->done);
}

static void prepare(struct load *l, const char *address)
{
    time_t expires = time(NULL) + 86400;
    struct tm tm;
    char host[64] = "";
    unsigned port = 0;

    l->addr.sin_family = AF_INET;
    if (sscanf(address, "%63[^:]:%u", host, &port) != 2 ||
        inet_pton(AF_INET, host, &l->addr.sin_addr) != 1)
        die("address must be IPV4:PORT");
    l->addr.sin_port = htons((uint16_t)port);
    strftime(l->expires, sizeof(l->expires), "%Y%m%dT%H%M%S", gmtime_r(&expires, &tm));
    l->conns = calloc(l->n_conns, sizeof(*l->conns));
    l->took_us = calloc(l->n + 1, sizeof(*l->took_us));
    l->ep = epoll_create1(EPOLL_CLOEXEC);
    if (l->conns == NULL || l->took_us == NULL || l->ep < 0)
        die("out of memory");
    if (gnutls_priority_init(&l->priorities, suites[l->kind], NULL) != 0)
        die("priorities");
}

static void release(struct load *l)
{
    for (size_t i = 0; i < l->n_conns; i++)
        hang_up(&l->conns[i]);
    for (size_t i = 0; l->certs != NULL && i < l->n; i++)
        gnutls_certificate_free_credentials(l->certs[i]);
    gnutls_priority_deinit(l->priorities);
    free(l->certs);
    free(l->conns);
    free(l->took_us);
    close(l->ep);
}

int main(int argc, char **argv)
{
    struct load l = {.n_conns = 32, .n = 1000};
    const char *ca = NULL, *ca_key = NULL;
    double rate = 0;
    long pid = 0;
    int o, kind;

    while ((o = getopt(argc, argv, "n:c:i:p:R:A:K:Cw")) != -1) {
        switch (o) {
        case 'n':
            l.n = strtoul(optarg, NULL, 10);
            break;
        case 'c':
            l.n_conns = strtoul(optarg, NULL, 10);
            break;
        case 'i':
            l.first = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'p':
            pid = strtol(optarg, NULL, 10);
            break;
        case 'R':
            rate = strtod(optarg, NULL);
            break;
        case 'A':
            ca = optarg;
            break;
        case 'K':
            ca_key = optarg;
            break;
        case 'C':
            l.constant = true;
            break;
        case 'w':
            l.warm = true;
            break;
        default:
            optind = argc + 1;
        }
    }
    kind = optind == argc - 2 ? bench_kind_of(argv[optind]) : -1;
    if (kind < 0 || (kind == BENCH_CERT && (ca == NULL || ca_key == NULL))) {
        fprintf(stderr, "usage: mef_load [-n enrolments] [-c connections] [-i first-enrolee]"
                        " [-p server-pid] [-R rate] [-A ca -K ca-key] [-C] [-w]"
                        " psk|cert|gba IPV4:PORT\n");
        return 64;
    }
    l.kind = (enum bench_kind)kind;
    l.gap_us = rate > 0 ? (double)l.n_conns * 1e6 / rate : 0;
    prepare(&l, argv[optind + 1]);
    if (l.kind == BENCH_CERT)
        make_certificates(&l, ca, ca_key);
    measure(&l, pid);
    if (l.failed != 0)
        fprintf(stderr, "mef_load: %zu failed, the last: %s\n", l.failed, l.last_error);
    release(&l);
    return l.done == 0;
}
