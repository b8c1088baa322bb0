/*
 * The cryptographic seam: the primitives the core needs, and nothing else.
 * crypto_nettle.c implements it; another library is another file.  Nothing here fails
 * except where it says so, and nothing keeps state or secrets after return.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_CRYPTO_H
#define COMMON_CRYPTO_H

#include "common/bytes.h"

#define GBA_HASH_MAX 32 /* octets of the longest digest below */

enum gba_hash { GBA_MD5, GBA_SHA1, GBA_SHA256, GBA_SHA512_256 };

/* Octets of the digest: 16, 20, 32, 32. */
size_t gba_hash_len(enum gba_hash h);

/* Digest of the concatenation of n parts. */
void gba_hash(enum gba_hash h, const struct gba_bytes *parts, size_t n, uint8_t *out);

/* HMAC (RFC 2104) over the concatenation of n parts; GBA_MD5 and GBA_SHA256 only. */
void gba_hmac(enum gba_hash h, struct gba_bytes key, const struct gba_bytes *parts, size_t n,
              uint8_t *out);

/* SHA-1's compression function alone (FIPS 180-4 6.1.2): one block into the state, which the
 * caller begins and reads; no padding (3GPP2 S.S0055-A). */
void gba_sha1_compress(uint32_t state[static 5], const uint8_t block[static 64]);

/* One AES-128 block. */
void gba_aes128(const uint8_t key[static 16], const uint8_t in[static 16],
                uint8_t out[static 16]);

/* n AES-128 blocks under one key: the schedule is made once (Milenage). */
struct gba_aes128_key {
    _Alignas(16) uint8_t opaque[256];
};
void gba_aes128_set(struct gba_aes128_key *k, const uint8_t key[static 16]);
void gba_aes128_block(const struct gba_aes128_key *k, const uint8_t in[static 16],
                      uint8_t out[static 16]);

/* Keccak-f[1600] on 200 octets in the byte order of TS 35.231 / FIPS 202 (little-endian
 * lanes). */
void gba_keccak_f1600(uint8_t state[static 200]);

#define GBA_SEAL_NONCE 12
#define GBA_SEAL_TAG   16
/* AES-256-GCM.  out holds plain.n + GBA_SEAL_TAG octets.  The nonce must never repeat under
 * one key. */
void gba_seal(const uint8_t key[static 32], const uint8_t nonce[static GBA_SEAL_NONCE],
              struct gba_bytes aad, struct gba_bytes plain, uint8_t *out);
/* GBA_E_CRYPTO: too short, or the tag does not match (out is then wiped). */
enum gba_err gba_unseal(const uint8_t key[static 32],
                        const uint8_t nonce[static GBA_SEAL_NONCE], struct gba_bytes aad,
                        struct gba_bytes sealed, uint8_t *out);

#endif
