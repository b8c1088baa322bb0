/*
 * The table of requests that wait for an HSS: every entry has one answer, whatever comes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/zh_pending.h"

#include "tests/unit.h"

static struct zh_pending_table t;

static void test_sizes(void)
{
    CU_ASSERT(zh_pending_init(&t, 0) == GBA_E_ARGUMENT);
    CU_ASSERT(zh_pending_init(&t, ZH_PENDING_MAX + 1) == GBA_E_ARGUMENT);
    CU_ASSERT_FATAL(zh_pending_init(&t, ZH_PENDING_MAX) == GBA_OK);
    for (size_t i = 0; i < ZH_PENDING_MAX; i++)
        CU_ASSERT_FATAL(zh_pending_take(&t) != NULL);
    CU_ASSERT(zh_pending_take(&t) == NULL);
    zh_pending_free(&t);
}

static void test_ticket_names_one_attempt(void)
{
    struct zh_pending *p;
    uintptr_t first, second;

    CU_ASSERT_FATAL(zh_pending_init(&t, 4) == GBA_OK);
    p = zh_pending_take(&t);
    first = p->ticket;
    CU_ASSERT(first != 0 && zh_pending_find(&t, first) == p);
    CU_ASSERT(!p->queued && zh_pending_next(&t) == NULL);
    zh_pending_enqueue(&t, p);
    first = p->ticket;
    CU_ASSERT(zh_pending_next(&t) == p && zh_pending_next(&t) == NULL);
    zh_pending_enqueue(&t, p);
    second = p->ticket;
    CU_ASSERT(second != first);
    CU_ASSERT(zh_pending_find(&t, first) == NULL);
    CU_ASSERT(zh_pending_find(&t, second) == p);
    zh_pending_release(&t, p); /* while it is queued */
    CU_ASSERT(zh_pending_find(&t, second) == NULL && t.used == 0);
    CU_ASSERT(zh_pending_next(&t) == NULL);
    p = zh_pending_take(&t);
    CU_ASSERT(zh_pending_find(&t, first) == NULL && zh_pending_find(&t, second) == NULL);
    CU_ASSERT(zh_pending_find(&t, 0) == NULL);
    CU_ASSERT(zh_pending_find(&t, UINTPTR_MAX) == NULL);
    zh_pending_free(&t);
}

static void test_tickets_do_not_repeat(void)
{
    uintptr_t before = 0;

    CU_ASSERT_FATAL(zh_pending_init(&t, 1) == GBA_OK);
    for (int i = 0; i < 100000; i++) {
        struct zh_pending *p = zh_pending_take(&t);

        if (p == NULL || p->ticket <= before) {
            CU_FAIL_FATAL("a ticket came twice");
        }
        before = p->ticket;
        zh_pending_release(&t, p);
    }
    /* At the end of the numbers it starts again, never with 0. */
    t.serial = UINTPTR_MAX / ZH_PENDING_MAX;
    CU_ASSERT(zh_pending_take(&t)->ticket == ZH_PENDING_MAX);
    zh_pending_free(&t);
}

static void test_queue_keeps_order(void)
{
    struct zh_pending *p[3];

    CU_ASSERT_FATAL(zh_pending_init(&t, 3) == GBA_OK);
    for (size_t i = 0; i < 3; i++) {
        p[i] = zh_pending_take(&t);
        zh_pending_enqueue(&t, p[i]);
    }
    zh_pending_release(&t, p[1]);
    CU_ASSERT(zh_pending_next(&t) == p[0]);
    zh_pending_enqueue(&t, p[0]);
    CU_ASSERT(zh_pending_next(&t) == p[2]);
    CU_ASSERT(zh_pending_next(&t) == p[0]);
    CU_ASSERT(zh_pending_next(&t) == NULL);
    CU_ASSERT(t.used == 2);
    zh_pending_free(&t);
}

static void test_earliest(void)
{
    struct zh_pending *a, *b;

    CU_ASSERT_FATAL(zh_pending_init(&t, 3) == GBA_OK);
    CU_ASSERT(zh_pending_earliest(&t) == NULL);
    a = zh_pending_take(&t);
    b = zh_pending_take(&t);
    a->due_ms = a->deadline_ms = 50;
    b->due_ms = 20;
    b->deadline_ms = 90;
    CU_ASSERT(zh_pending_earliest(&t) == b);
    zh_pending_enqueue(&t, b); /* the next attempt has the whole time again */
    CU_ASSERT(b->due_ms == 90 && zh_pending_earliest(&t) == a);
    zh_pending_release(&t, a);
    CU_ASSERT(zh_pending_earliest(&t) == b);
    zh_pending_free(&t);
}

static void test_release_wipes(void)
{
    struct zh_pending *p;

    CU_ASSERT_FATAL(zh_pending_init(&t, 1) == GBA_OK);
    p = zh_pending_take(&t);
    p->query.resync = true;
    p->query.auts[3] = 0x5a;
    p->query.impi[0] = 'x';
    zh_pending_release(&t, p);
    CU_ASSERT(p->query.auts[3] == 0 && p->query.impi[0] == 0 && !p->query.resync);
    zh_pending_free(&t);
}

static const struct unit_test tests[] = {
    {"sizes", test_sizes},
    {"a ticket names one attempt", test_ticket_names_one_attempt},
    {"tickets do not repeat", test_tickets_do_not_repeat},
    {"the queue keeps its order", test_queue_keeps_order},
    {"the earliest", test_earliest},
    {"release wipes", test_release_wipes},
};

UNIT_MAIN("requests that wait for an HSS", tests)
