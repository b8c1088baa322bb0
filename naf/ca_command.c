/*
 * Any CA behind a program: see ca_command.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/ca_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/host/clock.h"
#include "naf/ca_certs.h"
#include "naf/ca_file.h"
#include "naf/ca_process.h"
#include "naf/ca_worker.h"

#define OUTPUT_MAX 65536
#define DAY_S      86400
#define ENV_SIZE   (M2M_ID_SIZE + 32)

struct ca_command {
    struct mef_ca port;
    struct log *log;
    char **argv;
    struct ca_certs certs;
    unsigned limit_ms;
    struct ca_worker *worker;
};

static enum gba_err complain(struct log *log, const char *file, const char *why,
                             enum gba_err err)
{
    LOG(log, LOG_LV_ERROR, "ca.command", LOG_STR("file", file), LOG_STR("why", why),
        LOG_ERR(err));
    return err;
}

/* ------------------------------------------------------------ one certificate */

/* What the program is told.  The values have no NUL and no line end: identifiers and names have
 * been parsed. */
struct environment {
    char text[6][ENV_SIZE];
    char *env[7];
};

static void fill_environment(const struct mef_ca_request *rq, struct environment *e)
{
    static const char *const profiles[] = {[MEF_CERT_CSE] = "cse",
                                           [MEF_CERT_AE] = "ae",
                                           [MEF_CERT_FQDN] = "fqdn",
                                           [MEF_CERT_NODE] = "node"};
    size_t n = 0;

    snprintf(e->text[n++], ENV_SIZE,
             "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    snprintf(e->text[n++], ENV_SIZE, "LC_ALL=C");
    snprintf(e->text[n++], ENV_SIZE, "EST_PROFILE=%s", profiles[rq->profile]);
    snprintf(e->text[n++], ENV_SIZE, "EST_NAME=%s:%s",
             rq->name.type == MEF_NAME_DNS ? "DNS" : "URI", rq->name.text);
    snprintf(e->text[n++], ENV_SIZE, "EST_ID=%s", rq->id);
    snprintf(e->text[n++], ENV_SIZE, "EST_DAYS=%lld",
             (long long)((rq->life_s + DAY_S - 1) / DAY_S));
    for (size_t i = 0; i < n; i++)
        e->env[i] = e->text[i];
    e->env[n] = NULL;
}

static bool print_csr(struct gba_bytes der, struct gba_wbuf *w)
{
    gba_wbuf_str(w, "-----BEGIN CERTIFICATE REQUEST-----\n");
    for (size_t at = 0; at < der.n; at += 48) {
        gba_wbuf_base64(w, (struct gba_bytes){der.p + at, der.n - at < 48 ? der.n - at : 48});
        gba_wbuf_u8(w, '\n');
    }
    gba_wbuf_str(w, "-----END CERTIFICATE REQUEST-----\n");
    return gba_wbuf_ok(w);
}

static bool give_up(void *arg)
{
    struct ca_command *c = arg;

    return c->worker != NULL && ca_worker_is_stopping(c->worker);
}

static enum gba_err run(struct ca_command *c, const struct mef_ca_request *rq,
                        struct ca_process *p)
{
    char csr[MEF_CA_CSR_MAX * 2];
    struct environment e;
    struct gba_wbuf w;
    enum gba_err err;

    gba_wbuf_init(&w, csr, sizeof(csr));
    if (!print_csr(rq->csr, &w))
        return GBA_E_TOO_LONG;
    fill_environment(rq, &e);
    p->argv = c->argv;
    p->env = e.env;
    p->in = gba_wbuf_bytes(&w);
    p->limit_ms = c->limit_ms;
    p->give_up = give_up;
    p->arg = c;
    err = ca_process_run(p);
    if (err == GBA_E_IO)
        return complain(c->log, c->argv[0], strerror(errno), err);
    if (err == GBA_OK && p->status != 0)
        err = p->status == EX_TEMPFAIL ? GBA_E_OVERLOAD
              : p->status == EX_NOPERM ? GBA_E_REFUSED
                                       : GBA_E_CA;
    if (err != GBA_OK)
        LOG(c->log, LOG_LV_ERROR, "ca.command", LOG_STR("file", c->argv[0]),
            LOG_STR("id", rq->id), LOG_ERR(err), LOG_INT("status", p->status),
            LOG_STR("said", p->said));
    return err;
}

static enum gba_err take(struct ca_command *c, const struct mef_ca_request *rq,
                         struct gba_bytes pem, uint8_t *out, size_t *n)
{
    const gnutls_datum_t d = {(unsigned char *)pem.p, (unsigned)pem.n};
    gnutls_datum_t der = {NULL, 0};
    const char *why = "its output does not begin with a certificate";
    gnutls_x509_crt_t crt;

    if (gnutls_x509_crt_init(&crt) < 0)
        return GBA_E_NOMEM;
    if (gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_PEM) >= 0 &&
        gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der) >= 0)
        why = ca_certs_reject(&c->certs, (struct gba_bytes){der.data, der.size}, rq,
                              clock_unix_s());
    if (why == NULL) {
        memcpy(out, der.data, der.size);
        *n = der.size;
    }
    gnutls_free(der.data);
    gnutls_x509_crt_deinit(crt);
    return why == NULL ? GBA_OK : complain(c->log, c->argv[0], why, GBA_E_CA);
}

static enum gba_err make(void *ctx, const struct mef_ca_request *rq,
                         uint8_t out[static MEF_CA_CERT_MAX], size_t *n)
{
    struct ca_process p = {.out = malloc(OUTPUT_MAX), .cap = OUTPUT_MAX};
    enum gba_err err = p.out != NULL ? run(ctx, rq, &p) : GBA_E_NOMEM;

    if (err == GBA_E_TOO_LONG)
        err = GBA_E_CA;
    if (err == GBA_OK)
        err = take(ctx, rq, (struct gba_bytes){p.out, p.n}, out, n);
    free(p.out);
    return err;
}

/* ------------------------------------------------------------ the port */

static const struct ca_command *of(const struct mef_ca *port)
{
    return (const struct ca_command *)port;
}

static struct gba_bytes command_certs(const struct mef_ca *self, size_t i)
{
    return ca_certs_der(&of(self)->certs, i);
}

static bool command_issued(const struct mef_ca *self, struct gba_bytes cert)
{
    return ca_certs_issued(&of(self)->certs, cert);
}

static enum gba_err command_issue(struct mef_ca *self, const struct mef_ca_request *rq,
                                  mef_ca_done *done, void *arg)
{
    return ca_worker_ask(((struct ca_command *)self)->worker, rq, done, arg);
}

static void command_close(struct mef_ca *self)
{
    struct ca_command *c = (struct ca_command *)self;

    ca_worker_stop(c->worker);
    ca_certs_free(&c->certs);
    for (size_t i = 0; c->argv != NULL && c->argv[i] != NULL; i++)
        free(c->argv[i]);
    free(c->argv);
    free(c);
}

static enum gba_err load_certs(struct ca_command *c, const char *file)
{
    const char *why = "";
    uint8_t *pem;
    size_t n;
    enum gba_err err = ca_file_read(file, false, &pem, &n);

    if (err != GBA_OK)
        return complain(c->log, file, err == GBA_E_IO ? strerror(errno) : gba_err_text(err),
                        err == GBA_E_NOMEM ? err : GBA_E_CONFIG);
    err = ca_certs_read((const char *)pem, n, &c->certs, &why);
    free(pem);
    return err == GBA_OK ? GBA_OK : complain(c->log, file, why, err);
}

static enum gba_err copy_argv(struct ca_command *c, const struct ca_command_config *conf)
{
    if (conf->n_argv == 0 || strchr(conf->argv[0], '/') == NULL)
        return complain(c->log, conf->n_argv != 0 ? conf->argv[0] : "",
                        "not the path of a program", GBA_E_CONFIG);
    if (access(conf->argv[0], X_OK) != 0)
        return complain(c->log, conf->argv[0], strerror(errno), GBA_E_CONFIG);
    c->argv = calloc(conf->n_argv + 1, sizeof(char *));
    for (size_t i = 0; c->argv != NULL && i < conf->n_argv; i++)
        if ((c->argv[i] = strdup(conf->argv[i])) == NULL)
            return GBA_E_NOMEM;
    return c->argv != NULL ? GBA_OK : GBA_E_NOMEM;
}

enum gba_err ca_command_open(const struct ca_command_config *conf, struct mef_ca **out)
{
    struct ca_command *c = calloc(1, sizeof(*c));
    enum gba_err err;

    *out = NULL;
    if (c == NULL)
        return GBA_E_NOMEM;
    c->port =
        (struct mef_ca){"command", command_certs, command_issue, command_issued, command_close};
    c->log = conf->log;
    c->limit_ms = conf->limit_ms;
    err = copy_argv(c, conf);
    if (err == GBA_OK)
        err = load_certs(c, conf->certs_file);
    if (err == GBA_OK)
        err = ca_worker_start(make, NULL, 0, c, conf->queue, &c->worker);
    if (err != GBA_OK) {
        command_close(&c->port);
        return err;
    }
    *out = &c->port;
    return GBA_OK;
}
