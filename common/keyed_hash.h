/*
 * SipHash-2-4 (Aumasson, Bernstein): the hash of tables whose keys strangers choose.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_KEYED_HASH_H
#define COMMON_KEYED_HASH_H

#include "common/bytes.h"

uint64_t keyed_hash(const uint8_t key[static 16], struct gba_bytes data);

#endif
