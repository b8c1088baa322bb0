/*
 * common/tls_prf.c: the published P_SHA256 vector, exporters with and without context, limits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>

#include "common/tls_prf.h"

static void test_prf(void)
{
    uint8_t out[100];

    gba_tls12_prf(unit_hex("9bbe436ba940f017b17652849a71db35"), GBA_TEXT("test label"),
                  unit_hex("a0ba9f936cda311827a6f796ffd5198c"), out, sizeof(out));
    UNIT_BYTES_EQ(
        out, sizeof(out),
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9"
        "c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789ba"
        "a48082d122ee42c5a72e5a5110fff70187347b66");
}

/* A shorter output is the head of a longer one (RFC 5246 5); in TLS 1.3 the length is hashed.
 */
static void test_lengths(void)
{
    const struct gba_bytes secret = unit_hex("9bbe436ba940f017b17652849a71db35");
    uint8_t whole[100], part[100], ems[32] = {1};

    gba_tls12_prf(secret, GBA_TEXT("l"), secret, whole, sizeof(whole));
    for (size_t n = 0; n <= sizeof(part); n++) {
        gba_tls12_prf(secret, GBA_TEXT("l"), secret, part, n);
        CU_ASSERT_EQUAL(memcmp(whole, part, n), 0);
    }
    CU_ASSERT_EQUAL(gba_tls13_export(ems, GBA_TEXT("l"), secret, whole, 48), GBA_OK);
    CU_ASSERT_EQUAL(gba_tls13_export(ems, GBA_TEXT("l"), secret, part, 32), GBA_OK);
    CU_ASSERT_NOT_EQUAL(memcmp(whole, part, 32), 0);
}

static void test_tls12_context(void)
{
    const struct gba_bytes empty = {NULL, 0};
    struct gba_bytes big;
    static uint8_t room[65536];
    uint8_t master[48], client[32], server[32], none[48], with_empty[48], with_zero[48];

    for (size_t i = 0; i < sizeof(master); i++)
        master[i] = (uint8_t)i;
    memset(client, 0xc1, sizeof(client));
    memset(server, 0x5e, sizeof(server));
    CU_ASSERT_EQUAL(gba_tls12_export(master, client, server,
                                     GBA_TEXT("EXPORTER-oneM2M-Bootstrap"), NULL, none, 48),
                    GBA_OK);
    UNIT_BYTES_EQ(none, 48,
                  "7cc2d1a196404e26606cd9f3c57d9b6770f52f36c9342f3760ee6e151477416d"
                  "9f88c86c16ea78b122b777f3334723ca");
    CU_ASSERT_EQUAL(gba_tls12_export(master, client, server,
                                     GBA_TEXT("EXPORTER-oneM2M-Bootstrap"), &empty, with_empty,
                                     48),
                    GBA_OK);
    CU_ASSERT_NOT_EQUAL(memcmp(none, with_empty, 48), 0);
    big = (struct gba_bytes){room, 1};
    CU_ASSERT_EQUAL(gba_tls12_export(master, client, server,
                                     GBA_TEXT("EXPORTER-oneM2M-Bootstrap"), &big, with_zero,
                                     48),
                    GBA_OK);
    CU_ASSERT_NOT_EQUAL(memcmp(with_zero, with_empty, 48), 0);
    big.n = sizeof(room);
    CU_ASSERT_EQUAL(
        gba_tls12_export(master, client, server, GBA_TEXT("l"), &big, with_zero, 48),
        GBA_E_TOO_LONG);
}

static void test_tls13(void)
{
    const struct gba_bytes empty = {NULL, 0};
    uint8_t ems[32], out[48];
    char label[250];

    for (size_t i = 0; i < sizeof(ems); i++)
        ems[i] = (uint8_t)(0x20 + i);
    CU_ASSERT_EQUAL(
        gba_tls13_export(ems, GBA_TEXT("EXPORTER-oneM2M-Bootstrap"), empty, out, 48), GBA_OK);
    UNIT_BYTES_EQ(out, 48,
                  "bd9e19da38c4cc1a1f89c437609ec67de52c31331d731fa6324e8c030703b91d"
                  "2911245c9484683965290869a3ab1be0");
    memset(label, 'l', sizeof(label));
    CU_ASSERT_EQUAL(gba_tls13_export(ems, (struct gba_text){label, 249}, empty, out, 48),
                    GBA_OK);
    CU_ASSERT_EQUAL(gba_tls13_export(ems, (struct gba_text){label, 250}, empty, out, 48),
                    GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(gba_tls13_export(ems, GBA_TEXT("l"), empty, out, 255 * 32 + 1),
                    GBA_E_TOO_LONG);
}

static const struct unit_test tests[] = {
    {"PRF", test_prf},
    {"lengths", test_lengths},
    {"TLS 1.2: no context, empty, too long", test_tls12_context},
    {"TLS 1.3", test_tls13},
};
UNIT_MAIN("tls_prf", tests)
