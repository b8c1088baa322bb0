/*
 * Clocks of the kernel: time(2) and CLOCK_MONOTONIC.  Only mains and adapters read them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/clock.h"

#include <time.h>

int64_t clock_unix_s(void)
{
    return (int64_t)time(NULL);
}

uint64_t clock_monotonic_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

int64_t clock_monotonic_ms(void)
{
    return (int64_t)(clock_monotonic_us() / 1000u);
}
