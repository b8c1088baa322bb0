/*
 * Keys of oneM2M TS-0003 clause 10.3 (V3.18.0): the exporter's split, and the derivations from
 * Ke.  Identifiers pass NFKC here.  Never fed with a GBA Ks: Km and Kpsa of the GBA
 * framework are the NAF keys themselves (TS-0003 8.3.2.3).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_M2M_KEYS_H
#define COMMON_M2M_KEYS_H

#include "common/bytes.h"
#include "common/secret.h"

#define M2M_EXPORT_LEN        48 /* octets: RelativeKeyID 16 || key 32 (10.3.1) */
#define M2M_EXPORT_BOOTSTRAP  "EXPORTER-oneM2M-Bootstrap"
#define M2M_EXPORT_CONNECTION "EXPORTER-oneM2M-Connection"
#define M2M_EXPORT_ESCERTKE   "EXPORTER-oneM2M-ESCertKE"
#define M2M_KEY_ID_SIZE       (32 + 1 + 256)

/* GBA_E_SYNTAX: an identifier that is not UTF-8; GBA_E_TOO_LONG: one of more than 2048 octets
 * after NFKC, or an fqdn of more than 255. */

/* 10.3.1, 10.3.4, 10.3.5: key, and hexBinary(RelativeKeyID) "@" fqdn, upper-case hex. */
enum gba_err m2m_export_split(const uint8_t exported[static M2M_EXPORT_LEN],
                              struct gba_text fqdn, char key_id[static M2M_KEY_ID_SIZE],
                              struct gba_key *key);
/* 10.3.2 */
enum gba_err m2m_km(const struct gba_key *ke, struct gba_text maf_id, struct gba_key *km);
/* 10.3.3: the Enrolee-B-ID as it is to be hashed (Absolute by default, see doc/MMEF.md). */
enum gba_err m2m_kpsa(const struct gba_key *ke, struct gba_text enrolee_b_id,
                      struct gba_key *kpsa);
/* 10.3.7: suid octets as they are to be hashed (ASCII decimal by default). */
enum gba_err m2m_usage_key(const struct gba_key *ke, struct gba_bytes suid,
                           struct gba_text target_fqdn, struct gba_key *key);

/* 10.3.6: end-to-end keys from a Kpsa and a salt, in the clause's order. */
struct m2m_e2e_keys {
    struct gba_key master, msg_auth, msg_conf, att_auth, att_conf;
};
void m2m_e2e_keys(const struct gba_key *kpsa, struct gba_bytes salt, struct m2m_e2e_keys *out);

/* 10.3.8.2: the two RandObjects as they are to be hashed. */
void m2m_session_esprim_key(const struct gba_key *pairwise, struct gba_bytes receiver_rand,
                            struct gba_bytes originator_rand, struct gba_key *key);

#endif
