/*
 * Reading one request on Ua with HTTP Digest: which of our names it is for, whether Host, SNI
 * and realm agree, and whether Authorization is one that could answer our challenge.  It
 * decides nothing about keys, nonces or responses: ua_server.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_UA_REQUEST_H
#define NAF_UA_REQUEST_H

#include "naf/ua_server.h"

#define UA_REALM_ME    "3GPP-bootstrapping@"      /* TS 24.109 5.2 */
#define UA_REALM_UICC  "3GPP-bootstrapping-uicc@" /* TS 24.109 5.2 */
#define UA_OPAQUE_SIZE 33

/* The configuration of a ua_server, with names made canonical. */
struct ua_rules {
    char (*fqdns)[GBA_FQDN_SIZE];
    size_t n_fqdns;
    unsigned keys, algorithms, qops;
    bool exact_uri, require_product_token;
    char opaque[UA_OPAQUE_SIZE];
};

/* The canonical name of ours that host (with or without port) is, or NULL. */
const char *ua_find_fqdn(const struct ua_rules *r, struct gba_text host);

/* Host and SNI: sets x->fqdn.  GBA_E_HTTP: no Host; GBA_E_MISDIRECTED: not ours, or SNI is
 * another name; GBA_E_ARGUMENT: TLS without a suite. */
enum gba_err ua_read_name(const struct ua_rules *r, struct ua_exchange *x);

/* Authorization: sets d, algorithm, qop, key_type and query.btid.  GBA_E_NO_AUTHORIZATION,
 * GBA_E_NOT_DIGEST: to be challenged; GBA_E_BTID: the username is no B-TID; GBA_E_QOP,
 * GBA_E_BINDING (realm or opaque not ours): to be challenged; GBA_E_MISDIRECTED: the realm of
 * another host; GBA_E_SYNTAX, GBA_E_REPEATED, GBA_E_MISSING, GBA_E_TOO_LONG, GBA_E_ALGORITHM,
 * GBA_E_UNSUPPORTED, GBA_E_HTTP (uri is not the target): to be refused. */
enum gba_err ua_read_authorization(const struct ua_rules *r, struct ua_exchange *x);

#endif
