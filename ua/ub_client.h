/*
 * The state of one Ub run, shared by ub_client.c (decisions), ub_messages.c (what is sent and
 * how a challenge and a 200 are judged) and keyring.c (which takes Ks over).  Not public.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_UB_CLIENT_H
#define UA_UB_CLIENT_H

#include "common/digest_aka.h"
#include "common/identity.h"
#include "common/kdf.h"
#include "ua/gba_ue.h"

enum ub_state {
    UB_IDLE,
    UB_ASKED,      /* first GET sent */
    UB_CHALLENGED, /* RAND and AUTN are with the card */
    UB_ANSWERED,   /* GET with the response sent */
    UB_RESYNCING,  /* GET with auts sent */
    UB_REPORTED,   /* MAC failure reported */
    UB_DERIVING,   /* GBA_U: the card derives the TMPI's key */
    UB_DONE,
    UB_FAILED,
    UB_N_STATES
};

enum ub_event {
    UB_START,
    UB_CHALLENGE, /* 401 */
    UB_SUCCESS,   /* 200 */
    UB_REFUSAL,   /* other 4xx */
    UB_TROUBLE,   /* 5xx, and statuses that Ub does not have */
    UB_LOST,      /* no reply */
    UB_RES,
    UB_AUTS,
    UB_BAD_MAC,
    UB_CARD_FAILED,
    UB_KEY,
    UB_NO_KEY,
    UB_N_EVENTS
};

#define UB_OPAQUE_MAX 512

struct gba_ue {
    /* configuration */
    char impi[GBA_UE_IMPI_SIZE], bsf[GBA_UE_FQDN_SIZE], uri[256], tmpi[GBA_UE_TMPI_SIZE],
        agent[192];
    uint32_t max_life_s;
    bool gba_u, report_mac_failure;
    /* the run */
    enum ub_state state, next;
    enum gba_err err;
    const char *why;
    unsigned http_status, retry_after_s;
    bool with_tmpi, tmpi_refused, resynced, asked_again;
    /* the challenge in hand; nonce, realm and opaque are echoed as they came */
    uint8_t rand[16], autn[16];
    char realm[GBA_UE_FQDN_SIZE], nonce[GBA_AKA_NONCE_MAX + 1], opaque[UB_OPAQUE_MAX + 1];
    bool has_opaque;
    /* the answer */
    char cnonce[33];
    uint8_t res[16];
    size_t res_len;
    struct gba_ks ks;
    char authorization[2560];
    struct gba_ue_field fields[3];
    struct gba_ue_request request;
    /* the session */
    char btid[GBA_UE_BTID_SIZE], new_tmpi[GBA_UE_TMPI_SIZE];
    struct gba_naf_id bsf_id; /* BSF_Id of TS 33.220 B.4 */
    int64_t expires_s;
};

/* --- ub_messages.c ---------------------------------------------------------------------- */

/* Prepare ue->request. */
enum gba_err ub_print_first(struct gba_ue *ue);
/* response over RES; entropy makes the cnonce. */
enum gba_err ub_print_response(struct gba_ue *ue, const uint8_t entropy[static 16]);
/* RFC 3310 3.4: empty password, auts. */
enum gba_err ub_print_auts(struct gba_ue *ue, const uint8_t auts[static 14],
                           const uint8_t entropy[static 16]);
/* Empty response, no auts (TS 24.109 4.4). */
enum gba_err ub_print_mac_failure(struct gba_ue *ue, const uint8_t entropy[static 16]);

/* Takes RAND, AUTN, realm, nonce and opaque of the challenge that this UE can answer. */
enum gba_err ub_read_challenge(struct gba_ue *ue, const struct gba_ue_reply *reply);
/* rspauth first, then B-TID and lifetime. */
enum gba_err ub_read_success(struct gba_ue *ue, const struct gba_ue_reply *reply,
                             int64_t now_s);
/* Does the Server field carry the token 3gpp-gba-tmpi? */
bool ub_server_knows_tmpi(const struct gba_ue_reply *reply);
/* Seconds of Retry-After (not its date form), at most a day. */
unsigned ub_retry_after(const struct gba_ue_reply *reply);

/* Of http_reply.c: the i-th field of that name (any case); NULL: no such. */
const char *gba_ue_reply_field(const struct gba_ue_reply *reply, const char *name, size_t i);

#endif
