/*
 * The one table of names (see common/m2m_names.h and doc/MMEF.md).  Changing a row changes the
 * wire and nothing else.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_names.h"

#include <string.h>

#include "common/identity.h"
#include "common/m2m_id.h"

/* Type numbers: one old MAF server says "ty 3" to "//maf/-/"; the rest is ours. */
static const struct m2m_type_name types[M2M_N_TYPES] = {
    [M2M_MEF_BASE] = {2, "MEFBase", "mefb", "sec", "-/", M2M_LONG_KNOWN},
    [M2M_MEF_CLIENT_REG] = {4, "mefClientReg", "mefcr", "sec", "-/{ri}", M2M_LONG_KNOWN},
    [M2M_SYMM_KEY_REG] = {5, "symmKeyReg", "skr", "sec", "-/{ri}", M2M_LONG_KNOWN},
    [M2M_MEF_CLIENT_CMD] = {6, "mefClientCmd", "mefcc", "sec", "-/{ri}/cmd", M2M_LONG_KNOWN},
    [M2M_MAF_BASE] = {1, "MAFBase", "mafb", "sec", "-/", M2M_LONG_KNOWN},
    [M2M_MAF_CLIENT_REG] = {3, "mafClientReg", "mafcr", "sec", "-/{ri}", M2M_LONG_KNOWN},
};

#define PORT_MAX   65535
#define STATUS_MAX 999
#define TEXT_MAX   256
#define LABEL_MAX  128
#define LABELS     16
#define TARGETS    32
#define ID_MAX     (M2M_ID_SIZE - 1)
#define FQDN_MAX   (GBA_FQDN_SIZE - 1)
#define TIME_MAX   32
#define KEY_MAX    44 /* base64 of 32 octets */

static const struct m2m_attr_name attrs[M2M_N_ATTRS] = {
    [M2M_A_RESOURCE_TYPE] = {"resourceType", "ty", M2M_V_NUMBER, PORT_MAX, 0, M2M_CONFIRMED},
    [M2M_A_RESOURCE_ID] = {"resourceID", "ri", M2M_V_TEXT, TEXT_MAX, 0, M2M_CONFIRMED},
    [M2M_A_RESOURCE_NAME] = {"resourceName", "rn", M2M_V_TEXT, TEXT_MAX, 0, M2M_CONFIRMED},
    [M2M_A_PARENT_ID] = {"parentID", "pi", M2M_V_TEXT, TEXT_MAX, 0, M2M_CONFIRMED},
    [M2M_A_CREATION_TIME] = {"creationTime", "ct", M2M_V_TIME, TIME_MAX, 0, M2M_CONFIRMED},
    [M2M_A_LAST_MODIFIED_TIME] = {"lastModifiedTime", "lt", M2M_V_TIME, TIME_MAX, 0,
                                  M2M_CONFIRMED},
    [M2M_A_EXPIRATION_TIME] = {"expirationTime", "et", M2M_V_TIME, TIME_MAX, 0, M2M_CONFIRMED},
    [M2M_A_LABELS] = {"labels", "lbl", M2M_V_LIST, LABEL_MAX, LABELS, M2M_CONFIRMED},
    [M2M_A_CREATOR] = {"creator", "cr", M2M_V_TEXT, ID_MAX, 0, M2M_CONFIRMED},
    [M2M_A_CHILD_RESOURCE] = {"childResource", "ch", M2M_V_REFS, ID_MAX, TARGETS,
                              M2M_CONFIRMED},
    [M2M_A_FQDN] = {"fqdn", "fqdn", M2M_V_FQDN, FQDN_MAX, 0, M2M_LONG_KNOWN},
    [M2M_A_ADMIN_FQDN] = {"adminFQDN", "adfq", M2M_V_FQDN, FQDN_MAX, 0, M2M_LONG_KNOWN},
    [M2M_A_HTTP_PORT] = {"httpPort", "hpt", M2M_V_NUMBER, PORT_MAX, 0, M2M_LONG_KNOWN},
    [M2M_A_COAP_PORT] = {"coapPort", "cpt", M2M_V_NUMBER, PORT_MAX, 0, M2M_LONG_KNOWN},
    [M2M_A_WEBSOCKET_PORT] = {"websocketPort", "wpt", M2M_V_NUMBER, PORT_MAX, 0,
                              M2M_LONG_KNOWN},
    [M2M_A_ASSIGNED_SYMM_KEY_ID] = {"assignedSymmKeyID", "aski", M2M_V_TEXT, ID_MAX, 0,
                                    M2M_LONG_KNOWN},
    [M2M_A_SUID] = {"SUID", "suid", M2M_V_NUMBER, STATUS_MAX, 0, M2M_LONG_KNOWN},
    [M2M_A_TARGET_IDS] = {"targetIDs", "tgis", M2M_V_ID_LIST, ID_MAX, TARGETS, M2M_LONG_KNOWN},
    [M2M_A_KEY_VALUE] = {"keyValue", "kv", M2M_V_KEY, KEY_MAX, 0, M2M_LONG_KNOWN},
    [M2M_A_RELATIVE_KEY_ID] = {"relativeKeyID", "rki", M2M_V_REL_KEY_ID, M2M_RELATIVE_ID_MAX, 0,
                               M2M_LONG_KNOWN},
    [M2M_A_DEVICE_CONFIG_URI] = {"deviceConfigURI", "dcu", M2M_V_TEXT, ID_MAX, 0,
                                 M2M_LONG_KNOWN},
    [M2M_A_CMD_ID] = {"cmdID", "cmdi", M2M_V_TEXT, TEXT_MAX, 0, M2M_LONG_KNOWN},
    [M2M_A_CMD_STATUS_CODE] = {"cmdStatusCode", "cmsc", M2M_V_NUMBER, STATUS_MAX, 0,
                               M2M_LONG_KNOWN},
    [M2M_A_CMD_DESCRIPTION] = {"cmdDescription", "cmdd", M2M_V_GROUP, 0, 0, M2M_LONG_KNOWN},
    [M2M_A_CMD_CLASS_ID] = {"cmdClassID", "cci", M2M_V_NUMBER, STATUS_MAX, 0, M2M_LONG_KNOWN},
    [M2M_A_CMD_ARGS] = {"cmdArgs", "cmda", M2M_V_GROUP, 0, 0, M2M_LONG_KNOWN},
    [M2M_A_CMD_TARGET_ID] = {"targetID", "tgi", M2M_V_TEXT, ID_MAX, 0, M2M_LONG_KNOWN},
    [M2M_A_NO_MORE_CMD_ARGS] = {"noMoreCmdArgs", "nmca", M2M_V_GROUP, 0, 0, M2M_LONG_KNOWN},
    [M2M_A_RETRY_DURATION] = {"retryDuration", "rdu", M2M_V_TEXT, 64, 0, M2M_LONG_KNOWN},
    [M2M_A_CERT_PROV_CMD_ARGS] = {"certProvCmdArgs", "cpca", M2M_V_GROUP, 0, 0, M2M_LONG_KNOWN},
    [M2M_A_CERT_PROV_PROTOCOL_ID] = {"certProvProtocolID", "cppi", M2M_V_NUMBER, STATUS_MAX, 0,
                                     M2M_LONG_KNOWN},
    [M2M_A_URI] = {"URI", "uri", M2M_V_TEXT, ID_MAX, 0, M2M_LONG_KNOWN},
    [M2M_A_CERT_SUBJECT_TYPE] = {"certSubjectType", "csty", M2M_V_NUMBER, STATUS_MAX, 0,
                                 M2M_LONG_KNOWN},
    [M2M_A_CERT_SUBJECT_ID] = {"certSubjectID", "csid", M2M_V_TEXT, ID_MAX, 0, M2M_LONG_KNOWN},
    [M2M_A_DEV_CFG_CMD_ARGS] = {"devCfgCmdArgs", "dcca", M2M_V_GROUP, 0, 0, M2M_LONG_KNOWN},
    [M2M_A_MO_NODE_CMD_ARGS] = {"MONodeCmdArgs", "mnca", M2M_V_GROUP, 0, 0, M2M_LONG_KNOWN},
    [M2M_A_OBJECT_PATH] = {"objectPath", "obp", M2M_V_TEXT, ID_MAX, 0, M2M_LONG_KNOWN},
    [M2M_A_OBJECT_TYPE_ID] = {"objectTypeID", "obti", M2M_V_NUMBER, PORT_MAX, 0,
                              M2M_LONG_KNOWN},
    [M2M_A_OBJECT_TYPE_SPECIFIC_ARGS] = {"objectTypeSpecificArgs", "otsa", M2M_V_GROUP, 0, 0,
                                         M2M_LONG_KNOWN},
};

static const struct {
    const char *prefix, *uri;
    enum m2m_status status;
} namespaces[] = {
    {"m2m", "http://www.onem2m.org/xml/protocols", M2M_CONFIRMED},
    {"sec", "http://www.onem2m.org/technical/xml-schemas", M2M_PROVISIONAL},
};
#define N_NAMESPACES (sizeof(namespaces) / sizeof(namespaces[0]))

const struct m2m_type_name *m2m_type_name(enum m2m_type type)
{
    return &types[type];
}

const struct m2m_attr_name *m2m_attr_name(enum m2m_attr attr)
{
    return &attrs[attr];
}

const char *m2m_namespace(const char *prefix)
{
    for (size_t i = 0; i < N_NAMESPACES; i++)
        if (strcmp(namespaces[i].prefix, prefix) == 0)
            return namespaces[i].uri;
    return "";
}

enum gba_err m2m_type_by_number(uint64_t ty, enum m2m_type *out)
{
    for (int i = 0; i < M2M_N_TYPES; i++)
        if (types[i].ty == ty) {
            *out = (enum m2m_type)i;
            return GBA_OK;
        }
    return GBA_E_NOT_FOUND;
}

static struct gba_text without_prefix(struct gba_text name)
{
    struct gba_text prefix, rest;

    if (!gba_text_split(name, ':', &prefix, &rest))
        return name;
    for (size_t i = 0; i < N_NAMESPACES; i++)
        if (gba_text_is(prefix, namespaces[i].prefix))
            return rest;
    return name;
}

enum gba_err m2m_type_by_name(struct gba_text name, enum m2m_type *out)
{
    struct gba_text local = without_prefix(name);

    for (int i = 0; i < M2M_N_TYPES; i++)
        if (gba_text_is(local, types[i].short_name) || gba_text_is(local, types[i].long_name)) {
            *out = (enum m2m_type)i;
            return GBA_OK;
        }
    return GBA_E_NOT_FOUND;
}

/* --- printing --------------------------------------------------------------------------- */

/* The strings of this table need no escaping. */
static void member(struct gba_wbuf *w, const char *name, const char *value)
{
    gba_wbuf_str(w, "\"");
    gba_wbuf_str(w, name);
    gba_wbuf_str(w, "\":\"");
    gba_wbuf_str(w, value);
    gba_wbuf_str(w, "\"");
}

static void number(struct gba_wbuf *w, const char *name, size_t value)
{
    gba_wbuf_str(w, "\"");
    gba_wbuf_str(w, name);
    gba_wbuf_str(w, "\":");
    gba_wbuf_number(w, value);
}

static const char *status_name(enum m2m_status status)
{
    static const char *const names[] = {"confirmed", "long-name-confirmed", "provisional"};

    return names[status];
}

static const char *encoding_name(enum m2m_encoding encoding)
{
    static const char *const names[] = {
        [M2M_V_NUMBER] = "number",           [M2M_V_TEXT] = "text",
        [M2M_V_TIME] = "m2m:timestamp",      [M2M_V_FQDN] = "fqdn",
        [M2M_V_LIST] = "list of text",       [M2M_V_ID_LIST] = "list of absolute identifiers",
        [M2M_V_KEY] = "base64 of 32 octets", [M2M_V_REL_KEY_ID] = "sec:relKeyID",
        [M2M_V_REFS] = "list of references", [M2M_V_GROUP] = "object",
    };

    return names[encoding];
}

static void print_type(struct gba_wbuf *w, const struct m2m_type_name *t)
{
    gba_wbuf_str(w, "{");
    number(w, "type", t->ty);
    gba_wbuf_str(w, ",");
    member(w, "path", t->path);
    gba_wbuf_str(w, ",");
    member(w, "short", t->short_name);
    gba_wbuf_str(w, ",");
    member(w, "long", t->long_name);
    gba_wbuf_str(w, ",");
    member(w, "prefix", t->prefix);
    gba_wbuf_str(w, ",");
    member(w, "status", status_name(t->status));
    gba_wbuf_str(w, "}");
}

static void print_attr(struct gba_wbuf *w, const struct m2m_attr_name *a)
{
    gba_wbuf_str(w, "{");
    member(w, "short", a->short_name);
    gba_wbuf_str(w, ",");
    member(w, "long", a->long_name);
    gba_wbuf_str(w, ",");
    member(w, "encoding", encoding_name(a->encoding));
    gba_wbuf_str(w, ",");
    number(w, "max", a->max);
    gba_wbuf_str(w, ",");
    number(w, "items", a->items);
    gba_wbuf_str(w, ",");
    member(w, "status", status_name(a->status));
    gba_wbuf_str(w, "}");
}

static void print_namespaces(struct gba_wbuf *w)
{
    for (size_t i = 0; i < N_NAMESPACES; i++) {
        gba_wbuf_str(w, i == 0 ? "{" : ",{");
        member(w, "prefix", namespaces[i].prefix);
        gba_wbuf_str(w, ",");
        member(w, "uri", namespaces[i].uri);
        gba_wbuf_str(w, ",");
        member(w, "status", status_name(namespaces[i].status));
        gba_wbuf_str(w, "}");
    }
}

enum gba_err m2m_names_print(struct gba_wbuf *out)
{
    gba_wbuf_str(out, "{\"base\":[\"/-/\",\"/_/{fqdn}/-/\"],\n\"namespaces\":[");
    print_namespaces(out);
    gba_wbuf_str(out, "],\n\"resources\":[");
    for (int i = 0; i < M2M_N_TYPES; i++) {
        gba_wbuf_str(out, i == 0 ? "\n" : ",\n");
        print_type(out, &types[i]);
    }
    gba_wbuf_str(out, "],\n\"attributes\":[");
    for (int i = 0; i < M2M_N_ATTRS; i++) {
        gba_wbuf_str(out, i == 0 ? "\n" : ",\n");
        print_attr(out, &attrs[i]);
    }
    gba_wbuf_str(out, "]}\n");
    return gba_wbuf_ok(out) ? GBA_OK : GBA_E_TOO_LONG;
}
