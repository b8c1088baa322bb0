/*
 * common/zn_soap.c, common/zn_soap_client.c: both directions of the Zn web service, with the
 * forms met in the field.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/zn_soap.h"

#define NS    "http://www.3gpp.org/GBAService"
#define BTID  "I1U8vpY3qJ0hiuZNrke/NQ==@bsf.example"
#define NAFID "cDEzMy5waXVoYS5uZXQAAAAAAA==" /* p133.piuha.net, 00 00 00 00 00 */
#define OPEN  "<requestBootstrappingInfoRequest xmlns='" NS "'>"
#define CLOSE "</requestBootstrappingInfoRequest>"
#define TWO   "<btid>" BTID "</btid><nafid>" NAFID "</nafid>"
#define ENV   "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'>"
#define KEY   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY2  "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA="
#define TIME  "<keyExpiryTime>2026-01-02T03:04:05Z</keyExpiryTime>"

static struct gba_bytes octets(const char *s)
{
    return gba_text_bytes(gba_text(s));
}

static void test_request(void)
{
    static const struct {
        const char *xml;
        enum gba_err err;
        bool envelope, aware;
        const char *ns;
        size_t n_gsids;
    } rows[] = {
        /* the bare body of a client in the field */
        {"<?xml version='1.0'?>" OPEN TWO "<gsid>0</gsid><gbaUAware>True</gbaUAware>" CLOSE,
         GBA_OK, false, true, NS, 1},
        {ENV "<s:Header/><s:Body>" OPEN TWO "<gsid>1</gsid><gsid>1000001</gsid>"
             "<gbaUAware>false</gbaUAware>" CLOSE "</s:Body></s:Envelope>",
         GBA_OK, true, false, NS, 2},
        {"<requestBootstrappingInfoRequest>" TWO CLOSE, GBA_OK, false, false, "", 0},
        {"<g:requestBootstrappingInfoRequest "
         "xmlns:g='urn:3gpp:gba:GBAService:2010'><g:gbaUAware>"
         "1</g:gbaUAware><g:nafid>\n cDEzMy5waXVo\n "
         "YS5uZXQAAAAAAA==\n</g:nafid><x/><g:btid> " BTID
         " </g:btid></g:requestBootstrappingInfoRequest>",
         GBA_OK, false, true, "urn:3gpp:gba:GBAService:2010", 0},
        {OPEN
         "<btid>I1U8vpY3qJ0hiuZNrke/NQ==<!-- c -->@bsf.example</btid><nafid><![CDATA[" NAFID
         "]]></nafid><gbaUAware>true</gbaUAware>" CLOSE,
         GBA_OK, false, true, NS, 0},
        {ENV "<s:Header><t s:mustUnderstand='0'/><t s:mustUnderstand='false'/><t/></s:Header>"
             "<s:Body>" OPEN TWO CLOSE "</s:Body></s:Envelope>",
         GBA_OK, true, false, NS, 0},
        {OPEN TWO "<gbaUAware>FALSE</gbaUAware>" CLOSE, GBA_OK, false, false, NS, 0},
        {OPEN TWO "<gbaUAware>0</gbaUAware>" CLOSE, GBA_OK, false, false, NS, 0},
        {OPEN TWO "<gsid> 4294967295 </gsid><gsid>007</gsid>" CLOSE, GBA_OK, false, false, NS,
         2},
        /* refused */
        {OPEN "<nafid>" NAFID "</nafid>" CLOSE, GBA_E_SYNTAX, false, false, NS, 0},
        {OPEN "<btid>" BTID "</btid>" CLOSE, GBA_E_SYNTAX, false, false, NS, 0},
        {OPEN TWO "<btid>x</btid>" CLOSE, GBA_E_SYNTAX, false, false, NS, 0},
        {OPEN TWO "<nafid>" NAFID "</nafid>" CLOSE, GBA_E_SYNTAX, false, false, NS, 0},
        {OPEN "<btid>" BTID "</btid><nafid>AA<b/>AA</nafid>" CLOSE, GBA_E_SYNTAX, false, false,
         NS, 0},
        {OPEN TWO "<gbaUAware>yes</gbaUAware>" CLOSE, GBA_E_SYNTAX, false, false, NS, 0},
        {OPEN TWO "<gbaUAware>1</gbaUAware><gbaUAware>1</gbaUAware>" CLOSE, GBA_E_SYNTAX, false,
         false, NS, 0},
        {OPEN TWO "<gsid>4294967296</gsid>" CLOSE, GBA_E_SYNTAX, false, false, NS, 0},
        {OPEN TWO "<gbaUAware/>" CLOSE, GBA_E_SYNTAX, false, false, NS, 0},
        {ENV "<s:Header/><s:Header/><s:Body>" OPEN TWO CLOSE "</s:Body></s:Envelope>",
         GBA_E_SYNTAX, true, false, NS, 0},
        {OPEN TWO "<gsid>-1</gsid>" CLOSE, GBA_E_SYNTAX, false, false, NS, 0},
        {OPEN TWO "<gsid/>" CLOSE, GBA_E_SYNTAX, false, false, NS, 0},
        {OPEN "<btid>a<b/></btid><nafid>" NAFID "</nafid>" CLOSE, GBA_E_SYNTAX, false, false,
         NS, 0},
        {"<requestGbaPushInfoRequest/>", GBA_E_SYNTAX, false, false, NS, 0},
        {ENV "</s:Envelope>", GBA_E_SYNTAX, true, false, NS, 0},
        {ENV "<s:Body/></s:Envelope>", GBA_E_SYNTAX, true, false, NS, 0},
        {ENV "<s:Body>" OPEN TWO CLOSE "</s:Body><s:Body/></s:Envelope>", GBA_E_SYNTAX, true,
         false, NS, 0},
        {ENV "<s:Body>" OPEN TWO CLOSE OPEN TWO CLOSE "</s:Body></s:Envelope>", GBA_E_SYNTAX,
         true, false, NS, 0},
        {ENV
         "<s:Header><t xmlns='urn:t' s:mustUnderstand='1'/></s:Header><s:Body>" OPEN TWO CLOSE
         "</s:Body></s:Envelope>",
         GBA_E_SOAP_HEADER, true, false, NS, 0},
        {"<!DOCTYPE a [<!ENTITY x '" BTID "'>]>" OPEN "<btid>&x;</btid><nafid>" NAFID
         "</nafid>" CLOSE,
         GBA_E_SYNTAX, false, false, NS, 0},
        {"", GBA_E_SYNTAX, false, false, NS, 0},
        {"{\"btid\":1}", GBA_E_SYNTAX, false, false, NS, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_zn_request rq;
        enum gba_err err = gba_zn_request_parse(octets(rows[i].xml), &rq);

        CU_ASSERT_EQUAL(err, rows[i].err);
        if (err != rows[i].err)
            printf("row %zu: %s\n", i, gba_err_name(err));
        CU_ASSERT_EQUAL(rq.envelope, rows[i].envelope);
        CU_ASSERT_STRING_EQUAL(rq.ns, rows[i].ns);
        if (err != GBA_OK)
            continue;
        CU_ASSERT_EQUAL(rq.gba_u_aware, rows[i].aware);
        CU_ASSERT_STRING_EQUAL(rq.btid, BTID);
        UNIT_BYTES_EQ(rq.naf_id, rq.naf_id_len, "703133332e70697568612e6e65740000000000");
        CU_ASSERT_EQUAL(rq.n_gsids, rows[i].n_gsids);
    }
}

static enum gba_err with_gsids(size_t n, struct gba_zn_request *rq)
{
    char xml[4096];
    int at = sprintf(xml, OPEN TWO);

    for (size_t i = 0; i < n; i++)
        at += sprintf(xml + at, "<gsid>%zu</gsid>", i);
    sprintf(xml + at, CLOSE);
    return gba_zn_request_parse(octets(xml), rq);
}

static void test_limits(void)
{
    struct gba_zn_request rq;
    char *big = malloc(GBA_ZN_REQUEST_MAX + 2), naf[600], xml[1200];

    CU_ASSERT_EQUAL(with_gsids(GBA_ZN_MAX_GSIDS, &rq), GBA_OK);
    CU_ASSERT_EQUAL(rq.n_gsids, GBA_ZN_MAX_GSIDS);
    CU_ASSERT_STRING_EQUAL(rq.gsid[31], "31");
    CU_ASSERT_EQUAL(with_gsids(GBA_ZN_MAX_GSIDS + 1, &rq), GBA_E_TOO_LONG);
    memset(big, ' ', GBA_ZN_REQUEST_MAX + 1);
    memcpy(big, OPEN TWO CLOSE, sizeof(OPEN TWO CLOSE) - 1);
    CU_ASSERT_EQUAL(
        gba_zn_request_parse((struct gba_bytes){(uint8_t *)big, GBA_ZN_REQUEST_MAX}, &rq),
        GBA_OK);
    CU_ASSERT_EQUAL(
        gba_zn_request_parse((struct gba_bytes){(uint8_t *)big, GBA_ZN_REQUEST_MAX + 1}, &rq),
        GBA_E_TOO_LONG);
    free(big);
    memset(naf, 'A', 348);
    naf[348] = '\0';
    snprintf(xml, sizeof(xml), OPEN "<btid>b</btid><nafid>%s</nafid>" CLOSE, naf);
    CU_ASSERT_EQUAL(gba_zn_request_parse(octets(xml), &rq), GBA_OK);
    CU_ASSERT_EQUAL(rq.naf_id_len, 261);
    strcat(naf, "AAAA");
    snprintf(xml, sizeof(xml), OPEN "<btid>b</btid><nafid>%s</nafid>" CLOSE, naf);
    CU_ASSERT_EQUAL(gba_zn_request_parse(octets(xml), &rq), GBA_OK);
    CU_ASSERT_EQUAL(rq.naf_id_len, 0);
}

static char *repeated(size_t n)
{
    static char text[4096];

    memset(text, 'A', n);
    text[n] = '\0';
    return text;
}

/* What cannot be a B-TID or NAF_Id is left empty, for the BSF to answer 5403 or 5402. */
static void test_texts_that_cannot_be(void)
{
    const char *const btids[] = {"", " \n "}, *const nafids[] = {"", " ", "***", "A"};
    struct gba_zn_request rq;
    char xml[8192];

    for (size_t i = 0; i < 3; i++) {
        snprintf(xml, sizeof(xml), OPEN "<btid>%s</btid><nafid>" NAFID "</nafid>" CLOSE,
                 i < 2 ? btids[i] : repeated(600));
        CU_ASSERT_EQUAL(gba_zn_request_parse(octets(xml), &rq), GBA_OK);
        CU_ASSERT_STRING_EQUAL(rq.btid, "");
        CU_ASSERT_EQUAL(rq.naf_id_len, 19);
    }
    for (size_t i = 0; i < 6; i++) {
        snprintf(xml, sizeof(xml), OPEN "<btid>" BTID "</btid><nafid>%s</nafid>" CLOSE,
                 i < 4 ? nafids[i] : repeated(i == 4 ? 400 : 2668));
        CU_ASSERT_EQUAL(gba_zn_request_parse(octets(xml), &rq), GBA_OK);
        CU_ASSERT_EQUAL(rq.naf_id_len, 0);
        CU_ASSERT_STRING_EQUAL(rq.btid, BTID);
    }
}

static struct gba_zn_answer sample(void)
{
    struct gba_zn_answer a = {.impi = "u<ser@example.org",
                              .expiry_s = 1767323045,
                              .created_s = 1767319445,
                              .type = GBA_TYPE_3G};

    for (size_t i = 0; i < 32; i++) {
        a.me_key.octets[i] = (uint8_t)i;
        a.uicc_key.octets[i] = (uint8_t)(255 - i);
    }
    return a;
}

static void test_answer_text(void)
{
    struct gba_zn_request rq = {.envelope = true, .ns = "urn:of:the:request"};
    struct gba_zn_answer a = sample();
    char room[2048];
    struct gba_wbuf w;

    a.uss_list =
        octets("<?xml version=\"1.0\"?>\n<ussList xmlns='urn:u'><uss id='1'/></ussList>");
    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(gba_zn_answer_print(&rq, &a, &w), GBA_OK);
    CU_ASSERT_STRING_EQUAL(
        gba_wbuf_cstr(&w),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<e:Envelope "
        "xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>"
        "<requestBootstrappingInfoResponse xmlns=\"urn:of:the:request\">"
        "<impi>u&lt;ser@example.org</impi><meKeyMaterial>" KEY "</meKeyMaterial>" TIME
        "<bootstrappingInfoCreationTime>2026-01-02T02:04:05Z</bootstrappingInfoCreationTime>"
        "<ussList xmlns=\"urn:u\"><uss id=\"1\"/></ussList>"
        "</requestBootstrappingInfoResponse></e:Body></e:Envelope>");
    rq = (struct gba_zn_request){.envelope = false};
    a.impi[0] = '\0';
    a.created_s = 0;
    a.uss_list.n = 0;
    a.has_uicc_key = true;
    a.type = GBA_TYPE_2G;
    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(gba_zn_answer_print(&rq, &a, &w), GBA_OK);
    CU_ASSERT_STRING_EQUAL(gba_wbuf_cstr(&w),
                           "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                           "<requestBootstrappingInfoResponse><meKeyMaterial>" KEY
                           "</meKeyMaterial><uiccKeyMaterial>" KEY2 "</uiccKeyMaterial>" TIME
                           "<gbaType>1</gbaType></requestBootstrappingInfoResponse>");
    gba_wbuf_init(&w, room, 200);
    CU_ASSERT_EQUAL(gba_zn_answer_print(&rq, &a, &w), GBA_E_TOO_LONG);
    a.uss_list = octets("</requestBootstrappingInfoResponse>");
    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(gba_zn_answer_print(&rq, &a, &w), GBA_E_SYNTAX);
}

static void test_answer_round_trip(void)
{
    static const char *const namespaces[] = {NS, "", "urn:3gpp:gba:GBAService:2010-02", "a&b"};
    struct gba_zn_answer a = sample(), back;
    struct gba_zn_fault fault;
    char room[4096];
    struct gba_wbuf w;

    a.has_uicc_key = true;
    a.type = GBA_TYPE_DIGEST;
    a.uss_list = octets("<ussList xmlns='urn:u'><uss id='1' type='1'><uids><uid>u</uid></uids>"
                        "</uss></ussList>");
    for (size_t i = 0; i < 8; i++) {
        struct gba_zn_request rq = {.envelope = i % 2 == 0};

        strcpy(rq.ns, namespaces[i / 2]);
        gba_wbuf_init(&w, room, sizeof(room));
        CU_ASSERT_EQUAL(gba_zn_answer_print(&rq, &a, &w), GBA_OK);
        CU_ASSERT_EQUAL_FATAL(gba_zn_answer_parse(gba_wbuf_bytes(&w), &back, &fault), GBA_OK);
        CU_ASSERT_STRING_EQUAL(back.impi, a.impi);
        CU_ASSERT(gba_equal_ct(&back.me_key, &a.me_key, sizeof(a.me_key)));
        CU_ASSERT(back.has_uicc_key && gba_equal_ct(&back.uicc_key, &a.uicc_key, 32));
        CU_ASSERT_EQUAL(back.expiry_s, a.expiry_s);
        CU_ASSERT_EQUAL(back.created_s, a.created_s);
        CU_ASSERT_EQUAL(back.type, GBA_TYPE_DIGEST);
        /* With an envelope its prefix is in scope, and so declared here too. */
        CU_ASSERT(gba_text_starts(gba_bytes_text(back.uss_list), "<ussList xmlns=\"urn:u\""));
        CU_ASSERT(gba_text_ends(gba_bytes_text(back.uss_list),
                                "><uss id=\"1\" type=\"1\"><uids><uid>u</uid></uids></uss>"
                                "</ussList>"));
        gba_zn_answer_release(&back);
        CU_ASSERT_PTR_NULL(back.uss_list.p);
        CU_ASSERT_EQUAL(back.me_key.octets[1], 0);
    }
}

static void test_answers_refused(void)
{
    static const char *const rows[] = {
        "<requestBootstrappingInfoResponse>" TIME "</requestBootstrappingInfoResponse>",
        "<r><meKeyMaterial>" KEY "</meKeyMaterial></r>",
        "<r><meKeyMaterial>AAAA</meKeyMaterial>" TIME "</r>",
        "<r><meKeyMaterial>" KEY "</meKeyMaterial><meKeyMaterial>" KEY "</meKeyMaterial>" TIME
        "</r>",
        "<r><meKeyMaterial>" KEY "</meKeyMaterial><uiccKeyMaterial>x</uiccKeyMaterial>" TIME
        "</r>",
        "<r><meKeyMaterial>" KEY "</meKeyMaterial><keyExpiryTime>soon</keyExpiryTime></r>",
        "<r><meKeyMaterial>" KEY "</meKeyMaterial>" TIME "<gbaType>9</gbaType></r>",
        "<html><body>502 Bad Gateway</body></html>",
        "oops",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_zn_answer a;
        struct gba_zn_fault fault;

        CU_ASSERT_EQUAL(gba_zn_answer_parse(octets(rows[i]), &a, &fault), GBA_E_SYNTAX);
        CU_ASSERT_EQUAL(a.me_key.octets[31], 0);
    }
}

static void test_answer_least(void)
{
    static const struct {
        const char *type;
        enum gba_type value;
    } rows[] = {{"", GBA_TYPE_3G},
                {"<gbaType>0</gbaType>", GBA_TYPE_3G},
                {"<gbaType>3G_GBA</gbaType>", GBA_TYPE_3G},
                {"<gbaType>2g_gba</gbaType>", GBA_TYPE_2G},
                {"<gbaType>2</gbaType>", GBA_TYPE_DIGEST},
                {"<gbaType>GBA_DIGEST</gbaType>", GBA_TYPE_DIGEST}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_zn_answer a;
        struct gba_zn_fault fault;
        char xml[512];

        snprintf(xml, sizeof(xml),
                 "<r><keyExpiryTime>2026-01-02T03:04:05Z</keyExpiryTime><meKeyMaterial>" KEY
                 "</meKeyMaterial>%s</r>",
                 rows[i].type);
        CU_ASSERT_EQUAL(gba_zn_answer_parse(octets(xml), &a, &fault), GBA_OK);
        CU_ASSERT(a.type == rows[i].value && a.created_s == 0 && !a.has_uicc_key);
        CU_ASSERT(a.impi[0] == '\0' && a.uss_list.n == 0);
        gba_zn_answer_release(&a);
    }
}

static void test_long_fault_text(void)
{
    struct gba_zn_answer a;
    struct gba_zn_fault fault;
    char xml[512];

    snprintf(xml, sizeof(xml), "<xFault><code>5402</code><text>%0300d</text></xFault>", 0);
    CU_ASSERT_EQUAL(gba_zn_answer_parse(octets(xml), &a, &fault), GBA_E_NOT_AUTHORIZED);
    CU_ASSERT_EQUAL(strlen(fault.text), sizeof(fault.text) - 1);
}

static void test_fault_text(void)
{
    struct gba_zn_request rq = {.envelope = false, .ns = "urn:of:the:request"};
    char room[1024];
    struct gba_wbuf w;

    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(gba_zn_fault_print(&rq, GBA_E_BTID, &w), GBA_OK);
    CU_ASSERT_STRING_EQUAL(
        gba_wbuf_cstr(&w),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<e:Envelope "
        "xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><e:Fault>"
        "<faultcode>e:Client</faultcode><faultstring>unknown or expired "
        "B-TID</faultstring><detail>"
        "<requestBootstrappingInfoFault xmlns=\"urn:of:the:request\"><code>5403</code>"
        "<text>unknown or expired "
        "B-TID</text></requestBootstrappingInfoFault></detail></e:Fault>"
        "</e:Body></e:Envelope>");
    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(gba_zn_fault_print(NULL, GBA_E_OVERLOAD, &w), GBA_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(gba_wbuf_cstr(&w), "<faultcode>e:Server</faultcode>"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(gba_wbuf_cstr(&w), "<requestBootstrappingInfoFault xmlns=\"" NS));
    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(gba_zn_fault_print(NULL, GBA_E_CRYPTO, &w), GBA_OK); /* HTTP 500 */
    CU_ASSERT_PTR_NOT_NULL(strstr(gba_wbuf_cstr(&w), "<faultcode>e:Server</faultcode>"));
    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(gba_zn_fault_print(NULL, GBA_E_METHOD, &w),
                    GBA_OK); /* no code of its own */
    CU_ASSERT_PTR_NOT_NULL(strstr(gba_wbuf_cstr(&w), "<code>5012</code>"));
    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(gba_zn_fault_print(NULL, GBA_E_SYNTAX, &w), GBA_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(gba_wbuf_cstr(&w), "<faultcode>e:Client</faultcode>"));
}

static void test_faults_read(void)
{
    static const struct {
        const char *xml;
        enum gba_err err;
        unsigned code;
        const char *text;
    } rows[] = {
        {ENV
         "<s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring><detail>"
         "<requestBootstrappingInfoFault xmlns='" NS "'><code>5402</code><text>NAF</text>"
         "</requestBootstrappingInfoFault></detail></s:Fault></s:Body></s:Envelope>",
         GBA_E_NOT_AUTHORIZED, 5402, "NAF"},
        /* carriers: other names, no Fault element of SOAP, HTTP 200 */
        {ENV
         "<s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring>B-TID unknown"
         "</faultstring><detail><n:fault xmlns:n='urn:3gpp:gba:GBAService:2010'><n:errorCode>"
         "5403</n:errorCode></n:fault></detail></s:Fault></s:Body></s:Envelope>",
         GBA_E_BTID, 5403, "B-TID unknown"},
        {"<n:requestBootstrappingInfoFault xmlns:n='urn:3gpp:gba:GBAService'><n:resultCode> "
         "5403 "
         "</n:resultCode></n:requestBootstrappingInfoFault>",
         GBA_E_BTID, 5403, ""},
        {ENV "<s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring>DIAMETER 5402: no"
             "</faultstring></s:Fault></s:Body></s:Envelope>",
         GBA_E_NOT_AUTHORIZED, 5402, "DIAMETER 5402: no"},
        {ENV "<s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring>15403 54030"
             "</faultstring></s:Fault></s:Body></s:Envelope>",
         GBA_E_ZN_FAILURE, 0, "15403 54030"},
        {ENV "<s:Body><s:Fault/></s:Body></s:Envelope>", GBA_E_ZN_FAILURE, 0, ""},
        /* a code in an element of that name wins, wherever it stands; numbers stand alone */
        {"<xFault><text>5402</text><errorcode>5403</errorcode></xFault>", GBA_E_BTID, 5403,
         "5402"},
        {"<xFault><code>05402</code><code>95402</code><code>54020</code></xFault>",
         GBA_E_ZN_FAILURE, 0, ""},
        {"<xFault><a>54 545403 (5403)</a><code>none</code></xFault>", GBA_E_BTID, 5403, ""},
        {"<xFault><code>5499</code></xFault>", GBA_E_ZN_FAILURE, 5499, ""},
        {"<xFault><ode>5403</ode><faultstring>f</faultstring></xFault>", GBA_E_BTID, 5403, "f"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_zn_answer a;
        struct gba_zn_fault fault;

        CU_ASSERT_EQUAL(gba_zn_answer_parse(octets(rows[i].xml), &a, &fault), rows[i].err);
        CU_ASSERT_EQUAL(fault.code, rows[i].code);
        CU_ASSERT_STRING_EQUAL(fault.text, rows[i].text);
    }
}

static void test_our_faults_read_back(void)
{
    static const enum gba_err errors[] = {GBA_E_NOT_AUTHORIZED, GBA_E_BTID};
    struct gba_zn_answer a;
    struct gba_zn_fault fault;
    char room[1024];
    struct gba_wbuf w;

    for (size_t i = 0; i < 2; i++) {
        gba_wbuf_init(&w, room, sizeof(room));
        CU_ASSERT_EQUAL(gba_zn_fault_print(NULL, errors[i], &w), GBA_OK);
        CU_ASSERT_EQUAL(gba_zn_answer_parse(gba_wbuf_bytes(&w), &a, &fault), errors[i]);
        CU_ASSERT_STRING_EQUAL(fault.text, gba_err_text(errors[i]));
    }
}

static void test_request_round_trip(void)
{
    struct gba_zn_request rq = {.envelope = true, .ns = NS, .btid = BTID, .gba_u_aware = true},
                          back;
    char room[2048];
    struct gba_wbuf w;

    memcpy(rq.naf_id, "naf.example\x01\x00\x00\x00\x02", 16);
    rq.naf_id_len = 16;
    rq.n_gsids = 2;
    strcpy(rq.gsid[0], "0");
    strcpy(rq.gsid[1], "1000001");
    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(gba_zn_request_print(&rq, &w), GBA_OK);
    CU_ASSERT_EQUAL(gba_zn_request_parse(gba_wbuf_bytes(&w), &back), GBA_OK);
    CU_ASSERT(back.envelope && back.gba_u_aware);
    CU_ASSERT_STRING_EQUAL(back.btid, BTID);
    UNIT_BYTES_EQ(back.naf_id, back.naf_id_len, "6e61662e6578616d706c650100000002");
    CU_ASSERT_EQUAL(back.n_gsids, 2);
    CU_ASSERT_STRING_EQUAL(back.gsid[1], "1000001");
}

static const struct unit_test tests[] = {
    {"requests", test_request},
    {"limits", test_limits},
    {"texts that cannot be", test_texts_that_cannot_be},
    {"answer, octet for octet", test_answer_text},
    {"answer, there and back", test_answer_round_trip},
    {"answers refused", test_answers_refused},
    {"the least of an answer", test_answer_least},
    {"a long fault text", test_long_fault_text},
    {"fault, octet for octet", test_fault_text},
    {"faults of others", test_faults_read},
    {"our faults", test_our_faults_read_back},
    {"request, there and back", test_request_round_trip},
};
UNIT_MAIN("zn_soap", tests)
