/*
 * How a target asks an MEF or MAF for the key of an identifier it was shown: fetchCredentials
 * at an MEF (TS-0003 8.3.2.1), or key retrieval on Mmef or Mmaf (8.3.5.2.8, 8.8.2.8); HTTPS
 * with certificates on both sides.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_KEY_FETCH_H
#define NAF_KEY_FETCH_H

#include "common/m2m_id.h"
#include "common/secret.h"

/* Whom to ask, and who asks.  Borrowed. */
struct key_fetch_source {
    const char *url;  /* https://HOST[:PORT]; its certificate has that HOST */
    const char *ca;   /* PEM */
    const char *cert; /* PEM: ours; its dNSName is our FQDN */
    const char *key;
    const char *origin; /* X-M2M-Origin: our Absolute CSE-ID, or MAF-ID */
    int64_t deadline_ms;
};

/* Wiped by its owner. */
struct key_fetched {
    struct gba_key key;
    char enrolee[M2M_ID_SIZE]; /* whose it is */
    int64_t expires_s;
    char why[128]; /* of GBA_E_UNREACHABLE, for a log: what libcurl says; "" */
};

/* GBA_E_NOT_FOUND: no such identifier there; GBA_E_FORBIDDEN: not for us; GBA_E_UNREACHABLE;
 * GBA_E_PROTOCOL: no such answer, or a key for another SUID; GBA_E_SYNTAX: no identifier;
 * GBA_E_NOMEM, GBA_E_ENTROPY.  They block; any thread, after curl_global_init. */
enum gba_err key_fetch_credential(const struct key_fetch_source *from, struct gba_text key_id,
                                  unsigned suid, struct key_fetched *out);
enum gba_err key_fetch_registered(const struct key_fetch_source *from, struct gba_text key_id,
                                  unsigned suid, struct key_fetched *out);

#endif
