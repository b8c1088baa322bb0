/*
 * What both sides of the Zn web service share: the envelope and base64 values.  Inside
 * zn_soap.c and zn_soap_client.c only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_ZN_SOAP_FORM_H
#define COMMON_ZN_SOAP_FORM_H

#include "common/xml.h"
#include "common/zn_soap.h"

#define ZN_SOAP_NS "http://schemas.xmlsoap.org/soap/envelope/"

/* The element within Envelope/Body, or the root itself where there is no envelope. */
enum gba_err zn_soap_payload(const struct gba_xml_node *root, bool *envelope,
                             const struct gba_xml_node **out);
/* 1 to cap octets.  GBA_E_SYNTAX otherwise. */
enum gba_err zn_soap_base64(const struct gba_xml_node *n, uint8_t *out, size_t cap,
                            size_t *len);

void zn_soap_begin(struct gba_wbuf *w, bool envelope);
void zn_soap_end(struct gba_wbuf *w, bool envelope);
void zn_soap_open(struct gba_wbuf *w, const char *name, const char *ns);

#endif
