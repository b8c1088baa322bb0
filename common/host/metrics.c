/*
 * Metrics as Prometheus text, exposition format 0.0.4.  Raising one is a relaxed atomic
 * addition; the lock guards the list only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum metric_kind { COUNTER, GAUGE, HISTOGRAM, PROBE };

static const struct {
    uint64_t us;
    const char *le;
} buckets[] = {
    {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"}, {25000, "0.025"},
    {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"}, {1000000, "1"},
    {2500000, "2.5"}, {5000000, "5"},   {10000000, "10"},
};
#define N_BUCKETS (sizeof(buckets) / sizeof(buckets[0]))

struct metric {
    struct metric *next;
    enum metric_kind kind;
    const char *name, *help;
    char *labels;           /* never NULL */
    _Atomic uint64_t value; /* a gauge's int64_t too; a histogram's count */
    _Atomic uint64_t sum_us;
    _Atomic uint64_t in[N_BUCKETS]; /* each bucket alone; summed when rendered */
    double (*probe)(void *arg);
    void *arg;
};

struct metrics {
    pthread_mutex_t lock;
    struct metric *first, **end;
};

static void *must(void *p)
{
    if (p == NULL) {
        fputs("out of memory while metrics are registered\n", stderr);
        abort();
    }
    return p;
}

struct metrics *metrics_new(void)
{
    struct metrics *m = must(calloc(1, sizeof(*m)));

    pthread_mutex_init(&m->lock, NULL);
    m->end = &m->first;
    return m;
}

void metrics_free(struct metrics *m)
{
    if (m == NULL)
        return;
    for (struct metric *at = m->first, *next; at != NULL; at = next) {
        next = at->next;
        free(at->labels);
        free(at);
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static struct metric *find(const struct metrics *m, const char *name, const char *labels)
{
    for (struct metric *at = m->first; at != NULL; at = at->next)
        if (strcmp(at->name, name) == 0 && strcmp(at->labels, labels) == 0)
            return at;
    return NULL;
}

static struct metric *add(struct metrics *m, enum metric_kind kind, const char *name,
                          const char *labels, const char *help)
{
    struct metric *at;

    if (labels == NULL)
        labels = "";
    pthread_mutex_lock(&m->lock);
    at = find(m, name, labels);
    if (at == NULL) {
        at = must(calloc(1, sizeof(*at)));
        at->kind = kind;
        at->name = name;
        at->help = help;
        at->labels = must(strdup(labels));
        *m->end = at;
        m->end = &at->next;
    }
    pthread_mutex_unlock(&m->lock);
    return at;
}

struct metric *metrics_counter(struct metrics *m, const char *name, const char *labels,
                               const char *help)
{
    return add(m, COUNTER, name, labels, help);
}

struct metric *metrics_gauge(struct metrics *m, const char *name, const char *labels,
                             const char *help)
{
    return add(m, GAUGE, name, labels, help);
}

struct metric *metrics_histogram(struct metrics *m, const char *name, const char *labels,
                                 const char *help)
{
    return add(m, HISTOGRAM, name, labels, help);
}

void metrics_probe(struct metrics *m, const char *name, const char *labels, const char *help,
                   double (*value)(void *arg), void *arg)
{
    struct metric *at = add(m, PROBE, name, labels, help);

    pthread_mutex_lock(&m->lock);
    at->probe = value;
    at->arg = arg;
    pthread_mutex_unlock(&m->lock);
}

void metric_add(struct metric *c, uint64_t n)
{
    if (c != NULL)
        atomic_fetch_add_explicit(&c->value, n, memory_order_relaxed);
}

void metric_set(struct metric *g, int64_t v)
{
    if (g != NULL)
        atomic_store_explicit(&g->value, (uint64_t)v, memory_order_relaxed);
}

void metric_observe_us(struct metric *h, uint64_t us)
{
    if (h == NULL)
        return;
    for (size_t i = 0; i < N_BUCKETS; i++) {
        if (us <= buckets[i].us) {
            atomic_fetch_add_explicit(&h->in[i], 1, memory_order_relaxed);
            break;
        }
    }
    atomic_fetch_add_explicit(&h->sum_us, us, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->value, 1, memory_order_relaxed);
}

uint64_t metric_value(const struct metric *c)
{
    return c != NULL ? atomic_load_explicit(&c->value, memory_order_relaxed) : 0;
}

bool metrics_label(struct gba_wbuf *w, const char *name, struct gba_text value)
{
    if (w->n > 0)
        gba_wbuf_str(w, ",");
    gba_wbuf_str(w, name);
    gba_wbuf_str(w, "=\"");
    for (size_t i = 0; i < value.n; i++) {
        char c = value.s[i];

        if (c == '\n' || c == '"' || c == '\\')
            gba_wbuf_u8(w, '\\');
        gba_wbuf_u8(w, c == '\n' ? (uint8_t)'n' : (uint8_t)c);
    }
    gba_wbuf_str(w, "\"");
    return gba_wbuf_ok(w);
}

static void print_head(FILE *out, const struct metric *at)
{
    static const char *const types[] = {"counter", "gauge", "histogram", "gauge"};

    fprintf(out, "# HELP %s ", at->name);
    for (const char *s = at->help != NULL ? at->help : ""; *s != '\0'; s++) {
        if (*s == '\\' || *s == '\n')
            fputc('\\', out);
        fputc(*s == '\n' ? 'n' : *s, out);
    }
    fprintf(out, "\n# TYPE %s %s\n", at->name, types[at->kind]);
}

static void print_histogram(FILE *out, const struct metric *at)
{
    const char *comma = at->labels[0] != '\0' ? "," : "";
    const char *open = at->labels[0] != '\0' ? "{" : "", *close = open[0] != '\0' ? "}" : "";
    uint64_t sum_us = atomic_load_explicit(&at->sum_us, memory_order_relaxed);
    uint64_t all = metric_value(at), below = 0;

    for (size_t i = 0; i < N_BUCKETS; i++) {
        below += atomic_load_explicit(&at->in[i], memory_order_relaxed);
        fprintf(out, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", at->name, at->labels, comma,
                buckets[i].le, below);
    }
    if (all < below) /* an observation between the loads: keep the series monotonic */
        all = below;
    fprintf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", at->name, at->labels, comma, all);
    fprintf(out, "%s_sum%s%s%s %" PRIu64 ".%06" PRIu64 "\n", at->name, open, at->labels, close,
            sum_us / 1000000, sum_us % 1000000);
    fprintf(out, "%s_count%s%s%s %" PRIu64 "\n", at->name, open, at->labels, close, all);
}

static void print_value(FILE *out, const struct metric *at)
{
    const char *open = at->labels[0] != '\0' ? "{" : "", *close = open[0] != '\0' ? "}" : "";

    if (at->kind == HISTOGRAM) {
        print_histogram(out, at);
        return;
    }
    fprintf(out, "%s%s%s%s ", at->name, open, at->labels, close);
    if (at->kind == PROBE)
        fprintf(out, "%.17g\n", at->probe != NULL ? at->probe(at->arg) : 0.0);
    else if (at->kind == GAUGE)
        fprintf(out, "%" PRId64 "\n", (int64_t)metric_value(at));
    else
        fprintf(out, "%" PRIu64 "\n", metric_value(at));
}

/* All lines of one name stand together, as the format wants them. */
static void print_family(FILE *out, const struct metrics *m, const struct metric *head)
{
    for (const struct metric *at = m->first; at != head; at = at->next)
        if (strcmp(at->name, head->name) == 0)
            return; /* came with its first member */
    print_head(out, head);
    for (const struct metric *at = head; at != NULL; at = at->next)
        if (strcmp(at->name, head->name) == 0)
            print_value(out, at);
}

char *metrics_render(struct metrics *m, size_t *n)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, n);
    bool bad;

    if (out == NULL)
        return NULL;
    pthread_mutex_lock(&m->lock);
    for (const struct metric *at = m->first; at != NULL; at = at->next)
        print_family(out, m, at);
    pthread_mutex_unlock(&m->lock);
    bad = ferror(out) != 0;
    bad |= fclose(out) != 0;
    if (bad) {
        free(text);
        return NULL;
    }
    return text;
}
