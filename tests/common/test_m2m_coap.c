/*
 * common/m2m_coap.c, m2m_coap_client.c: TS-0008 both ways.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/m2m_coap.h"

#define OK  M2M_RSC_OK
#define BAD M2M_RSC_BAD_REQUEST

struct row {
    uint8_t code;
    const char *path, *query; /* "a|b": two options; NULL: none */
    int ty, format, accept;   /* -1: none */
    const char *rqi, *rvi;
    enum m2m_rsc rsc;
    enum m2m_op op;
    const char *to;
    unsigned read_ty, rcn;
    enum m2m_format read_format, answer_in;
    bool vendor;
};

static struct gba_bytes text(const char *s)
{
    return gba_text_bytes(gba_text(s));
}

static void add_all(struct coap_message *m, uint16_t number, const char *values)
{
    struct gba_text rest = gba_text(values), one;
    bool more = values != NULL;

    while (more) {
        more = gba_text_split(rest, '|', &one, &rest);
        coap_message_add(m, number, gba_text_bytes(one));
    }
}

static void make(const struct row *r, struct coap_message *m)
{
    coap_message_init(m, COAP_CON, r->code, 1, text("t"));
    add_all(m, COAP_URI_PATH, r->path);
    add_all(m, COAP_URI_QUERY, r->query);
    if (r->ty >= 0)
        coap_message_add_number(m, M2M_COAP_TY, (uint32_t)r->ty);
    if (r->format >= 0) {
        coap_message_add_number(m, COAP_CONTENT_FORMAT, (uint32_t)r->format);
        m->payload = text("{}");
    }
    if (r->accept >= 0)
        coap_message_add_number(m, COAP_ACCEPT, (uint32_t)r->accept);
    if (r->rqi != NULL)
        coap_message_add(m, M2M_COAP_RQI, text(r->rqi));
    if (r->rvi != NULL)
        coap_message_add(m, M2M_COAP_RVI, text(r->rvi));
    coap_message_add(m, M2M_COAP_FR, text("//sp.example/Sae"));
}

static void test_requests(void)
{
    static const struct row rows[] = {
        {COAP_POST, "-|", NULL, 4, 50, -1, "1", "3", OK, M2M_OP_CREATE, "-/", 4, 255, M2M_JSON,
         M2M_JSON, false},
        {COAP_POST, "-", NULL, 4, 50, -1, "1", "3", OK, M2M_OP_CREATE, "-", 4, 255, M2M_JSON,
         M2M_JSON, false},
        {COAP_POST, "_|mef.example|-|", NULL, 5, 10014, -1, "a-1", "2a", OK, M2M_OP_CREATE,
         "//mef.example/-/", 5, 255, M2M_XML, M2M_XML, false},
        {COAP_GET, "-|abc", "rcn=1", -1, -1, 41, "1", NULL, OK, M2M_OP_RETRIEVE, "-/abc", 0, 1,
         M2M_JSON, M2M_XML, false},
        {COAP_GET, "-|abc", NULL, -1, -1, 10001, "1", "4", OK, M2M_OP_RETRIEVE, "-/abc", 0, 255,
         M2M_JSON, M2M_JSON, true},
        {COAP_PUT, "-|abc|cmd", "rt=3|x=y", -1, 10001, 10014, "1", "5", OK, M2M_OP_UPDATE,
         "-/abc/cmd", 0, 255, M2M_JSON, M2M_XML, true},
        {COAP_DELETE, "~|cse|x", "rcn=0", -1, -1, -1, "1", "3", OK, M2M_OP_DELETE, "/cse/x", 0,
         0, M2M_JSON, M2M_JSON, false},
        {COAP_POST, "-|", NULL, -1, 50, -1, "1", "3", OK, M2M_OP_NOTIFY, "-/", 0, 255, M2M_JSON,
         M2M_JSON, false},
        {COAP_POST, "-|a", "op=2|rt=4", -1, -1, -1, "1", "3", OK, M2M_OP_RETRIEVE, "-/a", 0,
         255, M2M_JSON, M2M_JSON, false},
        {COAP_GET, "-|a", "op=2", -1, -1, -1, "1", "3", OK, M2M_OP_RETRIEVE, "-/a", 0, 255,
         M2M_JSON, M2M_JSON, false},
        {COAP_GET, "-|a@b%20", NULL, -1, -1, -1, "1", "3", OK, M2M_OP_RETRIEVE, "-/a@b%20", 0,
         255, M2M_JSON, M2M_JSON, false},
        /* refused */
        {5, "-|", NULL, 4, 50, -1, "1", "3", M2M_RSC_OPERATION_NOT_ALLOWED, 0, "-/", 0, 255,
         M2M_JSON, M2M_JSON, false},
        {COAP_GET, NULL, NULL, -1, -1, -1, "1", "3", M2M_RSC_NOT_FOUND, M2M_OP_RETRIEVE, "", 0,
         255, M2M_JSON, M2M_JSON, false},
        {COAP_GET, "cse", NULL, -1, -1, -1, "1", "3", M2M_RSC_NOT_FOUND, M2M_OP_RETRIEVE, "", 0,
         255, M2M_JSON, M2M_JSON, false},
        {COAP_GET, "-x", NULL, -1, -1, -1, "1", "3", M2M_RSC_NOT_FOUND, M2M_OP_RETRIEVE, "", 0,
         255, M2M_JSON, M2M_JSON, false},
        {COAP_GET, "_", NULL, -1, -1, -1, "1", "3", M2M_RSC_NOT_FOUND, M2M_OP_RETRIEVE, "//", 0,
         255, M2M_JSON, M2M_JSON, false},
        {COAP_GET, "-|a/b", NULL, -1, -1, -1, "1", "3", BAD, M2M_OP_RETRIEVE, "", 0, 255,
         M2M_JSON, M2M_JSON, false},
        {COAP_GET, "-|a b", NULL, -1, -1, -1, "1", "3", BAD, M2M_OP_RETRIEVE, "", 0, 255,
         M2M_JSON, M2M_JSON, false},
        {COAP_GET, "-|\xc3\xa9", NULL, -1, -1, -1, "1", "3", BAD, M2M_OP_RETRIEVE, "", 0, 255,
         M2M_JSON, M2M_JSON, false},
        {COAP_GET, "-|", NULL, -1, -1, -1, NULL, "3", BAD, M2M_OP_RETRIEVE, "-/", 0, 255,
         M2M_JSON, M2M_JSON, false},
        {COAP_GET, "-|", NULL, -1, -1, -1, "a b", "3", BAD, M2M_OP_RETRIEVE, "-/", 0, 255,
         M2M_JSON, M2M_JSON, false},
        {COAP_GET, "-|", NULL, -1, -1, -1, "1", "1", M2M_RSC_RELEASE_VERSION_NOT_SUPPORTED,
         M2M_OP_RETRIEVE, "-/", 0, 255, M2M_JSON, M2M_JSON, false},
        {COAP_POST, "-|", NULL, 4, 0, -1, "1", "3", M2M_RSC_UNSUPPORTED_MEDIA_TYPE,
         M2M_OP_CREATE, "-/", 4, 255, M2M_JSON, M2M_JSON, false},
        {COAP_POST, "-|", NULL, 4, 60, -1, "1", "3", M2M_RSC_UNSUPPORTED_MEDIA_TYPE,
         M2M_OP_CREATE, "-/", 4, 255, M2M_JSON, M2M_JSON, false},
        {COAP_POST, "-|", NULL, 4, -1, -1, "1", "3", M2M_RSC_UNSUPPORTED_MEDIA_TYPE,
         M2M_OP_CREATE, "-/", 4, 255, M2M_JSON, M2M_JSON, false},
        {COAP_POST, "-|", NULL, 0, 50, -1, "1", "3", BAD, M2M_OP_CREATE, "-/", 0, 255, M2M_JSON,
         M2M_JSON, false},
        {COAP_GET, "-|", NULL, -1, -1, 60, "1", "3", M2M_RSC_NOT_ACCEPTABLE, M2M_OP_RETRIEVE,
         "-/", 0, 255, M2M_JSON, M2M_JSON, false},
        {COAP_GET, "-|", "rcn=10", -1, -1, -1, "1", "3", BAD, M2M_OP_RETRIEVE, "-/", 0, 255,
         M2M_JSON, M2M_JSON, false},
        {COAP_GET, "-|", "rcn=1|rcn=2", -1, -1, -1, "1", "3", BAD, M2M_OP_RETRIEVE, "-/", 0, 1,
         M2M_JSON, M2M_JSON, false},
        {COAP_GET, "-|", "op=1", -1, -1, -1, "1", "3", BAD, M2M_OP_RETRIEVE, "-/", 0, 255,
         M2M_JSON, M2M_JSON, false},
        {COAP_POST, "-|", "op=6", 4, 50, -1, "1", "3", M2M_RSC_OPERATION_NOT_ALLOWED,
         M2M_OP_CREATE, "-/", 4, 255, M2M_JSON, M2M_JSON, false},
        {COAP_GET, "-|", "op=0", -1, -1, -1, "1", "3", M2M_RSC_OPERATION_NOT_ALLOWED,
         M2M_OP_RETRIEVE, "-/", 0, 255, M2M_JSON, M2M_JSON, false},
        {COAP_POST, "-|", "op=x", 4, 50, -1, "1", "3", BAD, M2M_OP_CREATE, "-/", 4, 255,
         M2M_JSON, M2M_JSON, false},
        {COAP_POST, "-|", "op=1|op=1", 4, 50, -1, "1", "3", BAD, M2M_OP_CREATE, "-/", 4, 255,
         M2M_JSON, M2M_JSON, false},
        {COAP_POST, "-|", "op=1|rt=1", 4, 50, -1, "1", "3",
         M2M_RSC_NON_BLOCKING_REQUEST_NOT_SUPPORTED, M2M_OP_CREATE, "-/", 4, 255, M2M_JSON,
         M2M_JSON, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        struct coap_message m;
        struct m2m_request rq;
        enum m2m_rsc rsc;

        make(r, &m);
        CU_ASSERT_EQUAL(m2m_coap_check(&m), 0);
        rsc = m2m_coap_request_read(&m, &rq);
        CU_ASSERT_EQUAL(rsc, r->rsc);
        CU_ASSERT_EQUAL(rq.op, r->op);
        if (rsc == OK || r->to[0] == '-')
            CU_ASSERT_STRING_EQUAL(rq.to, r->to);
        CU_ASSERT_EQUAL(rq.ty, r->read_ty);
        CU_ASSERT_EQUAL(rq.rcn, r->rcn);
        CU_ASSERT_EQUAL(rq.format, r->read_format);
        CU_ASSERT_EQUAL(rq.answer_in, r->answer_in);
        CU_ASSERT_EQUAL(rq.vendor_type, r->vendor);
        CU_ASSERT_STRING_EQUAL(rq.fr, "//sp.example/Sae");
        CU_ASSERT((rq.why == NULL) == (rsc == OK));
        if (rsc != r->rsc)
            printf("row %zu: %d\n", i, (int)rsc);
    }
}

static void test_no_body(void)
{
    struct row r = {
        .code = COAP_PUT, .path = "-|x", .ty = -1, .format = 50, .accept = -1, .rqi = "1"};
    struct coap_message m;
    struct m2m_request rq;

    make(&r, &m);
    m.payload = text("");
    CU_ASSERT_EQUAL(m2m_coap_request_read(&m, &rq), BAD);
}

/* Values of the longest length the binding has, which the primitive cannot hold. */
static void test_long(void)
{
    char value[256], path[1100] = "-";
    struct row r = {
        .code = COAP_GET, .path = path, .ty = -1, .format = -1, .accept = -1, .rqi = "1"};
    struct coap_message m;
    struct m2m_request rq;

    memset(value, 'a', 255);
    value[255] = '\0';
    for (size_t i = 0; i < 4; i++)
        strcat(strcat(path, "|"), value);
    make(&r, &m);
    CU_ASSERT_EQUAL(m2m_coap_check(&m), 0);
    CU_ASSERT_EQUAL(m2m_coap_request_read(&m, &rq), BAD);
    CU_ASSERT_STRING_EQUAL(rq.to, "");
    path[1 + 3 * 256] = '\0';
    make(&r, &m);
    CU_ASSERT_EQUAL(m2m_coap_request_read(&m, &rq), OK);
    r.rqi = value;
    make(&r, &m);
    CU_ASSERT_EQUAL(m2m_coap_check(&m), 0);
    CU_ASSERT_EQUAL(m2m_coap_request_read(&m, &rq), BAD);
}

static void test_refused_is_answerable(void)
{
    struct row r = {.code = 7,
                    .path = "nowhere",
                    .query = "rcn=x",
                    .ty = -1,
                    .format = 0,
                    .accept = 41,
                    .rqi = "id-7",
                    .rvi = "3"};
    struct coap_message m;
    struct m2m_request rq;
    struct m2m_response rs;

    make(&r, &m);
    CU_ASSERT_EQUAL(m2m_coap_request_read(&m, &rq), M2M_RSC_OPERATION_NOT_ALLOWED);
    m2m_answer(&rq, M2M_RSC_OPERATION_NOT_ALLOWED, &rs);
    CU_ASSERT_STRING_EQUAL(rs.rqi, "id-7");
    CU_ASSERT_STRING_EQUAL(rs.rvi, "3");
    CU_ASSERT_EQUAL(rs.format, M2M_XML);
}

static void test_check(void)
{
    static const struct {
        uint16_t number;
        size_t n;
        unsigned times;
        uint8_t code;
    } rows[] = {
        {1, 1, 1, COAP_BAD_OPTION},  /* If-Match */
        {5, 0, 1, COAP_BAD_OPTION},  /* If-None-Match */
        {9, 0, 1, COAP_BAD_OPTION},  /* OSCORE */
        {19, 1, 1, COAP_BAD_OPTION}, /* Q-Block1 */
        {65001, 0, 1, COAP_BAD_OPTION},
        {6, 0, 2, 0}, /* Observe */
        {65000, 9, 9, 0},
        {258, 1, 1, 0}, /* No-Response */
        {COAP_URI_HOST, 1, 1, 0},
        {COAP_URI_HOST, 0, 1, COAP_BAD_OPTION},
        {COAP_URI_HOST, 256, 1, COAP_BAD_OPTION},
        {COAP_URI_PORT, 3, 1, COAP_BAD_OPTION},
        {COAP_URI_PATH, 255, 4, 0},
        {COAP_URI_PATH, 256, 1, COAP_BAD_OPTION},
        {COAP_URI_QUERY, 255, 4, 0},
        {COAP_ACCEPT, 2, 1, 0},
        {COAP_ACCEPT, 3, 1, COAP_BAD_OPTION},
        {COAP_ACCEPT, 1, 2, COAP_BAD_OPTION},
        {COAP_CONTENT_FORMAT, 2, 1, 0},
        {COAP_CONTENT_FORMAT, 1, 2, COAP_BAD_OPTION},
        {COAP_BLOCK1, 4, 1, COAP_BAD_OPTION},
        {COAP_BLOCK2, 1, 2, COAP_BAD_OPTION},
        {COAP_PROXY_URI, 5, 1, COAP_NO_PROXYING},
        {COAP_PROXY_SCHEME, 5, 1, COAP_NO_PROXYING},
        {M2M_COAP_FR, 255, 1, 0},
        {M2M_COAP_FR, 256, 1, COAP_BAD_OPTION},
        {M2M_COAP_FR, 1, 2, COAP_BAD_OPTION},
        {M2M_COAP_RQI, 1, 2, COAP_BAD_OPTION},
        {M2M_COAP_RVI, 2, 1, 0},
        {M2M_COAP_RVI, 0, 1, COAP_BAD_OPTION},
        {M2M_COAP_RVI, 3, 1, COAP_BAD_OPTION},
        {M2M_COAP_TY, 2, 1, 0},
        {M2M_COAP_TY, 3, 1, COAP_BAD_OPTION},
        {M2M_COAP_TY, 1, 2, COAP_BAD_OPTION},
        {M2M_COAP_OT, 15, 1, 0},
        {M2M_COAP_OT, 16, 1, COAP_BAD_OPTION},
        {M2M_COAP_EC, 2, 1, COAP_BAD_OPTION},
        {M2M_COAP_GTM, 512, 1, 0},
        {287, 1, 1, COAP_BAD_OPTION}, /* between two of ours */
    };
    static uint8_t value[600];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct coap_message m;

        coap_message_init(&m, COAP_CON, COAP_GET, 1, text(""));
        coap_message_add(&m, COAP_URI_PATH, text("-"));
        for (unsigned k = 0; k < rows[i].times; k++)
            coap_message_add(&m, rows[i].number, (struct gba_bytes){value, rows[i].n});
        CU_ASSERT_EQUAL(m2m_coap_check(&m), rows[i].code);
        if (m2m_coap_check(&m) != rows[i].code)
            printf("option %u of %zu, %u times\n", rows[i].number, rows[i].n, rows[i].times);
    }
}

/* Numbers as TS-0008 prints them, V3.9.0 table 6.2.2.4.0-1. */
static void test_numbers(void)
{
    static const unsigned want[][2] = {
        {M2M_COAP_FR, 279},   {M2M_COAP_RQI, 283}, {M2M_COAP_OT, 259},    {M2M_COAP_RQET, 291},
        {M2M_COAP_RSET, 295}, {M2M_COAP_OET, 299}, {M2M_COAP_RTURI, 263}, {M2M_COAP_EC, 303},
        {M2M_COAP_RSC, 307},  {M2M_COAP_GID, 311}, {M2M_COAP_TY, 267},    {M2M_COAP_CTO, 319},
        {M2M_COAP_CTS, 323},  {M2M_COAP_ATI, 327}, {M2M_COAP_RVI, 271},   {M2M_COAP_VSI, 331},
        {M2M_COAP_GTM, 335},  {M2M_COAP_AUS, 339}, {M2M_COAP_ASRI, 275}};

    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        CU_ASSERT(want[i][0] == want[i][1] && COAP_IS_CRITICAL(want[i][0]));
}

static void test_codes(void)
{
    static const struct {
        unsigned rsc;
        uint8_t code;
    } rows[] = {
        {2000, COAP_CODE(2, 5)},  {2001, COAP_CODE(2, 1)}, {2002, COAP_CODE(2, 2)},
        {2004, COAP_CODE(2, 4)},  {4000, COAP_CODE(4, 0)}, {4001, COAP_CODE(5, 1)},
        {4004, COAP_CODE(4, 4)},  {4005, COAP_CODE(4, 5)}, {4008, COAP_CODE(5, 4)},
        {4015, COAP_CODE(4, 15)}, {4102, COAP_CODE(4, 0)}, {4103, COAP_CODE(4, 3)},
        {4105, COAP_CODE(4, 3)},  {4106, COAP_CODE(4, 3)}, {4107, COAP_CODE(4, 3)},
        {4108, COAP_CODE(4, 3)},  {4117, COAP_CODE(4, 3)}, {4126, COAP_CODE(4, 3)},
        {4127, COAP_CODE(4, 3)},  {5000, COAP_CODE(5, 0)}, {5001, COAP_CODE(5, 1)},
        {5103, COAP_CODE(4, 4)},  {5105, COAP_CODE(4, 3)}, {5106, COAP_CODE(4, 0)},
        {5107, COAP_CODE(4, 4)},  {5206, COAP_CODE(5, 1)}, {5207, COAP_CODE(4, 6)},
        {9999, COAP_CODE(5, 0)},
    };
    static const unsigned all[] = {
#define X(name, code, http) (code),
        M2M_RSC_TABLE(X)
#undef X
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT_EQUAL(m2m_rsc_coap(rows[i].rsc, M2M_OP_RETRIEVE), rows[i].code);
    CU_ASSERT_EQUAL(m2m_rsc_coap(2000, M2M_OP_NOTIFY), COAP_CODE(2, 4));
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) { /* each has its row */
        CU_ASSERT((m2m_rsc_coap(all[i], M2M_OP_CREATE) == COAP_CODE(5, 0)) == (all[i] == 5000));
        CU_ASSERT_EQUAL(COAP_CLASS(m2m_rsc_coap(all[i], M2M_OP_CREATE)) == 2, all[i] < 3000);
    }
}

static const char *option_text(const struct coap_message *m, uint16_t number)
{
    static char room[256];
    const struct coap_option *o = coap_message_find(m, number);

    return o != NULL && gba_text_copy(room, sizeof(room), gba_bytes_text(o->value)) == GBA_OK
               ? room
               : NULL;
}

static void test_reply(void)
{
    struct m2m_response rs = {.rsc = M2M_RSC_CREATED,
                              .rqi = "id-1",
                              .rvi = "3",
                              .location = "//mef.example/-/AZ@1",
                              .format = M2M_XML,
                              .pc = {(const uint8_t *)"<x/>", 4}};
    struct coap_message m;
    uint8_t room[256];
    struct gba_wbuf w;

    coap_message_init(&m, COAP_ACK, 0, 0x1234, text("t"));
    CU_ASSERT_EQUAL(m2m_coap_response_print(&rs, M2M_OP_CREATE, &m), GBA_OK);
    gba_wbuf_init(&w, room, sizeof(room));
    coap_message_print(&m, &w);
    /* _ mef.example - AZ@1, 41, Max-Age 0, RVI 3, RQI id-1, RSC 2001 */
    UNIT_BYTES_EQ(w.p, w.n,
                  "6141123474815f0b6d65662e6578616d706c65012d04415a40314129"
                  "20d1f433c469642d31d20b07d1ff3c782f3e");
    rs = (struct m2m_response){.rsc = M2M_RSC_NOT_FOUND};
    coap_message_init(&m, COAP_ACK, 0, 1, text(""));
    CU_ASSERT_EQUAL(m2m_coap_response_print(&rs, M2M_OP_RETRIEVE, &m), GBA_OK);
    CU_ASSERT(m.code == COAP_NOT_FOUND && m.n_options == 2 && m.payload.n == 0);
    for (size_t i = 0; i < 60; i++)
        memcpy(rs.location + 2 * i, "/a", 3);
    coap_message_init(&m, COAP_ACK, 0, 1, text(""));
    CU_ASSERT_EQUAL(m2m_coap_response_print(&rs, M2M_OP_RETRIEVE, &m), GBA_E_TOO_LONG);
}

static void test_client_request(void)
{
    struct m2m_request rq = {.op = M2M_OP_CREATE,
                             .to = "//mef.example/-/",
                             .fr = "//sp.example/S1",
                             .rqi = "r1",
                             .rvi = "3",
                             .ty = 5,
                             .rcn = 1,
                             .format = M2M_JSON,
                             .answer_in = M2M_XML,
                             .pc = {(const uint8_t *)"{}", 2}},
                       back;
    struct coap_message m;

    coap_message_init(&m, COAP_CON, 0, 1, text("t"));
    CU_ASSERT_EQUAL(m2m_coap_request_print(&rq, &m), GBA_OK);
    CU_ASSERT_EQUAL(m.code, COAP_POST);
    CU_ASSERT_STRING_EQUAL(option_text(&m, M2M_COAP_FR), "//sp.example/S1");
    CU_ASSERT_STRING_EQUAL(option_text(&m, COAP_URI_QUERY), "rcn=1");
    CU_ASSERT_EQUAL(m2m_coap_check(&m), 0);
    CU_ASSERT_EQUAL(m2m_coap_request_read(&m, &back), OK);
    CU_ASSERT(back.op == rq.op && back.ty == 5 && back.rcn == 1 && back.format == M2M_JSON &&
              back.answer_in == M2M_XML && back.pc.n == 2);
    CU_ASSERT_STRING_EQUAL(back.to, rq.to);
    CU_ASSERT_STRING_EQUAL(back.rvi, "3");
}

static void test_client_refuses(void)
{
    static const struct {
        enum m2m_op op;
        const char *to, *fr, *rqi;
        unsigned ty, rcn;
        enum gba_err err;
    } rows[] = {
        {M2M_OP_RETRIEVE, "-/k", "", "r", 0, 255, GBA_OK},
        {M2M_OP_DELETE, "/cse/k", "/S1", "r", 0, 0, GBA_OK},
        {M2M_OP_NOTIFY, "-/k", "", "r", 0, 255, GBA_OK},
        {9, "-/k", "", "r", 0, 255, GBA_E_ARGUMENT},
        {M2M_OP_RETRIEVE, "-/k", "", "", 0, 255, GBA_E_ARGUMENT},
        {M2M_OP_RETRIEVE, "-/k", "a b", "r", 0, 255, GBA_E_ARGUMENT},
        {M2M_OP_RETRIEVE, "-/k k", "", "r", 0, 255, GBA_E_ARGUMENT},
        {M2M_OP_RETRIEVE, "-/k", "", "r", 0, 10, GBA_E_ARGUMENT},
        {M2M_OP_CREATE, "-/k", "", "r", 0, 255, GBA_E_ARGUMENT},
        {M2M_OP_CREATE, "-/k", "", "r", 65536, 255, GBA_E_ARGUMENT},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct m2m_request rq = {.op = rows[i].op, .ty = rows[i].ty, .rcn = rows[i].rcn}, back;
        struct coap_message m;

        strcpy(rq.to, rows[i].to);
        strcpy(rq.fr, rows[i].fr);
        strcpy(rq.rqi, rows[i].rqi);
        coap_message_init(&m, COAP_CON, 0, 1, text(""));
        CU_ASSERT_EQUAL(m2m_coap_request_print(&rq, &m), rows[i].err);
        if (rows[i].err != GBA_OK)
            continue;
        CU_ASSERT_EQUAL(m2m_coap_request_read(&m, &back),
                        rows[i].op == M2M_OP_NOTIFY ? M2M_RSC_UNSUPPORTED_MEDIA_TYPE : OK);
        CU_ASSERT_EQUAL(back.op, rows[i].op);
        CU_ASSERT_STRING_EQUAL(back.to, rows[i].to);
    }
}

static void test_client_answer(void)
{
    static const struct {
        uint8_t code;
        int rsc; /* -1: none */
        const char *rqi;
        int format;
        uint16_t more; /* another option */
        const char *body;
        enum gba_err err;
        unsigned read_rsc;
        size_t pc;
    } rows[] = {
        {COAP_CREATED, 2001, "r1", 50, 0, "{}", GBA_OK, 2001, 2},
        {COAP_CREATED, -1, "r1", 50, 0, "{}", GBA_OK, 2001, 2},
        {COAP_CONTENT, 2000, "r1", 10014, 0, "<x/>", GBA_OK, 2000, 4},
        {COAP_DELETED, -1, NULL, -1, 0, NULL, GBA_OK, 2002, 0},
        {COAP_CHANGED, -1, NULL, -1, 0, NULL, GBA_OK, 2004, 0},
        {COAP_FORBIDDEN, 4117, "r1", -1, 0, NULL, GBA_OK, 4117, 0},
        {COAP_FORBIDDEN, -1, NULL, -1, 0, "diagnostic", GBA_OK, 4103, 0},
        {COAP_BAD_OPTION, -1, NULL, -1, 0, NULL, GBA_OK, 4000, 0},
        {COAP_UNAVAILABLE, -1, NULL, -1, 0, NULL, GBA_OK, 5000, 0},
        {COAP_CONTENT, 2000, "r1", 0, 0, "text", GBA_E_PROTOCOL, 2000, 0},
        {COAP_CONTENT, 2000, "r1", -1, 0, "text", GBA_E_PROTOCOL, 2000, 0},
        {COAP_CONTENT, 2000, "r2", 50, 0, "{}", GBA_E_PROTOCOL, 2000, 0},
        {COAP_CONTENT, 2000, NULL, 50, 0, "{}", GBA_E_PROTOCOL, 2000, 0},
        {COAP_CONTENT, 4103, "r1", -1, 0, NULL, GBA_E_PROTOCOL, 4103, 0},
        {COAP_FORBIDDEN, 2000, "r1", -1, 0, NULL, GBA_E_PROTOCOL, 2000, 0},
        {COAP_CONTENT, 999, "r1", -1, 0, NULL, GBA_E_PROTOCOL, 2000, 0},
        {COAP_CONTENT, 10000, "r1", -1, 0, NULL, GBA_E_PROTOCOL, 2000, 0},
        {COAP_CONTENT, 2000, "r1", 50, 65001, "{}", GBA_E_PROTOCOL, 5000, 0},
        {COAP_GET, 2000, "r1", -1, 0, NULL, GBA_E_PROTOCOL, 5000, 0},
    };
    struct m2m_request rq = {.rqi = "r1"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct coap_message m;
        struct m2m_response out;

        coap_message_init(&m, COAP_ACK, rows[i].code, 1, text("t"));
        coap_message_add(&m, COAP_LOCATION_PATH, text("_"));
        coap_message_add(&m, COAP_LOCATION_PATH, text("mef.example"));
        coap_message_add(&m, COAP_LOCATION_PATH, text("r"));
        if (rows[i].rsc >= 0)
            coap_message_add_number(&m, M2M_COAP_RSC, (uint32_t)rows[i].rsc);
        if (rows[i].rqi != NULL)
            coap_message_add(&m, M2M_COAP_RQI, text(rows[i].rqi));
        if (rows[i].format >= 0)
            coap_message_add_number(&m, COAP_CONTENT_FORMAT, (uint32_t)rows[i].format);
        if (rows[i].more != 0)
            coap_message_add_number(&m, rows[i].more, 0);
        m.payload = text(rows[i].body);
        CU_ASSERT_EQUAL(m2m_coap_response_read(&m, &rq, &out), rows[i].err);
        CU_ASSERT_EQUAL(out.rsc, rows[i].read_rsc);
        CU_ASSERT_EQUAL(out.pc.n, rows[i].pc);
        if (rows[i].err == GBA_OK)
            CU_ASSERT_STRING_EQUAL(out.location, "//mef.example/r");
    }
}

static const struct unit_test tests[] = {
    {"requests, row by row", test_requests},
    {"no body", test_no_body},
    {"long values", test_long},
    {"refused is answerable", test_refused_is_answerable},
    {"options refused", test_check},
    {"option numbers", test_numbers},
    {"codes", test_codes},
    {"replies", test_reply},
    {"client: request", test_client_request},
    {"client: refuses", test_client_refuses},
    {"client: answer", test_client_answer},
};
UNIT_MAIN("m2m_coap", tests)
