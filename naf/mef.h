/*
 * The MEF's decisions on Mmef: client registration, key registration, key retrieval and the
 * command resource (TS-0003 8.3.5.2, 8.3.9), on primitives of TS-0004, free of any binding.
 * One table says which operation on which resource; every other pair is refused in one place.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_H
#define NAF_MEF_H

#include "common/m2m_codec.h"
#include "common/m2m_keys.h"
#include "naf/mef_policy.h"
#include "naf/mef_store.h"

struct mef {
    const struct mef_policy *policy;
    struct mef_store *store;
};

/* Whom the TLS session of a request authenticated. */
struct mef_client {
    const char *id;                    /* Absolute CSE-ID or AE-ID, or a MAF's FQDN */
    const struct mef_enrolee *enrolee; /* with a PSK of the BSF; else NULL */
    const struct mef_target *target;   /* with a certificate; else NULL */
    /* Enrolees: what the session exports (10.3.1), and until when its PSK is good. */
    uint8_t bootstrap[M2M_EXPORT_LEN], connection[M2M_EXPORT_LEN];
    int64_t expires_s;
};
void mef_client_wipe(struct mef_client *c);

struct mef_answer {
    struct m2m_response rs; /* pc views into content */
    struct m2m_problem problem;
    uint8_t content[M2M_CONTENT_MAX];
};

/* random: 16 fresh octets.  The answer may hold a key: mef_answer_wipe. */
void mef_request(const struct mef *m, const struct mef_client *c, const struct m2m_request *rq,
                 int64_t now_s, const uint8_t random[static 16], struct mef_answer *out);
void mef_answer_wipe(struct mef_answer *a);

#endif
