/*
 * The AVPs and commands of Zh (TS 29.109 6, 7) and of the parts of Cx (TS 29.229) and Digest
 * (RFC 4590, 4740) that HSSs send with them, as one table; and the few verbs for putting AVPs
 * into messages and finding them there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_DIAMETER_DICT_H
#define COMMON_HOST_DIAMETER_DICT_H

#include "common/host/diameter_sys.h"

#include "common/host/diameter.h"

#define DIAMETER_CMD_MULTIMEDIA_AUTH 303u

/* Codes of the base protocol that are read and written here. */
enum diameter_base_avp {
    DIA_USER_NAME = 1,
    DIA_AUTH_APPLICATION_ID = 258,
    DIA_VENDOR_SPECIFIC_APPLICATION_ID = 260,
    DIA_SESSION_ID = 263,
    DIA_ORIGIN_HOST = 264,
    DIA_VENDOR_ID = 266,
    DIA_RESULT_CODE = 268,
    DIA_DISCONNECT_CAUSE = 273,
    DIA_AUTH_SESSION_STATE = 277,
    DIA_FAILED_AVP = 279,
    DIA_DESTINATION_REALM = 283,
    DIA_REDIRECT_HOST = 292,
    DIA_DESTINATION_HOST = 293,
    DIA_EXPERIMENTAL_RESULT = 297,
    DIA_EXPERIMENTAL_RESULT_CODE = 298
};

/* Codes of vendor 10415. */
enum diameter_3gpp_avp {
    DIA_GBA_USER_SEC_SETTINGS = 400,
    DIA_GUSS_TIMESTAMP = 409,
    DIA_PUBLIC_IDENTITY = 601,
    DIA_SERVER_NAME = 602,
    DIA_SIP_NUMBER_AUTH_ITEMS = 607,
    DIA_SIP_AUTHENTICATION_SCHEME = 608,
    DIA_SIP_AUTHENTICATE = 609,
    DIA_SIP_AUTHORIZATION = 610,
    DIA_SIP_AUTH_DATA_ITEM = 612,
    DIA_SIP_ITEM_NUMBER = 613,
    DIA_CONFIDENTIALITY_KEY = 625,
    DIA_INTEGRITY_KEY = 626
};

#define DIA_NO_STATE_MAINTAINED 1

/* Defines vendor, applications, AVPs and commands in libfdcore's dictionary; between
 * fd_core_initialize and fd_core_start.  0 or an errno. */
int diameter_dict_define(void);
/* The application's object; NULL: not one of ours. */
struct dict_object *diameter_dict_application(uint32_t id);
/* Multimedia-Auth-Request or -Answer, code 303 for every application. */
struct dict_object *diameter_dict_mar(void);
/* Does the dictionary know answers of that command? */
bool diameter_dict_answers(uint32_t command);

/* --- writing: the first failure is kept in *error, later calls do nothing ----------------- */
void diameter_put_octets(msg_or_avp *parent, uint32_t vendor, uint32_t code,
                         struct gba_bytes value, int *error);
void diameter_put_text(msg_or_avp *parent, uint32_t vendor, uint32_t code, const char *value,
                       int *error);
void diameter_put_u32(msg_or_avp *parent, uint32_t vendor, uint32_t code, uint32_t value,
                      int *error);
/* An empty group inside parent; NULL after a failure. */
struct avp *diameter_put_group(msg_or_avp *parent, uint32_t vendor, uint32_t code, int *error);
/* Vendor-Specific-Application-Id { 10415, application } */
void diameter_put_vsai(msg_or_avp *parent, uint32_t application, int *error);
/* Experimental-Result { 10415, code } */
void diameter_put_experimental_result(msg_or_avp *parent, uint32_t code, int *error);

/* --- reading: NULL parents are fine and hold nothing -------------------------------------- */
/* The first child with that code; NULL: none. */
struct avp *diameter_find(msg_or_avp *parent, uint32_t vendor, uint32_t code);
/* Views into the message.  False: avp is NULL or was not understood. */
bool diameter_octets(struct avp *avp, struct gba_bytes *out);
bool diameter_u32(struct avp *avp, uint32_t *out);
/* diameter_find and diameter_octets / diameter_u32 in one. */
bool diameter_get_octets(msg_or_avp *parent, uint32_t vendor, uint32_t code,
                         struct gba_bytes *out);
bool diameter_get_u32(msg_or_avp *parent, uint32_t vendor, uint32_t code, uint32_t *out);

#endif
