/*
 * gba est: certificates by EST from a MEF (TS-0003 8.3.6.2), over a certificate or over Kpm.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/m2m_credential.h"
#include "ua/est.h"
#include "ua/est_pair.h"
#include "ua/gba.h"
#include "ua/private_file.h"
#include "ua/url.h"

/* Forward secrecy first; what every MEF has (TS-0003 10.2.2) last. */
#define SUITES                                                                                 \
    "ECDHE-PSK-CHACHA20-POLY1305:DHE-PSK-AES128-GCM-SHA256:DHE-PSK-CHACHA20-POLY1305:"         \
    "ECDHE-PSK-AES128-CBC-SHA256:PSK-AES128-GCM-SHA256:PSK-AES128-CBC-SHA256"

/* What a subcommand works with. */
struct est_run {
    const struct gba_options *o;
    struct m2m_credential kpm;
    struct gba_ue_psk psk;
    struct ue_est est;
    char mef_fqdn[GBA_UE_FQDN_SIZE];
    struct ue_est_name name;
    struct ue_est_pair pair;
    char text[EST_CERT_PEM_MAX];
};

/* ------------------------------------------------------------ who the device is */

/* Kpm is what it is for every suite (TS-0003 8.3.2.1). */
static enum gba_err give_kpm(void *ctx, const uint8_t ua_id[GBA_UE_UA_ID_LEN], const char *hint,
                             char identity[GBA_UE_PSK_IDENTITY_SIZE],
                             uint8_t key[GBA_UE_PSK_MAX], size_t *key_len)
{
    const struct m2m_credential *kpm = ctx;

    (void)ua_id, (void)hint;
    memcpy(identity, kpm->key_id, strlen(kpm->key_id) + 1);
    memcpy(key, kpm->key, kpm->key_len);
    *key_len = kpm->key_len;
    return GBA_OK;
}

static int show_kpm(struct est_run *r)
{
    const struct gba_options *o = r->o;
    int status = gba_credential_read(o, o->kpm_file, &r->kpm);

    if (status != EX_OK)
        return status;
    if (r->kpm.kind != M2M_CRED_KPM || strlen(r->kpm.key_id) >= GBA_UE_PSK_IDENTITY_SIZE)
        return gba_complain(GBA_E_SYNTAX, o->kpm_file, "holds no Kpm for TLS-PSK");
    r->psk = (struct gba_ue_psk){.key = give_kpm,
                                 .ctx = &r->kpm,
                                 .only = true,
                                 .suites = o->suites != NULL         ? o->suites
                                           : r->kpm.suite[0] != '\0' ? r->kpm.suite
                                                                     : SUITES};
    r->est.psk = &r->psk;
    return EX_OK;
}

static int show_certificate(struct est_run *r, const char *cert, const char *key)
{
    uint8_t pem[16384];
    size_t n;
    int status;

    if (access(cert, R_OK) != 0)
        return gba_complain(GBA_E_IO, cert, strerror(errno));
    status = gba_read_private(key, pem, sizeof(pem), &n); /* its mode, before it is used */
    gba_ue_wipe(pem, sizeof(pem));
    r->est.cert_file = cert;
    r->est.key_file = key;
    return status;
}

/* ------------------------------------------------------------ the MEF */

/* An MEF's certificate has no wildcards (TS-0003 10.1.1). */
static void name_mef(struct est_run *r)
{
    struct url url;

    if (url_parse(r->o->mef, &url) == GBA_OK && !url_host_is_address(url.host) &&
        gba_text_copy(r->mef_fqdn, sizeof(r->mef_fqdn), url.host) == GBA_OK)
        r->est.peer_fqdn = r->mef_fqdn;
}

/* A renewal is made with the pair in use, which is what it replaces unless told otherwise. */
static int open_mef(struct est_run *r, bool renew)
{
    const struct gba_options *o = r->o;
    struct gba_ue_curl_config config;
    const char *cert = o->cert != NULL || !renew ? o->cert : o->cert_out;
    const char *key = o->key != NULL || !renew ? o->key : o->key_out;
    int status = gba_transport_config(o, &config);
    enum gba_err err;

    if (status != EX_OK)
        return status;
    if ((cert == NULL) != (key == NULL))
        return gba_usage("--cert and --key go together");
    if ((cert == NULL) == (o->kpm_file == NULL))
        return gba_usage("est needs --cert and --key, or --kpm-file");
    status = o->kpm_file != NULL ? show_kpm(r) : show_certificate(r, cert, key);
    if (status != EX_OK)
        return status;
    err = gba_ue_curl_new(&config, &r->est.transport);
    r->est.env = &gba_ue_env_system;
    r->est.url = o->mef;
    r->est.connect_to = o->connect_to;
    name_mef(r);
    r->est.trace = o->trace != NULL ? gba_trace : NULL;
    return err == GBA_OK ? EX_OK : gba_complain(err, "libcurl", NULL);
}

static int complain(const struct est_run *r, enum gba_err err)
{
    int status = gba_complain(err, r->o->mef, r->est.why);

    if (r->est.retry_s != 0)
        fprintf(stderr, "gba: try again in %u s\n", r->est.retry_s);
    return status;
}

/* ------------------------------------------------------------ cacerts, csrattrs */

static int put_out(const struct gba_options *o, struct gba_bytes data)
{
    if (o->out == NULL)
        return fwrite(data.p, 1, data.n, stdout) == data.n && fflush(stdout) == 0
                   ? EX_OK
                   : gba_complain(GBA_E_IO, "standard output", strerror(errno));
    if (private_file_write(o->out, data, true) != GBA_OK)
        return gba_complain(GBA_E_IO, o->out, strerror(errno));
    return EX_OK;
}

static int cmd_cacerts(struct est_run *r)
{
    enum gba_err err = ue_est_ask(&r->est, UE_EST_CACERTS);
    size_t count;

    if (err != GBA_OK)
        return complain(r, err);
    err = est_certs_pem((struct gba_bytes){r->est.call.der, r->est.call.n}, r->text, &count);
    if (err != GBA_OK)
        return gba_complain(err, r->o->mef, "cacerts gives no certificates");
    return put_out(r->o, gba_text_bytes(gba_text(r->text)));
}

/* As they come: openssl asn1parse -inform DER shows them. */
static int cmd_csrattrs(struct est_run *r)
{
    enum gba_err err = ue_est_ask(&r->est, UE_EST_CSRATTRS);

    if (err != GBA_OK)
        return complain(r, err);
    return put_out(r->o, (struct gba_bytes){r->est.call.der, r->est.call.n});
}

/* ------------------------------------------------------------ enrol, renew */

static int report(const struct est_run *r, const char *title)
{
    struct gba_report report;
    char serial[65];
    int64_t expires_s = 0;

    (void)est_cert_describe(r->pair.cert, serial, &expires_s);
    gba_report_begin(&report, r->o, title);
    gba_report_text(&report, "id", "id", r->o->id);
    gba_report_text(&report, "name", "name", r->name.text);
    gba_report_text(&report, "serial", "serial", serial);
    gba_report_time(&report, "expires", "expires", expires_s);
    gba_report_text(&report, "certificate", "in", r->o->cert_out);
    return gba_report_end(&report);
}

static int read_certificate(const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "re");
    size_t n = f != NULL ? fread(out, 1, cap - 1, f) : 0;
    bool ok = f != NULL && ferror(f) == 0 && feof(f) != 0;

    out[n] = '\0';
    if (f != NULL)
        fclose(f);
    return ok ? EX_OK : gba_complain(GBA_E_IO, path, "cannot be read, or is too long");
}

static int get_pair(struct est_run *r, enum ue_est_op op)
{
    const struct gba_options *o = r->o;
    enum gba_err err;

    err = ue_est_get_pair(&r->est, op, &r->name, op == UE_EST_RENEW ? r->text : NULL, &r->pair);
    if (err != GBA_OK)
        return complain(r, err);
    err = est_pair_write(o->cert_out, gba_text_bytes(gba_text(r->pair.cert)), o->key_out,
                         (struct gba_bytes){(const uint8_t *)r->pair.key, r->pair.key_len});
    if (err != GBA_OK)
        return gba_complain(err, o->cert_out, strerror(errno));
    return report(r, op == UE_EST_RENEW ? "Renewed." : "Enrolled.");
}

static int check_pair_options(struct est_run *r)
{
    const struct gba_options *o = r->o;

    if (o->id == NULL || o->cert_out == NULL || o->key_out == NULL)
        return gba_usage("est enrol and renew need --id, --cert-out and --key-out");
    if (ue_est_name(o->id, o->fqdn, &r->name) != GBA_OK)
        return gba_complain(
            GBA_E_ARGUMENT, o->id,
            "no Absolute AE-ID or CSE-ID, no M2M-Node-ID, and no FQDN of a MAF");
    if (est_pair_recover(o->cert_out, o->key_out) != GBA_OK)
        return gba_complain(GBA_E_IO, o->cert_out, strerror(errno));
    return EX_OK;
}

/* ------------------------------------------------------------ which of them */

static int run(struct est_run *r)
{
    const char *what = r->o->args[0];
    bool renew = strcmp(what, "renew") == 0, pair = renew || strcmp(what, "enrol") == 0;
    int status = EX_OK;

    if (!pair && strcmp(what, "cacerts") != 0 && strcmp(what, "csrattrs") != 0)
        return gba_usage("est takes cacerts, csrattrs, enrol or renew");
    if (r->o->mef == NULL)
        return gba_usage("est needs --mef URL");
    if (renew && r->o->kpm_file != NULL)
        return gba_usage("a renewal is made with the certificate in use, not with Kpm");
    if (pair)
        status = check_pair_options(r);
    if (status == EX_OK)
        status = open_mef(r, renew);
    if (status == EX_OK && renew)
        status = read_certificate(r->o->cert != NULL ? r->o->cert : r->o->cert_out, r->text,
                                  sizeof(r->text));
    if (status != EX_OK)
        return status;
    return pair                           ? get_pair(r, renew ? UE_EST_RENEW : UE_EST_ENROL)
           : strcmp(what, "cacerts") == 0 ? cmd_cacerts(r)
                                          : cmd_csrattrs(r);
}

int gba_cmd_est(const struct gba_options *o)
{
    struct est_run *r = calloc(1, sizeof(*r));
    int status;

    if (r == NULL)
        return gba_complain(GBA_E_NOMEM, "", NULL);
    r->o = o;
    status = run(r);
    if (r->est.transport != NULL)
        r->est.transport->close(r->est.transport);
    gba_ue_wipe(r, sizeof(*r));
    free(r);
    return status;
}
