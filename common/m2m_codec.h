/*
 * Resources of the MAF and MEF interface and their representations in JSON and XML (TS-0004
 * 8.3, 8.4).  Names come from common/m2m_names.h; which attribute may stand in which request
 * is one table in m2m_codec_rules.c (TS-0003 8.3.5.2, 8.8.2).  Input may use short or long
 * names and the prefixes m2m:, sec: or none; output uses short names and the table's prefix.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_M2M_CODEC_H
#define COMMON_M2M_CODEC_H

#include "common/m2m_names.h"
#include "common/m2m_primitive.h"
#include "common/secret.h"

#define M2M_CONTENT_MAX 16384 /* octets of a representation, read or written */
#define M2M_LIST_MAX    32    /* items of a list */
#define M2M_TEXT_MAX    8192  /* octets of all texts of one resource */

/* One resource.  Holds keyValue: ends with m2m_resource_wipe.  Large (12 KiB). */
struct m2m_value {
    bool present;
    bool null;                                    /* UPDATE: delete the attribute */
    uint64_t number;                              /* NUMBER; TIME: seconds since 1970 */
    uint16_t items;                               /* lists; 1 for a text */
    uint16_t at[M2M_LIST_MAX], len[M2M_LIST_MAX]; /* within text */
};
struct m2m_resource {
    enum m2m_type type;
    struct m2m_value v[M2M_N_ATTRS];
    struct gba_key key; /* keyValue */
    size_t used;
    char text[M2M_TEXT_MAX];
};

void m2m_resource_init(struct m2m_resource *r, enum m2m_type type);
void m2m_resource_wipe(struct m2m_resource *r);

/* Reading.  Absent or null: false, 0, empty. */
bool m2m_has(const struct m2m_resource *r, enum m2m_attr a);
bool m2m_is_null(const struct m2m_resource *r, enum m2m_attr a); /* to be deleted */
uint64_t m2m_number(const struct m2m_resource *r, enum m2m_attr a);
int64_t m2m_time(const struct m2m_resource *r, enum m2m_attr a);
struct gba_text m2m_text(const struct m2m_resource *r, enum m2m_attr a);
size_t m2m_items(const struct m2m_resource *r, enum m2m_attr a);
struct gba_text m2m_item(const struct m2m_resource *r, enum m2m_attr a, size_t i);
const struct gba_key *m2m_key(const struct m2m_resource *r); /* keyValue, or NULL */
/* The i-th child reference.  GBA_E_NOT_FOUND: past the end, or of an unknown type. */
enum gba_err m2m_child(const struct m2m_resource *r, size_t i, enum m2m_type *type,
                       struct gba_text *id);

/* Writing.  GBA_E_TOO_LONG: over the attribute's or the resource's room; GBA_E_ARGUMENT: not
 * the attribute's encoding.  A text set twice is replaced; m2m_add appends an item to a list.
 */
enum gba_err m2m_set_number(struct m2m_resource *r, enum m2m_attr a, uint64_t v);
enum gba_err m2m_set_time(struct m2m_resource *r, enum m2m_attr a, int64_t unix_s);
enum gba_err m2m_set_text(struct m2m_resource *r, enum m2m_attr a, struct gba_text t);
enum gba_err m2m_add(struct m2m_resource *r, enum m2m_attr a, struct gba_text item);
enum gba_err m2m_add_child(struct m2m_resource *r, enum m2m_type type, struct gba_text id);
enum gba_err m2m_set_group(struct m2m_resource *r, enum m2m_attr a);
void m2m_set_key(struct m2m_resource *r, const struct gba_key *key);
void m2m_unset(struct m2m_resource *r, enum m2m_attr a);

enum m2m_use {
    M2M_USE_CREATE, /* mandatory attributes must be there, others than the table's must not */
    M2M_USE_UPDATE, /* the same; at least one; null deletes an optional one */
    M2M_USE_ANSWER, /* a response: any attribute of the resource, unknown ones passed over */
    M2M_USE_OUTLINE /* the same, and cmdArgs with all in it is passed over */
};

/* What was wrong, for a log line and the originator. */
struct m2m_problem {
    char attribute[40]; /* as it was written, or the long name; "": the whole */
    const char *why;    /* static text */
};

/* Reads a representation of `type`.  M2M_RSC_OK; M2M_RSC_BAD_REQUEST: not the format, a root of
 * another type, an attribute that is unknown, missing, repeated, too long, of the wrong type or
 * not allowed in this use, an empty UPDATE; M2M_RSC_CONTENTS_UNACCEPTABLE: a value outside its
 * set (SUID, identifier, FQDN, number of targets); M2M_RSC_INTERNAL_SERVER_ERROR: out of
 * memory.  out is initialised in every case, and wiped unless M2M_RSC_OK. */
enum m2m_rsc m2m_codec_read(struct gba_bytes pc, enum m2m_format format, enum m2m_type type,
                            enum m2m_use use, struct m2m_resource *out,
                            struct m2m_problem *problem);

/* Compact and deterministic: attributes in the order of the resource's rules.  GBA_E_TOO_LONG.
 */
enum gba_err m2m_codec_print(const struct m2m_resource *r, enum m2m_format format,
                             struct gba_wbuf *out);

/* The text of m2m:dbg, for a terminal and a log: what is not printable ASCII, and a backslash,
 * comes out as \xNN; what does not fit as "...".  "": there is none. */
void m2m_codec_read_problem(struct gba_bytes pc, enum m2m_format format, char *out, size_t cap);
/* m2m:dbg, the text that may go with an error response (TS-0004 7.2.1.1 debugInfo). */
enum gba_err m2m_codec_print_problem(const struct m2m_problem *p, enum m2m_format format,
                                     struct gba_wbuf *out);

#endif
