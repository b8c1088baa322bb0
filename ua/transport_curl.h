/*
 * What transport_curl.c (exchanges, replies) and transport_request.c (what goes into a request)
 * share.  Not public.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_TRANSPORT_CURL_H
#define UA_TRANSPORT_CURL_H

#include <curl/curl.h>

#include "ua/transport_tls.h"

struct curl_transport {
    struct gba_ue_transport port;
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    size_t max_body, max_head;
    char *head; /* max_head + 1 octets: status line and fields, without empty lines */
    uint8_t *body;
    size_t head_len, body_len, body_cap;
    bool too_long, last_had_psk;
    char *host, *ca_file;
    char error[CURL_ERROR_SIZE];
    struct transport_tls tls;
    struct gba_ue_field fields[GBA_UE_MAX_FIELDS];
};

/* Puts a request on the easy handle; r lives until the exchange ends.  GBA_E_ARGUMENT: URL,
 * method or a field with a line end; GBA_E_NOMEM. */
enum gba_err transport_request_set(struct curl_transport *t, const struct gba_ue_request *r);
/* Takes it off again and wipes the fields. */
void transport_request_clear(struct curl_transport *t);

#endif
