/*
 * The standing facts of an MEF or MAF and the forms of its rows: see mef_policy.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_policy.h"

#include <string.h>

#include "common/m2m_command.h"

#define BIT(n) ((uint64_t)1 << (n))

enum gba_err mef_policy_init(struct mef_policy *p, const char *fqdn, const char *sp,
                             const struct mef_limits *limits)
{
    memset(p, 0, sizeof(*p));
    p->limits = *limits;
    p->gsid = MEF_GSID_DEFAULT;
    if (gba_fqdn_canonical(gba_text(fqdn), p->fqdn) != GBA_OK)
        return GBA_E_SYNTAX;
    return sp == NULL ? GBA_OK : gba_fqdn_canonical(gba_text(sp), p->sp);
}

enum gba_err mef_policy_device_config(struct mef_policy *p, const char *text)
{
    struct m2m_command c = {.class_id = M2M_CMD_DEV_CFG};

    if (m2m_device_config_read(gba_text(text), &c) != GBA_OK ||
        m2m_command_judge(&c, p->fqdn) != M2M_CMD_S_OK ||
        gba_text_copy(p->device_config_uri, sizeof(p->device_config_uri), gba_text(text)) !=
            GBA_OK)
        return GBA_E_SYNTAX;
    return GBA_OK;
}

/* ------------------------------------------------------------ entities */

/* A name without '/' is a MAF's FQDN; a bare stem ("Cabc") has no dot. */
static bool is_maf(struct gba_text id)
{
    return id.n != 0 && memchr(id.s, '/', id.n) == NULL && memchr(id.s, '.', id.n) != NULL;
}

static enum gba_err absolute(const struct mef_policy *p, const struct m2m_id *id,
                             char out[static M2M_ID_SIZE])
{
    char sp[GBA_FQDN_SIZE];
    struct m2m_id canonical = *id;

    if (id->sp.n != 0) {
        if (gba_fqdn_canonical(id->sp, sp) != GBA_OK)
            return GBA_E_SYNTAX;
        canonical.sp = gba_text(sp);
    }
    return m2m_id_absolute(&canonical, gba_text(p->sp), out);
}

enum gba_err mef_absolute(const struct mef_policy *p, struct gba_text text,
                          char out[static M2M_ID_SIZE])
{
    struct m2m_id id;

    out[0] = '\0';
    if (is_maf(text))
        return gba_fqdn_canonical(text, out);
    if (m2m_entity_parse(text, &id) != GBA_OK || absolute(p, &id, out) != GBA_OK)
        return GBA_E_SYNTAX;
    return GBA_OK;
}

bool mef_is_entity(const struct mef_policy *p, struct gba_text text, const char *id)
{
    char given[M2M_ID_SIZE], own[M2M_ID_SIZE];

    return id[0] != '\0' && mef_absolute(p, text, given) == GBA_OK &&
           mef_absolute(p, gba_text(id), own) == GBA_OK && strcmp(given, own) == 0;
}

/* ------------------------------------------------------------ SUIDs */

enum gba_err mef_suid_bit(uint64_t suid, uint64_t *out)
{
    const struct m2m_suid *s = m2m_suid_find(suid);

    *out = 0;
    if (s == NULL || (s->source != M2M_KEY_RSPF && s->source != M2M_KEY_MAF))
        return GBA_E_ARGUMENT;
    *out = BIT(suid);
    return GBA_OK;
}

bool mef_suid_in(uint64_t suids, unsigned suid)
{
    return suid < 64 && (suids & BIT(suid)) != 0;
}

/* ------------------------------------------------------------ rows */

/* The public domain name of a CSE: <CSE-ID>.<SP>, or <CSE-ID>.<IN-CSE-ID>.<SP> below an IN-CSE
 * that only fqdn tells (TS-0001 6.5.1.1); no other name proves this CSE. */
static enum gba_err read_domain(const struct m2m_id *cse, const char *fqdn,
                                char out[static GBA_FQDN_SIZE])
{
    char own[GBA_FQDN_SIZE];
    struct gba_text given, name, rest, in_cse;
    enum gba_err err = m2m_cse_domain(cse, GBA_TEXT(""), own);

    if (err != GBA_OK || fqdn == NULL) {
        memcpy(out, own, sizeof(own));
        return err;
    }
    err = gba_fqdn_canonical(gba_text(fqdn), out);
    if (err != GBA_OK || strcmp(out, own) == 0)
        return err;
    given = gba_text(out);
    if (!gba_text_split(given, '.', &name, &rest) || !gba_text_split(rest, '.', &in_cse, &rest))
        return GBA_E_SYNTAX;
    err = m2m_cse_domain(cse, in_cse, own);
    return err == GBA_OK && strcmp(out, own) == 0 ? GBA_OK : GBA_E_SYNTAX;
}

static enum gba_err read_target_id(const struct mef_policy *p, struct gba_text id,
                                   const char *fqdn, struct mef_target *t)
{
    struct m2m_id cse;

    t->is_maf = is_maf(id);
    if (t->is_maf) {
        if (gba_fqdn_canonical(id, t->id) != GBA_OK)
            return GBA_E_SYNTAX;
        return gba_fqdn_canonical(fqdn != NULL ? gba_text(fqdn) : id, t->fqdn);
    }
    if (m2m_cse_id_parse(id, &cse) != GBA_OK || absolute(p, &cse, t->id) != GBA_OK)
        return GBA_E_SYNTAX;
    return m2m_cse_id_parse(gba_text(t->id), &cse) == GBA_OK ? read_domain(&cse, fqdn, t->fqdn)
                                                             : GBA_E_SYNTAX;
}

/* 33.222's identifier of a TLS 1.2 suite: no other is of TLS-PSK as TS-0003 10.2.2 has it. */
static bool is_tls12_ua(const uint8_t ua_id[static GBA_UA_ID_LEN])
{
    static const uint8_t prefix[] = {1, 0, 1};

    return memcmp(ua_id, prefix, sizeof(prefix)) == 0;
}

enum gba_err mef_target_make(const struct mef_policy *p, struct gba_text id, const char *fqdn,
                             const uint8_t ua_id[static GBA_UA_ID_LEN], uint64_t suids,
                             enum mef_derivation derivation, struct mef_target *out)
{
    memset(out, 0, sizeof(*out));
    if (read_target_id(p, id, fqdn, out) != GBA_OK)
        return GBA_E_SYNTAX;
    if (!is_tls12_ua(ua_id) || (mef_suid_in(suids, 21) && mef_suid_in(suids, 22)))
        return GBA_E_ARGUMENT;
    memcpy(out->ua_id, ua_id, sizeof(out->ua_id));
    out->suids = suids;
    out->derivation = derivation;
    return GBA_OK;
}

enum gba_err mef_enrolee_make(const struct mef_policy *p, struct gba_text id,
                              struct mef_enrolee *out)
{
    struct m2m_id entity;

    memset(out, 0, sizeof(*out));
    return m2m_entity_parse(id, &entity) == GBA_OK && absolute(p, &entity, out->id) == GBA_OK
               ? GBA_OK
               : GBA_E_SYNTAX;
}

/* ------------------------------------------------------------ credentials */

static const char *const kind_names[MEF_N_CRED_KINDS] = {[MEF_CRED_GBA] = "gba",
                                                         [MEF_CRED_PSK] = "psk",
                                                         [MEF_CRED_CERT] = "cert",
                                                         [MEF_CRED_RPK] = "rpk"};

const char *mef_credential_kind_name(enum mef_credential_kind kind)
{
    return kind_names[kind];
}

enum gba_err mef_credential_kind_by_name(struct gba_text name, enum mef_credential_kind *out)
{
    for (int i = 0; i < MEF_N_CRED_KINDS; i++)
        if (gba_text_is(name, kind_names[i])) {
            *out = (enum mef_credential_kind)i;
            return GBA_OK;
        }
    return GBA_E_SYNTAX;
}

/* No form of KpmID is given (12.2 has "thiskey@mymef.com"): any text without blanks that a
 * psk_identity and a line of a file can hold. */
static enum gba_err psk_name(struct gba_text name, char out[static MEF_CRED_NAME_SIZE])
{
    struct m2m_key_id id;

    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.s[i] <= ' ' || name.s[i] == 0x7f)
            return GBA_E_SYNTAX;
    if (name.n == 0 || name.n >= MEF_CRED_NAME_SIZE)
        return GBA_E_SYNTAX;
    if (m2m_key_id_parse(name, &id) == GBA_OK)
        return m2m_key_id_canonical(&id, out);
    return gba_text_copy(out, MEF_CRED_NAME_SIZE, name);
}

static bool is_oid(struct gba_text t)
{
    struct gba_text arc, rest = t;
    size_t n = 0;

    for (bool more = true; more; n++) {
        more = gba_text_split(rest, '.', &arc, &rest);
        if (arc.n == 0 || (arc.n > 1 && arc.s[0] == '0'))
            return false;
        for (size_t i = 0; i < arc.n; i++)
            if (arc.s[i] < '0' || arc.s[i] > '9')
                return false;
    }
    return n >= 2;
}

/* OID:HEX, the octets as the certificate has them; in lower case, as certificates' are read. */
static bool other_name(struct gba_text t, char out[static MEF_CRED_NAME_SIZE])
{
    struct gba_text oid, hex;

    if (!gba_text_split(t, ':', &oid, &hex) || !is_oid(oid) || hex.n == 0 || hex.n % 2 != 0 ||
        gba_text_copy(out, MEF_CRED_NAME_SIZE, t) != GBA_OK)
        return false;
    for (char *c = out + oid.n + 1; *c != '\0'; c++) {
        if (strchr("0123456789abcdefABCDEF", *c) == NULL)
            return false;
        if (*c >= 'A' && *c <= 'F')
            *c += 'a' - 'A';
    }
    return true;
}

/* Exact match (8.1.2.5), so only what has several spellings is made one. */
static enum gba_err cert_name(struct gba_text name, char out[static MEF_CRED_NAME_SIZE])
{
    char fqdn[GBA_FQDN_SIZE], other[MEF_CRED_NAME_SIZE];
    struct gba_text kind, value;
    struct gba_wbuf w;

    if (!gba_text_split(name, ':', &kind, &value) || value.n == 0)
        return GBA_E_SYNTAX;
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.s[i] <= ' ' || value.s[i] == 0x7f)
            return GBA_E_SYNTAX;
    if (gba_text_is(kind, "dns")) {
        if (gba_fqdn_canonical(value, fqdn) != GBA_OK)
            return GBA_E_SYNTAX;
        value = gba_text(fqdn);
    } else if (gba_text_is(kind, "other")) {
        if (!other_name(value, other))
            return GBA_E_SYNTAX;
        value = gba_text(other);
    } else if (!gba_text_is(kind, "uri")) {
        return GBA_E_SYNTAX;
    }
    gba_wbuf_init(&w, out, MEF_CRED_NAME_SIZE);
    gba_wbuf_text(&w, kind);
    gba_wbuf_str(&w, ":");
    gba_wbuf_text(&w, value);
    gba_wbuf_cstr(&w);
    return gba_wbuf_ok(&w) ? GBA_OK : GBA_E_SYNTAX;
}

static enum gba_err rpk_name(struct gba_text name, char out[static MEF_CRED_NAME_SIZE])
{
    uint8_t digest[32];

    if (gba_unhex_exact(digest, sizeof(digest), name) != GBA_OK)
        return GBA_E_SYNTAX;
    gba_hex(out, GBA_BYTES(digest));
    return GBA_OK;
}

enum gba_err mef_credential_name(enum mef_credential_kind kind, struct gba_text name,
                                 char out[static MEF_CRED_NAME_SIZE])
{
    out[0] = '\0';
    switch (kind) {
    case MEF_CRED_GBA:
        return gba_impi_check(name) == GBA_OK ? gba_text_copy(out, GBA_IMPI_SIZE, name)
                                              : GBA_E_SYNTAX;
    case MEF_CRED_PSK:
        return psk_name(name, out);
    case MEF_CRED_CERT:
        return cert_name(name, out);
    case MEF_CRED_RPK:
        return rpk_name(name, out);
    default:
        return GBA_E_SYNTAX;
    }
}
