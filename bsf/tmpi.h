/*
 * TMPIs on Ub (TS 33.220 4.5.2, B.4): the product token by which both ends say that they know
 * them, and what a username is.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_TMPI_H
#define BSF_TMPI_H

#include "common/identity.h"

#define BSF_TMPI_TOKEN "3gpp-gba-tmpi" /* in User-Agent and in Server */

/* Does the product list hold the token?  Whole tokens, in any case; not inside a comment. */
bool bsf_knows_tmpi(struct gba_text user_agent);

enum bsf_username {
    BSF_USERNAME_IMPI,
    BSF_USERNAME_TMPI,     /* by its structure: TS 33.220 4.5.2 step 2 */
    BSF_USERNAME_STRANGER, /* text, but no NAI: no HSS knows it */
    BSF_USERNAME_MALFORMED /* control characters, not UTF-8, or too long */
};
enum bsf_username bsf_username_kind(struct gba_text username);

#endif
