/*
 * Peers of the CoAP front by the registry: the implementation of the port struct mef_peers.  It
 * asks what the fronts over HTTP ask (naf/mef_peer.h, naf/mef_rights.h), and keeps nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_PEERS_REGISTRY_H
#define NAF_MEF_PEERS_REGISTRY_H

#include "naf/mef_coap.h"
#include "naf/mef_peer.h"

struct mef_peers_registry {
    struct mef_peers port;
    struct mef_peer_lookup lookup;
};

/* mef must outlive it. */
void mef_peers_registry_init(struct mef_peers_registry *p, const struct mef *mef);

#endif
