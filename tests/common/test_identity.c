/*
 * common/identity.c: IMSI, IMPI, the BSF addresses of TS 23.003 16.2, B-TID, TMPI, FQDN,
 * NAF_Id.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>

#include "common/identity.h"

static void test_imsi(void)
{
    CU_ASSERT_EQUAL(gba_imsi_check(GBA_TEXT("234150999999999")), GBA_OK);
    CU_ASSERT_EQUAL(gba_imsi_check(GBA_TEXT("234151")), GBA_OK);
    CU_ASSERT_EQUAL(gba_imsi_check(GBA_TEXT("23415")), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_imsi_check(GBA_TEXT("2341509999999990")), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_imsi_check(GBA_TEXT("23415099999999x")), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_imsi_check(GBA_TEXT("23415\0999999999")), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_imsi_check(GBA_TEXT("")), GBA_E_SYNTAX);
}

static void test_from_imsi(void)
{
    char impi[GBA_IMPI_SIZE], bsf[GBA_FQDN_SIZE];
    const struct gba_text imsi = GBA_TEXT("234150999999999");

    CU_ASSERT_EQUAL(gba_impi_from_imsi(imsi, 2, impi), GBA_OK);
    CU_ASSERT_STRING_EQUAL(impi, "234150999999999@ims.mnc015.mcc234.3gppnetwork.org");
    CU_ASSERT_EQUAL(gba_impi_from_imsi(imsi, 3, impi), GBA_OK);
    CU_ASSERT_STRING_EQUAL(impi, "234150999999999@ims.mnc150.mcc234.3gppnetwork.org");
    CU_ASSERT_EQUAL(gba_bsf_from_imsi(imsi, 2, bsf), GBA_OK);
    CU_ASSERT_STRING_EQUAL(bsf, "bsf.mnc015.mcc234.pub.3gppnetwork.org");
    CU_ASSERT_EQUAL(gba_bsf_from_imsi(imsi, 3, bsf), GBA_OK);
    CU_ASSERT_STRING_EQUAL(bsf, "bsf.mnc150.mcc234.pub.3gppnetwork.org");
    for (unsigned mnc_len = 0; mnc_len < 6; mnc_len++)
        if (mnc_len != 2 && mnc_len != 3) {
            CU_ASSERT_EQUAL(gba_impi_from_imsi(imsi, mnc_len, impi), GBA_E_ARGUMENT);
            CU_ASSERT_STRING_EQUAL(impi, "");
            CU_ASSERT_EQUAL(gba_bsf_from_imsi(imsi, mnc_len, bsf), GBA_E_ARGUMENT);
        }
    CU_ASSERT_EQUAL(gba_impi_from_imsi(GBA_TEXT("23415x"), 2, impi), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_impi_from_imsi(GBA_TEXT("234150"), 3, impi),
                    GBA_E_SYNTAX); /* no MSIN */
    CU_ASSERT_EQUAL(gba_impi_from_imsi(GBA_TEXT("234150"), 2, impi), GBA_OK);
}

static void test_impi(void)
{
    static const struct gba_text good[] = {
        GBA_TEXT("234150999999999@ims.mnc015.mcc234.3gppnetwork.org"),
        GBA_TEXT("user1_private@home1.net"),
        GBA_TEXT("a@b"),
        GBA_TEXT("J\xc3\xa4s@home1.net"),
        GBA_TEXT("a \xc2\xa0@b"), /* the first octets that are no controls */
    };
    static const struct gba_text bad[] = {
        GBA_TEXT(""),
        GBA_TEXT("user"),
        GBA_TEXT("@home1.net"),
        GBA_TEXT("user@"),
        GBA_TEXT("@"),
        GBA_TEXT("a@b@c"),
        GBA_TEXT("a\0@b"),
        GBA_TEXT("\x1f@b"),
        GBA_TEXT("a\xc2\x9f@b"),
        GBA_TEXT("a@b\n"),
        GBA_TEXT("a\x7f@b"),
        GBA_TEXT("a\xc2\x85@b"), /* a C1 control */
        GBA_TEXT("a\xff@b"),
        GBA_TEXT("a@b\xc3"),
        GBA_TEXT("a\xc0\x80@b"),     /* overlong NUL */
        GBA_TEXT("a\xed\xa0\x80@b"), /* surrogate */
    };
    char longest[GBA_IMPI_SIZE + 1];

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        CU_ASSERT_EQUAL(gba_impi_check(good[i]), GBA_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_EQUAL(gba_impi_check(bad[i]), GBA_E_SYNTAX);
    memset(longest, 'a', sizeof(longest));
    longest[1] = '@';
    CU_ASSERT_EQUAL(gba_impi_check((struct gba_text){longest, 255}), GBA_OK);
    CU_ASSERT_EQUAL(gba_impi_check((struct gba_text){longest, 256}), GBA_E_SYNTAX);
}

/* TS 23.003 16.2. */
static void test_bsf_from_impi(void)
{
    static const struct {
        const char *impi, *bsf;
    } rows[] = {
        {"234150999999999@ims.mnc015.mcc234.3gppnetwork.org",
         "bsf.ims.mnc015.mcc234.pub.3gppnetwork.org"},
        {"user@operator.com", "bsf.operator.com"},
        {"user@OPERATOR.Com.", "bsf.operator.com"},
        {"user@ims.mnc015.mcc234.3GPPnetwork.org", "bsf.ims.mnc015.mcc234.pub.3gppnetwork.org"},
        {"user@3gppnetwork.org", "bsf.pub.3gppnetwork.org"},
        {"user@not3gppnetwork.org", "bsf.not3gppnetwork.org"},
        {"user@3gppnetwork.org.example", "bsf.3gppnetwork.org.example"},
        {"user@b\xc3\xbc"
         "cher.example",
         "bsf.xn--bcher-kva.example"},
        {"user", NULL},
        {"user@a b", NULL},
        {"user@[::1]", NULL},
        {"user@a..b", NULL},
    };
    char bsf[GBA_FQDN_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_EQUAL(gba_bsf_from_impi(gba_text(rows[i].impi), bsf),
                        rows[i].bsf != NULL ? GBA_OK : GBA_E_SYNTAX);
        CU_ASSERT_STRING_EQUAL(bsf, rows[i].bsf != NULL ? rows[i].bsf : "");
    }
}

static void test_btid(void)
{
    static const char *const bad[] = {
        "",
        "I1U8vpY3qJ0hiuZNrke/NQ==",
        "I1U8vpY3qJ0hiuZNrke/NQ==@",
        "@bsf.example",
        "I1U8vpY3qJ0hiuZNrke/NQ@bsf.example",
        "I1U8vpY3qJ0hiuZNrke/NQ=@bsf.example",
        "I1U8vpY3qJ0hiuZNrke/NR==@bsf.example", /* unused bits */
        "I1U8vpY3qJ0hiuZNrke/NTU=@bsf.example", /* 17 octets */
        "I1U8vpY3qJ0hiuZNrke/@bsf.example",     /* 15 */
        "I1U8vpY3qJ0hiuZNrke/NQ==@bsf.example:80",
        "I1U8vpY3qJ0hiuZNrke/NQ==@bsf.example@x",
        "I1U8vpY3qJ0hiuZNrke/NQ== @bsf.example",
        " I1U8vpY3qJ0hiuZNrke/NQ==@bsf.example",
        "I1U8vpY3qJ0hiuZNrke/NQ==@bsf/../x",
    };
    uint8_t rand[16], got[16];
    char btid[GBA_BTID_SIZE];
    struct gba_text domain;

    gba_unhex_exact(rand, 16, GBA_TEXT("23553cbe9637a89d218ae64dae47bf35"));
    CU_ASSERT_EQUAL(
        gba_btid_make(rand, GBA_TEXT("BSF.mnc015.mcc234.pub.3gppnetwork.org."), btid), GBA_OK);
    CU_ASSERT_STRING_EQUAL(btid,
                           "I1U8vpY3qJ0hiuZNrke/NQ==@bsf.mnc015.mcc234.pub.3gppnetwork.org");
    CU_ASSERT_EQUAL(gba_btid_parse(gba_text(btid), got, &domain), GBA_OK);
    UNIT_BYTES_EQ(got, 16, "23553cbe9637a89d218ae64dae47bf35");
    CU_ASSERT(gba_text_is(domain, "bsf.mnc015.mcc234.pub.3gppnetwork.org"));
    CU_ASSERT_PTR_EQUAL(domain.s, btid + 25);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CU_ASSERT_EQUAL(gba_btid_parse(gba_text(bad[i]), got, &domain), GBA_E_SYNTAX);
        CU_ASSERT_EQUAL(domain.n, 0);
    }
    CU_ASSERT_EQUAL(gba_btid_make(rand, GBA_TEXT("bsf example"), btid), GBA_E_SYNTAX);
    CU_ASSERT_STRING_EQUAL(btid, "");
}

static void test_tmpi(void)
{
    CU_ASSERT(
        gba_is_tmpi(GBA_TEXT("2rBy9bL8T/1NFq7GP5vqj0H26PadfXr8@tmpi.bsf.3gppnetwork.org")));
    CU_ASSERT(
        gba_is_tmpi(GBA_TEXT("2rBy9bL8T/1NFq7GP5vqj0H26PadfXr8@TMPI.bsf.3GPPnetwork.org")));
    CU_ASSERT(
        !gba_is_tmpi(GBA_TEXT("2rBy9bL8T/1NFq7GP5vqj0H26PadfXr@tmpi.bsf.3gppnetwork.org")));
    CU_ASSERT(
        !gba_is_tmpi(GBA_TEXT("2rBy9bL8T/1NFq7GP5vqj0H26PadfX==@tmpi.bsf.3gppnetwork.org")));
    CU_ASSERT(
        !gba_is_tmpi(GBA_TEXT("2rBy9bL8T/1NFq7GP5vqj0H26PadfXr8@tmpi.bsf.3gppnetwork.org.")));
    CU_ASSERT(
        !gba_is_tmpi(GBA_TEXT("2rBy9bL8T/1NFq7GP5vqj0H26PadfXr8@x.tmpi.bsf.3gppnetwork.org")));
    CU_ASSERT(!gba_is_tmpi(GBA_TEXT("234150999999999@ims.mnc015.mcc234.3gppnetwork.org")));
    CU_ASSERT(!gba_is_tmpi(GBA_TEXT("tmpi.bsf.3gppnetwork.org")));
    CU_ASSERT(!gba_is_tmpi(GBA_TEXT("")));
}

static const struct {
    const char *in, *out; /* out NULL: refused */
} names[] = {
    {"naf1.home1.net", "naf1.home1.net"},
    {"NAF1.Home1.NET", "naf1.home1.net"},
    {"naf1.home1.net.", "naf1.home1.net"},
    {"localhost", "localhost"},
    {"a", "a"},
    {"_srv.a_b.example", "_srv.a_b.example"},
    {"xn--bcher-kva.example", "xn--bcher-kva.example"},
    {"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
    {"b\xc3\xbc"
     "cher.example",
     "xn--bcher-kva.example"},
    {"B\xc3\x9c"
     "CHER.example",
     "xn--bcher-kva.example"},
    {"bu\xcc\x88"
     "cher.example",
     "xn--bcher-kva.example"}, /* combining */
    {"b\xc3\xbc"
     "cher\xe3\x80\x82"
     "example",
     "xn--bcher-kva.example"}, /* U+3002 is a dot */
    {"b\xc3\xbc"
     "cher.example\xe3\x80\x82",
     "xn--bcher-kva.example"},
    {"stra\xc3\x9f"
     "e.example",
     "xn--strae-oqa.example"}, /* IDNA 2008: the sharp s stays */
    {"192.0.2.1", "192.0.2.1"},
    {"[2001:DB8:0:0::1]", "[2001:db8::1]"},
    {"[::1]", "[::1]"},
    {"1a.2b", "1a.2b"},
    {"AZaz09-_z.AZ", "azaz09-_z.az"},
    {"\xc3\xbc", "xn--tda"},
    {"a\x7f.net", NULL},
    {"1.2.3.4.example", "1.2.3.4.example"},
    {"", NULL},
    {".", NULL},
    {"..", NULL},
    {"naf1..net", NULL},
    {".naf1.net", NULL},
    {"naf1.net..", NULL},
    {"naf1.net:443", NULL},
    {"naf1 net", NULL},
    {" naf1.net", NULL},
    {"naf1.net\n", NULL},
    {"naf1/net", NULL},
    {"user@naf1.net", NULL},
    {"*.naf1.net", NULL},
    {"-naf.net", NULL},
    {"naf-.net", NULL},
    {"1.2.3", NULL},
    {"1.2.3.256", NULL},
    {"192.0.2.01", NULL},
    {"::1", NULL},
    {"[::1", NULL},
    {"[]", NULL},
    {"[", NULL},
    {"[::1]:443", NULL},
    {"[::1].", NULL},
    {"[fe80::1%eth0]", NULL},
    {"[192.0.2.1]", NULL},
    {"naf\xff.net", NULL},
    {"b\xc3\xbc"
     "cher.exam ple",
     NULL},
    {"\xe2\x80\x8b.net", NULL}, /* zero width space: an empty label */
};

static void test_fqdn(void)
{
    char out[GBA_FQDN_SIZE];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct gba_text in = gba_text(names[i].in);
        enum gba_err err = gba_fqdn_canonical(in, out);

        if (err != (names[i].out != NULL ? GBA_OK : GBA_E_SYNTAX) ||
            strcmp(out, names[i].out != NULL ? names[i].out : "") != 0)
            printf("\n<%s>: %s <%s>\n", names[i].in, gba_err_name(err), out);
        CU_ASSERT_EQUAL(err, names[i].out != NULL ? GBA_OK : GBA_E_SYNTAX);
        CU_ASSERT_STRING_EQUAL(out, names[i].out != NULL ? names[i].out : "");
        if (err != GBA_OK)
            continue;
        CU_ASSERT_EQUAL(gba_fqdn_check(gba_text(out)), GBA_OK);
        CU_ASSERT_EQUAL(gba_fqdn_check(in),
                        strcmp(names[i].in, out) == 0 ? GBA_OK : GBA_E_SYNTAX);
    }
    CU_ASSERT_EQUAL(gba_fqdn_canonical(GBA_TEXT("naf1\0.net"), out), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_fqdn_canonical(GBA_TEXT("naf1.net\0"), out), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_fqdn_canonical(GBA_TEXT("b\xc3\xbc\0cher.net"), out), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_fqdn_canonical(GBA_TEXT("[::1\0]"), out), GBA_E_SYNTAX);
}

static void test_fqdn_lengths(void)
{
    char name[300], out[GBA_FQDN_SIZE];

    memset(name, 'a', sizeof(name));
    CU_ASSERT_EQUAL(gba_fqdn_canonical((struct gba_text){name, 63}, out), GBA_OK);
    CU_ASSERT_EQUAL(gba_fqdn_canonical((struct gba_text){name, 64}, out), GBA_E_SYNTAX);
    for (size_t i = 63; i < sizeof(name); i += 64)
        name[i] = '.';
    CU_ASSERT_EQUAL(gba_fqdn_canonical((struct gba_text){name, 253}, out), GBA_OK);
    CU_ASSERT_EQUAL(strlen(out), 253);
    CU_ASSERT_EQUAL(gba_fqdn_canonical((struct gba_text){name, 254}, out), GBA_E_SYNTAX);
    name[253] = '.';
    CU_ASSERT_EQUAL(gba_fqdn_canonical((struct gba_text){name, 254}, out), GBA_OK);
    CU_ASSERT_EQUAL(gba_fqdn_canonical((struct gba_text){name, sizeof(name)}, out),
                    GBA_E_SYNTAX);
}

static void test_naf_id(void)
{
    static const uint8_t ua_id[5] = {1, 0, 0, 0, 2};
    struct gba_naf_id id;
    struct gba_text fqdn;
    const uint8_t *ua;

    CU_ASSERT_EQUAL(gba_naf_id_make(GBA_TEXT("NAF1.home1.net."), ua_id, &id), GBA_OK);
    UNIT_BYTES_EQ(id.octets, id.n, "6e6166312e686f6d65312e6e65740100000002");
    CU_ASSERT_EQUAL(gba_naf_id_parse((struct gba_bytes){id.octets, id.n}, &fqdn, &ua), GBA_OK);
    CU_ASSERT(gba_text_is(fqdn, "naf1.home1.net"));
    UNIT_BYTES_EQ(ua, 5, "0100000002");
    CU_ASSERT_EQUAL(gba_naf_id_make(GBA_TEXT("naf1.net:80"), ua_id, &id), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(id.n, 0);
}

static void test_naf_id_refused(void)
{
    static const char *const bad[] = {
        "",
        "0100000002",                               /* no FQDN */
        "4e4146312e6e65740100000002",               /* NAF1.net: not canonical */
        "6e6166312e6e65742e0100000002",             /* trailing dot */
        "6e6166312e6e65743a38300100000002",         /* port */
        "6e6166002e6e65740100000002",               /* NUL */
        "62c3bc636865722e6578616d706c650100000002", /* U-label */
    };
    uint8_t octets[GBA_NAF_ID_SIZE + 1];
    struct gba_text fqdn;
    const uint8_t *ua;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CU_ASSERT_EQUAL(gba_naf_id_parse(unit_hex(bad[i]), &fqdn, &ua), GBA_E_SYNTAX);
        CU_ASSERT_EQUAL(fqdn.n, 0);
        CU_ASSERT_PTR_NULL(ua);
    }
    CU_ASSERT_EQUAL(gba_naf_id_parse(unit_hex("610100000002"), &fqdn, &ua), GBA_OK);
    memset(octets, 'a', sizeof(octets));
    CU_ASSERT_EQUAL(gba_naf_id_parse(GBA_BYTES(octets), &fqdn, &ua), GBA_E_SYNTAX);
}

static const struct unit_test tests[] = {
    {"IMSI", test_imsi},     {"IMPI and BSF from an IMSI", test_from_imsi},
    {"IMPI", test_impi},     {"BSF from an IMPI", test_bsf_from_impi},
    {"B-TID", test_btid},    {"TMPI", test_tmpi},
    {"FQDN", test_fqdn},     {"FQDN, lengths", test_fqdn_lengths},
    {"NAF_Id", test_naf_id}, {"NAF_Id refused", test_naf_id_refused},
};
UNIT_MAIN("identity", tests)
