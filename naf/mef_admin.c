/*
 * The administration of an MEF or MAF: see mef_admin.h.  One table of verbs; a change and its
 * line in the audit log are one transaction.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_admin.h"

#include <stdlib.h>
#include <string.h>

#include "naf/mef_admin_command.h"

/* One request. */
struct ask {
    const struct mef_admin *a;
    struct mef_registry *g;
    const char *who;
    int64_t now_s;
    struct mef_in in;
    json_t *reply;
};

static enum gba_err bad(struct ask *k, const char *at, enum gba_err err)
{
    if (err != GBA_OK && k->in.at[0] == '\0')
        snprintf(k->in.at, sizeof(k->in.at), "%s", at);
    return err;
}

static enum gba_err note(const struct ask *k, struct mef_audit_event e)
{
    struct mef_audit *log = k->a->mef->audit;

    e.who = k->who;
    return log != NULL ? log->note(log, &e, k->now_s) : GBA_OK;
}

static enum gba_err note_credential(const struct ask *k, const char *what,
                                    const struct mef_credential *c, const char *owner)
{
    return note(k, (struct mef_audit_event){.what = what,
                                            .whom = owner,
                                            .key_id = c->name,
                                            .expires_s = c->expires_s});
}

static enum gba_err note_instruction(const struct ask *k, const char *what,
                                     const struct mef_instruction *i)
{
    return note(k, (struct mef_audit_event){.what = what,
                                            .whom = i->enrolee,
                                            .target = i->target,
                                            .suids = i->suids,
                                            .expires_s = i->expires_s});
}

/* ------------------------------------------------------------ rows */

/* A row with a certificate's name in it. */
static enum gba_err bad_name(struct ask *k, const char *at, enum gba_err err)
{
    if (err != GBA_E_FORBIDDEN)
        return bad(k, at, err);
    return mef_in_refuse(&k->in, at, err, "one dNSName for a target and another enrolee");
}

static enum gba_err take_noun(struct ask *k, enum mef_noun *noun)
{
    struct gba_text t;
    enum gba_err err = mef_in_text(&k->in, "what", true, &t);

    return err == GBA_OK ? bad(k, "what", mef_noun_by_name(t, noun)) : err;
}

/* All of the target's SUIDs, if none are told; never more. */
static enum gba_err fill_suids(struct ask *k, struct mef_instruction *i)
{
    struct mef_target t;
    enum gba_err err = bad(k, "target", k->g->target_by_id(k->g, i->target, &t));

    if (err != GBA_OK)
        return err;
    if (i->suids == 0)
        i->suids = t.suids;
    return (i->suids & ~t.suids) == 0 ? GBA_OK : bad(k, "suids", GBA_E_FORBIDDEN);
}

static enum gba_err store_row(struct ask *k, struct mef_row *row)
{
    struct mef_registry *g = k->g;
    enum gba_err err;

    switch (row->noun) {
    case MEF_STAKEHOLDER:
        return bad(k, "fqdn", g->add_stakeholder(g, row->u.stakeholder, MEF_OF_ADMIN));
    case MEF_TARGET:
        return bad_name(k, "id", g->add_target(g, &row->u.target, MEF_OF_ADMIN));
    case MEF_ENROLEE:
        return bad(k, "id", g->add_enrolee(g, &row->u.enrolee, MEF_OF_ADMIN));
    case MEF_CREDENTIAL:
        err = g->add_credential(g, &row->u.credential, MEF_OF_ADMIN);
        return bad_name(k, err == GBA_E_NOT_FOUND ? "enrolee" : "name", err);
    default:
        err = fill_suids(k, &row->u.instruction);
        if (err != GBA_OK)
            return err;
        err = g->add_instruction(g, &row->u.instruction, MEF_OF_ADMIN);
        return bad(k, err == GBA_E_NOT_FOUND ? "enrolee" : "target", err);
    }
}

/* Whose a row that is to be removed is, for the audit log; "": nobody's, or it is not there, as
 * the removal will say. */
static void read_owner(const struct ask *k, const struct mef_row *row, char out[static M2M_ID_SIZE])
{
    struct mef_store *s = k->a->mef->store;
    struct mef_row full = *row;
    const char *whose = "";

    if (row->noun == MEF_CREDENTIAL &&
        k->g->credential(k->g, row->u.credential.kind, row->u.credential.name,
                         &full.u.credential) == GBA_OK)
        whose = full.u.credential.enrolee;
    else if (row->noun == MEF_ENROLMENT &&
             s->get_ke(s, row->u.enrolment.key_id, &full.u.enrolment) == GBA_OK)
        whose = full.u.enrolment.enrolee;
    else if (row->noun == MEF_REGISTRATION &&
             s->get_reg(s, row->u.registration.ri, &full.u.registration) == GBA_OK)
        whose = full.u.registration.creator;
    else if (row->noun == MEF_KEY &&
             s->get_key(s, row->u.key.relative_id, &full.u.key) == GBA_OK)
        whose = full.u.key.creator;
    gba_text_copy(out, M2M_ID_SIZE, gba_text(whose));
    gba_wipe(&full, sizeof(full));
}

/* owner: of what is no row of his own. */
static enum gba_err note_row(const struct ask *k, const struct mef_row *row, const char *verb,
                             const char *owner)
{
    char what[32];
    const char *first, *second;

    snprintf(what, sizeof(what), "%s.%s", mef_noun_name(row->noun), verb);
    mef_row_names(row, &first, &second);
    switch (row->noun) {
    case MEF_ENROLEE:
        return note(k, (struct mef_audit_event){.what = what, .whom = first});
    case MEF_STAKEHOLDER:
        return note(k, (struct mef_audit_event){.what = what, .target = first});
    case MEF_TARGET:
        return note(k, (struct mef_audit_event){
                           .what = what, .target = first, .suids = row->u.target.suids});
    case MEF_CREDENTIAL:
        return note_credential(k, what, &row->u.credential, owner != NULL ? owner : second);
    case MEF_INSTRUCTION:
        return note_instruction(k, what, &row->u.instruction);
    default:
        return note(k, (struct mef_audit_event){.what = what, .whom = owner, .key_id = first});
    }
}

static enum gba_err add_row(struct ask *k)
{
    struct mef_row row;
    enum mef_noun noun;
    enum gba_err err = take_noun(k, &noun);

    if (err != GBA_OK)
        return err;
    err = mef_row_read(&k->in, noun, &row);
    if (err == GBA_OK)
        err = store_row(k, &row);
    if (err == GBA_OK)
        err = note_row(k, &row, "add", NULL);
    gba_wipe(&row, sizeof(row));
    return err;
}

static enum gba_err remove_row(struct ask *k)
{
    char owner[M2M_ID_SIZE] = "";
    struct mef_row row;
    enum mef_noun noun;
    enum gba_err err = take_noun(k, &noun);

    if (err == GBA_OK)
        err = mef_row_read_name(&k->in, noun, &row);
    if (err == GBA_OK) {
        read_owner(k, &row, owner);
        err = bad(k, mef_noun_name(noun), k->g->remove(k->g, &row));
    }
    return err == GBA_OK ? note_row(k, &row, "remove", owner[0] != '\0' ? owner : NULL) : err;
}

static enum gba_err revoke(struct ask *k)
{
    char id[M2M_ID_SIZE];
    struct mef_enrolee e;
    struct gba_text t;
    size_t n = 0;
    enum gba_err err = mef_in_text(&k->in, "enrolee", true, &t);

    if (err == GBA_OK)
        err = mef_in_end(&k->in);
    if (err == GBA_OK)
        err = bad(k, "enrolee", mef_absolute(k->a->mef->policy, t, id));
    if (err == GBA_OK)
        err = k->g->revoke(k->g, id, &n);
    if (err == GBA_OK &&
        n == 0) /* one the configuration knows no more may have left something */
        err = bad(k, "enrolee", k->g->enrolee(k->g, id, &e));
    if (err != GBA_OK)
        return err;
    json_object_set_new(k->reply, "revoked", json_integer((json_int_t)n));
    return note(k, (struct mef_audit_event){.what = "enrolee.revoke", .whom = id});
}

/* ------------------------------------------------------------ commands */

/* For the client of a registration that lives (TS-0003 8.3.9). */
static enum gba_err add_command(struct ask *k, struct mef_command *c)
{
    struct mef_store *s = k->a->mef->store;
    struct mef_reg *reg = calloc(1, sizeof(*reg));
    enum gba_err err;

    if (reg == NULL)
        return GBA_E_NOMEM;
    err = s->find_reg(s, c->enrolee, c->admin_fqdn, reg);
    if (err == GBA_OK && reg->expires_s <= k->now_s)
        err = GBA_E_NOT_FOUND;
    if (err == GBA_E_NOT_FOUND)
        mef_in_refuse(&k->in, "enrolee", err, "has no registration for the stakeholder %s",
                      c->admin_fqdn);
    memcpy(c->ri, reg->ri, sizeof(c->ri));
    free(reg);
    c->issued_s = k->now_s;
    if (err == GBA_OK)
        err = s->commands->add(s, c, k->a->mef->policy->limits.commands_max);
    return bad(k, "enrolee", err);
}

/* A certificate for a node is issued to the enrolee that acts for it, and to no other. */
static enum gba_err check_subject(struct ask *k, const struct mef_command *c)
{
    enum gba_err err;

    if (c->what.class_id != M2M_CMD_CERT_PROV || c->what.subject_type != M2M_CMD_SUBJECT_NODE)
        return GBA_OK;
    err = mef_check_node(k->a->mef, c->enrolee, c->what.subject);
    if (err != GBA_E_FORBIDDEN)
        return bad(k, "subject", err);
    return mef_in_refuse(&k->in, "subject", err,
                         "not the node of this enrolee: it has no credential uri:%s",
                         c->what.subject);
}

static enum gba_err issue(struct ask *k)
{
    struct mef_command c;
    enum gba_err err;

    if (!mef_role(k->a->mef->policy->role)->enrols) /* its queue of 0 is no overload */
        return bad(k, "a MAF has no commands", GBA_E_UNSUPPORTED);
    err = mef_command_read(&k->in, &c);
    if (err == GBA_OK)
        err = check_subject(k, &c);
    if (err == GBA_OK)
        err = add_command(k, &c);
    if (err != GBA_OK)
        return err;
    json_object_set_new(k->reply, "id", json_string(c.what.id));
    return note(k, (struct mef_audit_event){
                       .what = "command.issue", .whom = c.enrolee, .key_id = c.what.id});
}

/* ------------------------------------------------------------ devices */

static enum gba_err store_credential(struct ask *k, const struct mef_credential *c)
{
    enum gba_err err = bad_name(k, c->name, k->g->add_credential(k->g, c, MEF_OF_ADMIN));

    return err == GBA_OK ? note_credential(k, "credential.add", c, c->enrolee) : err;
}

static enum gba_err store_instruction(struct ask *k, struct mef_instruction *i)
{
    enum gba_err err = fill_suids(k, i);

    if (err == GBA_OK)
        err = bad(k, i->target, k->g->add_instruction(k->g, i, MEF_OF_ADMIN));
    return err == GBA_OK ? note_instruction(k, "instruction.add", i) : err;
}

static enum gba_err store_device(struct ask *k, struct mef_device *d)
{
    enum gba_err err = bad(k, "id", k->g->add_enrolee(k->g, &d->enrolee, MEF_OF_ADMIN));

    if (err == GBA_OK)
        err = note(k, (struct mef_audit_event){.what = "device.add", .whom = d->enrolee.id});
    for (size_t i = 0; err == GBA_OK && i < d->n_credentials; i++)
        err = store_credential(k, &d->credentials[i]);
    for (size_t i = 0; err == GBA_OK && i < d->n_targets; i++)
        err = store_instruction(k, &d->targets[i]);
    return err;
}

static enum gba_err add_device(struct ask *k, const json_t *row)
{
    struct mef_device *d = calloc(1, sizeof(*d));
    enum gba_err err;

    if (d == NULL)
        return GBA_E_NOMEM;
    mef_in_init(&k->in, k->a->mef->policy, row);
    err = json_is_object(row) ? mef_device_read(&k->in, d) : bad(k, "row", GBA_E_SYNTAX);
    if (err == GBA_OK)
        err = store_device(k, d);
    gba_wipe(d, sizeof(*d));
    free(d);
    return err;
}

static enum gba_err add_one(struct ask *k)
{
    json_t *row = json_object_get(k->in.object, "row");

    k->in.taken++;
    if (row == NULL)
        return bad(k, "row", GBA_E_MISSING);
    return mef_in_end(&k->in) == GBA_OK ? add_device(k, row) : GBA_E_UNSUPPORTED;
}

/* A refusal says which row, if it is one's. */
static enum gba_err add_devices(struct ask *k, const json_t *rows)
{
    enum gba_err err = GBA_OK;

    for (size_t i = 0; err == GBA_OK && i < json_array_size(rows); i++) {
        err = add_device(k, json_array_get(rows, i));
        if (err != GBA_OK)
            json_object_set_new(k->reply, "row", json_integer((json_int_t)i));
    }
    return err;
}

static enum gba_err take_batch(struct ask *k, struct gba_text *token, uint64_t *batch,
                               json_t **rows)
{
    enum gba_err err = mef_in_text(&k->in, "import", true, token);

    if (err == GBA_OK)
        err = mef_in_number(&k->in, "batch", UINT32_MAX, 0, batch);
    if (err == GBA_OK)
        err = mef_in_array(&k->in, "rows", MEF_ADMIN_ROWS_MAX, rows);
    if (err == GBA_OK)
        err = mef_in_end(&k->in);
    if (err != GBA_OK)
        return err;
    if (*rows == NULL)
        return bad(k, "rows", GBA_E_MISSING);
    return token->n <= 64 ? GBA_OK : bad(k, "import", GBA_E_TOO_LONG);
}

/* Every row of it, or none; the answer to one that is in already is the same. */
static enum gba_err add_batch(struct ask *k)
{
    struct gba_text token;
    uint64_t batch;
    json_t *rows;
    enum gba_err err = take_batch(k, &token, &batch, &rows);

    if (err != GBA_OK)
        return err;
    err = k->g->note_batch(k->g, token.s, batch);
    if (err == GBA_E_EXISTS) {
        json_object_set_new(k->reply, "skipped", json_true());
        return GBA_OK;
    }
    return err == GBA_OK ? add_devices(k, rows) : err;
}

/* ------------------------------------------------------------ lists */

struct page {
    json_t *rows;
    int64_t last;
};

static enum gba_err collect(void *arg, const struct mef_row *row)
{
    struct page *p = arg;

    p->last = row->at;
    return json_array_append_new(p->rows, mef_row_write(row)) == 0 ? GBA_OK : GBA_E_NOMEM;
}

static enum gba_err list_rows(struct ask *k)
{
    char id[M2M_ID_SIZE];
    struct page p = {json_array(), 0};
    struct gba_text enrolee;
    uint64_t after, max;
    enum mef_noun noun;
    enum gba_err err = take_noun(k, &noun);

    json_object_set_new(k->reply, "rows", p.rows);
    if (err == GBA_OK)
        err = mef_in_text(&k->in, "enrolee", false, &enrolee);
    if (err == GBA_OK && enrolee.n != 0)
        err = bad(k, "enrolee", mef_absolute(k->a->mef->policy, enrolee, id));
    if (err == GBA_OK)
        err = mef_in_number(&k->in, "after", INT64_MAX, 0, &after);
    if (err == GBA_OK)
        err = mef_in_number(&k->in, "max", MEF_ADMIN_PAGE_MAX, MEF_ADMIN_PAGE_MAX, &max);
    if (err == GBA_OK && max == 0) /* a page of nothing has no end */
        err = bad(k, "max", GBA_E_SYNTAX);
    if (err == GBA_OK && enrolee.n != 0 && (noun == MEF_STAKEHOLDER || noun == MEF_TARGET))
        err = bad(k, "enrolee", GBA_E_UNSUPPORTED);
    if (err == GBA_OK)
        err = mef_in_end(&k->in);
    if (err == GBA_OK)
        err = k->g->list(k->g, noun, enrolee.n != 0 ? id : NULL, (int64_t)after, (size_t)max,
                         collect, &p);
    if (err == GBA_OK && json_array_size(p.rows) == max)
        json_object_set_new(k->reply, "next", json_integer((json_int_t)p.last));
    return err;
}

/* ------------------------------------------------------------ the whole */

static enum gba_err verify_audit(struct ask *k)
{
    struct mef_audit *log = k->a->mef->audit;
    uint64_t n = 0;
    enum gba_err err = mef_in_end(&k->in);

    if (err == GBA_OK)
        err = log != NULL ? log->verify(log, &n) : bad(k, "audit", GBA_E_UNSUPPORTED);
    if (err == GBA_OK)
        json_object_set_new(k->reply, "lines", json_integer((json_int_t)n));
    else if (err == GBA_E_ALTERED)
        snprintf(k->in.at, sizeof(k->in.at), "line %llu", (unsigned long long)n);
    return err;
}

static enum gba_err note_rekey(void *of)
{
    return note(of, (struct mef_audit_event){.what = "master_key.change"});
}

/* The transaction is the database's own: the new key counts from its commit on. */
static enum gba_err rekey(struct ask *k)
{
    const char *why = "master_key";
    size_t rows = 0;
    enum gba_err err = mef_in_end(&k->in);

    if (err == GBA_OK)
        err = k->a->rekey != NULL ? k->a->rekey(k->a->rekey_arg, note_rekey, k, &rows, &why)
                                  : GBA_E_UNSUPPORTED;
    if (err == GBA_OK)
        json_object_set_new(k->reply, "keys", json_integer((json_int_t)rows));
    return bad(k, why, err);
}

static const struct verb {
    const char *name;
    bool changes; /* in a transaction */
    enum gba_err (*run)(struct ask *k);
} verbs[] = {
    {"add", true, add_row},         {"remove", true, remove_row}, {"revoke", true, revoke},
    {"device", true, add_one},      {"batch", true, add_batch},   {"list", false, list_rows},
    {"audit", false, verify_audit}, {"rekey", false, rekey},      {"issue", true, issue},
};

static enum gba_err run_verb(struct ask *k, const struct verb *v)
{
    enum gba_err err = v->changes ? k->g->begin(k->g) : GBA_OK;

    if (err != GBA_OK)
        return err;
    err = v->run(k);
    return v->changes ? k->g->end(k->g, err) : err;
}

static enum gba_err perform(struct ask *k)
{
    struct gba_text t;
    enum gba_err err = mef_in_text(&k->in, "do", true, &t);

    for (size_t i = 0; err == GBA_OK && i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (gba_text_is(t, verbs[i].name))
            return run_verb(k, &verbs[i]);
    return bad(k, "do", err == GBA_OK ? GBA_E_NOT_FOUND : err);
}

/* Of what the verb has answered so far, only which row of a batch it was stays true. */
static void forget_answer(json_t *reply)
{
    json_t *row = json_incref(json_object_get(reply, "row"));

    json_object_clear(reply);
    if (row != NULL)
        json_object_set_new(reply, "row", row);
}

static void print(struct ask *k, enum gba_err err, FILE *out)
{
    if (err != GBA_OK)
        forget_answer(k->reply);
    json_object_set_new(k->reply, "ok", json_boolean(err == GBA_OK));
    if (err != GBA_OK) {
        json_object_set_new(k->reply, "error", json_string(gba_err_name(err)));
        json_object_set_new(
            k->reply, "text",
            json_string(k->in.why[0] != '\0' ? k->in.why : gba_err_text(err)));
        if (k->in.at[0] != '\0')
            json_object_set_new(k->reply, "at", json_string(k->in.at));
    }
    json_dumpf(k->reply, out, JSON_COMPACT);
}

void mef_admin_answer(const struct mef_admin *a, const char *who, struct gba_text request,
                      int64_t now_s, FILE *out)
{
    json_t *root = json_loadb(request.s, request.n, JSON_REJECT_DUPLICATES, NULL);
    struct ask k = {
        .a = a, .g = a->mef->registry, .who = who, .now_s = now_s, .reply = json_object()};
    enum gba_err err;

    mef_in_init(&k.in, a->mef->policy, root);
    err = json_is_object(root) ? perform(&k) : bad(&k, "request", GBA_E_SYNTAX);
    print(&k, err, out);
    json_decref(k.reply);
    json_decref(root);
}
