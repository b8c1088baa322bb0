/*
 * gba enrol: a oneM2M credential for a target, by GBA (TS-0003 8.3.2.3), by a pre-provisioned
 * key (8.3.2.1) or by a certificate (8.3.2.2); and what the MEF commands after it (8.3.9).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/bytes.h"
#include "common/m2m_credential.h"
#include "ua/est_pair.h"
#include "ua/gba.h"
#include "ua/url.h"

#define LIFE_S        (30 * 24 * 3600) /* asked for; the MEF may grant less */
#define VALID_FOR_MAX 315360000        /* seconds */

/* ------------------------------------------------------------ commands of the MEF */

#define COMMANDS 64 /* as many as one round has */

static struct {
    const struct gba_options *o;
    size_t n;
    struct {
        char id[257], class_name[24];
        unsigned status;
        bool reissued;
    } done[COMMANDS];
} commands;

/* CERT_PROV: the pair goes where --cert-out and --key-out say. */
static enum gba_err take_certificate(void *ctx, const struct gba_ue_command *c,
                                     const char *cert_pem, const char *key_pem, size_t key_len)
{
    const struct gba_options *o = commands.o;
    enum gba_err err =
        est_pair_write(o->cert_out, gba_text_bytes(gba_text(cert_pem)), o->key_out,
                       (struct gba_bytes){(const uint8_t *)key_pem, key_len});

    (void)ctx, (void)c;
    if (err != GBA_OK)
        gba_complain(err, o->cert_out, strerror(errno));
    return err;
}

static void did(void *ctx, const struct gba_ue_command *c, unsigned status)
{
    (void)ctx;
    if (commands.n == COMMANDS)
        return;
    snprintf(commands.done[commands.n].id, sizeof(commands.done[0].id), "%s", c->id);
    snprintf(commands.done[commands.n].class_name, sizeof(commands.done[0].class_name), "%s",
             gba_ue_command_class(c->class_id));
    commands.done[commands.n].status = status;
    commands.done[commands.n].reissued = c->reissued;
    commands.n++;
}

/* What cannot be done here stays NULL, and the MEF is told so. */
static int open_commands(const struct gba_options *o, struct gba_ue_command_port *port)
{
    *port = (struct gba_ue_command_port){.node_id = o->node_id, .did = did};
    commands.o = o;
    if ((o->cert_out == NULL) != (o->key_out == NULL))
        return gba_usage("--cert-out and --key-out go together");
    if (o->cert_out == NULL)
        return EX_OK;
    port->take_certificate = take_certificate;
    return est_pair_recover(o->cert_out, o->key_out) == GBA_OK
               ? EX_OK
               : gba_complain(GBA_E_IO, o->cert_out, strerror(errno));
}

/* Control characters of a MEF's identifier are not for a terminal. */
static void tame(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
            *text = '?';
}

static void report_commands(struct gba_report *r, const struct gba_context *c)
{
    struct gba_report item;

    for (size_t i = 0; i < commands.n; i++) {
        tame(commands.done[i].id);
        gba_report_item(r, "commands", "Command of the MEF:", &item);
        gba_report_text(&item, "id", "id", commands.done[i].id);
        gba_report_text(&item, "class", "class", commands.done[i].class_name);
        gba_report_bool(&item, "reissued", "again", commands.done[i].reissued);
        gba_report_number(&item, "status", "status", commands.done[i].status);
        gba_report_text(&item, "result", "result",
                        gba_ue_command_words(commands.done[i].status));
    }
    if (c->device.commands_err != GBA_OK) {
        gba_complain(c->device.commands_err, "commands of the MEF", c->device.why);
        gba_say_answer(&c->device);
    }
}

/* ------------------------------------------------------------ the credential */

static int print_credential(const struct gba_context *c, const struct gba_ue_credential *k,
                            const char *title)
{
    struct gba_report r;

    gba_report_begin(&r, c->o, title);
    gba_report_credential(&r, c, k);
    if (c->device.commands_retry_s != 0)
        gba_report_number(&r, "commands_retry_s", "ask again", c->device.commands_retry_s);
    report_commands(&r, c);
    return gba_report_end(&r);
}

/* The suite agreed with the target, by its Ua id 01 00 01 yy zz. */
static int choose_suite(const struct gba_options *o, struct gba_ue_enrol_config *c)
{
    uint8_t ua_id[GBA_UE_UA_ID_LEN];

    if (o->ua_protocol == NULL)
        return EX_OK;
    if (gba_ue_ua_protocol(o->ua_protocol, ua_id) != GBA_OK || ua_id[0] != 1 || ua_id[2] != 1)
        return gba_usage("--ua-protocol takes psk-tls12:XXXX here");
    c->target_suite = (uint16_t)(ua_id[3] << 8 | ua_id[4]);
    return EX_OK;
}

int gba_name_of_url(const char *option, const char *text, char *out, size_t cap)
{
    struct url url;

    if (url_parse(text, &url) != GBA_OK || !url.https)
        return gba_usage("%s takes an https URL", option);
    if (url_host_is_address(url.host) || gba_text_copy(out, cap, url.host) != GBA_OK)
        return gba_usage("the URL of %s has no name; give %s-fqdn FQDN", option, option);
    return EX_OK;
}

/* The MEF's name: given, or the URL's host if that is a name. */
static int name_mef(const struct gba_options *o, char *out, size_t cap,
                    struct gba_ue_enrol_config *c)
{
    if (o->mef == NULL)
        return gba_usage("enrolling with a MEF needs --mef URL");
    c->mef_fqdn = o->mef_fqdn != NULL ? o->mef_fqdn : out;
    return o->mef_fqdn != NULL ? EX_OK : gba_name_of_url("--mef", o->mef, out, cap);
}

static int choose_key(const struct gba_options *o, struct gba_ue_enrol_config *c)
{
    uint64_t suid = 22;

    if (o->usage != NULL && gba_text_number(gba_text(o->usage), 99, &suid) != GBA_OK)
        return gba_usage("--usage takes a SUID: 21 or 22");
    c->suid = (unsigned)suid;
    c->derivation = GBA_UE_DERIVE_USAGE;
    if (o->derive != NULL && strcmp(o->derive, "kpsa") == 0)
        c->derivation = GBA_UE_DERIVE_KPSA;
    else if (o->derive != NULL && strcmp(o->derive, "km") == 0)
        c->derivation = GBA_UE_DERIVE_KM;
    else if (o->derive != NULL && strcmp(o->derive, "usage") != 0)
        return gba_usage("--derive takes usage, kpsa or km");
    return EX_OK;
}

/* One run of the command. */
struct enrolment {
    const struct gba_options *o;
    struct gba_ue_enrol_config config;
    struct gba_context c;
    struct gba_ue_credential credential;
    bool kept; /* the one that was there: it is good for long enough */
};

/* --unless-valid-for */
static bool is_good(struct enrolment *e)
{
    uint64_t margin_s = 0;

    if (e->o->valid_for == NULL)
        return false;
    gba_text_number(gba_text(e->o->valid_for), VALID_FOR_MAX, &margin_s); /* checked before */
    e->kept = gba_ue_keyring_credential(e->c.device.ring, e->o->target,
                                        gba_ue_env_system.now_s(NULL) + (int64_t)margin_s,
                                        &e->credential) == GBA_OK;
    return e->kept;
}

/* --replaces: the new credential is on the disk; what was before ends at the MEF, then here. */
static int leave(struct enrolment *e, const struct gba_ue_proof *proof, const char *mef_url)
{
    const struct gba_options *o = e->o;
    const struct gba_ue_enrol_config before = {.target = o->replaces,
                                               .mef_fqdn = e->config.mef_fqdn,
                                               .admin_fqdn = o->replaces_admin,
                                               .originator = o->originator};
    enum gba_err err;

    if (o->replaces == NULL)
        return EX_OK;
    err = gba_ue_leave(&e->c.device, proof, mef_url, o->connect_to, &e->config, &before,
                       o->suites);
    return err == GBA_OK
               ? gba_save(&e->c)
               : gba_complain_device(o, &e->c.device, err,
                                     "enrolled, but what was before has not ended yet");
}

static int enrol_by_gba(struct enrolment *e)
{
    const struct gba_options *o = e->o;
    /* In the GBA framework the target is the NAF: the MEF of --mef has no part in it. */
    const char *mef_url = o->gba_mef != NULL ? o->mef : NULL;
    struct gba_ue_command_port port;
    int status = open_commands(o, &port);
    enum gba_err err = GBA_OK;

    if (status == EX_OK)
        status = gba_open(o, GBA_OF_CARD, &e->c);
    if (status != EX_OK)
        return status;
    e->c.device.commands = &port;
    if (!is_good(e))
        err = gba_ue_enrol_target(&e->c.device, mef_url, o->connect_to, &e->config, o->suites,
                                  o->renew != NULL, &e->credential);
    status = gba_save(&e->c);
    if (err != GBA_OK)
        return gba_complain_device(o, &e->c.device, err, NULL);
    return status == EX_OK ? leave(e, NULL, mef_url) : status;
}

static int enrol_by_proof(struct enrolment *e, const struct gba_ue_proof *proof)
{
    const struct gba_options *o = e->o;
    struct gba_ue_command_port port;
    int status = open_commands(o, &port);
    enum gba_err err = GBA_OK;

    if (status == EX_OK)
        status = gba_open(o, GBA_OF_DEVICE, &e->c);
    if (status != EX_OK)
        return status;
    e->c.device.commands = &port;
    e->config.expires_s = gba_ue_env_system.now_s(NULL) + LIFE_S;
    if (!is_good(e))
        err = gba_ue_enrol_provisioned(&e->c.device, proof, o->mef, o->connect_to, &e->config,
                                       o->suites, &e->credential);
    if (err != GBA_OK)
        return gba_complain_device(o, &e->c.device, err, NULL);
    status = gba_save(&e->c);
    return status == EX_OK ? leave(e, proof, o->mef) : status;
}

static int enrol_by_psk(struct enrolment *e)
{
    const struct gba_options *o = e->o;
    struct m2m_credential kpm;
    struct gba_ue_proof proof;
    int status;

    if (o->kpm_file == NULL)
        return gba_usage("--framework psk needs --kpm-file FILE");
    status = gba_credential_read(o, o->kpm_file, &kpm);
    if (status == EX_OK && kpm.kind != M2M_CRED_KPM)
        status = gba_complain(GBA_E_SYNTAX, o->kpm_file, "holds no Kpm");
    if (status == EX_OK) {
        proof = (struct gba_ue_proof){
            .psk_identity = kpm.key_id, .psk = kpm.key, .psk_len = kpm.key_len};
        status = enrol_by_proof(e, &proof);
    }
    gba_ue_wipe(&kpm, sizeof(kpm));
    return status;
}

static int enrol_by_cert(struct enrolment *e)
{
    const struct gba_options *o = e->o;
    const struct gba_ue_proof proof = {.cert_file = o->cert, .key_file = o->key};
    uint8_t pem[16384];
    size_t n;
    int status;

    if (o->cert == NULL || o->key == NULL)
        return gba_usage("--framework cert needs --cert FILE and --key FILE");
    status = gba_read_private(o->key, pem, sizeof(pem), &n); /* its mode, before it is used */
    gba_ue_wipe(pem, sizeof(pem));
    return status == EX_OK ? enrol_by_proof(e, &proof) : status;
}

static const struct framework {
    const char *name;
    bool with_mef; /* always; GBA only where the MEF is a NAF */
    int (*enrol)(struct enrolment *e);
} frameworks[] = {
    {"gba", false, enrol_by_gba}, {"psk", true, enrol_by_psk}, {"cert", true, enrol_by_cert}};
#define N_FRAMEWORKS (sizeof(frameworks) / sizeof(frameworks[0]))

static const struct framework *find_framework(const char *name)
{
    for (size_t i = 0; i < N_FRAMEWORKS; i++)
        if (name == NULL || strcmp(frameworks[i].name, name) == 0)
            return &frameworks[i];
    return NULL;
}

static int check_options(const struct gba_options *o)
{
    uint64_t margin_s;

    if (o->target == NULL)
        return gba_usage("enrol needs --target CSE-ID");
    if (find_framework(o->framework) == NULL)
        return gba_usage("--framework takes gba, psk or cert");
    if (o->valid_for != NULL &&
        gba_text_number(gba_text(o->valid_for), VALID_FOR_MAX, &margin_s) != GBA_OK)
        return gba_usage("--unless-valid-for takes seconds");
    if (o->replaces_admin != NULL && o->replaces == NULL)
        return gba_usage("--replaces-admin goes with --replaces CSE-ID");
    return EX_OK;
}

int gba_cmd_enrol(const struct gba_options *o)
{
    const struct framework *f = find_framework(o->framework);
    struct enrolment e = {.o = o,
                          .config = {.target = o->target,
                                     .target_fqdn = o->target_fqdn,
                                     .admin_fqdn = o->admin,
                                     .originator = o->originator},
                          .c = {.lock = -1}};
    char mef_fqdn[GBA_UE_FQDN_SIZE];
    int status = check_options(o);

    if (status == EX_OK && (f->with_mef || o->gba_mef != NULL))
        status = name_mef(o, mef_fqdn, sizeof(mef_fqdn), &e.config);
    if (status == EX_OK)
        status = choose_key(o, &e.config);
    if (status == EX_OK)
        status = choose_suite(o, &e.config);
    if (status != EX_OK)
        return status;
    status = f->enrol(&e);
    if (status == EX_OK)
        status = print_credential(&e.c, &e.credential, e.kept ? "Still valid." : "Enrolled.");
    e.c.device.commands = NULL; /* it was on the stack of the enrolment */
    gba_ue_wipe(&e.credential, sizeof(e.credential));
    gba_close(&e.c);
    return status;
}
