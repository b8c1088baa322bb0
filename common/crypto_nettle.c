/*
 * The cryptographic seam over nettle 3.7 or later.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/crypto.h"

#include <string.h>

#include <nettle/aes.h>
#include <nettle/gcm.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <nettle/sha3.h>

#include "common/secret.h"

size_t gba_hash_len(enum gba_hash h)
{
    static const size_t len[] = {[GBA_MD5] = MD5_DIGEST_SIZE,
                                 [GBA_SHA1] = SHA1_DIGEST_SIZE,
                                 [GBA_SHA256] = SHA256_DIGEST_SIZE,
                                 [GBA_SHA512_256] = SHA512_256_DIGEST_SIZE};

    return len[h];
}

static const struct nettle_hash *hash_of(enum gba_hash h)
{
    switch (h) {
    case GBA_MD5:
        return &nettle_md5;
    case GBA_SHA1:
        return &nettle_sha1;
    case GBA_SHA256:
        return &nettle_sha256;
    case GBA_SHA512_256:
        break;
    }
    return &nettle_sha512_256;
}

union hash_ctx {
    struct md5_ctx md5;
    struct sha1_ctx sha1;
    struct sha256_ctx sha256;
    struct sha512_ctx sha512;
};

void gba_hash(enum gba_hash h, const struct gba_bytes *parts, size_t n, uint8_t *out)
{
    const struct nettle_hash *hash = hash_of(h);
    union hash_ctx ctx;

    hash->init(&ctx);
    for (size_t i = 0; i < n; i++)
        hash->update(&ctx, parts[i].n, parts[i].p);
    hash->digest(&ctx, hash->digest_size, out);
    gba_wipe(&ctx, sizeof(ctx));
}

void gba_hmac(enum gba_hash h, struct gba_bytes key, const struct gba_bytes *parts, size_t n,
              uint8_t *out)
{
    const struct nettle_hash *hash = hash_of(h);
    union hash_ctx outer, inner, state;

    nettle_hmac_set_key(&outer, &inner, &state, hash, key.n, key.p);
    for (size_t i = 0; i < n; i++)
        nettle_hmac_update(&state, hash, parts[i].n, parts[i].p);
    nettle_hmac_digest(&outer, &inner, &state, hash, hash->digest_size, out);
    gba_wipe(&outer, sizeof(outer));
    gba_wipe(&inner, sizeof(inner));
    gba_wipe(&state, sizeof(state));
}

/* nettle calls its own function internal; a context's state is public, and takes in a whole
 * block at once. */
void gba_sha1_compress(uint32_t state[static 5], const uint8_t block[static 64])
{
    struct sha1_ctx ctx;

    sha1_init(&ctx);
    memcpy(ctx.state, state, sizeof(ctx.state));
    sha1_update(&ctx, SHA1_BLOCK_SIZE, block);
    memcpy(state, ctx.state, sizeof(ctx.state));
    gba_wipe(&ctx, sizeof(ctx));
}

_Static_assert(sizeof(struct aes128_ctx) <= sizeof(struct gba_aes128_key),
               "gba_aes128_key must hold nettle's schedule");

void gba_aes128_set(struct gba_aes128_key *k, const uint8_t key[static 16])
{
    aes128_set_encrypt_key((struct aes128_ctx *)(void *)k->opaque, key);
}

void gba_aes128_block(const struct gba_aes128_key *k, const uint8_t in[static 16],
                      uint8_t out[static 16])
{
    aes128_encrypt((const struct aes128_ctx *)(const void *)k->opaque, 16, out, in);
}

void gba_aes128(const uint8_t key[static 16], const uint8_t in[static 16],
                uint8_t out[static 16])
{
    struct gba_aes128_key k;

    gba_aes128_set(&k, key);
    gba_aes128_block(&k, in, out);
    gba_wipe(&k, sizeof(k));
}

void gba_keccak_f1600(uint8_t state[static 200])
{
    struct sha3_state s;

    for (size_t lane = 0; lane < 25; lane++) {
        s.a[lane] = 0;
        for (size_t i = 0; i < 8; i++)
            s.a[lane] |= (uint64_t)state[8 * lane + i] << (8 * i);
    }
    sha3_permute(&s);
    for (size_t lane = 0; lane < 25; lane++)
        for (size_t i = 0; i < 8; i++)
            state[8 * lane + i] = (uint8_t)(s.a[lane] >> (8 * i));
    gba_wipe(&s, sizeof(s));
}

void gba_seal(const uint8_t key[static 32], const uint8_t nonce[static GBA_SEAL_NONCE],
              struct gba_bytes aad, struct gba_bytes plain, uint8_t *out)
{
    struct gcm_aes256_ctx ctx;

    gcm_aes256_set_key(&ctx, key);
    gcm_aes256_set_iv(&ctx, GBA_SEAL_NONCE, nonce);
    gcm_aes256_update(&ctx, aad.n, aad.p);
    gcm_aes256_encrypt(&ctx, plain.n, out, plain.p);
    gcm_aes256_digest(&ctx, GBA_SEAL_TAG, out + plain.n);
    gba_wipe(&ctx, sizeof(ctx));
}

enum gba_err gba_unseal(const uint8_t key[static 32],
                        const uint8_t nonce[static GBA_SEAL_NONCE], struct gba_bytes aad,
                        struct gba_bytes sealed, uint8_t *out)
{
    struct gcm_aes256_ctx ctx;
    uint8_t tag[GBA_SEAL_TAG];
    size_t n;
    bool same;

    if (sealed.n < GBA_SEAL_TAG)
        return GBA_E_CRYPTO;
    n = sealed.n - GBA_SEAL_TAG;
    gcm_aes256_set_key(&ctx, key);
    gcm_aes256_set_iv(&ctx, GBA_SEAL_NONCE, nonce);
    gcm_aes256_update(&ctx, aad.n, aad.p);
    gcm_aes256_decrypt(&ctx, n, out, sealed.p);
    gcm_aes256_digest(&ctx, GBA_SEAL_TAG, tag);
    same = gba_equal_ct(tag, sealed.p + n, GBA_SEAL_TAG);
    if (!same)
        gba_wipe(out, n);
    gba_wipe(&ctx, sizeof(ctx));
    gba_wipe(tag, sizeof(tag));
    return same ? GBA_OK : GBA_E_CRYPTO;
}
