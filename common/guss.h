/*
 * GBA user security settings: TS 29.109 Annex A.  The reader goes by local names in any
 * namespace; the writer uses the R9 namespace.  A USS is kept whole (unknown children
 * survive), for the BSF copies it to the NAF unread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_GUSS_H
#define COMMON_GUSS_H

#include "common/bytes.h"

#define GBA_GUSS_MAX 65536 /* octets of a document we read */
#define GBA_GUSS_NS  "urn:3gpp:gba:GBAGUSSSchema-R9:2010-02"

enum gba_uicc_type { GBA_UICC_ME, GBA_UICC_U }; /* uiccType "GBA" (default), "GBA_U" */
enum gba_key_choice { GBA_KEY_ANY, GBA_KEY_ME, GBA_KEY_UICC, GBA_KEY_BOTH };

struct gba_uss {
    const char *id;        /* GSID, as text */
    long type;             /* service type code, Annex B; -1: absent or no number */
    const char *naf_group; /* NULL: absent */
    const char *const *uids;
    size_t n_uids;
    const long *flags;
    size_t n_flags;
    enum gba_key_choice key_choice;
};

/* An immutable document: may be read by many threads at once; shared by reference count. */
struct gba_guss;

/* GBA_E_SYNTAX: no XML, a DTD, a root other than guss; GBA_E_TOO_LONG; GBA_E_NOMEM. */
enum gba_err gba_guss_parse(struct gba_bytes xml, struct gba_guss **out);
struct gba_guss *gba_guss_ref(struct gba_guss *g);
void gba_guss_unref(struct gba_guss *g); /* NULL is fine; safe from any thread */

const char *gba_guss_id(const struct gba_guss *g);     /* attribute id, or "" */
enum gba_uicc_type gba_guss_uicc_type(const struct gba_guss *g);
/* Seconds; the largest number for whatever is larger; -1: absent, negative or no number. */
int64_t gba_guss_lifetime_s(const struct gba_guss *g);
int64_t gba_guss_timestamp_s(const struct gba_guss *g);/* seconds since 1970; 0: absent */
size_t gba_guss_n_uss(const struct gba_guss *g);
const struct gba_uss *gba_guss_uss(const struct gba_guss *g, size_t i);
struct gba_bytes gba_guss_xml(const struct gba_guss *g); /* as it was received */

/* A ussList (R9 namespace) of the USSs marked in pick[0..n_uss): whole subtrees, bsfInfo never.
 * GBA_E_TOO_LONG: out is too small. */
enum gba_err gba_uss_list_print(const struct gba_guss *g, const bool *pick,
                                struct gba_wbuf *out);

/* The NAF's reading: a document with root ussList (or guss).  Use the accessors above. */
enum gba_err gba_uss_list_parse(struct gba_bytes xml, struct gba_guss **out);

#endif
