/*
 * The clock and the entropy of the operating system, for programs that use the convenience
 * layer.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/clock.h"
#include "common/host/random.h"
#include "ua/gba_ue.h"

static int64_t system_now_s(void *ctx)
{
    (void)ctx;
    return clock_unix_s();
}

static enum gba_err system_random(void *ctx, void *out, size_t n)
{
    (void)ctx;
    return random_octets(out, n);
}

const struct gba_ue_env gba_ue_env_system = {system_now_s, system_random, NULL};
