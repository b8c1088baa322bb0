/*
 * The decisions of Ub (TS 33.220 4.5.2, TS 24.109 4, RFC 3310): one request at a time, as a
 * machine without I/O, clock or entropy.  The caller feeds events and does what ub_step says;
 * now and random octets are fields of the events.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_UB_H
#define BSF_UB_H

#include "bsf/session.h"
#include "bsf/tmpi.h"
#include "bsf/zh.h"
#include "common/bootstrapping_info.h"
#include "common/digest_aka.h"

/* A WWW-Authenticate or Authentication-Info value: a cnonce may come back with every octet
 * escaped. */
#define UB_CNONCE_MAX 1024
#define UB_FIELD_SIZE (2 * UB_CNONCE_MAX + 512)
#define UB_RANDOM_LEN 48   /* RAND and AUTN of a decoy, opaque */

struct ub_policy {
    const char *const *names; /* BSF names we serve, canonical; the first is the default */
    size_t n_names;
    struct bsf_lifetimes lifetimes;
    int64_t challenge_ttl_ms;  /* how long an answer is awaited */
    int64_t repeat_window_ms;  /* a repeated first GET gets the same challenge */
    unsigned max_failures;     /* wrong answers that use a challenge up: 3 */
    unsigned retry_after_s;    /* of a 503 that knows no better */
    bool decoy;                /* unknown_subscriber: decoy */
    uint8_t decoy_amf[2];      /* AMF in the AUTN of a decoy: as the HSS's */
    bool accept_unflipped_res; /* lab: take the RES of a GBA_U UICC that does not flip it */
};

/* What the front read.  Views stay valid until the run has ended. */
struct ub_request {
    struct gba_text authorization;
    size_t n_authorization; /* how many such fields there were */
    struct gba_text method, target, host, user_agent;
    struct gba_bytes body;
};

enum ub_event_kind {
    UB_EV_REQUEST,
    /* what a port answered */
    UB_EV_YES,   /* GBA_OK */
    UB_EV_NO,    /* the answer is no: not found, refused, used */
    UB_EV_ERROR, /* there was no answer */
    /* what the machine found out itself */
    UB_EV_BAD,    /* a request that cannot be read */
    UB_EV_FIRST,  /* a request for a challenge */
    UB_EV_ANSWER, /* a request with a nonce */
    UB_EV_IMPI,
    UB_EV_TMPI,
    UB_EV_STRANGER, /* no such subscriber */
    UB_EV_DECOY,
    UB_EV_RIGHT, /* the response verifies */
    UB_EV_WRONG,
    UB_EV_AUTS,
    UB_EV_MAC_FAILURE,
    UB_EV_FOREIGN, /* the nonce of somebody else's challenge */
    UB_N_EVENTS
};

/* From outside only REQUEST, YES, NO, ERROR; ub_event_of sorts a port's answer. */
struct ub_event {
    enum ub_event_kind kind;
    enum gba_err err; /* of NO and ERROR */
    int64_t now_ms;
    uint8_t random[UB_RANDOM_LEN];         /* YES and NO, where ub_wants_random */
    const struct ub_request *request;      /* REQUEST */
    const struct bsf_challenge *challenge; /* YES of UB_DO_FIND, UB_DO_GET */
    const char *impi;                      /* YES of UB_DO_RESOLVE */
    struct gba_guss *guss;                 /* YES of UB_DO_RECALL, UB_DO_ASK (or NULL) */
    const struct gba_av *av;               /* YES of UB_DO_ASK */
    unsigned failures;                     /* YES of UB_DO_COUNT */
    unsigned retry_after_s;                /* NO of UB_DO_ADMIT; 0: no better knowledge */
};
enum ub_event_kind ub_event_of(enum gba_err err);

enum ub_state {
    UB_IDLE,
    UB_SORTING,    /* passing: the request is read */
    UB_NAMING,     /* passing: a challenge is wanted, by whom? */
    UB_RESOLVING,  /* waits for the store: whose TMPI */
    UB_FINDING,    /* ... an unanswered challenge of this username */
    UB_ADMITTING,  /* waits for the limiter */
    UB_RECALLING,  /* ... the store: the cached GUSS */
    UB_ASKING,     /* ... Zh */
    UB_DOUBTING,   /* passing: what to say of a stranger */
    UB_KEEPING,    /* ... the store: challenge put */
    UB_LOOKING_UP, /* ... the challenge of this nonce */
    UB_JUDGING,    /* passing: what the answer is */
    UB_OPENING,    /* ... session opened */
    UB_COUNTING,   /* ... wrong answer counted */
    UB_CLAIMING,   /* ... the AUTS of the run claimed */
    UB_UNCLAIMING, /* ... and given back, for it does not verify */
    UB_DROPPING,   /* ... challenge dropped */
    UB_DONE,
    UB_N_STATES
};

/* What the caller does next.  The operands are fields of the run. */
enum ub_do {
    UB_DO_ANSWER,  /* run->answer is complete; the run is over */
    UB_DO_RESOLVE, /* store tmpi_get(username) */
    UB_DO_FIND,    /* store challenge_find(username, realm) */
    UB_DO_ADMIT,   /* limiter: a vector for impi? */
    UB_DO_RECALL,  /* store guss_get(impi) */
    UB_DO_ASK,     /* zh ask(query) */
    UB_DO_KEEP,    /* store challenge_put(challenge) */
    UB_DO_GET,     /* store challenge_get(rand) */
    UB_DO_OPEN,    /* store session_open(session, challenge.username) */
    UB_DO_COUNT,   /* store challenge_fail(rand, state is UB_UNCLAIMING, max_failures) */
    UB_DO_CLAIM,   /* store challenge_claim_auts(rand) */
    UB_DO_DROP     /* store challenge_drop(rand) */
};

enum ub_verdict { UB_REFUSED, UB_CHALLENGED, UB_BOOTSTRAPPED };

struct ub_answer {
    enum ub_verdict verdict;
    enum gba_err reason;    /* REFUSED: why; CHALLENGED: why again (GBA_OK: it was asked
                               for); BOOTSTRAPPED: GBA_OK */
    unsigned retry_after_s; /* of a refusal that may pass; 0: none */
    int64_t expires_s;      /* BOOTSTRAPPED: of Ks */
    bool repeated;          /* CHALLENGED: with a challenge sent before */
    bool weak_res;          /* the RES has fewer than 64 bits */
    size_t body_len;
    /* the room for texts stands last: it is not cleared for each run */
    char field[UB_FIELD_SIZE]; /* WWW-Authenticate or Authentication-Info; "" */
    uint8_t body[GBA_BOOTSTRAPPING_INFO_SIZE];
};

/* One request's run: from ub_run_init to ub_run_release. */
struct ub_run {
    const struct ub_policy *policy;
    enum ub_state state;
    enum ub_do todo;
    const struct ub_request *request;
    char username[GBA_IMPI_SIZE], impi[GBA_IMPI_SIZE];
    enum bsf_username kind; /* of the username */
    const char *realm;      /* the BSF name of this run */
    uint8_t rand[16];       /* of the nonce */
    uint8_t auts[GBA_AUTS_LEN];
    enum gba_err reason;   /* why the UE is challenged again; GBA_OK */
    struct gba_guss *guss; /* cached */
    struct zh_query query;
    struct bsf_challenge challenge;
    struct bsf_session session;
    struct gba_digest digest; /* of the request: do not copy a run */
    struct ub_answer answer;
};

void ub_run_init(struct ub_run *run, const struct ub_policy *policy);
void ub_run_release(struct ub_run *run); /* wipes */

/* Takes one event and gives what to do next.  An event that the state does not know is our own
 * bug or a confused port: the run ends, refused with GBA_E_UNEXPECTED. */
enum ub_do ub_step(struct ub_run *run, const struct ub_event *ev);

/* Needs the answer to what is being done random octets beside it? */
bool ub_wants_random(const struct ub_run *run);

/* The table, for its test. */
struct ub_row {
    enum ub_state state;
    enum ub_event_kind event;
    enum ub_state next;
    enum ub_do todo;
    const char *clause; /* "": our own */
};
const struct ub_row *ub_row_find(enum ub_state state, enum ub_event_kind event);

#endif
