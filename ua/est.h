/*
 * Certificates by EST through the transport port, for devices that may block: what est_client.c
 * decides and est_key.c makes, done (TS-0003 8.3.6.2.2, 8.3.6.2.3).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_EST_H
#define UA_EST_H

#include "ua/est_key.h"

/* The MEF and how it is talked to. */
struct ue_est {
    struct gba_ue_transport *transport;
    const struct gba_ue_env *env;
    const char *url; /* https://HOST:PORT; a path is not looked at */
    const char *connect_to;
    const struct gba_ue_psk *psk;     /* Kpm (RFC 7030 3.3.3); NULL: certificates */
    const char *cert_file, *key_file; /* ... the client's, PEM */
    const char *peer_fqdn; /* the MEF's name in its certificate, exactly; NULL: as url has it */
    void (*trace)(void *ctx, const struct gba_ue_request *out, const struct gba_ue_reply *in);
    void *trace_ctx;
    /* after a call */
    const char *why; /* for people; lives until the next call */
    unsigned retry_s;
    struct ue_est_call call; /* the last exchange */
};

/* One of the questions: UE_EST_CACERTS, UE_EST_CSRATTRS.  The answer is e->call.der.  Errors of
 * the transport and of ue_est_answer; GBA_E_ARGUMENT: the URL. */
enum gba_err ue_est_ask(struct ue_est *e, enum ue_est_op op);

struct ue_est_pair {
    char key[EST_KEY_PEM_MAX]; /* secret */
    size_t key_len;
    char cert[EST_CERT_PEM_MAX];
};

/* cacerts, csrattrs, a new key, then UE_EST_ENROL or UE_EST_RENEW; like_pem: of a renewal, the
 * certificate in use.  out is filled only with GBA_OK: wipe it.  GBA_E_UNSUPPORTED: the server
 * wants the request bound to its session. */
enum gba_err ue_est_get_pair(struct ue_est *e, enum ue_est_op op,
                             const struct ue_est_name *name, const char *like_pem,
                             struct ue_est_pair *out);

#endif
