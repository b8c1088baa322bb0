/*
 * The files of TLS that a configuration names, looked at before they are needed: what is wrong
 * is said with the place of the option.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_TLS_FILES_H
#define COMMON_HOST_TLS_FILES_H

#include "common/host/conf.h"

/* Where the filled struct has the names; NULL here, or there: no such file. */
struct tls_files {
    char *const *cert, *const *key; /* PEM; both or none */
    char *const *roots, *const *crl;
};

/* source: of that struct.  False: said by conf_complain. */
bool tls_files_check(const struct tls_files *f, const struct conf *source);

/* Has the certificate, the first in its file, fqdn as a dNSName: exactly, for no wildcard is
 * one of oneM2M (TS-0003 10.1.1)?  False also of a file that is none. */
bool tls_files_has_name(const char *cert, const char *fqdn);

#endif
