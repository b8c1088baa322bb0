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
#include "naf/mef_rights.h"
#include "naf/mef_store.h"

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
