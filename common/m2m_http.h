/*
 * The HTTP binding of oneM2M, TS-0009, as functions of text: both directions for server and
 * client.  It opens no socket and knows no resource.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_M2M_HTTP_H
#define COMMON_M2M_HTTP_H

#include "common/m2m_primitive.h"

/* What a request brings; absent fields are empty. */
struct m2m_http_request {
    struct gba_text method;
    struct gba_text path;  /* still percent-encoded, no query */
    struct gba_text query; /* without '?' */
    struct gba_text content_type, accept;
    struct gba_text origin, ri, rvi; /* X-M2M-Origin, X-M2M-RI, X-M2M-RVI */
    struct gba_bytes body;
};

/* Names of the fields above, for whoever fetches them. */
#define M2M_H_ORIGIN "X-M2M-Origin"
#define M2M_H_RI     "X-M2M-RI"
#define M2M_H_RVI    "X-M2M-RVI"
#define M2M_H_RSC    "X-M2M-RSC"

/* Is this path the binding's ("/-/...", "/_/...", "/~/...")? */
bool m2m_http_is_path(struct gba_text path);
/* Does an Accept field weigh some type of XML above every type of JSON (RFC 9110 12.5.1)? */
bool m2m_http_prefers_xml(struct gba_text accept);

/* M2M_RSC_OK, or what to answer: BAD_REQUEST (no or bad X-M2M-RI, path, query),
 * OPERATION_NOT_ALLOWED (method), UNSUPPORTED_MEDIA_TYPE, RELEASE_VERSION_NOT_SUPPORTED,
 * NOT_ACCEPTABLE, NON_BLOCKING_REQUEST_NOT_SUPPORTED, NOT_FOUND (no such form of path).  out is
 * filled as far as it went, always with rqi, rvi and answer_in if they could be read:
 * m2m_answer(out, rsc, ...) gives the response. */
enum m2m_rsc m2m_http_request_read(const struct m2m_http_request *in, struct m2m_request *out);

#define M2M_HTTP_FIELDS 5
struct m2m_http_field {
    const char *name;
    char value[M2M_TO_SIZE * 3 + 16];
};
struct m2m_http_reply {
    unsigned status;
    const char *content_type; /* NULL: no body */
    struct m2m_http_field field[M2M_HTTP_FIELDS];
    size_t n_fields;
};
/* The body is rs->pc. */
void m2m_http_response_print(const struct m2m_response *rs, struct m2m_http_reply *out);

/* --- client ----------------------------------------------------------------------------- */
struct m2m_http_call {
    const char *method;
    char target[M2M_TO_SIZE * 3 + 32]; /* path and query */
    char content_type[64];             /* "": no body */
    const char *accept;
    struct m2m_http_field field[M2M_HTTP_FIELDS];
    size_t n_fields;
};
/* The body is rq->pc.  GBA_E_ARGUMENT: no rqi, an unknown operation, control characters. */
enum gba_err m2m_http_request_print(const struct m2m_request *rq, struct m2m_http_call *out);

struct m2m_http_answer {
    unsigned status;
    struct gba_text rsc, ri, content_type, location; /* X-M2M-RSC, X-M2M-RI, Content-* */
    struct gba_bytes body;
};
/* Without X-M2M-RSC the status stands in for it.  GBA_E_PROTOCOL: RSC and status disagree in
 * their class, ri is not the request's, or a body of another media type. */
enum gba_err m2m_http_response_read(const struct m2m_http_answer *in,
                                    const struct m2m_request *rq, struct m2m_response *out);

#endif
