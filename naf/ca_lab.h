/*
 * The embedded CA for laboratories: a P-256 root made at the first start, certificates of
 * TS-0003 10.1.1, a CRL.  Its key lies in a file; who wants it elsewhere uses ca_command.h.
 *
 * The folder holds root.key (0600), root.pem and crl.pem (0644) and the record `issued` (0600):
 * a line "SERIAL NOT-AFTER IDENTIFIER" for each certificate, written before it is handed out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_CA_LAB_H
#define NAF_CA_LAB_H

#include "common/host/log.h"
#include "naf/ca.h"

#define CA_LAB_ROOT   "root.pem"
#define CA_LAB_KEY    "root.key"
#define CA_LAB_CRL    "crl.pem"
#define CA_LAB_RECORD "issued"

struct ca_lab_config {
    const char *folder; /* made, 0700, when it is not there */
    const char *name;   /* the MEF's: in the root's subject */
    /* Name constraints of the root: the domains below which names are certified. */
    const char *const *domains;
    size_t n_domains;
    /* Also for the host in URIs, as 10.1.1.5 wants: OpenSSL then takes no AE-ID (no scheme). */
    bool constrain_uris;
    int64_t root_life_s, crl_life_s;
    size_t queue;
    struct log *log;
    /* Optional: the CRL is a new one; on any thread. */
    void (*crl_changed)(void *arg);
    void *arg;
};

/* GBA_E_CONFIG: files that do not fit together, a key others may read, a folder in use, an
 * expired root; GBA_E_IO; each with a log line. */
enum gba_err ca_lab_open(const struct ca_lab_config *c, struct mef_ca **out);

/* Puts a certificate of this CA on the CRL, by its serial number in hexadecimal, and writes the
 * CRL.  Thread-safe.  GBA_E_NOT_FOUND: the record has no such certificate; GBA_E_EXISTS: it is
 * revoked; GBA_E_SYNTAX; GBA_E_IO. */
enum gba_err ca_lab_revoke(struct mef_ca *ca, const char *serial);

#endif
