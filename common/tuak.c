/*
 * TUAK, TS 35.231.  The standard numbers the bits of its 1600-bit block from the least
 * significant end, so each field lies in the state with its octets reversed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/tuak.h"

#include <string.h>

#include "common/crypto.h"
#include "common/secret.h"

/* Octets of the fields of INOUT (TS 35.231 6). */
enum {
    AT_TOPC = 0,
    AT_INSTANCE = 32,
    AT_NAME = 33,
    AT_RAND = 40,
    AT_AMF = 56,
    AT_SQN = 58,
    AT_KEY = 64,
    AT_PAD = 96,
    AT_PAD_END = 135,
    STATE = 200
};
/* and of the outputs of f2-f5* */
enum { AT_RES = 0, AT_CK = 32, AT_IK = 64, AT_AK = 96 };

/* The INSTANCE octet: the function in the upper two bits, sizes below, the key's in the last.
 */
enum { F1 = 0x00, F1_STAR = 0x80, F2345 = 0x40, F5_STAR = 0xc0 };
enum { KEY_256 = 0x01, IK_256 = 0x02, CK_256 = 0x04 };

bool gba_tuak_sizes_ok(const struct gba_tuak_sizes *z)
{
    return (z->mac == 8 || z->mac == 16 || z->mac == 32) &&
           (z->res == 4 || z->res == 8 || z->res == 16 || z->res == 32) &&
           (z->ck == 16 || z->ck == 32) && (z->ik == 16 || z->ik == 32);
}

static bool key_ok(struct gba_bytes k, unsigned iterations)
{
    return (k.n == 16 || k.n == 32) && iterations >= 1 && iterations <= GBA_TUAK_MAX_ITERATIONS;
}

static uint8_t key_bit(struct gba_bytes k)
{
    return k.n == 32 ? KEY_256 : 0;
}

static void put(uint8_t state[static STATE], size_t at, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        state[at + i] = p[n - 1 - i];
}

static void get(const uint8_t state[static STATE], size_t at, uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = state[at + n - 1 - i];
}

/* All that the functions have in common; RAND, AMF and SQN are zero until put. */
static void fill(uint8_t state[static STATE], const uint8_t topc[static 32], uint8_t instance,
                 struct gba_bytes k)
{
    static const uint8_t name[7] = {'T', 'U', 'A', 'K', '1', '.', '0'};

    memset(state, 0, STATE);
    put(state, AT_TOPC, topc, 32);
    state[AT_INSTANCE] = instance;
    put(state, AT_NAME, name, sizeof(name));
    put(state, AT_KEY, k.p, k.n);
    state[AT_PAD] = 0x1f;
    state[AT_PAD_END] = 0x80;
}

static void permute(uint8_t state[static STATE], unsigned iterations)
{
    for (unsigned i = 0; i < iterations; i++)
        gba_keccak_f1600(state);
}

enum gba_err gba_tuak_topc(struct gba_bytes k, const uint8_t top[static 32],
                           unsigned iterations, uint8_t topc[static 32])
{
    uint8_t state[STATE];

    if (!key_ok(k, iterations))
        return GBA_E_ARGUMENT;
    fill(state, top, key_bit(k), k);
    permute(state, iterations);
    get(state, AT_TOPC, topc, 32);
    gba_wipe(state, sizeof(state));
    return GBA_OK;
}

enum gba_err gba_tuak_f1(const struct gba_tuak *t, const struct gba_tuak_sizes *z,
                         const uint8_t rand[static 16], const uint8_t sqn[static 6],
                         const uint8_t amf[static 2], uint8_t mac_a[static 32],
                         uint8_t mac_s[static 32])
{
    const struct {
        uint8_t function, *mac;
    } run[] = {{F1, mac_a}, {F1_STAR, mac_s}};
    uint8_t state[STATE];

    if (!key_ok(t->k, t->iterations) || !gba_tuak_sizes_ok(z))
        return GBA_E_ARGUMENT;
    for (size_t i = 0; i < 2; i++) {
        /* 8, 16, 32 octets are 001, 010, 100 in the bits 2-4 of INSTANCE */
        fill(state, t->topc, (uint8_t)(run[i].function | z->mac | key_bit(t->k)), t->k);
        put(state, AT_RAND, rand, 16);
        put(state, AT_AMF, amf, 2);
        put(state, AT_SQN, sqn, 6);
        permute(state, t->iterations);
        get(state, 0, run[i].mac, z->mac);
    }
    gba_wipe(state, sizeof(state));
    return GBA_OK;
}

/* INSTANCE of f2-f5: RES of 4 octets is 000, then as for MAC. */
static uint8_t instance_f2345(const struct gba_tuak_sizes *z)
{
    unsigned v = F2345;

    v |= z->res == 4 ? 0 : (unsigned)z->res;
    v |= z->ck == 32 ? CK_256 : 0;
    v |= z->ik == 32 ? IK_256 : 0;
    return (uint8_t)v;
}

enum gba_err gba_tuak_f2345(const struct gba_tuak *t, const struct gba_tuak_sizes *z,
                            const uint8_t rand[static 16], struct gba_tuak_out *out)
{
    uint8_t state[STATE];

    if (!key_ok(t->k, t->iterations) || !gba_tuak_sizes_ok(z))
        return GBA_E_ARGUMENT;
    fill(state, t->topc, instance_f2345(z) | key_bit(t->k), t->k);
    put(state, AT_RAND, rand, 16);
    permute(state, t->iterations);
    get(state, AT_RES, out->res, z->res);
    get(state, AT_CK, out->ck, z->ck);
    get(state, AT_IK, out->ik, z->ik);
    get(state, AT_AK, out->ak, sizeof(out->ak));

    fill(state, t->topc, F5_STAR | key_bit(t->k), t->k);
    put(state, AT_RAND, rand, 16);
    permute(state, t->iterations);
    get(state, AT_AK, out->ak_star, sizeof(out->ak_star));
    gba_wipe(state, sizeof(state));
    return GBA_OK;
}
