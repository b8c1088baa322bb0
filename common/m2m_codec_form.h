/*
 * What the JSON and the XML side of the codec share: the rules of a resource type, and the
 * strict store of one value after the other.  Inside common/m2m_codec*.c only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_M2M_CODEC_FORM_H
#define COMMON_M2M_CODEC_FORM_H

#include "common/m2m_codec.h"

#define M2M_ROOT M2M_N_ATTRS /* the parent of attributes that stand in the resource itself */

enum m2m_presence {
    M2M_NO, /* not in this request: the MEF or MAF sets it */
    M2M_MUST,
    M2M_MAY,     /* and in UPDATE null deletes it */
    M2M_MAY_KEEP /* UPDATE: may be changed, not deleted */
};

struct m2m_rule {
    enum m2m_attr attr, parent;
    enum m2m_presence create, update;
};
const struct m2m_rule *m2m_rules(enum m2m_type type, size_t *n);
/* NULL: the resource has no such attribute there. */
const struct m2m_rule *m2m_rule_by_name(enum m2m_type type, enum m2m_attr parent,
                                        struct gba_text name);

struct m2m_reading {
    struct m2m_resource *r;
    enum m2m_use use;
    struct m2m_problem *problem;
};

/* An answer, whole or in outline. */
bool m2m_is_answer(const struct m2m_reading *rd);
/* m2m_rule_by_name for this reading; NULL also for what it passes over. */
const struct m2m_rule *m2m_rule_to_read(const struct m2m_reading *rd, enum m2m_attr parent,
                                        struct gba_text name);

/* Notes the problem and returns rsc. */
enum m2m_rsc m2m_refuse(const struct m2m_reading *rd, enum m2m_rsc rsc,
                        struct gba_text attribute, const char *why);
enum m2m_rsc m2m_refuse_value(const struct m2m_reading *rd, const struct m2m_rule *rule,
                              enum m2m_rsc rsc, const char *why);

/* The attribute begins: may it stand here, and is it the first of its name? */
enum m2m_rsc m2m_put_begin(struct m2m_reading *rd, const struct m2m_rule *rule);
enum m2m_rsc m2m_put_null(struct m2m_reading *rd, const struct m2m_rule *rule);
enum m2m_rsc m2m_put_number(struct m2m_reading *rd, const struct m2m_rule *rule, uint64_t v);
enum m2m_rsc m2m_put_text(struct m2m_reading *rd, const struct m2m_rule *rule,
                          struct gba_text t);
enum m2m_rsc m2m_put_item(struct m2m_reading *rd, const struct m2m_rule *rule,
                          struct gba_text t);

enum m2m_rsc m2m_read_json(struct m2m_reading *rd, struct gba_bytes pc);
enum m2m_rsc m2m_read_xml(struct m2m_reading *rd, struct gba_bytes pc);
/* m2m:dbg with its octets as they are.  False: none. */
bool m2m_read_json_dbg(struct gba_bytes pc, char *out, size_t cap);
bool m2m_read_xml_dbg(struct gba_bytes pc, char *out, size_t cap);
void m2m_print_json(const struct m2m_resource *r, struct gba_wbuf *out);
void m2m_print_xml(const struct m2m_resource *r, struct gba_wbuf *out);
/* A value that is a single text in both forms; NUMBER and KEY too. */
void m2m_print_scalar(const struct m2m_resource *r, enum m2m_attr a, struct gba_wbuf *out);
void m2m_json_string(struct gba_wbuf *w, struct gba_text t);

#endif
