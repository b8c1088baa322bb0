/*
 * Who is at the other end of a session, and what it may: the decisions over the registry's rows
 * (TS-0003 8.1.2.5, 8.3.2, 9.2.2).  What a session shows is put in by the fronts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_RIGHTS_H
#define NAF_MEF_RIGHTS_H

#include "common/m2m_keys.h"
#include "naf/mef_registry.h"
#include "naf/mef_uss.h"

struct mef_store;
struct mef_audit;

struct mef {
    const struct mef_policy *policy;
    struct mef_store *store;
    struct mef_registry *registry;
    struct mef_audit *audit; /* NULL: none is kept */
};

/* Whom the TLS session of a request authenticated. */
struct mef_client {
    char id[M2M_ID_SIZE]; /* Absolute CSE-ID or AE-ID, or a MAF's FQDN; "": nobody's */
    bool is_enrolee;      /* has a row, and a credential that this session proved */
    bool is_target;
    struct mef_target target;
    char key_id[MEF_CRED_NAME_SIZE]; /* the provisioned key of a PSK session; "": none */
    /* Enrolees: what the session exports (10.3.1), and until when its credential is good. */
    uint8_t bootstrap[M2M_EXPORT_LEN], connection[M2M_EXPORT_LEN];
    int64_t expires_s;
    bool *spent;        /* the session's: its key is registered (10.3.5); NULL: not known */
    struct mef_uss uss; /* enrolees by GBA */
};
void mef_client_wipe(struct mef_client *c);

/* Adds to c what is known of the holder of that credential (its name in any form); good until
 * its own expiry or until_s, whichever is sooner.  GBA_OK, also when nobody is known by it:
 * then c stays as it was.  One by GBA has no USS so.  Errors: the registry's. */
enum gba_err mef_know_enrolee(const struct mef *m, enum mef_credential_kind kind,
                              struct gba_text name, int64_t now_s, int64_t until_s,
                              struct mef_client *c);
/* The same of a B-TID's IMPI, with the ussList that came with its key over Zn. */
enum gba_err mef_know_gba(const struct mef *m, struct gba_text impi, struct gba_bytes uss_list,
                          int64_t now_s, int64_t until_s, struct mef_client *c);
/* The same by one subjectAltName of a certificate that verified: "dns:", "uri:" or "other:"
 * in front.  A dNSName may also be a target's. */
enum gba_err mef_know_certificate(const struct mef *m, struct gba_text san, int64_t now_s,
                                  int64_t until_s, struct mef_client *c);

/* Nobody but this entity is known by that subjectAltName (the same form), neither as a target
 * nor as an enrolee.  GBA_E_EXISTS: somebody is; the registry's. */
enum gba_err mef_check_certificate(const struct mef *m, const char *id, struct gba_text san);
/* Is that the M2M-Node-ID of the node which the enrolee is on (TS-0003 10.1.1.8)?  Rows say so:
 * a certificate with it as a URI is one of the enrolee's credentials.  GBA_E_FORBIDDEN: none
 * does; the registry's. */
enum gba_err mef_check_node(const struct mef *m, const char *enrolee, const char *node_id);
/* From now on certificates with that subjectAltName are a credential of this enrolee; also if
 * they were before.  GBA_E_EXISTS, GBA_E_FORBIDDEN: they are another's; GBA_E_SYNTAX: no such
 * name; the registry's. */
enum gba_err mef_learn_certificate(const struct mef *m, const char *enrolee,
                                   struct gba_text san);

/* A Km that an MEF gave a MAF for this enrolee, known from now on by its KeID (TS-0003 8.8.2.3,
 * 8.3.2.1 step 6); until expires_s.  GBA_E_SYNTAX: no identifiers; GBA_E_EXPIRED: that is over;
 * GBA_E_NOT_FOUND: the enrolee has no row here; GBA_E_EXISTS: the KeID is another's; the
 * registry's. */
enum gba_err mef_learn_km(const struct mef *m, const char *mef_fqdn, struct gba_text key_id,
                          struct gba_text enrolee, const struct gba_key *km, int64_t now_s,
                          int64_t expires_s);

/* The row of a target by any form of its identifier.  GBA_E_NOT_FOUND, or the registry's. */
enum gba_err mef_find_target(const struct mef *m, struct gba_text id, struct mef_target *out);

/* Is what its USS says asked about such an enrolee?  Then that counts as long as the key with
 * which it came over Zn. */
bool mef_by_uss(const struct mef *m, const struct mef_uss *uss);
/* Is an enrolee with this USS served at all?  GBA_E_NOT_AUTHORIZED (5402 of TS 29.109): it
 * would need one, and has none. */
enum gba_err mef_admit(const struct mef *m, const struct mef_uss *uss);
/* May this target have keys of this enrolee, with this USS, for this SUID now?  GBA_OK;
 * GBA_E_NOT_AUTHORIZED (5402): no USS names the target; GBA_E_FORBIDDEN; the registry's errors.
 * *until_s: the Enrolment Expiry of the instruction; INT64_MAX: none. */
enum gba_err mef_may(const struct mef *m, const char *enrolee, const struct mef_uss *uss,
                     const struct mef_target *target, unsigned suid, int64_t now_s,
                     int64_t *until_s);

#endif
