/*
 * Clocks, for mains and adapters: the core takes times as arguments.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_CLOCK_H
#define COMMON_HOST_CLOCK_H

#include <stdint.h>

int64_t clock_unix_s(void); /* CLOCK_REALTIME, seconds since 1970 */
int64_t clock_monotonic_ms(void);
uint64_t clock_monotonic_us(void);

#endif
