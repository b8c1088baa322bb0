/*
 * Counted faults, virtual time, counted randomness; see tests/fakes/faults.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/fakes/faults.h"

#include <string.h>

#include "common/crypto.h"

static int64_t now_ms = 1767323045000; /* 2026-01-02T03:04:05Z */
static uint64_t count;
int fake_own_allocations;

bool faults_hit(struct faults *f, const char *port)
{
    if (f == NULL || ++f->n_calls != f->fail_at)
        return false;
    f->hit = port;
    return true;
}

int64_t fake_now_ms(void)
{
    return now_ms;
}

void fake_set_now_ms(int64_t ms)
{
    now_ms = ms;
}

void fake_pass_s(int64_t s)
{
    now_ms += s * 1000;
}

void fake_random(void *out, size_t n)
{
    const struct gba_bytes part = {(const uint8_t *)&count, sizeof(count)};
    uint8_t hash[32];

    for (size_t at = 0; at < n; at += sizeof(hash)) {
        count++;
        gba_hash(GBA_SHA256, &part, 1, hash);
        memcpy((uint8_t *)out + at, hash, n - at < sizeof(hash) ? n - at : sizeof(hash));
    }
}
