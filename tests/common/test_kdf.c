/*
 * common/kdf.c: layout and limits of S, Ks_NAF, TMPI, 2G GBA, GBA_Digest; and NFKC under them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/kdf.h"

#define RAND "23553cbe9637a89d218ae64dae47bf35"
#define IMPI "001010123456789@ims.mnc001.mcc001.3gppnetwork.org"

static struct gba_ks ks_1(void)
{
    struct gba_ks ks;

    memcpy(ks.octets,
           unit_hex("b40ba9a3c58b2a05bbf0d987b21bf8cbf769bcd751044604127672711c6d3441").p, 32);
    return ks;
}

static void test_layout(void)
{
    uint8_t room[64];
    struct gba_wbuf s;
    const struct gba_bytes p[] = {unit_hex("aabb"), {NULL, 0}, unit_hex("cc")};

    gba_wbuf_init(&s, room, sizeof(room));
    CU_ASSERT_EQUAL(gba_kdf_s(unit_hex("01"), p, 3, &s), GBA_OK);
    UNIT_BYTES_EQ(s.p, s.n, "01aabb00020000cc0001");
    gba_wbuf_init(&s, room, sizeof(room));
    CU_ASSERT_EQUAL(gba_kdf_s(unit_hex("ff01"), p, 0, &s), GBA_OK);
    UNIT_BYTES_EQ(s.p, s.n, "ff01");
    gba_wbuf_init(&s, room, 9);
    CU_ASSERT_EQUAL(gba_kdf_s(unit_hex("01"), p, 3, &s), GBA_E_TOO_LONG);
}

static void test_limits(void)
{
    uint8_t *big = calloc(1, 65536), out[32];
    struct gba_bytes many[GBA_KDF_MAX_P + 1] = {{NULL, 0}}, p = {big, 65536};
    const struct gba_bytes fc = unit_hex("01");

    CU_ASSERT_PTR_NOT_NULL_FATAL(big);
    CU_ASSERT_EQUAL(gba_kdf(fc, fc, &p, 1, out), GBA_E_TOO_LONG);
    p.n = 65535;
    CU_ASSERT_EQUAL(gba_kdf(fc, fc, &p, 1, out), GBA_OK);
    CU_ASSERT_EQUAL(gba_kdf(fc, fc, many, GBA_KDF_MAX_P, out), GBA_OK);
    CU_ASSERT_EQUAL(gba_kdf(fc, fc, many, GBA_KDF_MAX_P + 1, out), GBA_E_TOO_LONG);
    free(big);
}

static void test_ks_naf(void)
{
    const struct gba_ks ks = ks_1();
    /* "naf.example" || 01 00 00 00 02 */
    const struct gba_bytes naf_id = unit_hex("6e61662e6578616d706c650100000002");
    struct gba_key me, uicc, wide, plain;

    CU_ASSERT_EQUAL(gba_ks_naf(&ks, GBA_USE_ME, unit_hex(RAND).p, gba_text(IMPI), naf_id, &me),
                    GBA_OK);
    CU_ASSERT_EQUAL(
        gba_ks_naf(&ks, GBA_USE_UICC, unit_hex(RAND).p, gba_text(IMPI), naf_id, &uicc), GBA_OK);
    CU_ASSERT_NOT_EQUAL(memcmp(&me, &uicc, sizeof(me)), 0);
    /* an IMPI that NFKC changes gives the key of the changed one: U+FF55 is a wide "u" */
    CU_ASSERT_EQUAL(gba_ks_naf(&ks, GBA_USE_ME, unit_hex(RAND).p, GBA_TEXT("\xef\xbd\x95@x"),
                               naf_id, &wide),
                    GBA_OK);
    CU_ASSERT_EQUAL(
        gba_ks_naf(&ks, GBA_USE_ME, unit_hex(RAND).p, GBA_TEXT("u@x"), naf_id, &plain), GBA_OK);
    CU_ASSERT_EQUAL(memcmp(&wide, &plain, sizeof(wide)), 0);
}

static void test_ks_naf_refuses(void)
{
    const struct gba_ks ks = ks_1();
    const struct gba_bytes naf_id = unit_hex("6e0100000002");
    static char many[GBA_KDF_MAX_STRING + 1];
    struct gba_key key;

    memset(many, 'i', sizeof(many));
    CU_ASSERT_EQUAL(
        gba_ks_naf(&ks, GBA_USE_ME, unit_hex(RAND).p, GBA_TEXT("\xff@x"), naf_id, &key),
        GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_ks_naf(&ks, GBA_USE_ME, unit_hex(RAND).p, gba_text(IMPI),
                               unit_hex("0100000002"), &key),
                    GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_ks_naf(&ks, GBA_USE_ME, unit_hex(RAND).p, gba_text(IMPI),
                               unit_hex("c00100000002"), &key),
                    GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_ks_naf(&ks, GBA_USE_ME, unit_hex(RAND).p,
                               (struct gba_text){many, sizeof(many)}, naf_id, &key),
                    GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(gba_ks_naf(&ks, GBA_USE_ME, unit_hex(RAND).p,
                               (struct gba_text){many, sizeof(many) - 1}, naf_id, &key),
                    GBA_OK);
}

/* The binary octets of the Ua id pass unchanged, though they are not UTF-8. */
static void test_ua_id_is_binary(void)
{
    const struct gba_ks ks = ks_1();
    struct gba_key a, b;

    CU_ASSERT_EQUAL(gba_ks_naf(&ks, GBA_USE_ME, unit_hex(RAND).p, gba_text(IMPI),
                               unit_hex("6e010001c0a8"), &a),
                    GBA_OK);
    CU_ASSERT_EQUAL(gba_ks_naf(&ks, GBA_USE_ME, unit_hex(RAND).p, gba_text(IMPI),
                               unit_hex("6e010001c0a9"), &b),
                    GBA_OK);
    CU_ASSERT_NOT_EQUAL(memcmp(&a, &b, sizeof(a)), 0);
}

static void test_tmpi(void)
{
    const struct gba_ks ks = ks_1();
    char tmpi[GBA_TMPI_SIZE];

    CU_ASSERT_EQUAL(gba_tmpi(&ks, unit_hex(RAND).p, gba_text(IMPI),
                             GBA_TEXT("bsf.mnc001.mcc001.pub.3gppnetwork.org"), tmpi),
                    GBA_OK);
    CU_ASSERT_STRING_EQUAL(tmpi, "NdfNQvvGWK4SGbs7c17alrZHQXyhEcrW@tmpi.bsf.3gppnetwork.org");
    CU_ASSERT_EQUAL(strlen(tmpi), GBA_TMPI_LEN);
    CU_ASSERT_EQUAL(gba_tmpi(&ks, unit_hex(RAND).p, gba_text(IMPI), GBA_TEXT("\x80"), tmpi),
                    GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_tmpi(&ks, unit_hex(RAND).p, gba_text(IMPI), GBA_TEXT(""), tmpi),
                    GBA_E_SYNTAX);
}

static void test_2g(void)
{
    const uint8_t *kc = unit_hex("eae4be823af9a08b").p, *sres = unit_hex("46f8416a").p;
    struct gba_ks ks;
    uint8_t res[16];

    gba_2g_res(kc, unit_hex(RAND).p, sres, res);
    UNIT_BYTES_EQ(res, 16, "91a40904556e5b5427543b008b1fc21e");
    gba_2g_ks(kc, unit_hex(RAND).p, sres, unit_hex("1112131415161718191a1b1c1d1e1f20").p, &ks);
    UNIT_BYTES_EQ(ks.octets, 32,
                  "17cad27562b871bebf6b0608f41940e62323b09b671563bb236af1013777c385");
}

static void test_gba_digest(void)
{
    const struct gba_bytes ha1 = unit_hex("d2bd9cd9a73b9fcab15b72804ca9f218");
    const struct gba_bytes tls = unit_hex("000102030405060708090a0b0c0d0e0f1011121314151617"
                                          "18191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f");
    uint8_t passwd[32];
    struct gba_ks ks;

    CU_ASSERT_EQUAL(gba_digest_passwd(ha1, tls.p, passwd), GBA_OK);
    UNIT_BYTES_EQ(passwd, 32,
                  "9ab3213993c96f5703cc2ea86023f5d658a4844dc2fa0f6ac485636e340a3cac");
    CU_ASSERT_EQUAL(
        gba_digest_ks(ha1, tls.p, unit_hex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"), &ks), GBA_OK);
    UNIT_BYTES_EQ(ks.octets, 32,
                  "8bd7905f48e50d7077449661aee70f342f492598a6ded02ef0406048f587c1e0");
}

static void test_akma(void)
{
    struct gba_key kausf, key, kaf;
    uint8_t a_tid[32];

    memcpy(kausf.octets,
           unit_hex("a2ceb20f7928bf154d4b548aee6d10a97601847fd72d2bc901982c086ea0f346").p, 32);
    CU_ASSERT_EQUAL(gba_akma_key(&kausf, GBA_TEXT("901700000021309"), &key), GBA_OK);
    UNIT_BYTES_EQ(key.octets, 32,
                  "7a5a7e4d6c8de9fa7c3ef64e4e54fe5057074fedd0366391c6e298373e2d4f24");
    CU_ASSERT_EQUAL(gba_akma_tid(&kausf, GBA_TEXT("901700000021309"), a_tid), GBA_OK);
    UNIT_BYTES_EQ(a_tid, 32,
                  "c830f2cce64cd40d6d83312b5e55e7c28f30ec33e097bd78305ff11428a3a3c3");
    CU_ASSERT_EQUAL(gba_akma_kaf(&key, unit_hex("6166312e686f6d65312e6e6574010001c02b"), &kaf),
                    GBA_OK);
    UNIT_BYTES_EQ(kaf.octets, 32,
                  "5b74fa518f8fbc8b4d19246644f9c5ef63a5de6cc83e40daecc87a84bef85e10");
    CU_ASSERT_EQUAL(gba_akma_kaf(&key, unit_hex("010001c02b"), &kaf), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_akma_tid(&kausf, GBA_TEXT("\xff"), a_tid), GBA_E_SYNTAX);
}

static const struct unit_test tests[] = {
    {"layout of S", test_layout},
    {"limits", test_limits},
    {"Ks_NAF and Ks_int_NAF, NFKC", test_ks_naf},
    {"Ks_NAF refuses", test_ks_naf_refuses},
    {"the Ua id is binary", test_ua_id_is_binary},
    {"TMPI", test_tmpi},
    {"2G GBA", test_2g},
    {"GBA_Digest", test_gba_digest},
    {"AKMA", test_akma},
};
UNIT_MAIN("kdf", tests)
