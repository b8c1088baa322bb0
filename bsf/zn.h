/*
 * The decision of Zn (TS 33.220 4.5.3, TS 29.109 5.2), the same for every binding: may this NAF
 * have a key of this session, which, and with which USSs.  Pure; the session comes from the
 * store between the two halves.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_ZN_H
#define BSF_ZN_H

#include "bsf/policy.h"
#include "bsf/session.h"
#include "common/zn_soap.h"

#define ZN_USS_LIST_SIZE (2 * GBA_GUSS_MAX + 1024)

struct zn_query {
    const char *const *names; /* the peer's verified dNSNames */
    size_t n_names;
    const struct gba_zn_request *request;
};

/* First half, before anything is looked up: who asks, and may it ask for this FQDN and Ua
 * protocol?  GBA_E_NOT_AUTHORIZED. */
enum gba_err zn_admit(const struct policy *p, const struct zn_query *q,
                      const struct policy_naf **naf);

/* Second half.  The answer's uss_list views into list (ZN_USS_LIST_SIZE octets).  Wipe the
 * answer. GBA_E_BTID: expired; GBA_E_NOT_AUTHORIZED: a USS the NAF's row requires is missing,
 * or the subscriber's keyChoice does not allow the key that could be given. */
enum gba_err zn_decide(const struct policy *p, const struct policy_naf *naf,
                       const struct zn_query *q, const struct bsf_session *s, int64_t now_s,
                       struct gba_zn_answer *out, struct gba_wbuf *list);

#endif
