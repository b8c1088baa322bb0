/*
 * The port for Zn, NAF side: the key of a B-TID for one NAF_Id (TS 29.109 5, TS 33.220 4.5.3).
 * Adapters: zn_soap_client.c.
 *
 * Asynchronous with exactly one answer: done() runs exactly once per ask(), also on timeout,
 * loss and close; on a thread of the adapter, or on the one that closes it (out of memory: on
 * the one that asks, so hold no lock there).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_ZN_H
#define NAF_ZN_H

#include "common/identity.h"
#include "common/zn_soap.h"

struct zn_query {
    char btid[GBA_BTID_SIZE];
    struct gba_naf_id naf_id;
    char gsid[GBA_ZN_MAX_GSIDS][GBA_ZN_GSID_SIZE];
    size_t n_gsids;
    bool gba_u_aware;
    unsigned deadline_ms; /* 0: the adapter's own */
};

/* err: GBA_OK; GBA_E_NOT_AUTHORIZED (5402), GBA_E_BTID (5403); GBA_E_FORBIDDEN: the B-TID's
 * domain has no row (refused before any I/O); GBA_E_ZN_UNREACHABLE, GBA_E_TIMEOUT,
 * GBA_E_TLS, GBA_E_ZN_FAILURE, GBA_E_PROTOCOL, GBA_E_OVERLOAD, GBA_E_CANCELLED. answer is NULL
 * unless GBA_OK; borrowed until done() returns, wiped by the adapter then. */
typedef void zn_done(void *arg, enum gba_err err, const struct gba_zn_answer *answer);

struct zn {
    const char *name; /* "soap" */
    /* Thread-safe.  The query is copied. */
    void (*ask)(struct zn *self, const struct zn_query *q, zn_done *done, void *arg);
    /* Answers what waits with GBA_E_CANCELLED, ends the adapter's threads, frees self. */
    void (*close)(struct zn *self);
};

#endif
