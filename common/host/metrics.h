/*
 * Counters, gauges and one kind of histogram, written as Prometheus text (exposition 0.0.4).
 * Registered at start by the main, raised from any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_METRICS_H
#define COMMON_HOST_METRICS_H

#include "common/bytes.h"

struct metrics;
struct metric;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

/* labels: `reason="RES"` or NULL.  name and help stay borrowed, labels are copied.  One (name,
 * labels) pair is one metric: asking again gives the same one.  Never NULL (memory failure
 * aborts at start). */
struct metric *metrics_counter(struct metrics *m, const char *name, const char *labels,
                               const char *help);
struct metric *metrics_gauge(struct metrics *m, const char *name, const char *labels,
                             const char *help);
/* Seconds; buckets 1 ms .. 10 s. */
struct metric *metrics_histogram(struct metrics *m, const char *name, const char *labels,
                                 const char *help);
/* A gauge whose value is asked for at each scrape. */
void metrics_probe(struct metrics *m, const char *name, const char *labels, const char *help,
                   double (*value)(void *arg), void *arg);

/* Adds `name="value"` (escaped, after a comma where something stands) to a label text in the
 * making, for label values that are not literals.  False: it does not fit. */
bool metrics_label(struct gba_wbuf *w, const char *name, struct gba_text value);

/* NULL metric: nothing happens. */
void metric_add(struct metric *c, uint64_t n);
void metric_set(struct metric *g, int64_t v);
void metric_observe_us(struct metric *h, uint64_t us);
uint64_t metric_value(const struct metric *c);

/* malloc'ed text, for the caller to free; NULL without memory. */
char *metrics_render(struct metrics *m, size_t *n);

#endif
