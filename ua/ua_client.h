/*
 * The state of one UE-NAF relation over Digest, shared by ua_client.c (decisions) and
 * ua_messages.c (fields).  Not public.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_UA_CLIENT_H
#define UA_UA_CLIENT_H

#include "common/digest.h"
#include "common/identity.h"
#include "common/secret.h"
#include "ua/gba_ue.h"

enum ua_state {
    UA_IDLE,
    UA_ASKING,     /* request sent without Authorization */
    UA_KEYING,     /* challenge judged, key wanted */
    UA_AUTHORISED, /* request sent with Authorization */
    UA_RENEWING,   /* B-TID refused: Ub, then the key again */
    UA_DONE,
    UA_FAILED,
    UA_N_STATES
};

enum ua_event {
    UA_START,
    UA_CHALLENGE, /* 401 */
    UA_ANSWER,    /* 2xx */
    UA_OTHER,     /* any other status */
    UA_LOST,      /* no reply */
    UA_SUITE,     /* not sent: another TLS suite than the key's */
    UA_KEY,
    UA_NO_KEY,
    UA_N_EVENTS
};

struct gba_ue_ua {
    /* configuration */
    char fqdn[GBA_UE_FQDN_SIZE], agent[192];
    bool https, allow_http, gba_u, ua_id_given;
    /* the request */
    char method[16], uri[2048];
    const uint8_t *body;
    size_t body_len;
    enum ua_state state, next;
    enum gba_err err;
    const char *why;
    bool renewed;
    unsigned n_stale, n_suites;
    /* the challenge in use */
    char realm[320], nonce[512], opaque[512];
    bool has_opaque, stale, internal;
    enum gba_digest_algorithm algorithm;
    enum gba_digest_qop qop;
    uint16_t suite; /* the connection's, when ua_id follows from it */
    uint8_t ua_id[GBA_UE_UA_ID_LEN];
    /* the answer */
    bool has_key;
    struct gba_ue_naf_key key;
    uint32_t nc;
    char nc_text[9], cnonce[33];
    char authorization[4608];
    struct gba_ue_field fields[3];
    struct gba_ue_request request;
};

/* --- ua_messages.c ---------------------------------------------------------------------- */

enum gba_err ua_print_plain(struct gba_ue_ua *ua);
enum gba_err ua_print_authorised(struct gba_ue_ua *ua, const uint8_t entropy[static 16]);

/* Takes the best challenge this UE may answer: realm of GBA and of this NAF, SHA-256 before
 * MD5, auth-int before auth. */
enum gba_err ua_read_challenge(struct gba_ue_ua *ua, const struct gba_ue_reply *reply);
/* Which Ua id, by scheme and suite, unless it is given. */
void ua_choose_key(struct gba_ue_ua *ua, const struct gba_ue_reply *reply);
/* rspauth; then nextnonce.  Without the field: as must and the protection allow. */
enum gba_err ua_check_info(struct gba_ue_ua *ua, const struct gba_ue_reply *reply, bool must);

#endif
