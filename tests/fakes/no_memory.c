/*
 * The wrapped allocators; see tests/fakes/no_memory.h and ld(1), --wrap.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/fakes/no_memory.h"

#include <stddef.h>

#include "tests/fakes/faults.h"

static bool counting, was_hit;
static unsigned count, fail_at;

void no_memory_begin(unsigned n)
{
    was_hit = false;
    count = 0;
    fail_at = n;
    counting = true;
}

bool no_memory_end(void)
{
    counting = false;
    return was_hit;
}

static bool fails(void)
{
    if (!counting || fake_own_allocations > 0 || ++count != fail_at)
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
