/*
 * common/bootstrapping_info.c: TS 24.109 Annex C, against the octets of tests/vectors/e2e.json
 * and what a BSF might send otherwise.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bootstrapping_info.h"

#define BTID     "I1U8vpY3qJ0hiuZNrke/NQ==@bsf.mnc001.mcc001.pub.3gppnetwork.org"
#define EXPIRY   1767323045 /* 2026-01-02T03:04:05Z */
#define HEAD     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define LIFETIME "<lifetime>2026-01-02T03:04:05Z</lifetime>"

static void test_print(void)
{
    struct gba_bootstrapping_info i = {BTID, EXPIRY, 0};
    char room[GBA_BOOTSTRAPPING_INFO_SIZE];
    struct gba_wbuf w;

    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(gba_bootstrapping_info_print(&i, &w), GBA_OK);
    CU_ASSERT_STRING_EQUAL(gba_wbuf_cstr(&w),
                           HEAD "<BootstrappingInfo xmlns=\"uri:3gpp-gba\">\n<btid>" BTID
                                "</btid>\n" LIFETIME "\n</BootstrappingInfo>\n");
    i.currenttime_s = EXPIRY - 3600;
    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(gba_bootstrapping_info_print(&i, &w), GBA_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(
        gba_wbuf_cstr(&w), "<Extension><currenttime>2026-01-02T02:04:05Z</currenttime>"));
    gba_wbuf_init(&w, room, 100);
    CU_ASSERT_EQUAL(gba_bootstrapping_info_print(&i, &w), GBA_E_TOO_LONG);
}

static void test_longest_fits(void)
{
    struct gba_bootstrapping_info i = {"", EXPIRY, EXPIRY}, back;
    char room[GBA_BOOTSTRAPPING_INFO_SIZE];
    struct gba_wbuf w;

    memset(i.btid, 'b', sizeof(i.btid) - 1);
    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL(gba_bootstrapping_info_print(&i, &w), GBA_OK);
    CU_ASSERT_EQUAL(gba_bootstrapping_info_parse(gba_wbuf_bytes(&w), &back), GBA_OK);
    CU_ASSERT_STRING_EQUAL(back.btid, i.btid);
    CU_ASSERT_EQUAL(back.lifetime_s, EXPIRY);
    CU_ASSERT_EQUAL(back.currenttime_s, EXPIRY);
}

static void test_parse(void)
{
    static const struct {
        const char *xml;
        enum gba_err err;
        int64_t currenttime_s;
    } rows[] = {
        {HEAD "<BootstrappingInfo xmlns=\"uri:3gpp-gba\"><btid>" BTID "</btid>" LIFETIME
              "</BootstrappingInfo>",
         GBA_OK, 0},
        {"<BootstrappingInfo><btid>\n " BTID "\n</btid>" LIFETIME "</BootstrappingInfo>",
         GBA_OK, 0},
        {"<g:BootstrappingInfo xmlns:g='urn:other'><g:btid>" BTID "</g:btid>"
         "<g:lifetime>2026-01-02T04:04:05+01:00</g:lifetime></g:BootstrappingInfo>",
         GBA_OK, 0},
        {"<BootstrappingInfo v='2'>" LIFETIME "<new><btid>x</btid></new><btid><![CDATA[" BTID
         "]]></btid></BootstrappingInfo>",
         GBA_OK, 0},
        {"<BootstrappingInfo><btid>" BTID "</btid>" LIFETIME
         "<Extension><o/><currenttime>2026-01-01T00:00:00Z</currenttime></Extension>"
         "</BootstrappingInfo>",
         GBA_OK, 1767225600},
        {"<BootstrappingInfo><btid>" BTID "</btid>" LIFETIME
         "<Extension><currenttime>noon</currenttime></Extension></BootstrappingInfo>",
         GBA_OK, 0},
        {"<Other><btid>" BTID "</btid>" LIFETIME "</Other>", GBA_E_SYNTAX, 0},
        {"<BootstrappingInfo>" LIFETIME "</BootstrappingInfo>", GBA_E_SYNTAX, 0},
        {"<BootstrappingInfo><btid/>" LIFETIME "</BootstrappingInfo>", GBA_E_SYNTAX, 0},
        {"<BootstrappingInfo><btid>" BTID "</btid></BootstrappingInfo>", GBA_E_SYNTAX, 0},
        {"<BootstrappingInfo><btid>a</btid><btid>b</btid>" LIFETIME "</BootstrappingInfo>",
         GBA_E_SYNTAX, 0},
        {"<BootstrappingInfo><btid>a</btid>" LIFETIME LIFETIME "</BootstrappingInfo>",
         GBA_E_SYNTAX, 0},
        {"<BootstrappingInfo><btid>a<b/></btid>" LIFETIME "</BootstrappingInfo>", GBA_E_SYNTAX,
         0},
        {"<BootstrappingInfo><btid>a</btid><lifetime>3600</lifetime></BootstrappingInfo>",
         GBA_E_SYNTAX, 0},
        {"<!DOCTYPE BootstrappingInfo><BootstrappingInfo><btid>" BTID "</btid>" LIFETIME
         "</BootstrappingInfo>",
         GBA_E_SYNTAX, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_bootstrapping_info out;
        enum gba_err err =
            gba_bootstrapping_info_parse(gba_text_bytes(gba_text(rows[i].xml)), &out);

        CU_ASSERT_EQUAL(err, rows[i].err);
        if (err != rows[i].err)
            printf("row %zu: %s\n", i, gba_err_name(err));
        if (err != GBA_OK)
            continue;
        CU_ASSERT_STRING_EQUAL(out.btid, BTID);
        CU_ASSERT_EQUAL(out.lifetime_s, EXPIRY);
        CU_ASSERT_EQUAL(out.currenttime_s, rows[i].currenttime_s);
    }
}

static void test_too_long(void)
{
    char *big = malloc(GBA_BOOTSTRAPPING_INFO_MAX + 1);
    struct gba_bootstrapping_info out;
    int head = sprintf(big, "<BootstrappingInfo>" LIFETIME "<btid>");

    memset(big + head, 'x', GBA_BOOTSTRAPPING_INFO_MAX + 1 - (size_t)head);
    memcpy(big + GBA_BOOTSTRAPPING_INFO_MAX - 27, "</btid></BootstrappingInfo> ", 28);
    CU_ASSERT_EQUAL(
        gba_bootstrapping_info_parse(
            (struct gba_bytes){(uint8_t *)big, GBA_BOOTSTRAPPING_INFO_MAX + 1}, &out),
        GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(gba_bootstrapping_info_parse(
                        (struct gba_bytes){(uint8_t *)big, GBA_BOOTSTRAPPING_INFO_MAX}, &out),
                    GBA_E_TOO_LONG);
    CU_ASSERT_STRING_EQUAL(out.btid, "");
    free(big);
}

static const struct unit_test tests[] = {
    {"octets of the vectors", test_print},
    {"the longest fits", test_longest_fits},
    {"reader", test_parse},
    {"too long", test_too_long},
};
UNIT_MAIN("bootstrapping_info", tests)
