/*
 * Multimedia-Auth-Request: see zh_mar.h.  AVPs in the order of TS 29.109 4.2's ABNF.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/zh_mar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/host/diameter_dict.h"
#include "common/timestamp.h"

#define TGPP DIAMETER_VENDOR_3GPP

static void put_routing(struct msg *msg, const struct zh_mar *m, int *error)
{
    diameter_put_vsai(msg, m->application, error);
    diameter_put_u32(msg, 0, DIA_AUTH_SESSION_STATE, DIA_NO_STATE_MAINTAINED, error);
    if (*error == 0)
        *error = fd_msg_add_origin(msg, 0);
    diameter_put_text(msg, 0, DIA_DESTINATION_REALM, m->destination_realm, error);
    if (m->destination_host != NULL)
        diameter_put_text(msg, 0, DIA_DESTINATION_HOST, m->destination_host, error);
}

static void put_identity(struct msg *msg, const struct zh_mar *m, const char *impi, int *error)
{
    char impu[GBA_IMPI_SIZE + 4];

    diameter_put_text(msg, 0, DIA_USER_NAME, impi, error);
    if (!m->public_identity && m->application != DIAMETER_APP_CX)
        return;
    snprintf(impu, sizeof(impu), "sip:%s", impi);
    diameter_put_text(msg, TGPP, DIA_PUBLIC_IDENTITY, impu, error);
}

/* TS 29.109 6.3: the scheme, and on resynchronisation RAND || AUTS. */
static void put_auth_data(struct msg *msg, const struct zh_mar *m, const struct zh_query *q,
                          int *error)
{
    uint8_t resync[16 + GBA_AUTS_LEN];
    struct avp *item;

    if (m->scheme[0] == '\0' && !q->resync)
        return;
    item = diameter_put_group(msg, TGPP, DIA_SIP_AUTH_DATA_ITEM, error);
    if (m->scheme[0] != '\0')
        diameter_put_text(item, TGPP, DIA_SIP_AUTHENTICATION_SCHEME, m->scheme, error);
    if (!q->resync)
        return;
    memcpy(resync, q->auts_rand, 16);
    memcpy(resync + 16, q->auts, GBA_AUTS_LEN);
    diameter_put_octets(item, TGPP, DIA_SIP_AUTHORIZATION, GBA_BYTES(resync), error);
}

/* Diameter Time, converted by hand: libfdcore's own conversion ends in 2036. */
static void put_guss_timestamp(struct msg *msg, int64_t unix_s, int *error)
{
    uint32_t t = gba_diameter_time(unix_s);
    uint8_t octets[4] = {(uint8_t)(t >> 24), (uint8_t)(t >> 16), (uint8_t)(t >> 8), (uint8_t)t};

    diameter_put_octets(msg, TGPP, DIA_GUSS_TIMESTAMP, GBA_BYTES(octets), error);
}

static int fill(struct msg *msg, const struct zh_mar *m, const struct zh_query *q)
{
    struct msg_hdr *header;
    int error = fd_msg_hdr(msg, &header);

    if (error != 0)
        return error;
    header->msg_appl = m->application;
    error = fd_msg_new_session(msg, NULL, 0);
    put_routing(msg, m, &error);
    put_identity(msg, m, q->impi, &error);
    put_auth_data(msg, m, q, &error);
    if (m->application == DIAMETER_APP_CX) {
        diameter_put_u32(msg, TGPP, DIA_SIP_NUMBER_AUTH_ITEMS, 1, &error);
        diameter_put_text(msg, TGPP, DIA_SERVER_NAME, m->server_name, &error);
    } else if (q->guss_timestamp_s != 0) {
        put_guss_timestamp(msg, q->guss_timestamp_s, &error);
    }
    return error;
}

enum gba_err zh_mar_make(const struct zh_mar *m, const struct zh_query *q, struct msg **out)
{
    struct msg *msg = NULL;

    /* "home!user@other" is rewritten into a request for realm home (RFC 4282 2.7). */
    if (m->destination_host == NULL && strchr(q->impi, '!') != NULL)
        return GBA_E_SUBSCRIBER_UNKNOWN;
    if (fd_msg_new(diameter_dict_mar(), MSGFL_ALLOC_ETEID, &msg) != 0)
        return GBA_E_ZH_FAILURE;
    if (fill(msg, m, q) != 0) {
        (void)fd_msg_free(msg);
        return GBA_E_ZH_FAILURE;
    }
    *out = msg;
    return GBA_OK;
}
