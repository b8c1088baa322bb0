/*
 * The two messages of Zh: Multimedia-Auth-Request composed from a query, -Answer read into a
 * vector, GUSS and verdict (TS 29.109 4.2, 6, 7; over Cx TS 29.229 6.1.7).  No threads, no
 * decisions about where to ask next.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_ZH_MAR_H
#define BSF_ZH_MAR_H

#include "common/host/diameter_sys.h"

#include "bsf/zh.h"

struct zh_mar {
    uint32_t application;         /* DIAMETER_APP_ZH, _ZN or _CX */
    const char *scheme;           /* SIP-Authentication-Scheme; "": none */
    const char *destination_host; /* NULL: none */
    const char *destination_realm;
    bool public_identity;    /* send sip:IMPI */
    const char *server_name; /* Cx only */
};

/* GBA_E_ZH_FAILURE: no memory; GBA_E_SUBSCRIBER_UNKNOWN: an IMPI that would change the routing
 * (RFC 4282 decoration) is not sent without Destination-Host.  The message is the caller's. */
enum gba_err zh_mar_make(const struct zh_mar *m, const struct zh_query *q, struct msg **out);

struct zh_maa {
    struct zh_answer answer; /* with GBA_OK; zh_maa_end ends it */
    uint32_t code;           /* Result-Code or Experimental-Result-Code; 0: none */
    bool elsewhere;          /* another HSS may do better ... */
    struct gba_text
        redirect; /* ... this one, by its identity; empty: any; a view into the message */
};

/* What the answer says, as an error of zh.h.  *a is always filled. */
enum gba_err zh_maa_read(struct msg *msg, bool resync, struct zh_maa *a);
/* Wipes the vector and gives the GUSS back. */
void zh_maa_end(struct zh_maa *a);
/* Overwrites the keys in the message's AVPs, before it is freed.  The octets that it was
 * received as are beyond our reach: libfdcore frees them, as they are, when it has parsed them.
 */
void zh_maa_wipe(struct msg *msg);

#endif
