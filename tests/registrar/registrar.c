/*
 * A small registrar (CSE) for the demo and the tests: accepts TLS sessions of enrolees and
 * answers one line that names who is at the other end.  The key of a KpsaID is pre-provisioned
 * (a credential file), or comes from the BSF over Zn (the target is the NAF, TS-0003 8.3.2.3)
 * or from the MEF by fetchCredentials, or from a MAF by key retrieval; on an address of their own enrolees come by certificate.
 * It registers nothing: it proves that a security association stands
 * (TS-0003 8.2.2.1, 8.2.2.2).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <curl/curl.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/host/clock.h"
#include "common/host/daemon.h"
#include "common/host/httpd.h"
#include "common/host/tls.h"
#include "common/host/tls_peer.h"
#include "common/m2m_credential.h"
#include "naf/gba_naf.h"
#include "naf/key_fetch.h"

struct zn_conf {
    char *domain, *url, *ca;
};

/* An MEF or a MAF. */
struct issuer_conf {
    char *url, *fqdn, *ca;
    int64_t suid, deadline_ms;
};

struct registrar_conf {
    struct daemon_conf daemon;
    char *listen, *fqdn, *cse_id, *cert, *key;
    struct conf_list zn; /* struct zn_conf */
    struct issuer_conf mef, maf;
    struct conf_strings credentials; /* files */
    char *listen_certificates, *client_ca, *crl;
    struct conf_list enrolees; /* struct enrolee_conf */
};

struct enrolee_conf {
    char *id;
    struct conf_strings certificates;
};

#define ZN(field)   offsetof(struct zn_conf, field)
#define FROM(field) offsetof(struct issuer_conf, field)
#define REG(field)  offsetof(struct registrar_conf, field)
#define SIZE(array) (sizeof(array) / sizeof((array)[0]))

static const struct conf_row zn_rows[] = {
    {.name = "domain",
     .type = CONF_STRING,
     .offset = ZN(domain),
     .flags = CONF_REQUIRED,
     .help = "Right side of the B-TIDs this BSF makes."},
    {.name = "url",
     .type = CONF_STRING,
     .offset = ZN(url),
     .flags = CONF_REQUIRED,
     .help = "Its Zn web service."},
    {.name = "ca",
     .type = CONF_PATH,
     .offset = ZN(ca),
     .flags = CONF_REQUIRED,
     .help = "The roots (PEM) its certificate may have."},
};
static const struct conf_schema zn_schema = {
    .title = "A BSF", .rows = zn_rows, .n_rows = SIZE(zn_rows), .size = sizeof(struct zn_conf)};

/* Of an MEF or a MAF. */
#define ISSUER_ROWS(who, ids, deflt_suid, means)                                               \
    {.name = "url",                                                                            \
     .type = CONF_STRING,                                                                      \
     .offset = FROM(url),                                                                      \
     .help = "https://HOST:PORT of the " who "; left out: none is asked."},                    \
        {.name = "fqdn",                                                                       \
         .type = CONF_STRING,                                                                  \
         .offset = FROM(fqdn),                                                                 \
         .help = "Its name, the right side of its " ids "."},                                  \
        {.name = "ca",                                                                         \
         .type = CONF_PATH,                                                                    \
         .offset = FROM(ca),                                                                   \
         .help = "The roots (PEM) its certificate may have."},                                 \
        {.name = "suid",                                                                       \
         .type = CONF_INT,                                                                     \
         .min = 0,                                                                             \
         .max = 255,                                                                           \
         .deflt = deflt_suid,                                                                  \
         .offset = FROM(suid),                                                                 \
         .help = "What the key is for: " deflt_suid " is an association by " means "."},       \
    {                                                                                          \
        .name = "deadline", .type = CONF_DURATION, .min = 100, .max = 60000, .deflt = "3s",    \
        .offset = FROM(deadline_ms), .help = "How long its answer may take."                   \
    }

static const struct conf_row mef_rows[] = {
    ISSUER_ROWS("MEF", "KeIDs", "22", "a remotely provisioned key")};
static const struct conf_schema mef_schema = {.title = "The M2M Enrolment Function",
                                              .rows = mef_rows,
                                              .n_rows = SIZE(mef_rows),
                                              .size = sizeof(struct issuer_conf)};

static const struct conf_row maf_rows[] = {
    ISSUER_ROWS("MAF", "KcIDs", "32", "a key that a MAF distributes")};
static const struct conf_schema maf_schema = {.title = "The M2M Authentication Function",
                                              .rows = maf_rows,
                                              .n_rows = SIZE(maf_rows),
                                              .size = sizeof(struct issuer_conf)};

static const struct conf_row enrolee_rows[] = {
    {.name = "id",
     .type = CONF_STRING,
     .offset = offsetof(struct enrolee_conf, id),
     .flags = CONF_REQUIRED,
     .help = "Its Absolute AE-ID or CSE-ID."},
    {.name = "certificates",
     .type = CONF_STRINGS,
     .offset = offsetof(struct enrolee_conf, certificates),
     .flags = CONF_REQUIRED,
     .help = "The subjectAltNames its certificate may have: dns:FQDN, uri:URI, other:OID:HEX."},
};
static const struct conf_schema enrolee_schema = {.title = "An enrolee with a certificate",
                                                  .rows = enrolee_rows,
                                                  .n_rows = SIZE(enrolee_rows),
                                                  .size = sizeof(struct enrolee_conf)};

static const struct conf_row rows[] = {
    DAEMON_CONF_ROWS(struct registrar_conf, daemon),
    {.name = "listen",
     .type = CONF_ADDRESS,
     .offset = REG(listen),
     .flags = CONF_REQUIRED,
     .help = "Where enrolees connect."},
    {.name = "fqdn",
     .type = CONF_STRING,
     .offset = REG(fqdn),
     .flags = CONF_REQUIRED,
     .help = "Public domain name of the CSE-ID (TS-0001 7.2)."},
    {.name = "cse_id",
     .type = CONF_STRING,
     .offset = REG(cse_id),
     .flags = CONF_REQUIRED,
     .help = "Absolute CSE-ID."},
    {.name = "cert",
     .type = CONF_PATH,
     .offset = REG(cert),
     .flags = CONF_REQUIRED,
     .help = "Certificate (PEM) with the fqdn: how the BSF or the MEF knows this registrar."},
    {.name = "key",
     .type = CONF_PATH,
     .offset = REG(key),
     .flags = CONF_REQUIRED,
     .help = "Its key (PEM)."},
    {.name = "zn",
     .type = CONF_SECTIONS,
     .sub = &zn_schema,
     .offset = REG(zn),
     .help = "BSFs asked for the keys of their B-TIDs."},
    {.name = "mef",
     .type = CONF_SECTION,
     .sub = &mef_schema,
     .offset = REG(mef),
     .help = "The MEF asked for the keys of KeIDs no BSF of the list made."},
    {.name = "maf",
     .type = CONF_SECTION,
     .sub = &maf_schema,
     .offset = REG(maf),
     .help = "The MAF asked for the keys of its KcIDs."},
    {.name = "credentials",
     .type = CONF_STRINGS,
     .offset = REG(credentials),
     .help = "Credential files with a Kpsa, mode 0600: pre-provisioned enrolees."},
    {.name = "listen_certificates",
     .type = CONF_ADDRESS,
     .offset = REG(listen_certificates),
     .help = "Where enrolees with certificates connect; left out: nowhere."},
    {.name = "client_ca",
     .type = CONF_PATH,
     .offset = REG(client_ca),
     .help = "The roots (PEM) their certificates may have."},
    {.name = "crl", .type = CONF_PATH, .offset = REG(crl), .help = "Their CRL (PEM)."},
    {.name = "enrolees",
     .type = CONF_SECTIONS,
     .sub = &enrolee_schema,
     .offset = REG(enrolees),
     .help = "Who comes by certificate."},
};
static const struct conf_schema schema = {.title = "registrar, a target of enrolment",
                                          .rows = rows,
                                          .n_rows = SIZE(rows),
                                          .size = sizeof(struct registrar_conf)};

struct registrar {
    const struct registrar_conf *conf;
    struct log *log;
    struct gba_naf *naf;
    struct gba_naf_psk *psk;
    struct tls_server *tls, *certificate_tls;
    struct httpd *httpd;
    struct m2m_credential *given; /* pre-provisioned */
    size_t n_given;
};

/* A pre-provisioned Kpsa; GBA_E_NOT_FOUND. */
static enum gba_err find_given(const struct registrar *r, struct gba_text id,
                               struct gba_naf_psk_row *row)
{
    for (size_t i = 0; i < r->n_given; i++)
        if (gba_text_is(id, r->given[i].key_id)) {
            memcpy(row->key, r->given[i].key, r->given[i].key_len);
            row->key_len = r->given[i].key_len;
            row->expires_s = r->given[i].expires_s;
            return gba_text_copy(row->name, sizeof(row->name), gba_text(r->given[i].entity));
        }
    return GBA_E_NOT_FOUND;
}

/* Which of the two made that identifier: the one of its domain; the MEF also for B-TIDs, where
 * no BSF is asked (TS-0003 8.2.2.3, 8.3.2.1 step 6).  GBA_E_NOT_FOUND: neither. */
static enum gba_err ask(const struct registrar *r, struct gba_text id, struct key_fetched *got)
{
    const struct registrar_conf *c = r->conf;
    const bool is_kc = c->maf.url != NULL && c->maf.fqdn != NULL && id.n > strlen(c->maf.fqdn) &&
                       gba_text_eq_nocase((struct gba_text){id.s + id.n - strlen(c->maf.fqdn),
                                                            strlen(c->maf.fqdn)},
                                          gba_text(c->maf.fqdn)) &&
                       id.s[id.n - strlen(c->maf.fqdn) - 1] == '@';
    const struct issuer_conf *issuer = is_kc ? &c->maf : &c->mef;
    const struct key_fetch_source from = {.url = issuer->url,
                                          .ca = issuer->ca,
                                          .cert = c->cert,
                                          .key = c->key,
                                          .origin = c->cse_id,
                                          .deadline_ms = issuer->deadline_ms};
    enum gba_err err;

    if (issuer->url == NULL)
        return GBA_E_NOT_FOUND;
    err = (is_kc ? key_fetch_registered : key_fetch_credential)(&from, id,
                                                                (unsigned)issuer->suid, got);
    LOG(r->log, LOG_LV_INFO, is_kc ? "maf.fetch" : "mef.fetch", LOG_TEXT("key_id", id),
        LOG_ERR(err));
    return err;
}

/* Runs inside the handshake.  A key the MEF or MAF gives is a row; anything else goes on to Zn. */
static enum gba_err look_up(void *arg, const struct gba_naf_handshake *h,
                            struct gba_naf_psk_row *row)
{
    struct registrar *r = arg;
    struct gba_text id = {(const char *)h->identity, h->identity_len};
    struct key_fetched got;
    enum gba_err err = find_given(r, id, row);

    if (err != GBA_E_NOT_FOUND)
        return err;
    err = ask(r, id, &got);
    if (err != GBA_OK)
        return err;
    memcpy(row->key, got.key.octets, sizeof(got.key.octets));
    row->key_len = sizeof(got.key.octets);
    row->expires_s = got.expires_s;
    err = gba_text_copy(row->name, sizeof(row->name), gba_text(got.enrolee));
    gba_wipe(&got, sizeof(got));
    return err;
}

static void on_tls(void *ctx, gnutls_session_t session)
{
    struct registrar *r = ctx;

    /* One suite: else one KpsaID would have several keys, for the Ua id in NAF_Id holds the
     * suite (TS-0003 8.3.2.3, TS 33.220 Annex H). */
    if (gnutls_priority_set_direct(session, gba_naf_tls_priorities(GBA_NAF_TLS_ONEM2M_GBA),
                                   NULL) != 0 ||
        gba_naf_psk_attach(r->psk, session) != GBA_OK)
        LOG(r->log, LOG_LV_ERROR, "registrar.tls", LOG_ERR(GBA_E_CRYPTO));
}

static void on_request(void *ctx, struct httpd_request *rq)
{
    struct registrar *r = ctx;
    struct gba_naf_peer peer;
    enum gba_err err = gba_naf_psk_peer(r->psk, httpd_tls(rq), &peer);
    struct httpd_reply reply = {.status = 403, .content_type = "text/plain", .close = true};
    char line[1024];

    if (err == GBA_OK) {
        snprintf(line, sizeof(line), "accepted %s at %s\n",
                 peer.name[0] != '\0' ? peer.name : peer.identity, r->conf->cse_id);
        reply.status = 200;
        reply.body = gba_text_bytes(gba_text(line));
        LOG(r->log, LOG_LV_NOTICE, "registrar.accepted", LOG_STR("key_id", peer.identity),
            LOG_STR("enrolee", peer.name), LOG_STR("source", peer.gba ? "zn" : "row"));
    } else {
        LOG(r->log, LOG_LV_NOTICE, "registrar.refused", LOG_ERR(err));
    }
    httpd_reply(rq, &reply);
    gba_wipe(&peer, sizeof(peer));
}

/* The certificate has verified: whose is it (TS-0003 8.2.2.2)?  NULL: nobody's. */
static const char *holder(const struct registrar *r, const struct tls_peer *peer)
{
    const struct enrolee_conf *e = r->conf->enrolees.v;

    for (size_t i = 0; i < r->conf->enrolees.n; i++)
        for (size_t j = 0; j < e[i].certificates.n; j++)
            for (size_t k = 0; k < peer->n; k++)
                if (strcmp(peer->name[k], e[i].certificates.v[j]) == 0)
                    return e[i].id;
    return NULL;
}

static void on_certificate_request(void *ctx, struct httpd_request *rq)
{
    struct registrar *r = ctx;
    struct httpd_reply reply = {.status = 403, .content_type = "text/plain", .close = true};
    struct tls_peer *peer;
    enum gba_err err = httpd_tls_peer(rq, &peer);
    const char *id = err == GBA_OK ? holder(r, peer) : NULL;
    char line[1024];

    if (id != NULL) {
        snprintf(line, sizeof(line), "accepted %s at %s\n", id, r->conf->cse_id);
        reply.status = 200;
        reply.body = gba_text_bytes(gba_text(line));
        LOG(r->log, LOG_LV_NOTICE, "registrar.accepted", LOG_STR("enrolee", id),
            LOG_STR("source", "certificate"));
    } else {
        LOG(r->log, LOG_LV_NOTICE, "registrar.refused",
            LOG_ERR(err == GBA_OK ? GBA_E_FORBIDDEN : err));
    }
    httpd_reply(rq, &reply);
}

static void stop(void *state)
{
    struct registrar *r = state;

    httpd_free(r->httpd);
    tls_server_free(r->tls);
    tls_server_free(r->certificate_tls);
    gba_wipe(r->given, r->n_given * sizeof(*r->given));
    free(r->given);
    gba_naf_psk_free(r->psk);
    gba_naf_free(r->naf);
    free(r);
    curl_global_cleanup();
}

static void on_naf_event(void *arg, enum gba_err err, const char *what)
{
    struct registrar *r = arg;

    LOG(r->log, LOG_LV_WARNING, "zn", LOG_ERR(err), LOG_STR("what", what));
}

static enum gba_err open_naf(struct registrar *r)
{
    const struct registrar_conf *c = r->conf;
    const struct zn_conf *zn = c->zn.v;
    const char *fqdns[] = {c->fqdn};
    struct gba_naf_bsf bsfs[16];
    struct gba_naf_config naf = {.fqdns = fqdns,
                                 .n_fqdns = 1,
                                 .bsfs = bsfs,
                                 .cert_file = c->cert,
                                 .key_file = c->key,
                                 .event = on_naf_event,
                                 .event_arg = r};

    for (size_t i = 0; i < c->zn.n && i < SIZE(bsfs); i++)
        bsfs[naf.n_bsfs++] =
            (struct gba_naf_bsf){.domain = zn[i].domain, .url = zn[i].url, .ca_file = zn[i].ca};
    return gba_naf_new(&naf, &r->naf);
}

static enum gba_err read_credential(const char *path, struct m2m_credential *out)
{
    uint8_t text[M2M_CREDENTIAL_MAX];
    struct stat st;
    unsigned line;
    ssize_t n = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum gba_err err = GBA_E_CONFIG;

    if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 077) == 0)
        n = read(fd, text, sizeof(text));
    if (fd >= 0)
        close(fd);
    if (n > 0)
        err = m2m_credential_open((struct gba_bytes){text, (size_t)n}, NULL, out, &line);
    gba_wipe(text, sizeof(text));
    return err == GBA_OK && out->kind == M2M_CRED_KPSA ? GBA_OK : GBA_E_CONFIG;
}

static enum gba_err read_credentials(struct registrar *r)
{
    const struct conf_strings *files = &r->conf->credentials;

    r->given = calloc(files->n + 1, sizeof(*r->given));
    if (r->given == NULL)
        return GBA_E_NOMEM;
    for (; r->n_given < files->n; r->n_given++)
        if (read_credential(files->v[r->n_given], &r->given[r->n_given]) != GBA_OK) {
            LOG(r->log, LOG_LV_ERROR, "registrar.credential",
                LOG_STR("file", files->v[r->n_given]),
                LOG_STR("why", "not a credential file of a Kpsa, mode 0600"));
            return GBA_E_CONFIG;
        }
    return GBA_OK;
}

/* Suites of TS-0003 10.2.3, C023 among them. */
static enum gba_err listen_certificates(struct registrar *r)
{
    const struct registrar_conf *c = r->conf;
    const struct tls_server_config tls = {.cert_file = c->cert,
                                          .key_file = c->key,
                                          .client_ca_file = c->client_ca,
                                          .crl_file = c->crl,
                                          .client = TLS_CLIENT_REQUIRED,
                                          .priorities = TLS_PRIORITIES_DEFAULT ":+SHA256"};
    struct httpd_listener l = {.name = "certificates",
                               .address = c->listen_certificates,
                               .handler = on_certificate_request,
                               .ctx = r,
                               .connection_limit = 64};
    enum gba_err err;

    if (c->listen_certificates == NULL)
        return GBA_OK;
    if (c->client_ca == NULL)
        return GBA_E_CONFIG;
    err = tls_server_new(&tls, r->log, &r->certificate_tls);
    l.tls = r->certificate_tls;
    return err == GBA_OK ? httpd_listen(r->httpd, &l) : err;
}

static enum gba_err open_all(struct registrar *r)
{
    const struct registrar_conf *c = r->conf;
    struct tls_server_config tls = {.cert_file = c->cert, .key_file = c->key};
    struct httpd_listener listener = {.name = "registrar",
                                      .address = c->listen,
                                      .handler = on_request,
                                      .ctx = r,
                                      .tls_start = on_tls,
                                      .thread_per_connection = true,
                                      .connection_limit = 64};
    struct gba_naf_psk_config psk = {
        .lookup = look_up, .lookup_arg = r, .bare_only = true, .hint = ""};
    enum gba_err err = open_naf(r);

    if (err == GBA_OK)
        err = read_credentials(r);
    if (err != GBA_OK)
        return err;
    psk.naf = c->zn.n != 0 ? r->naf : NULL;
    err = gba_naf_psk_new(&psk, &r->psk);
    if (err == GBA_OK)
        err = tls_server_new(&tls, r->log, &r->tls);
    if (err != GBA_OK)
        return err;
    listener.tls = r->tls;
    r->httpd = httpd_new(r->log);
    err = r->httpd != NULL ? httpd_listen(r->httpd, &listener) : GBA_E_NOMEM;
    return err == GBA_OK ? listen_certificates(r) : err;
}

static int start(struct daemon *d, const void *conf, void **state)
{
    struct registrar *r = calloc(1, sizeof(*r));
    enum gba_err err;

    if (r == NULL)
        return DAEMON_EXIT_OS;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    r->conf = conf;
    r->log = daemon_log(d);
    err = open_all(r);
    if (err != GBA_OK) {
        LOG(r->log, LOG_LV_ERROR, "registrar.start", LOG_ERR(err));
        stop(r);
        return daemon_exit_code(err);
    }
    daemon_port(d, "registrar", httpd_bound(r->httpd, 0));
    if (httpd_bound(r->httpd, 1) != NULL)
        daemon_port(d, "certificates", httpd_bound(r->httpd, 1));
    *state = r;
    return 0;
}

static void drain(void *state, unsigned grace_ms)
{
    struct registrar *r = state;

    httpd_drain(r->httpd, grace_ms);
}

static void reload(void *state)
{
    struct registrar *r = state;

    tls_server_reload(r->tls);
    if (r->certificate_tls != NULL)
        tls_server_reload(r->certificate_tls);
}

int main(int argc, char **argv)
{
    static const struct daemon_program program = {
        .name = "registrar",
        .summary = "accept TLS sessions of enrolled devices (test tool)",
        .schema = &schema,
        .common = offsetof(struct registrar_conf, daemon),
        .start = start,
        .reload = reload,
        .drain = drain,
        .stop = stop,
    };

    return daemon_main(&program, argc, argv);
}
