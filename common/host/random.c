/*
 * Entropy from getrandom(2); short reads and EINTR are repeated.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "common/host/random.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

#include "common/secret.h"

enum gba_err random_octets(void *out, size_t n)
{
    uint8_t *at = out;

    for (size_t done = 0; done < n;) {
        ssize_t got = getrandom(at + done, n - done, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            gba_wipe(out, n);
            return GBA_E_ENTROPY;
        }
        done += (size_t)got;
    }
    return GBA_OK;
}
