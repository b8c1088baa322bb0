/*
 * The dictionary as a table, and the verbs over AVPs: see diameter_dict.h.  freeDiameter
 * drops a successful answer that holds an AVP with the M bit which its dictionary lacks, so
 * the table has every AVP an HSS may send over Zh or Cx, used here or not.  Rules are left
 * out on purpose: mandatory AVPs are checked where they are read.
 * TS 29.109 table 6.1, TS 29.229 table 6.3.1, RFC 4740 (Digest).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/diameter_dict.h"

#include <errno.h>
#include <string.h>

#define IETF        0u
#define TGPP        DIAMETER_VENDOR_3GPP
#define SIZE(array) (sizeof(array) / sizeof((array)[0]))

enum { MUST = 1, MAY = 0 };  /* the M bit */
enum { BASE = 1, OURS = 0 }; /* defined by libfdcore already */

struct avp_row {
    uint32_t vendor, code;
    const char *name;
    int must;
    enum dict_avp_basetype type;
    int base;
};

#define OCTETS   AVP_TYPE_OCTETSTRING
#define GROUP    AVP_TYPE_GROUPED
#define U32      AVP_TYPE_UNSIGNED32
#define ENUMERAL AVP_TYPE_INTEGER32

static const struct avp_row avps[] = {
    {IETF, 1, "User-Name", MUST, OCTETS, BASE},
    {IETF, 258, "Auth-Application-Id", MUST, U32, BASE},
    {IETF, 260, "Vendor-Specific-Application-Id", MUST, GROUP, BASE},
    {IETF, 263, "Session-Id", MUST, OCTETS, BASE},
    {IETF, 264, "Origin-Host", MUST, OCTETS, BASE},
    {IETF, 266, "Vendor-Id", MUST, U32, BASE},
    {IETF, 268, "Result-Code", MUST, U32, BASE},
    {IETF, 273, "Disconnect-Cause", MUST, ENUMERAL, BASE},
    {IETF, 277, "Auth-Session-State", MUST, ENUMERAL, BASE},
    {IETF, 283, "Destination-Realm", MUST, OCTETS, BASE},
    {IETF, 293, "Destination-Host", MUST, OCTETS, BASE},
    {IETF, 297, "Experimental-Result", MUST, GROUP, BASE},
    {IETF, 298, "Experimental-Result-Code", MUST, U32, BASE},
    {IETF, 104, "Digest-Realm", MUST, OCTETS, OURS},
    {IETF, 110, "Digest-QoP", MUST, OCTETS, OURS},
    {IETF, 111, "Digest-Algorithm", MUST, OCTETS, OURS},
    {IETF, 121, "Digest-HA1", MUST, OCTETS, OURS},
    {TGPP, 400, "GBA-UserSecSettings", MUST, OCTETS, OURS},
    {TGPP, 401, "Transaction-Identifier", MUST, OCTETS, OURS},
    {TGPP, 402, "NAF-Id", MUST, OCTETS, OURS},
    {TGPP, 403, "GAA-Service-Identifier", MUST, OCTETS, OURS},
    {TGPP, 404, "Key-ExpiryTime", MUST, OCTETS, OURS},
    {TGPP, 405, "ME-Key-Material", MUST, OCTETS, OURS},
    {TGPP, 406, "UICC-Key-Material", MUST, OCTETS, OURS},
    {TGPP, 407, "GBA-U-Awareness-Indicator", MUST, ENUMERAL, OURS},
    {TGPP, 408, "BootstrapInfoCreationTime", MUST, OCTETS, OURS},
    {TGPP, 409, "GUSS-Timestamp", MAY, OCTETS, OURS},
    {TGPP, 410, "GBA-Type", MUST, ENUMERAL, OURS},
    {TGPP, 411, "UE-Id", MUST, OCTETS, OURS},
    {TGPP, 412, "UE-Id-Type", MUST, ENUMERAL, OURS},
    {TGPP, 413, "UICC-App-Label", MUST, OCTETS, OURS},
    {TGPP, 414, "UICC-ME", MUST, ENUMERAL, OURS},
    {TGPP, 415, "Requested-Key-Lifetime", MUST, OCTETS, OURS},
    {TGPP, 416, "Private-Identity-Request", MUST, ENUMERAL, OURS},
    {TGPP, 417, "GBA-Push-Info", MUST, OCTETS, OURS},
    {TGPP, 418, "NAF-SA-Identifier", MUST, OCTETS, OURS},
    {TGPP, 419, "Security-Feature-Request", MUST, OCTETS, OURS},
    {TGPP, 420, "Security-Feature-Response", MUST, OCTETS, OURS},
    {TGPP, 601, "Public-Identity", MUST, OCTETS, OURS},
    {TGPP, 602, "Server-Name", MUST, OCTETS, OURS},
    {TGPP, 607, "SIP-Number-Auth-Items", MUST, U32, OURS},
    {TGPP, 608, "3GPP-SIP-Authentication-Scheme", MUST, OCTETS, OURS},
    {TGPP, 609, "3GPP-SIP-Authenticate", MUST, OCTETS, OURS},
    {TGPP, 610, "3GPP-SIP-Authorization", MUST, OCTETS, OURS},
    {TGPP, 611, "SIP-Authentication-Context", MUST, OCTETS, OURS},
    {TGPP, 612, "3GPP-SIP-Auth-Data-Item", MUST, GROUP, OURS},
    {TGPP, 613, "3GPP-SIP-Item-Number", MUST, U32, OURS},
    {TGPP, 625, "Confidentiality-Key", MUST, OCTETS, OURS},
    {TGPP, 626, "Integrity-Key", MUST, OCTETS, OURS},
    {TGPP, 628, "Supported-Features", MUST, GROUP, OURS},
    {TGPP, 629, "Feature-List-ID", MAY, U32, OURS},
    {TGPP, 630, "Feature-List", MAY, U32, OURS},
    {TGPP, 635, "SIP-Digest-Authenticate", MAY, GROUP, OURS},
};

/* Of the rows, once diameter_dict_define has run: libfdcore has one dictionary per process. */
static struct dict_object *objects[SIZE(avps)];

static const struct {
    uint32_t id;
    char name[8];
} applications[] = {{DIAMETER_APP_ZH, "Zh"}, {DIAMETER_APP_ZN, "Zn"}, {DIAMETER_APP_CX, "Cx"}};
static struct dict_object *application_objects[SIZE(applications)];

static struct dict_object *mar_object;

static int define_avps(struct dictionary *dict)
{
    int err = 0;

    for (size_t i = 0; i < SIZE(avps) && err == 0; i++) {
        struct dict_avp_request by_code = {avps[i].vendor, avps[i].code, NULL};
        uint8_t vendor_bit = avps[i].vendor != 0 ? AVP_FLAG_VENDOR : 0;
        struct dict_avp_data row = {avps[i].code,
                                    avps[i].vendor,
                                    (char *)(uintptr_t)avps[i].name,
                                    AVP_FLAG_VENDOR | AVP_FLAG_MANDATORY,
                                    vendor_bit,
                                    avps[i].type};

        if (avps[i].must)
            row.avp_flag_val |= AVP_FLAG_MANDATORY;
        if (avps[i].base)
            err = fd_dict_search(dict, DICT_AVP, AVP_BY_CODE_AND_VENDOR, &by_code, &objects[i],
                                 ENOENT);
        else
            err = fd_dict_new(dict, DICT_AVP, &row, NULL, &objects[i]);
    }
    return err;
}

int diameter_dict_define(void)
{
    static char vendor_name[] = "3GPP", mar_name[] = "Multimedia-Auth-Request",
                maa_name[] = "Multimedia-Auth-Answer";
    struct dictionary *dict = fd_g_config->cnf_dict;
    struct dict_vendor_data vendor = {DIAMETER_VENDOR_3GPP, vendor_name};
    struct dict_cmd_data mar = {DIAMETER_CMD_MULTIMEDIA_AUTH, mar_name,
                                CMD_FLAG_REQUEST | CMD_FLAG_PROXIABLE | CMD_FLAG_ERROR,
                                CMD_FLAG_REQUEST | CMD_FLAG_PROXIABLE};
    struct dict_cmd_data maa = {DIAMETER_CMD_MULTIMEDIA_AUTH, maa_name,
                                CMD_FLAG_REQUEST | CMD_FLAG_PROXIABLE, CMD_FLAG_PROXIABLE};
    struct dict_object *vendor_object;
    int err = fd_dict_new(dict, DICT_VENDOR, &vendor, NULL, &vendor_object);

    for (size_t i = 0; i < SIZE(applications) && err == 0; i++) {
        struct dict_application_data row = {applications[i].id,
                                            (char *)(uintptr_t)applications[i].name};

        err = fd_dict_new(dict, DICT_APPLICATION, &row, vendor_object, &application_objects[i]);
    }
    if (err == 0)
        err = define_avps(dict);
    /* libfdcore finds commands by code and R bit alone: this is the MAR of Zh and of Cx. */
    if (err == 0)
        err = fd_dict_new(dict, DICT_COMMAND, &mar, application_objects[0], &mar_object);
    if (err == 0)
        err = fd_dict_new(dict, DICT_COMMAND, &maa, application_objects[0], NULL);
    return err;
}

struct dict_object *diameter_dict_application(uint32_t id)
{
    for (size_t i = 0; i < SIZE(applications); i++)
        if (applications[i].id == id)
            return application_objects[i];
    return NULL;
}

struct dict_object *diameter_dict_mar(void)
{
    return mar_object;
}

bool diameter_dict_answers(uint32_t command)
{
    struct dict_object *found = NULL;
    command_code_t code = command;

    return fd_dict_search(fd_g_config->cnf_dict, DICT_COMMAND, CMD_BY_CODE_A, &code, &found,
                          ENOENT) == 0;
}

static struct dict_object *model(uint32_t vendor, uint32_t code)
{
    for (size_t i = 0; i < SIZE(avps); i++)
        if (avps[i].code == code && avps[i].vendor == vendor)
            return objects[i];
    return NULL;
}

/* A new last child of parent; value NULL for a group. */
static struct avp *put(msg_or_avp *parent, uint32_t vendor, uint32_t code,
                       union avp_value *value, int *error)
{
    struct dict_object *row = model(vendor, code);
    struct avp *avp = NULL;

    if (*error != 0)
        return NULL;
    if (row == NULL || parent == NULL) {
        *error = ENOENT;
        return NULL;
    }
    *error = fd_msg_avp_new(row, 0, &avp);
    if (*error == 0 && value != NULL)
        *error = fd_msg_avp_setvalue(avp, value);
    if (*error == 0)
        *error = fd_msg_avp_add(parent, MSG_BRW_LAST_CHILD, avp);
    if (*error != 0 && avp != NULL) {
        (void)fd_msg_free(avp);
        avp = NULL;
    }
    return avp;
}

void diameter_put_octets(msg_or_avp *parent, uint32_t vendor, uint32_t code,
                         struct gba_bytes value, int *error)
{
    union avp_value v;

    memset(&v, 0, sizeof(v));
    v.os.data = (uint8_t *)(uintptr_t)value.p; /* setvalue copies */
    v.os.len = value.n;
    (void)put(parent, vendor, code, &v, error);
}

void diameter_put_text(msg_or_avp *parent, uint32_t vendor, uint32_t code, const char *value,
                       int *error)
{
    diameter_put_octets(parent, vendor, code, gba_text_bytes(gba_text(value)), error);
}

void diameter_put_u32(msg_or_avp *parent, uint32_t vendor, uint32_t code, uint32_t value,
                      int *error)
{
    union avp_value v;

    memset(&v, 0, sizeof(v));
    v.u32 = value;
    (void)put(parent, vendor, code, &v, error);
}

struct avp *diameter_put_group(msg_or_avp *parent, uint32_t vendor, uint32_t code, int *error)
{
    return put(parent, vendor, code, NULL, error);
}

void diameter_put_vsai(msg_or_avp *parent, uint32_t application, int *error)
{
    struct avp *group =
        diameter_put_group(parent, IETF, DIA_VENDOR_SPECIFIC_APPLICATION_ID, error);

    diameter_put_u32(group, IETF, DIA_VENDOR_ID, DIAMETER_VENDOR_3GPP, error);
    diameter_put_u32(group, IETF, DIA_AUTH_APPLICATION_ID, application, error);
}

void diameter_put_experimental_result(msg_or_avp *parent, uint32_t code, int *error)
{
    struct avp *group = diameter_put_group(parent, IETF, DIA_EXPERIMENTAL_RESULT, error);

    diameter_put_u32(group, IETF, DIA_VENDOR_ID, DIAMETER_VENDOR_3GPP, error);
    diameter_put_u32(group, IETF, DIA_EXPERIMENTAL_RESULT_CODE, code, error);
}

struct avp *diameter_find(msg_or_avp *parent, uint32_t vendor, uint32_t code)
{
    struct avp *avp = NULL;
    struct avp_hdr *h;

    if (parent == NULL || fd_msg_browse(parent, MSG_BRW_FIRST_CHILD, &avp, NULL) != 0)
        return NULL;
    while (avp != NULL) {
        if (fd_msg_avp_hdr(avp, &h) != 0)
            return NULL;
        if (h->avp_code == code &&
            ((h->avp_flags & AVP_FLAG_VENDOR) != 0 ? h->avp_vendor : 0) == vendor)
            return avp;
        if (fd_msg_browse(avp, MSG_BRW_NEXT, &avp, NULL) != 0)
            return NULL;
    }
    return NULL;
}

bool diameter_octets(struct avp *avp, struct gba_bytes *out)
{
    struct avp_hdr *h;

    if (avp == NULL || fd_msg_avp_hdr(avp, &h) != 0 || h->avp_value == NULL)
        return false;
    out->p = h->avp_value->os.data;
    out->n = h->avp_value->os.len;
    return true;
}

bool diameter_u32(struct avp *avp, uint32_t *out)
{
    struct avp_hdr *h;

    if (avp == NULL || fd_msg_avp_hdr(avp, &h) != 0 || h->avp_value == NULL)
        return false;
    *out = h->avp_value->u32;
    return true;
}

bool diameter_get_octets(msg_or_avp *parent, uint32_t vendor, uint32_t code,
                         struct gba_bytes *out)
{
    return diameter_octets(diameter_find(parent, vendor, code), out);
}

bool diameter_get_u32(msg_or_avp *parent, uint32_t vendor, uint32_t code, uint32_t *out)
{
    return diameter_u32(diameter_find(parent, vendor, code), out);
}
