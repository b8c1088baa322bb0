/*
 * Reading a request on Ub and judging it against its challenge (TS 24.109 4, RFC 3310,
 * RFC 7616): helpers of ub.c, without state.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_UB_REQUEST_H
#define BSF_UB_REQUEST_H

#include "bsf/ub.h"

/* The name of ours that Host means: without port, in any case; the first name for every other.
 */
const char *ub_choose_name(const struct ub_policy *p, struct gba_text host);

/* Parses Authorization into run->digest and checks what needs no challenge: scheme, grammar,
 * username, algorithm.  Errors have status 400. */
enum gba_err ub_read_authorization(struct ub_run *run, const struct ub_request *rq);

/* For a request without a nonce. */
enum gba_err ub_check_first(const struct gba_digest *d);

/* Are nonce, realm, opaque and uri those of the challenge? */
bool ub_is_bound(const struct ub_run *run, const struct bsf_challenge *c);

/* Is the answer in run->digest bound to its challenge (username apart): realm, nonce, opaque,
 * algorithm, qop, nc, uri, and nothing missing?  GBA_E_QOP, GBA_E_NC, GBA_E_BINDING;
 * GBA_E_MISSING or GBA_E_SYNTAX when it cannot be read. */
enum gba_err ub_check_binding(const struct ub_run *run, const struct bsf_challenge *c);

/* Does the response verify under the challenge's XRES? */
bool ub_response_verifies(const struct ub_run *run, const struct bsf_challenge *c);

/* run->answer.field: the challenge's WWW-Authenticate value. */
enum gba_err ub_print_challenge(struct ub_answer *a, const struct bsf_challenge *c);
/* run->answer.body and .field: BootstrappingInfo and Authentication-Info with rspauth. */
enum gba_err ub_print_success(struct ub_run *run, int64_t now_s);

#endif
