/*
 * Km's that an MEF has for a MAF: asked for when a client shows a KeID that is not known yet
 * (TS-0003 8.2.2.3, 8.3.2.1 step 6).  Who shows it is a stranger until then: questions are
 * limited for each address, and what an MEF did not give is not asked for again at once.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MAFD_REMOTE_H
#define NAF_MAFD_REMOTE_H

#include "naf/key_fetch.h"
#include "naf/mef_peer.h"
#include "naf/mefd_conf.h"

#define MAFD_REMOTE_NEGATIVE_S 10 /* as of B-TIDs (naf/gba_naf.h) */

/* An entry of an MEF's enrolees: "//FQDN" is all of that service provider, canonical in sp; else
 * it is an Absolute identifier, and sp is "".  GBA_E_SYNTAX: neither. */
enum gba_err mafd_vouched_read(struct gba_text entry, char sp[static GBA_FQDN_SIZE]);

struct mafd_remote_config {
    const struct mef *mef; /* both borrowed */
    const struct mefd_conf *conf;
    struct log *log;
    /* NULL: key_fetch_credential, and the clock of the system. */
    enum gba_err (*fetch)(const struct key_fetch_source *from, struct gba_text key_id,
                          unsigned suid, struct key_fetched *out);
    int64_t (*now_ms)(void);
};

struct mafd_remote;

/* GBA_E_NOMEM, GBA_E_ENTROPY. */
enum gba_err mafd_remote_new(const struct mafd_remote_config *config, struct mafd_remote **out);
void mafd_remote_free(struct mafd_remote *m); /* NULL is fine */

/* A mef_peer_remote; arg is the above.  Blocks; any thread.  GBA_E_FORBIDDEN: no Km of that
 * KeID for us, or not for that client, or it is not the MEF's to vouch for;
 * GBA_E_RATE_LIMITED; else errors of key_fetch_credential and mef_learn_km. */
enum gba_err mafd_remote_km(void *arg, struct gba_text key_id, struct gba_bytes address,
                            struct gba_naf_psk_row *row);

#endif
