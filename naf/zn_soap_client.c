/*
 * Zn over the web service of TS 29.109 5.3 and Annex D, NAF side: one POST per question, on a
 * libcurl multi handle with a thread of its own, under the client certificate of the NAF.  The
 * domain of a B-TID only picks a row of the configuration; no redirect, no proxy from the
 * environment, TLS 1.2 or later, one deadline over everything.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/zn_soap_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEADLINE_MS     2000
#define OUTSTANDING_MAX 256
#define UNDER_WAY_MAX   32 /* transfers at a time, each with a connection; more wait */
#define REQUEST_SIZE    16384
#define POLL_MS         60000 /* woken earlier by questions and answers */
#define POLL_WAITING_MS 50    /* while some wait, whose deadlines libcurl does not know */

struct row { /* one BSF */
    char domain[GBA_FQDN_SIZE];
    char *url, *ca_file;
};

struct client {
    struct zn zn;
    CURLM *multi;
    struct curl_slist *headers;
    char *cert_file, *key_file;
    char ns[GBA_ZN_NS_SIZE];
    bool bare, insecure;
    unsigned deadline_ms, outstanding_max;
    struct row *rows;
    size_t n_rows;
    void (*event)(void *arg, enum gba_err err, const char *what);
    void *event_arg;

    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* of what follows */
    struct job *queue;    /* asked, not yet started */
    size_t n_jobs;
    bool closing;

    /* the thread's own */
    struct job *waiting;
    struct job *under_way;
    unsigned n_under_way;
};

struct job {
    struct job *next;
    struct client *c;
    struct zn_query q;
    zn_done *done;
    void *arg;
    enum gba_err refused; /* before any I/O */
    const struct row *row;
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

static void job_free(struct job *j)
{
    if (j->easy != NULL)
        curl_easy_cleanup(j->easy);
    if (j->answer != NULL)
        gba_wipe(j->answer, j->n);
    free(j->answer);
    free(j);
}

/* Answers once and for all. */
static void job_end(struct job *j, enum gba_err err, const struct gba_zn_answer *a)
{
    struct client *c = j->c;

    pthread_mutex_lock(&c->lock);
    c->n_jobs--;
    pthread_mutex_unlock(&c->lock);
    j->done(j->arg, err, a);
    job_free(j);
}

static void tell(const struct job *j, enum gba_err err, const char *why)
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
static enum gba_err read_answer(struct job *j, struct gba_zn_answer *a, char *why, size_t cap)
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

static void job_finished(struct job *j, CURLcode rc)
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
    struct job *j = arg;

    n *= size;
    if (n > GBA_ZN_ANSWER_MAX - j->n)
        return 0; /* ends the transfer */
    memcpy(j->answer + j->n, data, n);
    j->n += n;
    return n;
}

/* ------------------------------------------------------------ questions */

static enum gba_err print_request(struct job *j)
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

static CURLcode set_tls(const struct job *j)
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

static CURLcode set_transfer(struct job *j)
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

static enum gba_err job_start(struct job *j)
{
    struct client *c = j->c;
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
static void take_queue(struct client *c)
{
    struct job **end = &c->waiting, *j, *next;

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
static void start_waiting(struct client *c)
{
    struct job **p = &c->waiting, *j;

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

static void unlink_job(struct client *c, const struct job *j)
{
    struct job **p = &c->under_way;

    while (*p != j)
        p = &(*p)->next;
    *p = j->next;
    c->n_under_way--;
}

static void collect(struct client *c)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
        CURLcode rc = m->data.result;
        char *private = NULL;
        struct job *j;

        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private);
        j = (struct job *)(void *)private;
        curl_multi_remove_handle(c->multi, j->easy);
        unlink_job(c, j);
        job_finished(j, rc);
    }
}

static bool is_closing(struct client *c)
{
    bool closing;

    pthread_mutex_lock(&c->lock);
    closing = c->closing;
    pthread_mutex_unlock(&c->lock);
    return closing;
}

static void *run(void *arg)
{
    struct client *c = arg;
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

static bool start_thread(struct client *c)
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

static const struct row *find_row(const struct client *c, const char *btid)
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
    struct client *c = (struct client *)(void *)self;
    struct job *j = calloc(1, sizeof(*j));

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

static void cancel(struct client *c)
{
    struct job *j;

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
    struct client *c = (struct client *)(void *)self;

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
    curl_slist_free_all(c->headers);
    for (size_t i = 0; i < c->n_rows; i++) {
        free(c->rows[i].url);
        free(c->rows[i].ca_file);
    }
    free(c->rows);
    free(c->cert_file);
    free(c->key_file);
    pthread_mutex_destroy(&c->lock);
    free(c);
    curl_global_cleanup(); /* counted by libcurl */
}

/* ------------------------------------------------------------ configuration */

static enum gba_err check_url(const char *url, bool insecure)
{
    CURLU *u = curl_url();
    char *scheme = NULL, *user = NULL;
    enum gba_err err = GBA_E_SYNTAX;

    if (u == NULL)
        return GBA_E_NOMEM;
    if (url != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_NO_USER &&
        (strcmp(scheme, "https") == 0 || (insecure && strcmp(scheme, "http") == 0)))
        err = GBA_OK;
    curl_free(scheme);
    curl_free(user);
    curl_url_cleanup(u);
    return err;
}

static bool copy(const char *from, char **to)
{
    *to = from != NULL ? strdup(from) : NULL;
    return from == NULL || *to != NULL;
}

static enum gba_err take_rows(const struct gba_naf_config *config, struct client *c)
{
    c->rows = calloc(config->n_bsfs + 1, sizeof(*c->rows));
    if (c->rows == NULL)
        return GBA_E_NOMEM;
    for (size_t i = 0; i < config->n_bsfs; i++) {
        const struct gba_naf_bsf *b = &config->bsfs[i];
        struct row *r = &c->rows[c->n_rows++];
        enum gba_err err = check_url(b->url, config->zn_insecure);

        if (err == GBA_OK)
            err = gba_fqdn_canonical(gba_text(b->domain), r->domain);
        if (err != GBA_OK)
            return err;
        if (!copy(b->url, &r->url) || !copy(b->ca_file, &r->ca_file))
            return GBA_E_NOMEM;
        if (r->ca_file == NULL && strncmp(r->url, "https", 5) == 0)
            return GBA_E_ARGUMENT; /* whom to trust is never left to the system's list */
    }
    return GBA_OK;
}

static enum gba_err bad_file(const struct client *c, const char *file, const char *why)
{
    char text[512];

    snprintf(text, sizeof(text), "%s: %s", file, why);
    if (c->event != NULL)
        c->event(c->event_arg, GBA_E_CONFIG, text);
    return GBA_E_CONFIG;
}

/* Wrong files are to be known at the start, not at the first question. */
static enum gba_err check_files(const struct client *c)
{
    gnutls_certificate_credentials_t x;
    enum gba_err err = GBA_OK;
    int rc = gnutls_certificate_allocate_credentials(&x);

    if (rc < 0)
        return GBA_E_NOMEM;
    if (c->cert_file != NULL) {
        rc = gnutls_certificate_set_x509_key_file(x, c->cert_file, c->key_file,
                                                  GNUTLS_X509_FMT_PEM);
        if (rc < 0)
            err = bad_file(c, c->cert_file, gnutls_strerror(rc));
    }
    for (size_t i = 0; err == GBA_OK && i < c->n_rows; i++) {
        if (c->rows[i].ca_file == NULL)
            continue;
        rc = gnutls_certificate_set_x509_trust_file(x, c->rows[i].ca_file, GNUTLS_X509_FMT_PEM);
        if (rc <= 0)
            err = bad_file(c, c->rows[i].ca_file,
                           rc == 0 ? "no certificate in it" : gnutls_strerror(rc));
    }
    gnutls_certificate_free_credentials(x);
    return err;
}

static enum gba_err make_headers(struct client *c)
{
    static const char *const fields[] = {"Content-Type: text/xml; charset=utf-8",
                                         "SOAPAction: \"requestBootstrappingInfo\"", "Expect:"};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct curl_slist *longer = curl_slist_append(c->headers, fields[i]);

        if (longer == NULL)
            return GBA_E_NOMEM;
        c->headers = longer;
    }
    return GBA_OK;
}

static enum gba_err configure(const struct gba_naf_config *config, struct client *c)
{
    enum gba_err err;

    c->bare = config->zn_bare;
    c->insecure = config->zn_insecure;
    c->deadline_ms = config->zn_deadline_ms != 0 ? config->zn_deadline_ms : DEADLINE_MS;
    c->outstanding_max =
        config->zn_max_outstanding != 0 ? config->zn_max_outstanding : OUTSTANDING_MAX;
    c->event = config->event;
    c->event_arg = config->event_arg;
    if ((config->cert_file == NULL) != (config->key_file == NULL))
        return GBA_E_ARGUMENT;
    if (!copy(config->cert_file, &c->cert_file) || !copy(config->key_file, &c->key_file))
        return GBA_E_NOMEM;
    err = gba_text_copy(
        c->ns, sizeof(c->ns),
        gba_text(config->zn_namespace != NULL ? config->zn_namespace : GBA_ZN_NS_DEFAULT));
    if (err == GBA_OK)
        err = take_rows(config, c);
    return err == GBA_OK ? check_files(c) : err;
}

enum gba_err zn_soap_client_new(const struct gba_naf_config *config, struct zn **out)
{
    struct client *c;
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
    err = c->multi != NULL ? configure(config, c) : GBA_E_NOMEM;
    if (err == GBA_OK)
        err = make_headers(c);
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
