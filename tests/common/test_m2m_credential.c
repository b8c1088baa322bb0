/*
 * common/m2m_credential.c: the file of a pre-provisioned credential, plain and sealed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_credential.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit.h"

#define HEAD "opengaa-credential=1\n"
#define KEY  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define GOOD                                                                                   \
    HEAD "kind=kpsa\nkey_id=abc@sp.example\nkey=" KEY                                          \
         "\npeer=//sp.example/cse1\nentity=//sp.example/cse1/Cx\nfqdn=cse1.sp.example\n"       \
         "suite=PSK-AES128-CBC-SHA256\nexpires=2030-01-02T03:04:05Z\n"

static void test_round_trip(void)
{
    struct m2m_credential c;
    char text[M2M_CREDENTIAL_MAX];
    struct gba_wbuf w;
    unsigned line;

    CU_ASSERT_EQUAL(m2m_credential_read(GBA_TEXT(GOOD), &c, &line), GBA_OK);
    CU_ASSERT_EQUAL(c.kind, M2M_CRED_KPSA);
    CU_ASSERT_STRING_EQUAL(c.key_id, "abc@sp.example");
    CU_ASSERT_EQUAL(c.key_len, 32);
    CU_ASSERT_EQUAL(c.key[31], 0x1f);
    CU_ASSERT_EQUAL(c.expires_s, 1893553445);
    gba_wbuf_init(&w, text, sizeof(text));
    CU_ASSERT_EQUAL(m2m_credential_print(&c, &w), GBA_OK);
    CU_ASSERT_EQUAL(m2m_credential_read(gba_bytes_text(gba_wbuf_bytes(&w)), &c, &line), GBA_OK);
    CU_ASSERT_STRING_EQUAL(c.suite, "PSK-AES128-CBC-SHA256");
    CU_ASSERT_STRING_EQUAL(c.entity, "//sp.example/cse1/Cx");
}

static void test_refused(void)
{
    static const struct {
        const char *text;
        enum gba_err err;
        unsigned line;
    } rows[] = {
        {"", GBA_E_SYNTAX, 0},
        {"kind=kpm\n", GBA_E_SYNTAX, 1},
        {"opengaa-credential=2\n", GBA_E_SYNTAX, 1},
        {HEAD, GBA_E_MISSING, 0},
        {HEAD "kind=ks\n", GBA_E_SYNTAX, 2},
        {HEAD "kind=kpm\n# words\n\nkind=kpm\n", GBA_E_REPEATED, 5},
        {HEAD "kind=kpm\nnonsense\n", GBA_E_SYNTAX, 3},
        {HEAD "kind=kpm\nunknown=1\n", GBA_E_SYNTAX, 3},
        {HEAD "kind=kpm\nkey=00\n", GBA_E_SYNTAX, 3},
        {HEAD "kind=kpm\nkey=0001020304050607080900010203040\n", GBA_E_SYNTAX, 3},
        {HEAD "kind=kpm\nkey_id=two words\n", GBA_E_SYNTAX, 3},
        {HEAD "kind=kpm\nkey_id=\n", GBA_E_SYNTAX, 3},
        {HEAD "kind=kpm\nexpires=tomorrow\n", GBA_E_SYNTAX, 3},
        {HEAD "kind=kpm\nfqdn=a..b\n", GBA_E_SYNTAX, 3},
        {HEAD "kind=kpm\nkey_id=a\nkey=" KEY "\n", GBA_E_MISSING, 0}, /* no peer */
        {HEAD "kind=kpsa\nkey_id=a\npeer=b\nkey=00010203040506070809000102030405\n",
         GBA_E_SYNTAX, 0}, /* Kpsa has 256 bits */
    };
    struct m2m_credential c;
    unsigned line;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_EQUAL(m2m_credential_read(gba_text(rows[i].text), &c, &line), rows[i].err);
        CU_ASSERT_EQUAL(line, rows[i].line);
        CU_ASSERT(c.key_len == 0 && c.key[0] == 0);
    }
}

static void test_sealed(void)
{
    static const uint8_t key[32] = {1}, other[32] = {2}, nonce[12] = {3};
    uint8_t octets[M2M_CREDENTIAL_MAX];
    struct m2m_credential c, got;
    struct gba_wbuf w;
    unsigned line;

    CU_ASSERT_EQUAL(m2m_credential_read(GBA_TEXT(GOOD), &c, &line), GBA_OK);
    gba_wbuf_init(&w, octets, sizeof(octets));
    CU_ASSERT_EQUAL(m2m_credential_seal(&c, key, nonce, &w), GBA_OK);
    CU_ASSERT_PTR_NULL(memmem(octets, w.n, "key_id", 6));
    CU_ASSERT_EQUAL(m2m_credential_open(gba_wbuf_bytes(&w), key, &got, &line), GBA_OK);
    CU_ASSERT(gba_equal_ct(got.key, c.key, sizeof(c.key)));
    CU_ASSERT_EQUAL(m2m_credential_open(gba_wbuf_bytes(&w), other, &got, &line), GBA_E_CRYPTO);
    CU_ASSERT_EQUAL(m2m_credential_open(gba_wbuf_bytes(&w), NULL, &got, &line), GBA_E_CRYPTO);
    for (size_t n = 0; n < w.n; n += 7) /* cut short anywhere */
        CU_ASSERT_NOT_EQUAL(
            m2m_credential_open((struct gba_bytes){octets, n}, key, &got, &line), GBA_OK);
    octets[w.n / 2] ^= 1;
    CU_ASSERT_EQUAL(m2m_credential_open(gba_wbuf_bytes(&w), key, &got, &line), GBA_E_CRYPTO);
    CU_ASSERT_EQUAL(m2m_credential_open(gba_text_bytes(GBA_TEXT(GOOD)), key, &got, &line),
                    GBA_OK);
}

static const struct unit_test tests[] = {
    {"printed and read", test_round_trip},
    {"refused, with the line", test_refused},
    {"sealed", test_sealed},
};
UNIT_MAIN("m2m_credential", tests)
