/*
 * Composing answers: see maa.h.  TS 29.109 4.2; the layouts "pyhss" and "fhoss" follow what
 * those HSSs send.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/mock-hss/maa.h"

#include <errno.h>
#include <string.h>

#include "common/host/diameter_dict.h"
#include "common/timestamp.h"

#define TGPP         DIAMETER_VENDOR_3GPP
#define SCRATCH_CODE 9998u /* defined here, for AVPs whose code is then changed */
#define UNKNOWN_CODE 9999u

static struct dict_object *scratch; /* in libfdcore's dictionary */

int maa_define(void)
{
    static char name[] = "Mock-HSS-Scratch";
    struct dict_avp_data row = {SCRATCH_CODE,
                                TGPP,
                                name,
                                AVP_FLAG_VENDOR | AVP_FLAG_MANDATORY,
                                AVP_FLAG_VENDOR | AVP_FLAG_MANDATORY,
                                AVP_TYPE_OCTETSTRING};

    return fd_dict_new(fd_g_config->cnf_dict, DICT_AVP, &row, NULL, &scratch);
}

/* An AVP of any code and content, with M, and V for a vendor other than 0. */
static void put_raw(msg_or_avp *parent, uint32_t vendor, uint32_t code,
                    struct gba_bytes content, int *error)
{
    union avp_value value;
    struct avp_hdr *header;
    struct avp *avp;

    if (*error != 0)
        return;
    memset(&value, 0, sizeof(value));
    value.os.data = (uint8_t *)(uintptr_t)content.p;
    value.os.len = content.n;
    *error = fd_msg_avp_new(scratch, 0, &avp);
    if (*error == 0)
        *error = fd_msg_avp_setvalue(avp, &value);
    if (*error == 0)
        *error = fd_msg_avp_hdr(avp, &header);
    if (*error == 0) {
        header->avp_code = code;
        header->avp_vendor = vendor;
        header->avp_flags = (uint8_t)(AVP_FLAG_MANDATORY | (vendor != 0 ? AVP_FLAG_VENDOR : 0));
        *error = fd_msg_avp_add(parent, MSG_BRW_LAST_CHILD, avp);
    }
}

/* --- the request ------------------------------------------------------------------------ */

static bool get_text(msg_or_avp *parent, uint32_t vendor, uint32_t code, struct gba_text *out)
{
    struct gba_bytes v;

    if (!diameter_get_octets(parent, vendor, code, &v))
        return false;
    *out = gba_bytes_text(v);
    return true;
}

uint32_t mar_read(struct msg *request, struct mar *m)
{
    struct avp *item = diameter_find(request, TGPP, DIA_SIP_AUTH_DATA_ITEM);
    struct msg_hdr *header;
    struct gba_bytes t;
    uint32_t state;

    memset(m, 0, sizeof(*m));
    if (fd_msg_hdr(request, &header) != 0)
        return 5012;
    m->application = header->msg_appl;
    if (!get_text(request, 0, DIA_USER_NAME, &m->impi) ||
        diameter_find(request, 0, DIA_VENDOR_SPECIFIC_APPLICATION_ID) == NULL ||
        !diameter_get_u32(request, 0, DIA_AUTH_SESSION_STATE, &state))
        return 5005;
    if (m->application == DIAMETER_APP_CX &&
        (diameter_find(request, TGPP, DIA_PUBLIC_IDENTITY) == NULL ||
         diameter_find(request, TGPP, DIA_SERVER_NAME) == NULL ||
         diameter_find(request, TGPP, DIA_SIP_NUMBER_AUTH_ITEMS) == NULL))
        return 5005;
    (void)get_text(item, TGPP, DIA_SIP_AUTHENTICATION_SCHEME, &m->scheme);
    m->resync = diameter_get_octets(item, TGPP, DIA_SIP_AUTHORIZATION, &m->rand_auts);
    if (m->resync && m->rand_auts.n != 16 + GBA_AUTS_LEN)
        return 5004;
    if (!diameter_get_octets(request, TGPP, DIA_GUSS_TIMESTAMP, &t))
        return 0;
    if (t.n != 4)
        return 5004;
    m->guss_timestamp_s = gba_diameter_time_parse(
        (uint32_t)t.p[0] << 24 | (uint32_t)t.p[1] << 16 | (uint32_t)t.p[2] << 8 | t.p[3]);
    return 0;
}

/* --- the vector ------------------------------------------------------------------------- */

static void put_key(struct avp *item, uint32_t code, const uint8_t *p, size_t n, int *error)
{
    diameter_put_octets(item, TGPP, code, (struct gba_bytes){p, n}, error);
}

static void put_item(struct msg *answer, const struct gba_av *av, enum malformed form,
                     int *error)
{
    bool numbered = form == MALFORMED_PYHSS || form == MALFORMED_FHOSS;
    struct avp *item = diameter_put_group(answer, TGPP, DIA_SIP_AUTH_DATA_ITEM, error);
    uint8_t rand_autn[32], res[17] = {0};
    size_t res_n = av->res_len;

    memcpy(rand_autn, av->rand, 16);
    memcpy(rand_autn + 16, av->autn, 16);
    memcpy(res, av->res, av->res_len);
    if (form == MALFORMED_LONG_RES)
        res_n = 17;
    if (form == MALFORMED_SHORT_RES)
        res_n = 3;
    if (numbered)
        diameter_put_u32(item, TGPP, DIA_SIP_ITEM_NUMBER, form == MALFORMED_FHOSS, error);
    if (form != MALFORMED_NO_SCHEME)
        diameter_put_text(item, TGPP, DIA_SIP_AUTHENTICATION_SCHEME,
                          form == MALFORMED_PYHSS ? "GBA_ME" : "Digest-AKAv1-MD5", error);
    put_key(item, DIA_SIP_AUTHENTICATE, rand_autn, form == MALFORMED_SHORT_AUTN ? 31 : 32,
            error);
    put_key(item, DIA_SIP_AUTHORIZATION, res, res_n, error);
    if (form != MALFORMED_NO_CK)
        put_key(item, DIA_CONFIDENTIALITY_KEY, av->ck, 16, error);
    put_key(item, DIA_INTEGRITY_KEY, av->ik, 16, error);
}

static void put_useless_item(struct msg *answer, int *error)
{
    struct avp *item = diameter_put_group(answer, TGPP, DIA_SIP_AUTH_DATA_ITEM, error);

    diameter_put_text(item, TGPP, DIA_SIP_AUTHENTICATION_SCHEME, "Digest-MD5", error);
}

static void put_vectors(struct msg *answer, const struct gba_av *av, enum malformed form,
                        int *error)
{
    static const uint8_t no_avps[] = {0, 0, 2, 96, 0x40, 0xff, 0xff, 0xff, 1, 2, 3, 4};

    if (form == MALFORMED_NO_612)
        return;
    if (form == MALFORMED_BROKEN_GROUP)
        put_raw(answer, TGPP, DIA_SIP_AUTH_DATA_ITEM, GBA_BYTES(no_avps), error);
    else
        put_item(answer, av, form, error);
    if (form == MALFORMED_TWO_VECTORS)
        put_useless_item(answer, error);
}

/* --- answers ---------------------------------------------------------------------------- */

static void put_origin(struct msg *answer, int *error)
{
    if (*error == 0)
        *error = fd_msg_add_origin(answer, 0);
}

static void put_state(struct msg *answer, int *error)
{
    diameter_put_u32(answer, 0, DIA_AUTH_SESSION_STATE, DIA_NO_STATE_MAINTAINED, error);
}

static void put_user_name(struct msg *answer, const struct mar *m, int *error)
{
    diameter_put_octets(answer, 0, DIA_USER_NAME, gba_text_bytes(m->impi), error);
}

static void success_pyhss(struct msg *answer, const struct mar *m, const struct gba_av *av,
                          int *error)
{
    put_origin(answer, error);
    diameter_put_octets(answer, TGPP, DIA_PUBLIC_IDENTITY, gba_text_bytes(m->impi), error);
    put_user_name(answer, m, error);
    put_item(answer, av, MALFORMED_PYHSS, error);
    diameter_put_u32(answer, TGPP, DIA_SIP_NUMBER_AUTH_ITEMS, 1, error);
    diameter_put_u32(answer, 0, DIA_RESULT_CODE, 2001, error);
    put_state(answer, error);
    diameter_put_vsai(answer, m->application, error);
}

static void success_fhoss(struct msg *answer, const struct mar *m, const struct gba_av *av,
                          int *error)
{
    static const char guss[] =
        "<guss id=\"\"><bsfInfo><uiccType>GBA</uiccType><lifeTime>7200</lifeTime></bsfInfo>"
        "<ussList><uss id=\"1\" type=\"1\"><uids><uid>sip:a@b.c</uid></uids><flags/></uss>"
        "</ussList></guss>";

    diameter_put_vsai(answer, DIAMETER_APP_CX, error);
    put_state(answer, error);
    put_origin(answer, error);
    put_user_name(answer, m, error);
    diameter_put_u32(answer, TGPP, DIA_SIP_NUMBER_AUTH_ITEMS, 1, error);
    put_item(answer, av, MALFORMED_FHOSS, error);
    diameter_put_text(answer, TGPP, DIA_GBA_USER_SEC_SETTINGS, guss, error);
    diameter_put_u32(answer, 0, DIA_RESULT_CODE, 2001, error);
}

static void put_unknown(struct msg *answer, int *error)
{
    put_raw(answer, TGPP, UNKNOWN_CODE, (struct gba_bytes){(const uint8_t *)"?", 1}, error);
}

static void put_result(struct msg *answer, enum malformed form, int *error)
{
    static const uint8_t cut[] = {0, 0, 7};

    if (form == MALFORMED_UNKNOWN_M_FIRST)
        put_unknown(answer, error);
    if (form == MALFORMED_BAD_RESULT_LENGTH)
        put_raw(answer, 0, DIA_RESULT_CODE, GBA_BYTES(cut), error);
    else if (form != MALFORMED_NO_RESULT)
        diameter_put_u32(answer, 0, DIA_RESULT_CODE, 2001, error);
    if (form == MALFORMED_TWO_RESULTS)
        diameter_put_experimental_result(answer, 5401, error);
}

static void put_nul_into_session(struct msg *answer)
{
    struct gba_bytes id;

    if (diameter_get_octets(answer, 0, DIA_SESSION_ID, &id) && id.n > 1)
        ((uint8_t *)(uintptr_t)id.p)[id.n / 2] = 0;
}

void maa_success(struct msg *answer, const struct mar *m, const struct gba_av *av,
                 struct gba_bytes guss, enum malformed form, int *error)
{
    if (form == MALFORMED_PYHSS) {
        success_pyhss(answer, m, av, error);
        return;
    }
    if (form == MALFORMED_FHOSS) {
        success_fhoss(answer, m, av, error);
        return;
    }
    diameter_put_vsai(answer, m->application, error);
    put_result(answer, form, error);
    put_state(answer, error);
    put_origin(answer, error);
    put_user_name(answer, m, error);
    put_vectors(answer, av, form, error);
    if (form == MALFORMED_BAD_GUSS)
        diameter_put_text(answer, TGPP, DIA_GBA_USER_SEC_SETTINGS, "<guss><ussList", error);
    else if (guss.n != 0)
        diameter_put_octets(answer, TGPP, DIA_GBA_USER_SEC_SETTINGS, guss, error);
    if (form == MALFORMED_UNKNOWN_M_AVP)
        put_unknown(answer, error);
    if (form == MALFORMED_NUL_SESSION)
        put_nul_into_session(answer);
}

/* With both result AVPs it is PyHSS' layout: the E bit, Session-Id not at the head. */
void maa_failure(struct msg *answer, const struct mar *m, uint32_t code, enum error_form form,
                 int *error)
{
    struct msg_hdr *header;

    if (fd_msg_hdr(answer, &header) == 0 && (form == ERROR_BOTH || code / 1000 == 3))
        header->msg_flags |= CMD_FLAG_ERROR;
    if (m->application != 0)
        diameter_put_vsai(answer, m->application, error);
    if (form != ERROR_EXPERIMENTAL)
        diameter_put_u32(answer, 0, DIA_RESULT_CODE, code, error);
    if (form != ERROR_RESULT)
        diameter_put_experimental_result(answer, code, error);
    put_state(answer, error);
    put_origin(answer, error);
}
