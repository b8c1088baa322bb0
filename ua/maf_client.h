/*
 * The device's decisions with an M2M Authentication Function (TS-0003 8.2.2.3, 8.8.2): client
 * registration, which may name a Km that came from an MEF; key registration in a session whose
 * exporter gives Kc and KcID (10.3.1, 10.3.5); the end of the key whose place that takes.
 * Requests to send, replies to read; no I/O.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_MAF_CLIENT_H
#define UA_MAF_CLIENT_H

#include "ua/m2m_exchange.h"

enum maf_state {
    MAF_IDLE,
    MAF_REGISTERING,
    MAF_RENAMING,
    MAF_KEYING,
    MAF_ENDING, /* the key of before */
    MAF_DONE,
    MAF_FAILED,
    MAF_N_STATES
};
enum maf_event {
    MAF_START,
    MAF_ANSWER, /* an HTTP reply, whatever it says */
    MAF_LOST,
    MAF_N_EVENTS
};

struct maf_client {
    /* configuration */
    char target[GBA_UE_CSE_ID_SIZE], target_fqdn[GBA_UE_FQDN_SIZE], maf_fqdn[GBA_UE_FQDN_SIZE],
        admin_fqdn[GBA_UE_FQDN_SIZE], originator[M2M_ID_SIZE];
    unsigned suid;
    bool by_certificate;
    int64_t expires_s;
    char before[GBA_UE_KEY_ID_SIZE]; /* KcID; "": none */
    /* the run */
    enum maf_state state, next;
    enum gba_err err;
    const char *why; /* static; ""; in MAF_DONE: why the key of before is still there */
    unsigned rsc;
    char km_id[GBA_UE_KEY_ID_SIZE]; /* psk_identity of the next session; "": by certificate */
    struct m2m_exchange exchange;
    struct gba_ue_credential kc; /* MAF_DONE */
};

struct maf_happened {
    enum maf_event event;
    const struct gba_ue_reply *reply; /* MAF_ANSWER; with psk and exported */
    enum gba_err err;                 /* MAF_LOST */
    int64_t now_s;
    uint8_t entropy[16];
};

/* km_id: KmID, or the KeID of a Km that came from an MEF; NULL: by certificate.  before: KcID
 * of this MAF that is not used any more after this; NULL: none.  GBA_E_ARGUMENT. */
enum gba_err maf_client_init(struct maf_client *m, const struct gba_ue_maf_config *config,
                             const char *km_id, const char *before);
/* GBA_OK: m->state says what is next; in MAF_REGISTERING, MAF_RENAMING and MAF_KEYING send
 * m->exchange in a new session, in MAF_ENDING in any.  GBA_E_UNEXPECTED.  MAF_FAILED: err and
 * why say it; errors as of gba_ue_enrol_step. */
enum gba_err maf_client_step(struct maf_client *m, const struct maf_happened *ev);

#endif
