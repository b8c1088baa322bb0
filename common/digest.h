/*
 * HTTP Digest fields (RFC 7616 3.3-3.5, RFC 3310, RFC 4169): a strict parser into borrowed
 * views, a printer, and the calculator.  No state, no policy: what must be in which message is
 * gba_digest_check's table.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_DIGEST_H
#define COMMON_DIGEST_H

#include "common/bytes.h"
#include "common/crypto.h"

#define GBA_DIGEST_FIELD_MAX 8192 /* octets of one field value */
#define GBA_DIGEST_HEX_SIZE  65   /* longest response in hex, and NUL */

enum gba_digest_param {
    GBA_DIGEST_USERNAME,
    GBA_DIGEST_REALM,
    GBA_DIGEST_NONCE,
    GBA_DIGEST_URI,
    GBA_DIGEST_RESPONSE,
    GBA_DIGEST_ALGORITHM,
    GBA_DIGEST_CNONCE,
    GBA_DIGEST_OPAQUE,
    GBA_DIGEST_QOP,
    GBA_DIGEST_NC,
    GBA_DIGEST_AUTS,
    GBA_DIGEST_STALE,
    GBA_DIGEST_DOMAIN,
    GBA_DIGEST_NEXTNONCE,
    GBA_DIGEST_RSPAUTH,
    GBA_DIGEST_USERHASH,
    GBA_DIGEST_CHARSET,
    GBA_DIGEST_N_PARAMS
};

#define GBA_DIGEST_UNKNOWN_MAX 16

/* A parsed field.  Values view into the field that was parsed, or, where a quoted string held
 * escapes, into `unescaped` below: so do not copy this struct, and keep the field alive. */
struct gba_digest {
    struct {
        bool present, quoted;
        struct gba_text value; /* without quotes, escapes resolved */
    } p[GBA_DIGEST_N_PARAMS];
    char unescaped[1024];
    size_t n_unescaped;
    struct gba_text unknown[GBA_DIGEST_UNKNOWN_MAX]; /* names, for no parameter may come twice */
    size_t n_unknown;
};

/* "Digest name=value, ..." of an Authorization field.  GBA_E_NOT_DIGEST: another scheme (scheme names in
 * any case); GBA_E_SYNTAX: not the grammar, or an auth-param without value; GBA_E_REPEATED: a
 * parameter twice; GBA_E_TOO_LONG: over GBA_DIGEST_FIELD_MAX, escapes do not fit, or more than
 * GBA_DIGEST_UNKNOWN_MAX unknown parameters.  Empty list elements
 * (", ,") pass, unknown parameters are skipped whole, nothing inside a quoted string is looked at. */
enum gba_err gba_digest_parse(struct gba_text field, struct gba_digest *out);

/* The next Digest challenge of a WWW-Authenticate value, which may hold several challenges of
 * any scheme.  *rest starts as the whole value and moves on.  GBA_E_NOT_FOUND: no more. */
enum gba_err gba_digest_next_challenge(struct gba_text *rest, struct gba_digest *out);

/* The parameters of an Authentication-Info value (no scheme). */
enum gba_err gba_digest_parse_info(struct gba_text field, struct gba_digest *out);

/* Which parameter may, must, must not stand in which message (RFC 7616 3.3-3.5, RFC 3310 3,
 * TS 24.109 4, A.3, A.4). */
enum gba_digest_message {
    GBA_DIGEST_UB_FIRST,     /* username, realm, nonce="", uri, response="" */
    GBA_DIGEST_UB_CHALLENGE, /* realm, nonce, algorithm, qop [opaque] */
    GBA_DIGEST_UB_RESPONSE,  /* + cnonce, nc, response */
    GBA_DIGEST_UB_RESYNC,    /* the same with auts */
    GBA_DIGEST_UA_CHALLENGE,
    GBA_DIGEST_UA_RESPONSE,
    GBA_DIGEST_INFO,
    GBA_DIGEST_N_MESSAGES
};
/* GBA_E_MISSING: a mandatory parameter is absent; GBA_E_SYNTAX: one that may not be there, or one whose
 * form is wrong (nonce: empty in UB_FIRST and nowhere else; nc: 8 hex digits; response, rspauth: 32 or 64
 * hex digits, the response of UB_RESPONSE may be empty and that of UB_RESYNC anything).  *which names it
 * when not GBA_OK.  cnonce and nc are mandatory beside qop; a missing qop or algorithm is not an error
 * here: they have their own (GBA_E_QOP, GBA_E_ALGORITHM). */
enum gba_err gba_digest_check(const struct gba_digest *d, enum gba_digest_message m,
                              enum gba_digest_param *which);

const char *gba_digest_param_name(enum gba_digest_param p);

/* Appends one parameter, ", " before it unless it is the first of the field (w is empty or ends with a
 * space: "Digest "); algorithm, qop, nc, stale, userhash and charset as tokens, the others quoted, quotes and
 * backslashes escaped.  The value must be free of control characters, a token's must be a token: otherwise
 * the writer is set to overflow. */
void gba_digest_print(struct gba_wbuf *w, enum gba_digest_param p, struct gba_text value);
/* The qop of a challenge, which is quoted there and only there (RFC 7616 3.3). */
void gba_digest_print_offer(struct gba_wbuf *w, struct gba_text qop_list);

enum gba_digest_algorithm {
    GBA_DIGEST_MD5,
    GBA_DIGEST_MD5_SESS,
    GBA_DIGEST_SHA256,
    GBA_DIGEST_SHA256_SESS,
    GBA_DIGEST_SHA512_256,
    GBA_DIGEST_SHA512_256_SESS,
    GBA_DIGEST_AKAV1_MD5,
    GBA_DIGEST_AKAV1_MD5_SESS,
    GBA_DIGEST_AKAV1_SHA256,
    GBA_DIGEST_AKAV1_SHA256_SESS,
    GBA_DIGEST_AKAV1_SHA512_256,
    GBA_DIGEST_AKAV1_SHA512_256_SESS,
    GBA_DIGEST_AKAV2_MD5,
    GBA_DIGEST_AKAV2_MD5_SESS,
    GBA_DIGEST_AKAV2_SHA256,
    GBA_DIGEST_AKAV2_SHA256_SESS,
    GBA_DIGEST_AKAV2_SHA512_256,
    GBA_DIGEST_AKAV2_SHA512_256_SESS,
    GBA_DIGEST_N_ALGORITHMS
};
const char *gba_digest_algorithm_name(enum gba_digest_algorithm a);
/* Case-insensitive (RFC 7616 3.3).  GBA_E_ALGORITHM: none of the list. */
enum gba_err gba_digest_algorithm_by_name(struct gba_text t, enum gba_digest_algorithm *out);
enum gba_hash gba_digest_hash(enum gba_digest_algorithm a);
/* 1 for AKAv1 (RFC 3310), 2 for AKAv2 (RFC 4169), 0 for the others. */
unsigned gba_digest_aka_version(enum gba_digest_algorithm a);

enum gba_digest_qop { GBA_QOP_NONE, GBA_QOP_AUTH, GBA_QOP_AUTH_INT };
/* Is qop in the (quoted, comma-separated) list of a challenge? */
bool gba_digest_offers(struct gba_text qop_list, enum gba_digest_qop q);
const char *gba_digest_qop_name(enum gba_digest_qop q); /* "", "auth", "auth-int" */

/* Everything under a response.  An empty method gives rspauth (RFC 7616 3.5). */
struct gba_digest_input {
    enum gba_digest_algorithm algorithm;
    enum gba_digest_qop qop;
    struct gba_text username, realm, method, uri, nonce, nc, cnonce;
    struct gba_bytes password; /* RES: raw octets, may hold 00 and ':' */
    struct gba_bytes body;     /* auth-int only */
};
/* Lower-case hex and NUL.  The hash comes from the algorithm, the password is taken as it is. */
void gba_digest_ha1(const struct gba_digest_input *in, char out[static GBA_DIGEST_HEX_SIZE]);
void gba_digest_ha2(const struct gba_digest_input *in, char out[static GBA_DIGEST_HEX_SIZE]);
void gba_digest_response(const struct gba_digest_input *in,
                         char out[static GBA_DIGEST_HEX_SIZE]);
/* Constant-time comparison with a response as received (hex in either case). */
bool gba_digest_verify(const struct gba_digest_input *in, struct gba_text response);

#endif
