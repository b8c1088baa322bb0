/*
 * The standing facts of an MEF or MAF and the forms of its rows: targets, enrolees with their
 * credentials, instructions (TS-0003 9.2.2.3, the bootstrap instructions).  Makes and checks
 * values; naf/mef_registry.h keeps them.  Deny by default: what has no row may nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_POLICY_H
#define NAF_MEF_POLICY_H

#include "common/m2m_id.h"
#include "common/secret.h"
#include "common/ua_protocol.h"
#include "naf/mef_role.h"

#define MEF_PSK_MAX 64 /* octets of a Kpm; 16 at least */
#define MEF_PSK_MIN 16

enum mef_derivation {
    MEF_USAGE_KEY, /* TS-0003 10.3.7 */
    MEF_KPSA,      /* 10.3.3, with the target's Absolute identifier as Enrolee-B-ID */
    MEF_KM         /* 10.3.2, with its FQDN as MAF-ID */
};

struct mef_target {
    char id[M2M_ID_SIZE]; /* Absolute CSE-ID; a MAF's FQDN */
    bool is_maf;
    char fqdn[GBA_FQDN_SIZE]; /* canonical; in NAF_Id and in its certificate */
    uint8_t ua_id[GBA_UA_ID_LEN];
    uint64_t suids; /* bit i: SUID i */
    enum mef_derivation derivation;
    bool uicc; /* by a B-TID it gets Ks_int_NAF (TS-0003 8.3.2.3), never another key */
};

struct mef_enrolee {
    char id[M2M_ID_SIZE]; /* Enrolee-ID: Absolute AE-ID or CSE-ID */
};

/* How an enrolee proves who it is: what its (D)TLS session shows. */
enum mef_credential_kind {
    MEF_CRED_GBA,  /* a B-TID of this IMPI */
    MEF_CRED_PSK,  /* KpmID or KmID, with Kpm or Km (TS-0003 8.3.2.1) */
    MEF_CRED_CERT, /* a certificate with this subjectAltName: "dns:FQDN", "uri:URI" or
                      "other:OID:HEX" (8.3.2.2, 10.1.1) */
    MEF_CRED_RPK,  /* a raw public key: SHA-256 of its SubjectPublicKeyInfo, hex (RFC 7250) */
    MEF_N_CRED_KINDS
};
#define MEF_CRED_NAME_SIZE M2M_ID_SIZE

/* Wiped by its owner. */
struct mef_credential {
    enum mef_credential_kind kind;
    char name[MEF_CRED_NAME_SIZE]; /* canonical: one text per credential */
    char enrolee[M2M_ID_SIZE];
    uint8_t key[MEF_PSK_MAX];
    size_t key_len;    /* MEF_CRED_PSK only */
    int64_t expires_s; /* 0: does not */
};

/* Who may have which key of an enrolee, for what and until when. */
struct mef_instruction {
    char enrolee[M2M_ID_SIZE], target[M2M_ID_SIZE];
    uint64_t suids;    /* bit i: SUID i; at most those of the target's row */
    int64_t expires_s; /* Enrolment Expiry; 0: none of its own */
};

struct mef_limits {
    int64_t enrolment_s, registration_s;
    size_t registrations_max, keys_max; /* of one client */
    bool suid_as_octet;
    size_t commands_max;     /* that wait, of one registration */
    int64_t command_retry_s; /* until a client without commands asks again */
};

/* Who says which target may have keys of an enrolee that comes by GBA.  Of others there is no
 * USS: instructions alone say it. */
enum mef_enrolee_policy {
    MEF_BY_CONFIG, /* instructions */
    MEF_BY_GUSS,   /* its USS */
    MEF_BY_BOTH    /* both must */
};
#define MEF_GSID_DEFAULT 1000001 /* operators' GSIDs are above 999999 (TS 29.109 6.3.1.4) */

struct mef_policy {
    enum mef_role role;       /* mef_policy_init: an MEF */
    char fqdn[GBA_FQDN_SIZE]; /* MEF-ID or MAF-ID */
    char sp[GBA_FQDN_SIZE];   /* of SP-relative identifiers; "": only Absolute ones are taken */
    struct mef_limits limits;
    enum mef_enrolee_policy enrolee_policy;
    uint32_t gsid;                       /* of the USS */
    char device_config_uri[M2M_ID_SIZE]; /* of MEFBase; "": none */
};

/* By instructions, and with the default GSID.  GBA_E_SYNTAX. */
enum gba_err mef_policy_init(struct mef_policy *p, const char *fqdn, const char *sp,
                             const struct mef_limits *limits);

/* sec:deviceConfigURI of MEFBase, with values as in a DEV_CFG command (12.4.4, 8.3.9.8).
 * GBA_E_SYNTAX. */
enum gba_err mef_policy_device_config(struct mef_policy *p, const char *text);

/* One text per entity: the Absolute identifier with its FQDN in lower case, or a MAF's FQDN.
 * GBA_E_SYNTAX. */
enum gba_err mef_absolute(const struct mef_policy *p, struct gba_text text,
                          char out[static M2M_ID_SIZE]);
/* Is text (any form) the entity whose Absolute identifier is id? */
bool mef_is_entity(const struct mef_policy *p, struct gba_text text, const char *id);

/* fqdn NULL: from id.  GBA_E_SYNTAX: id, or an fqdn that is not the public domain name of that
 * CSE-ID; an AE is no target, for it has none.  GBA_E_ARGUMENT: a Ua id that is not
 * 01 00 01 yy zz, or SUIDs 21 and 22 both (one KpsaID would name two keys). */
enum gba_err mef_target_make(const struct mef_policy *p, struct gba_text id, const char *fqdn,
                             const uint8_t ua_id[static GBA_UA_ID_LEN], uint64_t suids,
                             enum mef_derivation derivation, struct mef_target *out);
/* GBA_E_SYNTAX. */
enum gba_err mef_enrolee_make(const struct mef_policy *p, struct gba_text id,
                              struct mef_enrolee *out);
/* The canonical name of a credential of that kind.  GBA_E_SYNTAX. */
enum gba_err mef_credential_name(enum mef_credential_kind kind, struct gba_text name,
                                 char out[static MEF_CRED_NAME_SIZE]);
const char *mef_credential_kind_name(enum mef_credential_kind kind); /* "gba", "psk", ... */
enum gba_err mef_credential_kind_by_name(struct gba_text name, enum mef_credential_kind *out);

/* A set of SUIDs from one number.  GBA_E_ARGUMENT: no SUID of a key from an MEF (21-25) or a
 * MAF (32-35). */
enum gba_err mef_suid_bit(uint64_t suid, uint64_t *out);
bool mef_suid_in(uint64_t suids, unsigned suid);

#endif
