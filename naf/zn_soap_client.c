/*
 * Zn over the web service of TS 29.109 5.3 and Annex D, NAF side: one POST per question, on a
 * libcurl multi handle with a thread of its own, under the client certificate of the NAF.  The
 * domain of a B-TID only picks a row of the configuration; no redirect, no proxy from the
 * environment, TLS 1.2 or later, one deadline over everything.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/zn_soap_config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define UNDER_WAY_MAX   32 /* transfers at a time, each with a connection; more wait */
#define REQUEST_SIZE    16384
#define POLL_MS         60000 /* woken earlier by questions and answers */
#define POLL_WAITING_MS 50    /* while some wait, whose deadlines libcurl does not know */

struct zn_soap_job {
    struct zn_soap_job *next;
    struct zn_soap_client *c;
    struct zn_query q;
    zn_done *done;
    void *arg;
    enum gba_err refused; /* before any I/O */
    const struct zn_soap_row *row;
    int64_t end_ms; /* of the deadline, monotonic */
    CURL *easy;
    char text[REQUEST_SIZE];
    size_t text_len;
    uint8_t *answer; /* GBA_ZN_ANSWER_MAX octets */
    size_t n;
    char error[CURL_ERROR_SIZE];
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ------------------------------------------------------------ answers */

static void job_free(struct zn_soap_job *j)
{
    if (j->easy != NULL)
        curl_easy_cleanup(j->easy);
    if (j->answer != NULL)
        gba_wipe(j->answer, j->n);
    free(j->answer);
    free(j);
}

/* Answers once and for all. */
static void job_end(struct zn_soap_job *j, enum gba_err err, const struct gba_zn_answer *a)
{
    struct zn_soap_client *c = j->c;

    pthread_mutex_lock(&c->lock);
    c->n_jobs--;
    pthread_mutex_unlock(&c->lock);
    j->done(j->arg, err, a);
    job_free(j);
}

static void tell(const struct zn_soap_job *j, enum gba_err err, const char *why)
{
    char text[512];

    if (j->c->event == NULL)
        return;
    snprintf(text, sizeof(text), "%s: %s", j->row->url, why);
    j->c->event(j->c->event_arg, err, text);
}

static enum gba_err transfer_error(CURLcode rc)
{
    switch (rc) {
    case CURLE_OK:
        return GBA_OK;
    case CURLE_OPERATION_TIMEDOUT:
        return GBA_E_TIMEOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        return GBA_E_ZN_UNREACHABLE;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
        return GBA_E_TLS;
    case CURLE_OUT_OF_MEMORY:
        return GBA_E_NOMEM;
    default:
        return GBA_E_PROTOCOL;
    }
}

/* A fault comes with 500, from one carrier's BSF with 200. */
static enum gba_err read_answer(struct zn_soap_job *j, struct gba_zn_answer *a, char *why,
                                size_t cap)
{
    struct gba_zn_fault fault;
    enum gba_err err;
    long status = 0;

    curl_easy_getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status);
    snprintf(why, cap, "HTTP status %ld", status);
    if (status != 200 && status != 500)
        return GBA_E_ZN_FAILURE;
    err = gba_zn_answer_parse((struct gba_bytes){j->answer, j->n}, a, &fault);
    if (err == GBA_E_SYNTAX || err == GBA_E_TOO_LONG)
        return status == 500 ? GBA_E_ZN_FAILURE : GBA_E_PROTOCOL;
    if (err == GBA_OK && status == 500) {
        gba_zn_answer_release(a);
        return GBA_E_PROTOCOL;
    }
    if (fault.text[0] != '\0')
        snprintf(why, cap, "fault %u: %s", fault.code, fault.text);
    return err;
}

static void job_finished(struct zn_soap_job *j, CURLcode rc)
{
    struct gba_zn_answer a = {.expiry_s = 0};
    char why[256];
    enum gba_err err = transfer_error(rc);

    if (err == GBA_OK)
        err = read_answer(j, &a, why, sizeof(why));
    else
        snprintf(why, sizeof(why), "%s",
                 j->error[0] != '\0' ? j->error : curl_easy_strerror(rc));
    if (err != GBA_OK)
        tell(j, err, why);
    job_end(j, err, err == GBA_OK ? &a : NULL);
    gba_zn_answer_release(&a);
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
    struct zn_soap_job *j = arg;

    n *= size;
    if (n > GBA_ZN_ANSWER_MAX - j->n)
        return 0; /* ends the transfer */
    memcpy(j->answer + j->n, data, n);
    j->n += n;
    return n;
}

/* ------------------------------------------------------------ questions */

static enum gba_err print_request(struct zn_soap_job *j)
{
    struct gba_zn_request rq = {.envelope = !j->c->bare, .n_gsids = j->q.n_gsids};
    struct gba_wbuf w;
    enum gba_err err;

    memcpy(rq.ns, j->c->ns, sizeof(rq.ns));
    memcpy(rq.btid, j->q.btid, sizeof(rq.btid));
    memcpy(rq.naf_id, j->q.naf_id.octets, j->q.naf_id.n);
    rq.naf_id_len = j->q.naf_id.n;
    memcpy(rq.gsid, j->q.gsid, sizeof(rq.gsid));
    rq.gba_u_aware = j->q.gba_u_aware;
    gba_wbuf_init(&w, j->text, sizeof(j->text));
    err = gba_zn_request_print(&rq, &w);
    j->text_len = w.n;
    return err;
}

static CURLcode set_tls(const struct zn_soap_job *j)
{
    CURL *e = j->easy;
    CURLcode rc = curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);

    if (rc == CURLE_OK && j->row->ca_file != NULL)
        rc = curl_easy_setopt(e, CURLOPT_CAINFO, j->row->ca_file);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(e, CURLOPT_CAPATH, NULL); /* that file and nothing else */
    if (rc == CURLE_OK && j->c->cert_file != NULL)
        rc = curl_easy_setopt(e, CURLOPT_SSLCERT, j->c->cert_file);
    if (rc == CURLE_OK && j->c->key_file != NULL)
        rc = curl_easy_setopt(e, CURLOPT_SSLKEY, j->c->key_file);
    return rc;
}

static CURLcode set_transfer(struct zn_soap_job *j)
{
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        {CURLOPT_TIMEOUT_MS, (long)(j->end_ms - now_ms()) + 1},
        {CURLOPT_POSTFIELDSIZE, (long)j->text_len},
    };
    CURL *e = j->easy;
    CURLcode rc = curl_easy_setopt(e, CURLOPT_URL, j->row->url);

    for (size_t i = 0; rc == CURLE_OK && i < sizeof(numbers) / sizeof(numbers[0]); i++)
        rc = curl_easy_setopt(e, numbers[i].option, numbers[i].value);
    if (rc == CURLE_OK)
        rc =
            curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, j->c->insecure ? "http,https" : "https");
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(e, CURLOPT_PROXY, "");
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(e, CURLOPT_HTTPHEADER, j->c->headers);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(e, CURLOPT_POSTFIELDS, j->text);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_data);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(e, CURLOPT_WRITEDATA, j);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(e, CURLOPT_ERRORBUFFER, j->error);
    if (rc == CURLE_OK)
        rc = curl_easy_setopt(e, CURLOPT_PRIVATE, j);
    return rc;
}

static enum gba_err job_start(struct zn_soap_job *j)
{
    struct zn_soap_client *c = j->c;
    enum gba_err err = print_request(j);

    if (err != GBA_OK)
        return err;
    j->answer = malloc(GBA_ZN_ANSWER_MAX);
    j->easy = curl_easy_init();
    if (j->answer == NULL || j->easy == NULL || set_transfer(j) != CURLE_OK ||
        set_tls(j) != CURLE_OK || curl_multi_add_handle(c->multi, j->easy) != CURLM_OK)
        return GBA_E_NOMEM;
    j->next = c->under_way;
    c->under_way = j;
    c->n_under_way++;
    return GBA_OK;
}

/* New questions go to the end of those that wait. */
static void take_queue(struct zn_soap_client *c)
{
    struct zn_soap_job **end = &c->waiting, *j, *next;

    while (*end != NULL)
        end = &(*end)->next;
    pthread_mutex_lock(&c->lock);
    j = c->queue;
    c->queue = NULL;
    pthread_mutex_unlock(&c->lock);
    for (; j != NULL; j = next) { /* the queue has the youngest first */
        next = j->next;
        j->next = *end;
        *end = j;
    }
}

/* Starts what may start; libcurl's own limit of connections is not used, for transfers that it
 * holds back lose their timeouts. */
static void start_waiting(struct zn_soap_client *c)
{
    struct zn_soap_job **p = &c->waiting, *j;

    while ((j = *p) != NULL) {
        enum gba_err err = j->refused;

        if (err == GBA_OK && j->end_ms <= now_ms())
            err = GBA_E_TIMEOUT;
        if (err == GBA_OK && c->n_under_way >= UNDER_WAY_MAX) {
            p = &j->next;
            continue;
        }
        *p = j->next;
        if (err == GBA_OK)
            err = job_start(j);
        if (err != GBA_OK)
            job_end(j, err, NULL);
    }
}

/* ------------------------------------------------------------ the thread */

static void unlink_job(struct zn_soap_client *c, const struct zn_soap_job *j)
{
    struct zn_soap_job **p = &c->under_way;

    while (*p != j)
        p = &(*p)->next;
    *p = j->next;
    c->n_under_way--;
}

static void collect(struct zn_soap_client *c)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
        CURLcode rc = m->data.result;
        char *private = NULL;
        struct zn_soap_job *j;

        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private);
        j = (struct zn_soap_job *)(void *)private;
        curl_multi_remove_handle(c->multi, j->easy);
        unlink_job(c, j);
        job_finished(j, rc);
    }
}

static bool is_closing(struct zn_soap_client *c)
{
    bool closing;

    pthread_mutex_lock(&c->lock);
    closing = c->closing;
    pthread_mutex_unlock(&c->lock);
    return closing;
}

static void *run(void *arg)
{
    struct zn_soap_client *c = arg;
    int n;

    while (!is_closing(c)) {
        take_queue(c);
        start_waiting(c);
        curl_multi_perform(c->multi, &n);
        collect(c);
        start_waiting(c);
        curl_multi_poll(c->multi, NULL, 0, c->waiting != NULL ? POLL_WAITING_MS : POLL_MS, &n);
    }
    return NULL;
}

static bool start_thread(struct zn_soap_client *c)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all); /* signals are the program's, not this library's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&c->thread, NULL, run, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0;
}

/* ------------------------------------------------------------ the port */

static const struct zn_soap_row *find_row(const struct zn_soap_client *c, const char *btid)
{
    struct gba_text domain;
    char canonical[GBA_FQDN_SIZE];
    uint8_t rand[16];

    if (gba_btid_parse(gba_text(btid), rand, &domain) != GBA_OK ||
        gba_fqdn_canonical(domain, canonical) != GBA_OK)
        return NULL;
    for (size_t i = 0; i < c->n_rows; i++)
        if (strcmp(c->rows[i].domain, canonical) == 0)
            return &c->rows[i];
    return NULL;
}

static void ask(struct zn *self, const struct zn_query *q, zn_done *done, void *arg)
{
    struct zn_soap_client *c = (struct zn_soap_client *)(void *)self;
    struct zn_soap_job *j = calloc(1, sizeof(*j));

    if (j == NULL) {
        done(arg, GBA_E_NOMEM, NULL);
        return;
    }
    j->c = c;
    j->q = *q;
    j->done = done;
    j->arg = arg;
    j->end_ms = now_ms() + (q->deadline_ms != 0 ? q->deadline_ms : c->deadline_ms);
    j->row = find_row(c, q->btid);
    if (j->row == NULL)
        j->refused = GBA_E_FORBIDDEN;
    pthread_mutex_lock(&c->lock);
    if (j->refused == GBA_OK && c->n_jobs >= c->outstanding_max)
        j->refused = GBA_E_OVERLOAD;
    c->n_jobs++;
    j->next = c->queue;
    c->queue = j;
    pthread_mutex_unlock(&c->lock);
    curl_multi_wakeup(c->multi);
}

static void cancel(struct zn_soap_client *c)
{
    struct zn_soap_job *j;

    while ((j = c->under_way) != NULL) {
        c->under_way = j->next;
        curl_multi_remove_handle(c->multi, j->easy);
        job_end(j, GBA_E_CANCELLED, NULL);
    }
    take_queue(c);
    while ((j = c->waiting) != NULL) {
        c->waiting = j->next;
        job_end(j, GBA_E_CANCELLED, NULL);
    }
}

static void close_client(struct zn *self)
{
    struct zn_soap_client *c = (struct zn_soap_client *)(void *)self;

    if (c->running) {
        pthread_mutex_lock(&c->lock);
        c->closing = true;
        pthread_mutex_unlock(&c->lock);
        curl_multi_wakeup(c->multi);
        pthread_join(c->thread, NULL);
        cancel(c);
    }
    if (c->multi != NULL)
        curl_multi_cleanup(c->multi);
    zn_soap_config_free(c);
    pthread_mutex_destroy(&c->lock);
    free(c);
    curl_global_cleanup(); /* counted by libcurl */
}

enum gba_err zn_soap_client_new(const struct gba_naf_config *config, struct zn **out)
{
    struct zn_soap_client *c;
    enum gba_err err;

    *out = NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return GBA_E_NOMEM;
    c = calloc(1, sizeof(*c));
    if (c == NULL) {
        curl_global_cleanup();
        return GBA_E_NOMEM;
    }
    c->zn = (struct zn){.name = "soap", .ask = ask, .close = close_client};
    pthread_mutex_init(&c->lock, NULL);
    c->multi = curl_multi_init();
    err = c->multi != NULL ? zn_soap_configure(config, c) : GBA_E_NOMEM;
    if (err == GBA_OK) {
        curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)UNDER_WAY_MAX);
        c->running = start_thread(c);
        err = c->running ? GBA_OK : GBA_E_NOMEM;
    }
    if (err != GBA_OK) {
        close_client(&c->zn);
        return err;
    }
    *out = &c->zn;
    return GBA_OK;
}
