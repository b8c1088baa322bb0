/*
 * Zh from a file: a small AuC on a thread of its own.  Queries of a moment are served together,
 * so that one sync of the SQN file covers them all.  It knows no Diameter and no Ub.
 * TS 33.102 6.3, Annex C; TS 29.109 4.2 for what an HSS answers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/zh_file.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bsf/sqn_file.h"
#include "bsf/zh_file_subscribers.h"
#include "common/host/random.h"
#include "common/secret.h"
#include "common/sqn.h"

#define COMPACT_ABOVE (16u << 20) /* octets of the SQN file that make a rewrite worth it */

struct query {
    struct query *next;
    struct zh_query q;
    zh_done *done;
    void *arg;
    bool overload;     /* came when the queue was full */
    enum gba_err err;  /* of the steps before the vector */
    size_t subscriber; /* its index, while err is GBA_OK */
    uint64_t sqn;      /* given to this query */
};

struct zh_file {
    struct zh port;
    struct log *log;
    struct zh_file_config c;
    struct zh_file_subscribers subscribers;
    uint64_t *last;         /* of each subscriber: the last SQN given out */
    uint64_t *synced;       /* ... and the mark on disk; -1: unknown */
    struct sqn_mark *marks; /* ... and the mark as it shall be */
    struct sqn_file *file;
    atomic_bool healthy;

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t come;
    struct query *first, **end;
    size_t n_waiting;
    bool closing;
};

#define AT(member) offsetof(struct zh_file_config, member)
static const struct conf_row rows[] = {
    {"subscribers", CONF_PATH, NULL, NULL, 0, 0, NULL, NULL, AT(subscribers), CONF_REQUIRED,
     .help =
         "YAML file of subscribers and their keys, mode 0600 (doc/examples/subscribers.yaml)."},
    {"sqn", CONF_PATH, NULL, NULL, 0, 0, NULL, NULL, AT(sqn), 0,
     .help = "File of sequence numbers; by default the subscribers' file with .sqn behind its "
             "name. bsfd writes it and its neighbours .new and .lock, also after it has become "
             "user; under its systemd unit it belongs into /var/lib/opengaa."},
    {"step", CONF_INT, NULL, "256", 1, 1000000, NULL, NULL, AT(step), 0,
     .help = "Sequence numbers reserved ahead at a time; a crash skips at most as many."},
    {"ind", CONF_INT, NULL, "16", 0, 31, NULL, NULL, AT(ind), 0,
     .help = "Index value (TS 33.102 C.1.1.1) of this AuC: one that no other AuC of the cards "
             "uses."},
    {"max_outstanding", CONF_INT, NULL, "4096", 1, 1000000, NULL, NULL, AT(max_outstanding), 0,
     .help = "Queries that may wait; more are refused as overload."},
};

const struct conf_schema zh_file_schema = {
    "Zh from a file of subscribers", rows, sizeof(rows) / sizeof(rows[0]),
    sizeof(struct zh_file_config),   NULL,
};

static struct zh_file *self(struct zh *z)
{
    return (struct zh_file *)(void *)z; /* port is the first member */
}

/* ---- sequence numbers ----------------------------------------------------------------- */

static uint64_t ahead(const struct zh_file *z, uint64_t sqn)
{
    uint64_t reach = (uint64_t)z->c.step << GBA_SQN_IND_BITS;

    return sqn > GBA_SQN_MAX - reach ? GBA_SQN_MAX : sqn + reach;
}

/* Moves the mark where the number is past it, or (a resynchronisation downwards) far below. */
static void want_mark(struct zh_file *z, size_t i, uint64_t sqn)
{
    if (sqn > z->marks[i].sqn || z->marks[i].sqn > ahead(z, ahead(z, sqn)))
        z->marks[i].sqn = ahead(z, sqn);
}

static enum gba_err resynchronise(struct zh_file *z, size_t i, const struct zh_query *q)
{
    const struct zh_file_subscriber *s = &z->subscribers.v[i];
    uint8_t sqn_ms[6];
    enum gba_err err = gba_aka_open_auts(&s->secret, q->auts_rand, q->auts, sqn_ms);

    if (err == GBA_OK)
        gba_sqn_resync(&z->last[i], gba_sqn_get(sqn_ms));
    return err == GBA_OK ? GBA_OK : GBA_E_AUTS;
}

static void give_number(struct zh_file *z, struct query *q)
{
    const struct zh_file_subscriber *s = zh_file_subscriber_find(&z->subscribers, q->q.impi);

    q->err = q->overload ? GBA_E_OVERLOAD
             : s == NULL ? GBA_E_SUBSCRIBER_UNKNOWN
             : s->barred ? GBA_E_SUBSCRIBER_BARRED
                         : GBA_OK;
    if (q->err != GBA_OK)
        return;
    q->subscriber = (size_t)(s - z->subscribers.v);
    if (q->q.resync)
        q->err = resynchronise(z, q->subscriber, &q->q);
    if (q->err == GBA_OK)
        q->err = gba_sqn_next(z->last[q->subscriber], (unsigned)z->c.ind, &q->sqn);
    if (q->err != GBA_OK)
        return;
    z->last[q->subscriber] = q->sqn;
    want_mark(z, q->subscriber, q->sqn);
}

static void note_synced(struct zh_file *z)
{
    for (size_t i = 0; i < z->subscribers.n; i++)
        z->synced[i] = z->marks[i].sqn;
}

static enum gba_err rewrite(struct zh_file *z)
{
    enum gba_err err = sqn_file_rewrite(z->file, z->marks, z->subscribers.n);

    if (err == GBA_OK)
        note_synced(z);
    return err;
}

static void log_file(const struct zh_file *z, enum gba_err err, const char *what)
{
    LOG(z->log, err == GBA_OK ? LOG_LV_NOTICE : LOG_LV_ERROR, "zh.file.sqn_file", LOG_ERR(err),
        LOG_STR("file", z->c.sqn), LOG_STR("what", what));
}

static void note_health(struct zh_file *z, enum gba_err err)
{
    if (atomic_exchange(&z->healthy, err == GBA_OK) != (err == GBA_OK))
        log_file(z, err, err == GBA_OK ? "written again" : "cannot be written: no vectors");
}

/* Puts the marks these queries have moved on disk, all with one sync. */
static void sync_marks(struct zh_file *z, const struct query *first)
{
    struct sqn_mark *moved = NULL;
    size_t n = 0, room = 0;
    enum gba_err err = GBA_OK;

    for (const struct query *q = first; q != NULL; q = q->next)
        room += q->err == GBA_OK && z->marks[q->subscriber].sqn != z->synced[q->subscriber];
    if (room == 0)
        return;
    moved = calloc(room, sizeof(*moved));
    for (const struct query *q = first; moved != NULL && q != NULL; q = q->next)
        if (q->err == GBA_OK && z->marks[q->subscriber].sqn != z->synced[q->subscriber])
            moved[n++] = z->marks[q->subscriber];
    err = moved == NULL ? GBA_E_NOMEM : sqn_file_append(z->file, moved, n);
    free(moved);
    for (const struct query *q = first; err == GBA_OK && q != NULL; q = q->next)
        if (q->err == GBA_OK)
            z->synced[q->subscriber] = z->marks[q->subscriber].sqn;
    if (err != GBA_OK)
        err = rewrite(z);
    else if (sqn_file_size(z->file) > COMPACT_ABOVE)
        (void)rewrite(z); /* else at the next query */
    note_health(z, err);
}

/* ---- answers -------------------------------------------------------------------------- */

/* TS 29.109 6.3.1.10: an HSS leaves out a GUSS that is not newer than the BSF's. */
static struct gba_guss *guss_for(const struct zh_file_subscriber *s, const struct zh_query *q)
{
    if (s->guss != NULL && q->guss_timestamp_s != 0 &&
        gba_guss_timestamp_s(s->guss) == q->guss_timestamp_s)
        return NULL;
    return s->guss;
}

static void answer(struct zh_file *z, struct query *q)
{
    struct zh_answer a = {.guss = NULL};
    const struct zh_file_subscriber *s;
    uint8_t rand[16], sqn[6];

    if (q->err == GBA_OK && z->synced[q->subscriber] < q->sqn)
        q->err = GBA_E_ZH_FAILURE; /* the number is not safe on disk */
    if (q->err == GBA_OK && random_octets(rand, sizeof(rand)) != GBA_OK)
        q->err = GBA_E_ZH_FAILURE;
    if (q->err == GBA_OK) {
        s = &z->subscribers.v[q->subscriber];
        gba_sqn_put(q->sqn, sqn);
        q->err = gba_aka_vector(&s->secret, rand, sqn, s->amf, &a.av);
        a.guss = guss_for(s, &q->q);
    }
    q->done(q->arg, q->err, q->err == GBA_OK ? &a : NULL);
    gba_wipe(&a, sizeof(a));
    free(q);
}

static struct query *take_all(struct zh_file *z, bool *closing)
{
    struct query *all;

    pthread_mutex_lock(&z->lock);
    while (z->first == NULL && !z->closing)
        pthread_cond_wait(&z->come, &z->lock);
    all = z->first;
    z->first = NULL;
    z->end = &z->first;
    z->n_waiting = 0;
    *closing = z->closing;
    pthread_mutex_unlock(&z->lock);
    return all;
}

static void *work(void *arg)
{
    struct zh_file *z = arg;
    bool closing = false;

    while (!closing) {
        struct query *all = take_all(z, &closing);

        for (struct query *q = all; q != NULL && !closing; q = q->next)
            give_number(z, q);
        if (!closing)
            sync_marks(z, all);
        for (struct query *q = all, *next; q != NULL; q = next) {
            next = q->next;
            if (closing)
                q->err = GBA_E_CANCELLED;
            answer(z, q);
        }
    }
    return NULL;
}

/* ---- the port ------------------------------------------------------------------------- */

static void ask(struct zh *port, const struct zh_query *query, zh_done *done, void *arg)
{
    struct zh_file *z = self(port);
    struct query *q;

    /* The answer must come from the worker, so there is no way round this memory. */
    while ((q = calloc(1, sizeof(*q))) == NULL)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    q->q = *query;
    q->done = done;
    q->arg = arg;
    pthread_mutex_lock(&z->lock);
    q->overload = z->n_waiting >= (size_t)z->c.max_outstanding;
    z->n_waiting++;
    *z->end = q;
    z->end = &q->next;
    pthread_cond_signal(&z->come);
    pthread_mutex_unlock(&z->lock);
}

static bool healthy(struct zh *port)
{
    return atomic_load(&self(port)->healthy);
}

static void release(struct zh_file *z)
{
    sqn_file_close(z->file);
    zh_file_subscribers_free(&z->subscribers);
    free(z->last);
    free(z->synced);
    free(z->marks);
    free(z->c.subscribers);
    free(z->c.sqn);
    pthread_cond_destroy(&z->come);
    pthread_mutex_destroy(&z->lock);
    free(z);
}

static void close_file(struct zh *port)
{
    struct zh_file *z = self(port);

    pthread_mutex_lock(&z->lock);
    z->closing = true;
    pthread_cond_signal(&z->come);
    pthread_mutex_unlock(&z->lock);
    pthread_join(z->thread, NULL);
    for (size_t i = 0; i < z->subscribers.n; i++)
        z->marks[i].sqn = z->last[i]; /* after an orderly end nothing is skipped */
    if (rewrite(z) != GBA_OK)
        log_file(z, GBA_E_IO, "not written at the end: reserved numbers are skipped");
    release(z);
}

static enum gba_err take_arrays(struct zh_file *z)
{
    size_t n = z->subscribers.n + 1;

    z->last = calloc(n, sizeof(*z->last));
    z->synced = calloc(n, sizeof(*z->synced));
    z->marks = calloc(n, sizeof(*z->marks));
    if (z->last == NULL || z->synced == NULL || z->marks == NULL)
        return GBA_E_NOMEM;
    for (size_t i = 0; i < z->subscribers.n; i++) {
        memcpy(z->marks[i].impi, z->subscribers.v[i].impi, sizeof(z->marks[i].impi));
        z->marks[i].sqn = z->subscribers.v[i].sqn;
    }
    return GBA_OK;
}

static enum gba_err open_sqn(struct zh_file *z, FILE *err)
{
    size_t line;
    enum gba_err e = sqn_file_open(z->c.sqn, z->marks, z->subscribers.n, &line, &z->file);

    if (e == GBA_E_EXISTS)
        fprintf(err, "%s: another process uses it\n", z->c.sqn);
    else if (e == GBA_E_SYNTAX)
        fprintf(err, "%s:%zu: no line of the form `SQN IMPI`\n", z->c.sqn, line);
    else if (e != GBA_OK)
        fprintf(err, "%s: %s\n", z->c.sqn, gba_err_text(e));
    for (size_t i = 0; e == GBA_OK && i < z->subscribers.n; i++) {
        z->last[i] = z->marks[i].sqn;
        z->marks[i].sqn = ahead(z, z->last[i]);
    }
    if (e == GBA_OK && rewrite(z) != GBA_OK) {
        fprintf(err, "%s: cannot be written\n", z->c.sqn);
        e = GBA_E_IO;
    }
    return e == GBA_OK || e == GBA_E_NOMEM ? e : GBA_E_IO;
}

static char *sqn_path(const struct zh_file_config *c)
{
    char *path;

    if (c->sqn != NULL)
        return strdup(c->sqn);
    path = malloc(strlen(c->subscribers) + sizeof(".sqn"));
    if (path != NULL)
        sprintf(path, "%s.sqn", c->subscribers);
    return path;
}

enum gba_err zh_file_open(const struct zh_file_config *c, struct log *log, FILE *err,
                          struct zh **out)
{
    struct zh_file *z = calloc(1, sizeof(*z));
    enum gba_err e;

    *out = NULL;
    if (z == NULL)
        return GBA_E_NOMEM;
    z->port = (struct zh){"file", ask, healthy, close_file};
    z->log = log;
    z->c = *c;
    z->c.subscribers = strdup(c->subscribers);
    z->c.sqn = sqn_path(c);
    z->end = &z->first;
    atomic_init(&z->healthy, true);
    pthread_mutex_init(&z->lock, NULL);
    pthread_cond_init(&z->come, NULL);
    e = z->c.subscribers == NULL || z->c.sqn == NULL
            ? GBA_E_NOMEM
            : zh_file_subscribers_load(c->subscribers, log, err, &z->subscribers);
    if (e == GBA_OK)
        e = take_arrays(z);
    if (e == GBA_OK)
        e = open_sqn(z, err);
    if (e == GBA_OK && pthread_create(&z->thread, NULL, work, z) != 0)
        e = GBA_E_NOMEM;
    if (e != GBA_OK) {
        release(z);
        return e;
    }
    *out = &z->port;
    return GBA_OK;
}

enum gba_err zh_file_check_rewrite(struct zh *port)
{
    struct zh_file *z = self(port);

    if (sqn_file_can_rewrite(z->file) == GBA_OK)
        return GBA_OK;
    LOG(z->log, LOG_LV_ERROR, "zh.file.sqn_file", LOG_ERR(GBA_E_IO), LOG_STR("file", z->c.sqn),
        LOG_STR("what", "no file can be made beside it, as bsfd will have to"),
        LOG_STR("why", strerror(errno)));
    return GBA_E_IO;
}

enum gba_err zh_file_check(const struct zh_file_config *c, FILE *err)
{
    struct zh_file_subscribers s;
    enum gba_err e = zh_file_subscribers_load(c->subscribers, NULL, err, &s);

    if (e == GBA_OK)
        zh_file_subscribers_free(&s);
    return e;
}
