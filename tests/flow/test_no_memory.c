/*
 * Memory runs out once, at the first, second, ... last allocation of every procedure.  The
 * linker wraps the allocators of our own objects (see Makefile.inc); those of the libraries
 * below and of the fakes are left alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/procedures.h"

#define ALLOCATIONS_MAX 500 /* of one procedure */

static bool counting;
static unsigned n_allocations, fail_at;
static bool was_hit;

static bool fails(void)
{
    if (!counting || fake_own_allocations > 0 || ++n_allocations != fail_at)
        return false;
    was_hit = true;
    return true;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
    return fails() ? NULL : __real_strdup(s);
}

/* Out of memory here or at the other end: a refusal that may pass, or the reason by name. */
static bool is_clean(const struct procedure *p, enum gba_err err)
{
    switch (err) {
    case GBA_E_NOMEM:
    case GBA_E_OVERLOAD:
    case GBA_E_IO:
    case GBA_E_USIM:
    case GBA_E_ZN_FAILURE:
        return true;
    default:
        return err == p->outcome;
    }
}

static void fail_every_allocation(const struct procedure *p)
{
    struct lab l;
    enum gba_err err;

    for (fail_at = 1; fail_at < ALLOCATIONS_MAX; fail_at++) {
        procedure_open(p, &l);
        was_hit = false;
        n_allocations = 0;
        counting = true;
        err = p->run(&l);
        counting = false;
        if (!was_hit) {
            CU_ASSERT(fail_at > 3);
            CU_ASSERT_EQUAL(err, p->outcome);
            procedure_check(p, &l, err);
            return;
        }
        if (!is_clean(p, err)) {
            printf("\n    %s: allocation %u: %s", p->name, fail_at, gba_err_name(err));
            CU_FAIL("not an error of missing memory");
        }
        procedure_check(p, &l, err);
    }
    CU_FAIL("a procedure without end");
}

static void test_every_allocation(void)
{
    for (size_t i = 0; i < n_procedures; i++)
        fail_every_allocation(&procedures[i]);
}

static const struct unit_test tests[] = {
    {"every allocation fails once", test_every_allocation},
};

UNIT_MAIN("flow: no memory", tests)
