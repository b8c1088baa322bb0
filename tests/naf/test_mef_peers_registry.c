/*
 * naf/mef_peers_registry.c: which PSK identities, octet by octet, have a key and whose they
 * are. Certificates and raw public keys need sessions: test_mef_coap.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_peers_registry.h"

#include <stdio.h>
#include <string.h>

#include "tests/naf/mef_world.h"
#include "tests/unit.h"

static struct mef_world w;
static struct mef_peers_registry p;

static void add(enum mef_credential_kind kind, const char *name, size_t key_len,
                int64_t expires_s)
{
    struct mef_credential c = {
        .kind = kind, .enrolee = WORLD_ENROLEE, .key_len = key_len, .expires_s = expires_s};

    CU_ASSERT_EQUAL(mef_credential_name(kind, gba_text(name), c.name), GBA_OK);
    memset(c.key, 7, key_len);
    CU_ASSERT_EQUAL(w.registry->add_credential(w.registry, &c, MEF_OF_ADMIN), GBA_OK);
}

static void begin(void)
{
    mef_world_begin(&w);
    mef_peers_registry_init(&p, &w.mef);
    add(MEF_CRED_PSK, "key@mef.example", 20, 0);
    add(MEF_CRED_PSK, "until", 64, WORLD_T0);
    add(MEF_CRED_CERT, "dns:cert", 0, 0);
}

static void test_psk(void)
{
    static const struct {
        const char *octets;
        size_t n;
        size_t key_len; /* 0: nobody's */
    } rows[] = {
        {"key@mef.example", 15, 20},
        {"KEY@mef.example", 15, 20}, /* RelativeKeyID@FQDN has no case */
        {"until", 5, 64},
        {"until", 6, 0}, /* its NUL is of it */
        {"\0until", 6, 0},
        {"unti", 4, 0},
        {"until@", 6, 0},
        {" until", 6, 0},
        {"", 0, 0},
        {"dns:cert", 8, 0}, /* a credential, but of another kind */
        {WORLD_IMPI, sizeof(WORLD_IMPI) - 1, 0},
    };

    begin();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct gba_bytes id = {(const uint8_t *)rows[i].octets, rows[i].n};
        struct gba_naf_psk_row row = {.key_len = 0};
        struct mef_client c = {.is_enrolee = false};
        enum gba_err err = p.port.look_up(&p.port, id, &row);

        CU_ASSERT_EQUAL(err, rows[i].key_len != 0 ? GBA_OK : GBA_E_NOT_FOUND);
        CU_ASSERT_EQUAL(row.key_len, rows[i].key_len);
        CU_ASSERT_EQUAL(p.port.know_psk(&p.port, id, WORLD_T0 - 1, &c), GBA_OK);
        CU_ASSERT_EQUAL(c.is_enrolee, rows[i].key_len != 0);
        CU_ASSERT_STRING_EQUAL(c.id, c.is_enrolee ? WORLD_ENROLEE : "");
        if (c.is_enrolee != (rows[i].key_len != 0))
            printf("row %zu\n", i);
    }
    mef_world_end(&w);
}

static void test_expiry(void)
{
    struct gba_naf_psk_row row = {.key_len = 0};
    struct mef_client c = {.is_enrolee = false};

    begin();
    CU_ASSERT_EQUAL(p.port.look_up(&p.port, gba_text_bytes(GBA_TEXT("until")), &row), GBA_OK);
    CU_ASSERT(row.expires_s == WORLD_T0 && row.key[0] == 7 && row.key[63] == 7);
    CU_ASSERT_EQUAL(p.port.know_psk(&p.port, gba_text_bytes(GBA_TEXT("until")), WORLD_T0, &c),
                    GBA_OK);
    CU_ASSERT(!c.is_enrolee && c.id[0] == '\0');
    CU_ASSERT_EQUAL(
        p.port.know_psk(&p.port, gba_text_bytes(GBA_TEXT("key@mef.example")), WORLD_T0, &c),
        GBA_OK);
    CU_ASSERT_EQUAL(c.expires_s, INT64_MAX);
    mef_world_end(&w);
}

static const struct unit_test tests[] = {
    {"pre-shared keys", test_psk},
    {"expiry", test_expiry},
};
UNIT_MAIN("mef_peers_registry", tests)
