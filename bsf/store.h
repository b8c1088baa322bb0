/*
 * The port for what a BSF remembers: pending challenges, sessions, TMPIs and GUSSs.
 * Adapters: store_memory.c.
 *
 * Every operation is atomic and asynchronous with exactly one answer: done() runs exactly once,
 * on any thread, AND IT MAY RUN BEFORE THE CALL RETURNS: after the call touch nothing that
 * done() may have freed.  Arguments are borrowed until the call returns, results until done()
 * returns.  Times are milliseconds since 1970 and come from the caller.  Any operation may also
 * fail with GBA_E_IO, GBA_E_NOMEM, GBA_E_TIMEOUT or GBA_E_CANCELLED; nothing has changed then,
 * or (a shared store that lost its line) the change is as if its answer had been lost.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_STORE_H
#define BSF_STORE_H

#include "bsf/session.h"

/* What the operation names; the rest is zero. */
struct store_result {
    const struct bsf_challenge *challenge;
    const struct bsf_session *session;
    const char *impi;
    struct gba_guss *guss; /* take a reference to keep it */
    unsigned failures;
};
typedef void store_done(void *arg, enum gba_err err, const struct store_result *r);

struct store_stats {
    uint64_t challenges, sessions, subscribers; /* now */
    uint64_t challenges_evicted;                /* since start: pushed out by the cap */
};

struct store {
    const char *name; /* "memory" */

    /* Keeps a copy until c->expires_ms.  At the cap the oldest challenge makes room.
     * GBA_E_RAND_REUSED: a live challenge or session has this RAND. */
    void (*challenge_put)(struct store *s, const struct bsf_challenge *c, int64_t now_ms,
                          store_done *done, void *arg);
    /* The newest challenge of this username and realm, if nobody has answered it in any way, it
     * was not made by a resynchronisation, and it is younger than window_ms.  GBA_E_NOT_FOUND.
     */
    void (*challenge_find)(struct store *s, const char *username, const char *realm,
                           int64_t window_ms, int64_t now_ms, store_done *done, void *arg);
    /* GBA_E_NONCE: none (never was, used up, or pushed out); GBA_E_NONCE_EXPIRED. */
    void (*challenge_get)(struct store *s, const uint8_t rand[static 16], int64_t now_ms,
                          store_done *done, void *arg);
    /* One more wrong answer: gives the count with it in r->failures; at limit the challenge is
     * gone.  was_auts: the wrong answer is the AUTS claimed before, and another may come.
     * GBA_E_NONCE. */
    void (*challenge_fail)(struct store *s, const uint8_t rand[static 16], bool was_auts,
                           unsigned limit, int64_t now_ms, store_done *done, void *arg);
    /* The one AUTS of a run.  GBA_E_SECOND_AUTS: it was used, or the challenge came from a
     * resynchronisation; GBA_E_NONCE. */
    void (*challenge_claim_auts)(struct store *s, const uint8_t rand[static 16], int64_t now_ms,
                                 store_done *done, void *arg);
    /* GBA_OK also when it was gone. */
    void (*challenge_drop)(struct store *s, const uint8_t rand[static 16], int64_t now_ms,
                           store_done *done, void *arg);

    /* Turns the challenge with session->rand into the session: exactly one caller wins, the
     * others get GBA_E_NONCE.  session->tmpi, unless "", becomes the subscriber's TMPI; the
     * TMPI he came with (username), else the one before, stays valid until the new one is used.
     * session->guss replaces the subscriber's (NULL: he has none).  Of his sessions the newest
     * stay.  GBA_E_OVERLOAD: at the cap of sessions (the challenge stays). */
    void (*session_open)(struct store *s, const struct bsf_session *session,
                         const char *username, int64_t now_ms, store_done *done, void *arg);
    /* The session, with the subscriber's GUSS of today.  GBA_E_BTID: unknown or expired. */
    void (*session_get)(struct store *s, const char *btid, int64_t now_ms, store_done *done,
                        void *arg);

    /* Whose TMPI: r->impi.  To ask for the newest TMPI is to use it: the one before ends.
     * GBA_E_NOT_FOUND. */
    void (*tmpi_get)(struct store *s, const char *tmpi, int64_t now_ms, store_done *done,
                     void *arg);

    /* GBA_E_NOT_FOUND: no GUSS, or (put) no such subscriber. */
    void (*guss_get)(struct store *s, const char *impi, int64_t now_ms, store_done *done,
                     void *arg);
    void (*guss_put)(struct store *s, const char *impi, struct gba_guss *guss, int64_t now_ms,
                     store_done *done, void *arg);

    /* Drops and wipes what has expired; called every few seconds. */
    void (*expire)(struct store *s, int64_t now_ms);
    void (*stats)(struct store *s, struct store_stats *out);
    /* Answers what waits with GBA_E_CANCELLED, wipes, frees. */
    void (*close)(struct store *s);
};

#endif
