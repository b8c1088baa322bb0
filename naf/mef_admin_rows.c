/*
 * Rows of the administration in JSON: see mef_admin_rows.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_admin_rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/timestamp.h"
#include "naf/mef_admin_command.h"

static const char *const nouns[MEF_N_NOUNS] = {
    [MEF_STAKEHOLDER] = "stakeholder",   [MEF_TARGET] = "target",
    [MEF_ENROLEE] = "enrolee",           [MEF_CREDENTIAL] = "credential",
    [MEF_INSTRUCTION] = "instruction",   [MEF_ENROLMENT] = "enrolment",
    [MEF_REGISTRATION] = "registration", [MEF_KEY] = "key",
    [MEF_COMMAND] = "command",
};
static const char *const origins[] = {"configuration", "administration", "procedure"};
/* As in the configuration (mefd_conf.c). */
static const char *const derivations[] = {"usage", "kpsa", "km"};
static const char *const naf_keys[] = {"me", "uicc"};
static const char default_ua[] = "01000100ae"; /* RULES: TLS_PSK_WITH_AES_128_CBC_SHA256 */

enum gba_err mef_noun_by_name(struct gba_text name, enum mef_noun *out)
{
    for (int i = 0; i < MEF_N_NOUNS; i++)
        if (gba_text_is(name, nouns[i])) {
            *out = (enum mef_noun)i;
            return GBA_OK;
        }
    return GBA_E_NOT_FOUND;
}

const char *mef_noun_name(enum mef_noun noun)
{
    return nouns[noun];
}

/* ------------------------------------------------------------ members */

void mef_in_init(struct mef_in *in, const struct mef_policy *p, const json_t *object)
{
    *in = (struct mef_in){.policy = p, .object = object};
}

static enum gba_err bad(struct mef_in *in, const char *name, enum gba_err err)
{
    snprintf(in->at, sizeof(in->at), "%s", name);
    return err;
}

static enum gba_err judge(struct mef_in *in, const char *name, enum gba_err err)
{
    return err == GBA_OK ? GBA_OK : bad(in, name, err);
}

enum gba_err mef_in_refuse(struct mef_in *in, const char *name, enum gba_err err,
                           const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(in->why, sizeof(in->why), format, args);
    va_end(args);
    return bad(in, name, err);
}

static json_t *take(struct mef_in *in, const char *name)
{
    json_t *v = json_object_get(in->object, name);

    in->taken += v != NULL;
    return v;
}

enum gba_err mef_in_text(struct mef_in *in, const char *name, bool required,
                         struct gba_text *out)
{
    json_t *v = take(in, name);

    *out = (struct gba_text){"", 0};
    if (v == NULL)
        return required ? bad(in, name, GBA_E_MISSING) : GBA_OK;
    if (!json_is_string(v) || json_string_length(v) == 0 ||
        strlen(json_string_value(v)) != json_string_length(v))
        return bad(in, name, GBA_E_SYNTAX);
    *out = gba_text(json_string_value(v));
    return GBA_OK;
}

enum gba_err mef_in_fqdn(struct mef_in *in, const char *name, char out[static GBA_FQDN_SIZE])
{
    struct gba_text t;
    enum gba_err err = mef_in_text(in, name, true, &t);

    if (err == GBA_OK && gba_fqdn_canonical(t, out) != GBA_OK)
        err = mef_in_refuse(in, name, GBA_E_SYNTAX, "not an FQDN");
    return err;
}

enum gba_err mef_in_number(struct mef_in *in, const char *name, uint64_t max, uint64_t deflt,
                           uint64_t *out)
{
    json_t *v = take(in, name);

    *out = deflt;
    if (v == NULL)
        return GBA_OK;
    if (!json_is_integer(v) || json_integer_value(v) < 0 ||
        (uint64_t)json_integer_value(v) > max)
        return bad(in, name, GBA_E_SYNTAX);
    *out = (uint64_t)json_integer_value(v);
    return GBA_OK;
}

enum gba_err mef_in_array(struct mef_in *in, const char *name, size_t max, json_t **out)
{
    *out = take(in, name);
    if (*out != NULL && !json_is_array(*out))
        return bad(in, name, GBA_E_SYNTAX);
    return json_array_size(*out) > max ? bad(in, name, GBA_E_TOO_LONG) : GBA_OK;
}

enum gba_err mef_in_end(struct mef_in *in)
{
    return in->taken == json_object_size(in->object)
               ? GBA_OK
               : bad(in, "a member that is not known here", GBA_E_UNSUPPORTED);
}

/* ------------------------------------------------------------ values */

/* Absent: 0. */
static enum gba_err take_suids(struct mef_in *in, uint64_t *out)
{
    json_t *list, *v;
    uint64_t bit;
    size_t i;
    enum gba_err err = mef_in_array(in, "suids", 64, &list);

    *out = 0;
    if (err != GBA_OK)
        return err;
    json_array_foreach(list, i, v)
    {
        if (!json_is_integer(v) || json_integer_value(v) < 0)
            return bad(in, "suids", GBA_E_SYNTAX);
        err = mef_suid_bit((uint64_t)json_integer_value(v), &bit);
        if (err != GBA_OK)
            return bad(in, "suids", err);
        *out |= bit;
    }
    return GBA_OK;
}

/* Absent: 0, which is for ever. */
static enum gba_err take_expiry(struct mef_in *in, int64_t *out)
{
    struct gba_text t;
    enum gba_err err = mef_in_text(in, "expires", false, &t);

    *out = 0;
    if (err != GBA_OK || t.n == 0)
        return err;
    return judge(in, "expires", gba_datetime_parse(t, out));
}

static enum gba_err take_entity(struct mef_in *in, const char *name,
                                char out[static M2M_ID_SIZE])
{
    struct gba_text t;
    enum gba_err err = mef_in_text(in, name, true, &t);

    return err == GBA_OK ? judge(in, name, mef_absolute(in->policy, t, out)) : err;
}

static enum gba_err take_copy(struct mef_in *in, const char *name, char *out, size_t cap)
{
    struct gba_text t;
    enum gba_err err = mef_in_text(in, name, true, &t);

    return err == GBA_OK ? judge(in, name, gba_text_copy(out, cap, t)) : err;
}

/* ------------------------------------------------------------ rows */

static enum gba_err read_stakeholder(struct mef_in *in, struct mef_row *row)
{
    char fqdn[GBA_FQDN_SIZE];
    enum gba_err err = mef_in_fqdn(in, "fqdn", fqdn);

    if (err == GBA_OK)
        memcpy(row->u.stakeholder, fqdn, sizeof(fqdn));
    return err;
}

static enum gba_err take_derivation(struct mef_in *in, enum mef_derivation *out)
{
    struct gba_text t;
    enum gba_err err = mef_in_text(in, "derivation", false, &t);

    *out = MEF_USAGE_KEY;
    if (err != GBA_OK || t.n == 0)
        return err;
    for (size_t i = 0; i < sizeof(derivations) / sizeof(derivations[0]); i++)
        if (gba_text_is(t, derivations[i])) {
            *out = (enum mef_derivation)i;
            return GBA_OK;
        }
    return bad(in, "derivation", GBA_E_SYNTAX);
}

/* Absent: the ME's. */
static enum gba_err take_naf_key(struct mef_in *in, bool *uicc)
{
    struct gba_text t;
    enum gba_err err = mef_in_text(in, "naf_key", false, &t);

    *uicc = gba_text_is(t, naf_keys[1]);
    if (err != GBA_OK || t.n == 0 || *uicc || gba_text_is(t, naf_keys[0]))
        return err;
    return bad(in, "naf_key", GBA_E_SYNTAX);
}

static enum gba_err read_target(struct mef_in *in, struct mef_row *row)
{
    uint8_t ua[GBA_UA_ID_LEN];
    enum mef_derivation derivation;
    struct gba_text id, fqdn, hex;
    uint64_t suids;
    bool uicc;
    enum gba_err err = mef_in_text(in, "id", true, &id);

    if (err == GBA_OK)
        err = mef_in_text(in, "fqdn", false, &fqdn);
    if (err == GBA_OK)
        err = mef_in_text(in, "ua_id", false, &hex);
    if (err == GBA_OK)
        err = judge(in, "ua_id",
                    gba_unhex_exact(ua, sizeof(ua), hex.n != 0 ? hex : gba_text(default_ua)));
    if (err == GBA_OK)
        err = take_derivation(in, &derivation);
    if (err == GBA_OK)
        err = take_naf_key(in, &uicc);
    if (err == GBA_OK)
        err = take_suids(in, &suids);
    if (err != GBA_OK)
        return err;
    if (suids == 0)
        return bad(in, "suids", GBA_E_MISSING);
    err = mef_target_make(in->policy, id, fqdn.n != 0 ? fqdn.s : NULL, ua, suids, derivation,
                          &row->u.target);
    row->u.target.uicc = uicc;
    return judge(in, "id", err);
}

static enum gba_err read_enrolee(struct mef_in *in, struct mef_row *row)
{
    struct gba_text t;
    enum gba_err err = mef_in_text(in, "id", true, &t);

    return err == GBA_OK ? judge(in, "id", mef_enrolee_make(in->policy, t, &row->u.enrolee))
                         : err;
}

static enum gba_err take_key(struct mef_in *in, const char *name, struct mef_credential *c)
{
    struct gba_text hex;
    enum gba_err err = mef_in_text(in, name, c->kind == MEF_CRED_PSK, &hex);

    if (err != GBA_OK || hex.n == 0)
        return err;
    if (c->kind != MEF_CRED_PSK)
        return bad(in, name, GBA_E_UNSUPPORTED);
    err = gba_unhex(c->key, sizeof(c->key), hex, &c->key_len);
    if (err == GBA_OK && c->key_len < MEF_PSK_MIN)
        err = GBA_E_SYNTAX;
    return judge(in, name, err);
}

static enum gba_err take_credential_name(struct mef_in *in, struct mef_credential *c)
{
    struct gba_text t;
    enum gba_err err = mef_in_text(in, "kind", true, &t);

    if (err == GBA_OK)
        err = judge(in, "kind", mef_credential_kind_by_name(t, &c->kind));
    if (err == GBA_OK)
        err = mef_in_text(in, "name", true, &t);
    return err == GBA_OK ? judge(in, "name", mef_credential_name(c->kind, t, c->name)) : err;
}

/* With whom a key is shared, where its file says so: one of another MEF or MAF has no place here. */
static enum gba_err take_peer(struct mef_in *in)
{
    char fqdn[GBA_FQDN_SIZE];
    struct gba_text t;
    enum gba_err err = mef_in_text(in, "peer", false, &t);

    if (err != GBA_OK || t.n == 0)
        return err;
    err = gba_fqdn_canonical(t, fqdn);
    if (err == GBA_OK && strcmp(fqdn, in->policy->fqdn) != 0)
        err = GBA_E_FORBIDDEN;
    return judge(in, "peer", err);
}

static enum gba_err read_credential(struct mef_in *in, struct mef_row *row)
{
    struct mef_credential *c = &row->u.credential;
    enum gba_err err = take_credential_name(in, c);

    if (err == GBA_OK)
        err = take_entity(in, "enrolee", c->enrolee);
    if (err == GBA_OK)
        err = take_expiry(in, &c->expires_s);
    if (err == GBA_OK)
        err = take_peer(in);
    return err == GBA_OK ? take_key(in, "key", c) : err;
}

static enum gba_err take_instruction_name(struct mef_in *in, struct mef_instruction *i)
{
    enum gba_err err = take_entity(in, "enrolee", i->enrolee);

    return err == GBA_OK ? take_entity(in, "target", i->target) : err;
}

static enum gba_err read_instruction(struct mef_in *in, struct mef_row *row)
{
    struct mef_instruction *i = &row->u.instruction;
    enum gba_err err = take_instruction_name(in, i);

    if (err == GBA_OK)
        err = take_suids(in, &i->suids);
    return err == GBA_OK ? take_expiry(in, &i->expires_s) : err;
}

enum gba_err mef_row_read(struct mef_in *in, enum mef_noun noun, struct mef_row *row)
{
    static enum gba_err (*const readers[MEF_N_NOUNS])(struct mef_in *, struct mef_row *) = {
        [MEF_STAKEHOLDER] = read_stakeholder, [MEF_TARGET] = read_target,
        [MEF_ENROLEE] = read_enrolee,         [MEF_CREDENTIAL] = read_credential,
        [MEF_INSTRUCTION] = read_instruction,
    };
    enum gba_err err;

    memset(row, 0, sizeof(*row));
    row->noun = noun;
    row->origin = MEF_OF_ADMIN;
    if (readers[noun] == NULL)
        return bad(in, "what", GBA_E_UNSUPPORTED);
    err = readers[noun](in, row);
    return err == GBA_OK ? mef_in_end(in) : err;
}

static enum gba_err read_name(struct mef_in *in, struct mef_row *row)
{
    switch (row->noun) {
    case MEF_STAKEHOLDER:
        return read_stakeholder(in, row);
    case MEF_TARGET:
        return take_entity(in, "id", row->u.target.id);
    case MEF_ENROLEE:
        return take_entity(in, "id", row->u.enrolee.id);
    case MEF_CREDENTIAL:
        return take_credential_name(in, &row->u.credential);
    case MEF_INSTRUCTION:
        return take_instruction_name(in, &row->u.instruction);
    case MEF_ENROLMENT:
        return take_copy(in, "id", row->u.enrolment.key_id, sizeof(row->u.enrolment.key_id));
    case MEF_REGISTRATION:
        return take_copy(in, "id", row->u.registration.ri, sizeof(row->u.registration.ri));
    case MEF_COMMAND:
        return take_copy(in, "id", row->u.command.what.id, sizeof(row->u.command.what.id));
    default:
        return take_copy(in, "id", row->u.key.relative_id, sizeof(row->u.key.relative_id));
    }
}

enum gba_err mef_row_read_name(struct mef_in *in, enum mef_noun noun, struct mef_row *row)
{
    enum gba_err err;

    memset(row, 0, sizeof(*row));
    row->noun = noun;
    err = read_name(in, row);
    return err == GBA_OK ? mef_in_end(in) : err;
}

void mef_row_names(const struct mef_row *row, const char **first, const char **second)
{
    *second = NULL;
    switch (row->noun) {
    case MEF_STAKEHOLDER:
        *first = row->u.stakeholder;
        return;
    case MEF_TARGET:
        *first = row->u.target.id;
        return;
    case MEF_ENROLEE:
        *first = row->u.enrolee.id;
        return;
    case MEF_CREDENTIAL:
        *first = row->u.credential.name;
        *second = row->u.credential.enrolee;
        return;
    case MEF_INSTRUCTION:
        *first = row->u.instruction.enrolee;
        *second = row->u.instruction.target;
        return;
    case MEF_ENROLMENT:
        *first = row->u.enrolment.key_id;
        return;
    case MEF_REGISTRATION:
        *first = row->u.registration.ri;
        return;
    case MEF_COMMAND:
        *first = row->u.command.what.id;
        return;
    default:
        *first = row->u.key.relative_id;
        return;
    }
}

/* ------------------------------------------------------------ writing */

static void put(json_t *o, const char *name, const char *value)
{
    if (value[0] != '\0')
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

static void put_suids(json_t *o, uint64_t suids)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < 64; i++)
        if (mef_suid_in(suids, i))
            json_array_append_new(list, json_integer((json_int_t)i));
    json_object_set_new(o, "suids", list);
}

static void put_lines(json_t *o, const char *name, const char *list)
{
    json_t *out = json_array();

    for (const char *end; (end = strchr(list, '\n')) != NULL; list = end + 1)
        json_array_append_new(out, json_stringn(list, (size_t)(end - list)));
    if (json_array_size(out) != 0)
        json_object_set(o, name, out);
    json_decref(out);
}

static void put_target(json_t *o, const struct mef_target *t)
{
    char hex[2 * GBA_UA_ID_LEN + 1];

    gba_hex(hex, GBA_BYTES(t->ua_id));
    put(o, "id", t->id);
    put(o, "fqdn", t->fqdn);
    put(o, "ua_id", hex);
    put(o, "derivation", derivations[t->derivation]);
    put(o, "naf_key", naf_keys[t->uicc]);
    put_suids(o, t->suids);
}

static void put_standing(json_t *o, const struct mef_row *r)
{
    const struct mef_credential *c = &r->u.credential;
    const struct mef_instruction *i = &r->u.instruction;

    if (r->noun == MEF_STAKEHOLDER) {
        put(o, "fqdn", r->u.stakeholder);
    } else if (r->noun == MEF_TARGET) {
        put_target(o, &r->u.target);
    } else if (r->noun == MEF_ENROLEE) {
        put(o, "id", r->u.enrolee.id);
    } else if (r->noun == MEF_CREDENTIAL) {
        put(o, "kind", mef_credential_kind_name(c->kind));
        put(o, "name", c->name);
        put(o, "enrolee", c->enrolee);
        put_time(o, "expires", c->expires_s);
    } else {
        put(o, "enrolee", i->enrolee);
        put(o, "target", i->target);
        put_suids(o, i->suids);
        put_time(o, "expires", i->expires_s);
    }
    put(o, "origin", origins[r->origin]);
}

static void put_key(json_t *o, const struct mef_key *k)
{
    put(o, "id", k->relative_id);
    put(o, "enrolee", k->creator);
    put(o, "stakeholder", k->admin_fqdn);
    json_object_set_new(o, "suid", json_integer((json_int_t)k->suid));
    put_lines(o, "targets", k->targets);
    put_lines(o, "labels", k->labels);
    put_time(o, "created", k->created_s);
    put_time(o, "expires", k->expires_s);
}

static void put_made(json_t *o, const struct mef_row *r)
{
    const struct mef_ke *e = &r->u.enrolment;
    const struct mef_reg *g = &r->u.registration;

    if (r->noun == MEF_ENROLMENT) {
        put(o, "id", e->key_id);
        put(o, "enrolee", e->enrolee);
        put_time(o, "created", e->created_s);
        put_time(o, "expires", e->expires_s);
    } else if (r->noun == MEF_REGISTRATION) {
        put(o, "id", g->ri);
        put(o, "enrolee", g->creator);
        put(o, "stakeholder", g->admin_fqdn);
        put_lines(o, "labels", g->labels);
        put_time(o, "created", g->created_s);
        put_time(o, "expires", g->expires_s);
    } else if (r->noun == MEF_COMMAND) {
        mef_command_write(o, &r->u.command);
    } else {
        put_key(o, &r->u.key);
    }
}

json_t *mef_row_write(const struct mef_row *row)
{
    json_t *o = json_object();

    if (o != NULL && row->noun < MEF_ENROLMENT)
        put_standing(o, row);
    else if (o != NULL)
        put_made(o, row);
    return o;
}
