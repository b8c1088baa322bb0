/*
 * Any CA behind a program: for each certificate it is started with the request on its standard
 * input (PEM), and answers with the certificate on its standard output (PEM; what stands behind
 * the first certificate is not looked at).
 *
 * Its environment is PATH, LC_ALL=C and what it is to certify: EST_PROFILE (cse, ae, node,
 * fqdn), EST_NAME ("DNS:..." or "URI:..."), EST_ID, EST_DAYS.  Exit status: 0; 75
 * (EX_TEMPFAIL): ask again later; 77 (EX_NOPERM): no certificate for this one; else it has
 * failed.  It has a process group of its own, which is killed when the time is over.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_CA_COMMAND_H
#define NAF_CA_COMMAND_H

#include "common/host/log.h"
#include "naf/ca.h"

struct ca_command_config {
    const char *const *argv; /* a path with '/' first; no secrets: others see it */
    size_t n_argv;
    const char *certs_file; /* PEM: the CA's certificates, the issuing one first */
    unsigned limit_ms;      /* for one run */
    size_t queue;
    struct log *log;
};

/* GBA_E_CONFIG: certs_file, or argv[0] is nothing that can be run, each with a log line;
 * GBA_E_NOMEM. */
enum gba_err ca_command_open(const struct ca_command_config *c, struct mef_ca **out);

#endif
