/*
 * common/m2m_http.c, m2m_http_client.c, m2m_primitive.c: TS-0009 both ways.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/m2m_http.h"

#define OK         M2M_RSC_OK
#define BAD        M2M_RSC_BAD_REQUEST
#define NOT_FOUND  M2M_RSC_NOT_FOUND
#define MEDIA      M2M_RSC_UNSUPPORTED_MEDIA_TYPE
#define ACCEPTABLE M2M_RSC_NOT_ACCEPTABLE
#define JSON4      "application/json;ty=4"

struct row {
    const char *method, *path, *query, *type, *accept, *ri, *rvi;
    enum m2m_rsc rsc;
    enum m2m_op op;
    const char *to;
    unsigned ty, rcn;
    enum m2m_format format, answer_in;
};

static enum m2m_rsc read_row(const struct row *r, struct m2m_request *out)
{
    struct m2m_http_request in = {
        .method = gba_text(r->method),
        .path = gba_text(r->path),
        .query = gba_text(r->query),
        .content_type = gba_text(r->type),
        .accept = gba_text(r->accept),
        .origin = GBA_TEXT("//sp.example/Sae"),
        .ri = gba_text(r->ri),
        .rvi = gba_text(r->rvi),
        .body = gba_text_bytes(r->type != NULL ? GBA_TEXT("{}") : GBA_TEXT("")),
    };

    return m2m_http_request_read(&in, out);
}

static void test_requests(void)
{
    static const struct row rows[] = {
        {"POST", "/-/", NULL, JSON4, NULL, "1", "3", OK, M2M_OP_CREATE, "-/", 4, 255, M2M_JSON,
         M2M_JSON},
        {"POST", "/_/mef.example/-/", NULL,
         "application/vnd.onem2m-res+xml; charset=UTF-8; ty=\"5\"", NULL, "a-1", "2a", OK,
         M2M_OP_CREATE, "//mef.example/-/", 5, 255, M2M_XML, M2M_XML},
        {"GET", "/-/abc", "rcn=1", NULL, "application/xml", "1", NULL, OK, M2M_OP_RETRIEVE,
         "-/abc", 0, 1, M2M_JSON, M2M_XML},
        {"PUT", "/-/abc/cmd", "rt=3&x=y", "APPLICATION/JSON", "*/*", "1", "4", OK,
         M2M_OP_UPDATE, "-/abc/cmd", 0, 255, M2M_JSON, M2M_JSON},
        {"DELETE", "/~/cse/x", "rcn=0", NULL, NULL, "1", "3", OK, M2M_OP_DELETE, "/cse/x", 0, 0,
         M2M_JSON, M2M_JSON},
        {"GET", "/-/a%20b", NULL, NULL, NULL, "1", "3", BAD, M2M_OP_RETRIEVE, "", 0, 255,
         M2M_JSON, M2M_JSON},
        {"GET", "/-/a%40b", NULL, NULL, NULL, "1", "3", OK, M2M_OP_RETRIEVE, "-/a@b", 0, 255,
         M2M_JSON, M2M_JSON},
        {"POST", "/-/", NULL, "application/json", NULL, "1", "3", OK, M2M_OP_NOTIFY, "-/", 0,
         255, M2M_JSON, M2M_JSON},
        {"GET", "/-/%41%5A%5f%5F%6a%39%7e", NULL, NULL, NULL, "1", "3", OK, M2M_OP_RETRIEVE,
         "-/AZ__j9~", 0, 255, M2M_JSON, M2M_JSON},
        {"GET", "/-/%2D%2d%3a%3A", NULL, NULL, NULL, "1", "3", OK, M2M_OP_RETRIEVE, "-/--::", 0,
         255, M2M_JSON, M2M_JSON},
        /* refused */
        {"GET", "/-/%7f", NULL, NULL, NULL, "1", "3", BAD, M2M_OP_RETRIEVE, "", 0, 255,
         M2M_JSON, M2M_JSON},
        {"GET", "/-/%c3%a9", NULL, NULL, NULL, "1", "3", BAD, M2M_OP_RETRIEVE, "", 0, 255,
         M2M_JSON, M2M_JSON},
        {"PATCH", "/-/", NULL, JSON4, NULL, "1", "3", M2M_RSC_OPERATION_NOT_ALLOWED, 0, "-/", 4,
         255, M2M_JSON, M2M_JSON},
        {"get", "/-/", NULL, NULL, NULL, "1", "3", M2M_RSC_OPERATION_NOT_ALLOWED, 0, "-/", 0,
         255, M2M_JSON, M2M_JSON},
        {"GET", "/", NULL, NULL, NULL, "1", "3", NOT_FOUND, M2M_OP_RETRIEVE, "", 0, 255,
         M2M_JSON, M2M_JSON},
        {"GET", "/-x", NULL, NULL, NULL, "1", "3", NOT_FOUND, M2M_OP_RETRIEVE, "", 0, 255,
         M2M_JSON, M2M_JSON},
        {"GET", "/-/%00", NULL, NULL, NULL, "1", "3", BAD, M2M_OP_RETRIEVE, "", 0, 255,
         M2M_JSON, M2M_JSON},
        {"GET", "/-/a%2Fb", NULL, NULL, NULL, "1", "3", BAD, M2M_OP_RETRIEVE, "", 0, 255,
         M2M_JSON, M2M_JSON},
        {"GET", "/-/a%4", NULL, NULL, NULL, "1", "3", BAD, M2M_OP_RETRIEVE, "", 0, 255,
         M2M_JSON, M2M_JSON},
        {"GET", "/-/a%zz", NULL, NULL, NULL, "1", "3", BAD, M2M_OP_RETRIEVE, "", 0, 255,
         M2M_JSON, M2M_JSON},
        {"GET", "/-/", NULL, NULL, NULL, NULL, "3", BAD, M2M_OP_RETRIEVE, "-/", 0, 255,
         M2M_JSON, M2M_JSON},
        {"GET", "/-/", NULL, NULL, NULL, "a b", "3", BAD, M2M_OP_RETRIEVE, "-/", 0, 255,
         M2M_JSON, M2M_JSON},
        {"GET", "/-/", NULL, NULL, NULL, "1", "1", M2M_RSC_RELEASE_VERSION_NOT_SUPPORTED,
         M2M_OP_RETRIEVE, "-/", 0, 255, M2M_JSON, M2M_JSON},
        {"GET", "/-/", NULL, NULL, NULL, "1", "99999999999",
         M2M_RSC_RELEASE_VERSION_NOT_SUPPORTED, M2M_OP_RETRIEVE, "-/", 0, 255, M2M_JSON,
         M2M_JSON},
        {"POST", "/-/", NULL, "text/plain;ty=4", NULL, "1", "3", MEDIA, M2M_OP_CREATE, "-/", 0,
         255, M2M_JSON, M2M_JSON},
        {"POST", "/-/", NULL, "application/vnd.onem2m-res+cbor;ty=4", NULL, "1", "3", MEDIA,
         M2M_OP_CREATE, "-/", 0, 255, M2M_JSON, M2M_JSON},
        {"POST", "/-/", NULL, NULL, NULL, "1", "3", MEDIA, M2M_OP_CREATE, "-/", 0, 255,
         M2M_JSON, M2M_JSON},
        {"POST", "/-/", NULL, "application/json;charset=latin1;ty=4", NULL, "1", "3", MEDIA,
         M2M_OP_CREATE, "-/", 0, 255, M2M_JSON, M2M_JSON},
        {"POST", "/-/", NULL, "application/json;ty=x", NULL, "1", "3", BAD, M2M_OP_CREATE, "-/",
         0, 255, M2M_JSON, M2M_JSON},
        {"POST", "/-/", NULL, "application/json;ty=4;ty=5", NULL, "1", "3", BAD, M2M_OP_CREATE,
         "-/", 4, 255, M2M_JSON, M2M_JSON},
        {"POST", "/-/", NULL, "application/json;ty=65536", NULL, "1", "3", BAD, M2M_OP_CREATE,
         "-/", 0, 255, M2M_JSON, M2M_JSON},
        {"GET", "/-/", NULL, NULL, "text/html", "1", "3", ACCEPTABLE, M2M_OP_RETRIEVE, "-/", 0,
         255, M2M_JSON, M2M_JSON},
        {"GET", "/-/", NULL, NULL, "application/json;q=0", "1", "3", ACCEPTABLE,
         M2M_OP_RETRIEVE, "-/", 0, 255, M2M_JSON, M2M_JSON},
        {"GET", "/-/", "rcn=10", NULL, NULL, "1", "3", BAD, M2M_OP_RETRIEVE, "-/", 0, 255,
         M2M_JSON, M2M_JSON},
        {"GET", "/-/", "rcn=1&rcn=2", NULL, NULL, "1", "3", BAD, M2M_OP_RETRIEVE, "-/", 0, 1,
         M2M_JSON, M2M_JSON},
        {"GET", "/-/", "rt=1", NULL, NULL, "1", "3", M2M_RSC_NON_BLOCKING_REQUEST_NOT_SUPPORTED,
         M2M_OP_RETRIEVE, "-/", 0, 255, M2M_JSON, M2M_JSON},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct m2m_request rq;
        enum m2m_rsc rsc = read_row(&rows[i], &rq);

        CU_ASSERT_EQUAL(rsc, rows[i].rsc);
        CU_ASSERT_EQUAL(rq.op, rows[i].op);
        CU_ASSERT_STRING_EQUAL(rq.to, rows[i].to);
        CU_ASSERT_EQUAL(rq.ty, rows[i].ty);
        CU_ASSERT_EQUAL(rq.rcn, rows[i].rcn);
        CU_ASSERT_EQUAL(rq.format, rows[i].format);
        CU_ASSERT_EQUAL(rq.answer_in, rows[i].answer_in);
        CU_ASSERT_STRING_EQUAL(rq.fr, "//sp.example/Sae");
        CU_ASSERT((rq.why == NULL) == (rsc == OK));
        if (rsc != rows[i].rsc)
            printf("row %zu: %d\n", i, (int)rsc);
    }
}

static void test_no_body(void)
{
    struct m2m_http_request in = {.method = GBA_TEXT("PUT"),
                                  .path = GBA_TEXT("/-/x"),
                                  .content_type = GBA_TEXT("application/json"),
                                  .ri = GBA_TEXT("1")};
    struct m2m_request rq;

    CU_ASSERT_EQUAL(m2m_http_request_read(&in, &rq), BAD);
    CU_ASSERT_STRING_EQUAL(rq.why, "no content");
}

/* Even what is refused is answered with its own identifier, and in a form that is understood.
 */
static void test_refused_is_answerable(void)
{
    struct row r = {
        "PATCH", "/nowhere", "rcn=x", "text/plain", "application/xml", "id-7", "3", 0, 0, "", 0,
        0,       0,          0};
    struct m2m_request rq;
    struct m2m_response rs;

    CU_ASSERT_EQUAL(read_row(&r, &rq), M2M_RSC_OPERATION_NOT_ALLOWED);
    CU_ASSERT(strncmp(rq.why, "no method", 9) == 0); /* the first of four */
    m2m_answer(&rq, M2M_RSC_OPERATION_NOT_ALLOWED, &rs);
    CU_ASSERT_STRING_EQUAL(rs.rqi, "id-7");
    CU_ASSERT_STRING_EQUAL(rs.rvi, "3");
    CU_ASSERT_EQUAL(rs.format, M2M_XML);
}

static void test_accept(void)
{
    static const struct {
        const char *accept;
        bool ok;
        enum m2m_format format;
        bool vendor;
    } rows[] = {
        {"application/json", true, M2M_JSON, false},
        {"application/xml, application/json", true, M2M_JSON, false},
        {"application/json;q=0.5, application/xml", true, M2M_XML, false},
        {"application/json;q=0.5, application/xml;q=0.501", true, M2M_XML, false},
        {"application/vnd.onem2m-res+json", true, M2M_JSON, true},
        {"text/html, application/vnd.onem2m-res+xml;q=0.1", true, M2M_XML, true},
        {"application/*", true, M2M_JSON, false},
        {"*/*;q=0.1, application/xml", true, M2M_XML, false},
        {"application/json;q=0, */*", true, M2M_JSON, true},
        {"application/json;q=0, application/vnd.onem2m-res+json;q=0.0, */*", true, M2M_XML,
         false},
        {"application/json;q=0.40, application/xml;q=0.309", true, M2M_JSON, false},
        {"application/json;q=0.001, application/xml;q=0.002", true, M2M_XML, false},
        {"application/json; x=y; Q=0.1, application/xml;q=1", true, M2M_XML, false},
        {"text/*", false, M2M_JSON, false},
        {",;,", false, M2M_JSON, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct row r = {"GET", "/-/", NULL, NULL, rows[i].accept, "1", "3", 0, 0, "",
                        0,     0,     0,    0};
        struct m2m_request rq;

        CU_ASSERT_EQUAL(read_row(&r, &rq), rows[i].ok ? OK : ACCEPTABLE);
        CU_ASSERT_EQUAL(rq.answer_in, rows[i].format);
        CU_ASSERT_EQUAL(rq.vendor_type, rows[i].vendor);
        if (rq.answer_in != rows[i].format)
            printf("row %zu\n", i);
    }
}

static const char *field(const struct m2m_http_field *f, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(f[i].name, name) == 0)
            return f[i].value;
    return NULL;
}

static void test_reply(void)
{
    struct m2m_response rs = {.rsc = M2M_RSC_CREATED,
                              .rqi = "id-1",
                              .rvi = "3",
                              .location = "//mef.example/-/AZaz09-._~k@1{",
                              .format = M2M_XML,
                              .pc = gba_text_bytes(GBA_TEXT("<x/>"))};
    static struct m2m_http_reply out;

    m2m_http_response_print(&rs, &out);
    CU_ASSERT_EQUAL(out.status, 201);
    CU_ASSERT_STRING_EQUAL(out.content_type, "application/xml");
    CU_ASSERT_EQUAL(out.n_fields, 4);
    CU_ASSERT_STRING_EQUAL(field(out.field, out.n_fields, "X-M2M-RSC"), "2001");
    CU_ASSERT_STRING_EQUAL(field(out.field, out.n_fields, "X-M2M-RI"), "id-1");
    CU_ASSERT_STRING_EQUAL(field(out.field, out.n_fields, "X-M2M-RVI"), "3");
    CU_ASSERT_STRING_EQUAL(field(out.field, out.n_fields, "Content-Location"),
                           "/_/mef.example/-/AZaz09-._~k%401%7B");
    rs = (struct m2m_response){.rsc = M2M_RSC_NOT_FOUND, .vendor_type = true};
    m2m_http_response_print(&rs, &out);
    CU_ASSERT_EQUAL(out.status, 404);
    CU_ASSERT_PTR_NULL(out.content_type);
    CU_ASSERT_EQUAL(out.n_fields, 1);
    rs.pc = gba_text_bytes(GBA_TEXT("{}"));
    m2m_http_response_print(&rs, &out);
    CU_ASSERT_STRING_EQUAL(out.content_type, "application/vnd.onem2m-res+json");
}

static void test_status_table(void)
{
    static const unsigned rows[][2] = {
        {2000, 200}, {2002, 200}, {2004, 200}, {2001, 201}, {1000, 202}, {4000, 400},
        {4102, 400}, {4103, 403}, {4106, 403}, {4107, 403}, {4108, 403}, {4117, 403},
        {4126, 403}, {4127, 403}, {5105, 403}, {4004, 404}, {5103, 404}, {5107, 404},
        {4005, 405}, {5207, 406}, {4105, 409}, {5106, 409}, {4015, 415}, {5000, 500},
        {4001, 501}, {5001, 501}, {4008, 504}, {9999, 500}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT_EQUAL(m2m_rsc_http(rows[i][0]), rows[i][1]);
    CU_ASSERT_STRING_EQUAL(m2m_rsc_name(4102), "CONTENTS_UNACCEPTABLE");
    CU_ASSERT_STRING_EQUAL(m2m_rsc_name(1), "UNKNOWN");
    CU_ASSERT(m2m_rsc_is_success(2004) && !m2m_rsc_is_success(1000) &&
              !m2m_rsc_is_success(4000));
}

static void test_client_request(void)
{
    struct m2m_request rq = {.op = M2M_OP_CREATE,
                             .to = "//mef.example/-/a b",
                             .fr = "//sp.example/S1",
                             .rqi = "r1",
                             .rvi = "3",
                             .ty = 5,
                             .rcn = 1,
                             .format = M2M_JSON,
                             .answer_in = M2M_XML,
                             .pc = gba_text_bytes(GBA_TEXT("{}"))};
    static struct m2m_http_call out;

    CU_ASSERT_EQUAL(m2m_http_request_print(&rq, &out), GBA_OK);
    CU_ASSERT_STRING_EQUAL(out.method, "POST");
    CU_ASSERT_STRING_EQUAL(out.target, "/_/mef.example/-/a%20b?rcn=1");
    CU_ASSERT_STRING_EQUAL(out.content_type, "application/json; ty=5");
    CU_ASSERT_STRING_EQUAL(out.accept, "application/xml");
    CU_ASSERT_EQUAL(out.n_fields, 3);
    CU_ASSERT_STRING_EQUAL(field(out.field, out.n_fields, "X-M2M-Origin"), "//sp.example/S1");
    rq = (struct m2m_request){
        .op = M2M_OP_RETRIEVE, .to = "-/k", .rqi = "r", .rcn = M2M_RCN_DEFAULT};
    CU_ASSERT_EQUAL(m2m_http_request_print(&rq, &out), GBA_OK);
    CU_ASSERT_STRING_EQUAL(out.method, "GET");
    CU_ASSERT_STRING_EQUAL(out.target, "/-/k");
    CU_ASSERT_STRING_EQUAL(out.content_type, "");
    CU_ASSERT_EQUAL(out.n_fields, 1);
    strcpy(rq.fr, "a\r\nEvil: 1");
    CU_ASSERT_EQUAL(m2m_http_request_print(&rq, &out), GBA_E_ARGUMENT);
    strcpy(rq.fr, "a");
    rq.rqi[0] = '\0';
    CU_ASSERT_EQUAL(m2m_http_request_print(&rq, &out), GBA_E_ARGUMENT);
    strcpy(rq.rqi, "r");
    rq.op = 9;
    CU_ASSERT_EQUAL(m2m_http_request_print(&rq, &out), GBA_E_ARGUMENT);
}

static void test_client_answer(void)
{
    static const struct {
        unsigned status;
        const char *rsc, *ri, *type, *body;
        enum gba_err err;
        unsigned code;
        size_t pc;
    } rows[] = {
        {201, "2001", "r1", "application/json;charset=utf-8", "{}", GBA_OK, 2001, 2},
        {200, "2000", "r1", "application/vnd.onem2m-res+xml", "<x/>", GBA_OK, 2000, 4},
        {403, "4103", "r1", NULL, NULL, GBA_OK, 4103, 0},
        {202, "1000", "r1", NULL, NULL, GBA_OK, 1000, 0},
        {403, NULL, NULL, "text/html", "<html>", GBA_OK, 4103, 0},
        {502, NULL, NULL, "text/html", "<html>", GBA_OK, 5000, 0},
        {200, "2000", "r1", "text/html", "<html>", GBA_E_PROTOCOL, 2000, 0},
        {200, "2000", "r2", "application/json", "{}", GBA_E_PROTOCOL, 2000, 0},
        {200, "2000", NULL, "application/json", "{}", GBA_E_PROTOCOL, 2000, 0},
        {200, "4103", "r1", NULL, NULL, GBA_E_PROTOCOL, 4103, 0},
        {403, "2000", "r1", NULL, NULL, GBA_E_PROTOCOL, 2000, 0},
        {200, "abc", "r1", NULL, NULL, GBA_E_PROTOCOL, 2000, 0},
    };
    struct m2m_request rq = {.rqi = "r1"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct m2m_http_answer in = {.status = rows[i].status,
                                     .rsc = gba_text(rows[i].rsc),
                                     .ri = gba_text(rows[i].ri),
                                     .content_type = gba_text(rows[i].type),
                                     .location = GBA_TEXT("/_/mef.example/-/r%40"),
                                     .body = gba_text_bytes(gba_text(rows[i].body))};
        struct m2m_response out;

        CU_ASSERT_EQUAL(m2m_http_response_read(&in, &rq, &out), rows[i].err);
        CU_ASSERT_EQUAL(out.rsc, rows[i].code);
        CU_ASSERT_EQUAL(out.pc.n, rows[i].pc);
        if (rows[i].err == GBA_OK)
            CU_ASSERT_STRING_EQUAL(out.location, "//mef.example/-/r@");
    }
}

static void test_target(void)
{
    static const struct {
        const char *to;
        enum gba_err err;
        const char *fqdn;
        size_t n;
        const char *last;
    } rows[] = {
        {"-/", GBA_OK, "", 0, NULL},
        {"-", GBA_OK, "", 0, NULL},
        {"/-/", GBA_OK, "", 0, NULL},
        {"//mef.example/-/", GBA_OK, "mef.example", 0, NULL},
        {"//mef.example/-/a/cmd", GBA_OK, "mef.example", 2, "cmd"},
        {"-/a/b/c", GBA_OK, "", 3, "c"},
        {"-/a/b/c/d", GBA_E_NOT_FOUND, "", 0, NULL},
        {"-/a//b", GBA_E_NOT_FOUND, "", 0, NULL},
        {"//mef.example/x", GBA_E_NOT_FOUND, "", 0, NULL},
        {"//mef.example", GBA_E_NOT_FOUND, "", 0, NULL},
        {"///-/", GBA_E_NOT_FOUND, "", 0, NULL}, /* an empty FQDN is nobody's */
        {"///-/a", GBA_E_NOT_FOUND, "", 0, NULL},
        {"", GBA_E_NOT_FOUND, "", 0, NULL},
        {"-a", GBA_E_NOT_FOUND, "", 0, NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct m2m_target t;

        CU_ASSERT_EQUAL(m2m_target_parse(gba_text(rows[i].to), &t), rows[i].err);
        if (rows[i].err != GBA_OK)
            continue;
        CU_ASSERT(gba_text_is(t.fqdn, rows[i].fqdn));
        CU_ASSERT_EQUAL(t.n, rows[i].n);
        if (t.n != 0)
            CU_ASSERT(gba_text_is(t.segment[t.n - 1], rows[i].last));
    }
}

static void test_both_ends(void)
{
    struct m2m_request rq = {.op = M2M_OP_UPDATE,
                             .to = "//mef.example/-/a@b/cmd",
                             .fr = "/cse/Cx",
                             .rqi = "77",
                             .rvi = "3",
                             .rcn = 0,
                             .format = M2M_XML,
                             .answer_in = M2M_JSON,
                             .pc = gba_text_bytes(GBA_TEXT("<x/>"))},
                       back;
    static struct m2m_http_call call;
    struct m2m_http_request in = {.rvi = GBA_TEXT("3"), .ri = GBA_TEXT("77")};

    CU_ASSERT_EQUAL(m2m_http_request_print(&rq, &call), GBA_OK);
    in.method = gba_text(call.method);
    gba_text_split(gba_text(call.target), '?', &in.path, &in.query);
    in.content_type = gba_text(call.content_type);
    in.accept = gba_text(call.accept);
    in.origin = gba_text(field(call.field, call.n_fields, "X-M2M-Origin"));
    in.body = rq.pc;
    CU_ASSERT_EQUAL(m2m_http_request_read(&in, &back), OK);
    CU_ASSERT(back.op == rq.op && back.rcn == 0 && back.format == M2M_XML &&
              back.answer_in == M2M_JSON);
    CU_ASSERT_STRING_EQUAL(back.to, rq.to);
    CU_ASSERT_STRING_EQUAL(back.fr, rq.fr);
}

static void test_prefers_xml(void)
{
    static const struct {
        const char *accept;
        bool xml;
    } rows[] = {
        {"", false},
        {"*/*", false},
        {"application/json", false},
        {"application/xml", true},
        {"Text/XML; charset=utf-8", true},
        {"application/json, application/xml", false},
        {"application/json;q=0.2, application/xml", true},
        {"application/xml;q=0.1, application/json", false},
        {"application/xml;q=0.9,*/*;q=0.8", true},
        {"application/xml;q=0", false},
        {",;,xm", false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT_EQUAL(m2m_http_prefers_xml(gba_text(rows[i].accept)), rows[i].xml);
}

static const struct unit_test tests[] = {
    {"requests, row by row", test_requests},
    {"no body", test_no_body},
    {"refused is answerable", test_refused_is_answerable},
    {"Accept", test_accept},
    {"Accept: XML or not", test_prefers_xml},
    {"replies", test_reply},
    {"status table", test_status_table},
    {"client: request", test_client_request},
    {"client: answer", test_client_answer},
    {"targets", test_target},
    {"both ends", test_both_ends},
};
UNIT_MAIN("m2m_http", tests)
