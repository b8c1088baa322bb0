/*
 * What both sides of the CoAP binding share.  Inside common/m2m_coap*.c only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_M2M_COAP_FORM_H
#define COMMON_M2M_COAP_FORM_H

#include "common/m2m_coap.h"

/* Content-Formats of the resource representations (TS-0008 6.2.2.2). */
uint16_t m2m_coap_format(enum m2m_format format, bool vendor);
bool m2m_coap_format_read(uint32_t number, enum m2m_format *format, bool *vendor);

/* `to` as Uri-Path or Location-Path, and back: NOT_FOUND: not a path of the binding;
 * BAD_REQUEST: unwelcome characters, too long.  GBA_E_ARGUMENT, GBA_E_TOO_LONG as above. */
enum gba_err m2m_coap_path_print(const char *to, uint16_t number, struct coap_message *out);
enum m2m_rsc m2m_coap_path_read(const struct coap_message *in, uint16_t number,
                                char to[static M2M_TO_SIZE]);

/* A text option; empty: left out. */
enum gba_err m2m_coap_text(struct coap_message *out, uint16_t number, const char *text);
struct gba_text m2m_coap_find_text(const struct coap_message *in, uint16_t number);

#endif
