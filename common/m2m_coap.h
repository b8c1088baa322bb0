/*
 * The CoAP binding of oneM2M, TS-0008 (V3.9.0), as functions of messages: both directions for
 * server and client; the counterpart of common/m2m_http.h.  It opens no socket and knows no
 * resource.  Blocks are put together before and cut after (common/coap_block.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_M2M_COAP_H
#define COMMON_M2M_COAP_H

#include "common/coap_message.h"
#include "common/m2m_primitive.h"

/* Options of the binding (6.2.2.4): name, number, shortest and longest value in octets.  All
 * are critical, none may be repeated.  FR, RQI, RVI, TY and RSC are used; the others are known
 * and passed over, as the binding to HTTP does with their fields. */
#define M2M_COAP_OPTION_TABLE(X)                                                               \
    X(OT, 259, 1, 15)                                                                          \
    X(RTURI, 263, 0, 255)                                                                      \
    X(TY, 267, 0, 2)                                                                           \
    X(RVI, 271, 1, 2)                                                                          \
    X(ASRI, 275, 0, 255)                                                                       \
    X(FR, 279, 0, 255)                                                                         \
    X(RQI, 283, 0, 255)                                                                        \
    X(RQET, 291, 1, 15)                                                                        \
    X(RSET, 295, 1, 15)                                                                        \
    X(OET, 299, 1, 15)                                                                         \
    X(EC, 303, 0, 1)                                                                           \
    X(RSC, 307, 0, 2)                                                                          \
    X(GID, 311, 0, 255)                                                                        \
    X(CTO, 319, 0, 2)                                                                          \
    X(CTS, 323, 0, 2)                                                                          \
    X(ATI, 327, 0, 255)                                                                        \
    X(VSI, 331, 0, 255)                                                                        \
    X(GTM, 335, 0, 512)                                                                        \
    X(AUS, 339, 0, 255)

enum m2m_coap_option {
#define X(name, number, shortest, longest) M2M_COAP_##name = (number),
    M2M_COAP_OPTION_TABLE(X)
#undef X
};

/* 6.2.4: the code of a status; RSC_OK is 2.04 for NOTIFY.  5.00 where the table has no row. */
uint8_t m2m_rsc_coap(unsigned rsc, enum m2m_op op);

/* --- server ----------------------------------------------------------------------------- */
/* RFC 7252 5.4.1, 5.4.3, 5.4.5: 0, or the code that refuses a message for its options alone:
 * 4.02 for a critical one that is unknown, of a wrong length or repeated (Content-Format too,
 * for it changes what the payload says), 5.05 for one that asks for a proxy. */
uint8_t m2m_coap_check(const struct coap_message *m);

/* A checked request with its whole payload.  As m2m_http_request_read: M2M_RSC_OK, or what to
 * answer; out is filled as far as it went: m2m_answer(out, rsc, ...) gives the response. */
enum m2m_rsc m2m_coap_request_read(const struct coap_message *in, struct m2m_request *out);

/* Code, options and payload; out has been begun with coap_message_init and keeps views into rs.
 * GBA_E_TOO_LONG: too many segments of location. */
enum gba_err m2m_coap_response_print(const struct m2m_response *rs, enum m2m_op op,
                                     struct coap_message *out);

/* --- client ----------------------------------------------------------------------------- */
/* As above, with views into rq.  GBA_E_ARGUMENT: no rqi, an unknown operation, characters or
 * lengths that the binding cannot carry; GBA_E_TOO_LONG: too many segments of `to`. */
enum gba_err m2m_coap_request_print(const struct m2m_request *rq, struct coap_message *out);

/* Without RSC the code stands in for it.  GBA_E_PROTOCOL: refused by m2m_coap_check, not a
 * response, RSC and code disagree in their class, rqi is not the request's, or the payload of a
 * success is of another format. */
enum gba_err m2m_coap_response_read(const struct coap_message *in, const struct m2m_request *rq,
                                    struct m2m_response *out);

#endif
