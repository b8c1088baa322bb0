/*
 * Reading XML over libxml2, memory only.  See common/xml.h for what is refused; the writer is
 * common/xml_write.c.
 *
 * A document type declaration stops the parser where it begins, so no entity is ever declared,
 * let alone expanded.  Errors go to a silent handler of this parser context: libxml2's default
 * writes to stderr.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/xml_tree.h"

#include <limits.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "common/secret.h"

/* libxml2's first use sets up tables of its own and is not thread-safe; documents come on many
 * threads, in daemons and in programs that embed the libraries. */
__attribute__((constructor)) static void set_up_libxml2(void)
{
    xmlInitParser();
}

static void silent(void *ctx, xmlErrorPtr error)
{
    (void)ctx;
    (void)error;
}

static void refuse_dtd(void *ctx, const xmlChar *name, const xmlChar *id, const xmlChar *uri)
{
    xmlParserCtxtPtr parser = ctx;

    (void)name;
    (void)id;
    (void)uri;
    parser->wellFormed = 0;
    xmlStopParser(parser);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct gba_text trim(struct gba_text t)
{
    while (t.n != 0 && is_space(t.s[0]))
        t = (struct gba_text){t.s + 1, t.n - 1};
    while (t.n != 0 && is_space(t.s[t.n - 1]))
        t.n--;
    return t;
}

static bool all_ascii(struct gba_bytes in)
{
    for (size_t i = 0; i < in.n; i++)
        if (in.p[i] > 0x7f)
            return false;
    return true;
}

/* The value of encoding= in an XML declaration; empty if it has none. */
static struct gba_text declared_encoding(struct gba_text doc)
{
    const char *end, *at;
    struct gba_text rest, value;

    if (!gba_text_starts(doc, "<?xml") || (end = memmem(doc.s, doc.n, "?>", 2)) == NULL)
        return (struct gba_text){"", 0};
    at = memmem(doc.s, (size_t)(end - doc.s), "encoding", 8);
    if (at == NULL)
        return (struct gba_text){"", 0};
    rest = trim((struct gba_text){at + 8, (size_t)(end - at) - 8});
    if (!gba_text_starts(rest, "="))
        return rest;
    rest = trim((struct gba_text){rest.s + 1, rest.n - 1});
    if (rest.n == 0 ||
        !gba_text_split((struct gba_text){rest.s + 1, rest.n - 1}, rest.s[0], &value, &rest))
        return rest;
    return value;
}

/* Only what libxml2 converts without loading anything, and without complaining on stderr
 * about octets that do not convert. */
static bool encoding_is_ours(struct gba_bytes in)
{
    struct gba_text doc = gba_bytes_text(in), encoding;

    if (gba_text_starts(doc, "\xef\xbb\xbf"))
        doc = (struct gba_text){doc.s + 3, doc.n - 3};
    if (memchr(in.p, 0, in.n) != NULL || !gba_text_starts(trim(doc), "<"))
        return false;
    encoding = declared_encoding(doc);
    if (gba_text_eq_nocase(encoding, GBA_TEXT("us-ascii")) ||
        gba_text_eq_nocase(encoding, GBA_TEXT("ascii")))
        return all_ascii(in);
    return encoding.n == 0 || gba_text_eq_nocase(encoding, GBA_TEXT("utf-8")) ||
           gba_text_eq_nocase(encoding, GBA_TEXT("iso-8859-1"));
}

/* libxml2 compares every attribute of an element with every other.  No '<' stands within a tag,
 * so the '=' between two of them bound the attributes; none of our documents has a dozen. */
static bool many_attributes(struct gba_bytes in)
{
    unsigned n = 0;

    for (size_t i = 0; i < in.n && n <= GBA_XML_ATTRIBUTES_MAX; i++)
        n = in.p[i] == '<' ? 0 : n + (in.p[i] == '=');
    return n > GBA_XML_ATTRIBUTES_MAX;
}

/* The node after n in the tree below root, without recursion; *depth goes along. */
static xmlNode *walk(const xmlNode *root, xmlNode *n, unsigned *depth)
{
    if (n->type == XML_ELEMENT_NODE && n->children != NULL) {
        ++*depth;
        return n->children;
    }
    while (n != root && n->next == NULL) {
        n = n->parent;
        --*depth;
    }
    return n != root ? n->next : NULL;
}

static enum gba_err check_depth(xmlNode *root)
{
    unsigned depth = 1;

    for (xmlNode *n = root; n != NULL; n = walk(root, n, &depth)) {
        if (n->type == XML_ENTITY_REF_NODE)
            return GBA_E_SYNTAX;
        if (n->type == XML_ELEMENT_NODE && depth > GBA_XML_DEPTH_MAX)
            return GBA_E_TOO_LONG;
    }
    return GBA_OK;
}

/* Answers on Zn and Mmef carry keys.  Texts that the dictionary shares (white space) stay. */
static void wipe_texts(xmlDocPtr doc)
{
    xmlNode *root = xmlDocGetRootElement(doc);
    unsigned depth = 1;

    for (xmlNode *n = root; n != NULL; n = walk(root, n, &depth))
        if ((n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE) &&
            n->content != NULL && (doc->dict == NULL || !xmlDictOwns(doc->dict, n->content)))
            gba_wipe(n->content, strlen((const char *)n->content));
}

static enum gba_err read_document(struct gba_bytes in, xmlDocPtr *doc)
{
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    bool nomem;

    if (parser == NULL)
        return GBA_E_NOMEM;
    parser->sax->serror = silent;
    parser->sax->internalSubset = refuse_dtd;
    *doc = xmlCtxtReadMemory(parser, (const char *)in.p, (int)in.n, NULL, NULL,
                             XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                 XML_PARSE_NOCDATA);
    nomem = parser->errNo == XML_ERR_NO_MEMORY;
    if (*doc != NULL && !parser->nsWellFormed) {
        xmlFreeDoc(*doc);
        *doc = NULL;
    }
    xmlFreeParserCtxt(parser);
    return *doc != NULL ? GBA_OK : nomem ? GBA_E_NOMEM : GBA_E_SYNTAX;
}

enum gba_err gba_xml_parse(struct gba_bytes in, size_t max, struct gba_xml **out)
{
    xmlDocPtr doc;
    enum gba_err err;

    *out = NULL;
    if (in.n > max || in.n > INT_MAX || many_attributes(in))
        return GBA_E_TOO_LONG;
    if (in.n == 0 || !encoding_is_ours(in))
        return GBA_E_SYNTAX;
    err = read_document(in, &doc);
    if (err != GBA_OK)
        return err;
    if (doc->intSubset != NULL || doc->extSubset != NULL || xmlDocGetRootElement(doc) == NULL)
        err = GBA_E_SYNTAX;
    else
        err = check_depth(xmlDocGetRootElement(doc));
    if (err != GBA_OK) {
        gba_xml_free((struct gba_xml *)doc);
        return err;
    }
    *out = (struct gba_xml *)doc;
    return GBA_OK;
}

void gba_xml_free(struct gba_xml *x)
{
    if (x == NULL)
        return;
    wipe_texts((xmlDocPtr)x);
    xmlFreeDoc((xmlDocPtr)x);
}

const struct gba_xml_node *gba_xml_root(const struct gba_xml *x)
{
    return (const struct gba_xml_node *)xmlDocGetRootElement((const xmlDoc *)x);
}

const char *gba_xml_name(const struct gba_xml_node *n)
{
    return (const char *)xml_tree(n)->name;
}

static const char *href(const xmlNs *ns)
{
    return ns != NULL && ns->href != NULL ? (const char *)ns->href : "";
}

const char *gba_xml_ns(const struct gba_xml_node *n)
{
    return href(xml_tree(n)->ns);
}

bool gba_xml_is(const struct gba_xml_node *n, const char *local_name)
{
    return strcmp(gba_xml_name(n), local_name) == 0;
}

static const struct gba_xml_node *element_from(const xmlNode *n)
{
    while (n != NULL && n->type != XML_ELEMENT_NODE)
        n = n->next;
    return (const struct gba_xml_node *)n;
}

const struct gba_xml_node *gba_xml_first(const struct gba_xml_node *n)
{
    return element_from(xml_tree(n)->children);
}

const struct gba_xml_node *gba_xml_next(const struct gba_xml_node *n)
{
    return element_from(xml_tree(n)->next);
}

enum gba_err gba_xml_child(const struct gba_xml_node *n, const char *local_name,
                           const struct gba_xml_node **out)
{
    *out = NULL;
    for (n = gba_xml_first(n); n != NULL; n = gba_xml_next(n)) {
        if (!gba_xml_is(n, local_name))
            continue;
        if (*out != NULL)
            return GBA_E_REPEATED;
        *out = n;
    }
    return *out != NULL ? GBA_OK : GBA_E_MISSING;
}

/* Copies the text of a list of text nodes, trimmed as a whole. */
static enum gba_err joined_text(const xmlNode *n, char *out, size_t cap)
{
    bool begun = false;
    size_t len = 0, end = 0; /* end: behind the last character that is not white space */

    out[0] = '\0';
    for (; n != NULL; n = n->next) {
        if (n->type == XML_ELEMENT_NODE)
            return GBA_E_SYNTAX;
        if (n->type != XML_TEXT_NODE && n->type != XML_CDATA_SECTION_NODE)
            continue;
        for (const char *c = (const char *)n->content; c != NULL && *c != '\0'; c++) {
            if (!begun && is_space(*c))
                continue;
            begun = true;
            if (len + 1 < cap)
                out[len] = *c;
            len++;
            if (!is_space(*c))
                end = len;
        }
    }
    if (end >= cap) {
        out[0] = '\0';
        return GBA_E_TOO_LONG;
    }
    out[end] = '\0';
    return GBA_OK;
}

enum gba_err gba_xml_text(const struct gba_xml_node *n, char *out, size_t cap)
{
    return joined_text(xml_tree(n)->children, out, cap);
}

bool gba_xml_has_text(const struct gba_xml_node *n)
{
    for (const xmlNode *c = xml_tree(n)->children; c != NULL; c = c->next) {
        struct gba_text t = gba_text((const char *)c->content);

        if ((c->type == XML_TEXT_NODE || c->type == XML_CDATA_SECTION_NODE) && trim(t).n != 0)
            return true;
    }
    return false;
}

bool gba_xml_attr_at(const struct gba_xml_node *n, size_t i, const char **local_name,
                     const char **ns)
{
    const xmlAttr *a = xml_tree(n)->properties;

    for (; a != NULL && i > 0; i--)
        a = a->next;
    if (a == NULL)
        return false;
    *local_name = (const char *)a->name;
    *ns = href(a->ns);
    return true;
}

enum gba_err gba_xml_attr(const struct gba_xml_node *n, const char *local_name, char *out,
                          size_t cap)
{
    const xmlAttr *found = NULL;

    out[0] = '\0';
    for (const xmlAttr *a = xml_tree(n)->properties; a != NULL; a = a->next) {
        if (strcmp((const char *)a->name, local_name) != 0)
            continue;
        if (found == NULL || a->ns == NULL)
            found = a;
    }
    return found != NULL ? joined_text(found->children, out, cap) : GBA_E_NOT_FOUND;
}
