/*
 * Entropy from the kernel (getrandom).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_RANDOM_H
#define COMMON_HOST_RANDOM_H

#include <stddef.h>

#include "common/err.h"

/* GBA_E_ENTROPY: the kernel gives none (out is then wiped). */
enum gba_err random_octets(void *out, size_t n);

#endif
