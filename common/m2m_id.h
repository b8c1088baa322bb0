/*
 * Identifiers of oneM2M: CSE-ID and AE-ID (TS-0001 7.2), the public domain name of a CSE
 * (TS-0001 6.5.1.1), key and credential identifiers (TS-0003 10.3-10.6, 12.3.2.1), SUID
 * (TS-0004 6.3.4.2.39).  Parsers check form and length and give views; nothing is looked up.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_M2M_ID_H
#define COMMON_M2M_ID_H

#include "common/identity.h"

#define M2M_ID_SIZE 512 /* an Absolute AE-ID and its NUL */

/* --- entities --------------------------------------------------------------------------- */
struct m2m_id {
    struct gba_text sp;  /* FQDN of "//FQDN/..."; empty: SP-relative or a bare stem */
    struct gba_text cse; /* without '/'; empty for an AE-ID whose stem the provider assigned */
    struct gba_text ae;  /* stem, "C..." or "S..."; empty for a CSE */
};

/* "//FQDN/cse" or "/cse".  GBA_E_SYNTAX; GBA_E_TOO_LONG: M2M_ID_SIZE or more. */
enum gba_err m2m_cse_id_parse(struct gba_text t, struct m2m_id *out);
/* "//FQDN/cse/C...", "//FQDN/S...", "/cse/C...", "/S...", or a bare stem.  Errors as above. */
enum gba_err m2m_ae_id_parse(struct gba_text t, struct m2m_id *out);
/* Either: two names below the provider's, or a bare stem, is an AE, one name a CSE ("//f/Sx" is
 * read as a CSE: the text alone cannot tell; ask for the kind where it is known). */
enum gba_err m2m_entity_parse(struct gba_text t, struct m2m_id *out);
/* The Absolute form; sp is used where id has none.  A bare C-stem has no Absolute form:
 * GBA_E_SYNTAX. */
enum gba_err m2m_id_absolute(const struct m2m_id *id, struct gba_text sp,
                             char out[static M2M_ID_SIZE]);
/* The same entity?  FQDNs in any case, the rest octet by octet; SP-relative forms belong to sp.
 */
bool m2m_id_eq(const struct m2m_id *a, const struct m2m_id *b, struct gba_text sp);

/* Visible ASCII: fit for a field of a binding. */
bool m2m_is_plain(struct gba_text t);
/* An M2M-Node-ID (TS-0001 7.1.5) in the one form that a certificate can have here: an absolute
 * URI with its scheme (RFC 3986), such as "urn:gsma:imei:..." or "urn:dev:ops:...".  So it is
 * never taken for an AE-ID or CSE-ID, which has none. */
bool m2m_is_node_id(struct gba_text t);

/* Public domain name of a CSE-ID in Absolute form: "<IN-CSE-ID>.<SP domain>", or
 * "<CSE-ID>.<IN-CSE-ID>.<SP domain>" with in_cse (no '/'; empty: this is the IN-CSE).
 * Canonical. GBA_E_SYNTAX: SP-relative, an AE, or no domain name comes of it. */
enum gba_err m2m_cse_domain(const struct m2m_id *cse, struct gba_text in_cse,
                            char out[static GBA_FQDN_SIZE]);

/* --- key identifiers -------------------------------------------------------------------- */
#define M2M_RELATIVE_ID_MAX  64 /* characters left of '@' */
#define M2M_KEY_ID_TEXT_SIZE (M2M_RELATIVE_ID_MAX + 1 + GBA_FQDN_SIZE)

enum m2m_key_id_form {
    M2M_KEY_ID_GBA,  /* a B-TID: base64 of 16 octets @ BSF (TS-0003 8.3.2.3: KeID = B-TID) */
    M2M_KEY_ID_HEX,  /* hexBinary of 16 octets @ MEF or MAF (10.3.4, 10.3.5), either case */
    M2M_KEY_ID_NAMED /* A-Za-z0-9._- @ issuer (10.5, 10.6), either case */
};
struct m2m_key_id {
    enum m2m_key_id_form form;
    struct gba_text left, fqdn; /* views */
    uint8_t octets[16];         /* GBA: RAND; HEX: RelativeKeyID */
};

/* Told apart by form alone.  GBA_E_SYNTAX, GBA_E_TOO_LONG. */
enum gba_err m2m_key_id_parse(struct gba_text t, struct m2m_key_id *out);
/* One text per identifier, fit for a look-up: hex in upper case, names in lower case, base64
 * untouched, FQDN canonical. */
enum gba_err m2m_key_id_canonical(const struct m2m_key_id *id,
                                  char out[static M2M_KEY_ID_TEXT_SIZE]);
/* A KeID that another function than fqdn's made: hexadecimal, and of another domain (10.3.4).
 */
bool m2m_is_ke_id_of_another(struct gba_text t, const char *fqdn);
/* 1 to M2M_RELATIVE_ID_MAX characters of A-Za-z0-9._- (sec:relKeyID). */
bool m2m_is_relative_key_id(struct gba_text t);

/* Credential-ID "<credIDTypeID>-<value>" (10.4).  A B-TID is taken as a value although its
 * characters are outside 10.4's. */
struct m2m_credential_type {
    unsigned id; /* credIDTypeID */
    const char *name;
};
const struct m2m_credential_type *m2m_credential_type_find(unsigned id); /* or NULL */
enum gba_err m2m_credential_id_parse(struct gba_text t, unsigned *type, struct gba_text *value);
enum gba_err m2m_credential_id_print(unsigned type, struct gba_text value,
                                     struct gba_wbuf *out);

/* --- SUID ------------------------------------------------------------------------------- */
enum m2m_feature {
    M2M_FEATURE_MEF,
    M2M_FEATURE_MAF,
    M2M_FEATURE_SAEF,
    M2M_FEATURE_ESPRIM,
    M2M_FEATURE_ESDATA_ENC,
    M2M_FEATURE_ESDATA_SIGN
};
enum m2m_key_source {
    M2M_KEY_PRE_PROVISIONED = 1,
    M2M_KEY_RSPF = 2,
    M2M_KEY_MAF = 3,
    M2M_KEY_CERTIFICATE = 4
};
struct m2m_suid {
    unsigned value;
    enum m2m_key_source source;
    enum m2m_feature feature;
};
/* The row, or NULL: 31 is in TS-0003 8.3.9.9.2 only, not in TS-0004, and so no SUID. */
const struct m2m_suid *m2m_suid_find(uint64_t value);
/* How many targets a key registration may name: exactly one for MAF, SAEF and ESPrim, one or
 * more for ESData (8.3.5.2.7). */
bool m2m_suid_takes_targets(const struct m2m_suid *s, size_t n);

#endif
