/*
 * One request within the MEF's decisions: what mef.c hands to the procedures of mef_reg.c,
 * mef_keys.c and mef_cmd.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_CALL_H
#define NAF_MEF_CALL_H

#include "naf/mef.h"

struct mef_call {
    const struct mef *m;
    const struct mef_client *c;
    const struct m2m_request *rq;
    const struct mef_role_facts *role;
    int64_t now_s;
    const uint8_t *random;
    struct m2m_problem *problem;
    struct mef_reg reg; /* the one `to` names */
    struct mef_key key; /* the one `to` names, or the new one */
    enum m2m_type type; /* of what `to` names */
    enum m2m_rsc rsc;   /* what came of it; 0: nothing was begun */
    bool exported;      /* the new key is the session's */
    char location[M2M_TO_SIZE];
    struct m2m_resource in, out; /* out: with attributes, it is the content of the answer */
};

/* The procedures of TS-0003 8.3.5.2.  `to` has been resolved; reg or key is it, and live. */
enum m2m_rsc mef_create_reg(struct mef_call *k);
enum m2m_rsc mef_retrieve_reg(struct mef_call *k);
enum m2m_rsc mef_update_reg(struct mef_call *k);
enum m2m_rsc mef_delete_reg(struct mef_call *k);
enum m2m_rsc mef_create_key(struct mef_call *k);
enum m2m_rsc mef_retrieve_key(struct mef_call *k);
enum m2m_rsc mef_update_key(struct mef_call *k);
enum m2m_rsc mef_delete_key(struct mef_call *k);
enum m2m_rsc mef_retrieve_cmd(struct mef_call *k);
enum m2m_rsc mef_update_cmd(struct mef_call *k);
/* Into the representation of the registration: that it has a command, if it has one. */
void mef_announce_cmd(struct mef_call *k);

/* A MAF's: Km and its name (maf_km.c). */
enum m2m_rsc maf_name_km(struct mef_call *k);
void maf_put_km(struct mef_call *k);

/* Shared: refusal with its reason; the content as a resource of this type. */
enum m2m_rsc mef_no(struct mef_call *k, enum m2m_rsc rsc, const char *why);
enum m2m_rsc mef_store_rsc(struct mef_call *k, enum gba_err err);
enum m2m_rsc mef_read(struct mef_call *k, enum m2m_type type, enum m2m_use use);
/* MEF-FQDN or MAF-FQDN, if the content says it again: this function's. */
enum m2m_rsc mef_check_fqdn(struct mef_call *k);

/* A line of the audit log, of this client; in the transaction of the request. */
enum gba_err mef_note(const struct mef_call *k, const char *what, const char *whom,
                      const char *key_id, int64_t expires_s);

/* A list in the store: each item ended by a line feed.  False: too long, or an item holds a
 * line feed. */
bool mef_list_pack(const struct m2m_resource *r, enum m2m_attr a, char *out, size_t cap);
void mef_list_unpack(struct m2m_resource *r, enum m2m_attr a, const char *list);
/* The next item; false at the end. */
bool mef_list_next(const char **list, struct gba_text *item);

/* "//fqdn/-/ri" */
void mef_locate(struct mef_call *k, const char *ri);

#endif
