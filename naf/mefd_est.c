/*
 * mefd's EST: see mefd_est.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefd_est.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "naf/ca_command.h"
#include "naf/ca_file.h"
#include "naf/ca_lab.h"

static enum gba_err complain(const struct conf *source, const void *option, const char *why)
{
    conf_complain(source, stderr, option, "%s", why);
    return GBA_E_CONFIG;
}

/* The certificates of the file that an option names; none named: none. */
static enum gba_err read_certs(char *const *file, const struct conf *source,
                               struct ca_certs *out)
{
    const char *why = "cannot be read";
    enum gba_err err;
    uint8_t *pem;
    size_t n;

    if (*file == NULL)
        return GBA_OK;
    if (ca_file_read(*file, false, &pem, &n) != GBA_OK)
        return complain(source, file, why);
    err = ca_certs_read((const char *)pem, n, out, &why);
    free(pem);
    return err == GBA_OK ? GBA_OK : complain(source, file, why);
}

static enum gba_err read_anchors(struct mefd_est *e, const struct mefd_conf *c,
                                 const struct conf *source)
{
    enum gba_err err = read_certs(&c->est.anchors, source, &e->anchors);

    if (err != GBA_OK)
        return err;
    for (size_t i = 0; i < e->anchors.n; i++)
        e->front.est.anchors[i] = ca_certs_der(&e->anchors, i);
    e->front.est.n_anchors = e->anchors.n;
    return GBA_OK;
}

static enum gba_err open_lab(struct mefd_est *e, const struct mefd_conf *c, struct log *log,
                             void (*changed)(void *arg), void *arg)
{
    const char *const sp = c->sp;
    const struct ca_lab_config lab = {
        .folder = c->est.folder,
        .name = c->fqdn,
        .domains = c->est.domains.n != 0 ? (const char *const *)c->est.domains.v : &sp,
        .n_domains = c->est.domains.n != 0 ? c->est.domains.n : 1,
        .constrain_uris = c->est.constrain_uris,
        .root_life_s = c->est.root_life_ms / 1000,
        .crl_life_s = c->est.crl_life_ms / 1000,
        .queue = (size_t)c->est.queue,
        .log = log,
        .crl_changed = changed,
        .arg = arg,
    };
    enum gba_err err = ca_lab_open(&lab, &e->front.est.ca);

    if (err == GBA_OK && (asprintf(&e->ca_file, "%s/%s", c->est.folder, CA_LAB_ROOT) < 0 ||
                          asprintf(&e->crl_file, "%s/%s", c->est.folder, CA_LAB_CRL) < 0))
        err = GBA_E_NOMEM;
    return err;
}

static enum gba_err open_command(struct mefd_est *e, const struct mefd_conf *c, struct log *log)
{
    const struct ca_command_config command = {
        .argv = (const char *const *)c->est.command.v,
        .n_argv = c->est.command.n,
        .certs_file = c->est.certificates,
        .limit_ms = (unsigned)c->est.command_limit_ms,
        .queue = (size_t)c->est.queue,
        .log = log,
    };
    enum gba_err err = ca_command_open(&command, &e->front.est.ca);

    if (err == GBA_OK && (e->ca_file = strdup(c->est.certificates)) == NULL)
        err = GBA_E_NOMEM;
    return err;
}

/* What rows cannot say of each other. */
static enum gba_err check_domains(const struct mefd_conf *c, const struct conf *source)
{
    const struct mefd_est_conf *e = &c->est;
    char fqdn[GBA_FQDN_SIZE];

    if (e->ca == MEFD_CA_LAB && e->domains.n == 0 && c->sp == NULL)
        return complain(source, &e->domains, "without sp, the domains must be listed");
    for (size_t i = 0; e->ca == MEFD_CA_LAB && i < e->domains.n; i++)
        if (gba_fqdn_canonical(gba_text(e->domains.v[i]), fqdn) != GBA_OK)
            return complain(source, &e->domains.v[i], "no FQDN");
    return GBA_OK;
}

/* What open_command would say of the file and the program without their place. */
static enum gba_err check_command(const struct mefd_conf *c, const struct conf *source)
{
    struct ca_certs certs = {.n = 0};
    char *const *program = &c->est.command.v[0];
    enum gba_err err;

    if (strchr(*program, '/') == NULL)
        return complain(source, program, "not the path of a program");
    if (access(*program, X_OK) != 0)
        return complain(source, program, strerror(errno));
    err = read_certs(&c->est.certificates, source, &certs);
    ca_certs_free(&certs);
    return err;
}

enum gba_err mefd_est_open(struct mefd_est *e, const struct mefd_conf *c,
                           const struct conf *source, struct log *log,
                           void (*changed)(void *arg), void *arg)
{
    enum gba_err err = check_domains(c, source);

    if (err != GBA_OK || c->est.ca == MEFD_CA_NONE)
        return err;
    e->front.log = log;
    e->front.est.life_s = c->est.life_ms / 1000;
    e->front.est.link = c->est.challenge_password;
    err = read_anchors(e, c, source);
    if (err == GBA_OK)
        err = c->est.ca == MEFD_CA_LAB ? open_lab(e, c, log, changed, arg)
                                       : open_command(e, c, log);
    if (err != GBA_OK)
        mefd_est_close(e);
    return err;
}

void mefd_est_close(struct mefd_est *e)
{
    if (e->front.est.ca != NULL)
        e->front.est.ca->close(e->front.est.ca);
    ca_certs_free(&e->anchors);
    free(e->ca_file);
    free(e->crl_file);
    memset(e, 0, sizeof(*e));
}

enum gba_err mefd_est_check(const struct mefd_conf *c, const struct conf *source,
                            struct log *log)
{
    struct mefd_est e = {.ca_file = NULL};
    enum gba_err err = check_domains(c, source);

    if (err == GBA_OK && c->est.ca != MEFD_CA_NONE)
        err = read_anchors(&e, c, source);
    if (err == GBA_OK && c->est.ca == MEFD_CA_COMMAND)
        err = check_command(c, source);
    if (err == GBA_OK && c->est.ca == MEFD_CA_COMMAND) /* it makes no files */
        err = open_command(&e, c, log);
    mefd_est_close(&e);
    return err;
}
