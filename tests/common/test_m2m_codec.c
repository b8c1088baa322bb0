/*
 * common/m2m_codec*.c: what every attribute may be in every request, the response status code
 * of each error, and the two forms there and back.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/m2m_codec.h"

#define OK   M2M_RSC_OK
#define BAD  M2M_RSC_BAD_REQUEST
#define UNAC M2M_RSC_CONTENTS_UNACCEPTABLE
#define REG  M2M_MEF_CLIENT_REG
#define KEY  M2M_SYMM_KEY_REG
#define CMD  M2M_MEF_CLIENT_CMD
#define BASE M2M_MEF_BASE
#define C    M2M_USE_CREATE
#define U    M2M_USE_UPDATE
#define A    M2M_USE_ANSWER

#define KV         "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define ET         "\"et\":\"20300102T030405\""
#define AD         "\"adfq\":\"sp.example.com\""
#define TG         "\"tgis\":[\"//sp.example.com/in-cse-1\"]"
#define XET        "<et>20300102T030405</et>"
#define XAD        "<adfq>sp.example.com</adfq>"
#define XTG        "<tgis>//sp.example.com/in-cse-1</tgis>"
#define XSI        " xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'"
#define R(members) "{\"sec:mefcr\":{" members "}}"
#define K(members) "{\"sec:skr\":{" members "}}"

static struct m2m_resource resource; /* too large for comfort on the stack of every test */

static const struct row {
    const char *pc;
    enum m2m_type type;
    enum m2m_use use;
    enum m2m_rsc rsc;
    const char *attribute; /* what the problem names */
} json_rows[] = {
    /* client registration, 8.3.5.2.3 */
    {R(ET "," AD), REG, C, OK, ""},
    {R(ET "," AD ",\"lbl\":[\"a\",\"b\"],\"fqdn\":\"mef.example\""), REG, C, OK, ""},
    {"{\"m2m:mefClientReg\":{\"expirationTime\":\"20300102T030405\",\"adminFQDN\":\"SP."
     "example\"}}",
     REG, C, OK, ""},
    {"{\"mefcr\":{" ET "," AD "}}", REG, C, OK, ""},
    {R(AD), REG, C, BAD, "expirationTime"},
    {R(ET), REG, C, BAD, "adminFQDN"},
    {R(""), REG, C, BAD, "expirationTime"},
    {R(ET "," AD "," AD), REG, C, BAD, ""},
    {R(ET "," AD ",\"adminFQDN\":\"sp.example\""), REG, C, BAD, "adminFQDN"},
    {R(ET "," AD ",\"ri\":\"x\""), REG, C, BAD, "resourceID"},
    {R(ET "," AD ",\"rn\":\"x\""), REG, C, BAD, "resourceName"},
    {R(ET "," AD ",\"ty\":4"), REG, C, BAD, "resourceType"},
    {R(ET "," AD ",\"pi\":\"x\""), REG, C, BAD, "parentID"},
    {R(ET "," AD ",\"ct\":\"20300102T030405\""), REG, C, BAD, "creationTime"},
    {R(ET "," AD ",\"lt\":\"20300102T030405\""), REG, C, BAD, "lastModifiedTime"},
    {R(ET "," AD ",\"cr\":\"x\""), REG, C, BAD, "creator"},
    {R(ET "," AD ",\"aski\":\"x\""), REG, C, BAD, "assignedSymmKeyID"},
    {R(ET "," AD ",\"ch\":[]"), REG, C, BAD, "childResource"},
    {R(ET "," AD ",\"suid\":22"), REG, C, BAD, "suid"},
    {R(ET "," AD ",\"bogus\":1"), REG, C, BAD, "bogus"},
    {R(ET "," AD ",\"et \":1"), REG, C, BAD, "et?"},
    {R(ET "," AD ",\"lbl\":null"), REG, C, BAD, "labels"},
    {R(ET ",\"adfq\":null"), REG, C, BAD, "adminFQDN"},
    {R("\"et\":20300102," AD), REG, C, BAD, "expirationTime"},
    {R("\"et\":\"2030-01-02\"," AD), REG, C, BAD, "expirationTime"},
    {R("\"et\":\"20301302T030405\"," AD), REG, C, BAD, "expirationTime"},
    {R("\"et\":\"\"," AD), REG, C, BAD, "expirationTime"},
    {R(ET ",\"adfq\":\"sp..example\""), REG, C, UNAC, "adminFQDN"},
    {R(ET ",\"adfq\":\"sp example\""), REG, C, UNAC, "adminFQDN"},
    {R(ET ",\"adfq\":\"192.0.2.1\""), REG, C, UNAC, "adminFQDN"},
    {R(ET ",\"adfq\":\"[2001:db8::1]\""), REG, C, UNAC, "adminFQDN"},
    {R(ET ",\"adfq\":7"), REG, C, BAD, "adminFQDN"},
    {R(ET ",\"adfq\":[\"sp.example\"]"), REG, C, BAD, "adminFQDN"},
    {R(ET "," AD ",\"lbl\":\"a\""), REG, C, BAD, "labels"},
    {R(ET "," AD ",\"lbl\":[1]"), REG, C, BAD, "labels"},
    {R(ET "," AD ",\"lbl\":[\"\"]"), REG, C, BAD, "labels"},
    {R(ET "," AD ",\"lbl\":[\"a b\"]"), REG, C, BAD, "labels"},
    {R(ET "," AD ",\"lbl\":[\"a\\nb\"]"), REG, C, BAD, "labels"},
    {R(ET "," AD ",\"lbl\":[]"), REG, C, BAD, "labels"},
    {R("\"et\":\"20300102T030405\\u0007\"," AD), REG, C, BAD, "expirationTime"},
    /* its update, 8.3.5.2.5 */
    {R(ET), REG, U, OK, ""},
    {R("\"lbl\":[\"x\"]"), REG, U, OK, ""},
    {R("\"lbl\":null"), REG, U, OK, ""},
    {R(""), REG, U, BAD, ""},
    {R("\"et\":null"), REG, U, BAD, "expirationTime"},
    {R(AD), REG, U, BAD, "adminFQDN"},
    {R("\"fqdn\":\"mef.example\""), REG, U, BAD, "fqdn"},
    /* key registration, 8.3.5.2.7 */
    {K(ET "," AD ",\"suid\":22," TG), KEY, C, OK, ""},
    {K(ET "," AD ",\"SUID\":22,\"targetIDs\":[\"//sp.example.com/S1\"],\"keyValue\":\"" KV
          "\""),
     KEY, C, OK, ""},
    {K(ET "," AD ",\"suid\":21,\"tgis\":[\"maf.example\"]"), KEY, C, OK, ""},
    {K(ET "," AD ",\"suid\":24,\"tgis\":[\"//a.b/c\",\"//a.b/d/Ce\"]"), KEY, C, OK, ""},
    {K(AD ",\"suid\":22," TG), KEY, C, BAD, "expirationTime"},
    {K(ET ",\"suid\":22," TG), KEY, C, BAD, "adminFQDN"},
    {K(ET "," AD "," TG), KEY, C, BAD, "SUID"},
    {K(ET "," AD ",\"suid\":22"), KEY, C, UNAC, "targetIDs"},
    {K(ET "," AD ",\"suid\":24"), KEY, C, UNAC, "targetIDs"},
    {K(ET "," AD ",\"suid\":22,\"tgis\":[\"//a.b/c\",\"//a.b/d\"]"), KEY, C, UNAC, "targetIDs"},
    {K(ET "," AD ",\"suid\":23,\"tgis\":[\"//a.b/c\",\"//a.b/d\"]"), KEY, C, UNAC, "targetIDs"},
    {K(ET "," AD ",\"suid\":31," TG), KEY, C, UNAC, "SUID"},
    {K(ET "," AD ",\"suid\":0," TG), KEY, C, UNAC, "SUID"},
    {K(ET "," AD ",\"suid\":1000," TG), KEY, C, BAD, "SUID"},
    {K(ET "," AD ",\"suid\":\"22\"," TG), KEY, C, BAD, "SUID"},
    {K(ET "," AD ",\"suid\":22.0," TG), KEY, C, BAD, "SUID"},
    {K(ET "," AD ",\"suid\":-22," TG), KEY, C, BAD, "SUID"},
    {K(ET "," AD ",\"suid\":true," TG), KEY, C, BAD, "SUID"},
    {K(ET "," AD ",\"suid\":99999999999999999999," TG), KEY, C, BAD, ""},
    {K(ET "," AD ",\"suid\":22,\"tgis\":[\"/in-cse-1\"]"), KEY, C, UNAC, "targetIDs"},
    {K(ET "," AD ",\"suid\":22,\"tgis\":[\"//sp/a/b\"]"), KEY, C, UNAC, "targetIDs"},
    {K(ET "," AD ",\"suid\":22,\"tgis\":\"//sp/a\""), KEY, C, BAD, "targetIDs"},
    {K(ET "," AD ",\"suid\":22," TG ",\"kv\":\"AAECAw==\""), KEY, C, UNAC, "keyValue"},
    {K(ET "," AD ",\"suid\":22," TG ",\"kv\":\"" KV "AAAA\""), KEY, C, BAD, "keyValue"},
    {K(ET "," AD ",\"suid\":22," TG ",\"kv\":\"not base64!\""), KEY, C, BAD, "keyValue"},
    {K(ET "," AD ",\"suid\":22," TG ",\"kv\":\"\""), KEY, C, BAD, "keyValue"},
    {K(ET "," AD ",\"suid\":22," TG ",\"kv\":5"), KEY, C, BAD, "keyValue"},
    {K(ET "," AD ",\"suid\":22," TG ",\"rki\":\"mine\""), KEY, C, BAD, "relativeKeyID"},
    /* its update, 8.3.5.2.9 */
    {K(TG), KEY, U, OK, ""},
    {K(ET "," TG ",\"lbl\":null"), KEY, U, OK, ""},
    {K("\"tgis\":null"), KEY, U, BAD, "targetIDs"},
    {K("\"tgis\":[]"), KEY, U, BAD, "targetIDs"},
    {K("\"suid\":22"), KEY, U, BAD, "SUID"},
    {K("\"kv\":\"" KV "\""), KEY, U, BAD, "keyValue"},
    {K(""), KEY, U, BAD, ""},
    /* commands, 8.3.9 */
    {"{\"sec:mefcc\":{\"cmdi\":\"7\",\"cmsc\":20}}", CMD, U, OK, ""},
    {"{\"sec:mefcc\":{\"cmsc\":20}}", CMD, U, BAD, "cmdID"},
    {"{\"sec:mefcc\":{\"cmdi\":\"7\"}}", CMD, U, BAD, "cmdStatusCode"},
    {"{\"sec:mefcc\":{\"cmdi\":\"7\",\"cmsc\":20,\"cmdd\":{}}}", CMD, U, BAD, "cmdDescription"},
    {"{\"sec:mefcc\":{\"cmdi\":\"7\",\"cmsc\":10,\"cmdd\":{\"cci\":0,\"cmda\":{\"nmca\":{"
     "\"rdu\":"
     "\"PT1H\",\"new\":[]}}}}}",
     CMD, A, OK, ""},
    {"{\"sec:mefcc\":{\"cmdi\":\"7\",\"cmsc\":10,\"cmdd\":{\"cci\":\"0\"}}}", CMD, A, BAD,
     "cmdClassID"},
    {"{\"sec:mefcc\":{\"cmdd\":[]}}", CMD, A, BAD, "cmdDescription"},
    /* the base is read-only */
    {"{\"sec:mefb\":{\"fqdn\":\"mef.example\"}}", BASE, C, BAD, "fqdn"},
    {"{\"sec:mefb\":{\"fqdn\":\"mef.example\"}}", BASE, U, BAD, "fqdn"},
    /* answers: what is not known is passed over, what is known must be right */
    {R(ET "," AD ",\"ri\":\"r\",\"cr\":\"//sp/Sx\",\"new\":{\"deep\":[1]}"), REG, A, OK, ""},
    {R(""), REG, A, OK, ""},
    {R("\"ch\":[{\"nm\":\"cmd\",\"typ\":6,\"val\":\"-/r/cmd\"}]"), REG, A, OK, ""},
    {R("\"ch\":[{\"nm\":\"cmd\",\"typ\":\"6\",\"val\":\"-/r/cmd\"}]"), REG, A, BAD,
     "childResource"},
    {R("\"ch\":[\"-/r/cmd\"]"), REG, A, BAD, "childResource"},
    {R("\"lbl\":null"), REG, A, BAD, "labels"},
    {K("\"suid\":31"), KEY, A, UNAC, "SUID"},
    /* not a representation of this resource at all */
    {"", REG, C, BAD, ""},
    {"{", REG, C, BAD, ""},
    {"[]", REG, C, BAD, ""},
    {"{}", REG, C, BAD, ""},
    {"null", REG, C, BAD, ""},
    {"{\"sec:mefcr\":[]}", REG, C, BAD, ""},
    {"{\"sec:mefcr\":null}", REG, C, BAD, ""},
    {R(ET "," AD) "x", REG, C, BAD, ""},
    {"{\"sec:mefcr\":{" ET "," AD "},\"sec:skr\":{}}", REG, C, BAD, ""},
    {K(ET "," AD), REG, C, BAD, "sec:skr"},
    {"{\"abc:mefcr\":{" ET "," AD "}}", REG, C, BAD, "abc:mefcr"},
    {ET, REG, C, BAD, ""},
    {R("\"et\":\"\\u0000\"," AD), REG, C, BAD, ""},
    {R("\"e\\u0000t\":\"x\"," AD), REG, C, BAD, ""},
    {R("\"adfq\":\"\xff\"," ET), REG, C, BAD, ""},
    {"{\"sec:mefcr\":{\"x\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}}", REG, A, BAD, ""},
    {"{\"sec:mefcr\":{\"x\":[[[[[[[[[[[[[[1]]]]]]]]]]]]]]}}", REG, A, OK, ""},
    {"{\"sec:mefcr\":{\"x\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}}", REG, A, BAD, ""},
    /* brackets in strings do not nest, and siblings do not add up */
    {R(ET "," AD ",\"lbl\":[\"\\\"[[[[[[[[[[[[[[[[[[[[\"]"), REG, C, OK, ""},
    {R(ET "," AD ",\"lbl\":[\"\\\\\",\"{{{{{{{{{{{{{{{{{{{{\"]"), REG, C, OK, ""},
    {"{\"mefcr\":{\"x\":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],{}]}}", REG,
     A, OK, ""},
    {"]]]]{\"mefcr\":{}}", REG, A, BAD, ""},
};

static const struct row xml_rows[] = {
    {"<sec:mefcr xmlns:sec='http://www.onem2m.org/technical/xml-schemas'>" XET XAD
     "</sec:mefcr>",
     REG, C, OK, ""},
    {"<m2m:mefClientReg xmlns:m2m='http://www.onem2m.org/xml/protocols'><expirationTime>"
     "20300102T030405</expirationTime><adminFQDN>sp.example</adminFQDN></m2m:mefClientReg>",
     REG, C, OK, ""},
    {"<mefcr>" XET XAD "<lbl>a b\n c</lbl></mefcr>", REG, C, OK, ""},
    {"<mefcr>" XAD "</mefcr>", REG, C, BAD, "expirationTime"},
    {"<mefcr>" XET "</mefcr>", REG, C, BAD, "adminFQDN"},
    {"<mefcr/>", REG, C, BAD, "expirationTime"},
    {"<mefcr>" XET XAD XAD "</mefcr>", REG, C, BAD, "adminFQDN"},
    {"<mefcr>" XET XAD "<adminFQDN>x</adminFQDN></mefcr>", REG, C, BAD, "adminFQDN"},
    {"<mefcr rn='x'>" XET XAD "</mefcr>", REG, C, BAD, "resourceName"},
    {"<mefcr>" XET XAD "<ri>x</ri></mefcr>", REG, C, BAD, "resourceID"},
    {"<mefcr>" XET XAD "<bogus/></mefcr>", REG, C, BAD, "bogus"},
    {"<mefcr>" XET XAD "<lbl/></mefcr>", REG, C, BAD, "labels"},
    {"<mefcr>" XET "<adfq/></mefcr>", REG, C, BAD, "adminFQDN"},
    {"<mefcr>" XET "<adfq>a<b/></adfq></mefcr>", REG, C, BAD, "adminFQDN"},
    {"<mefcr>" XET "<adfq>a b</adfq></mefcr>", REG, C, UNAC, "adminFQDN"},
    {"<mefcr><et>soon</et>" XAD "</mefcr>", REG, C, BAD, "expirationTime"},
    {"<mefcr>" XET "</mefcr>", REG, U, OK, ""},
    {"<mefcr><lbl/></mefcr>", REG, U, OK, ""},
    {"<mefcr" XSI "><lbl xsi:nil='true'/></mefcr>", REG, U, OK, ""},
    {"<mefcr" XSI "><lbl xsi:nil=' 1 '> <!-- no --> </lbl></mefcr>", REG, U, OK, ""},
    {"<mefcr" XSI "><lbl xsi:nil='false'>a</lbl></mefcr>", REG, U, OK, ""},
    {"<mefcr" XSI "><lbl xsi:nil='0'>a</lbl>" XET XAD "</mefcr>", REG, C, OK, ""},
    {"<mefcr" XSI "><lbl xsi:nil='true'/>" XET XAD "</mefcr>", REG, C, BAD, "labels"},
    {"<mefcr" XSI "><et xsi:nil='true'/></mefcr>", REG, U, BAD, "expirationTime"},
    {"<mefcr" XSI "><lbl xsi:nil='true'>a</lbl></mefcr>", REG, U, BAD, "labels"},
    {"<mefcr" XSI "><lbl xsi:nil='true'><a/></lbl></mefcr>", REG, U, BAD, "labels"},
    {"<mefcr" XSI "><lbl xsi:nil='maybe'/></mefcr>", REG, U, BAD, "labels"},
    {"<mefcr" XSI "><lbl xsi:nil='truetrue'/></mefcr>", REG, U, BAD, "labels"},
    {"<mefcr" XSI "><lbl xsi:nil=''/></mefcr>", REG, U, BAD, "labels"},
    {"<mefcr" XSI " xsi:nil='true'/>", REG, U, BAD, "mefcr"},
    {"<mefcr" XSI " xsi:nil='false'>" XET "</mefcr>", REG, U, BAD, "mefcr"},
    {"<mefcr><lbl nil='true'/></mefcr>", REG, U, BAD, "nil"},
    {"<mefcr xmlns:f='urn:f'><lbl f:nil='true'/></mefcr>", REG, U, BAD, "nil"},
    {"<mefcr" XSI "><lbl xsi:nil='true'/><lbl>a</lbl></mefcr>", REG, U, BAD, "labels"},
    {"<mefcr><lbl>a</lbl><lbl/></mefcr>", REG, U, BAD, "labels"},
    {"<mefcr><lbl/><lbl/></mefcr>", REG, U, BAD, "labels"},
    /* text between elements */
    {"<mefcr>x" XET XAD "</mefcr>", REG, C, BAD, "mefcr"},
    {"<mefcr>" XET "x" XAD "</mefcr>", REG, C, BAD, "mefcr"},
    {"<mefcr>" XET XAD "<![CDATA[x]]></mefcr>", REG, C, BAD, "mefcr"},
    {"<mefcr>" XET XAD "&#120;</mefcr>", REG, C, BAD, "mefcr"},
    {"<mefcr>\r\n\t " XET " <!-- x --> " XAD "<![CDATA[ ]]>\n</mefcr>", REG, C, OK, ""},
    {"<mefcc><cmdd>x<cci>1</cci></cmdd></mefcc>", CMD, A, BAD, "cmdd"},
    /* attributes */
    {"<mefcr x='1'>" XET XAD "</mefcr>", REG, C, BAD, "x"},
    {"<mefcr><et x='1'>20300102T030405</et>" XAD "</mefcr>", REG, C, BAD, "x"},
    {"<mefcr><et rn='1'>20300102T030405</et>" XAD "</mefcr>", REG, C, BAD, "rn"},
    {"<mefcr xmlns:f='urn:f' f:rn='x'>" XET XAD "</mefcr>", REG, C, BAD, "rn"},
    {"<mefcr xml:lang='en'>" XET XAD "</mefcr>", REG, C, BAD, "lang"},
    {"<mefcr rn='a' resourceName='b'>" XET XAD "</mefcr>", REG, C, BAD, "resourceName"},
    {"<mefcr rn='a' resourceName='b'>" XET XAD "</mefcr>", REG, A, BAD, "resourceName"},
    {"<mefcr rn='a'><rn>b</rn>" XET XAD "</mefcr>", REG, A, BAD, "resourceName"},
    {"<mefcr" XSI " xsi:schemaLocation='urn:a b.xsd' xsi:noNamespaceSchemaLocation='c.xsd'>"
     "<et xsi:type='m2m:timestamp'>20300102T030405</et>" XAD "</mefcr>",
     REG, C, OK, ""},
    {"<mefcr" XSI " xsi:location='x'>" XET XAD "</mefcr>", REG, C, BAD, "location"},
    {"<mefcr xmlns:f='urn:f' x='1' f:y='2'><et z='3'>20300102T030405</et></mefcr>", REG, A, OK,
     ""},
    {"<mefcr><et/></mefcr>", REG, U, BAD, "expirationTime"},
    {"<mefcr/>", REG, U, BAD, ""},
    {"<skr>" XET XAD "<suid>22</suid>" XTG "<kv>" KV "</kv></skr>", KEY, C, OK, ""},
    {"<skr>" XET XAD "<suid>24</suid><tgis>//a.b/c //a.b/d</tgis></skr>", KEY, C, OK, ""},
    {"<skr>" XET XAD "<suid>22</suid><tgis>//a.b/c //a.b/d</tgis></skr>", KEY, C, UNAC,
     "targetIDs"},
    {"<skr>" XET XAD "<suid>22</suid></skr>", KEY, C, UNAC, "targetIDs"},
    {"<skr>" XET XAD "<suid>31</suid>" XTG "</skr>", KEY, C, UNAC, "SUID"},
    {"<skr>" XET XAD "<suid>22.0</suid>" XTG "</skr>", KEY, C, BAD, "SUID"},
    {"<skr>" XET XAD "<suid>0x16</suid>" XTG "</skr>", KEY, C, BAD, "SUID"},
    {"<skr>" XET XAD "<suid>22</suid>" XTG "<kv>xyz</kv></skr>", KEY, C, BAD, "keyValue"},
    {"<skr>" XET XAD "<suid>22</suid>" XTG XTG "</skr>", KEY, C, BAD, "targetIDs"},
    {"<skr><tgis/></skr>", KEY, U, BAD, "targetIDs"},
    {"<mefcc><cmdi>7</cmdi><cmsc>300</cmsc></mefcc>", CMD, U, OK, ""},
    {"<mefcc><cmdd><cci>1</cci><cmda><cpca><uri>https://mef.example/.well-known/est</"
     "uri><csty>1"
     "</csty><o/></cpca></cmda></cmdd></mefcc>",
     CMD, A, OK, ""},
    {"<mefcr><ch nm='cmd' typ='6'>-/r/cmd</ch><ch nm='x' typ='5'>-/k</ch></mefcr>", REG, A, OK,
     ""},
    {"<mefcr><ch nm='cmd'>-/r/cmd</ch></mefcr>", REG, A, BAD, "childResource"},
    {"<skr/>", REG, A, BAD, "skr"},
    {"<html/>", REG, A, BAD, "html"},
    {"<mefcr>", REG, C, BAD, ""},
    {"", REG, C, BAD, ""},
    {"{}", REG, C, BAD, ""},
    {"<!DOCTYPE mefcr [<!ENTITY a 'sp.example'>]><mefcr>" XET "<adfq>&a;</adfq></mefcr>", REG,
     C, BAD, ""},
};

static void run(const struct row *rows, size_t n, enum m2m_format format)
{
    for (size_t i = 0; i < n; i++) {
        struct m2m_problem problem;
        enum m2m_rsc rsc = m2m_codec_read(gba_text_bytes(gba_text(rows[i].pc)), format,
                                          rows[i].type, rows[i].use, &resource, &problem);

        CU_ASSERT_EQUAL(rsc, rows[i].rsc);
        CU_ASSERT_STRING_EQUAL(problem.attribute, rows[i].attribute);
        CU_ASSERT_EQUAL(problem.why[0] == '\0', rsc == M2M_RSC_OK);
        if (rsc != rows[i].rsc || strcmp(problem.attribute, rows[i].attribute) != 0)
            printf("row %zu: %s: %d %s %s\n", i, rows[i].pc, (int)rsc, problem.attribute,
                   problem.why);
        if (rsc != M2M_RSC_OK)
            CU_ASSERT(m2m_key(&resource) == NULL && resource.used == 0);
        m2m_resource_wipe(&resource);
    }
}

static void test_json(void)
{
    run(json_rows, sizeof(json_rows) / sizeof(json_rows[0]), M2M_JSON);
}

static void test_xml(void)
{
    run(xml_rows, sizeof(xml_rows) / sizeof(xml_rows[0]), M2M_XML);
}

/* A registration in JSON with one attribute of n characters. */
static enum m2m_rsc sized(const char *before, size_t n, const char *after)
{
    char *pc = malloc(strlen(before) + n + strlen(after) + 1);
    struct m2m_problem problem;
    enum m2m_rsc rsc;

    strcpy(pc, before);
    memset(pc + strlen(before), 'a', n);
    strcpy(pc + strlen(before) + n, after);
    rsc = m2m_codec_read(gba_text_bytes(gba_text(pc)), M2M_JSON, REG, C, &resource, &problem);
    free(pc);
    return rsc;
}

/* A key registration with n targets. */
static enum m2m_rsc counted(size_t n, const char *name, const char *item)
{
    char *pc = malloc(256 + n * (strlen(item) + 4)), *at = pc;
    struct m2m_problem problem;
    enum m2m_rsc rsc;

    at += sprintf(at, "{\"skr\":{" ET "," AD ",\"suid\":24,%s\"%s\":[",
                  strcmp(name, "lbl") == 0 ? TG "," : "", name);
    for (size_t i = 0; i < n; i++)
        at += sprintf(at, "%s\"%s\"", i == 0 ? "" : ",", item);
    sprintf(at, "]}}");
    rsc = m2m_codec_read(gba_text_bytes(gba_text(pc)), M2M_JSON, KEY, C, &resource, &problem);
    free(pc);
    return rsc;
}

static void test_limits(void)
{
    CU_ASSERT_EQUAL(sized("{\"mefcr\":{" ET "," AD ",\"lbl\":[\"", 128, "\"]}}"), OK);
    CU_ASSERT_EQUAL(sized("{\"mefcr\":{" ET "," AD ",\"lbl\":[\"", 129, "\"]}}"), BAD);
    CU_ASSERT_EQUAL(sized("{\"mefcr\":{" ET ",\"adfq\":\"", 256, "\"}}"), BAD);
    CU_ASSERT_EQUAL(sized("{\"mefcr\":{" ET "," AD ",\"", 100, "\":1}}"), BAD);
    CU_ASSERT_EQUAL(sized("{\"mefcr\":{" ET "," AD "}}", M2M_CONTENT_MAX, ""), BAD);
    CU_ASSERT_EQUAL(counted(32, "tgis", "//sp.example/x"), OK);
    CU_ASSERT_EQUAL(counted(33, "tgis", "//sp.example/x"), BAD);
    CU_ASSERT_EQUAL(counted(16, "lbl", "l"), OK);
    CU_ASSERT_EQUAL(counted(17, "lbl", "l"), BAD);
}

static void test_values(void)
{
    struct m2m_problem problem;

    CU_ASSERT_EQUAL(
        m2m_codec_read(
            gba_text_bytes(GBA_TEXT(
                "{\"m2m:skr\":{\"adfq\":\"SP.Example.COM.\",\"et\":\"20260102T030405\","
                "\"suid\":25,\"tgis\":[\"//a.b/c\",\"maf.example\"],\"kv\":\"" KV
                "\",\"lbl\":[\"x\",\"\xc3\xa9\"]}}")),
            M2M_JSON, KEY, C, &resource, &problem),
        OK);
    CU_ASSERT(gba_text_is(m2m_text(&resource, M2M_A_ADMIN_FQDN), "sp.example.com"));
    CU_ASSERT_EQUAL(m2m_time(&resource, M2M_A_EXPIRATION_TIME), 1767323045);
    CU_ASSERT_EQUAL(m2m_number(&resource, M2M_A_SUID), 25);
    CU_ASSERT_EQUAL(m2m_items(&resource, M2M_A_TARGET_IDS), 2);
    CU_ASSERT(gba_text_is(m2m_item(&resource, M2M_A_TARGET_IDS, 1), "maf.example"));
    CU_ASSERT_EQUAL(m2m_item(&resource, M2M_A_TARGET_IDS, 2).n, 0);
    CU_ASSERT(gba_text_is(m2m_item(&resource, M2M_A_LABELS, 1), "\xc3\xa9"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(m2m_key(&resource));
    CU_ASSERT_EQUAL(m2m_key(&resource)->octets[31], 31);
    m2m_unset(&resource, M2M_A_KEY_VALUE);
    CU_ASSERT_PTR_NULL(m2m_key(&resource));
    CU_ASSERT_EQUAL(resource.key.octets[31], 0);
    CU_ASSERT_EQUAL(m2m_codec_read(gba_text_bytes(GBA_TEXT("<skr><lbl/></skr>")), M2M_XML, KEY,
                                   U, &resource, &problem),
                    OK);
    CU_ASSERT(m2m_is_null(&resource, M2M_A_LABELS) && !m2m_has(&resource, M2M_A_LABELS));
}

static void fill(struct m2m_resource *r)
{
    struct gba_key key;

    for (size_t i = 0; i < sizeof(key.octets); i++)
        key.octets[i] = (uint8_t)i;
    m2m_resource_init(r, KEY);
    CU_ASSERT_EQUAL(m2m_set_number(r, M2M_A_RESOURCE_TYPE, 5), GBA_OK);
    CU_ASSERT_EQUAL(m2m_set_text(r, M2M_A_RESOURCE_ID, GBA_TEXT("k<&>\"1")), GBA_OK);
    CU_ASSERT_EQUAL(m2m_set_text(r, M2M_A_RESOURCE_NAME, GBA_TEXT("n\"1")), GBA_OK);
    CU_ASSERT_EQUAL(m2m_set_time(r, M2M_A_EXPIRATION_TIME, 1767323045), GBA_OK);
    CU_ASSERT_EQUAL(m2m_add(r, M2M_A_LABELS, GBA_TEXT("a")), GBA_OK);
    CU_ASSERT_EQUAL(m2m_add(r, M2M_A_LABELS, GBA_TEXT("b")), GBA_OK);
    CU_ASSERT_EQUAL(m2m_set_number(r, M2M_A_SUID, 22), GBA_OK);
    CU_ASSERT_EQUAL(m2m_add(r, M2M_A_TARGET_IDS, GBA_TEXT("//a.b/c")), GBA_OK);
    CU_ASSERT_EQUAL(m2m_set_text(r, M2M_A_RELATIVE_KEY_ID, GBA_TEXT("k1")), GBA_OK);
    CU_ASSERT_EQUAL(m2m_add_child(r, CMD, GBA_TEXT("-/r/cmd")), GBA_OK);
    m2m_set_key(r, &key);
}

static void test_print(void)
{
    char room[4096];
    struct gba_wbuf w;

    fill(&resource);
    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(m2m_codec_print(&resource, M2M_JSON, &w), GBA_OK);
    CU_ASSERT_STRING_EQUAL(
        gba_wbuf_cstr(&w),
        "{\"sec:skr\":{\"ty\":5,\"ri\":\"k<&>\\\"1\",\"rn\":\"n\\\"1\",\"ch\":[{\"nm\":\"cmd\","
        "\"typ\":6,\"val\":\"-/r/cmd\"}],\"et\":\"20260102T030405\",\"lbl\":[\"a\",\"b\"],"
        "\"suid\":22,\"tgis\":[\"//a.b/c\"],\"kv\":\"" KV "\",\"rki\":\"k1\"}}");
    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(m2m_codec_print(&resource, M2M_XML, &w), GBA_OK);
    CU_ASSERT_STRING_EQUAL(
        gba_wbuf_cstr(&w),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<sec:skr "
        "xmlns:sec=\"http://www.onem2m.org/technical/xml-schemas\" rn=\"n&quot;1\"><ty>5</ty>"
        "<ri>k&lt;&amp;&gt;&quot;1</ri><ch nm=\"cmd\" typ=\"6\">-/r/cmd</ch>"
        "<et>20260102T030405</et><lbl>a b</lbl><suid>22</suid><tgis>//a.b/c</tgis><kv>" KV
        "</kv><rki>k1</rki></sec:skr>");
    gba_wbuf_init(&w, room, 50);
    CU_ASSERT_EQUAL(m2m_codec_print(&resource, M2M_XML, &w), GBA_E_TOO_LONG);
}

static void test_round_trip(void)
{
    static struct m2m_resource back;

    for (int f = M2M_JSON; f <= M2M_XML; f++) {
        struct m2m_problem problem;
        enum m2m_type type;
        struct gba_text id;
        char room[4096];
        struct gba_wbuf w;

        fill(&resource);
        gba_wbuf_init(&w, room, sizeof(room));
        CU_ASSERT_EQUAL(m2m_codec_print(&resource, (enum m2m_format)f, &w), GBA_OK);
        CU_ASSERT_EQUAL_FATAL(
            m2m_codec_read(gba_wbuf_bytes(&w), (enum m2m_format)f, KEY, A, &back, &problem),
            OK);
        for (int a = 0; a < M2M_N_ATTRS; a++) {
            enum m2m_attr at = (enum m2m_attr)a;

            CU_ASSERT_EQUAL(m2m_has(&back, at), m2m_has(&resource, at));
            CU_ASSERT_EQUAL(m2m_number(&back, at), m2m_number(&resource, at));
            CU_ASSERT_EQUAL(m2m_items(&back, at), m2m_items(&resource, at));
            for (size_t i = 0; i < m2m_items(&back, at); i++)
                CU_ASSERT(gba_text_eq(m2m_item(&back, at, i), m2m_item(&resource, at, i)));
        }
        CU_ASSERT(gba_equal_ct(m2m_key(&back), m2m_key(&resource), 32));
        CU_ASSERT_EQUAL(m2m_child(&back, 0, &type, &id), GBA_OK);
        CU_ASSERT(type == CMD && gba_text_is(id, "-/r/cmd"));
        CU_ASSERT_EQUAL(m2m_child(&back, 1, &type, &id), GBA_E_NOT_FOUND);
    }
}

static void test_setters_refuse(void)
{
    char longest[600];

    memset(longest, 'a', sizeof(longest));
    m2m_resource_init(&resource, KEY);
    CU_ASSERT_EQUAL(m2m_set_number(&resource, M2M_A_LABELS, 1), GBA_E_ARGUMENT);
    CU_ASSERT_EQUAL(m2m_set_number(&resource, M2M_A_SUID, 1000), GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(m2m_set_text(&resource, M2M_A_SUID, GBA_TEXT("x")), GBA_E_ARGUMENT);
    CU_ASSERT_EQUAL(m2m_set_text(&resource, M2M_A_RESOURCE_ID, (struct gba_text){longest, 257}),
                    GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(m2m_add(&resource, M2M_A_RESOURCE_ID, GBA_TEXT("x")), GBA_E_ARGUMENT);
    CU_ASSERT_EQUAL(m2m_set_time(&resource, M2M_A_EXPIRATION_TIME, -1), GBA_E_ARGUMENT);
    CU_ASSERT_EQUAL(m2m_set_group(&resource, M2M_A_SUID), GBA_E_ARGUMENT);
    for (unsigned i = 0; i < 100; i++) {
        enum gba_err err =
            m2m_set_text(&resource, M2M_A_CREATOR, (struct gba_text){longest, 511});

        CU_ASSERT_EQUAL(err, i < M2M_TEXT_MAX / 511 ? GBA_OK : GBA_E_TOO_LONG);
    }
}

/* A name from outside is cut and cleaned before it stands in a log. */
static void test_problem_is_plain(void)
{
    struct m2m_problem problem;

    CU_ASSERT_EQUAL(m2m_codec_read(gba_text_bytes(GBA_TEXT(
                                       "{\"skr\":{\"~a\\\"b\\\\c\\u007f\\n"
                                       "0123456789012345678901234567890123456789\":1}}")),
                                   M2M_JSON, KEY, C, &resource, &problem),
                    BAD);
    CU_ASSERT_STRING_EQUAL(problem.attribute, "~a?b?c??0123456789012345678901234567890");
    CU_ASSERT_EQUAL(strlen(problem.attribute), sizeof(problem.attribute) - 1);
}

static void test_problem(void)
{
    struct m2m_problem p = {"adminFQDN", "missing"};
    char room[512];
    struct gba_wbuf w;

    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(m2m_codec_print_problem(&p, M2M_JSON, &w), GBA_OK);
    CU_ASSERT_STRING_EQUAL(gba_wbuf_cstr(&w), "{\"m2m:dbg\":\"adminFQDN: missing\"}");
    p.attribute[0] = '\0';
    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(m2m_codec_print_problem(&p, M2M_XML, &w), GBA_OK);
    CU_ASSERT_STRING_EQUAL(gba_wbuf_cstr(&w),
                           "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<m2m:dbg xmlns:m2m=\""
                           "http://www.onem2m.org/xml/protocols\">missing</m2m:dbg>");
}

/* What a MEF says goes to a terminal. */
static void test_read_problem(void)
{
    static const struct {
        enum m2m_format format;
        const char *pc, *text;
    } rows[] = {
        {M2M_JSON, "{\"m2m:dbg\":\"adminFQDN: missing\"}", "adminFQDN: missing"},
        {M2M_JSON, "{\"m2m:dbg\":\"\\u001b[2J\\r\\n\\u007f\"}", "\\x1b[2J\\x0d\\x0a\\x7f"},
        {M2M_JSON, "{\"m2m:dbg\":\"\\u009b1m\xc3\xa9\\\\x\"}", "\\xc2\\x9b1m\\xc3\\xa9\\x5cx"},
        {M2M_JSON, "{\"m2m:dbg\":7}", ""},
        {M2M_JSON, "{\"dbg\":\"x\"}", ""},
        {M2M_JSON, "[\"m2m:dbg\"]", ""},
        {M2M_JSON, "{", ""},
        {M2M_JSON, "", ""},
        {M2M_JSON, "<m2m:dbg xmlns:m2m='urn:x'>no</m2m:dbg>", ""},
        {M2M_XML, "<m2m:dbg xmlns:m2m='urn:x'> no way </m2m:dbg>", "no way"},
        {M2M_XML, "<dbg>a&#9;b</dbg>", "a\\x09b"},
        {M2M_XML, "<dbg><b/></dbg>", ""},
        {M2M_XML, "<html>x</html>", ""},
    };
    char text[64], pc[600] = "{\"m2m:dbg\":\"";

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        m2m_codec_read_problem(gba_text_bytes(gba_text(rows[i].pc)), rows[i].format, text,
                               sizeof(text));
        CU_ASSERT_STRING_EQUAL(text, rows[i].text);
    }
    for (size_t n = 50; n < 70; n++) { /* whole, or cut with a mark */
        memset(pc + 12, 'a', n);
        strcpy(pc + 12 + n, "\"}");
        m2m_codec_read_problem(gba_text_bytes(gba_text(pc)), M2M_JSON, text, sizeof(text));
        CU_ASSERT(strlen(text) < sizeof(text));
        CU_ASSERT_EQUAL(strspn(text, "a") == n, strstr(text, "...") == NULL);
    }
    memset(pc + 12, '\x01', 1);
    for (size_t i = 0; i < 60; i++)
        memcpy(pc + 12 + 6 * i, "\\u0001", 6);
    strcpy(pc + 12 + 360, "\"}");
    m2m_codec_read_problem(gba_text_bytes(gba_text(pc)), M2M_JSON, text, sizeof(text));
    CU_ASSERT(strlen(text) < sizeof(text) && strcmp(text + strlen(text) - 3, "...") == 0);
}

static const struct unit_test tests[] = {
    {"JSON, row by row", test_json},
    {"XML, row by row", test_xml},
    {"limits", test_limits},
    {"values", test_values},
    {"printing", test_print},
    {"there and back", test_round_trip},
    {"setters refuse", test_setters_refuse},
    {"the problem as an answer", test_problem},
    {"the problem is plain", test_problem_is_plain},
    {"the problem of an answer", test_read_problem},
};
UNIT_MAIN("m2m_codec", tests)
