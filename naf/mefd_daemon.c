/*
 * The daemon that is an MEF or a MAF.  Reads the configuration, wires store, Zn and listeners,
 * and runs; it decides nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefd_daemon.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/host/clock.h"
#include "common/host/random.h"
#include "common/host/tls.h"
#include "common/host/tls_files.h"
#include "naf/mafd_remote.h"
#include "naf/mef_http.h"
#include "naf/mef_peer.h"
#include "naf/mef_sweeper.h"
#include "naf/mefd_admin.h"
#include "naf/mefd_coap.h"
#include "naf/mefd_conf.h"
#include "naf/mefd_database.h"
#include "naf/mefd_est.h"
#include "naf/mefd_rows.h"

#define MAF_GBA_SUITE 0x00ae /* TS-0003 10.2.2; in its Ua id 01 00 01 00 AE */
/* With the mandatory suite of TS-0003 10.2.3, ECDHE-ECDSA-AES128-CBC-SHA256 (C023). */
#define CERTIFICATE_PRIORITIES TLS_PRIORITIES_DEFAULT ":+SHA256"

struct mefd {
    enum mef_role role;
    struct mef_front front;
    struct mef_policy policy;
    struct mefd_database database;
    struct mef_peer_lookup lookup;
    struct mafd_remote *remote;
    struct mef_sweeper *sweeper;
    struct mefd_est est;
    struct mefd_admin admin;
    struct tls_server *tls, *psk_tls;
    struct httpd *http;
    struct mefd_coap *coap;
    struct limiter *handshakes;
    struct metric *handshakes_limited;
    const struct conf *source; /* of the configuration */
    struct log *log;
};

static void begin(struct mefd *m, const struct mefd_conf *c, const struct conf *source,
                  struct log *log)
{
    m->source = source;
    m->log = m->front.log = log;
    m->database = (struct mefd_database){c, source, log, &m->front.mef, -1};
}

/* ------------------------------------------------------------ policy */

static enum gba_err make_policy(struct mefd *m, const struct mefd_conf *c)
{
    const struct mef_limits limits = {
        .enrolment_s = c->enrolment_ms / 1000,
        .registration_s = c->registration_ms / 1000,
        .registrations_max = (size_t)c->registrations_max,
        .keys_max = (size_t)c->keys_max,
        .suid_as_octet = c->suid_as_octet,
        .commands_max = (size_t)c->commands_max,
        .command_retry_s = c->command_retry_ms / 1000,
    };
    char fqdn[GBA_FQDN_SIZE];
    enum gba_err err = mef_policy_init(&m->policy, c->fqdn, c->sp, &limits);

    m->policy.role = m->role;
    m->front.mef.policy = &m->policy;
    m->policy.enrolee_policy = (enum mef_enrolee_policy)c->enrolee_policy;
    m->policy.gsid = (uint32_t)c->gsid;
    if (err == GBA_OK && c->device_config_uri != NULL &&
        mef_policy_device_config(&m->policy, c->device_config_uri) != GBA_OK) {
        conf_complain(m->source, stderr, &c->device_config_uri,
                      "not devMgmtID:URI, 1 to 4 and a URI whose host is %s", m->policy.fqdn);
        return GBA_E_CONFIG;
    }
    if (err == GBA_OK)
        return GBA_OK;
    conf_complain(m->source, stderr,
                  gba_fqdn_canonical(gba_text(c->fqdn), fqdn) != GBA_OK ? &c->fqdn : &c->sp,
                  "no FQDN");
    return GBA_E_CONFIG;
}

/* ------------------------------------------------------------ parts */

static void on_naf_event(void *arg, enum gba_err err, const char *what)
{
    /* an unknown B-TID is the stranger's affair, everything else the operator's */
    LOG(arg, err == GBA_E_BTID ? LOG_LV_INFO : LOG_LV_WARNING, "mef.zn", LOG_ERR(err),
        LOG_STR("what", what));
}

static enum gba_err open_naf(struct mefd *m, const struct mefd_conf *c)
{
    const struct mefd_bsf_conf *b = c->zn.bsfs.v;
    struct gba_naf_bsf *bsfs = calloc(c->zn.bsfs.n + 1, sizeof(*bsfs));
    const char *const fqdn = c->fqdn;
    char number[GBA_ZN_GSID_SIZE];
    const char *const gsid = number;
    struct gba_naf_config n = {
        .fqdns = &fqdn,
        .n_fqdns = 1,
        .bsfs = bsfs,
        .n_bsfs = c->zn.bsfs.n,
        .cert_file = c->zn.certificate,
        .key_file = c->zn.key,
        .zn_namespace = c->zn.ns,
        .zn_insecure = c->zn.insecure,
        .zn_deadline_ms = (unsigned)c->zn.deadline_ms,
        .zn_max_outstanding = (unsigned)c->zn.outstanding,
        .gsids = &gsid,
        .n_gsids = c->enrolee_policy != MEF_BY_CONFIG,
        .event = on_naf_event,
        .event_arg = m->log,
    };
    enum gba_err err = mefd_check_zn(&c->zn, m->source);

    if (err != GBA_OK || bsfs == NULL) {
        free(bsfs);
        return err != GBA_OK ? err : GBA_E_NOMEM;
    }
    for (size_t i = 0; i < c->zn.bsfs.n; i++)
        bsfs[i] = (struct gba_naf_bsf){b[i].domain, b[i].url, b[i].ca};
    snprintf(number, sizeof(number), "%lu", (unsigned long)c->gsid);
    err = gba_naf_new(&n, &m->front.naf);
    free(bsfs);
    if (err != GBA_OK)
        LOG(m->log, LOG_LV_ERROR, "mef.config", LOG_STR("option", "zn"), LOG_ERR(err));
    if (err == GBA_OK && c->zn.insecure)
        LOG(m->log, LOG_LV_WARNING, "mef.insecure", LOG_STR("what", "zn.insecure is set"));
    return err;
}

static enum gba_err make_tls(struct mefd *m, const struct mefd_conf *c)
{
    const struct tls_server_config t = {.cert_file = c->tls.certificate,
                                        .key_file = c->tls.key,
                                        .client_ca_file = c->tls.client_ca,
                                        .crl_file = c->tls.crl,
                                        .more_ca_file = m->est.ca_file,
                                        .more_crl_file = m->est.crl_file,
                                        .client = TLS_CLIENT_REQUIRED,
                                        .priorities = CERTIFICATE_PRIORITIES};

    return tls_server_new(&t, m->log, &m->tls);
}

/* A new CRL of the CA behind EST; on a thread of the CA. */
static void crl_changed(void *arg)
{
    struct mefd *m = arg;

    if (m->tls != NULL)
        tls_server_reload(m->tls);
    mef_coap_reload(mefd_coap_front(m->coap));
}

static enum gba_err open_est(struct mefd *m, const struct mefd_conf *c)
{
    enum gba_err err = mefd_est_open(&m->est, c, m->source, m->log, crl_changed, m);

    m->est.front.est.mef = &m->front.mef;
    if (m->est.front.est.ca != NULL)
        m->front.est = &m->est.front;
    return err;
}

/* TS-0003 10.1.1: a certificate of an MEF or MAF has its FQDN; clients look at nothing else. */
static void check_name(const struct mefd *m, const char *certificate)
{
    if (certificate != NULL && !tls_files_has_name(certificate, m->policy.fqdn))
        LOG(m->log, LOG_LV_WARNING, "mef.certificate", LOG_STR("file", certificate),
            LOG_STR("no_dns_name", m->policy.fqdn), LOG_STR("why", "devices will refuse it"));
}

static void check_names(const struct mefd *m, const struct mefd_conf *c)
{
    check_name(m, c->tls.certificate);
    if (c->coap.certificates)
        check_name(m, c->coap.certificate);
}

static bool check_files(const struct mefd_conf *c, const struct conf *source)
{
    const struct mefd_bsf_conf *b = c->zn.bsfs.v;
    const struct tls_files own = {&c->tls.certificate, &c->tls.key, &c->tls.client_ca,
                                  &c->tls.crl},
                           zn = {&c->zn.certificate, &c->zn.key, NULL, NULL},
                           coap = {&c->coap.certificate, &c->coap.key, NULL, NULL};
    const struct mefd_mef_conf *mefs = c->mefs.v;
    bool good = tls_files_check(&own, source);

    good = tls_files_check(&zn, source) && good;
    good = tls_files_check(&coap, source) && good;
    for (size_t i = 0; i < c->zn.bsfs.n; i++) {
        const struct tls_files bsf = {NULL, NULL, &b[i].ca, NULL};

        good = tls_files_check(&bsf, source) && good;
    }
    for (size_t i = 0; i < c->mefs.n; i++) {
        const struct tls_files mef = {NULL, NULL, &mefs[i].ca, NULL};

        good = tls_files_check(&mef, source) && good;
    }
    return good;
}

/* --check-config: the rows, and every file that start() would read but the database's. */
static int check(enum mef_role role, const void *conf, const struct conf *source,
                 struct log *log)
{
    struct mefd m = {.role = role};
    enum gba_err err;

    begin(&m, conf, source, log);
    err = make_policy(&m, conf);
    if (err == GBA_OK)
        err = mefd_database_try(&m.database);
    if (err == GBA_OK && !check_files(conf, source))
        err = GBA_E_CONFIG;
    if (err == GBA_OK)
        err = open_naf(&m, conf);
    if (err == GBA_OK)
        err = make_tls(&m, conf);
    if (err == GBA_OK)
        err = mefd_est_check(conf, source, log);
    if (err == GBA_OK)
        err = mefd_coap_check(conf, log);
    if (err == GBA_OK)
        check_names(&m, conf);
    gba_naf_free(m.front.naf);
    tls_server_free(m.tls);
    mefd_database_close(&m.database);
    return err == GBA_OK ? 0 : DAEMON_EXIT_CONFIG;
}

static enum gba_err open_limits(struct mefd *m, const struct mefd_conf *c)
{
    struct limiter_config l = {.address = {(unsigned)c->limits.handshakes.burst,
                                           (unsigned)c->limits.handshakes.per_minute},
                               .buckets = (size_t)c->limits.buckets};
    enum gba_err err = random_octets(l.hash_key, sizeof(l.hash_key));

    if (err == GBA_OK)
        m->handshakes = limiter_new(&l);
    return err == GBA_OK && m->handshakes == NULL ? GBA_E_NOMEM : err;
}

static enum gba_err listen_targets(struct mefd *m, const struct mefd_conf *c)
{
    struct httpd_listener l = {.name = "mef",
                               .handler = mef_http_certificate,
                               .refusal = mef_http_refusal,
                               .ctx = &m->front,
                               .thread_per_connection = true,
                               .connection_limit = (unsigned)c->connections,
                               .limiter = m->handshakes,
                               .limited = m->handshakes_limited,
                               .body_limit = M2M_CONTENT_MAX};
    enum gba_err err = make_tls(m, c);

    l.tls = m->tls;
    for (size_t i = 0; err == GBA_OK && i < c->listen.n; i++) {
        l.address = c->listen.v[i];
        err = httpd_listen(m->http, &l);
    }
    return err;
}

static enum gba_err open_lookup(struct mefd *m, const struct mefd_conf *c)
{
    const struct mafd_remote_config r = {.mef = &m->front.mef, .conf = c, .log = m->log};

    m->lookup = (struct mef_peer_lookup){.mef = &m->front.mef, .plain_psk = c->psk.plain_psk};
    if (m->role != MEF_ROLE_MAF)
        return GBA_OK;
    m->lookup.gba_suite = MAF_GBA_SUITE;
    m->lookup.remote = mafd_remote_km;
    return mafd_remote_new(&r, &m->remote);
}

static enum gba_err listen_enrolees(struct mefd *m, const struct mefd_conf *c)
{
    const struct gba_naf_psk_config p = {
        .naf = m->front.naf,
        .lookup = mef_peer_look_up,
        .lookup_arg = &m->lookup,
        .unknown_psk_identity = c->psk.unknown_identity_alert,
        .asks_burst =
            c->limits.btids.burst != 0 ? (unsigned)c->limits.btids.burst : GBA_NAF_NO_LIMIT,
        .asks_per_minute = (unsigned)c->limits.btids.per_minute,
        .refused = mef_http_psk_refused,
        .refused_arg = &m->front};
    const struct tls_server_config t = {
        .cert_file = c->tls.certificate, /* libmicrohttpd wants one; no suite here uses it */
        .key_file = c->tls.key,
        .client = TLS_CLIENT_NONE,
        .priorities = gba_naf_tls_priorities(c->psk.profile == MEFD_TLS_ONEM2M
                                                 ? GBA_NAF_TLS_ONEM2M
                                                 : GBA_NAF_TLS_ONEM2M_EXTENDED)};
    struct httpd_listener l = {.name = "psk",
                               .handler = mef_http_psk,
                               .refusal = mef_http_refusal,
                               .ctx = &m->front,
                               .tls_start = mef_http_tls_start,
                               .thread_per_connection = true,
                               .connection_limit = (unsigned)c->psk.connections,
                               .per_ip_limit = (unsigned)c->psk.per_address,
                               .limiter = m->handshakes,
                               .limited = m->handshakes_limited,
                               .body_limit = M2M_CONTENT_MAX};
    enum gba_err err;

    if (c->psk.listen.n == 0)
        return GBA_OK;
    err = open_lookup(m, c);
    m->lookup.remote_arg = m->remote;
    if (err == GBA_OK)
        err = gba_naf_psk_new(&p, &m->front.psk);
    if (err == GBA_OK)
        err = tls_server_new(&t, m->log, &m->psk_tls);
    l.tls = m->psk_tls;
    for (size_t i = 0; err == GBA_OK && i < c->psk.listen.n; i++) {
        l.address = c->psk.listen.v[i];
        err = httpd_listen(m->http, &l);
    }
    return err;
}

static void announce(struct daemon *d, const struct mefd *m, const struct mefd_conf *c)
{
    const struct mefd_target_conf *t = c->targets.v;
    const char *of_targets = m->role == MEF_ROLE_MAF ? "maf" : "mef";
    char hex[2 * GBA_UA_ID_LEN + 1];

    for (size_t i = 0; httpd_bound(m->http, i) != NULL; i++)
        daemon_port(d,
                    i < c->listen.n                     ? of_targets
                    : i < c->listen.n + c->psk.listen.n ? "psk"
                                                        : "admin",
                    httpd_bound(m->http, i));
    for (size_t i = 0; i < c->coap.listen.n; i++)
        daemon_port(d, "coap", mef_coap_bound(mefd_coap_front(m->coap), i));
    for (size_t i = 0; i < c->targets.n; i++) {
        /* no Ua id is assigned to oneM2M: the log says which one is used */
        gba_hex(hex, (struct gba_bytes){t[i].ua_id.p, t[i].ua_id.n});
        LOG(m->log, LOG_LV_NOTICE, "mef.target", LOG_STR("id", t[i].id), LOG_STR("ua", hex));
    }
}

/* ------------------------------------------------------------ life */

static void stop(void *state)
{
    struct mefd *m = state;

    mefd_admin_stop(&m->admin);
    if (m->http != NULL)
        httpd_free(m->http);
    mefd_est_close(&m->est); /* after the last request, before the TLS it may reload */
    mefd_coap_free(m->coap);
    mef_sweeper_stop(m->sweeper); /* after what the audit log tells of */
    gba_naf_psk_free(m->front.psk);
    mafd_remote_free(m->remote);
    gba_naf_free(m->front.naf);
    tls_server_free(m->tls);
    tls_server_free(m->psk_tls);
    mefd_database_close(&m->database);
    limiter_free(m->handshakes);
    free(m);
}

static void drain(void *state, unsigned grace_ms)
{
    struct mefd *m = state;

    mef_coap_drain(mefd_coap_front(m->coap));
    httpd_drain(m->http, grace_ms);
}

static void reload(void *state)
{
    struct mefd *m = state;

    tls_server_reload(m->tls);
    if (m->psk_tls != NULL)
        tls_server_reload(m->psk_tls);
    mef_coap_reload(mefd_coap_front(m->coap));
}

static bool health(void *state, json_t *members)
{
    struct mefd *m = state;
    enum gba_err err = m->front.mef.store->check(m->front.mef.store);
    bool ok = err == GBA_OK;

    json_object_set_new(members, "database", json_string(ok ? "ok" : gba_err_text(err)));
    json_object_set_new(members, "connections",
                        json_integer((json_int_t)httpd_connections(m->http)));
    json_object_set_new(members, "coap_sessions",
                        json_integer((json_int_t)mef_coap_sessions(mefd_coap_front(m->coap))));
    return ok;
}

static void count(struct mefd *m, struct metrics *x)
{
    const bool maf = m->role == MEF_ROLE_MAF;
    const char *requests = maf ? "mafd_requests_total" : "mefd_requests_total";
    const char *limited = maf ? "mafd_limited_total" : "mefd_limited_total";

    m->front.requests_ok =
        metrics_counter(x, requests, "result=\"ok\"", "Requests on Mmef or Mmaf by result");
    m->front.requests_refused = metrics_counter(x, requests, "result=\"refused\"",
                                                "Requests on Mmef or Mmaf by result");
    m->handshakes_limited = metrics_counter(x, limited, "what=\"handshake\"",
                                            "Refused for the rate of one address");
    m->front.lookups_limited =
        metrics_counter(x, limited, "what=\"btid\"", "Refused for the rate of one address");
    if (maf)
        return;
    m->front.fetches_ok = metrics_counter(x, "mefd_fetches_total", "result=\"ok\"",
                                          "Requests for credentials by result");
    m->front.fetches_refused = metrics_counter(x, "mefd_fetches_total", "result=\"refused\"",
                                               "Requests for credentials by result");
    m->est.front.answered =
        metrics_counter(x, "mefd_est_total", "result=\"ok\"", "Requests of EST by result");
    m->est.front.refused =
        metrics_counter(x, "mefd_est_total", "result=\"refused\"", "Requests of EST by result");
    m->est.front.issued =
        metrics_counter(x, "mefd_certificates_total", NULL, "Certificates issued by EST");
}

static enum gba_err start_parts(struct mefd *m, const struct mefd_conf *c, struct metrics *x)
{
    struct mefd_coap_limit limit;
    enum gba_err err = make_policy(m, c);

    if (err == GBA_OK)
        err = mefd_database_open(&m->database);
    if (err == GBA_OK)
        err = open_naf(m, c);
    if (err == GBA_OK)
        err = open_limits(m, c);
    if (err == GBA_OK)
        err = open_est(m, c);
    if (err == GBA_OK)
        err = mef_sweeper_start(m->front.mef.store, m->front.mef.audit, m->log, &m->sweeper);
    if (err != GBA_OK)
        return err;
    m->http = httpd_new(m->log);
    if (m->http == NULL)
        return GBA_E_NOMEM;
    err = listen_targets(m, c);
    if (err == GBA_OK)
        err = listen_enrolees(m, c);
    limit = (struct mefd_coap_limit){m->handshakes, m->handshakes_limited};
    if (err == GBA_OK)
        err = mefd_coap_start(c, &m->est, &m->front.mef, &limit, m->log, x, &m->coap);
    if (err == GBA_OK)
        err = mefd_admin_start(&m->admin, c, &m->front.mef, m->http, m->tls, m->log);
    return err;
}

static int start(enum mef_role role, struct daemon *d, const void *conf, void **state)
{
    const struct mefd_conf *c = conf;
    struct mefd *m = calloc(1, sizeof(*m));
    enum gba_err err;

    if (m == NULL)
        return DAEMON_EXIT_INTERNAL;
    m->role = role;
    begin(m, c, daemon_source(d), daemon_log(d));
    count(m, daemon_metrics(d));
    err = start_parts(m, c, daemon_metrics(d));
    if (err != GBA_OK) {
        stop(m);
        return daemon_exit_code(err);
    }
    check_names(m, c);
    announce(d, m, c);
    *state = m;
    return 0;
}

static int print_names(void)
{
    static uint8_t text[M2M_NAMES_JSON_SIZE];
    struct gba_wbuf w;

    gba_wbuf_init(&w, text, sizeof(text));
    if (m2m_names_print(&w) != GBA_OK)
        return DAEMON_EXIT_INTERNAL;
    printf("%.*s\n", (int)w.n, (const char *)text);
    return fflush(stdout) == 0 ? 0 : DAEMON_EXIT_OS;
}

static const struct daemon_option options[] = {
    {.name = "print-names",
     .help = "print the names of the interface (Mmef, Mmaf) as JSON",
     .run = print_names},
};

static int check_mef(const void *conf, const struct conf *source, struct log *log)
{
    return check(MEF_ROLE_MEF, conf, source, log);
}

static int start_mef(struct daemon *d, const void *conf, void **state)
{
    return start(MEF_ROLE_MEF, d, conf, state);
}

static int check_maf(const void *conf, const struct conf *source, struct log *log)
{
    return check(MEF_ROLE_MAF, conf, source, log);
}

static int start_maf(struct daemon *d, const void *conf, void **state)
{
    return start(MEF_ROLE_MAF, d, conf, state);
}

#define SHARED                                                                                 \
    .common = offsetof(struct mefd_conf, daemon), .options = options, .n_options = 1,          \
    .reload = reload, .health = health, .drain = drain, .stop = stop

const struct daemon_program mefd_program = {
    .name = "mefd",
    .summary = "oneM2M M2M Enrolment Function over 3GPP GBA",
    .schema = &mefd_schema,
    .check = check_mef,
    .start = start_mef,
    SHARED,
};

const struct daemon_program mafd_program = {
    .name = "mafd",
    .summary = "oneM2M M2M Authentication Function",
    .schema = &mafd_schema,
    .check = check_maf,
    .start = start_maf,
    SHARED,
};
