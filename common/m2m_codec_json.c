/*
 * Representations of resources in JSON, TS-0004 8.4: {"sec:skr":{...}}, numbers as numbers,
 * lists as arrays, null to delete.  Reading over jansson; printing by hand, so that it is the
 * same octets every time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_codec_form.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#define NESTING_MAX 16

/* --- reading ---------------------------------------------------------------------------- */

static enum m2m_rsc read_object(struct m2m_reading *rd, json_t *object, enum m2m_attr parent);

static struct gba_text text_of(const json_t *v)
{
    return (struct gba_text){json_string_value(v), json_string_length(v)};
}

static enum m2m_rsc wrong_type(const struct m2m_reading *rd, const struct m2m_rule *rule)
{
    return m2m_refuse_value(rd, rule, M2M_RSC_BAD_REQUEST, "wrong type");
}

/* {"nm":..., "typ":6, "val":"-/x/cmd"} becomes "6 -/x/cmd". */
static enum m2m_rsc read_reference(struct m2m_reading *rd, const struct m2m_rule *rule,
                                   json_t *v)
{
    const json_t *typ = json_object_get(v, "typ"), *val = json_object_get(v, "val");
    char room[8 + M2M_ID_SIZE];
    struct gba_wbuf w;

    if (!json_is_integer(typ) || json_integer_value(typ) < 0 ||
        json_integer_value(typ) > UINT16_MAX || !json_is_string(val))
        return wrong_type(rd, rule);
    gba_wbuf_init(&w, room, sizeof(room));
    gba_wbuf_number(&w, (uint64_t)json_integer_value(typ));
    gba_wbuf_str(&w, " ");
    gba_wbuf_text(&w, text_of(val));
    return gba_wbuf_ok(&w) ? m2m_put_item(rd, rule, gba_bytes_text(gba_wbuf_bytes(&w)))
                           : m2m_refuse_value(rd, rule, M2M_RSC_BAD_REQUEST, "too long");
}

static enum m2m_rsc read_list(struct m2m_reading *rd, const struct m2m_rule *rule, json_t *v)
{
    bool references = m2m_attr_name(rule->attr)->encoding == M2M_V_REFS;
    enum m2m_rsc rsc = M2M_RSC_OK;
    json_t *item;
    size_t i;

    if (!json_is_array(v))
        return wrong_type(rd, rule);
    if (json_array_size(v) == 0)
        return m2m_refuse_value(rd, rule, M2M_RSC_BAD_REQUEST, "empty");
    json_array_foreach(v, i, item)
    {
        if (references ? !json_is_object(item) : !json_is_string(item))
            return wrong_type(rd, rule);
        rsc =
            references ? read_reference(rd, rule, item) : m2m_put_item(rd, rule, text_of(item));
        if (rsc != M2M_RSC_OK)
            return rsc;
    }
    return rsc;
}

static enum m2m_rsc read_text(struct m2m_reading *rd, const struct m2m_rule *rule, json_t *v)
{
    enum m2m_rsc rsc;

    if (!json_is_string(v))
        return wrong_type(rd, rule);
    rsc = m2m_put_text(rd, rule, text_of(v));
    if (m2m_attr_name(rule->attr)->encoding == M2M_V_KEY)
        gba_wipe((void *)(uintptr_t)json_string_value(v), json_string_length(v));
    return rsc;
}

static enum m2m_rsc read_value(struct m2m_reading *rd, const struct m2m_rule *rule, json_t *v)
{
    if (json_is_null(v))
        return m2m_put_null(rd, rule);
    enum m2m_rsc rsc = m2m_put_begin(rd, rule);

    if (rsc != M2M_RSC_OK)
        return rsc;
    switch (m2m_attr_name(rule->attr)->encoding) {
    case M2M_V_NUMBER:
        if (!json_is_integer(v) || json_integer_value(v) < 0)
            return wrong_type(rd, rule);
        return m2m_put_number(rd, rule, (uint64_t)json_integer_value(v));
    case M2M_V_LIST:
    case M2M_V_ID_LIST:
    case M2M_V_REFS:
        return read_list(rd, rule, v);
    case M2M_V_GROUP:
        if (!json_is_object(v))
            return wrong_type(rd, rule);
        m2m_set_group(rd->r, rule->attr);
        return read_object(rd, v, rule->attr);
    default:
        return read_text(rd, rule, v);
    }
}

/* Recursion ends with the table's own nesting. */
static enum m2m_rsc read_object(struct m2m_reading *rd, json_t *object, enum m2m_attr parent)
{
    const char *name;
    json_t *v;

    json_object_foreach(object, name, v)
    {
        const struct m2m_rule *rule = m2m_rule_to_read(rd, parent, gba_text(name));
        enum m2m_rsc rsc;

        if (rule == NULL && m2m_is_answer(rd))
            continue;
        rsc = rule != NULL ? read_value(rd, rule, v)
                           : m2m_refuse(rd, M2M_RSC_BAD_REQUEST, gba_text(name), "unknown");
        if (rsc != M2M_RSC_OK)
            return rsc;
    }
    return M2M_RSC_OK;
}

/* The parser recurses; nothing of ours is nested deep. */
static bool too_deep(struct gba_bytes pc)
{
    bool in_string = false;
    unsigned depth = 0;

    for (size_t i = 0; i < pc.n; i++) {
        if (in_string && pc.p[i] == '\\')
            i++;
        else if (pc.p[i] == '"')
            in_string = !in_string;
        else if (!in_string && (pc.p[i] == '{' || pc.p[i] == '['))
            depth++;
        else if (!in_string && (pc.p[i] == '}' || pc.p[i] == ']') && depth > 0)
            depth--;
        if (depth > NESTING_MAX)
            return true;
    }
    return false;
}

static enum m2m_rsc read_root(struct m2m_reading *rd, json_t *root)
{
    void *it = json_object_iter(root);
    enum m2m_type type;

    if (!json_is_object(root) || json_object_size(root) != 1 ||
        !json_is_object(json_object_iter_value(it)))
        return m2m_refuse(rd, M2M_RSC_BAD_REQUEST, GBA_TEXT(""), "not one resource");
    if (m2m_type_by_name(gba_text(json_object_iter_key(it)), &type) != GBA_OK ||
        type != rd->r->type)
        return m2m_refuse(rd, M2M_RSC_BAD_REQUEST, gba_text(json_object_iter_key(it)),
                          "another resource type");
    return read_object(rd, json_object_iter_value(it), M2M_ROOT);
}

enum m2m_rsc m2m_read_json(struct m2m_reading *rd, struct gba_bytes pc)
{
    json_error_t error;
    enum m2m_rsc rsc;
    json_t *root;

    if (too_deep(pc))
        return m2m_refuse(rd, M2M_RSC_BAD_REQUEST, GBA_TEXT(""), "nested too deep");
    root = json_loadb((const char *)pc.p, pc.n, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL && json_error_code(&error) == json_error_out_of_memory)
        return m2m_refuse(rd, M2M_RSC_INTERNAL_SERVER_ERROR, GBA_TEXT(""), "out of memory");
    if (root == NULL)
        return m2m_refuse(rd, M2M_RSC_BAD_REQUEST, GBA_TEXT(""),
                          json_error_code(&error) == json_error_duplicate_key
                              ? "repeated member"
                              : "no JSON");
    rsc = read_root(rd, root);
    json_decref(root);
    return rsc;
}

bool m2m_read_json_dbg(struct gba_bytes pc, char *out, size_t cap)
{
    json_t *root = too_deep(pc)
                       ? NULL
                       : json_loadb((const char *)pc.p, pc.n, JSON_REJECT_DUPLICATES, NULL);
    const char *text = json_string_value(json_object_get(root, "m2m:dbg"));
    bool found = text != NULL;

    if (found)
        snprintf(out, cap, "%s", text);
    json_decref(root);
    return found;
}

/* --- printing --------------------------------------------------------------------------- */

void m2m_json_string(struct gba_wbuf *w, struct gba_text t)
{
    gba_wbuf_str(w, "\"");
    for (size_t i = 0; i < t.n; i++) {
        uint8_t c = (uint8_t)t.s[i];

        if (c < 0x20) {
            gba_wbuf_str(w, "\\u00");
            gba_wbuf_hex(w, (struct gba_bytes){&c, 1});
            continue;
        }
        if (c == '"' || c == '\\')
            gba_wbuf_str(w, "\\");
        gba_wbuf_u8(w, c);
    }
    gba_wbuf_str(w, "\"");
}

static void print_reference(const struct m2m_resource *r, size_t i, struct gba_wbuf *w)
{
    struct gba_text number, id, head, name;

    gba_text_split(m2m_item(r, M2M_A_CHILD_RESOURCE, i), ' ', &number, &id);
    if (!gba_text_rsplit(id, '/', &head, &name))
        name = id;
    gba_wbuf_str(w, "{\"nm\":");
    m2m_json_string(w, name);
    gba_wbuf_str(w, ",\"typ\":");
    gba_wbuf_text(w, number);
    gba_wbuf_str(w, ",\"val\":");
    m2m_json_string(w, id);
    gba_wbuf_str(w, "}");
}

static void print_list(const struct m2m_resource *r, enum m2m_attr a, struct gba_wbuf *w)
{
    gba_wbuf_str(w, "[");
    for (size_t i = 0; i < m2m_items(r, a); i++) {
        if (i != 0)
            gba_wbuf_str(w, ",");
        if (m2m_attr_name(a)->encoding == M2M_V_REFS)
            print_reference(r, i, w);
        else
            m2m_json_string(w, m2m_item(r, a, i));
    }
    gba_wbuf_str(w, "]");
}

static void print_object(const struct m2m_resource *r, enum m2m_attr parent,
                         struct gba_wbuf *w);

static void print_value(const struct m2m_resource *r, enum m2m_attr a, struct gba_wbuf *w)
{
    switch (m2m_attr_name(a)->encoding) {
    case M2M_V_NUMBER:
        m2m_print_scalar(r, a, w);
        return;
    case M2M_V_TIME:
    case M2M_V_KEY:
        gba_wbuf_str(w, "\"");
        m2m_print_scalar(r, a, w);
        gba_wbuf_str(w, "\"");
        return;
    case M2M_V_LIST:
    case M2M_V_ID_LIST:
    case M2M_V_REFS:
        print_list(r, a, w);
        return;
    case M2M_V_GROUP:
        print_object(r, a, w);
        return;
    default:
        m2m_json_string(w, m2m_text(r, a));
    }
}

static void print_object(const struct m2m_resource *r, enum m2m_attr parent, struct gba_wbuf *w)
{
    const char *separator = "";
    size_t n;
    const struct m2m_rule *rule = m2m_rules(r->type, &n);

    gba_wbuf_str(w, "{");
    for (size_t i = 0; i < n; i++) {
        const struct m2m_value *v = &r->v[rule[i].attr];

        if (rule[i].parent != parent || (!v->present && !v->null))
            continue;
        gba_wbuf_str(w, separator);
        separator = ",";
        m2m_json_string(w, gba_text(m2m_attr_name(rule[i].attr)->short_name));
        gba_wbuf_str(w, ":");
        if (v->null)
            gba_wbuf_str(w, "null");
        else
            print_value(r, rule[i].attr, w);
    }
    gba_wbuf_str(w, "}");
}

void m2m_print_json(const struct m2m_resource *r, struct gba_wbuf *out)
{
    const struct m2m_type_name *name = m2m_type_name(r->type);

    gba_wbuf_str(out, "{\"");
    gba_wbuf_str(out, name->prefix);
    gba_wbuf_str(out, ":");
    gba_wbuf_str(out, name->short_name);
    gba_wbuf_str(out, "\":");
    print_object(r, M2M_ROOT, out);
    gba_wbuf_str(out, "}");
}
