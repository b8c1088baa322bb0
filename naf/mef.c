/*
 * The decisions of an MEF or MAF on Mmef or Mmaf: who asks, what `to` names, which procedure;
 * see mef.h.  The procedures are in mef_reg.c, mef_keys.c, maf_km.c and mef_cmd.c.  Keys that
 * are given out and commands note for themselves.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "naf/mef_audit.h"
#include "naf/mef_call.h"
#include "naf/mef_refusal.h"

#define N_OPS (M2M_OP_NOTIFY + 1)

/* ------------------------------------------------------------ shared by the procedures */

enum m2m_rsc mef_no(struct mef_call *k, enum m2m_rsc rsc, const char *why)
{
    k->problem->why = why;
    return rsc;
}

enum m2m_rsc mef_store_rsc(struct mef_call *k, enum gba_err err)
{
    switch (err) {
    case GBA_OK:
        return M2M_RSC_OK;
    case GBA_E_NOT_FOUND:
        return mef_no(k, M2M_RSC_NOT_FOUND, "no such resource");
    case GBA_E_EXISTS:
        return mef_no(k, M2M_RSC_CONFLICT, "exists already");
    case GBA_E_OVERLOAD:
        return mef_no(k, M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "too many of this client");
    default:
        return mef_no(k, M2M_RSC_INTERNAL_SERVER_ERROR, gba_err_text(err));
    }
}

enum m2m_rsc mef_read(struct mef_call *k, enum m2m_type type, enum m2m_use use)
{
    return m2m_codec_read(k->rq->pc, k->rq->format, type, use, &k->in, k->problem);
}

enum m2m_rsc mef_check_fqdn(struct mef_call *k)
{
    struct gba_text fqdn = m2m_text(&k->in, M2M_A_FQDN);

    return fqdn.n == 0 || gba_text_eq_nocase(fqdn, gba_text(k->m->policy->fqdn))
               ? M2M_RSC_OK
               : mef_no(k, M2M_RSC_CONTENTS_UNACCEPTABLE, "fqdn is of another");
}

bool mef_list_pack(const struct m2m_resource *r, enum m2m_attr a, char *out, size_t cap)
{
    struct gba_wbuf w;

    gba_wbuf_init(&w, out, cap);
    for (size_t i = 0; i < m2m_items(r, a); i++) {
        struct gba_text item = m2m_item(r, a, i);

        if (memchr(item.s, '\n', item.n) != NULL)
            return false;
        gba_wbuf_text(&w, item);
        gba_wbuf_u8(&w, '\n');
    }
    gba_wbuf_cstr(&w);
    return gba_wbuf_ok(&w);
}

bool mef_list_next(const char **list, struct gba_text *item)
{
    const char *end = strchr(*list, '\n');

    if (end == NULL)
        return false;
    *item = (struct gba_text){*list, (size_t)(end - *list)};
    *list = end + 1;
    return true;
}

void mef_list_unpack(struct m2m_resource *r, enum m2m_attr a, const char *list)
{
    struct gba_text item;

    while (mef_list_next(&list, &item))
        m2m_add(r, a, item);
}

void mef_locate(struct mef_call *k, const char *ri)
{
    struct gba_wbuf w;

    gba_wbuf_init(&w, k->location, sizeof(k->location));
    gba_wbuf_str(&w, "//");
    gba_wbuf_str(&w, k->m->policy->fqdn);
    gba_wbuf_str(&w, "/-/");
    gba_wbuf_str(&w, ri);
    gba_wbuf_cstr(&w);
}

/* ------------------------------------------------------------ the base */

static enum m2m_rsc retrieve_base(struct mef_call *k)
{
    struct gba_text fqdn = gba_text(k->m->policy->fqdn);

    m2m_resource_init(&k->out, k->role->base);
    m2m_set_number(&k->out, M2M_A_RESOURCE_TYPE, m2m_type_name(k->role->base)->ty);
    m2m_set_text(&k->out, M2M_A_RESOURCE_ID, GBA_TEXT("-"));
    m2m_set_text(&k->out, M2M_A_FQDN, fqdn);
    if (k->m->policy->device_config_uri[0] != '\0')
        m2m_set_text(&k->out, M2M_A_DEVICE_CONFIG_URI,
                     gba_text(k->m->policy->device_config_uri));
    return M2M_RSC_OK;
}

/* CREATE names the parent; the type is ty. */
static enum m2m_rsc create_below_base(struct mef_call *k)
{
    enum m2m_type type;

    if (k->rq->ty == 0)
        return mef_no(k, M2M_RSC_BAD_REQUEST, "no resource type");
    if (m2m_type_by_number(k->rq->ty, &type) != GBA_OK)
        return mef_no(k, M2M_RSC_INVALID_CHILD_RESOURCE_TYPE, "unknown resource type");
    if (type == k->role->registration)
        return mef_create_reg(k);
    if (type == M2M_SYMM_KEY_REG)
        return mef_create_key(k);
    return mef_no(k, M2M_RSC_INVALID_CHILD_RESOURCE_TYPE, "not a child of the base");
}

/* ------------------------------------------------------------ what `to` names */

/* Ours are hexadecimal, of which either case is read (10.3.5); upper case is kept. */
static void to_upper(char *ri)
{
    for (; *ri != '\0'; ri++)
        if (*ri >= 'a' && *ri <= 'f')
            *ri = (char)(*ri - 'a' + 'A');
}

/* A registration or a key, of which the latter may belong to somebody else. */
static enum m2m_rsc find_resource(struct mef_call *k, char *ri, enum m2m_type *type)
{
    struct mef_store *s = k->m->store;
    enum gba_err err = s->get_reg(s, ri, &k->reg);

    if (err == GBA_OK) {
        *type = k->role->registration;
        if (k->reg.expires_s <= k->now_s)
            return mef_no(k, M2M_RSC_NOT_FOUND, "expired");
        if (!mef_is_entity(k->m->policy, gba_text(k->c->id), k->reg.creator))
            return mef_no(k, M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "registration of another");
        return M2M_RSC_OK;
    }
    if (err != GBA_E_NOT_FOUND)
        return mef_store_rsc(k, err);
    *type = M2M_SYMM_KEY_REG;
    to_upper(ri);
    err = s->get_key(s, ri, &k->key);
    if (err == GBA_OK && k->key.expires_s <= k->now_s)
        return mef_no(k, M2M_RSC_NOT_FOUND, "expired");
    return mef_store_rsc(k, err);
}

static enum m2m_rsc resolve(struct mef_call *k, enum m2m_type *type)
{
    struct m2m_target to;
    char ri[MEF_RI_SIZE];
    enum m2m_rsc rsc;

    if (m2m_target_parse(gba_text(k->rq->to), &to) != GBA_OK ||
        (to.fqdn.n != 0 && !gba_text_eq_nocase(to.fqdn, gba_text(k->m->policy->fqdn))))
        return mef_no(k, M2M_RSC_NOT_FOUND, "not of this function");
    *type = k->role->base;
    if (to.n == 0)
        return M2M_RSC_OK;
    if (gba_text_copy(ri, sizeof(ri), to.segment[0]) != GBA_OK)
        return mef_no(k, M2M_RSC_NOT_FOUND, "no such resource");
    rsc = find_resource(k, ri, type);
    if (rsc != M2M_RSC_OK || to.n == 1)
        return rsc;
    if (to.n != 2 || *type != M2M_MEF_CLIENT_REG || !gba_text_is(to.segment[1], "cmd"))
        return mef_no(k, M2M_RSC_NOT_FOUND, "no such resource");
    *type = M2M_MEF_CLIENT_CMD;
    return M2M_RSC_OK;
}

/* ------------------------------------------------------------ dispatch */

typedef enum m2m_rsc procedure(struct mef_call *k);

/* TS-0003 8.3.5.2.3-10, 8.3.9.2-3, 8.8.2.  What has no entry is not allowed. */
static procedure *const procedures[M2M_N_TYPES][N_OPS] = {
    [M2M_MEF_BASE] = {[M2M_OP_CREATE] = create_below_base, [M2M_OP_RETRIEVE] = retrieve_base},
    [M2M_MEF_CLIENT_REG] = {[M2M_OP_RETRIEVE] = mef_retrieve_reg,
                            [M2M_OP_UPDATE] = mef_update_reg,
                            [M2M_OP_DELETE] = mef_delete_reg},
    [M2M_MAF_BASE] = {[M2M_OP_CREATE] = create_below_base, [M2M_OP_RETRIEVE] = retrieve_base},
    [M2M_MAF_CLIENT_REG] = {[M2M_OP_RETRIEVE] = mef_retrieve_reg,
                            [M2M_OP_UPDATE] = mef_update_reg,
                            [M2M_OP_DELETE] = mef_delete_reg},
    [M2M_SYMM_KEY_REG] = {[M2M_OP_RETRIEVE] = mef_retrieve_key,
                          [M2M_OP_UPDATE] = mef_update_key,
                          [M2M_OP_DELETE] = mef_delete_key},
    [M2M_MEF_CLIENT_CMD] =
        {[M2M_OP_RETRIEVE] = mef_retrieve_cmd, [M2M_OP_UPDATE] = mef_update_cmd},
};

static const enum m2m_rsc done[N_OPS] = {[M2M_OP_CREATE] = M2M_RSC_CREATED,
                                         [M2M_OP_RETRIEVE] = M2M_RSC_OK,
                                         [M2M_OP_UPDATE] = M2M_RSC_UPDATED,
                                         [M2M_OP_DELETE] = M2M_RSC_DELETED};

static enum m2m_rsc perform(struct mef_call *k)
{
    enum m2m_rsc rsc;

    if (k->c->id[0] == '\0')
        return mef_no(k, M2M_RSC_ORIGINATOR_HAS_NOT_REGISTERED,
                      "not an entity of this function");
    if (mef_admit(k->m, &k->c->uss) != GBA_OK)
        return mef_no(k, M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE, "5402: no USS of the GSID");
    /* an enrolee may leave it to the MEF to know its Enrolee-ID (8.3.2.1) */
    if (k->rq->fr[0] == '\0' && !k->c->is_enrolee)
        return mef_no(k, M2M_RSC_BAD_REQUEST, "no originator");
    if (k->rq->fr[0] != '\0' && !mef_is_entity(k->m->policy, gba_text(k->rq->fr), k->c->id))
        return mef_no(k, M2M_RSC_ORIGINATOR_HAS_NO_PRIVILEGE,
                      "the originator is not whom TLS authenticated");
    /* attributes, address, both or nothing; there are no children (TS-0004 7.3.1) */
    if (k->rq->rcn != M2M_RCN_DEFAULT && k->rq->rcn > 3 && k->rq->rcn != 9)
        return mef_no(k, M2M_RSC_BAD_REQUEST, "result content not supported");
    rsc = resolve(k, &k->type);
    if (rsc != M2M_RSC_OK)
        return rsc;
    if ((size_t)k->rq->op >= N_OPS || procedures[k->type][k->rq->op] == NULL)
        return mef_no(k, M2M_RSC_OPERATION_NOT_ALLOWED, "operation not allowed");
    rsc = procedures[k->type][k->rq->op](k);
    return rsc == M2M_RSC_OK ? done[k->rq->op] : rsc;
}

/* ------------------------------------------------------------ the audit log */

/* What the log calls it; NULL: not told of.  CREATE is told of by the child's type. */
static const char *const events[M2M_N_TYPES][N_OPS] = {
    [M2M_MEF_CLIENT_REG] = {[M2M_OP_CREATE] = "registration.create",
                            [M2M_OP_UPDATE] = "registration.update",
                            [M2M_OP_DELETE] = "registration.delete"},
    [M2M_MAF_CLIENT_REG] = {[M2M_OP_CREATE] = "registration.create",
                            [M2M_OP_UPDATE] = "registration.update",
                            [M2M_OP_DELETE] = "registration.delete"},
    [M2M_SYMM_KEY_REG] = {[M2M_OP_CREATE] = "key.create",
                          [M2M_OP_UPDATE] = "key.update",
                          [M2M_OP_DELETE] = "key.delete"},
};

static enum gba_err note(const struct mef_call *k, struct mef_audit_event e)
{
    e.who = k->c->id;
    e.suid = k->key.suid;
    return k->m->audit != NULL ? k->m->audit->note(k->m->audit, &e, k->now_s) : GBA_OK;
}

enum gba_err mef_note(const struct mef_call *k, const char *what, const char *whom,
                      const char *key_id, int64_t expires_s)
{
    return note(k, (struct mef_audit_event){
                       .what = what, .whom = whom, .key_id = key_id, .expires_s = expires_s});
}

/* A line for each target that may have the key. */
static enum gba_err note_targets(const struct mef_call *k, const char *what)
{
    const char *list = k->key.targets;
    char target[M2M_ID_SIZE];
    struct gba_text item;
    enum gba_err err;

    do {
        if (!mef_list_next(&list, &item))
            item = GBA_TEXT("");
        err = gba_text_copy(target, sizeof(target), item);
        if (err == GBA_OK)
            err = note(k, (struct mef_audit_event){.what = what,
                                                   .whom = k->key.creator,
                                                   .target = target,
                                                   .key_id = k->key.relative_id,
                                                   .expires_s = k->key.expires_s});
    } while (err == GBA_OK && *list != '\0');
    return err;
}

static enum gba_err note_done(struct mef_call *k)
{
    bool deleted = k->rq->op == M2M_OP_DELETE;
    enum m2m_type type = k->type;
    const char *what;

    if (k->rq->op == M2M_OP_CREATE)
        type = k->key.relative_id[0] != '\0' ? M2M_SYMM_KEY_REG : k->role->registration;
    what = events[type][k->rq->op];
    if (what == NULL)
        return GBA_OK;
    if (type != M2M_SYMM_KEY_REG)
        return mef_note(k, what, k->reg.creator, k->reg.ri, deleted ? 0 : k->reg.expires_s);
    return deleted ? mef_note(k, what, k->key.creator, k->key.relative_id, 0)
                   : note_targets(k, what);
}

/* A change and its line in the log are one: both stay, or neither.  What only reads needs no
 * room on the disk; a key that is given out needs its line. */
static enum gba_err perform_and_note(void *arg)
{
    struct mef_call *k = arg;

    k->rsc = perform(k);
    if (m2m_rsc_is_success(k->rsc))
        return note_done(k);
    return k->rsc == M2M_RSC_ORIGINATOR_HAS_ALREADY_REGISTERED
               ? GBA_OK           /* which has kept a Ke, and noted it */
               : GBA_E_CANCELLED; /* what was done before the refusal is undone */
}

static enum m2m_rsc perform_noted(struct mef_call *k)
{
    struct mef_registry *g = k->m->registry;
    enum gba_err err = k->rq->op == M2M_OP_RETRIEVE ? perform_and_note(k)
                                                    : g->transact(g, perform_and_note, k);

    if (k->rsc == 0) /* it did not begin */
        return mef_store_rsc(k, err);
    if (err == GBA_OK && k->exported && m2m_rsc_is_success(k->rsc) && k->c->spent != NULL)
        *k->c->spent = true;
    if (err == GBA_OK || !m2m_rsc_is_success(k->rsc))
        return k->rsc;
    k->location[0] = '\0';
    return mef_no(k, M2M_RSC_INTERNAL_SERVER_ERROR, gba_err_text(err));
}

static void print_content(const struct mef_call *k, struct mef_answer *a)
{
    struct gba_wbuf w;
    enum gba_err err = GBA_OK;

    gba_wbuf_init(&w, a->content, sizeof(a->content));
    if (!m2m_rsc_is_success(a->rs.rsc))
        err = m2m_codec_print_problem(&a->problem, a->rs.format, &w);
    else if (k->out.used != 0 && k->rq->rcn != 0 && k->rq->rcn != 2 &&
             k->rq->op != M2M_OP_DELETE)
        err = m2m_codec_print(&k->out, a->rs.format, &w);
    if (err != GBA_OK) {
        a->rs.rsc = M2M_RSC_INTERNAL_SERVER_ERROR;
        a->problem = (struct m2m_problem){.why = "answer too long"};
        gba_wbuf_init(&w, a->content, sizeof(a->content));
        m2m_codec_print_problem(&a->problem, a->rs.format, &w);
    }
    a->rs.pc = (struct gba_bytes){a->content, w.n};
}

void mef_request(const struct mef *m, const struct mef_client *c, const struct m2m_request *rq,
                 int64_t now_s, const uint8_t random[static 16], struct mef_answer *out)
{
    struct mef_call *k = calloc(1, sizeof(*k)); /* some 80 KiB: not for a thread's stack */

    memset(out, 0, offsetof(struct mef_answer, content));
    if (k == NULL) {
        mef_refusal(rq, M2M_RSC_INTERNAL_SERVER_ERROR, "", gba_err_text(GBA_E_NOMEM), out);
        return;
    }
    k->m = m;
    k->c = c;
    k->rq = rq;
    k->role = mef_role(m->policy->role);
    k->now_s = now_s;
    k->random = random;
    k->problem = &out->problem;
    m2m_answer(rq, perform_noted(k), &out->rs);
    memcpy(out->rs.location, k->location, sizeof(out->rs.location));
    print_content(k, out);
    m2m_resource_wipe(&k->in);
    m2m_resource_wipe(&k->out);
    gba_wipe(k, offsetof(struct mef_call, in));
    free(k);
}

void mef_answer_wipe(struct mef_answer *a)
{
    gba_wipe(a, sizeof(*a));
}
