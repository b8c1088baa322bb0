/*
 * A BSF for the UE's tests: a request head in, a whole HTTP reply out, with real AKA and real
 * Digest from common/.  It can be told to go wrong in any place.  Not a BSF for anything else.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UA_FAKE_BSF_H
#define TESTS_UA_FAKE_BSF_H

#include "common/aka.h"
#include "common/bytes.h"
#include "common/secret.h"

#define FAKE_REPLY_MAX 65536

/* Replaces `from` by `to` in the reply with that status; body edits happen before rspauth is
 * made. */
struct fake_edit {
    unsigned status;
    bool in_body;
    const char *from, *to;
};

struct fake_bsf {
    struct gba_aka_secret secret;
    const char *name; /* BSF name: realm, B-TID domain */
    uint64_t next_sqn;
    bool gba_u;
    int64_t now_s, life_s;
    unsigned refuse_first;  /* status for first GETs; 0: serve */
    unsigned refuse_answer; /* status for answers; 0: verify */
    bool refuse_tmpi;       /* 403 to a TMPI */
    bool never_satisfied;   /* every answer gets a new challenge */
    bool stale_always;      /* never heeds AUTS */
    bool currenttime;       /* Extension/currenttime in the body */
    struct fake_edit edits[4];
    /* what happened */
    unsigned n_requests, n_challenges, n_auts, n_ok, n_mac_failures;
    char username[256], authorization[2048], host[300], agent[256];
    /* the challenge in hand */
    struct gba_av av;
    char nonce[64];
    uint8_t counter;
};

void fake_bsf_init(struct fake_bsf *b);
/* head: request line and fields.  Returns the octets of the reply, NUL-terminated. */
size_t fake_bsf_answer(void *bsf, const char *head, char reply[FAKE_REPLY_MAX]);
struct gba_ks fake_bsf_ks(const struct fake_bsf *b);

/* A server on 127.0.0.1, one connection after another, in a thread.  answer() is called for
 * every request head (with its body behind the empty line). */
struct fake_server;
typedef size_t fake_answer(void *ctx, const char *head, char reply[FAKE_REPLY_MAX]);
struct fake_server *fake_server_start(fake_answer *answer, void *ctx, unsigned *port);
/* The same on ::1; NULL: this machine has none. */
struct fake_server *fake_server_start6(fake_answer *answer, void *ctx, unsigned *port);
void fake_server_stop(struct fake_server *s);

/* The value of a field of a request head; "" if there is none.  Static storage. */
const char *fake_field(const char *head, const char *name);

#endif
