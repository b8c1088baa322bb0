/*
 * The device's decisions on EST: names, requests, replies.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/est_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

static struct ue_est_call *call; /* 50 KiB */

static void test_names(void)
{
    static const struct {
        const char *id, *fqdn;
        bool ok, is_uri;
        const char *text;
    } rows[] = {
        {"//sp.example/cse1/Cone", NULL, true, true, "//sp.example/cse1/Cone"},
        {"//sp.example/Sone", NULL, true, true, "//sp.example/Sone"},
        {"//sp.example/cse1", NULL, true, false, "cse1.sp.example"},
        {"//SP.example/Cse1", NULL, true, false, "cse1.sp.example"},
        {"//sp.example/cse1", "Mn.in.sp.example", true, false, "mn.in.sp.example"},
        {"//sp.example/Sone", "sone.sp.example", true, false, "sone.sp.example"},
        {"maf.example", NULL, true, false, "maf.example"},
        {"maf", NULL, false, false, ""},
        {"maf.example", "maf.example", false, false, ""},
        {"//sp.example/cse1/Cone", "x.example", false, false, ""},
        {"/cse1", NULL, false, false, ""},
        {"//sp.example/cse1/x", NULL, false, false, ""},
        {"//sp.example/cse1", "no name", false, false, ""},
        {"urn:gsma:imei:90420156-025763-0", NULL, true, true,
         "urn:gsma:imei:90420156-025763-0"},
        {"urn:gsma:imei:90420156-025763-0", "node.sp.example", false, false, ""},
        {"urn:a/b.c", NULL, true, true, "urn:a/b.c"},
        {"", NULL, false, false, ""},
    };
    struct ue_est_name name;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum gba_err err = ue_est_name(rows[i].id, rows[i].fqdn, &name);

        if ((err == GBA_OK) != rows[i].ok)
            printf("%s: %s ", rows[i].id, gba_err_name(err));
        CU_ASSERT(err == (rows[i].ok ? GBA_OK : GBA_E_ARGUMENT));
        if (err != GBA_OK)
            continue;
        CU_ASSERT(name.is_uri == rows[i].is_uri);
        CU_ASSERT_STRING_EQUAL(name.text, rows[i].text);
    }
}

static void test_requests(void)
{
    static const uint8_t csr[] = {0x30, 0x03, 0x02, 0x01, 0x05};
    static const uint8_t big[4 * UE_EST_CSR_MAX];

    CU_ASSERT(ue_est_begin(call, UE_EST_CACERTS, (struct gba_bytes){NULL, 0}) == GBA_OK);
    CU_ASSERT_STRING_EQUAL(call->target, "/.well-known/est/cacerts");
    CU_ASSERT_STRING_EQUAL(call->request.method, "GET");
    CU_ASSERT(call->request.body_len == 0 && call->request.n_fields == 1);
    CU_ASSERT(ue_est_begin(call, UE_EST_RENEW, GBA_BYTES(csr)) == GBA_OK);
    CU_ASSERT_STRING_EQUAL(call->target, "/.well-known/est/simplereenroll");
    CU_ASSERT_STRING_EQUAL(call->request.method, "POST");
    CU_ASSERT(call->request.body_len == 8 && memcmp(call->request.body, "MAMCAQU=", 8) == 0);
    CU_ASSERT(call->request.n_fields == 3);
    CU_ASSERT_STRING_EQUAL(call->request.fields[0].value, "application/pkcs10");
    CU_ASSERT_STRING_EQUAL(call->request.fields[1].value, "base64");
    CU_ASSERT(ue_est_begin(call, UE_EST_ENROL, GBA_BYTES(big)) == GBA_E_TOO_LONG);
}

static enum gba_err answer(enum ue_est_op op, unsigned status, const char *type,
                           const char *body, const char *retry)
{
    const struct gba_ue_field fields[] = {{"Content-Type", type}, {"Retry-After", retry}};
    const struct gba_ue_reply reply = {.status = status,
                                       .fields = type != NULL ? fields : fields + 1,
                                       .n_fields = (type != NULL) + (size_t)(retry != NULL),
                                       .body = (const uint8_t *)body,
                                       .body_len = strlen(body)};
    enum gba_err err;

    CU_ASSERT_FATAL(ue_est_begin(call, op, (struct gba_bytes){NULL, 0}) == GBA_OK);
    err = ue_est_answer(call, &reply);
    CU_ASSERT((err == GBA_OK) == (call->why[0] == '\0'));
    CU_ASSERT(err == GBA_OK || call->n == 0);
    return err;
}

#define P7 "application/pkcs7-mime"

static void test_answers(void)
{
    static const struct {
        enum ue_est_op op;
        unsigned status;
        const char *type, *body;
        enum gba_err err;
        size_t n;
    } rows[] = {
        {UE_EST_CACERTS, 200, P7, "AAECAwQF", GBA_OK, 6},
        {UE_EST_CACERTS, 200, "Application/PKCS7-mime ; smime-type=certs-only",
         "AAEC\r\nAw==\n", GBA_OK, 4},
        {UE_EST_ENROL, 200, P7 "; smime-type=certs-only", " A A E\tC\n", GBA_OK, 3},
        {UE_EST_CSRATTRS, 200, "application/csrattrs", "MAA=", GBA_OK, 2},
        {UE_EST_CSRATTRS, 204, NULL, "", GBA_OK, 0},
        {UE_EST_CSRATTRS, 404, NULL, "", GBA_OK, 0},
        {UE_EST_CSRATTRS, 200, P7, "MAA=", GBA_E_PROTOCOL, 0},
        {UE_EST_CACERTS, 404, NULL, "", GBA_E_NOT_FOUND, 0},
        {UE_EST_CACERTS, 200, NULL, "AAEC", GBA_E_PROTOCOL, 0},
        {UE_EST_CACERTS, 200, "text/html", "AAEC", GBA_E_PROTOCOL, 0},
        {UE_EST_CACERTS, 200, P7 "x", "AAEC", GBA_E_PROTOCOL, 0},
        {UE_EST_CACERTS, 200, P7, "", GBA_E_PROTOCOL, 0},
        {UE_EST_CACERTS, 200, P7, "AAE", GBA_E_PROTOCOL, 0},
        {UE_EST_CACERTS, 200, P7, "AA==AAEC", GBA_E_PROTOCOL, 0},
        {UE_EST_CACERTS, 200, P7, "AA-_", GBA_E_PROTOCOL, 0},
        {UE_EST_CACERTS, 200, P7, "-----BEGIN PKCS7-----", GBA_E_PROTOCOL, 0},
        {UE_EST_ENROL, 201, P7, "AAEC", GBA_E_PROTOCOL, 0},
        {UE_EST_ENROL, 202, NULL, "", GBA_E_OVERLOAD, 0},
        {UE_EST_ENROL, 400, "text/plain", "no\n", GBA_E_PROTOCOL, 0},
        {UE_EST_ENROL, 401, NULL, "", GBA_E_REFUSED, 0},
        {UE_EST_ENROL, 403, NULL, "", GBA_E_REFUSED, 0},
        {UE_EST_ENROL, 500, NULL, "", GBA_E_PROTOCOL, 0},
        {UE_EST_ENROL, 501, NULL, "", GBA_E_NOT_FOUND, 0},
        {UE_EST_ENROL, 503, NULL, "", GBA_E_OVERLOAD, 0},
        {UE_EST_ENROL, 302, NULL, "", GBA_E_PROTOCOL, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum gba_err err = answer(rows[i].op, rows[i].status, rows[i].type, rows[i].body, NULL);

        if (err != rows[i].err)
            printf("row %zu: %s ", i, gba_err_name(err));
        CU_ASSERT(err == rows[i].err);
        CU_ASSERT(call->n == rows[i].n);
    }
}

static void test_texts(void)
{
    static char big[2 * UE_EST_DER_MAX];

    CU_ASSERT(answer(UE_EST_ENROL, 503, "text/plain; charset=utf-8", "busy now\nmore", "17") ==
              GBA_E_OVERLOAD);
    CU_ASSERT(call->retry_s == 17);
    CU_ASSERT_STRING_EQUAL(call->why, "busy now");
    CU_ASSERT(answer(UE_EST_ENROL, 503, NULL, "", "Fri, 31 Dec 1999 23:59:59 GMT") ==
              GBA_E_OVERLOAD);
    CU_ASSERT(call->retry_s == 0);
    CU_ASSERT(answer(UE_EST_ENROL, 403, "text/plain", "a\x1b[31mb", NULL) == GBA_E_REFUSED);
    CU_ASSERT_STRING_EQUAL(call->why, "a"); /* nothing for a terminal to obey */
    CU_ASSERT(answer(UE_EST_ENROL, 403, "text/html", "<p>", NULL) == GBA_E_REFUSED);
    CU_ASSERT_STRING_EQUAL(call->why, "the MEF refuses");
    memset(big, 'x', 1000);
    CU_ASSERT(answer(UE_EST_ENROL, 403, "text/plain", big, NULL) == GBA_E_REFUSED);
    CU_ASSERT(strlen(call->why) == sizeof(call->said) - 1);
    memset(big, 'A', sizeof(big) - 4);
    CU_ASSERT(answer(UE_EST_CACERTS, 200, P7, big, NULL) == GBA_E_PROTOCOL);
}

static void test_link(void)
{
    static const struct {
        const char *hex;
        enum gba_err err;
        bool link;
    } rows[] = {
        {"", GBA_OK, false},
        {"3000", GBA_OK, false},
        {"300b06092a864886f70d010907", GBA_OK, true},
        {"301706082a8648ce3d04030206092a864886f70d01090730003000", GBA_E_PROTOCOL, false},
        {"301506082a8648ce3d04030206092a864886f70d010907", GBA_OK, true},
        {"300a06082a8648ce3d040302", GBA_OK, false},
        {"301930170609"
         "2a864886f70d01090e310a06082a8648ce3d040302",
         GBA_OK, false},
        /* as a value it asks for nothing */
        {"301a301806092a864886f70d01090e310b06092a864886f70d010907", GBA_OK, false},
        {"300b06092a864886f70d0109", GBA_E_PROTOCOL, false},
        {"300b06092a864886f70d01090700", GBA_E_PROTOCOL, false},
        {"0609", GBA_E_PROTOCOL, false},
        {"30030201", GBA_E_PROTOCOL, false},
        {"3003020105", GBA_E_PROTOCOL, false},
        {"3080", GBA_E_PROTOCOL, false},
        {"30", GBA_E_PROTOCOL, false},
        {"308106", GBA_E_PROTOCOL, false},
        {"30810b06092a864886f70d010907", GBA_OK, true},
        {"3082000b06092a864886f70d010907", GBA_OK, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool link = true;
        enum gba_err err = ue_est_wants_link(unit_hex(rows[i].hex), &link);

        if (err != rows[i].err || link != rows[i].link)
            printf("row %zu: %s %d ", i, gba_err_name(err), link);
        CU_ASSERT(err == rows[i].err);
        CU_ASSERT(err != GBA_OK || link == rows[i].link);
    }
}

static void test_begin(void)
{
    call = malloc(sizeof(*call));
    CU_ASSERT_FATAL(call != NULL);
}

static void test_end(void)
{
    free(call);
}

static const struct unit_test tests[] = {
    {"begin", test_begin},     {"names", test_names}, {"requests", test_requests},
    {"answers", test_answers}, {"texts", test_texts}, {"csrattrs", test_link},
    {"end", test_end},
};
UNIT_MAIN("est_client", tests)
