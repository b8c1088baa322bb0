/*
 * What run.c and fetch.c share.  Not public.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_RUN_H
#define UA_RUN_H

#include "ua/gba_ue.h"

/* d->why = "what: why"; returns err. */
enum gba_err run_explain(struct gba_ue_device *d, enum gba_err err, const char *what,
                         const char *why);

/* A NAF key without network: from the ring, or by the card.  GBA_E_NOT_FOUND: bootstrap first.
 */
enum gba_err run_naf_key_local(struct gba_ue_device *d, const char *fqdn, const uint8_t *ua_id,
                               bool internal, struct gba_ue_naf_key *out);

#endif
