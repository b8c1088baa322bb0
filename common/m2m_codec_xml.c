/*
 * Representations of resources in XML, TS-0004 8.3: a qualified root, unqualified children,
 * xs:list for lists; rn is an attribute of the root (and taken as a child too).  An UPDATE
 * deletes by xsi:nil="true" or an empty element.  Namespaces of elements are not insisted on;
 * text between them and attributes of others are refused, as unknown members of JSON are.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_codec_form.h"

#include <string.h>

#include "common/xml.h"

/* --- reading ---------------------------------------------------------------------------- */

static enum m2m_rsc read_children(struct m2m_reading *rd, const struct gba_xml_node *n,
                                  enum m2m_attr parent);

static enum m2m_rsc refuse_text(const struct m2m_reading *rd, const struct m2m_rule *rule,
                                enum gba_err err)
{
    return m2m_refuse_value(rd, rule, M2M_RSC_BAD_REQUEST,
                            err == GBA_E_TOO_LONG ? "too long" : "wrong type");
}

static enum m2m_rsc put_number(struct m2m_reading *rd, const struct m2m_rule *rule,
                               struct gba_text t)
{
    uint64_t v;

    if (gba_text_number(t, UINT64_MAX, &v) != GBA_OK)
        return m2m_refuse_value(rd, rule, M2M_RSC_BAD_REQUEST, "wrong type");
    return m2m_put_number(rd, rule, v);
}

/* xs:list: items between white space. */
static enum m2m_rsc put_list(struct m2m_reading *rd, const struct m2m_rule *rule,
                             const char *text)
{
    static const char space[] = " \t\r\n";
    enum m2m_rsc rsc = M2M_RSC_OK;

    while (*text != '\0' && rsc == M2M_RSC_OK) {
        size_t n = strcspn(text, space);

        rsc = m2m_put_item(rd, rule, (struct gba_text){text, n});
        text += n;
        text += strspn(text, space);
    }
    return rsc;
}

/* <ch nm="cmd" typ="6">-/x/cmd</ch> becomes "6 -/x/cmd". */
static enum m2m_rsc put_reference(struct m2m_reading *rd, const struct m2m_rule *rule,
                                  const struct gba_xml_node *n, const char *id)
{
    char typ[8], room[8 + M2M_ID_SIZE];
    struct gba_wbuf w;
    uint64_t number;

    if (gba_xml_attr(n, "typ", typ, sizeof(typ)) != GBA_OK ||
        gba_text_number(gba_text(typ), UINT16_MAX, &number) != GBA_OK)
        return m2m_refuse_value(rd, rule, M2M_RSC_BAD_REQUEST, "wrong type");
    gba_wbuf_init(&w, room, sizeof(room));
    gba_wbuf_number(&w, number);
    gba_wbuf_str(&w, " ");
    gba_wbuf_str(&w, id);
    return gba_wbuf_ok(&w) ? m2m_put_item(rd, rule, gba_bytes_text(gba_wbuf_bytes(&w)))
                           : m2m_refuse_value(rd, rule, M2M_RSC_BAD_REQUEST, "too long");
}

static enum m2m_rsc put_value(struct m2m_reading *rd, const struct m2m_rule *rule,
                              const struct gba_xml_node *n, const char *text)
{
    switch (m2m_attr_name(rule->attr)->encoding) {
    case M2M_V_NUMBER:
        return put_number(rd, rule, gba_text(text));
    case M2M_V_LIST:
    case M2M_V_ID_LIST:
        return put_list(rd, rule, text);
    case M2M_V_REFS:
        return put_reference(rd, rule, n, text);
    default:
        return m2m_put_text(rd, rule, gba_text(text));
    }
}

/* Of one attribute of an element: xsi's four stand anywhere (XML Schema 2.6), own ones without
 * a namespace. */
static bool is_known(const char *name, const char *ns, const char *const *own)
{
    static const char *const of_xsi[] = {"nil", "type", "schemaLocation",
                                         "noNamespaceSchemaLocation", NULL};

    if (ns[0] != '\0' && strcmp(ns, "http://www.w3.org/2001/XMLSchema-instance") != 0)
        return false;
    for (own = ns[0] != '\0' ? of_xsi : own; *own != NULL; own++)
        if (strcmp(name, *own) == 0)
            return true;
    return false;
}

/* As an unknown member in JSON; answers may have them. */
static enum m2m_rsc check_attributes(const struct m2m_reading *rd, const struct gba_xml_node *n,
                                     const char *const *own)
{
    const char *name, *ns;

    for (size_t i = 0; !m2m_is_answer(rd) && gba_xml_attr_at(n, i, &name, &ns); i++)
        if (!is_known(name, ns, own))
            return m2m_refuse(rd, M2M_RSC_BAD_REQUEST, gba_text(name), "unknown attribute");
    return M2M_RSC_OK;
}

static enum m2m_rsc read_nil(const struct m2m_reading *rd, const struct m2m_rule *rule,
                             const struct gba_xml_node *n, bool *nil)
{
    char text[8];
    enum gba_err err = gba_xml_attr(n, "nil", text, sizeof(text));

    *nil = false;
    if (err == GBA_E_NOT_FOUND || strcmp(text, "false") == 0 || strcmp(text, "0") == 0)
        return M2M_RSC_OK;
    if (strcmp(text, "true") != 0 && strcmp(text, "1") != 0)
        return m2m_refuse_value(rd, rule, M2M_RSC_BAD_REQUEST, "xsi:nil is no boolean");
    if (gba_xml_first(n) != NULL || gba_xml_has_text(n))
        return m2m_refuse_value(rd, rule, M2M_RSC_BAD_REQUEST, "xsi:nil, and a value");
    *nil = true;
    return M2M_RSC_OK;
}

static enum m2m_rsc read_text(struct m2m_reading *rd, const struct m2m_rule *rule,
                              const struct gba_xml_node *n)
{
    char text[M2M_TEXT_MAX];
    enum gba_err err = gba_xml_text(n, text, sizeof(text));
    enum m2m_rsc rsc;

    if (err != GBA_OK)
        rsc = refuse_text(rd, rule, err);
    else if (text[0] == '\0' && rd->use == M2M_USE_UPDATE && rule->update == M2M_MAY)
        rsc = m2m_put_null(rd, rule);
    else if (text[0] == '\0')
        rsc = m2m_refuse_value(rd, rule, M2M_RSC_BAD_REQUEST, "empty");
    else
        rsc = put_value(rd, rule, n, text);
    gba_wipe(text, sizeof(text));
    return rsc;
}

static enum m2m_rsc read_element(struct m2m_reading *rd, const struct m2m_rule *rule,
                                 const struct gba_xml_node *n)
{
    static const char *const none[] = {NULL};
    enum m2m_encoding encoding = m2m_attr_name(rule->attr)->encoding;
    enum m2m_rsc rsc = check_attributes(rd, n, none);
    bool nil = false;

    if (rsc == M2M_RSC_OK)
        rsc = read_nil(rd, rule, n, &nil);
    if (rsc != M2M_RSC_OK)
        return rsc;
    if (nil)
        return m2m_put_null(rd, rule);
    /* References are one element each. */
    if (encoding == M2M_V_REFS && m2m_is_answer(rd))
        return read_text(rd, rule, n);
    rsc = m2m_put_begin(rd, rule);
    if (rsc != M2M_RSC_OK)
        return rsc;
    if (encoding != M2M_V_GROUP)
        return read_text(rd, rule, n);
    m2m_set_group(rd->r, rule->attr);
    return read_children(rd, n, rule->attr);
}

static enum m2m_rsc read_children(struct m2m_reading *rd, const struct gba_xml_node *n,
                                  enum m2m_attr parent)
{
    if (gba_xml_has_text(n))
        return m2m_refuse(rd, M2M_RSC_BAD_REQUEST, gba_text(gba_xml_name(n)),
                          "text between elements");
    for (n = gba_xml_first(n); n != NULL; n = gba_xml_next(n)) {
        const struct m2m_rule *rule = m2m_rule_to_read(rd, parent, gba_text(gba_xml_name(n)));
        enum m2m_rsc rsc;

        if (rule == NULL && m2m_is_answer(rd))
            continue;
        rsc = rule != NULL
                  ? read_element(rd, rule, n)
                  : m2m_refuse(rd, M2M_RSC_BAD_REQUEST, gba_text(gba_xml_name(n)), "unknown");
        if (rsc != M2M_RSC_OK)
            return rsc;
    }
    return M2M_RSC_OK;
}

/* resourceName as an attribute of the root. */
static enum m2m_rsc read_name(struct m2m_reading *rd, const struct gba_xml_node *root)
{
    const struct m2m_attr_name *name = m2m_attr_name(M2M_A_RESOURCE_NAME);
    const struct m2m_rule *rule =
        m2m_rule_by_name(rd->r->type, M2M_ROOT, gba_text(name->short_name));
    char text[512], other[1];
    enum gba_err err = gba_xml_attr(root, name->short_name, text, sizeof(text));
    enum m2m_rsc rsc;

    if (err != GBA_E_NOT_FOUND &&
        gba_xml_attr(root, name->long_name, other, sizeof(other)) != GBA_E_NOT_FOUND)
        return m2m_refuse_value(rd, rule, M2M_RSC_BAD_REQUEST, "repeated");
    if (err == GBA_E_NOT_FOUND)
        err = gba_xml_attr(root, name->long_name, text, sizeof(text));
    if (err == GBA_E_NOT_FOUND)
        return M2M_RSC_OK;
    rsc = m2m_put_begin(rd, rule);
    if (rsc != M2M_RSC_OK)
        return rsc;
    return err == GBA_OK ? m2m_put_text(rd, rule, gba_text(text)) : refuse_text(rd, rule, err);
}

static enum m2m_rsc read_root(struct m2m_reading *rd, const struct gba_xml_node *root)
{
    static const char *const own[] = {"rn", "resourceName", NULL};
    struct gba_text name = gba_text(gba_xml_name(root));
    enum m2m_type type;
    enum m2m_rsc rsc;
    char nil[2];

    if (m2m_type_by_name(name, &type) != GBA_OK || type != rd->r->type)
        return m2m_refuse(rd, M2M_RSC_BAD_REQUEST, name, "another resource type");
    if (gba_xml_attr(root, "nil", nil, sizeof(nil)) != GBA_E_NOT_FOUND)
        return m2m_refuse(rd, M2M_RSC_BAD_REQUEST, name, "xsi:nil of a resource");
    rsc = check_attributes(rd, root, own);
    if (rsc == M2M_RSC_OK)
        rsc = read_name(rd, root);
    return rsc == M2M_RSC_OK ? read_children(rd, root, M2M_ROOT) : rsc;
}

enum m2m_rsc m2m_read_xml(struct m2m_reading *rd, struct gba_bytes pc)
{
    struct gba_xml *doc;
    enum gba_err err = gba_xml_parse(pc, M2M_CONTENT_MAX, &doc);
    enum m2m_rsc rsc;

    if (err == GBA_E_NOMEM)
        return m2m_refuse(rd, M2M_RSC_INTERNAL_SERVER_ERROR, GBA_TEXT(""), "out of memory");
    if (err != GBA_OK)
        return m2m_refuse(rd, M2M_RSC_BAD_REQUEST, GBA_TEXT(""),
                          err == GBA_E_TOO_LONG ? "nested too deep" : "no XML");
    rsc = read_root(rd, gba_xml_root(doc));
    gba_xml_free(doc);
    return rsc;
}

bool m2m_read_xml_dbg(struct gba_bytes pc, char *out, size_t cap)
{
    struct gba_xml *doc;
    bool found = false;

    if (gba_xml_parse(pc, M2M_CONTENT_MAX, &doc) != GBA_OK)
        return false;
    if (gba_xml_is(gba_xml_root(doc), "dbg"))
        found = gba_xml_text(gba_xml_root(doc), out, cap) == GBA_OK;
    gba_xml_free(doc);
    return found;
}

/* --- printing --------------------------------------------------------------------------- */

static void print_attribute(struct gba_wbuf *w, const char *name, struct gba_text value)
{
    gba_wbuf_str(w, " ");
    gba_wbuf_str(w, name);
    gba_wbuf_str(w, "=\"");
    gba_xml_escape(w, value);
    gba_wbuf_str(w, "\"");
}

static void print_references(const struct m2m_resource *r, const char *name, struct gba_wbuf *w)
{
    for (size_t i = 0; i < m2m_items(r, M2M_A_CHILD_RESOURCE); i++) {
        struct gba_text number, id, head, last;

        gba_text_split(m2m_item(r, M2M_A_CHILD_RESOURCE, i), ' ', &number, &id);
        if (!gba_text_rsplit(id, '/', &head, &last))
            last = id;
        gba_wbuf_str(w, "<");
        gba_wbuf_str(w, name);
        print_attribute(w, "nm", last);
        print_attribute(w, "typ", number);
        gba_wbuf_str(w, ">");
        gba_xml_escape(w, id);
        gba_xml_close(w, name);
    }
}

static void print_list(const struct m2m_resource *r, enum m2m_attr a, struct gba_wbuf *w)
{
    for (size_t i = 0; i < m2m_items(r, a); i++) {
        if (i != 0)
            gba_wbuf_str(w, " ");
        gba_xml_escape(w, m2m_item(r, a, i));
    }
}

static void print_children(const struct m2m_resource *r, enum m2m_attr parent,
                           struct gba_wbuf *w);

static void print_value(const struct m2m_resource *r, enum m2m_attr a, struct gba_wbuf *w)
{
    switch (m2m_attr_name(a)->encoding) {
    case M2M_V_LIST:
    case M2M_V_ID_LIST:
        print_list(r, a, w);
        return;
    case M2M_V_GROUP:
        print_children(r, a, w);
        return;
    case M2M_V_NUMBER:
    case M2M_V_TIME:
    case M2M_V_KEY:
        m2m_print_scalar(r, a, w);
        return;
    default:
        gba_xml_escape(w, m2m_text(r, a));
    }
}

static void print_children(const struct m2m_resource *r, enum m2m_attr parent,
                           struct gba_wbuf *w)
{
    size_t n;
    const struct m2m_rule *rule = m2m_rules(r->type, &n);

    for (size_t i = 0; i < n; i++) {
        const struct m2m_value *v = &r->v[rule[i].attr];
        const struct m2m_attr_name *name = m2m_attr_name(rule[i].attr);

        if (rule[i].parent != parent || (!v->present && !v->null) ||
            rule[i].attr == M2M_A_RESOURCE_NAME)
            continue;
        if (v->null) {
            gba_xml_element(w, name->short_name, GBA_TEXT(""));
        } else if (name->encoding == M2M_V_REFS) {
            print_references(r, name->short_name, w);
        } else {
            gba_xml_open(w, name->short_name, NULL);
            print_value(r, rule[i].attr, w);
            gba_xml_close(w, name->short_name);
        }
    }
}

void m2m_print_xml(const struct m2m_resource *r, struct gba_wbuf *out)
{
    const struct m2m_type_name *name = m2m_type_name(r->type);

    gba_wbuf_str(out, GBA_XML_DECLARATION "<");
    gba_wbuf_str(out, name->prefix);
    gba_wbuf_str(out, ":");
    gba_wbuf_str(out, name->short_name);
    gba_wbuf_str(out, " xmlns:");
    gba_wbuf_str(out, name->prefix);
    gba_wbuf_str(out, "=\"");
    gba_wbuf_str(out, m2m_namespace(name->prefix));
    gba_wbuf_str(out, "\"");
    if (m2m_has(r, M2M_A_RESOURCE_NAME))
        print_attribute(out, m2m_attr_name(M2M_A_RESOURCE_NAME)->short_name,
                        m2m_text(r, M2M_A_RESOURCE_NAME));
    gba_wbuf_str(out, ">");
    print_children(r, M2M_ROOT, out);
    gba_wbuf_str(out, "</");
    gba_wbuf_str(out, name->prefix);
    gba_wbuf_str(out, ":");
    gba_wbuf_str(out, name->short_name);
    gba_wbuf_str(out, ">");
}
