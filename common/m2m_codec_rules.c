/*
 * Which attribute may stand in which request, per resource type: the tables of TS-0003
 * 8.3.5.2.3-10 (Mmef), 8.8.2 (Mmaf) and 12.4.4, with the common attributes of TS-0004.  A
 * further resource is a further table here and a row in m2m_names.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_codec_form.h"

/* What every resource carries and no request may set (TS-0004 7.4.1). */
#define COMMON_RULES                                                                           \
    {M2M_A_RESOURCE_TYPE, M2M_ROOT, M2M_NO, M2M_NO},                                           \
        {M2M_A_RESOURCE_ID, M2M_ROOT, M2M_NO, M2M_NO},                                         \
        {M2M_A_RESOURCE_NAME, M2M_ROOT, M2M_NO, M2M_NO},                                       \
        {M2M_A_PARENT_ID, M2M_ROOT, M2M_NO, M2M_NO},                                           \
        {M2M_A_CREATION_TIME, M2M_ROOT, M2M_NO, M2M_NO},                                       \
        {M2M_A_LAST_MODIFIED_TIME, M2M_ROOT, M2M_NO, M2M_NO},                                  \
    {                                                                                          \
        M2M_A_CHILD_RESOURCE, M2M_ROOT, M2M_NO, M2M_NO                                         \
    }

static const struct m2m_rule base[] = {
    COMMON_RULES,
    {M2M_A_LABELS, M2M_ROOT, M2M_NO, M2M_NO},
    {M2M_A_FQDN, M2M_ROOT, M2M_NO, M2M_NO},
    {M2M_A_HTTP_PORT, M2M_ROOT, M2M_NO, M2M_NO},
    {M2M_A_COAP_PORT, M2M_ROOT, M2M_NO, M2M_NO},
    {M2M_A_WEBSOCKET_PORT, M2M_ROOT, M2M_NO, M2M_NO},
    {M2M_A_DEVICE_CONFIG_URI, M2M_ROOT, M2M_NO, M2M_NO},
};

/* The MEF-FQDN of 8.3.5.2.3 is the one in `to`; in the content it may be said again. */
static const struct m2m_rule client_reg[] = {
    COMMON_RULES,
    {M2M_A_EXPIRATION_TIME, M2M_ROOT, M2M_MUST, M2M_MAY_KEEP},
    {M2M_A_LABELS, M2M_ROOT, M2M_MAY, M2M_MAY},
    {M2M_A_CREATOR, M2M_ROOT, M2M_NO, M2M_NO},
    {M2M_A_FQDN, M2M_ROOT, M2M_MAY, M2M_NO},
    {M2M_A_ADMIN_FQDN, M2M_ROOT, M2M_MUST, M2M_NO},
    {M2M_A_ASSIGNED_SYMM_KEY_ID, M2M_ROOT, M2M_NO, M2M_NO},
};

static const struct m2m_rule symm_key_reg[] = {
    COMMON_RULES,
    {M2M_A_EXPIRATION_TIME, M2M_ROOT, M2M_MUST, M2M_MAY_KEEP},
    {M2M_A_LABELS, M2M_ROOT, M2M_MAY, M2M_MAY},
    {M2M_A_CREATOR, M2M_ROOT, M2M_NO, M2M_NO},
    {M2M_A_FQDN, M2M_ROOT, M2M_MAY, M2M_NO},
    {M2M_A_ADMIN_FQDN, M2M_ROOT, M2M_MUST, M2M_NO},
    {M2M_A_SUID, M2M_ROOT, M2M_MUST, M2M_NO},
    {M2M_A_TARGET_IDS, M2M_ROOT, M2M_MAY, M2M_MAY_KEEP},
    {M2M_A_KEY_VALUE, M2M_ROOT, M2M_MAY, M2M_NO},
    {M2M_A_RELATIVE_KEY_ID, M2M_ROOT, M2M_NO, M2M_NO},
};

/* 8.3.9.3, 8.3.9.4, 12.4.4.  A client never creates one; it updates with the result. */
static const struct m2m_rule client_cmd[] = {
    COMMON_RULES,
    {M2M_A_CMD_ID, M2M_ROOT, M2M_NO, M2M_MUST},
    {M2M_A_CMD_STATUS_CODE, M2M_ROOT, M2M_NO, M2M_MUST},
    {M2M_A_CMD_DESCRIPTION, M2M_ROOT, M2M_NO, M2M_NO},
    {M2M_A_CMD_CLASS_ID, M2M_A_CMD_DESCRIPTION, M2M_NO, M2M_NO},
    {M2M_A_CMD_ARGS, M2M_A_CMD_DESCRIPTION, M2M_NO, M2M_NO},
    {M2M_A_CMD_TARGET_ID, M2M_A_CMD_DESCRIPTION, M2M_NO, M2M_NO},
    {M2M_A_NO_MORE_CMD_ARGS, M2M_A_CMD_ARGS, M2M_NO, M2M_NO},
    {M2M_A_RETRY_DURATION, M2M_A_NO_MORE_CMD_ARGS, M2M_NO, M2M_NO},
    {M2M_A_CERT_PROV_CMD_ARGS, M2M_A_CMD_ARGS, M2M_NO, M2M_NO},
    {M2M_A_CERT_PROV_PROTOCOL_ID, M2M_A_CERT_PROV_CMD_ARGS, M2M_NO, M2M_NO},
    {M2M_A_URI, M2M_A_CERT_PROV_CMD_ARGS, M2M_NO, M2M_NO},
    {M2M_A_CERT_SUBJECT_TYPE, M2M_A_CERT_PROV_CMD_ARGS, M2M_NO, M2M_NO},
    {M2M_A_CERT_SUBJECT_ID, M2M_A_CERT_PROV_CMD_ARGS, M2M_NO, M2M_NO},
    {M2M_A_DEV_CFG_CMD_ARGS, M2M_A_CMD_ARGS, M2M_NO, M2M_NO},
    {M2M_A_DEVICE_CONFIG_URI, M2M_A_DEV_CFG_CMD_ARGS, M2M_NO, M2M_NO},
    {M2M_A_MO_NODE_CMD_ARGS, M2M_A_CMD_ARGS, M2M_NO, M2M_NO},
    {M2M_A_OBJECT_PATH, M2M_A_MO_NODE_CMD_ARGS, M2M_NO, M2M_NO},
    {M2M_A_OBJECT_TYPE_ID, M2M_A_MO_NODE_CMD_ARGS, M2M_NO, M2M_NO},
    {M2M_A_OBJECT_TYPE_SPECIFIC_ARGS, M2M_A_MO_NODE_CMD_ARGS, M2M_NO, M2M_NO},
    {M2M_A_SUID, M2M_A_OBJECT_TYPE_SPECIFIC_ARGS, M2M_NO, M2M_NO},
};

static const struct {
    const struct m2m_rule *rule;
    size_t n;
} tables[M2M_N_TYPES] = {
    [M2M_MEF_BASE] = {base, sizeof(base) / sizeof(base[0])},
    [M2M_MAF_BASE] = {base, sizeof(base) / sizeof(base[0])},
    [M2M_MEF_CLIENT_REG] = {client_reg, sizeof(client_reg) / sizeof(client_reg[0])},
    [M2M_MAF_CLIENT_REG] = {client_reg, sizeof(client_reg) / sizeof(client_reg[0])},
    [M2M_SYMM_KEY_REG] = {symm_key_reg, sizeof(symm_key_reg) / sizeof(symm_key_reg[0])},
    [M2M_MEF_CLIENT_CMD] = {client_cmd, sizeof(client_cmd) / sizeof(client_cmd[0])},
};

const struct m2m_rule *m2m_rules(enum m2m_type type, size_t *n)
{
    *n = tables[type].n;
    return tables[type].rule;
}

const struct m2m_rule *m2m_rule_by_name(enum m2m_type type, enum m2m_attr parent,
                                        struct gba_text name)
{
    for (size_t i = 0; i < tables[type].n; i++) {
        const struct m2m_rule *rule = &tables[type].rule[i];
        const struct m2m_attr_name *names = m2m_attr_name(rule->attr);

        if (rule->parent == parent &&
            (gba_text_is(name, names->short_name) || gba_text_is(name, names->long_name)))
            return rule;
    }
    return NULL;
}
