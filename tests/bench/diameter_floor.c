/*
 * The floor under Zh over Diameter: libfdcore as a client and as a server, in two processes,
 * exchanging the MAR of the adapter and the MAA of mock-hss with a constant vector.  What bsfd
 * costs beyond it is bsfd's own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/mock-hss/maa.h"

#include <math.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bsf/zh_mar.h"
#include "common/host/clock.h"
#include "common/host/diameter.h"
#include "common/host/diameter_dict.h"

#define IDENTITY "hss.floor.test"
#define REALM    "floor.test"
#define IMPI     "001010123456789@ims.mnc001.mcc001.3gppnetwork.org"

static const uint32_t application = DIAMETER_APP_ZH;
static const struct diameter_events no_events;

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "diameter_floor: %s\n", what);
    exit(1);
}

/* --- the server ------------------------------------------------------------------------- */

static int on_mar(struct msg **msg, struct avp *avp, struct session *session, void *arg,
                  enum disp_action *action)
{
    static const char guss[] =
        "<guss xmlns=\"urn:3gpp:gba:GBAGUSSSchema-R9:2010-02\"><bsfInfo><lifeTime>3600"
        "</lifeTime></bsfInfo><ussList><uss id=\"0\" type=\"0\"><uids><uid>sip:user@example.org"
        "</uid></uids></uss></ussList></guss>";
    static const struct gba_av av = {.res_len = 8};
    struct mar m;
    int error;

    (void)avp, (void)session, (void)arg;
    if (mar_read(*msg, &m) != 0)
        die("the server got no MAR");
    error = fd_msg_new_answer_from_req(fd_g_config->cnf_dict, msg, 0);
    maa_success(*msg, &m, &av, gba_text_bytes(gba_text(guss)), MALFORMED_NONE, &error);
    if (error != 0)
        die("the server made no MAA");
    *action = DISP_ACT_SEND;
    return 0;
}

static int on_client(struct peer_info *info, int *auth, int (**unused)(struct peer_info *))
{
    (void)unused;
    info->config.pic_flags.sec = PI_SEC_NONE;
    *auth = 1;
    return 0;
}

/* Tells its port and serves until it is killed. */
static void serve(int port_fd)
{
    struct diameter_config c = {.identity = IDENTITY,
                                .realm = REALM,
                                .listen_host = "127.0.0.1",
                                .applications = &application,
                                .n_applications = 1};
    struct disp_when when = {0};
    struct disp_hdl *handle;
    struct diameter *d;
    uint16_t port = 0;

    if (diameter_open(&c, &no_events, NULL, &d) != GBA_OK || maa_define() != 0)
        die("the server did not open");
    when.app = diameter_dict_application(DIAMETER_APP_ZH);
    when.command = diameter_dict_mar();
    if (fd_peer_validate_register(on_client) != 0 ||
        fd_disp_register(on_mar, DISP_HOW_CC, &when, NULL, &handle) != 0 ||
        diameter_start(d) != GBA_OK)
        die("the server did not start");
    port = diameter_port(d);
    if (write(port_fd, &port, sizeof(port)) != (ssize_t)sizeof(port))
        die("pipe");
    for (;;)
        pause();
}

/* --- the client ------------------------------------------------------------------------- */

static sem_t places;
static uint64_t *started_us;
static atomic_uint refused;

static void on_maa(void *data, struct msg **msg)
{
    uint64_t *at = data;
    uint32_t code = 0;

    *at = clock_monotonic_us() - *at;
    if (!diameter_get_u32(*msg, 0, DIA_RESULT_CODE, &code) || code != 2001)
        atomic_fetch_add(&refused, 1);
    (void)fd_msg_free(*msg);
    *msg = NULL;
    sem_post(&places);
}

static struct diameter *connect_to(uint16_t port)
{
    struct diameter_peer peer = {
        .identity = IDENTITY, .realm = REALM, .host = "127.0.0.1", .port = port};
    struct diameter_config c = {.identity = "bsf." REALM,
                                .realm = REALM,
                                .peers = &peer,
                                .n_peers = 1,
                                .applications = &application,
                                .n_applications = 1};
    struct diameter *d;

    if (diameter_open(&c, &no_events, NULL, &d) != GBA_OK || diameter_start(d) != GBA_OK)
        die("the client did not start");
    for (int i = 0; i < 5000 && !diameter_peer_open(d, IDENTITY); i++)
        usleep(1000);
    if (!diameter_peer_open(d, IDENTITY))
        die("no connection");
    return d;
}

static uint64_t cpu_us(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* Waits for the next moment of a Poisson process: requests at the rate that bsfd reached, for a
 * node that is never idle batches more and wakes up less. */
static void pace(struct timespec *next, unsigned rate)
{
    double gap_ns = rate != 0 ? -log1p(-drand48()) * 1e9 / rate : 0;

    if (rate == 0)
        return;
    next->tv_nsec += (long)fmin(gap_ns, 999999999);
    next->tv_sec += next->tv_nsec / 1000000000;
    next->tv_nsec %= 1000000000;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

/* The CPU of pacing alone is the measurement's, not the floor's. */
static double pacing_us(size_t n, unsigned rate)
{
    struct timespec next;
    uint64_t cpu = cpu_us();

    clock_gettime(CLOCK_MONOTONIC, &next);
    for (size_t i = 0; i < n; i++)
        pace(&next, rate);
    return (double)(cpu_us() - cpu) / (double)n;
}

static void exchange(size_t n, unsigned outstanding, unsigned rate)
{
    const struct zh_mar mar = {.application = DIAMETER_APP_ZH,
                               .scheme = "Digest-AKAv1-MD5",
                               .destination_host = IDENTITY,
                               .destination_realm = REALM};
    const struct zh_query q = {.impi = IMPI};
    struct timespec next;

    clock_gettime(CLOCK_MONOTONIC, &next);
    sem_init(&places, 0, outstanding);
    for (size_t i = 0; i < n; i++) {
        struct msg *msg;

        pace(&next, rate);
        sem_wait(&places);
        started_us[i] = clock_monotonic_us();
        if (zh_mar_make(&mar, &q, &msg) != GBA_OK ||
            fd_msg_send(&msg, on_maa, &started_us[i]) != 0)
            die("the client did not send");
    }
    for (unsigned i = 0; i < outstanding; i++)
        sem_wait(&places);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void measure(size_t n, unsigned outstanding, unsigned rate)
{
    uint64_t wall, cpu;
    double pacing;

    started_us = calloc(n, sizeof(*started_us));
    if (started_us == NULL)
        die("no memory");
    exchange(n < 500 ? n : 500, outstanding, 0); /* warm */
    pacing = rate != 0 ? pacing_us(n, rate) : 0;
    wall = clock_monotonic_us();
    cpu = cpu_us();
    exchange(n, outstanding, rate);
    cpu = cpu_us() - cpu;
    wall = clock_monotonic_us() - wall;
    qsort(started_us, n, sizeof(*started_us), by_value);
    printf("exchanges=%zu outstanding=%u rate=%.0f p50_us=%llu p99_us=%llu client_cpu_us=%.1f "
           "refused=%u\n",
           n, outstanding, (double)n * 1e6 / (double)wall,
           (unsigned long long)started_us[n / 2],
           (unsigned long long)started_us[n - 1 - n / 100], (double)cpu / (double)n - pacing,
           atomic_load(&refused));
    free(started_us);
}

int main(int argc, char **argv)
{
    size_t n = 20000;
    unsigned outstanding = 32, rate = 0; /* 0: as fast as it can */
    int port_pipe[2];
    uint16_t port = 0;
    pid_t server;

    for (int c; (c = getopt(argc, argv, "n:o:r:")) != -1;) {
        if (c == 'n')
            n = strtoul(optarg, NULL, 10);
        else if (c == 'o')
            outstanding = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'r')
            rate = (unsigned)strtoul(optarg, NULL, 10);
        else
            return 64;
    }
    if (n == 0 || outstanding == 0 || pipe(port_pipe) != 0)
        return 64;
    server = fork(); /* before libfdcore: each process has its own */
    if (server == 0)
        serve(port_pipe[1]);
    close(port_pipe[1]);
    if (server < 0 || read(port_pipe[0], &port, sizeof(port)) != (ssize_t)sizeof(port))
        die("the server has not begun");
    (void)connect_to(port);
    measure(n, outstanding, rate);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    return 0;
}
