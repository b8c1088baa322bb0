/*
 * What the fronts of mefd and mafd refuse themselves, before a request is one of Mmef or Mmaf,
 * in the form of those: a response status code, and m2m:dbg that says why.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_REFUSAL_H
#define NAF_MEF_REFUSAL_H

#include "naf/mef.h"

/* The code of an error that a front met; INTERNAL_SERVER_ERROR where it is no fault of the
 * request. */
enum m2m_rsc mef_refusal_rsc(enum gba_err err);

/* rq: as far as it could be read.  what: the field it is about, "": the whole; why NULL: the
 * name of the code. */
void mef_refusal(const struct m2m_request *rq, enum m2m_rsc rsc, const char *what,
                 const char *why, struct mef_answer *out);

#endif
