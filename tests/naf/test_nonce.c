/*
 * naf/nonce.c: life, binding to a name, counts under each policy, and that forgetting a nonce
 * never lets it be used again.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/nonce.h"

#include <string.h>

#include "tests/unit.h"

#define T0 1000000

static const uint8_t secret[32] = {7};

static struct nonces *make(enum gba_naf_nc policy, size_t max)
{
    struct nonces *t;

    CU_ASSERT_EQUAL_FATAL(nonces_new(secret, 100, max, policy, &t), GBA_OK);
    return t;
}

static struct gba_text issue(const struct nonces *t, int64_t now, uint8_t tag,
                             char out[static NONCE_SIZE])
{
    const uint8_t random[8] = {tag, tag, tag, tag, 1};

    nonce_make(t, GBA_TEXT("naf.example"), now, random, out);
    return gba_text(out);
}

static void test_life(void)
{
    struct nonces *t = make(GBA_NAF_NC_MONOTONIC, 64);
    char text[NONCE_SIZE];
    struct gba_text n = issue(t, T0, 1, text);

    CU_ASSERT_EQUAL(nonce_check(t, GBA_TEXT("naf.example"), n, T0), GBA_OK);
    CU_ASSERT_EQUAL(nonce_check(t, GBA_TEXT("naf.example"), n, T0 + 99), GBA_OK);
    CU_ASSERT_EQUAL(nonce_check(t, GBA_TEXT("naf.example"), n, T0 + 100), GBA_E_NONCE_EXPIRED);
    CU_ASSERT_EQUAL(nonce_check(t, GBA_TEXT("other.example"), n, T0), GBA_E_NONCE);
    CU_ASSERT(!nonce_aged(t, n, T0 + 49));
    CU_ASSERT(nonce_aged(t, n, T0 + 50));
    text[5] = text[5] == 'A' ? 'B' : 'A';
    CU_ASSERT_EQUAL(nonce_check(t, GBA_TEXT("naf.example"), n, T0), GBA_E_NONCE);
    CU_ASSERT_EQUAL(nonce_check(t, GBA_TEXT("naf.example"), GBA_TEXT("x"), T0), GBA_E_NONCE);
    CU_ASSERT_EQUAL(nonce_check(t, GBA_TEXT("naf.example"), GBA_TEXT(""), T0), GBA_E_NONCE);
    nonces_free(t);
}

static void test_policies(void)
{
    static const struct {
        enum gba_naf_nc policy;
        uint32_t nc[6];
        enum gba_err err[6];
    } rows[] = {
        {GBA_NAF_NC_MONOTONIC,
         {1, 1, 2, 16, 9, 0},
         {GBA_OK, GBA_E_NC, GBA_OK, GBA_OK, GBA_E_NC, GBA_E_NC}},
        {GBA_NAF_NC_MONOTONIC,
         {900, 901, 900, 0xffffffff, 0xffffffff, 1},
         {GBA_OK, GBA_OK, GBA_E_NC, GBA_OK, GBA_E_NC, GBA_E_NC}},
        {GBA_NAF_NC_STRICT,
         {2, 1, 2, 4, 3, 3},
         {GBA_E_NC, GBA_OK, GBA_OK, GBA_E_NC, GBA_OK, GBA_E_NC}},
        {GBA_NAF_NC_WINDOW,
         {3, 1, 2, 1, 100, 36},
         {GBA_OK, GBA_OK, GBA_OK, GBA_E_NC, GBA_OK, GBA_E_NC}},
        {GBA_NAF_NC_WINDOW,
         {100, 37, 37, 99, 101, 99},
         {GBA_OK, GBA_OK, GBA_E_NC, GBA_OK, GBA_OK, GBA_E_NC}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct nonces *t = make(rows[i].policy, 64);
        char text[NONCE_SIZE];
        struct gba_text n = issue(t, T0, 1, text);

        for (size_t k = 0; k < 6; k++)
            CU_ASSERT_EQUAL(nonce_use(t, n, GBA_TEXT("a"), rows[i].nc[k], T0), rows[i].err[k]);
        nonces_free(t);
    }
}

static void test_one_user(void)
{
    struct nonces *t = make(GBA_NAF_NC_MONOTONIC, 64);
    char text[NONCE_SIZE];
    struct gba_text n = issue(t, T0, 1, text);

    CU_ASSERT_EQUAL(nonce_use(t, n, GBA_TEXT("a"), 1, T0), GBA_OK);
    CU_ASSERT_EQUAL(nonce_use(t, n, GBA_TEXT("b"), 2, T0), GBA_E_NONCE);
    CU_ASSERT_EQUAL(nonce_use(t, n, GBA_TEXT("a"), 2, T0), GBA_OK);
    nonces_free(t);
}

/* Eight places: the ninth nonce pushes the first out, which may not come back. */
static void test_forgotten_is_used(void)
{
    struct nonces *t = make(GBA_NAF_NC_MONOTONIC, 8);
    char text[9][NONCE_SIZE], fresh[NONCE_SIZE];

    for (uint8_t i = 0; i < 9; i++)
        CU_ASSERT_EQUAL(
            nonce_use(t, issue(t, T0 + i, i, text[i]), GBA_TEXT("a"), 1, T0 + 10 + i), GBA_OK);
    CU_ASSERT_EQUAL(nonce_use(t, gba_text(text[0]), GBA_TEXT("a"), 1, T0 + 20),
                    GBA_E_NONCE_EXPIRED);
    CU_ASSERT_EQUAL(nonce_use(t, gba_text(text[8]), GBA_TEXT("a"), 1, T0 + 20), GBA_E_NC);
    CU_ASSERT_EQUAL(nonce_use(t, issue(t, T0 + 20, 99, fresh), GBA_TEXT("a"), 1, T0 + 20),
                    GBA_OK);
    nonces_free(t);
}

static const struct unit_test tests[] = {
    {"a nonce lives for its time, under its name", test_life},
    {"counts by policy", test_policies},
    {"a nonce has one user", test_one_user},
    {"what was forgotten counts as used", test_forgotten_is_used},
};
UNIT_MAIN("nonce", tests)
