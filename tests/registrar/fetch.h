/*
 * How a target without Zn gets the key of a KeID: GET /fetchCredentials/<KeID>/<SUID> at the
 * MEF over mutual TLS (TS-0003 8.3.2.1).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_REGISTRAR_FETCH_H
#define TESTS_REGISTRAR_FETCH_H

#include "common/bytes.h"
#include "common/secret.h"

struct fetch_config {
    char *url;      /* of the MEF: https://HOST:PORT */
    char *fqdn;     /* its name: the right side of its KeIDs, and in its certificate */
    char *ca;       /* PEM */
    char *cert;     /* PEM: ours; its dNSName is our FQDN */
    char *key;
    char *origin;   /* X-M2M-Origin: our absolute CSE-ID */
    int64_t suid;   /* 22: SAEF, remotely provisioned */
    int64_t deadline_ms;
};

struct fetch_result {
    struct gba_key key;
    char enrolee[256];
    int64_t expires_s;
};

/* GBA_E_NOT_FOUND: the MEF knows no such KeID; GBA_E_FORBIDDEN: not for us;
 * GBA_E_UNREACHABLE, GBA_E_PROTOCOL, GBA_E_NOMEM.  Blocks. */
enum gba_err fetch_credential(const struct fetch_config *c, struct gba_text key_id,
                              struct fetch_result *out);

#endif
