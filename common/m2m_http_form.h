/*
 * What both sides of the HTTP binding share.  Inside common/m2m_http*.c only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_M2M_HTTP_FORM_H
#define COMMON_M2M_HTTP_FORM_H

#include "common/m2m_http.h"

struct gba_text m2m_http_trim(struct gba_text t);
/* One of the four media types, without parameters. */
bool m2m_http_media_type(struct gba_text t, enum m2m_format *format, bool *vendor);
const char *m2m_http_type(enum m2m_format format, bool vendor);
/* `to` as a path, percent-encoded, and back: NOT_FOUND: not a path of the binding; BAD_REQUEST:
 * bad or unwelcome characters, too long. */
void m2m_http_path(const char *to, struct gba_wbuf *w);
enum m2m_rsc m2m_http_path_read(struct gba_text path, char to[static M2M_TO_SIZE]);
/* A further field; the writer is over its value. */
struct gba_wbuf m2m_http_new_field(struct m2m_http_field *field, size_t *n, const char *name);
/* Left out when empty. */
void m2m_http_text_field(struct m2m_http_field *field, size_t *n, const char *name,
                         const char *value);

#endif
