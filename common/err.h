/*
 * The one list of errors.  Core functions return enum gba_err; only the front of a daemon
 * (bsf/ub_http.c, bsf/zn_http.c, naf/mef_http.c) turns a row into wire form, the gba command
 * into an exit code.  A row: name, HTTP status, Diameter result (0: no own code), text.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

/* Diameter results 5401-5403: TS 29.109 6.2.2. */
#define GBA_ERRORS(X)                                                                          \
    X(OK, 200, 2001, "ok")                                                                     \
    /* the caller, the machine */                                                              \
    X(E_ARGUMENT, 500, 5012, "invalid argument")                                               \
    X(E_NOMEM, 503, 5012, "out of memory")                                                     \
    X(E_IO, 503, 5012, "input/output error")                                                   \
    X(E_ENTROPY, 503, 5012, "no random numbers")                                               \
    X(E_CRYPTO, 500, 5012, "cryptographic library failure")                                    \
    X(E_CONFIG, 500, 5012, "configuration error")                                              \
    X(E_CANCELLED, 503, 5012, "cancelled")                                                     \
    X(E_UNEXPECTED, 400, 5012, "not allowed in this state")                                    \
    /* octets that came from outside */                                                        \
    X(E_SYNTAX, 400, 5004, "malformed message")                                                \
    X(E_REPEATED, 400, 5009, "repeated parameter")                                             \
    X(E_MISSING, 400, 5005, "missing parameter")                                               \
    X(E_TOO_LONG, 413, 5004, "too long")                                                       \
    X(E_UNSUPPORTED, 400, 5004, "not supported")                                               \
    X(E_NO_AUTHORIZATION, 400, 0, "no Authorization field")                                    \
    X(E_NOT_DIGEST, 400, 0, "Authorization is not Digest")                                     \
    X(E_EMPTY_USERNAME, 400, 0, "empty username")                                              \
    X(E_ALGORITHM, 400, 0, "unknown or refused Digest algorithm")                              \
    X(E_SOAP_HEADER, 400, 0, "SOAP header that is not understood")                             \
    X(E_HTTP, 400, 0, "ambiguous or malformed HTTP request")                                   \
    X(E_PATH, 404, 0, "no such resource")                                                      \
    X(E_METHOD, 405, 0, "method not allowed")                                                  \
    X(E_BODY_TOO_LARGE, 413, 0, "body too large")                                              \
    X(E_MEDIA_TYPE, 415, 0, "unsupported media type")                                          \
    X(E_MISDIRECTED, 421, 0, "host, SNI and realm disagree")                                   \
    X(E_HEADER_TOO_LARGE, 431, 0, "header too large")                                          \
    X(E_NOT_IMPLEMENTED, 501, 0, "not implemented")                                            \
    X(E_HTTP_VERSION, 505, 0, "HTTP version not supported")                                    \
    /* AKA: what a USIM or an AuC may say (TS 33.102 6.3) */                                   \
    X(E_MAC, 403, 0, "AUTN: MAC failure")                                                      \
    X(E_SYNC, 403, 0, "AUTN: SQN out of range")                                                \
    X(E_AUTS, 403, 0, "AUTS does not verify")                                                  \
    X(E_USIM, 500, 0, "USIM failure")                                                          \
    /* Ub (TS 24.109 4, RFC 3310) */                                                           \
    X(E_RES, 401, 0, "wrong Digest response")                                                  \
    X(E_QOP, 401, 0, "wrong or missing qop")                                                   \
    X(E_NC, 401, 0, "wrong nonce count")                                                       \
    X(E_NONCE, 401, 0, "unknown, used or foreign nonce")                                       \
    X(E_NONCE_EXPIRED, 401, 0, "nonce expired")                                                \
    X(E_BINDING, 401, 0, "answer does not match its challenge")                                \
    X(E_ATTEMPTS, 403, 0, "too many wrong answers to one challenge")                           \
    X(E_SECOND_AUTS, 403, 0, "second AUTS in one run")                                         \
    X(E_UE_MAC_FAILURE, 403, 0, "UE reports MAC failure")                                      \
    X(E_TMPI_UNKNOWN, 403, 0, "unknown TMPI")                                                  \
    X(E_RATE_LIMITED, 503, 3004, "rate limit")                                                 \
    X(E_OVERLOAD, 503, 3004, "overload")                                                       \
    /* Zh (TS 29.109 6.2.2) */                                                                 \
    X(E_SUBSCRIBER_UNKNOWN, 403, 5401, "subscriber unknown to the HSS")                        \
    X(E_SUBSCRIBER_BARRED, 403, 5401, "subscriber refused by the HSS")                         \
    X(E_ZH_UNREACHABLE, 503, 3002, "no HSS reachable")                                         \
    X(E_ZH_TIMEOUT, 503, 3002, "no answer from the HSS in time")                               \
    X(E_ZH_FAILURE, 503, 5012, "HSS failure")                                                  \
    X(E_ZH_MALFORMED, 503, 5012, "malformed answer from the HSS")                              \
    X(E_RAND_REUSED, 503, 5012, "RAND of a live challenge or session")                         \
    /* Zn */                                                                                   \
    X(E_NOT_AUTHORIZED, 403, 5402, "NAF not authorized")                                       \
    X(E_BTID, 403, 5403, "unknown or expired B-TID")                                           \
    X(E_ZN_UNREACHABLE, 503, 3002, "no BSF reachable over Zn")                                 \
    X(E_ZN_FAILURE, 503, 5012, "BSF failure over Zn")                                          \
    /* EST */                                                                                  \
    X(E_CA, 500, 0, "certification authority failure")                                         \
    /* clients */                                                                              \
    X(E_UNREACHABLE, 503, 0, "peer unreachable")                                               \
    X(E_TIMEOUT, 504, 0, "no answer in time")                                                  \
    X(E_TLS, 502, 0, "TLS failure or unverified peer")                                         \
    X(E_PROTOCOL, 502, 0, "peer breaks the protocol")                                          \
    X(E_REFUSED, 403, 0, "refused by the peer")                                                \
    X(E_RSPAUTH, 502, 0, "rspauth missing or wrong")                                           \
    X(E_EXPIRED, 403, 0, "credential expired")                                                 \
    X(E_NOT_FOUND, 404, 0, "not found")                                                        \
    X(E_EXISTS, 409, 0, "already exists")                                                      \
    X(E_FORBIDDEN, 403, 0, "forbidden")                                                        \
    X(E_DOWNGRADE, 502, 0, "weaker protection than required")                                  \
    X(E_ALTERED, 500, 0, "not as it was written")

enum gba_err {
#define X(name, http, diameter, text) GBA_##name,
    GBA_ERRORS(X)
#undef X
    GBA_N_ERRORS
};

/* Text for people, name for logs ("RES", "SUBSCRIBER_UNKNOWN"; OK is "OK"); never NULL, also
 * for values out of range. */
const char *gba_err_text(enum gba_err err);
const char *gba_err_name(enum gba_err err);

/* HTTP status of the row: 200 to 599. */
unsigned gba_err_http(enum gba_err err);

/* Result-Code or (5401-5403) Experimental-Result-Code; 0 where the row has none. */
unsigned gba_err_diameter(enum gba_err err);

#endif
