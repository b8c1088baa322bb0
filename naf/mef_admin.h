/*
 * The administration of an MEF or MAF: one request in JSON, one answer in JSON, over the
 * registry, the store and the audit log.  TS-0003 and TS-0032 leave this interface open;
 * doc/ADMIN.md is its description.  What carries it (a local socket, HTTPS) is mefd_admin.c's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_ADMIN_H
#define NAF_MEF_ADMIN_H

#include <stdio.h>

#include "naf/mef_audit.h"
#include "naf/mef_rights.h"

#define MEF_ADMIN_LINE_MAX (4u << 20) /* octets of a request */
#define MEF_ADMIN_ROWS_MAX 10000      /* of a batch */
#define MEF_ADMIN_PAGE_MAX 1000       /* rows of a list's page */

struct mef_admin {
    const struct mef *mef;
    /* Changes the master key, with also(of) in the same transaction; *rows: keys sealed again;
     * *why: static text, when not GBA_OK.  NULL: it cannot be changed here. */
    enum gba_err (*rekey)(void *arg, enum gba_err (*also)(void *of), void *of, size_t *rows,
                          const char **why);
    void *rekey_arg;
};

/* who: "admin:" and the uid or the name of a certificate.  Writes one line without its end. */
void mef_admin_answer(const struct mef_admin *a, const char *who, struct gba_text request,
                      int64_t now_s, FILE *out);

#endif
