/*
 * The USIM port: what the UE asks of a UICC application (USIM or ISIM).  A struct of functions;
 * adapters: usim_soft.c.  A device whose card sits behind a modem may implement it, or leave it
 * and drive gba_ue_step itself.  TS 33.220 4.2.5, 5; TS 31.102 7.1; TS 31.103 7.1.
 *
 * Installed; included by <ua/gba_ue.h>.  Sizes are octets.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_USIM_H
#define UA_USIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define GBA_UE_IMSI_SIZE 16  /* 15 digits and NUL */
#define GBA_UE_IMPI_SIZE 256 /* 255 octets of UTF-8 and NUL */
#define GBA_UE_FQDN_SIZE 256
#define GBA_UE_BTID_SIZE (24 + 1 + GBA_UE_FQDN_SIZE) /* base64(RAND) "@" FQDN, NUL */
#define GBA_UE_UICC_SIZE 288
#define GBA_UE_KEY_LEN   32
#define GBA_UE_UA_ID_LEN 5 /* Ua security protocol identifier, TS 33.220 Annex H */

enum gba_ue_application { GBA_UE_USIM, GBA_UE_ISIM };

struct gba_ue_identity {
    enum gba_ue_application application;
    char imsi[GBA_UE_IMSI_SIZE]; /* "": unknown (ISIM) */
    unsigned mnc_len;            /* digits of the MNC, 2 or 3 (EF_AD); 0: unknown */
    char impi[GBA_UE_IMPI_SIZE]; /* EF_IMPI, or made from the IMSI (TS 23.003 13.3) */
    char uicc[GBA_UE_UICC_SIZE]; /* names card and application; keys at rest are bound to it */
    bool gba_u;                  /* the card runs GBA_U: Ks stays in it */
    bool soft;                   /* K lies in a file of this machine */
};

/* The answer to one AUTHENTICATE.  Holds secrets: its owner ends it with gba_ue_wipe. */
struct gba_ue_aka {
    enum gba_err result; /* GBA_OK: res (and ck, ik); GBA_E_SYNC: auts; GBA_E_MAC; else the card
                            failed: GBA_E_USIM, GBA_E_IO */
    uint8_t res[16];
    size_t res_len;         /* 4-16 */
    uint8_t ck[16], ik[16]; /* GBA_ME only; a card in GBA mode keeps them */
    uint8_t auts[14];
};

/* Every function is called from one thread at a time and may block for a card's time.  All but
 * close return GBA_OK, GBA_E_USIM (the card refuses or is gone) or GBA_E_IO. */
struct gba_ue_usim {
    const char *name; /* "soft" */

    enum gba_err (*identity)(struct gba_ue_usim *self, struct gba_ue_identity *out);

    /* AUTHENTICATE (TS 31.102 7.1.2) in the 3G context, or with gba in the GBA context,
     * bootstrapping mode. The outcome is out->result, and the value returned. */
    enum gba_err (*authenticate)(struct gba_ue_usim *self, bool gba, const uint8_t rand[16],
                                 const uint8_t autn[16], struct gba_ue_aka *out);

    /* GBA_U only: stores B-TID and key lifetime in the card (EF_GBABP, TS 31.102 4.2.79). */
    enum gba_err (*bootstrapped)(struct gba_ue_usim *self, const char *btid, int64_t expires_s);

    /* GBA_U only: AUTHENTICATE in the GBA context, NAF derivation mode.  naf_id = FQDN || Ua
     * id. internal false: Ks_ext_NAF.  internal true: Ks_int_NAF, which a real card never gives
     * away (GBA_E_FORBIDDEN); a soft USIM does, because the client "in the UICC" is this
     * process too. GBA_E_NOT_FOUND: no Ks in the card (SW 6985). */
    enum gba_err (*derive)(struct gba_ue_usim *self, bool internal, const uint8_t *naf_id,
                           size_t naf_id_len, const char *impi, uint8_t key[GBA_UE_KEY_LEN]);

    void (*close)(struct gba_ue_usim *self); /* wipes and frees self */
};

#endif
