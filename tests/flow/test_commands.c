/*
 * Commands of the MEF after whole enrolments by GBA (TS-0003 8.3.9): carried out and reported,
 * a profile whose key its target gets, a device that is lost at every call.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/flow/mef.h"

static struct lab l;
static struct flow_mef m;

/* ---- the device ----------------------------------------------------------------------------
 */

static struct {
    struct gba_ue_mo mo;
    bool has_mo, no_room;
    unsigned dev_cfg, n, status, used;
    char log[400], key_id[128];
    uint8_t key[32];
} device;

static unsigned dev_cfg(void *ctx, const struct gba_ue_command *c)
{
    (void)ctx;
    CU_ASSERT_EQUAL(c->management, 3);
    CU_ASSERT_STRING_EQUAL(c->uri, "coaps://" MEF_FQDN);
    device.n++;
    return device.dev_cfg;
}

static enum gba_err find_mo(void *ctx, const struct gba_ue_command *c, struct gba_ue_mo *out)
{
    (void)ctx, (void)c;
    *out = device.mo;
    return device.has_mo ? GBA_OK : GBA_E_NOT_FOUND;
}

static enum gba_err take_key(void *ctx, const struct gba_ue_command *c, const char *key_id,
                             const uint8_t key[32], int64_t expires_s)
{
    (void)ctx, (void)c;
    CU_ASSERT(expires_s > fake_now_ms() / 1000);
    snprintf(device.key_id, sizeof(device.key_id), "%s", key_id);
    memcpy(device.key, key, 32);
    return device.no_room ? GBA_E_IO : GBA_OK;
}

static unsigned use_mo(void *ctx, const struct gba_ue_command *c)
{
    (void)ctx, (void)c;
    device.used++;
    return 20;
}

static void did(void *ctx, const struct gba_ue_command *c, unsigned status)
{
    size_t n = strlen(device.log);

    (void)ctx;
    device.status = status;
    snprintf(device.log + n, sizeof(device.log) - n, "%s%s %u;",
             gba_ue_command_class(c->class_id), c->reissued ? " again" : "", status);
}

static struct gba_ue_command_port port;

static void open_all(void)
{
    static const uint16_t suites[] = {0x00ae};

    lab_init(&l);
    flow_mef_configure(&l);
    lab_open(&l);
    flow_mef_open(&m, &l, MEF_USAGE_KEY);
    memset(&device, 0, sizeof(device));
    device.dev_cfg = 20;
    device.has_mo = true;
    device.mo = (struct gba_ue_mo){.object_type = 1,
                                   .profile = {.suid = 22,
                                               .parent = GBA_UE_MO_REGISTRATION,
                                               .mef_client_reg = true,
                                               .suites = suites,
                                               .n_suites = 1,
                                               .key_reg_s = 600,
                                               .target = MEF_CSE}};
    port = (struct gba_ue_command_port){.dev_cfg = dev_cfg,
                                        .find_mo = find_mo,
                                        .take_key = take_key,
                                        .use_mo = use_mo,
                                        .did = did};
    l.device.commands = &port;
}

static void close_all(void)
{
    flow_mef_close(&m);
    lab_close(&l);
}

static enum gba_err enrol(void)
{
    struct gba_ue_credential c;

    memset(&c, 0, sizeof(c));
    return gba_ue_enrol_target(&l.device, MEF_URL, NULL,
                               &(struct gba_ue_enrol_config){
                                   .target = MEF_CSE, .mef_fqdn = MEF_FQDN, .suid = MEF_SUID},
                               NULL, false, &c);
}

/* ---- the administrator ---------------------------------------------------------------------
 */

static char last_id[M2M_CMD_ID_SIZE];

static void issue(const struct m2m_command *what)
{
    static struct mef_command c;
    static struct mef_reg reg;

    memset(&c, 0, sizeof(c));
    CU_ASSERT_EQUAL_FATAL(m.real->find_reg(m.real, MEF_ENROLEE, "sp.example", &reg), GBA_OK);
    c.what = *what;
    strcpy(c.ri, reg.ri);
    c.issued_s = fake_now_ms() / 1000;
    CU_ASSERT_EQUAL(m.real->commands->add(m.real, &c, 16), GBA_OK);
    strcpy(last_id, c.what.id);
}

static const struct m2m_command configure = {
    .class_id = M2M_CMD_DEV_CFG, .management = 3, .uri = "coaps://" MEF_FQDN};

static struct m2m_command node(unsigned object_type, unsigned suid)
{
    return (struct m2m_command){
        .class_id = M2M_CMD_MO_NODE, .path = "./a", .object_type = object_type, .suid = suid};
}

static bool waits(void)
{
    static struct mef_command c;
    static struct mef_reg reg;

    return m.real->find_reg(m.real, MEF_ENROLEE, "sp.example", &reg) == GBA_OK &&
           m.real->commands->next(m.real, reg.ri, &c) == GBA_OK;
}

/* ---- tests ---------------------------------------------------------------------------------
 */

static void test_carried_out(void)
{
    const struct m2m_command profile = node(1, 22);
    struct m2m_command elsewhere = configure;

    open_all();
    CU_ASSERT_EQUAL(enrol(), GBA_OK); /* registers; there is nothing yet */
    CU_ASSERT_EQUAL(l.device.commands_err, GBA_OK);
    CU_ASSERT_EQUAL(l.device.commands_retry_s, 3600);
    CU_ASSERT_STRING_EQUAL(device.log, "");
    issue(&configure);
    issue(&profile);
    strcpy(elsewhere.uri, "coaps://evil.example");
    issue(&elsewhere);
    CU_ASSERT_EQUAL(enrol(), GBA_OK);
    CU_ASSERT_STRING_EQUAL(device.log, "DEV_CFG 20;MO_NODE 20;DEV_CFG 43;");
    CU_ASSERT_EQUAL(device.n, 1);
    CU_ASSERT_FALSE(waits());
    CU_ASSERT_EQUAL(enrol(), GBA_OK); /* nothing any more */
    CU_ASSERT_STRING_EQUAL(device.log, "DEV_CFG 20;MO_NODE 20;DEV_CFG 43;");
    close_all();
}

/* The profile's key is the one the MEF has for its target. */
static void test_key(void)
{
    const struct m2m_command profile = node(1, 22);
    struct gba_text id, fqdn;
    static struct mef_key key;
    char relative[MEF_RI_SIZE];

    open_all();
    CU_ASSERT_EQUAL(enrol(), GBA_OK);
    issue(&profile);
    CU_ASSERT_EQUAL(enrol(), GBA_OK);
    CU_ASSERT_STRING_EQUAL(device.log, "MO_NODE 20;");
    CU_ASSERT(gba_text_split(gba_text(device.key_id), '@', &id, &fqdn));
    CU_ASSERT(gba_text_is(fqdn, MEF_FQDN));
    gba_text_copy(relative, sizeof(relative), id);
    CU_ASSERT_EQUAL(m.real->get_key(m.real, relative, &key), GBA_OK);
    CU_ASSERT(gba_equal_ct(key.key.octets, device.key, 32));
    CU_ASSERT_STRING_EQUAL(key.targets, MEF_CSE "\n");
    close_all();
}

static void test_statuses(void)
{
    enum what {
        NOTHING,
        NO_MO,
        OTHER_TYPE,
        INCONSISTENT,
        TOO_SOON,
        NO_ROOM,
        NO_HANDLER,
        OTHER_SUID
    };
    static const struct {
        unsigned object_type, suid;
        enum what what;
        unsigned status;
    } rows[] = {
        {1, 22, NOTHING, 20},    {1, 0, NOTHING, 20},     {1, 22, NO_MO, 300},
        {2, 0, OTHER_TYPE, 301}, {1, 23, NOTHING, 303},   {1, 22, INCONSISTENT, 304},
        {1, 22, NO_ROOM, 305},   {1, 22, NO_HANDLER, 41}, {1, 21, OTHER_SUID, 305},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct m2m_command c = node(rows[i].object_type, rows[i].suid);

        open_all();
        device.has_mo = rows[i].what != NO_MO;
        device.mo.object_type = 1;
        device.mo.profile.mef_client_reg = rows[i].what != INCONSISTENT;
        device.no_room = rows[i].what == NO_ROOM;
        if (rows[i].what == NO_HANDLER)
            port.find_mo = NULL;
        if (rows[i].what == OTHER_SUID) { /* which the MEF does not give for this target */
            device.mo.profile.suid = 21;
            device.mo.profile.parent = GBA_UE_MO_MAF_CLIENT_REG;
        }
        CU_ASSERT_EQUAL(enrol(), GBA_OK);
        issue(&c);
        CU_ASSERT_EQUAL(enrol(), GBA_OK);
        if (device.status != rows[i].status)
            printf("\n    row %zu: %s", i, device.log);
        CU_ASSERT_EQUAL(device.status, rows[i].status);
        CU_ASSERT_FALSE(waits());
        close_all();
    }
}

static void test_other_objects(void)
{
    const struct m2m_command anchor = node(2, 0);

    open_all();
    device.mo.object_type = 2;
    CU_ASSERT_EQUAL(enrol(), GBA_OK);
    issue(&anchor);
    CU_ASSERT_EQUAL(enrol(), GBA_OK);
    CU_ASSERT_EQUAL(device.used, 1);
    port.use_mo = NULL;
    port.dev_cfg = NULL;
    issue(&anchor);
    issue(&configure);
    issue(&(struct m2m_command){.class_id = M2M_CMD_CERT_PROV,
                                .protocol = 1,
                                .uri = MEF_URL,
                                .subject_type = 3,
                                .subject = MEF_ENROLEE});
    CU_ASSERT_EQUAL(enrol(), GBA_OK);
    CU_ASSERT_STRING_EQUAL(device.log, "MO_NODE 20;MO_NODE 305;DEV_CFG 41;CERT_PROV 41;");
    l.device.commands = NULL; /* who asks for none is told of none */
    issue(&configure);
    CU_ASSERT_EQUAL(enrol(), GBA_OK);
    CU_ASSERT(waits());
    close_all();
}

static enum gba_err no_certificate(void *ctx, const struct gba_ue_command *c,
                                   const char *cert_pem, const char *key_pem, size_t key_len)
{
    (void)ctx, (void)c, (void)cert_pem, (void)key_pem, (void)key_len;
    CU_FAIL("no certificate was to be had");
    return GBA_E_IO;
}

/* TS-0003 8.3.9.7: what is verified before anything is sent; whichever argument fails, 43. */
static void test_certificates_refused(void)
{
#define NODE_7 "urn:dev:ops:32473-node-7"
    static const struct {
        unsigned protocol, subject_type;
        const char *subject, *node_id, *path;
    } rows[] = {
        {2, M2M_CMD_SUBJECT_AE, MEF_ENROLEE, NULL, ""}, /* SCEP is not spoken here */
        {2, M2M_CMD_SUBJECT_NODE, NODE_7, NODE_7, ""},
        {M2M_CMD_PROTOCOL_EST, M2M_CMD_SUBJECT_NODE, NODE_7, NULL,
         ""}, /* it acts for no Node */
        {M2M_CMD_PROTOCOL_EST, M2M_CMD_SUBJECT_NODE, NODE_7 "7", NODE_7, ""},
        {M2M_CMD_PROTOCOL_EST, M2M_CMD_SUBJECT_NODE, "node7", "node7", ""},
        {M2M_CMD_PROTOCOL_EST, M2M_CMD_SUBJECT_AE, NODE_7, NODE_7, ""},
        {M2M_CMD_PROTOCOL_EST, M2M_CMD_SUBJECT_AE, MEF_ENROLEE, NULL, "/cgi-bin/pkiclient.exe"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct m2m_command c = {.class_id = M2M_CMD_CERT_PROV,
                                .protocol = rows[i].protocol,
                                .subject_type = rows[i].subject_type};

        open_all();
        port.take_certificate = no_certificate;
        port.node_id = rows[i].node_id;
        strcpy(c.subject, rows[i].subject);
        snprintf(c.uri, sizeof(c.uri), "%s%s", MEF_URL, rows[i].path);
        CU_ASSERT_EQUAL(enrol(), GBA_OK);
        issue(&c);
        CU_ASSERT_EQUAL(enrol(), GBA_OK);
        if (strcmp(device.log, "CERT_PROV 43;") != 0)
            printf("\n    row %zu: %s", i, device.log);
        CU_ASSERT_STRING_EQUAL(device.log, "CERT_PROV 43;");
        CU_ASSERT_FALSE(waits());
        close_all();
    }
#undef NODE_7
}

/* Lost at any call: the enrolment counts all the same, or fails as it would without commands;
 * and the command waits, or has its result. */
static void test_every_call(void)
{
    const struct m2m_command profile = node(1, 22);
    bool was_hit = true;

    for (unsigned k = 1; was_hit && k < 200; k++) {
        open_all();
        CU_ASSERT_EQUAL(enrol(), GBA_OK);
        issue(&configure);
        issue(&profile);
        l.faults = (struct faults){.fail_at = k, .answer_lost = k % 2 == 0};
        (void)enrol();
        was_hit = l.faults.hit != NULL;
        l.faults.fail_at = 0;
        for (int i = 0; i < 3 && waits(); i++)
            CU_ASSERT_EQUAL(enrol(), GBA_OK);
        CU_ASSERT_FALSE(waits());
        CU_ASSERT(device.n >= 1);
        CU_ASSERT(lab_is_clean_after_all(&l));
        close_all();
    }
    CU_ASSERT(!was_hit);
}

static const struct unit_test tests[] = {
    {"carried out, one after the other", test_carried_out},
    {"a profile's key is its target's", test_key},
    {"statuses of management objects", test_statuses},
    {"other objects, and what a device cannot do", test_other_objects},
    {"certificates it does not fetch", test_certificates_refused},
    {"every call of a port fails once", test_every_call},
};

UNIT_MAIN("flow: commands", tests)
