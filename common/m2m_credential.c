/*
 * A credential as text, plain or sealed: see m2m_credential.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_credential.h"

#include <string.h>

#include "common/crypto.h"
#include "common/timestamp.h"

#define HEAD       "opengaa-credential=1"
#define SEALED     "OpenGAA sealed 1\n" /* in front of nonce and ciphertext */
#define SEALED_LEN (sizeof(SEALED) - 1)

static const char *const kinds[M2M_N_CRED_KINDS] = {
    [M2M_CRED_KPM] = "kpm", [M2M_CRED_KPSA] = "kpsa", [M2M_CRED_KM] = "km"};

const char *m2m_credential_kind_name(enum m2m_credential_kind kind)
{
    return kinds[kind];
}

/* ------------------------------------------------------------ values */

static enum gba_err read_kind(struct m2m_credential *c, struct gba_text v)
{
    for (int i = 0; i < M2M_N_CRED_KINDS; i++)
        if (gba_text_is(v, kinds[i])) {
            c->kind = (enum m2m_credential_kind)i;
            return GBA_OK;
        }
    return GBA_E_SYNTAX;
}

static enum gba_err read_key(struct m2m_credential *c, struct gba_text v)
{
    enum gba_err err = gba_unhex(c->key, sizeof(c->key), v, &c->key_len);

    return err == GBA_OK && c->key_len >= M2M_CREDENTIAL_KEY_MIN ? GBA_OK : GBA_E_SYNTAX;
}

static enum gba_err read_expires(struct m2m_credential *c, struct gba_text v)
{
    return gba_datetime_parse(v, &c->expires_s) == GBA_OK && c->expires_s > 0 ? GBA_OK
                                                                              : GBA_E_SYNTAX;
}

static enum gba_err read_fqdn(struct m2m_credential *c, struct gba_text v)
{
    return gba_fqdn_canonical(v, c->fqdn);
}

/* Printable and without blanks: it goes onto a wire and into lines. */
static bool is_word(struct gba_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if ((unsigned char)t.s[i] <= ' ' || (unsigned char)t.s[i] >= 0x7f)
            return false;
    return t.n != 0;
}

#define TEXT(member)                                                                           \
    .at = offsetof(struct m2m_credential, member),                                             \
    .size = sizeof(((struct m2m_credential *)0)->member)

static const struct field {
    const char *name;
    enum gba_err (*read)(struct m2m_credential *c, struct gba_text v); /* NULL: a word */
    size_t at, size;
    bool mandatory;
} fields[] = {
    {.name = "kind", .read = read_kind, .mandatory = true},
    {.name = "key_id", TEXT(key_id), .mandatory = true},
    {.name = "key", .read = read_key, .mandatory = true},
    {.name = "entity", TEXT(entity)},
    {.name = "peer", TEXT(peer), .mandatory = true},
    {.name = "fqdn", .read = read_fqdn},
    {.name = "suite", TEXT(suite)},
    {.name = "expires", .read = read_expires},
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

/* ------------------------------------------------------------ reading */

static enum gba_err read_line(struct gba_text line, struct m2m_credential *c, unsigned *seen)
{
    struct gba_text name, value;

    if (!gba_text_split(line, '=', &name, &value))
        return GBA_E_SYNTAX;
    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct field *f = &fields[i];

        if (!gba_text_is(name, f->name))
            continue;
        if ((*seen & 1u << i) != 0)
            return GBA_E_REPEATED;
        *seen |= 1u << i;
        if (f->read != NULL)
            return f->read(c, value);
        return is_word(value) && gba_text_copy((char *)c + f->at, f->size, value) == GBA_OK
                   ? GBA_OK
                   : GBA_E_SYNTAX;
    }
    return GBA_E_SYNTAX;
}

/* Kpsa and Km have 256 bits (10.3.2, 10.3.3); no size of Kpm is given. */
static enum gba_err check_whole(struct m2m_credential *c, unsigned seen)
{
    for (size_t i = 0; i < N_FIELDS; i++)
        if (fields[i].mandatory && (seen & 1u << i) == 0)
            return GBA_E_MISSING;
    return c->kind == M2M_CRED_KPM || c->key_len == 32 ? GBA_OK : GBA_E_SYNTAX;
}

static enum gba_err read_lines(struct gba_text text, struct m2m_credential *c, unsigned *line)
{
    struct gba_text head, rest = text;
    unsigned seen = 0;

    for (*line = 1; rest.n != 0; (*line)++) {
        enum gba_err err = GBA_OK;

        gba_text_split(rest, '\n', &head, &rest);
        if (head.n != 0 && head.s[head.n - 1] == '\r')
            head.n--;
        if (*line == 1)
            err = gba_text_is(head, HEAD) ? GBA_OK : GBA_E_SYNTAX;
        else if (head.n != 0 && head.s[0] != '#')
            err = read_line(head, c, &seen);
        if (err != GBA_OK)
            return err;
    }
    *line = 0;
    return check_whole(c, seen);
}

enum gba_err m2m_credential_read(struct gba_text text, struct m2m_credential *out,
                                 unsigned *line)
{
    enum gba_err err;

    *line = 0;
    memset(out, 0, sizeof(*out));
    err =
        text.n > M2M_CREDENTIAL_MAX || text.n == 0 ? GBA_E_SYNTAX : read_lines(text, out, line);
    if (err != GBA_OK)
        gba_wipe(out, sizeof(*out));
    return err;
}

/* ------------------------------------------------------------ printing */

static void print_value(struct gba_wbuf *w, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    gba_wbuf_str(w, name);
    gba_wbuf_str(w, "=");
    gba_wbuf_str(w, value);
    gba_wbuf_str(w, "\n");
}

enum gba_err m2m_credential_print(const struct m2m_credential *c, struct gba_wbuf *out)
{
    char expires[GBA_DATETIME_SIZE] = "";

    if (c->expires_s != 0)
        gba_datetime(c->expires_s, expires);
    gba_wbuf_str(out, HEAD "\n");
    print_value(out, "kind", kinds[c->kind]);
    print_value(out, "key_id", c->key_id);
    gba_wbuf_str(out, "key=");
    gba_wbuf_hex(out, (struct gba_bytes){c->key, c->key_len});
    gba_wbuf_str(out, "\n");
    print_value(out, "entity", c->entity);
    print_value(out, "peer", c->peer);
    print_value(out, "fqdn", c->fqdn);
    print_value(out, "suite", c->suite);
    print_value(out, "expires", expires);
    return gba_wbuf_ok(out) ? GBA_OK : GBA_E_TOO_LONG;
}

/* ------------------------------------------------------------ sealed */

enum gba_err m2m_credential_seal(const struct m2m_credential *c,
                                 const uint8_t seal_key[static 32],
                                 const uint8_t nonce[static 12], struct gba_wbuf *out)
{
    uint8_t plain[M2M_CREDENTIAL_MAX], sealed[M2M_CREDENTIAL_MAX + GBA_SEAL_TAG];
    struct gba_wbuf w;
    enum gba_err err;

    gba_wbuf_init(&w, plain, sizeof(plain) - SEALED_LEN - GBA_SEAL_NONCE - GBA_SEAL_TAG);
    err = m2m_credential_print(c, &w);
    if (err == GBA_OK) {
        gba_seal(seal_key, nonce, gba_text_bytes(GBA_TEXT(SEALED)), gba_wbuf_bytes(&w), sealed);
        gba_wbuf_str(out, SEALED);
        gba_wbuf_put(out, (struct gba_bytes){nonce, GBA_SEAL_NONCE});
        gba_wbuf_put(out, (struct gba_bytes){sealed, w.n + GBA_SEAL_TAG});
        err = gba_wbuf_ok(out) ? GBA_OK : GBA_E_TOO_LONG;
    }
    gba_wipe(plain, sizeof(plain));
    return err;
}

static enum gba_err unseal(struct gba_bytes rest, const uint8_t *seal_key,
                           struct m2m_credential *out, unsigned *line)
{
    uint8_t plain[M2M_CREDENTIAL_MAX];
    struct gba_bytes sealed;
    enum gba_err err;

    if (seal_key == NULL || rest.n < GBA_SEAL_NONCE + GBA_SEAL_TAG || rest.n > sizeof(plain))
        return GBA_E_CRYPTO;
    sealed = (struct gba_bytes){rest.p + GBA_SEAL_NONCE, rest.n - GBA_SEAL_NONCE};
    err = gba_unseal(seal_key, rest.p, gba_text_bytes(GBA_TEXT(SEALED)), sealed, plain);
    if (err == GBA_OK)
        err = m2m_credential_read(
            (struct gba_text){(const char *)plain, sealed.n - GBA_SEAL_TAG}, out, line);
    gba_wipe(plain, sizeof(plain));
    return err;
}

enum gba_err m2m_credential_open(struct gba_bytes octets, const uint8_t *seal_key,
                                 struct m2m_credential *out, unsigned *line)
{
    struct gba_text text = gba_bytes_text(octets);

    *line = 0;
    memset(out, 0, sizeof(*out));
    if (!gba_text_starts(text, SEALED))
        return m2m_credential_read(text, out, line);
    return unseal((struct gba_bytes){octets.p + SEALED_LEN, octets.n - SEALED_LEN}, seal_key,
                  out, line);
}
