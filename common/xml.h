/*
 * The one place that opens libxml2: a strict reader of small documents from memory into a
 * tree read by local names, and a writer that escapes.  No DTD, no entities but the five
 * predefined ones, no network, no files, no output; UTF-8, US-ASCII and ISO-8859-1 only (the
 * converters of other encodings would be loaded from disk).  No schema validation: readers
 * check what they read.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_XML_H
#define COMMON_XML_H

#include "common/bytes.h"

#define GBA_XML_DEPTH_MAX      32  /* nested elements, the root included */
#define GBA_XML_ATTRIBUTES_MAX 256 /* of one element; "=" in the text behind it counts */

struct gba_xml;      /* a document, owned by who parsed it; never changes */
struct gba_xml_node; /* an element of it, borrowed */

/* GBA_E_TOO_LONG: over max octets, nested too deep, too many attributes; GBA_E_SYNTAX: not
 * well-formed (namespaces included), a document type declaration, a NUL, another encoding;
 * GBA_E_NOMEM. */
enum gba_err gba_xml_parse(struct gba_bytes in, size_t max, struct gba_xml **out);
void gba_xml_free(struct gba_xml *x); /* NULL is fine; wipes the texts */

const struct gba_xml_node *gba_xml_root(const struct gba_xml *x);
/* Local name, and namespace ("" for none). */
const char *gba_xml_name(const struct gba_xml_node *n);
const char *gba_xml_ns(const struct gba_xml_node *n);
bool gba_xml_is(const struct gba_xml_node *n, const char *local_name);

/* Child elements in order; NULL at the end.  Text, comments and instructions are passed over.
 */
const struct gba_xml_node *gba_xml_first(const struct gba_xml_node *n);
const struct gba_xml_node *gba_xml_next(const struct gba_xml_node *n);
/* The only child element of that name.  GBA_E_MISSING: none (*out is NULL); GBA_E_REPEATED. */
enum gba_err gba_xml_child(const struct gba_xml_node *n, const char *local_name,
                           const struct gba_xml_node **out);

/* The element's text, CDATA included, comments left out, white space trimmed at both ends.
 * GBA_E_SYNTAX: it has child elements; GBA_E_TOO_LONG: does not fit with its NUL. */
enum gba_err gba_xml_text(const struct gba_xml_node *n, char *out, size_t cap);
/* Has it text among its children, other than white space? */
bool gba_xml_has_text(const struct gba_xml_node *n);
/* Local name and namespace ("" for none) of the i-th attribute; declarations of namespaces are
 * none.  False: past the end. */
bool gba_xml_attr_at(const struct gba_xml_node *n, size_t i, const char **local_name,
                     const char **ns);
/* The attribute of that local name, an unqualified one before others.  GBA_E_NOT_FOUND,
 * GBA_E_TOO_LONG. */
enum gba_err gba_xml_attr(const struct gba_xml_node *n, const char *local_name, char *out,
                          size_t cap);

/* --- writing: everything appends; what cannot be XML sets the writer to overflow ---------- */
#define GBA_XML_DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

/* Text or attribute value: escaped.  Invalid UTF-8 and characters XML has not: overflow. */
void gba_xml_escape(struct gba_wbuf *w, struct gba_text t);
/* <name>, or <name xmlns="ns">; ns NULL: say nothing. */
void gba_xml_open(struct gba_wbuf *w, const char *name, const char *ns);
void gba_xml_close(struct gba_wbuf *w, const char *name);
/* <name>value</name>; <name/> when empty. */
void gba_xml_element(struct gba_wbuf *w, const char *name, struct gba_text value);

/* The subtree of n as text that stands anywhere: namespaces in scope at n are declared on it,
 * those within kept.  Elements of n's own namespace come out in `ns`, without a prefix (NULL:
 * in the one they have).  Comments and instructions are left out. */
void gba_xml_copy(struct gba_wbuf *w, const struct gba_xml_node *n, const char *ns);
/* The same into memory of its own, freed with free().  GBA_E_TOO_LONG: over max octets;
 * GBA_E_NOMEM. */
enum gba_err gba_xml_copy_alloc(const struct gba_xml_node *n, const char *ns, size_t max,
                                struct gba_bytes *out);

#endif
