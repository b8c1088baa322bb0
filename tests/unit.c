/*
 * The shared main of the CUnit programs; see tests/unit.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "tests/scratch.h"

static unsigned n_skipped;

void unit_skip(const char *why)
{
    n_skipped++;
    printf("skipped: %s ", why);
}

static void (*nobodys_test)(void);

/* In a process of its own, which a fatal assertion must not carry back to the runner. */
static int run_nobodys_test(void)
{
    unsigned before = CU_get_number_of_failure_records(), n = 0;
    jmp_buf end;

    CU_get_current_test()->pJumpBuf = &end;
    if (setjmp(end) == 0)
        nobodys_test();
    for (CU_pFailureRecord f = CU_get_failure_list(); f != NULL; f = f->pNext)
        if (n++ >= before)
            printf("\n    %s:%u: %s", f->strFileName, f->uiLineNumber, f->strCondition);
    fflush(stdout);
    return n == before ? 0 : 1;
}

void unit_as_nobody(void (*test)(void))
{
    nobodys_test = test;
    CU_ASSERT_EQUAL(scratch_as_nobody(run_nobodys_test), 0);
}

struct gba_bytes unit_hex(const char *hex)
{
    size_t cap = strlen(hex) / 2, n;
    uint8_t *p = malloc(cap + 1); /* lives until the program ends, by contract */
    static uint8_t *keep[4096];
    static size_t n_keep;

    if (p == NULL || gba_unhex(p, cap, gba_text(hex), &n) != GBA_OK) {
        fprintf(stderr, "unit_hex: not hexadecimal: %s\n", hex);
        abort();
    }
    if (n_keep < sizeof(keep) / sizeof(keep[0]))
        keep[n_keep++] = p; /* reachable, so that LeakSanitizer is content */
    return (struct gba_bytes){p, n};
}

bool unit_bytes_eq(const void *p, size_t n, const char *hex, const char *file, int line)
{
    char *got = malloc(2 * n + 1);
    bool same;

    if (got == NULL)
        abort();
    gba_hex(got, (struct gba_bytes){p, n});
    same = strcmp(got, hex) == 0;
    if (!same)
        printf("\n    %s:%d: expected %s got %s\n", file, line, hex, got);
    free(got);
    return same;
}

const char *unit_path(const char *below_source)
{
    static char path[8][4096];
    static size_t turn;
    const char *top = getenv("top_srcdir");

    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof(path[turn]), "%s/%s", top != NULL ? top : ".", below_source);
    return path[turn];
}

int unit_main(const char *suite, const struct unit_test *tests, size_t n)
{
    CU_pSuite s;
    unsigned run, failed;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS ||
        (s = CU_add_suite(suite, NULL, NULL)) == NULL)
        return 99;
    for (size_t i = 0; i < n; i++)
        if (CU_add_test(s, tests[i].name, tests[i].run) == NULL)
            return 99;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    run = CU_get_number_of_tests_run();
    failed = CU_get_number_of_tests_failed() + CU_get_number_of_suites_failed();
    CU_cleanup_registry();
    printf("\n%u passed, %u failed, %u skipped\n", run - failed - n_skipped, failed, n_skipped);
    if (failed != 0)
        return 1;
    if (n_skipped == run && run != 0)
        return 77;
    return run != 0 ? 0 : 99;
}
