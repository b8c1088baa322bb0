/*
 * Peers of the CoAP front by the registry: see mef_peers_registry.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_peers_registry.h"

static struct mef_peers_registry *own(struct mef_peers *self)
{
    return (struct mef_peers_registry *)self;
}

/* There are no B-TIDs here, so nothing is to be said of forward secrecy. */
static enum gba_err look_up(struct mef_peers *self, struct gba_bytes identity,
                            struct gba_naf_psk_row *row)
{
    const struct gba_naf_handshake h = {.identity = identity.p, .identity_len = identity.n};

    return mef_peer_look_up(&own(self)->lookup, &h, row);
}

static enum gba_err know_psk(struct mef_peers *self, struct gba_bytes identity, int64_t now_s,
                             struct mef_client *out)
{
    return mef_know_enrolee(own(self)->lookup.mef, MEF_CRED_PSK, gba_bytes_text(identity),
                            now_s, INT64_MAX, out);
}

static enum gba_err know_certificate(struct mef_peers *self, gnutls_session_t session,
                                     int64_t now_s, struct mef_client *out)
{
    return mef_peer_know_certificate(own(self)->lookup.mef, session, now_s, out);
}

void mef_peers_registry_init(struct mef_peers_registry *p, const struct mef *mef)
{
    p->port = (struct mef_peers){look_up, know_psk, know_certificate};
    p->lookup = (struct mef_peer_lookup){.mef = mef};
}
