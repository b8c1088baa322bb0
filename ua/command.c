/*
 * Commands of an MEF through the ports, for devices that may block: what command_client.c and
 * auth_profile.c decide, done (TS-0003 8.3.9.5-9).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "ua/auth_profile.h"
#include "ua/command_client.h"
#include "ua/enrol_client.h"
#include "ua/est.h"
#include "ua/mef_session.h"
#include "ua/run.h"
#include "ua/url.h"

/* One round. */
struct round {
    const struct mef_session *s;
    const struct gba_ue_enrol *e;
    const struct gba_ue_command_port *port;
};

/* ------------------------------------------------------------ CERT_PROV */

/* EST lies at the well-known place, without a label (RFC 7030 3.2.2). */
static bool is_est_path(struct gba_text target)
{
    static const char *const paths[] = {"/", "/.well-known/est", "/.well-known/est/"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (gba_text_is(target, paths[i]))
            return true;
    return false;
}

/* 8.3.9.7: the certificate is this device's own, unless a Node acts for another. */
static bool take_subject(const struct round *r, const struct gba_ue_command *c,
                         struct ue_est_name *name)
{
    char fqdn[GBA_UE_FQDN_SIZE];
    bool cse = c->subject_type == M2M_CMD_SUBJECT_CSE;

    if (c->subject_type == M2M_CMD_SUBJECT_NODE)
        return r->port->node_id != NULL && strcmp(r->port->node_id, c->subject) == 0 &&
               ue_est_name(c->subject, NULL, name) == GBA_OK && name->is_uri;
    if (c->target[0] == '\0' && strncmp(r->e->originator, "//", 2) == 0 &&
        strcmp(r->e->originator, c->subject) != 0)
        return false;
    if (cse && gba_ue_target_fqdn(c->subject, fqdn) != GBA_OK)
        return false;
    return ue_est_name(c->subject, cse ? fqdn : NULL, name) == GBA_OK && name->is_uri == !cse;
}

/* Whose fault it was. */
static unsigned cert_status(enum gba_err err)
{
    switch (err) {
    case GBA_OK:
        return M2M_CMD_S_OK;
    case GBA_E_NOMEM:
    case GBA_E_IO:
    case GBA_E_ARGUMENT:
    case GBA_E_CRYPTO:
    case GBA_E_ENTROPY:
    case GBA_E_CONFIG:
    case GBA_E_TOO_LONG:
    case GBA_E_UNSUPPORTED:
        return M2M_CMD_S_CERT_PROV_CLIENT_ERROR;
    default:
        return M2M_CMD_S_CERT_PROV_SERVER_ERROR;
    }
}

struct est_run {
    struct ue_est est;
    struct ue_est_name name;
    struct ue_est_pair pair;
};

static void prepare(const struct round *r, const struct gba_ue_command *c, bool same_place,
                    struct ue_est *est)
{
    struct gba_ue_device *d = r->s->d;

    *est = (struct ue_est){.transport = d->ua,
                           .env = d->env,
                           .url = c->uri,
                           .connect_to = same_place ? r->s->connect_to : NULL,
                           .psk = r->s->psk,
                           .cert_file = r->s->cert_file,
                           .key_file = r->s->key_file,
                           .peer_fqdn = r->s->peer_fqdn,
                           .trace = d->trace,
                           .trace_ctx = d->trace_ctx};
}

static unsigned cert_prov(const struct round *r, const struct gba_ue_command *c)
{
    struct url uri, base;
    struct est_run *run;
    enum gba_err err;
    unsigned status = M2M_CMD_S_UNACCEPTABLE_ARGUMENTS;

    if (r->port->take_certificate == NULL)
        return M2M_CMD_S_CLASS_NOT_SUPPORTED;
    if (c->protocol != M2M_CMD_PROTOCOL_EST || url_parse(c->uri, &uri) != GBA_OK ||
        url_parse(r->s->base, &base) != GBA_OK || !is_est_path(uri.target))
        return status;
    run = calloc(1, sizeof(*run));
    if (run == NULL)
        return M2M_CMD_S_CERT_PROV_CLIENT_ERROR;
    if (take_subject(r, c, &run->name)) {
        prepare(r, c, gba_text_eq(uri.port, base.port), &run->est);
        err = ue_est_get_pair(&run->est, UE_EST_ENROL, &run->name, NULL, &run->pair);
        status = cert_status(err);
        if (err == GBA_OK &&
            r->port->take_certificate(r->port->ctx, c, run->pair.cert, run->pair.key,
                                      run->pair.key_len) != GBA_OK)
            status = M2M_CMD_S_CERT_PROV_CLIENT_ERROR;
    }
    gba_wipe(run, sizeof(*run));
    free(run);
    return status;
}

/* ------------------------------------------------------------ MO_NODE */

static unsigned register_key(const struct round *r, const struct gba_ue_command *c,
                             const struct gba_ue_auth_profile *p, struct ue_key_reg *k)
{
    struct gba_ue_device *d = r->s->d;
    struct gba_ue_reply reply;
    uint8_t entropy[16];
    unsigned status = M2M_CMD_S_MO_NODE_EXECUTION_ERROR;

    strcpy(k->mef_fqdn, r->e->mef_fqdn);
    strcpy(k->admin_fqdn, r->e->admin_fqdn);
    strcpy(k->originator, r->e->originator);
    k->by_certificate = r->e->by_certificate;
    memset(&reply, 0, sizeof(reply));
    if (d->env->random(d->env->ctx, entropy, sizeof(entropy)) != GBA_OK ||
        ue_key_reg_begin(k, p, d->env->now_s(d->env->ctx), entropy) != GBA_OK)
        return status;
    if (mef_session_exchange(r->s, &k->q.request, k->q.call.target, &reply) == GBA_OK)
        status = ue_key_reg_answer(k, &reply, d->env->now_s(d->env->ctx));
    gba_wipe(reply.exported, sizeof(reply.exported));
    if (status == M2M_CMD_S_OK &&
        (r->port->take_key == NULL ||
         r->port->take_key(r->port->ctx, c, k->key_id, k->key.octets, k->expires_s) != GBA_OK))
        status = M2M_CMD_S_MO_NODE_EXECUTION_ERROR;
    return status;
}

static unsigned use_profile(const struct round *r, const struct gba_ue_command *c,
                            const struct gba_ue_auth_profile *p)
{
    unsigned status = ue_profile_check(p, c->suid);
    struct ue_key_reg *k;

    if (status != M2M_CMD_S_OK)
        return status;
    if (!ue_profile_needs_key(p))
        return r->port->use_mo != NULL ? r->port->use_mo(r->port->ctx, c)
                                       : M2M_CMD_S_MO_NODE_EXECUTION_ERROR;
    k = calloc(1, sizeof(*k));
    if (k == NULL)
        return M2M_CMD_S_MO_NODE_EXECUTION_ERROR;
    status = register_key(r, c, p, k);
    gba_wipe(k, sizeof(*k));
    free(k);
    return status;
}

static unsigned mo_node(const struct round *r, const struct gba_ue_command *c)
{
    struct gba_ue_mo mo;
    enum gba_err err;

    if (r->port->find_mo == NULL)
        return M2M_CMD_S_CLASS_NOT_SUPPORTED;
    memset(&mo, 0, sizeof(mo));
    err = r->port->find_mo(r->port->ctx, c, &mo);
    if (err != GBA_OK)
        return err == GBA_E_NOT_FOUND ? M2M_CMD_S_MO_NODE_NOT_FOUND
                                      : M2M_CMD_S_MO_NODE_EXECUTION_ERROR;
    if (mo.object_type != c->object_type)
        return M2M_CMD_S_MO_NODE_TYPE_CONFLICT;
    if (mo.object_type == M2M_CMD_OBJECT_AUTH_PROFILE)
        return use_profile(r, c, &mo.profile);
    return r->port->use_mo != NULL ? r->port->use_mo(r->port->ctx, c)
                                   : M2M_CMD_S_MO_NODE_EXECUTION_ERROR;
}

/* ------------------------------------------------------------ the round */

static unsigned dev_cfg(const struct round *r, const struct gba_ue_command *c)
{
    return r->port->dev_cfg != NULL ? r->port->dev_cfg(r->port->ctx, c)
                                    : M2M_CMD_S_CLASS_NOT_SUPPORTED;
}

static unsigned carry_out(const struct round *r, const struct gba_ue_command *c)
{
    static unsigned (*const classes[])(const struct round *, const struct gba_ue_command *) = {
        [M2M_CMD_CERT_PROV] = cert_prov,
        [M2M_CMD_DEV_CFG] = dev_cfg,
        [M2M_CMD_MO_NODE] = mo_node,
    };

    return c->class_id < sizeof(classes) / sizeof(classes[0]) && classes[c->class_id] != NULL
               ? classes[c->class_id](r, c)
               : M2M_CMD_S_CLASS_NOT_SUPPORTED;
}

/* What the last step asks for; ev tells how it went. */
static void act(const struct round *r, struct gba_ue_commands *m,
                enum gba_ue_commands_todo todo, struct gba_ue_reply *reply,
                struct gba_ue_commands_event *ev)
{
    struct gba_ue_command c;
    const char *target;
    const struct gba_ue_request *request;

    gba_ue_commands_command(m, &c);
    if (todo == GBA_UE_COMMANDS_RUN) {
        ev->happened = GBA_UE_COMMANDS_EV_RESULT;
        ev->status = carry_out(r, &c);
        return;
    }
    if (gba_ue_commands_reported(m) != 0 && r->port->did != NULL)
        r->port->did(r->port->ctx, &c, gba_ue_commands_reported(m));
    request = gba_ue_commands_request(m, &target);
    ev->err = mef_session_exchange(r->s, request, target, reply);
    ev->happened = ev->err == GBA_OK ? GBA_UE_COMMANDS_EV_REPLY : GBA_UE_COMMANDS_EV_NO_REPLY;
    ev->reply = reply;
}

static enum gba_err turn(const struct round *r, struct gba_ue_commands *m)
{
    const struct gba_ue_env *env = r->s->d->env;
    struct gba_ue_commands_event ev = {.happened = GBA_UE_COMMANDS_EV_START};
    enum gba_ue_commands_todo todo = GBA_UE_COMMANDS_FAILED;
    struct gba_ue_reply reply;
    enum gba_err err;

    memset(&reply, 0, sizeof(reply));
    do {
        err = env->random(env->ctx, ev.entropy, sizeof(ev.entropy));
        if (err == GBA_OK)
            err = gba_ue_commands_step(m, &ev, &todo);
        if (err == GBA_OK && (todo == GBA_UE_COMMANDS_SEND || todo == GBA_UE_COMMANDS_RUN))
            act(r, m, todo, &reply, &ev);
        else
            break;
    } while (true);
    if (err == GBA_OK && todo != GBA_UE_COMMANDS_DONE)
        return run_explain(r->s->d, gba_ue_commands_error(m), r->s->base,
                           gba_ue_commands_why(m)[0] != '\0' ? gba_ue_commands_why(m)
                                                             : reply.why);
    return err == GBA_OK ? GBA_OK : run_explain(r->s->d, err, r->s->base, NULL);
}

void mef_session_commands(const struct mef_session *s, const struct gba_ue_enrol *e)
{
    struct gba_ue_device *d = s->d;
    const struct round r = {s, e, d->commands};
    const struct gba_ue_commands_config config = {.registration = gba_ue_enrol_registration(e),
                                                  .mef_fqdn = e->mef_fqdn,
                                                  .originator = e->originator,
                                                  .by_certificate = e->by_certificate};
    struct gba_ue_commands *m;
    void *mem;

    d->commands_err = GBA_OK;
    d->commands_retry_s = 0;
    if (d->commands == NULL)
        return;
    mem = malloc(gba_ue_commands_size());
    m = gba_ue_commands_init(mem, gba_ue_commands_size(), &config);
    if (m != NULL) {
        d->commands_err = turn(&r, m);
        d->commands_retry_s = gba_ue_commands_retry_s(m);
        gba_ue_commands_end(m);
    } else {
        d->commands_err = run_explain(d, mem == NULL ? GBA_E_NOMEM : GBA_E_NOT_FOUND, s->base,
                                      "the MEF does not say where its registration is");
    }
    free(mem);
}
