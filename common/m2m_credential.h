/*
 * A credential as it is carried between those who pre-provision it and those who use it
 * (TS-0003 8.1.3, 8.2.2.1, 8.3.2.1): a text of name=value lines, or the same sealed.  Format:
 * doc/CREDENTIALS.md.  Octets only; the files (mode 0600) are the callers'.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_M2M_CREDENTIAL_H
#define COMMON_M2M_CREDENTIAL_H

#include "common/m2m_id.h"
#include "common/secret.h"

#define M2M_CREDENTIAL_KEY_MIN 16
#define M2M_CREDENTIAL_KEY_MAX 64
#define M2M_CREDENTIAL_MAX     4096 /* octets of a file, sealed or not */

enum m2m_credential_kind {
    M2M_CRED_KPM,  /* enrolee and MEF */
    M2M_CRED_KPSA, /* entity A and entity B */
    M2M_CRED_KM,   /* enrolee and MAF */
    M2M_N_CRED_KINDS
};

/* Wiped by its owner. */
struct m2m_credential {
    enum m2m_credential_kind kind;
    char key_id[M2M_ID_SIZE]; /* KpmID, KpsaID or KmID: the psk_identity */
    uint8_t key[M2M_CREDENTIAL_KEY_MAX];
    size_t key_len;           /* KPSA and KM: 32 */
    char entity[M2M_ID_SIZE]; /* whose it is: AE-ID or CSE-ID, Absolute; "": not said */
    char peer[M2M_ID_SIZE];   /* with whom: MEF-ID or MAF-ID (FQDN), or an Absolute CSE-ID */
    char fqdn[GBA_FQDN_SIZE]; /* the peer's public domain name; "": from peer */
    char suite[48];           /* the one TLS 1.2 suite for it, OpenSSL's name; "": any */
    int64_t expires_s;        /* 0: does not */
};

const char *m2m_credential_kind_name(enum m2m_credential_kind kind); /* "kpm", "kpsa", "km" */

/* GBA_E_SYNTAX: not this format, a line that is none, an unknown or malformed value;
 * GBA_E_REPEATED; GBA_E_MISSING: kind, key_id, key or peer.  *line: where, from 1; 0: the
 * whole. out is wiped unless GBA_OK. */
enum gba_err m2m_credential_read(struct gba_text text, struct m2m_credential *out,
                                 unsigned *line);
/* GBA_E_TOO_LONG. */
enum gba_err m2m_credential_print(const struct m2m_credential *c, struct gba_wbuf *out);

/* Sealed with AES-256-GCM under 32 octets that both ends have; nonce: fresh.  open takes either
 * form; seal_key NULL: plain only.  GBA_E_CRYPTO: sealed, and not under seal_key. */
enum gba_err m2m_credential_seal(const struct m2m_credential *c,
                                 const uint8_t seal_key[static 32],
                                 const uint8_t nonce[static 12], struct gba_wbuf *out);
enum gba_err m2m_credential_open(struct gba_bytes octets, const uint8_t *seal_key,
                                 struct m2m_credential *out, unsigned *line);

#endif
