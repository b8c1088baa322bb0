/*
 * What the BSF keeps of a bootstrapping run: the pending challenge, and the session it becomes
 * (TS 33.220 4.5.2, TS 29.109 3.1).  Pure: times and vectors are arguments.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_SESSION_H
#define BSF_SESSION_H

#include "common/aka.h"
#include "common/guss.h"
#include "common/identity.h"
#include "common/kdf.h"

#define BSF_OPAQUE_SIZE 33 /* hexadecimal of 16 octets, and NUL */

/* A challenge that was sent.  Ends with bsf_challenge_release. */
struct bsf_challenge {
    uint8_t rand[16];
    uint8_t autn[16]; /* as sent: AUTN, or AUTN* for a GBA_U UICC */
    uint8_t xres[16]; /* as expected: its last bit flipped for a GBA_U UICC */
    size_t xres_len;
    struct gba_ks ks;             /* CK || IK */
    char username[GBA_IMPI_SIZE]; /* as the UE wrote it: IMPI or TMPI */
    char impi[GBA_IMPI_SIZE];
    char realm[GBA_FQDN_SIZE]; /* the BSF name chosen for this run */
    char opaque[BSF_OPAQUE_SIZE];
    int64_t created_ms, expires_ms; /* since 1970 */
    struct gba_guss *guss;          /* NULL: the subscriber has none */
    unsigned failures;              /* wrong answers so far */
    bool gba_u;                     /* run with a GBA_U UICC */
    bool resynced;                  /* made in answer to an AUTS: takes no second one */
    bool auts_used;                 /* an AUTS that verifies, or is being asked about, came */
    bool decoy;                     /* no subscriber behind it: no answer verifies */
};

/* A bootstrapped session.  Ends with bsf_session_release. */
struct bsf_session {
    uint8_t rand[16];
    struct gba_ks ks;
    char btid[GBA_BTID_SIZE];
    char impi[GBA_IMPI_SIZE];
    char tmpi[GBA_TMPI_SIZE];     /* "": the UE does not know TMPIs */
    int64_t created_s, expires_s; /* since 1970 */
    struct gba_guss *guss;        /* NULL: none */
    bool gba_u;
};

struct bsf_lifetimes {
    int64_t deflt_s, min_s, max_s; /* of Ks; a GUSS may ask for another between min and max */
};

/* Copies with a reference of the GUSS; release wipes and gives the reference back. */
void bsf_challenge_copy(struct bsf_challenge *to, const struct bsf_challenge *from);
void bsf_challenge_release(struct bsf_challenge *c);
void bsf_session_copy(struct bsf_session *to, const struct bsf_session *from);
void bsf_session_release(struct bsf_session *s);

/* Takes the vector into c: rand, autn, xres, ks; with gba_u the changed AUTN* and XRES (TS
 * 33.220 5.3.2).  GBA_E_ZH_MALFORMED: RES of other than 4 to 16 octets. */
enum gba_err bsf_challenge_set_vector(struct bsf_challenge *c, const struct gba_av *av,
                                      bool gba_u);

/* Seconds a Ks of this subscriber lives: the GUSS's lifeTime within the operator's limits. */
int64_t bsf_ks_lifetime_s(const struct bsf_lifetimes *l, const struct gba_guss *guss);

/* The session of an answered challenge (TS 33.220 4.5.2 steps 7 and 8, B.4): Ks, B-TID, expiry,
 * and TMPI if with_tmpi.  Errors of gba_btid_make and gba_tmpi. */
enum gba_err bsf_session_make(const struct bsf_challenge *c, const struct bsf_lifetimes *l,
                              int64_t now_s, bool with_tmpi, struct bsf_session *out);

#endif
