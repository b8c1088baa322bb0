/*
 * One primitive of Mmef or Mmaf over HTTP, the device's side (TS-0009 6): the request to send,
 * the answer to read.  Decisions only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_M2M_EXCHANGE_H
#define UA_M2M_EXCHANGE_H

#include "common/m2m_codec.h"
#include "common/m2m_http.h"
#include "ua/gba_ue.h"

struct m2m_exchange {
    struct m2m_request primitive; /* pc views into content */
    struct m2m_http_call call;
    uint8_t content[2048];
    struct gba_ue_field fields[M2M_HTTP_FIELDS + 2];
    struct gba_ue_request
        request; /* url, connect_to and how the client shows itself are not set */
};

/* originator "": none.  content NULL: none.  entropy: fresh, for the request identifier.
 * export_label: of the session, which is a new one then; NULL: any session will do.
 * GBA_E_ARGUMENT: it does not fit. */
enum gba_err m2m_exchange_begin(struct m2m_exchange *x, enum m2m_op op, const char *to,
                                const char *originator, const uint8_t entropy[static 16],
                                const struct m2m_resource *content, const char *export_label);

/* GBA_E_DOWNGRADE: the session was not made by this device's proof (its key, or certificates),
 * or exports nothing where it was to; GBA_E_PROTOCOL: no answer to it. */
enum gba_err m2m_exchange_read(const struct m2m_exchange *x, bool by_certificate,
                               const struct gba_ue_reply *reply, struct m2m_response *out);

/* The administrating stakeholder: admin_fqdn, or if that is NULL the service provider of the
 * target's Absolute CSE-ID.  GBA_E_SYNTAX, GBA_E_MISSING. */
enum gba_err m2m_exchange_admin(const char *admin_fqdn, const char *target,
                                char out[static GBA_UE_FQDN_SIZE]);

#endif
