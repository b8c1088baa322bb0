/*
 * ua/leave_client.c: how a device leaves a stakeholder, without any I/O.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "ua/leave_client.h"

#define NOW 1767312000
#define MEF "mef.example.com"

static struct leave_client l;
static struct gba_ue_enrol_config config;
static struct gba_ue_reply reply;
static struct gba_ue_field fields[3];

static void begin(void)
{
    config = (struct gba_ue_enrol_config){.target = "//old.example.com/cse1",
                                          .mef_fqdn = "MEF.example.com"};
    CU_ASSERT_EQUAL(leave_client_init(&l, &config), GBA_OK);
    memset(&reply, 0, sizeof(reply));
    reply.psk = true;
}

static enum gba_err step(enum leave_event event)
{
    struct leave_happened ev = {
        .event = event, .reply = &reply, .err = GBA_E_TIMEOUT, .now_s = NOW};

    return leave_client_step(&l, &ev);
}

static void answer(unsigned status, const char *rsc, const char *location)
{
    fields[0] = (struct gba_ue_field){"X-M2M-RSC", rsc};
    fields[1] = (struct gba_ue_field){"X-M2M-RI", l.exchange.primitive.rqi};
    fields[2] = (struct gba_ue_field){"Content-Location", location};
    reply.status = status;
    reply.fields = fields;
    reply.n_fields = location != NULL ? 3 : 2;
    CU_ASSERT_EQUAL(step(LEAVE_ANSWER), GBA_OK);
}

/* 8.3.5.2.6: of before, or made only to be deleted. */
static void test_left(void)
{
    static const struct {
        unsigned status;
        const char *rsc;
    } rows[] = {{403, "4117"}, {409, "4105"}, {201, "2001"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct m2m_problem problem;
        struct m2m_resource r;

        begin();
        CU_ASSERT_EQUAL(step(LEAVE_START), GBA_OK);
        CU_ASSERT_STRING_EQUAL(l.exchange.request.method, "POST");
        CU_ASSERT_EQUAL(m2m_codec_read(l.exchange.primitive.pc, M2M_JSON, M2M_MEF_CLIENT_REG,
                                       M2M_USE_CREATE, &r, &problem),
                        M2M_RSC_OK);
        CU_ASSERT(gba_text_is(m2m_text(&r, M2M_A_ADMIN_FQDN), "old.example.com"));
        m2m_resource_wipe(&r);
        answer(rows[i].status, rows[i].rsc, "/_/" MEF "/-/r1");
        CU_ASSERT_EQUAL(l.state, LEAVE_DELETING);
        CU_ASSERT_STRING_EQUAL(l.exchange.request.method, "DELETE");
        CU_ASSERT_STRING_EQUAL(l.exchange.primitive.to, "//" MEF "/-/r1");
        answer(200, "2002", NULL);
        CU_ASSERT_EQUAL(l.state, LEAVE_DONE);
    }
}

/* Nothing is left to leave. */
static void test_gone(void)
{
    begin();
    step(LEAVE_START);
    answer(403, "4103", NULL); /* no stakeholder of this MEF any more */
    CU_ASSERT_EQUAL(l.state, LEAVE_DONE);
    begin();
    step(LEAVE_START);
    answer(403, "4117", "/_/" MEF "/-/r1");
    answer(404, "4004", NULL);
    CU_ASSERT_EQUAL(l.state, LEAVE_DONE);
}

static void test_refusals(void)
{
    static const struct {
        bool deleting;
        unsigned status;
        const char *rsc, *location;
        enum gba_err err;
    } rows[] = {
        {false, 500, "5000", NULL, GBA_E_OVERLOAD},
        {false, 400, "4000", NULL, GBA_E_REFUSED},
        {false, 403, "4117", NULL, GBA_E_PROTOCOL},                        /* where is it? */
        {false, 403, "4117", "/_/other.example.com/-/r1", GBA_E_PROTOCOL}, /* not there */
        {false, 403, "4117", "/_/" MEF "/-/r1/cmd", GBA_E_PROTOCOL},
        {true, 500, "5000", NULL, GBA_E_OVERLOAD},
        {true, 403, "4103", NULL, GBA_E_REFUSED},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin();
        step(LEAVE_START);
        if (rows[i].deleting)
            answer(403, "4117", "/_/" MEF "/-/r1");
        answer(rows[i].status, rows[i].rsc, rows[i].location);
        CU_ASSERT(l.state == LEAVE_FAILED && l.err == rows[i].err && l.why[0] != '\0');
    }
}

static void test_sessions(void)
{
    begin();
    step(LEAVE_START);
    reply.psk = false; /* not made with the device's key */
    answer(403, "4117", "/_/" MEF "/-/r1");
    CU_ASSERT(l.state == LEAVE_FAILED && l.err == GBA_E_DOWNGRADE);
    begin();
    step(LEAVE_START);
    CU_ASSERT_EQUAL(step(LEAVE_LOST), GBA_OK);
    CU_ASSERT(l.state == LEAVE_FAILED && l.err == GBA_E_TIMEOUT);
    CU_ASSERT_EQUAL(step(LEAVE_START), GBA_E_UNEXPECTED);
    begin();
    CU_ASSERT_EQUAL(step(LEAVE_ANSWER), GBA_E_UNEXPECTED);
    config.target = "/cse1"; /* whose, nobody says */
    CU_ASSERT_EQUAL(leave_client_init(&l, &config), GBA_E_ARGUMENT);
    config.admin_fqdn = "old.example.com";
    CU_ASSERT_EQUAL(leave_client_init(&l, &config), GBA_OK);
}

static const struct unit_test tests[] = {
    {"left", test_left},
    {"nothing left to leave", test_gone},
    {"refusals", test_refusals},
    {"sessions that do not count", test_sessions},
};
UNIT_MAIN("leave_client", tests)
