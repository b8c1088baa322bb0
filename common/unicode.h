/*
 * UTF-8 after NFKC, as TS 33.220 B.2 and TS-0003 10.3 ask of every string under a key
 * derivation.  Over libunistring.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_UNICODE_H
#define COMMON_UNICODE_H

#include "common/bytes.h"

/* Appends NFKC(t).  GBA_E_SYNTAX: t is not UTF-8; GBA_E_TOO_LONG; GBA_E_NOMEM. */
enum gba_err gba_nfkc(struct gba_text t, struct gba_wbuf *out);

#endif
