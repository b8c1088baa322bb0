/*
 * Representations of resources: the checks that JSON and XML share.  Values are stored one by
 * one, each against its row in m2m_names.c and its rule in m2m_codec_rules.c; then the whole is
 * checked for what is missing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_codec_form.h"

#include <string.h>

#include "common/timestamp.h"
#include "common/xml.h"

enum m2m_rsc m2m_refuse(const struct m2m_reading *rd, enum m2m_rsc rsc,
                        struct gba_text attribute, const char *why)
{
    if (attribute.n >= sizeof(rd->problem->attribute))
        attribute.n = sizeof(rd->problem->attribute) - 1;
    /* What came from outside goes into logs and answers: only plain characters. */
    for (size_t i = 0; i < attribute.n; i++) {
        char c = attribute.s[i];

        rd->problem->attribute[i] = c > ' ' && c < 0x7f && c != '"' && c != '\\' ? c : '?';
    }
    rd->problem->attribute[attribute.n] = '\0';
    rd->problem->why = why;
    return rsc;
}

enum m2m_rsc m2m_refuse_value(const struct m2m_reading *rd, const struct m2m_rule *rule,
                              enum m2m_rsc rsc, const char *why)
{
    return m2m_refuse(rd, rsc, gba_text(m2m_attr_name(rule->attr)->long_name), why);
}

static enum m2m_rsc bad(const struct m2m_reading *rd, const struct m2m_rule *rule,
                        const char *why)
{
    return m2m_refuse_value(rd, rule, M2M_RSC_BAD_REQUEST, why);
}

static enum m2m_rsc unacceptable(const struct m2m_reading *rd, const struct m2m_rule *rule,
                                 const char *why)
{
    return m2m_refuse_value(rd, rule, M2M_RSC_CONTENTS_UNACCEPTABLE, why);
}

bool m2m_is_answer(const struct m2m_reading *rd)
{
    return rd->use == M2M_USE_ANSWER || rd->use == M2M_USE_OUTLINE;
}

const struct m2m_rule *m2m_rule_to_read(const struct m2m_reading *rd, enum m2m_attr parent,
                                        struct gba_text name)
{
    const struct m2m_rule *rule = m2m_rule_by_name(rd->r->type, parent, name);

    return rule != NULL && rule->attr == M2M_A_CMD_ARGS && rd->use == M2M_USE_OUTLINE ? NULL
                                                                                      : rule;
}

/* --- one value -------------------------------------------------------------------------- */

static enum m2m_presence presence(const struct m2m_reading *rd, const struct m2m_rule *rule)
{
    if (m2m_is_answer(rd))
        return M2M_MAY_KEEP;
    return rd->use == M2M_USE_CREATE ? rule->create : rule->update;
}

enum m2m_rsc m2m_put_begin(struct m2m_reading *rd, const struct m2m_rule *rule)
{
    const struct m2m_value *v = &rd->r->v[rule->attr];

    if (presence(rd, rule) == M2M_NO)
        return bad(rd, rule, "not allowed in this request");
    if (v->present || v->null)
        return bad(rd, rule, "repeated");
    return M2M_RSC_OK;
}

enum m2m_rsc m2m_put_null(struct m2m_reading *rd, const struct m2m_rule *rule)
{
    enum m2m_rsc rsc = m2m_put_begin(rd, rule);

    if (rsc != M2M_RSC_OK)
        return rsc;
    if (rd->use != M2M_USE_UPDATE || rule->update != M2M_MAY)
        return bad(rd, rule, "cannot be deleted");
    rd->r->v[rule->attr].null = true;
    return M2M_RSC_OK;
}

enum m2m_rsc m2m_put_number(struct m2m_reading *rd, const struct m2m_rule *rule, uint64_t v)
{
    if (m2m_set_number(rd->r, rule->attr, v) != GBA_OK)
        return bad(rd, rule, "number out of range");
    if (rule->attr == M2M_A_SUID && m2m_suid_find(v) == NULL)
        return unacceptable(rd, rule, "no such SUID");
    return M2M_RSC_OK;
}

static bool has_control(struct gba_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if ((unsigned char)t.s[i] < 0x20 || t.s[i] == 0x7f)
            return true;
    return false;
}

static enum m2m_rsc put_time(struct m2m_reading *rd, const struct m2m_rule *rule,
                             struct gba_text t)
{
    int64_t unix_s;

    if (gba_m2m_timestamp_parse(t, &unix_s) != GBA_OK ||
        m2m_set_time(rd->r, rule->attr, unix_s) != GBA_OK)
        return bad(rd, rule, "no timestamp YYYYMMDDThhmmss");
    return M2M_RSC_OK;
}

static enum m2m_rsc put_fqdn(struct m2m_reading *rd, const struct m2m_rule *rule,
                             struct gba_text t)
{
    char canonical[GBA_FQDN_SIZE];

    if (gba_fqdn_canonical(t, canonical) != GBA_OK || gba_fqdn_is_address(canonical))
        return unacceptable(rd, rule, "no FQDN");
    return m2m_set_text(rd->r, rule->attr, gba_text(canonical)) == GBA_OK
               ? M2M_RSC_OK
               : bad(rd, rule, "too long");
}

static enum m2m_rsc put_key(struct m2m_reading *rd, const struct m2m_rule *rule,
                            struct gba_text t)
{
    struct gba_key key;
    size_t n;
    enum gba_err err = gba_unbase64(key.octets, sizeof(key.octets), t, &n);

    if (err == GBA_OK && n == sizeof(key.octets))
        m2m_set_key(rd->r, &key);
    gba_wipe(&key, sizeof(key));
    if (err == GBA_E_SYNTAX)
        return bad(rd, rule, "no base64");
    return err == GBA_OK && n == sizeof(key.octets) ? M2M_RSC_OK
                                                    : unacceptable(rd, rule, "not 32 octets");
}

enum m2m_rsc m2m_put_text(struct m2m_reading *rd, const struct m2m_rule *rule,
                          struct gba_text t)
{
    const struct m2m_attr_name *name = m2m_attr_name(rule->attr);

    if (t.n == 0)
        return bad(rd, rule, "empty");
    if (has_control(t))
        return bad(rd, rule, "control character");
    switch (name->encoding) {
    case M2M_V_TIME:
        return put_time(rd, rule, t);
    case M2M_V_FQDN:
        return t.n > name->max ? bad(rd, rule, "too long") : put_fqdn(rd, rule, t);
    case M2M_V_KEY:
        return t.n > name->max ? bad(rd, rule, "too long") : put_key(rd, rule, t);
    case M2M_V_REL_KEY_ID:
        if (!m2m_is_relative_key_id(t))
            return unacceptable(rd, rule, "no relative key identifier");
        break;
    case M2M_V_TEXT:
        break;
    default:
        return bad(rd, rule, "wrong type");
    }
    return m2m_set_text(rd->r, rule->attr, t) == GBA_OK ? M2M_RSC_OK
                                                        : bad(rd, rule, "too long");
}

/* Absolute CSE-ID or AE-ID; for a MAF its FQDN (8.3.5.2.7). */
static bool is_target(struct gba_text t)
{
    char canonical[GBA_FQDN_SIZE];
    struct m2m_id id;

    if (gba_text_starts(t, "/"))
        return m2m_entity_parse(t, &id) == GBA_OK && id.sp.n != 0;
    return gba_fqdn_canonical(t, canonical) == GBA_OK;
}

enum m2m_rsc m2m_put_item(struct m2m_reading *rd, const struct m2m_rule *rule,
                          struct gba_text t)
{
    if (t.n == 0)
        return bad(rd, rule, "empty item");
    if (has_control(t))
        return bad(rd, rule, "control character");
    if (m2m_attr_name(rule->attr)->encoding != M2M_V_REFS && memchr(t.s, ' ', t.n) != NULL)
        return bad(rd, rule, "space in a list item");
    if (t.n > m2m_attr_name(rule->attr)->max)
        return bad(rd, rule, "too long");
    if (m2m_attr_name(rule->attr)->encoding == M2M_V_ID_LIST && !is_target(t))
        return unacceptable(rd, rule, "no absolute identifier");
    return m2m_add(rd->r, rule->attr, t) == GBA_OK ? M2M_RSC_OK : bad(rd, rule, "too many");
}

/* --- the whole -------------------------------------------------------------------------- */

static bool touched(const struct m2m_resource *r, enum m2m_attr a)
{
    return r->v[a].present || r->v[a].null;
}

static enum m2m_rsc check_presence(const struct m2m_reading *rd)
{
    size_t n;
    const struct m2m_rule *rule = m2m_rules(rd->r->type, &n);
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        any = any || touched(rd->r, rule[i].attr);
        if (presence(rd, &rule[i]) == M2M_MUST && !m2m_has(rd->r, rule[i].attr))
            return bad(rd, &rule[i], "missing");
    }
    if (!any && rd->use == M2M_USE_UPDATE)
        return m2m_refuse(rd, M2M_RSC_BAD_REQUEST, GBA_TEXT(""), "nothing to update");
    return M2M_RSC_OK;
}

static enum m2m_rsc check_targets(const struct m2m_reading *rd)
{
    const struct m2m_suid *suid;

    if (rd->r->type != M2M_SYMM_KEY_REG || rd->use != M2M_USE_CREATE)
        return M2M_RSC_OK;
    suid = m2m_suid_find(m2m_number(rd->r, M2M_A_SUID));
    if (suid != NULL && m2m_suid_takes_targets(suid, m2m_items(rd->r, M2M_A_TARGET_IDS)))
        return M2M_RSC_OK;
    return m2m_refuse(rd, M2M_RSC_CONTENTS_UNACCEPTABLE, GBA_TEXT("targetIDs"),
                      "not as many targets as this SUID takes");
}

enum m2m_rsc m2m_codec_read(struct gba_bytes pc, enum m2m_format format, enum m2m_type type,
                            enum m2m_use use, struct m2m_resource *out,
                            struct m2m_problem *problem)
{
    struct m2m_reading rd = {out, use, problem};
    enum m2m_rsc rsc;

    m2m_resource_init(out, type);
    *problem = (struct m2m_problem){.why = ""};
    if (pc.n == 0)
        return m2m_refuse(&rd, M2M_RSC_BAD_REQUEST, GBA_TEXT(""), "no content");
    if (pc.n > M2M_CONTENT_MAX)
        return m2m_refuse(&rd, M2M_RSC_BAD_REQUEST, GBA_TEXT(""), "content too long");
    rsc = format == M2M_JSON ? m2m_read_json(&rd, pc) : m2m_read_xml(&rd, pc);
    if (rsc == M2M_RSC_OK)
        rsc = check_presence(&rd);
    if (rsc == M2M_RSC_OK)
        rsc = check_targets(&rd);
    if (rsc != M2M_RSC_OK)
        m2m_resource_wipe(out);
    return rsc;
}

/* --- printing --------------------------------------------------------------------------- */

void m2m_print_scalar(const struct m2m_resource *r, enum m2m_attr a, struct gba_wbuf *out)
{
    char text[GBA_DATETIME_SIZE];

    switch (m2m_attr_name(a)->encoding) {
    case M2M_V_NUMBER:
        gba_wbuf_number(out, m2m_number(r, a));
        return;
    case M2M_V_TIME:
        gba_m2m_timestamp(m2m_time(r, a), text);
        gba_wbuf_str(out, text);
        return;
    case M2M_V_KEY:
        gba_wbuf_base64(out, GBA_BYTES(r->key.octets));
        return;
    default:
        gba_wbuf_text(out, m2m_text(r, a));
    }
}

enum gba_err m2m_codec_print(const struct m2m_resource *r, enum m2m_format format,
                             struct gba_wbuf *out)
{
    if (format == M2M_JSON)
        m2m_print_json(r, out);
    else
        m2m_print_xml(r, out);
    return gba_wbuf_ok(out) ? GBA_OK : GBA_E_TOO_LONG;
}

enum gba_err m2m_codec_print_problem(const struct m2m_problem *p, enum m2m_format format,
                                     struct gba_wbuf *out)
{
    char room[160];
    struct gba_wbuf w;
    struct gba_text text;

    gba_wbuf_init(&w, room, sizeof(room));
    if (p->attribute[0] != '\0') {
        gba_wbuf_str(&w, p->attribute);
        gba_wbuf_str(&w, ": ");
    }
    gba_wbuf_str(&w, p->why != NULL ? p->why : "");
    text = gba_bytes_text(gba_wbuf_bytes(&w));
    if (format == M2M_JSON) {
        gba_wbuf_str(out, "{\"m2m:dbg\":");
        m2m_json_string(out, text);
        gba_wbuf_str(out, "}");
    } else {
        gba_wbuf_str(out, GBA_XML_DECLARATION "<m2m:dbg xmlns:m2m=\"");
        gba_wbuf_str(out, m2m_namespace("m2m"));
        gba_wbuf_str(out, "\">");
        gba_xml_escape(out, text);
        gba_wbuf_str(out, "</m2m:dbg>");
    }
    return gba_wbuf_ok(out) ? GBA_OK : GBA_E_TOO_LONG;
}

static bool is_tame(char c)
{
    return c >= ' ' && c < 0x7f && c != '\\';
}

void m2m_codec_read_problem(struct gba_bytes pc, enum m2m_format format, char *out, size_t cap)
{
    char text[4096] = "";
    struct gba_wbuf w;
    bool found = pc.n != 0 && pc.n <= M2M_CONTENT_MAX &&
                 (format == M2M_JSON ? m2m_read_json_dbg(pc, text, sizeof(text))
                                     : m2m_read_xml_dbg(pc, text, sizeof(text)));
    size_t i = 0;

    gba_wbuf_init(&w, out, cap);
    for (; found && text[i] != '\0' && w.n + 8 <= cap; i++)
        if (is_tame(text[i])) {
            gba_wbuf_u8(&w, (uint8_t)text[i]);
        } else {
            gba_wbuf_str(&w, "\\x");
            gba_wbuf_hex(&w, (struct gba_bytes){(const uint8_t *)&text[i], 1});
        }
    if (text[i] != '\0')
        gba_wbuf_str(&w, "...");
    gba_wbuf_cstr(&w);
}
