/*
 * GET /fetchCredentials/<KeID>/<SUID>: the decisions (TS-0003 8.3.2.1 6c-d, and for GBA
 * records our help for targets without Zn: the MEF asks as their proxy).  No I/O: a key
 * of the BSF comes in as an event.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_FETCH_H
#define NAF_MEF_FETCH_H

#include "naf/keycache.h"
#include "naf/mef_rights.h"
#include "naf/mef_store.h"

#define MEF_FETCH_PATH "/fetchCredentials/"

struct mef_fetch {
    /* the question */
    const struct mef_target *target; /* borrowed until mef_fetch_end */
    struct m2m_key_id key_id;        /* views into text */
    char text[M2M_KEY_ID_TEXT_SIZE];
    unsigned suid;
    bool ask; /* the BSF is to be asked: query, then mef_fetch_key */
    struct zn_query query;

    /* the answer, when not ask */
    enum gba_err err;
    struct gba_key key;        /* wiped by mef_fetch_end */
    char enrolee[M2M_ID_SIZE]; /* Enrolee-ID */
    int64_t expires_s;
};

/* path: still percent-encoded, no query; query: without '?'; origin: X-M2M-Origin.
 * target: by the caller's certificate, NULL if it is none.  Answers in f->err: GBA_OK;
 * GBA_E_FORBIDDEN: not for this target, SUID or ua; GBA_E_NOT_AUTHORIZED (5402): no USS names
 * this target; GBA_E_NOT_FOUND: unknown or expired;
 * GBA_E_SYNTAX: not such a path or query; GBA_E_IO and others of the store. */
void mef_fetch_begin(const struct mef *m, const struct mef_target *target, struct gba_text path,
                     struct gba_text query, struct gba_text origin, int64_t now_s,
                     struct mef_fetch *f);
/* After f->ask.  Answers as above (GBA_E_NOT_AUTHORIZED also when the BSF says 5402), and what
 * Zn says where it is not the B-TID's fault. */
void mef_fetch_key(const struct mef *m, struct mef_fetch *f, enum gba_err err,
                   const struct naf_key *key, int64_t now_s);
void mef_fetch_end(struct mef_fetch *f);

/* The body, JSON or XML, of GBA_OK or of an error. */
enum gba_err mef_fetch_print(const struct mef_fetch *f, bool xml, struct gba_wbuf *out);

#endif
