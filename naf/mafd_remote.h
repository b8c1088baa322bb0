/*
 * Km's that an MEF has for a MAF: asked for when a client shows a KeID that is not known yet
 * (TS-0003 8.2.2.3, 8.3.2.1 step 6).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MAFD_REMOTE_H
#define NAF_MAFD_REMOTE_H

#include "naf/mef_peer.h"
#include "naf/mefd_conf.h"

struct mafd_remote {
    const struct mef *mef;
    const struct mefd_conf *conf;
    struct log *log;
};

/* A mef_peer_remote; arg is the above.  Blocks. */
enum gba_err mafd_remote_km(void *arg, struct gba_text key_id, struct gba_naf_psk_row *row);

#endif
