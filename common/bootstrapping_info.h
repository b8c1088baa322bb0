/*
 * The body of the 200 OK on Ub: TS 24.109 Annex C.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_BOOTSTRAPPING_INFO_H
#define COMMON_BOOTSTRAPPING_INFO_H

#include "common/identity.h"

#define GBA_BOOTSTRAPPING_INFO_TYPE "application/vnd.3gpp.bsf+xml"
#define GBA_BOOTSTRAPPING_INFO_MAX  16384 /* octets read */
#define GBA_BOOTSTRAPPING_INFO_SIZE 1024  /* octets written, at most */

struct gba_bootstrapping_info {
    char btid[GBA_BTID_SIZE];
    int64_t lifetime_s;    /* expiry instant, seconds since 1970 UTC */
    int64_t currenttime_s; /* Extension/currenttime; 0: absent */
};

/* Writes the document, UTF-8; a line feed ends the XML declaration, the root's tags and each of
 * its children: rspauth covers these octets, so they never vary. */
enum gba_err gba_bootstrapping_info_print(const struct gba_bootstrapping_info *i,
                                          struct gba_wbuf *out);
/* By local names, any namespace.  GBA_E_SYNTAX: no XML, a DTD, no btid or lifetime;
 * GBA_E_TOO_LONG. */
enum gba_err gba_bootstrapping_info_parse(struct gba_bytes xml,
                                          struct gba_bootstrapping_info *out);

#endif
