/*
 * Fuzz target: requests of the administration (naf/mef_admin.c and what reads its rows), over a
 * registry that takes everything.  Besides not failing: the answer is one line of JSON that
 * says whether it is ok, no key is in it, and what a row is stored as is canonical.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_admin.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int depth;

static enum gba_err begin(struct mef_registry *self)
{
    (void)self;
    depth++;
    return GBA_OK;
}

static enum gba_err end(struct mef_registry *self, enum gba_err err)
{
    (void)self;
    depth--;
    return err;
}

static enum gba_err add_stakeholder(struct mef_registry *self, const char *fqdn,
                                    enum mef_origin origin)
{
    (void)self;
    if (depth != 1 || fqdn[0] == '\0' || origin != MEF_OF_ADMIN)
        abort();
    return GBA_OK;
}

static enum gba_err add_target(struct mef_registry *self, const struct mef_target *row,
                               enum mef_origin origin)
{
    (void)self;
    if (depth != 1 || row->id[0] == '\0' || row->suids == 0 || origin != MEF_OF_ADMIN)
        abort();
    return GBA_OK;
}

static enum gba_err add_enrolee(struct mef_registry *self, const struct mef_enrolee *row,
                                enum mef_origin origin)
{
    (void)self;
    if (depth != 1 || strncmp(row->id, "//", 2) != 0 || origin != MEF_OF_ADMIN)
        abort();
    return GBA_OK;
}

static enum gba_err add_credential(struct mef_registry *self, const struct mef_credential *row,
                                   enum mef_origin origin)
{
    (void)self;
    if (depth != 1 || row->name[0] == '\0' || origin != MEF_OF_ADMIN ||
        (row->kind == MEF_CRED_PSK) != (row->key_len >= MEF_PSK_MIN) ||
        row->key_len > MEF_PSK_MAX)
        abort();
    return GBA_OK;
}

static enum gba_err add_instruction(struct mef_registry *self,
                                    const struct mef_instruction *row, enum mef_origin origin)
{
    (void)self;
    if (depth != 1 || row->suids == 0 || origin != MEF_OF_ADMIN)
        abort();
    return GBA_OK;
}

static enum gba_err target_by_id(struct mef_registry *self, const char *id,
                                 struct mef_target *out)
{
    (void)self;
    memset(out, 0, sizeof(*out));
    out->suids = (uint64_t)1 << 22;
    return id[0] != '\0' ? GBA_OK : GBA_E_NOT_FOUND;
}

static enum gba_err enrolee(struct mef_registry *self, const char *id, struct mef_enrolee *out)
{
    (void)self, (void)id, (void)out;
    return GBA_OK;
}

static enum gba_err take_out(struct mef_registry *self, const struct mef_row *row)
{
    (void)self;
    return row->noun < MEF_N_NOUNS ? GBA_OK : GBA_E_NOT_FOUND;
}

static enum gba_err revoke(struct mef_registry *self, const char *id, size_t *n)
{
    (void)self, (void)id;
    *n = 0;
    return GBA_OK;
}

static enum gba_err note_batch(struct mef_registry *self, const char *token, uint64_t batch)
{
    (void)self;
    return token[0] == 's' && batch == 0 ? GBA_E_EXISTS : GBA_OK;
}

/* One row of what was asked for, with a key in it. */
static enum gba_err list(struct mef_registry *self, enum mef_noun noun, const char *id,
                         int64_t after, size_t max, mef_visit *visit, void *arg)
{
    struct mef_row row = {.noun = noun, .at = 1, .origin = MEF_OF_PROCEDURE};

    (void)self, (void)id, (void)after;
    if (max == 0 || max > MEF_ADMIN_PAGE_MAX)
        abort();
    if (noun == MEF_CREDENTIAL)
        memset(row.u.credential.key, 'K', sizeof(row.u.credential.key));
    return visit(arg, &row);
}

/* The store, as far as commands need it: every enrolee is registered. */
static enum gba_err find_reg(struct mef_store *self, const char *creator, const char *admin,
                             struct mef_reg *out)
{
    (void)self;
    if (creator[0] == '\0' || admin[0] == '\0')
        abort();
    memset(out, 0, sizeof(*out));
    out->expires_s = INT64_MAX;
    return GBA_OK;
}

static enum gba_err credential(struct mef_registry *self, enum mef_credential_kind kind,
                               const char *name, struct mef_credential *out)
{
    (void)self;
    *out = (struct mef_credential){.kind = kind, .key_len = 32};
    memset(out->key, 'K', sizeof(out->key));
    gba_text_copy(out->enrolee, sizeof(out->enrolee), gba_text(name));
    return GBA_OK;
}

static enum gba_err get_ke(struct mef_store *self, const char *key_id, struct mef_ke *out)
{
    (void)self, (void)key_id, (void)out;
    return GBA_E_NOT_FOUND;
}

static enum gba_err get_reg(struct mef_store *self, const char *ri, struct mef_reg *out)
{
    (void)self, (void)ri;
    memset(out, 0, sizeof(*out));
    return GBA_OK;
}

static enum gba_err get_key(struct mef_store *self, const char *relative_id,
                            struct mef_key *out)
{
    (void)self, (void)relative_id;
    memset(out, 0, sizeof(*out));
    memset(&out->key, 'K', sizeof(out->key));
    return GBA_OK;
}

static enum gba_err add_command(struct mef_store *self, struct mef_command *c, size_t max)
{
    (void)self, (void)max;
    if (depth != 1 || m2m_command_judge(&c->what, "mef.example") != M2M_CMD_S_OK ||
        c->what.class_id == M2M_CMD_NO_MORE_COMMANDS)
        abort();
    strcpy(c->what.id, "new");
    return GBA_OK;
}

static const struct mef_command_store commands = {.add = add_command};
static struct mef_store store = {.find_reg = find_reg,
                                 .get_ke = get_ke,
                                 .get_reg = get_reg,
                                 .get_key = get_key,
                                 .commands = &commands};

static struct mef_registry registry = {.begin = begin,
                                       .end = end,
                                       .add_stakeholder = add_stakeholder,
                                       .add_target = add_target,
                                       .add_enrolee = add_enrolee,
                                       .add_credential = add_credential,
                                       .add_instruction = add_instruction,
                                       .target_by_id = target_by_id,
                                       .enrolee = enrolee,
                                       .credential = credential,
                                       .remove = take_out,
                                       .revoke = revoke,
                                       .note_batch = note_batch,
                                       .list = list};

static void check(const char *text, size_t n)
{
    json_t *o = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);

    if (!json_is_boolean(json_object_get(o, "ok")) || memchr(text, '\n', n) != NULL ||
        memmem(text, n, "KKKKKKKK", 8) != NULL || depth != 0)
        abort();
    if (json_is_false(json_object_get(o, "ok")) && !json_is_string(json_object_get(o, "error")))
        abort();
    json_decref(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct mef_limits limits = {.enrolment_s = 1};
    struct mef_policy policy;
    const struct mef mef = {&policy, &store, &registry, NULL};
    const struct mef_admin admin = {.mef = &mef};
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    if (out == NULL || mef_policy_init(&policy, "mef.example", "sp.example", &limits) != GBA_OK)
        abort();
    mef_admin_answer(&admin, "fuzz", (struct gba_text){(const char *)data, size}, 1, out);
    if (fclose(out) == 0)
        check(text, n);
    free(text);
    return 0;
}
