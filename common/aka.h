/*
 * AKA (TS 33.102 6.3): vectors, AUTN, AUTS, over one table of algorithms (Milenage, TUAK, the
 * TS 34.108 test algorithm, the SHA-1-based functions of 3GPP2 S.S0055-A).  Pure: RAND and SQN
 * are arguments.
 * Sizes: K 16 or 32 (TUAK), RAND 16, SQN 6, AMF 2, MAC 8, CK and IK 16, RES 4-16, AUTN 16,
 * AUTS 14 octets.  (TUAK's other MAC/CK/IK sizes: common/tuak.h, primitives only.)
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_AKA_H
#define COMMON_AKA_H

#include "common/bytes.h"

#define GBA_AUTS_LEN 14

enum gba_aka_algorithm {
    GBA_AKA_MILENAGE,
    GBA_AKA_TUAK,
    GBA_AKA_XOR,
    GBA_AKA_3GPP2,
    GBA_AKA_N_ALGORITHMS
};

/* What USIM and AuC share.  Wiped by its owner with gba_wipe. */
struct gba_aka_secret {
    enum gba_aka_algorithm algorithm;
    uint8_t k[32];
    size_t k_len;          /* 16; TUAK also 32 */
    uint8_t opc[32];       /* OPc (16 octets) or TOPc (32) */
    size_t res_len;        /* octets of RES: Milenage 8; TUAK 4, 8, 16; XOR, 3GPP2 4-16 */
    unsigned iterations;   /* TUAK: Keccak permutations, 1 or more; 0 means 1 */
    bool own_fmk;          /* 3GPP2: fmk is FMK; false: it is gba_3gpp2_fmk */
    uint8_t fmk[4];
};

/* An authentication vector.  Wiped by its owner. */
struct gba_av {
    uint8_t rand[16], autn[16], res[16], ck[16], ik[16];
    size_t res_len;
};

const char *gba_aka_name(enum gba_aka_algorithm a); /* "milenage", "tuak", "xor", "3gpp2" */
enum gba_err gba_aka_by_name(struct gba_text name, enum gba_aka_algorithm *out);

/* GBA_E_ARGUMENT: a size the algorithm does not have. */
enum gba_err gba_aka_check_secret(const struct gba_aka_secret *s);

/* Fills s->opc from OP (16 octets, TS 35.206 4.1) or TOP (32, TS 35.231 6.2); XOR and 3GPP2
 * have none. */
enum gba_err gba_aka_derive_opc(struct gba_aka_secret *s, struct gba_bytes op_or_top);

/* AuC side: the vector for (RAND, SQN, AMF); AUTN = SQN xor AK || AMF || MAC-A. */
enum gba_err gba_aka_vector(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                            const uint8_t sqn[static 6], const uint8_t amf[static 2],
                            struct gba_av *av);

/* USIM side: verifies MAC-A and gives SQN, AMF and the vector.  GBA_E_MAC: it does not verify
 * (nothing is given out).  Freshness of SQN is gba_sqn_accept's work. */
enum gba_err gba_aka_open_autn(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                               const uint8_t autn[static 16], uint8_t sqn[static 6],
                               uint8_t amf[static 2], struct gba_av *av);

/* AUTS = SQN_MS xor AK* || MAC-S, AMF* = 0000 (TS 33.102 6.3.3). */
enum gba_err gba_aka_make_auts(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                               const uint8_t sqn_ms[static 6], uint8_t auts[static 14]);
/* AuC side.  GBA_E_AUTS: MAC-S does not verify. */
enum gba_err gba_aka_open_auts(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                               const uint8_t auts[static 14], uint8_t sqn_ms[static 6]);

/* The functions of the algorithm, for vectors and tests: MAC-A/MAC-S of 8 octets. */
struct gba_aka_functions {
    uint8_t mac_a[8], mac_s[8], res[16], ck[16], ik[16], ak[6], ak_star[6];
    size_t res_len;
};
enum gba_err gba_aka_functions(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                               const uint8_t sqn[static 6], const uint8_t amf[static 2],
                               struct gba_aka_functions *out);

#endif
