/*
 * The port for Zh and Zh': where authentication vectors and GUSS come from (TS 29.109 4.2,
 * TS 33.220 4.4.12).  Adapters: zh_diameter.c, zh_file.c.
 *
 * A port is asynchronous with exactly one answer: done() runs exactly once per ask(), also on
 * timeout, loss and close; never before ask() returns; on a thread of the adapter.  A
 * resynchronisation is a field of the same query.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_ZH_H
#define BSF_ZH_H

#include "common/aka.h"
#include "common/guss.h"
#include "common/identity.h"

struct zh_query {
    char impi[GBA_IMPI_SIZE];
    bool resync;                   /* the two below are set */
    uint8_t auts_rand[16];         /* RAND of our own challenge that failed */
    uint8_t auts[GBA_AUTS_LEN];
    int64_t guss_timestamp_s;      /* of the cached GUSS; 0: none (GUSS-Timestamp, 6.3.1.10) */
};

struct zh_answer {
    struct gba_av av;              /* borrowed; wiped by the adapter after done() */
    struct gba_guss *guss;         /* NULL: none sent; borrowed, take a reference to keep it */
};

/* err: GBA_OK, or one of
 *   GBA_E_SUBSCRIBER_UNKNOWN, GBA_E_SUBSCRIBER_BARRED   the HSS refuses the subscriber
 *   GBA_E_AUTS            the AUTS does not verify
 *   GBA_E_ZH_UNREACHABLE, GBA_E_ZH_TIMEOUT, GBA_E_ZH_FAILURE, GBA_E_ZH_MALFORMED, GBA_E_OVERLOAD,
 *   GBA_E_CANCELLED       closed while waiting
 * answer is NULL unless GBA_OK; borrowed until done() returns. */
typedef void zh_done(void *arg, enum gba_err err, const struct zh_answer *answer);

struct zh {
    const char *name;                          /* "diameter", "file" */
    /* Thread-safe.  The query is copied. */
    void (*ask)(struct zh *self, const struct zh_query *q, zh_done *done, void *arg);
    /* For the health page: may a query be answered now? */
    bool (*healthy)(struct zh *self);
    /* Answers what waits with GBA_E_CANCELLED, ends the adapter's threads, frees self. */
    void (*close)(struct zh *self);
};

#endif
