/*
 * common/limiter.c and common/keyed_hash.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "common/keyed_hash.h"
#include "common/limiter.h"

static const uint8_t address[4] = {192, 0, 2, 1}, other[4] = {192, 0, 2, 2};

static struct limiter *make(struct limiter_rate s, struct limiter_rate a, size_t buckets)
{
    struct limiter_config c = {.subscriber = s, .address = a, .buckets = buckets};
    struct limiter *l = limiter_new(&c);

    CU_ASSERT_PTR_NOT_NULL_FATAL(l);
    return l;
}

static enum gba_err take(struct limiter *l, const char *impi, const uint8_t *a, int64_t now,
                         unsigned *retry)
{
    return limiter_take(l, gba_text(impi), (struct gba_bytes){a, 4}, now, retry);
}

static void test_burst_and_refill(void)
{
    struct limiter *l = make((struct limiter_rate){3, 60}, (struct limiter_rate){0, 1}, 64);
    unsigned retry;

    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(take(l, "a@b", address, 1000, &retry), GBA_OK);
    CU_ASSERT_EQUAL(take(l, "a@b", address, 1000, &retry), GBA_E_RATE_LIMITED);
    CU_ASSERT_EQUAL(retry, 1);
    CU_ASSERT_EQUAL(take(l, "c@d", address, 1000, &retry), GBA_OK);
    CU_ASSERT_EQUAL(take(l, "a@b", address, 1999, &retry), GBA_E_RATE_LIMITED);
    CU_ASSERT_EQUAL(take(l, "a@b", address, 2000, &retry), GBA_OK);
    CU_ASSERT_EQUAL(take(l, "a@b", address, 2000, &retry), GBA_E_RATE_LIMITED);
    /* never more than a burst, also after a year or a clock that goes back */
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(take(l, "a@b", address, INT64_C(31536000000), &retry), GBA_OK);
    CU_ASSERT_EQUAL(take(l, "a@b", address, INT64_C(31536000000), &retry), GBA_E_RATE_LIMITED);
    CU_ASSERT_EQUAL(take(l, "a@b", address, 5, &retry), GBA_E_RATE_LIMITED);
    CU_ASSERT_EQUAL(take(l, "a@b", address, 1005, &retry), GBA_OK);
    limiter_free(l);
}

/* A refusal by one bucket costs nothing in the other. */
static void test_both_or_none(void)
{
    struct limiter *l = make((struct limiter_rate){1, 1}, (struct limiter_rate){3, 1}, 64);
    unsigned retry;

    CU_ASSERT_EQUAL(take(l, "a@b", address, 0, &retry), GBA_OK);
    for (int i = 0; i < 9; i++)
        CU_ASSERT_EQUAL(take(l, "a@b", address, 0, &retry), GBA_E_RATE_LIMITED);
    CU_ASSERT_EQUAL(take(l, "c@d", address, 0, &retry), GBA_OK);
    CU_ASSERT_EQUAL(take(l, "e@f", address, 0, &retry), GBA_OK);
    CU_ASSERT_EQUAL(take(l, "g@h", address, 0, &retry), GBA_E_RATE_LIMITED);
    CU_ASSERT_EQUAL(take(l, "g@h", other, 0, &retry), GBA_OK); /* its token was not taken */
    limiter_free(l);
}

static void test_addresses(void)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr none = {.sa_family = AF_UNIX};
    struct gba_bytes b = limiter_address((const struct sockaddr *)&v4);

    UNIT_BYTES_EQ(b.p, b.n, "c0000201");
    inet_pton(AF_INET6, "2001:db8:1:2:3:4:5:6", &v6.sin6_addr);
    b = limiter_address((const struct sockaddr *)&v6);
    UNIT_BYTES_EQ(b.p, b.n, "20010db800010002");
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &v6.sin6_addr);
    b = limiter_address((const struct sockaddr *)&v6);
    UNIT_BYTES_EQ(b.p, b.n, "c0000201");
    CU_ASSERT_EQUAL(limiter_address(&none).n, 0);
    CU_ASSERT_EQUAL(limiter_address(NULL).n, 0);
}

/* A flood of names does not open an empty bucket: full ones make room first. */
static void test_flood_of_names(void)
{
    struct limiter *l = make((struct limiter_rate){5, 1}, (struct limiter_rate){0, 1}, 16);
    unsigned retry;
    char name[32];

    for (int i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(take(l, "victim@b", address, 0, &retry), GBA_OK);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "n%d@b", i);
        CU_ASSERT_EQUAL(take(l, name, address, 0, &retry), GBA_OK);
    }
    CU_ASSERT_EQUAL(take(l, "victim@b", address, 0, &retry), GBA_E_RATE_LIMITED);
    limiter_free(l);
}

/* The first vectors of the SipHash paper's reference: key 00..0f, message 00..(n-1). */
static void test_siphash(void)
{
    static const struct {
        size_t n;
        uint64_t hash;
    } rows[] = {{0, UINT64_C(0x726fdb47dd0e0e31)},
                {1, UINT64_C(0x74f839c593dc67fd)},
                {8, UINT64_C(0x93f5f5799a932462)},
                {15, UINT64_C(0xa129ca6149be45e5)}};
    uint8_t key[16], message[16];

    for (uint8_t i = 0; i < 16; i++)
        key[i] = message[i] = i;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT_EQUAL(keyed_hash(key, (struct gba_bytes){message, rows[i].n}), rows[i].hash);
}

static const struct unit_test tests[] = {
    {"burst and refill", test_burst_and_refill},
    {"both buckets or none", test_both_or_none},
    {"addresses", test_addresses},
    {"a flood of names", test_flood_of_names},
    {"SipHash-2-4", test_siphash},
};
UNIT_MAIN("limiter", tests)
