/*
 * Request and response primitives of TS-0004, free of any binding: common/m2m_http.h makes and
 * reads them over HTTP, common/m2m_coap.h over CoAP.  The content (pc) is a representation
 * still to be read with common/m2m_codec.h, because only the receiver knows which resource
 * `to` names.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_M2M_PRIMITIVE_H
#define COMMON_M2M_PRIMITIVE_H

#include "common/m2m_id.h"

/* Response status codes: name, code (TS-0004 6.6.3), HTTP status (TS-0009 6.3.2). */
#define M2M_RSC_TABLE(X)                                                                       \
    X(ACCEPTED, 1000, 202)                                                                     \
    X(OK, 2000, 200)                                                                           \
    X(CREATED, 2001, 201)                                                                      \
    X(DELETED, 2002, 200)                                                                      \
    X(UPDATED, 2004, 200)                                                                      \
    X(BAD_REQUEST, 4000, 400)                                                                  \
    X(RELEASE_VERSION_NOT_SUPPORTED, 4001, 501)                                                \
    X(NOT_FOUND, 4004, 404)                                                                    \
    X(OPERATION_NOT_ALLOWED, 4005, 405)                                                        \
    X(REQUEST_TIMEOUT, 4008, 504)                                                              \
    X(UNSUPPORTED_MEDIA_TYPE, 4015, 415)                                                       \
    X(CONTENTS_UNACCEPTABLE, 4102, 400)                                                        \
    X(ORIGINATOR_HAS_NO_PRIVILEGE, 4103, 403)                                                  \
    X(CONFLICT, 4105, 409)                                                                     \
    X(ORIGINATOR_HAS_NOT_REGISTERED, 4106, 403)                                                \
    X(SECURITY_ASSOCIATION_REQUIRED, 4107, 403)                                                \
    X(INVALID_CHILD_RESOURCE_TYPE, 4108, 403)                                                  \
    X(ORIGINATOR_HAS_ALREADY_REGISTERED, 4117, 403)                                            \
    X(APP_RULE_VALIDATION_FAILED, 4126, 403)                                                   \
    X(OPERATION_DENIED_BY_REMOTE_ENTITY, 4127, 403)                                            \
    X(INTERNAL_SERVER_ERROR, 5000, 500)                                                        \
    X(NOT_IMPLEMENTED, 5001, 501)                                                              \
    X(TARGET_NOT_REACHABLE, 5103, 404)                                                         \
    X(RECEIVER_HAS_NO_PRIVILEGE, 5105, 403)                                                    \
    X(ALREADY_EXISTS, 5106, 409)                                                               \
    X(REMOTE_ENTITY_NOT_REACHABLE, 5107, 404)                                                  \
    X(NON_BLOCKING_REQUEST_NOT_SUPPORTED, 5206, 501)                                           \
    X(NOT_ACCEPTABLE, 5207, 406)

enum m2m_rsc {
#define X(name, code, http) M2M_RSC_##name = (code),
    M2M_RSC_TABLE(X)
#undef X
};
const char *m2m_rsc_name(unsigned rsc); /* "BAD_REQUEST"; "UNKNOWN" */
unsigned m2m_rsc_http(unsigned rsc);    /* 500 where the table has no row */
bool m2m_rsc_is_success(unsigned rsc);  /* 2xxx */

enum m2m_op {
    M2M_OP_CREATE = 1,
    M2M_OP_RETRIEVE = 2,
    M2M_OP_UPDATE = 3,
    M2M_OP_DELETE = 4,
    M2M_OP_NOTIFY = 5
};

enum m2m_format { M2M_JSON, M2M_XML };

#define M2M_RCN_DEFAULT 255
#define M2M_RQI_SIZE    128
#define M2M_RVI_SIZE    8
#define M2M_TO_SIZE     1024

struct m2m_request {
    enum m2m_op op;
    char to[M2M_TO_SIZE]; /* "//fqdn/-/id", "-/id": percent-decoded */
    char fr[M2M_ID_SIZE]; /* "": absent */
    char rqi[M2M_RQI_SIZE];
    char rvi[M2M_RVI_SIZE];    /* "": absent */
    unsigned ty;               /* CREATE; 0: absent */
    unsigned rcn;              /* 0-9, or M2M_RCN_DEFAULT */
    enum m2m_format format;    /* of pc */
    enum m2m_format answer_in; /* what the originator takes */
    bool vendor_type;          /* it takes the oneM2M media types only, not the plain ones */
    struct gba_bytes pc;       /* borrowed; empty: none */
    const char *why;           /* what the binding first refused; static text, or NULL */
};

struct m2m_response {
    unsigned rsc;
    char rqi[M2M_RQI_SIZE];
    char rvi[M2M_RVI_SIZE];
    char location[M2M_TO_SIZE]; /* `to` of what was created; "": say nothing */
    enum m2m_format format;
    bool vendor_type;
    struct gba_bytes pc; /* borrowed; empty: none */
};

/* An answer to a request: rqi and rvi copied, format as the originator takes it. */
void m2m_answer(const struct m2m_request *rq, unsigned rsc, struct m2m_response *out);

/* rsc; the first reason stays in rq->why. */
enum m2m_rsc m2m_request_refuse(struct m2m_request *rq, enum m2m_rsc rsc, const char *why);

/* What a binding found, into the request.  BAD_REQUEST: not visible ASCII; too long;
 * no rqi; a bad or repeated rcn; RELEASE_VERSION_NOT_SUPPORTED (rvi is then what the answer
 * speaks); NON_BLOCKING_REQUEST_NOT_SUPPORTED: rt. */
enum m2m_rsc m2m_request_take_rqi(struct m2m_request *rq, struct gba_text t);
enum m2m_rsc m2m_request_take_rvi(struct m2m_request *rq, struct gba_text t);
enum m2m_rsc m2m_request_take_fr(struct m2m_request *rq, struct gba_text t);
/* "rcn=1" and the like of a query; what is not ours is passed over. */
enum m2m_rsc m2m_request_take_parameter(struct m2m_request *rq, struct gba_text parameter);

/* Where `to` points below a MEF's or MAF's base "-" (doc/MMEF.md). */
#define M2M_TARGET_SEGMENTS 3
struct m2m_target {
    struct gba_text fqdn; /* of the Absolute form; empty: relative */
    struct gba_text segment[M2M_TARGET_SEGMENTS];
    size_t n; /* 0: the base itself */
};
/* "//fqdn/-/a/b", "/-/a/b", "-/a/b".  GBA_E_NOT_FOUND: not below a base, or too deep. */
enum gba_err m2m_target_parse(struct gba_text to, struct m2m_target *out);

#endif
