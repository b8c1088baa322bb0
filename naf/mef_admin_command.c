/*
 * Commands in the administration's JSON: see mef_admin_command.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_admin_command.h"

#include <stdio.h>
#include <string.h>

#include "common/timestamp.h"

static const char *const states[] = {"queued", "outstanding", "done"};

static enum gba_err judge(struct mef_in *in, const char *name, enum gba_err err)
{
    if (err != GBA_OK)
        snprintf(in->at, sizeof(in->at), "%s", name);
    return err;
}

/* ------------------------------------------------------------ reading */

/* "none of node, cse, ae" */
static enum gba_err refuse_word(struct mef_in *in, const char *name, enum m2m_cmd_set set)
{
    char words[100] = "";
    size_t n = 0;

    for (unsigned i = 1; m2m_cmd_word(set, i) != NULL && n < sizeof(words); i++)
        n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", i > 1 ? ", " : "",
                              m2m_cmd_word(set, i));
    return mef_in_refuse(in, name, GBA_E_SYNTAX, "none of %s", words);
}

static enum gba_err take_word(struct mef_in *in, const char *name, enum m2m_cmd_set set,
                              unsigned deflt, unsigned *out)
{
    struct gba_text t;
    enum gba_err err = mef_in_text(in, name, deflt == 0, &t);

    *out = deflt;
    if (err != GBA_OK || t.n == 0)
        return err;
    *out = m2m_cmd_number(set, t);
    return *out != 0 ? GBA_OK : refuse_word(in, name, set);
}

static enum gba_err take_text(struct mef_in *in, const char *name, bool required, char *out,
                              size_t cap)
{
    struct gba_text t;
    enum gba_err err = mef_in_text(in, name, required, &t);

    return err == GBA_OK ? judge(in, name, gba_text_copy(out, cap, t)) : err;
}

static enum gba_err take_entity(struct mef_in *in, const char *name, bool required,
                                char out[static M2M_ID_SIZE])
{
    struct gba_text t;
    enum gba_err err = mef_in_text(in, name, required, &t);

    return err == GBA_OK && t.n != 0 ? judge(in, name, mef_absolute(in->policy, t, out)) : err;
}

/* A Node has an identifier of its own form. */
static enum gba_err take_cert_prov(struct mef_in *in, struct m2m_command *c)
{
    enum gba_err err =
        take_word(in, "protocol", M2M_CMD_PROTOCOL, M2M_CMD_PROTOCOL_EST, &c->protocol);

    if (err == GBA_OK)
        err = take_word(in, "subject_type", M2M_CMD_SUBJECT_TYPE, 0, &c->subject_type);
    if (err == GBA_OK && c->subject_type == M2M_CMD_SUBJECT_NODE)
        err = take_text(in, "subject", true, c->subject, sizeof(c->subject));
    else if (err == GBA_OK)
        err = take_entity(in, "subject", true, c->subject);
    return err == GBA_OK ? take_text(in, "uri", true, c->uri, sizeof(c->uri)) : err;
}

static enum gba_err take_dev_cfg(struct mef_in *in, struct m2m_command *c)
{
    enum gba_err err = take_word(in, "management", M2M_CMD_MANAGEMENT, 0, &c->management);

    return err == GBA_OK ? take_text(in, "uri", true, c->uri, sizeof(c->uri)) : err;
}

static enum gba_err take_mo_node(struct mef_in *in, struct m2m_command *c)
{
    uint64_t suid;
    enum gba_err err = take_text(in, "path", true, c->path, sizeof(c->path));

    if (err == GBA_OK)
        err = take_word(in, "object_type", M2M_CMD_OBJECT_TYPE, 0, &c->object_type);
    if (err == GBA_OK)
        err = mef_in_number(in, "suid", 99, 0, &suid);
    if (err == GBA_OK)
        c->suid = (unsigned)suid;
    return err;
}

static enum gba_err take_class(struct mef_in *in, struct m2m_command *c)
{
    struct gba_text t;
    enum gba_err err = mef_in_text(in, "class", true, &t);

    if (err != GBA_OK)
        return err;
    for (unsigned i = M2M_CMD_CERT_PROV; i <= M2M_CMD_MO_NODE; i++)
        if (gba_text_is(t, m2m_cmd_class_word(i))) {
            c->class_id = i;
            return GBA_OK;
        }
    return mef_in_refuse(in, "class", GBA_E_SYNTAX, "none of cert-prov, dev-cfg, mo-node");
}

/* What this MEF has no server for: it would send the device to what does not answer. */
static enum gba_err check_served(struct mef_in *in, const struct m2m_command *c)
{
    if (c->class_id != M2M_CMD_CERT_PROV || c->protocol == M2M_CMD_PROTOCOL_EST)
        return GBA_OK;
    return mef_in_refuse(in, "protocol", GBA_E_UNSUPPORTED,
                         "this MEF serves no SCEP; est is served");
}

static enum gba_err refuse_cert_prov(struct mef_in *in, const struct m2m_command *c)
{
    static const char *const subjects[] = {
        [M2M_CMD_SUBJECT_NODE] = "the URI of a Node, with its scheme",
        [M2M_CMD_SUBJECT_CSE] = "the Absolute identifier of a CSE",
        [M2M_CMD_SUBJECT_AE] = "the Absolute identifier of an AE"};
    const char *fqdn = in->policy->fqdn;
    struct m2m_command good = *c; /* is it the subject?  With a good URI it stays bad */

    snprintf(good.uri, sizeof(good.uri), "https://%s", fqdn);
    if (m2m_command_judge(&good, fqdn) != M2M_CMD_S_OK)
        return mef_in_refuse(in, "subject", GBA_E_ARGUMENT, "not %s",
                             subjects[c->subject_type]);
    return mef_in_refuse(in, "uri", GBA_E_ARGUMENT,
                         "not https://%s...: clients follow to no other host", fqdn);
}

/* What the client would refuse is not issued; which member that is, by its class. */
static enum gba_err check(struct mef_in *in, const struct m2m_command *c)
{
    enum gba_err err = check_served(in, c);

    if (err != GBA_OK || m2m_command_judge(c, in->policy->fqdn) == M2M_CMD_S_OK)
        return err;
    if (c->class_id == M2M_CMD_CERT_PROV)
        return refuse_cert_prov(in, c);
    if (c->class_id == M2M_CMD_MO_NODE)
        return mef_in_refuse(in, "suid", GBA_E_ARGUMENT,
                             c->object_type == M2M_CMD_OBJECT_AUTH_PROFILE
                                 ? "no SUID of TS-0004"
                                 : "only an authentication-profile has one");
    return mef_in_refuse(in, "uri", GBA_E_ARGUMENT,
                         "not SCHEME://%s...: clients follow to no other host",
                         in->policy->fqdn);
}

enum gba_err mef_command_read(struct mef_in *in, struct mef_command *out)
{
    static enum gba_err (*const readers[])(struct mef_in *, struct m2m_command *) = {
        [M2M_CMD_CERT_PROV] = take_cert_prov,
        [M2M_CMD_DEV_CFG] = take_dev_cfg,
        [M2M_CMD_MO_NODE] = take_mo_node,
    };
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    err = take_entity(in, "enrolee", true, out->enrolee);
    if (err == GBA_OK)
        err = mef_in_fqdn(in, "stakeholder", out->admin_fqdn);
    if (err == GBA_OK)
        err = take_class(in, &out->what);
    if (err == GBA_OK)
        err = readers[out->what.class_id](in, &out->what);
    if (err == GBA_OK)
        err = take_entity(in, "target", false, out->what.target);
    if (err == GBA_OK)
        err = mef_in_end(in);
    return err == GBA_OK ? check(in, &out->what) : err;
}

/* ------------------------------------------------------------ writing */

static void put(json_t *o, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        json_object_set_new(o, name, json_string(value));
}

static void put_time(json_t *o, const char *name, int64_t unix_s)
{
    char text[GBA_DATETIME_SIZE];

    if (unix_s == 0)
        return;
    gba_datetime(unix_s, text);
    put(o, name, text);
}

static void put_number(json_t *o, const char *name, unsigned v)
{
    if (v != 0)
        json_object_set_new(o, name, json_integer((json_int_t)v));
}

void mef_command_write(json_t *o, const struct mef_command *c)
{
    const struct m2m_command *m = &c->what;

    put(o, "id", m->id);
    put(o, "enrolee", c->enrolee);
    put(o, "stakeholder", c->admin_fqdn);
    put(o, "class", m2m_cmd_class_word(m->class_id));
    put(o, "protocol", m2m_cmd_word(M2M_CMD_PROTOCOL, m->protocol));
    put(o, "subject_type", m2m_cmd_word(M2M_CMD_SUBJECT_TYPE, m->subject_type));
    put(o, "subject", m->subject);
    put(o, "management", m2m_cmd_word(M2M_CMD_MANAGEMENT, m->management));
    put(o, "uri", m->uri);
    put(o, "path", m->path);
    put(o, "object_type", m2m_cmd_word(M2M_CMD_OBJECT_TYPE, m->object_type));
    put_number(o, "suid", m->suid);
    put(o, "target", m->target);
    put(o, "state", states[c->state]);
    put_number(o, "result", c->result);
    if (c->result != 0)
        put(o, "result_text", m2m_cmd_status_words(c->result));
    put_time(o, "issued", c->issued_s);
    put_time(o, "given", c->given_s);
    put_time(o, "done", c->done_s);
}
