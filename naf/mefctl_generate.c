/*
 * mefctl add credential --generate: a new Kpm or Km, its credential file (doc/CREDENTIALS.md)
 * for the device, then its row at the daemon.  The file comes first: a row whose key no file
 * has is of no use, and the daemon hands no key out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/host/random.h"
#include "common/identity.h"
#include "common/m2m_credential.h"
#include "common/timestamp.h"
#include "naf/ca_file.h"

#define KEY_LEN      32 /* what a Km has (TS-0003 10.3.2); of a Kpm no size is given */
#define RELATIVE_LEN 16 /* octets of an identifier in front of '@', as of a RelativeKeyID */

/* ---- the members told, as a credential ---- */

/* A value of the file has no blanks and nothing that a terminal or a line would obey. */
static bool is_word(const char *s)
{
    for (; *s > ' ' && *s < 0x7f; s++)
        ;
    return *s == '\0';
}

static int take(const json_t *row, const char *member, char *out, size_t cap)
{
    const char *s = json_string_value(json_object_get(row, member));

    if (s == NULL || (is_word(s) && gba_text_copy(out, cap, gba_text(s)) == GBA_OK))
        return CTL_OK;
    ctl_say(member, "too long, or with what a credential file has not (doc/CREDENTIALS.md)");
    return CTL_USAGE;
}

static int draw(uint8_t *out, size_t n)
{
    enum gba_err err = random_octets(out, n);

    if (err != GBA_OK)
        ctl_say(NULL, "a new key: %s", gba_err_text(err));
    return err == GBA_OK ? CTL_OK : CTL_IO;
}

static int take_kind(const json_t *row, enum m2m_credential_kind *out)
{
    const char *s = json_string_value(json_object_get(row, "kind"));

    for (int k = 0; s != NULL && k < M2M_N_CRED_KINDS; k++)
        if (k != M2M_CRED_KPSA && /* which is its registrar's */
            strcmp(s, m2m_credential_kind_name((enum m2m_credential_kind)k)) == 0) {
            *out = (enum m2m_credential_kind)k;
            return CTL_OK;
        }
    ctl_say("kind", "with --generate kpm, of an MEF, or km, of a MAF");
    return CTL_USAGE;
}

static int take_expires(const json_t *row, int64_t *out)
{
    const char *s = json_string_value(json_object_get(row, "expires"));

    if (s == NULL || (gba_datetime_parse(gba_text(s), out) == GBA_OK && *out > 0))
        return CTL_OK;
    ctl_say("expires", "not a time as 2030-01-02T03:04:05Z");
    return CTL_USAGE;
}

static int make_identifier(struct m2m_credential *c)
{
    char relative[2 * RELATIVE_LEN + 1];
    uint8_t octets[RELATIVE_LEN];
    int rc = draw(octets, sizeof(octets));

    gba_hex_upper(relative, GBA_BYTES(octets));
    snprintf(c->key_id, sizeof(c->key_id), "%s@%s", relative, c->peer);
    return rc;
}

/* The identifier has its MEF's or MAF's FQDN behind the '@' (TS-0003 10.6): one says the other.
 */
static int take_identifier(const json_t *row, struct m2m_credential *c)
{
    const char *at;
    int rc = take(row, "name", c->key_id, sizeof(c->key_id));

    if (rc == CTL_OK)
        rc = take(row, "peer", c->peer, sizeof(c->peer));
    at = strchr(c->key_id, '@');
    if (rc == CTL_OK && c->peer[0] == '\0' && at != NULL)
        memcpy(c->peer, at + 1, strlen(at + 1) + 1);
    if (rc == CTL_OK && gba_fqdn_check(gba_text(c->peer)) != GBA_OK) {
        ctl_say("peer", "the FQDN of the MEF or MAF is needed, here or behind the @ of name");
        rc = CTL_USAGE;
    }
    if (rc == CTL_OK && c->key_id[0] == '\0')
        rc = make_identifier(c);
    return rc;
}

static int make(const json_t *row, struct m2m_credential *out)
{
    int rc = take_kind(row, &out->kind);

    if (rc == CTL_OK)
        rc = take(row, "enrolee", out->entity, sizeof(out->entity));
    if (rc == CTL_OK)
        rc = take_expires(row, &out->expires_s);
    if (rc == CTL_OK)
        rc = take_identifier(row, out);
    out->key_len = KEY_LEN;
    return rc == CTL_OK ? draw(out->key, KEY_LEN) : rc;
}

/* As mef_admin_answer takes it: what kind of a key a psk is, and whose, only the file says. */
static void to_row(const struct m2m_credential *c, json_t *row)
{
    char hex[2 * KEY_LEN + 1];

    gba_hex(hex, (struct gba_bytes){c->key, c->key_len});
    json_object_set_new(row, "kind", json_string("psk"));
    json_object_set_new(row, "name", json_string(c->key_id));
    json_object_set_new(row, "key", json_string(hex));
    json_object_set_new(row, "peer", json_string(c->peer));
    gba_wipe(hex, sizeof(hex));
}

/* ---- the file ---- */

static int write_file(const struct ctl_options *o, const struct m2m_credential *c)
{
    uint8_t octets[M2M_CREDENTIAL_MAX], seal[CTL_SEAL_LEN], nonce[12];
    struct gba_wbuf w;
    enum gba_err err;
    int rc = o->out_seal != NULL ? ctl_seal_read(o->out_seal, seal) : CTL_OK;

    if (rc != CTL_OK)
        return rc;
    gba_wbuf_init(&w, octets, sizeof(octets));
    if (o->out_seal == NULL)
        err = m2m_credential_print(c, &w);
    else if ((err = random_octets(nonce, sizeof(nonce))) == GBA_OK)
        err = m2m_credential_seal(c, seal, nonce, &w);
    if (err != GBA_OK || ca_file_write_new(o->out, gba_wbuf_bytes(&w)) != GBA_OK) {
        ctl_say(o->out, "%s", err != GBA_OK ? gba_err_text(err) : strerror(errno));
        rc = CTL_IO;
    }
    gba_wipe(octets, sizeof(octets));
    gba_wipe(seal, sizeof(seal));
    return rc;
}

static void take_back(const char *path)
{
    if (unlink(path) != 0)
        ctl_say(path, "holds a key without a row, and cannot be removed: %s", strerror(errno));
    else
        ca_file_sync_folder(path); /* else it might be there again after a crash */
}

/* ---- both ---- */

static int place(struct ctl_link *l, const struct ctl_options *o, json_t *row,
                 const struct m2m_credential *c, json_t **reply)
{
    int rc = ctl_ask(l, row, reply);

    if (rc == CTL_OK && json_is_true(json_object_get(*reply, "ok")))
        json_object_set_new(*reply, "name", json_string(c->key_id));
    else if (rc == CTL_OK || rc == CTL_REFUSED || !ctl_is_sent(l))
        take_back(o->out);
    else
        ctl_say(NULL,
                "%s is kept: the row %s may be there or not. mefctl list credential shows it; "
                "if it is not there, mefctl add credential --file places it",
                o->out, c->key_id);
    return rc;
}

int ctl_generate(struct ctl_link *l, const struct ctl_options *o, json_t *row, json_t **reply)
{
    struct m2m_credential c = {.kind = M2M_CRED_KPM};
    int rc = make(row, &c);

    *reply = NULL;
    if (rc == CTL_OK)
        rc = write_file(o, &c);
    if (rc == CTL_OK) {
        to_row(&c, row);
        rc = place(l, o, row, &c, reply);
    } else {
        json_decref(row);
    }
    gba_wipe(&c, sizeof(c));
    return rc;
}
