/*
 * common/sqn.c: window, IND, freshness limit, resynchronisation, end of the counter
 * (TS 33.102 Annex C).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include "common/sqn.h"

static uint64_t sqn(uint64_t seq, unsigned ind)
{
    return seq << GBA_SQN_IND_BITS | ind;
}

#define SEQ_MAX (GBA_SQN_MAX >> GBA_SQN_IND_BITS)

static void test_octets(void)
{
    uint8_t o[6];

    gba_sqn_put(GBA_SQN_MAX - 1, o);
    UNIT_BYTES_EQ(o, 6, "fffffffffffe");
    CU_ASSERT_EQUAL(gba_sqn_get(o), GBA_SQN_MAX - 1);
    CU_ASSERT_EQUAL(gba_sqn_get(unit_hex("0102030405ff").p), UINT64_C(0x0102030405ff));
}

static void test_accept_once(void)
{
    struct gba_sqn_usim u = {{0}};

    CU_ASSERT_EQUAL(gba_sqn_accept(&u, 0), GBA_E_SYNC); /* a fresh USIM has seen SEQ 0 */
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(0, 5)), GBA_E_SYNC);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(1, 0)), GBA_OK);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(1, 0)), GBA_E_SYNC);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(2, 0)), GBA_OK);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(1, 0)), GBA_E_SYNC);
}

/* Out of order across INDs is what the array is for. */
static void test_window(void)
{
    struct gba_sqn_usim u = {{0}};

    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(100, 1)), GBA_OK);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(99, 2)), GBA_OK);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(1, 3)), GBA_OK); /* no age limit L */
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(99, 1)), GBA_E_SYNC);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(99, 2)), GBA_E_SYNC);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(100, 2)), GBA_OK);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(1, 31)), GBA_OK);
    CU_ASSERT_EQUAL(u.seq[31], 1);
}

static void test_delta(void)
{
    struct gba_sqn_usim u = {{0}};

    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(GBA_SQN_DELTA + 1, 4)), GBA_E_SYNC);
    CU_ASSERT_EQUAL(u.seq[4], 0);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(GBA_SQN_DELTA, 4)), GBA_OK);
    /* measured from the highest SEQ of the array, not from that of the IND */
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(2 * GBA_SQN_DELTA, 5)), GBA_OK);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(3 * GBA_SQN_DELTA + 1, 4)), GBA_E_SYNC);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(3 * GBA_SQN_DELTA, 4)), GBA_OK);
}

static void test_out_of_range(void)
{
    struct gba_sqn_usim u = {{[0] = SEQ_MAX - 1}};

    CU_ASSERT_EQUAL(gba_sqn_accept(&u, GBA_SQN_MAX + 1), GBA_E_SYNC);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, UINT64_MAX), GBA_E_SYNC);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, GBA_SQN_MAX), GBA_OK);
    CU_ASSERT_EQUAL(gba_sqn_ms(&u), GBA_SQN_MAX);
}

static void test_sqn_ms(void)
{
    struct gba_sqn_usim u = {{0}};

    CU_ASSERT_EQUAL(gba_sqn_ms(&u), 0);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(31, 1)), GBA_OK);
    CU_ASSERT_EQUAL(gba_sqn_ms(&u), 0x3e1);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(30, 7)), GBA_OK);
    CU_ASSERT_EQUAL(gba_sqn_ms(&u), 0x3e1);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, sqn(31, 7)), GBA_OK);
    CU_ASSERT_EQUAL(gba_sqn_ms(&u), sqn(31, 7));
}

static void test_next(void)
{
    uint64_t v = 77;

    CU_ASSERT_EQUAL(gba_sqn_next(0, 0, &v), GBA_OK);
    CU_ASSERT_EQUAL(v, 0x20);
    CU_ASSERT_EQUAL(gba_sqn_next(sqn(5, 31), 3, &v), GBA_OK);
    CU_ASSERT_EQUAL(v, sqn(6, 3));
    CU_ASSERT_EQUAL(gba_sqn_next(sqn(5, 31), 32, &v), GBA_E_ARGUMENT);
    CU_ASSERT_EQUAL(gba_sqn_next(sqn(SEQ_MAX - 1, 0), 31, &v), GBA_OK);
    CU_ASSERT_EQUAL(v, GBA_SQN_MAX);
    CU_ASSERT_EQUAL(gba_sqn_next(v, 0, &v), GBA_E_OVERLOAD); /* it never wraps */
    CU_ASSERT_EQUAL(v, GBA_SQN_MAX);
    CU_ASSERT_EQUAL(gba_sqn_next(sqn(SEQ_MAX, 0), 0, &v), GBA_E_OVERLOAD);
}

static void test_resync(void)
{
    static const struct {
        uint64_t last, seq_ms, seq_next;
    } rows[] = {
        {1, 31, 32},                                  /* the USIM is ahead */
        {30, 31, 32},                                 /* our next is the USIM's last */
        {31, 31, 32},                                 /* level */
        {40, 31, 41},                                 /* we are ahead, within its limit: kept */
        {GBA_SQN_DELTA + 30, 31, GBA_SQN_DELTA + 31}, /* the last it would take */
        {GBA_SQN_DELTA + 31, 31, 32},                 /* beyond: only going back helps */
        {SEQ_MAX, 31, 32},                            /* at the end of the counter */
        {SEQ_MAX, SEQ_MAX - 5, SEQ_MAX - 4},          /* the same, with the USIM near it */
        {5, SEQ_MAX - 1, SEQ_MAX},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_sqn_usim u = {{[1] = rows[i].seq_ms}};
        uint64_t last = sqn(rows[i].last, 9), next = 0;

        gba_sqn_resync(&last, sqn(rows[i].seq_ms, 1));
        CU_ASSERT_EQUAL(gba_sqn_next(last, 1, &next), GBA_OK);
        CU_ASSERT_EQUAL(next, sqn(rows[i].seq_next, 1));
        CU_ASSERT_EQUAL(gba_sqn_accept(&u, next), GBA_OK);
    }
}

/* An AuC and a USIM, in step and then apart: one resynchronisation always mends it. */
static void test_both_sides(void)
{
    struct gba_sqn_usim u = {{0}};
    uint64_t last = 0;

    for (unsigned i = 0; i < 100; i++) {
        CU_ASSERT_EQUAL(gba_sqn_next(last, i % 32, &last), GBA_OK);
        CU_ASSERT_EQUAL(gba_sqn_accept(&u, last), GBA_OK);
    }
    last = 0; /* the AuC was restored from an old copy */
    CU_ASSERT_EQUAL(gba_sqn_next(last, 1, &last), GBA_OK);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, last), GBA_E_SYNC);
    gba_sqn_resync(&last, gba_sqn_ms(&u));
    CU_ASSERT_EQUAL(gba_sqn_next(last, 1, &last), GBA_OK);
    CU_ASSERT_EQUAL(gba_sqn_accept(&u, last), GBA_OK);
}

static const struct unit_test tests[] = {
    {"octets", test_octets},
    {"an SQN is accepted once", test_accept_once},
    {"the window of INDs", test_window},
    {"the freshness limit", test_delta},
    {"out of range", test_out_of_range},
    {"SQN_MS", test_sqn_ms},
    {"the AuC's next, and the end of the counter", test_next},
    {"resynchronisation", test_resync},
    {"both sides", test_both_sides},
};
UNIT_MAIN("sqn", tests)
