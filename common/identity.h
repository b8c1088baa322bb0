/*
 * Identifiers of GAA: IMSI, IMPI, B-TID, TMPI, NAF_Id, and the BSF address rules of TS 23.003
 * clause 16.  Parsers check form and length; they never look anything up.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_IDENTITY_H
#define COMMON_IDENTITY_H

#include "common/bytes.h"

#define GBA_IMSI_SIZE 16  /* 15 digits and NUL */
#define GBA_IMPI_SIZE 256 /* octets of UTF-8 and NUL */
#define GBA_FQDN_SIZE 256
#define GBA_BTID_SIZE (24 + 1 + GBA_FQDN_SIZE)
#define GBA_NAF_ID_SIZE (GBA_FQDN_SIZE + 5)

/* 6 to 15 digits. */
enum gba_err gba_imsi_check(struct gba_text imsi);

/* TS 23.003 13.3: <IMSI>@ims.mnc<MNC3>.mcc<MCC>.3gppnetwork.org; mnc_len 2 or 3 (EF_AD, or
 * configuration; there is no default, because a guess would name another operator's BSF). */
enum gba_err gba_impi_from_imsi(struct gba_text imsi, unsigned mnc_len,
                                char out[static GBA_IMPI_SIZE]);

/* A username we are ready to take as IMPI: UTF-8 without control characters, 1-255 octets, an
 * NAI: one '@' with something on both sides. */
enum gba_err gba_impi_check(struct gba_text impi);

/* TS 23.003 16.2.  From a USIM: bsf.mnc<MNC3>.mcc<MCC>.pub.3gppnetwork.org. */
enum gba_err gba_bsf_from_imsi(struct gba_text imsi, unsigned mnc_len,
                               char out[static GBA_FQDN_SIZE]);
/* From an ISIM's IMPI: "bsf." before the domain, ".pub" before a closing 3gppnetwork.org (the
 * ims label stays). */
enum gba_err gba_bsf_from_impi(struct gba_text impi, char out[static GBA_FQDN_SIZE]);

/* B-TID = base64(RAND) "@" BSF FQDN.  GBA_E_SYNTAX when parsing: the left part is not the
 * base64 of exactly 16 octets, or the domain is no FQDN.  domain views into btid. */
enum gba_err gba_btid_make(const uint8_t rand[static 16], struct gba_text bsf_fqdn,
                           char out[static GBA_BTID_SIZE]);
enum gba_err gba_btid_parse(struct gba_text btid, uint8_t rand[static 16],
                            struct gba_text *domain);

/* Form only: 32 characters of base64 "@tmpi.bsf.3gppnetwork.org" (domain in any case). */
bool gba_is_tmpi(struct gba_text username);

/* The form under the KDF, equal on both sides: lower case, A-label (U-labels are converted),
 * no port, no trailing dot.  GBA_E_SYNTAX: no FQDN (labels of letters, digits, '-', '_' , 1-63
 * octets, 253 in all; a single label and an IPv4 or bracketed IPv6 address pass). */
enum gba_err gba_fqdn_canonical(struct gba_text in, char out[static GBA_FQDN_SIZE]);
/* The same, and the input must have been canonical already. */
enum gba_err gba_fqdn_check(struct gba_text fqdn);
/* A canonical form that is an address, and so no domain name. */
bool gba_fqdn_is_address(const char *canonical);

/* NAF_Id = FQDN || Ua security protocol identifier (TS 33.220 3.1, Annex H). */
struct gba_naf_id {
    uint8_t octets[GBA_NAF_ID_SIZE];
    size_t n;
};
/* fqdn is made canonical.  GBA_E_SYNTAX as gba_fqdn_canonical. */
enum gba_err gba_naf_id_make(struct gba_text fqdn, const uint8_t ua_id[static 5],
                             struct gba_naf_id *out);
/* Views into naf_id.  GBA_E_SYNTAX: under 6 octets or no canonical FQDN. */
enum gba_err gba_naf_id_parse(struct gba_bytes naf_id, struct gba_text *fqdn,
                              const uint8_t **ua_id);

#endif
