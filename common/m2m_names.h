/*
 * The one table of names.  The text of TS-0032 (MAF and MEF interface) could not be had: what
 * its resources and attributes are called on the wire, and which numbers they have, stands
 * here and nowhere else, each row with its status.  `mefd --print-names` prints it;
 * doc/MMEF.md explains it.  Logic uses the enumerations.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_M2M_NAMES_H
#define COMMON_M2M_NAMES_H

#include "common/bytes.h"

enum m2m_status {
    M2M_CONFIRMED,  /* read in a specification */
    M2M_LONG_KNOWN, /* the long name was read, the short one is ours */
    M2M_PROVISIONAL /* ours */
};

enum m2m_type {
    M2M_MEF_BASE,
    M2M_MEF_CLIENT_REG,
    M2M_SYMM_KEY_REG,
    M2M_MEF_CLIENT_CMD,
    M2M_MAF_BASE,
    M2M_MAF_CLIENT_REG,
    M2M_N_TYPES
};

struct m2m_type_name {
    unsigned ty;            /* resource type number */
    const char *long_name;  /* "mefClientReg" */
    const char *short_name; /* printed */
    const char *prefix;     /* printed before ':' in JSON and XML */
    const char *path;       /* below the base; {ri}: resource identifier */
    enum m2m_status status;
};
const struct m2m_type_name *m2m_type_name(enum m2m_type type);
/* By number.  GBA_E_NOT_FOUND. */
enum gba_err m2m_type_by_number(uint64_t ty, enum m2m_type *out);
/* By long or short name, with "m2m:", "sec:" or no prefix.  GBA_E_NOT_FOUND. */
enum gba_err m2m_type_by_name(struct gba_text name, enum m2m_type *out);

enum m2m_attr {
    /* common to all resources, TS-0004 8.2.3 */
    M2M_A_RESOURCE_TYPE,
    M2M_A_RESOURCE_ID,
    M2M_A_RESOURCE_NAME,
    M2M_A_PARENT_ID,
    M2M_A_CREATION_TIME,
    M2M_A_LAST_MODIFIED_TIME,
    M2M_A_EXPIRATION_TIME,
    M2M_A_LABELS,
    M2M_A_CREATOR, /* MEF Client ID, MAF Client ID, Source client ID */
    M2M_A_CHILD_RESOURCE,
    /* TS-0003 8.3.5.2, 8.8.2, 12.4.2 */
    M2M_A_FQDN,
    M2M_A_ADMIN_FQDN,
    M2M_A_HTTP_PORT,
    M2M_A_COAP_PORT,
    M2M_A_WEBSOCKET_PORT,
    M2M_A_ASSIGNED_SYMM_KEY_ID,
    M2M_A_SUID,
    M2M_A_TARGET_IDS,
    M2M_A_KEY_VALUE,
    M2M_A_RELATIVE_KEY_ID,
    M2M_A_DEVICE_CONFIG_URI,
    /* 8.3.9, 12.4.4 */
    M2M_A_CMD_ID,
    M2M_A_CMD_STATUS_CODE,
    M2M_A_CMD_DESCRIPTION,
    M2M_A_CMD_CLASS_ID,
    M2M_A_CMD_ARGS,
    M2M_A_CMD_TARGET_ID,
    M2M_A_NO_MORE_CMD_ARGS,
    M2M_A_RETRY_DURATION,
    M2M_A_CERT_PROV_CMD_ARGS,
    M2M_A_CERT_PROV_PROTOCOL_ID,
    M2M_A_URI,
    M2M_A_CERT_SUBJECT_TYPE,
    M2M_A_CERT_SUBJECT_ID,
    M2M_A_DEV_CFG_CMD_ARGS,
    M2M_A_MO_NODE_CMD_ARGS,
    M2M_A_OBJECT_PATH,
    M2M_A_OBJECT_TYPE_ID,
    M2M_A_OBJECT_TYPE_SPECIFIC_ARGS,
    M2M_N_ATTRS
};

/* How a value is written. */
enum m2m_encoding {
    M2M_V_NUMBER, /* JSON number, XML decimal digits; unsigned */
    M2M_V_TEXT,   /* JSON string, XML text */
    M2M_V_TIME,   /* m2m:timestamp YYYYMMDDThhmmss */
    M2M_V_FQDN,
    M2M_V_LIST,       /* JSON array of strings, XML xs:list (split at white space) */
    M2M_V_ID_LIST,    /* the same, of Absolute CSE-IDs, AE-IDs, or FQDNs */
    M2M_V_KEY,        /* 32 octets, xs:base64Binary */
    M2M_V_REL_KEY_ID, /* sec:relKeyID */
    M2M_V_REFS,       /* m2m:childResourceRef: identifiers, printed as objects {nm, typ, val} */
    M2M_V_GROUP       /* JSON object, XML element with children */
};

struct m2m_attr_name {
    const char *long_name;
    const char *short_name;
    enum m2m_encoding encoding;
    size_t max;   /* NUMBER: largest value; else octets of the value, or of one list item */
    size_t items; /* lists: how many at most */
    enum m2m_status status;
};
const struct m2m_attr_name *m2m_attr_name(enum m2m_attr attr);

/* XML namespace of a prefix of the table, "m2m" or "sec". */
const char *m2m_namespace(const char *prefix);

/* The whole table as a JSON object. */
enum gba_err m2m_names_print(struct gba_wbuf *out);
#define M2M_NAMES_JSON_SIZE 16384

#endif
