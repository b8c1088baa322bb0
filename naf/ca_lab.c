/*
 * The embedded CA for laboratories, its life and its port: see ca_lab.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "naf/ca_lab_internal.h"

#define CRL_PERIOD_S 600

static const struct ca_lab *of(const struct mef_ca *port)
{
    return (const struct ca_lab *)port;
}

char *ca_lab_path(const struct ca_lab *l, const char *name)
{
    char *path;

    return asprintf(&path, "%s/%s", l->folder, name) < 0 ? NULL : path;
}

enum gba_err ca_lab_complain(const struct ca_lab *l, const char *file, const char *why,
                             enum gba_err err)
{
    LOG(l->log, LOG_LV_ERROR, "ca.lab", LOG_STR("folder", l->folder), LOG_STR("file", file),
        LOG_STR("why", why), LOG_ERR(err));
    return err;
}

/* ------------------------------------------------------------ the port */

static struct gba_bytes lab_certs(const struct mef_ca *self, size_t i)
{
    return ca_certs_der(&of(self)->certs, i);
}

static bool lab_issued(const struct mef_ca *self, struct gba_bytes cert)
{
    return ca_certs_issued(&of(self)->certs, cert);
}

static enum gba_err lab_issue(struct mef_ca *self, const struct mef_ca_request *rq,
                              mef_ca_done *done, void *arg)
{
    return ca_worker_ask(((struct ca_lab *)self)->worker, rq, done, arg);
}

static void lab_close(struct mef_ca *self)
{
    struct ca_lab *l = (struct ca_lab *)self;

    ca_worker_stop(l->worker);
    if (l->record >= 0)
        close(l->record);
    ca_certs_free(&l->certs);
    if (l->key != NULL)
        gnutls_x509_privkey_deinit(l->key); /* GnuTLS wipes it */
    pthread_mutex_destroy(&l->lock);
    free(l->folder);
    free(l->mef);
    free(l);
}

/* ------------------------------------------------------------ life */

static void lab_idle(void *ctx)
{
    ca_lab_crl_refresh(ctx);
}

/* Its lock keeps a second daemon out of the folder. */
static enum gba_err open_record(struct ca_lab *l)
{
    char *path = ca_lab_path(l, CA_LAB_RECORD);

    if (path == NULL)
        return GBA_E_NOMEM;
    l->record = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    free(path);
    if (l->record < 0)
        return ca_lab_complain(l, CA_LAB_RECORD, strerror(errno), GBA_E_IO);
    if (flock(l->record, LOCK_EX | LOCK_NB) != 0)
        return ca_lab_complain(l, CA_LAB_RECORD, "another process has this CA open",
                               GBA_E_CONFIG);
    return GBA_OK;
}

static struct ca_lab *make_lab(const struct ca_lab_config *c)
{
    struct ca_lab *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return NULL;
    l->port = (struct mef_ca){"lab", lab_certs, lab_issue, lab_issued, lab_close};
    l->log = c->log;
    l->record = -1;
    l->crl_life_s = c->crl_life_s;
    l->crl_changed = c->crl_changed;
    l->arg = c->arg;
    l->folder = strdup(c->folder);
    l->mef = strdup(c->name);
    pthread_mutex_init(&l->lock, NULL);
    if (l->folder == NULL || l->mef == NULL) {
        lab_close(&l->port);
        return NULL;
    }
    return l;
}

enum gba_err ca_lab_open(const struct ca_lab_config *c, struct mef_ca **out)
{
    struct ca_lab *l = make_lab(c);
    enum gba_err err = GBA_OK;

    *out = NULL;
    if (l == NULL)
        return GBA_E_NOMEM;
    if (mkdir(c->folder, 0700) != 0 && errno != EEXIST)
        err = ca_lab_complain(l, "", strerror(errno), GBA_E_IO);
    if (err == GBA_OK)
        err = open_record(l);
    if (err == GBA_OK)
        err = ca_lab_root_open(l, c);
    if (err == GBA_OK)
        err = ca_lab_crl_refresh(l);
    if (err == GBA_OK)
        err = ca_worker_start(ca_lab_make, lab_idle, CRL_PERIOD_S, l, c->queue, &l->worker);
    if (err != GBA_OK) {
        lab_close(&l->port);
        return err;
    }
    *out = &l->port;
    return GBA_OK;
}
