/*
 * The device's decisions on EST (RFC 7030 in the profile of TS-0003 8.3.6.2): requests to send,
 * replies to read.  No I/O; keys and certificates are ua/est_key.h's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_EST_CLIENT_H
#define UA_EST_CLIENT_H

#include "common/bytes.h"
#include "common/m2m_id.h"
#include "ua/gba_ue.h"

#define UE_EST_CSR_MAX 2048  /* octets of DER that are sent */
#define UE_EST_DER_MAX 49152 /* ... and taken */

enum ue_est_op {
    UE_EST_CACERTS,
    UE_EST_CSRATTRS,
    UE_EST_ENROL, /* simpleenroll */
    UE_EST_RENEW, /* simplereenroll */
    UE_EST_N_OPS
};

/* The alternative name that stands for an identifier in a certificate (TS-0003 10.1.1). */
struct ue_est_name {
    bool is_uri; /* else a dNSName */
    char text[M2M_ID_SIZE];
};

/* id: Absolute AE-ID, Absolute CSE-ID, M2M-Node-ID (m2m_is_node_id), or a MAF's FQDN; fqdn: a
 * CSE's public domain name, NULL: from id.  "//FQDN/S..." is an AE unless fqdn is given.
 * GBA_E_ARGUMENT. */
enum gba_err ue_est_name(const char *id, const char *fqdn, struct ue_est_name *out);

/* One request and what came of it. */
struct ue_est_call {
    enum ue_est_op op;
    const char *target;            /* what follows scheme and authority in the URL */
    struct gba_ue_request request; /* url, connect_to and psk are the caller's to set */
    /* after ue_est_answer */
    const char *why;  /* static, or said; "" */
    unsigned retry_s; /* of a 503; 0: it does not say */
    size_t n;
    uint8_t der[UE_EST_DER_MAX]; /* certs-only PKCS#7, or CsrAttrs (n 0: the server has none) */
    /* memory of request */
    struct gba_ue_field fields[3];
    char body[2 * UE_EST_CSR_MAX], said[160];
};

/* csr: DER, for UE_EST_ENROL and UE_EST_RENEW.  GBA_E_TOO_LONG. */
enum gba_err ue_est_begin(struct ue_est_call *c, enum ue_est_op op, struct gba_bytes csr);

/* GBA_E_REFUSED: 401, 403; GBA_E_OVERLOAD: 503, 202: come again; GBA_E_NOT_FOUND: the server
 * has no such operation; GBA_E_PROTOCOL: everything else, also what is no answer of EST. */
enum gba_err ue_est_answer(struct ue_est_call *c, const struct gba_ue_reply *reply);

/* Does CsrAttrs ask for a challengePassword, which would have to bind the request to its TLS
 * session (RFC 7030 3.5)?  GBA_E_PROTOCOL: it is none. */
enum gba_err ue_est_wants_link(struct gba_bytes csrattrs, bool *link);

#endif
