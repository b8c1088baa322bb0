/*
 * Identifiers of oneM2M entities, keys and credentials.  Forms only; what a form cannot tell
 * (is "//sp/Sx" a CSE or an AE?) the caller says by the function it calls.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_id.h"

#include <string.h>

#define SEGMENT_MAX 128

/* --- entities --------------------------------------------------------------------------- */

/* RFC 3986 unreserved: TS-0001 7.2 allows no other character in CSE-ID and AE-ID. */
static bool is_name(struct gba_text t)
{
    if (t.n == 0 || t.n > SEGMENT_MAX)
        return false;
    for (size_t i = 0; i < t.n; i++) {
        char c = t.s[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '.' || c == '_' || c == '~'))
            return false;
    }
    return true;
}

static bool is_fqdn(struct gba_text t)
{
    char canonical[GBA_FQDN_SIZE];

    return gba_fqdn_canonical(t, canonical) == GBA_OK;
}

static bool is_stem(struct gba_text t)
{
    return is_name(t) && (t.s[0] == 'C' || t.s[0] == 'S');
}

/* RFC 3986 3.1 */
static bool is_scheme(struct gba_text t)
{
    for (size_t i = 0; i < t.n; i++) {
        char c = t.s[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) &&
            (i == 0 || strchr("0123456789+-.", c) == NULL))
            return false;
    }
    return t.n != 0;
}

bool m2m_is_plain(struct gba_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if ((unsigned char)t.s[i] <= ' ' || (unsigned char)t.s[i] >= 0x7f)
            return false;
    return true;
}

struct pieces {
    struct gba_text sp, name[2];
    size_t n;
    bool bare; /* no '/' in front */
};

static enum gba_err cut(struct gba_text t, struct pieces *out)
{
    struct gba_text rest = t, head;

    *out = (struct pieces){.n = 0};
    if (t.n >= M2M_ID_SIZE)
        return GBA_E_TOO_LONG;
    if (gba_text_starts(t, "//")) {
        gba_text_split((struct gba_text){t.s + 2, t.n - 2}, '/', &out->sp, &rest);
        if (!is_fqdn(out->sp))
            return GBA_E_SYNTAX;
    } else if (gba_text_starts(t, "/")) {
        rest = (struct gba_text){t.s + 1, t.n - 1};
    } else {
        out->bare = true;
    }
    while (rest.n != 0 && out->n < 2) {
        bool more = gba_text_split(rest, '/', &head, &rest);

        if (!is_name(head) || (more && rest.n == 0))
            return GBA_E_SYNTAX;
        out->name[out->n++] = head;
    }
    return rest.n == 0 && out->n != 0 && !(out->bare && out->n != 1) ? GBA_OK : GBA_E_SYNTAX;
}

enum gba_err m2m_cse_id_parse(struct gba_text t, struct m2m_id *out)
{
    struct pieces p;
    enum gba_err err = cut(t, &p);

    *out = (struct m2m_id){.sp = p.sp};
    if (err != GBA_OK)
        return err;
    if (p.bare || p.n != 1)
        return GBA_E_SYNTAX;
    out->cse = p.name[0];
    return GBA_OK;
}

enum gba_err m2m_ae_id_parse(struct gba_text t, struct m2m_id *out)
{
    struct pieces p;
    enum gba_err err = cut(t, &p);

    *out = (struct m2m_id){.sp = p.sp};
    if (err != GBA_OK)
        return err;
    out->ae = p.name[p.n - 1];
    if (p.n == 2)
        out->cse = p.name[0];
    /* A stem that a CSE assigned ("C") needs that CSE, unless it stands bare. */
    return is_stem(out->ae) && (p.n == 2 || p.bare || out->ae.s[0] == 'S') ? GBA_OK
                                                                           : GBA_E_SYNTAX;
}

enum gba_err m2m_entity_parse(struct gba_text t, struct m2m_id *out)
{
    struct pieces p;
    enum gba_err err = cut(t, &p);

    *out = (struct m2m_id){.sp = p.sp};
    if (err != GBA_OK)
        return err;
    return p.bare || p.n == 2 ? m2m_ae_id_parse(t, out) : m2m_cse_id_parse(t, out);
}

enum gba_err m2m_id_absolute(const struct m2m_id *id, struct gba_text sp,
                             char out[static M2M_ID_SIZE])
{
    struct gba_text domain = id->sp.n != 0 ? id->sp : sp;
    struct gba_wbuf w;

    out[0] = '\0';
    if (domain.n == 0 || (id->cse.n == 0 && (id->ae.n == 0 || id->ae.s[0] != 'S')))
        return GBA_E_SYNTAX;
    gba_wbuf_init(&w, out, M2M_ID_SIZE);
    gba_wbuf_str(&w, "//");
    gba_wbuf_text(&w, domain);
    if (id->cse.n != 0) {
        gba_wbuf_str(&w, "/");
        gba_wbuf_text(&w, id->cse);
    }
    if (id->ae.n != 0) {
        gba_wbuf_str(&w, "/");
        gba_wbuf_text(&w, id->ae);
    }
    gba_wbuf_cstr(&w);
    if (gba_wbuf_ok(&w))
        return GBA_OK;
    out[0] = '\0';
    return GBA_E_TOO_LONG;
}

bool m2m_id_eq(const struct m2m_id *a, const struct m2m_id *b, struct gba_text sp)
{
    return gba_text_eq_nocase(a->sp.n != 0 ? a->sp : sp, b->sp.n != 0 ? b->sp : sp) &&
           gba_text_eq(a->cse, b->cse) && gba_text_eq(a->ae, b->ae);
}

bool m2m_is_node_id(struct gba_text t)
{
    struct gba_text scheme, rest;

    return t.n < M2M_ID_SIZE && m2m_is_plain(t) && gba_text_split(t, ':', &scheme, &rest) &&
           is_scheme(scheme) && rest.n != 0;
}

enum gba_err m2m_cse_domain(const struct m2m_id *cse, struct gba_text in_cse,
                            char out[static GBA_FQDN_SIZE])
{
    char room[2 * SEGMENT_MAX + GBA_FQDN_SIZE];
    struct gba_wbuf w;

    out[0] = '\0';
    if (cse->sp.n == 0 || cse->cse.n == 0 || cse->ae.n != 0)
        return GBA_E_SYNTAX;
    gba_wbuf_init(&w, room, sizeof(room));
    gba_wbuf_text(&w, cse->cse);
    gba_wbuf_str(&w, ".");
    if (in_cse.n != 0) {
        gba_wbuf_text(&w, in_cse);
        gba_wbuf_str(&w, ".");
    }
    gba_wbuf_text(&w, cse->sp);
    if (!gba_wbuf_ok(&w))
        return GBA_E_SYNTAX;
    return gba_fqdn_canonical(gba_bytes_text(gba_wbuf_bytes(&w)), out);
}

/* --- key identifiers -------------------------------------------------------------------- */

bool m2m_is_relative_key_id(struct gba_text t)
{
    if (t.n > M2M_RELATIVE_ID_MAX)
        return false;
    return is_name(t) && memchr(t.s, '~', t.n) == NULL;
}

static bool is_btid_left(struct gba_text t, uint8_t rand[16])
{
    size_t n;

    return t.n == GBA_BASE64_LEN(16) && gba_unbase64(rand, 16, t, &n) == GBA_OK && n == 16;
}

enum gba_err m2m_key_id_parse(struct gba_text t, struct m2m_key_id *out)
{
    *out = (struct m2m_key_id){.form = M2M_KEY_ID_NAMED};
    if (t.n >= M2M_KEY_ID_TEXT_SIZE)
        return GBA_E_TOO_LONG;
    if (!gba_text_split(t, '@', &out->left, &out->fqdn) || !is_fqdn(out->fqdn))
        return GBA_E_SYNTAX;
    /* The padding "==" of 16 octets is outside the grammar of names: no identifier has two
     * forms. */
    if (is_btid_left(out->left, out->octets)) {
        out->form = M2M_KEY_ID_GBA;
        return GBA_OK;
    }
    if (!m2m_is_relative_key_id(out->left))
        return out->left.n > M2M_RELATIVE_ID_MAX ? GBA_E_TOO_LONG : GBA_E_SYNTAX;
    if (gba_unhex_exact(out->octets, 16, out->left) == GBA_OK)
        out->form = M2M_KEY_ID_HEX;
    else
        memset(out->octets, 0, sizeof(out->octets));
    return GBA_OK;
}

bool m2m_is_ke_id_of_another(struct gba_text t, const char *fqdn)
{
    struct m2m_key_id id;

    return m2m_key_id_parse(t, &id) == GBA_OK && id.form == M2M_KEY_ID_HEX &&
           !gba_text_eq_nocase(id.fqdn, gba_text(fqdn));
}

enum gba_err m2m_key_id_canonical(const struct m2m_key_id *id,
                                  char out[static M2M_KEY_ID_TEXT_SIZE])
{
    char fqdn[GBA_FQDN_SIZE];
    enum gba_err err = gba_fqdn_canonical(id->fqdn, fqdn);

    out[0] = '\0';
    if (err != GBA_OK)
        return err;
    memcpy(out, id->left.s, id->left.n);
    for (size_t i = 0; i < id->left.n; i++) {
        if (id->form == M2M_KEY_ID_HEX && out[i] >= 'a' && out[i] <= 'f')
            out[i] = (char)(out[i] - 'a' + 'A');
        else if (id->form == M2M_KEY_ID_NAMED && out[i] >= 'A' && out[i] <= 'Z')
            out[i] = (char)(out[i] - 'A' + 'a');
    }
    out[id->left.n] = '@';
    return gba_text_copy(out + id->left.n + 1, GBA_FQDN_SIZE, gba_text(fqdn));
}

/* --- credential identifiers ------------------------------------------------------------- */

/* TS-0003 12.3.2.1. */
static const struct m2m_credential_type credential_types[] = {
    {10, "KpmID"},
    {11, "KmID"},
    {12, "KpsaID or KcID"},
    {13, "pairwiseESPrimKeyID"},
    {14, "ESData key, direct encryption"},
    {15, "ESData key, key wrap"},
    {16, "ESData key, HMAC"},
    {30, "raw public key"},
    {31, "device certificate"},
    {32, "CSE-ID certificate"},
    {33, "AE-ID certificate"},
    {34, "Node-ID certificate"},
    {41, "raw public key, ESData key management"},
    {42, "device certificate, ESData key management"},
    {43, "CSE-ID certificate, ESData key management"},
    {44, "AE-ID certificate, ESData key management"},
    {45, "Node-ID certificate, ESData key management"},
    {51, "raw public key, ESData signature"},
    {52, "device certificate, ESData signature"},
    {53, "CSE-ID certificate, ESData signature"},
    {54, "AE-ID certificate, ESData signature"},
    {55, "Node-ID certificate, ESData signature"},
};

const struct m2m_credential_type *m2m_credential_type_find(unsigned id)
{
    for (size_t i = 0; i < sizeof(credential_types) / sizeof(credential_types[0]); i++)
        if (credential_types[i].id == id)
            return &credential_types[i];
    return NULL;
}

static bool is_credential_value(struct gba_text t)
{
    struct m2m_key_id id;

    if (m2m_key_id_parse(t, &id) == GBA_OK && id.form == M2M_KEY_ID_GBA)
        return true;
    if (t.n == 0 || t.n >= M2M_KEY_ID_TEXT_SIZE)
        return false;
    for (size_t i = 0; i < t.n; i++)
        if (t.s[i] != '@' && !m2m_is_relative_key_id((struct gba_text){t.s + i, 1}))
            return false;
    return true;
}

enum gba_err m2m_credential_id_parse(struct gba_text t, unsigned *type, struct gba_text *value)
{
    struct gba_text head;
    uint64_t number;

    *type = 0;
    if (!gba_text_split(t, '-', &head, value) || head.n != 2 ||
        gba_text_number(head, 99, &number) != GBA_OK ||
        m2m_credential_type_find((unsigned)number) == NULL || !is_credential_value(*value))
        return GBA_E_SYNTAX;
    *type = (unsigned)number;
    return GBA_OK;
}

enum gba_err m2m_credential_id_print(unsigned type, struct gba_text value, struct gba_wbuf *out)
{
    if (m2m_credential_type_find(type) == NULL || !is_credential_value(value))
        return GBA_E_SYNTAX;
    gba_wbuf_number(out, type);
    gba_wbuf_str(out, "-");
    gba_wbuf_text(out, value);
    return gba_wbuf_ok(out) ? GBA_OK : GBA_E_TOO_LONG;
}

/* --- SUID ------------------------------------------------------------------------------- */

/* TS-0004 6.3.4.2.39: tens say where the key comes from, units what it is for. */
static const struct m2m_suid suids[] = {
    {10, M2M_KEY_PRE_PROVISIONED, M2M_FEATURE_MEF},
    {11, M2M_KEY_PRE_PROVISIONED, M2M_FEATURE_MAF},
    {12, M2M_KEY_PRE_PROVISIONED, M2M_FEATURE_SAEF},
    {13, M2M_KEY_PRE_PROVISIONED, M2M_FEATURE_ESPRIM},
    {14, M2M_KEY_PRE_PROVISIONED, M2M_FEATURE_ESDATA_ENC},
    {15, M2M_KEY_PRE_PROVISIONED, M2M_FEATURE_ESDATA_SIGN},
    {21, M2M_KEY_RSPF, M2M_FEATURE_MAF},
    {22, M2M_KEY_RSPF, M2M_FEATURE_SAEF},
    {23, M2M_KEY_RSPF, M2M_FEATURE_ESPRIM},
    {24, M2M_KEY_RSPF, M2M_FEATURE_ESDATA_ENC},
    {25, M2M_KEY_RSPF, M2M_FEATURE_ESDATA_SIGN},
    {32, M2M_KEY_MAF, M2M_FEATURE_SAEF},
    {33, M2M_KEY_MAF, M2M_FEATURE_ESPRIM},
    {34, M2M_KEY_MAF, M2M_FEATURE_ESDATA_ENC},
    {35, M2M_KEY_MAF, M2M_FEATURE_ESDATA_SIGN},
    {40, M2M_KEY_CERTIFICATE, M2M_FEATURE_MEF},
    {41, M2M_KEY_CERTIFICATE, M2M_FEATURE_MAF},
    {42, M2M_KEY_CERTIFICATE, M2M_FEATURE_SAEF},
    {43, M2M_KEY_CERTIFICATE, M2M_FEATURE_ESPRIM},
    {44, M2M_KEY_CERTIFICATE, M2M_FEATURE_ESDATA_ENC},
    {45, M2M_KEY_CERTIFICATE, M2M_FEATURE_ESDATA_SIGN},
};

const struct m2m_suid *m2m_suid_find(uint64_t value)
{
    for (size_t i = 0; i < sizeof(suids) / sizeof(suids[0]); i++)
        if (suids[i].value == value)
            return &suids[i];
    return NULL;
}

bool m2m_suid_takes_targets(const struct m2m_suid *s, size_t n)
{
    bool many = s->feature == M2M_FEATURE_ESDATA_ENC || s->feature == M2M_FEATURE_ESDATA_SIGN;

    return many ? n >= 1 : n == 1;
}
