/*
 * Writing XML: escaped text, elements, and copies of subtrees with their namespaces.  Compact
 * and deterministic.  No validation against a schema.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/xml_tree.h"

#include <stdlib.h>
#include <string.h>

#include "common/secret.h"

/* Length of the UTF-8 character at s, or 0: not UTF-8, or no Char of XML 1.0 (2.2). */
static size_t xml_char(const unsigned char *s, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = s[0] < 0x80       ? 1
                 : s[0] >> 5 == 6  ? 2
                 : s[0] >> 4 == 14 ? 3
                 : s[0] >> 3 == 30 ? 4
                                   : 0;
    uint32_t v;

    if (len == 0 || len > n)
        return 0;
    v = len == 1 ? s[0] : s[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if (s[i] >> 6 != 2)
            return 0;
        v = v << 6 | (s[i] & 0x3fu);
    }
    if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff) || v == 0xfffe ||
        v == 0xffff)
        return 0;
    return v >= 0x20 || v == '\t' || v == '\n' || v == '\r' ? len : 0;
}

/* Line ends and tabs too: a parser would normalise them in attribute values. */
static const char *reference(char c)
{
    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

void gba_xml_escape(struct gba_wbuf *w, struct gba_text t)
{
    for (size_t i = 0; i < t.n;) {
        size_t len = xml_char((const unsigned char *)t.s + i, t.n - i);
        const char *ref = reference(t.s[i]);

        if (len == 0) {
            w->overflow = true;
            return;
        }
        if (ref != NULL)
            gba_wbuf_str(w, ref);
        else
            gba_wbuf_text(w, (struct gba_text){t.s + i, len});
        i += len;
    }
}

static void attribute(struct gba_wbuf *w, const char *prefix, const char *name,
                      const char *value)
{
    gba_wbuf_str(w, " ");
    if (prefix != NULL) {
        gba_wbuf_str(w, prefix);
        gba_wbuf_str(w, ":");
    }
    gba_wbuf_str(w, name);
    gba_wbuf_str(w, "=\"");
    gba_xml_escape(w, gba_text(value));
    gba_wbuf_str(w, "\"");
}

void gba_xml_open(struct gba_wbuf *w, const char *name, const char *ns)
{
    gba_wbuf_str(w, "<");
    gba_wbuf_str(w, name);
    if (ns != NULL)
        attribute(w, NULL, "xmlns", ns);
    gba_wbuf_str(w, ">");
}

void gba_xml_close(struct gba_wbuf *w, const char *name)
{
    gba_wbuf_str(w, "</");
    gba_wbuf_str(w, name);
    gba_wbuf_str(w, ">");
}

void gba_xml_element(struct gba_wbuf *w, const char *name, struct gba_text value)
{
    if (value.n == 0) {
        gba_wbuf_str(w, "<");
        gba_wbuf_str(w, name);
        gba_wbuf_str(w, "/>");
        return;
    }
    gba_xml_open(w, name, NULL);
    gba_xml_escape(w, value);
    gba_xml_close(w, name);
}

/* --- copies ------------------------------------------------------------------------------ */

struct copying {
    struct gba_wbuf *w;
    const char *from, *to; /* elements of namespace from come out in to */
};

static const char *href(const xmlNs *ns)
{
    return ns != NULL && ns->href != NULL ? (const char *)ns->href : "";
}

static const char *target_ns(const struct copying *c, const xmlNode *n)
{
    return strcmp(href(n->ns), c->from) == 0 ? c->to : href(n->ns);
}

/* Elements that come out in the target namespace lose their prefix. */
static const char *target_prefix(const struct copying *c, const xmlNode *n)
{
    if (n->ns == NULL || strcmp(href(n->ns), c->from) == 0)
        return NULL;
    return (const char *)n->ns->prefix;
}

static void name_of(const struct copying *c, const xmlNode *n)
{
    const char *prefix = target_prefix(c, n);

    if (prefix != NULL) {
        gba_wbuf_str(c->w, prefix);
        gba_wbuf_str(c->w, ":");
    }
    gba_wbuf_str(c->w, (const char *)n->name);
}

static bool declares(const xmlNode *n, const xmlChar *prefix)
{
    for (const xmlNs *d = n->nsDef; d != NULL; d = d->next)
        if (d->prefix != NULL && xmlStrEqual(d->prefix, prefix))
            return true;
    return false;
}

/* Is a prefix declared anywhere from n up to, but not at, the ancestor `end`? */
static bool hidden(const xmlNode *n, const xmlNode *end, const xmlChar *prefix)
{
    for (; n != end; n = n->parent)
        if (declares(n, prefix))
            return true;
    return false;
}

/* Prefixes declared at n itself and, for the top of a copy, by its ancestors. */
static void declarations(const struct copying *c, const xmlNode *n, bool top)
{
    for (const xmlNode *a = n; a != NULL && a->type == XML_ELEMENT_NODE; a = a->parent) {
        for (const xmlNs *d = a->nsDef; d != NULL; d = d->next)
            if (d->prefix != NULL && !hidden(n, a, d->prefix))
                attribute(c->w, "xmlns", (const char *)d->prefix, href(d));
        if (!top)
            break;
    }
}

static void attributes(const struct copying *c, const xmlNode *n)
{
    for (const xmlAttr *a = n->properties; a != NULL; a = a->next) {
        gba_wbuf_str(c->w, " ");
        if (a->ns != NULL && a->ns->prefix != NULL) {
            gba_wbuf_str(c->w, (const char *)a->ns->prefix);
            gba_wbuf_str(c->w, ":");
        }
        gba_wbuf_str(c->w, (const char *)a->name);
        gba_wbuf_str(c->w, "=\"");
        for (const xmlNode *t = a->children; t != NULL; t = t->next)
            gba_xml_escape(c->w, gba_text((const char *)t->content));
        gba_wbuf_str(c->w, "\"");
    }
}

/* Recursion is bounded by GBA_XML_DEPTH_MAX.  in_scope: the default namespace around n; NULL:
 * not known. */
static void copy(const struct copying *c, const xmlNode *n, const char *in_scope)
{
    const char *ns = in_scope;
    size_t before;

    gba_wbuf_str(c->w, "<");
    name_of(c, n);
    if (target_prefix(c, n) == NULL) {
        ns = target_ns(c, n);
        if (in_scope == NULL || strcmp(ns, in_scope) != 0)
            attribute(c->w, NULL, "xmlns", ns);
    }
    declarations(c, n, in_scope == NULL);
    attributes(c, n);
    gba_wbuf_str(c->w, ">");
    before = c->w->n;
    for (const xmlNode *k = n->children; k != NULL; k = k->next) {
        if (k->type == XML_ELEMENT_NODE)
            copy(c, k, ns != NULL ? ns : "");
        else if (k->type == XML_TEXT_NODE || k->type == XML_CDATA_SECTION_NODE)
            gba_xml_escape(c->w, gba_text((const char *)k->content));
    }
    if (c->w->n == before && !c->w->overflow) {
        c->w->n--; /* nothing within: "<a>" becomes "<a/>" */
        gba_wbuf_str(c->w, "/>");
        return;
    }
    gba_wbuf_str(c->w, "</");
    name_of(c, n);
    gba_wbuf_str(c->w, ">");
}

void gba_xml_copy(struct gba_wbuf *w, const struct gba_xml_node *n, const char *ns)
{
    struct copying c = {w, gba_xml_ns(n), ns != NULL ? ns : gba_xml_ns(n)};

    copy(&c, xml_tree(n), NULL);
}

enum gba_err gba_xml_copy_alloc(const struct gba_xml_node *n, const char *ns, size_t max,
                                struct gba_bytes *out)
{
    struct gba_wbuf w;
    size_t cap = max < 512 ? max : 512;

    *out = (struct gba_bytes){NULL, 0};
    for (;; cap = cap * 2 < max ? cap * 2 : max) {
        uint8_t *p = malloc(cap);

        if (p == NULL)
            return GBA_E_NOMEM;
        gba_wbuf_init(&w, p, cap);
        gba_xml_copy(&w, n, ns);
        if (gba_wbuf_ok(&w))
            break;
        gba_wipe(p, cap);
        free(p);
        if (cap >= max)
            return GBA_E_TOO_LONG;
    }
    *out = gba_wbuf_bytes(&w);
    return GBA_OK;
}
