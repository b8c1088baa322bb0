/*
 * The Zh adapter for scenarios: see zh_lab.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/e2e/zh_lab.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "common/host/log.h"
#include "common/host/metrics.h"

#define WAIT_S 10

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t asker;
static struct metrics *metrics;
static struct log *lines;

void zh_lab_pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

void zh_lab_abandon(void)
{
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM); /* the scenario is a process group */
    kill(0, SIGCONT);
    _exit(1);
}

static void on_stopped(void *arg)
{
    struct zh_lab *l = arg;

    pthread_mutex_lock(&lock);
    l->stopped = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void zh_lab_init(struct zh_lab *l)
{
    static char identity[] = "bsf.zh.test", realm[] = "zh.test", scheme[] = "Digest-AKAv1-MD5";

    memset(l, 0, sizeof(*l));
    l->config = (struct zh_diameter_config){.identity = identity,
                                            .realm = realm,
                                            .scheme = scheme,
                                            .deadline_ms = 3000,
                                            .attempt_timeout_ms = 500,
                                            .max_outstanding = 256,
                                            .threads = 2,
                                            .reconnect_ms = 1000,
                                            .watchdog_ms = 6000,
                                            .stopped = on_stopped,
                                            .stopped_arg = l};
    l->config.peers.v = l->peers;
}

void zh_lab_peer(struct zh_lab *l, const char *identity, const char *address)
{
    static char realm[] = HSS_REALM;
    struct zh_diameter_peer_config *p = &l->peers[l->config.peers.n++];

    p->identity = (char *)(uintptr_t)identity;
    p->realm = realm;
    p->address = (char *)(uintptr_t)address;
}

static unsigned count_up(const struct zh_lab *l)
{
    unsigned up = 0;

    for (size_t i = 0; i < l->config.peers.n; i++) {
        char label[128];

        snprintf(label, sizeof(label), "peer=\"%s\"", l->peers[i].identity);
        up += metric_value(metrics_gauge(metrics, "bsf_zh_peer_up", label, "")) != 0;
    }
    return up;
}

void zh_lab_wait_up(struct zh_lab *l, unsigned up)
{
    for (int i = 0; i < WAIT_S * 100 && (l->zh->healthy(l->zh) != (up > 0) || count_up(l) < up);
         i++)
        zh_lab_pause_ms(10);
    MUST(count_up(l) >= up);
}

void zh_lab_open(struct zh_lab *l, unsigned up)
{
    asker = pthread_self();
    metrics = metrics_new();
    if (getenv("ZH_LAB_LOG") != NULL)
        lines = log_open(LOG_FORMAT_TEXT, LOG_LV_DEBUG, true);
    MUST(zh_diameter_open(&l->config, lines, metrics, &l->zh) == GBA_OK);
    if (up > 0)
        zh_lab_wait_up(l, up);
}

void zh_lab_close(struct zh_lab *l)
{
    l->zh->close(l->zh);
    zh_lab_check_counts(l);
    for (size_t i = 0; i < l->n; i++)
        gba_guss_unref(l->answers[i].guss);
    metrics_free(metrics);
    if (lines != NULL)
        log_close(lines);
}

static void on_done(void *arg, enum gba_err err, const struct zh_answer *answer)
{
    struct zh_lab_answer *a = arg;

    pthread_mutex_lock(&lock);
    a->times++;
    a->err = err;
    a->same_thread = pthread_equal(pthread_self(), asker) != 0;
    if (answer != NULL) {
        a->av = answer->av;
        if (answer->guss != NULL)
            a->guss = gba_guss_ref(answer->guss);
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

struct zh_query zh_lab_query(const char *impi)
{
    struct zh_query q = {0};

    snprintf(q.impi, sizeof(q.impi), "%s", impi);
    return q;
}

size_t zh_lab_ask(struct zh_lab *l, const struct zh_query *q)
{
    size_t i = l->n++;

    MUST(i < ZH_LAB_MAX);
    l->zh->ask(l->zh, q, on_done, &l->answers[i]);
    return i;
}

struct zh_lab_answer *zh_lab_wait(struct zh_lab *l, size_t i)
{
    struct timespec limit;
    int err = 0;

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += WAIT_S;
    pthread_mutex_lock(&lock);
    while (l->answers[i].times == 0 && err == 0)
        err = pthread_cond_timedwait(&changed, &lock, &limit);
    pthread_mutex_unlock(&lock);
    MUST(err == 0);
    return &l->answers[i];
}

struct zh_lab_answer *zh_lab_get(struct zh_lab *l, const char *impi)
{
    struct zh_query q = zh_lab_query(impi);

    return zh_lab_wait(l, zh_lab_ask(l, &q));
}

void zh_lab_check_counts(struct zh_lab *l)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < l->n; i++) {
        MUST(l->answers[i].times == 1);
        MUST(!l->answers[i].same_thread);
    }
    pthread_mutex_unlock(&lock);
}
