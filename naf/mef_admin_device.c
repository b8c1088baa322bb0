/*
 * A device of the administration: an enrolee with its credentials and instructions in one row,
 * as batches have them.  See mef_admin_rows.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "common/timestamp.h"
#include "naf/mef_admin_rows.h"

static enum gba_err bad(struct mef_in *in, const char *name, enum gba_err err)
{
    if (err != GBA_OK)
        snprintf(in->at, sizeof(in->at), "%s", name);
    return err;
}

static enum gba_err add(struct mef_in *in, struct mef_device *d, const char *member,
                        enum mef_credential_kind kind, struct gba_text name)
{
    struct mef_credential *c = &d->credentials[d->n_credentials];

    c->kind = kind;
    memcpy(c->enrolee, d->enrolee.id, sizeof(c->enrolee));
    d->n_credentials++;
    return bad(in, member, mef_credential_name(kind, name, c->name));
}

static enum gba_err take_named(struct mef_in *in, struct mef_device *d, const char *member,
                               enum mef_credential_kind kind)
{
    struct gba_text t;
    enum gba_err err = mef_in_text(in, member, false, &t);

    return err == GBA_OK && t.n != 0 ? add(in, d, member, kind, t) : err;
}

static enum gba_err take_psk(struct mef_in *in, struct mef_device *d)
{
    struct mef_credential *c = &d->credentials[d->n_credentials];
    struct gba_text id, key;
    enum gba_err err = mef_in_text(in, "kpm_id", false, &id);

    if (err == GBA_OK)
        err = mef_in_text(in, "kpm", id.n != 0, &key);
    if (err != GBA_OK || (id.n == 0 && key.n == 0))
        return err;
    if (id.n == 0)
        return bad(in, "kpm_id", GBA_E_MISSING);
    err = gba_unhex(c->key, sizeof(c->key), key, &c->key_len);
    if (err != GBA_OK || c->key_len < MEF_PSK_MIN)
        return bad(in, "kpm", err != GBA_OK ? err : GBA_E_SYNTAX);
    return add(in, d, "kpm_id", MEF_CRED_PSK, id);
}

static enum gba_err take_certificates(struct mef_in *in, struct mef_device *d)
{
    json_t *list, *v;
    size_t i;
    enum gba_err err = mef_in_array(in, "certificates", MEF_ADMIN_LIST, &list);

    json_array_foreach(list, i, v)
    {
        if (err != GBA_OK)
            return err;
        if (!json_is_string(v))
            return bad(in, "certificates", GBA_E_SYNTAX);
        err = add(in, d, "certificates", MEF_CRED_CERT, gba_text(json_string_value(v)));
    }
    return err;
}

static enum gba_err take_targets(struct mef_in *in, struct mef_device *d)
{
    json_t *list, *v;
    size_t i;
    enum gba_err err = mef_in_array(in, "targets", MEF_ADMIN_LIST, &list);

    json_array_foreach(list, i, v)
    {
        struct mef_instruction *t = &d->targets[d->n_targets];

        if (err != GBA_OK)
            return err;
        if (!json_is_string(v))
            return bad(in, "targets", GBA_E_SYNTAX);
        memcpy(t->enrolee, d->enrolee.id, sizeof(t->enrolee));
        err = bad(in, "targets",
                  mef_absolute(in->policy, gba_text(json_string_value(v)), t->target));
        d->n_targets++;
    }
    return err;
}

/* Enrolment Expiry, of every instruction. */
static enum gba_err take_expiry(struct mef_in *in, struct mef_device *d)
{
    struct gba_text t;
    int64_t expires_s = 0;
    enum gba_err err = mef_in_text(in, "expires", false, &t);

    if (err == GBA_OK && t.n != 0)
        err = bad(in, "expires", gba_datetime_parse(t, &expires_s));
    for (size_t i = 0; i < d->n_targets; i++)
        d->targets[i].expires_s = expires_s;
    return err;
}

enum gba_err mef_device_read(struct mef_in *in, struct mef_device *d)
{
    struct gba_text id;
    enum gba_err err = mef_in_text(in, "id", true, &id);

    memset(d, 0, sizeof(*d));
    if (err == GBA_OK)
        err = bad(in, "id", mef_enrolee_make(in->policy, id, &d->enrolee));
    if (err == GBA_OK)
        err = take_named(in, d, "impi", MEF_CRED_GBA);
    if (err == GBA_OK)
        err = take_psk(in, d);
    if (err == GBA_OK)
        err = take_named(in, d, "rpk", MEF_CRED_RPK);
    if (err == GBA_OK)
        err = take_certificates(in, d);
    if (err == GBA_OK)
        err = take_targets(in, d);
    if (err == GBA_OK)
        err = take_expiry(in, d);
    return err == GBA_OK ? mef_in_end(in) : err;
}
