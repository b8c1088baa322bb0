/*
 * The MEF's decisions on EST (RFC 7030, the profile of TS-0003 8.3.6.2): which request is
 * answered how, and who may have which certificate.  No I/O: the front (naf/est_http.c) hands
 * requests in and asks the CA.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_EST_H
#define NAF_EST_H

#include "naf/csr.h"
#include "naf/mef_rights.h"

#define EST_PATH      "/.well-known/est"
#define EST_TEXT_MAX  10240 /* octets of a request's body */
#define EST_BODY_MAX  65536 /* of an answer's */
#define EST_LINK_SIZE 64

/* The TLS session of a request. */
struct est_client {
    const struct mef_client *who; /* whom it authenticated */
    struct gba_bytes certificate; /* DER; empty with a PSK */
    char link[EST_LINK_SIZE];     /* base64 of what binds to the session (RFC 7030 3.5) */
};

struct est_request {
    struct gba_text method, path, content_type;
    struct gba_bytes body;
};

struct est {
    struct mef_ca *ca;
    const struct mef *mef; /* who is who; certificates that are issued become credentials */
    struct gba_bytes anchors[MEF_CA_CERTS]; /* DER of more roots for cacerts */
    size_t n_anchors;
    int64_t life_s; /* of certificates */
    bool link;      /* challengePassword must bind the request to its session */
};

enum est_op { EST_CACERTS, EST_CSRATTRS, EST_SIMPLEENROLL, EST_SIMPLEREENROLL, EST_N_OPS };

/* One request under way; it holds no secret. */
struct est_call {
    enum gba_err err;
    const char *why; /* for people: static */
    enum est_op op;  /* EST_N_OPS: none was recognised */
    bool ask;        /* the CA is to be asked for rq; then est_issued */
    bool learn;      /* rq.id is an enrolee, whose credential the certificate will be */
    struct mef_ca_request rq;
    const char *content_type; /* of body; err must be GBA_OK */
    struct gba_bytes body;    /* views into text */
    uint8_t csr[MEF_CA_CSR_MAX];
    char id[M2M_ID_SIZE]; /* of the client; "": nobody's */
    char text[EST_BODY_MAX];
};

bool est_is_path(struct gba_text path);
/* "GET" or "POST", for Allow; EST_N_OPS: "". */
const char *est_method(enum est_op op);
const char *est_op_name(enum est_op op);

/* Either everything is decided (ask false), or the CA is to be asked.
 * err: GBA_E_PATH, GBA_E_NOT_IMPLEMENTED (serverkeygen, fullcmc), GBA_E_METHOD,
 * GBA_E_MEDIA_TYPE, GBA_E_TOO_LONG, those of csr_read, GBA_E_FORBIDDEN: not this client, not
 * this name; the registry's errors. */
void est_begin(const struct est *e, const struct est_client *c, const struct est_request *rq,
               struct est_call *out);
/* What the CA said.  A certificate is known to the registry, and stands in the audit log, before
 * it is answered with. */
void est_issued(const struct est *e, struct est_call *call, enum gba_err err,
                struct gba_bytes cert, int64_t now_s);

/* The alternative names that may stand for an entity in a certificate (TS-0003 10.1.1.5-7; its
 * node's beside them is the registry's to say: mef_check_node), the usual one first; their
 * number: 0 where there is none.  fqdn: a CSE's public domain name, where a row says it; NULL:
 * from id.  "//FQDN/S..." is an AE's or a CSE's. */
#define EST_NAMES_MAX 2
struct est_name {
    struct mef_cert_name name;
    enum mef_cert_profile profile;
};
size_t est_names(const char *id, const char *fqdn, struct est_name out[static EST_NAMES_MAX]);

#endif
