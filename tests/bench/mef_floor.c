/*
 * The floor under an enrolment: a bare libmicrohttpd server with the handshake of mefd's
 * listener and constant answers of the size mefd's have, each sent after its rows (a
 * registration and a Ke; a key) are on the disk: SQLite with WAL and synchronous=FULL, and
 * whatever waits goes in one transaction.  What mefd costs beyond it is mefd's own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/host/tls.h"
#include "naf/gba_naf.h"
#include "tests/bench/mef_names.h"

enum rows { ROW_REG, ROW_KE, ROW_KEY, N_ROWS };

struct job {
    struct job *next;
    struct MHD_Connection *c;
    char origin[BENCH_ORIGIN];
    bool is_key, handed_over;
};

struct floor {
    gnutls_certificate_credentials_t cert;
    gnutls_psk_server_credentials_t psk;
    gnutls_priority_t priorities;
    bool by_certificate;
    struct MHD_Response *registered, *key;

    pthread_mutex_t lock;
    pthread_cond_t more;
    struct job *waiting;
    bool stop;
    sqlite3 *db;
    sqlite3_stmt *insert[N_ROWS], *begin, *commit;
    unsigned long n_rows, n_commits;
};

static void die(const char *what)
{
    fprintf(stderr, "mef_floor: %s\n", what);
    exit(1);
}

/* ------------------------------------------------------------ rows */

/* The tables of mefd, with the indexes that its look-ups and expiries need. */
static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "CREATE TABLE ke(id TEXT PRIMARY KEY, enrolee TEXT, key BLOB, created INTEGER, expires "
    "INTEGER);"
    "CREATE INDEX ke_enrolee ON ke(enrolee); CREATE INDEX ke_expires ON ke(expires);"
    "CREATE TABLE reg(ri TEXT PRIMARY KEY, creator TEXT, admin TEXT, labels TEXT, created "
    "INTEGER,"
    " modified INTEGER, expires INTEGER, UNIQUE(creator,admin));"
    "CREATE INDEX reg_expires ON reg(expires); CREATE INDEX reg_admin ON reg(admin);"
    "CREATE TABLE key(id TEXT PRIMARY KEY, creator TEXT, admin TEXT, labels TEXT, targets TEXT,"
    " suid INTEGER, key BLOB, created INTEGER, modified INTEGER, expires INTEGER);"
    "CREATE INDEX key_creator ON key(creator,admin); CREATE INDEX key_expires ON key(expires);"
    "CREATE INDEX key_admin ON key(admin);";

static const char *const inserts[N_ROWS] = {
    [ROW_REG] = "INSERT INTO reg VALUES(?1,?2,'lab.test','',1790000000,1790000000,1800000000)",
    [ROW_KE] =
        "INSERT INTO ke VALUES(?1||'@mef.lab.test',?2,randomblob(60),1790000000,1800000000)",
    [ROW_KEY] =
        "INSERT INTO key VALUES(?1,?2,'lab.test','','//lab.test/cse1',22,randomblob(60),"
        "1790000000,1790000000,1800000000)",
};

static sqlite3_stmt *prepare(struct floor *f, const char *sql)
{
    sqlite3_stmt *st;

    if (sqlite3_prepare_v3(f->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(f->db));
    return st;
}

static void open_database(struct floor *f, const char *file)
{
    if (sqlite3_open(file, &f->db) != SQLITE_OK ||
        sqlite3_exec(f->db, schema, NULL, NULL, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(f->db));
    for (size_t i = 0; i < N_ROWS; i++)
        f->insert[i] = prepare(f, inserts[i]);
    f->begin = prepare(f, "BEGIN IMMEDIATE");
    f->commit = prepare(f, "COMMIT");
}

static void run(struct floor *f, sqlite3_stmt *st)
{
    if (sqlite3_step(st) != SQLITE_DONE)
        die(sqlite3_errmsg(f->db));
    sqlite3_reset(st);
}

/* Identifiers as random as mefd's: where a row goes in its index matters. */
static void insert(struct floor *f, enum rows which, const char *origin)
{
    char id[33];
    uint8_t octets[16];

    if (getrandom(octets, sizeof(octets), 0) != (ssize_t)sizeof(octets))
        die("entropy");
    gba_hex(id, GBA_BYTES(octets));
    sqlite3_bind_text(f->insert[which], 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_text(f->insert[which], 2, origin, -1, SQLITE_STATIC);
    run(f, f->insert[which]);
    f->n_rows++;
}

static void write_batch(struct floor *f, struct job *batch)
{
    struct job *next;

    run(f, f->begin);
    for (const struct job *j = batch; j != NULL; j = j->next) {
        if (j->is_key) {
            insert(f, ROW_KEY, j->origin);
        } else {
            insert(f, ROW_REG, j->origin);
            insert(f, ROW_KE, j->origin);
        }
    }
    run(f, f->commit);
    f->n_commits++;
    for (; batch != NULL; batch = next) {
        next = batch->next;
        MHD_resume_connection(batch->c);
    }
}

static void *writer(void *arg)
{
    struct floor *f = arg;
    struct job *batch;

    for (;;) {
        pthread_mutex_lock(&f->lock);
        while (f->waiting == NULL && !f->stop)
            pthread_cond_wait(&f->more, &f->lock);
        batch = f->waiting;
        f->waiting = NULL;
        pthread_mutex_unlock(&f->lock);
        if (batch == NULL)
            return NULL;
        write_batch(f, batch);
    }
}

/* ------------------------------------------------------------ requests */

static enum MHD_Result answer(void *cls, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *body,
                              size_t *n, void **state)
{
    struct floor *f = cls;
    struct job *j = *state;
    const char *text;

    (void)url, (void)method, (void)version, (void)body;
    if (j == NULL) {
        *state = calloc(1, sizeof(*j));
        return *state != NULL ? MHD_YES : MHD_NO;
    }
    if (*n > 0) {
        *n = 0;
        return MHD_YES;
    }
    if (j->handed_over)
        return MHD_queue_response(c, 201, j->is_key ? f->key : f->registered);
    text = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "X-M2M-Origin");
    snprintf(j->origin, sizeof(j->origin), "%s", text != NULL ? text : "");
    text = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Type");
    j->is_key = text != NULL && strstr(text, "ty=5") != NULL;
    j->c = c;
    j->handed_over = true;
    MHD_suspend_connection(c);
    pthread_mutex_lock(&f->lock);
    j->next = f->waiting;
    f->waiting = j;
    pthread_cond_signal(&f->more);
    pthread_mutex_unlock(&f->lock);
    return MHD_YES;
}

static void completed(void *cls, struct MHD_Connection *c, void **state,
                      enum MHD_RequestTerminationCode why)
{
    (void)cls, (void)c, (void)why;
    free(*state);
    *state = NULL;
}

static struct MHD_Response *response(const char *body)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(
        strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_PERSISTENT);

    if (r == NULL)
        die("out of memory");
    MHD_add_response_header(r, "Content-Type", "application/json");
    MHD_add_response_header(r, "X-M2M-RSC", "2001");
    MHD_add_response_header(r, "X-M2M-RI", "0");
    MHD_add_response_header(r, "X-M2M-RVI", "3");
    MHD_add_response_header(r, "Cache-Control", "no-store");
    MHD_add_response_header(r, "Content-Location",
                            "/_/mef.lab.test/-/r00112233445566778899aabbccddeeff");
    return r;
}

static void make_answers(struct floor *f)
{
    f->registered = response(
        "{\"sec:mefcr\":{\"ty\":10001,\"ri\":\"r00112233445566778899aabbccddeeff\",\"pi\":\"-"
        "\","
        "\"ct\":\"20260101T000000\",\"lt\":\"20260101T000000\",\"et\":\"20260101T000000\","
        "\"cr\":\"//lab.test/cse1/"
        "Cp000000\",\"fqdn\":\"mef.lab.test\",\"adfq\":\"lab.test\"}}");
    f->key = response(
        "{\"sec:skr\":{\"ty\":10003,\"ri\":\"00112233445566778899AABBCCDDEEFF\",\"pi\":\"-\","
        "\"ct\":\"20260101T000000\",\"lt\":\"20260101T000000\",\"et\":\"20260101T000000\","
        "\"cr\":\"//lab.test/cse1/Cp000000\",\"adfq\":\"lab.test\",\"suid\":22,"
        "\"rki\":\"00112233445566778899AABBCCDDEEFF\",\"tgis\":[\"//lab.test/cse1\"]}}");
}

/* ------------------------------------------------------------ TLS */

static int on_identity(gnutls_session_t s, const gnutls_datum_t *id, gnutls_datum_t *key)
{
    (void)s, (void)id;
    key->data = gnutls_malloc(32);
    if (key->data == NULL)
        return -1;
    memcpy(key->data, BENCH_KPM, 32);
    key->size = 32;
    return 0;
}

static void on_connection(void *cls, struct MHD_Connection *c, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    const union MHD_ConnectionInfo *info;
    struct floor *f = cls;
    gnutls_session_t s;

    (void)context;
    if (code != MHD_CONNECTION_NOTIFY_STARTED)
        return;
    info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    s = info->tls_session;
    gnutls_priority_set(s, f->priorities);
    if (f->by_certificate) {
        gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, f->cert);
        gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUIRE);
        gnutls_session_set_verify_cert(s, NULL, 0);
    } else {
        gnutls_credentials_set(s, GNUTLS_CRD_PSK, f->psk);
    }
}

static void make_credentials(struct floor *f, char **files)
{
    const char *priorities = f->by_certificate
                                 ? TLS_PRIORITIES_DEFAULT ":+SHA256"
                                 : gba_naf_tls_priorities(GBA_NAF_TLS_ONEM2M_EXTENDED);

    if (gnutls_priority_init(&f->priorities, priorities, NULL) != 0 ||
        gnutls_certificate_allocate_credentials(&f->cert) != 0 ||
        gnutls_certificate_set_x509_key_file(f->cert, files[0], files[1],
                                             GNUTLS_X509_FMT_PEM) != 0 ||
        gnutls_certificate_set_x509_trust_file(f->cert, files[2], GNUTLS_X509_FMT_PEM) <= 0 ||
        gnutls_psk_allocate_server_credentials(&f->psk) != 0)
        die("credentials");
    gnutls_psk_set_server_credentials_function2(f->psk, on_identity);
}

static const char *read_file(const char *path)
{
    gnutls_datum_t d = {NULL, 0};

    if (gnutls_load_file(path, &d) != 0)
        die(path);
    return (const char *)d.data;
}

/* Prints its port and serves until standard input ends. */
int main(int argc, char **argv)
{
    struct sockaddr_in loopback = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct floor f = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};
    struct MHD_Daemon *d;
    pthread_t thread;
    int kind;
    char c;

    if (argc != 6 || (kind = bench_kind_of(argv[1])) < 0) {
        fprintf(stderr, "usage: mef_floor psk|cert|gba CERT KEY CA DATABASE\n");
        return 64;
    }
    f.by_certificate = kind == BENCH_CERT;
    make_credentials(&f, argv + 2);
    make_answers(&f);
    open_database(&f, argv[5]);
    if (pthread_create(&thread, NULL, writer, &f) != 0)
        die("thread");
    d = MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TLS,
                         0, NULL, NULL, answer, &f, MHD_OPTION_THREAD_POOL_SIZE, 2u,
                         MHD_OPTION_SOCK_ADDR, &loopback, MHD_OPTION_HTTPS_MEM_CERT,
                         read_file(argv[2]), MHD_OPTION_HTTPS_MEM_KEY, read_file(argv[3]),
                         MHD_OPTION_NOTIFY_CONNECTION, on_connection, &f,
                         MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
    if (d == NULL)
        die("libmicrohttpd does not start");
    printf("%u\n", MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    while (read(0, &c, 1) > 0)
        continue;
    MHD_stop_daemon(d);
    pthread_mutex_lock(&f.lock);
    f.stop = true;
    pthread_cond_signal(&f.more);
    pthread_mutex_unlock(&f.lock);
    pthread_join(thread, NULL);
    fprintf(stderr, "mef_floor: %lu rows in %lu commits\n", f.n_rows, f.n_commits);
    return 0;
}
