/*
 * Zn over the web service of TS 29.109 5.3, NAF side: libcurl on a thread of its own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_ZN_SOAP_CLIENT_H
#define NAF_ZN_SOAP_CLIENT_H

#include "naf/gba_naf.h"
#include "naf/zn.h"

/* Uses the zn_*, bsfs, certificate and event fields.  GBA_E_ARGUMENT, GBA_E_SYNTAX (domain or
 * URL), GBA_E_CONFIG (a file that cannot be read), GBA_E_NOMEM. */
enum gba_err zn_soap_client_new(const struct gba_naf_config *config, struct zn **out);

#endif
