/*
 * What a UE is told on Ua with HTTP Digest: TS 24.109 5.2, RFC 7616 3.3.  Which of it, is
 * ua_server.c's decision.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_UA_ANSWER_H
#define NAF_UA_ANSWER_H

#include "naf/ua_request.h"

struct ua_server {
    struct ua_rules rules;
    struct nonces *nonces;
};

void ua_decide(struct ua_exchange *x, enum gba_naf_verdict verdict, unsigned status,
               enum gba_err reason);
/* 401.  Without stale it is the renegotiation of TS 24.109 5.2.5: a UE that used a B-TID
 * bootstraps again; with it the UE repeats with the new nonce only. */
void ua_challenge(const struct ua_server *s, struct ua_exchange *x, enum gba_err reason,
                  bool stale);
void ua_refuse(struct ua_exchange *x, enum gba_err reason);

#endif
