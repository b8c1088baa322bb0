/*
 * common/ua_protocol.c: the table of TS 33.220 Annex H and its notations.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>

#include "common/ua_protocol.h"

static void test_find(void)
{
    static const struct {
        const char *id, *name;
    } rows[] = {
        {"0000000000", "default"},
        {"0100000000", "subscriber-certificates"},
        {"0100000001", "mbms"},
        {"0100000002", "http-digest"},
        {"0100000003", "mbms-http"},
        {"0100000004", "mbms-sip"},
        {"0100000005", "generic-push-layer"},
        {"0100000006", "ims-kms-http"},
        {"0100000007", "psk-tls13"},
        {"0100000100", "tmpi"},
        {"01000100ae", "tls12"},
        {"0100011301", "tls12"},
        {"010001ffff", "tls12"},
        {"0100020000", "tls-browser"},
        {"010002c02f", "tls-browser"},
        {"0300000001", "oma-supl2"},
        {"0300000002", "oma-locsip"},
        {"0300000003", "oma-sip-digest"},
        {"030001c02f", "oma-tls"},
        {"0000000001", NULL}, /* H.2: organisation 00 has one identifier */
        {"0100000008", NULL},
        {"0100000101", NULL},
        {"0100030000", NULL},
        {"0101010000", NULL},
        {"0200000000", NULL},
        {"0300000000", NULL},
        {"ff00000000", NULL},
    };

    CU_ASSERT_EQUAL(gba_n_ua_protocols, 16);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct gba_ua_protocol *p = gba_ua_protocol_find(unit_hex(rows[i].id).p);

        CU_ASSERT_EQUAL(p == NULL, rows[i].name == NULL);
        if (p != NULL && rows[i].name != NULL)
            CU_ASSERT_STRING_EQUAL(p->name, rows[i].name);
    }
}

/* Each row is found by its own identifier: rows are apart and name themselves once. */
static void test_rows_are_apart(void)
{
    for (size_t i = 0; i < gba_n_ua_protocols; i++) {
        CU_ASSERT_PTR_EQUAL(gba_ua_protocol_find(gba_ua_protocols[i].id), &gba_ua_protocols[i]);
        CU_ASSERT(gba_ua_protocols[i].clause[0] != '\0');
        for (size_t k = 0; k < i; k++)
            CU_ASSERT_STRING_NOT_EQUAL(gba_ua_protocols[i].name, gba_ua_protocols[k].name);
    }
}

static void test_constants(void)
{
    uint8_t id[GBA_UA_ID_LEN];

    UNIT_BYTES_EQ(gba_ua_default, 5, "0000000000");
    UNIT_BYTES_EQ(gba_ua_http_digest, 5, "0100000002");
    UNIT_BYTES_EQ(gba_ua_psk_tls13, 5, "0100000007");
    UNIT_BYTES_EQ(gba_ua_tmpi, 5, "0100000100");
    gba_ua_tls12(0xc02f, id);
    UNIT_BYTES_EQ(id, 5, "010001c02f");
    gba_ua_tls12(0x00ae, id);
    UNIT_BYTES_EQ(id, 5, "01000100ae");
}

static void test_parse(void)
{
    static const struct {
        const char *text, *id; /* id NULL: refused */
    } rows[] = {
        {"0100000002", "0100000002"},
        {"010001C02F", "010001c02f"},
        {"ff01020304", "ff01020304"},
        {"http-digest", "0100000002"},
        {"psk-tls13", "0100000007"},
        {"psk-tls12:00ae", "01000100ae"},
        {"psk-tls12:C02F", "010001c02f"},
        {"", NULL},
        {"psk-tls12", NULL},
        {"psk-tls12:", NULL},
        {"psk-tls12:ae", NULL},
        {"psk-tls12:00aeff", NULL},
        {"psk-tls12:00ag", NULL},
        {"PSK-TLS13", NULL},
        {"http-digest ", NULL},
        {"010000000", NULL},
        {"01000000020", NULL},
        {"010000000200", NULL},
        {"0x01000002", NULL},
        {"01:00:00:00:02", NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t id[GBA_UA_ID_LEN] = {9, 9, 9, 9, 9};

        CU_ASSERT_EQUAL(gba_ua_parse(gba_text(rows[i].text), id),
                        rows[i].id != NULL ? GBA_OK : GBA_E_SYNTAX);
        UNIT_BYTES_EQ(id, 5, rows[i].id != NULL ? rows[i].id : "0909090909");
    }
}

static const struct unit_test tests[] = {
    {"find", test_find},
    {"rows are apart", test_rows_are_apart},
    {"constants", test_constants},
    {"parse", test_parse},
};
UNIT_MAIN("ua_protocol", tests)
