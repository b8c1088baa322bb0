/*
 * common/m2m_keys.c: the exporter's split, the derivations of TS-0003 10.3, NFKC and refusals.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>

#include "common/m2m_keys.h"

#define EXPORTED                                                                               \
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"                         \
    "202122232425262728292a2b2c2d2e2f"
#define KE "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"

static struct gba_key ke(void)
{
    struct gba_key k;

    memcpy(k.octets, unit_hex(KE).p, sizeof(k.octets));
    return k;
}

static void test_split(void)
{
    char id[M2M_KEY_ID_SIZE], fqdn[256];
    struct gba_key key;

    CU_ASSERT_EQUAL(
        m2m_export_split(unit_hex(EXPORTED).p, GBA_TEXT("mef.operator.example"), id, &key),
        GBA_OK);
    CU_ASSERT_STRING_EQUAL(id, "000102030405060708090A0B0C0D0E0F@mef.operator.example");
    UNIT_BYTES_EQ(key.octets, 32, KE);
    memset(fqdn, 'f', sizeof(fqdn));
    CU_ASSERT_EQUAL(
        m2m_export_split(unit_hex(EXPORTED).p, (struct gba_text){fqdn, 255}, id, &key), GBA_OK);
    CU_ASSERT_EQUAL(strlen(id), M2M_KEY_ID_SIZE - 1);
    CU_ASSERT_EQUAL(
        m2m_export_split(unit_hex(EXPORTED).p, (struct gba_text){fqdn, 256}, id, &key),
        GBA_E_TOO_LONG);
    CU_ASSERT_STRING_EQUAL(id, "");
}

static void test_derivations(void)
{
    const struct gba_key k = ke();
    struct gba_key out;

    CU_ASSERT_EQUAL(m2m_km(&k, GBA_TEXT("maf.operator.example"), &out), GBA_OK);
    UNIT_BYTES_EQ(out.octets, 32,
                  "e5d9a5effb6bf0344b5b96f63d58e2dfb66c3fea3e810651b25da76d9d2d985e");
    CU_ASSERT_EQUAL(m2m_kpsa(&k, GBA_TEXT("//operator.example/in-cse-1"), &out), GBA_OK);
    UNIT_BYTES_EQ(out.octets, 32,
                  "cca95f0431ed0b19721bb86f232f1c8a4b7b97e62fe656d004eeb7496da3e341");
    CU_ASSERT_EQUAL(m2m_usage_key(&k, gba_text_bytes(GBA_TEXT("21")),
                                  GBA_TEXT("maf.operator.example"), &out),
                    GBA_OK);
    UNIT_BYTES_EQ(out.octets, 32,
                  "ac6eb6834bfa567b5f9baa646d5b612bfa2b2a8b638f0fa44410f9fe9b0c6bc8");
}

static void test_nfkc(void)
{
    const struct gba_key k = ke();
    struct gba_key composed, combining;

    CU_ASSERT_EQUAL(m2m_km(&k,
                           GBA_TEXT("maf.b\xc3\xbc"
                                    "cher.example"),
                           &composed),
                    GBA_OK);
    CU_ASSERT_EQUAL(m2m_km(&k,
                           GBA_TEXT("maf.bu\xcc\x88"
                                    "cher.example"),
                           &combining),
                    GBA_OK);
    CU_ASSERT_EQUAL(memcmp(&composed, &combining, sizeof(composed)), 0);
    UNIT_BYTES_EQ(composed.octets, 32,
                  "20ae0bee7f350e361f331e929b97e1f2c5c5b7d3f5a32210da321d05c3d793fc");
}

static void test_refused(void)
{
    const struct gba_key k = ke();
    static char many[2049];
    struct gba_key out;

    memset(many, 'm', sizeof(many));
    CU_ASSERT_EQUAL(m2m_km(&k, GBA_TEXT("\xff"), &out), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(m2m_kpsa(&k, (struct gba_text){many, sizeof(many)}, &out), GBA_E_TOO_LONG);
}

static void test_e2e(void)
{
    struct gba_key kpsa, session;
    struct m2m_e2e_keys keys;

    memcpy(kpsa.octets,
           unit_hex("653903fd553f7972351ee279178525c197a819c1965b5862ef13649a7216b18d").p, 32);
    m2m_e2e_keys(&kpsa,
                 unit_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"),
                 &keys);
    UNIT_BYTES_EQ(keys.master.octets, 32,
                  "fa29b76e9872a1e92692ab81ef1151e29ade6f271b3834e7235f0d036815d98b");
    UNIT_BYTES_EQ(keys.msg_auth.octets, 32,
                  "dbaff83f51877e66eb21fe6f253a49cf3f373ffb593034042a9f4b2d483cbdde");
    UNIT_BYTES_EQ(keys.att_conf.octets, 32,
                  "941cabd277016ea64acc5cb90c5789624d378c10a41bf839d1a85b22fe9950ce");
    kpsa = ke();
    m2m_session_esprim_key(&kpsa, gba_text_bytes(GBA_TEXT("receiverRandObject-octets")),
                           gba_text_bytes(GBA_TEXT("originatorRandObject-octets")), &session);
    UNIT_BYTES_EQ(session.octets, 32,
                  "446e5160989dd696c8cdfebfe5a0f53b158fa915547ad6ba4fe359a6461a5cb9");
}

static const struct unit_test tests[] = {
    {"the exporter's 48 octets", test_split},
    {"Km, Kpsa, usage-constrained key", test_derivations},
    {"identifiers pass NFKC", test_nfkc},
    {"refused identifiers", test_refused},
    {"end-to-end and session keys", test_e2e},
};
UNIT_MAIN("m2m_keys", tests)
