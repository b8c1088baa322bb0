/*
 * The generic KDF of TS 33.220 Annex B and the keys made by it.
 * All lengths are octets.  Strings are UTF-8 and pass NFKC here (B.2), so callers hand over
 * what they have.  The 5-octet Ua security protocol identifier in a NAF_Id is binary.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_KDF_H
#define COMMON_KDF_H

#include "common/bytes.h"
#include "common/secret.h"

#define GBA_KDF_MAX_P      16   /* parameters of one derivation */
#define GBA_KDF_MAX_STRING 2048 /* octets of a string parameter after NFKC */

/* TS 33.220 B.2: S = FC || P0 || L0 || P1 || L1 ...; fc is one octet, or FF xx for the
 * two-octet code points.  Appended to s, for inspection.  GBA_E_TOO_LONG: a parameter over
 * 65535 octets, more than GBA_KDF_MAX_P, or S does not fit. */
enum gba_err gba_kdf_s(struct gba_bytes fc, const struct gba_bytes *p, size_t n_p,
                       struct gba_wbuf *s);

/* TS 33.220 B.2: HMAC-SHA-256(key, S), for an S of any length.  GBA_E_TOO_LONG: as above. */
enum gba_err gba_kdf(struct gba_bytes key, struct gba_bytes fc, const struct gba_bytes *p,
                     size_t n_p, uint8_t out[static 32]);

enum gba_ks_use {
    GBA_USE_ME,  /* P0 "gba-me": Ks_NAF, Ks_ext_NAF */
    GBA_USE_UICC /* P0 "gba-u": Ks_int_NAF */
};

/* TS 33.220 B.3: KDF(Ks, "gba-me" | "gba-u", RAND, IMPI, NAF_Id).  naf_id is FQDN || 5 octets,
 * at least 6; the FQDN is taken as it is (canonical form is gba_naf_id's work).
 * GBA_E_SYNTAX: impi or FQDN is not UTF-8, or naf_id too short; GBA_E_TOO_LONG. */
enum gba_err gba_ks_naf(const struct gba_ks *ks, enum gba_ks_use use,
                        const uint8_t rand[static 16], struct gba_text impi,
                        struct gba_bytes naf_id, struct gba_key *out);

#define GBA_TMPI_LEN (32 + 1 + 24) /* characters, without NUL */
#define GBA_TMPI_DOMAIN "tmpi.bsf.3gppnetwork.org"

/* TS 33.220 B.4: base64 of the first 24 octets of KDF(Ks, "gba-me", RAND, IMPI, BSF_Id),
 * "@tmpi.bsf.3gppnetwork.org"; BSF_Id = bsf_fqdn || 01 00 00 01 00.  Errors of gba_ks_naf. */
#define GBA_TMPI_SIZE 64
enum gba_err gba_tmpi(const struct gba_ks *ks, const uint8_t rand[static 16],
                      struct gba_text impi, struct gba_text bsf_fqdn,
                      char out[static GBA_TMPI_SIZE]);

/* TS 33.220 I.5.2 (2G GBA).  key = Kc || Kc || RAND. */
void gba_2g_res(const uint8_t kc[static 8], const uint8_t rand[static 16],
                const uint8_t sres[static 4], uint8_t res[static 16]);
void gba_2g_ks(const uint8_t kc[static 8], const uint8_t rand[static 16],
               const uint8_t sres[static 4], const uint8_t ks_input[static 16],
               struct gba_ks *ks);

/* TS 33.220 B.5 (GBA_Digest): H(A1) of 16 or 32 octets, 48 octets of TLS_MK_Extr; resp is the
 * binary Digest response. */
enum gba_err gba_digest_passwd(struct gba_bytes ha1, const uint8_t tls_mk_extr[static 48],
                               uint8_t out[static 32]);
enum gba_err gba_digest_ks(struct gba_bytes ha1, const uint8_t tls_mk_extr[static 48],
                           struct gba_bytes resp, struct gba_ks *ks);
/* TS 33.220 B.6: KDF(Ks, "gba-digest", nonce, IMPI, NAF_Id). */
enum gba_err gba_digest_ks_naf(const struct gba_ks *ks, struct gba_bytes nonce,
                               struct gba_text impi, struct gba_bytes naf_id,
                               struct gba_key *out);

/* TS 33.535 A.2, A.3: K_AKMA and A-TID from K_AUSF; supi as it is to be hashed (the IMSI's
 * digits, or the NAI).  Errors of gba_ks_naf. */
enum gba_err gba_akma_key(const struct gba_key *kausf, struct gba_text supi,
                          struct gba_key *kakma);
enum gba_err gba_akma_tid(const struct gba_key *kausf, struct gba_text supi,
                          uint8_t a_tid[static 32]);
/* TS 33.535 A.4: K_AF; af_id = FQDN || Ua security protocol identifier, as a NAF_Id. */
enum gba_err gba_akma_kaf(const struct gba_key *kakma, struct gba_bytes af_id,
                          struct gba_key *kaf);

#endif
